//! The AMI session: login, snapshot, live events, heartbeat, reconnects. A state machine without sockets and clocks.
//!
//! The owner of the socket calls `handle_*` with what happened and the time in microseconds, then takes out what follows
//! with [`Session::poll_output`] until there is no more, and calls [`Session::handle_timeout`] at
//! [`Session::poll_timeout`]. Time must not run backwards; where it starts does not matter.
//!
//! Every message of Asterisk leaves in the order it came, tagged by its ActionID ([`Tagged`]), so that the items of a
//! snapshot cannot be taken for live events of the same name. Only the answers to our own login, filters and pings stay
//! inside.

use std::collections::{BTreeMap, HashMap, VecDeque};

use md5::{Digest, Md5};

use super::actions::Action;
use super::ami::{Codec, Frame, Message};
use super::backoff::Backoff;
use super::session_config::SessionConfig;
use super::snapshot::{Snapshot, SnapshotLimits, Step, Tagged};

pub use self::output::{CloseReason, Output, Phase, SendError, SessionStats, TimeoutReason};

mod output;

/// One session with one Asterisk, over any number of connections.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    prefix: String,
    codec: Codec,
    phase: Phase,
    /// When `phase` has lasted too long.
    phase_deadline_us: Option<u64>,
    outputs: VecDeque<Output>,
    next_id: u64,
    control: HashMap<u64, Control>,
    actions: BTreeMap<u64, OpenAction>,
    snapshot: Option<Snapshot>,
    snapshot_again: bool,
    last_byte_us: u64,
    next_ping_us: u64,
    reconcile_us: Option<u64>,
    live_since_us: Option<u64>,
    closing_for: Option<CloseReason>,
    backoff: Backoff,
    stats: SessionStats,
}

/// An action of the session itself.
#[derive(Clone, Copy, Debug)]
enum Control {
    Challenge,
    Login,
    Filter,
    Ping { sent_us: u64 },
    Logoff,
}

/// An action of [`Session::send_action`].
#[derive(Debug)]
struct OpenAction {
    sent_us: u64,
    in_list: bool,
}

/// Whose answer a message is, by its ActionID.
enum Whose {
    Control(u64),
    Snapshot(u64),
    Action(u64),
    NotOurs,
}

impl Session {
    /// A session that does nothing before [`Session::start`].
    ///
    /// `prefix` begins all our ActionIDs. Other clients' ActionIDs show up in events, so it must be one that nobody else
    /// has: some random letters, new for each session. `seed` drives the jitter of the pauses between reconnects.
    pub fn new(config: SessionConfig, prefix: impl Into<String>, seed: u64) -> Session {
        Session {
            codec: Codec::new(config.codec),
            backoff: Backoff::new(seed, config.backoff_ms_min, config.backoff_ms_max),
            config,
            prefix: prefix.into(),
            phase: Phase::Idle,
            phase_deadline_us: None,
            outputs: VecDeque::new(),
            next_id: 1,
            control: HashMap::new(),
            actions: BTreeMap::new(),
            snapshot: None,
            snapshot_again: false,
            last_byte_us: 0,
            next_ping_us: 0,
            reconcile_us: None,
            live_since_us: None,
            closing_for: None,
            stats: SessionStats::default(),
        }
    }

    /// Begins to connect. Does nothing if the session is not idle.
    pub fn start(&mut self, now_us: u64) {
        if self.phase == Phase::Idle {
            self.connect(now_us);
        }
    }

    /// Logs off, then stays idle. Does nothing if it is idle already.
    pub fn stop(&mut self, now_us: u64) {
        match self.phase {
            Phase::Idle => {}
            Phase::Connecting | Phase::Banner | Phase::Challenge | Phase::Login => {
                self.close(now_us, CloseReason::Stopped);
            }
            Phase::BackingOff { .. } => self.enter(Phase::Idle, None),
            Phase::Closing => self.closing_for = Some(CloseReason::Stopped),
            Phase::Booting | Phase::Filters | Phase::Snapshot | Phase::Live => {
                self.closing_for = Some(CloseReason::Stopped);
                self.send_control(&Action::new("Logoff"), Control::Logoff);
                self.enter(Phase::Closing, Some(after_ms(now_us, self.config.closing_ms_max)));
            }
        }
    }

    /// The connection is open.
    pub fn handle_connected(&mut self, now_us: u64) {
        if self.phase != Phase::Connecting {
            return;
        }
        self.codec = Codec::new(self.config.codec);
        self.stats.connections += 1;
        self.last_byte_us = now_us;
        self.enter(Phase::Banner, Some(after_ms(now_us, self.config.banner_ms_max)));
    }

    /// The connection could not be opened.
    pub fn handle_connect_failed(&mut self, now_us: u64) {
        if self.phase == Phase::Connecting {
            self.close(now_us, CloseReason::ConnectFailed);
        }
    }

    /// The peer closed the connection, or reading or writing failed.
    pub fn handle_closed(&mut self, now_us: u64) {
        if self.is_connected() {
            self.close(now_us, self.closing_for.unwrap_or(CloseReason::PeerClosed));
        }
    }

    /// Bytes were read from the connection.
    pub fn handle_bytes(&mut self, now_us: u64, bytes: &[u8]) {
        if !self.is_connected() || bytes.is_empty() {
            return;
        }
        self.last_byte_us = now_us;
        self.stats.bytes += bytes.len() as u64;
        self.codec.handle_bytes(bytes);
        while self.is_connected()
            && let Some(frame) = self.codec.poll_frame()
        {
            match frame {
                Ok(Frame::Banner(_)) => self.handle_banner(now_us),
                Ok(Frame::Message(message)) => self.handle_message(now_us, message),
                Err(_) => self.handle_malformed(now_us),
            }
        }
    }

    /// The time of [`Session::poll_timeout`] has come. Calling it early does no harm.
    pub fn handle_timeout(&mut self, now_us: u64) {
        // Each turn removes what was due, so this ends; closing removes everything that belongs to the connection.
        while let Some((due_us, reason)) = self.poll_timeout() {
            if due_us > now_us {
                return;
            }
            self.handle_due(now_us, reason);
        }
    }

    /// When to call [`Session::handle_timeout`] next, in microseconds, and what for.
    pub fn poll_timeout(&self) -> Option<(u64, TimeoutReason)> {
        let phase = self.phase_deadline_us.zip(TimeoutReason::of_phase(self.phase));
        let live = self.is_logged_in();
        let config = &self.config;
        let silence = live.then(|| (after_ms(self.last_byte_us, config.silence_ms_max), TimeoutReason::Silence));
        let ping = (live && !self.is_ping_open()).then_some((self.next_ping_us, TimeoutReason::Heartbeat));
        let snapshot = self.snapshot.as_ref().map(|snapshot| (snapshot.deadline_us(), TimeoutReason::Snapshot));
        let action = self.actions.values().next();
        let action = action.map(|action| (after_ms(action.sent_us, config.answer_ms_max), TimeoutReason::Action));
        let reconcile = self.reconcile_us.map(|due_us| (due_us, TimeoutReason::Reconcile));
        [phase, silence, ping, snapshot, action, reconcile].into_iter().flatten().min_by_key(|(due_us, _)| *due_us)
    }

    /// What to do next, in order; `None` when all is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Asks for a new snapshot on a live connection, or for one more after the one that is running. A connection that is
    /// not yet that far takes one anyway.
    pub fn request_resync(&mut self, now_us: u64) {
        match self.phase {
            Phase::Live if self.snapshot.is_none() => self.begin_snapshot(now_us),
            Phase::Live | Phase::Snapshot => self.snapshot_again = true,
            Phase::Idle
            | Phase::Connecting
            | Phase::Banner
            | Phase::Challenge
            | Phase::Login
            | Phase::Booting
            | Phase::Filters
            | Phase::Closing
            | Phase::BackingOff { .. } => {}
        }
    }

    /// Sends an action and gives its ActionID; what Asterisk answers comes as [`Tagged::Answer`], or
    /// [`Tagged::Unanswered`] if nothing comes in time.
    ///
    /// Asterisk handles the actions of a connection one by one and sends no event meanwhile: an action that can block
    /// (`Originate` without `Async`, `PlayDTMF`, `Command`, `WaitEvent`) belongs on another connection.
    ///
    /// # Errors
    ///
    /// When not logged in, when too many actions are unanswered, or when the action cannot be encoded.
    pub fn send_action(&mut self, now_us: u64, action: &Action) -> Result<String, SendError> {
        if !matches!(self.phase, Phase::Snapshot | Phase::Live) {
            return Err(SendError::NotLoggedIn);
        }
        if self.actions.len() >= self.config.actions_open_max {
            return Err(SendError::TooManyOpen { actions_open_max: self.config.actions_open_max });
        }
        let id = self.next_id;
        let action_id = format!("{}-a{id}", self.prefix);
        let bytes = action.encode(&action_id)?;
        self.next_id += 1;
        self.actions.insert(id, OpenAction { sent_us: now_us, in_list: false });
        self.outputs.push_back(Output::Send(bytes));
        Ok(action_id)
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The session's counters.
    pub fn stats(&self) -> SessionStats {
        self.stats
    }

    fn handle_banner(&mut self, now_us: u64) {
        if self.phase != Phase::Banner {
            return;
        }
        self.send_control(&Action::new("Challenge").header("AuthType", "MD5"), Control::Challenge);
        self.enter(Phase::Challenge, Some(after_ms(now_us, self.config.login_ms_max)));
    }

    fn handle_message(&mut self, now_us: u64, message: Message) {
        self.stats.messages += 1;
        // These two events show the ActionID of whoever caused them, so an id of ours makes them no answer.
        let bears_foreign_ids = matches!(message.event(), Some("UserEvent" | "OriginateResponse"));
        let whose = if bears_foreign_ids { Whose::NotOurs } else { self.whose(message.action_id()) };
        match whose {
            Whose::Control(id) if !message.is_event() => self.handle_control_answer(now_us, id, &message),
            Whose::Snapshot(id) => self.handle_snapshot_answer(now_us, id, message),
            Whose::Action(id) => self.handle_action_answer(id, message),
            Whose::Control(_) | Whose::NotOurs if message.is_event() => self.handle_event(now_us, message),
            Whose::Control(_) | Whose::NotOurs => {
                self.stats.answers_unmatched += 1;
                if message.response() == Some("Goodbye") {
                    self.close(now_us, CloseReason::Goodbye);
                }
            }
        }
    }

    /// A message was dropped. What is being listed may lack an item now, and if it was a live event, then the picture is
    /// wrong until the next snapshot: that one comes soon, though not at once, lest a flood of them keeps us asking.
    fn handle_malformed(&mut self, now_us: u64) {
        self.stats.malformed += 1;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.distrust_open();
        }
        if self.phase == Phase::Live && self.snapshot.is_none() {
            let soon_us = after_ms(now_us, self.config.heartbeat_ms);
            self.reconcile_us = Some(self.reconcile_us.map_or(soon_us, |due_us| due_us.min(soon_us)));
        }
    }

    fn handle_event(&mut self, now_us: u64, message: Message) {
        let booted = message.event() == Some("FullyBooted");
        let shutdown = message.event() == Some("Shutdown");
        self.deliver(Tagged::Live(message));
        match self.phase {
            Phase::Booting if booted => self.begin_filters(now_us),
            Phase::Booting | Phase::Filters | Phase::Snapshot | Phase::Live if shutdown => {
                self.closing_for = Some(CloseReason::SwitchShutdown);
                self.enter(Phase::Closing, Some(after_ms(now_us, self.config.closing_ms_max)));
            }
            // It was still booting when we went on without: what we saw until now may be half of it.
            Phase::Snapshot | Phase::Live if booted => self.request_resync(now_us),
            Phase::Idle
            | Phase::Connecting
            | Phase::Banner
            | Phase::Challenge
            | Phase::Login
            | Phase::Booting
            | Phase::Filters
            | Phase::Snapshot
            | Phase::Live
            | Phase::Closing
            | Phase::BackingOff { .. } => {}
        }
    }

    fn handle_control_answer(&mut self, now_us: u64, id: u64, message: &Message) {
        let success = message.response() == Some("Success");
        match self.control.remove(&id) {
            Some(Control::Challenge) => self.answer_challenge(now_us, message.get("Challenge").filter(|_| success)),
            Some(Control::Login) if success => {
                self.next_ping_us = after_ms(now_us, self.config.heartbeat_ms);
                self.enter(Phase::Booting, Some(after_ms(now_us, self.config.booted_ms_max)));
            }
            Some(Control::Login) => self.close(now_us, CloseReason::LoginRefused),
            Some(Control::Filter) => {
                self.stats.filters_refused += u64::from(!success);
                self.end_filters_if_answered(now_us);
            }
            Some(Control::Ping { sent_us }) => {
                let round_trip_us = now_us.saturating_sub(sent_us);
                self.stats.pongs_late += u64::from(round_trip_us > after_ms(0, self.config.heartbeat_ms));
                self.stats.round_trip_us = Some(round_trip_us);
                if self.next_ping_us <= now_us {
                    self.next_ping_us = after_ms(now_us, self.config.heartbeat_ms);
                }
            }
            Some(Control::Logoff) => self.close(now_us, self.closing_for.unwrap_or(CloseReason::Stopped)),
            None => self.stats.answers_unmatched += 1,
        }
    }

    /// Logs in with `md5(challenge + secret)`, as `AuthType: MD5` asks (`authenticate` in `main/manager.c`).
    fn answer_challenge(&mut self, now_us: u64, challenge: Option<&str>) {
        let secret = self.config.secret.reveal();
        let login = Action::new("Login").header("Username", &self.config.username);
        let login = match challenge {
            Some(challenge) => {
                let digest = Md5::new().chain_update(challenge).chain_update(secret).finalize();
                let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                login.header("AuthType", "MD5").header("Key", key)
            }
            None if self.config.plain_login_allowed => login.header("Secret", secret),
            None => return self.close(now_us, CloseReason::ChallengeRefused),
        };
        let login = login.header("Events", &self.config.event_mask);
        if self.send_control(&login, Control::Login) {
            self.enter(Phase::Login, Some(after_ms(now_us, self.config.login_ms_max)));
        } else {
            // A name or a secret that cannot be sent is as wrong as one that is refused.
            self.close(now_us, CloseReason::LoginRefused);
        }
    }

    fn begin_filters(&mut self, now_us: u64) {
        self.enter(Phase::Filters, Some(after_ms(now_us, self.config.answer_ms_max)));
        for filter in self.config.filters.clone() {
            let action = Action::new("Filter").header("Operation", "Add").header("Filter", filter);
            if !self.send_control(&action, Control::Filter) {
                self.stats.filters_refused += 1;
            }
        }
        self.end_filters_if_answered(now_us);
    }

    fn end_filters_if_answered(&mut self, now_us: u64) {
        let open = self.control.values().any(|control| matches!(control, Control::Filter));
        if self.phase == Phase::Filters && !open {
            self.end_filters(now_us);
        }
    }

    fn end_filters(&mut self, now_us: u64) {
        self.enter(Phase::Snapshot, None);
        self.begin_snapshot(now_us);
    }

    fn begin_snapshot(&mut self, now_us: u64) {
        let config = &self.config;
        let limits = SnapshotLimits {
            part_us_max: after_ms(0, config.part_ms_max),
            snapshot_us_max: after_ms(0, config.snapshot_ms_max),
            in_flight_max: config.snapshot_in_flight_max.max(1),
            subjects_max: config.snapshot_subjects_max,
        };
        let mut snapshot = Snapshot::new(now_us, &config.parts, &config.mailboxes, limits);
        self.snapshot_again = false;
        self.reconcile_us = None;
        self.deliver(Tagged::SnapshotStarted);
        let mut told = Vec::new();
        snapshot.settle(&mut told);
        self.snapshot = Some(snapshot);
        self.go_on_with_snapshot(now_us, told);
    }

    fn handle_snapshot_answer(&mut self, now_us: u64, id: u64, message: Message) {
        let mut told = Vec::new();
        let taken = match &mut self.snapshot {
            Some(snapshot) => snapshot.handle(now_us, id, message, &mut told).is_ok(),
            None => false,
        };
        if taken {
            self.go_on_with_snapshot(now_us, told);
        } else {
            // The question was given up: its items are old news, and taking them for live events would be wrong.
            self.stats.answers_unmatched += 1;
        }
    }

    /// Delivers what the snapshot told, sends the questions that may be sent, and ends it when all is told.
    fn go_on_with_snapshot(&mut self, now_us: u64, mut told: Vec<Tagged>) {
        let Some(mut snapshot) = self.snapshot.take() else { return };
        while let Some(ask) = snapshot.next_ask() {
            let id = self.next_id;
            let action_id = format!("{}-s{id}", self.prefix);
            match ask.part.action(ask.subject.as_deref()).encode(&action_id) {
                Ok(bytes) => {
                    self.next_id += 1;
                    self.outputs.push_back(Output::Send(bytes));
                    snapshot.sent(now_us, id, ask);
                }
                Err(_) => snapshot.cannot_send(&ask, &mut told),
            }
        }
        for tagged in told {
            self.deliver(tagged);
        }
        if !snapshot.is_complete() {
            self.snapshot = Some(snapshot);
            return;
        }
        self.stats.snapshots += 1;
        self.deliver(Tagged::SnapshotComplete);
        if self.phase == Phase::Snapshot {
            self.live_since_us = Some(now_us);
            self.enter(Phase::Live, None);
        }
        let reconcile_ms = self.config.reconcile_ms;
        self.reconcile_us = (reconcile_ms > 0).then(|| after_ms(now_us, reconcile_ms));
        if self.snapshot_again && self.phase == Phase::Live {
            self.begin_snapshot(now_us);
        }
    }

    fn handle_action_answer(&mut self, id: u64, message: Message) {
        let is_live = message.is_event() && message.get("Privilege").is_some();
        if is_live && !self.actions.get(&id).is_some_and(|action| action.in_list) {
            self.deliver(Tagged::Live(message));
            return;
        }
        let Some(action) = self.actions.get_mut(&id) else {
            self.stats.answers_unmatched += 1;
            return;
        };
        match Step::of(None, &message) {
            Step::More => action.in_list = true,
            Step::Last | Step::Refused { .. } => {
                self.actions.remove(&id);
            }
        }
        let action_id = message.action_id().map(str::to_owned);
        self.deliver(Tagged::Answer { action_id, message });
    }

    fn handle_due(&mut self, now_us: u64, reason: TimeoutReason) {
        match reason {
            TimeoutReason::Connect => self.close(now_us, CloseReason::ConnectTimeout),
            TimeoutReason::Banner => self.close(now_us, CloseReason::NoBanner),
            TimeoutReason::Login => self.close(now_us, CloseReason::LoginTimeout),
            TimeoutReason::Booted => self.begin_filters(now_us),
            TimeoutReason::Filters => {
                let before = self.control.len();
                self.control.retain(|_, control| !matches!(control, Control::Filter));
                self.stats.filters_refused += (before - self.control.len()) as u64;
                self.end_filters(now_us);
            }
            TimeoutReason::Snapshot => {
                let mut told = Vec::new();
                if let Some(snapshot) = &mut self.snapshot {
                    snapshot.handle_timeout(now_us, &mut told);
                }
                self.go_on_with_snapshot(now_us, told);
            }
            TimeoutReason::Action => {
                if let Some((id, _)) = self.actions.pop_first() {
                    self.deliver(Tagged::Unanswered { action_id: format!("{}-a{id}", self.prefix) });
                }
            }
            TimeoutReason::Heartbeat => {
                self.next_ping_us = after_ms(now_us, self.config.heartbeat_ms);
                self.send_control(&Action::new("Ping"), Control::Ping { sent_us: now_us });
            }
            TimeoutReason::Silence => self.close(now_us, CloseReason::Silent),
            TimeoutReason::Reconcile => {
                self.reconcile_us = None;
                self.request_resync(now_us);
            }
            TimeoutReason::Closing => self.close(now_us, self.closing_for.unwrap_or(CloseReason::PeerClosed)),
            TimeoutReason::Reconnect => self.connect(now_us),
        }
    }

    fn connect(&mut self, now_us: u64) {
        self.outputs.push_back(Output::Connect);
        self.enter(Phase::Connecting, Some(after_ms(now_us, self.config.connect_ms_max)));
    }

    /// Ends the connection: tells what was broken off, and plans the next attempt.
    fn close(&mut self, now_us: u64, why: CloseReason) {
        self.outputs.push_back(Output::Close(why));
        if self.snapshot.take().is_some() {
            self.deliver(Tagged::SnapshotAborted);
        }
        for id in std::mem::take(&mut self.actions).into_keys() {
            self.deliver(Tagged::Unanswered { action_id: format!("{}-a{id}", self.prefix) });
        }
        self.control.clear();
        self.snapshot_again = false;
        self.reconcile_us = None;
        self.closing_for = None;
        let live_since_us = self.live_since_us.take();
        if why == CloseReason::Stopped {
            self.enter(Phase::Idle, None);
            return;
        }
        if live_since_us.is_some_and(|since_us| now_us >= after_ms(since_us, self.config.stable_ms)) {
            self.backoff.reset();
        }
        let floor_ms = if why.needs_a_person() { self.config.refused_backoff_ms } else { 0 };
        let until_us = now_us.saturating_add(self.backoff.next_pause_us(floor_ms));
        let attempt = self.backoff.attempts();
        self.enter(Phase::BackingOff { until_us, attempt, why }, Some(until_us));
    }

    fn enter(&mut self, phase: Phase, deadline_us: Option<u64>) {
        self.phase = phase;
        self.phase_deadline_us = deadline_us;
        self.outputs.push_back(Output::Phase(phase));
    }

    fn deliver(&mut self, tagged: Tagged) {
        self.outputs.push_back(Output::Deliver(tagged));
    }

    /// Sends an action of the session itself. `false` if it cannot be encoded, so if the configuration holds nonsense.
    fn send_control(&mut self, action: &Action, control: Control) -> bool {
        let id = self.next_id;
        let Ok(bytes) = action.encode(&format!("{}-c{id}", self.prefix)) else { return false };
        self.next_id += 1;
        self.control.insert(id, control);
        self.outputs.push_back(Output::Send(bytes));
        true
    }

    fn whose(&self, action_id: Option<&str>) -> Whose {
        let ours = action_id.and_then(|id| id.strip_prefix(self.prefix.as_str())?.strip_prefix('-'));
        let Some((kind, number)) = ours.and_then(|rest| rest.split_at_checked(1)) else {
            return Whose::NotOurs;
        };
        match (kind, number.parse()) {
            ("c", Ok(number)) => Whose::Control(number),
            ("s", Ok(number)) => Whose::Snapshot(number),
            ("a", Ok(number)) => Whose::Action(number),
            _ => Whose::NotOurs,
        }
    }

    fn is_ping_open(&self) -> bool {
        self.control.values().any(|control| matches!(control, Control::Ping { .. }))
    }

    fn is_logged_in(&self) -> bool {
        matches!(self.phase, Phase::Booting | Phase::Filters | Phase::Snapshot | Phase::Live)
    }

    fn is_connected(&self) -> bool {
        self.is_logged_in() || matches!(self.phase, Phase::Banner | Phase::Challenge | Phase::Login | Phase::Closing)
    }
}

fn after_ms(now_us: u64, ms: u64) -> u64 {
    now_us.saturating_add(ms.saturating_mul(1_000))
}
