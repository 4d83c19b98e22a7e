//! What groups count.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What groups count, of all owners together. How far a group is behind is what its tools compute.
#[derive(Debug, Clone, Default)]
pub struct GroupMetrics {
    /// Groups with members, or with some about to join.
    pub(super) groups: Gauge,
    /// Their members.
    pub(super) members: Gauge,
    /// Times the partitions of a group were divided.
    pub(super) rebalances: Counter,
    /// Offsets committed and durable.
    pub(super) commits: Counter,
    /// Offsets kept.
    pub(super) offsets: Gauge,
    /// Memory for them, about.
    pub(super) offsets_bytes: Gauge,
    /// 1 while commits are taken.
    pub(super) writable: Gauge,
    refused: Family<OfError, Counter>,
}

impl GroupMetrics {
    /// Something was refused with this code of the protocol.
    pub(super) fn refused(&self, code: i16) {
        self.refused.get_or_create(&OfError { code }).inc();
    }

    /// Adds all this to what is shown.
    pub fn register(&self, registry: &mut Registry) {
        for (name, help, gauge) in [
            ("kafka_groups", "Groups of consumers that have members", &self.groups),
            ("kafka_group_members", "Members of these groups", &self.members),
            ("kafka_group_offsets", "Committed offsets", &self.offsets),
            ("kafka_group_offsets_bytes", "Memory for committed offsets, about", &self.offsets_bytes),
            (
                "kafka_group_offsets_writable",
                "1 while offsets are committed, 0 where the disk takes none",
                &self.writable,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, counter) in [
            ("kafka_group_rebalances", "Times the partitions of a group were divided", &self.rebalances),
            ("kafka_group_commits", "Offsets committed", &self.commits),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "kafka_group_refused",
            "Joins and commits refused, by the protocol's error code",
            self.refused.clone(),
        );
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfError {
    code: i16,
}
