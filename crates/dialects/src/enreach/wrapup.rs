//! After-call work: announced when a call is answered, begun when it ends, over in the end.

use alloc::borrow::Cow;

use cordboard_core::Time;
use cordboard_core::agent::AgentState;
use cordboard_core::event::{AgentFact, WrapUpEnd, WrapUpPlan};
use cordboard_core::world::WrapUp;

use super::messages::{UserWrapUpEnabled, UserWrapUpStarted, UserWrapUpTerminated};
use super::party::{Party, leg_id};
use super::scene::Scene;
use super::values::{Text, WrapUpType};

const MS_A_SECOND: u64 = 1_000;
const MICROS_A_SECOND: u64 = 1_000_000;

/// Says a fact about an agent. What agents do otherwise is told by their status.
pub(super) fn agent<'w>(scene: &mut Scene<'w, '_>, name: &'w str, fact: &'w AgentFact) {
    let Some(agent) = scene.world.agents.get(name) else { return };
    // Whatever takes the agent out of it ends it.
    if let Some(wrapup) = &agent.wrapup_over {
        terminated(scene, name, wrapup, why(fact));
    }
    if let (AgentFact::WrapUpBegan { .. }, Some(wrapup)) = (fact, &agent.wrapup) {
        started(scene, name, wrapup);
    }
}

/// Why after-call work is over with this.
fn why(fact: &AgentFact) -> &'static str {
    match fact {
        AgentFact::WrapUpEnded { reason: WrapUpEnd::Elapsed } => "timer",
        AgentFact::WrapUpEnded { reason: WrapUpEnd::NextCall } | AgentFact::WrapUpBegan { .. } => "nextcall",
        AgentFact::WrapUpEnded { reason: WrapUpEnd::LoggedOut } | AgentFact::LoggedOut { .. } => "logout",
        AgentFact::WrapUpEnded { reason: WrapUpEnd::SwitchRestarted } => "restart",
        AgentFact::WrapUpEnded { reason: WrapUpEnd::Requested }
        | AgentFact::Found { .. }
        | AgentFact::LoggedIn { .. }
        | AgentFact::QueueLoggedOut { .. }
        | AgentFact::QueuePaused { .. }
        | AgentFact::QueueResumed { .. }
        | AgentFact::ModeChosen { .. }
        | AgentFact::WrapUpPlanned(_)
        | AgentFact::Reserved { .. }
        | AgentFact::ReservationEnded
        | AgentFact::Ready
        | AgentFact::NotReady { .. } => "manual",
    }
}

/// A service call was answered: whether after-call work will follow it.
pub(super) fn enabled<'w>(scene: &mut Scene<'w, '_>, party: Party<'w>, queue: &'w str) {
    let Some(agent) = scene.world.agents.get(party.user) else { return };
    if agent.state == AgentState::LoggedOut {
        return;
    }
    let wish = scene.world.wish_of(party.user);
    let of_queue = scene.world.queues.get(queue).and_then(|queue| queue.wrapup_ms);
    let wished = wish.map(|wish| wish.max_s).filter(|max_s| *max_s > 0);
    let seconds = match (wished, agent.plan) {
        (Some(seconds), _) => seconds,
        (None, Some(WrapUpPlan::None)) => return,
        (None, Some(WrapUpPlan::Timed { ms })) => ms / MS_A_SECOND,
        (None, Some(WrapUpPlan::Untimed)) => 0,
        (None, None) => match of_queue {
            Some(ms @ 1..) => ms / MS_A_SECOND,
            Some(0) | None if wish.is_some() => 0,
            Some(0) | None => return,
        },
    };
    let id = wish.map_or_else(|| scene.world.wrapup_id_after(party.user, party.call_id), |wish| wish.id);
    let frame = party.frame(scene);
    scene.tell(frame.user, |scene, head, tail| UserWrapUpEnabled {
        head,
        organizationId: frame.organisation,
        callId: Some(frame.call),
        legId: frame.leg,
        userId: frame.user,
        queueId: Some(scene.queue(queue)),
        callListId: wish.and_then(|wish| wish.list.as_ref()).map(|list| scene.list(list)),
        callBackId: wish.and_then(|wish| wish.callback),
        maxWrapUpDurationSec: count(seconds),
        wrapUpType: WrapUpType::Unavailable,
        wrapUpId: id,
        tail,
    });
}

/// Says that after-call work is under way.
pub(super) fn started<'w>(scene: &mut Scene<'w, '_>, name: &'w str, wrapup: &'w WrapUp) {
    let (user, wish) = (scene.user(name), wrapup.wish.as_ref());
    scene.tell(user, |scene, head, tail| UserWrapUpStarted {
        head,
        organizationId: scene.organisation(),
        callId: wrapup.call.map(|call| scene.call(scene.world.conn_of(call))),
        legId: leg_of(scene, name, wrapup),
        userId: user,
        queueId: queue(scene, wrapup),
        callListId: wish.and_then(|wish| wish.list.as_ref()).map(|list| scene.list(list)),
        callBackId: wish.and_then(|wish| wish.callback),
        maxWrapUpDurationSec: match wrapup.until {
            Time(u64::MAX) => 0,
            until => count(until.micros_since(wrapup.since) / MICROS_A_SECOND),
        },
        wrapUpType: WrapUpType::Unavailable,
        wrapUpId: scene.world.wrapup_id(name, wrapup),
        tail,
    });
}

fn terminated<'w>(scene: &mut Scene<'w, '_>, name: &'w str, wrapup: &'w WrapUp, reason: &'static str) {
    let (user, wish) = (scene.user(name), wrapup.wish.as_ref());
    let elapsed = scene.time.micros_since(wrapup.since) / MICROS_A_SECOND;
    scene.tell(user, |scene, head, tail| UserWrapUpTerminated {
        head,
        organizationId: scene.organisation(),
        callId: wrapup.call.map(|call| scene.call(scene.world.conn_of(call))),
        legId: leg_of(scene, name, wrapup),
        userId: user,
        queueId: queue(scene, wrapup),
        callListId: wish.and_then(|wish| wish.list.as_ref()).map(|list| scene.list(list)),
        callBackId: wish.and_then(|wish| wish.callback),
        reason: Cow::Borrowed(reason),
        elapsedTimeSec: count(elapsed),
        wrapUpType: WrapUpType::Unavailable,
        wrapUpId: scene.world.wrapup_id(name, wrapup),
        tail,
    });
}

/// The agent's leg of the call that it follows, while that is there.
fn leg_of<'w>(scene: &Scene<'w, '_>, name: &str, wrapup: &WrapUp) -> Text<'w> {
    let party = wrapup.call.and_then(|id| {
        let call = scene.world.calls.get(&id)?;
        Party::living(scene.world, id, call).find(|party| party.user == name)
    });
    party.map_or(Cow::Borrowed(""), |party| leg_id(party.id))
}

fn queue(scene: &Scene<'_, '_>, wrapup: &WrapUp) -> Option<cordboard_core::Guid> {
    Some(&*wrapup.queue).filter(|queue| !queue.is_empty()).map(|queue| scene.queue(queue))
}

fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
