//! The AMI session against an Asterisk that may do anything, in any order: what must hold is checked after every step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cordboard_switches::asterisk::actions::Action;
use cordboard_switches::asterisk::session::{Output, Phase, Session};
use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
use cordboard_switches::asterisk::snapshot::{SnapshotPart, Tagged};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Connected,
    ConnectFailed,
    Closed,
    Banner,
    /// Answers the oldest action that is not answered, in this way.
    Answer(Answer),
    LiveEvent,
    Booted,
    Shutdown,
    Garbage(Vec<u8>),
    Resync,
    SendAction,
    Stop,
    Start,
    /// Waits until the next timeout.
    Timeout,
    /// Waits, but not until the next timeout.
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Success,
    Error,
    ListStart,
    ListItem,
    ListEnd,
    Never,
}

fn step() -> impl Strategy<Value = Step> {
    let answer = prop_oneof![
        4 => Just(Answer::Success),
        1 => Just(Answer::Error),
        3 => Just(Answer::ListStart),
        3 => Just(Answer::ListItem),
        3 => Just(Answer::ListEnd),
        1 => Just(Answer::Never),
    ];
    prop_oneof![
        6 => Just(Step::Connected),
        1 => Just(Step::ConnectFailed),
        1 => Just(Step::Closed),
        6 => Just(Step::Banner),
        30 => answer.prop_map(Step::Answer),
        6 => Just(Step::LiveEvent),
        3 => Just(Step::Booted),
        1 => Just(Step::Shutdown),
        1 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(Step::Garbage),
        2 => Just(Step::Resync),
        2 => Just(Step::SendAction),
        1 => Just(Step::Stop),
        2 => Just(Step::Start),
        4 => Just(Step::Timeout),
        2 => (0_u64..3_000_000).prop_map(Step::Wait),
    ]
}

/// The world around the session, and what it has seen.
struct World {
    session: Session,
    now_us: u64,
    connected: bool,
    /// Actions received and not answered, with their ids.
    asked: VecDeque<(String, String)>,
    parts: BTreeSet<SnapshotPart>,
    running: Option<BTreeSet<SnapshotPart>>,
    events_sent: u64,
    events_told: u64,
    /// Our actions, and how often their end was told.
    actions: BTreeMap<String, u32>,
}

impl World {
    fn new(parts: Vec<SnapshotPart>) -> World {
        let mut config = SessionConfig::new("cti", Secret::new("wet-paint"));
        config.parts = parts.clone();
        config.snapshot_in_flight_max = 3;
        World {
            session: Session::new(config, "me", 1),
            now_us: 0,
            connected: false,
            asked: VecDeque::new(),
            parts: parts.into_iter().collect(),
            running: None,
            events_sent: 0,
            events_told: 0,
            actions: BTreeMap::new(),
        }
    }

    fn play(&mut self, step: &Step) {
        let now_us = self.now_us;
        match step {
            Step::Connected if self.session.phase() == Phase::Connecting => {
                self.connected = true;
                self.session.handle_connected(now_us);
            }
            Step::Connected => self.session.handle_connected(now_us),
            Step::ConnectFailed => self.session.handle_connect_failed(now_us),
            Step::Closed => self.session.handle_closed(now_us),
            Step::Banner => self.receive("Asterisk Call Manager/5.0.1\r\n"),
            Step::Answer(answer) => self.answer(*answer),
            Step::LiveEvent if self.connected => {
                self.events_sent += 1;
                let number = self.events_sent;
                self.receive(&format!("Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: {number}\r\n\r\n"));
            }
            Step::LiveEvent => {}
            Step::Booted => self.receive("Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"),
            Step::Shutdown => self.receive("Event: Shutdown\r\nPrivilege: system,all\r\n\r\n"),
            Step::Garbage(bytes) => {
                self.session.handle_bytes(now_us, bytes);
                self.receive("\r\n\r\n");
            }
            Step::Resync => self.session.request_resync(now_us),
            Step::SendAction => {
                if let Ok(action_id) = self.session.send_action(now_us, &Action::new("QueueSummary")) {
                    assert!(self.connected);
                    assert_eq!(self.actions.insert(action_id, 0), None, "an ActionID is used again");
                }
            }
            Step::Stop => self.session.stop(now_us),
            Step::Start => self.session.start(now_us),
            Step::Timeout => {
                if let Some((due_us, _)) = self.session.poll_timeout() {
                    self.advance(due_us.max(now_us));
                }
            }
            Step::Wait(us) => self.advance(now_us + us),
        }
        self.drain();
    }

    fn advance(&mut self, to_us: u64) {
        self.now_us = to_us;
        self.session.handle_timeout(to_us);
        if let Some((due_us, reason)) = self.session.poll_timeout() {
            assert!(due_us > to_us, "{reason:?} is due at {due_us} and still is at {to_us}");
        }
    }

    fn receive(&mut self, text: &str) {
        self.session.handle_bytes(self.now_us, text.as_bytes());
    }

    fn answer(&mut self, answer: Answer) {
        let Some((action, id)) = self.asked.front().cloned() else { return };
        let text = match answer {
            Answer::Success => format!("Response: Success\r\nActionID: {id}\r\nChallenge: 1\r\n\r\n"),
            Answer::Error => format!("Response: Error\r\nActionID: {id}\r\nMessage: Permission denied\r\n\r\n"),
            Answer::ListStart => format!("Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n"),
            Answer::ListItem => {
                format!("Event: BridgeListItem\r\nActionID: {id}\r\nBridgeUniqueid: {}\r\n\r\n", self.now_us)
            }
            Answer::ListEnd => format!("Event: {action}Complete\r\nActionID: {id}\r\nEventList: Complete\r\n\r\n"),
            Answer::Never => String::new(),
        };
        if !matches!(answer, Answer::ListStart | Answer::ListItem) {
            self.asked.pop_front();
        }
        self.receive(&text);
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect => assert!(!self.connected, "connects twice"),
                Output::Send(bytes) => self.take_action(&bytes),
                Output::Deliver(tagged) => self.take_tagged(tagged),
                Output::Close(_) => {
                    self.connected = false;
                    self.asked.clear();
                    // What was sent while nobody was logged in is told to nobody.
                    self.events_told = self.events_sent;
                }
                Output::Phase(Phase::Idle | Phase::BackingOff { .. }) => {
                    assert!(!self.connected && self.running.is_none(), "a snapshot outlives its connection");
                    assert!(self.actions.values().all(|ends| *ends == 1), "an action has no end: {:?}", self.actions);
                }
                Output::Phase(_) => {}
            }
        }
    }

    fn take_action(&mut self, bytes: &[u8]) {
        assert!(self.connected, "sends without a connection");
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut values = text.lines().filter_map(|line| line.split_once(": ")).map(|(_, value)| value.to_owned());
        let (action, id) = values.next().zip(values.next()).unwrap();
        self.asked.push_back((action, id));
    }

    fn take_tagged(&mut self, tagged: Tagged) {
        match tagged {
            Tagged::Live(message) => {
                if let Some(number) = message.get("Uniqueid") {
                    self.events_told += 1;
                    assert_eq!(number, self.events_told.to_string(), "an event is lost or out of order");
                }
            }
            Tagged::SnapshotStarted => assert_eq!(self.running.replace(BTreeSet::new()), None, "two at once"),
            Tagged::Snapshot { part, .. } => {
                assert!(
                    self.running.as_ref().is_some_and(|done| !done.contains(&part)),
                    "{part:?} goes on after its end"
                );
            }
            Tagged::SnapshotDone { part, .. } => {
                assert!(self.running.as_mut().is_some_and(|done| done.insert(part)), "{part:?} is done twice");
            }
            Tagged::SnapshotComplete => assert_eq!(self.running.take().as_ref(), Some(&self.parts)),
            Tagged::SnapshotAborted => assert!(self.running.take().is_some_and(|done| done != self.parts)),
            Tagged::Answer { action_id, message } => {
                let ends = self.actions.get_mut(&action_id.unwrap()).unwrap();
                *ends += u32::from(message.get("EventList") == Some("Complete") || message.get("EventList").is_none());
                // A list's items have no `EventList` either.
                *ends -= u32::from(message.event() == Some("BridgeListItem"));
                assert!(*ends <= 1);
            }
            Tagged::Unanswered { action_id } => {
                let ends = self.actions.get_mut(&action_id).unwrap();
                *ends += 1;
                assert_eq!(*ends, 1, "{action_id} ends twice");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_asterisk_does_the_promises_hold(
        parts in proptest::sample::subsequence(SnapshotPart::ALL.to_vec(), 0..SnapshotPart::ALL.len()),
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut world = World::new(parts);
        world.play(&Step::Start);
        for step in &steps {
            world.play(step);
        }
        world.play(&Step::Stop);
        world.play(&Step::Closed);
        prop_assert_eq!(world.session.phase(), Phase::Idle);
    }

    #[test]
    fn an_asterisk_that_answers_leads_to_a_complete_snapshot(
        parts in proptest::sample::subsequence(SnapshotPart::ALL.to_vec(), 0..SnapshotPart::ALL.len()),
        refused in any::<u32>(),
    ) {
        let mut world = World::new(parts);
        for step in [Step::Start, Step::Connected, Step::Banner] {
            world.play(&step);
        }
        world.play(&Step::Answer(Answer::Success));
        world.play(&Step::Answer(Answer::Success));
        world.play(&Step::Booted);
        for number in 0..200 {
            world.play(&Step::LiveEvent);
            if refused >> (number % 32) & 1 == 1 {
                world.play(&Step::Answer(Answer::Error));
            } else {
                for answer in [Answer::ListStart, Answer::ListItem, Answer::ListEnd] {
                    world.play(&Step::Answer(answer));
                }
            }
        }
        prop_assert_eq!(world.session.phase(), Phase::Live);
        prop_assert_eq!(world.session.stats().snapshots, 1);
        prop_assert_eq!(world.events_told, 200);
    }
}
