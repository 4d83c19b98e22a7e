//! Supervisors: calls they can join, and how they take part in them.

use alloc::borrow::Cow;

use cordboard_core::event::{Role, SuperviseMode};
use cordboard_core::world::Call;
use cordboard_core::{CallId, Guid};

use super::messages::{UserCallAvailableForMonitoring, UserSupervisionStatus};
use super::party::{Party, leg_id};
use super::person;
use super::scene::Scene;
use super::status::queue_title;
use super::values::{Moment, SupervisionState, Text};

/// Only calls that came through a queue can be joined.
const SERVICE_CALL: &str = "servicecall";

/// A service call was answered: everybody who watches the agent is told.
pub(super) fn can_be_joined<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, queue: &'w str) {
    let watchers: Vec<&'w str> = scene.world.watchers(party.user).collect();
    let caller = party.call.living().find(|(_, leg)| leg.role == Role::Originator);
    for watcher in watchers {
        let supervisor = scene.user(watcher);
        let telephone = scene.world.devices_of(watcher).next().map_or("", |(number, _)| number);
        scene.tell(supervisor, |scene, head, tail| UserCallAvailableForMonitoring {
            head,
            targetUserId: scene.user(party.user),
            targetUserName: person::title(scene.world, party.user),
            organizationId: scene.organisation(),
            supervisorUserId: supervisor,
            supervisorUserName: person::title(scene.world, watcher),
            queueName: Cow::Borrowed(queue_title(scene.world, queue)),
            queueId: Some(scene.queue(queue)),
            callId: scene.call(party.call.conn),
            legId: caller.map_or(Cow::Borrowed(""), |(id, _)| leg_id(id)),
            agentLegId: leg_id(party.id),
            supervisorTerminalNumber: Cow::Borrowed(telephone),
            supervisionCallInNumber: Cow::Borrowed(&scene.settings.supervision_number),
            callType: Cow::Borrowed(SERVICE_CALL),
            callerNumber: Cow::Borrowed(&party.call.ani),
            connectedToAgentTime: party.leg.answered.map_or(Moment::Unset, Moment::At),
            tail,
        });
    }
}

/// A supervisor came, takes part otherwise, or left. The supervisor alone is told: who is listened to unseen is not.
pub(super) fn changed<'w>(
    scene: &mut Scene<'w, '_>,
    id: CallId,
    call: &'w Call,
    by: &'w str,
    mode: Option<SuperviseMode>,
) {
    let Some(watcher) = person::of_device(scene.world, by) else { return };
    let supervisor = scene.user(watcher);
    let target = target(scene, id, call, by);
    let queue = target.and_then(|party| party.leg.queue.as_deref());
    scene.tell(supervisor, |scene, head, tail| UserSupervisionStatus {
        head,
        targetUserId: target.map_or(Guid::default(), |party| scene.user(party.user)),
        targetUserName: target.map_or(Cow::Borrowed(""), |party| person::title(scene.world, party.user)),
        organizationId: scene.organisation(),
        supervisorUserId: supervisor,
        supervisorUserName: person::title(scene.world, watcher),
        queueName: Cow::Borrowed(queue.map_or("", |queue| queue_title(scene.world, queue))),
        queueId: queue.map(|queue| scene.queue(queue)),
        callId: scene.call(call.conn),
        legId: target.map_or(Cow::Borrowed(""), |party| leg_id(party.id)),
        supervisorLegId: own_leg(scene, by),
        state: match mode {
            None => SupervisionState::None,
            // What a switch does not name is at least heard.
            Some(SuperviseMode::Listen | SuperviseMode::Unknown) => SupervisionState::Listening,
            Some(SuperviseMode::Whisper) => SupervisionState::Whispering,
            Some(SuperviseMode::Barge) => SupervisionState::Barging,
        },
        tail,
    });
}

/// Whose call it is that a supervisor takes part in: the one watched from there, else an agent of a queue, else whoever of
/// ours is in it.
fn target<'w>(scene: &Scene<'w, '_>, id: CallId, call: &'w Call, by: &str) -> Option<Party<'w>> {
    let world = scene.world;
    let watched = world.devices.get(by).and_then(|device| device.monitors.as_ref()).map(|monitor| &*monitor.target);
    let all = || call.legs.iter().filter_map(|(leg_id, leg)| Party::of(world, id, call, *leg_id, leg));
    let others = || all().filter(|party| party.leg.device != by);
    let is_watched = |party: &Party<'_>| Some(party.leg.device.as_str()) == watched;
    let mut served = others().filter(|party| party.leg.queue.is_some());
    others().find(is_watched).or_else(|| served.next()).or_else(|| others().next())
}

fn own_leg<'w>(scene: &Scene<'w, '_>, by: &str) -> Text<'w> {
    let leg = scene.world.devices.get(by).and_then(|device| device.legs.last());
    leg.map_or(Cow::Borrowed(""), |(_, leg)| leg_id(*leg))
}
