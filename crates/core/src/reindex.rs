//! What is kept only so that questions cost little: made anew from everything else. A world that an older program stored
//! has less of it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::call::LegState;
use crate::directory::Named;
use crate::directory_evolve::set_reach_timer;
use crate::dues::Due;
use crate::guid::Guid;
use crate::ids::{CallId, LegId};
use crate::world::World;

impl World {
    /// The same world with its indexes made anew. Nothing changes where they are right, as they are after every event.
    #[must_use]
    pub fn reindexed(mut self) -> Self {
        self.index_legs();
        self.index_people();
        self.index_times();
        self
    }

    fn index_legs(&mut self) {
        for queue in self.queues.values_mut() {
            queue.offers.clear();
        }
        for device in self.devices.values_mut() {
            device.parked.clear();
        }
        let calls = self.calls.iter().filter(|(_, call)| !call.ended);
        let legs = calls.flat_map(|(id, call)| call.living().map(|(leg, it)| (*id, leg, it)));
        for (call, id, leg) in legs {
            if let Some(queue) = leg.queue.as_ref().and_then(|queue| self.queues.get_mut(queue)) {
                queue.offers.insert((call, id));
            }
            if let Some(by) = leg.parked_by.as_ref().and_then(|by| self.devices.get_mut(by)) {
                by.parked.insert((call, id));
            }
        }
        let in_call: Vec<bool> = self.devices.values().map(|device| self.is_in_call(device)).collect();
        for (device, in_call) in self.devices.values_mut().zip(in_call) {
            device.in_call = in_call;
        }
    }

    fn index_people(&mut self) {
        let directory = &mut self.directory;
        (directory.owners, directory.watchers, directory.named) = Default::default();
        let mut give = |guid: Option<Guid>, named: Named| guid.map(|guid| directory.named.insert(guid, named));
        for (name, user) in &mut directory.users {
            (user.assigned, user.callbacks, user.alerts) = Default::default();
            if let Some(profile) = &user.profile {
                directory.owners.extend(profile.devices.iter().map(|device| (device.clone(), name.clone())));
                give(profile.guid, Named::User(name.clone()));
            }
            for agent in &user.watches {
                directory.watchers.entry(agent.clone()).or_default().insert(name.clone());
            }
        }
        for (name, list) in &directory.lists {
            give(list.profile.guid, Named::List(name.clone()));
        }
        for (name, queue) in &self.queues {
            give(queue.profile.guid, Named::Queue(name.clone()));
            for user in queue.assigned.keys() {
                directory.users.entry(user.clone()).or_default().assigned.insert(name.clone());
            }
        }
        for (id, state) in directory.callbacks.iter().filter(|(_, state)| state.closed.is_none()) {
            if let Some(user) = &state.assigned {
                directory.users.entry(user.clone()).or_default().callbacks.insert(*id);
            }
        }
        for (id, alert) in &directory.alerts {
            directory.users.entry(alert.rule.user.clone()).or_default().alerts.insert(*id);
        }
    }

    fn index_times(&mut self) {
        for (name, agent) in &self.agents {
            let until = agent.reserved.as_ref().map(|(_, until, _)| *until);
            self.directory.dues.set(Due::Reservation(name.clone()), until);
        }
        let callback = |(id, it): (&Guid, &crate::directory::CallbackState)| {
            (*id, it.callback.details.expires.filter(|_| it.closed.is_none()))
        };
        let callbacks: Vec<_> = self.directory.callbacks.iter().map(callback).collect();
        for (id, expires) in callbacks {
            self.directory.dues.set(Due::Callback(id), expires);
        }
        let users: Vec<String> = self.directory.users.keys().cloned().collect();
        users.iter().for_each(|name| set_reach_timer(&mut self.directory, name));
        self.directory.tallies = BTreeMap::new();
        let queue = |(id, alert): (&Guid, &crate::directory::Alert)| (*id, alert.rule.queue.clone());
        let alerts: Vec<_> = self.directory.alerts.iter().map(queue).collect();
        for (id, queue) in &alerts {
            self.begin_tally(queue, *id);
        }
        let queues: Vec<String> = self.directory.tallies.keys().cloned().collect();
        queues.iter().for_each(|queue| self.set_alert_timers(queue));
    }

    /// The living legs that a queue offered its calls to, counted anew.
    pub(crate) fn offers_of(&self, name: &str) -> impl Iterator<Item = (CallId, LegId)> {
        let calls = self.calls.iter().filter(|(_, call)| !call.ended);
        let legs = calls.flat_map(|(id, call)| call.legs.iter().map(|(leg, it)| (*id, *leg, it)));
        let living = legs.filter(|(_, _, leg)| leg.state != LegState::Ended);
        living.filter(move |(_, _, leg)| leg.queue.as_deref() == Some(name)).map(|(call, id, _)| (call, id))
    }
}
