//! One connection at work: what comes goes into its session, what the hub has for it goes out, the clock is looked after.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use cordboard_signalr::{Answer, Event, Invocation, Millis, Session, Settings, Transport, texts};
use tokio::time::{Duration, Instant, Sleep};

use super::SignalR;
use super::hub::{Hub, HubClient};
use super::letters::LetterPipe;
use super::metrics::Open;
use super::outbox::{Drained, Outbox};
use super::pipe::{Lost, Nowhere, Pipe, Received};
use super::rate::Rate;
use super::registry::{Place, Seat};
use super::socket::{Dock, Socket};

/// Messages are written together up to so many bytes.
const TOGETHER_BYTES_MAX: usize = 65_536;
/// A look that comes so much later than it was due says nothing about how busy we are: clocks tick no finer.
const LATE_MIN: Duration = Duration::from_millis(2);
/// The next messages are collected for so many times as long as this look was late.
const PAUSE_PER_LATE: u32 = 8;
/// Signs of life of the transport's own (WebSocket pings) a second.
const ALIVE_PER_SECOND_MAX: u32 = 20;

const TOO_MANY_PINGS: &str = "Connection closed with an error. Too many WebSocket pings.";
const TOO_MANY_INVOCATIONS: &str = "Too many invocations; invoke more slowly.";

/// A connection at work.
pub(super) struct Drive<H: Hub> {
    signalr: Arc<SignalR<H>>,
    seat: Seat<H>,
    transport: Transport,
    session: Session,
    hub: Hubward<H::Client>,
    outbox: Option<Arc<Outbox>>,
    counted: Option<Open>,
    dock: Option<Arc<Dock>>,
    begun: Instant,
    /// Until then the last words of a connection that is over may take to be written.
    last_words_until: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    /// Until then more is collected, because something was written just now.
    pause_until: Instant,
    /// How long after that pause we came to look, where something waited for its end.
    late: Duration,
    /// Something waits for the end of that pause.
    pauses: bool,
    alive: Rate,
}

/// What the hub is doing for the connection.
enum Hubward<C> {
    /// The hub does not know it yet, or any more.
    Nothing,
    Idle(C),
    Busy(Pin<Box<dyn Future<Output = (C, Answer)> + Send>>),
}

/// What happened.
enum Turn<C> {
    Received(Received),
    Written(Result<(), Lost>),
    Answered(C, Answer),
    Mail,
    Time,
    Back(Box<Socket>),
    Stop,
}

/// How it ended on one way to the client.
enum End {
    /// For good; everything is said.
    Over,
    /// The way is no more.
    Lost,
    /// The client has come on a new way.
    Back(Box<Socket>),
}

/// Drives a WebSocket, and those that follow it, to the end.
pub(super) async fn drive_socket<H: Hub>(mut drive: Drive<H>, mut socket: Box<Socket>) {
    let close_max = drive.close_max();
    loop {
        let mut end = drive.run(&mut *socket).await;
        match end {
            End::Over => {
                drive.leave();
                *drive.seat.connection.place() = Place::Ended;
                // In a box, because it is larger than all the rest, and most connections never come to it.
                Box::pin(socket.close(close_max)).await;
                return;
            }
            End::Lost => {
                if socket.is_slow() {
                    drive.signalr.metrics().slow.inc();
                }
                // Perhaps it was the client who closed it, and waits for the answer.
                tokio::spawn(socket.close(close_max));
                // Until the client comes back; where it cannot, it is over at once.
                end = drive.run(&mut Nowhere).await;
            }
            End::Back(_) => {}
        }
        let End::Back(next) = end else { return drive.leave() };
        socket = next;
        drive.session.handle_link_restored(drive.now());
    }
}

/// Drives a connection that is made of single requests to the end.
pub(super) async fn drive_letters<H: Hub>(mut drive: Drive<H>, mut pipe: LetterPipe) {
    _ = drive.run(&mut pipe).await;
    drive.leave();
    pipe.finish(drive.close_max()).await;
}

impl<H: Hub> Drive<H> {
    pub(super) fn new(signalr: Arc<SignalR<H>>, seat: Seat<H>, transport: Transport, dock: Option<Arc<Dock>>) -> Self {
        let settings = Settings { transport, stateful_reconnect: seat.connection.stateful };
        let session = Session::new(settings, Arc::clone(signalr.limits()), 0);
        let begun = Instant::now();
        Self {
            signalr,
            seat,
            transport,
            session,
            hub: Hubward::Nothing,
            outbox: None,
            counted: None,
            dock,
            begun,
            last_words_until: None,
            timer: Box::pin(tokio::time::sleep_until(begun)),
            pause_until: begun,
            late: Duration::ZERO,
            pauses: false,
            alive: Rate::new(ALIVE_PER_SECOND_MAX, begun),
        }
    }

    async fn run<P: Pipe>(&mut self, pipe: &mut P) -> End {
        let mut writable = false;
        loop {
            self.handle_events();
            let said_all = writable && self.write(pipe);
            writable = said_all;
            if self.session.is_closed() && (said_all || !P::LEADS_SOMEWHERE) {
                return End::Over;
            }
            let turn = poll_fn(|context| self.poll_turn(context, pipe, writable)).await;
            let now = self.now();
            match turn {
                Turn::Received(Received::Messages(bytes)) => {
                    let metrics = self.signalr.metrics();
                    metrics.messages_in.inc();
                    metrics.bytes_in.inc_by(bytes.len() as u64);
                    self.session.handle_bytes(now, &bytes);
                }
                Turn::Received(Received::Alive) => self.handle_alive(now),
                Turn::Received(Received::Wrong(why)) => self.session.close(now, Some(why), false),
                Turn::Received(Received::Gone) | Turn::Written(Err(Lost)) => {
                    self.session.handle_link_lost(now);
                    return End::Lost;
                }
                Turn::Written(Ok(())) => writable = true,
                Turn::Answered(client, answer) => {
                    self.hub = Hubward::Idle(client);
                    self.session.answer(now, answer);
                    if let Some(outbox) = &self.outbox {
                        outbox.release();
                    }
                }
                Turn::Mail => {}
                Turn::Time if self.session.is_closed() => return End::Lost,
                Turn::Time => self.session.handle_timeout(now),
                Turn::Back(socket) => return End::Back(socket),
                Turn::Stop => self.session.close(now, None, true),
            }
        }
    }
}

/// The parts of a turn.
impl<H: Hub> Drive<H> {
    fn poll_turn<P: Pipe>(&mut self, context: &mut Context<'_>, pipe: &mut P, writable: bool) -> Poll<Turn<H::Client>> {
        let open = !self.session.is_closed();
        let paused = std::mem::take(&mut self.pauses);
        if open {
            self.seat.connection.waker.register(context.waker());
            if self.signalr.registry().is_stopping() {
                return Poll::Ready(Turn::Stop);
            }
            if let Some(Poll::Ready(socket)) = self.dock.as_ref().map(|dock| dock.poll_next(context)) {
                return Poll::Ready(Turn::Back(socket));
            }
            if let Hubward::Busy(invocation) = &mut self.hub
                && let Poll::Ready((client, answer)) = invocation.as_mut().poll(context)
            {
                return Poll::Ready(Turn::Answered(client, answer));
            }
        }
        if !writable && let Poll::Ready(written) = pipe.poll_written(context) {
            return Poll::Ready(Turn::Written(written));
        }
        if open
            && self.session.wants_bytes()
            && let Poll::Ready(received) = pipe.poll_receive(context)
        {
            return Poll::Ready(Turn::Received(received));
        }
        if open
            && writable
            && self.session.room_bytes() > 0
            && let Some(outbox) = &self.outbox
            && outbox.poll_due(context).is_ready()
        {
            let now = Instant::now();
            if now >= self.pause_until {
                self.late = if paused { now - self.pause_until } else { Duration::ZERO };
                return Poll::Ready(Turn::Mail);
            }
            self.pauses = true;
        }
        self.poll_time(context).map(|()| Turn::Time)
    }

    /// Ready when the session's time has come, or the end of a pause that something waits for. The timer is set anew only
    /// when that is earlier than it was, or when it rings: most often it is later.
    fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let pause = self.pauses.then_some(self.pause_until);
        let due = match self.session.poll_timeout() {
            Some(due) => {
                let due = self.begun + Duration::from_millis(due);
                pause.map_or(due, |pause| pause.min(due))
            }
            None if self.session.is_closed() => {
                let close_max = self.close_max();
                *self.last_words_until.get_or_insert_with(|| Instant::now() + close_max)
            }
            None => match pause {
                Some(pause) => pause,
                None => return Poll::Pending,
            },
        };
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
        Poll::Pending
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Connected { protocol, reliable } => {
                    let outbox = Arc::new(Outbox::new(Arc::clone(self.signalr.hub().outboxes())));
                    let user = Arc::clone(&self.seat.connection.user);
                    self.hub = Hubward::Idle(self.signalr.hub().connect(user, Arc::clone(&outbox), protocol));
                    self.outbox = Some(outbox);
                    self.counted = Some(self.signalr.metrics().open(self.transport.name(), protocol.name()));
                    if let Some(dock) = self.dock.as_ref().filter(|_| reliable) {
                        dock.open();
                    }
                }
                Event::Invoke(invocation) => self.invoke(invocation),
                Event::Closed(ending) => tracing::debug!(ending = ending.label(), "a connection of the hub is over"),
            }
        }
    }

    fn invoke(&mut self, invocation: Invocation) {
        let now = self.now();
        let Invocation { target, arguments, streaming, answered: _ } = invocation;
        let hub = std::mem::replace(&mut self.hub, Hubward::Nothing);
        let error = match hub {
            Hubward::Idle(client) if streaming => {
                self.hub = Hubward::Idle(client);
                texts::not_streaming(&target)
            }
            Hubward::Idle(client) if !self.seat.connection.may_invoke() => {
                self.hub = Hubward::Idle(client);
                TOO_MANY_INVOCATIONS.to_owned()
            }
            Hubward::Idle(client) => {
                self.hub = Hubward::Busy(Box::pin(carry_out(client, target, arguments)));
                return;
            }
            // The session hands out one at a time, and none before it said that it is connected.
            other @ (Hubward::Nothing | Hubward::Busy(_)) => {
                self.hub = other;
                texts::unexpected(&target)
            }
        };
        self.session.answer(now, Answer::Error(error));
    }

    fn handle_alive(&mut self, now: Millis) {
        if self.alive.take(1, Instant::now()) {
            self.session.handle_bytes(now, &[]);
        } else {
            self.session.close(now, Some(TOO_MANY_PINGS), false);
        }
    }

    /// Sends what is to be said, as much as goes together. True when nothing was left to say.
    fn write<P: Pipe>(&mut self, pipe: &mut P) -> bool {
        self.take_mail();
        let Some(first) = self.session.poll_transmit() else { return true };
        let (kind, mut count, mut messages) = (first.kind, 1, first.bytes);
        if let Some(second) = self.session.poll_transmit() {
            let waiting = messages.len() + second.bytes.len() + self.session.waiting_bytes();
            let mut together = BytesMut::with_capacity(waiting);
            together.extend_from_slice(&messages);
            together.extend_from_slice(&second.bytes);
            count += 1;
            while together.len() < TOGETHER_BYTES_MAX
                && let Some(next) = self.session.poll_transmit()
            {
                together.extend_from_slice(&next.bytes);
                count += 1;
            }
            messages = together.freeze();
        }
        self.pause();
        let metrics = self.signalr.metrics();
        metrics.messages_out.inc_by(count);
        metrics.bytes_out.inc_by(messages.len() as u64);
        pipe.send(messages, kind);
        false
    }

    /// What comes next is collected for some time: a short one, and a longer one where we are so busy that we come late,
    /// because most of what a message costs is the writing, and many written together cost little more than one.
    fn pause(&mut self) {
        let settings = self.signalr.settings();
        let [least, most] = [settings.write_pause_us, settings.write_pause_us_max].map(Duration::from_micros);
        let late = std::mem::take(&mut self.late).saturating_sub(LATE_MIN);
        self.pause_until = Instant::now() + late.saturating_mul(PAUSE_PER_LATE).min(most).max(least);
    }

    /// Takes from the outbox what can be written together: what stays there can still be replaced by what is newer.
    fn take_mail(&mut self) {
        let Some((outbox, protocol)) = self.outbox.as_ref().zip(self.session.protocol()) else { return };
        let room = self.session.room_bytes().min(TOGETHER_BYTES_MAX);
        if room == 0 || self.session.is_closed() {
            return;
        }
        let (now, mut taken) = (self.now(), Vec::<Bytes>::new());
        let drained = outbox.drain(protocol, Instant::now().into_std(), room, &mut taken);
        for bytes in taken {
            self.session.send_shared(now, bytes);
        }
        match drained {
            Drained::All | Drained::More => {}
            Drained::Close(why) => {
                self.session.close(now, Some(&why.to_string()), true);
                self.signalr.metrics().slow.inc();
            }
        }
    }

    /// The hub forgets the connection, and nobody can come back to it.
    fn leave(&mut self) {
        self.hub = Hubward::Nothing;
        self.outbox = None;
        self.counted = None;
        if let Some(dock) = self.dock.take() {
            dock.close();
        }
    }

    fn close_max(&self) -> Duration {
        Duration::from_millis(self.signalr.settings().close_ms_max)
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.begun.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }
}

async fn carry_out<C: HubClient>(mut client: C, target: String, arguments: Vec<serde_json::Value>) -> (C, Answer) {
    let answer = match client.invoke(&target, arguments).await {
        Ok(Some(result)) => Answer::Result(result),
        Ok(None) => Answer::Void,
        Err(error) => Answer::Error(error.text(&target)),
    };
    (client, answer)
}
