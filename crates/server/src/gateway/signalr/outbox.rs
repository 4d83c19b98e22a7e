//! What waits for one connection: filled by whoever has something to tell, emptied by the connection's own writer.
//!
//! The same words go to thousands: a message is encoded once a protocol, and everybody shares the bytes. Of a state only
//! the newest matters, so it waits as a reference to the cell that holds it, and is taken when it is written: a slow
//! reader gets the newest state, and what waits for it is bounded by what it subscribed to. Everything else queues up to
//! a bound; beyond that the connection is given up and told so, because a hole in the story must not be silent.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use cordboard_core::Guid;
use cordboard_signalr::{Protocol, encode_invocation};
use prometheus_client::metrics::counter::Counter;

/// An emptied queue keeps room for so many messages; more is given back.
const KEPT_ROOM: usize = 16;

/// One invocation of a client's method with one argument, encoded at most once in each protocol.
#[derive(Debug)]
pub struct Frame {
    target: &'static str,
    subscription: Guid,
    argument: Box<str>,
    json: OnceLock<Bytes>,
    message_pack: OnceLock<Bytes>,
    expires: Option<Instant>,
}

impl Frame {
    /// A message of this subscription for the client's method `target`, with a JSON text as its argument. It is not
    /// written after `expires`.
    #[must_use]
    pub fn new(
        target: &'static str,
        subscription: Guid,
        argument: impl Into<Box<str>>,
        expires: Option<Instant>,
    ) -> Self {
        let (json, message_pack) = Default::default();
        Self { target, subscription, argument: argument.into(), json, message_pack, expires }
    }

    /// The whole message as it goes over the wire, its end or length included.
    #[must_use]
    pub fn bytes(&self, protocol: Protocol) -> Bytes {
        let cell = match protocol {
            Protocol::Json => &self.json,
            Protocol::MessagePack => &self.message_pack,
        };
        // What we say is JSON; an empty message would be found by every test.
        cell.get_or_init(|| encode_invocation(protocol, self.target, &[&self.argument]).unwrap_or_default()).clone()
    }

    fn len(&self) -> usize {
        self.argument.len()
    }

    fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now > expires)
    }
}

/// The newest message of one state, for all who subscribed to it.
#[derive(Debug, Default)]
pub struct StateCell {
    newest: Mutex<Newest>,
    /// Somebody wanted it and found it too old.
    is_stale: AtomicBool,
}

#[derive(Debug, Default, Clone)]
struct Newest {
    revision: u64,
    frame: Option<Arc<Frame>>,
}

impl StateCell {
    /// This is the newest now. Whoever waits for this state gets it instead of an older one.
    pub fn set(&self, frame: Arc<Frame>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.revision += 1;
        newest.frame = Some(frame);
    }

    /// Whether somebody found the newest too old to be written since this was asked last.
    #[must_use]
    pub fn take_stale(&self) -> bool {
        self.is_stale.swap(false, Ordering::AcqRel)
    }

    fn newest(&self) -> Newest {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const IDLE: u8 = 0;
const WAITS: u8 = 1;
const GONE: u8 = 2;

/// One connection's subscription to one state.
#[derive(Debug)]
pub struct StateSlot {
    cell: Arc<StateCell>,
    phase: AtomicU8,
    /// The revision written last.
    written: AtomicU64,
    /// It was due and too old to be written.
    missed: AtomicBool,
}

impl StateSlot {
    /// A subscription that has been told nothing yet.
    #[must_use]
    pub fn new(cell: Arc<StateCell>) -> Self {
        Self { cell, phase: AtomicU8::new(IDLE), written: AtomicU64::new(0), missed: AtomicBool::new(false) }
    }

    /// Nothing is written for it any more, whatever waits.
    pub fn end(&self) {
        self.phase.store(GONE, Ordering::Release);
    }

    /// Whether it was due and found too old; forgets it.
    #[must_use]
    pub fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::AcqRel)
    }

    /// What is to be written for it, unless it was written already.
    fn take(&self) -> Option<Arc<Frame>> {
        self.phase.compare_exchange(WAITS, IDLE, Ordering::AcqRel, Ordering::Acquire).ok()?;
        let Newest { revision, frame } = self.cell.newest();
        (self.written.swap(revision, Ordering::AcqRel) != revision).then_some(frame).flatten()
    }

    fn miss(&self, shared: &Outboxes) {
        self.missed.store(true, Ordering::Release);
        self.cell.is_stale.store(true, Ordering::Release);
        shared.stale.fetch_add(1, Ordering::AcqRel);
    }
}

/// How much may wait for one connection, the newest of each state not counted.
#[derive(Debug, Clone, Copy)]
pub struct OutboxLimits {
    /// So many messages.
    pub messages_max: usize,
    /// So many bytes.
    pub bytes_max: usize,
}

/// What all outboxes of one hub share.
#[derive(Debug)]
pub struct Outboxes {
    /// What may wait.
    pub limits: OutboxLimits,
    /// What is counted.
    pub counters: OutboxCounters,
    /// How often a state was too old to be written.
    stale: AtomicU64,
}

/// What is counted of outboxes; clones count the same.
#[derive(Debug, Clone, Default)]
pub struct OutboxCounters {
    /// Messages given to writers.
    pub delivered: Counter,
    /// States that were replaced by newer ones before they were written.
    pub conflated: Counter,
    /// Messages whose time to live was over before they could be written.
    pub expired: Counter,
    /// Connections given up because too much waited.
    pub overflowed: Counter,
}

impl Outboxes {
    /// These limits, nothing counted yet.
    #[must_use]
    pub fn new(limits: OutboxLimits) -> Self {
        Self::counted(limits, OutboxCounters::default())
    }

    /// These limits, counted here.
    #[must_use]
    pub fn counted(limits: OutboxLimits, counters: OutboxCounters) -> Self {
        Self { limits, counters, stale: AtomicU64::new(0) }
    }
}

/// Why a connection is to be closed. Whoever it is may come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closing {
    /// More waited than may.
    #[error("messages were not read fast enough; connect and subscribe again")]
    Overflow,
    /// Nothing more will be told.
    #[error("events are not told at the moment; connect and subscribe again")]
    FeedEnded,
}

/// What became of a look into the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing waits any more.
    All,
    /// More waits: look again when this is written.
    More,
    /// Close the connection with this error and let it come back; nothing more comes.
    Close(Closing),
}

/// See the module.
#[derive(Debug)]
pub struct Outbox {
    queue: Mutex<Queue>,
    shared: Arc<Outboxes>,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    /// Messages and bytes that count.
    messages: usize,
    bytes: usize,
    held: bool,
    closing: Option<Closing>,
    /// Who waits for something to take out.
    waker: Option<Waker>,
    /// Who waits for room to put something in.
    room_waker: Option<Waker>,
}

#[derive(Debug)]
enum Item {
    Frame(Arc<Frame>),
    State(Arc<StateSlot>),
}

impl Queue {
    fn is_due(&self) -> bool {
        self.closing.is_some() || (!self.held && !self.items.is_empty())
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Frame(frame) = &item {
            self.messages -= 1;
            self.bytes -= frame.len();
        }
        Some(item)
    }

    fn clear(&mut self) {
        (self.items, self.messages, self.bytes) = Default::default();
    }
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(shared: Arc<Outboxes>) -> Self {
        Self { queue: Mutex::default(), shared }
    }

    /// Queues a message. False when too much waits: the connection is given up.
    pub fn push(&self, frame: &Arc<Frame>) -> bool {
        let mut queue = self.queue();
        if queue.closing.is_some() {
            return false;
        }
        let OutboxLimits { messages_max, bytes_max } = self.shared.limits;
        if queue.messages >= messages_max || queue.bytes + frame.len() > bytes_max {
            self.shared.counters.overflowed.inc();
            wake(self.end(queue, Closing::Overflow));
            return false;
        }
        queue.messages += 1;
        queue.bytes += frame.len();
        queue.items.push_back(Item::Frame(Arc::clone(frame)));
        wake(queue);
        true
    }

    /// The state of this slot has changed. False when the connection was given up.
    pub fn push_state(&self, slot: &Arc<StateSlot>) -> bool {
        match slot.phase.compare_exchange(IDLE, WAITS, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {}
            Err(phase) => {
                if phase == WAITS {
                    self.shared.counters.conflated.inc();
                }
                return true;
            }
        }
        let mut queue = self.queue();
        if queue.closing.is_some() {
            return false;
        }
        queue.items.push_back(Item::State(Arc::clone(slot)));
        wake(queue);
        true
    }

    /// Takes out the messages of a subscription that ended.
    pub fn forget(&self, subscription: Guid) {
        let mut queue = self.queue();
        let Queue { items, messages, bytes, .. } = &mut *queue;
        items.retain(|item| match item {
            Item::Frame(frame) if frame.subscription == subscription => {
                *messages -= 1;
                *bytes -= frame.len();
                false
            }
            Item::Frame(_) => true,
            Item::State(slot) => slot.phase.load(Ordering::Acquire) != GONE,
        });
    }

    /// Keeps back what waits and what comes, until the answer that must come before it is written.
    pub fn hold(&self) {
        self.queue().held = true;
    }

    /// Lets through again what was kept back. Does nothing where nothing was.
    pub fn release(&self) {
        let mut queue = self.queue();
        if std::mem::take(&mut queue.held) {
            wake(queue);
        }
    }

    /// Gives the connection up.
    pub fn close(&self, why: Closing) {
        let queue = self.queue();
        if queue.closing.is_none() {
            wake(self.end(queue, why));
        }
    }

    /// Waits until no more than half of what may wait does: for whoever has much to tell and can wait. False when the
    /// connection was given up. For one waiter at a time; cancel safe.
    pub async fn room(&self) -> bool {
        let OutboxLimits { messages_max, bytes_max } = self.shared.limits;
        poll_fn(|context| {
            let mut queue = self.queue();
            if queue.closing.is_some() {
                return Poll::Ready(false);
            }
            if queue.messages <= messages_max / 2 && queue.bytes <= bytes_max / 2 {
                return Poll::Ready(true);
            }
            queue.room_waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// How often a state was too old to be written, to anybody of this hub.
    #[must_use]
    pub fn stale_count(&self) -> u64 {
        self.shared.stale.load(Ordering::Acquire)
    }

    /// Whether the connection was given up.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue().closing.is_some()
    }

    /// Waits until [`Outbox::drain`] has something to give. For one waiter at a time; cancel safe.
    pub async fn wait(&self) {
        poll_fn(|context| self.poll_due(context)).await;
    }

    /// Ready when [`Outbox::drain`] has something to give; who asked last is woken then.
    pub fn poll_due(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue();
        if queue.is_due() {
            return Poll::Ready(());
        }
        match &mut queue.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes what is to be written now, in order, until it is `bytes_max` or more: take little and look again when it is
    /// written, since what is taken can no longer be replaced by what is newer.
    pub fn drain(&self, protocol: Protocol, now: Instant, bytes_max: usize, out: &mut Vec<Bytes>) -> Drained {
        let (mut bytes, before) = (0, out.len());
        let drained = loop {
            if bytes >= bytes_max {
                break Drained::More;
            }
            // Encoding takes longer than anybody who tells should wait, so the lock is let go for each.
            let item = {
                let mut queue = self.queue();
                if let Some(closing) = queue.closing {
                    break Drained::Close(closing);
                }
                let item = if queue.held { None } else { queue.pop() };
                if item.is_none() && queue.items.is_empty() && queue.items.capacity() > KEPT_ROOM {
                    queue.items.shrink_to(KEPT_ROOM);
                }
                item
            };
            let frame = match item {
                None => break Drained::All,
                Some(Item::Frame(frame)) if frame.is_over(now) => None,
                Some(Item::Frame(frame)) => Some(frame),
                Some(Item::State(slot)) => match slot.take() {
                    None => continue,
                    Some(frame) if frame.is_over(now) => {
                        slot.miss(&self.shared);
                        None
                    }
                    Some(frame) => Some(frame),
                },
            };
            match frame {
                Some(frame) => {
                    let encoded = frame.bytes(protocol);
                    bytes += encoded.len();
                    out.push(encoded);
                }
                None => _ = self.shared.counters.expired.inc(),
            }
        };
        self.shared.counters.delivered.inc_by((out.len() - before) as u64);
        let room_waker = self.queue().room_waker.take();
        if let Some(waker) = room_waker {
            waker.wake();
        }
        drained
    }

    fn end<'q>(&self, mut queue: MutexGuard<'q, Queue>, why: Closing) -> MutexGuard<'q, Queue> {
        queue.closing = Some(why);
        queue.clear();
        if let Some(waker) = queue.room_waker.take() {
            waker.wake();
        }
        queue
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes who waits, once the lock is free for it.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = if queue.is_due() { queue.waker.take() } else { None };
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: OutboxLimits = OutboxLimits { messages_max: 3, bytes_max: 1_000 };

    fn outbox() -> Outbox {
        Outbox::new(Arc::new(Outboxes::new(LIMITS)))
    }

    fn frame(subscription: u128, argument: &str) -> Arc<Frame> {
        Arc::new(Frame::new("Told", Guid(subscription), argument, None))
    }

    fn taken(outbox: &Outbox, now: Instant) -> (Vec<String>, Drained) {
        let mut out = Vec::new();
        let drained = outbox.drain(Protocol::Json, now, usize::MAX, &mut out);
        let argument = |bytes: &Bytes| {
            let text = std::str::from_utf8(bytes).unwrap().strip_suffix('\u{1e}').unwrap();
            serde_json::from_str::<serde_json::Value>(text).unwrap()["arguments"][0].to_string()
        };
        (out.iter().map(argument).collect(), drained)
    }

    #[test]
    fn a_message_is_encoded_once_a_protocol() {
        let frame = frame(1, "{\"a\":1}");
        for (protocol, end) in
            [(Protocol::Json, &b"[{\"a\":1}]}\x1e"[..]), (Protocol::MessagePack, b"\x91\x81\xa1a\x01\x90")]
        {
            let (first, second) = (frame.bytes(protocol), frame.bytes(protocol));
            assert!(first.ends_with(end) || first.ends_with(&end[..end.len() - 1]), "{first:?}");
            assert_eq!(first.as_ptr(), second.as_ptr());
        }
    }

    #[test]
    fn messages_come_in_order_and_a_state_as_its_newest() {
        let (outbox, now) = (outbox(), Instant::now());
        let cell = Arc::new(StateCell::default());
        let slot = Arc::new(StateSlot::new(Arc::clone(&cell)));
        for (state, message) in [("1", "\"a\""), ("2", "\"b\"")] {
            cell.set(frame(1, state));
            assert!(outbox.push_state(&slot) && outbox.push(&frame(2, message)));
        }
        assert_eq!(taken(&outbox, now), (vec!["2".into(), "\"a\"".into(), "\"b\"".into()], Drained::All));
        assert_eq!((outbox.shared.counters.conflated.get(), outbox.shared.counters.delivered.get()), (1, 3));
        // Told again without a change: nothing new to write.
        assert!(outbox.push_state(&slot));
        assert_eq!(taken(&outbox, now), (vec![], Drained::All));
    }

    #[test]
    fn a_bounded_look_leaves_the_rest() {
        let (outbox, now) = (outbox(), Instant::now());
        assert!(outbox.push(&frame(1, "1")) && outbox.push(&frame(1, "2")));
        let mut out = Vec::new();
        assert_eq!(outbox.drain(Protocol::Json, now, 1, &mut out), Drained::More);
        assert_eq!(out.len(), 1);
        assert_eq!(taken(&outbox, now), (vec!["2".into()], Drained::All));
    }

    #[test]
    fn too_many_or_too_large_gives_the_connection_up() {
        let large = format!("\"{}\"", "x".repeat(LIMITS.bytes_max));
        for argument in ["1", &large] {
            let outbox = outbox();
            let pushed = (0..=LIMITS.messages_max).take_while(|_| outbox.push(&frame(1, argument))).count();
            assert!(pushed <= LIMITS.messages_max);
            let slot = Arc::new(StateSlot::new(Arc::default()));
            assert!(!outbox.push(&frame(1, "1")) && !outbox.push_state(&slot));
            assert_eq!(taken(&outbox, Instant::now()), (vec![], Drained::Close(Closing::Overflow)));
            assert_eq!((outbox.shared.counters.overflowed.get(), outbox.queue().items.capacity()), (1, 0));
        }
    }

    #[test]
    fn what_is_too_old_is_not_written_and_a_state_is_asked_for_again() {
        let (outbox, said) = (outbox(), Instant::now());
        let (ttl, second) = (Duration::from_secs(60), Duration::from_secs(1));
        let old = |argument| Arc::new(Frame::new("Told", Guid(1), argument, Some(said + ttl)));
        let cell = Arc::new(StateCell::default());
        let slot = Arc::new(StateSlot::new(Arc::clone(&cell)));
        cell.set(old("1"));
        assert!(outbox.push_state(&slot) && outbox.push(&old("2")));
        assert_eq!(taken(&outbox, said + ttl + second), (vec![], Drained::All));
        assert_eq!(outbox.shared.counters.expired.get(), 2);
        assert!(slot.take_missed() && !slot.take_missed() && cell.take_stale() && !cell.take_stale());
        cell.set(old("3"));
        assert!(outbox.push_state(&slot));
        assert_eq!(taken(&outbox, said + ttl).0, ["3"]);
    }

    #[test]
    fn nothing_of_a_subscription_that_ended_is_written() {
        let (outbox, now) = (outbox(), Instant::now());
        let slot = Arc::new(StateSlot::new(Arc::default()));
        slot.cell.set(frame(1, "1"));
        assert!(outbox.push_state(&slot) && outbox.push(&frame(2, "2")) && outbox.push(&frame(3, "3")));
        slot.end();
        outbox.forget(Guid(2));
        assert_eq!(taken(&outbox, now), (vec!["3".into()], Drained::All));
        let queue = outbox.queue();
        assert_eq!((queue.messages, queue.bytes), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_is_woken_and_what_is_held_waits() {
        let outbox = Arc::new(outbox());
        outbox.hold();
        assert!(outbox.push(&frame(1, "1")));
        assert_eq!(taken(&outbox, Instant::now()), (vec![], Drained::All));
        let waiting = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.wait().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        outbox.release();
        waiting.await.unwrap();
        assert_eq!(taken(&outbox, Instant::now()).0, ["1"]);
        let waiting = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.wait().await }
        });
        outbox.close(Closing::FeedEnded);
        waiting.await.unwrap();
        assert_eq!(taken(&outbox, Instant::now()).1, Drained::Close(Closing::FeedEnded));
    }
}
