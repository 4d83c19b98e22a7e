//! Alerts: conditions on a queue that somebody wants to be told of.

use cordboard_core::change::Change;
use cordboard_core::directory::Alert;
use cordboard_core::event::AlertRule;
use cordboard_core::{Guid, World};
use cordboard_dialects::enreach::{expression, ids};

use super::super::access::Refusal;
use super::call::{Call, Reply, new_id, nothing};
use super::names;
use super::route::Outcome;
use super::shapes::{AlertEdit, AlertShown};
use crate::identity::Identity;
use crate::mirror::View;

pub(super) async fn list(call: Call) -> Outcome {
    let text = call.part("user");
    let look = move |world: &View<'_>, caller: &Identity| {
        let user = names::user(world, caller, &text)?;
        let own = world.directory.alerts.iter().filter(|(_, alert)| alert.rule.user == user);
        Ok(own.map(|(id, alert)| show(world, *id, alert)).collect::<Vec<_>>())
    };
    let alerts = call.look(look).await?;
    Reply::ok(&alerts)
}

pub(super) async fn get(call: Call) -> Outcome {
    let (text, id) = (call.part("user"), call.id("alert")?);
    let look = move |world: &View<'_>, caller: &Identity| Ok(show(world, id, find(world, caller, &text, id)?.1));
    let alert = call.look(look).await?;
    Reply::ok(&alert)
}

pub(super) async fn define(mut call: Call) -> Outcome {
    let edit: AlertEdit = call.body()?;
    let text = call.part("user");
    let look = move |world: &View<'_>, caller: &Identity| {
        let user = names::user(world, caller, &text)?;
        rule(world, caller, user, edit)
    };
    let rule = call.look(look).await?;
    let id = new_id()?;
    call.make(id, Change::DefineAlert { id, rule: Box::new(rule) }).await
}

pub(super) async fn edit(mut call: Call) -> Outcome {
    let edit: AlertEdit = call.body()?;
    let (text, id) = (call.part("user"), call.id("alert")?);
    let look = move |world: &View<'_>, caller: &Identity| {
        let (user, _) = find(world, caller, &text, id)?;
        rule(world, caller, user, edit)
    };
    let rule = call.look(look).await?;
    call.change(Some(id), Change::DefineAlert { id, rule: Box::new(rule) }).await
}

pub(super) async fn remove(call: Call) -> Outcome {
    let (text, id) = (call.part("user"), call.id("alert")?);
    call.look(move |world, caller| find(world, caller, &text, id).map(|_| ())).await?;
    call.change(Some(id), Change::RemoveAlert { id }).await
}

/// An alert of the person in the path.
fn find<'w>(world: &'w View<'_>, caller: &Identity, text: &str, id: Guid) -> Result<(String, &'w Alert), Refusal> {
    let user = names::user(world, caller, text)?;
    let alert = world.directory.alerts.get(&id).filter(|alert| alert.rule.user == user);
    alert.map(|alert| (user, alert)).ok_or_else(|| nothing("alert"))
}

fn rule(world: &View<'_>, caller: &Identity, user: String, edit: AlertEdit) -> Result<AlertRule, Refusal> {
    let AlertEdit { queue_id, condition_name, condition_value, condition_expression: text } = edit;
    let queue = names::queue(world, caller, &queue_id)?;
    let condition =
        expression::parse(&text).map_err(|wrong| Refusal::wrong(format!("ConditionExpression, {wrong}")))?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let first = || expression::threshold(&condition).map(|value| value.to_string()).unwrap_or_default();
    let threshold = given(condition_value).unwrap_or_else(first);
    let name = given(condition_name).unwrap_or_else(|| text.clone());
    Ok(AlertRule { user, queue, name, text, threshold, condition })
}

fn show(world: &World, id: Guid, Alert { rule, fired, .. }: &Alert) -> AlertShown {
    AlertShown {
        id,
        user_id: ids::user(world, &rule.user),
        queue_id: ids::queue(world, &rule.queue),
        condition_name: rule.name.clone(),
        condition_value: rule.threshold.clone(),
        condition_expression: rule.text.clone(),
        fired: *fired,
    }
}
