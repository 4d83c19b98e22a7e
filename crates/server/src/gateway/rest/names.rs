//! From ids and names in paths and bodies to names in the world, as far as the caller may see them.

use cordboard_core::{ConnId, Guid, World};
use cordboard_dialects::enreach::ids::{self, Entity};

use super::super::access::Refusal;
use super::call::nothing;
use crate::identity::{self, Identity};
use crate::mirror::View;
use crate::rights;

/// Stands for the person who asks.
pub(super) const ME: &str = "me";

/// A person who may be seen: by id, `me`, name or login.
pub(super) fn user(world: &View<'_>, caller: &Identity, text: &str) -> Result<String, Refusal> {
    let name = find_user(world, caller, text).ok_or_else(|| nothing("person"))?;
    if rights::may_see_user(world, &caller.permit, &name) { Ok(name) } else { Err(nothing("person")) }
}

/// A queue that may be seen: by id or name.
pub(super) fn queue(world: &View<'_>, caller: &Identity, text: &str) -> Result<String, Refusal> {
    let by_id = text.parse().ok().and_then(|guid| match world.find(guid) {
        Some(Entity::Queue(name)) => Some(name.clone()),
        Some(Entity::User(_) | Entity::List(_)) | None => None,
    });
    let name = by_id.or_else(|| world.queues.contains_key(text).then(|| text.to_owned()));
    name.filter(|name| rights::may_see_queue(world, &caller.permit, name)).ok_or_else(|| nothing("queue"))
}

/// A call list that may be seen: by id or name.
pub(super) fn list(world: &View<'_>, caller: &Identity, text: &str) -> Result<String, Refusal> {
    let by_id = text.parse().ok().and_then(|guid| match world.find(guid) {
        Some(Entity::List(name)) => Some(name.clone()),
        Some(Entity::User(_) | Entity::Queue(_)) | None => None,
    });
    let name = by_id.or_else(|| world.directory.lists.contains_key(text).then(|| text.to_owned()));
    name.filter(|name| rights::may_see_list(world, &caller.permit, name)).ok_or_else(|| nothing("call list"))
}

/// A call under way by its id.
pub(super) fn call(world: &World, guid: Guid) -> Result<ConnId, Refusal> {
    let found = world.calls.values().find(|call| ids::call(world, call.conn) == guid);
    found.map(|call| call.conn).ok_or_else(|| nothing("call under way"))
}

/// Something in a body that need not be there.
pub(super) fn maybe(
    find: fn(&View<'_>, &Identity, &str) -> Result<String, Refusal>,
    (world, caller): (&View<'_>, &Identity),
    text: Option<&str>,
) -> Result<Option<String>, Refusal> {
    text.filter(|text| !text.is_empty()).map(|text| find(world, caller, text)).transpose()
}

/// The login of a person.
pub(super) fn login(world: &World, name: &str) -> String {
    let profile = world.directory.users.get(name).and_then(|user| user.profile.as_ref());
    let login = profile.map(|profile| &*profile.login).filter(|login| !login.is_empty());
    login.unwrap_or(name).to_owned()
}

fn find_user(world: &View<'_>, caller: &Identity, text: &str) -> Option<String> {
    if text.eq_ignore_ascii_case(ME) {
        return Some(caller.user.clone());
    }
    if let Ok(guid) = text.parse() {
        return match world.find(guid) {
            Some(Entity::User(name)) => Some(name.clone()),
            Some(Entity::Queue(_) | Entity::List(_)) => None,
            // Whoever is in no directory has an id nevertheless.
            None if guid == ids::user(world, &caller.user) => Some(caller.user.clone()),
            None => world.is_user(text).then(|| text.to_owned()),
        };
    }
    identity::person(world, text).or_else(|| world.is_user(text).then(|| text.to_owned()))
}
