//! Publishing to a real Kafka: the topics of a tenant, copied record by record.
//!
//! A publisher is a cursor on the tenant's topic store like every other reader, in a thread of its own; nobody waits for
//! it. Each record goes to the broker as it is (key, value, time, headers), into the partition that Kafka's own producers
//! would choose. For each key the topic becomes what the store is: in order, nothing missing, nothing twice, whatever
//! becomes of us or of the brokers. How: `account` says what must be kept for that, `resume` what is done with it at a
//! start, `session` is one producer's life, and after anything that a producer cannot get over by itself the next one
//! begins as if the process had been killed. `docs/kafka-publishing.md` tells it to those who run it.

mod account;
mod client;
mod fault;
mod kept;
mod layout;
pub(crate) mod metrics;
mod resume;
mod scout;
mod session;
mod status;
#[cfg(test)]
mod tests;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Kafka, TopicNames};
use crate::kept::KeptFile;
use crate::topics::TopicStore;
use fault::Fault;
use layout::Layout;
use session::Base;
use status::Status;

pub use status::SinkReport;

/// The folder in that of the tenant in which it is kept how far the brokers are.
const DIR: &str = "publish";
/// Shortest pause before it is tried again what did not work; twice as long each time.
const RETRY_MIN: Duration = Duration::from_millis(100);

/// What a publisher is made of.
pub struct PublisherParts {
    /// The name of the tenant.
    pub tenant: String,
    /// Where it is kept how far the brokers are: a folder of its own.
    pub dir: PathBuf,
    /// What is published.
    pub store: TopicStore,
    /// Where to, and how.
    pub kafka: Kafka,
    /// How topics are called.
    pub names: TopicNames,
    /// Time.
    pub clock: Clock,
}

/// Publishes one tenant's topics; clones are the same one.
#[derive(Clone)]
pub struct Publisher {
    status: Arc<Status>,
    stop: Arc<watch::Sender<bool>>,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Records that brokers acknowledged.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Records that were found in the topics at a start, and not sent again.
    pub found: u64,
    /// Records that were dropped on disk before they were sent.
    pub lost: u64,
    /// Times that something was in the way.
    pub faults: u64,
    /// Times that a new producer had to go on.
    pub restarts: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Brokers that are connected.
    pub brokers: i64,
}

/// Starts a publisher of this store, where the configuration names brokers; `dir` is the tenant's folder.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    config: &Config,
    tenant: &str,
    dir: &Path,
    store: &TopicStore,
    clock: &Clock,
) -> std::io::Result<Option<(Publisher, JoinHandle<()>)>> {
    if !config.kafka.is_wanted() {
        return Ok(None);
    }
    let parts = PublisherParts {
        tenant: tenant.to_owned(),
        dir: dir.join(DIR),
        store: store.clone(),
        kafka: config.kafka.clone(),
        names: config.topics.names,
        clock: clock.clone(),
    };
    Publisher::start(parts).map(Some)
}

impl Publisher {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(parts: PublisherParts) -> std::io::Result<(Self, JoinHandle<()>)> {
        let PublisherParts { tenant, dir, store, kafka, names, clock } = parts;
        let layout = Layout::new(&tenant, names, &store);
        let silence_max = Duration::from_millis(kafka.silence_ms_max);
        let status = Arc::new(Status::new(store.clone(), layout.clone(), silence_max, clock));
        let (stop, stops) = watch::channel(false);
        let base = Base {
            tenant: tenant.into(),
            kafka,
            store,
            layout,
            kept: KeptFile::new(&dir),
            status: Arc::clone(&status),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
            stop: stops,
        };
        let thread = std::thread::Builder::new().name("publisher".to_owned()).spawn(move || run(&base))?;
        Ok((Self { status, stop: Arc::new(stop) }, thread))
    }

    /// Lets it send what the store has now, for as long as `kafka.stop_ms_max` allows, and end.
    pub fn stop(&self) {
        // Nobody is left who would not want it.
        _ = self.stop.send(true);
    }

    /// How it is.
    #[must_use]
    pub fn report(&self) -> SinkReport {
        self.status.report()
    }

    /// What it counted.
    #[must_use]
    pub fn counts(&self) -> SinkCounts {
        let Status { records, bytes, found, lost, faults, restarts, retries, brokers, .. } = &*self.status;
        SinkCounts {
            records: records.load(Ordering::Relaxed),
            bytes: bytes.load(Ordering::Relaxed),
            found: found.load(Ordering::Relaxed),
            lost: lost.load(Ordering::Relaxed),
            faults: faults.load(Ordering::Relaxed),
            restarts: restarts.load(Ordering::Relaxed),
            retries: retries.load(Ordering::Relaxed),
            brokers: brokers.load(Ordering::Relaxed),
        }
    }
}

fn run(base: &Base) {
    let tenant = &*base.tenant;
    let mut pause = RETRY_MIN;
    if let Err(fault) = session::remember(base) {
        tell(base, &fault);
    }
    loop {
        let (begun, records) = (Instant::now(), base.status.records.load(Ordering::Relaxed));
        let fault = match session::run(base) {
            Ok(()) => break,
            Err(fault) => fault,
        };
        if fault.is_restart() {
            base.status.restarts.fetch_add(1, Ordering::Relaxed);
        }
        tell(base, &fault);
        if base.status.records.load(Ordering::Relaxed) > records || begun.elapsed() > Duration::from_secs(60) {
            pause = RETRY_MIN;
        }
        if wait(base, pause) {
            break;
        }
        pause = (pause * 2).min(Duration::from_millis(base.kafka.retry_ms_max));
    }
    base.status.ends();
    let report = base.status.report();
    tracing::info!(tenant, behind = report.records_behind, "publishing to Kafka ended");
}

/// Says what is in the way, loudly where it is news.
fn tell(base: &Base, fault: &Fault) {
    let tenant = &*base.tenant;
    base.status.faults.fetch_add(1, Ordering::Relaxed);
    if base.status.breaks(fault) {
        tracing::error!(tenant, "kafka: {fault}");
    } else {
        tracing::debug!(tenant, "kafka: {fault}");
    }
}

/// Waits; true where it is to stop.
fn wait(base: &Base, pause: Duration) -> bool {
    let mut stop = base.stop.clone();
    base.runtime.block_on(async { tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() })
}
