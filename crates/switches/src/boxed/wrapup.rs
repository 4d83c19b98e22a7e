//! What follows an agent's calls: after-call work, and the pause the law asks for.

use cordboard_core::Time;
use cordboard_core::call::LegState;
use cordboard_core::event::{WorkMode, WrapUpPlan};
use cordboard_core::observation::AgentSeen;

use super::Boxed;
use super::calls::{CallNo, LegNo};
use super::timers::Timer;
use super::wishes::wished_ms;

/// What follows the last call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AfterCall {
    /// Nothing.
    Nothing,
    /// After-call work, with its number.
    Work {
        number: u64,
        /// When it ends by itself.
        until: Option<Time>,
        /// What was left of it when the agent made a call that belongs to it.
        left_ms: Option<u64>,
    },
    /// The pause the law asks for, with its number.
    Guard {
        number: u64,
        /// The agent made a call that belongs to the work; the pause begins anew after it.
        stopped: bool,
    },
}

impl Boxed {
    /// Whether a telephone has a call that was distributed, but for one leg.
    pub(super) fn has_business(&self, device: &str, but: Option<LegNo>) -> bool {
        let Some(phone) = self.phones.get(device) else { return false };
        phone.legs.iter().filter(|no| Some(**no) != but).any(|no| {
            self.legs.get(no).is_some_and(|leg| {
                leg.state != LegState::Bridged && self.calls.get(&leg.call).is_some_and(|call| call.business.is_some())
            })
        })
    }

    /// A leg is about to end: after-call work begins when it was the agent's last call that was distributed.
    pub(super) fn work_ends(&mut self, no: LegNo) {
        let Some(leg) = self.legs.get(&no).filter(|leg| !leg.outside && leg.is_established()) else { return };
        let Some(queue) = self.calls.get(&leg.call).and_then(|call| call.business.clone()) else { return };
        let queue = leg.queue.clone().unwrap_or(queue);
        let Some(id) = self.phones.get(&leg.device).and_then(|phone| phone.agent.clone()) else { return };
        if self.has_business(&leg.device, Some(no)) {
            return;
        }
        let call = self.call_key(leg.call);
        let Some(agent) = self.agents.get(&id) else { return };
        let manual = agent.ready && agent.mode == WorkMode::ManualIn;
        let ms = match (agent.wrapup, &agent.wished) {
            (plan, Some(wish)) => wished_ms(wish, plan),
            (WrapUpPlan::Timed { ms }, None) if ms > 0 => Some(ms),
            (WrapUpPlan::Untimed, None) => None,
            (WrapUpPlan::None | WrapUpPlan::Timed { .. }, None) if manual => None,
            (WrapUpPlan::None | WrapUpPlan::Timed { .. }, None) => return,
        };
        let known = match agent.after {
            AfterCall::Work { .. } => agent.wished.is_none(),
            AfterCall::Nothing | AfterCall::Guard { .. } => false,
        };
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.wished = None;
        }
        let until = self.begin_work(&id, ms);
        // Work that the agent chose during the call goes on.
        if !known {
            self.say_agent(&id, AgentSeen::WrapUp { queue, call: Some(call), until });
        }
    }

    /// The agent asks for after-call work. It ends like that after a call.
    pub(super) fn choose_after_call_work(&mut self, id: &str) {
        let Some(agent) = self.agents.get(id) else { return };
        let busy = agent.device.as_ref().is_some_and(|device| self.has_business(device, None));
        let ms = match agent.wrapup {
            WrapUpPlan::Timed { ms } if !busy => Some(ms),
            WrapUpPlan::Timed { .. } | WrapUpPlan::None | WrapUpPlan::Untimed => None,
        };
        let until = self.begin_work(id, ms);
        self.say_agent(id, AgentSeen::WrapUp { queue: String::new(), call: None, until });
    }

    pub(super) fn begin_work(&mut self, id: &str, ms: Option<u64>) -> Option<Time> {
        let number = self.next();
        let until = ms.map(|ms| self.now.plus_ms(ms));
        if let Some(ms) = ms {
            self.set_timer(ms, Timer::WrapUp(id.to_string(), number));
        }
        if let Some(agent) = self.agents.get_mut(id) {
            agent.after = AfterCall::Work { number, until, left_ms: None };
        }
        until
    }

    pub(super) fn wrapup_elapsed(&mut self, id: &str, work: u64) {
        let Some(agent) = self.agents.get(id) else { return };
        match agent.after {
            AfterCall::Work { number, left_ms: None, .. } if number == work => self.work_is_over(id),
            AfterCall::Work { .. } | AfterCall::Nothing | AfterCall::Guard { .. } => {}
        }
    }

    /// The agent is to be ready: after-call work ends, as far as the law lets it.
    pub(super) fn after_work_asked_to_end(&mut self, id: &str) {
        let Some(agent) = self.agents.get(id) else { return };
        match agent.after {
            AfterCall::Work { .. } if self.options.legal_guard_ms > 0 => self.begin_guard(id),
            AfterCall::Work { .. } | AfterCall::Nothing | AfterCall::Guard { .. } => self.free(id, true),
        }
    }

    fn work_is_over(&mut self, id: &str) {
        if self.options.legal_guard_ms > 0 { self.begin_guard(id) } else { self.free(id, false) }
    }

    fn begin_guard(&mut self, id: &str) {
        self.set_guard_timer(id);
        let seen = AgentSeen::Become {
            ready: false,
            mode: WorkMode::LegalGuard,
            reason: "legal guard".to_string(),
            reasons: Default::default(),
        };
        self.say_agent(id, seen);
    }

    fn set_guard_timer(&mut self, id: &str) {
        let number = self.next();
        if let Some(agent) = self.agents.get_mut(id) {
            agent.after = AfterCall::Guard { number, stopped: false };
        }
        self.set_timer(self.options.legal_guard_ms, Timer::Guard(id.to_string(), number));
    }

    pub(super) fn guard_elapsed(&mut self, id: &str, guard: u64) {
        let Some(agent) = self.agents.get(id) else { return };
        if agent.after == (AfterCall::Guard { number: guard, stopped: false }) {
            self.free(id, true);
        }
    }

    /// Nothing follows the last call any more: what the agent chose holds again. `chosen`: it has to be said as a choice.
    fn free(&mut self, id: &str, chosen: bool) {
        let stamp = self.idle_stamp();
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.after != AfterCall::Nothing {
            agent.idle_since = stamp;
        }
        agent.after = AfterCall::Nothing;
        let (ready, queues) = (agent.ready, !agent.queues.is_empty());
        // Where an agent serves no queue, nothing but the choice tells whether the agent is ready.
        if chosen || !(ready || queues) {
            self.say_state(id);
        } else {
            self.say_agent(id, AgentSeen::WrapUpEnd);
        }
        self.touch(id);
        self.restless = true;
    }

    /// An agent makes a call: it belongs to the after-call work, whose time stands still meanwhile.
    pub(super) fn works_on(&mut self, device: &str) {
        let Some(id) = self.phones.get(device).and_then(|phone| phone.agent.clone()) else { return };
        self.touch(&id);
        let now = self.now;
        let Some(agent) = self.agents.get_mut(&id) else { return };
        match &mut agent.after {
            AfterCall::Work { until: Some(until), left_ms: left_ms @ None, .. } => {
                *left_ms = Some(until.micros_since(now) / 1_000);
            }
            AfterCall::Guard { stopped, .. } => *stopped = true,
            AfterCall::Work { .. } | AfterCall::Nothing => {}
        }
    }

    /// A call is gone from a telephone: the agent's time runs again, and who waits may be served.
    /// `business`: it was one that was distributed, and the agent took it.
    pub(super) fn call_gone(&mut self, device: &str, call: CallNo, business: bool) {
        self.restless = true;
        let Some(id) = self.phones.get(device).and_then(|phone| phone.agent.clone()) else { return };
        let busy = self.is_in_call(device);
        self.touch(&id);
        let stamp = self.idle_stamp();
        let Some(agent) = self.agents.get_mut(&id) else { return };
        if business {
            agent.idle_since = stamp;
        }
        if busy {
            return;
        }
        if agent.wished.is_some() {
            return self.begin_wished(&id, Some(call));
        }
        match agent.after.clone() {
            AfterCall::Work { left_ms: Some(ms), .. } => _ = self.begin_work(&id, Some(ms)),
            AfterCall::Guard { stopped: true, .. } => self.set_guard_timer(&id),
            AfterCall::Guard { stopped: false, .. } | AfterCall::Work { left_ms: None, .. } | AfterCall::Nothing => {}
        }
    }
}
