//! Facts about devices and agents, as events of the topic `voice-agentstate`.

use alloc::borrow::Cow;

use cordboard_core::agent::AgentState;
use cordboard_core::event::{AgentFact, DeviceFact, ForwardMode as Forwarded, WrapUpEnd};
use cordboard_core::world::{Agent, Device};

use super::attributes::{Datum, DeviceFrame, Pairs};
use super::enums::{AgentWorkMode, ForwardMode};
use super::messages::{
    EventAgentLogin, EventAgentLogout, EventAgentNotReady, EventAgentReady, EventDNBackInService, EventDNDOff,
    EventDNDOn, EventDNOutOfService, EventForwardCancel, EventForwardSet, EventMessageWaitingOff,
    EventMessageWaitingOn, EventQueueLogout,
};
use super::scene::Scene;

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
        DeviceFact::OffHook { .. } | DeviceFact::OnHook { .. } => {}
        DeviceFact::MonitoringSet(_) | DeviceFact::MonitoringCancelled(_) => {}
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

/// Says a fact about an agent, on the number the agent works at.
pub(super) fn agent<'w>(scene: &mut Scene<'w, '_>, id: &'w str, fact: &'w AgentFact) {
    let Some(agent) = scene.world.agents.get(id) else { return };
    match fact {
        // Pauses in single queues are told when they add up to another state of the agent.
        AgentFact::Found { .. } | AgentFact::QueuePaused { .. } | AgentFact::QueueResumed { .. } => {}
        AgentFact::ModeChosen { .. } | AgentFact::WrapUpPlanned(_) | AgentFact::Reserved { .. } => {}
        AgentFact::LoggedIn { device, queue } => login(scene, id, device, queue.as_deref()),
        AgentFact::QueueLoggedOut { queue } => {
            if let Some(frame) = frame(scene, id, agent) {
                scene.tell_agent(id, EventQueueLogout::of(frame, Cow::Borrowed(queue)));
            }
        }
        AgentFact::LoggedOut { queue } => {
            if let Some(frame) = frame(scene, id, agent) {
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
    scene.tell_agent(id, EventAgentLogin::of(frame));
}

/// Says what the agent can be offered.
pub(super) fn readiness<'w>(scene: &mut Scene<'w, '_>, id: &'w str, agent: &'w Agent) {
    let Some(mut frame) = frame(scene, id, agent) else { return };
    match agent.state {
        AgentState::LoggedOut => {}
        AgentState::Ready => scene.tell_agent(id, EventAgentReady::of(frame, AgentWorkMode::AutoIn)),
        AgentState::NotReady => {
            let paused = agent.queues.values().any(Option::is_some);
            frame.AgentWorkMode = Some(if paused { AgentWorkMode::AuxWork } else { AgentWorkMode::Unknown });
            if !agent.reason.is_empty() {
                frame.Reasons = Some(Pairs::from([(Cow::Borrowed("Reason"), Datum::from(agent.reason.as_str()))]));
            }
            scene.tell_agent(id, EventAgentNotReady::of(frame));
        }
        AgentState::AfterCallWork => {
            frame.AgentWorkMode = Some(AgentWorkMode::AfterCallWork);
            if let Some(wrapup) = &agent.wrapup {
                frame.ThisQueue = Some(Cow::Borrowed(&wrapup.queue));
                let seconds = i64::try_from(wrapup.until.micros_since(wrapup.since) / 1_000_000).unwrap_or(i64::MAX);
                let planned = Pairs::from([(Cow::Borrowed("WrapUpTime"), Datum::from(seconds))]);
                frame.Extensions = scene.extensions(planned);
            }
            scene.tell_agent(id, EventAgentNotReady::of(frame));
        }
    }
}

/// An agent on the number they work at, or worked at until just now.
fn frame<'w>(scene: &Scene<'w, '_>, id: &'w str, agent: &'w Agent) -> Option<DeviceFrame<'w>> {
    let mut frame = scene.device(agent.device.as_deref().or(agent.left.as_deref())?);
    frame.AgentID = Some(Cow::Borrowed(id));
    Some(frame)
}
