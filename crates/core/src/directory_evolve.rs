//! Folds what becomes true of the directory.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use crate::directory::{Alert, CallbackState, Directory, List, Named, User};
use crate::dues::Due;
use crate::event::{AlertFact, CallbackFact, ListFact, QueueFact, UserFact};
use crate::guid::Guid;
use crate::ids::Time;
use crate::limits::CALLBACKS_CLOSED_MAX;
use crate::world::World;

pub(crate) fn user(directory: &mut Directory, name: &str, now: Time, fact: &UserFact) {
    if let UserFact::Removed = fact {
        return remove_user(directory, name);
    }
    let user: &mut User = directory.users.entry(String::from(name)).or_default();
    match fact {
        UserFact::Described(profile) => {
            let was = user.profile.replace(profile.clone()).unwrap_or_default();
            for device in was.devices {
                directory.owners.remove(&device);
            }
            for device in &profile.devices {
                directory.owners.insert(device.clone(), String::from(name));
            }
            rename(&mut directory.named, was.guid, profile.guid, || Named::User(String::from(name)));
        }
        UserFact::AvailabilitySet(availability) => {
            user.planned.remove(&availability.id);
            if availability.from > now {
                user.planned.insert(availability.id);
            }
            user.availabilities.insert(availability.id, availability.clone());
            turn(directory, name, now, Some(availability.id));
        }
        UserFact::AvailabilityBegan { id } => {
            user.planned.remove(id);
            turn(directory, name, now, None);
        }
        UserFact::AvailabilityEnded { id } => {
            user.planned.remove(id);
            user.availabilities.remove(id);
            turn(directory, name, now, None);
        }
        UserFact::SettingChanged(setting) => {
            user.settings.insert(setting.keyword.clone(), setting.clone());
        }
        UserFact::SettingRemoved { keyword } => {
            user.settings.remove(keyword);
        }
        UserFact::WatchBegan { agent } => {
            user.watches.insert(agent.clone());
            enter(&mut directory.watchers, agent, name);
        }
        UserFact::WatchEnded { agent } => {
            user.watches.remove(agent);
            leave(&mut directory.watchers, agent, name);
        }
        UserFact::ServesCallbacks { on } => user.serves_callbacks = *on,
        UserFact::PicksCalls { on } => user.picks_calls = *on,
        UserFact::WrapUpWanted(wish) => user.wrapup_wanted = Some(wish.clone()),
        UserFact::WrapUpUnwanted { wrapup, .. } => {
            let meant = user.wrapup_wanted.as_ref().is_some_and(|wish| wrapup.is_none_or(|wrapup| wrapup == wish.id));
            if meant {
                forget_wish(directory, name);
            }
        }
        UserFact::Removed | UserFact::RecordingConverted(_) | UserFact::PhraseHeard(_) => {}
    }
}

/// No after-call work is wished for any more.
pub(crate) fn forget_wish(directory: &mut Directory, name: &str) {
    if let Some(user) = directory.users.get_mut(name)
        && user.wrapup_wanted.take().is_some()
    {
        user.wrapup_after = None;
        directory.dues.set(Due::WrapUp(String::from(name)), None);
    }
}

/// Whoever logs out picks no calls, and no after-call work is wished for any more.
pub(crate) fn logged_out(directory: &mut Directory, name: &str) {
    forget_wish(directory, name);
    if let Some(user) = directory.users.get_mut(name) {
        user.picks_calls = false;
    }
}

/// After-call work that was wished for begins: a call has ended, or there is none.
pub(crate) fn wish_is_due(world: &mut World, name: &str, after: Option<(crate::CallId, Option<String>)>, now: Time) {
    if let Some(user) = world.directory.users.get_mut(name).filter(|user| user.wrapup_wanted.is_some()) {
        user.wrapup_after = after;
        world.directory.dues.set(Due::WrapUp(String::from(name)), Some(now));
    }
}

fn remove_user(directory: &mut Directory, name: &str) {
    let Some(user) = directory.users.remove(name) else { return };
    let profile = user.profile.unwrap_or_default();
    for device in profile.devices {
        directory.owners.remove(&device);
    }
    for agent in user.watches {
        leave(&mut directory.watchers, &agent, name);
    }
    rename(&mut directory.named, profile.guid, None, || Named::User(String::new()));
    directory.dues.set(Due::Reach(String::from(name)), None);
    directory.dues.set(Due::WrapUp(String::from(name)), None);
}

/// An availability became another one: the one in force may be another one too, or is in other words where it is `said`.
fn turn(directory: &mut Directory, name: &str, now: Time, said: Option<Guid>) {
    set_reach_timer(directory, name);
    let Some(user) = directory.users.get_mut(name) else { return };
    let in_force = user.availability_now(now).map(|it| it.id);
    if in_force != user.in_force || in_force.is_some() && in_force == said {
        directory.turned = Some(String::from(name));
    }
    user.in_force = in_force;
}

/// The next moment at which an availability begins or ends.
pub(crate) fn set_reach_timer(directory: &mut Directory, name: &str) {
    let Some(user) = directory.users.get(name) else { return };
    let begins = user.planned.iter().filter_map(|id| user.availabilities.get(id)).map(|it| it.from);
    let ends = user.availabilities.values().filter_map(|it| it.until);
    let next = begins.chain(ends).min();
    directory.dues.set(Due::Reach(String::from(name)), next);
}

/// What the directory says of a queue has become something else; `was` is the queue's own id of before.
pub(crate) fn queue(directory: &mut Directory, name: &str, was: Option<Guid>, fact: &QueueFact) {
    match fact {
        QueueFact::Described(profile) => {
            rename(&mut directory.named, was, profile.guid, || Named::Queue(String::from(name)));
        }
        QueueFact::MemberAssigned { user, .. } => {
            directory.users.entry(user.clone()).or_default().assigned.insert(String::from(name));
        }
        QueueFact::MemberRemoved { user } => {
            if let Some(user) = directory.users.get_mut(user) {
                user.assigned.remove(name);
            }
        }
        QueueFact::Found { .. } | QueueFact::WrapUpSet { .. } => {}
    }
}

pub(crate) fn list(directory: &mut Directory, name: &str, fact: &ListFact) {
    match fact {
        ListFact::Described(profile) => {
            let fresh = || List { profile: profile.clone(), callbacks: Default::default(), closed: Default::default() };
            let list = directory.lists.entry(String::from(name)).or_insert_with(fresh);
            let was = core::mem::replace(&mut list.profile, profile.clone()).guid;
            rename(&mut directory.named, was, profile.guid, || Named::List(String::from(name)));
        }
        ListFact::Removed => {
            let Some(list) = directory.lists.remove(name) else { return };
            rename(&mut directory.named, list.profile.guid, None, || Named::List(String::new()));
            for id in list.callbacks {
                forget_callback(directory, id);
            }
        }
    }
}

pub(crate) fn callback(world: &mut World, id: Guid, now: Time, fact: &CallbackFact) {
    if let CallbackFact::Created(callback) = fact {
        let state = CallbackState {
            callback: (**callback).clone(),
            created: now,
            modified: now,
            modified_by: callback.by.clone(),
            assigned: None,
            attempts: Default::default(),
            closed: None,
        };
        let directory = &mut world.directory;
        if let Some(list) = directory.lists.get_mut(&callback.list) {
            list.callbacks.insert(id);
        }
        directory.dues.set(Due::Callback(id), callback.details.expires);
        directory.callbacks.insert(id, state);
        return;
    }
    let call = match fact {
        CallbackFact::Attempted(attempt) => attempt.call.filter(|call| world.call_by_conn(*call).is_some()),
        CallbackFact::Created(_)
        | CallbackFact::Edited { .. }
        | CallbackFact::Assigned { .. }
        | CallbackFact::Closed { .. }
        | CallbackFact::Expired => None,
    };
    let directory = &mut world.directory;
    let Some(state) = directory.callbacks.get_mut(&id) else { return };
    state.modified = now;
    match fact {
        CallbackFact::Created(_) => {}
        CallbackFact::Edited { details, by } => {
            state.callback.details = Box::as_ref(details).clone();
            state.modified_by.clone_from(by);
            directory.dues.set(Due::Callback(id), details.expires);
        }
        CallbackFact::Assigned { to, by } => {
            state.modified_by.clone_from(by);
            let was = core::mem::replace(&mut state.assigned, to.clone());
            if let Some(user) = was.and_then(|was| directory.users.get_mut(&was)) {
                user.callbacks.remove(&id);
            }
            if let Some(to) = to {
                directory.users.entry(to.clone()).or_default().callbacks.insert(id);
            }
        }
        CallbackFact::Attempted(attempt) => {
            state.modified_by.clone_from(&attempt.by);
            state.attempts.push(attempt.clone());
            let list = state.callback.list.clone();
            if let Some(call) = call {
                directory.list_calls.insert(call, list);
            }
        }
        CallbackFact::Closed { by } => {
            state.modified_by.clone_from(by);
            close(directory, id, now);
        }
        CallbackFact::Expired => {
            state.modified_by = None;
            close(directory, id, now);
        }
    }
}

/// A callback is closed. Of those that are closed a list keeps the newest.
fn close(directory: &mut Directory, id: Guid, now: Time) {
    directory.dues.set(Due::Callback(id), None);
    let Some(state) = directory.callbacks.get_mut(&id) else { return };
    state.closed = Some(now);
    if let Some(user) = state.assigned.as_ref().and_then(|user| directory.users.get_mut(user)) {
        user.callbacks.remove(&id);
    }
    let Some(list) = directory.lists.get_mut(&state.callback.list) else { return };
    list.closed.insert((now, id));
    while list.closed.len() > CALLBACKS_CLOSED_MAX {
        let Some((_, oldest)) = list.closed.pop_first() else { return };
        list.callbacks.remove(&oldest);
        directory.callbacks.remove(&oldest);
    }
}

fn forget_callback(directory: &mut Directory, id: Guid) {
    let Some(state) = directory.callbacks.remove(&id) else { return };
    directory.dues.set(Due::Callback(id), None);
    if let Some(user) = state.assigned.as_ref().and_then(|user| directory.users.get_mut(user)) {
        user.callbacks.remove(&id);
    }
}

pub(crate) fn alert(world: &mut World, id: Guid, fact: &AlertFact) {
    match fact {
        AlertFact::Defined(rule) => {
            drop_alert(&mut world.directory, id);
            let user = world.directory.users.entry(rule.user.clone()).or_default();
            user.alerts.insert(id);
            world.directory.alerts.insert(id, Alert { rule: (**rule).clone(), fired: false });
            world.begin_tally(&rule.queue, id);
        }
        AlertFact::Removed => drop_alert(&mut world.directory, id),
        AlertFact::Fired { .. } | AlertFact::Cleared => {
            if let Some(alert) = world.directory.alerts.get_mut(&id) {
                alert.fired = matches!(fact, AlertFact::Fired { .. });
            }
        }
    }
    if let Some(queue) = world.directory.alerts.get(&id).map(|alert| alert.rule.queue.clone()) {
        world.set_alert_timers(&queue);
    }
}

fn drop_alert(directory: &mut Directory, id: Guid) {
    let Some(alert) = directory.alerts.remove(&id) else { return };
    directory.dues.set(Due::Alert(id), None);
    if let Some(user) = directory.users.get_mut(&alert.rule.user) {
        user.alerts.remove(&id);
    }
    if let Some(tally) = directory.tallies.get_mut(&alert.rule.queue) {
        tally.alerts.remove(&id);
        if tally.alerts.is_empty() {
            directory.tallies.remove(&alert.rule.queue);
        }
    }
}

/// An id of one's own is another one from now on.
fn rename(named: &mut BTreeMap<Guid, Named>, was: Option<Guid>, now: Option<Guid>, it: impl FnOnce() -> Named) {
    if let Some(was) = was {
        named.remove(&was);
    }
    if let Some(now) = now {
        named.insert(now, it());
    }
}

fn enter(index: &mut BTreeMap<String, BTreeSet<String>>, key: &str, name: &str) {
    index.entry(String::from(key)).or_default().insert(String::from(name));
}

fn leave(index: &mut BTreeMap<String, BTreeSet<String>>, key: &str, name: &str) {
    if let Some(names) = index.get_mut(key) {
        names.remove(name);
        if names.is_empty() {
            index.remove(key);
        }
    }
}
