//! Agents in queues, and the features of a telephone.

use std::collections::BTreeSet;

use cordboard_core::event::{Pairs, WorkMode};
use cordboard_core::request::Refusal;

use super::{Desk, Plan, Refused, cannot, text};
use crate::asterisk::actions::Action;
use crate::asterisk::effects::{Effect, OfAgent, OfDevice};

/// An agent, and where the agent is a member: interface and queue.
type Places<'a> = (&'a str, Vec<(&'a str, &'a str)>);

impl Desk<'_> {
    pub(super) fn login(
        &self,
        agent: &str,
        queue: Option<&str>,
        mode: WorkMode,
        reasons: &Pairs,
        wrapup: bool,
    ) -> Result<Plan, Refused> {
        let device = self.order.device.as_str();
        let agent = text::line("an agent", agent)?;
        if !self.picture.settings.agents_by_member_name && agent != device {
            let why = format!(
                "agents of this Asterisk are named by their telephones: log in {device:?} on {device}, or set `agents_by_member_name`"
            );
            return Err((Refusal::NoSuchAgent, why));
        }
        if wrapup {
            return cannot("after-call work is set per queue in queues.conf, not at a login; leave it out");
        }
        let queues: Vec<&str> = match queue {
            Some(queue) => vec![queue],
            None => self.settings.login_queues.iter().map(String::as_str).collect(),
        };
        if queues.is_empty() {
            return cannot(
                "Asterisk does not know which queues an agent serves; name one, or configure `login_queues`",
            );
        }
        let interface = self.telephone(device)?;
        let paused = is_pause(mode);
        let mut plan = Plan::answered(Vec::new());
        for queue in queues {
            let queue = text::queue(queue)?;
            let add = Action::new("QueueAdd").header("Queue", queue).header("Interface", &interface);
            let add = if self.picture.settings.agents_by_member_name { add.header("MemberName", agent) } else { add };
            plan.actions.push(add.header("Paused", if paused { "true" } else { "false" }));
            if let (true, Some(reason)) = (paused, text::reason(reasons, mode)?) {
                plan.actions.push(pause(&interface, Some(queue), true).header("Reason", reason));
                plan.wanted.push(Effect::Agent(agent.to_string(), OfAgent::Pauses(queue.to_string())));
            }
            plan.wanted.push(Effect::Agent(agent.to_string(), OfAgent::Joins(queue.to_string())));
        }
        Ok(Plan { ends: super::Ends::Seen, ..plan })
    }

    pub(super) fn logout(&self, queue: Option<&str>) -> Result<Plan, Refused> {
        let (agent, places) = self.places(queue)?;
        let mut plan = Plan::answered(Vec::new());
        if self.picture.pool.get(agent).is_some_and(Option::is_some) {
            if queue.is_some() {
                return cannot("an agent of the pool is logged in to all queues at once; log out without a queue");
            }
            plan.actions.push(Action::new("AgentLogoff").header("Agent", agent).header("Soft", "false"));
            plan.wanted.push(Effect::Agent(agent.to_string(), OfAgent::Leaves(None)));
        } else {
            for (interface, queue) in places {
                plan.actions.push(Action::new("QueueRemove").header("Queue", queue).header("Interface", interface));
                plan.wanted.push(Effect::Agent(agent.to_string(), OfAgent::Leaves(Some(queue.to_string()))));
            }
        }
        Ok(Plan { ends: super::Ends::Seen, ..plan })
    }

    /// Ready, or not ready for a reason, in one queue or all.
    pub(super) fn pause(&self, queue: Option<&str>, not_ready: Option<(WorkMode, &Pairs)>) -> Result<Plan, Refused> {
        let (agent, places) = self.places(queue)?;
        let reason = match not_ready {
            Some((mode, reasons)) => text::reason(reasons, mode)?,
            None => None,
        };
        let mut plan = Plan::answered(Vec::new());
        let interfaces: BTreeSet<&str> = places.iter().map(|(interface, _)| *interface).collect();
        for interface in interfaces {
            let action = pause(interface, queue, not_ready.is_some());
            plan.actions.push(match &reason {
                Some(reason) => action.header("Reason", reason),
                None => action,
            });
        }
        for (_, queue) in places {
            let queue = queue.to_string();
            let what = if not_ready.is_some() { OfAgent::Pauses(queue) } else { OfAgent::Resumes(queue) };
            plan.wanted.push(Effect::Agent(agent.to_string(), what));
        }
        Ok(Plan { ends: super::Ends::Seen, ..plan })
    }

    /// The agent on the device, and where it is a member, in a queue or all.
    fn places(&self, queue: Option<&str>) -> Result<Places<'_>, Refused> {
        let nobody = |why: String| (Refusal::NotLoggedIn, why);
        let device = &self.order.device;
        let agent = self.order.agent.as_deref();
        let agent = agent.ok_or_else(|| nobody(format!("nobody is logged in on {device}; log in first")))?;
        let places: Vec<(&str, &str)> = self
            .picture
            .members
            .iter()
            .filter(|((_, of), id)| *id == agent && queue.is_none_or(|queue| queue == of))
            .map(|((interface, of), _)| (interface.as_str(), of.as_str()))
            .collect();
        if places.is_empty() && !(queue.is_none() && self.picture.pool.contains_key(agent)) {
            let of = queue.map(|queue| format!("the queue {queue:?}")).unwrap_or_else(|| "any queue".to_string());
            return Err(nobody(format!("{agent} is no member of {of}; log in there first")));
        }
        Ok((agent, places))
    }

    pub(super) fn dnd(&self, on: bool) -> Result<Plan, Refused> {
        let device = &self.order.device;
        if !self.settings.dnd_in_device_state {
            return cannot(
                "Asterisk has no do-not-disturb of its own; where the dial plan keeps it in the device state Custom:DND<number>, configure `dnd_in_device_state`",
            );
        }
        let action = Action::new("Setvar")
            .header("Variable", format!("DEVICE_STATE(Custom:DND{})", text::endpoint(device)?))
            .header("Value", if on { "BUSY" } else { "NOT_INUSE" });
        Ok(Plan::seen(action, vec![Effect::Device(device.clone(), OfDevice::Dnd)]))
    }

    pub(super) fn messages(&self, on: bool) -> Result<Plan, Refused> {
        let device = &self.order.device;
        let action = Action::new("MWIUpdate")
            .header("Mailbox", format!("{}@{}", text::endpoint(device)?, self.settings.mailbox_context))
            .header("NewMessages", if on { "1" } else { "0" })
            .header("OldMessages", "0");
        Ok(Plan::seen(action, vec![Effect::Device(device.clone(), OfDevice::Messages)]))
    }
}

fn pause(interface: &str, queue: Option<&str>, on: bool) -> Action {
    let action = Action::new("QueuePause").header("Interface", interface);
    let action = match queue {
        Some(queue) => action.header("Queue", queue),
        None => action,
    };
    action.header("Paused", if on { "true" } else { "false" })
}

/// Whether an agent who logs in with this mode is not to get calls.
const fn is_pause(mode: WorkMode) -> bool {
    match mode {
        WorkMode::Unknown | WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => false,
        WorkMode::LegalGuard
        | WorkMode::AfterCallWork
        | WorkMode::AuxWork
        | WorkMode::NoCallDisconnect
        | WorkMode::WalkAway => true,
    }
}
