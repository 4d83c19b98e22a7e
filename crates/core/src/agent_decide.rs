//! What follows from what is seen of agents: queues and pauses counted together, then the table.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Told;
use crate::agent::{AgentSaid, AgentSaw, AgentState, decide_agent};
use crate::event::{AgentFact, Cause, Fact, Pairs, WorkMode, WrapUpEnd};
use crate::ids::{CallId, Time};
use crate::observation::AgentSeen;
use crate::world::{Agent, Leg, World};
use crate::wrapup_decide;

pub(crate) fn agent(world: &World, switch: &str, id: &str, seen: &AgentSeen, told: &mut Told) {
    let known = world.agents.get(id);
    let state = known.map_or(AgentState::LoggedOut, |agent| agent.state);
    let empty = BTreeMap::new();
    let queues = known.map_or(&empty, |agent| &agent.queues);
    match seen {
        AgentSeen::Exist { name } => {
            if known.is_none_or(|agent| agent.name != *name && !name.is_empty()) {
                tell(told, id, AgentFact::Found { name: name.clone() });
            }
        }
        AgentSeen::Join { queue, device, name, paused } => {
            if known.is_none_or(|agent| agent.name != *name && !name.is_empty()) {
                tell(told, id, AgentFact::Found { name: name.clone() });
            }
            join(state, queues, known, id, queue.as_ref(), device, paused.as_ref(), told);
        }
        AgentSeen::LogIn { device, name, queues, ready, mode, reason, reasons } => {
            if known.is_none_or(|agent| agent.name != *name && !name.is_empty()) {
                tell(told, id, AgentFact::Found { name: name.clone() });
            }
            log_in(known, id, device, queues, (*ready, *mode, reason, reasons), told);
        }
        AgentSeen::Leave { queue } => leave(world, known, id, queue.as_ref(), told),
        AgentSeen::Pause { queue, reason } => {
            if queues.contains_key(queue) && queues.get(queue) != Some(&Some(reason.clone())) {
                tell(told, id, AgentFact::QueuePaused { queue: queue.clone(), reason: reason.clone() });
                let mut after = queues.clone();
                after.insert(queue.clone(), Some(reason.clone()));
                settle(state, known, id, &after, told);
            }
        }
        AgentSeen::Resume { queue } => {
            if queues.get(queue).is_some_and(Option::is_some) {
                tell(told, id, AgentFact::QueueResumed { queue: queue.clone() });
                let mut after = queues.clone();
                after.insert(queue.clone(), None);
                settle(state, known, id, &after, told);
            }
        }
        AgentSeen::Become { ready, mode, reason, reasons } => {
            becomes(known, id, *ready, *mode, reason, reasons, told);
        }
        AgentSeen::WrapUpPlan(plan) => {
            if known.is_none_or(|agent| agent.plan != Some(*plan)) {
                tell(told, id, AgentFact::WrapUpPlanned(*plan));
            }
        }
        AgentSeen::WrapUp { queue, call, until } => {
            if decide_agent(state, AgentSaw::Complete) == Some(AgentSaid::WrapUpBegan) {
                let call = call.as_ref().and_then(|call| world.call_by_key(switch, call)).map(|(call, _)| call);
                let (queue, until) = (queue.clone(), until.unwrap_or(Time(u64::MAX)));
                let wish = world.wish_of(id).cloned().map(Box::new);
                let call = call.or_else(|| Some(world.call_id(wish.as_ref()?.call?)));
                tell(told, id, AgentFact::WrapUpBegan { queue, call, until, by_switch: true, wish });
            }
        }
        AgentSeen::WrapUpEnd => {
            if decide_agent(state, AgentSaw::Elapse) == Some(AgentSaid::WrapUpEnded) {
                tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed });
            }
        }
        AgentSeen::Offer => {
            if decide_agent(state, AgentSaw::Offer) == Some(AgentSaid::WrapUpEnded) {
                tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::NextCall });
            }
        }
        AgentSeen::Forgotten => {
            if decide_agent(state, AgentSaw::Elapse) == Some(AgentSaid::WrapUpEnded) {
                tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::SwitchRestarted });
            }
            wrapup_decide::forgotten(world, id, told);
        }
        AgentSeen::Complete { queue, call } => {
            let call = world.call_by_key(switch, call).map(|(call, _)| call);
            // Where the agent's leg is known, its end tells: before it comes, or it has come already.
            let of_queue = |leg: &Leg| leg.queue.as_ref() == Some(queue) && leg.answered.is_some();
            let to_come = legs_of(world, known).any(of_queue);
            let told_already =
                known.and_then(|agent| agent.wrapup.as_ref()).is_some_and(|wrapup| wrapup.queue == *queue);
            if !to_come && !told_already {
                begin_wrapup(world, id, queue, call, told);
            }
        }
    }
}

/// An agent's leg of a queue call is about to end: after-call work begins, and is told before the end of the leg. It does
/// not follow a call whose end nobody heard.
pub(crate) fn leg_ends(world: &World, call: CallId, leg: &Leg, cause: Cause, told: &mut Told) {
    let agent = leg.queue.as_ref().zip(world.agent_on(&leg.device)).filter(|_| !leg.outside && cause != Cause::Lost);
    let Some((queue, id)) = agent.filter(|_| leg.answered.is_some()) else { return };
    begin_wrapup(world, id, queue, Some(call), told);
}

fn begin_wrapup(world: &World, id: &str, queue: &str, call: Option<CallId>, told: &mut Told) {
    let wrapup_ms = world.queues.get(queue).and_then(|queue| queue.wrapup_ms).unwrap_or(0);
    if let Some(agent) = world.agents.get(id).filter(|_| wrapup_ms > 0) {
        wrapup_decide::begin(world, (id, agent), (queue, call), world.wish_of(id), told);
    }
}

fn legs_of<'w>(world: &'w World, agent: Option<&'w Agent>) -> impl Iterator<Item = &'w Leg> {
    let device = agent.and_then(|agent| world.devices.get(agent.device.as_ref()?));
    let legs = device.into_iter().flat_map(|device| &device.legs);
    legs.filter_map(|(call, leg)| world.calls.get(call)?.legs.get(leg))
}

/// An agent of a switch that keeps one readiness for all queues chooses it.
fn becomes(
    known: Option<&Agent>,
    id: &str,
    ready: bool,
    mode: WorkMode,
    reason: &str,
    reasons: &Pairs,
    told: &mut Told,
) {
    let Some(agent) = known.filter(|agent| agent.state != AgentState::LoggedOut) else { return };
    let same_mode = agent.mode == mode && agent.reasons == *reasons;
    let is_so = match agent.state {
        AgentState::Ready => ready,
        AgentState::NotReady => !ready && agent.reason == reason,
        AgentState::AfterCallWork | AgentState::LoggedOut => false,
    };
    if is_so && same_mode {
        return;
    }
    for (queue, pause) in &agent.queues {
        match (pause, ready) {
            (Some(_), true) => tell(told, id, AgentFact::QueueResumed { queue: queue.clone() }),
            (pause, false) if pause.as_deref() != Some(reason) => {
                tell(told, id, AgentFact::QueuePaused { queue: queue.clone(), reason: reason.to_string() });
            }
            (None | Some(_), _) => {}
        }
    }
    if !same_mode {
        tell(told, id, AgentFact::ModeChosen { mode, reasons: reasons.clone() });
    }
    match (agent.state, ready) {
        (AgentState::AfterCallWork, true) => {
            tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::Requested });
        }
        (_, true) => tell(told, id, AgentFact::Ready),
        (_, false) => tell(told, id, AgentFact::NotReady { reason: reason.to_string() }),
    }
}

/// An agent of such a switch logs in, or is found logged in there after the switch was away.
fn log_in(
    known: Option<&Agent>,
    id: &str,
    device: &str,
    queues: &[String],
    (ready, mode, reason, reasons): (bool, WorkMode, &String, &Pairs),
    told: &mut Told,
) {
    let seated = known.and_then(|agent| agent.device.as_deref());
    if let Some(agent) = known.filter(|_| seated.is_some_and(|at| at != device)) {
        log_out(agent, id, agent.queues.keys().last(), told);
    }
    let known = known.filter(|_| seated == Some(device));
    let served = |queue: &String| known.and_then(|agent| agent.queues.get(queue));
    for queue in queues.iter().filter(|queue| served(queue).is_none()) {
        tell(told, id, AgentFact::LoggedIn { device: device.to_string(), queue: Some(queue.clone()) });
    }
    if queues.is_empty() && known.is_none() {
        tell(told, id, AgentFact::LoggedIn { device: device.to_string(), queue: None });
    }
    for queue in queues {
        match served(queue) {
            Some(Some(paused)) if !ready && paused == reason => {}
            Some(Some(_)) if ready => tell(told, id, AgentFact::QueueResumed { queue: queue.clone() }),
            Some(_) | None if !ready => {
                tell(told, id, AgentFact::QueuePaused { queue: queue.clone(), reason: reason.clone() });
            }
            Some(_) | None => {}
        }
    }
    let same_mode = known.is_some_and(|agent| agent.mode == mode && agent.reasons == *reasons);
    if !same_mode {
        tell(told, id, AgentFact::ModeChosen { mode, reasons: reasons.clone() });
    }
    let is_so = known.is_some_and(|agent| match agent.state {
        AgentState::Ready => ready,
        AgentState::NotReady => !ready && agent.reason == *reason,
        AgentState::AfterCallWork | AgentState::LoggedOut => false,
    });
    if !(is_so && same_mode) {
        tell(told, id, if ready { AgentFact::Ready } else { AgentFact::NotReady { reason: reason.clone() } });
    }
}

/// What follows when time has come to `now`.
pub(crate) fn elapsed(world: &World, now: Time, told: &mut Told) {
    for (_, id) in world.timers.iter().take_while(|(due, _)| *due <= now) {
        let state = world.agents.get(id).map_or(AgentState::LoggedOut, |agent| agent.state);
        if decide_agent(state, AgentSaw::Elapse) == Some(AgentSaid::WrapUpEnded) {
            tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed });
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one observation, named once here")]
fn join(
    state: AgentState,
    queues: &BTreeMap<String, Option<String>>,
    known: Option<&Agent>,
    id: &str,
    queue: Option<&String>,
    device: &str,
    paused: Option<&String>,
    told: &mut Told,
) {
    let new_queue = queue.is_some_and(|queue| !queues.contains_key(queue));
    let first = decide_agent(state, AgentSaw::LogIn) == Some(AgentSaid::LoggedIn);
    let moved = known.is_some_and(|agent| agent.device.as_deref().is_some_and(|at| at != device));
    if moved {
        return move_to(queues, id, queue, device, paused, told);
    }
    if new_queue || first {
        tell(told, id, AgentFact::LoggedIn { device: device.to_string(), queue: queue.cloned() });
    }
    let mut after = queues.clone();
    if let Some(queue) = queue {
        let was = after.insert(queue.clone(), paused.cloned());
        match (was.flatten(), paused) {
            (was, Some(reason)) if was.as_ref() != Some(reason) => {
                tell(told, id, AgentFact::QueuePaused { queue: queue.clone(), reason: reason.clone() });
            }
            (Some(_), None) => tell(told, id, AgentFact::QueueResumed { queue: queue.clone() }),
            (_, _) => {}
        }
    }
    if first {
        // A login is always followed by what the agent is ready for.
        match pause_of(&after) {
            Some(reason) => tell(told, id, AgentFact::NotReady { reason }),
            None => tell(told, id, AgentFact::Ready),
        }
    } else {
        settle(state, known, id, &after, told);
    }
}

/// An agent who takes another seat logs out of the old one and in, to all queues, at the new one.
fn move_to(
    queues: &BTreeMap<String, Option<String>>,
    id: &str,
    queue: Option<&String>,
    device: &str,
    paused: Option<&String>,
    told: &mut Told,
) {
    tell(told, id, AgentFact::LoggedOut { queue: queues.keys().last().cloned() });
    let mut after = queues.clone();
    if let Some(queue) = queue {
        after.insert(queue.clone(), paused.cloned());
    }
    for (queue, pause) in &after {
        tell(told, id, AgentFact::LoggedIn { device: device.to_string(), queue: Some(queue.clone()) });
        if let Some(reason) = pause {
            tell(told, id, AgentFact::QueuePaused { queue: queue.clone(), reason: reason.clone() });
        }
    }
    if after.is_empty() {
        tell(told, id, AgentFact::LoggedIn { device: device.to_string(), queue: None });
    }
    match pause_of(&after) {
        Some(reason) => tell(told, id, AgentFact::NotReady { reason }),
        None => tell(told, id, AgentFact::Ready),
    }
}

fn leave(world: &World, known: Option<&Agent>, id: &str, queue: Option<&String>, told: &mut Told) {
    match (queue, known) {
        (Some(queue), _) => leave_queues(world, id, &[queue], told),
        (None, Some(agent)) if !agent.queues.is_empty() => {
            leave_queues(world, id, &agent.queues.keys().collect::<Vec<_>>(), told);
        }
        // Logged in without a queue.
        (None, Some(agent)) => log_out(agent, id, None, told),
        (None, None) => {}
    }
}

/// An agent serves these queues no longer; leaving the last one is logging out.
pub(crate) fn leave_queues(world: &World, id: &str, queues: &[&String], told: &mut Told) {
    let Some(agent) = world.agents.get(id) else { return };
    let mut after = agent.queues.clone();
    let left: Vec<&String> = queues.iter().copied().filter(|queue| after.remove(*queue).is_some()).collect();
    let Some((last, others)) = left.split_last() else { return };
    for queue in others {
        tell(told, id, AgentFact::QueueLoggedOut { queue: (*queue).clone() });
    }
    if after.is_empty() {
        return log_out(agent, id, Some(last), told);
    }
    tell(told, id, AgentFact::QueueLoggedOut { queue: (*last).clone() });
    settle(agent.state, Some(agent), id, &after, told);
}

fn log_out(agent: &Agent, id: &str, queue: Option<&String>, told: &mut Told) {
    if decide_agent(agent.state, AgentSaw::LogOut) != Some(AgentSaid::LoggedOut) {
        return;
    }
    if agent.state == AgentState::AfterCallWork {
        tell(told, id, AgentFact::WrapUpEnded { reason: WrapUpEnd::LoggedOut });
    }
    tell(told, id, AgentFact::LoggedOut { queue: queue.cloned() });
}

/// Says ready or not ready where the pauses, counted over all queues, changed what the agent can be offered.
fn settle(
    state: AgentState,
    known: Option<&Agent>,
    id: &str,
    after: &BTreeMap<String, Option<String>>,
    told: &mut Told,
) {
    let before = known.and_then(|agent| pause_of(&agent.queues));
    let after = pause_of(after);
    if before == after {
        return;
    }
    let saw = if after.is_some() { AgentSaw::NotReady } else { AgentSaw::Ready };
    match (decide_agent(state, saw), after) {
        (Some(AgentSaid::NotReady), Some(reason)) => tell(told, id, AgentFact::NotReady { reason }),
        (Some(AgentSaid::Ready), None) => tell(told, id, AgentFact::Ready),
        (_, _) => {}
    }
}

/// The reason for which an agent takes no calls at all: paused in every queue served. The newest reason cannot be told
/// from the map, so the first queue's in order of name is taken.
pub(crate) fn pause_of(queues: &BTreeMap<String, Option<String>>) -> Option<String> {
    if queues.is_empty() || queues.values().any(Option::is_none) {
        return None;
    }
    queues.values().next().cloned().flatten()
}

fn tell(told: &mut Told, agent: &str, fact: AgentFact) {
    told.tell(Fact::Agent { agent: agent.to_string(), fact });
}
