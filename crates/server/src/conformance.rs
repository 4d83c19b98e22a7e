//! Executable call models: plays each on the built-in switch in virtual time and writes every event it causes.
//!
//! A model is translated into a story (see [`crate::scenario`]), so that models and stories are played by the same code.

mod model;
mod node;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cordboard_core::event::RequestFact;
use cordboard_core::{Fact, Time};
use cordboard_dialects::genesys::requests::{Failure, Wrong, error};
use cordboard_dialects::genesys::{self, messages::Topic};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::scenario::Player;
use crate::stage::Told;
pub use model::{Action, Model, Skip};

/// What `cordboard conformance` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the models, one `.json` file each
    pub dir: PathBuf,
    /// Write the events to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Models that were played.
    pub models: usize,
    /// Models that say themselves that they cannot be played.
    pub skipped: usize,
    /// Lines written.
    pub events: usize,
    /// Requests that were refused.
    pub refused: usize,
    /// What was wrong with models: the file, the place, and what would be right. Such a model is not played, or not to
    /// its end.
    pub wrong: Vec<String>,
}

/// One line of the output.
#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    step: Option<i64>,
    topic: Option<&'a str>,
    key: Option<&'a str>,
    value: &'a RawValue,
}

/// The tenant that models are played for.
const TENANT: &str = "conformance";

/// Plays all models of a folder.
///
/// # Errors
/// When the folder holds no models, or the events cannot be written.
pub fn run(dir: &Path, out: &mut impl Write) -> Result<Summary, ConformanceError> {
    let mut summary = Summary::default();
    for path in models(dir)? {
        let text = fs::read_to_string(&path).map_err(|source| ConformanceError::Read { path: path.clone(), source })?;
        match Model::read(&text) {
            Ok(Ok(model)) => {
                summary.models += 1;
                play(&model, &mut summary, out).map_err(ConformanceError::Write)?;
            }
            Ok(Err(Skip)) => summary.skipped += 1,
            Err(why) => summary.wrong.push(format!("{}: {why}", path.display())),
        }
    }
    Ok(summary)
}

fn models(dir: &Path) -> Result<Vec<PathBuf>, ConformanceError> {
    let read = |source| ConformanceError::Read { path: dir.to_path_buf(), source };
    let entries = fs::read_dir(dir).map_err(read)?.collect::<Result<Vec<_>, _>>().map_err(read)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    if paths.is_empty() { Err(ConformanceError::NoModels { path: dir.to_path_buf() }) } else { Ok(paths) }
}

fn play(model: &Model, summary: &mut Summary, out: &mut impl Write) -> io::Result<()> {
    let (mut player, opening) = Player::open(TENANT, &model.story, &[&genesys::DIALECT]);
    write(&model.id, None, &opening, summary, out)?;
    let mut steps = model.story.steps.iter();
    for (number, action) in &model.actions {
        let step = match action {
            Action::Step => steps.next(),
            Action::Refused(wrong) => {
                refuse(model, *number, wrong, summary, out)?;
                None
            }
        };
        let Some(step) = step else { continue };
        let played = player.step(&model.story, step);
        write(&model.id, Some(*number), &played.told, summary, out)?;
        if let Some(why) = played.impossible {
            let line = model.story.line(step);
            summary.wrong.push(format!("{}: step {number} ({line}) cannot happen: {why}", model.id));
        }
    }
    Ok(())
}

fn write(model: &str, step: Option<i64>, told: &[Told], summary: &mut Summary, out: &mut impl Write) -> io::Result<()> {
    for told in told {
        if let Fact::Request { fact: RequestFact::Refused { .. }, .. } = &told.event.fact {
            summary.refused += 1;
        }
        for message in told.messages.iter().flatten() {
            // Events for clients are on no topic.
            let topics = [Topic::AgentState, Topic::CallThread].map(Topic::name);
            let topic = topics.into_iter().find(|topic| *topic == message.channel);
            let value: &RawValue = serde_json::from_str(&message.value)?;
            let key = topic.map(|_| message.key.as_str());
            serde_json::to_writer(&mut *out, &Line { model, step, topic, key, value })?;
            writeln!(out)?;
            summary.events += 1;
        }
    }
    Ok(())
}

/// What the client is answered whose request is refused as it is read. It is no event of the world, and has no time there.
fn refuse(model: &Model, step: i64, wrong: &Wrong, summary: &mut Summary, out: &mut impl Write) -> io::Result<()> {
    let Wrong { reference, device, message, refusal } = wrong;
    let failure = Failure { at: Time(0), reference: *reference, device, ask: None, refusal: *refusal, message };
    let value = serde_json::value::to_raw_value(&error(&genesys::Settings::default(), &failure))?;
    let line = Line { model: &model.id, step: Some(step), topic: None, key: None, value: &value };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)?;
    summary.refused += 1;
    summary.events += 1;
    Ok(())
}

/// Why models could not be played.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are no models.
    #[error("{path} holds no models: expected a folder with one .json file a model")]
    NoModels {
        /// Where.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write: {0}")]
    Write(io::Error),
}
