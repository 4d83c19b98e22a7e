//! Members of a request, read with care: each by its kind, and what is wrong said with the member's name.

use cordboard_core::datum::{Datum, Pairs};
use cordboard_core::ids::ConnId;
use cordboard_core::request::Refusal;
use serde_json::{Map, Value};

use super::super::enums::Enumeration;
use super::table::{Kind, Parameter, RequestSpec};
use crate::near::close;

/// The longest text that is not data of an application, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 256;

/// What is wrong with a request.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) refusal: Refusal,
}

impl Fault {
    pub(super) fn new(message: String) -> Self {
        Self { message, refusal: Refusal::WrongAttribute }
    }

    pub(super) fn unsupported(message: String) -> Self {
        Self { message, refusal: Refusal::Unsupported }
    }
}

/// The members of a request that were found right.
pub(super) struct Members<'r>(pub(super) &'r Map<String, Value>);

impl Members<'_> {
    /// A text; empty where it is absent.
    pub(super) fn text(&self, name: &str) -> String {
        self.maybe(name).unwrap_or_default()
    }

    /// A text that says something.
    pub(super) fn maybe(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A call.
    pub(super) fn call(&self, name: &str) -> Result<ConnId, Fault> {
        call(name, self.0.get(name).unwrap_or(&Value::Null))
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// A word of an enumeration, by its name.
    pub(super) fn word(&self, name: &str, of: &'static Enumeration) -> Option<&'static str> {
        self.0.get(name).and_then(|value| word(name, value, of).ok())
    }

    /// Key/value pairs; none where they are absent.
    pub(super) fn pairs(&self, name: &str) -> Result<Pairs, Fault> {
        self.0.get(name).map_or_else(|| Ok(Pairs::new()), |value| pairs(name, value))
    }

    /// A text, or a whole number as one, in `Extensions`.
    pub(super) fn extension(&self, key: &str) -> Option<String> {
        let value = self.0.get("Extensions")?.get(key)?;
        value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
    }

    /// A list of texts; one text is a list of one.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::String(one)) => Vec::from([one.clone()]),
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        }
    }
}

/// Looks at one member of a request.
pub(super) fn member(spec: &RequestSpec, name: &str, value: &Value) -> Result<(), Fault> {
    if let Some(parameter) = spec.parameters.iter().find(|parameter| parameter.name == name) {
        return of_kind(spec, parameter, value);
    }
    match name {
        "request" => Ok(()),
        "ThisDN" | "dn" => text(name, value, 1),
        "ReferenceID" => whole(name, value, 1, i64::MAX.unsigned_abs()),
        "Reasons" | "Extensions" if value.as_object().is_some_and(Map::is_empty) => Ok(()),
        "Reasons" | "Extensions" => {
            let message = format!("{name} would be lost: {} passes none on; leave it out", spec.name);
            Err(Fault::unsupported(message))
        }
        _ => Err(unknown(spec, name)),
    }
}

fn unknown(spec: &RequestSpec, name: &str) -> Fault {
    let known = || ["ThisDN", "ReferenceID"].into_iter().chain(spec.parameters.iter().map(|parameter| parameter.name));
    let right = match close(name, known()).as_slice() {
        [] => format!("it can have {}", known().collect::<Vec<_>>().join(", ")),
        near => format!("right could be {}", near.join(", ")),
    };
    Fault::new(format!("{} has no member {}; {right}", spec.name, shown(name)))
}

fn of_kind(spec: &RequestSpec, parameter: &Parameter, value: &Value) -> Result<(), Fault> {
    let name = parameter.name;
    match parameter.kind {
        Kind::Text => text(name, value, usize::from(parameter.mandatory)),
        Kind::Number => {
            let least = usize::from(parameter.mandatory);
            text(name, value, least).map_err(|fault| Fault { refusal: Refusal::InvalidNumber, ..fault })
        }
        Kind::Call => call(name, value).map(drop),
        Kind::Whole { from, to } => whole(name, value, from, to),
        Kind::Word(of) => word(name, value, of).map(drop),
        Kind::Only { of, only, why } => match word(name, value, of)? {
            found if found == only => Ok(()),
            found => Err(Fault::unsupported(format!("{name} {found} cannot be honoured: {why}"))),
        },
        Kind::Nothing { why } => match value.as_str() {
            Some("") => Ok(()),
            Some(_) => Err(Fault::unsupported(format!("{name} cannot be honoured: {why}"))),
            None => Err(Fault::new(format!("{name} is {}; right would be a text", kind(value)))),
        },
        Kind::Pairs => pairs(name, value).map(drop),
        Kind::Extensions(known) => extensions(spec, known, value),
        Kind::Names => names(name, value),
    }
}

fn text(name: &str, value: &Value, least: usize) -> Result<(), Fault> {
    let Some(text) = value.as_str() else {
        return Err(Fault::new(format!("{name} is {}; right would be a text in quotes", kind(value))));
    };
    if text.len() < least {
        return Err(Fault::new(format!("{name} is empty; right would be at least one character")));
    }
    if text.len() > MAX_TEXT_BYTES {
        let long = text.len();
        return Err(Fault::new(format!("{name} is {long} bytes long; right would be at most {MAX_TEXT_BYTES}")));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new(format!("{name} holds a control character; right would be printable ones only")));
    }
    Ok(())
}

fn whole(name: &str, value: &Value, from: u64, to: u64) -> Result<(), Fault> {
    match value.as_u64() {
        Some(number) if (from..=to).contains(&number) => Ok(()),
        Some(_) | None => Err(Fault::new(format!(
            "{name} is {}; right would be a whole number from {from} to {to}",
            shown_value(value)
        ))),
    }
}

/// `<hexadecimal digits>`, and behind an `@` the switch.
fn call(name: &str, value: &Value) -> Result<ConnId, Fault> {
    let digits = value.as_str().map(|text| text.split_once('@').map_or(text, |(digits, _)| digits));
    let right = digits.filter(|digits| digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    right.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(ConnId).ok_or_else(|| {
        let found = shown_value(value);
        Fault::new(format!(
            "{name} is {found}; right would be a call as events name it: up to 16 hexadecimal digits, and @ with the switch where you like"
        ))
    })
}

fn word(name: &str, value: &Value, of: &'static Enumeration) -> Result<&'static str, Fault> {
    let found = match value {
        Value::String(text) => of.values.iter().find(|(word, _)| word == text),
        Value::Number(number) => of.values.iter().find(|(_, known)| number.as_u64() == Some(u64::from(*known))),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    found.map(|(word, _)| *word).ok_or_else(|| {
        let words: Vec<&str> = of.values.iter().map(|(word, _)| *word).collect();
        Fault::new(format!("{name} is {}; right would be one of {}", shown_value(value), words.join(", ")))
    })
}

fn pairs(name: &str, value: &Value) -> Result<Pairs, Fault> {
    let Some(members) = value.as_object() else {
        return Err(Fault::new(format!("{name} is {}; right would be an object of keys and values", kind(value))));
    };
    members.iter().map(|(key, value)| datum(name, key, value).map(|datum| (key.clone(), datum))).collect()
}

fn datum(name: &str, key: &str, value: &Value) -> Result<Datum, Fault> {
    match value {
        Value::String(text) => Ok(Datum::Text(text.clone())),
        Value::Object(_) => pairs(&format!("{name}.{}", shown_key(key)), value).map(Datum::Pairs),
        Value::Number(number) if number.is_i64() => Ok(Datum::Integer(number.as_i64().unwrap_or_default())),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) => {
            let (key, found) = (shown_key(key), shown_value(value));
            Err(Fault::new(format!(
                "{name}.{key} is {found}; right would be a text, a whole number, or an object of such"
            )))
        }
    }
}

fn extensions(spec: &RequestSpec, known: &[(&str, &str)], value: &Value) -> Result<(), Fault> {
    let Some(members) = value.as_object() else {
        return Err(Fault::new(format!("Extensions is {}; right would be an object of keys and values", kind(value))));
    };
    for (key, value) in members {
        if !known.iter().any(|(name, _)| name == key) {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let (key, request, names) = (shown_key(key), spec.name, names.join(", "));
            let message =
                format!("Extensions.{key} means nothing to {request}; right would be {names}, or to leave it out");
            return Err(Fault::unsupported(message));
        }
        let name = format!("Extensions.{key}");
        if !value.is_u64() {
            text(&name, value, 1)?;
        }
    }
    Ok(())
}

fn names(name: &str, value: &Value) -> Result<(), Fault> {
    match value {
        Value::String(_) => text(name, value, 1),
        Value::Array(many) => many.iter().try_for_each(|one| text(name, one, 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(Fault::new(format!("{name} is {}; right would be a list of texts", kind(value))))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A text somebody else wrote, short enough for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
    }
}

fn shown_key(key: &str) -> String {
    shown(key).trim_matches('"').to_owned()
}
