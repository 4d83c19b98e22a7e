//! What people and the network do: calls from outside, handsets, answers and failures.

use cordboard_core::call::LegState;
use cordboard_core::event::{CallResult, Cause, Direction, Pairs, Role};
use cordboard_core::observation::{CallSeen, LegSeen};

use super::calls::{Beginning, CallNo, LegNo};
use super::ending::End;
use super::reach::Via;
use super::{At, Boxed};

impl Boxed {
    pub(super) fn inbound(&mut self, from: &str, to: &str, ani: &str, dnis: &str) -> Result<CallNo, String> {
        if !self.phones.contains_key(to) && !self.numbers.contains_key(to) {
            return Err(format!("the site has no number {to:?}; an inbound call is for one that it has"));
        }
        if self.phones.contains_key(from) || self.is_queue(from) {
            return Err(format!("{from} is a number of the site; an inbound call comes from outside"));
        }
        self.has_room().map_err(|(_, why)| why)?;
        let call = self.begin(&Beginning { direction: Direction::Inbound, ani, dnis, previous: None });
        self.add_leg(call, from, Role::Originator, LegState::Dialing, Via::default());
        self.send(call, to, Via::default());
        Ok(call)
    }

    /// Somebody lifts a handset and dials. A number that does not exist is only found out then.
    pub(super) fn dial_by_hand(&mut self, device: &str, to: &str) -> Result<CallNo, String> {
        self.can_call(device).map_err(|(_, why)| why)?;
        Ok(self.call_out(device, to, None, &Pairs::new(), Via::default()))
    }

    pub(super) fn network_reached(&mut self, at: &At) -> Result<(), String> {
        let leg = self.leg_in(at, &[LegState::Ringing])?;
        self.say_leg(leg, LegSeen::Reach);
        Ok(())
    }

    pub(super) fn picked_up(&mut self, at: &At, by: CallResult) -> Result<(), String> {
        let leg = self.leg_in(at, &[LegState::Ringing, LegState::Bridged])?;
        let Some(call) = self.call_of(leg) else { return Ok(()) };
        if self.predictive_answered(call, leg, by) {
            return Ok(());
        }
        match by {
            CallResult::Person => {}
            CallResult::AnsweringMachine | CallResult::Fax => self.say_call(call, CallSeen::Detect(by)),
        }
        self.answer(leg);
        Ok(())
    }

    pub(super) fn hung_up(&mut self, at: &At) -> Result<(), String> {
        let every = [
            LegState::Dialing,
            LegState::Ringing,
            LegState::Connected,
            LegState::Held,
            LegState::Parked,
            LegState::Bridged,
        ];
        if let Some(call) = self.call_by_key(&at.call)
            && self.leg_at(call, &at.number).is_none()
            && self.stop_supervising(&at.number, call).is_ok()
        {
            return Ok(());
        }
        let leg = self.leg_in(at, &every)?;
        self.hang_up(leg);
        Ok(())
    }

    pub(super) fn network_failed(&mut self, at: &At, cause: Cause) -> Result<(), String> {
        let leg = self.leg_in(at, &[LegState::Ringing])?;
        if self.legs.get(&leg).is_none_or(|leg| !leg.outside) {
            return Err(format!("{} is no number outside; only those fail so", at.number));
        }
        let Some(call) = self.call_of(leg) else { return Ok(()) };
        if !self.predictive_fails(call, leg, cause) {
            self.end_leg(leg, End::of(cause));
            self.settle(call, cause);
        }
        Ok(())
    }

    /// A telephone fails: its calls end, and its agent takes none until it works again.
    pub(super) fn fails(&mut self, device: &str) -> Result<(), String> {
        let Some(phone) = self.phones.get_mut(device) else {
            return Err(format!("{device} is no telephone; only telephones fail"));
        };
        if std::mem::replace(&mut phone.settings.out_of_service, true) {
            return Err(format!("the telephone {device} is out of service already"));
        }
        let legs: Vec<LegNo> = phone.legs.iter().copied().collect();
        self.say_service(device, false);
        self.agent_loses_device(device);
        for no in legs {
            let Some(leg) = self.legs.get(&no) else { continue };
            let (call, offered) = (leg.call, leg.offered.is_some() && leg.state == LegState::Ringing);
            if offered {
                self.return_to_queue(no, End::of(Cause::OutOfService));
            } else {
                self.end_leg(no, End::of(Cause::OutOfService));
                self.settle(call, Cause::OutOfService);
            }
        }
        Ok(())
    }

    pub(super) fn works_again(&mut self, device: &str) -> Result<(), String> {
        let Some(phone) = self.phones.get_mut(device) else {
            return Err(format!("{device} is no telephone; only telephones fail"));
        };
        if !std::mem::replace(&mut phone.settings.out_of_service, false) {
            return Err(format!("the telephone {device} is not out of service"));
        }
        self.say_service(device, true);
        self.restless = true;
        Ok(())
    }

    /// A number's leg in a call, in one of these states.
    fn leg_in(&self, at: &At, states: &[LegState]) -> Result<LegNo, String> {
        let Some(call) = self.call_by_key(&at.call) else {
            return Err(format!("there is no call {}; it may have ended", at.call));
        };
        let Some(leg) = self.leg_at(call, &at.number) else {
            return Err(format!("{} takes no part in the call {}", at.number, at.call));
        };
        match self.legs.get(&leg) {
            Some(found) if states.contains(&found.state) => Ok(leg),
            Some(found) => {
                Err(format!("{} is {:?} in the call; right would be one of {states:?}", at.number, found.state))
            }
            None => Err(format!("{} takes no part in the call {}", at.number, at.call)),
        }
    }
}
