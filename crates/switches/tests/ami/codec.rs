//! The AMI codec on recorded sessions: the same messages as an independent program cut, however the bytes are chopped.

use cordboard_switches::asterisk::ami::{Codec, CodecLimits, Frame, Malformed, Message};
use proptest::prelude::*;

use crate::recordings;

fn frames(bytes: &[u8], limits: CodecLimits, cuts: impl IntoIterator<Item = usize>) -> Vec<Result<Frame, Malformed>> {
    let mut codec = Codec::new(limits);
    let mut out = Vec::new();
    let mut rest = bytes;
    let mut cuts = cuts.into_iter();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cuts.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        codec.handle_bytes(piece);
        while let Some(frame) = codec.poll_frame() {
            out.push(frame);
        }
        rest = after;
    }
    out
}

fn is_message(frame: &Result<Frame, Malformed>) -> bool {
    matches!(frame, Ok(Frame::Message(_)))
}

#[test]
fn every_recording_gives_the_messages_that_were_cut_independently() {
    let mut count = 0;
    for connection in recordings::connections() {
        let mut expected = Vec::new();
        for line in &connection.messages {
            expected.push(match &line.banner {
                Some(banner) => Frame::Banner(banner.clone()),
                // The other program keeps a stray empty line as a header without name and value.
                None => Frame::Message(Message::from_headers(
                    line.headers.iter().skip_while(|header| **header == Default::default()).cloned(),
                )),
            });
        }
        expected.retain(|frame| !matches!(frame, Frame::Message(message) if message.is_empty()));
        let actual: Vec<Frame> =
            frames(&connection.raw, CodecLimits::default(), []).into_iter().map(|frame| frame.unwrap()).collect();
        assert_eq!(actual.len(), expected.len(), "{}", connection.name);
        for (at, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
            assert_eq!(actual, expected, "frame {at} of {}", connection.name);
        }
        count += actual.len();
    }
    assert!(count >= 380, "only {count} frames were compared");
}

#[test]
fn byte_by_byte_gives_the_same() {
    for connection in recordings::kept_here() {
        let whole = frames(&connection.raw, CodecLimits::default(), []);
        assert_eq!(whole, frames(&connection.raw, CodecLimits::default(), std::iter::repeat(1)), "{}", connection.name);
    }
}

#[test]
fn the_odd_values_of_the_recordings_are_kept_to_the_byte() {
    let recording = recordings::kept_here().into_iter().find(|it| it.name.starts_with("75")).unwrap();
    let messages: Vec<Message> = frames(&recording.raw, CodecLimits::default(), [])
        .into_iter()
        .filter_map(|frame| match frame.unwrap() {
            Frame::Message(message) => Some(message),
            Frame::Banner(_) => None,
        })
        .collect();
    let has = |name: &str, value: &str| messages.iter().any(|message| message.get(name) == Some(value));
    assert!(has("AppData", "ODD_SPACES=  two leading and two trailing  "));
    assert!(has("AppData", "ODD_NEWLINE=line one\nline two"));
    assert!(has("CallerIDName", "J\u{fffd}rgen"));
    let which = |name: &str, value: &str| {
        messages.iter().find(|message| message.all(name).any(|other| other == value)).unwrap()
    };
    assert_eq!(which("event", "Override").event(), Some("UserEvent"));
    assert_eq!(which("UNIQUEID", "fake-uniqueid").get("uniqueid"), Some("1795175511.0"));
}

/// Text in which everything that matters to the codec is frequent.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"\r\n\r\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b":".to_vec()),
        2 => Just(b"Event: X".to_vec()),
        1 => Just(b"Asterisk Call Manager/5.0\r\n".to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// The rules of the codec, said again in the plainest way: no state, no chopping, no limits.
fn cut_plainly(bytes: &[u8]) -> Vec<Frame> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut frames = Vec::new();
    let mut headers = Vec::new();
    let mut first = true;
    for line in lines {
        if line.is_empty() {
            if !headers.is_empty() {
                frames.push(Frame::Message(Message::from_headers(std::mem::take(&mut headers))));
            }
        } else if std::mem::take(&mut first) && line.starts_with(b"Asterisk Call Manager") {
            frames.push(Frame::Banner(lossy(line)));
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            let value = &line[colon + 1..];
            headers.push((lossy(&line[..colon]), lossy(value.strip_prefix(b" ").unwrap_or(value))));
        } else {
            headers.push((String::new(), lossy(line)));
        }
    }
    frames
}

proptest! {
    #[test]
    fn any_bytes_are_cut_by_the_rules(bytes in wire(), cuts in proptest::collection::vec(1_usize..30, 0..40)) {
        let actual: Vec<Frame> =
            frames(&bytes, CodecLimits::default(), cuts).into_iter().map(|frame| frame.unwrap()).collect();
        prop_assert_eq!(actual, cut_plainly(&bytes));
    }

    #[test]
    fn chopping_changes_nothing_even_at_the_limits(
        bytes in wire(),
        cuts in proptest::collection::vec(1_usize..30, 0..40),
        line_bytes_max in 1_u32..60,
        message_bytes_max in 1_u32..120,
        message_headers_max in 1_u32..6,
    ) {
        let limits = CodecLimits { line_bytes_max, message_bytes_max, message_headers_max };
        let whole = frames(&bytes, limits, []);
        prop_assert_eq!(&frames(&bytes, limits, cuts), &whole);
        prop_assert_eq!(&frames(&bytes, limits, std::iter::repeat(1)), &whole);
    }

    #[test]
    fn a_message_over_a_limit_is_dropped_alone(before in 0_usize..3, after in 0_usize..3, extra in 1_usize..5_000) {
        let limits = CodecLimits { line_bytes_max: 100, message_bytes_max: 400, message_headers_max: 10 };
        let small = "Event: Small\r\nA: 1\r\n\r\n";
        let too_big = [
            (format!("Event: Big\r\nA: {}\r\n\r\n", "x".repeat(97 + extra)), Malformed::LineTooLong { line_bytes_max: 100 }),
            (format!("Event: Big\r\n{}\r\n", format!("A: {}\r\n", "x".repeat(90)).repeat(5 + extra % 4)),
                Malformed::MessageTooLong { message_bytes_max: 400 }),
            (format!("Event: Big\r\n{}\r\n", "A: 1\r\n".repeat(10 + extra)),
                Malformed::TooManyHeaders { message_headers_max: 10 }),
        ];
        for (big, why) in too_big {
            let text = format!("{}{big}{}", small.repeat(before), small.repeat(after));
            let frames = frames(text.as_bytes(), limits, []);
            prop_assert_eq!(frames.len(), before + 1 + after);
            prop_assert_eq!(&frames[before], &Err(why));
            prop_assert_eq!(frames.iter().filter(|frame| is_message(frame)).count(), before + after);
        }
    }
}

proptest! {
    // A recording is long: a few cuts of it are many cases.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_recording_chopped_at_random_gives_the_same(cuts in proptest::collection::vec(1_usize..5_000, 1..200)) {
        for connection in recordings::kept_here() {
            let whole = frames(&connection.raw, CodecLimits::default(), []);
            prop_assert_eq!(&frames(&connection.raw, CodecLimits::default(), cuts.iter().copied().cycle()), &whole);
        }
    }
}
