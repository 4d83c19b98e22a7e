//! Orders played from transcripts: `tests/transcripts/orders/*.txt`.
//!
//! A line of a transcript is one of
//!
//! ```text
//! # a comment
//! = name value               a setting, before anything happens
//! @ 1500                     the time becomes 1500 ms; timeouts due until then happen at their own time
//! * closed                   the connection is lost
//! * rings A 1.1 B 1.2        the channel 1.1 of A calls, 1.2 of B rings; `talks`: they talk. What is seen is not printed
//! * serves 1001 support Anna is a member of the queue
//! ? 7 1001 {"hold":{...}} [call=KEY/LEG] [held=KEY/LEG] [agent=ID]    request 7 orders this for 1001
//! < Event: X | A: b          received; ` | ` stands between headers, {7.2} for the second ActionID of request 7
//! > Action: X | A: b         ... and what the test saw: what is sent,
//! ! r7 ...                   and what is observed, with the request it comes from
//! ```
//!
//! The login and an empty snapshot come before all that. `UPDATE=1 cargo test` writes the answers anew; read the diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cordboard_core::request::OrderCall;
use cordboard_core::{Order, RequestId, Time};
use cordboard_switches::asterisk::session_config::{Secret, SessionConfig};
use cordboard_switches::asterisk::snapshot::SnapshotPart;
use cordboard_switches::asterisk::{ACTIONS, Asterisk, OrderSettings, PictureSettings};
use cordboard_switches::{Output, Switch};

/// A connector that is logged in and has read an empty Asterisk.
pub(crate) fn live(picture: PictureSettings, orders: OrderSettings) -> Asterisk {
    let mut session = SessionConfig::new("cti", Secret::new("s"));
    session.filters.clear();
    session.parts = vec![SnapshotPart::Status, SnapshotPart::Queues];
    session.heartbeat_ms = 3_600_000;
    session.silence_ms_max = 7_200_000;
    session.reconcile_ms = 0;
    let mut asterisk = Asterisk::new(session, picture, orders, 1);
    asterisk.handle_timeout(Time(0));
    asterisk.handle_connected(Time(0));
    let answer =
        |id: &str, headers: &str| format!("Response: Success\r\nActionID: cb-0000000000000001--{id}\r\n{headers}\r\n");
    for text in [
        "Asterisk Call Manager/5.0.1\r\n".to_owned(),
        answer("c1", "Challenge: 1\r\n"),
        answer("c2", ""),
        "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n".to_owned(),
        answer("c3", ""),
        answer("s4", "EventList: start\r\n"),
        "Event: StatusComplete\r\nActionID: cb-0000000000000001--s4\r\nEventList: Complete\r\n\r\n".to_owned(),
        answer("s5", "EventList: start\r\n"),
        "Event: QueueStatusComplete\r\nActionID: cb-0000000000000001--s5\r\nEventList: Complete\r\n\r\n".to_owned(),
    ] {
        asterisk.handle_bytes(Time(0), text.as_bytes());
    }
    let said: Vec<Output> = std::iter::from_fn(|| asterisk.poll_output()).collect();
    let is_live = |output: &Output| matches!(output, Output::Note(note) if note == "live");
    assert!(said.iter().any(is_live), "{said:?}");
    asterisk
}

/// An order from a line of a transcript.
pub(crate) fn order(line: &str) -> Order {
    let (request, rest) = line.split_once(' ').unwrap();
    let (device, rest) = rest.split_once(' ').unwrap();
    let end = rest.rfind('}').or(rest.rfind('"')).map_or(rest.len(), |at| at + 1);
    let (ask, rest) = rest.split_at(end);
    let words: BTreeMap<&str, &str> = rest.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let named = |word: &str| {
        let (call, leg) = words.get(word)?.split_once('/').unwrap();
        Some(OrderCall { call: call.to_owned(), leg: Some(leg.to_owned()).filter(|leg| !leg.is_empty()) })
    };
    Order {
        request: RequestId(request.parse().unwrap()),
        device: device.to_owned(),
        ask: serde_json::from_str(ask).unwrap_or_else(|error| panic!("{error}: {ask}")),
        call: named("call"),
        held: named("held"),
        agent: words.get("agent").map(|agent| (*agent).to_owned()),
    }
}

/// What Asterisk says while A calls B.
pub(crate) fn a_call((a, uid_a): (&str, &str), (b, uid_b): (&str, &str), talks: bool) -> Vec<String> {
    let channel = |device: &str, uid: &str| format!("PJSIP/{device}-{}", uid.replace('.', ""));
    let (name_a, name_b) = (channel(a, uid_a), channel(b, uid_b));
    let call = "Privilege: call,all";
    let mut events = vec![
        format!(
            "Event: Newchannel | {call} | Channel: {name_a} | ChannelState: 4 | CallerIDNum: {a} | Exten: {b} | Context: internal | Uniqueid: {uid_a} | Linkedid: {uid_a}"
        ),
        format!(
            "Event: Newchannel | {call} | Channel: {name_b} | ChannelState: 0 | Exten: s | Context: internal | Uniqueid: {uid_b} | Linkedid: {uid_a}"
        ),
        format!(
            "Event: DialBegin | {call} | Channel: {name_a} | Uniqueid: {uid_a} | DestChannel: {name_b} | DestUniqueid: {uid_b} | DestLinkedid: {uid_a} | DialString: {b}"
        ),
    ];
    if talks {
        events.push(format!("Event: DialEnd | {call} | Channel: {name_a} | Uniqueid: {uid_a} | DestChannel: {name_b} | DestUniqueid: {uid_b} | DialStatus: ANSWER"));
        events.push(format!(
            "Event: Newstate | {call} | Channel: {name_a} | ChannelState: 6 | Uniqueid: {uid_a} | Linkedid: {uid_a}"
        ));
        let bridge = format!("BridgeUniqueid: b-{uid_a} | BridgeType: basic");
        events.push(format!("Event: BridgeCreate | {call} | {bridge}"));
        for (name, uid) in [(&name_b, uid_b), (&name_a, uid_a)] {
            events.push(format!(
                "Event: BridgeEnter | {call} | {bridge} | Channel: {name} | Uniqueid: {uid} | Linkedid: {uid_a}"
            ));
        }
    }
    events
}

struct Player {
    asterisk: Option<Asterisk>,
    picture: PictureSettings,
    orders: OrderSettings,
    now: Time,
    /// ActionIDs by the request that was ordered last when they were sent.
    ids: BTreeMap<u64, Vec<String>>,
    last: u64,
    out: String,
    /// The actions that each kind of request came to.
    used: BTreeMap<String, BTreeSet<String>>,
    asked: String,
}

impl Player {
    fn play(script: &str) -> Self {
        let orders = OrderSettings { dial_context: "internal".to_owned(), ..OrderSettings::default() };
        let picture = PictureSettings { switch: "pbx".to_owned(), ..PictureSettings::default() };
        let mut player = Self {
            asterisk: None,
            picture,
            orders,
            now: Time(1_000_000),
            ids: BTreeMap::new(),
            last: 0,
            out: String::new(),
            used: BTreeMap::new(),
            asked: String::new(),
        };
        for line in script.lines().filter(|line| !line.starts_with(['!', '>'])) {
            player.out += line;
            player.out.push('\n');
            let (kind, rest) = line.split_at(line.len().min(1));
            let rest = rest.trim();
            match kind {
                "" | "#" => continue,
                "=" => {
                    player.set(rest);
                    continue;
                }
                "@" => player.advance(Time(rest.parse::<u64>().unwrap() * 1_000)),
                "*" => player.happen(rest),
                "?" => {
                    let order = order(rest);
                    player.last = order.request.0;
                    player.asked = rest.split('"').nth(1).unwrap().to_owned();
                    player.used.entry(player.asked.clone()).or_default();
                    let now = player.now;
                    player.asterisk().handle_order(now, &order);
                }
                "<" => player.receive(rest),
                _ => panic!("a line of a transcript must not begin with {kind:?}: {line}"),
            }
            player.drain();
        }
        player
    }

    fn asterisk(&mut self) -> &mut Asterisk {
        let (picture, orders) = (&self.picture, &self.orders);
        self.asterisk.get_or_insert_with(|| live(picture.clone(), orders.clone()))
    }

    fn set(&mut self, setting: &str) {
        let (name, value) = setting.split_once(' ').unwrap();
        match name {
            "telephone" => self.orders.telephone = value.to_owned(),
            "conference_context" => self.orders.conference_context = Some(value.to_owned()),
            "telephones_take_notify" => self.orders.telephones_take_notify = value == "true",
            "dnd_in_device_state" => self.orders.dnd_in_device_state = value == "true",
            "login_queues" => self.orders.login_queues = value.split(' ').map(str::to_owned).collect(),
            "orders_open_max" => self.orders.orders_open_max = value.parse().unwrap(),
            "agents_by_member_name" => self.picture.agents_by_member_name = value == "true",
            "user_data" => self.picture.user_data.push(value.to_owned()),
            _ => panic!("no such setting: {setting}"),
        }
    }

    fn happen(&mut self, what: &str) {
        match what.split(' ').collect::<Vec<_>>().as_slice() {
            ["closed"] => {
                let now = self.now;
                return self.asterisk().handle_closed(now, "lost");
            }
            [kind @ ("rings" | "talks"), a, uid_a, b, uid_b] => {
                for event in a_call((a, uid_a), (b, uid_b), *kind == "talks") {
                    self.receive(&event);
                }
            }
            ["serves", device, queue, name] => {
                let event = "Event: QueueMemberAdded | Privilege: agent,all";
                self.receive(&format!("{event} | Queue: {queue} | MemberName: {name} | Interface: PJSIP/{device} | StateInterface: PJSIP/{device} | Paused: 0"));
            }
            _ => panic!("this cannot happen: {what}"),
        }
        while self.asterisk().poll_output().is_some() {}
    }

    fn advance(&mut self, to: Time) {
        for _ in 0..1_000 {
            let due = self.asterisk().poll_timeout().filter(|due| *due <= to);
            self.now = due.unwrap_or(to).max(self.now);
            let now = self.now;
            if due.is_none() {
                return;
            }
            self.asterisk().handle_timeout(now);
            self.drain();
        }
        panic!("timeouts without end");
    }

    fn receive(&mut self, text: &str) {
        let mut text = text.to_owned();
        for (request, ids) in &self.ids {
            for (at, id) in ids.iter().enumerate() {
                text = text.replace(&format!("{{{request}.{}}}", at + 1), id);
            }
        }
        assert!(!text.contains('{'), "no such ActionID: {text}");
        let (now, bytes) = (self.now, format!("{}\r\n\r\n", text.replace(" | ", "\r\n")));
        self.asterisk().handle_bytes(now, bytes.as_bytes());
    }

    fn drain(&mut self) {
        while let Some(output) = self.asterisk().poll_output() {
            match output {
                Output::Connect => self.out += "! connect\n",
                Output::Send(bytes) => self.sent(&String::from_utf8(bytes).unwrap()),
                Output::Observed(observation) => {
                    let request = observation.request.map_or("--".to_owned(), |request| format!("r{}", request.0));
                    writeln!(self.out, "! {request} {:?}", observation.seen).unwrap();
                }
                Output::Close(reason) => writeln!(self.out, "! close: {reason}").unwrap(),
                Output::Note(_) => {}
            }
        }
    }

    fn sent(&mut self, text: &str) {
        let text = text.strip_suffix("\r\n\r\n").unwrap().replace("\r\n", " | ");
        let (before, rest) = text.split_once("ActionID: ").unwrap();
        let (id, after) = rest.split_once(" | ").unwrap_or((rest, ""));
        let action = before.strip_prefix("Action: ").unwrap().trim_end_matches(" | ");
        self.used.entry(self.asked.clone()).or_default().insert(action.to_owned());
        let ids = self.ids.entry(self.last).or_default();
        ids.push(id.to_owned());
        writeln!(self.out, "> {before}ActionID: {{{}.{}}} | {after}", self.last, ids.len()).unwrap();
    }
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/orders");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn orders_are_carried_out_as_the_transcripts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let paths = transcripts();
    assert!(paths.len() >= 8, "transcripts are missing");
    for path in paths {
        let expected = std::fs::read_to_string(&path).unwrap();
        let actual = Player::play(&expected).out;
        if actual != expected && update {
            std::fs::write(&path, &actual).unwrap();
        } else if actual != expected {
            let at = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
            let at = at.unwrap_or(expected.lines().count().min(actual.lines().count()));
            let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
            let (should, is) = (line(&expected), line(&actual));
            wrong.push(format!("{}:{}\n  expected {should}\n  actual   {is}", path.display(), at + 1));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE=1 cargo test writes them anew", wrong.join("\n"));
}

/// The table of requests in the documentation is what the transcripts come to.
#[test]
fn the_documentation_lists_requests_and_what_they_need() {
    const BEGIN: &str = "| request | actions | `write` |\n|---|---|---|\n";
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in transcripts() {
        for (asked, actions) in Player::play(&std::fs::read_to_string(path).unwrap()).used {
            used.entry(asked).or_default().extend(actions);
        }
    }
    used.remove("register");
    let classes: BTreeMap<&str, &str> = ACTIONS.iter().copied().collect();
    let all: BTreeSet<&str> = used.values().flatten().map(String::as_str).collect();
    assert_eq!(all, classes.keys().copied().collect(), "actions that are used, and actions with a class");
    let mut table = BEGIN.to_owned();
    for (asked, actions) in &used {
        let needed: BTreeSet<&str> = actions.iter().map(|action| classes[action.as_str()]).collect();
        let list = |items: Vec<&str>| if items.is_empty() { "cannot be done".to_owned() } else { items.join(", ") };
        let (actions, needed) =
            (list(actions.iter().map(String::as_str).collect()), needed.into_iter().collect::<Vec<_>>());
        writeln!(table, "| `{asked}` | {actions} | {} |", needed.join(", ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/asterisk.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table of requests");
    let after = rest.split_once("\n\n").expect("something after the table").1;
    let right = format!("{before}{table}\n{after}");
    if right != text && std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&path, right).unwrap();
    }
    assert!(right == text, "docs/asterisk.md should have\n{table}\nUPDATE=1 cargo test writes it");
}
