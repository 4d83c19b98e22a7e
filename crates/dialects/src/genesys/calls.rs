//! Facts about calls as wholes, as events of the topic `voice-callthread`: queues, hand-overs, silent listeners.

use alloc::borrow::Cow;

use cordboard_core::call::LegState;
use cordboard_core::event::{CallFact, CallResult, DequeueReason, Role, SuperviseMode, Transfer, TransferKind};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, LegId};

use super::attributes::{Datum, PartyFrame};
use super::enums::{CallState, DNRole};
use super::messages::{
    EventAbandoned, EventDiverted, EventEstablished, EventMuteOff, EventMuteOn, EventPartyAdded, EventPartyChanged,
    EventPartyDeleted, EventQueued, EventReleased, EventRinging,
};
use super::party::{Party, conn_id, head, number, opposite, some};
use super::scene::Scene;
use super::{client, legs, routing};

/// Says a fact about a call.
pub(super) fn call<'w>(scene: &mut Scene<'w, '_>, id: CallId, fact: &'w CallFact) {
    let Some(call) = scene.world.calls.get(&id) else { return };
    match fact {
        // Legs tell the beginning and the end of a call, and every event of theirs carries what is known of it.
        CallFact::Began(_)
        | CallFact::Described { .. }
        | CallFact::AlsoKnownAs { .. }
        | CallFact::ThreadJoined { .. }
        | CallFact::Detected { .. } => {}
        CallFact::UserDataSet { .. } => client::data_changed(scene, id, call, None),
        CallFact::UserDataChanged { by, .. } => client::data_changed(scene, id, call, Some(by)),
        CallFact::RouteRequested { at } => routing::requested(scene, id, call, at),
        CallFact::Routed { at, to, .. } => routing::routed(scene, id, call, at, to.as_deref()),
        CallFact::TreatmentApplied { at, kind, parameters } => {
            routing::applied(scene, id, call, (at, *kind), parameters);
        }
        CallFact::TreatmentEnded { at, kind, digits, interrupted } => {
            routing::ended(scene, id, call, (at, *kind), (digits.as_deref(), *interrupted));
        }
        CallFact::TreatmentRefused { at, kind, parameters } => {
            routing::refused(scene, id, call, (at, *kind), parameters);
        }
        CallFact::TargetRefused { to, cause } => legs::target_refused(scene, id, call, to, *cause),
        CallFact::QueueTaken { queue, from } => queue_taken(scene, id, call, queue, *from),
        CallFact::SupervisionChanged { by, mode } => supervision_changed(scene, call, by, *mode),
        CallFact::Ended { .. } => routing::given_up(scene, id, call),
        // A menu of the switch is no number of the site, and a recording has no event.
        CallFact::IvrEntered { .. }
        | CallFact::IvrLeft
        | CallFact::RecordingStarted { .. }
        | CallFact::RecordingPaused
        | CallFact::RecordingResumed
        | CallFact::RecordingStopped => {}
        // A room is told by the legs in it; a call of three by the leg that comes to it.
        CallFact::Conferenced { .. } | CallFact::TransferCompleted { .. } => {}
        CallFact::Queued { queue, .. } => queued(scene, id, call, queue),
        CallFact::Dequeued { queue, reason, to } => dequeued(scene, id, call, queue, *reason, to.as_deref()),
        CallFact::Transferred(transfer) => transferred(scene, id, call, transfer),
        CallFact::SupervisionBegan { by, mode } => supervision_began(scene, id, call, by, *mode),
        CallFact::SupervisionEnded { by } => supervision_ended(scene, id, call, by),
    }
}

/// Says that a call waits in a queue.
pub(super) fn queued<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, queue: &'w str) {
    let mut frame = queue_frame(scene, id, call, queue);
    let thread = frame.CallThreadID.clone();
    frame.CallState = match call.result {
        Some(CallResult::AnsweringMachine) => CallState::AnsweringMachineDetected,
        Some(CallResult::Fax) => CallState::FaxDetected,
        Some(CallResult::Person) | None => CallState::Ok,
    };
    scene.tell_call(&thread, EventQueued::of(frame, Cow::Borrowed(queue)));
}

fn dequeued<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    queue: &'w str,
    reason: DequeueReason,
    to: Option<&'w str>,
) {
    let mut frame = queue_frame(scene, id, call, queue);
    let thread = frame.CallThreadID.clone();
    frame.CallState = match reason {
        DequeueReason::Answered | DequeueReason::Delivered | DequeueReason::Routed | DequeueReason::Abandoned => {
            CallState::Ok
        }
        DequeueReason::TimedOut | DequeueReason::LeftEmpty => CallState::Overflowed,
        DequeueReason::Withdrawn
        | DequeueReason::Left
        | DequeueReason::TakenOver
        | DequeueReason::DeliveredElsewhere => CallState::Redirected,
        DequeueReason::Lost => CallState::Dropped,
    };
    match reason {
        DequeueReason::Abandoned | DequeueReason::Lost => {
            frame.ThisQueue = Some(Cow::Borrowed(queue));
            scene.tell_call(&thread, EventAbandoned::of(frame));
        }
        DequeueReason::Answered => {
            if let Some(target) = target(call, queue) {
                frame.ThirdPartyDN = some(number(target)).map(Cow::Borrowed);
                frame.ThirdPartyDNRole = frame.ThirdPartyDN.as_ref().map(|_| DNRole::Destination);
            }
            scene.tell_call(&thread, EventDiverted::of(frame, Cow::Borrowed(queue)));
        }
        DequeueReason::Delivered | DequeueReason::Routed => {
            frame.ThirdPartyDN = to.map(Cow::Borrowed);
            // Whoever gets the call takes the part of the queue in it.
            frame.ThirdPartyDNRole = to.map(|_| frame.ThisDNRole);
            scene.tell_call(&thread, EventDiverted::of(frame, Cow::Borrowed(queue)));
        }
        DequeueReason::TimedOut
        | DequeueReason::DeliveredElsewhere
        | DequeueReason::LeftEmpty
        | DequeueReason::Withdrawn
        | DequeueReason::Left
        | DequeueReason::TakenOver => {
            scene.tell_call(&thread, EventDiverted::of(frame, Cow::Borrowed(queue)));
        }
    }
}

/// What is said on a queue: the far end is whoever waits in it.
pub(super) fn queue_frame<'w>(scene: &Scene<'w, '_>, id: CallId, call: &'w Call, queue: &'w str) -> PartyFrame<'w> {
    let waits =
        |leg: &Leg| leg.queue.as_deref() != Some(queue) && !matches!(leg.state, LegState::Ringing | LegState::Bridged);
    let mut waiting = call.living().filter(|(_, leg)| waits(leg));
    let predictive = scene.is_predictive(call);
    let waits = match (waiting.next(), waiting.next()) {
        (Some((_, one)), None) => some(number(one)),
        (Some(_), Some(_)) => None,
        (None, _) => some(if predictive { &call.dnis } else { &call.ani }),
    };
    let role = if predictive { DNRole::Origination } else { DNRole::Destination };
    let mut frame = head(scene, id, call, queue, role);
    frame.OtherDN = waits.filter(|waits| *waits != queue).map(Cow::Borrowed);
    frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| opposite(role));
    frame
}

/// A consultation was handed on to the queue: the queue has another far end, in another call.
fn queue_taken<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, queue: &'w str, from: CallId) {
    if !scene.is_queue(queue) {
        return;
    }
    let mut frame = queue_frame(scene, id, call, queue);
    let consult = scene.world.calls.get(&from);
    frame.PreviousConnID = consult.map(|consult| Cow::Owned(conn_id(consult.conn, &consult.switch)));
    frame.CallState = CallState::Transferred;
    frame.ThisQueue = Some(Cow::Borrowed(queue));
    let by = call.transfer.as_ref().and_then(|transfer| scene.known(&transfer.by));
    third_party(&mut frame, by.map(|by| (by, DNRole::TransferredBy)));
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventPartyChanged::of(frame));
}

/// Whom the queue delivered the call to: who answered last of those it offered the call to, else the only one it rings.
fn target<'w>(call: &'w Call, queue: &str) -> Option<&'w Leg> {
    let mut offered: Vec<&Leg> =
        call.living().map(|(_, leg)| leg).filter(|leg| leg.queue.as_deref() == Some(queue)).collect();
    if let Some(answered) = offered.iter().filter(|leg| leg.answered.is_some()).max_by_key(|leg| leg.answered) {
        return Some(answered);
    }
    offered.pop().filter(|_| offered.is_empty())
}

/// A call was handed to a number that is yet to be called: who stays is told now. Where a consultation came before,
/// its legs tell it when they move into the call.
fn transferred<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, transfer: &'w Transfer) {
    let moves = transfer
        .consult
        .and_then(|consult| scene.world.calls.get(&consult))
        .is_some_and(|consult| consult.living().any(|(_, leg)| leg.outside || leg.device != transfer.by));
    let told_at_once = match transfer.kind {
        TransferKind::Blind => true,
        TransferKind::Attended => transfer.consult.is_some() && !moves,
    };
    if !told_at_once {
        return;
    }
    for (leg_id, leg) in call.living().filter(|(_, leg)| leg.outside || leg.device != transfer.by) {
        if leg.state == LegState::Ringing || !scene.tells(leg) {
            continue;
        }
        let frame = Party { call_id: id, call, id: leg_id, leg }.frame(scene);
        let by = scene.known(&transfer.by).map(|by| (by, DNRole::TransferredBy));
        changed(scene, frame, &transfer.to, CallState::Transferred, by);
    }
}

/// Says that the far end of a party is another one now; `by` is who did it.
pub(super) fn changed<'w>(
    scene: &mut Scene<'w, '_>,
    mut frame: PartyFrame<'w>,
    far: &'w str,
    state: CallState,
    by: Option<(&'w str, DNRole)>,
) {
    frame.CallState = state;
    // What was dialled may lead back here, by forwarding: then it is not yet known who the other one will be.
    frame.OtherDN = some(far).filter(|far| frame.ThisDN != *far).map(Cow::Borrowed);
    frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| opposite(frame.ThisDNRole));
    third_party(&mut frame, by);
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventPartyChanged::of(frame));
}

/// Names who did it.
pub(super) fn third_party<'w>(frame: &mut PartyFrame<'w>, by: Option<(&'w str, DNRole)>) {
    frame.ThirdPartyDN = by.map(|(dn, _)| Cow::Borrowed(dn));
    frame.ThirdPartyDNRole = by.map(|(_, role)| role);
}

/// A silent listener comes to a call: it rings and answers by itself, and the parties of ours are told of it.
pub(super) fn supervision_began<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    by: &'w str,
    mode: SuperviseMode,
) {
    let observer = observer_frame(scene, id, call, by, Some(mode));
    let thread = observer.CallThreadID.clone();
    if scene.tells_device(by) {
        scene.tell_call(&thread, EventRinging::of(observer.clone()));
    }
    for party in talking(scene, id, call, by) {
        let mut frame = party.frame(scene);
        frame.CallState = CallState::Bridged;
        frame.OtherDN = Some(Cow::Borrowed(by));
        frame.OtherDNRole = Some(DNRole::Observer);
        scene.tell_call(&thread, EventPartyAdded::of(frame));
    }
    if scene.tells_device(by) {
        scene.tell_call(&thread, EventEstablished::of(observer));
    }
}

fn supervision_ended<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, by: &'w str) {
    let mut observer = observer_frame(scene, id, call, by, None);
    observer.CallState = CallState::Ok;
    let thread = observer.CallThreadID.clone();
    if scene.tells_device(by) {
        scene.tell_call(&thread, EventReleased::of(observer));
    }
    for party in talking(scene, id, call, by) {
        let mut frame = party.frame(scene);
        let remain = party.far_count() + 1 + call.supervisors.len();
        deleted(&mut frame, by, by, remain);
        scene.tell_call(&thread, EventPartyDeleted::of(frame));
    }
}

/// A silent listener speaks from now on, or only hears again.
fn supervision_changed<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, by: &'w str, mode: SuperviseMode) {
    if !scene.tells_device(by) {
        return;
    }
    let mut frame = scene.device(by);
    if let Some(mode) = mode_name(mode) {
        frame.Extensions.get_or_insert_default().insert(Cow::Borrowed("MonitorMode"), Datum::from(mode));
    }
    let conn = Cow::Owned(conn_id(call.conn, &call.switch));
    match mode {
        SuperviseMode::Listen => scene.tell_device(by, EventMuteOn::of(frame, DNRole::Observer, conn)),
        SuperviseMode::Whisper | SuperviseMode::Barge => {
            scene.tell_device(by, EventMuteOff::of(frame, DNRole::Observer, conn));
        }
        SuperviseMode::Unknown => {}
    }
}

/// How somebody takes part, in the vocabulary's word.
pub(super) fn mode_name(mode: SuperviseMode) -> Option<&'static str> {
    match mode {
        SuperviseMode::Listen => Some("mute"),
        SuperviseMode::Whisper => Some("coach"),
        SuperviseMode::Barge => Some("connect"),
        SuperviseMode::Unknown => None,
    }
}

/// Fills in who left, by whose hand, and how many parties remain.
pub(super) fn deleted<'w>(frame: &mut PartyFrame<'w>, who: &'w str, by: &'w str, remain: usize) {
    frame.CallState = if remain > 2 { CallState::Conferenced } else { CallState::Ok };
    frame.OtherDN = some(who).map(Cow::Borrowed);
    frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| DNRole::DeletedParty);
    third_party(frame, some(by).map(|by| (by, DNRole::DeletedBy)));
}

/// Parties of ours that speak in the call.
fn talking<'w>(scene: &Scene<'w, '_>, id: CallId, call: &'w Call, apart_from: &str) -> Vec<Party<'w>> {
    let speak = |leg: &Leg| leg.answered.is_some() && leg.device != apart_from;
    scene
        .told_legs(call, None)
        .filter(|(_, leg)| speak(leg))
        .map(|(leg_id, leg)| Party { call_id: id, call, id: leg_id, leg })
        .collect()
}

/// What is said on the number of a silent listener: the far end is who began the call.
pub(super) fn observer_frame<'w>(
    scene: &Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    by: &'w str,
    mode: Option<SuperviseMode>,
) -> PartyFrame<'w> {
    let mut frame = head(scene, id, call, by, DNRole::Observer);
    frame.CallState = CallState::Bridged;
    frame.AgentID = scene.world.agent_on(by).map(Cow::Borrowed);
    let caller = call.living().find(|(_, leg): &(LegId, &Leg)| leg.role == Role::Originator);
    frame.OtherDN = caller.and_then(|(_, leg)| some(number(leg))).map(Cow::Borrowed);
    frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| DNRole::Origination);
    if let Some(mode) = mode.and_then(mode_name) {
        frame.Extensions.get_or_insert_default().insert(Cow::Borrowed("MonitorMode"), Datum::from(mode));
    }
    frame
}
