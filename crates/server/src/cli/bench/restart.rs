//! How long a start takes with so many events in the log: it is opened, every checksum verified, every event folded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cordboard_core::{Input, World, decide, evolve};
use serde_json::json;

use super::core::{inputs, shifted};
use crate::cli::Failure;
use crate::log::disk::RealDisk;
use crate::log::{LogConfig, open};
use crate::replay::Recording;
use crate::state::{encode_record, fold_next};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A recorded session, as for `cordboard replay`; its events are told over and over
    recording: PathBuf,
    /// A folder on the disk to measure; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many events are in the log
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let recording = Recording::read(&args.recording).map_err(Failure::failed)?;
    let dir = args.dir.join("bench-restart");
    fill(&dir, &inputs(&recording), args.events)?;
    let (whole_s, events) = start(&dir)?;
    std::fs::remove_dir_all(&dir).map_err(Failure::failed)?;
    super::line(&json!({
        "bench": "restart", "events": events, "ready_s_without_snapshot": (whole_s * 1_000.0).round() / 1_000.0,
    }))
}

fn fill(dir: &Path, inputs: &[cordboard_core::Observation], wanted: u64) -> Result<(), Failure> {
    let opened = open(Arc::new(RealDisk), dir, LogConfig::default(), 1).map_err(Failure::failed)?;
    let mut writer = opened.writer.into_background().map_err(Failure::failed)?;
    let mut world = World::default();
    let (mut told, mut payload) = (0, Vec::new());
    let mut take = |world: &mut World, input: &Input| -> Result<u64, Failure> {
        let events = decide(world, input);
        for (at, event) in events.iter().enumerate() {
            encode_record(&mut payload, event, events.get(at + 1..).unwrap_or_default()).map_err(Failure::failed)?;
            super::append(&mut writer, event.at.0, &payload)?;
            evolve(world, event);
        }
        Ok(events.len() as u64)
    };
    told += take(&mut world, &Input::Found { tenant: "bench".to_owned(), at: cordboard_core::Time(1) })?;
    while told < wanted {
        for observation in shifted(inputs, world.now) {
            if let Some(due) = world.next_timer().filter(|due| *due <= observation.at) {
                told += take(&mut world, &Input::Elapsed(due))?;
            }
            told += take(&mut world, &Input::Observed(observation))?;
        }
    }
    writer.close().map_err(Failure::failed)?;
    Ok(())
}

fn start(dir: &Path) -> Result<(f64, u64), Failure> {
    let begun = Instant::now();
    let opened = open(Arc::new(RealDisk), dir, LogConfig::default(), 1).map_err(Failure::failed)?;
    let mut reader = opened.log.reader(opened.log.oldest()).map_err(Failure::failed)?;
    let (mut world, mut events) = (World::default(), 0);
    while fold_next(&mut reader, &mut world).map_err(Failure::failed)?.is_some() {
        events += 1;
    }
    Ok((begun.elapsed().as_secs_f64(), events))
}
