//! What follows from what is seen of switches, directory numbers and queues.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Told;
use crate::agent_decide;
use crate::call_decide;
use crate::event::{Cause, DeviceFact, Fact, QueueFact, SwitchFact};
use crate::ids::{CallId, LegId, Time};
use crate::observation::{DeviceSeen, QueueSeen, SwitchSeen};
use crate::world::World;

pub(crate) fn switch(world: &World, switch: &str, seen: &SwitchSeen, told: &mut Told) {
    let known = world.switches.get(switch);
    let mut tell = |fact| told.tell(Fact::Switch { switch: switch.to_string(), fact });
    match seen {
        SwitchSeen::Connect { version } => {
            if !known.is_some_and(|known| known.connected && known.version == *version) {
                tell(SwitchFact::Connected { version: version.clone() });
            }
        }
        SwitchSeen::Disconnect { reason } => {
            if known.is_none_or(|known| known.connected) {
                tell(SwitchFact::Disconnected { reason: reason.clone() });
            }
        }
        SwitchSeen::Present { legs, calls, gone_since } => {
            let legs: BTreeSet<&str> = legs.iter().map(String::as_str).collect();
            let calls: BTreeSet<&str> = calls.iter().map(String::as_str).collect();
            lose_missing(world, switch, &legs, &calls, *gone_since, told);
        }
        SwitchSeen::Members { members } => {
            let present: BTreeSet<(&str, &str)> =
                members.iter().map(|(agent, queue)| (agent.as_str(), queue.as_str())).collect();
            leave_missing(world, switch, &present, told);
        }
    }
}

/// Ends every leg of the switch that it no longer knows, with cause `Lost`: its end was not heard. A call without legs
/// (we stopped between its beginning and its first leg) ends too, unless its first leg is yet to come.
fn lose_missing(
    world: &World,
    switch: &str,
    legs: &BTreeSet<&str>,
    calls: &BTreeSet<&str>,
    gone_since: Option<Time>,
    told: &mut Told,
) {
    told.since = gone_since.filter(|since| *since < told.at);
    for (call_id, call) in world.calls.iter().filter(|(_, call)| call.switch == switch && !call.ended) {
        let gone: Vec<(CallId, LegId)> =
            call.living().filter(|(_, leg)| !legs.contains(leg.key.as_str())).map(|(leg, _)| (*call_id, leg)).collect();
        if call.living().next().is_none() && !call.keys.iter().any(|key| calls.contains(key.as_str())) {
            call_decide::close_if_empty(*call_id, call, &[], Some((LegId(0), Cause::Lost)), None, told);
        }
        call_decide::end_legs(world, *call_id, &gone, Cause::Lost, told);
    }
    told.since = None;
}

/// Logs agents out of the queues of this switch that no longer name them.
fn leave_missing(world: &World, switch: &str, present: &BTreeSet<(&str, &str)>, told: &mut Told) {
    let mut missing: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (name, queue) in world.queues.iter().filter(|(_, queue)| queue.switch == switch) {
        for agent in queue.members.iter().filter(|agent| !present.contains(&(agent.as_str(), name.as_str()))) {
            missing.entry(agent).or_default().push(name);
        }
    }
    for (agent, queues) in missing {
        agent_decide::leave_queues(world, agent, &queues, told);
    }
}

pub(crate) fn device(world: &World, switch: &str, device: &str, seen: &DeviceSeen, told: &mut Told) {
    let known = world.devices.get(device);
    let mut tell = |fact| told.tell(Fact::Device { device: device.to_string(), fact });
    match seen {
        DeviceSeen::Exist(kind) => {
            if known.is_none_or(|known| known.kind != *kind) {
                tell(DeviceFact::Found { kind: *kind, switch: switch.to_string() });
            }
        }
        DeviceSeen::Service(up) => match known.and_then(|known| known.in_service) {
            Some(was) if was == *up => {}
            Some(_) | None => tell(if *up { DeviceFact::BackInService } else { DeviceFact::OutOfService }),
        },
        DeviceSeen::Dnd(on) => {
            if known.is_some_and(|known| known.dnd) != *on {
                tell(if *on { DeviceFact::DndOn } else { DeviceFact::DndOff });
            }
        }
        DeviceSeen::Forward(mode, target) => {
            let was = known.and_then(|known| known.forward.get(mode));
            if was != target.as_ref() {
                tell(match target {
                    Some(target) => DeviceFact::ForwardSet { mode: *mode, target: target.clone() },
                    None => DeviceFact::ForwardCancelled { mode: *mode },
                });
            }
        }
        DeviceSeen::Messages(new, old) => {
            let was = known.map_or(0, |known| known.messages_new);
            if *new > 0 && was != *new {
                tell(DeviceFact::MessageWaitingOn { new: *new, old: *old });
            } else if *new == 0 && was > 0 {
                tell(DeviceFact::MessageWaitingOff);
            }
        }
        DeviceSeen::Hook { off, call } => {
            let call = call.as_ref().and_then(|call| world.call_by_key(switch, call)).map(|(call, _)| call);
            if known.is_some_and(|known| known.off_hook) != *off {
                tell(if *off { DeviceFact::OffHook { call } } else { DeviceFact::OnHook { call } });
            }
        }
        DeviceSeen::Monitor(monitor) => {
            if known.is_some_and(|known| known.monitors.as_ref() != Some(monitor)) {
                tell(DeviceFact::MonitoringSet(monitor.clone()));
            }
        }
        DeviceSeen::MonitorEnd(monitor) => {
            if known.is_some_and(|known| known.monitors.as_ref().is_some_and(|was| was.target == monitor.target)) {
                tell(DeviceFact::MonitoringCancelled(monitor.clone()));
            }
        }
    }
}

pub(crate) fn queue(world: &World, switch: &str, queue: &str, seen: &QueueSeen, told: &mut Told) {
    let known = world.queues.get(queue);
    let mut tell = |fact| told.tell(Fact::Queue { queue: queue.to_string(), fact });
    match seen {
        QueueSeen::Exist => {
            // One that was described before has no switch yet.
            if known.is_none_or(|known| known.switch.is_empty()) {
                tell(QueueFact::Found { switch: switch.to_string() });
            }
        }
        QueueSeen::WrapUp(wrapup_ms) => {
            if known.is_none_or(|known| known.wrapup_ms != Some(*wrapup_ms)) {
                tell(QueueFact::WrapUpSet { wrapup_ms: *wrapup_ms });
            }
        }
    }
}
