//! A life: what a connector and the core make of the messages of one or more connections.

use std::path::{Path, PathBuf};

use cordboard_core::record::{CallRecord, Recorder};
use cordboard_core::{Event, Input, Time, World, decide, evolve};
use cordboard_server::replay::{Machine, Recording};
use cordboard_switches::asterisk::PictureSettings;

use crate::faults::Connection;

/// What came of it.
#[derive(Debug)]
pub struct Life {
    /// The world at the beginning.
    pub founded: World,
    /// The world at the end.
    pub world: World,
    /// Calls that ended.
    pub records: Vec<CallRecord>,
    /// Every event.
    pub events: Vec<Event>,
}

const TENANT: &str = "t";

/// The world that every life begins with.
#[must_use]
pub fn founded() -> World {
    let mut world = World::default();
    for event in decide(&world, &Input::Found { tenant: TENANT.into(), at: Time(0) }) {
        evolve(&mut world, &event);
    }
    world
}

/// Plays one connection after the other, and on until no timer runs.
#[must_use]
pub fn play(connections: &[Connection]) -> Life {
    let mut machine = Machine::new(TENANT, PictureSettings::default());
    let (mut recorder, mut records, mut events) = (Recorder::default(), Vec::new(), Vec::new());
    let mut tell = |world: &World, _, event: &Event| {
        records.extend(recorder.note(world, event).map(|(_, record)| record));
        events.push(event.clone());
    };
    for (number, connection) in connections.iter().enumerate() {
        let mut last = Time(0);
        for (at_ms, tagged) in connection {
            last = Time(at_ms.saturating_mul(1_000)).max(last);
            machine.take(last, tagged, &mut tell);
        }
        if number + 1 < connections.len() {
            machine.close(last, &mut tell);
        }
    }
    machine.run_until(Time(u64::MAX), &mut tell);
    Life { founded: founded(), world: machine.stage.world, records, events }
}

/// Every recorded session of a folder, by name.
///
/// # Errors
/// When the folder or one of its recordings cannot be read.
pub fn recordings(folder: &Path) -> Result<Vec<(String, Recording)>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.join("ami.jsonl").exists());
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Recording::read(&path).map(|recording| (name, recording)).map_err(|error| error.to_string())
    };
    paths.into_iter().map(read).collect()
}

/// The recorded sessions that the project carries.
#[must_use]
pub fn recordings_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recordings/asterisk")
}
