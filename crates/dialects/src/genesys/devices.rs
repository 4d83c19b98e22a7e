//! Facts about devices and agents, as events of the topic `voice-agentstate`.

use alloc::borrow::Cow;

use cordboard_core::agent::AgentState;
use cordboard_core::event::{
    AgentFact, DeviceFact, ForwardMode as Forwarded, Monitor, MonitorScope, WorkMode, WrapUpEnd,
};
use cordboard_core::request::Ask;
use cordboard_core::world::{Agent, Device};
use cordboard_core::{CallId, Time};

use super::attributes::{Datum, DeviceFrame, Pairs, pairs};
use super::calls::mode_name;
use super::enums::{AgentWorkMode, DNRole, ForwardMode, MonitorNextCallType};
use super::messages::{
    EventAgentLogin, EventAgentLogout, EventAgentNotReady, EventAgentReady, EventDNBackInService, EventDNDOff,
    EventDNDOn, EventDNOutOfService, EventForwardCancel, EventForwardSet, EventMessageWaitingOff,
    EventMessageWaitingOn, EventMonitoringCancelled, EventMonitoringNextCall, EventOffHook, EventOnHook,
    EventQueueLogout,
};
use super::party::{conn_id, some};
use super::scene::Scene;

/// What is said instead of a number of seconds of after-call work that the agent must end.
pub(super) const UNTIMED: &str = "untimed";

/// Says a fact about a device. Trunks are no directory numbers and are not told of.
pub(super) fn device<'w>(scene: &mut Scene<'w, '_>, number: &'w str, fact: &'w DeviceFact) {
    let Some(device) = scene.world.devices.get(number).filter(|_| scene.tells_device(number)) else { return };
    let frame = scene.device(number);
    match fact {
        DeviceFact::Found { .. } => {}
        DeviceFact::OutOfService => scene.tell_device(number, EventDNOutOfService::of(frame)),
        // A device that is heard of for the first time was not away.
        DeviceFact::BackInService if !device.was_out => {}
        DeviceFact::BackInService => scene.tell_device(number, EventDNBackInService::of(frame)),
        DeviceFact::DndOn => scene.tell_device(number, EventDNDOn::of(frame)),
        DeviceFact::DndOff => scene.tell_device(number, EventDNDOff::of(frame)),
        DeviceFact::ForwardSet { mode, target } => forward(scene, number, device, *mode, target),
        DeviceFact::ForwardCancelled { .. } => {
            // One event cancels all forwarding of the number, so what is still in force is told anew.
            scene.tell_device(number, EventForwardCancel::of(frame));
            forwards(scene, number, device);
        }
        DeviceFact::MessageWaitingOn { new, old } => messages(scene, number, *new, Some(*old)),
        DeviceFact::OffHook { call } => hook(scene, number, true, *call),
        DeviceFact::OnHook { call } => hook(scene, number, false, *call),
        DeviceFact::MonitoringSet(monitor) => monitoring(scene, number, monitor),
        DeviceFact::MonitoringCancelled(monitor) => monitoring_cancelled(scene, number, monitor),
        DeviceFact::MessageWaitingOff => scene.tell_device(number, EventMessageWaitingOff::of(frame)),
    }
}

/// Says all forwarding in force.
pub(super) fn forwards<'w>(scene: &mut Scene<'w, '_>, number: &'w str, device: &'w Device) {
    let both = on_both(device).is_some();
    for (mode, target) in device.forward.iter().filter(|(mode, _)| !both || **mode != Forwarded::OnNoAnswer) {
        forward(scene, number, device, *mode, target);
    }
}

fn forward<'w>(scene: &mut Scene<'w, '_>, number: &'w str, device: &'w Device, mode: Forwarded, target: &'w str) {
    let status = match mode {
        Forwarded::Unconditional => ForwardMode::Unconditional,
        Forwarded::OnBusy | Forwarded::OnNoAnswer if on_both(device) == Some(target) => ForwardMode::OnBusyAndNoAnswer,
        Forwarded::OnBusyAndNoAnswer => ForwardMode::OnBusyAndNoAnswer,
        Forwarded::OnBusy => ForwardMode::OnBusy,
        Forwarded::OnNoAnswer => ForwardMode::OnNoAnswer,
    };
    let frame = scene.device(number);
    let event = EventForwardSet {
        InfoStatus: Some(status),
        OtherDN: Some(Cow::Borrowed(target)),
        ..EventForwardSet::of(frame)
    };
    scene.tell_device(number, event);
}

/// Where calls go both when busy and when not answered, if that is the same place.
fn on_both(device: &Device) -> Option<&str> {
    let busy = device.forward.get(&Forwarded::OnBusy)?;
    (device.forward.get(&Forwarded::OnNoAnswer) == Some(busy)).then_some(busy)
}

/// Says that messages wait; how many old ones there are is not always known.
pub(super) fn messages<'w>(scene: &mut Scene<'w, '_>, number: &'w str, new: u32, old: Option<u32>) {
    let mut counts = Pairs::from([(Cow::Borrowed("NewMessages"), Datum::from(i64::from(new)))]);
    if let Some(old) = old {
        counts.insert(Cow::Borrowed("OldMessages"), Datum::from(i64::from(old)));
    }
    let frame = DeviceFrame { Extensions: scene.extensions(counts), ..scene.device(number) };
    scene.tell_device(number, EventMessageWaitingOn::of(frame));
}

/// Says that a handset was lifted or put back; the call is named where there is one.
pub(super) fn hook<'w>(scene: &mut Scene<'w, '_>, number: &'w str, off: bool, call: Option<CallId>) {
    let mut frame = scene.device(number);
    if let Some((id, call)) = call.and_then(|id| Some((id, scene.world.calls.get(&id)?))) {
        frame.CallID = Some(id.0);
        frame.ConnID = Some(Cow::Owned(conn_id(call.conn, &call.switch)));
    }
    if off {
        scene.tell_device(number, EventOffHook::of(frame));
    } else {
        scene.tell_device(number, EventOnHook::of(frame));
    }
}

/// Says, on the numbers of both, that a supervisor takes part in somebody's calls from now on.
pub(super) fn monitoring<'w>(scene: &mut Scene<'w, '_>, by: &'w str, monitor: &'w Monitor) {
    let (scope, extensions) = monitored(scene, monitor);
    for (number, other, role) in both(by, monitor) {
        let frame = DeviceFrame { Extensions: extensions.clone(), OtherDNRole: role, ..scene.device(number) };
        scene.tell_device(number, EventMonitoringNextCall::of(frame, scope, Cow::Borrowed(other)));
    }
}

fn monitoring_cancelled<'w>(scene: &mut Scene<'w, '_>, by: &'w str, monitor: &'w Monitor) {
    let (scope, _) = monitored(scene, monitor);
    for (number, other, role) in both(by, monitor) {
        let frame = DeviceFrame { MonitorNextCallType: Some(scope), OtherDNRole: role, ..scene.device(number) };
        scene.tell_device(number, EventMonitoringCancelled::of(frame, Cow::Borrowed(other)));
    }
}

/// On the agent's number the supervisor is named as an observer.
fn both<'w>(by: &'w str, monitor: &'w Monitor) -> [(&'w str, &'w str, Option<DNRole>); 2] {
    [(by, &monitor.target, None), (&monitor.target, by, Some(DNRole::Observer))]
}

fn monitored<'w>(scene: &Scene<'w, '_>, monitor: &'w Monitor) -> (MonitorNextCallType, Option<Pairs<'w>>) {
    let scope = match monitor.scope {
        MonitorScope::OneCall => MonitorNextCallType::MonitorOneCall,
        MonitorScope::AllCalls => MonitorNextCallType::MonitorAllCalls,
    };
    let mode = mode_name(monitor.mode).map(|mode| (Cow::Borrowed("MonitorMode"), Datum::from(mode)));
    (scope, scene.extensions(mode.into_iter().collect()))
}

/// Says a fact about an agent, on the number the agent works at.
pub(super) fn agent<'w>(scene: &mut Scene<'w, '_>, id: &'w str, fact: &'w AgentFact) {
    let Some(agent) = scene.world.agents.get(id) else { return };
    match fact {
        // Pauses in single queues are told when they add up to another state of the agent.
        AgentFact::Found { .. } | AgentFact::QueuePaused { .. } | AgentFact::QueueResumed { .. } => {}
        // Whether the agent is ready follows; what is planned is told when it matters; a reservation is told to clients.
        AgentFact::ModeChosen { .. }
        | AgentFact::WrapUpPlanned(_)
        | AgentFact::Reserved { .. }
        | AgentFact::ReservationEnded => {}
        AgentFact::LoggedIn { device, queue } => login(scene, id, device, queue.as_deref()),
        AgentFact::QueueLoggedOut { queue } => {
            if let Some(mut frame) = frame(scene, id, agent) {
                frame.Reasons = asked_reasons(scene);
                scene.tell_agent(id, EventQueueLogout::of(frame, Cow::Borrowed(queue)));
            }
        }
        AgentFact::LoggedOut { queue } => {
            if let Some(mut frame) = frame(scene, id, agent) {
                frame.Reasons = asked_reasons(scene);
                let event =
                    EventAgentLogout { ThisQueue: queue.as_deref().map(Cow::Borrowed), ..EventAgentLogout::of(frame) };
                scene.tell_agent(id, event);
            }
        }
        AgentFact::Ready | AgentFact::NotReady { .. } => readiness(scene, id, agent),
        AgentFact::WrapUpBegan { .. } => readiness(scene, id, agent),
        AgentFact::WrapUpEnded { reason } => match reason {
            WrapUpEnd::Elapsed | WrapUpEnd::NextCall | WrapUpEnd::SwitchRestarted | WrapUpEnd::Requested => {
                readiness(scene, id, agent)
            }
            WrapUpEnd::LoggedOut => {} // the logout follows
        },
    }
}

/// Says that an agent is logged in to a queue.
pub(super) fn login<'w>(scene: &mut Scene<'w, '_>, id: &'w str, device: &'w str, queue: Option<&'w str>) {
    let mut frame = scene.device(device);
    frame.AgentID = Some(Cow::Borrowed(id));
    frame.ThisQueue = queue.map(Cow::Borrowed);
    frame.Reasons = asked_reasons(scene);
    if let Some(Ask::Login { mode, .. }) = scene.asked.map(|asked| &asked.ask) {
        frame.AgentWorkMode = Some(work_mode(*mode));
    }
    scene.tell_agent(id, EventAgentLogin::of(frame));
}

/// Why somebody asked to be logged in or out.
fn asked_reasons<'w>(scene: &Scene<'w, '_>) -> Option<Pairs<'w>> {
    let (Ask::Login { reasons, .. } | Ask::Logout { reasons, .. }) = &scene.asked?.ask else { return None };
    (!reasons.is_empty()).then(|| pairs(reasons))
}

/// Says what the agent can be offered.
pub(super) fn readiness<'w>(scene: &mut Scene<'w, '_>, id: &'w str, agent: &'w Agent) {
    let Some(mut frame) = frame(scene, id, agent) else { return };
    match agent.state {
        AgentState::LoggedOut => {}
        AgentState::Ready => {
            let mode = if agent.chose { fitting(agent.mode, true) } else { AgentWorkMode::AutoIn };
            frame.Reasons = (!agent.reasons.is_empty()).then(|| pairs(&agent.reasons));
            scene.tell_agent(id, EventAgentReady::of(frame, mode));
        }
        AgentState::NotReady => {
            let paused = agent.queues.values().any(Option::is_some);
            frame.AgentWorkMode = Some(match (agent.chose, paused) {
                (true, _) => fitting(agent.mode, false),
                (false, true) => AgentWorkMode::AuxWork,
                (false, false) => AgentWorkMode::Unknown,
            });
            if !agent.reasons.is_empty() {
                frame.Reasons = Some(pairs(&agent.reasons));
            } else if !agent.reason.is_empty() {
                frame.Reasons = Some(Pairs::from([(Cow::Borrowed("Reason"), Datum::from(agent.reason.as_str()))]));
            }
            scene.tell_agent(id, EventAgentNotReady::of(frame));
        }
        AgentState::AfterCallWork => {
            frame.AgentWorkMode = Some(AgentWorkMode::AfterCallWork);
            if let Some(wrapup) = &agent.wrapup {
                frame.ThisQueue = some(&wrapup.queue).map(Cow::Borrowed);
                let seconds = i64::try_from(wrapup.until.micros_since(wrapup.since) / 1_000_000).unwrap_or(i64::MAX);
                let ends = wrapup.until != Time(u64::MAX);
                let planned = if ends { Datum::from(seconds) } else { Datum::from(UNTIMED) };
                let planned = Pairs::from([(Cow::Borrowed("WrapUpTime"), planned)]);
                frame.Extensions = scene.extensions(planned);
            }
            scene.tell_agent(id, EventAgentNotReady::of(frame));
        }
    }
}

/// The mode the agent chose, where it belongs to what the agent is.
fn fitting(mode: WorkMode, ready: bool) -> AgentWorkMode {
    let of_ready = match mode {
        WorkMode::Unknown => return AgentWorkMode::Unknown,
        WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => true,
        WorkMode::LegalGuard
        | WorkMode::AfterCallWork
        | WorkMode::AuxWork
        | WorkMode::NoCallDisconnect
        | WorkMode::WalkAway => false,
    };
    if of_ready == ready { work_mode(mode) } else { AgentWorkMode::Unknown }
}

fn work_mode(mode: WorkMode) -> AgentWorkMode {
    match mode {
        WorkMode::Unknown => AgentWorkMode::Unknown,
        WorkMode::ManualIn => AgentWorkMode::ManualIn,
        WorkMode::AutoIn => AgentWorkMode::AutoIn,
        WorkMode::LegalGuard => AgentWorkMode::LegalGuard,
        WorkMode::AfterCallWork => AgentWorkMode::AfterCallWork,
        WorkMode::AuxWork => AgentWorkMode::AuxWork,
        WorkMode::NoCallDisconnect => AgentWorkMode::NoCallDisconnect,
        WorkMode::WalkAway => AgentWorkMode::WalkAway,
        WorkMode::ReturnBack => AgentWorkMode::ReturnBack,
    }
}

/// An agent on the number they work at, or worked at until just now.
fn frame<'w>(scene: &Scene<'w, '_>, id: &'w str, agent: &'w Agent) -> Option<DeviceFrame<'w>> {
    let mut frame = scene.device(agent.device.as_deref().or(agent.left.as_deref())?);
    frame.AgentID = Some(Cow::Borrowed(id));
    Some(frame)
}
