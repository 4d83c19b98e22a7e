//! Groups of consumers: the coordinator of `cordboard-kafka`, driven by real time, and committed offsets that last.
//!
//! One lock holds both; it is held for moments and never across disk work. A commit is answered when it is on disk, and
//! many that come at the same time share one sync. Members are not written down: after a restart clients find that they
//! are unknown and join again, in a generation that is greater than every one before.

mod asking;
mod commits;
mod metrics;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cordboard_kafka::groups::wire::{self, code};
use cordboard_kafka::groups::{Answer, Change, Coordinator, NotJoined, OffsetLimits, Stored, Ticket};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use asking::{Node, find_coordinator};
pub use metrics::GroupMetrics;
pub use store::{OpenGroupsError, WriteError};

use super::hush::Hush;
use crate::clock::Clock;
use crate::config::KafkaGroups;
use crate::log::disk::{Disk, RealDisk};
use crate::log::{Health, Log, Position};
use store::Store;

/// Generations that may begin before the greatest is written anew; after a restart so many are passed over at most.
const GENERATIONS: i32 = 1_000;
/// Places that one record forgets at most.
const FORGOTTEN_MAX: usize = 1_000;
/// Longest name of a group. Bytes.
const GROUP_BYTES_MAX: usize = 255;
/// Of what a program calls itself, so much is in the ids of its members.
const CLIENT_CHARS_MAX: usize = 64;

/// Whoever asks: whose groups it means, and which partitions there are for it.
pub trait Caller: Sync {
    /// Whose groups.
    fn owner(&self) -> &str;

    /// Whether there is such a partition, under the names that this one sees.
    fn has(&self, topic: &str, partition: i32) -> bool;
}

/// What a client says of itself, and from where it comes.
#[derive(Debug, Clone, Copy)]
pub struct ClientInfo<'a> {
    /// What the program calls itself; empty where it does not.
    pub id: &'a str,
    /// Its address.
    pub host: &'a str,
}

/// Groups of consumers. Clones share them.
#[derive(Clone)]
pub struct Groups {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    log: Log,
    limits: OffsetLimits,
    commit_max: Duration,
    retain: Duration,
    clock: Clock,
    began: Instant,
    /// Something is due earlier than before.
    wake: Notify,
    failures: Hush,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    metrics: GroupMetrics,
}

struct Inner {
    coordinator: Coordinator,
    store: Store,
    waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    tickets: u64,
    due_ms: Option<u64>,
    rebalances: u64,
}

impl Groups {
    /// Reads what groups have committed in this directory and begins to coordinate. Blocks for the disk, and needs the
    /// runtime of tokio.
    ///
    /// # Errors
    /// [`OpenGroupsError`].
    pub fn open(
        config: &KafkaGroups,
        dir: &Path,
        clock: Clock,
        metrics: GroupMetrics,
    ) -> Result<Self, OpenGroupsError> {
        Self::open_on(Arc::new(RealDisk), config, dir, clock, metrics)
    }

    fn open_on(
        disk: Arc<dyn Disk>,
        config: &KafkaGroups,
        dir: &Path,
        clock: Clock,
        metrics: GroupMetrics,
    ) -> Result<Self, OpenGroupsError> {
        let (store, log) = Store::open(disk, dir, config, clock.now())?;
        let coordinator = Coordinator::new(config.group_limits(), store.offsets().generation_max());
        let inner = Inner { coordinator, store, waiting: HashMap::new(), tickets: 0, due_ms: None, rebalances: 0 };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            log,
            limits: config.offset_limits(),
            commit_max: Duration::from_millis(config.commit_ms_max),
            retain: Duration::from_secs(config.retain_s),
            clock,
            began: Instant::now(),
            wake: Notify::new(),
            failures: Hush::default(),
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
            metrics,
        });
        let groups = Self { shared };
        groups.act(|_| ());
        let tasks = [
            tokio::spawn(keep_time(groups.clone())),
            tokio::spawn(keep_house(groups.clone())),
            tokio::spawn(keep_watch(groups.clone())),
        ];
        groups.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(groups)
    }

    /// Lets go of everybody who waits, and closes the log. Commits that were answered are on disk already.
    ///
    /// # Errors
    /// [`WriteError::Commit`]: what was not answered yet may not be on disk.
    pub async fn stop(&self) -> Result<(), WriteError> {
        self.shared.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            _ = task.await;
        }
        let writer = {
            let mut inner = self.shared.lock();
            inner.waiting.clear();
            inner.store.take_writer()
        };
        let Some(writer) = writer else { return Ok(()) };
        let closed = tokio::task::spawn_blocking(move || writer.close()).await;
        closed.unwrap_or_else(|_| Ok(self.shared.log.durable()))?;
        Ok(())
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &GroupMetrics {
        &self.shared.metrics
    }

    /// Somebody joins a group; answered when all others have joined again, or time is over.
    pub async fn join_group(
        &self,
        caller: &impl Caller,
        client: ClientInfo<'_>,
        version: i16,
        request: JoinGroupRequest,
    ) -> JoinGroupResponse {
        let refused = |error| NotJoined { error, member: request.member_id.as_str().to_owned() };
        let result = match new_member(client.id, request.group_instance_id.as_deref()) {
            Ok(new_member) => {
                let join = wire::join(version, &request, new_member, client.id, client.host);
                let (owner, group) = (caller.owner(), request.group_id.as_str());
                let answer = self.wait(|inner, now_ms, ticket| {
                    inner.coordinator.handle_join(now_ms, owner, group, ticket, &join);
                });
                match answer.await {
                    Some(Answer::Join(result)) => result,
                    Some(Answer::Sync(_)) | None => Err(refused(ResponseError::CoordinatorNotAvailable)),
                }
            }
            Err(error) => {
                tracing::error!(%error, "no member id can be made");
                Err(refused(ResponseError::UnknownServerError))
            }
        };
        if let Err(NotJoined { error, .. }) = &result {
            self.metrics().refused(error.code());
        }
        wire::joined(version, result)
    }

    /// A member asks for its part; answered when the leader has divided the work, or time is over.
    pub async fn sync_group(&self, caller: &impl Caller, request: SyncGroupRequest) -> SyncGroupResponse {
        let sync = wire::sync(&request);
        let (owner, group) = (caller.owner(), request.group_id.as_str());
        let answer = self.wait(|inner, now_ms, ticket| {
            inner.coordinator.handle_sync(now_ms, owner, group, ticket, &sync);
        });
        wire::synced(match answer.await {
            Some(Answer::Sync(result)) => result,
            Some(Answer::Join(_)) | None => Err(ResponseError::CoordinatorNotAvailable),
        })
    }

    /// A member lives.
    pub async fn heartbeat(&self, caller: &impl Caller, request: HeartbeatRequest) -> HeartbeatResponse {
        let (who, now_ms) = (wire::who_beats(&request), self.now_ms());
        let result =
            self.act(|inner| inner.coordinator.handle_heartbeat(now_ms, caller.owner(), &request.group_id, &who));
        HeartbeatResponse::default().with_error_code(code(&result))
    }

    /// Members leave.
    pub async fn leave_group(
        &self,
        caller: &impl Caller,
        version: i16,
        request: LeaveGroupRequest,
    ) -> LeaveGroupResponse {
        let (leavers, now_ms) = (wire::leavers(version, &request), self.now_ms());
        let result =
            self.act(|inner| inner.coordinator.handle_leave(now_ms, caller.owner(), &request.group_id, &leavers));
        wire::left(version, &leavers, result)
    }

    /// Milliseconds since this began; never goes back and knows nothing of the wall's clock.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.shared.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Milliseconds since the Unix epoch.
    fn wall_ms(&self) -> u64 {
        self.shared.clock.now().0 / 1_000
    }

    fn check_group(&self, group: &str) -> Result<(), ResponseError> {
        if group.len() <= GROUP_BYTES_MAX { Ok(()) } else { Err(ResponseError::InvalidGroupId) }
    }

    /// Asks for something that may be answered later; `None` when the server ends before that.
    async fn wait(&self, ask: impl FnOnce(&mut Inner, u64, Ticket)) -> Option<Answer> {
        let (answers, answer) = oneshot::channel();
        let now_ms = self.now_ms();
        self.act(|inner| {
            if *self.shared.stop.borrow() {
                return;
            }
            inner.tickets += 1;
            let ticket = Ticket(inner.tickets);
            inner.waiting.insert(ticket, answers);
            ask(inner, now_ms, ticket);
        });
        answer.await.ok()
    }

    /// Does something under the lock, and what follows from it.
    fn act<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.shared.lock();
        let result = act(&mut inner);
        inner.follow(self);
        let due_ms = inner.coordinator.next_due();
        let is_earlier = due_ms.is_some_and(|due| inner.due_ms.is_none_or(|before| due < before));
        inner.due_ms = due_ms;
        drop(inner);
        if is_earlier {
            self.shared.wake.notify_one();
        }
        result
    }

    /// Waits until everything up to there is on disk.
    async fn durable(&self, position: Position) -> Result<(), ResponseError> {
        let mut status = self.shared.log.status();
        let is_over = status.wait_for(|it| it.durable >= position || it.health.is_over());
        match tokio::time::timeout(self.shared.commit_max, is_over).await {
            Ok(Ok(status)) if status.durable >= position => Ok(()),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(ResponseError::CoordinatorNotAvailable),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Hands out answers, and writes down what happened to groups.
    fn follow(&mut self, groups: &Groups) {
        while let Some((ticket, answer)) = self.coordinator.poll_answer() {
            if let Some(waiting) = self.waiting.remove(&ticket) {
                // Whoever asked may be gone.
                _ = waiting.send(answer);
            }
        }
        let mut changes = Vec::new();
        while let Some(notice) = self.coordinator.poll_notice() {
            changes.push(Change::noticed(&notice, groups.wall_ms()));
        }
        let (now, written) = (self.coordinator.generation_max(), self.store.offsets().generation_max());
        if now.saturating_add(GENERATIONS / 2) > written {
            changes.push(Change::Generations { max: now.saturating_add(GENERATIONS) });
        }
        if !changes.is_empty() {
            // Nobody is told of these, so nobody waits; that nothing can be written, those hear who commit.
            _ = self.write(groups, changes);
        }
        let (totals, metrics) = (self.coordinator.totals(), groups.metrics());
        metrics.rebalances.inc_by(totals.rebalances.saturating_sub(self.rebalances));
        self.rebalances = totals.rebalances;
        let offsets = self.store.offsets();
        for (gauge, value) in [
            (&metrics.groups, totals.groups),
            (&metrics.members, totals.members),
            (&metrics.offsets, offsets.len()),
            (&metrics.offsets_bytes, offsets.bytes()),
        ] {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    fn write(&mut self, groups: &Groups, changes: Vec<Change>) -> Result<Position, ResponseError> {
        self.store.write(groups.shared.clock.now(), changes).map_err(|error| {
            if let Some(left_out) = groups.shared.failures.may_speak(std::time::Instant::now()) {
                tracing::error!(%error, left_out, "offsets are not committed");
            }
            ResponseError::CoordinatorNotAvailable
        })
    }
}

/// Does what is due when it is due.
async fn keep_time(groups: Groups) {
    let mut stop = groups.shared.stop.subscribe();
    loop {
        let now_ms = groups.now_ms();
        let due_ms = groups.act(|inner| {
            inner.coordinator.handle_time(now_ms);
            inner.coordinator.next_due()
        });
        let due = async {
            match due_ms {
                Some(due_ms) => {
                    tokio::time::sleep_until(groups.shared.began + Duration::from_millis(due_ms)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = groups.shared.wake.notified() => {}
            _ = stop.wait_for(|is_over| *is_over) => return,
        }
    }
}

/// Says when commits are taken no more, and when they are again.
async fn keep_watch(groups: Groups) {
    let mut stop = groups.shared.stop.subscribe();
    let mut status = groups.shared.log.status();
    let mut was = Health::Healthy;
    loop {
        let health = status.borrow_and_update().health;
        groups.metrics().writable.set(i64::from(health == Health::Healthy));
        if health != was {
            match health {
                Health::Healthy => tracing::info!("offsets are committed again"),
                Health::DiskFull | Health::Poisoned => {
                    tracing::error!(cause = groups.shared.log.cause(), "offsets are not committed");
                }
                Health::Closed => return,
            }
        }
        was = health;
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            _ = stop.wait_for(|is_over| *is_over) => return,
        }
    }
}

/// Forgets what is old, and keeps the log short.
async fn keep_house(groups: Groups) {
    let mut stop = groups.shared.stop.subscribe();
    loop {
        tokio::select! {
            () = tokio::time::sleep(groups.shared.retain) => {}
            _ = stop.wait_for(|is_over| *is_over) => return,
        }
        groups.keep_house().await;
    }
}

impl Groups {
    async fn keep_house(&self) {
        let now_ms = self.wall_ms();
        self.act(|inner| {
            let coordinator = &inner.coordinator;
            let given_up = |owner: &str, group: &str, topic: &str| coordinator.has_given_up(owner, group, topic);
            let old = inner.store.offsets().expired(now_ms, &self.shared.limits, given_up);
            for change in old {
                if inner.write(self, vec![change]).is_err() {
                    return;
                }
            }
        });
        let log = self.shared.log.clone();
        let retained = tokio::task::spawn_blocking(move || log.retain(now_ms.saturating_mul(1_000))).await;
        let is_due = match retained {
            Ok(Ok(report)) => report.snapshot_due,
            Ok(Err(error)) => {
                tracing::warn!(%error, "old commits were not dropped");
                return;
            }
            Err(_) => return,
        };
        let Some((position, changes)) = self.act(|inner| inner.store.sum(is_due)) else { return };
        if self.durable(position).await.is_err() {
            return;
        }
        let log = self.shared.log.clone();
        let store = move || {
            let bytes = Stored::encode(changes).map_err(|error| error.to_string())?;
            log.store_snapshot(position, &bytes).map_err(|error| error.to_string())
        };
        match tokio::task::spawn_blocking(store).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(error, "the sum of committed offsets was not stored"),
        }
    }
}

/// A member id that nobody ever had.
fn new_member(client: &str, instance: Option<&str>) -> Result<String, getrandom::Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let name: String = instance.unwrap_or(client).chars().take(CLIENT_CHARS_MAX).collect();
    Ok(format!("{name}-{}", uuid::Builder::from_random_bytes(random).into_uuid()))
}
