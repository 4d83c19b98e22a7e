//! WebSockets.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::{Buf, Bytes};
use cordboard_signalr::FrameKind;
use futures_util::{Sink, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Duration, Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::pipe::{Lost, Pipe, Received};
use super::rate::Rate;
use crate::config::Rte;

/// What is read at once, in bytes; every connection has as much memory for it.
const READ_BYTES: usize = 512;
/// The longest head of a frame of ours, in bytes.
const HEAD_BYTES_MAX: usize = 10;
/// What is taken off the line after the end, in bytes.
const PASSED_OVER_BYTES_MAX: usize = 1_048_576;

/// Whether a request asks for a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    has_word(headers, header::UPGRADE, "websocket")
}

/// The answer that turns a connection into a WebSocket; none where the request is not as it must be.
pub(super) fn accept(headers: &HeaderMap) -> Option<Response> {
    let version = headers.get(header::SEC_WEBSOCKET_VERSION)?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    if version != "13" || !has_word(headers, header::CONNECTION, "upgrade") {
        return None;
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()).try_into().ok()?);
    Some(response)
}

fn has_word(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|given| given.trim().eq_ignore_ascii_case(word))
}

/// A WebSocket.
pub(super) struct Socket {
    stream: WebSocketStream<Line>,
    /// What is written once all that came before it is.
    next: Option<Outgoing>,
    /// Set where the other side took nothing for too long.
    slow: Arc<AtomicBool>,
}

impl Socket {
    /// A connection that has just become one.
    pub(super) async fn new(upgraded: Upgraded, settings: &Rte, slow: Arc<AtomicBool>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            // What is to be written together comes together.
            .write_buffer_size(0)
            .max_message_size(Some(settings.post_bytes_max))
            .max_frame_size(Some(settings.post_bytes_max));
        let line = Line {
            io: TokioIo::new(upgraded),
            outgoing: Outgoing::default(),
            rate: Rate::new(settings.bytes_per_second_max, Instant::now()),
            timer: None,
        };
        let stream = WebSocketStream::from_raw_socket(line, Role::Server, Some(config)).await;
        Self { stream, next: None, slow }
    }

    /// Whether the other side took nothing for too long.
    pub(super) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// Ends it: says so, and waits for the other side to say so, but not for long.
    pub(super) async fn close(mut self, wait_max: Duration) {
        let closed = async {
            poll_fn(|context| Pin::new(&mut self.stream).poll_close(context)).await.ok();
            // What comes before the answer is passed over.
            while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut self.stream).poll_next(context)).await {}
            // Where it was no proper end, what still comes is taken off the line: otherwise our last words would be lost.
            let mut passed_over = [0; READ_BYTES];
            let io = &mut self.stream.get_mut().io;
            for _ in 0..PASSED_OVER_BYTES_MAX / READ_BYTES {
                if !io.read(&mut passed_over).await.is_ok_and(|bytes| bytes > 0) {
                    return;
                }
            }
        };
        // A client that does not answer is left.
        _ = tokio::time::timeout(wait_max, closed).await;
    }
}

impl Pipe for Socket {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        let received = match ready!(Pin::new(&mut self.stream).poll_next(context)) {
            Some(Ok(Message::Text(text))) => Received::Messages(text.into()),
            Some(Ok(Message::Binary(bytes))) => Received::Messages(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Received::Alive,
            Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => {
                Received::Wrong("The WebSocket message is longer than it may be.")
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => Received::Gone,
        };
        Poll::Ready(received)
    }

    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        // The answer to a ping may be half written; it ends before our frame begins.
        ready!(Pin::new(&mut self.stream).poll_flush(context)).map_err(|_| Lost)?;
        if let Some(next) = self.next.take() {
            let line = self.stream.get_mut();
            line.outgoing = next;
            ready!(Pin::new(line).poll_flush(context)).map_err(|_| Lost)?;
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, messages: Bytes, kind: FrameKind) {
        self.next = Some(Outgoing::new(messages, kind));
    }
}

/// Where the next WebSocket of a connection may come to, when the one before broke.
#[derive(Default)]
pub(super) struct Dock(Mutex<DockState>);

#[derive(Default)]
struct DockState {
    open: bool,
    next: Option<Box<Socket>>,
    waker: Option<Waker>,
}

impl Dock {
    /// From now on the client may come back.
    pub(super) fn open(&self) {
        self.state().open = true;
    }

    /// From now on it may not.
    pub(super) fn close(&self) {
        let mut state = self.state();
        (state.open, state.next) = (false, None);
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().open
    }

    /// The client came back.
    pub(super) fn put(&self, socket: Box<Socket>) {
        let mut state = self.state();
        if state.open {
            state.next = Some(socket);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    /// The next WebSocket, when the client has come back.
    pub(super) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Box<Socket>> {
        let mut state = self.state();
        if let Some(socket) = state.next.take() {
            return Poll::Ready(socket);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// The lock is held for moments.
    fn state(&self) -> MutexGuard<'_, DockState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A frame of ours that is being written: from where its bytes are, so that none is copied and no memory is kept for it.
#[derive(Default)]
struct Outgoing {
    head: [u8; HEAD_BYTES_MAX],
    /// The part of the head that is still to be written.
    left: Range<usize>,
    messages: Bytes,
}

impl Outgoing {
    fn new(messages: Bytes, kind: FrameKind) -> Self {
        let opcode = match kind {
            FrameKind::Text => OpCode::Data(Data::Text),
            FrameKind::Binary => OpCode::Data(Data::Binary),
        };
        let (mut head, header) = ([0; HEAD_BYTES_MAX], FrameHeader { opcode, ..FrameHeader::default() });
        let mut room = head.as_mut_slice();
        // There is room for the longest.
        _ = header.format(messages.len() as u64, &mut room);
        let left = 0..HEAD_BYTES_MAX - room.len();
        Self { head, left, messages }
    }

    fn is_written(&self) -> bool {
        self.left.is_empty() && self.messages.is_empty()
    }

    fn slices(&self) -> [IoSlice<'_>; 2] {
        [self.head.get(self.left.clone()).unwrap_or_default(), &self.messages].map(IoSlice::new)
    }

    fn advance(&mut self, written: usize) {
        let of_head = written.min(self.left.len());
        self.left.start += of_head;
        self.messages.advance((written - of_head).min(self.messages.len()));
    }
}

/// A connection. What is written of the WebSocket's own accord, as the answer to a ping, waits until no frame is half
/// written. Only so many bytes are read in a second: whatever a client sends too much, it waits with it.
struct Line {
    io: TokioIo<Upgraded>,
    outgoing: Outgoing,
    rate: Rate,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Line {
    fn poll_outgoing(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_written() {
            let written = Pin::new(&mut self.io).poll_write_vectored(context, &self.outgoing.slices());
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.outgoing.advance(written),
            }
        }
        self.outgoing.messages = Bytes::new();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let now = Instant::now();
        if let Some(due) = this.rate.due(now) {
            let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            ready!(timer.as_mut().poll(context));
        }
        this.timer = None;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(context, buffer))?;
        this.rate.spend(buffer.filled().len() - before, now);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_outgoing(context))?;
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_outgoing(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;

    use super::*;

    /// Whatever the system takes at a time.
    fn written(mut outgoing: Outgoing, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !outgoing.is_written() {
            let whole: Vec<u8> = outgoing.slices().iter().flat_map(|slice| slice.to_vec()).collect();
            let taken = step.min(whole.len());
            all.extend_from_slice(&whole[..taken]);
            outgoing.advance(taken);
        }
        all
    }

    #[test]
    fn a_frame_is_written_whole_in_whatever_parts() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 70_000] {
            let messages = Bytes::from(vec![b'x'; length]);
            for (kind, opcode) in [(FrameKind::Text, Data::Text), (FrameKind::Binary, Data::Binary)] {
                let mut expected = Vec::new();
                Frame::message(messages.clone(), OpCode::Data(opcode), true).format(&mut expected).unwrap();
                for step in [1, 3, 10, 4_096, usize::MAX].into_iter().filter(|step| length < 1_000 || *step > 10) {
                    assert!(written(Outgoing::new(messages.clone(), kind), step) == expected, "{length} by {step}");
                }
            }
        }
    }
}
