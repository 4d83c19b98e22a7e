//! The directory as it is: people, call lists, callbacks, alerts. A part of the world, built by `evolve` alone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::dues::Dues;
use crate::event::{AlertRule, Attempt, Availability, Callback, ListProfile, Profile, Reach, Setting, WrapUpWish};
use crate::guid::Guid;
use crate::ids::{CallId, ConnId, Time};
use crate::tally::Tally;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Whose own a telephone is.
    pub owners: BTreeMap<String, String>,
    /// The supervisors who watch an agent.
    pub watchers: BTreeMap<String, BTreeSet<String>>,
    /// What was given an id of its own.
    pub named: BTreeMap<Guid, Named>,
    /// Calls under way that are attempts at callbacks, and the list of the callback.
    pub list_calls: BTreeMap<ConnId, String>,
    /// Whose availability in force became another one with the newest event.
    pub turned: Option<String>,
    /// What falls due when.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeSet<(Time, crate::dues::Due)>"))]
    pub(crate) dues: Dues,
    /// Queues with alerts.
    pub(crate) tallies: BTreeMap<String, Tally>,
}

/// What has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// A person.
    User(String),
    /// A queue.
    Queue(String),
    /// A call list.
    List(String),
}

/// A person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct User {
    /// Who it is; none for somebody who has settings or an availability, and is known from a switch only.
    pub profile: Option<Profile>,
    /// Availabilities in force and planned, by id.
    pub availabilities: BTreeMap<Guid, Availability>,
    /// Those of them whose beginning is to come.
    pub planned: BTreeSet<Guid>,
    /// The one of them that was in force when one was told of last.
    pub(crate) in_force: Option<Guid>,
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
    /// The call that ended while it was wanted, and the queue it came through; it begins now.
    pub(crate) wrapup_after: Option<(CallId, Option<String>)>,
    /// Queues the person is assigned to.
    pub assigned: BTreeSet<String>,
    /// Open callbacks the person is to work on.
    pub callbacks: BTreeSet<Guid>,
    /// The person's alerts.
    pub alerts: BTreeSet<Guid>,
}

/// A call list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct List {
    /// What it is.
    pub profile: ListProfile,
    /// Its callbacks, open and closed.
    pub callbacks: BTreeSet<Guid>,
    /// Those of them that are closed, the oldest first.
    #[serde(default)]
    pub closed: BTreeSet<(Time, Guid)>,
}

/// A callback as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    /// What it is.
    pub rule: AlertRule,
    /// Whether its condition holds and was told.
    pub fired: bool,
}

impl User {
    /// The availability in force: of those whose time it is, the one that began last, and of these the one that ends first.
    #[must_use]
    pub fn availability_now(&self, now: Time) -> Option<&Availability> {
        let in_force = |it: &&Availability| it.from <= now && it.until.is_none_or(|until| now < until);
        let later = |it: &&Availability| (it.from, Reverse(it.until.unwrap_or(Time(u64::MAX))));
        self.availabilities.values().filter(in_force).max_by_key(later)
    }

    /// Whether the person can be reached: what the availability in force says; available where there is none.
    #[must_use]
    pub fn reach_now(&self, now: Time) -> Reach {
        self.availability_now(now).map_or(Reach::Available, |it| it.reach)
    }
}

impl List {
    /// How many of its callbacks are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.callbacks.len().saturating_sub(self.closed.len())
    }
}
