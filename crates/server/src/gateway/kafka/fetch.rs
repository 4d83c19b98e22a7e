//! Fetch: records as they are stored, in the order in which partitions are asked for, within limits of memory and time.
//!
//! A reader that has everything waits for the bells of the stores it asks about. What it is given takes its share of the memory that all
//! answers have together, until the socket has taken it; where that is used up, readers wait for each other. Reading is
//! done on threads for it, so many at once. A reader that is far behind costs what one that is near the end costs: the
//! batches of one answer.

mod gather;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::names::View;
use crate::config::Config;
use crate::topics::{PartitionId, ReadError};
use gather::{Bells, Gathering};

/// How much may be read.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// How long a reader waits for records at most, in milliseconds.
    pub wait_ms_max: u64,
    /// Records of one answer, in bytes.
    pub answer_bytes_max: usize,
    /// Records of all answers that are not sent yet, in bytes.
    pub bytes_total_max: usize,
    /// The same of one tenant, or of the operator: who does not take what is sent keeps nobody else waiting.
    pub owner_bytes_max: usize,
    /// The largest batch that is usual, in bytes: an answer has room for at least one.
    pub batch_bytes: usize,
    /// Threads that read at once.
    pub reads_max: usize,
}

impl FetchLimits {
    /// As it is configured.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let settings = &config.kafka_listener;
        Self {
            wait_ms_max: settings.fetch_ms_max,
            answer_bytes_max: settings.fetch_bytes_max,
            bytes_total_max: settings.fetch_bytes_total_max,
            owner_bytes_max: settings.fetch_bytes_owner_max,
            batch_bytes: config.topics.batch_bytes_max,
            reads_max: settings.reads_max,
        }
    }
}

/// Reads for everybody.
#[derive(Debug)]
pub struct Reading {
    limits: FetchLimits,
    memory: Arc<Semaphore>,
    /// The part of it that each tenant may use; there are only so many tenants.
    owners: Mutex<BTreeMap<Arc<str>, Arc<Semaphore>>>,
    threads: Arc<Semaphore>,
}

/// The answer to a fetch.
#[derive(Debug)]
pub struct Fetched {
    /// What to answer.
    pub answer: FetchResponse,
    /// To be dropped when it is sent.
    pub held: Held,
}

/// Memory that the records of an answer take; until this is dropped, nobody else has it.
#[derive(Debug, Default)]
pub struct Held {
    _room: Option<Room>,
}

/// Room for records: of all there is, and of what the owner may have.
#[derive(Debug)]
struct Room {
    all: OwnedSemaphorePermit,
    own: OwnedSemaphorePermit,
}

impl Room {
    fn bytes(&self) -> usize {
        self.all.num_permits()
    }

    /// Takes so much of it, at most all.
    fn split(&mut self, bytes: usize) -> Option<Self> {
        let bytes = bytes.min(self.bytes());
        Some(Self { all: self.all.split(bytes)?, own: self.own.split(bytes)? })
    }

    fn merge(&mut self, other: Self) {
        self.all.merge(other.all);
        self.own.merge(other.own);
    }
}

impl Reading {
    /// Reads within these limits.
    #[must_use]
    pub fn new(limits: FetchLimits) -> Self {
        let memory = Arc::new(Semaphore::new(limits.bytes_total_max.min(Semaphore::MAX_PERMITS)));
        let threads = Arc::new(Semaphore::new(limits.reads_max));
        Self { memory, owners: Mutex::default(), threads, limits }
    }

    /// Answers a fetch: at once where there is enough to read or nothing to wait for, or else when there is, or the time is
    /// over. May be dropped while it waits.
    pub async fn fetch(&self, owner: &Arc<str>, view: &View, request: &FetchRequest) -> Fetched {
        if request.session_id != 0 {
            // None was ever given: what is not asked for in full is not known.
            return error(ResponseError::FetchSessionIdNotFound);
        }
        let wait_ms = u64::try_from(request.max_wait_ms).unwrap_or(0).min(self.limits.wait_ms_max);
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        let mut gathering = Gathering::new(view, request, self.limits.answer_bytes_max);
        // Before the first look, so that nothing that comes after it is missed.
        let mut bells = Bells::new(&gathering);
        loop {
            if gathering.has_news() {
                gathering = match self.read(owner, gathering, deadline).await {
                    Ok(gathering) => gathering,
                    Err(Unreadable) => return error(ResponseError::UnknownServerError),
                };
            }
            if gathering.is_enough() {
                break;
            }
            // Where one partition left room for others that they did not need, it is read on at once.
            if !gathering.has_news() && timeout_at(deadline, bells.rung()).await.is_err() {
                break;
            }
        }
        gathering.answer()
    }

    /// Does something that waits for the disk, when there is a thread for it.
    ///
    /// # Errors
    /// [`Unreadable`] where it failed in a way that nobody foresaw.
    pub async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unreadable> {
        let permit = Arc::clone(&self.threads).acquire_owned().await?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "a read of topics failed");
            Unreadable
        })
    }

    async fn read(
        &self,
        owner: &Arc<str>,
        mut gathering: Gathering,
        deadline: Instant,
    ) -> Result<Gathering, Unreadable> {
        let room = self.room(owner, gathering.bytes_wanted());
        let room = if gathering.is_empty() {
            // Who has nothing waits for its turn, however long it is: it would only come back to the end of the queue.
            room.await?
        } else {
            // Who has something already does not keep it from others while it waits for more.
            match timeout_at(deadline, room).await {
                Ok(room) => room?,
                Err(_) => return Ok(gathering.stopped()),
            }
        };
        self.on_thread(move || {
            gathering.read(room);
            gathering
        })
        .await
    }

    /// Room for so many bytes, or for as many as there may be, but for one batch at least. The owner's is waited for first:
    /// who waits for that keeps nobody else waiting.
    async fn room(&self, owner: &Arc<str>, bytes: usize) -> Result<Room, AcquireError> {
        let FetchLimits { bytes_total_max, owner_bytes_max, batch_bytes, .. } = self.limits;
        let own = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Semaphore::new(owner_bytes_max.min(Semaphore::MAX_PERMITS)));
            Arc::clone(owners.entry(Arc::clone(owner)).or_insert_with(fresh))
        };
        let bytes = bytes.max(batch_bytes).min(bytes_total_max).min(owner_bytes_max);
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let own = own.acquire_many_owned(permits).await?;
        Ok(Room { all: Arc::clone(&self.memory).acquire_many_owned(permits).await?, own })
    }
}

/// Something failed that nobody foresaw; it is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Nobody closes the semaphores.
impl From<AcquireError> for Unreadable {
    fn from(_: AcquireError) -> Self {
        Self
    }
}

fn error(error: ResponseError) -> Fetched {
    Fetched { answer: FetchResponse::default().with_error_code(error.code()), held: Held::default() }
}

/// What is answered where a tenant's store says this; what whoever runs this server should know goes to the log.
pub(super) fn failed(tenant: &str, id: PartitionId, error: &ReadError) -> ResponseError {
    match error {
        ReadError::NoPartition => ResponseError::UnknownTopicOrPartition,
        ReadError::OutOfRange { .. } => ResponseError::OffsetOutOfRange,
        ReadError::Damaged { .. } | ReadError::Io(_) => {
            tracing::error!(tenant, topic = id.topic, partition = id.partition, %error, "records cannot be read");
            ResponseError::KafkaStorageError
        }
    }
}

/// What is answered where there are no records.
fn no_records(partition: i32) -> PartitionData {
    PartitionData::default()
        .with_partition_index(partition)
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_aborted_transactions(None)
        .with_records(Some(bytes::Bytes::new()))
}

#[cfg(test)]
mod tests;
