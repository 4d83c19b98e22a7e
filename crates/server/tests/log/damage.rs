//! Every byte of a small log cut, zeroed or flipped: repaired or refused, never silently wrong.

use std::path::{Path, PathBuf};

use cordboard_server::log::faulty_disk::FaultyDisk;
use cordboard_server::log::{LogConfig, OpenError, Opened, verify};

use crate::support::{DIR, EPOCH, append, at, open_on, read_from, segments, small_config};

const GROUPS: u64 = 6;
const GROUP_RECORDS: u64 = 3;
const RECORDS: u64 = GROUPS * GROUP_RECORDS;

/// A log of some segments, its files as they were, and per file the offsets where a frame ends.
struct Sample {
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn sample(in_peace: bool) -> Sample {
    let disk = FaultyDisk::new(1);
    let config = LogConfig { segment_bytes_max: 2000, ..small_config() };
    let mut writer = open_on(&disk, config).unwrap().writer;
    for group in 0..GROUPS {
        for sequence in group * GROUP_RECORDS + 1..=(group + 1) * GROUP_RECORDS {
            append(&mut writer, sequence);
        }
        writer.commit().unwrap();
    }
    if in_peace {
        writer.close().unwrap();
    }
    let paths = segments(&disk, Path::new(DIR));
    assert!(paths.len() >= 3);
    Sample { files: paths.into_iter().map(|path| (path.clone(), disk.bytes(&path).unwrap())).collect() }
}

impl Sample {
    fn disk(&self) -> FaultyDisk {
        let disk = FaultyDisk::new(1);
        for (path, bytes) in &self.files {
            disk.put(path, bytes);
        }
        disk
    }

    /// A disk with one file changed.
    fn with(&self, index: usize, change: impl FnOnce(&mut Vec<u8>)) -> FaultyDisk {
        let disk = self.disk();
        let (path, bytes) = &self.files[index];
        let mut bytes = bytes.clone();
        change(&mut bytes);
        disk.put(path, &bytes);
        disk
    }

    fn last(&self) -> usize {
        self.files.len() - 1
    }

    /// Records in all files but the last.
    fn records_before_last(&self) -> u64 {
        let name = self.files[self.last()].0.file_name().unwrap().to_str().unwrap();
        name.strip_suffix(".segment").unwrap().parse::<u64>().unwrap() - 1
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Refused,
    /// Opened, with records up to here; `reported` when something was cut off.
    Kept {
        newest: u64,
        reported: bool,
    },
}

/// Opens a copy of a damaged log twice: what is opened must be right, stay right, and go on.
fn outcome(disk: &FaultyDisk) -> Outcome {
    let before = verify(disk, Path::new(DIR), &mut |_| {}).unwrap();
    match open_on(disk, small_config()) {
        Ok(Opened { mut writer, log, report }) => {
            assert!(before.is_sound(), "opened, though verify says {:?}", before.damage);
            assert_eq!(before.torn_tail_bytes > 0, report.torn_tail.is_some());
            let newest = report.newest.sequence;
            assert_eq!(read_from(&log, 0), newest);
            append(&mut writer, newest + 1);
            writer.commit().unwrap();
            drop(writer);
            let again = open_on(disk, small_config()).unwrap();
            assert_eq!(again.report.torn_tail, None);
            assert_eq!(read_from(&again.log, 0), newest + 1);
            Outcome::Kept { newest, reported: report.torn_tail.is_some() }
        }
        Err(error) => {
            assert!(!before.is_sound(), "refused, though verify finds nothing: {error}");
            let text = error.to_string();
            assert!(text.contains("cordboard log verify") || text.contains("mixed"), "{text}");
            assert!(
                matches!(error, OpenError::Damaged { .. } | OpenError::Header { .. } | OpenError::Missing { .. }),
                "{error:?}"
            );
            Outcome::Refused
        }
    }
}

#[test]
fn the_last_segment_cut_at_every_byte() {
    for in_peace in [false, true] {
        let sample = sample(in_peace);
        let last = sample.last();
        let length = sample.files[last].1.len();
        let mut newest_before = sample.records_before_last();
        for cut in 0..length {
            match outcome(&sample.with(last, |bytes| bytes.truncate(cut))) {
                Outcome::Refused => assert!(cut < 32, "cut at {cut}: a torn tail is repaired"),
                Outcome::Kept { newest, .. } => {
                    assert!(cut >= 32, "cut at {cut}: a segment has a whole header");
                    assert!(newest >= newest_before, "a longer file has no fewer records");
                    newest_before = newest;
                }
            }
        }
        assert_eq!(newest_before, if in_peace { RECORDS } else { RECORDS - 1 });
    }
}

#[test]
fn the_last_segment_zeroed_from_every_byte() {
    let sample = sample(false);
    let last = sample.last();
    for from in 32..sample.files[last].1.len() {
        let cut = outcome(&sample.with(last, |bytes| bytes.truncate(from)));
        let zeroed = outcome(&sample.with(last, |bytes| bytes[from..].fill(0)));
        match (cut, zeroed) {
            (Outcome::Kept { newest, .. }, Outcome::Kept { newest: with_zeros, reported: true }) => {
                assert_eq!(newest, with_zeros, "zeros from {from}");
            }
            other => panic!("zeros from {from}: {other:?}"),
        }
    }
    let extended = sample.with(last, |bytes| bytes.resize(bytes.len() + 9000, 0));
    assert_eq!(outcome(&extended), Outcome::Kept { newest: RECORDS, reported: true });
    let extended = sample.with(last, |bytes| bytes.extend((0..9000u32).map(|byte| (byte * 7 + 3) as u8)));
    assert_eq!(outcome(&extended), Outcome::Kept { newest: RECORDS, reported: true });
}

#[test]
fn an_earlier_segment_cut_at_every_byte_is_refused() {
    let sample = sample(false);
    for index in 0..sample.last() {
        for cut in 0..sample.files[index].1.len() {
            let refused = outcome(&sample.with(index, |bytes| bytes.truncate(cut)));
            assert_eq!(refused, Outcome::Refused, "file {index} cut at {cut}");
        }
    }
}

#[test]
fn every_byte_flipped() {
    for in_peace in [false, true] {
        let sample = sample(in_peace);
        let mut repaired = 0;
        for (index, (path, bytes)) in sample.files.iter().enumerate() {
            for byte in 0..bytes.len() {
                let disk = sample.disk();
                disk.flip_bit(path, byte, (byte * 5 + index) as u8).unwrap();
                match outcome(&disk) {
                    Outcome::Refused => {}
                    Outcome::Kept { newest, reported } => {
                        repaired += 1;
                        // Only the very last frame has nothing after it that proves it was acknowledged.
                        let least = if in_peace { RECORDS } else { RECORDS - 1 };
                        assert!(index == sample.last() && newest >= least && reported, "{path:?} byte {byte}");
                    }
                }
            }
        }
        assert!(repaired >= 32, "the last frame was never hit");
    }
}

#[test]
fn damage_is_told_with_place_and_remedy_and_changes_nothing() {
    let sample = sample(false);
    let disk = sample.with(1, |bytes| bytes[40] ^= 1);
    let before = disk.bytes(&sample.files[1].0).unwrap();
    let Err(error) = open_on(&disk, small_config()) else { panic!("opened") };
    let text = error.to_string();
    let OpenError::Damaged { file, offset, sequence, .. } = error else { panic!("{text}") };
    assert_eq!((file, offset), (sample.files[1].0.clone(), 32));
    assert!(text.contains("offset 32") && text.contains(&format!("record {sequence}")), "{text}");
    assert!(text.contains("`cordboard log verify log`"), "{text}");
    assert_eq!(disk.bytes(&sample.files[1].0).unwrap(), before);
    let mut progress = Vec::new();
    let report = verify(&disk, Path::new(DIR), &mut |told| progress.push(told)).unwrap();
    assert_eq!(report.records, RECORDS - 1, "all others are counted");
    assert_eq!(report.damage.len(), 1);
    assert_eq!((report.damage[0].offset, report.damage[0].sequence), (32, sequence));
    assert!(report.damage[0].what.contains(&format!("records {sequence} to {sequence} are lost")), "{report:?}");
    assert_eq!(progress.last().map(|told| told.bytes_total), Some(report.bytes));
}

#[test]
fn a_sound_log_verifies_and_is_told_whole() {
    let report = verify(&sample(true).disk(), Path::new(DIR), &mut |_| {}).unwrap();
    assert!(report.is_sound());
    assert_eq!((report.records, report.first, report.last), (RECORDS, Some(at(1)), Some(at(RECORDS))));
}

#[test]
fn a_missing_segment_is_noticed_wherever_it_was() {
    let sample = sample(false);
    for (path, _) in &sample.files {
        let disk = sample.disk();
        disk.lose(path);
        let Err(error) = open_on(&disk, small_config()) else { panic!("opened without {path:?}") };
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        assert!(!verify(&disk, Path::new(DIR), &mut |_| {}).unwrap().is_sound());
    }
}

#[test]
fn a_log_set_back_before_its_snapshot_is_refused() {
    let sample = sample(false);
    let disk = sample.disk();
    let opened = open_on(&disk, small_config()).unwrap();
    opened.log.store_snapshot(at(RECORDS), b"world").unwrap();
    drop(opened);
    let (path, bytes) = &sample.files[sample.last()];
    disk.put(path, &bytes[..bytes.len() - 1]);
    let Err(error) = open_on(&disk, small_config()) else { panic!("opened") };
    assert!(matches!(error, OpenError::BehindSnapshot { .. }), "{error}");
    for (path, _) in &sample.files {
        disk.lose(path);
    }
    let Err(error) = open_on(&disk, small_config()) else { panic!("founded over a snapshot") };
    assert!(matches!(error, OpenError::NoSegments { .. }), "{error}");
}

#[test]
fn another_version_and_another_log_are_refused_by_name() {
    let sample = sample(false);
    let Err(error) = open_on(&sample.with(0, |bytes| bytes[8] = 9), small_config()) else { panic!("opened") };
    assert!(error.to_string().contains("version is 9; this program reads version 1"), "{error}");
    let disk = sample.disk();
    let foreign = FaultyDisk::new(2);
    let founded =
        cordboard_server::log::open(std::sync::Arc::new(foreign.clone()), Path::new(DIR), small_config(), EPOCH + 1);
    drop(founded.unwrap());
    disk.put(&sample.files[0].0, &foreign.bytes(&sample.files[0].0).unwrap());
    let Err(error) = open_on(&disk, small_config()) else { panic!("opened") };
    assert!(error.to_string().contains("two logs are mixed"), "{error}");
}
