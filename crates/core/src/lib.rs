//! The live state of a contact centre as two plain functions: [`decide`] says what follows from an input, [`evolve`]
//! folds it into the [`World`].
//!
//! `decide` changes nothing, `evolve` refuses nothing. Neither reads a clock, draws a number by chance, touches the
//! outside or knows a vendor's word. The same code runs live, in replay, in simulation and under the fuzzer.
#![no_std]

extern crate alloc;

pub mod agent;
mod agent_decide;
mod ask;
pub mod call;
mod call_decide;
mod call_evolve;
mod call_fact;
mod callback_decide;
pub mod change;
pub mod condition;
mod counting;
pub mod counts;
pub mod datum;
mod device_decide;
pub mod directory;
mod directory_check;
mod directory_decide;
mod directory_elapsed;
mod directory_evolve;
mod directory_fact;
mod dues;
pub mod event;
mod evolve;
pub mod facts;
pub mod guid;
pub mod ids;
pub mod limits;
pub mod listed;
pub mod observation;
pub mod presence;
pub mod record;
mod reindex;
pub mod request;
mod request_decide;
mod stored;
mod tally;
mod transfer;
mod words;
pub mod world;
mod wrapup_decide;

use alloc::vec::Vec;

pub use callback_decide::overflow_id;
pub use event::{Event, Fact, Origin};
pub use evolve::evolve;
pub use guid::Guid;
pub use ids::{CallId, ConnId, LegId, RequestId, ThreadId, Time};
pub use observation::{Observation, Seen};
pub use request::{Order, Request};
pub use request_decide::{known, order};
pub use world::World;

/// Everything that can make something follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A new, empty log is opened for a tenant at this time.
    Found {
        /// The tenant's name.
        tenant: alloc::string::String,
        /// When.
        at: Time,
    },
    /// A switch said something.
    Observed(Observation),
    /// A client asks for something.
    Requested {
        /// When.
        at: Time,
        /// What.
        request: Request,
    },
    /// A client is gone.
    Left {
        /// When.
        at: Time,
        /// Its name.
        client: alloc::string::String,
    },
    /// Time has come this far; see [`World::next_timer`].
    Elapsed(Time),
}

/// What follows from `input` in this world, in order. Nothing is changed; an input that says nothing new gives nothing.
#[must_use]
pub fn decide(world: &World, input: &Input) -> Vec<Event> {
    match input {
        Input::Found { tenant, at } => {
            if world.tenant.is_empty() {
                Vec::from([Event {
                    at: *at,
                    since: None,
                    origin: Origin::Live,
                    request: None,
                    fact: Fact::Founded { tenant: tenant.clone() },
                }])
            } else {
                Vec::new()
            }
        }
        Input::Observed(observation) => {
            let mut told = Told::new(world, observation.at, observation.since, observation.origin);
            told.request = observation.request;
            match &observation.seen {
                Seen::Switch(seen) => device_decide::switch(world, &observation.switch, seen, &mut told),
                Seen::Device { device, seen } => {
                    device_decide::device(world, &observation.switch, device, seen, &mut told)
                }
                Seen::Queue { queue, seen } => device_decide::queue(world, &observation.switch, queue, seen, &mut told),
                Seen::Agent { agent, seen } => agent_decide::agent(world, &observation.switch, agent, seen, &mut told),
                Seen::Request { request, seen } => request_decide::seen(world, *request, seen, &mut told),
                Seen::Call { call, seen } => call_decide::call(world, &observation.switch, call, seen, &mut told),
                Seen::Leg { leg, seen } => call_decide::leg(world, &observation.switch, leg, seen, &mut told),
            }
            callback_decide::overflow(world, &mut told);
            told.events
        }
        Input::Elapsed(now) => {
            let mut told = Told::new(world, *now, None, Origin::Synthesised);
            agent_decide::elapsed(world, *now, &mut told);
            directory_elapsed::elapsed(world, *now, &mut told);
            request_decide::elapsed(world, *now, &mut told);
            told.events
        }
        Input::Requested { at, request } => {
            let mut told = Told::new(world, *at, None, Origin::Live);
            request_decide::requested(world, request, &mut told);
            told.events
        }
        Input::Left { at, client } => {
            let mut told = Told::new(world, *at, None, Origin::Live);
            request_decide::left(world, client, &mut told);
            told.events
        }
    }
}

/// The events that follow from one input, as they are collected.
struct Told {
    at: Time,
    since: Option<Time>,
    origin: Origin,
    request: Option<RequestId>,
    events: Vec<Event>,
}

impl Told {
    /// Time never runs backwards in a log, whatever clock an observation was stamped by.
    fn new(world: &World, at: Time, since: Option<Time>, origin: Origin) -> Self {
        let at = at.max(world.now);
        Self { at, since: since.filter(|since| *since < at), origin, request: None, events: Vec::new() }
    }

    fn tell(&mut self, fact: Fact) {
        self.events.push(Event { at: self.at, since: self.since, origin: self.origin, request: self.request, fact });
    }
}
