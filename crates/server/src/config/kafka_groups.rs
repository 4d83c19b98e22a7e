//! The settings of groups of consumers, for clients that read by Kafka's protocol from here.

use cordboard_kafka::groups::{GroupLimits, OffsetLimits};
use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::settings::{Doc, settings};
use crate::log::LogConfig;

settings! {
    /// Groups of consumers that read from here by Kafka's protocol, and how far they have read. Each tenant has its own,
    /// and whoever runs the server.
    pub struct KafkaGroups {
        /// Groups with members, of all together.
        pub groups_max: usize = 10_000,
        /// Groups of one owner: with members, and, counted by themselves, with committed offsets.
        pub owner_groups_max: usize = 1_000,
        /// Members of one group.
        pub members_max: usize = 500,
        /// What members say of themselves and what leaders give them, of all groups together, in bytes.
        pub bytes_max: usize = 134_217_728,
        /// The same, of the groups of one owner.
        pub owner_bytes_max: usize = 16_777_216,
        /// The same, of one member.
        pub member_bytes_max: usize = 262_144,
        /// Shortest `session.timeout.ms` of a consumer, in milliseconds.
        pub session_ms_min: u64 = 6_000,
        /// Longest one.
        pub session_ms_max: u64 = 1_800_000,
        /// Longest time that members get to join again; who asks for more gets this, in milliseconds.
        pub rebalance_ms_max: u64 = 1_800_000,
        /// How long a group that had nobody waits for more members before its partitions are divided, in milliseconds. A
        /// broker waits 3000, for members all over a network; here a consumer that is alone should not wait so long.
        pub initial_delay_ms: u64 = 500,
        /// Committed offsets of all groups together.
        pub offsets_max: usize = 200_000,
        /// Committed offsets of the groups of one owner.
        pub owner_offsets_max: usize = 50_000,
        /// Memory for committed offsets, in bytes.
        pub offsets_bytes_max: usize = 67_108_864,
        /// Memory for those of one owner, in bytes.
        pub owner_offsets_bytes_max: usize = 16_777_216,
        /// Longest text that a consumer commits with an offset, in bytes.
        pub metadata_bytes_max: usize = 4_096,
        /// Offsets of a group that has had no members for so long are dropped, in seconds.
        pub offsets_age_s_max: u64 = 604_800,
        /// How long a commit may wait for the disk before the consumer is told to try again, in milliseconds.
        pub commit_ms_max: u64 = 5_000,
        /// What is written of commits before their sum is written and they are dropped, in bytes.
        pub log_bytes_max: u64 = 67_108_864,
        /// How often it is looked for what can be dropped, in seconds.
        pub retain_s: u64 = 60,
    }
}

impl KafkaGroups {
    /// Limits of the groups themselves.
    #[must_use]
    pub fn group_limits(&self) -> GroupLimits {
        GroupLimits {
            groups_max: self.groups_max,
            owner_groups_max: self.owner_groups_max,
            members_max: self.members_max,
            bytes_max: self.bytes_max,
            owner_bytes_max: self.owner_bytes_max,
            member_bytes_max: self.member_bytes_max,
            session_ms_min: self.session_ms_min,
            session_ms_max: self.session_ms_max,
            rebalance_ms_max: self.rebalance_ms_max,
            initial_delay_ms: self.initial_delay_ms,
            ..GroupLimits::default()
        }
    }

    /// Limits of what they commit.
    #[must_use]
    pub fn offset_limits(&self) -> OffsetLimits {
        OffsetLimits {
            offsets_max: self.offsets_max,
            owner_offsets_max: self.owner_offsets_max,
            bytes_max: self.offsets_bytes_max,
            owner_bytes_max: self.owner_offsets_bytes_max,
            owner_groups_max: self.owner_groups_max,
            metadata_bytes_max: self.metadata_bytes_max,
            age_ms_max: self.offsets_age_s_max.saturating_mul(1_000),
        }
    }

    /// How the log of commits is kept.
    #[must_use]
    pub fn log_config(&self) -> LogConfig {
        LogConfig {
            segment_bytes_max: self.log_bytes_max / Self::SEGMENTS,
            log_bytes_max: self.log_bytes_max,
            log_age_s_max: Self::LOG_AGE_S,
            // Nobody reads it while it is written.
            tail_bytes_max: 65_536,
            record_bytes_max: Self::RECORD_BYTES_MAX,
            pending_bytes_max: 67_108_864,
            group_window_us: 0,
        }
    }

    /// Files of the log, about.
    const SEGMENTS: u64 = 8;
    /// What is in a sum need not be kept; this is only so that files do not get old without end.
    const LOG_AGE_S: u64 = 604_800;
    /// The longest record; commits are cut into shorter ones.
    const RECORD_BYTES_MAX: u32 = 8 << 20;

    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, value, least) in [
            ("kafka_groups.groups_max", self.groups_max as u64, 1),
            ("kafka_groups.owner_groups_max", self.owner_groups_max as u64, 1),
            ("kafka_groups.members_max", self.members_max as u64, 1),
            ("kafka_groups.member_bytes_max", self.member_bytes_max as u64, 1_024),
            ("kafka_groups.owner_bytes_max", self.owner_bytes_max as u64, self.member_bytes_max as u64),
            ("kafka_groups.bytes_max", self.bytes_max as u64, self.owner_bytes_max as u64),
            ("kafka_groups.session_ms_min", self.session_ms_min, 100),
            ("kafka_groups.session_ms_max", self.session_ms_max, self.session_ms_min),
            ("kafka_groups.rebalance_ms_max", self.rebalance_ms_max, 1_000),
            ("kafka_groups.offsets_max", self.offsets_max as u64, 1),
            ("kafka_groups.owner_offsets_max", self.owner_offsets_max as u64, 1),
            ("kafka_groups.offsets_bytes_max", self.offsets_bytes_max as u64, 65_536),
            ("kafka_groups.owner_offsets_bytes_max", self.owner_offsets_bytes_max as u64, 65_536),
            ("kafka_groups.offsets_age_s_max", self.offsets_age_s_max, 60),
            ("kafka_groups.commit_ms_max", self.commit_ms_max, 100),
            ("kafka_groups.log_bytes_max", self.log_bytes_max, 1_048_576),
            ("kafka_groups.retain_s", self.retain_s, 1),
        ] {
            problems.at_least(key, value, least);
        }
        problems.at_most("kafka_groups.session_ms_max", self.session_ms_max, i32::MAX.unsigned_abs().into());
        problems.at_most("kafka_groups.initial_delay_ms", self.initial_delay_ms, 60_000);
        // A string of the protocol is not longer.
        problems.at_most("kafka_groups.metadata_bytes_max", self.metadata_bytes_max as u64, 32_767);
    }
}
