//! The settings of topics: what is told as records of Kafka, and how it is kept.

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::settings::{Config, Doc, settings};

/// How topics are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicNames {
    /// As the vocabulary calls them: `voice-callthread`.
    Shared,
    /// With the tenant in front: `acme.voice-callthread`.
    PerTenant,
}

impl TopicNames {
    /// What this topic of this tenant is called.
    #[must_use]
    pub fn of(self, tenant: &str, topic: &str) -> String {
        match self {
            Self::Shared => topic.to_owned(),
            Self::PerTenant => format!("{tenant}.{topic}"),
        }
    }
}

settings! {
    /// Topics: what is told as records of Kafka, from here or to a Kafka of yours. They are kept as soon as one of the two
    /// is wanted: each message is written down once, and keeps its offset.
    pub struct Topics {
        /// How they are called: `"shared"` is `voice-callthread`, `"per_tenant"` is `acme.voice-callthread`.
        pub names: TopicNames = TopicNames::Shared,
        /// Partitions of each topic and tenant. More can be given later, not fewer; keys then find other partitions.
        pub partitions: u32 = 4,
        /// A file of a partition is ended before it would grow over this, in bytes.
        pub segment_bytes_max: u64 = 33_554_432,
        /// Records that are written together at most, in bytes.
        pub batch_bytes_max: usize = 262_144,
        /// What is written twice, so that a crash cannot tear it, until it is sure once; in bytes.
        pub journal_bytes_max: u64 = 67_108_864,
        /// Shortest time from one write to the next, in milliseconds; what comes in between is written together.
        pub write_ms_min: u64 = 5,
        /// Durable events that may wait to be written down before `/readyz` says so.
        pub lag_events_max: u64 = 10_000,
    }
}

impl Config {
    /// Whether topics are kept: somebody is meant to read them.
    #[must_use]
    pub fn wants_topics(&self) -> bool {
        self.kafka_listener.enabled || !self.kafka.brokers.is_empty()
    }

    /// What the paths of schemas are appended to in records: where this interface is reached from outside, as far as the
    /// configuration knows.
    #[must_use]
    pub fn schema_base(&self) -> String {
        let public = self.rest.public_url.trim_end_matches('/');
        if public.starts_with("http") { public.to_owned() } else { format!("http://{}", self.http.listen) }
    }
}

impl Topics {
    /// No topic has more partitions.
    const PARTITIONS_MAX: u32 = 128;

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.at_least("topics.partitions", self.partitions.into(), 1);
        problems.at_most("topics.partitions", self.partitions.into(), Self::PARTITIONS_MAX.into());
        problems.at_least("topics.segment_bytes_max", self.segment_bytes_max, 1_048_576);
        problems.at_most("topics.segment_bytes_max", self.segment_bytes_max, 1 << 30);
        problems.at_least("topics.batch_bytes_max", self.batch_bytes_max as u64, 16_384);
        problems.at_most("topics.batch_bytes_max", self.batch_bytes_max as u64, 1_048_576);
        problems.at_least("topics.journal_bytes_max", self.journal_bytes_max, 8_388_608);
        problems.at_most("topics.write_ms_min", self.write_ms_min, 1_000);
        problems.at_least("topics.lag_events_max", self.lag_events_max, 1);
    }
}
