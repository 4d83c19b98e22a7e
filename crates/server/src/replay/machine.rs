//! Connector and core without a log: what replay, tests and benches run recordings on.

use cordboard_core::{Event, Input, Time, World, decide, evolve};
use cordboard_dialects::Position;
use cordboard_switches::asterisk::snapshot::Tagged;
use cordboard_switches::asterisk::{Picture, PictureSettings};

use super::recording::Recording;

/// A connector and a world, driven by recorded messages and their times.
#[derive(Debug)]
pub struct Machine {
    /// What is known of the switch.
    pub picture: Picture,
    /// What is true.
    pub world: World,
    /// Events so far.
    pub sequence: u64,
    /// Messages taken in.
    pub messages: u64,
    /// Messages that broke the protocol.
    pub malformed: u64,
    /// Snapshots after the first.
    pub snapshots: u64,
}

impl Machine {
    /// An empty world for a tenant.
    #[must_use]
    pub fn new(tenant: &str, settings: PictureSettings) -> Self {
        let mut world = World::default();
        for event in decide(&world, &Input::Found { tenant: tenant.to_string(), at: Time(0) }) {
            evolve(&mut world, &event);
        }
        Self { picture: Picture::new(settings), world, sequence: 0, messages: 0, malformed: 0, snapshots: 0 }
    }

    /// Plays a whole recording, and on until no timer runs any more. `tell` is called after each event, with the world
    /// as it is then.
    pub fn play(mut self, recording: &Recording, mut tell: impl FnMut(&World, Position, &Event)) -> Self {
        for (number, part) in recording.parts.iter().enumerate() {
            self.malformed += part.malformed;
            let mut last = Time(0);
            for (at_ms, tagged) in part.tagged() {
                last = Time(at_ms.saturating_mul(1_000));
                self.take(last, &tagged, &mut tell);
            }
            self.messages += part.messages.len() as u64;
            if number + 1 < recording.parts.len() {
                self.close(last, &mut tell);
            }
        }
        self.run_until(Time(u64::MAX), &mut tell);
        self
    }

    /// Takes in one message of a connection.
    pub fn take(&mut self, now: Time, tagged: &Tagged, tell: &mut impl FnMut(&World, Position, &Event)) {
        self.run_until(now, tell);
        self.snapshots += u64::from(*tagged == Tagged::SnapshotComplete);
        self.picture.handle_tagged(now, tagged);
        self.drain(tell);
    }

    /// The connection is lost.
    pub fn close(&mut self, now: Time, tell: &mut impl FnMut(&World, Position, &Event)) {
        self.run_until(now, tell);
        self.picture.handle_closed(now, "the recorded connection ended");
        self.drain(tell);
    }

    /// Lets time pass: whatever falls due is done at its own time.
    pub fn run_until(&mut self, now: Time, tell: &mut impl FnMut(&World, Position, &Event)) {
        loop {
            let next = [self.picture.poll_timeout(), self.world.next_timer()].into_iter().flatten().min();
            let Some(due) = next.filter(|due| *due <= now) else { return };
            self.picture.handle_timeout(due);
            self.drain(tell);
            self.apply(&Input::Elapsed(due), tell);
        }
    }

    fn drain(&mut self, tell: &mut impl FnMut(&World, Position, &Event)) {
        while let Some(observation) = self.picture.poll() {
            self.apply(&Input::Observed(observation), tell);
        }
    }

    fn apply(&mut self, input: &Input, tell: &mut impl FnMut(&World, Position, &Event)) {
        for event in decide(&self.world, input) {
            self.sequence += 1;
            evolve(&mut self.world, &event);
            tell(&self.world, Position { epoch: 1, sequence: self.sequence }, &event);
        }
    }
}
