//! The directory: what is asked for, what is told of it, and what time brings about.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

mod site;

use cordboard_core::change::{Change, Membership, QueueProfile};
use cordboard_core::event::{
    AgentFact, Attempt, Availability, CallFact, Callback, CallbackDetails, CallbackFact, CallbackKind, DequeueReason,
    Fact, ListFact, ListProfile, Profile, QueueFact, Reach, Setting, SettingLevel, UserFact, WithoutCall, WrapUpEnd,
    WrapUpWish,
};
use cordboard_core::limits;
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, LegSeen, QueueSeen, Seen};
use cordboard_core::request::{Ask, Asker, AskerRole, Refusal, Request};
use cordboard_core::{Guid, Input, Time, overflow_id};
use site::{Site, facts, refusal};

fn anna() -> String {
    "anna".to_owned()
}

fn profile(name: &str, devices: &[&str], guid: Option<u128>) -> Profile {
    let devices = devices.iter().map(|device| (*device).to_owned()).collect();
    Profile { name: name.to_owned(), login: String::new(), guid: guid.map(Guid), devices }
}

fn details(number: &str) -> CallbackDetails {
    CallbackDetails { contact_number: number.to_owned(), ..CallbackDetails::default() }
}

fn callback(list: &str) -> Change {
    create(7, list, details("+15550100123"))
}

fn create(id: u128, list: &str, details: CallbackDetails) -> Change {
    let callback = Callback {
        list: list.to_owned(),
        kind: CallbackKind::Manual,
        call: None,
        queue: None,
        target_number: String::new(),
        personal: None,
        by: None,
        details,
    };
    Change::CreateCallback { id: Guid(id), callback: Box::new(callback) }
}

fn list(name: &str) -> Change {
    Change::DescribeList { list: name.to_owned(), profile: ListProfile::default() }
}

fn setting(keyword: &str, level: SettingLevel) -> Setting {
    Setting { keyword: keyword.to_owned(), value: "x".to_owned(), values: None, allowed: None, level }
}

fn attempt(id: u128) -> Attempt {
    Attempt { id: Guid(id), by: None, at: Time(5), result: Some(2), note: String::new(), call: None, recording: None }
}

fn away(id: u128, reach: Reach, from: u64, until: Option<u64>) -> Change {
    let availability = Availability {
        id: Guid(id),
        reach,
        from: Time(from),
        until: until.map(Time),
        note: String::new(),
        source: String::new(),
        transfer_to: String::new(),
    };
    Change::SetAvailability { user: anna(), availability }
}

fn reach(site: &Site) -> Reach {
    site.world.user_facts("anna", Time(site.now)).reach
}

#[test]
fn what_is_so_already_is_told_to_nobody() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    for change in [
        Change::DescribeUser { user: anna(), profile: profile("Anna", &["1003"], Some(1)) },
        away(1, Reach::Busy, 0, None),
        Change::ChangeSetting { user: anna(), setting: setting("colour", SettingLevel::User) },
        Change::Watch { user: anna(), agent: "ben".to_owned(), on: true },
        Change::ServeCallbacks { user: anna(), on: true },
        Change::PickCalls { user: anna(), on: true },
        Change::DescribeQueue {
            queue: "sales".to_owned(),
            profile: QueueProfile { overflow_list: Some("wishes".to_owned()), ..QueueProfile::default() },
        },
        Change::AssignMember {
            queue: "service".to_owned(),
            user: anna(),
            membership: Membership { active: true, priority: 1 },
        },
        Change::DescribeList {
            list: "wishes".to_owned(),
            profile: ListProfile { title: "W".to_owned(), ..ListProfile::default() },
        },
        callback("wishes"),
        Change::EditCallback { id: Guid(7), details: Box::new(details("+15550100456")), by: None },
        Change::AssignCallback { id: Guid(7), to: Some(anna()), by: None },
        Change::AttemptCallback { id: Guid(7), attempt: attempt(3) },
        Change::RemoveSetting { user: anna(), keyword: "colour".to_owned() },
        Change::EndAvailability { user: anna(), id: Guid(1) },
        Change::RemoveMember { queue: "service".to_owned(), user: anna() },
        Change::Watch { user: anna(), agent: "ben".to_owned(), on: false },
    ] {
        let first = site.changed(change.clone());
        assert_eq!(first.len(), 1, "{change:?}: {first:?}");
        if matches!(change, Change::CreateCallback { .. }) {
            continue; // an id that is taken; see below
        }
        assert_eq!(site.changed(change.clone()), [], "again: {change:?}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    site.changed(callback("wishes"));
    site.changed(Change::DescribeUser { user: anna(), profile: profile("Anna", &["1003"], Some(1)) });
    site.changed(Change::DescribeUser { user: "1004".to_owned(), profile: profile("Dora", &[], None) });
    let (nobody, nowhere) = ("nobody".to_owned(), "nowhere".to_owned());
    let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
    let membership = Membership { active: true, priority: 0 };
    let wish = |without_call| WrapUpWish {
        id: Guid(9),
        max_s: 5,
        without_call,
        call: None,
        queue: None,
        list: None,
        callback: None,
    };
    for (expected, change) in [
        (Refusal::NoSuchUser, Change::RemoveUser { user: nobody.clone() }),
        (Refusal::NoSuchUser, Change::ServeCallbacks { user: nobody.clone(), on: true }),
        (Refusal::NoSuchUser, Change::Watch { user: anna(), agent: nobody.clone(), on: true }),
        (Refusal::NoSuchUser, Change::AssignCallback { id: Guid(7), to: Some(nobody.clone()), by: None }),
        (Refusal::NoSuchUser, Change::AssignMember { queue: "sales".to_owned(), user: nobody.clone(), membership }),
        (Refusal::NoSuchQueue, Change::RemoveMember { queue: nowhere.clone(), user: anna() }),
        (Refusal::NoSuchQueue, Change::DescribeQueue { queue: nowhere.clone(), profile: QueueProfile::default() }),
        (Refusal::NoSuchList, Change::RemoveList { list: nowhere.clone() }),
        (Refusal::NoSuchList, create(8, "nowhere", details("1"))),
        (Refusal::NoSuchCallback, Change::CloseCallback { id: Guid(99), by: None }),
        (Refusal::NoSuchAlert, Change::RemoveAlert { id: Guid(99) }),
        (Refusal::WrongAttribute, create(7, "wishes", details("2"))),
        (Refusal::WrongAttribute, create(8, "wishes", details(""))),
        (Refusal::WrongAttribute, create(8, "wishes", details(&long))),
        (Refusal::WrongAttribute, away(1, Reach::Busy, 0, Some(5))),
        (
            Refusal::WrongAttribute,
            Change::DescribeUser { user: "ben".to_owned(), profile: profile("B", &["1003"], None) },
        ),
        (
            Refusal::WrongAttribute,
            Change::DescribeUser { user: "ben".to_owned(), profile: profile("B", &["1", "1"], None) },
        ),
        (Refusal::WrongAttribute, Change::DescribeUser { user: "ben".to_owned(), profile: profile("B", &[], Some(1)) }),
        (Refusal::WrongAttribute, Change::DescribeUser { user: String::new(), profile: profile("B", &[], None) }),
        (Refusal::WrongState, Change::BeginWrapUp { user: anna(), wish: wish(WithoutCall::No) }),
        (Refusal::SameState, Change::EndWrapUp { user: anna(), wrapup: None, reason: "manual".to_owned() }),
        (Refusal::NotLoggedIn, Change::BeginWrapUp { user: "1004".to_owned(), wish: wish(WithoutCall::Yes) }),
    ] {
        let events = site.change(change.clone());
        assert_eq!((refusal(&events), events.len()), (Some(expected), 2), "{change:?}: {events:?}");
    }
}

#[test]
fn an_administrator_describes_a_queue_before_its_switch_tells_of_it() {
    let mut site = Site::with_agents();
    let by = Asker { name: "configuration".to_owned(), role: AskerRole::Administrator };
    let change = Change::DescribeQueue {
        queue: "late".to_owned(),
        profile: QueueProfile { title: "Late".to_owned(), ..QueueProfile::default() },
    };
    let (client, device, ask) = ("c".to_owned(), String::new(), Ask::Change(Box::new(change)));
    let request = Request { client, by, reference: None, device, ask, refused: None, deadline_ms: 1_000 };
    assert_eq!(refusal(&site.take(&Input::Requested { at: Time(site.now), request })), None);
    for told in [1, 0] {
        let exist = Seen::Queue { queue: "late".to_owned(), seen: QueueSeen::Exist };
        assert_eq!(site.see(exist).len(), told);
    }
    let queue = &site.world.queues["late"];
    assert_eq!((queue.switch.as_str(), queue.profile.title.as_str()), ("pbx", "Late"));
}

#[test]
fn a_setting_of_the_administrator_is_not_changed_by_an_agent() {
    let mut site = Site::with_agents();
    let mut ask = |role, change: Change| {
        site.now += 1;
        let by = Asker { name: anna(), role };
        let (client, device) = (format!("{role:?}"), String::new());
        let ask = Ask::Change(Box::new(change));
        let request = Request { client, by, reference: None, device, ask, refused: None, deadline_ms: 1_000 };
        refusal(&site.take(&Input::Requested { at: Time(site.now), request }))
    };
    let change = |level| Change::ChangeSetting { user: anna(), setting: setting("role", level) };
    let remove = Change::RemoveSetting { user: anna(), keyword: "role".to_owned() };
    assert_eq!(ask(AskerRole::Agent, change(SettingLevel::Administrator)), Some(Refusal::NotAllowed));
    assert_eq!(ask(AskerRole::Administrator, change(SettingLevel::Administrator)), None);
    assert_eq!(ask(AskerRole::Agent, change(SettingLevel::User)), Some(Refusal::NotAllowed));
    assert_eq!(ask(AskerRole::Supervisor, remove.clone()), Some(Refusal::NotAllowed));
    assert_eq!(ask(AskerRole::Service, remove), None);
    assert_eq!(ask(AskerRole::Agent, change(SettingLevel::User)), None);
}

#[test]
fn an_availability_takes_the_place_of_what_it_covers_and_gives_back_what_lies_beneath() {
    let mut site = Site::with_agents();
    let base = site.now;
    let at = |seconds: u64| base + seconds * 1_000_000;
    let told = site.changed(away(1, Reach::OffWork, at(10), Some(at(20))));
    assert_eq!((told.len(), reach(&site), site.world.directory.turned.as_ref()), (1, Reach::Available, None));
    // Without an end it covers what is planned within; what follows is beneath.
    site.changed(away(2, Reach::Busy, 0, None));
    assert_eq!(site.world.directory.users["anna"].availabilities.len(), 1);
    assert_eq!(reach(&site), Reach::Busy);
    site.changed(away(3, Reach::Away, at(30), Some(at(40))));
    site.changed(away(4, Reach::DoNotDisturb, at(35), Some(at(50))));
    assert_eq!(site.pass(29_000), []);
    let turned = |told: &[Fact]| matches!(told, [Fact::User { fact: UserFact::AvailabilityBegan { .. }, .. }]);
    assert!(turned(&site.pass(3_000)));
    assert_eq!((reach(&site), site.world.directory.turned.as_deref()), (Reach::Away, Some("anna")));
    assert!(turned(&site.pass(5_000)));
    assert_eq!(reach(&site), Reach::DoNotDisturb);
    // The one beneath ends unseen.
    let told = site.pass(5_000);
    assert!(matches!(told[..], [Fact::User { fact: UserFact::AvailabilityEnded { id: Guid(3) }, .. }]), "{told:?}");
    assert_eq!((reach(&site), site.world.directory.turned.as_ref()), (Reach::DoNotDisturb, None));
    site.changed(Change::EndAvailability { user: anna(), id: Guid(4) });
    assert_eq!((reach(&site), site.world.directory.turned.as_deref()), (Reach::Busy, None), "the answer came after");
    site.changed(Change::EndAvailability { user: anna(), id: Guid(2) });
    assert_eq!((reach(&site), site.world.next_timer()), (Reach::Available, None));
}

#[test]
fn what_begins_during_another_and_outlasts_it_begins_when_that_ends() {
    let mut site = Site::with_agents();
    let base = site.now;
    let at = |seconds: u64| base + seconds * 1_000_000;
    site.changed(away(1, Reach::OffWork, at(10), Some(at(20))));
    let told = site.changed(away(2, Reach::Busy, 0, Some(at(15))));
    let [_, Fact::User { fact: UserFact::AvailabilitySet(moved), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((moved.id, moved.from), (Guid(1), Time(at(15))));
    site.pass(12_000);
    assert_eq!(reach(&site), Reach::Busy);
    assert_eq!(site.pass(4_000).len(), 2);
    assert_eq!(reach(&site), Reach::OffWork);
}

#[test]
fn a_callback_lives_until_it_is_closed_or_expires() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    let expires = Some(Time(site.now).plus_ms(60_000));
    site.changed(create(7, "wishes", CallbackDetails { expires, ..details("+15550100123") }));
    site.changed(create(8, "wishes", details("+15550100456")));
    site.changed(Change::AssignCallback { id: Guid(7), to: Some(anna()), by: Some("ben".to_owned()) });
    assert!(site.world.directory.users["anna"].callbacks.contains(&Guid(7)));
    site.changed(Change::AttemptCallback { id: Guid(7), attempt: attempt(1) });
    let other = Attempt { note: "again".to_owned(), ..attempt(1) };
    let events = site.change(Change::AttemptCallback { id: Guid(7), attempt: other });
    assert_eq!(refusal(&events), Some(Refusal::WrongAttribute));
    let told = site.pass(60_000);
    assert!(matches!(told[..], [Fact::Callback { callback: Guid(7), fact: CallbackFact::Expired }]), "{told:?}");
    site.changed(Change::CloseCallback { id: Guid(8), by: Some(anna()) });
    for id in [7, 8] {
        let events = site.change(Change::CloseCallback { id: Guid(id), by: None });
        assert_eq!(refusal(&events), Some(Refusal::CallbackClosed));
    }
    let (list, anna) = (&site.world.directory.lists["wishes"], &site.world.directory.users["anna"]);
    assert_eq!((list.callbacks.len(), list.open(), anna.callbacks.len()), (2, 0, 0));
}

#[test]
fn of_closed_callbacks_the_newest_are_kept() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    let most = limits::CALLBACKS_CLOSED_MAX as u128;
    for id in 1..=most + 2 {
        site.changed(create(id, "wishes", details("1")));
        site.changed(Change::CloseCallback { id: Guid(id), by: None });
    }
    let kept: Vec<u128> = site.world.directory.callbacks.keys().map(|id| id.0).collect();
    assert_eq!((kept.first(), kept.len() as u128), (Some(&3), most));
    assert_eq!(site.world.directory.lists["wishes"].callbacks.len() as u128, most);
}

#[test]
fn a_call_that_waits_in_vain_leaves_one_callback() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    for queue in ["sales", "service"] {
        let profile = QueueProfile { overflow_list: Some("wishes".to_owned()), ..QueueProfile::default() };
        site.changed(Change::DescribeQueue { queue: queue.to_owned(), profile });
    }
    site.queued("c1", "sales");
    let conn = site.world.calls.values().next().unwrap().conn;
    let timed_out =
        |queue: &str| CallSeen::Dequeue { queue: queue.to_owned(), reason: DequeueReason::TimedOut, to: None };
    let told = facts(&site.of_call("c1", timed_out("sales")));
    let [_, Fact::Callback { callback, fact: CallbackFact::Created(created) }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*callback, overflow_id("acme", conn));
    assert_eq!(
        (created.kind, created.call, created.queue.as_deref()),
        (CallbackKind::Overflown, Some(conn), Some("sales"))
    );
    assert_eq!((created.details.contact_number.as_str(), created.target_number.as_str()), ("+15550100123", "600"));
    // It goes on to another queue and gives up there.
    site.of_call("c1", CallSeen::Queue { queue: "service".to_owned(), position: 1 });
    let told = facts(&site.hangs_up("c1.caller"));
    assert!(told.iter().any(|fact| matches!(fact, Fact::Call { fact: CallFact::Dequeued { .. }, .. })), "{told:?}");
    assert!(!told.iter().any(|fact| matches!(fact, Fact::Callback { .. })), "{told:?}");
    // An answered one leaves none.
    site.queued("c2", "sales");
    let answered = CallSeen::Dequeue { queue: "sales".to_owned(), reason: DequeueReason::Answered, to: None };
    assert_eq!(facts(&site.of_call("c2", answered)).len(), 1);
    assert_eq!(site.world.directory.callbacks.len(), 1);
}

fn wish(without_call: WithoutCall, max_s: u64) -> Change {
    let wish = WrapUpWish { id: Guid(9), max_s, without_call, call: None, queue: None, list: None, callback: None };
    Change::BeginWrapUp { user: anna(), wish }
}

fn began(told: &[Fact]) -> Option<(&str, Option<Guid>)> {
    told.iter().find_map(|fact| match fact {
        Fact::Agent { fact: AgentFact::WrapUpBegan { queue, wish, by_switch: false, .. }, .. } => {
            Some((&**queue, wish.as_ref().map(|wish| wish.id)))
        }
        _ => None,
    })
}

#[test]
fn after_call_work_that_is_wished_for_begins_at_once_without_a_call() {
    let mut site = Site::with_agents();
    let told = site.changed(wish(WithoutCall::Only, 5));
    assert!(matches!(told[..], [Fact::User { fact: UserFact::WrapUpWanted(_), .. }]), "{told:?}");
    assert_eq!(began(&site.pass(0)), Some(("", Some(Guid(9)))));
    assert_eq!(site.world.wish_of("anna"), None);
    let told = site.pass(5_000);
    assert!(
        matches!(told[..], [Fact::Agent { fact: AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed }, .. }]),
        "{told:?}"
    );
    let over = site.world.agents["anna"].wrapup_over.as_ref().unwrap();
    assert_eq!(site.world.wrapup_id("anna", over), Guid(9));
    site.changed(wish(WithoutCall::Yes, 0));
    assert!(site.world.agents["anna"].wrapup_over.is_none(), "it is kept with the newest event only");
    site.pass(0);
    assert_eq!(site.pass(100_000_000), [], "nobody said how long");
    let told = site.changed(Change::EndWrapUp { user: anna(), wrapup: Some(Guid(9)), reason: "manual".to_owned() });
    assert!(
        matches!(
            told[..],
            [
                Fact::User { fact: UserFact::WrapUpUnwanted { .. }, .. },
                Fact::Agent { fact: AgentFact::WrapUpEnded { reason: WrapUpEnd::Requested }, .. },
            ]
        ),
        "{told:?}"
    );
}

#[test]
fn after_call_work_that_is_wished_for_during_a_call_follows_it() {
    for (wrapup_ms, queue) in [(0, "sales"), (20_000, "sales")] {
        let mut site = Site::with_agents();
        site.see(Seen::Queue { queue: "sales".to_owned(), seen: QueueSeen::WrapUp(wrapup_ms) });
        site.queued("c1", "sales");
        let leg = site.offered("c1", "sales", "1001");
        site.of_leg(&leg, LegSeen::Answer(cordboard_core::event::With::Person));
        assert_eq!(refusal(&site.change(wish(WithoutCall::Only, 5))), Some(Refusal::WrongState));
        site.changed(wish(WithoutCall::No, 5));
        assert_eq!(site.pass(60_000), [], "it waits for the end of the call");
        let mut told = facts(&site.hangs_up(&leg));
        told.extend(site.pass(0));
        assert_eq!(began(&told), Some((queue, Some(Guid(9)))), "{wrapup_ms}: {told:?}");
        let wrapup = site.world.agents["anna"].wrapup.as_ref().unwrap();
        assert_eq!((wrapup.until.micros_since(wrapup.since), wrapup.call.is_some()), (5_000_000, true));
        assert_eq!(site.world.wish_of("anna"), None);
    }
}

#[test]
fn a_wish_ends_with_the_login_or_by_another_wish() {
    let mut site = Site::with_agents();
    site.queued("c1", "sales");
    let leg = site.offered("c1", "sales", "1001");
    site.of_leg(&leg, LegSeen::Answer(cordboard_core::event::With::Person));
    site.changed(wish(WithoutCall::No, 5));
    let told = site.changed(Change::EndWrapUp { user: anna(), wrapup: None, reason: "manual".to_owned() });
    assert_eq!((told.len(), site.world.wish_of("anna")), (1, None));
    site.changed(wish(WithoutCall::No, 5));
    site.agent("anna", AgentSeen::Leave { queue: None });
    assert_eq!(site.world.wish_of("anna"), None);
    site.hangs_up(&leg);
    assert_eq!(site.pass(60_000), []);
}

#[test]
fn whoever_goes_leaves_nothing_behind() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    site.changed(callback("wishes"));
    let carol = "carol".to_owned();
    site.changed(Change::DescribeUser { user: carol.clone(), profile: profile("Carol", &["1003"], Some(5)) });
    let membership = Membership { active: true, priority: 0 };
    site.changed(Change::AssignMember { queue: "sales".to_owned(), user: carol.clone(), membership });
    site.changed(Change::AssignCallback { id: Guid(7), to: Some(carol.clone()), by: None });
    site.changed(Change::Watch { user: anna(), agent: carol.clone(), on: true });
    site.changed(Change::Watch { user: carol.clone(), agent: anna(), on: true });
    assert_eq!(site.world.user_of("1003"), "carol");
    let told = site.changed(Change::RemoveUser { user: carol.clone() });
    assert!(
        matches!(
            told[..],
            [
                Fact::Queue { fact: QueueFact::MemberRemoved { .. }, .. },
                Fact::Callback { fact: CallbackFact::Assigned { to: None, .. }, .. },
                Fact::User { fact: UserFact::WatchEnded { .. }, .. },
                Fact::User { fact: UserFact::Removed, .. },
            ]
        ),
        "{told:?}"
    );
    assert_eq!((site.world.user_of("1003"), site.world.watchers("anna").count()), ("1003", 0));
    assert!(site.world.directory.named.is_empty() && site.world.queues["sales"].assigned.is_empty());
    assert_eq!(site.world.directory.callbacks[&Guid(7)].assigned, None);
}

#[test]
fn a_list_that_goes_closes_what_is_on_it() {
    let mut site = Site::with_agents();
    site.changed(list("wishes"));
    site.changed(callback("wishes"));
    let profile = QueueProfile { overflow_list: Some("wishes".to_owned()), ..QueueProfile::default() };
    site.changed(Change::DescribeQueue { queue: "sales".to_owned(), profile });
    let told = site.changed(Change::RemoveList { list: "wishes".to_owned() });
    assert!(
        matches!(
            told[..],
            [
                Fact::Callback { fact: CallbackFact::Closed { by: None }, .. },
                Fact::Queue { fact: QueueFact::Described(_), .. },
                Fact::List { fact: ListFact::Removed, .. },
            ]
        ),
        "{told:?}"
    );
    assert!(site.world.directory.callbacks.is_empty() && site.world.directory.lists.is_empty());
    assert_eq!(site.world.next_timer(), None);
}

#[test]
fn a_reservation_ends_when_its_time_is_up() {
    let mut site = Site::with_agents();
    site.ask("1001", Ask::Reserve { ms: 5_000, priority: 1, agent: None });
    assert!(!site.world.can_be_offered("anna", Time(site.now)));
    let told = site.pass(5_000);
    assert!(matches!(told[..], [Fact::Agent { fact: AgentFact::ReservationEnded, .. }]), "{told:?}");
    assert!(site.world.can_be_offered("anna", Time(site.now)));
}

#[test]
fn what_is_true_of_a_person_follows_calls_and_telephones() {
    let mut site = Site::with_agents();
    site.changed(Change::DescribeUser { user: anna(), profile: profile("Anna", &["1003"], None) });
    let facts = |site: &Site| {
        let facts = site.world.user_facts("anna", Time(site.now));
        (facts.talking, facts.active_queue.map(str::to_owned), facts.terminals, facts.can_be_offered)
    };
    assert_eq!(facts(&site), (false, None, 2, true));
    site.queued("c1", "sales");
    let leg = site.offered("c1", "sales", "1001");
    let rang = site.now;
    assert_eq!(facts(&site), (true, Some("sales".to_owned()), 2, false));
    site.of_leg(&leg, LegSeen::Answer(cordboard_core::event::With::Person));
    site.of_leg(&leg, LegSeen::Hold);
    assert_eq!(site.world.user_facts("anna", Time(site.now)).talking_changed, Some(Time(rang)));
    site.hangs_up(&leg);
    assert_eq!(
        (facts(&site), site.world.user_facts("anna", Time(0)).talking_changed),
        ((false, None, 2, true), Some(Time(site.now)))
    );
    site.see(Seen::Device { device: "1003".to_owned(), seen: DeviceSeen::Service(false) });
    site.see(Seen::Device { device: "1001".to_owned(), seen: DeviceSeen::Service(false) });
    assert_eq!(facts(&site), (false, None, 0, false));
}
