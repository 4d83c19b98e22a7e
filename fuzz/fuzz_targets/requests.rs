//! Requests of every name with parameters of every kind, right and wrong, on a small site: no panic, one answer each, and
//! a stream of the Genesys vocabulary that can be written. Raw bytes are read as a request, too.
#![no_main]

use std::collections::BTreeSet;

use cordboard_core::event::{AgentFact, DeviceKind, Fact, RequestFact, WorkMode, WrapUpPlan};
use cordboard_core::request::{Asker, AskerRole};
use cordboard_core::{ConnId, Input, Request, RequestId, Time, World, decide, evolve, order};
use cordboard_dialects::genesys::requests::{REQUESTS, parse};
use cordboard_dialects::{Position, Settings, find};
use cordboard_switches::boxed::{AcdQueue, AgentPlan, At, Boxed, Happening, Number, Options, Site, Telephone};
use cordboard_switches::{Output, Switch};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

/// One step: a request by its place in the table, or something that happens; and what its parameters are drawn from.
type Step = (u8, u8, [u8; 6]);

/// Steps of one life; longer ones only take longer.
const STEPS_MAX: usize = 40;
const BEGIN: Time = Time(1_800_000_000_000_000);
const NUMBERS: &[&str] = &["1001", "1002", "1003", "6001", "6002", "5001", "5501", "+358401234567", "9999", ""];

fuzz_target!(|input: (Vec<Step>, &[u8])| {
    let (steps, bytes) = input;
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        _ = parse(&value);
    }
    let mut site = Life::new();
    for step in steps.into_iter().take(STEPS_MAX) {
        site.take(step);
    }
    site.end();
});

struct Life {
    world: World,
    switch: Boxed,
    now: Time,
    sequence: u64,
    open: BTreeSet<RequestId>,
}

impl Life {
    fn new() -> Self {
        let telephone = || Number::Extension(Telephone { no_answer_ms: Some(9_000), ..Telephone::default() });
        let queue = |overflow: &[&str]| {
            let overflow_to = overflow.iter().map(|to| (*to).to_owned()).collect();
            Number::AcdQueue(AcdQueue { overflow_to, no_answer_ms: Some(5_000), ..AcdQueue::default() })
        };
        let numbers = [
            ("1001", telephone()),
            ("1002", telephone()),
            ("1003", telephone()),
            ("6001", queue(&["6002"])),
            ("6002", queue(&[])),
            ("5001", Number::RoutePoint),
            ("5501", Number::RouteQueue),
        ];
        let agent = AgentPlan {
            id: "8001".to_owned(),
            name: String::new(),
            device: Some("1003".to_owned()),
            queues: vec!["6001".to_owned(), "6002".to_owned()],
            ready: true,
            mode: WorkMode::AutoIn,
            wrapup: WrapUpPlan::Timed { ms: 3_000 },
            skills: Vec::new(),
        };
        let site = Site {
            switch: "house".to_owned(),
            numbers: numbers.into_iter().map(|(number, kind)| (number.to_owned(), kind)).collect(),
            agents: vec![agent],
            options: Options { outside_prefix: Some("+".to_owned()), legal_guard_ms: 500, ..Options::default() },
        };
        let mut life =
            Self { world: World::default(), switch: Boxed::new(site, 1), now: BEGIN, sequence: 0, open: BTreeSet::new() };
        life.input(&Input::Found { tenant: "fuzz".to_owned(), at: BEGIN });
        life.switch.handle_timeout(BEGIN);
        life.hear();
        life
    }

    fn take(&mut self, (what, device, more): Step) {
        let [a, b, c, d, e, f] = more;
        match REQUESTS.get(usize::from(what)) {
            Some(spec) => {
                let mut members = Map::new();
                members.insert("request".to_owned(), json!(spec.name));
                members.insert("ThisDN".to_owned(), json!(number(device)));
                for (at, parameter) in spec.parameters.iter().enumerate() {
                    let byte = [a, b, c, d, e, f][at % 6];
                    if parameter.mandatory || byte % 3 == 0 {
                        members.insert(parameter.name.to_owned(), self.value(parameter.name, byte));
                    }
                }
                self.ask(&Value::Object(members));
            }
            None => self.happens(what, device, a),
        }
        self.pass(u64::from(f) * 40);
    }

    fn value(&self, name: &str, byte: u8) -> Value {
        let words: &[&str] = match name {
            "AgentID" => &["8001", "8002", ""],
            "AgentWorkMode" => &["AutoIn", "AuxWork", "AfterCallWork", "ManualIn", "Nonsense"],
            "MergeType" => &["ForTransfer", "ForConference"],
            "RouteType" => &["Default", "CallDisconnect", "Unknown"],
            "TreatmentType" => &["Music", "CollectDigits", "PlayAnnouncement"],
            "ForwardMode" => &["Unconditional", "OnBusy", "OnNoAnswer", "OnBusyAndNoAnswer"],
            "MonitorNextCallType" => &["MonitorOneCall", "MonitorAllCalls"],
            "ConnID" | "HeldConnID" => {
                let conn = ConnId(((self.world.founded.0 / 1_000_000) << 32) + u64::from(byte % 8));
                return json!(format!("{conn}@house"));
            }
            "UserData" | "Reasons" | "Extensions" | "TreatmentParms" => {
                return if byte % 2 == 0 { json!({ "a": "1", "b": { "c": byte } }) } else { json!({}) };
            }
            _ if byte % 16 == 0 => return json!(byte),
            _ => NUMBERS,
        };
        json!(words[usize::from(byte) % words.len()])
    }

    fn ask(&mut self, request: &Value) {
        let Ok(parsed) = parse(request) else { return };
        let request = Request {
            client: "c".to_owned(),
            by: Asker { name: "fuzz".to_owned(), role: AskerRole::Service },
            reference: parsed.reference,
            device: parsed.device,
            ask: parsed.ask,
            refused: None,
            deadline_ms: 10_000,
        };
        self.input(&Input::Requested { at: self.now, request });
        for id in self.open.clone() {
            if let Some((_, order)) = order(&self.world, id) {
                self.switch.handle_order(self.now, &order);
                self.hear();
                assert!(!self.open.contains(&id), "not answered: {order:?}");
            }
        }
    }

    fn happens(&mut self, what: u8, device: u8, byte: u8) {
        let device = number(device).to_owned();
        let calls: Vec<String> = self.world.calls.values().filter_map(|call| call.keys.last().cloned()).collect();
        let call = calls.get(usize::from(byte) % calls.len().max(1)).cloned().unwrap_or_default();
        let at = At { number: device.clone(), call };
        let happening = match what % 8 {
            0 => Happening::Inbound {
                from: "+358401234567".to_owned(),
                to: device,
                ani: "+358401234567".to_owned(),
                dnis: "100".to_owned(),
            },
            1 => Happening::Answer { at, by: cordboard_core::event::CallResult::Person },
            2 | 3 => Happening::HangUp(at),
            4 => Happening::Reach(at),
            5 => Happening::TreatmentEnd { at, digits: Some("12".to_owned()) },
            6 => Happening::OutOfService { device },
            _ => Happening::BackInService { device },
        };
        // What cannot happen does not.
        _ = self.switch.happen(self.now, &happening);
        self.hear();
    }

    fn pass(&mut self, ms: u64) {
        let until = self.now.plus_ms(ms);
        while let Some(due) = self.switch.poll_timeout().filter(|due| *due <= until) {
            self.switch.handle_timeout(due);
            self.hear();
        }
        self.now = until;
        self.input(&Input::Elapsed(until));
    }

    fn hear(&mut self) {
        while let Some(output) = self.switch.poll_output() {
            if let Output::Observed(observation) = output {
                self.input(&Input::Observed(observation));
            }
        }
    }

    fn input(&mut self, input: &Input) {
        for event in decide(&self.world, input) {
            evolve(&mut self.world, &event);
            self.sequence += 1;
            let mut messages = Vec::new();
            let genesys = find("genesys").expect("it is registered");
            let place = Position { epoch: 1, sequence: self.sequence };
            (genesys.project)(&Settings::default(), &self.world, place, &event, &mut messages);
            for message in &messages {
                serde_json::from_str::<Value>(&message.value).expect("a message is JSON");
            }
            match event.fact {
                Fact::Request { request, fact: RequestFact::Asked(_) } => assert!(self.open.insert(request)),
                Fact::Request { request, fact: RequestFact::Done | RequestFact::Refused { .. } } => {
                    assert!(self.open.remove(&request), "answered twice");
                }
                Fact::Agent { fact: AgentFact::WrapUpBegan { until, .. }, .. } => assert!(until >= self.now),
                _ => {}
            }
        }
    }

    /// Everybody hangs up; nothing is left.
    fn end(mut self) {
        for _ in 0..200 {
            let Some((number, call)) = self.party() else { break };
            _ = self.switch.happen(self.now, &Happening::HangUp(At { number, call }));
            self.hear();
        }
        let left: Vec<_> = self.world.calls.values().filter(|call| !call.ended).collect();
        assert!(left.is_empty(), "left over: {left:?}");
        assert!(self.open.is_empty());
    }

    fn party(&self) -> Option<(String, String)> {
        self.world.calls.values().filter(|call| !call.ended).find_map(|call| {
            // A queue that dials for its agents is nobody who could hang up.
            let person = |device: &String| self.world.devices.get(device).is_some_and(|it| it.kind == DeviceKind::Extension);
            let (_, leg) = call.living().find(|(_, leg)| leg.outside || person(&leg.device))?;
            let number = if leg.outside { &leg.number } else { &leg.device };
            Some((number.clone(), call.keys.last()?.clone()))
        })
    }
}

fn number(byte: u8) -> &'static str {
    NUMBERS[usize::from(byte) % NUMBERS.len()]
}
