//! Events for clients: what the server answers to the one who asks. They go to clients by name and are on no topic.

/// Their names.
pub const NAMES: &[&str] = &[
    "EventRegistered",
    "EventUnregistered",
    "EventAddressInfo",
    "EventPartyInfo",
    "EventServerInfo",
    "EventAgentReserved",
    "EventAttachedDataChanged",
    "EventLinkConnected",
    "EventLinkDisconnected",
    "EventACK",
    "EventError",
];
