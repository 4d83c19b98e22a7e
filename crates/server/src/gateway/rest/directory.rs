//! The directory in our own vocabulary, as far as the caller may see it: every change there is, and pages of what is.

use axum::http::StatusCode;
use cordboard_core::change::Change;
use cordboard_core::request::Ask;
use serde_json::Value;

use super::super::access::Refusal;
use super::call::{Call, Reply};
use super::route::Outcome;
use super::shapes::Entry;
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

const KINDS: &str = "users, queues, lists, callbacks or alerts";

/// Asks for a change in the form in which it is written into the log.
pub(super) async fn change(call: Call) -> Outcome {
    let change: Change = serde_json::from_value(call.body.clone())
        .map_err(|error| Refusal::wrong(format!("the change: {error}; /openapi.json has the form of each")))?;
    let position = call.ask(String::new(), Ask::Change(Box::new(change))).await?;
    Reply::done(StatusCode::OK, None, position)
}

pub(super) async fn list(call: Call) -> Outcome {
    let (page, kind) = (call.page()?, call.part("kind"));
    let path = format!("/api/v1/directory/{kind}");
    let look = move |world: &View<'_>, caller: &Identity| {
        let (directory, permit) = (&world.directory, &caller.permit);
        let entry =
            |name: &str, value: serde_json::Result<Value>| Some(Entry { name: name.to_owned(), value: value.ok()? });
        let id = |text: &str| text.parse().ok();
        match &*kind {
            "users" => Ok(page.of(directory.users.keys(), |name| {
                let user = directory.users.get(name).filter(|_| rights::may_see_user(world, permit, name))?;
                entry(name, serde_json::to_value(user))
            })),
            "queues" => Ok(page.of(world.queues.keys(), |name| {
                let queue = world.queues.get(name).filter(|_| rights::may_see_queue(world, permit, name))?;
                entry(name, serde_json::to_value(&queue.profile))
            })),
            "lists" => Ok(page.of(directory.lists.keys(), |name| {
                let list = directory.lists.get(name).filter(|_| rights::may_see_list(world, permit, name))?;
                entry(name, serde_json::to_value(&list.profile))
            })),
            "callbacks" => Ok(page.of(directory.callbacks.keys().map(ToString::to_string), |name| {
                let callback = directory.callbacks.get(&id(name)?)?;
                let seen = rights::may_see_list(world, permit, &callback.callback.list);
                if seen { entry(name, serde_json::to_value(callback)) } else { None }
            })),
            "alerts" => Ok(page.of(directory.alerts.keys().map(ToString::to_string), |name| {
                let alert = directory.alerts.get(&id(name)?)?;
                let seen = rights::may_see_user(world, permit, &alert.rule.user);
                if seen { entry(name, serde_json::to_value(alert)) } else { None }
            })),
            _ => {
                let why = format!("there is nothing of this kind in the directory; right would be {KINDS}");
                Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", why))
            }
        }
    };
    let (entries, next) = call.look(look).await?;
    Ok(Reply::ok(&entries)?.next(call.rest_of(&path, next)))
}
