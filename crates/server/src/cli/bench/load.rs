//! The process of [`super::crowd`]: many clients that count what comes and how late, and do as little else as they can.

use std::io::{self, BufRead, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cordboard_core::Time;
use cordboard_signalr::codec::{self, Cut};
use cordboard_signalr::{Call, Ended, Message, Protocol, handshake};
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::crowd::{Orders, Question, Told, Wanted};
use super::house::{MARK, MARK_DIGITS};
use super::web_socket::WebSocket;
use crate::cli::Failure;
use crate::clock::Clock;

/// How many connect at once.
const CONNECTING_MAX: usize = 64;
/// Connections from one address of this machine; each has only so many ports.
const PER_ADDRESS: usize = 5_000;
/// How late something may be to be told apart from what is later still, in microseconds.
const LATE_MAX: usize = 2_000_000;
/// What the system keeps for the one more of what it has not read yet: little, so that the server soon has to.
const ONE_MORE_KEPT_BYTES: u32 = 16_384;
const MESSAGE_BYTES_MAX: usize = 1 << 20;
const DEPTH_MAX: usize = 64;

pub(super) fn run() -> Result<(), Failure> {
    let mut lines = io::stdin().lock().lines();
    let mut next = || lines.next().transpose().map_err(Failure::failed);
    let orders = next()?.ok_or_else(|| Failure::wrong_usage("`bench fanout` and `bench connections` start this"))?;
    let orders: Orders = serde_json::from_str(&orders).map_err(Failure::wrong_usage)?;
    let runtime = crate::cli::runtime()?;
    let counts = Arc::new(Counts::new());
    let (stall, stalls) = watch::channel(false);
    let begun = Instant::now();
    runtime.block_on(connect(orders, &counts, &stalls))?;
    answer(&Told { connect_ms: millis(begun.elapsed()), ..counts.told() })?;
    while let Some(line) = next()? {
        let question: Question = serde_json::from_str(&line).map_err(Failure::failed)?;
        answer(&match question {
            Question::Count => counts.told(),
            Question::Times => counts.times(),
            Question::Stall => {
                stall.send_replace(true);
                counts.told()
            }
        })?;
    }
    runtime.shutdown_background();
    Ok(())
}

fn answer(told: &Told) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer(&mut out, told).map_err(io::Error::from);
    written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(Failure::failed)
}

async fn connect(orders: Orders, counts: &Arc<Counts>, stalls: &watch::Receiver<bool>) -> Result<(), Failure> {
    let protocol = Protocol::parse(&orders.protocol).ok_or_else(|| Failure::wrong_usage("no such protocol"))?;
    let (permits, orders) = (Arc::new(Semaphore::new(CONNECTING_MAX)), Arc::new(orders));
    let mut connecting = JoinSet::new();
    for number in 0..orders.connections {
        let permit = Arc::clone(&permits).acquire_owned().await.map_err(Failure::failed)?;
        let (orders, counts) = (Arc::clone(&orders), Arc::clone(counts));
        connecting.spawn(async move {
            let socket = open(&orders, protocol, number, orders.everybody.as_ref()).await?;
            drop(permit);
            tokio::spawn(listen(socket, counts));
            Ok::<(), Failure>(())
        });
    }
    while let Some(connected) = connecting.join_next().await {
        connected.map_err(Failure::failed)??;
    }
    if orders.one_more.is_some() {
        let mut socket = open(&orders, protocol, orders.connections, orders.one_more.as_ref()).await?;
        let mut stalls = stalls.clone();
        tokio::spawn(async move {
            while !*stalls.borrow_and_update() {
                let read = tokio::select! {
                    read = socket.read(|_| {}) => read,
                    _ = stalls.changed() => Ok(()),
                };
                if read.is_err() {
                    return;
                }
            }
            // It stays open, and nobody reads.
            std::future::pending::<()>().await;
            drop(socket);
        });
    }
    Ok(())
}

/// Connects, shakes hands, subscribes; returns once the subscription is confirmed.
async fn open(
    orders: &Orders,
    protocol: Protocol,
    number: usize,
    wanted: Option<&Wanted>,
) -> Result<WebSocket, Failure> {
    // Ports of a run that has just ended are not free for a minute: every run has addresses of its own.
    let run = u32::from(Ipv4Addr::LOCALHOST) + ((std::process::id() % 0xffff) << 8);
    let from = Ipv4Addr::from(run + u32::try_from(number / PER_ADDRESS).unwrap_or_default());
    let kept = (number == orders.connections).then_some(ONE_MORE_KEPT_BYTES);
    let connecting = WebSocket::connect((from, kept), orders.address, "/rte", &orders.token);
    let mut socket = connecting.await.map_err(Failure::failed)?;
    let binary = protocol == Protocol::MessagePack;
    socket.write(&handshake::request(protocol, 1), false).await.map_err(Failure::failed)?;
    await_answer(&mut socket, |bytes| bytes.starts_with(handshake::WELCOME).then_some(())).await?;
    let Some(Wanted { entity, event }) = wanted else { return Ok(socket) };
    let arguments = json!([[{ "EntityId": entity, "EventName": event }]]);
    let arguments = codec::encode_value(protocol, &arguments).into();
    let call = Call { id: Some("1".into()), target: "Subscribe".into(), arguments };
    socket.write(&codec::write(protocol, &Message::Invocation(call)), binary).await.map_err(Failure::failed)?;
    let subscribed = await_answer(&mut socket, |bytes| completed(protocol, bytes)).await?;
    if subscribed { Ok(socket) } else { Err(Failure::failed("the subscription was refused")) }
}

async fn await_answer<T>(socket: &mut WebSocket, mut read: impl FnMut(&[u8]) -> Option<T>) -> Result<T, Failure> {
    let mut answer = None;
    while answer.is_none() {
        socket.read(|frame| answer = answer.take().or_else(|| read(frame))).await.map_err(Failure::failed)?;
    }
    answer.ok_or_else(|| Failure::failed("no answer"))
}

/// Whether a completion among these messages says that the subscription is there.
fn completed(protocol: Protocol, mut bytes: &[u8]) -> Option<bool> {
    while let Ok(Cut::Whole { body, used }) = codec::cut(protocol, bytes, MESSAGE_BYTES_MAX) {
        if let Ok(Some(Message::Completion { id: _, ended })) = codec::read(protocol, body, DEPTH_MAX) {
            let Ended::Result(result) = ended else { return Some(false) };
            let result = codec::read_value(protocol, &result).ok()?;
            return Some(result.pointer("/0/subscribed").is_some_and(|subscribed| *subscribed == json!(true)));
        }
        bytes = bytes.get(used..)?;
    }
    None
}

async fn listen(mut socket: WebSocket, counts: Arc<Counts>) {
    while socket.read(|frame| counts.take(frame, counts.clock.now())).await.is_ok() {}
    counts.lost.fetch_add(1, Ordering::Relaxed);
}

/// What came.
struct Counts {
    clock: Clock,
    delivered: AtomicU64,
    lost: AtomicU64,
    /// How many came so many microseconds late; the last, how many came later still.
    late: Vec<AtomicU32>,
}

impl Counts {
    fn new() -> Self {
        let late = std::iter::repeat_with(AtomicU32::default).take(LATE_MAX + 1).collect();
        Self { clock: Clock::default(), delivered: AtomicU64::new(0), lost: AtomicU64::new(0), late }
    }

    /// Counts the messages of a frame. Each says when it was caused, and nothing else is looked at.
    fn take(&self, frame: &[u8], now: Time) {
        let mut count = 0;
        for at in memchr::memmem::find_iter(frame, MARK) {
            let digits = frame.get(at + MARK.len()..at + MARK.len() + MARK_DIGITS).unwrap_or_default();
            let sent: Option<u64> = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            let late = now.micros_since(Time(sent.unwrap_or_default()));
            let late = usize::try_from(late).unwrap_or(LATE_MAX).min(LATE_MAX);
            if let Some(bucket) = self.late.get(late) {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
            count += 1;
        }
        self.delivered.fetch_add(count, Ordering::Relaxed);
    }

    fn told(&self) -> Told {
        let (delivered, lost) = (self.delivered.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        Told { delivered, lost, ..Told::default() }
    }

    /// How late what came since the last time was.
    fn times(&self) -> Told {
        let late: Vec<u64> = self.late.iter().map(|bucket| bucket.swap(0, Ordering::Relaxed).into()).collect();
        let all: u64 = late.iter().sum();
        let at = |rank: u64| {
            let mut seen = 0;
            let found = late.iter().position(|count| {
                seen += count;
                seen >= rank.max(1)
            });
            found.map_or(0, |late| late as u64)
        };
        Told { p50_us: at(all / 2), p99_us: at(all - all / 100), max_us: at(all), ..self.told() }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_counted_with_how_late_it_is() {
        let (counts, now) = (Counts::new(), Time(1_800_000_000_000_000));
        let sent = |ago: u64| format!("{{\"value\":\"{MARK}{:0MARK_DIGITS$}\"}}\u{1e}", now.0 - ago);
        let frame: String = (1..=100).map(|late| sent(late * 10_000)).collect();
        counts.take(frame.as_bytes(), now);
        counts.take(b"{\"type\":6}\x1e", now);
        let told = counts.times();
        assert_eq!((told.delivered, told.lost), (100, 0));
        assert_eq!((told.p50_us, told.p99_us, told.max_us), (500_000, 990_000, 1_000_000));
        assert_eq!(counts.times().max_us, 0, "told once");
    }

    #[test]
    fn a_subscription_is_confirmed_or_not() {
        for protocol in Protocol::ALL {
            for (subscribed, expected) in [(true, Some(true)), (false, Some(false))] {
                let result = codec::encode_value(protocol, &json!([{ "subscribed": subscribed }]));
                let ended = Ended::Result(result.into());
                let bytes = [
                    codec::write(protocol, &Message::Ping),
                    codec::write(protocol, &Message::Completion { id: "1".into(), ended }),
                ];
                assert_eq!(completed(protocol, &bytes.concat()), expected);
            }
            assert_eq!(completed(protocol, &codec::write(protocol, &Message::Ping)), None);
        }
    }
}
