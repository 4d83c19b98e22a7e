//! The vocabulary as data: the catalogue and one JSON Schema an event.

use alloc::borrow::Cow;

use serde_json::{Map, Value, json};

use super::DIALECT;
use super::attributes::{ATTRIBUTES, Attribute};
use super::client::{self, CLIENT_ATTRIBUTES, CLIENT_EVENTS};
use super::enums::{ENUMERATIONS, EnumStyle};
use super::messages::{Basis, EVENTS, EventSpec, Topic, members_schema};
use super::requests::{self, REQUEST_ENUMERATIONS, REQUESTS};
use crate::catalogue::{Catalogue, Entry, Field, Presence, Vocabulary, forbid_null, readable};

/// Everything the dialect can say.
pub fn catalogue() -> Catalogue {
    Catalogue {
        dialect: DIALECT.name,
        summary: DIALECT.summary,
        events: EVENTS.iter().chain(CLIENT_EVENTS).map(entry).collect(),
        requests: REQUESTS.iter().map(requests::entry).collect(),
        enumerations: ENUMERATIONS
            .iter()
            .chain(REQUEST_ENUMERATIONS.iter().copied())
            .chain(client::ENUMERATIONS.iter().copied())
            .map(|one| Vocabulary {
                name: one.name,
                values: one.values.iter().map(|(name, number)| ((*name).to_owned(), json!(number))).collect(),
            })
            .collect(),
    }
}

/// The JSON Schema (2020-12) of an event as it is written with this style of enumerations, or of a request; `None` if there
/// is no such thing.
pub fn schema(name: &str, style: EnumStyle) -> Option<Value> {
    event_schema(name, style).or_else(|| requests::schema(name))
}

fn event_schema(event: &str, style: EnumStyle) -> Option<Value> {
    let spec = EVENTS.iter().chain(CLIENT_EVENTS).find(|spec| spec.name == event)?;
    let mut schema = members_schema(event).or_else(|| client::members_schema(event))?.to_value();
    forbid_null(&mut schema);
    let members = schema.as_object_mut()?;
    members.insert("title".to_owned(), json!(spec.name));
    members.insert("description".to_owned(), json!(summary(spec)));
    let required = spec.mandatory.to_vec();
    members.insert("required".to_owned(), json!(required));
    let mut properties = Map::new();
    properties.insert("id".to_owned(), json!({ "type": "string", "const": spec.name }));
    if let Some(Value::Object(others)) = members.get("properties") {
        properties.extend(others.clone());
    }
    for (name, property) in &mut properties {
        if let (Some(attribute), Some(property)) = (attribute_in(spec, name), property.as_object_mut()) {
            property.insert("description".to_owned(), json!(attribute.summary));
        }
    }
    members.insert("properties".to_owned(), Value::Object(properties));
    if style == EnumStyle::Number
        && let Some(Value::Object(definitions)) = members.get_mut("$defs")
    {
        for one in ENUMERATIONS {
            if let Some(definition) = definitions.get_mut(one.name) {
                let numbers: Vec<u32> = one.values.iter().map(|(_, number)| *number).collect();
                *definition = json!({ "type": "integer", "enum": numbers });
            }
        }
    }
    Some(readable(schema))
}

/// An attribute by name, as it is in an event.
pub fn attribute_in(spec: &EventSpec, name: &str) -> Option<&'static Attribute> {
    let own = CLIENT_ATTRIBUTES.iter().find(|attribute| attribute.name == name);
    own.filter(|_| spec.topic == Topic::Client).or_else(|| attribute(name))
}

/// An attribute by name.
pub fn attribute(name: &str) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

fn entry(spec: &EventSpec) -> Entry {
    let lists = [
        (Presence::Mandatory, spec.mandatory),
        (Presence::Optional, spec.optional),
        (Presence::Disputed, spec.disputed),
    ];
    let fields =
        lists.into_iter().flat_map(|(presence, names)| names.iter().map(move |name| field(spec, name, presence)));
    Entry {
        name: Cow::Borrowed(spec.name),
        channel: spec.topic.name(),
        summary: Cow::Owned(summary(spec)),
        basis: Some(match spec.basis {
            Basis::Published => "published",
            Basis::PartlyPublished => "partly published",
            Basis::Derived => "derived",
            Basis::Assumed => "assumed",
        }),
        caused_by: super::caused_by(spec.name),
        only_in_snapshots: false,
        fields: fields.flatten().collect(),
    }
}

fn field(spec: &EventSpec, name: &str, presence: Presence) -> Option<Field> {
    let attribute = attribute_in(spec, name)?;
    Some(Field {
        name: Cow::Borrowed(attribute.name),
        json_type: Cow::Borrowed(attribute.json_type),
        enumeration: attribute.enumeration,
        presence,
        summary: Cow::Borrowed(attribute.summary),
    })
}

/// The summary of an event on one line; doc comments bring a blank before every line.
fn summary(spec: &EventSpec) -> String {
    spec.summary.trim().to_owned()
}
