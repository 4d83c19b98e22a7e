//! What happens by itself when time has come.

use cordboard_core::Time;

use super::Boxed;
use super::calls::{CallNo, LegNo};

/// What is due. What it is about may be gone by then; whoever carries it out looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Timer {
    /// A telephone is alerted.
    Alert(u64),
    /// A call has rung too long.
    NoAnswer(LegNo),
    /// A number outside has rung too long for a predictive call.
    Predictive(CallNo),
    /// A call has waited so long that it waits in another queue as well.
    Overflow(u64),
    /// A call has waited too long.
    LeaveQueue(u64),
    /// A call got no routing instruction.
    Route(u64),
    /// After-call work is over; with the number of that work.
    WrapUp(String, u64),
    /// The pause after it is over.
    Guard(String, u64),
    /// An agent may have done nothing for too long.
    Idle(String),
    /// A parked call comes back; with the number of its parking.
    Park(String, u64),
}

impl Boxed {
    pub(super) fn set_timer(&mut self, ms: u64, timer: Timer) {
        let due = self.now.plus_ms(ms);
        let number = self.next();
        self.timers.insert((due, number), timer);
    }

    /// Carries out what is due, each at its own time, so that being called late changes nothing but the moment of telling.
    pub(super) fn run_timers(&mut self, now: Time) {
        while let Some(((due, number), timer)) = self.timers.pop_first() {
            if due > now {
                self.timers.insert((due, number), timer);
                break;
            }
            self.now = self.now.max(due);
            self.run(timer);
            self.distribute();
        }
        self.now = self.now.max(now);
    }

    fn run(&mut self, timer: Timer) {
        match timer {
            Timer::Alert(alert) => self.alert(alert),
            Timer::NoAnswer(leg) => self.not_answered(leg),
            Timer::Predictive(call) => self.predictive_timeout(call),
            Timer::Overflow(wait) => self.overflow(wait),
            Timer::LeaveQueue(wait) => self.waited_too_long(wait),
            Timer::Route(route) => self.route_timeout(route),
            Timer::WrapUp(agent, work) => self.wrapup_elapsed(&agent, work),
            Timer::Guard(agent, guard) => self.guard_elapsed(&agent, guard),
            Timer::Idle(agent) => self.idle_too_long(&agent),
            Timer::Park(space, parking) => self.parked_too_long(&space, parking),
        }
    }
}
