//! What a record of the journal says: a part of a commit. Numbers are little-endian.
//!
//! ```text
//! record   0 version u8 = 1 · 1 flags u8: 1 begins a commit, 2 ends it · 2 a part of the commit's bytes
//! commit   0 epoch u32, 4 sequence u64: up to where of the tenant's log · 12 number of partitions u32 · of each
//!          length of the topic's name u16, name, partition u32, length of its batches u64, batches
//! ```
//!
//! A commit is cut into parts so that no limit of the journal is a limit of it. One whose last part is missing never
//! happened.

use bytes::{Buf as _, Bytes};

use crate::log::{LogConfig, Position};

/// Most bytes of a commit in one record.
pub(super) const PART_BYTES_MAX: usize = 4 << 20;
/// Bytes before the part.
const PART_HEAD_BYTES: usize = 2;
/// Parts wait for the disk up to this.
const PENDING_BYTES_MAX: usize = 32 << 20;
const VERSION: u8 = 1;
const BEGINS: u8 = 1;
const ENDS: u8 = 2;

/// The limits of a journal that is to stay below `journal_bytes_max`.
pub(super) fn limits(journal_bytes_max: u64) -> LogConfig {
    /// The journal is dropped in pieces of this part of it.
    const SEGMENTS: u64 = 8;
    let segment_bytes_max = (journal_bytes_max / SEGMENTS).max(1);
    LogConfig {
        segment_bytes_max,
        // All that two checkpoints cover may go.
        log_bytes_max: segment_bytes_max,
        // Never because of its age: times are not told to the journal.
        log_age_s_max: u64::MAX / 1_000_000,
        tail_bytes_max: 0,
        record_bytes_max: (PART_HEAD_BYTES + PART_BYTES_MAX) as u32,
        pending_bytes_max: PENDING_BYTES_MAX,
        group_window_us: 0,
    }
}

/// Batches of one partition in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) topic: String,
    pub(super) partition: u32,
    pub(super) batches: Bytes,
}

/// What a commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) upto: Position,
    pub(super) touched: Vec<Touched>,
}

/// Collects the bytes of a commit.
pub(super) struct CommitBuilder {
    bytes: Vec<u8>,
    partitions: u32,
}

impl CommitBuilder {
    const COUNT_AT: usize = 12;

    pub(super) fn new(upto: Position, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&upto.epoch.to_le_bytes());
        out.extend_from_slice(&upto.sequence.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        Self { bytes: out, partitions: 0 }
    }

    pub(super) fn add<'a>(&mut self, topic: &str, partition: u32, batches: impl Iterator<Item = &'a Bytes> + Clone) {
        let out = &mut self.bytes;
        // Names have at most 249 bytes.
        out.extend_from_slice(&(topic.len() as u16).to_le_bytes());
        out.extend_from_slice(topic.as_bytes());
        out.extend_from_slice(&partition.to_le_bytes());
        let length: usize = batches.clone().map(Bytes::len).sum();
        out.extend_from_slice(&(length as u64).to_le_bytes());
        for batch in batches {
            out.extend_from_slice(batch);
        }
        self.partitions += 1;
    }

    pub(super) fn build(mut self) -> Bytes {
        if let Some(place) = self.bytes.get_mut(Self::COUNT_AT..).and_then(|rest| rest.first_chunk_mut()) {
            *place = self.partitions.to_le_bytes();
        }
        self.bytes.into()
    }
}

/// The record for the part of `commit` that begins at `from`, and where the next one begins.
pub(super) fn part(commit: &Bytes, from: usize) -> (Vec<u8>, usize) {
    let to = (from + PART_BYTES_MAX).min(commit.len());
    let begins = if from == 0 { BEGINS } else { 0 };
    let ends = if to == commit.len() { ENDS } else { 0 };
    let mut record = vec![VERSION, begins | ends];
    record.extend_from_slice(commit.get(from..to).unwrap_or_default());
    (record, to)
}

/// Puts commits together again.
#[derive(Default)]
pub(super) struct Parts {
    begun: Option<Vec<u8>>,
}

impl Parts {
    /// Takes the next record; gives the commit that it ends.
    pub(super) fn take(&mut self, record: &Bytes) -> Result<Option<Commit>, JournalError> {
        let (&[version, flags], part) = record.split_first_chunk().ok_or(JournalError::Form)?;
        if version != VERSION {
            return Err(JournalError::Version(version));
        }
        if flags & BEGINS != 0 {
            // One that was begun before and not ended never happened.
            self.begun = Some(Vec::new());
        }
        let bytes = self.begun.as_mut().ok_or(JournalError::Form)?;
        bytes.extend_from_slice(part);
        if flags & ENDS == 0 {
            return Ok(None);
        }
        let whole = self.begun.take().unwrap_or_default();
        decode(whole.into()).map(Some).ok_or(JournalError::Form)
    }
}

fn decode(mut bytes: Bytes) -> Option<Commit> {
    let epoch = bytes.try_get_u32_le().ok()?;
    let sequence = bytes.try_get_u64_le().ok()?;
    let count = bytes.try_get_u32_le().ok()?;
    let mut touched = Vec::new();
    for _ in 0..count {
        let name = usize::from(bytes.try_get_u16_le().ok()?);
        let name = (name <= bytes.len()).then(|| bytes.split_to(name))?;
        let topic = String::from_utf8(name.to_vec()).ok()?;
        let partition = bytes.try_get_u32_le().ok()?;
        let length = usize::try_from(bytes.try_get_u64_le().ok()?).ok()?;
        let batches = (length <= bytes.len()).then(|| bytes.split_to(length))?;
        touched.push(Touched { topic, partition, batches });
    }
    bytes.is_empty().then_some(Commit { upto: Position { epoch, sequence }, touched })
}

/// Why a record of the journal says nothing to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Written by another version of the program.
    #[error("the record is of version {0}; this program reads version 1")]
    Version(u8),
    /// It is no part of a commit.
    #[error("the record is no part of a commit")]
    Form,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commit() -> impl Strategy<Value = Commit> {
        let bytes = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..200),
            1 => (1usize..3, 0usize..9).prop_map(|(parts, more)| vec![7; parts * PART_BYTES_MAX + more]),
        ];
        let touched = ("[a-z.]{1,12}", any::<u32>(), bytes).prop_map(|(topic, partition, batches)| Touched {
            topic,
            partition,
            batches: batches.into(),
        });
        (any::<u32>(), any::<u64>(), prop::collection::vec(touched, 0..4))
            .prop_map(|(epoch, sequence, touched)| Commit { upto: Position { epoch, sequence }, touched })
    }

    fn records(commit: &Commit) -> Vec<Bytes> {
        let mut builder = CommitBuilder::new(commit.upto, 0);
        for it in &commit.touched {
            builder.add(&it.topic, it.partition, [&it.batches].into_iter());
        }
        let (bytes, mut from, mut records) = (builder.build(), 0, Vec::new());
        while from < bytes.len() {
            let (record, to) = part(&bytes, from);
            records.push(record.into());
            from = to;
        }
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn commits_read_back_and_half_of_one_never_happened(first in commit(), second in commit(), kept in any::<prop::sample::Index>()) {
            let mut parts = Parts::default();
            let torn = records(&first);
            for record in &torn[..kept.index(torn.len())] {
                prop_assert_eq!(parts.take(record), Ok(None));
            }
            let whole = records(&second);
            let (last, before) = whole.split_last().unwrap();
            for record in before {
                prop_assert_eq!(parts.take(record), Ok(None));
            }
            prop_assert_eq!(parts.take(last), Ok(Some(second)));
        }

        #[test]
        fn any_bytes_are_a_commit_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut record = vec![VERSION, BEGINS | ENDS];
            record.extend_from_slice(&bytes);
            let _either = Parts::default().take(&record.into());
        }
    }

    #[test]
    fn a_record_of_another_version_or_without_beginning_is_refused() {
        assert_eq!(Parts::default().take(&Bytes::from_static(&[2, 3])), Err(JournalError::Version(2)));
        assert_eq!(Parts::default().take(&Bytes::from_static(&[1, ENDS])), Err(JournalError::Form));
        assert_eq!(Parts::default().take(&Bytes::from_static(&[1])), Err(JournalError::Form));
    }
}
