//! The two transports that are made of single requests: what clients post is handed on, what is for them waits to be
//! fetched, by one answer without an end (server-sent events) or by one after the other (long polling).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use cordboard_signalr::FrameKind;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, Sleep};

use super::pipe::{Lost, Pipe, Received};
use super::rate::Rate;

/// Posts that wait to be taken; more wait to be answered.
const POSTS_MAX: usize = 4;

/// What requests hold of a connection.
#[derive(Clone)]
pub(super) struct Letters {
    posts: mpsc::Sender<Bytes>,
    outlet: Arc<Outlet>,
}

impl Letters {
    /// Both ends of a new connection. A client that fetches nothing for longer than `absent_max` is gone.
    pub(super) fn new(bytes_per_second_max: u32, absent_max: Option<Duration>) -> (Self, LetterPipe) {
        let (posts, posted) = mpsc::channel(POSTS_MAX);
        let outlet = Arc::new(Outlet::new());
        let now = Instant::now();
        let rate = Rate::new(bytes_per_second_max, now);
        let pipe = LetterPipe { posted, outlet: Arc::clone(&outlet), rate, absent_max, timer: None };
        (Self { posts, outlet }, pipe)
    }

    /// Hands on what was posted; false where the connection is over.
    pub(super) async fn post(&self, messages: Bytes) -> bool {
        self.posts.send(messages).await.is_ok()
    }

    /// Begins to fetch; whoever fetched before is told to end.
    pub(super) fn fetch(&self) -> Fetch {
        let mut state = self.outlet.state();
        state.turn += 1;
        state.fetching = true;
        state.wake_reader();
        Fetch { turn: state.turn, outlet: Arc::clone(&self.outlet) }
    }

    /// The client wants no more.
    pub(super) fn end(&self) {
        self.outlet.state().leave();
    }
}

/// What fetches for a client.
pub(super) struct Fetch {
    turn: u64,
    outlet: Arc<Outlet>,
}

impl Fetch {
    /// What is there for the client; none where it is over, or somebody else fetches now.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.outlet.state();
        if state.turn != self.turn || state.left {
            return Poll::Ready(None);
        }
        if let Some(messages) = state.waiting.take() {
            state.wake_writer();
            return Poll::Ready(Some(messages));
        }
        if state.ended {
            state.told = true;
            state.wake_writer();
            return Poll::Ready(None);
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// The client fetches by this one answer alone: when it ends, the client is gone.
    pub(super) fn only(self) -> OnlyFetch {
        OnlyFetch(self)
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        let mut state = self.outlet.state();
        if state.turn == self.turn {
            state.fetching = false;
            state.absent_since = Instant::now();
            state.wake_writer();
        }
    }
}

/// What fetches for a client that has no other way.
pub(super) struct OnlyFetch(Fetch);

impl OnlyFetch {
    /// What is there for the client; none where it is over.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.0.next().await
    }
}

impl Drop for OnlyFetch {
    fn drop(&mut self) {
        self.0.outlet.state().leave();
    }
}

/// What waits to be fetched.
struct Outlet(Mutex<State>);

struct State {
    waiting: Option<Bytes>,
    /// Nothing more will come.
    ended: bool,
    /// Somebody was told so.
    told: bool,
    /// The client is gone.
    left: bool,
    turn: u64,
    fetching: bool,
    absent_since: Instant,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Outlet {
    fn new() -> Self {
        Self(Mutex::new(State {
            waiting: None,
            ended: false,
            told: false,
            left: false,
            turn: 0,
            fetching: false,
            absent_since: Instant::now(),
            reader: None,
            writer: None,
        }))
    }

    /// The lock is held for moments.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave(&mut self) {
        self.left = true;
        self.waiting = None;
        self.wake_reader();
        self.wake_writer();
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }
}

/// The connection's end of it.
pub(super) struct LetterPipe {
    posted: mpsc::Receiver<Bytes>,
    outlet: Arc<Outlet>,
    rate: Rate,
    absent_max: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl LetterPipe {
    /// Nothing more will be sent: waits until the client knows, but not for long.
    pub(super) async fn finish(self, wait_max: Duration) {
        self.outlet.state().ended = true;
        self.outlet.state().wake_reader();
        let known = poll_fn(|context| {
            let mut state = self.outlet.state();
            if state.told || state.left {
                return Poll::Ready(());
            }
            state.writer = Some(context.waker().clone());
            Poll::Pending
        });
        // Who does not ask need not know.
        _ = tokio::time::timeout(wait_max, known).await;
        self.outlet.state().leave();
    }

    /// When this task must look again though nothing happened; none where the client is gone.
    fn look_again(&mut self, context: &mut Context<'_>, now: Instant) -> Option<Option<Instant>> {
        let mut state = self.outlet.state();
        state.writer = Some(context.waker().clone());
        let absent = match self.absent_max {
            Some(absent_max) if !state.fetching => Some(state.absent_since + absent_max),
            Some(_) | None => None,
        };
        let gone = state.left || absent.is_some_and(|at| at <= now);
        (!gone).then_some(absent)
    }

    /// True when it is time; sees to it that the task is woken then, otherwise.
    fn poll_timer(&mut self, context: &mut Context<'_>, at: Instant) -> bool {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context).is_ready()
    }
}

impl Pipe for LetterPipe {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        loop {
            let now = Instant::now();
            let Some(absent) = self.look_again(context, now) else { return Poll::Ready(Received::Gone) };
            let throttled = self.rate.due(now);
            if throttled.is_none()
                && let Poll::Ready(posted) = self.posted.poll_recv(context)
            {
                let Some(messages) = posted else { return Poll::Ready(Received::Gone) };
                self.rate.spend(messages.len(), now);
                return Poll::Ready(Received::Messages(messages));
            }
            let Some(at) = [absent, throttled].into_iter().flatten().min() else { return Poll::Pending };
            if !self.poll_timer(context, at) {
                return Poll::Pending;
            }
        }
    }

    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        let mut state = self.outlet.state();
        if state.left {
            return Poll::Ready(Err(Lost));
        }
        if state.waiting.is_none() {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    fn send(&mut self, messages: Bytes, _kind: FrameKind) {
        let mut state = self.outlet.state();
        state.waiting = Some(messages);
        state.wake_reader();
    }
}

/// Messages as one event: each line of them a line of data.
pub(super) fn event(messages: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(messages.len() + 16);
    for line in messages.split(|byte| *byte == b'\n') {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        event.extend_from_slice(b"\r\n");
    }
    event.extend_from_slice(b"\r\n");
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(absent_ms: u64) -> (Letters, LetterPipe) {
        Letters::new(1_000, Some(Duration::from_millis(absent_ms)))
    }

    async fn received(pipe: &mut LetterPipe) -> Received {
        poll_fn(|context| pipe.poll_receive(context)).await
    }

    #[tokio::test]
    async fn what_is_sent_is_fetched_once() {
        let (letters, mut pipe) = pair(1_000);
        pipe.send(Bytes::from_static(b"a"), FrameKind::Text);
        assert_eq!(letters.fetch().next().await.as_deref(), Some(&b"a"[..]));
        assert_eq!(poll_fn(|context| pipe.poll_written(context)).await, Ok(()));
        let mut second = letters.fetch();
        pipe.send(Bytes::from_static(b"b"), FrameKind::Text);
        assert_eq!(second.next().await.as_deref(), Some(&b"b"[..]));
    }

    #[tokio::test]
    async fn a_second_fetch_ends_the_first() {
        let (letters, mut pipe) = pair(1_000);
        let mut first = letters.fetch();
        let first = tokio::spawn(async move { first.next().await });
        tokio::task::yield_now().await;
        let mut second = letters.fetch();
        assert_eq!(first.await.unwrap(), None);
        pipe.send(Bytes::from_static(b"a"), FrameKind::Text);
        assert!(second.next().await.is_some());
    }

    #[tokio::test]
    async fn who_fetches_nothing_is_gone() {
        let (letters, mut pipe) = pair(20);
        let begun = Instant::now();
        let fetch = letters.fetch();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(60)).await;
            drop(fetch);
        });
        assert_eq!(received(&mut pipe).await, Received::Gone);
        assert!(begun.elapsed() >= Duration::from_millis(80));
    }

    #[tokio::test]
    async fn posts_come_in_order_and_too_many_wait() {
        let (letters, mut pipe) = Letters::new(10_000, Some(Duration::from_secs(60)));
        let begun = Instant::now();
        tokio::spawn({
            let letters = letters.clone();
            async move {
                for _ in 0..3 {
                    assert!(letters.post(Bytes::from(vec![b'x'; 10_000])).await);
                }
            }
        });
        for _ in 0..3 {
            assert!(matches!(received(&mut pipe).await, Received::Messages(_)));
        }
        // The first may come at once.
        assert!(begun.elapsed() >= Duration::from_secs(1));
        letters.end();
        assert_eq!(received(&mut pipe).await, Received::Gone);
        drop(pipe);
        assert!(!letters.post(Bytes::new()).await);
    }

    #[tokio::test]
    async fn the_end_is_told_after_what_was_before_it() {
        let (letters, mut pipe) = pair(1_000);
        pipe.send(Bytes::from_static(b"bye"), FrameKind::Text);
        let finish = tokio::spawn(pipe.finish(Duration::from_secs(5)));
        assert!(letters.fetch().next().await.is_some());
        assert_eq!(letters.fetch().next().await, None);
        finish.await.unwrap();
    }

    #[test]
    fn an_event_holds_whole_messages() {
        assert_eq!(event(b"{}\x1e{}\x1e"), &b"data: {}\x1e{}\x1e\r\n\r\n"[..]);
        assert_eq!(event(b"a\r\nb\nc"), &b"data: a\r\ndata: b\r\ndata: c\r\n\r\n"[..]);
    }
}
