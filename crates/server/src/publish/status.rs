//! How publishing is, for `/readyz` and the metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::layout::Layout;
use crate::clock::Clock;
use crate::topics::TopicStore;

/// What others see of a publisher.
pub(super) struct Status {
    store: TopicStore,
    layout: Layout,
    silence_max: Duration,
    clock: Clock,
    state: Mutex<State>,
    pub(super) records: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) found: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) faults: AtomicU64,
    pub(super) restarts: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) brokers: AtomicI64,
}

struct State {
    phase: Phase,
    /// Up to where everything is acknowledged, for each partition of the store.
    acked: Vec<i64>,
    oldest_ms: Option<i64>,
    /// When something was acknowledged last, or nothing was to be sent while a broker was there.
    good: Instant,
    trouble: Option<String>,
}

/// Where a publisher is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// It looks where to go on.
    Looking,
    /// It sends.
    Publishing,
    /// It waits to try again.
    Broken { word: &'static str, why: String, passes: bool },
    /// It has ended.
    Ended,
}

/// How a publisher is.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkReport {
    /// Whether what is told reaches the brokers.
    pub is_ready: bool,
    /// A word for it: `looking`, `publishing`, `ended`, or what is in the way: `unreachable`, `not_authorised`,
    /// `topic_missing`, …
    pub state: &'static str,
    /// What is in the way and what would be right, in words for people.
    pub why: Option<String>,
    /// Records of the topics on disk that are not acknowledged.
    pub records_behind: u64,
    /// How old the oldest of them is, in seconds; 0 where there is none.
    pub behind_s: f64,
    /// Records that were dropped on disk before they could be sent.
    pub records_lost: u64,
}

impl Status {
    /// Of a publisher that begins.
    pub(super) fn new(store: TopicStore, layout: Layout, silence_max: Duration, clock: Clock) -> Self {
        // As long as nothing is known, nothing counts as behind but what is kept.
        let acked = layout.slots().iter().map(|slot| store.start(*slot).unwrap_or_default()).collect();
        let state = State { phase: Phase::Looking, acked, oldest_ms: None, good: Instant::now(), trouble: None };
        Self {
            store,
            layout,
            silence_max,
            clock,
            state: Mutex::new(state),
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            found: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            brokers: AtomicI64::new(0),
        }
    }

    /// It sends.
    pub(super) fn publishes(&self) {
        self.state().phase = Phase::Publishing;
    }

    /// This is in the way. True where it was not before.
    pub(super) fn breaks(&self, fault: &Fault) -> bool {
        let (word, passes) = (fault.word(), fault.passes());
        let mut state = self.state();
        let is_new = !matches!(&state.phase, Phase::Broken { word: before, .. } if *before == word);
        state.phase = Phase::Broken { word, why: fault.to_string(), passes };
        is_new
    }

    /// It has ended.
    pub(super) fn ends(&self) {
        self.state().phase = Phase::Ended;
    }

    /// How far it is, and whether that is good.
    pub(super) fn reaches(&self, acked: &[i64], oldest_ms: Option<i64>, is_good: bool, trouble: Option<String>) {
        let mut state = self.state();
        state.acked.clear();
        state.acked.extend_from_slice(acked);
        state.oldest_ms = oldest_ms;
        state.trouble = trouble;
        if is_good {
            state.good = Instant::now();
        }
    }

    /// How it is now.
    pub(super) fn report(&self) -> SinkReport {
        let state = self.state();
        let behind =
            |(slot, acked): (&_, &i64)| self.store.end(*slot).unwrap_or_default().saturating_sub(*acked).max(0);
        let records_behind: i64 = self.layout.slots().iter().zip(&state.acked).map(behind).sum();
        let now_ms = i64::try_from(self.clock.now().0 / 1_000).unwrap_or(i64::MAX);
        let is_silent = state.good.elapsed() > self.silence_max;
        let silence = || {
            let trouble = state.trouble.as_deref().unwrap_or("nothing is acknowledged");
            Some(format!("for {} s: {trouble}", state.good.elapsed().as_secs()))
        };
        let (is_ready, word, why) = match &state.phase {
            Phase::Looking => (!is_silent, "looking", is_silent.then(silence).flatten()),
            Phase::Publishing if is_silent => (false, "unreachable", silence()),
            Phase::Publishing => (true, "publishing", None),
            Phase::Broken { word, why, passes } => (*passes && !is_silent, *word, Some(why.clone())),
            Phase::Ended => (false, "ended", None),
        };
        SinkReport {
            is_ready,
            state: word,
            why,
            records_behind: u64::try_from(records_behind).unwrap_or(0),
            behind_s: state
                .oldest_ms
                .filter(|_| records_behind > 0)
                .map_or(0.0, |oldest| (now_ms - oldest).max(0) as f64 / 1e3),
            records_lost: self.lost.load(Ordering::Relaxed),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
