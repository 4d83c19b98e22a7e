//! A store on a simulated disk, and what was told of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cordboard_kafka::batch::{self, BatchHead, NewRecord, Record};
use cordboard_kafka::partitioner;
use cordboard_server::log::Position;
use cordboard_server::log::faulty_disk::{FaultyDisk, SplitMix64};
use cordboard_server::topics::{
    OpenTopicsError, PartitionId, ReadError, Topic, TopicLimits, TopicStore, TopicWriter, open,
};

pub(crate) const EPOCH: u32 = 7;
pub(crate) const DIR: &str = "topics";

/// Small enough that a short life has many files, journal files and checkpoints.
pub(crate) fn small_limits() -> TopicLimits {
    TopicLimits { segment_bytes_max: 1500, batch_bytes_max: 500, journal_bytes_max: 9_000 }
}

pub(crate) fn topics() -> Vec<Topic> {
    [("calls", 3), ("agents", 1)].map(|(name, partitions)| Topic { name: name.to_owned(), partitions }).into()
}

pub(crate) fn ids() -> Vec<PartitionId> {
    let of_topic = |(topic, it): (usize, Topic)| {
        (0..it.partitions).map(move |partition| PartitionId { topic: topic as u32, partition })
    };
    topics().into_iter().enumerate().flat_map(of_topic).collect()
}

pub(crate) fn open_on(disk: &FaultyDisk) -> Result<(TopicWriter, TopicStore), OpenTopicsError> {
    open(Arc::new(disk.clone()), Path::new(DIR), &topics(), small_limits(), EPOCH)
}

pub(crate) fn at(sequence: u64) -> Position {
    Position { epoch: EPOCH, sequence }
}

/// A record that was appended.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    /// The first commit after it that was tried: up to where.
    pub(crate) upto: u64,
    pub(crate) at_ms: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// What was appended, and what the outside was told of it.
#[derive(Default)]
pub(crate) struct Told {
    /// Of each partition all records ever, by offset.
    pub(crate) records: BTreeMap<PartitionId, Vec<Appended>>,
    /// Up to where the last commit went that succeeded.
    pub(crate) committed: u64,
    /// Up to where the last commit went that was tried.
    pub(crate) tried: u64,
    /// The oldest offsets that were seen.
    starts: BTreeMap<PartitionId, i64>,
    number: u64,
}

impl Told {
    /// Appends a record that nobody could mistake for another; it goes with the commit after the last one tried.
    pub(crate) fn append(&mut self, writer: &mut TopicWriter, random: &mut SplitMix64) {
        self.number += 1;
        let topic = random.below(2) as u32;
        let key = format!("key {}", random.below(9)).into_bytes();
        // Now and then one that is larger than a batch, or a file.
        let most = [20, 200, 200, 200, 200, 200, 600, 2000][random.below(8) as usize];
        let mut value = format!("record {} ", self.number).into_bytes();
        value.extend((0..random.below(most)).map(|_| b'a' + random.below(26) as u8));
        let at_ms = 1_000_000 + self.number as i64 / 3;
        let record = NewRecord { timestamp_ms: at_ms, key: &key, value: &value, headers: &[("tenant", b"acme")] };
        let (id, offset) = writer.append(topic, &record).unwrap();
        let partitions = topics()[topic as usize].partitions;
        assert_eq!(id, PartitionId { topic, partition: partitioner::partition(&key, partitions) });
        let records = self.records.entry(id).or_default();
        assert_eq!(offset, records.len() as i64, "{id:?}");
        records.push(Appended { upto: self.tried + 1, at_ms, key, value });
    }

    /// The time of the record that was appended last.
    pub(crate) fn newest_ms(&self) -> i64 {
        1_000_000 + self.number as i64 / 3
    }

    /// What must be readable when everything up to `upto` is in.
    fn visible(&self, id: PartitionId, upto: u64) -> &[Appended] {
        let records = self.records.get(&id).map(Vec::as_slice).unwrap_or_default();
        &records[..records.partition_point(|record| record.upto <= upto)]
    }

    /// A crash: what was not in is as if it had never been.
    pub(crate) fn forget_after(&mut self, upto: u64) {
        for records in self.records.values_mut() {
            records.truncate(records.partition_point(|record| record.upto <= upto));
        }
        (self.committed, self.tried) = (upto, upto);
    }

    /// Everything up to `upto` is there, byte for byte at its offset, and nothing else; oldest offsets only grow.
    pub(crate) fn check(&mut self, store: &TopicStore, upto: u64, context: &str) {
        for id in ids() {
            let visible = self.visible(id, upto);
            let (start, end) = (store.start(id).unwrap(), store.end(id).unwrap());
            assert_eq!(end, visible.len() as i64, "{context}: the end of {id:?}");
            let before = self.starts.get(&id).copied().unwrap_or(0);
            assert!(start >= before && start <= end, "{context}: {id:?} began with {before}, now with {start}");
            let found = match records(store, id, start, 700) {
                Ok(found) => found,
                // A thread that takes a checkpoint may have met the fault just now.
                Err(ReadError::Io(error)) if error.to_string().contains("the power is off") => return,
                Err(error) => panic!("{context}: {id:?}: {error}"),
            };
            assert_eq!(found.len() as i64, end - start, "{context}: {id:?}");
            for (record, offset) in found.iter().zip(start..) {
                let right = &visible[offset as usize];
                assert_eq!((record.offset, record.timestamp_ms), (offset, right.at_ms), "{context}: {id:?}");
                let (key, value) = (record.key.as_deref().unwrap(), record.value.as_deref().unwrap());
                assert_eq!((key, value), (&right.key[..], &right.value[..]), "{context}: {id:?} {offset}");
            }
            self.starts.insert(id, start);
        }
    }
}

/// All records from `from` to the end, in reads of at most `bytes_max`.
pub(crate) fn records(
    store: &TopicStore,
    id: PartitionId,
    from: i64,
    bytes_max: usize,
) -> Result<Vec<Record>, ReadError> {
    let (mut next, mut all) = (from, Vec::new());
    loop {
        let read = store.read(id, next, bytes_max)?;
        if read.bytes.is_empty() {
            assert_eq!((read.next, store.end(id)), (next, Some(next)), "nothing is read at the end only");
            return Ok(all);
        }
        let (mut left, mut batches) = (read.bytes.clone(), 0);
        while !left.is_empty() {
            let head = BatchHead::decode(&left).unwrap();
            let batch = left.split_to(head.bytes);
            let of_batch = batch::records(&batch).unwrap().map(Result::unwrap);
            all.extend(of_batch.filter(|record| record.offset >= from));
            assert!(head.next_offset <= read.next);
            batches += 1;
        }
        assert!(batches == 1 || read.bytes.len() <= bytes_max, "{} bytes of {bytes_max}", read.bytes.len());
        assert!(read.next > next, "a read goes on");
        next = read.next;
    }
}
