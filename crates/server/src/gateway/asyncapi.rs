//! `/asyncapi.json`: everything that is pushed, as an AsyncAPI 3 document, from the catalogues and the configuration.
//!
//! `components` holds schemas and messages once and gives references to them; `topics`, `hub` and `stream` each add their
//! servers, channels and operations. It is written from where Cordboard stands: what it *sends* others receive.

mod components;
mod hub;
mod stream;
#[cfg(test)]
mod tests;
mod topics;

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use cordboard_dialects::{Dialect, Settings};
use serde_json::{Map, Value, json};

use self::components::Components;
use super::http::App;
use super::schemas::{tag, tagged};
use crate::config::{Config, Kafka, TopicNames};
use crate::tenant::dialect_settings;

const DESCRIPTION: &str = "Everything that Cordboard pushes: topics of Kafka, the hub over SignalR, and the stream of \
    events over HTTP. Operations are written from where Cordboard stands: what it sends, you receive. Each message has its \
    schema here, and at the place that its `x-schema` names, under the address of the HTTP interface (JSON Schema 2020-12); \
    what stands there allows the same for ever, and records of topics name it in their header `schema`. Schemas are \
    closed: they name everything that their version writes. Later versions may write more, so pass over members that you \
    do not know.";

/// What the document depends on.
struct About {
    /// Where the HTTP interface is.
    base: Place,
    /// Where the hub is.
    hub: Place,
    /// Whether the hub does more than the original.
    extensions: bool,
    /// Where topics are read from us; none where they are not.
    listener: Option<Listener>,
    /// What is published to brokers of yours.
    kafka: Kafka,
    names: TopicNames,
    partitions: u32,
    dialects: Vec<&'static Dialect>,
    settings: Settings,
}

/// The Kafka listener.
struct Listener {
    /// Host and port.
    host: String,
    /// Whether nobody needs a token.
    anonymous: bool,
}

/// Where something is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Whether it is by TLS.
    secure: bool,
    /// The host, and the port where it is not the usual one.
    host: String,
    /// What its paths begin with: empty, or `/…` without a slash at the end.
    path: String,
}

/// The document as it is sent; made when it is asked for the first time.
pub(super) struct Document {
    about: About,
    sent: OnceLock<(Bytes, String)>,
}

impl Document {
    pub(super) fn new(config: &Config) -> Self {
        Self { about: About::of(config), sent: OnceLock::new() }
    }
}

/// Answers with the document.
pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Document { about, sent } = app.asyncapi();
    let (text, tag) = sent.get_or_init(|| {
        let text = document(about).to_string();
        let tag = tag(&text);
        (text.into(), tag)
    });
    tagged(&headers, tag, "application/json", "no-cache", text.clone())
}

fn document(about: &About) -> Value {
    let mut parts = Parts::default();
    topics::add(about, &mut parts);
    hub::add(about, &mut parts);
    stream::add(about, &mut parts);
    let Parts { servers, channels, operations, components } = parts;
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cordboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": servers,
        "channels": channels,
        "operations": operations,
        "components": components.into_value(security()),
    })
}

/// What is collected of the document.
#[derive(Default)]
struct Parts {
    servers: Map<String, Value>,
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    components: Components,
}

/// Every way of showing who one is.
fn security() -> Value {
    let secret = "a secret that `cordboard token create` printed";
    json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": format!("A token: {secret}, or a JWT.")},
        "basic": {"type": "http", "scheme": "basic", "description": format!("A login, and as the password {secret}.")},
        "accessToken": {
            "type": "httpApiKey", "in": "query", "name": "access_token",
            "description": "The JWT that `GET /token/me/rte/` answers, where a client cannot set headers.",
        },
        "saslPlain": {
            "type": "plain",
            "description": format!("SASL PLAIN: any user, and as the password {secret} for who may read the whole stream."),
        },
        "brokerPlain": {"type": "plain", "description": "SASL PLAIN, as your brokers know you."},
        "brokerScramSha256": {"type": "scramSha256", "description": "SCRAM-SHA-256, as your brokers know you."},
        "brokerScramSha512": {"type": "scramSha512", "description": "SCRAM-SHA-512, as your brokers know you."},
    })
}

impl About {
    fn of(config: &Config) -> Self {
        let base = Place::of(&config.schema_base());
        let hub = match &*config.rest.rte_url {
            "" => Place::of(&format!("{}/rte", config.schema_base())),
            url => Place::of(url),
        };
        let dialects = config.dialects.iter().filter_map(|name| cordboard_dialects::find(name)).collect();
        let kafka = &config.kafka_listener;
        let host = match kafka.advertised() {
            Some((host, port)) => format!("{host}:{port}"),
            None => kafka.listen.to_string(),
        };
        let listener = kafka.enabled.then_some(Listener { host, anonymous: kafka.anonymous });
        Self {
            base,
            hub,
            listener,
            extensions: config.rte.extensions,
            kafka: config.kafka.clone(),
            names: config.topics.names,
            partitions: config.topics.partitions,
            dialects,
            settings: dialect_settings(config),
        }
    }
}

impl Place {
    fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        Self { secure: matches!(scheme, "https" | "wss"), host: host.to_owned(), path }
    }

    /// The protocol: this, or the same by TLS.
    fn protocol(&self, open: &str) -> String {
        if self.secure { format!("{open}s") } else { open.to_owned() }
    }
}

/// A reference to something of the document.
fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/{kind}/{name}")})
}
