//! What is counted, and how it is shown to Prometheus. Labels are names from the configuration, so they are bounded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cordboard_core::Origin;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::gateway::kafka::metrics::KafkaMetrics;
use crate::gateway::signalr::metrics::HubMetrics;
use crate::gateway::signalr::outbox::OutboxCounters;
use crate::publish;
use crate::tenant::Tenant;
use crate::topics::scribe::Scribe;

/// Batches on their way to the disk of which the time is taken; of more it is not.
const TIMED_MAX: usize = 4_096;
/// The shortest time told apart, in seconds; thirteen buckets, each twice the one before.
const BUCKET_S_MIN: f64 = 0.000_25;
const BUCKETS: u16 = 16;

/// What one tenant's loop and readers count.
#[derive(Debug)]
pub struct TenantMetrics {
    events: Counter,
    synthesised: Counter,
    backlogs: Counter,
    refused: Counter,
    slow_readers: Counter,
    resyncs_told: Counter,
    /// Requests under way.
    pub requests_open: Gauge,
    /// Orders that wait for their link.
    pub orders_waiting: Gauge,
    requests: Family<OfRequest, Counter>,
    request_took: Histogram,
    tenant: String,
    to_durable: Histogram,
    under_way: Mutex<VecDeque<(u64, Instant)>>,
}

impl TenantMetrics {
    /// Counters of a tenant; the time to durable is shown by the server.
    #[must_use]
    pub fn new(server: &ServerMetrics, tenant: &str) -> Self {
        Self {
            events: Counter::default(),
            synthesised: Counter::default(),
            backlogs: Counter::default(),
            refused: Counter::default(),
            slow_readers: Counter::default(),
            resyncs_told: Counter::default(),
            requests_open: Gauge::default(),
            orders_waiting: Gauge::default(),
            requests: server.requests.clone(),
            request_took: server.request_took.get_or_create_owned(&OfTenant { tenant: tenant.to_owned() }),
            tenant: tenant.to_owned(),
            to_durable: server.to_durable.get_or_create_owned(&OfTenant { tenant: tenant.to_owned() }),
            under_way: Mutex::default(),
        }
    }

    /// An event was told.
    pub fn event(&self, origin: Origin) {
        self.events.inc();
        match origin {
            Origin::Live => {}
            Origin::Synthesised => _ = self.synthesised.inc(),
        }
    }

    /// The loop waited because too much waits for the disk.
    pub fn backlog(&self) {
        self.backlogs.inc();
    }

    /// An event was too large for the log.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// A reader was dropped because it took nothing.
    pub fn slow_reader(&self) {
        self.slow_readers.inc();
    }

    /// A reader was told to begin again.
    pub fn resync_told(&self) {
        self.resyncs_told.inc();
    }

    /// This came of a request.
    pub fn request(&self, outcome: Outcome) {
        self.requests.get_or_create(&OfRequest { tenant: self.tenant.clone(), outcome: outcome.word() }).inc();
    }

    /// A request that came in then is answered now.
    pub fn request_took(&self, since: Instant) {
        self.request_took.observe(since.elapsed().as_secs_f64());
    }

    /// A batch that was begun then was given to the log; its last event has this position.
    pub fn appended(&self, last: u64, begun: Instant) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.len() < TIMED_MAX {
            under_way.push_back((last, begun));
        }
    }

    /// All events up to this one are durable.
    pub fn durable(&self, sequence: u64) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, begun)) = under_way.pop_front_if(|(last, _)| *last <= sequence) {
            self.to_durable.observe(begun.elapsed().as_secs_f64());
        }
    }
}

/// What the whole server counts.
#[derive(Debug, Clone)]
pub struct ServerMetrics {
    /// Requests refused for want of a good token.
    pub unauthorised: Counter,
    /// Connections open.
    pub connections: Gauge,
    /// Connections ended because the other side took nothing for too long.
    pub slow_connections: Counter,
    /// What the hub counts.
    pub hub: HubMetrics,
    /// What the Kafka listener counts.
    pub kafka: KafkaMetrics,
    /// What waits for connections to the hub.
    pub outboxes: OutboxCounters,
    told_after: Family<OfTenant, Histogram>,
    written_after: Family<OfTenant, Histogram>,
    to_durable: Family<OfTenant, Histogram>,
    request_took: Family<OfTenant, Histogram>,
    requests: Family<OfRequest, Counter>,
}

impl Default for ServerMetrics {
    fn default() -> Self {
        let histogram = || Histogram::new(exponential_buckets(BUCKET_S_MIN, 2.0, BUCKETS));
        Self {
            unauthorised: Counter::default(),
            connections: Gauge::default(),
            slow_connections: Counter::default(),
            hub: HubMetrics::default(),
            kafka: KafkaMetrics::default(),
            outboxes: OutboxCounters::default(),
            told_after: Family::new_with_constructor(histogram),
            written_after: Family::new_with_constructor(histogram),
            to_durable: Family::new_with_constructor(histogram),
            request_took: Family::new_with_constructor(histogram),
            requests: Family::default(),
        }
    }
}

impl ServerMetrics {
    /// The time from an event of this tenant to its telling on the hub.
    #[must_use]
    pub fn told_after(&self, tenant: &str) -> Histogram {
        self.told_after.get_or_create_owned(&OfTenant { tenant: tenant.to_owned() })
    }

    /// The time from an event of this tenant until it can be read from its topics.
    #[must_use]
    pub fn written_after(&self, tenant: &str) -> Histogram {
        self.written_after.get_or_create_owned(&OfTenant { tenant: tenant.to_owned() })
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfTenant {
    tenant: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRequest {
    tenant: String,
    outcome: &'static str,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused, by us or by the switch.
    Refused,
    /// Who asked may not.
    Forbidden,
    /// It came before, and was not carried out again.
    Repeated,
    /// It was wrong in itself, or too much: nothing of it is in the log.
    NotTaken,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::Repeated => "repeated",
            Self::NotTaken => "not_taken",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSource {
    tenant: String,
    switch: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfDialect {
    tenant: String,
    dialect: &'static str,
}

/// Everything, in the text format of Prometheus.
#[must_use]
pub fn render(server: &ServerMetrics, tenants: &[Arc<Tenant>]) -> String {
    let mut registry = Registry::with_prefix("cordboard");
    registry.register("requests_unauthorised", "Requests without a good token", server.unauthorised.clone());
    registry.register("connections", "HTTP connections open", server.connections.clone());
    registry.register(
        "connections_slow",
        "HTTP connections ended because the other side took nothing for too long",
        server.slow_connections.clone(),
    );
    registry.register_with_unit(
        "log_durable",
        "From the beginning of a batch until its events are durable",
        Unit::Seconds,
        server.to_durable.clone(),
    );
    registry.register("requests", "Requests of clients, by what became of them", server.requests.clone());
    registry.register_with_unit(
        "request",
        "From a request until its answer is durable",
        Unit::Seconds,
        server.request_took.clone(),
    );
    server.hub.register(&mut registry);
    server.kafka.register(&mut registry);
    of_outboxes(&mut registry, server);
    of_tenants(&mut registry, tenants);
    of_topics(&mut registry, server, tenants);
    let publishers = tenants.iter().filter_map(|it| Some((it.name(), it.publisher()?)));
    publish::metrics::register(&mut registry, publishers);
    of_sources(&mut registry, tenants);
    of_dialects(&mut registry, tenants);
    let mut text = String::new();
    // Writing into a text fails only where memory does.
    _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

fn of_outboxes(registry: &mut Registry, server: &ServerMetrics) {
    registry.register_with_unit(
        "hub_told_after",
        "From an event until the hub tells it",
        Unit::Seconds,
        server.told_after.clone(),
    );
    let OutboxCounters { delivered, conflated, expired, overflowed } = &server.outboxes;
    for (name, help, counter) in [
        ("hub_delivered", "Messages about events given to connections to the hub", delivered),
        ("hub_conflated", "States replaced by newer ones before they were written", conflated),
        ("hub_expired", "Messages not written because their time to live was over", expired),
        ("hub_overflowed", "Connections to the hub given up because too much waited for them", overflowed),
    ] {
        registry.register(name, help, counter.clone());
    }
}

fn of_tenants(registry: &mut Registry, tenants: &[Arc<Tenant>]) {
    let mut counters = |name: &str, help: &str, get: fn(&TenantMetrics) -> &Counter| {
        let family = Family::<OfTenant, Counter>::default();
        for tenant in tenants {
            family.get_or_create(&labels(tenant)).inc_by(get(tenant.metrics()).get());
        }
        registry.register(name, help, family);
    };
    counters("events", "Events appended to the log", |it| &it.events);
    counters("events_synthesised", "Of these, concluded and not heard", |it| &it.synthesised);
    counters("events_refused", "Events too large for the log", |it| &it.refused);
    counters("log_backlogs", "Times the loop waited for the disk", |it| &it.backlogs);
    counters("readers_slow", "Readers dropped because they took nothing for too long", |it| &it.slow_readers);
    counters("readers_resynced", "Times a reader was told to begin again with a snapshot", |it| &it.resyncs_told);
    let mut gauges = |name: &str, help: &str, get: fn(&Tenant) -> u64| {
        let family = Family::<OfTenant, Gauge>::default();
        for tenant in tenants {
            family.get_or_create(&labels(tenant)).set(i64::try_from(get(tenant)).unwrap_or(i64::MAX));
        }
        registry.register(name, help, family);
    };
    gauges("requests_open", "Requests under way", |it| gauge(&it.metrics().requests_open));
    gauges("orders_waiting", "Orders that wait for the link to their switch", |it| gauge(&it.metrics().orders_waiting));
    gauges("log_writable", "1 while the log takes events", |it| u64::from(it.is_writable()));
    gauges("log_durable_position", "Position of the newest durable event", |it| it.log().durable().sequence);
    gauges("log_oldest_position", "Position before the oldest event kept", |it| it.log().oldest().sequence);
    gauges("hub_subscriptions", "Subscriptions of connections to the hub", |it| it.feed().subscriptions());
    gauges("hub_subscribers", "Connections to the hub that may subscribe", |it| it.feed().connections());
    gauges("hub_feed_behind", "Durable events that the hub has not told yet", |it| it.feed().behind());
    gauges("hub_feed_up", "1 while the hub tells events", |it| u64::from(it.feed().is_running()));
    gauges("log_bytes", "Bytes of the log on disk", |it| it.log().bytes());
}

fn of_topics(registry: &mut Registry, server: &ServerMetrics, tenants: &[Arc<Tenant>]) {
    registry.register_with_unit(
        "topics_written_after",
        "From an event until it can be read from topics",
        Unit::Seconds,
        server.written_after.clone(),
    );
    let scribes: Vec<_> = tenants.iter().filter_map(|it| Some((labels(it), it.scribe()?))).collect();
    let mut counters = |name: &str, help: &str, get: fn(&Scribe) -> &Counter| {
        let family = Family::<OfTenant, Counter>::default();
        for (labels, scribe) in &scribes {
            family.get_or_create(labels).inc_by(get(scribe).get());
        }
        registry.register(name, help, family);
    };
    counters("topics_records", "Records written into topics", |it| &it.counts().records);
    counters("topics_record_bytes", "Bytes of their keys and values", |it| &it.counts().bytes);
    counters("topics_lost", "Events that the log dropped before they were in topics", |it| &it.counts().lost);
    let (behind, up) = (Family::<OfTenant, Gauge>::default(), Family::<OfTenant, Gauge>::default());
    for (labels, scribe) in &scribes {
        behind.get_or_create(labels).set(i64::try_from(scribe.behind()).unwrap_or(i64::MAX));
        up.get_or_create(labels).set(i64::from(scribe.is_running()));
    }
    registry.register("topics_behind", "Durable events that are not in topics yet", behind);
    registry.register("topics_up", "1 while topics are written", up);
}

fn of_sources(registry: &mut Registry, tenants: &[Arc<Tenant>]) {
    let sources: Vec<_> = tenants
        .iter()
        .flat_map(|tenant| {
            tenant
                .sources()
                .all()
                .into_iter()
                .map(move |(switch, source)| (OfSource { tenant: tenant.name().to_owned(), switch }, source))
        })
        .collect();
    let mut counters = |name: &str, help: &str, get: fn(&crate::sources::Source) -> u64| {
        let family = Family::<OfSource, Counter>::default();
        for (labels, source) in &sources {
            family.get_or_create(labels).inc_by(get(source));
        }
        registry.register(name, help, family);
    };
    counters("source_messages", "Messages understood or knowingly passed over", |it| it.counts.messages);
    counters("source_messages_ignored", "Messages of kinds that mean nothing to us", |it| it.counts.ignored);
    counters("source_messages_malformed", "Messages that break the protocol", |it| it.counts.malformed);
    counters("source_resyncs", "Times the whole state was read again", |it| it.counts.resyncs);
    counters("source_repaired", "Differences found when the state was read again", |it| it.counts.repaired);
    counters("source_connects", "Connections opened or tried", |it| it.connects);
    let (up, heartbeat) = (Family::<OfSource, Gauge>::default(), Family::<OfSource, Gauge<f64, AtomicU64>>::default());
    for (labels, source) in &sources {
        up.get_or_create(labels).set(i64::from(source.live));
        heartbeat.get_or_create(labels).set(source.counts.heartbeat_us as f64 / 1e6);
    }
    registry.register("source_up", "1 while the source is live", up);
    registry.register_with_unit("source_heartbeat", "Round trip of the newest heartbeat", Unit::Seconds, heartbeat);
}

fn of_dialects(registry: &mut Registry, tenants: &[Arc<Tenant>]) {
    let families: [Family<OfDialect, Gauge>; 3] = Default::default();
    let [readers, lag, bytes] = &families;
    for tenant in tenants {
        for (dialect, tail) in tenant.tails() {
            let labels = OfDialect { tenant: tenant.name().to_owned(), dialect: dialect.name };
            let set = |family: &Family<OfDialect, Gauge>, value: u64| {
                family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            let places = tenant.readers().places(dialect.name);
            let newest = tail.visible();
            set(readers, places.len() as u64);
            set(lag, places.iter().map(|place| newest.saturating_sub(*place)).max().unwrap_or(0));
            set(bytes, tail.bytes() as u64);
        }
    }
    registry.register("readers", "Readers of events", readers.clone());
    registry.register("reader_lag_events", "Events the slowest reader is behind", lag.clone());
    registry.register("tail_bytes", "Memory for the newest messages", bytes.clone());
}

fn gauge(gauge: &Gauge) -> u64 {
    u64::try_from(gauge.get()).unwrap_or(0)
}

fn labels(tenant: &Tenant) -> OfTenant {
    OfTenant { tenant: tenant.name().to_owned() }
}

/// Who reads: so many, in which vocabulary, how far.
#[derive(Debug, Default)]
pub struct Readers {
    all: Mutex<Vec<Place>>,
}

#[derive(Debug)]
struct Place {
    dialect: &'static str,
    at: Arc<AtomicU64>,
}

/// One reader's entry; it is taken out when this is dropped.
#[derive(Debug)]
pub struct ReaderEntry {
    readers: Arc<Readers>,
    at: Arc<AtomicU64>,
}

impl Readers {
    /// Enters a reader, unless there are `readers_max` already.
    #[must_use]
    pub fn enter(self: &Arc<Self>, dialect: &'static str, readers_max: usize) -> Option<ReaderEntry> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= readers_max {
            return None;
        }
        let at = Arc::new(AtomicU64::new(0));
        all.push(Place { dialect, at: Arc::clone(&at) });
        Some(ReaderEntry { readers: Arc::clone(self), at })
    }

    fn places(&self, dialect: &str) -> Vec<u64> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|place| place.dialect == dialect).map(|place| place.at.load(Ordering::Relaxed)).collect()
    }
}

impl ReaderEntry {
    /// The reader has got everything up to here.
    pub fn set(&self, at: u64) {
        self.at.store(at, Ordering::Relaxed);
    }
}

impl Drop for ReaderEntry {
    fn drop(&mut self) {
        let mut all = self.readers.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|place| !Arc::ptr_eq(&place.at, &self.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_bounded_and_leave_when_dropped() {
        let readers = Arc::new(Readers::default());
        let first = readers.enter("genesys", 2).unwrap();
        let second = readers.enter("cordboard", 2).unwrap();
        assert!(readers.enter("genesys", 2).is_none());
        first.set(7);
        assert_eq!(readers.places("genesys"), [7]);
        drop(second);
        assert!(readers.places("cordboard").is_empty());
        assert!(readers.enter("genesys", 2).is_some());
    }

    #[test]
    fn the_time_to_durable_is_taken_once_a_batch() {
        let metrics = TenantMetrics::new(&ServerMetrics::default(), "acme");
        metrics.appended(3, Instant::now());
        metrics.appended(5, Instant::now());
        metrics.durable(4);
        assert_eq!(metrics.under_way.lock().unwrap().len(), 1);
        metrics.durable(9);
        assert!(metrics.under_way.lock().unwrap().is_empty());
    }
}
