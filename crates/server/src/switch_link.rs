//! A socket to a switch: bytes both ways, timers, reconnects as the connector says, and nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cordboard_core::{Order, Time};
use cordboard_switches::{Output, Switch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::engine::orders::Inbox;
use crate::engine::work::Work;
use crate::sources::Sources;

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Bytes that may wait to be sent; a switch that takes less has stopped.
const SEND_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long sending the last bytes may take when we stop.
const GOODBYE_MAX: Duration = Duration::from_millis(500);

/// One link, before it runs.
pub struct SwitchLink {
    /// The configured name of the switch.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// What understands the bytes.
    pub connector: Box<dyn Switch>,
    /// Where observations go; while it is full, nothing is read from the switch.
    pub work: mpsc::Sender<Work>,
    /// What the switch is to do.
    pub orders: Inbox,
    /// What is known of the sources.
    pub sources: Arc<Sources>,
    /// Time.
    pub clock: Clock,
}

enum Socket {
    Closed,
    Connecting(JoinHandle<io::Result<TcpStream>>),
    Open(OwnedReadHalf, OwnedWriteHalf),
}

/// What happened.
enum Happened {
    Timeout,
    Connected(io::Result<TcpStream>),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Ordered(Box<(Order, Time)>),
    Stop,
}

impl SwitchLink {
    /// Runs until `stop` is true or nobody takes observations any more.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let (mut socket, mut input, mut output) = (Socket::Closed, BytesMut::new(), BytesMut::new());
        // Some connectors begin at their first timeout, which is now.
        self.connector.handle_timeout(self.clock.now());
        loop {
            if self.drain(&mut socket, &mut output).await.is_err() {
                return;
            }
            let due = self.connector.poll_timeout();
            let until = due.map(|due| self.clock.until(due));
            let happened = wait(&mut socket, &mut input, &mut output, &mut self.orders, until, &mut stop).await;
            let now = self.clock.now();
            let mut heard = None;
            match happened {
                Happened::Timeout => self.connector.handle_timeout(now),
                Happened::Connected(Ok(stream)) => {
                    // Without it, a small answer waits for the acknowledgement of the one before.
                    _ = stream.set_nodelay(true);
                    let (read, write) = stream.into_split();
                    socket = Socket::Open(read, write);
                    self.connector.handle_connected(now);
                }
                Happened::Connected(Err(error)) | Happened::Read(Err(error)) | Happened::Wrote(Err(error)) => {
                    socket = Socket::Closed;
                    output.clear();
                    self.connector.handle_closed(now, &error.to_string());
                }
                Happened::Read(Ok(0)) => {
                    socket = Socket::Closed;
                    output.clear();
                    self.connector.handle_closed(now, "the other side closed the connection");
                }
                Happened::Read(Ok(_)) => {
                    heard = Some(now);
                    self.connector.handle_bytes(now, &input);
                    input.clear();
                    self.fire(now);
                }
                Happened::Wrote(Ok(_)) => self.fire(now),
                Happened::Ordered(ordered) => {
                    let (order, deadline) = *ordered;
                    // After that it was refused already, and nobody expects it to be done.
                    if now < deadline {
                        self.connector.handle_order(now, &order);
                    }
                    self.fire(now);
                }
                Happened::Stop => return goodbye(socket, output).await,
            }
            self.sources.set_counts(&self.name, self.connector.counts(), heard);
        }
    }

    /// A busy socket must not keep timers waiting.
    fn fire(&mut self, now: Time) {
        if self.connector.poll_timeout().is_some_and(|due| due <= now) {
            self.connector.handle_timeout(now);
        }
    }

    async fn drain(&mut self, socket: &mut Socket, output: &mut BytesMut) -> Result<(), Gone> {
        while let Some(wanted) = self.connector.poll_output() {
            match wanted {
                Output::Connect => {
                    self.sources.connecting(&self.name);
                    let address = self.address.clone();
                    *socket = Socket::Connecting(tokio::spawn(async move { TcpStream::connect(address).await }));
                    output.clear();
                }
                Output::Send(bytes) if output.len() + bytes.len() <= SEND_BYTES_MAX => output.extend_from_slice(&bytes),
                Output::Send(_) => {
                    *socket = Socket::Closed;
                    output.clear();
                    self.connector.handle_closed(self.clock.now(), "it takes no bytes any more");
                }
                Output::Observed(observation) => self.work.send(observation.into()).await.map_err(|_| Gone)?,
                Output::Close(reason) => {
                    tracing::info!(switch = self.name, reason, "connection closed");
                    // What was to be said before the end is still said where the socket takes it at once.
                    if let Socket::Open(_, write) = socket {
                        _ = write.try_write(output);
                    }
                    *socket = Socket::Closed;
                    output.clear();
                }
                Output::Note(note) => tracing::info!(switch = self.name, "{note}"),
            }
        }
        Ok(())
    }
}

/// Nobody takes observations any more.
pub(crate) struct Gone;

/// Sleeps so long, or for ever.
pub(crate) async fn sleep(until: Option<Duration>) {
    match until {
        Some(until) => tokio::time::sleep(until).await,
        None => std::future::pending().await,
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Connecting(connecting) = self {
            connecting.abort();
        }
    }
}

async fn wait(
    socket: &mut Socket,
    input: &mut BytesMut,
    output: &mut BytesMut,
    orders: &mut Inbox,
    until: Option<Duration>,
    stop: &mut watch::Receiver<bool>,
) -> Happened {
    let io = async {
        match socket {
            Socket::Closed => std::future::pending().await,
            Socket::Connecting(connecting) => {
                Happened::Connected(connecting.await.unwrap_or_else(|error| Err(io::Error::other(error))))
            }
            Socket::Open(read, write) => {
                let sends = !output.is_empty();
                input.reserve(READ_BYTES);
                tokio::select! {
                    wrote = write.write_buf(output), if sends => Happened::Wrote(wrote),
                    got = read.read_buf(input) => Happened::Read(got),
                }
            }
        }
    };
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => Happened::Stop,
        ordered = orders.next() => Happened::Ordered(Box::new(ordered)),
        happened = io => happened,
        () = sleep(until) => Happened::Timeout,
    }
}

async fn goodbye(mut socket: Socket, output: BytesMut) {
    if let Socket::Open(_, write) = &mut socket {
        let last = async {
            _ = write.write_all(&output).await;
            _ = write.shutdown().await;
        };
        // Politeness, within limits.
        _ = tokio::time::timeout(GOODBYE_MAX, last).await;
    }
}
