//! Bearer tokens: made by the command line, bound to a tenant, kept as hashes in one file.
//!
//! A token is 256 random bits, so a plain SHA-256 keeps it: there is nothing to guess that a slow hash would protect.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use cordboard_core::{Time, listed};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::kept::{Content, KeptError, KeptFile, NoChance, hex, random};

/// What a token's text begins with, so that it is recognised where it should not be.
pub const TOKEN_PREFIX: &str = "cordboard_";
const TOKEN_BYTES: usize = 32;
/// Tokens kept; every request compares with all of them.
const TOKENS_MAX: usize = 10_000;
/// Since 2, tokens have roles; a program that knows none would write them down as tokens that may do everything. Since 3,
/// there are administrators, programs that may do only what they were granted, and tokens that name a user; a program
/// that knows none of these would refuse the file as damaged, or forget whose a token is. Since 4, there are operators.
const FILE_VERSIONS: RangeInclusive<u32> = 1..=4;

/// What a token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A program: sees everything in its tenant, and asks for everything.
    #[default]
    Service,
    /// A program that sees and asks for what it was granted, and nothing else.
    Granted {
        /// What that is.
        grants: BTreeSet<Grant>,
    },
    /// An agent: sees and asks for what is the own.
    Agent {
        /// The agent's id.
        agent: String,
    },
    /// A supervisor: sees and asks for a team.
    Supervisor {
        /// The team's name.
        team: String,
    },
    /// An administrator of the organisation: sees everything in its tenant, and asks for everything.
    Administrator,
    /// Who runs this server: reads the topics of all tenants by Kafka's protocol, and does nothing else anywhere. Its token is
    /// of no tenant.
    Operator,
}

listed! {
    /// What a program can be granted.
    #[derive(Hash, Serialize, Deserialize, clap::ValueEnum)]
    #[serde(rename_all = "snake_case")]
    pub enum Grant {
        /// To read the whole stream of events and the snapshot
        Events,
        /// To see all people and what concerns them
        SeeUsers,
        /// To see all queues and what concerns them
        SeeQueues,
        /// To see all call lists and their callbacks
        SeeLists,
        /// To change people: the directory, availability, settings, after-call work, alerts; sees them as well
        ChangeUsers,
        /// To change queues and who is assigned to them; sees them as well
        ChangeQueues,
        /// To change call lists and their callbacks; sees them as well
        ChangeLists,
        /// To ask for telephones, and to let things happen around built-in switches
        Telephony,
        /// To report recordings and transcripts
        Report,
    }
}

impl Grant {
    /// The word for it, as the command line takes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::SeeUsers => "see-users",
            Self::SeeQueues => "see-queues",
            Self::SeeLists => "see-lists",
            Self::ChangeUsers => "change-users",
            Self::ChangeQueues => "change-queues",
            Self::ChangeLists => "change-lists",
            Self::Telephony => "telephony",
            Self::Report => "report",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Granted { grants } => {
                let words: Vec<&str> = grants.iter().map(|grant| grant.word()).collect();
                write!(f, "service, granted {}", words.join(" "))
            }
            Self::Agent { agent } => write!(f, "agent {agent}"),
            Self::Supervisor { team } => write!(f, "supervisor of {team}"),
            Self::Administrator => f.write_str("administrator"),
            Self::Operator => f.write_str("operator"),
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
    /// Whose events it opens; nothing for an operator.
    pub tenant: String,
    /// What it may ask for.
    #[serde(default)]
    pub role: Role,
    /// Who in the directory it is; none for an agent, who is known by id, and for whoever goes by the token's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
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

    /// The name in the directory of whoever uses it.
    #[must_use]
    pub fn user(&self) -> &str {
        match (&self.role, &self.user) {
            (Role::Agent { agent }, _) => agent,
            (
                Role::Service | Role::Granted { .. } | Role::Supervisor { .. } | Role::Administrator | Role::Operator,
                user,
            ) => user.as_ref().unwrap_or(&self.name),
        }
    }
}

/// What is to be made.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// What it may ask for.
    pub role: &'a Role,
    /// Whose events it opens; nothing for an operator.
    pub tenant: &'a str,
    /// What for.
    pub name: &'a str,
    /// Who in the directory it is.
    pub user: Option<&'a str>,
    /// When it ends to be good.
    pub expires_at: Option<Time>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    tokens: Vec<Token>,
}

impl Content for Kept {
    const FILE: &'static str = "tokens.json";
    const VERSIONS: RangeInclusive<u32> = FILE_VERSIONS;
    const REMEDY: &'static str = "restore it, or remove it and make new tokens";

    fn version(&mut self) -> &mut u32 {
        &mut self.version
    }
}

/// The tokens in a data directory. Read again whenever the file was replaced.
#[derive(Clone, Debug)]
pub struct Tokens {
    file: KeptFile<Kept>,
}

impl Tokens {
    /// The tokens of this data directory; nothing is read yet.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { file: KeptFile::new(data) }
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read.
    pub fn list(&self) -> Result<TokenList, TokenError> {
        Ok(TokenList(self.file.read()?))
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

    /// The token of this id, when it is still there and good.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read.
    pub fn find(&self, id: &str, now: Time) -> Result<Option<Token>, TokenError> {
        Ok(self.list()?.iter().find(|token| token.id == id && !token.is_expired(now)).cloned())
    }

    /// Whether this token is still there and good.
    #[must_use]
    pub fn is_good(&self, id: &str, now: Time) -> bool {
        self.list().is_ok_and(|tokens| tokens.iter().any(|token| token.id == id && !token.is_expired(now)))
    }

    /// Makes a token for a program that may do everything, and gives its text, which is kept nowhere.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read or written.
    pub fn create(&self, tenant: &str, name: &str, now: Time, expires_at: Option<Time>) -> Result<String, TokenError> {
        self.create_for(&NewToken { role: &Role::Service, tenant, name, user: None, expires_at }, now)
    }

    /// Makes a token and gives its text, which is kept nowhere.
    ///
    /// # Errors
    /// [`TokenError`] where the file cannot be read or written.
    pub fn create_for(&self, wanted: &NewToken<'_>, now: Time) -> Result<String, TokenError> {
        let text = format!("{TOKEN_PREFIX}{}", hex(&random::<TOKEN_BYTES>()?));
        let sha256 = hash(&text);
        self.file.change(|kept| {
            if kept.tokens.len() >= TOKENS_MAX {
                return Err(TokenError::TooMany);
            }
            kept.tokens.push(Token {
                // The hash's first digits: unique enough to name a token, useless to make one.
                id: sha256.chars().take(12).collect(),
                name: wanted.name.to_owned(),
                tenant: wanted.tenant.to_owned(),
                role: wanted.role.clone(),
                user: wanted.user.map(str::to_owned),
                created_at: now,
                expires_at: wanted.expires_at,
                sha256,
            });
            Ok(())
        })?;
        Ok(text)
    }

    /// Takes a token back, by id.
    ///
    /// # Errors
    /// [`TokenError::Unknown`] where there is none of that id.
    pub fn revoke(&self, id: &str) -> Result<Token, TokenError> {
        self.file.change(|kept| {
            let at = kept.tokens.iter().position(|token| token.id == id);
            Ok(kept.tokens.remove(at.ok_or_else(|| TokenError::Unknown { id: id.to_owned() })?))
        })
    }
}

/// All tokens as they were when they were asked for.
#[derive(Debug)]
pub struct TokenList(Arc<Kept>);

impl std::ops::Deref for TokenList {
    type Target = [Token];

    fn deref(&self) -> &[Token] {
        &self.0.tokens
    }
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeptError),
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
    #[error(transparent)]
    Random(#[from] NoChance),
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use cordboard_core::listed::Listed;

    use super::*;

    fn of<'a>(name: &'a str, role: &'a Role) -> NewToken<'a> {
        NewToken { role, tenant: "acme", name, user: None, expires_at: None }
    }

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
        let agent = tokens.create_for(&of("a", &role), Time(1)).unwrap();
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
    fn every_role_is_kept_as_it_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(dir.path());
        let granted = Role::Granted { grants: Grant::ALL.iter().copied().collect() };
        let (agent, team) = ("8001".to_owned(), "sales".to_owned());
        let supervisor = Role::Supervisor { team };
        let roles = [Role::Service, granted, Role::Agent { agent }, supervisor, Role::Administrator, Role::Operator];
        for (role, user) in roles.iter().zip(["name", "name", "8001", "name", "name", "name"]) {
            let text = tokens.create_for(&of("name", role), Time(1)).unwrap();
            let token = Tokens::new(dir.path()).check(&text, Time(1)).unwrap().unwrap();
            assert_eq!((&token.role, token.user()), (role, user));
        }
        let anna = NewToken { user: Some("anna"), ..of("name", &Role::Administrator) };
        let text = tokens.create_for(&anna, Time(1)).unwrap();
        assert_eq!(tokens.check(&text, Time(1)).unwrap().unwrap().user(), "anna");
        for grant in Grant::ALL {
            assert_eq!(clap::ValueEnum::to_possible_value(grant).unwrap().get_name(), grant.word());
        }
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
        assert!(matches!(tokens.check("x", Time(1)), Err(TokenError::File(KeptError::Form { .. }))));
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
