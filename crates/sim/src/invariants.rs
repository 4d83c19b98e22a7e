//! What must hold of every life, whatever was done to it.

use std::collections::{BTreeMap, BTreeSet};

use cordboard_core::event::CallFact;
use cordboard_core::record::CallRecord;
use cordboard_core::world::{Agent, Device, Queue};
use cordboard_core::{Event, Fact, Time, World, evolve};

use crate::life::Life;

/// Checks a life.
///
/// # Errors
/// The first thing that does not hold, in words.
pub fn check(life: &Life) -> Result<(), String> {
    let mut again = life.founded.clone();
    let (mut open, mut last) = (BTreeSet::new(), Time(0));
    for event in &life.events {
        if event.at < last {
            return Err(format!("time runs backwards at {event:?}"));
        }
        last = event.at;
        stored_is_read_back(event)?;
        if let Fact::Call { call, fact } = &event.fact {
            let in_order = if matches!(fact, CallFact::Began(_)) {
                open.insert(*call)
            } else if matches!(fact, CallFact::Ended { .. }) {
                open.remove(call)
            } else {
                open.contains(call)
            };
            if !in_order {
                return Err(format!(
                    "a call begins once, ends once, and nothing is told of it before or after: {event:?}"
                ));
            }
        }
        evolve(&mut again, event);
    }
    if again != life.world {
        return Err("the fold of the events is another world".into());
    }
    if life.world.clone().reindexed() != life.world {
        return Err("what is kept for questions differs from what it is kept of".into());
    }
    let under_way = life.world.calls.values().filter(|call| !call.ended).count();
    if open.len() != under_way {
        return Err(format!("{} calls have not ended, the world has {under_way}", open.len()));
    }
    let text = serde_json::to_string(&life.world).map_err(|error| error.to_string())?;
    let read: World = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if read == life.world { Ok(()) } else { Err("a stored world is read back as another one".into()) }
}

fn stored_is_read_back(event: &Event) -> Result<(), String> {
    let text = serde_json::to_string(event).map_err(|error| error.to_string())?;
    let read: Event = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if read == *event { Ok(()) } else { Err(format!("stored as {text}, read back as {read:?}")) }
}

/// What a listener knows at the end: the state of everything, and what became of every call. Numbers and times are left
/// out: two tellings of the same life may differ in them.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    agents: BTreeMap<String, String>,
    devices: BTreeMap<String, String>,
    queues: BTreeMap<String, String>,
    calls: Vec<String>,
    under_way: usize,
}

impl End {
    /// The end of a life.
    #[must_use]
    pub fn of(life: &Life) -> Self {
        let became = |call: &CallRecord| {
            format!("{} -> {} {:?} {:?} by {:?}", call.ani, call.dnis, call.direction, call.outcome, call.answered_by)
        };
        let mut calls: Vec<String> = life.records.iter().map(became).collect();
        calls.sort();
        let agent = |agent: &Agent| format!("{:?} {:?} {:?}", agent.state, agent.device, agent.queues);
        let device = |it: &Device| {
            format!("{:?} {:?} {} {:?} {} {:?}", it.kind, it.in_service, it.dnd, it.forward, it.messages_new, it.legs)
        };
        let queue = |queue: &Queue| format!("{:?} {:?} {:?}", queue.waiting, queue.members, queue.wrapup_ms);
        Self {
            agents: life.world.agents.iter().map(|(id, it)| (id.clone(), agent(it))).collect(),
            devices: life.world.devices.iter().map(|(id, it)| (id.clone(), device(it))).collect(),
            queues: life.world.queues.iter().map(|(id, it)| (id.clone(), queue(it))).collect(),
            calls,
            under_way: life.world.calls.values().filter(|call| !call.ended).count(),
        }
    }
}
