//! Supervisors: of whose calls they are told, and how they take part in one.

use axum::http::StatusCode;
use cordboard_core::change::Change;
use cordboard_core::event::SuperviseMode;
use cordboard_core::request::Ask;
use cordboard_core::{ConnId, World};
use cordboard_dialects::enreach::ids;

use super::super::access::Refusal;
use super::call::{Call, Reply};
use super::names;
use super::route::Outcome;
use super::shapes::{Supervision, SupervisionMode, Watched};
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

pub(super) async fn watched(call: Call) -> Outcome {
    let text = call.part("user");
    let all = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let watched = world.directory.users.get(&user).into_iter().flat_map(|user| &user.watches);
            let seen = watched.filter(|name| rights::may_see_user(world, &caller.permit, name));
            let show =
                |name: &String| Watched { user_id: ids::user(world, name), user_name: names::login(world, name) };
            Ok(seen.map(show).collect::<Vec<_>>())
        })
        .await?;
    Reply::ok(&all)
}

pub(super) async fn watch(call: Call) -> Outcome {
    let (user, agent) = both(&call).await?;
    call.change(None, Change::Watch { user, agent, on: true }).await
}

pub(super) async fn unwatch(call: Call) -> Outcome {
    let (user, agent) = both(&call).await?;
    call.change(None, Change::Watch { user, agent, on: false }).await
}

/// Begins to take part in the call that somebody has now, or takes part in another way.
pub(super) async fn join(mut call: Call) -> Outcome {
    let Supervision { mode, terminal } = call.body()?;
    let mode = match mode {
        SupervisionMode::Listen => SuperviseMode::Listen,
        SupervisionMode::Whisper => SuperviseMode::Whisper,
        SupervisionMode::Barge => SuperviseMode::Barge,
    };
    let (user, agent) = (call.part("user"), call.part("target"));
    let look = move |world: &View<'_>, caller: &Identity| {
        let (user, agent) = (names::user(world, caller, &user)?, names::user(world, caller, &agent)?);
        let own = device(world, &user, terminal.as_deref())?;
        let target = talking(world, &agent).ok_or_else(|| {
            let why = format!("{agent} has no call at the moment; right would be during one");
            Refusal::new(StatusCode::CONFLICT, "conflict", why)
        })?;
        Ok((own, target))
    };
    let (own, target) = call.look(look).await?;
    let position = call.ask(own, Ask::Supervise { target, mode }).await?;
    Reply::done(StatusCode::OK, None, position)
}

/// Takes part no longer.
pub(super) async fn leave(call: Call) -> Outcome {
    let (user, agent) = (call.part("user"), call.part("target"));
    let look = move |world: &View<'_>, caller: &Identity| {
        let (user, agent) = (names::user(world, caller, &user)?, names::user(world, caller, &agent)?);
        supervised(world, &user, &agent).ok_or_else(|| {
            let why = format!("{user} takes part in no call of {agent}");
            Refusal::new(StatusCode::CONFLICT, "conflict", why)
        })
    };
    let (own, conn) = call.look(look).await?;
    let position = call.ask(own, Ask::Release { call: conn }).await?;
    Reply::done(StatusCode::OK, None, position)
}

async fn both(call: &Call) -> Result<(String, String), Refusal> {
    let (user, agent) = (call.part("user"), call.part("target"));
    let look = move |world: &View<'_>, caller: &Identity| {
        Ok((names::user(world, caller, &user)?, names::user(world, caller, &agent)?))
    };
    call.look(look).await
}

/// The telephone that a supervisor takes part with.
fn device(world: &World, user: &str, wanted: Option<&str>) -> Result<String, Refusal> {
    let mut own = world.devices_of(user).map(|(name, _)| name);
    let found = match wanted {
        None => own.next(),
        Some(wanted) => own.find(|name| *name == wanted),
    };
    let why = || match wanted {
        None => format!("{user} has no telephone; right would be to log in at one, or Terminal"),
        Some(wanted) => format!("Terminal: {wanted:?} is no telephone of {user}; right would be one that is"),
    };
    found.map(str::to_owned).ok_or_else(|| Refusal::new(StatusCode::CONFLICT, "conflict", why()))
}

/// The telephone at which somebody has a call.
fn talking(world: &World, agent: &str) -> Option<String> {
    let busy = world.devices_of(agent).find(|(_, device)| !device.legs.is_empty());
    busy.map(|(name, _)| name.to_owned())
}

/// The telephone with which a supervisor takes part in a call of somebody, and that call.
fn supervised(world: &World, user: &str, agent: &str) -> Option<(String, ConnId)> {
    world.devices_of(user).find_map(|(name, device)| {
        let call = world.calls.get(&device.supervising?)?;
        let theirs = world.devices_of(agent).any(|(agent, _)| world.leg_of(call, agent).is_some());
        theirs.then(|| (name.to_owned(), call.conn))
    })
}
