//! Calls handed on, joined, made a conference of, parked and fetched.

use cordboard_core::event::Pairs;
use cordboard_core::request::Refusal;

use super::{Desk, Ends, Plan, Refused, Then, calls::hang_up, cannot, text};
use crate::asterisk::actions::Action;
use crate::asterisk::effects::{Effect, OfCall, OfDevice, OfLeg};

impl Desk<'_> {
    pub(super) fn transfer(&self, to: &str, user_data: &Pairs) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let data = text::data(user_data)?;
        let mut actions = Vec::new();
        for other in self.picture.others(&own.uid) {
            for (name, value) in data.iter().filter(|(name, _)| text::is_variable(name)) {
                let set = Action::new("Setvar").header("Channel", &other);
                actions.push(set.header("Variable", name).header("Value", value));
            }
        }
        let action = Action::new("BlindTransfer").header("Channel", &own.uid);
        let action = action.header("Context", &self.settings.dial_context).header("Exten", text::number(to)?);
        actions.push(action);
        Ok(Plan {
            wanted: vec![Effect::Call(own.call.to_string(), OfCall::Transferred)],
            along: vec![Effect::Leg(own.leg.to_string(), OfLeg::Ended)],
            ends: Ends::Seen,
            data: Some((own.call.to_string(), data)),
            ..Plan::answered(actions)
        })
    }

    /// Asterisk's own attended transfer: the channel leaves its call for a second one, which the picture will call as
    /// the next leg of this channel.
    pub(super) fn consult(&self, to: &str, user_data: &Pairs) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let Some(channel) = self.picture.channels.get(&own.uid).filter(|channel| channel.legs.len() == 1) else {
            return Err((
                Refusal::WrongState,
                "there is a consultation already; complete it, or reconnect".to_string(),
            ));
        };
        let key = format!("{}~{}", own.uid, channel.legs_made);
        let action = Action::new("Atxfer").header("Channel", &own.uid);
        let action = action.header("Context", &self.settings.dial_context).header("Exten", text::number(to)?);
        Ok(Plan {
            wanted: vec![Effect::Call(key.clone(), OfCall::LegBegun)],
            along: vec![Effect::Leg(own.leg.to_string(), OfLeg::Held), Effect::Call(key.clone(), OfCall::Begun)],
            ends: Ends::OnlySeen,
            data: Some((key, text::data(user_data)?)),
            ..Plan::answered(vec![action])
        })
    }

    pub(super) fn join_as_transfer(&self) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let held = self.own(self.order.held.as_ref())?;
        let legs = [own.leg, held.leg].map(|leg| Effect::Leg(leg.to_string(), OfLeg::Ended));
        let wanted = vec![Effect::Call(held.call.to_string(), OfCall::Transferred)];
        if own.uid == held.uid {
            // Who hangs up while consulting completes the transfer, also while the target still rings.
            let along = legs.into();
            return Ok(Plan { along, ends: Ends::OnlySeen, ..Plan::seen(hang_up(&own.uid, "16"), wanted) });
        }
        let (first, second) = (self.other(&held)?, self.other(&own)?);
        if [&first, &second].into_iter().any(|uid| !self.picture.channels.get(uid).is_some_and(|it| it.up)) {
            let why = "the other side has not answered yet; wait for it, or hand the call on in one step";
            return Err((Refusal::CannotCompleteTransfer, why.to_string()));
        }
        let action = Action::new("Bridge").header("Channel1", first).header("Channel2", second).header("Tone", "no");
        let then = vec![Then::Transferred(held.uid, own.uid)];
        Ok(Plan { wanted, along: legs.into(), then, ends: Ends::Seen, ..Plan::answered(vec![action]) })
    }

    pub(super) fn join_as_conference(&self) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let held = self.own(self.order.held.as_ref())?;
        if own.uid == held.uid {
            let digits = text::tones(&self.settings.conference_code, self.settings.tones_max)?;
            let actions = digits.into_iter().map(|digit| press(&own.uid, digit)).collect();
            return Ok(Plan {
                one_by_one: true,
                wanted: vec![Effect::Call(held.call.to_string(), OfCall::Joined)],
                ends: Ends::OnlySeen,
                ..Plan::answered(actions)
            });
        }
        let (context, room) = self.room()?;
        let (first, second) = (self.other(&held)?, self.other(&own)?);
        let stay = into_room(&own.uid, Some(&second), context, &room);
        let come = into_room(&first, None, context, &room);
        let conferred = |call: &str| Effect::Call(call.to_string(), OfCall::Conferred);
        Ok(Plan {
            wanted: vec![conferred(own.call), conferred(held.call)],
            along: vec![Effect::Leg(held.leg.to_string(), OfLeg::Ended)],
            ends: Ends::Seen,
            ..Plan::answered(vec![stay, come])
        })
    }

    /// Somebody is called into the talk, which moves into a conference room first.
    pub(super) fn bring_in(&self, to: &str, user_data: &Pairs) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let mut actions = Vec::new();
        let mut wanted = Vec::new();
        let (context, mut room) = self.room()?;
        match self.picture.channels.get(&own.uid).and_then(|channel| channel.room.clone()) {
            Some(their_room) => room = their_room,
            None => {
                actions.push(into_room(&own.uid, Some(&self.other(&own)?), context, &room));
                wanted.push(Effect::Call(own.call.to_string(), OfCall::Conferred));
            }
        }
        let data = text::data(user_data)?;
        let channel = format!("Local/{}@{}/n", text::number(to)?, self.settings.dial_context);
        let action = self.originate(channel, self.settings.originate_ms);
        actions.push(Self::at(action, context, &room));
        wanted.push(Effect::Call(self.key.clone(), OfCall::LegBegun));
        let data = Some((own.call.to_string(), data));
        Ok(Plan { wanted, along: self.beginning(), ends: Ends::Originated, data, ..Plan::answered(actions) })
    }

    /// Where conferences are, and a room that nobody is in.
    fn room(&self) -> Result<(&str, String), Refused> {
        /// Longer than the numbers of a house, so that it is no room of the dial plan's own.
        const ROOM_DIGITS: usize = 10;
        match &self.settings.conference_context {
            Some(context) => Ok((context, format!("9{:0width$}", self.order.request.0, width = ROOM_DIGITS))),
            None => cannot(
                "Asterisk makes conferences in its dial plan only; configure `conference_context`, a context in which any number leads into ConfBridge(${EXTEN})",
            ),
        }
    }

    pub(super) fn park(&self, space: Option<&str>) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let other = self.other(&own)?;
        let leg = self.picture.leg_of(&other).map(|leg| leg.key.clone()).unwrap_or_default();
        let action = Action::new("Park").header("Channel", other).header("TimeoutChannel", &own.uid);
        let action = match space {
            Some(space) => action.header("ParkingSpace", text::number(space)?),
            None => action,
        };
        let along = vec![Effect::Leg(own.leg.to_string(), OfLeg::Ended)];
        Ok(Plan { along, ..Plan::seen(action, vec![Effect::Leg(leg, OfLeg::Parked)]) })
    }

    pub(super) fn unpark(&self, space: &str) -> Result<Plan, Refused> {
        let action = self.originate(self.telephone(&self.order.device)?, self.settings.originate_ms);
        let action = Self::at(action, &self.settings.parking_context, text::number(space)?);
        Ok(Plan {
            wanted: vec![Effect::Device(self.order.device.clone(), OfDevice::Unparks)],
            along: self.beginning(),
            ends: Ends::Originated,
            ..Plan::answered(vec![action])
        })
    }

    /// Tones towards the other side; towards Asterisk itself where nobody is there.
    pub(super) fn tones(&self, digits: &str) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let digits = text::tones(digits, self.settings.tones_max)?;
        let others = self.picture.others(&own.uid);
        let mut actions = Vec::new();
        for digit in digits {
            match others.as_slice() {
                [] => actions.push(press(&own.uid, digit)),
                several => actions.extend(several.iter().map(|uid| send(uid, digit))),
            }
        }
        Ok(Plan { one_by_one: true, ..Plan::answered(actions) })
    }
}

/// Both channels, which talk with each other, or one, go into a conference room.
fn into_room(uid: &str, extra: Option<&str>, context: &str, room: &str) -> Action {
    let action = Desk::at(Action::new("Redirect").header("Channel", uid), context, room);
    match extra {
        Some(extra) => action
            .header("ExtraChannel", extra)
            .header("ExtraContext", context)
            .header("ExtraExten", room)
            .header("ExtraPriority", "1"),
        None => action,
    }
}

fn send(uid: &str, digit: char) -> Action {
    Action::new("PlayDTMF").header("Channel", uid).header("Digit", digit.to_string())
}

/// As if the party itself had pressed it.
fn press(uid: &str, digit: char) -> Action {
    send(uid, digit).header("Receive", "true")
}
