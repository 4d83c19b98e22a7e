//! Route points, treatments and predictive calls.

use cordboard_core::LegId;
use cordboard_core::datum::{Datum, Pairs};
use cordboard_core::event::{
    CallFact, CallResult, Cause, DequeueReason, Direction, LegFact, Role, RouteKind, TreatmentKind, With,
};
use serde_json::json;

use crate::story::Story;

fn request(at: &str) -> CallFact {
    CallFact::RouteRequested { at: at.to_owned() }
}

fn routed(at: &str, to: Option<&str>) -> CallFact {
    CallFact::Routed { at: at.to_owned(), to: to.map(str::to_owned), kind: RouteKind::Default }
}

fn at_route_point(story: &mut Story) -> LegId {
    story.begin(1, Direction::Internal, "101", "501", None);
    let (caller, said) = story.dials(1, "101");
    assert_eq!(said, ["Dialing 101 > 501"]);
    assert_eq!(story.call(1, request("501")), ["RouteRequest 501 < 101, Ok"]);
    caller
}

#[test]
fn a_call_is_routed() {
    let mut story = Story::new();
    let caller = at_route_point(&mut story);
    assert_eq!(story.last()["ThisQueue"], "501");
    assert!(story.last().get("PreviousConnID").is_none());
    assert_eq!(story.call(1, routed("501", Some("103"))), ["RouteUsed 501 = 101, Ok, Destination 103"]);
    let (target, said) = story.rings(1, "103", Some("501"));
    assert_eq!(said, ["Ringing 103 < 101, Ok"]);
    assert_eq!(story.last()["ThisQueue"], "501");
    story.answers(1, target);
    story.answers(1, caller);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, target, Cause::Normal, false);
    assert_eq!(story.end(1), [""; 0]);
    story.close();
}

#[test]
fn who_gives_up_at_a_route_point_has_abandoned_it() {
    let mut story = Story::new();
    let caller = at_route_point(&mut story);
    assert_eq!(story.ends(1, caller, Cause::Normal, true), ["Released 101 > 501, Ok"]);
    assert_eq!(story.end(1), ["Abandoned 501 < 101, Ok"]);
    story.close();
}

#[test]
fn who_gives_up_in_a_routing_queue_has_abandoned_it_once() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "550", None);
    let (caller, _) = story.dials(1, "101");
    let queue = "550".to_owned();
    assert_eq!(story.call(1, CallFact::Queued { queue: queue.clone(), position: 1 }), ["Queued 550 < 101, Ok"]);
    assert_eq!(story.call(1, request("550")), ["RouteRequest 550 < 101, Ok"]);
    story.ends(1, caller, Cause::Normal, true);
    let gone = CallFact::Dequeued { queue, reason: DequeueReason::Abandoned, to: None };
    assert_eq!(story.call(1, gone), ["Abandoned 550 < 101, Ok"]);
    assert_eq!(story.end(1), [""; 0]);
    story.close();
}

#[test]
fn a_target_that_is_busy_is_told_to_who_calls() {
    let mut story = Story::new();
    let caller = at_route_point(&mut story);
    story.call(1, routed("501", Some("103")));
    let refused = |cause| CallFact::TargetRefused { to: "103".to_owned(), cause };
    assert_eq!(story.call(1, refused(Cause::Busy)), ["DestinationBusy 101 > 103, Busy"]);
    assert_eq!(story.call(1, refused(Cause::Unallocated)), ["DestinationBusy 101 > 103, SitInvalidnum"]);
    assert_eq!(story.ends(1, caller, Cause::Normal, true), ["Released 101 > 501, Ok"]);
    story.close();
}

#[test]
fn treatments() {
    let mut story = Story::new();
    let caller = at_route_point(&mut story);
    let (at, parameters) = ("501".to_owned(), Pairs::from([("MAX_DIGITS".to_owned(), Datum::from("4"))]));
    let kind = TreatmentKind::PlayAnnouncementAndDigits;
    story.call(1, CallFact::TreatmentApplied { at: at.clone(), kind, parameters: parameters.clone() });
    let applied = story.last();
    assert_eq!((&applied["id"], &applied["CustomerID"]), (&json!("EventTreatmentApplied"), &json!("acme")));
    assert_eq!(applied["TreatmentType"], "PlayAnnouncementAndDigits");
    assert_eq!(applied["TreatmentParms"], json!({"MAX_DIGITS": "4"}));
    assert!(applied["Extensions"].is_object());
    let end = |kind, digits: Option<&str>, interrupted| CallFact::TreatmentEnded {
        at: "501".to_owned(),
        kind,
        digits: digits.map(str::to_owned),
        interrupted,
    };
    story.call(1, end(kind, Some("12#"), true));
    let ended = story.last();
    assert_eq!((&ended["CollectedDigits"], &ended["LastCollectedDigit"]), (&json!("12#"), &json!("#")));
    assert_eq!(ended["Extensions"]["INTERRUPTED"], "KEYPAD");
    assert_eq!(ended["Extensions"]["COMPLETION_STATUS"], "NORMAL");
    story.call(1, end(kind, None, false));
    assert_eq!((&story.last()["Extensions"]["INTERRUPTED"], story.last().get("CollectedDigits")), (&json!("NO"), None));
    assert_eq!(story.call(1, end(TreatmentKind::Music, None, false)), [""; 0], "music has no end");
    story.call(1, CallFact::TreatmentRefused { at, kind, parameters });
    assert_eq!((&story.last()["id"], &story.last()["ErrorCode"]), (&json!("EventTreatmentNotApplied"), &json!(51)));
    assert_eq!(story.call(1, routed("501", None)), ["RouteUsed 501 = 101, Ok"]);
    let said = story.ends(1, caller, Cause::Rejected, false);
    assert_eq!(said, ["DestinationBusy 101 > 501, Busy", "Released 101 > 501, Ok"]);
    story.close();
}

/// The queue 600 calls somebody outside.
fn predictive(story: &mut Story) -> (LegId, LegId) {
    story.begin(1, Direction::Outbound, "600", "+3581", None);
    let (queue, party) = story.party("600", Role::Originator, None);
    assert_eq!(story.leg(1, queue, LegFact::Dialing(party)), ["Dialing 600 > +3581"]);
    assert_eq!((&story.last()["ThisQueue"], &story.last()["ThisDNRole"]), (&json!("600"), &json!("Origination")));
    let (outside, said) = story.rings(1, "+3581", None);
    assert_eq!(said, [""; 0]);
    assert_eq!(story.leg(1, outside, LegFact::NetworkReached), [""; 0], "a queue is told only how it ends");
    (queue, outside)
}

#[test]
fn a_predictive_call_is_given_to_an_agent() {
    for (result, state) in [
        (None, "Ok"),
        (Some(CallResult::AnsweringMachine), "AnsweringMachineDetected"),
        (Some(CallResult::Fax), "FaxDetected"),
    ] {
        let mut story = Story::new();
        let (queue, outside) = predictive(&mut story);
        if let Some(result) = result {
            assert_eq!(story.call(1, CallFact::Detected { result }), [""; 0]);
        }
        assert_eq!(story.ends(1, queue, Cause::Queued, false), [""; 0]);
        assert_eq!(story.leg(1, outside, LegFact::Answered { with: With::System, party: None }), [""; 0]);
        let name = "600".to_owned();
        let said = story.call(1, CallFact::Queued { queue: name.clone(), position: 1 });
        assert_eq!(said, [format!("Queued 600 > +3581, {state}")]);
        let class = story.last().get("UserData").map(|data| data["AnswerClass"].clone());
        let wanted = match result {
            Some(CallResult::AnsweringMachine) => Some(json!("AM")),
            Some(CallResult::Fax) => Some(json!("FAX")),
            Some(CallResult::Person) | None => None,
        };
        assert_eq!(class, wanted);
        let to = Some("101".to_owned());
        let said = story.call(1, CallFact::Dequeued { queue: name, reason: DequeueReason::Delivered, to });
        assert_eq!(said, ["Diverted 600 > +3581, Ok, Origination 101"]);
        let (agent, party) = story.party("101", Role::Originator, Some("600"));
        assert_eq!(story.leg(1, agent, LegFact::Ringing(party)), ["Ringing 101 > +3581, Ok"]);
        assert_eq!((&story.last()["ThisQueue"], &story.last()["ThisDNRole"]), (&json!("600"), &json!("Origination")));
        assert_eq!(story.answers(1, agent), ["Established 101 > +3581, Ok"]);
        assert_eq!(story.leg(1, agent, LegFact::Held), ["Held 101 > +3581, Ok"]);
        assert_eq!(story.leg(1, agent, LegFact::Retrieved), ["Retrieved 101 > +3581, Ok"]);
        assert_eq!(story.ends(1, agent, Cause::Normal, true), ["Released 101 > +3581, Ok"]);
        assert_eq!(story.ends(1, outside, Cause::Normal, false), [""; 0]);
        story.close();
    }
}

#[test]
fn an_agent_who_does_not_take_a_predictive_call_is_released() {
    let mut story = Story::new();
    let (queue, outside) = predictive(&mut story);
    story.ends(1, queue, Cause::Queued, false);
    story.leg(1, outside, LegFact::Answered { with: With::System, party: None });
    for (cause, said) in [
        (Cause::Rejected, "Released 101 > +3581, Redirected"),
        (Cause::NoAnswer, "Released 101 > +3581, Redirected"),
        (Cause::Cancelled, "Abandoned 101 > +3581, Ok"),
    ] {
        let (agent, party) = story.party("101", Role::Originator, Some("600"));
        story.leg(1, agent, LegFact::Ringing(party));
        assert_eq!(story.ends(1, agent, cause, cause == Cause::Rejected), [said]);
    }
    story.close();
}

#[test]
fn a_predictive_call_that_fails_is_released_at_the_queue() {
    for (cause, state) in [(Cause::Busy, "Busy"), (Cause::NoAnswer, "NoAnswer"), (Cause::Unallocated, "SitInvalidnum")]
    {
        let mut story = Story::new();
        let (queue, outside) = predictive(&mut story);
        assert_eq!(story.ends(1, outside, cause, false), [""; 0]);
        assert_eq!(story.ends(1, queue, cause, false), [format!("Released 600 > +3581, {state}")]);
        story.close();
    }
}
