//! Opens the topics of a tenant and starts who writes into them.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use cordboard_dialects::Settings;

use super::scribe::{Scribe, ScribeParts, telling, topics};
use super::{OpenTopicsError, TopicLimits, TopicStore, open};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::config::Config;
use crate::log::Log;
use crate::log::disk::RealDisk;
use crate::metrics::ServerMetrics;

/// The topics of a tenant.
pub struct Kept {
    /// For readers.
    pub store: TopicStore,
    /// Who writes into them.
    pub scribe: Scribe,
    /// The thread that does.
    pub thread: JoinHandle<()>,
}

/// What they are kept of.
pub struct Source<'a> {
    /// The name of the tenant.
    pub tenant: &'a str,
    /// The folder of the tenant.
    pub dir: &'a Path,
    /// Its log.
    pub log: &'a Log,
    /// Worlds of old positions.
    pub checkpoints: &'a Arc<Checkpoints>,
    /// What the site chose about the vocabularies.
    pub settings: &'a Arc<Settings>,
    /// Time.
    pub clock: &'a Clock,
}

/// Keeps topics of this, where the configuration has somebody who reads them.
///
/// # Errors
/// [`OpenTopicsError`] where what is on disk cannot be gone on with.
pub fn keep(config: &Config, source: &Source<'_>, metrics: &ServerMetrics) -> Result<Option<Kept>, OpenTopicsError> {
    if !config.wants_topics() {
        return Ok(None);
    }
    let telling = telling(&config.dialects);
    let topics = topics(&telling, config.topics.partitions);
    let limits = TopicLimits::from(&config.topics);
    let epoch = source.log.durable().epoch;
    let (writer, store) = open(Arc::new(RealDisk), &source.dir.join("topics"), &topics, limits, epoch)?;
    let (scribe, thread) = Scribe::start(ScribeParts {
        tenant: source.tenant.to_owned(),
        log: source.log.clone(),
        checkpoints: Arc::clone(source.checkpoints),
        settings: Arc::clone(source.settings),
        telling,
        writer: writer.with_checkpoints_in_background(),
        limits: config.topics.clone(),
        retain_every: Duration::from_secs(config.log.retain_s),
        schema_base: config.schema_base(),
        clock: source.clock.clone(),
        written_after: metrics.written_after(source.tenant),
    })?;
    Ok(Some(Kept { store, scribe, thread }))
}
