//! The stream of events over HTTP: lines of JSON, or server-sent events.

use cordboard_dialects::catalogue::Entry;
use cordboard_dialects::{Dialect, is_private, schema_path};
use serde_json::{Map, Value, json};

use super::{About, Parts, reference};
use crate::gateway::rest::{stream_path, stream_query};
use crate::mirror::own_dialect;

const CHANNEL: &str = "events";
const DESCRIPTION: &str = "One tenant's stream in one vocabulary: what the query asks for, in the order of the log, each \
    event after it is durable. As NDJSON every line is a message; an empty line shows that the stream lives. As server-sent \
    events (`text/event-stream`) the data of every event is a message: those that tell what happened have no event name, \
    the others `snapshot`, `resync` and `error`, and the id is the position to come back with, also as `Last-Event-ID`.";

/// Why a place cannot be gone on from; `crate::gateway` gives these reasons.
const RESYNCS: [&str; 6] = ["other_epoch", "gone", "beyond_end", "damaged", "unreadable", "behind"];

/// Adds the server, the channel, the operation and the messages.
pub(super) fn add(about: &About, parts: &mut Parts) {
    parts.servers.insert(
        "http".to_owned(),
        json!({
            "host": about.base.host,
            "protocol": about.base.protocol("http"),
            "description": "The HTTP interface; `/openapi.json` describes the rest of it.",
            "security": [
                reference("components/securitySchemes", "bearer"),
                reference("components/securitySchemes", "basic"),
            ],
        }),
    );
    let place = json!({
        "type": "string",
        "pattern": "^[0-9]+-[0-9]+$",
        "description": "A place in the tenant's log: epoch and sequence.",
    });
    let place = parts.components.schema("stream.Position", place);
    let mut messages = Map::new();
    for dialect in &about.dialects {
        for (name, message) in messages_of(about, dialect, &place, parts) {
            parts.components.message(&name, message);
            messages.insert(name.clone(), reference("components/messages", &name));
        }
    }
    parts.components.message("stream.Error", error());
    messages.insert("stream.Error".to_owned(), reference("components/messages", "stream.Error"));
    parts.channels.insert(
        CHANNEL.to_owned(),
        json!({
            "address": format!("{}{}", about.base.path, stream_path()),
            "title": "The stream of a tenant's events",
            "description": DESCRIPTION,
            "servers": [reference("servers", "http")],
            "messages": messages,
        }),
    );
    parts.operations.insert(
        "tell.events".to_owned(),
        json!({
            "action": "send",
            "channel": reference("channels", CHANNEL),
            "summary": "Tells whoever reads the stream what happened, from any position on.",
            "bindings": {"http": {"method": "GET", "query": query(), "bindingVersion": "0.3.0"}},
        }),
    );
}

/// What is told in a dialect: what happened, what is true, and that a place is gone and what is true.
fn messages_of(about: &About, dialect: &Dialect, place: &Value, parts: &mut Parts) -> Vec<(String, Value)> {
    let entries = (dialect.catalogue)().events;
    let happened = entries.iter().filter(|entry| !entry.only_in_snapshots);
    let happened: Vec<Value> = happened.map(|entry| said(about, dialect, entry, parts)).collect();
    let mut members = members(dialect);
    members.insert("position".to_owned(), place.clone());
    let more = json!({"const": true, "description": "There where more messages of the same event follow."});
    members.insert("more".to_owned(), more);
    let line = json!({
        "type": "object",
        "required": ["position", "channel", "name", "key", "value"],
        "additionalProperties": false,
        "properties": members,
        "oneOf": happened,
    });
    let picture = picture(about, dialect, &entries, parts);
    let snapshot = closed(&["snapshot", "position"], json!({"snapshot": picture, "position": place}));
    let why = json!({
        "reason": {"type": "string", "enum": RESYNCS},
        "message": {"type": "string", "description": "The same in words."},
    });
    let mut resync = closed(
        &["resync", "position"],
        json!({"resync": closed(&["reason", "message"], why), "snapshot": picture, "position": place}),
    );
    if let Some(members) = resync.as_object_mut() {
        let whom = "Who is told only what is for the own connection is given no snapshot.";
        members.insert("description".to_owned(), whom.into());
    }
    let rows = [
        ("Line", "What happened.", line),
        ("Snapshot", "What is true at a position; what happens goes on right after it.", snapshot),
        (
            "Resync",
            "The place asked for cannot be gone on from: this is true now, what happens goes on after it.",
            resync,
        ),
    ];
    let row = |(kind, summary, payload): (&str, &str, Value)| {
        let name = format!("{}.{kind}", dialect.name);
        let message = json!({
            "name": name, "title": name, "summary": summary, "contentType": "application/json", "payload": payload,
        });
        (name, message)
    };
    rows.map(row).into()
}

/// A message as a line says it: its channel and name, and what its value then is.
fn said(about: &About, dialect: &Dialect, entry: &Entry, parts: &mut Parts) -> Value {
    let value = parts.components.message_schema(about, dialect, entry);
    json!({
        "title": format!("{}.Line.{}", dialect.name, entry.name),
        "properties": {"channel": {"const": entry.channel}, "name": {"const": entry.name}, "value": value},
        "x-schema": schema_path(&about.settings, dialect, &entry.name),
    })
}

/// The members of a message as a line says it.
fn members(dialect: &Dialect) -> Map<String, Value> {
    [
        (
            "channel",
            json!({"type": "string", "enum": dialect.channels, "description": "The topic, or the name of the hub."}),
        ),
        ("name", json!({"type": "string", "description": "The message's name, by which its schema is found."})),
        ("key", json!({"type": "string", "description": "What belongs together: equal keys keep their order."})),
        ("value", json!({"type": "object", "description": "The message."})),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect()
}

/// What is true: in our own words the world, in those of others the messages that lead to it.
fn picture(about: &About, dialect: &Dialect, entries: &[Entry], parts: &mut Parts) -> Value {
    if dialect.name == own_dialect().name {
        // There is one message of this kind, and its member of that name is the world.
        let whole = entries.iter().find(|entry| entry.only_in_snapshots);
        return whole
            .map(|entry| parts.components.member_schema(about, dialect, entry, "snapshot"))
            .unwrap_or_default();
    }
    let shown = entries.iter().filter(|entry| !is_private(entry.channel));
    let shown: Vec<Value> = shown.map(|entry| said(about, dialect, entry, parts)).collect();
    let mut item = closed(&["channel", "name", "key", "value"], Value::Object(members(dialect)));
    if let Some(item) = item.as_object_mut() {
        item.insert("oneOf".to_owned(), shown.into());
    }
    json!({"type": "array", "items": item})
}

/// Why a stream ended.
fn error() -> Value {
    let error = json!({
        "code": {"type": "string", "enum": ["stream_failed", "unauthorised"], "description": "For programs."},
        "message": {"type": "string", "description": "For people."},
    });
    json!({
        "name": "stream.Error",
        "title": "stream.Error",
        "summary": "The last message of a stream that ends for a reason.",
        "contentType": "application/json",
        "payload": closed(&["error"], json!({"error": closed(&["code", "message"], error)})),
    })
}

/// The query of the path, as the table of routes has it.
fn query() -> Value {
    let parameter =
        |(name, summary): (&str, &str)| (name.to_owned(), json!({"type": "string", "description": summary}));
    let parameters: Map<String, Value> = stream_query().map(parameter).collect();
    closed(&[], Value::Object(parameters))
}

fn closed(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}
