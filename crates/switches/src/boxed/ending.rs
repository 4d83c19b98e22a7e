//! How legs and calls end, and what the end of one means for the others.

use cordboard_core::Order;
use cordboard_core::call::LegState;
use cordboard_core::event::Cause;
use cordboard_core::observation::{CallSeen, LegSeen};
use cordboard_core::request::{AskKind, Refusal};

use super::calls::{CallNo, LegNo};
use super::{Boxed, Refused, refuse};

/// How a leg ends.
#[derive(Debug, Clone)]
pub(super) struct End {
    cause: Cause,
    by_self: bool,
    by: Option<String>,
}

impl End {
    /// Its party ends it.
    pub(super) fn own(cause: Cause) -> Self {
        Self { cause, by_self: true, by: None }
    }

    /// It is ended by what others do, or by the switch.
    pub(super) fn of(cause: Cause) -> Self {
        Self { cause, by_self: false, by: None }
    }

    /// Another party takes it out.
    pub(super) fn by(cause: Cause, by: &str) -> Self {
        Self { cause, by_self: false, by: Some(by.to_string()) }
    }
}

impl Boxed {
    pub(super) fn release(&mut self, order: &Order) -> Result<(), Refused> {
        // A supervisor takes part without a leg.
        if order.call.as_ref().is_some_and(|call| call.leg.is_none()) {
            let call = self.ordered_call(order)?;
            return self.stop_supervising(&order.device, call);
        }
        let leg = self.own_leg(order, AskKind::Release)?;
        self.hang_up(leg);
        Ok(())
    }

    /// Ends a whole call for everybody.
    pub(super) fn clear(&mut self, order: &Order) -> Result<(), Refused> {
        let call = self.ordered_call(order)?;
        let own = order.call.as_ref().and_then(|named| self.leg_by_key(named.leg.as_ref()?));
        if let Some(own) = own {
            self.end_leg(own, End::own(Cause::Normal));
        }
        for leg in self.legs_of(call) {
            let rings = self.legs.get(&leg).is_some_and(|leg| leg.state == LegState::Ringing);
            let cause = if rings { Cause::Cancelled } else { Cause::Normal };
            self.end_leg(leg, End::of(cause));
        }
        self.settle(call, Cause::Normal);
        Ok(())
    }

    /// Takes somebody out of a conference.
    pub(super) fn drop_party(&mut self, order: &Order, who: &str) -> Result<(), Refused> {
        let own = self.own_leg(order, AskKind::Talk)?;
        let call = self.ordered_call(order)?;
        let Some(other) = self.leg_at(call, who).filter(|other| *other != own) else {
            return refuse(Refusal::NoSuchCall, format!("{who} is no other party of the call"));
        };
        let rings = self.legs.get(&other).is_some_and(|leg| leg.state == LegState::Ringing);
        let cause = if rings { Cause::Cancelled } else { Cause::Normal };
        self.end_leg(other, End::by(cause, &order.device));
        self.settle(call, Cause::Normal);
        Ok(())
    }

    /// Somebody hangs up, or declines a call that rings.
    pub(super) fn hang_up(&mut self, no: LegNo) {
        let Some(leg) = self.legs.get(&no) else { return };
        let (call, rings, offered) = (leg.call, leg.state == LegState::Ringing, leg.offered.is_some());
        if rings && offered {
            return self.return_to_queue(no, End::own(Cause::Rejected));
        }
        let cause = if rings { Cause::Rejected } else { Cause::Normal };
        if rings && self.predictive_fails(call, no, cause) {
            return;
        }
        self.end_leg(no, End::own(cause));
        self.settle(call, cause);
    }

    /// A call has rung too long.
    pub(super) fn not_answered(&mut self, no: LegNo) {
        let Some(leg) = self.legs.get(&no).filter(|leg| leg.state == LegState::Ringing) else { return };
        let (call, device, queue) = (leg.call, leg.device.clone(), leg.queue.clone());
        if leg.offered.is_some() {
            return self.return_to_queue(no, End::of(Cause::NoAnswer));
        }
        match self.forwards_unanswered(call, &device) {
            Some(target) => {
                self.end_leg(no, End::of(Cause::Redirected));
                self.send(call, &target, super::reach::Via { by: Some(device), queue, ..Default::default() });
            }
            None => {
                self.end_leg(no, End::of(Cause::NoAnswer));
                self.settle(call, Cause::NoAnswer);
            }
        }
    }

    /// Ends one leg. After-call work that follows is told first.
    pub(super) fn end_leg(&mut self, no: LegNo, end: End) {
        if !self.legs.contains_key(&no) {
            return;
        }
        self.work_ends(no);
        self.say_leg(no, LegSeen::Hangup { cause: end.cause, code: None, by_self: end.by_self, by: end.by });
        self.forget_leg(no);
    }

    /// A leg is no more, and that was told.
    pub(super) fn forget_leg(&mut self, no: LegNo) {
        let Some(leg) = self.legs.remove(&no) else { return };
        let mut business = false;
        if let Some(call) = self.calls.get_mut(&leg.call) {
            call.legs.retain(|other| *other != no);
            business = call.business.is_some() && leg.is_established();
        }
        self.parked.retain(|_, parked| parked.leg != no);
        if let Some(phone) = self.phones.get_mut(&leg.device).filter(|_| !leg.outside) {
            phone.legs.remove(&no);
            self.put_back(&leg.device, leg.call);
            self.call_gone(&leg.device, leg.call, business);
        }
    }

    /// Others of the same alert lose it: who alerts for the same number may still come to the call.
    pub(super) fn answered_elsewhere(&mut self, call: CallNo, answered: LegNo, set: Option<u64>, shared: bool) {
        if set.is_none() {
            return;
        }
        self.alerts.retain(|_, alert| alert.call != call || alert.via.set != set);
        for no in self.legs_of(call).into_iter().filter(|no| *no != answered) {
            let Some(leg) = self.legs.get_mut(&no) else { continue };
            if leg.set != set || leg.state != LegState::Ringing {
                continue;
            }
            if shared {
                leg.state = LegState::Bridged;
                self.say_leg(no, LegSeen::Bridge);
            } else {
                self.end_leg(no, End::of(Cause::AnsweredElsewhere));
            }
        }
    }

    /// What becomes of those who are left in a call. `cause` is why the last one left.
    pub(super) fn settle(&mut self, call: CallNo, cause: Cause) {
        let legs = self.legs_of(call);
        let is = |no: &LegNo, state| self.legs.get(no).is_some_and(|leg| leg.state == state);
        let parties: Vec<LegNo> =
            legs.iter().copied().filter(|no| self.legs.get(no).is_some_and(super::calls::Leg::is_party)).collect();
        let rings = legs.iter().any(|no| is(no, LegState::Ringing));
        let pending = rings || self.is_waiting(call);
        let over = match parties.as_slice() {
            [] => true,
            // A caller who reached nobody hears a tone until the handset is put back.
            [one] => !pending && !is(one, LegState::Dialing) && !is(one, LegState::Parked),
            [_, ..] => false,
        };
        if over {
            for no in legs {
                let rings = self.legs.get(&no).is_some_and(|leg| leg.state == LegState::Ringing);
                self.end_leg(no, End::of(if rings { Cause::Cancelled } else { cause_for_others(cause) }));
            }
        }
        if self.calls.get(&call).is_some_and(|call| call.legs.is_empty()) {
            self.forget_call(call);
        }
        self.check_supervision(call);
    }

    /// Whether a call is on its way to somebody who has no leg yet.
    fn is_waiting(&self, no: CallNo) -> bool {
        self.calls.get(&no).is_some_and(|call| !call.waits.is_empty() || !call.routes.is_empty())
            || self.alerts.values().any(|alert| alert.call == no)
    }

    /// A call has no legs any more.
    pub(super) fn forget_call(&mut self, no: CallNo) {
        if self.calls.remove(&no).is_some() {
            self.waits.retain(|_, wait| wait.call != no);
            self.routes.retain(|_, route| route.call != no);
            self.alerts.retain(|_, alert| alert.call != no);
        }
    }

    /// Hangs up a party that the switch has nobody for.
    pub(super) fn turn_away(&mut self, call: CallNo, cause: Cause) {
        let legs = self.legs_of(call);
        let parties: Vec<LegNo> =
            legs.into_iter().filter(|no| self.legs.get(no).is_some_and(super::calls::Leg::is_party)).collect();
        if let [one] = parties.as_slice() {
            self.end_leg(*one, End::of(cause));
        }
        self.settle(call, cause);
    }

    /// A target cannot be called; who calls hears so and stays, who was handed on has nobody left.
    pub(super) fn refused(&mut self, call: CallNo, to: &str, cause: Cause) {
        self.say_call(call, CallSeen::Refuse { to: to.to_string(), cause });
        self.settle(call, cause);
    }
}

/// What those hear who are left behind: why their target did not come, or just that it is over.
fn cause_for_others(cause: Cause) -> Cause {
    match cause {
        Cause::Busy
        | Cause::NoAnswer
        | Cause::Rejected
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
        | Cause::Dropped => cause,
        Cause::Normal
        | Cause::AnsweredElsewhere
        | Cause::Cancelled
        | Cause::Transferred
        | Cause::Merged
        | Cause::Redirected
        | Cause::Queued
        | Cause::OutOfService
        | Cause::Lost
        | Cause::Other => Cause::Normal,
    }
}
