//! One tenant of the server: its log opened, its world folded, its loop running.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordboard_core::{Event, World};
use cordboard_dialects::{Dialect, Settings};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::boxed_link::{Hand, Happenings, hand};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::config::{self, Config, SecretError};
use crate::configured;
use crate::engine::orders::{Inbox, Orders};
use crate::engine::work::Work;
use crate::engine::{DeskLimits, Engine, EngineError, Parts, Voices};
use crate::gateway::rte::feed::{Feed, FeedParts};
use crate::log::disk::RealDisk;
use crate::log::{self, CommitError, Health, Log, LogWriter, OpenError, Position, Reader};
use crate::metrics::{Readers, ServerMetrics, TenantMetrics};
use crate::mirror::{Mirror, MirrorSettings};
use crate::people::People;
use crate::publish::{self, Publisher};
use crate::sources::Sources;
use crate::state::{StateError, decode_world, fold_next, unfinished};
use crate::tail::Tail;
use crate::topics::keep::{Source, keep};
use crate::topics::scribe::Scribe;
use crate::topics::{OpenTopicsError, TopicStore};

/// After a start, so many of the newest events are said again at once, so that readers who come back go on from memory.
const WARM_EVENTS_MAX: u64 = 50_000;

/// What readers of one tenant need. Lives as long as anybody reads.
pub struct Tenant {
    name: String,
    log: Log,
    tails: Vec<(&'static Dialect, Arc<Tail>)>,
    checkpoints: Arc<Checkpoints>,
    mirror: Mirror,
    feed: Feed,
    topics: Option<(TopicStore, Scribe)>,
    publisher: Option<Publisher>,
    settings: Arc<Settings>,
    sources: Arc<Sources>,
    metrics: Arc<TenantMetrics>,
    readers: Arc<Readers>,
    history: Arc<Semaphore>,
    running: watch::Receiver<bool>,
    /// Weak, so that readers and clients do not keep the loop running.
    work: mpsc::WeakSender<Work>,
    people: People,
    hands: BTreeMap<String, Hand>,
}

/// A tenant with its loop.
pub struct Running {
    /// For readers.
    pub tenant: Arc<Tenant>,
    /// Where the links send what they hear; the loop ends when all of them are dropped.
    pub work: mpsc::Sender<Work>,
    /// For the link of each switch: what the switch is to do.
    pub inboxes: BTreeMap<String, Inbox>,
    /// For the link of each built-in switch: what happens around it.
    pub happenings: BTreeMap<String, Happenings>,
    clock: Clock,
    engine: tokio::task::JoinHandle<Result<LogWriter, EngineError>>,
    mirror: JoinHandle<()>,
    feed: JoinHandle<()>,
    scribe: Option<JoinHandle<()>>,
    publishing: Option<JoinHandle<()>>,
}

impl Running {
    /// Opens the tenant's log under the data directory and starts its loop.
    ///
    /// # Errors
    /// [`TenantError`] says what is wrong with what is stored.
    pub fn start(config: &Config, tenant: &config::Tenant, server: &ServerMetrics) -> Result<Self, TenantError> {
        let dir = config.data.join("tenants").join(&tenant.name);
        let settings = Arc::new(dialect_settings(config));
        let found = Found::open(config, &dir, &settings)?;
        let clock = Clock::new(found.world.now);
        let people = People::new(tenant)?;
        let built_in = || tenant.boxed.iter().map(|it| it.name.clone());
        let switches = || tenant.asterisk.iter().map(|it| it.name.clone()).chain(built_in());
        let sources = Arc::new(Sources::new(switches(), &found.world));
        let metrics = Arc::new(TenantMetrics::new(server, &tenant.name));
        let (orders, inboxes) = Orders::new(switches(), config.engine.orders_max, &found.log, &metrics);
        let (feed, feed_thread) = Feed::start(FeedParts {
            tenant: tenant.name.clone(),
            log: found.log.clone(),
            reader: found.log.reader(found.reader.position())?,
            world: found.world.clone(),
            checkpoints: Arc::clone(&found.checkpoints),
            settings: Arc::clone(&settings),
            limits: config.rte.clone(),
            clock: clock.clone(),
            told_after: server.told_after(&tenant.name),
        })?;
        let (log, checkpoints) = (&found.log, &found.checkpoints);
        let source = Source { tenant: &tenant.name, dir: &dir, log, checkpoints, settings: &settings, clock: &clock };
        let kept = keep(config, &source, server)?;
        let (topics, scribe) = kept.map(|kept| ((kept.store, kept.scribe), kept.thread)).unzip();
        let (publisher, publishing) = match &topics {
            Some((store, _)) => publish::start(config, &tenant.name, &dir, store, &clock)?.unzip(),
            None => (None, None),
        };
        let (mirror, mirror_thread) = Mirror::start(
            found.log.clone(),
            found.reader,
            found.world.clone(),
            Arc::clone(&found.checkpoints),
            MirrorSettings {
                dialects: Settings::clone(&settings),
                snapshot_events: config.log.snapshot_events,
                retain_every: Duration::from_secs(config.log.retain_s),
                store_at_once: found.is_unstored,
            },
            clock.clone(),
        )?;
        let (work, inputs) = mpsc::channel(config.engine.inputs_max);
        let (started, running) = watch::channel(true);
        let engine = Engine::new(Parts {
            configured: configured::requests(&found.world, tenant),
            world: found.world,
            writer: found.writer,
            last: found.log.durable(),
            voices: found.voices,
            clock: clock.clone(),
            sources: Arc::clone(&sources),
            metrics: Arc::clone(&metrics),
            orders,
            limits: desk_limits(config),
        });
        tokio::spawn(follow_durable(found.log.clone(), found.tails.clone(), Arc::clone(&metrics)));
        let run = engine.run(inputs, config.engine.batch_inputs_max, tenant.name.clone(), found.unfinished);
        let engine = tokio::spawn(async move {
            let ended = run.await;
            // Readiness tells that nothing is heard any more, whatever became of the log.
            _ = started.send(false);
            ended
        });
        let (mut hands, mut happenings) = (BTreeMap::new(), BTreeMap::new());
        for name in built_in() {
            let (hand, happens) = hand();
            hands.insert(name.clone(), hand);
            happenings.insert(name, happens);
        }
        let tenant = Arc::new(Tenant {
            name: tenant.name.clone(),
            log: found.log,
            tails: found.tails,
            checkpoints: found.checkpoints,
            mirror,
            feed,
            topics,
            publisher,
            settings,
            sources,
            metrics,
            readers: Arc::default(),
            history: Arc::new(Semaphore::new(config.http.history_readers_max)),
            running,
            work: work.downgrade(),
            people,
            hands,
        });
        let (mirror, feed) = (mirror_thread, feed_thread);
        Ok(Self { tenant, work, inboxes, happenings, clock, engine, mirror, feed, scribe, publishing })
    }

    /// Time as this tenant's log knows it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Waits for the loop, which ends when nobody can send observations any more; stores the state and closes the log.
    ///
    /// # Errors
    /// [`TenantError`] where the log did not take everything.
    pub async fn stop(self) -> Result<Position, TenantError> {
        let Self { tenant, work, engine, mirror, feed, scribe, publishing, .. } = self;
        drop(work);
        let writer = engine.await.map_err(|error| TenantError::Panicked(error.to_string()))?;
        let closed = tokio::task::spawn_blocking(move || {
            tenant.mirror.stop();
            // A mirror that panicked has stored nothing; the log is whole all the same.
            _ = mirror.join();
            tenant.feed.stop();
            _ = feed.join();
            let closed = writer.map(|writer| writer.close());
            // Last, so that everything that became durable is in the topics.
            if let Some(((_, writes), thread)) = tenant.topics.as_ref().zip(scribe) {
                writes.stop();
                _ = thread.join();
            }
            // And then as much of it in Kafka as the time allows.
            if let Some((publisher, thread)) = tenant.publisher.as_ref().zip(publishing) {
                publisher.stop();
                _ = thread.join();
            }
            Ok::<_, TenantError>(closed??)
        });
        closed.await.map_err(|error| TenantError::Panicked(error.to_string()))?
    }
}

impl Tenant {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its log, for reading.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its vocabularies with their newest messages.
    #[must_use]
    pub fn tails(&self) -> &[(&'static Dialect, Arc<Tail>)] {
        &self.tails
    }

    /// The tail of a vocabulary, when it is spoken here.
    #[must_use]
    pub fn tail(&self, name: &str) -> Option<(&'static Dialect, Arc<Tail>)> {
        self.tails.iter().find(|(dialect, _)| dialect.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// Worlds of old positions.
    #[must_use]
    pub fn checkpoints(&self) -> &Arc<Checkpoints> {
        &self.checkpoints
    }

    /// The world as it is told.
    #[must_use]
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// What tells subscribers of the hub.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What is kept for readers by Kafka's protocol; none where nobody is meant to read it.
    #[must_use]
    pub fn topics(&self) -> Option<&TopicStore> {
        self.topics.as_ref().map(|(store, _)| store)
    }

    /// What writes that down.
    #[must_use]
    pub fn scribe(&self) -> Option<&Scribe> {
        self.topics.as_ref().map(|(_, scribe)| scribe)
    }

    /// What copies its topics to a Kafka, where that is wanted.
    #[must_use]
    pub fn publisher(&self) -> Option<&Publisher> {
        self.publisher.as_ref()
    }

    /// What the site chose about the vocabularies.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The way into its loop; none when that has ended. Not to be kept: the loop runs while anybody has one.
    #[must_use]
    pub fn work(&self) -> Option<mpsc::Sender<Work>> {
        self.work.upgrade()
    }

    /// Its agents and teams.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Lets things happen around one of its built-in switches.
    #[must_use]
    pub fn hand(&self, switch: &str) -> Option<&Hand> {
        self.hands.get(switch)
    }

    /// Waits until this position is durable and readers can see it; not when the log takes nothing more.
    pub async fn durable(&self, position: Position) -> bool {
        let mut status = self.log.status();
        let over = |status: &log::Status| status.durable >= position || status.health.is_over();
        if !status.wait_for(over).await.is_ok_and(|status| status.durable >= position) {
            return false;
        }
        // Whoever is answered and then reads finds what the answer told.
        for (_, tail) in &self.tails {
            if tail.bell().wait_for(|visible| *visible >= position.sequence).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Its phone systems.
    #[must_use]
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// What it counts.
    #[must_use]
    pub fn metrics(&self) -> &TenantMetrics {
        &self.metrics
    }

    /// Who reads.
    #[must_use]
    pub fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }

    /// Leave to read from disk: so many at once.
    #[must_use]
    pub fn history(&self) -> &Arc<Semaphore> {
        &self.history
    }

    /// Whether its loop runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        *self.running.borrow()
    }

    /// How its log is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.log.status().borrow().health
    }

    /// Whether its log takes events.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.is_running() && self.health() == Health::Healthy
    }
}

/// What the dialects are told, from the configuration.
#[must_use]
pub fn dialect_settings(config: &Config) -> Settings {
    Settings {
        enreach: cordboard_dialects::enreach::Settings {
            silo: config.enreach.silo.clone(),
            supervision_number: config.enreach.supervision_number.clone(),
        },
        genesys: cordboard_dialects::genesys::Settings {
            enum_style: config.genesys.enum_style,
            server: config.genesys.server.clone(),
        },
    }
}

fn desk_limits(config: &Config) -> DeskLimits {
    let requests = &config.requests;
    DeskLimits {
        open_max: requests.tenant_in_flight_max,
        connections_max: requests.connections_max,
        registrations_max: requests.registrations_max,
        answer_bytes_max: requests.answer_bytes_max,
        answers_bytes_max: requests.answers_bytes_max,
    }
}

/// What was found on disk.
struct Found {
    world: World,
    reader: Reader,
    writer: LogWriter,
    log: Log,
    tails: Vec<(&'static Dialect, Arc<Tail>)>,
    voices: Voices,
    checkpoints: Arc<Checkpoints>,
    unfinished: Vec<Event>,
    /// There is no stored state that this program can read again.
    is_unstored: bool,
}

impl Found {
    fn open(config: &Config, dir: &Path, settings: &Arc<Settings>) -> Result<Self, TenantError> {
        let begun = Instant::now();
        let epoch = Clock::default().now().0 / 1_000_000;
        let epoch = u32::try_from(epoch).unwrap_or(u32::MAX);
        let opened = log::open(Arc::new(RealDisk), &dir.join("log"), config.log.limits(), epoch)?;
        let (log, report) = (opened.log, opened.report);
        if let Some(torn) = &report.torn_tail {
            let log::TornTail { file, offset, bytes_dropped } = torn;
            tracing::warn!(file, offset, bytes_dropped, "an incomplete last write was cut off; nobody was told of it");
        }
        let newest = report.newest;
        let checkpoints =
            Arc::new(Checkpoints::open(&dir.join("checkpoints"), newest.epoch, config.log.checkpoints_max)?);
        let (mut world, mut reader, is_unstored) = stored_world(&log, &checkpoints)?;
        let folded = newest.sequence - reader.position().sequence;
        // What is too old to be said again at once is only folded.
        while newest.sequence - reader.position().sequence > WARM_EVENTS_MAX
            && fold_next(&mut reader, &mut world)?.is_some()
        {}
        let warm = reader.position();
        let tail = || Arc::new(Tail::new(warm.sequence, config.http.tail_bytes_max));
        let tails: Vec<_> =
            config.dialects.iter().filter_map(|name| Some((cordboard_dialects::find(name)?, tail()))).collect();
        let mut voices = Voices::new(Arc::clone(settings), &tails, warm);
        while let Some(event) = fold_next(&mut reader, &mut world)? {
            voices.say(&world, reader.position(), &event);
        }
        voices.hand_on();
        tails.iter().for_each(|(_, tail)| tail.set_durable(newest.sequence));
        let ms = begun.elapsed().as_millis();
        tracing::info!(dir = %dir.display(), position = %newest, folded, ms, founded = report.founded, "log opened");
        let unfinished = unfinished(&log)?;
        let writer = opened.writer.into_background()?;
        Ok(Self { world, reader, writer, log, tails, voices, checkpoints, unfinished, is_unstored })
    }
}

/// The newest stored world that can be used, a reader of what came after it, and whether the newest there is cannot be.
fn stored_world(log: &Log, checkpoints: &Checkpoints) -> Result<(World, Reader, bool), TenantError> {
    let mut is_unstored = false;
    let latest = log.latest_snapshot();
    for damaged in &latest.damaged {
        tracing::warn!(file = damaged.file, why = damaged.why, "a snapshot cannot be used; an older one is taken");
    }
    let newest = log.durable();
    let stored = match latest.snapshot {
        Some(snapshot) => match decode_world(&snapshot.bytes) {
            Ok(world) => Some((snapshot.position.sequence, world)),
            Err(error) => {
                tracing::warn!(%error, "the newest snapshot cannot be used; the state is folded from what came before it");
                is_unstored = true;
                None
            }
        },
        None => None,
    };
    let stored = match stored {
        Some(stored) => Some(stored),
        None => checkpoints.before(log, newest.sequence)?,
    };
    let (sequence, world) = stored.ok_or(TenantError::NoState)?;
    Ok((world, log.reader(Position { epoch: newest.epoch, sequence })?, is_unstored))
}

/// Lets the tails tell what is durable, until the log is closed.
async fn follow_durable(log: Log, tails: Vec<(&'static Dialect, Arc<Tail>)>, metrics: Arc<TenantMetrics>) {
    let mut status = log.status();
    loop {
        let now = *status.borrow_and_update();
        metrics.durable(now.durable.sequence);
        tails.iter().for_each(|(_, tail)| tail.set_durable(now.durable.sequence));
        match now.health {
            Health::Healthy => {}
            Health::DiskFull => tracing::error!(cause = log.cause(), "the log waits for room"),
            Health::Poisoned => {
                tracing::error!(cause = log.cause(), "the log takes no more events until the next start");
                return;
            }
            Health::Closed => return,
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Why a tenant does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is stored cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The beginning of the log was dropped, and no stored state leads over the gap.
    #[error("the log begins in the middle and no stored state can be used; restore the tenant's folder from a backup")]
    NoState,
    /// What is kept for readers by Kafka's protocol cannot be opened.
    #[error(transparent)]
    Topics(#[from] OpenTopicsError),
    /// A password of an agent.
    #[error("agent {agent}: {error}")]
    Password {
        /// Which agent.
        agent: String,
        /// What is wrong.
        error: SecretError,
    },
    /// The loop ended.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The end of the log was not written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] log::ReadError),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A bug of ours.
    #[error("a part of the server ended unexpectedly: {0}")]
    Panicked(String),
}

#[cfg(test)]
mod tests {
    use cordboard_core::{Input, Time, decide};

    use super::*;
    use crate::log::LogConfig;

    #[test]
    fn a_state_that_an_older_program_stored_is_passed_over_and_the_log_folded() {
        let dir = tempfile::tempdir().unwrap();
        let opened = log::open(Arc::new(RealDisk), &dir.path().join("log"), LogConfig::default(), 1).unwrap();
        let (log, mut writer) = (opened.log, opened.writer);
        let found = decide(&World::default(), &Input::Found { tenant: "acme".into(), at: Time(1) });
        writer.append(1, &serde_json::to_vec(&found[0]).unwrap()).unwrap();
        writer.commit().unwrap();
        let (at, old) = (log.durable(), br#"{"version":1,"world":{"a form of before":true}}"#);
        log.store_snapshot(at, old).unwrap();
        let checkpoints = Checkpoints::open(&dir.path().join("checkpoints"), at.epoch, 4).unwrap();
        checkpoints.store(at.sequence, old, 0).unwrap();
        let (mut world, mut reader, is_unstored) = stored_world(&log, &checkpoints).unwrap();
        assert!(is_unstored && reader.position().sequence == 0);
        while fold_next(&mut reader, &mut world).unwrap().is_some() {}
        assert_eq!(world.tenant, "acme");
    }
}
