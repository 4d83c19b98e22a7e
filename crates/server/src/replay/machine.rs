//! A stage for recordings: what replay, tests and benches run recorded sessions on.

use cordboard_core::{Event, Time, World};
use cordboard_dialects::Position;
use cordboard_switches::asterisk::snapshot::Tagged;
use cordboard_switches::asterisk::{Picture, PictureSettings};

use super::recording::Recording;
use crate::stage::Stage;

/// A connector and a world, driven by recorded messages and their times.
#[derive(Debug)]
pub struct Machine {
    /// What is known of the switch, and what is true.
    pub stage: Stage<Picture>,
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
        let stage = Stage::new(tenant, Time(0), Picture::new(settings));
        Self { stage, messages: 0, malformed: 0, snapshots: 0 }
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
        self.stage.source.handle_tagged(now, tagged);
        self.stage.drain(tell);
    }

    /// The connection is lost.
    pub fn close(&mut self, now: Time, tell: &mut impl FnMut(&World, Position, &Event)) {
        self.run_until(now, tell);
        self.stage.source.handle_closed(now, "the recorded connection ended");
        self.stage.drain(tell);
    }

    /// Lets time pass: whatever falls due is done at its own time.
    pub fn run_until(&mut self, now: Time, tell: &mut impl FnMut(&World, Position, &Event)) {
        self.stage.run_until(now, tell);
    }
}
