//! What is heard: recordings, mute, supervision; and variables of a channel.

use cordboard_core::event::SuperviseMode;
use cordboard_core::request::Refusal;

use super::{Desk, Ends, Plan, Refused, Then, calls::hang_up, no_call, spy_letter, text};
use crate::asterisk::actions::Action;
use crate::asterisk::effects::{Effect, OfCall, OfLeg};

impl Desk<'_> {
    pub(super) fn record(&self, on: bool, file: Option<&str>) -> Result<Plan, Refused> {
        let named = self.order.call.as_ref().ok_or_else(|| no_call("the call is not known any more"))?;
        let call = named.call.clone();
        let recorded = |uid: &String| self.picture.channels.get(uid).is_some_and(|channel| channel.recorded);
        let running = self.picture.channels_of(&call).into_iter().find(recorded);
        if !on {
            let uid = match running {
                Some(uid) => uid,
                // A recording that began while nobody listened is on the channel of who has to do with it, if at all.
                None => self.channel_of_call()?,
            };
            let action = Action::new("StopMixMonitor").header("Channel", uid);
            return Ok(Plan::seen(action, vec![Effect::Call(call, OfCall::RecordStopped)]));
        }
        if running.is_some() {
            return Err((Refusal::SameState, "the call is being recorded already".to_string()));
        }
        let uid = self.channel_of_call()?;
        let name = match file {
            Some(file) => text::file(file)?.to_string(),
            None => self.key.clone(),
        };
        let format = &self.settings.recording_format;
        let file = if name.ends_with(&format!(".{format}")) { name } else { format!("{name}.{format}") };
        let action = Action::new("MixMonitor").header("Channel", &uid).header("File", &file);
        let then = vec![Then::RecordedInto(uid, file)];
        Ok(Plan { then, ..Plan::seen(action, vec![Effect::Call(call, OfCall::Recorded)]) })
    }

    pub(super) fn set_variable(&self, name: &str, value: &str) -> Result<Plan, Refused> {
        let named = self.order.call.as_ref().ok_or_else(|| no_call("the call is not known any more"))?;
        let name = text::variable(name)?;
        let action = Action::new("Setvar").header("Channel", self.channel_of_call()?).header("Variable", name);
        let action = action.header("Value", text::value(name, value)?);
        let is_data = self.picture.settings.user_data.iter().any(|wanted| wanted == name);
        if is_data {
            let wanted = vec![Effect::Call(named.call.clone(), OfCall::Variable(name.to_string()))];
            return Ok(Plan::seen(action, wanted));
        }
        Ok(Plan::answered(vec![action]))
    }

    /// The device's channel in the call; of a device without one, the channel of who made the call.
    fn channel_of_call(&self) -> Result<String, Refused> {
        if let Ok(own) = self.own(self.order.call.as_ref()) {
            return Ok(own.uid);
        }
        let named = self.order.call.as_ref().ok_or_else(|| no_call("the call is not known any more"))?;
        let uids = self.picture.channels_of(&named.call);
        let calls = |uid: &&String| {
            let legs = self.picture.channels.get(*uid).map(|channel| channel.legs.as_slice()).unwrap_or_default();
            legs.iter().any(|leg| leg.originator && leg.call == named.call)
        };
        let uid = uids.iter().find(calls).or_else(|| uids.first()).cloned();
        uid.ok_or_else(|| no_call("nobody is in it any more"))
    }

    pub(super) fn mute(&self, on: bool) -> Result<Plan, Refused> {
        let own = self.own(self.order.call.as_ref())?;
        let leg = own.leg.to_string();
        Ok(Plan {
            along: vec![Effect::Leg(leg.clone(), OfLeg::Muted)],
            then: vec![Then::Muted(leg, on)],
            ..Plan::answered(vec![silence(&own.uid, "in", on)])
        })
    }

    /// Another party hears the others no longer, or again.
    pub(super) fn listen(&self, who: &str, hears: bool) -> Result<Plan, Refused> {
        let (uid, leg) = self.party(who)?;
        Ok(Plan {
            along: vec![Effect::Leg(leg.clone(), OfLeg::Deafened)],
            then: vec![Then::Deafened(leg, !hears, self.order.device.clone())],
            ..Plan::answered(vec![silence(&uid, "out", !hears)])
        })
    }

    pub(super) fn supervise(&self, target: &str, mode: SuperviseMode) -> Result<Plan, Refused> {
        let Some((uid, call)) = self.picture.channel_at(target, true) else {
            return Err((Refusal::NoSuchCall, format!("nobody talks at {target:?} at the moment")));
        };
        let by = &self.order.device;
        let action = self.originate(self.telephone(by)?, self.settings.originate_ms);
        let action = action.header("Application", "ChanSpy").header("Data", format!("{uid},uqE{}", spy_letter(mode)));
        Ok(Plan {
            wanted: vec![Effect::Call(call, OfCall::Supervised(by.clone()))],
            along: self.beginning(),
            listens: Some((self.key.clone(), spy_letter(mode))),
            ends: Ends::Originated,
            ..Plan::answered(vec![action])
        })
    }

    pub(super) fn stop_supervising(&self, target: &str) -> Result<Plan, Refused> {
        self.stop_listening(&self.picture.spies(&self.order.device, Some(target), None))
    }

    /// The channels by which a device takes part in calls of others are hung up.
    pub(super) fn stop_listening(&self, spies: &[(String, String)]) -> Result<Plan, Refused> {
        if spies.is_empty() {
            let why = format!("{} takes part in no such call", self.order.device);
            return Err((Refusal::WrongState, why));
        }
        let by = &self.order.device;
        let ended = |(_, call): &(String, String)| Effect::Call(call.clone(), OfCall::SuperviseEnded(by.clone()));
        Ok(Plan {
            wanted: spies.iter().map(ended).collect(),
            then: spies.iter().map(|(uid, _)| Then::HungUp(uid.clone())).collect(),
            ends: Ends::Seen,
            ..Plan::answered(spies.iter().map(|(uid, _)| hang_up(uid, "16")).collect())
        })
    }
}

fn silence(uid: &str, direction: &str, on: bool) -> Action {
    let action = Action::new("MuteAudio").header("Channel", uid).header("Direction", direction);
    action.header("State", if on { "on" } else { "off" })
}
