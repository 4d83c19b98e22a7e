//! One event of ours, said in this vocabulary; statuses are said elsewhere.

use cordboard_core::event::{CallFact, LegFact};
use cordboard_core::{CallId, Event, Fact, LegId, World};

use super::party::Party;
use super::scene::Scene;
use super::{Said, directory, diversion, handovers, offers, supervision, terminals, wrapup};
use crate::{Position, Settings};

/// Says an event, in the world right after it: everything but what is true of people and queues.
pub fn say(settings: &Settings, world: &World, at: Position, event: &Event, out: &mut Vec<Said>) {
    let mut scene = Scene::of(&settings.enreach, world, at, event, out);
    match &event.fact {
        Fact::Call { call, fact } => call_fact(&mut scene, *call, fact),
        Fact::Leg { call, leg, fact } => leg_fact(&mut scene, *call, *leg, fact),
        Fact::Device { device, fact } => terminals::device(&mut scene, device, fact),
        Fact::Agent { agent, fact } => wrapup::agent(&mut scene, agent, fact),
        Fact::User { user, fact } => directory::user(&mut scene, user, fact),
        Fact::Callback { callback, fact } => directory::callback(&mut scene, *callback, fact),
        Fact::Alert { alert, fact } => directory::alert(&mut scene, *alert, fact),
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

fn call_fact<'w>(scene: &mut Scene<'w, '_>, id: CallId, fact: &'w CallFact) {
    let Some(call) = scene.world.calls.get(&id) else { return };
    match fact {
        CallFact::Began(began) => handovers::consulted(scene, began),
        CallFact::Transferred(transfer) => handovers::transferred(scene, id, call, transfer),
        CallFact::Queued { queue, .. } => diversion::forwarded_to_queue(scene, call, queue),
        CallFact::TargetRefused { to, cause } => diversion::refused(scene, call, to, *cause),
        CallFact::SupervisionBegan { by, mode } | CallFact::SupervisionChanged { by, mode } => {
            supervision::changed(scene, id, call, by, Some(*mode));
        }
        CallFact::SupervisionEnded { by } => supervision::changed(scene, id, call, by, None),
        CallFact::Ended { cause, .. } => handovers::ended(scene, call, *cause),
        // The rest is told by the legs, or by nobody.
        CallFact::Described { .. }
        | CallFact::AlsoKnownAs { .. }
        | CallFact::UserDataSet { .. }
        | CallFact::UserDataChanged { .. }
        | CallFact::RouteRequested { .. }
        | CallFact::Routed { .. }
        | CallFact::TreatmentApplied { .. }
        | CallFact::TreatmentEnded { .. }
        | CallFact::TreatmentRefused { .. }
        | CallFact::Detected { .. }
        | CallFact::QueueTaken { .. }
        | CallFact::IvrEntered { .. }
        | CallFact::IvrLeft
        | CallFact::Dequeued { .. }
        | CallFact::TransferCompleted { .. }
        | CallFact::Conferenced { .. }
        | CallFact::ThreadJoined { .. }
        | CallFact::RecordingStarted { .. }
        | CallFact::RecordingPaused
        | CallFact::RecordingResumed
        | CallFact::RecordingStopped => {}
    }
}

fn leg_fact<'w>(scene: &mut Scene<'w, '_>, id: CallId, leg: LegId, fact: &'w LegFact) {
    let Some(call) = scene.world.calls.get(&id) else { return };
    if let LegFact::Ringing(new) | LegFact::Dialing(new) = fact
        && let Some(by) = &new.by
    {
        diversion::forwarded(scene, call, by, &new.number, Some(leg));
    }
    if let Some(party) = Party::find(scene.world, id, leg) {
        offers::leg(scene, party, fact);
    }
    handovers::leg(scene, id, leg, fact);
}
