//! One event of ours, said in this vocabulary.

use cordboard_core::{Event, Fact, World};

use super::scene::Scene;
use super::{calls, client, devices, legs};
use crate::{Message, Position, Settings};

/// Says an event, in the world right after it.
pub(super) fn project(settings: &Settings, world: &World, _at: Position, event: &Event, out: &mut Vec<Message>) {
    let mut scene = Scene::of(&settings.genesys, world, event, out);
    match &event.fact {
        // The vocabulary has no word for logs.
        Fact::Founded { .. } => {}
        Fact::Switch { switch, fact } => client::switch(&mut scene, switch, fact),
        Fact::Device { device, fact } => devices::device(&mut scene, device, fact),
        Fact::Agent { agent, fact } => devices::agent(&mut scene, agent, fact),
        Fact::Request { request, fact } => client::request(&mut scene, *request, fact),
        // A client is answered when its request is done.
        Fact::Client { .. } => {}
        // A queue's existence and settings are configuration here.
        Fact::Queue { .. } => {}
        // Nor has it a word for people who are no agents, call lists, callbacks and alerts.
        Fact::User { .. } | Fact::List { .. } | Fact::Callback { .. } | Fact::Alert { .. } => {}
        Fact::Call { call, fact } => calls::call(&mut scene, *call, fact),
        Fact::Leg { call, leg, fact } => legs::leg(&mut scene, *call, *leg, fact),
    }
}

/// Which facts of the core cause an event; none where a phone system alone can not cause it.
pub fn caused_by(event: &str) -> &'static [&'static str] {
    match event {
        "EventAgentLogin" => &["agent.logged_in"],
        "EventAgentLogout" => &["agent.logged_out"],
        "EventQueueLogout" => &["agent.queue_logged_out"],
        "EventAgentReady" => &["agent.ready", "agent.wrap_up_ended"],
        "EventAgentNotReady" => &["agent.not_ready", "agent.wrap_up_began", "agent.wrap_up_ended"],
        "EventDNOutOfService" => &["device.out_of_service", "request.done"],
        "EventDNBackInService" => &["device.back_in_service"],
        "EventDNDOn" => &["device.dnd_on"],
        "EventDNDOff" => &["device.dnd_off"],
        "EventForwardSet" => &["device.forward_cancelled", "device.forward_set"],
        "EventForwardCancel" => &["device.forward_cancelled"],
        "EventMessageWaitingOn" => &["device.message_waiting_on"],
        "EventMessageWaitingOff" => &["device.message_waiting_off"],
        "EventMonitoringNextCall" => &["device.monitoring_set"],
        "EventMonitoringCancelled" => &["device.monitoring_cancelled"],
        "EventOffHook" => &["device.off_hook"],
        "EventOnHook" => &["device.on_hook"],
        "EventMuteOn" => &["call.supervision_changed", "leg.muted"],
        "EventMuteOff" => &["call.supervision_changed", "leg.unmuted"],
        "EventListenDisconnected" => &["leg.deafened"],
        "EventListenReconnected" => &["leg.undeafened"],
        "EventDialing" => &["leg.answered", "leg.dialing", "leg.ringing"],
        "EventRinging" => &["call.supervision_began", "leg.answered", "leg.ringing"],
        "EventEstablished" => &["call.supervision_began", "leg.answered"],
        "EventAbandoned" => &["call.dequeued", "call.ended", "leg.ended"],
        "EventDestinationBusy" => &["call.target_refused", "leg.ended"],
        "EventDiverted" => &["call.dequeued"],
        "EventHeld" => &["leg.held"],
        "EventNetworkReached" => &["leg.network_reached"],
        "EventPartyAdded" => &["call.supervision_began", "leg.answered", "leg.moved"],
        "EventPartyChanged" => &["call.queue_taken", "call.transferred", "leg.moved", "leg.parked"],
        "EventPartyDeleted" => &["call.supervision_ended", "leg.ended"],
        "EventQueued" => &["call.queued"],
        "EventBridged" => &["leg.bridged"],
        "EventReleased" => &["call.supervision_ended", "leg.ended"],
        "EventRetrieved" => &["leg.retrieved"],
        "EventRouteRequest" => &["call.route_requested"],
        "EventRouteUsed" => &["call.routed"],
        "EventTreatmentApplied" => &["call.treatment_applied"],
        "EventTreatmentEnd" => &["call.treatment_ended"],
        "EventTreatmentNotApplied" => &["call.treatment_refused"],
        "EventRegistered" | "EventUnregistered" | "EventAddressInfo" | "EventPartyInfo" | "EventServerInfo"
        | "EventAgentReserved" | "EventDTMFSent" | "EventACK" => &["request.done"],
        "EventError" => &["request.refused"],
        "EventAttachedDataChanged" => &["call.user_data_changed", "call.user_data_set"],
        "EventLinkConnected" => &["switch.connected"],
        "EventLinkDisconnected" => &["switch.disconnected"],
        _ => &[],
    }
}
