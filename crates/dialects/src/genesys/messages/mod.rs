//! The 42 events of the two topics as structs, one declaration an event.
//!
//! A declaration says on which topic the event is told, from which frame it is begun, and how well its attribute list
//! is documented. `known` attributes are mandatory and stand in the frame; `given` ones are mandatory too and have to
//! be handed over; `optional` ones are left out when they are absent; of `disputed` ones the published table and the
//! published text or sample say different things, so they are treated as optional.
//!
//! `EventRinging::of(frame)` makes an event with everything the frame knows, and
//! `EventReleased { CallState: CallState::Transferred, ..EventReleased::of(frame) }` says the rest: an event without a
//! mandatory attribute, or with an attribute it does not have, does not compile.
#![expect(non_snake_case, reason = "members are spelled as on the wire")]

mod agent_state;
mod call_thread;

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

pub use agent_state::*;
pub use call_thread::*;

/// A topic of the stream, or the way to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Agents and devices; keyed by the agent, or by the number where nobody is logged in.
    AgentState,
    /// Calls; keyed by the call thread.
    CallThread,
    /// No topic: to one client, keyed by its name.
    Client,
}

impl Topic {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentState => "voice-agentstate",
            Self::CallThread => "voice-callthread",
            Self::Client => crate::CLIENT_CHANNEL,
        }
    }
}

/// How well the attribute list of an event is documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The full table is published.
    Published,
    /// A part of the table is published, or it is published for the older protocol only.
    PartlyPublished,
    /// Not published; follows surely from what is.
    Derived,
    /// Not published; what the field commonly does.
    Assumed,
}

/// One event as data: for the catalogue and the rules.
#[derive(Debug)]
pub struct EventSpec {
    /// Its name, the value of `id`.
    pub name: &'static str,
    /// Where it is told.
    pub topic: Topic,
    /// What it says.
    pub summary: &'static str,
    /// How well the lists below are documented.
    pub basis: Basis,
    /// Attributes it always has, `id` first.
    pub mandatory: &'static [&'static str],
    /// Attributes it may have.
    pub optional: &'static [&'static str],
    /// Attributes it may have although the published table does not name them.
    pub disputed: &'static [&'static str],
}

impl EventSpec {
    /// Whether the event may carry the attribute.
    pub fn has(&self, attribute: &str) -> bool {
        [self.mandatory, self.optional, self.disputed].iter().any(|list| list.contains(&attribute))
    }
}

/// Declares one event: its struct, its beginning from a frame, and its description as data.
macro_rules! topic_event {
    (
        $(#[doc = $doc:literal])+
        $name:ident on $topic:ident from $frame:ident, $basis:ident {
            known [$($known:ident)*]
            $(given [$($given:ident)*])?
            optional [$($optional:ident)*]
            $(disputed [$($disputed:ident)*])?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "the meaning of every attribute stands in ATTRIBUTES")]
        pub struct $name<'a> {
            $(pub $known: $crate::genesys::attributes::attribute_type!('a $known),)*
            $($(pub $given: $crate::genesys::attributes::attribute_type!('a $given),)*)?
            $(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$crate::genesys::attributes::attribute_type!('a $optional)>,
            )*
            $($(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $disputed: Option<$crate::genesys::attributes::attribute_type!('a $disputed)>,
            )*)?
        }

        impl<'a> $name<'a> {
            /// The event as data.
            pub const SPEC: $crate::genesys::messages::EventSpec = $crate::genesys::messages::EventSpec {
                name: stringify!($name),
                topic: $crate::genesys::messages::Topic::$topic,
                summary: concat!($($doc),+),
                basis: $crate::genesys::messages::Basis::$basis,
                mandatory: &["id", $(stringify!($known),)* $($(stringify!($given),)*)?],
                optional: &[$(stringify!($optional),)*],
                disputed: &[$($(stringify!($disputed),)*)?],
            };

            /// The event with everything the frame knows.
            pub fn of(
                frame: $crate::genesys::attributes::$frame<'a>,
                $($($given: $crate::genesys::attributes::attribute_type!('a $given),)*)?
            ) -> Self {
                Self {
                    $($known: frame.$known,)*
                    $($($given,)*)?
                    $($optional: frame.$optional.into(),)*
                    $($($disputed: frame.$disputed.into(),)*)?
                }
            }
        }
    };
}
use topic_event;

/// Declares the sum of all events: the struct names stand once more, and nothing else.
macro_rules! topic_events {
    ($($name:ident)+) => {
        /// Any event of the two topics; `id` on the wire tells which, and comes first.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "id")]
        #[expect(missing_docs, reason = "each is described at its struct")]
        pub enum TopicEvent<'a> {
            $($name($name<'a>),)+
        }

        impl TopicEvent<'_> {
            /// The event as data.
            pub fn spec(&self) -> &'static EventSpec {
                match self {
                    $(Self::$name(_) => &$name::SPEC,)+
                }
            }
        }

        $(impl<'a> From<$name<'a>> for TopicEvent<'a> {
            fn from(event: $name<'a>) -> Self {
                Self::$name(event)
            }
        })+

        /// All events as data, in the order of the documentation.
        pub const EVENTS: &[EventSpec] = &[$($name::SPEC,)+];

        /// The members of an event as a JSON Schema, `id` not yet among them.
        pub(super) fn members_schema(name: &str) -> Option<Schema> {
            match name {
                $(stringify!($name) => Some(schema_for!($name)),)+
                _ => None,
            }
        }
    };
}

topic_events! {
    EventAgentLogin EventAgentLogout EventQueueLogout EventAgentReady EventAgentNotReady EventDNOutOfService
    EventDNBackInService EventDNDOn EventDNDOff EventForwardSet EventForwardCancel EventMonitoringNextCall
    EventMonitoringCancelled EventOffHook EventOnHook EventMuteOn EventMuteOff EventListenDisconnected
    EventListenReconnected EventMessageWaitingOn EventMessageWaitingOff

    EventDialing EventRinging EventEstablished EventAbandoned EventDestinationBusy EventDiverted EventHeld
    EventNetworkReached EventPartyAdded EventPartyChanged EventPartyDeleted EventQueued EventBridged EventReleased
    EventRetrieved

    EventRouteRequest EventRouteUsed

    EventTreatmentApplied EventTreatmentEnd EventTreatmentNotApplied EventTreatmentRequired
}
