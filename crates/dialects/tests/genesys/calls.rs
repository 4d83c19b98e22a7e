//! Simple calls: in, out, between telephones; busy, unanswered, abandoned; hold, mute, silent listeners, lost calls.

use cordboard_core::Origin;
use cordboard_core::event::{CallFact, Cause, Direction, LegFact, Role, SuperviseMode, With};
use serde_json::json;

use crate::story::Story;

#[test]
fn a_call_between_two_telephones() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (a, said) = story.dials(1, "101");
    assert_eq!(said, ["Dialing 101 > 102"]);
    let dialing = story.last();
    assert_eq!(dialing["id"], "EventDialing");
    assert_eq!(dialing["CallType"], "Internal");
    assert_eq!(dialing["ThisDNRole"], "Origination");
    assert_eq!(dialing["ConnID"], "6553f10000000001@pbx");
    assert_eq!(dialing["CallID"], 1);
    assert_eq!(dialing["Extensions"]["SwitchCallID"], "link-1");
    assert!(dialing.get("ANI").is_none());
    let (b, said) = story.rings(1, "102", None);
    assert_eq!(said, ["Ringing 102 < 101, Ok"]);
    assert!(story.last().get("ANI").is_none(), "no network gave a number");
    assert_eq!(story.answers(1, b), ["Established 102 < 101, Ok"]);
    assert_eq!(story.answers(1, a), ["Established 101 > 102, Ok"]);
    assert_eq!(story.ends(1, b, Cause::Normal, true), ["Released 102 < 101, Ok"]);
    assert_eq!(story.last()["Extensions"]["ReleasingParty"], "1 Local");
    assert_eq!(story.ends(1, a, Cause::Normal, false), ["Released 101 > 102, Ok"]);
    assert_eq!(story.last()["Extensions"]["ReleasingParty"], "2 Remote");
    story.close();
}

#[test]
fn an_inbound_call_tells_the_caller_nothing() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    let (caller, said) = story.dials(1, "+3581");
    assert_eq!(said, [""; 0]);
    let (b, said) = story.rings(1, "101", None);
    assert_eq!(said, ["Ringing 101 < +3581, Ok"]);
    let ringing = story.last();
    assert_eq!(
        (&ringing["ANI"], &ringing["DNIS"], &ringing["CallType"]),
        (&json!("+3581"), &json!("+3589"), &json!("Inbound"))
    );
    assert_eq!(story.answers(1, b), ["Established 101 < +3581, Ok"]);
    assert_eq!(story.answers(1, caller), [""; 0]);
    assert_eq!(story.ends(1, caller, Cause::Normal, true), [""; 0]);
    assert_eq!(story.ends(1, b, Cause::Normal, false), ["Released 101 < +3581, Ok"]);
    story.close();
}

#[test]
fn a_caller_without_a_number_is_no_far_end() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "", "+3589", None);
    let (_, mut party) = story.party("+", Role::Originator, None);
    party.number.clear();
    let (b, _) = {
        story.leg(1, cordboard_core::LegId(1), LegFact::Dialing(party));
        story.rings(1, "101", None)
    };
    let ringing = story.last();
    assert!(ringing.get("OtherDN").is_none() && ringing.get("OtherDNRole").is_none() && ringing.get("ANI").is_none());
    story.ends(1, b, Cause::Cancelled, false);
    story.close();
}

#[test]
fn a_caller_gives_up_while_the_telephone_rings() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (a, _) = story.dials(1, "101");
    let (b, _) = story.rings(1, "102", None);
    assert_eq!(story.ends(1, a, Cause::Normal, true), ["Released 101 > 102, Ok"]);
    assert_eq!(story.ends(1, b, Cause::Cancelled, false), ["Abandoned 102 < 101, Ok"]);
    story.close();
}

#[test]
fn the_called_side_is_busy_does_not_answer_or_does_not_exist() {
    for (cause, on_target, on_caller, at_the_end) in [
        (Cause::Busy, "Released 102 < 101, Busy", "DestinationBusy 101 > 102, Busy", "Released 101 > 102, Busy"),
        (
            Cause::Unallocated,
            "Released 102 < 101, SitInvalidnum",
            "DestinationBusy 101 > 102, SitInvalidnum",
            "Released 101 > 102, SitInvalidnum",
        ),
        (
            Cause::Rejected,
            "Released 102 < 101, Droppednoanswer",
            "DestinationBusy 101 > 102, Busy",
            "Released 101 > 102, Ok",
        ),
        (
            Cause::Congestion,
            "Released 102 < 101, AllTrunksBusy",
            "DestinationBusy 101 > 102, AllTrunksBusy",
            "Released 101 > 102, AllTrunksBusy",
        ),
    ] {
        let mut story = Story::new();
        story.begin(1, Direction::Internal, "101", "102", None);
        let (a, _) = story.dials(1, "101");
        let (b, _) = story.rings(1, "102", None);
        assert_eq!(story.ends(1, b, cause, true), [on_caller, on_target]);
        assert_eq!(story.ends(1, a, cause, false), [at_the_end], "and busy is not told again");
        story.close();
    }
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "102", None);
    let (a, _) = story.dials(1, "101");
    let (b, _) = story.rings(1, "102", None);
    assert_eq!(story.ends(1, b, Cause::NoAnswer, false), ["Released 102 < 101, NoAnswer"]);
    assert_eq!(story.ends(1, a, Cause::NoAnswer, false), ["Released 101 > 102, NoAnswer"]);
    story.close();
}

#[test]
fn the_switch_refuses_a_number_before_it_calls_anybody() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "999", None);
    let (a, _) = story.dials(1, "101");
    let said = story.ends(1, a, Cause::Unallocated, false);
    assert_eq!(said, ["DestinationBusy 101 > 999, SitInvalidnum", "Released 101 > 999, SitInvalidnum"]);
    story.close();
}

#[test]
fn an_outbound_call_reaches_the_network() {
    let mut story = Story::new();
    story.begin(1, Direction::Outbound, "101", "+3581", None);
    let (a, said) = story.dials(1, "101");
    assert_eq!(said, ["Dialing 101 > +3581"]);
    assert_eq!(story.last()["CallType"], "Outbound");
    let (b, said) = story.rings(1, "+3581", None);
    assert_eq!(said, [""; 0]);
    assert_eq!(story.leg(1, b, LegFact::NetworkReached), ["NetworkReached 101 > +3581, Ok"]);
    assert_eq!(story.answers(1, b), [""; 0]);
    assert_eq!(story.answers(1, a), ["Established 101 > +3581, Ok"]);
    assert_eq!(story.ends(1, b, Cause::Normal, true), [""; 0]);
    assert_eq!(story.ends(1, a, Cause::Normal, false), ["Released 101 > +3581, Ok"]);
    story.close();
}

#[test]
fn a_telephone_that_is_made_to_call_dials_once() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "", None);
    let (a, party) = story.party("101", Role::Originator, None);
    assert_eq!(story.leg(1, a, LegFact::Ringing(party.clone())), ["Dialing 101"]);
    assert_eq!(story.last()["CallType"], "Unknown", "nothing is known of the far side");
    assert_eq!(story.leg(1, a, LegFact::Dialing(party)), [""; 0]);
    story.ends(1, a, Cause::Normal, true);
    story.close();
}

#[test]
fn ring_all_tells_the_others_who_was_not_quick() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    let (caller, _) = story.dials(1, "+3581");
    let (a, _) = story.rings(1, "101", None);
    let (b, _) = story.rings(1, "102", None);
    assert_eq!(story.answers(1, a), ["Established 101 < +3581, Ok"]);
    assert_eq!(story.ends(1, b, Cause::AnsweredElsewhere, false), ["Released 102, Pickedup"]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, a, Cause::Normal, false);
    story.close();
}

#[test]
fn hold_and_retrieve_are_told_to_the_holder_only() {
    let mut story = Story::new();
    let (caller, b) = story.inbound(1);
    assert_eq!(story.leg(1, b, LegFact::Held), ["Held 101 < +3581, Ok"]);
    assert_eq!(story.leg(1, b, LegFact::Retrieved), ["Retrieved 101 < +3581, Ok"]);
    assert_eq!(story.leg(1, b, LegFact::Held), ["Held 101 < +3581, Ok"]);
    assert_eq!(story.ends(1, caller, Cause::Normal, true), [""; 0]);
    assert_eq!(story.ends(1, b, Cause::Normal, false), ["Released 101 < +3581, Ok"], "from hold straight to the end");
    story.close();
}

#[test]
fn mute_is_told_on_the_topic_of_agents() {
    let mut story = Story::new();
    let (_, b) = story.inbound(1);
    assert_eq!(story.leg(1, b, LegFact::Muted), ["MuteOn 101"]);
    let muted = story.last();
    assert_eq!(muted["ThisDNRole"], "Destination");
    assert!(muted.get("time").is_none() && muted.get("Server").is_none(), "the published table has neither");
    assert_eq!(story.messages.last().unwrap().channel, "voice-agentstate");
    assert_eq!(story.messages.last().unwrap().key, "acme:101");
    assert_eq!(story.leg(1, b, LegFact::Unmuted), ["MuteOff 101"]);
}

#[test]
fn attached_data_travels_with_the_call() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    story.dials(1, "+3581");
    let said =
        story.call(1, CallFact::UserDataSet { key: "customer".to_owned(), value: "Ada \"L\"\r\n\u{1F600}".to_owned() });
    assert_eq!(said, [""; 0]);
    story.rings(1, "101", None);
    assert_eq!(story.last()["UserData"], json!({ "customer": "Ada \"L\"\r\n\u{1F600}" }));
}

#[test]
fn events_of_one_call_share_one_key() {
    let mut story = Story::new();
    story.inbound(1);
    let keys: std::collections::BTreeSet<_> = story.messages.iter().map(|message| message.key.clone()).collect();
    assert_eq!(keys.len(), 1);
    let thread = story.last()["CallThreadID"].as_str().unwrap().to_owned();
    assert_eq!(keys.into_iter().next().unwrap(), format!("acme:{thread}"));
    assert_eq!(uuid::Uuid::parse_str(&thread).unwrap().get_version_num(), 5);
}

#[test]
fn a_silent_listener_is_an_observer() {
    let mut story = Story::new();
    let (caller, b) = story.inbound(1);
    let said = story.call(1, CallFact::SupervisionBegan { by: "103".to_owned(), mode: SuperviseMode::Whisper });
    assert_eq!(
        said,
        ["Ringing 103 < +3581, Bridged", "PartyAdded 101 ~ 103, Bridged", "Established 103 < +3581, Bridged"]
    );
    assert_eq!(story.last()["ThisDNRole"], "Observer");
    assert_eq!(story.last()["Extensions"]["MonitorMode"], "coach");
    let said = story.call(1, CallFact::SupervisionEnded { by: "103".to_owned() });
    assert_eq!(said, ["Released 103 < +3581, Ok", "PartyDeleted 101 - 103, Ok, DeletedBy 103"]);
    story.call(1, CallFact::SupervisionBegan { by: "103".to_owned(), mode: SuperviseMode::Listen });
    let said = story.ends(1, b, Cause::Normal, true);
    assert_eq!(said, ["Released 101, Ok", "PartyDeleted 103 - 101, Ok, DeletedBy 101"]);
    assert_eq!(story.call(1, CallFact::SupervisionEnded { by: "103".to_owned() }), ["Released 103 < +3581, Ok"]);
    story.ends(1, caller, Cause::Normal, false);
    story.close();
}

#[test]
fn what_is_found_late_begins_before_it_is_established() {
    let mut story = Story::new();
    story.origin = Origin::Synthesised;
    story.begin(1, Direction::Internal, "101", "102", None);
    let (a, party) = story.party("101", Role::Originator, None);
    let said = story.leg(1, a, LegFact::Answered { with: With::Person, party: Some(party) });
    assert_eq!(said, ["Dialing 101 > 102", "Established 101 > 102, Ok"]);
    assert_eq!(story.last()["Extensions"]["Origin"], "synthesised");
    let (b, party) = story.party("102", Role::Destination, None);
    let said = story.leg(1, b, LegFact::Answered { with: With::Person, party: Some(party) });
    assert_eq!(said, ["Ringing 102 < 101, Ok", "Established 102 < 101, Ok"]);
    assert_eq!(story.ends(1, a, Cause::Lost, false), ["Released 101 > 102, GeneralError"]);
    assert_eq!(story.last()["Extensions"]["ReleasingParty"], "3 Unknown");
    assert_eq!(story.ends(1, b, Cause::Lost, false), ["Released 102 < 101, GeneralError"]);
    story.close();
}

#[test]
fn a_menu_of_the_switch_and_recordings_are_told_nobody() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "101", "800", None);
    let (a, _) = story.dials(1, "101");
    let said = story.leg(1, a, LegFact::Answered { with: With::System, party: None });
    assert_eq!(said, ["Established 101 > 800, Ok"]);
    for fact in [
        CallFact::IvrEntered { flow: "menu".to_owned() },
        CallFact::IvrLeft,
        CallFact::RecordingStarted { file: "a.wav".to_owned() },
        CallFact::RecordingPaused,
        CallFact::RecordingResumed,
        CallFact::RecordingStopped,
        CallFact::AlsoKnownAs { key: "x".to_owned() },
        CallFact::Described { ani: "101".to_owned(), dnis: "800".to_owned(), direction: Direction::Internal },
    ] {
        assert_eq!(story.call(1, fact), [""; 0]);
    }
    assert_eq!(story.ends(1, a, Cause::Normal, true), ["Released 101 > 800, Ok"]);
    story.close();
}
