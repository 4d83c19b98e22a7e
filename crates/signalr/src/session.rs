//! One connection to a hub, from its handshake to its end. A state machine without sockets and clocks.
//!
//! The owner of the transport calls `handle_*` and [`Session::answer`] with what happened and the time, then takes out
//! what follows with [`Session::poll_event`] and [`Session::poll_transmit`] until there is no more, and calls
//! [`Session::handle_timeout`] at [`Session::poll_timeout`]. After [`Event::Closed`] it writes what is still polled and
//! closes the transport.
//!
//! Invocations come out one at a time and in order: the next after [`Session::answer`].

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use self::flood::Flood;
use self::queue::{Queue, Waiting};
use self::reliable::{Reliable, Resumption};
use crate::codec::{self, Cut};
use crate::error::ProtocolError;
use crate::handshake::{self, Handshake};
use crate::limits::Limits;
use crate::message::{Ended, Message};
use crate::protocol::{FrameKind, Protocol};
use crate::{Millis, texts};

pub use self::event::{Answer, Ending, Event, Invocation, Settings, Transmit};

mod event;
mod flood;
mod queue;
mod reliable;

/// How much is kept of a queue that has run empty.
const KEPT_CAPACITY_MAX: usize = 16;

/// One connection to a hub.
#[derive(Debug)]
pub struct Session {
    limits: Arc<Limits>,
    settings: Settings,
    phase: Phase,
    /// What is spoken, once that is known.
    protocol: Option<Protocol>,
    /// Present where the connection can be taken up again after its transport broke.
    reliable: Option<Box<Reliable>>,
    /// The beginning of a message whose rest has yet to come.
    partial: Vec<u8>,
    queue: Queue,
    running: Running,
    connected_unsaid: bool,
    ending: Option<Box<Ending>>,
    out: VecDeque<Bytes>,
    out_bytes: usize,
    now: Millis,
    last_sent: Millis,
    last_received: Millis,
    client_pings: bool,
    flood: Flood,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Handshake { until: Millis },
    Open,
    Detached { until: Millis },
    Closed,
}

/// The invocation the hub is busy with.
#[derive(Debug)]
enum Running {
    Nothing,
    Unanswered,
    Answered(Box<str>),
}

impl Session {
    /// A session whose transport has just been made.
    pub fn new(settings: Settings, limits: Arc<Limits>, now: Millis) -> Session {
        Session {
            phase: Phase::Handshake { until: now.saturating_add(limits.handshake_ms) },
            limits,
            settings,
            protocol: None,
            reliable: None,
            partial: Vec::new(),
            queue: Queue::default(),
            running: Running::Nothing,
            connected_unsaid: false,
            ending: None,
            out: VecDeque::new(),
            out_bytes: 0,
            now,
            last_sent: now,
            last_received: now,
            client_pings: false,
            flood: Flood::default(),
        }
    }

    /// What is spoken; none before the handshake.
    pub fn protocol(&self) -> Option<Protocol> {
        self.protocol
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether the connection would outlive its transport.
    pub fn is_reliable(&self) -> bool {
        self.reliable.is_some() && !self.is_closed()
    }

    /// Whether to read on. A transport that stops reading while this is false makes a client that calls faster than the
    /// hub answers wait, instead of losing it.
    pub fn wants_bytes(&self) -> bool {
        self.queue.has_room(&self.limits)
    }

    /// How many bytes of [`Session::send_shared`] are welcome now. Where any are, one message may be larger.
    ///
    /// None are before the handshake, and on a connection that can be taken up again before the client has said
    /// something: some clients begin to count messages late, and would later get the uncounted ones twice.
    pub fn room_bytes(&self) -> usize {
        let waiting = match (self.phase, &self.reliable) {
            (Phase::Handshake { .. } | Phase::Closed, _) => return 0,
            (Phase::Open | Phase::Detached { .. }, Some(reliable)) if !reliable.has_begun() => return 0,
            (Phase::Open | Phase::Detached { .. }, Some(reliable)) => reliable.kept_bytes().max(self.out_bytes),
            (Phase::Open | Phase::Detached { .. }, None) => self.out_bytes,
        };
        self.limits.buffer_bytes_max.saturating_sub(waiting)
    }

    /// How many bytes [`Session::poll_transmit`] has to give.
    pub fn waiting_bytes(&self) -> usize {
        self.out_bytes
    }

    /// The transport read something: any part of messages, whole ones, or several.
    pub fn handle_bytes(&mut self, now: Millis, bytes: &[u8]) {
        self.now = now;
        self.last_received = now;
        if self.partial.is_empty() {
            let used = self.take_in(bytes);
            self.partial.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(bytes);
            let used = self.take_in(&whole);
            whole.drain(..used);
            self.partial = whole;
        }
        if self.partial.is_empty() || self.is_closed() {
            self.partial = Vec::new();
        }
    }

    /// The transport broke without a word. A connection that can be taken up again waits for that; any other is over.
    pub fn handle_link_lost(&mut self, now: Millis) {
        self.now = now;
        match (self.phase, &mut self.reliable) {
            (Phase::Closed | Phase::Detached { .. }, _) => {}
            (Phase::Open, Some(reliable)) => {
                reliable.detach();
                self.phase = Phase::Detached { until: now.saturating_add(self.limits.detached_ms) };
                self.partial = Vec::new();
                self.clear_out();
            }
            (Phase::Open | Phase::Handshake { .. }, _) => self.end(Ending::LinkLost),
        }
    }

    /// The client came back on a new transport with the same id. False where there is nothing to take up; a connection
    /// that does not yet know of its loss is told of it first.
    pub fn handle_link_restored(&mut self, now: Millis) -> bool {
        self.handle_link_lost(now);
        let (Phase::Detached { .. }, Some(reliable), Some(protocol)) = (self.phase, &mut self.reliable, self.protocol)
        else {
            return false;
        };
        let Resumption { first: sequence, fillers } = reliable.attach(now);
        let replayed: Vec<Bytes> = reliable.kept().cloned().collect();
        let filler: Bytes = codec::write(protocol, &Message::Completion { id: "-".into(), ended: Ended::Void }).into();
        if filler.len().saturating_mul(fillers) > self.limits.buffer_bytes_max {
            self.end(Ending::NotResumed);
            return false;
        }
        self.phase = Phase::Open;
        self.last_received = now;
        self.push(codec::write(protocol, &Message::Sequence { sequence }).into());
        (0..fillers).for_each(|_| self.push(filler.clone()));
        replayed.into_iter().for_each(|bytes| self.push(bytes));
        true
    }

    /// The hub has dealt with the invocation of the last [`Event::Invoke`].
    pub fn answer(&mut self, now: Millis, answer: Answer) {
        self.now = now;
        if !self.wants_bytes() {
            // What the client sent meanwhile was perhaps not read.
            self.last_received = now;
        }
        match std::mem::replace(&mut self.running, Running::Nothing) {
            Running::Nothing | Running::Unanswered => {}
            Running::Answered(id) => self.complete(&id, &answer),
        }
    }

    /// Sends what [`codec::encode_invocation`] made in this session's protocol. The bytes are shared, not copied.
    pub fn send_shared(&mut self, now: Millis, bytes: Bytes) {
        self.now = now;
        match self.phase {
            Phase::Open | Phase::Detached { .. } => self.push_counted(bytes),
            Phase::Handshake { .. } | Phase::Closed => {}
        }
    }

    /// Ends the connection, telling the client why and whether it may come back by itself.
    pub fn close(&mut self, now: Millis, error: Option<&str>, allow_reconnect: bool) {
        self.now = now;
        self.end_with(error, allow_reconnect, Ending::ByServer { error: error.map(Into::into), allow_reconnect });
    }

    /// When to call [`Session::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Millis> {
        match self.phase {
            Phase::Handshake { until } | Phase::Detached { until } => Some(until),
            Phase::Closed => None,
            Phase::Open => {
                let reliable = self.reliable.as_ref();
                let due = [
                    self.ping_due(),
                    self.client_timeout_due(),
                    reliable.and_then(|reliable| reliable.ack_due()),
                    reliable.and_then(|reliable| reliable.full_due(&self.limits)),
                ];
                due.into_iter().flatten().min()
            }
        }
    }

    /// Time has come to what [`Session::poll_timeout`] asked for; earlier calls do nothing.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.now = now;
        match self.phase {
            Phase::Handshake { until } if until <= now => {
                self.push(handshake::refusal(texts::HANDSHAKE_CANCELLED).into());
                self.end(Ending::HandshakeTimedOut);
            }
            Phase::Detached { until } if until <= now => self.end(Ending::NotResumed),
            Phase::Open => self.handle_timeout_open(now),
            Phase::Handshake { .. } | Phase::Detached { .. } | Phase::Closed => {}
        }
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.connected_unsaid) {
            let protocol = self.protocol?;
            return Some(Event::Connected { protocol, reliable: self.reliable.is_some() });
        }
        if let Some(ending) = self.ending.take() {
            return Some(Event::Closed(*ending));
        }
        let protocol = self.protocol?;
        while matches!(self.running, Running::Nothing) && self.room_bytes() > 0 {
            let Waiting { id, target, arguments, streaming } = self.queue.take()?;
            match codec::read_arguments(protocol, &arguments) {
                Ok(arguments) => {
                    let answered = id.is_some();
                    self.running = id.map_or(Running::Unanswered, Running::Answered);
                    return Some(Event::Invoke(Invocation { target: target.into(), arguments, streaming, answered }));
                }
                Err(_) => {
                    if let Some(id) = id {
                        self.complete(&id, &Answer::Error(texts::arguments_do_not_fit(&target)));
                    }
                }
            }
        }
        None
    }

    /// The next message to write. Neighbours may share one frame, event or body; none may be split.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let Some(bytes) = self.out.pop_front() else {
            if self.out.capacity() > KEPT_CAPACITY_MAX {
                self.out = VecDeque::new();
            }
            return None;
        };
        self.out_bytes = self.out_bytes.saturating_sub(bytes.len());
        // The reply to a handshake travels like all that follows it, as the original's does.
        Some(Transmit { kind: self.protocol.map_or(FrameKind::Text, Protocol::frame_kind), bytes })
    }

    fn take_in(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while !self.is_closed() {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let protocol = self.protocol.unwrap_or(Protocol::Json);
            match codec::cut(protocol, rest, self.limits.message_bytes_max) {
                Ok(Cut::Whole { body, used: taken }) => {
                    used += taken;
                    self.take_message(body);
                }
                Ok(Cut::Partial) => break,
                Err(error) => self.fail(error),
            }
        }
        used
    }

    fn take_message(&mut self, body: &[u8]) {
        let Some(protocol) = self.protocol else { return self.shake_hands(body) };
        let taken = codec::read(protocol, body, self.limits.depth_max).and_then(|message| {
            let is_invocation = matches!(message, Some(Message::Invocation(_) | Message::StreamInvocation(_)));
            self.flood.count(self.now, is_invocation, &self.limits)?;
            message.map_or(Ok(()), |message| self.handle_message(message))
        });
        if let Err(error) = taken {
            self.fail(error);
        }
    }

    fn shake_hands(&mut self, record: &[u8]) {
        match handshake::read(record, self.settings.transport) {
            Ok(Handshake { protocol, version }) => {
                self.protocol = Some(protocol);
                self.phase = Phase::Open;
                self.connected_unsaid = true;
                if self.settings.stateful_reconnect && version >= handshake::VERSION_MAX {
                    self.reliable = Some(Box::default());
                }
                self.push(Bytes::from_static(handshake::WELCOME));
            }
            Err(why) => {
                self.push(handshake::refusal(&why).into());
                self.end(Ending::HandshakeRefused(why));
            }
        }
    }

    fn handle_message(&mut self, message: Message<'_>) -> Result<(), ProtocolError> {
        if let Some(reliable) = &mut self.reliable
            && !reliable.admits(&message, self.now, &self.limits)
        {
            return Ok(());
        }
        match message {
            Message::Invocation(call) => self.queue.put(call, false, &self.limits)?,
            Message::StreamInvocation(call) => self.queue.put(call, true, &self.limits)?,
            Message::Ping => self.client_pings = true,
            Message::Close { error, allow_reconnect: _ } => {
                self.end(Ending::ByClient { error: error.map(Into::into) });
            }
            Message::Ack { sequence } => {
                if let Some(reliable) = &mut self.reliable {
                    reliable.acknowledged(sequence, self.now, &self.limits);
                }
            }
            Message::Sequence { sequence } => {
                if let Some(reliable) = &mut self.reliable {
                    reliable.resume_at(sequence)?;
                }
            }
            // There are no streams and no calls of ours that want an answer: these belong to none.
            Message::StreamItem { .. } | Message::Completion { .. } | Message::CancelInvocation { .. } => {}
        }
        Ok(())
    }

    fn handle_timeout_open(&mut self, now: Millis) {
        let Some(protocol) = self.protocol else { return };
        if self.client_timeout_due().is_some_and(|due| due <= now) {
            let why = texts::client_timed_out(self.limits.client_timeout_ms);
            return self.end_with(Some(&why), true, Ending::ClientTimedOut);
        }
        if let Some(reliable) = &mut self.reliable {
            if reliable.full_due(&self.limits).is_some_and(|due| due <= now) {
                let why = texts::never_acknowledged(self.limits.buffer_full_ms);
                return self.end_with(Some(&why), true, Ending::NeverAcknowledged);
            }
            if let Some(sequence) = reliable.take_ack(now) {
                self.push(codec::write(protocol, &Message::Ack { sequence }).into());
            }
        }
        if self.ping_due().is_some_and(|due| due <= now) {
            self.last_sent = now;
            // What still waits to be written is as good a sign of life.
            if self.out.is_empty() {
                self.push(codec::write(protocol, &Message::Ping).into());
            }
        }
    }

    fn ping_due(&self) -> Option<Millis> {
        self.settings.transport.pings().then(|| self.last_sent.saturating_add(self.limits.ping_ms))
    }

    /// Clients that never ping are not waited for, and none is while we do not read.
    fn client_timeout_due(&self) -> Option<Millis> {
        let counts = self.client_pings && self.wants_bytes();
        counts.then(|| self.last_received.saturating_add(self.limits.client_timeout_ms))
    }

    fn complete(&mut self, id: &str, answer: &Answer) {
        let Some(protocol) = self.protocol else { return };
        let ended = match answer {
            Answer::Void => Ended::Void,
            Answer::Result(value) => Ended::Result(codec::encode_value(protocol, value).into()),
            Answer::Error(text) => Ended::Error(text.into()),
        };
        let message = Message::Completion { id: id.into(), ended };
        match self.phase {
            Phase::Open | Phase::Detached { .. } => self.push_counted(codec::write(protocol, &message).into()),
            Phase::Handshake { .. } | Phase::Closed => {}
        }
    }

    fn fail(&mut self, error: ProtocolError) {
        if self.protocol.is_none() {
            let why = format!("{} {error}", texts::HANDSHAKE_FAILED);
            self.push(handshake::refusal(&why).into());
            return self.end(Ending::HandshakeRefused(why));
        }
        self.end_with(Some(&texts::closed_with(&error)), false, Ending::Broken(error));
    }

    /// Tells the client, where there is a way to, that this is the end.
    fn end_with(&mut self, error: Option<&str>, allow_reconnect: bool, ending: Ending) {
        match (self.phase, self.protocol) {
            (Phase::Open, Some(protocol)) => {
                let close = Message::Close { error: error.map(Into::into), allow_reconnect };
                self.push(codec::write(protocol, &close).into());
            }
            (Phase::Handshake { .. }, _) => {
                self.push(handshake::refusal(error.unwrap_or(texts::HANDSHAKE_CANCELLED)).into());
            }
            (Phase::Open | Phase::Detached { .. } | Phase::Closed, _) => {}
        }
        self.end(ending);
    }

    fn end(&mut self, ending: Ending) {
        if self.is_closed() {
            return;
        }
        self.phase = Phase::Closed;
        self.ending = Some(Box::new(ending));
        self.queue = Queue::default();
        self.running = Running::Nothing;
        self.reliable = None;
    }

    fn push_counted(&mut self, bytes: Bytes) {
        if let Some(reliable) = &mut self.reliable {
            reliable.keep(bytes.clone(), self.now, &self.limits);
        }
        if self.phase == Phase::Open {
            self.push(bytes);
        }
    }

    fn push(&mut self, bytes: Bytes) {
        self.last_sent = self.now;
        self.out_bytes += bytes.len();
        self.out.push_back(bytes);
    }

    fn clear_out(&mut self) {
        self.out = VecDeque::new();
        self.out_bytes = 0;
    }
}
