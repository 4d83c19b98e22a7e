//! A story as data.

use std::collections::BTreeSet;

use cordboard_core::{ConnId, request};
use cordboard_switches::boxed::{Happening, Site};

/// A site and what happens there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story {
    /// What it is about; the first line is its title.
    pub about: Vec<String>,
    /// Where it happens.
    pub site: Site,
    /// Numbers without a client of their own from the start.
    pub unregistered: BTreeSet<String>,
    /// Names of calls. In the steps, a call is its place in this list, from 1, in requests; its name in happenings.
    pub calls: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A client asks for something.
    Ask(Ask),
    /// Something happens around the switch.
    Now {
        /// What; a call is its name in the story.
        happening: Happening,
        /// The name of the call that it begins.
        begins: Option<String>,
    },
    /// Time passes.
    Wait {
        /// How much, in milliseconds.
        ms: u64,
    },
    /// A client is gone.
    Leave {
        /// Its name.
        client: String,
    },
    /// A remark, for readers only.
    Note(String),
}

/// A request in a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whose; none for the client of the device.
    pub client: Option<String>,
    /// What that client calls it.
    pub reference: Option<u64>,
    /// The number it is about.
    pub device: String,
    /// What; a call is its place in the story's list of names, from 1.
    pub ask: request::Ask,
    /// The name of the call that it begins.
    pub begins: Option<String>,
}

impl Story {
    /// The story's title.
    #[must_use]
    pub fn title(&self) -> &str {
        self.about.first().map_or("", String::as_str)
    }

    /// The place of a name in the list of calls; it is put there if it is new.
    pub fn call(&mut self, name: &str) -> ConnId {
        let place = self.calls.iter().position(|call| call == name).unwrap_or_else(|| {
            self.calls.push(name.to_string());
            self.calls.len() - 1
        });
        ConnId(place as u64 + 1)
    }

    /// The name of the call at a place.
    #[must_use]
    pub fn name(&self, place: ConnId) -> &str {
        let place = usize::try_from(place.0.wrapping_sub(1)).unwrap_or(usize::MAX);
        self.calls.get(place).map_or("?", String::as_str)
    }
}

/// The calls that a request names.
pub fn calls_mut(ask: &mut request::Ask) -> Vec<&mut ConnId> {
    use request::Ask::{
        Alternate, Answer, Change, ChangeData, Clear, Complete, Consult, Dnd, DropParty, Forward, Hold, Listen, Login,
        Logout, MakeCall, MakePredictiveCall, Merge, Messages, Monitor, MonitorEnd, Mute, MuteTransfer, NotReady, Park,
        Pickup, QueryAddress, QueryCall, QueryServer, Ready, Reconnect, Record, Redirect, Register, Release, Reserve,
        Retrieve, Route, SetMask, SetReference, SetVariable, SingleStep, Supervise, Tones, Treat, Unpark, Unregister,
    };
    match ask {
        Answer { call }
        | Release { call }
        | Clear { call }
        | Hold { call }
        | Retrieve { call }
        | QueryCall { call }
        | Redirect { call, .. }
        | Consult { call, .. }
        | MuteTransfer { call, .. }
        | SingleStep { call, .. }
        | DropParty { call, .. }
        | Listen { call, .. }
        | Mute { call, .. }
        | Route { call, .. }
        | Treat { call, .. }
        | ChangeData { call, .. }
        | Park { call, .. }
        | Tones { call, .. }
        | Record { call, .. }
        | SetVariable { call, .. } => vec![call],
        Alternate { call, held }
        | Reconnect { call, held }
        | Complete { call, held, .. }
        | Merge { call, held, .. } => vec![call, held],
        Register
        | Unregister
        | QueryAddress { .. }
        | QueryServer
        | SetReference { .. }
        | SetMask { .. }
        | Login { .. }
        | Logout { .. }
        | Ready { .. }
        | NotReady { .. }
        | Reserve { .. }
        | Dnd { .. }
        | Forward { .. }
        | Messages { .. }
        | MakeCall { .. }
        | MakePredictiveCall { .. }
        | Monitor { .. }
        | MonitorEnd { .. }
        | Supervise { .. }
        | Pickup { .. }
        | Unpark { .. }
        | Change(_) => Vec::new(),
    }
}
