//! Events said in other people's words: one folder a vocabulary, no sockets.
//!
//! A dialect is a row in [`DIALECTS`] and a folder. Its `project` turns one event into messages, given the world as it
//! is right after that event was folded in; its `snapshot` says what is true now, for whoever comes late.

extern crate alloc;

pub mod catalogue;
pub mod enreach;
pub mod genesys;
pub mod near;
pub mod plain;
pub mod published;

use cordboard_core::{Event, World};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use catalogue::Catalogue;

pub use published::schema_path;

/// Every dialect. To add one is to add a folder and a row here.
pub const DIALECTS: &[&Dialect] = &[&genesys::DIALECT, &enreach::DIALECT, &plain::DIALECT];

/// The dialect of this name; upper and lower case are the same.
pub fn find(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.name.eq_ignore_ascii_case(name)).copied()
}

/// One way of saying what happened.
pub struct Dialect {
    /// Its name in the configuration and on the command line.
    pub name: &'static str,
    /// What it is compatible with.
    pub summary: &'static str,
    /// The channels its messages go out on.
    pub channels: &'static [&'static str],
    /// Those of its channels that are topics of Kafka, and kept as such.
    pub topics: &'static [&'static str],
    /// Of each channel, what the keys of its messages are made of.
    pub keys: &'static [(&'static str, &'static str)],
    /// Says one event, in the world right after it.
    pub project: fn(&Settings, &World, Position, &Event, &mut Vec<Message>),
    /// A memory of states, where the vocabulary has messages that say what is, and that are told only when it has become
    /// something else. `project` looks at one event alone and so never says them; see [`Teller`].
    pub states: Option<fn() -> Box<dyn States>>,
    /// Says what is true in a world, as if it had just come about.
    pub snapshot: fn(&Settings, &World, Position, &mut Vec<Message>),
    /// Everything it can say.
    pub catalogue: fn() -> Catalogue,
    /// The JSON Schema of one of its messages, by name; `None` where there is no such message.
    pub schema: fn(&Settings, &str) -> Option<Value>,
    /// The version under which its schemas are published; raised whenever one of them allows something else.
    pub version: u32,
    /// The ways of writing that a site can choose and that have schemas of their own; the first is what is chosen by default.
    pub styles: &'static [Style],
}

/// A way in which a site can have a dialect written.
pub struct Style {
    /// What the version is followed by in the places of its schemas; empty by default, else `-` and a word.
    pub suffix: &'static str,
    /// Whether a site that chose this has it written so.
    pub is_chosen: fn(&Settings) -> bool,
    /// Settings that choose it.
    pub settings: fn() -> Settings,
}

/// For dialects that are written in one way only.
pub const ONE_STYLE: &[Style] = &[Style { suffix: "", is_chosen: |_| true, settings: Settings::default }];

/// Messages that say what is: what was said last is remembered, and only what has become something else is said.
pub trait States: Send {
    /// Says the states that an event changed, in the world right after it.
    fn say(&mut self, world: &World, at: Position, event: &Event, out: &mut Vec<Message>);
}

/// Says a whole stream from its beginning, states included.
pub struct Teller {
    /// The vocabulary.
    pub dialect: &'static Dialect,
    states: Option<Box<dyn States>>,
}

impl Teller {
    /// For a stream from its beginning.
    #[must_use]
    pub fn new(dialect: &'static Dialect) -> Self {
        Self { dialect, states: dialect.states.map(|states| states()) }
    }

    /// Says the next event, in the world right after it, then the states it changed.
    pub fn say(&mut self, settings: &Settings, world: &World, at: Position, event: &Event, out: &mut Vec<Message>) {
        (self.dialect.project)(settings, world, at, event, out);
        if let Some(states) = &mut self.states {
            states.say(world, at, event, out);
        }
    }
}

/// Place of an event in a tenant's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Grows whenever a log is founded anew.
    pub epoch: u64,
    /// Grows by one with every event.
    pub sequence: u64,
}

/// What a site can choose about the dialects; a part of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// About the dialect `enreach`.
    pub enreach: enreach::Settings,
    /// About the dialect `genesys`.
    pub genesys: genesys::Settings,
}

/// The channel of messages that are for one client only: the one that their key names. It is no topic.
pub const CLIENT_CHANNEL: &str = "client";

/// Whether messages on this channel are for the client that their key names, and for nobody else.
#[must_use]
pub fn is_private(channel: &str) -> bool {
    channel == CLIENT_CHANNEL
}

/// One message of a dialect, ready for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel it goes out on: a topic, or the name of a hub.
    pub channel: &'static str,
    /// Its name in the dialect's catalogue, by which its schema is found.
    pub name: &'static str,
    /// The record's key; equal keys keep their order.
    pub key: String,
    /// The message as JSON text.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_found_in_any_case() {
        for (at, dialect) in DIALECTS.iter().enumerate() {
            assert!(DIALECTS.iter().skip(at + 1).all(|other| other.name != dialect.name));
            assert!(find(&dialect.name.to_uppercase()).is_some_and(|found| found.name == dialect.name));
            assert!(!dialect.channels.is_empty());
            assert!(dialect.topics.iter().all(|topic| dialect.channels.contains(topic) && !is_private(topic)));
            assert!(dialect.keys.iter().map(|(channel, _)| channel).eq(dialect.channels));
        }
        assert!(find("klingon").is_none());
    }

    #[test]
    fn every_message_in_a_catalogue_has_a_schema_and_a_channel_of_its_dialect() {
        let settings = Settings::default();
        for dialect in DIALECTS {
            let catalogue = (dialect.catalogue)();
            assert_eq!(catalogue.dialect, dialect.name);
            for entry in &catalogue.events {
                assert!(dialect.channels.contains(&entry.channel), "{}: {}", dialect.name, entry.name);
                let schema = (dialect.schema)(&settings, &entry.name).unwrap();
                assert!(jsonschema::meta::is_valid(&schema), "{}: {}", dialect.name, entry.name);
                for field in &entry.fields {
                    assert!(schema["properties"].get(&*field.name).is_some(), "{}: {}", entry.name, field.name);
                }
            }
            for entry in &catalogue.requests {
                let schema = (dialect.schema)(&settings, &entry.name).unwrap();
                assert!(jsonschema::meta::is_valid(&schema), "{}: {}", dialect.name, entry.name);
                for parameter in &entry.parameters {
                    assert!(schema["properties"].get(&*parameter.name).is_some(), "{}: {}", entry.name, parameter.name);
                }
            }
            assert!((dialect.schema)(&settings, "NoSuchMessage").is_none());
        }
    }
}
