//! Events for clients as structs, one declaration an event, like those of the topics.
#![expect(non_snake_case, reason = "members are spelled as on the wire")]

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::super::attributes::{Attribute, Datum, Pairs, Text, Time};
use super::super::enums::CallType;
use super::super::messages::{Basis, EventDNOutOfService, EventSpec, Topic};

/// Declares the events and their sum.
macro_rules! client_events {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident, $basis:ident {
            mandatory [$($must:ident: $must_type:ty),* $(,)?]
            optional [$($may:ident: $may_type:ty),* $(,)?]
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            #[expect(missing_docs, reason = "the meaning of every attribute stands in ATTRIBUTES")]
            pub struct $name<'a> {
                $(pub $must: $must_type,)*
                $(
                    #[serde(default, skip_serializing_if = "Option::is_none")]
                    pub $may: Option<$may_type>,
                )*
            }

            impl $name<'_> {
                /// The event as data.
                pub const SPEC: EventSpec = EventSpec {
                    name: stringify!($name),
                    topic: Topic::Client,
                    summary: concat!($($doc),+),
                    basis: Basis::$basis,
                    mandatory: &["id", $(stringify!($must),)*],
                    optional: &[$(stringify!($may),)*],
                    disputed: &[],
                };
            }

            impl<'a> From<$name<'a>> for ClientEvent<'a> {
                fn from(event: $name<'a>) -> Self {
                    Self::$name(event)
                }
            }
        )+

        /// Any event for a client; `id` on the wire tells which, and comes first.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "id")]
        #[expect(missing_docs, reason = "each is described at its struct")]
        pub enum ClientEvent<'a> {
            $($name($name<'a>),)+
            /// Told on a topic when it happens; a client that comes later is told by itself.
            EventDNOutOfService(EventDNOutOfService<'a>),
        }

        impl ClientEvent<'_> {
            /// Its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::SPEC.name,)+
                    Self::EventDNOutOfService(_) => EventDNOutOfService::SPEC.name,
                }
            }
        }

        /// All events that only clients are told, as data.
        pub const CLIENT_EVENTS: &[EventSpec] = &[$($name::SPEC,)+];

        /// The members of an event as a JSON Schema, `id` not yet among them.
        pub(in super::super) fn members_schema(name: &str) -> Option<Schema> {
            match name {
                $(stringify!($name) => Some(schema_for!($name)),)+
                _ => None,
            }
        }
    };
}

client_events! {
    /// The client is told what concerns `ThisDN` from now on.
    /// `Extensions` says what is true there now, as in `EventAddressInfo`.
    EventRegistered, PartlyPublished {
        mandatory [
            Server: Text<'a>, ThisDN: Text<'a>, time: Time, Extensions: Pairs<'a>, ReferenceID: u64, InfoType: Datum<'a>,
            InfoStatus: Datum<'a>,
        ]
        optional [AgentID: Text<'a>]
    }
    /// The client is told so no longer.
    EventUnregistered, PartlyPublished {
        mandatory [Server: Text<'a>, ThisDN: Text<'a>, time: Time, ReferenceID: u64]
        optional []
    }
    /// What is known of a number. `InfoStatus` answers what `InfoType` asked. `Extensions` has for a telephone
    /// `AgentStatus`, `dnd`, `mwl`, `fwd` and for each call N `conn-N`, `ct-N` (its type) and `ps-N` (the party's state);
    /// for a queue the calls, and `agents` and `available`.
    EventAddressInfo, PartlyPublished {
        mandatory [
            Server: Text<'a>, ThisDN: Text<'a>, time: Time, Extensions: Pairs<'a>, ReferenceID: u64, InfoType: Datum<'a>,
            InfoStatus: Datum<'a>,
        ]
        optional [AgentID: Text<'a>]
    }
    /// The parties of a call: for each N `party-N`, `role-N` and `ps-N` in `Extensions`.
    EventPartyInfo, PartlyPublished {
        mandatory [
            Server: Text<'a>, ThisDN: Text<'a>, time: Time, CallThreadID: Text<'a>, ConnID: Text<'a>, CallID: u64,
            CallType: CallType, Extensions: Pairs<'a>, ReferenceID: u64,
        ]
        optional [UserData: Pairs<'a>]
    }
    /// What the server is, and the switches behind it.
    EventServerInfo, PartlyPublished {
        mandatory [Server: Text<'a>, time: Time, CustomerID: Text<'a>, Extensions: Pairs<'a>, ReferenceID: u64]
        optional []
    }
    /// The agent at `ThisDN` is reserved for the client.
    EventAgentReserved, PartlyPublished {
        mandatory [
            Server: Text<'a>, ThisDN: Text<'a>, time: Time, AgentID: Text<'a>, Extensions: Pairs<'a>, ReferenceID: u64,
        ]
        optional []
    }
    /// The business data of a call changed: told for each party to the clients of its number. `ThirdPartyDN` changed it;
    /// if that is no party, the client that asked gets a copy without `ThisDN`.
    EventAttachedDataChanged, PartlyPublished {
        mandatory [
            Server: Text<'a>, time: Time, CallThreadID: Text<'a>, ConnID: Text<'a>, CallID: u64, CallType: CallType,
            UserData: Pairs<'a>,
        ]
        optional [ThisDN: Text<'a>, ThirdPartyDN: Text<'a>, ReferenceID: u64]
    }
    /// Tones were sent into a call.
    EventDTMFSent, PartlyPublished {
        mandatory [
            Server: Text<'a>, ThisDN: Text<'a>, time: Time, DTMFDigits: Text<'a>, ReferenceID: u64,
        ]
        optional [ConnID: Text<'a>]
    }
    /// What was asked was done, and no other event says so.
    EventACK, PartlyPublished {
        mandatory [Server: Text<'a>, time: Time, ReferenceID: u64]
        optional [ThisDN: Text<'a>]
    }
    /// A switch can be heard again.
    EventLinkConnected, PartlyPublished {
        mandatory [Server: Text<'a>, time: Time, Extensions: Pairs<'a>]
        optional []
    }
    /// Nothing is heard from a switch.
    EventLinkDisconnected, PartlyPublished {
        mandatory [Server: Text<'a>, time: Time, Extensions: Pairs<'a>]
        optional []
    }
    /// What was asked was not done. `Extensions` names the error.
    EventError, PartlyPublished {
        mandatory [
            Server: Text<'a>, time: Time, ErrorCode: i64, ErrorMessage: Text<'a>, Extensions: Pairs<'a>, ReferenceID: u64,
        ]
        optional [ThisDN: Text<'a>, ConnID: Text<'a>]
    }
}

/// Attributes that only these events have, or that are wider in them.
pub const CLIENT_ATTRIBUTES: &[Attribute] = &[
    Attribute {
        name: "InfoType",
        json_type: "string|integer",
        enumeration: Some("InfoType"),
        summary: "What was asked of the number.",
    },
    Attribute {
        name: "InfoStatus",
        json_type: "string|integer",
        enumeration: None,
        summary: "The answer: a count, or a word of the enumeration that belongs to InfoType.",
    },
    Attribute { name: "DTMFDigits", json_type: "string", enumeration: None, summary: "The tones." },
];
