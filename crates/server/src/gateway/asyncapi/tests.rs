//! The document is what is committed, no reference of it leads nowhere, and what is said in it is what is said.

use cordboard_core::Guid;
use cordboard_core::listed::Listed as _;
use cordboard_dialects::DIALECTS;
use cordboard_dialects::enreach::EventName;
use serde_json::{Value, json};

use super::*;
use crate::config::{KafkaSecurity, SaslMechanism};
use crate::gateway::committed;
use crate::gateway::rte::words::{self, Fault, TARGET};

fn of(set: impl FnOnce(&mut Config)) -> Value {
    let mut config = Config::default();
    set(&mut config);
    document(&About::of(&config))
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let of_member = |(name, value): (&String, &Value)| match (value.as_str(), &**name) {
                (Some(target), "$ref") => vec![target.to_owned()],
                _ => references(value),
            };
            members.iter().flat_map(of_member).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn the_committed_document_is_what_is_served() {
    committed::check("asyncapi.json", &of(|_| {}));
}

#[test]
fn no_reference_leads_nowhere_and_nothing_stands_there_unused_however_it_is_configured() {
    let documents = [
        of(|_| {}),
        of(|it| it.rte.extensions = true),
        of(|it| it.topics.names = TopicNames::PerTenant),
        of(|it| it.genesys.enum_style = cordboard_dialects::genesys::enums::EnumStyle::Number),
        of(|it| it.dialects = vec!["genesys".to_owned()]),
        of(|it| it.dialects = vec!["enreach".to_owned()]),
        of(|it| it.kafka_listener.enabled = false),
    ];
    for document in documents {
        let targets = references(&document);
        assert!(targets.len() > 100);
        for target in &targets {
            assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
        }
        for kind in ["schemas", "messages"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let target = format!("#/components/{kind}/{name}");
                assert!(targets.contains(&target), "nothing refers to {target}");
            }
        }
        assert!(!document.to_string().contains("$defs") && !document.to_string().contains("prefixItems"));
    }
}

#[test]
fn everything_that_is_pushed_is_in_it() {
    let document = of(|_| {});
    for dialect in DIALECTS {
        let events = (dialect.catalogue)().events;
        for entry in events.iter().filter(|entry| !entry.only_in_snapshots) {
            let name = &*entry.name;
            if dialect.topics.contains(&entry.channel) {
                let message = format!("#/components/messages/{}.{name}", dialect.name);
                assert_eq!(document["channels"][entry.channel]["messages"][name]["$ref"], message);
            }
            if dialect.name == "enreach" {
                assert!(document["channels"]["rte"]["messages"][format!("{TARGET}.{name}")].is_object(), "{name}");
            }
            let lines = &document["components"]["messages"][format!("{}.Line", dialect.name)]["payload"]["oneOf"];
            assert!(lines.as_array().unwrap().iter().any(|line| line["properties"]["name"]["const"] == name), "{name}");
        }
    }
    assert_eq!(document["operations"]["tell.rte"]["messages"].as_array().unwrap().len(), 36);
}

#[test]
fn addresses_and_names_are_those_of_the_configuration() {
    let usual = of(|_| {});
    assert_eq!(usual["servers"]["kafka"]["host"], "127.0.0.1:9092");
    assert_eq!(
        (&usual["servers"]["rte"]["protocol"], &usual["channels"]["rte"]["address"]),
        (&json!("ws"), &json!("/rte"))
    );
    assert!(usual["servers"]["kafka"].get("security").is_some());
    assert_eq!(usual["channels"]["voice-callthread"]["address"], "voice-callthread");
    let other = of(|it| {
        it.rest.public_url = "https://cti.example.org/cordboard/".to_owned();
        it.rest.rte_url = "https://rte.example.org/hub".to_owned();
        it.kafka_listener.advertised = "kafka.example.org:9093".to_owned();
        it.kafka_listener.anonymous = true;
        it.topics.names = TopicNames::PerTenant;
        it.kafka.brokers = vec!["b1.example.org:9092".to_owned(), "b2.example.org:9092".to_owned()];
        it.kafka.security = KafkaSecurity::SaslTls;
        it.kafka.sasl_mechanism = SaslMechanism::ScramSha256;
    });
    assert_eq!(other["servers"]["http"]["host"], "cti.example.org");
    assert_eq!(other["servers"]["http"]["protocol"], "https");
    assert_eq!(other["channels"]["events"]["address"], "/cordboard/api/v1/events");
    assert_eq!(
        (&other["servers"]["rte"]["host"], &other["servers"]["rte"]["protocol"]),
        (&json!("rte.example.org"), &json!("wss"))
    );
    assert_eq!(other["channels"]["rte"]["address"], "/hub");
    assert_eq!(other["servers"]["kafka"]["host"], "kafka.example.org:9093");
    assert!(other["servers"]["kafka"].get("security").is_none());
    assert_eq!(other["channels"]["voice-callthread"]["address"], "{tenant}.voice-callthread");
    assert_eq!(other["servers"]["broker-2"]["protocol"], "kafka-secure");
    assert_eq!(other["servers"]["broker-2"]["security"][0]["$ref"], "#/components/securitySchemes/brokerScramSha256");
    assert_eq!(other["channels"]["cordboard-event"]["servers"].as_array().unwrap().len(), 3);
}

/// Draft 7, with the whole document beside it for what it refers to.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let schema = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::draft7::options().build(&schema).unwrap()
}

#[test]
fn what_the_hub_says_is_as_described() {
    let document = of(|it| it.rte.extensions = true);
    let shape = |name: &str| validator(&document, &json!({"$ref": format!("#/components/schemas/rte.{name}")}));
    let items = json!([{"EntityId": "x", "EventName": "y"}, {"EventName": "QueueStatus"}]);
    for item in words::items(Some(items), true).unwrap() {
        let results = Fault::ALL.iter().map(|fault| Err(*fault)).chain([Ok(())]);
        assert!(results.map(|done| item.result(done)).all(|result| shape("Result").is_valid(&result)));
    }
    assert!(!shape("Result").is_valid(&json!({"subscribed": false, "message": "no", "entityId": "", "eventName": ""})));
    for event in EventName::ALL {
        for entity in [None, Some(Guid(7))] {
            let shown = words::subscription(Guid(1), words::Target { event: *event, entity });
            let shown = serde_json::from_str(&shown).unwrap();
            assert!(shape("Subscription").is_valid(&shown), "{shown}");
        }
    }
    assert!(words::available().as_array().unwrap().iter().all(|name| shape("EventName").is_valid(name)));
}
