//! Calls that wait in queues.

use cordboard_core::CallId;
use cordboard_core::LegId;
use cordboard_core::event::{
    AgentFact, CallFact, Cause, DequeueReason, Direction, LegFact, QueueFact, Role, WrapUpEnd,
};
use serde_json::json;

use crate::story::Story;

fn waiting(story: &mut Story) -> LegId {
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    let (caller, _) = story.dials(1, "+3581");
    assert_eq!(enters(story, "sales"), ["Queued sales < +3581, Ok"]);
    caller
}

fn enters(story: &mut Story, queue: &str) -> Vec<String> {
    story.call(1, CallFact::Queued { queue: queue.to_owned(), position: 1 })
}

fn leaves(story: &mut Story, queue: &str, reason: DequeueReason) -> Vec<String> {
    story.call(1, CallFact::Dequeued { queue: queue.to_owned(), reason, to: None })
}

#[test]
fn a_call_is_delivered_to_an_agent() {
    let mut story = Story::new();
    story.queue("sales", QueueFact::WrapUpSet { wrapup_ms: 20_000 });
    story.agent("8001", AgentFact::LoggedIn { device: "101".to_owned(), queue: Some("sales".to_owned()) });
    story.agent("8001", AgentFact::Ready);
    let caller = waiting(&mut story);
    let queued = story.last();
    assert_eq!((&queued["ThisQueue"], &queued["ThisDNRole"]), (&json!("sales"), &json!("Destination")));
    let (b, said) = story.rings(1, "101", Some("sales"));
    assert_eq!(said, ["Ringing 101 < +3581, Ok"]);
    let ringing = story.last();
    assert_eq!((&ringing["ThisQueue"], &ringing["AgentID"]), (&json!("sales"), &json!("8001")));
    assert!(ringing["Extensions"].get("WrapUpTime").is_none(), "it may change before the answer");
    assert_eq!(story.answers(1, b), ["Established 101 < +3581, Ok"]);
    let established = story.last();
    assert_eq!(established["Extensions"]["WrapUpTime"], 20);
    assert_eq!(established["Extensions"]["BusinessCall"], 1);
    let said = leaves(&mut story, "sales", DequeueReason::Answered);
    assert_eq!(said, ["Diverted sales < +3581, Ok, Destination 101"]);
    assert!(story.last().get("ANI").is_none(), "never in this event");
    story.leg(1, b, LegFact::Held);
    story.leg(1, b, LegFact::Retrieved);
    assert_eq!(story.last()["ThisQueue"], "sales", "as it was before the hold");
    let until = cordboard_core::Time(story.world.now.0 + 1_000 + 20_000_000);
    let began = AgentFact::WrapUpBegan {
        queue: "sales".to_owned(),
        call: Some(CallId(1)),
        until,
        by_switch: false,
        wish: None,
    };
    assert_eq!(story.agent("8001", began), ["AgentNotReady 101, AfterCallWork"]);
    assert_eq!(story.last()["Extensions"], json!({ "WrapUpTime": 20 }));
    assert_eq!(story.messages.last().unwrap().key, "acme:8001");
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, b, Cause::Normal, false), ["Released 101 < +3581, Ok"]);
    let said = story.agent("8001", AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed });
    assert_eq!(said, ["AgentReady 101, AutoIn"]);
    story.close();
}

#[test]
fn who_calls_is_no_agent_of_a_queue() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (a, party) = story.party("101", Role::Originator, Some("sales"));
    assert_eq!(story.leg(1, a, LegFact::Dialing(party)), ["Dialing 101 > 102"]);
    assert!(story.last().get("ThisQueue").is_none());
}

#[test]
fn a_caller_gives_up_in_the_queue() {
    let mut story = Story::new();
    let caller = waiting(&mut story);
    let (b, _) = story.rings(1, "101", Some("sales"));
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, b, Cause::Cancelled, false), ["Abandoned 101 < +3581, Ok"]);
    assert_eq!(leaves(&mut story, "sales", DequeueReason::Abandoned), ["Abandoned sales < +3581, Ok"]);
    assert_eq!(story.last()["ThisQueue"], "sales");
    story.close();
}

#[test]
fn an_agent_does_not_answer_and_the_call_goes_on_waiting() {
    let mut story = Story::new();
    let caller = waiting(&mut story);
    let (b, _) = story.rings(1, "101", Some("sales"));
    assert_eq!(story.ends(1, b, Cause::NoAnswer, false), ["Released 101 < +3581, Redirected"]);
    let (c, _) = story.rings(1, "102", Some("sales"));
    assert_eq!(story.ends(1, c, Cause::Busy, true), ["Released 102 < +3581, Busy"], "and nobody is told busy");
    let (d, _) = story.rings(1, "103", Some("sales"));
    assert_eq!(leaves(&mut story, "sales", DequeueReason::Answered), ["Diverted sales < +3581, Ok, Destination 103"]);
    story.answers(1, d);
    story.ends(1, d, Cause::Normal, true);
    story.ends(1, caller, Cause::Normal, false);
    story.close();
}

#[test]
fn a_call_leaves_a_queue_in_every_way() {
    for (reason, said) in [
        (DequeueReason::TimedOut, "Diverted sales < +3581, Overflowed"),
        (DequeueReason::LeftEmpty, "Diverted sales < +3581, Overflowed"),
        (DequeueReason::Withdrawn, "Diverted sales < +3581, Redirected"),
        (DequeueReason::Left, "Diverted sales < +3581, Redirected"),
        (DequeueReason::Lost, "Abandoned sales < +3581, Dropped"),
    ] {
        let mut story = Story::new();
        waiting(&mut story);
        assert_eq!(leaves(&mut story, "sales", reason), [said]);
        assert_eq!(enters(&mut story, "support"), ["Queued support < +3581, Ok"]);
        leaves(&mut story, "support", DequeueReason::Abandoned);
        story.close();
    }
}

#[test]
fn a_telephone_of_ours_waits_in_a_queue() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "102", "600", None);
    let (a, said) = story.dials(1, "102");
    assert_eq!(said, ["Dialing 102 > 600"]);
    assert_eq!(enters(&mut story, "sales"), ["Queued sales < 102, Ok"]);
    let (busy, _) = story.rings(1, "103", Some("sales"));
    assert_eq!(story.ends(1, busy, Cause::Busy, true), ["Released 103 < 102, Busy"], "the queue goes on looking");
    let (b, said) = story.rings(1, "101", Some("sales"));
    assert_eq!(said, ["Ringing 101 < 102, Ok"]);
    story.answers(1, b);
    let extensions = &story.last()["Extensions"];
    assert_eq!(extensions["BusinessCall"], 1);
    assert!(extensions.get("WrapUpTime").is_none(), "no after-call work follows");
    assert_eq!(story.answers(1, a), ["Established 102 > 101, Ok"]);
    assert_eq!(story.last()["OtherQueue"], "sales");
    leaves(&mut story, "sales", DequeueReason::Answered);
    story.ends(1, a, Cause::Normal, true);
    story.ends(1, b, Cause::Normal, false);
    story.close();
}
