//! Who handed whom to whom, and which calls became one: transfers, conferences and legs that change their call.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Told;
use crate::agent_decide;
use crate::call::{LegState, Said, Saw, decide_leg};
use crate::call_decide::{close_if_empty, close_if_joined, conn_id, connect_callers};
use crate::event::{CallBegan, CallFact, Cause, Direction, Fact, LegFact, Role, Transfer, TransferKind};
use crate::ids::{CallId, LegId};
use crate::world::{Call, Leg, World};

/// A leg of `call` hands it on. Its own legs end; those of the consultation move into the call.
#[expect(clippy::too_many_arguments, reason = "the parts of one observation, named once here")]
pub(crate) fn transfer(
    world: &World,
    switch: &str,
    (call_id, call): (CallId, &Call),
    kind: TransferKind,
    by: &str,
    to: &str,
    consult: Option<&str>,
    told: &mut Told,
) {
    let Some((_, by_id, by)) = world.leg_by_key(switch, by).filter(|(at, _, _)| *at == call_id) else { return };
    let consult = consult.and_then(|key| world.call_by_key(switch, key)).filter(|(id, _)| *id != call_id);
    let moved = consult.map_or_else(Vec::new, |(_, consult)| others(consult, &by.device));
    // The bridge may have joined the target before the switch says why.
    let arrived = consult.and_then(|(id, _)| call.living().find(|(_, leg)| leg.came_from == Some(id)));
    let target = moved.first().copied().or(arrived);
    let to = match (to, target, consult) {
        ("", Some((_, leg)), _) => leg.number.clone(),
        ("", None, Some((_, consult))) => waits_at(consult),
        (to, _, _) => to.to_string(),
    };
    let story = Transfer { kind, by: by.device.clone(), to, consult: consult.map(|(id, _)| id) };
    told.tell(Fact::Call { call: call_id, fact: CallFact::Transferred(story) });
    if decide_leg(by.state, Saw::Leave) == Some(Said::Ended) {
        end(world, call_id, (by_id, by), Cause::Transferred, told);
    }
    if let Some((consult_id, consult)) = consult {
        merge(world, call_id, (consult_id, consult), &by.device, &moved, told);
    }
    match target {
        Some((id, leg)) if leg.state == LegState::Connected => {
            told.tell(Fact::Call { call: call_id, fact: CallFact::TransferCompleted { to: id } });
        }
        Some(_) | None => {}
    }
    if moved.is_empty() {
        close_if_empty(call_id, call, &[by_id], Some((by_id, Cause::Transferred)), None, told);
    }
}

/// Where a consultation leads that has reached nobody: it may have been handed on itself.
fn waits_at(consult: &Call) -> String {
    consult.routing.keys().chain(consult.queued.keys()).next().unwrap_or(&consult.dnis).clone()
}

/// A party joins its consultation to `call` and stays in it.
pub(crate) fn join(
    world: &World,
    switch: &str,
    (call_id, _): (CallId, &Call),
    by: &str,
    consult: &str,
    told: &mut Told,
) {
    let Some((_, by_id, by)) = world.leg_by_key(switch, by).filter(|(at, _, _)| *at == call_id) else { return };
    let Some((consult_id, consult)) = world.call_by_key(switch, consult).filter(|(id, _)| *id != call_id) else {
        return;
    };
    let moved = others(consult, &by.device);
    let to = moved.first().map_or_else(|| waits_at(consult), |(_, leg)| leg.number.clone());
    let fact = CallFact::Conferenced { room: None, by: Some(by.device.clone()), to: Some(to) };
    told.tell(Fact::Call { call: call_id, fact });
    if decide_leg(by.state, Saw::Retrieve) == Some(Said::Retrieved) {
        told.tell(Fact::Leg { call: call_id, leg: by_id, fact: LegFact::Retrieved });
    }
    merge(world, call_id, (consult_id, consult), &by.device, &moved, told);
}

/// `call` takes part in a conference room: its thread is joined with those of the other calls there.
pub(crate) fn conference(world: &World, (call_id, call): (CallId, &Call), room: &str, told: &mut Told) {
    if call.conference.as_deref() == Some(room) {
        return;
    }
    let fact = CallFact::Conferenced { room: Some(room.to_string()), by: None, to: None };
    told.tell(Fact::Call { call: call_id, fact });
    let same_room =
        |other: &&Call| other.switch == call.switch && other.conference.as_deref() == Some(room) && !other.ended;
    if let Some(other) = world.calls.values().find(same_room) {
        join_threads((call_id, call), other, told);
    }
}

/// A leg talks with the parties of another call: it belongs there from now on.
pub(crate) fn move_leg(
    world: &World,
    (from, id, leg): (CallId, LegId, &Leg),
    (to_id, to): (CallId, &Call),
    told: &mut Told,
) {
    let Some(call) = world.calls.get(&from).filter(|_| from != to_id) else { return };
    join_threads((to_id, to), call, told);
    told.tell(Fact::Leg { call: from, leg: id, fact: LegFact::Moved { to: to_id } });
    if leg.state == LegState::Connected {
        connect_callers(to_id, to, id, told);
        if to.transfer.is_some() {
            told.tell(Fact::Call { call: to_id, fact: CallFact::TransferCompleted { to: id } });
        }
    }
    close_if_empty(from, call, &[id], Some((id, Cause::Merged)), None, told);
}

/// When the party that made a conference out of its consultation leaves it, it has handed the call on.
pub(crate) fn leave_conference(call_id: CallId, call: &Call, (id, leg): (LegId, &Leg), told: &mut Told) {
    let Some((by, to)) = call.conferenced_by.as_ref().filter(|(by, _)| *by == leg.device) else { return };
    let stay: Vec<(LegId, &Leg)> = call.living().filter(|(other, _)| *other != id).collect();
    if stay.len() < 2 {
        return;
    }
    let story = Transfer { kind: TransferKind::Attended, by: by.clone(), to: to.clone(), consult: None };
    told.tell(Fact::Call { call: call_id, fact: CallFact::Transferred(story) });
    if let Some((target, _)) = stay.iter().find(|(_, leg)| leg.number == *to) {
        told.tell(Fact::Call { call: call_id, fact: CallFact::TransferCompleted { to: *target } });
    }
}

/// A call that went into a conference room is over when the party leaves that it was made by or for. Who stays is in
/// the room, which is a call of its own from then on. Gives the legs that stay.
pub(crate) fn stay_in_room(
    world: &World,
    (call_id, call): (CallId, &Call),
    (id, leg): (LegId, &Leg),
    told: &mut Told,
) -> Vec<LegId> {
    let Some(room) = call.conference.as_ref().filter(|room| !room.is_empty() && leg.role == Role::Originator) else {
        return Vec::new();
    };
    let stay: Vec<(LegId, &Leg)> = call.living().filter(|(other, _)| *other != id).collect();
    let Some((_, first)) = stay.first() else { return Vec::new() };
    let next = CallId(world.last_call.saturating_add(1));
    let began = CallBegan {
        conn: conn_id(world, next),
        thread: call.thread,
        switch: call.switch.clone(),
        key: alloc::format!("{}~{room}", leg.key),
        direction: Direction::Internal,
        ani: first.number.clone(),
        ani_name: String::new(),
        dnis: room.clone(),
        previous: None,
    };
    told.tell(Fact::Call { call: next, fact: CallFact::Began(began) });
    for (other, _) in &stay {
        told.tell(Fact::Leg { call: call_id, leg: *other, fact: LegFact::Moved { to: next } });
    }
    let fact = CallFact::Conferenced { room: Some(room.clone()), by: None, to: None };
    told.tell(Fact::Call { call: next, fact });
    stay.into_iter().map(|(other, _)| other).collect()
}

fn merge(
    world: &World,
    into: CallId,
    (id, consult): (CallId, &Call),
    by: &String,
    moved: &[(LegId, &Leg)],
    told: &mut Told,
) {
    for (leg, _) in moved {
        told.tell(Fact::Leg { call: id, leg: *leg, fact: LegFact::Moved { to: into } });
    }
    for queue in consult.queued.keys().chain(consult.routing.keys().filter(|at| !consult.queued.contains_key(*at))) {
        told.tell(Fact::Call { call: into, fact: CallFact::QueueTaken { queue: queue.clone(), from: id } });
    }
    let own: Vec<(LegId, &Leg)> = consult.living().filter(|(_, leg)| leg.device == *by && !leg.outside).collect();
    for leg in &own {
        end(world, id, *leg, Cause::Transferred, told);
    }
    let gone: Vec<LegId> = moved.iter().chain(&own).map(|(id, _)| *id).collect();
    close_if_joined(id, consult, &gone, told);
}

/// Legs of a consultation other than those of the party that made it.
fn others<'w>(consult: &'w Call, by: &str) -> Vec<(LegId, &'w Leg)> {
    consult.living().filter(|(_, leg)| leg.outside || leg.device != by).collect()
}

fn join_threads((call_id, call): (CallId, &Call), other: &Call, told: &mut Told) {
    if call.story != other.story {
        told.tell(Fact::Call { call: call_id, fact: CallFact::ThreadJoined { with: other.story } });
    }
}

fn end(world: &World, call: CallId, (id, leg): (LegId, &Leg), cause: Cause, told: &mut Told) {
    agent_decide::leg_ends(world, call, leg, cause, told);
    told.tell(Fact::Leg { call, leg: id, fact: LegFact::over(cause) });
}
