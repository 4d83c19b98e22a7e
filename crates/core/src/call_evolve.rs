//! Calls and legs, folded.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

use crate::call::{LegState, Said, evolve_leg};
use crate::directory_evolve;
use crate::event::{CallBegan, CallFact, Cause, Datum, DequeueReason, LegFact, Party, Role, With};
use crate::ids::{CallId, LegId, ThreadId, Time};
use crate::world::{Call, Device, Leg, Routing, World};

pub(crate) fn call(world: &mut World, id: CallId, happened: Time, fact: &CallFact) {
    if let CallFact::Began(began) = fact {
        return begin(world, id, happened, began);
    }
    let Some(call) = world.calls.get_mut(&id) else { return };
    match fact {
        CallFact::Began(_) => {}
        CallFact::Described { ani, dnis, direction } => {
            call.ani.clone_from(ani);
            call.dnis.clone_from(dnis);
            call.direction = *direction;
        }
        CallFact::AlsoKnownAs { key } => {
            call.keys.push(key.clone());
            if let Some(switch) = world.switches.get_mut(&call.switch) {
                switch.calls.insert(key.clone(), id);
            }
        }
        CallFact::UserDataSet { key, value } => {
            call.user_data.insert(key.clone(), Datum::Text(value.clone()));
        }
        CallFact::UserDataChanged { set, removed, .. } => {
            removed.iter().for_each(|key| _ = call.user_data.remove(key));
            call.user_data.extend(set.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        CallFact::RouteRequested { at } => {
            call.arrived = true;
            call.routing.insert(at.clone(), Routing { since: happened, treatment: None });
        }
        CallFact::Routed { at, .. } => _ = call.routing.remove(at),
        CallFact::TreatmentApplied { at, kind, parameters } => {
            if let Some(routing) = call.routing.get_mut(at) {
                routing.treatment = Some((*kind, parameters.clone()));
            }
        }
        CallFact::TreatmentEnded { at, digits, .. } => {
            if let Some(routing) = call.routing.get_mut(at) {
                routing.treatment = None;
            }
            if digits.is_some() {
                call.digits.clone_from(digits);
            }
        }
        CallFact::TreatmentRefused { .. } => {}
        CallFact::TargetRefused { cause, .. } => (call.arrived, call.last_refusal) = (true, Some(*cause)),
        CallFact::Detected { result } => call.result = Some(*result),
        CallFact::IvrEntered { flow } => call.ivr = Some(flow.clone()),
        CallFact::IvrLeft => call.ivr = None,
        CallFact::Queued { queue, .. } => {
            call.queued.insert(queue.clone(), happened);
            (call.arrived, call.waited) = (true, true);
            if let Some(queue) = world.queues.get_mut(queue) {
                queue.waiting.insert(id, happened);
            }
        }
        CallFact::QueueTaken { queue, from } => take_place(world, id, queue, *from, happened),
        CallFact::Dequeued { queue, reason, .. } => {
            call.queued.remove(queue);
            call.gave_up_waiting = *reason == DequeueReason::Abandoned;
            if let Some(queue) = world.queues.get_mut(queue) {
                queue.waiting.remove(&id);
            }
        }
        CallFact::Transferred(transfer) => {
            call.transfer = Some(transfer.clone());
            call.conferenced_by = None;
        }
        CallFact::TransferCompleted { .. } => call.transfer = None,
        CallFact::Conferenced { room, by, to } => {
            call.conference = Some(room.clone().unwrap_or_default());
            call.conferenced_by = by.clone().zip(to.clone());
            if room.is_some() && call.answered.is_none_or(|with| with == With::System) {
                call.answered = Some(With::Conference);
            }
        }
        CallFact::ThreadJoined { with } => {
            let (here, with) = (call.story, *with);
            join_stories(world, here, with);
        }
        CallFact::RecordingStarted { .. }
        | CallFact::RecordingPaused
        | CallFact::RecordingResumed
        | CallFact::RecordingStopped => {}
        CallFact::SupervisionBegan { by, mode } => {
            call.supervisors.insert(by.clone(), *mode);
            if let Some(device) = world.devices.get_mut(by) {
                device.supervising = Some(id);
            }
        }
        CallFact::SupervisionChanged { by, mode } => {
            call.supervisors.insert(by.clone(), *mode);
        }
        CallFact::SupervisionEnded { by } => {
            call.supervisors.remove(by);
            release_supervisor(world, id, by);
        }
        CallFact::Ended { .. } => {
            call.ended = true;
            for by in core::mem::take(&mut call.supervisors).into_keys() {
                release_supervisor(world, id, &by);
            }
            let Some(call) = world.calls.get(&id) else { return };
            world.directory.list_calls.remove(&call.conn);
            if let Some(switch) = world.switches.get_mut(&call.switch) {
                for key in &call.keys {
                    if switch.calls.get(key) == Some(&id) {
                        switch.calls.remove(key);
                    }
                }
            }
            world.fading.push((id, None));
        }
    }
}

/// The place of one call in a queue, or at a route point, is another one's from now on.
fn take_place(world: &mut World, id: CallId, at: &str, from: CallId, happened: Time) {
    let Some(consult) = world.calls.get_mut(&from) else { return };
    let (queued, routing) = (consult.queued.remove(at), consult.routing.remove(at));
    let Some(call) = world.calls.get_mut(&id) else { return };
    if let Some(routing) = routing {
        call.routing.insert(String::from(at), routing);
    }
    if queued.is_some() {
        call.queued.insert(String::from(at), happened);
        call.waited = true;
        if let Some(queue) = world.queues.get_mut(at) {
            queue.waiting.remove(&from);
            queue.waiting.insert(id, happened);
        }
    }
}

fn release_supervisor(world: &mut World, call: CallId, by: &str) {
    if let Some(device) = world.devices.get_mut(by).filter(|device| device.supervising == Some(call)) {
        device.supervising = None;
    }
}

/// The older thread tells the story on, for every call of the younger one.
fn join_stories(world: &mut World, one: ThreadId, other: ThreadId) {
    let (older, younger) = (one.min(other), one.max(other));
    for call in world.calls.values_mut().filter(|call| call.story == younger) {
        call.story = older;
    }
}

fn begin(world: &mut World, id: CallId, happened: Time, began: &CallBegan) {
    world.last_call = world.last_call.max(id.0);
    let previous_story = began.previous.and_then(|previous| world.calls.get(&previous)).map(|previous| previous.story);
    let previous_conn = began.previous.and_then(|previous| world.calls.get(&previous)).map(|previous| previous.conn);
    let call = Call {
        conn: began.conn,
        thread: began.thread,
        story: previous_story.unwrap_or(began.thread),
        switch: began.switch.clone(),
        keys: alloc::vec![began.key.clone()],
        began: happened,
        direction: began.direction,
        ani: began.ani.clone(),
        ani_name: began.ani_name.clone(),
        dnis: began.dnis.clone(),
        previous: began.previous,
        previous_conn,
        user_data: BTreeMap::new(),
        legs: BTreeMap::new(),
        queued: BTreeMap::new(),
        routing: BTreeMap::new(),
        result: None,
        digits: None,
        ivr: None,
        conference: None,
        transfer: None,
        conferenced_by: None,
        answered_by: None,
        answered: None,
        supervisors: BTreeMap::new(),
        last_refusal: None,
        hung_up_by: None,
        caller_outside: false,
        arrived: false,
        waited: false,
        gave_up_waiting: false,
        caller_end: None,
        ended: false,
    };
    crate::evolve::switch_of(world, &began.switch).calls.insert(began.key.clone(), id);
    world.calls.insert(id, call);
}

pub(crate) fn leg(world: &mut World, call: CallId, id: LegId, happened: Time, fact: &LegFact) {
    match fact {
        LegFact::Dialing(party) => arrive(world, call, id, happened, party, Said::Dialing),
        LegFact::Ringing(party) => arrive(world, call, id, happened, party, Said::Ringing),
        LegFact::Answered { with, party } => answered(world, call, id, happened, *with, party.as_ref()),
        LegFact::NetworkReached => step(world, call, id, Said::NetworkReached, |_| {}),
        LegFact::Held => step(world, call, id, Said::Held, |_| {}),
        LegFact::Retrieved => step(world, call, id, Said::Retrieved, |_| {}),
        LegFact::Parked { space, by } => {
            step(world, call, id, Said::Parked, |leg| {
                (leg.parked, leg.parked_by) = (Some(space.clone()), Some(by.clone()));
            });
            if let Some(device) = world.devices.get_mut(by) {
                device.parked.insert((call, id));
            }
            // Whoever parks a call has answered it, also where that was before our time.
            if let Some(call) =
                world.calls.get_mut(&call).filter(|call| call.answered.is_none_or(|with| with == With::System))
            {
                note_answer(call, Role::Destination, With::Person, by.clone());
            }
        }
        LegFact::Unparked { .. } => {
            leave_place(world, call, id);
            step(world, call, id, Said::Unparked, |leg| (leg.parked, leg.parked_by) = (None, None));
        }
        LegFact::Deafened { .. } => touch(world, call, id, |leg| leg.deaf = true),
        LegFact::Undeafened { .. } => touch(world, call, id, |leg| leg.deaf = false),
        LegFact::Bridged => {
            step(world, call, id, Said::Bridged, |leg| leg.bridged = true);
            look_again(world, call, id, happened);
        }
        LegFact::Muted => touch(world, call, id, |leg| leg.muted = true),
        LegFact::Unmuted => touch(world, call, id, |leg| leg.muted = false),
        LegFact::Moved { to } => moved(world, call, id, *to),
        LegFact::Ended { cause, by_self, .. } => ended(world, call, id, happened, *cause, *by_self),
    }
}

/// A leg that is new, or known and takes a new part.
fn arrive(world: &mut World, call_id: CallId, id: LegId, happened: Time, party: &Party, said: Said) {
    world.last_leg = world.last_leg.max(id.0);
    let user = if party.outside { String::new() } else { world.user_of(&party.device).to_string() };
    let Some(call) = world.calls.get_mut(&call_id) else { return };
    if let Some(leg) = call.legs.get_mut(&id) {
        leg.state = evolve_leg(said).unwrap_or(leg.state);
        if said == Said::Ringing {
            leg.rang.get_or_insert(happened);
        }
        return;
    }
    let leg = Leg {
        key: party.key.clone(),
        device: party.device.clone(),
        number: party.number.clone(),
        outside: party.outside,
        role: party.role,
        queue: party.queue.clone(),
        state: evolve_leg(said).unwrap_or(LegState::New),
        with: None,
        muted: false,
        deaf: false,
        by: party.by.clone(),
        user,
        parked: None,
        parked_by: None,
        bridged: false,
        since: happened,
        rang: (said == Said::Ringing).then_some(happened),
        answered: None,
        came_from: None,
    };
    call.caller_outside |= party.outside && party.role == Role::Originator;
    call.arrived |= party.role == Role::Destination;
    call.legs.insert(id, leg);
    let switch = call.switch.clone();
    if !party.outside
        && let Some(device) = world.devices.get_mut(&party.device)
    {
        device.legs.insert((call_id, id));
        use_changed(device, true, happened);
    }
    if let Some(queue) = party.queue.as_ref().and_then(|queue| world.queues.get_mut(queue)) {
        queue.offers.insert((call_id, id));
    }
    crate::evolve::switch_of(world, &switch).legs.insert(party.key.clone(), (call_id, id));
}

fn answered(world: &mut World, call_id: CallId, id: LegId, happened: Time, with: With, party: Option<&Party>) {
    if let Some(party) = party {
        arrive(world, call_id, id, happened, party, Said::Answered);
    }
    let Some(call) = world.calls.get_mut(&call_id) else { return };
    let Some(leg) = call.legs.get_mut(&id) else { return };
    leg.state = evolve_leg(Said::Answered).unwrap_or(leg.state);
    leg.with = Some(with);
    let was_bridged = core::mem::take(&mut leg.bridged);
    leg.answered.get_or_insert(happened);
    let (role, number) = (leg.role, leg.number.clone());
    note_answer(call, role, with, number);
    if was_bridged {
        look_again(world, call_id, id, happened);
    }
}

/// Who answered the call: the first person called, else the room, else (between our own telephones) the switch.
fn note_answer(call: &mut Call, role: Role, with: With, number: String) {
    match with {
        With::Person if role == Role::Destination => {
            if call.answered != Some(With::Person) || call.answered_by.is_none() {
                call.answered = Some(With::Person);
            }
            call.answered_by = Some(number);
        }
        With::Conference => {
            call.answered = Some(call.answered.filter(|was| *was == With::Person).unwrap_or(With::Conference));
        }
        With::System => {
            call.answered.get_or_insert(With::System);
        }
        With::Person => {}
    }
}

fn step(world: &mut World, call: CallId, id: LegId, said: Said, more: impl FnOnce(&mut Leg)) {
    touch(world, call, id, |leg| {
        leg.state = evolve_leg(said).unwrap_or(leg.state);
        more(leg);
    });
}

fn touch(world: &mut World, call: CallId, id: LegId, change: impl FnOnce(&mut Leg)) {
    if let Some(leg) = world.calls.get_mut(&call).and_then(|call| call.legs.get_mut(&id)) {
        change(leg);
    }
}

/// The leg goes on in the other call. In the one it left, a copy that has ended stays until the next event.
fn moved(world: &mut World, from: CallId, id: LegId, to: CallId) {
    leave_place(world, from, id);
    let Some(call) = world.calls.get_mut(&from) else { return };
    let Some(left) = call.legs.get_mut(&id) else { return };
    let mut leg = left.clone();
    left.state = LegState::Ended;
    let switch = call.switch.clone();
    world.fading.push((from, Some(id)));
    leg.role = Role::Destination;
    leg.came_from = Some(from);
    if !leg.outside
        && let Some(device) = world.devices.get_mut(&leg.device)
    {
        device.legs.remove(&(from, id));
        device.legs.insert((to, id));
    }
    if let Some(by) = leg.parked_by.as_ref().and_then(|by| world.devices.get_mut(by)) {
        by.parked.insert((to, id));
    }
    if let Some(queue) = leg.queue.as_ref().and_then(|queue| world.queues.get_mut(queue))
        && queue.offers.remove(&(from, id))
    {
        queue.offers.insert((to, id));
    }
    if let Some(switch) = world.switches.get_mut(&switch) {
        switch.legs.insert(leg.key.clone(), (to, id));
    }
    if let Some(call) = world.calls.get_mut(&to) {
        if leg.state == LegState::Connected {
            note_answer(call, Role::Destination, With::Person, leg.number.to_string());
        }
        call.legs.insert(id, leg);
    }
}

fn ended(world: &mut World, call_id: CallId, id: LegId, happened: Time, cause: Cause, by_self: bool) {
    leave_place(world, call_id, id);
    let Some(call) = world.calls.get_mut(&call_id) else { return };
    let Some(leg) = call.legs.get_mut(&id) else { return };
    leg.state = evolve_leg(Said::Ended).unwrap_or(leg.state);
    // A target that refuses is no party that hangs up; see `last_refusal`.
    if by_self && (leg.role == Role::Originator || leg.answered.is_some()) {
        call.hung_up_by = Some((id, leg.number.clone(), leg.role));
    }
    match leg.role {
        Role::Originator => call.caller_end = Some(cause),
        Role::Destination if leg.answered.is_none() && leg.queue.is_none() && cause != Cause::AnsweredElsewhere => {
            call.last_refusal = Some(cause)
        }
        Role::Destination => {}
    }
    if !leg.outside
        && let Some(device) = world.devices.get_mut(&leg.device)
    {
        device.legs.remove(&(call_id, id));
        if device.legs.is_empty() {
            use_changed(device, false, happened);
        }
    }
    if let Some(queue) = leg.queue.as_ref().and_then(|queue| world.queues.get_mut(queue)) {
        queue.offers.remove(&(call_id, id));
    }
    if let Some(switch) = world.switches.get_mut(&call.switch)
        && switch.legs.get(&leg.key) == Some(&(call_id, id))
    {
        switch.legs.remove(&leg.key);
    }
    world.fading.push((call_id, Some(id)));
    look_again(world, call_id, id, happened);
    if !world.directory.users.is_empty() {
        work_after(world, call_id, id);
    }
}

/// A leg ended: after-call work that was asked for begins, where it was the last of its device.
fn work_after(world: &mut World, call: CallId, id: LegId) {
    let leg = world.calls.get(&call).and_then(|call| call.legs.get(&id)).filter(|leg| !leg.outside);
    let Some(leg) = leg.filter(|leg| leg.answered.is_some()) else { return };
    let user = world.user_of(&leg.device);
    if world.wish_of(user).is_some() && world.begins_wrapup(user) && !world.talks(user) {
        let (user, after) = (user.to_string(), (call, leg.queue.clone()));
        directory_evolve::wish_is_due(world, &user, Some(after), world.now);
    }
}

/// A telephone is in a call from now on, or in none.
fn use_changed(device: &mut Device, in_call: bool, happened: Time) {
    if device.in_call != in_call {
        (device.in_call, device.calls_changed) = (in_call, Some(happened));
    }
}

/// Whether a telephone is in a call may have changed with one of its several legs.
fn look_again(world: &mut World, call: CallId, id: LegId, happened: Time) {
    let leg = world.calls.get(&call).and_then(|call| call.legs.get(&id)).filter(|leg| !leg.outside);
    let Some(device) = leg.and_then(|leg| world.devices.get(&leg.device)).filter(|it| !it.legs.is_empty()) else {
        return;
    };
    let in_call = world.is_in_call(device);
    if let Some(name) = leg.filter(|_| device.in_call != in_call).map(|leg| leg.device.clone())
        && let Some(device) = world.devices.get_mut(&name)
    {
        use_changed(device, in_call, happened);
    }
}

/// A leg waits on no parking place any more.
fn leave_place(world: &mut World, call: CallId, id: LegId) {
    let leg = world.calls.get(&call).and_then(|call| call.legs.get(&id));
    if let Some(by) = leg.and_then(|leg| leg.parked_by.as_ref()).and_then(|by| world.devices.get_mut(by)) {
        by.parked.remove(&(call, id));
    }
}
