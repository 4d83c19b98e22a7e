//! What a dialect can say, as data: for the command line, the documentation and the committed catalogues.

use alloc::borrow::Cow;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value};

/// Whether a field is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// In every message of this kind.
    Mandatory,
    /// Left out when there is nothing to say.
    Optional,
    /// As optional; the vendor's sources contradict each other on whether it exists.
    Disputed,
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name on the wire.
    pub name: Cow<'static, str>,
    /// Its JSON type; several are joined by `|`.
    #[serde(rename = "type")]
    pub json_type: Cow<'static, str>,
    /// The enumeration its values are taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enumeration: Option<&'static str>,
    /// Whether it is always there.
    pub presence: Presence,
    /// What it says.
    pub summary: Cow<'static, str>,
}

/// One kind of message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name in the dialect.
    pub name: Cow<'static, str>,
    /// The channel it is told on.
    pub channel: &'static str,
    /// What it says.
    pub summary: Cow<'static, str>,
    /// How well its fields are documented by the vendor; absent for our own vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<&'static str>,
    /// The events of the core that cause it; empty where a phone system can not cause it.
    pub caused_by: &'static [&'static str],
    /// Whether it is told only to whoever asks what is true now, and never because something happened.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub only_in_snapshots: bool,
    /// Its fields, in the order they are written.
    pub fields: Vec<Field>,
}

/// One request that clients may make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestEntry {
    /// Its name in the dialect.
    pub name: Cow<'static, str>,
    /// What it does.
    pub summary: Cow<'static, str>,
    /// Its parameters.
    pub parameters: Vec<Field>,
    /// Why it may be refused.
    pub refusals: Vec<Refused>,
}

/// A reason for which a request may be refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The reason in the words of the core.
    pub refusal: &'static str,
    /// Its number in the dialect.
    pub code: i64,
    /// Its name in the dialect.
    pub name: &'static str,
}

/// An enumeration with the numbers of its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vocabulary {
    /// Its name.
    pub name: &'static str,
    /// Its values in order, each with its number.
    pub values: Map<String, Value>,
}

/// Everything a dialect can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    /// The dialect.
    pub dialect: &'static str,
    /// What it is compatible with.
    pub summary: &'static str,
    /// Its messages, in the order of the vendor's documentation.
    pub events: Vec<Entry>,
    /// The requests it understands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestEntry>,
    /// Its enumerations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enumerations: Vec<Vocabulary>,
}

impl Catalogue {
    /// The entry of a message; upper and lower case are the same.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.events.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The entry of a request; upper and lower case are the same.
    pub fn request(&self, name: &str) -> Option<&RequestEntry> {
        self.requests.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

/// A schema in the order people read it: what it is, its members, which are mandatory, and the words used.
pub(crate) fn readable(schema: Value) -> Value {
    let Value::Object(mut members) = schema else { return schema };
    let first = ["$schema", "title", "description", "type", "required", "additionalProperties", "properties"];
    let mut ordered: Map<String, Value> = Map::new();
    for name in first {
        if let Some(member) = members.shift_remove(name) {
            ordered.insert(name.to_owned(), member);
        }
    }
    ordered.extend(members);
    Value::Object(ordered)
}

/// The schema of what a type writes, as tight as it writes it: every member it has is named, what is always there is
/// required, and what is left out where there is nothing to say is never `null`.
pub(crate) fn written<T: JsonSchema>() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value();
    tighten(&mut schema);
    readable(schema)
}

fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(tighten);
            let required = members.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let Some(Value::Object(properties)) = members.get_mut("properties") else { return };
            for (name, property) in properties {
                if !required.iter().any(|required| required == name) {
                    forbid_null(property);
                } else if let Some(property) = property.as_object_mut() {
                    // It is what older logs are read with, and not what is ever left out.
                    property.shift_remove("default");
                }
            }
            members.entry("additionalProperties").or_insert(Value::Bool(false));
        }
        Value::Array(items) => items.iter_mut().for_each(tighten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Makes a schema as strict as a dialect that leaves out what is absent and never writes `null`.
pub(crate) fn forbid_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if members.get("default").is_some_and(Value::is_null) {
                members.shift_remove("default");
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    members.shift_remove("anyOf");
                    members.extend(only);
                }
            }
            members.values_mut().for_each(forbid_null);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
