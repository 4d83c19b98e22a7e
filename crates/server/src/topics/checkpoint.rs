//! A checkpoint: how far the files of the partitions are on disk. It is stored as a snapshot of the journal, at the
//! journal's record up to which they are.

use serde::{Deserialize, Serialize};

use crate::log::Position;

const VERSION: u32 = 1;

/// Everything that is not in the journal after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// Up to where of the tenant's log everything is in.
    epoch: u32,
    sequence: u64,
    /// The topics there ever were, also those that are wanted no more.
    pub(super) topics: Vec<TopicKept>,
}

/// A topic on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TopicKept {
    pub(super) name: String,
    pub(super) partitions: Vec<PartitionKept>,
}

/// A partition on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartitionKept {
    /// The offset of the next record.
    pub(super) end: i64,
    /// Its files, oldest first.
    pub(super) segments: Vec<SegmentKept>,
}

/// A file of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SegmentKept {
    /// The offset of its first record.
    pub(super) base: i64,
    /// Its bytes that are on disk.
    pub(super) bytes: u64,
    /// The time of its first record; of an empty file the newest before it.
    pub(super) first_ms: i64,
    /// The time of its newest record; of an empty file the newest before it.
    pub(super) max_ms: i64,
    /// Where in it its last batch begins.
    pub(super) last_at: u64,
}

impl Checkpoint {
    pub(super) fn new(upto: Position, topics: Vec<TopicKept>) -> Self {
        Self { version: VERSION, epoch: upto.epoch, sequence: upto.sequence, topics }
    }

    pub(super) fn upto(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.sequence }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads what [`Checkpoint::encode`] wrote; in words where it is nothing of that kind.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!("it is of version {}; this program reads version {VERSION}", read.version));
        }
        Ok(read)
    }
}
