//! kill -9 of a real process that writes to a real disk.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cordboard_server::log::disk::RealDisk;
use cordboard_server::log::faulty_disk::SplitMix64;
use cordboard_server::log::{LogConfig, open, verify};

use crate::support::{EPOCH, payload, read_from, time_us};

const DIR_VARIABLE: &str = "CORDBOARD_TEST_LOG_DIR";
const ROUNDS: u64 = 50;

fn config() -> LogConfig {
    LogConfig { segment_bytes_max: 1 << 20, tail_bytes_max: 1 << 16, ..LogConfig::default() }
}

/// Not a test of its own: the process that is killed. It prints what is durable, as fast as it becomes so.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = std::env::var(DIR_VARIABLE) else { return };
    let opened = open(Arc::new(RealDisk), Path::new(&dir), config(), EPOCH).unwrap();
    let mut next = opened.report.newest.sequence + 1;
    let log = opened.log;
    let mut writer = opened.writer.into_background().unwrap();
    let mut told = 0;
    loop {
        for _ in 0..8 {
            // A full backlog is tried again with the same sequence.
            if writer.append(time_us(next), &payload(next)).is_ok() {
                next += 1;
            }
        }
        let durable = log.durable().sequence;
        if durable > told {
            told = durable;
            println!("durable {durable}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = SplitMix64::new(2);
    let (mut kept, mut whole) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::the_process_that_is_killed", "--nocapture"])
            .env(DIR_VARIABLE, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = |line: String| line.strip_prefix("durable ").and_then(|number| number.parse::<u64>().ok());
        let first = lines.by_ref().map_while(Result::ok).find_map(said);
        let reader = std::thread::spawn(move || lines.map_while(Result::ok).filter_map(said).last());
        std::thread::sleep(Duration::from_micros(random.below(40_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let told = reader.join().unwrap().or(first).expect("the process told nothing");
        assert!(told >= kept, "round {round}: {kept} were there, {told} were told of");
        let opened = open(Arc::new(RealDisk), dir.path(), config(), EPOCH).unwrap();
        kept = opened.report.newest.sequence;
        assert!(kept >= told, "round {round}: {told} was acknowledged, {kept} is left");
        assert_eq!(read_from(&opened.log, whole), kept);
        whole = kept;
    }
    assert!(kept > 100 * ROUNDS, "{kept} records are no load");
    let log = open(Arc::new(RealDisk), dir.path(), config(), EPOCH).unwrap().log;
    assert_eq!(read_from(&log, 0), kept);
    assert!(verify(&RealDisk, dir.path(), &mut |_| {}).unwrap().is_sound());
}
