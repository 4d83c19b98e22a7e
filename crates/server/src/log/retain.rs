//! Retention: what is dropped, and when the caller has to take a snapshot so that more can be.

use std::io;
use std::sync::PoisonError;

use super::Position;
use super::shared::Shared;

/// A snapshot is due when this part of what is kept was written since the last: then the older of the two snapshots is
/// never far behind and the bounds are kept.
const SNAPSHOTS_PER_BOUND: u64 = 4;

/// What [`super::Log::retain`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetainReport {
    /// Segments dropped.
    pub segments_dropped: u64,
    /// Their bytes.
    pub bytes_dropped: u64,
    /// Bytes of the segments kept.
    pub bytes_kept: u64,
    /// The oldest cursor that can be served now.
    pub oldest: Position,
    /// The caller should store a snapshot soon: a good part of the bounds was written since the newest one, or
    /// something is over its bound and no snapshot allows to drop it.
    pub snapshot_due: bool,
}

/// Drops the oldest segments that are over a bound and covered by the oldest valid snapshot kept.
pub(crate) fn retain(shared: &Shared, now_us: u64) -> io::Result<RetainReport> {
    let _one_at_a_time = shared.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
    let config = &shared.config;
    let age_us_max = config.log_age_us_max();
    let mut dropped = Vec::new();
    let mut bytes_dropped = 0;
    let mut stuck = false;
    let mut state = shared.state();
    if state.health.is_over() {
        return Err(io::Error::other("the log is closed or its disk failed"));
    }
    let covered = state.snapshots.first().copied().unwrap_or(0);
    let mut bytes_kept = state.bytes();
    while let (Some(oldest), Some(next)) = (state.segments.front(), state.segments.get(1)) {
        let too_old = now_us.saturating_sub(oldest.newest_us) > age_us_max;
        if !too_old && bytes_kept <= config.log_bytes_max {
            break;
        }
        if next.first - 1 > covered || next.first > state.durable + 1 {
            stuck = true;
            break;
        }
        bytes_kept -= oldest.bytes;
        bytes_dropped += oldest.bytes;
        dropped.push(oldest.first);
        state.segments.pop_front();
    }
    let newest_snapshot = state.snapshots.last().copied().unwrap_or(0);
    let grown = state.bytes_after(newest_snapshot) > config.log_bytes_max / SNAPSHOTS_PER_BOUND;
    let aged = state.segment_of(newest_snapshot + 1).is_some_and(|(segment, last)| {
        last > newest_snapshot
            && segment.newest_us > 0
            && now_us.saturating_sub(segment.newest_us) > age_us_max / SNAPSHOTS_PER_BOUND
    });
    let report = RetainReport {
        segments_dropped: dropped.len() as u64,
        bytes_dropped,
        bytes_kept,
        oldest: shared.position(state.oldest() - 1),
        snapshot_due: stuck || grown || aged,
    };
    drop(state);
    for first in dropped {
        shared.disk.remove(&shared.segment_path(first))?;
        // One by one: were two removals lost and kept out of order by a crash, a hole would be left.
        shared.disk.sync_dir(&shared.dir)?;
    }
    Ok(report)
}
