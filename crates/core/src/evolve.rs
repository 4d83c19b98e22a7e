//! Folds events into the world. It refuses nothing: what was told is true.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use crate::agent::{AgentSaid, AgentState, evolve_agent};
use crate::agent_decide::pause_of;
use crate::call_evolve;
use crate::change::Change;
use crate::directory_evolve;
use crate::dues::Due;
use crate::event::{
    AgentFact, Asked, ClientFact, DeviceFact, DeviceKind, Event, Fact, Pairs, QueueFact, QueueProfile, RequestFact,
    SwitchFact, UserFact, WorkMode,
};
use crate::ids::{RequestId, Time};
use crate::request::Ask;
use crate::world::{Agent, Device, Queue, Switch, World, WrapUp};

/// Requests of a client that are remembered, so that one that comes again is not carried out again.
const RECENT_REQUESTS_MAX: usize = 256;

/// Folds one event into the world. What ended with the event before is forgotten first, so that between two events
/// everything the newest one speaks of can still be looked up.
pub fn evolve(world: &mut World, event: &Event) {
    forget(world);
    world.now = world.now.max(event.at);
    let happened = event.since.unwrap_or(event.at);
    let touched = if world.directory.tallies.is_empty() { None } else { Some(world.touched_by(event)) };
    match &event.fact {
        Fact::Founded { tenant } => {
            world.tenant.clone_from(tenant);
            world.founded = event.at;
        }
        Fact::Switch { switch, fact } => switch_fact(switch_of(world, switch), fact),
        Fact::Device { device, fact } => device_fact(world, device, fact),
        Fact::Queue { queue, fact } => queue_fact(world, queue, fact),
        Fact::Agent { agent, fact } => agent_fact(world, agent, happened, fact),
        Fact::Request { request, fact } => request_fact(world, *request, fact),
        Fact::Client { client, fact } => client_fact(world, client, fact),
        Fact::Call { call, fact } => call_evolve::call(world, *call, happened, fact),
        Fact::Leg { call, leg, fact } => call_evolve::leg(world, *call, *leg, happened, fact),
        Fact::User { user, fact } => user_fact(world, user, fact),
        Fact::List { list, fact } => directory_evolve::list(&mut world.directory, list, fact),
        Fact::Callback { callback, fact } => directory_evolve::callback(world, *callback, event.at, fact),
        Fact::Alert { alert, fact } => directory_evolve::alert(world, *alert, fact),
    }
    if let Some(touched) = touched {
        world.count_again(event, touched);
    }
}

fn forget(world: &mut World) {
    if let Some(answered) = world.answered.take() {
        world.requests.remove(&answered);
    }
    world.directory.turned = None;
    if let Some(agent) = world.rested.take().and_then(|agent| world.agents.get_mut(&agent)) {
        agent.wrapup_over = None;
    }
    for (call, leg) in core::mem::take(&mut world.fading) {
        match leg {
            None => {
                world.calls.remove(&call);
            }
            Some(leg) => {
                if let Some(call) = world.calls.get_mut(&call) {
                    call.legs.remove(&leg);
                }
            }
        }
    }
}

pub(crate) fn switch_of<'w>(world: &'w mut World, name: &str) -> &'w mut Switch {
    world.switches.entry(String::from(name)).or_insert_with(|| Switch {
        connected: false,
        version: String::new(),
        reason: String::new(),
        calls: BTreeMap::new(),
        legs: BTreeMap::new(),
    })
}

fn switch_fact(switch: &mut Switch, fact: &SwitchFact) {
    match fact {
        SwitchFact::Connected { version } => {
            switch.connected = true;
            switch.version.clone_from(version);
            switch.reason.clear();
        }
        SwitchFact::Disconnected { reason } => {
            switch.connected = false;
            switch.reason.clone_from(reason);
        }
    }
}

fn device_fact(world: &mut World, number: &str, fact: &DeviceFact) {
    let device = world.devices.entry(String::from(number)).or_insert_with(|| Device {
        kind: DeviceKind::Extension,
        switch: String::new(),
        in_service: None,
        was_out: false,
        dnd: false,
        forward: BTreeMap::new(),
        messages_new: 0,
        off_hook: false,
        monitors: None,
        clients: BTreeSet::new(),
        agent: None,
        legs: BTreeSet::new(),
        supervising: None,
        in_call: false,
        calls_changed: None,
        parked: BTreeSet::new(),
    });
    match fact {
        DeviceFact::Found { kind, switch } => {
            device.kind = *kind;
            device.switch.clone_from(switch);
        }
        DeviceFact::OutOfService => {
            device.in_service = Some(false);
            device.was_out = true;
        }
        DeviceFact::BackInService => device.in_service = Some(true),
        DeviceFact::DndOn => device.dnd = true,
        DeviceFact::DndOff => device.dnd = false,
        DeviceFact::ForwardSet { mode, target } => {
            device.forward.insert(*mode, target.clone());
        }
        DeviceFact::ForwardCancelled { mode } => {
            device.forward.remove(mode);
        }
        DeviceFact::MessageWaitingOn { new, .. } => device.messages_new = *new,
        DeviceFact::MessageWaitingOff => device.messages_new = 0,
        DeviceFact::OffHook { .. } => device.off_hook = true,
        DeviceFact::OnHook { .. } => device.off_hook = false,
        DeviceFact::MonitoringSet(monitor) => device.monitors = Some(monitor.clone()),
        DeviceFact::MonitoringCancelled(_) => device.monitors = None,
    }
}

fn queue_fact(world: &mut World, name: &str, fact: &QueueFact) {
    // One that is heard of late may have calls already.
    let offers = if world.queues.contains_key(name) { BTreeSet::new() } else { world.offers_of(name).collect() };
    let queue = world.queues.entry(String::from(name)).or_insert_with(|| Queue {
        switch: String::new(),
        wrapup_ms: None,
        waiting: BTreeMap::new(),
        members: BTreeSet::new(),
        profile: QueueProfile::default(),
        assigned: BTreeMap::new(),
        offers,
    });
    let was = queue.profile.guid;
    match fact {
        QueueFact::Found { switch } => queue.switch.clone_from(switch),
        QueueFact::WrapUpSet { wrapup_ms } => queue.wrapup_ms = Some(*wrapup_ms),
        QueueFact::Described(profile) => queue.profile.clone_from(profile),
        QueueFact::MemberAssigned { user, membership } => {
            queue.assigned.insert(user.clone(), *membership);
        }
        QueueFact::MemberRemoved { user } => {
            queue.assigned.remove(user);
        }
    }
    directory_evolve::queue(&mut world.directory, name, was, fact);
}

/// After-call work that was asked for begins when a call ends, or now where there is none.
fn user_fact(world: &mut World, name: &str, fact: &UserFact) {
    directory_evolve::user(&mut world.directory, name, world.now, fact);
    let UserFact::WrapUpWanted(_) = fact else { return };
    if world.begins_wrapup(name) && !world.talks(name) {
        directory_evolve::wish_is_due(world, name, None, world.now);
    }
}

/// A request stays until the event after its answer, so that its answer can be told.
fn request_fact(world: &mut World, id: RequestId, fact: &RequestFact) {
    world.last_request = world.last_request.max(id.0);
    match fact {
        RequestFact::Asked(asked) => {
            let client = world.clients.entry(asked.client.clone()).or_default();
            client.next_reference = client.next_reference.max(asked.reference.saturating_add(1));
            client.recent.insert(asked.reference, id);
            while client.recent.len() > RECENT_REQUESTS_MAX
                && let Some((oldest, _)) = client.recent.iter().min_by_key(|(_, id)| **id)
            {
                let oldest = *oldest;
                client.recent.remove(&oldest);
            }
            if asked.switch.is_some() {
                world.deadlines.insert((asked.deadline, id));
            }
            world.requests.insert(id, Asked::clone(asked));
        }
        RequestFact::Done | RequestFact::Refused { .. } => {
            if let Some(asked) = world.requests.get(&id) {
                world.deadlines.remove(&(asked.deadline, id));
                // What the switch does not take up is wished for no longer.
                if let (RequestFact::Refused { .. }, Ask::Change(change)) = (fact, &asked.ask)
                    && let Change::BeginWrapUp { user, wish } = &**change
                    && world.wish_of(user).is_some_and(|wanted| wanted.id == wish.id)
                {
                    directory_evolve::forget_wish(&mut world.directory, user);
                }
            }
            world.answered = Some(id);
        }
    }
}

fn client_fact(world: &mut World, name: &str, fact: &ClientFact) {
    let client = world.clients.entry(String::from(name)).or_default();
    match fact {
        ClientFact::Registered { device } => {
            client.registered.insert(device.clone());
            if let Some(device) = world.devices.get_mut(device) {
                device.clients.insert(String::from(name));
            }
        }
        ClientFact::Unregistered { device } => {
            client.registered.remove(device);
            if let Some(device) = world.devices.get_mut(device) {
                device.clients.remove(name);
            }
        }
        ClientFact::ReferenceSet { next } => client.next_reference = *next,
        ClientFact::MaskSet { events } => client.mask = events.iter().cloned().collect(),
        ClientFact::Left => {
            if let Some(client) = world.clients.remove(name) {
                for device in client.registered {
                    if let Some(device) = world.devices.get_mut(&device) {
                        device.clients.remove(name);
                    }
                }
            }
        }
    }
}

fn agent_fact(world: &mut World, id: &str, happened: Time, fact: &AgentFact) {
    let agent = world.agents.entry(String::from(id)).or_insert_with(|| Agent {
        name: String::new(),
        state: AgentState::LoggedOut,
        reason: String::new(),
        mode: WorkMode::Unknown,
        reasons: Pairs::new(),
        chose: false,
        plan: None,
        reserved: None,
        since: happened,
        device: None,
        left: None,
        queues: BTreeMap::new(),
        wrapup: None,
        wrapup_over: None,
    });
    match fact {
        AgentFact::Found { name } => agent.name.clone_from(name),
        AgentFact::LoggedIn { device, queue } => {
            if agent.state == AgentState::LoggedOut {
                become_state(agent, AgentSaid::LoggedIn, happened);
            }
            let left = agent.device.replace(device.clone());
            if let Some(queue) = queue {
                agent.queues.entry(queue.clone()).or_insert(None);
                if let Some(queue) = world.queues.get_mut(queue) {
                    queue.members.insert(String::from(id));
                }
            }
            seat(world, id, left.as_deref(), Some(device));
        }
        AgentFact::QueueLoggedOut { queue } => {
            agent.queues.remove(queue);
            if let Some(queue) = world.queues.get_mut(queue) {
                queue.members.remove(id);
            }
        }
        AgentFact::LoggedOut { .. } => {
            become_state(agent, AgentSaid::LoggedOut, happened);
            let (queues, left) = (core::mem::take(&mut agent.queues), agent.device.take());
            agent.left.clone_from(&left);
            for queue in queues.keys() {
                if let Some(queue) = world.queues.get_mut(queue) {
                    queue.members.remove(id);
                }
            }
            seat(world, id, left.as_deref(), None);
            directory_evolve::logged_out(&mut world.directory, id);
        }
        AgentFact::QueuePaused { queue, reason } => {
            agent.queues.insert(queue.clone(), Some(reason.clone()));
        }
        AgentFact::QueueResumed { queue } => {
            agent.queues.insert(queue.clone(), None);
        }
        AgentFact::ModeChosen { mode, reasons } => {
            (agent.mode, agent.chose) = (*mode, true);
            agent.reasons.clone_from(reasons);
        }
        AgentFact::WrapUpPlanned(plan) => agent.plan = Some(*plan),
        AgentFact::Reserved { by, until, priority } => {
            agent.reserved = Some((by.clone(), *until, *priority));
            world.directory.dues.set(Due::Reservation(String::from(id)), Some(*until));
        }
        AgentFact::ReservationEnded => {
            agent.reserved = None;
            world.directory.dues.set(Due::Reservation(String::from(id)), None);
        }
        AgentFact::Ready => become_state(agent, AgentSaid::Ready, happened),
        AgentFact::NotReady { reason } => {
            become_state(agent, AgentSaid::NotReady, happened);
            agent.reason.clone_from(reason);
        }
        AgentFact::WrapUpBegan { queue, call, until, by_switch, wish } => {
            become_state(agent, AgentSaid::WrapUpBegan, happened);
            let (queue, by_switch, wish) = (queue.clone(), *by_switch, wish.as_deref().cloned());
            let wished = wish.is_some();
            let next = WrapUp { since: happened, until: *until, by_switch, queue, call: *call, wish };
            agent.wrapup_over = agent.wrapup.replace(next);
            if wished {
                directory_evolve::forget_wish(&mut world.directory, id);
            }
        }
        AgentFact::WrapUpEnded { .. } => become_state(agent, AgentSaid::WrapUpEnded, happened),
    }
    if world.agents.get(id).is_some_and(|agent| agent.wrapup_over.is_some()) {
        world.rested = Some(String::from(id));
    }
    set_timer(world, id);
}

fn become_state(agent: &mut Agent, said: AgentSaid, happened: Time) {
    let pause = pause_of(&agent.queues);
    agent.state = evolve_agent(said).unwrap_or(if pause.is_some() { AgentState::NotReady } else { AgentState::Ready });
    agent.reason = pause.unwrap_or_default();
    agent.since = happened;
    if agent.state != AgentState::AfterCallWork {
        agent.wrapup_over = agent.wrapup.take();
    }
}

fn seat(world: &mut World, agent: &str, left: Option<&str>, now: Option<&str>) {
    if let Some(device) = left.filter(|left| Some(*left) != now).and_then(|left| world.devices.get_mut(left))
        && device.agent.as_deref() == Some(agent)
    {
        device.agent = None;
    }
    if let Some(device) = now.and_then(|now| world.devices.get_mut(now)) {
        device.agent = Some(String::from(agent));
    }
}

/// One timer an agent at most: the planned end of after-call work.
fn set_timer(world: &mut World, id: &str) {
    if let Some(due) = world.timer_of.remove(id) {
        world.timers.remove(&(due, String::from(id)));
    }
    let wrapup = world.agents.get(id).and_then(|agent| agent.wrapup.as_ref());
    let wrapup = wrapup.filter(|wrapup| !wrapup.by_switch && wrapup.until != Time(u64::MAX));
    if let Some(until) = wrapup.map(|wrapup| wrapup.until) {
        world.timers.insert((until, String::from(id)));
        world.timer_of.insert(String::from(id), until);
    }
}
