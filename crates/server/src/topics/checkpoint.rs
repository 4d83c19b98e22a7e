//! A checkpoint: how far the files of the partitions are on disk. It is stored as a snapshot of the journal, at the
//! journal's record up to which they are.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use crate::log::disk::DiskFile;
use crate::log::{Log, Position, SnapshotError};

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

    /// Reads what [`Due::take`] stored; in words where it is nothing of that kind.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!("it is of version {}; this program reads version {VERSION}", read.version));
        }
        Ok(read)
    }
}

/// A checkpoint that is to be taken, with all it needs: the writer may go on meanwhile, as files only grow.
pub(super) struct Due {
    pub(super) checkpoint: Checkpoint,
    /// The journal, and its record up to which everything is in the files.
    pub(super) journal: Log,
    pub(super) at: Position,
    /// Files that were written to since the checkpoint before.
    pub(super) unsynced: Vec<Arc<dyn DiskFile>>,
}

impl Due {
    /// Has the files on disk and notes how far they are; then the journal before may go.
    pub(super) fn take(self) -> Result<(), CheckpointError> {
        for file in &self.unsynced {
            file.sync_data().map_err(CheckpointError::Sync)?;
        }
        let bytes = serde_json::to_vec(&self.checkpoint).map_err(|error| CheckpointError::Store(error.into()))?;
        match self.journal.store_snapshot(self.at, &bytes) {
            Ok(()) => {}
            Err(SnapshotError::Io(error)) => return Err(CheckpointError::Store(error)),
            Err(error @ (SnapshotError::NotDurable { .. } | SnapshotError::Closed)) => {
                return Err(CheckpointError::Store(io::Error::other(error)));
            }
        }
        if let Err(error) = self.journal.retain(0) {
            tracing::warn!(%error, "topics: old files of the journal were not removed");
        }
        Ok(())
    }
}

/// A checkpoint that is being taken by a thread. Dropping it waits for the thread.
#[derive(Default)]
pub(super) struct UnderWay(Option<JoinHandle<Result<(), CheckpointError>>>);

impl UnderWay {
    /// Starts a thread for it; where the system gives none, it is taken here and now.
    pub(super) fn start(due: Due) -> Result<Self, CheckpointError> {
        let due = Arc::new(std::sync::Mutex::new(Some(due)));
        let for_thread = Arc::clone(&due);
        let take = move |due: &std::sync::Mutex<Option<Due>>| {
            let due = due.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            due.map_or(Ok(()), Due::take)
        };
        let thread = std::thread::Builder::new().name("topics-checkpoint".to_owned()).spawn(move || take(&for_thread));
        match thread {
            Ok(thread) => Ok(Self(Some(thread))),
            Err(_) => take(&due).map(|()| Self(None)),
        }
    }

    /// Whether nothing is under way any more, but for its result.
    pub(super) fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end of it.
    pub(super) fn wait(&mut self) -> Result<(), CheckpointError> {
        let panicked = |_| Err(CheckpointError::Sync(io::Error::other("the thread that takes checkpoints panicked")));
        self.0.take().map_or(Ok(()), |thread| thread.join().unwrap_or_else(panicked))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // The one before stays where this one fails.
        let _taken_or_not = self.wait();
    }
}

/// Why there is no new checkpoint.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckpointError {
    /// What the files hold is not known any more.
    #[error("fdatasync of a partition failed: {0}")]
    Sync(#[source] io::Error),
    /// It could not be stored: the one before stays, and opening the topics takes longer.
    #[error("a checkpoint of the topics could not be stored: {0}")]
    Store(#[source] io::Error),
}
