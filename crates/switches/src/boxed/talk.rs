//! What a party does in its own calls: answering, holding, changing between calls, sending on what rings.

use cordboard_core::Order;
use cordboard_core::call::LegState;
use cordboard_core::event::Cause;
use cordboard_core::observation::{CallSeen, LegSeen};
use cordboard_core::request::{AskKind, Refusal};

use super::calls::LegNo;
use super::ending::End;
use super::reach::Via;
use super::{Boxed, Refused, refuse};

impl Boxed {
    pub(super) fn answer_call(&mut self, order: &Order) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Answer)?;
        self.answer(leg);
        Ok(())
    }

    pub(super) fn hold_call(&mut self, order: &Order) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Hold)?;
        self.hold(leg);
        Ok(())
    }

    pub(super) fn retrieve_call(&mut self, order: &Order) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Retrieve)?;
        self.retrieve(leg);
        Ok(())
    }

    pub(super) fn alternate(&mut self, order: &Order) -> Result<(), Refused> {
        let (current, held) = (self.own_leg(order, AskKind::Hold)?, self.held_leg(order)?);
        self.hold(current);
        self.retrieve(held);
        Ok(())
    }

    pub(super) fn reconnect(&mut self, order: &Order) -> Result<(), Refused> {
        let (current, held) = (self.own_leg(order, AskKind::Current)?, self.held_leg(order)?);
        self.hang_up(current);
        self.retrieve(held);
        Ok(())
    }

    /// Sends a call that rings here to somebody else.
    pub(super) fn redirect(&mut self, order: &Order, to: &str) -> Result<(), Refused> {
        let leg = self.own_leg(order, AskKind::Redirect)?;
        let Some(ringing) = self.legs.get(&leg) else { return Ok(()) };
        let (call, queue) = (ringing.call, ringing.queue.clone());
        self.can_reach(call, to)?;
        self.end_leg(leg, End::own(Cause::Redirected));
        self.send(call, to, Via { by: Some(order.device.clone()), queue, ..Via::default() });
        Ok(())
    }

    /// Takes a call that rings elsewhere.
    pub(super) fn pick_up(&mut self, device: &str, target: &str) -> Result<(), Refused> {
        self.can_call(device)?;
        let ringing = self.phones.get(target).and_then(|phone| {
            let rings = |no: &&LegNo| self.legs.get(no).is_some_and(|leg| leg.state == LegState::Ringing);
            phone.legs.iter().find(rings).copied()
        });
        let Some(leg) = ringing.filter(|_| device != target) else {
            return refuse(Refusal::NotRinging, format!("no call rings at {target} that {device} could take"));
        };
        let Some(found) = self.legs.get(&leg) else { return Ok(()) };
        let (call, role, queue) = (found.call, found.role, found.queue.clone());
        let (set, shared) = (found.set, found.shared);
        if self.leg_at(call, device).is_some() {
            return refuse(Refusal::WrongState, format!("{device} takes part in the call already"));
        }
        let via = Via { by: Some(target.to_string()), queue, set, shared, ..Via::default() };
        let taken = self.add_leg(call, device, role, LegState::Ringing, via);
        self.answer(taken);
        self.end_leg(leg, End::of(Cause::AnsweredElsewhere));
        Ok(())
    }

    pub(super) fn hold(&mut self, no: LegNo) {
        if let Some(leg) = self.legs.get_mut(&no) {
            leg.state = LegState::Held;
            self.say_leg(no, LegSeen::Hold);
        }
    }

    pub(super) fn retrieve(&mut self, no: LegNo) {
        if let Some(leg) = self.legs.get_mut(&no) {
            leg.state = LegState::Connected;
            self.say_leg(no, LegSeen::Retrieve);
        }
    }

    pub(super) fn set_mute(&mut self, order: &Order, on: bool) -> Result<(), Refused> {
        if order.call.as_ref().is_some_and(|call| call.leg.is_none()) {
            let call = self.ordered_call(order)?;
            return self.mute_supervisor(&order.device, call, on);
        }
        let no = self.own_leg(order, AskKind::Talk)?;
        let Some(leg) = self.legs.get_mut(&no) else { return Ok(()) };
        if leg.muted == on {
            return refuse(Refusal::SameState, "the microphone is so already");
        }
        leg.muted = on;
        self.say_leg(no, LegSeen::Mute(on));
        Ok(())
    }

    pub(super) fn set_listening(&mut self, order: &Order, who: &str, on: bool) -> Result<(), Refused> {
        self.own_leg(order, AskKind::Talk)?;
        let call = self.ordered_call(order)?;
        let Some(no) = self.leg_at(call, who) else {
            return refuse(Refusal::NoSuchCall, format!("{who} takes no part in the call"));
        };
        let Some(leg) = self.legs.get_mut(&no).filter(|leg| leg.is_established()) else {
            return refuse(Refusal::WrongState, format!("{who} is not connected yet"));
        };
        if leg.deaf != on {
            return refuse(Refusal::SameState, format!("{who} is so already"));
        }
        leg.deaf = !on;
        self.say_leg(no, LegSeen::Deafen { on: !on, by: order.device.clone() });
        Ok(())
    }

    /// Tones are heard; nothing else comes of them.
    pub(super) fn send_tones(&mut self, order: &Order) -> Result<(), Refused> {
        self.own_leg(order, AskKind::Talk).map(|_| ())
    }

    pub(super) fn record(&mut self, order: &Order, on: bool, file: Option<&str>) -> Result<(), Refused> {
        let no = self.ordered_call(order)?;
        let name = file.map_or_else(|| format!("{}.wav", self.call_key(no)), str::to_string);
        let Some(call) = self.calls.get_mut(&no) else { return Ok(()) };
        if call.recording.is_some() == on {
            return refuse(Refusal::SameState, "the recording is so already");
        }
        call.recording = on.then(|| name.clone());
        self.say_call(no, if on { CallSeen::Record { file: name } } else { CallSeen::RecordStop });
        Ok(())
    }

    pub(super) fn set_variable(&mut self, order: &Order, name: &str, value: &str) -> Result<(), Refused> {
        let call = self.ordered_call(order)?;
        self.say_call(call, CallSeen::UserData { key: name.to_string(), value: value.to_string() });
        Ok(())
    }
}
