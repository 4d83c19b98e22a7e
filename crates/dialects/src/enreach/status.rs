//! What is true of a person or a queue. Written down rule by rule in `docs/enreach-events.md`.

use alloc::borrow::Cow;

use cordboard_core::counts::QueueCounts;
use cordboard_core::event::Reach;
use cordboard_core::{Guid, Time, World};

use super::messages::{Message, QueueStatus, UserStatus};
use super::scene::{Scene, ttl};
use super::values::{AvailabilityStatusesAVA, Moment};
use super::{Said, Settings};
use crate::Position;

/// What a person is doing, as the event at this place left it.
#[must_use]
pub fn user_status(world: &World, name: &str, at: Position, now: Time) -> Said {
    let (settings, mut out) = (Settings::default(), Vec::new());
    let scene = Scene::at(&settings, world, at, now, &mut out);
    let (entity, facts) = (scene.user(name), world.user_facts(name, now));
    let status = UserStatus {
        head: scene.head(UserStatus::NAME, entity),
        messageTTLSeconds: ttl(UserStatus::NAME),
        userId: entity,
        organizationId: scene.organisation(),
        canBeAllocatedTo: facts.can_take_call,
        talking: facts.talking,
        talkingStatusChanged: facts.talking_changed.map(Moment::At),
        activeQueueId: facts.active_queue.map(|queue| scene.queue(queue)),
        activeCallListId: facts.active_list.map(|list| scene.list(list)),
        available: facts.reach == Reach::Available,
        schedule: facts.reach != Reach::OffWork,
        serving: facts.serving,
        serviceTerminals: count(facts.terminals),
        activeQueues: count(facts.active_queues),
        parkedCalls: count(facts.parked_calls),
        wrapUpStart: facts.wrapup.map(|wrapup| Moment::At(wrapup.since)),
        wrapUpEnd: facts.wrapup.map(|wrapup| wrapup.until).filter(|until| until.0 < u64::MAX).map(Moment::At),
        servingCallback: facts.serves_callbacks,
        fetchMode: facts.picks_calls,
        note: Cow::Borrowed(facts.note),
        availabilityStatus: availability(facts.reach),
        mark: scene.mark(UserStatus::NAME, entity),
    };
    said(entity, &status)
}

/// The counters of a queue, as the event at this place left them.
#[must_use]
pub fn queue_status(world: &World, name: &str, at: Position, now: Time) -> Said {
    let (settings, mut out) = (Settings::default(), Vec::new());
    let scene = Scene::at(&settings, world, at, now, &mut out);
    let (entity, counts) = (scene.queue(name), world.queue_counts(name, now));
    let status = QueueStatus {
        head: scene.head(QueueStatus::NAME, entity),
        messageTTLSeconds: ttl(QueueStatus::NAME),
        queueId: entity,
        organizationId: scene.organisation(),
        queueName: Cow::Borrowed(queue_title(world, name)),
        nbrOfProviders: count(counts.agents),
        nbrOfRequesters: count(counts.calls),
        nbrOfServingAgentsEstimate: count(counts.serving),
        nbrOfAllocated: count(counts.offered),
        nbrOfConnected: count(counts.connected),
        nbrOfQueuingRequesters: count(counts.waiting),
        nbrOfNotServedRequesters: count(counts.waiting.saturating_add(counts.offered)),
        nbrOfAgentsLongTermAway: count(counts.long_away),
        nbrOfAgentsShortTermAway: count(counts.short_away),
        nbrOfAgentsImmediatelyFree: count(counts.free),
        nbrOfAgentsCheckedInQueue: count(counts.logged_in),
        nbrOfAgentsOnWrapUp: count(counts.in_wrap_up),
        nbrOfAgentsOnFetchMode: count(counts.picking),
        maxWaitTime: i64::try_from(counts.longest_wait_s).unwrap_or(i64::MAX),
        openStatus: open_status(world, name, &counts),
        mark: scene.mark(QueueStatus::NAME, entity),
    };
    said(entity, &status)
}

/// What people call a queue.
pub(super) fn queue_title<'w>(world: &'w World, name: &'w str) -> &'w str {
    let title = world.queues.get(name).map(|queue| queue.profile.title.as_str());
    title.filter(|title| !title.is_empty()).unwrap_or(name)
}

/// How far somebody can be reached, in the vocabulary's word.
pub(super) fn availability(reach: Reach) -> AvailabilityStatusesAVA {
    match reach {
        Reach::Available => AvailabilityStatusesAVA::Available,
        Reach::Busy => AvailabilityStatusesAVA::Busy,
        Reach::DoNotDisturb => AvailabilityStatusesAVA::DoNotDisturb,
        Reach::OffWork => AvailabilityStatusesAVA::OffWork,
        Reach::BackSoon => AvailabilityStatusesAVA::BRB,
        Reach::Away => AvailabilityStatusesAVA::Away,
    }
}

/// Not known, for a queue that is not; closed, where the directory says so; without a handler, where nobody serves it.
/// The numbers in between are for queues whose handlers are programs: there are none here.
const NOT_KNOWN: i32 = 0;
const NO_ACTIVE_HANDLER: i32 = 1;
const CLOSED: i32 = 3;
const OPEN: i32 = 5;

fn open_status(world: &World, name: &str, counts: &QueueCounts) -> i32 {
    match world.queues.get(name) {
        None => NOT_KNOWN,
        Some(queue) if queue.profile.closed => CLOSED,
        Some(_) if counts.serving == 0 => NO_ACTIVE_HANDLER,
        Some(_) => OPEN,
    }
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

fn said<M: Message>(entity: Guid, status: &M) -> Said {
    // Its members are numbers, texts and truths, which always have a JSON form.
    Said { event: M::NAME, entity, also: None, body: serde_json::to_string(status).unwrap_or_default() }
}
