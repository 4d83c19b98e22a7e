//! Who is meant: people by name, the person behind a telephone, and what people are called.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;

use cordboard_core::World;
use cordboard_core::event::{DeviceKind, Profile};

use super::values::Text;

/// The names of everybody: in the directory, agents, and telephones that are nobody's.
#[must_use]
pub fn names(world: &World) -> BTreeSet<&str> {
    let people = world.directory.users.keys().chain(world.agents.keys()).map(String::as_str);
    let telephones = world.devices.keys().filter_map(|device| of_device(world, device));
    people.chain(telephones).collect()
}

/// Whose telephone it is; none where it is no telephone of the site.
#[must_use]
pub fn of_device<'w>(world: &'w World, number: &str) -> Option<&'w str> {
    let (number, device) = world.devices.get_key_value(number)?;
    (device.kind == DeviceKind::Extension).then(|| world.user_of(number))
}

/// The name a person logs in with.
pub(super) fn login<'w>(world: &'w World, name: &'w str) -> Text<'w> {
    let login = profile(world, name).map(|profile| profile.login.as_str());
    Cow::Borrowed(login.filter(|login| !login.is_empty()).unwrap_or(name))
}

/// What people call a person.
pub(super) fn title<'w>(world: &'w World, name: &'w str) -> Text<'w> {
    let given = profile(world, name).map(|profile| profile.name.as_str()).filter(|given| !given.is_empty());
    let agent = || world.agents.get(name).map(|agent| agent.name.as_str()).filter(|given| !given.is_empty());
    Cow::Borrowed(given.or_else(agent).unwrap_or(name))
}

fn profile<'w>(world: &'w World, name: &str) -> Option<&'w Profile> {
    world.directory.users.get(name)?.profile.as_ref()
}
