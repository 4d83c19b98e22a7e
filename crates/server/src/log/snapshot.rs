//! Snapshots: what the caller says the world was at a position, in a file of its own, written whole or not at all.
//!
//! Two are kept. As retention keeps every record after the older one, a damaged newest snapshot costs time and no data.

use std::io;
use std::path::Path;
use std::sync::PoisonError;

use super::Position;
use super::disk::{self, Disk, OpenMode};
use super::segment::{TEMPORARY_SUFFIX, snapshot_path, u32_at, u64_at};
use super::shared::Shared;

/// How many snapshots stay on disk.
pub const SNAPSHOTS_KEPT: usize = 2;
/// How file names of snapshots end.
pub(crate) const SNAPSHOT_SUFFIX: &str = ".snapshot";

const MAGIC: [u8; 8] = *b"CORDSNAP";
const VERSION: u32 = 1;
/// magic 8 · version u32 · epoch u32 · sequence u64 · payload length u64 · crc32c u32 of all before and the payload
const HEADER_BYTES: usize = 36;

/// A snapshot as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// All records up to and including this one are in it.
    pub position: Position,
    /// What was given to [`super::Log::store_snapshot`].
    pub bytes: Vec<u8>,
}

/// The newest usable snapshot, and what was found unusable on the way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatestSnapshot {
    /// The newest valid one, if there is any.
    pub snapshot: Option<Snapshot>,
    /// Newer ones that are damaged; the caller should say so in its log.
    pub damaged: Vec<DamagedSnapshot>,
}

/// A snapshot file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSnapshot {
    /// Its path.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// Stores a snapshot and drops the oldest ones.
pub(crate) fn store(shared: &Shared, position: Position, bytes: &[u8]) -> Result<(), SnapshotError> {
    let _one_at_a_time = shared.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
    let (durable, health) = {
        let state = shared.state();
        (shared.position(state.durable), state.health)
    };
    if health.is_over() {
        return Err(SnapshotError::Closed);
    }
    if position.epoch != shared.epoch || position > durable {
        return Err(SnapshotError::NotDurable { position, durable });
    }
    let path = snapshot_path(&shared.dir, position);
    let temporary = path.with_extension(format!("snapshot{TEMPORARY_SUFFIX}"));
    let file = shared.disk.open(&temporary, OpenMode::Create)?;
    let written = disk::write_all_at(file.as_ref(), &encode_header(position, bytes), 0)
        .and_then(|()| disk::write_all_at(file.as_ref(), bytes, HEADER_BYTES as u64))
        .and_then(|()| file.sync_data())
        .and_then(|()| shared.disk.rename(&temporary, &path))
        .and_then(|()| shared.disk.sync_dir(&shared.dir));
    if let Err(error) = written {
        // Only tidying: what is left under the temporary name is removed when the log is opened.
        let _left = shared.disk.remove(&temporary);
        return Err(error.into());
    }
    let surplus: Vec<u64> = {
        let mut state = shared.state();
        if let Err(place) = state.snapshots.binary_search(&position.sequence) {
            state.snapshots.insert(place, position.sequence);
        }
        let surplus = state.snapshots.len().saturating_sub(SNAPSHOTS_KEPT);
        state.snapshots.drain(..surplus).collect()
    };
    for sequence in surplus {
        shared.disk.remove(&snapshot_path(&shared.dir, shared.position(sequence)))?;
        shared.disk.sync_dir(&shared.dir)?;
    }
    Ok(())
}

/// The newest valid snapshot. One that is found damaged no longer counts for retention.
pub(crate) fn latest(shared: &Shared) -> LatestSnapshot {
    let _one_at_a_time = shared.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
    let candidates = shared.state().snapshots.clone();
    let mut latest = LatestSnapshot::default();
    for sequence in candidates.into_iter().rev() {
        let position = shared.position(sequence);
        let path = snapshot_path(&shared.dir, position);
        match read(shared.disk.as_ref(), &path) {
            Ok(snapshot) if snapshot.position == position => {
                latest.snapshot = Some(snapshot);
                break;
            }
            Ok(_) => latest.damaged.push(damaged(&path, "it is of another position than its name says")),
            Err(error) => latest.damaged.push(damaged(&path, &error.to_string())),
        }
        shared.state().snapshots.retain(|kept| *kept != sequence);
    }
    latest
}

/// The newest valid snapshot in a directory that somebody else may be writing to.
pub(crate) fn newest_in(disk: &dyn Disk, dir: &Path) -> io::Result<Option<Snapshot>> {
    let names = disk.list(dir)?;
    // Names sort as their positions do.
    let newest_first = names.iter().rev().filter(|name| name.ends_with(SNAPSHOT_SUFFIX));
    Ok(newest_first.filter_map(|name| read(disk, &dir.join(name)).ok()).next())
}

/// All snapshot files among `names`: the valid sequences, oldest first, and the damaged files.
pub(crate) fn check_all(disk: &dyn Disk, dir: &Path, names: &[String], epoch: u32) -> (Vec<u64>, Vec<DamagedSnapshot>) {
    let mut valid = Vec::new();
    let mut unusable = Vec::new();
    for name in names.iter().filter(|name| name.ends_with(SNAPSHOT_SUFFIX)) {
        let path = dir.join(name);
        match read(disk, &path) {
            Ok(snapshot) if snapshot.position.epoch != epoch => {
                unusable
                    .push(damaged(&path, &format!("it is of epoch {}, the log of {epoch}", snapshot.position.epoch)));
            }
            Ok(snapshot) if snapshot_path(dir, snapshot.position) != path => {
                unusable.push(damaged(&path, "it is of another position than its name says"));
            }
            Ok(snapshot) => valid.push(snapshot.position.sequence),
            Err(error) => unusable.push(damaged(&path, &error.to_string())),
        }
    }
    valid.sort_unstable();
    (valid, unusable)
}

fn damaged(path: &Path, why: &str) -> DamagedSnapshot {
    DamagedSnapshot { file: path.display().to_string(), why: why.to_owned() }
}

fn encode_header(position: Position, payload: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&position.epoch.to_le_bytes());
    header.extend_from_slice(&position.sequence.to_le_bytes());
    header.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header), payload);
    header.extend_from_slice(&crc.to_le_bytes());
    header
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Snapshot> {
    let file = disk.open(path, OpenMode::Read)?;
    let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
    let mut bytes = disk::read_up_to(file.as_ref(), 0, length)?;
    let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let short = || invalid("the file is shorter than a snapshot header (36 bytes)");
    let (header, payload) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(short)?;
    let (covered, _) = header.split_at_checked(HEADER_BYTES - 4).ok_or_else(short)?;
    if !header.starts_with(&MAGIC) {
        return Err(invalid("the file does not begin with \"CORDSNAP\""));
    }
    let version = u32_at(header, 8).ok_or_else(short)?;
    if version != VERSION {
        return Err(invalid(&format!("the format version is {version}; this program reads version {VERSION}")));
    }
    let position =
        Position { epoch: u32_at(header, 12).ok_or_else(short)?, sequence: u64_at(header, 16).ok_or_else(short)? };
    if u64_at(header, 24) != Some(payload.len() as u64) {
        return Err(invalid("the file is not as long as its header says"));
    }
    if u32_at(header, 32) != Some(crc32c::crc32c_append(crc32c::crc32c(covered), payload)) {
        return Err(invalid("the checksum is wrong"));
    }
    bytes.drain(..HEADER_BYTES);
    Ok(Snapshot { position, bytes })
}

/// Why a snapshot was not stored. The snapshots there were stay.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A snapshot of something that may yet be lost.
    #[error("a snapshot at {position} is refused: the log is durable up to {durable} only")]
    NotDurable {
        /// The position given.
        position: Position,
        /// The last durable position.
        durable: Position,
    },
    /// The writer is gone, so the directory may belong to another process.
    #[error("the log is closed or its disk failed")]
    Closed,
    /// The disk refused.
    #[error("cannot store the snapshot: {0}")]
    Io(#[from] io::Error),
}
