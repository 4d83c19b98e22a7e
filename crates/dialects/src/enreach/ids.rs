//! Ids towards applications: where nobody configured one, it follows from the tenant and the name, so that it is the same
//! on every machine and after every restart.

use cordboard_core::{ConnId, Guid, World};
use uuid::Uuid;

use super::person;

/// Something that can be subscribed to, by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A person.
    User(String),
    /// A queue.
    Queue(String),
    /// A call list.
    List(String),
}

/// The id of an organisation, as a tenant is called here.
#[must_use]
pub fn organisation(tenant: &str) -> Guid {
    named(guid(Uuid::NAMESPACE_URL), &["cordboard:tenant:", tenant])
}

/// The id of a person.
#[must_use]
pub fn user(world: &World, name: &str) -> Guid {
    user_in(organisation(&world.tenant), world, name)
}

/// The id of a queue.
#[must_use]
pub fn queue(world: &World, name: &str) -> Guid {
    queue_in(organisation(&world.tenant), world, name)
}

/// The id of a call list.
#[must_use]
pub fn list(world: &World, name: &str) -> Guid {
    list_in(organisation(&world.tenant), world, name)
}

/// The id of a call.
#[must_use]
pub fn call(world: &World, conn: ConnId) -> Guid {
    call_in(organisation(&world.tenant), conn)
}

/// What has this id. It looks at everything there is; whoever asks often keeps an index.
#[must_use]
pub fn find(world: &World, guid: Guid) -> Option<Entity> {
    entities(world).find(|(found, _)| *found == guid).map(|(_, entity)| entity)
}

/// Everything that can be subscribed to, with its id.
pub fn entities(world: &World) -> impl Iterator<Item = (Guid, Entity)> {
    let users = person::names(world).into_iter().map(|name| (user(world, name), Entity::User(name.to_owned())));
    let queues = world.queues.keys().map(|name| (queue(world, name), Entity::Queue(name.clone())));
    let lists = world.directory.lists.keys().map(|name| (list(world, name), Entity::List(name.clone())));
    users.chain(queues).chain(lists)
}

/// An id that follows from a name within an organisation.
#[must_use]
pub fn named(namespace: Guid, parts: &[&str]) -> Guid {
    guid(Uuid::new_v5(&Uuid::from_u128(namespace.0), parts.concat().as_bytes()))
}

pub(super) fn call_in(organisation: Guid, conn: ConnId) -> Guid {
    named(organisation, &["call:", &conn.to_string()])
}

pub(super) fn user_in(organisation: Guid, world: &World, name: &str) -> Guid {
    let user = world.directory.users.get(name);
    let given = user.and_then(|user| user.profile.as_ref()).and_then(|profile| profile.guid);
    given.unwrap_or_else(|| named(organisation, &["user:", name]))
}

pub(super) fn queue_in(organisation: Guid, world: &World, name: &str) -> Guid {
    let given = world.queues.get(name).and_then(|queue| queue.profile.guid);
    given.unwrap_or_else(|| named(organisation, &["queue:", name]))
}

pub(super) fn list_in(organisation: Guid, world: &World, name: &str) -> Guid {
    let given = world.directory.lists.get(name).and_then(|list| list.profile.guid);
    given.unwrap_or_else(|| named(organisation, &["list:", name]))
}

fn guid(uuid: Uuid) -> Guid {
    Guid(uuid.as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_names_and_never_change() {
        let mut world = World::default();
        world.tenant = "acme".to_owned();
        // Computed once with Python's uuid module; whoever changes them orphans every subscription out there.
        assert_eq!(organisation("acme").to_string(), "4555730d-430a-5d6f-bc60-9ea52091251d");
        assert_eq!(user(&world, "7001").to_string(), "13386e7f-2034-53a5-a08a-b654b70a8893");
        assert_eq!(queue(&world, "sales").to_string(), "e0ed4cbd-bbb9-5f26-b43c-3a9e32d65c3f");
        assert_eq!(list(&world, "later").to_string(), "9ad24c0d-44e6-55fe-800b-0f69fd1dac87");
        assert_eq!(call(&world, ConnId(0xabc)).to_string(), "3574922a-98ef-5006-a30c-cf87f692363e");
    }
}
