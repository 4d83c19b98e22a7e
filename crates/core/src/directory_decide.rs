//! What follows from changes to the directory that somebody asks for: what is so already is told to nobody.

use alloc::string::{String, ToString};

use crate::change::{Change, Membership};
use crate::directory::User;
use crate::directory_check::{No, check};
use crate::event::{AlertFact, Availability, Fact, ListFact, QueueFact, UserFact};
use crate::guid::Guid;
use crate::ids::Time;
use crate::request::AskerRole;
use crate::world::World;
use crate::{Told, callback_decide, wrapup_decide};

/// The switch that is to carry a change out, none where we make it ourselves; or why it is refused.
pub(crate) fn examine(world: &World, change: &Change, role: AskerRole, now: Time) -> Result<Option<String>, No> {
    check(world, change, role, now)?;
    match change {
        Change::BeginWrapUp { user, wish } => wrapup_decide::can_begin(world, user, wish),
        Change::EndWrapUp { user, wrapup, .. } => wrapup_decide::can_end(world, user, *wrapup),
        Change::PickCalls { user, on } => wrapup_decide::can_pick(world, user, *on),
        Change::DescribeUser { .. }
        | Change::RemoveUser { .. }
        | Change::SetAvailability { .. }
        | Change::EndAvailability { .. }
        | Change::ChangeSetting { .. }
        | Change::RemoveSetting { .. }
        | Change::Watch { .. }
        | Change::ServeCallbacks { .. }
        | Change::ReportRecording { .. }
        | Change::ReportPhrase { .. }
        | Change::DescribeQueue { .. }
        | Change::AssignMember { .. }
        | Change::RemoveMember { .. }
        | Change::DescribeList { .. }
        | Change::RemoveList { .. }
        | Change::CreateCallback { .. }
        | Change::EditCallback { .. }
        | Change::AssignCallback { .. }
        | Change::AttemptCallback { .. }
        | Change::CloseCallback { .. }
        | Change::DefineAlert { .. }
        | Change::RemoveAlert { .. } => Ok(None),
    }
}

/// What is true once a change is made.
pub(crate) fn answer(world: &World, change: &Change, told: &mut Told) {
    let known = |user: &str| world.directory.users.get(user);
    match change {
        Change::DescribeUser { user, profile } => {
            if known(user).and_then(|user| user.profile.as_ref()) != Some(profile) {
                of_user(user, UserFact::Described(profile.clone()), told);
            }
        }
        Change::RemoveUser { user } => remove_user(world, user, told),
        Change::SetAvailability { user, availability } => set_availability(world, user, availability, told),
        Change::EndAvailability { user, id } => {
            if known(user).is_some_and(|user| user.availabilities.contains_key(id)) {
                of_user(user, UserFact::AvailabilityEnded { id: *id }, told);
            }
        }
        Change::ChangeSetting { user, setting } => {
            if known(user).and_then(|user| user.settings.get(&setting.keyword)) != Some(setting) {
                of_user(user, UserFact::SettingChanged(setting.clone()), told);
            }
        }
        Change::RemoveSetting { user, keyword } => {
            if known(user).is_some_and(|user| user.settings.contains_key(keyword)) {
                of_user(user, UserFact::SettingRemoved { keyword: keyword.clone() }, told);
            }
        }
        Change::Watch { user, agent, on } => {
            if known(user).is_some_and(|user| user.watches.contains(agent)) != *on {
                let agent = agent.clone();
                let fact = if *on { UserFact::WatchBegan { agent } } else { UserFact::WatchEnded { agent } };
                of_user(user, fact, told);
            }
        }
        Change::ServeCallbacks { user, on } => {
            if known(user).is_some_and(|user| user.serves_callbacks) != *on {
                of_user(user, UserFact::ServesCallbacks { on: *on }, told);
            }
        }
        Change::PickCalls { user, on } => {
            if known(user).is_some_and(|user| user.picks_calls) != *on {
                of_user(user, UserFact::PicksCalls { on: *on }, told);
            }
        }
        Change::BeginWrapUp { user, wish } => of_user(user, UserFact::WrapUpWanted(wish.clone()), told),
        Change::EndWrapUp { user, wrapup, reason } => {
            wrapup_decide::end_wished(world, user, *wrapup, reason, told);
        }
        Change::ReportRecording { user, converted } => {
            of_user(user, UserFact::RecordingConverted(converted.clone()), told);
        }
        Change::ReportPhrase { user, phrase } => of_user(user, UserFact::PhraseHeard(phrase.clone()), told),
        Change::DescribeQueue { queue, profile } => {
            if world.queues.get(queue).is_none_or(|known| known.profile != *profile) {
                of_queue(queue, QueueFact::Described(profile.clone()), told);
            }
        }
        Change::AssignMember { queue, user, membership } => assign(world, queue, user, *membership, told),
        Change::RemoveMember { queue, user } => {
            if world.queues.get(queue).is_some_and(|queue| queue.assigned.contains_key(user)) {
                of_queue(queue, QueueFact::MemberRemoved { user: user.clone() }, told);
            }
        }
        Change::DescribeList { list, profile } => {
            if world.directory.lists.get(list).map(|list| &list.profile) != Some(profile) {
                told.tell(Fact::List { list: list.clone(), fact: ListFact::Described(profile.clone()) });
            }
        }
        Change::RemoveList { list } => remove_list(world, list, told),
        Change::CreateCallback { .. }
        | Change::EditCallback { .. }
        | Change::AssignCallback { .. }
        | Change::AttemptCallback { .. }
        | Change::CloseCallback { .. } => callback_decide::answer(world, change, told),
        Change::DefineAlert { id, rule } => {
            if world.directory.alerts.get(id).is_none_or(|alert| alert.rule != **rule) {
                told.tell(Fact::Alert { alert: *id, fact: AlertFact::Defined(rule.clone()) });
            }
        }
        Change::RemoveAlert { id } => told.tell(Fact::Alert { alert: *id, fact: AlertFact::Removed }),
    }
}

/// One that is set takes the place of those that it covers for all the time they have left. Of those that outlast it, what
/// begins during it begins when it ends, and what began before lies beneath it and comes back.
fn set_availability(world: &World, name: &str, set: &Availability, told: &mut Told) {
    let now = told.at;
    let none = User::default();
    let known = &world.directory.users.get(name).unwrap_or(&none).availabilities;
    let set = Availability { from: set.from.max(now), ..set.clone() };
    let same = |was: &Availability| Availability { from: was.from.max(now), ..was.clone() } == set;
    if known.get(&set.id).is_some_and(same) {
        return;
    }
    let end = |it: &Availability| it.until.unwrap_or(Time(u64::MAX));
    let (id, from, ends) = (set.id, set.from, end(&set));
    of_user(name, UserFact::AvailabilitySet(set), told);
    for other in known.values().filter(|other| other.id != id) {
        let left = other.from.max(now);
        if from <= left && end(other) <= ends {
            of_user(name, UserFact::AvailabilityEnded { id: other.id }, told);
        } else if from < other.from && other.from < ends {
            of_user(name, UserFact::AvailabilitySet(Availability { from: ends, ..other.clone() }), told);
        }
    }
}

/// Whoever goes leaves nothing behind: no place in a queue, no alert, no callback to do, nobody who watches.
fn remove_user(world: &World, name: &str, told: &mut Told) {
    let Some(user) = world.directory.users.get(name) else { return };
    for queue in &user.assigned {
        of_queue(queue, QueueFact::MemberRemoved { user: name.to_string() }, told);
    }
    for alert in &user.alerts {
        told.tell(Fact::Alert { alert: *alert, fact: AlertFact::Removed });
    }
    for callback in &user.callbacks {
        callback_decide::nobodys(*callback, told);
    }
    for watcher in world.watchers(name) {
        of_user(watcher, UserFact::WatchEnded { agent: name.to_string() }, told);
    }
    of_user(name, UserFact::Removed, told);
}

/// A list that goes closes its callbacks, and no queue puts calls on it any more.
fn remove_list(world: &World, name: &str, told: &mut Told) {
    let Some(list) = world.directory.lists.get(name) else { return };
    let on_it = |callback: &&Guid| world.directory.callbacks.get(*callback).is_some_and(|it| it.closed.is_none());
    for callback in list.callbacks.iter().filter(on_it) {
        callback_decide::close(*callback, told);
    }
    for (queue, known) in &world.queues {
        if known.profile.overflow_list.as_deref() == Some(name) {
            let mut profile = known.profile.clone();
            profile.overflow_list = None;
            of_queue(queue, QueueFact::Described(profile), told);
        }
    }
    told.tell(Fact::List { list: name.to_string(), fact: ListFact::Removed });
}

fn assign(world: &World, queue: &str, user: &str, membership: Membership, told: &mut Told) {
    if world.queues.get(queue).is_some_and(|known| known.assigned.get(user) != Some(&membership)) {
        of_queue(queue, QueueFact::MemberAssigned { user: String::from(user), membership }, told);
    }
}

pub(crate) fn of_user(user: &str, fact: UserFact, told: &mut Told) {
    told.tell(Fact::User { user: user.to_string(), fact });
}

fn of_queue(queue: &str, fact: QueueFact, told: &mut Told) {
    told.tell(Fact::Queue { queue: queue.to_string(), fact });
}
