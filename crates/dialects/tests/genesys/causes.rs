//! The catalogue tells which facts cause which events. Stories refuse a cause that it does not tell; here every cause
//! that it tells is played.

use std::collections::BTreeSet;

use cordboard_core::event::{
    AgentFact, CallFact, Cause, DequeueReason, DeviceFact, Direction, ForwardMode, LegFact, Monitor, MonitorScope,
    Pairs, RequestFact, Role, RouteKind, SuperviseMode, SwitchFact, Transfer, TransferKind, TreatmentKind, With,
    WrapUpEnd,
};
use cordboard_core::request::Ask;
use cordboard_core::{CallId, Fact, Time};
use cordboard_dialects::genesys::catalogue::catalogue;

use crate::clients::conn;
use crate::story::Story;

#[test]
fn every_cause_in_the_catalogue_is_one() {
    let mut story = Story::new();
    devices(&mut story);
    agents(&mut story);
    queue_and_supervisor(&mut story);
    hand_overs(&mut story);
    late_join(&mut story);
    waits(&mut story);
    others_do(&mut story);
    clients(&mut story);
    let told: BTreeSet<(String, String)> = catalogue()
        .events
        .iter()
        .flat_map(|entry| entry.caused_by.iter().map(|cause| (entry.name.to_string(), (*cause).to_owned())))
        .collect();
    let missing: Vec<_> = told.difference(&story.caused).collect();
    assert!(missing.is_empty(), "the catalogue names causes that are none: {missing:?}");
}

#[test]
fn what_a_phone_system_alone_can_not_cause() {
    let without: Vec<String> = catalogue()
        .events
        .iter()
        .filter(|entry| entry.caused_by.is_empty())
        .map(|entry| entry.name.to_string())
        .collect();
    assert_eq!(without, ["EventTreatmentRequired"]);
}

fn devices(story: &mut Story) {
    let (target, scope, mode) = ("104".to_owned(), MonitorScope::OneCall, SuperviseMode::Listen);
    let monitor = Monitor { target, scope, mode };
    let set = |mode| DeviceFact::ForwardSet { mode, target: "104".to_owned() };
    for fact in [
        DeviceFact::OutOfService,
        DeviceFact::BackInService,
        DeviceFact::DndOn,
        DeviceFact::DndOff,
        set(ForwardMode::OnBusy),
        set(ForwardMode::OnNoAnswer),
        DeviceFact::ForwardCancelled { mode: ForwardMode::OnBusy },
        DeviceFact::MessageWaitingOn { new: 1, old: 0 },
        DeviceFact::MessageWaitingOff,
        DeviceFact::OffHook { call: None },
        DeviceFact::OnHook { call: None },
        DeviceFact::MonitoringSet(monitor.clone()),
        DeviceFact::MonitoringCancelled(monitor),
    ] {
        story.device("103", fact);
    }
}

fn agents(story: &mut Story) {
    let (sales, support) = ("sales".to_owned(), "support".to_owned());
    let began = AgentFact::WrapUpBegan {
        queue: sales.clone(),
        call: None,
        until: Time(u64::MAX),
        by_switch: false,
        wish: None,
    };
    for fact in [
        AgentFact::LoggedIn { device: "102".to_owned(), queue: Some(sales.clone()) },
        AgentFact::LoggedIn { device: "102".to_owned(), queue: Some(support) },
        AgentFact::QueueLoggedOut { queue: "support".to_owned() },
        AgentFact::Ready,
        began.clone(),
        AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed },
        AgentFact::QueuePaused { queue: sales, reason: "tea".to_owned() },
        AgentFact::NotReady { reason: "tea".to_owned() },
        began,
        AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed },
        AgentFact::LoggedOut { queue: None },
    ] {
        story.agent("8001", fact);
    }
}

fn queue_and_supervisor(story: &mut Story) {
    story.begin(1, Direction::Internal, "101", "600", None);
    let (a, _) = story.dials(1, "101");
    for reason in [DequeueReason::TimedOut, DequeueReason::Abandoned] {
        story.call(1, CallFact::Queued { queue: "sales".to_owned(), position: 1 });
        story.call(1, CallFact::Dequeued { queue: "sales".to_owned(), reason, to: None });
    }
    let (b, _) = story.rings(1, "102", None);
    story.ends(1, b, Cause::Cancelled, false);
    let (c, _) = story.rings(1, "103", None);
    story.ends(1, c, Cause::Busy, true);
    let (d, _) = story.rings(1, "+3581", None);
    story.leg(1, d, LegFact::NetworkReached);
    story.answers(1, d);
    story.answers(1, a);
    for fact in [LegFact::Held, LegFact::Retrieved, LegFact::Muted, LegFact::Unmuted] {
        story.leg(1, a, fact);
    }
    story.call(1, CallFact::SupervisionBegan { by: "104".to_owned(), mode: SuperviseMode::Barge });
    story.call(1, CallFact::SupervisionEnded { by: "104".to_owned() });
    let (e, _) = story.rings(1, "102", None);
    story.answers(1, e);
    for leg in [e, d, a] {
        story.ends(1, leg, Cause::Normal, true);
    }
}

fn hand_overs(story: &mut Story) {
    let (_, b) = story.inbound(2);
    story.begin(3, Direction::Internal, "103", "104", None);
    let (c, _) = story.dials(3, "103");
    story.call(2, CallFact::Conferenced { room: None, by: Some("101".to_owned()), to: Some("103".to_owned()) });
    story.leg(3, c, LegFact::Moved { to: CallId(2) });
    story.ends(2, c, Cause::Normal, true);
    story.leg(2, b, LegFact::Parked { space: "701".to_owned(), by: String::new() });
    let blind = Transfer { kind: TransferKind::Blind, by: "102".to_owned(), to: "104".to_owned(), consult: None };
    story.call(2, CallFact::Transferred(blind));
}

fn late_join(story: &mut Story) {
    story.begin(4, Direction::Internal, "103", "104", None);
    for (number, role) in [("103", Role::Originator), ("104", Role::Destination)] {
        let (leg, party) = story.party(number, role, None);
        story.leg(4, leg, LegFact::Answered { with: With::Person, party: Some(party) });
    }
    story.begin(5, Direction::Outbound, "103", "", None);
    let (leg, party) = story.party("103", Role::Originator, None);
    story.leg(5, leg, LegFact::Ringing(party));
}

fn waits(story: &mut Story) {
    story.begin(6, Direction::Internal, "103", "501", None);
    let (leg, _) = story.dials(6, "103");
    let (at, kind, parameters) = ("501".to_owned(), TreatmentKind::PlayAnnouncement, Pairs::new());
    for fact in [
        CallFact::RouteRequested { at: at.clone() },
        CallFact::TreatmentApplied { at: at.clone(), kind, parameters: parameters.clone() },
        CallFact::TreatmentEnded { at: at.clone(), kind, digits: None, interrupted: false },
        CallFact::TreatmentRefused { at: at.clone(), kind, parameters },
        CallFact::TargetRefused { to: "104".to_owned(), cause: Cause::Busy },
        CallFact::Routed { at: at.clone(), to: None, kind: RouteKind::Reject },
        CallFact::RouteRequested { at },
    ] {
        story.call(6, fact);
    }
    story.ends(6, leg, Cause::Normal, true);
    story.end(6);
}

fn others_do(story: &mut Story) {
    story.begin(7, Direction::Internal, "103", "104", None);
    let (a, _) = story.dials(7, "103");
    let (b, _) = story.rings(7, "104", None);
    let (c, _) = story.rings(7, "102", None);
    story.answers(7, b);
    story.answers(7, a);
    let by = || "103".to_owned();
    for fact in [LegFact::Deafened { by: by() }, LegFact::Undeafened { by: by() }] {
        story.leg(7, b, fact);
    }
    story.leg(7, c, LegFact::Bridged);
    let by = "101".to_owned();
    story.call(7, CallFact::SupervisionBegan { by: by.clone(), mode: SuperviseMode::Listen });
    for mode in [SuperviseMode::Barge, SuperviseMode::Listen] {
        story.call(7, CallFact::SupervisionChanged { by: by.clone(), mode });
    }
    story.begin(8, Direction::Internal, "103", "600", Some(7));
    story.call(8, CallFact::Queued { queue: "600".to_owned(), position: 1 });
    story.call(7, CallFact::QueueTaken { queue: "600".to_owned(), from: CallId(8) });
}

fn clients(story: &mut Story) {
    for fact in [SwitchFact::Connected { version: "1".to_owned() }, SwitchFact::Disconnected { reason: String::new() }]
    {
        story.ask("desk", "101", Ask::Register);
        story.tell(Fact::Switch { switch: "pbx".to_owned(), fact });
    }
    story.tell(Fact::Switch { switch: "pbx".to_owned(), fact: SwitchFact::Connected { version: "1".to_owned() } });
    let (caller, _) = story.inbound(9);
    let call = conn(9);
    let (kind, info) = (String::new(), String::new());
    story.agent("8002", AgentFact::LoggedIn { device: "101".to_owned(), queue: None });
    let set = Pairs::from([("Order".to_owned(), "4711".into())]);
    for ask in [
        Ask::QueryAddress { kind, info },
        Ask::QueryCall { call },
        Ask::QueryServer,
        Ask::SetReference { next: 90 },
        Ask::Reserve { ms: 1, priority: 1, agent: None },
        Ask::ChangeData { call, set, removed: Vec::new(), all: false },
        Ask::Retrieve { call },
    ] {
        story.ask("desk", "101", ask);
    }
    story.call(9, CallFact::UserDataSet { key: "Mood".to_owned(), value: "good".to_owned() });
    story.ask("desk", "101", Ask::Tones { call, digits: "1".to_owned() });
    story.answer(RequestFact::Done);
    story.ask("desk", "101", Ask::Unregister);
    story.device("104", DeviceFact::OutOfService);
    story.ask("desk", "104", Ask::Register);
    story.ends(9, caller, Cause::Normal, true);
}
