//! The world as bytes: in the log's snapshots and in checkpoints; and events as bytes: the log's records.

use cordboard_core::{Event, World, evolve};
use serde::{Deserialize, Serialize};

use crate::log::{Log, Position, ReadError, Reader, Record};

/// The form of a stored world. It grows when a stored world of before cannot be read any more.
const WORLD_VERSION: u32 = 2;

#[derive(Serialize)]
struct Stored<'w> {
    version: u32,
    world: &'w World,
}

#[derive(Deserialize)]
struct StoredVersion {
    version: u32,
}

#[derive(Deserialize)]
struct StoredWorld {
    world: World,
}

/// A world as it is stored.
///
/// # Errors
/// [`StateError::World`]; there is no world that cannot be written.
pub fn encode_world(world: &World) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(&Stored { version: WORLD_VERSION, world }).map_err(|error| StateError::World(error.to_string()))
}

/// The world in stored bytes.
///
/// # Errors
/// [`StateError`] where they are of another version or no world.
pub fn decode_world(bytes: &[u8]) -> Result<World, StateError> {
    let wrong = |error: serde_json::Error| StateError::World(error.to_string());
    let StoredVersion { version } = serde_json::from_slice(bytes).map_err(wrong)?;
    if version != WORLD_VERSION {
        return Err(StateError::Version(version));
    }
    let stored: StoredWorld = serde_json::from_slice(bytes).map_err(wrong)?;
    // One that an older program stored lacks what is kept since.
    Ok(stored.world.reindexed())
}

/// The longest rest of a decision that a record carries, in events. Longer decisions are comparisons with a switch, which
/// are made again after a start and come to the same; carrying their rest in every record would grow with its square.
const REST_EVENTS_MAX: usize = 32;

/// An event as a record of the log, with those that follow from the same input and come right after it, if they are few.
///
/// # Errors
/// There is no event that cannot be written.
pub fn encode_record(out: &mut Vec<u8>, event: &Event, rest: &[Event]) -> Result<(), serde_json::Error> {
    out.clear();
    serde_json::to_writer(&mut *out, event)?;
    if (1..=REST_EVENTS_MAX).contains(&rest.len()) {
        // An event is an object: its end is opened again for one member more.
        out.pop();
        out.extend_from_slice(b",\"then\":");
        serde_json::to_writer(&mut *out, rest)?;
        out.push(b'}');
    }
    Ok(())
}

/// What was to be told right after the newest durable event and is not in the log.
///
/// # Errors
/// [`StateError`] where the log cannot be read.
pub fn unfinished(log: &Log) -> Result<Vec<Event>, StateError> {
    #[derive(Deserialize)]
    struct Rest {
        #[serde(default)]
        then: Vec<Event>,
    }
    let newest = log.durable();
    if newest <= log.oldest() {
        return Ok(Vec::new());
    }
    let before = Position { epoch: newest.epoch, sequence: newest.sequence - 1 };
    let Some(record) = log.reader(before)?.next()? else { return Ok(Vec::new()) };
    let rest: Rest = serde_json::from_slice(&record.payload).map_err(|error| unreadable(&record, &error))?;
    Ok(rest.then)
}

fn unreadable(record: &Record, error: &serde_json::Error) -> StateError {
    StateError::Event { position: record.position.to_string(), what: error.to_string() }
}

/// The event in a record.
///
/// # Errors
/// [`StateError::Event`] where it holds none.
pub fn decode_event(record: &Record) -> Result<Event, StateError> {
    serde_json::from_slice(&record.payload).map_err(|error| unreadable(record, &error))
}

/// Reads the next durable event and folds it into `world`; none when all were read.
///
/// # Errors
/// [`StateError`] where the log cannot be read on.
pub fn fold_next(reader: &mut Reader, world: &mut World) -> Result<Option<Event>, StateError> {
    let Some(record) = reader.next()? else { return Ok(None) };
    let event = decode_event(&record)?;
    evolve(world, &event);
    Ok(Some(event))
}

/// What a version other than ours means.
fn other(version: u32) -> &'static str {
    if version < WORLD_VERSION {
        "an older program wrote it; the state is folded from the log, as far as the log goes back"
    } else {
        "a newer program wrote it; start that one, or fold the state from the log"
    }
}

/// Why something stored cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A world cannot be read or written.
    #[error("the stored state cannot be read: {0}")]
    World(String),
    /// A world of another version.
    #[error("the stored state has version {found}; this program reads version {WORLD_VERSION}: {meaning}", found = .0, meaning = other(*.0))]
    Version(u32),
    /// An event cannot be read.
    #[error("the event at {position} cannot be read: {what}; was it written by a newer version of this program?")]
    Event {
        /// Which.
        position: String,
        /// What is wrong.
        what: String,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A checkpoint cannot be read or written.
    #[error("checkpoint: {0}")]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cordboard_core::{Input, Time, decide};

    use super::*;
    use crate::log::{LogConfig, disk::RealDisk, open};

    fn events() -> Vec<Event> {
        let mut world = World::default();
        let mut events = Vec::new();
        for at in 1..4 {
            let input = Input::Found { tenant: format!("t{at}"), at: Time(at) };
            events.extend(decide(&World::default(), &input));
            evolve(&mut world, events.last().unwrap());
        }
        events
    }

    #[test]
    fn a_world_survives_being_stored() {
        let mut world = World::default();
        events().iter().for_each(|event| evolve(&mut world, event));
        assert_eq!(decode_world(&encode_world(&world).unwrap()).unwrap(), world);
        assert!(matches!(decode_world(b"{\"version\":99,\"world\":{\"later\":1}}"), Err(StateError::Version(99))));
        assert!(matches!(decode_world(b"{}"), Err(StateError::World(_))));
        assert!(StateError::Version(1).to_string().contains("older"));
        assert!(StateError::Version(WORLD_VERSION + 1).to_string().contains("newer"));
    }

    #[test]
    fn what_a_crash_cut_short_is_found_wherever_it_came() {
        let (events, dir) = (events(), tempfile::tempdir().unwrap());
        for durable in 0..=events.len() {
            let dir = dir.path().join(durable.to_string());
            let opened = open(Arc::new(RealDisk), &dir, LogConfig::default(), 1).unwrap();
            let (mut writer, mut record) = (opened.writer, Vec::new());
            for at in 0..durable {
                encode_record(&mut record, &events[at], &events[at + 1..]).unwrap();
                writer.append(1, &record).unwrap();
            }
            writer.commit().unwrap();
            // Before the first record nothing was begun.
            let rest = if durable == 0 { &[][..] } else { &events[durable..] };
            assert_eq!(unfinished(&opened.log).unwrap(), rest, "{durable}");
            let (mut reader, mut world) = (opened.log.reader(opened.log.oldest()).unwrap(), World::default());
            for event in &events[..durable] {
                assert_eq!(fold_next(&mut reader, &mut world).unwrap().as_ref(), Some(event));
            }
        }
    }
}
