//! The topics of Kafka: at our own listener, and at brokers that are published to.

use cordboard_core::Origin;
use cordboard_dialects::catalogue::Entry;
use cordboard_dialects::{Dialect, schema_path};
use serde_json::{Map, Value, json};

use super::{About, Parts, reference};
use crate::config::{KafkaSecurity, SaslMechanism, TopicNames};
use crate::topics::headers;

/// The version of AsyncAPI's words for Kafka.
const BINDING: &str = "0.5.0";

/// Adds servers, a channel and an operation a topic, and its messages.
pub(super) fn add(about: &About, parts: &mut Parts) {
    let topics: Vec<(&'static Dialect, &'static str)> =
        about.dialects.iter().flat_map(|dialect| dialect.topics.iter().map(|topic| (*dialect, *topic))).collect();
    if topics.is_empty() {
        return;
    }
    add_servers(about, parts);
    if parts.servers.is_empty() {
        return; // Nobody could read them.
    }
    let servers: Vec<Value> = parts.servers.keys().map(|name| reference("servers", name)).collect();
    let headers = parts.components.schema("kafka.Headers", header_shape(about));
    for (dialect, topic) in topics {
        let mut messages = Map::new();
        let catalogue = (dialect.catalogue)();
        for entry in catalogue.events.iter().filter(|entry| entry.channel == topic && !entry.only_in_snapshots) {
            let name = format!("{}.{}", dialect.name, entry.name);
            let payload = parts.components.message_schema(about, dialect, entry);
            parts.components.message(&name, record(about, dialect, entry, &headers, &payload));
            messages.insert(entry.name.to_string(), reference("components/messages", &name));
        }
        parts.channels.insert(topic.to_owned(), channel(about, dialect, topic, &servers, &messages));
        let operation = json!({
            "action": "send",
            "channel": reference("channels", topic),
            "summary": format!("Tells what happens in the words of {}, one record a message.", dialect.name),
        });
        parts.operations.insert(format!("tell.{topic}"), operation);
    }
}

fn add_servers(about: &About, parts: &mut Parts) {
    if let Some(listener) = &about.listener {
        let mut server = json!({
            "host": listener.host,
            "protocol": "kafka",
            "description": "Cordboard itself: topics are read here with any Kafka client, and written to by nobody. A tenant's \
                token shows the tenant's records, an operator's those of all tenants.",
        });
        if let (false, Some(members)) = (listener.anonymous, server.as_object_mut()) {
            members.insert("security".to_owned(), json!([reference("components/securitySchemes", "saslPlain")]));
        }
        parts.servers.insert("kafka".to_owned(), server);
    }
    let kafka = &about.kafka;
    for (at, broker) in kafka.brokers.iter().enumerate() {
        let protocol = if kafka.security.has_tls() { "kafka-secure" } else { "kafka" };
        let mut server = json!({
            "host": broker,
            "protocol": protocol,
            "description": "A broker of yours, to which every topic of every tenant is copied.",
        });
        if let (Some(scheme), Some(members)) = (scheme(kafka.security, kafka.sasl_mechanism), server.as_object_mut()) {
            members.insert("security".to_owned(), json!([reference("components/securitySchemes", scheme)]));
        }
        parts.servers.insert(format!("broker-{}", at + 1), server);
    }
}

fn scheme(security: KafkaSecurity, mechanism: SaslMechanism) -> Option<&'static str> {
    let scheme = match mechanism {
        SaslMechanism::Plain => "brokerPlain",
        SaslMechanism::ScramSha256 => "brokerScramSha256",
        SaslMechanism::ScramSha512 => "brokerScramSha512",
    };
    security.has_user().then_some(scheme)
}

fn channel(about: &About, dialect: &Dialect, topic: &str, servers: &[Value], messages: &Map<String, Value>) -> Value {
    let (address, parameters) = match about.names {
        TopicNames::Shared => (topic.to_owned(), None),
        TopicNames::PerTenant => {
            (format!("{{tenant}}.{topic}"), Some(json!({"tenant": {"description": "The tenant's name."}})))
        }
    };
    let mut channel = json!({
        "address": address,
        "title": topic,
        "description": format!("Records are in order per key, and never change their offset. A key is {}.", key(dialect, topic)),
        "servers": servers,
        "messages": messages,
        "bindings": {"kafka": {"partitions": about.partitions, "bindingVersion": BINDING}},
    });
    if let (Some(parameters), Some(members)) = (parameters, channel.as_object_mut()) {
        members.insert("parameters".to_owned(), parameters);
    }
    channel
}

fn record(about: &About, dialect: &Dialect, entry: &Entry, headers: &Value, payload: &Value) -> Value {
    let key = json!({"type": "string", "minLength": 1, "description": key(dialect, entry.channel)});
    json!({
        "name": entry.name,
        "title": entry.name,
        "summary": entry.summary,
        "contentType": "application/json",
        "headers": headers,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
        "x-schema": schema_path(&about.settings, dialect, &entry.name),
    })
}

/// What the keys of a topic are made of.
fn key(dialect: &Dialect, topic: &str) -> &'static str {
    dialect.keys.iter().find(|(channel, _)| *channel == topic).map_or("", |(_, key)| key)
}

/// The headers of every record.
fn header_shape(about: &About) -> Value {
    let origins = json!([Origin::Live, Origin::Synthesised]);
    let text = |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    let form =
        |pattern: &str, description: &str| json!({"type": "string", "pattern": pattern, "description": description});
    let id = "The message's own id: the same message has the same for ever, wherever it is told.";
    json!({
        "type": "object",
        "description": "The headers of a record, each a text in UTF-8, in this order.",
        "required": headers::ALL,
        "properties": {
            (headers::TENANT): text("The tenant's name."),
            (headers::POSITION): form("^[0-9]+-[0-9]+$", "The place of the event in the tenant's log: epoch and sequence."),
            (headers::EVENT_ID): {"type": "string", "format": "uuid", "description": id},
            (headers::ORIGIN): {
                "type": "string",
                "enum": origins,
                "description": "Whether a switch said so when it happened, or it was concluded later.",
            },
            (headers::SCHEMA): {
                "type": "string",
                "format": "uri",
                "description": "Where the JSON Schema of the value is published.",
                "examples": [format!("http://{}{}/schemas/cordboard/v1/event.json", about.base.host, about.base.path)],
            },
        },
    })
}
