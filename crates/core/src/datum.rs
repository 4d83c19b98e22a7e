//! Data that applications attach to calls and requests: texts, numbers, and pairs in pairs.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Named data.
pub type Pairs = BTreeMap<String, Datum>;

/// One value. It is stored as plain JSON: a text, a number or an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Datum {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Pairs in pairs.
    Pairs(Pairs),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(String::from(text))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Datum {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
