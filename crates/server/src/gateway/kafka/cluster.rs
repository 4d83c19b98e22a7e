//! The id of the cluster: made once, kept for ever, because clients take another one for another cluster.

use std::ops::RangeInclusive;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kafka_protocol::protocol::StrBytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kept::{Content, KeptError, KeptFile, NoChance, random};

/// What clients know the cluster by.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// Its id as text: 22 letters, digits, `-` and `_`, as Kafka's own.
    pub(super) id: StrBytes,
    topics: Uuid,
}

impl Cluster {
    /// The one of this folder; it is made where there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, ClusterError> {
        let file = KeptFile::<Stored>::new(folder);
        let mut id = file.read()?.id.clone();
        if id.is_empty() {
            let made = uuid::Builder::from_random_bytes(random()?).into_uuid();
            id = file.change(|stored| {
                // Another process may have been first.
                if stored.id.is_empty() {
                    stored.id = URL_SAFE_NO_PAD.encode(made.as_bytes());
                }
                Ok::<_, KeptError>(stored.id.clone())
            })?;
        }
        Ok(Self { topics: Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()), id: id.into() })
    }

    /// The id of a topic, which is the same as long as its name is, and another for every owner's topic of that name.
    pub(super) fn topic_id(&self, owner: &str, topic: &str) -> Uuid {
        // No owner has a slash in its name.
        Uuid::new_v5(&self.topics, format!("{owner}/{topic}").as_bytes())
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    id: String,
}

impl Content for Stored {
    const FILE: &'static str = "cluster.json";
    const VERSIONS: RangeInclusive<u32> = 1..=1;
    const REMEDY: &'static str = "restore it, or remove it: clients then take this for another cluster";

    fn version(&mut self) -> &mut u32 {
        &mut self.version
    }
}

/// Why the cluster has no id.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// It cannot be read or written.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] NoChance),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_keeps_its_id_and_those_of_its_topics() {
        let dir = tempfile::tempdir().unwrap();
        let (first, again) = (Cluster::open(dir.path()).unwrap(), Cluster::open(dir.path()).unwrap());
        assert_eq!(first.id, again.id);
        assert_eq!(first.id.len(), 22);
        assert_eq!(first.topic_id("acme", "calls"), again.topic_id("acme", "calls"));
        assert_ne!(first.topic_id("acme", "calls"), first.topic_id("other", "calls"));
        let other = Cluster::open(&dir.path().join("other")).unwrap();
        assert_ne!((&first.id, first.topic_id("acme", "calls")), (&other.id, other.topic_id("acme", "calls")));
    }
}
