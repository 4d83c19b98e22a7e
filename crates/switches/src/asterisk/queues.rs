//! Queues and those who serve them; directory numbers and their features.

use cordboard_core::event::{DequeueReason, DeviceKind, ForwardMode};
use cordboard_core::observation::{AgentSeen, CallSeen, DeviceSeen, QueueSeen};
use cordboard_core::{Seen, Time};

use super::ami::{Message, unescape};
use super::names::{Member, known};
use super::picture::{Channel, Picture, What};

impl Picture {
    pub(crate) fn learn_queue(&mut self, queue: &str) {
        self.see(Seen::Queue { queue: queue.to_string(), seen: QueueSeen::Exist });
        let wrapup_ms = self.settings.wrapup_ms.get(queue).copied();
        let known = self.resync.wrapup_ms.get(queue).copied();
        let wrapup_ms = wrapup_ms.or(known).unwrap_or(self.settings.wrapup_ms_default);
        self.see(Seen::Queue { queue: queue.to_string(), seen: QueueSeen::WrapUp(wrapup_ms) });
    }

    pub(crate) fn queue_join(&mut self, message: &Message) {
        let Some(queue) = message.get("Queue").map(str::to_string) else { return };
        let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) else { return };
        let position = message.get("Position").and_then(|position| position.parse().ok()).unwrap_or(0);
        match self.call_of(&uid) {
            Some(call) => self.enter_queue(&call, queue, position),
            None => {
                let at = self.now;
                self.later(What::QueueJoin { channel: uid, queue, position, at });
            }
        }
    }

    pub(crate) fn enter_queue(&mut self, call: &str, queue: String, position: u32) {
        self.explain_leaving(call, |abandoned| if abandoned { DequeueReason::TimedOut } else { DequeueReason::Left });
        self.settle_purpose(call);
        if let Some(record) = self.calls.get_mut(call) {
            record.queued = Some(queue.clone());
            record.queue_answered = false;
            record.ivr = None;
        }
        self.learn_queue(&queue);
        self.see_call(call, CallSeen::Queue { queue, position });
    }

    /// `QueueCallerAbandon` says only that no agent was reached: why, other things tell.
    pub(crate) fn queue_abandon(&mut self, message: &Message) {
        self.leaves_queue(message, true);
    }

    pub(crate) fn queue_leave(&mut self, message: &Message) {
        self.leaves_queue(message, false);
    }

    fn leaves_queue(&mut self, message: &Message, abandoned: bool) {
        let (Some(uid), Some(queue)) = (self.uid(message, "Uniqueid"), message.get("Queue")) else { return };
        let Some((call, hung_up)) =
            self.call_of(uid).zip(self.channels.get(uid).map(|channel| channel.hangup_requested))
        else {
            return;
        };
        let Some(record) = self.calls.get(&call).filter(|record| record.queued.as_deref() == Some(queue)) else {
            return;
        };
        let queue = queue.to_string();
        if record.queue_answered && !abandoned {
            self.left_queue(&call, &queue, DequeueReason::Answered);
        } else if hung_up {
            self.left_queue(&call, &queue, DequeueReason::Abandoned);
        } else {
            let waits = |what: &What| matches!(what, What::LeftQueue { call: at, .. } if *at == call);
            if let Some(later) = self.later.iter_mut().find(|later| waits(&later.what)) {
                if let What::LeftQueue { abandoned: was, .. } = &mut later.what {
                    *was |= abandoned;
                }
                return;
            }
            let at = self.now;
            self.later(What::LeftQueue { call, queue, at, abandoned });
        }
    }

    pub(crate) fn left_queue(&mut self, call: &str, queue: &str, reason: DequeueReason) {
        if let Some(record) = self.calls.get_mut(call).filter(|record| record.queued.as_deref() == Some(queue)) {
            record.queued = None;
            self.see_call(call, CallSeen::Dequeue { queue: queue.to_string(), reason, to: None });
        }
    }

    /// Nobody explained why a call left: the channel lives on, so the caller did not hang up.
    pub(crate) fn left_queue_unexplained(&mut self, call: &str, queue: &str, at: Time, abandoned: bool) {
        let answered = self.calls.get(call).is_some_and(|call| call.queue_answered);
        let reason = match (answered, abandoned) {
            (true, _) => DequeueReason::Answered,
            (false, true) => DequeueReason::TimedOut,
            (false, false) => DequeueReason::Left,
        };
        self.since = Some(at).filter(|at| *at < self.now);
        self.left_queue(call, queue, reason);
        self.since = None;
    }

    /// Something tells why a call left its queue; the reason may hang on whether the switch called it abandoned.
    fn explain_leaving(&mut self, call: &str, reason: impl FnOnce(bool) -> DequeueReason) {
        let at =
            self.later.iter().position(|later| matches!(&later.what, What::LeftQueue { call: at, .. } if at == call));
        if let Some(What::LeftQueue { queue, abandoned, .. }) = at.map(|at| self.later.remove(at).what) {
            self.left_queue(call, &queue, reason(abandoned));
        }
    }

    /// The channel of a call that left a queue is gone.
    pub(crate) fn explain_queue_exit(&mut self, channel: &Channel) {
        let Some(call) = channel.legs.last().filter(|leg| leg.originator).map(|leg| leg.call.clone()) else { return };
        // A time-out would have been named (QUEUESTATUS) or the channel would live on.
        self.explain_leaving(&call, |_| DequeueReason::Abandoned);
        // Still in the queue, as far as we heard: it ends there with its caller.
        if let Some(queue) = self.calls.get(&call).and_then(|call| call.queued.clone()) {
            self.left_queue(&call, &queue, DequeueReason::Abandoned);
        }
    }

    /// `QUEUESTATUS`: why the Queue application ended.
    pub(crate) fn queue_status_variable(&mut self, message: &Message) {
        let Some(call) = self.uid(message, "Uniqueid").and_then(|uid| self.call_of(uid)) else { return };
        let reason = match message.get("Value") {
            Some("TIMEOUT") => DequeueReason::TimedOut,
            Some("LEAVEEMPTY" | "LEAVEUNAVAIL") => DequeueReason::LeftEmpty,
            Some("WITHDRAW") => DequeueReason::Withdrawn,
            Some("CONTINUE") => DequeueReason::Left,
            Some(_) | None => return,
        };
        self.explain_leaving(&call, |_| reason);
    }

    pub(crate) fn agent_called(&mut self, message: &Message) {
        let queue = message.get("Queue").map(str::to_string);
        if let (Some(uid), Some(name)) = (message.get("DestUniqueid"), message.get("DestChannel")) {
            let dest = super::live::dest_headers(message);
            self.learn_channel(uid, name, &dest);
            if let Some(channel) = self.channels.get_mut(uid).filter(|channel| channel.queue.is_none()) {
                channel.queue = queue;
            }
        }
        if let Some(agent) = self.agent_of(message) {
            self.see(Seen::Agent { agent, seen: AgentSeen::Offer });
        }
    }

    pub(crate) fn agent_connect(&mut self, message: &Message) {
        let (Some(uid), Some(queue)) = (self.uid(message, "Uniqueid"), message.get("Queue")) else { return };
        if let Some(call) = self.call_of(uid) {
            let queue = queue.to_string();
            self.later.retain(|later| !matches!(&later.what, What::LeftQueue { call: at, .. } if *at == call));
            self.left_queue(&call, &queue, DequeueReason::Answered);
        }
    }

    pub(crate) fn agent_complete(&mut self, message: &Message) {
        let (Some(agent), Some(queue)) = (self.agent_of(message), message.get("Queue")) else { return };
        let call = self.uid(message, "Uniqueid").and_then(|uid| self.call_of(uid)).unwrap_or_default();
        self.see(Seen::Agent { agent, seen: AgentSeen::Complete { queue: queue.to_string(), call } });
    }

    fn agent_of(&self, message: &Message) -> Option<String> {
        let interface = message.get("Interface")?;
        let queue = message.get("Queue")?;
        if let Some(agent) = self.members.get(&(interface.to_string(), queue.to_string())) {
            return Some(agent.clone());
        }
        match Member::parse(interface, message.get("StateInterface").unwrap_or_default())? {
            Member::Device(device) => Some(self.agent_at(device, member_name(message))),
            Member::PoolAgent(agent) => Some(agent),
        }
    }

    /// A member of a queue, live or in a list: header names differ.
    pub(crate) fn member(&mut self, message: &Message) {
        let Some(queue) = message.get("Queue").map(str::to_string) else { return };
        let Some(interface) = message.get("Interface").or_else(|| message.get("Location")) else { return };
        let Some(member) = Member::parse(interface, message.get("StateInterface").unwrap_or_default()) else { return };
        let name = member_name(message);
        let paused = (message.get("Paused") == Some("1")).then(|| {
            known(message.get("PausedReason")).map(|reason| unescape(reason).into_owned()).unwrap_or_default()
        });
        self.learn_queue(&queue);
        let (agent, device) = match member {
            Member::Device(device) => (self.agent_at(device.clone(), name.clone()), Some(device)),
            Member::PoolAgent(agent) => {
                let device = self.pool.entry(agent.clone()).or_insert(None).clone();
                (agent, device)
            }
        };
        self.members.insert((interface.to_string(), queue.clone()), agent.clone());
        if let Some(device) = device {
            self.set_device(&device, DeviceKind::Extension);
            self.see(Seen::Agent { agent, seen: AgentSeen::Join { queue: Some(queue), device, name, paused } });
        } else {
            self.see(Seen::Agent { agent, seen: AgentSeen::Exist { name } });
        }
    }

    /// The agent at a member's telephone: named by it, or by the member's name where the settings say so.
    fn agent_at(&self, device: String, name: String) -> String {
        if self.settings.agents_by_member_name && !name.is_empty() { name } else { device }
    }

    /// The queues a pool agent serves from the telephone just logged in.
    pub(crate) fn join_pool_queues(&mut self, agent: &str, device: &str) {
        self.set_device(device, DeviceKind::Extension);
        let mut queues: Vec<Option<String>> =
            self.members.iter().filter(|(_, id)| *id == agent).map(|((_, queue), _)| Some(queue.clone())).collect();
        if queues.is_empty() {
            queues.push(None);
        }
        for queue in queues {
            let seen = AgentSeen::Join { queue, device: device.to_string(), name: String::new(), paused: None };
            self.see(Seen::Agent { agent: agent.to_string(), seen });
        }
    }

    pub(crate) fn member_removed(&mut self, message: &Message) {
        let (Some(agent), Some(queue), Some(interface)) =
            (self.agent_of(message), message.get("Queue"), message.get("Interface"))
        else {
            return;
        };
        self.members.remove(&(interface.to_string(), queue.to_string()));
        self.see(Seen::Agent { agent, seen: AgentSeen::Leave { queue: Some(queue.to_string()) } });
    }

    pub(crate) fn member_pause(&mut self, message: &Message) {
        let (Some(agent), Some(queue)) = (self.agent_of(message), message.get("Queue").map(str::to_string)) else {
            return;
        };
        let reason = || {
            known(message.get("PausedReason").or_else(|| message.get("Reason")))
                .map(|reason| unescape(reason).into_owned())
        };
        let seen = match message.get("Paused") {
            Some("1") => AgentSeen::Pause { queue, reason: reason().unwrap_or_default() },
            Some(_) | None => AgentSeen::Resume { queue },
        };
        self.see(Seen::Agent { agent, seen });
    }

    /// Device states come for telephones and for many other things, told apart by the prefix.
    pub(crate) fn device_state(&mut self, message: &Message) {
        let (Some(device), Some(state)) = (message.get("Device"), message.get("State")) else { return };
        if let Some(custom) = device.strip_prefix("Custom:") {
            // The common dial plans keep do-not-disturb in Custom:DND<extension>.
            if let Some(number) = custom.strip_prefix("DND").filter(|number| !number.is_empty()) {
                let on = matches!(state, "INUSE" | "BUSY" | "ONHOLD" | "RINGING");
                let number = number.to_string();
                if on || self.devices.contains_key(&number) {
                    self.set_device(&number, DeviceKind::Extension);
                    self.see(Seen::Device { device: number, seen: DeviceSeen::Dnd(on) });
                }
            }
            return;
        }
        let Some((technology, endpoint)) = device.split_once('/') else { return };
        if technology == "Local" || device.contains(':') || technology == "CBAnn" {
            return;
        }
        let service = match state {
            "UNAVAILABLE" | "INVALID" => false,
            "UNKNOWN" => return,
            _ => true,
        };
        self.learn_device(endpoint);
        self.see(Seen::Device { device: endpoint.to_string(), seen: DeviceSeen::Service(service) });
    }

    /// A hint names the telephones of ours.
    pub(crate) fn extension_status(&mut self, message: &Message) {
        for part in message.get("Hint").unwrap_or_default().split('&') {
            if let Some((technology, endpoint)) =
                part.split_once('/').filter(|(technology, _)| !technology.contains(':'))
                && !matches!(technology, "Local" | "CBAnn")
                && !endpoint.is_empty()
            {
                self.set_device(endpoint, DeviceKind::Extension);
            }
        }
    }

    /// Voice messages in a mailbox, which is named after its extension.
    pub(crate) fn message_waiting(&mut self, message: &Message) {
        let Some(mailbox) = message.get("Mailbox") else { return };
        let count = |names: [&str; 2]| {
            names.iter().find_map(|name| message.get(name)).and_then(|value| value.trim().parse().ok())
        };
        let Some(new) = count(["New", "NewMessages"]) else { return };
        let number = mailbox.split_once('@').map_or(mailbox, |(number, _)| number).to_string();
        if self.devices.contains_key(&number) {
            let seen = DeviceSeen::Messages(new, count(["Old", "OldMessages"]).unwrap_or(0));
            self.see(Seen::Device { device: number, seen });
        }
    }

    /// What the dial plan tells in user events of the names it is documented to use: `CallForward` and `DoNotDisturb`.
    pub(crate) fn user_event(&mut self, message: &Message) {
        let Some(number) = message.get("Extension").filter(|number| !number.is_empty()).map(str::to_string) else {
            return;
        };
        match message.get("UserEvent") {
            Some("CallForward") => {
                let mode = match message.get("Mode") {
                    Some("OnBusy") => ForwardMode::OnBusy,
                    Some("OnNoAnswer") => ForwardMode::OnNoAnswer,
                    Some(_) | None => ForwardMode::Unconditional,
                };
                let target = known(message.get("To")).map(str::to_string);
                self.set_device(&number, DeviceKind::Extension);
                self.see(Seen::Device { device: number, seen: DeviceSeen::Forward(mode, target) });
            }
            Some("DoNotDisturb") => {
                let on = matches!(message.get("State"), Some("on" | "On" | "ON" | "1" | "true"));
                self.set_device(&number, DeviceKind::Extension);
                self.see(Seen::Device { device: number, seen: DeviceSeen::Dnd(on) });
            }
            Some(_) | None => self.ignored += 1,
        }
    }
}

fn member_name(message: &Message) -> String {
    let name = message.get("MemberName").or_else(|| message.get("Name"));
    name.map(|name| unescape(name).into_owned()).unwrap_or_default()
}
