//! What the hub counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::refused::Refused;

/// What the hub counts, of all tenants together.
#[derive(Debug, Clone, Default)]
pub struct HubMetrics {
    connections: Family<OfConnection, Gauge>,
    refused: Family<OfRefusal, Counter>,
    /// Connections ended because the other side took nothing for too long, or fell too far behind.
    pub slow: Counter,
    /// Messages of clients.
    pub messages_in: Counter,
    /// Their bytes.
    pub bytes_in: Counter,
    /// Messages to clients.
    pub messages_out: Counter,
    /// Their bytes.
    pub bytes_out: Counter,
}

impl HubMetrics {
    /// Counts a connection until the guard is dropped.
    pub(super) fn open(&self, transport: &'static str, protocol: &'static str) -> Open {
        let gauge = self.connections.get_or_create_owned(&OfConnection { transport, protocol });
        gauge.inc();
        Open(gauge)
    }

    /// A request was refused.
    pub(super) fn refuse(&self, refused: Refused) {
        self.refused.get_or_create(&OfRefusal { reason: refused.word() }).inc();
    }

    /// Adds all this to what is shown.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("hub_connections", "Connections to the hub that have shaken hands", self.connections.clone());
        registry.register("hub_refused", "Requests to the hub that were refused, by reason", self.refused.clone());
        registry.register(
            "hub_slow",
            "Connections to the hub ended because their clients took too little",
            self.slow.clone(),
        );
        for (name, help, counter) in [
            ("hub_messages_in", "Messages of clients of the hub", &self.messages_in),
            ("hub_bytes_in", "Bytes of these messages", &self.bytes_in),
            ("hub_messages_out", "Messages to clients of the hub", &self.messages_out),
            ("hub_bytes_out", "Bytes of these messages", &self.bytes_out),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}

/// Counts a connection while it is open.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfConnection {
    transport: &'static str,
    protocol: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRefusal {
    reason: &'static str,
}
