//! What publishers count, as Prometheus is shown it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Publisher, SinkCounts};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfTenant {
    tenant: String,
}

/// Enters what the publishers of these tenants counted.
pub(crate) fn register<'a>(registry: &mut Registry, publishers: impl Iterator<Item = (&'a str, &'a Publisher)>) {
    let of_all: Vec<_> =
        publishers.map(|(tenant, it)| (OfTenant { tenant: tenant.to_owned() }, it.counts(), it.report())).collect();
    if of_all.is_empty() {
        return;
    }
    let mut counters = |name: &str, help: &str, get: fn(&SinkCounts) -> u64| {
        let family = Family::<OfTenant, Counter>::default();
        for (labels, counts, _) in &of_all {
            family.get_or_create(labels).inc_by(get(counts));
        }
        registry.register(name, help, family);
    };
    counters("kafka_records", "Records that Kafka acknowledged", |it| it.records);
    counters("kafka_record_bytes", "Bytes of their keys and values", |it| it.bytes);
    counters("kafka_records_found", "Records found in Kafka at a start, and not sent again", |it| it.found);
    counters("kafka_records_lost", "Records dropped on disk before Kafka took them", |it| it.lost);
    counters("kafka_errors", "Times that something was in the way of publishing", |it| it.faults);
    counters("kafka_restarts", "Producers that gave up, so that a new one went on", |it| it.restarts);
    counters("kafka_retries", "Requests to Kafka that were sent again", |it| it.retries);
    let (up, brokers, behind) = (
        Family::<OfTenant, Gauge>::default(),
        Family::<OfTenant, Gauge>::default(),
        Family::<OfTenant, Gauge>::default(),
    );
    let lag = Family::<OfTenant, Gauge<f64, AtomicU64>>::default();
    for (labels, counts, report) in &of_all {
        up.get_or_create(labels).set(i64::from(report.is_ready));
        brokers.get_or_create(labels).set(counts.brokers);
        behind.get_or_create(labels).set(i64::try_from(report.records_behind).unwrap_or(i64::MAX));
        lag.get_or_create(labels).set(report.behind_s);
    }
    registry.register("kafka_up", "1 while what is told reaches Kafka", up);
    registry.register("kafka_brokers", "Brokers of Kafka that are connected", brokers);
    registry.register("kafka_behind", "Records of topics that Kafka has not acknowledged", behind);
    registry.register_with_unit(
        "kafka_lag",
        "Age of the oldest record that Kafka has not acknowledged",
        Unit::Seconds,
        lag,
    );
}
