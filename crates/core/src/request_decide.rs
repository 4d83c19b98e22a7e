//! What follows from requests: who may be asked for what, what we answer ourselves, and what a switch is ordered to do.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::call::LegState;
use crate::event::{AgentFact, Asked, CallFact, ClientFact, Fact, RequestFact};
use crate::ids::{CallId, ConnId, RequestId, Time};
use crate::observation::RequestSeen;
use crate::request::{Ask, AskKind, Order, OrderCall, Refusal, Request, refuse_leg};
use crate::world::{Call, Device, World};
use crate::{Told, directory_decide};

/// The reference that a request goes by, and the request of the same client that came before with it.
#[must_use]
pub fn known(world: &World, request: &Request) -> (u64, Option<RequestId>) {
    let client = world.clients.get(&request.client);
    let reference = request.reference.unwrap_or_else(|| client.map_or(1, |client| client.next_reference.max(1)));
    (reference, client.and_then(|client| client.recent.get(&reference)).copied())
}

/// A request that is being carried out; one that came before with the same reference is not carried out again.
pub(crate) fn requested(world: &World, request: &Request, told: &mut Told) {
    let (reference, None) = known(world, request) else { return };
    let id = RequestId(world.last_request.saturating_add(1));
    told.request = Some(id);
    let verdict = match &request.refused {
        Some((refusal, why)) => Err((*refusal, why.clone())),
        None => examine(world, request, told.at),
    };
    let switch = verdict.as_ref().ok().cloned().flatten();
    let asked = Asked {
        client: request.client.clone(),
        by: request.by.clone(),
        reference,
        device: request.device.clone(),
        ask: request.ask.clone(),
        switch: switch.clone(),
        deadline: told.at.plus_ms(request.deadline_ms),
    };
    tell(told, id, RequestFact::Asked(Box::new(asked)));
    match verdict {
        Err((refusal, why)) => tell(told, id, RequestFact::Refused { refusal, why }),
        // The switch answers; what was asked of the directory is so from now on.
        Ok(Some(_)) => {
            if let Ask::Change(_) = &request.ask {
                answer(world, request, told);
            }
        }
        Ok(None) => {
            answer(world, request, told);
            tell(told, id, RequestFact::Done);
        }
    }
}

/// What a switch says of a request it was to carry out.
pub(crate) fn seen(world: &World, request: RequestId, seen: &RequestSeen, told: &mut Told) {
    if !is_open(world, request) {
        return; // too late, or said again
    }
    told.request = Some(request);
    match seen {
        RequestSeen::Done => tell(told, request, RequestFact::Done),
        RequestSeen::Refuse { refusal, why } => {
            tell(told, request, RequestFact::Refused { refusal: *refusal, why: why.clone() });
        }
    }
}

/// Requests that nothing was heard of in time.
pub(crate) fn elapsed(world: &World, now: Time, told: &mut Told) {
    for (_, request) in world.deadlines.iter().take_while(|(due, _)| *due <= now) {
        if is_open(world, *request) {
            told.request = Some(*request);
            let why = "the switch did not answer in time; it may still do what was asked".to_string();
            tell(told, *request, RequestFact::Refused { refusal: Refusal::TimedOut, why });
        }
    }
    told.request = None;
}

/// A client is gone: what it was registered for ends.
pub(crate) fn left(world: &World, client: &str, told: &mut Told) {
    if world.clients.contains_key(client) {
        told.tell(Fact::Client { client: client.to_string(), fact: ClientFact::Left });
    }
}

/// What the switch of a request is to do, in its own words; none when the request is not open, or is ours to answer.
#[expect(clippy::wildcard_enum_match_arm, reason = "all but changes of the directory name their device")]
#[must_use]
pub fn order(world: &World, request: RequestId) -> Option<(String, Order)> {
    let asked = world.requests.get(&request).filter(|_| is_open(world, request))?;
    let switch = asked.switch.clone()?;
    let [call, held] = asked.ask.calls().map(|named| named.and_then(|(conn, _)| in_words(world, conn, &asked.device)));
    let (device, agent) = match &asked.ask {
        Ask::Change(change) => {
            let user = change.user()?;
            (world.agents.get(user)?.device.clone()?, Some(user.to_string()))
        }
        _ => (asked.device.clone(), world.agent_on(&asked.device).map(str::to_string)),
    };
    Some((switch, Order { request, device, ask: asked.ask.clone(), call, held, agent }))
}

fn in_words(world: &World, conn: ConnId, device: &str) -> Option<OrderCall> {
    let (_, call) = world.call_by_conn(conn)?;
    let leg = world.leg_of(call, device).map(|(_, leg)| leg.key.clone());
    Some(OrderCall { call: call.keys.last()?.clone(), leg })
}

fn is_open(world: &World, request: RequestId) -> bool {
    world.requests.contains_key(&request) && world.answered != Some(request)
}

/// The switch that is to carry a request out, none where we answer ourselves; or why it is refused.
fn examine(world: &World, request: &Request, now: Time) -> Result<Option<String>, (Refusal, String)> {
    let (device, ask) = (request.device.as_str(), &request.ask);
    if let Ask::Change(change) = ask {
        return directory_decide::examine(world, change, request.by.role, now);
    }
    if !ask.is_about_device() {
        return Ok(None);
    }
    let known = world.devices.get(device);
    let queue = world.queues.get(device);
    let switch = match (known, queue) {
        (Some(device), _) => &device.switch,
        (None, Some(queue)) => &queue.switch,
        (None, None) => {
            return Err((
                Refusal::NoSuchDevice,
                format!("there is no device {device:?}; right would be one of the site"),
            ));
        }
    };
    if known.is_some_and(|device| device.in_service == Some(false)) && !passes_out_of_service(ask) {
        let why = format!(
            "the device {device} is out of service; only registration, queries and login pass until it is back"
        );
        return Err((Refusal::OutOfService, why));
    }
    for (conn, kind) in ask.calls().into_iter().flatten() {
        let Some((id, call)) = world.call_by_conn(conn) else {
            return Err((Refusal::NoSuchCall, format!("there is no call {conn}; it may have ended")));
        };
        if let Some(kind) = kind {
            takes_part(world, (device, known), (conn, id, call), kind)?;
        }
    }
    if let Ask::Reserve { priority, agent, .. } = ask {
        reserve(world, device, (*priority, now), agent.as_deref())?;
    }
    if ask.is_ours() {
        return Ok(None);
    }
    if let Ask::Login { agent, .. } = ask {
        can_log_in(world, device, agent)?;
    }
    if matches!(ask, Ask::Logout { .. } | Ask::Ready { .. } | Ask::NotReady { .. }) && world.agent_on(device).is_none()
    {
        return Err((Refusal::NotLoggedIn, format!("nobody is logged in on {device}; log in first")));
    }
    if world.switches.get(switch).is_none_or(|switch| !switch.connected) {
        let why = format!("the switch {switch} cannot be reached at the moment; try again later");
        return Err((Refusal::SwitchGone, why));
    }
    Ok(Some(switch.clone()))
}

/// The published rule: what still works while a device is out of service.
fn passes_out_of_service(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Register
            | Ask::Unregister
            | Ask::QueryAddress { .. }
            | Ask::QueryCall { .. }
            | Ask::QueryServer
            | Ask::SetReference { .. }
            | Ask::SetMask { .. }
            | Ask::Login { .. }
            | Ask::SetVariable { .. }
            | Ask::Record { .. }
    )
}

fn takes_part(
    world: &World,
    (device, known): (&str, Option<&Device>),
    (conn, id, call): (ConnId, CallId, &Call),
    kind: AskKind,
) -> Result<(), (Refusal, String)> {
    let Some((_, leg)) = world.leg_of(call, device) else {
        // A supervisor takes part without a leg of its own.
        let supervises = known.is_some_and(|known| known.supervising == Some(id));
        return if supervises && matches!(kind, AskKind::Release | AskKind::Talk) {
            Ok(())
        } else {
            Err((Refusal::NoSuchCall, format!("the device {device} takes no part in the call {conn}")))
        };
    };
    let Some(refusal) = refuse_leg(leg.state, kind) else { return Ok(()) };
    let state = match leg.state {
        LegState::New => "new",
        LegState::Dialing => "dialling",
        LegState::Ringing => "ringing",
        LegState::Connected => "connected",
        LegState::Held => "held",
        LegState::Parked => "parked",
        LegState::Bridged => "bridged",
        LegState::Ended => "ended",
    };
    Err((refusal, format!("the call {conn} is {state} at {device}, which does not allow it")))
}

/// One agent a device, one device an agent.
fn can_log_in(world: &World, device: &str, agent: &str) -> Result<(), (Refusal, String)> {
    if let Some(other) = world.agent_on(device).filter(|other| *other != agent) {
        let why = format!("the agent {other} is logged in on {device}; one agent a device");
        return Err((Refusal::LoggedInAlready, why));
    }
    match world.agents.get(agent).and_then(|agent| agent.device.as_deref()) {
        Some(elsewhere) if elsewhere != device => Err((
            Refusal::AgentElsewhere,
            format!("the agent {agent} is logged in on {elsewhere}; log out there first"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// `now` is when it is asked: nothing needs to have happened since a reservation ran out.
fn reserve(
    world: &World,
    device: &str,
    (priority, now): (u32, Time),
    wanted: Option<&str>,
) -> Result<(), (Refusal, String)> {
    let Some(id) = world.agent_on(device) else {
        return Err((Refusal::NotLoggedIn, format!("nobody is logged in on {device}")));
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != id) {
        return Err((Refusal::NoSuchAgent, format!("the agent {wanted} is not logged in on {device}; {id} is")));
    }
    let Some(agent) = world.agents.get(id) else { return Ok(()) };
    match &agent.reserved {
        Some((_, until, held)) if *until > now && *held >= priority => {
            Err((Refusal::AgentReserved, "the agent is reserved for somebody else; ask again later".to_string()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Does what needs no switch. Queries change nothing; their answer is what is true when they are done.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not ours changes nothing here; `Ask::is_ours` lists it all"
)]
fn answer(world: &World, request: &Request, told: &mut Told) {
    let client = |fact| Fact::Client { client: request.client.clone(), fact };
    let device = request.device.clone();
    let fact = match &request.ask {
        Ask::Register => client(ClientFact::Registered { device }),
        Ask::Unregister => client(ClientFact::Unregistered { device }),
        Ask::SetReference { next } => client(ClientFact::ReferenceSet { next: *next }),
        Ask::SetMask { events } => client(ClientFact::MaskSet { events: events.clone() }),
        Ask::Reserve { ms, priority, .. } => {
            let Some(agent) = world.agent_on(&device) else { return };
            let (by, until) = (request.client.clone(), told.at.plus_ms(*ms));
            let fact = AgentFact::Reserved { by, until, priority: *priority };
            Fact::Agent { agent: agent.to_string(), fact }
        }
        Ask::ChangeData { call, set, removed, all } => {
            let Some((id, call)) = world.call_by_conn(*call) else { return };
            let gone = |key: &&String| (*all || removed.contains(*key)) && !set.contains_key(*key);
            let removed: Vec<String> = call.user_data.keys().filter(gone).cloned().collect();
            let fact = CallFact::UserDataChanged { set: set.clone(), removed, by: device };
            Fact::Call { call: id, fact }
        }
        Ask::Change(change) => return directory_decide::answer(world, change, told),
        _ => return,
    };
    told.tell(fact);
}

fn tell(told: &mut Told, request: RequestId, fact: RequestFact) {
    told.tell(Fact::Request { request, fact });
}
