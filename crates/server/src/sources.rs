//! What is known of each configured source of a tenant: whether it is live, since when, and what was counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cordboard_core::{Time, World};
use cordboard_switches::Counts;

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Whether its whole state was read and it is heard.
    pub live: bool,
    /// Since when that holds; none where it never was live.
    pub since: Option<Time>,
    /// Why it is not live, in words for people.
    pub reason: String,
    /// What its connector counted.
    pub counts: Counts,
    /// When the last byte came.
    pub heard: Option<Time>,
    /// Connections opened, or tried, since the start.
    pub connects: u64,
}

/// The configured sources of one tenant.
#[derive(Debug)]
pub struct Sources {
    all: Mutex<BTreeMap<String, Source>>,
}

impl Sources {
    /// These sources, none of them heard yet; what the world knows of them says since when.
    #[must_use]
    pub fn new(configured: impl Iterator<Item = String>, world: &World) -> Self {
        let never = |name: &str| {
            let known = world.switches.contains_key(name);
            let reason = if known { "not heard since the start" } else { "never heard yet" };
            Source { reason: reason.to_owned(), since: known.then_some(world.now), ..Source::default() }
        };
        Self { all: Mutex::new(configured.map(|name| (name.clone(), never(&name))).collect()) }
    }

    /// All of them by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Source> {
        self.lock().clone()
    }

    /// It is live since `at`.
    pub fn set_live(&self, name: &str, at: Time) {
        self.change(name, |source| {
            source.live = true;
            source.since = Some(at);
            source.reason.clear();
        });
    }

    /// It is not live since `at`.
    pub fn set_stale(&self, name: &str, at: Time, reason: &str) {
        self.change(name, |source| {
            source.live = false;
            source.since = Some(at);
            reason.clone_into(&mut source.reason);
        });
    }

    /// What its connector counted so far, and when it was heard last.
    pub fn set_counts(&self, name: &str, counts: Counts, heard: Option<Time>) {
        self.change(name, |source| {
            source.counts = counts;
            source.heard = heard.or(source.heard);
        });
    }

    /// A connection is being opened.
    pub fn connecting(&self, name: &str) {
        self.change(name, |source| source.connects += 1);
    }

    /// A source that is not configured any more is nobody's.
    fn change(&self, name: &str, change: impl FnOnce(&mut Source)) {
        if let Some(source) = self.lock().get_mut(name) {
            change(source);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Source>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_not_live_until_it_is_heard() {
        let sources = Sources::new(["pbx".to_owned()].into_iter(), &World::default());
        assert!(!sources.all()["pbx"].live);
        sources.set_live("pbx", Time(5));
        sources.set_live("no longer configured", Time(5));
        assert_eq!(sources.all().len(), 1);
        assert_eq!((sources.all()["pbx"].live, sources.all()["pbx"].since), (true, Some(Time(5))));
        sources.set_stale("pbx", Time(9), "gone");
        assert_eq!((sources.all()["pbx"].live, &*sources.all()["pbx"].reason), (false, "gone"));
    }
}
