//! The writer's side of a partition: records become batches, batches go into its files.

use std::io;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use cordboard_kafka::batch::{BatchBuilder, BatchHead, NewRecord};

use super::checkpoint::SegmentKept;
use super::index::{Entry, Index};
use super::partition::{Files, OpenFile, Partition, Segment, Slot};
use crate::log::disk::{self, DiskFile, OpenMode};

/// Writes one partition.
pub(super) struct Appender {
    pub(super) partition: Arc<Partition>,
    batch_bytes_max: usize,
    builder: BatchBuilder,
    /// Batches that no commit has taken yet.
    sealed: Vec<Bytes>,
    sealed_bytes: usize,
    /// The newest time that a record was given.
    newest_ms: i64,
    /// The offset after the last batch that was written.
    end: i64,
    active: Option<Active>,
    /// Files as they are, where that is not yet what readers see.
    fresh: Vec<Segment>,
    /// Files that were written to since the last checkpoint.
    unsynced: Vec<Arc<dyn DiskFile>>,
}

/// The file that is written.
struct Active {
    open: Arc<OpenFile>,
    slot: Arc<Slot>,
    is: SegmentKept,
    /// Nothing was written to it since the last checkpoint.
    is_synced: bool,
}

impl Active {
    fn segment(&self) -> Segment {
        Segment { is: self.is, slot: Arc::clone(&self.slot) }
    }
}

impl Appender {
    /// Goes on behind what the partition has; `active` is its last file, if there is one.
    pub(super) fn new(
        partition: Arc<Partition>,
        batch_bytes_max: usize,
        active: Option<(Segment, Arc<OpenFile>)>,
    ) -> Self {
        let (end, newest_ms) = {
            let extent = partition.extent();
            (extent.end, extent.segments.back().map_or(i64::MIN, |segment| segment.is.max_ms))
        };
        let active = active.map(|(segment, open)| Active { open, slot: segment.slot, is: segment.is, is_synced: true });
        Self {
            partition,
            batch_bytes_max,
            builder: BatchBuilder::new(end),
            sealed: Vec::new(),
            sealed_bytes: 0,
            newest_ms,
            end,
            active,
            fresh: Vec::new(),
            unsynced: Vec::new(),
        }
    }

    /// Takes a record for the next commit and gives its offset. A time before that of the record before is raised to
    /// it: times of a partition never run backwards.
    pub(super) fn push(&mut self, record: &NewRecord<'_>) -> i64 {
        self.newest_ms = self.newest_ms.max(record.timestamp_ms);
        if self.builder.count() > 0 && self.builder.bytes().saturating_add(bytes_most(record)) > self.batch_bytes_max {
            self.seal();
        }
        self.builder.push(&NewRecord { timestamp_ms: self.newest_ms, ..*record })
    }

    /// Bytes of what no commit has taken yet.
    pub(super) fn pending_bytes(&self) -> usize {
        self.sealed_bytes + if self.builder.count() > 0 { self.builder.bytes() } else { 0 }
    }

    /// Everything that no commit has taken yet.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        self.seal();
        self.sealed_bytes = 0;
        std::mem::take(&mut self.sealed)
    }

    fn seal(&mut self) {
        if let Some(batch) = self.builder.take() {
            self.sealed_bytes += batch.len();
            self.sealed.push(batch);
        }
    }

    /// The offset after the last batch that was written.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// Appends a batch, which nobody sees before [`Appender::publish`]. After an error the same batch may be given
    /// again, and no other.
    pub(super) fn write(&mut self, files: &Files, batch: &Bytes, head: &BatchHead) -> io::Result<()> {
        let is_over =
            |active: &Active| active.is.bytes > 0 && active.is.bytes + batch.len() as u64 > files.segment_bytes_max;
        if self.active.as_ref().is_none_or(is_over) {
            self.roll(files)?;
        }
        let Some(active) = &mut self.active else { return Err(io::ErrorKind::NotFound.into()) };
        if active.is_synced {
            self.unsynced.push(Arc::clone(&active.open.file));
            active.is_synced = false;
        }
        let at = active.is.bytes;
        disk::write_all_at(active.open.file.as_ref(), batch, at)?;
        active.open.index().grow(Entry { offset: head.base_offset, at, first_ms: head.first_ms });
        if at == 0 {
            active.is.first_ms = head.first_ms;
        }
        active.is.max_ms = active.is.max_ms.max(head.max_ms);
        active.is.last_at = at;
        active.is.bytes += batch.len() as u64;
        self.end = head.next_offset;
        Ok(())
    }

    /// Goes on in a new file. Its name is on disk before the next one is made: so whatever a crash leaves, a file that
    /// is missing before another was dropped by retention.
    pub(super) fn roll(&mut self, files: &Files) -> io::Result<()> {
        let (disk, dir) = (files.disk.as_ref(), &self.partition.dir);
        if self.active.is_none() {
            disk.create_dir_all(dir)?;
        }
        let file = disk.open(&self.partition.path(self.end), OpenMode::Create)?;
        disk.sync_dir(dir)?;
        if let Some(ended) = self.active.take() {
            files.cache.ended(&ended.slot);
            self.fresh.push(ended.segment());
        }
        let open = OpenFile::new(file, Index::new(0));
        let newest_ms = self.partition_newest_ms();
        let is = SegmentKept { base: self.end, bytes: 0, first_ms: newest_ms, max_ms: newest_ms, last_at: 0 };
        self.active = Some(Active { slot: Slot::active(Arc::clone(&open)), open, is, is_synced: true });
        Ok(())
    }

    /// The newest time of what was written.
    fn partition_newest_ms(&self) -> i64 {
        let shown = || self.partition.extent().segments.back().map(|segment| segment.is.max_ms);
        self.fresh.last().map(|segment| segment.is.max_ms).or_else(shown).unwrap_or(i64::MIN)
    }

    /// Shows readers what was written.
    pub(super) fn publish(&mut self) {
        let mut extent = self.partition.extent_mut();
        let active = self.active.as_ref().map(Active::segment);
        for segment in self.fresh.drain(..).chain(active) {
            match extent.segments.back_mut().filter(|last| last.is.base == segment.is.base) {
                Some(last) => *last = segment,
                None => extent.segments.push_back(segment),
            }
        }
        extent.end = self.end;
    }

    /// Files that are to be synced: everything written is on disk then.
    pub(super) fn unsynced(&mut self) -> Vec<Arc<dyn DiskFile>> {
        if let Some(active) = &mut self.active {
            active.is_synced = true;
        }
        std::mem::take(&mut self.unsynced)
    }

    /// Passes over a batch that retention dropped already: when the store is opened, and what the journal has is older
    /// than the oldest file.
    pub(super) fn pass(&mut self, head: &BatchHead) {
        self.end = head.next_offset;
        self.newest_ms = self.newest_ms.max(head.max_ms);
    }

    /// What was applied when the store was opened is where new records begin.
    pub(super) fn restart(&mut self) {
        self.builder = BatchBuilder::new(self.end);
        self.newest_ms = self.newest_ms.max(self.partition_newest_ms());
    }

    /// Whether the last file is no longer worth keeping, as all its records are older than this.
    pub(super) fn is_expired(&self, oldest_ms: i64) -> bool {
        self.active.as_ref().is_some_and(|active| active.is.bytes > 0 && active.is.max_ms < oldest_ms)
    }

    /// Removes the oldest file if another follows and all its records are older than this.
    pub(super) fn drop_oldest(&mut self, files: &Files, oldest_ms: i64) -> io::Result<bool> {
        let _others_wait = self.partition.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = {
            let extent = self.partition.extent();
            let is_droppable = extent.segments.len() > 1;
            extent.segments.front().filter(|oldest| is_droppable && oldest.is.max_ms < oldest_ms).cloned()
        };
        let Some(oldest) = oldest else { return Ok(false) };
        match files.disk.remove(&self.partition.path(oldest.is.base)) {
            Ok(()) => {}
            // An attempt before got as far as this.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Gone for sure before it is said: the oldest offset never goes back.
        files.disk.sync_dir(&self.partition.dir)?;
        self.partition.extent_mut().segments.pop_front();
        files.cache.forget(&oldest.slot);
        Ok(true)
    }
}

/// Bytes that a record takes at most in a batch.
fn bytes_most(record: &NewRecord<'_>) -> usize {
    /// Lengths of the record, its key and its value, its offset and time, the number of its headers.
    const RECORD_BYTES: usize = 64;
    /// Lengths of a header's name and value.
    const HEADER_BYTES: usize = 20;
    let headers = record.headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_BYTES);
    RECORD_BYTES + record.key.len() + record.value.len() + headers.sum::<usize>()
}
