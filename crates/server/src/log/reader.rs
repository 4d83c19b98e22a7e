//! Readers: cursors on the durable part of a log, from memory where they are close behind, from disk where they are
//! not.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::disk::OpenMode;
use super::segment::{HEADER_BYTES, Header, Kind};
use super::shared::{Group, Shared};
use super::walk::{FrameWalker, Step};
use super::{Position, Status};

/// A record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log.
    pub position: Position,
    /// The time the writer gave, microseconds since the Unix epoch.
    pub at_us: u64,
    /// What the writer gave. Shares memory with its neighbours: copy it to keep it for long.
    pub payload: Bytes,
}

/// An independent cursor. It sees durable records only, each once, in order, without a hole; or says why it cannot.
pub struct Reader {
    shared: Arc<Shared>,
    bell: tokio::sync::watch::Receiver<Status>,
    next: u64,
    source: Source,
}

enum Source {
    Nowhere,
    Memory(Arc<Group>),
    Disk { walker: FrameWalker, segment: u64, last: u64 },
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, after: Position) -> Result<Reader, ReadError> {
        let (oldest, newest) = {
            let state = shared.state();
            (shared.position(state.oldest() - 1), shared.position(state.durable))
        };
        if after.epoch != shared.epoch {
            return Err(ReadError::OtherEpoch { asked: after, newest });
        }
        if after > newest {
            return Err(ReadError::BeyondEnd { asked: after, newest });
        }
        if after < oldest {
            return Err(ReadError::Gone { asked: after, oldest });
        }
        let bell = shared.bell.subscribe();
        Ok(Reader { shared, bell, next: after.sequence + 1, source: Source::Nowhere })
    }

    /// The position of the last record read, or where the reader began.
    #[must_use]
    pub fn position(&self) -> Position {
        self.shared.position(self.next - 1)
    }

    /// The next record; `None` when all durable records were read.
    ///
    /// # Errors
    /// [`ReadError::Gone`] when retention overtook a slow reader, [`ReadError::Damaged`] or [`ReadError::Io`] when the
    /// disk gives back other bytes or none. Never a wrong record.
    #[expect(clippy::should_implement_trait, reason = "an iterator ends for good at None; a cursor does not")]
    pub fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let found = match &mut self.source {
                Source::Nowhere => None,
                Source::Memory(group) => group.record(self.next),
                Source::Disk { last, .. } if *last < self.next => None,
                Source::Disk { walker, segment, .. } => {
                    let offset = walker.offset();
                    match walker.step() {
                        Ok(Step::Frame(frame)) if frame.head.kind != Kind::Record => continue,
                        // The sparse index leads to a place at or before the wanted record.
                        Ok(Step::Frame(frame)) if frame.head.sequence < self.next => continue,
                        Ok(Step::Frame(frame)) if frame.head.sequence == self.next => {
                            Some((frame.head.at_us, frame.payload))
                        }
                        Ok(Step::Frame(_) | Step::Broken | Step::End) => {
                            let file = self.shared.segment_path(*segment).display().to_string();
                            return Err(ReadError::Damaged { position: self.shared.position(self.next), file, offset });
                        }
                        Err(error) => return Err(ReadError::Io(error)),
                    }
                }
            };
            if let Some((at_us, payload)) = found {
                let position = self.shared.position(self.next);
                self.next += 1;
                return Ok(Some(Record { position, at_us, payload }));
            }
            if !self.locate()? {
                return Ok(None);
            }
        }
    }

    /// Finds where the next record is; false when it is not durable yet.
    fn locate(&mut self) -> Result<bool, ReadError> {
        self.source = Source::Nowhere;
        loop {
            let (segment, last, offset) = {
                let state = self.shared.state();
                if self.next > state.durable {
                    return Ok(false);
                }
                if let Some(group) = state.tail_group(self.next) {
                    self.source = Source::Memory(Arc::clone(group));
                    return Ok(true);
                }
                let Some((segment, last)) = state.segment_of(self.next) else {
                    let oldest = self.shared.position(state.oldest() - 1);
                    return Err(ReadError::Gone { asked: self.position(), oldest });
                };
                let warm = state.tail.front().map_or(u64::MAX, |group| group.first);
                let after = segment.index.partition_point(|(sequence, _)| *sequence <= self.next);
                let entry = after.checked_sub(1).and_then(|entry| segment.index.get(entry));
                (segment.first, last.min(warm - 1), entry.map_or(HEADER_BYTES as u64, |(_, offset)| *offset))
            };
            let path = self.shared.segment_path(segment);
            match self.shared.disk.open(&path, OpenMode::Read) {
                Ok(file) => {
                    self.check_header(&file, segment)?;
                    let walker = FrameWalker::new(file, self.shared.salt, offset);
                    self.source = Source::Disk { walker, segment, last };
                    return Ok(true);
                }
                // Dropped by retention between the look and the opening: look again.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.was_dropped(segment) => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }

    fn was_dropped(&self, segment: u64) -> bool {
        self.shared.state().segments.front().is_none_or(|oldest| oldest.first > segment)
    }

    fn check_header(&self, file: &Arc<dyn super::disk::DiskFile>, segment: u64) -> Result<(), ReadError> {
        let bytes = super::disk::read_up_to(file.as_ref(), 0, HEADER_BYTES)?;
        match Header::decode(&bytes) {
            Ok(header) if header.epoch == self.shared.epoch && header.first == segment => Ok(()),
            Ok(_) | Err(_) => Err(ReadError::Damaged {
                position: self.shared.position(self.next),
                file: self.shared.segment_path(segment).display().to_string(),
                offset: 0,
            }),
        }
    }

    /// Waits (blocking the thread) until there is a record to read; false when the time is over or the log is closed.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        self.shared.wait_durable(self.next, timeout)
    }

    /// Waits until there is a record to read; false when the log is closed or failed and none will come. Cancel safe.
    pub async fn ready(&mut self) -> bool {
        let next = self.next;
        let there = |status: &Status| status.durable.sequence >= next || status.health.is_over();
        match self.bell.wait_for(there).await {
            Ok(status) => status.durable.sequence >= next,
            Err(_) => false,
        }
    }
}

/// Why a reader cannot go on from where it is. All but [`ReadError::Io`] are final for this cursor.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The cursor is of a log that was founded before (or after) this one: begin again with a snapshot.
    #[error("position {asked} is of another log; this one has epoch {}: resync with a snapshot", newest.epoch)]
    OtherEpoch {
        /// The cursor given.
        asked: Position,
        /// The last durable position of this log.
        newest: Position,
    },
    /// The records after the cursor were dropped by retention: begin again with a snapshot.
    #[error(
        "records right after {asked} are no longer kept; the oldest cursor served is {oldest}: resync with a snapshot"
    )]
    Gone {
        /// The cursor given.
        asked: Position,
        /// The oldest cursor that can be served: the position before the oldest record kept.
        oldest: Position,
    },
    /// No such record was ever durable: the cursor is not from this log, or the log was set back.
    #[error("position {asked} is beyond the last durable record {newest}: resync with a snapshot")]
    BeyondEnd {
        /// The cursor given.
        asked: Position,
        /// The last durable position.
        newest: Position,
    },
    /// The disk gives other bytes than were written.
    #[error("{file} is damaged at offset {offset}, where {position} should stand; run `cordboard log verify`")]
    Damaged {
        /// The record that could not be read.
        position: Position,
        /// The segment file.
        file: String,
        /// Where in the file.
        offset: u64,
    },
    /// The system failed to read; trying again is allowed.
    #[error("cannot read the log: {0}")]
    Io(#[from] io::Error),
}
