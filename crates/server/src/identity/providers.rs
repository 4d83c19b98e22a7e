//! Identity providers outside: whose JWTs are taken, and who somebody is by them.

use std::sync::Arc;
use std::time::Duration;

use cordboard_core::Time;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::jwks::{Jwks, Source};
use super::jwt::{self, Check, JwtError, Limits};
use super::person;
use crate::config::{self, Config, IdentityProvider};
use crate::kept::hex;
use crate::tenant::Tenant;
use crate::tokens::Role;

/// Longest name of a person, in bytes.
const USER_BYTES_MAX: usize = 256;

/// All providers of all tenants.
#[derive(Debug)]
pub(super) struct Providers(Vec<Provider>);

#[derive(Debug)]
struct Provider {
    tenant: String,
    settings: IdentityProvider,
    jwks: Jwks,
}

/// What a provider says of somebody.
pub(super) struct Vouched {
    pub(super) tenant: String,
    /// The provider.
    pub(super) provider: String,
    /// The name in the directory.
    pub(super) user: String,
    pub(super) role: Role,
    /// Tells one person from others of the provider.
    pub(super) id: String,
    pub(super) expires: Time,
}

impl Providers {
    /// Those that are configured.
    pub(super) fn new(config: &Config) -> Result<Self, ProviderError> {
        let mut all = Vec::new();
        for tenant in &config.tenant {
            for settings in &tenant.identity_provider {
                let source = source(settings, &config.identity)?;
                let name = format!("{}/{}", tenant.name, settings.name);
                let jwks = Jwks::new(name, source, &config.identity);
                all.push(Provider { tenant: tenant.name.clone(), settings: settings.clone(), jwks });
            }
        }
        Ok(Self(all))
    }

    /// Whether this tenant still has this provider.
    pub(super) fn knows(&self, tenant: &str, name: &str) -> bool {
        self.0.iter().any(|provider| provider.tenant == tenant && provider.settings.name == name)
    }

    /// Who comes with this JWT.
    pub(super) async fn verify(
        &self,
        text: &str,
        now: (Time, Limits),
        tenants: &[Arc<Tenant>],
    ) -> Result<Vouched, JwtError> {
        let (provider, claims) = self.claims(text, now).await?;
        let tenant = tenants.iter().find(|tenant| tenant.name() == provider.tenant);
        provider.vouch(&claims, tenant.ok_or(JwtError::Nobody("the tenant"))?).await
    }

    /// What this JWT says, and who says it.
    async fn claims(
        &self,
        text: &str,
        (now, limits): (Time, Limits),
    ) -> Result<(&Provider, Map<String, Value>), JwtError> {
        let head = jwt::head(text, limits.bytes_max)?;
        let issuer = jwt::issuer(text, limits.bytes_max)?;
        let mut refused = JwtError::Claim("iss");
        // Several tenants may have the same issuer; the audience then says which is meant.
        for provider in self.0.iter().filter(|provider| provider.settings.issuer == issuer) {
            let settings = &provider.settings;
            let (issuer, audience) = (&*settings.issuer, &*settings.audience);
            let Some(key) = provider.jwks.key(&head.kid, head.alg).await else {
                refused = JwtError::UnknownKey;
                continue;
            };
            let check = Check { algorithm: head.alg, issuer, audience, now, limits };
            match jwt::verified(text, &head, &key, &check) {
                Ok(claims) => return Ok((provider, claims)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

impl Provider {
    async fn vouch(&self, claims: &Map<String, Value>, tenant: &Arc<Tenant>) -> Result<Vouched, JwtError> {
        let settings = &self.settings;
        let word = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let expires = Time(jwt::seconds(claims, "exp")?.unwrap_or_default().saturating_mul(1_000_000));
        let subject = word("sub").ok_or(JwtError::Claim("sub"))?;
        let given = word(&settings.user_claim).ok_or(JwtError::Nobody("there is no claim of user_claim"))?;
        if given.is_empty() || given.len() > USER_BYTES_MAX || given.contains(char::is_control) {
            return Err(JwtError::Nobody("the claim of user_claim is empty or too long"));
        }
        let named = given.clone();
        let known = tenant.mirror().look(move |world| person(world, &named)).await;
        let known = known.map_err(|_| JwtError::Nobody("the directory cannot be asked at the moment"))?;
        let roles = jwt::words(claims, &settings.role_claim);
        let is = |names: &[String]| names.iter().any(|name| roles.contains(name));
        // Who has several is the one that may most.
        let (user, role) = if is(&settings.administrator_roles) {
            (known.unwrap_or(given), Role::Administrator)
        } else if is(&settings.supervisor_roles) {
            let team = jwt::words(claims, &settings.team_claim).into_iter().find(|it| tenant.people().knows_team(it));
            let team = team.ok_or(JwtError::Nobody("the claim of team_claim names no team"))?;
            (known.unwrap_or(given), Role::Supervisor { team })
        } else if is(&settings.agent_roles) {
            let agent = known.or_else(|| tenant.people().knows_agent(&given).then_some(given));
            let agent = agent.ok_or(JwtError::Nobody("the claim of user_claim names nobody of the directory"))?;
            (agent.clone(), Role::Agent { agent })
        } else {
            return Err(JwtError::Nobody("the claim of role_claim names no role"));
        };
        let digest = hex(&Sha256::digest(format!("{}\n{subject}", settings.issuer)));
        let id = format!("{}.{}", settings.name, digest.get(..12).unwrap_or_default());
        Ok(Vouched { tenant: self.tenant.clone(), provider: settings.name.clone(), user, role, id, expires })
    }
}

fn source(settings: &IdentityProvider, limits: &config::Identity) -> Result<Source, ProviderError> {
    let name = || settings.name.clone();
    match (&settings.jwks_url, &settings.jwks_file) {
        (Some(url), None) => {
            let url = config::jwks_url(url).ok_or_else(|| ProviderError::Source { provider: name() })?;
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .https_only(url.scheme() == "https")
                .timeout(Duration::from_millis(limits.jwks_ms_max));
            // This machine is not reached by way of others.
            let builder = if url.scheme() == "http" { builder.no_proxy() } else { builder };
            let client = builder.build().map_err(|error| ProviderError::Client { provider: name(), error })?;
            Ok(Source::Url(url, client))
        }
        (None, Some(file)) => Ok(Source::File(file.clone())),
        (None, None) | (Some(_), Some(_)) => Err(ProviderError::Source { provider: name() }),
    }
}

/// Why an identity provider cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// There is no place to ask, or two.
    #[error(
        "identity provider {provider}: right would be one of `jwks_url` (https, or http to this machine) and `jwks_file`"
    )]
    Source {
        /// Which.
        provider: String,
    },
    /// There is no client to ask with.
    #[error("identity provider {provider}: no HTTP client can be made: {error}")]
    Client {
        /// Which.
        provider: String,
        /// What is wrong.
        error: reqwest::Error,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::forge::{Signer, but, token};
    use super::*;
    use crate::config;

    const LIMITS: Limits = Limits { bytes_max: 8_192, leeway_s: 10 };
    const NOW_S: u64 = 1_800_000_000;
    const ISSUER: &str = "https://id.example.org/";

    /// Two tenants of one issuer, a third of another.
    struct Site {
        _dir: tempfile::TempDir,
        file: std::path::PathBuf,
        providers: Providers,
        rsa: Signer,
        ec: Signer,
    }

    impl Site {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("jwks.json");
            let (rsa, ec) = (Signer::rsa(), Signer::ec());
            let secret = Signer::Hmac(b"shared with everybody".to_vec());
            let keys = json!({"keys": [rsa.jwk("r"), ec.jwk("e"), secret.jwk("s"), {"kty": "OKP"}, "nonsense"]});
            std::fs::write(&file, keys.to_string()).unwrap();
            let provider = |issuer: &str, audience: &str| IdentityProvider {
                name: "sso".into(),
                issuer: issuer.into(),
                audience: audience.into(),
                jwks_file: Some(file.clone()),
                ..IdentityProvider::default()
            };
            let tenant = |name: &str, provider: IdentityProvider| config::Tenant {
                name: name.into(),
                identity_provider: vec![provider],
                ..config::Tenant::default()
            };
            let tenants = vec![
                tenant("acme", provider(ISSUER, "acme-cordboard")),
                tenant("umbrella", provider(ISSUER, "umbrella-cordboard")),
                tenant("initech", provider("https://other.example.org/", "cordboard")),
            ];
            let identity = config::Identity { jwks_pause_ms_min: 0, ..config::Identity::default() };
            let config = Config { tenant: tenants, identity, ..Config::default() };
            Self { _dir: dir, file, providers: Providers::new(&config).unwrap(), rsa, ec }
        }

        async fn judge(&self, text: &str) -> Result<String, JwtError> {
            let now = (Time(NOW_S * 1_000_000), LIMITS);
            self.providers.claims(text, now).await.map(|(provider, _)| provider.tenant.clone())
        }
    }

    fn good() -> Value {
        json!({"iss": ISSUER, "aud": "acme-cordboard", "sub": "anna", "exp": NOW_S + 60, "role": "agent"})
    }

    fn head(alg: &str, kid: &str) -> String {
        json!({"alg": alg, "kid": kid, "typ": "at+jwt"}).to_string()
    }

    #[tokio::test]
    async fn a_token_is_of_the_tenant_that_its_audience_says() {
        let site = Site::new();
        let of = |audience: Value| but(&good(), |it| it["aud"] = audience);
        for (alg, kid, signer) in [("RS256", "r", &site.rsa), ("ES256", "e", &site.ec)] {
            let judge = |claims: String| token(&head(alg, kid), &claims, signer);
            assert_eq!(site.judge(&judge(good().to_string())).await.as_deref(), Ok("acme"));
            assert_eq!(site.judge(&judge(of(json!(["x", "umbrella-cordboard"])))).await.as_deref(), Ok("umbrella"));
            assert_eq!(site.judge(&judge(of(json!("cordboard")))).await, Err(JwtError::Claim("aud")));
            let fraction = but(&good(), |it| it["exp"] = json!(NOW_S as f64 + 0.5));
            assert_eq!(site.judge(&judge(fraction)).await.as_deref(), Ok("acme"));
        }
    }

    #[tokio::test]
    async fn forgeries_are_refused() {
        let site = Site::new();
        let text = good().to_string();
        for (at, public) in site.rsa.public().into_iter().enumerate() {
            for kid in ["r", "e", "s"] {
                let forged = token(&head("HS256", kid), &text, &Signer::Hmac(public.clone()));
                assert!(site.judge(&forged).await.is_err(), "the public key for a secret, {at} {kid}");
            }
        }
        let secret = Signer::Hmac(b"shared with everybody".to_vec());
        let (another, jwk) = (Signer::rsa(), Signer::rsa());
        let inside = |name: &str, value: Value| json!({"alg": "RS256", "kid": "r", name: value}).to_string();
        for (name, forged) in [
            ("alg none", token(&head("none", "r"), &text, &Signer::Nobody)),
            ("no signature", token(&head("RS256", "r"), &text, &Signer::Nobody)),
            ("a secret in the set", token(&head("HS256", "s"), &text, &secret)),
            ("the key of another algorithm", token(&head("RS256", "e"), &text, &site.rsa)),
            ("the other way", token(&head("ES256", "r"), &text, &site.ec)),
            ("an algorithm that we do not take", token(&head("PS256", "r"), &text, &site.rsa)),
            ("an unknown key", token(&head("RS256", "x"), &text, &site.rsa)),
            ("no key", token(r#"{"alg":"RS256"}"#, &text, &site.rsa)),
            ("another's signature", token(&head("RS256", "r"), &text, &another)),
            ("a key in the head", token(&inside("jwk", jwk.jwk("r")), &text, &jwk)),
            ("an address in the head", token(&inside("jku", json!("https://attacker.example.org")), &text, &jwk)),
            ("a certificate in the head", token(&inside("x5u", json!("https://attacker.example.org")), &text, &jwk)),
            ("a claim twice", token(&head("RS256", "r"), &text.replacen('{', r#"{"sub":"root","#, 1), &site.rsa)),
        ] {
            assert!(site.judge(&forged).await.is_err(), "{name}");
        }
        type Change = fn(&mut Value);
        let wrong: [(&str, Change); 12] = [
            ("another issuer", |it| it["iss"] = json!("https://evil.example.org/")),
            ("the issuer of another tenant", |it| it["iss"] = json!("https://other.example.org/")),
            ("a list of issuers", |it| it["iss"] = json!([ISSUER])),
            ("no issuer", |it| drop(it.as_object_mut().unwrap().remove("iss"))),
            ("another audience", |it| it["aud"] = json!("payroll")),
            ("no audience", |it| drop(it.as_object_mut().unwrap().remove("aud"))),
            ("exp as text", |it| it["exp"] = json!("1900000000")),
            ("no exp", |it| drop(it.as_object_mut().unwrap().remove("exp"))),
            ("expired", |it| it["exp"] = json!(NOW_S - 10)),
            ("exp that is no number", |it| it["exp"] = json!(1e300)),
            ("not yet", |it| it["nbf"] = json!(NOW_S + 11)),
            ("no subject", |it| drop(it.as_object_mut().unwrap().remove("sub"))),
        ];
        for (name, change) in wrong {
            let forged = token(&head("RS256", "r"), &but(&good(), change), &site.rsa);
            assert!(site.judge(&forged).await.is_err(), "{name}");
        }
        let long = but(&good(), |it| it["note"] = json!("x".repeat(LIMITS.bytes_max)));
        assert_eq!(site.judge(&token(&head("RS256", "r"), &long, &site.rsa)).await, Err(JwtError::TooLong));
    }

    #[tokio::test]
    async fn a_new_key_is_found_and_a_set_that_cannot_be_read_lets_nobody_in() {
        let site = Site::new();
        let new = Signer::rsa();
        let text = token(&head("RS256", "new"), &good().to_string(), &new);
        assert_eq!(site.judge(&text).await, Err(JwtError::UnknownKey));
        std::fs::write(&site.file, json!({"keys": [new.jwk("new")]}).to_string()).unwrap();
        assert_eq!(site.judge(&text).await.as_deref(), Ok("acme"));
        let old = token(&head("RS256", "r"), &good().to_string(), &site.rsa);
        assert!(site.judge(&old).await.is_err());
        let fresh = Site::new();
        for broken in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[],"keys":[]}"#, "[]"] {
            std::fs::write(&fresh.file, broken).unwrap();
            let text = token(&head("RS256", "r"), &good().to_string(), &fresh.rsa);
            assert_eq!(fresh.judge(&text).await, Err(JwtError::UnknownKey), "{broken}");
        }
        std::fs::remove_file(&fresh.file).unwrap();
        let text = token(&head("ES256", "e"), &good().to_string(), &fresh.ec);
        assert_eq!(fresh.judge(&text).await, Err(JwtError::UnknownKey));
    }
}
