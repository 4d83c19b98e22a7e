//! The vocabulary of Genesys Voice Microservices: 42 events on two topics, the requests of the T-Library, and what is
//! answered to clients.
//!
//! An independent implementation, made from public documentation; compatible with it and not affiliated to its vendor.
//!
//! Reading order: `attributes`, `enums` and `messages` are the words; `project` leads to `devices`, `calls` and `legs`,
//! which say which fact of ours becomes which event of theirs, with `party` for the attributes that a leg brings along
//! and `scene` for the moment; `requests` reads what clients ask for, `client` says what they are answered; `snapshot` says what is true now; `rules` is the contract of the stream.

pub mod attributes;
mod calls;
pub mod catalogue;
pub mod client;
mod devices;
pub mod enums;
mod legs;
pub mod messages;
mod party;
mod project;
pub mod requests;
mod routing;
pub mod rules;
mod scene;
mod snapshot;

use serde::{Deserialize, Serialize};

use crate::{Dialect, Style};
use enums::EnumStyle;
use messages::Topic;

pub use project::caused_by;

/// The row of the registry.
pub const DIALECT: Dialect = Dialect {
    name: "genesys",
    summary: "events of Genesys Voice Microservices, on the topics voice-agentstate and voice-callthread",
    channels: &[Topic::AgentState.name(), Topic::CallThread.name(), Topic::Client.name()],
    topics: &[Topic::AgentState.name(), Topic::CallThread.name()],
    keys: &[
        (
            Topic::AgentState.name(),
            "`{tenant}:{AgentID}`, or `{tenant}:{ThisDN}` where no agent is logged in on the number",
        ),
        (Topic::CallThread.name(), "`{tenant}:{CallThreadID}`"),
        (Topic::Client.name(), "`{token}/{connection}`"),
    ],
    project: project::project,
    states: None,
    snapshot: snapshot::snapshot,
    catalogue: catalogue::catalogue,
    schema: |settings, event| catalogue::schema(event, settings.genesys.enum_style),
    version: 1,
    styles: STYLES,
};

const STYLES: &[Style] = &[
    Style {
        suffix: "",
        is_chosen: |settings| settings.genesys.enum_style == EnumStyle::Name,
        settings: || in_style(EnumStyle::Name),
    },
    Style {
        suffix: "-number",
        is_chosen: |settings| settings.genesys.enum_style == EnumStyle::Number,
        settings: || in_style(EnumStyle::Number),
    },
];

fn in_style(enum_style: EnumStyle) -> crate::Settings {
    crate::Settings { genesys: Settings { enum_style, ..Settings::default() }, ..crate::Settings::default() }
}

/// What a site can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether enumerated attributes are written by name or by number.
    pub enum_style: EnumStyle,
    /// The attribute `Server`: what names the service towards its clients.
    pub server: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enum_style: EnumStyle::Name, server: "cordboard".to_owned() }
    }
}
