//! The attributes of the vocabulary: 42 names, their types, and the two frames from which every event is begun.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::enums::{AgentWorkMode, CallState, CallType, DNRole, ForwardMode, MonitorNextCallType};

/// A text attribute: borrowed from the world when it is written, owned when it was read.
pub type Text<'a> = Cow<'a, str>;

/// A key/value structure (`UserData`, `Extensions`, `Reasons`, …), keys in alphabetical order.
pub type Pairs<'a> = BTreeMap<Text<'a>, Datum<'a>>;

/// A value in a key/value structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Datum<'a> {
    /// A number.
    Integer(i64),
    /// A text.
    Text(Text<'a>),
    /// Pairs in pairs.
    Pairs(Pairs<'a>),
}

impl<'a> From<&'a str> for Datum<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a cordboard_core::datum::Datum> for Datum<'a> {
    fn from(datum: &'a cordboard_core::datum::Datum) -> Self {
        match datum {
            cordboard_core::datum::Datum::Integer(number) => Self::Integer(*number),
            cordboard_core::datum::Datum::Text(text) => Self::from(text.as_str()),
            cordboard_core::datum::Datum::Pairs(more) => Self::Pairs(pairs(more)),
        }
    }
}

/// Pairs of ours, as they are told.
pub fn pairs(pairs: &cordboard_core::datum::Pairs) -> Pairs<'_> {
    pairs.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Datum::from(value))).collect()
}

impl From<i64> for Datum<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// The moment an event was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(non_snake_case, reason = "members are spelled as on the wire")]
pub struct Time {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub TimeinSecs: u64,
    /// Microseconds within the second.
    #[schemars(range(max = 999_999))]
    pub TimeinuSecs: u32,
}

impl Time {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: u64) -> Self {
        // The remainder is below one million and always fits.
        Self { TimeinSecs: micros / 1_000_000, TimeinuSecs: u32::try_from(micros % 1_000_000).unwrap_or_default() }
    }
}

/// One attribute as data, for the catalogue.
#[derive(Debug)]
pub struct Attribute {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its JSON type: `string`, `integer` or `object`.
    pub json_type: &'static str,
    /// Its enumeration, if it has one.
    pub enumeration: Option<&'static str>,
    /// What it says.
    pub summary: &'static str,
}

/// The Rust type of an attribute; the lifetime is passed in because macros do not share theirs.
macro_rules! attribute_type {
    ($a:lifetime time) => { $crate::genesys::attributes::Time };
    ($a:lifetime CallID) => { u64 };
    ($a:lifetime ErrorCode) => { i64 };
    ($a:lifetime NetworkNodeID) => { u64 };
    ($a:lifetime ReferenceID) => { u64 };
    ($a:lifetime CallHistory) => { $crate::genesys::attributes::Pairs<$a> };
    ($a:lifetime Extensions) => { $crate::genesys::attributes::Pairs<$a> };
    ($a:lifetime Reasons) => { $crate::genesys::attributes::Pairs<$a> };
    ($a:lifetime TreatmentParms) => { $crate::genesys::attributes::Pairs<$a> };
    ($a:lifetime UserData) => { $crate::genesys::attributes::Pairs<$a> };
    ($a:lifetime ThisDNRole) => { $crate::genesys::enums::DNRole };
    ($a:lifetime OtherDNRole) => { $crate::genesys::enums::DNRole };
    ($a:lifetime ThirdPartyDNRole) => { $crate::genesys::enums::DNRole };
    ($a:lifetime AgentWorkMode) => { $crate::genesys::enums::AgentWorkMode };
    ($a:lifetime CallState) => { $crate::genesys::enums::CallState };
    ($a:lifetime CallType) => { $crate::genesys::enums::CallType };
    ($a:lifetime InfoStatus) => { $crate::genesys::enums::ForwardMode };
    ($a:lifetime MonitorNextCallType) => { $crate::genesys::enums::MonitorNextCallType };
    ($a:lifetime TreatmentType) => { $crate::genesys::enums::TreatmentType };
    ($a:lifetime $text:ident) => { $crate::genesys::attributes::Text<$a> };
}
pub(crate) use attribute_type;

/// What is known about a device when an event of the topic `voice-agentstate` is made of it.
#[derive(Clone, Debug)]
#[expect(non_snake_case, reason = "members are spelled as on the wire")]
#[expect(missing_docs, reason = "the meaning of every attribute stands in ATTRIBUTES")]
pub struct DeviceFrame<'a> {
    pub Server: Text<'a>,
    pub ThisDN: Text<'a>,
    pub time: Time,
    pub ThisDNRole: Option<DNRole>,
    pub ThisQueue: Option<Text<'a>>,
    pub ThisTrunk: Option<Text<'a>>,
    pub OtherDN: Option<Text<'a>>,
    pub OtherDNRole: Option<DNRole>,
    pub ThirdPartyDN: Option<Text<'a>>,
    pub ThirdPartyDNRole: Option<DNRole>,
    pub AgentID: Option<Text<'a>>,
    pub AgentWorkMode: Option<AgentWorkMode>,
    pub CallHistory: Option<Pairs<'a>>,
    pub CallID: Option<u64>,
    pub CallState: Option<CallState>,
    pub CallType: Option<CallType>,
    pub ConnID: Option<Text<'a>>,
    pub CustomerID: Option<Text<'a>>,
    pub DNIS: Option<Text<'a>>,
    pub Extensions: Option<Pairs<'a>>,
    pub InfoStatus: Option<ForwardMode>,
    pub MonitorNextCallType: Option<MonitorNextCallType>,
    pub NetworkCallID: Option<Text<'a>>,
    pub NetworkNodeID: Option<u64>,
    pub Reasons: Option<Pairs<'a>>,
    pub ReferenceID: Option<u64>,
    pub UserData: Option<Pairs<'a>>,
}

impl<'a> DeviceFrame<'a> {
    /// A frame in which nothing but the device is known.
    pub fn new(server: Text<'a>, this_dn: Text<'a>, time: Time) -> Self {
        Self {
            Server: server,
            ThisDN: this_dn,
            time,
            ThisDNRole: None,
            ThisQueue: None,
            ThisTrunk: None,
            OtherDN: None,
            OtherDNRole: None,
            ThirdPartyDN: None,
            ThirdPartyDNRole: None,
            AgentID: None,
            AgentWorkMode: None,
            CallHistory: None,
            CallID: None,
            CallState: None,
            CallType: None,
            ConnID: None,
            CustomerID: None,
            DNIS: None,
            Extensions: None,
            InfoStatus: None,
            MonitorNextCallType: None,
            NetworkCallID: None,
            NetworkNodeID: None,
            Reasons: None,
            ReferenceID: None,
            UserData: None,
        }
    }
}

/// Which call, and where: what every event of the topic `voice-callthread` must say.
#[derive(Clone, Debug)]
#[expect(non_snake_case, reason = "members are spelled as on the wire")]
#[expect(missing_docs, reason = "the meaning of every attribute stands in ATTRIBUTES")]
pub struct PartyHead<'a> {
    pub Server: Text<'a>,
    pub ThisDN: Text<'a>,
    pub ThisDNRole: DNRole,
    pub time: Time,
    pub CallThreadID: Text<'a>,
    pub ConnID: Text<'a>,
    pub CallID: u64,
    pub CallType: CallType,
    pub CallState: CallState,
}

/// What is known about a party of a call when an event of the topic `voice-callthread` is made of it.
#[derive(Clone, Debug)]
#[expect(non_snake_case, reason = "members are spelled as on the wire")]
#[expect(missing_docs, reason = "the meaning of every attribute stands in ATTRIBUTES")]
pub struct PartyFrame<'a> {
    pub Server: Text<'a>,
    pub ThisDN: Text<'a>,
    pub ThisDNRole: DNRole,
    pub time: Time,
    pub CallThreadID: Text<'a>,
    pub ConnID: Text<'a>,
    pub CallID: u64,
    pub CallType: CallType,
    pub CallState: CallState,
    pub ThisQueue: Option<Text<'a>>,
    pub ThisTrunk: Option<Text<'a>>,
    pub OtherDN: Option<Text<'a>>,
    pub OtherDNRole: Option<DNRole>,
    pub OtherQueue: Option<Text<'a>>,
    pub OtherTrunk: Option<Text<'a>>,
    pub ThirdPartyDN: Option<Text<'a>>,
    pub ThirdPartyDNRole: Option<DNRole>,
    pub ThirdPartyQueue: Option<Text<'a>>,
    pub AgentID: Option<Text<'a>>,
    pub ANI: Option<Text<'a>>,
    pub DNIS: Option<Text<'a>>,
    pub CallHistory: Option<Pairs<'a>>,
    pub Cause: Option<Text<'a>>,
    pub CollectedDigits: Option<Text<'a>>,
    pub LastCollectedDigit: Option<Text<'a>>,
    pub PreviousConnID: Option<Text<'a>>,
    pub TransferConnID: Option<Text<'a>>,
    pub CustomerID: Option<Text<'a>>,
    pub ErrorCode: Option<i64>,
    pub ErrorMessage: Option<Text<'a>>,
    pub Extensions: Option<Pairs<'a>>,
    pub NetworkCallID: Option<Text<'a>>,
    pub NetworkNodeID: Option<u64>,
    pub Reasons: Option<Pairs<'a>>,
    pub ReferenceID: Option<u64>,
    pub TreatmentParms: Option<Pairs<'a>>,
    pub TreatmentType: Option<super::enums::TreatmentType>,
    pub UserData: Option<Pairs<'a>>,
}

impl<'a> From<PartyHead<'a>> for PartyFrame<'a> {
    /// A frame in which nothing more than the head is known.
    fn from(head: PartyHead<'a>) -> Self {
        Self {
            Server: head.Server,
            ThisDN: head.ThisDN,
            ThisDNRole: head.ThisDNRole,
            time: head.time,
            CallThreadID: head.CallThreadID,
            ConnID: head.ConnID,
            CallID: head.CallID,
            CallType: head.CallType,
            CallState: head.CallState,
            ThisQueue: None,
            ThisTrunk: None,
            OtherDN: None,
            OtherDNRole: None,
            OtherQueue: None,
            OtherTrunk: None,
            ThirdPartyDN: None,
            ThirdPartyDNRole: None,
            ThirdPartyQueue: None,
            AgentID: None,
            ANI: None,
            DNIS: None,
            CallHistory: None,
            Cause: None,
            CollectedDigits: None,
            LastCollectedDigit: None,
            PreviousConnID: None,
            TransferConnID: None,
            CustomerID: None,
            ErrorCode: None,
            ErrorMessage: None,
            Extensions: None,
            NetworkCallID: None,
            NetworkNodeID: None,
            Reasons: None,
            ReferenceID: None,
            TreatmentParms: None,
            TreatmentType: None,
            UserData: None,
        }
    }
}

const fn text(name: &'static str, summary: &'static str) -> Attribute {
    Attribute { name, json_type: "string", enumeration: None, summary }
}

const fn integer(name: &'static str, summary: &'static str) -> Attribute {
    Attribute { name, json_type: "integer", enumeration: None, summary }
}

const fn object(name: &'static str, summary: &'static str) -> Attribute {
    Attribute { name, json_type: "object", enumeration: None, summary }
}

const fn one_of(name: &'static str, enumeration: &'static str, summary: &'static str) -> Attribute {
    Attribute { name, json_type: "string", enumeration: Some(enumeration), summary }
}

/// Every attribute of the vocabulary with its meaning.
#[rustfmt::skip]
pub const ATTRIBUTES: &[Attribute] = &[
    text("id", "The name of the event."),
    text("Server", "The link between the service that tells and its client."),
    object("time", "When the event was made: seconds and microseconds since 1970-01-01T00:00:00Z."),
    text("ThisDN", "The number the event is about and is told on; for queue events the queue's own number."),
    one_of("ThisDNRole", "DNRole", "The part ThisDN plays."),
    text("ThisQueue", "The queue concerned: the same as ThisDN in events of a queue, the group logged in to in events of an agent, the queue the call came through elsewhere."),
    text("ThisTrunk", "The trunk concerned."),
    text("OtherDN", "The far end; in EventForwardSet where calls are forwarded to. Left out when it is not known or is several parties."),
    one_of("OtherDNRole", "DNRole", "The part OtherDN plays."),
    text("OtherQueue", "The queue of the far end."),
    text("OtherTrunk", "The trunk of the far end."),
    text("ThirdPartyDN", "A third number: who transferred, added or removed, or to whom the call is delivered."),
    one_of("ThirdPartyDNRole", "DNRole", "The part ThirdPartyDN plays."),
    text("ThirdPartyQueue", "The queue of the third number."),
    text("AgentID", "The agent who is logged in."),
    one_of("AgentWorkMode", "AgentWorkMode", "What the agent does within ready or not ready."),
    text("ANI", "The caller's number as the network gave it."),
    text("DNIS", "The number the caller dialled as the network gave it."),
    object("CallHistory", "Between which sites the call was first and last handed over."),
    integer("CallID", "The switch's number of the call: positive, unique for one switch."),
    one_of("CallState", "CallState", "What has happened to the call, as ThisDN sees it."),
    text("CallThreadID", "The thread that joins calls by consultation, transfer and conference; the second half of the record's key."),
    one_of("CallType", "CallType", "The kind of call."),
    text("Cause", "Why a network call could not be delivered."),
    text("CollectedDigits", "The digits the caller keyed in."),
    text("LastCollectedDigit", "The last digit the caller keyed in."),
    text("ConnID", "The call: 16 hexadecimal digits, '@', and the switch."),
    text("PreviousConnID", "The call this one was made for, or the call this party was in before it moved."),
    text("TransferConnID", "The call a treatment belongs to."),
    text("CustomerID", "The tenant the call entered by."),
    integer("ErrorCode", "The number of a failure."),
    text("ErrorMessage", "The text of a failure."),
    object("Extensions", "Facts without an attribute of their own, by key."),
    one_of("InfoStatus", "ForwardMode", "How calls are forwarded."),
    one_of("MonitorNextCallType", "MonitorNextCallType", "Whether one call or all calls are to be heard."),
    text("NetworkCallID", "The number of the call at the switch where it first arrived."),
    integer("NetworkNodeID", "The switch where the call first arrived."),
    object("Reasons", "Why the user of ThisDN did it, by key."),
    integer("ReferenceID", "The request that caused the event."),
    object("TreatmentParms", "The parameters of the treatment."),
    one_of("TreatmentType", "TreatmentType", "The kind of treatment."),
    object("UserData", "The business data attached to the call."),
];
