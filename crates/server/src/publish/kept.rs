//! What is kept of a tenant's publishing: one small file, replaced whole.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::account::Witness;
use super::walk::MessageId;
use crate::kept::Content;

/// Everything that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// The id of the cluster.
    pub(super) cluster: Option<String>,
    /// The topics by their names in the broker. One that is published no longer under this name stays, so that it is gone
    /// on with when it is again.
    pub(super) topics: BTreeMap<String, KeptTopic>,
}

/// How far one topic is. What belongs together was true at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptTopic {
    /// For each partition of the store: everything below this offset is acknowledged.
    pub(super) acked: Vec<i64>,
    /// For each partition of the broker: nothing of what came after that lies below this offset.
    pub(super) floors: Vec<i64>,
    /// For each partition of the broker: a record of ours in it.
    pub(super) witnesses: Vec<Option<Witness>>,
}

impl Content for Kept {
    const FILE: &'static str = "kafka.json";
    const VERSIONS: RangeInclusive<u32> = 1..=1;
    const REMEDY: &'static str = "remove it: the topics are then looked through from their beginnings";

    fn version(&mut self) -> &mut u32 {
        // A file that was never written is of the newest version.
        if self.version == 0 {
            self.version = *Self::VERSIONS.end();
        }
        &mut self.version
    }
}

impl Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&uuid::Uuid::from_u128(self.0))
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        uuid::Uuid::try_parse(&text).map(|uuid| Self(uuid.as_u128())).map_err(serde::de::Error::custom)
    }
}
