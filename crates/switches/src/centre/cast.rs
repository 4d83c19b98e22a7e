//! Who is in the centre and what they see: calls with their parties, as far as people at telephones can tell.

use std::collections::{BTreeMap, BTreeSet};

use cordboard_core::Time;
use cordboard_core::event::{Party, Role, With};
use cordboard_core::observation::{AgentSeen, CallSeen, LegSeen, Seen};

use super::agenda::{Act, Agenda, Then};
use super::chance::Chance;
use super::site;

/// Calls that are there when the demonstration begins, and how soon, in milliseconds.
const FIRST_CALLS: usize = 16;
const FIRST_CALLS_MS: u64 = 15_000;

/// The people.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) chance: Chance,
    pub(super) agents: Vec<site::Agent>,
    pub(super) begun: Time,
    pub(super) calls: BTreeMap<String, Call>,
    legs: BTreeMap<String, String>,
    /// What is wanted of a consultation that is about to begin: the call it is about, and what follows.
    pub(super) wanted: Option<Then>,
    /// Agents who take a break they planned.
    pub(super) breaks: BTreeSet<usize>,
}

/// A call as its parties see it.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// Its parties by the switch's keys.
    pub(super) legs: BTreeMap<String, Leg>,
    /// The queue it came to first.
    pub(super) queue: Option<String>,
    /// Waits in a queue now.
    pub(super) waits: bool,
    /// Somebody of the centre has talked with it.
    pub(super) served: bool,
    /// The call it is about, and what follows.
    pub(super) about: Option<(String, Then)>,
}

/// A party.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) number: String,
    pub(super) outside: bool,
    pub(super) caller: bool,
    pub(super) talks: bool,
}

impl Cast {
    pub(super) fn new(seed: u64) -> Self {
        let begun = Time(0);
        Self {
            chance: Chance::new(seed),
            agents: site::agents(),
            begun,
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            wanted: None,
            breaks: BTreeSet::new(),
        }
    }

    /// What everybody has in mind when the day begins.
    pub(super) fn begin(&mut self, now: Time, agenda: &mut Agenda) {
        self.begun = now;
        agenda.plan(now.plus_ms(300), Act::Arrive);
        // The day has begun long ago: many call at once.
        for _ in 0..FIRST_CALLS {
            agenda.plan(now.plus_ms(self.chance.ms(0, FIRST_CALLS_MS)), Act::Call);
        }
        agenda.plan(now.plus_ms(60_000), Act::Clock);
        agenda.plan(now.plus_ms(self.chance.ms(240_000, 900_000)), Act::Break);
        for agent in 0..self.agents.len() {
            agenda.plan(now.plus_ms(self.chance.ms(5_000, 300_000)), Act::Wander { agent });
        }
        for supervisor in 0..site::SUPERVISORS.len() {
            agenda.plan(now.plus_ms(self.chance.ms(15_000, 90_000)), Act::Watch { supervisor });
        }
    }

    /// Takes in what the switch says, and makes plans.
    pub(super) fn observe(&mut self, now: Time, seen: &Seen, agenda: &mut Agenda) {
        match seen {
            Seen::Call { call, seen } => self.call(now, call, seen, agenda),
            Seen::Leg { leg, seen } => self.leg(now, leg, seen, agenda),
            // Whom the switch made not ready, for a call that was not answered, comes back soon.
            Seen::Agent { agent, seen: AgentSeen::Become { ready: false, .. } } => {
                let at = self.agents.iter().position(|known| known.id == *agent);
                if let Some(agent) = at.filter(|at| !self.breaks.contains(at)) {
                    agenda.plan(now.plus_ms(self.chance.ms(15_000, 60_000)), Act::Return { agent });
                }
            }
            Seen::Switch(_) | Seen::Device { .. } | Seen::Agent { .. } | Seen::Queue { .. } | Seen::Request { .. } => {}
        }
    }

    fn call(&mut self, now: Time, key: &str, seen: &CallSeen, agenda: &mut Agenda) {
        let call = key.to_owned();
        if let CallSeen::Begin { previous, .. } = seen {
            let about = previous.clone().zip(self.wanted);
            self.calls.insert(call, Call { about, ..Call::default() });
        } else if let CallSeen::Transfer { by, consult, .. } = seen {
            self.join(key, by, consult.as_deref(), false);
        } else if let CallSeen::Join { by, consult } = seen {
            self.join(key, by, Some(consult), true);
        } else if let CallSeen::Over = seen {
            self.calls.remove(key);
        } else if let CallSeen::RouteRequest { .. } = seen {
            agenda.plan(now.plus_ms(self.chance.ms(4_000, 14_000)), Act::Key { call });
        } else if let CallSeen::Queue { queue, .. } = seen {
            let patience_ms = 8_000 + self.chance.wait_ms(80_000);
            let Some(note) = self.calls.get_mut(key) else { return };
            note.waits = true;
            if note.queue.replace(queue.clone()).is_none() {
                agenda.plan(now.plus_ms(patience_ms), Act::GiveUp { call });
            }
        } else if let (CallSeen::Dequeue { .. }, Some(note)) = (seen, self.calls.get_mut(key)) {
            note.waits = false;
        }
    }

    /// Parties of a consultation are parties of the call it was about from now on; who joined them leaves or stays.
    fn join(&mut self, key: &str, by: &str, consult: Option<&str>, stays: bool) {
        let Some(device) = self.calls.get(key).and_then(|call| call.legs.get(by)).map(|leg| leg.number.clone()) else {
            return;
        };
        let arriving = consult.and_then(|consult| self.calls.remove(consult));
        let waits = arriving.as_ref().is_some_and(|consult| consult.waits);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.waits |= waits;
        for (leg, party) in arriving.into_iter().flat_map(|consult| consult.legs) {
            if party.number != device {
                self.legs.insert(leg.clone(), key.to_owned());
                call.legs.insert(leg, Leg { caller: false, ..party });
            } else {
                self.legs.remove(&leg);
            }
        }
        if !stays {
            call.legs.remove(by);
            self.legs.remove(by);
        }
    }

    fn leg(&mut self, now: Time, key: &str, seen: &LegSeen, agenda: &mut Agenda) {
        if let LegSeen::Dial { call, party } | LegSeen::Ring { call, party } | LegSeen::Found { call, party, .. } = seen
        {
            self.arrives(key, call, party);
            if let LegSeen::Ring { .. } = seen {
                self.rings(now, call, party, agenda);
            }
            return;
        }
        let Some(call) = self.legs.get(key).cloned() else { return };
        if let LegSeen::Answer(with) = seen {
            let Some(leg) = self.calls.get_mut(&call).and_then(|call| call.legs.get_mut(key)) else { return };
            leg.talks = *with == With::Person;
            let (leg, talks) = (leg.clone(), leg.talks);
            if talks {
                self.answered(now, &call, &leg, agenda);
            }
        } else if let LegSeen::Hangup { .. } = seen {
            self.legs.remove(key);
            if let Some(note) = self.calls.get_mut(&call) {
                note.legs.remove(key);
                if note.legs.is_empty() {
                    self.calls.remove(&call);
                }
            }
        } else if let LegSeen::Move { to } = seen {
            let leg = self.calls.get_mut(&call).and_then(|call| call.legs.remove(key));
            if let (Some(leg), Some(to_call)) = (leg, self.calls.get_mut(to)) {
                to_call.legs.insert(key.to_owned(), leg);
                self.legs.insert(key.to_owned(), to.clone());
            }
        }
    }

    fn arrives(&mut self, key: &str, call: &str, party: &Party) {
        let Some(note) = self.calls.get_mut(call) else { return };
        let number = if party.outside { &party.number } else { &party.device };
        let leg = Leg {
            number: number.clone(),
            outside: party.outside,
            caller: party.role == Role::Originator && party.queue.is_none(),
            talks: false,
        };
        note.legs.insert(key.to_owned(), leg);
        self.legs.insert(key.to_owned(), call.to_owned());
    }

    /// Somebody will answer, or not.
    fn rings(&mut self, now: Time, call: &str, party: &Party, agenda: &mut Agenda) {
        let call = call.to_owned();
        if party.outside {
            let number = party.number.clone();
            agenda.plan(
                now.plus_ms(self.chance.ms(600, 2_500)),
                Act::Reach { call: call.clone(), number: number.clone() },
            );
            let fails = self.chance.permille(120);
            let after_ms = if fails { self.chance.ms(2_600, 4_000) } else { 3_000 + self.chance.wait_ms(9_000) };
            if fails {
                agenda.plan(now.plus_ms(after_ms), Act::FailOutside { call, number });
            } else if !self.chance.permille(180) {
                agenda.plan(now.plus_ms(after_ms), Act::AnswerOutside { call, number });
            }
        } else if !self.chance.permille(45) {
            let device = party.device.clone();
            agenda.plan(now.plus_ms(1_200 + self.chance.wait_ms(3_500).min(15_000)), Act::Answer { call, device });
        }
    }
}

impl Call {
    /// The party outside, if there is one.
    pub(super) fn outside(&self) -> Option<&Leg> {
        self.legs.values().find(|leg| leg.outside)
    }

    /// The switch's key of a device's leg.
    pub(super) fn leg_of(&self, device: &str) -> Option<(&String, &Leg)> {
        self.legs.iter().find(|(_, leg)| !leg.outside && leg.number == device)
    }
}
