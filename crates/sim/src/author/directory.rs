//! Changes of the directory by chance: a few names and ids, so that they meet.

use cordboard_core::change::{Change, Membership, QueueProfile};
use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{
    AlertRule, Attempt, Availability, Callback, CallbackDetails, CallbackKind, ListProfile, Profile, Reach, Setting,
    SettingLevel, WithoutCall, WrapUpWish,
};
use cordboard_core::listed::Listed;
use cordboard_core::{Guid, Time};
use cordboard_server::scenario::Player;

use super::{AGENTS, EXTENSIONS, QUEUES, one};
use crate::chance::Chance;

const LISTS: [&str; 2] = ["late", "wishes"];
/// How many ids there are.
const IDS: usize = 4;
/// How far ahead things are planned, in seconds.
const AHEAD_S: usize = 60;

/// A change.
pub(super) fn change(chance: &mut Chance, player: &Player) -> Change {
    let now = player.rehearsal.now();
    let (user, on) = (user(chance), !chance.once_in(3));
    match chance.below(26) {
        0 | 1 => Change::DescribeUser { user, profile: profile(chance) },
        2 => Change::RemoveUser { user },
        3..=5 => Change::SetAvailability { user, availability: availability(chance, now) },
        6 => Change::EndAvailability { user, id: id(chance) },
        7 if on => Change::ChangeSetting { user, setting: setting(chance) },
        7 => Change::RemoveSetting { user, keyword: "colour".to_string() },
        8 => Change::Watch { user, agent: self::user(chance), on },
        9 => Change::ServeCallbacks { user, on },
        10 => Change::PickCalls { user, on },
        11 | 12 => Change::BeginWrapUp { user, wish: wish(chance) },
        13 => {
            let wrapup = chance.once_in(2).then(|| id(chance));
            Change::EndWrapUp { user, wrapup, reason: "manual".to_string() }
        }
        14 | 15 => Change::DescribeQueue { queue: one(chance, &QUEUES), profile: queue(chance) },
        16 if on => {
            let membership = Membership { active: !chance.once_in(3), priority: 1 };
            Change::AssignMember { queue: one(chance, &QUEUES), user, membership }
        }
        16 => Change::RemoveMember { queue: one(chance, &QUEUES), user },
        17 | 18 => Change::DescribeList { list: one(chance, &LISTS), profile: ListProfile::default() },
        19 if chance.once_in(4) => Change::RemoveList { list: one(chance, &LISTS) },
        19 | 20 => callback(chance, now),
        21 | 22 => on_callback(chance, now, user),
        23 if !on => Change::RemoveAlert { id: id(chance) },
        _ => Change::DefineAlert { id: id(chance), rule: Box::new(alert(chance, user)) },
    }
}

fn user(chance: &mut Chance) -> String {
    if chance.once_in(5) { one(chance, &EXTENSIONS) } else { one(chance, &AGENTS) }
}

fn id(chance: &mut Chance) -> Guid {
    Guid(1 + chance.below(IDS) as u128)
}

fn ahead(chance: &mut Chance, now: Time) -> Time {
    now.plus_ms(500 * chance.below(2 * AHEAD_S) as u64)
}

fn profile(chance: &mut Chance) -> Profile {
    let devices = if chance.once_in(2) { vec![one(chance, &EXTENSIONS)] } else { Vec::new() };
    let guid = chance.once_in(3).then(|| id(chance));
    Profile { name: "Somebody".to_string(), login: String::new(), guid, devices }
}

fn availability(chance: &mut Chance, now: Time) -> Availability {
    let others = [Reach::Busy, Reach::DoNotDisturb, Reach::OffWork, Reach::BackSoon, Reach::Away];
    Availability {
        id: id(chance),
        reach: chance.pick(Reach::Available, others),
        from: if chance.once_in(2) { Time(0) } else { ahead(chance, now) },
        until: (!chance.once_in(3)).then(|| ahead(chance, now)),
        note: String::new(),
        source: String::new(),
        transfer_to: String::new(),
    }
}

fn setting(chance: &mut Chance) -> Setting {
    let value = if chance.once_in(2) { "red" } else { "green" }.to_string();
    Setting { keyword: "colour".to_string(), value, values: None, allowed: None, level: SettingLevel::User }
}

fn wish(chance: &mut Chance) -> WrapUpWish {
    WrapUpWish {
        id: id(chance),
        max_s: chance.pick(0, [5, 20]),
        without_call: chance.pick(WithoutCall::Yes, [WithoutCall::No, WithoutCall::Only]),
        call: None,
        queue: chance.once_in(3).then(|| one(chance, &QUEUES)),
        list: chance.once_in(4).then(|| one(chance, &LISTS)),
        callback: None,
    }
}

fn queue(chance: &mut Chance) -> QueueProfile {
    let overflow_list = (!chance.once_in(3)).then(|| one(chance, &LISTS));
    QueueProfile { title: String::new(), guid: chance.once_in(3).then(|| id(chance)), overflow_list, closed: false }
}

fn details(chance: &mut Chance, now: Time) -> CallbackDetails {
    let contact_number = if chance.once_in(6) { "" } else { "+15550100123" }.to_string();
    let expires = chance.once_in(2).then(|| ahead(chance, now));
    CallbackDetails { contact_number, expires, ..CallbackDetails::default() }
}

fn callback(chance: &mut Chance, now: Time) -> Change {
    let callback = Callback {
        list: one(chance, &LISTS),
        kind: CallbackKind::Requested,
        call: None,
        queue: None,
        target_number: String::new(),
        personal: chance.once_in(4).then(|| user(chance)),
        by: None,
        details: details(chance, now),
    };
    Change::CreateCallback { id: id(chance), callback: Box::new(callback) }
}

fn on_callback(chance: &mut Chance, now: Time, user: String) -> Change {
    let (id, by) = (id(chance), Some(user));
    match chance.below(5) {
        0 => Change::EditCallback { id, details: Box::new(details(chance, now)), by },
        1 | 2 => Change::AssignCallback { id, to: by, by: None },
        3 => {
            let attempt =
                Attempt { id, by, at: now, result: Some(1), note: String::new(), call: None, recording: None };
            Change::AttemptCallback { id, attempt }
        }
        _ => Change::CloseCallback { id, by },
    }
}

fn alert(chance: &mut Chance, user: String) -> AlertRule {
    AlertRule {
        user,
        queue: one(chance, &QUEUES),
        name: "by chance".to_string(),
        text: String::new(),
        threshold: String::new(),
        condition: condition(chance, 2),
    }
}

fn condition(chance: &mut Chance, depth: usize) -> Condition {
    if depth > 0 && chance.once_in(3) {
        let parts = vec![condition(chance, depth - 1), condition(chance, depth - 1)];
        return if chance.once_in(2) { Condition::All(parts) } else { Condition::Any(parts) };
    }
    if depth > 0 && chance.once_in(6) {
        return Condition::Not(Box::new(condition(chance, depth - 1)));
    }
    let counters = QueueCounter::ALL;
    let counter = counters.get(chance.below(counters.len())).copied().unwrap_or(QueueCounter::Free);
    let others = [Comparison::More, Comparison::Equal, Comparison::Less, Comparison::NotEqual];
    let value = chance.below(if counter == QueueCounter::LongestWaitS { AHEAD_S } else { 4 });
    Condition::Compare { counter, comparison: chance.pick(Comparison::AtLeast, others), value: value as i64 }
}
