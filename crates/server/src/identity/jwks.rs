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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// Answers every request with these bytes, and then keeps silent.
    fn answering(answer: String) -> reqwest::Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                _ = stream.read(&mut [0; 4_096]).unwrap();
                _ = stream.write_all(answer.as_bytes());
                open.push(stream);
            }
        });
        url.parse().unwrap()
    }

    fn client() -> reqwest::Client {
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        builder.timeout(Duration::from_millis(500)).build().unwrap()
    }

    #[tokio::test]
    async fn a_set_is_fetched_within_its_limits_or_not_at_all() {
        let body = |text: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
        assert_eq!(get(&client(), &answering(body("12345678")), 8).await.as_deref(), Ok(b"12345678".as_slice()));
        let elsewhere = answering(body("{}"));
        for (name, answer) in [
            ("too long", body("123456789")),
            ("endless", format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", "4\r\nabcd\r\n".repeat(9))),
            ("elsewhere", format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")),
            ("not there", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned()),
            ("cut off", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc".to_owned()),
            ("silent", String::new()),
            ("no HTTP", "hello".to_owned()),
        ] {
            let why = get(&client(), &answering(answer), 8).await.unwrap_err();
            assert!(!why.contains("127.0.0.1"), "{name}: {why}");
        }
    }

    #[test]
    fn only_public_keys_for_signatures_are_taken() {
        use super::super::forge::Signer;

        let (rsa, ec) = (Signer::rsa(), Signer::ec());
        let with = |name: &str, value: &str| {
            let mut key = rsa.jwk("k");
            key[name] = value.into();
            key
        };
        let taken = |keys: Vec<Value>| KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes());
        assert!(taken(vec![rsa.jwk("k"), ec.jwk("k")]).is_ok(), "a name is one of each kind");
        assert!(taken(vec![with("alg", "RS256")]).is_ok() && taken(vec![with("use", "sig")]).is_ok());
        for key in [
            with("alg", "PS256"),
            with("alg", "HS256"),
            with("use", "enc"),
            with("kty", "oct"),
            with("n", "!"),
            Signer::Hmac(b"secret".to_vec()).jwk("k"),
            serde_json::json!({"kty": "RSA", "kid": "k"}),
        ] {
            assert!(taken(vec![key.clone()]).is_err(), "{key}");
        }
        assert!(taken(vec![rsa.jwk("k"), rsa.jwk("k")]).is_err(), "two of one name");
    }
}
