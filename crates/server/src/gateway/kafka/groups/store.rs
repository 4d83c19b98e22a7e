//! Committed offsets on disk: every change is a record of a log, and now and then the sum of all is stored.

use std::path::Path;
use std::sync::Arc;

use cordboard_core::Time;
use cordboard_kafka::groups::{Change, Offsets, Stored, StoredError};

use crate::config::KafkaGroups;
use crate::log::disk::Disk;
use crate::log::{self, AppendError, CommitError, Log, LogWriter, OpenError, Position, ReadError};

/// The sum is stored whenever so many changes were written since the last time.
const SUM_RECORDS: u64 = 10_000;

/// Offsets, and the log that makes them last.
pub(super) struct Store {
    offsets: Offsets,
    /// None once it is closed.
    writer: Option<LogWriter>,
    appended: Position,
    summed: Position,
}

impl Store {
    /// Reads what there is. Blocks for the disk.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: &KafkaGroups,
        now: Time,
    ) -> Result<(Self, Log), OpenGroupsError> {
        let epoch = u32::try_from(now.0 / 1_000_000).unwrap_or(u32::MAX);
        let opened = log::open(disk, dir, config.log_config(), epoch)?;
        if let Some(torn) = &opened.report.torn_tail {
            let (file, bytes) = (&torn.file, torn.bytes_dropped);
            tracing::warn!(file, bytes, "an incomplete last commit was cut off; no consumer was told of it");
        }
        let log = opened.log;
        let (mut offsets, summed) = sum_of(&log)?;
        let mut reader = log.reader(summed)?;
        while let Some(record) = reader.next()? {
            Stored::decode(&record.payload)?.iter().for_each(|change| offsets.apply(change));
        }
        let writer = Some(opened.writer.into_background().map_err(OpenError::Io)?);
        let appended = opened.report.newest;
        tracing::info!(dir = %dir.display(), position = %appended, offsets = offsets.len(), "committed offsets read");
        let mut store = Self { offsets, writer, appended, summed };
        let restarted = store.offsets.restarted(now.0 / 1_000);
        if !restarted.is_empty() {
            store.write(now, restarted)?;
        }
        Ok((store, log))
    }

    /// Writes changes down and makes them true. They may be told when the position is durable.
    pub(super) fn write(&mut self, now: Time, changes: Vec<Change>) -> Result<Position, WriteError> {
        let writer = self.writer.as_mut().ok_or(WriteError::Closed)?;
        changes.iter().for_each(|change| self.offsets.apply(change));
        let bytes = Stored::encode(changes)?;
        self.appended = writer.append(now.0, &bytes)?;
        Ok(self.appended)
    }

    pub(super) fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Everything that was written so far ends here.
    pub(super) fn appended(&self) -> Position {
        self.appended
    }

    /// The sum of everything and where it is true, if it is time to store it.
    pub(super) fn sum(&mut self, is_due: bool) -> Option<(Position, Vec<Change>)> {
        let since = self.appended.sequence.saturating_sub(self.summed.sequence);
        if since < SUM_RECORDS && !(is_due && since > 0) {
            return None;
        }
        self.summed = self.appended;
        Some((self.appended, self.offsets.changes()))
    }

    /// What is left of it can be closed; nothing more is written.
    pub(super) fn take_writer(&mut self) -> Option<LogWriter> {
        self.writer.take()
    }
}

/// The newest sum that can be read, and what it is the sum of.
fn sum_of(log: &Log) -> Result<(Offsets, Position), OpenGroupsError> {
    let latest = log.latest_snapshot();
    for damaged in &latest.damaged {
        let (file, why) = (&damaged.file, &damaged.why);
        tracing::warn!(file, why, "a sum of committed offsets cannot be used; an older one is taken");
    }
    let mut offsets = Offsets::default();
    let Some(snapshot) = latest.snapshot else { return Ok((offsets, log.oldest())) };
    Stored::decode(&snapshot.bytes)?.iter().for_each(|change| offsets.apply(change));
    Ok((offsets, snapshot.position))
}

/// Why committed offsets cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenGroupsError {
    /// The log.
    #[error("committed offsets: {0}")]
    Log(#[from] OpenError),
    /// Reading it.
    #[error("committed offsets: {0}")]
    Read(#[from] ReadError),
    /// What stands in it.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// Nothing can be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The server ends.
    #[error("committed offsets are closed")]
    Closed,
    /// The log takes nothing.
    #[error("committed offsets: {0}")]
    Log(#[from] AppendError),
    /// The changes have no form.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// Closing failed.
    #[error("committed offsets: {0}")]
    Commit(#[from] CommitError),
}
