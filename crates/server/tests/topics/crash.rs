//! Thousands of lives of a store on the simulated disk, each ended by a fault.

use cordboard_server::log::faulty_disk::{Faults, FaultyDisk, SplitMix64, Tearing};
use cordboard_server::log::{self, OpenError};
use cordboard_server::topics::{CommitTopicsError, OpenTopicsError, TopicStore, TopicWriter};

use crate::support::{Told, at, open_on};

/// What the schedules met, so that a schedule that tests nothing is noticed.
#[derive(Default, Debug)]
struct Met {
    lives: u64,
    replayed: u64,
    torn: u64,
    poisoned: u64,
    full: u64,
    dropped: u64,
    dropped_at_the_end: u64,
    not_opened: u64,
    refused: u64,
    lost_uncommitted: u64,
    found_uncommitted: u64,
}

/// `CORDBOARD_TOPIC_SEEDS=100000` runs more.
fn seeds() -> u64 {
    std::env::var("CORDBOARD_TOPIC_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(150)
}

#[test]
fn whatever_the_fault_what_was_committed_is_there_and_nothing_half() {
    let mut met = Met::default();
    for seed in 0..seeds() {
        schedule(seed, &[Tearing::Nothing, Tearing::Prefix, Tearing::Sectors], false, &mut met);
    }
    println!("{met:?}");
    assert_eq!(met.refused, 0, "a power loss never makes a store refuse to open");
    let often = [met.replayed, met.poisoned, met.full, met.dropped, met.not_opened, met.lost_uncommitted];
    assert!(often.iter().all(|count| *count > 50), "the schedules missed a case: {met:?}");
    let seldom = [met.torn, met.dropped_at_the_end, met.found_uncommitted];
    assert!(seldom.iter().all(|count| *count > 2), "the schedules missed a case: {met:?}");
}

#[test]
fn a_disk_that_leaves_garbage_is_refused_or_right() {
    let mut met = Met::default();
    for seed in 0..seeds() / 2 {
        schedule(seed, &[Tearing::Garbage], false, &mut met);
    }
    assert!(met.torn > 2, "{met:?}");
    assert!(met.refused < met.lives / 20, "{met:?}");
}

/// What happens when depends on threads here, so that a seed alone does not bring a failure back.
#[test]
fn checkpoints_in_the_background_change_nothing() {
    let mut met = Met::default();
    for seed in 0..seeds() / 2 {
        schedule(seed, &[Tearing::Nothing, Tearing::Prefix, Tearing::Sectors], true, &mut met);
    }
    assert_eq!(met.refused, 0, "{met:?}");
    assert!(met.poisoned > 10 && met.replayed > 10, "{met:?}");
}

fn schedule(seed: u64, tearings: &[Tearing], in_background: bool, met: &mut Met) {
    let mut random = SplitMix64::new(seed);
    let disk = FaultyDisk::new(seed);
    let mut told = Told::default();
    for life in 0..8 {
        met.lives += 1;
        let context = format!("seed {seed}, life {life}");
        disk.set_faults(faults(&mut random));
        match open_on(&disk) {
            Ok((writer, store)) if in_background => {
                let writer = writer.with_checkpoints_in_background();
                live(writer, &store, &disk, &mut random, &mut told, met, &context);
            }
            Ok((writer, store)) => live(writer, &store, &disk, &mut random, &mut told, met, &context),
            Err(error) if is_of_the_fault(&error) => met.not_opened += 1,
            // As the log's own tests have it: garbage may look like damage.
            Err(OpenTopicsError::Log(OpenError::Damaged { .. })) if tearings == [Tearing::Garbage] => {
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
    let (_writer, store) = open_on(&disk).unwrap_or_else(|error| panic!("seed {seed}, at last: {error}"));
    let upto = _writer.upto().sequence;
    assert!(upto >= told.committed, "seed {seed}, at last");
    told.forget_after(upto);
    told.check(&store, upto, &format!("seed {seed}, at last"));
}

/// The power went off, the disk was full or failed a sync while the store was opened.
fn is_of_the_fault(error: &OpenTopicsError) -> bool {
    let is_of_the_disk = matches!(
        error,
        OpenTopicsError::Io(_) | OpenTopicsError::Log(OpenError::Io(_)) | OpenTopicsError::Read(log::ReadError::Io(_))
    );
    let is_of_the_power = matches!(error, OpenTopicsError::Checkpoint { why, .. } if why.contains("the power is off"));
    is_of_the_disk || is_of_the_power
}

fn faults(random: &mut SplitMix64) -> Faults {
    let mut faults = Faults { short_writes_per_256: random.below(64) as u8, ..Faults::default() };
    match random.below(5) {
        0 => faults.space_bytes_max = Some(8_000 + random.below(50_000)),
        1 => faults.fail_sync_after = Some(random.below(60)),
        2 => faults.power_off_after = Some(random.below(40)),
        _ => faults.power_off_after = Some(random.below(400)),
    }
    faults
}

fn live(
    mut writer: TopicWriter,
    store: &TopicStore,
    disk: &FaultyDisk,
    random: &mut SplitMix64,
    told: &mut Told,
    met: &mut Met,
    context: &str,
) {
    let report = writer.report();
    met.replayed += u64::from(report.commits_replayed > 0);
    met.torn += u64::from(report.torn_tail.is_some());
    met.dropped_at_the_end += report.dropped.len() as u64;
    let upto = writer.upto().sequence;
    assert!(upto >= told.committed, "{context}: {} was committed, {upto} is left", told.committed);
    assert!(upto <= told.tried, "{context}: {} was tried, {upto} is there", told.tried);
    met.found_uncommitted += u64::from(upto > told.committed);
    met.lost_uncommitted += u64::from(upto < told.tried);
    told.forget_after(upto);
    // With the power off reading fails; it may never give wrong records.
    if is_alive(disk) {
        told.check(store, upto, context);
    }
    for _ in 0..random.below(60) {
        if random.below(8) == 0 {
            let oldest_ms = told.newest_ms() - random.below(60) as i64;
            match writer.retain(oldest_ms) {
                Ok(dropped) => met.dropped += dropped,
                Err(_) => {
                    assert!(writer.commit(at(told.tried + 1)).is_err(), "{context}: after a failed retention");
                    break;
                }
            }
            continue;
        }
        for _ in 0..random.below(12) {
            told.append(&mut writer, random);
        }
        told.tried += 1;
        match writer.commit(at(told.tried)) {
            Ok(()) => told.committed = told.tried,
            Err(CommitTopicsError::DiskFull(_)) => {
                met.full += 1;
                if random.below(2) == 0 {
                    disk.set_faults(Faults::default());
                    writer.commit(at(told.tried)).unwrap_or_else(|error| panic!("{context}: {error}"));
                    told.committed = told.tried;
                }
            }
            Err(CommitTopicsError::Poisoned { .. }) => {
                met.poisoned += 1;
                assert!(writer.commit(at(told.tried)).is_err(), "{context}");
                break;
            }
            Err(error @ CommitTopicsError::Backwards { .. }) => panic!("{context}: {error}"),
        }
        let upto = writer.upto().sequence;
        assert!(upto >= told.committed, "{context}");
        told.committed = upto;
        if random.below(12) == 0 && is_alive(disk) {
            told.check(store, upto, context);
        }
    }
    // A crash finds the writer alive or closed in peace.
    if random.below(3) == 0 && writer.close().is_ok() {
        // A commit that waited for room is finished, what was appended since is not.
        assert!(told.committed <= told.tried, "{context}");
    }
}

fn is_alive(disk: &FaultyDisk) -> bool {
    use cordboard_server::log::disk::Disk as _;
    disk.list(std::path::Path::new(crate::support::DIR)).is_ok()
}

#[test]
fn power_loss_at_every_operation() {
    // The same short life, ended at its first, second, third … operation.
    for tearing in [Tearing::Nothing, Tearing::Prefix, Tearing::Sectors] {
        for power_off_after in 0.. {
            let context = format!("{tearing:?}, operation {power_off_after}");
            let disk = FaultyDisk::new(power_off_after);
            disk.set_faults(Faults { power_off_after: Some(power_off_after), ..Faults::default() });
            let mut told = Told::default();
            let whole = short_life(&disk, &mut told);
            disk.crash(tearing);
            // The power goes off once more, in the middle of what the crash left to do.
            disk.set_faults(Faults { power_off_after: Some(power_off_after % 23), ..Faults::default() });
            drop(open_on(&disk).map_err(|error| assert!(is_of_the_fault(&error), "{context}: {error}")));
            disk.crash(tearing);
            let (writer, store) = open_on(&disk).unwrap_or_else(|error| panic!("{context}: {error}"));
            let upto = writer.upto().sequence;
            assert!(upto >= told.committed && upto <= told.tried, "{context}: {upto}");
            told.check(&store, upto, &context);
            if whole {
                assert!(power_off_after > 150, "the life was too short to test anything");
                break;
            }
        }
    }
}

/// Whether it came to its end.
fn short_life(disk: &FaultyDisk, told: &mut Told) -> bool {
    let mut random = SplitMix64::new(5);
    let Ok((mut writer, _store)) = open_on(disk) else { return false };
    for turn in 0..24 {
        for _ in 0..7 {
            told.append(&mut writer, &mut random);
        }
        told.tried += 1;
        if writer.commit(at(told.tried)).is_err() {
            return false;
        }
        told.committed = told.tried;
        if turn % 5 == 4 && writer.retain(told.newest_ms() - 20).is_err() {
            return false;
        }
    }
    writer.close().is_ok()
}
