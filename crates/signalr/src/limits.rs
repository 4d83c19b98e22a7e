//! Everything a connection can use up, and how long it may take.

use crate::Millis;

/// The limits of one connection. Shared by all sessions of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest message a client may send, in bytes, without its framing.
    pub message_bytes_max: usize,
    /// How deep objects and arrays of one message may lie in each other, the message itself included.
    pub depth_max: usize,
    /// The longest invocation id, in bytes.
    pub invocation_id_bytes_max: usize,
    /// The longest name of a method, in bytes.
    pub target_bytes_max: usize,
    /// How many invocations may wait behind the one that runs.
    pub invocations_queued_max: usize,
    /// How many bytes of arguments may wait behind the invocation that runs.
    pub queued_bytes_max: usize,
    /// The span over which messages are counted against floods.
    pub window_ms: Millis,
    /// How many invocations a client may send within one span.
    pub invocations_per_window_max: u32,
    /// How many other messages (pings, acknowledgements, what is ignored) a client may send within one span.
    pub control_messages_per_window_max: u32,
    /// How many bytes may wait to be written, and with stateful reconnect to be acknowledged, before no more are taken.
    pub buffer_bytes_max: usize,
    /// How long a client may leave the buffer of a stateful reconnect full before it is dropped.
    pub buffer_full_ms: Millis,
    /// How long a client may take to send its handshake.
    pub handshake_ms: Millis,
    /// After how long without having sent anything the server pings.
    pub ping_ms: Millis,
    /// After how long a silent client is dropped, once it has sent a ping.
    pub client_timeout_ms: Millis,
    /// How long a session with stateful reconnect outlives its socket.
    pub detached_ms: Millis,
    /// How long after a message it is acknowledged.
    pub ack_delay_ms: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            message_bytes_max: 32 * 1024,
            depth_max: 64,
            invocation_id_bytes_max: 128,
            target_bytes_max: 256,
            invocations_queued_max: 100,
            queued_bytes_max: 256 * 1024,
            window_ms: 10_000,
            invocations_per_window_max: 2_000,
            control_messages_per_window_max: 200,
            buffer_bytes_max: 100_000,
            buffer_full_ms: 30_000,
            handshake_ms: 15_000,
            ping_ms: 15_000,
            client_timeout_ms: 30_000,
            detached_ms: 15_000,
            ack_delay_ms: 1_000,
        }
    }
}
