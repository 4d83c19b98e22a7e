//! What clients are answered, and told without having asked.

use cordboard_core::datum::Pairs;
use cordboard_core::event::{
    AgentFact, CallFact, Cause, DeviceFact, Direction, ForwardMode, LegFact, RequestFact, SuperviseMode, SwitchFact,
};
use cordboard_core::request::{Ask, Refusal};
use cordboard_core::{ConnId, Fact};
use cordboard_dialects::genesys::client::CLIENT_EVENTS;
use cordboard_dialects::genesys::enums::EnumStyle;
use serde_json::{Value, json};

use crate::story::{START, Story};

pub(crate) fn conn(call: u64) -> ConnId {
    ConnId((START / 1_000_000) << 32 | call)
}

fn story() -> Story {
    let mut story = Story::new();
    let version = "1".to_owned();
    let fact = SwitchFact::Connected { version };
    assert_eq!(story.tell(Fact::Switch { switch: "pbx".to_owned(), fact }), [""; 0], "nobody is there yet");
    story
}

fn info(story: &mut Story, device: &str, info: &str) -> Value {
    let ask = Ask::QueryAddress { kind: String::new(), info: info.to_owned() };
    assert_eq!(story.ask("desk", device, ask), [format!("AddressInfo {device}")]);
    story.last()["InfoStatus"].clone()
}

#[test]
fn who_registers_is_told_what_is_true_there() {
    let mut story = story();
    let (caller, called) = story.inbound(1);
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some("sales".to_owned()) });
    story.agent("8001", AgentFact::Ready);
    story.device("101", DeviceFact::DndOn);
    let (mode, target) = (ForwardMode::OnBusy, "104".to_owned());
    story.device("101", DeviceFact::ForwardSet { mode, target });
    story.leg(1, called, LegFact::Muted);
    assert_eq!(story.ask("desk", "101", Ask::Register), ["Registered 101"]);
    let told = story.last();
    assert_eq!((&told["InfoType"], &told["InfoStatus"]), (&json!("AddressType"), &json!("DN")));
    assert_eq!((&told["AgentID"], &told["ReferenceID"]), (&json!("8001"), &json!(1)));
    let wanted = json!({
        "AgentStatus": 2, "conn-1": format!("{}@pbx", conn(1)), "ct-1": "Inbound", "ps-1": 0x2C,
        "dnd": 1, "mwl": 0, "fwd": {"OnBusy": "104"},
    });
    assert_eq!(told["Extensions"], wanted);
    assert_eq!(story.messages.last().unwrap().channel, "client");
    assert_eq!(story.messages.last().unwrap().key, "desk");
    assert_eq!(story.ask("desk", "101", Ask::Unregister), ["Unregistered 101"]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn who_registers_for_a_number_out_of_service_is_told_so() {
    let mut story = story();
    story.device("102", DeviceFact::OutOfService);
    let before = story.messages.len();
    assert_eq!(story.ask("desk", "102", Ask::Register), ["Registered 102", "DNOutOfService 102"]);
    assert!(story.messages[before..].iter().all(|message| message.channel == "client" && message.key == "desk"));
    assert_eq!(info(&mut story, "102", "DNStatus"), "Maintenance");
    let call = Ask::MakeCall { to: "103".to_owned(), user_data: Pairs::new() };
    assert_eq!(story.ask("desk", "102", call), ["Error 102"]);
    let told = story.last();
    assert_eq!((&told["ErrorCode"], &told["Extensions"]["ErrorName"]), (&json!(58), &json!("TERR_OUT_OF_SERVICE")));
    assert!(told["ErrorMessage"].as_str().unwrap().contains("102"));
    assert_eq!((&told["Extensions"]["Refusal"], &told["ReferenceID"]), (&json!("OutOfService"), &json!(3)));
}

#[test]
fn a_refusal_names_the_call_and_what_it_was_for() {
    let mut story = story();
    assert_eq!(story.ask("desk", "101", Ask::Retrieve { call: conn(7) }), ["Error 101"]);
    assert_eq!((&story.last()["ErrorCode"], &story.last()["ConnID"]), (&json!(56), &json!(format!("{}@pbx", conn(7)))));
    assert_eq!(story.ask("desk", "999", Ask::Register), ["Error 999"]);
    assert_eq!(story.last()["ErrorCode"], 59);
    let (caller, called) = story.inbound(1);
    story.ask("desk", "101", Ask::Retrieve { call: conn(1) });
    assert_eq!(story.last()["ErrorCode"], 171, "a call that is not held cannot be retrieved");
    assert_eq!(story.ask("desk", "101", Ask::Hold { call: conn(1) }), [""; 0], "the switch answers");
    let (refusal, why) = (Refusal::SwitchRefused, "no".to_owned());
    story.answer(RequestFact::Refused { refusal, why });
    assert_eq!((&story.last()["id"], &story.last()["ErrorCode"]), (&json!("EventError"), &json!(50)));
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn telephones_are_asked_about() {
    let mut story = story();
    assert_eq!(info(&mut story, "101", ""), "Idle");
    assert_eq!(story.last()["InfoType"], "AddressStatus");
    for (asked, wanted) in [
        ("AddressStatus", json!("Idle")),
        ("MessageWaitingStatus", json!("Deactivated")),
        ("AssociationStatus", json!("NotAssociated")),
        ("CallForwardingStatus", json!("None")),
        ("AgentStatus", json!("LoggedOut")),
        ("AddressType", json!("DN")),
        ("CallsQuery", json!(0)),
    ] {
        assert_eq!(info(&mut story, "101", asked), wanted, "{asked}");
    }
    story.ask("other", "101", Ask::Register);
    assert_eq!(info(&mut story, "101", "AssociationStatus"), "AssociatedToAnotherSession");
    story.ask("desk", "101", Ask::Register);
    assert_eq!(info(&mut story, "101", "AssociationStatus"), "AssociatedToThisSession");
    story.device("101", DeviceFact::MessageWaitingOn { new: 1, old: 0 });
    assert_eq!(info(&mut story, "101", "MessageWaitingStatus"), "Activated");
    let (mode, target) = (ForwardMode::OnNoAnswer, "104".to_owned());
    story.device("101", DeviceFact::ForwardSet { mode, target });
    assert_eq!(info(&mut story, "101", "CallForwardingStatus"), "OnNoAnswer");
    story.begin(1, Direction::Internal, "101", "102", None);
    let (caller, _) = story.dials(1, "101");
    assert_eq!(info(&mut story, "101", ""), "Dialing");
    let (called, _) = story.rings(1, "102", None);
    assert_eq!(info(&mut story, "102", ""), "Ringing");
    story.answers(1, called);
    story.answers(1, caller);
    assert_eq!(info(&mut story, "102", ""), "Talking");
    story.leg(1, called, LegFact::Held);
    assert_eq!((info(&mut story, "102", ""), &story.last()["Extensions"]["ps-1"]), (json!("Held"), &json!(0xE)));
    story.call(1, CallFact::SupervisionBegan { by: "104".to_owned(), mode: SuperviseMode::Listen });
    assert_eq!((info(&mut story, "104", ""), &story.last()["Extensions"]["ps-1"]), (json!("Talking"), &json!(0xAC)));
    story.settings.genesys.enum_style = EnumStyle::Number;
    let ask = Ask::QueryAddress { kind: String::new(), info: String::new() };
    let said = story.unjudged("desk", "102", ask);
    assert_eq!(
        (&said["InfoType"], &said["InfoStatus"], &said["Extensions"]["ct-1"]),
        (&json!(0), &json!(5), &json!(1))
    );
}

#[test]
fn queues_and_route_points_are_asked_about() {
    let mut story = story();
    for (device, agent) in [("101", "8001"), ("102", "8002")] {
        story.agent(agent, AgentFact::LoggedIn { device: device.to_owned(), queue: Some("sales".to_owned()) });
    }
    story.agent("8001", AgentFact::Ready);
    story.begin(1, Direction::Internal, "103", "sales", None);
    let (caller, _) = story.dials(1, "103");
    story.call(1, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    assert_eq!(info(&mut story, "sales", "NumberOfCallsInQueue"), 1);
    assert_eq!(story.last()["Extensions"]["ps-1"], 9);
    assert_eq!(info(&mut story, "sales", "NumberOfAgentsInQueue"), 2);
    assert_eq!(info(&mut story, "sales", "NumberOfAvailableAgentsInQueue"), 1);
    assert_eq!(info(&mut story, "sales", "QueueStatus"), "Available");
    assert_eq!(info(&mut story, "sales", "QueueLoginAudit"), 2);
    assert_eq!(story.last()["Extensions"]["logins"], json!({"8001": "101", "8002": "102"}));
    assert_eq!(info(&mut story, "501", "AddressType"), "RouteDN");
    story.call(1, CallFact::RouteRequested { at: "501".to_owned() });
    assert_eq!((info(&mut story, "501", "CallsQuery"), &story.last()["Extensions"]["ps-1"]), (json!(1), &json!(0x800)));
    story.ends(1, caller, Cause::Normal, true);
}

#[test]
fn calls_and_the_server_are_asked_about() {
    let mut story = story();
    let (caller, called) = story.inbound(1);
    story.ask("desk", "101", Ask::QueryCall { call: conn(1) });
    let told = story.last();
    assert_eq!((&told["id"], &told["CallType"]), (&json!("EventPartyInfo"), &json!("Inbound")));
    let wanted = json!({
        "party-1": "+3581", "ps-1": 12, "role-1": "Origination",
        "party-2": "101", "ps-2": 12, "role-2": "Destination",
    });
    assert_eq!(told["Extensions"], wanted);
    story.ask("desk", "", Ask::QueryServer);
    let told = story.last();
    assert_eq!((&told["id"], &told["CustomerID"]), (&json!("EventServerInfo"), &json!("acme")));
    assert_eq!(told["Extensions"]["Switches"], json!({"pbx": "1"}));
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn what_says_nothing_else_is_acknowledged() {
    let mut story = story();
    assert_eq!(story.ask("desk", "", Ask::SetReference { next: 500 }), ["ACK"]);
    let (caller, called) = story.inbound(1);
    let digits = "12#".to_owned();
    story.ask("desk", "101", Ask::Tones { call: conn(1), digits });
    assert_eq!(story.answer(RequestFact::Done), ["DTMFSent 101"]);
    assert_eq!((&story.last()["DTMFDigits"], &story.last()["ReferenceID"]), (&json!("12#"), &json!(500)));
    story.ask("desk", "101", Ask::Record { call: conn(1), on: true, file: None });
    assert_eq!(story.answer(RequestFact::Done), ["ACK 101"]);
    story.ask("desk", "101", Ask::Hold { call: conn(1) });
    assert_eq!(story.answer(RequestFact::Done), [""; 0], "told by what it caused");
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: None });
    assert_eq!(story.ask("desk", "101", Ask::Reserve { ms: 5_000, priority: 2, agent: None }), ["AgentReserved 101"]);
    assert_eq!(story.last()["Extensions"], json!({"Duration": 5000, "Priority": 2}));
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn data_is_told_to_the_clients_of_the_parties_and_to_who_changed_it() {
    let mut story = story();
    for (client, device) in [("a", "101"), ("b", "102"), ("b2", "102"), ("c", "103")] {
        story.ask(client, device, Ask::Register);
    }
    story.begin(1, Direction::Internal, "101", "102", None);
    let (caller, _) = story.dials(1, "101");
    let (called, _) = story.rings(1, "102", None);
    let set = Pairs::from([("Order".to_owned(), "4711".into())]);
    let change = || Ask::ChangeData { call: conn(1), set: set.clone(), removed: Vec::new(), all: false };
    let before = story.messages.len();
    story.ask("a", "101", change());
    let told = |story: &Story, from: usize| -> Vec<(String, Value)> {
        let value = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        story.messages[from..].iter().map(|message| (message.key.clone(), value(&message.value))).collect()
    };
    let all = told(&story, before);
    let keys: Vec<&str> = all.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "b2"]);
    for (_, event) in &all {
        assert_eq!((&event["ThirdPartyDN"], &event["UserData"]), (&json!("101"), &json!({"Order": "4711"})));
    }
    let before = story.messages.len();
    story.ask("c", "103", change());
    let all = told(&story, before);
    assert_eq!(all.len(), 4);
    assert_eq!((all[3].0.as_str(), all[3].1.get("ThisDN")), ("c", None), "a copy for who is no party");
    let (key, value) = ("Mood".to_owned(), "good".to_owned());
    story.request = None;
    assert_eq!(story.call(1, CallFact::UserDataSet { key, value }).len(), 3, "set by the switch");
    assert!(story.last().get("ThirdPartyDN").is_none());
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Cancelled, false);
    story.close();
}

#[test]
fn a_mask_hides_everything_else_but_errors() {
    let mut story = story();
    assert_eq!(story.ask("desk", "", Ask::SetMask { events: vec!["EventRegistered".to_owned()] }), [""; 0]);
    assert_eq!(story.ask("desk", "101", Ask::Register), ["Registered 101"]);
    assert_eq!(story.ask("desk", "101", Ask::Unregister), [""; 0]);
    assert_eq!(story.ask("desk", "999", Ask::Register), ["Error 999"]);
    assert_eq!(story.ask("other", "101", Ask::Unregister), ["Unregistered 101"]);
}

#[test]
fn clients_hear_of_the_link_to_the_switch_once_each() {
    let mut story = story();
    for device in ["101", "102"] {
        story.ask("desk", device, Ask::Register);
    }
    story.ask("wall", "101", Ask::Register);
    let reason = "gone".to_owned();
    let down = Fact::Switch { switch: "pbx".to_owned(), fact: SwitchFact::Disconnected { reason } };
    assert_eq!(story.tell(down), ["LinkDisconnected", "LinkDisconnected"]);
    assert_eq!(story.last()["Extensions"], json!({"Switch": "pbx", "Reason": "gone"}));
    let version = "2".to_owned();
    let up = Fact::Switch { switch: "pbx".to_owned(), fact: SwitchFact::Connected { version } };
    assert_eq!(story.tell(up), ["LinkConnected", "LinkConnected"]);
}

#[test]
fn every_event_for_clients_has_its_own_name_and_channel() {
    for (at, spec) in CLIENT_EVENTS.iter().enumerate() {
        assert_eq!(spec.topic.name(), "client");
        assert!(CLIENT_EVENTS[at + 1..].iter().all(|other| other.name != spec.name));
    }
}
