//! The lively centre: the same life from the same seed, every kind of story in it, and a world that is consistent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a count of some kinds of facts")]

use std::collections::BTreeMap;

use cordboard_core::event::{
    AgentFact, CallFact, DequeueReason, DeviceFact, Fact, LegFact, Origin, Outcome, TransferKind,
};
use cordboard_core::{Input, Observation, Time, World, decide, evolve};
use cordboard_switches::centre::Centre;
use cordboard_switches::{Output, Switch};

/// Where the life begins: a moment of no meaning.
const BEGIN: Time = Time(1_800_000_000_000_000);

/// What is observed in so many minutes. The switch is looked at when it asks for it, or only every so often.
fn life(seed: u64, minutes: u64, every_ms: Option<u64>) -> Vec<Observation> {
    let mut centre = Centre::new("house", seed, 7);
    let mut seen = Vec::new();
    let mut now = BEGIN;
    let end = BEGIN.plus_ms(minutes * 60_000);
    while now <= end {
        centre.handle_timeout(now);
        while let Some(output) = centre.poll_output() {
            if let Output::Observed(observation) = output {
                seen.push(observation);
            }
        }
        let due = centre.poll_timeout().unwrap();
        assert!(due > now, "what was due at {due:?} is done by {now:?}");
        now = every_ms.map_or(due, |ms| now.plus_ms(ms));
    }
    seen
}

#[test]
fn a_seed_is_a_life_however_late_it_is_looked_at() {
    let on_time = life(1, 20, None);
    assert!(on_time.len() > 2_000, "{}", on_time.len());
    assert_eq!(on_time, life(1, 20, None));
    let late = life(1, 20, Some(500));
    let common = on_time.len().min(late.len());
    assert_eq!(on_time[..common], late[..common]);
    assert_ne!(on_time, life(2, 20, None));
}

#[test]
fn every_kind_of_story_is_told_and_the_world_is_consistent() {
    let mut world = World::default();
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut open = 0_i64;
    let found = Input::Found { tenant: "demo".to_owned(), at: BEGIN };
    for input in std::iter::once(found).chain(life(4, 400, None).into_iter().map(Input::Observed)) {
        for event in decide(&world, &input) {
            evolve(&mut world, &event);
            assert_eq!((event.origin, event.request), (Origin::Live, None));
            if let Some(story) = story(&event.fact) {
                *told.entry(story).or_default() += 1;
            }
            match &event.fact {
                Fact::Call { fact: CallFact::Began(_), .. } => open += 1,
                Fact::Call { fact: CallFact::Ended { .. }, .. } => open -= 1,
                _ => {}
            }
        }
    }
    for wanted in WANTED {
        assert!(told.contains_key(*wanted), "nobody did this: {wanted}; but {told:#?}");
    }
    assert!(told["answered"] > 600 && told["answered"] > 3 * told["abandoned"], "{told:#?}");
    assert_eq!(open, i64::try_from(world.calls.values().filter(|call| !call.ended).count()).unwrap());
    assert!((0..120).contains(&open), "{open} calls under way");
    let waits: usize = world.queues.values().map(|queue| queue.waiting.len()).sum();
    let waiting: usize = world.calls.values().map(|call| call.queued.len()).sum();
    assert_eq!(waits, waiting);
}

const WANTED: &[&str] = &[
    "answered",
    "abandoned",
    "cancelled",
    "no answer",
    "busy",
    "blind transfer",
    "attended transfer",
    "completed transfer",
    "conference",
    "held",
    "retrieved",
    "muted",
    "parked",
    "route request",
    "treatment",
    "digits",
    "delivered",
    "offered again",
    "after-call work",
    "break",
    "login",
    "logout",
    "monitoring",
    "supervision",
    "out of service",
    "network reached",
];

fn story(fact: &Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::Call { fact, .. } => match fact {
            CallFact::Ended { outcome, .. } => match outcome {
                Outcome::Answered => "answered",
                Outcome::Abandoned => "abandoned",
                Outcome::Cancelled => "cancelled",
                Outcome::NoAnswer => "no answer",
                Outcome::Busy => "busy",
                Outcome::Rejected => "rejected",
                Outcome::Failed => "failed",
                Outcome::SelfService => "self service",
                Outcome::Lost => "lost",
            },
            CallFact::Transferred(transfer) if transfer.kind == TransferKind::Blind => "blind transfer",
            CallFact::Transferred(_) => "attended transfer",
            CallFact::TransferCompleted { .. } => "completed transfer",
            CallFact::Conferenced { .. } => "conference",
            CallFact::RouteRequested { .. } => "route request",
            CallFact::TreatmentApplied { .. } => "treatment",
            CallFact::TreatmentEnded { digits: Some(_), .. } => "digits",
            CallFact::Dequeued { reason: DequeueReason::Delivered, .. } => "delivered",
            CallFact::SupervisionBegan { .. } => "supervision",
            _ => return None,
        },
        Fact::Leg { fact, .. } => match fact {
            LegFact::Held => "held",
            LegFact::Retrieved => "retrieved",
            LegFact::Muted => "muted",
            LegFact::Parked { .. } => "parked",
            LegFact::NetworkReached => "network reached",
            LegFact::Ended { cause: cordboard_core::event::Cause::NoAnswer, .. } => "offered again",
            _ => return None,
        },
        Fact::Agent { fact, .. } => match fact {
            AgentFact::WrapUpBegan { .. } => "after-call work",
            AgentFact::NotReady { .. } => "break",
            AgentFact::LoggedIn { .. } => "login",
            AgentFact::LoggedOut { .. } => "logout",
            _ => return None,
        },
        Fact::Device { fact: DeviceFact::MonitoringSet(_), .. } => "monitoring",
        Fact::Device { fact: DeviceFact::OutOfService, .. } => "out of service",
        _ => return None,
    })
}
