//! Facts about legs, as events of the topic `voice-callthread` (and mute, which is filed under `voice-agentstate`).

use alloc::borrow::Cow;

use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, Direction, LegFact, Role, With, WrapUpPlan};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, LegId};

use super::attributes::{Datum, PartyFrame};
use super::calls::{changed, deleted, observer_frame, third_party};
use super::devices::UNTIMED;
use super::enums::{CallState, CallType, DNRole};
use super::messages::{
    EventAbandoned, EventBridged, EventDestinationBusy, EventDialing, EventEstablished, EventHeld,
    EventListenDisconnected, EventListenReconnected, EventMuteOff, EventMuteOn, EventNetworkReached, EventPartyAdded,
    EventPartyChanged, EventPartyDeleted, EventReleased, EventRetrieved, EventRinging,
};
use super::party::{Party, call_type, conn_id, is_called, number, opposite, role, some};
use super::scene::Scene;

/// Says a fact about a leg.
pub(super) fn leg<'w>(scene: &mut Scene<'w, '_>, call: CallId, id: LegId, fact: &'w LegFact) {
    let Some(party) = Party::find(scene, call, id) else { return };
    match fact {
        LegFact::Dialing(_) => {
            // A telephone that was made to call rang first, and that was told as its dialling.
            if party.leg.rang.is_none() {
                begun(scene, party);
            }
        }
        LegFact::Ringing(_) => begun(scene, party),
        LegFact::NetworkReached => network_reached(scene, party),
        LegFact::Answered { party: new, .. } => {
            if new.is_some() {
                begun(scene, party);
            }
            established(scene, party);
        }
        LegFact::Held => held(scene, party),
        LegFact::Retrieved => retrieved(scene, party),
        LegFact::Parked { space, by } => parked(scene, party, space, by),
        // Whoever fetches a parked call comes to it with a leg that moves.
        LegFact::Unparked { .. } => {}
        LegFact::Deafened { by } => listen(scene, party, false, by),
        LegFact::Undeafened { by } => listen(scene, party, true, by),
        LegFact::Bridged => bridged(scene, party),
        LegFact::Muted => mute(scene, party, true),
        LegFact::Unmuted => mute(scene, party, false),
        LegFact::Moved { to } => moved(scene, party, *to),
        // A queue that called somebody outside goes on as the queue the call waits in.
        LegFact::Ended { cause: Cause::Queued, .. } => {}
        LegFact::Ended { cause, by_self, by, .. } => ended(scene, party, *cause, (*by_self, by.as_deref())),
    }
}

/// Says that a party begins to call or is called.
pub(super) fn begun<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if !scene.tells(party.leg) {
        return;
    }
    let mut frame = party.frame(scene);
    let thread = frame.CallThreadID.clone();
    if is_called(party.leg) {
        arriving(scene, party, &mut frame);
        return scene.tell_call(&thread, EventRinging::of(frame));
    }
    if party.call.dnis.is_empty() && frame.CallType != CallType::Consult {
        frame.CallType = CallType::Unknown;
    }
    scene.tell_call(&thread, EventDialing::of(frame));
}

/// A party that comes to a call by a hand-over, or as the third, is told so.
fn arriving<'w>(scene: &Scene<'w, '_>, party: Party<'w>, frame: &mut PartyFrame<'w>) {
    if party.leg.role == Role::Originator {
        return;
    }
    // A call that comes back to the party that handed it on is not transferred to it.
    if let Some(transfer) = party.call.transfer.as_ref().filter(|transfer| transfer.by != party.leg.device) {
        frame.CallState = CallState::Transferred;
        third_party(frame, scene.known(&transfer.by).map(|by| (by, DNRole::TransferredBy)));
        return;
    }
    if party.far_count() > 1 {
        frame.CallState = CallState::Conferenced;
    }
    if let Some(by) = party.leg.by.as_deref().and_then(|by| scene.known(by)) {
        frame.ThirdPartyDN = Some(Cow::Borrowed(by));
        frame.ThirdPartyDNRole = adder(scene, party).map(|_| DNRole::AddedBy);
    }
}

/// Who brought the party in and is in the call too.
fn adder<'w>(scene: &Scene<'w, '_>, party: Party<'w>) -> Option<&'w str> {
    let by = party.leg.by.as_deref().and_then(|by| scene.known(by))?;
    party.far_legs().any(|(_, leg)| !leg.outside && leg.device == by).then_some(by)
}

fn network_reached<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let calling: Vec<_> = callers(scene, party.call, Some(party.id));
    for caller in calling {
        let mut frame = party.other(caller).frame(scene);
        frame.OtherDN = some(number(party.leg)).map(Cow::Borrowed);
        frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| opposite(frame.ThisDNRole));
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventNetworkReached::of(frame));
    }
}

/// Says that a party is connected; and, where two others speak already, that it came to them.
fn established<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    connected(scene, party);
    // Of one that moved into the call before it answered, the others were told then.
    let told = party.call.transfer.is_some() || party.leg.came_from.is_some();
    if party.leg.role == Role::Destination && party.far_count() > 1 && !told {
        added(scene, party, adder(scene, party));
    }
}

/// Parties of ours that call and wait to be put through. A queue that calls is told only how that ends.
fn callers<'w>(scene: &Scene<'w, '_>, call: &'w Call, apart_from: Option<LegId>) -> Vec<(LegId, &'w Leg)> {
    let calls = |leg: &Leg| leg.state == LegState::Dialing && !scene.is_queue(&leg.device);
    scene.told_legs(call, apart_from).filter(|(_, leg)| calls(leg)).collect()
}

/// Says that a party is connected.
pub(super) fn connected<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if !scene.tells(party.leg) {
        return;
    }
    let mut frame = party.frame(scene);
    arriving(scene, party, &mut frame);
    if party.leg.with == Some(With::Conference) {
        frame.CallState = CallState::Conferenced;
    }
    business(scene, party, &mut frame);
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventEstablished::of(frame));
}

/// A call from a queue is business, and after-call work may follow it.
fn business<'w>(scene: &Scene<'w, '_>, party: Party<'w>, frame: &mut PartyFrame<'w>) {
    let Some(queue) = &party.leg.queue else { return };
    let extensions = frame.Extensions.get_or_insert_default();
    extensions.insert(Cow::Borrowed("BusinessCall"), Datum::from(1));
    let agent = scene.world.agent_on(&party.leg.device).and_then(|agent| scene.world.agents.get(agent));
    let wrapup_ms = match agent.and_then(|agent| agent.plan) {
        Some(WrapUpPlan::None) => 0,
        Some(WrapUpPlan::Timed { ms }) => ms,
        Some(WrapUpPlan::Untimed) => {
            extensions.insert(Cow::Borrowed("WrapUpTime"), Datum::from(UNTIMED));
            return;
        }
        None => scene.world.queues.get(queue).and_then(|queue| queue.wrapup_ms).unwrap_or_default(),
    };
    if let (1.., Ok(seconds)) = (wrapup_ms, i64::try_from(wrapup_ms / 1_000)) {
        extensions.insert(Cow::Borrowed("WrapUpTime"), Datum::from(seconds));
    }
}

/// Tells the others of ours that a party came to their call.
fn added<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, by: Option<&'w str>) {
    let others: Vec<_> =
        scene.told_legs(party.call, Some(party.id)).filter(|(_, leg)| leg.answered.is_some()).collect();
    for other in others {
        let mut frame = party.other(other).frame(scene);
        frame.CallState = CallState::Conferenced;
        frame.OtherDN = some(number(party.leg)).map(Cow::Borrowed);
        frame.OtherDNRole = frame.OtherDN.as_ref().map(|_| DNRole::NewParty);
        third_party(&mut frame, by.map(|by| (by, DNRole::AddedBy)));
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventPartyAdded::of(frame));
    }
}

pub(super) fn held<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if scene.tells(party.leg) {
        let frame = party.frame(scene);
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventHeld::of(frame));
    }
}

fn retrieved<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if !scene.tells(party.leg) {
        return;
    }
    let mut frame = party.frame(scene);
    if joins(party) && consulted(scene, party) {
        frame.CallState = CallState::Conferenced;
    }
    let thread = frame.CallThreadID.clone();
    scene.tell_call(&thread, EventRetrieved::of(frame));
}

/// Whether the party made a conference of this call and its consultation.
fn joins(party: Party<'_>) -> bool {
    party.call.conferenced_by.as_ref().is_some_and(|(by, _)| *by == party.leg.device)
}

/// Whether a consultation about this call is still under way.
fn consulted(scene: &Scene<'_, '_>, party: Party<'_>) -> bool {
    scene.world.calls.values().any(|call| !call.ended && call.previous == Some(party.call_id))
}

/// A party that waits on a parking place has a new far end: the place. A hand-over to it was told already.
fn parked<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, space: &'w str, by: &'w str) {
    if scene.tells(party.leg) && party.call.transfer.is_none() {
        let frame = party.frame(scene);
        changed(scene, frame, space, CallState::Transferred, scene.known(by).map(|by| (by, DNRole::TransferredBy)));
    }
}

pub(super) fn mute<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, on: bool) {
    if !scene.tells(party.leg) {
        return;
    }
    let dn = party.leg.device.as_str();
    let frame = scene.device(dn);
    let conn = Cow::Owned(conn_id(party.call.conn, &party.call.switch));
    let role = role(party.leg.role);
    if on {
        scene.tell_device(dn, EventMuteOn::of(frame, role, conn));
    } else {
        scene.tell_device(dn, EventMuteOff::of(frame, role, conn));
    }
}

/// Says that a party does not hear the others, or hears them again; `by` is who asked for it.
pub(super) fn listen<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, on: bool, by: &'w str) {
    if !scene.tells(party.leg) {
        return;
    }
    let dn = party.leg.device.as_str();
    let call = party.frame(scene);
    let mut frame = scene.device(dn);
    frame.CallState = Some(if on { CallState::Ok } else { CallState::Deafened });
    frame.CallType = Some(call.CallType);
    (frame.OtherDN, frame.OtherDNRole) = (call.OtherDN, call.OtherDNRole);
    frame.DNIS = call.DNIS;
    frame.UserData = call.UserData;
    frame.ThirdPartyDN = scene.known(by).map(Cow::Borrowed);
    let (role, conn, id) = (call.ThisDNRole, call.ConnID, call.CallID);
    if on {
        scene.tell_device(dn, EventListenReconnected::of(frame, role, conn, id));
    } else {
        scene.tell_device(dn, EventListenDisconnected::of(frame, role, conn, id));
    }
}

/// Says that another appearance of the party's number answered.
pub(super) fn bridged<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if scene.tells(party.leg) {
        let mut frame = party.frame(scene);
        frame.CallState = CallState::Bridged;
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventBridged::of(frame));
    }
}

/// A leg goes on in another call: by a hand-over, as a third party, or because the switch joined two calls.
fn moved<'w>(scene: &mut Scene<'w, '_>, from: Party<'w>, to: CallId) {
    let Some(party) = Party::find(scene, to, from.id) else { return };
    let previous = conn_id(from.call.conn, &from.call.switch);
    let transfer = party.call.transfer.as_ref();
    let joined = party.call.conferenced_by.as_ref().filter(|(by, _)| {
        transfer.is_none() && party.call.living().any(|(id, leg)| id != party.id && leg.device == *by)
    });
    let by = match (transfer, joined) {
        (Some(transfer), _) => scene.known(&transfer.by).map(|by| (by, DNRole::TransferredBy)),
        (None, Some((by, _))) => scene.known(by).map(|by| (by, DNRole::ConferencedBy)),
        (None, None) => None,
    };
    let state = if joined.is_some() { CallState::Conferenced } else { CallState::Transferred };
    if scene.tells(party.leg) {
        let mut frame = party.frame(scene);
        // Towards the party that came from elsewhere the call is what it is without the consultation.
        frame.CallType = call_type(party.call.direction);
        frame.PreviousConnID = Some(Cow::Owned(previous));
        frame.CallState = state;
        third_party(&mut frame, by);
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventPartyChanged::of(frame));
    }
    if joined.is_some() {
        return added(scene, party, by.map(|(dn, _)| dn));
    }
    let stays = |leg: &Leg| leg.state != LegState::Ringing && transfer.is_none_or(|transfer| leg.device != transfer.by);
    let others: Vec<_> = scene.told_legs(party.call, Some(party.id)).filter(|(_, leg)| stays(leg)).collect();
    for other in others {
        let frame = party.other(other).frame(scene);
        changed(scene, frame, number(party.leg), state, by);
    }
}

fn ended<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, cause: Cause, (by_self, by): (bool, Option<&'w str>)) {
    let spoke = party.leg.answered.is_some();
    if !spoke {
        refused(scene, party, cause);
    }
    let remain = party.far_count() + party.call.supervisors.len();
    // Of a hand-over the others are told as a change, not as a loss.
    let leaves_several = spoke && remain > 1 && cause != Cause::Transferred;
    if scene.tells(party.leg) {
        released(scene, party, cause, by_self, leaves_several);
    }
    if !leaves_several {
        return;
    }
    let who = number(party.leg);
    let by = by.and_then(|by| scene.known(by)).unwrap_or(who);
    let others: Vec<_> =
        scene.told_legs(party.call, Some(party.id)).filter(|(_, leg)| leg.answered.is_some()).collect();
    for other in others {
        let mut frame = party.other(other).frame(scene);
        deleted(&mut frame, who, by, remain);
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventPartyDeleted::of(frame));
    }
    for observer in party.call.supervisors.keys().filter(|by| scene.tells_device(by)).collect::<Vec<_>>() {
        let mut frame = observer_frame(scene, party.call_id, party.call, observer, None);
        deleted(&mut frame, who, by, remain);
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventPartyDeleted::of(frame));
    }
}

/// The end of one party. A called party that never answered is abandoned if the caller gave up, else released.
fn released<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, cause: Cause, by_self: bool, of_several: bool) {
    let mut frame = party.frame(scene);
    // A call that was given up before it came anywhere had no other side: the number dialled is not told as one.
    let gives_up = matches!(cause, Cause::Normal | Cause::Cancelled);
    let calls = gives_up && party.leg.role == Role::Originator && party.leg.answered.is_none();
    let nowhere = calls && party.call.direction == Direction::Internal && !party.call.arrived;
    if of_several || nowhere {
        frame.OtherDN = None;
        frame.OtherDNRole = None;
        frame.OtherQueue = None;
    }
    let side = if by_self {
        "1 Local"
    } else if cause == Cause::Lost {
        "3 Unknown"
    } else {
        "2 Remote"
    };
    frame.Extensions.get_or_insert_default().insert(Cow::Borrowed("ReleasingParty"), Datum::from(side));
    let thread = frame.CallThreadID.clone();
    let rang = is_called(party.leg) && party.leg.answered.is_none();
    if rang && party.leg.bridged {
        return scene.tell_call(&thread, EventReleased::of(frame));
    }
    if rang && !by_self && matches!(cause, Cause::Cancelled | Cause::Normal) {
        return scene.tell_call(&thread, EventAbandoned::of(frame));
    }
    frame.CallState = if rang { unanswered_state(party, cause) } else { ended_state(scene, party, cause) };
    scene.tell_call(&thread, EventReleased::of(frame));
}

/// Why a number was not reached, or a call failed on its way; what has no better name is a general error.
fn failure(cause: Cause) -> CallState {
    match cause {
        Cause::Unallocated => CallState::SitInvalidnum,
        Cause::Congestion => CallState::AllTrunksBusy,
        Cause::Vacant => CallState::SitVacant,
        Cause::Intercepted => CallState::SitIntercept,
        Cause::NoCircuit => CallState::SitNocircuit,
        Cause::Reorder => CallState::SitReorder,
        Cause::Tone => CallState::SitDetected,
        Cause::UnknownTone => CallState::SitUnknown,
        Cause::SwitchFailure => CallState::SystemError,
        Cause::QueueFull => CallState::QueueFull,
        Cause::Dropped => CallState::Dropped,
        Cause::Unreachable
        | Cause::OutOfService
        | Cause::Lost
        | Cause::Normal
        | Cause::Busy
        | Cause::NoAnswer
        | Cause::Rejected
        | Cause::AnsweredElsewhere
        | Cause::Cancelled
        | Cause::Transferred
        | Cause::Merged
        | Cause::Redirected
        | Cause::Queued
        | Cause::Other => CallState::GeneralError,
    }
}

/// Why a party that was called is called no longer.
fn unanswered_state(party: Party<'_>, cause: Cause) -> CallState {
    match cause {
        Cause::Normal | Cause::Cancelled | Cause::Other => CallState::Ok,
        // The queue takes the call back to offer it to somebody else.
        Cause::NoAnswer | Cause::Rejected if party.leg.queue.is_some() => CallState::Redirected,
        Cause::NoAnswer => CallState::NoAnswer,
        Cause::Rejected => CallState::Droppednoanswer,
        Cause::Busy => CallState::Busy,
        Cause::AnsweredElsewhere => CallState::Pickedup,
        Cause::Transferred => CallState::Transferred,
        Cause::Merged => CallState::Conferenced,
        Cause::Redirected | Cause::Queued => CallState::Redirected,
        Cause::Unallocated
        | Cause::Congestion
        | Cause::Unreachable
        | Cause::OutOfService
        | Cause::Lost
        | Cause::Vacant
        | Cause::Intercepted
        | Cause::NoCircuit
        | Cause::Reorder
        | Cause::Tone
        | Cause::UnknownTone
        | Cause::SwitchFailure
        | Cause::QueueFull
        | Cause::Dropped => failure(cause),
    }
}

/// Why a party that called or spoke is in the call no longer.
fn ended_state(scene: &Scene<'_, '_>, party: Party<'_>, cause: Cause) -> CallState {
    match cause {
        // An ordinary end, whoever hung up.
        Cause::Normal | Cause::Cancelled | Cause::Rejected | Cause::AnsweredElsewhere | Cause::Other => CallState::Ok,
        Cause::Transferred if made_conference(scene, party) => CallState::Conferenced,
        Cause::Transferred => CallState::Transferred,
        Cause::Merged => CallState::Conferenced,
        Cause::Busy => CallState::Busy,
        Cause::NoAnswer => CallState::NoAnswer,
        Cause::Redirected | Cause::Queued => CallState::Redirected,
        Cause::Unallocated
        | Cause::Congestion
        | Cause::Unreachable
        | Cause::OutOfService
        | Cause::Lost
        | Cause::Vacant
        | Cause::Intercepted
        | Cause::NoCircuit
        | Cause::Reorder
        | Cause::Tone
        | Cause::UnknownTone
        | Cause::SwitchFailure
        | Cause::QueueFull
        | Cause::Dropped => failure(cause),
    }
}

/// Whether the party left its consultation by joining it to the call it was about.
fn made_conference(scene: &Scene<'_, '_>, party: Party<'_>) -> bool {
    let legs = scene.world.devices.get(&party.leg.device).map(|device| &device.legs);
    let by_party = |call: &Call| call.conferenced_by.as_ref().is_some_and(|(by, _)| *by == party.leg.device);
    legs.is_some_and(|legs| legs.iter().any(|(call, _)| scene.world.calls.get(call).is_some_and(by_party)))
}

/// A call could not be put through: the calling party is told why. If another target is still being called, or a queue
/// goes on looking for one, it is not at its end.
fn refused<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, cause: Cause) {
    let Some(state) = refused_state(cause) else { return };
    let callers: Vec<_> = match party.leg.role {
        Role::Originator if is_called(party.leg) || scene.is_queue(&party.leg.device) => return,
        // The switch refused before it called anybody.
        Role::Originator if scene.tells(party.leg) && party.call.last_refusal.is_none() => vec![(party.id, party.leg)],
        Role::Originator => return,
        Role::Destination if party.leg.queue.is_some() => return,
        Role::Destination if party.call.living().any(|(_, leg)| leg.state == LegState::Ringing) => return,
        Role::Destination => callers(scene, party.call, Some(party.id)),
    };
    for caller in callers {
        let mut frame = party.other(caller).frame(scene);
        frame.CallState = state;
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventDestinationBusy::of(frame));
    }
}

/// A target could not be called at all: whoever calls is told.
pub(super) fn target_refused<'w>(
    scene: &mut Scene<'w, '_>,
    call_id: CallId,
    call: &'w Call,
    to: &'w str,
    cause: Cause,
) {
    let state = refused_state(cause).unwrap_or(CallState::GeneralError);
    for (id, leg) in callers(scene, call, None) {
        let mut frame = Party { call_id, call, id, leg }.frame(scene);
        frame.CallState = state;
        if let Some(to) = some(to).filter(|to| *to != number(leg)) {
            frame.OtherDN = Some(Cow::Borrowed(to));
            frame.OtherDNRole = Some(DNRole::Destination);
        }
        let thread = frame.CallThreadID.clone();
        scene.tell_call(&thread, EventDestinationBusy::of(frame));
    }
}

/// What a calling party is told of a refusal; of some it is told in another way.
fn refused_state(cause: Cause) -> Option<CallState> {
    Some(match cause {
        Cause::Busy | Cause::Rejected => CallState::Busy,
        Cause::Unallocated
        | Cause::Congestion
        | Cause::Unreachable
        | Cause::OutOfService
        | Cause::Vacant
        | Cause::Intercepted
        | Cause::NoCircuit
        | Cause::Reorder
        | Cause::Tone
        | Cause::UnknownTone
        | Cause::SwitchFailure
        | Cause::QueueFull
        | Cause::Dropped => failure(cause),
        Cause::Normal
        | Cause::NoAnswer
        | Cause::AnsweredElsewhere
        | Cause::Cancelled
        | Cause::Transferred
        | Cause::Merged
        | Cause::Redirected
        | Cause::Queued
        | Cause::Lost
        | Cause::Other => return None,
    })
}
