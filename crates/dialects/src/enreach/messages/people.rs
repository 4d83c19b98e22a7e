//! What else happens to people: alerts, availability, settings, telephones, supervision, transcripts.

use cordboard_core::Guid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EventSpec, Message, Shape, rte_event};
use crate::enreach::names::EventName;
use crate::enreach::values::{
    Head, Mark, Moment, SupervisionState, TerminalStatus, TerminalTypeId, Text, UserSettingLevelEnum, Values,
};

rte_event! {
    /// A condition on a queue that the user wants to be told of has come about.
    usual UserAlert<'a> {
        /// The alert.
        alertId: Guid,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// What the condition is called.
        conditionName: Text<'a>,
        /// The threshold as it was written.
        conditionValue: Text<'a>,
        /// The condition as it was written.
        conditionExpression: Text<'a>,
        /// What was counted.
        value: Text<'a>,
    }
}

rte_event! {
    /// Another availability of the user is in force.
    usual UserAvailability<'a> {
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        userName: Text<'a>,
        /// The availability; the id of nothing for the one that holds where none was set.
        profileId: Guid,
        /// How far the user can be reached.
        availability: Text<'a>,
        /// From when on.
        startTime: Moment,
        /// Until when; the last moment there is for no end.
        endTime: Moment,
        /// A note for others.
        note: Text<'a>,
        /// What set it.
        eventSource: Text<'a>,
        /// Where calls go meanwhile.
        transferNumber: Text<'a>,
    }
}

rte_event! {
    /// A setting of the user was changed or removed.
    usual UserSetting<'a> {
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name of the setting.
        keyword: Text<'a>,
        /// Its value; empty where it was removed.
        value: Text<'a>,
        /// Its values by name, where it has several.
        values: Option<Values<'a>>,
        /// The values it may have, by name, where that is known.
        allowedValues: Option<Values<'a>>,
        /// Whether it was removed.
        deleted: bool,
        /// Who may change it.
        level: UserSettingLevelEnum,
    }
}

rte_event! {
    /// A service call of a watched agent was answered and can be joined; told to each supervisor who watches the agent.
    usual UserCallAvailableForMonitoring<'a> {
        /// The agent.
        targetUserId: Guid,
        /// What people call the agent.
        targetUserName: Text<'a>,
        /// The organisation.
        organizationId: Guid,
        /// The supervisor.
        supervisorUserId: Guid,
        /// What people call the supervisor.
        supervisorUserName: Text<'a>,
        /// The queue that the call came through, by name.
        queueName: Text<'a>,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call.
        callId: Guid,
        /// The leg of who called.
        legId: Text<'a>,
        /// The leg of the agent.
        agentLegId: Text<'a>,
        /// The telephone from which the supervisor is to join.
        supervisorTerminalNumber: Text<'a>,
        /// The number to call for it; empty where the switch is asked by a request.
        supervisionCallInNumber: Text<'a>,
        /// `servicecall`, `directcall` or `callout`.
        callType: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// When the agent answered.
        connectedToAgentTime: Moment,
    }
}

rte_event! {
    /// A supervisor came to a call of an agent, takes part otherwise, or left; told to both.
    usual UserSupervisionStatus<'a> {
        /// The agent.
        targetUserId: Guid,
        /// What people call the agent.
        targetUserName: Text<'a>,
        /// The organisation.
        organizationId: Guid,
        /// The supervisor.
        supervisorUserId: Guid,
        /// What people call the supervisor.
        supervisorUserName: Text<'a>,
        /// The queue that the call came through, by name.
        queueName: Text<'a>,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call.
        callId: Guid,
        /// The leg of the agent.
        legId: Text<'a>,
        /// The leg of the supervisor's own call, where there is one.
        supervisorLegId: Text<'a>,
        /// How the supervisor takes part from now on.
        state: SupervisionState,
    }
}

rte_event! {
    /// A phrase was heard in a call of the user.
    usual UserRealTimeTranscriptPhrase<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call list, where there is one.
        callListId: Option<Guid>,
        /// Who spoke, by number.
        speakerRole: u8,
        /// What was said.
        phrase: Text<'a>,
        /// How sure the recogniser is, from 0 to 1.
        confidence: f64,
        /// How long it took, in milliseconds.
        duration: u32,
        /// When it began, in milliseconds since the beginning of the call.
        offsetMilliseconds: u32,
        /// Whether it may still be revised.
        isIntermediate: bool,
        /// What kind of transcript it belongs to.
        realtimeType: Text<'a>,
    }
}

/// A telephone of the user can be reached, or no longer. The one event whose id and time stand among its own members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserTerminalStatus<'a> {
    /// Where every event begins.
    #[serde(flatten)]
    pub head: Head,
    /// The user.
    pub userId: Guid,
    /// The organisation.
    pub organizationId: Guid,
    /// The name of the platform.
    pub silo: Text<'a>,
    /// The telephone.
    pub session: Text<'a>,
    /// Which event it is, and when.
    #[serde(flatten)]
    pub mark: Mark,
    /// Until when its registration lasts; the last moment there is where the switch does not say.
    pub expires: Moment,
    /// What kind of terminal it is.
    pub terminalType: TerminalTypeId,
    /// Whether it can be reached.
    pub terminalStatus: TerminalStatus,
    /// How long it is worth delivering, in seconds; -1 for ever.
    pub messageTTLSeconds: i32,
}

impl Message for UserTerminalStatus<'_> {
    const NAME: EventName = EventName::UserTerminalStatus;
}

impl UserTerminalStatus<'_> {
    /// The event as data.
    pub const SPEC: EventSpec = EventSpec {
        name: EventName::UserTerminalStatus,
        summary: " A telephone of the user can be reached, or no longer.",
        own: &["userId", "organizationId", "silo", "session", "expires", "terminalType", "terminalStatus"],
        shape: Shape::Split { before: 4 },
    };
}
