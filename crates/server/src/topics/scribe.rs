//! Writes what happened into the topics of one tenant: with a fold of the durable log of its own, in a thread of its own.
//!
//! It reads the log like every other reader, says each event once in every vocabulary that has topics, and writes the
//! messages down together with the place up to which everything is in. After a crash it goes on right there, so that no
//! message is missing and none is written twice, also where another version of this program would say it differently.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordboard_core::{Event, Origin, World};
use cordboard_dialects::enreach::ids;
use cordboard_dialects::{Dialect, Message, Settings, schema_path};
use cordboard_kafka::batch::NewRecord;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use uuid::Uuid;

use super::{CommitTopicsError, Topic, TopicWriter, headers};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::config;
use crate::history::place;
use crate::log::{Log, Position, ReadError, Reader};
use crate::state::{StateError, fold_next};

/// The longest time without looking whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Events that are written together at most.
const EVENTS_AT_ONCE: usize = 8_192;
/// How long to wait before a full disk is tried again.
const DISK_FULL_PAUSE: Duration = Duration::from_millis(500);

/// What a scribe is made of.
pub struct ScribeParts {
    /// The name of the tenant.
    pub tenant: String,
    /// The log of the tenant.
    pub log: Log,
    /// Worlds of old positions.
    pub checkpoints: Arc<Checkpoints>,
    /// What the site chose about the vocabularies.
    pub settings: Arc<Settings>,
    /// What becomes a record, as [`telling`] says it.
    pub telling: Vec<(&'static Dialect, &'static str)>,
    /// Where records are kept; its topics are in the order of `telling`.
    pub writer: TopicWriter,
    /// Its limits.
    pub limits: config::Topics,
    /// How often it is looked for records that can be dropped.
    pub retain_every: Duration,
    /// What paths of schemas are appended to.
    pub schema_base: String,
    /// Time.
    pub clock: Clock,
    /// The time from an event until it can be read from topics, in seconds.
    pub written_after: Histogram,
}

/// What a scribe counts.
#[derive(Clone, Default)]
pub struct ScribeCounts {
    /// Records written.
    pub records: Counter,
    /// The bytes of their keys and values.
    pub bytes: Counter,
    /// Events that the log dropped before they were written.
    pub lost: Counter,
}

/// The topics of these vocabularies, in the order in which they are kept.
#[must_use]
pub fn telling(dialects: &[String]) -> Vec<(&'static Dialect, &'static str)> {
    let spoken = dialects.iter().filter_map(|name| cordboard_dialects::find(name));
    spoken.flat_map(|dialect| dialect.topics.iter().map(move |topic| (dialect, *topic))).collect()
}

/// The same as the store wants them.
#[must_use]
pub fn topics(telling: &[(&'static Dialect, &'static str)], partitions: u32) -> Vec<Topic> {
    telling.iter().map(|(_, name)| Topic { name: (*name).to_owned(), partitions }).collect()
}

/// What others see of a scribe.
#[derive(Clone)]
pub struct Scribe(Arc<Shared>);

struct Shared {
    log: Log,
    written: AtomicU64,
    is_running: AtomicBool,
    stop: AtomicBool,
    lag_events_max: u64,
    counts: ScribeCounts,
}

impl Scribe {
    /// Starts a scribe that goes on from where its writer is.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(parts: ScribeParts) -> std::io::Result<(Self, JoinHandle<()>)> {
        let shared = Arc::new(Shared {
            log: parts.log.clone(),
            written: AtomicU64::new(parts.writer.upto().sequence),
            is_running: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            lag_events_max: parts.limits.lag_events_max,
            counts: ScribeCounts::default(),
        });
        let desk = Desk::new(Arc::clone(&shared), parts);
        let thread = std::thread::Builder::new().name("scribe".to_owned()).spawn(move || desk.run())?;
        Ok((Self(shared), thread))
    }

    /// Lets it end once everything durable is written.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
    }

    /// Events that are durable and not written yet.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.0.log.durable().sequence.saturating_sub(self.0.written.load(Ordering::Acquire))
    }

    /// What it counted.
    #[must_use]
    pub fn counts(&self) -> &ScribeCounts {
        &self.0.counts
    }

    /// Whether it writes anything.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running.load(Ordering::Acquire)
    }

    /// Whether it runs and is as close behind the log as it should be.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_running() && self.behind() <= self.0.lag_events_max
    }
}

/// The scribe's thread.
struct Desk {
    shared: Arc<Shared>,
    parts: ScribeParts,
    /// The namespace of the ids of messages.
    namespace: Uuid,
    /// Each vocabulary once, with its topics: channel and number.
    dialects: Vec<(&'static Dialect, Vec<(&'static str, u32)>)>,
    schemas: BTreeMap<(&'static str, &'static str), String>,
    messages: Vec<Message>,
}

impl Desk {
    fn new(shared: Arc<Shared>, parts: ScribeParts) -> Self {
        let mut dialects: Vec<(&'static Dialect, Vec<(&'static str, u32)>)> = Vec::new();
        for ((dialect, channel), topic) in parts.telling.iter().zip(0..) {
            match dialects.iter_mut().find(|(known, _)| known.name == dialect.name) {
                Some((_, topics)) => topics.push((channel, topic)),
                None => dialects.push((dialect, vec![(channel, topic)])),
            }
        }
        let namespace = Uuid::from_u128(ids::organisation(&parts.tenant).0);
        Self { shared, parts, namespace, dialects, schemas: BTreeMap::new(), messages: Vec::new() }
    }

    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let ended = self.write_until_stopped();
        shared.is_running.store(false, Ordering::Release);
        let tenant = &self.parts.tenant;
        if let Err(error) = ended.and_then(|()| Ok(self.parts.writer.close()?)) {
            tracing::error!(%error, tenant, "topics cannot be written any more until the next start; what is in them can be read");
        }
    }

    fn write_until_stopped(&mut self) -> Result<(), ScribeError> {
        let (mut reader, mut world) = self.begin()?;
        let (mut retained, mut committed) = (Instant::now(), Instant::now());
        let pause = Duration::from_millis(self.parts.limits.write_ms_min);
        loop {
            // Looked at first: what was durable when it was asked to stop is written.
            let stops = self.shared.stop.load(Ordering::Acquire);
            let newest = self.write(&mut reader, &mut world)?;
            if let Some(newest) = newest {
                committed = Instant::now();
                self.parts.written_after.observe(self.parts.clock.now().micros_since(newest) as f64 / 1e6);
            } else if stops {
                return Ok(());
            }
            if retained.elapsed() >= self.parts.retain_every {
                retained = Instant::now();
                self.retain()?;
            }
            if newest.is_none() {
                self.wait(&reader, pause.saturating_sub(committed.elapsed()));
            }
        }
    }

    /// Until there is something to write, or to look at.
    fn wait(&self, reader: &Reader, pause: Duration) {
        if reader.wait(LOOK_EVERY) {
            // What comes right after a write is written together with what follows.
            std::thread::sleep(pause);
        } else if self.parts.log.status().borrow().health.is_over() {
            // Nothing will ever come, and the log does not wait for it.
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Goes to the place right after what is written.
    fn begin(&self) -> Result<(Reader, World), ScribeError> {
        let ScribeParts { log, checkpoints, writer, tenant, .. } = &self.parts;
        let (upto, newest) = (writer.upto(), log.durable());
        // Nothing before this can be said: the world of that time is not known any more.
        let oldest = checkpoints.oldest(log).unwrap_or(newest.sequence);
        let after = match log.reader(upto) {
            Ok(_) if upto.sequence >= oldest => upto.sequence,
            Err(ReadError::BeyondEnd { .. }) => return Err(ScribeError::Ahead { upto, newest }),
            Ok(_) | Err(ReadError::Gone { .. } | ReadError::OtherEpoch { .. }) => {
                if upto.sequence > 0 && upto.epoch == newest.epoch {
                    let lost = oldest.saturating_sub(upto.sequence);
                    self.shared.counts.lost.inc_by(lost);
                    tracing::error!(%upto, tenant, lost, "topics lack events that cannot be said any more; they go on with the oldest that can");
                }
                oldest
            }
            Err(error @ (ReadError::Damaged { .. } | ReadError::Io(_))) => return Err(StateError::from(error).into()),
        };
        let Some((at, mut world)) = checkpoints.before(log, after)? else {
            let oldest = log.oldest();
            return Err(StateError::from(ReadError::Gone { asked: upto, oldest }).into());
        };
        let mut reader = log.reader(Position { epoch: newest.epoch, sequence: at }).map_err(StateError::from)?;
        while reader.position().sequence < after && fold_next(&mut reader, &mut world)?.is_some() {}
        Ok((reader, world))
    }

    /// Writes what is new, some of it; the time of its newest event.
    fn write(&mut self, reader: &mut Reader, world: &mut World) -> Result<Option<cordboard_core::Time>, ScribeError> {
        let mut newest = None;
        for _ in 0..EVENTS_AT_ONCE {
            if self.parts.writer.pending_bytes() >= self.parts.limits.batch_bytes_max {
                break;
            }
            let Some(event) = fold_next(reader, world)? else { break };
            self.append(world, reader.position(), &event);
            newest = Some(event.at);
        }
        if newest.is_some() {
            self.commit(reader.position())?;
        }
        Ok(newest)
    }

    fn append(&mut self, world: &World, at: Position, event: &Event) {
        let origin = match event.origin {
            Origin::Live => "live",
            Origin::Synthesised => "synthesised",
        };
        let (position, timestamp_ms) = (at.to_string(), i64::try_from(event.at.0 / 1_000).unwrap_or(i64::MAX));
        for (dialect, topics) in &self.dialects {
            self.messages.clear();
            (dialect.project)(&self.parts.settings, world, place(at), event, &mut self.messages);
            let topic_of = |channel: &str| topics.iter().find(|(name, _)| *name == channel).map(|(_, topic)| *topic);
            let records = self.messages.iter().filter_map(|it| Some((topic_of(it.channel)?, it)));
            for (number, (topic, message)) in records.enumerate() {
                let id = message_id(self.namespace, dialect.name, at, number).hyphenated().to_string();
                let schema = self.schemas.entry((dialect.name, message.name)).or_insert_with(|| {
                    format!("{}{}", self.parts.schema_base, schema_path(&self.parts.settings, dialect, message.name))
                });
                let all = [
                    (headers::TENANT, self.parts.tenant.as_bytes()),
                    (headers::POSITION, position.as_bytes()),
                    (headers::EVENT_ID, id.as_bytes()),
                    (headers::ORIGIN, origin.as_bytes()),
                    (headers::SCHEMA, schema.as_bytes()),
                ];
                let (key, value) = (message.key.as_bytes(), message.value.as_bytes());
                self.parts.writer.append(topic, &NewRecord { timestamp_ms, key, value, headers: &all });
                self.shared.counts.records.inc();
                self.shared.counts.bytes.inc_by((key.len() + value.len()) as u64);
            }
        }
    }

    /// Waits for room where the disk is full; the log does the same.
    fn commit(&mut self, upto: Position) -> Result<(), ScribeError> {
        let mut told = false;
        loop {
            match self.parts.writer.commit(upto) {
                Ok(()) => break,
                Err(error @ CommitTopicsError::DiskFull(_)) if !self.shared.stop.load(Ordering::Acquire) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(%error, tenant = self.parts.tenant, "topics wait for room on the disk");
                    }
                    // What may be dropped makes room; it needs none itself.
                    self.retain()?;
                    std::thread::sleep(DISK_FULL_PAUSE);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.shared.written.store(upto.sequence, Ordering::Release);
        Ok(())
    }

    /// What the log no longer has, topics drop as well.
    fn retain(&mut self) -> Result<(), ScribeError> {
        let oldest = self.parts.log.oldest();
        if oldest.sequence == 0 {
            return Ok(());
        }
        let first = self.parts.log.reader(oldest).and_then(|mut reader| reader.next());
        let Some(record) = first.map_err(StateError::from)? else { return Ok(()) };
        let oldest_ms = i64::try_from(record.at_us / 1_000).unwrap_or(i64::MAX);
        if let Err(error) = self.parts.writer.retain(oldest_ms) {
            tracing::error!(%error, tenant = self.parts.tenant, "old records of topics cannot be dropped");
        }
        Ok(())
    }
}

/// The id of a message: the same one for ever, on every machine.
fn message_id(namespace: Uuid, dialect: &str, at: Position, number: usize) -> Uuid {
    Uuid::new_v5(&namespace, format!("message:{dialect}:{at}:{number}").as_bytes())
}

/// Why topics are not written any more.
#[derive(Debug, thiserror::Error)]
enum ScribeError {
    /// The log was set back.
    #[error(
        "they hold events up to {upto}, but the log ends with {newest}: it was set back; right would be to restore both from one backup, or to move the folder `topics` away, which gives all records new offsets"
    )]
    Ahead { upto: Position, newest: Position },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] StateError),
    /// They cannot be written.
    #[error(transparent)]
    Topics(#[from] CommitTopicsError),
}

#[cfg(test)]
mod tests;
