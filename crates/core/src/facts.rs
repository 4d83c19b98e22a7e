//! What is true of a person at a moment, across telephones, queues and calls.

use crate::agent::AgentState;
use crate::call::LegState;
use crate::event::{Availability, DeviceKind, Reach};
use crate::ids::Time;
use crate::world::{Call, Device, Leg, World, WrapUp};

/// What is true of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserFacts<'w> {
    /// In a call at one of the person's telephones: from its first ring or digit to its end, also while it is on hold.
    pub talking: bool,
    /// Since when that is so; none where there was never a call.
    pub talking_changed: Option<Time>,
    /// The queue that offered the call in progress; the call answered comes before one that still rings.
    pub active_queue: Option<&'w str>,
    /// The call list whose callback the call in progress is an attempt at.
    pub active_list: Option<&'w str>,
    /// Whether the person can be reached.
    pub reach: Reach,
    /// The availability that says so; none where none is set.
    pub availability: Option<&'w Availability>,
    /// Why, in the person's words; empty where nobody said.
    pub note: &'w str,
    /// Is logged in to serve queues.
    pub serving: bool,
    /// How many of the person's telephones can be called.
    pub terminals: usize,
    /// How many queues the person serves and is not paused in.
    pub active_queues: usize,
    /// How many calls wait on parking places where the person put them.
    pub parked_calls: usize,
    /// After-call work under way.
    pub wrapup: Option<&'w WrapUp>,
    /// Works on callbacks.
    pub serves_callbacks: bool,
    /// Picks calls instead of being offered them.
    pub picks_calls: bool,
    /// Can be offered a call right now: see [`World::can_be_offered`].
    pub can_be_offered: bool,
    /// Can take a call right now: as above, also where the person picks it instead of being offered it.
    pub can_take_call: bool,
}

impl World {
    /// Whose telephone this is: of the agent logged in on it, else of the person in the directory whose own it is, else of
    /// a person who is named like the telephone.
    #[must_use]
    pub fn user_of<'w>(&'w self, device: &'w str) -> &'w str {
        let agent = self.agent_on(device);
        agent.or_else(|| self.directory.owners.get(device).map(|owner| &**owner)).unwrap_or(device)
    }

    /// The telephones of a person: those that [`World::user_of`] says are.
    pub fn devices_of<'w>(&'w self, user: &'w str) -> impl Iterator<Item = (&'w str, &'w Device)> + use<'w> {
        let works_at = self.agents.get(user).and_then(|agent| agent.device.as_deref());
        let profile = self.directory.users.get(user).and_then(|user| user.profile.as_ref());
        let own = profile.into_iter().flat_map(|profile| profile.devices.iter().map(|device| &**device));
        let own = own.filter(move |device| Some(*device) != works_at);
        let named = Some(user).filter(|user| Some(*user) != works_at);
        let named = named.filter(move |user| profile.is_none_or(|it| !it.devices.iter().any(|own| own == user)));
        let all = works_at.into_iter().chain(own).chain(named);
        all.filter(move |device| self.user_of(device) == user).filter_map(|name| Some((name, self.devices.get(name)?)))
    }

    /// Whether there is such a person: in the directory, as an agent, or as the user of a telephone without a name.
    #[must_use]
    pub fn is_user(&self, user: &str) -> bool {
        self.directory.users.contains_key(user)
            || self.agents.contains_key(user)
            || self.devices.get(user).is_some_and(|device| device.kind == DeviceKind::Extension)
                && self.user_of(user) == user
    }

    /// The queues that count a person: served now, or assigned to in the directory; some twice.
    pub fn queues_of<'w>(&'w self, user: &str) -> impl Iterator<Item = &'w str> + use<'w> {
        let served = self.agents.get(user).into_iter().flat_map(|agent| agent.queues.keys());
        let assigned = self.directory.users.get(user).into_iter().flat_map(|user| &user.assigned);
        served.chain(assigned).map(|queue| &**queue)
    }

    /// What is true of a person, known or not. Costs as many steps as the person has telephones, calls and queues.
    #[must_use]
    pub fn user_facts<'w>(&'w self, user: &'w str, now: Time) -> UserFacts<'w> {
        let mut facts = UserFacts::default();
        let agent = self.agents.get(user);
        if let Some(known) = self.directory.users.get(user) {
            facts.availability = known.availability_now(now);
            (facts.serves_callbacks, facts.picks_calls) = (known.serves_callbacks, known.picks_calls);
        }
        if let Some(availability) = facts.availability {
            (facts.reach, facts.note) = (availability.reach, &availability.note);
        }
        if let Some(agent) = agent.filter(|agent| agent.state != AgentState::LoggedOut) {
            facts.serving = !agent.queues.is_empty();
            facts.active_queues = agent.queues.values().filter(|pause| pause.is_none()).count();
            facts.wrapup = agent.wrapup.as_ref();
            if facts.note.is_empty() {
                facts.note = &agent.reason;
            }
        }
        let (mut began, mut ended) = (None, None);
        for (name, device) in self.devices_of(user) {
            let works_here = agent.is_some_and(|agent| agent.device.as_deref() == Some(name));
            facts.terminals += usize::from(device.in_service.unwrap_or(works_here));
            facts.parked_calls += device.parked.len();
            if device.in_call {
                facts.talking = true;
                began = began.into_iter().chain(device.calls_changed).min();
            } else {
                ended = ended.into_iter().chain(device.calls_changed).max();
            }
            self.note_call(device, &mut facts);
        }
        facts.talking_changed = if facts.talking { began } else { ended };
        facts.can_be_offered = self.can_be_offered(user, now);
        facts.can_take_call = self.can_take_call(user, now);
        facts
    }

    /// The supervisors who want to be told of calls of somebody that can be joined.
    pub fn watchers(&self, agent: &str) -> impl Iterator<Item = &str> {
        self.directory.watchers.get(agent).into_iter().flatten().map(|watcher| &**watcher)
    }

    /// Whether somebody is in a call.
    pub(crate) fn talks(&self, user: &str) -> bool {
        self.devices_of(user).any(|(_, device)| device.in_call)
    }

    /// Whether a telephone is in a call, counted anew from its legs.
    pub(crate) fn is_in_call(&self, device: &Device) -> bool {
        self.legs_at(device).any(|(_, leg)| match leg.state {
            LegState::Dialing | LegState::Ringing | LegState::Connected | LegState::Held | LegState::Parked => true,
            LegState::New | LegState::Bridged | LegState::Ended => false,
        })
    }

    fn legs_at<'w>(&'w self, device: &'w Device) -> impl Iterator<Item = (&'w Call, &'w Leg)> {
        device.legs.iter().filter_map(|(call, leg)| {
            let call = self.calls.get(call)?;
            Some((call, call.legs.get(leg)?))
        })
    }

    /// The call in progress is the one answered, else the one that rings.
    fn note_call<'w>(&'w self, device: &'w Device, facts: &mut UserFacts<'w>) {
        for (call, leg) in self.legs_at(device) {
            let queue = leg.queue.as_deref();
            if queue.is_some() && (leg.answered.is_some() || facts.active_queue.is_none()) {
                facts.active_queue = queue;
            }
            let list = self.directory.list_calls.get(&call.conn).map(|list| &**list);
            facts.active_list = facts.active_list.or(list);
        }
    }
}
