//! The public keys of an identity provider: fetched or read, kept, asked for again when one is not known.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use crate::config;
use crate::gateway::body::Strict;

/// A set of keys. A key is for one algorithm, which its kind decides: what a token says of itself chooses nothing.
#[derive(Debug, Default)]
pub(super) struct KeySet(BTreeMap<(String, &'static str), DecodingKey>);

impl KeySet {
    /// Reads a set. Keys that are of no use here (other kinds, secrets, for encryption, without a name) are passed over.
    pub(super) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let Ok(Strict(set)) = serde_json::from_slice(text) else { return Err("it is no JSON, or has a member twice") };
        let keys = set.get("keys").and_then(Value::as_array).ok_or("it has no list `keys`")?;
        let mut known = BTreeMap::new();
        for key in keys {
            let Some((kid, algorithm, key)) = usable(key) else { continue };
            if known.insert((kid, algorithm), key).is_some() {
                return Err("two of its keys have the same name");
            }
        }
        if known.is_empty() { Err("none of its keys is one for RS256 or ES256") } else { Ok(Self(known)) }
    }

    fn find(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        self.0.get(&(kid.to_owned(), word(algorithm)?)).cloned()
    }
}

fn usable(key: &Value) -> Option<(String, &'static str, DecodingKey)> {
    let member = |name: &str| key.get(name).and_then(Value::as_str);
    if member("use").is_some_and(|use_| use_ != "sig") {
        return None;
    }
    let (algorithm, decoding) = match member("kty")? {
        "RSA" => (Algorithm::RS256, DecodingKey::from_rsa_components(member("n")?, member("e")?)),
        "EC" if member("crv") == Some("P-256") => {
            (Algorithm::ES256, DecodingKey::from_ec_components(member("x")?, member("y")?))
        }
        _ => return None,
    };
    let algorithm = word(algorithm)?;
    let is_for_it = member("alg").is_none_or(|named| named == algorithm);
    is_for_it.then_some((member("kid")?.to_owned(), algorithm, decoding.ok()?))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "it is not ours, and all others are refused alike")]
fn word(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::RS256 => Some("RS256"),
        Algorithm::ES256 => Some("ES256"),
        _ => None,
    }
}

/// Where a set comes from.
#[derive(Debug)]
pub(super) enum Source {
    Url(reqwest::Url, reqwest::Client),
    File(PathBuf),
}

/// The newest set of a provider.
#[derive(Debug)]
pub(super) struct Jwks {
    /// The provider, for the log.
    name: String,
    source: Source,
    limits: Limits,
    state: Mutex<State>,
    /// Held while the set is fetched: whoever wants a key that is not known waits for the same answer.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Limits {
    bytes_max: usize,
    refresh: Duration,
    age_max: Duration,
    pause_min: Duration,
}

#[derive(Debug, Default)]
struct State {
    set: Option<(Arc<KeySet>, Instant)>,
    tried: Option<Instant>,
}

impl Jwks {
    pub(super) fn new(name: String, source: Source, settings: &config::Identity) -> Self {
        let limits = Limits {
            bytes_max: settings.jwks_bytes_max,
            refresh: Duration::from_secs(settings.jwks_refresh_s),
            age_max: Duration::from_secs(settings.jwks_age_s_max),
            pause_min: Duration::from_millis(settings.jwks_pause_ms_min),
        };
        Self { name, source, limits, state: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// The key of this name for this algorithm. Where it is not known, the provider is asked, but not all the time.
    pub(super) async fn key(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        if let (Some(key), false) = (self.known(kid, algorithm), self.is_due()) {
            return Some(key);
        }
        // Who has a key does not wait while somebody else asks for newer ones.
        let turn = match self.known(kid, algorithm) {
            Some(key) => match self.fetching.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Some(key),
            },
            None => self.fetching.lock().await,
        };
        let asked_meanwhile = self.known(kid, algorithm).is_some() && !self.is_due();
        if !asked_meanwhile && self.may_try() {
            self.fetch().await;
        }
        drop(turn);
        self.known(kid, algorithm)
    }

    fn known(&self, kid: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, at) = state.set.as_ref()?;
        if at.elapsed() < self.limits.age_max { set.find(kid, algorithm) } else { None }
    }

    /// Whether what is known is so old that it is asked for again.
    fn is_due(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = state.set.as_ref().is_none_or(|(_, at)| at.elapsed() >= self.limits.refresh);
        is_old && state.tried.is_none_or(|at| at.elapsed() >= self.limits.pause_min)
    }

    fn may_try(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let may = state.tried.is_none_or(|at| at.elapsed() >= self.limits.pause_min);
        if may {
            state.tried = Some(Instant::now());
        }
        may
    }

    async fn fetch(&self) {
        let text = match &self.source {
            Source::Url(url, client) => get(client, url, self.limits.bytes_max).await,
            Source::File(file) => read(file.clone(), self.limits.bytes_max).await,
        };
        match text.and_then(|text| KeySet::parse(&text).map_err(str::to_owned)) {
            Ok(set) => {
                tracing::info!(provider = self.name, keys = set.0.len(), "keys of an identity provider are known");
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.set = Some((Arc::new(set), Instant::now()));
            }
            Err(why) => {
                let (provider, why) = (&self.name, &*why);
                tracing::warn!(
                    provider,
                    why,
                    "keys of an identity provider cannot be had; whom they would let in waits outside"
                );
            }
        }
    }
}

async fn get(client: &reqwest::Client, url: &reqwest::Url, bytes_max: usize) -> Result<Vec<u8>, String> {
    let plain = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url.clone()).send().await.and_then(|it| it.error_for_status()).map_err(plain)?;
    if !answer.status().is_success() {
        return Err(format!("the answer has the status {}", answer.status().as_u16()));
    }
    let mut text = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(plain)? {
        if text.len() + part.len() > bytes_max {
            return Err(too_long(bytes_max));
        }
        text.extend_from_slice(&part);
    }
    Ok(text)
}

async fn read(file: PathBuf, bytes_max: usize) -> Result<Vec<u8>, String> {
    use tokio::io::AsyncReadExt as _;

    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    let opened = tokio::fs::File::open(&file).await.map_err(|error| error.kind().to_string())?;
    opened.take(most).read_to_end(&mut text).await.map_err(|error| error.kind().to_string())?;
    if text.len() > bytes_max { Err(too_long(bytes_max)) } else { Ok(text) }
}

fn too_long(bytes_max: usize) -> String {
    format!("it is longer than identity.jwks_bytes_max = {bytes_max} bytes")
}
