//! The attributes that a party of a call brings along: who it is, who is at the far end, which call it is.

use alloc::borrow::Cow;

use cordboard_core::call::LegState;
use cordboard_core::event::{CallResult, Direction, Role};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, ConnId, LegId};

use super::attributes::{Datum, Pairs, PartyFrame, PartyHead, pairs};
use super::enums::{CallState, CallType, DNRole};
use super::scene::Scene;

/// A leg together with its call.
#[derive(Clone, Copy)]
pub(super) struct Party<'w> {
    pub(super) call_id: CallId,
    pub(super) call: &'w Call,
    pub(super) id: LegId,
    pub(super) leg: &'w Leg,
}

/// Who is at the far end.
#[derive(Clone, Copy, Default)]
struct FarEnd<'w> {
    number: Option<&'w str>,
    queue: Option<&'w str>,
}

impl<'w> Party<'w> {
    /// A leg of the world, ended or not.
    pub(super) fn find(scene: &Scene<'w, '_>, call_id: CallId, id: LegId) -> Option<Self> {
        let call = scene.world.calls.get(&call_id)?;
        Some(Self { call_id, call, id, leg: call.legs.get(&id)? })
    }

    /// The same call with another leg.
    pub(super) fn other(self, (id, leg): (LegId, &'w Leg)) -> Self {
        Self { id, leg, ..self }
    }

    /// Everything known of the party, with `CallState` `Ok`.
    pub(super) fn frame(self, scene: &Scene<'w, '_>) -> PartyFrame<'w> {
        let far = self.far_end();
        let role = role(self.leg.role);
        let mut frame = head(scene, self.call_id, self.call, number(self.leg), role);
        // Who calls is no agent of a queue, even where the call is about one that came from there. A queue that calls is
        // told of as itself.
        let itself = scene.is_queue(&self.leg.device).then_some(self.leg.device.as_str());
        let from_queue = itself.or(self.leg.queue.as_deref().filter(|_| is_called(self.leg)));
        frame.ThisQueue = from_queue.map(Cow::Borrowed);
        frame.OtherDN = far.number.map(Cow::Borrowed);
        frame.OtherDNRole = far.number.map(|_| opposite(role));
        frame.OtherQueue = far.queue.map(Cow::Borrowed);
        frame.AgentID = scene.world.agent_on(&self.leg.device).map(Cow::Borrowed);
        frame
    }

    /// Legs at the far end: they have not ended, and speak or call while this one speaks.
    pub(super) fn far_legs(self) -> impl Iterator<Item = (LegId, &'w Leg)> {
        let Self { call, id, .. } = self;
        let absent = |state| matches!(state, LegState::Ringing | LegState::Bridged);
        call.living().filter(move |(other, leg)| *other != id && !absent(leg.state))
    }

    /// How many parties are at the far end, unseen ones not counted.
    pub(super) fn far_count(self) -> usize {
        self.far_legs().count()
    }

    /// One party at the far end is named; of several, none is (the published rule for parties of many).
    fn far_end(self) -> FarEnd<'w> {
        let mut far = self.far_legs();
        let mut end = match (far.next(), far.next()) {
            (Some((_, one)), None) => FarEnd { number: some(number(one)), queue: one.queue.as_deref() },
            (Some(_), Some(_)) => FarEnd::default(),
            (None, _) => {
                FarEnd { number: self.observer().or_else(|| self.expected()).or_else(|| self.gone()), queue: None }
            }
        };
        // A call that the switch set up for a party may have that party's number at both ends.
        end.number = end.number.filter(|far| *far != number(self.leg));
        end
    }

    /// The others left, and were told to have left; only a silent listener is there.
    fn observer(self) -> Option<&'w str> {
        let left =
            self.leg.answered.is_some() && self.call.hung_up_by.as_ref().is_some_and(|(who, ..)| *who != self.id);
        let mut observers = self.call.supervisors.keys().filter(|_| left);
        observers.next().filter(|_| observers.next().is_none()).map(String::as_str)
    }

    /// Nobody is there yet: where the call was handed to, or the number dialled by a party that calls or talks with the
    /// switch.
    fn expected(self) -> Option<&'w str> {
        if let Some(transfer) = &self.call.transfer {
            return some(&transfer.to);
        }
        let calls = self.leg.role == Role::Originator && self.call.answered_by.is_none();
        if calls { some(&self.call.dnis) } else { None }
    }

    /// Nobody is there any more: who hung up, else who answered or called.
    fn gone(self) -> Option<&'w str> {
        let hung_up =
            self.call.hung_up_by.as_ref().filter(|(who, ..)| *who != self.id).map(|(_, number, _)| number.as_str());
        hung_up.and_then(some).or_else(|| match self.leg.role {
            Role::Originator => self.call.answered_by.as_deref().and_then(some),
            Role::Destination => some(&self.call.ani),
        })
    }
}

/// What every event of a call says, told on `dn`; more is filled in by whoever knows it.
pub(super) fn head<'w>(
    scene: &Scene<'w, '_>,
    call_id: CallId,
    call: &'w Call,
    dn: &'w str,
    role: DNRole,
) -> PartyFrame<'w> {
    let previous = call.previous_conn.map(|conn| Cow::Owned(conn_id(conn, &call.switch)));
    let mut frame = PartyFrame::from(PartyHead {
        Server: scene.server(),
        ThisDN: Cow::Borrowed(dn),
        ThisDNRole: role,
        time: scene.time,
        CallThreadID: Cow::Owned(scene.thread(call.thread)),
        ConnID: Cow::Owned(conn_id(call.conn, &call.switch)),
        CallID: call_id.0,
        CallType: if previous.is_some() { CallType::Consult } else { call_type(call.direction) },
        CallState: CallState::Ok,
    });
    frame.PreviousConnID = previous;
    if call.direction == Direction::Inbound {
        frame.ANI = some(&call.ani).map(Cow::Borrowed);
    }
    frame.DNIS = some(&call.dnis).map(Cow::Borrowed);
    let mut extensions = Pairs::new();
    if let Some(key) = call.keys.first() {
        extensions.insert(Cow::Borrowed("SwitchCallID"), Datum::from(key.as_str()));
    }
    frame.Extensions = scene.extensions(extensions);
    if !call.user_data.is_empty() {
        frame.UserData = Some(pairs(&call.user_data));
    }
    let class = call.result.and_then(|result| match result {
        CallResult::Person => None,
        CallResult::AnsweringMachine => Some("AM"),
        CallResult::Fax => Some("FAX"),
    });
    if let Some(class) = class {
        frame.UserData.get_or_insert_default().entry(Cow::Borrowed("AnswerClass")).or_insert(Datum::from(class));
    }
    frame.ReferenceID = scene.reference;
    frame
}

/// Whether a party is called and does not call. The agent of a predictive call is called although the call is made on
/// the agent's side; a telephone that rings before its own call is dialled calls.
pub(super) fn is_called(leg: &Leg) -> bool {
    match leg.role {
        Role::Destination => true,
        Role::Originator => leg.rang.is_some() && leg.queue.is_some(),
    }
}

/// A call's name: 16 hexadecimal digits, `@`, the switch.
pub(super) fn conn_id(conn: ConnId, switch: &str) -> String {
    format!("{conn}@{switch}")
}

/// The number events are told on, or that stands for a party in the events of others.
pub(super) fn number(leg: &Leg) -> &str {
    if leg.outside { &leg.number } else { &leg.device }
}

pub(super) fn call_type(direction: Direction) -> CallType {
    match direction {
        Direction::Inbound => CallType::Inbound,
        Direction::Outbound => CallType::Outbound,
        Direction::Internal => CallType::Internal,
    }
}

pub(super) fn role(role: Role) -> DNRole {
    match role {
        Role::Originator => DNRole::Origination,
        Role::Destination => DNRole::Destination,
    }
}

/// The role of the far end. After a transfer both parties may have been called; each sees the other as its opposite.
pub(super) fn opposite(role: DNRole) -> DNRole {
    if role == DNRole::Origination { DNRole::Destination } else { DNRole::Origination }
}

/// A number, if there is one.
pub(super) fn some(number: &str) -> Option<&str> {
    Some(number).filter(|number| !number.is_empty())
}
