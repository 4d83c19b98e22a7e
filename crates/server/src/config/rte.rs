//! The settings of the hub `/rte`: who may connect from where, and how much of everything there is.

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::identity::TOKEN_S_MAX;
use super::settings::{Doc, settings};

settings! {
    /// The hub `/rte`, to which applications connect by SignalR.
    pub struct Rte {
        /// How long a JWT for the hub is good, in seconds, at most a day. It is looked at when a connection is opened; one
        /// that is open is not ended by it.
        pub token_s: u64 = 3_600,
        /// Origins whose pages may connect, besides those of the hub's own: for example `"https://desk.example.org"`.
        /// `"null"` is that of a page from a file; `"*"` is every one, which leaves it to tokens alone.
        pub origins: Vec<String> = Vec::new(),
        /// Whether pages of this machine (`localhost`, `127.0.0.1`, `[::1]`, on any port) may connect.
        pub origins_loopback: bool = false,
        /// Connections open at once, of all tenants; they do not count for `http.connections_max`.
        pub connections_max: usize = 50_000,
        /// Connections open at once of one tenant.
        pub tenant_connections_max: usize = 50_000,
        /// Connections open at once of one user.
        pub user_connections_max: usize = 1_000,
        /// Connections of one tenant that are agreed on and not opened yet.
        pub tenant_negotiated_max: usize = 10_000,
        /// Connections of one user that are agreed on and not opened yet.
        pub user_negotiated_max: usize = 200,
        /// How long a connection that is agreed on may wait to be opened, in milliseconds.
        pub negotiated_ms_max: u64 = 15_000,
        /// How long a connection that broke is kept for its client to come back, and one of long polling without a poll,
        /// in milliseconds.
        pub detached_ms_max: u64 = 15_000,
        /// How long a client may take for its first message, in milliseconds.
        pub handshake_ms_max: u64 = 15_000,
        /// How often a connection with nothing to tell shows that it lives, in milliseconds.
        pub ping_ms: u64 = 15_000,
        /// How long a client may be silent once it has sent its first ping, in milliseconds.
        pub silence_ms_max: u64 = 30_000,
        /// How long a poll with nothing to tell is held, in milliseconds.
        pub poll_ms_max: u64 = 90_000,
        /// How long a client may take to close its end after we closed ours, in milliseconds. How long it may take nothing
        /// that is written is `http.stream_write_ms_max`.
        pub close_ms_max: u64 = 5_000,
        /// How long a connection that was just written to collects what it is told next, in microseconds, so that it is
        /// written together. What comes after a longer silence is written at once. 0: never.
        pub write_pause_us: u64 = 2_000,
        /// The same where the server is so busy that it comes to its connections late: then it collects the longer the
        /// later it comes, at the most so many microseconds.
        pub write_pause_us_max: u64 = 50_000,
        /// Longest message of a client, in bytes.
        pub message_bytes_max: usize = 32_768,
        /// Invocations a second of one connection, over ten seconds; more end it.
        pub invocations_per_second_max: u32 = 100,
        /// Pings and other messages that invoke nothing a second of one connection, over ten seconds; more end it.
        pub pings_per_second_max: u32 = 20,
        /// Bytes a second that are read of one connection; as many may come at once after a silence. More wait.
        pub bytes_per_second_max: u32 = 131_072,
        /// Invocations of one connection that wait for their answers; more end it.
        pub invocations_max: usize = 100,
        /// Invocations a second of all connections of one user; more are answered by an error.
        pub user_invocations_per_second_max: u32 = 500,
        /// Invocations a second of all connections of one tenant; more are answered by an error.
        pub tenant_invocations_per_second_max: u32 = 10_000,
        /// Longest body of a `POST`, and longest message of a WebSocket, which may hold several messages, in bytes.
        pub post_bytes_max: usize = 131_072,
        /// How long sending it may take, in milliseconds.
        pub post_ms_max: u64 = 10_000,
        /// Whether a client may come back to a connection that broke and go on where it was (stateful reconnect).
        pub stateful_reconnect: bool = true,
        /// Messages that wait to be written, or for such a client to confirm them, in bytes; when it is reached, nothing
        /// more is taken for the connection.
        pub replay_bytes_max: usize = 100_000,
        /// Subscriptions of one connection.
        pub subscriptions_max: usize = 10_000,
        /// Subscriptions of all connections of one user.
        pub user_subscriptions_max: usize = 50_000,
        /// Subscriptions of all connections of one tenant.
        pub tenant_subscriptions_max: usize = 1_000_000,
        /// Things that one invocation can subscribe to, or unsubscribe from.
        pub subscribe_items_max: usize = 1_000,
        /// Messages that may wait for one connection, besides the newest of each status; more end it.
        pub outbox_messages_max: usize = 1_000,
        /// The same in bytes.
        pub outbox_bytes_max: usize = 1_048_576,
        /// The shortest time between two statuses of one person or queue, in milliseconds; what changes in between is told
        /// when it is over.
        pub status_interval_ms: u64 = 250,
        /// How often the status of a queue is looked at while calls wait in it, whose longest wait grows though nothing
        /// happens, in milliseconds.
        pub status_refresh_ms: u64 = 5_000,
        /// Whether who subscribes to a status is told at once what it is. The original does not say that it does.
        pub status_on_subscribe: bool = false,
        /// Whether clients may use what the original does not have: `SubscribeFrom`, and `"*"` as an entity.
        pub extensions: bool = false,
        /// Memory for the newest events of one tenant, for clients that come back by `SubscribeFrom`, in bytes.
        pub recent_bytes_max: usize = 16_777_216,
        /// Clients of one tenant that are told of older events from disk at the same time; more wait.
        pub history_readers_max: usize = 4,
        /// The states that one `SubscribeFrom` is answered with, in bytes; more are refused.
        pub snapshot_bytes_max: usize = 4_194_304,
        /// Durable events that may wait to be told before `/readyz` says so.
        pub feed_lag_events_max: u64 = 10_000,
    }
}

impl Rte {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.at_most("rte.token_s", self.token_s, TOKEN_S_MAX);
        for (key, value, least) in [
            ("rte.token_s", self.token_s, 10),
            ("rte.connections_max", self.connections_max as u64, 1),
            ("rte.tenant_connections_max", self.tenant_connections_max as u64, 1),
            ("rte.user_connections_max", self.user_connections_max as u64, 1),
            ("rte.tenant_negotiated_max", self.tenant_negotiated_max as u64, 1),
            ("rte.user_negotiated_max", self.user_negotiated_max as u64, 1),
            ("rte.negotiated_ms_max", self.negotiated_ms_max, 100),
            ("rte.detached_ms_max", self.detached_ms_max, 100),
            ("rte.handshake_ms_max", self.handshake_ms_max, 100),
            ("rte.ping_ms", self.ping_ms, 100),
            ("rte.silence_ms_max", self.silence_ms_max, 100),
            ("rte.poll_ms_max", self.poll_ms_max, 100),
            ("rte.close_ms_max", self.close_ms_max, 1),
            ("rte.message_bytes_max", self.message_bytes_max as u64, 1_024),
            ("rte.invocations_per_second_max", u64::from(self.invocations_per_second_max), 1),
            ("rte.pings_per_second_max", u64::from(self.pings_per_second_max), 1),
            ("rte.bytes_per_second_max", u64::from(self.bytes_per_second_max), 1_024),
            ("rte.invocations_max", self.invocations_max as u64, 1),
            ("rte.user_invocations_per_second_max", u64::from(self.user_invocations_per_second_max), 1),
            ("rte.tenant_invocations_per_second_max", u64::from(self.tenant_invocations_per_second_max), 1),
            ("rte.post_bytes_max", self.post_bytes_max as u64, 1_024),
            ("rte.post_ms_max", self.post_ms_max, 100),
            ("rte.replay_bytes_max", self.replay_bytes_max as u64, 1_024),
            ("rte.subscriptions_max", self.subscriptions_max as u64, 1),
            ("rte.user_subscriptions_max", self.user_subscriptions_max as u64, 1),
            ("rte.tenant_subscriptions_max", self.tenant_subscriptions_max as u64, 1),
            ("rte.subscribe_items_max", self.subscribe_items_max as u64, 1),
            ("rte.outbox_messages_max", self.outbox_messages_max as u64, 16),
            ("rte.outbox_bytes_max", self.outbox_bytes_max as u64, 65_536),
            ("rte.status_refresh_ms", self.status_refresh_ms, 100),
            ("rte.history_readers_max", self.history_readers_max as u64, 1),
            ("rte.snapshot_bytes_max", self.snapshot_bytes_max as u64, 1_024),
            ("rte.feed_lag_events_max", self.feed_lag_events_max, 1),
        ] {
            problems.at_least(key, value, least);
        }
        for (index, origin) in self.origins.iter().enumerate() {
            if !is_origin(origin) {
                let right = "as \"https://desk.example.org\" or \"http://10.0.0.5:8080\" (no path), \"null\" or \"*\"";
                problems.add(format!("rte.origins[{index}]"), format!("{origin:?} is no origin"), right);
            }
        }
    }
}

/// Whether this is what a browser could send as the origin of a page.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return matches!(text, "null" | "*") };
    let scheme_is_good = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let host_is_good = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'));
    scheme_is_good && host_is_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for good in ["https://desk.example.org", "http://10.0.0.5:8080", "http://[::1]:80", "null", "*"] {
            assert!(is_origin(good), "{good}");
        }
        for wrong in ["", "desk.example.org", "https://", "https://a/b", "https://a/", "https://*.a", "://a", "a b://c"]
        {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
