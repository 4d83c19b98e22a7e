//! The headers of every record, each a text in UTF-8.

/// Of whom it tells: the tenant's name.
pub const TENANT: &str = "tenant";
/// When it was told: the place of its event in the tenant's log.
pub const POSITION: &str = "position";
/// Which message it is: a UUID; the same message has the same for ever.
pub const EVENT_ID: &str = "event-id";
/// Whether a switch said so when it happened, or it was concluded later.
pub const ORIGIN: &str = "origin";
/// Where the JSON Schema of the value is published.
pub const SCHEMA: &str = "schema";

/// All of them, in the order in which they are written.
pub const ALL: [&str; 5] = [TENANT, POSITION, EVENT_ID, ORIGIN, SCHEMA];
