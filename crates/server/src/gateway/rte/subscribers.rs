//! Who has subscribed to what. Belongs to the feed's thread alone.
//!
//! A topic is what gives the same bytes to all its subscribers: one event of one entity (or of all), with or without the
//! place in each message. Telling is a walk over a list; coming and going changes two places, however long the list is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cordboard_core::Guid;
use cordboard_core::listed::Listed as _;
use cordboard_dialects::enreach::EventName;

use super::words::{self, Target};
use crate::gateway::signalr::outbox::{Outbox, StateCell, StateSlot};
use crate::permit::Permit;

/// A connection, by a number that is never given twice.
pub(super) type ClientId = u64;

/// What all subscribers of a topic have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TopicKey {
    pub(super) target: Target,
    /// Each message has its place in it.
    pub(super) placed: bool,
}

/// See [`TopicKey`].
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) key: TopicKey,
    /// The id of the subscription.
    pub(super) id: Guid,
    /// The subscription as clients are shown it.
    pub(super) shown: String,
    pub(super) subscribers: Vec<Subscriber>,
    /// For a state: the newest of each entity that was told.
    cells: BTreeMap<Guid, Arc<StateCell>>,
}

/// One connection's place in a topic.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) client: ClientId,
    pub(super) outbox: Arc<Outbox>,
    /// May not be told at the moment.
    pub(super) muted: bool,
    /// Is told of the past first, by the catch-up of this number.
    pub(super) joining: Option<u32>,
    slots: Slots,
}

/// What was told of states.
#[derive(Debug)]
enum Slots {
    None,
    One(Arc<StateSlot>),
    Many(BTreeMap<Guid, Arc<StateSlot>>),
}

impl Subscriber {
    /// Whether it is told what happens now.
    pub(super) fn is_live(&self) -> bool {
        !self.muted && self.joining.is_none()
    }

    /// Its slot for this entity; one that was told nothing yet where there was none.
    pub(super) fn slot(&mut self, entity: Guid, cell: &Arc<StateCell>) -> Arc<StateSlot> {
        let new = || Arc::new(StateSlot::new(Arc::clone(cell)));
        match &mut self.slots {
            Slots::Many(slots) => Arc::clone(slots.entry(entity).or_insert_with(new)),
            Slots::One(slot) => Arc::clone(slot),
            Slots::None => {
                let slot = new();
                self.slots = Slots::One(Arc::clone(&slot));
                slot
            }
        }
    }

    /// Nothing of this entity's state, or of all, is written any more.
    pub(super) fn end_slots(&mut self, entity: Option<Guid>) {
        match (&mut self.slots, entity) {
            (Slots::None, _) => {}
            (Slots::One(slot), _) => {
                slot.end();
                self.slots = Slots::None;
            }
            (Slots::Many(slots), None) => {
                slots.values().for_each(|slot| slot.end());
                slots.clear();
            }
            (Slots::Many(slots), Some(entity)) => {
                if let Some(slot) = slots.remove(&entity) {
                    slot.end();
                }
            }
        }
    }

    /// The entities whose states it was told.
    pub(super) fn told_of(&self) -> Vec<Guid> {
        match &self.slots {
            Slots::None | Slots::One(_) => Vec::new(),
            Slots::Many(slots) => slots.keys().copied().collect(),
        }
    }
}

impl Topic {
    /// Where the newest state of this entity is kept.
    pub(super) fn cell(&mut self, entity: Guid) -> Arc<StateCell> {
        Arc::clone(self.cells.entry(entity).or_default())
    }

    /// Takes back whether somebody found the newest state of this entity too old.
    pub(super) fn take_stale(&self, entity: Guid) -> bool {
        self.cells.get(&entity).is_some_and(|cell| cell.take_stale())
    }
}

/// How many subscriptions there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubscriptionLimits {
    pub(super) client_max: usize,
    pub(super) user_max: usize,
    pub(super) tenant_max: usize,
}

/// There are as many subscriptions as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

#[derive(Debug)]
struct Client {
    outbox: Arc<Outbox>,
    permit: Permit,
    user: Arc<str>,
    /// Where it stands: the topic, and the place in its list.
    held: BTreeMap<Target, Held>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    topic: u32,
    place: u32,
}

#[derive(Debug, Default)]
struct User {
    clients: BTreeSet<ClientId>,
    subscriptions: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Subscribers {
    organisation: Guid,
    limits: SubscriptionLimits,
    topics: Vec<Option<Topic>>,
    free: Vec<u32>,
    by_key: HashMap<TopicKey, u32>,
    clients: HashMap<ClientId, Client>,
    users: HashMap<Arc<str>, User>,
    total: usize,
}

impl Subscribers {
    pub(super) fn new(organisation: Guid, limits: SubscriptionLimits) -> Self {
        let (topics, free, by_key, clients, users) = Default::default();
        Self { organisation, limits, topics, free, by_key, clients, users, total: 0 }
    }

    pub(super) fn connect(&mut self, id: ClientId, outbox: Arc<Outbox>, permit: Permit, user: Arc<str>) {
        self.users.entry(Arc::clone(&user)).or_default().clients.insert(id);
        self.clients.insert(id, Client { outbox, permit, user, held: BTreeMap::new() });
    }

    /// Enters a subscription. One that is held in another form takes that form. True where it is new.
    pub(super) fn subscribe(&mut self, id: ClientId, key: TopicKey) -> Result<bool, TooMany> {
        let Some(client) = self.clients.get(&id) else { return Ok(false) };
        if let Some(held) = client.held.get(&key.target) {
            let placed = self.topic_at(held.topic).is_some_and(|topic| topic.key.placed);
            if placed || placed == key.placed {
                return Ok(false);
            }
            self.unsubscribe(id, key.target);
        }
        let Some(client) = self.clients.get_mut(&id) else { return Ok(false) };
        let Some(user) = self.users.get_mut(&client.user) else { return Ok(false) };
        let SubscriptionLimits { client_max, user_max, tenant_max } = self.limits;
        if client.held.len() >= client_max || user.subscriptions >= user_max || self.total >= tenant_max {
            return Err(TooMany);
        }
        let number = match self.by_key.get(&key) {
            Some(number) => *number,
            None => {
                let (id, shown) = (
                    words::subscription_id(self.organisation, key.target),
                    words::subscription(self.organisation, key.target),
                );
                let topic = Topic { key, id, shown, subscribers: Vec::new(), cells: BTreeMap::new() };
                let number = place_in(&mut self.topics, &mut self.free, topic).ok_or(TooMany)?;
                self.by_key.insert(key, number);
                number
            }
        };
        let Some(topic) = self.topics.get_mut(number as usize).and_then(Option::as_mut) else { return Err(TooMany) };
        let place = u32::try_from(topic.subscribers.len()).map_err(|_| TooMany)?;
        let everything = key.target.entity.is_none() && key.target.event.is_state();
        let slots = if everything { Slots::Many(BTreeMap::new()) } else { Slots::None };
        let outbox = Arc::clone(&client.outbox);
        topic.subscribers.push(Subscriber { client: id, outbox, muted: false, joining: None, slots });
        client.held.insert(key.target, Held { topic: number, place });
        user.subscriptions += 1;
        self.total += 1;
        Ok(true)
    }

    /// Takes a subscription out, with what waits of it. False where there was none.
    pub(super) fn unsubscribe(&mut self, id: ClientId, target: Target) -> bool {
        let taken = self.take_out(id, target);
        if let Some((outbox, topic)) = &taken {
            outbox.forget(*topic);
        }
        taken.is_some()
    }

    fn take_out(&mut self, id: ClientId, target: Target) -> Option<(Arc<Outbox>, Guid)> {
        let client = self.clients.get_mut(&id)?;
        let held = client.held.remove(&target)?;
        if let Some(user) = self.users.get_mut(&client.user) {
            user.subscriptions -= 1;
        }
        self.total -= 1;
        let topic = self.topics.get_mut(held.topic as usize)?.as_mut()?;
        if held.place as usize >= topic.subscribers.len() {
            return None;
        }
        let mut gone = topic.subscribers.swap_remove(held.place as usize);
        gone.end_slots(None);
        let taken = (gone.outbox, topic.id);
        // Who was last in the list stands in the freed place now.
        let moved = topic.subscribers.get(held.place as usize).map(|moved| moved.client);
        let moved = moved.and_then(|moved| self.clients.get_mut(&moved)?.held.get_mut(&target));
        if let Some(moved) = moved {
            moved.place = held.place;
        }
        if topic.subscribers.is_empty() {
            self.by_key.remove(&topic.key);
            if let Some(room) = self.topics.get_mut(held.topic as usize) {
                *room = None;
            }
            self.free.push(held.topic);
        }
        Some(taken)
    }

    pub(super) fn unsubscribe_all(&mut self, id: ClientId) {
        for target in self.held(id) {
            self.unsubscribe(id, target);
        }
    }

    pub(super) fn disconnect(&mut self, id: ClientId) {
        // What waits for it goes with its outbox.
        for target in self.held(id) {
            self.take_out(id, target);
        }
        let Some(client) = self.clients.remove(&id) else { return };
        if let Some(user) = self.users.get_mut(&client.user) {
            user.clients.remove(&id);
            if user.clients.is_empty() {
                self.users.remove(&client.user);
            }
        }
    }

    /// What a connection has subscribed to.
    pub(super) fn held(&self, id: ClientId) -> Vec<Target> {
        self.clients.get(&id).map(|client| client.held.keys().copied().collect()).unwrap_or_default()
    }

    /// The subscriptions of a connection as it is shown them.
    pub(super) fn shown(&self, id: ClientId) -> impl Iterator<Item = &str> {
        let held = self.clients.get(&id).into_iter().flat_map(|client| client.held.values());
        held.filter_map(|held| Some(self.topic_at(held.topic)?.shown.as_str()))
    }

    pub(super) fn topic(&self, key: TopicKey) -> Option<&Topic> {
        self.topic_at(*self.by_key.get(&key)?)
    }

    /// A topic for telling, and what each subscriber may.
    pub(super) fn telling(&mut self, key: TopicKey) -> Option<(&mut Topic, Permits<'_>)> {
        let number = *self.by_key.get(&key)?;
        let topic = self.topics.get_mut(number as usize)?.as_mut()?;
        Some((topic, Permits(&self.clients)))
    }

    /// One connection's place in a topic.
    pub(super) fn subscriber(&mut self, id: ClientId, target: Target) -> Option<(&mut Topic, usize)> {
        let held = *self.clients.get(&id)?.held.get(&target)?;
        let topic = self.topics.get_mut(held.topic as usize)?.as_mut()?;
        Some((topic, held.place as usize))
    }

    /// The same, for looking only.
    pub(super) fn look(&self, id: ClientId, target: Target) -> Option<(&Topic, &Subscriber)> {
        let held = *self.clients.get(&id)?.held.get(&target)?;
        let topic = self.topic_at(held.topic)?;
        Some((topic, topic.subscribers.get(held.place as usize)?))
    }

    pub(super) fn permit(&self, id: ClientId) -> Option<&Permit> {
        self.clients.get(&id).map(|client| &client.permit)
    }

    pub(super) fn outbox(&self, id: ClientId) -> Option<&Arc<Outbox>> {
        self.clients.get(&id).map(|client| &client.outbox)
    }

    /// The connections of somebody.
    pub(super) fn clients_of(&self, user: &str) -> Vec<ClientId> {
        self.users.get(user).map(|user| user.clients.iter().copied().collect()).unwrap_or_default()
    }

    /// The connections that subscribed to anything about this, or to everything of a kind.
    pub(super) fn clients_at(&self, entity: Guid) -> BTreeSet<ClientId> {
        let mut clients = BTreeSet::new();
        for event in EventName::ALL {
            for (entity, placed) in [(Some(entity), false), (Some(entity), true), (None, false), (None, true)] {
                let topic = self.topic(TopicKey { target: Target { event: *event, entity }, placed });
                clients.extend(topic.into_iter().flat_map(|topic| &topic.subscribers).map(|it| it.client));
            }
        }
        clients
    }

    /// How often a state was too old to be written, to anybody.
    pub(super) fn stale_count(&self) -> u64 {
        self.outboxes().next().map_or(0, |outbox| outbox.stale_count())
    }

    pub(super) fn outboxes(&self) -> impl Iterator<Item = &Arc<Outbox>> {
        self.clients.values().map(|client| &client.outbox)
    }

    /// All subscriptions.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn clients(&self) -> usize {
        self.clients.len()
    }

    fn topic_at(&self, number: u32) -> Option<&Topic> {
        self.topics.get(number as usize)?.as_ref()
    }
}

/// What each connection may see.
#[derive(Clone, Copy)]
pub(super) struct Permits<'s>(&'s HashMap<ClientId, Client>);

impl Permits<'_> {
    pub(super) fn of(&self, id: ClientId) -> Option<&Permit> {
        self.0.get(&id).map(|client| &client.permit)
    }
}

fn place_in(topics: &mut Vec<Option<Topic>>, free: &mut Vec<u32>, topic: Topic) -> Option<u32> {
    if let Some(number) = free.pop() {
        *topics.get_mut(number as usize)? = Some(topic);
        return Some(number);
    }
    let number = u32::try_from(topics.len()).ok()?;
    topics.push(Some(topic));
    Some(number)
}
