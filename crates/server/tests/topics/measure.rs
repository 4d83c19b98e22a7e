//! How fast a store is: `cargo test --release -p cordboard-server --test topics -- --ignored --nocapture measure`

use std::sync::Arc;
use std::time::Instant;

use cordboard_kafka::batch::NewRecord;
use cordboard_server::log::disk::RealDisk;
use cordboard_server::topics::{PartitionId, Topic, TopicLimits, open};

use crate::support::at;

/// As a record of the Genesys vocabulary is.
const VALUE_BYTES: usize = 600;
/// Records of the measurement.
const RECORDS: u64 = 1_000_000;

#[test]
#[ignore = "a measurement, for people"]
fn measure() {
    let dir = tempfile::tempdir_in(std::env::var("CORDBOARD_MEASURE_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let topics: Vec<Topic> =
        ["a", "b", "c"].iter().map(|name| Topic { name: (*name).to_owned(), partitions: 4 }).collect();
    for group in [1u64, 10, 100, 1000, 10_000] {
        let dir = dir.path().join(group.to_string());
        let records = if group < 100 { RECORDS / 500 * group } else { RECORDS };
        let (writer, store) = open(Arc::new(RealDisk), &dir, &topics, TopicLimits::default(), 1).unwrap();
        let mut writer = writer.with_checkpoints_in_background();
        let value = vec![b'x'; VALUE_BYTES];
        let headers: [(&str, &[u8]); 4] =
            [("tenant", b"acme"), ("position", b"1700000000-42"), ("event-id", &[b'e'; 36]), ("schema", &[b's'; 60])];
        let mut times = Vec::new();
        let begun = Instant::now();
        for number in 0..records {
            let key = (number / 7).to_string();
            let record =
                NewRecord { timestamp_ms: number as i64, key: key.as_bytes(), value: &value, headers: &headers };
            writer.append((number % 3) as u32, &record).unwrap();
            if number % group == group - 1 {
                let begun = Instant::now();
                writer.commit(at(number + 1)).unwrap();
                times.push(begun.elapsed());
            }
        }
        let took = begun.elapsed().as_secs_f64();
        times.sort_unstable();
        let of = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        let (per_s, commits_per_s) = (records as f64 / took, times.len() as f64 / took);
        println!(
            "groups of {group}: {per_s:.0} records/s, {commits_per_s:.0} commits/s, commit p50 {:?} p99 {:?} longest {:?}",
            of(0.5),
            of(0.99),
            of(1.0)
        );
        let begun = Instant::now();
        drop((writer, store));
        let (writer, store) = open(Arc::new(RealDisk), &dir, &topics, TopicLimits::default(), 1).unwrap();
        let replayed = writer.report().bytes_replayed;
        println!("  opened after a kill in {:?}, {replayed} bytes applied again", begun.elapsed());
        for bytes_max in [64 << 10, 1 << 20, 8 << 20] {
            for what in ["first", "again"] {
                let (begun, mut bytes, mut reads) = (Instant::now(), 0, 0u64);
                for id in (0..12).map(|it| PartitionId { topic: it / 4, partition: it % 4 }) {
                    let mut next = 0;
                    while Some(next) < store.end(id) {
                        let read = store.read(id, next, bytes_max).unwrap();
                        (next, bytes, reads) = (read.next, bytes + read.bytes.len(), reads + 1);
                    }
                }
                let took = begun.elapsed().as_secs_f64();
                println!(
                    "  read {what} in {bytes_max}: {:.0} MB/s, {:.0} reads/s, {} MB",
                    bytes as f64 / took / 1e6,
                    reads as f64 / took,
                    bytes / 1_000_000
                );
            }
        }
    }
}
