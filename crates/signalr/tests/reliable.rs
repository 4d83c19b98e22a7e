//! Connections that are taken up after their transport broke, against a model of Microsoft's JavaScript client: nothing
//! is lost and nothing comes twice, whatever breaks when.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use cordboard_signalr::codec;
use cordboard_signalr::{
    Answer, Ending, Event, Limits, Protocol, ProtocolError, Session, Settings, Transport, handshake,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use self::support::JsClient;

fn session(limits: Limits) -> Session {
    let settings = Settings { transport: Transport::WebSockets, stateful_reconnect: true };
    Session::new(settings, Arc::new(limits), 0)
}

fn connected(limits: Limits) -> Session {
    let mut session = session(limits);
    session.handle_bytes(0, &handshake::request(Protocol::Json, 2));
    assert_eq!(session.poll_event(), Some(Event::Connected { protocol: Protocol::Json, reliable: true }));
    assert_eq!(written(&mut session), "{}|");
    session.handle_bytes(0, b"{\"type\":6}\x1e");
    session
}

fn written(session: &mut Session) -> String {
    let mut text = String::new();
    while let Some(transmit) = session.poll_transmit() {
        text.push_str(std::str::from_utf8(&transmit.bytes).unwrap());
    }
    text.replace('\u{1e}', "|")
}

fn event(protocol: Protocol, number: u64) -> Bytes {
    codec::encode_invocation(protocol, "M", &[&number.to_string()]).unwrap()
}

#[test]
fn only_who_agreed_twice_can_come_back() {
    for (negotiated, version, reliable) in [(true, 2, true), (true, 1, false), (true, 0, false), (false, 2, false)] {
        let settings = Settings { transport: Transport::WebSockets, stateful_reconnect: negotiated };
        let mut session = Session::new(settings, Arc::new(Limits::default()), 0);
        session.handle_bytes(0, &handshake::request(Protocol::Json, version));
        assert_eq!(session.poll_event(), Some(Event::Connected { protocol: Protocol::Json, reliable }));
        assert_eq!(session.is_reliable(), reliable);
        session.handle_link_lost(1);
        assert_eq!(session.is_closed(), !reliable, "{negotiated} {version}");
    }
}

#[test]
fn nothing_is_counted_before_the_client_has_begun_to_count() {
    let mut session = session(Limits::default());
    session.handle_bytes(0, &handshake::request(Protocol::Json, 2));
    assert_eq!(session.room_bytes(), 0, "the client may still be busy with the reply to its handshake");
    written(&mut session);
    session.handle_bytes(1, b"{\"type\":6}\x1e");
    assert_eq!(session.room_bytes(), 100_000);
}

#[test]
fn what_was_not_acknowledged_is_said_again_after_its_number() {
    let mut session = connected(Limits::default());
    for number in 1..=3 {
        session.send_shared(1, event(Protocol::Json, number));
    }
    written(&mut session);
    session.handle_bytes(2, b"{\"type\":8,\"sequenceId\":1}\x1e");
    session.handle_link_lost(3);
    assert_eq!(session.poll_timeout(), Some(15_003));
    session.send_shared(4, event(Protocol::Json, 4));
    assert_eq!(written(&mut session), "", "there is nobody to say it to");
    assert!(session.handle_link_restored(5));
    let m = |number| format!("{{\"type\":1,\"target\":\"M\",\"arguments\":[{number}]}}|");
    assert_eq!(written(&mut session), format!("{{\"type\":9,\"sequenceId\":2}}|{}{}{}", m(2), m(3), m(4)));
    // Acknowledged in full, the next number follows; and again without a break being noticed first.
    session.handle_bytes(6, b"{\"type\":9,\"sequenceId\":1}\x1e{\"type\":8,\"sequenceId\":4}\x1e");
    assert!(session.handle_link_restored(7));
    assert_eq!(written(&mut session), "{\"type\":9,\"sequenceId\":5}|");
}

#[test]
fn messages_of_the_client_are_acknowledged_late_and_only_once_invoked() {
    let mut session = connected(Limits::default());
    let call = b"{\"type\":1,\"target\":\"A\",\"arguments\":[]}\x1e";
    session.handle_bytes(100, call);
    session.handle_bytes(500, b"{\"type\":5,\"invocationId\":\"x\"}\x1e{\"type\":6}\x1e");
    assert_eq!(session.poll_timeout(), Some(1_100));
    session.handle_timeout(1_100);
    assert_eq!(written(&mut session), "{\"type\":8,\"sequenceId\":2}|");
    assert_eq!(session.poll_timeout(), Some(16_100), "the next is the ping");

    // It did not get the acknowledgement: it sends both again, and a third.
    session.handle_link_lost(2_000);
    assert!(session.handle_link_restored(3_000));
    session.handle_bytes(3_001, call); // before its number nothing counts
    session.handle_bytes(3_002, b"{\"type\":9,\"sequenceId\":1}\x1e");
    session.handle_bytes(3_003, &call.repeat(3));
    let mut invoked = 0;
    while let Some(Event::Invoke(_)) = session.poll_event() {
        invoked += 1;
        session.answer(3_004, Answer::Void);
    }
    assert_eq!(invoked, 2, "the first and the third: the second was no invocation");
    written(&mut session);
    session.handle_timeout(4_003);
    assert_eq!(written(&mut session), "{\"type\":8,\"sequenceId\":3}|");
}

#[test]
fn a_number_from_the_future_ends_the_connection() {
    let mut session = connected(Limits::default());
    session.handle_link_lost(1);
    assert!(session.handle_link_restored(2));
    session.handle_bytes(3, b"{\"type\":9,\"sequenceId\":2}\x1e");
    assert_eq!(session.poll_event(), Some(Event::Closed(Ending::Broken(ProtocolError::SequenceAhead))));
}

#[test]
fn a_replay_that_was_lost_too_is_no_number_from_the_future() {
    let mut session = connected(Limits::default());
    session.send_shared(1, event(Protocol::Json, 1));
    session.handle_bytes(1, b"{\"type\":1,\"target\":\"A\",\"arguments\":[]}\x1e");
    assert!(session.handle_link_restored(2));
    written(&mut session);
    // The client has our number, but not what followed; we have its number, and the acknowledgement it owed us.
    session.handle_bytes(3, b"{\"type\":9,\"sequenceId\":1}\x1e{\"type\":8,\"sequenceId\":1}\x1e");
    assert!(session.handle_link_restored(4));
    let filler = "{\"type\":3,\"invocationId\":\"-\"}|";
    assert_eq!(written(&mut session), format!("{{\"type\":9,\"sequenceId\":1}}|{filler}"));
    session.handle_bytes(5, b"{\"type\":9,\"sequenceId\":2}\x1e");
    assert!(!session.is_closed());
    // Once it acknowledges something new, it has all that came before.
    session.send_shared(6, event(Protocol::Json, 2));
    session.handle_bytes(7, b"{\"type\":8,\"sequenceId\":2}\x1e");
    assert!(session.handle_link_restored(8));
    assert_eq!(written(&mut session), "{\"type\":9,\"sequenceId\":3}|");
}

#[test]
fn who_does_not_come_back_is_given_up() {
    let mut session = connected(Limits::default());
    session.handle_link_lost(1);
    assert_eq!(session.poll_event(), None);
    session.handle_timeout(15_000);
    assert!(!session.is_closed());
    session.handle_timeout(15_001);
    assert_eq!(session.poll_event(), Some(Event::Closed(Ending::NotResumed)));
    assert!(!session.handle_link_restored(15_002));
    assert_eq!(written(&mut session), "");
}

#[test]
fn who_never_acknowledges_is_held_up_and_then_dropped() {
    let limits =
        Limits { buffer_bytes_max: 100, ping_ms: 1_000_000, client_timeout_ms: 1_000_000, ..Limits::default() };
    let mut session = connected(limits);
    let message = event(Protocol::Json, 1);
    while session.room_bytes() > 0 {
        session.send_shared(10, message.clone());
    }
    written(&mut session);
    assert_eq!(session.room_bytes(), 0, "written, but not acknowledged");
    session.handle_bytes(20, b"{\"type\":1,\"invocationId\":\"1\",\"target\":\"A\",\"arguments\":[]}\x1e");
    assert_eq!(session.poll_event(), None, "its answer would have no room");
    session.handle_bytes(20_000, b"{\"type\":8,\"sequenceId\":1}\x1e");
    assert!(session.room_bytes() > 0);
    assert!(matches!(session.poll_event(), Some(Event::Invoke(_))));
    while session.room_bytes() > 0 {
        session.send_shared(21_000, message.clone());
    }
    session.handle_timeout(50_999);
    assert!(!session.is_closed());
    session.handle_timeout(51_000);
    assert_eq!(session.poll_event(), Some(Event::Closed(Ending::NeverAcknowledged)));
}

/// One thing that happens between a client and a server.
#[derive(Debug, Clone, Copy)]
enum Step {
    ServerSays,
    ClientCalls,
    /// Some bytes arrive at the server.
    Up(usize),
    /// Some messages arrive at the client.
    Down(usize),
    Wait(u64),
    /// The transport breaks, and with it is lost what was under way.
    Break,
    /// The same, and only the client notices.
    BreakUnnoticed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::ServerSays),
        3 => Just(Step::ClientCalls),
        4 => (1_usize..200).prop_map(Step::Up),
        4 => (1_usize..4).prop_map(Step::Down),
        3 => (1_u64..1_500).prop_map(Step::Wait),
        1 => Just(Step::Break),
        1 => Just(Step::BreakUnnoticed),
    ];
    vec(step, 0..120)
}

/// A client, a server, and what is under way between them.
struct Pair {
    client: JsClient,
    session: Session,
    up: Vec<u8>,
    down: Vec<Bytes>,
    now: u64,
    said: u64,
    unsaid: u64,
    called: Vec<u64>,
}

impl Pair {
    fn new(protocol: Protocol) -> Pair {
        let limits = Limits { ping_ms: 1_000_000, control_messages_per_window_max: 10_000, ..Limits::default() };
        let up = handshake::request(protocol, 2);
        let client = JsClient::new(protocol);
        Pair { client, session: session(limits), up, down: Vec::new(), now: 0, said: 0, unsaid: 0, called: Vec::new() }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::ServerSays => self.unsaid += 1,
            Step::ClientCalls => self.client.call(),
            Step::Up(bytes) => {
                let bytes = bytes.min(self.up.len());
                let piece: Vec<u8> = self.up.drain(..bytes).collect();
                self.session.handle_bytes(self.now, &piece);
            }
            Step::Down(messages) => {
                let messages = messages.min(self.down.len());
                let frame: Vec<Bytes> = self.down.drain(..messages).collect();
                self.client.handle_frame(self.now, &frame.concat());
            }
            Step::Wait(ms) => {
                self.now += ms;
                self.session.handle_timeout(self.now);
                self.client.handle_timeout(self.now);
            }
            Step::Break if self.client.is_connected() => {
                self.session.handle_link_lost(self.now);
                self.reconnect();
            }
            Step::BreakUnnoticed if self.client.is_connected() => self.reconnect(),
            Step::Break | Step::BreakUnnoticed => {}
        }
        self.settle();
    }

    fn reconnect(&mut self) {
        self.up.clear();
        self.down.clear();
        self.client.reconnect();
        assert!(self.session.handle_link_restored(self.now));
    }

    /// All that follows without anything arriving.
    fn settle(&mut self) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Connected { reliable, .. } => assert!(reliable),
                Event::Invoke(invocation) => {
                    self.called.push(invocation.arguments[0].as_u64().unwrap());
                    self.session.answer(self.now, Answer::Result(json!(invocation.arguments)));
                }
                Event::Closed(ending) => panic!("closed: {ending:?}"),
            }
        }
        while self.unsaid > 0 && self.session.room_bytes() > 0 {
            self.unsaid -= 1;
            self.said += 1;
            let protocol = self.session.protocol().unwrap();
            self.session.send_shared(self.now, event(protocol, self.said));
        }
        while let Some(transmit) = self.session.poll_transmit() {
            self.down.push(transmit.bytes);
        }
        self.up.extend(self.client.take_sent());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        protocol in prop_oneof![Just(Protocol::Json), Just(Protocol::MessagePack)],
        steps in steps(),
    ) {
        let mut pair = Pair::new(protocol);
        for step in steps {
            pair.step(step);
        }
        for _ in 0..20 {
            pair.step(Step::Up(usize::MAX));
            pair.step(Step::Down(usize::MAX));
            pair.step(Step::Wait(1_000));
        }
        prop_assert_eq!(pair.unsaid, 0);
        prop_assert_eq!(&pair.client.heard, &(1..=pair.said).collect::<Vec<u64>>());
        prop_assert_eq!(&pair.called, &(1..=pair.client.calls).collect::<Vec<u64>>());
        prop_assert_eq!(&pair.client.answered, &pair.called);
        prop_assert_eq!(pair.client.unacknowledged(), 0, "all of the client's were acknowledged");
        prop_assert_eq!(pair.session.room_bytes(), 100_000, "all of ours were");
    }
}
