//! The built-in switch: telephones, lines, queues and agents without media and without sockets, driven by time, orders
//! and what happens around it. It says observations like any other switch.

mod acd;
mod agents;
mod calls;
mod ending;
mod features;
mod joining;
mod monitoring;
mod outside;
mod parking;
mod predictive;
mod reach;
mod routing;
mod say;
mod settings;
mod start;
mod talk;
mod timers;
mod wishes;
mod wrapup;

use std::collections::{BTreeMap, VecDeque};

use cordboard_core::event::{CallResult, Cause, Monitor};
use cordboard_core::observation::RequestSeen;
use cordboard_core::request::{Ask, Refusal};
use cordboard_core::{Order, RequestId, Seen, Time};

use crate::{Counts, Output, Switch};
use acd::Wait;
use agents::Agent;
use calls::{Call, CallNo, Leg, LegNo};
use monitoring::Supervision;
use parking::Parked;
use reach::{Alert, Phone, Via};
use routing::Route;
pub use settings::*;
use timers::Timer;

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
    name: String,
    options: Options,
    /// Directory numbers that are no telephones.
    numbers: BTreeMap<String, Number>,
    phones: BTreeMap<String, Phone>,
    agents: BTreeMap<String, Agent>,
    calls: BTreeMap<CallNo, Call>,
    legs: BTreeMap<LegNo, Leg>,
    /// Calls in queues, in the order in which they came.
    waits: BTreeMap<u64, Wait>,
    /// Calls that wait for a routing instruction.
    routes: BTreeMap<u64, Route>,
    /// Telephones that are called but not alerted yet.
    alerts: BTreeMap<u64, Alert>,
    /// What supervisors want to take part in, by their telephones.
    monitors: BTreeMap<String, Monitor>,
    /// What supervisors take part in, by their telephones.
    supervisions: BTreeMap<String, Supervision>,
    parked: BTreeMap<String, Parked>,
    timers: BTreeMap<(Time, u64), Timer>,
    /// The longest directory number.
    longest: usize,
    /// Makes keys other ones than those of earlier lives.
    chance: u64,
    last: u64,
    now: Time,
    /// The request that is being carried out.
    request: Option<RequestId>,
    started: bool,
    /// Whether a call may have met a free agent.
    restless: bool,
    taken_in: u64,
    out: VecDeque<Output>,
}

impl Boxed {
    /// A site where nothing has happened yet; it says what it consists of at its first timeout. `chance` makes its keys
    /// of calls other ones than those of its earlier lives.
    #[must_use]
    pub fn new(site: Site, chance: u64) -> Self {
        let mut boxed = Self {
            name: site.switch,
            options: site.options,
            numbers: BTreeMap::new(),
            phones: BTreeMap::new(),
            agents: BTreeMap::new(),
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            waits: BTreeMap::new(),
            routes: BTreeMap::new(),
            alerts: BTreeMap::new(),
            monitors: BTreeMap::new(),
            supervisions: BTreeMap::new(),
            parked: BTreeMap::new(),
            timers: BTreeMap::new(),
            longest: 0,
            chance,
            last: 0,
            now: Time::default(),
            request: None,
            started: false,
            restless: false,
            taken_in: 0,
            out: VecDeque::new(),
        };
        boxed.set_up(site.numbers, site.agents);
        boxed
    }

    /// Something happens around the switch. Gives the key of the call it began, if it began one.
    ///
    /// # Errors
    /// Why it cannot happen: there is no such number or call, or it is in another state.
    pub fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        self.take_in(now);
        let happened = match happening {
            Happening::Inbound { from, to, ani, dnis } => self.inbound(from, to, ani, dnis).map(Some),
            Happening::Dial { device, to } => self.dial_by_hand(device, to).map(Some),
            Happening::Reach(at) => self.network_reached(at).map(|()| None),
            Happening::Answer { at, by } => self.picked_up(at, *by).map(|()| None),
            Happening::HangUp(at) => self.hung_up(at).map(|()| None),
            Happening::Fail { at, cause } => self.network_failed(at, *cause).map(|()| None),
            Happening::TreatmentEnd { at, digits } => self.treatment_ended(at, digits.clone()).map(|()| None),
            Happening::OutOfService { device } => self.fails(device).map(|()| None),
            Happening::BackInService { device } => self.works_again(device).map(|()| None),
        };
        self.distribute();
        happened.map(|call| call.map(|call| self.call_key(call)))
    }

    fn take_in(&mut self, now: Time) {
        self.taken_in = self.taken_in.saturating_add(1);
        self.now = self.now.max(now);
        if !self.started {
            self.start();
        }
    }

    /// Does what is asked, or says why not; then nothing was done.
    fn carry_out(&mut self, order: &Order) -> Result<(), Refused> {
        match &order.ask {
            Ask::Login { agent, queue, mode, reasons, wrapup_s } => {
                self.log_in(&order.device, agent, queue.as_deref(), (*mode, reasons), *wrapup_s)
            }
            Ask::Logout { queue, .. } => self.log_out(order, queue.as_deref()),
            Ask::Ready { mode, reasons, .. } => self.make_ready(order, *mode, reasons),
            Ask::NotReady { mode, reasons, .. } => self.make_not_ready(order, *mode, reasons),
            Ask::Dnd { on } => self.set_dnd(&order.device, *on),
            Ask::Forward { mode, to } => self.set_forward(&order.device, *mode, to.as_deref()),
            Ask::Messages { on } => self.set_messages(&order.device, *on),
            Ask::MakeCall { to, user_data } => self.make_call(&order.device, to, user_data),
            Ask::MakePredictiveCall { to, ring_ms, user_data, targets } => {
                self.make_predictive_call(&order.device, to, (*ring_ms, targets), user_data)
            }
            Ask::Answer { .. } => self.answer_call(order),
            Ask::Release { .. } => self.release(order),
            Ask::Clear { .. } => self.clear(order),
            Ask::Hold { .. } => self.hold_call(order),
            Ask::Retrieve { .. } => self.retrieve_call(order),
            Ask::Alternate { .. } => self.alternate(order),
            Ask::Reconnect { .. } => self.reconnect(order),
            Ask::Redirect { to, .. } => self.redirect(order, to),
            Ask::Consult { to, user_data, .. } => self.consult(order, to, user_data, Via::default()).map(|_| ()),
            Ask::Complete { purpose, .. } => self.complete(order, *purpose),
            Ask::Merge { purpose, .. } => self.complete(order, *purpose),
            Ask::MuteTransfer { to, user_data, .. } => self.mute_transfer(order, to, user_data),
            Ask::SingleStep { to, user_data, purpose, .. } => self.single_step(order, to, *purpose, user_data),
            Ask::DropParty { who, .. } => self.drop_party(order, who),
            Ask::Listen { who, on, .. } => self.set_listening(order, who, *on),
            Ask::Mute { on, .. } => self.set_mute(order, *on),
            Ask::Route { to, kind, .. } => self.route(order, to.as_deref(), *kind),
            Ask::Treat { kind, parameters, .. } => self.treat(order, *kind, parameters),
            Ask::Monitor { target, scope, mode } => self.monitor(&order.device, target, *scope, *mode),
            Ask::MonitorEnd { target } => self.end_monitor(&order.device, target),
            Ask::Supervise { target, mode } => self.supervise(&order.device, target, *mode),
            Ask::Pickup { target } => self.pick_up(&order.device, target),
            Ask::Park { space, .. } => self.park(order, space.as_deref()),
            Ask::Unpark { space } => self.unpark(&order.device, space),
            Ask::Tones { .. } => self.send_tones(order),
            Ask::Record { on, file, .. } => self.record(order, *on, file.as_deref()),
            Ask::SetVariable { name, value, .. } => self.set_variable(order, name, value),
            Ask::Change(change) => self.change(order, change),
            Ask::Register
            | Ask::Unregister
            | Ask::QueryAddress { .. }
            | Ask::QueryCall { .. }
            | Ask::QueryServer
            | Ask::SetReference { .. }
            | Ask::SetMask { .. }
            | Ask::Reserve { .. }
            | Ask::ChangeData { .. } => {
                refuse(Refusal::Unsupported, "no switch is needed for this; it is answered before one is asked")
            }
        }
    }
}

impl Switch for Boxed {
    fn handle_connected(&mut self, _now: Time) {}

    fn handle_bytes(&mut self, _now: Time, _bytes: &[u8]) {}

    fn handle_closed(&mut self, _now: Time, _reason: &str) {}

    fn handle_order(&mut self, now: Time, order: &Order) {
        self.take_in(now);
        self.request = Some(order.request);
        let done = self.carry_out(order);
        self.distribute();
        let seen = match done {
            Ok(()) => RequestSeen::Done,
            Err((refusal, why)) => RequestSeen::Refuse { refusal, why },
        };
        self.say(Seen::Request { request: order.request, seen });
        self.request = None;
    }

    fn handle_timeout(&mut self, now: Time) {
        if !self.started {
            self.now = self.now.max(now);
            self.start();
        }
        self.run_timers(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        if self.started { self.timers.first_key_value().map(|((due, _), _)| *due) } else { Some(Time(0)) }
    }

    fn counts(&self) -> Counts {
        Counts { messages: self.taken_in, ..Counts::default() }
    }
}

/// Why something asked for is not done.
type Refused = (Refusal, String);

fn refuse<T>(refusal: Refusal, why: impl Into<String>) -> Result<T, Refused> {
    Err((refusal, why.into()))
}
