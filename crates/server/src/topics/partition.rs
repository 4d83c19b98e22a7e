//! What the writer and the readers share of a partition, and which of its files are open.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::checkpoint::{PartitionKept, SegmentKept};
use super::index::Index;
use super::segment_path;
use crate::log::disk::{Disk, DiskFile, OpenMode};

/// Where the files of a store are, and which are open.
pub(super) struct Files {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) cache: Cache,
    pub(super) segment_bytes_max: u64,
}

/// A partition.
pub(super) struct Partition {
    pub(super) dir: PathBuf,
    extent: RwLock<Extent>,
    /// Held while files are removed.
    pub(super) upkeep: Mutex<()>,
}

/// What of a partition may be read.
#[derive(Clone, Default)]
pub(super) struct Extent {
    /// The offset of the next record.
    pub(super) end: i64,
    /// Its files, oldest first.
    pub(super) segments: VecDeque<Segment>,
}

/// A file of a partition, as far as it may be read.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) is: SegmentKept,
    pub(super) slot: Arc<Slot>,
}

impl Partition {
    pub(super) fn new(dir: PathBuf, extent: Extent) -> Self {
        Self { dir, extent: RwLock::new(extent), upkeep: Mutex::new(()) }
    }

    pub(super) fn extent(&self) -> RwLockReadGuard<'_, Extent> {
        self.extent.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn extent_mut(&self) -> RwLockWriteGuard<'_, Extent> {
        self.extent.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kept(&self) -> PartitionKept {
        let extent = self.extent();
        PartitionKept { end: extent.end, segments: extent.segments.iter().map(|segment| segment.is).collect() }
    }

    pub(super) fn path(&self, base: i64) -> PathBuf {
        segment_path(&self.dir, base)
    }
}

impl Extent {
    pub(super) fn start(&self) -> i64 {
        self.segments.front().map_or(self.end, |segment| segment.is.base)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.is.bytes).sum()
    }

    /// The file that holds this offset, which must be in range.
    pub(super) fn segment_of(&self, offset: i64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.is.base <= offset);
        self.segments.get(after.checked_sub(1)?)
    }
}

/// Where a file's handle is while it is open.
#[derive(Default)]
pub(super) struct Slot {
    opened: Mutex<Option<Opened>>,
}

#[derive(Clone)]
struct Opened {
    file: Arc<OpenFile>,
    /// The writer appends to it: it stays open.
    is_active: bool,
}

/// A file that is open, and what is known of where its batches begin.
pub(super) struct OpenFile {
    pub(super) file: Arc<dyn DiskFile>,
    index: Mutex<Index>,
}

impl OpenFile {
    pub(super) fn new(file: Arc<dyn DiskFile>, index: Index) -> Arc<Self> {
        Arc::new(Self { file, index: Mutex::new(index) })
    }

    /// Held for moments and never across disk work.
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Of the file that the writer appends to.
    pub(super) fn active(file: Arc<OpenFile>) -> Arc<Self> {
        Arc::new(Self { opened: Mutex::new(Some(Opened { file, is_active: true })) })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files that are open for readers, but for those that are written: so many at most, those used last.
pub(super) struct Cache {
    files_max: usize,
    /// Used last at the end.
    open: Mutex<VecDeque<Arc<Slot>>>,
}

impl Cache {
    /// Most files of a store that are open for readers.
    const FILES_MAX: u64 = 128;
    /// Most memory that their indexes have, in bytes.
    const INDEX_BYTES_MAX: u64 = 16 << 20;

    /// For files of at most `segment_bytes_max`.
    pub(super) fn new(segment_bytes_max: u64) -> Self {
        let files_max = (Self::INDEX_BYTES_MAX / Index::memory_bytes(segment_bytes_max)).clamp(8, Self::FILES_MAX);
        Self { files_max: files_max as usize, open: Mutex::default() }
    }

    /// The open file of a segment.
    pub(super) fn open(&self, disk: &dyn Disk, partition: &Partition, segment: &Segment) -> io::Result<Arc<OpenFile>> {
        let mut opened = segment.slot.lock();
        if let Some(Opened { file, is_active }) = opened.clone() {
            drop(opened);
            if !is_active {
                self.used(&segment.slot);
            }
            return Ok(file);
        }
        let file = disk.open(&partition.path(segment.is.base), OpenMode::Read)?;
        let file = OpenFile::new(file, Index::new(segment.is.bytes));
        *opened = Some(Opened { file: Arc::clone(&file), is_active: false });
        drop(opened);
        self.used(&segment.slot);
        Ok(file)
    }

    /// The writer goes on in another file; this one is now as any other.
    pub(super) fn ended(&self, slot: &Arc<Slot>) {
        if let Some(opened) = slot.lock().as_mut() {
            opened.is_active = false;
        }
        self.used(slot);
    }

    /// The file is gone.
    pub(super) fn forget(&self, slot: &Arc<Slot>) {
        self.lock().retain(|open| !Arc::ptr_eq(open, slot));
        *slot.lock() = None;
    }

    fn used(&self, slot: &Arc<Slot>) {
        let mut open = self.lock();
        if let Some(place) = open.iter().rposition(|open| Arc::ptr_eq(open, slot)) {
            open.remove(place);
        }
        open.push_back(Arc::clone(slot));
        let surplus = if open.len() > self.files_max { open.pop_front() } else { None };
        drop(open);
        if let Some(surplus) = surplus {
            *surplus.lock() = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Slot>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
