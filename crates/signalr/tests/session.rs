//! What a session does with what a client says and does not say, rule by rule.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use cordboard_signalr::codec::{self, Cut};
use cordboard_signalr::{
    Answer, Call, Ended, Ending, Event, FrameKind, Invocation, Limits, Message, Protocol, ProtocolError, Session,
    Settings, Transport, handshake, texts,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const HANDSHAKE: &[u8] = b"{\"protocol\":\"json\",\"version\":1}\x1e";

fn session(transport: Transport) -> Session {
    limited(transport, Limits::default())
}

fn limited(transport: Transport, limits: Limits) -> Session {
    Session::new(Settings { transport, stateful_reconnect: false }, Arc::new(limits), 0)
}

/// A session that has shaken hands, with everything polled.
fn connected(limits: Limits, protocol: Protocol) -> Session {
    let mut session = limited(Transport::WebSockets, limits);
    session.handle_bytes(0, &handshake::request(protocol, 1));
    assert_eq!(session.poll_event(), Some(Event::Connected { protocol, reliable: false }));
    assert_eq!(session.poll_transmit().unwrap().bytes, handshake::WELCOME);
    session
}

fn invocation(protocol: Protocol, id: Option<&str>, target: &str, arguments: Value) -> Vec<u8> {
    let arguments = codec::encode_value(protocol, &arguments).into();
    codec::write(protocol, &Message::Invocation(Call { id: id.map(Into::into), target: target.into(), arguments }))
}

fn invoked(session: &mut Session) -> Invocation {
    match session.poll_event() {
        Some(Event::Invoke(invocation)) => invocation,
        other => panic!("no invocation but {other:?}"),
    }
}

/// All that waits to be written, as text.
fn written(session: &mut Session) -> String {
    let mut text = String::new();
    while let Some(transmit) = session.poll_transmit() {
        text.push_str(std::str::from_utf8(&transmit.bytes).unwrap());
    }
    text.replace('\u{1e}', "|")
}

#[test]
fn hands_are_shaken_in_every_way_clients_do_it() {
    for (transport, protocol, version) in [
        (Transport::WebSockets, Protocol::Json, 0),
        (Transport::WebSockets, Protocol::Json, 1),
        (Transport::WebSockets, Protocol::MessagePack, 2),
        (Transport::ServerSentEvents, Protocol::Json, 1),
        (Transport::LongPolling, Protocol::MessagePack, 1),
    ] {
        let mut session = session(transport);
        assert_eq!(session.room_bytes(), 0);
        // Byte by byte, and with a first message in the same frame as the last byte.
        let mut bytes = handshake::request(protocol, version);
        let last = bytes.pop().unwrap();
        for byte in bytes {
            session.handle_bytes(1, &[byte]);
            assert_eq!(session.poll_event(), None);
        }
        let mut rest = vec![last];
        rest.extend(invocation(protocol, Some("0"), "Add", json!([1])));
        session.handle_bytes(1, &rest);
        assert_eq!(session.poll_event(), Some(Event::Connected { protocol, reliable: false }));
        assert_eq!(invoked(&mut session).target, "Add");
        let welcome = session.poll_transmit().unwrap();
        assert_eq!((welcome.kind, &welcome.bytes[..]), (protocol.frame_kind(), handshake::WELCOME));
        assert!(session.room_bytes() > 0);
    }
}

#[test]
fn a_handshake_that_fails_is_told_why_and_is_the_end() {
    let broken = "{\"error\":\"An unexpected error occurred during connection handshake. ";
    let table = [
        ("{\"protocol\":\"xml\",\"version\":1}\u{1e}", "{\"error\":\"The protocol 'xml' is not supported.\"}|"),
        (
            "{\"protocol\":\"messagepack\",\"version\":1}\u{1e}",
            "{\"error\":\"Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.\"}|",
        ),
        ("hello\u{1e}", broken),
        ("{\"type\":6}\u{1e}", broken),
    ];
    for (text, expected) in table {
        let mut session = session(Transport::ServerSentEvents);
        session.handle_bytes(1, text.as_bytes());
        assert!(matches!(session.poll_event(), Some(Event::Closed(Ending::HandshakeRefused(_)))), "{text}");
        let answer = written(&mut session);
        assert!(answer.starts_with(expected), "{answer}");
        assert!(session.is_closed() && session.poll_timeout().is_none());
        session.handle_bytes(2, HANDSHAKE);
        assert_eq!((session.poll_event(), session.poll_transmit()), (None, None));
    }
    let mut too_long = session(Transport::WebSockets);
    too_long.handle_bytes(1, &vec![b' '; 40_000]);
    assert!(matches!(too_long.poll_event(), Some(Event::Closed(Ending::HandshakeRefused(_)))));
    let refusal = too_long.poll_transmit().unwrap();
    assert_eq!(refusal.kind, FrameKind::Text);
}

#[test]
fn a_slow_handshake_is_cancelled() {
    let mut session = session(Transport::WebSockets);
    session.handle_bytes(14_000, b"{\"protocol\":");
    assert_eq!(session.poll_timeout(), Some(15_000));
    session.handle_timeout(14_999);
    assert!(!session.is_closed());
    session.handle_timeout(15_000);
    assert_eq!(written(&mut session), "{\"error\":\"Handshake was canceled.\"}|");
    assert_eq!(session.poll_event(), Some(Event::Closed(Ending::HandshakeTimedOut)));
}

#[test]
fn invocations_are_answered_one_at_a_time_and_in_order() {
    for protocol in Protocol::ALL {
        let mut session = connected(Limits::default(), protocol);
        let frame = [
            invocation(protocol, Some("a"), "First", json!([1, "surplus"])),
            invocation(protocol, None, "Second", json!([])),
            invocation(protocol, Some("c"), "Third", json!([null])),
        ];
        session.handle_bytes(1, &frame.concat());
        let first = invoked(&mut session);
        assert_eq!(
            (first.target.as_str(), first.arguments, first.answered),
            ("First", vec![json!(1), json!("surplus")], true)
        );
        assert_eq!(session.poll_event(), None, "the second waits");
        session.answer(2, Answer::Result(Value::Null));
        assert_eq!(
            completion(protocol, &mut session),
            ("a".into(), Ended::Result(codec::encode_value(protocol, &Value::Null).into()))
        );
        let second = invoked(&mut session);
        assert_eq!((second.target.as_str(), second.answered), ("Second", false));
        session.answer(3, Answer::Error("nobody hears".into()));
        assert_eq!(session.poll_transmit(), None, "without an id there is no answer, ever");
        assert_eq!(invoked(&mut session).target, "Third");
        session.answer(4, Answer::Void);
        assert_eq!(completion(protocol, &mut session), ("c".into(), Ended::Void));
        session.answer(5, Answer::Void);
        assert_eq!((session.poll_event(), session.poll_transmit()), (None, None), "an answer to nothing is nothing");
    }
}

fn completion(protocol: Protocol, session: &mut Session) -> (String, Ended<'static>) {
    let bytes = session.poll_transmit().unwrap().bytes;
    let Ok(Cut::Whole { body, .. }) = codec::cut(protocol, &bytes, usize::MAX) else { panic!("{bytes:?}") };
    match codec::read(protocol, body, 64) {
        Ok(Some(Message::Completion { id, ended })) => (id.into(), owned(ended)),
        other => panic!("no completion but {other:?}"),
    }
}

fn owned(ended: Ended<'_>) -> Ended<'static> {
    match ended {
        Ended::Error(error) => Ended::Error(error.into_owned().into()),
        Ended::Void => Ended::Void,
        Ended::Result(result) => Ended::Result(result.into_owned().into()),
    }
}

#[test]
fn arguments_nobody_can_read_fail_that_invocation_only() {
    let mut session = connected(Limits::default(), Protocol::MessagePack);
    let timestamp = [0x91, 0xd6, 0xff, 0, 0, 0, 0];
    for id in [None, Some("7".into())] {
        let call = Call { id, target: "Add".into(), arguments: timestamp[..].into() };
        session.handle_bytes(1, &codec::write(Protocol::MessagePack, &Message::Invocation(call)));
    }
    session.handle_bytes(1, &invocation(Protocol::MessagePack, Some("8"), "Add", json!([])));
    assert_eq!(invoked(&mut session).target, "Add");
    let failed = Ended::Error("Failed to invoke 'Add' due to an error on the server.".into());
    assert_eq!(completion(Protocol::MessagePack, &mut session), ("7".into(), failed));
    assert_eq!(session.poll_transmit(), None);

    let mut session = connected(Limits::default(), Protocol::Json);
    session.handle_bytes(1, b"{\"type\":1,\"invocationId\":\"7\",\"target\":\"Add\",\"arguments\":[1e999]}\x1e");
    assert_eq!(session.poll_event(), None);
    assert_eq!(
        written(&mut session),
        "{\"type\":3,\"invocationId\":\"7\",\"error\":\"Failed to invoke 'Add' due to an error on the server.\"}|"
    );
}

#[test]
fn streams_are_known_and_what_belongs_to_none_is_ignored() {
    let mut session = connected(Limits::default(), Protocol::Json);
    session.handle_bytes(
        1,
        concat!(
            "{\"type\":2,\"invocationId\":\"s\",\"item\":1}\u{1e}",
            "{\"type\":3,\"invocationId\":\"s\"}\u{1e}",
            "{\"type\":5,\"invocationId\":\"nothing\"}\u{1e}",
            "{\"type\":8,\"sequenceId\":9}\u{1e}",
            "{\"type\":9,\"sequenceId\":9}\u{1e}",
            "{\"type\":77}\u{1e}",
            "{\"type\":4,\"invocationId\":\"7\",\"target\":\"Subscribe\",\"arguments\":[]}\u{1e}",
        )
        .as_bytes(),
    );
    let streaming = invoked(&mut session);
    assert!(streaming.streaming && streaming.answered);
    session.answer(1, Answer::Error(texts::not_streaming(&streaming.target)));
    assert_eq!(
        written(&mut session),
        "{\"type\":3,\"invocationId\":\"7\",\"error\":\"The client attempted to invoke the non-streaming 'Subscribe' method with a streaming invocation.\"}|"
    );
    assert!(!session.is_closed());
}

#[test]
fn the_server_pings_when_it_has_sent_nothing() {
    let mut session = connected(Limits::default(), Protocol::Json);
    assert_eq!(session.poll_timeout(), Some(15_000));
    session.send_shared(10_000, codec::encode_invocation(Protocol::Json, "M", &["1"]).unwrap());
    assert_eq!(written(&mut session), "{\"type\":1,\"target\":\"M\",\"arguments\":[1]}|");
    assert_eq!(session.poll_timeout(), Some(25_000));
    session.handle_timeout(24_999);
    assert_eq!(written(&mut session), "");
    session.handle_timeout(25_000);
    assert_eq!(written(&mut session), "{\"type\":6}|");
    assert_eq!(session.poll_timeout(), Some(40_000));

    let mut pack = connected(Limits::default(), Protocol::MessagePack);
    pack.handle_timeout(15_000);
    let ping = pack.poll_transmit().unwrap();
    assert_eq!((ping.kind, &ping.bytes[..]), (FrameKind::Binary, &[2, 0x91, 6][..]));

    let mut polled = self::session(Transport::LongPolling);
    polled.handle_bytes(0, HANDSHAKE);
    assert_eq!(polled.poll_timeout(), None, "a long poll is its own sign of life");
    polled.handle_timeout(1_000_000);
    assert_eq!(written(&mut polled), "{}|");
}

#[test]
fn a_silent_client_is_dropped_only_once_it_has_pinged() {
    let limits = Limits { ping_ms: 1_000_000, ..Limits::default() };
    let mut session = connected(limits, Protocol::Json);
    assert_eq!(session.poll_timeout(), Some(1_000_000));
    session.handle_bytes(5_000, b"{\"type\":6}\x1e");
    assert_eq!(session.poll_timeout(), Some(35_000));
    session.handle_bytes(30_000, b"{");
    assert_eq!(session.poll_timeout(), Some(60_000), "any byte counts");
    session.handle_timeout(59_999);
    assert!(!session.is_closed());
    session.handle_timeout(60_000);
    let close = written(&mut session);
    assert!(close.starts_with("{\"type\":7,\"error\":\"Connection closed with an error."), "{close}");
    assert!(close.ends_with("\"allowReconnect\":true}|"), "{close}");
    assert_eq!(session.poll_event(), Some(Event::Closed(Ending::ClientTimedOut)));
}

#[test]
fn a_client_that_calls_faster_than_it_is_answered_is_made_to_wait() {
    let limits = Limits { invocations_queued_max: 4, ping_ms: 1_000_000, ..Limits::default() };
    let mut session = connected(limits, Protocol::Json);
    session.handle_bytes(0, b"{\"type\":6}\x1e");
    let one = invocation(Protocol::Json, Some("7"), "Slow", json!([]));
    for _ in 0..4 {
        session.handle_bytes(0, &one);
    }
    invoked(&mut session);
    assert!(!session.wants_bytes(), "more than half of what may wait does");
    assert_eq!(session.poll_timeout(), Some(1_000_000), "who is not read is not silent");
    session.answer(50_000, Answer::Void);
    invoked(&mut session);
    assert!(session.wants_bytes());
    assert_eq!(session.poll_timeout(), Some(80_000));
}

#[test]
fn what_cannot_be_forgiven_ends_the_connection() {
    let limits = Limits {
        invocations_queued_max: 2,
        queued_bytes_max: 100,
        message_bytes_max: 1_000,
        invocation_id_bytes_max: 8,
        target_bytes_max: 8,
        invocations_per_window_max: 50,
        control_messages_per_window_max: 3,
        ..Limits::default()
    };
    let json = |id: &str, target: &str, arguments| invocation(Protocol::Json, Some(id), target, arguments);
    let table = [
        (json("123456789", "Add", json!([])), ProtocolError::IdTooLong { max: 8 }),
        (json("1", "Addition-", json!([])), ProtocolError::TargetTooLong { max: 8 }),
        (json("1", "Add", json!([])).repeat(3), ProtocolError::TooManyQueued { max: 2 }),
        (json("1", "Add", json!(["x".repeat(60)])).repeat(2), ProtocolError::TooMuchQueued { max: 100 }),
        (vec![b' '; 1_001], ProtocolError::TooLong { max: 1_000 }),
        (
            b"{\"type\":6}\x1e".repeat(4),
            ProtocolError::TooOften { what: "pings and other messages", max: 3, window_ms: 10_000 },
        ),
        (b"{\"type\":1,\"target\":\"A\"}\x1e".to_vec(), ProtocolError::Missing("arguments")),
        (
            b"{\"type\":99}\x1e".repeat(4),
            ProtocolError::TooOften { what: "pings and other messages", max: 3, window_ms: 10_000 },
        ),
    ];
    for (bytes, error) in table {
        let mut session = connected(limits.clone(), Protocol::Json);
        session.handle_bytes(1, &bytes);
        assert_eq!(session.poll_event(), Some(Event::Closed(Ending::Broken(error.clone()))));
        let close = json!({ "type": 7, "error": format!("Connection closed with an error. {error}") });
        assert_eq!(written(&mut session), format!("{close}|"));
        assert!(session.is_closed());
    }
    let mut pack = connected(limits.clone(), Protocol::MessagePack);
    pack.handle_bytes(1, &[0xff, 0xff, 0xff, 0xff, 0x07]);
    assert_eq!(pack.poll_event(), Some(Event::Closed(Ending::Broken(ProtocolError::TooLong { max: 1_000 }))));

    // Floods are counted by span, not for ever.
    let mut slow = connected(limits, Protocol::Json);
    for second in 0..100 {
        slow.handle_bytes(second * 4_000, b"{\"type\":6}\x1e");
        slow.handle_bytes(second * 4_000, &invocation(Protocol::Json, None, "Add", json!([])));
        invoked(&mut slow);
        slow.answer(second * 4_000, Answer::Void);
    }
    assert!(!slow.is_closed());
}

#[test]
fn either_side_says_goodbye() {
    let mut left = connected(Limits::default(), Protocol::Json);
    left.handle_bytes(1, b"{\"type\":7,\"error\":\"bye\"}\x1e{\"type\":1,\"target\":\"Late\",\"arguments\":[]}\x1e");
    assert_eq!(left.poll_event(), Some(Event::Closed(Ending::ByClient { error: Some("bye".into()) })));
    assert_eq!((left.poll_event(), left.poll_transmit()), (None, None));

    let table = [
        (None, false, "{\"type\":7}|"),
        (None, true, "{\"type\":7,\"allowReconnect\":true}|"),
        (Some("too slow"), true, "{\"type\":7,\"error\":\"too slow\",\"allowReconnect\":true}|"),
    ];
    for (error, allow_reconnect, expected) in table {
        let mut session = connected(Limits::default(), Protocol::Json);
        session.close(1, error, allow_reconnect);
        session.close(2, Some("again"), false);
        assert_eq!(written(&mut session), expected);
        let ending = Ending::ByServer { error: error.map(Into::into), allow_reconnect };
        assert_eq!(session.poll_event(), Some(Event::Closed(ending)));
        session.send_shared(3, "late".into());
        session.answer(3, Answer::Void);
        assert_eq!((session.poll_event(), session.poll_transmit()), (None, None));
    }

    let mut early = session(Transport::WebSockets);
    early.close(1, Some("Not now."), false);
    assert_eq!(written(&mut early), "{\"error\":\"Not now.\"}|");

    let mut lost = connected(Limits::default(), Protocol::Json);
    lost.handle_link_lost(1);
    assert_eq!(lost.poll_event(), Some(Event::Closed(Ending::LinkLost)));
    assert!(!lost.handle_link_restored(2));
}

#[test]
fn what_is_sent_to_many_is_not_copied() {
    let shared = codec::encode_invocation(Protocol::Json, "M", &["1"]).unwrap();
    let mut session = connected(Limits::default(), Protocol::Json);
    session.send_shared(1, shared.clone());
    assert_eq!(session.poll_transmit().unwrap().bytes.as_ptr(), shared.as_ptr());
}

#[test]
fn room_is_what_has_not_been_taken_for_writing() {
    let mut session = connected(Limits { buffer_bytes_max: 100, ..Limits::default() }, Protocol::Json);
    assert_eq!(session.room_bytes(), 100);
    session.send_shared(1, vec![b' '; 60].into());
    session.send_shared(1, vec![b' '; 60].into());
    assert_eq!(session.room_bytes(), 0);
    session.handle_bytes(1, &invocation(Protocol::Json, Some("1"), "Add", json!([])));
    assert_eq!(session.poll_event(), None, "nobody is answered who does not read");
    session.poll_transmit();
    assert_eq!(session.room_bytes(), 40);
    invoked(&mut session);
}

#[test]
fn an_idle_session_is_small() {
    // The target is 8 KiB a connection, all told; this is what it holds without anything on the heap.
    assert!(size_of::<Session>() <= 384, "{} bytes", size_of::<Session>());
}

/// Drives a session with pieces of bytes, answering at once, and tells everything that came out.
fn lived(pieces: &[&[u8]]) -> (Vec<Event>, Vec<u8>) {
    let limits = Limits { invocations_queued_max: 1_000, queued_bytes_max: 1_000_000, ..Limits::default() };
    let mut session = limited(Transport::WebSockets, limits);
    let mut events = Vec::new();
    let mut sent = Vec::new();
    for piece in pieces {
        session.handle_bytes(1, piece);
        while let Some(event) = session.poll_event() {
            if let Event::Invoke(invocation) = &event {
                session.answer(1, Answer::Result(invocation.arguments.clone().into()));
            }
            events.push(event);
        }
        while let Some(transmit) = session.poll_transmit() {
            sent.extend_from_slice(&transmit.bytes);
        }
    }
    (events, sent)
}

fn said() -> impl Strategy<Value = Vec<u8>> {
    let one = |protocol: Protocol| {
        prop_oneof![
            ("[a-z]{0,3}", "[A-Z]{1,3}", any::<Option<u16>>()).prop_map(move |(id, target, argument)| {
                invocation(protocol, Some(&id), &target, json!([argument]))
            }),
            Just(codec::write(protocol, &Message::Ping)),
            Just(codec::write(protocol, &Message::CancelInvocation { id: "x".into() })),
            vec(any::<u8>(), 0..3),
        ]
    };
    prop_oneof![Just(Protocol::Json), Just(Protocol::MessagePack)].prop_flat_map(move |protocol| {
        vec(one(protocol), 0..20).prop_map(move |said| [handshake::request(protocol, 1), said.concat()].concat())
    })
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_same_happens(said in said(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(said.len() + 1)).collect();
        cuts.extend([0, said.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &said[ends[0]..ends[1]]).collect();
        let bytewise: Vec<&[u8]> = said.chunks(1).collect();
        let whole = lived(&[&said]);
        // Bytes that break the protocol drop what still waited; up to there all is the same.
        if !matches!(whole.0.last(), Some(Event::Closed(_))) {
            prop_assert_eq!(&lived(&pieces), &whole);
            prop_assert_eq!(&lived(&bytewise), &whole);
        } else {
            prop_assert_eq!(lived(&pieces).0.pop(), whole.0.last().cloned());
            prop_assert_eq!(lived(&bytewise).0.pop(), whole.0.last().cloned());
        }
    }

    #[test]
    fn nothing_that_comes_in_panics(
        protocol in prop_oneof![Just(Protocol::Json), Just(Protocol::MessagePack)],
        stateful_reconnect in any::<bool>(),
        steps in vec((0_u64..20_000, vec(any::<u8>(), 0..60)), 0..20),
    ) {
        let settings = Settings { transport: Transport::WebSockets, stateful_reconnect };
        let mut session = Session::new(settings, Arc::new(Limits::default()), 0);
        session.handle_bytes(0, &handshake::request(protocol, 2));
        let mut now = 0;
        for (wait, bytes) in steps {
            now += wait;
            session.handle_timeout(now);
            session.handle_bytes(now, &bytes);
            while let Some(event) = session.poll_event() {
                if let Event::Invoke(_) = event {
                    session.answer(now, Answer::Void);
                }
            }
            while session.poll_transmit().is_some() {}
        }
    }
}
