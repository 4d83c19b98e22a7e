//! The one loop of a tenant: observe, decide, append, evolve, say. It alone changes the world; nothing waits for it.
//!
//! Events and their messages are made visible by the durable log, not by the loop: see [`crate::tail`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_core::event::SwitchFact;
use cordboard_core::observation::{Seen, SwitchSeen};
use cordboard_core::{Event, Fact, Input, Observation, Origin, World, decide, evolve};
use cordboard_dialects::{Dialect, Message, Settings};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::history::place;
use crate::log::{AppendError, LogWriter, Position};
use crate::metrics::TenantMetrics;
use crate::sources::Sources;
use crate::state::encode_record;
use crate::tail::{ChunkBuilder, Tail};

/// Messages of a batch are handed on when they have this many bytes, however many more follow.
const CHUNK_BYTES: usize = 128 * 1024;
/// How long the loop waits when too much waits for the disk.
const BACKLOG_WAIT: Duration = Duration::from_millis(1);
/// How long the disk may take to make the rest durable at the end.
const FLUSH_MAX: Duration = Duration::from_secs(20);
/// The longest sleep; timers of centuries need not fit into the runtime's clock.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// The loop, before it runs.
pub struct Engine {
    world: World,
    writer: LogWriter,
    voices: Voices,
    clock: Clock,
    sources: Arc<Sources>,
    metrics: Arc<TenantMetrics>,
    record: Vec<u8>,
}

/// All vocabularies that events are said in.
pub struct Voices {
    settings: Arc<Settings>,
    all: Vec<Voice>,
    messages: Vec<Message>,
}

struct Voice {
    dialect: &'static Dialect,
    tail: Arc<Tail>,
    chunk: ChunkBuilder,
}

impl Voices {
    /// Says the events after `after` in these vocabularies.
    #[must_use]
    pub fn new(settings: Arc<Settings>, tails: &[(&'static Dialect, Arc<Tail>)], after: Position) -> Self {
        let first = Position { epoch: after.epoch, sequence: after.sequence + 1 };
        let voice = |(dialect, tail): &(&'static Dialect, Arc<Tail>)| Voice {
            dialect,
            tail: Arc::clone(tail),
            chunk: ChunkBuilder::new(first),
        };
        Self { settings, all: tails.iter().map(voice).collect(), messages: Vec::new() }
    }

    /// Says an event, in the world right after it.
    pub fn say(&mut self, world: &World, position: Position, event: &Event) {
        let Self { settings, all, messages } = self;
        for voice in all {
            messages.clear();
            (voice.dialect.project)(settings, world, place(position), event, messages);
            voice.chunk.push(messages);
            if voice.chunk.bytes() >= CHUNK_BYTES {
                voice.hand_on();
            }
        }
    }

    /// Hands everything said to the tails.
    pub fn hand_on(&mut self) {
        self.all.iter_mut().for_each(Voice::hand_on);
    }
}

impl Voice {
    fn hand_on(&mut self) {
        if let Some(chunk) = self.chunk.take() {
            self.tail.push(chunk);
        }
    }
}

impl Engine {
    /// A loop that goes on from `world`, the fold of everything in the log.
    #[must_use]
    pub fn new(
        world: World,
        writer: LogWriter,
        voices: Voices,
        clock: Clock,
        sources: Arc<Sources>,
        metrics: Arc<TenantMetrics>,
    ) -> Self {
        Self { world, writer, voices, clock, sources, metrics, record: Vec::new() }
    }

    /// Runs until nobody is left who could send an observation, then until all is durable; gives back the writer. Begins
    /// with what a crash left `unfinished`.
    ///
    /// # Errors
    /// [`EngineError`] when the log takes nothing more.
    pub async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Observation>,
        batch_inputs_max: usize,
        tenant: String,
        unfinished: Vec<Event>,
    ) -> Result<LogWriter, EngineError> {
        if let Some(last) = self.tell_all(unfinished).await? {
            tracing::warn!(position = %last, "the rest of what was being told in the crash was told");
        }
        let found = Input::Found { tenant, at: self.clock.now() };
        self.take([found]).await?;
        self.take(self.left_connected()).await?;
        let mut batch = Vec::with_capacity(batch_inputs_max);
        loop {
            let sleep = self.world.next_timer().map(|due| self.clock.until(due).min(SLEEP_MAX));
            let timer = async move {
                match sleep {
                    Some(sleep) => tokio::time::sleep(sleep).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                taken = inputs.recv_many(&mut batch, batch_inputs_max) => {
                    if taken == 0 {
                        break;
                    }
                }
                () = timer => {}
            }
            // Timers due before an observation take effect before it.
            let elapsed = self.timer_is_due().then(|| Input::Elapsed(self.clock.now()));
            self.take(elapsed.into_iter().chain(batch.drain(..).map(Input::Observed))).await?;
        }
        self.take(self.left_connected()).await?;
        tokio::task::block_in_place(|| self.writer.flush(FLUSH_MAX))
            .then_some(self.writer)
            .ok_or(EngineError::NotDurable)
    }

    fn timer_is_due(&self) -> bool {
        self.world.next_timer().is_some_and(|due| due <= self.clock.now())
    }

    /// Sources that the world takes for connected while nobody listens to them: after a crash, and when we stop.
    fn left_connected(&self) -> Vec<Input> {
        let at = self.clock.now();
        let gone = |switch: &String| {
            let reason = "Cordboard does not listen".to_owned();
            let seen = Seen::Switch(SwitchSeen::Disconnect { reason });
            Input::Observed(Observation {
                at,
                since: None,
                origin: Origin::Synthesised,
                switch: switch.clone(),
                request: None,
                seen,
            })
        };
        self.world.switches.iter().filter(|(_, switch)| switch.connected).map(|(name, _)| gone(name)).collect()
    }

    async fn take(&mut self, inputs: impl IntoIterator<Item = Input>) -> Result<(), EngineError> {
        let (begun, mut last) = (Instant::now(), None);
        for input in inputs {
            last = self.tell_all(decide(&self.world, &input)).await?.or(last);
        }
        self.voices.hand_on();
        if let Some(last) = last {
            self.metrics.appended(last.sequence, begun);
        }
        Ok(())
    }

    /// What follows from one input belongs together: each event's record carries those after it, so that a start after a
    /// crash in between can tell the rest.
    async fn tell_all(&mut self, events: Vec<Event>) -> Result<Option<Position>, EngineError> {
        let (mut last, mut left) = (None, events.as_slice());
        while let [event, rest @ ..] = left {
            encode_record(&mut self.record, event, rest).map_err(|error| EngineError::Form(error.to_string()))?;
            last = self.tell(event).await?.or(last);
            left = rest;
        }
        Ok(last)
    }

    /// Log first, then evolve, then say.
    async fn tell(&mut self, event: &Event) -> Result<Option<Position>, EngineError> {
        let position = loop {
            match self.writer.append(event.at.0, &self.record) {
                Ok(position) => break position,
                Err(AppendError::Backlog { .. }) => {
                    self.voices.hand_on();
                    self.metrics.backlog();
                    tokio::time::sleep(BACKLOG_WAIT).await;
                }
                Err(error @ AppendError::TooLarge { .. }) => {
                    self.metrics.refused();
                    tracing::error!(%error, "an event is not told");
                    return Ok(None);
                }
                Err(error @ (AppendError::Poisoned { .. } | AppendError::Closed)) => return Err(error.into()),
            }
        };
        evolve(&mut self.world, event);
        self.note(event);
        self.voices.say(&self.world, position, event);
        Ok(Some(position))
    }

    fn note(&self, event: &Event) {
        self.metrics.event(event.origin);
        if let Fact::Switch { switch, fact } = &event.fact {
            match fact {
                SwitchFact::Connected { version } => {
                    tracing::info!(switch, version, "source is live");
                    self.sources.set_live(switch, event.at);
                }
                SwitchFact::Disconnected { reason } => {
                    tracing::warn!(switch, reason, "source is not live; what is known of it is stale");
                    self.sources.set_stale(switch, event.at, reason);
                }
            }
        }
    }
}

/// Why the loop ended.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The log takes nothing more.
    #[error(transparent)]
    Log(#[from] AppendError),
    /// An event has no JSON form.
    #[error("an event cannot be written: {0}")]
    Form(String),
    /// The end of the log did not become durable.
    #[error("the disk did not take the last events in time; they were told to nobody")]
    NotDurable,
}
