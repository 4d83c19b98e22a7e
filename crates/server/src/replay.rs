//! Offline replay: a recorded session in, messages or a report out. The way of an event is the same as live, without
//! the log: recording, connector, `decide`, `evolve`, dialect.

mod directory;
mod machine;
mod recording;
mod report;

use std::io::Write;
use std::path::PathBuf;

pub use machine::Machine;
pub use recording::Recording;
pub use report::report;

/// What `cordboard replay` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder with `ami.jsonl` (and `ami.2.jsonl`, `sent.jsonl`, …), or one `.jsonl` or `.raw` file
    pub path: PathBuf,
    /// What was recorded
    #[arg(long, value_enum, default_value_t = Source::AsteriskAmi)]
    pub from: Source,
    /// The vocabulary of the messages
    #[arg(long, default_value = "cordboard")]
    pub dialect: String,
    /// Print one JSON object that tells what happened, instead of messages
    #[arg(long, conflicts_with = "dialect")]
    pub report: bool,
    /// A TOML file that tells what cannot be heard: trunks, extensions, queues' wrap-up times, wanted variables
    #[arg(long, value_name = "FILE")]
    pub directory: Option<PathBuf>,
    /// The tenant to say it for
    #[arg(long, default_value = "default")]
    pub tenant: String,
}

/// Kinds of recorded sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Asterisk's manager interface
    AsteriskAmi,
}

/// Replays as asked, to `out`.
///
/// # Errors
/// When the recording or directory cannot be read, the dialect is not known, or `out` cannot be written.
pub fn run(args: &Args, out: &mut impl Write) -> Result<(), ReplayError> {
    let recording = Recording::read(&args.path)?;
    let settings = match &args.directory {
        Some(path) => directory::read(path)?,
        None => Default::default(),
    };
    let machine = Machine::new(&args.tenant, recording::learn_wrapup(&recording, settings));
    if args.report {
        let report = report(machine, &recording);
        serde_json::to_writer_pretty(&mut *out, &report).map_err(|error| ReplayError::Write(error.into()))?;
        return writeln!(out).map_err(ReplayError::Write);
    }
    let dialect = cordboard_dialects::find(&args.dialect).ok_or_else(|| ReplayError::NoSuchDialect {
        name: args.dialect.clone(),
        known: cordboard_dialects::DIALECTS.iter().map(|dialect| dialect.name).collect::<Vec<_>>().join(", "),
    })?;
    let mut teller = cordboard_dialects::Teller::new(dialect);
    let mut failed = Ok(());
    let mut messages = Vec::new();
    let dialects = cordboard_dialects::Settings::default();
    machine.play(&recording, |world, position, event| {
        teller.say(&dialects, world, position, event, &mut messages);
        for message in messages.drain(..) {
            let key = serde_json::Value::from(message.key);
            let line =
                writeln!(out, "{{\"channel\":\"{}\",\"key\":{key},\"value\":{}}}", message.channel, message.value);
            failed = std::mem::replace(&mut failed, Ok(())).and(line);
        }
    });
    failed.map_err(ReplayError::Write)
}

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing to replay.
    #[error("{path} holds no recording: expected a folder with ami.jsonl, or a file that ends in .jsonl or .raw")]
    NoRecording {
        /// Where.
        path: PathBuf,
    },
    /// A line is not what it should be.
    #[error("{path}, line {line}: {why}; expected {{\"at_ms\": number, \"headers\": [[name, value], …]}}")]
    Line {
        /// In which file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The directory is not right.
    #[error("{path}: {why}")]
    Directory {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The dialect is not known.
    #[error("there is no dialect {name:?}; there are: {known}")]
    NoSuchDialect {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Writing failed.
    #[error("cannot write: {0}")]
    Write(std::io::Error),
}
