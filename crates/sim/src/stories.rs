//! What must hold of every story, whoever wrote it: the invariants of every life, and that nothing is left when everybody
//! has hung up.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cordboard_core::event::RequestFact;
use cordboard_core::record::Recorder;
use cordboard_core::{Fact, Input, RequestId, World, decide, evolve};
use cordboard_dialects::genesys::messages::Topic;
use cordboard_dialects::genesys::rules::{Level, Rules};
use cordboard_dialects::{Message, Position, Settings, enreach, genesys};
use cordboard_server::scenario::{Player, Story};
use cordboard_server::stage::Told;
use cordboard_switches::boxed::Number;

use crate::invariants;
use crate::life::Life;

const TENANT: &str = "t";

/// How often a shorter story is tried.
const ATTEMPTS_MAX: usize = 2_000;

/// Plays a story, then lets everybody hang up, and checks all of it. A panic is a finding like any other.
///
/// # Errors
/// The first thing that does not hold, in words.
pub fn check(story: &Story) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| play(story))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(format!("panics: {}", text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")))
    })
}

/// A shorter story that fails in the same way, where one is found by leaving out steps.
#[must_use]
pub fn shorten(story: &Story) -> Story {
    let fails = |story: &Story| check(story).err().map(|why| manner(&why));
    let (mut short, wanted) = (story.clone(), fails(story));
    let mut attempts = 0;
    loop {
        let before = short.steps.len();
        for place in (0..before).rev() {
            let mut shorter = short.clone();
            shorter.steps.remove(place);
            attempts += 1;
            // What names a call that never began would not be a story that can be written down.
            let is_story = shorter.to_string().parse::<Story>().is_ok();
            if is_story && fails(&shorter) == wanted {
                short = shorter;
            }
            if attempts >= ATTEMPTS_MAX {
                return short;
            }
        }
        if short.steps.len() == before {
            return short;
        }
    }
}

/// What fails, without who and when: the words before the first number.
#[must_use]
pub fn manner(why: &str) -> String {
    why.chars().take_while(|c| !c.is_ascii_digit()).collect()
}

fn play(story: &Story) -> Result<(), String> {
    let (mut player, opening, played) = Player::play(TENANT, story, &[&genesys::DIALECT, &enreach::DIALECT]);
    let mut told = opening;
    told.extend(played.into_iter().flat_map(|played| played.told));
    told.extend(player.empty().told);
    if let Some(stuck) = player.rehearsal.stuck() {
        return Err(format!("time does not pass beyond {}", stuck.0));
    }
    let life = life(&told, player.rehearsal.world());
    invariants::check(&life)?;
    requests(&told)?;
    nothing_left(&life.world)?;
    let ended = told.iter().filter(|told| is_end(told)).count();
    if life.records.len() != ended {
        return Err(format!("{ended} calls ended, {} call records came of them", life.records.len()));
    }
    stream(story, &told)?;
    hub(&life, &told)?;
    late_reader(story, &life, &told)
}

fn life(told: &[Told], world: &World) -> Life {
    let mut founded = World::default();
    for event in decide(&founded.clone(), &Input::Found { tenant: TENANT.into(), at: world.founded }) {
        evolve(&mut founded, &event);
    }
    let (mut now, mut recorder, mut records) = (founded.clone(), Recorder::default(), Vec::new());
    for told in told {
        evolve(&mut now, &told.event);
        records.extend(recorder.note(&now, &told.event).map(|(_, record)| record));
    }
    let events = told.iter().map(|told| told.event.clone()).collect();
    Life { founded, world: world.clone(), records, events }
}

fn is_end(told: &Told) -> bool {
    matches!(&told.event.fact, Fact::Call { fact: cordboard_core::event::CallFact::Ended { .. }, .. })
}

/// Every request is answered exactly once.
fn requests(told: &[Told]) -> Result<(), String> {
    let mut open: BTreeMap<RequestId, &Told> = BTreeMap::new();
    for told in told {
        let Fact::Request { request, fact } = &told.event.fact else { continue };
        match fact {
            RequestFact::Asked(_) => {
                open.insert(*request, told);
            }
            RequestFact::Done | RequestFact::Refused { .. } => {
                if open.remove(request).is_none() {
                    return Err(format!("a request is answered twice: {:?}", told.event));
                }
            }
        }
        if let RequestFact::Refused { refusal: cordboard_core::request::Refusal::TimedOut, .. } = fact {
            return Err(format!("the switch never answered: {:?}", told.event));
        }
    }
    open.into_values().next().map_or(Ok(()), |told| Err(format!("a request is never answered: {:?}", told.event)))
}

/// Everybody has hung up, and an hour has passed.
fn nothing_left(world: &World) -> Result<(), String> {
    if let Some(call) = world.calls.values().find(|call| !call.ended) {
        let legs: Vec<_> = call.living().map(|(_, leg)| (&leg.number, leg.state)).collect();
        return Err(format!("the call {} is left, with {legs:?}, in queues {:?}", call.conn, call.queued));
    }
    for (number, device) in &world.devices {
        if !device.legs.is_empty() || device.supervising.is_some() || device.off_hook {
            return Err(format!("something is left at {number}: {device:?}"));
        }
    }
    if let Some((name, queue)) = world.queues.iter().find(|(_, queue)| !queue.waiting.is_empty()) {
        return Err(format!("calls are left in the queue {name}: {:?}", queue.waiting));
    }
    if !world.deadlines.is_empty() {
        return Err(format!("deadlines are left: {:?}", world.deadlines));
    }
    if let Some(due) = world.next_timer() {
        return Err(format!("something is due at {}, long after all was said", due.0));
    }
    if let Some((name, _)) = world.directory.users.iter().find(|(_, user)| user.wrapup_wanted.is_some()) {
        return Err(format!("the after-call work that was wished for {name} never began"));
    }
    let left = world.switches.values().find(|switch| !switch.calls.is_empty() || !switch.legs.is_empty());
    left.map_or(Ok(()), |switch| Err(format!("keys are left: {:?} {:?}", switch.calls, switch.legs)))
}

/// The whole stream keeps the contract.
fn stream(story: &Story, told: &[Told]) -> Result<(), String> {
    let mut rules = rules(story);
    for message in told.iter().flat_map(|told| &told.messages).flatten() {
        judge(&mut rules, message, "")?;
    }
    rules.finish().first().map_or(Ok(()), |finding| Err(format!("at the end, {finding}")))
}

/// And so does that of the hub, for whoever listens from the beginning and for whoever comes late.
fn hub(life: &Life, told: &[Told]) -> Result<(), String> {
    let (mut world, half) = (life.founded.clone(), told.len() / 2);
    let (mut rules, mut late) = (enreach::rules::Rules::new(), enreach::rules::Rules::late());
    for (place, told) in told.iter().enumerate() {
        if place == half {
            let mut picture = Vec::new();
            let at = Position { epoch: 0, ..told.position };
            (enreach::DIALECT.snapshot)(&Settings::default(), &world, at, &mut picture);
            for message in &picture {
                late.check(message).map_err(|why| format!("in the picture of the hub, {why}"))?;
            }
        }
        evolve(&mut world, &told.event);
        for message in told.messages.iter().flatten().filter(|it| enreach::DIALECT.channels.contains(&it.channel)) {
            rules.check(message).map_err(|why| format!("on the hub, {why}"))?;
            if place >= half {
                late.check(message).map_err(|why| format!("on the hub, after the picture, {why}"))?;
            }
        }
    }
    // After-call work without an end goes on when everybody has hung up.
    let wrapups = life.world.agents.iter().filter_map(|(name, agent)| Some((name, agent.wrapup.as_ref()?)));
    let goes_on = wrapups.map(|(name, wrapup)| life.world.wrapup_id(name, wrapup).to_string()).collect();
    let left = rules.finish(&goes_on).into_iter().chain(late.finish(&goes_on)).next();
    left.map_or(Ok(()), |finding| Err(format!("at the end, on the hub, {finding}")))
}

/// Whoever comes late gets the picture and then the stream, and both together keep the contract.
fn late_reader(story: &Story, life: &Life, told: &[Told]) -> Result<(), String> {
    let (mut world, half) = (life.founded.clone(), told.len() / 2);
    let mut picture = Vec::new();
    let mut rules = rules(story);
    for (place, told) in told.iter().enumerate() {
        if place == half {
            (genesys::DIALECT.snapshot)(&Settings::default(), &world, told.position, &mut picture);
            for message in &picture {
                judge(&mut rules, message, "in the picture for late readers, ")?;
            }
        }
        evolve(&mut world, &told.event);
        if place >= half {
            for message in told.messages.iter().flatten() {
                judge(&mut rules, message, "after the picture for late readers, ")?;
            }
        }
    }
    rules.finish().first().map_or(Ok(()), |finding| Err(format!("after the picture, at the end, {finding}")))
}

fn rules(story: &Story) -> Rules<'_> {
    let is_internal = |number: &str| {
        let found = story.site.numbers.iter().find(|(name, _)| name == number);
        found.is_some_and(|(_, kind)| !matches!(kind, Number::Outside))
    };
    Rules::new(is_internal)
}

/// Events for single clients are no part of the stream.
fn judge(rules: &mut Rules<'_>, message: &Message, when: &str) -> Result<(), String> {
    if ![Topic::AgentState, Topic::CallThread].iter().any(|topic| topic.name() == message.channel) {
        return Ok(());
    }
    let finding = rules.check(message).into_iter().find(|finding| finding.level == Level::Fail);
    finding.map_or(Ok(()), |finding| Err(format!("{when}{finding}: {}", message.value)))
}
