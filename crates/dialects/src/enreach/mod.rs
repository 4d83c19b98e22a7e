//! The vocabulary of the Enreach Real-Time Engine: 36 events about people, queues and call lists.
//!
//! An independent implementation, made from public documentation; compatible with it and not affiliated to its vendor.
//!
//! Reading order: `names` and `messages` are the words, `values` what they are made of, `ids` and `person` say who and what
//! is meant; `say` leads to the rooms that say which fact of ours becomes which events of theirs: `offers` and `own_calls`
//! for legs, `diversion` and `handovers` for calls that go elsewhere, `supervision`, `wrapup`, `terminals` and `directory`;
//! `status` says what is true of a person or a queue, `touched` whose status an event may have changed, and `board` which
//! of them are news; `expression` reads the conditions of alerts.

mod board;
mod catalogue;
mod directory;
mod diversion;
pub mod expression;
mod handovers;
pub mod ids;
pub mod messages;
pub mod names;
mod offers;
mod own_calls;
mod party;
pub mod person;
pub mod rules;
mod say;
mod scene;
mod snapshot;
mod status;
mod supervision;
mod terminals;
mod touched;
pub mod values;
mod wrapup;

use cordboard_core::{Event, Guid, World};
use serde::{Deserialize, Serialize};

pub use board::Board;
pub use names::{EntityKind, EventName};
pub use say::say;
pub use status::{queue_status, user_status};
pub use touched::{Touched, touched};

use crate::{Dialect, Message, ONE_STYLE, Position, States};

/// The row of the registry.
pub const DIALECT: Dialect = Dialect {
    name: "enreach",
    summary: "events of the Enreach Real-Time Engine (RTE), as its hub tells them",
    channels: &[catalogue::CHANNEL],
    topics: &[],
    keys: &[(catalogue::CHANNEL, "`{entityId}:{eventType}`")],
    project: |settings, world, at, event, out| {
        let mut said = Vec::new();
        say(settings, world, at, event, &mut said);
        out.extend(said.into_iter().map(Message::from));
    },
    states: Some(|| Box::<Board>::default()),
    snapshot: |settings, world, at, out| {
        let mut said = Vec::new();
        snapshot::snapshot(settings, world, at, &mut said);
        out.extend(said.into_iter().map(Message::from));
    },
    catalogue: catalogue::catalogue,
    schema: |_, event| catalogue::schema(event),
    version: 1,
    styles: ONE_STYLE,
};

impl From<Said> for Message {
    fn from(said: Said) -> Self {
        let key = format!("{}:{}", said.entity, said.event.wire());
        Self { channel: catalogue::CHANNEL, name: said.event.wire(), key, value: said.body }
    }
}

impl States for Board {
    fn say(&mut self, world: &World, at: Position, event: &Event, out: &mut Vec<Message>) {
        let mut said = Vec::new();
        Board::say(self, world, at, event, &mut said);
        out.extend(said.into_iter().map(Message::from));
    }
}

/// An event of the vocabulary, about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which event.
    pub event: EventName,
    /// What it is about: the id of a person, queue or call list.
    pub entity: Guid,
    /// Another thing that whoever is told must be allowed to see as well: of an alert, the queue it counts.
    pub also: Option<Guid>,
    /// The event as a JSON object; its members have the order and the spelling of the wire.
    pub body: String,
}

impl Said {
    /// What a state says, without which event and when: equal to the one before where nothing changed. Everything of an
    /// event that tells what happened.
    #[must_use]
    pub fn content(&self) -> &str {
        let end = if self.event.is_state() { self.body.rfind(STATE_MARK) } else { None };
        end.and_then(|end| self.body.get(..end)).unwrap_or(&self.body)
    }
}

/// Where the id and the time of a state begin; nothing comes after them.
const STATE_MARK: &str = ",\"id\":\"";

/// What a site can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of the platform, as telephones are told to be part of it.
    pub silo: String,
    /// The number that supervisors call to join a call; empty where they ask by a request.
    pub supervision_number: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { silo: "cordboard".to_owned(), supervision_number: String::new() }
    }
}
