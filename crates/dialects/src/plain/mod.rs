//! Our own vocabulary: one message an event, the event itself with its place in the log.
//!
//! It is the shortest dialect there can be, on purpose: a new one begins as a copy of this file.

use alloc::borrow::Cow;

use cordboard_core::{Event, World};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::{Catalogue, Entry, Field, Presence, written};
use crate::{Dialect, Message, ONE_STYLE, Position, Settings};

/// The row of the registry.
pub const DIALECT: Dialect = Dialect {
    name: "cordboard",
    summary: "our own events, one message an event",
    channels: &[CHANNEL],
    topics: &[CHANNEL],
    keys: &[(CHANNEL, "`{tenant}`")],
    project,
    states: None,
    snapshot,
    catalogue,
    schema,
    version: 1,
    styles: ONE_STYLE,
};

const CHANNEL: &str = "cordboard-event";
const EVENT: &str = "event";
const SNAPSHOT: &str = "snapshot";

/// One event with its place in the log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "event")]
struct Told<'a> {
    /// Grows whenever the log is founded anew.
    epoch: u64,
    /// Grows by one with every event of the tenant.
    sequence: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// The whole world as it is after the event at this place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "snapshot")]
struct Snapshot<'a> {
    /// Grows whenever the log is founded anew.
    epoch: u64,
    /// The newest event that is part of the picture; the stream goes on with the next.
    sequence: u64,
    /// Everything that is true: switches, devices, agents, queues and calls under way.
    snapshot: &'a World,
}

fn project(_settings: &Settings, world: &World, at: Position, event: &Event, out: &mut Vec<Message>) {
    tell(world, EVENT, &Told { epoch: at.epoch, sequence: at.sequence, event }, out);
}

fn snapshot(_settings: &Settings, world: &World, at: Position, out: &mut Vec<Message>) {
    tell(world, SNAPSHOT, &Snapshot { epoch: at.epoch, sequence: at.sequence, snapshot: world }, out);
}

fn tell(world: &World, name: &'static str, message: &impl Serialize, out: &mut Vec<Message>) {
    // Everything that is stored has a JSON text: its keys are texts or numbers.
    if let Ok(value) = serde_json::to_string(message) {
        out.push(Message { channel: CHANNEL, name, key: world.tenant.clone(), value });
    }
}

fn catalogue() -> Catalogue {
    let events = [EVENT, SNAPSHOT].iter().filter_map(|name| entry(name)).collect();
    let (dialect, summary) = (DIALECT.name, DIALECT.summary);
    Catalogue { dialect, summary, events, requests: Vec::new(), enumerations: Vec::new() }
}

fn schema(_settings: &Settings, name: &str) -> Option<Value> {
    match name {
        EVENT => Some(written::<Told<'_>>()),
        SNAPSHOT => Some(written::<Snapshot<'_>>()),
        _ => None,
    }
}

fn entry(name: &'static str) -> Option<Entry> {
    let schema = schema(&Settings::default(), name)?;
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, member: &str| {
        Cow::Owned(value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    let properties = schema.get("properties").and_then(Value::as_object)?;
    // A member of a named type has the type of what it names; a choice of shapes is an object.
    let named = |property: &Value| {
        let name = property.get("$ref").and_then(Value::as_str)?.strip_prefix("#/$defs/")?.to_owned();
        schema.get("$defs")?.get(name)?.get("type")?.as_str().map(str::to_owned)
    };
    let json_type = |property: &Value| match property.get("type").and_then(Value::as_str) {
        Some(own) => own.to_owned(),
        None => named(property).unwrap_or_else(|| "object".to_owned()),
    };
    let field = |(name, property): (&String, &Value)| Field {
        name: Cow::Owned(name.clone()),
        json_type: Cow::Owned(json_type(property)),
        enumeration: None,
        presence: if required.contains(&Value::from(name.as_str())) { Presence::Mandatory } else { Presence::Optional },
        summary: text(property, "description"),
    };
    Some(Entry {
        name: Cow::Borrowed(name),
        channel: CHANNEL,
        summary: text(&schema, "description"),
        basis: None,
        caused_by: &[],
        only_in_snapshots: name == SNAPSHOT,
        fields: properties.iter().map(field).collect(),
    })
}
