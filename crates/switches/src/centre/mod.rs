//! A lively contact centre: a built-in switch with people around it who call, answer, hold, transfer, give up and go to
//! lunch. It is a switch like any other. The same seed lives the same life, whatever the clock that drives it.

mod agenda;
mod cast;
pub mod chance;
mod day;
mod scenes;
mod site;

use cordboard_core::observation::Seen;
use cordboard_core::{Observation, Order, RequestId, Time};
use std::collections::VecDeque;

use crate::boxed::{Boxed, Happening};
use crate::{Counts, Output, Switch};
use agenda::Agenda;
use cast::Cast;

/// People use their telephones without asking through the door: this marks what they do towards the switch, and is taken
/// off before anybody hears of it. Requests are numbered from 1.
const BY_HAND: RequestId = RequestId(0);

/// The centre.
#[derive(Debug)]
pub struct Centre {
    boxed: Boxed,
    cast: Cast,
    agenda: Agenda,
    out: VecDeque<Output>,
    begun: bool,
}

/// Somebody who works there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The agent's id.
    pub agent: String,
    /// A name for people.
    pub name: String,
    /// The telephone.
    pub device: String,
}

impl Centre {
    /// Who works there: agents, then supervisors.
    #[must_use]
    pub fn people() -> Vec<Person> {
        site::people()
    }

    /// Telephones of experts, who serve no queue.
    #[must_use]
    pub fn experts() -> Vec<String> {
        site::EXPERTS.iter().map(|number| (*number).to_owned()).collect()
    }

    /// Its queues, and the menu in front of them.
    #[must_use]
    pub fn queues() -> Vec<String> {
        site::DESKS.iter().map(|desk| desk.number).chain([site::MENU]).map(str::to_owned).collect()
    }

    /// Its queues, each with a name for people.
    #[must_use]
    pub fn desks() -> Vec<(String, String)> {
        site::DESKS.iter().map(|desk| (desk.number.to_owned(), desk.title.to_owned())).collect()
    }

    /// A centre on a switch of this name, which begins to live at its first timeout. `seed` is its life; `chance` makes
    /// the keys of its calls other ones than those of its earlier lives.
    #[must_use]
    pub fn new(switch: &str, seed: u64, chance: u64) -> Self {
        Self {
            boxed: Boxed::new(site::site(switch), chance),
            cast: Cast::new(seed),
            agenda: Agenda::default(),
            out: VecDeque::new(),
            begun: false,
        }
    }

    /// Something more happens around the switch than what its people do. Gives the key of the call it began.
    ///
    /// # Errors
    /// Why it cannot happen.
    pub fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        let key = self.boxed.happen(now, happening);
        self.listen(now);
        key
    }

    /// Whatever is due first, the switch's timers or what somebody planned.
    fn live_until(&mut self, now: Time) {
        loop {
            let switch = self.boxed.poll_timeout().filter(|due| *due <= now);
            let people = self.agenda.due().filter(|due| *due <= now);
            match (switch, people) {
                (None, None) => return,
                (Some(due), people) if people.is_none_or(|people| due <= people) => self.boxed.handle_timeout(due),
                (_, _) => self.scene(),
            }
            // What follows from one moment follows at that moment, however late we are called.
            let at = switch.into_iter().chain(people).min().unwrap_or(now);
            self.listen(at);
        }
    }

    fn scene(&mut self) {
        if let Some((at, act)) = self.agenda.next() {
            self.cast.play(at, act, &mut self.boxed, &mut self.agenda);
        }
    }

    /// The people hear and see what the switch says of their telephones.
    fn listen(&mut self, now: Time) {
        while let Some(output) = self.boxed.poll_output() {
            match output {
                Output::Observed(observation) => self.observed(now, observation),
                Output::Connect | Output::Send(_) | Output::Close(_) | Output::Note(_) => self.out.push_back(output),
            }
        }
    }

    fn observed(&mut self, now: Time, mut observation: Observation) {
        if observation.request == Some(BY_HAND) {
            observation.request = None;
            if matches!(observation.seen, Seen::Request { .. }) {
                return;
            }
        }
        self.cast.observe(now, &observation.seen, &mut self.agenda);
        self.out.push_back(Output::Observed(observation));
    }
}

impl Switch for Centre {
    fn handle_connected(&mut self, now: Time) {
        self.boxed.handle_connected(now);
    }

    fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.boxed.handle_bytes(now, bytes);
    }

    fn handle_closed(&mut self, now: Time, reason: &str) {
        self.boxed.handle_closed(now, reason);
    }

    fn handle_order(&mut self, now: Time, order: &Order) {
        self.boxed.handle_order(now, order);
        self.listen(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        if !std::mem::replace(&mut self.begun, true) {
            self.boxed.handle_timeout(now);
            self.listen(now);
            self.cast.begin(now, &mut self.agenda);
        }
        self.live_until(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        if !self.begun {
            return Some(Time(0));
        }
        self.boxed.poll_timeout().into_iter().chain(self.agenda.due()).min()
    }

    fn counts(&self) -> Counts {
        self.boxed.counts()
    }
}
