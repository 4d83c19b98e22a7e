//! The append-only log of one tenant: where an event becomes true.
//!
//! # For the engine
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use cordboard_server::log::{self, LogConfig, Position, disk::RealDisk};
//!
//! # let dir = std::env::temp_dir().join(format!("cordboard-log-doc-{}", std::process::id()));
//! // Seconds since 1970 make a good founding epoch: a log founded again after a loss gets a later one.
//! let opened = log::open(Arc::new(RealDisk), &dir, LogConfig::default(), 1_700_000_000)?;
//! let log = opened.log; // clone it for every reader
//! let mut writer = opened.writer.into_background()?; // the one writer, stays in the loop
//!
//! let position = writer.append(1_700_000_000_000_000, br#"{"answered":1}"#)?; // returns at once
//! let status = log.status(); // a tokio watch: `status.changed().await`, then `status.borrow().durable`
//! assert!(writer.flush(Duration::from_secs(9))); // or block until everything appended is durable
//! assert!(status.borrow().durable >= position);
//!
//! let mut reader = log.reader(Position { epoch: position.epoch, sequence: 0 })?; // from the beginning
//! while let Some(record) = reader.next()? {
//!     println!("{} {:?}", record.position, record.payload);
//! } // None: caught up; `reader.ready().await` or `reader.wait(timeout)` for more
//!
//! log.store_snapshot(position, b"the world at this position")?;
//! let retained = log.retain(1_700_000_001_000_000)?; // now and then; stores nothing, says when a snapshot is due
//! # assert!(!retained.snapshot_due);
//! writer.close()?;
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! * `append` gives positions without hole or double. Nobody can read a record before it is on disk.
//! * After a crash everything that was durable is there and nothing is half there. A write cut short is cut off and
//!   reported ([`OpenReport::torn_tail`]); anything else that is not as it was written is refused ([`OpenError`]).
//! * After a failed fsync the log takes nothing more: [`Health::Poisoned`]. A full disk only delays:
//!   [`Health::DiskFull`].
//! * A reader gets every record after its cursor, or is told in so many words that it must begin again from a snapshot.
//!
//! The parts, in reading order: `segment` the bytes, `walk` reading them, `recover` opening, `writer` and
//! `group_commit` writing, `shared` what is visible, `reader`, `snapshot`, `retain`, `verify`; `disk` is what all of it
//! asks of a disk.

pub mod bench;
pub mod disk;
pub mod faulty_disk;
mod group_commit;
mod reader;
mod recover;
mod retain;
mod segment;
mod shared;
mod snapshot;
mod verify;
mod walk;
mod writer;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

pub use group_commit::LogWriter;
pub use reader::{ReadError, Reader, Record};
pub use recover::{OpenError, OpenReport, Opened, TornTail, open};
pub use retain::RetainReport;
pub use segment::HeaderError;
pub(crate) use snapshot::newest_in;
pub use snapshot::{DamagedSnapshot, LatestSnapshot, SNAPSHOTS_KEPT, Snapshot, SnapshotError};
pub use verify::{Damage, VerifyProgress, VerifyReport, verify};
pub use writer::{AppendError, CommitError, Writer};

/// The place of a record in a log. As a cursor it means "after this record"; sequence 0 is before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which log: changes only when a log is founded anew.
    pub epoch: u32,
    /// Which record: 1, 2, 3, … without hole or double.
    pub sequence: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.sequence)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Position, PositionError> {
        // `parse` alone would take "+1", and two texts for one position are one too many.
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = text.split_once('-').filter(|(epoch, sequence)| number(epoch) && number(sequence)).and_then(
            |(epoch, sequence)| Some(Position { epoch: epoch.parse().ok()?, sequence: sequence.parse().ok()? }),
        );
        parsed.ok_or_else(|| PositionError { text: text.chars().take(PositionError::TEXT_CHARS_MAX).collect() })
    }
}

/// How much a log may grow and hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A new segment file is begun before a group would take the current one over this. Bytes; 64 MiB.
    pub segment_bytes_max: u64,
    /// Oldest segments are dropped while all together are over this. Bytes; 4 GiB.
    pub log_bytes_max: u64,
    /// Segments are dropped when their newest record is older than this. Seconds; 7 days.
    pub log_age_s_max: u64,
    /// Memory for the newest records, which live readers are served from. Bytes; 16 MiB.
    pub tail_bytes_max: usize,
    /// Longest payload. Bytes, at most 16 MiB; 1 MiB.
    pub record_bytes_max: u32,
    /// Records that wait for the disk; over this `append` refuses. Bytes, at most 1 GiB; 64 MiB.
    pub pending_bytes_max: usize,
    /// Shortest time from one group commit to the next. Microseconds, at most 5 000; 0: as soon as the last ended.
    pub group_window_us: u32,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes_max: 64 << 20,
            log_bytes_max: 4 << 30,
            log_age_s_max: 7 * 24 * 3600,
            tail_bytes_max: 16 << 20,
            record_bytes_max: 1 << 20,
            pending_bytes_max: 64 << 20,
            group_window_us: 0,
        }
    }
}

impl LogConfig {
    /// Longest group window: a record is on its way to disk after at most this time. Microseconds.
    pub const GROUP_WINDOW_US_MAX: u32 = 5_000;
    /// Largest `pending_bytes_max`. Bytes.
    pub const PENDING_BYTES_LIMIT: usize = 1 << 30;

    /// Checks that the limits fit together.
    ///
    /// # Errors
    /// [`ConfigError`] names the key, its value and what would be right.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |key, value: u64, right: String| Err(ConfigError { key, value, right });
        if self.record_bytes_max == 0 || self.record_bytes_max > segment::RECORD_BYTES_LIMIT {
            let right = format!("1 to {}", segment::RECORD_BYTES_LIMIT);
            return refuse("record_bytes_max", self.record_bytes_max.into(), right);
        }
        let record_bytes = self.record_bytes_max as usize + segment::FRAME_BYTES;
        if self.pending_bytes_max < record_bytes || self.pending_bytes_max > LogConfig::PENDING_BYTES_LIMIT {
            let right = format!("{record_bytes} (one record) to {}", LogConfig::PENDING_BYTES_LIMIT);
            return refuse("pending_bytes_max", self.pending_bytes_max as u64, right);
        }
        if self.segment_bytes_max == 0 {
            return refuse("segment_bytes_max", 0, "1 or more".to_owned());
        }
        if self.log_bytes_max < self.segment_bytes_max {
            let right = format!("segment_bytes_max = {} or more", self.segment_bytes_max);
            return refuse("log_bytes_max", self.log_bytes_max, right);
        }
        if self.log_age_s_max == 0 {
            return refuse("log_age_s_max", 0, "1 or more".to_owned());
        }
        if self.group_window_us > LogConfig::GROUP_WINDOW_US_MAX {
            let right = format!("0 to {}", LogConfig::GROUP_WINDOW_US_MAX);
            return refuse("group_window_us", self.group_window_us.into(), right);
        }
        Ok(())
    }

    fn log_age_us_max(&self) -> u64 {
        self.log_age_s_max.saturating_mul(1_000_000)
    }
}

/// How the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It takes and commits records.
    Healthy,
    /// Records wait for room on the disk; readers have what was durable before.
    DiskFull,
    /// The disk failed; it takes nothing more. The process has to open it again.
    Poisoned,
    /// The writer is gone.
    Closed,
}

impl Health {
    /// Whether the log will never take a record again.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Health::Healthy | Health::DiskFull => false,
            Health::Poisoned | Health::Closed => true,
        }
    }
}

/// What the bell tells: how far the log is durable and how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The last record that is on disk, and so may be told.
    pub durable: Position,
    /// How the log is.
    pub health: Health,
}

/// A handle on an open log; clones share it.
#[derive(Clone)]
pub struct Log {
    shared: Arc<shared::Shared>,
}

impl Log {
    /// A reader of the records after `after`.
    ///
    /// # Errors
    /// [`ReadError::OtherEpoch`], [`ReadError::Gone`] or [`ReadError::BeyondEnd`]: the cursor cannot be served.
    pub fn reader(&self, after: Position) -> Result<Reader, ReadError> {
        Reader::new(Arc::clone(&self.shared), after)
    }

    /// The bell: changes whenever more is durable, or the health changes. Carries no data.
    #[must_use]
    pub fn status(&self) -> tokio::sync::watch::Receiver<Status> {
        self.shared.bell.subscribe()
    }

    /// The last record that is on disk.
    #[must_use]
    pub fn durable(&self) -> Position {
        self.shared.position(self.shared.state().durable)
    }

    /// The oldest cursor that can be served: the position before the oldest record kept.
    #[must_use]
    pub fn oldest(&self) -> Position {
        self.shared.position(self.shared.state().oldest() - 1)
    }

    /// Bytes of all segments on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.state().bytes()
    }

    /// Why the log is full or poisoned, in words; empty when it never was.
    #[must_use]
    pub fn cause(&self) -> String {
        self.shared.state().cause.clone()
    }

    /// Stores what the world is after the record at `position`; the two newest snapshots are kept. Blocks for the disk.
    ///
    /// # Errors
    /// [`SnapshotError`]; the snapshots there were stay.
    pub fn store_snapshot(&self, position: Position, bytes: &[u8]) -> Result<(), SnapshotError> {
        snapshot::store(&self.shared, position, bytes)
    }

    /// The newest valid snapshot, and which newer ones are damaged. Blocks for the disk.
    #[must_use]
    pub fn latest_snapshot(&self) -> LatestSnapshot {
        snapshot::latest(&self.shared)
    }

    /// Drops segments that are over a bound (`log_bytes_max`, `log_age_s_max`) and whose records are all in every
    /// snapshot kept; `now_us` is microseconds since the Unix epoch. Blocks for the disk.
    ///
    /// # Errors
    /// Whatever the system says, or that the log is closed; what was not removed is removed or kept whole next time.
    pub fn retain(&self, now_us: u64) -> io::Result<RetainReport> {
        retain::retain(&self.shared, now_us)
    }
}

/// A text that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no position; a position is epoch and sequence, as in \"1700000000-42\"")]
pub struct PositionError {
    text: String,
}

impl PositionError {
    const TEXT_CHARS_MAX: usize = 64;
}

/// A limit that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} is not possible; it must be {right}")]
pub struct ConfigError {
    key: &'static str,
    value: u64,
    right: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_order_print_and_parse() {
        let position = Position { epoch: 3, sequence: 41 };
        assert_eq!(position.to_string(), "3-41");
        assert_eq!("3-41".parse(), Ok(position));
        assert!(position < Position { epoch: 3, sequence: 42 });
        assert!(Position { epoch: 3, sequence: u64::MAX } < Position { epoch: 4, sequence: 0 });
        for bad in ["", "3", "3-", "-3", "3-4-5", "+3-4", "3-+4", "4294967296-1", "3-18446744073709551616", " 3-4"] {
            let error = bad.parse::<Position>().unwrap_err().to_string();
            assert!(error.contains("1700000000-42"), "{bad}: {error}");
        }
    }

    #[test]
    fn impossible_limits_are_refused_by_name() {
        assert_eq!(LogConfig::default().validate(), Ok(()));
        let refusals = [
            (LogConfig { record_bytes_max: 0, ..LogConfig::default() }, "record_bytes_max"),
            (LogConfig { pending_bytes_max: 100, ..LogConfig::default() }, "pending_bytes_max"),
            (LogConfig { segment_bytes_max: 0, ..LogConfig::default() }, "segment_bytes_max"),
            (LogConfig { log_bytes_max: 1, ..LogConfig::default() }, "log_bytes_max"),
            (LogConfig { log_age_s_max: 0, ..LogConfig::default() }, "log_age_s_max"),
            (LogConfig { group_window_us: 5_001, ..LogConfig::default() }, "group_window_us"),
        ];
        for (config, key) in refusals {
            assert!(config.validate().unwrap_err().to_string().contains(key));
        }
    }
}
