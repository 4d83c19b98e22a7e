//! What is asked of a coordinator, and what it answers.

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::{State, Text, Ticket};

/// Who asks, as far as it says so itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Who {
    /// The member id, as the coordinator gave it; empty where it has none yet.
    pub member: String,
    /// The name of the instance, of static members.
    pub instance: Option<String>,
    /// The generation it believes to be in; -1: it is in no group.
    pub generation: i32,
}

/// Somebody wants to be a member, or to go on being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Its member id, and the name of its instance; the generation means nothing here.
    pub who: Who,
    /// The member id it gets if it has none; unique for ever.
    pub new_member: String,
    /// A new member without a name is sent back to ask again with its member id, so that nobody is counted twice.
    pub member_id_required: bool,
    /// It understands that a leader is told to divide nothing.
    pub may_skip_assignment: bool,
    /// What the program calls itself.
    pub client_id: String,
    /// From where it comes.
    pub client_host: String,
    /// After so much silence it is left out. Milliseconds.
    pub session_ms: i32,
    /// How long it may take to join again. Milliseconds.
    pub rebalance_ms: i32,
    /// What kind of group it is: `consumer`.
    pub protocol_type: String,
    /// Ways of dividing the work, the best one first, each with what it says of itself.
    pub protocols: Vec<(String, Bytes)>,
}

/// A member asks for its part of the work; the leader brings all parts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sync {
    /// Who.
    pub who: Who,
    /// The kind of group it believes to be in, if it says so.
    pub protocol_type: Option<String>,
    /// The way of dividing it believes to be chosen, if it says so.
    pub protocol: Option<String>,
    /// Of the leader: member ids and their parts.
    pub assignments: Vec<(String, Bytes)>,
}

/// Somebody who leaves, or whom an administrator takes out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Leaver {
    /// The member id; may be empty where the instance is named.
    pub member: String,
    /// The name of the instance.
    pub instance: Option<String>,
}

/// The answer to a call that may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a [`Join`].
    Join(Result<Joined, NotJoined>),
    /// To a [`Sync`].
    Sync(Result<Synced, ResponseError>),
}

/// It is a member of this generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Which generation.
    pub generation: i32,
    /// What kind of group.
    pub protocol_type: Text,
    /// Which way of dividing was chosen.
    pub protocol: Text,
    /// Member id of the leader.
    pub leader: Text,
    /// Its own member id.
    pub member: Text,
    /// The leader is to divide nothing: the group goes on as it is.
    pub skip_assignment: bool,
    /// For the leader: everybody.
    pub members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its member id.
    pub member: Text,
    /// Its instance's name.
    pub instance: Option<Text>,
    /// What it says of itself, for the chosen way of dividing.
    pub metadata: Bytes,
}

/// It is not a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJoined {
    /// Why.
    pub error: ResponseError,
    /// The member id to ask again with, or the one it asked with.
    pub member: String,
}

/// A member's part of the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// What kind of group.
    pub protocol_type: Text,
    /// Which way of dividing was chosen.
    pub protocol: Text,
    /// The part.
    pub assignment: Bytes,
}

/// A group as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// How it is.
    pub state: State,
    /// What kind; empty where nobody ever said.
    pub protocol_type: Text,
    /// Which way of dividing; empty unless the group is stable.
    pub protocol: Text,
    /// Everybody.
    pub members: Vec<DescribedMember>,
}

/// A member as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its member id.
    pub member: Text,
    /// Its instance's name.
    pub instance: Option<Text>,
    /// What the program calls itself.
    pub client_id: Text,
    /// From where it comes.
    pub client_host: Text,
    /// What it says of itself; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its part; empty unless the group is stable.
    pub assignment: Bytes,
}

/// Answers on their way out.
pub(super) type Outbox = std::collections::VecDeque<(Ticket, Answer)>;
