//! Call lists and their callbacks.

use cordboard_core::Guid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rte_event;
use crate::enreach::values::{Moment, Stamp, Text};

rte_event! {
    /// A callback was created, edited, assigned, tried or closed; says all of it.
    state CallbackChanged<'a> {
        /// The callback.
        callBackId: Guid,
        /// The call list.
        callListId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// When it was changed last.
        modified: Moment,
        /// Who is to work on it.
        assignedUserId: Option<Guid>,
        /// Who tried last.
        lastAttemptUserId: Option<Guid>,
        /// Who changed it last; none for an administrator or a program.
        lastModifiedUserId: Option<Guid>,
        /// What came of the last attempt, by number.
        lastAttemptTypeId: Option<i32>,
        /// Whom to call back.
        contactName: Text<'a>,
        /// The number to call back.
        contactNumber: Text<'a>,
        /// What the caller had to say.
        contactMessage: Text<'a>,
        /// A note for colleagues.
        note: Text<'a>,
        /// The queue, where there is one.
        queueId: Option<Guid>,
        /// What it came in by.
        channelIn: Text<'a>,
        /// When it was created.
        creationTime: Moment,
        /// Whether it is new, and not changed.
        created: bool,
        /// Whether it is closed.
        isClosed: bool,
        /// A recording of what the caller said.
        recordingId: Option<Guid>,
        /// How it came about: 1 somebody asked, 2 a call waited in vain, 3 written down by hand.
        typeId: i16,
        /// To be done by then.
        dueDate: Option<Moment>,
        /// The call that led to it.
        callId: Option<Guid>,
        /// A transcript.
        transcriptId: Option<Guid>,
        /// How it was classified.
        classificationId: Option<Guid>,
        /// Expires then.
        expiryDate: Option<Moment>,
        /// When somebody tried last.
        lastAttemptTimestamp: Option<Moment>,
        /// What was noted then.
        lastAttemptNote: Text<'a>,
        /// How urgent it is, as text.
        calculatedPriority: Text<'a>,
        /// Not to be done before.
        notBefore: Option<Moment>,
        /// What was tried.
        callbackAttempts: Option<Vec<CallbackAttempt<'a>>>,
        /// More, by name.
        callbackExtras: Option<Vec<CallbackExtra<'a>>>,
        /// Other callbacks it has to do with.
        callbackRelatedItems: Option<Vec<CallbackRelatedItem>>,
    }
}

rte_event! {
    /// A callback was created that is addressed to the user.
    usual UserCallInCallbackCreated<'a> {
        /// The user.
        userId: Guid,
        /// The callback.
        callBackId: Guid,
        /// The call list.
        callListId: Guid,
        /// The organisation.
        organizationId: Guid,
        /// The call that led to it.
        callId: Option<Guid>,
        /// Empty: no leg of a call is left by then.
        legId: Text<'a>,
        /// A recording of what the caller said.
        recordingId: Option<Guid>,
        /// The number to call back.
        contactNumber: Text<'a>,
        /// Who was called at first.
        targetNumber: Text<'a>,
        /// What the caller had to say.
        contactMessage: Text<'a>,
        /// When it was created.
        creationTime: Moment,
    }
}

/// What was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackAttempt<'a> {
    /// Which attempt.
    pub id: Guid,
    /// Who tried.
    pub userId: Option<Guid>,
    /// When.
    pub timestamp: Option<Stamp>,
    /// What came of it, by number.
    pub callbackAttemptTypeId: Option<i32>,
    /// A note.
    pub note: Text<'a>,
    /// Its recording.
    pub recordingId: Option<Guid>,
    /// Its call.
    pub callId: Option<Guid>,
}

/// Something more that is known of a callback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackExtra<'a> {
    /// Its number, from 1.
    pub id: i32,
    /// Its name.
    pub name: Text<'a>,
    /// Its value.
    pub value: Text<'a>,
}

/// Another callback that this one has to do with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackRelatedItem {
    /// Which.
    pub id: Guid,
    /// Its call list.
    pub listId: Option<Guid>,
    /// Whether it is closed.
    pub isClosed: bool,
    /// What came of its last attempt, by number.
    pub statusId: Option<i32>,
}
