//! The 36 events as structs, one declaration an event; members stand in the order and the spelling of the wire.
//!
//! `usual` events end with their id, time and time to live; a `state` begins with the time to live, which follows the
//! envelope at once; one event has its own order.
#![expect(non_snake_case, reason = "members are spelled as on the wire")]

mod calls_in;
mod calls_out;
mod lists;
mod people;
mod states;
mod wrapup;

use schemars::{Schema, schema_for};
use serde::Serialize;

pub use calls_in::*;
pub use calls_out::*;
pub use lists::*;
pub use people::*;
pub use states::*;
pub use wrapup::*;

use super::names::EventName;

/// An event that can be written.
pub trait Message: Serialize {
    /// Which one.
    const NAME: EventName;
}

/// An event as data, for the catalogue.
#[derive(Debug)]
pub struct EventSpec {
    /// Which one.
    pub name: EventName,
    /// What it says.
    pub summary: &'static str,
    /// Its own members, in their order, without those of the envelope.
    pub own: &'static [&'static str],
    /// Where the envelope stands around them.
    pub shape: Shape,
}

/// How the envelope stands around the members of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Id, time and time to live come last.
    Usual,
    /// The time to live comes before the members, id and time after them.
    State,
    /// Id and time come after so many members, the time to live comes last.
    Split {
        /// How many.
        before: usize,
    },
}

const HEAD: [&str; 5] = ["rootEntityType", "rootEntityId", "eventType", "entityType", "entityId"];
const MARK: [&str; 2] = ["id", "timestamp"];
const TTL: [&str; 1] = ["messageTTLSeconds"];

impl EventSpec {
    /// All its members, in the order of the wire.
    #[must_use]
    pub fn members(&self) -> Vec<&'static str> {
        match self.shape {
            Shape::Usual => [&HEAD[..], self.own, &MARK, &TTL].concat(),
            Shape::State => [&HEAD[..], &TTL, self.own, &MARK].concat(),
            Shape::Split { before } => {
                let (first, rest) = self.own.split_at(before.min(self.own.len()));
                [&HEAD[..], first, &MARK, rest, &TTL].concat()
            }
        }
    }
}

/// Declares one event; see the module.
macro_rules! rte_event {
    ($(#[doc = $doc:literal])+ usual $name:ident $(<$a:lifetime>)? {
        $($(#[doc = $mdoc:literal])+ $member:ident: $type:ty,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name $(<$a>)? {
            /// Where every event begins.
            #[serde(flatten)]
            pub head: $crate::enreach::values::Head,
            $($(#[doc = $mdoc])+ pub $member: $type,)+
            /// Where the event ends.
            #[serde(flatten)]
            pub tail: $crate::enreach::values::Tail,
        }
        rte_event!(@spec $name $([$a])? Usual, concat!($($doc),+), $($member)+);
    };
    ($(#[doc = $doc:literal])+ state $name:ident $(<$a:lifetime>)? {
        $($(#[doc = $mdoc:literal])+ $member:ident: $type:ty,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name $(<$a>)? {
            /// Where every event begins.
            #[serde(flatten)]
            pub head: $crate::enreach::values::Head,
            /// How long it is worth delivering, in seconds.
            pub messageTTLSeconds: i32,
            $($(#[doc = $mdoc])+ pub $member: $type,)+
            /// Which event it is, and when.
            #[serde(flatten)]
            pub mark: $crate::enreach::values::Mark,
        }
        rte_event!(@spec $name $([$a])? State, concat!($($doc),+), $($member)+);
    };
    (@spec $name:ident $([$a:lifetime])? $shape:ident, $doc:expr, $($member:ident)+) => {
        impl $(<$a>)? $crate::enreach::messages::Message for $name $(<$a>)? {
            const NAME: $crate::enreach::names::EventName = $crate::enreach::names::EventName::$name;
        }

        impl $(<$a>)? $name $(<$a>)? {
            /// The event as data.
            pub const SPEC: $crate::enreach::messages::EventSpec = $crate::enreach::messages::EventSpec {
                name: $crate::enreach::names::EventName::$name,
                summary: $doc,
                own: &[$(stringify!($member)),+],
                shape: $crate::enreach::messages::Shape::$shape,
            };
        }
    };
}
use rte_event;

/// Lists all events: the struct names stand once more, and nothing else.
macro_rules! rte_events {
    ($($name:ident)+) => {
        /// All events as data, in the order of the documentation.
        pub const EVENTS: &[EventSpec] = &[$($name::SPEC,)+];

        /// The members of an event as a JSON Schema.
        pub(super) fn members_schema(event: EventName) -> Schema {
            match event {
                $(EventName::$name => schema_for!($name),)+
            }
        }

        /// Reads an event and writes it again: what is not known of it is lost, and what it must have is missed.
        ///
        /// # Errors
        /// Where a member is missing or has another type.
        pub fn read_and_write(event: EventName, text: &str) -> serde_json::Result<String> {
            match event {
                $(EventName::$name => serde_json::to_string(&serde_json::from_str::<$name>(text)?),)+
            }
        }
    };
}

rte_events! {
    UserAlert UserAvailability UserCallAvailableForMonitoring UserCallInArrived UserCallInCallbackCreated
    UserCallInComing UserCallInDisconnected UserCallInHoldEnd UserCallInHoldStart UserCallInOverflow
    UserCallInRecordingConverted UserCallInTransferCancelled UserCallInTransferConnected UserCallInTransferStarted
    UserCallInUserAllocated UserCallInUserCancelled UserCallInUserConnected UserCallInUserOverflow

    UserCallOutConnected UserCallOutDisconnected UserCallOutGoing UserCallOutHoldEnd UserCallOutHoldStart
    UserCallOutRecordingConverted

    UserRealTimeTranscriptPhrase UserSetting UserStatus UserSupervisionStatus UserTerminalStatus UserWrapUpEnabled
    UserWrapUpRequestInitiate UserWrapUpRequestTerminate UserWrapUpStarted UserWrapUpTerminated

    QueueStatus CallbackChanged
}
