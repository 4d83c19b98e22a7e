//! Recorded sessions of a real Asterisk, whole and mistreated. What happened does not depend on how it was told.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cordboard_server::replay::Recording;
use cordboard_sim::chance::Chance;
use cordboard_sim::faults::{Connection, bytes, is_a_line, repeat, swap};
use cordboard_sim::invariants::{End, check};
use cordboard_sim::life::{play, recordings, recordings_folder};
use cordboard_switches::asterisk::ami::{Codec, CodecLimits, Frame, Message};

fn all() -> Vec<(String, Recording)> {
    let all = recordings(&recordings_folder()).unwrap();
    assert!(all.len() > 50, "the recordings are missing");
    all
}

fn connections(recording: &Recording) -> Vec<Connection> {
    recording.parts.iter().map(|part| part.tagged()).collect()
}

#[test]
fn every_invariant_holds_of_every_recording() {
    for (name, recording) in all() {
        let life = play(&connections(&recording));
        check(&life).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn bytes_may_come_in_any_pieces() {
    let mut chance = Chance::new(1);
    for (name, recording) in all() {
        for part in recording.parts {
            let sent = bytes(part.messages.iter().map(|(_, message)| message));
            let (mut rest, mut read) = (sent.as_slice(), Vec::<Message>::new());
            let mut codec = Codec::new(CodecLimits::default());
            while !rest.is_empty() {
                let (piece, more) = rest.split_at((1 + chance.below(700)).min(rest.len()));
                codec.handle_bytes(piece);
                rest = more;
                while let Some(frame) = codec.poll_frame() {
                    match frame.unwrap() {
                        Frame::Banner(_) => {}
                        Frame::Message(message) => read.push(message),
                    }
                }
            }
            let messages =
                part.messages.iter().map(|(_, message)| Message::from_headers(message.headers().filter(is_a_line)));
            assert!(read == messages.collect::<Vec<_>>(), "{name}: other messages than were sent");
        }
    }
}

#[test]
fn messages_may_come_twice() {
    mistreat(repeat);
}

#[test]
fn neighbours_may_change_places() {
    mistreat(swap);
}

fn mistreat(how: fn(&Connection, &mut Chance) -> Connection) {
    for (name, recording) in all() {
        let parts = connections(&recording);
        let end = End::of(&play(&parts));
        for seed in 0..4 {
            let mut chance = Chance::new(seed);
            let life = play(&parts.iter().map(|part| how(part, &mut chance)).collect::<Vec<_>>());
            check(&life).unwrap_or_else(|why| panic!("{name}, seed {seed}: {why}"));
            assert_eq!(end, End::of(&life), "{name}, seed {seed}");
        }
    }
}
