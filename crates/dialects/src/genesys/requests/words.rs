//! Enumerations that only requests use.

use super::super::enums::Enumeration;

/// They all, in alphabetical order.
pub const REQUEST_ENUMERATIONS: &[&Enumeration] = &[
    &ADDRESS_TYPE,
    &AGENT_TYPE,
    &CALL_INFO_TYPE,
    &CONTROL_MODE,
    &INFO_TYPE,
    &MAKE_CALL_TYPE,
    &MERGE_TYPE,
    &REGISTER_MODE,
    &ROUTE_TYPE,
    &SERVICE,
];

/// What kind of number is meant.
pub(crate) const ADDRESS_TYPE: Enumeration = Enumeration {
    name: "AddressType",
    values: &[
        ("Unknown", 0),
        ("DN", 1),
        ("Position", 2),
        ("Queue", 3),
        ("RouteDN", 4),
        ("Trunk", 5),
        ("VoiceChannel", 6),
        ("DataChannel", 7),
        ("Announcement", 8),
        ("ASAI", 9),
        ("ACDGroup", 10),
        ("VSP", 11),
        ("RouteQueue", 12),
        ("AgentID", 13),
        ("Other", 99),
    ],
};

/// What is wanted of a number.
pub(crate) const INFO_TYPE: Enumeration = Enumeration {
    name: "InfoType",
    values: &[
        ("AddressStatus", 0),
        ("MessageWaitingStatus", 1),
        ("AssociationStatus", 2),
        ("CallForwardingStatus", 3),
        ("AgentStatus", 4),
        ("NumberOfAgentsInQueue", 5),
        ("NumberOfAvailableAgentsInQueue", 6),
        ("NumberOfCallsInQueue", 7),
        ("AddressType", 8),
        ("CallsQuery", 9),
        ("SendAllCallsStatus", 10),
        ("QueueLoginAudit", 11),
        ("NumberOfIdleClassifiers", 12),
        ("NumberOfClassifiersInUse", 13),
        ("NumberOfIdleTrunks", 14),
        ("NumberOfTrunksInUse", 15),
        ("DatabaseValue", 16),
        ("DNStatus", 17),
        ("QueueStatus", 18),
    ],
};

/// How a call is to be routed.
pub(crate) const ROUTE_TYPE: Enumeration = Enumeration {
    name: "RouteType",
    values: &[
        ("Unknown", 0),
        ("Default", 1),
        ("Label", 2),
        ("OverwriteDNIS", 3),
        ("DDD", 4),
        ("IDDD", 5),
        ("Direct", 6),
        ("Reject", 7),
        ("Announcement", 8),
        ("PostFeature", 9),
        ("DirectAgent", 10),
        ("Priority", 11),
        ("DirectPriority", 12),
        ("AgentID", 13),
        ("CallDisconnect", 14),
    ],
};

/// What two calls are merged into.
pub(crate) const MERGE_TYPE: Enumeration =
    Enumeration { name: "MergeType", values: &[("ForTransfer", 0), ("ForConference", 1)] };

/// What is wanted of a call.
pub(crate) const CALL_INFO_TYPE: Enumeration =
    Enumeration { name: "CallInfoType", values: &[("PartiesQuery", 0), ("StatusQuery", 1)] };

/// What kind of call is to be made.
pub(crate) const MAKE_CALL_TYPE: Enumeration = Enumeration {
    name: "MakeCallType",
    values: &[("Regular", 0), ("DirectAgent", 1), ("SupervisorAssist", 2), ("Priority", 3), ("DirectPriority", 4)],
};

/// What an agent logs in as.
pub(crate) const AGENT_TYPE: Enumeration =
    Enumeration { name: "AgentType", values: &[("Agent", 0), ("Supervisor", 1)] };

/// With whom a registration is shared.
pub(crate) const REGISTER_MODE: Enumeration =
    Enumeration { name: "RegisterMode", values: &[("Share", 0), ("Private", 1), ("Monitor", 2)] };

/// How a registration is made with the switch.
pub(crate) const CONTROL_MODE: Enumeration =
    Enumeration { name: "ControlMode", values: &[("Default", 0), ("Force", 1), ("Local", 2)] };

/// What a private service does. The numbers are our own.
pub(crate) const SERVICE: Enumeration = Enumeration {
    name: "ServiceID",
    values: &[
        ("Park", 1),
        ("Unpark", 2),
        ("Pickup", 3),
        ("StartRecording", 4),
        ("StopRecording", 5),
        ("SetVariable", 6),
        ("Supervise", 7),
    ],
};
