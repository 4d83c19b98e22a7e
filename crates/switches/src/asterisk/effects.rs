//! What an order will be seen to cause: the one place where an observation finds the request behind it.

use cordboard_core::Seen;
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, LegSeen};

/// Something that is expected to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Of the leg with this key.
    Leg(String, OfLeg),
    /// Of the call with this key.
    Call(String, OfCall),
    /// Of an agent in a queue.
    Agent(String, OfAgent),
    /// Of a directory number.
    Device(String, OfDevice),
}

/// What is expected of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfLeg {
    Answered,
    Held,
    Retrieved,
    Parked,
    Muted,
    Deafened,
    Ended,
}

/// What is expected of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OfCall {
    /// It begins, and is described.
    Begun,
    /// A party dials or is rung.
    LegBegun,
    /// The first party of a call on request picks up.
    PickedUp,
    /// A leg of another call comes to it.
    Joined,
    Transferred,
    Conferred,
    Recorded,
    RecordStopped,
    /// By the supervisor at this number.
    Supervised(String),
    SuperviseEnded(String),
    /// A variable of this name becomes data of it.
    Variable(String),
}

/// What is expected of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OfAgent {
    Joins(String),
    /// A queue, or all of them.
    Leaves(Option<String>),
    Pauses(String),
    Resumes(String),
}

/// What is expected of a directory number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfDevice {
    Dnd,
    Messages,
    /// Whoever waits on a parking place is fetched by it.
    Unparks,
}

impl Effect {
    /// Whether this is it. `call` is the call of the leg that was seen, where it is known.
    pub(crate) fn is(&self, seen: &Seen, call: Option<&str>) -> bool {
        match (self, seen) {
            (Self::Leg(key, what), Seen::Leg { leg, seen }) => key == leg && what.is(seen),
            (Self::Call(key, what), Seen::Call { call, seen }) => key == call && what.is(seen),
            (Self::Call(key, what), Seen::Leg { seen, .. }) => what.is_of_leg(key, seen, call),
            (Self::Agent(id, what), Seen::Agent { agent, seen }) => id == agent && what.is(seen),
            (Self::Device(number, what), Seen::Device { device, seen }) => number == device && what.is(seen),
            (Self::Device(number, OfDevice::Unparks), Seen::Leg { seen: LegSeen::Unpark { by }, .. }) => {
                by.as_ref() == Some(number)
            }
            (_, _) => false,
        }
    }
}

impl OfLeg {
    fn is(self, seen: &LegSeen) -> bool {
        match self {
            Self::Answered => matches!(seen, LegSeen::Answer(_)),
            Self::Held => matches!(seen, LegSeen::Hold),
            Self::Retrieved => matches!(seen, LegSeen::Retrieve),
            Self::Parked => matches!(seen, LegSeen::Park { .. }),
            Self::Muted => matches!(seen, LegSeen::Mute(_)),
            Self::Deafened => matches!(seen, LegSeen::Deafen { .. }),
            Self::Ended => matches!(seen, LegSeen::Hangup { .. }),
        }
    }
}

impl OfCall {
    fn is(&self, seen: &CallSeen) -> bool {
        match self {
            Self::Begun => {
                matches!(seen, CallSeen::Begin { .. } | CallSeen::Describe { .. } | CallSeen::UserData { .. })
            }
            Self::Joined => matches!(seen, CallSeen::Join { .. }),
            Self::Transferred => matches!(seen, CallSeen::Transfer { .. }),
            Self::Conferred => matches!(seen, CallSeen::Conference { .. }),
            Self::Recorded => matches!(seen, CallSeen::Record { .. }),
            Self::RecordStopped => matches!(seen, CallSeen::RecordStop),
            Self::Supervised(who) => matches!(seen, CallSeen::Supervise { by, .. } if by == who),
            Self::SuperviseEnded(who) => matches!(seen, CallSeen::SuperviseEnd { by } if by == who),
            Self::Variable(name) => matches!(seen, CallSeen::UserData { key, .. } if key == name),
            Self::LegBegun | Self::PickedUp => false,
        }
    }

    fn is_of_leg(&self, of: &str, seen: &LegSeen, call: Option<&str>) -> bool {
        match self {
            Self::LegBegun => {
                matches!(seen, LegSeen::Dial { call, .. } | LegSeen::Ring { call, .. } if call == of)
            }
            Self::PickedUp => matches!(seen, LegSeen::PickUp) && call == Some(of),
            Self::Joined => matches!(seen, LegSeen::Move { to } if to == of),
            Self::Begun
            | Self::Transferred
            | Self::Conferred
            | Self::Recorded
            | Self::RecordStopped
            | Self::Supervised(_)
            | Self::SuperviseEnded(_)
            | Self::Variable(_) => false,
        }
    }
}

impl OfAgent {
    fn is(&self, seen: &AgentSeen) -> bool {
        match self {
            Self::Joins(of) => matches!(seen, AgentSeen::Join { queue, .. } if queue.as_ref() == Some(of)),
            Self::Leaves(of) => matches!(seen, AgentSeen::Leave { queue } if queue == of),
            Self::Pauses(of) => matches!(seen, AgentSeen::Pause { queue, .. } if queue == of),
            Self::Resumes(of) => matches!(seen, AgentSeen::Resume { queue } if queue == of),
        }
    }
}

impl OfDevice {
    fn is(self, seen: &DeviceSeen) -> bool {
        match self {
            Self::Dnd => matches!(seen, DeviceSeen::Dnd(_)),
            Self::Messages => matches!(seen, DeviceSeen::Messages(..)),
            Self::Unparks => false,
        }
    }
}
