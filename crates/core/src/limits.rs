//! How much the directory holds. What is over a limit is refused, with the limit in the answer.

/// Names and other short texts, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Notes, messages and other long texts, in bytes.
pub const TEXT_BYTES_MAX: usize = 8_192;
/// Telephones that are somebody's own.
pub const DEVICES_MAX: usize = 32;
/// Availabilities of a person, in force and planned.
pub const AVAILABILITIES_MAX: usize = 64;
/// Settings of a person.
pub const SETTINGS_MAX: usize = 512;
/// Values of a setting, and permitted ones.
pub const VALUES_MAX: usize = 256;
/// Agents that a supervisor watches.
pub const WATCHES_MAX: usize = 1_024;
/// People assigned to a queue.
pub const MEMBERS_MAX: usize = 100_000;
/// Open callbacks on a list.
pub const CALLBACKS_OPEN_MAX: usize = 10_000;
/// Closed callbacks that a list keeps: the newest.
pub const CALLBACKS_CLOSED_MAX: usize = 1_000;
/// Attempts at a callback.
pub const ATTEMPTS_MAX: usize = 100;
/// Pairs of a site's own with a callback.
pub const EXTRAS_MAX: usize = 64;
/// Other callbacks that one names.
pub const RELATED_MAX: usize = 64;
/// Alerts of a person.
pub const ALERTS_A_USER_MAX: usize = 64;
/// Alerts on a queue.
pub const ALERTS_A_QUEUE_MAX: usize = 1_024;
/// After-call work that is asked for, in seconds.
pub const WRAPUP_S_MAX: u64 = 86_400;
