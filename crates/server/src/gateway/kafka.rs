//! The Kafka listener: topics for unmodified Kafka consumers.
//!
//! In reading order: `listener` takes connections, `connection` reads requests and writes answers, `dispatch` says who
//! answers what: `metadata` what there is, `principal` and `names` who somebody is and sees, `fetch` records, `list_offsets`
//! and `leader_epoch` where they are, `groups` who shares them, `refusal` whoever would write.
//! Bytes become requests and answers in the crate `cordboard-kafka`, which opens no socket.

mod cluster;
mod connection;
mod dispatch;
pub mod fetch;
pub mod groups;
mod hush;
pub mod leader_epoch;
pub mod list_offsets;
mod listener;
mod metadata;
pub mod metrics;
pub mod names;
pub mod principal;
mod refusal;
mod resource;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod tests;
mod write;

use std::net::SocketAddr;
use std::sync::Arc;

use kafka_protocol::messages::BrokerId;
use kafka_protocol::protocol::StrBytes;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::identity::Identities;
use crate::topics::TopicStore;
use cluster::Cluster;
pub use cluster::ClusterError;
use fetch::{FetchLimits, Reading};
use groups::{Groups, OpenGroupsError};
use hush::Hush;
pub use listener::KafkaListener;
use metrics::KafkaMetrics;
use names::Names;
pub use names::NamesError;
use principal::Door;
use resource::Shown;

/// The folder of the data directory for what the listener keeps.
pub const FOLDER: &str = "kafka";
/// The number of the only broker there is.
const NODE: BrokerId = BrokerId(1);

/// What all connections share: one broker, which is all of its cluster.
pub struct Broker {
    settings: config::KafkaListener,
    cluster: Cluster,
    shown: Shown,
    door: Arc<Door>,
    reading: Reading,
    groups: Groups,
    metrics: KafkaMetrics,
    writers: Hush,
    breaches: Hush,
}

impl Broker {
    /// A broker for whom these identities know, with the topics of these tenants. Blocks for the disk, and needs the runtime of
    /// tokio.
    ///
    /// # Errors
    /// [`BrokerError`] where what it keeps in the data directory cannot be read or written.
    pub fn open(
        config: &Config,
        clock: Clock,
        identities: &Arc<Identities>,
        stores: &[(String, TopicStore)],
        metrics: KafkaMetrics,
    ) -> Result<Self, BrokerError> {
        let (settings, folder) = (config.kafka_listener.clone(), config.data.join(FOLDER));
        let refused = metrics.logins_refused.clone();
        let names = Names::open(&config.data, config.topics.names, stores)?;
        let door = Door::new(Arc::clone(identities), names, settings.anonymous, refused);
        Ok(Self {
            cluster: Cluster::open(&folder)?,
            groups: Groups::open(&config.kafka_groups, &folder.join("groups"), clock, metrics.groups.clone())?,
            shown: Shown::of(config),
            door: Arc::new(door),
            reading: Reading::new(FetchLimits::of(config)),
            writers: Hush::default(),
            breaches: Hush::default(),
            settings,
            metrics,
        })
    }

    /// Lets go of everybody who waits, and closes what is kept. To be called when nobody is served any more.
    pub async fn stop(&self) {
        if let Err(error) = self.groups.stop().await {
            tracing::error!(%error, "committed offsets are not closed well");
        }
    }
}

/// The client at the other end of a connection, as far as it says or the system knows.
#[derive(Clone, Debug)]
struct Client {
    /// What it calls itself; empty where it says nothing. It may be anything.
    id: StrBytes,
    /// From where it came.
    address: SocketAddr,
    /// The host that it is told to connect to.
    host: StrBytes,
    /// The port that it is told to connect to.
    port: u16,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The id of the cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Which topics everybody sees.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// Committed offsets.
    #[error(transparent)]
    Groups(#[from] OpenGroupsError),
}
