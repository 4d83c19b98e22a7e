//! One event of ours, said in this vocabulary; statuses are said elsewhere.

use cordboard_core::{Event, Fact, World};

use super::scene::Scene;
use super::{Said, directory};
use crate::{Position, Settings};

/// Says an event, in the world right after it: everything but what is true of people and queues.
pub fn say(settings: &Settings, world: &World, at: Position, event: &Event, out: &mut Vec<Said>) {
    let mut scene = Scene::of(&settings.enreach, world, at, event, out);
    match &event.fact {
        Fact::User { user, fact } => directory::user(&mut scene, user, fact),
        Fact::Callback { callback, fact } => directory::callback(&mut scene, *callback, fact),
        Fact::Alert { alert, fact } => directory::alert(&mut scene, *alert, fact),
        Fact::Device { .. } | Fact::Agent { .. } | Fact::Call { .. } | Fact::Leg { .. } => {}
        // The vocabulary has no word for logs, phone systems, requests and clients; what a queue or a call list is, is
        // configuration here.
        Fact::Founded { .. }
        | Fact::Switch { .. }
        | Fact::Queue { .. }
        | Fact::Request { .. }
        | Fact::Client { .. }
        | Fact::List { .. } => {}
    }
}
