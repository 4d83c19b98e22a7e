//! Counters of queues, conditions on them, and alerts: told when they come about, once, and when they are over.
#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

mod site;

use cordboard_core::change::{Change, Membership};
use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{AlertFact, AlertRule, Availability, Cause, Fact, Reach, With};
use cordboard_core::listed::Listed;
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, LegSeen, QueueSeen, Seen};
use cordboard_core::request::{Ask, Refusal};
use cordboard_core::{Guid, Time};
use site::{Site, facts, refusal};

const fn compare(counter: QueueCounter, comparison: Comparison, value: i64) -> Condition {
    Condition::Compare { counter, comparison, value }
}

fn alert(id: u128, condition: Condition) -> Change {
    let rule = AlertRule {
        user: "anna".to_owned(),
        queue: "sales".to_owned(),
        name: "waits".to_owned(),
        text: "as written".to_owned(),
        threshold: "1".to_owned(),
        condition,
    };
    Change::DefineAlert { id: Guid(id), rule: Box::new(rule) }
}

/// What was told of alerts: the value, or none where one is over.
fn told(facts: &[Fact]) -> Vec<(u128, Option<i64>)> {
    let of = |fact: &Fact| match fact {
        Fact::Alert { alert, fact: AlertFact::Fired { value } } => Some((alert.0, Some(*value))),
        Fact::Alert { alert, fact: AlertFact::Cleared } => Some((alert.0, None)),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

/// The counters that are not 0, by name.
fn counts(site: &Site) -> String {
    let counts = site.world.queue_counts("sales", Time(site.now));
    let named = |counter: &QueueCounter| match counts.get(*counter) {
        0 => None,
        count => Some(format!("{}={count}", counter.name())),
    };
    QueueCounter::ALL.iter().filter_map(named).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_step_of_a_day_moves_its_counters() {
    let mut site = Site::with_agents();
    let all = "Agents=2 LoggedIn=2 Serving=2";
    assert_eq!(counts(&site), format!("{all} Free=2"));
    site.queued("c1", "sales");
    site.pass(7_500);
    assert_eq!(counts(&site), format!("{all} Free=2 Calls=1 Waiting=1 LongestWaitS=7"));
    let leg = site.offered("c1", "sales", "1001");
    assert_eq!(counts(&site), format!("{all} Free=1 ShortAway=1 Calls=1 Offered=1 LongestWaitS=7"));
    site.of_leg(&leg, LegSeen::Answer(With::Person));
    let answered = cordboard_core::event::DequeueReason::Answered;
    site.of_call("c1", CallSeen::Dequeue { queue: "sales".to_owned(), reason: answered, to: None });
    assert_eq!(counts(&site), format!("{all} Free=1 ShortAway=1 Calls=1 Connected=1"));
    site.of_leg(&leg, LegSeen::Hold);
    assert_eq!(counts(&site), format!("{all} Free=1 ShortAway=1 Calls=1 Connected=1"));
    site.see(Seen::Queue { queue: "sales".to_owned(), seen: QueueSeen::WrapUp(10_000) });
    site.hangs_up(&leg);
    assert_eq!(counts(&site), format!("{all} Free=1 ShortAway=1 InWrapUp=1"));
    site.pass(10_000);
    site.agent("ben", AgentSeen::Pause { queue: "sales".to_owned(), reason: "lunch".to_owned() });
    assert_eq!(counts(&site), "Agents=2 LoggedIn=2 Serving=1 Free=1 LongAway=1");
    site.changed(Change::PickCalls { user: "anna".to_owned(), on: true });
    assert_eq!(counts(&site), "Agents=2 LoggedIn=2 Serving=1 LongAway=1 Picking=1");
    site.agent("anna", AgentSeen::Leave { queue: None });
    assert_eq!(counts(&site), "Agents=1 LoggedIn=1 LongAway=1");
    let membership = Membership { active: true, priority: 0 };
    site.changed(Change::AssignMember { queue: "sales".to_owned(), user: "anna".to_owned(), membership });
    assert_eq!(counts(&site), "Agents=2 LoggedIn=1 LongAway=1");
}

#[test]
fn what_keeps_an_agent_from_calls_for_long_is_no_service() {
    let away = |reach| Change::SetAvailability {
        user: "anna".to_owned(),
        availability: Availability {
            id: Guid(1),
            reach,
            from: Time(0),
            until: None,
            note: String::new(),
            source: String::new(),
            transfer_to: String::new(),
        },
    };
    let of_device = |seen| Seen::Device { device: "1001".to_owned(), seen };
    let acts: [&dyn Fn(&mut Site); 6] = [
        &|site| _ = site.changed(away(Reach::DoNotDisturb)),
        &|site| _ = site.changed(away(Reach::BackSoon)),
        &|site| _ = site.see(of_device(DeviceSeen::Service(false))),
        &|site| _ = site.see(of_device(DeviceSeen::Dnd(true))),
        &|site| _ = site.agent("anna", AgentSeen::Pause { queue: "sales".to_owned(), reason: String::new() }),
        &|site| {
            let membership = Membership { active: false, priority: 0 };
            site.changed(Change::AssignMember { queue: "sales".to_owned(), user: "anna".to_owned(), membership });
        },
    ];
    for (number, act) in acts.iter().enumerate() {
        let mut site = Site::with_agents();
        act(&mut site);
        assert_eq!(counts(&site), "Agents=2 LoggedIn=2 Serving=1 Free=1 LongAway=1", "act {number}");
    }
}

#[test]
fn an_alert_is_told_once_and_when_it_is_over() {
    let mut site = Site::with_agents();
    site.changed(alert(1, compare(QueueCounter::Waiting, Comparison::AtLeast, 2)));
    site.changed(alert(2, compare(QueueCounter::Free, Comparison::Less, 2)));
    assert_eq!(site.pass(60_000), []);
    site.queued("c1", "sales");
    assert_eq!(site.pass(60_000), []);
    site.queued("c2", "sales");
    assert_eq!(told(&site.pass(0)), [(1, Some(2))]);
    site.queued("c3", "sales");
    assert_eq!(told(&site.pass(60_000)), [], "once");
    let leg = site.offered("c1", "sales", "1001");
    assert_eq!(told(&site.pass(0)), [(2, Some(1))]);
    site.offered("c2", "sales", "1002");
    assert_eq!(told(&site.pass(0)), [(1, None)]);
    // It comes about and is over before anybody could be told.
    site.of_leg("c2.1002", LegSeen::Hangup { cause: Cause::NoAnswer, code: None, by_self: false, by: None });
    site.offered("c2", "sales", "1002");
    assert_eq!(told(&site.pass(0)), []);
    site.of_leg("c2.1002", LegSeen::Hangup { cause: Cause::NoAnswer, code: None, by_self: false, by: None });
    site.hangs_up(&leg);
    assert_eq!(told(&site.pass(0)), [(1, Some(3)), (2, None)], "the call that was offered waits again");
    // Defined anew, it is told anew.
    site.changed(alert(1, compare(QueueCounter::Waiting, Comparison::More, 1)));
    assert_eq!(told(&site.pass(0)), [(1, Some(3))]);
    site.changed(Change::RemoveAlert { id: Guid(1) });
    site.changed(Change::RemoveUser { user: "anna".to_owned() });
    assert!(site.world.directory.alerts.is_empty());
    assert_eq!(site.world.next_timer(), None);
}

#[test]
fn a_wait_that_grows_too_long_is_told_to_the_second() {
    let wait = |comparison, value| compare(QueueCounter::LongestWaitS, comparison, value);
    for (condition, expected) in [
        (wait(Comparison::More, 20), vec![(21, Some(21))]),
        (wait(Comparison::AtLeast, 20), vec![(20, Some(20))]),
        (wait(Comparison::Equal, 20), vec![(20, Some(20)), (21, None)]),
        (
            Condition::All(vec![wait(Comparison::More, 10), wait(Comparison::AtMost, 12)]),
            vec![(11, Some(11)), (13, None)],
        ),
        (Condition::Not(Box::new(wait(Comparison::Less, 5))), vec![(5, Some(5))]),
        (Condition::Any(vec![wait(Comparison::More, -1), wait(Comparison::More, 9)]), vec![(0, Some(0))]),
        (wait(Comparison::More, i64::MAX), vec![]),
    ] {
        let mut site = Site::with_agents();
        site.queued("c1", "sales");
        let began = *site.world.queues["sales"].waiting.values().next().unwrap();
        site.changed(alert(1, condition.clone()));
        let mut seen = Vec::new();
        for second in 0..60_u64 {
            seen.extend(told(&site.pass(0)).into_iter().map(|(_, value)| (second, value)));
            site.now = began.0 + (second + 1) * 1_000_000 - 1;
            assert_eq!(told(&site.pass(0)), [], "{condition:?} a moment before second {}", second + 1);
            site.now += 1;
        }
        assert_eq!(seen, expected, "{condition:?}");
    }
}

#[test]
fn a_condition_is_neither_empty_nor_without_end() {
    let one = compare(QueueCounter::Free, Comparison::Equal, 0);
    let deep = |depth| (0..depth).fold(one.clone(), |inner, _| Condition::Not(Box::new(inner)));
    let wide = |parts| Condition::Any(vec![one.clone(); parts]);
    for (condition, sound) in [
        (one.clone(), true),
        (Condition::All(vec![]), false),
        (Condition::Not(Box::new(Condition::Any(vec![]))), false),
        (deep(Condition::DEPTH_MAX - 1), true),
        (deep(Condition::DEPTH_MAX), false),
        (wide(Condition::PARTS_MAX - 1), true),
        (wide(Condition::PARTS_MAX), false),
    ] {
        assert_eq!(condition.is_sound(), sound, "{condition:?}");
        let answer = refusal(&Site::with_agents().change(alert(1, condition)));
        assert_eq!(answer, (!sound).then_some(Refusal::WrongAttribute));
    }
}

#[test]
fn an_alert_that_is_due_passes_however_late_it_is() {
    let mut site = Site::with_agents();
    site.changed(alert(1, compare(QueueCounter::LongestWaitS, Comparison::Equal, 3)));
    site.queued("c1", "sales");
    // Nobody looked for a minute: it came about, and was over.
    site.now += 60_000_000;
    assert_eq!(told(&site.pass(0)), [(1, Some(3)), (1, None)]);
    site.ask("", Ask::QueryServer);
    assert_eq!(facts(&site.hangs_up("c1.caller")).len(), 3);
    assert_eq!(site.world.next_timer(), None);
}
