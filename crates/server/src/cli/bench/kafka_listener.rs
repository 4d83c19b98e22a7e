//! Records a second that the Kafka listener gives to one consumer, and what the server needs for it: a consumer that is a
//! million records behind, and one that has everything and waits for what comes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cordboard_kafka::batch::NewRecord;
use serde_json::json;
use tokio::sync::watch;

use super::kafka_reader::{Begin, Orders, Reader};
use super::life;
use super::process::{cpu_s, resident_bytes};
use crate::cli::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::kafka::{Broker, KafkaListener};
use crate::identity::Identities;
use crate::log::Position;
use crate::log::disk::RealDisk;
use crate::metrics::ServerMetrics;
use crate::topics::{self, TopicLimits, TopicStore, TopicWriter};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder on the disk to measure; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many records there are, which is how far the consumer is behind
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// Partitions of each topic
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=128))]
    partitions: u32,
    /// How often the consumer that is behind reads everything
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Settings of the consumer besides librdkafka's own, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

const TENANT: &str = "bench";
/// What is written while a consumer has everything: so many records every so often, so many times.
const LIVE_RECORDS: u64 = 20;
const LIVE_EVERY: Duration = Duration::from_millis(10);
const LIVE_TIMES: u64 = 300;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let dir = tempfile::tempdir_in(&args.dir).map_err(Failure::failed)?;
    let topics_dir = dir.path().join("topics");
    let filled = life::fill(&topics_dir, TENANT, args.partitions, args.records)?;
    let (wanted, record_bytes) = (filled.store.topics().to_vec(), filled.bytes / args.records);
    drop(filled);
    let opened = topics::open(Arc::new(RealDisk), &topics_dir, &wanted, TopicLimits::default(), 1);
    let (mut writer, store) = opened.map_err(Failure::failed)?;
    let mut config = Config { data: dir.path().join("data"), ..Config::default() };
    config.kafka_listener.listen.set_port(0);
    config.kafka_listener.anonymous = true;
    std::fs::create_dir_all(&config.data).map_err(Failure::failed)?;
    crate::cli::runtime()?.block_on(async {
        let bench = Bench { args, record_bytes, house: House::start(&config, &store).await? };
        bench.current(&mut writer, &store)?;
        for _ in 0..args.rounds {
            bench.behind(&store)?;
        }
        bench.house.stop().await
    })?;
    writer.close().map_err(Failure::failed)
}

struct Bench<'a> {
    args: &'a Args,
    record_bytes: u64,
    house: House,
}

impl Bench<'_> {
    /// A consumer that has everything, and is told what comes.
    fn current(&self, writer: &mut TopicWriter, store: &TopicStore) -> Result<(), Failure> {
        let records = LIVE_RECORDS * LIVE_TIMES;
        let mut reader = Reader::start(&self.orders(store, Begin::End, records))?;
        let usage = Usage::begin()?;
        let value = "x".repeat(usize::try_from(self.record_bytes).map_err(Failure::failed)?);
        for _ in 0..LIVE_TIMES {
            for record in 0..LIVE_RECORDS {
                let (key, now) = (format!("{TENANT}:{record}"), Clock::default().now().0 / 1_000);
                let timestamp_ms = i64::try_from(now).map_err(Failure::failed)?;
                let record = NewRecord { timestamp_ms, key: key.as_bytes(), value: value.as_bytes(), headers: &[] };
                writer.append(0, &record);
            }
            let upto = writer.upto();
            writer.commit(Position { sequence: upto.sequence + LIVE_RECORDS, ..upto }).map_err(Failure::failed)?;
            std::thread::sleep(LIVE_EVERY);
        }
        let told = reader.wait()?;
        let usage = usage.end()?;
        super::line(&json!({
            "bench": "kafka-listener",
            "part": "current",
            "records": told.records,
            "records_per_s": (told.records as f64 / told.took_s).round(),
            "server_rss_before_bytes": usage.rss_before,
            "server_rss_peak_bytes": usage.rss_peak,
        }))
    }

    /// A consumer that is behind by all there is.
    fn behind(&self, store: &TopicStore) -> Result<(), Failure> {
        let usage = Usage::begin()?;
        let mut reader = Reader::start(&self.orders(store, Begin::Start, self.args.records))?;
        let told = reader.wait()?;
        let usage = usage.end()?;
        let records = told.records.max(1) as f64;
        super::line(&json!({
            "bench": "kafka-listener",
            "part": "behind",
            "records": told.records,
            "record_bytes": self.record_bytes,
            "records_per_s": (records / told.took_s).round(),
            "megabytes_per_s": (records * self.record_bytes as f64 / told.took_s / 1e6).round(),
            "to_first_ms": told.to_first_ms,
            "server_cpu_us_per_record": (usage.cpu_s * 1e6 / records * 1_000.0).round() / 1_000.0,
            "server_cpu_percent": (usage.cpu_s / told.took_s * 100.0).round(),
            "consumer_cpu_us_per_record": (told.cpu_s * 1e6 / records * 1_000.0).round() / 1_000.0,
            "consumer_cpu_percent": (told.cpu_s / told.took_s * 100.0).round(),
            "server_rss_before_bytes": usage.rss_before,
            "server_rss_peak_bytes": usage.rss_peak,
        }))
    }

    fn orders(&self, store: &TopicStore, from: Begin, records: u64) -> Orders {
        let topics = store.topics().iter().map(|topic| (topic.name.clone(), topic.partitions)).collect();
        let settings = self.args.set.iter().filter_map(|it| it.split_once('='));
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Orders { address: self.house.address, topics, from, records, settings }
    }
}

/// A listener at work.
struct House {
    address: std::net::SocketAddr,
    broker: Arc<Broker>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

impl House {
    async fn start(config: &Config, store: &TopicStore) -> Result<Self, Failure> {
        let clock = Clock::default();
        let identities = Arc::new(Identities::new(Vec::new(), clock.clone(), config).map_err(Failure::failed)?);
        let listener = KafkaListener::bind(&config.kafka_listener).await.map_err(Failure::failed)?;
        let address = listener.address();
        let stores = [(TENANT.to_owned(), store.clone())];
        let metrics = ServerMetrics::default().kafka.clone();
        let broker = Broker::open(config, clock, &identities, &stores, metrics).map_err(Failure::failed)?;
        let (broker, (stop, stops)) = (Arc::new(broker), watch::channel(false));
        let serving = tokio::spawn(listener.serve(Arc::clone(&broker), stops));
        Ok(Self { address, broker, stop, serving })
    }

    async fn stop(self) -> Result<(), Failure> {
        // Who listens to it no longer has ended.
        _ = self.stop.send(true);
        self.serving.await.map_err(Failure::failed)?;
        self.broker.stop().await;
        Ok(())
    }
}

/// What the server uses while something goes on.
struct Usage {
    cpu_s: f64,
    rss_before: u64,
    peak: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    looking: std::thread::JoinHandle<()>,
}

struct Used {
    cpu_s: f64,
    rss_before: u64,
    rss_peak: u64,
}

impl Usage {
    fn begin() -> Result<Self, Failure> {
        let rss_before = resident_bytes("self")?;
        let (peak, over) = (Arc::new(AtomicU64::new(rss_before)), Arc::new(AtomicBool::new(false)));
        let (seen, is_over) = (Arc::clone(&peak), Arc::clone(&over));
        let looking = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                seen.fetch_max(resident_bytes("self").unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        Ok(Self { cpu_s: cpu_s("self")?, rss_before, peak, over, looking })
    }

    fn end(self) -> Result<Used, Failure> {
        let cpu_s = cpu_s("self")? - self.cpu_s;
        self.over.store(true, Ordering::Relaxed);
        self.looking.join().map_err(|_| Failure::failed("memory was not looked at"))?;
        Ok(Used { cpu_s, rss_before: self.rss_before, rss_peak: self.peak.load(Ordering::Relaxed) })
    }
}
