//! A whole site in virtual time: the built-in switch, a world, and dialects that say what happens.

use cordboard_core::event::RequestFact;
use cordboard_core::{Event, Fact, Input, Observation, Request, Time, World, order};
use cordboard_dialects::{Dialect, Message, Position, Settings, Teller};
use cordboard_switches::boxed::{Boxed, Happening, Site};
use cordboard_switches::{Output, Switch};

use super::{Source, Stage};

/// A site that is played: requests, happenings and time in, events and their messages out. After each of them everything
/// that follows without time passing has been done.
pub struct Rehearsal {
    stage: Stage<Boxed>,
    now: Time,
    dialects: Vec<Teller>,
    settings: Settings,
}

/// An event and how it was said.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its place among all events.
    pub position: Position,
    /// The event.
    pub event: Event,
    /// What each dialect said of it, in the order in which they were asked for.
    pub messages: Vec<Vec<Message>>,
}

impl Source for Boxed {
    fn poll_observation(&mut self) -> Option<Observation> {
        loop {
            match self.poll_output()? {
                Output::Observed(observation) => return Some(observation),
                // It has no line that could be opened, cut or written to, and nobody reads notes here.
                Output::Connect | Output::Send(_) | Output::Close(_) | Output::Note(_) => {}
            }
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        Switch::poll_timeout(self)
    }

    fn handle_timeout(&mut self, now: Time) {
        Switch::handle_timeout(self, now);
    }
}

impl Rehearsal {
    /// A site at a moment, and what is told of its beginning.
    #[must_use]
    pub fn new(tenant: &str, site: Site, now: Time, dialects: &[&'static Dialect]) -> (Self, Vec<Told>) {
        let stage = Stage::new(tenant, now, Boxed::new(site, 0));
        let mut new = Self {
            stage,
            now,
            dialects: dialects.iter().map(|dialect| Teller::new(dialect)).collect(),
            settings: Settings::default(),
        };
        let told = new.then(|stage, tell| {
            stage.source.handle_connected(now);
            Switch::handle_timeout(&mut stage.source, now);
            stage.drain(tell);
        });
        (new, told)
    }

    /// What is true.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.stage.world
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether a moment did not pass; see [`Stage::stuck`].
    #[must_use]
    pub fn stuck(&self) -> Option<Time> {
        self.stage.stuck
    }

    /// A client asks for something.
    pub fn ask(&mut self, request: Request) -> Vec<Told> {
        let now = self.now;
        self.then(|stage, tell| {
            let mut asked = Vec::new();
            stage.take(&Input::Requested { at: now, request }, &mut |world, position, event| {
                if let Fact::Request { request, fact: RequestFact::Asked(_) } = &event.fact {
                    asked.push(*request);
                }
                tell(world, position, event);
            });
            for request in asked {
                if let Some((_, order)) = order(&stage.world, request) {
                    stage.source.handle_order(now, &order);
                }
            }
        })
    }

    /// A client is gone.
    pub fn leave(&mut self, client: &str) -> Vec<Told> {
        let left = Input::Left { at: self.now, client: client.to_string() };
        self.then(|stage, tell| stage.take(&left, tell))
    }

    /// Something happens around the switch. Gives the switch's key of the call it began, if it began one, or why it
    /// cannot happen.
    pub fn happen(&mut self, happening: &Happening) -> (Vec<Told>, Result<Option<String>, String>) {
        let (now, mut happened) = (self.now, Ok(None));
        let told = self.then(|stage, _| happened = stage.source.happen(now, happening));
        (told, happened)
    }

    /// Time passes; every timer runs out at its own moment.
    pub fn pass(&mut self, ms: u64) -> Vec<Told> {
        let until = self.now.plus_ms(ms);
        let told = self.then(|stage, tell| stage.run_until(until, tell));
        self.now = until;
        told
    }

    /// Does something, and then all that follows now.
    fn then(&mut self, act: impl FnOnce(&mut Stage<Boxed>, &mut dyn FnMut(&World, Position, &Event))) -> Vec<Told> {
        let Self { stage, now, dialects, settings } = self;
        let mut told = Vec::new();
        let mut tell = |world: &World, position: Position, event: &Event| {
            let say = |teller: &mut Teller| {
                let mut messages = Vec::new();
                teller.say(settings, world, position, event, &mut messages);
                messages
            };
            let messages = dialects.iter_mut().map(say).collect();
            told.push(Told { position, event: event.clone(), messages });
        };
        act(stage, &mut tell);
        stage.drain(&mut tell);
        stage.run_until(*now, &mut tell);
        told
    }
}
