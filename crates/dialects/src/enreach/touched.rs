//! Whose status an event may have changed.

use alloc::collections::BTreeSet;

use cordboard_core::event::{AgentFact, CallFact, DeviceFact, LegFact, QueueFact};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, Event, Fact, LegId, World};

use super::person;

/// Names of people and queues whose status may be another one now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// People.
    pub users: BTreeSet<String>,
    /// Queues.
    pub queues: BTreeSet<String>,
}

impl Touched {
    /// Whether it is nobody's.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.queues.is_empty()
    }

    /// Forgets everybody.
    pub fn clear(&mut self) {
        self.users.clear();
        self.queues.clear();
    }

    fn queue(&mut self, queue: &str) {
        if !self.queues.contains(queue) {
            self.queues.insert(queue.to_owned());
        }
    }

    /// A person, and every queue that counts the person.
    fn user(&mut self, world: &World, user: &str) {
        if !self.users.contains(user) {
            self.users.insert(user.to_owned());
        }
        for queue in world.queues_of(user) {
            self.queue(queue);
        }
    }

    fn device(&mut self, world: &World, device: &str) {
        if let Some(user) = person::of_device(world, device) {
            self.user(world, user);
        }
    }
}

/// Adds everybody whose status the event may have changed, in the world right after it.
pub fn touched(world: &World, event: &Event, touched: &mut Touched) {
    match &event.fact {
        Fact::Founded { .. }
        | Fact::Switch { .. }
        | Fact::Request { .. }
        | Fact::Client { .. }
        | Fact::List { .. }
        | Fact::Callback { .. }
        | Fact::Alert { .. } => {}
        Fact::Device { device, fact } => {
            if changes_status(fact) {
                touched.device(world, device);
            }
        }
        Fact::Agent { agent, fact } => agent_touched(world, agent, fact, touched),
        Fact::Queue { queue, fact } => {
            touched.queue(queue);
            match fact {
                QueueFact::MemberAssigned { user, .. } | QueueFact::MemberRemoved { user } => {
                    touched.user(world, user);
                }
                QueueFact::Found { .. } | QueueFact::WrapUpSet { .. } | QueueFact::Described(_) => {}
            }
        }
        Fact::User { user, .. } => touched.user(world, user),
        Fact::Call { call, fact } => call_touched(world, *call, fact, touched),
        Fact::Leg { call, leg, fact } => {
            leg_touched(world, *call, *leg, touched);
            if let LegFact::Moved { to } = fact {
                leg_touched(world, *to, *leg, touched);
            }
        }
    }
}

fn changes_status(fact: &DeviceFact) -> bool {
    match fact {
        DeviceFact::Found { .. }
        | DeviceFact::OutOfService
        | DeviceFact::BackInService
        | DeviceFact::DndOn
        | DeviceFact::DndOff => true,
        DeviceFact::ForwardSet { .. }
        | DeviceFact::ForwardCancelled { .. }
        | DeviceFact::MessageWaitingOn { .. }
        | DeviceFact::MessageWaitingOff
        | DeviceFact::OffHook { .. }
        | DeviceFact::OnHook { .. }
        | DeviceFact::MonitoringSet(_)
        | DeviceFact::MonitoringCancelled(_) => false,
    }
}

/// An agent; the queue left, which does not count the agent any more; and whoever the telephone is without the agent.
fn agent_touched(world: &World, agent: &str, fact: &AgentFact, touched: &mut Touched) {
    touched.user(world, agent);
    match fact {
        AgentFact::LoggedIn { device, .. } => {
            let owner = world.directory.owners.get(device).map(String::as_str);
            for user in [owner, Some(device)].into_iter().flatten().filter(|user| world.is_user(user)) {
                touched.user(world, user);
            }
        }
        AgentFact::QueueLoggedOut { queue } => touched.queue(queue),
        AgentFact::LoggedOut { queue } => {
            if let Some(queue) = queue {
                touched.queue(queue);
            }
            if let Some(device) = world.agents.get(agent).and_then(|agent| agent.left.as_deref()) {
                touched.device(world, device);
            }
        }
        AgentFact::Found { .. }
        | AgentFact::QueuePaused { .. }
        | AgentFact::QueueResumed { .. }
        | AgentFact::ModeChosen { .. }
        | AgentFact::WrapUpPlanned(_)
        | AgentFact::Reserved { .. }
        | AgentFact::ReservationEnded
        | AgentFact::Ready
        | AgentFact::NotReady { .. }
        | AgentFact::WrapUpBegan { .. }
        | AgentFact::WrapUpEnded { .. } => {}
    }
}

fn call_touched(world: &World, id: CallId, fact: &CallFact, touched: &mut Touched) {
    match fact {
        CallFact::Queued { queue, .. } | CallFact::Dequeued { queue, .. } | CallFact::QueueTaken { queue, .. } => {
            touched.queue(queue);
        }
        CallFact::SupervisionBegan { by, .. } | CallFact::SupervisionEnded { by } => touched.device(world, by),
        CallFact::Ended { .. } => {
            if let Some(call) = world.calls.get(&id) {
                everybody(world, call, touched);
            }
        }
        CallFact::Began(_)
        | CallFact::Described { .. }
        | CallFact::AlsoKnownAs { .. }
        | CallFact::UserDataSet { .. }
        | CallFact::UserDataChanged { .. }
        | CallFact::RouteRequested { .. }
        | CallFact::Routed { .. }
        | CallFact::TreatmentApplied { .. }
        | CallFact::TreatmentEnded { .. }
        | CallFact::TreatmentRefused { .. }
        | CallFact::TargetRefused { .. }
        | CallFact::Detected { .. }
        | CallFact::SupervisionChanged { .. }
        | CallFact::IvrEntered { .. }
        | CallFact::IvrLeft
        | CallFact::Transferred(_)
        | CallFact::TransferCompleted { .. }
        | CallFact::Conferenced { .. }
        | CallFact::ThreadJoined { .. }
        | CallFact::RecordingStarted { .. }
        | CallFact::RecordingPaused
        | CallFact::RecordingResumed
        | CallFact::RecordingStopped => {}
    }
}

fn everybody(world: &World, call: &Call, touched: &mut Touched) {
    for leg in call.legs.values() {
        party(world, leg, touched);
    }
}

fn leg_touched(world: &World, call: CallId, id: LegId, touched: &mut Touched) {
    if let Some(leg) = world.calls.get(&call).and_then(|call| call.legs.get(&id)) {
        party(world, leg, touched);
    }
}

fn party(world: &World, leg: &Leg, touched: &mut Touched) {
    if let Some(queue) = &leg.queue {
        touched.queue(queue);
    }
    if !leg.outside {
        touched.device(world, &leg.device);
    }
}
