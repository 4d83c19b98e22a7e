//! Finding a batch in a file: a sparse index in memory, and a walk from batch to batch that looks at every head.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use cordboard_kafka::batch::{BatchHead, HEAD_BYTES};

use crate::log::disk::{self, DiskFile};

/// Bytes of a file between two entries of its index.
pub(super) const INTERVAL_BYTES: u64 = 64 * 1024;
/// Bytes that are read at once where a whole file is walked.
pub(super) const WALK_BYTES: usize = 1 << 20;
/// Ends of reads that are remembered of a file, so that whoever reads on need not search.
const ENDS_MAX: usize = 16;

/// Where batches begin in a file: of its bytes from `from` on, one batch every [`INTERVAL_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Index {
    from: u64,
    entries: Vec<Entry>,
    ends: VecDeque<(i64, u64)>,
}

/// A batch in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The offset of its first record.
    pub(super) offset: i64,
    /// Where in the file it begins.
    pub(super) at: u64,
    /// The time of its first record.
    pub(super) first_ms: i64,
}

impl Index {
    /// Bytes of memory that the index of a file needs.
    pub(super) fn memory_bytes(file_bytes: u64) -> u64 {
        (file_bytes / INTERVAL_BYTES + 1) * size_of::<Entry>() as u64
    }

    /// An index that knows nothing yet of the bytes before `from`.
    pub(super) fn new(from: u64) -> Self {
        Self { from, ..Self::default() }
    }

    /// From where on it knows the file.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// The next batch of the file.
    pub(super) fn grow(&mut self, entry: Entry) {
        if self.entries.last().is_none_or(|last| entry.at >= last.at + INTERVAL_BYTES) {
            self.entries.push(entry);
        }
    }

    /// What stands before everything it knew; the whole file is known now.
    pub(super) fn complete(&mut self, mut before: Self) {
        if self.from > 0 {
            before.entries.append(&mut self.entries);
            (self.from, self.entries) = (0, before.entries);
        }
    }

    /// A batch at or before the one that holds this offset, and whether it is exactly the one that begins there.
    pub(super) fn of_offset(&self, offset: i64) -> Option<(Entry, bool)> {
        if let Some((offset, at)) = self.ends.iter().find(|(end, _)| *end == offset) {
            return Some((Entry { offset: *offset, at: *at, first_ms: 0 }, true));
        }
        let after = self.entries.partition_point(|entry| entry.offset <= offset);
        self.entries.get(after.checked_sub(1)?).map(|entry| (*entry, entry.offset == offset))
    }

    /// A batch at or before the first that has a record of this time or later.
    pub(super) fn of_time(&self, ms: i64) -> Option<Entry> {
        let after = self.entries.partition_point(|entry| entry.first_ms < ms);
        self.entries.get(after.saturating_sub(1)).copied()
    }

    /// A reader got as far as this batch, and will probably go on with it.
    pub(super) fn remember(&mut self, offset: i64, at: u64) {
        if self.ends.iter().any(|(end, _)| *end == offset) {
            return;
        }
        if self.ends.len() >= ENDS_MAX {
            self.ends.pop_front();
        }
        self.ends.push_back((offset, at));
    }
}

/// Goes from batch to batch. Every head must follow the one before.
pub(super) struct Walk<'a> {
    file: &'a dyn DiskFile,
    /// Where the next batch begins.
    at: u64,
    /// The file is read up to here.
    until: u64,
    /// The offset that the next batch must begin with.
    offset: i64,
    chunk_bytes: usize,
    buffer: Bytes,
    buffer_at: u64,
}

impl<'a> Walk<'a> {
    /// A walk from `at`, where the batch with `offset` begins, to the byte `until`; it reads `chunk_bytes` at once.
    pub(super) fn new(file: &'a dyn DiskFile, (at, offset): (u64, i64), until: u64, chunk_bytes: usize) -> Self {
        Self { file, at, until, offset, chunk_bytes, buffer: Bytes::new(), buffer_at: at }
    }

    /// Where the next batch begins, in bytes of the file.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The offset of the next batch.
    pub(super) fn offset(&self) -> i64 {
        self.offset
    }

    /// The head of the next batch; `None` at the end. A batch that would end behind the end is damage.
    pub(super) fn head(&mut self) -> Result<Option<BatchHead>, WalkError> {
        if self.at >= self.until {
            return Ok(None);
        }
        self.fill(HEAD_BYTES)?;
        self.peek()
    }

    /// As [`Walk::head`], but `None` also where the batch is not wholly in memory.
    pub(super) fn head_in_memory(&self) -> Result<Option<BatchHead>, WalkError> {
        if self.in_memory().len() < HEAD_BYTES {
            return Ok(None);
        }
        Ok(self.peek()?.filter(|head| head.bytes <= self.in_memory().len()))
    }

    /// Reads the rest of the next batch, whose head this is.
    pub(super) fn hold(&mut self, head: &BatchHead) -> Result<(), WalkError> {
        self.fill(head.bytes)
    }

    /// The bytes of the next batch, whose head this is and which was held.
    pub(super) fn held(&self, head: &BatchHead) -> &[u8] {
        self.in_memory().get(..head.bytes).unwrap_or_default()
    }

    /// Goes behind the next batch, whose head this is.
    pub(super) fn pass(&mut self, head: &BatchHead) {
        self.at += head.bytes as u64;
        self.offset = head.next_offset;
    }

    /// Bytes that were read, from `from` on up to the next batch; they share memory.
    pub(super) fn slice(&self, from: u64) -> Bytes {
        let place = |at: u64| usize::try_from(at.saturating_sub(self.buffer_at)).unwrap_or(usize::MAX);
        let (from, to) = (place(from), place(self.at));
        if from <= to && to <= self.buffer.len() { self.buffer.slice(from..to) } else { Bytes::new() }
    }

    fn in_memory(&self) -> &[u8] {
        let passed = usize::try_from(self.at.saturating_sub(self.buffer_at)).unwrap_or(usize::MAX);
        self.buffer.get(passed..).unwrap_or_default()
    }

    /// Has `bytes` from the next batch on in memory.
    fn fill(&mut self, bytes: usize) -> Result<(), WalkError> {
        if self.in_memory().len() >= bytes {
            return Ok(());
        }
        let left = usize::try_from(self.until - self.at).unwrap_or(usize::MAX);
        let read = disk::read_up_to(self.file, self.at, bytes.max(self.chunk_bytes).min(left))?;
        let missing = read.len() < bytes;
        (self.buffer, self.buffer_at) = (read.into(), self.at);
        if missing { Err(self.damaged("the file ends within a batch".to_owned())) } else { Ok(()) }
    }

    fn peek(&self) -> Result<Option<BatchHead>, WalkError> {
        let head = BatchHead::decode(self.in_memory()).map_err(|error| self.damaged(error.to_string()))?;
        if head.base_offset != self.offset {
            let what = format!("a batch begins with offset {}, right would be {}", head.base_offset, self.offset);
            return Err(self.damaged(what));
        }
        if self.until - self.at < head.bytes as u64 {
            return Err(self.damaged(format!("a batch of {} bytes does not fit into the file", head.bytes)));
        }
        Ok(Some(head))
    }

    fn damaged(&self, what: String) -> WalkError {
        WalkError::Damaged { at: self.at, what }
    }
}

/// Why a walk does not go on.
#[derive(Debug)]
pub(super) enum WalkError {
    /// What stands there is not what was written.
    Damaged { at: u64, what: String },
    /// The system refused.
    Io(io::Error),
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
