//! What a projection looks at: the world, the moment, and where events go.

use core::cell::OnceCell;

use cordboard_core::event::Asked;
use cordboard_core::{ConnId, Event, Guid, Time, World};

use super::ids;
use super::messages::Message;
use super::names::EventName;
use super::values::{Head, Mark, RootEntityType, Stamp, Tail};
use super::{Said, Settings, person};
use crate::Position;

/// A world at one moment, and the events said of it so far.
pub(super) struct Scene<'w, 'o> {
    pub(super) settings: &'w Settings,
    pub(super) world: &'w World,
    pub(super) at: Position,
    /// When it happened.
    pub(super) time: Time,
    /// The request that caused it.
    pub(super) asked: Option<&'w Asked>,
    organisation: OnceCell<Guid>,
    /// Which of several things of one entity is told of, where a picture tells them all at one place.
    about: String,
    out: &'o mut Vec<Said>,
    /// Where in it this moment begins.
    first: usize,
}

impl<'w, 'o> Scene<'w, 'o> {
    /// The moment of an event.
    pub(super) fn of(
        settings: &'w Settings,
        world: &'w World,
        at: Position,
        event: &Event,
        out: &'o mut Vec<Said>,
    ) -> Self {
        let asked = event.request.and_then(|request| world.requests.get(&request));
        Self { asked, ..Self::at(settings, world, at, event.since.unwrap_or(event.at), out) }
    }

    /// A moment.
    pub(super) fn at(
        settings: &'w Settings,
        world: &'w World,
        at: Position,
        time: Time,
        out: &'o mut Vec<Said>,
    ) -> Self {
        let first = out.len();
        Self { settings, world, at, time, asked: None, organisation: OnceCell::new(), about: String::new(), out, first }
    }

    /// What is told from now on is about this thing of several that an entity has.
    pub(super) fn about(&mut self, thing: &str) {
        self.about = format!(":{thing}");
    }

    /// The organisation.
    pub(super) fn organisation(&self) -> Guid {
        *self.organisation.get_or_init(|| ids::organisation(&self.world.tenant))
    }

    /// The id of a person.
    pub(super) fn user(&self, name: &str) -> Guid {
        ids::user_in(self.organisation(), self.world, name)
    }

    /// The id of a queue.
    pub(super) fn queue(&self, name: &str) -> Guid {
        ids::queue_in(self.organisation(), self.world, name)
    }

    /// The id of a call list.
    pub(super) fn list(&self, name: &str) -> Guid {
        ids::list_in(self.organisation(), self.world, name)
    }

    /// The id of a call.
    pub(super) fn call(&self, conn: ConnId) -> Guid {
        ids::call_in(self.organisation(), conn)
    }

    /// The person whose telephone it is, where it is one of ours.
    pub(super) fn user_of(&self, device: &str) -> Option<&'w str> {
        person::of_device(self.world, device)
    }

    /// Where an event about this entity begins.
    pub(super) fn head(&self, event: EventName, entity: Guid) -> Head {
        Head {
            rootEntityType: RootEntityType::Organization,
            rootEntityId: self.organisation(),
            eventType: event,
            entityType: event.kind(),
            entityId: entity,
        }
    }

    /// Which event it is, and when.
    pub(super) fn mark(&self, event: EventName, entity: Guid) -> Mark {
        let Position { epoch, sequence } = self.at;
        let mut name = format!("{epoch}-{sequence}:{}:{entity}{}", event.wire(), self.about);
        // A call that one telephone of somebody forwards to another one comes in twice at one moment.
        let before = self.out.iter().skip(self.first).filter(|it| it.event == event && it.entity == entity).count();
        if before > 0 && self.about.is_empty() {
            name.push_str(&format!(":{before}"));
        }
        Mark { id: ids::named(self.organisation(), &[&name]), timestamp: Stamp(self.time) }
    }

    /// Where a usual event ends.
    pub(super) fn tail(&self, event: EventName, entity: Guid) -> Tail {
        let Mark { id, timestamp } = self.mark(event, entity);
        Tail { id, timestamp, messageTTLSeconds: ttl(event) }
    }

    /// Says an event about an entity; `build` is given where it begins and where it ends.
    pub(super) fn tell<M: Message>(&mut self, entity: Guid, build: impl FnOnce(&Self, Head, Tail) -> M) {
        let message = build(self, self.head(M::NAME, entity), self.tail(M::NAME, entity));
        self.push(entity, &message);
    }

    /// What was said last is only for those who may see this as well.
    pub(super) fn also(&mut self, entity: Guid) {
        if let Some(said) = self.out.last_mut() {
            said.also = Some(entity);
        }
    }

    /// Says a message.
    pub(super) fn push<M: Message>(&mut self, entity: Guid, message: &M) {
        // Its members are texts, numbers and lists of them, which always have a JSON form.
        if let Ok(body) = serde_json::to_string(message) {
            self.out.push(Said { event: M::NAME, entity, also: None, body });
        }
    }
}

/// How long an event is worth delivering, as it stands on the wire.
pub(super) fn ttl(event: EventName) -> i32 {
    event.ttl_s().and_then(|ttl| i32::try_from(ttl).ok()).unwrap_or(-1)
}
