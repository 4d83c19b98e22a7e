//! Calls that are offered to people: they come in, ring, are answered or not, are held, and end.

use alloc::borrow::Cow;

use cordboard_core::CallId;
use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, LegFact, Role, With};
use cordboard_core::world::Call;

use super::diversion::{self, Why};
use super::messages::{
    UserCallInArrived, UserCallInComing, UserCallInDisconnected, UserCallInHoldEnd, UserCallInHoldStart,
    UserCallInUserAllocated, UserCallInUserCancelled, UserCallInUserConnected,
};
use super::party::{Frame, Party, connects, leg_id, of_user, tech_reason, word};
use super::scene::Scene;
use super::values::CallEventPublicityCategory::Default as Public;
use super::{own_calls, supervision, wrapup};

/// How a leg ended: why, the switch's own code, and whether its own party hung up.
pub(super) type End = (Cause, Option<u16>, bool);

/// Says a fact about a leg of a person.
pub(super) fn leg<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, fact: &'w LegFact) {
    let offered = party.is_offered();
    match fact {
        LegFact::Dialing(_) => {
            // A telephone that was made to call rang first, and that was told as its going out.
            if party.leg.rang.is_none() {
                begun(scene, party);
            }
        }
        LegFact::Ringing(_) => begun(scene, party),
        LegFact::Answered { with, party: new } => {
            if new.is_some() {
                begun(scene, party);
            }
            answered(scene, party, *with);
        }
        LegFact::Held if party.is_connected() && offered => held(scene, party),
        LegFact::Held if party.is_connected() => own_calls::held(scene, party),
        LegFact::Retrieved if party.is_connected() && offered => retrieved(scene, party),
        LegFact::Retrieved if party.is_connected() => own_calls::retrieved(scene, party),
        LegFact::Moved { to } => moved(scene, party, *to),
        LegFact::Ended { cause, code, by_self, .. } => {
            let end = (*cause, *code, *by_self);
            if offered { over(scene, party, end) } else { own_calls::disconnected(scene, party, end) }
        }
        LegFact::Held
        | LegFact::Retrieved
        | LegFact::NetworkReached
        | LegFact::Parked { .. }
        | LegFact::Unparked { .. }
        | LegFact::Muted
        | LegFact::Unmuted
        | LegFact::Deafened { .. }
        | LegFact::Undeafened { .. }
        // Another appearance of the number answered; the offer stands until this one ends.
        | LegFact::Bridged => {}
    }
}

/// A leg begins: the person is offered a call, or makes one.
pub(super) fn begun<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if !party.is_offered() {
        return own_calls::outgoing(scene, party);
    }
    let parked = || party.call.living().any(|(_, leg)| leg.state == LegState::Parked);
    if party.is_direct() {
        if party.leg.by.is_none() && party.call.transfer.is_none() && !parked() {
            incoming(scene, party.frame(scene));
        }
        arrived(scene, party.frame(scene));
    }
    allocated(scene, party);
}

/// A direct call for somebody that rang nowhere came in, and what became of it.
pub(super) fn in_vain<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, user: &'w str) {
    incoming(scene, of_user(scene, call, user));
    arrived(scene, of_user(scene, call, user));
}

fn incoming<'w>(scene: &mut Scene<'w, '_>, frame: Frame<'w>) {
    scene.tell(frame.user, |_, head, tail| UserCallInComing {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login,
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn arrived<'w>(scene: &mut Scene<'w, '_>, frame: Frame<'w>) {
    scene.tell(frame.user, |_, head, tail| UserCallInArrived {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn allocated<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    let why = if party.leg.came_from.is_some() || party.call.transfer.is_some() {
        "Transferred"
    } else if party.leg.queue.is_some() {
        "ServiceCall"
    } else if party.leg.by.is_some() {
        "Redirected"
    } else {
        "DirectCall"
    };
    scene.tell(frame.user, |_, head, tail| UserCallInUserAllocated {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        userNumber: Cow::Borrowed(&party.leg.number),
        detailedReason: Cow::Borrowed(why),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn answered<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, with: With) {
    // Who calls may be answered twice: by the switch, which is no answer, and by somebody.
    if party.leg.role == Role::Originator && !connects(Some(with)) {
        return;
    }
    if party.is_offered() { connected(scene, party) } else { own_calls::connected(scene, party) }
}

/// Says that somebody answered; and what follows from it where it is a service call.
pub(super) fn connected<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallInUserConnected {
        head,
        callId: frame.call,
        legId: frame.leg,
        agentLegId: leg_id(party.id),
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        userNumber: Cow::Borrowed(&party.leg.number),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
    if let Some(queue) = &party.leg.queue {
        wrapup::enabled(scene, party, queue);
        supervision::can_be_joined(scene, party, queue);
    }
}

pub(super) fn held<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallInHoldStart {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        tail,
    });
}

fn retrieved<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallInHoldEnd {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        tail,
    });
}

/// A leg goes on in another call: it is over in this one, and as far along in the other as it was here.
fn moved<'w>(scene: &mut Scene<'w, '_>, from: Party<'w>, to: CallId) {
    let end = (Cause::Merged, None, false);
    if !from.is_offered() {
        own_calls::disconnected(scene, from, end);
    } else if from.is_connected() {
        disconnected(scene, from, end);
    } else {
        cancelled(scene, from, end);
    }
    let Some(party) = Party::find(scene.world, to, from.id) else { return };
    standing(scene, party);
}

/// Says how far along somebody is in a call, as if it had just come about.
pub(super) fn standing<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    if !party.is_offered() {
        own_calls::outgoing(scene, party);
    } else if party.leg.state != LegState::Ended {
        allocated(scene, party);
    }
    if party.is_connected() {
        if party.is_offered() {
            connected(scene, party)
        } else {
            own_calls::connected(scene, party)
        }
        if party.leg.state == LegState::Held {
            if party.is_offered() { held(scene, party) } else { own_calls::held(scene, party) }
        }
    }
}

/// A leg that was offered a call ends.
fn over<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, end: End) {
    if party.is_connected() {
        return disconnected(scene, party, end);
    }
    cancelled(scene, party, end);
    let why = match end.0 {
        Cause::Redirected => Why::of_redirect(scene, party),
        // The telephone sent it elsewhere by itself, and only it knows where to.
        Cause::Cancelled if end.2 => Some(Why::Always),
        Cause::NoAnswer => Some(Why::NoAnswer),
        Cause::Busy => Some(Why::Busy),
        Cause::Rejected => Some(Why::Declined),
        Cause::OutOfService | Cause::Unreachable | Cause::SwitchFailure | Cause::Congestion => Some(Why::Failure),
        // The caller gave up, somebody else has the call, or nobody knows.
        Cause::Normal
        | Cause::Cancelled
        | Cause::AnsweredElsewhere
        | Cause::Unallocated
        | Cause::Vacant
        | Cause::Intercepted
        | Cause::NoCircuit
        | Cause::Reorder
        | Cause::Tone
        | Cause::UnknownTone
        | Cause::QueueFull
        | Cause::Dropped
        | Cause::Transferred
        | Cause::Merged
        | Cause::Queued
        | Cause::Lost
        | Cause::Other => None,
    };
    // A queue looks for somebody else.
    if let Some(why) = why.filter(|_| party.is_direct()) {
        diversion::from_offer(scene, party, why);
    }
}

fn cancelled<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, (cause, code, by_self): End) {
    let frame = party.frame(scene);
    let reason = match cause {
        Cause::Normal | Cause::Cancelled if !by_self => "CallerDisconnected",
        Cause::Normal => word(Cause::Rejected),
        // The telephone sent it elsewhere by itself.
        Cause::Cancelled => word(Cause::Redirected),
        Cause::Busy
        | Cause::NoAnswer
        | Cause::Rejected
        | Cause::AnsweredElsewhere
        | Cause::Unallocated
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
        | Cause::Dropped
        | Cause::Transferred
        | Cause::Merged
        | Cause::Redirected
        | Cause::Queued
        | Cause::OutOfService
        | Cause::Lost
        | Cause::Other => word(cause),
    };
    scene.tell(frame.user, |_, head, tail| UserCallInUserCancelled {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        reason: Cow::Borrowed(reason),
        detailedReason: tech_reason(cause, code),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

fn disconnected<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, (cause, code, by_self): End) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |scene, head, tail| UserCallInDisconnected {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login,
        reason: side(cause, by_self),
        techQueueId: party.leg.queue.as_ref().map(|queue| scene.queue(queue)),
        techReason: tech_reason(cause, code),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}

/// Who ended it: the person, who may have handed it on, or somebody else.
pub(super) fn side<'a>(cause: Cause, by_self: bool) -> super::values::Text<'a> {
    Cow::Borrowed(if by_self || cause == Cause::Transferred { "local" } else { "remote" })
}
