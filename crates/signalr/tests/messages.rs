//! What each message looks like on the wire, in both protocols and both directions.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use cordboard_signalr::codec::{self, Cut};
use cordboard_signalr::{Call, Ended, Message, Protocol, ProtocolError};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

const BYTES_MAX: usize = 32 * 1024;
const DEPTH_MAX: usize = 64;

/// What a message was read as.
type Read<'a> = Result<Option<Message<'a>>, ProtocolError>;

fn call(id: Option<&'static str>, target: &'static str, arguments: &'static [u8]) -> Call<'static> {
    Call { id: id.map(Into::into), target: target.into(), arguments: arguments.into() }
}

fn close(error: Option<&'static str>, allow_reconnect: bool) -> Message<'static> {
    Message::Close { error: error.map(Into::into), allow_reconnect }
}

fn completion(ended: Ended<'static>) -> Message<'static> {
    Message::Completion { id: "7".into(), ended }
}

/// Reads the one message that `bytes` are.
fn read(protocol: Protocol, bytes: &[u8]) -> Read<'_> {
    match codec::cut(protocol, bytes, BYTES_MAX)? {
        Cut::Whole { body, used } => {
            assert_eq!(used, bytes.len(), "one message");
            codec::read(protocol, body, DEPTH_MAX)
        }
        Cut::Partial => panic!("not a whole message: {bytes:?}"),
    }
}

fn read_json(text: &str) -> Read<'_> {
    codec::read(Protocol::Json, text.as_bytes(), DEPTH_MAX)
}

#[test]
fn json_is_written_as_every_client_wants_it() {
    let table = [
        (
            Message::Invocation(call(None, "MessageReceived", b"[{\"a\":1},2]")),
            r#"{"type":1,"target":"MessageReceived","arguments":[{"a":1},2]}"#,
        ),
        (
            Message::Invocation(call(Some("7"), "Add", b"[]")),
            r#"{"type":1,"invocationId":"7","target":"Add","arguments":[]}"#,
        ),
        (
            Message::StreamItem { id: "7".into(), item: b"null"[..].into() },
            r#"{"type":2,"invocationId":"7","item":null}"#,
        ),
        (completion(Ended::Void), r#"{"type":3,"invocationId":"7"}"#),
        (completion(Ended::Result(b"null"[..].into())), r#"{"type":3,"invocationId":"7","result":null}"#),
        (
            completion(Ended::Error("no \"luck\" \u{1e} für dich".into())),
            r#"{"type":3,"invocationId":"7","error":"no \"luck\" \u001e für dich"}"#,
        ),
        (
            Message::StreamInvocation(call(Some("7"), "Watch", b"[]")),
            r#"{"type":4,"invocationId":"7","target":"Watch","arguments":[]}"#,
        ),
        (Message::CancelInvocation { id: "7".into() }, r#"{"type":5,"invocationId":"7"}"#),
        (Message::Ping, r#"{"type":6}"#),
        (close(None, false), r#"{"type":7}"#),
        (close(Some("why"), true), r#"{"type":7,"error":"why","allowReconnect":true}"#),
        (Message::Ack { sequence: 3 }, r#"{"type":8,"sequenceId":3}"#),
        (Message::Sequence { sequence: 4 }, r#"{"type":9,"sequenceId":4}"#),
    ];
    for (message, expected) in table {
        let bytes = codec::write(Protocol::Json, &message);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), format!("{expected}\u{1e}"));
        assert_eq!(read(Protocol::Json, &bytes), Ok(Some(message)));
    }
}

#[test]
fn messagepack_is_written_as_every_client_wants_it() {
    let table: [(Message<'_>, &[u8]); 13] = [
        (Message::Invocation(call(None, "M", &[0x91, 0x01])), &[0x96, 0x01, 0x80, 0xc0, 0xa1, b'M', 0x91, 0x01, 0x90]),
        (Message::Invocation(call(Some("7"), "M", &[0x90])), &[0x96, 0x01, 0x80, 0xa1, b'7', 0xa1, b'M', 0x90, 0x90]),
        (Message::StreamItem { id: "7".into(), item: [0xc0][..].into() }, &[0x94, 0x02, 0x80, 0xa1, b'7', 0xc0]),
        (completion(Ended::Void), &[0x94, 0x03, 0x80, 0xa1, b'7', 0x02]),
        (completion(Ended::Result([0xc0][..].into())), &[0x95, 0x03, 0x80, 0xa1, b'7', 0x03, 0xc0]),
        (completion(Ended::Error("no".into())), &[0x95, 0x03, 0x80, 0xa1, b'7', 0x01, 0xa2, b'n', b'o']),
        (
            Message::StreamInvocation(call(Some("7"), "M", &[0x90])),
            &[0x96, 0x04, 0x80, 0xa1, b'7', 0xa1, b'M', 0x90, 0x90],
        ),
        (Message::CancelInvocation { id: "7".into() }, &[0x93, 0x05, 0x80, 0xa1, b'7']),
        (Message::Ping, &[0x91, 0x06]),
        (close(None, false), &[0x93, 0x07, 0xc0, 0xc2]),
        (close(Some("x"), true), &[0x93, 0x07, 0xa1, b'x', 0xc3]),
        (Message::Ack { sequence: 200 }, &[0x92, 0x08, 0xcc, 200]),
        (Message::Sequence { sequence: 1 }, &[0x92, 0x09, 0x01]),
    ];
    for (message, expected) in table {
        let bytes = codec::write(Protocol::MessagePack, &message);
        assert_eq!(usize::from(bytes[0]), expected.len(), "{message:?}");
        assert_eq!(&bytes[1..], expected, "{message:?}");
        assert_eq!(read(Protocol::MessagePack, &bytes), Ok(Some(message)));
    }
}

#[test]
fn json_is_read_however_a_client_writes_it() {
    let add = |id| Ok(Some(Message::Invocation(call(id, "Add", b"[1,2]"))));
    let table = [
        (r#"{"arguments":[1,2],"target":"Add","invocationId":"7","type":1}"#, add(Some("7"))),
        (r#" { "type" : 1 , "invocationId" : "7" , "target" : "Add" , "arguments" : [1,2] } "#, add(Some("7"))),
        (r#"{"type":1,"invocationId":null,"target":"Add","arguments":[1,2]}"#, add(None)),
        (r#"{"type":1,"target":"Add","arguments":[1,2],"streamIds":["1"],"headers":{"Authorization":"x"}}"#, add(None)),
        (r#"{"headers":{},"type":1,"target":"Add","arguments":[1,2],"unknown":{"type":6}}"#, add(None)),
        (r#"{"t\u0079pe":1,"target":"\u0041dd","arguments":[1,2]}"#, add(None)),
        // Of doubled members the last counts, as in the clients' own parsers.
        (r#"{"type":6,"target":"Sub","type":1,"target":"Add","arguments":[],"arguments":[1,2]}"#, add(None)),
        (r#"{"type":6}"#, Ok(Some(Message::Ping))),
        (r#"{"type":6,"headers":{},"error":7}"#, Ok(Some(Message::Ping))),
        (r#"{"type":7,"error":null,"allowReconnect":false}"#, Ok(Some(close(None, false)))),
        (
            r#"{"type":3,"invocationId":"7","error":null,"result":1}"#,
            Ok(Some(completion(Ended::Result(b"1"[..].into())))),
        ),
        (r#"{"type":10,"target":7}"#, Ok(None)),
        (r#"{"type":0}"#, Ok(None)),
        (r#"{"type":-3}"#, Ok(None)),
        (r#"{}"#, Err(ProtocolError::Missing("type"))),
        (r#"{"type":"1"}"#, Err(ProtocolError::WrongType { member: "type", expected: "Number" })),
        (r#"{"type":1.5}"#, Err(ProtocolError::WrongType { member: "type", expected: "Number" })),
        (r#"{"type":1,"arguments":[]}"#, Err(ProtocolError::Missing("target"))),
        (r#"{"type":1,"target":"Add"}"#, Err(ProtocolError::Missing("arguments"))),
        (
            r#"{"type":1,"target":"Add","arguments":{}}"#,
            Err(ProtocolError::WrongType { member: "arguments", expected: "Array" }),
        ),
        (
            r#"{"type":1,"target":7,"arguments":[]}"#,
            Err(ProtocolError::WrongType { member: "target", expected: "String" }),
        ),
        (
            r#"{"type":1,"invocationId":7,"target":"Add","arguments":[]}"#,
            Err(ProtocolError::WrongType { member: "invocationId", expected: "String" }),
        ),
        (r#"{"type":4,"target":"Watch","arguments":[]}"#, Err(ProtocolError::Missing("invocationId"))),
        (r#"{"type":3}"#, Err(ProtocolError::Missing("invocationId"))),
        (r#"{"type":5}"#, Err(ProtocolError::Missing("invocationId"))),
        (r#"{"type":3,"invocationId":"7","error":"x","result":1}"#, Err(ProtocolError::ErrorAndResult)),
        (r#"{"type":8}"#, Err(ProtocolError::Missing("sequenceId"))),
        (r#"{"type":8,"sequenceId":-1}"#, Err(ProtocolError::WrongType { member: "sequenceId", expected: "Number" })),
        (r#"{"type":9,"sequenceId":null}"#, Err(ProtocolError::WrongType { member: "sequenceId", expected: "Number" })),
    ];
    for (text, expected) in table {
        assert_eq!(read_json(text), expected, "{text}");
    }
    for broken in ["", "[]", "7", "null", "{", "{\"type\":6}}", "{\"type\":6,}", "{type:6}", "{\"type\":6}//"] {
        assert!(matches!(read_json(broken), Err(ProtocolError::Json(_))), "{broken}");
    }
    let not_utf8 = codec::read(Protocol::Json, b"{\"type\":6,\"x\":\"\xff\"}", DEPTH_MAX);
    assert!(matches!(not_utf8, Err(ProtocolError::Json(_))));
}

#[test]
fn messagepack_is_read_however_a_client_writes_it() {
    let add = |id| Ok(Some(Message::Invocation(call(id, "A", &[0x91, 0x05]))));
    let table: [(&[u8], Read<'_>); 21] = [
        // With and without stream ids, with headers, with lengths longer than need be, with more than anybody knows.
        (&[0x95, 1, 0x80, 0xc0, 0xa1, b'A', 0x91, 5], add(None)),
        (&[0x96, 1, 0x80, 0xa1, b'7', 0xa1, b'A', 0x91, 5, 0x91, 0xa1, b'1'], add(Some("7"))),
        (&[0x95, 1, 0x81, 0xa1, b'h', 0xa1, b'v', 0xc0, 0xa1, b'A', 0x91, 5], add(None)),
        (&[0xdc, 0, 5, 0xcc, 1, 0xde, 0, 0, 0xd9, 1, b'7', 0xd9, 1, b'A', 0x91, 5], add(Some("7"))),
        (&[0x97, 1, 0x80, 0xc0, 0xa1, b'A', 0x91, 5, 0x90, 0xc0], add(None)),
        (&[0x95, 0xd0, 1, 0xc0, 0xc0, 0xa1, b'A', 0x91, 5], add(None)),
        (&[0x91, 6], Ok(Some(Message::Ping))),
        (&[0x92, 7, 0xc0], Ok(Some(close(None, false)))),
        (&[0x91, 10], Ok(None)),
        (&[0x92, 0xcd, 1, 0, 0xc1], Ok(None)),
        (&[], Err(ProtocolError::MessagePack("it ends before its last item"))),
        (&[0xc0], Err(ProtocolError::MessagePack("a message is an array"))),
        (&[0x90], Err(ProtocolError::Missing("type"))),
        (&[0x91, 0xa1, b'1'], Err(ProtocolError::WrongType { member: "type", expected: "Number" })),
        (&[0x91, 0xff], Err(ProtocolError::WrongType { member: "type", expected: "Number" })),
        (&[0x95, 1, 0x80, 0xc0, 0xa1, b'A'], Err(ProtocolError::MessagePack("it ends before its last item"))),
        (&[0x94, 1, 0x80, 0xc0, 0xa1, b'A'], Err(ProtocolError::Missing("arguments"))),
        (
            &[0x95, 1, 0x80, 0xc0, 0xa1, b'A', 0xc0],
            Err(ProtocolError::WrongType { member: "arguments", expected: "Array" }),
        ),
        (
            &[0x95, 1, 0x80, 0x07, 0xa1, b'A', 0x90],
            Err(ProtocolError::WrongType { member: "invocationId", expected: "String" }),
        ),
        (&[0x95, 1, 0x80, 0xc0, 0xa1, 0xff, 0x90], Err(ProtocolError::MessagePack("text is not UTF-8"))),
        (&[0x94, 3, 0x80, 0xa1, b'7', 9], Err(ProtocolError::MessagePack("a completion is of kind 1, 2 or 3"))),
    ];
    for (body, expected) in table {
        let read = codec::read(Protocol::MessagePack, body, DEPTH_MAX);
        assert_eq!(read, expected, "{body:x?}");
    }
}

#[test]
fn values_come_out_as_json_whatever_they_came_in() {
    let table: [(&[u8], Value); 13] = [
        (&[0x90], json!([])),
        (&[0x91, 0xc0], json!([null])),
        (&[0x92, 0xc2, 0xc3], json!([false, true])),
        (&[0x91, 0xe0], json!([-32])),
        (&[0x91, 0xd1, 0x01, 0x00], json!([256])),
        (&[0x91, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], json!([u64::MAX])),
        (&[0x91, 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], json!([i64::MIN])),
        (&[0x91, 0xca, 0x3f, 0x00, 0x00, 0x00], json!([0.5])),
        (&[0x91, 0xca, 0x7f, 0xc0, 0x00, 0x00], json!([null])),
        (&[0x91, 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], json!([null])),
        (&[0x91, 0xc4, 3, 1, 2, 3], json!(["AQID"])),
        (&[0x91, 0xc5, 0, 0], json!([""])),
        (&[0x91, 0x81, 0xa1, b'a', 0x91, 1], json!([{ "a": [1] }])),
    ];
    for (encoded, expected) in table {
        let read = codec::read_arguments(Protocol::MessagePack, encoded);
        assert_eq!(read.map(Value::Array), Ok(expected), "{encoded:x?}");
    }
    // One argument nobody can read spoils one invocation, not the connection.
    let unreadable: [&[u8]; 6] = [
        &[0x91, 0xd6, 0xff, 0, 0, 0, 0], // a timestamp
        &[0x91, 0xc7, 1, 5, 0],          // an extension
        &[0x91, 0x81, 0x01, 0x01],       // a key that is a number
        &[0x91, 0xa1, 0xff],             // not UTF-8
        &[0xa0],                         // no array
        &[0x90, 0x90],                   // two
    ];
    for encoded in unreadable {
        let mut invocation = vec![0x95, 1, 0x80, 0xa1, b'7', 0xa1, b'A'];
        invocation.extend_from_slice(encoded);
        assert!(codec::read_arguments(Protocol::MessagePack, encoded).is_err(), "{encoded:x?}");
        if encoded[0] == 0x91 {
            assert!(codec::read(Protocol::MessagePack, &invocation, DEPTH_MAX).is_ok(), "{encoded:x?}");
        }
    }
    assert!(codec::read_arguments(Protocol::Json, b"[1e999]").is_err());
    assert!(codec::read_arguments(Protocol::Json, b"{}").is_err());
}

#[test]
fn bombs_do_not_go_off() {
    // Lengths are claims: nothing is allocated for what has not come.
    let lengths: [&[u8]; 5] = [
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0x95, 1, 0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0x95, 1, 0x80, 0xc0, 0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0x95, 1, 0x80, 0xc0, 0xa1, b'A', 0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0x95, 1, 0x80, 0xc0, 0xa1, b'A', 0x91, 0xc9, 0xff, 0xff, 0xff, 0xff, 0],
    ];
    for body in lengths {
        assert!(codec::read(Protocol::MessagePack, body, DEPTH_MAX).is_err(), "{body:x?}");
    }
    assert!(codec::read_value(Protocol::MessagePack, &[0xdd, 0xff, 0xff, 0xff, 0xff]).is_err());

    for depth in [DEPTH_MAX, DEPTH_MAX + 1] {
        let fits = depth == DEPTH_MAX;
        let nested = depth - 1; // the message itself is one
        let json = format!(r#"{{"type":1,"target":"A","arguments":{}{}}}"#, "[".repeat(nested), "]".repeat(nested));
        let read = read_json(&json);
        assert_eq!(read.is_ok(), fits, "{depth}: {read:?}");
        let mut pack = vec![0x95, 1, 0x80, 0xc0, 0xa1, b'A'];
        pack.extend(std::iter::repeat_n(0x91, nested));
        pack.push(0);
        let read = codec::read(Protocol::MessagePack, &pack, DEPTH_MAX);
        assert_eq!(read.is_ok(), fits, "{depth}: {read:?}");
    }
    assert!(codec::read_value(Protocol::MessagePack, &[0x91; 100_000]).is_err());
    assert!(read_json(&"[".repeat(30_000)).is_err());
    // Brackets in text are no depth.
    assert!(read_json(&format!(r#"{{"type":6,"x":"\"{}"}}"#, "[".repeat(1000))).is_ok());
}

#[test]
fn messages_are_cut_at_their_ends() {
    let partial = Ok(Cut::Partial);
    let too_long = Err(ProtocolError::TooLong { max: 4 });
    let five = Err(ProtocolError::MessagePack("a length has at most five bytes"));
    let whole = |body, used| Ok(Cut::Whole { body, used });
    let table: [(Protocol, &[u8], Result<Cut<'_>, ProtocolError>); 16] = [
        (Protocol::Json, b"", partial.clone()),
        (Protocol::Json, b"1234", partial.clone()),
        (Protocol::Json, b"12345", too_long.clone()),
        (Protocol::Json, b"1234\x1e56\x1e", whole(b"1234", 5)),
        (Protocol::Json, b"12345\x1e", too_long.clone()),
        (Protocol::Json, b"\x1e", whole(b"", 1)),
        (Protocol::MessagePack, &[], partial.clone()),
        (Protocol::MessagePack, &[2], partial.clone()),
        (Protocol::MessagePack, &[2, 0x91], partial.clone()),
        (Protocol::MessagePack, &[2, 0x91, 6, 2], whole(&[0x91, 6], 3)),
        (Protocol::MessagePack, &[0x82, 0x00, 0x91, 6], whole(&[0x91, 6], 4)),
        (Protocol::MessagePack, &[5], too_long.clone()),
        (Protocol::MessagePack, &[0xff, 0xff, 0xff, 0xff, 0x07], too_long),
        (Protocol::MessagePack, &[0x80, 0x80, 0x80, 0x80], partial),
        (Protocol::MessagePack, &[0x80, 0x80, 0x80, 0x80, 0x80], five.clone()),
        (Protocol::MessagePack, &[0x80, 0x80, 0x80, 0x80, 0x80, 0], five),
    ];
    for (protocol, bytes, expected) in table {
        assert_eq!(codec::cut(protocol, bytes, 4), expected, "{bytes:x?}");
    }
    let long = Message::Completion { id: "7".into(), ended: Ended::Error("x".repeat(300).into()) };
    let bytes = codec::write(Protocol::MessagePack, &long);
    assert_eq!(bytes[..2], [0xb5, 0x02], "309 bytes in two groups of seven bits");
    assert_eq!(read(Protocol::MessagePack, &bytes), Ok(Some(long)));
}

#[test]
fn an_invocation_for_many_is_encoded_once_a_protocol() {
    let body = r#"{"id":"a","count":3,"list":[1,-1,0.5,null,true]}"#;
    let encode = |protocol| codec::encode_invocation(protocol, "MessageReceived", &[body, "\"x\""]).unwrap();
    let json = encode(Protocol::Json);
    let expected = format!("{{\"type\":1,\"target\":\"MessageReceived\",\"arguments\":[{body},\"x\"]}}\u{1e}");
    assert_eq!(std::str::from_utf8(&json).unwrap(), expected);
    let pack = encode(Protocol::MessagePack);
    let Ok(Some(Message::Invocation(call))) = read(Protocol::MessagePack, &pack) else { panic!("no invocation") };
    assert_eq!((call.id, call.target.as_ref()), (None, "MessageReceived"));
    let arguments = codec::read_arguments(Protocol::MessagePack, &call.arguments).unwrap();
    assert_eq!(arguments, vec![serde_json::from_str::<Value>(body).unwrap(), json!("x")]);
    assert!(codec::encode_invocation(Protocol::MessagePack, "M", &["{"]).is_err());
    assert!(codec::encode_invocation(Protocol::MessagePack, "M", &["1 2"]).is_err());
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Number::from_f64(f64::from(n) / 8.0).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::from),
        "[a-z]{30,300}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..20).prop_map(Value::from),
            vec((any::<String>(), inner), 0..20).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn calls(protocol: Protocol, with_id: bool) -> impl Strategy<Value = Call<'static>> {
    let id = if with_id { any::<String>().prop_map(Some).boxed() } else { any::<Option<String>>().boxed() };
    (id, any::<String>(), vec(values(), 0..4)).prop_map(move |(id, target, arguments)| Call {
        id: id.map(Into::into),
        target: target.into(),
        arguments: codec::encode_value(protocol, &Value::Array(arguments)).into(),
    })
}

fn messages(protocol: Protocol) -> impl Strategy<Value = Message<'static>> {
    let encoded = move || values().prop_map(move |value| codec::encode_value(protocol, &value));
    let ended = prop_oneof![
        any::<String>().prop_map(|error| Ended::Error(error.into())),
        Just(Ended::Void),
        encoded().prop_map(|value| Ended::Result(value.into())),
    ];
    prop_oneof![
        calls(protocol, false).prop_map(Message::Invocation),
        calls(protocol, true).prop_map(Message::StreamInvocation),
        (any::<String>(), encoded()).prop_map(|(id, item)| Message::StreamItem { id: id.into(), item: item.into() }),
        (any::<String>(), ended).prop_map(|(id, ended)| Message::Completion { id: id.into(), ended }),
        any::<String>().prop_map(|id| Message::CancelInvocation { id: id.into() }),
        Just(Message::Ping),
        (any::<Option<String>>(), any::<bool>())
            .prop_map(|(error, allow_reconnect)| Message::Close { error: error.map(Into::into), allow_reconnect }),
        any::<u64>().prop_map(|sequence| Message::Ack { sequence }),
        any::<u64>().prop_map(|sequence| Message::Sequence { sequence }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (protocol, message) in prop_oneof![Just(Protocol::Json), Just(Protocol::MessagePack)]
            .prop_flat_map(|protocol| (Just(protocol), messages(protocol)))
    ) {
        let bytes = codec::write(protocol, &message);
        let Ok(Cut::Whole { body, used }) = codec::cut(protocol, &bytes, usize::MAX) else { panic!("{bytes:x?}") };
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(codec::read(protocol, body, DEPTH_MAX), Ok(Some(message)));
    }

    #[test]
    fn values_survive_both_protocols(value in values()) {
        for protocol in Protocol::ALL {
            prop_assert_eq!(codec::read_value(protocol, &codec::encode_value(protocol, &value)), Ok(value.clone()));
        }
    }

    #[test]
    fn nothing_that_comes_in_panics(bytes in vec(any::<u8>(), 0..300)) {
        for protocol in Protocol::ALL {
            let _ = codec::cut(protocol, &bytes, 64).map(|_| ());
            let _ = codec::read(protocol, &bytes, DEPTH_MAX);
            let _ = codec::read_value(protocol, &bytes);
        }
    }
}
