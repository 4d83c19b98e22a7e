//! Orders, their answers and the events they cause in any order, lost and repeated: each order is answered once.

use std::collections::BTreeMap;

use cordboard_core::{Seen, Time};
use cordboard_switches::asterisk::{Asterisk, OrderSettings, PictureSettings};
use cordboard_switches::{Output, Switch};
use proptest::prelude::*;

use crate::orders::{a_call, live, order};

/// Orders that end when Asterisk answers, whatever is seen. `N` stands for the request.
const ORDERS: [&str; 12] = [
    r#"N 1001 {"release":{"call":"1"}} call=1.1/1.2"#,
    r#"N 1001 {"clear":{"call":"1"}} call=1.1/1.2"#,
    r#"N 1001 {"make_call":{"to":"1002","user_data":{}}}"#,
    r#"N 1001 {"single_step":{"call":"1","to":"1003","purpose":"transfer","user_data":{"A":"b"}}} call=1.1/1.2"#,
    r#"N 1001 {"park":{"call":"1","space":null}} call=1.1/1.2"#,
    r#"N 1001 {"tones":{"call":"1","digits":"123"}} call=1.1/1.2"#,
    r#"N 1001 {"record":{"call":"1","on":true,"file":null}} call=1.1/1.2"#,
    r#"N 1001 {"mute":{"call":"1","on":true}} call=1.1/1.2"#,
    r#"N 1001 {"not_ready":{"queue":null,"mode":"unknown","reasons":{"a":"b"}}} agent=1001"#,
    r#"N 1001 {"login":{"agent":"1001","queue":"sales","mode":"aux_work","reasons":{},"wrapup_s":null}}"#,
    r#"N 1004 {"supervise":{"target":"1001","mode":"listen"}}"#,
    r#"N 1001 {"forward":{"mode":"on_busy","to":null}}"#,
];

/// What can happen because of them, or for any other reason.
const EVENTS: [&str; 8] = [
    "Event: Hangup | Privilege: call,all | Channel: PJSIP/1001-12 | Uniqueid: 1.2 | Cause: 16",
    "Event: Hangup | Privilege: call,all | Channel: PJSIP/trunk-11 | Uniqueid: 1.1 | Cause: 16",
    "Event: BlindTransfer | Privilege: call,all | Result: Success | TransfererUniqueid: 1.2 | TransfereeUniqueid: 1.1 | Extension: 1003",
    "Event: ParkedCall | Privilege: call,all | ParkeeUniqueid: 1.1 | ParkerDialString: PJSIP/1001 | ParkingSpace: 701",
    "Event: MixMonitorStart | Privilege: call,all | Channel: PJSIP/1001-12 | Uniqueid: 1.2",
    "Event: QueueMemberPause | Privilege: agent,all | Queue: support | Interface: PJSIP/1001 | StateInterface: PJSIP/1001 | Paused: 1 | PausedReason: b",
    "Event: QueueMemberAdded | Privilege: agent,all | Queue: sales | Interface: PJSIP/1001 | StateInterface: PJSIP/1001 | Paused: 1",
    "Event: ChanSpyStart | Privilege: call,all | SpyerChannel: PJSIP/1004-3 | SpyerUniqueid: 3 | SpyeeChannel: PJSIP/1001-12 | SpyeeUniqueid: 1.2",
];

#[derive(Debug, Clone)]
enum Step {
    Order(usize),
    /// The answer to one of the actions sent so far, which may have been answered before.
    Answer(usize, bool),
    /// What became of a call that was asked for.
    Originated(usize, bool),
    Event(usize),
    Wait(u64),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..ORDERS.len()).prop_map(Step::Order),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(which, well)| Step::Answer(which, well)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, well)| Step::Originated(which, well)),
        4 => (0..EVENTS.len()).prop_map(Step::Event),
        2 => (0u64..4_000).prop_map(Step::Wait),
        1 => Just(Step::Close),
    ]
}

struct Played {
    asterisk: Asterisk,
    now: Time,
    ids: Vec<String>,
    /// How often each request was answered; what names one that is not open is an error.
    answers: BTreeMap<u64, usize>,
}

impl Played {
    fn new() -> Self {
        let asterisk = live(PictureSettings::default(), OrderSettings::default());
        let mut played = Self { asterisk, now: Time(1_000_000), ids: Vec::new(), answers: BTreeMap::new() };
        for event in a_call(("trunk", "1.1"), ("1001", "1.2"), true) {
            played.receive(&event);
        }
        let member = "Queue: support | Interface: PJSIP/1001 | StateInterface: PJSIP/1001 | Paused: 0";
        played.receive(&format!("Event: QueueMemberAdded | Privilege: agent,all | {member}"));
        played
    }

    fn receive(&mut self, text: &str) {
        let bytes = format!("{}\r\n\r\n", text.replace(" | ", "\r\n"));
        self.asterisk.handle_bytes(self.now, bytes.as_bytes());
        self.drain();
    }

    fn step(&mut self, step: &Step) {
        let id = |which: usize| self.ids.get(which % self.ids.len().max(1)).cloned();
        match step {
            Step::Order(which) => {
                let request = self.answers.len() as u64 + 1;
                self.answers.insert(request, 0);
                let order = order(&ORDERS[*which].replacen('N', &request.to_string(), 1));
                self.asterisk.handle_order(self.now, &order);
            }
            Step::Answer(which, well) => {
                if let Some(id) = id(*which) {
                    let response = if *well { "Success" } else { "Error" };
                    self.receive(&format!("Response: {response} | ActionID: {id} | Message: so"));
                }
            }
            Step::Originated(which, well) => {
                if let Some(id) = id(*which) {
                    let response = if *well { "Success" } else { "Failure" };
                    self.receive(&format!(
                        "Event: OriginateResponse | Privilege: call,all | ActionID: {id} | Response: {response} | Channel: PJSIP/1001 | Reason: 3"
                    ));
                }
            }
            Step::Event(which) => self.receive(EVENTS[*which]),
            Step::Wait(ms) => self.wait(*ms),
            Step::Close => self.asterisk.handle_closed(self.now, "lost"),
        }
        self.drain();
    }

    fn wait(&mut self, ms: u64) {
        let to = self.now.plus_ms(ms);
        for timeouts in 0.. {
            let Some(due) = self.asterisk.poll_timeout().filter(|due| *due <= to) else { break };
            assert!(timeouts < 1_000, "timeouts without end");
            self.now = self.now.max(due);
            self.asterisk.handle_timeout(self.now);
            self.drain();
        }
        self.now = to;
    }

    fn drain(&mut self) {
        while let Some(output) = self.asterisk.poll_output() {
            match output {
                Output::Send(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    let id = text.lines().find_map(|line| line.strip_prefix("ActionID: "));
                    self.ids.extend(id.map(str::to_owned));
                }
                Output::Observed(observation) => {
                    if let Some(request) = observation.request {
                        assert_eq!(
                            self.answers.get(&request.0),
                            Some(&0),
                            "{request:?} is not open: {:?}",
                            observation.seen
                        );
                    }
                    if let Seen::Request { request, .. } = observation.seen {
                        *self.answers.get_mut(&request.0).unwrap() += 1;
                    }
                }
                Output::Connect | Output::Close(_) | Output::Note(_) => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_order_is_answered_once(steps in prop::collection::vec(step(), 1..40)) {
        let mut played = Played::new();
        for step in &steps {
            played.step(step);
            prop_assert!(played.answers.values().all(|answers| *answers <= 1), "{:?}", played.answers);
        }
        // Asterisk answers everything in the end: what an answer sends on, too.
        for _ in 0..8 {
            for id in played.ids.clone() {
                played.receive(&format!("Response: Success | ActionID: {id}"));
                played.receive(&format!(
                    "Event: OriginateResponse | Privilege: call,all | ActionID: {id} | Response: Success | Reason: 4"
                ));
            }
        }
        played.wait(60_000);
        prop_assert!(played.answers.values().all(|answers| *answers == 1), "{:?}", played.answers);
    }
}
