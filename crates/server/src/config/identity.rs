//! Settings about who somebody is.

use std::collections::BTreeSet;
use std::path::PathBuf;

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
        /// Longest set of keys of an identity provider, in bytes.
        pub jwks_bytes_max: usize = 262_144,
        /// How long fetching it may take, in milliseconds.
        pub jwks_ms_max: u64 = 5_000,
        /// How old it may be before it is fetched again, in seconds.
        pub jwks_refresh_s: u64 = 600,
        /// How old it may be at most, in seconds: where it cannot be fetched, nobody is let in by it any more.
        pub jwks_age_s_max: u64 = 86_400,
        /// Shortest time from one fetching to the next, in milliseconds, also where a JWT names a key that is not known.
        pub jwks_pause_ms_min: u64 = 30_000,
    }

    /// An identity provider outside, whose JWTs are taken beside our own tokens: signed by RS256 or ES256, by the hub and
    /// as bearer tokens.
    pub struct IdentityProvider {
        /// A name of your choice, of the same form as a tenant's.
        pub name: String = String::new(),
        /// What the claim `iss` must be.
        pub issuer: String = String::new(),
        /// What the claim `aud` must be or contain. Issuer and audience together are of one tenant.
        pub audience: String = String::new(),
        /// Where its public keys are (JWKS): https, or http on this machine.
        pub jwks_url: Option<String> = None,
        /// The file with its public keys; exactly one of the two.
        pub jwks_file: Option<PathBuf> = None,
        /// The claim with the person's name, login or id in the directory.
        pub user_claim: String = "sub".to_owned(),
        /// The claim with the role, a word or a list of words; who has several is the one that may most.
        pub role_claim: String = "role".to_owned(),
        /// The claim with the team of a supervisor, a `[[tenant.team]]`; a word or a list of words.
        pub team_claim: String = "team".to_owned(),
        /// The roles that are agents here.
        pub agent_roles: Vec<String> = vec!["agent".to_owned()],
        /// The roles that are supervisors here.
        pub supervisor_roles: Vec<String> = vec!["supervisor".to_owned()],
        /// The roles that are administrators here.
        pub administrator_roles: Vec<String> = vec!["administrator".to_owned()],
    }
}

impl Identity {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (key, value, least) in [
            ("identity.failures_per_minute_max", u64::from(self.failures_per_minute_max), 1),
            ("identity.failure_addresses_max", self.failure_addresses_max as u64, 1),
            ("identity.jwt_bytes_max", self.jwt_bytes_max as u64, 1_024),
            ("identity.jwks_bytes_max", self.jwks_bytes_max as u64, 1_024),
            ("identity.jwks_ms_max", self.jwks_ms_max, 100),
            ("identity.jwks_refresh_s", self.jwks_refresh_s, 1),
            ("identity.jwks_age_s_max", self.jwks_age_s_max, self.jwks_refresh_s),
            ("identity.jwks_pause_ms_min", self.jwks_pause_ms_min, 1_000),
        ] {
            problems.at_least(key, value, least);
        }
        problems.at_most("identity.jwt_leeway_s", self.jwt_leeway_s, crate::identity::jwt::LEEWAY_S_MAX);
    }
}

impl IdentityProvider {
    /// `taken` are issuers and audiences of all tenants so far.
    pub(super) fn check<'c>(&'c self, key: &str, taken: &mut BTreeSet<(&'c str, &'c str)>, problems: &mut Problems) {
        let claims = [&self.user_claim, &self.role_claim, &self.team_claim];
        for (name, value) in ["user_claim", "role_claim", "team_claim"].into_iter().zip(claims) {
            if value.is_empty() {
                problems.add(format!("{key}.{name}"), "it is empty", "the name of a claim");
            }
        }
        if self.issuer.is_empty() || self.issuer == crate::identity::jwt::ISSUER {
            let wrong = "it is empty, or our own";
            problems.add(format!("{key}.issuer"), wrong, "the claim `iss` of its JWTs, mostly an address");
        }
        if self.audience.is_empty() {
            problems.add(format!("{key}.audience"), "it is empty", "the claim `aud` that its JWTs for Cordboard have");
        }
        if !taken.insert((&self.issuer, &self.audience)) {
            let wrong = "another identity provider has the same issuer and audience";
            problems.add(format!("{key}.audience"), wrong, "an audience of its own, so that a JWT is of one tenant");
        }
        match (&self.jwks_url, &self.jwks_file) {
            (Some(url), None) if jwks_url(url).is_none() => {
                let right = "https://…, or http://127.0.0.1:PORT/… on this machine";
                problems.add(format!("{key}.jwks_url"), format!("{url:?} is not safe, or no address"), right);
            }
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) | (Some(_), Some(_)) => {
                problems.add(format!("{key}.jwks_url"), "there is none, or a file as well", "one of the two");
            }
        }
    }
}

/// The address of a set of keys; none where it cannot be trusted.
pub(crate) fn jwks_url(text: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(text).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    (url.scheme() == "https" || url.scheme() == "http" && is_here).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_safely_or_from_this_machine() {
        for good in ["https://id.example.org/keys", "http://127.0.0.1:8080/keys", "http://[::1]/", "http://localhost/k"]
        {
            assert!(jwks_url(good).is_some(), "{good}");
        }
        for wrong in
            ["http://id.example.org/keys", "http://127.0.0.1.example.org/", "file:///etc/passwd", "ftp://a/", ""]
        {
            assert!(jwks_url(wrong).is_none(), "{wrong}");
        }
    }
}
