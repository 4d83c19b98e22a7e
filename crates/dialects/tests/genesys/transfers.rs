//! Calls that are handed on, joined, parked.

use cordboard_core::event::{CallFact, Cause, Direction, LegFact, Transfer, TransferKind};
use cordboard_core::{CallId, LegId};

use crate::story::Story;

fn transfer(kind: TransferKind, by: &str, to: &str, consult: Option<u64>) -> CallFact {
    CallFact::Transferred(Transfer { kind, by: by.to_owned(), to: to.to_owned(), consult: consult.map(CallId) })
}

/// 101 holds call 1 with an outside party and has called 102 about it.
fn consulting(story: &mut Story) -> (LegId, LegId, LegId, LegId) {
    let (caller, b) = story.inbound(1);
    story.leg(1, b, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "102", Some(1));
    let (b2, said) = story.dials(2, "101");
    assert_eq!(said, ["Dialing 101 > 102"]);
    assert_eq!(story.last()["CallType"], "Consult");
    assert_eq!(story.last()["PreviousConnID"], "6553f10000000001@pbx");
    let (c, said) = story.rings(2, "102", None);
    assert_eq!(said, ["Ringing 102 < 101, Ok"]);
    (caller, b, b2, c)
}

#[test]
fn an_attended_transfer_keeps_the_held_call() {
    let mut story = Story::new();
    let (caller, b, b2, c) = consulting(&mut story);
    story.answers(2, c);
    story.answers(2, b2);
    assert_eq!(story.call(1, transfer(TransferKind::Attended, "101", "102", Some(2))), [""; 0]);
    assert_eq!(story.ends(1, b, Cause::Transferred, false), ["Released 101 < +3581, Transferred"]);
    let said = story.leg(2, c, LegFact::Moved { to: CallId(1) });
    assert_eq!(said, ["PartyChanged 102 < +3581, Transferred, TransferredBy 101"]);
    let changed = story.last();
    assert_eq!(changed["ConnID"], "6553f10000000001@pbx");
    assert_eq!(changed["PreviousConnID"], "6553f10000000002@pbx");
    assert_eq!(changed["CallType"], "Inbound");
    assert_eq!(changed["CallThreadID"], story.nth_last(1)["CallThreadID"]);
    assert_eq!(story.ends(2, b2, Cause::Transferred, false), ["Released 101 > 102, Transferred"]);
    assert_eq!(story.call(1, CallFact::TransferCompleted { to: c }), [""; 0]);
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, c, Cause::Normal, false), ["Released 102 < +3581, Ok"]);
    story.close();
}

#[test]
fn a_party_of_ours_is_told_of_a_transfer() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "103", "101", None);
    let (a, _) = story.dials(1, "103");
    let (b, _) = story.rings(1, "101", None);
    story.answers(1, b);
    story.answers(1, a);
    story.leg(1, b, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "102", Some(1));
    let (b2, _) = story.dials(2, "101");
    let (c, _) = story.rings(2, "102", None);
    story.call(1, transfer(TransferKind::Attended, "101", "102", Some(2)));
    story.ends(1, b, Cause::Transferred, false);
    let said = story.leg(2, c, LegFact::Moved { to: CallId(1) });
    let both = [
        "PartyChanged 102 < 103, Transferred, TransferredBy 101",
        "PartyChanged 103 > 102, Transferred, TransferredBy 101",
    ];
    assert_eq!(said, both, "before the target answers, too");
    story.ends(2, b2, Cause::Transferred, false);
    assert_eq!(story.answers(1, c), ["Established 102 < 103, Transferred, TransferredBy 101"]);
    story.ends(1, a, Cause::Normal, true);
    story.ends(1, c, Cause::Normal, false);
    story.close();
}

#[test]
fn a_blind_transfer_uses_one_call() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "103", "101", None);
    let (a, _) = story.dials(1, "103");
    let (b, _) = story.rings(1, "101", None);
    story.answers(1, b);
    story.answers(1, a);
    let said = story.call(1, transfer(TransferKind::Blind, "101", "102", None));
    assert_eq!(said, ["PartyChanged 103 > 102, Transferred, TransferredBy 101"]);
    assert_eq!(story.ends(1, b, Cause::Transferred, false), ["Released 101 < 103, Transferred"]);
    let (c, said) = story.rings(1, "102", None);
    assert_eq!(said, ["Ringing 102 < 103, Transferred, of 101"]);
    assert_eq!(story.answers(1, c), ["Established 102 < 103, Transferred, TransferredBy 101"]);
    story.call(1, CallFact::TransferCompleted { to: c });
    story.ends(1, c, Cause::Normal, true);
    assert_eq!(story.ends(1, a, Cause::Normal, false), ["Released 103 > 102, Ok"]);
    story.close();
}

#[test]
fn a_consultation_is_joined_to_a_conference() {
    let mut story = Story::new();
    let (caller, b, b2, c) = consulting(&mut story);
    story.answers(2, c);
    story.answers(2, b2);
    let fact = CallFact::Conferenced { room: None, by: Some("101".to_owned()), to: Some("102".to_owned()) };
    assert_eq!(story.call(1, fact), [""; 0]);
    assert_eq!(story.leg(1, b, LegFact::Retrieved), ["Retrieved 101 < +3581, Conferenced"]);
    let said = story.leg(2, c, LegFact::Moved { to: CallId(1) });
    assert_eq!(
        said,
        ["PartyChanged 102, Conferenced, ConferencedBy 101", "PartyAdded 101 + 102, Conferenced, AddedBy 101"]
    );
    assert_eq!(story.ends(2, b2, Cause::Transferred, false), ["Released 101 > 102, Conferenced"]);
    story
        .call(2, CallFact::Ended { outcome: cordboard_core::event::Outcome::Answered, cause: Cause::Merged, by: None });
    assert_eq!(story.leg(1, b, LegFact::Held), ["Held 101, Ok"]);
    assert_eq!(story.leg(1, b, LegFact::Retrieved), ["Retrieved 101, Ok"], "a hold like any other");
    let said = story.ends(1, c, Cause::Normal, true);
    assert_eq!(said, ["Released 102, Ok", "PartyDeleted 101 - 102, Ok, DeletedBy 102"]);
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, b, Cause::Normal, false), ["Released 101 < +3581, Ok"]);
    story.close();
}

#[test]
fn a_third_party_that_answers_is_added() {
    let mut story = Story::new();
    let (caller, b) = story.inbound(1);
    let (c, said) = story.rings(1, "102", None);
    assert_eq!(said, ["Ringing 102, Conferenced"], "the far end is several parties");
    assert_eq!(story.answers(1, c), ["Established 102, Conferenced", "PartyAdded 101 + 102, Conferenced"]);
    let (d, _) = story.rings(1, "103", None);
    story.answers(1, d);
    let said = story.ends(1, d, Cause::Normal, true);
    assert_eq!(
        said,
        [
            "Released 103, Ok",
            "PartyDeleted 101 - 103, Conferenced, DeletedBy 103",
            "PartyDeleted 102 - 103, Conferenced, DeletedBy 103"
        ]
    );
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, b, Cause::Normal, false);
    story.ends(1, c, Cause::Normal, false);
    story.close();
}

#[test]
fn a_party_of_several_hands_its_place_on() {
    let mut story = Story::new();
    let (caller, b) = story.inbound(1);
    let (d, _) = story.rings(1, "103", None);
    story.answers(1, d);
    story.leg(1, b, LegFact::Held);
    story.begin(2, Direction::Internal, "101", "102", Some(1));
    let (b2, _) = story.dials(2, "101");
    let (c, _) = story.rings(2, "102", None);
    story.answers(2, c);
    story.answers(2, b2);
    story.call(1, transfer(TransferKind::Attended, "101", "102", Some(2)));
    assert_eq!(story.ends(1, b, Cause::Transferred, false), ["Released 101, Transferred"], "nobody is told of a loss");
    let said = story.leg(2, c, LegFact::Moved { to: CallId(1) });
    let told =
        ["PartyChanged 102, Transferred, TransferredBy 101", "PartyChanged 103 < 102, Transferred, TransferredBy 101"];
    assert_eq!(said, told, "one party is named, several are not");
    story.ends(2, b2, Cause::Transferred, false);
    for leg in [c, d, caller] {
        story.ends(1, leg, Cause::Normal, true);
    }
    story.close();
}

#[test]
fn a_consultation_that_fails_leaves_the_held_call() {
    let mut story = Story::new();
    let (caller, b, b2, c) = consulting(&mut story);
    let said = story.ends(2, c, Cause::Busy, true);
    assert_eq!(said, ["DestinationBusy 101 > 102, Busy", "Released 102 < 101, Busy"]);
    assert_eq!(story.nth_last(1)["PreviousConnID"], "6553f10000000001@pbx");
    story.ends(2, b2, Cause::Normal, true);
    assert_eq!(story.leg(1, b, LegFact::Retrieved), ["Retrieved 101 < +3581, Ok"]);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, b, Cause::Normal, false);
    story.close();
}

#[test]
fn a_parked_party_has_the_place_at_its_far_end() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "103", "101", None);
    let (a, _) = story.dials(1, "103");
    let (b, _) = story.rings(1, "101", None);
    story.answers(1, b);
    story.answers(1, a);
    let said = story.leg(1, a, LegFact::Parked { space: "701".to_owned(), by: "101".to_owned() });
    assert_eq!(said, ["PartyChanged 103 > 701, Transferred, TransferredBy 101"]);
    story.ends(1, b, Cause::Normal, true);
    story.begin(2, Direction::Internal, "102", "701", None);
    let (d, _) = story.dials(2, "102");
    story.answers(2, d);
    assert_eq!(story.leg(1, a, LegFact::Unparked { by: Some("102".to_owned()) }), [""; 0]);
    let said = story.leg(1, a, LegFact::Moved { to: CallId(2) });
    assert_eq!(said, ["PartyChanged 103 < 102, Transferred", "PartyChanged 102 > 103, Transferred"]);
    story.ends(2, d, Cause::Normal, true);
    assert_eq!(story.ends(2, a, Cause::Normal, false), ["Released 103 < 102, Ok"]);
    story.close();
}

#[test]
fn a_call_that_nobody_fetches_comes_back_to_who_parked_it() {
    let mut story = Story::new();
    let (caller, b) = story.inbound(1);
    story.call(1, transfer(TransferKind::Blind, "101", "700", None));
    story.ends(1, b, Cause::Transferred, false);
    story.leg(1, caller, LegFact::Parked { space: "701".to_owned(), by: "101".to_owned() });
    story.leg(1, caller, LegFact::Unparked { by: None });
    let (b, said) = story.rings(1, "101", None);
    assert_eq!(said, ["Ringing 101 < +3581, Ok"]);
    assert_eq!(story.answers(1, b), ["Established 101 < +3581, Ok"]);
    story.call(1, CallFact::TransferCompleted { to: b });
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, b, Cause::Normal, false), ["Released 101 < +3581, Ok"]);
    story.close();
}

#[test]
fn who_is_no_number_of_the_site_is_no_third_party() {
    let mut story = Story::new();
    story.begin(1, Direction::Internal, "103", "101", None);
    let (a, _) = story.dials(1, "103");
    let (b, _) = story.rings(1, "101", None);
    story.answers(1, b);
    story.answers(1, a);
    story.ends(1, b, Cause::Normal, false);
    let said = story.call(1, transfer(TransferKind::Blind, "ami", "102", None));
    assert_eq!(said, ["PartyChanged 103 > 102, Transferred"]);
    story.ends(1, a, Cause::Normal, true);
    story.close();
}

#[test]
fn a_consultation_outlives_the_call_it_is_about() {
    let mut story = Story::new();
    let (caller, b, b2, c) = consulting(&mut story);
    story.ends(1, caller, Cause::Normal, true);
    story.ends(1, b, Cause::Normal, false);
    let ended = CallFact::Ended {
        outcome: cordboard_core::event::Outcome::Answered,
        cause: Cause::Normal,
        by: Some("+3581".to_owned()),
    };
    assert_eq!(story.call(1, ended), [""; 0]);
    assert_eq!(story.answers(2, c), ["Established 102 < 101, Ok"]);
    assert_eq!(story.last()["CallType"], "Consult");
    assert_eq!(story.last()["PreviousConnID"], "6553f10000000001@pbx");
    story.answers(2, b2);
    story.ends(2, c, Cause::Normal, true);
    story.ends(2, b2, Cause::Normal, false);
    story.close();
}
