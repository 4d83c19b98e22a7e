//! Each rule finds what it is there to find, and nothing else does.

use cordboard_core::event::{
    AgentFact, CallFact, Cause, DequeueReason, DeviceFact, Direction, LegFact, Pairs, RouteKind, TreatmentKind,
};
use cordboard_dialects::Message;
use cordboard_dialects::genesys::rules::{Level, Rule, Rules};
use serde_json::{Value, json};

use crate::story::Story;

/// A stream in which everything the rules speak of comes up.
fn stream() -> Vec<Message> {
    let mut story = Story::new();
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some("sales".to_owned()) });
    story.agent("8001", AgentFact::Ready);
    story.device("102", DeviceFact::OutOfService);
    story.device("102", DeviceFact::BackInService);
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    let (caller, _) = story.dials(1, "+3581");
    story.call(1, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    let (b, _) = story.rings(1, "101", Some("sales"));
    story.answers(1, b);
    story.call(1, CallFact::Dequeued { queue: "sales".to_owned(), reason: DequeueReason::Answered, to: None });
    story.leg(1, b, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "103", Some(1));
    let (b2, _) = story.dials(2, "101");
    let (c, _) = story.rings(2, "103", None);
    story.ends(2, b2, Cause::Normal, true);
    story.ends(2, c, Cause::Cancelled, false);
    story.leg(1, b, LegFact::Retrieved);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, b, Cause::Normal, false);
    story.messages
}

fn broken(messages: &[Message]) -> Vec<(Rule, Level)> {
    let mut rules = Rules::new(|dn| !dn.starts_with('+'));
    let mut found: Vec<_> = messages.iter().flat_map(|message| rules.check(message)).collect();
    found.extend(rules.finish());
    found.into_iter().map(|finding| (finding.rule, finding.level)).collect()
}

/// The stream with the first event of this name on this number changed.
fn with(name: &str, dn: &str, change: impl FnOnce(&mut Value, &mut Message)) -> Vec<(Rule, Level)> {
    let mut messages = stream();
    let wanted = |message: &&mut Message| {
        let value: Value = serde_json::from_str(&message.value).unwrap();
        value["id"] == name && value["ThisDN"] == dn
    };
    let message = messages.iter_mut().find(wanted).unwrap();
    let mut value: Value = serde_json::from_str(&message.value).unwrap();
    let mut record = message.clone();
    change(&mut value, &mut record);
    *message = Message { value: value.to_string(), ..record };
    broken(&messages)
}

fn only(rule: Rule) -> Vec<(Rule, Level)> {
    vec![(rule, Level::Fail)]
}

#[test]
fn the_stream_as_it_is_keeps_the_rules() {
    assert_eq!(broken(&stream()), []);
}

#[test]
fn a_value_that_is_no_event() {
    for value in ["", "[]", "null", "{}", r#"{"ThisDN":"1","id":"EventHeld"}"#, r#"{"id":"EventLunch"}"#, r#"{"id":7}"#]
    {
        let message =
            Message { channel: "voice-callthread", name: "Event", key: "acme:1".to_owned(), value: value.to_owned() };
        assert_eq!(broken(&[message]), only(Rule::KnownEvent), "{value}");
    }
}

#[test]
fn attributes() {
    let (name, dn) = ("EventEstablished", "101");
    let set = |member: &'static str, value: Value| with(name, dn, |event, _| event[member] = value);
    assert_eq!(set("Mood", json!("good")), only(Rule::AttributeAllowed));
    assert_eq!(set("Cause", json!("Busy")), only(Rule::AttributeAllowed), "known, but not here");
    assert_eq!(set("CallID", json!("1")), only(Rule::AttributeType));
    assert_eq!(set("CallID", json!(0)), only(Rule::CallIdPositive));
    assert_eq!(set("CallState", json!("OK")), only(Rule::EnumerationValue));
    assert_eq!(set("ANI", Value::Null), only(Rule::AttributeType), "absent is left out, never null");
    assert_eq!(
        set("time", json!({ "TimeinSecs": 1_700_000_000, "TimeinuSecs": 1_000_000 })),
        only(Rule::AttributeType)
    );
    assert_eq!(set("ConnID", json!("6553f1000000001@pbx")).first(), Some(&(Rule::ConnIdForm, Level::Fail)));
    let without = |member: &'static str| {
        with(name, dn, |event, _| {
            event.as_object_mut().unwrap().shift_remove(member);
        })
    };
    assert_eq!(without("Server"), only(Rule::MandatoryPresent));
    assert_eq!(without("OtherDN"), only(Rule::RoleNeedsDn));
    assert_eq!(without("OtherDNRole"), only(Rule::DnNeedsRole));
    assert_eq!(without("UserData"), []);
    assert_eq!(set("OtherDN", json!("101")), only(Rule::OtherIsAnother));
}

#[test]
fn calls_and_queues() {
    let set =
        |name: &str, dn: &str, member: &'static str, value: Value| with(name, dn, |event, _| event[member] = value);
    assert_eq!(set("EventQueued", "sales", "ThisQueue", json!("support"))[0], (Rule::QueueIsDn, Level::Fail));
    assert_eq!(set("EventRinging", "101", "ThisDN", json!("+3585"))[0], (Rule::InternalDevicesOnly, Level::Fail));
    let conn = "6553f10000000002@pbx";
    assert_eq!(set("EventRinging", "103", "PreviousConnID", json!(conn)), only(Rule::PreviousDiffers));
    assert_eq!(set("EventRetrieved", "101", "ThisDNRole", json!("Origination")), only(Rule::RetrievedAsBefore));
    assert_eq!(set("EventRetrieved", "101", "CallState", json!("Conferenced")), []);
    let found = with("EventRinging", "103", |event, _| {
        event.as_object_mut().unwrap().shift_remove("PreviousConnID");
    });
    assert_eq!(found, only(Rule::ConsultHasPrevious));
    let found = with("EventHeld", "101", |event, record| {
        event["CallThreadID"] = json!("other");
        record.key = "acme:other".to_owned();
    });
    assert_eq!(found, only(Rule::ThreadOfCall));
    let found = with("EventDialing", "101", |event, record| {
        event["CallThreadID"] = json!("other");
        record.key = "acme:other".to_owned();
    });
    assert!(found.contains(&(Rule::ThreadOfConsult, Level::Fail)), "{found:?}");
}

#[test]
fn what_begins_ends_once() {
    let without = |name: &str, dn: &str| {
        let mut messages = stream();
        let at = messages.iter().position(|message| {
            let value: Value = serde_json::from_str(&message.value).unwrap();
            value["id"] == name && value["ThisDN"] == dn
        });
        messages.remove(at.unwrap());
        broken(&messages)
    };
    assert_eq!(without("EventReleased", "101"), only(Rule::PartyEndsOnce));
    assert_eq!(without("EventAbandoned", "103"), only(Rule::PartyEndsOnce));
    assert_eq!(without("EventDialing", "101"), only(Rule::PartyEndsOnce), "released, but never begun");
    assert_eq!(without("EventDiverted", "sales"), only(Rule::QueueBalance));
    assert_eq!(without("EventQueued", "sales"), only(Rule::QueueBalance));
    assert_eq!(without("EventHeld", "101"), only(Rule::RetrievedAfterHeld));
    assert_eq!(without("EventDNOutOfService", "102"), only(Rule::BackAfterOut));
    let missing_login = without("EventAgentLogin", "101");
    assert_eq!(missing_login[0], (Rule::AgentLoggedIn, Level::Fail));
    let mut doubled = stream();
    doubled.push(doubled.last().unwrap().clone());
    assert_eq!(broken(&doubled), only(Rule::PartyEndsOnce));
}

#[test]
fn a_wait_for_a_route_ends_once() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "501", None);
    let (caller, _) = story.dials(1, "101");
    let at = || "501".to_owned();
    story.call(1, CallFact::RouteRequested { at: at() });
    let (kind, parameters) = (TreatmentKind::Music, Pairs::new());
    story.call(1, CallFact::TreatmentApplied { at: at(), kind, parameters });
    story.call(1, CallFact::Routed { at: at(), to: None, kind: RouteKind::Reject });
    story.ends(1, caller, Cause::Normal, true);
    let [dialing, request, treatment, used, released] = story.messages.as_slice() else { panic!("five messages") };
    let all = |messages: [&Message; 4]| broken(&messages.map(Message::clone));
    assert_eq!(broken(&story.messages), []);
    assert_eq!(all([dialing, request, treatment, released]), only(Rule::RouteBalance), "not ended");
    let twice = vec![(Rule::RouteBalance, Level::Fail); 2];
    assert_eq!(all([dialing, treatment, used, released]), twice, "not asked for");
}

#[test]
fn records() {
    let record = |name: &str, dn: &str, change: fn(&mut Message)| with(name, dn, |_, record| change(record));
    assert_eq!(record("EventHeld", "101", |record| record.channel = "voice-agentstate"), only(Rule::TopicOfEvent));
    assert_eq!(record("EventHeld", "101", |record| record.key = "acme:101".to_owned()), only(Rule::KeyShape));
    assert_eq!(record("EventAgentReady", "101", |record| record.key = "acme:101".to_owned()), only(Rule::KeyShape));
    assert_eq!(
        record("EventHeld", "101", |record| record.key = record.key.replace("acme", "umbrella")),
        only(Rule::KeyShape)
    );
    let found = with("EventHeld", "101", |event, _| event["time"]["TimeinSecs"] = json!(1_600_000_000));
    assert_eq!(found, only(Rule::TimeOrder));
}

#[test]
fn agents_and_treatments() {
    let mode = with("EventAgentReady", "101", |event, _| event["AgentWorkMode"] = json!("AuxWork"));
    assert_eq!(mode, only(Rule::WorkModeFits));
    for (kind, level) in [("Silence", Some(Level::Fail)), ("Music", Some(Level::Warn)), ("IVR", None)] {
        let text =
            include_str!("../../src/genesys/samples/EventTreatmentEnd.json").replace("PlayAnnouncementAndDigits", kind);
        let value: Value = serde_json::from_str(&text).unwrap();
        let key = format!("acme:{}", value["CallThreadID"].as_str().unwrap());
        let message = Message { channel: "voice-callthread", name: "Event", key, value: value.to_string() };
        let mut rules = Rules::new(|_| true);
        let found: Vec<_> =
            rules.check(&message).into_iter().filter(|found| found.rule == Rule::OpenEndedTreatment).collect();
        assert_eq!(found.first().map(|found| found.level), level, "{kind}");
    }
    let text = include_str!("../../src/genesys/samples/EventPartyChanged.json").replace("Transferred\"", "Ok\"");
    let value: Value = serde_json::from_str(&text).unwrap();
    let key = format!("acme:{}", value["CallThreadID"].as_str().unwrap());
    let found = Rules::new(|_| true).check(&Message {
        channel: "voice-callthread",
        name: "Event",
        key,
        value: value.to_string(),
    });
    assert!(found.iter().any(|found| found.rule == Rule::PartyChangedState));
}
