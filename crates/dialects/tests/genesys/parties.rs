//! Who did it: parties brought in, taken out, deafened; other appearances; supervisors; and the request behind it all.

use cordboard_core::event::{
    AgentFact, Asked, CallFact, Cause, DeviceFact, Direction, LegFact, Monitor, MonitorScope, Pairs, RequestFact, Role,
    SuperviseMode, Transfer, TransferKind, WorkMode, WrapUpPlan,
};
use cordboard_core::request::{Ask, Asker, AskerRole};
use cordboard_core::{CallId, Fact, LegId, RequestId, Time};
use serde_json::json;

use crate::story::Story;

/// 102 in a call of 101 and somebody outside, brought in by 101.
fn brought_in(story: &mut Story, number: &str, by: &str) -> (LegId, Vec<String>) {
    let (leg, mut party) = story.party(number, Role::Destination, None);
    party.by = Some(by.to_owned());
    (leg, story.leg(1, leg, LegFact::Ringing(party)))
}

#[test]
fn a_party_is_brought_in_in_one_step() {
    let mut story = Story::new();
    let (caller, called) = story.inbound(1);
    let (third, said) = brought_in(&mut story, "102", "101");
    assert_eq!(said, ["Ringing 102, Conferenced, of 101"]);
    let said = story.answers(1, third);
    assert_eq!(said, ["Established 102, Conferenced, AddedBy 101", "PartyAdded 101 + 102, Conferenced, AddedBy 101"]);
    let said = story.leg(
        1,
        third,
        LegFact::Ended { cause: Cause::Normal, code: None, by_self: false, by: Some("101".to_owned()) },
    );
    assert_eq!(said, ["Released 102, Ok", "PartyDeleted 101 - 102, Ok, DeletedBy 101"]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn a_redirected_call_says_by_whom() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (caller, _) = story.dials(1, "101");
    let (first, _) = story.rings(1, "102", None);
    assert_eq!(story.ends(1, first, Cause::Redirected, false), ["Released 102 < 101, Redirected"]);
    let (second, said) = brought_in(&mut story, "103", "102");
    assert_eq!(said, ["Ringing 103 < 101, Ok, of 102"]);
    assert_eq!(story.answers(1, second), ["Established 103 < 101, Ok, of 102"]);
    assert_eq!(story.answers(1, caller), ["Established 101 > 103, Ok"]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, second, Cause::Normal, false);
    story.close();
}

#[test]
fn a_conference_completed_while_the_new_party_rings_is_told_once() {
    let mut story = Story::new();
    let (caller, holder) = story.inbound(1);
    story.leg(1, holder, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "102", Some(1));
    let (own, _) = story.dials(2, "101");
    let (third, _) = story.rings(2, "102", None);
    story.call(1, CallFact::Conferenced { room: None, by: Some("101".to_owned()), to: Some("102".to_owned()) });
    story.leg(1, holder, LegFact::Retrieved);
    let said = story.leg(2, third, LegFact::Moved { to: CallId(1) });
    assert_eq!(said[1..], ["PartyAdded 101 + 102, Conferenced, AddedBy 101"]);
    story.ends(2, own, Cause::Transferred, false);
    assert_eq!(story.answers(1, third), ["Established 102, Conferenced"]);
    for leg in [third, caller, holder] {
        story.ends(1, leg, Cause::Normal, true);
    }
    story.close();
}

#[test]
fn a_consultation_handed_on_to_a_queue() {
    let mut story = Story::new();
    let (caller, called) = story.inbound(1);
    story.leg(1, called, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "600", Some(1));
    let (own, _) = story.dials(2, "101");
    story.call(2, CallFact::Queued { queue: "600".to_owned(), position: 1 });
    let (by, to) = ("101".to_owned(), "600".to_owned());
    let handed = Transfer { kind: TransferKind::Attended, by, to: to.clone(), consult: Some(CallId(2)) };
    story.call(1, CallFact::Transferred(handed));
    story.ends(1, called, Cause::Transferred, false);
    let said = story.call(1, CallFact::QueueTaken { queue: to, from: CallId(2) });
    assert_eq!(said, ["PartyChanged 600 < +3581, Transferred, TransferredBy 101"]);
    let told = story.last();
    assert_eq!(told["ThisQueue"], "600");
    assert_ne!(told["PreviousConnID"], told["ConnID"]);
    story.ends(2, own, Cause::Transferred, false);
    let gone = cordboard_core::event::DequeueReason::Abandoned;
    story.ends(1, caller, Cause::Normal, true);
    let said = story.call(1, CallFact::Dequeued { queue: "600".to_owned(), reason: gone, to: None });
    assert_eq!(said, ["Abandoned 600 < +3581, Ok"]);
    story.close();
}

#[test]
fn a_party_that_does_not_hear() {
    let mut story = Story::new();
    let (caller, called) = story.inbound(1);
    let by = || "102".to_owned();
    let said = story.leg(1, called, LegFact::Deafened { by: by() });
    assert_eq!(said, ["ListenDisconnected 101 < +3581, Deafened, of 102"]);
    assert_eq!(story.leg(1, called, LegFact::Undeafened { by: by() }), ["ListenReconnected 101 < +3581, Ok, of 102"]);
    assert_eq!(story.leg(1, caller, LegFact::Deafened { by: by() }), [""; 0]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, called, Cause::Normal, false);
    story.close();
}

#[test]
fn another_appearance_answers() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (caller, _) = story.dials(1, "101");
    let (first, _) = story.rings(1, "102", None);
    let (second, _) = story.rings(1, "103", None);
    assert_eq!(story.answers(1, first), ["Established 102 < 101, Ok"]);
    assert_eq!(story.answers(1, caller), ["Established 101 > 102, Ok"]);
    story.leg(1, second, LegFact::Bridged);
    assert_eq!((&story.last()["id"], &story.last()["CallState"]), (&json!("EventBridged"), &json!("Bridged")));
    assert_eq!(
        story.leg(1, caller, LegFact::Held),
        ["Held 101 > 102, Ok"],
        "who is not in the talk is not at the far end"
    );
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, first, Cause::Normal, false);
    let said = story.ends(1, second, Cause::Normal, false);
    assert!(said[0].starts_with("Released 103"), "{said:?}");
    story.close();
}

#[test]
fn supervisors_are_told_what_they_asked_for_and_how_they_take_part() {
    let mut story = Story::new();
    let monitor = Monitor { target: "101".to_owned(), scope: MonitorScope::AllCalls, mode: SuperviseMode::Listen };
    let said = story.device("104", DeviceFact::MonitoringSet(monitor.clone()));
    assert_eq!(said, ["MonitoringNextCall 104 = 101", "MonitoringNextCall 101 ~ 104"]);
    assert_eq!(story.last()["MonitorNextCallType"], "MonitorAllCalls");
    let (caller, called) = story.inbound(1);
    let (by, listen) = ("104".to_owned(), SuperviseMode::Listen);
    story.call(1, CallFact::SupervisionBegan { by: by.clone(), mode: listen });
    for (mode, event, word) in [
        (SuperviseMode::Barge, "EventMuteOff", "connect"),
        (SuperviseMode::Whisper, "EventMuteOff", "coach"),
        (SuperviseMode::Listen, "EventMuteOn", "mute"),
    ] {
        story.call(1, CallFact::SupervisionChanged { by: by.clone(), mode });
        let told = story.last();
        assert_eq!(
            (&told["id"], &told["ThisDNRole"], &told["ThisDN"]),
            (&json!(event), &json!("Observer"), &json!("104"))
        );
        assert_eq!(told["Extensions"]["MonitorMode"], word);
    }
    let said = story.ends(1, caller, Cause::Normal, true);
    assert_eq!(said.len(), 2, "agent and supervisor: {said:?}");
    assert_eq!(
        story.ends(1, called, Cause::Normal, false),
        ["Released 101 ~ 104, Ok"].map(|text| text.replace('~', "<"))
    );
    story.call(1, CallFact::SupervisionEnded { by });
    let said = story.device("104", DeviceFact::MonitoringCancelled(monitor));
    assert_eq!(said, ["MonitoringCancelled 104 = 101", "MonitoringCancelled 101 ~ 104"]);
    story.close();
}

#[test]
fn handsets() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    assert_eq!(story.device("101", DeviceFact::OffHook { call: Some(CallId(1)) }), ["OffHook 101"]);
    assert!(story.last()["ConnID"].is_string());
    assert_eq!(story.device("101", DeviceFact::OnHook { call: None }), ["OnHook 101"]);
    assert!(story.last().get("ConnID").is_none());
}

#[test]
fn agents_say_how_they_chose() {
    let mut story = Story::new();
    let queue = Some("sales".to_owned());
    story.agent("8001", AgentFact::LoggedIn { device: "102".to_owned(), queue });
    let reasons = Pairs::from([("Break".to_owned(), "Lunch".into())]);
    story.agent("8001", AgentFact::ModeChosen { mode: WorkMode::WalkAway, reasons });
    assert_eq!(
        story.agent("8001", AgentFact::NotReady { reason: "Lunch".to_owned() }),
        ["AgentNotReady 102, WalkAway"]
    );
    assert_eq!(story.last()["Reasons"], json!({"Break": "Lunch"}));
    story.agent("8001", AgentFact::ModeChosen { mode: WorkMode::Unknown, reasons: Pairs::new() });
    assert_eq!(story.agent("8001", AgentFact::NotReady { reason: String::new() }), ["AgentNotReady 102, Unknown"]);
    story.agent("8001", AgentFact::ModeChosen { mode: WorkMode::ManualIn, reasons: Pairs::new() });
    assert_eq!(story.agent("8001", AgentFact::Ready), ["AgentReady 102, ManualIn"]);
    assert_eq!(story.agent("8001", AgentFact::NotReady { reason: String::new() }), ["AgentNotReady 102, Unknown"]);
}

#[test]
fn after_call_work_of_an_agent_wins_over_that_of_the_queue() {
    for (plan, wanted) in [
        (None, Some(json!(30))),
        (Some(WrapUpPlan::None), None),
        (Some(WrapUpPlan::Timed { ms: 20_000 }), Some(json!(20))),
        (Some(WrapUpPlan::Untimed), Some(json!("untimed"))),
    ] {
        let mut story = Story::new();
        story.queue("sales", cordboard_core::event::QueueFact::WrapUpSet { wrapup_ms: 30_000 });
        let queue = Some("sales".to_owned());
        story.agent("8001", AgentFact::LoggedIn { device: "102".to_owned(), queue });
        if let Some(plan) = plan {
            assert_eq!(story.agent("8001", AgentFact::WrapUpPlanned(plan)), [""; 0]);
        }
        story.begin(1, Direction::Inbound, "+3581", "sales", None);
        let (caller, _) = story.dials(1, "+3581");
        let (agent, _) = story.rings(1, "102", Some("sales"));
        assert!(story.last()["Extensions"].get("WrapUpTime").is_none());
        story.answers(1, agent);
        assert_eq!(story.last()["Extensions"].get("WrapUpTime").cloned(), wanted);
        let until = Time(u64::MAX);
        let (queue, call) = ("sales".to_owned(), Some(CallId(1)));
        story.agent("8001", AgentFact::WrapUpBegan { queue, call, until, by_switch: true, wish: None });
        assert_eq!(story.last()["Extensions"]["WrapUpTime"], "untimed");
        story.ends(1, caller, Cause::Normal, true);
        story.ends(1, agent, Cause::Normal, false);
        story.close();
    }
}

#[test]
fn what_a_request_causes_carries_its_reference() {
    let mut story = Story::new();
    let reasons = Pairs::from([("Shift".to_owned(), "Early".into())]);
    let (agent, queue) = ("8001".to_owned(), Some("sales".to_owned()));
    let ask = Ask::Login { agent, queue: queue.clone(), mode: WorkMode::AutoIn, reasons, wrapup_s: None };
    let request = RequestId(1);
    let asked = Asked {
        client: "desk".to_owned(),
        by: Asker { name: "Ada".to_owned(), role: AskerRole::Agent },
        reference: 77,
        device: "102".to_owned(),
        ask,
        switch: Some("pbx".to_owned()),
        deadline: Time(u64::MAX),
    };
    story.request = Some(request);
    assert_eq!(story.tell(Fact::Request { request, fact: RequestFact::Asked(Box::new(asked)) }), [""; 0]);
    story.agent("8001", AgentFact::LoggedIn { device: "102".to_owned(), queue });
    let login = story.last();
    assert_eq!((&login["ReferenceID"], &login["AgentWorkMode"]), (&json!(77), &json!("AutoIn")));
    assert_eq!(login["Reasons"], json!({"Shift": "Early"}));
    story.request = None;
    story.agent("8001", AgentFact::Ready);
    assert!(story.last().get("ReferenceID").is_none());
}
