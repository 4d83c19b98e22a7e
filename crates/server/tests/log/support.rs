//! A log on the simulated disk whose records can be told by their sequence.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordboard_server::log::disk::Disk;
use cordboard_server::log::faulty_disk::{FaultyDisk, SplitMix64};
use cordboard_server::log::{Log, LogConfig, OpenError, Opened, Position, Writer, open};

pub(crate) const EPOCH: u32 = 7;
pub(crate) const DIR: &str = "log";

pub(crate) fn small_config() -> LogConfig {
    LogConfig {
        segment_bytes_max: 4096,
        log_bytes_max: 20_000,
        tail_bytes_max: 6000,
        record_bytes_max: 4096,
        pending_bytes_max: 1 << 20,
        ..LogConfig::default()
    }
}

pub(crate) fn open_on(disk: &FaultyDisk, config: LogConfig) -> Result<Opened, OpenError> {
    open(Arc::new(disk.clone()), Path::new(DIR), config, EPOCH)
}

pub(crate) fn at(sequence: u64) -> Position {
    Position { epoch: EPOCH, sequence }
}

/// The only payload record `sequence` may have: 20 to 600 bytes that follow from the sequence.
pub(crate) fn payload(sequence: u64) -> Vec<u8> {
    let mut random = SplitMix64::new(sequence);
    let filler = 1 + random.below(580) as usize;
    let mut bytes = format!("{{\"record\":{sequence},").into_bytes();
    bytes.extend((0..filler).map(|_| b'a' + random.below(26) as u8));
    bytes
}

/// Times rise by a millisecond a record.
pub(crate) fn time_us(sequence: u64) -> u64 {
    1_000_000 + sequence * 1000
}

pub(crate) fn append(writer: &mut Writer, sequence: u64) {
    assert_eq!(writer.append(time_us(sequence), &payload(sequence)).unwrap(), at(sequence));
}

/// Reads everything after `from`, checks each record, and returns the last sequence.
pub(crate) fn read_from(log: &Log, from: u64) -> u64 {
    let mut reader = log.reader(at(from)).unwrap();
    let mut last = from;
    while let Some(record) = reader.next().unwrap() {
        last += 1;
        assert_eq!(record.position, at(last));
        assert_eq!(record.at_us, time_us(last));
        assert_eq!(record.payload, payload(last), "record {last}");
    }
    assert_eq!(reader.position(), at(last));
    last
}

/// The segment files, oldest first.
pub(crate) fn segments(disk: &dyn Disk, dir: &Path) -> Vec<PathBuf> {
    let names = disk.list(dir).unwrap();
    names.iter().filter(|name| name.ends_with(".segment")).map(|name| dir.join(name)).collect()
}
