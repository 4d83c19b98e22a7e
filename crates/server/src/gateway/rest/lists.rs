//! Call lists.

use axum::http::StatusCode;
use cordboard_core::World;
use cordboard_core::change::Change;
use cordboard_core::event::ListProfile;
use cordboard_dialects::enreach::ids;

use super::super::access::Refusal;
use super::call::{Call, Reply};
use super::names;
use super::route::Outcome;
use super::shapes::{CallList, CallListEdit, NewCallList};
use super::users::check_key;
use crate::identity::Identity;
use crate::mirror::View;
use crate::rights;

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let look = move |world: &View<'_>, caller: &Identity| {
        let seen = |name: &str| rights::may_see_list(world, &caller.permit, name).then(|| show(world, name));
        Ok(page.of(world.directory.lists.keys(), seen))
    };
    let (lists, next) = call.look(look).await?;
    Ok(Reply::ok(&lists)?.next(call.rest_of("/calllists", next)))
}

pub(super) async fn get(call: Call) -> Outcome {
    let text = call.part("list");
    let list = call.look(move |world, caller| Ok(show(world, &names::list(world, caller, &text)?))).await?;
    Reply::ok(&list)
}

pub(super) async fn create(mut call: Call) -> Outcome {
    let NewCallList { key, name, queue_id, id } = call.body()?;
    check_key("Key", &key)?;
    let list = key.clone();
    let (queue, derived) = call
        .look(move |world, caller| {
            if world.directory.lists.contains_key(&key) {
                let why = format!("there is a call list {key} already; right would be PUT /calllists/{key}");
                return Err(Refusal::new(StatusCode::CONFLICT, "conflict", why));
            }
            Ok((names::maybe(names::queue, (world, caller), queue_id.as_deref())?, ids::list(world, &key)))
        })
        .await?;
    let profile = ListProfile { title: if name.is_empty() { list.clone() } else { name }, guid: id, queue };
    call.make(id.unwrap_or(derived), Change::DescribeList { list, profile }).await
}

pub(super) async fn edit(mut call: Call) -> Outcome {
    let CallListEdit { name, queue_id, id } = call.body()?;
    let text = call.part("list");
    let (list, queue, derived) = call
        .look(move |world, caller| {
            let list = names::list(world, caller, &text)?;
            let derived = ids::named(ids::organisation(&world.tenant), &["list:", &list]);
            Ok((list, names::maybe(names::queue, (world, caller), queue_id.as_deref())?, derived))
        })
        .await?;
    let profile = ListProfile { title: if name.is_empty() { list.clone() } else { name }, guid: id, queue };
    call.change(Some(id.unwrap_or(derived)), Change::DescribeList { list, profile }).await
}

pub(super) async fn remove(call: Call) -> Outcome {
    let text = call.part("list");
    let (list, id) = call
        .look(move |world, caller| {
            let list = names::list(world, caller, &text)?;
            let id = ids::list(world, &list);
            Ok((list, id))
        })
        .await?;
    call.change(Some(id), Change::RemoveList { list }).await
}

fn show(world: &World, name: &str) -> CallList {
    let list = world.directory.lists.get(name);
    let is_open = |id: &&cordboard_core::Guid| {
        world.directory.callbacks.get(*id).is_some_and(|callback| callback.closed.is_none())
    };
    let title = list.map(|list| &list.profile.title).filter(|title| !title.is_empty());
    CallList {
        id: ids::list(world, name),
        name: title.map_or(name, String::as_str).to_owned(),
        queue_id: list.and_then(|list| list.profile.queue.as_deref()).map(|queue| ids::queue(world, queue)),
        open: list.map_or(0, |list| list.callbacks.iter().filter(is_open).count() as u64),
    }
}
