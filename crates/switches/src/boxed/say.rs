//! What the switch says.

use cordboard_core::event::{Origin, Pairs};
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, LegSeen, QueueSeen, SwitchSeen};
use cordboard_core::{Observation, Seen};

use super::Boxed;
use super::calls::{CallNo, LegNo};
use crate::Output;

impl Boxed {
    pub(super) fn say(&mut self, seen: Seen) {
        let observation = Observation {
            at: self.now,
            since: None,
            origin: Origin::Live,
            switch: self.name.clone(),
            request: self.request,
            seen,
        };
        self.out.push_back(Output::Observed(observation));
    }

    pub(super) fn say_switch(&mut self, seen: SwitchSeen) {
        self.say(Seen::Switch(seen));
    }

    pub(super) fn say_device(&mut self, device: &str, seen: DeviceSeen) {
        self.say(Seen::Device { device: device.to_string(), seen });
    }

    pub(super) fn say_queue(&mut self, queue: &str, seen: QueueSeen) {
        self.say(Seen::Queue { queue: queue.to_string(), seen });
    }

    pub(super) fn say_agent(&mut self, agent: &str, seen: AgentSeen) {
        self.say(Seen::Agent { agent: agent.to_string(), seen });
    }

    pub(super) fn say_call(&mut self, call: CallNo, seen: CallSeen) {
        self.say(Seen::Call { call: self.call_key(call), seen });
    }

    pub(super) fn say_leg(&mut self, leg: LegNo, seen: LegSeen) {
        self.say(Seen::Leg { leg: self.leg_key(leg), seen });
    }

    /// Data that a request gives a call.
    pub(super) fn say_data(&mut self, call: CallNo, data: &Pairs, by: &str) {
        if !data.is_empty() {
            self.say_call(call, CallSeen::Attach { set: data.clone(), by: by.to_string() });
        }
    }

    /// The next number for a call, a leg or anything else that needs one.
    pub(super) fn next(&mut self) -> u64 {
        self.last = self.last.saturating_add(1);
        self.last
    }

    pub(super) fn call_key(&self, call: CallNo) -> String {
        format!("{:08x}-c{}", self.chance, call.0)
    }

    pub(super) fn leg_key(&self, leg: LegNo) -> String {
        format!("{:08x}-l{}", self.chance, leg.0)
    }

    pub(super) fn call_by_key(&self, key: &str) -> Option<CallNo> {
        let number = key.strip_prefix(&format!("{:08x}-c", self.chance))?.parse().ok()?;
        Some(CallNo(number)).filter(|call| self.calls.contains_key(call))
    }

    pub(super) fn leg_by_key(&self, key: &str) -> Option<LegNo> {
        let number = key.strip_prefix(&format!("{:08x}-l", self.chance))?.parse().ok()?;
        Some(LegNo(number)).filter(|leg| self.legs.contains_key(leg))
    }
}
