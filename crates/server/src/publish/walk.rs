//! The way of the publisher through the store: every record of every partition once, in the order in which it was told.
//!
//! Each partition has a cursor; of the records under the cursors the one that was told first is next. So records of one
//! key come in their order even where `topics.partitions` has grown and the key moved from one partition to another: what
//! is in the old one was told before, and was there before anything was in the new one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytes::Bytes;
use cordboard_kafka::batch::{self, BatchError, BatchHead, Record, Records};

use crate::log::Position;
use crate::topics::headers;

/// Which message a record is: its UUID as a number; 0 where it has none, which is never the same as another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MessageId(pub(super) u128);

impl MessageId {
    /// Reads the header [`headers::EVENT_ID`].
    pub(super) fn read(header: &[u8]) -> Self {
        Self(uuid::Uuid::try_parse_ascii(header).map_or(0, |uuid| uuid.as_u128()))
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// Partitions that can be read, by their numbers from 0: the store, or a pretended one.
pub(super) trait Source {
    /// The oldest offset kept.
    fn start(&self, slot: usize) -> i64;
    /// The offset that the next record will get.
    fn end(&self, slot: usize) -> i64;
    /// Whole batches, the first with the record `from` in it; empty at the end.
    fn read(&self, slot: usize, from: i64) -> Result<Bytes, SourceError>;
}

/// Why a partition cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// The oldest records are gone.
    #[error("the record was dropped; the oldest that is kept has the offset {start}")]
    Gone { start: i64 },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<BatchError> for SourceError {
    fn from(error: BatchError) -> Self {
        Self::Other(error.to_string())
    }
}

/// A record under a cursor.
#[derive(Debug)]
pub(super) struct Head {
    /// Which partition of the store.
    pub(super) slot: usize,
    /// What is there.
    pub(super) record: Record,
    /// When it was told.
    pub(super) position: Position,
    /// Which message it is.
    pub(super) id: MessageId,
}

/// Walks all partitions.
#[derive(Debug)]
pub(super) struct Walk<S> {
    source: S,
    cursors: Vec<Cursor>,
    /// Who has a record: when it was told, and which partition.
    order: BinaryHeap<Reverse<(Position, usize)>>,
    lost: u64,
}

#[derive(Debug)]
struct Cursor {
    /// The offset after `head`, or of the record that is next where there is none.
    next: i64,
    position: Position,
    head: Option<Head>,
    records: Option<Records>,
    left: Bytes,
}

impl<S: Source> Walk<S> {
    /// From these offsets on.
    pub(super) fn new(source: S, from: &[i64]) -> Result<Self, SourceError> {
        let nothing = Position { epoch: 0, sequence: 0 };
        let cursor =
            |next: &i64| Cursor { next: *next, position: nothing, head: None, records: None, left: Bytes::new() };
        let cursors = from.iter().map(cursor).collect();
        let mut walk = Self { source, cursors, order: BinaryHeap::new(), lost: 0 };
        walk.refill()?;
        Ok(walk)
    }

    /// Looks for what came into partitions that were at their end.
    pub(super) fn refill(&mut self) -> Result<(), SourceError> {
        (0..self.cursors.len()).try_for_each(|slot| self.load(slot))
    }

    /// The record that is next.
    pub(super) fn head(&self) -> Option<&Head> {
        let Reverse((_, slot)) = self.order.peek()?;
        self.cursors.get(*slot)?.head.as_ref()
    }

    /// Goes past it.
    pub(super) fn advance(&mut self) -> Result<(), SourceError> {
        let Some(Reverse((_, slot))) = self.order.pop() else { return Ok(()) };
        if let Some(cursor) = self.cursors.get_mut(slot) {
            cursor.head = None;
        }
        self.load(slot)
    }

    /// Records that were dropped before they were read, since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    fn load(&mut self, slot: usize) -> Result<(), SourceError> {
        let Some(cursor) = self.cursors.get_mut(slot).filter(|cursor| cursor.head.is_none()) else { return Ok(()) };
        loop {
            if let Some(record) = cursor.record()? {
                let told =
                    record.header(headers::POSITION).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
                // Within a partition they never run backwards.
                cursor.position = cursor.position.max(told.unwrap_or(cursor.position));
                cursor.next = record.offset.saturating_add(1);
                let id = record.header(headers::EVENT_ID).map(|id| MessageId::read(id)).unwrap_or_default();
                cursor.head = Some(Head { slot, record, position: cursor.position, id });
                self.order.push(Reverse((cursor.position, slot)));
                return Ok(());
            }
            if cursor.next >= self.source.end(slot) {
                return Ok(());
            }
            match self.source.read(slot, cursor.next) {
                Ok(bytes) if bytes.is_empty() => return Ok(()),
                Ok(bytes) => cursor.left = bytes,
                Err(SourceError::Gone { start }) if start > cursor.next => {
                    self.lost += start.abs_diff(cursor.next);
                    cursor.next = start;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Cursor {
    /// The next record of what was read; what lies before the cursor is passed over.
    fn record(&mut self) -> Result<Option<Record>, SourceError> {
        loop {
            for record in self.records.iter_mut().flatten() {
                let record = record?;
                if record.offset >= self.next {
                    return Ok(Some(record));
                }
            }
            self.records = None;
            if self.left.is_empty() {
                return Ok(None);
            }
            let head = BatchHead::decode(&self.left)?;
            if head.bytes > self.left.len() {
                return Err(BatchError::Short.into());
            }
            self.records = Some(batch::records(&self.left.split_to(head.bytes))?);
        }
    }
}
