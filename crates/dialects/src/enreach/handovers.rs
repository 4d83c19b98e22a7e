//! Calls that people hand on: at once, or after asking somebody.

use alloc::borrow::Cow;

use cordboard_core::event::{CallBegan, Cause, LegFact, Role, Transfer, TransferKind, With};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, Guid, LegId};

use super::diversion::{self, named};
use super::messages::{UserCallInTransferCancelled, UserCallInTransferConnected, UserCallInTransferStarted};
use super::party::{Frame, Party, of_user, talks, word};
use super::person;
use super::scene::Scene;
use super::status::queue_title;
use super::values::{CallEventPublicityCategory::Default as Public, Text};

const BLIND: &str = "BlindTransfer";
const ATTENDED: &str = "AttendedTransfer";

/// Somebody asks about a call that was offered to them: that may become a hand-over.
pub(super) fn consulted<'w>(scene: &mut Scene<'w, '_>, began: &'w CallBegan) {
    let Some(party) = began.previous.and_then(|about| Party::at(scene.world, about, &began.ani)) else { return };
    if party.is_offered() && party.is_connected() {
        started(scene, party, ATTENDED, &began.dnis);
    }
}

/// A call was handed on.
pub(super) fn transferred<'w>(scene: &mut Scene<'w, '_>, id: CallId, call: &'w Call, transfer: &'w Transfer) {
    let by = Party::at(scene.world, id, &transfer.by).filter(|party| party.is_offered());
    let consult = transfer.consult.and_then(|consult| scene.world.calls.get(&consult));
    match (by, transfer.kind) {
        (Some(by), TransferKind::Blind) => {
            started(scene, by, BLIND, &transfer.to);
            diversion::handed_on(scene, by, &transfer.to);
        }
        (Some(by), TransferKind::Attended) if consult.is_none_or(|consult| consult.previous != Some(id)) => {
            started(scene, by, ATTENDED, &transfer.to);
        }
        (Some(_), TransferKind::Attended) | (None, _) => {}
    }
    // The target may be in the call already: the switch joined them first, or made a conference first.
    let came = |leg: &Leg| transfer.consult.is_some() && leg.came_from == transfer.consult;
    let stays = |leg: &Leg| transfer.consult.is_none() && leg.number == transfer.to;
    let target = call.living().find(|(_, leg)| talks(leg) && leg.device != transfer.by && (came(leg) || stays(leg)));
    if let (Some((_, leg)), TransferKind::Attended) = (target, transfer.kind) {
        connected(scene, call, transfer, leg);
    }
}

/// Whether the leg is the target of a hand-over that is connected by this.
pub(super) fn leg<'w>(scene: &mut Scene<'w, '_>, id: CallId, leg: LegId, fact: &'w LegFact) {
    let (to, moves) = match fact {
        LegFact::Answered { with: With::Person, .. } => (id, false),
        LegFact::Moved { to } => (*to, true),
        LegFact::Ended { cause, .. } => return given_up(scene, id, leg, *cause),
        LegFact::Answered { .. }
        | LegFact::Dialing(_)
        | LegFact::Ringing(_)
        | LegFact::NetworkReached
        | LegFact::Held
        | LegFact::Retrieved
        | LegFact::Parked { .. }
        | LegFact::Unparked { .. }
        | LegFact::Muted
        | LegFact::Unmuted
        | LegFact::Deafened { .. }
        | LegFact::Undeafened { .. }
        | LegFact::Bridged => return,
    };
    let Some(call) = scene.world.calls.get(&to) else { return };
    let (Some(transfer), Some(target)) = (&call.transfer, call.legs.get(&leg)) else { return };
    // Of several that came from a consultation the first is told.
    let came_after = || call.living().any(|(other, it)| other < leg && it.came_from == target.came_from);
    if target.role != Role::Destination || !talks(target) || (moves && came_after()) {
        return;
    }
    if !target.outside && target.device == transfer.by {
        // It came back to whom it had been handed on by.
        return cancelled(scene, call, transfer, "Returned", "");
    }
    connected(scene, call, transfer, target);
}

/// The call is over, and the hand-over with it.
pub(super) fn ended<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, cause: Cause) {
    if let Some(transfer) = &call.transfer {
        return cancelled(scene, call, transfer, "NotConnected", word(cause));
    }
    // A consultation that led to nothing: who made it goes on with the call it was about.
    let Some(about) = call.previous else { return };
    let Some(party) = Party::at(scene.world, about, &call.ani) else { return };
    if !party.is_offered() || !party.is_connected() || party.call.transfer.is_some() {
        return;
    }
    let joined = party.call.conferenced_by.as_ref().is_some_and(|(by, _)| *by == call.ani);
    if !joined && matches!(cause, Cause::Merged | Cause::Transferred) {
        return;
    }
    let reason = if joined { "Conference" } else { "ConsultationEnded" };
    let frame = party.frame(scene);
    tell_cancelled(scene, frame, party.leg.queue.as_deref(), ATTENDED, (reason, word(cause)));
}

/// Whoever was asked about goes before the question is answered.
fn given_up<'w>(scene: &mut Scene<'w, '_>, id: CallId, leg: LegId, cause: Cause) {
    let Some(party) = Party::find(scene.world, id, leg) else { return };
    if cause == Cause::Transferred || !party.is_offered() || !party.is_connected() {
        return;
    }
    let Some(device) = scene.world.devices.get(&party.leg.device) else { return };
    let asks = |(call, _): &(CallId, LegId)| {
        let call = scene.world.calls.get(call);
        call.is_some_and(|call| !call.ended && call.previous == Some(id) && call.ani == party.leg.device)
    };
    if device.legs.iter().any(asks) {
        let frame = party.frame(scene);
        let queue = party.leg.queue.as_deref();
        tell_cancelled(scene, frame, queue, ATTENDED, ("CallerDisconnected", word(cause)));
    }
}

fn started<'w>(scene: &mut Scene<'w, '_>, by: Party<'w>, applet: &'static str, to: &'w str) {
    let frame = by.frame(scene);
    let queue = by.leg.queue.as_deref();
    scene.tell(frame.user, |scene, head, tail| UserCallInTransferStarted {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login,
        transferTarget: named(scene, to),
        transferSource: Cow::Borrowed(&by.leg.device),
        techQueueId: queue_id(scene, queue),
        techQueueName: queue_name(scene, queue),
        transferApplet: Cow::Borrowed(applet),
        techSource: Cow::Borrowed(SOURCE),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn connected<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, transfer: &'w Transfer, target: &'w Leg) {
    let Some(user) = whose(scene, call, transfer) else { return };
    let frame = of_user(scene, call, user);
    scene.tell(frame.user, |_, head, tail| UserCallInTransferConnected {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login,
        connectedTarget: Cow::Borrowed(&target.number),
        transferSource: Cow::Borrowed(&transfer.by),
        techQueueId: Guid::default(),
        techQueueName: Cow::Borrowed(""),
        transferApplet: Cow::Borrowed(applet(transfer)),
        techSource: Cow::Borrowed(SOURCE),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn cancelled<'w>(
    scene: &mut Scene<'w, '_>,
    call: &'w Call,
    transfer: &'w Transfer,
    reason: &'static str,
    detailed: &'static str,
) {
    let Some(user) = whose(scene, call, transfer) else { return };
    let frame = of_user(scene, call, user);
    tell_cancelled(scene, frame, None, applet(transfer), (reason, detailed));
}

fn tell_cancelled<'w>(
    scene: &mut Scene<'w, '_>,
    frame: Frame<'w>,
    queue: Option<&'w str>,
    applet: &'static str,
    (reason, detailed): (&'static str, &'static str),
) {
    scene.tell(frame.user, |scene, head, tail| UserCallInTransferCancelled {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login,
        techQueueId: queue_id(scene, queue),
        techQueueName: queue_name(scene, queue),
        transferApplet: Cow::Borrowed(applet),
        techSource: Cow::Borrowed(SOURCE),
        reason: Cow::Borrowed(reason),
        detailedReason: Cow::Borrowed(detailed),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

/// What kind of source hands a call on: here always a person.
const SOURCE: &str = "User";

/// Who handed a call on that had been offered to them; none where it was a call of their own, which this is not told of.
fn whose<'w>(scene: &Scene<'w, '_>, call: &'w Call, transfer: &'w Transfer) -> Option<&'w str> {
    let own = !call.caller_outside && call.ani == transfer.by;
    person::of_device(scene.world, &transfer.by).filter(|_| !own)
}

const fn applet(transfer: &Transfer) -> &'static str {
    match transfer.kind {
        TransferKind::Blind => BLIND,
        TransferKind::Attended => ATTENDED,
    }
}

fn queue_id(scene: &Scene<'_, '_>, queue: Option<&str>) -> Guid {
    queue.map_or(Guid::default(), |queue| scene.queue(queue))
}

fn queue_name<'w>(scene: &Scene<'w, '_>, queue: Option<&'w str>) -> Text<'w> {
    Cow::Borrowed(queue.map_or("", |queue| queue_title(scene.world, queue)))
}
