//! The one loop of a tenant: observe, decide, append, evolve, say. It alone changes the world; nothing waits for it.
//!
//! Events and their messages are made visible by the durable log, not by the loop: see [`crate::tail`]. Requests come in
//! and are answered by `desk`; what a switch is to do leaves by `orders`.

mod desk;
pub mod orders;
pub mod work;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_core::event::{Asked, RequestFact, SwitchFact};
use cordboard_core::observation::{RequestSeen, Seen, SwitchSeen};
use cordboard_core::request::Refusal;
use cordboard_core::{
    Event, Fact, Input, Observation, Origin, Request, RequestId, World, decide, evolve, known, order,
};
use cordboard_dialects::{Dialect, Message, Settings};
use tokio::sync::mpsc;

use desk::Desk;
pub use desk::DeskLimits;
use orders::{NotGiven, Orders};
use work::{CallName, Find, FoundCall, NotTaken, Question, Work};

use crate::clock::Clock;
use crate::history::place;
use crate::log::{AppendError, LogWriter, Position};
use crate::metrics::{Outcome, TenantMetrics};
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
    desk: Desk,
    orders: Orders,
    /// The newest event told.
    last: Position,
    /// What the configuration asks for, before anybody else.
    configured: Vec<Request>,
    /// What is to be observed next, because an order could not be given.
    refused: VecDeque<Observation>,
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

/// What a loop is made of.
pub struct Parts {
    /// The fold of everything in the log.
    pub world: World,
    /// The log, up to this position.
    pub writer: LogWriter,
    /// The newest event in it.
    pub last: Position,
    /// What says the events.
    pub voices: Voices,
    /// Time.
    pub clock: Clock,
    /// What is known of the phone systems.
    pub sources: Arc<Sources>,
    /// What is counted.
    pub metrics: Arc<TenantMetrics>,
    /// Ways to the phone systems.
    pub orders: Orders,
    /// Limits of requests.
    pub limits: DeskLimits,
    /// What the configuration asks for, see [`crate::configured`].
    pub configured: Vec<Request>,
}

impl Engine {
    /// A loop that goes on from where the parts are.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { world, writer, last, voices, clock, sources, metrics, orders, limits, configured } = parts;
        let desk = Desk::new(limits, Arc::clone(&metrics));
        let (refused, record) = (VecDeque::new(), Vec::new());
        Self { world, writer, voices, clock, sources, metrics, desk, orders, last, configured, refused, record }
    }

    /// Runs until nobody is left who could send work, then until all is durable; gives back the writer. Begins with what
    /// a crash left `unfinished`, and with requests that nobody will answer any more.
    ///
    /// # Errors
    /// [`EngineError`] when the log takes nothing more.
    pub async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Work>,
        batch_inputs_max: usize,
        tenant: String,
        unfinished: Vec<Event>,
    ) -> Result<LogWriter, EngineError> {
        if let Some(last) = self.tell_all(unfinished).await? {
            tracing::warn!(position = %last, "the rest of what was being told in the crash was told");
        }
        let found = Input::Found { tenant, at: self.clock.now() };
        self.take([Work::Input(found)]).await?;
        self.take(self.left_connected()).await?;
        self.take(self.left_open("Cordboard was restarted before the answer came")).await?;
        self.take_configured().await?;
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
            self.take(elapsed.into_iter().map(Work::Input).chain(batch.drain(..))).await?;
        }
        self.take(self.left_open("Cordboard stopped before the answer came")).await?;
        self.take(self.left_connected()).await?;
        tokio::task::block_in_place(|| self.writer.flush(FLUSH_MAX))
            .then_some(self.writer)
            .ok_or(EngineError::NotDurable)
    }

    /// What is configured is asked for like anything else, and so written down; a refusal is for people to read.
    async fn take_configured(&mut self) -> Result<(), EngineError> {
        for request in std::mem::take(&mut self.configured) {
            let (at, client) = (self.clock.now(), request.client.clone());
            let events = decide(&self.world, &Input::Requested { at, request });
            for event in &events {
                if let Fact::Request { fact: RequestFact::Refused { why, .. }, .. } = &event.fact {
                    tracing::warn!(why, "the directory is not brought to what is configured");
                }
            }
            self.tell_all(events).await?;
            self.take([Input::Left { at, client }]).await?;
        }
        Ok(())
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

    /// Requests that nobody answers any more: before the first link runs, and after the last.
    fn left_open(&self, what: &str) -> Vec<Input> {
        let why = format!("{what}; whether it was done is not known: look at the state, and ask again where need be");
        let refuse = |id: &RequestId| {
            let given = NotGiven { refusal: Refusal::TimedOut, why: why.clone() };
            Input::Observed(self.refusal(*id, String::new(), given))
        };
        // The core passes over those that were answered by the newest event.
        self.world.requests.keys().map(refuse).collect()
    }

    fn refusal(&self, request: RequestId, switch: String, NotGiven { refusal, why }: NotGiven) -> Observation {
        let seen = Seen::Request { request, seen: RequestSeen::Refuse { refusal, why } };
        let (at, origin) = (self.clock.now(), Origin::Synthesised);
        Observation { at, since: None, origin, switch, request: Some(request), seen }
    }

    async fn take(&mut self, all: impl IntoIterator<Item = impl Into<Work>>) -> Result<(), EngineError> {
        let (begun, mut last) = (Instant::now(), None);
        for work in all {
            last = self.work(work.into()).await?.or(last);
            while let Some(refused) = self.refused.pop_front() {
                last = self.tell_all(decide(&self.world, &Input::Observed(refused))).await?.or(last);
            }
        }
        self.voices.hand_on();
        if let Some(last) = last {
            self.metrics.appended(last.sequence, begun);
        }
        Ok(())
    }

    async fn work(&mut self, work: Work) -> Result<Option<Position>, EngineError> {
        match work {
            Work::Input(input) => self.tell_all(decide(&self.world, &input)).await,
            Work::Asked(question) => self.ask(*question).await,
            Work::Left(leave) => {
                let known = self.world.clients.contains_key(&leave.client);
                let left = Input::Left { at: self.clock.now(), client: leave.client };
                let told = self.tell_all(decide(&self.world, &left)).await?;
                // Who went away meanwhile needs no answer, here and below.
                _ = leave.reply.send((known, self.last));
                Ok(told)
            }
            Work::Find(find) => {
                let found = self.find(&find);
                _ = find.reply.send((found, self.last));
                Ok(None)
            }
        }
    }

    /// A request: one that came before is answered again, a new one is judged, told and, where it is a switch's,
    /// ordered.
    async fn ask(&mut self, question: Question) -> Result<Option<Position>, EngineError> {
        let Question { mut request, permit, dialect, reply } = question;
        let (reference, before) = known(&self.world, &request);
        if let Some(id) = before {
            self.desk.again((id, reference, self.last), &request, dialect, reply);
            return Ok(None);
        }
        if let Err(why) = self.desk.admit(&self.world, &request) {
            self.metrics.request(Outcome::NotTaken);
            _ = reply.send(Err(why));
            return Ok(None);
        }
        let forbidden = permit.check(&self.world, &request).err();
        let is_forbidden = forbidden.is_some();
        let too_many = || Some((Refusal::Busy, self.desk.too_many_registrations(&self.world, &request)?));
        request.refused =
            forbidden.map(|why| (Refusal::NotAllowed, why)).or_else(|| request.refused.clone()).or_else(too_many);
        let input = Input::Requested { at: self.clock.now(), request };
        let events = decide(&self.world, &input);
        let Input::Requested { request, .. } = &input else { return Ok(None) };
        let Some(id) = events.first().and_then(|asked| asked.request) else {
            _ = reply.send(Err(NotTaken::Reused { reference }));
            return Ok(None);
        };
        self.desk.begin(id, reference, request, is_forbidden, dialect, reply);
        let told = self.tell_all(events).await?;
        if told.is_none() {
            self.desk.was_not_told(id);
        }
        Ok(told)
    }

    fn find(&self, find: &Find) -> Option<FoundCall> {
        let (_, call) = match &find.name {
            CallName::Key(key) => self.world.call_by_key(&find.switch, key),
            CallName::Conn(conn) => self.world.call_by_conn(*conn).filter(|(_, call)| call.switch == find.switch),
        }?;
        Some(FoundCall { key: call.keys.last()?.clone(), conn: call.conn })
    }

    /// What follows from one input belongs together: each event's record carries those after it, so that a start after a
    /// crash in between can tell the rest.
    async fn tell_all(&mut self, events: Vec<Event>) -> Result<Option<Position>, EngineError> {
        let (mut last, mut left) = (None, events.as_slice());
        while let [event, rest @ ..] = left {
            encode_record(&mut self.record, event, rest).map_err(|error| EngineError::Form(error.to_string()))?;
            let told = self.tell(event).await?;
            if told.is_none() && matches!(&event.fact, Fact::Request { fact: RequestFact::Asked(_), .. }) {
                // What nobody can read later was not asked.
                return Ok(None);
            }
            last = told.or(last);
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
        self.last = position;
        self.note(event);
        self.voices.say(&self.world, position, event);
        self.desk.hear(&self.voices.settings, &self.world, position, event);
        if let Fact::Request { request, fact: RequestFact::Asked(asked) } = &event.fact {
            self.order(*request, position, asked);
        }
        Ok(Some(position))
    }

    /// Gives the switch its order, where there is one to give.
    fn order(&mut self, request: RequestId, position: Position, asked: &Asked) {
        let Some((switch, order)) = order(&self.world, request) else { return };
        if let Err(why) = self.orders.give(&switch, order, position, asked.deadline) {
            let refusal = self.refusal(request, switch, why);
            self.refused.push_back(refusal);
        }
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
