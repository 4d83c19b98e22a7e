//! What is known of a number, as an answer to who asks.

use alloc::borrow::Cow;

use cordboard_core::CallId;
use cordboard_core::agent::AgentState;
use cordboard_core::call::LegState;
use cordboard_core::event::{Asked, DeviceKind, ForwardMode, Role, WorkMode};
use cordboard_core::world::{Agent, Call, Device, Leg};

use super::super::attributes::{Datum, Pairs, Text};
use super::super::enums::{CallType, Enumeration, ForwardMode as Forwarded};
use super::super::party::conn_id;
use super::super::requests::words::ADDRESS_TYPE;
use super::super::scene::Scene;

/// What is known of a number.
pub(super) struct Status<'w> {
    /// What was asked.
    pub(super) word: Datum<'w>,
    /// Everything.
    pub(super) extensions: Pairs<'w>,
    /// The agent who works there.
    pub(super) agent: Option<Text<'w>>,
}

/// The enumerations that an answer is a word of.
pub(super) const ENUMERATIONS: &[&Enumeration] =
    &[&ADDRESS_STATUS, &AGENT_STATUS, &ASSOCIATION_STATUS, &MESSAGE_WAITING_STATUS];

const ADDRESS_STATUS: Enumeration = Enumeration {
    name: "AddressStatus",
    values: &[
        ("Idle", 0),
        ("Origination", 1),
        ("Dialing", 2),
        ("Talking", 3),
        ("Ringing", 4),
        ("Held", 5),
        ("Treatment", 6),
        ("LockedOut", 7),
        ("Maintenance", 8),
        ("Available", 9),
        ("Vacant", 10),
    ],
};

const MESSAGE_WAITING_STATUS: Enumeration =
    Enumeration { name: "MessageWaitingStatus", values: &[("Activated", 0), ("Deactivated", 1)] };

const ASSOCIATION_STATUS: Enumeration = Enumeration {
    name: "AssociationStatus",
    values: &[("AssociatedToThisSession", 0), ("AssociatedToAnotherSession", 1), ("NotAssociated", 2)],
};

/// What an agent does, calls apart. That it is a number is published, which number is not: these are our own.
const AGENT_STATUS: Enumeration = Enumeration {
    name: "AgentStatus",
    values: &[("LoggedOut", 0), ("LoggedIn", 1), ("Ready", 2), ("NotReady", 3), ("AfterCallWork", 4), ("WalkAway", 5)],
};

/// What is known of the number that is asked about; `info` is what is wanted of it.
pub(super) fn of<'w>(scene: &Scene<'w, '_>, asked: &'w Asked, info: &str) -> Status<'w> {
    let name = &*asked.device;
    let device = scene.world.devices.get(name);
    let agent = scene.world.agent_on(name);
    let mut extensions = Pairs::new();
    let calls = calls(scene, name, device);
    for (at, (call, state)) in (1_u32..).zip(&calls) {
        let conn = conn_id(call.conn, &call.switch);
        extensions.insert(Cow::Owned(format!("conn-{at}")), Datum::Text(Cow::Owned(conn)));
        extensions.insert(Cow::Owned(format!("ct-{at}")), scene.word(&CallType::VALUES, kind(call)));
        extensions.insert(Cow::Owned(format!("ps-{at}")), Datum::from(*state));
    }
    match device.filter(|device| device.kind == DeviceKind::Extension) {
        Some(device) => telephone(scene, device, agent, &mut extensions),
        None => {
            extensions.insert(Cow::Borrowed("agents"), Datum::from(members(scene, name).count_as_i64()));
            extensions.insert(Cow::Borrowed("available"), Datum::from(available(scene, name).count_as_i64()));
        }
    }
    let waiting = i64::try_from(calls.len()).unwrap_or(i64::MAX);
    let word = match info {
        "MessageWaitingStatus" => {
            let waits = device.is_some_and(|device| device.messages_new > 0);
            scene.word(&MESSAGE_WAITING_STATUS, if waits { "Activated" } else { "Deactivated" })
        }
        "AssociationStatus" => scene.word(&ASSOCIATION_STATUS, association(device, &asked.client)),
        "CallForwardingStatus" => scene.word(&Forwarded::VALUES, device.map_or("None", forwarding)),
        "AgentStatus" => agent_status(scene, agent),
        "NumberOfAgentsInQueue" | "QueueLoginAudit" => Datum::from(members(scene, name).count_as_i64()),
        "NumberOfAvailableAgentsInQueue" => Datum::from(available(scene, name).count_as_i64()),
        "NumberOfCallsInQueue" | "CallsQuery" => Datum::from(waiting),
        "AddressType" => scene.word(&ADDRESS_TYPE, address_type(scene, name)),
        _ => scene.word(&ADDRESS_STATUS, address_status(scene, name, device)),
    };
    if info == "QueueLoginAudit" {
        let seats = members(scene, name)
            .filter_map(|(id, agent)| Some((Cow::Borrowed(id), Datum::from(agent.device.as_deref()?))));
        extensions.insert(Cow::Borrowed("logins"), Datum::Pairs(seats.collect()));
    }
    Status { word, extensions, agent: agent.map(Cow::Borrowed) }
}

/// What kind of number it is.
pub(super) fn address_type(scene: &Scene<'_, '_>, name: &str) -> &'static str {
    match scene.kind(name) {
        Some(DeviceKind::Extension) => "DN",
        Some(DeviceKind::Trunk) => "Trunk",
        Some(DeviceKind::Queue) | None => "Queue",
        Some(DeviceKind::RouteQueue) => "RouteQueue",
        Some(DeviceKind::RoutePoint) => "RouteDN",
    }
}

fn telephone<'w>(scene: &Scene<'w, '_>, device: &'w Device, agent: Option<&'w str>, extensions: &mut Pairs<'w>) {
    extensions.insert(Cow::Borrowed("AgentStatus"), agent_number(scene, agent));
    extensions.insert(Cow::Borrowed("dnd"), Datum::from(i64::from(device.dnd)));
    extensions.insert(Cow::Borrowed("mwl"), Datum::from(i64::from(device.messages_new > 0)));
    let forward: Pairs<'w> = device
        .forward
        .iter()
        .map(|(mode, to)| (Cow::Borrowed(forward_name(*mode)), Datum::from(to.as_str())))
        .collect();
    if !forward.is_empty() {
        extensions.insert(Cow::Borrowed("fwd"), Datum::Pairs(forward));
    }
}

/// Calls at a number, each with the state of the number in it.
fn calls<'w>(scene: &Scene<'w, '_>, name: &str, device: Option<&'w Device>) -> Vec<(&'w Call, i64)> {
    let get = |id: &CallId| scene.world.calls.get(id).filter(|call| !call.ended);
    let legs = device.into_iter().flat_map(|device| &device.legs).filter_map(|(id, leg)| {
        let call = get(id)?;
        Some((call, party_state(scene, call, call.legs.get(leg)?)))
    });
    let observed = device.and_then(|device| device.supervising.as_ref()).and_then(get);
    let waits = scene.world.calls.values().filter(|call| !call.ended).filter_map(|call| {
        let queued = if call.queued.contains_key(name) { QUEUED } else { 0 };
        let routed =
            call.routing.get(name).map_or(0, |wait| ROUTING | if wait.treatment.is_some() { TREATMENT } else { 0 });
        (queued | routed != 0).then_some((call, queued | routed))
    });
    legs.chain(observed.map(|call| (call, CONNECTED | OBSERVING))).chain(waits).collect()
}

const QUEUED: i64 = 0x9;
const ALERTING: i64 = 0xA;
const BUSY: i64 = 0xB;
const CONNECTED: i64 = 0xC;
const DETECTING: i64 = 0xD;
const HELD: i64 = 0xE;
const FAILED: i64 = 0xF;
const NO_LISTEN: i64 = 0x10;
const NO_TALK: i64 = 0x20;
const BRIDGED: i64 = 0x40;
const OBSERVING: i64 = 0xA0;
const TREATMENT: i64 = 0x200;
const ROUTING: i64 = 0x800;

/// The state of a party in the published code: the lowest digit is what it does, the next what it can not.
pub(super) fn party_state(scene: &Scene<'_, '_>, call: &Call, leg: &Leg) -> i64 {
    let rings = || call.living().any(|(_, other)| other.state == LegState::Ringing);
    let generic = match leg.state {
        LegState::New | LegState::Ended => 0,
        LegState::Dialing if scene.is_queue(&leg.device) => DETECTING,
        LegState::Dialing if call.last_refusal.is_some() && !rings() => {
            let existed = leg.role == Role::Originator && call.arrived;
            if existed { BUSY } else { FAILED }
        }
        LegState::Dialing | LegState::Ringing => ALERTING,
        LegState::Connected | LegState::Parked => CONNECTED,
        LegState::Held => HELD,
        LegState::Bridged => BRIDGED,
    };
    generic | if leg.deaf { NO_LISTEN } else { 0 } | if leg.muted { NO_TALK } else { 0 }
}

fn address_status(scene: &Scene<'_, '_>, name: &str, device: Option<&Device>) -> &'static str {
    let Some(device) = device else { return "Available" };
    if device.in_service == Some(false) {
        return "Maintenance";
    }
    let legs = device.legs.iter().filter_map(|(call, leg)| scene.world.calls.get(call)?.legs.get(leg));
    let states: Vec<LegState> = legs.map(|leg| leg.state).collect();
    let has = |state| states.contains(&state);
    match () {
        () if has(LegState::Connected) || has(LegState::Parked) || device.supervising.is_some() => "Talking",
        () if has(LegState::Dialing) => "Dialing",
        () if has(LegState::Ringing) => "Ringing",
        () if has(LegState::Held) => "Held",
        () if scene.is_queue(name) => "Available",
        () => "Idle",
    }
}

fn association(device: Option<&Device>, client: &str) -> &'static str {
    match device.map(|device| &device.clients) {
        Some(clients) if clients.contains(client) => "AssociatedToThisSession",
        Some(clients) if !clients.is_empty() => "AssociatedToAnotherSession",
        Some(_) | None => "NotAssociated",
    }
}

fn forwarding(device: &Device) -> &'static str {
    device.forward.keys().next().map_or("None", |mode| forward_name(*mode))
}

fn forward_name(mode: ForwardMode) -> &'static str {
    match mode {
        ForwardMode::Unconditional => "Unconditional",
        ForwardMode::OnBusy => "OnBusy",
        ForwardMode::OnNoAnswer => "OnNoAnswer",
        ForwardMode::OnBusyAndNoAnswer => "OnBusyAndNoAnswer",
    }
}

fn agent_status<'w>(scene: &Scene<'w, '_>, agent: Option<&str>) -> Datum<'w> {
    scene.word(&AGENT_STATUS, agent_word(scene, agent))
}

/// In `Extensions` it is a number, whatever the style of enumerations.
fn agent_number<'w>(scene: &Scene<'w, '_>, agent: Option<&str>) -> Datum<'w> {
    Datum::from(AGENT_STATUS.number(agent_word(scene, agent)).map_or(0, i64::from))
}

fn agent_word(scene: &Scene<'_, '_>, agent: Option<&str>) -> &'static str {
    let Some(agent) = agent.and_then(|agent| scene.world.agents.get(agent)) else { return "LoggedOut" };
    match agent.state {
        AgentState::LoggedOut => "LoggedOut",
        AgentState::Ready => "Ready",
        AgentState::NotReady if agent.mode == WorkMode::WalkAway => "WalkAway",
        AgentState::NotReady => "NotReady",
        AgentState::AfterCallWork => "AfterCallWork",
    }
}

fn members<'w>(scene: &Scene<'w, '_>, queue: &str) -> impl Iterator<Item = (&'w str, &'w Agent)> {
    let members = scene.world.queues.get(queue).into_iter().flat_map(|queue| &queue.members);
    let world = scene.world;
    members.filter_map(move |id| world.agents.get(id).map(|agent| (&**id, agent)))
}

fn available<'w>(scene: &Scene<'w, '_>, queue: &str) -> impl Iterator<Item = (&'w str, &'w Agent)> {
    let world = scene.world;
    let free = move |agent: &Agent| {
        let device = agent.device.as_ref().and_then(|device| world.devices.get(device));
        agent.state == AgentState::Ready && device.is_some_and(|device| device.legs.is_empty())
    };
    members(scene, queue).filter(move |(_, agent)| free(agent))
}

/// Counts as the wire does.
trait Count: Iterator + Sized {
    fn count_as_i64(self) -> i64 {
        i64::try_from(self.count()).unwrap_or(i64::MAX)
    }
}

impl<I: Iterator> Count for I {}

fn kind(call: &Call) -> &'static str {
    match super::kind(call) {
        CallType::Unknown => "Unknown",
        CallType::Internal => "Internal",
        CallType::Inbound => "Inbound",
        CallType::Outbound => "Outbound",
        CallType::Consult => "Consult",
    }
}
