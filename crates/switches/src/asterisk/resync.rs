//! The whole state, read at once: after connecting, after a loss, and from time to time. What differs from the picture
//! is repaired and told as synthesised.
//!
//! A snapshot does not hold who dialled whom, who holds, and what was before: what the picture knows of channels that
//! are still there stays, and what is new is read as well as the applications the channels run tell it.

use std::collections::{BTreeMap, BTreeSet};

use cordboard_core::event::{Cause, DequeueReason, DeviceKind, Direction, Origin, Role, With};
use cordboard_core::observation::{AgentSeen, CallSeen, LegSeen, SwitchSeen};
use cordboard_core::{Seen, Time};

use super::ami::{Message, unescape};
use super::names::{ChannelName, dialled_number, known};
use super::picture::{Bridge, CallRecord, Picture, What};
use super::snapshot::{SnapshotPart, Tagged};

/// How late the Hangup of a channel may be that a snapshot no longer shows, in milliseconds.
const LATE_HANGUP_MS: u64 = 2_000;

/// What a running snapshot has told so far, and what lasts from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Resync {
    running: bool,
    rows: BTreeMap<String, Message>,
    bridge_rows: BTreeMap<String, Message>,
    bridge_of: BTreeMap<String, String>,
    entries: Vec<Message>,
    parked: Vec<Message>,
    members: BTreeSet<(String, String)>,
    agents_in: Vec<(String, String)>,
    channels_known: bool,
    members_known: bool,
    /// Channels that live events spoke of since the snapshot began: what it says of them may be old.
    touched: BTreeSet<String>,
    version: String,
    /// When Asterisk started, in its own words: another answer than before tells a restart from a lost connection.
    started: Option<String>,
    restarted: bool,
    /// Whether the state was read before: the first time nothing is a difference.
    read_before: bool,
    /// Bounds of (our time - Asterisk's time) in microseconds, from channels seen to be made: their ids tell the second.
    pub(crate) clock: Option<(i128, i128)>,
    /// When members finished their last call, in Asterisk's seconds.
    last_calls: BTreeMap<String, u64>,
    pub(crate) wrapup_ms: BTreeMap<String, u64>,
    queues: BTreeSet<String>,
    /// When the connection was lost, until the state was read again.
    pub(crate) lost_at: Option<Time>,
}

impl Picture {
    /// Takes in one message of a connection, with what its ActionID says about it.
    pub fn handle_tagged(&mut self, now: Time, tagged: &Tagged) {
        match tagged {
            Tagged::Live(message) => {
                if self.resync.running
                    && let Some(uid) = message.get("Uniqueid")
                {
                    self.resync.touched.insert(uid.to_string());
                }
                self.handle_event(now, message);
            }
            Tagged::SnapshotStarted => {
                self.handle_timeout(now);
                let keep = std::mem::take(&mut self.resync);
                self.resync = Resync {
                    running: true,
                    version: keep.version,
                    started: keep.started,
                    read_before: keep.read_before,
                    clock: keep.clock,
                    wrapup_ms: keep.wrapup_ms,
                    queues: keep.queues,
                    lost_at: keep.lost_at,
                    ..Resync::default()
                };
            }
            Tagged::Snapshot { part, subject, message } => {
                self.handle_timeout(now);
                self.origin = Origin::Synthesised;
                self.snapshot_item(*part, subject.as_deref(), message);
                self.origin = Origin::Live;
            }
            Tagged::SnapshotDone { part, known } => match part {
                SnapshotPart::Status | SnapshotPart::Channels => self.resync.channels_known |= *known,
                SnapshotPart::Queues => self.resync.members_known |= *known,
                SnapshotPart::CoreSettings
                | SnapshotPart::CoreStatus
                | SnapshotPart::Bridges
                | SnapshotPart::BridgeMembers
                | SnapshotPart::DeviceStates
                | SnapshotPart::ExtensionStates
                | SnapshotPart::Endpoints
                | SnapshotPart::Contacts
                | SnapshotPart::ParkedCalls
                | SnapshotPart::Conferences
                | SnapshotPart::ConferenceMembers
                | SnapshotPart::Agents
                | SnapshotPart::Voicemail
                | SnapshotPart::Mailboxes
                | SnapshotPart::QueueConfig => {}
            },
            Tagged::SnapshotComplete => {
                self.handle_timeout(now);
                self.origin = Origin::Synthesised;
                self.reconcile();
                self.origin = Origin::Live;
                self.resync.running = false;
                self.resync.lost_at = None;
            }
            Tagged::SnapshotAborted => self.resync.running = false,
            Tagged::Answer { message, .. } => {
                if message.event() == Some("AorList")
                    && let Some(name) = message.get("ObjectName")
                {
                    self.handle_timeout(now);
                    self.learn_device(name);
                }
            }
            Tagged::Unanswered { .. } => {}
        }
    }

    /// The connection is gone.
    pub fn handle_closed(&mut self, now: Time, reason: &str) {
        self.now = self.now.max(now);
        for later in std::mem::take(&mut self.later) {
            self.run_later(later.what);
        }
        // What the last of them put off has nothing to wait for either.
        for later in std::mem::take(&mut self.later) {
            self.run_later(later.what);
        }
        self.resync.running = false;
        self.resync.lost_at.get_or_insert(self.now);
        self.see(Seen::Switch(SwitchSeen::Disconnect { reason: reason.to_string() }));
    }

    fn snapshot_item(&mut self, part: SnapshotPart, subject: Option<&str>, message: &Message) {
        let row = message.is_event() && !message.event().is_some_and(|event| event.ends_with("Complete"));
        match part {
            SnapshotPart::CoreSettings => {
                if let Some(version) = message.get("AsteriskVersion") {
                    self.resync.version = version.to_string();
                }
            }
            SnapshotPart::CoreStatus => {
                let started = message.get("CoreStartupDate").zip(message.get("CoreStartupTime"));
                let started = started.map(|(date, time)| format!("{date} {time}"));
                self.resync.restarted =
                    self.resync.started.is_some() && started.is_some() && self.resync.started != started;
                self.resync.started = started.or_else(|| self.resync.started.take());
            }
            SnapshotPart::Status | SnapshotPart::Channels if row => {
                if let Some(uid) = message.get("Uniqueid") {
                    // Status tells more than CoreShowChannels, whichever comes first.
                    let better = part == SnapshotPart::Status || !self.resync.rows.contains_key(uid);
                    if better {
                        self.resync.rows.insert(uid.to_string(), message.clone());
                    }
                }
            }
            SnapshotPart::Bridges if row => {
                if let Some(id) = message.get("BridgeUniqueid") {
                    self.resync.bridge_rows.insert(id.to_string(), message.clone());
                }
            }
            SnapshotPart::BridgeMembers if row => {
                if let (Some(id), Some(uid)) = (subject, message.get("Uniqueid")) {
                    self.resync.bridge_of.insert(uid.to_string(), id.to_string());
                }
            }
            SnapshotPart::Queues if row => self.queue_row(message),
            SnapshotPart::DeviceStates if row => self.device_state(message),
            SnapshotPart::ExtensionStates if row => self.extension_status(message),
            SnapshotPart::Endpoints if row => {
                if let Some(name) = message.get("ObjectName") {
                    self.learn_device(name);
                }
            }
            SnapshotPart::ParkedCalls if row => self.resync.parked.push(message.clone()),
            SnapshotPart::Agents if row => self.agent_row(message),
            SnapshotPart::Voicemail if row => self.mailbox_row(message),
            SnapshotPart::Mailboxes => self.message_waiting(message),
            SnapshotPart::QueueConfig => self.queue_config(message),
            SnapshotPart::Contacts
            | SnapshotPart::Conferences
            | SnapshotPart::ConferenceMembers
            | SnapshotPart::Status
            | SnapshotPart::Channels
            | SnapshotPart::Bridges
            | SnapshotPart::BridgeMembers
            | SnapshotPart::Queues
            | SnapshotPart::DeviceStates
            | SnapshotPart::ExtensionStates
            | SnapshotPart::Endpoints
            | SnapshotPart::ParkedCalls
            | SnapshotPart::Agents
            | SnapshotPart::Voicemail => {}
        }
    }

    fn queue_row(&mut self, message: &Message) {
        match message.event() {
            Some("QueueParams") => {
                if let Some(queue) = message.get("Queue") {
                    self.resync.queues.insert(queue.to_string());
                    self.learn_queue(queue);
                }
            }
            Some("QueueMember") => {
                self.member(message);
                let key = (message.get("Location").or(message.get("Interface")), message.get("Queue"));
                if let (Some(interface), Some(queue)) = key
                    && let Some(agent) = self.members.get(&(interface.to_string(), queue.to_string()))
                {
                    self.resync.members.insert((agent.clone(), queue.to_string()));
                    let last_call = message.get("LastCall").and_then(|last| last.trim().parse().ok()).unwrap_or(0);
                    self.resync.last_calls.insert(agent.clone(), last_call);
                }
            }
            Some("QueueEntry") => self.resync.entries.push(message.clone()),
            Some(_) | None => {}
        }
    }

    fn agent_row(&mut self, message: &Message) {
        let Some(agent) = message.get("Agent").map(str::to_string) else { return };
        let name = known(message.get("Name")).map(|name| unescape(name).into_owned()).unwrap_or_default();
        self.see(Seen::Agent { agent: agent.clone(), seen: AgentSeen::Exist { name } });
        match known(message.get("LoggedInChan")).filter(|channel| *channel != "n/a") {
            Some(channel) => self.resync.agents_in.push((agent, channel.to_string())),
            None => {
                self.pool.insert(agent.clone(), None);
                self.see(Seen::Agent { agent, seen: AgentSeen::Leave { queue: None } });
            }
        }
    }

    fn mailbox_row(&mut self, message: &Message) {
        let of = |name: &str| message.get(name).unwrap_or_default().to_string();
        let headers = [
            ("Mailbox", format!("{}@{}", of("VoiceMailbox"), of("VMContext"))),
            ("New", of("NewMessageCount")),
            ("Old", of("OldMessageCount")),
        ];
        self.message_waiting(&Message::from_headers(headers));
    }

    /// `queues.conf`, as `GetConfig` tells it: `Category-000001: support`, `Line-000001-000003: wrapuptime=5`.
    fn queue_config(&mut self, message: &Message) {
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for (header, value) in message.headers() {
            if let Some(number) = header.strip_prefix("Category-") {
                names.insert(number, value);
                self.resync.wrapup_ms.insert(value.to_string(), 0);
            } else if let Some(place) = header.strip_prefix("Line-")
                && let Some(queue) = place.split_once('-').and_then(|(number, _)| names.get(number))
                && let Some(seconds) =
                    value.strip_prefix("wrapuptime=").and_then(|value| value.trim().parse::<u64>().ok())
            {
                self.resync.wrapup_ms.insert((*queue).to_string(), seconds.saturating_mul(1_000));
            }
        }
        for queue in self.resync.queues.clone() {
            self.learn_queue(&queue);
        }
    }

    fn reconcile(&mut self) {
        if self.resync.channels_known {
            self.lose_missing_channels();
            self.place_in_bridges();
            self.meet_new_channels();
            self.place_waiting();
            for bridge in self.bridges.keys().cloned().collect::<Vec<_>>() {
                self.join_calls(&bridge, None);
            }
            let legs = self.channels.values().flat_map(|channel| &channel.legs).map(|leg| leg.key.clone()).collect();
            let calls = self.calls.keys().cloned().collect();
            let gone_since = self.resync.lost_at;
            self.see(Seen::Switch(SwitchSeen::Present { legs, calls, gone_since }));
        }
        for (agent, name) in std::mem::take(&mut self.resync.agents_in) {
            let device = ChannelName::parse(&name).endpoint;
            self.pool.insert(agent.clone(), Some(device.clone()));
            self.join_pool_queues(&agent, &device);
        }
        if self.resync.members_known {
            let pool = &self.pool;
            let logged_in = |agent: &String| pool.get(agent).is_none_or(Option::is_some);
            let members: Vec<_> = self.resync.members.iter().filter(|(agent, _)| logged_in(agent)).cloned().collect();
            let agents: BTreeSet<String> = members.iter().map(|(agent, _)| agent.clone()).collect();
            self.see(Seen::Switch(SwitchSeen::Members { members }));
            if std::mem::take(&mut self.resync.restarted) {
                // A restarted Asterisk has forgotten when its members finished their last calls.
                for agent in agents {
                    self.see(Seen::Agent { agent, seen: AgentSeen::Forgotten });
                }
            }
        }
        self.resync.read_before = true;
        let version = self.resync.version.clone();
        self.see(Seen::Switch(SwitchSeen::Connect { version }));
    }

    fn lose_missing_channels(&mut self) {
        let rows = &self.resync.rows;
        let gone = |uid: &&String| !rows.contains_key(*uid) && !self.resync.touched.contains(*uid);
        let gone: Vec<String> = self.channels.keys().filter(gone).cloned().collect();
        let ended: BTreeMap<String, Time> =
            gone.iter().filter_map(|uid| Some((self.call_of(uid)?, self.finished(uid)?))).collect();
        for uid in gone {
            if self.resync.lost_at.is_none() {
                // Nothing was missed, so its Hangup is on its way: Asterisk queues events but writes answers directly.
                self.later_by(LATE_HANGUP_MS, What::Lose { channel: uid });
                continue;
            }
            self.since = self.call_of(&uid).and_then(|call| ended.get(&call).copied()).or(self.resync.lost_at);
            self.lose_channel(&uid);
        }
        self.since = None;
    }

    /// Asterisk does not know a channel any more, and we did not hear it end.
    pub(crate) fn lose_channel(&mut self, uid: &str) {
        let Some(channel) = self.channels.get_mut(uid) else { return };
        self.repaired += 1;
        self.origin = Origin::Synthesised;
        for leg in std::mem::take(&mut channel.legs) {
            if leg.originator
                && let Some(queue) = self.calls.get(&leg.call).and_then(|call| call.queued.clone())
            {
                self.left_queue(&leg.call, &queue, DequeueReason::Lost);
            }
            self.see_leg(&leg.key, LegSeen::Hangup { cause: Cause::Lost, code: None, by_self: false, by: None });
            self.drop_call_if_unused(&leg.call);
        }
        self.end_channel(uid, None, None);
    }

    /// When the member at a channel's telephone finished its last call, if that was while nobody listened.
    fn finished(&self, uid: &str) -> Option<Time> {
        let device = &self.channels.get(uid)?.device;
        let seconds = *self.resync.last_calls.get(device).filter(|seconds| **seconds > 0)?;
        let (low, high) = self.resync.clock?;
        let at = i128::from(seconds) * 1_000_000 + 500_000 + (low + high) / 2;
        let at = Time(u64::try_from(at).ok()?);
        (at > self.resync.lost_at? && at < self.now).then_some(at)
    }

    /// A channel was just made: the second in its id narrows down how Asterisk's clock differs from ours.
    pub(crate) fn compare_clocks(&mut self, uid: &str) {
        let (epoch, _) = sequence(uid);
        if epoch == 0 {
            return;
        }
        let now = i128::from(self.now.0);
        let (low, high) = (now - i128::from(epoch + 1) * 1_000_000, now - i128::from(epoch) * 1_000_000);
        self.resync.clock = Some(match self.resync.clock {
            // A clock that was set makes the old bounds worthless.
            Some((was_low, was_high)) if was_low.max(low) <= was_high.min(high) => {
                (was_low.max(low), was_high.min(high))
            }
            Some(_) | None => (low, high),
        });
    }

    fn place_in_bridges(&mut self) {
        for (id, row) in std::mem::take(&mut self.resync.bridge_rows) {
            let talk = row.get("BridgeType") == Some("basic");
            let room = (row.get("BridgeCreator") == Some("ConfBridge"))
                .then(|| row.get("BridgeName").unwrap_or_default().to_string());
            let bridge = self.bridges.entry(id).or_insert_with(|| Bridge { talk, ..Bridge::default() });
            bridge.room = room;
        }
    }

    /// Channels we never heard of, the oldest first: who calls before who is called.
    fn meet_new_channels(&mut self) {
        let rows = self.resync.rows.clone();
        let mut new: Vec<(&String, &Message)> =
            rows.iter().filter(|(uid, _)| !self.resync.touched.contains(*uid)).collect();
        new.sort_by_key(|(uid, _)| sequence(uid));
        let mut met = Vec::new();
        for (uid, row) in &new {
            let fresh = !self.channels.contains_key(*uid);
            if self.learn_channel(uid, row.get("Channel").unwrap_or_default(), row) {
                let bridge = known(row.get("BridgeID").or(row.get("BridgeId"))).map(str::to_string);
                if let Some(bridge) = bridge.or_else(|| self.resync.bridge_of.get(*uid).cloned()) {
                    self.bridges.entry(bridge.clone()).or_default();
                    self.put_in_bridge(uid, &bridge);
                }
                if fresh {
                    met.push((*uid, *row));
                }
            }
        }
        let called = |row: &Message| row.get("Application").is_some_and(|application| application.starts_with("App"));
        for (uid, row) in met.iter().filter(|(_, row)| !called(row)) {
            self.meet_caller(uid, row);
        }
        for (uid, row) in met.iter().filter(|(_, row)| called(row)) {
            self.meet_called(uid, row);
        }
        let first = self.resync.lost_at.is_none() && !self.resync.read_before;
        for (uid, _) in &met {
            self.repaired += u64::from(!first);
            self.tell_found(uid);
        }
    }

    fn meet_caller(&mut self, uid: &str, row: &Message) {
        let Some(channel) = self.channels.get(uid).filter(|channel| channel.local.is_none()).cloned() else { return };
        let dnis = known(row.get("DNID")).or(known(row.get("Exten"))).unwrap_or_default().to_string();
        let outside = self.settings.leads_outside(&dnis);
        let direction = match (channel.outside, outside) {
            (true, _) => Direction::Inbound,
            (false, true) => Direction::Outbound,
            (false, false) => Direction::Internal,
        };
        let number = if channel.outside { channel.caller.clone() } else { channel.device.clone() };
        self.since = self.age(row);
        self.see_call(uid, CallSeen::Present { legs: vec![uid.to_string()] });
        let record =
            CallRecord { ani_name: channel.caller_name.clone(), ..CallRecord::new(direction, number.clone(), dnis) };
        self.begin_call(uid, record, None);
        if let Some((key, party)) = self.add_leg(uid, uid, Role::Originator, number) {
            self.see_leg(&key, LegSeen::Dial { call: uid.to_string(), party });
        }
        self.since = None;
    }

    /// A channel that was dialled belongs to the call of its Linkedid, or else of those it talks with.
    fn meet_called(&mut self, uid: &str, row: &Message) {
        let Some(channel) = self.channels.get(uid).filter(|channel| channel.local.is_none()).cloned() else { return };
        let beside = channel.bridge.as_deref().and_then(|bridge| self.calls_in(bridge).0.into_iter().next());
        let Some(call) = beside.or_else(|| self.call_of(&channel.linkedid)) else { return self.meet_caller(uid, row) };
        let number = if channel.outside {
            known(row.get("CallerIDNum")).unwrap_or_default().to_string()
        } else {
            channel.device.clone()
        };
        if let Some(made) = self.channels.get_mut(uid) {
            made.number.clone_from(&number);
        }
        self.since = self.age(row);
        if let Some((key, party)) = self.add_leg(uid, &call, Role::Destination, number) {
            self.see_leg(&key, LegSeen::Ring { call: call.clone(), party });
        }
        if channel.outside {
            self.describe(&call, |call| {
                if call.direction == Direction::Internal {
                    call.direction = Direction::Outbound;
                }
            });
        }
        self.since = None;
    }

    /// With whom a new channel is found connected.
    fn tell_found(&mut self, uid: &str) {
        let Some(channel) = self.channels.get(uid).cloned() else { return };
        let (Some(leg), true) = (channel.legs.last().cloned(), channel.up) else { return };
        let row = self.resync.rows.get(uid).cloned().unwrap_or_default();
        let queue = (row.get("Application") == Some("Queue")).then(|| {
            row.get("Data")
                .or(row.get("ApplicationData"))
                .unwrap_or_default()
                .split(',')
                .next()
                .unwrap_or_default()
                .to_string()
        });
        let bridge = channel.bridge.as_deref().and_then(|id| Some((id.to_string(), self.bridges.get(id)?.clone())));
        let talks = bridge.as_ref().is_some_and(|(id, bridge)| bridge.talk && self.calls_in(id).1.len() > 1);
        let room = bridge.and_then(|(_, bridge)| bridge.room);
        let with = match (talks, &room) {
            (true, _) => With::Person,
            (false, Some(_)) => With::Conference,
            (false, None) => With::System,
        };
        if let (Some(queue), true, true) = (&queue, talks, leg.originator) {
            // Came by a queue that has been left long since; when, nobody says.
            self.learn_queue(queue);
            self.see_call(&leg.call, CallSeen::Queue { queue: queue.clone(), position: 0 });
            self.see_call(
                &leg.call,
                CallSeen::Dequeue { queue: queue.clone(), reason: DequeueReason::Answered, to: None },
            );
        }
        if leg.originator || talks {
            self.see_leg(&leg.key, LegSeen::Answer(with));
        }
        if let Some(room) = room {
            self.see_call(&leg.call, CallSeen::Conference { room });
        }
        if let Some(leg) = self.channels.get_mut(uid).and_then(|channel| channel.legs.last_mut()) {
            leg.talked = talks;
        }
        let flow = row.get("Context").filter(|context| self.settings.is_ivr(context)).map(str::to_string);
        if let (true, Some(flow)) = (leg.originator, flow) {
            if let Some(record) = self.calls.get_mut(&leg.call) {
                record.ivr = Some(flow.clone());
            }
            self.see_call(&leg.call, CallSeen::Ivr(Some(flow)));
        }
    }

    /// Who waits in a queue or on a parking place.
    fn place_waiting(&mut self) {
        for row in std::mem::take(&mut self.resync.entries) {
            let (Some(uid), Some(queue)) = (row.get("Uniqueid"), row.get("Queue")) else { continue };
            let Some(call) = self.call_of(uid).filter(|_| !self.resync.touched.contains(uid)) else { continue };
            let waited_s = row.get("Wait").and_then(|wait| wait.trim().parse::<u64>().ok()).unwrap_or(0);
            self.since = Some(Time(self.now.0.saturating_sub(waited_s.saturating_mul(1_000_000))));
            if let Some(record) = self.calls.get_mut(&call) {
                record.queued = Some(queue.to_string());
                record.ivr = None;
            }
            let position = row.get("Position").and_then(|position| position.trim().parse().ok()).unwrap_or(0);
            self.see_call(&call, CallSeen::Queue { queue: queue.to_string(), position });
            self.since = None;
        }
        for row in std::mem::take(&mut self.resync.parked) {
            let touched = row.get("ParkeeUniqueid").is_some_and(|uid| self.resync.touched.contains(uid));
            if !touched {
                let by = row.get("ParkerDialString").map(dialled_number).unwrap_or_default().to_string();
                self.set_device(&by, DeviceKind::Extension);
                self.parked(&row);
            }
        }
    }

    /// When a channel was made, as far as its age in whole seconds tells.
    fn age(&self, row: &Message) -> Option<Time> {
        let from_status = row.get("Seconds").and_then(|seconds| seconds.trim().parse::<u64>().ok());
        let seconds = from_status.or_else(|| {
            row.get("Duration")?
                .split(':')
                .try_fold(0_u64, |sum, part| Some(sum.saturating_mul(60).saturating_add(part.parse().ok()?)))
        })?;
        Some(Time(self.now.0.saturating_sub(seconds.saturating_mul(1_000_000))))
    }
}

/// The order in which channels were made: `[systemname-]epoch.sequence`, where the sequence is a whole number.
fn sequence(uid: &str) -> (u64, u64) {
    let (epoch, sequence) = uid.rsplit_once('.').unwrap_or((uid, "0"));
    let epoch = epoch.rsplit('-').next().unwrap_or(epoch);
    (epoch.parse().unwrap_or(0), sequence.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::sequence;

    #[test]
    fn the_sequence_is_a_whole_number() {
        assert!(sequence("1795168669.10") > sequence("1795168669.1"));
        assert!(sequence("pbx1-1795168669.2") < sequence("pbx1-1795168669.10"));
        assert_eq!(sequence("odd"), (0, 0));
    }
}
