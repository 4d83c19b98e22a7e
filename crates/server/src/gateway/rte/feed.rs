//! The feed of one tenant: a fold of the durable log of its own, in a thread of its own, that tells subscribers.
//!
//! It reads the log like every other reader and follows its bell, so what it tells is durable, and nobody who subscribes
//! is ever waited for by the loop. Everything that is subscribed to belongs to its thread; connections ask it by
//! commands, and it gives them shared bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cordboard_core::{Guid, Time, World};
use cordboard_dialects::Settings;
use cordboard_dialects::enreach::{Said, Touched, ids};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};

use super::answering::Call;
use super::catching::{CatchUp, Step, Stepped};
use super::recent::Recent;
use super::states::States;
use super::subscribers::{ClientId, Subscribers, SubscriptionLimits};
use super::words::Cursor;
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::config::Rte;
use crate::entities::Entities;
use crate::gateway::signalr::hub::HubError;
use crate::gateway::signalr::outbox::{Closing, Outbox};
use crate::log::{Log, Position, Reader};
use crate::permit::Permit;
use crate::state::{StateError, fold_next};

/// Events that are told before it is looked for commands.
const EVENTS_AT_ONCE: usize = 128;
/// Commands that are carried out before it is looked for events.
const COMMANDS_AT_ONCE: usize = 64;
/// How often it is looked for states that somebody found too old.
const STALE_EVERY: Duration = Duration::from_secs(1);

/// What a feed is made of.
pub struct FeedParts {
    /// The name of the tenant.
    pub tenant: String,
    /// The log of the tenant.
    pub log: Log,
    /// Where the fold is.
    pub reader: Reader,
    /// The fold of everything up to there.
    pub world: World,
    /// Worlds of old positions.
    pub checkpoints: Arc<Checkpoints>,
    /// What the site chose about the vocabularies.
    pub settings: Arc<Settings>,
    /// Its limits.
    pub limits: Rte,
    /// Time.
    pub clock: Clock,
    /// The time from an event to its telling.
    pub told_after: Histogram,
}

/// Asks the feed; clones ask the same one.
#[derive(Clone)]
pub struct Feed {
    commands: UnboundedSender<Command>,
    shared: Arc<Shared>,
}

/// What others see of a feed.
pub(super) struct Shared {
    pub(super) log: Log,
    pub(super) checkpoints: Arc<Checkpoints>,
    pub(super) settings: Arc<Settings>,
    /// Leave to read from disk: so many at once.
    pub(super) history: Arc<Semaphore>,
    pub(super) limits: Rte,
    pub(super) organisation: Guid,
    position: AtomicU64,
    is_running: AtomicBool,
    subscriptions: Gauge,
    connections: Gauge,
    told_after: Histogram,
}

/// What connections ask. One of each connection waits for its answer at a time, so that there are never many.
pub(super) enum Command {
    Connect { client: ClientId, user: Arc<str>, permit: Permit, outbox: Arc<Outbox> },
    Left(ClientId),
    Call { client: ClientId, call: Call, answer: oneshot::Sender<Result<Answer, HubError>> },
    Step(Step, oneshot::Sender<Stepped>),
    Failed(ClientId),
    Stop,
}

/// The answer to a call.
pub(super) struct Answer {
    pub(super) result: serde_json::Value,
    /// The past is to be told first, by the catch-up of this number.
    pub(super) catch_up: Option<(u32, Cursor)>,
}

impl Feed {
    /// Starts a feed that goes on from where its parts are.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(parts: FeedParts) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (commands, inbox) = unbounded_channel();
        let organisation = ids::organisation(&parts.tenant);
        let shared = Arc::new(Shared {
            log: parts.log,
            checkpoints: parts.checkpoints,
            settings: parts.settings,
            history: Arc::new(Semaphore::new(parts.limits.history_readers_max)),
            position: AtomicU64::new(parts.reader.position().sequence),
            limits: parts.limits,
            organisation,
            is_running: AtomicBool::new(true),
            subscriptions: Gauge::default(),
            connections: Gauge::default(),
            told_after: parts.told_after,
        });
        let teller = Teller::new(Arc::clone(&shared), parts.world, parts.reader, parts.clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("feed".to_owned()).spawn(move || teller.run(&runtime, inbox))?;
        Ok((Self { commands, shared }, thread))
    }

    /// Ends it.
    pub fn stop(&self) {
        self.send(Command::Stop);
    }

    /// Events that are durable and not told yet.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.shared.log.durable().sequence.saturating_sub(self.shared.position.load(Ordering::Acquire))
    }

    /// Whether it tells anything.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.is_running.load(Ordering::Acquire)
    }

    /// Whether it runs and is as close behind the log as it should be.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_running() && self.behind() <= self.shared.limits.feed_lag_events_max
    }

    /// Subscriptions at the moment.
    #[must_use]
    pub fn subscriptions(&self) -> u64 {
        u64::try_from(self.shared.subscriptions.get()).unwrap_or(0)
    }

    /// Connections at the moment.
    #[must_use]
    pub fn connections(&self) -> u64 {
        u64::try_from(self.shared.connections.get()).unwrap_or(0)
    }

    /// False where it has ended.
    pub(super) fn send(&self, command: Command) -> bool {
        self.commands.send(command).is_ok()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// The feed's thread.
pub(super) struct Teller {
    pub(super) shared: Arc<Shared>,
    pub(super) world: World,
    pub(super) reader: Reader,
    pub(super) clock: Clock,
    pub(super) entities: Entities,
    pub(super) subscribers: Subscribers,
    pub(super) states: States,
    /// None where nobody can come back to it.
    pub(super) recent: Option<Recent>,
    pub(super) catch_ups: std::collections::BTreeMap<(ClientId, u32), CatchUp>,
    pub(super) catch_up_next: u32,
    pub(super) said: Vec<Said>,
    touched: Touched,
    stale_seen: u64,
    stale_due: Time,
}

impl Teller {
    fn new(shared: Arc<Shared>, world: World, reader: Reader, clock: Clock) -> Self {
        let Rte { subscriptions_max, user_subscriptions_max, tenant_subscriptions_max, .. } = shared.limits;
        let limits = SubscriptionLimits {
            client_max: subscriptions_max,
            user_max: user_subscriptions_max,
            tenant_max: tenant_subscriptions_max,
        };
        let since = reader.position().sequence;
        let recent = shared.limits.extensions.then(|| Recent::new(since, shared.limits.recent_bytes_max));
        Self {
            entities: Entities::new(&world),
            subscribers: Subscribers::new(shared.organisation, limits),
            states: States::new(shared.limits.status_interval_ms.saturating_mul(1_000)),
            recent,
            catch_ups: std::collections::BTreeMap::new(),
            catch_up_next: 0,
            said: Vec::new(),
            touched: Touched::default(),
            stale_seen: 0,
            stale_due: Time(0),
            shared,
            world,
            reader,
            clock,
        }
    }

    fn run(mut self, runtime: &tokio::runtime::Runtime, inbox: UnboundedReceiver<Command>) {
        let shared = Arc::clone(&self.shared);
        let ended = runtime.block_on(self.tell_until_stopped(inbox));
        shared.is_running.store(false, Ordering::Release);
        if let Err(error) = ended {
            tracing::error!(%error, "the events of the hub cannot be told any more; connections are refused until the next start");
            self.subscribers.outboxes().for_each(|outbox| outbox.close(Closing::FeedEnded));
        }
    }

    async fn tell_until_stopped(&mut self, mut inbox: UnboundedReceiver<Command>) -> Result<(), StateError> {
        // The log ends before the server does; until then connections are answered.
        let mut log_is_over = false;
        loop {
            let more = self.fold()?;
            self.tell_due_states();
            for _ in 0..COMMANDS_AT_ONCE {
                match inbox.try_recv() {
                    Ok(Command::Stop) => return self.tell_the_rest(),
                    Ok(command) => self.carry_out(command),
                    Err(_) => break,
                }
            }
            self.show_numbers();
            if more {
                continue;
            }
            let sleep = self.next_look().map(|due| self.clock.until(due));
            tokio::select! {
                biased;
                ready = self.reader.ready(), if !log_is_over => log_is_over = !ready,
                command = inbox.recv() => match command {
                    Some(Command::Stop) | None => return self.tell_the_rest(),
                    Some(command) => self.carry_out(command),
                },
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {}
            }
        }
    }

    fn tell_the_rest(&mut self) -> Result<(), StateError> {
        while self.fold()? {}
        self.tell_due_states();
        Ok(())
    }

    /// Reads on in the log and tells what is new. True where there may be more.
    fn fold(&mut self) -> Result<bool, StateError> {
        let mut newest = None;
        for _ in 0..EVENTS_AT_ONCE {
            let Some(event) = fold_next(&mut self.reader, &mut self.world)? else { break };
            self.entities.note(&self.world, &event);
            self.judge_again(&event);
            self.tell(&event);
            self.touch(&event);
            newest = Some(event.at);
        }
        let Some(newest) = newest else { return Ok(false) };
        self.shared.position.store(self.reader.position().sequence, Ordering::Release);
        self.shared.told_after.observe(self.clock.now().micros_since(newest) as f64 / 1e6);
        Ok(true)
    }

    /// Notes whose states may have changed.
    fn touch(&mut self, event: &cordboard_core::Event) {
        let (users, queues) =
            (self.everybody(super::telling::USER_STATES), self.everybody(super::telling::QUEUE_STATES));
        if self.states.is_empty() && !users && !queues {
            return;
        }
        self.touched.clear();
        cordboard_dialects::enreach::touched(&self.world, event, &mut self.touched);
        let (touched, now) = (std::mem::take(&mut self.touched), self.clock.now());
        for name in &touched.users {
            if let Some(id) = self.states.user(name).or_else(|| users.then(|| self.watch_new(name, true)).flatten()) {
                self.states.touch(id, now);
            }
        }
        for name in &touched.queues {
            if let Some(id) = self.states.queue(name).or_else(|| queues.then(|| self.watch_new(name, false)).flatten())
            {
                self.states.touch(id, now);
            }
        }
        self.touched = touched;
    }

    fn tell_due_states(&mut self) {
        let now = self.clock.now();
        while let Some(id) = self.states.take_due(now) {
            self.look_at_state(id);
        }
        if now >= self.stale_due {
            self.stale_due = Time(now.0.saturating_add(u64::try_from(STALE_EVERY.as_micros()).unwrap_or(u64::MAX)));
            let stale = self.subscribers.stale_count();
            if stale != self.stale_seen {
                self.stale_seen = stale;
                self.refresh_stale();
            }
        }
    }

    /// When there is something to do even if nothing happens.
    fn next_look(&self) -> Option<Time> {
        let stale = (!self.states.is_empty()).then_some(self.stale_due);
        self.states.next_due().into_iter().chain(stale).min()
    }

    pub(super) fn show_numbers(&self) {
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.shared.subscriptions.set(number(self.subscribers.total()));
        self.shared.connections.set(number(self.subscribers.clients()));
    }

    /// Everything up to here was told.
    pub(super) fn position(&self) -> Position {
        self.reader.position()
    }
}
