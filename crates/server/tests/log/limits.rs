//! One writer, and what happens at each limit.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_server::log::disk::RealDisk;
use cordboard_server::log::faulty_disk::{Faults, FaultyDisk};
use cordboard_server::log::{AppendError, CommitError, Health, LogConfig, OpenError, Opened, open, verify};

use crate::support::{DIR, append, at, open_on, read_from, small_config};

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(Arc::new(RealDisk), dir.path(), LogConfig::default(), 1).unwrap();
    let Err(error) = open(Arc::new(RealDisk), dir.path(), LogConfig::default(), 1) else { panic!("two writers") };
    let text = error.to_string();
    assert!(matches!(error, OpenError::Locked { .. }), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    drop(first);
    open(Arc::new(RealDisk), dir.path(), LogConfig::default(), 1).unwrap();
}

#[test]
fn the_epoch_is_given_at_the_founding_and_never_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tenants/acme");
    let opened = open(Arc::new(RealDisk), &path, LogConfig::default(), 11).unwrap();
    assert!(opened.report.founded);
    let mut writer = opened.writer;
    assert_eq!(writer.append(1, b"a").unwrap().to_string(), "11-1");
    writer.close().unwrap();
    let opened = open(Arc::new(RealDisk), &path, LogConfig::default(), 12).unwrap();
    assert!(!opened.report.founded);
    assert_eq!(opened.report.newest.to_string(), "11-1");
    let mut writer = opened.writer.into_background().unwrap();
    assert_eq!(writer.append(2, b"b").unwrap().to_string(), "11-2");
    assert_eq!(writer.close().unwrap().to_string(), "11-2");
}

#[test]
fn a_record_too_long_is_refused_and_uses_no_position() {
    let disk = FaultyDisk::new(1);
    let mut writer = open_on(&disk, small_config()).unwrap().writer;
    append(&mut writer, 1);
    let error = writer.append(0, &[0; 4097]).unwrap_err();
    assert!(error.to_string().contains("4097") && error.to_string().contains("record_bytes_max is 4096"), "{error}");
    append(&mut writer, 2);
    assert_eq!(writer.commit().unwrap(), at(2));
    assert_eq!(writer.append(0, &[0; 4096]).unwrap(), at(3), "the limit itself is allowed");
    assert_eq!(writer.append(0, &[]).unwrap(), at(4), "so is nothing");
    assert_eq!(writer.commit().unwrap(), at(4));
}

#[test]
fn a_full_disk_delays_and_what_was_durable_stays() {
    let disk = FaultyDisk::new(1);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    let mut next = 1;
    disk.set_faults(Faults { space_bytes_max: Some(20_000), ..Faults::default() });
    let error = loop {
        append(&mut writer, next);
        next += 1;
        if let Err(error) = writer.commit() {
            break error;
        }
    };
    assert!(matches!(error, CommitError::DiskFull(_)), "{error}");
    assert!(error.to_string().contains("full"), "{error}");
    let durable = log.durable().sequence;
    assert_eq!((durable, log.status().borrow().health), (next - 2, Health::DiskFull));
    assert_eq!(read_from(&log, 0), durable, "what did not fit cannot be read");
    let found = verify(&disk, Path::new(DIR), &mut |_| {}).unwrap();
    assert_eq!((found.records, found.torn_tail_bytes), (durable, 0), "the part that fitted was cut off again");
    append(&mut writer, next);
    assert!(matches!(writer.commit(), Err(CommitError::DiskFull(_))));
    disk.set_faults(Faults::default());
    assert_eq!(writer.commit().unwrap(), at(next), "nothing was lost by waiting");
    assert_eq!((read_from(&log, 0), log.status().borrow().health), (next, Health::Healthy));
}

#[test]
fn the_background_writer_refuses_at_the_backlog_and_goes_on_when_there_is_room() {
    let disk = FaultyDisk::new(1);
    let config = LogConfig { pending_bytes_max: 8_000, ..small_config() };
    let Opened { writer, log, .. } = open_on(&disk, config).unwrap();
    let mut writer = writer.into_background().unwrap();
    disk.set_faults(Faults { space_bytes_max: Some(10_000), ..Faults::default() });
    let mut taken = 0;
    let began = Instant::now();
    let error = loop {
        match writer.append(0, &[b'x'; 200]) {
            Ok(position) => {
                taken += 1;
                assert_eq!(position, at(taken));
            }
            Err(error) if log.status().borrow().health == Health::DiskFull => break error,
            // The disk is only slower than this loop.
            Err(AppendError::Backlog { .. }) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
        assert!(began.elapsed() < Duration::from_secs(20));
    };
    assert!(matches!(error, AppendError::Backlog { pending_bytes_max: 8_000 }), "{error}");
    assert!(log.cause().contains("full"), "{}", log.cause());
    disk.set_faults(Faults::default());
    assert!(writer.flush(Duration::from_secs(20)), "it tries again by itself");
    assert_eq!(writer.close().unwrap(), at(taken));
}

#[test]
fn the_background_writer_tells_when_the_disk_failed() {
    let disk = FaultyDisk::new(1);
    let Opened { writer, log, .. } = open_on(&disk, small_config()).unwrap();
    let mut writer = writer.into_background().unwrap();
    disk.set_faults(Faults { fail_sync_after: Some(0), ..Faults::default() });
    writer.append(0, b"x").unwrap();
    assert!(!writer.flush(Duration::from_secs(20)));
    assert_eq!((log.durable(), log.reader(at(0)).unwrap().next().unwrap()), (at(0), None));
    let began = Instant::now();
    let error = loop {
        match writer.append(0, b"y") {
            // The thread may not have come to tell the appender yet.
            Ok(_) | Err(AppendError::Backlog { .. }) => assert!(began.elapsed() < Duration::from_secs(20)),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    assert!(matches!(writer.close(), Err(CommitError::Poisoned { .. })));
    assert_eq!(log.status().borrow().health, Health::Poisoned, "closing does not hide why");
    assert!(log.store_snapshot(at(0), b"world").is_err() && log.retain(0).is_err());
    assert!(log.cause().contains("fdatasync"), "{}", log.cause());
}
