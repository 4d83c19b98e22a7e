//! Which id is what: an index that is kept up with the world, since many ask.

use std::collections::HashMap;

use cordboard_core::event::{AgentFact, DeviceFact, ListFact, QueueFact, UserFact};
use cordboard_core::{Event, Fact, Guid, World};
use cordboard_dialects::enreach::ids::{self, Entity};
use cordboard_dialects::enreach::person;

use crate::rights::Subject;

/// Everything that ever had an id, by id. What it holds is looked at before it is believed, so nothing is taken out.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    by_id: HashMap<Guid, Entity>,
}

impl Entities {
    pub(crate) fn new(world: &World) -> Self {
        Self { by_id: ids::entities(world).collect() }
    }

    /// Takes in what an event has brought, in the world right after it.
    pub(crate) fn note(&mut self, world: &World, event: &Event) {
        match &event.fact {
            Fact::Agent { agent, fact: AgentFact::Found { .. } } => self.user(world, agent),
            // A telephone without its agent may be somebody else's.
            Fact::Agent { agent, fact: AgentFact::LoggedOut { .. } } => {
                if let Some(device) = world.agents.get(agent).and_then(|agent| agent.left.as_deref()) {
                    self.user(world, world.user_of(device));
                }
            }
            Fact::User { user, fact } => {
                self.user(world, user);
                if let UserFact::Removed = fact {
                    // The telephones that were the person's own are their own again.
                    *self = Self::new(world);
                }
            }
            Fact::Device { device, fact: DeviceFact::Found { .. } } => {
                if let Some(user) = person::of_device(world, device) {
                    self.user(world, user);
                }
            }
            Fact::Queue { queue, fact: QueueFact::Found { .. } | QueueFact::Described(_) } => {
                self.insert(ids::queue(world, queue), Entity::Queue(queue.clone()));
            }
            Fact::List { list, fact: ListFact::Described(_) } => {
                self.insert(ids::list(world, list), Entity::List(list.clone()));
            }
            Fact::Founded { .. } => *self = Self::new(world),
            Fact::Switch { .. }
            | Fact::Device { .. }
            | Fact::Agent { .. }
            | Fact::Queue { .. }
            | Fact::Request { .. }
            | Fact::Client { .. }
            | Fact::Call { .. }
            | Fact::Leg { .. }
            | Fact::List { .. }
            | Fact::Callback { .. }
            | Fact::Alert { .. } => {}
        }
    }

    /// What has this id now.
    pub(crate) fn find(&self, world: &World, id: Guid) -> Option<&Entity> {
        self.by_id.get(&id).filter(|entity| is_there(world, entity) && id_of(world, entity) == id)
    }

    fn user(&mut self, world: &World, name: &str) {
        self.insert(ids::user(world, name), Entity::User(name.to_owned()));
    }

    fn insert(&mut self, id: Guid, entity: Entity) {
        self.by_id.insert(id, entity);
    }
}

/// The id of something.
pub(crate) fn id_of(world: &World, entity: &Entity) -> Guid {
    match entity {
        Entity::User(name) => ids::user(world, name),
        Entity::Queue(name) => ids::queue(world, name),
        Entity::List(name) => ids::list(world, name),
    }
}

/// Something, as the rights know it.
pub(crate) fn subject(entity: &Entity) -> Subject<'_> {
    match entity {
        Entity::User(name) => Subject::User(name),
        Entity::Queue(name) => Subject::Queue(name),
        Entity::List(name) => Subject::List(name),
    }
}

fn is_there(world: &World, entity: &Entity) -> bool {
    match entity {
        Entity::User(name) => world.is_user(name),
        Entity::Queue(name) => world.queues.contains_key(name),
        Entity::List(name) => world.directory.lists.contains_key(name),
    }
}
