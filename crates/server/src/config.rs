//! The configuration: one tree, one file, every limit with its unit.
//!
//! It is read from a TOML file and from the environment: `CORDBOARD_HTTP__LISTEN` is `listen` in `[http]`. What is not
//! known is refused. `settings` is the tree with its defaults and their reasons; the commented file that
//! `cordboard default-config` prints is made of it.

mod boxed;
mod check;
mod check_boxed;
mod directory;
mod identity;
mod kafka;
mod kafka_groups;
mod kafka_listener;
mod load;
mod people;
mod print;
mod rest;
mod rte;
mod secret;
mod settings;
mod topics;

pub use boxed::{Boxed, BoxedAgent, BoxedExtension, BoxedQueue, BoxedRingGroup, ConsultData, MergedData};
pub use check::Problem;
pub(crate) use check::{NAME_FORM, is_name};
pub(crate) use check_boxed::row;
pub use directory::{CallList, Queue};
pub use identity::{Identity, IdentityProvider};
pub(crate) use identity::{TOKEN_S_MAX, jwks_url};
pub use kafka::{Compression, Kafka, KafkaSecurity, SaslMechanism};
pub use kafka_groups::KafkaGroups;
pub use kafka_listener::KafkaListener;
pub use load::{LoadError, load};
pub use people::{Agent, AgentsStrict, Team};
pub use print::default_config;
pub use rest::Rest;
pub use rte::Rte;
pub use secret::{SecretError, SecretText};
pub use settings::{Asterisk, Config, Engine, Genesys, Http, LogSettings, Requests, Tenant};
pub use topics::{TopicNames, Topics};
