//! The settings of the REST side.

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::settings::{Doc, settings};

settings! {
    /// The REST paths: `/token/…`, `/users`, `/queues` and so on; docs/rest.md lists them.
    pub struct Rest {
        /// Where this interface is reached from outside, as `"https://cti.example.org"`, for those who discover it;
        /// empty: at the host that whoever asks has named.
        pub public_url: String = String::new(),
        /// Where the hub is reached from outside, as `"https://cti.example.org/rte"`, for those who are given a token for
        /// it; empty: at `/rte` of the host that whoever asks has named.
        pub rte_url: String = String::new(),
        /// Items in one page of a list, and in one whose caller names no limit.
        pub page_items_max: usize = 1_000,
        /// Secrets of one person and kind at once; the oldest one goes when there is one more.
        pub secrets_max: usize = 8,
        /// How long a secret is good that a password was exchanged for, in seconds.
        pub password_token_s: u64 = 2_592_000,
    }
}

impl Rest {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, value, least) in [
            ("rest.page_items_max", self.page_items_max as u64, 1),
            ("rest.secrets_max", self.secrets_max as u64, 1),
            ("rest.password_token_s", self.password_token_s, 60),
        ] {
            problems.at_least(key, value, least);
        }
        for (key, url) in [("rest.public_url", &self.public_url), ("rest.rte_url", &self.rte_url)] {
            let schemes = ["https://", "http://", "wss://", "ws://"];
            if !url.is_empty() && !schemes.iter().any(|scheme| url.starts_with(scheme)) {
                problems.add(key.to_owned(), format!("{url:?} is no URL"), "as \"https://cti.example.org\", or empty");
            }
        }
    }
}
