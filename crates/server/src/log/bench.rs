//! `cordboard bench log`: durable events a second and the time from append to durable, on the disk it is run on.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::RealDisk;
use super::{AppendError, CommitError, LogConfig, LogWriter, OpenError, open};

/// Payload of a record in the bench. Bytes.
pub const BENCH_PAYLOAD_BYTES: usize = 250;
/// Rate at which the time from append to durable is measured: what 300 busy Asterisks give. Events per second.
const PACED_PER_S: u64 = 20_000;
/// How long an appender that meets a full backlog waits.
const BACKLOG_WAIT: Duration = Duration::from_micros(200);

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BenchReport {
    /// Bytes of each payload.
    pub payload_bytes: usize,
    /// Records made durable while one thread appended as fast as it could.
    pub events: u64,
    /// Those per second.
    pub events_per_s: f64,
    /// Append to durable at full speed, microseconds: half of the records are faster.
    pub full_p50_us: u64,
    /// Append to durable at full speed, microseconds: 99 of 100 records are faster.
    pub full_p99_us: u64,
    /// Records per second in the second, paced half.
    pub paced_per_s: u64,
    /// Append to durable when paced, microseconds: half of the records are faster.
    pub paced_p50_us: u64,
    /// Append to durable when paced, microseconds: 99 of 100 records are faster.
    pub paced_p99_us: u64,
}

/// Measures in a new directory under `dir`, which must be on the disk in question and is removed after: half of
/// `seconds` at full speed, half paced.
///
/// # Errors
/// When the log cannot be opened or the disk fails.
pub fn bench(dir: &Path, seconds: f64) -> Result<BenchReport, BenchError> {
    let half = Duration::try_from_secs_f64(seconds / 2.0).map_err(|_| BenchError::Seconds(seconds))?;
    let full = measure(&dir.join("bench-full"), half, None)?;
    let paced = measure(&dir.join("bench-paced"), half, Some(PACED_PER_S))?;
    Ok(BenchReport {
        payload_bytes: BENCH_PAYLOAD_BYTES,
        events: full.events,
        events_per_s: full.events as f64 / full.took.as_secs_f64(),
        full_p50_us: full.p50_us,
        full_p99_us: full.p99_us,
        paced_per_s: (paced.events as f64 / paced.took.as_secs_f64()) as u64,
        paced_p50_us: paced.p50_us,
        paced_p99_us: paced.p99_us,
    })
}

struct Measured {
    events: u64,
    took: Duration,
    p50_us: u64,
    p99_us: u64,
}

fn measure(dir: &Path, length: Duration, per_s: Option<u64>) -> Result<Measured, BenchError> {
    // A backlog of 5 ms at full speed is enough to keep the disk busy and keeps the times honest.
    let config = LogConfig { pending_bytes_max: 2 << 20, record_bytes_max: 1 << 16, ..LogConfig::default() };
    let opened = open(Arc::new(RealDisk), dir, config, 1)?;
    let status = opened.log.status();
    let mut writer = opened.writer.into_background()?;
    let (began, payload) = (Instant::now(), [b'e'; BENCH_PAYLOAD_BYTES]);
    let mut waiting: VecDeque<(u64, Instant)> = VecDeque::new();
    let mut times = Histogram::default();
    let mut events = 0;
    let mut settle = |waiting: &mut VecDeque<(u64, Instant)>| {
        let durable = status.borrow().durable.sequence;
        let now = Instant::now();
        while let Some((_, at)) = waiting.pop_front_if(|(sequence, _)| *sequence <= durable) {
            times.add(now.duration_since(at));
        }
    };
    while began.elapsed() < length {
        settle(&mut waiting);
        let due = per_s.map_or(u64::MAX, |per_s| (began.elapsed().as_secs_f64() * per_s as f64) as u64);
        // In bursts, so that looking at the clock and the bell costs little.
        for _ in 0..due.saturating_sub(events).min(64) {
            match writer.append(events, &payload) {
                Ok(position) => waiting.push_back((position.sequence, Instant::now())),
                Err(AppendError::Backlog { .. }) => {
                    std::thread::sleep(BACKLOG_WAIT);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
            events += 1;
        }
        if events >= due {
            std::thread::sleep(BACKLOG_WAIT / 4);
        }
    }
    flush(&writer)?;
    settle(&mut waiting);
    let took = began.elapsed();
    writer.close()?;
    RealDisk.remove_tree(dir)?;
    Ok(Measured { events, took, p50_us: times.quantile_us(0.50), p99_us: times.quantile_us(0.99) })
}

fn flush(writer: &LogWriter) -> Result<(), BenchError> {
    if writer.flush(Duration::from_secs(60)) { Ok(()) } else { Err(BenchError::Stuck) }
}

/// Times in buckets of 10 us, up to a second.
struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    const BUCKET_US: u64 = 10;
    const BUCKETS: usize = 100_000;

    fn add(&mut self, time: Duration) {
        let bucket = (time.as_micros() as u64 / Histogram::BUCKET_US).min(Histogram::BUCKETS as u64 - 1);
        if let Some(count) = self.buckets.get_mut(bucket as usize) {
            *count += 1;
            self.count += 1;
        }
    }

    fn quantile_us(&self, quantile: f64) -> u64 {
        let wanted = (self.count as f64 * quantile) as u64;
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            seen > wanted
        });
        (bucket.unwrap_or(0) as u64 + 1) * Histogram::BUCKET_US
    }
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: vec![0; Histogram::BUCKETS], count: 0 }
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No time to measure in.
    #[error("cannot measure for {0} seconds; give a positive number")]
    Seconds(f64),
    /// The disk did not answer within a minute.
    #[error("the disk made nothing durable for 60 seconds")]
    Stuck,
    /// The log was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A record was not taken.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The disk failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_upper_edge_of_their_bucket() {
        let mut times = Histogram::default();
        (0..100).for_each(|us| times.add(Duration::from_micros(us * 100)));
        assert_eq!((times.quantile_us(0.5), times.quantile_us(0.99)), (5_010, 9_910));
    }

    #[test]
    fn the_bench_measures_something_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let report = bench(dir.path(), 0.2).unwrap();
        assert!(report.events > 100 && report.full_p50_us <= report.full_p99_us && report.paced_p50_us > 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(bench(dir.path(), -1.0).is_err());
    }
}
