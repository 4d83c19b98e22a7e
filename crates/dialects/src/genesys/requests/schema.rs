//! Requests as data: their entries in the catalogue and one JSON Schema each.

use alloc::borrow::Cow;

use cordboard_core::listed::Listed;
use serde_json::{Map, Value, json};

use super::super::enums::Enumeration;
use super::read::MAX_TEXT_BYTES;
use super::table::{About, Kind, Parameter, REQUESTS, RequestSpec};
use super::terr;
use crate::catalogue::{Field, Presence, Refused, RequestEntry};

const REFERENCE: &str =
    "What the client calls the request; events it causes carry it. One is given where it is left out.";
const NUMBER: &str = "The number the request is about and is made from; `dn` is the same.";

/// A request in the catalogue.
pub fn entry(spec: &RequestSpec) -> RequestEntry {
    let this = (spec.about != About::Client).then(|| field("ThisDN", "string", None, Presence::Mandatory, NUMBER));
    let own = spec.parameters.iter().map(|parameter| {
        let presence = if parameter.mandatory { Presence::Mandatory } else { Presence::Optional };
        let (json_type, enumeration) = json_type(parameter);
        field(parameter.name, json_type, enumeration, presence, parameter.summary)
    });
    let reference = field("ReferenceID", "integer", None, Presence::Optional, REFERENCE);
    RequestEntry {
        name: Cow::Borrowed(spec.name),
        summary: Cow::Borrowed(spec.summary),
        parameters: this.into_iter().chain(own).chain([reference]).collect(),
        refusals: spec
            .refusals()
            .into_iter()
            .map(|refusal| {
                let terr = terr::of(refusal, None);
                Refused { refusal: refusal.name(), code: terr.code, name: terr.name }
            })
            .collect(),
    }
}

/// The JSON Schema (2020-12) of a request; `None` if there is no such request. Enumerations are read by name and by number.
pub fn schema(request: &str) -> Option<Value> {
    let spec = REQUESTS.iter().find(|spec| spec.name == request)?;
    let mut properties = Map::new();
    let mut required = Vec::from(["request"]);
    properties.insert("request".to_owned(), json!({ "type": "string", "const": spec.name }));
    if spec.about != About::Client {
        for name in ["ThisDN", "dn"] {
            properties.insert(name.to_owned(), described(text(1), NUMBER));
        }
    }
    for parameter in spec.parameters {
        properties.insert(parameter.name.to_owned(), described(of_kind(parameter), parameter.summary));
        if parameter.mandatory {
            required.push(parameter.name);
        }
    }
    let reference = json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX });
    properties.insert("ReferenceID".to_owned(), described(reference, REFERENCE));
    for name in ["Reasons", "Extensions"] {
        if !properties.contains_key(name) {
            let empty = json!({ "type": "object", "maxProperties": 0 });
            properties.insert(name.to_owned(), described(empty, "Nothing of it is passed on."));
        }
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": spec.name,
        "description": spec.summary,
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    });
    if let (true, Some(members)) = (spec.about != About::Client, schema.as_object_mut()) {
        let queue = (spec.name == "TQueryAddress").then(|| json!({ "required": ["ThisQueue"] }));
        let numbers = [json!({ "required": ["ThisDN"] }), json!({ "required": ["dn"] })];
        let any: Vec<Value> = numbers.into_iter().chain(queue).collect();
        members.insert("anyOf".to_owned(), json!(any));
        members.insert("not".to_owned(), json!({ "required": ["ThisDN", "dn"] }));
    }
    Some(schema)
}

fn field(
    name: &'static str,
    json_type: &'static str,
    enumeration: Option<&'static str>,
    presence: Presence,
    summary: &'static str,
) -> Field {
    let (name, summary) = (Cow::Borrowed(name), Cow::Borrowed(summary));
    Field { name, json_type: Cow::Borrowed(json_type), enumeration, presence, summary }
}

fn json_type(parameter: &Parameter) -> (&'static str, Option<&'static str>) {
    match parameter.kind {
        Kind::Text | Kind::Number | Kind::Call | Kind::Nothing { .. } => ("string", None),
        Kind::Whole { .. } => ("integer", None),
        Kind::Word(of) | Kind::Only { of, .. } => ("string|integer", Some(of.name)),
        Kind::Pairs | Kind::Extensions(_) => ("object", None),
        Kind::Names => ("array|string", None),
    }
}

fn of_kind(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Text | Kind::Number => text(usize::from(parameter.mandatory)),
        Kind::Call => json!({ "type": "string", "pattern": "^[0-9A-Fa-f]{1,16}(@.*)?$" }),
        Kind::Whole { from, to } => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Word(of) => json!({ "enum": words(of) }),
        Kind::Only { of, only, .. } => json!({ "enum": [only, of.number(only)] }),
        Kind::Nothing { .. } => json!({ "type": "string", "const": "" }),
        Kind::Pairs => json!({ "type": "object" }),
        Kind::Extensions(known) => {
            let one = |(name, summary): &(&str, &str)| {
                let value = json!({ "type": ["string", "integer"], "description": summary });
                ((*name).to_owned(), value)
            };
            let properties: Map<String, Value> = known.iter().map(one).collect();
            json!({ "type": "object", "additionalProperties": false, "properties": properties })
        }
        Kind::Names => json!({ "anyOf": [text(1), { "type": "array", "items": text(1) }] }),
    }
}

fn text(least: usize) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": MAX_TEXT_BYTES })
}

fn words(of: &Enumeration) -> Vec<Value> {
    let mut words: Vec<Value> = of.values.iter().map(|(word, _)| json!(word)).collect();
    let mut numbers: Vec<u32> = of.values.iter().map(|(_, number)| *number).collect();
    numbers.dedup();
    words.extend(numbers.into_iter().map(Value::from));
    words
}

fn described(mut schema: Value, summary: &str) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), json!(summary));
    }
    schema
}
