//! Calls that do not stay with whom they were for: forwarded, refused, declined, not answered, handed on unseen.

use alloc::borrow::Cow;

use cordboard_core::event::{Asked, Cause, DeviceKind, ForwardMode};
use cordboard_core::request::Ask;
use cordboard_core::world::{Call, Device};
use cordboard_core::{Guid, LegId};

use super::messages::{UserCallInOverflow, UserCallInUserOverflow};
use super::offers::in_vain;
use super::party::{Frame, Party, of_user};
use super::person;
use super::scene::Scene;
use super::values::CallEventPublicityCategory::Default as Public;

/// Why a call goes elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// All calls do.
    Always,
    /// The telephone is not to be disturbed.
    Disturbs,
    /// The person is in a call.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// The person did not want it.
    Declined,
    /// The person sent it elsewhere, without answering or unannounced.
    HandedOn,
    /// The telephone cannot be reached.
    Failure,
}

impl Why {
    /// Why a call that rang is sent on.
    pub(super) fn of_redirect(scene: &Scene<'_, '_>, party: Party<'_>) -> Option<Self> {
        let forwards = scene.world.devices.get(&party.leg.device).is_some_and(|device| target_later(device).is_some());
        Some(if forwards && scene.asked.is_none() { Self::NoAnswer } else { Self::HandedOn })
    }

    /// The reason, where the vocabulary has a word for it.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Always => Some("TransferAll"),
            Self::Disturbs => Some("DND"),
            Self::Busy => Some("BusyOnBusy"),
            Self::NoAnswer => Some("NoAnswer"),
            Self::Declined => None,
            Self::HandedOn => Some("BlindTransfer"),
            Self::Failure => Some("BusyForTechnicalError"),
        }
    }

    /// The reason and the rule, where the call goes on.
    const fn overflow(self) -> (&'static str, &'static str) {
        match self {
            Self::Always => ("UserTransferAll", "UserTransferAll"),
            Self::Disturbs => ("UserDND", "UserBusy"),
            Self::Busy => ("UserBusy", "UserBusy"),
            Self::NoAnswer => ("UserNoAnswer", "UserNoAnswer"),
            Self::Declined => ("UserActivelyDeclined", "TerminationHandling"),
            Self::HandedOn => ("UserActivelyDeclined", "UserTransfer"),
            Self::Failure => ("UserUnreachable", "TerminationHandling"),
        }
    }
}

/// A call that rang at somebody goes elsewhere, or nowhere.
pub(super) fn from_offer<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, why: Why) {
    let device = scene.world.devices.get(&party.leg.device);
    let redirected = |asked: &'w Asked| {
        let Ask::Redirect { to, .. } = &asked.ask else { return None };
        Some(to.as_str())
    };
    let asked = scene.asked.and_then(redirected);
    let target = match why {
        Why::NoAnswer => device.and_then(target_later),
        Why::HandedOn => asked.or_else(|| device.and_then(target_later)),
        Why::Always | Why::Disturbs | Why::Busy | Why::Declined | Why::Failure => None,
    };
    let frame = party.frame(scene);
    tell(scene, frame, why, target);
}

/// A call came to a telephone because another one forwards there. Of one that rang before this was told already.
pub(super) fn forwarded<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, by: &'w str, to: &'w str, new: Option<LegId>) {
    let Some(device) = scene.world.devices.get(by).filter(|device| device.kind == DeviceKind::Extension) else {
        return;
    };
    let is_here = call.living().any(|(id, leg)| Some(id) != new && !leg.outside && leg.device == by);
    let handed_on = call.transfer.as_ref().is_some_and(|transfer| transfer.by == by);
    if is_here || handed_on {
        return;
    }
    let Some(why) = why_at_once(device) else { return };
    let user = scene.world.user_of(by);
    in_vain(scene, call, user);
    let frame = of_user(scene, call, user);
    tell(scene, frame, why, Some(to));
}

/// A call waits in a queue because the telephone that was called forwards there.
pub(super) fn forwarded_to_queue<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, queue: &'w str) {
    let device = scene.world.devices.get(&call.dnis);
    if device.is_some_and(|device| device.forward.values().any(|target| target == queue)) {
        forwarded(scene, call, &call.dnis, queue, None);
    }
}

/// A telephone could not be called at all.
pub(super) fn refused<'w>(scene: &mut Scene<'w, '_>, call: &'w Call, to: &'w str, cause: Cause) {
    let Some(user) = person::of_device(scene.world, to) else { return };
    let why = match cause {
        Cause::Busy if scene.world.devices.get(to).is_some_and(|device| device.dnd) => Why::Disturbs,
        Cause::Busy => Why::Busy,
        Cause::NoAnswer => Why::NoAnswer,
        Cause::Rejected => Why::Declined,
        Cause::Normal
        | Cause::AnsweredElsewhere
        | Cause::Cancelled
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
        | Cause::Other => Why::Failure,
    };
    in_vain(scene, call, user);
    let frame = of_user(scene, call, user);
    tell(scene, frame, why, None);
}

/// Somebody hands a call on without asking the target first.
pub(super) fn handed_on<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, to: &'w str) {
    let frame = party.frame(scene);
    user_overflow(scene, &frame, "BlindTransfer", Some(to));
}

fn tell<'w>(scene: &mut Scene<'w, '_>, frame: Frame<'w>, why: Why, target: Option<&'w str>) {
    if let Some(reason) = why.reason() {
        user_overflow(scene, &frame, reason, target);
    }
    // Where nobody knows that it goes on, it is not told to; a person who declines tells it to.
    if target.is_some() || why == Why::Declined {
        overflow(scene, &frame, why, target.unwrap_or_default());
    }
}

fn user_overflow<'w>(scene: &mut Scene<'w, '_>, frame: &Frame<'w>, reason: &'static str, target: Option<&'w str>) {
    scene.tell(frame.user, |scene, head, tail| UserCallInUserOverflow {
        head,
        callId: frame.call,
        legId: frame.leg.clone(),
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login.clone(),
        reason: Cow::Borrowed(reason),
        target: named(scene, target.unwrap_or_default()),
        callerNumber: frame.caller.clone(),
        targetNumber: frame.target.clone(),
        publicity: Public,
        tail,
    });
}

fn overflow<'w>(scene: &mut Scene<'w, '_>, frame: &Frame<'w>, why: Why, target: &'w str) {
    let (reason, rule) = why.overflow();
    let queue = scene.world.queues.contains_key(target).then_some(target);
    scene.tell(frame.user, |scene, head, tail| UserCallInOverflow {
        head,
        callId: frame.call,
        legId: frame.leg.clone(),
        userId: frame.user,
        organizationId: frame.organisation,
        username: frame.login.clone(),
        connectedTarget: named(scene, target),
        techSource: Cow::Borrowed("User"),
        techQueueId: queue.map_or(Guid::default(), |queue| scene.queue(queue)),
        techQueueName: Cow::Borrowed(queue.map_or("", |queue| super::status::queue_title(scene.world, queue))),
        overflowApplet: Cow::Borrowed("UserOverflow"),
        techNumber: Cow::Borrowed(target),
        techEvent: Cow::Borrowed(reason),
        callerNumber: frame.caller.clone(),
        targetNumber: frame.target.clone(),
        overflowReason: Cow::Borrowed(reason),
        overflowType: Cow::Borrowed(rule),
        publicity: Public,
        tail,
    });
}

/// A target: a queue by its id, everything else by its number.
pub(super) fn named<'w>(scene: &Scene<'w, '_>, target: &'w str) -> super::values::Text<'w> {
    if scene.world.queues.contains_key(target) {
        return Cow::Owned(scene.queue(target).to_string());
    }
    Cow::Borrowed(target)
}

/// Where a telephone forwards what it does not answer.
fn target_later(device: &Device) -> Option<&str> {
    let modes = [ForwardMode::OnNoAnswer, ForwardMode::OnBusyAndNoAnswer];
    modes.iter().find_map(|mode| device.forward.get(mode)).map(String::as_str)
}

/// Why a telephone that did not ring forwards; none where it does so only after it rang.
fn why_at_once(device: &Device) -> Option<Why> {
    let has = |mode| device.forward.contains_key(&mode);
    if has(ForwardMode::Unconditional) {
        return Some(Why::Always);
    }
    if device.dnd {
        return Some(Why::Disturbs);
    }
    let when_busy = has(ForwardMode::OnBusy) || has(ForwardMode::OnBusyAndNoAnswer);
    (when_busy && (device.in_call || !has_later(device))).then_some(Why::Busy)
}

fn has_later(device: &Device) -> bool {
    target_later(device).is_some()
}
