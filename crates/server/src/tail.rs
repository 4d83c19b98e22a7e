//! The newest messages of one tenant in one vocabulary, said once, ready for the wire, for all who read live.
//!
//! The loop puts messages in before their events are durable; readers see them only afterwards. What falls out at the
//! old end is read from the log again, see [`crate::history`].

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use cordboard_dialects::{Message, is_private};
use tokio::sync::watch;

use crate::log::Position;

/// The messages of consecutive events as lines of JSON.
#[derive(Debug)]
pub struct Chunk {
    epoch: u32,
    first: u64,
    lines: Bytes,
    /// Where the lines of each event end.
    ends: Vec<usize>,
    /// Events that say more to some clients than to others, rising.
    private: Vec<Private>,
}

/// What one client is told of an event, instead of what everybody is.
#[derive(Debug)]
struct Private {
    sequence: u64,
    client: String,
    /// With what everybody is told.
    lines: String,
    /// Without.
    own: String,
}

impl Private {
    fn bytes(&self) -> usize {
        self.client.len() + self.lines.len() + self.own.len()
    }
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener<'a> {
    /// Somebody who is told what everybody is.
    Everybody,
    /// A client that is told what everybody is and what is for it.
    Client(&'a str),
    /// A client that is told what is for it and nothing else.
    ClientOnly(&'a str),
}

impl Listener<'_> {
    fn hears(self, private: &Private) -> bool {
        match self {
            Self::Everybody => false,
            Self::Client(client) | Self::ClientOnly(client) => client == private.client,
        }
    }
}

impl Chunk {
    /// The position of the last event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first + self.ends.len() as u64 - 1
    }

    /// The lines of the events after `after`, up to and including `until`, as this listener is told them.
    #[must_use]
    pub fn lines(&self, after: u64, until: u64, listener: Listener<'_>) -> Bytes {
        if let Listener::ClientOnly(_) = listener {
            return Bytes::from(self.own(after, until, listener).map(|it| &*it.own).collect::<String>());
        }
        let mut own = self.own(after, until, listener).peekable();
        if own.peek().is_none() {
            return self.shared(after, until);
        }
        let (mut out, mut told) = (BytesMut::new(), after);
        for private in own {
            out.extend_from_slice(&self.shared(told, private.sequence - 1));
            out.extend_from_slice(private.lines.as_bytes());
            told = private.sequence;
        }
        out.extend_from_slice(&self.shared(told, until));
        out.freeze()
    }

    /// The same as server-sent events. Only the last message of an event carries its position as `id`: a client that
    /// saw some of them asks for all of them again.
    #[must_use]
    pub fn server_sent(&self, after: u64, until: u64, listener: Listener<'_>) -> Bytes {
        let mut out = String::new();
        let only = matches!(listener, Listener::ClientOnly(_));
        let mut own = self.own(after, until, listener).peekable();
        for sequence in self.first.max(after.saturating_add(1))..=self.last().min(until) {
            let shared = self.shared(sequence - 1, sequence);
            let lines = match own.next_if(|private| private.sequence == sequence) {
                Some(private) if only => &*private.own,
                Some(private) => &*private.lines,
                None if only => "",
                None => std::str::from_utf8(&shared).unwrap_or_default(),
            };
            let mut left = lines.lines().peekable();
            while let Some(line) = left.next() {
                if left.peek().is_none() {
                    _ = writeln!(out, "id: {}-{sequence}", self.epoch);
                }
                _ = write!(out, "data: {line}\n\n");
            }
        }
        Bytes::from(out)
    }

    /// What everybody is told.
    fn shared(&self, after: u64, until: u64) -> Bytes {
        let place = |sequence: u64| {
            let events = usize::try_from(sequence.saturating_add(1).saturating_sub(self.first)).unwrap_or(usize::MAX);
            match events.min(self.ends.len()).checked_sub(1) {
                Some(event) => self.ends.get(event).copied().unwrap_or(self.lines.len()),
                None => 0,
            }
        };
        let (begin, end) = (place(after), place(until));
        if begin < end { self.lines.slice(begin..end) } else { Bytes::new() }
    }

    /// Where a client is told more.
    fn own<'s>(&'s self, after: u64, until: u64, listener: Listener<'s>) -> impl Iterator<Item = &'s Private> {
        let from = self.private.partition_point(|private| private.sequence <= after);
        let left = self.private.get(from..).unwrap_or_default().iter();
        left.take_while(move |private| private.sequence <= until).filter(move |private| listener.hears(private))
    }

    fn memory_bytes(&self) -> usize {
        let private = |it: &Private| size_of::<Private>() + it.bytes();
        let private: usize = self.private.iter().map(private).sum();
        self.lines.len() + self.ends.capacity() * size_of::<usize>() + size_of::<Self>() + private
    }
}

/// Collects a chunk.
#[derive(Debug)]
pub struct ChunkBuilder {
    epoch: u32,
    first: u64,
    lines: String,
    ends: Vec<usize>,
    private: Vec<Private>,
}

impl ChunkBuilder {
    /// A chunk of no events yet; the first will have the position `first`.
    #[must_use]
    pub fn new(first: Position) -> Self {
        Self { epoch: first.epoch, first: first.sequence, lines: String::new(), ends: Vec::new(), private: Vec::new() }
    }

    /// Adds the messages of the next event: one line each, `{"position","channel","name","key","value"}`, with `"more":true` on
    /// all but the last. Those for one client are kept apart.
    pub fn push(&mut self, messages: &[Message]) {
        let (epoch, sequence) = (self.epoch, self.first + self.ends.len() as u64);
        write_lines(&mut self.lines, (epoch, sequence), messages.iter().filter(|it| !is_private(it.channel)));
        self.ends.push(self.lines.len());
        for (at, message) in messages.iter().enumerate().filter(|(_, it)| is_private(it.channel)) {
            let hears = |it: &&Message| !is_private(it.channel) || it.key == message.key;
            if messages.iter().take(at).any(|before| is_private(before.channel) && before.key == message.key) {
                continue;
            }
            let is_own = |it: &&Message| is_private(it.channel) && it.key == message.key;
            let (mut lines, mut own) = (String::new(), String::new());
            write_lines(&mut lines, (epoch, sequence), messages.iter().filter(hears));
            write_lines(&mut own, (epoch, sequence), messages.iter().filter(is_own));
            self.private.push(Private { sequence, client: message.key.clone(), lines, own });
        }
    }

    /// Bytes collected.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.len() + self.private.iter().map(Private::bytes).sum::<usize>()
    }

    /// The chunk so far, if there is any event in it; the next event begins a new one.
    pub fn take(&mut self) -> Option<Chunk> {
        if self.ends.is_empty() {
            return None;
        }
        let next = Self::new(Position { epoch: self.epoch, sequence: self.first + self.ends.len() as u64 });
        let Self { epoch, first, lines, ends, private } = std::mem::replace(self, next);
        Some(Chunk { epoch, first, lines: Bytes::from(lines), ends, private })
    }
}

fn write_lines<'m>(out: &mut String, (epoch, sequence): (u32, u64), messages: impl Iterator<Item = &'m Message>) {
    let mut left = messages.peekable();
    while let Some(message) = left.next() {
        let key = serde_json::Value::from(message.key.as_str());
        let (channel, name, value) = (message.channel, message.name, &message.value);
        let more = if left.peek().is_some() { ",\"more\":true" } else { "" };
        _ = writeln!(
            out,
            r#"{{"position":"{epoch}-{sequence}","channel":"{channel}","name":"{name}","key":{key},"value":{value}{more}}}"#
        );
    }
}

/// The newest chunks, and how far they may be told.
#[derive(Debug)]
pub struct Tail {
    state: Mutex<State>,
    bell: watch::Sender<u64>,
    bytes_max: usize,
}

#[derive(Debug)]
struct State {
    chunks: VecDeque<Arc<Chunk>>,
    bytes: usize,
    said: u64,
    durable: u64,
}

/// What a reader gets.
#[derive(Debug)]
pub enum Read {
    /// This chunk has what comes next, as far as it may be told: up to and including this position.
    Chunk(Arc<Chunk>, u64),
    /// There is nothing more yet.
    CaughtUp,
    /// What comes next is no longer here: read it from the log.
    Behind,
}

impl Tail {
    /// A tail that goes on after `after`, which is durable.
    #[must_use]
    pub fn new(after: u64, bytes_max: usize) -> Self {
        let state = State { chunks: VecDeque::new(), bytes: 0, said: after, durable: after };
        Self { state: Mutex::new(state), bell: watch::Sender::new(after), bytes_max }
    }

    /// Adds what the loop said; chunks follow each other without a gap.
    pub fn push(&self, chunk: Chunk) {
        let mut state = self.state();
        state.said = chunk.last();
        state.bytes += chunk.memory_bytes();
        state.chunks.push_back(Arc::new(chunk));
        while state.bytes > self.bytes_max {
            let Some(oldest) = state.chunks.pop_front() else { break };
            state.bytes -= oldest.memory_bytes();
        }
        self.ring(&state);
    }

    /// Everything up to and including this event is durable and may be told.
    pub fn set_durable(&self, sequence: u64) {
        let mut state = self.state();
        state.durable = state.durable.max(sequence);
        self.ring(&state);
    }

    /// What comes after `after`.
    #[must_use]
    pub fn read(&self, after: u64) -> Read {
        let state = self.state();
        let visible = state.visible();
        if after >= visible {
            return Read::CaughtUp;
        }
        let at = state.chunks.partition_point(|chunk| chunk.last() <= after);
        match state.chunks.get(at) {
            Some(chunk) if chunk.first <= after + 1 => Read::Chunk(Arc::clone(chunk), visible.min(chunk.last())),
            _ => Read::Behind,
        }
    }

    /// The newest position that may be told.
    #[must_use]
    pub fn visible(&self) -> u64 {
        self.state().visible()
    }

    /// The bell: the newest position that may be told. Carries no messages.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Bytes kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// The lock is held for moments: nothing is said, written or awaited under it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, state: &State) {
        let visible = state.visible();
        self.bell.send_if_modified(|told| {
            let rings = *told != visible;
            *told = visible;
            rings
        });
    }
}

impl State {
    fn visible(&self) -> u64 {
        self.said.min(self.durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(value: u32) -> Message {
        Message { channel: "c", name: "n", key: "k\"".to_owned(), value: value.to_string() }
    }

    /// Events 5 to 8, with one, two, no and one message.
    fn chunk() -> Chunk {
        let mut builder = ChunkBuilder::new(Position { epoch: 1, sequence: 5 });
        builder.push(&[message(50)]);
        builder.push(&[message(60), message(61)]);
        builder.push(&[]);
        builder.push(&[message(80)]);
        builder.take().unwrap()
    }

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn lines_are_json_and_carry_their_position() {
        let lines = text(chunk().lines(4, 8, Listener::Everybody));
        let values: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(values.len(), 4);
        assert_eq!(
            values[0],
            serde_json::json!({"position": "1-5", "channel": "c", "name": "n", "key": "k\"", "value": 50})
        );
        assert_eq!(values[1]["more"], true);
        assert_eq!(values[2].get("more"), None);
    }

    #[test]
    fn any_part_of_a_chunk_can_be_read() {
        let all = text(chunk().lines(0, u64::MAX, Listener::Everybody));
        for cut in 4..=8 {
            assert_eq!(
                text(chunk().lines(0, cut, Listener::Everybody)) + &text(chunk().lines(cut, 99, Listener::Everybody)),
                all,
                "{cut}"
            );
        }
        assert_eq!(text(chunk().lines(6, 7, Listener::Everybody)), "");
        assert_eq!(text(chunk().lines(8, 99, Listener::Everybody)), "");
    }

    #[test]
    fn server_sent_events_carry_an_id_where_an_event_is_complete() {
        let sent = text(chunk().server_sent(5, 7, Listener::Everybody));
        let value = |n| format!(r#"{{"position":"1-6","channel":"c","name":"n","key":"k\"","value":{n}"#);
        assert_eq!(sent, format!("data: {},\"more\":true}}\n\nid: 1-6\ndata: {}}}\n\n", value(60), value(61)));
    }

    /// Events 1 to 3; of the second, `t/a` is told two things more and `t/b` one.
    fn private() -> Chunk {
        let mut builder = ChunkBuilder::new(Position { epoch: 1, sequence: 1 });
        let to = |client: &str, value: u32| Message { channel: "client", key: client.to_owned(), ..message(value) };
        builder.push(&[message(10)]);
        builder.push(&[to("t/a", 20), message(21), to("t/b", 22), to("t/a", 23)]);
        builder.push(&[message(30)]);
        builder.take().unwrap()
    }

    #[test]
    fn what_is_for_one_client_is_told_to_that_client_only_and_in_its_place() {
        let values = |listener: Listener<'_>| {
            let lines = text(private().lines(0, 9, listener));
            let line = |line: &str| {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                (value["value"].as_u64().unwrap(), value["more"] == true)
            };
            lines.lines().map(line).collect::<Vec<_>>()
        };
        assert_eq!(values(Listener::Everybody), [(10, false), (21, false), (30, false)]);
        assert_eq!(values(Listener::Client("t/c")), values(Listener::Everybody));
        assert_eq!(values(Listener::Client("t/b")), [(10, false), (21, true), (22, false), (30, false)]);
        assert_eq!(values(Listener::Client("t/a")), [(10, false), (20, true), (21, true), (23, false), (30, false)]);
        let all = text(private().lines(0, 9, Listener::Client("t/a")));
        for cut in 0..=3 {
            let parts =
                (private().lines(0, cut, Listener::Client("t/a")), private().lines(cut, 9, Listener::Client("t/a")));
            assert_eq!(text(parts.0) + &text(parts.1), all, "{cut}");
        }
        let sent = text(private().server_sent(1, 2, Listener::Client("t/b")));
        assert_eq!((sent.matches("data: ").count(), sent.matches("id: 1-2").count()), (2, 1));
        assert!(!text(private().server_sent(0, 9, Listener::Everybody)).contains("client"));
    }

    #[test]
    fn a_client_that_is_told_its_own_only_is_told_nothing_else() {
        let values = |client| {
            let lines = text(private().lines(0, 9, Listener::ClientOnly(client)));
            let line = |line: &str| {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                (value["value"].as_u64().unwrap(), value["more"] == true)
            };
            lines.lines().map(line).collect::<Vec<_>>()
        };
        assert_eq!(values("t/a"), [(20, true), (23, false)]);
        assert_eq!(values("t/b"), [(22, false)]);
        assert_eq!(values("t/c"), []);
        let sent = text(private().server_sent(0, 9, Listener::ClientOnly("t/a")));
        assert_eq!((sent.matches("data: ").count(), sent.matches("id: 1-2").count()), (2, 1));
        assert_eq!(text(private().server_sent(0, 9, Listener::ClientOnly("t/c"))), "");
    }

    #[test]
    fn nothing_is_told_before_it_is_durable_and_said() {
        let tail = Tail::new(4, 10_000);
        let bell = tail.bell();
        tail.push(chunk());
        assert!(matches!(tail.read(4), Read::CaughtUp));
        tail.set_durable(6);
        assert!(matches!(tail.read(4), Read::Chunk(_, 6)));
        assert!(matches!(tail.read(6), Read::CaughtUp));
        tail.set_durable(20);
        assert_eq!((tail.visible(), *bell.borrow()), (8, 8));
        assert!(matches!(tail.read(6), Read::Chunk(_, 8)));
    }

    #[test]
    fn memory_is_bounded_and_a_reader_that_is_behind_is_told_so() {
        let tail = Tail::new(4, chunk().memory_bytes() + 1);
        tail.push(chunk());
        let mut next = ChunkBuilder::new(Position { epoch: 1, sequence: 9 });
        next.push(&[message(90)]);
        tail.push(next.take().unwrap());
        tail.set_durable(9);
        assert!(matches!(tail.read(7), Read::Behind));
        assert!(matches!(tail.read(8), Read::Chunk(_, 9)));
        assert!(tail.bytes() <= chunk().memory_bytes() + 1);
    }
}
