//! A centre's life written into topics, by scribes that are stopped at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cordboard_core::{Input, Time, decide, evolve};
use cordboard_kafka::{batch, partitioner};
use cordboard_switches::centre::Centre;
use cordboard_switches::{Output, Switch};

use super::*;
use crate::log::disk::RealDisk;
use crate::log::{self, LogConfig};
use crate::topics::{PartitionId, TopicLimits, TopicStore};

const BEGIN: Time = Time(1_800_000_000_000_000);
const TENANT: &str = "acme";
const PARTITIONS: u32 = 3;

/// What a record says, besides where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    at_ms: i64,
    key: String,
    value: String,
    position: String,
    schema: String,
}

type Contents = BTreeMap<(String, u32), Vec<Said>>;

/// The events of a centre's first while.
fn life(seed: u64, events: usize) -> Vec<Event> {
    let (mut world, mut all) = (World::default(), Vec::new());
    let mut take = |input: &Input, world: &mut World| {
        for event in decide(world, input) {
            evolve(world, &event);
            all.push(event);
        }
        all.len()
    };
    take(&Input::Found { tenant: TENANT.to_owned(), at: BEGIN }, &mut world);
    let (mut centre, mut now, mut told) = (Centre::new("house", seed, 1), BEGIN, 0);
    while told < events {
        centre.handle_timeout(now);
        while let Some(output) = centre.poll_output() {
            if let Output::Observed(observation) = output {
                while let Some(due) = world.next_timer().filter(|due| *due <= observation.at) {
                    take(&Input::Elapsed(due), &mut world);
                }
                told = take(&Input::Observed(observation), &mut world);
            }
        }
        now = centre.poll_timeout().unwrap_or_else(|| now.plus_ms(1_000));
    }
    all.truncate(events);
    all
}

/// A log with these events in a folder.
fn keep_log(dir: &Path, epoch: u32, config: LogConfig, events: &[Event]) -> (Log, Arc<Checkpoints>) {
    let opened = log::open(Arc::new(RealDisk), &dir.join("log"), config, epoch).unwrap();
    let mut writer = opened.writer;
    for event in events {
        writer.append(event.at.0, &serde_json::to_vec(event).unwrap()).unwrap();
        if event.at.0 % 7 == 0 {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
    let checkpoints = Checkpoints::open(&dir.join("checkpoints"), opened.log.durable().epoch, 4).unwrap();
    (opened.log, Arc::new(checkpoints))
}

fn spoken() -> Vec<(&'static Dialect, &'static str)> {
    telling(&cordboard_dialects::DIALECTS.iter().map(|it| it.name.to_owned()).collect::<Vec<_>>())
}

/// A scribe that is driven by hand, and its store.
fn desk(dir: &Path, (log, checkpoints): &(Log, Arc<Checkpoints>)) -> (Desk, TopicStore) {
    let limits = config::Topics { batch_bytes_max: 16_384, ..config::Topics::default() };
    let kept = TopicLimits { journal_bytes_max: 1 << 20, ..TopicLimits::from(&limits) };
    let (wanted, epoch) = (topics(&spoken(), PARTITIONS), log.durable().epoch);
    let (writer, store) = crate::topics::open(Arc::new(RealDisk), &dir.join("topics"), &wanted, kept, epoch).unwrap();
    let shared = Shared {
        log: log.clone(),
        written: AtomicU64::new(0),
        is_running: AtomicBool::new(true),
        stop: AtomicBool::new(false),
        lag_events_max: 1,
        counts: ScribeCounts::default(),
    };
    let parts = ScribeParts {
        tenant: TENANT.to_owned(),
        log: log.clone(),
        checkpoints: Arc::clone(checkpoints),
        settings: Arc::default(),
        telling: spoken(),
        writer,
        limits,
        retain_every: Duration::from_secs(60),
        schema_base: "http://here".to_owned(),
        clock: Clock::default(),
        written_after: Histogram::new([1.0]),
    };
    (Desk::new(Arc::new(shared), parts), store)
}

/// What a store holds; offsets, headers and ids are looked at on the way.
fn contents(store: &TopicStore) -> Contents {
    let (mut all, mut ids) = (Contents::new(), BTreeSet::new());
    for (topic, number) in store.topics().iter().zip(0..) {
        for partition in 0..topic.partitions {
            let id = PartitionId { topic: number, partition };
            let mut at = store.start(id).unwrap();
            let said = all.entry((topic.name.clone(), partition)).or_default();
            while at < store.end(id).unwrap() {
                let mut read = store.read(id, at, 100_000).unwrap();
                while !read.bytes.is_empty() {
                    let head = batch::BatchHead::decode(&read.bytes).unwrap();
                    for record in batch::records(&read.bytes.split_to(head.bytes)).unwrap() {
                        let record = record.unwrap();
                        assert_eq!(record.offset, at, "no hole");
                        at += 1;
                        let text = |bytes: &bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
                        let header = |name: &str| text(record.header(name).unwrap());
                        assert_eq!(header("tenant"), TENANT);
                        assert!(["live", "synthesised"].contains(&&*header("origin")));
                        assert!(ids.insert(header("event-id")), "an id is one message's");
                        let key = text(record.key.as_ref().unwrap());
                        assert_eq!(partitioner::partition(key.as_bytes(), PARTITIONS), partition);
                        said.push(Said {
                            at_ms: record.timestamp_ms,
                            key,
                            value: text(record.value.as_ref().unwrap()),
                            position: header("position"),
                            schema: header("schema"),
                        });
                    }
                }
            }
        }
    }
    all
}

/// What should be in the topics: said without any of what is tried here.
fn expected(events: &[Event], epoch: u32) -> Contents {
    let mut all = Contents::new();
    for (_, topic) in spoken() {
        (0..PARTITIONS).for_each(|partition| _ = all.insert((topic.to_owned(), partition), Vec::new()));
    }
    let mut world = World::default();
    for (event, sequence) in events.iter().zip(1..) {
        evolve(&mut world, event);
        for dialect in cordboard_dialects::DIALECTS {
            let (at, mut messages) = (Position { epoch, sequence }, Vec::new());
            (dialect.project)(&Settings::default(), &world, place(at), event, &mut messages);
            for message in messages.into_iter().filter(|it| dialect.topics.contains(&it.channel)) {
                let partition = partitioner::partition(message.key.as_bytes(), PARTITIONS);
                all.entry((message.channel.to_owned(), partition)).or_default().push(Said {
                    at_ms: i64::try_from(event.at.0 / 1_000).unwrap(),
                    key: message.key,
                    value: message.value,
                    position: at.to_string(),
                    schema: format!("http://here{}", schema_path(&Settings::default(), dialect, message.name)),
                });
            }
        }
    }
    all
}

fn write_all(desk: &mut Desk) {
    let (mut reader, mut world) = desk.begin().unwrap();
    while desk.write(&mut reader, &mut world).unwrap().is_some() {}
}

#[test]
fn every_message_is_written_once_and_in_order_whatever_stops_the_scribe() {
    for seed in 1..=4_u64 {
        let dir = tempfile::tempdir().unwrap();
        let events = life(seed, 700);
        let kept = keep_log(dir.path(), 5, LogConfig::default(), &events);
        let (mut stops, mut left) = (0, true);
        while left {
            let (mut desk, _) = desk(dir.path(), &kept);
            let (mut reader, mut world) = desk.begin().unwrap();
            for _ in 0..1 + (seed + stops) % 4 {
                left = desk.write(&mut reader, &mut world).unwrap().is_some();
            }
            // What is appended and not committed is as if it had never been.
            if let Some(event) = fold_next(&mut reader, &mut world).unwrap() {
                desk.append(&world, reader.position(), &event);
            }
            stops += 1;
        }
        assert!(stops > 3, "it was stopped often enough to mean something: {stops}");
        let (desk, store) = desk(dir.path(), &kept);
        assert_eq!(desk.parts.writer.upto().sequence, 700);
        assert_eq!(contents(&store), expected(&events, 5));
    }
}

#[test]
fn a_log_that_is_founded_anew_goes_on_behind_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (life(1, 150), life(2, 150));
    let (mut old, _) = desk(dir.path(), &keep_log(dir.path(), 5, LogConfig::default(), &first));
    write_all(&mut old);
    drop(old);
    std::fs::remove_dir_all(dir.path().join("log")).unwrap();
    let (mut new, store) = desk(dir.path(), &keep_log(dir.path(), 6, LogConfig::default(), &second));
    write_all(&mut new);
    let mut both = expected(&first, 5);
    expected(&second, 6).into_iter().for_each(|(place, said)| both.entry(place).or_default().extend(said));
    assert_eq!(contents(&store), both);
}

#[test]
fn a_log_that_was_set_back_is_not_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let events = life(1, 120);
    let (mut ahead, _) = desk(dir.path(), &keep_log(dir.path(), 5, LogConfig::default(), &events));
    write_all(&mut ahead);
    drop(ahead);
    std::fs::remove_dir_all(dir.path().join("log")).unwrap();
    let (behind, _) = desk(dir.path(), &keep_log(dir.path(), 5, LogConfig::default(), &events[..100]));
    let error = behind.begin().err().unwrap();
    assert!(matches!(error, ScribeError::Ahead { .. }), "{error}");
}

/// 300: the log dropped what comes next. 699: it has that, but no world from which it could be said.
#[test]
fn what_cannot_be_said_any_more_is_counted_and_the_rest_is_written() {
    for written in [300, 699] {
        lose_after(written);
    }
}

fn lose_after(written: u64) {
    const KNOWN: u64 = 700;
    let dir = tempfile::tempdir().unwrap();
    let events = life(3, 900);
    let (first, rest) = events.split_at(usize::try_from(written).unwrap());
    let kept = keep_log(dir.path(), 5, log_config(), first);
    let (mut early, _) = desk(dir.path(), &kept);
    write_all(&mut early);
    drop((early, kept));
    let (log, checkpoints) = keep_log(dir.path(), 5, log_config(), rest);
    drop(log);
    // The mirror keeps worlds, and lets the log drop what they cover.
    let mut world = World::default();
    events.iter().zip(0..KNOWN).for_each(|(event, _)| evolve(&mut world, event));
    let (position, stored) = (Position { epoch: 5, sequence: KNOWN }, crate::state::encode_world(&world).unwrap());
    let opened = log::open(Arc::new(RealDisk), &dir.path().join("log"), log_config(), 5).unwrap();
    for _ in 0..log::SNAPSHOTS_KEPT {
        opened.log.store_snapshot(position, &stored).unwrap();
    }
    checkpoints.store(KNOWN, &stored, 0).unwrap();
    opened.log.retain(events[899].at.0).unwrap();
    let kept = (opened.log, checkpoints);
    let oldest = kept.0.oldest().sequence;
    assert!((301..=699).contains(&oldest), "the log dropped some, and not all before {KNOWN}: {oldest}");
    let (mut late, store) = desk(dir.path(), &kept);
    write_all(&mut late);
    assert_eq!(late.shared.counts.lost.get(), KNOWN - written);
    let whole = expected(&events, 5);
    for (place, said) in contents(&store) {
        let is_there = |it: &&Said| {
            let sequence: u64 = it.position.split_once('-').unwrap().1.parse().unwrap();
            sequence <= written || sequence > KNOWN
        };
        assert_eq!(said, whole[&place].iter().filter(is_there).cloned().collect::<Vec<_>>());
    }
}

/// Small files, so that the oldest can be dropped.
fn log_config() -> LogConfig {
    LogConfig { segment_bytes_max: 40_000, log_bytes_max: 40_000, ..LogConfig::default() }
}
