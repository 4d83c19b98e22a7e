//! Who is connected, or agreed to be: found by an id that nobody can guess, counted by user and by tenant.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::task::AtomicWaker;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

use super::hub::{Hub, HubUser};
use super::letters::Letters;
use super::rate::Rate;
use super::refused::Refused;
use super::socket::Dock;
use crate::config::Rte;

/// Quotas of users who have no connection are looked for when there are so many more than connections.
const QUOTAS_SPARE: usize = 1_024;

/// What was agreed on and not opened is looked for so often at least.
const SWEEP_EVERY_MAX: Duration = Duration::from_secs(1);

/// What opens a connection: 128 bits of chance, known to its client alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id([u8; 16]);

impl Id {
    /// A new one; none where the system gives no chance.
    pub(super) fn new() -> Option<Self> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).ok().map(|()| Self(bits))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let bits = URL_SAFE_NO_PAD.decode(text).ok()?;
        bits.try_into().ok().map(Self)
    }

    pub(super) fn text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// All connections.
pub(super) struct Registry<H: Hub> {
    settings: Rte,
    state: Mutex<State<H>>,
    stopping: AtomicBool,
    changed: Notify,
}

struct State<H: Hub> {
    connections: HashMap<Id, Arc<Connection<H>>>,
    /// Those that are agreed on, the oldest first; who was opened since is among them, too.
    agreed: VecDeque<(Instant, Id)>,
    quotas: HashMap<Whose, Arc<Quota>>,
    open: usize,
}

/// One connection.
pub(super) struct Connection<H: Hub> {
    pub(super) id: Id,
    pub(super) user: Arc<H::User>,
    /// Whether its client may come back to it.
    pub(super) stateful: bool,
    /// Whoever drives it is woken by this.
    pub(super) waker: AtomicWaker,
    user_quota: Arc<Quota>,
    tenant_quota: Arc<Quota>,
    place: Mutex<Place>,
    /// What it was opened with, where further requests are made for it.
    key: OnceLock<Key>,
}

/// A token that was good when a connection was opened with it, as its digest.
struct Key([u8; 32]);

/// How far a connection has come.
pub(super) enum Place {
    /// Agreed on, then.
    Agreed(Instant),
    /// On a WebSocket; where there is a dock, the next one may come to it.
    Socket(Option<Arc<Dock>>),
    /// On server-sent events.
    Events(Letters),
    /// On long polling.
    Polls(Letters),
    /// Over.
    Ended,
}

/// Whose connections are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Whose {
    Tenant(String),
    User(String, String),
}

/// How much somebody has.
pub(super) struct Quota {
    open: AtomicUsize,
    agreed: AtomicUsize,
    invocations: Mutex<Rate>,
}

/// A place among the open connections, until it is dropped.
pub(super) struct Seat<H: Hub> {
    registry: Arc<Registry<H>>,
    pub(super) connection: Arc<Connection<H>>,
}

impl<H: Hub> Registry<H> {
    pub(super) fn new(settings: Rte) -> Arc<Self> {
        let state = State { connections: HashMap::new(), agreed: VecDeque::new(), quotas: HashMap::new(), open: 0 };
        Arc::new(Self { settings, state: Mutex::new(state), stopping: AtomicBool::new(false), changed: Notify::new() })
    }

    /// Agrees on a connection that may be opened within the time there is for it.
    pub(super) fn agree(&self, user: &Arc<H::User>, stateful: bool) -> Result<Id, Refused> {
        let (mut state, now) = (self.state(), Instant::now());
        let connection = self.make(&mut state, user, stateful, Place::Agreed(now))?;
        let (of_user, of_tenant) = (&connection.user_quota, &connection.tenant_quota);
        if of_user.agreed() >= self.settings.user_negotiated_max {
            return Err(Refused::UserNegotiated);
        }
        if of_tenant.agreed() >= self.settings.tenant_negotiated_max {
            return Err(Refused::TenantNegotiated);
        }
        if of_user.open() + of_user.agreed() >= self.settings.user_connections_max {
            return Err(Refused::UserConnections);
        }
        of_user.agreed.fetch_add(1, Ordering::Relaxed);
        of_tenant.agreed.fetch_add(1, Ordering::Relaxed);
        let id = connection.id;
        state.agreed.push_back((now, id));
        state.connections.insert(id, connection);
        Ok(id)
    }

    /// The connection of this user with this id. To others it is not there.
    pub(super) fn find(&self, id: Id, user: &H::User) -> Option<Arc<Connection<H>>> {
        let connection = self.state().connections.get(&id).cloned()?;
        let is_late = match *connection.place() {
            Place::Agreed(since) => since.elapsed() >= self.agreed_for(),
            Place::Socket(_) | Place::Events(_) | Place::Polls(_) => false,
            Place::Ended => true,
        };
        let theirs = connection.user.tenant() == user.tenant() && connection.user.identity() == user.identity();
        (theirs && !is_late).then_some(connection)
    }

    /// The connection with this id, where this token opened it: a token is looked at when a connection is made, and the
    /// connection outlives it.
    pub(super) fn opened_with(&self, id: Id, token: &str) -> Option<Arc<Connection<H>>> {
        let connection = self.state().connections.get(&id).cloned()?;
        connection.key.get().is_some_and(|key| key.is(token)).then_some(connection)
    }

    /// Opens a connection that was agreed on. Whoever asks holds the lock of its place, and changes it then.
    pub(super) fn open(self: &Arc<Self>, connection: &Arc<Connection<H>>) -> Result<Seat<H>, Refused> {
        let mut state = self.state();
        self.has_room(&state, connection)?;
        connection.count_agreed_less();
        Ok(self.seat(&mut state, connection))
    }

    /// Opens a connection that nobody agreed on.
    pub(super) fn open_new(self: &Arc<Self>, user: &Arc<H::User>) -> Result<Seat<H>, Refused> {
        let mut state = self.state();
        let connection = self.make(&mut state, user, false, Place::Socket(None))?;
        self.has_room(&state, &connection)?;
        state.connections.insert(connection.id, Arc::clone(&connection));
        Ok(self.seat(&mut state, &connection))
    }

    /// Ends a connection for whoever asks by its id; what is under way of it ends by itself.
    pub(super) fn forget(&self, connection: &Connection<H>) {
        self.state().connections.remove(&connection.id);
    }

    /// Tells everybody who drives a connection that it is to end, and opens no more.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let open: Vec<_> = self.state().connections.values().cloned().collect();
        for connection in open {
            connection.waker.wake();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Drops what was agreed on and not opened in time, as long as there are connections.
    pub(super) async fn sweep(registry: Weak<Self>) {
        while let Some(registry) = registry.upgrade() {
            registry.drop_late();
            let step = (registry.agreed_for() / 4).min(SWEEP_EVERY_MAX);
            drop(registry);
            tokio::time::sleep(step).await;
        }
    }

    /// Waits until no connection is open.
    pub(super) async fn emptied(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.state().open == 0 {
                return;
            }
            changed.await;
        }
    }

    fn drop_late(&self) {
        let mut late = Vec::new();
        let mut state = self.state();
        while let Some((_, id)) = state.agreed.pop_front_if(|(since, _)| since.elapsed() >= self.agreed_for()) {
            late.extend(state.connections.get(&id).cloned());
        }
        let quotas_kept = state.connections.len().saturating_mul(2).saturating_add(QUOTAS_SPARE);
        if state.quotas.len() > quotas_kept {
            state.quotas.retain(|_, quota| Arc::strong_count(quota) > 1);
        }
        drop(state);
        for connection in late {
            let mut place = connection.place();
            if matches!(*place, Place::Agreed(_)) {
                *place = Place::Ended;
                connection.count_agreed_less();
                self.forget(&connection);
            }
        }
    }

    fn make(
        &self,
        state: &mut State<H>,
        user: &Arc<H::User>,
        stateful: bool,
        place: Place,
    ) -> Result<Arc<Connection<H>>, Refused> {
        let id = Id::new().ok_or(Refused::NoChance)?;
        let (tenant, identity) = (user.tenant().to_owned(), user.identity().to_owned());
        let mut quota = |whose: Whose, per_second: u32| {
            let quota = state.quotas.entry(whose).or_insert_with(|| Arc::new(Quota::new(per_second)));
            Arc::clone(quota)
        };
        let user_quota = quota(Whose::User(tenant.clone(), identity), self.settings.user_invocations_per_second_max);
        let tenant_quota = quota(Whose::Tenant(tenant), self.settings.tenant_invocations_per_second_max);
        let (user, place) = (Arc::clone(user), Mutex::new(place));
        let (waker, key) = (AtomicWaker::new(), OnceLock::new());
        Ok(Arc::new(Connection { id, user, stateful, waker, user_quota, tenant_quota, place, key }))
    }

    fn has_room(&self, state: &State<H>, connection: &Connection<H>) -> Result<(), Refused> {
        if self.is_stopping() {
            return Err(Refused::Stopping);
        }
        if state.open >= self.settings.connections_max {
            return Err(Refused::Connections);
        }
        if connection.tenant_quota.open() >= self.settings.tenant_connections_max {
            return Err(Refused::TenantConnections);
        }
        if connection.user_quota.open() >= self.settings.user_connections_max {
            return Err(Refused::UserConnections);
        }
        Ok(())
    }

    fn seat(self: &Arc<Self>, state: &mut State<H>, connection: &Arc<Connection<H>>) -> Seat<H> {
        state.open += 1;
        connection.user_quota.open.fetch_add(1, Ordering::Relaxed);
        connection.tenant_quota.open.fetch_add(1, Ordering::Relaxed);
        Seat { registry: Arc::clone(self), connection: Arc::clone(connection) }
    }

    fn agreed_for(&self) -> Duration {
        Duration::from_millis(self.settings.negotiated_ms_max)
    }

    /// The lock is held for moments. It may be taken by who holds that of a connection's place, never the other way round.
    fn state(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Hub> Connection<H> {
    /// The lock is held for moments.
    pub(super) fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Further requests for it may come with this token for as long as it is open.
    pub(super) fn keep_key(&self, token: &str) {
        // There is one already where two requests open it at once; only one of them does.
        _ = self.key.set(Key::of(token));
    }

    /// Whether its user and tenant may invoke one thing more now.
    pub(super) fn may_invoke(&self) -> bool {
        let now = Instant::now();
        self.user_quota.take_invocation(now) && self.tenant_quota.take_invocation(now)
    }

    fn count_agreed_less(&self) {
        self.user_quota.agreed.fetch_sub(1, Ordering::Relaxed);
        self.tenant_quota.agreed.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Key {
    fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    fn is(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }
}

impl<H: Hub> Drop for Seat<H> {
    fn drop(&mut self) {
        *self.connection.place() = Place::Ended;
        let mut state = self.registry.state();
        state.connections.remove(&self.connection.id);
        state.open -= 1;
        self.connection.user_quota.open.fetch_sub(1, Ordering::Relaxed);
        self.connection.tenant_quota.open.fetch_sub(1, Ordering::Relaxed);
        drop(state);
        self.registry.changed.notify_waiters();
    }
}

impl Quota {
    fn new(per_second: u32) -> Self {
        let invocations = Mutex::new(Rate::new(per_second, Instant::now()));
        Self { open: AtomicUsize::new(0), agreed: AtomicUsize::new(0), invocations }
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn agreed(&self) -> usize {
        self.agreed.load(Ordering::Relaxed)
    }

    fn take_invocation(&self, now: Instant) -> bool {
        self.invocations.lock().unwrap_or_else(PoisonError::into_inner).take(1, now)
    }
}
