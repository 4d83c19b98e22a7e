//! The keys that sign our JWTs: a ring in the data directory. The newest signs; older ones verify what they signed, until
//! the last of it has expired.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use cordboard_core::Time;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use super::jwt::LEEWAY_S_MAX;
use crate::config::TOKEN_S_MAX;
use crate::kept::{Content, KeptError, KeptFile, NoChance, hex, random};

/// A key of HMAC with SHA-256 is as long as what it makes.
const SECRET_BYTES: usize = 32;
const ID_BYTES: usize = 6;
/// Keys kept.
const KEYS_MAX: usize = 64;

/// How a key signs. It is a part of the key: no token says how it wants to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
}

impl KeyAlgorithm {
    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
        }
    }
}

impl From<KeyAlgorithm> for Algorithm {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Hs256 => Self::HS256,
        }
    }
}

/// A key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What it is called, in `key list` and in the head of tokens.
    pub kid: String,
    /// How it signs.
    pub algorithm: KeyAlgorithm,
    /// When it was made.
    pub created_at: Time,
    /// When a newer one took its place; since then it only verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Time>,
    secret: String,
}

impl Key {
    /// Until when it verifies; none while it signs.
    #[must_use]
    pub fn verifies_until(&self) -> Option<Time> {
        self.replaced_at.map(|at| at.plus_ms((TOKEN_S_MAX + LEEWAY_S_MAX) * 1_000))
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    fn is_over(&self, now: Time) -> bool {
        self.verifies_until().is_some_and(|until| until <= now)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// All keys, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    version: u32,
    keys: Vec<Key>,
}

impl Content for Ring {
    const FILE: &'static str = "keys.json";
    const VERSIONS: RangeInclusive<u32> = 1..=1;
    const REMEDY: &'static str =
        "restore it, or remove it: a new key is made, and tokens signed before are good no longer";

    fn version(&mut self) -> &mut u32 {
        &mut self.version
    }
}

impl Ring {
    /// All that still sign or verify, oldest first.
    pub fn good(&self, now: Time) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| !key.is_over(now))
    }

    /// The one that signs.
    #[must_use]
    pub fn signing(&self) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.replaced_at.is_none())
    }

    /// The one of this name, while it verifies.
    #[must_use]
    pub fn find(&self, kid: &str, now: Time) -> Option<&Key> {
        self.good(now).find(|key| key.kid == kid)
    }

    fn add(&mut self, now: Time) -> Result<String, KeyError> {
        self.keys.retain(|key| !key.is_over(now));
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        for key in self.keys.iter_mut().filter(|key| key.replaced_at.is_none()) {
            key.replaced_at = Some(now);
        }
        let kid = hex(&random::<ID_BYTES>()?);
        let (algorithm, secret) = (KeyAlgorithm::Hs256, hex(&random::<SECRET_BYTES>()?));
        self.keys.push(Key { kid: kid.clone(), algorithm, created_at: now, replaced_at: None, secret });
        Ok(kid)
    }
}

/// The ring in a data directory. Read again whenever the file was replaced.
#[derive(Clone, Debug)]
pub struct Keys {
    file: KeptFile<Ring>,
}

impl Keys {
    /// The keys of this data directory; nothing is read yet.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { file: KeptFile::new(data) }
    }

    /// All keys.
    ///
    /// # Errors
    /// [`KeyError`] where the file cannot be read.
    pub fn ring(&self) -> Result<Arc<Ring>, KeyError> {
        Ok(self.file.read()?)
    }

    /// All keys, of which one signs: where there is none, it is made.
    ///
    /// # Errors
    /// [`KeyError`] where the file cannot be read or written.
    pub fn ring_to_sign(&self, now: Time) -> Result<Arc<Ring>, KeyError> {
        let ring = self.ring()?;
        if ring.signing().is_some() {
            return Ok(ring);
        }
        self.file.change(|ring| match ring.signing() {
            Some(_) => Ok(()),
            None => ring.add(now).map(drop),
        })?;
        self.ring()
    }

    /// Makes a new key that signs from now on, and gives its name. Those of before go on to verify.
    ///
    /// # Errors
    /// [`KeyError`] where the file cannot be read or written.
    pub fn rotate(&self, now: Time) -> Result<String, KeyError> {
        self.file.change(|ring| ring.add(now))
    }

    /// Takes a key out: what it signed is good no longer. Where it was the one that signs, a new one is made.
    ///
    /// # Errors
    /// [`KeyError::Unknown`] where there is none of that name.
    pub fn retire(&self, kid: &str, now: Time) -> Result<(), KeyError> {
        self.file.change(|ring| {
            let at = ring.keys.iter().position(|key| key.kid == kid);
            ring.keys.remove(at.ok_or_else(|| KeyError::Unknown { kid: kid.to_owned() })?);
            if ring.signing().is_none() { ring.add(now).map(drop) } else { Ok(()) }
        })
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeptError),
    /// No such key.
    #[error("there is no key {kid:?}; `cordboard key list` shows them all")]
    Unknown {
        /// The name given.
        kid: String,
    },
    /// The ring is full.
    #[error("there are {KEYS_MAX} keys already; retire some first")]
    TooMany,
    /// The system gives no random numbers.
    #[error(transparent)]
    Random(#[from] NoChance),
}
