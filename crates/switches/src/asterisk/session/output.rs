//! The words of a session with its owner: what to do, where it stands, why a connection ended, what it counted.

use std::fmt;

use thiserror::Error;

use crate::asterisk::actions::ActionError;
use crate::asterisk::snapshot::Tagged;

/// What the owner of the socket has to do, in order.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a connection, then call [`super::Session::handle_connected`] or [`super::Session::handle_connect_failed`].
    Connect,
    /// Write these bytes. They can hold proofs of who we are, so they are not printed.
    Send(Vec<u8>),
    /// What Asterisk said, for whoever makes sense of it.
    Deliver(Tagged),
    /// The session is in another state.
    Phase(Phase),
    /// Close the connection; nothing more will be read from it or written to it. Also said when the peer closed it.
    Close(CloseReason),
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Connect => formatter.write_str("Connect"),
            Output::Send(bytes) => write!(formatter, "Send({} bytes)", bytes.len()),
            Output::Deliver(tagged) => formatter.debug_tuple("Deliver").field(tagged).finish(),
            Output::Phase(phase) => formatter.debug_tuple("Phase").field(phase).finish(),
            Output::Close(reason) => formatter.debug_tuple("Close").field(reason).finish(),
        }
    }
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started, or stopped.
    Idle,
    /// The connection is being opened.
    Connecting,
    /// Connected; the banner has not come yet.
    Banner,
    /// The challenge is asked for.
    Challenge,
    /// The login is sent.
    Login,
    /// Logged in; waiting, for a while, for Asterisk to say that it is fully booted.
    Booting,
    /// The event filters are sent.
    Filters,
    /// The first snapshot of this connection is running; live events are delivered already.
    Snapshot,
    /// The first snapshot is complete.
    Live,
    /// `Logoff` is sent, or Asterisk said that it shuts down; waiting for the end of the connection.
    Closing,
    /// Not connected; the next attempt comes at `until_us`.
    BackingOff {
        /// When, in the time of the caller, in microseconds.
        until_us: u64,
        /// How many attempts in a row were lost, this one included.
        attempt: u32,
        /// Why the last connection ended. [`CloseReason::LoginRefused`] and [`CloseReason::ChallengeRefused`] need a
        /// person.
        why: CloseReason,
    },
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The connection could not be opened.
    #[error(
        "the connection to Asterisk could not be opened: check host, port and that `enabled = yes` in manager.conf"
    )]
    ConnectFailed,
    /// Opening the connection took longer than `connect_ms_max`.
    #[error("opening the connection to Asterisk took too long: check host, port and firewall")]
    ConnectTimeout,
    /// No banner came within `banner_ms_max`.
    #[error("the other side does not speak AMI: no banner `Asterisk Call Manager/...` came; check the port")]
    NoBanner,
    /// The MD5 challenge was refused, and `plain_login_allowed` is off.
    #[error("Asterisk refused the MD5 challenge, and sending the password in plain text is not allowed")]
    ChallengeRefused,
    /// Name or password are wrong, or our address is not permitted.
    #[error("Asterisk refused the login: check name, secret and permit in manager.conf")]
    LoginRefused,
    /// The answer to `Challenge` or `Login` took longer than `login_ms_max`.
    #[error("Asterisk did not answer the login in time")]
    LoginTimeout,
    /// Nothing was received for `silence_ms_max`.
    #[error("Asterisk fell silent: not even a ping was answered")]
    Silent,
    /// The peer closed the connection, or it broke.
    #[error("the connection to Asterisk was lost")]
    PeerClosed,
    /// Asterisk said before that it would shut down.
    #[error("Asterisk is shutting down or restarting")]
    SwitchShutdown,
    /// Asterisk said good-bye without being asked.
    #[error("Asterisk ended the session")]
    Goodbye,
    /// [`super::Session::stop`] was called.
    #[error("we logged off")]
    Stopped,
}

impl CloseReason {
    /// Whether a person must change something before it can work.
    pub fn needs_a_person(self) -> bool {
        match self {
            CloseReason::ChallengeRefused | CloseReason::LoginRefused => true,
            CloseReason::ConnectFailed
            | CloseReason::ConnectTimeout
            | CloseReason::NoBanner
            | CloseReason::LoginTimeout
            | CloseReason::Silent
            | CloseReason::PeerClosed
            | CloseReason::SwitchShutdown
            | CloseReason::Goodbye
            | CloseReason::Stopped => false,
        }
    }
}

/// What the next timeout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutReason {
    /// Opening the connection takes too long.
    Connect,
    /// The banner takes too long.
    Banner,
    /// The answer to `Challenge` or `Login` takes too long.
    Login,
    /// `FullyBooted` did not come: go on without.
    Booted,
    /// The answers to `Filter` take too long: go on without.
    Filters,
    /// A question of the snapshot takes too long.
    Snapshot,
    /// An action takes too long.
    Action,
    /// A ping is due.
    Heartbeat,
    /// Nothing was received for too long.
    Silence,
    /// The periodic snapshot is due.
    Reconcile,
    /// The end of the connection takes too long.
    Closing,
    /// The pause is over: connect again.
    Reconnect,
}

impl TimeoutReason {
    /// What it means when a phase has lasted too long; `None` for those that may last.
    pub(super) fn of_phase(phase: Phase) -> Option<TimeoutReason> {
        match phase {
            Phase::Idle | Phase::Snapshot | Phase::Live => None,
            Phase::Connecting => Some(TimeoutReason::Connect),
            Phase::Banner => Some(TimeoutReason::Banner),
            Phase::Challenge | Phase::Login => Some(TimeoutReason::Login),
            Phase::Booting => Some(TimeoutReason::Booted),
            Phase::Filters => Some(TimeoutReason::Filters),
            Phase::Closing => Some(TimeoutReason::Closing),
            Phase::BackingOff { .. } => Some(TimeoutReason::Reconnect),
        }
    }
}

/// Counters of a session since it was made. None of them runs backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Bytes received.
    pub bytes: u64,
    /// Messages received.
    pub messages: u64,
    /// Messages dropped because they broke a limit of the codec.
    pub malformed: u64,
    /// Connections opened.
    pub connections: u64,
    /// Snapshots completed.
    pub snapshots: u64,
    /// Filters that Asterisk refused or did not answer.
    pub filters_refused: u64,
    /// Answers whose question was given up before, or to no action of ours.
    pub answers_unmatched: u64,
    /// Pings answered later than the next one was due.
    pub pongs_late: u64,
    /// The time between the last answered ping and its answer, in microseconds.
    pub round_trip_us: Option<u64>,
}

/// Why an action was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// There is no connection that is logged in.
    #[error("there is no session with Asterisk at the moment: try again when it is back")]
    NotLoggedIn,
    /// Too many actions wait for their answers.
    #[error("{actions_open_max} actions wait for an answer of Asterisk already (actions_open_max): try again later")]
    TooManyOpen {
        /// The limit.
        actions_open_max: usize,
    },
    /// Asterisk would refuse the action.
    #[error(transparent)]
    Action(#[from] ActionError),
}
