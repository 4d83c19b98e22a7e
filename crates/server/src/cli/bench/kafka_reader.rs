//! One consumer of the Kafka listener, in a process of its own: this program, started once more, with librdkafka.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use super::process;
use crate::cli::Failure;

/// Nothing for so long is a failure.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long a poll waits.
const POLL: Duration = Duration::from_millis(100);

/// What the process is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    /// Where the listener is.
    pub(super) address: SocketAddr,
    /// Which topics, with how many partitions.
    pub(super) topics: Vec<(String, u32)>,
    /// Where to begin.
    pub(super) from: Begin,
    /// After how many records to end.
    pub(super) records: u64,
    /// Settings of librdkafka.
    pub(super) settings: Vec<(String, String)>,
}

/// Where a consumer begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begin {
    /// With the oldest record.
    Start,
    /// With what comes.
    End,
}

/// How it was.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// Records that came.
    pub(super) records: u64,
    /// Bytes of their keys and values.
    pub(super) bytes: u64,
    /// From the first record to the last, in seconds.
    pub(super) took_s: f64,
    /// From the start of the consumer to the first record, in milliseconds.
    pub(super) to_first_ms: u64,
    /// How long it computed in all.
    pub(super) cpu_s: f64,
}

/// That process.
pub(super) struct Reader {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    /// Starts it; returns once it knows where to begin.
    pub(super) fn start(orders: &Orders) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::failed)?;
        let mut command = Command::new(program);
        let command = command.args(["bench", "kafka-reader"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut stdin, stdout) = pipes.ok_or_else(|| Failure::failed("the consumer has no pipes"))?;
        let mut line = serde_json::to_string(orders).map_err(Failure::failed)?;
        line.push('\n');
        stdin.write_all(line.as_bytes()).map_err(Failure::failed)?;
        let mut reader = Self { child, orders: Some(stdin), answers: BufReader::new(stdout).lines() };
        reader.wait()?;
        Ok(reader)
    }

    /// Waits until it says something.
    pub(super) fn wait(&mut self) -> Result<Told, Failure> {
        // The server works on meanwhile, on the other threads of the runtime.
        let answer = tokio::task::block_in_place(|| self.answers.next()).transpose().map_err(Failure::failed)?;
        // What went wrong it has written to standard error itself.
        let answer = answer.ok_or_else(|| Failure::failed("the consumer has ended"))?;
        serde_json::from_str(&answer).map_err(Failure::failed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // At the end of its orders it ends by itself.
        self.orders = None;
        _ = self.child.wait();
    }
}

/// The process itself.
pub(super) fn run() -> Result<(), Failure> {
    let mut lines = std::io::stdin().lock().lines();
    let orders = lines.next().transpose().map_err(Failure::failed)?;
    let orders = orders.ok_or_else(|| Failure::wrong_usage("`bench kafka-listener` starts this"))?;
    let orders: Orders = serde_json::from_str(&orders).map_err(Failure::wrong_usage)?;
    let begun = Instant::now();
    let consumer = assigned(&orders)?;
    super::line(&serde_json::to_value(Told::default()).map_err(Failure::failed)?)?;
    let mut told = Told::default();
    let (mut first, mut heard) = (None, Instant::now());
    while told.records < orders.records {
        match consumer.poll(POLL) {
            Some(message) => {
                let message = message.map_err(Failure::failed)?;
                if first.is_none() {
                    told.to_first_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                    first = Some(Instant::now());
                }
                told.records += 1;
                told.bytes += (message.key_len() + message.payload_len()) as u64;
            }
            None if heard.elapsed() > SILENCE_MAX => {
                let (got, wanted) = (told.records, orders.records);
                return Err(Failure::failed(format!("{got} of {wanted} records came, and then none")));
            }
            None => continue,
        }
        if told.records.is_multiple_of(1_024) {
            heard = Instant::now();
        }
    }
    told.took_s = first.map_or(0.0, |first| first.elapsed().as_secs_f64());
    told.cpu_s = process::cpu_s("self")?;
    super::line(&serde_json::to_value(told).map_err(Failure::failed)?)
}

fn assigned(orders: &Orders) -> Result<BaseConsumer, Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", orders.address.to_string()).set("group.id", "bench");
    config.set("enable.auto.commit", "false");
    for (name, value) in &orders.settings {
        config.set(name, value);
    }
    let consumer: BaseConsumer = config.create().map_err(Failure::failed)?;
    let mut all = TopicPartitionList::new();
    for (topic, partitions) in &orders.topics {
        for partition in 0..i32::try_from(*partitions).map_err(Failure::failed)? {
            let offset = match orders.from {
                Begin::Start => Offset::Beginning,
                // Asked for now, so that nothing is missed of what comes from now on.
                Begin::End => {
                    Offset::Offset(consumer.fetch_watermarks(topic, partition, SILENCE_MAX).map_err(Failure::failed)?.1)
                }
            };
            all.add_partition_offset(topic, partition, offset).map_err(Failure::failed)?;
        }
    }
    consumer.assign(&all).map_err(Failure::failed)?;
    Ok(consumer)
}
