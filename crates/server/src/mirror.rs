//! The world as it is told: a second fold of the durable log, for pictures, snapshots and upkeep, away from the loop.
//!
//! Writing down the state of a large centre takes longer than a caller should wait. So the loop's world is never asked;
//! this one follows the log like every other reader, and whatever it shows is durable.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cordboard_core::{Guid, World};
use cordboard_dialects::enreach::ids::Entity;
use cordboard_dialects::{Dialect, Settings, is_private};
use tokio::sync::oneshot;

use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::entities::Entities;
use crate::history::place;
use crate::log::{Log, Position, Reader};
use crate::state::{StateError, encode_world, fold_next};

/// How far behind the loop it may be while nobody asks.
const FOLD_EVERY: Duration = Duration::from_millis(100);
/// Pictures asked for and not yet given; more are refused.
const REQUESTS_MAX: usize = 1_024;

/// What the mirror is told when it is made.
pub struct MirrorSettings {
    /// For messages of a vocabulary.
    pub dialects: Settings,
    /// The state is stored whenever this many events were told since the last time.
    pub snapshot_events: u64,
    /// How often it is looked for what can be dropped.
    pub retain_every: Duration,
    /// The state is stored before anything else: what is stored cannot be read, and so must not let anything be dropped.
    pub store_at_once: bool,
}

/// What is true at a position, as JSON.
#[derive(Clone, Debug)]
pub struct Picture {
    /// All events up to and including this one are in it.
    pub position: Position,
    /// The world in our own vocabulary, or a list of `{"channel","name","key","value"}` in another.
    pub json: Bytes,
}

/// Asks the mirror; clones ask the same one.
#[derive(Clone, Debug)]
pub struct Mirror {
    requests: SyncSender<Request>,
}

struct Ask {
    dialect: &'static Dialect,
    answer: oneshot::Sender<Picture>,
}

/// What those see who look: the world, and what finds things in it by their ids.
pub struct View<'m> {
    world: &'m World,
    entities: &'m Entities,
    /// All events up to and including this one are in it.
    pub position: Position,
}

impl View<'_> {
    /// What has this id; without looking at everything there is.
    #[must_use]
    pub fn find(&self, id: Guid) -> Option<&Entity> {
        self.entities.find(self.world, id)
    }
}

impl std::ops::Deref for View<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        self.world
    }
}

/// Something that looks at the world and sends away what it saw.
type Look = Box<dyn FnOnce(&View<'_>) + Send>;

enum Request {
    Picture(Ask),
    Look(Look),
    Stop,
}

impl Mirror {
    /// Starts a mirror that goes on from `world`, which is the fold of everything up to the reader's position.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        log: Log,
        reader: Reader,
        world: World,
        checkpoints: Arc<Checkpoints>,
        settings: MirrorSettings,
        clock: Clock,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, inbox) = sync_channel(REQUESTS_MAX);
        let stored = reader.position().sequence;
        let entities = Entities::new(&world);
        let follower = Follower { log, reader, world, entities, checkpoints, settings, clock, stored };
        let thread = std::thread::Builder::new().name("mirror".to_owned()).spawn(move || follower.run(&inbox))?;
        Ok((Self { requests }, thread))
    }

    /// What is true now.
    ///
    /// # Errors
    /// [`MirrorError`] where too many ask, or the log cannot be read.
    pub async fn picture(&self, dialect: &'static Dialect) -> Result<Picture, MirrorError> {
        let (answer, picture) = oneshot::channel();
        self.requests.try_send(Request::Picture(Ask { dialect, answer })).map_err(|_| MirrorError::Busy)?;
        picture.await.map_err(|_| MirrorError::Gone)
    }

    /// What `look` makes of what is true now. It runs on the mirror's thread, where it keeps nobody waiting but others
    /// who look; all the same it should take no longer than a page of a list does.
    ///
    /// # Errors
    /// [`MirrorError`] where too many ask, or the log cannot be read.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> T + Send + 'static,
    ) -> Result<T, MirrorError> {
        let (answer, seen) = oneshot::channel();
        // Who went away meanwhile needs no answer.
        let look: Look = Box::new(move |view| drop(answer.send(look(view))));
        self.requests.try_send(Request::Look(look)).map_err(|_| MirrorError::Busy)?;
        seen.await.map_err(|_| MirrorError::Gone)
    }

    /// Stores the state one last time and ends.
    pub fn stop(&self) {
        // It has ended by itself where nobody takes this.
        _ = self.requests.send(Request::Stop);
    }
}

struct Follower {
    log: Log,
    reader: Reader,
    world: World,
    entities: Entities,
    checkpoints: Arc<Checkpoints>,
    settings: MirrorSettings,
    clock: Clock,
    /// The position of the newest stored state.
    stored: u64,
}

impl Follower {
    fn run(mut self, inbox: &Receiver<Request>) {
        let mut retained = Instant::now();
        if self.settings.store_at_once {
            self.store();
        }
        loop {
            let first = match inbox.recv_timeout(FOLD_EVERY) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Request::Stop),
            };
            if let Err(error) = self.fold() {
                tracing::error!(%error, "the state cannot be followed any more; pictures are refused until the next start");
                return;
            }
            let mut asked = Vec::new();
            for request in first.into_iter().chain(inbox.try_iter()) {
                match request {
                    Request::Picture(ask) => asked.push(ask),
                    Request::Look(look) => look(&self.view()),
                    Request::Stop => return self.store_if_new(),
                }
            }
            self.answer(asked);
            if retained.elapsed() >= self.settings.retain_every {
                retained = Instant::now();
                self.retain();
            }
        }
    }

    fn fold(&mut self) -> Result<(), StateError> {
        while let Some(event) = fold_next(&mut self.reader, &mut self.world)? {
            self.entities.note(&self.world, &event);
            if self.reader.position().sequence - self.stored >= self.settings.snapshot_events {
                self.store();
            }
        }
        Ok(())
    }

    fn view(&self) -> View<'_> {
        View { world: &self.world, entities: &self.entities, position: self.reader.position() }
    }

    /// Everybody who asks at the same time gets the same picture.
    fn answer(&self, mut asked: Vec<Ask>) {
        while let Some(dialect) = asked.first().map(|ask| ask.dialect) {
            let position = self.reader.position();
            let json = picture(&self.settings.dialects, dialect, &self.world, position);
            let (now, later) = asked.into_iter().partition(|ask| ask.dialect.name == dialect.name);
            asked = later;
            for ask in now {
                // Who went away meanwhile needs no answer.
                _ = ask.answer.send(Picture { position, json: json.clone() });
            }
        }
    }

    fn store_if_new(&mut self) {
        if self.reader.position().sequence > self.stored {
            self.store();
        }
    }

    fn store(&mut self) {
        let position = self.reader.position();
        // Tried again only after as many events more: a disk that refuses is not asked for every event.
        self.stored = position.sequence;
        let done = encode_world(&self.world).map_err(|error| error.to_string()).and_then(|bytes| {
            self.log.store_snapshot(position, &bytes).map_err(|error| error.to_string())?;
            self.checkpoints
                .store(position.sequence, &bytes, self.log.oldest().sequence)
                .map_err(|error| error.to_string())?;
            Ok(bytes.len())
        });
        match done {
            Ok(bytes) => tracing::debug!(%position, bytes, "state stored"),
            Err(error) => tracing::error!(%position, error, "the state cannot be stored; the log grows until it can"),
        }
    }

    fn retain(&mut self) {
        let now_us = self.clock.now().0;
        let done = self.log.retain(now_us).and_then(|report| {
            if report.snapshot_due {
                self.store_if_new();
                return self.log.retain(now_us);
            }
            Ok(report)
        });
        match done {
            Ok(report) if report.segments_dropped > 0 => {
                let (bytes, oldest) = (report.bytes_dropped, report.oldest);
                tracing::info!(bytes, %oldest, "old events dropped");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "old events cannot be dropped"),
        }
    }
}

/// A world in a vocabulary: in our own it is shown as it is, in others by the messages that lead to it.
fn picture(settings: &Settings, dialect: &Dialect, world: &World, position: Position) -> Bytes {
    let own = dialect.name == own_dialect().name;
    let json = if own {
        serde_json::to_vec(world)
    } else {
        let mut messages = Vec::new();
        (dialect.snapshot)(settings, world, place(position), &mut messages);
        // A picture is for all who read; what is for one client only is no part of it.
        messages.retain(|message| !is_private(message.channel));
        let said: Result<Vec<Said<'_>>, _> = messages
            .iter()
            .map(|message| {
                let value = serde_json::from_str(&message.value)?;
                Ok::<_, serde_json::Error>(Said {
                    channel: message.channel,
                    name: message.name,
                    key: &message.key,
                    value,
                })
            })
            .collect();
        said.and_then(|said| serde_json::to_vec(&said))
    };
    // What we say is JSON; an empty picture would be found by every test.
    Bytes::from(json.unwrap_or_default())
}

#[derive(serde::Serialize)]
struct Said<'a> {
    channel: &'a str,
    name: &'a str,
    key: &'a str,
    value: &'a serde_json::value::RawValue,
}

/// Our own vocabulary.
#[must_use]
pub fn own_dialect() -> &'static Dialect {
    &cordboard_dialects::plain::DIALECT
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Too many ask at once.
    #[error("too many ask for a snapshot at once; try again in a moment")]
    Busy,
    /// The mirror has ended.
    #[error("the state is not available: the server stops, or its log cannot be read")]
    Gone,
}
