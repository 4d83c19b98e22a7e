//! The names of the events, what each is about, and how long it is worth delivering.

use cordboard_core::listed;
use cordboard_core::listed::Listed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

listed! {
    /// What an event is about.
    #[derive(Hash, Serialize, Deserialize, JsonSchema)]
    pub enum EntityKind {
        /// A person.
        User,
        /// A queue.
        Queue,
        /// A call list.
        CallList,
    }
}

listed! {
    /// Every event, in the order of the documentation.
    #[derive(Hash, Serialize, Deserialize, JsonSchema)]
    pub enum EventName {
        /// A condition on a queue that somebody watches has come about.
        UserAlert,
        /// Another availability is in force.
        UserAvailability,
        /// A call of a watched agent can be joined.
        UserCallAvailableForMonitoring,
        /// A direct call is to be offered to the user.
        UserCallInArrived,
        /// A callback was created that is addressed to the user.
        UserCallInCallbackCreated,
        /// A direct call for the user came in.
        UserCallInComing,
        /// A call that the user answered is over for the user.
        UserCallInDisconnected,
        /// A call that the user answered is off hold.
        UserCallInHoldEnd,
        /// A call that the user answered is on hold.
        UserCallInHoldStart,
        /// A call that was the user's goes on to another target.
        UserCallInOverflow,
        /// The recording of a call to the user was converted.
        UserCallInRecordingConverted,
        /// A hand-over by the user came to nothing.
        UserCallInTransferCancelled,
        /// The target of a hand-over by the user is connected.
        UserCallInTransferConnected,
        /// The user hands a call on, or asks somebody about it.
        UserCallInTransferStarted,
        /// A call is offered to the user: a telephone rings.
        UserCallInUserAllocated,
        /// An offer was taken back, declined or not answered.
        UserCallInUserCancelled,
        /// The user answered.
        UserCallInUserConnected,
        /// A direct call does not stay with the user.
        UserCallInUserOverflow,
        /// A call that the user made was answered.
        UserCallOutConnected,
        /// A call that the user made is over for the user.
        UserCallOutDisconnected,
        /// The user makes a call.
        UserCallOutGoing,
        /// A call that the user made is off hold.
        UserCallOutHoldEnd,
        /// A call that the user made is on hold.
        UserCallOutHoldStart,
        /// The recording of a call by the user was converted.
        UserCallOutRecordingConverted,
        /// A phrase was heard in a call of the user.
        UserRealTimeTranscriptPhrase,
        /// A setting of the user was changed or removed.
        UserSetting,
        /// What the user is doing, for those who distribute calls.
        UserStatus,
        /// A supervisor came to a call of the user, takes part otherwise, or left.
        UserSupervisionStatus,
        /// A telephone of the user can be reached, or no longer.
        UserTerminalStatus,
        /// A call was answered that after-call work follows.
        UserWrapUpEnabled,
        /// Somebody asked that after-call work begin.
        UserWrapUpRequestInitiate,
        /// Somebody asked that after-call work end.
        UserWrapUpRequestTerminate,
        /// After-call work began.
        UserWrapUpStarted,
        /// After-call work ended.
        UserWrapUpTerminated,
        /// The counters of a queue.
        QueueStatus,
        /// A callback was created, edited, assigned, tried or closed.
        CallbackChanged,
    }
}

/// The heading of one event in the documentation is not the name it has on the wire; subscribers may use it all the same.
const TERMINAL_STATUS_HEADING: &str = "UserTerminalStatusEvent";

/// How long a status is worth delivering, in seconds.
const STATUS_TTL_S: u32 = 60;
/// How long a callback is worth delivering, in seconds.
const CALLBACK_TTL_S: u32 = 120;

impl EventName {
    /// The name on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        self.name()
    }

    /// The event of this name; upper and lower case are the same.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case(TERMINAL_STATUS_HEADING) {
            return Some(Self::UserTerminalStatus);
        }
        Self::ALL.iter().copied().find(|event| event.wire().eq_ignore_ascii_case(name))
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(self) -> EntityKind {
        match self {
            Self::QueueStatus => EntityKind::Queue,
            Self::CallbackChanged => EntityKind::CallList,
            Self::UserAlert
            | Self::UserAvailability
            | Self::UserCallAvailableForMonitoring
            | Self::UserCallInArrived
            | Self::UserCallInCallbackCreated
            | Self::UserCallInComing
            | Self::UserCallInDisconnected
            | Self::UserCallInHoldEnd
            | Self::UserCallInHoldStart
            | Self::UserCallInOverflow
            | Self::UserCallInRecordingConverted
            | Self::UserCallInTransferCancelled
            | Self::UserCallInTransferConnected
            | Self::UserCallInTransferStarted
            | Self::UserCallInUserAllocated
            | Self::UserCallInUserCancelled
            | Self::UserCallInUserConnected
            | Self::UserCallInUserOverflow
            | Self::UserCallOutConnected
            | Self::UserCallOutDisconnected
            | Self::UserCallOutGoing
            | Self::UserCallOutHoldEnd
            | Self::UserCallOutHoldStart
            | Self::UserCallOutRecordingConverted
            | Self::UserRealTimeTranscriptPhrase
            | Self::UserSetting
            | Self::UserStatus
            | Self::UserSupervisionStatus
            | Self::UserTerminalStatus
            | Self::UserWrapUpEnabled
            | Self::UserWrapUpRequestInitiate
            | Self::UserWrapUpRequestTerminate
            | Self::UserWrapUpStarted
            | Self::UserWrapUpTerminated => EntityKind::User,
        }
    }

    /// How long it is worth delivering, in seconds; none for ever, which is -1 on the wire.
    #[must_use]
    pub fn ttl_s(self) -> Option<u32> {
        if self.is_state() {
            return Some(STATUS_TTL_S);
        }
        (self == Self::CallbackChanged).then_some(CALLBACK_TTL_S)
    }

    /// Whether it tells what is, and not what happened: only the newest is worth delivering.
    #[must_use]
    pub fn is_state(self) -> bool {
        matches!(self, Self::UserStatus | Self::QueueStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_by_their_heading() {
        for event in EventName::ALL {
            assert_eq!(EventName::parse(&event.wire().to_lowercase()), Some(*event));
            assert_eq!(EventName::parse(&event.wire().to_uppercase()), Some(*event));
        }
        assert_eq!(EventName::parse("userterminalstatusevent"), Some(EventName::UserTerminalStatus));
        assert_eq!(EventName::parse("UserStatusEvent"), None);
        assert_eq!(EventName::parse(""), None);
    }
}
