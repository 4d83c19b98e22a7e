//! What the built-in switch, the engine and a vocabulary do together on one core: a lively centre lived as fast as it goes.

use std::time::{Duration, Instant};

use cordboard_core::{Input, Observation, Time, World, decide, evolve};
use cordboard_dialects::{Dialect, Position, Settings};
use cordboard_switches::centre::Centre;
use cordboard_switches::{Output, Switch};
use serde_json::json;

use crate::cli::Failure;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The life of the centre
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The vocabulary
    #[arg(long, default_value = "genesys")]
    dialect: String,
    /// How long
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// A moment of no meaning.
const BEGIN: Time = Time(1_800_000_000_000_000);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dialect = super::dialect(&args.dialect)?;
    let length = super::length(args.seconds)?;
    let mut engine = Engine { world: World::default(), dialect, sequence: 0, bytes: 0, messages: Vec::new() };
    engine.take(&Input::Found { tenant: "bench".to_owned(), at: BEGIN });
    let mut centre = Centre::new("house", args.seed, 1);
    let (mut now, mut in_engine) = (BEGIN, Duration::ZERO);
    let begun = Instant::now();
    while begun.elapsed() < length {
        centre.handle_timeout(now);
        let heard = Instant::now();
        while let Some(output) = centre.poll_output() {
            if let Output::Observed(observation) = output {
                engine.hear(observation);
            }
        }
        in_engine += heard.elapsed();
        now = centre.poll_timeout().unwrap_or_else(|| now.plus_ms(1_000));
    }
    let took = begun.elapsed();
    let events = engine.sequence.max(1);
    super::line(&json!({
        "bench": "boxed",
        "dialect": dialect.name,
        "seed": args.seed,
        "events": events,
        "events_per_s": (events as f64 / took.as_secs_f64()).round(),
        "us_per_event": (took.as_secs_f64() * 1e9 / events as f64).round() / 1_000.0,
        "us_per_event_in_engine": (in_engine.as_secs_f64() * 1e9 / events as f64).round() / 1_000.0,
        "lived_s": now.micros_since(BEGIN) / 1_000_000,
        "message_bytes_per_event": engine.bytes / events,
    }))
}

/// The loop without its log.
struct Engine {
    world: World,
    dialect: &'static Dialect,
    sequence: u64,
    bytes: u64,
    messages: Vec<cordboard_dialects::Message>,
}

impl Engine {
    fn hear(&mut self, observation: Observation) {
        while let Some(due) = self.world.next_timer().filter(|due| *due <= observation.at) {
            self.take(&Input::Elapsed(due));
        }
        self.take(&Input::Observed(observation));
    }

    fn take(&mut self, input: &Input) {
        for event in decide(&self.world, input) {
            evolve(&mut self.world, &event);
            self.sequence += 1;
            let place = Position { epoch: 1, sequence: self.sequence };
            (self.dialect.project)(&Settings::default(), &self.world, place, &event, &mut self.messages);
            self.bytes += self.messages.drain(..).map(|message| message.value.len() as u64).sum::<u64>();
        }
    }
}
