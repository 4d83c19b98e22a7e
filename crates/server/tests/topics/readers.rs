//! Readers while the store is written and dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cordboard_kafka::batch::{self, BatchHead, NewRecord};
use cordboard_server::log::disk::RealDisk;
use cordboard_server::topics::{PartitionId, ReadError, Topic, TopicLimits, TopicStore, open};

use crate::support::at;

const ID: PartitionId = PartitionId { topic: 0, partition: 0 };
/// Records of the test.
const RECORDS: i64 = 60_000;

#[test]
fn readers_see_each_record_right_or_are_told_that_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let limits = TopicLimits { segment_bytes_max: 100_000, batch_bytes_max: 9_000, journal_bytes_max: 1_000_000 };
    let topics = [Topic { name: "calls".to_owned(), partitions: 1 }];
    let (writer, store) = open(Arc::new(RealDisk), dir.path(), &topics, limits, 7).unwrap();
    let mut writer = writer.with_checkpoints_in_background();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (store, over) = (store.clone(), &over);
                // The last one goes back to the oldest again and again, and so meets files that are being dropped.
                scope.spawn(move || follow(&store, over, reader == 2))
            })
            .collect();
        let mut next = 0;
        let mut dropped = 0;
        while next < RECORDS {
            for _ in 0..100 {
                let value = format!("record {next} {}", "x".repeat(next as usize % 300));
                writer.append(0, &NewRecord { timestamp_ms: next, key: b"k", value: value.as_bytes(), headers: &[] });
                next += 1;
            }
            writer.commit(at(next as u64)).unwrap();
            if next % 1000 == 0 {
                dropped += writer.retain(next - 3000).unwrap();
            }
        }
        over.store(true, Ordering::Release);
        let seen: Vec<i64> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        assert!(dropped > 50, "{dropped} files were dropped");
        assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}");
    });
}

/// Reads to the end, or over and over the oldest; says how many records it saw.
fn follow(store: &TopicStore, over: &AtomicBool, at_the_oldest: bool) -> i64 {
    let (mut next, mut seen, mut oldest) = (0, 0, 0);
    loop {
        let is_over = over.load(Ordering::Acquire);
        match store.read(ID, next, 20_000) {
            Ok(read) => {
                let mut left = read.bytes;
                while !left.is_empty() {
                    let head = BatchHead::decode(&left).unwrap();
                    for record in batch::records(&left.split_to(head.bytes)).unwrap() {
                        let (record, offset) = (record.unwrap(), next.max(head.base_offset));
                        if record.offset >= offset {
                            let value =
                                format!("record {} {}", record.offset, "x".repeat(record.offset as usize % 300));
                            assert_eq!(record.value.unwrap(), value.as_bytes());
                            seen += 1;
                        }
                    }
                }
                next = if at_the_oldest { oldest } else { read.next };
            }
            Err(ReadError::OutOfRange { start, end }) => {
                assert!(next < start && start <= end && start >= oldest, "{next} of {start} to {end}");
                (next, oldest) = (start, start);
            }
            Err(error) => panic!("{error}"),
        }
        let place = store.newest(ID).unwrap();
        assert!(place.is_none_or(|place| place.offset == place.at_ms), "{place:?}");
        if is_over && (at_the_oldest || Some(next) == store.end(ID)) {
            return seen;
        }
    }
}
