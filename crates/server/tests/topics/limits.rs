//! A full disk, and other limits.

use std::path::Path;
use std::sync::Arc;

use cordboard_kafka::batch::{BatchHead, NewRecord};
use cordboard_server::log::faulty_disk::{Faults, FaultyDisk, SplitMix64};
use cordboard_server::topics::{CommitTopicsError, OpenTopicsError, PartitionId, Topic, TopicLimits, open};

use crate::support::{DIR, EPOCH, Told, at, open_on, records, small_limits, topics};

#[test]
fn a_disk_that_is_full_at_any_write_only_delays() {
    // Whole: how much the same life takes with room enough.
    let mut full_at_least_once = 0;
    for space_bytes_max in (500..40_000).step_by(97) {
        let disk = FaultyDisk::new(1);
        let (mut told, mut random) = (Told::default(), SplitMix64::new(3));
        let (mut writer, store) = open_on(&disk).unwrap();
        disk.set_faults(Faults { space_bytes_max: Some(space_bytes_max), ..Faults::default() });
        let mut full = false;
        for _ in 0..30 {
            for _ in 0..6 {
                told.append(&mut writer, &mut random);
            }
            told.tried += 1;
            match writer.commit(at(told.tried)) {
                Ok(()) => {}
                Err(CommitTopicsError::DiskFull(error)) => {
                    full = true;
                    let context = format!("{space_bytes_max} bytes: {error}");
                    told.check(&store, writer.upto().sequence, &context);
                    assert!(writer.upto() < at(told.tried), "{context}");
                    // Nothing changes as long as there is no room, and more is taken.
                    assert!(writer.commit(at(told.tried)).is_err(), "{context}");
                    told.append(&mut writer, &mut random);
                    told.tried += 1;
                    disk.set_faults(Faults::default());
                    writer.commit(at(told.tried)).unwrap();
                }
                Err(error) => panic!("{space_bytes_max} bytes: {error}"),
            }
            assert_eq!((writer.upto(), writer.pending_bytes()), (at(told.tried), 0));
        }
        told.check(&store, told.tried, &format!("{space_bytes_max} bytes"));
        full_at_least_once += u32::from(full);
        drop(writer);
        disk.kill();
        let (writer, store) = open_on(&disk).unwrap();
        assert_eq!(writer.upto(), at(told.tried));
        told.check(&store, told.tried, &format!("{space_bytes_max} bytes, opened again"));
    }
    assert!(full_at_least_once > 200, "{full_at_least_once}");
}

#[test]
fn retention_makes_room_on_a_full_disk() {
    let disk = FaultyDisk::new(1);
    let (mut told, mut random) = (Told::default(), SplitMix64::new(3));
    let (mut writer, store) = open_on(&disk).unwrap();
    disk.set_faults(Faults { space_bytes_max: Some(30_000), ..Faults::default() });
    let mut made_room = 0;
    for _ in 0..200 {
        told.append(&mut writer, &mut random);
        told.tried += 1;
        if writer.commit(at(told.tried)).is_err() {
            assert!(writer.retain(told.newest_ms() - 3).unwrap() > 0, "there is something old");
            made_room += u32::from(writer.commit(at(told.tried)).is_ok());
        }
    }
    disk.set_faults(Faults::default());
    writer.commit(at(told.tried)).unwrap();
    told.check(&store, told.tried, "room was made");
    assert!(made_room > 3, "{made_room}");
}

#[test]
fn what_is_all_old_goes_wholly_and_offsets_go_on() {
    let disk = FaultyDisk::new(1);
    let (mut told, mut random) = (Told::default(), SplitMix64::new(4));
    let (mut writer, store) = open_on(&disk).unwrap();
    for _ in 0..40 {
        told.append(&mut writer, &mut random);
    }
    told.tried = 1;
    writer.commit(at(1)).unwrap();
    assert!(writer.retain(told.newest_ms() + 1).unwrap() > 0);
    let id = PartitionId { topic: 0, partition: 0 };
    let end = store.end(id).unwrap();
    assert!(end > 0);
    assert_eq!((store.start(id), store.bytes(id)), (Some(end), Some(0)));
    assert_eq!(store.newest(id).unwrap(), None);
    assert_eq!(store.at_time(id, 0).unwrap(), None);
    assert_eq!(writer.retain(told.newest_ms() + 1).unwrap(), 0, "nothing is left to drop");
    told.check(&store, 1, "all dropped");
    drop(writer);
    disk.kill();
    let (mut writer, store) = open_on(&disk).unwrap();
    told.check(&store, 1, "all dropped, opened again");
    told.append(&mut writer, &mut random);
    told.tried = 2;
    writer.commit(at(2)).unwrap();
    told.check(&store, 2, "one more");
}

#[test]
fn a_commit_larger_than_a_record_of_the_journal_is_one_commit() {
    let disk = FaultyDisk::new(1);
    let limits = TopicLimits { segment_bytes_max: 1 << 20, batch_bytes_max: 1 << 18, journal_bytes_max: 8 << 20 };
    let one = [Topic { name: "calls".to_owned(), partitions: 2 }];
    let open_it = || open(Arc::new(disk.clone()), Path::new(DIR), &one, limits, EPOCH);
    let (mut writer, store) = open_it().unwrap();
    let value = vec![b'x'; 1 << 20];
    for number in 0..60 {
        let key = [number];
        writer.append(0, &NewRecord { timestamp_ms: 1, key: &key, value: &value, headers: &[] }).unwrap();
    }
    assert!(writer.pending_bytes() > 60 << 20);
    // Every part but the last is in the journal, and the disk is full: nothing happened yet.
    disk.set_faults(Faults { space_bytes_max: Some(58 << 20), ..Faults::default() });
    assert!(matches!(writer.commit(at(1)), Err(CommitTopicsError::DiskFull(_))));
    drop((writer, store));
    disk.kill();
    let (mut writer, store) = open_it().unwrap();
    assert_eq!(writer.upto(), at(0));
    assert!((0..2).all(|partition| store.end(PartitionId { topic: 0, partition }) == Some(0)));
    for number in 0..60 {
        let key = [number];
        writer.append(0, &NewRecord { timestamp_ms: 1, key: &key, value: &value, headers: &[] }).unwrap();
    }
    writer.commit(at(2)).unwrap();
    drop((writer, store));
    disk.kill();
    let (writer, store) = open_it().unwrap();
    assert_eq!((writer.upto(), writer.report().commits_replayed), (at(2), 0), "a checkpoint was taken");
    let all: usize =
        (0..2).map(|partition| records(&store, PartitionId { topic: 0, partition }, 0, 0).unwrap().len()).sum();
    assert_eq!(all, 60);
}

#[test]
fn batches_and_files_end_before_they_are_too_large() {
    let disk = FaultyDisk::new(1);
    let (mut told, mut random) = (Told::default(), SplitMix64::new(9));
    let (mut writer, store) = open_on(&disk).unwrap();
    for _ in 0..300 {
        told.append(&mut writer, &mut random);
    }
    writer.commit(at(1)).unwrap();
    let (mut next, id) = (0, PartitionId { topic: 1, partition: 0 });
    let mut batches = 0;
    while Some(next) < store.end(id) {
        let read = store.read(id, next, 0).unwrap();
        let head = BatchHead::decode(&read.bytes).unwrap();
        assert_eq!(head.bytes, read.bytes.len(), "one batch where there is no room for any");
        assert!(head.count == 1 || head.bytes <= small_limits().batch_bytes_max, "{head:?}");
        (next, batches) = (read.next, batches + 1);
    }
    assert!(batches > 20);
}

#[test]
fn the_journal_stays_small() {
    use cordboard_server::log::disk::Disk as _;
    let disk = FaultyDisk::new(1);
    let (mut told, mut random) = (Told::default(), SplitMix64::new(9));
    let (mut writer, _store) = open_on(&disk).unwrap();
    let dir = Path::new(DIR).join("journal");
    let mut most = 0;
    for turn in 1..400 {
        told.append(&mut writer, &mut random);
        writer.commit(at(turn)).unwrap();
        let names = disk.list(&dir).unwrap();
        let segments = names.iter().filter(|name| name.ends_with(".segment"));
        most = most.max(segments.map(|name| disk.bytes(&dir.join(name)).unwrap().len() as u64).sum::<u64>());
    }
    // A single commit may be larger than a file of so small a journal.
    let limit = small_limits().journal_bytes_max;
    assert!(most > limit / 4 && most < limit * 3 / 2, "{most} bytes, the limit is {limit}");
}

#[test]
fn partitions_may_become_more_and_not_fewer_and_topics_come_and_go() {
    let disk = FaultyDisk::new(1);
    let opened = |topics: &[Topic]| open(Arc::new(disk.clone()), Path::new(DIR), topics, small_limits(), EPOCH);
    let (mut told, mut random) = (Told::default(), SplitMix64::new(9));
    let (mut writer, _) = opened(&topics()).unwrap();
    for _ in 0..50 {
        told.append(&mut writer, &mut random);
    }
    told.tried = 1;
    writer.commit(at(1)).unwrap();
    // Not closed: the journal still has records of a topic that is then wanted no more.
    drop(writer);
    let calls = |partitions| Topic { name: "calls".to_owned(), partitions };
    let Err(error) = opened(&[calls(2)]) else { panic!("fewer partitions") };
    assert!(matches!(error, OpenTopicsError::Fewer { .. }), "{error}");
    assert!(error.to_string().contains("topics.partitions = 3 or more"), "{error}");
    let (mut writer, store) = opened(&[Topic { name: "new".to_owned(), partitions: 1 }, calls(5)]).unwrap();
    assert_eq!(writer.upto(), at(1));
    let first = PartitionId { topic: 1, partition: 0 };
    let kept = store.end(first);
    assert!(kept > Some(0));
    assert_eq!(store.end(PartitionId { topic: 1, partition: 4 }), Some(0));
    assert_eq!(store.end(PartitionId { topic: 1, partition: 5 }), None);
    assert_eq!(store.end(PartitionId { topic: 2, partition: 0 }), None);
    writer.append(0, &NewRecord { timestamp_ms: 1, key: b"k", value: b"v", headers: &[] }).unwrap();
    assert_eq!(writer.append(2, &NewRecord { timestamp_ms: 1, key: b"k", value: b"v", headers: &[] }), None);
    writer.commit(at(2)).unwrap();
    assert!(writer.retain(i64::MAX).unwrap() > 0);
    writer.close().unwrap();
    let (writer, store) = opened(&[topics().remove(1), calls(5)]).unwrap();
    assert_eq!(writer.upto(), at(2));
    assert!(store.end(first).is_some_and(|end| end > 0));
    let agents = PartitionId { topic: 0, partition: 0 };
    let all = records(&store, agents, 0, 300).unwrap();
    assert_eq!(all.len(), told.records[&PartitionId { topic: 1, partition: 0 }].len(), "left alone meanwhile");
    assert_eq!(store.end(PartitionId { topic: 1, partition: 0 }), kept);
}

#[test]
fn topics_that_cannot_be_are_refused_by_name() {
    let disk = FaultyDisk::new(1);
    for (name, partitions) in
        [("", 1), ("..", 1), ("a/b", 1), ("journal", 1), ("a b", 1), ("a", 0), (&"a".repeat(250), 1)]
    {
        let topic = Topic { name: name.to_owned(), partitions };
        let refused = open(Arc::new(disk.clone()), Path::new(DIR), &[topic], small_limits(), EPOCH).err().unwrap();
        assert!(matches!(&refused, OpenTopicsError::Topic { .. }), "{refused}");
    }
    let twice = [topics().remove(0), topics().remove(0)];
    assert!(open(Arc::new(disk), Path::new(DIR), &twice, small_limits(), EPOCH).is_err());
}

#[test]
fn a_commit_never_goes_backwards_and_a_time_neither() {
    let disk = FaultyDisk::new(1);
    let (mut writer, store) = open_on(&disk).unwrap();
    let mut bell = store.bell();
    bell.mark_unchanged();
    for at_ms in [5, 3, 9] {
        writer.append(1, &NewRecord { timestamp_ms: at_ms, key: b"k", value: b"v", headers: &[] }).unwrap();
    }
    assert!(!bell.has_changed().unwrap());
    writer.commit(at(4)).unwrap();
    assert!(bell.has_changed().unwrap());
    let error = writer.commit(at(3)).unwrap_err();
    assert!(matches!(error, CommitTopicsError::Backwards { .. }), "{error}");
    assert!(error.to_string().contains("7-3") && error.to_string().contains("7-4"), "{error}");
    let id = PartitionId { topic: 1, partition: 0 };
    let times: Vec<i64> = records(&store, id, 0, 9999).unwrap().iter().map(|record| record.timestamp_ms).collect();
    assert_eq!(times, [5, 5, 9]);
}
