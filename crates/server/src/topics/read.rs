//! Reading: from an offset, or by time.

use std::io;
use std::sync::{Arc, PoisonError};

use cordboard_kafka::batch::{self, BatchHead};

use super::index::{Entry, INTERVAL_BYTES, Index, WALK_BYTES, Walk, WalkError};
use super::partition::{Extent, OpenFile, Partition, Segment};
use super::{Batches, PartitionId, Place, ReadError, Shared};

pub(super) fn read(shared: &Shared, id: PartitionId, from: i64, bytes_max: usize) -> Result<Batches, ReadError> {
    let partition = shared.partition(id).ok_or(ReadError::NoPartition)?;
    let choose = |extent: &Extent| {
        let (start, end) = (extent.start(), extent.end);
        if from < start || from > end {
            return Err(ReadError::OutOfRange { start, end });
        }
        Ok((from < end).then(|| extent.segment_of(from)).flatten().cloned())
    };
    match Opened::choose(shared, partition, choose)? {
        None => Ok(Batches { bytes: bytes::Bytes::new(), next: from }),
        Some(opened) => opened.read(from, bytes_max),
    }
}

pub(super) fn at_time(shared: &Shared, id: PartitionId, ms: i64) -> Result<Option<Place>, ReadError> {
    let partition = shared.partition(id).ok_or(ReadError::NoPartition)?;
    // Times never run backwards in a partition.
    let choose = |extent: &Extent| {
        let after = extent.segments.partition_point(|segment| segment.is.max_ms < ms);
        Ok(extent.segments.get(after).filter(|segment| segment.is.bytes > 0).cloned())
    };
    match Opened::choose(shared, partition, choose)? {
        None => Ok(None),
        Some(opened) => opened.at_time(ms).map(Some),
    }
}

pub(super) fn newest(shared: &Shared, id: PartitionId) -> Result<Option<Place>, ReadError> {
    let partition = shared.partition(id).ok_or(ReadError::NoPartition)?;
    let newest_ms = {
        let extent = partition.extent();
        extent.segments.iter().rev().find(|segment| segment.is.bytes > 0).map(|segment| segment.is.max_ms)
    };
    newest_ms.map_or(Ok(None), |ms| at_time(shared, id, ms))
}

/// A file that is open, and what of it may be read.
struct Opened<'a> {
    partition: &'a Partition,
    segment: Segment,
    /// The offset after the last record of it that may be read.
    end: i64,
    file: Arc<OpenFile>,
}

impl<'a> Opened<'a> {
    /// Opens the file that `choose` finds. A file that was removed in between is looked for once more.
    fn choose(
        shared: &Shared,
        partition: &'a Partition,
        choose: impl Fn(&Extent) -> Result<Option<Segment>, ReadError>,
    ) -> Result<Option<Self>, ReadError> {
        loop {
            let (segment, end) = {
                let extent = partition.extent();
                let Some(segment) = choose(&extent)? else { return Ok(None) };
                let after = extent.segments.partition_point(|it| it.is.base <= segment.is.base);
                let end = extent.segments.get(after).map_or(extent.end, |next| next.is.base);
                (segment, end)
            };
            match shared.files.cache.open(shared.files.disk.as_ref(), partition, &segment) {
                Ok(file) => return Ok(Some(Self { partition, segment, end, file })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    // Whoever removes it says so when it is gone for sure.
                    drop(partition.upkeep.lock().unwrap_or_else(PoisonError::into_inner));
                    if partition.extent().start() <= segment.is.base {
                        return Err(ReadError::Io(error));
                    }
                }
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }

    fn read(&self, from: i64, bytes_max: usize) -> Result<Batches, ReadError> {
        self.complete_index()?;
        let known = self.file.index().of_offset(from);
        let (entry, is_exact) = known.unwrap_or((self.first_entry(), false));
        let slack = if is_exact { 0 } else { INTERVAL_BYTES as usize };
        let mut walk = self.walk(&entry, bytes_max.saturating_add(slack));
        let read = loop {
            match walk.head().map_err(|error| self.error(error))? {
                None => return Err(self.ends_early(&walk)),
                Some(head) if head.next_offset <= from => walk.pass(&head),
                Some(head) => break gather(&mut walk, &head, bytes_max).map_err(|error| self.error(error))?,
            }
        };
        if walk.at() >= self.segment.is.bytes && walk.offset() != self.end {
            return Err(self.ends_early(&walk));
        }
        self.file.index().remember(walk.offset(), walk.at());
        Ok(read)
    }

    fn at_time(&self, ms: i64) -> Result<Place, ReadError> {
        self.complete_index()?;
        let entry = self.file.index().of_time(ms).unwrap_or(self.first_entry());
        let mut walk = self.walk(&entry, INTERVAL_BYTES as usize);
        loop {
            let head = walk.head().map_err(|error| self.error(error))?.ok_or_else(|| self.ends_early(&walk))?;
            if head.max_ms < ms {
                walk.pass(&head);
                continue;
            }
            let at = walk.at();
            let batch = gather(&mut walk, &head, 0).map_err(|error| self.error(error))?.bytes;
            let damaged = |error: batch::BatchError| self.damaged(at, error.to_string());
            for record in batch::records(&batch).map_err(damaged)? {
                let record = record.map_err(damaged)?;
                if record.timestamp_ms >= ms {
                    return Ok(Place { offset: record.offset, at_ms: record.timestamp_ms });
                }
            }
            return Err(self.damaged(at, format!("the batch has no record of the time {ms} that its head claims")));
        }
    }

    /// Walks what the index does not know yet: of a file that was there before the store was opened.
    fn complete_index(&self) -> Result<(), ReadError> {
        let until = self.file.index().from();
        if until == 0 {
            return Ok(());
        }
        let mut before = Index::new(0);
        let entry = self.first_entry();
        let mut walk = Walk::new(self.file.file.as_ref(), (entry.at, entry.offset), until, WALK_BYTES);
        while let Some(head) = walk.head().map_err(|error| self.error(error))? {
            before.grow(Entry { offset: head.base_offset, at: walk.at(), first_ms: head.first_ms });
            walk.pass(&head);
        }
        self.file.index().complete(before);
        Ok(())
    }

    fn walk(&self, entry: &Entry, chunk_bytes: usize) -> Walk<'_> {
        Walk::new(self.file.file.as_ref(), (entry.at, entry.offset), self.segment.is.bytes, chunk_bytes)
    }

    fn first_entry(&self) -> Entry {
        Entry { offset: self.segment.is.base, at: 0, first_ms: self.segment.is.first_ms }
    }

    fn error(&self, error: WalkError) -> ReadError {
        match error {
            WalkError::Damaged { at, what } => self.damaged(at, what),
            WalkError::Io(error) => ReadError::Io(error),
        }
    }

    fn ends_early(&self, walk: &Walk<'_>) -> ReadError {
        self.damaged(walk.at(), format!("the file ends with offset {}, right would be {}", walk.offset(), self.end))
    }

    fn damaged(&self, at: u64, what: String) -> ReadError {
        ReadError::Damaged { file: self.partition.path(self.segment.is.base), at, what }
    }
}

/// The next batch, whose head this is, and of those behind it what is in memory anyway and fits.
fn gather(walk: &mut Walk<'_>, first: &BatchHead, bytes_max: usize) -> Result<Batches, WalkError> {
    let from = walk.at();
    walk.hold(first)?;
    walk.pass(first);
    let mut bytes = first.bytes;
    while let Some(head) = walk.head_in_memory()?.filter(|head| head.bytes <= bytes_max.saturating_sub(bytes)) {
        walk.pass(&head);
        bytes += head.bytes;
    }
    Ok(Batches { bytes: walk.slice(from), next: walk.offset() })
}
