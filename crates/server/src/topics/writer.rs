//! The one writer of a store: records become a commit, a commit goes into the journal, then into the partitions.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use cordboard_kafka::batch::{BatchHead, NewRecord};
use cordboard_kafka::partitioner;

use super::append::Appender;
use super::checkpoint::{Checkpoint, CheckpointError, Due, TopicKept, UnderWay};
use super::journal::{self, CommitBuilder};
use super::recover::OpenTopicsReport;
use super::{PartitionId, Shared, TopicLimits};
use crate::log::disk;
use crate::log::{AppendError, CommitError, Log, Position, Writer};

/// A checkpoint is taken when the journal has grown by this part of its limit: two of them are kept, and what comes
/// after the older one, while the next is being taken. So it stays within the limit.
const CHECKPOINTS_PER_JOURNAL: u64 = 4;

/// The one writer of a store. What was appended and not committed is lost with it.
pub struct TopicWriter {
    /// Ends before the journal, whose directory it writes to, may be another's.
    pub(super) under_way: UnderWay,
    pub(super) in_background: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) limits: TopicLimits,
    pub(super) journal: Writer,
    pub(super) log: Log,
    /// Of each topic its partitions, as in [`Shared`].
    pub(super) appenders: Vec<Vec<Appender>>,
    /// Topics on disk that are wanted no more.
    pub(super) dormant: Vec<TopicKept>,
    pub(super) upto: Position,
    pub(super) handed: Option<Handed>,
    /// Bytes of the journal since the last checkpoint was begun.
    pub(super) grown_bytes: u64,
    pub(super) poison: Option<String>,
    pub(super) report: OpenTopicsReport,
}

/// A commit on its way: partly or wholly in the journal, partly or not at all in the partitions.
pub(super) struct Handed {
    upto: Position,
    commit: Bytes,
    /// How much of it the journal was given.
    given: usize,
    batches: Vec<(PartitionId, VecDeque<Bytes>)>,
}

impl TopicWriter {
    /// Everything of the tenant's log up to here is in. Sequence 0 where nothing is.
    #[must_use]
    pub fn upto(&self) -> Position {
        self.upto
    }

    /// What was found when the store was opened.
    #[must_use]
    pub fn report(&self) -> &OpenTopicsReport {
        &self.report
    }

    /// Checkpoints are taken by threads from now on, so that no commit waits for one.
    #[must_use]
    pub fn with_checkpoints_in_background(self) -> Self {
        Self { in_background: true, ..self }
    }

    /// Takes a record for the next commit, into the partition of its key, and says which place it will have; `None`
    /// where there is no such topic. Times never run backwards within a partition: an earlier one than that of the
    /// record before is raised to it.
    pub fn append(&mut self, topic: u32, record: &NewRecord<'_>) -> Option<(PartitionId, i64)> {
        let partitions = self.appenders.get_mut(usize::try_from(topic).ok()?)?;
        let partition = partitioner::partition(record.key, u32::try_from(partitions.len()).ok()?);
        let offset = partitions.get_mut(usize::try_from(partition).ok()?)?.push(record);
        Some((PartitionId { topic, partition }, offset))
    }

    /// Bytes that wait for the next commit.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.appenders.iter().flatten().map(Appender::pending_bytes).sum()
    }

    /// Makes everything appended durable, and with it that all up to `upto` is in; then shows it and rings the bell.
    /// After a crash all of it is there, or nothing.
    ///
    /// # Errors
    /// [`CommitTopicsError`]. After [`CommitTopicsError::DiskFull`] it may be tried again, with more records and a later
    /// `upto` if there are any: nothing is lost or there twice.
    pub fn commit(&mut self, upto: Position) -> Result<(), CommitTopicsError> {
        self.check_poison()?;
        let handed = self.handed.as_ref().map_or(self.upto, |handed| handed.upto);
        if upto < handed {
            return Err(CommitTopicsError::Backwards { asked: upto, upto: handed });
        }
        let done = self.try_commit(upto);
        self.settle(done)?;
        if self.grown_bytes >= self.limits.journal_bytes_max / CHECKPOINTS_PER_JOURNAL {
            self.checkpoint();
        } else if self.under_way.is_finished() {
            let taken = self.under_way.wait();
            self.note(taken);
        }
        Ok(())
    }

    /// Removes the oldest files of partitions whose records are all older than `oldest_ms` (milliseconds since the Unix
    /// epoch), and says how many. Needs no room on the disk, but for the file that a partition goes on in when all its
    /// records are older. Topics that are wanted no more are left alone.
    ///
    /// # Errors
    /// Whatever the system says, or that the store takes nothing more.
    pub fn retain(&mut self, oldest_ms: i64) -> io::Result<u64> {
        self.check_poison().map_err(io::Error::other)?;
        let dropped = self.try_retain(oldest_ms);
        if let Err(error) = &dropped {
            self.poison = Some(format!("dropping old files failed: {error}"));
        }
        if dropped.as_ref().is_ok_and(|dropped| *dropped > 0) && self.handed.is_none() {
            self.checkpoint();
        }
        dropped
    }

    /// Ends in peace: the next opening has nothing to apply again. What was appended and not committed is lost.
    ///
    /// # Errors
    /// As [`TopicWriter::commit`]; everything that was committed is safe all the same.
    pub fn close(mut self) -> Result<(), CommitTopicsError> {
        self.check_poison()?;
        self.finish()?;
        let taken = self.under_way.wait().and_then(|()| self.due().take());
        taken.map_err(|error| match error {
            CheckpointError::Store(error) if disk::is_full(&error) => CommitTopicsError::DiskFull(error),
            error @ (CheckpointError::Store(_) | CheckpointError::Sync(_)) => {
                CommitTopicsError::Poisoned { cause: error.to_string() }
            }
        })?;
        self.journal.close()?;
        Ok(())
    }

    fn try_commit(&mut self, upto: Position) -> Result<(), CommitTopicsError> {
        self.finish()?;
        if upto > self.upto || self.pending_bytes() > 0 {
            self.hand(upto);
            self.finish()?;
        }
        Ok(())
    }

    /// Takes everything appended as the commit that is finished next.
    fn hand(&mut self, upto: Position) {
        let mut builder = CommitBuilder::new(upto, self.pending_bytes());
        let mut batches = Vec::new();
        for ((topic, appenders), name) in (0..).zip(&mut self.appenders).zip(&self.shared.topics) {
            for (partition, appender) in (0..).zip(appenders) {
                let taken = appender.take();
                if !taken.is_empty() {
                    builder.add(&name.name, partition, taken.iter());
                    batches.push((PartitionId { topic, partition }, taken.into()));
                }
            }
        }
        self.handed = Some(Handed { upto, commit: builder.build(), given: 0, batches });
    }

    /// Brings the commit that is under way to its end, from wherever it got stuck.
    fn finish(&mut self) -> Result<(), CommitTopicsError> {
        let Some(handed) = &mut self.handed else { return Ok(()) };
        while handed.given < handed.commit.len() {
            let (record, given) = journal::part(&handed.commit, handed.given);
            match self.journal.append(0, &record) {
                Ok(_) => {
                    handed.given = given;
                    self.grown_bytes += record.len() as u64;
                }
                Err(AppendError::Backlog { .. }) => {
                    self.journal.commit()?;
                }
                Err(error @ (AppendError::TooLarge { .. } | AppendError::Poisoned { .. } | AppendError::Closed)) => {
                    return Err(CommitTopicsError::Poisoned { cause: error.to_string() });
                }
            }
        }
        self.journal.commit()?;
        let files = &self.shared.files;
        for (id, batches) in &mut handed.batches {
            let Some(appender) = of(&mut self.appenders, *id) else { continue };
            while let Some(batch) = batches.front() {
                let head = BatchHead::decode(batch).map_err(|error| poisoned("reading a batch of ours", &error))?;
                appender.write(files, batch, &head).map_err(|error| {
                    if disk::is_full(&error) { CommitTopicsError::DiskFull(error) } else { poisoned("writing", &error) }
                })?;
                batches.pop_front();
            }
        }
        for (id, _) in &handed.batches {
            if let Some(appender) = of(&mut self.appenders, *id) {
                appender.publish();
            }
        }
        self.upto = handed.upto;
        self.handed = None;
        self.shared.bell.send_modify(|rung| *rung = rung.wrapping_add(1));
        Ok(())
    }

    fn try_retain(&mut self, oldest_ms: i64) -> io::Result<u64> {
        let files = &self.shared.files;
        let mut dropped = 0;
        for appender in self.appenders.iter_mut().flatten() {
            if self.handed.is_none() && appender.is_expired(oldest_ms) {
                match appender.roll(files) {
                    Ok(()) => appender.publish(),
                    // It goes another time.
                    Err(error) if disk::is_full(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            while appender.drop_oldest(files, oldest_ms)? {
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    /// Takes a checkpoint, or begins to; one that is still under way is waited for.
    fn checkpoint(&mut self) {
        let before = self.under_way.wait();
        self.note(before);
        if self.poison.is_some() {
            return;
        }
        let due = self.due();
        let begun = if self.in_background {
            UnderWay::start(due).map(|under_way| self.under_way = under_way)
        } else {
            due.take()
        };
        self.note(begun);
    }

    /// The checkpoint of what is committed now.
    pub(super) fn due(&mut self) -> Due {
        self.grown_bytes = 0;
        let unsynced = self.appenders.iter_mut().flatten().flat_map(Appender::unsynced).collect();
        let wanted = self.shared.topics.iter().zip(&self.shared.partitions).map(|(topic, partitions)| TopicKept {
            name: topic.name.clone(),
            partitions: partitions.iter().map(|partition| partition.kept()).collect(),
        });
        let checkpoint = Checkpoint::new(self.upto, wanted.chain(self.dormant.iter().cloned()).collect());
        Due { checkpoint, journal: self.log.clone(), at: self.log.durable(), unsynced }
    }

    /// A checkpoint that was not stored costs time when the store is opened, and no record: the next one is tried when
    /// the journal has grown once more.
    fn note(&mut self, taken: Result<(), CheckpointError>) {
        match taken {
            Ok(()) => {}
            Err(error @ CheckpointError::Store(_)) => tracing::warn!(%error, "topics"),
            Err(error @ CheckpointError::Sync(_)) => {
                tracing::error!(%error, "topics");
                self.poison.get_or_insert_with(|| error.to_string());
            }
        }
    }

    fn check_poison(&self) -> Result<(), CommitTopicsError> {
        match &self.poison {
            Some(cause) => Err(CommitTopicsError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn settle(&mut self, done: Result<(), CommitTopicsError>) -> Result<(), CommitTopicsError> {
        if let Err(CommitTopicsError::Poisoned { cause }) = &done {
            self.poison.get_or_insert_with(|| cause.clone());
        }
        done
    }
}

fn of(appenders: &mut [Vec<Appender>], id: PartitionId) -> Option<&mut Appender> {
    appenders.get_mut(usize::try_from(id.topic).ok()?)?.get_mut(usize::try_from(id.partition).ok()?)
}

fn poisoned(doing: &str, error: &dyn std::fmt::Display) -> CommitTopicsError {
    CommitTopicsError::Poisoned { cause: format!("{doing} failed: {error}") }
}

/// Why a commit is not durable.
#[derive(Debug, thiserror::Error)]
pub enum CommitTopicsError {
    /// No room. Everything waits in memory, and is written by the next commit that finds room.
    #[error("the disk is full: {0}; records of topics wait in memory and nobody is told of them; make room")]
    DiskFull(#[source] io::Error),
    /// The disk failed. After a failed fsync a second one may "succeed" without having written anything, so it is not
    /// tried.
    #[error(
        "the topics take no more records: {cause}; what was committed is safe; check the disk and start again, the \
         store then finds out what the disk really holds"
    )]
    Poisoned {
        /// What failed.
        cause: String,
    },
    /// The tenant's log is behind what is in already: it is another one.
    #[error(
        "a commit up to {asked} is refused: everything up to {upto} is in already; the tenant's log was set back, or \
         these are the topics of another one"
    )]
    Backwards {
        /// The position given.
        asked: Position,
        /// The position reached.
        upto: Position,
    },
}

impl From<CommitError> for CommitTopicsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::DiskFull(error) => Self::DiskFull(error),
            CommitError::Poisoned { cause } => Self::Poisoned { cause },
        }
    }
}
