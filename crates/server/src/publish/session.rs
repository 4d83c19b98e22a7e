//! One producer's life: look where to go on, send until something is in the way or it is to stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::account::Lane;
use super::client::{Ear, Report, producing, settings};
use super::fault::Fault;
use super::kept::{Kept, KeptTopic};
use super::layout::{Lanes, Layout};
use super::resume::{Anew, Course, Ends, Found, Plan, begin_anew, plan};
use super::scout::{Scout, Wanted};
use super::status::Status;
use super::walk::{Source, SourceError, Walk};
use crate::config::Kafka;
use crate::kept::{KeptError, KeptFile};
use crate::topics::{PartitionId, ReadError, TopicStore};

/// Records that are sent before it is looked what was acknowledged.
const SEND_AT_ONCE: usize = 2_000;
/// Longest pause of a publisher that has nothing to do.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// How often the ends are compared while it is waited for them to stand still.
const STILL_EVERY: Duration = Duration::from_millis(100);
/// How often one that has nothing to send looks where the topics end, so that it need not look through what others wrote.
const RAISE_EVERY: Duration = Duration::from_secs(60);
/// How long a broker may take to say where a partition ends then.
const RAISE_MAX: Duration = Duration::from_secs(1);

/// What all sessions of a publisher share.
pub(super) struct Base {
    pub(super) tenant: Arc<str>,
    pub(super) kafka: Kafka,
    pub(super) store: TopicStore,
    pub(super) layout: Layout,
    pub(super) kept: KeptFile<Kept>,
    pub(super) status: Arc<Status>,
    pub(super) runtime: Runtime,
    pub(super) stop: watch::Receiver<bool>,
}

/// Sends until it is to stop.
pub(super) fn run(base: &Base) -> Result<(), Fault> {
    let ear = Ear::new(&base.tenant);
    let shared = settings(&base.kafka)?;
    let Some(begun) = Begun::find(base, &shared, &ear)? else { return Ok(()) };
    let producer = ThreadedProducer::from_config_and_context(&producing(&base.kafka, &shared), ear.clone())
        .map_err(|error| Fault::setting(&error))?;
    let mut session = Session {
        base,
        ear,
        producer,
        cluster: begun.cluster,
        lanes: begun.lanes,
        course: begun.course,
        retries_before: base.status.retries.load(Ordering::Relaxed),
        kept_at: Instant::now(),
        raised_at: Instant::now(),
        is_changed: true,
    };
    // Before anything is sent: a crash after that has less to look through.
    session.keep_if_changed();
    base.status.publishes();
    let ended = session.send();
    // What is acknowledged by now need not be looked for.
    session.keep_if_changed();
    ended
}

/// Takes down how far it was by what is kept, before anybody can be asked.
pub(super) fn remember(base: &Base) -> Result<(), Fault> {
    let (kept, source) = (base.kept.read()?, StoreSource::new(base));
    let mut from = Vec::new();
    for topic in base.layout.topics() {
        let acked = kept.topics.get(&topic.name).map(|kept| &*kept.acked).unwrap_or_default();
        from.extend(topic.slots.clone().enumerate().map(|(at, slot)| {
            acked.get(at).map_or(source.start(slot), |acked| (*acked).clamp(source.start(slot), source.end(slot)))
        }));
    }
    let walk = Walk::new(source, &from)?;
    let oldest_ms = walk.head().map(|head| head.record.timestamp_ms);
    base.status.reaches(&from, oldest_ms, false, None);
    Ok(())
}

/// The partitions of the store.
pub(super) struct StoreSource {
    store: TopicStore,
    slots: Vec<PartitionId>,
    bytes_max: usize,
}

impl StoreSource {
    fn new(base: &Base) -> Self {
        let slots = base.layout.slots().to_vec();
        Self { store: base.store.clone(), slots, bytes_max: base.kafka.read_bytes_max }
    }
}

impl Source for StoreSource {
    fn start(&self, slot: usize) -> i64 {
        self.slots.get(slot).and_then(|slot| self.store.start(*slot)).unwrap_or_default()
    }

    fn end(&self, slot: usize) -> i64 {
        self.slots.get(slot).and_then(|slot| self.store.end(*slot)).unwrap_or_default()
    }

    fn read(&self, slot: usize, from: i64) -> Result<Bytes, SourceError> {
        let Some(slot) = self.slots.get(slot) else { return Ok(Bytes::new()) };
        match self.store.read(*slot, from, self.bytes_max) {
            Ok(batches) => Ok(batches.bytes),
            Err(ReadError::OutOfRange { start, .. }) if start > from => Err(SourceError::Gone { start }),
            Err(error) => Err(SourceError::Other(error.to_string())),
        }
    }
}

/// Where a session begins.
struct Begun {
    cluster: String,
    lanes: Lanes,
    course: Course<StoreSource>,
}

impl Begun {
    /// None where it is to stop.
    fn find(base: &Base, shared: &ClientConfig, ear: &Ear) -> Result<Option<Self>, Fault> {
        let scout = Scout::new(&base.tenant, &base.kafka, shared, &base.runtime, ear.clone())?;
        let cluster = scout.cluster()?;
        let topics = base.layout.topics();
        let mut counts = Vec::with_capacity(topics.len());
        for topic in topics {
            let partitions = u32::try_from(topic.slots.len()).unwrap_or(u32::MAX);
            counts.push(scout.partitions(Wanted { topic: &topic.name, partitions })?);
        }
        let Some(ends) = still_ends(base, &scout, &counts)? else { return Ok(None) };
        let kept = base.kept.read()?;
        let is_cluster = kept.cluster.as_ref().is_none_or(|kept| *kept == cluster);
        let stored = StoreSource::new(base);
        let mut plans: Vec<Plan> = Vec::with_capacity(topics.len());
        for (topic, ends) in topics.iter().zip(&ends) {
            let store: Vec<Ends> =
                topic.slots.clone().map(|slot| Ends { start: stored.start(slot), end: stored.end(slot) }).collect();
            let mut plan = plan(kept.topics.get(&topic.name), is_cluster, &store, ends);
            if !scout.is_the_same(&topic.name, &plan, ends)? {
                plan = begin_anew(Anew::Topic, &store, ends);
            }
            if let Some(why) = plan.anew {
                tell_anew(base, &topic.name, why);
            }
            plans.push(plan);
        }
        let acked: Vec<i64> = plans.iter().flat_map(|plan| &plan.acked).copied().collect();
        let walk = Walk::new(stored, &acked)?;
        let (mut lanes, mut found, mut of_lanes) = (Lanes::default(), Found::before(&walk), Vec::new());
        for ((topic, plan), ends) in topics.iter().zip(&plans).zip(&ends) {
            let numbers = lanes.add(topic.slots.len(), ends.len());
            scout.look_through(&topic.name, plan, ends, numbers.start, &mut found)?;
            let parts = plan.floors.iter().zip(&plan.witnesses).zip(ends);
            of_lanes.extend(parts.map(|((floor, witness), ends)| Lane::new(*floor, ends.end, *witness)));
            if *base.stop.borrow() {
                return Ok(None);
            }
        }
        if found.len() > 0 {
            tracing::info!(
                tenant = &*base.tenant,
                records = found.len(),
                "records found in Kafka that need not be sent again"
            );
        }
        base.status.found.fetch_add(found.len() as u64, Ordering::Relaxed);
        Ok(Some(Self { cluster, lanes, course: Course::new(walk, acked, of_lanes, found) }))
    }
}

/// The ends of all partitions, when they stand still; none where it is to stop.
///
/// A predecessor that was killed, or a producer that gave up, may have requests with the broker that it has not carried
/// out yet: in the buffers of its sockets, in its queues, or written but not replicated, which readers do not see. They
/// cannot be called back, as only transactions could. But a broker that answers us also carries those out, within
/// moments, since they came before; then nothing of ours comes any more, and the ends stand still.
fn still_ends(base: &Base, scout: &Scout<'_>, counts: &[usize]) -> Result<Option<Vec<Vec<Ends>>>, Fault> {
    let all = || -> Result<Vec<Vec<Ends>>, Fault> {
        let topics = base.layout.topics().iter().zip(counts);
        topics.map(|(topic, count)| scout.ends(&topic.name, *count)).collect()
    };
    let (still, still_max) = (base.kafka.still_ms, base.kafka.still_ms_max);
    let (begun, mut ends, mut since) = (Instant::now(), all()?, Instant::now());
    while since.elapsed() < Duration::from_millis(still) && begun.elapsed() < Duration::from_millis(still_max) {
        if *base.stop.borrow() {
            return Ok(None);
        }
        std::thread::sleep(STILL_EVERY.min(Duration::from_millis(still)));
        let now = all()?;
        if now != ends {
            since = Instant::now();
        }
        ends = now;
    }
    Ok(Some(ends))
}

fn tell_anew(base: &Base, topic: &str, why: Anew) {
    let tenant = &*base.tenant;
    match why {
        Anew::First => tracing::info!(tenant, topic, "publishing to Kafka from the oldest record that is kept"),
        Anew::Cluster => {
            tracing::warn!(tenant, topic, "this is another Kafka: published from the oldest record that is kept")
        }
        Anew::Topic => tracing::warn!(
            tenant,
            topic,
            "the topic in Kafka is not as we left it, it was made anew or lost its end: what is missing of what is kept \
             is published"
        ),
        Anew::Store => tracing::warn!(
            tenant,
            topic,
            "the topics on disk are not those that were published: what is missing of them is published"
        ),
    }
}

struct Session<'a> {
    base: &'a Base,
    ear: Ear,
    producer: ThreadedProducer<Ear>,
    cluster: String,
    lanes: Lanes,
    course: Course<StoreSource>,
    retries_before: u64,
    kept_at: Instant,
    raised_at: Instant,
    /// Something was acknowledged since it was written down.
    is_changed: bool,
}

impl Session<'_> {
    fn send(&mut self) -> Result<(), Fault> {
        let (mut stop, mut bell) = (self.base.stop.clone(), self.base.store.bell());
        let (mut reports, mut stop_by) = (Vec::new(), None);
        loop {
            _ = bell.borrow_and_update();
            let acknowledged = self.take_in(&mut reports)?;
            let sent = self.send_some()?;
            self.count(acknowledged > 0);
            if self.kept_at.elapsed() >= Duration::from_millis(self.base.kafka.checkpoint_ms) {
                self.keep_if_changed();
                self.kept_at = Instant::now();
            }
            let is_done = sent == 0 && self.course.account().under_way() == 0;
            if *stop.borrow_and_update() {
                let by =
                    *stop_by.get_or_insert_with(|| Instant::now() + Duration::from_millis(self.base.kafka.stop_ms_max));
                if is_done || Instant::now() >= by {
                    return Ok(());
                }
            } else if is_done && self.raised_at.elapsed() >= RAISE_EVERY {
                self.raise();
            }
            if sent == 0 && acknowledged == 0 {
                let rest = Duration::from_millis(self.base.kafka.checkpoint_ms).saturating_sub(self.kept_at.elapsed());
                let pause = rest.min(PAUSE_MAX).max(Duration::from_millis(1));
                let is_stopping = stop_by.is_some();
                self.base.runtime.block_on(async {
                    tokio::select! {
                        _ = bell.changed() => {}
                        () = self.ear.bell.notified() => {}
                        _ = stop.changed(), if !is_stopping => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                });
            }
        }
    }

    /// Takes in what was acknowledged, and says how much.
    fn take_in(&mut self, reports: &mut Vec<Report>) -> Result<usize, Fault> {
        self.ear.take_reports(reports);
        let mut bytes = 0;
        for Report { number, bytes: of_it, result } in reports.iter() {
            match result {
                Ok(there) => self
                    .course
                    .acknowledged(*number, *there)
                    .map_err(|backwards| Fault::TopicReplaced { topic: self.topic(backwards.lane).to_owned() })?,
                Err(RDKafkaErrorCode::Fatal) => return Err(self.fatal()),
                Err(code) => {
                    let lane = self.course.account().lane(*number).unwrap_or(usize::MAX);
                    let fault = Fault::of(&KafkaError::MessageProduction(*code), self.topic(lane));
                    return Err(fault.with_bytes(*of_it));
                }
            }
            bytes += of_it;
        }
        if self.ear.is_fatal() {
            return Err(self.fatal());
        }
        self.is_changed |= !reports.is_empty();
        self.base.status.records.fetch_add(reports.len() as u64, Ordering::Relaxed);
        self.base.status.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(reports.len())
    }

    /// Gives records to the producer as long as it takes them, and says how many.
    fn send_some(&mut self) -> Result<usize, Fault> {
        self.course.refill()?;
        let mut sent = 0;
        while sent < SEND_AT_ONCE && self.course.account().under_way() < self.base.kafka.queue_records_max {
            let Some(next) = self.course.next(|slot, key| self.lanes.lane(slot, key))? else { break };
            let Some((topic, partition)) = self.lanes.place(next.lane) else { break };
            let topic = self.base.layout.topics().get(topic).map_or("", |topic| &*topic.name);
            let mut headers = OwnedHeaders::new_with_capacity(next.record.headers.len());
            for (key, value) in &next.record.headers {
                headers = headers.insert(Header { key, value: Some(&**value) });
            }
            let record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord {
                topic,
                partition: Some(partition),
                payload: next.record.value.as_deref(),
                key: next.record.key.as_deref(),
                timestamp: Some(next.record.timestamp_ms),
                headers: Some(headers),
                delivery_opaque: next.number as usize,
            };
            let bytes = record.payload.map_or(0, <[u8]>::len) + record.key.map_or(0, <[u8]>::len);
            match self.producer.send(record) {
                Ok(()) => self.course.taken()?,
                Err((error, _)) => {
                    let fault = Fault::of(&error, topic).with_bytes(bytes);
                    self.course.not_taken();
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
                        break;
                    }
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
                        return Err(self.fatal());
                    }
                    return Err(fault);
                }
            }
            sent += 1;
        }
        Ok(sent)
    }

    /// Says how far it is.
    fn count(&mut self, is_moving: bool) {
        let status = &self.base.status;
        let (brokers, retries) = self.ear.brokers();
        status.brokers.store(brokers, Ordering::Relaxed);
        status.retries.store(self.retries_before.saturating_add(retries), Ordering::Relaxed);
        let lost = self.course.take_lost();
        if lost > 0 {
            status.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(
                tenant = &*self.base.tenant,
                records = lost,
                "records were dropped on disk before Kafka took them; log.log_age_s_max and log.log_bytes_max must be \
                 enough for an outage of Kafka"
            );
        }
        let oldest_ms = self.course.oldest_ms();
        let is_good = is_moving || (oldest_ms.is_none() && brokers > 0);
        status.reaches(self.course.account().acked(), oldest_ms, is_good, self.ear.trouble());
    }

    fn keep_if_changed(&mut self) {
        if !self.is_changed {
            return;
        }
        // An older one is as good, only longer to look through.
        if let Err(error) = self.keep() {
            tracing::warn!(tenant = &*self.base.tenant, %error, "it cannot be written down how far Kafka is");
        }
    }

    fn keep(&mut self) -> Result<(), Fault> {
        let account = self.course.account();
        let (mut acked, mut floors) = (account.acked().iter().copied(), account.floors().into_iter().peekable());
        let mut topics = Vec::new();
        let mut lanes = self.lanes.all().iter().peekable();
        for (at, topic) in self.base.layout.topics().iter().enumerate() {
            let mut kept =
                KeptTopic { acked: acked.by_ref().take(topic.slots.len()).collect(), ..KeptTopic::default() };
            while lanes.next_if(|(topic, _)| *topic == at).is_some() {
                let Some((floor, witness)) = floors.next() else { break };
                kept.floors.push(floor);
                kept.witnesses.push(witness);
            }
            topics.push((topic.name.clone(), kept));
        }
        self.base.kept.change::<_, KeptError>(|kept| {
            kept.cluster = Some(self.cluster.clone());
            kept.topics.extend(topics);
            Ok(())
        })?;
        self.is_changed = false;
        Ok(())
    }

    /// Nothing is under way: what others wrote meanwhile need not be looked through.
    fn raise(&mut self) {
        self.raised_at = Instant::now();
        let client = self.producer.client();
        let mut ends = Vec::with_capacity(self.lanes.all().len());
        for (lane, (_, partition)) in self.lanes.all().iter().enumerate() {
            // It is tried again in a while.
            let Ok((_, end)) = client.fetch_watermarks(self.topic(lane), *partition, RAISE_MAX) else { return };
            ends.push(end);
        }
        self.is_changed |= self.course.raise(&ends);
    }

    fn topic(&self, lane: usize) -> &str {
        let topic = self.lanes.place(lane).and_then(|(topic, _)| self.base.layout.topics().get(topic));
        topic.map_or("", |topic| &*topic.name)
    }

    fn fatal(&self) -> Fault {
        let why = self.producer.client().fatal_error().map(|(code, reason)| format!("{code}: {reason}"));
        Fault::Fatal(why.unwrap_or_else(|| "librdkafka does not say why".to_owned()))
    }
}
