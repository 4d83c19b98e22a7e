//! What is true now: statuses as they are, and what is under way as if it had just come about.

use cordboard_core::World;
use cordboard_core::event::DeviceKind;

use super::party::Party;
use super::scene::Scene;
use super::values::TerminalStatus;
use super::{Said, directory, offers, person, queue_status, supervision, terminals, user_status, wrapup};
use crate::{Position, Settings};

/// Says a world: telephones, availabilities, calls, after-call work and open callbacks, then everybody's status.
pub(super) fn snapshot(settings: &Settings, world: &World, at: Position, out: &mut Vec<Said>) {
    let mut scene = Scene::at(&settings.enreach, world, at, world.now, out);
    for (number, device) in world.devices.iter().filter(|(_, device)| device.kind == DeviceKind::Extension) {
        scene.about(number);
        match device.in_service {
            Some(true) => terminals::status(&mut scene, number, TerminalStatus::Online),
            Some(false) => terminals::status(&mut scene, number, TerminalStatus::Offline),
            None => {}
        }
    }
    for (name, user) in &world.directory.users {
        if user.availability_now(world.now).is_some() {
            directory::availability_now(&mut scene, name);
        }
    }
    for (id, call) in world.calls.iter().filter(|(_, call)| !call.ended) {
        for party in Party::living(world, *id, call) {
            scene.about(&format!("leg {}", party.id.0));
            offers::standing(&mut scene, party);
        }
        for (by, mode) in &call.supervisors {
            scene.about(by);
            supervision::changed(&mut scene, *id, call, by, Some(*mode));
        }
    }
    for (name, agent) in &world.agents {
        if let Some(wrapup) = &agent.wrapup {
            wrapup::started(&mut scene, name, wrapup);
        }
    }
    for (id, callback) in world.directory.callbacks.iter().filter(|(_, callback)| callback.closed.is_none()) {
        scene.about(&id.to_string());
        directory::changed(&mut scene, *id, callback, false);
    }
    out.extend(person::names(world).into_iter().map(|name| user_status(world, name, at, world.now)));
    out.extend(world.queues.keys().map(|name| queue_status(world, name, at, world.now)));
}
