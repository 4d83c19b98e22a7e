//! Secrets of the configuration: they can be used, but they print as nothing.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

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
        match (&self.secret, &self.secret_file, &self.secret_env) {
            (Some(secret), None, None) => Ok(secret.clone()),
            (None, Some(file), None) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| SecretError::File { file: file.clone(), error: error.kind() })?;
                match text.lines().next().map(str::trim_end) {
                    Some(line) if !line.is_empty() => Ok(SecretText::new(line)),
                    _ => Err(SecretError::Empty { file: file.clone() }),
                }
            }
            (None, None, Some(name)) => match std::env::var(name) {
                Ok(secret) if !secret.is_empty() => Ok(SecretText::new(secret)),
                _ => Err(SecretError::Env { name: name.clone() }),
            },
            (None, None, None) => Err(SecretError::None),
            _ => Err(SecretError::Several),
        }
    }
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// No key gives one.
    #[error("there is no secret; give one of `secret_file`, `secret_env` and `secret`")]
    None,
    /// More than one key gives one.
    #[error("there is more than one secret; give only one of `secret_file`, `secret_env` and `secret`")]
    Several,
    /// The file cannot be read.
    #[error(
        "`secret_file` {file:?} cannot be read ({error}); it must exist and be readable for the user that runs Cordboard"
    )]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: std::io::ErrorKind,
    },
    /// The file has no first line.
    #[error("`secret_file` {file:?} has an empty first line; it must hold the secret")]
    Empty {
        /// Which file.
        file: PathBuf,
    },
    /// The variable is not set.
    #[error("`secret_env` names the environment variable {name}, which is not set or empty")]
    Env {
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
        assert_eq!(Asterisk::default().find_secret(), Err(SecretError::None));
        let both = Asterisk { secret: Some(SecretText::new("a")), secret_env: Some("B".into()), ..Asterisk::default() };
        assert_eq!(both.find_secret(), Err(SecretError::Several));
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "from-file\r\nrest\n").unwrap();
        let asterisk = Asterisk { secret_file: Some(file.clone()), ..Asterisk::default() };
        assert_eq!(asterisk.find_secret().unwrap().reveal(), "from-file");
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(asterisk.find_secret(), Err(SecretError::Empty { file: file.clone() }));
        std::fs::remove_file(&file).unwrap();
        assert!(asterisk.find_secret().unwrap_err().to_string().contains("secret_file"));
    }
}
