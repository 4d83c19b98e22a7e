//! Telling: what an event says, to whom it concerns; states when they have changed; and to nobody who may not know it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_core::event::{AgentFact, QueueFact, UserFact};
use cordboard_core::{Event, Fact, Guid, Time};
use cordboard_dialects::enreach::ids::Entity;
use cordboard_dialects::enreach::{self, EventName, Said};

use super::feed::Teller;
use super::subscribers::{ClientId, Topic, TopicKey};
use super::words::{self, Cursor, TARGET, Target};
use crate::entities::{id_of, subject};
use crate::gateway::signalr::outbox::Frame;
use crate::history::place;
use crate::permit::Permit;
use crate::rights::{Subject, may_see, may_subscribe};

/// The states of all people.
pub(super) const USER_STATES: EventName = EventName::UserStatus;
/// The states of all queues.
pub(super) const QUEUE_STATES: EventName = EventName::QueueStatus;

/// All forms in which something is told: to those who subscribed to it and to everything of its kind, without and with
/// the place.
fn forms(event: EventName, entity: Guid) -> [TopicKey; 4] {
    let key = |entity, placed| TopicKey { target: Target { event, entity }, placed };
    [key(Some(entity), false), key(Some(entity), true), key(None, false), key(None, true)]
}

impl Teller {
    /// Tells what an event says.
    pub(super) fn tell(&mut self, event: &Event) {
        if self.recent.is_none() && self.subscribers.total() == 0 {
            return;
        }
        let (mut said, position) = (std::mem::take(&mut self.said), self.position());
        said.clear();
        enreach::say(&self.shared.settings, &self.world, place(position), event, &mut said);
        for (index, said) in said.iter().enumerate() {
            let expires = self.expires(said.event, event.at);
            for key in forms(said.event, said.entity) {
                self.tell_topic(key, said, index, expires);
            }
        }
        if let Some(recent) = &mut self.recent {
            recent.push(position.sequence, &said);
        }
        self.said = said;
    }

    fn tell_topic(&mut self, key: TopicKey, said: &Said, index: usize, expires: Option<Instant>) {
        let position = self.position();
        let Some((topic, permits)) = self.subscribers.telling(key) else { return };
        let everything = key.target.entity.is_none();
        // Everything besides the topic itself that must be seen.
        let seen = [said.entity].into_iter().filter(|_| everything).chain(said.also);
        let about: Vec<Option<&Entity>> = seen.map(|id| self.entities.find(&self.world, id)).collect();
        // Who comes back for what was missed wants all of it, however old.
        let (place, expires) =
            if key.placed { (Some(Cursor::within(position, index, everything)), None) } else { (None, expires) };
        let frame = Arc::new(Frame::new(TARGET, topic.id, words::message(&topic.shown, &said.body, place), expires));
        for subscriber in &topic.subscribers {
            if !subscriber.is_live() {
                continue;
            }
            let sees =
                |permit: &Permit, it: &Option<&Entity>| it.is_some_and(|it| may_see(&self.world, permit, subject(it)));
            let may = |permit: &Permit| about.iter().all(|it| sees(permit, it));
            if !about.is_empty() && !permits.of(subscriber.client).is_some_and(may) {
                continue;
            }
            // Whoever has too much waiting is given up by its own writer.
            _ = subscriber.outbox.push(&frame);
        }
    }

    /// Until when something that happened then may be written.
    pub(super) fn expires(&self, event: EventName, at: Time) -> Option<Instant> {
        let ttl = Duration::from_secs(u64::from(event.ttl_s()?));
        let age = Duration::from_micros(self.clock.now().micros_since(at));
        let now = Instant::now();
        // What happened before this machine began to count is over as well.
        Some(now.checked_add(ttl)?.checked_sub(age).unwrap_or(now))
    }

    /// Whether somebody subscribed to this of everything.
    pub(super) fn everybody(&self, event: EventName) -> bool {
        let key = |placed| TopicKey { target: Target { event, entity: None }, placed };
        [false, true].into_iter().any(|placed| self.subscribers.topic(key(placed)).is_some())
    }

    /// Looks after the state of somebody or some queue that was nobody's concern before; its next look tells it.
    pub(super) fn watch_new(&mut self, name: &str, is_user: bool) -> Option<Guid> {
        let entity = if is_user { Entity::User(name.to_owned()) } else { Entity::Queue(name.to_owned()) };
        let id = id_of(&self.world, &entity);
        // Is empty, and so differs from whatever it is.
        self.states.watch(id, entity, "");
        Some(id)
    }

    /// Looks after the state of an entity that is subscribed to; what it is now is no news.
    pub(super) fn watch(&mut self, id: Guid) {
        if self.states.is_watched(id) {
            return;
        }
        let Some(entity) = self.entities.find(&self.world, id).cloned() else { return };
        if let Some(said) = self.state(&entity) {
            self.states.watch(id, entity, said.content());
            self.look_again(id);
        }
    }

    /// Tells a state where it has changed.
    pub(super) fn look_at_state(&mut self, id: Guid) {
        let Some(entity) = self.states.entity(id).cloned() else { return };
        let is_wanted = state_of(&entity)
            .is_some_and(|event| forms(event, id).into_iter().any(|key| self.subscribers.topic(key).is_some()));
        let Some(said) = self.state(&entity).filter(|said| is_wanted && said.entity == id) else {
            return self.states.unwatch(id);
        };
        if self.states.is_news(id, said.content(), self.clock.now()) {
            self.tell_state(&said);
        }
        self.look_again(id);
    }

    /// A waiting call makes the longest wait longer, though nothing happens.
    fn look_again(&mut self, id: Guid) {
        let Some(Entity::Queue(name)) = self.states.entity(id) else { return };
        let now = self.clock.now();
        let counts = self.world.queue_counts(name, now);
        if counts.waiting + counts.offered > 0 || counts.longest_wait_s > 0 {
            let refresh_us = self.shared.limits.status_refresh_ms.saturating_mul(1_000);
            self.states.schedule(id, Time(now.0.saturating_add(refresh_us)));
        }
    }

    /// The state of something now, said.
    pub(super) fn state(&self, entity: &Entity) -> Option<Said> {
        let (position, now) = (place(self.position()), self.clock.now());
        match entity {
            Entity::User(name) => Some(enreach::user_status(&self.world, name, position, now)),
            Entity::Queue(name) => Some(enreach::queue_status(&self.world, name, position, now)),
            Entity::List(_) => None,
        }
    }

    /// Gives a state to all its subscribers.
    fn tell_state(&mut self, said: &Said) {
        let expires = self.expires(said.event, self.clock.now());
        for key in forms(said.event, said.entity) {
            self.tell_state_topic(key, said, expires);
        }
    }

    fn tell_state_topic(&mut self, key: TopicKey, said: &Said, expires: Option<Instant>) {
        let Some((topic, permits)) = self.subscribers.telling(key) else { return };
        let everything = key.target.entity.is_none();
        let about = if everything { self.entities.find(&self.world, said.entity) } else { None };
        let cell = topic.cell(said.entity);
        cell.set(Arc::new(state_frame(topic, said, expires)));
        for subscriber in &mut topic.subscribers {
            if !subscriber.is_live() {
                continue;
            }
            let may = |permit: &Permit| about.is_some_and(|about| may_see(&self.world, permit, subject(about)));
            if everything && !permits.of(subscriber.client).is_some_and(may) {
                continue;
            }
            let slot = subscriber.slot(said.entity, &cell);
            _ = subscriber.outbox.push_state(&slot);
        }
    }

    /// Tells one connection the states it subscribed to.
    pub(super) fn show_states(&mut self, client: ClientId, target: Target) {
        let all: Vec<Said> = self.states_of(client, target).collect();
        for said in all {
            if self.states.is_news(said.entity, said.content(), self.clock.now()) {
                self.tell_state(&said);
                continue;
            }
            let expires = self.expires(said.event, self.clock.now());
            let Some((topic, at)) = self.subscribers.subscriber(client, target) else { return };
            let cell = topic.cell(said.entity);
            cell.set(Arc::new(state_frame(topic, &said, expires)));
            let Some(subscriber) = topic.subscribers.get_mut(at).filter(|it| it.is_live()) else { return };
            let slot = subscriber.slot(said.entity, &cell);
            _ = subscriber.outbox.push_state(&slot);
        }
    }

    /// The states that a connection subscribed to, as they are now, each said when it is taken.
    pub(super) fn states_of(&self, client: ClientId, target: Target) -> Box<dyn Iterator<Item = Said> + '_> {
        let permit = self.subscribers.permit(client).filter(|_| target.event.is_state());
        let Some(permit) = permit else { return Box::new(std::iter::empty()) };
        let visible = |entity: &Entity| may_see(&self.world, permit, subject(entity));
        match target.entity {
            Some(id) => {
                let entity = self.entities.find(&self.world, id).filter(|entity| visible(entity));
                Box::new(entity.and_then(|entity| self.state(entity)).into_iter())
            }
            None => {
                let all = enreach::ids::entities(&self.world);
                let of_kind = all.filter(move |(_, entity)| state_of(entity) == Some(target.event) && visible(entity));
                Box::new(of_kind.filter_map(|(_, entity)| self.state(&entity)))
            }
        }
    }

    /// Says states anew that somebody was to be told and that were too old by then.
    pub(super) fn refresh_stale(&mut self) {
        let all: Vec<Guid> = self.states.all().collect();
        for id in all {
            let Some(entity) = self.states.entity(id).cloned() else { continue };
            let Some(event) = state_of(&entity) else { continue };
            let keys = forms(event, id);
            let stale = keys.map(|key| self.subscribers.topic(key).is_some_and(|topic| topic.take_stale(id)));
            if !stale.contains(&true) {
                continue;
            }
            let Some(said) = self.state(&entity) else { continue };
            let expires = self.expires(said.event, self.clock.now());
            for key in keys {
                let Some((topic, _)) = self.subscribers.telling(key) else { continue };
                let cell = topic.cell(id);
                cell.set(Arc::new(state_frame(topic, &said, expires)));
                for subscriber in topic.subscribers.iter_mut().filter(|subscriber| subscriber.is_live()) {
                    let slot = subscriber.slot(id, &cell);
                    if slot.take_missed() {
                        _ = subscriber.outbox.push_state(&slot);
                    }
                }
            }
        }
    }

    /// Whether somebody may subscribe to this.
    pub(super) fn may(&self, permit: &Permit, target: Target) -> bool {
        let kind = words::subject_kind(target.event.kind());
        match target.entity {
            Some(id) => may_subscribe(&self.world, permit, kind, self.entities.find(&self.world, id).map(subject)),
            None => may_see_many(permit, kind, &self.world),
        }
    }

    /// What somebody may know can change with an event: who may not any more is told nothing from here on, who may again
    /// is told again.
    pub(super) fn judge_again(&mut self, event: &Event) {
        if self.subscribers.total() == 0 {
            return;
        }
        match &event.fact {
            Fact::Agent { agent, fact } => match fact {
                AgentFact::LoggedIn { .. } | AgentFact::QueueLoggedOut { .. } | AgentFact::LoggedOut { .. } => {
                    self.judge_user(agent);
                    self.judge_entity(&Entity::User(agent.clone()));
                }
                AgentFact::Found { .. }
                | AgentFact::QueuePaused { .. }
                | AgentFact::QueueResumed { .. }
                | AgentFact::ModeChosen { .. }
                | AgentFact::WrapUpPlanned(_)
                | AgentFact::Reserved { .. }
                | AgentFact::ReservationEnded
                | AgentFact::Ready
                | AgentFact::NotReady { .. }
                | AgentFact::WrapUpBegan { .. }
                | AgentFact::WrapUpEnded { .. } => {}
            },
            Fact::Queue {
                fact: QueueFact::MemberAssigned { user, .. } | QueueFact::MemberRemoved { user }, ..
            } => {
                self.judge_user(user);
            }
            Fact::User { user, fact: UserFact::Described(_) | UserFact::Removed } => {
                self.judge_entity(&Entity::User(user.clone()));
            }
            Fact::List { list, .. } => self.judge_entity(&Entity::List(list.clone())),
            Fact::Founded { .. }
            | Fact::Switch { .. }
            | Fact::Device { .. }
            | Fact::Queue { .. }
            | Fact::Request { .. }
            | Fact::Client { .. }
            | Fact::Call { .. }
            | Fact::Leg { .. }
            | Fact::User { .. }
            | Fact::Callback { .. }
            | Fact::Alert { .. } => {}
        }
    }

    /// Judges everything again that somebody subscribed to.
    fn judge_user(&mut self, user: &str) {
        for client in self.subscribers.clients_of(user) {
            for target in self.subscribers.held(client) {
                self.judge(client, target);
            }
        }
    }

    /// Judges everybody again who subscribed to something.
    fn judge_entity(&mut self, entity: &Entity) {
        let id = id_of(&self.world, entity);
        for client in self.subscribers.clients_at(id) {
            for target in self.subscribers.held(client) {
                if target.entity.is_none_or(|entity| entity == id) {
                    self.judge(client, target);
                }
            }
        }
    }

    fn judge(&mut self, client: ClientId, target: Target) {
        let Some(permit) = self.subscribers.permit(client).cloned() else { return };
        match &permit {
            Permit::Service | Permit::Administrator | Permit::Granted(_) => return,
            Permit::Agent { .. } | Permit::Supervisor { .. } => {}
        }
        let may = self.may(&permit, target);
        let Some((topic, at)) = self.subscribers.subscriber(client, target) else { return };
        let Some(subscriber) = topic.subscribers.get_mut(at) else { return };
        if may && subscriber.muted {
            subscriber.muted = false;
            self.show_states(client, target);
            return;
        }
        if !may {
            subscriber.muted = true;
            subscriber.end_slots(None);
            return;
        }
        for told in subscriber.told_of() {
            let entity = self.entities.find(&self.world, told);
            if !entity.is_some_and(|entity| may_see(&self.world, &permit, subject(entity))) {
                subscriber.end_slots(Some(told));
            }
        }
    }
}

fn state_frame(topic: &Topic, said: &Said, expires: Option<Instant>) -> Frame {
    Frame::new(TARGET, topic.id, words::message(&topic.shown, &said.body, None), expires)
}

/// The event that tells the state of something.
fn state_of(entity: &Entity) -> Option<EventName> {
    match entity {
        Entity::User(_) => Some(USER_STATES),
        Entity::Queue(_) => Some(QUEUE_STATES),
        Entity::List(_) => None,
    }
}

/// Whether somebody may subscribe to everything of a kind: whoever may see more than the own. Each thing is judged again
/// when it is told.
fn may_see_many(permit: &Permit, kind: crate::rights::SubjectKind, world: &cordboard_core::World) -> bool {
    use crate::rights::SubjectKind;
    let nothing = "";
    match permit {
        Permit::Service | Permit::Administrator | Permit::Supervisor { .. } => true,
        Permit::Agent { .. } => false,
        Permit::Granted(_) => {
            let subject = match kind {
                SubjectKind::User => Subject::User(nothing),
                SubjectKind::Queue => Subject::Queue(nothing),
                SubjectKind::List => Subject::List(nothing),
            };
            may_see(world, permit, subject)
        }
    }
}
