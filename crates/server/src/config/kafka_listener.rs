//! The settings of the Kafka listener: who may connect, and how much of everything there is.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::settings::{Doc, settings};

settings! {
    /// The Kafka listener: topics for unmodified Kafka consumers, without a Kafka.
    pub struct KafkaListener {
        /// Whether there is one.
        pub enabled: bool = true,
        /// Address and port. On an address that others can reach, put a proxy with TLS in front: tokens travel as passwords.
        pub listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 9092)),
        /// Host and port that clients are told to connect to, for example `"kafka.example.org:9092"`; empty: the address
        /// that they came in by. Behind a proxy it must be the proxy's.
        pub advertised: String = String::new(),
        /// Whether whoever connects reads everything without a token, as the operator. Only on an address that nobody else
        /// can reach, as 127.0.0.1.
        pub anonymous: bool = false,
        /// Connections open at once; more are closed at once.
        pub connections_max: usize = 2_000,
        /// Connections open at once from one address; more are closed at once.
        pub address_connections_max: usize = 1_000,
        /// How long a client may take to log in, in milliseconds.
        pub login_ms_max: u64 = 10_000,
        /// Longest request before the login, in bytes.
        pub login_bytes_max: usize = 16_384,
        /// Longest request, in bytes. Who would write is refused by an answer only where what it would write fits.
        pub request_bytes_max: usize = 2_097_152,
        /// Requests longer than 64 KiB that are read at once, of all connections together, in bytes; more wait.
        pub requests_bytes_max: usize = 67_108_864,
        /// Topics, partitions and other elements that one request may name.
        pub request_items_max: usize = 100_000,
        /// How long the rest of a request may take once it has begun, in milliseconds.
        pub request_ms_max: u64 = 30_000,
        /// What a client may send before it is answered, in bytes; more is not read. Requests are answered in order.
        pub ahead_bytes_max: usize = 65_536,
        /// How long a client may take to read an answer, in milliseconds for each mebibyte of it that has begun; then it is
        /// dropped.
        pub write_ms_max: u64 = 10_000,
        /// How long a connection may be silent between an answer and the next request, in milliseconds.
        pub idle_ms_max: u64 = 600_000,
        /// How long a consumer that has everything waits for records in one request, in milliseconds; it may ask for less.
        pub fetch_ms_max: u64 = 10_000,
        /// Records of one answer, in bytes; a consumer may ask for less. One that is larger is given alone.
        pub fetch_bytes_max: usize = 8_388_608,
        /// Records of all answers that are not sent yet, in bytes; consumers wait for each other.
        pub fetch_bytes_total_max: usize = 268_435_456,
        /// The same of one tenant, or of the operator, so that consumers that take nothing keep no other tenant's waiting.
        pub fetch_bytes_owner_max: usize = 67_108_864,
        /// Threads that read topics from disk for consumers at once; more wait.
        pub reads_max: usize = 8,
    }
}

impl KafkaListener {
    /// No more bytes fit into the length in front of a request.
    const FRAME_BYTES_MAX: u64 = i32::MAX as u64;

    /// So that an answer's length, which is of 31 bits, says it with all that stands around it.
    const FETCH_BYTES_MAX: u64 = 1 << 30;

    /// Host and port of `advertised`; none where it is empty, or not of that form.
    #[must_use]
    pub fn advertised(&self) -> Option<(&str, u16)> {
        let (host, port) = self.advertised.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_good = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.len() <= 255 && host.chars().all(is_name),
        };
        is_good.then_some((bare.unwrap_or(host), port))
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if !self.advertised.is_empty() && self.advertised().is_none() {
            let wrong = format!("{:?} is no host and port", self.advertised);
            problems.add("kafka_listener.advertised".to_owned(), wrong, "as \"kafka.example.org:9092\", or \"\"");
        }
        if self.anonymous && !self.listen.ip().is_loopback() {
            let wrong = format!("everybody who reaches {} would read everything", self.listen);
            let right = "false, or kafka_listener.listen on 127.0.0.1 or [::1]";
            problems.add("kafka_listener.anonymous".to_owned(), wrong, right);
        }
        for (key, value, least) in [
            ("kafka_listener.connections_max", self.connections_max as u64, 1),
            ("kafka_listener.address_connections_max", self.address_connections_max as u64, 1),
            ("kafka_listener.login_ms_max", self.login_ms_max, 100),
            ("kafka_listener.login_bytes_max", self.login_bytes_max as u64, 1_024),
            ("kafka_listener.request_bytes_max", self.request_bytes_max as u64, 65_536),
            ("kafka_listener.requests_bytes_max", self.requests_bytes_max as u64, self.request_bytes_max as u64),
            ("kafka_listener.request_items_max", self.request_items_max as u64, 1_000),
            ("kafka_listener.request_ms_max", self.request_ms_max, 100),
            ("kafka_listener.ahead_bytes_max", self.ahead_bytes_max as u64, 4_096),
            ("kafka_listener.write_ms_max", self.write_ms_max, 100),
            ("kafka_listener.idle_ms_max", self.idle_ms_max, 100),
            ("kafka_listener.fetch_ms_max", self.fetch_ms_max, 1),
            ("kafka_listener.fetch_bytes_max", self.fetch_bytes_max as u64, 65_536),
            ("kafka_listener.fetch_bytes_total_max", self.fetch_bytes_total_max as u64, self.fetch_bytes_max as u64),
            ("kafka_listener.fetch_bytes_owner_max", self.fetch_bytes_owner_max as u64, self.fetch_bytes_max as u64),
            ("kafka_listener.reads_max", self.reads_max as u64, 1),
        ] {
            problems.at_least(key, value, least);
        }
        for (key, value) in [
            ("kafka_listener.login_bytes_max", self.login_bytes_max),
            ("kafka_listener.request_bytes_max", self.request_bytes_max),
            ("kafka_listener.requests_bytes_max", self.requests_bytes_max),
        ] {
            problems.at_most(key, value as u64, Self::FRAME_BYTES_MAX);
        }
        problems.at_most("kafka_listener.fetch_bytes_max", self.fetch_bytes_max as u64, Self::FETCH_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advertised_is_a_host_and_a_port() {
        let advertised = |text: &str| {
            let settings = KafkaListener { advertised: text.to_owned(), ..KafkaListener::default() };
            settings.advertised().map(|(host, port)| format!("{host} {port}"))
        };
        assert_eq!(advertised("kafka.example.org:9092").as_deref(), Some("kafka.example.org 9092"));
        assert_eq!(advertised("[::1]:9").as_deref(), Some("::1 9"));
        for wrong in ["", "kafka", "kafka:", "kafka:0", ":9092", "[kafka]:1", "a b:1", "a:b:1", "kafka:99999"] {
            assert_eq!(advertised(wrong), None, "{wrong}");
        }
    }
}
