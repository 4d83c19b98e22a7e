//! What is true now, said as if it had just come about: for whoever comes late.

use cordboard_core::World;
use cordboard_core::agent::AgentState;
use cordboard_core::call::LegState;
use cordboard_core::event::DeviceKind;

use super::messages::{EventDNDOn, EventDNOutOfService};
use super::party::Party;
use super::scene::Scene;
use super::{calls, devices, legs, routing};
use crate::{Message, Position, Settings};

/// Says a world: agents, devices that are not as usual, and calls under way.
pub(super) fn snapshot(settings: &Settings, world: &World, _at: Position, out: &mut Vec<Message>) {
    let mut scene = Scene::now(&settings.genesys, world, out);
    // Who works where comes first: what is told of a device is keyed by its agent.
    for (id, agent) in world.agents.iter().filter(|(_, agent)| agent.state != AgentState::LoggedOut) {
        let Some(device) = &agent.device else { continue };
        if agent.queues.is_empty() {
            devices::login(&mut scene, id, device, None);
        }
        for queue in agent.queues.keys() {
            devices::login(&mut scene, id, device, Some(queue));
        }
        devices::readiness(&mut scene, id, agent);
    }
    for (number, device) in &world.devices {
        if !scene.tells_device(number) {
            continue;
        }
        if device.in_service == Some(false) {
            scene.tell_device(number, EventDNOutOfService::of(scene.device(number)));
        }
        if device.dnd {
            scene.tell_device(number, EventDNDOn::of(scene.device(number)));
        }
        devices::forwards(&mut scene, number, device);
        if device.messages_new > 0 {
            devices::messages(&mut scene, number, device.messages_new, None);
        }
        if device.off_hook {
            let call = device.legs.iter().map(|(call, _)| *call).next_back();
            devices::hook(&mut scene, number, true, call);
        }
        if let Some(monitor) = &device.monitors {
            devices::monitoring(&mut scene, number, monitor);
        }
    }
    for (call_id, call) in world.calls.iter().filter(|(_, call)| !call.ended) {
        for queue in call.queued.keys() {
            calls::queued(&mut scene, *call_id, call, queue);
        }
        for (at, waits) in &call.routing {
            // Where it waited in a queue as well, it waits as long as it is queued.
            if scene.kind(at) == Some(DeviceKind::RouteQueue) && !call.queued.contains_key(at) {
                continue;
            }
            routing::requested(&mut scene, *call_id, call, at);
            if let Some((kind, parameters)) = &waits.treatment {
                routing::applied(&mut scene, *call_id, call, (at, *kind), parameters);
            }
        }
        for (id, leg) in call.living() {
            party(&mut scene, Party { call_id: *call_id, call, id, leg });
        }
        for (by, mode) in &call.supervisors {
            calls::supervision_began(&mut scene, *call_id, call, by, *mode);
        }
    }
}

fn party<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>) {
    legs::begun(scene, party);
    match party.leg.state {
        LegState::New | LegState::Dialing | LegState::Ringing | LegState::Ended => {}
        LegState::Bridged => legs::bridged(scene, party),
        LegState::Connected | LegState::Parked => legs::connected(scene, party),
        LegState::Held => {
            legs::connected(scene, party);
            legs::held(scene, party);
        }
    }
    if party.leg.muted {
        legs::mute(scene, party, true);
    }
    if party.leg.deaf {
        legs::listen(scene, party, false, "");
    }
}
