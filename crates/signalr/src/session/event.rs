//! What goes into a session and comes out of it.

use bytes::Bytes;
use serde_json::Value;

use crate::error::ProtocolError;
use crate::protocol::{FrameKind, Protocol, Transport};

/// What is known of a connection before its handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What carries it.
    pub transport: Transport,
    /// Whether both sides agreed, in the negotiation, that it can be taken up after its transport broke.
    pub stateful_reconnect: bool,
}

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The handshake is done.
    Connected {
        /// What is spoken.
        protocol: Protocol,
        /// Whether the connection can be taken up after its transport broke.
        reliable: bool,
    },
    /// The client calls a method; every such event wants one [`super::Session::answer`].
    Invoke(Invocation),
    /// It is over. What is still polled is to be written, then the transport to be closed.
    Closed(Ending),
}

/// A call of one of the hub's methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The method, as the client spells it; hubs do not regard case.
    pub target: String,
    /// The arguments, surplus ones included.
    pub arguments: Vec<Value>,
    /// Whether the client expects a stream: [`crate::texts::not_streaming`] is the answer for a method that has none.
    pub streaming: bool,
    /// Whether anybody will see the answer.
    pub answered: bool,
}

/// How an invocation went.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Well, with nothing to say.
    Void,
    /// Well, with a result; null too is one.
    Result(Value),
    /// Badly, and the client reads why; [`crate::texts`] has the usual reasons.
    Error(String),
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The client's handshake was refused, with this text.
    HandshakeRefused(String),
    /// The client's handshake did not come in time.
    HandshakeTimedOut,
    /// The client said goodbye.
    ByClient {
        /// Its reason, if that was an error.
        error: Option<String>,
    },
    /// [`super::Session::close`] was called.
    ByServer {
        /// The reason the client was told.
        error: Option<String>,
        /// Whether the client may come back by itself.
        allow_reconnect: bool,
    },
    /// The client sent something that cannot be forgiven.
    Broken(ProtocolError),
    /// The client pinged once and then fell silent.
    ClientTimedOut,
    /// The client left a full buffer unacknowledged.
    NeverAcknowledged,
    /// The transport broke.
    LinkLost,
    /// The transport broke and the client did not come back in time.
    NotResumed,
}

impl Ending {
    /// One word for logs and metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Ending::HandshakeRefused(_) => "handshake_refused",
            Ending::HandshakeTimedOut => "handshake_timed_out",
            Ending::ByClient { .. } => "by_client",
            Ending::ByServer { .. } => "by_server",
            Ending::Broken(_) => "protocol_error",
            Ending::ClientTimedOut => "client_timed_out",
            Ending::NeverAcknowledged => "never_acknowledged",
            Ending::LinkLost => "link_lost",
            Ending::NotResumed => "not_resumed",
        }
    }
}

/// One whole message to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The kind of WebSocket frame it travels in; all of a session's are of one kind.
    pub kind: FrameKind,
    /// The message with its framing.
    pub bytes: Bytes,
}
