//! Writing without a thread: `append` encodes, `commit` writes and syncs. [`super::LogWriter`] puts a thread around it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::disk::{self, DiskFile, LockGuard, OpenMode};
use super::segment::{FRAME_BYTES, FrameFields, Header, Kind, TEMPORARY_SUFFIX, encode_frame, segment_path};
use super::shared::{Group, Segment, Shared};
use super::{Health, Position};

/// Smallest and largest first size of a group's buffer; between them it follows the group before.
const GROUP_BUFFER_BYTES: std::ops::RangeInclusive<usize> = 1024..=1024 * 1024;

/// A segment spans at most this part of the age that is kept.
const SEGMENTS_PER_AGE: u64 = 8;

/// The one writer of a log, driven by its caller: nothing is durable or readable before [`Writer::commit`] returns.
///
/// Dropping it loses what was not committed, as a crash would.
pub struct Writer {
    pub(crate) encoder: Encoder,
    pub(crate) committer: Committer,
    waiting: Option<Arc<Group>>,
}

impl Writer {
    pub(crate) fn new(encoder: Encoder, committer: Committer) -> Writer {
        Writer { encoder, committer, waiting: None }
    }

    /// Gives the record its position. It is durable after the next successful [`Writer::commit`].
    ///
    /// # Errors
    /// [`AppendError`]; then no position was used up.
    pub fn append(&mut self, at_us: u64, payload: &[u8]) -> Result<Position, AppendError> {
        let state = self.committer.shared.state();
        let closed = AppendError::of(state.health, &state.cause);
        drop(state);
        closed?;
        self.encoder.append(at_us, payload, self.waiting.as_ref().map_or(0, |group| group.bytes.len()))
    }

    /// Writes and syncs everything appended, and tells the last durable position.
    ///
    /// # Errors
    /// [`CommitError::DiskFull`]: nothing is lost, call again when there is room. [`CommitError::Poisoned`]: nothing
    /// more can be written, and what was appended since the last success may or may not be found when the log is opened
    /// again.
    pub fn commit(&mut self) -> Result<Position, CommitError> {
        loop {
            let group = match self.waiting.take() {
                Some(group) => group,
                None => match self.encoder.take() {
                    Some(group) => Arc::new(group),
                    None => break,
                },
            };
            if let Err(error) = self.committer.commit(&group) {
                self.waiting = Some(group);
                return Err(error);
            }
        }
        Ok(self.committer.durable())
    }

    /// Commits and writes the mark of a log closed in peace.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn close(mut self) -> Result<Position, CommitError> {
        self.commit()?;
        self.committer.mark()?;
        Ok(self.committer.durable())
    }
}

/// Gives positions and encodes frames into the group that is written next.
pub(crate) struct Encoder {
    epoch: u32,
    salt: u32,
    record_bytes_max: usize,
    pending_bytes_max: usize,
    next: u64,
    group: GroupBuffer,
    buffer_bytes: usize,
}

#[derive(Default)]
struct GroupBuffer {
    first: u64,
    bytes: Vec<u8>,
    offsets: Vec<u32>,
    oldest_us: u64,
    newest_us: u64,
}

impl Encoder {
    pub(crate) fn new(shared: &Shared, next: u64) -> Encoder {
        Encoder {
            epoch: shared.epoch,
            salt: shared.salt,
            record_bytes_max: shared.config.record_bytes_max as usize,
            pending_bytes_max: shared.config.pending_bytes_max,
            next,
            group: GroupBuffer { first: next, ..GroupBuffer::default() },
            buffer_bytes: *GROUP_BUFFER_BYTES.start(),
        }
    }

    pub(crate) fn append(&mut self, at_us: u64, payload: &[u8], in_flight: usize) -> Result<Position, AppendError> {
        if payload.len() > self.record_bytes_max {
            return Err(AppendError::TooLarge { bytes: payload.len(), record_bytes_max: self.record_bytes_max });
        }
        let pending = in_flight + self.group.bytes.len() + FRAME_BYTES + payload.len();
        if pending > self.pending_bytes_max {
            return Err(AppendError::Backlog { pending_bytes_max: self.pending_bytes_max });
        }
        let group = &mut self.group;
        if group.offsets.is_empty() {
            group.bytes.reserve(self.buffer_bytes);
            group.oldest_us = at_us;
        }
        let fields =
            FrameFields { sequence: self.next, at_us, group_back: group.offsets.len() as u32, kind: Kind::Record };
        group.offsets.push(group.bytes.len() as u32);
        encode_frame(&mut group.bytes, self.salt, fields, payload);
        group.newest_us = group.newest_us.max(at_us);
        group.oldest_us = group.oldest_us.min(at_us);
        self.next += 1;
        Ok(Position { epoch: self.epoch, sequence: fields.sequence })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.group.offsets.is_empty()
    }

    /// The last position given out.
    pub(crate) fn last(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.next - 1 }
    }

    /// The group so far; the next record begins a new one.
    pub(crate) fn take(&mut self) -> Option<Group> {
        if self.is_empty() {
            return None;
        }
        let empty = GroupBuffer { first: self.next, ..GroupBuffer::default() };
        let group = std::mem::replace(&mut self.group, empty);
        self.buffer_bytes = group.bytes.len().clamp(*GROUP_BUFFER_BYTES.start(), *GROUP_BUFFER_BYTES.end());
        let memory_bytes = group.bytes.capacity() + group.offsets.capacity() * size_of::<u32>() + size_of::<Group>();
        Some(Group {
            first: group.first,
            bytes: Bytes::from(group.bytes),
            offsets: group.offsets,
            oldest_us: group.oldest_us,
            newest_us: group.newest_us,
            memory_bytes,
        })
    }
}

/// Puts groups on disk, one after the other.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    active: Active,
    /// A segment that exists already while the seal of the active one is still to be written.
    successor: Option<Active>,
    poison: Option<String>,
    _lock: Box<dyn LockGuard>,
}

/// The segment that is written.
pub(crate) struct Active {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) first: u64,
    /// Its durable bytes; the next write goes here.
    pub(crate) bytes: u64,
    /// The oldest time of its records.
    pub(crate) oldest_us: Option<u64>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, active: Active, lock: Box<dyn LockGuard>) -> Committer {
        Committer { shared, active, successor: None, poison: None, _lock: lock }
    }

    pub(crate) fn durable(&self) -> Position {
        self.shared.position(self.shared.state().durable)
    }

    /// Makes a group durable, then visible. After `DiskFull` the same group may be given again, and no other.
    pub(crate) fn commit(&mut self, group: &Arc<Group>) -> Result<(), CommitError> {
        let done = self.try_commit(group);
        self.settle(done)?;
        self.shared.publish(Arc::clone(group), self.active.bytes);
        self.active.bytes += group.bytes.len() as u64;
        self.active.oldest_us =
            Some(self.active.oldest_us.map_or(group.oldest_us, |oldest| oldest.min(group.oldest_us)));
        Ok(())
    }

    /// Ends the log in peace: the mark proves that all before it was durable.
    pub(crate) fn mark(&mut self) -> Result<(), CommitError> {
        match self.check_poison().and_then(|()| self.write_control(Kind::Mark)) {
            // All records are durable without the mark, too.
            Err(CommitError::DiskFull(_)) => Ok(()),
            done => self.settle(done),
        }
    }

    fn settle(&mut self, done: Result<(), CommitError>) -> Result<(), CommitError> {
        match &done {
            Ok(()) => {}
            Err(error @ CommitError::DiskFull(_)) => self.shared.set_health(Health::DiskFull, &error.to_string()),
            Err(CommitError::Poisoned { cause }) => {
                self.poison.get_or_insert_with(|| cause.clone());
                self.shared.set_health(Health::Poisoned, cause);
            }
        }
        done
    }

    fn check_poison(&self) -> Result<(), CommitError> {
        match &self.poison {
            Some(cause) => Err(CommitError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn try_commit(&mut self, group: &Group) -> Result<(), CommitError> {
        self.check_poison()?;
        if self.active.first < group.first && self.is_over(group) {
            self.roll(group.first)?;
        }
        self.write(&group.bytes)
    }

    /// Whether the group belongs into a new segment: the active one is full, or spans so much time that dropping by age
    /// would be coarse.
    fn is_over(&self, group: &Group) -> bool {
        let config = &self.shared.config;
        let span_us = group.newest_us.saturating_sub(self.active.oldest_us.unwrap_or(group.newest_us));
        self.active.bytes + group.bytes.len() as u64 > config.segment_bytes_max
            || span_us > config.log_age_us_max() / SEGMENTS_PER_AGE
    }

    /// Writes at the end of the active segment and syncs. A write that failed for lack of room is cut off again.
    fn write(&mut self, bytes: &[u8]) -> Result<(), CommitError> {
        let file = self.active.file.as_ref();
        match disk::write_all_at(file, bytes, self.active.bytes) {
            Ok(()) => {}
            Err(error) if disk::is_full(&error) => {
                file.set_len(self.active.bytes).map_err(|error| poisoned("cutting off a short write", &error))?;
                return Err(CommitError::DiskFull(error));
            }
            Err(error) => return Err(poisoned("writing", &error)),
        }
        file.sync_data().map_err(|error| poisoned("fdatasync", &error))
    }

    fn write_control(&mut self, kind: Kind) -> Result<(), CommitError> {
        let mut bytes = Vec::with_capacity(FRAME_BYTES);
        let sequence = self.shared.state().durable + 1;
        let fields = FrameFields { sequence, at_us: 0, group_back: 0, kind };
        encode_frame(&mut bytes, self.shared.salt, fields, &[]);
        self.write(&bytes)?;
        self.active.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Goes on in a new segment. The successor is made first and the seal written second: a seal without a successor
    /// can then only mean that a segment was lost.
    fn roll(&mut self, first: u64) -> Result<(), CommitError> {
        let successor = match self.successor.take() {
            Some(successor) => successor,
            None => create_segment(&self.shared, first).map_err(|error| {
                if disk::is_full(&error) { CommitError::DiskFull(error) } else { poisoned("making a segment", &error) }
            })?,
        };
        if let Err(error) = self.write_control(Kind::Seal) {
            self.successor = Some(successor);
            return Err(error);
        }
        let sealed_bytes = self.active.bytes;
        self.active = successor;
        if let Some(sealed) = self.shared.state().segments.back_mut() {
            sealed.bytes = sealed_bytes;
        }
        self.shared.add_segment(Segment {
            first: self.active.first,
            bytes: self.active.bytes,
            newest_us: 0,
            index: Vec::new(),
        });
        Ok(())
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.shared.set_health(Health::Closed, "");
    }
}

/// Makes a segment under a temporary name and renames it, so that a segment always has a whole header.
pub(crate) fn create_segment(shared: &Shared, first: u64) -> io::Result<Active> {
    let path = segment_path(&shared.dir, first);
    let temporary = path.with_extension(format!("segment{TEMPORARY_SUFFIX}"));
    let file = shared.disk.open(&temporary, OpenMode::Create)?;
    let header = Header { epoch: shared.epoch, first }.encode();
    let made = disk::write_all_at(file.as_ref(), &header, 0)
        .and_then(|()| file.sync_data())
        .and_then(|()| shared.disk.rename(&temporary, &path))
        .and_then(|()| shared.disk.sync_dir(&shared.dir));
    if let Err(error) = made {
        // Only tidying: what is left under the temporary name is removed when the log is opened.
        let _left = shared.disk.remove(&temporary);
        return Err(error);
    }
    Ok(Active { file, first, bytes: header.len() as u64, oldest_us: None })
}

fn poisoned(doing: &str, error: &io::Error) -> CommitError {
    CommitError::Poisoned { cause: format!("{doing} failed: {error}") }
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The payload is longer than the log takes.
    #[error("the record has {bytes} bytes; the limit record_bytes_max is {record_bytes_max}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: usize,
        /// The limit.
        record_bytes_max: usize,
    },
    /// The disk is slower than the caller, or full. The record may be offered again later.
    #[error("more than pending_bytes_max = {pending_bytes_max} bytes wait for the disk; offer the record again later")]
    Backlog {
        /// The limit.
        pending_bytes_max: usize,
    },
    /// The disk failed.
    #[error("{}", poison_text(.cause))]
    Poisoned {
        /// What failed.
        cause: String,
    },
    /// The writer was closed.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// Whether a log in this health takes records.
    pub(crate) fn of(health: Health, cause: &str) -> Result<(), AppendError> {
        match health {
            Health::Healthy | Health::DiskFull => Ok(()),
            Health::Poisoned => Err(AppendError::Poisoned { cause: cause.to_owned() }),
            Health::Closed => Err(AppendError::Closed),
        }
    }
}

/// Why appended records are not durable.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// No room. What was durable stays; what waits is kept in memory and written by the next commit that finds room.
    #[error("the disk is full: {0}; records wait in memory and nobody is told of them; make room")]
    DiskFull(#[source] io::Error),
    /// The disk failed. After a failed fsync a second one may "succeed" without having written anything, so it is not
    /// tried.
    #[error("{}", poison_text(.cause))]
    Poisoned {
        /// What failed.
        cause: String,
    },
}

fn poison_text(cause: &str) -> String {
    format!(
        "the log takes no more records: {cause}; what was acknowledged is safe, what was not may be lost; check the \
         disk and start again, the log then finds out what the disk really holds"
    )
}
