//! What follows from what is done about callbacks, and which calls leave one behind.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::Told;
use crate::change::Change;
use crate::event::{CallFact, Callback, CallbackDetails, CallbackFact, CallbackKind, DequeueReason, Direction, Fact};
use crate::guid::Guid;
use crate::ids::{CallId, ConnId};
use crate::limits::{CALLBACKS_OPEN_MAX, NAME_BYTES_MAX};
use crate::world::{Call, World};

/// What is true once a change of a callback is made.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is no callback's change is made elsewhere, where all are listed"
)]
pub(crate) fn answer(world: &World, change: &Change, told: &mut Told) {
    let known = |id: &Guid| world.directory.callbacks.get(id);
    let (id, fact) = match change {
        Change::CreateCallback { id, callback } if known(id).is_none() => (id, CallbackFact::Created(callback.clone())),
        Change::EditCallback { id, details, by } if known(id).is_some_and(|it| it.callback.details != **details) => {
            (id, CallbackFact::Edited { details: details.clone(), by: by.clone() })
        }
        Change::AssignCallback { id, to, by } if known(id).is_some_and(|it| it.assigned != *to) => {
            (id, CallbackFact::Assigned { to: to.clone(), by: by.clone() })
        }
        Change::AttemptCallback { id, attempt } if known(id).is_some_and(|it| !it.attempts.contains(attempt)) => {
            (id, CallbackFact::Attempted(attempt.clone()))
        }
        Change::CloseCallback { id, by } => (id, CallbackFact::Closed { by: by.clone() }),
        _ => return,
    };
    told.tell(Fact::Callback { callback: *id, fact });
}

/// Nobody in particular is to work on it any more.
pub(crate) fn nobodys(callback: Guid, told: &mut Told) {
    told.tell(Fact::Callback { callback, fact: CallbackFact::Assigned { to: None, by: None } });
}

/// It is closed, by nobody in particular.
pub(crate) fn close(callback: Guid, told: &mut Told) {
    told.tell(Fact::Callback { callback, fact: CallbackFact::Closed { by: None } });
}

/// What the callback of a call that waited in vain is called: always the same.
#[must_use]
pub fn overflow_id(tenant: &str, call: ConnId) -> Guid {
    Guid::derived(&[b"overflow", tenant.as_bytes(), &call.0.to_be_bytes()])
}

/// A call that gave up in a queue, or waited there as long as it may, is put on the queue's call list: once, with whom to
/// call. One that comes without a number, or where the list is full, cannot be.
pub(crate) fn overflow(world: &World, told: &mut Told) {
    if world.directory.lists.is_empty() {
        return;
    }
    let in_vain: Vec<(CallId, &str)> = told.events.iter().filter_map(|event| left_in_vain(&event.fact)).collect();
    let mut created = BTreeSet::new();
    let mut callbacks = Vec::new();
    for (id, queue) in in_vain {
        let Some(call) = world.calls.get(&id).filter(|_| created.insert(id)) else { continue };
        callbacks.extend(left_behind(world, call, queue));
    }
    for (callback, fact) in callbacks {
        told.tell(Fact::Callback { callback, fact });
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "one fact of many, looked for in every event")]
fn left_in_vain(fact: &Fact) -> Option<(CallId, &str)> {
    match fact {
        Fact::Call { call, fact: CallFact::Dequeued { queue, reason, .. } } => match reason {
            DequeueReason::Abandoned | DequeueReason::TimedOut => Some((*call, queue)),
            DequeueReason::Answered
            | DequeueReason::Delivered
            | DequeueReason::Routed
            | DequeueReason::DeliveredElsewhere
            | DequeueReason::LeftEmpty
            | DequeueReason::Withdrawn
            | DequeueReason::Left
            | DequeueReason::TakenOver
            | DequeueReason::Lost => None,
        },
        _ => None,
    }
}

fn left_behind(world: &World, call: &Call, queue: &str) -> Option<(Guid, CallbackFact)> {
    let name = world.queues.get(queue)?.profile.overflow_list.as_ref()?;
    let list = world.directory.lists.get(name).filter(|list| list.open() < CALLBACKS_OPEN_MAX)?;
    let id = overflow_id(&world.tenant, call.conn);
    let has_number = (1..=NAME_BYTES_MAX).contains(&call.ani.len());
    if world.directory.callbacks.contains_key(&id) || list.callbacks.contains(&id) || !has_number {
        return None;
    }
    let contact_number = match call.direction {
        Direction::Inbound | Direction::Internal => call.ani.clone(),
        Direction::Outbound => call.dnis.clone(),
    };
    let details = CallbackDetails {
        contact_name: call.ani_name.clone(),
        contact_number,
        channel: queue.to_string(),
        ..CallbackDetails::default()
    };
    let callback = Callback {
        list: name.clone(),
        kind: CallbackKind::Overflown,
        call: Some(call.conn),
        queue: Some(queue.to_string()),
        target_number: call.dnis.clone(),
        personal: None,
        by: None,
        details,
    };
    Some((id, CallbackFact::Created(Box::new(callback))))
}
