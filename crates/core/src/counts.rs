//! What can be counted of a queue at a moment.

use alloc::collections::BTreeSet;

use crate::agent::AgentState;
use crate::call::LegState;
use crate::condition::QueueCounter;
use crate::event::Reach;
use crate::ids::{CallId, Time};
use crate::world::{Agent, Device, Queue, World};

/// The counters of a queue; what each of them counts is said at [`QueueCounter`] and below.
///
/// Agents are those who are logged in to the queue on its switch, and those who are assigned to it in the directory. Who
/// is logged in is *away for long*, or *serves* the queue; who serves it is *away for a moment*, picks calls, is reserved,
/// or is free: `logged_in = serving + long_away`, `serving >= short_away + free`, `agents >= logged_in`. Every call of the
/// queue is counted once: `calls = waiting + offered + connected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QueueCounts {
    /// Who is logged in to it or assigned to it.
    pub agents: u64,
    /// Who is logged in to it, away or not.
    pub logged_in: u64,
    /// Who is logged in to it and not away for long.
    pub serving: u64,
    /// Who can be offered a call of it right now: see [`World::can_be_offered`]; and is not paused in it.
    pub free: u64,
    /// Who is logged in to it and away for long: not ready, paused in it, takes no part in it for now, has set another
    /// availability than "available", or works at a telephone that is out of service or not to be disturbed.
    pub long_away: u64,
    /// Who serves it and is away for a moment: in a call (from its first ring or digit to its end), taking part in
    /// somebody's call unseen, or in after-call work.
    pub short_away: u64,
    /// Who is logged in to it and in after-call work.
    pub in_wrap_up: u64,
    /// Who is logged in to it and picks calls.
    pub picking: u64,
    /// Its calls: `waiting + offered + connected`.
    pub calls: u64,
    /// Its calls that wait and are offered to nobody.
    pub waiting: u64,
    /// Its calls that ring at an agent of it, and that no agent of it has answered.
    pub offered: u64,
    /// Its calls that an agent has to whom the queue offered them, held ones included.
    pub connected: u64,
    /// For how long the oldest of those has waited that its switch still holds in it, offered or not, in whole seconds.
    pub longest_wait_s: u64,
}

impl QueueCounts {
    /// A counter by its name.
    #[must_use]
    pub fn get(&self, counter: QueueCounter) -> i64 {
        let count = match counter {
            QueueCounter::Agents => self.agents,
            QueueCounter::LoggedIn => self.logged_in,
            QueueCounter::Serving => self.serving,
            QueueCounter::Free => self.free,
            QueueCounter::LongAway => self.long_away,
            QueueCounter::ShortAway => self.short_away,
            QueueCounter::InWrapUp => self.in_wrap_up,
            QueueCounter::Picking => self.picking,
            QueueCounter::Calls => self.calls,
            QueueCounter::Waiting => self.waiting,
            QueueCounter::Offered => self.offered,
            QueueCounter::Connected => self.connected,
            QueueCounter::LongestWaitS => self.longest_wait_s,
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}

impl World {
    /// The counters of a queue; all are 0 for one that is not known. Costs as many steps as the queue has agents and calls.
    #[must_use]
    pub fn queue_counts(&self, name: &str, now: Time) -> QueueCounts {
        let Some(queue) = self.queues.get(name) else { return QueueCounts::default() };
        let mut counts = QueueCounts::default();
        let absent = queue.assigned.keys().filter(|user| !queue.members.contains(*user));
        for agent in queue.members.iter().chain(absent) {
            if let Some(standing) = self.standing(name, queue, agent, now) {
                standing.count(&mut counts, 1);
            }
        }
        self.count_calls(queue, now, &mut counts);
        counts
    }

    /// Whether somebody may be offered a call right now: is logged in to a queue and ready for at least one, has set no other
    /// availability than "available", is in no call and takes part in none unseen, has no after-call work, works at a
    /// telephone that is not out of service nor on do-not-disturb, does not pick calls, and is reserved by nobody.
    #[must_use]
    pub fn can_be_offered(&self, user: &str, now: Time) -> bool {
        let agent = self.agents.get(user).filter(|agent| !agent.queues.is_empty());
        agent.is_some_and(|agent| self.hindrance(user, agent, now) == Hindrance::None)
    }

    /// Whether somebody could take a call right now: can be offered one, or would pick it.
    #[must_use]
    pub fn can_take_call(&self, user: &str, now: Time) -> bool {
        let agent = self.agents.get(user);
        agent.is_some_and(|agent| matches!(self.hindrance(user, agent, now), Hindrance::None | Hindrance::Picks))
    }

    /// The calls of a queue.
    pub(crate) fn count_calls(&self, queue: &Queue, now: Time, counts: &mut QueueCounts) {
        let (mut offered, mut connected) = (BTreeSet::<CallId>::new(), BTreeSet::<CallId>::new());
        for (id, leg) in &queue.offers {
            let Some(leg) = self.calls.get(id).and_then(|call| call.legs.get(leg)) else { continue };
            match leg.state {
                LegState::New | LegState::Dialing | LegState::Ringing => _ = offered.insert(*id),
                LegState::Connected | LegState::Held | LegState::Parked => _ = connected.insert(*id),
                LegState::Bridged | LegState::Ended => {}
            }
        }
        offered.retain(|id| !connected.contains(id));
        let elsewhere = offered.iter().chain(&connected).filter(|id| queue.waiting.contains_key(id));
        counts.waiting = queue.waiting.len().saturating_sub(elsewhere.count()) as u64;
        (counts.offered, counts.connected) = (offered.len() as u64, connected.len() as u64);
        counts.calls = counts.waiting + counts.offered + counts.connected;
        let oldest = queue.waiting.values().min();
        counts.longest_wait_s = oldest.map_or(0, |since| now.micros_since(*since) / MICROS_A_SECOND);
    }

    /// How somebody stands to a queue; none for somebody who has nothing to do with it.
    pub(crate) fn standing(&self, name: &str, queue: &Queue, user: &str, now: Time) -> Option<Standing> {
        let membership = queue.assigned.get(user);
        let agent = self.agents.get(user).filter(|_| queue.members.contains(user));
        let Some(agent) = agent else { return membership.map(|_| Standing::default()) };
        let paused = agent.queues.get(name).is_some_and(Option::is_some);
        let inactive = membership.is_some_and(|membership| !membership.active);
        let hindrance = if paused || inactive { Hindrance::LongAway } else { self.hindrance(user, agent, now) };
        Some(Standing {
            logged_in: true,
            hindrance,
            wraps_up: agent.state == AgentState::AfterCallWork,
            picks: self.directory.users.get(user).is_some_and(|user| user.picks_calls),
        })
    }

    /// What keeps an agent from the next call, whatever the queue; what keeps for longer comes first.
    fn hindrance(&self, user: &str, agent: &Agent, now: Time) -> Hindrance {
        let known = self.directory.users.get(user);
        let reach = known.map_or(Reach::Available, |user| user.reach_now(now));
        let device = agent.device.as_deref().and_then(|device| self.devices.get(device));
        let dead = |device: &Device| device.in_service == Some(false) || device.dnd;
        let away = match agent.state {
            AgentState::LoggedOut | AgentState::NotReady => true,
            AgentState::Ready | AgentState::AfterCallWork => false,
        };
        if away || reach != Reach::Available || device.is_some_and(dead) {
            return Hindrance::LongAway;
        }
        let supervises = device.is_some_and(|device| device.supervising.is_some());
        if agent.state == AgentState::AfterCallWork || supervises || self.talks(user) {
            return Hindrance::ShortAway;
        }
        if known.is_some_and(|user| user.picks_calls) {
            return Hindrance::Picks;
        }
        let reserved = agent.reserved.as_ref().is_some_and(|(_, until, _)| *until > now);
        if reserved { Hindrance::Reserved } else { Hindrance::None }
    }
}

pub(crate) const MICROS_A_SECOND: u64 = 1_000_000;

/// What keeps an agent from the next call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum Hindrance {
    #[default]
    None,
    LongAway,
    ShortAway,
    Picks,
    Reserved,
}

/// How somebody stands to a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Standing {
    logged_in: bool,
    hindrance: Hindrance,
    wraps_up: bool,
    picks: bool,
}

impl Standing {
    /// Adds this one to the counters of agents, or takes it out again: `by` is 1, or its complement.
    pub(crate) fn count(self, counts: &mut QueueCounts, by: u64) {
        let add = |counter: &mut u64, is: bool| *counter = counter.wrapping_add(if is { by } else { 0 });
        let away = |hindrance| self.logged_in && self.hindrance == hindrance;
        add(&mut counts.agents, true);
        add(&mut counts.logged_in, self.logged_in);
        add(&mut counts.serving, self.logged_in && self.hindrance != Hindrance::LongAway);
        add(&mut counts.free, away(Hindrance::None));
        add(&mut counts.long_away, away(Hindrance::LongAway));
        add(&mut counts.short_away, away(Hindrance::ShortAway));
        add(&mut counts.in_wrap_up, self.logged_in && self.wraps_up);
        add(&mut counts.picking, self.logged_in && self.picks);
    }
}
