//! Changes to the directory that clients can ask for.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::directory_fact::{
    AlertRule, Attempt, Availability, Callback, CallbackDetails, Converted, ListProfile, Phrase, Profile, Setting,
    WrapUpWish,
};
use crate::guid::Guid;
use crate::stored::stored;

stored! {
    /// A change to the directory. New things bring their id along.
    pub enum Change {
        /// To put somebody into the directory, or describe somebody anew.
        DescribeUser {
            /// The person.
            user: String,
            /// Everything.
            profile: Profile,
        },
        /// To take somebody out.
        RemoveUser {
            /// The person.
            user: String,
        },
        /// To set an availability; one that overlaps is replaced.
        SetAvailability {
            /// The person.
            user: String,
            /// What.
            availability: Availability,
        },
        /// To take one back.
        EndAvailability {
            /// The person.
            user: String,
            /// Which.
            id: Guid,
        },
        /// To change a setting.
        ChangeSetting {
            /// The person.
            user: String,
            /// What.
            setting: Setting,
        },
        /// To remove a setting.
        RemoveSetting {
            /// The person.
            user: String,
            /// Its name.
            keyword: String,
        },
        /// To be told, as a supervisor, of calls of somebody that can be joined, or no longer.
        Watch {
            /// The supervisor.
            user: String,
            /// Whose calls.
            agent: String,
            /// From now on, or no longer.
            on: bool,
        },
        /// To work on callbacks, or no longer.
        ServeCallbacks {
            /// The person.
            user: String,
            /// Works on them.
            on: bool,
        },
        /// To pick calls, or be offered them.
        PickCalls {
            /// The person.
            user: String,
            /// Picks.
            on: bool,
        },
        /// To begin after-call work, at once or when the call under way ends.
        BeginWrapUp {
            /// The agent.
            user: String,
            /// What.
            wish: WrapUpWish,
        },
        /// To end after-call work.
        EndWrapUp {
            /// The agent.
            user: String,
            /// Which; none for the one under way.
            wrapup: Option<Guid>,
            /// Why, in a word.
            reason: String,
        },
        /// To report a converted recording.
        ReportRecording {
            /// The person whose call it was.
            user: String,
            /// What.
            converted: Converted,
        },
        /// To report a phrase.
        ReportPhrase {
            /// The person whose call it is.
            user: String,
            /// What.
            phrase: Phrase,
        },
        /// To describe a queue.
        DescribeQueue {
            /// The queue.
            queue: String,
            /// Everything.
            profile: QueueProfile,
        },
        /// To assign somebody to a queue, or assign anew.
        AssignMember {
            /// The queue.
            queue: String,
            /// The person.
            user: String,
            /// How.
            membership: Membership,
        },
        /// To end an assignment.
        RemoveMember {
            /// The queue.
            queue: String,
            /// The person.
            user: String,
        },
        /// To make a call list, or describe it anew.
        DescribeList {
            /// The list.
            list: String,
            /// Everything.
            profile: ListProfile,
        },
        /// To remove a call list and its callbacks.
        RemoveList {
            /// The list.
            list: String,
        },
        /// To create a callback.
        CreateCallback {
            /// Its id.
            id: Guid,
            /// What.
            callback: Box<Callback>,
        },
        /// To edit one.
        EditCallback {
            /// Which.
            id: Guid,
            /// Everything that can be edited.
            details: Box<CallbackDetails>,
            /// By whom; none for an administrator or a program.
            by: Option<String>,
        },
        /// To give one to somebody, or take it from everybody.
        AssignCallback {
            /// Which.
            id: Guid,
            /// To whom.
            to: Option<String>,
            /// By whom.
            by: Option<String>,
        },
        /// To say that somebody tried.
        AttemptCallback {
            /// Which.
            id: Guid,
            /// What came of it.
            attempt: Attempt,
        },
        /// To close one.
        CloseCallback {
            /// Which.
            id: Guid,
            /// By whom.
            by: Option<String>,
        },
        /// To define an alert, or define it anew.
        DefineAlert {
            /// Its id.
            id: Guid,
            /// What.
            rule: Box<AlertRule>,
        },
        /// To remove one.
        RemoveAlert {
            /// Which.
            id: Guid,
        },
    }

    /// What a queue is, besides what its switch says.
    #[derive(Default)]
    pub struct QueueProfile {
        /// A name for people; empty for the queue's own.
        pub title: String,
        /// The id towards applications; none for one that follows from tenant and name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub guid: Option<Guid>,
        /// The call list that calls which waited in vain are put on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub overflow_list: Option<String>,
        /// Closed: takes no calls for now, in the eyes of those who look.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        pub closed: bool,
    }

    /// How somebody is assigned to a queue.
    #[derive(Copy)]
    pub struct Membership {
        /// Takes part at the moment.
        pub active: bool,
        /// The lower, the sooner is offered a call.
        pub priority: i32,
    }
}

impl Change {
    /// The person it is about, where it is about one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::DescribeUser { user, .. }
            | Self::RemoveUser { user }
            | Self::SetAvailability { user, .. }
            | Self::EndAvailability { user, .. }
            | Self::ChangeSetting { user, .. }
            | Self::RemoveSetting { user, .. }
            | Self::Watch { user, .. }
            | Self::ServeCallbacks { user, .. }
            | Self::PickCalls { user, .. }
            | Self::BeginWrapUp { user, .. }
            | Self::EndWrapUp { user, .. }
            | Self::ReportRecording { user, .. }
            | Self::ReportPhrase { user, .. }
            | Self::AssignMember { user, .. }
            | Self::RemoveMember { user, .. } => Some(user),
            Self::DefineAlert { rule, .. } => Some(&rule.user),
            Self::DescribeQueue { .. }
            | Self::DescribeList { .. }
            | Self::RemoveList { .. }
            | Self::CreateCallback { .. }
            | Self::EditCallback { .. }
            | Self::AssignCallback { .. }
            | Self::AttemptCallback { .. }
            | Self::CloseCallback { .. }
            | Self::RemoveAlert { .. } => None,
        }
    }
}
