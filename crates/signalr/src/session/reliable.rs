//! The numbers of a connection that can be taken up after its transport broke.
//!
//! Each side counts the messages of types 1 to 5 it sends, keeps them until the other acknowledges them, and after a
//! break says with which number it goes on and sends what it kept once more. The receiver drops what it has.
//!
//! Microsoft's clients refuse a number beyond the one they count next, even where they have all that lies between: after
//! two breaks in a row, where the replay after the first was lost and an old acknowledgement was not. So we begin no
//! later than at the number of the first break, and send fillers for what was acknowledged since; they are dropped as
//! old without being looked at. What a client itself begins with may be anything up to the newest we have.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::Millis;
use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::message::Message;

/// Both directions of one connection.
#[derive(Debug, Default)]
pub(super) struct Reliable {
    /// The client has said something, so it counts what it gets.
    has_begun: bool,
    /// How many counted messages were sent.
    sent: u64,
    /// The newest of them, as long as they are not acknowledged.
    kept: VecDeque<Bytes>,
    kept_bytes: usize,
    /// Since when the buffer is full without an acknowledgement.
    full_since: Option<Millis>,
    /// How many counted messages were received, since the beginning or the number the client last named.
    counted: u64,
    /// The highest number received.
    highest: u64,
    ack_at: Option<Millis>,
    /// The number of the last replay's first message, and that of the last the client may have had before it, until the
    /// client is known to be past it.
    replayed: Option<(u64, u64)>,
    /// How many counted messages had been sent when the transport broke.
    sent_at_break: u64,
    /// After a break nothing counts before the client has said with which number it goes on.
    awaits_sequence: bool,
}

/// How to go on after a break; what is kept comes last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resumption {
    /// The number of the first message that follows.
    pub(super) first: u64,
    /// How many messages are to be filled in before what is kept.
    pub(super) fillers: usize,
}

impl Reliable {
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = &Bytes> {
        self.kept.iter()
    }

    pub(super) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Counts a message that is sent, or would be if there were a transport.
    pub(super) fn keep(&mut self, bytes: Bytes, now: Millis, limits: &Limits) {
        self.sent += 1;
        self.kept_bytes += bytes.len();
        self.kept.push_back(bytes);
        if self.kept_bytes >= limits.buffer_bytes_max && self.full_since.is_none() {
            self.full_since = Some(now);
        }
    }

    /// The client has everything up to this number.
    pub(super) fn acknowledged(&mut self, sequence: u64, now: Millis, limits: &Limits) {
        while self.first_kept() <= sequence {
            let Some(bytes) = self.kept.pop_front() else { break };
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes.len());
            self.full_since = None;
        }
        self.replayed = self.replayed.filter(|(_, last)| sequence <= *last);
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
        if self.kept_bytes >= limits.buffer_bytes_max && self.full_since.is_none() {
            self.full_since = Some(now);
        }
    }

    /// Whether a message that came is to be looked at, and counts it.
    pub(super) fn admits(&mut self, message: &Message<'_>, now: Millis, limits: &Limits) -> bool {
        self.has_begun = true;
        match message {
            Message::Sequence { .. } => {
                self.awaits_sequence = false;
                true
            }
            Message::Ping | Message::Close { .. } | Message::Ack { .. } => !self.awaits_sequence,
            Message::Invocation(_)
            | Message::StreamItem { .. }
            | Message::Completion { .. }
            | Message::StreamInvocation(_)
            | Message::CancelInvocation { .. } => !self.awaits_sequence && self.counts(now, limits),
        }
    }

    /// The client says with which number it goes on.
    pub(super) fn resume_at(&mut self, sequence: u64) -> Result<(), ProtocolError> {
        if sequence > self.highest.saturating_add(1) {
            return Err(ProtocolError::SequenceAhead);
        }
        self.counted = sequence.saturating_sub(1);
        Ok(())
    }

    pub(super) fn detach(&mut self) {
        self.sent_at_break = self.sent;
        self.ack_at = None;
        self.awaits_sequence = true;
    }

    /// There is a transport again.
    pub(super) fn attach(&mut self, now: Millis) -> Resumption {
        self.full_since = self.full_since.map(|_| now);
        let kept = self.first_kept();
        let first = self.replayed.map_or(kept, |(first, _)| first.min(kept));
        self.replayed = Some((first, self.sent_at_break));
        Resumption { first, fillers: usize::try_from(kept - first).unwrap_or(usize::MAX) }
    }

    pub(super) fn ack_due(&self) -> Option<Millis> {
        self.ack_at
    }

    pub(super) fn full_due(&self, limits: &Limits) -> Option<Millis> {
        self.full_since.map(|since| since.saturating_add(limits.buffer_full_ms))
    }

    /// The number to acknowledge, if it is time to.
    pub(super) fn take_ack(&mut self, now: Millis) -> Option<u64> {
        self.ack_at.take_if(|at| *at <= now).map(|_| self.highest)
    }

    /// Counts a message that came. False for one that came before the break already.
    fn counts(&mut self, now: Millis, limits: &Limits) -> bool {
        self.counted += 1;
        // An old one too: the client would not send it again if it knew that it had arrived.
        self.ack_at.get_or_insert(now.saturating_add(limits.ack_delay_ms));
        let is_new = self.counted > self.highest;
        self.highest = self.highest.max(self.counted);
        is_new
    }

    fn first_kept(&self) -> u64 {
        self.sent + 1 - u64::try_from(self.kept.len()).unwrap_or_default()
    }
}
