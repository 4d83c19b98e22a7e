//! Sockets to HTTP clients: so many at once, each with a deadline for requests and one for taking what is written.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::http::Peer;
use crate::config::Http;
use crate::metrics::ServerMetrics;

/// How long requests under way may take when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(3);
/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until `stop` is true.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Http,
    metrics: ServerMetrics,
    mut stop: watch::Receiver<bool>,
) {
    let seats = Arc::new(Semaphore::new(settings.connections_max));
    let mut connections = JoinSet::new();
    let for_connections = stop.clone();
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let seat = Arc::clone(&seats).acquire_owned().await.ok()?;
            Some((listener.accept().await, seat))
        };
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some((accepted, seat)) = accepted => match accepted {
                Ok((stream, address)) => {
                    let connection = Connection {
                        router: router.clone(),
                        settings: settings.clone(),
                        metrics: metrics.clone(),
                        stop: for_connections.clone(),
                    };
                    let seat = Seat::new(Arc::clone(&seats), seat);
                    connections.spawn(connection.run(stream, address, seat));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
        tracing::info!("some HTTP connections did not end in time");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Nobody who could say it any more says it, too.
    drop(stop.wait_for(|stop| *stop).await);
}

struct Connection {
    router: Router,
    settings: Http,
    metrics: ServerMetrics,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, address: SocketAddr, seat: Seat) {
        let _open = Open::new(&self.metrics);
        // Without it, a small message waits for the acknowledgement of the one before.
        _ = stream.set_nodelay(true);
        let peer = Peer { address, slow: Arc::default(), seat };
        let slow = Arc::clone(&peer.slow);
        let patience = Duration::from_millis(self.settings.stream_write_ms_max);
        let io = TokioIo::new(Deadline { stream, patience, timer: None, slow: Arc::clone(&slow) });
        let service = TowerToHyperService::new(self.router.layer::<_>(Extension(peer)));
        let service = hyper::service::service_fn(move |request| {
            hyper::service::Service::call(&service, request.map(axum::body::Body::new) as Request)
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(self.settings.request_ms_max))
            .max_buf_size(self.settings.request_bytes_max)
            .serve_connection(io, service)
            .with_upgrades();
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => Some(ended),
            () = stopped(&mut self.stop) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if slow.load(Ordering::Relaxed) {
            self.metrics.slow_connections.inc();
            tracing::info!(%address, "a client took nothing for too long and was dropped");
        } else if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection ended early");
        }
    }
}

/// The place of a connection among the so many that there may be. Whoever counts it elsewhere gives it up, so that long
/// answers to many keep nobody from asking.
#[derive(Debug, Clone)]
pub struct Seat(Arc<SeatState>);

#[derive(Debug)]
struct SeatState {
    seats: Arc<Semaphore>,
    taken: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Seat {
    fn new(seats: Arc<Semaphore>, taken: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(SeatState { seats, taken: Mutex::new(Some(taken)) }))
    }

    /// Lets somebody else have it.
    pub fn leave(&self) {
        *self.taken() = None;
    }

    /// Takes one again; false where there is none, and the connection is to be closed.
    #[must_use]
    pub fn take(&self) -> bool {
        let mut taken = self.taken();
        if taken.is_none() {
            *taken = Arc::clone(&self.0.seats).try_acquire_owned().ok();
        }
        taken.is_some()
    }

    /// The lock is held for moments.
    fn taken(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection while it is open.
struct Open(prometheus_client::metrics::gauge::Gauge);

impl Open {
    fn new(metrics: &ServerMetrics) -> Self {
        metrics.connections.inc();
        Self(metrics.connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A socket that breaks when the other side takes nothing for longer than `patience` while there is something to write.
struct Deadline {
    stream: TcpStream,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    slow: Arc<AtomicBool>,
}

impl Deadline {
    fn judge<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.slow.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Deadline {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Deadline {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
