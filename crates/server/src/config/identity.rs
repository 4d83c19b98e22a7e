//! Settings about who somebody is.

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::settings::{Doc, settings};

/// Longest time a JWT for the hub can be good, in seconds: a key that signs no more verifies for so long.
pub(crate) const TOKEN_S_MAX: u64 = 86_400;

settings! {
    /// Who somebody is: tokens, JWTs, and what is wrong of them.
    pub struct Identity {
        /// Wrong tokens a minute from one address; more are answered with 429. Good ones are always taken.
        pub failures_per_minute_max: u32 = 60,
        /// Addresses whose wrong tokens are counted at once; when there are more, those that come new get 429.
        pub failure_addresses_max: usize = 10_000,
        /// Longest JWT, in bytes.
        pub jwt_bytes_max: usize = 8_192,
        /// How much the clocks of those who issue JWTs may differ from ours, in seconds.
        pub jwt_leeway_s: u64 = 10,
    }
}

impl Identity {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, value, least) in [
            ("identity.failures_per_minute_max", u64::from(self.failures_per_minute_max), 1),
            ("identity.failure_addresses_max", self.failure_addresses_max as u64, 1),
            ("identity.jwt_bytes_max", self.jwt_bytes_max as u64, 1_024),
        ] {
            problems.at_least(key, value, least);
        }
        problems.at_most("identity.jwt_leeway_s", self.jwt_leeway_s, crate::identity::jwt::LEEWAY_S_MAX);
    }
}
