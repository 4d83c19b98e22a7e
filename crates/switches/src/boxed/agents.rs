//! Agents: who is logged in where, serves what, and is ready or not.

use std::collections::BTreeSet;

use cordboard_core::event::{Datum, Pairs, WorkMode, WrapUpPlan, WrapUpWish};
use cordboard_core::observation::{AgentSeen, DeviceSeen};
use cordboard_core::request::Refusal;
use cordboard_core::{Order, Time};

use super::timers::Timer;
use super::wrapup::AfterCall;
use super::{AgentPlan, Boxed, Refused, refuse};

/// An agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) name: String,
    /// Queues of a login that names none.
    pub(super) planned: Vec<String>,
    pub(super) skills: Vec<(String, u8)>,
    pub(super) wrapup: WrapUpPlan,
    pub(super) device: Option<String>,
    pub(super) queues: BTreeSet<String>,
    /// Chosen readiness, whatever after-call work says for now.
    pub(super) ready: bool,
    pub(super) mode: WorkMode,
    pub(super) reason: String,
    pub(super) reasons: Pairs,
    /// What follows the last call.
    pub(super) after: AfterCall,
    /// After-call work that somebody wishes to follow the call under way.
    pub(super) wished: Option<WrapUpWish>,
    /// Picks calls instead of being offered them.
    pub(super) picks: bool,
    /// Since when nothing keeps the agent from the next call.
    pub(super) idle_since: (Time, u64),
    /// When the agent, or somebody for the agent, did something last.
    pub(super) active: Time,
    /// A timer looks after whether the agent does anything.
    watched: bool,
}

impl Agent {
    pub(super) fn new(plan: AgentPlan) -> Self {
        Self {
            id: plan.id,
            name: plan.name,
            planned: plan.queues,
            skills: plan.skills,
            wrapup: plan.wrapup,
            device: plan.device,
            queues: BTreeSet::new(),
            ready: plan.ready,
            mode: plan.mode,
            reason: String::new(),
            reasons: Pairs::new(),
            after: AfterCall::Nothing,
            wished: None,
            picks: false,
            idle_since: (Time::default(), 0),
            active: Time::default(),
            watched: false,
        }
    }

    /// How well the agent can do what a queue needs; none: not at all.
    pub(super) fn level(&self, needed: &[String]) -> Option<u32> {
        let level =
            |skill: &String| self.skills.iter().find(|(own, _)| own == skill).map(|(_, level)| u32::from(*level));
        needed.iter().map(level).sum()
    }
}

impl Boxed {
    /// Whether an agent can be given a call of a queue now. A call that is nobody's business but the agent's is no
    /// hindrance; one that was distributed is.
    pub(super) fn is_available(&self, agent: &Agent) -> bool {
        agent.ready
            && !agent.picks
            && agent.after == AfterCall::Nothing
            && agent
                .device
                .as_ref()
                .is_some_and(|device| self.can_ring(device).is_ok() && !self.has_business(device, None))
    }

    pub(super) fn log_in(
        &mut self,
        device: &str,
        id: &str,
        queue: Option<&str>,
        (mode, reasons): (WorkMode, &Pairs),
        wrapup_s: Option<u64>,
    ) -> Result<(), Refused> {
        self.can_log_in(device, id, queue)?;
        let stamp = self.idle_stamp();
        let plan = || AgentPlan {
            id: id.to_string(),
            name: String::new(),
            device: None,
            queues: Vec::new(),
            ready: false,
            mode,
            wrapup: WrapUpPlan::None,
            skills: Vec::new(),
        };
        let agent = self.agents.entry(id.to_string()).or_insert_with(|| Agent::new(plan()));
        let first = agent.device.is_none();
        let queues = queue.map_or_else(|| agent.planned.clone(), |queue| vec![queue.to_string()]);
        if let Some(seconds) = wrapup_s {
            agent.wrapup =
                if seconds == 0 { WrapUpPlan::None } else { WrapUpPlan::Timed { ms: seconds.saturating_mul(1_000) } };
        }
        if first {
            agent.device = Some(device.to_string());
            agent.ready = is_ready_mode(mode);
            agent.mode = mode;
            agent.reasons.clone_from(reasons);
            agent.reason = word(reasons);
            agent.after = AfterCall::Nothing;
            agent.queues.clear();
            agent.idle_since = stamp;
        }
        let new: Vec<String> = queues.into_iter().filter(|queue| agent.queues.insert(queue.clone())).collect();
        let plan = agent.wrapup;
        self.say_agent(id, AgentSeen::WrapUpPlan(plan));
        if let Some(phone) = self.phones.get_mut(device) {
            phone.agent = Some(id.to_string());
        }
        if first {
            self.say_login(id)
        } else {
            self.say_more_queues(id, &new)
        }
        self.touch(id);
        self.restless = true;
        Ok(())
    }

    fn can_log_in(&self, device: &str, id: &str, queue: Option<&str>) -> Result<(), Refused> {
        let Some(phone) = self.phones.get(device) else {
            return refuse(Refusal::NoSuchDevice, format!("{device} is no telephone; agents log in on telephones"));
        };
        if let Some(queue) = queue.filter(|queue| !self.is_served(queue)) {
            return refuse(Refusal::NoSuchDevice, format!("there is no queue {queue:?}; log in to one of the site"));
        }
        if let Some(other) = phone.agent.as_ref().filter(|other| *other != id) {
            return refuse(Refusal::LoggedInAlready, format!("the agent {other} is logged in on {device}"));
        }
        if !self.options.login_on_call && !phone.legs.is_empty() {
            return refuse(Refusal::WrongState, format!("there is a call at {device}; log in when it is over"));
        }
        let Some(agent) = self.agents.get(id) else {
            return if self.options.strict_agents || id.is_empty() {
                refuse(Refusal::NoSuchAgent, format!("the site has no agent {id:?}"))
            } else {
                Ok(())
            };
        };
        match agent.device.as_deref() {
            Some(at) if at != device => {
                refuse(Refusal::AgentElsewhere, format!("the agent {id} is logged in on {at}; log out there first"))
            }
            Some(_) if queue.is_none_or(|queue| agent.queues.contains(queue)) => {
                refuse(Refusal::LoggedInAlready, format!("the agent {id} is logged in there already"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Says that an agent is logged in, with all queues at once.
    pub(super) fn say_login(&mut self, id: &str) {
        let Some(agent) = self.agents.get(id) else { return };
        let Some(device) = agent.device.clone() else { return };
        let seen = AgentSeen::LogIn {
            device,
            name: agent.name.clone(),
            queues: agent.queues.iter().cloned().collect(),
            ready: agent.ready,
            mode: agent.mode,
            reason: agent.reason.clone(),
            reasons: agent.reasons.clone(),
        };
        self.say_agent(id, seen);
    }

    fn say_more_queues(&mut self, id: &str, queues: &[String]) {
        for queue in queues {
            let Some(agent) = self.agents.get(id) else { return };
            let Some(device) = agent.device.clone() else { return };
            let paused = (!agent.ready).then(|| agent.reason.clone());
            let seen = AgentSeen::Join { queue: Some(queue.clone()), device, name: agent.name.clone(), paused };
            self.say_agent(id, seen);
        }
    }

    pub(super) fn log_out(&mut self, order: &Order, queue: Option<&str>) -> Result<(), Refused> {
        let id = self.agent_at(&order.device)?;
        let busy = self.phones.get(&order.device).is_some_and(|phone| !phone.legs.is_empty());
        if !self.options.login_on_call && busy {
            return refuse(Refusal::WrongState, "there is a call at the telephone; log out when it is over");
        }
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        if let Some(queue) = queue {
            if !agent.queues.remove(queue) && !agent.queues.is_empty() {
                return refuse(Refusal::NotLoggedIn, format!("the agent {id} does not serve the queue {queue:?}"));
            }
            if !agent.queues.is_empty() {
                self.say_agent(&id, AgentSeen::Leave { queue: Some(queue.to_string()) });
                self.touch(&id);
                return Ok(());
            }
        }
        self.leave_site(&id);
        Ok(())
    }

    /// An agent is logged in nowhere any more.
    pub(super) fn leave_site(&mut self, id: &str) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let Some(device) = agent.device.take() else { return };
        agent.queues.clear();
        agent.ready = false;
        agent.after = AfterCall::Nothing;
        agent.wished = None;
        agent.picks = false;
        if let Some(phone) = self.phones.get_mut(&device) {
            phone.agent = None;
        }
        self.say_agent(id, AgentSeen::Leave { queue: None });
        self.monitoring_ends_at(&device);
    }

    pub(super) fn make_ready(&mut self, order: &Order, mode: WorkMode, reasons: &Pairs) -> Result<(), Refused> {
        let id = self.agent_at(&order.device)?;
        let stamp = self.idle_stamp();
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        if matches!(agent.after, AfterCall::Guard { .. }) {
            return refuse(Refusal::WrongState, "a pause that the law asks for is not over yet; it ends by itself");
        }
        let was_free = agent.ready && agent.after == AfterCall::Nothing;
        agent.ready = true;
        agent.mode = mode;
        agent.reasons.clone_from(reasons);
        agent.reason.clear();
        if !was_free {
            agent.idle_since = stamp;
        }
        self.touch(&id);
        self.after_work_asked_to_end(&id);
        Ok(())
    }

    pub(super) fn make_not_ready(&mut self, order: &Order, mode: WorkMode, reasons: &Pairs) -> Result<(), Refused> {
        let id = self.agent_at(&order.device)?;
        self.touch(&id);
        if mode == WorkMode::AfterCallWork {
            self.choose_after_call_work(&id);
            return Ok(());
        }
        let Some(agent) = self.agents.get_mut(&id) else { return Ok(()) };
        agent.ready = false;
        agent.mode = mode;
        agent.reasons.clone_from(reasons);
        agent.reason = word(reasons);
        agent.after = AfterCall::Nothing;
        self.say_state(&id);
        Ok(())
    }

    /// The telephone of an agent failed.
    pub(super) fn agent_loses_device(&mut self, device: &str) {
        let Some(id) = self.phones.get(device).and_then(|phone| phone.agent.clone()) else { return };
        if self.options.logout_when_out_of_service {
            return self.leave_site(&id);
        }
        let Some(agent) = self.agents.get_mut(&id) else { return };
        agent.ready = false;
        agent.mode = WorkMode::Unknown;
        agent.reason = "out of service".to_string();
        agent.reasons.clear();
        agent.after = AfterCall::Nothing;
        self.say_state(&id);
    }

    /// An agent did something, so that the time for doing nothing begins anew.
    pub(super) fn touch(&mut self, id: &str) {
        let now = self.now;
        if let Some(agent) = self.agents.get_mut(id) {
            agent.active = now;
        }
        self.watch_idle(id, self.options.auto_logout_ms);
    }

    fn watch_idle(&mut self, id: &str, ms: u64) {
        if self.options.auto_logout_ms == 0 {
            return;
        }
        let Some(agent) = self.agents.get_mut(id).filter(|agent| agent.device.is_some()) else { return };
        if !std::mem::replace(&mut agent.watched, true) {
            self.set_timer(ms, Timer::Idle(id.to_string()));
        }
    }

    /// An agent may have done nothing for too long.
    pub(super) fn idle_too_long(&mut self, id: &str) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.watched = false;
        let Some(device) = agent.device.as_ref() else { return };
        let spared = match agent.mode {
            WorkMode::AuxWork | WorkMode::LegalGuard => true,
            WorkMode::Unknown
            | WorkMode::ManualIn
            | WorkMode::AutoIn
            | WorkMode::AfterCallWork
            | WorkMode::NoCallDisconnect
            | WorkMode::WalkAway
            | WorkMode::ReturnBack => false,
        };
        let busy = self.phones.get(device).is_some_and(|phone| !phone.legs.is_empty());
        let idle_ms = self.now.micros_since(agent.active) / 1_000;
        let limit = self.options.auto_logout_ms;
        if agent.ready || spared || busy || agent.after != AfterCall::Nothing {
            self.watch_idle(id, limit);
        } else if idle_ms < limit {
            self.watch_idle(id, limit - idle_ms);
        } else {
            self.leave_site(id);
        }
    }

    /// The agent at a telephone.
    pub(super) fn agent_at(&self, device: &str) -> Result<String, Refused> {
        match self.phones.get(device).and_then(|phone| phone.agent.clone()) {
            Some(id) => Ok(id),
            None => refuse(Refusal::NotLoggedIn, format!("nobody is logged in on {device}; log in first")),
        }
    }

    pub(super) fn say_service(&mut self, device: &str, up: bool) {
        self.say_device(device, DeviceSeen::Service(up));
    }
}

/// Whether a mode chosen at a login makes ready.
fn is_ready_mode(mode: WorkMode) -> bool {
    match mode {
        WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => true,
        WorkMode::Unknown
        | WorkMode::LegalGuard
        | WorkMode::AfterCallWork
        | WorkMode::AuxWork
        | WorkMode::NoCallDisconnect
        | WorkMode::WalkAway => false,
    }
}

/// Reasons in one word: the first value that is a text, else its key.
fn word(reasons: &Pairs) -> String {
    let Some((key, value)) = reasons.first_key_value() else { return String::new() };
    match value {
        Datum::Text(text) if !text.is_empty() => text.clone(),
        Datum::Text(_) | Datum::Integer(_) | Datum::Pairs(_) => key.clone(),
    }
}
