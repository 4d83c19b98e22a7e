//! What the Kafka listener counts.

use cordboard_kafka::api::Api;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::groups::GroupMetrics;

/// What the Kafka listener counts, of all owners together.
#[derive(Debug, Clone, Default)]
pub struct KafkaMetrics {
    /// Connections open.
    pub connections: Gauge,
    /// Logins refused.
    pub logins_refused: Counter,
    /// What groups count.
    pub groups: GroupMetrics,
    /// Bytes of requests.
    pub bytes_in: Counter,
    /// Bytes of answers.
    pub bytes_out: Counter,
    requests: Family<OfApi, Counter>,
    writes_refused: Family<OfApi, Counter>,
    closed: Family<OfReason, Counter>,
}

impl KafkaMetrics {
    /// A request came.
    pub(super) fn request(&self, api: Api) {
        self.requests.get_or_create(&OfApi { api: api.row().name }).inc();
    }

    /// Somebody would write.
    pub(super) fn write_refused(&self, api: Api) {
        self.writes_refused.get_or_create(&OfApi { api: api.row().name }).inc();
    }

    /// A connection was closed by us, and why.
    pub(super) fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&OfReason { reason }).inc();
    }

    /// Adds all this to what is shown.
    pub fn register(&self, registry: &mut Registry) {
        self.groups.register(registry);
        registry.register("kafka_connections", "Connections of Kafka clients", self.connections.clone());
        for (name, help, counter) in [
            ("kafka_logins_refused", "Logins of Kafka clients that were refused", &self.logins_refused),
            ("kafka_bytes_in", "Bytes of requests of Kafka clients", &self.bytes_in),
            ("kafka_bytes_out", "Bytes of answers to Kafka clients", &self.bytes_out),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register("kafka_requests", "Requests of Kafka clients", self.requests.clone());
        registry.register(
            "kafka_writes_refused",
            "Requests of Kafka clients that would have written",
            self.writes_refused.clone(),
        );
        registry.register(
            "kafka_connections_closed",
            "Connections of Kafka clients that were closed from here, by reason",
            self.closed.clone(),
        );
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfApi {
    api: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: &'static str,
}
