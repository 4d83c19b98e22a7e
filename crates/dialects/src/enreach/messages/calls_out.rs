//! Calls that the user makes.

use cordboard_core::Guid;

use super::rte_event;
use crate::enreach::values::{CallEventPublicityCategory, Text};

rte_event! {
    /// A call that the user made was answered by somebody.
    usual UserCallOutConnected<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        userName: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// A call that the user made is over for the user.
    usual UserCallOutDisconnected<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        userName: Text<'a>,
        /// Who hung up: `local` for the user, `remote` for everybody else.
        reason: Text<'a>,
        /// Why, in the words of the telephone network.
        techReason: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The user makes a call.
    usual UserCallOutGoing<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        userName: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// The number that is shown to who is called.
        callAsNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The user took a call of the user's own making off hold.
    usual UserCallOutHoldEnd<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
    }
}

rte_event! {
    /// The user put a call of the user's own making on hold.
    usual UserCallOutHoldStart<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
    }
}

rte_event! {
    /// The recording of a call by the user was converted.
    usual UserCallOutRecordingConverted {
        /// The call.
        callId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The user.
        userId: Guid,
        /// The recording.
        recordingId: Guid,
        /// The conversion.
        conversionId: Guid,
        /// The channel with the voice of the user.
        userChannel: Option<u8>,
    }
}
