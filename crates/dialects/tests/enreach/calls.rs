//! What is said of calls.

use cordboard_core::event::{
    AgentFact, CallFact, Cause, DequeueReason, DeviceFact, Direction, ForwardMode, LegFact, Role, SuperviseMode,
    Transfer, TransferKind, UserFact, WrapUpEnd,
};
use cordboard_core::{CallId, Fact, Time};
use serde_json::{Value, json};

use crate::story::Story;

/// A call from outside to Anna's telephone, answered or not yet; gives the legs.
fn direct(story: &mut Story, answered: bool) -> (u64, u64) {
    story.begin(1, Direction::Inbound, "+3581", "101", None);
    let (caller, _) = story.dials(1, "+3581");
    let (anna, _) = story.rings(1, "101", None);
    if answered {
        story.answers(1, anna);
        story.answers(1, caller);
    }
    (caller, anna)
}

/// A call from outside through the queue that Anna serves, answered or not yet.
fn service(story: &mut Story, answered: bool) -> (u64, u64) {
    story.begin(1, Direction::Inbound, "+3581", "sales", None);
    let (caller, _) = story.dials(1, "+3581");
    story.call(1, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    let (anna, said) = story.rings(1, "101", Some("sales"));
    assert_eq!(said, ["anna UserCallInUserAllocated"]);
    if answered {
        story.answers(1, anna);
        let (queue, reason) = ("sales".to_owned(), DequeueReason::Answered);
        story.call(1, CallFact::Dequeued { queue, reason, to: None });
    }
    (caller, anna)
}

#[test]
fn a_direct_call_comes_in_arrives_is_offered_answered_held_and_ends() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "101", None);
    let (caller, said) = story.dials(1, "+3581");
    assert!(said.is_empty(), "nobody of ours is in it yet");
    let (anna, said) = story.rings(1, "101", None);
    assert_eq!(said, ["anna UserCallInComing", "anna UserCallInArrived", "anna UserCallInUserAllocated"]);
    let allocated = story.last("UserCallInUserAllocated");
    assert_eq!(allocated["userName"], "anna@example.org");
    assert_eq!((&allocated["callerNumber"], &allocated["targetNumber"]), (&json!("+3581"), &json!("101")));
    assert_eq!((&allocated["userNumber"], &allocated["publicity"]), (&json!("101"), &json!(0)));
    assert_eq!(story.last("UserCallInComing")["username"], "anna@example.org");
    assert_eq!(story.answers(1, anna), ["anna UserCallInUserConnected"]);
    assert_eq!(story.last("UserCallInUserConnected")["agentLegId"], allocated["legId"]);
    assert!(story.answers(1, caller).is_empty());
    assert_eq!(story.leg(1, anna, LegFact::Held), ["anna UserCallInHoldStart"]);
    assert_eq!(story.leg(1, anna, LegFact::Retrieved), ["anna UserCallInHoldEnd"]);
    assert!(story.ends(1, caller, Cause::Normal, true).is_empty());
    assert_eq!(story.ends(1, anna, Cause::Normal, false), ["anna UserCallInDisconnected"]);
    let over = story.last("UserCallInDisconnected");
    assert_eq!(
        (&over["reason"], &over["techReason"], &over["techQueueId"]),
        (&json!("remote"), &json!("Normal"), &Value::Null)
    );
    assert!(story.over(1, Cause::Normal).is_empty());
    assert_eq!(story.left(), Vec::<String>::new());
}

#[test]
fn who_hung_up_and_the_switchs_own_code_are_told() {
    let mut story = Story::new();
    let (_, anna) = direct(&mut story, true);
    let fact = LegFact::Ended { cause: Cause::Normal, code: Some(16), by_self: true, by: None };
    story.leg(1, anna, fact);
    let over = story.last("UserCallInDisconnected");
    assert_eq!((&over["reason"], &over["techReason"]), (&json!("local"), &json!("Q.850;cause=16")));
}

#[test]
fn what_becomes_of_an_offer() {
    for (cause, by_self, wanted, reason) in [
        (Cause::Cancelled, false, &["Cancelled"][..], "CallerDisconnected"),
        (Cause::Cancelled, true, &["Cancelled", "UserOverflow"], "Redirected"),
        (Cause::Normal, true, &["Cancelled"], "Declined"),
        (Cause::NoAnswer, false, &["Cancelled", "UserOverflow"], "NoAnswer"),
        (Cause::Busy, false, &["Cancelled", "UserOverflow"], "Busy"),
        (Cause::Rejected, true, &["Cancelled", "Overflow"], "Declined"),
        (Cause::AnsweredElsewhere, false, &["Cancelled"], "AnsweredElsewhere"),
        (Cause::OutOfService, false, &["Cancelled", "UserOverflow"], "OutOfService"),
        (Cause::Lost, false, &["Cancelled"], "Lost"),
    ] {
        let mut story = Story::new();
        let (_, anna) = direct(&mut story, false);
        let said = story.ends(1, anna, cause, by_self);
        let full = |it: &&str| match *it {
            "Overflow" => "anna UserCallInOverflow".to_owned(),
            it => format!("anna UserCallInUser{}", it.trim_start_matches("User")),
        };
        assert_eq!(said, wanted.iter().map(full).collect::<Vec<_>>(), "{cause:?}");
        assert_eq!(story.last("UserCallInUserCancelled")["reason"], reason);
        assert_eq!(story.left(), Vec::<String>::new());
        // A queue looks for somebody else.
        let mut story = Story::new();
        let (_, anna) = service(&mut story, false);
        assert_eq!(story.ends(1, anna, cause, by_self), ["anna UserCallInUserCancelled"], "{cause:?}");
    }
}

#[test]
fn a_telephone_that_does_not_ring_is_told_why() {
    for (fact, cause, reason) in [
        (Some(DeviceFact::DndOn), Cause::Busy, "DND"),
        (None, Cause::Busy, "BusyOnBusy"),
        (None, Cause::Unreachable, "BusyForTechnicalError"),
    ] {
        let mut story = Story::new();
        if let Some(fact) = fact {
            story.device("101", fact);
        }
        story.begin(1, Direction::Inbound, "+3581", "101", None);
        story.dials(1, "+3581");
        let said = story.call(1, CallFact::TargetRefused { to: "101".to_owned(), cause });
        assert_eq!(said, ["anna UserCallInComing", "anna UserCallInArrived", "anna UserCallInUserOverflow"]);
        assert_eq!(story.last("UserCallInUserOverflow")["reason"], reason);
    }
}

#[test]
fn forwarding_is_told_whether_it_rang_or_not() {
    let set = |mode| DeviceFact::ForwardSet { mode, target: "102".to_owned() };
    let mut story = Story::new();
    story.device("101", set(ForwardMode::Unconditional));
    story.begin(1, Direction::Inbound, "+3581", "101", None);
    story.dials(1, "+3581");
    let party = story.party("102", Role::Destination);
    let forwarded = |party| cordboard_core::event::Party { by: Some("101".to_owned()), ..party };
    let said = story.leg(1, 2, LegFact::Ringing(forwarded(party)));
    let elsewhere = ["102 UserCallInArrived", "102 UserCallInUserAllocated"];
    let diverted =
        ["anna UserCallInComing", "anna UserCallInArrived", "anna UserCallInUserOverflow", "anna UserCallInOverflow"];
    assert_eq!(said, [&diverted[..], &elsewhere].concat());
    let overflow = story.last("UserCallInUserOverflow");
    assert_eq!((&overflow["reason"], &overflow["target"]), (&json!("TransferAll"), &json!("102")));

    let mut story = Story::new();
    story.device("101", set(ForwardMode::OnNoAnswer));
    let (_, anna) = direct(&mut story, false);
    let said = story.ends(1, anna, Cause::Redirected, false);
    assert_eq!(said, ["anna UserCallInUserCancelled", "anna UserCallInUserOverflow", "anna UserCallInOverflow"]);
    assert_eq!(story.last("UserCallInUserOverflow")["reason"], "NoAnswer");
    let party = story.party("102", Role::Destination);
    assert_eq!(story.leg(1, 3, LegFact::Ringing(forwarded(party))), elsewhere, "that it rang was told before");
}

#[test]
fn a_forwarded_call_may_wait_in_a_queue() {
    let mut story = Story::new();
    let (mode, target) = (ForwardMode::Unconditional, "sales".to_owned());
    story.device("102", DeviceFact::ForwardSet { mode, target });
    story.begin(1, Direction::Inbound, "+3581", "102", None);
    story.dials(1, "+3581");
    let said = story.call(1, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
    assert_eq!(
        said,
        ["102 UserCallInComing", "102 UserCallInArrived", "102 UserCallInUserOverflow", "102 UserCallInOverflow"]
    );
    let overflow = story.last("UserCallInOverflow");
    assert_eq!((&overflow["connectedTarget"], &overflow["techQueueName"]), (&overflow["techQueueId"], &json!("sales")));
}

#[test]
fn a_service_call_is_followed_by_after_call_work_with_one_id() {
    let mut story = Story::new();
    let (_, anna) = service(&mut story, true);
    let enabled = story.last("UserWrapUpEnabled");
    assert_eq!((&enabled["maxWrapUpDurationSec"], &enabled["wrapUpType"]), (&json!(10), &json!("Unavailable")));
    let until = Time(story.world.now.0 + 10_001_000);
    let began = AgentFact::WrapUpBegan {
        queue: "sales".to_owned(),
        call: Some(CallId(1)),
        until,
        by_switch: false,
        wish: None,
    };
    assert_eq!(story.agent("anna", began), ["anna UserWrapUpStarted"]);
    assert_eq!(story.last("UserWrapUpStarted")["legId"], enabled["legId"]);
    assert_eq!(story.ends(1, anna, Cause::Normal, true), ["anna UserCallInDisconnected"]);
    story.over(1, Cause::Normal);
    let ended = Fact::Agent { agent: "anna".to_owned(), fact: AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed } };
    assert_eq!(story.later(10_000, ended), ["anna UserWrapUpTerminated"]);
    let over = story.last("UserWrapUpTerminated");
    assert_eq!((&over["reason"], &over["elapsedTimeSec"]), (&json!("timer"), &json!(10)));
    assert_eq!((&over["wrapUpId"], &over["callId"]), (&enabled["wrapUpId"], &enabled["callId"]));
    assert_eq!(story.left(), Vec::<String>::new());
}

#[test]
fn after_call_work_is_over_whatever_ends_it() {
    let began = || AgentFact::WrapUpBegan {
        queue: "sales".to_owned(),
        call: None,
        until: Time(u64::MAX),
        by_switch: true,
        wish: None,
    };
    for (fact, reason) in [
        (AgentFact::NotReady { reason: "lunch".to_owned() }, "manual"),
        (AgentFact::Ready, "manual"),
        (AgentFact::LoggedOut { queue: Some("sales".to_owned()) }, "logout"),
        (AgentFact::WrapUpEnded { reason: WrapUpEnd::NextCall }, "nextcall"),
    ] {
        let mut story = Story::new();
        assert_eq!(story.agent("anna", began()), ["anna UserWrapUpStarted"]);
        assert_eq!(story.last("UserWrapUpStarted")["maxWrapUpDurationSec"], 0);
        assert_eq!(story.agent("anna", fact), ["anna UserWrapUpTerminated"]);
        assert_eq!(story.last("UserWrapUpTerminated")["reason"], reason);
    }
    let mut story = Story::new();
    story.agent("anna", began());
    assert_eq!(story.agent("anna", began()), ["anna UserWrapUpTerminated", "anna UserWrapUpStarted"]);
}

#[test]
fn calls_of_ones_own_are_told_otherwise() {
    let mut story = Story::new();
    story.begin(1, Direction::Outbound, "101", "+3582", None);
    let (anna, said) = story.dials(1, "101");
    assert_eq!(said, ["anna UserCallOutGoing"]);
    let (outside, _) = story.rings(1, "+3582", None);
    story.answers(1, outside);
    let system = LegFact::Answered { with: cordboard_core::event::With::System, party: None };
    assert!(story.leg(1, anna, system).is_empty(), "a switch that picks up is no answer");
    assert_eq!(story.answers(1, anna), ["anna UserCallOutConnected"]);
    assert_eq!(story.leg(1, anna, LegFact::Held), ["anna UserCallOutHoldStart"]);
    assert_eq!(story.leg(1, anna, LegFact::Retrieved), ["anna UserCallOutHoldEnd"]);
    story.ends(1, outside, Cause::Normal, true);
    assert_eq!(story.ends(1, anna, Cause::Normal, false), ["anna UserCallOutDisconnected"]);
    assert_eq!(story.last("UserCallOutDisconnected")["reason"], "remote");
    assert_eq!(story.left(), Vec::<String>::new());
}

#[test]
fn a_call_stays_with_whom_it_was_for_when_others_log_in() {
    let mut story = Story::new();
    let (_, anna) = direct(&mut story, true);
    story.agent("anna", AgentFact::LoggedOut { queue: Some("sales".to_owned()) });
    story.agent("ben", AgentFact::Found { name: String::new() });
    story.agent("ben", AgentFact::LoggedIn { device: "101".to_owned(), queue: None });
    assert_eq!(story.ends(1, anna, Cause::Normal, true), ["anna UserCallInDisconnected"]);
}

#[test]
fn a_hand_over_without_asking() {
    let mut story = Story::new();
    let (caller, anna) = direct(&mut story, true);
    let transfer = Transfer { kind: TransferKind::Blind, by: "101".to_owned(), to: "102".to_owned(), consult: None };
    let said = story.call(1, CallFact::Transferred(transfer.clone()));
    assert_eq!(said, ["anna UserCallInTransferStarted", "anna UserCallInUserOverflow"]);
    assert_eq!(story.last("UserCallInUserOverflow")["reason"], "BlindTransfer");
    assert_eq!(story.ends(1, anna, Cause::Transferred, false), ["anna UserCallInDisconnected"]);
    assert_eq!(story.last("UserCallInDisconnected")["reason"], "local");
    let party = story.party("102", Role::Destination);
    let party = cordboard_core::event::Party { by: Some("101".to_owned()), ..party };
    assert_eq!(story.leg(1, 3, LegFact::Ringing(party)), ["102 UserCallInArrived", "102 UserCallInUserAllocated"]);
    let said = story.answers(1, 3);
    assert_eq!(said, ["102 UserCallInUserConnected", "anna UserCallInTransferConnected"]);
    assert_eq!(story.last("UserCallInTransferConnected")["connectedTarget"], "102");
    story.call(1, CallFact::TransferCompleted { to: cordboard_core::LegId(3) });
    story.ends(1, caller, Cause::Normal, true);
    assert_eq!(story.ends(1, 3, Cause::Normal, false), ["102 UserCallInDisconnected"]);
    assert!(story.over(1, Cause::Normal).is_empty());
    assert_eq!(story.left(), Vec::<String>::new());
}

#[test]
fn a_hand_over_that_nobody_answers_is_cancelled_once() {
    let mut story = Story::new();
    let (caller, anna) = direct(&mut story, true);
    let transfer = Transfer { kind: TransferKind::Blind, by: "101".to_owned(), to: "102".to_owned(), consult: None };
    story.call(1, CallFact::Transferred(transfer));
    story.ends(1, anna, Cause::Transferred, false);
    let (target, _) = story.rings(1, "102", None);
    let said = story.ends(1, target, Cause::NoAnswer, false);
    assert_eq!(said, ["102 UserCallInUserCancelled", "102 UserCallInUserOverflow"]);
    assert!(story.ends(1, caller, Cause::NoAnswer, false).is_empty());
    assert_eq!(story.over(1, Cause::NoAnswer), ["anna UserCallInTransferCancelled"]);
    assert_eq!(story.last("UserCallInTransferCancelled")["detailedReason"], "NoAnswer");
}

/// Anna asks 102 about the call, who answers.
fn asks(story: &mut Story) -> (u64, u64) {
    let said = story.begin(2, Direction::Internal, "101", "102", Some(1));
    assert_eq!(said, ["anna UserCallInTransferStarted"]);
    let (own, said) = story.dials(2, "101");
    assert_eq!(said, ["anna UserCallOutGoing"]);
    let (asked, _) = story.rings(2, "102", None);
    story.answers(2, asked);
    story.answers(2, own);
    (own, asked)
}

#[test]
fn a_hand_over_after_asking() {
    let mut story = Story::new();
    let (_, anna) = direct(&mut story, true);
    story.leg(1, anna, LegFact::Held);
    let (own, asked) = asks(&mut story);
    let (kind, by, to) = (TransferKind::Attended, "101".to_owned(), "102".to_owned());
    let said = story.call(1, CallFact::Transferred(Transfer { kind, by, to, consult: Some(CallId(2)) }));
    assert!(said.is_empty(), "that it began was told when it was asked: {said:?}");
    assert_eq!(story.ends(1, anna, Cause::Transferred, false), ["anna UserCallInDisconnected"]);
    let said = story.leg(2, asked, LegFact::Moved { to: CallId(1) });
    let moved = ["102 UserCallInDisconnected", "102 UserCallInUserAllocated", "102 UserCallInUserConnected"];
    assert_eq!(said, [&moved[..], &["anna UserCallInTransferConnected"]].concat());
    assert_eq!(story.ends(2, own, Cause::Transferred, false), ["anna UserCallOutDisconnected"]);
    assert!(story.over(2, Cause::Merged).is_empty());
    assert!(story.call(1, CallFact::TransferCompleted { to: cordboard_core::LegId(asked) }).is_empty());
}

#[test]
fn a_question_that_leads_to_nothing() {
    let mut story = Story::new();
    let (_, anna) = direct(&mut story, true);
    story.leg(1, anna, LegFact::Held);
    let (own, asked) = asks(&mut story);
    story.ends(2, own, Cause::Normal, true);
    story.ends(2, asked, Cause::Normal, false);
    assert_eq!(story.over(2, Cause::Normal), ["anna UserCallInTransferCancelled"]);
    assert_eq!(story.last("UserCallInTransferCancelled")["reason"], "ConsultationEnded");

    let mut story = Story::new();
    let (caller, anna) = direct(&mut story, true);
    story.leg(1, anna, LegFact::Held);
    asks(&mut story);
    story.ends(1, caller, Cause::Normal, true);
    let said = story.ends(1, anna, Cause::Normal, false);
    assert_eq!(said, ["anna UserCallInDisconnected", "anna UserCallInTransferCancelled"]);
    story.over(1, Cause::Normal);
    assert!(story.over(2, Cause::Normal).is_empty(), "it was told before");
}

#[test]
fn supervisors_are_told_of_calls_they_can_join_and_how_they_take_part() {
    let mut story = Story::new();
    story.user("102", UserFact::WatchBegan { agent: "anna".to_owned() });
    story.settings.enreach.supervision_number = "*99".to_owned();
    let (_, anna) = service(&mut story, false);
    let said = story.answers(1, anna);
    assert_eq!(said, ["anna UserCallInUserConnected", "anna UserWrapUpEnabled", "102 UserCallAvailableForMonitoring"]);
    let offered = story.last("UserCallAvailableForMonitoring");
    assert_eq!((&offered["targetUserName"], &offered["callType"]), (&json!("Anna Apple"), &json!("servicecall")));
    assert_eq!(
        (&offered["supervisorTerminalNumber"], &offered["supervisionCallInNumber"]),
        (&json!("102"), &json!("*99"))
    );
    assert_ne!(offered["legId"], offered["agentLegId"]);
    for (mode, state) in [(SuperviseMode::Listen, 1), (SuperviseMode::Whisper, 2), (SuperviseMode::Barge, 3)] {
        let fact = match state {
            1 => CallFact::SupervisionBegan { by: "102".to_owned(), mode },
            _ => CallFact::SupervisionChanged { by: "102".to_owned(), mode },
        };
        assert_eq!(story.call(1, fact), ["102 UserSupervisionStatus"]);
        assert_eq!(story.last("UserSupervisionStatus")["state"], state);
    }
    story.call(1, CallFact::SupervisionEnded { by: "102".to_owned() });
    let over = story.last("UserSupervisionStatus");
    assert_eq!((&over["state"], &over["targetUserId"]), (&json!(0), &offered["targetUserId"]));
}

#[test]
fn telephones_that_fail_and_return() {
    let mut story = Story::new();
    assert_eq!(story.device("101", DeviceFact::OutOfService), ["anna UserTerminalStatus"]);
    let told = story.last("UserTerminalStatus");
    assert_eq!((&told["terminalStatus"], &told["session"]), (&json!("Offline"), &json!("101")));
    assert_eq!(told["expires"], "9999-12-31T23:59:59.9999999");
    assert_eq!(story.device("104", DeviceFact::BackInService), ["104 UserTerminalStatus"]);
    assert!(story.device("line-1", DeviceFact::OutOfService).is_empty(), "a line is nobody's");
}
