//! The words themselves. `reference.json` holds, for every event and every part of one, what is published: names in the
//! order of the wire, types, sample values, time to live.

use cordboard_core::listed::Listed;
use cordboard_dialects::enreach::messages::{EVENTS, Shape, read_and_write};
use cordboard_dialects::enreach::{DIALECT, EntityKind, EventName};
use cordboard_dialects::{Settings, find};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Published {
    name: String,
    event: Option<String>,
    entity: String,
    ttl: Option<i32>,
    sample: bool,
    /// Name, type, sample value.
    members: Vec<(String, String, Value)>,
}

fn published() -> Vec<Published> {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

fn events() -> impl Iterator<Item = (Published, EventName)> {
    published().into_iter().filter(|it| it.event.is_some()).map(|it| {
        let event = EventName::parse(it.event.as_ref().unwrap()).unwrap();
        (it, event)
    })
}

/// The name as the hub spells it.
fn camel(name: &str) -> String {
    name[..1].to_lowercase() + &name[1..]
}

/// The sample of an event as the hub would send it.
fn sample(published: &Published) -> Map<String, Value> {
    published.members.iter().map(|(name, _, value)| (camel(name), value.clone())).collect()
}

const ENVELOPE: [&str; 8] =
    ["rootEntityType", "rootEntityId", "eventType", "entityType", "entityId", "id", "timestamp", "messageTTLSeconds"];

#[test]
fn there_are_36_events_of_these_kinds_and_times_to_live() {
    assert_eq!((EVENTS.len(), EventName::ALL.len(), events().count()), (36, 36, 36));
    for (published, event) in events() {
        assert_eq!(event.wire(), published.event.as_ref().unwrap());
        let kind = if published.entity == "CallList" { "CallList" } else { &published.entity };
        assert_eq!(event.kind().name(), kind, "{}", published.name);
        let ttl = event.ttl_s().map_or(-1, |ttl| i32::try_from(ttl).unwrap());
        // One has no sample; it is as its siblings.
        assert_eq!(ttl, published.ttl.unwrap_or(-1), "{}", published.name);
        assert_eq!(event.is_state(), published.ttl == Some(60), "{}", published.name);
        assert_eq!(EventName::parse(&published.name), Some(event), "the heading is understood as well");
    }
    let of = |kind| EventName::ALL.iter().filter(|event| event.kind() == kind).count();
    assert_eq!((of(EntityKind::User), of(EntityKind::Queue), of(EntityKind::CallList)), (34, 1, 1));
}

#[test]
fn members_have_the_published_names_and_order() {
    for (published, event) in events() {
        let spec = EVENTS.iter().find(|spec| spec.name == event).unwrap();
        let names: Vec<String> = published.members.iter().map(|(name, ..)| camel(name)).collect();
        if published.sample {
            assert_eq!(spec.members(), names, "{}", published.name);
        } else {
            assert_eq!((spec.own, spec.shape), (&*names.iter().map(|it| &**it).collect::<Vec<_>>(), Shape::Usual));
        }
    }
}

#[test]
fn samples_are_read_and_written_again_the_same() {
    let mut samples = 0;
    for (published, event) in events().filter(|(published, _)| published.sample) {
        let mut members = sample(&published);
        // The one text of the samples that is none of its own enumeration.
        if event == EventName::UserAvailability {
            assert_eq!(members["availability"], "Example Availability");
        }
        // JSON has no word for the fraction of a whole number.
        let written = read_and_write(event, &Value::Object(members.clone()).to_string());
        let written: Map<String, Value> = serde_json::from_str(&written.unwrap()).unwrap();
        assert_eq!(written, members, "{}", published.name);
        assert_eq!(written.keys().collect::<Vec<_>>(), members.keys().collect::<Vec<_>>(), "{}", published.name);
        for name in members.clone().keys() {
            let value = members.shift_remove(name).unwrap();
            let less = Value::Object(members.clone()).to_string();
            let nullable = published
                .members
                .iter()
                .any(|(member, kind, sample)| camel(member) == *name && (kind.ends_with('?') || sample.is_null()));
            assert_eq!(read_and_write(event, &less).is_ok(), nullable, "{} without {name}", published.name);
            members.insert(name.clone(), value);
        }
        samples += 1;
    }
    assert_eq!(samples, 35);
}

#[test]
fn types_are_the_published_ones() {
    let json_types = |kind: &str| -> &[&str] {
        match kind {
            "Guid"
            | "string"
            | "String"
            | "DateTime"
            | "RootEntityType"
            | "EventType"
            | "EntityType"
            | "TranscribeRealtimeType"
            | "UserSettingLevelEnum"
            | "AvailabilityStatusesAVA"
            | "TerminalTypeId"
            | "TerminalStatus"
            | "WrapUpType" => &["string"],
            "Guid?" | "DateTime?" => &["string|null"],
            "int" | "long" | "short" | "uint" | "CallEventPublicityCategory" | "SpeakerRole" | "SupervisionState" => {
                &["integer"]
            }
            "int?" | "byte?" => &["integer|null"],
            "float" => &["number"],
            "bool" => &["boolean"],
            "Dictionary<string, string>" => &["object|null"],
            kind if kind.starts_with("List<") => &["array|null"],
            _ => &[],
        }
    };
    let catalogue = (DIALECT.catalogue)();
    for (published, event) in events() {
        let entry = catalogue.entry(event.wire()).unwrap();
        for (name, kind, _) in &published.members {
            let field = entry.fields.iter().find(|field| field.name == camel(name)).unwrap();
            assert!(
                json_types(kind).contains(&&*field.json_type),
                "{}.{name}: {kind}, {}",
                event.wire(),
                field.json_type
            );
            assert!(!field.summary.is_empty(), "{}.{name}", event.wire());
        }
        let own = entry.fields.iter().filter(|field| !ENVELOPE.contains(&&*field.name)).count();
        let theirs = published.members.iter().filter(|(name, ..)| !ENVELOPE.contains(&&*camel(name))).count();
        assert_eq!(own, theirs, "{}", event.wire());
    }
}

#[test]
fn parts_of_callbacks_have_the_published_names_and_order() {
    let schema = (DIALECT.schema)(&Settings::default(), "CallbackChanged").unwrap();
    for published in published() {
        let Some(part) = schema["$defs"].get(&published.name) else { continue };
        let names: Vec<String> = published.members.iter().map(|(name, ..)| camel(name)).collect();
        assert_eq!(
            part["properties"].as_object().unwrap().keys().collect::<Vec<_>>(),
            names.iter().collect::<Vec<_>>()
        );
    }
    let parts: Vec<&String> = schema["$defs"].as_object().unwrap().keys().collect();
    for part in ["CallbackAttempt", "CallbackExtra", "CallbackRelatedItem"] {
        assert!(parts.iter().any(|name| *name == part), "{part} of {parts:?}");
    }
}

#[test]
fn samples_keep_the_schema_and_others_do_not() {
    for (published, event) in events().filter(|(published, _)| published.sample) {
        let schema = (DIALECT.schema)(&Settings::default(), event.wire()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let members = sample(&published);
        let found: Vec<String> = validator.iter_errors(&json!(members)).map(|it| it.to_string()).collect();
        assert!(found.is_empty(), "{}: {found:?}", published.name);
        for name in members.keys() {
            let mut less = members.clone();
            less.shift_remove(name);
            assert!(!validator.is_valid(&Value::Object(less)), "{} without {name}", published.name);
        }
        let mut more = members;
        more.insert("mood".to_owned(), json!("good"));
        assert!(!validator.is_valid(&Value::Object(more)));
    }
}

#[test]
fn the_dialect_is_in_the_registry_and_says_why() {
    assert!(find("Enreach").is_some_and(|dialect| dialect.channels == ["rte"]));
    let catalogue = (DIALECT.catalogue)();
    for entry in &catalogue.events {
        assert!(!entry.caused_by.is_empty(), "{}", entry.name);
        for field in entry.fields.iter().filter_map(|field| field.enumeration) {
            assert!(catalogue.enumerations.iter().any(|one| one.name == field), "{field}");
        }
    }
}
