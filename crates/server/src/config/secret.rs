//! Secrets of the configuration: they can be used, but they print as nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use super::people::Agent;
use super::settings::Asterisk;

/// A secret as it stands in the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the connector that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}

impl Asterisk {
    /// The secret, from wherever the configuration says that it is.
    ///
    /// # Errors
    /// [`SecretError`] names the key and what is wrong; never the secret.
    pub fn find_secret(&self) -> Result<SecretText, SecretError> {
        find_one(
            (self.secret.as_ref(), self.secret_file.as_deref(), self.secret_env.as_deref()),
            ["secret", "secret_file", "secret_env"],
        )
    }
}

impl Agent {
    /// The password, from wherever the configuration says that it is; none where the agent has none.
    ///
    /// # Errors
    /// [`SecretError`] names the key and what is wrong; never the password.
    pub fn find_password(&self) -> Result<Option<SecretText>, SecretError> {
        match (&self.password_file, &self.password_env) {
            (None, None) => Ok(None),
            (Some(file), None) => first_line("password_file", file).map(Some),
            (None, Some(name)) => variable("password_env", name).map(Some),
            (Some(_), Some(_)) => Err(SecretError::Passwords),
        }
    }
}

/// The one secret that is given: as it is, by a file or by a variable; `keys` are called so.
pub(super) fn find_one(
    given: (Option<&SecretText>, Option<&Path>, Option<&str>),
    keys: [&'static str; 3],
) -> Result<SecretText, SecretError> {
    let [_, file_key, variable_key] = keys;
    match given {
        (Some(secret), None, None) => Ok(secret.clone()),
        (None, Some(file), None) => first_line(file_key, file),
        (None, None, Some(name)) => variable(variable_key, name),
        (None, None, None) => Err(SecretError::None { keys }),
        _ => Err(SecretError::Several { keys }),
    }
}

fn first_line(key: &'static str, file: &Path) -> Result<SecretText, SecretError> {
    let text = std::fs::read_to_string(file).map_err(|error| SecretError::File {
        key,
        file: file.to_owned(),
        error: error.kind(),
    })?;
    match text.lines().next().map(str::trim_end) {
        Some(line) if !line.is_empty() => Ok(SecretText::new(line)),
        _ => Err(SecretError::Empty { key, file: file.to_owned() }),
    }
}

fn variable(key: &'static str, name: &str) -> Result<SecretText, SecretError> {
    match std::env::var(name) {
        Ok(secret) if !secret.is_empty() => Ok(SecretText::new(secret)),
        _ => Err(SecretError::Env { key, name: name.to_owned() }),
    }
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No key gives one.
    #[error("there is no secret; give one of `{}`, `{}` and `{}`", .keys[1], .keys[2], .keys[0])]
    None {
        /// The keys that could.
        keys: [&'static str; 3],
    },
    /// More than one key gives one.
    #[error("there is more than one secret; give only one of `{}`, `{}` and `{}`", .keys[1], .keys[2], .keys[0])]
    Several {
        /// The keys that could.
        keys: [&'static str; 3],
    },
    /// Two keys give a password.
    #[error("there are two passwords; give only one of `password_file` and `password_env`")]
    Passwords,
    /// The file cannot be read.
    #[error(
        "`{key}` {file:?} cannot be read ({error}); it must exist and be readable for the user that runs Cordboard"
    )]
    File {
        /// The key that names it.
        key: &'static str,
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: std::io::ErrorKind,
    },
    /// The file has no first line.
    #[error("`{key}` {file:?} has an empty first line; it must hold the secret")]
    Empty {
        /// The key that names it.
        key: &'static str,
        /// Which file.
        file: PathBuf,
    },
    /// The variable is not set.
    #[error("`{key}` names the environment variable {name}, which is not set or empty")]
    Env {
        /// The key that names it.
        key: &'static str,
        /// Which variable.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let asterisk = Asterisk { secret: Some(SecretText::new("canary")), ..Asterisk::default() };
        assert_eq!(asterisk.find_secret().unwrap().reveal(), "canary");
        assert!(!format!("{asterisk:?}").contains("canary"));
        assert!(!serde_json::to_string(&asterisk).unwrap().contains("canary"));
    }

    #[test]
    fn exactly_one_source_is_taken() {
        assert!(matches!(Asterisk::default().find_secret(), Err(SecretError::None { .. })));
        let both = Asterisk { secret: Some(SecretText::new("a")), secret_env: Some("B".into()), ..Asterisk::default() };
        let error = both.find_secret().unwrap_err().to_string();
        assert!(error.contains("only one of `secret_file`, `secret_env` and `secret`"), "{error}");
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "from-file\r\nrest\n").unwrap();
        let asterisk = Asterisk { secret_file: Some(file.clone()), ..Asterisk::default() };
        assert_eq!(asterisk.find_secret().unwrap().reveal(), "from-file");
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(asterisk.find_secret(), Err(SecretError::Empty { key: "secret_file", file: file.clone() }));
        std::fs::remove_file(&file).unwrap();
        assert!(asterisk.find_secret().unwrap_err().to_string().contains("secret_file"));
    }
}
