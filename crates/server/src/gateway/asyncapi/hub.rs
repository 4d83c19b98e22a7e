//! The hub: what clients invoke there, and `MessageReceived`, which it invokes at clients.

use cordboard_core::listed::Listed as _;
use cordboard_dialects::enreach::{DIALECT, EntityKind, EventName};
use cordboard_dialects::schema_path;
use serde_json::{Map, Value, json};

use super::{About, Parts, reference};
use crate::gateway::rte::words::{Fault, Method, ROOT_TYPE, TARGET};

const CHANNEL: &str = "rte";
const PROTOCOL: &str = "SignalR as ASP.NET Core speaks it, over WebSockets, server-sent events or long polling, in JSON or \
    MessagePack: use one of its clients. A message here is an invocation: `name` is its target, and the payload the argument \
    it comes with, else its result. An address with http:// or https:// is what clients are given.";

/// Adds the server, the channel, and an operation for each method.
pub(super) fn add(about: &About, parts: &mut Parts) {
    if !about.dialects.iter().any(|dialect| dialect.name == DIALECT.name) {
        return;
    }
    parts.servers.insert(
        CHANNEL.to_owned(),
        json!({
            "host": about.hub.host,
            "protocol": about.hub.protocol("ws"),
            "description": format!("The hub. {PROTOCOL}"),
            "security": [
                reference("components/securitySchemes", "bearer"),
                reference("components/securitySchemes", "accessToken"),
            ],
        }),
    );
    add_shapes(about, parts);
    let mut messages = Map::new();
    let received = add_received(about, parts, &mut messages);
    for method in Method::ALL.iter().filter(|method| about.extensions || **method != Method::SubscribeFrom) {
        add_method(*method, parts, &mut messages);
    }
    parts.channels.insert(CHANNEL.to_owned(), json!({
        "address": about.hub.path,
        "title": "The hub of Enreach's Real-Time Engine",
        "description": "Subscriptions to what happens to people, queues and call lists; docs/rte.md says what it promises.",
        "servers": [reference("servers", CHANNEL)],
        "messages": messages,
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }));
    let operation = json!({
        "action": "send",
        "channel": reference("channels", CHANNEL),
        "summary": "Tells whoever subscribed what happened, and what is true of people and queues.",
        "messages": received,
    });
    parts.operations.insert("tell.rte".to_owned(), operation);
}

/// `MessageReceived` with each event.
fn add_received(about: &About, parts: &mut Parts, messages: &mut Map<String, Value>) -> Vec<Value> {
    let mut received = Vec::new();
    for entry in (DIALECT.catalogue)().events {
        let data = parts.components.message_schema(about, &DIALECT, &entry);
        let mut properties = Map::new();
        properties.insert("subscription".to_owned(), json!({"$ref": "#/components/schemas/rte.Subscription"}));
        properties.insert("data".to_owned(), data);
        if about.extensions {
            properties.insert("position".to_owned(), json!({"$ref": "#/components/schemas/rte.Place"}));
        }
        let name = format!("{TARGET}.{}", entry.name);
        let message = json!({
            "name": TARGET,
            "title": entry.name,
            "summary": entry.summary,
            "contentType": "application/json",
            "payload": {
                "type": "object",
                "required": ["subscription", "data"],
                "additionalProperties": false,
                "properties": properties,
            },
            "x-schema": schema_path(&about.settings, &DIALECT, &entry.name),
        });
        parts.components.message(&name, message);
        messages.insert(name.clone(), reference("components/messages", &name));
        received.push(reference(&format!("channels/{CHANNEL}/messages"), &name));
    }
    received
}

/// A method of the hub: an operation with its answer.
fn add_method(method: Method, parts: &mut Parts, messages: &mut Map<String, Value>) {
    let (name, summary) = (method.name(), summary(method));
    let answer = format!("{name}.Result");
    let told = json!({
        "name": name, "title": name, "summary": summary, "contentType": "application/json", "payload": argument(method),
    });
    let answered = json!({
        "name": name,
        "title": format!("The result of {name}"),
        "contentType": "application/json",
        "payload": result(method),
    });
    for (name, message) in [(name, told), (&*answer, answered)] {
        parts.components.message(name, message);
        messages.insert(name.to_owned(), reference("components/messages", name));
    }
    let messages = format!("channels/{CHANNEL}/messages");
    parts.operations.insert(
        format!("invoke.{name}"),
        json!({
            "action": "receive",
            "channel": reference("channels", CHANNEL),
            "summary": summary,
            "messages": [reference(&messages, name)],
            "reply": {"channel": reference("channels", CHANNEL), "messages": [reference(&messages, &answer)]},
        }),
    );
}

fn summary(method: Method) -> &'static str {
    match method {
        Method::Subscribe => "Subscribes to events of people, queues and call lists; each item is judged by itself.",
        Method::Unsubscribe => "Ends subscriptions.",
        Method::UnsubscribeAll => "Ends all subscriptions of the connection.",
        Method::AvailableSubscriptions => "The names of all events.",
        Method::ActiveSubscriptions => "The subscriptions of the connection.",
        Method::SubscribeFrom => {
            "Subscribes, and goes on from a place: what came after it is told, else what is true now. The payload here is \
             both arguments."
        }
    }
}

/// The argument; for a method with two, both.
fn argument(method: Method) -> Value {
    let items = json!({"type": "array", "items": {"$ref": "#/components/schemas/rte.Item"}});
    match method {
        Method::Subscribe | Method::Unsubscribe => items,
        Method::UnsubscribeAll | Method::AvailableSubscriptions | Method::ActiveSubscriptions => {
            json!({"type": "null", "description": "It has no argument."})
        }
        Method::SubscribeFrom => {
            let place = json!({"oneOf": [{"$ref": "#/components/schemas/rte.Place"}, {"type": "null"}]});
            json!({"type": "array", "items": [items, place], "minItems": 1})
        }
    }
}

fn result(method: Method) -> Value {
    let results = json!({"type": "array", "items": {"$ref": "#/components/schemas/rte.Result"}});
    match method {
        Method::Subscribe | Method::Unsubscribe => results,
        Method::UnsubscribeAll => json!({"type": "boolean", "const": true}),
        Method::AvailableSubscriptions => {
            json!({"type": "array", "items": {"$ref": "#/components/schemas/rte.EventName"}})
        }
        Method::ActiveSubscriptions => {
            json!({"type": "array", "items": {"$ref": "#/components/schemas/rte.Subscription"}})
        }
        Method::SubscribeFrom => json!({
            "type": "object",
            "required": ["position", "results", "snapshot"],
            "additionalProperties": false,
            "properties": {
                "position": {"$ref": "#/components/schemas/rte.Place"},
                "results": results,
                "snapshot": {"type": "array", "items": snapshot()},
                "resync": {"$ref": "#/components/schemas/rte.Resync"},
            },
        }),
    }
}

/// A status in the answer to whoever goes on from a place.
fn snapshot() -> Value {
    let states = EventName::ALL.iter().filter(|event| event.is_state());
    let states: Vec<Value> = states
        .map(|event| json!({"$ref": format!("#/components/schemas/{}.{}", DIALECT.name, event.wire())}))
        .collect();
    json!({
        "type": "object",
        "required": ["subscription", "data"],
        "additionalProperties": false,
        "properties": {
            "subscription": {"$ref": "#/components/schemas/rte.Subscription"},
            "data": {"oneOf": states},
        },
    })
}

/// What the methods speak of.
fn add_shapes(about: &About, parts: &mut Parts) {
    let names: Vec<&str> = EventName::ALL.iter().map(|event| event.wire()).collect();
    let kinds: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.name()).collect();
    let faults: Vec<Value> = Fault::ALL.iter().map(|fault| Value::from(fault.message())).chain([Value::Null]).collect();
    let id = || json!({"type": "string", "format": "uuid"});
    let everything = if about.extensions { ", or `*` for everything of the kind" } else { "" };
    let whose =
        format!("The id of a person, a queue or a call list{everything}; in any form that a UUID is written in.");
    let shapes = [
        ("EventName", json!({"type": "string", "enum": names, "description": "An event; read in any case."})),
        (
            "Item",
            json!({
                "type": "object",
                "description": "What to subscribe to. Names of members are read in any case.",
                "required": ["EntityId", "EventName"],
                "properties": {
                    "EntityId": {"type": "string", "description": whose},
                    "EventName": {"$ref": "#/components/schemas/rte.EventName"},
                },
            }),
        ),
        (
            "Result",
            json!({
                "type": "object",
                "description": "What became of an item; what came is given back as it came, the name in lower case.",
                "required": ["subscribed", "message", "entityId", "eventName"],
                "additionalProperties": false,
                "properties": {
                    "subscribed": {"type": "boolean", "description": "Whether it was done."},
                    "message": {"enum": faults, "description": "Why not; null where it was done."},
                    "entityId": {"type": ["string", "null"]},
                    "eventName": {"type": ["string", "null"]},
                },
            }),
        ),
        (
            "Subscription",
            json!({
                "type": "object",
                "description": "A subscription; its id is the same for everybody who has the same one.",
                "required": [
                    "id", "allRootEntities", "rootEntityId", "rootEntityType", "organizationId", "eventType", "entityType",
                    "entityId", "allEntities",
                ],
                "additionalProperties": false,
                "properties": {
                    "id": id(),
                    "allRootEntities": {"type": "boolean", "const": false},
                    "rootEntityId": id(),
                    "rootEntityType": {"type": "string", "const": ROOT_TYPE},
                    "organizationId": id(),
                    "eventType": {"type": "string", "enum": names},
                    "entityType": {"type": "string", "enum": kinds},
                    "entityId": id(),
                    "allEntities": {"type": "boolean", "description": "Whether it is to everything of its kind."},
                },
            }),
        ),
        (
            "Place",
            json!({
                "type": "string",
                "pattern": "^[0-9]+-[0-9]+(\\.[0-9]+)?$",
                "description": "A place in the stream, to go on from.",
            }),
        ),
        (
            "Resync",
            json!({
                "type": "object",
                "description": "Why that place cannot be gone on from.",
                "required": ["reason", "message"],
                "additionalProperties": false,
                "properties": {
                    "reason": {"type": "string", "enum": ["gone", "other_epoch", "beyond_end"]},
                    "message": {"type": "string"},
                },
            }),
        ),
    ];
    let only_placed = ["Place", "Resync"];
    for (name, shape) in shapes.into_iter().filter(|(name, _)| about.extensions || !only_placed.contains(name)) {
        parts.components.schema(&format!("rte.{name}"), shape);
    }
}
