//! Folds what becomes true of the directory.

use alloc::boxed::Box;
use alloc::string::String;

use crate::directory::{Alert, CallbackState, Directory, List, User};
use crate::event::{AlertFact, CallbackFact, ListFact, UserFact};
use crate::guid::Guid;
use crate::ids::Time;

pub(crate) fn user(directory: &mut Directory, name: &str, fact: &UserFact) {
    if let UserFact::Removed = fact {
        directory.users.remove(name);
        return;
    }
    let user: &mut User = directory.users.entry(String::from(name)).or_default();
    match fact {
        UserFact::Described(profile) => user.profile = Some(profile.clone()),
        UserFact::AvailabilitySet(availability) => {
            user.availabilities.insert(availability.id, availability.clone());
        }
        UserFact::AvailabilityEnded { id } => {
            user.availabilities.remove(id);
        }
        UserFact::SettingChanged(setting) => {
            user.settings.insert(setting.keyword.clone(), setting.clone());
        }
        UserFact::SettingRemoved { keyword } => {
            user.settings.remove(keyword);
        }
        UserFact::WatchBegan { agent } => {
            user.watches.insert(agent.clone());
        }
        UserFact::WatchEnded { agent } => {
            user.watches.remove(agent);
        }
        UserFact::ServesCallbacks { on } => user.serves_callbacks = *on,
        UserFact::PicksCalls { on } => user.picks_calls = *on,
        UserFact::WrapUpWanted(wish) => user.wrapup_wanted = Some(wish.clone()),
        UserFact::WrapUpUnwanted { .. } => user.wrapup_wanted = None,
        UserFact::Removed | UserFact::RecordingConverted(_) | UserFact::PhraseHeard(_) => {}
    }
}

pub(crate) fn list(directory: &mut Directory, name: &str, fact: &ListFact) {
    match fact {
        ListFact::Described(profile) => {
            let fresh = || List { profile: profile.clone(), callbacks: Default::default() };
            let list = directory.lists.entry(String::from(name)).or_insert_with(fresh);
            list.profile.clone_from(profile);
        }
        ListFact::Removed => {
            for callback in directory.lists.remove(name).map(|list| list.callbacks).unwrap_or_default() {
                directory.callbacks.remove(&callback);
            }
        }
    }
}

pub(crate) fn callback(directory: &mut Directory, id: Guid, now: Time, fact: &CallbackFact) {
    if let CallbackFact::Created(callback) = fact {
        if let Some(list) = directory.lists.get_mut(&callback.list) {
            list.callbacks.insert(id);
        }
        let state = CallbackState {
            callback: (**callback).clone(),
            created: now,
            modified: now,
            modified_by: None,
            assigned: None,
            attempts: Default::default(),
            closed: None,
        };
        directory.callbacks.insert(id, state);
        return;
    }
    let Some(state) = directory.callbacks.get_mut(&id) else { return };
    state.modified = now;
    match fact {
        CallbackFact::Created(_) => {}
        CallbackFact::Edited { details, by } => {
            state.callback.details = Box::as_ref(details).clone();
            state.modified_by.clone_from(by);
        }
        CallbackFact::Assigned { to, by } => {
            state.assigned.clone_from(to);
            state.modified_by.clone_from(by);
        }
        CallbackFact::Attempted(attempt) => {
            state.attempts.push(attempt.clone());
            state.modified_by.clone_from(&attempt.by);
        }
        CallbackFact::Closed { by } => {
            state.closed = Some(now);
            state.modified_by.clone_from(by);
        }
        CallbackFact::Expired => {
            state.closed = Some(now);
            state.modified_by = None;
        }
    }
}

pub(crate) fn alert(directory: &mut Directory, id: Guid, fact: &AlertFact) {
    match fact {
        AlertFact::Defined(rule) => {
            directory.alerts.insert(id, Alert { rule: (**rule).clone(), fired: false });
        }
        AlertFact::Removed => {
            directory.alerts.remove(&id);
        }
        AlertFact::Fired { .. } | AlertFact::Cleared => {
            if let Some(alert) = directory.alerts.get_mut(&id) {
                alert.fired = matches!(fact, AlertFact::Fired { .. });
            }
        }
    }
}
