//! `cordboard bench`: figures of this machine, one line of JSON each.

mod ami;
mod boxed;
mod connections;
mod core;
mod crowd;
mod fanout;
mod house;
mod kafka_listener;
mod kafka_publish;
mod kafka_reader;
mod life;
mod load;
mod process;
mod requests;
mod restart;
mod web_socket;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use cordboard_dialects::Dialect;
use serde_json::json;

use super::{Failure, print};
use crate::log::{AppendError, LogWriter, Position};

/// How long an appender that meets a full backlog waits.
const BACKLOG_WAIT: Duration = Duration::from_micros(200);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Durable events a second, and the time from append to durable
    Log {
        /// A folder on the disk to measure; a folder is made in it and removed
        #[arg(long, default_value = ".")]
        dir: PathBuf,
        /// How long
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
    },
    /// Messages of an Asterisk a second, from bytes to durable events and what is said of them
    Ami(ami::Args),
    /// Time from start to ready with a million events in the log
    Restart(restart::Args),
    /// Time an event takes to be decided, folded and said in a vocabulary, with a recorded session
    Core(core::Args),
    /// Time from a request to its first durable event and to its answer, on the built-in switch
    Requests(requests::Args),
    /// Events a second of the built-in switch, the engine and a vocabulary together, on one core
    Boxed(boxed::Args),
    /// Messages of the hub a second to many clients at once, and how late they come; one client that reads nothing
    Fanout(fanout::Args),
    /// Memory and time that connections of the hub take
    Connections(connections::Args),
    /// Records a second from the Kafka listener to one consumer that is far behind, and the memory that takes
    KafkaListener(kafka_listener::Args),
    /// The consumer of `kafka-listener`, which starts this
    #[command(hide = true)]
    KafkaReader,
    /// Records a second that are published to a real Kafka, and what Kafka's own tool reaches
    KafkaPublish(kafka_publish::Args),
    /// The clients of `fanout` and `connections`, which start this
    #[command(hide = true)]
    Crowd,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Log { dir, seconds } => {
            let report = crate::log::bench::bench(dir, *seconds).map_err(Failure::failed)?;
            line(&json!({
                "bench": "log",
                "payload_bytes": report.payload_bytes,
                "events": report.events,
                "events_per_s": report.events_per_s.round(),
                "full_p50_us": report.full_p50_us,
                "full_p99_us": report.full_p99_us,
                "paced_per_s": report.paced_per_s,
                "paced_p50_us": report.paced_p50_us,
                "paced_p99_us": report.paced_p99_us,
            }))
        }
        Command::Ami(args) => ami::run(args),
        Command::Core(args) => core::run(args),
        Command::Requests(args) => requests::run(args),
        Command::Boxed(args) => boxed::run(args),
        Command::Restart(args) => restart::run(args),
        Command::Fanout(args) => fanout::run(args),
        Command::Connections(args) => connections::run(args),
        Command::KafkaListener(args) => kafka_listener::run(args),
        Command::KafkaReader => kafka_reader::run(),
        Command::KafkaPublish(args) => kafka_publish::run(args),
        Command::Crowd => load::run(),
    }
}

fn dialect(name: &str) -> Result<&'static Dialect, Failure> {
    cordboard_dialects::find(name)
        .ok_or_else(|| Failure::wrong_usage(format!("there is no dialect {name:?}; `cordboard catalogue` lists them")))
}

fn length(seconds: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds).map_err(|error| Failure::wrong_usage(format!("--seconds: {error}")))
}

/// Appends, and waits where the backlog is full.
fn append(writer: &mut LogWriter, at_us: u64, payload: &[u8]) -> Result<Position, Failure> {
    loop {
        match writer.append(at_us, payload) {
            Ok(position) => return Ok(position),
            Err(AppendError::Backlog { .. }) => std::thread::sleep(BACKLOG_WAIT),
            Err(error) => return Err(Failure::failed(error)),
        }
    }
}

fn line(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value}\n"))
}
