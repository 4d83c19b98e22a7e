//! Plays a story, step by step.

use cordboard_core::event::CallFact;
use cordboard_core::request::{self, Asker, AskerRole, Request};
use cordboard_core::{CallId, ConnId, Fact, Time};
use cordboard_dialects::Dialect;
use cordboard_switches::boxed::{At, Happening, Number};

use super::happenings::at_mut;
use super::story::{Ask, Step, Story, calls_mut};
use crate::stage::{Rehearsal, Told};

/// How long a request may take, in milliseconds.
pub const REQUEST_MS: u64 = 10_000;
/// When stories begin: 2026-01-05 08:00:00 UTC, a Monday.
const BEGIN: Time = Time(1_767_600_000_000_000);
/// Rounds of hanging up that must be enough to empty a house; each may bring a new leg for each call (forwarding, a
/// parked call that comes back).
const ROUNDS_MAX: usize = 100;
/// Longer than everything that waits for time in a story, in milliseconds.
const CALM_MS: u64 = 3_600_000;

/// A story that is being played.
pub struct Player {
    /// The site.
    pub rehearsal: Rehearsal,
    names: Vec<(String, Option<Named>)>,
}

#[derive(Clone, Copy)]
struct Named {
    conn: ConnId,
    id: CallId,
}

/// What came of a step.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// Events and their messages.
    pub told: Vec<Told>,
    /// Why it could not happen at all; a refused request is an event, not this.
    pub impossible: Option<String>,
}

impl Player {
    /// Opens the site of a story for a tenant, with a client for each number; gives what is told of that.
    #[must_use]
    pub fn open(tenant: &str, story: &Story, dialects: &[&'static Dialect]) -> (Self, Vec<Told>) {
        let (rehearsal, mut told) = Rehearsal::new(tenant, story.site.clone(), BEGIN, dialects);
        let mut player = Self { rehearsal, names: Vec::new() };
        for (number, kind) in &story.site.numbers {
            // Ring groups are no party and no number that anything could be told about.
            if !matches!(kind, Number::Outside | Number::RingGroup { .. }) && !story.unregistered.contains(number) {
                told.extend(player.rehearsal.ask(request(number, number, None, request::Ask::Register)));
            }
        }
        (player, told)
    }

    /// Plays a whole story; gives what is told of the beginning and of each step.
    #[must_use]
    pub fn play(tenant: &str, story: &Story, dialects: &[&'static Dialect]) -> (Self, Vec<Told>, Vec<Played>) {
        let (mut player, opening) = Self::open(tenant, story, dialects);
        let played = story.steps.iter().map(|step| player.step(story, step)).collect();
        (player, opening, played)
    }

    /// Plays one step of a story.
    pub fn step(&mut self, story: &Story, step: &Step) -> Played {
        let (played, begins) = match step {
            Step::Ask(ask) => (Played { told: self.ask(story, ask), impossible: None }, &ask.begins),
            Step::Now { happening, begins } => (self.happen(happening), begins),
            Step::Wait { ms } => (Played { told: self.rehearsal.pass(*ms), impossible: None }, &None),
            Step::Leave { client } => (Played { told: self.rehearsal.leave(client), impossible: None }, &None),
            Step::Note(_) => (Played::default(), &None),
        };
        if let Some(name) = begins {
            self.names.push((name.clone(), begun(&played.told)));
        }
        played
    }

    /// The call of this name, if it began; it may be over.
    #[must_use]
    pub fn conn(&self, name: &str) -> Option<ConnId> {
        self.named(name).map(|named| named.conn)
    }

    /// The names of calls that have not ended, with their ids.
    pub fn under_way(&self) -> impl Iterator<Item = (&str, CallId)> {
        let named = self.names.iter().filter_map(|(name, named)| Some((name.as_str(), (*named)?.id)));
        named.filter(|(_, id)| self.rehearsal.world().calls.get(id).is_some_and(|call| !call.ended))
    }

    /// Everybody hangs up, and time passes until nothing waits for it.
    pub fn empty(&mut self) -> Played {
        let mut all = Played::default();
        for _ in 0..ROUNDS_MAX {
            let hang_ups = self.hang_ups();
            if hang_ups.is_empty() {
                break;
            }
            for at in hang_ups {
                // Hanging up one may have ended the other.
                let (told, _) = self.rehearsal.happen(&Happening::HangUp(at));
                all.told.extend(told);
            }
        }
        all.told.extend(self.rehearsal.pass(CALM_MS));
        all
    }

    /// Everybody who could hang up now.
    fn hang_ups(&self) -> Vec<At> {
        let calls = self.rehearsal.world().calls.values().filter(|call| !call.ended);
        calls
            .flat_map(|call| {
                let key = call.keys.last().cloned().unwrap_or_default();
                call.living().map(move |(_, leg)| At { number: leg.number.clone(), call: key.clone() })
            })
            .collect()
    }

    fn ask(&mut self, story: &Story, ask: &Ask) -> Vec<Told> {
        let mut what = ask.ask.clone();
        for call in calls_mut(&mut what) {
            // A call that did not begin is one that nobody knows.
            *call = self.conn(story.name(*call)).unwrap_or(ConnId(0));
        }
        let client = ask.client.as_ref().unwrap_or(&ask.device);
        self.rehearsal.ask(request(client, &ask.device, ask.reference, what))
    }

    fn happen(&mut self, happening: &Happening) -> Played {
        let mut happening = happening.clone();
        if let Some(at) = at_mut(&mut happening) {
            let call = self.named(&at.call).and_then(|named| self.rehearsal.world().calls.get(&named.id));
            let Some(key) = call.filter(|call| !call.ended).and_then(|call| call.keys.last()) else {
                return Played { told: Vec::new(), impossible: Some(format!("there is no call {}", at.call)) };
            };
            at.call.clone_from(key);
        }
        let (told, happened) = self.rehearsal.happen(&happening);
        Played { told, impossible: happened.err() }
    }

    fn named(&self, name: &str) -> Option<Named> {
        self.names.iter().find(|(other, _)| other == name)?.1
    }
}

/// The first call that began.
fn begun(told: &[Told]) -> Option<Named> {
    told.iter().find_map(|told| {
        let Fact::Call { call, fact: CallFact::Began(began) } = &told.event.fact else { return None };
        Some(Named { conn: began.conn, id: *call })
    })
}

fn request(client: &str, device: &str, reference: Option<u64>, ask: request::Ask) -> Request {
    Request {
        client: client.to_string(),
        by: Asker { name: client.to_string(), role: AskerRole::Service },
        reference,
        device: device.to_string(),
        ask,
        refused: None,
        deadline_ms: REQUEST_MS,
    }
}
