//! Bearer tokens: made by the command line, bound to a tenant, kept as hashes in one file.
//!
//! A token is 256 random bits, so a plain SHA-256 keeps it: there is nothing to guess that a slow hash would protect.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cordboard_core::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a token's text begins with, so that it is recognised where it should not be.
pub const TOKEN_PREFIX: &str = "cordboard_";
const TOKEN_BYTES: usize = 32;
/// Tokens kept; every request compares with all of them.
const TOKENS_MAX: usize = 10_000;
/// Since 2, tokens have roles. A program that knows none would write them down as tokens that may do everything.
const FILE_VERSION: u32 = 2;
const FILE_VERSION_OLDEST: u32 = 1;

/// What a token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A program: asks for everything in its tenant.
    #[default]
    Service,
    /// An agent: asks for the own telephone.
    Agent {
        /// The agent's id.
        agent: String,
    },
    /// A supervisor: asks for a team.
    Supervisor {
        /// The team's name.
        team: String,
    },
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Agent { agent } => write!(f, "agent {agent}"),
            Self::Supervisor { team } => write!(f, "supervisor of {team}"),
        }
    }
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is called in `token list` and `token revoke`; no secret.
    pub id: String,
    /// What for.
    pub name: String,
    /// Whose events it opens.
    pub tenant: String,
    /// What it may ask for.
    #[serde(default)]
    pub role: Role,
    /// Microseconds since the Unix epoch.
    pub created_at: Time,
    /// When it ends to be good; never without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    sha256: String,
}

impl Token {
    /// Whether it has ended to be good.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    tokens: Vec<Token>,
}

/// The tokens in a data directory. Read again whenever the file was replaced.
#[derive(Clone, Debug)]
pub struct Tokens {
    file: PathBuf,
    read: Arc<Mutex<Option<Read>>>,
}

#[derive(Clone, Debug)]
struct Read {
    stamp: Stamp,
    tokens: Arc<Vec<Token>>,
}

/// What changes when the file is replaced.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Tokens {
    /// The tokens of this data directory; nothing is read yet.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { file: data.join("tokens.json"), read: Arc::default() }
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read.
    pub fn list(&self) -> Result<Arc<Vec<Token>>, TokenError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.file)?;
        if let Some(read) = read.as_ref().filter(|read| read.stamp == stamp) {
            return Ok(Arc::clone(&read.tokens));
        }
        let tokens = Arc::new(self.read_file()?);
        *read = Some(Read { stamp, tokens: Arc::clone(&tokens) });
        Ok(tokens)
    }

    /// The token of this text, when it is good now.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read.
    pub fn check(&self, text: &str, now: Time) -> Result<Option<Token>, TokenError> {
        let hash = hash(text);
        let mut found = None;
        // All are compared, whichever it is, and each in constant time.
        for token in self.list()?.iter() {
            if bool::from(token.sha256.as_bytes().ct_eq(hash.as_bytes())) {
                found = Some(token.clone());
            }
        }
        Ok(found.filter(|token| !token.is_expired(now)))
    }

    /// Whether this token is still there and good.
    #[must_use]
    pub fn is_good(&self, id: &str, now: Time) -> bool {
        self.list().is_ok_and(|tokens| tokens.iter().any(|token| token.id == id && !token.is_expired(now)))
    }

    /// Makes a token for a program and gives its text, which is kept nowhere.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read or written.
    pub fn create(&self, tenant: &str, name: &str, now: Time, expires_at: Option<Time>) -> Result<String, TokenError> {
        self.create_for(&Role::Service, tenant, name, now, expires_at)
    }

    /// Makes a token of a role and gives its text, which is kept nowhere.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read or written.
    pub fn create_for(
        &self,
        role: &Role,
        tenant: &str,
        name: &str,
        now: Time,
        expires_at: Option<Time>,
    ) -> Result<String, TokenError> {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).map_err(|error| TokenError::Random(error.to_string()))?;
        let text = format!("{TOKEN_PREFIX}{}", hex(&random));
        let sha256 = hash(&text);
        self.change(|tokens| {
            if tokens.len() >= TOKENS_MAX {
                return Err(TokenError::TooMany);
            }
            // The hash's first digits: unique enough to name a token, useless to make one.
            let id = sha256.chars().take(12).collect();
            let (name, tenant, role) = (name.to_owned(), tenant.to_owned(), role.clone());
            tokens.push(Token { id, name, tenant, role, created_at: now, expires_at, sha256: sha256.clone() });
            Ok(())
        })?;
        Ok(text)
    }

    /// Takes a token back, by id.
    ///
    /// # Errors
    /// [`TokenError::Unknown`] where there is none of that id.
    pub fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        let mut revoked = None;
        self.change(|tokens| {
            let at = tokens.iter().position(|token| token.id == id);
            revoked = Some(tokens.remove(at.ok_or_else(|| TokenError::Unknown { id: id.to_owned() })?));
            Ok(())
        })?;
        revoked.ok_or_else(|| TokenError::Unknown { id: id.to_owned() })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Token>) -> Result<(), TokenError>) -> Result<(), TokenError> {
        let io = |error| TokenError::Io { file: self.file.clone(), error };
        let dir = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(io)?;
        let private = |path: &Path| OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        // Two commands at once must not lose one another's token.
        let lock = private(&self.file.with_extension("lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        let mut tokens = self.read_file()?;
        change(&mut tokens)?;
        let text = serde_json::to_vec_pretty(&Kept { version: FILE_VERSION, tokens })
            .map_err(|error| TokenError::Io { file: self.file.clone(), error: error.into() })?;
        let temporary = self.file.with_extension("json.tmp");
        let mut file = private(&temporary).map_err(io)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&temporary, &self.file).and_then(|()| File::open(dir)?.sync_all()).map_err(io)
    }

    fn read_file(&self) -> Result<Vec<Token>, TokenError> {
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(TokenError::Io { file: self.file.clone(), error }),
        };
        let kept: Kept = serde_json::from_slice(&text)
            .map_err(|error| TokenError::Form { file: self.file.clone(), line: error.line() })?;
        if (FILE_VERSION_OLDEST..=FILE_VERSION).contains(&kept.version) {
            Ok(kept.tokens)
        } else {
            Err(TokenError::Version { file: self.file.clone(), version: kept.version })
        }
    }
}

fn stamp(file: &Path) -> Result<Stamp, TokenError> {
    match fs::metadata(file) {
        Ok(meta) => Ok(Some((meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TokenError::Io { file: file.to_owned(), error }),
    }
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("{file:?}: {error}; the data directory must be readable and writable for this user")]
    Io {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not as we write it.
    #[error("{file:?} is damaged at line {line}; restore it, or remove it and make new tokens")]
    Form {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
    },
    /// The file is of another version.
    #[error("{file:?} has version {version}; this program reads versions up to {FILE_VERSION}")]
    Version {
        /// Which file.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// No such token.
    #[error("there is no token {id:?}; `cordboard token list` shows them all")]
    Unknown {
        /// The id given.
        id: String,
    },
    /// The file is full.
    #[error("there are {TOKENS_MAX} tokens already; revoke some first")]
    TooMany,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_opens_its_tenant_until_it_is_revoked_or_expires() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(dir.path());
        assert_eq!(tokens.check("cordboard_x", Time(1)).unwrap(), None);
        let text = tokens.create("acme", "wallboard", Time(1), Some(Time(100))).unwrap();
        let token = tokens.check(&text, Time(99)).unwrap().unwrap();
        assert_eq!((&*token.tenant, &*token.name), ("acme", "wallboard"));
        assert_eq!(tokens.check(&text, Time(100)).unwrap(), None);
        assert!(tokens.is_good(&token.id, Time(99)) && !tokens.is_good(&token.id, Time(100)));
        // Another process revokes it.
        assert_eq!(Tokens::new(dir.path()).revoke(&token.id).unwrap(), token);
        assert_eq!(tokens.check(&text, Time(2)).unwrap(), None);
        assert!(matches!(tokens.revoke(&token.id), Err(TokenError::Unknown { .. })));
    }

    #[test]
    fn a_token_keeps_its_role_and_old_ones_are_of_programs() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(dir.path());
        let role = Role::Agent { agent: "8001".into() };
        let agent = tokens.create_for(&role, "acme", "a", Time(1), None).unwrap();
        let service = tokens.create("acme", "s", Time(1), None).unwrap();
        assert_eq!(tokens.check(&agent, Time(1)).unwrap().unwrap().role, role);
        let file = dir.path().join("tokens.json");
        let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        kept["version"] = 1.into();
        for token in kept["tokens"].as_array_mut().unwrap() {
            token.as_object_mut().unwrap().remove("role");
        }
        fs::write(&file, kept.to_string()).unwrap();
        let tokens = Tokens::new(dir.path());
        assert_eq!(tokens.check(&service, Time(1)).unwrap().unwrap().role, Role::Service);
    }

    #[test]
    fn neither_the_file_nor_debug_shows_a_token() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(dir.path());
        let text = tokens.create("acme", "n", Time(1), None).unwrap();
        let secret = text.strip_prefix(TOKEN_PREFIX).unwrap();
        assert_eq!(secret.len(), 64);
        let file = dir.path().join("tokens.json");
        assert!(!fs::read_to_string(&file).unwrap().contains(secret));
        assert!(!format!("{:?}", tokens.check(&text, Time(1))).contains(secret));
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn near_misses_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(dir.path());
        let text = tokens.create("acme", "n", Time(1), None).unwrap();
        for wrong in ["", "cordboard_", &text[1..], &text[..text.len() - 1], &text.to_uppercase(), &format!("{text} ")]
        {
            assert_eq!(tokens.check(wrong, Time(1)).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("tokens.json"), "{\"version\":1,").unwrap();
        let tokens = Tokens::new(dir.path());
        assert!(matches!(tokens.check("x", Time(1)), Err(TokenError::Form { .. })));
        assert!(tokens.create("a", "n", Time(1), None).is_err());
        assert_eq!(fs::read(dir.path().join("tokens.json")).unwrap(), b"{\"version\":1,");
    }

    #[test]
    fn commands_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Tokens::new(dir.path()).create("acme", "n", Time(1), None).unwrap());
            }
        });
        assert_eq!(Tokens::new(dir.path()).list().unwrap().len(), 8);
    }
}
