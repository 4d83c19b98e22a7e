//! Queues, and who serves them.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use cordboard_core::change::{Change, Membership, QueueProfile};
use cordboard_core::event::WorkMode;
use cordboard_core::request::Ask;
use cordboard_core::{Time, World};
use cordboard_dialects::Position;
use cordboard_dialects::enreach::{self, ids};
use serde_json::Value;

use super::super::access::Refusal;
use super::call::{Call, Reply, nothing};
use super::names;
use super::route::Outcome;
use super::shapes::{Queue, QueueCounters, QueueEdit, QueueUser, QueueUserEdit};
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

/// The type of a queue that serves callers.
const SERVICE_QUEUE: u8 = 4;

pub(super) async fn list(call: Call) -> Outcome {
    let (page, now) = (call.page()?, call.app.clock().now());
    let only = call.asked("OnlyForUser").filter(|only| !only.is_empty()).map(str::to_owned);
    let look = move |world: &View<'_>, caller: &Identity| {
        let only = names::maybe(names::user, (world, caller), only.as_deref())?;
        let show = |name: &str| {
            let of_user = only.as_deref().is_none_or(|user| serves(world, user, name));
            (of_user && rights::may_see_queue(world, &caller.permit, name)).then(|| show(world, name, now))
        };
        Ok(page.of(world.queues.keys(), show))
    };
    let (queues, next) = call.look(look).await?;
    Ok(Reply::ok(&queues)?.next(call.rest_of("/queues", next)))
}

pub(super) async fn get(call: Call) -> Outcome {
    let (text, now) = (call.part("queue"), call.app.clock().now());
    let queue = call.look(move |world, caller| Ok(show(world, &names::queue(world, caller, &text)?, now))).await?;
    Reply::ok(&queue)
}

pub(super) async fn edit(mut call: Call) -> Outcome {
    let QueueEdit { name, id, overflow_call_list_id, closed } = call.body()?;
    let text = call.part("queue");
    let (queue, derived, overflow_list) = call
        .look(move |world, caller| {
            let queue = names::queue(world, caller, &text)?;
            let overflow = names::maybe(names::list, (world, caller), overflow_call_list_id.as_deref())?;
            let derived = ids::named(ids::organisation(&world.tenant), &["queue:", &queue]);
            Ok((queue, derived, overflow))
        })
        .await?;
    let profile = QueueProfile { title: name, guid: id, overflow_list, closed };
    call.change(Some(id.unwrap_or(derived)), Change::DescribeQueue { queue, profile }).await
}

pub(super) async fn users(call: Call) -> Outcome {
    let text = call.part("queue");
    let users = call
        .look(move |world, caller| {
            let name = names::queue(world, caller, &text)?;
            let Some(queue) = world.queues.get(&name) else { return Err(nothing("queue")) };
            let all: BTreeSet<&String> = queue.members.iter().chain(queue.assigned.keys()).collect();
            let seen = all.into_iter().filter(|user| rights::may_see_user(world, &caller.permit, user));
            Ok(seen.map(|user| show_user(world, &name, user)).collect::<Vec<_>>())
        })
        .await?;
    Reply::ok(&users)
}

/// Assigns somebody; who is logged in as an agent is logged in to the queue or out of it as well, where the switch can.
pub(super) async fn assign(mut call: Call) -> Outcome {
    let QueueUserEdit { active, priority } = call.body()?;
    let seat = seat(&call).await?;
    let (queue, user) = (seat.queue.clone(), seat.user.clone());
    let change = Change::AssignMember { queue, user, membership: Membership { active, priority } };
    let position = call.ask(String::new(), Ask::Change(Box::new(change))).await?;
    let position = move_agent(&call, &seat, active).await?.unwrap_or(position);
    Reply::done(StatusCode::OK, None, position)
}

pub(super) async fn remove(call: Call) -> Outcome {
    let seat = seat(&call).await?;
    if !seat.assigned && !seat.checked_in {
        return Err(nothing("assignment"));
    }
    let mut position = None;
    if seat.assigned {
        let change = Change::RemoveMember { queue: seat.queue.clone(), user: seat.user.clone() };
        position = Some(call.ask(String::new(), Ask::Change(Box::new(change))).await?);
    }
    let position = move_agent(&call, &seat, false).await?.or(position).ok_or_else(|| nothing("assignment"))?;
    Reply::done(StatusCode::OK, None, position)
}

/// Somebody and a queue.
struct Seat {
    queue: String,
    user: String,
    /// The telephone where the person is logged in as an agent.
    device: Option<String>,
    assigned: bool,
    checked_in: bool,
}

async fn seat(call: &Call) -> Result<Seat, Refusal> {
    let (queue, user) = (call.part("queue"), call.part("user"));
    call.look(move |world, caller| {
        let (queue, user) = (names::queue(world, caller, &queue)?, names::user(world, caller, &user)?);
        let known = world.queues.get(&queue);
        Ok(Seat {
            device: world.agents.get(&user).and_then(|agent| agent.device.clone()),
            assigned: known.is_some_and(|known| known.assigned.contains_key(&user)),
            checked_in: known.is_some_and(|known| known.members.contains(&user)),
            queue,
            user,
        })
    })
    .await
}

/// Logs an agent in to a queue or out of it, where that is not so already. What the switch refuses is refused; the
/// assignment stands all the same, and the refusal says so.
async fn move_agent(call: &Call, seat: &Seat, into: bool) -> Result<Option<crate::log::Position>, Refusal> {
    let Some(device) = seat.device.clone().filter(|_| seat.checked_in != into) else { return Ok(None) };
    let queue = Some(seat.queue.clone());
    let ask = if into {
        Ask::Login {
            agent: seat.user.clone(),
            queue,
            mode: WorkMode::Unknown,
            reasons: Default::default(),
            wrapup_s: None,
        }
    } else {
        Ask::Logout { queue, reasons: Default::default() }
    };
    let moved = call.ask(device, ask).await;
    moved.map(Some).map_err(|refusal| refusal.with("the directory was changed; the telephone system was not"))
}

fn serves(world: &World, user: &str, queue: &str) -> bool {
    world.queues.get(queue).is_some_and(|queue| queue.members.contains(user) || queue.assigned.contains_key(user))
}

fn show_user(world: &World, queue: &str, user: &str) -> QueueUser {
    let known = world.queues.get(queue);
    let assigned = known.and_then(|known| known.assigned.get(user));
    let checked_in = known.is_some_and(|known| known.members.contains(user));
    QueueUser {
        user_id: ids::user(world, user),
        user_name: names::login(world, user),
        active: assigned.map_or(checked_in, |membership| membership.active),
        priority: assigned.map(|membership| membership.priority).unwrap_or_default(),
        assigned: assigned.is_some(),
        checked_in,
    }
}

fn show(world: &World, name: &str, now: Time) -> Queue {
    let title = world.queues.get(name).map(|queue| &queue.profile.title).filter(|title| !title.is_empty());
    Queue {
        id: ids::queue(world, name),
        name: title.map_or(name, String::as_str).to_owned(),
        type_id: SERVICE_QUEUE,
        numbers: world.devices.contains_key(name).then(|| name.to_owned()).into_iter().collect(),
        status: counters(world, name, now.max(world.now)),
    }
}

/// The counters as the hub would tell them now.
fn counters(world: &World, name: &str, now: Time) -> Option<QueueCounters> {
    let said = enreach::queue_status(world, name, Position { epoch: 0, sequence: 0 }, now);
    let said: Value = serde_json::from_str(&said.body).ok()?;
    let count = |member: &str| said.get(member)?.as_u64();
    Some(QueueCounters {
        open_status: u8::try_from(count("openStatus")?).ok()?,
        max_wait_time: count("maxWaitTime")?,
        queue_length: count("nbrOfQueuingRequesters")?,
        ongoing_calls: count("nbrOfConnected")?,
        agents_on_wrap_up: count("nbrOfAgentsOnWrapUp")?,
        free_agents: count("nbrOfAgentsImmediatelyFree")?,
        serving_agents: count("nbrOfServingAgentsEstimate")?,
    })
}
