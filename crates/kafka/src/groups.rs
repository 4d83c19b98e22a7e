//! Groups of consumers that share partitions, and how far each group has read.
//!
//! [`Coordinator`] is the classic protocol of groups: members join, one of them divides the work, each gets its part, and
//! whoever is silent for too long is left out. It knows no clock, chance or connection: moments (milliseconds of one
//! clock that never goes back) and new ids come in with each call, and a call that has to wait is a [`Ticket`] whose
//! answer [`Coordinator::poll_answer`] gives out later. [`Offsets`] is what groups have committed; it is made of
//! [`Change`]s, which its owner writes down before anybody hears of them.
//!
//! An owner (a tenant, or the operator) has groups of its own: the same name of another owner is another group.
//!
//! In reading order: `state` the table, `member`, `group` what one group does, `joining` its first half, `coordinator`
//! all groups with their limits, `offsets`, `wire` requests and answers as each version of the protocol has them.

mod command;
mod coordinator;
mod group;
mod joining;
mod limits;
mod member;
mod offsets;
mod state;
mod subscription;
#[cfg(test)]
mod tests;
pub mod wire;

use std::sync::Arc;

pub use command::{
    Answer, Described, DescribedMember, Join, Joined, JoinedMember, Leaver, NotJoined, Sync, Synced, Who,
};
pub use coordinator::{Coordinator, Notice, Totals};
pub use limits::{GroupLimits, OffsetLimits};
pub use offsets::{Change, Committed, Life, Offsets, Place, Stored, StoredError};
pub use state::{State, Step};
pub use subscription::topics_of;

/// A name: of an owner, a group, a member, a topic. Clones share it.
pub type Text = Arc<str>;

/// A call that waits for its answer; whoever calls chooses the number, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);
