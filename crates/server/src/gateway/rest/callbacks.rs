//! Callbacks: what somebody is to do, and what became of it.

use cordboard_core::change::Change;
use cordboard_core::directory::CallbackState;
use cordboard_core::event::{Attempt, Callback, CallbackDetails, CallbackKind};
use cordboard_core::{Guid, World};
use cordboard_dialects::enreach::ids;

use super::super::access::Refusal;
use super::call::{Call, Reply, by, new_id, nothing};
use super::names;
use super::route::Outcome;
use super::shapes::{Assign, AttemptShown, CallbackEdit, CallbackShown, Extra, NewAttempt, NewCallback, When};
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

pub(super) async fn list(call: Call) -> Outcome {
    let (page, text, closed) = (call.page()?, call.part("list"), call.flag("Closed")?);
    let path = format!("/calllists/{text}/callbacks");
    let look = move |world: &View<'_>, caller: &Identity| {
        let name = names::list(world, caller, &text)?;
        let all = world.directory.lists.get(&name).into_iter().flat_map(|list| &list.callbacks);
        let show = |id: &str| {
            let id = id.parse().ok()?;
            let state = world.directory.callbacks.get(&id)?;
            closed.is_none_or(|closed| closed == state.closed.is_some()).then(|| show(world, id, state))
        };
        Ok(page.of(all.map(ToString::to_string), show))
    };
    let (callbacks, next) = call.look(look).await?;
    Ok(Reply::ok(&callbacks)?.next(call.rest_of(&path, next)))
}

pub(super) async fn get(call: Call) -> Outcome {
    let id = call.id("callback")?;
    let shown = call.look(move |world, caller| Ok(show(world, id, find(world, caller, id)?))).await?;
    Reply::ok(&shown)
}

pub(super) async fn create(mut call: Call) -> Outcome {
    let given: NewCallback = call.body()?;
    let kind = match given.type_id {
        Some(1) => CallbackKind::Requested,
        Some(2) => CallbackKind::Overflown,
        Some(3) | None => CallbackKind::Manual,
        Some(_) => return Err(Refusal::wrong("TypeId: right would be 1, 2 or 3")),
    };
    if given.contact_number.is_empty() {
        return Err(Refusal::wrong("ContactNumber: it is empty; right would be the number to call back"));
    }
    let (text, queue, personal) = (call.part("list"), given.queue_id, given.personal_user_id);
    let (list, queue, personal, by) = call
        .look(move |world, caller| {
            let list = names::list(world, caller, &text)?;
            let queue = names::maybe(names::queue, (world, caller), queue.as_deref())?;
            let personal = names::maybe(names::user, (world, caller), personal.as_deref())?;
            Ok((list, queue, personal, by(caller)))
        })
        .await?;
    let details = CallbackDetails {
        contact_name: given.contact_name,
        contact_number: given.contact_number,
        contact_message: given.contact_message,
        note: given.note,
        channel: given.channel_in,
        due: given.due_date.map(|When(at)| at),
        not_before: given.not_before.map(|When(at)| at),
        expires: given.expiry_date.map(|When(at)| at),
        priority: given.priority,
        recording: given.recording_id,
        transcript: given.transcript_id,
        classification: given.classification_id,
        extras: given.callback_extras.into_iter().map(|Extra { name, value }| (name, value)).collect(),
        related: given.callback_related_items,
    };
    let id = given.id.map_or_else(new_id, Ok)?;
    let target_number = given.target_number;
    let callback = Callback { list, kind, call: None, queue, target_number, personal, by, details };
    call.make(id, Change::CreateCallback { id, callback: Box::new(callback) }).await
}

pub(super) async fn edit(mut call: Call) -> Outcome {
    let (edit, id): (CallbackEdit, _) = (call.body()?, call.id("callback")?);
    let (mut details, by) =
        call.look(move |world, caller| Ok((find(world, caller, id)?.callback.details.clone(), by(caller)))).await?;
    apply(&mut details, edit);
    if details.contact_number.is_empty() {
        return Err(Refusal::wrong("ContactNumber: it is empty; right would be the number to call back"));
    }
    call.change(Some(id), Change::EditCallback { id, details: Box::new(details), by }).await
}

pub(super) async fn assign(mut call: Call) -> Outcome {
    let (Assign { user_id }, id) = (call.body()?, call.id("callback")?);
    let (to, by) = call
        .look(move |world, caller| {
            find(world, caller, id)?;
            let to = user_id.map(|text| names::user(world, caller, &text)).transpose()?;
            Ok((to, by(caller)))
        })
        .await?;
    call.change(Some(id), Change::AssignCallback { id, to, by }).await
}

pub(super) async fn attempt(mut call: Call) -> Outcome {
    let (given, id): (NewAttempt, _) = (call.body()?, call.id("callback")?);
    let (user, called) = (given.user_id, given.call_id);
    let (by, conn) = call
        .look(move |world, caller| {
            find(world, caller, id)?;
            let named = names::maybe(names::user, (world, caller), user.as_deref())?;
            let by = named.or_else(|| by(caller));
            Ok((by, called.map(|guid| names::call(world, guid)).transpose()?))
        })
        .await?;
    let attempt = Attempt {
        id: new_id()?,
        by,
        at: given.timestamp.map_or_else(|| call.app.clock().now(), |When(at)| at),
        result: given.callback_attempt_type_id,
        note: given.note,
        call: conn,
        recording: given.recording_id,
    };
    call.make(attempt.id, Change::AttemptCallback { id, attempt }).await
}

pub(super) async fn close(call: Call) -> Outcome {
    let id = call.id("callback")?;
    let by = call
        .look(move |world, caller| {
            find(world, caller, id)?;
            Ok(by(caller))
        })
        .await?;
    call.change(Some(id), Change::CloseCallback { id, by }).await
}

/// A callback of a list that may be seen.
fn find<'w>(world: &'w World, caller: &Identity, id: Guid) -> Result<&'w CallbackState, Refusal> {
    let found = world.directory.callbacks.get(&id);
    let seen = found.filter(|it| rights::may_see_list(world, &caller.permit, &it.callback.list));
    seen.ok_or_else(|| nothing("callback"))
}

fn apply(details: &mut CallbackDetails, edit: CallbackEdit) {
    fn put<T>(place: &mut T, given: Option<T>) {
        if let Some(given) = given {
            *place = given;
        }
    }
    let time = |given: Option<Option<When>>| given.map(|given| given.map(|When(at)| at));
    put(&mut details.contact_number, edit.contact_number);
    put(&mut details.contact_name, edit.contact_name);
    put(&mut details.contact_message, edit.contact_message);
    put(&mut details.note, edit.note);
    put(&mut details.channel, edit.channel_in);
    put(&mut details.due, time(edit.due_date));
    put(&mut details.not_before, time(edit.not_before));
    put(&mut details.expires, time(edit.expiry_date));
    put(&mut details.priority, edit.priority);
    put(&mut details.recording, edit.recording_id);
    put(&mut details.transcript, edit.transcript_id);
    put(&mut details.classification, edit.classification_id);
    let pairs = |extras: Vec<Extra>| extras.into_iter().map(|Extra { name, value }| (name, value)).collect();
    put(&mut details.extras, edit.callback_extras.map(pairs));
    put(&mut details.related, edit.callback_related_items);
}

fn show(world: &World, id: Guid, state: &CallbackState) -> CallbackShown {
    let CallbackState { callback, created, modified, modified_by, assigned, attempts, closed } = state;
    let details = &callback.details;
    let user = |name: &Option<String>| name.as_deref().map(|name| ids::user(world, name));
    CallbackShown {
        id,
        call_list_id: ids::list(world, &callback.list),
        type_id: match callback.kind {
            CallbackKind::Requested => 1,
            CallbackKind::Overflown => 2,
            CallbackKind::Manual => 3,
        },
        assigned_user_id: user(assigned),
        contact_name: details.contact_name.clone(),
        contact_number: details.contact_number.clone(),
        contact_message: details.contact_message.clone(),
        note: details.note.clone(),
        queue_id: callback.queue.as_deref().map(|queue| ids::queue(world, queue)),
        channel_in: details.channel.clone(),
        call_id: callback.call.map(|conn| ids::call(world, conn)),
        creation_time: When(*created),
        modified: When(*modified),
        last_modified_user_id: user(modified_by),
        due_date: details.due.map(When),
        not_before: details.not_before.map(When),
        expiry_date: details.expires.map(When),
        priority: details.priority,
        recording_id: details.recording,
        transcript_id: details.transcript,
        classification_id: details.classification,
        is_closed: closed.is_some(),
        callback_attempts: attempts.iter().map(|attempt| show_attempt(world, attempt)).collect(),
        callback_extras: details
            .extras
            .iter()
            .map(|(name, value)| Extra { name: name.clone(), value: value.clone() })
            .collect(),
        callback_related_items: details.related.clone(),
    }
}

fn show_attempt(world: &World, attempt: &Attempt) -> AttemptShown {
    AttemptShown {
        id: attempt.id,
        user_id: attempt.by.as_deref().map(|by| ids::user(world, by)),
        timestamp: When(attempt.at),
        callback_attempt_type_id: attempt.result,
        note: attempt.note.clone(),
        recording_id: attempt.recording,
        call_id: attempt.call.map(|conn| ids::call(world, conn)),
    }
}
