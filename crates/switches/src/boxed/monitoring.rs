//! Supervisors who take part in calls of others: asked for beforehand, or in the call there is now.

use cordboard_core::event::{Monitor, MonitorScope, SuperviseMode};
use cordboard_core::observation::{CallSeen, DeviceSeen};
use cordboard_core::request::Refusal;

use super::calls::{CallNo, Leg};
use super::{Boxed, Refused, refuse};

/// What a supervisor takes part in.
#[derive(Debug)]
pub(super) struct Supervision {
    call: CallNo,
    target: String,
    mode: SuperviseMode,
}

impl Boxed {
    /// A supervisor wants to take part in the next call, or all calls, of somebody.
    pub(super) fn monitor(
        &mut self,
        device: &str,
        target: &str,
        scope: MonitorScope,
        mode: SuperviseMode,
    ) -> Result<(), Refused> {
        self.can_supervise(device, target)?;
        if let Some((other, _)) = self.monitors.iter().find(|(by, monitor)| *by != device && monitor.target == target) {
            let why = format!("{other} monitors {target} already; one supervisor a telephone");
            return refuse(Refusal::AgentReserved, why);
        }
        self.cancel_monitor(device);
        let monitor = Monitor { target: target.to_string(), scope, mode: heard(mode) };
        self.monitors.insert(device.to_string(), monitor.clone());
        self.say_device(device, DeviceSeen::Monitor(monitor));
        Ok(())
    }

    pub(super) fn end_monitor(&mut self, device: &str, target: &str) -> Result<(), Refused> {
        if self.monitors.get(device).is_none_or(|monitor| monitor.target != target) {
            return refuse(Refusal::WrongState, format!("{device} does not monitor {target}"));
        }
        self.cancel_monitor(device);
        Ok(())
    }

    /// A supervisor takes part in the call that somebody has now.
    pub(super) fn supervise(&mut self, device: &str, target: &str, mode: SuperviseMode) -> Result<(), Refused> {
        self.can_supervise(device, target)?;
        let talks = |leg: &&Leg| leg.is_established();
        let Some(phone) = self.phones.get(target) else { return Ok(()) };
        let legs = || phone.legs.iter().filter_map(|no| self.legs.get(no)).filter(talks);
        let current =
            legs().find(|leg| leg.state == cordboard_core::call::LegState::Connected).or_else(|| legs().next());
        let Some(call) = current.map(|leg| leg.call) else {
            return refuse(Refusal::NoSuchCall, format!("{target} has no call now; monitor the next one instead"));
        };
        if self.leg_at(call, device).is_some() {
            return refuse(Refusal::WrongState, format!("{device} is a party of that call"));
        }
        let taken = self.supervisions.iter().find(|(by, other)| *by != device && other.call == call);
        if let Some((by, _)) = taken {
            return refuse(Refusal::AgentReserved, format!("{by} takes part in that call already"));
        }
        let mode = heard(mode);
        let again = self.supervisions.get(device).is_some_and(|other| other.call == call);
        if !again {
            self.end_supervision(device, true);
        }
        self.begin_supervision(device, call, target, mode);
        Ok(())
    }

    fn can_supervise(&self, device: &str, target: &str) -> Result<(), Refused> {
        self.can_call(device)?;
        if !self.phones.contains_key(target) || device == target {
            return refuse(Refusal::NoSuchDevice, format!("{target:?} is no other telephone of the site"));
        }
        Ok(())
    }

    fn begin_supervision(&mut self, device: &str, call: CallNo, target: &str, mode: SuperviseMode) {
        self.supervisions.insert(device.to_string(), Supervision { call, target: target.to_string(), mode });
        self.say_call(call, CallSeen::Supervise { by: device.to_string(), mode });
    }

    /// A telephone is connected in a call: who monitors it takes part, unless engaged otherwise.
    pub(super) fn established(&mut self, target: &str, call: CallNo) {
        let Some((by, mode)) = self
            .monitors
            .iter()
            .find(|(_, monitor)| monitor.target == target)
            .map(|(by, monitor)| (by.clone(), monitor.mode))
        else {
            return;
        };
        let engaged = self.phones.get(&by).is_none_or(|phone| !phone.legs.is_empty() || phone.settings.out_of_service);
        if !engaged && !self.supervisions.contains_key(&by) {
            self.begin_supervision(&by, call, target, mode);
        }
    }

    /// A supervisor speaks, or only hears again.
    pub(super) fn mute_supervisor(&mut self, device: &str, call: CallNo, on: bool) -> Result<(), Refused> {
        let wanted = self.monitors.get(device).map(|monitor| monitor.mode);
        let Some(supervision) = self.supervisions.get_mut(device).filter(|supervision| supervision.call == call) else {
            return refuse(Refusal::NoSuchCall, format!("{device} takes no part in the call"));
        };
        let mode = match wanted {
            _ if on => SuperviseMode::Listen,
            Some(SuperviseMode::Whisper) => SuperviseMode::Whisper,
            Some(SuperviseMode::Listen | SuperviseMode::Barge | SuperviseMode::Unknown) | None => SuperviseMode::Barge,
        };
        if supervision.mode == mode || (!on && supervision.mode != SuperviseMode::Listen) {
            return refuse(Refusal::SameState, "the microphone is so already");
        }
        supervision.mode = mode;
        self.say_call(call, CallSeen::Supervise { by: device.to_string(), mode });
        Ok(())
    }

    /// A supervisor leaves a call.
    pub(super) fn stop_supervising(&mut self, device: &str, call: CallNo) -> Result<(), Refused> {
        if self.supervisions.get(device).is_none_or(|supervision| supervision.call != call) {
            return refuse(Refusal::NoSuchCall, format!("{device} takes no part in the call"));
        }
        self.end_supervision(device, true);
        Ok(())
    }

    /// Who took part in a call leaves it with the one it was about, or with the end of the call.
    pub(super) fn check_supervision(&mut self, call: CallNo) {
        let over = !self.calls.contains_key(&call);
        let gone: Vec<String> = self
            .supervisions
            .iter()
            .filter(|(_, other)| other.call == call && (over || self.leg_at(call, &other.target).is_none()))
            .map(|(by, _)| by.clone())
            .collect();
        for by in gone {
            self.end_supervision(&by, !over);
        }
    }

    /// A supervisor becomes a party of the call that was heard unseen.
    pub(super) fn comes_as_party(&mut self, number: &str, call: CallNo) {
        if self.supervisions.get(number).is_some_and(|supervision| supervision.call == call) {
            self.end_supervision(number, true);
        }
    }

    /// Who is a party of one of two calls that are joined takes part unseen in none of them.
    pub(super) fn party_supervises_no_longer(&mut self, one: CallNo, other: CallNo) {
        let is_party = |by: &str| self.leg_at(one, by).is_some() || self.leg_at(other, by).is_some();
        let parties = self.supervisions.iter().filter(|(by, it)| (it.call == one || it.call == other) && is_party(by));
        for by in parties.map(|(by, _)| by.clone()).collect::<Vec<_>>() {
            self.end_supervision(&by, true);
        }
    }

    /// A call became part of another one, and is over itself.
    pub(super) fn supervisions_moved(&mut self, from: CallNo) {
        self.check_supervision(from);
    }

    /// Nobody works at a telephone any more, so that there is nothing to supervise, or nobody to do it.
    pub(super) fn monitoring_ends_at(&mut self, device: &str) {
        let by: Vec<String> = self
            .monitors
            .iter()
            .filter(|(by, monitor)| by.as_str() == device || monitor.target == device)
            .map(|(by, _)| by.clone())
            .collect();
        for by in by {
            self.cancel_monitor(&by);
        }
    }

    fn cancel_monitor(&mut self, device: &str) {
        let Some(monitor) = self.monitors.remove(device) else { return };
        if self.supervisions.get(device).is_some_and(|supervision| supervision.target == monitor.target) {
            self.end_supervision(device, true);
        }
        self.say_device(device, DeviceSeen::MonitorEnd(monitor));
    }

    /// `alive`: the call goes on; with the end of a call the end of its supervision is told as well.
    fn end_supervision(&mut self, device: &str, alive: bool) {
        let Some(supervision) = self.supervisions.remove(device) else { return };
        if alive {
            self.say_call(supervision.call, CallSeen::SuperviseEnd { by: device.to_string() });
        }
        // What was asked for one call is used up.
        let used_up =
            |monitor: &mut Monitor| monitor.target == supervision.target && monitor.scope == MonitorScope::OneCall;
        if self.monitors.get_mut(device).is_some_and(used_up) {
            self.cancel_monitor(device);
        }
    }
}

/// Who does not say how, hears.
fn heard(mode: SuperviseMode) -> SuperviseMode {
    match mode {
        SuperviseMode::Unknown => SuperviseMode::Listen,
        SuperviseMode::Listen | SuperviseMode::Whisper | SuperviseMode::Barge => mode,
    }
}
