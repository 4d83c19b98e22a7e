//! The words themselves: every sample parses and prints back, every published table is kept, and nothing is optional
//! that is mandatory.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cordboard_core::event::Direction;
use cordboard_dialects::genesys::catalogue::{attribute, catalogue, schema};
use cordboard_dialects::genesys::enums::{ENUMERATIONS, EnumStyle};
use cordboard_dialects::genesys::messages::{EVENTS, Topic, TopicEvent};
use cordboard_dialects::genesys::requests::REQUEST_ENUMERATIONS;
use serde_json::{Map, Value, json};

use crate::story::Story;

fn samples() -> Vec<(String, Map<String, Value>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/genesys/samples");
    let read = |name: &str| fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    EVENTS
        .iter()
        .map(|spec| (read(spec.name), spec))
        .map(|(text, _)| (text.clone(), serde_json::from_str(&text).unwrap()))
        .collect()
}

#[test]
fn there_are_42_events_and_as_many_attributes() {
    assert_eq!(EVENTS.len(), 42);
    assert_eq!(EVENTS.iter().filter(|spec| spec.topic == Topic::AgentState).count(), 21);
    let used: BTreeSet<&str> =
        EVENTS.iter().flat_map(|spec| [spec.mandatory, spec.optional, spec.disputed].concat()).collect();
    assert_eq!(used.len(), 42, "{used:?}");
    assert!(used.iter().all(|name| attribute(name).is_some()));
}

#[test]
fn samples_parse_and_print_back_the_same() {
    for (text, members) in samples() {
        let parsed: TopicEvent<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed.spec().name, members["id"]);
        assert_eq!(format!("{}\n", serde_json::to_string_pretty(&parsed).unwrap()), text);
        let validator = jsonschema::validator_for(&schema(parsed.spec().name, EnumStyle::Name).unwrap()).unwrap();
        assert!(validator.is_valid(&Value::Object(members)));
    }
}

#[test]
fn mandatory_members_are_mandatory_and_foreign_ones_are_refused() {
    for (_, members) in samples() {
        let name = members["id"].as_str().unwrap().to_owned();
        let spec = EVENTS.iter().find(|spec| spec.name == name).unwrap();
        let validator = jsonschema::validator_for(&schema(&name, EnumStyle::Name).unwrap()).unwrap();
        for member in members.keys() {
            let mut less = members.clone();
            less.shift_remove(member);
            let fits = !spec.mandatory.contains(&member.as_str());
            let less = Value::Object(less);
            assert_eq!(serde_json::from_value::<TopicEvent<'_>>(less.clone()).is_ok(), fits, "{name} without {member}");
            assert_eq!(validator.is_valid(&less), fits, "{name} without {member}");
        }
        let mut more = members.clone();
        more.insert("Mood".to_owned(), json!("good"));
        let more = Value::Object(more);
        assert!(serde_json::from_value::<TopicEvent<'_>>(more.clone()).is_err() && !validator.is_valid(&more));
        let mut null = members;
        null.insert(spec.mandatory.last().unwrap().to_string(), Value::Null);
        assert!(!validator.is_valid(&Value::Object(null)), "{name} with a null");
    }
}

/// The attribute tables of the published reference, as far as they were published in full.
#[test]
fn published_tables_are_kept_to_the_letter() {
    let text = include_str!("../../src/genesys/samples/published_tables.json");
    let tables: Map<String, Value> = serde_json::from_str(text).unwrap();
    assert_eq!(tables.len(), 14);
    for (name, table) in tables {
        let spec = EVENTS.iter().find(|spec| spec.name == name).unwrap();
        let published = |list: &str| -> BTreeSet<String> {
            table[list].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let ours = |list: &[&str]| -> BTreeSet<String> { list.iter().map(ToString::to_string).collect() };
        assert_eq!(ours(spec.mandatory), published("mandatory"), "{name}");
        assert_eq!(ours(spec.optional), published("optional"), "{name}");
    }
}

#[test]
fn id_comes_first_on_the_wire() {
    let mut story = Story::new();
    story.inbound(1);
    for message in &story.messages {
        assert!(message.value.starts_with("{\"id\":\"Event"), "{}", message.value);
    }
}

#[test]
fn numbers_instead_of_names() {
    let mut story = Story::new();
    story.begin(1, Direction::Inbound, "+3581", "+3589", None);
    story.dials(1, "+3581");
    story.rings(1, "101", None);
    let named = story.last();
    let mut numbered = Story::new();
    numbered.settings.genesys.enum_style = EnumStyle::Number;
    let mut said = Vec::new();
    (cordboard_dialects::genesys::DIALECT.snapshot)(
        &numbered.settings,
        &story.world,
        cordboard_dialects::Position { epoch: 1, sequence: 1 },
        &mut said,
    );
    let value: Value = serde_json::from_str(&said.last().unwrap().value).unwrap();
    assert_eq!(named["CallType"], "Inbound");
    assert_eq!(value["id"], "EventRinging");
    assert_eq!((&value["CallType"], &value["CallState"]), (&json!(2), &json!(0)));
    assert_eq!((&value["ThisDNRole"], &value["OtherDNRole"]), (&json!(2), &json!(1)));
    assert_eq!(value["ThisDN"], "101", "other texts stay texts");
    let schema = schema("EventRinging", EnumStyle::Number).unwrap();
    assert!(jsonschema::is_valid(&schema, &value));
    assert!(!jsonschema::is_valid(&schema, &named));
}

#[test]
fn enumerations_are_what_the_catalogue_says() {
    let catalogue = catalogue();
    assert_eq!(catalogue.enumerations.len(), ENUMERATIONS.len() + REQUEST_ENUMERATIONS.len() + 4);
    for entry in &catalogue.requests {
        for parameter in &entry.parameters {
            let known = |name| catalogue.enumerations.iter().any(|one| one.name == name);
            assert!(parameter.enumeration.is_none_or(known), "{}.{}", entry.name, parameter.name);
        }
    }
    for entry in &catalogue.events {
        for field in &entry.fields {
            let known = |name| catalogue.enumerations.iter().any(|one| one.name == name);
            assert!(field.enumeration.is_none_or(known), "{}.{}", entry.name, field.name);
        }
    }
    let state = ENUMERATIONS.iter().find(|one| one.name == "CallState").unwrap();
    assert_eq!((state.number("Bridged"), state.number("Deafened"), state.number("OK")), (Some(31), Some(49), None));
}
