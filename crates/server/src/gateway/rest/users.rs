//! People: who there is, and who is put into the directory.

use axum::http::StatusCode;
use cordboard_core::change::Change;
use cordboard_core::event::Profile;
use cordboard_core::{Guid, World};
use cordboard_dialects::enreach::{ids, person};

use super::super::access::Refusal;
use super::call::{Call, Reply};
use super::names;
use super::route::Outcome;
use super::shapes::{NewUser, User, UserEdit};
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

/// Longest name of something in the directory, in bytes.
const KEY_BYTES_MAX: usize = 128;

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let look = move |world: &View<'_>, caller: &Identity| {
        let seen = |name: &str| rights::may_see_user(world, &caller.permit, name).then(|| show(world, name));
        Ok(page.of(person::names(world).into_iter(), seen))
    };
    let (users, next) = call.look(look).await?;
    Ok(Reply::ok(&users)?.next(call.rest_of("/users", next)))
}

pub(super) async fn get(call: Call) -> Outcome {
    let text = call.part("user");
    let user = call.look(move |world, caller| Ok(show(world, &names::user(world, caller, &text)?))).await?;
    Reply::ok(&user)
}

pub(super) async fn create(mut call: Call) -> Outcome {
    let NewUser { agent_id, display_name, user_name, id, terminals } = call.body()?;
    check_key("AgentId", &agent_id)?;
    let name = agent_id.clone();
    let derived = call
        .look(move |world, _| {
            if world.directory.users.get(&name).is_some_and(|user| user.profile.is_some()) {
                let why = format!("{name} is in the directory already; right would be PUT /users/{name}");
                return Err(Refusal::new(StatusCode::CONFLICT, "conflict", why));
            }
            Ok(ids::user(world, &name))
        })
        .await?;
    let edit = UserEdit { display_name, user_name, id, terminals };
    call.make(id.unwrap_or(derived), describe(agent_id, edit)).await
}

pub(super) async fn edit(mut call: Call) -> Outcome {
    let edit: UserEdit = call.body()?;
    let text = call.part("user");
    let (user, id) = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let derived = ids::named(ids::organisation(&world.tenant), &["user:", &user]);
            Ok((user, derived))
        })
        .await?;
    let id = edit.id.unwrap_or(id);
    call.change(Some(id), describe(user, edit)).await
}

pub(super) async fn remove(call: Call) -> Outcome {
    let text = call.part("user");
    let (user, id) = call
        .look(move |world, caller| {
            let user = names::user(world, caller, &text)?;
            let id = ids::user(world, &user);
            Ok((user, id))
        })
        .await?;
    call.change(Some(id), Change::RemoveUser { user }).await
}

/// Whether this can be a name in our own vocabulary: it is in keys of messages and in paths.
pub(super) fn check_key(member: &str, key: &str) -> Result<(), Refusal> {
    // An id or `me` in a path would be somebody else.
    let is_taken = key.parse::<Guid>().is_ok() || key.eq_ignore_ascii_case(names::ME);
    let is_written = !key.chars().any(|c| c.is_control() || c == '/');
    let is_good = !key.is_empty() && key.len() <= KEY_BYTES_MAX && is_written && !is_taken;
    let right = format!(
        "{member}: right would be 1 to {KEY_BYTES_MAX} bytes without / and control characters, not `me`, no id"
    );
    if is_good { Ok(()) } else { Err(Refusal::wrong(right)) }
}

fn describe(user: String, edit: UserEdit) -> Change {
    let UserEdit { display_name, user_name, id, terminals } = edit;
    let name = if display_name.is_empty() { user.clone() } else { display_name };
    Change::DescribeUser { user, profile: Profile { name, login: user_name, guid: id, devices: terminals } }
}

fn show(world: &World, name: &str) -> User {
    let profile = world.directory.users.get(name).and_then(|user| user.profile.as_ref());
    let agent = world.agents.get(name);
    let titles = [profile.map(|profile| &profile.name), agent.map(|agent| &agent.name)];
    let title = titles.into_iter().flatten().find(|title| !title.is_empty());
    User {
        id: ids::user(world, name),
        organization_id: ids::organisation(&world.tenant),
        user_name: names::login(world, name),
        display_name: title.map_or(name, String::as_str).to_owned(),
        agent_id: name.to_owned(),
        terminals: profile.map(|profile| profile.devices.clone()).unwrap_or_default(),
        logged_in_on: agent.and_then(|agent| agent.device.clone()),
    }
}
