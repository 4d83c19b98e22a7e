//! Which queues with alerts an event may have changed: they alone are counted again, and of their agents only who moved.

use alloc::collections::BTreeSet;
use alloc::string::String;

use crate::directory::Directory;
use crate::dues::Due;
use crate::event::{CallFact, Event, Fact, LegFact, QueueFact};
use crate::guid::Guid;
use crate::tally::{Tally, next_change};
use crate::world::World;

/// What an event may have changed.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// These queues, with somebody who may stand otherwise to them.
    queues: BTreeSet<(String, Option<String>)>,
}

impl World {
    /// What an event may change, seen before it is folded: what is left by it is still to be seen.
    pub(crate) fn touched_by(&self, event: &Event) -> Touched {
        let mut touched = Touched::default();
        self.touch(event, &mut touched);
        touched
    }

    /// Counts again what an event may have changed, after it was folded.
    pub(crate) fn count_again(&mut self, event: &Event, mut touched: Touched) {
        self.touch(event, &mut touched);
        let mut counted = BTreeSet::new();
        for (name, user) in touched.queues {
            let standing = |user: &String| self.standing(&name, self.queues.get(&name)?, user, self.now);
            let standing = user.as_ref().map(|user| (user, standing(user)));
            let Some(tally) = self.directory.tallies.get_mut(&name) else { continue };
            if let Some((user, standing)) = standing {
                tally.note(user, standing);
            }
            counted.insert(name);
        }
        counted.iter().for_each(|queue| self.set_alert_timers(queue));
    }

    /// An alert is on this queue from now on.
    pub(crate) fn begin_tally(&mut self, name: &str, alert: Guid) {
        if let Some(tally) = self.directory.tallies.get_mut(name) {
            tally.alerts.insert(alert);
            return;
        }
        let mut tally = Tally::default();
        tally.alerts.insert(alert);
        if let Some(queue) = self.queues.get(name) {
            for user in queue.members.iter().chain(queue.assigned.keys()) {
                tally.note(user, self.standing(name, queue, user, self.now));
            }
        }
        self.directory.tallies.insert(String::from(name), tally);
    }

    /// When each alert on a queue fires or clears, if nothing else happens.
    pub(crate) fn set_alert_timers(&mut self, queue: &str) {
        let counts = self.tallied(queue, self.now);
        let oldest = self.queues.get(queue).and_then(|queue| queue.waiting.values().min().copied());
        let Directory { tallies, alerts, dues, .. } = &mut self.directory;
        for id in tallies.get(queue).iter().flat_map(|tally| &tally.alerts) {
            let due = alerts.get(id).and_then(|alert| next_change(alert, &counts, oldest, self.now));
            dues.set(Due::Alert(*id), due);
        }
    }

    fn touch(&self, event: &Event, touched: &mut Touched) {
        match &event.fact {
            Fact::Agent { agent, .. } => {
                self.touch_user(agent, touched);
                // Whoever else's the telephone is has it again, or no longer.
                if let Some(device) = self.agents.get(agent).and_then(|agent| agent.device.as_deref()) {
                    let owner = self.directory.owners.get(device).map(|owner| &**owner);
                    owner.into_iter().chain([device]).for_each(|user| self.touch_user(user, touched));
                }
            }
            Fact::User { user, .. } => self.touch_user(user, touched),
            Fact::Device { device, .. } => self.touch_user(self.user_of(device), touched),
            Fact::Queue { queue, fact } => {
                let user = match fact {
                    QueueFact::MemberAssigned { user, .. } | QueueFact::MemberRemoved { user } => Some(user.clone()),
                    QueueFact::Found { .. } | QueueFact::WrapUpSet { .. } | QueueFact::Described(_) => None,
                };
                self.touch_queue(queue, user, touched);
            }
            Fact::Leg { call, leg, fact } => {
                if let LegFact::Dialing(party) | LegFact::Ringing(party) = fact {
                    self.touch_party(&party.device, party.queue.as_deref(), touched);
                }
                if let Some(leg) = self.calls.get(call).and_then(|call| call.legs.get(leg)) {
                    self.touch_party(&leg.device, leg.queue.as_deref(), touched);
                }
            }
            Fact::Call { call, fact } => {
                let supervisors = self.calls.get(call).into_iter().flat_map(|call| call.supervisors.keys());
                match fact {
                    CallFact::Queued { queue, .. }
                    | CallFact::QueueTaken { queue, .. }
                    | CallFact::Dequeued { queue, .. } => self.touch_queue(queue, None, touched),
                    CallFact::SupervisionBegan { by, .. } | CallFact::SupervisionEnded { by } => {
                        self.touch_user(self.user_of(by), touched);
                    }
                    CallFact::Ended { .. } => {
                        supervisors.for_each(|by| self.touch_user(self.user_of(by), touched));
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
            Fact::Founded { .. }
            | Fact::Switch { .. }
            | Fact::Request { .. }
            | Fact::Client { .. }
            | Fact::List { .. }
            | Fact::Callback { .. }
            | Fact::Alert { .. } => {}
        }
    }

    fn touch_party(&self, device: &str, queue: Option<&str>, touched: &mut Touched) {
        self.touch_user(self.user_of(device), touched);
        if let Some(queue) = queue {
            self.touch_queue(queue, None, touched);
        }
    }

    fn touch_user(&self, user: &str, touched: &mut Touched) {
        for queue in self.queues_of(user) {
            self.touch_queue(queue, Some(String::from(user)), touched);
        }
    }

    fn touch_queue(&self, queue: &str, user: Option<String>, touched: &mut Touched) {
        if self.directory.tallies.contains_key(queue) {
            touched.queues.insert((String::from(queue), user));
        }
    }
}
