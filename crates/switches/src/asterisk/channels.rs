//! Channels that come, are dialled, answer and go.

use cordboard_core::Seen;
use cordboard_core::event::{Cause, DeviceKind, Direction, Origin, Role, With};
use cordboard_core::observation::{AgentSeen, DeviceSeen, LegSeen};

use super::ami::Message;
use super::causes::{End, cause_of};
use super::names::{dialled_number, known};
use super::picture::{CallRecord, LegRecord, Picture, What};
use super::requests::BY_REQUEST;

impl Picture {
    pub(crate) fn new_channel(&mut self, message: &Message) {
        let (Some(uid), Some(name)) = (message.get("Uniqueid"), message.get("Channel")) else { return };
        if self.channels.contains_key(uid) || !self.learn_channel(uid, name, message) {
            return; // said again, or one of Asterisk's own
        }
        self.compare_clocks(uid);
        // State 0 (down) is a channel that Asterisk dials: DialBegin tells for whom. Any other comes from outside.
        if self.channels.get(uid).is_some_and(|channel| channel.local.is_some())
            || message.get("ChannelState") == Some("0")
        {
            return;
        }
        self.begin_from(uid, known(message.get("Exten")).unwrap_or_default());
        self.run_waiting_dials();
        if let Some(leg) = self.leg_of(uid).filter(|_| self.channels.get(uid).is_some_and(|channel| channel.up)) {
            let key = leg.key.clone();
            self.see_leg(&key, LegSeen::Answer(With::System));
        }
    }

    /// A channel begins a call to `exten`.
    fn begin_from(&mut self, uid: &str, exten: &str) {
        let Some(channel) = self.channels.get(uid) else { return };
        let outside = self.settings.leads_outside(exten) && !self.devices.contains_key(exten);
        let (direction, ani) = match (channel.outside, outside) {
            (true, _) => (Direction::Inbound, channel.caller.clone()),
            (false, true) => (Direction::Outbound, channel.device.clone()),
            (false, false) => (Direction::Internal, channel.device.clone()),
        };
        let number = if channel.outside { channel.caller.clone() } else { channel.device.clone() };
        let record =
            CallRecord { ani_name: channel.caller_name.clone(), ..CallRecord::new(direction, ani, exten.to_string()) };
        self.begin_call(uid, record, None);
        if let Some((key, party)) = self.add_leg(uid, uid, Role::Originator, number) {
            self.see_leg(&key, LegSeen::Dial { call: uid.to_string(), party });
        }
    }

    pub(crate) fn new_state(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "Uniqueid") else {
            // A call answered at once can be told of before its channel is.
            let own = message.get("Linkedid") == message.get("Uniqueid");
            if own && message.get("ChannelState") == Some("6") {
                self.new_channel(message);
            }
            return;
        };
        if let Some(channel) = self.channels.get_mut(uid).filter(|channel| channel.caller.is_empty()) {
            // Channels on request learn the number they show after they were made.
            channel.caller = known(message.get("CallerIDNum")).unwrap_or_default().to_string();
        }
        self.note_shown(uid);
        if message.get("ChannelState") == Some("6") {
            self.came_up(uid);
        }
    }

    /// A channel is up: answered by its party if it was dialled, by the switch if it came from outside.
    fn came_up(&mut self, uid: &str) {
        let Some(channel) = self.channels.get_mut(uid) else { return };
        let was_up = std::mem::replace(&mut channel.up, true);
        if was_up || channel.local.is_some() {
            return;
        }
        match channel.legs.last() {
            Some(leg) if leg.originator && self.calls.get(&leg.call).is_some_and(|call| call.originated) => {
                let key = leg.key.clone();
                self.see_leg(&key, LegSeen::PickUp);
            }
            Some(leg) if leg.originator => {
                let key = leg.key.clone();
                self.see_leg(&key, LegSeen::Answer(With::System));
            }
            Some(_) => self.answered(uid),
            None => {}
        }
    }

    /// A dialled party answered.
    pub(crate) fn answered(&mut self, uid: &str) {
        let Some(channel) = self.channels.get_mut(uid) else { return };
        channel.up = true;
        let by_queue = channel.queue.is_some();
        let Some(leg) = channel.legs.last_mut() else { return };
        if leg.originator {
            // The first party of a call on request: whom it is for is called now.
            let key = leg.key.clone();
            return self.see_leg(&key, LegSeen::PickUp);
        }
        leg.talked = true;
        let (key, call) = (leg.key.clone(), leg.call.clone());
        self.see_leg(&key, LegSeen::Answer(With::Person));
        for uid in self.channels_of(&call) {
            let legs = self.channels.get_mut(&uid).into_iter().flat_map(|channel| &mut channel.legs);
            for leg in legs.filter(|leg| leg.call == call && leg.originator) {
                leg.talked = true;
            }
        }
        if by_queue && let Some(call) = self.calls.get_mut(&call) {
            call.queue_answered = true;
        }
    }

    pub(crate) fn dial_begin(&mut self, message: &Message) {
        let (Some(dialled), Some(name)) = (message.get("DestUniqueid"), message.get("DestChannel")) else { return };
        let dest = super::live::dest_headers(message);
        if !self.learn_channel(dialled, name, &dest) {
            return;
        }
        let number = dialled_number(message.get("DialString").unwrap_or_default()).to_string();
        match self.uid(message, "Uniqueid") {
            None if message.get("Uniqueid").is_none() => self.originated(dialled, &number),
            // Dialled by a channel that stands for nobody, or by one that is told of in a moment.
            None => {
                let (dialer, dialled) = (message.get("Uniqueid").unwrap_or_default().to_string(), dialled.to_string());
                self.later(What::Dial { dialer, dialled, number });
            }
            Some(dialer) => match self.call_of(dialer) {
                Some(call) => self.dialled(&call, Some(dialer), dialled, &number),
                None => {
                    let (dialer, dialled) = (dialer.to_string(), dialled.to_string());
                    self.later(What::Dial { dialer, dialled, number });
                }
            },
        }
    }

    /// A channel is dialled for a call.
    pub(crate) fn dialled(&mut self, call: &str, dialer: Option<&str>, uid: &str, number: &str) {
        let by_queue = dialer.and_then(|dialer| self.queue_through(dialer));
        let Some(channel) = self.channels.get_mut(uid) else { return };
        if let Some((_, base)) = &channel.local {
            let base = base.clone();
            let queue = channel.queue.clone().or(by_queue);
            if let Some(pair) = self.locals.get_mut(&base) {
                pair.queue = queue;
            }
            self.carry(&base, call);
            return self.run_waiting_dials();
        }
        if !channel.legs.is_empty() {
            return; // said again
        }
        if channel.queue.is_none() {
            channel.queue = by_queue;
        }
        let number = if channel.outside { number.to_string() } else { channel.device.clone() };
        channel.number.clone_from(&number);
        let (outside, device) = (channel.outside, channel.device.clone());
        let first = self.calls.get(call).is_some_and(|call| call.originated && !call.has_originator);
        if first {
            let direction = if outside { Direction::Outbound } else { Direction::Internal };
            self.describe(call, |call| {
                call.direction = direction;
                call.ani.clone_from(&number);
                call.first = Some((number.clone(), BY_REQUEST.to_string()));
            });
        } else {
            self.describe_dialled(call, outside, &number, &device);
        }
        let role = if first { Role::Originator } else { Role::Destination };
        if let Some((key, party)) = self.add_leg(uid, call, role, number) {
            self.see_leg(&key, LegSeen::Ring { call: call.to_string(), party });
        }
        self.note_shown(uid);
        if self.channels.get(uid).is_some_and(|channel| channel.up) && !first {
            self.answered(uid);
        }
    }

    /// A call from within the house that dials a line goes outside; one on request goes to whom it dials.
    fn describe_dialled(&mut self, call: &str, outside: bool, number: &str, device: &str) {
        self.describe(call, |call| {
            if outside && call.direction == Direction::Internal {
                call.direction = Direction::Outbound;
            }
            if call.originated && call.dnis.is_empty() {
                call.dnis = if outside { number.to_string() } else { device.to_string() };
            }
        });
    }

    /// The queue on whose behalf a Local channel dials.
    fn queue_through(&self, dialer: &str) -> Option<String> {
        let (_, base) = self.channels.get(dialer)?.local.as_ref()?;
        self.locals.get(base)?.queue.clone()
    }

    /// Dials that waited for a Local channel's call can go on.
    pub(crate) fn run_waiting_dials(&mut self) {
        let waiting: Vec<What> = self
            .later
            .iter()
            .filter(|later| match &later.what {
                What::Dial { dialer: carrier, .. } | What::QueueJoin { channel: carrier, .. } => {
                    self.call_of(carrier).is_some()
                }
                What::JoinCalls { .. }
                | What::RequestFailed { .. }
                | What::ConsultOver { .. }
                | What::LeftQueue { .. }
                | What::CallerGone { .. }
                | What::Lose { .. } => false,
            })
            .map(|later| later.what.clone())
            .collect();
        self.later.retain(|later| !waiting.contains(&later.what));
        for what in waiting {
            self.run_later(what);
        }
    }

    pub(crate) fn dial_state(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "DestUniqueid") else { return };
        let alerted = matches!(message.get("DialStatus"), Some("RINGING" | "PROGRESS" | "PROCEEDING"));
        if let Some(leg) =
            self.channels.get(uid).filter(|channel| channel.outside && alerted).and_then(|channel| channel.legs.last())
        {
            let key = leg.key.clone();
            self.see_leg(&key, LegSeen::Reach);
        }
    }

    pub(crate) fn dial_end(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "DestUniqueid").map(str::to_string) else { return };
        let status = message.get("DialStatus").unwrap_or_default();
        if let Some(channel) = self.channels.get_mut(&uid) {
            // Why a call on request failed says its answer; that the dialling was cancelled then says nothing more.
            if status != "CANCEL" || channel.dial_status.as_deref().is_none_or(|was| was == "RINGING") {
                channel.dial_status = Some(status.to_string());
            }
        }
        if status != "ANSWER" {
            return;
        }
        let dialer = self.uid(message, "Uniqueid").and_then(|dialer| self.call_of(dialer));
        let own = self.call_of(&uid);
        match (dialer, own) {
            // Picked up by a channel with a call of its own: it belongs to the call it picked up.
            (Some(call), Some(own)) if call != own => self.move_leg(&uid, &call),
            (None, Some(_)) if message.get("Uniqueid").is_none() => return self.came_up(&uid),
            (_, _) => {}
        }
        if self.channels.get(&uid).is_some_and(|channel| channel.local.is_none()) {
            self.answered(&uid);
        }
    }

    /// The talking leg of a channel belongs to `call` from now on.
    pub(crate) fn move_leg(&mut self, uid: &str, call: &str) {
        let Some(leg) =
            self.channels.get_mut(uid).and_then(|channel| channel.legs.last_mut()).filter(|leg| leg.call != call)
        else {
            return;
        };
        let from = std::mem::replace(&mut leg.call, call.to_string());
        leg.originator = false;
        leg.talked = true;
        let key = leg.key.clone();
        self.serve(call, uid);
        let up = self.channels.get(uid).is_some_and(|channel| channel.up);
        self.see_leg(&key, LegSeen::Move { to: call.to_string() });
        if up {
            // A party that was rung for a call of its own, and is put into this one.
            self.see_leg(&key, LegSeen::Answer(With::Person));
        }
        self.drop_call_if_unused(&from);
    }

    pub(crate) fn hangup_request(&mut self, message: &Message) {
        if let Some(uid) = self.uid(message, "Uniqueid")
            && let Some(channel) = self.channels.get_mut(uid)
        {
            channel.hangup_requested = true;
            if channel.caller.is_empty() {
                channel.caller = known(message.get("CallerIDNum")).unwrap_or_default().to_string();
            }
            return self.note_shown(uid);
        }
        // Overtaken by the end of its own channel.
        let on_request = |call: &str| self.calls.get(call).is_some_and(|call| call.originated);
        let gone = |what: &What| match what {
            What::CallerGone { channel, leg, .. } => message.get("Uniqueid") == Some(channel) && !on_request(&leg.call),
            What::JoinCalls { .. }
            | What::Dial { .. }
            | What::RequestFailed { .. }
            | What::QueueJoin { .. }
            | What::ConsultOver { .. }
            | What::LeftQueue { .. }
            | What::Lose { .. } => false,
        };
        if let Some(at) = self.later.iter().position(|later| gone(&later.what)) {
            let mut what = self.later.remove(at).what;
            if let What::CallerGone { seen: LegSeen::Hangup { by_self, .. }, .. } = &mut what {
                *by_self = true;
            }
            self.run_later(what);
        }
    }

    pub(crate) fn hangup(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) else { return };
        let number = |header: &str| message.get(header).and_then(|value| value.trim().parse().ok());
        self.end_channel(&uid, number("Cause"), number("TechCause"));
    }

    /// A channel is gone, and with it every leg it stood for, the newest first.
    pub(crate) fn end_channel(&mut self, uid: &str, q850: Option<u16>, sip: Option<u16>) {
        let Some(channel) = self.forget_channel(uid) else { return };
        self.leave_bridge_of(uid, channel.bridge.as_deref());
        if let Some((_, base)) = &channel.local {
            self.end_local_half(uid, base);
        }
        self.explain_queue_exit(&channel);
        for leg in channel.legs.iter().rev() {
            let answered = leg.talked;
            let diverted = channel.diverted && !answered;
            let cause = cause_of(End { q850, sip, dial_status: channel.dial_status.as_deref(), answered });
            let cause = if diverted { Cause::Redirected } else { cause };
            // A party that refuses a call made on request does not hang up as a caller does.
            let on_request = leg.originator && self.calls.get(&leg.call).is_some_and(|call| call.originated);
            let by_self = channel.hangup_requested && (channel.up || !on_request);
            let seen = LegSeen::Hangup { cause, code: q850, by_self, by: None };
            self.end_leg(uid, leg.clone(), seen);
        }
        for key in &channel.handed_over {
            // Said again, unless the hand-over could not be understood.
            self.see_leg(key, LegSeen::Hangup { cause: Cause::Normal, code: q850, by_self: false, by: None });
        }
        for leg in &channel.legs {
            self.end_waiting_legs(&leg.call);
        }
    }

    /// A party that consults waits with its first leg for nobody once the others of that call are gone.
    fn end_waiting_legs(&mut self, call: &str) {
        let channels = self.channels_of(call);
        let active = |uid: &String| self.leg_of(uid).is_some_and(|leg| leg.call == call);
        if channels.iter().any(active) {
            return;
        }
        let mut waiting = Vec::new();
        for uid in channels {
            if let Some(channel) = self.channels.get_mut(&uid) {
                waiting.extend(channel.legs.iter().filter(|leg| leg.call == call).cloned());
                channel.legs.retain(|leg| leg.call != call);
            }
        }
        for leg in &waiting {
            self.see_leg(&leg.key, LegSeen::Hangup { cause: Cause::Normal, code: None, by_self: false, by: None });
        }
        self.drop_call_if_unused(call);
    }

    fn end_leg(&mut self, uid: &str, leg: LegRecord, seen: LegSeen) {
        if leg.originator && !leg.talked && !matches!(seen, LegSeen::Hangup { by_self: true, .. }) {
            let (channel, at) = (uid.to_string(), self.now);
            self.later(What::CallerGone { channel, leg, seen, at });
            return;
        }
        self.settle_purpose(&leg.call);
        self.see_leg(&leg.key, seen);
        self.drop_call_if_unused(&leg.call);
    }

    fn end_local_half(&mut self, uid: &str, base: &str) {
        let Some(pair) = self.locals.get_mut(base) else { return };
        for half in &mut pair.halves {
            if half.as_deref() == Some(uid) {
                *half = None;
            }
        }
        if pair.halves.iter().flatten().all(|half| !self.channels.contains_key(half)) {
            let call = self.locals.remove(base).and_then(|pair| pair.call);
            if let Some(call) = call {
                self.drop_call_if_unused(&call);
            }
        }
    }

    pub(crate) fn run_later(&mut self, what: What) {
        match what {
            // No party did it and no event explains it: somebody asked the manager to.
            What::JoinCalls { bridge } => self.join_calls(&bridge, Some(BY_REQUEST)),
            What::Dial { dialer, dialled, number } => {
                let call = self
                    .call_of(&dialer)
                    .or_else(|| self.call_beside(&dialer))
                    .or_else(|| self.call_of_linkedid(&dialer));
                let call = call.or_else(|| self.call_of_linkedid(&dialled));
                if let Some(call) = call {
                    self.dialled(&call, Some(&dialer), &dialled, &number);
                }
            }
            What::LeftQueue { call, queue, at, abandoned } => self.left_queue_unexplained(&call, &queue, at, abandoned),
            What::Lose { channel } => {
                self.lose_channel(&channel);
                self.origin = Origin::Live;
            }
            What::RequestFailed { message } => {
                if let Some(call) = self.failed_request(&message) {
                    self.request_failed(&call, &message);
                }
            }
            What::QueueJoin { channel, queue, position, at } => {
                let call = self.call_of(&channel).or_else(|| self.call_beside(&channel));
                if let Some(call) = call.or_else(|| self.call_of_linkedid(&channel)) {
                    self.since = Some(at).filter(|at| *at < self.now);
                    self.enter_queue(&call, queue, position);
                    self.since = None;
                }
            }
            What::ConsultOver { leg, at, by_self, .. } => {
                self.since = Some(at).filter(|at| *at < self.now);
                self.see_leg(&leg.key, LegSeen::Hangup { cause: Cause::Normal, code: None, by_self, by: None });
                self.since = None;
                self.drop_call_if_unused(&leg.call);
            }
            What::CallerGone { leg, seen, at, .. } => {
                self.since = Some(at).filter(|at| *at < self.now);
                self.settle_purpose(&leg.call);
                self.see_leg(&leg.key, seen);
                self.since = None;
                self.drop_call_if_unused(&leg.call);
            }
        }
    }

    /// The call whose Linkedid a channel bears.
    fn call_of_linkedid(&self, uid: &str) -> Option<String> {
        let linkedid = &self.channels.get(uid)?.linkedid;
        self.call_of(linkedid).or_else(|| self.calls.contains_key(linkedid).then(|| linkedid.clone()))
    }

    /// Makes an endpoint known as a device.
    pub(crate) fn learn_device(&mut self, endpoint: &str) -> DeviceKind {
        if let Some(kind) = self.devices.get(endpoint) {
            return *kind;
        }
        self.set_device(endpoint, self.settings.kind_of(endpoint))
    }

    /// Something says what an endpoint is.
    pub(crate) fn set_device(&mut self, endpoint: &str, kind: DeviceKind) -> DeviceKind {
        // The settings have the last word.
        let kind = if self.settings.trunks.iter().any(|trunk| trunk == endpoint) { DeviceKind::Trunk } else { kind };
        let full = self.devices.len() >= self.settings.devices_max && !self.devices.contains_key(endpoint);
        if full {
            self.ignored += 1;
        } else if self.devices.insert(endpoint.to_string(), kind) != Some(kind) {
            self.see(Seen::Device { device: endpoint.to_string(), seen: DeviceSeen::Exist(kind) });
        }
        kind
    }

    /// An agent's standing line (`app_agent_pool`): the call that logged in is over, the line stays.
    pub(crate) fn agent_login(&mut self, message: &Message) {
        let (Some(uid), Some(agent)) = (self.uid(message, "Uniqueid").map(str::to_string), message.get("Agent")) else {
            return;
        };
        let Some(channel) = self.channels.get_mut(&uid) else { return };
        channel.standing = Some(agent.to_string());
        let device = channel.device.clone();
        for leg in std::mem::take(&mut channel.legs) {
            self.see_leg(&leg.key, LegSeen::Hangup { cause: Cause::Normal, code: None, by_self: false, by: None });
            self.drop_call_if_unused(&leg.call);
        }
        self.pool.insert(agent.to_string(), Some(device.clone()));
        self.join_pool_queues(agent, &device);
    }

    pub(crate) fn agent_logoff(&mut self, message: &Message) {
        let Some(agent) = message.get("Agent") else { return };
        self.pool.insert(agent.to_string(), None);
        self.see(Seen::Agent { agent: agent.to_string(), seen: AgentSeen::Leave { queue: None } });
    }
}

impl CallRecord {
    pub(crate) fn new(direction: Direction, ani: String, dnis: String) -> Self {
        Self {
            number: 0,
            direction,
            ani,
            ani_name: String::new(),
            dnis,
            originated: false,
            has_originator: false,
            first: None,
            queued: None,
            queue_answered: false,
            ivr: None,
        }
    }
}
