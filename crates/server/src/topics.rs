//! The topic store of one tenant: what is told as records of Kafka, kept once, at offsets that stay for ever.
//!
//! # For the teller and for readers
//!
//! ```
//! use std::sync::Arc;
//! use cordboard_kafka::batch::{self, NewRecord};
//! use cordboard_server::log::{Position, disk::RealDisk};
//! use cordboard_server::topics::{self, PartitionId, Topic, TopicLimits};
//!
//! # let dir = std::env::temp_dir().join(format!("cordboard-topics-doc-{}", std::process::id()));
//! let wanted = [Topic { name: "voice-callthread".to_owned(), partitions: 4 }];
//! let (mut writer, store) = topics::open(Arc::new(RealDisk), &dir, &wanted, TopicLimits::default(), 1_700_000_000)?;
//!
//! let from = writer.upto(); // everything of the tenant's log up to here is in: go on after it
//! writer.append(0, &NewRecord { timestamp_ms: 1_700_000_000_000, key: b"acme:7", value: b"{}", headers: &[] });
//! writer.commit(Position { sequence: from.sequence + 1, ..from })?; // all of it on disk, or nothing
//!
//! let id = PartitionId { topic: 0, partition: cordboard_kafka::partitioner::partition(b"acme:7", 4) };
//! let read = store.read(id, 0, 1 << 20)?; // whole batches, byte for byte as a Fetch hands them out
//! assert_eq!(batch::records(&read.bytes)?.count(), 1);
//! assert_eq!(Some(read.next), store.end(id));
//! writer.close()?;
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is kept
//!
//! ```text
//! DIR/journal/…                                 a log of our own: one record of it is one commit
//! DIR/TOPIC/PARTITION/00000000000000000000.batches   record batches one after the other, nothing else
//! ```
//!
//! A commit is first one record in the journal, with one fdatasync for all partitions together. Then its batches are
//! appended to the files of the partitions, without a sync, and shown. Now and then those files are synced, and a
//! checkpoint (a snapshot of the journal) says how far: after a crash every file is cut to its checkpoint and the
//! journal's records after it are applied again.
//!
//! # What holds
//!
//! * A record that anybody saw is on disk, at the offset where it was seen. Offsets have no hole.
//! * [`TopicWriter::upto`] and the records go together: both of a commit are there, or neither.
//! * A full disk only delays. After a failed fsync nothing more is taken until the store is opened again.
//! * What is not as it was written is refused when the store is opened ([`OpenTopicsError`]) or read
//!   ([`ReadError::Damaged`]), and never passed over.
//!
//! The parts, in reading order: `journal` and `checkpoint` what is written besides the batches, `partition` what of a
//! partition is shared, `append` and `writer` writing, `recover` opening, `index` and `read` reading, `verify`.

mod append;
mod checkpoint;
pub mod headers;
mod index;
mod journal;
pub mod keep;
mod partition;
mod read;
mod recover;
pub mod scribe;
mod verify;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::config::Topics;
use partition::{Files, Partition};

pub(crate) use recover::JOURNAL;
pub use recover::{OpenTopicsError, OpenTopicsReport, open};
pub use verify::{VerifyTopicsReport, verify};
pub use writer::{CommitTopicsError, TopicWriter};

/// A topic as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
}

impl Topic {
    /// No name is longer, in bytes: Kafka's own limit.
    pub const NAME_BYTES_MAX: usize = 249;

    /// Whether a topic can be called so, by Kafka's rules.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !matches!(name, "" | "." | "..") && name.len() <= Self::NAME_BYTES_MAX && name.chars().all(allowed)
    }
}

/// Names a partition of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    /// Place of the topic in [`TopicStore::topics`].
    pub topic: u32,
    /// Number of the partition, from 0.
    pub partition: u32,
}

/// Batches as they were stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Whole record batches, one after the other. They share the memory of one read.
    pub bytes: Bytes,
    /// The offset after their last record.
    pub next: i64,
}

/// Where a record is, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its offset.
    pub offset: i64,
    /// Its time, milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// How much is written together and kept in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicLimits {
    /// A file of a partition is ended before it would grow over this. Bytes.
    pub segment_bytes_max: u64,
    /// A batch is ended before it would grow over this; a record that is larger is a batch of its own. Bytes.
    pub batch_bytes_max: usize,
    /// The journal is kept about this small. Bytes.
    pub journal_bytes_max: u64,
}

impl From<&Topics> for TopicLimits {
    fn from(topics: &Topics) -> Self {
        Self {
            segment_bytes_max: topics.segment_bytes_max,
            batch_bytes_max: topics.batch_bytes_max,
            journal_bytes_max: topics.journal_bytes_max,
        }
    }
}

impl Default for TopicLimits {
    fn default() -> Self {
        Self::from(&Topics::default())
    }
}

/// The readers' side of a store; clones share it. Reading blocks for the disk.
#[derive(Clone)]
pub struct TopicStore {
    shared: Arc<Shared>,
}

/// What the writer and all readers share.
struct Shared {
    files: Arc<Files>,
    topics: Vec<Topic>,
    /// Of each topic its partitions, in order.
    partitions: Vec<Vec<Arc<Partition>>>,
    bell: watch::Sender<u64>,
}

impl Shared {
    fn partition(&self, id: PartitionId) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(id.topic).ok()?)?.get(usize::try_from(id.partition).ok()?)
    }
}

impl TopicStore {
    /// The topics, in an order that stays while the process runs.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.shared.topics
    }

    /// The oldest offset that is kept; `None` where there is no such partition.
    #[must_use]
    pub fn start(&self, id: PartitionId) -> Option<i64> {
        self.shared.partition(id).map(|partition| partition.extent().start())
    }

    /// The offset that the next record will get. Everything below it is on disk.
    #[must_use]
    pub fn end(&self, id: PartitionId) -> Option<i64> {
        self.shared.partition(id).map(|partition| partition.extent().end)
    }

    /// Bytes of all records that are kept of a partition; `None` where there is no such partition.
    #[must_use]
    pub fn bytes(&self, id: PartitionId) -> Option<u64> {
        self.shared.partition(id).map(|partition| partition.extent().bytes())
    }

    /// Whole batches, the first of which holds the record at `from` and so may begin before it: no more than
    /// `bytes_max` of them, but at least one where there is one. Empty at the end. Blocks for the disk.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, id: PartitionId, from: i64, bytes_max: usize) -> Result<Batches, ReadError> {
        read::read(&self.shared, id, from, bytes_max)
    }

    /// The first record whose time is `ms` (milliseconds since the Unix epoch) or later. Blocks for the disk.
    ///
    /// # Errors
    /// [`ReadError`], but never [`ReadError::OutOfRange`].
    pub fn at_time(&self, id: PartitionId, ms: i64) -> Result<Option<Place>, ReadError> {
        read::at_time(&self.shared, id, ms)
    }

    /// The record with the greatest time; where several have it, the first of them. Blocks for the disk.
    ///
    /// # Errors
    /// [`ReadError`], but never [`ReadError::OutOfRange`].
    pub fn newest(&self, id: PartitionId) -> Result<Option<Place>, ReadError> {
        read::newest(&self.shared, id)
    }

    /// Rung after each commit; what it carries only counts.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.shared.bell.subscribe()
    }
}

/// The file of a partition that begins with the offset `base`.
fn segment_path(dir: &Path, base: i64) -> PathBuf {
    dir.join(format!("{base:020}{SEGMENT_SUFFIX}"))
}

/// The offset that a file's name claims to begin with.
fn segment_base(name: &str) -> Option<i64> {
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// How file names of partitions end.
const SEGMENT_SUFFIX: &str = ".batches";

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such topic, or not so many partitions of it.
    #[error("there is no such partition")]
    NoPartition,
    /// The offset is no longer kept, or not there yet.
    #[error("the offset is out of range; right would be {start} to {end}")]
    OutOfRange {
        /// The oldest offset kept.
        start: i64,
        /// The offset of the next record.
        end: i64,
    },
    /// A file is not as it was written.
    #[error("{} is damaged at byte {at}: {what}; `cordboard log verify` says what is lost", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes.
        at: u64,
        /// What stands there, and what should.
        what: String,
    },
    /// The system refused.
    #[error("cannot read a topic: {0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_sort_like_their_offsets() {
        let name = |base| segment_path(Path::new("d"), base).file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name(9) < name(10));
        assert_eq!(segment_base(&name(i64::MAX)), Some(i64::MAX));
        for other in ["1.batches", "00000000000000000001.segment", "99999999999999999999.batches", "lock"] {
            assert_eq!(segment_base(other), None, "{other}");
        }
    }

    #[test]
    fn names_are_such_as_kafka_takes() {
        for name in ["a", "voice-callthread", "acme.voice_callthread", &"x".repeat(249)] {
            assert!(Topic::is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "ä", "a b", &"x".repeat(250)] {
            assert!(!Topic::is_name(name), "{name}");
        }
    }
}
