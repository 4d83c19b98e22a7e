//! What all ways out share: a cursor on one tenant's stream in one vocabulary.
//!
//! A reader gets messages from the tail in memory while it keeps up, from the log's past where it does not, or a new
//! snapshot where the past is gone. It asks for what it gets, so a slow one keeps nobody else waiting.

pub mod access;
mod asyncapi;
pub(crate) mod body;
#[cfg(test)]
mod committed;
pub mod connection;
pub mod door;
mod happenings;
pub mod http;
pub mod kafka;
mod line;
mod rest;
pub mod rte;
mod schemas;
pub mod signalr;
mod throttle;

use std::sync::Arc;
use std::time::Duration;

use cordboard_dialects::Dialect;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::history::History;
use crate::log::{Position, ReadError};
use crate::metrics::ReaderEntry;
use crate::mirror::Picture;
use crate::state::StateError;
use crate::tail::{Chunk, Read, Tail};
use crate::tenant::Tenant;

/// The longest silence towards whoever reads, who has other things to look after.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With what happens from now on.
    Now,
    /// With the oldest event that is kept.
    Start,
    /// After this position.
    After(Position),
    /// With a snapshot, and what follows it.
    Snapshot,
}

/// What becomes of a reader that is behind what is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It gets every message, from disk.
    Every,
    /// It is told to begin again with a snapshot.
    Latest,
}

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Where to begin.
    pub begin: Begin,
    /// Whether to go on when everything there is was told.
    pub follow: bool,
    /// What to do when it is behind.
    pub delivery: Delivery,
}

/// What a reader is told.
#[derive(Debug)]
pub enum Told {
    /// Messages of the events after one position up to and including another.
    Messages {
        /// Where they are.
        chunk: Arc<Chunk>,
        /// After this.
        after: u64,
        /// Up to this.
        until: u64,
    },
    /// What is true; messages go on right after it.
    Snapshot(Picture),
    /// What was asked for cannot be given: this is true now, messages go on right after it.
    Resync {
        /// Why, as a word for programs.
        reason: &'static str,
        /// Why, in words for people.
        why: String,
        /// What is true.
        picture: Picture,
    },
    /// Nothing, for a while; everything up to here was told.
    Heartbeat(Position),
    /// Nothing, and nothing need be said about it: whoever reads may look around.
    Idle,
    /// It is over, and why.
    Failed(String),
}

/// A cursor.
pub struct EventReader {
    tenant: Arc<Tenant>,
    dialect: &'static Dialect,
    tail: Arc<Tail>,
    bell: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    entry: ReaderEntry,
    delivery: Delivery,
    heartbeat: Duration,
    heartbeat_due: Instant,
    epoch: u32,
    at: u64,
    /// The last position to tell, where the reader does not follow.
    until: Option<u64>,
    first: First,
    past: Option<(Box<History>, OwnedSemaphorePermit)>,
    over: bool,
}

enum First {
    Nothing,
    Snapshot,
    Resync(ReadError),
}

impl EventReader {
    /// A reader that begins as wished.
    #[must_use]
    pub fn new(
        tenant: Arc<Tenant>,
        (dialect, tail): (&'static Dialect, Arc<Tail>),
        wish: Wish,
        heartbeat: Duration,
        entry: ReaderEntry,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let Position { epoch, sequence: _ } = tenant.log().durable();
        let newest = tail.visible();
        let (at, first) = match wish.begin {
            Begin::Now => (newest, First::Nothing),
            Begin::Snapshot => (newest, First::Snapshot),
            Begin::Start => match tenant.checkpoints().oldest(tenant.log()) {
                Some(oldest) => (oldest.min(newest), First::Nothing),
                None => (newest, First::Snapshot),
            },
            Begin::After(position) => match tenant.log().reader(position) {
                Ok(_) => (position.sequence, First::Nothing),
                Err(error) => (newest, First::Resync(error)),
            },
        };
        let bell = tail.bell();
        let until = (!wish.follow).then_some(newest);
        entry.set(at);
        let delivery = wish.delivery;
        Self {
            tenant,
            dialect,
            tail,
            bell,
            stop,
            entry,
            delivery,
            heartbeat,
            heartbeat_due: Instant::now() + heartbeat,
            epoch,
            at,
            until,
            first,
            past: None,
            over: false,
        }
    }

    /// What comes next, within about a second while nothing happens; none when it is over. Not to be cancelled: what was
    /// on its way would be lost.
    pub async fn next(&mut self) -> Option<Told> {
        let told = self.step().await;
        if !matches!(told, Some(Told::Idle)) {
            self.heartbeat_due = Instant::now() + self.heartbeat;
        }
        told
    }

    async fn step(&mut self) -> Option<Told> {
        match std::mem::replace(&mut self.first, First::Nothing) {
            First::Nothing => {}
            First::Snapshot => return Some(self.snapshot(None).await),
            First::Resync(error) => return Some(self.snapshot(Some((reason(&error), error.to_string()))).await),
        }
        while !self.over {
            if self.until.is_some_and(|until| self.at >= until) {
                break;
            }
            let told = match self.tail.read(self.at) {
                Read::Chunk(chunk, visible) => {
                    self.past = None;
                    Some(self.messages(chunk, visible))
                }
                Read::CaughtUp => self.wait().await,
                Read::Behind => match self.delivery {
                    Delivery::Every => self.step_through_past().await,
                    Delivery::Latest => {
                        let why = "this reader is behind what is kept for live readers".to_owned();
                        Some(self.snapshot(Some(("behind", why))).await)
                    }
                },
            };
            self.entry.set(self.at);
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// The place up to which everything was told.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.at }
    }

    /// The tenant whose stream it is.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    fn messages(&mut self, chunk: Arc<Chunk>, visible: u64) -> Told {
        let (after, until) = (self.at, self.until.unwrap_or(u64::MAX).min(visible));
        self.at = until;
        Told::Messages { chunk, after, until }
    }

    /// Waits for the bell. When the server stops, it is over once everything durable was told.
    async fn wait(&mut self) -> Option<Told> {
        let (at, pause) = (self.at, self.pause());
        let (due, position) = (self.heartbeat_due, self.position());
        tokio::select! {
            biased;
            rung = self.bell.wait_for(|visible| *visible > at) => {
                self.over = rung.is_err();
                None
            }
            _ = self.stop.wait_for(|stop| *stop) => {
                self.over = true;
                None
            }
            () = pause => Some(silence(due, position)),
        }
    }

    /// Until the heartbeat is due, or for as long as may be said nothing.
    fn pause(&self) -> impl Future<Output = ()> + use<> {
        tokio::time::sleep_until(self.heartbeat_due.min(Instant::now() + IDLE_MAX))
    }

    async fn snapshot(&mut self, resync: Option<(&'static str, String)>) -> Told {
        self.past = None;
        match self.tenant.mirror().picture(self.dialect).await {
            Ok(picture) => {
                self.at = picture.position.sequence;
                self.entry.set(self.at);
                match resync {
                    None => Told::Snapshot(picture),
                    Some((reason, why)) => {
                        self.tenant.metrics().resync_told();
                        Told::Resync { reason, why, picture }
                    }
                }
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn fail(&mut self, why: String) -> Told {
        self.over = true;
        Told::Failed(why)
    }

    /// Reads a chunk from disk, away from the threads that serve others.
    async fn step_through_past(&mut self) -> Option<Told> {
        let (past, permit) = match self.past.take() {
            Some((past, permit)) => (Some(past), permit),
            None => match self.may_read_disk().await {
                Ok(permit) => (None, permit),
                Err(told) => return told,
            },
        };
        let (tenant, dialect) = (Arc::clone(&self.tenant), self.dialect);
        let (after, until) = (self.position(), self.tail.visible());
        let read = tokio::task::spawn_blocking(move || {
            let mut past = match past {
                Some(past) => past,
                None => Box::new(History::open(tenant.log(), tenant.checkpoints(), dialect, after)?),
            };
            let chunk = past.next(tenant.settings(), until)?;
            Ok::<_, StateError>((past, chunk))
        });
        match read.await {
            Ok(Ok((past, Some(chunk)))) => {
                self.past = Some((past, permit));
                let last = chunk.last();
                Some(self.messages(Arc::new(chunk), last))
            }
            Ok(Ok((_, None))) => Some(self.fail("the log ends before what was told".to_owned())),
            Ok(Err(StateError::Log(error))) if is_lost(&error) => {
                Some(self.snapshot(Some((reason(&error), error.to_string()))).await)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, tenant = self.tenant.name(), "old events cannot be read");
                Some(self.fail("old events cannot be read; the server's log says why".to_owned()))
            }
            Err(error) => Some(self.fail(error.to_string())),
        }
    }

    /// Waits for its turn; meanwhile the reader shows that it lives.
    async fn may_read_disk(&mut self) -> Result<OwnedSemaphorePermit, Option<Told>> {
        let pause = self.pause();
        let (due, position) = (self.heartbeat_due, self.position());
        tokio::select! {
            permit = Arc::clone(self.tenant.history()).acquire_owned() => {
                permit.map_err(|_| Some(Told::Failed("the server stops".to_owned())))
            }
            _ = self.stop.wait_for(|stop| *stop) => {
                self.over = true;
                Err(None)
            }
            () = pause => Err(Some(silence(due, position))),
        }
    }
}

fn silence(heartbeat_due: Instant, position: Position) -> Told {
    if Instant::now() >= heartbeat_due { Told::Heartbeat(position) } else { Told::Idle }
}

/// Whether the place a reader wants is gone, and not only unreadable at the moment.
fn is_lost(error: &ReadError) -> bool {
    match error {
        ReadError::OtherEpoch { .. } | ReadError::Gone { .. } | ReadError::BeyondEnd { .. } => true,
        ReadError::Damaged { .. } | ReadError::Io(_) => false,
    }
}

fn reason(error: &ReadError) -> &'static str {
    match error {
        ReadError::OtherEpoch { .. } => "other_epoch",
        ReadError::Gone { .. } => "gone",
        ReadError::BeyondEnd { .. } => "beyond_end",
        ReadError::Damaged { .. } => "damaged",
        ReadError::Io(_) => "unreadable",
    }
}
