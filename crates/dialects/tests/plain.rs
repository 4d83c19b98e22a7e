//! Our own vocabulary: the event as it is stored, with its place.

use cordboard_core::event::{AgentFact, DeviceFact, DeviceKind};
use cordboard_core::{Event, Fact, Origin, Time, World, evolve};
use cordboard_dialects::{Position, Settings, find};
use serde_json::{Value, json};

const AT: Position = Position { epoch: 3, sequence: 7 };

fn events() -> Vec<Event> {
    let facts = [
        Fact::Founded { tenant: "acme".to_owned() },
        Fact::Device {
            device: "101".to_owned(),
            fact: DeviceFact::Found { kind: DeviceKind::Extension, switch: "pbx".to_owned() },
        },
        Fact::Agent { agent: "8001".to_owned(), fact: AgentFact::LoggedIn { device: "101".to_owned(), queue: None } },
    ];
    let event = |fact| Event { at: Time(5), since: Some(Time(4)), origin: Origin::Synthesised, request: None, fact };
    facts.into_iter().map(event).collect()
}

#[test]
fn a_message_is_the_event_and_its_place() {
    let dialect = find("cordboard").unwrap();
    let validator = jsonschema::validator_for(&(dialect.schema)(&Settings::default(), "event").unwrap()).unwrap();
    let mut world = World::default();
    for event in events() {
        evolve(&mut world, &event);
        let mut said = Vec::new();
        (dialect.project)(&Settings::default(), &world, AT, &event, &mut said);
        let [message] = said.as_slice() else { panic!("one message an event, not {said:?}") };
        assert_eq!((message.channel, message.key.as_str()), ("cordboard-event", "acme"));
        let value: Value = serde_json::from_str(&message.value).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        assert_eq!((&value["epoch"], &value["sequence"], &value["at"]), (&json!(3), &json!(7), &json!(5)));
        assert_eq!(serde_json::from_value::<Event>(value).unwrap(), event, "the place is no part of the event");
    }
}

#[test]
fn a_snapshot_is_the_world_and_its_place() {
    let dialect = find("cordboard").unwrap();
    let mut world = World::default();
    events().iter().for_each(|event| evolve(&mut world, event));
    let mut said = Vec::new();
    (dialect.snapshot)(&Settings::default(), &world, AT, &mut said);
    let value: Value = serde_json::from_str(&said[0].value).unwrap();
    let schema = (dialect.schema)(&Settings::default(), "snapshot").unwrap();
    assert!(jsonschema::is_valid(&schema, &value));
    assert_eq!(serde_json::from_value::<World>(value["snapshot"].clone()).unwrap(), world);
}
