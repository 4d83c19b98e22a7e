//! After-call work.

use cordboard_core::Guid;

use super::rte_event;
use crate::enreach::values::{Text, WrapUpType};

rte_event! {
    /// The user answered a call that after-call work will follow.
    usual UserWrapUpEnabled<'a> {
        /// The organisation.
        organizationId: Guid,
        /// The call, where there is one.
        callId: Option<Guid>,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call list, where there is one.
        callListId: Option<Guid>,
        /// The callback, where there is one.
        callBackId: Option<Guid>,
        /// How long it lasts at most, in seconds; 0 without end.
        maxWrapUpDurationSec: i32,
        /// What it means for the user.
        wrapUpType: WrapUpType,
        /// Which after-call work.
        wrapUpId: Guid,
    }
}

rte_event! {
    /// Somebody asked that after-call work begin.
    usual UserWrapUpRequestInitiate<'a> {
        /// Whether it may begin without a call: 0 no, 1 yes, 2 only then.
        allowWithoutCall: i32,
        /// The callback, where there is one.
        callBackId: Option<Guid>,
        /// The call list, where there is one.
        callBackListId: Option<Guid>,
        /// The call.
        callId: Option<Guid>,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// How long it lasts at most, in seconds; 0 for as long as the queue says.
        maxWrapUpTimeSec: i32,
        /// The organisation.
        organizationId: Guid,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The user.
        userId: Guid,
        /// Which after-call work.
        wrapUpId: Guid,
    }
}

rte_event! {
    /// Somebody asked that after-call work end.
    usual UserWrapUpRequestTerminate<'a> {
        /// The user.
        userId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// Why: `manual`, or what was given.
        reason: Text<'a>,
        /// Which after-call work; null for the one under way.
        wrapUpId: Option<Guid>,
    }
}

rte_event! {
    /// After-call work began; the user is offered no calls meanwhile.
    usual UserWrapUpStarted<'a> {
        /// The organisation.
        organizationId: Guid,
        /// The call.
        callId: Option<Guid>,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call list, where there is one.
        callListId: Option<Guid>,
        /// The callback, where there is one.
        callBackId: Option<Guid>,
        /// How long it lasts at most, in seconds; 0 without end.
        maxWrapUpDurationSec: i32,
        /// What it means for the user.
        wrapUpType: WrapUpType,
        /// Which after-call work.
        wrapUpId: Guid,
    }
}

rte_event! {
    /// After-call work ended.
    usual UserWrapUpTerminated<'a> {
        /// The organisation.
        organizationId: Guid,
        /// The call.
        callId: Option<Guid>,
        /// The leg of the user in that call.
        legId: Text<'a>,
        /// The user.
        userId: Guid,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// The call list, where there is one.
        callListId: Option<Guid>,
        /// The callback, where there is one.
        callBackId: Option<Guid>,
        /// Why: `manual` or `timer`, or what ended it otherwise.
        reason: Text<'a>,
        /// How long it lasted, in seconds.
        elapsedTimeSec: i32,
        /// What it means for the user.
        wrapUpType: WrapUpType,
        /// Which after-call work.
        wrapUpId: Guid,
    }
}
