//! Thousands of lives of a log on the simulated disk, each ended by a fault.

use std::path::Path;
use std::time::Duration;

use cordboard_server::log::faulty_disk::{Faults, FaultyDisk, SplitMix64, Tearing};
use cordboard_server::log::{CommitError, Log, OpenError, OpenReport, Opened, verify};

use crate::support::{DIR, append, at, open_on, read_from, small_config};

/// What the outside was told.
#[derive(Default)]
struct Told {
    durable: u64,
    snapshot: u64,
}

/// What the schedules met, so that a schedule that tests nothing is noticed.
#[derive(Default, Debug)]
struct Met {
    lives: u64,
    torn: u64,
    resealed: u64,
    poisoned: u64,
    full: u64,
    dropped: u64,
    refused: u64,
    lost_unacknowledged: u64,
}

/// `CORDBOARD_LOG_SEEDS=100000` runs more.
fn seeds() -> u64 {
    std::env::var("CORDBOARD_LOG_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2000)
}

#[test]
fn whatever_the_fault_nothing_acknowledged_is_lost_and_nothing_half_is_read() {
    let mut met = Met::default();
    for seed in 0..seeds() {
        schedule(seed, &[Tearing::Nothing, Tearing::Prefix, Tearing::Sectors], &mut met);
    }
    assert_eq!(met.refused, 0, "a power loss never makes a log refuse to open");
    let each = [met.torn, met.resealed, met.poisoned, met.full, met.dropped, met.lost_unacknowledged];
    assert!(each.iter().all(|count| *count > 20), "the schedules missed a case: {met:?}");
    println!("{met:?}");
}

#[test]
fn a_disk_that_leaves_garbage_is_refused_or_right() {
    let mut met = Met::default();
    for seed in 0..seeds() / 4 {
        schedule(seed, &[Tearing::Garbage], &mut met);
    }
    assert!(met.torn > 20, "{met:?}");
    assert!(met.refused < met.lives / 20, "{met:?}");
}

fn schedule(seed: u64, tearings: &[Tearing], met: &mut Met) {
    let mut random = SplitMix64::new(seed);
    let disk = FaultyDisk::new(seed);
    let mut told = Told::default();
    for life in 0..6 {
        met.lives += 1;
        let context = format!("seed {seed}, life {life}");
        disk.set_faults(faults(&mut random));
        match open_on(&disk, small_config()) {
            Ok(opened) => live(opened, &disk, &mut random, &mut told, met, &context),
            // The power went off while it was opened.
            Err(OpenError::Io(_)) => {}
            Err(OpenError::Damaged { .. }) if tearings == [Tearing::Garbage] => {
                met.refused += 1;
                return;
            }
            Err(error) => panic!("{context}: {error}"),
        }
        if random.below(4) == 0 {
            disk.kill();
        } else {
            disk.crash(tearings[random.below(tearings.len() as u64) as usize]);
        }
    }
}

fn faults(random: &mut SplitMix64) -> Faults {
    let mut faults = Faults { short_writes_per_256: random.below(64) as u8, ..Faults::default() };
    match random.below(4) {
        0 => faults.space_bytes_max = Some(8_000 + random.below(30_000)),
        1 => faults.fail_sync_after = Some(random.below(30)),
        2 => faults.power_off_after = Some(random.below(12)),
        _ => faults.power_off_after = Some(random.below(150)),
    }
    faults
}

/// What an opened log must hold.
fn check_opened(log: &Log, report: &OpenReport, told: &Told, context: &str) -> Option<u64> {
    let newest = report.newest.sequence;
    assert!(newest >= told.durable, "{context}: {} was durable, {newest} is left", told.durable);
    let latest = log.latest_snapshot();
    // With the power off since, reading may fail; it may never give wrong records.
    if !latest.damaged.is_empty() {
        return None;
    }
    let snapshot = latest.snapshot.map_or(0, |snapshot| snapshot.position.sequence);
    assert!(snapshot >= told.snapshot, "{context}: the snapshot at {} is gone", told.snapshot);
    assert!(log.oldest().sequence <= snapshot, "{context}: records after the snapshot are missing");
    assert_eq!(read_from(log, log.oldest().sequence), newest, "{context}");
    Some(newest)
}

fn live(opened: Opened, disk: &FaultyDisk, random: &mut SplitMix64, told: &mut Told, met: &mut Met, context: &str) {
    let Opened { mut writer, log, report } = opened;
    met.torn += u64::from(report.torn_tail.is_some());
    met.resealed += u64::from(report.seal_repaired);
    let Some(newest) = check_opened(&log, &report, told, context) else { return };
    told.durable = newest;
    let mut next = newest + 1;
    for _ in 0..random.below(40) {
        match random.below(10) {
            0 => {
                let sequence = log.durable().sequence;
                if log.store_snapshot(at(sequence), &sequence.to_le_bytes()).is_ok() {
                    told.snapshot = sequence;
                }
            }
            1 => met.dropped += log.retain(0).map_or(0, |report| report.segments_dropped),
            _ => {
                for _ in 0..random.below(12) {
                    append(&mut writer, next);
                    next += 1;
                }
                match writer.commit() {
                    Ok(position) => {
                        assert_eq!(position, at(next - 1), "{context}");
                        told.durable = next - 1;
                    }
                    Err(CommitError::DiskFull(_)) => {
                        met.full += 1;
                        told.durable = log.durable().sequence;
                        if random.below(2) == 0 {
                            disk.set_faults(Faults::default());
                            assert_eq!(writer.commit().unwrap(), at(next - 1), "{context}: there is room again");
                            told.durable = next - 1;
                        }
                    }
                    Err(CommitError::Poisoned { .. }) => {
                        met.poisoned += 1;
                        assert!(writer.append(0, b"x").is_err(), "{context}");
                        assert!(writer.commit().is_err(), "{context}");
                        break;
                    }
                }
            }
        }
    }
    met.lost_unacknowledged += u64::from(next - 1 > told.durable);
    // A crash finds the writer alive or closed in peace.
    if random.below(3) == 0
        && let Ok(position) = writer.close()
    {
        assert_eq!(position, at(next - 1), "{context}");
        told.durable = next - 1;
    }
}

#[test]
fn power_loss_at_every_operation() {
    // The same short life, ended at its first, second, third … operation.
    for tearing in [Tearing::Nothing, Tearing::Prefix, Tearing::Sectors] {
        for power_off_after in 0.. {
            let disk = FaultyDisk::new(power_off_after);
            disk.set_faults(Faults { power_off_after: Some(power_off_after), ..Faults::default() });
            let (durable, whole) = short_life(&disk);
            disk.crash(tearing);
            let opened = open_on(&disk, small_config()).unwrap();
            let newest = opened.report.newest.sequence;
            assert!(newest >= durable, "operation {power_off_after}: {durable} was durable, {newest} is left");
            assert_eq!(read_from(&opened.log, opened.log.oldest().sequence), newest);
            let report = verify(&disk, Path::new(DIR), &mut |_| {}).unwrap();
            assert!(report.is_sound() && report.torn_tail_bytes == 0, "{report:?}");
            if whole {
                assert!(power_off_after > 40, "the life was too short to test anything");
                break;
            }
        }
    }
}

fn short_life(disk: &FaultyDisk) -> (u64, bool) {
    let mut durable = 0;
    let Ok(Opened { mut writer, log, .. }) = open_on(disk, small_config()) else { return (0, false) };
    for group in 0..8 {
        for sequence in group * 8 + 1..=group * 8 + 8 {
            append(&mut writer, sequence);
        }
        match writer.commit() {
            Ok(position) => durable = position.sequence,
            Err(_) => return (durable, false),
        }
        if log.store_snapshot(log.durable(), b"world").is_err() || log.retain(u64::MAX).is_err() {
            return (durable, false);
        }
    }
    (durable, writer.close().is_ok())
}

#[test]
fn a_failed_fsync_poisons_and_what_the_cache_shows_is_written_again_before_it_is_told() {
    let disk = FaultyDisk::new(3);
    let Opened { mut writer, log, .. } = open_on(&disk, small_config()).unwrap();
    append(&mut writer, 1);
    writer.commit().unwrap();
    append(&mut writer, 2);
    disk.set_faults(Faults { fail_sync_after: Some(0), ..Faults::default() });
    let error = writer.commit().unwrap_err();
    assert!(matches!(&error, CommitError::Poisoned { cause } if cause.contains("fdatasync")), "{error}");
    assert!(error.to_string().contains("start again"), "{error}");
    assert!(matches!(writer.commit(), Err(CommitError::Poisoned { .. })), "the second fsync would have succeeded");
    assert_eq!((log.durable(), read_from(&log, 0)), (at(1), 1));
    drop(writer);
    disk.kill();
    // The page cache still shows record 2, so the log opens with it; from then on it must be on the disk, too.
    assert_eq!(open_on(&disk, small_config()).unwrap().report.newest, at(2));
    disk.crash(Tearing::Nothing);
    assert_eq!(open_on(&disk, small_config()).unwrap().report.newest, at(2));
}

#[test]
fn a_slow_disk_delays_and_loses_nothing() {
    let disk = FaultyDisk::new(3);
    let Opened { writer, log, .. } = open_on(&disk, small_config()).unwrap();
    disk.set_faults(Faults { sync_takes: Duration::from_millis(100), ..Faults::default() });
    let mut writer = writer.into_background().unwrap();
    for sequence in 1..=100 {
        assert_eq!(writer.append(0, b"x").unwrap(), at(sequence));
    }
    assert!(!writer.flush(Duration::from_millis(1)), "nothing is durable before the sync");
    assert!(writer.flush(Duration::from_secs(20)));
    assert_eq!(log.durable(), at(100));
    disk.crash(Tearing::Nothing);
    assert_eq!(open_on(&disk, small_config()).unwrap().report.newest, at(100));
}
