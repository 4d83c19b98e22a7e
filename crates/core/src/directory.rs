//! The directory as it is: people, call lists, callbacks, alerts. A part of the world, built by `evolve` alone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::event::{AlertRule, Attempt, Availability, Callback, ListProfile, Profile, Setting, WrapUpWish};
use crate::guid::Guid;
use crate::ids::Time;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Directory {
    /// People by name. Who is not here may all the same be an agent or have a telephone.
    pub users: BTreeMap<String, User>,
    /// Call lists by name.
    pub lists: BTreeMap<String, List>,
    /// Callbacks: all that are open, and the newest that are closed.
    pub callbacks: BTreeMap<Guid, CallbackState>,
    /// Alerts.
    pub alerts: BTreeMap<Guid, Alert>,
}

/// A person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Who it is; none for somebody who has settings or an availability, and is known from a switch only.
    pub profile: Option<Profile>,
    /// Availabilities in force and planned, by id.
    pub availabilities: BTreeMap<Guid, Availability>,
    /// Settings by name.
    pub settings: BTreeMap<String, Setting>,
    /// Agents whose calls the person wants to be told of.
    pub watches: BTreeSet<String>,
    /// Works on callbacks.
    pub serves_callbacks: bool,
    /// Picks calls instead of being offered them.
    pub picks_calls: bool,
    /// After-call work that begins when the call under way ends.
    pub wrapup_wanted: Option<WrapUpWish>,
}

/// A call list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// What it is.
    pub profile: ListProfile,
    /// Its callbacks.
    pub callbacks: BTreeSet<Guid>,
}

/// A callback as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackState {
    /// What it is, as edited last.
    pub callback: Callback,
    /// When it was created.
    pub created: Time,
    /// When it was changed last.
    pub modified: Time,
    /// Who changed it last; none for an administrator or a program.
    pub modified_by: Option<String>,
    /// Who is to work on it.
    pub assigned: Option<String>,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Since when it is closed.
    pub closed: Option<Time>,
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is.
    pub rule: AlertRule,
    /// Whether its condition holds and was told.
    pub fired: bool,
}
