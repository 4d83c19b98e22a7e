//! What is dropped, when a snapshot is asked for, and what a damaged snapshot costs.

use std::path::{Path, PathBuf};

use cordboard_server::log::disk::Disk as _;
use cordboard_server::log::faulty_disk::FaultyDisk;
use cordboard_server::log::{Log, LogConfig, Opened, SnapshotError, Writer};

use crate::support::{DIR, append, at, open_on, read_from, segments, small_config, time_us};

fn fill(writer: &mut Writer, from: u64, to: u64) {
    for sequence in from..=to {
        append(writer, sequence);
        writer.commit().unwrap();
    }
}

fn snapshots(disk: &FaultyDisk) -> Vec<PathBuf> {
    let names = disk.list(Path::new(DIR)).unwrap();
    names.iter().filter(|name| name.ends_with(".snapshot")).map(|name| Path::new(DIR).join(name)).collect()
}

#[test]
fn nothing_is_dropped_without_a_snapshot_and_one_is_asked_for() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    fill(&mut writer, 1, 10);
    assert!(!log.retain(time_us(10)).unwrap().snapshot_due);
    fill(&mut writer, 11, 400);
    let report = log.retain(time_us(400)).unwrap();
    assert!(report.snapshot_due && report.segments_dropped == 0 && report.bytes_kept > 20_000);
    assert_eq!(read_from(&log, 0), 400);
    let middle = 200;
    log.store_snapshot(at(middle), b"world at 200").unwrap();
    let report = log.retain(time_us(400)).unwrap();
    assert!(report.segments_dropped > 0 && report.snapshot_due, "200 more records are over the bound");
    assert!(report.oldest <= at(middle), "everything after the snapshot is kept");
    assert_eq!(read_from(&log, report.oldest.sequence), 400);
    assert_eq!(report.bytes_kept, log.bytes());
}

#[test]
fn a_caller_that_follows_the_advice_keeps_the_disk_bounded() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    let mut stored = 0;
    for sequence in 1..=3_000 {
        fill(&mut writer, sequence, sequence);
        if sequence % 10 == 0 && log.retain(time_us(sequence)).unwrap().snapshot_due {
            log.store_snapshot(at(sequence), b"world").unwrap();
            stored += 1;
        }
        let bound = small_config().log_bytes_max + 2 * small_config().segment_bytes_max;
        assert!(log.bytes() <= bound, "{} bytes after {sequence}", log.bytes());
    }
    assert!((100..400).contains(&stored), "{stored} snapshots for about 1 MB");
    assert_eq!(snapshots(&disk).len(), 2);
    let on_disk: usize = segments(&disk, Path::new(DIR)).iter().map(|path| disk.bytes(path).unwrap().len()).sum();
    assert_eq!(on_disk as u64, log.bytes());
    drop(writer);
    let log = open_on(&disk, small_config()).unwrap().log;
    assert_eq!(read_from(&log, log.oldest().sequence), 3_000);
}

#[test]
fn old_segments_are_dropped_by_age() {
    let disk = FaultyDisk::new(1);
    let config = LogConfig { log_bytes_max: 1 << 30, log_age_s_max: 10, ..small_config() };
    let Opened { mut writer, log, .. } = open_on(&disk, config).unwrap();
    // One record a second: a segment spans little more than an eighth of the age though it is far from full.
    for sequence in 1..=60 {
        writer.append(sequence * 1_000_000, b"x").unwrap();
        writer.commit().unwrap();
    }
    log.store_snapshot(at(60), b"world").unwrap();
    let report = log.retain(60_000_000).unwrap();
    assert!((at(47)..=at(49)).contains(&report.oldest), "{report:?}");
    assert!(!report.snapshot_due);
    assert!(!log.retain(61_000_000).unwrap().snapshot_due, "nothing was written since the snapshot");
    writer.append(61_000_000, b"x").unwrap();
    writer.commit().unwrap();
    assert!(!log.retain(61_000_000).unwrap().snapshot_due);
    assert!(log.retain(65_000_000).unwrap().snapshot_due, "a record not in a snapshot is a quarter of the age old");
}

fn three_snapshots(disk: &FaultyDisk) -> Log {
    let Opened { mut writer, log, .. } = open_on(disk, small_config()).unwrap();
    fill(&mut writer, 1, 300);
    for sequence in [100, 200, 300] {
        log.store_snapshot(at(sequence), format!("world at {sequence}").as_bytes()).unwrap();
    }
    assert!(log.retain(time_us(300)).unwrap().segments_dropped > 0);
    writer.close().unwrap();
    log
}

#[test]
fn a_damaged_snapshot_is_told_and_the_older_one_used_with_all_records_after_it() {
    let length = {
        let disk = FaultyDisk::new(1);
        three_snapshots(&disk);
        disk.bytes(&snapshots(&disk)[1]).unwrap().len()
    };
    for byte in 0..length {
        let disk = FaultyDisk::new(1);
        three_snapshots(&disk);
        let paths = snapshots(&disk);
        assert_eq!(paths.len(), 2);
        disk.flip_bit(&paths[1], byte, byte as u8).unwrap();
        let Opened { log, report, .. } = open_on(&disk, small_config()).unwrap();
        assert_eq!(report.damaged_snapshots.len(), 1, "byte {byte}");
        assert_eq!(report.damaged_snapshots[0].file, paths[1].display().to_string());
        let snapshot = log.latest_snapshot().snapshot.unwrap();
        assert_eq!((snapshot.position, snapshot.bytes.as_slice()), (at(200), &b"world at 200"[..]));
        assert_eq!(read_from(&log, 200), 300);
    }
}

#[test]
fn a_snapshot_damaged_while_running_is_told_when_it_is_read() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    fill(&mut writer, 1, 20);
    assert_eq!(log.latest_snapshot().snapshot, None);
    log.store_snapshot(at(10), b"ten").unwrap();
    log.store_snapshot(at(20), b"twenty").unwrap();
    assert_eq!(log.latest_snapshot().snapshot.unwrap().bytes, b"twenty");
    disk.flip_bit(&snapshots(&disk)[1], 37, 0).unwrap();
    let latest = log.latest_snapshot();
    assert_eq!((latest.snapshot.unwrap().bytes, latest.damaged.len()), (b"ten".to_vec(), 1));
    assert!(latest.damaged[0].why.contains("checksum"), "{latest:?}", latest = latest.damaged);
}

#[test]
fn a_snapshot_of_what_is_not_durable_is_refused() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    append(&mut writer, 1);
    let refused = log.store_snapshot(at(1), b"world");
    assert!(matches!(refused, Err(SnapshotError::NotDurable { durable, .. }) if durable == at(0)));
    writer.commit().unwrap();
    log.store_snapshot(at(1), b"world").unwrap();
    writer.close().unwrap();
    assert!(matches!(log.store_snapshot(at(1), b"world"), Err(SnapshotError::Closed)));
    assert!(log.retain(0).is_err());
}
