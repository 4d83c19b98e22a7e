//! Reading the configuration from a file and the environment.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::{Actual, Kind};
use figment::providers::{Env, Format, Serialized, Toml};

use super::check::{Problem, check};
use super::settings::Config;

/// What all our environment variables begin with.
const ENV_PREFIX: &str = "CORDBOARD_";
/// Between section and key in the name of an environment variable: one underscore is a part of many keys.
const ENV_SEPARATOR: &str = "__";

/// Reads the configuration: defaults, then the file, then the environment, the later winning.
///
/// # Errors
/// [`LoadError`] with all problems found; each says which key, what is wrong and what would be right.
pub fn load(file: Option<&Path>) -> Result<Config, LoadError> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| LoadError::File { file: file.to_owned(), error: error.kind() })?;
        toml::from_str::<toml::Table>(&text).map_err(|error| syntax(file, &text, &error))?;
        figment = figment.merge(Toml::string(&text));
    }
    let known = |key: &str| Config::DOCS.iter().any(|doc| key.eq_ignore_ascii_case(doc.key));
    // Other variables with our prefix belong to other programs of ours, unless their form says that they are settings.
    let ours = move |key: &figment::value::UncasedStr| key.as_str().contains(ENV_SEPARATOR) || known(key.as_str());
    figment = figment.merge(Env::prefixed(ENV_PREFIX).filter(ours).split(ENV_SEPARATOR));
    let config: Config =
        figment.extract().map_err(|errors| LoadError::Settings(errors.into_iter().map(|it| problem(&it)).collect()))?;
    let problems = check(&config);
    if problems.is_empty() { Ok(config) } else { Err(LoadError::Settings(problems)) }
}

/// What the file says where it is no TOML; the line itself is not shown, it may hold a secret.
fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> LoadError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    LoadError::Syntax {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        what: error.message().to_owned(),
    }
}

fn problem(error: &figment::Error) -> Problem {
    let mut key = String::new();
    for part in &error.path {
        match part.parse::<usize>() {
            Ok(index) => _ = write!(key, "[{index}]"),
            Err(_) if key.is_empty() => key.push_str(part),
            Err(_) => _ = write!(key, ".{part}"),
        }
    }
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    let (key, wrong, right) = match &error.kind {
        Kind::UnknownField(name, known) => {
            (below(name), "there is no such key".to_owned(), format!("one of {}", known.join(", ")))
        }
        Kind::MissingField(name) => (below(name), "it is missing".to_owned(), "a value".to_owned()),
        Kind::InvalidType(actual, right) | Kind::InvalidValue(actual, right) => {
            (key, format!("it is {}", kind_of(actual)), in_words(right))
        }
        Kind::UnknownVariant(_, known) => {
            (key, "there is no such value".to_owned(), format!("one of {}", known.join(", ")))
        }
        Kind::InvalidLength(length, right) => (key, format!("its length is {length}"), right.clone()),
        Kind::DuplicateField(name) => (below(name), "it is given twice".to_owned(), "once".to_owned()),
        Kind::Message(text) => (key, text.clone(), "see `cordboard default-config`".to_owned()),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => {
            (key, "it is too large".to_owned(), "a smaller number".to_owned())
        }
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => {
            (key, "such a value is not possible here".to_owned(), "see `cordboard default-config`".to_owned())
        }
    };
    Problem { key, wrong, right }
}

/// What serde expects, without the names of our types.
fn in_words(expected: &str) -> String {
    if expected.starts_with("struct ") { "a table of keys".to_owned() } else { expected.to_owned() }
}

/// What a value is, without the value: it may be a secret.
fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a number with a point",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Bytes(_) => "bytes",
        Actual::Unit | Actual::Option => "nothing",
        Actual::Seq => "a list",
        Actual::Map
        | Actual::NewtypeStruct
        | Actual::Enum
        | Actual::UnitVariant
        | Actual::NewtypeVariant
        | Actual::TupleVariant
        | Actual::StructVariant => "a section",
        Actual::Other(_) => "something else",
    }
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {file:?} ({error}); `cordboard default-config > {file:?}` makes one")]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: std::io::ErrorKind,
    },
    /// The file is no TOML.
    #[error("{file:?}, line {line}: {what}; it must be TOML, as `cordboard default-config` prints it")]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Keys or values are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Settings(Vec<Problem>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Config, LoadError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cordboard.toml");
        std::fs::write(&file, text).unwrap();
        load(Some(&file))
    }

    fn error_of(text: &str) -> String {
        load_text(text).unwrap_err().to_string()
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        assert_eq!(load(None).unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_named_with_what_would_be_right() {
        let error = error_of("[http]\nlissten = \"127.0.0.1:1\"");
        assert!(error.contains("http.lissten") && error.contains("listen"), "{error}");
        let error = error_of("[[tenant]]\nname = \"a\"\n[[tenant.asterisk]]\nadress = \"x:1\"");
        assert!(error.contains("tenant[0].asterisk[0].adress") && error.contains("address"), "{error}");
        assert!(error_of("htpp = 1").contains("htpp"));
    }

    #[test]
    fn a_wrong_type_is_named_and_no_value_shown() {
        let error = error_of("[[tenant]]\nname = \"a\"\n[[tenant.asterisk]]\nsecret = 73311");
        assert!(error.contains("tenant[0].asterisk[0].secret") && !error.contains("73311"), "{error}");
        let error = error_of("[log]\nsnapshot_events = \"many\"");
        assert!(error.contains("log.snapshot_events") && error.contains("a text"), "{error}");
    }

    #[test]
    fn broken_toml_is_told_with_its_line_and_without_its_text() {
        let error = error_of("[http]\n\nsecret = canary canary\n");
        assert!(error.contains("line 3") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn a_missing_file_is_told() {
        assert!(load(Some(Path::new("/nowhere/cordboard.toml"))).unwrap_err().to_string().contains("default-config"));
    }

    #[test]
    fn sections_and_tenants_are_read() {
        let config = load_text(
            "data = \"/x\"\n[http]\nlisten = \"127.0.0.1:9\"\n[genesys]\nenum_style = \"number\"\n[[tenant]]\nname = \"a\"\n\
             [[tenant.asterisk]]\nname = \"pbx\"\naddress = \"h:5038\"\nuser = \"u\"\nsecret = \"s\"\nwrapup_ms = { sales = 1 }\n",
        )
        .unwrap();
        assert_eq!(config.http.listen.port(), 9);
        assert_eq!(config.tenant[0].asterisk[0].wrapup_ms["sales"], 1);
    }
}
