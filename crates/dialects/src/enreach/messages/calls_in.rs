//! Calls that are offered to the user: direct ones, and those of queues.

use cordboard_core::Guid;

use super::rte_event;
use crate::enreach::values::{CallEventPublicityCategory, Text};

rte_event! {
    /// A direct call for the user is to be offered to the user.
    usual UserCallInArrived<'a> {
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
    /// A direct call for the user came in.
    usual UserCallInComing<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// A call that the user answered is over for the user.
    usual UserCallInDisconnected<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Who hung up: `local` for the user, `remote` for everybody else.
        reason: Text<'a>,
        /// The queue that the call came through, where it came through one.
        techQueueId: Option<Guid>,
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
    /// The user took a call that was offered to the user off hold.
    usual UserCallInHoldEnd<'a> {
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
    /// The user put a call that was offered to the user on hold.
    usual UserCallInHoldStart<'a> {
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
    /// A call that was the user's goes on to another target.
    usual UserCallInOverflow<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Where the call goes.
        connectedTarget: Text<'a>,
        /// What kind of target that is.
        techSource: Text<'a>,
        /// The queue that the call came through; the id of nothing where it came through none.
        techQueueId: Guid,
        /// Its name; empty where it came through none.
        techQueueName: Text<'a>,
        /// What sent it on.
        overflowApplet: Text<'a>,
        /// The number it goes to.
        techNumber: Text<'a>,
        /// What happened to it.
        techEvent: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Why it goes on.
        overflowReason: Text<'a>,
        /// By which rule it goes on.
        overflowType: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The recording of a call to the user was converted.
    usual UserCallInRecordingConverted {
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

rte_event! {
    /// A hand-over by the user came to nothing.
    usual UserCallInTransferCancelled<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// The queue that the call came through; the id of nothing where it came through none.
        techQueueId: Guid,
        /// Its name; empty where it came through none.
        techQueueName: Text<'a>,
        /// How it is handed on: `BlindTransfer` or `AttendedTransfer`.
        transferApplet: Text<'a>,
        /// What kind of target that is.
        techSource: Text<'a>,
        /// Why, in a word.
        reason: Text<'a>,
        /// Why, in more words.
        detailedReason: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The target of a hand-over by the user is connected with who was handed on.
    usual UserCallInTransferConnected<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Where the call goes.
        connectedTarget: Text<'a>,
        /// The telephone it is handed on from.
        transferSource: Text<'a>,
        /// The queue that the call came through; the id of nothing where it came through none.
        techQueueId: Guid,
        /// Its name; empty where it came through none.
        techQueueName: Text<'a>,
        /// How it is handed on: `BlindTransfer` or `AttendedTransfer`.
        transferApplet: Text<'a>,
        /// What kind of target that is.
        techSource: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The user hands a call on, or asks somebody about it.
    usual UserCallInTransferStarted<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Where it is to go.
        transferTarget: Text<'a>,
        /// The telephone it is handed on from.
        transferSource: Text<'a>,
        /// The queue that the call came through; the id of nothing where it came through none.
        techQueueId: Guid,
        /// Its name; empty where it came through none.
        techQueueName: Text<'a>,
        /// How it is handed on: `BlindTransfer` or `AttendedTransfer`.
        transferApplet: Text<'a>,
        /// What kind of target that is.
        techSource: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// A call is offered to the user: a telephone rings.
    usual UserCallInUserAllocated<'a> {
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
        /// The telephone of the user.
        userNumber: Text<'a>,
        /// Why, in more words.
        detailedReason: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// An offer was taken back, declined or not answered.
    usual UserCallInUserCancelled<'a> {
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
        /// Why, in a word.
        reason: Text<'a>,
        /// Why, in more words.
        detailedReason: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// The user answered a call that was offered.
    usual UserCallInUserConnected<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The leg of the agent.
        agentLegId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        userName: Text<'a>,
        /// The telephone of the user.
        userNumber: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}

rte_event! {
    /// A direct call does not stay with the user.
    usual UserCallInUserOverflow<'a> {
        /// The call.
        callId: Guid,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The name the user logs in with.
        username: Text<'a>,
        /// Why: `DND`, `OffWork`, `NoAnswer`, `BusyOnBusy`, `TransferAll`, `BlindTransfer`, `BusyForTechnicalError`.
        reason: Text<'a>,
        /// Where it goes instead; empty where it goes nowhere.
        target: Text<'a>,
        /// Who calls.
        callerNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// Who may see the user's direct calls.
        publicity: CallEventPublicityCategory,
    }
}
