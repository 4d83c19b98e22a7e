//! Predictive calls: the queue calls somebody outside, and whoever answers is connected with an agent.

use cordboard_core::call::LegState;
use cordboard_core::event::{CallResult, Cause, DequeueReason, Direction, Pairs, Role, With};
use cordboard_core::observation::{CallSeen, LegSeen};
use cordboard_core::request::{PredictiveTargets, Refusal};

use super::calls::{Beginning, CallNo, LegNo};
use super::ending::End;
use super::reach::Via;
use super::timers::Timer;
use super::{Boxed, Refused, refuse};

impl Boxed {
    pub(super) fn make_predictive_call(
        &mut self,
        queue: &str,
        to: &str,
        (ring_ms, targets): (u64, &PredictiveTargets),
        data: &Pairs,
    ) -> Result<(), Refused> {
        if !self.is_queue(queue) {
            return refuse(Refusal::NoSuchDevice, format!("{queue} is no queue; a predictive call is made by a queue"));
        }
        if !self.is_outside(to) {
            return refuse(Refusal::InvalidNumber, format!("{to:?} is no number outside; a predictive call is to one"));
        }
        for target in [&targets.person, &targets.machine, &targets.fax].into_iter().flatten() {
            self.can_dial(target)?;
        }
        self.has_room()?;
        let call = self.begin(&Beginning { direction: Direction::Outbound, ani: queue, dnis: to, previous: None });
        self.say_data(call, data, queue);
        let by_queue = || Via { queue: Some(queue.to_string()), ..Via::default() };
        self.add_leg(call, queue, Role::Originator, LegState::Dialing, by_queue());
        self.add_leg(call, to, Role::Destination, LegState::Ringing, Via::default());
        if let Some(call) = self.calls.get_mut(&call) {
            call.predictive = Some(targets.clone());
        }
        if ring_ms > 0 {
            self.set_timer(ring_ms, Timer::Predictive(call));
        }
        Ok(())
    }

    /// The number outside answers: the call goes to who is to have it. Gives whether it was a predictive call's.
    pub(super) fn predictive_answered(&mut self, call: CallNo, outside: LegNo, by: CallResult) -> bool {
        let Some((queue, own)) = self.dialling_queue(call, outside) else { return false };
        let Some(targets) = self.calls.get(&call).and_then(|call| call.predictive.clone()) else { return false };
        let target = match by {
            CallResult::Person => targets.person,
            CallResult::AnsweringMachine => targets.machine,
            CallResult::Fax => targets.fax,
        };
        if by != CallResult::Person {
            self.say_call(call, CallSeen::Detect(by));
        }
        let wanted = by == CallResult::Person || target.is_some();
        self.end_leg(own, End::of(if wanted { Cause::Queued } else { Cause::Normal }));
        if let Some(leg) = self.legs.get_mut(&outside) {
            leg.state = LegState::Connected;
        }
        self.say_leg(outside, LegSeen::Answer(With::System));
        match target {
            Some(target) => {
                self.wait(call, &queue, None);
                self.leave_queues(call, &queue, DequeueReason::Routed, Some(&target));
                if let Some(call) = self.calls.get_mut(&call) {
                    call.business = Some(queue.clone());
                }
                self.send(call, &target, Via { queue: Some(queue), ..Via::default() });
            }
            None if wanted => self.send(call, &queue, Via::default()),
            None => self.turn_away(call, Cause::Normal),
        }
        true
    }

    /// The number outside cannot be reached. Gives whether it was a predictive call's.
    pub(super) fn predictive_fails(&mut self, call: CallNo, outside: LegNo, cause: Cause) -> bool {
        let Some((_, own)) = self.dialling_queue(call, outside) else { return false };
        self.end_leg(outside, End::of(cause));
        self.end_leg(own, End::of(cause));
        self.settle(call, cause);
        true
    }

    /// The number outside has rung too long.
    pub(super) fn predictive_timeout(&mut self, call: CallNo) {
        let rings = |no: &LegNo| self.legs.get(no).is_some_and(|leg| leg.outside && leg.state == LegState::Ringing);
        if let Some(outside) = self.legs_of(call).into_iter().find(rings) {
            self.predictive_fails(call, outside, Cause::NoAnswer);
        }
    }

    /// The queue that dials a number outside in a predictive call, and its leg.
    fn dialling_queue(&self, call: CallNo, outside: LegNo) -> Option<(String, LegNo)> {
        let call = self.calls.get(&call).filter(|call| call.predictive.is_some())?;
        self.legs.get(&outside).filter(|leg| leg.outside && leg.state == LegState::Ringing)?;
        call.legs.iter().find_map(|no| {
            let leg = self.legs.get(no).filter(|leg| leg.state == LegState::Dialing && self.is_queue(&leg.device))?;
            Some((leg.device.clone(), *no))
        })
    }
}
