//! Who may see what: the model of authorisation as pure functions. docs/authorisation.md says it in words.
//!
//! An agent sees itself, the queues it serves or is assigned to, and their call lists; a supervisor itself, the team's
//! agents, whoever works at the team's telephones, the team's queues and those of its own, and their call lists; an
//! administrator everything of the organisation; a program what it was granted. What somebody may not see, what is of
//! another kind than was named, and what does not exist are one and the same answer: no.

use cordboard_core::{World, listed};

use crate::permit::{Permit, Team};
use crate::tokens::Grant;

listed! {
    /// What can be seen.
    pub enum SubjectKind {
        /// People.
        User,
        /// Queues.
        Queue,
        /// Call lists.
        List,
    }
}

/// Something that can be seen, by its name in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A person.
    User(&'a str),
    /// A queue.
    Queue(&'a str),
    /// A call list.
    List(&'a str),
}

impl Subject<'_> {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::User(_) => SubjectKind::User,
            Self::Queue(_) => SubjectKind::Queue,
            Self::List(_) => SubjectKind::List,
        }
    }
}

/// Whether somebody may be told what events about this kind of thing say of this one; `None` is what does not exist.
#[must_use]
pub fn may_subscribe(world: &World, permit: &Permit, about: SubjectKind, subject: Option<Subject<'_>>) -> bool {
    subject.is_some_and(|subject| subject.kind() == about && may_see(world, permit, subject))
}

/// Whether somebody may see this.
#[must_use]
pub fn may_see(world: &World, permit: &Permit, subject: Subject<'_>) -> bool {
    match subject {
        Subject::User(user) => may_see_user(world, permit, user),
        Subject::Queue(queue) => may_see_queue(world, permit, queue),
        Subject::List(list) => may_see_list(world, permit, list),
    }
}

/// Whether somebody may see this person.
#[must_use]
pub fn may_see_user(world: &World, permit: &Permit, user: &str) -> bool {
    match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(grants) => sees(grants, &[Grant::SeeUsers, Grant::ChangeUsers]),
        Permit::Agent { agent, .. } => user == agent,
        Permit::Supervisor { user: own, team } => user == own || is_of_team(world, team, user),
    }
}

/// Whether somebody may see this queue.
#[must_use]
pub fn may_see_queue(world: &World, permit: &Permit, queue: &str) -> bool {
    match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(grants) => sees(grants, &[Grant::SeeQueues, Grant::ChangeQueues]),
        Permit::Agent { agent, .. } => serves(world, agent, queue),
        Permit::Supervisor { user, team } => team.queues.contains(queue) || serves(world, user, queue),
    }
}

/// Whether somebody may see this call list and its callbacks.
#[must_use]
pub fn may_see_list(world: &World, permit: &Permit, list: &str) -> bool {
    match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(grants) => sees(grants, &[Grant::SeeLists, Grant::ChangeLists]),
        Permit::Agent { .. } | Permit::Supervisor { .. } => {
            let queue = world.directory.lists.get(list).and_then(|list| list.profile.queue.as_deref());
            queue.is_some_and(|queue| may_see_queue(world, permit, queue))
        }
    }
}

/// Whoever reads the whole stream sees everything anyway.
fn sees(grants: &std::collections::BTreeSet<Grant>, any: &[Grant]) -> bool {
    grants.contains(&Grant::Events) || any.iter().any(|grant| grants.contains(grant))
}

/// Serves it now, or is assigned to it.
fn serves(world: &World, user: &str, queue: &str) -> bool {
    world.queues.get(queue).is_some_and(|queue| queue.members.contains(user) || queue.assigned.contains_key(user))
}

/// An agent of the team, or who works at one of its telephones, or whose own telephone is one of them.
fn is_of_team(world: &World, team: &Team, user: &str) -> bool {
    let theirs = |device: &str| team.devices.contains(device) && !team.queues.contains(device);
    let works_there = || world.agents.get(user).and_then(|agent| agent.device.as_deref()).is_some_and(theirs);
    let profile = || world.directory.users.get(user).and_then(|user| user.profile.as_ref());
    team.agents.contains(user)
        || theirs(user)
        || works_there()
        || profile().is_some_and(|profile| profile.devices.iter().any(|device| theirs(device)))
}
