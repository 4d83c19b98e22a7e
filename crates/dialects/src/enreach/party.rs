//! A leg of a person of ours, and what every event about it says.

use alloc::borrow::Cow;

use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, DeviceKind, Role, With};
use cordboard_core::world::{Call, Leg};
use cordboard_core::{CallId, Guid, LegId, World};

use super::person;
use super::scene::Scene;
use super::values::Text;

/// A leg together with its call and the person whose it is.
#[derive(Clone, Copy)]
pub(super) struct Party<'w> {
    pub(super) call_id: CallId,
    pub(super) call: &'w Call,
    pub(super) id: LegId,
    pub(super) leg: &'w Leg,
    /// Whose telephone it was when the leg began.
    pub(super) user: &'w str,
}

/// What nearly every event about a call says.
pub(super) struct Frame<'w> {
    pub(super) call: Guid,
    pub(super) leg: Text<'w>,
    pub(super) user: Guid,
    pub(super) organisation: Guid,
    pub(super) login: Text<'w>,
    pub(super) caller: Text<'w>,
    pub(super) target: Text<'w>,
}

impl<'w> Party<'w> {
    /// A leg of the world, ended or not; none where it is of no person of ours.
    pub(super) fn find(world: &'w World, call_id: CallId, id: LegId) -> Option<Self> {
        let call = world.calls.get(&call_id)?;
        Self::of(world, call_id, call, id, call.legs.get(&id)?)
    }

    pub(super) fn of(world: &'w World, call_id: CallId, call: &'w Call, id: LegId, leg: &'w Leg) -> Option<Self> {
        let is_telephone =
            |leg: &&Leg| world.devices.get(&leg.device).is_some_and(|device| device.kind == DeviceKind::Extension);
        let leg = Some(leg).filter(|leg| !leg.outside).filter(is_telephone)?;
        let user = if leg.user.is_empty() { world.user_of(&leg.device) } else { &leg.user };
        Some(Self { call_id, call, id, leg, user })
    }

    /// The living leg at a telephone in a call.
    pub(super) fn at(world: &'w World, call_id: CallId, device: &str) -> Option<Self> {
        let call = world.calls.get(&call_id)?;
        let (id, leg) = world.leg_of(call, device)?;
        Self::of(world, call_id, call, id, leg)
    }

    /// The legs of people of ours that have not ended.
    pub(super) fn living(world: &'w World, call_id: CallId, call: &'w Call) -> impl Iterator<Item = Self> {
        call.living().filter_map(move |(id, leg)| Self::of(world, call_id, call, id, leg))
    }

    /// Whether the call was offered to the person; else the person made it. Who is called by a queue on its own account
    /// was offered a call, although the call is made on that side.
    pub(super) fn is_offered(self) -> bool {
        match self.leg.role {
            Role::Destination => true,
            Role::Originator => self.leg.rang.is_some() && self.leg.queue.is_some(),
        }
    }

    /// Whether the person was told to be connected. Who calls is not, by a switch that picks up.
    pub(super) fn is_connected(self) -> bool {
        self.leg.answered.is_some() && (self.leg.role == Role::Destination || connects(self.leg.with))
    }

    /// Whether the call came to the person by no queue.
    pub(super) fn is_direct(self) -> bool {
        self.leg.queue.is_none()
    }

    pub(super) fn frame(self, scene: &Scene<'w, '_>) -> Frame<'w> {
        let mut frame = of_user(scene, self.call, self.user);
        frame.leg = leg_id(self.id);
        frame
    }
}

/// What an event about a call says to somebody who is not in it, or not any more.
pub(super) fn of_user<'w>(scene: &Scene<'w, '_>, call: &'w Call, user: &'w str) -> Frame<'w> {
    Frame {
        call: scene.call(call.conn),
        leg: Cow::Borrowed(""),
        user: scene.user(user),
        organisation: scene.organisation(),
        login: person::login(scene.world, user),
        caller: Cow::Borrowed(&call.ani),
        target: Cow::Borrowed(&call.dnis),
    }
}

/// Whether being connected so means that somebody is there.
pub(super) fn connects(with: Option<With>) -> bool {
    match with {
        Some(With::Person | With::Conference) => true,
        Some(With::System) | None => false,
    }
}

/// The name of a leg.
pub(super) fn leg_id<'a>(leg: LegId) -> Text<'a> {
    Cow::Owned(leg.0.to_string())
}

/// Whether a party talks, or has put the others on hold.
pub(super) fn talks(leg: &Leg) -> bool {
    match leg.state {
        LegState::Connected | LegState::Held => true,
        LegState::New
        | LegState::Dialing
        | LegState::Ringing
        | LegState::Parked
        | LegState::Bridged
        | LegState::Ended => false,
    }
}

/// Why a leg ended, in the words of the telephone network: the switch's own code where it gave one, as in the header
/// `Reason` of SIP.
pub(super) fn tech_reason<'a>(cause: Cause, code: Option<u16>) -> Text<'a> {
    match code {
        Some(code) => Cow::Owned(format!("Q.850;cause={code}")),
        None => Cow::Borrowed(word(cause)),
    }
}

/// Why a leg ended, in a word.
pub(super) fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Normal => "Normal",
        Cause::Busy => "Busy",
        Cause::NoAnswer => "NoAnswer",
        Cause::Rejected => "Declined",
        Cause::AnsweredElsewhere => "AnsweredElsewhere",
        Cause::Cancelled => "Cancelled",
        Cause::Unallocated => "UnallocatedNumber",
        Cause::Congestion => "Congestion",
        Cause::Unreachable => "Unreachable",
        Cause::Vacant => "VacantNumber",
        Cause::Intercepted => "Intercepted",
        Cause::NoCircuit => "NoCircuit",
        Cause::Reorder => "Reorder",
        Cause::Tone => "Tone",
        Cause::UnknownTone => "UnknownTone",
        Cause::SwitchFailure => "SwitchFailure",
        Cause::QueueFull => "QueueFull",
        Cause::Dropped => "Dropped",
        Cause::Transferred => "Transferred",
        Cause::Merged => "Merged",
        Cause::Redirected => "Redirected",
        Cause::Queued => "Queued",
        Cause::OutOfService => "OutOfService",
        Cause::Lost => "Lost",
        Cause::Other => "Other",
    }
}
