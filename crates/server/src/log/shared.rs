//! What the writer and all readers of one log share: which segments there are, the warm tail, how far it is durable.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use super::disk::Disk;
use super::segment::{FRAME_BYTES, FrameHead, segment_path};
use super::{Health, LogConfig, Position, Status};

/// Shared by the writer, the [`super::Log`] handles and their readers.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) config: LogConfig,
    pub(crate) epoch: u32,
    pub(crate) salt: u32,
    state: Mutex<State>,
    /// Held while snapshots are stored or segments dropped: one of these at a time.
    pub(crate) upkeep: Mutex<()>,
    durable_changed: Condvar,
    pub(crate) bell: watch::Sender<Status>,
}

/// The changing part. `segments` is never empty; only its front is ever removed, only its back grows.
pub(crate) struct State {
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) tail: VecDeque<Arc<Group>>,
    pub(crate) tail_bytes: usize,
    pub(crate) durable: u64,
    pub(crate) health: Health,
    pub(crate) cause: String,
    /// Valid snapshots on disk, oldest first.
    pub(crate) snapshots: Vec<u64>,
}

/// A segment as far as it is durable.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) bytes: u64,
    pub(crate) newest_us: u64,
    pub(crate) index: Vec<(u64, u64)>,
}

/// One group commit: frames as they are on disk, and where each begins.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) first: u64,
    pub(crate) bytes: Bytes,
    pub(crate) offsets: Vec<u32>,
    pub(crate) oldest_us: u64,
    pub(crate) newest_us: u64,
    pub(crate) memory_bytes: usize,
}

impl Group {
    /// The sequence after the last record.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    /// Time and payload of a record.
    pub(crate) fn record(&self, sequence: u64) -> Option<(u64, Bytes)> {
        let offset = *self.offsets.get(usize::try_from(sequence.checked_sub(self.first)?).ok()?)? as usize;
        let head = FrameHead::decode(self.bytes.get(offset..)?)?;
        Some((head.at_us, self.bytes.slice(offset + FRAME_BYTES..offset + head.frame_bytes())))
    }
}

impl State {
    /// Sequence of the oldest record kept, or of the next one when there is none.
    pub(crate) fn oldest(&self) -> u64 {
        self.segments.front().map_or(self.durable + 1, |segment| segment.first)
    }

    /// The segment that holds `sequence`, and the last sequence it holds durably.
    pub(crate) fn segment_of(&self, sequence: u64) -> Option<(&Segment, u64)> {
        let after = self.segments.partition_point(|segment| segment.first <= sequence);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let last = self.segments.get(after).map_or(self.durable, |next| next.first - 1);
        Some((segment, last))
    }

    /// The group of the warm tail that holds `sequence`.
    pub(crate) fn tail_group(&self, sequence: u64) -> Option<&Arc<Group>> {
        let after = self.tail.partition_point(|group| group.first <= sequence);
        self.tail.get(after.checked_sub(1)?).filter(|group| sequence < group.next())
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes of all records after `sequence`, to the precision of the sparse index.
    pub(crate) fn bytes_after(&self, sequence: u64) -> u64 {
        let after = self.segments.partition_point(|segment| segment.first <= sequence);
        let whole: u64 = self.segments.iter().skip(after).map(|segment| segment.bytes).sum();
        let part = after.checked_sub(1).and_then(|at| self.segments.get(at)).map_or(0, |segment| {
            let entry = segment.index.partition_point(|(indexed, _)| *indexed <= sequence).checked_sub(1);
            let offset = entry.and_then(|entry| segment.index.get(entry)).map_or(0, |(_, offset)| *offset);
            if self.durable <= sequence { 0 } else { segment.bytes.saturating_sub(offset) }
        });
        whole + part
    }
}

impl Shared {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, config: LogConfig, epoch: u32, state: State) -> Shared {
        let status = Status { durable: Position { epoch, sequence: state.durable }, health: state.health };
        Shared {
            disk,
            dir,
            config,
            epoch,
            salt: super::segment::salt(epoch),
            state: Mutex::new(state),
            upkeep: Mutex::new(()),
            durable_changed: Condvar::new(),
            bell: watch::Sender::new(status),
        }
    }

    /// The lock is held for moments and never across disk work.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn position(&self, sequence: u64) -> Position {
        Position { epoch: self.epoch, sequence }
    }

    pub(crate) fn segment_path(&self, first: u64) -> PathBuf {
        segment_path(&self.dir, first)
    }

    /// Makes a group visible; it is durable now, at `offset` of the last segment.
    pub(crate) fn publish(&self, group: Arc<Group>, offset: u64) {
        let mut state = self.state();
        let next = group.next();
        let bytes = group.bytes.len() as u64;
        if let Some(segment) = state.segments.back_mut() {
            for (sequence, at) in (group.first..).zip(&group.offsets) {
                super::walk::index_record(&mut segment.index, sequence, offset + u64::from(*at));
            }
            segment.bytes = offset + bytes;
            segment.newest_us = segment.newest_us.max(group.newest_us);
        }
        state.durable = next - 1;
        state.health = Health::Healthy;
        state.tail_bytes += group.memory_bytes;
        state.tail.push_back(group);
        while state.tail_bytes > self.config.tail_bytes_max {
            let Some(oldest) = state.tail.pop_front() else { break };
            state.tail_bytes -= oldest.memory_bytes;
        }
        self.ring(state);
    }

    /// A new last segment exists.
    pub(crate) fn add_segment(&self, segment: Segment) {
        self.state().segments.push_back(segment);
    }

    /// Tells a change of health; a poisoned or closed log stays so.
    pub(crate) fn set_health(&self, health: Health, cause: &str) {
        let mut state = self.state();
        if state.health.is_over() {
            return;
        }
        state.health = health;
        if !cause.is_empty() {
            cause.clone_into(&mut state.cause);
        }
        self.ring(state);
    }

    fn ring(&self, state: MutexGuard<'_, State>) {
        let status = Status { durable: self.position(state.durable), health: state.health };
        // Rung under the lock, so that the bell never goes backwards.
        self.bell.send_replace(status);
        drop(state);
        self.durable_changed.notify_all();
    }

    /// Waits until `sequence` is durable, the log accepts no more, or the time is over; tells whether it is durable.
    pub(crate) fn wait_durable(&self, sequence: u64, timeout: std::time::Duration) -> bool {
        let waits = |state: &mut State| state.durable < sequence && !state.health.is_over();
        let (state, _) = self
            .durable_changed
            .wait_timeout_while(self.state(), timeout, waits)
            .unwrap_or_else(PoisonError::into_inner);
        state.durable >= sequence
    }
}
