//! One connection: requests are read, and answered in their order.
//!
//! While one is answered, what the client sends next is read up to a bound, so that it is seen when it goes away. Nothing is
//! decoded of whoever has not logged in but how to log in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use cordboard_kafka::answer::AnswerError;
use cordboard_kafka::api::{Api, Request, Use};
use cordboard_kafka::frame::{FrameError, Frames};
use cordboard_kafka::request::{self, Head, RequestError};
use cordboard_kafka::shape::ShapeLimits;
use kafka_protocol::protocol::StrBytes;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::dispatch::{self, Reply};
use super::listener::stopped;
use super::principal::Login;
use super::write::write_all;
use super::{Broker, Client};

/// Requests up to this long, in bytes, are read without asking whether there is room.
const SMALL_BYTES: usize = 65_536;
/// What is read at once, in bytes, at least and at most.
const READ_BYTES: (usize, usize) = (4_096, 65_536);
/// How often it is looked whether a token is still good.
const TOKEN_CHECK_EVERY: Duration = Duration::from_secs(2);
/// What may be written within `write_ms_max`, in bytes; more has longer.
const WRITE_BYTES: usize = 1 << 20;
/// How long whoever was refused may stay to read why. Some clients see only the end, where it comes together with the answer.
const REFUSED_STAYS: Duration = Duration::from_secs(1);

/// A connection.
pub(super) struct Connection {
    broker: Arc<Broker>,
    stream: TcpStream,
    client: Client,
    login: Login,
    frames: Frames,
    large: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    /// Whether the client sends nothing more.
    is_over: bool,
    token_check: Instant,
}

impl Connection {
    /// A connection that was accepted; long requests of all connections share the room `large`.
    pub(super) fn new(
        broker: Arc<Broker>,
        (stream, address): (TcpStream, SocketAddr),
        large: Arc<Semaphore>,
        stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        // Without it, a small answer waits for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let (host, port) = match broker.settings.advertised() {
            Some((host, port)) => (host.to_owned(), port),
            None => (local.ip().to_string(), local.port()),
        };
        let client = Client { id: StrBytes::new(), address, host: host.into(), port };
        let login = broker.door.knock(address.ip());
        let frames = Frames::new(0);
        let token_check = Instant::now() + TOKEN_CHECK_EVERY;
        Ok(Self { broker, stream, client, login, frames, large, stop, is_over: false, token_check })
    }

    /// Answers until it is over.
    pub(super) async fn run(mut self) {
        let login_due = Instant::now() + Duration::from_millis(self.broker.settings.login_ms_max);
        let end = loop {
            if let Err(end) = self.turn(login_due).await {
                break end;
            }
        };
        let address = self.client.address;
        match &end {
            End::Closed | End::Stopped => return,
            End::Io(error) => return tracing::debug!(%address, %error, "a connection of a Kafka client broke"),
            End::Answer(api, error) => tracing::error!(%address, api = api.row().name, %error, "an answer is wrong"),
            End::Idle => tracing::debug!(%address, "a silent Kafka client was closed"),
            End::Late(_)
            | End::NotLoggedIn(_)
            | End::LoginRefused
            | End::TokenEnded
            | End::Unacknowledged
            | End::Frame(_)
            | End::Request(_) => {
                if let Some(left_out) = self.broker.breaches.may_speak(std::time::Instant::now()) {
                    tracing::info!(%address, why = %end, left_out, "a Kafka client was closed");
                }
            }
        }
        self.broker.metrics.closed(end.word());
    }

    /// Reads a request and answers it.
    async fn turn(&mut self, login_due: Instant) -> Result<(), End> {
        let (frame, _room) = self.next(login_due).await?;
        let metrics = &self.broker.metrics;
        metrics.bytes_in.inc_by(frame.len() as u64);
        if self.login.is_raw() {
            let answer = self.login.raw(&frame).ok_or(End::LoginRefused)?;
            return self.write(vec![framed(&answer)]).await;
        }
        let limits = ShapeLimits { items_max: self.broker.settings.request_items_max };
        let (head, body) = request::head(frame, limits)?;
        metrics.request(head.api);
        self.check_login(&head)?;
        let request = request::body(&head, body, limits)?;
        if head.client_id.as_deref().unwrap_or_default() != &*self.client.id {
            // A part of the frame would keep all of it.
            self.client.id = head.client_id.as_deref().unwrap_or_default().to_owned().into();
        }
        let Reply { parts, then, held } = self.answer(&head, request).await?;
        self.write(parts).await?;
        drop(held);
        let Some(end) = then else { return Ok(()) };
        self.wait_until_gone().await;
        Err(end)
    }

    /// Waits for the client to close, for a while. What it still sends is not looked at.
    async fn wait_until_gone(&mut self) {
        let Self { stream, stop, .. } = self;
        let gone = async {
            let mut unread = [0; 512];
            while stream.readable().await.is_ok() {
                match stream.try_read(&mut unread) {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        };
        tokio::select! {
            () = stopped(stop) => {}
            () = sleep(REFUSED_STAYS) => {}
            () = gone => {}
        }
    }

    /// Whether this may be asked, by whoever it is.
    fn check_login(&mut self, head: &Head) -> Result<(), End> {
        match head.api.row().used {
            Use::Open => return Ok(()),
            Use::Answered | Use::Refused => {}
        }
        if self.login.principal().is_none() {
            return Err(End::NotLoggedIn(head.api));
        }
        let now = Instant::now();
        if now >= self.token_check {
            self.token_check = now + TOKEN_CHECK_EVERY;
            if !self.login.is_good() {
                return Err(End::TokenEnded);
            }
        }
        Ok(())
    }

    /// The next frame, and the room it takes if it is long.
    async fn next(&mut self, login_due: Instant) -> Result<(Bytes, Option<OwnedSemaphorePermit>), End> {
        let settings = &self.broker.settings;
        let is_known = self.login.principal().is_some();
        self.frames.allow(if is_known { settings.request_bytes_max } else { settings.login_bytes_max });
        let idle = Duration::from_millis(settings.idle_ms_max);
        let (mut due, mut has_begun, mut room) = (Instant::now() + idle, false, None);
        loop {
            let wanted = self.frames.wanted()?;
            if let Some(frame) = self.frames.take()? {
                return Ok((frame, room));
            }
            if self.is_over {
                return Err(End::Closed);
            }
            if self.frames.waiting() > 0 && !has_begun {
                has_begun = true;
                due = Instant::now() + Duration::from_millis(settings.request_ms_max);
            }
            let until = if is_known { due } else { due.min(login_due) };
            let large = wanted.filter(|wanted| room.is_none() && *wanted > SMALL_BYTES);
            tokio::select! {
                () = stopped(&mut self.stop) => return Err(End::Stopped),
                () = sleep_until(until) => {
                    return Err(match (is_known, has_begun) {
                        (false, _) => End::Late("login_ms_max"),
                        (true, true) => End::Late("request_ms_max"),
                        (true, false) => End::Idle,
                    });
                }
                // A frame is never longer than its limit, which is of 31 bits. The semaphore is never closed.
                taken = Arc::clone(&self.large).acquire_many_owned(large.unwrap_or(0) as u32), if large.is_some() => {
                    room = taken.ok();
                }
                came = read(&self.stream, &mut self.frames), if large.is_none() => self.is_over = came? == 0,
            }
        }
    }

    /// Answers a request, and looks whether the client is still there.
    async fn answer(&mut self, head: &Head, request: Request) -> Result<Reply, End> {
        let Self { broker, stream, client, login, frames, stop, is_over, .. } = self;
        let ahead_bytes_max = broker.settings.ahead_bytes_max;
        let can_wait = can_wait(head.api);
        let answer = dispatch::answer(broker, login, client, head, request);
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                reply = &mut answer => return reply,
                () = stopped(stop), if can_wait => return Err(End::Stopped),
                came = read(stream, frames), if !*is_over && frames.waiting() < ahead_bytes_max => {
                    // What was asked before is done all the same, where it is not only waited for.
                    *is_over = came.unwrap_or(0) == 0;
                    if *is_over && can_wait {
                        return Err(End::Closed);
                    }
                }
            }
        }
    }

    async fn write(&mut self, parts: Vec<Bytes>) -> Result<(), End> {
        let bytes: usize = parts.iter().map(Bytes::len).sum();
        let begun = u32::try_from(bytes / WRITE_BYTES).unwrap_or(u32::MAX).saturating_add(1);
        let patience = Duration::from_millis(self.broker.settings.write_ms_max).saturating_mul(begun);
        match timeout(patience, write_all(&self.stream, parts)).await {
            Ok(written) => written?,
            Err(_) => return Err(End::Late("write_ms_max")),
        }
        self.broker.metrics.bytes_out.inc_by(bytes as u64);
        Ok(())
    }
}

/// Whether it is answered when something happens. Nobody misses the answer who is gone, and nothing else is left undone.
fn can_wait(api: Api) -> bool {
    matches!(api, Api::Fetch | Api::JoinGroup | Api::SyncGroup)
}

/// Reads what is there, when something is; 0 bytes are the end. To be cancelled at any time.
async fn read(stream: &TcpStream, frames: &mut Frames) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        let wanted = frames.wanted().ok().flatten().unwrap_or(0).saturating_sub(frames.waiting());
        // Memory is asked for only now, and as what is promised comes, not at once.
        frames.end().reserve(wanted.clamp(READ_BYTES.0, READ_BYTES.1));
        match stream.try_read_buf(frames.end()) {
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// An answer of before there were requests for it: only its length stands in front.
fn framed(answer: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(4 + answer.len());
    // It is a few bytes long.
    bytes.put_u32(answer.len() as u32);
    bytes.put_slice(answer);
    bytes.freeze()
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The client closed it.
    #[error("the client closed it")]
    Closed,
    /// The server stops.
    #[error("the server stops")]
    Stopped,
    /// Nothing came for long.
    #[error("nothing came for longer than kafka_listener.idle_ms_max")]
    Idle,
    /// Something took too long.
    #[error("it took longer than kafka_listener.{0}")]
    Late(&'static str),
    /// Who it is must be known first.
    #[error("{} before the login; right would be SASL PLAIN with a token as the password", .0.row().name)]
    NotLoggedIn(Api),
    /// The login was refused, and the client told.
    #[error("the login was refused")]
    LoginRefused,
    /// The token is good no longer.
    #[error("the token was revoked or has expired")]
    TokenEnded,
    /// It would write and hear no answer; this is the only one it can hear.
    #[error("it would write and wants no answer; topics can only be read here")]
    Unacknowledged,
    /// What came are no frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What came is no request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// We said something that cannot be said.
    #[error("{1}")]
    Answer(Api, AnswerError),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl End {
    /// The word for metrics.
    const fn word(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Stopped => "stopped",
            Self::Idle => "idle_ms_max",
            Self::Late(limit) => limit,
            Self::NotLoggedIn(_) => "not_logged_in",
            Self::LoginRefused => "login_refused",
            Self::TokenEnded => "token_ended",
            Self::Unacknowledged => "write_unacknowledged",
            Self::Frame(_) => "frame",
            Self::Request(_) => "request",
            Self::Answer(..) => "answer",
            Self::Io(_) => "io",
        }
    }
}
