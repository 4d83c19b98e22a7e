//! Consultations, transfers and conferences.

use cordboard_core::Order;
use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, Pairs, Role, TransferKind};
use cordboard_core::observation::{CallSeen, DataMerge};
use cordboard_core::request::{AskKind, Joining, Refusal};

use super::calls::{CallNo, LegNo};
use super::reach::Via;
use super::{Boxed, ConsultData, MergedData, Refused, refuse};

impl Boxed {
    /// Holds the call and calls somebody about it. Gives the consultation.
    pub(super) fn consult(&mut self, order: &Order, to: &str, data: &Pairs, via: Via) -> Result<CallNo, Refused> {
        let leg = self.own_leg(order, AskKind::Begin)?;
        self.can_call(&order.device)?;
        self.can_dial(to)?;
        if self.legs.get(&leg).is_some_and(|leg| leg.state == LegState::Connected) {
            self.hold(leg);
        }
        Ok(self.call_out(&order.device, to, self.call_of(leg), data, via))
    }

    /// Joins the current call and the held one: who joins them leaves, or stays.
    pub(super) fn complete(&mut self, order: &Order, purpose: Joining) -> Result<(), Refused> {
        let (current, held) = (self.own_leg(order, AskKind::Current)?, self.held_leg(order)?);
        let (Some(from), Some(into)) = (self.call_of(current), self.call_of(held)) else { return Ok(()) };
        if from == into {
            return refuse(Refusal::WrongState, "a call cannot be joined with itself; name two calls");
        }
        if !self.has_others(from, current) {
            let refusal = match purpose {
                Joining::Transfer => Refusal::CannotCompleteTransfer,
                Joining::Conference => Refusal::CannotCompleteConference,
            };
            return refuse(refusal, "nobody is reached by the current call; go back to the held one");
        }
        if purpose == Joining::Transfer && !self.has_other_legs(from, current) && !self.has_other_legs(into, held) {
            return refuse(Refusal::CannotCompleteTransfer, "nobody would be left in the call");
        }
        if let Some(twice) = self.in_both(from, into, &order.device) {
            return refuse(Refusal::WrongState, format!("{twice} takes part in both calls already"));
        }
        if let Some(twice) = self.both_wait(from, into) {
            return refuse(Refusal::WrongState, format!("both calls wait at {twice} already"));
        }
        match purpose {
            Joining::Transfer => self.join_for_transfer((into, held), (from, current)),
            Joining::Conference => self.join_for_conference((into, held), (from, current)),
        }
        Ok(())
    }

    /// A consultation that nobody waits for.
    pub(super) fn mute_transfer(&mut self, order: &Order, to: &str, data: &Pairs) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Begin)?;
        let Some(into) = self.call_of(leg) else { return Ok(()) };
        self.has_somebody_to_hand_on(into, leg)?;
        if self.calls.get(&into).is_some_and(|call| !call.waits.is_empty() || !call.routes.is_empty()) {
            return refuse(Refusal::WrongState, "the call waits for somebody already; hand it on when that is over");
        }
        self.can_reach(into, to)?;
        let consult = self.consult(order, to, data, Via { besides: Some(into), ..Via::default() })?;
        let Some(own) = self.leg_at(consult, &order.device) else { return Ok(()) };
        self.join_for_transfer((into, leg), (consult, own));
        Ok(())
    }

    /// Hands the call on, or brings somebody in, in one step.
    pub(super) fn single_step(
        &mut self,
        order: &Order,
        to: &str,
        purpose: Joining,
        data: &Pairs,
    ) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Begin)?;
        let Some(call) = self.call_of(leg) else { return Ok(()) };
        if purpose == Joining::Transfer {
            self.has_somebody_to_hand_on(call, leg)?;
        }
        self.can_reach(call, to)?;
        self.say_data(call, data, &order.device);
        if purpose == Joining::Transfer {
            self.work_ends(leg);
            let by = self.leg_key(leg);
            self.say_call(
                call,
                CallSeen::Transfer { kind: TransferKind::Blind, by, to: to.to_string(), consult: None },
            );
            self.forget_leg(leg);
        }
        self.send(call, to, Via { by: Some(order.device.clone()), ..Via::default() });
        self.settle(call, Cause::Transferred);
        Ok(())
    }

    fn join_for_transfer(&mut self, (into, own): (CallNo, LegNo), (from, consulting): (CallNo, LegNo)) {
        self.merge_data(into, from);
        self.work_ends(own);
        self.work_ends(consulting);
        self.party_supervises_no_longer(into, from);
        let (by, consult) = (self.leg_key(own), Some(self.call_key(from)));
        self.say_call(into, CallSeen::Transfer { kind: TransferKind::Attended, by, to: String::new(), consult });
        self.forget_leg(own);
        self.absorb(into, from, consulting);
        self.settle(into, Cause::Transferred);
    }

    fn join_for_conference(&mut self, (into, own): (CallNo, LegNo), (from, consulting): (CallNo, LegNo)) {
        self.merge_data(into, from);
        self.party_supervises_no_longer(into, from);
        let (by, consult) = (self.leg_key(own), self.call_key(from));
        self.say_call(into, CallSeen::Join { by, consult });
        if let Some(leg) = self.legs.get_mut(&own) {
            leg.state = LegState::Connected;
        }
        self.absorb(into, from, consulting);
        self.settle(into, Cause::Normal);
    }

    /// What is left of a call becomes part of another one; the party that joined them is in it no longer. That was told.
    fn absorb(&mut self, into: CallNo, from: CallNo, joined_by: LegNo) {
        self.forget_leg(joined_by);
        let Some(gone) = self.calls.remove(&from) else { return };
        for no in &gone.legs {
            if let Some(leg) = self.legs.get_mut(no) {
                leg.call = into;
                leg.role = Role::Destination;
            }
        }
        self.waits.values_mut().filter(|wait| wait.call == from).for_each(|wait| wait.call = into);
        self.routes.values_mut().filter(|route| route.call == from).for_each(|route| route.call = into);
        self.alerts.values_mut().filter(|alert| alert.call == from).for_each(|alert| alert.call = into);
        if let Some(call) = self.calls.get_mut(&into) {
            call.legs.extend(gone.legs);
            call.waits.extend(gone.waits);
            call.routes.extend(gone.routes);
            call.business = call.business.take().or(gone.business);
        }
        self.supervisions_moved(from);
        self.restless = true;
    }

    /// Another party that takes part in two calls, and cannot talk with itself.
    fn in_both(&self, one: CallNo, other: CallNo, but: &str) -> Option<String> {
        let numbers = self.legs_of(one).into_iter().filter_map(|no| self.legs.get(&no)).map(|leg| &leg.number);
        numbers.filter(|number| *number != but).find(|number| self.leg_at(other, number).is_some()).cloned()
    }

    /// Where both calls wait: one place in a queue a call.
    fn both_wait(&self, one: CallNo, other: CallNo) -> Option<String> {
        let (one, other) = (self.calls.get(&one)?, self.calls.get(&other)?);
        let twice = |at: &&String| other.waits.contains_key(*at) || other.routes.contains_key(*at);
        one.waits.keys().chain(one.routes.keys()).find(twice).cloned()
    }

    fn has_other_legs(&self, no: CallNo, own: LegNo) -> bool {
        self.calls.get(&no).is_some_and(|call| call.legs.iter().any(|leg| *leg != own))
    }

    /// A call that only waits somewhere, for the party itself, cannot be handed on by it.
    fn has_somebody_to_hand_on(&self, no: CallNo, own: LegNo) -> Result<(), Refused> {
        if self.has_other_legs(no, own) {
            return Ok(());
        }
        refuse(Refusal::CannotTransfer, "nobody else is in the call who could be handed on")
    }

    /// Whether a call has, or is on its way to, somebody else than this leg.
    fn has_others(&self, no: CallNo, own: LegNo) -> bool {
        let Some(call) = self.calls.get(&no) else { return false };
        call.legs.iter().any(|leg| *leg != own)
            || !call.waits.is_empty()
            || !call.routes.is_empty()
            || self.alerts.values().any(|alert| alert.call == no)
    }

    /// What becomes of the data of two calls that are joined.
    fn merge_data(&mut self, into: CallNo, from: CallNo) {
        let merge = match (self.options.consult_data, self.options.merged_data) {
            (ConsultData::Joint, _) | (_, MergedData::ConsultOverMain) => DataMerge::Over,
            (_, MergedData::MainOnly) => return,
            (_, MergedData::ConsultOnly) => DataMerge::Instead,
            (_, MergedData::MainOverConsult) => DataMerge::Under,
        };
        let from = self.call_key(from);
        self.say_call(into, CallSeen::TakeData { from, merge });
    }

    /// What a consultation knows of the call it is about.
    pub(super) fn consult_data(&mut self, consult: CallNo, about: CallNo) {
        match self.options.consult_data {
            ConsultData::Separate => {}
            ConsultData::Inherited | ConsultData::Joint => {
                let from = self.call_key(about);
                self.say_call(consult, CallSeen::TakeData { from, merge: DataMerge::Under });
            }
        }
    }
}
