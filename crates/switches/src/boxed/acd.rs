//! Queues: who waits where, and who is given to which agent.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cordboard_core::Time;
use cordboard_core::event::{DequeueReason, WorkMode};
use cordboard_core::observation::{AgentSeen, CallSeen};

use super::agents::Agent;
use super::calls::{CallNo, LegNo};
use super::ending::End;
use super::reach::Via;
use super::timers::Timer;
use super::{Boxed, Number};

/// A call in a queue.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) call: CallNo,
    pub(super) queue: String,
}

impl Boxed {
    /// A call waits in a queue, at the place it had there before if it comes back, and wherever else the queue says.
    pub(super) fn enter_queue(&mut self, call: CallNo, queue: &str, place: Option<u64>) {
        let Some(settings) = self.acd_queue(queue).cloned() else { return };
        if self.calls.get(&call).is_none_or(|call| call.waits.contains_key(queue)) {
            return;
        }
        let number = self.wait(call, queue, place);
        if let Some((ms, _)) = settings.overflow_after {
            self.set_timer(ms, Timer::Overflow(number));
        }
        if let Some((ms, _)) = settings.leave_after {
            self.set_timer(ms, Timer::LeaveQueue(number));
        }
        for other in &settings.overflow_to {
            self.enter_queue(call, other, None);
        }
        self.restless = true;
    }

    /// Puts a call into a queue and says so. Gives the number of the wait.
    pub(super) fn wait(&mut self, no: CallNo, queue: &str, place: Option<u64>) -> u64 {
        let number = place.filter(|place| !self.waits.contains_key(place)).unwrap_or_else(|| self.next());
        self.waits.insert(number, Wait { call: no, queue: queue.to_string() });
        if let Some(call) = self.calls.get_mut(&no) {
            call.waits.insert(queue.to_string(), number);
        }
        let position = self.waits.range(..=number).filter(|(_, wait)| wait.queue == queue).count();
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        self.say_call(no, CallSeen::Queue { queue: queue.to_string(), position });
        number
    }

    /// A call leaves one queue for a reason, and with it all others it waits in.
    pub(super) fn leave_queues(&mut self, no: CallNo, queue: &str, reason: DequeueReason, to: Option<&str>) {
        let Some(call) = self.calls.get_mut(&no) else { return };
        let waits = std::mem::take(&mut call.waits);
        let others = waits.keys().filter(|other| *other != queue);
        for (place, left) in waits.keys().filter(|other| *other == queue).chain(others).enumerate() {
            let (reason, to) = if place == 0 && left == queue {
                (reason, to.map(str::to_string))
            } else {
                (DequeueReason::DeliveredElsewhere, None)
            };
            self.say_call(no, CallSeen::Dequeue { queue: left.clone(), reason, to });
        }
        for number in waits.values() {
            self.waits.remove(number);
        }
    }

    /// Gives waiting calls to free agents, until none are left that fit.
    pub(super) fn distribute(&mut self) {
        while std::mem::take(&mut self.restless) && !self.waits.is_empty() {
            let Some((number, agent)) = self.next_match() else { return };
            self.deliver(number, &agent);
            self.restless = true;
        }
    }

    /// The call that is served next, and by whom: the queue with the highest priority and in it the longest waiting; of
    /// the agents the one with most skill for the queue, and of those the longest free one.
    fn next_match(&self) -> Option<(u64, String)> {
        let mut free: BTreeMap<&str, Vec<&Agent>> = BTreeMap::new();
        for agent in self.agents.values().filter(|agent| self.is_available(agent)) {
            for queue in &agent.queues {
                free.entry(queue).or_default().push(agent);
            }
        }
        let waits = self.waits.iter().filter_map(|(number, wait)| {
            let queue = self.acd_queue(&wait.queue)?;
            let agents = free.get(wait.queue.as_str())?;
            let able = agents.iter().filter(|agent| {
                // Nobody is given a call that they are in themselves.
                agent.device.as_ref().is_none_or(|device| self.leg_at(wait.call, device).is_none())
            });
            let able = able.filter_map(|agent| Some((agent.level(&queue.skills)?, *agent)));
            let best = able.min_by_key(|(level, agent)| (Reverse(*level), agent.idle_since, &agent.id))?;
            Some(((Reverse(queue.priority), *number), best.1))
        });
        waits.min_by_key(|(rank, _)| *rank).map(|((_, number), agent)| (number, agent.id.clone()))
    }

    fn deliver(&mut self, number: u64, agent: &str) {
        let Some(wait) = self.waits.get(&number) else { return };
        let (no, queue) = (wait.call, wait.queue.clone());
        let Some(device) = self.agents.get(agent).and_then(|agent| agent.device.clone()) else { return };
        self.routes_used(no, Some(&device));
        self.leave_queues(no, &queue, DequeueReason::Delivered, Some(&device));
        if let Some(call) = self.calls.get_mut(&no) {
            call.business = Some(queue.clone());
        }
        self.ring(no, &device, Via { queue: Some(queue), offered: Some(number), ..Via::default() });
    }

    /// An offered call is not taken: it goes back to its queue.
    pub(super) fn return_to_queue(&mut self, leg: LegNo, end: End) {
        let Some(offered) = self.legs.get(&leg) else { return };
        let (call, queue, place) = (offered.call, offered.queue.clone(), offered.offered);
        let agent = self.phones.get(&offered.device).and_then(|phone| phone.agent.clone());
        self.end_leg(leg, end);
        let Some(queue) = queue else { return };
        self.enter_queue(call, &queue, place);
        if let Some(agent) = agent {
            self.missed(&agent, &queue);
        }
        self.settle(call, cordboard_core::event::Cause::Normal);
    }

    /// What becomes of an agent who did not take an offered call.
    fn missed(&mut self, id: &str, queue: &str) {
        let not_ready = self.acd_queue(queue).is_some_and(|queue| queue.no_answer_not_ready);
        let idle_since = self.idle_stamp();
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.idle_since = idle_since;
        if !not_ready || !agent.ready {
            return;
        }
        agent.ready = false;
        agent.mode = WorkMode::AuxWork;
        agent.reason = "no answer".to_string();
        agent.reasons.clear();
        self.say_state(id);
    }

    /// A call waits so long that it waits in another queue as well.
    pub(super) fn overflow(&mut self, number: u64) {
        let Some(wait) = self.waits.get(&number) else { return };
        let (call, queue) = (wait.call, wait.queue.clone());
        let Some((_, to)) = self.acd_queue(&queue).and_then(|queue| queue.overflow_after.clone()) else { return };
        self.enter_queue(call, &to, None);
    }

    /// A call waited as long as it may.
    pub(super) fn waited_too_long(&mut self, number: u64) {
        let Some(wait) = self.waits.get(&number) else { return };
        let (call, queue) = (wait.call, wait.queue.clone());
        let Some((_, to)) = self.acd_queue(&queue).and_then(|queue| queue.leave_after.clone()) else { return };
        self.leave_queues(call, &queue, DequeueReason::TimedOut, Some(&to));
        self.send(call, &to, Via::default());
    }

    /// Queues that an agent who names none serves: the planned ones.
    pub(super) fn is_served(&self, queue: &str) -> bool {
        matches!(self.numbers.get(queue), Some(Number::AcdQueue(_) | Number::RouteQueue))
    }

    /// A stamp for who has been free the longest.
    pub(super) fn idle_stamp(&mut self) -> (Time, u64) {
        (self.now, self.next())
    }

    /// Says whether an agent is ready, and how.
    pub(super) fn say_state(&mut self, id: &str) {
        let Some(agent) = self.agents.get(id) else { return };
        let seen = AgentSeen::Become {
            ready: agent.ready,
            mode: agent.mode,
            reason: agent.reason.clone(),
            reasons: agent.reasons.clone(),
        };
        self.say_agent(id, seen);
    }
}
