//! Records a second that are published to a real Kafka, beside what Kafka's own tool for that reaches with the same broker.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::life;
use super::process::cpu_s;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::config::{Compression, Kafka, TopicNames};
use crate::publish::{Publisher, PublisherParts};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A broker: host and port. Topics are made there and stay
    #[arg(long, value_name = "ADDRESS:PORT")]
    brokers: String,
    /// How many records
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Partitions of each topic
    #[arg(long, default_value_t = 4)]
    partitions: u32,
    /// How batches are made smaller: none, lz4 or snappy
    #[arg(long, default_value = "none")]
    compression: String,
    /// The folder of Kafka's own programs (*.jar); its producer-perf-test then runs before and after us
    #[arg(long, value_name = "DIR")]
    compare: Option<PathBuf>,
    /// A folder on the disk to use; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// How often it is looked whether everything is acknowledged.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Nothing acknowledged for so long is a failure.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let compression = match &*args.compression {
        "none" => Compression::None,
        "lz4" => Compression::Lz4,
        "snappy" => Compression::Snappy,
        other => {
            return Err(Failure::wrong_usage(format!("--compression: {other}; right would be none, lz4 or snappy")));
        }
    };
    let dir = tempfile::tempdir_in(&args.dir).map_err(Failure::failed)?;
    let tenant = format!("bench-{}", std::process::id());
    let filled = life::fill(&dir.path().join("topics"), &tenant, args.partitions, args.records)?;
    let record_bytes = filled.bytes / args.records.max(1);
    let before = compare(args, record_bytes, &tenant)?;
    let kafka = Kafka { brokers: vec![args.brokers.clone()], compression, still_ms: 0, ..Kafka::default() };
    let (begun, cpu_before) = (Instant::now(), cpu_s("self")?);
    let (publisher, thread) = Publisher::start(PublisherParts {
        tenant: tenant.clone(),
        dir: dir.path().join("publish"),
        store: filled.store,
        kafka,
        names: TopicNames::PerTenant,
        clock: Clock::default(),
    })
    .map_err(Failure::failed)?;
    let first = wait(&publisher, 1)?;
    let last = wait(&publisher, args.records)?;
    let cpu = cpu_s("self")? - cpu_before;
    publisher.stop();
    thread.join().map_err(|_| Failure::failed("the publisher ended unexpectedly"))?;
    let after = compare(args, record_bytes, &tenant)?;
    let per_s = args.records as f64 / (last - begun).as_secs_f64();
    let theirs = before.into_iter().chain(after).collect::<Vec<_>>();
    super::line(&json!({
        "bench": "kafka-publish",
        "records": args.records,
        "record_bytes": record_bytes,
        "compression": args.compression,
        "to_first_acknowledgement_ms": (first - begun).as_millis() as u64,
        "records_per_s": per_s.round(),
        "megabytes_per_s": (per_s * record_bytes as f64 / 1e4).round() / 100.0,
        "cpu_us_per_record": (cpu * 1e8 / args.records as f64).round() / 100.0,
        "kafka_producer_perf_test_records_per_s": theirs,
        "of_theirs_percent": theirs.iter().copied().reduce(f64::max).map(|theirs| (per_s / theirs * 100.0).round()),
    }))
}

/// Until so many are acknowledged.
fn wait(publisher: &Publisher, records: u64) -> Result<Instant, Failure> {
    let (mut newest, mut heard) = (0, Instant::now());
    loop {
        let now = publisher.counts().records;
        if now >= records {
            return Ok(Instant::now());
        }
        if now > newest {
            (newest, heard) = (now, Instant::now());
        }
        if heard.elapsed() > SILENCE_MAX {
            let why = publisher.report().why.unwrap_or_default();
            return Err(Failure::failed(format!("{now} records acknowledged, and then none: {why}")));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What Kafka's own tool reaches with records of this size, into a topic of its own with as many partitions as ours have
/// together.
fn compare(args: &Args, record_bytes: u64, tenant: &str) -> Result<Option<f64>, Failure> {
    let Some(libs) = &args.compare else { return Ok(None) };
    let topic = format!("{tenant}.producer-perf-test");
    let partitions = args.partitions * 3;
    let brokers = ["--bootstrap-server", &args.brokers];
    let made = ["--create", "--if-not-exists", "--topic", &topic, "--partitions", &partitions.to_string()];
    java(libs, "org.apache.kafka.tools.TopicCommand", &[&brokers[..], &made[..]].concat())?;
    let (records, size, servers) =
        (args.records.to_string(), record_bytes.to_string(), format!("bootstrap.servers={}", args.brokers));
    let compression = format!("compression.type={}", args.compression);
    let words = ["--topic", &topic, "--num-records", &records, "--record-size", &size, "--throughput", "-1"];
    let properties = ["--producer-props", "acks=all", "enable.idempotence=true", &servers, &compression];
    let told = java(libs, "org.apache.kafka.tools.ProducerPerformance", &[&words[..], &properties[..]].concat())?;
    let total =
        told.lines().rev().find_map(|line| line.split_once(" records sent, ")?.1.split(' ').next()?.parse().ok());
    total.map(Some).ok_or_else(|| Failure::failed("producer-perf-test does not say what it reached"))
}

fn java(libs: &Path, main: &str, words: &[&str]) -> Result<String, Failure> {
    let classes = format!("{}/*", libs.display());
    let told = Command::new("java")
        .args(["-Xmx512m", "-cp", &classes, main])
        .args(words)
        .output()
        .map_err(|error| Failure::failed(format!("java: {error}")))?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    if told.status.success() {
        return Ok(text);
    }
    Err(Failure::failed(format!("{main}: {text}{}", String::from_utf8_lossy(&told.stderr))))
}
