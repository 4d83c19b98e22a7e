//! Calls that people make.

use alloc::borrow::Cow;

use super::messages::{
    UserCallOutConnected, UserCallOutDisconnected, UserCallOutGoing, UserCallOutHoldEnd, UserCallOutHoldStart,
};
use super::offers::{End, side};
use super::party::{Party, tech_reason};
use super::scene::Scene;
use super::values::CallEventPublicityCategory::Default as Public;

pub(super) fn outgoing<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    let shown = if party.call.ani == party.leg.number { "" } else { &*party.call.ani };
    scene.tell(frame.user, |_, head, tail| UserCallOutGoing {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        callerNumber: frame.caller,
        targetNumber: frame.target,
        callAsNumber: Cow::Borrowed(shown),
        publicity: Public,
        tail,
    });
}

pub(super) fn connected<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallOutConnected {
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

pub(super) fn held<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallOutHoldStart {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        tail,
    });
}

pub(super) fn retrieved<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallOutHoldEnd {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        tail,
    });
}

pub(super) fn disconnected<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, (cause, code, by_self): End) {
    let frame = party.frame(scene);
    scene.tell(frame.user, |_, head, tail| UserCallOutDisconnected {
        head,
        callId: frame.call,
        legId: frame.leg,
        userId: frame.user,
        organizationId: frame.organisation,
        userName: frame.login,
        reason: side(cause, by_self),
        techReason: tech_reason(cause, code),
        callerNumber: frame.caller,
        targetNumber: frame.target,
        publicity: Public,
        tail,
    });
}
