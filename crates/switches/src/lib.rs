//! What phone systems say, as observations: bytes in, observations out, orders to bytes. No sockets, no clock.
//!
//! A connector is a state machine driven by [`Switch`]: whoever owns the socket hands it bytes, time and the fact of
//! being connected or cut off, and drains [`Switch::poll_output`] after each of them.

pub mod asterisk;
pub mod boxed;
pub mod centre;

use cordboard_core::{Observation, Order, Time};

/// A connector to one phone system.
pub trait Switch: Send {
    /// A connection was made.
    fn handle_connected(&mut self, now: Time);
    /// Bytes arrived.
    fn handle_bytes(&mut self, now: Time, bytes: &[u8]);
    /// The connection is gone, for this reason (words for people).
    fn handle_closed(&mut self, now: Time, reason: &str);
    /// A client's request is to be carried out. Whatever comes of it is observed: what happens, naming the request, and
    /// at the end whether it was done or refused, exactly once.
    fn handle_order(&mut self, now: Time, order: &Order);
    /// Time has come to what [`Switch::poll_timeout`] asked for.
    fn handle_timeout(&mut self, now: Time);
    /// The next thing to do; drain until none after every `handle_*`.
    fn poll_output(&mut self) -> Option<Output>;
    /// When to call [`Switch::handle_timeout`] at the latest.
    fn poll_timeout(&self) -> Option<Time>;
    /// What was counted so far.
    fn counts(&self) -> Counts;
}

/// What a connector wants done.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are observations; a box each would cost more")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a connection now.
    Connect,
    /// Send these bytes. They may hold credentials: never log them.
    Send(Vec<u8>),
    /// Hand this to the engine.
    Observed(Observation),
    /// Close the connection, for this reason.
    Close(String),
    /// Tell people: a line for the log, without secrets.
    Note(String),
}

/// What a connector counted since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages understood or knowingly passed over.
    pub messages: u64,
    /// Messages of kinds that mean nothing to us.
    pub ignored: u64,
    /// Messages that break the protocol.
    pub malformed: u64,
    /// Times the whole state was read again after a connection was lost.
    pub resyncs: u64,
    /// Differences found when the state was read again.
    pub repaired: u64,
    /// Round trip of the newest heartbeat, in microseconds.
    pub heartbeat_us: u64,
}
