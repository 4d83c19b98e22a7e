//! Any bytes, in any pieces, over any transport and through any number of breaks: a session never panics, holds no more
//! than its limits allow, answers nothing twice and is silent once it is closed.

#![no_main]

use std::sync::Arc;

use cordboard_signalr::{Answer, Event, Limits, Protocol, Session, Settings, Transport, codec, handshake};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, size], rest)) = data.split_first_chunk::<2>() else { return };
    let transport = match choice & 0x03 {
        0 | 1 => Transport::WebSockets,
        2 => Transport::ServerSentEvents,
        _ => Transport::LongPolling,
    };
    let limits = Limits { buffer_bytes_max: 4_096, ..Limits::default() };
    let buffer_bytes_max = limits.buffer_bytes_max;
    let settings = Settings { transport, stateful_reconnect: choice & 0x04 != 0 };
    let mut session = Session::new(settings, Arc::new(limits), 0);
    // Half of the runs begin with a good handshake, or they would hardly ever come past it.
    if choice & 0x08 != 0 {
        let protocol = if choice & 0x10 != 0 { Protocol::MessagePack } else { Protocol::Json };
        session.handle_bytes(0, &handshake::request(protocol, 2));
    }
    let mut now = 0;
    for piece in rest.chunks(usize::from(size) + 1) {
        now += 100;
        session.handle_timeout(now);
        session.handle_bytes(now, piece);
        let mut unanswered = 0;
        while let Some(event) = session.poll_event() {
            if let Event::Invoke(invocation) = event {
                unanswered += 1;
                assert_eq!(unanswered, 1, "one at a time");
                if piece.len() % 2 == 0 {
                    let echo = serde_json::Value::from(invocation.arguments);
                    session.answer(now, Answer::Result(echo));
                    unanswered = 0;
                }
            }
        }
        if session.room_bytes() > 0 {
            let protocol = session.protocol().expect("there is room only after a handshake");
            session.send_shared(now, codec::encode_invocation(protocol, "M", &["{}"]).expect("JSON"));
        }
        let mut written = 0;
        while let Some(transmit) = session.poll_transmit() {
            written += transmit.bytes.len();
        }
        // One answer beyond the limit, and after a break once more all that was kept.
        assert!(written <= 8 * buffer_bytes_max + 512 * 1024, "{written} bytes");
        session.answer(now, Answer::Void);
        if piece.first() == Some(&0xb7) {
            session.handle_link_lost(now);
            session.handle_link_restored(now + 1);
        }
        if session.is_closed() {
            while session.poll_event().is_some() || session.poll_transmit().is_some() {}
            session.handle_bytes(now, rest);
            assert!(session.poll_event().is_none() && session.poll_transmit().is_none());
            assert_eq!(session.poll_timeout(), None);
            return;
        }
    }
});
