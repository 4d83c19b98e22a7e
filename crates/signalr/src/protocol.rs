//! What a hub can be spoken to in, and over what.

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// JSON objects, each ended by 0x1E.
    Json,
    /// MessagePack arrays, each after its length.
    MessagePack,
}

impl Protocol {
    /// Both of them.
    pub const ALL: [Protocol; 2] = [Protocol::Json, Protocol::MessagePack];

    /// Its name in a handshake.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Json => "json",
            Protocol::MessagePack => "messagepack",
        }
    }

    /// The protocol of that name, in any case.
    pub fn parse(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }

    /// The kind of WebSocket frame its messages travel in.
    pub fn frame_kind(self) -> FrameKind {
        match self {
            Protocol::Json => FrameKind::Text,
            Protocol::MessagePack => FrameKind::Binary,
        }
    }
}

/// What a transport can carry, and what a WebSocket frame is marked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl FrameKind {
    /// Its name among the transfer formats of a negotiate answer.
    pub fn name(self) -> &'static str {
        match self {
            FrameKind::Text => "Text",
            FrameKind::Binary => "Binary",
        }
    }
}

/// The ways a connection can be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One WebSocket, both ways.
    WebSockets,
    /// A stream of server-sent events, and a POST for each thing the client says.
    ServerSentEvents,
    /// A GET that is held until there is something to say, and POSTs.
    LongPolling,
}

impl Transport {
    /// All of them, in the order of preference.
    pub const ALL: [Transport; 3] = [Transport::WebSockets, Transport::ServerSentEvents, Transport::LongPolling];

    /// Its name in a negotiate answer; clients compare it exactly.
    pub fn name(self) -> &'static str {
        match self {
            Transport::WebSockets => "WebSockets",
            Transport::ServerSentEvents => "ServerSentEvents",
            Transport::LongPolling => "LongPolling",
        }
    }

    /// What it can carry.
    pub fn frame_kinds(self) -> &'static [FrameKind] {
        match self {
            Transport::WebSockets | Transport::LongPolling => &[FrameKind::Text, FrameKind::Binary],
            Transport::ServerSentEvents => &[FrameKind::Text],
        }
    }

    /// Whether it can carry a protocol's messages.
    pub fn carries(self, protocol: Protocol) -> bool {
        self.frame_kinds().contains(&protocol.frame_kind())
    }

    /// Whether the server pings on it. A long poll is itself a sign of life.
    pub fn pings(self) -> bool {
        match self {
            Transport::WebSockets | Transport::ServerSentEvents => true,
            Transport::LongPolling => false,
        }
    }
}
