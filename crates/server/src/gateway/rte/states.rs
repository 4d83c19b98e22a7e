//! Which states are looked after, and when each is to be looked at. Time comes in as an argument.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use cordboard_core::{Guid, Time};
use cordboard_dialects::enreach::ids::Entity;

/// See the module.
#[derive(Debug)]
pub(super) struct States {
    /// Between two messages about one entity, in microseconds.
    interval_us: u64,
    watched: HashMap<Guid, Watched>,
    users: HashMap<String, Guid>,
    queues: HashMap<String, Guid>,
    due: BTreeSet<(Time, Guid)>,
}

#[derive(Debug)]
struct Watched {
    entity: Entity,
    /// What was told last, as a number that differs where it differs.
    content: u64,
    told: Option<Time>,
    due: Option<Time>,
}

impl States {
    pub(super) fn new(interval_us: u64) -> Self {
        let (watched, users, queues, due) = Default::default();
        Self { interval_us, watched, users, queues, due }
    }

    /// Looks after an entity from now on, whose state is this now.
    pub(super) fn watch(&mut self, id: Guid, entity: Entity, content: &str) {
        let names = match &entity {
            Entity::User(name) => Some((&mut self.users, name)),
            Entity::Queue(name) => Some((&mut self.queues, name)),
            Entity::List(_) => None,
        };
        let Some((names, name)) = names else { return };
        names.insert(name.clone(), id);
        let content = number(content);
        self.watched.entry(id).or_insert(Watched { entity, content, told: None, due: None });
    }

    pub(super) fn unwatch(&mut self, id: Guid) {
        let Some(watched) = self.watched.remove(&id) else { return };
        match watched.entity {
            Entity::User(name) => _ = self.users.remove(&name),
            Entity::Queue(name) => _ = self.queues.remove(&name),
            Entity::List(_) => {}
        }
        if let Some(due) = watched.due {
            self.due.remove(&(due, id));
        }
    }

    pub(super) fn is_watched(&self, id: Guid) -> bool {
        self.watched.contains_key(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    pub(super) fn user(&self, name: &str) -> Option<Guid> {
        self.users.get(name).copied()
    }

    pub(super) fn queue(&self, name: &str) -> Option<Guid> {
        self.queues.get(name).copied()
    }

    pub(super) fn entity(&self, id: Guid) -> Option<&Entity> {
        self.watched.get(&id).map(|watched| &watched.entity)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Guid> {
        self.watched.keys().copied()
    }

    /// The state may have changed: look at it now, or as soon as it may be told again.
    pub(super) fn touch(&mut self, id: Guid, now: Time) {
        let Some(watched) = self.watched.get(&id) else { return };
        let free = watched.told.map_or(now, |told| Time(told.0.saturating_add(self.interval_us)));
        self.schedule(id, free.max(now));
    }

    /// Looks at it again at this time, if not before.
    pub(super) fn schedule(&mut self, id: Guid, at: Time) {
        let Some(watched) = self.watched.get_mut(&id) else { return };
        if let Some(due) = watched.due {
            if due <= at {
                return;
            }
            self.due.remove(&(due, id));
        }
        watched.due = Some(at);
        self.due.insert((at, id));
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next to be looked at by now.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Guid> {
        let (at, id) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        if let Some(watched) = self.watched.get_mut(&id) {
            watched.due = None;
        }
        Some(id)
    }

    /// It is this now. True where that is news, which is told now.
    pub(super) fn is_news(&mut self, id: Guid, content: &str, now: Time) -> bool {
        let Some(watched) = self.watched.get_mut(&id) else { return false };
        let content = number(content);
        if content == watched.content {
            return false;
        }
        watched.content = content;
        watched.told = Some(now);
        true
    }
}

fn number(content: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Guid = Guid(1);

    fn states() -> States {
        let mut states = States::new(100);
        states.watch(ID, Entity::Queue("sales".into()), "a");
        states
    }

    #[test]
    fn news_is_told_at_once_and_then_at_most_once_an_interval() {
        let mut states = states();
        states.touch(ID, Time(1_000));
        assert_eq!(states.take_due(Time(1_000)), Some(ID));
        assert!(states.is_news(ID, "b", Time(1_000)) && !states.is_news(ID, "b", Time(1_000)));
        states.touch(ID, Time(1_010));
        states.touch(ID, Time(1_020));
        assert_eq!((states.take_due(Time(1_099)), states.next_due()), (None, Some(Time(1_100))));
        assert_eq!((states.take_due(Time(1_100)), states.take_due(Time(9_999))), (Some(ID), None));
        // Nothing new was told: the next change may be told at once.
        states.touch(ID, Time(1_150));
        assert_eq!(states.next_due(), Some(Time(1_150)));
    }

    #[test]
    fn an_earlier_look_replaces_a_later_one() {
        let mut states = states();
        states.schedule(ID, Time(9_000));
        states.touch(ID, Time(500));
        states.schedule(ID, Time(700));
        assert_eq!((states.take_due(Time(9_999)), states.next_due()), (Some(ID), None));
    }

    #[test]
    fn nothing_is_left_of_what_is_looked_after_no_more() {
        let mut states = states();
        states.touch(ID, Time(1));
        states.unwatch(ID);
        assert!(states.is_empty() && states.next_due().is_none() && states.queue("sales").is_none());
        assert!(!states.is_news(ID, "c", Time(2)));
    }
}
