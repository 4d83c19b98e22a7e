//! Calls: made, answered, held, ended, sent elsewhere.

use cordboard_core::event::Pairs;
use cordboard_core::request::{PredictiveTargets, Refusal};

use super::{Data, Desk, Ends, Own, Plan, Refused, Then, cannot, no_call, text};
use crate::asterisk::actions::Action;
use crate::asterisk::effects::{Effect, OfCall, OfLeg};

/// Q.850 for an ordinary end, and for a party that declines.
const NORMAL: &str = "16";
const DECLINED: &str = "21";

/// What somebody would press on the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    Answer,
    Hold,
    Retrieve,
}

impl Desk<'_> {
    pub(super) fn make_call(&self, to: &str, user_data: &Pairs) -> Result<Plan, Refused> {
        let action = self.originate(self.telephone(&self.order.device)?, self.settings.originate_ms);
        let (action, data) = self.with_data(action, user_data)?;
        let action = Self::at(action, &self.settings.dial_context, text::number(to)?);
        Ok(Plan {
            wanted: [OfCall::LegBegun, OfCall::PickedUp].map(|what| Effect::Call(self.key.clone(), what)).into(),
            along: self.beginning(),
            ends: Ends::Ringing,
            data,
            ..Plan::answered(vec![action])
        })
    }

    /// Somebody outside is called for a queue; who answers waits there as any caller does.
    pub(super) fn predict(
        &self,
        to: &str,
        ring_ms: u64,
        user_data: &Pairs,
        targets: &PredictiveTargets,
    ) -> Result<Plan, Refused> {
        if targets.machine.is_some() || targets.fax.is_some() {
            return cannot("AMI does not tell a machine or a fax from a person; leave these targets out");
        }
        let channel = format!("Local/{}@{}/n", text::number(to)?, self.settings.dial_context);
        let (action, data) = self.with_data(self.originate(channel, ring_ms.max(1)), user_data)?;
        let action = match &targets.person {
            Some(person) => Self::at(action, &self.settings.dial_context, text::number(person)?),
            None => action.header("Application", "Queue").header("Data", text::queue(&self.order.device)?),
        };
        Ok(Plan {
            wanted: vec![Effect::Call(self.key.clone(), OfCall::LegBegun)],
            along: self.beginning(),
            ends: Ends::Originated,
            data,
            ..Plan::answered(vec![action])
        })
    }

    pub(super) fn pickup(&self, target: &str) -> Result<Plan, Refused> {
        let Some((ringing, call)) = self.picture.channel_at(target, false) else {
            return Err((Refusal::NotRinging, format!("nothing rings at {target:?}")));
        };
        let action = self.originate(self.telephone(&self.order.device)?, self.settings.originate_ms);
        let action = action.header("Application", "PickupChan").header("Data", ringing);
        Ok(Plan {
            wanted: vec![Effect::Call(call, OfCall::Joined)],
            along: self.beginning(),
            ends: Ends::Originated,
            ..Plan::answered(vec![action])
        })
    }

    /// Data as variables of the channel, where their names can be variables, and as data of the call.
    fn with_data(&self, action: Action, pairs: &Pairs) -> Result<(Action, Option<Data>), Refused> {
        let data = text::data(pairs)?;
        let variables = data.iter().filter(|(name, _)| text::is_variable(name));
        let action =
            variables.fold(action, |action, (name, value)| action.header("Variable", text::assignment(name, value)));
        Ok((action, Some((self.key.clone(), data))))
    }

    pub(super) fn notify_own(&self, press: Press) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        if press == Press::Retrieve && self.picture.channels.get(&own.uid).is_some_and(|it| it.legs.len() > 1) {
            return cannot("the call waits for the end of a consultation; complete it, or reconnect");
        }
        self.notify(&own, press)
    }

    /// A telephone is asked to do what its user would press. It need not obey.
    fn notify(&self, own: &Own<'_>, press: Press) -> Result<Plan, Refused> {
        let (event, what) = match press {
            Press::Answer => ("talk", OfLeg::Answered),
            Press::Hold => ("hold", OfLeg::Held),
            Press::Retrieve => ("talk", OfLeg::Retrieved),
        };
        if !self.settings.telephones_take_notify {
            return cannot(
                "only the telephone itself answers, holds and retrieves; where all telephones obey a SIP NOTIFY with Event talk and hold, configure `telephones_take_notify`, else use the telephone",
            );
        }
        let action =
            Action::new("PJSIPNotify").header("Channel", &own.uid).header("Variable", format!("Event={event}"));
        Ok(Plan { ends: Ends::OnlySeen, ..Plan::seen(action, vec![Effect::Leg(own.leg.to_string(), what)]) })
    }

    pub(super) fn release(&self) -> Result<Plan, Refused> {
        let named = self.order.call.as_ref().ok_or_else(|| no_call("the call is not known any more"))?;
        if named.leg.is_none() {
            return self.stop_listening(&self.picture.spies(&self.order.device, None, Some(&named.call)));
        }
        let own = self.own(Some(named))?;
        let ended = Effect::Leg(own.leg.to_string(), OfLeg::Ended);
        let Some(channel) = self.picture.channels.get(&own.uid) else { return Err(no_call("its channel is gone")) };
        if channel.legs.len() > 1 {
            if self.picture.consults_with(&own.uid, own.leg) {
                let back = channel.legs.first().map(|leg| Effect::Leg(leg.key.clone(), OfLeg::Retrieved));
                let action = Action::new("CancelAtxfer").header("Channel", &own.uid);
                return Ok(Plan { along: back.into_iter().collect(), ..Plan::seen(action, vec![ended]) });
            }
            // One channel stands for both calls, so the waiting one is ended at its other side.
            let others: Vec<String> =
                self.picture.channels_of(own.call).into_iter().filter(|uid| *uid != own.uid).collect();
            let [other] = others.as_slice() else {
                return cannot("several parties wait on the other side of this call; end the consultation first");
            };
            return Ok(Plan::seen(hang_up(other, NORMAL), vec![ended]));
        }
        let cause = if channel.up { NORMAL } else { DECLINED };
        let then = vec![Then::HungUp(own.uid.clone())];
        Ok(Plan { then, ..Plan::seen(hang_up(&own.uid, cause), vec![ended]) })
    }

    pub(super) fn clear(&self) -> Result<Plan, Refused> {
        let named = self.order.call.as_ref().ok_or_else(|| no_call("the call is not known any more"))?;
        let uids = self.picture.channels_of(&named.call);
        if uids.is_empty() {
            return Err(no_call("nobody is in it any more"));
        }
        let legs = uids.iter().filter_map(|uid| self.picture.channels.get(uid)).flat_map(|channel| &channel.legs);
        let of_call = legs.filter(|leg| leg.call == named.call);
        let wanted = of_call.map(|leg| Effect::Leg(leg.key.clone(), OfLeg::Ended)).collect();
        let actions = uids.iter().map(|uid| hang_up(uid, NORMAL)).collect();
        // The first end may bring the others about before Asterisk reads of them.
        Ok(Plan { wanted, one_is_enough: true, ends: Ends::Seen, ..Plan::answered(actions) })
    }

    pub(super) fn drop_party(&self, who: &str) -> Result<Plan, Refused> {
        let (uid, leg) = self.party(who)?;
        Ok(Plan::seen(hang_up(&uid, NORMAL), vec![Effect::Leg(leg, OfLeg::Ended)]))
    }

    /// The channel and leg of another party, by its number: in the call, in the talk, or in the same conference room.
    pub(super) fn party(&self, who: &str) -> Result<(String, String), Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let mut uids = self.picture.channels_of(own.call);
        uids.extend(self.picture.others(&own.uid));
        if let Some(room) = self.picture.channels.get(&own.uid).and_then(|channel| channel.room.as_ref()) {
            let in_room = self.picture.channels.iter().filter(|(_, channel)| channel.room.as_ref() == Some(room));
            uids.extend(in_room.map(|(uid, _)| uid.clone()));
        }
        let found = uids.into_iter().filter(|uid| *uid != own.uid).find_map(|uid| {
            let channel = self.picture.channels.get(&uid)?;
            let is_it = channel.device == who || channel.number == who || channel.caller == who && channel.outside;
            let leg = channel.legs.last().filter(|_| is_it)?.key.clone();
            Some((uid, leg))
        });
        found.ok_or_else(|| (Refusal::NoSuchCall, format!("no other party of the call has the number {who:?}")))
    }

    pub(super) fn redirect(&self, to: &str) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let calls = |uid: &String| {
            let legs = self.picture.channels.get(uid).map(|channel| channel.legs.as_slice()).unwrap_or_default();
            *uid != own.uid && legs.iter().any(|leg| leg.originator && leg.call == own.call)
        };
        let caller = self.picture.channels_of(own.call).into_iter().find(calls);
        let Some(caller) = caller else {
            return cannot("the one who calls has no channel that could be sent elsewhere");
        };
        let action = Action::new("Redirect").header("Channel", caller);
        let action = Self::at(action, &self.settings.dial_context, text::number(to)?);
        let ended = Effect::Leg(own.leg.to_string(), OfLeg::Ended);
        Ok(Plan { then: vec![Then::Diverted(own.uid.clone())], ..Plan::seen(action, vec![ended]) })
    }

    /// The current call waits, the waiting one talks: two lines of one telephone.
    pub(super) fn alternate(&self) -> Result<Plan, Refused> {
        let (own, held) = self.two_lines(
            "Asterisk's own attended transfer has one line only, and AMI cannot go back and forth; complete it, or reconnect",
        )?;
        let hold = self.notify(&own, Press::Hold)?;
        let talk = self.notify(&held, Press::Retrieve)?;
        Ok(Plan {
            actions: hold.actions.into_iter().chain(talk.actions).collect(),
            wanted: hold.wanted.into_iter().chain(talk.wanted).collect(),
            ends: Ends::OnlySeen,
            ..Plan::answered(Vec::new())
        })
    }

    pub(super) fn reconnect(&self) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let held = self.own(self.order.held.as_ref())?;
        let ended = Effect::Leg(own.leg.to_string(), OfLeg::Ended);
        if own.uid == held.uid {
            let action = Action::new("CancelAtxfer").header("Channel", &own.uid);
            let back = Effect::Leg(held.leg.to_string(), OfLeg::Retrieved);
            return Ok(Plan { ends: Ends::OnlySeen, ..Plan::seen(action, vec![ended, back]) });
        }
        let talk = self.notify(&held, Press::Retrieve)?;
        Ok(Plan {
            actions: [hang_up(&own.uid, NORMAL)].into_iter().chain(talk.actions).collect(),
            wanted: [ended].into_iter().chain(talk.wanted).collect(),
            then: vec![Then::HungUp(own.uid)],
            ends: Ends::OnlySeen,
            ..Plan::answered(Vec::new())
        })
    }

    /// The device's parts in both calls the order names, which must be two channels.
    pub(super) fn two_lines(&self, else_cannot: &str) -> Result<(Own<'_>, Own<'_>), Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let held = self.own(self.order.held.as_ref())?;
        if own.uid == held.uid { cannot(else_cannot) } else { Ok((own, held)) }
    }
}

pub(super) fn hang_up(uid: &str, cause: &str) -> Action {
    Action::new("Hangup").header("Channel", uid).header("Cause", cause)
}
