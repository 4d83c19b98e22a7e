//! Reading by offset and by time against a plain list.

use std::path::Path;
use std::sync::Arc;

use cordboard_kafka::batch::NewRecord;
use cordboard_server::log::faulty_disk::FaultyDisk;
use cordboard_server::topics::{PartitionId, Place, ReadError, Topic, TopicLimits, TopicStore, TopicWriter, open};
use proptest::prelude::*;

use crate::support::{DIR, EPOCH, at, records};

const ID: PartitionId = PartitionId { topic: 0, partition: 0 };

#[derive(Clone, Debug)]
enum Step {
    /// Records of so many bytes, each so many milliseconds after the one before, in one commit.
    Commit(Vec<(usize, i64)>),
    /// Drops what is older than so many milliseconds.
    Retain(i64),
    /// Closes and opens, or only opens, as after a kill.
    Reopen(bool),
    /// Reads from a place.
    Read(prop::sample::Index, usize),
    /// Looks for a time.
    Time(prop::sample::Index, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let records = prop::collection::vec((prop_oneof![3 => 1usize..200, 1 => 1000usize..90_000], 0i64..4), 1..30);
    prop_oneof![
        4 => records.prop_map(Step::Commit),
        1 => (0i64..60).prop_map(Step::Retain),
        1 => any::<bool>().prop_map(Step::Reopen),
        6 => (any::<prop::sample::Index>(), 0usize..300_000).prop_map(|(from, bytes)| Step::Read(from, bytes)),
        4 => (any::<prop::sample::Index>(), -1i64..2).prop_map(|(of, more)| Step::Time(of, more)),
    ]
}

fn open_it(disk: &FaultyDisk) -> (TopicWriter, TopicStore) {
    let limits = TopicLimits { segment_bytes_max: 400_000, batch_bytes_max: 30_000, journal_bytes_max: 2_000_000 };
    let topics = [Topic { name: "calls".to_owned(), partitions: 1 }];
    open(Arc::new(disk.clone()), Path::new(DIR), &topics, limits, EPOCH).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_read_is_what_a_list_has(steps in prop::collection::vec(step(), 1..40)) {
        let disk = FaultyDisk::new(1);
        let (mut writer, mut store) = open_it(&disk);
        // Of each offset the time and the length of the value.
        let mut list: Vec<(i64, usize)> = Vec::new();
        let mut now_ms = 1000;
        for step in steps {
            let (start, end) = (store.start(ID).unwrap(), store.end(ID).unwrap());
            prop_assert_eq!(end, list.len() as i64);
            let kept = || (start..end).map(|offset| (offset, list[offset as usize]));
            match step {
                Step::Commit(new) => {
                    for (bytes, later) in new {
                        now_ms += later;
                        let value = vec![list.len() as u8; bytes];
                        let record = NewRecord { timestamp_ms: now_ms, key: b"k", value: &value, headers: &[] };
                        prop_assert_eq!(writer.append(0, &record), Some((ID, list.len() as i64)));
                        list.push((now_ms, bytes));
                    }
                    writer.commit(at(writer.upto().sequence + 1)).unwrap();
                }
                Step::Retain(ms) => {
                    writer.retain(now_ms - ms).unwrap();
                    let after = store.start(ID).unwrap();
                    prop_assert!(list[start as usize..after as usize].iter().all(|(at_ms, _)| *at_ms < now_ms - ms), "too much");
                }
                Step::Reopen(in_peace) => {
                    if in_peace {
                        writer.close().unwrap();
                    } else {
                        drop(writer);
                        disk.kill();
                    }
                    (writer, store) = open_it(&disk);
                    prop_assert_eq!((store.start(ID), store.end(ID)), (Some(start), Some(end)));
                }
                Step::Read(from, bytes_max) => {
                    let from = from.index(list.len() + 2) as i64;
                    if from < start || from > end {
                        let refused = store.read(ID, from, bytes_max);
                        let is_told = matches!(refused, Err(ReadError::OutOfRange { start: s, end: e }) if (s, e) == (start, end));
                        prop_assert!(is_told);
                        continue;
                    }
                    let read = records(&store, ID, from, bytes_max).unwrap();
                    prop_assert_eq!(read.len() as i64, end - from);
                    for (record, offset) in read.iter().zip(from..) {
                        let value = record.value.as_ref().unwrap();
                        prop_assert_eq!((record.offset, record.timestamp_ms, value.len()), (offset, list[offset as usize].0, list[offset as usize].1));
                        prop_assert!(value.iter().all(|byte| *byte == offset as u8));
                    }
                }
                Step::Time(of, more) => {
                    let ms = if list.is_empty() { 0 } else { list[of.index(list.len())].0 + more };
                    let place = |(offset, (at_ms, _)): (i64, (i64, usize))| Place { offset, at_ms };
                    prop_assert_eq!(store.at_time(ID, ms).unwrap(), kept().find(|(_, (at_ms, _))| *at_ms >= ms).map(place));
                    let newest_ms = kept().map(|(_, (at_ms, _))| at_ms).max();
                    prop_assert_eq!(store.newest(ID).unwrap(), kept().find(|(_, (at_ms, _))| Some(*at_ms) == newest_ms).map(place));
                }
            }
        }
    }
}
