//! A world and what it listens to, in virtual time: no log, no socket, no clock. The way of an event is the same as
//! live. Replay plays recordings on it, `rehearsal` a whole site on the built-in switch.

mod rehearsal;

use cordboard_core::{Event, Input, Observation, Time, World, decide, evolve};
use cordboard_dialects::Position;
use cordboard_switches::asterisk::Picture;

pub use rehearsal::{Rehearsal, Told};

/// Timers that may run out at one moment, before it counts as one that never passes.
pub const TIMEOUTS_AT_ONCE_MAX: u32 = 100_000;

/// What says observations: a connector without its bytes.
pub trait Source {
    /// The next observation; drain until none after every `handle_*`.
    fn poll_observation(&mut self) -> Option<Observation>;
    /// When to call [`Source::handle_timeout`] at the latest.
    fn poll_timeout(&self) -> Option<Time>;
    /// Time has come to what [`Source::poll_timeout`] asked for.
    fn handle_timeout(&mut self, now: Time);
}

impl Source for Picture {
    fn poll_observation(&mut self) -> Option<Observation> {
        self.poll()
    }

    fn poll_timeout(&self) -> Option<Time> {
        Self::poll_timeout(self)
    }

    fn handle_timeout(&mut self, now: Time) {
        Self::handle_timeout(self, now);
    }
}

/// A world and its source.
#[derive(Debug)]
pub struct Stage<S> {
    /// What is listened to.
    pub source: S,
    /// What is true.
    pub world: World,
    /// Events so far; the one that founded the log is not counted.
    pub sequence: u64,
    /// A moment that did not pass: its timers ran out again and again. Never, unless there is a mistake in the source.
    pub stuck: Option<Time>,
}

impl<S: Source> Stage<S> {
    /// An empty world for a tenant.
    #[must_use]
    pub fn new(tenant: &str, founded: Time, source: S) -> Self {
        let mut world = World::default();
        for event in decide(&world, &Input::Found { tenant: tenant.to_string(), at: founded }) {
            evolve(&mut world, &event);
        }
        Self { source, world, sequence: 0, stuck: None }
    }

    /// Lets time pass: whatever falls due is done at its own time. `tell` is called after each event, with the world as it
    /// is then.
    pub fn run_until(&mut self, now: Time, tell: &mut (impl FnMut(&World, Position, &Event) + ?Sized)) {
        let mut at_once = (Time(0), 0_u32);
        loop {
            let next = [self.source.poll_timeout(), self.world.next_timer()].into_iter().flatten().min();
            let Some(due) = next.filter(|due| *due <= now) else { return };
            at_once = if at_once.0 == due { (due, at_once.1 + 1) } else { (due, 1) };
            if at_once.1 > TIMEOUTS_AT_ONCE_MAX {
                self.stuck = Some(due);
                return;
            }
            self.source.handle_timeout(due);
            self.drain(tell);
            self.take(&Input::Elapsed(due), tell);
        }
    }

    /// Takes in everything the source has to say.
    pub fn drain(&mut self, tell: &mut (impl FnMut(&World, Position, &Event) + ?Sized)) {
        while let Some(observation) = self.source.poll_observation() {
            self.take(&Input::Observed(observation), tell);
        }
    }

    /// Takes in one input.
    pub fn take(&mut self, input: &Input, tell: &mut (impl FnMut(&World, Position, &Event) + ?Sized)) {
        for event in decide(&self.world, input) {
            self.sequence += 1;
            evolve(&mut self.world, &event);
            tell(&self.world, Position { epoch: 1, sequence: self.sequence }, &event);
        }
    }
}
