//! Recorded sessions are tagged as live ones are.

use std::collections::BTreeMap;

use cordboard_switches::asterisk::ami::Message;
use cordboard_switches::asterisk::recorded::{Recorded, SentActions};
use cordboard_switches::asterisk::snapshot::{SnapshotPart, Tagged};

use crate::recordings::{self, Connection};

fn tag_all(connection: &Connection, mut recorded: Recorded) -> Vec<Tagged> {
    let mut out = Vec::new();
    for line in connection.messages.iter().filter(|line| line.banner.is_none()) {
        let headers = line.headers.iter().filter(|(name, _)| !name.is_empty()).cloned();
        recorded.tag(line.at_ms, Message::from_headers(headers), &mut out);
    }
    recorded.finish(&mut out);
    out
}

fn with_actions(connection: &Connection) -> Vec<Tagged> {
    tag_all(connection, Recorded::with_actions(connection.sent.clone()))
}

/// The tags without the messages, repeated ones counted.
fn outline(tagged: &[Tagged]) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for tagged in tagged {
        let line = match tagged {
            Tagged::Live(_) => "live".to_owned(),
            Tagged::SnapshotStarted => "started".to_owned(),
            Tagged::Snapshot { part, subject: None, .. } => format!("{part:?}"),
            Tagged::Snapshot { part, subject: Some(subject), .. } => format!("{part:?} {subject}"),
            Tagged::SnapshotDone { part, known } => format!("{part:?} done, known: {known}"),
            Tagged::SnapshotComplete => "complete".to_owned(),
            Tagged::SnapshotAborted => "aborted".to_owned(),
            Tagged::Answer { .. } => "answer".to_owned(),
            Tagged::Unanswered { .. } => "unanswered".to_owned(),
        };
        match lines.last_mut() {
            Some((last, count)) if *last == line => *count += 1,
            Some(_) | None => lines.push((line, 1)),
        }
    }
    lines.into_iter().map(|(line, count)| if count > 1 { format!("{line} x{count}") } else { line }).collect()
}

fn find(name: &str) -> Connection {
    recordings::kept_here().into_iter().find(|connection| connection.name == name).unwrap()
}

#[test]
fn the_snapshot_of_a_recording_is_told_part_by_part() {
    let connection = find("75-nonascii-and-odd-variables/ami.raw");
    let outline = outline(&with_actions(&connection));
    #[rustfmt::skip]
    let expected = [
        "answer", "live x2", "started",
        "CoreSettings", "CoreSettings done, known: true",
        "CoreStatus", "CoreStatus done, known: true",
        "Channels x2", "Channels done, known: true",
        "Status x2", "Status done, known: true",
        "Bridges x2", "Bridges done, known: true",
        "Queues x10", "Queues done, known: true",
        // QueueSummary is no question of ours.
        "answer x7",
        "DeviceStates x26", "DeviceStates done, known: true",
        "ExtensionStates x8", "ExtensionStates done, known: true",
        "Endpoints x10", "Endpoints done, known: true",
        "Contacts x8", "Contacts done, known: true",
        "ParkedCalls x2", "ParkedCalls done, known: true",
        "Conferences done, known: true",
        "Agents x4", "Agents done, known: true",
        "complete",
    ];
    assert_eq!(outline[..expected.len()], expected);
    assert!(!outline[expected.len()..].iter().any(|line| line.contains("done") || line == "started"), "{outline:?}");
}

#[test]
fn odd_answers_are_not_taken_for_a_snapshot() {
    let connection = find("82-ami-protocol-variants/ami.raw");
    let tagged = with_actions(&connection);
    let outline = outline(&tagged);
    // Status of one channel, QueueStatus of one queue are less than the whole and so plain answers; the QueueStatus
    // without ActionID is told by its shape.
    assert!(outline.contains(&"Queues x10".to_owned()), "{outline:?}");
    assert!(outline.contains(&"Mailboxes 1001@default".to_owned()), "{outline:?}");
    assert!(outline.contains(&"QueueConfig queues.conf".to_owned()), "{outline:?}");
    assert!(!outline.iter().any(|line| line.starts_with("Status")), "{outline:?}");
    let user_events =
        tagged.iter().filter(|it| matches!(it, Tagged::Live(message) if message.event() == Some("UserEvent")));
    assert_eq!(user_events.count(), 1);
}

#[test]
fn every_message_is_tagged_once_and_in_order() {
    for connection in recordings::connections() {
        for tagged in [with_actions(&connection), tag_all(&connection, Recorded::new())] {
            let told = tagged.iter().filter_map(|tagged| match tagged {
                Tagged::Live(message) | Tagged::Snapshot { message, .. } | Tagged::Answer { message, .. } => {
                    Some(message)
                }
                Tagged::SnapshotStarted
                | Tagged::SnapshotDone { .. }
                | Tagged::SnapshotComplete
                | Tagged::SnapshotAborted
                | Tagged::Unanswered { .. } => None,
            });
            let mut all =
                connection.messages.iter().filter(|line| line.banner.is_none()).map(|line| {
                    Message::from_headers(line.headers.iter().filter(|(name, _)| !name.is_empty()).cloned())
                });
            // Refusals of a question are told by their SnapshotDone alone.
            for message in told {
                assert!(all.any(|other| other == *message), "{}: {message:?} is not in order", connection.name);
            }
        }
    }
}

#[test]
fn a_live_event_is_never_taken_for_a_list_item_nor_the_other_way_round() {
    for connection in recordings::connections() {
        for tagged in [with_actions(&connection), tag_all(&connection, Recorded::new())] {
            for tagged in tagged {
                match tagged {
                    Tagged::Live(message) => {
                        assert!(message.get("Privilege").is_some(), "{}: {message:?}", connection.name);
                    }
                    Tagged::Snapshot { message, part, .. } if message.is_event() && part != SnapshotPart::Status => {
                        assert!(message.get("Privilege").is_none(), "{}: {message:?}", connection.name);
                    }
                    Tagged::Snapshot { .. }
                    | Tagged::SnapshotStarted
                    | Tagged::SnapshotDone { .. }
                    | Tagged::SnapshotComplete
                    | Tagged::SnapshotAborted
                    | Tagged::Answer { .. }
                    | Tagged::Unanswered { .. } => {}
                }
            }
        }
    }
}

#[test]
fn without_the_actions_the_same_is_guessed() {
    let told = |tagged: &[Tagged]| {
        let mut items: BTreeMap<SnapshotPart, usize> = BTreeMap::new();
        let mut done = Vec::new();
        for tagged in tagged {
            match tagged {
                Tagged::Snapshot { part, message, .. } if message.is_event() => *items.entry(*part).or_default() += 1,
                Tagged::SnapshotDone { part, known } => done.push((*part, *known)),
                Tagged::SnapshotComplete => break,
                Tagged::Snapshot { .. }
                | Tagged::Live(_)
                | Tagged::SnapshotStarted
                | Tagged::SnapshotAborted
                | Tagged::Answer { .. }
                | Tagged::Unanswered { .. } => {}
            }
        }
        (items, done)
    };
    let connection = find("75-nonascii-and-odd-variables/ami.raw");
    let guessed = tag_all(&connection, Recorded::new());
    assert_eq!(told(&guessed), told(&with_actions(&connection)));
    assert!(guessed.contains(&Tagged::SnapshotComplete));
}

fn message(text: &str) -> Message {
    Message::from_headers(text.split(" | ").map(|header| header.split_once(": ").unwrap()))
}

#[test]
fn a_recording_that_breaks_off_in_its_snapshot_aborts_it() {
    let mut sent = SentActions::new();
    sent.push_raw(0, "Action: Login\r\nActionID: 1\r\n\r\nAction: Sta");
    sent.push_raw(1, "tus\r\nActionID: 2\r\n\r\nAction: BridgeList\nActionID: 3\n\n");
    let mut recorded = Recorded::with_actions(sent);
    let mut out = Vec::new();
    for text in
        ["Response: Success | ActionID: 2 | EventList: start", "Event: Status | ActionID: 2 | Privilege: call,all"]
    {
        recorded.tag(2, message(text), &mut out);
    }
    recorded.finish(&mut out);
    assert_eq!(outline(&out), ["started", "Status x2", "aborted"]);
}

#[test]
fn a_refused_question_is_not_known() {
    let mut sent = SentActions::new();
    sent.push_headers(0, [("Action", "CoreShowChannels"), ("ActionID", "1")]);
    let mut recorded = Recorded::with_actions(sent);
    let mut out = Vec::new();
    recorded.tag(1, message("Response: Error | ActionID: 1 | Message: Permission denied"), &mut out);
    recorded.finish(&mut out);
    assert_eq!(outline(&out), ["started", "Channels done, known: false", "complete"]);
}

#[test]
fn a_question_after_a_pause_stands_for_itself() {
    let texts = [
        (0, "Response: Success | ActionID: 1 | CoreStartupTime: 11:53:52"),
        (5_000, "Response: Success | ActionID: 2 | AsteriskVersion: 22"),
    ];
    let mut sent = SentActions::new();
    sent.push_headers(0, [("Action", "CoreStatus"), ("ActionID", "1")]);
    sent.push_headers(5_000, [("Action", "CoreSettings"), ("ActionID", "2")]);
    for mut recorded in [Recorded::with_actions(sent), Recorded::new()] {
        let mut out = Vec::new();
        for (at_ms, text) in texts {
            recorded.tag(at_ms, message(text), &mut out);
        }
        recorded.finish(&mut out);
        let expected = [
            "started",
            "CoreStatus",
            "CoreStatus done, known: true",
            "complete",
            "CoreSettings",
            "CoreSettings done, known: true",
        ];
        assert_eq!(outline(&out), expected);
    }
}

#[test]
fn a_user_event_with_the_id_of_an_open_list_is_live() {
    let mut sent = SentActions::new();
    sent.push_headers(0, [("Action", "QueueStatus"), ("ActionID", "1")]);
    let mut recorded = Recorded::with_actions(sent);
    let mut out = Vec::new();
    for text in [
        "Response: Success | ActionID: 1 | EventList: start",
        "Event: UserEvent | Privilege: user,all | UserEvent: Trick | ActionID: 1",
        "Event: QueueStatusComplete | ActionID: 1 | EventList: Complete",
    ] {
        recorded.tag(1, message(text), &mut out);
    }
    assert_eq!(outline(&out), ["started", "Queues", "live", "Queues", "Queues done, known: true", "complete"]);
}
