//! Requests: written down, answered or handed to a switch, and always answered once.

mod site;

use cordboard_core::event::{CallFact, Fact, LegFact, Pairs, With, WorkMode};
use cordboard_core::observation::{AgentSeen, DeviceSeen, LegSeen, RequestSeen, Seen, SwitchSeen};
use cordboard_core::request::{Ask, Refusal};
use cordboard_core::{ConnId, Input, Time, order};
use site::{Site, asked, is_done, refusal};

#[test]
fn what_a_switch_is_to_do_waits_for_the_switch_and_names_its_own_words() {
    let mut site = Site::new();
    let call = site.call();
    let events = site.ask("1002", Ask::Answer { call });
    let (request, asked) = asked(&events);
    assert_eq!((events.len(), asked.switch.as_deref(), asked.reference), (1, Some("pbx"), 1));
    let (switch, order) = order(&site.world, request).unwrap();
    assert_eq!(switch, "pbx");
    let named = order.call.unwrap();
    assert_eq!((named.call.as_str(), named.leg.as_deref()), ("c1", Some("l2")));

    let leg = Seen::Leg { leg: "l2".to_owned(), seen: LegSeen::Answer(With::Person) };
    let events = site.see_for(leg, Some(request));
    assert!(events.iter().all(|event| event.request == Some(request)));
    assert!(events.iter().any(|event| matches!(event.fact, Fact::Leg { fact: LegFact::Answered { .. }, .. })));
    let done = Seen::Request { request, seen: RequestSeen::Done };
    assert!(is_done(&site.see(done.clone())));
    assert_eq!(site.world.requests.len(), 1, "it stays to be told");
    assert!(site.see(done).is_empty(), "once is enough");
    site.ask("", Ask::QueryServer);
    assert!(!site.world.requests.contains_key(&request));
    assert!(site.world.deadlines.is_empty());
}

#[test]
fn a_switch_that_says_nothing_is_answered_for_when_the_time_is_up() {
    let mut site = Site::new();
    let events = site.ask("1001", Ask::MakeCall { to: "1002".to_owned(), user_data: Pairs::new() });
    let (request, due) = (asked(&events).0, asked(&events).1.deadline);
    assert_eq!(site.world.next_timer(), Some(due));
    assert!(site.take(&Input::Elapsed(Time(due.0 - 1))).is_empty());
    assert_eq!(refusal(&site.take(&Input::Elapsed(due))), Some(Refusal::TimedOut));
    assert!(order(&site.world, request).is_none());
    let late = Seen::Request { request, seen: RequestSeen::Done };
    assert!(site.see(late).is_empty());
    assert_eq!(site.world.next_timer(), None);
}

#[test]
fn a_reference_is_carried_out_once_and_counted_on_from() {
    let mut site = Site::new();
    assert!(is_done(&site.ask_as(Some(7), None, "1001", Ask::Register)));
    assert!(site.ask_as(Some(7), None, "1001", Ask::Register).is_empty());
    assert_eq!(asked(&site.ask("1002", Ask::Register)).1.reference, 8);
    assert_eq!(site.world.devices["1001"].clients.len(), 1);
    assert!(is_done(&site.ask("1001", Ask::Unregister)));
    assert!(site.world.devices["1001"].clients.is_empty());
    site.take(&Input::Left { at: Time(site.now), client: "t/1".to_owned() });
    assert!(site.world.devices["1002"].clients.is_empty() && site.world.clients.is_empty());
}

#[test]
fn what_is_refused_is_written_down_with_who_asked() {
    let mut site = Site::new();
    let call = site.call();
    let nobody = ConnId(1);
    let hold = |call| Ask::Hold { call };
    for (device, ask, expected) in [
        ("9999", Ask::Register, Refusal::NoSuchDevice),
        ("1001", hold(nobody), Refusal::NoSuchCall),
        ("1003", hold(call), Refusal::NoSuchCall),
        ("1002", hold(call), Refusal::WrongState),
        ("1001", Ask::Answer { call }, Refusal::NotRinging),
        ("1001", Ask::Ready { queue: None, mode: WorkMode::AutoIn, reasons: Pairs::new() }, Refusal::NotLoggedIn),
        ("1001", Ask::Reserve { agent: None, ms: 1_000, priority: 1 }, Refusal::NotLoggedIn),
    ] {
        let events = site.ask(device, ask.clone());
        assert_eq!((refusal(&events), events.len()), (Some(expected), 2), "{device} {ask:?}");
        assert_eq!((&asked(&events).1.ask, asked(&events).1.by.name.as_str()), (&ask, "desktop"));
    }
    let not_allowed = Some((Refusal::NotAllowed, "this token is for 1003".to_owned()));
    let events = site.ask_as(None, not_allowed, "1001", hold(call));
    assert_eq!(refusal(&events), Some(Refusal::NotAllowed));
}

#[test]
fn a_device_out_of_service_may_only_be_asked_about_and_logged_in_on() {
    let mut site = Site::new();
    site.see(Seen::Device { device: "1001".to_owned(), seen: DeviceSeen::Service(false) });
    let login = Ask::Login {
        agent: "8001".to_owned(),
        queue: None,
        mode: WorkMode::Unknown,
        reasons: Pairs::new(),
        wrapup_s: None,
    };
    let query = Ask::QueryAddress { kind: String::new(), info: String::new() };
    for passes in [Ask::Register, Ask::Unregister, query, login] {
        assert_eq!(refusal(&site.ask("1001", passes.clone())), None, "{passes:?}");
    }
    for fails in [Ask::MakeCall { to: "1002".to_owned(), user_data: Pairs::new() }, Ask::Dnd { on: true }] {
        assert_eq!(refusal(&site.ask("1001", fails.clone())), Some(Refusal::OutOfService), "{fails:?}");
    }
}

#[test]
fn one_agent_a_device_and_one_device_an_agent() {
    let mut site = Site::new();
    let join = AgentSeen::Join { queue: None, device: "1001".to_owned(), name: String::new(), paused: None };
    site.see(Seen::Agent { agent: "8001".to_owned(), seen: join });
    let login = |agent: &str| Ask::Login {
        agent: agent.to_owned(),
        queue: None,
        mode: WorkMode::Unknown,
        reasons: Pairs::new(),
        wrapup_s: None,
    };
    assert_eq!(refusal(&site.ask("1002", login("8001"))), Some(Refusal::AgentElsewhere));
    assert_eq!(refusal(&site.ask("1001", login("8002"))), Some(Refusal::LoggedInAlready));
    assert_eq!(refusal(&site.ask("1001", login("8001"))), None, "the switch says whether that is a second queue");
    assert!(is_done(&site.ask("1001", Ask::Reserve { agent: None, ms: 60_000, priority: 1 })));
    assert_eq!(
        refusal(&site.ask("1001", Ask::Reserve { agent: None, ms: 60_000, priority: 1 })),
        Some(Refusal::AgentReserved)
    );
    assert!(is_done(&site.ask("1001", Ask::Reserve { agent: None, ms: 60_000, priority: 2 })));
}

#[test]
fn data_changes_all_at_once_and_by_anybody_who_may() {
    let mut site = Site::new();
    let call = site.call();
    let pairs = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), "x".into())).collect::<Pairs>();
    let change = |set: &[&str], removed: &[&str], all| Ask::ChangeData {
        call,
        set: pairs(set),
        removed: removed.iter().map(|key| (*key).to_owned()).collect(),
        all,
    };
    site.ask("1001", change(&["a", "b"], &[], false));
    let events = site.ask("1003", change(&["b", "c"], &["a", "never"], false));
    let Fact::Call { fact: CallFact::UserDataChanged { set, removed, by }, .. } = &events[1].fact else {
        panic!("{events:?}");
    };
    assert_eq!((set.len(), removed.as_slice(), by.as_str()), (2, &["a".to_owned()][..], "1003"));
    assert_eq!(site.world.calls.values().next().unwrap().user_data, pairs(&["b", "c"]));
    site.ask("1001", change(&["d"], &[], true));
    assert_eq!(site.world.calls.values().next().unwrap().user_data, pairs(&["d"]));
}

#[test]
fn a_switch_that_is_gone_is_not_asked() {
    let mut site = Site::new();
    site.see(Seen::Switch(SwitchSeen::Disconnect { reason: "cut".to_owned() }));
    let events = site.ask("1001", Ask::MakeCall { to: "1002".to_owned(), user_data: Pairs::new() });
    assert_eq!(refusal(&events), Some(Refusal::SwitchGone));
}
