//! What follows from what is seen of calls and legs: the leg's table, and what one leg means for the call.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Told;
use crate::agent_decide;
use crate::call::{LegState, Said, Saw, decide_leg};
use crate::event::{
    CallBegan, CallFact, Cause, Datum, DequeueReason, Direction, Fact, LegFact, Outcome, Pairs, Party, Role,
    SuperviseMode, Transfer, TransferKind, With,
};
use crate::ids::{CallId, ConnId, LegId, ThreadId};
use crate::observation::{CallSeen, DataMerge, LegSeen};
use crate::transfer;
use crate::world::{Call, Leg, World};

pub(crate) fn call(world: &World, switch: &str, key: &str, seen: &CallSeen, told: &mut Told) {
    let known = world.call_by_key(switch, key);
    let Some((id, call)) = known else {
        match seen {
            CallSeen::Begin { direction, ani, ani_name, dnis, previous } => {
                let previous = previous.as_ref().and_then(|previous| world.call_by_key(switch, previous));
                begin(world, switch, key, *direction, ani, ani_name, dnis, previous, told);
            }
            CallSeen::Present { legs } => recognise(world, switch, key, legs, told),
            // What is said of a call that nobody knows, or that is over, is late.
            CallSeen::Over
            | CallSeen::Describe { .. }
            | CallSeen::UserData { .. }
            | CallSeen::Attach { .. }
            | CallSeen::TakeData { .. }
            | CallSeen::Ivr(_)
            | CallSeen::Queue { .. }
            | CallSeen::Dequeue { .. }
            | CallSeen::RouteRequest { .. }
            | CallSeen::Route { .. }
            | CallSeen::Treat { .. }
            | CallSeen::TreatEnd { .. }
            | CallSeen::TreatRefuse { .. }
            | CallSeen::Refuse { .. }
            | CallSeen::Detect(_)
            | CallSeen::Transfer { .. }
            | CallSeen::HandOver { .. }
            | CallSeen::Join { .. }
            | CallSeen::Conference { .. }
            | CallSeen::Record { .. }
            | CallSeen::RecordPause(_)
            | CallSeen::RecordStop
            | CallSeen::Supervise { .. }
            | CallSeen::SuperviseEnd { .. } => {}
        }
        return;
    };
    if *seen == CallSeen::Over {
        return close_if_empty(id, call, &[], None, None, told);
    }
    let mut tell = |fact| told.tell(Fact::Call { call: id, fact });
    match seen {
        CallSeen::Begin { .. } | CallSeen::Present { .. } | CallSeen::Over => {} // said again, or done above
        CallSeen::Describe { ani, dnis, direction } => {
            if call.ani != *ani || call.dnis != *dnis || call.direction != *direction {
                tell(CallFact::Described { ani: ani.clone(), dnis: dnis.clone(), direction: *direction });
            }
        }
        CallSeen::UserData { key, value } => {
            if call.user_data.get(key) != Some(&Datum::Text(value.clone())) {
                tell(CallFact::UserDataSet { key: key.clone(), value: value.clone() });
            }
        }
        CallSeen::Attach { set, by } => {
            if set.iter().any(|(key, value)| call.user_data.get(key) != Some(value)) {
                tell(CallFact::UserDataChanged { set: set.clone(), removed: Vec::new(), by: by.clone() });
            }
        }
        CallSeen::TakeData { from, merge } => {
            if let Some((_, from)) = world.call_by_key(switch, from)
                && let Some(fact) = take_data(call, from, *merge)
            {
                tell(fact);
            }
        }
        CallSeen::Ivr(flow) => match flow {
            Some(flow) if call.ivr.as_ref() != Some(flow) => tell(CallFact::IvrEntered { flow: flow.clone() }),
            None if call.ivr.is_some() => tell(CallFact::IvrLeft),
            Some(_) | None => {}
        },
        CallSeen::Queue { queue, position } => {
            if !call.queued.contains_key(queue) {
                if call.ivr.is_some() {
                    tell(CallFact::IvrLeft);
                }
                tell(CallFact::Queued { queue: queue.clone(), position: *position });
            }
        }
        CallSeen::Dequeue { queue, reason, to } => {
            if call.queued.contains_key(queue) {
                tell(CallFact::Dequeued { queue: queue.clone(), reason: *reason, to: to.clone() });
            }
        }
        CallSeen::RouteRequest { at } => {
            if !call.routing.contains_key(at) {
                tell(CallFact::RouteRequested { at: at.clone() });
            }
        }
        CallSeen::Route { at, to, kind } => {
            if call.routing.contains_key(at) {
                tell(CallFact::Routed { at: at.clone(), to: to.clone(), kind: *kind });
            }
        }
        CallSeen::Treat { at, kind, parameters } => {
            if call.routing.contains_key(at) {
                tell(CallFact::TreatmentApplied { at: at.clone(), kind: *kind, parameters: parameters.clone() });
            }
        }
        CallSeen::TreatEnd { at, digits, interrupted } => {
            if let Some((kind, _)) = call.routing.get(at).and_then(|routing| routing.treatment.as_ref()) {
                let (digits, interrupted) = (digits.clone(), *interrupted);
                tell(CallFact::TreatmentEnded { at: at.clone(), kind: *kind, digits, interrupted });
            }
        }
        CallSeen::TreatRefuse { at, kind, parameters } => {
            if call.routing.contains_key(at) {
                tell(CallFact::TreatmentRefused { at: at.clone(), kind: *kind, parameters: parameters.clone() });
            }
        }
        CallSeen::Refuse { to, cause } => tell(CallFact::TargetRefused { to: to.clone(), cause: *cause }),
        CallSeen::Detect(result) => {
            if call.result != Some(*result) {
                tell(CallFact::Detected { result: *result });
            }
        }
        CallSeen::Transfer { kind, by, to, consult } => {
            transfer::transfer(world, switch, (id, call), *kind, by, to, consult.as_deref(), told);
        }
        CallSeen::HandOver { by, to } => {
            let story = Transfer { kind: TransferKind::Blind, by: by.clone(), to: to.clone(), consult: None };
            tell(CallFact::Transferred(story));
        }
        CallSeen::Join { by, consult } => transfer::join(world, switch, (id, call), by, consult, told),
        CallSeen::Conference { room } => transfer::conference(world, (id, call), room, told),
        CallSeen::Record { file } => tell(CallFact::RecordingStarted { file: file.clone() }),
        CallSeen::RecordPause(paused) => {
            tell(if *paused { CallFact::RecordingPaused } else { CallFact::RecordingResumed })
        }
        CallSeen::RecordStop => tell(CallFact::RecordingStopped),
        CallSeen::Supervise { by, mode } => match call.supervisors.get(by) {
            None => tell(CallFact::SupervisionBegan { by: by.clone(), mode: *mode }),
            // That the switch does not say it again is no change.
            Some(was) if was == mode || *mode == SuperviseMode::Unknown => {}
            Some(_) => tell(CallFact::SupervisionChanged { by: by.clone(), mode: *mode }),
        },
        CallSeen::SuperviseEnd { by } => {
            if call.supervisors.contains_key(by) {
                tell(CallFact::SupervisionEnded { by: by.clone() });
            }
        }
    }
}

/// The change that gives a call the data of another; none where nothing changes.
fn take_data(call: &Call, from: &Call, merge: DataMerge) -> Option<CallFact> {
    let differs = |(key, value): &(&String, &Datum)| call.user_data.get(*key) != Some(*value);
    let is_free = |key: &String| merge != DataMerge::Under || !call.user_data.contains_key(key);
    let set: Pairs = from
        .user_data
        .iter()
        .filter(|(key, _)| is_free(key))
        .filter(differs)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let goes = |key: &&String| merge == DataMerge::Instead && !from.user_data.contains_key(*key);
    let removed: Vec<String> = call.user_data.keys().filter(goes).cloned().collect();
    let changes = !set.is_empty() || !removed.is_empty();
    changes.then(|| CallFact::UserDataChanged { set, removed, by: String::new() })
}

#[expect(clippy::too_many_arguments, reason = "the parts of one observation, named once here")]
fn begin(
    world: &World,
    switch: &str,
    key: &str,
    direction: Direction,
    ani: &str,
    ani_name: &str,
    dnis: &str,
    previous: Option<(CallId, &Call)>,
    told: &mut Told,
) {
    let id = CallId(world.last_call.saturating_add(1));
    let conn = conn_id(world, id);
    // A call that a party makes while it holds another one consults about that one, if the switch does not say otherwise.
    let previous = previous.or_else(|| held_by(world, switch, ani));
    let thread = previous.map_or(ThreadId(conn), |(_, call)| call.thread);
    let began = CallBegan {
        conn,
        thread,
        switch: switch.to_string(),
        key: key.to_string(),
        direction,
        ani: ani.to_string(),
        ani_name: ani_name.to_string(),
        dnis: dnis.to_string(),
        previous: previous.map(|(id, _)| id),
    };
    told.tell(Fact::Call { call: id, fact: CallFact::Began(began) });
}

pub(crate) fn conn_id(world: &World, call: CallId) -> ConnId {
    world.conn_of(call)
}

fn held_by<'w>(world: &'w World, switch: &str, device: &str) -> Option<(CallId, &'w Call)> {
    let device = world.devices.get(device).filter(|device| device.switch == switch)?;
    let held = |call: &Call, leg: &LegId| call.legs.get(leg).is_some_and(|leg| leg.state == LegState::Held);
    let (id, _) = device.legs.iter().find(|(id, leg)| world.calls.get(id).is_some_and(|call| held(call, leg)))?;
    world.calls.get(id).map(|call| (*id, call))
}

/// A call that the switch names by a key we do not know is one of ours if one of its legs is.
fn recognise(world: &World, switch: &str, key: &str, legs: &[String], told: &mut Told) {
    if let Some((call, _, _)) = legs.iter().find_map(|leg| world.leg_by_key(switch, leg)) {
        told.tell(Fact::Call { call, fact: CallFact::AlsoKnownAs { key: key.to_string() } });
    }
}

pub(crate) fn leg(world: &World, switch: &str, key: &str, seen: &LegSeen, told: &mut Told) {
    match seen {
        LegSeen::Dial { call, party } => new_leg(world, switch, key, call, party, Saw::Dial, told),
        LegSeen::Ring { call, party } => new_leg(world, switch, key, call, party, Saw::Ring, told),
        LegSeen::Found { call, party, with } => found(world, switch, key, call, party, *with, told),
        LegSeen::Reach => known_leg(world, switch, key, Saw::Reach, LegFact::NetworkReached, told),
        LegSeen::PickUp => {
            if let Some((_, _, leg)) = world.leg_by_key(switch, key) {
                known_leg(world, switch, key, Saw::PickUp, LegFact::Dialing(party_of(leg)), told);
            }
        }
        LegSeen::Answer(with) => answer(world, switch, key, *with, told),
        LegSeen::Hold => known_leg(world, switch, key, Saw::Hold, LegFact::Held, told),
        LegSeen::Retrieve => known_leg(world, switch, key, Saw::Retrieve, LegFact::Retrieved, told),
        LegSeen::Park { space, by } => {
            known_leg(world, switch, key, Saw::Park, LegFact::Parked { space: space.clone(), by: by.clone() }, told);
        }
        LegSeen::Unpark { by } => {
            known_leg(world, switch, key, Saw::Unpark, LegFact::Unparked { by: by.clone() }, told)
        }
        LegSeen::Mute(on) => {
            if let Some((call, id, _)) = world.leg_by_key(switch, key).filter(|(_, _, leg)| leg.muted != *on) {
                told.tell(Fact::Leg { call, leg: id, fact: if *on { LegFact::Muted } else { LegFact::Unmuted } });
            }
        }
        LegSeen::Move { to } => {
            let to = world.call_by_key(switch, to);
            if let (Some((from, id, leg)), Some(to)) = (world.leg_by_key(switch, key), to) {
                transfer::move_leg(world, (from, id, leg), to, told);
            }
        }
        LegSeen::Deafen { on, by } => {
            if let Some((call, id, _)) = world.leg_by_key(switch, key).filter(|(_, _, leg)| leg.deaf != *on) {
                let by = by.clone();
                let fact = if *on { LegFact::Deafened { by } } else { LegFact::Undeafened { by } };
                told.tell(Fact::Leg { call, leg: id, fact });
            }
        }
        LegSeen::Bridge => known_leg(world, switch, key, Saw::Bridge, LegFact::Bridged, told),
        LegSeen::Hangup { cause, code, by_self, by } => {
            hangup(world, switch, key, (*cause, *code, *by_self, by.as_ref()), told)
        }
    }
}

fn new_leg(world: &World, switch: &str, key: &str, call: &str, party: &Party, saw: Saw, told: &mut Told) {
    if world.leg_by_key(switch, key).is_some() {
        return; // said again
    }
    let Some((call, _)) = world.call_by_key(switch, call) else { return };
    let fact = match decide_leg(LegState::New, saw) {
        Some(Said::Dialing) => LegFact::Dialing(party.clone()),
        Some(Said::Ringing) => LegFact::Ringing(party.clone()),
        Some(
            Said::Answered
            | Said::NetworkReached
            | Said::Held
            | Said::Retrieved
            | Said::Parked
            | Said::Unparked
            | Said::Bridged
            | Said::Ended,
        )
        | None => return,
    };
    told.tell(Fact::Leg { call, leg: LegId(world.last_leg.saturating_add(1)), fact });
}

fn found(world: &World, switch: &str, key: &str, call: &str, party: &Party, with: With, told: &mut Told) {
    match world.leg_by_key(switch, key) {
        Some((_, _, leg)) => {
            if decide_leg(leg.state, Saw::Found) == Some(Said::Answered) {
                answer(world, switch, key, with, told);
            }
        }
        None => {
            let Some((call, _)) = world.call_by_key(switch, call) else { return };
            if decide_leg(LegState::New, Saw::Found) == Some(Said::Answered) {
                let fact = LegFact::Answered { with, party: Some(party.clone()) };
                told.tell(Fact::Leg { call, leg: LegId(world.last_leg.saturating_add(1)), fact });
            }
        }
    }
}

/// Tells `fact` of a leg we know, if its table has this row.
fn known_leg(world: &World, switch: &str, key: &str, saw: Saw, fact: LegFact, told: &mut Told) {
    if let Some((call, id, leg)) = world.leg_by_key(switch, key)
        && decide_leg(leg.state, saw).is_some()
    {
        told.tell(Fact::Leg { call, leg: id, fact });
    }
}

fn answer(world: &World, switch: &str, key: &str, with: With, told: &mut Told) {
    let Some((call_id, id, leg)) = world.leg_by_key(switch, key) else { return };
    let Some(call) = world.calls.get(&call_id) else { return };
    match decide_leg(leg.state, Saw::Answer) {
        Some(Said::Answered) => {
            told.tell(Fact::Leg { call: call_id, leg: id, fact: LegFact::Answered { with, party: None } })
        }
        Some(Said::Unparked) => told.tell(Fact::Leg { call: call_id, leg: id, fact: LegFact::Unparked { by: None } }),
        Some(
            Said::Dialing
            | Said::Ringing
            | Said::NetworkReached
            | Said::Held
            | Said::Retrieved
            | Said::Parked
            | Said::Bridged
            | Said::Ended,
        )
        | None => return,
    }
    if leg.role == Role::Destination && with == With::Person {
        connect_callers(call_id, call, id, told);
        if call.transfer.is_some() {
            told.tell(Fact::Call { call: call_id, fact: CallFact::TransferCompleted { to: id } });
        }
    }
}

/// When the called party answers, the calling party that still waits for it, or was with the switch so far, is connected
/// with a person too.
pub(crate) fn connect_callers(call_id: CallId, call: &Call, answered: LegId, told: &mut Told) {
    let waits = |leg: &Leg| {
        leg.state == LegState::Dialing
            || (leg.state == LegState::Connected && leg.role == Role::Originator && leg.with == Some(With::System))
    };
    for (id, _) in call.living().filter(|(id, leg)| *id != answered && waits(leg)) {
        told.tell(Fact::Leg { call: call_id, leg: id, fact: LegFact::Answered { with: With::Person, party: None } });
    }
}

fn hangup(
    world: &World,
    switch: &str,
    key: &str,
    (cause, code, by_self, by): (Cause, Option<u16>, bool, Option<&String>),
    told: &mut Told,
) {
    let Some((call_id, id, leg)) = world.leg_by_key(switch, key) else { return };
    let Some(call) = world.calls.get(&call_id) else { return };
    if decide_leg(leg.state, Saw::Hangup) != Some(Said::Ended) {
        return;
    }
    transfer::leave_conference(call_id, call, (id, leg), told);
    agent_decide::leg_ends(world, call_id, leg, cause, told);
    let by = by.cloned();
    told.tell(Fact::Leg { call: call_id, leg: id, fact: LegFact::Ended { cause, code, by_self, by } });
    let mut gone = transfer::stay_in_room(world, (call_id, call), (id, leg), told);
    gone.push(id);
    let hung_up = by_self && (leg.role == Role::Originator || leg.answered.is_some());
    let by = hung_up.then(|| (id, leg.number.clone(), leg.role));
    close_if_empty(call_id, call, &gone, Some((id, cause)), by, told);
}

/// Ends legs of one call without a word from their parties.
pub(crate) fn end_legs(world: &World, call_id: CallId, legs: &[(CallId, LegId)], cause: Cause, told: &mut Told) {
    let Some(call) = world.calls.get(&call_id).filter(|_| !legs.is_empty()) else { return };
    for (_, leg) in legs {
        told.tell(Fact::Leg { call: call_id, leg: *leg, fact: LegFact::over(cause) });
    }
    let gone: Vec<LegId> = legs.iter().map(|(_, leg)| *leg).collect();
    close_if_empty(call_id, call, &gone, gone.last().map(|leg| (*leg, cause)), None, told);
}

/// Tells the end of a call when all its living legs are among those that just went.
pub(crate) fn close_if_empty(
    call_id: CallId,
    call: &Call,
    gone: &[LegId],
    last: Option<(LegId, Cause)>,
    by: Option<(LegId, String, Role)>,
    told: &mut Told,
) {
    if call.ended || call.living().any(|(id, _)| !gone.contains(&id)) {
        return;
    }
    leave_queues(call_id, call, last, told);
    close(call_id, call, last, by, told);
}

/// The same of a call whose places in queues another call has now.
pub(crate) fn close_if_joined(call_id: CallId, call: &Call, gone: &[LegId], told: &mut Told) {
    if !call.ended && call.living().all(|(id, _)| gone.contains(&id)) {
        close(call_id, call, gone.last().map(|leg| (*leg, Cause::Merged)), None, told);
    }
}

fn leave_queues(call_id: CallId, call: &Call, last: Option<(LegId, Cause)>, told: &mut Told) {
    for queue in call.queued.keys() {
        let reason = match last {
            Some((_, Cause::Lost)) => DequeueReason::Lost,
            Some(_) | None => DequeueReason::Abandoned,
        };
        told.tell(Fact::Call { call: call_id, fact: CallFact::Dequeued { queue: queue.clone(), reason, to: None } });
    }
}

fn close(
    call_id: CallId,
    call: &Call,
    last: Option<(LegId, Cause)>,
    by: Option<(LegId, String, Role)>,
    told: &mut Told,
) {
    for by in call.supervisors.keys() {
        told.tell(Fact::Call { call: call_id, fact: CallFact::SupervisionEnded { by: by.clone() } });
    }
    let hung_up_by = by.or_else(|| call.hung_up_by.clone());
    let (outcome, cause) = outcome(call, last, hung_up_by.as_ref());
    let by = hung_up_by.map(|(_, number, _)| number);
    told.tell(Fact::Call { call: call_id, fact: CallFact::Ended { outcome, cause, by } });
}

/// How a call went. Answered means by a person; between our own telephones also by the switch.
fn outcome(call: &Call, last: Option<(LegId, Cause)>, hung_up_by: Option<&(LegId, String, Role)>) -> (Outcome, Cause) {
    let last_cause = last.map_or(Cause::Normal, |(_, cause)| cause);
    let caller_gave_up = hung_up_by.is_some_and(|(_, _, role)| *role == Role::Originator);
    let caller_end = match last {
        Some((leg, cause)) if call.legs.get(&leg).is_some_and(|leg| leg.role == Role::Originator) => Some(cause),
        Some(_) | None => call.caller_end,
    };
    // What an agent does with a queue's offer says nothing of the call.
    let refuses = |leg: &Leg| leg.role == Role::Destination && leg.queue.is_none();
    let refusal = match last {
        Some((leg, cause)) if call.legs.get(&leg).is_some_and(refuses) => Some(cause),
        Some(_) | None => call.last_refusal,
    };
    match call.answered {
        Some(With::Person | With::Conference) => return (Outcome::Answered, last_cause),
        Some(With::System) if call.direction != Direction::Inbound => return (Outcome::Answered, last_cause),
        Some(With::System) | None => {}
    }
    if last_cause == Cause::Lost {
        return (Outcome::Lost, Cause::Lost);
    }
    if caller_gave_up {
        let waits = !call.queued.is_empty() || call.gave_up_waiting;
        let gave_up = if call.caller_outside || waits { Outcome::Abandoned } else { Outcome::Cancelled };
        return (gave_up, last_cause);
    }
    // The calling leg is told what the dial plan makes of it, the last target's refusal is what happened: it wins where
    // the other is vague.
    let exact = |cause: &Cause| matches!(cause, Cause::Busy | Cause::Rejected | Cause::Unallocated | Cause::Congestion);
    let vague = caller_end.is_none_or(|cause| matches!(cause, Cause::NoAnswer | Cause::Unreachable));
    let told = vague && refusal.is_some_and(|cause| exact(&cause));
    let reasons = if told { [refusal, caller_end] } else { [caller_end, refusal] };
    for cause in reasons.into_iter().flatten() {
        match cause {
            Cause::Busy => return (Outcome::Busy, cause),
            Cause::NoAnswer => return (Outcome::NoAnswer, cause),
            Cause::Rejected => return (Outcome::Rejected, cause),
            Cause::Unallocated
            | Cause::Congestion
            | Cause::Unreachable
            | Cause::Vacant
            | Cause::Intercepted
            | Cause::NoCircuit
            | Cause::Reorder
            | Cause::Tone
            | Cause::UnknownTone
            | Cause::SwitchFailure
            | Cause::QueueFull
            | Cause::Dropped => return (Outcome::Failed, cause),
            Cause::Merged | Cause::Transferred => return (Outcome::Answered, cause),
            Cause::Normal
            | Cause::AnsweredElsewhere
            | Cause::Cancelled
            | Cause::Redirected
            | Cause::Queued
            | Cause::OutOfService
            | Cause::Lost
            | Cause::Other => {}
        }
    }
    if call.answered == Some(With::System) && call.last_refusal.is_none() && !call.waited {
        return (Outcome::SelfService, last_cause);
    }
    (Outcome::Failed, last_cause)
}

pub(crate) fn party_of(leg: &Leg) -> Party {
    Party {
        key: leg.key.clone(),
        device: leg.device.clone(),
        number: leg.number.clone(),
        outside: leg.outside,
        role: leg.role,
        queue: leg.queue.clone(),
        by: leg.by.clone(),
    }
}
