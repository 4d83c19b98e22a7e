//! Readers: typed answers, memory and disk, and never a record that is not durable.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordboard_server::log::faulty_disk::{Faults, FaultyDisk, Tearing};
use cordboard_server::log::{LogConfig, Opened, Position, ReadError};

use crate::support::{DIR, EPOCH, append, at, open_on, payload, read_from, segments, small_config};

#[test]
fn a_cursor_that_cannot_be_served_is_told_why() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    for sequence in 1..=100 {
        append(&mut writer, sequence);
        if sequence % 5 == 0 {
            writer.commit().unwrap();
        }
    }
    let other = log.reader(Position { epoch: EPOCH - 1, sequence: 5 });
    assert!(matches!(other, Err(ReadError::OtherEpoch { newest, .. }) if newest == at(100)));
    let beyond = log.reader(at(101));
    assert!(matches!(beyond, Err(ReadError::BeyondEnd { newest, .. }) if newest == at(100)));
    assert_eq!(log.reader(at(100)).unwrap().next().unwrap(), None);
    let mut slow = log.reader(at(0)).unwrap();
    assert_eq!(slow.next().unwrap().unwrap().position, at(1));
    log.store_snapshot(at(100), b"world").unwrap();
    let report = log.retain(u64::MAX).unwrap();
    assert!(report.segments_dropped > 2 && report.oldest > at(10));
    let gone = log.reader(at(0));
    assert!(matches!(gone, Err(ReadError::Gone { oldest, .. }) if oldest == report.oldest));
    assert_eq!(read_from(&log, report.oldest.sequence), 100, "the cursor the answer names is served");
    let overtaken = loop {
        match slow.next() {
            Ok(record) => assert!(record.is_some(), "a hole was passed over in silence"),
            Err(error) => break error,
        }
    };
    assert!(matches!(overtaken, ReadError::Gone { oldest, .. } if oldest == report.oldest), "{overtaken}");
    assert!(overtaken.to_string().contains("resync"), "{overtaken}");
}

#[test]
fn every_cursor_gives_the_rest_exactly_from_memory_and_from_disk() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    for sequence in 1..=200 {
        append(&mut writer, sequence);
        if sequence % 7 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.commit().unwrap();
    assert!(segments(&disk, Path::new(DIR)).len() > 5);
    for from in 0..=200 {
        assert_eq!(read_from(&log, from), 200);
    }
    writer.close().unwrap();
    let log = open_on(&disk, small_config()).unwrap().log;
    for from in 0..=200 {
        assert_eq!(read_from(&log, from), 200, "after opening again, with an empty tail");
    }
}

#[test]
fn a_large_segment_is_entered_by_its_index() {
    let disk = FaultyDisk::new(1);
    let config =
        LogConfig { segment_bytes_max: 8 << 20, log_bytes_max: 8 << 20, pending_bytes_max: 8 << 20, ..small_config() };
    let Opened { mut writer, log, .. } = open_on(&disk, config.clone()).unwrap();
    for sequence in 1..=5_000 {
        append(&mut writer, sequence);
    }
    writer.commit().unwrap();
    for from in (0..=5_000).step_by(613) {
        assert_eq!(read_from(&log, from), 5_000);
    }
    drop(writer);
    let log = open_on(&disk, config).unwrap().log;
    for from in (0..=5_000).step_by(613) {
        assert_eq!(read_from(&log, from), 5_000);
    }
}

#[test]
fn damage_under_a_reader_is_an_error_and_not_a_record() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    for sequence in 1..=100 {
        append(&mut writer, sequence);
        writer.commit().unwrap();
    }
    disk.flip_bit(&segments(&disk, Path::new(DIR))[0], 70, 3).unwrap();
    let error = log.reader(at(0)).unwrap().next().unwrap_err();
    assert!(matches!(error, ReadError::Damaged { position, offset: 32, .. } if position == at(1)), "{error}");
}

#[test]
fn concurrent_readers_see_only_what_a_crash_cannot_take() {
    let disk = FaultyDisk::new(1);
    let Opened { writer, log, .. } = open_on(&disk, small_config()).unwrap();
    disk.set_faults(Faults { sync_takes: Duration::from_millis(1), ..Faults::default() });
    let mut writer = writer.into_background().unwrap();
    let records = 400;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (disk, log) = (disk.clone(), log.clone());
            scope.spawn(move || {
                let mut reader = log.reader(at(0)).unwrap();
                for sequence in 1..=records {
                    let record = loop {
                        match reader.next().unwrap() {
                            Some(record) => break record,
                            None => assert!(reader.wait(Duration::from_secs(20))),
                        }
                    };
                    assert_eq!((record.position, &record.payload[..]), (at(sequence), &payload(sequence)[..]));
                    let on_disk = segments(&disk, Path::new(DIR)).into_iter().any(|path| {
                        let bytes = disk.durable_bytes(&path).unwrap();
                        bytes.windows(record.payload.len()).any(|window| window == record.payload)
                    });
                    assert!(on_disk, "record {sequence} was read before it was durable");
                }
            });
        }
        for sequence in 1..=records {
            writer.append(0, &payload(sequence)).unwrap();
            if sequence % 16 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(writer.flush(Duration::from_secs(20)));
    });
    drop(writer);
    disk.crash(Tearing::Nothing);
    assert_eq!(open_on(&disk, small_config()).unwrap().report.newest, at(records));
}

#[tokio::test]
async fn the_bell_wakes_async_readers_and_the_end_releases_them() {
    let disk = FaultyDisk::new(1);
    let Opened { writer, log, .. } = open_on(&disk, small_config()).unwrap();
    let mut writer = writer.into_background().unwrap();
    let read = Arc::new(AtomicBool::new(false));
    let (mut reader, seen) = (log.reader(at(0)).unwrap(), Arc::clone(&read));
    let task = tokio::spawn(async move {
        assert!(reader.ready().await);
        assert_eq!(reader.next().unwrap().unwrap().payload, &b"one"[..]);
        assert_eq!(reader.next().unwrap(), None);
        seen.store(true, Ordering::SeqCst);
        reader.ready().await
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!read.load(Ordering::SeqCst));
    writer.append(0, b"one").unwrap();
    while !read.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    writer.close().unwrap();
    assert!(!task.await.unwrap(), "a closed log has no more records");
}

#[test]
fn the_warm_tail_serves_the_newest_without_the_disk_and_stays_in_its_bound() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    for sequence in 1..=300 {
        append(&mut writer, sequence);
        writer.commit().unwrap();
    }
    for path in segments(&disk, Path::new(DIR)) {
        disk.lose(&path);
    }
    assert_eq!(read_from(&log, 298), 300);
    assert!(log.reader(at(200)).unwrap().next().is_err(), "100 records are more than tail_bytes_max");
}
