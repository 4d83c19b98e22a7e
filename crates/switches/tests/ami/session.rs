//! The AMI session played from transcripts: `tests/transcripts/ami/*.txt`.
//!
//! A line of a transcript is one of
//!
//! ```text
//! # a comment
//! = name value            a setting of the session, before it starts
//! @ 1500                  the time becomes 1500 ms; timeouts due until then happen at their own time
//! * connected             a call of the session: start stop connected failed closed resync, or `action <headers>`
//! < Event: X | A: b       received; ` | ` stands between headers, the empty line at the end is added
//! <raw text               received as it stands, with `\r` and `\n` for CR and LF
//! ! ...                   the session's own words for all this, written by the test
//! > Action: X | A: b      ... and what it sent
//! ```
//!
//! `UPDATE=1 cargo test` writes the answers anew; read the diff.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cordboard_switches::asterisk::actions::Action;
use cordboard_switches::asterisk::session::{Output, Phase, SendError, Session};
use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
use cordboard_switches::asterisk::snapshot::{SnapshotPart, Tagged};

const SECRET: &str = "wet-paint";

struct Player {
    session: Option<Session>,
    config: SessionConfig,
    now_us: u64,
    out: String,
}

impl Player {
    fn new() -> Player {
        let mut config = SessionConfig::new("cti", Secret::new(SECRET));
        config.filters.clear();
        config.parts = vec![SnapshotPart::CoreStatus, SnapshotPart::Queues];
        Player { session: None, config, now_us: 0, out: String::new() }
    }

    fn play(mut self, script: &str) -> String {
        for line in script.lines() {
            // What the session said before is said anew.
            if line.starts_with(['!', '>']) {
                continue;
            }
            self.out += line;
            self.out.push('\n');
            let (kind, rest) = line.split_at(line.len().min(1));
            match kind {
                "" | "#" => {}
                "=" => self.set(rest.trim()),
                "@" => self.advance(rest.trim().parse().unwrap()),
                "*" => self.call(rest.trim()),
                "<" => self.receive(rest),
                _ => panic!("a line of a transcript must not begin with {kind:?}: {line}"),
            }
            self.drain();
        }
        self.out
    }

    fn set(&mut self, setting: &str) {
        let (name, value) = setting.split_once(' ').unwrap_or((setting, ""));
        let number = || value.parse().unwrap();
        match name {
            "plain_login_allowed" => self.config.plain_login_allowed = value == "true",
            "parts" => self.config.parts = value.split(' ').map(part).collect(),
            "filter" => self.config.filters.push(value.to_owned()),
            "mailbox" => self.config.mailboxes.push(value.to_owned()),
            "username" => self.config.username = value.replace("\\n", "\n"),
            "heartbeat_ms" => self.config.heartbeat_ms = number(),
            "silence_ms_max" => self.config.silence_ms_max = number(),
            "line_bytes_max" => self.config.codec.line_bytes_max = value.parse().unwrap(),
            "reconcile_ms" => self.config.reconcile_ms = number(),
            "snapshot_in_flight_max" => self.config.snapshot_in_flight_max = value.parse().unwrap(),
            "snapshot_subjects_max" => self.config.snapshot_subjects_max = value.parse().unwrap(),
            "snapshot_ms_max" => self.config.snapshot_ms_max = number(),
            "actions_open_max" => self.config.actions_open_max = value.parse().unwrap(),
            _ => panic!("no such setting: {setting}"),
        }
    }

    fn session(&mut self) -> &mut Session {
        let config = &self.config;
        self.session.get_or_insert_with(|| Session::new(config.clone(), "me", 1))
    }

    fn advance(&mut self, to_ms: u64) {
        let to_us = to_ms * 1_000;
        assert!(to_us >= self.now_us, "time runs backwards at {to_ms}");
        for _ in 0..1_000 {
            match self.session().poll_timeout() {
                Some((due_us, reason)) if due_us <= to_us => {
                    assert!(due_us >= self.now_us, "a timeout lies in the past: {reason:?}");
                    self.now_us = due_us;
                    writeln!(self.out, "! {} ms: {reason:?} is due", show_ms(due_us)).unwrap();
                    self.session().handle_timeout(due_us);
                    self.drain();
                }
                Some(_) | None => {
                    self.now_us = to_us;
                    return;
                }
            }
        }
        panic!("timeouts without end");
    }

    fn call(&mut self, call: &str) {
        let now_us = self.now_us;
        let (name, headers) = call.split_once(' ').unwrap_or((call, ""));
        match name {
            "start" => self.session().start(now_us),
            "stop" => self.session().stop(now_us),
            "connected" => self.session().handle_connected(now_us),
            "failed" => self.session().handle_connect_failed(now_us),
            "closed" => self.session().handle_closed(now_us),
            "resync" => self.session().request_resync(now_us),
            "stats" => {
                let stats = self.session().stats();
                writeln!(self.out, "! {stats:?}").unwrap();
            }
            "action" => {
                let mut headers = headers.split(" | ").map(|header| header.split_once(": ").unwrap());
                let (_, name) = headers.next().unwrap();
                let action = headers.fold(Action::new(name), |action, (name, value)| action.header(name, value));
                let told = match self.session().send_action(now_us, &action) {
                    Ok(action_id) => format!("! action {action_id}\n"),
                    Err(error) => format!("! error: {error}\n"),
                };
                self.out += &told;
            }
            _ => panic!("no such call: {call}"),
        }
    }

    fn receive(&mut self, text: &str) {
        let bytes = match text.strip_prefix(' ') {
            Some(banner) if banner.starts_with("Asterisk Call Manager") => format!("{banner}\r\n"),
            Some(headers) => format!("{}\r\n\r\n", headers.replace(" | ", "\r\n")),
            None => text.replace("\\r", "\r").replace("\\n", "\n"),
        };
        let now_us = self.now_us;
        self.session().handle_bytes(now_us, bytes.as_bytes());
    }

    fn drain(&mut self) {
        let Some(session) = &mut self.session else { return };
        while let Some(output) = session.poll_output() {
            let shown = format!("{output:?}");
            assert!(!shown.contains(SECRET), "a secret is printed: {shown}");
            let told = match output {
                Output::Connect => "! connect".to_owned(),
                Output::Send(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    let text = text.strip_suffix("\r\n\r\n").unwrap().replace("\r\n", " | ");
                    format!("> {text}")
                }
                Output::Deliver(tagged) => format!("! {}", show(&tagged)),
                Output::Phase(Phase::BackingOff { until_us, attempt, why }) => {
                    let pause_us = until_us - self.now_us;
                    format!("! phase BackingOff, attempt {attempt}, for {} ms: {why:?}", show_ms(pause_us))
                }
                Output::Phase(phase) => format!("! phase {phase:?}"),
                Output::Close(reason) => format!("! close: {reason}"),
            };
            self.out += &told;
            self.out.push('\n');
        }
    }
}

fn show_ms(us: u64) -> String {
    format!("{}.{:03}", us / 1_000, us % 1_000)
}

fn show(tagged: &Tagged) -> String {
    match tagged {
        Tagged::Live(message) => format!("live {}", message.event().unwrap()),
        Tagged::SnapshotStarted => "snapshot started".to_owned(),
        Tagged::Snapshot { part, subject, message } => {
            let kind = message.event().or(message.response()).unwrap();
            let subject = subject.as_deref().map(|subject| format!(" of {subject}")).unwrap_or_default();
            format!("snapshot {part:?}{subject}: {kind}")
        }
        Tagged::SnapshotDone { part, known: true } => format!("snapshot {part:?} done"),
        Tagged::SnapshotDone { part, known: false } => format!("snapshot {part:?} NOT KNOWN"),
        Tagged::SnapshotComplete => "snapshot complete".to_owned(),
        Tagged::SnapshotAborted => "snapshot ABORTED".to_owned(),
        Tagged::Answer { action_id, message } => {
            let kind = message.event().or(message.response()).unwrap();
            format!("answer to {}: {kind}", action_id.as_deref().unwrap_or("nobody"))
        }
        Tagged::Unanswered { action_id } => format!("UNANSWERED {action_id}"),
    }
}

fn part(name: &str) -> SnapshotPart {
    SnapshotPart::ALL.into_iter().find(|part| format!("{part:?}") == name).unwrap()
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/ami");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_session_says_what_the_transcripts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let paths = transcripts();
    assert!(paths.len() >= 12, "transcripts are missing");
    for path in paths {
        let expected = std::fs::read_to_string(&path).unwrap();
        let actual = Player::new().play(&expected);
        if actual == expected {
            continue;
        }
        if update {
            std::fs::write(&path, actual).unwrap();
        } else {
            let differs = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
            let at = differs.unwrap_or(expected.lines().count().min(actual.lines().count()));
            let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
            wrong.push(format!(
                "{}:{}\n  expected {}\n  actual   {}",
                path.display(),
                at + 1,
                line(&expected),
                line(&actual)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 cargo test writes them anew", wrong.join("\n"));
}

#[test]
fn the_answers_do_not_depend_on_how_the_bytes_are_chopped() {
    let received = concat!(
        "Asterisk Call Manager/5.0.1\r\n",
        "Response: Success\r\nActionID: me-c1\r\nChallenge: 864575423\r\n\r\n",
        "Response: Success\r\nActionID: me-c2\r\nMessage: Authentication accepted\r\n\r\n",
        "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n",
        "Response: Success\r\nActionID: me-s3\r\nCoreStartupTime: 11:53:52\r\n\r\n",
        "Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1.1\r\n\r\n",
        "Response: Success\r\nActionID: me-s4\r\nEventList: start\r\n\r\n",
        "Event: QueueStatusComplete\r\nActionID: me-s4\r\nEventList: Complete\r\nListItems: 0\r\n\r\n",
    );
    let play = |size: usize| {
        let mut config = SessionConfig::new("cti", Secret::new(SECRET));
        config.filters.clear();
        config.parts = vec![SnapshotPart::CoreStatus, SnapshotPart::Queues];
        let mut session = Session::new(config, "me", 1);
        session.start(0);
        session.handle_connected(0);
        for piece in received.as_bytes().chunks(size) {
            session.handle_bytes(1_000, piece);
        }
        assert_eq!(session.phase(), Phase::Live);
        std::iter::from_fn(|| session.poll_output()).collect::<Vec<_>>()
    };
    let whole = play(usize::MAX);
    for size in [1, 2, 3, 7, 100] {
        assert_eq!(play(size), whole, "in pieces of {size} bytes");
    }
}

#[test]
fn nothing_prints_the_secret() {
    let mut config = SessionConfig::new("cti", Secret::new(SECRET));
    config.plain_login_allowed = true;
    let mut session = Session::new(config.clone(), "me", 1);
    session.start(0);
    session.handle_connected(0);
    session.handle_bytes(0, b"Asterisk Call Manager/5.0.1\r\nResponse: Error\r\nActionID: me-c1\r\n\r\n");
    assert_eq!(session.phase(), Phase::Login);
    let outputs: Vec<Output> = std::iter::from_fn(|| session.poll_output()).collect();
    let sends_it =
        |output: &Output| matches!(output, Output::Send(bytes) if String::from_utf8_lossy(bytes).contains(SECRET));
    assert!(outputs.iter().any(sends_it));
    for shown in [format!("{config:?}"), format!("{session:?}"), format!("{outputs:?}"), format!("{outputs:#?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// The challenge and the key of a login that a real Asterisk accepted (recording 82; the lab's secret was `lab`).
#[test]
fn the_key_is_the_one_a_real_asterisk_accepts() {
    let mut session = Session::new(SessionConfig::new("admin", Secret::new("lab")), "me", 1);
    session.start(0);
    session.handle_connected(0);
    session.handle_bytes(0, b"Asterisk Call Manager/13.0.0\r\n");
    session.handle_bytes(0, b"Response: Success\r\nActionID: me-c1\r\nChallenge: 864575423\r\n\r\n");
    let outputs: Vec<Output> = std::iter::from_fn(|| session.poll_output()).collect();
    let holds_key = |output: &Output| {
        matches!(output, Output::Send(bytes)
            if String::from_utf8_lossy(bytes).contains("\r\nKey: 8d1b3b00961aa761131e59a05f05afe1\r\n"))
    };
    assert!(outputs.iter().any(holds_key), "{outputs:?}");
}

#[test]
fn an_action_is_refused_before_the_login() {
    let mut session = Session::new(SessionConfig::new("cti", Secret::new(SECRET)), "me", 1);
    assert_eq!(session.send_action(0, &Action::new("Ping")), Err(SendError::NotLoggedIn));
}
