//! What one event costs in the core and a dialect, in a small centre and in a large one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cordboard_core::event::{DeviceKind, Origin};
use cordboard_core::observation::{AgentSeen, DeviceSeen, Observation, QueueSeen, Seen};
use cordboard_core::{Input, Time, World, decide, evolve};
use cordboard_dialects::{Dialect, Position, Settings};
use cordboard_switches::asterisk::{Picture, PictureSettings};
use serde_json::json;

use crate::cli::Failure;
use crate::replay::Recording;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A recorded session, as for `cordboard replay`
    recording: PathBuf,
    /// The vocabulary
    #[arg(long, default_value = "genesys")]
    dialect: String,
    /// How long each measurement takes
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// Queues and agents of the centres that the session is played in, besides its own.
const CENTRES: [(usize, usize); 3] = [(0, 0), (40, 75), (40_000, 75_000)];
/// Added to the time of the session, so that the centre was there before.
const BEGIN_US: u64 = 1_000_000;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dialect = super::dialect(&args.dialect)?;
    let length = super::length(args.seconds)?;
    let recording = Recording::read(&args.recording).map_err(Failure::failed)?;
    let inputs = inputs(&recording);
    for (queues, agents) in CENTRES {
        // One centre, whose day is the session over and over: every call of it has ended when it begins again.
        let mut world = centre(queues, agents);
        let (mut events, mut bytes, mut took) = (0, 0, Duration::ZERO);
        while took < length {
            let round = shifted(&inputs, world.now);
            let begun = Instant::now();
            let (said, written) = play(&mut world, &round, dialect);
            took += begun.elapsed();
            (events, bytes) = (events + said, bytes + written);
        }
        if events == 0 {
            return Err(Failure::failed("the recording causes no events"));
        }
        let us_per_event = took.as_secs_f64() * 1e6 / events as f64;
        super::line(&json!({
            "bench": "core",
            "dialect": dialect.name,
            "queues": queues,
            "agents": agents,
            "events": events,
            "us_per_event": (us_per_event * 1_000.0).round() / 1_000.0,
            "events_per_s": (1e6 / us_per_event).round(),
            "message_bytes_per_event": bytes / events,
        }))?;
    }
    Ok(())
}

/// The session again, after everything that was.
pub(super) fn shifted(inputs: &[Observation], now: Time) -> Vec<Observation> {
    let later = |at: Time| Time(at.0.saturating_add(now.0));
    let again =
        |input: &Observation| Observation { at: later(input.at), since: input.since.map(later), ..input.clone() };
    inputs.iter().map(again).collect()
}

/// Everything the connector concludes from the session but comparisons of the whole state, which come once a minute.
pub(super) fn inputs(recording: &Recording) -> Vec<Observation> {
    let mut picture = Picture::new(PictureSettings::default());
    let mut inputs = Vec::new();
    for part in &recording.parts {
        let mut last = Time(BEGIN_US);
        for (at_ms, tagged) in part.tagged() {
            last = Time(BEGIN_US).plus_ms(at_ms);
            while let Some(due) = picture.poll_timeout().filter(|due| *due <= last) {
                picture.handle_timeout(due);
                inputs.extend(std::iter::from_fn(|| picture.poll()));
            }
            picture.handle_tagged(last, &tagged);
            inputs.extend(std::iter::from_fn(|| picture.poll()));
        }
        picture.handle_closed(last, "the recorded connection ended");
        inputs.extend(std::iter::from_fn(|| picture.poll()));
    }
    inputs.retain(|input| !matches!(input.seen, Seen::Switch(_)));
    inputs
}

fn play(world: &mut World, inputs: &[Observation], dialect: &Dialect) -> (usize, usize) {
    let settings = Settings::default();
    let (mut events, mut bytes, mut messages) = (0, 0, Vec::new());
    let mut sequence = 0;
    for observation in inputs {
        let due = world.next_timer().filter(|due| *due <= observation.at);
        let elapsed = due.map(Input::Elapsed);
        for input in elapsed.into_iter().chain([Input::Observed(observation.clone())]) {
            for event in decide(world, &input) {
                evolve(world, &event);
                sequence += 1;
                (dialect.project)(&settings, world, Position { epoch: 1, sequence }, &event, &mut messages);
                events += 1;
                bytes += messages.drain(..).map(|message| message.value.len()).sum::<usize>();
            }
        }
    }
    (events, bytes)
}

/// A centre with so many queues and agents, each agent in one or more of the queues.
fn centre(queues: usize, agents: usize) -> World {
    let mut world = World::default();
    let mut take = |input: Input| {
        for event in decide(&world, &input) {
            evolve(&mut world, &event);
        }
    };
    take(Input::Found { tenant: "bench".to_owned(), at: Time(1) });
    let mut see = |seen: Seen| {
        let (switch, origin) = ("other".to_owned(), Origin::Live);
        take(Input::Observed(Observation { at: Time(2), since: None, origin, switch, request: None, seen }));
    };
    for queue in 0..queues {
        see(Seen::Queue { queue: format!("queue-{queue}"), seen: QueueSeen::Exist });
    }
    for agent in 0..agents {
        let device = format!("9{agent:07}");
        see(Seen::Device { device: device.clone(), seen: DeviceSeen::Exist(DeviceKind::Extension) });
        see(Seen::Device { device: device.clone(), seen: DeviceSeen::Service(true) });
        let queue = Some(format!("queue-{}", agent % queues.max(1)));
        let (name, paused) = (format!("Agent {agent}"), None);
        see(Seen::Agent { agent: format!("a{agent}"), seen: AgentSeen::Join { queue, device, name, paused } });
    }
    world
}
