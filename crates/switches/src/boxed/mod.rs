//! The built-in switch: telephones, lines, queues and agents without media and without sockets, driven by time, orders
//! and what happens around it. It says observations like any other switch.

mod settings;

use std::collections::VecDeque;

use cordboard_core::event::{CallResult, Cause};
use cordboard_core::{Order, Time};

use crate::{Counts, Output, Switch};
pub use settings::*;

/// Something that people or the network do, around the switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A call arrives from outside.
    Inbound {
        /// Who calls.
        from: String,
        /// The number of the site it is for.
        to: String,
        /// What the network says the calling number is.
        ani: String,
        /// What the network says was dialled.
        dnis: String,
    },
    /// Somebody lifts a handset and dials.
    Dial {
        /// The telephone.
        device: String,
        /// The number.
        to: String,
    },
    /// The network says that the number is being alerted.
    Reach(At),
    /// A call is answered, here or outside.
    Answer {
        /// Where.
        at: At,
        /// By what.
        by: CallResult,
    },
    /// Somebody hangs up, here or outside.
    HangUp(At),
    /// A number outside cannot be reached.
    Fail {
        /// Where.
        at: At,
        /// Why.
        cause: Cause,
    },
    /// What a caller hears at a route point has come to its end.
    TreatmentEnd {
        /// Where.
        at: At,
        /// What the caller keyed in.
        digits: Option<String>,
    },
    /// A telephone fails.
    OutOfService {
        /// Which.
        device: String,
    },
    /// It works again.
    BackInService {
        /// Which.
        device: String,
    },
}

/// A number's part in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The number.
    pub number: String,
    /// The switch's key of the call.
    pub call: String,
}

/// The switch.
#[derive(Debug)]
pub struct Boxed {
    out: VecDeque<Output>,
}

impl Boxed {
    /// A site where nothing has happened yet; it says what it consists of at its first timeout. `chance` makes its keys
    /// of calls other ones than those of its earlier lives.
    #[must_use]
    pub fn new(site: Site, chance: u64) -> Self {
        _ = (site, chance);
        Self { out: VecDeque::new() }
    }

    /// Something happens around the switch. Gives the key of the call it began, if it began one.
    ///
    /// # Errors
    /// Why it cannot happen: there is no such number or call, or it is in another state.
    pub fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        _ = (now, happening);
        Ok(None)
    }
}

impl Switch for Boxed {
    fn handle_connected(&mut self, _now: Time) {}

    fn handle_bytes(&mut self, _now: Time, _bytes: &[u8]) {}

    fn handle_closed(&mut self, _now: Time, _reason: &str) {}

    fn handle_order(&mut self, _now: Time, _order: &Order) {}

    fn handle_timeout(&mut self, _now: Time) {}

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}
