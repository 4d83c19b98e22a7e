//! From the bytes of an Asterisk to durable events: codec, connector, core, a dialect and the log together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_core::{Input, Time, World, decide, evolve};
use cordboard_dialects::{Dialect, Position, Settings};
use cordboard_switches::asterisk::ami::{Codec, CodecLimits, Frame};
use cordboard_switches::asterisk::snapshot::Tagged;
use cordboard_switches::asterisk::{Picture, PictureSettings};
use serde_json::json;

use crate::cli::Failure;
use crate::log::disk::RealDisk;
use crate::log::{LogConfig, LogWriter, open};
use crate::replay::Recording;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A recorded session, as for `cordboard replay`; its live messages are played over and over
    recording: PathBuf,
    /// A folder on the disk to measure; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// The vocabulary
    #[arg(long, default_value = "genesys")]
    dialect: String,
    /// How long
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// What one read from a socket brings, in bytes.
const READ_BYTES: usize = 16_384;
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dialect = super::dialect(&args.dialect)?;
    let length = super::length(args.seconds)?;
    let recording = Recording::read(&args.recording).map_err(Failure::failed)?;
    let bytes = live_bytes(&recording);
    let dir = args.dir.join("bench-ami");
    let opened = open(Arc::new(RealDisk), &dir, LogConfig::default(), 1).map_err(Failure::failed)?;
    let writer = opened.writer.into_background().map_err(Failure::failed)?;
    let mut path = Path::new(dialect, writer);
    let begun = Instant::now();
    while begun.elapsed() < length {
        path.play(&bytes)?;
    }
    let durable = path.writer.flush(FLUSH_TIMEOUT);
    let took = begun.elapsed().as_secs_f64();
    let figures = (path.messages, path.events, path.said);
    drop(path);
    std::fs::remove_dir_all(&dir).map_err(Failure::failed)?;
    if !durable {
        return Err(Failure::failed("the disk did not take the events within 30 s"));
    }
    super::line(&json!({
        "bench": "ami", "dialect": dialect.name, "messages": figures.0, "bytes_per_message": bytes.len() / recording_messages(&recording).max(1),
        "messages_per_s": (figures.0 as f64 / took).round(), "events_per_s": (figures.1 as f64 / took).round(),
        "dialect_messages_per_s": (figures.2 as f64 / took).round(),
    }))
}

/// Everything between the socket and the disk, once.
struct Path {
    codec: Codec,
    picture: Picture,
    world: World,
    writer: LogWriter,
    dialect: &'static Dialect,
    settings: Settings,
    now: Time,
    messages: u64,
    events: u64,
    said: u64,
}

impl Path {
    fn new(dialect: &'static Dialect, writer: LogWriter) -> Self {
        let mut world = World::default();
        for event in decide(&world, &Input::Found { tenant: "bench".to_owned(), at: Time(1) }) {
            evolve(&mut world, &event);
        }
        Self {
            codec: Codec::new(CodecLimits::default()),
            picture: Picture::new(PictureSettings::default()),
            world,
            writer,
            dialect,
            settings: Settings::default(),
            now: Time(1),
            messages: 0,
            events: 0,
            said: 0,
        }
    }

    fn play(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for read in bytes.chunks(READ_BYTES) {
            self.codec.handle_bytes(read);
            while let Some(frame) = self.codec.poll_frame() {
                if let Ok(Frame::Message(message)) = frame {
                    self.messages += 1;
                    // A message a millisecond: what waits for an explanation gets it, or its time comes.
                    self.now = self.now.plus_ms(1);
                    self.picture.handle_tagged(self.now, &Tagged::Live(message));
                    self.drain()?;
                }
            }
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Failure> {
        while let Some(observation) = self.picture.poll() {
            self.take(&Input::Observed(observation))?;
        }
        if self.world.next_timer().is_some_and(|due| due <= self.now) {
            self.take(&Input::Elapsed(self.now))?;
        }
        Ok(())
    }

    fn take(&mut self, input: &Input) -> Result<(), Failure> {
        let mut messages = Vec::new();
        for event in decide(&self.world, input) {
            let payload = serde_json::to_vec(&event).map_err(Failure::failed)?;
            let position = super::append(&mut self.writer, event.at.0, &payload)?;
            evolve(&mut self.world, &event);
            let position = Position { epoch: u64::from(position.epoch), sequence: position.sequence };
            (self.dialect.project)(&self.settings, &self.world, position, &event, &mut messages);
            self.events += 1;
            self.said += messages.drain(..).count() as u64;
        }
        Ok(())
    }
}

fn recording_messages(recording: &Recording) -> usize {
    recording.parts.iter().map(|part| part.messages.iter().filter(|(_, message)| message.is_event()).count()).sum()
}

/// The live messages of a recording as they stood on the wire.
fn live_bytes(recording: &Recording) -> Vec<u8> {
    let mut bytes = b"Asterisk Call Manager/13.0.0\r\n".to_vec();
    for (_, message) in recording.parts.iter().flat_map(|part| &part.messages).filter(|(_, message)| message.is_event())
    {
        for (name, value) in message.headers() {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
