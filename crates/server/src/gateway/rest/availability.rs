//! Whether somebody can be reached, and the settings and modes that a person chooses.

use cordboard_core::World;
use cordboard_core::change::Change;
use cordboard_core::event::{Availability, Reach, Setting, SettingLevel};
use cordboard_dialects::enreach::ids;
use cordboard_dialects::near::close;

use super::super::access::Refusal;
use super::call::{Call, Reply, new_id, nothing};
use super::names;
use super::route::Outcome;
use super::shapes::{AvailabilityShown, EventType, Level, NewAvailability, SettingEdit, SettingShown, Toggle, When};
use super::users::check_key;
use crate::identity::Identity;
use crate::mirror::View;

/// What an availability is called by number and by word. 3 is known from the original; the others follow the order in
/// which the original's documentation lists the words.
const EVENT_TYPES: [(u8, &str, Reach); 6] = [
    (1, "Available", Reach::Available),
    (2, "Busy", Reach::Busy),
    (3, "DoNotDisturb", Reach::DoNotDisturb),
    (4, "OffWork", Reach::OffWork),
    (5, "BRB", Reach::BackSoon),
    (6, "Away", Reach::Away),
];

pub(super) async fn list(call: Call) -> Outcome {
    let text = call.part("user");
    let shown = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let all = world.directory.users.get(&user).into_iter().flat_map(|user| user.availabilities.values());
            Ok(all.map(|availability| show(world, &user, Some(availability))).collect::<Vec<_>>())
        })
        .await?;
    Reply::ok(&shown)
}

pub(super) async fn current(call: Call) -> Outcome {
    let (text, now) = (call.part("user"), call.app.clock().now());
    let shown = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let known = world.directory.users.get(&user);
            Ok(show(world, &user, known.and_then(|known| known.availability_now(now.max(world.now)))))
        })
        .await?;
    Reply::ok(&shown)
}

pub(super) async fn set(mut call: Call) -> Outcome {
    let given: NewAvailability = call.body()?;
    let reach = reach(&given.event_type_id)?;
    let from = given.start_time.map_or_else(|| call.app.clock().now(), |When(at)| at);
    let until = given.end_time.and_then(When::unless_never);
    if until.is_some_and(|until| until <= from) {
        return Err(Refusal::wrong("EndTime: it is not after StartTime; right would be later, or none"));
    }
    let (text, whose) = (call.part("user"), given.user_id);
    let user = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let other = names::maybe(names::user, (world, caller), whose.as_deref())?;
            if other.is_some_and(|other| other != user) {
                return Err(Refusal::wrong(
                    "UserID: it is not the person in the path; right would be the same, or none",
                ));
            }
            Ok(user)
        })
        .await?;
    let id = new_id()?;
    let (note, source) = (given.note.unwrap_or_default(), given.event_source.unwrap_or_default());
    let transfer_to = given.transfer_number.unwrap_or_default();
    let availability = Availability { id, reach, from, until, note, source, transfer_to };
    call.change(Some(id), Change::SetAvailability { user, availability }).await
}

pub(super) async fn end(call: Call) -> Outcome {
    let (text, id) = (call.part("user"), call.id("availability")?);
    let user = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let known = world.directory.users.get(&user).is_some_and(|user| user.availabilities.contains_key(&id));
            if known { Ok(user) } else { Err(nothing("availability")) }
        })
        .await?;
    call.change(Some(id), Change::EndAvailability { user, id }).await
}

pub(super) async fn settings(call: Call) -> Outcome {
    let text = call.part("user");
    let shown = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let all = world.directory.users.get(&user).into_iter().flat_map(|user| user.settings.values());
            Ok(all.map(show_setting).collect::<Vec<_>>())
        })
        .await?;
    Reply::ok(&shown)
}

pub(super) async fn setting(call: Call) -> Outcome {
    let (text, keyword) = (call.part("user"), call.part("keyword"));
    let shown = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            find_setting(world, &user, &keyword).map(show_setting).ok_or_else(|| nothing("setting"))
        })
        .await?;
    Reply::ok(&shown)
}

pub(super) async fn change_setting(mut call: Call) -> Outcome {
    let SettingEdit { value, values, allowed_values, level } = call.body()?;
    let (text, keyword) = (call.part("user"), call.part("keyword"));
    check_key("the setting's name", &keyword)?;
    let named = keyword.clone();
    let (user, level_before) = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let level = find_setting(world, &user, &named).map(|setting| setting.level);
            Ok((user, level.unwrap_or_default()))
        })
        .await?;
    let level = level.map_or(level_before, |level| match level {
        Level::Undefined => SettingLevel::Undefined,
        Level::User => SettingLevel::User,
        Level::Administrator => SettingLevel::Administrator,
    });
    let setting = Setting { keyword, value, values, allowed: allowed_values, level };
    call.change(None, Change::ChangeSetting { user, setting }).await
}

pub(super) async fn remove_setting(call: Call) -> Outcome {
    let (text, keyword) = (call.part("user"), call.part("keyword"));
    let named = keyword.clone();
    let user = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let known = find_setting(world, &user, &named).is_some();
            if known { Ok(user) } else { Err(nothing("setting")) }
        })
        .await?;
    call.change(None, Change::RemoveSetting { user, keyword }).await
}

pub(super) async fn serve_callbacks(mut call: Call) -> Outcome {
    let (Toggle { on }, user) = (call.body()?, person(&call).await?);
    call.change(None, Change::ServeCallbacks { user, on }).await
}

pub(super) async fn pick_calls(mut call: Call) -> Outcome {
    let (Toggle { on }, user) = (call.body()?, person(&call).await?);
    call.change(None, Change::PickCalls { user, on }).await
}

/// The person in the path.
pub(super) async fn person(call: &Call) -> Result<String, Refusal> {
    let text = call.part("user");
    call.look(move |world: &View<'_>, caller: &Identity| names::user(world, caller, &text)).await
}

fn show(world: &World, user: &str, availability: Option<&Availability>) -> AvailabilityShown {
    let reach = availability.map(|availability| availability.reach).unwrap_or_default();
    let (event_type_id, word, _) =
        EVENT_TYPES.into_iter().find(|(_, _, known)| *known == reach).unwrap_or((0, "", reach));
    let text = |of: fn(&Availability) -> &String| availability.map(of).cloned().unwrap_or_default();
    AvailabilityShown {
        id: availability.map(|availability| availability.id),
        user_id: ids::user(world, user),
        event_type_id,
        availability: word,
        start_time: availability.map(|availability| When(availability.from)),
        end_time: availability.and_then(|availability| availability.until).map(When),
        note: text(|it| &it.note),
        event_source: text(|it| &it.source),
        transfer_number: text(|it| &it.transfer_to),
    }
}

fn reach(given: &EventType) -> Result<Reach, Refusal> {
    let found = match given {
        EventType::Number(number) => EVENT_TYPES.into_iter().find(|(known, _, _)| u64::from(*known) == *number),
        EventType::Word(word) => EVENT_TYPES.into_iter().find(|(_, known, _)| known.eq_ignore_ascii_case(word)),
    };
    found.map(|(_, _, reach)| reach).ok_or_else(|| {
        let near = match given {
            EventType::Number(_) => Vec::new(),
            EventType::Word(word) => close(word, EVENT_TYPES.iter().map(|(_, known, _)| *known)),
        };
        let all = || EVENT_TYPES.map(|(number, word, _)| format!("{number} or {word}")).join(", ");
        let right = if near.is_empty() { all() } else { near.join(", ") };
        Refusal::wrong(format!("EventTypeID: there is no such availability; right would be {right}"))
    })
}

fn find_setting<'w>(world: &'w World, user: &str, keyword: &str) -> Option<&'w Setting> {
    world.directory.users.get(user)?.settings.get(keyword)
}

fn show_setting(setting: &Setting) -> SettingShown {
    SettingShown {
        keyword: setting.keyword.clone(),
        value: setting.value.clone(),
        values: setting.values.clone(),
        allowed_values: setting.allowed.clone(),
        level: match setting.level {
            SettingLevel::Undefined => "Undefined",
            SettingLevel::User => "User",
            SettingLevel::Administrator => "Administrator",
        },
    }
}
