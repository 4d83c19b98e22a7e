//! Parking places: a party waits there until somebody fetches it, or its time is up.

use cordboard_core::Order;
use cordboard_core::call::LegState;
use cordboard_core::event::{Cause, Role};
use cordboard_core::observation::LegSeen;
use cordboard_core::request::{AskKind, Refusal};

use super::calls::LegNo;
use super::ending::End;
use super::reach::Via;
use super::timers::Timer;
use super::{Boxed, Refused, refuse};

/// Who waits on a parking place.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) leg: LegNo,
    /// Who parked it.
    by: String,
    number: u64,
}

impl Boxed {
    /// Puts the far side on a parking place; who does so leaves the call.
    pub(super) fn park(&mut self, order: &Order, space: Option<&str>) -> Result<(), Refused> {
        let own = self.own_leg(order, AskKind::Talk)?;
        let call = self.ordered_call(order)?;
        let others: Vec<LegNo> = self.legs_of(call).into_iter().filter(|no| *no != own).collect();
        let far = match others.as_slice() {
            [far] if self.legs.get(far).is_some_and(|leg| leg.is_established()) => *far,
            _ => return refuse(Refusal::WrongState, "only a call of two that talk can be parked"),
        };
        let space = match space {
            Some(space) if self.parked.contains_key(space) => {
                return refuse(Refusal::Busy, format!("somebody waits on the parking place {space}; choose another"));
            }
            Some(space) => space.to_string(),
            None => self.free_space(),
        };
        let number = self.next();
        self.parked.insert(space.clone(), Parked { leg: far, by: order.device.clone(), number });
        if let Some(leg) = self.legs.get_mut(&far) {
            leg.state = LegState::Parked;
        }
        self.say_leg(far, LegSeen::Park { space: space.clone(), by: order.device.clone() });
        self.end_leg(own, End::own(Cause::Normal));
        self.settle(call, Cause::Normal);
        self.set_timer(self.options.park_ms, Timer::Park(space, number));
        Ok(())
    }

    /// Fetches who waits on a parking place.
    pub(super) fn unpark(&mut self, device: &str, space: &str) -> Result<(), Refused> {
        self.can_call(device)?;
        let Some(leg) = self.parked.get(space).map(|parked| parked.leg) else {
            return refuse(Refusal::NoSuchCall, format!("nobody waits on the parking place {space:?}"));
        };
        let Some(call) = self.call_of(leg) else { return Ok(()) };
        if self.leg_at(call, device).is_some() {
            return refuse(Refusal::WrongState, format!("{device} takes part in the call already"));
        }
        self.parked.remove(space);
        let own = self.add_leg(call, device, Role::Destination, LegState::Ringing, Via::default());
        self.answer(own);
        self.fetch(leg, Some(device.to_string()));
        Ok(())
    }

    /// A parked call comes back to who parked it.
    pub(super) fn parked_too_long(&mut self, space: &str, number: u64) {
        let Some(parked) = self.parked.get(space).filter(|parked| parked.number == number) else { return };
        let (leg, by) = (parked.leg, parked.by.clone());
        let Some(call) = self.call_of(leg) else { return };
        self.parked.remove(space);
        self.fetch(leg, None);
        self.send(call, &by, Via::default());
    }

    fn fetch(&mut self, leg: LegNo, by: Option<String>) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.state = LegState::Connected;
        }
        self.say_leg(leg, LegSeen::Unpark { by });
    }

    /// The lowest free place, counted from 1.
    fn free_space(&self) -> String {
        let free = (1u64..).map(|number| number.to_string()).find(|space| !self.parked.contains_key(space));
        free.unwrap_or_default()
    }
}
