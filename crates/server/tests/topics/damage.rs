//! What is not as it was written is told, never passed over.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordboard_kafka::batch;
use cordboard_server::log::OpenError;
use cordboard_server::log::disk::Disk as _;
use cordboard_server::log::faulty_disk::{FaultyDisk, SplitMix64};
use cordboard_server::topics::{
    OpenTopicsError, PartitionId, ReadError, Topic, TopicStore, TopicWriter, VerifyTopicsReport, open, verify,
};

use crate::support::{DIR, EPOCH, Told, at, open_on, records, small_limits};

const ID: PartitionId = PartitionId { topic: 1, partition: 0 };

/// A store with many files in the partition [`ID`], closed in peace or not.
fn written(disk: &FaultyDisk, in_peace: bool) -> Told {
    let (mut told, mut random) = (Told::default(), SplitMix64::new(2));
    let (mut writer, _) = open_on(disk).unwrap();
    for _ in 0..20 {
        commit(&mut writer, &mut told, &mut random);
    }
    if in_peace {
        writer.close().unwrap();
    } else {
        drop(writer);
        disk.kill();
    }
    told
}

fn commit(writer: &mut TopicWriter, told: &mut Told, random: &mut SplitMix64) {
    for _ in 0..5 {
        told.append(writer, random);
    }
    told.tried += 1;
    writer.commit(at(told.tried)).unwrap();
    told.committed = told.tried;
}

fn files(disk: &FaultyDisk) -> Vec<PathBuf> {
    let dir = Path::new(DIR).join("agents/0");
    disk.list(&dir).unwrap().into_iter().map(|name| dir.join(name)).collect()
}

fn verified(disk: &FaultyDisk) -> VerifyTopicsReport {
    verify(disk, Path::new(DIR), &mut |_| {}).unwrap()
}

#[test]
fn what_is_sound_is_said_to_be() {
    for in_peace in [true, false] {
        let disk = FaultyDisk::new(1);
        let told = written(&disk, in_peace);
        let mut done = 0;
        let report = verify(&disk, Path::new(DIR), &mut |progress| done = progress.bytes_done).unwrap();
        assert!(report.is_sound(), "{report:?}");
        let records: usize = told.records.values().map(Vec::len).sum();
        assert_eq!((report.records, report.partitions, report.torn_bytes), (records as u64, 4, 0));
        assert!(report.files > 12 && report.bytes == done, "{report:?}");
    }
}

/// Whether all batches can be read and are as they were written.
fn is_readable(store: &TopicStore) -> bool {
    let mut next = store.start(ID).unwrap();
    while Some(next) < store.end(ID) {
        let Ok(read) = store.read(ID, next, 0) else { return false };
        if batch::records(&read.bytes).and_then(Iterator::collect::<Result<Vec<_>, _>>).is_err() {
            return false;
        }
        next = read.next;
    }
    true
}

#[test]
fn a_bit_that_flips_is_noticed_wherever_it_is() {
    let disk = FaultyDisk::new(1);
    written(&disk, true);
    let mut refused = 0;
    for file in files(&disk) {
        let length = disk.bytes(&file).unwrap().len();
        for byte in (0..length).step_by(7) {
            // The epoch of the leader is not covered by the checksum, and nobody looks at it.
            disk.flip_bit(&file, byte, (byte % 8) as u8).unwrap();
            let report = verified(&disk);
            let path = file.display().to_string();
            let is_epoch = report.is_sound();
            assert!(is_epoch || report.damage.iter().any(|damage| damage.file == path), "{path} {byte}: {report:?}");
            match open_on(&disk) {
                Ok((_writer, store)) => {
                    // Nobody gets a record that was not written: the batch is refused here or by its checksum.
                    assert_eq!(is_epoch, is_readable(&store), "{path} {byte}");
                }
                Err(OpenTopicsError::Damaged { file, .. }) => {
                    assert_eq!(file.display().to_string(), path);
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
            disk.flip_bit(&file, byte, (byte % 8) as u8).unwrap();
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn a_file_that_is_gone_is_missed() {
    for in_peace in [true, false] {
        let disk = FaultyDisk::new(1);
        written(&disk, in_peace);
        let all = files(&disk);
        // The oldest may have been dropped by retention; those after the checkpoint are made anew.
        for (place, file) in all.iter().enumerate().skip(1) {
            let bytes = disk.bytes(file).unwrap();
            disk.lose(file);
            match open_on(&disk) {
                Ok((_, store)) => {
                    assert!(!in_peace && place + 3 > all.len() / 2, "{}", file.display());
                    assert_eq!(store.start(ID), Some(0));
                    records(&store, ID, 0, 900).unwrap();
                    break;
                }
                Err(error @ OpenTopicsError::Missing { .. }) => {
                    assert!(!verified(&disk).is_sound());
                    let text = error.to_string();
                    assert!(text.contains(&file.display().to_string()) && text.contains("restore"), "{text}");
                }
                Err(error) => panic!("{error}"),
            }
            disk.put(file, &bytes);
        }
    }
}

#[test]
fn a_file_that_is_too_short_or_too_long_is_refused() {
    let disk = FaultyDisk::new(1);
    written(&disk, true);
    let all = files(&disk);
    for (file, is_last) in all.iter().zip((1..=all.len()).map(|place| place == all.len())) {
        let bytes = disk.bytes(file).unwrap();
        disk.put(file, &bytes[..bytes.len() - 1]);
        let error = open_on(&disk).err().unwrap();
        assert!(matches!(error, OpenTopicsError::Length { .. }), "{error}");
        assert!(!verified(&disk).is_sound());
        disk.put(file, &[&bytes[..], b"more"].concat());
        let opened = open_on(&disk);
        if is_last {
            // What a crash may leave behind the checkpoint is cut off.
            drop(opened.unwrap());
            assert_eq!(disk.bytes(file).unwrap(), bytes);
        } else {
            assert!(matches!(opened.err().unwrap(), OpenTopicsError::Length { .. }));
            assert!(!verified(&disk).is_sound());
        }
        disk.put(file, &bytes);
    }
    open_on(&disk).unwrap();
}

#[test]
fn files_of_others_and_a_journal_that_is_gone_are_refused() {
    let disk = FaultyDisk::new(1);
    written(&disk, true);
    let journal = Path::new(DIR).join("journal");
    let (mut writer, _) = open_on(&disk).unwrap();
    assert!(writer.retain(i64::MAX).unwrap() > 0);
    writer.close().unwrap();
    let foreign = Path::new(DIR).join("agents/0/00000000000000000001.batches");
    disk.put(&foreign, b"what is this");
    let error = open_on(&disk).err().unwrap();
    assert!(matches!(error, OpenTopicsError::Foreign { .. }), "{error}");
    disk.lose(&foreign);
    drop(open_on(&disk).unwrap());
    // A partition that nobody has written to yet.
    let foreign = Path::new(DIR).join("new/1/00000000000000000000.batches");
    disk.put(&foreign, b"and what is this");
    let new = [Topic { name: "new".to_owned(), partitions: 2 }];
    let error = open(Arc::new(disk.clone()), Path::new(DIR), &new, small_limits(), EPOCH).err().unwrap();
    assert!(matches!(error, OpenTopicsError::Foreign { .. }), "{error}");
    assert_eq!(disk.bytes(&foreign).unwrap(), b"and what is this");
    disk.lose(&foreign);
    for name in disk.list(&journal).unwrap() {
        disk.lose(&journal.join(name));
    }
    let error = open_on(&disk).err().unwrap();
    assert!(matches!(error, OpenTopicsError::NoJournal { .. }), "{error}");
    assert!(error.to_string().contains("00000000.batches") || error.to_string().contains(".batches"), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_made_up_for_by_the_one_before() {
    let disk = FaultyDisk::new(1);
    let mut told = written(&disk, true);
    let journal = Path::new(DIR).join("journal");
    let snapshots = || -> Vec<PathBuf> {
        let names = disk.list(&journal).unwrap();
        names.iter().filter(|name| name.ends_with(".snapshot")).map(|name| journal.join(name)).collect()
    };
    let (newest, both) = (snapshots().pop().unwrap(), snapshots().len());
    assert_eq!(both, 2);
    disk.flip_bit(&newest, 60, 1).unwrap();
    let (writer, store) = open_on(&disk).unwrap();
    assert_eq!(writer.report().damaged_checkpoints.len(), 1);
    assert!(writer.report().commits_replayed > 0);
    told.check(&store, told.committed, "the newest checkpoint is damaged");
    drop((writer, store));
    disk.kill();
    for snapshot in snapshots() {
        disk.flip_bit(&snapshot, 60, 1).unwrap();
    }
    let error = open_on(&disk).err().unwrap();
    // The log that the journal is says it: its beginning was dropped because of checkpoints.
    assert!(matches!(error, OpenTopicsError::Log(OpenError::Missing { .. })), "{error}");
}

#[test]
fn a_file_that_changes_under_a_reader_is_damaged_and_never_read_wrong() {
    let disk = FaultyDisk::new(1);
    written(&disk, true);
    let (_writer, store) = open_on(&disk).unwrap();
    let file = files(&disk).remove(1);
    // The magic byte of its first batch.
    disk.flip_bit(&file, 16, 0).unwrap();
    let second = store.read(ID, 0, usize::MAX).unwrap().next;
    let error = store.read(ID, second, 100).unwrap_err();
    let text = error.to_string();
    let is_told = matches!(&error, ReadError::Damaged { file: told, at: 0, .. } if *told == file);
    assert!(is_told && text.contains("log verify"), "{text}");
}
