//! Channels that meet: bridges, transfers, parking, conferences, supervision.

use std::collections::BTreeSet;

use cordboard_core::event::{Cause, DequeueReason, Direction, Role, SuperviseMode, TransferKind, With};
use cordboard_core::observation::{CallSeen, LegSeen};

use super::ami::Message;
use super::names::{ChannelName, dialled_number};
use super::picture::{Bridge, CallRecord, LegRecord, Picture, What};

impl Picture {
    pub(crate) fn bridge_create(&mut self, message: &Message) {
        if let Some(id) = message.get("BridgeUniqueid") {
            let talk = message.get("BridgeType") == Some("basic");
            self.bridges.entry(id.to_string()).or_insert_with(|| Bridge { talk, ..Bridge::default() });
        }
    }

    pub(crate) fn bridge_destroy(&mut self, message: &Message) {
        if let Some(bridge) = message.get("BridgeUniqueid").and_then(|id| self.bridges.remove(id)) {
            for uid in bridge.members {
                if let Some(channel) = self.channels.get_mut(&uid) {
                    channel.bridge = None;
                }
            }
        }
    }

    pub(crate) fn bridge_enter(&mut self, message: &Message) {
        let Some(id) = message.get("BridgeUniqueid").map(str::to_string) else { return };
        self.bridge_create(message);
        if let (Some(uid), Some(name)) = (message.get("Uniqueid"), message.get("Channel")) {
            self.learn_channel(uid, name, message);
        }
        let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) else { return };
        if let Some(swapped) = message.get("SwapUniqueid").map(str::to_string) {
            self.take_place_of(&uid, &swapped, &id);
        }
        self.put_in_bridge(&uid, &id);
        if let Some(channel) = self.channels.get_mut(&uid).filter(|_| message.get("BridgeType") == Some("basic")) {
            channel.room = None;
        }
        let agent_hold = message.get("BridgeType") == Some("agent_hold");
        if agent_hold {
            self.back_to_standing(&uid);
        } else if self.bridges.get(&id).is_some_and(|bridge| bridge.talk) {
            self.meet(&uid, &id);
        }
    }

    /// A channel takes another one's place. A Local channel that nobody dialled then links two conversations, as Asterisk
    /// does when an attended transfer ends in an application.
    fn take_place_of(&mut self, uid: &str, swapped: &str, bridge: &str) {
        let call = self.call_of(swapped).or_else(|| self.calls_in(bridge).0.into_iter().next());
        self.leave_bridge_of(swapped, Some(bridge));
        if let Some((_, base)) = self.channels.get(uid).and_then(|channel| channel.local.clone())
            && self.locals.get(&base).is_some_and(|pair| pair.call.is_none())
            && let Some(call) = call
        {
            self.carry(&base, &call);
        }
    }

    pub(crate) fn put_in_bridge(&mut self, uid: &str, id: &str) {
        let left = self.channels.get_mut(uid).and_then(|channel| channel.bridge.replace(id.to_string()));
        if let Some(bridge) = left.filter(|left| left != id).and_then(|left| self.bridges.get_mut(&left)) {
            bridge.members.remove(uid);
        }
        if let Some(bridge) = self.bridges.get_mut(id) {
            bridge.members.insert(uid.to_string());
        }
    }

    pub(crate) fn bridge_leave(&mut self, message: &Message) {
        if let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) {
            self.leave_bridge_of(&uid, message.get("BridgeUniqueid"));
        }
    }

    /// Takes a channel out of this bridge, unless it is in another one by now.
    pub(crate) fn leave_bridge_of(&mut self, uid: &str, id: Option<&str>) {
        let Some(id) = id else { return };
        if let Some(bridge) = self.bridges.get_mut(id) {
            bridge.members.remove(uid);
        }
        if let Some(channel) = self.channels.get_mut(uid).filter(|channel| channel.bridge.as_deref() == Some(id)) {
            channel.bridge = None;
        }
    }

    /// A channel is in a bridge where people talk: who has it to do with whom?
    fn meet(&mut self, uid: &str, bridge: &str) {
        self.begin_consultations(bridge);
        self.take_call_on_standing_line(uid);
        self.end_consultation_of(uid, bridge);
        self.run_waiting_dials();
        let (calls, _) = self.calls_in(bridge);
        if calls.len() > 1 {
            self.later(What::JoinCalls { bridge: bridge.to_string() });
        }
    }

    /// Asterisk's own attended transfer: the party that transfers leaves its call for a bridge with a Local channel that
    /// nobody dialled. What that Local channel dials is a consultation of this party.
    fn begin_consultations(&mut self, bridge: &str) {
        let Some(members) = self.bridges.get(bridge).map(|bridge| bridge.members.clone()) else { return };
        let unowned = members.iter().find_map(|uid| {
            let (_, base) = self.channels.get(uid)?.local.as_ref()?;
            self.locals.get(base)?.call.is_none().then(|| base.clone())
        });
        let party = members.iter().find(|uid| self.leg_of(uid).is_some());
        let (Some(base), Some(uid)) = (unowned, party.cloned()) else { return };
        let Some(main) = self.call_of(&uid) else { return };
        // When half of that Local channel already reaches people of a call, it is no consultation but a link.
        if self.far_side_call(&base, bridge).is_some() {
            return;
        }
        let exten = base.split_once('@').map_or(base.as_str(), |(exten, _)| exten).to_string();
        let Some(channel) = self.channels.get(&uid) else { return };
        let (device, key) = (channel.device.clone(), format!("{uid}~{}", channel.legs_made));
        let number = if channel.outside { channel.caller.clone() } else { device.clone() };
        let direction = if self.settings.leads_outside(&exten) { Direction::Outbound } else { Direction::Internal };
        self.begin_call(&key, CallRecord::new(direction, number.clone(), exten), Some(main));
        if let Some((leg, party)) = self.add_leg(&uid, &key, Role::Originator, number) {
            self.see_leg(&leg, LegSeen::Dial { call: key.clone(), party });
        }
        if let Some(channel) = self.channels.get_mut(&uid) {
            channel.consult = Some(key.clone());
        }
        self.carry(&base, &key);
    }

    /// The call that the half of a Local channel outside this bridge reaches.
    fn far_side_call(&self, base: &str, bridge: &str) -> Option<String> {
        let pair = self.locals.get(base)?;
        pair.halves.iter().flatten().find_map(|half| {
            let beyond = self.channels.get(half)?.bridge.as_deref().filter(|beyond| *beyond != bridge)?;
            self.calls_in(beyond).0.into_iter().next()
        })
    }

    /// An agent's standing line is given a call by a Local channel.
    fn take_call_on_standing_line(&mut self, uid: &str) {
        let Some(bridge) = self.channels.get(uid).and_then(|channel| channel.bridge.clone()) else { return };
        let members: Vec<String> =
            self.bridges.get(&bridge).map(|bridge| bridge.members.iter().cloned().collect()).unwrap_or_default();
        let standing = |uid: &&String| {
            self.channels.get(*uid).is_some_and(|channel| channel.standing.is_some() && channel.legs.is_empty())
        };
        let Some(agent) = members.iter().find(standing).cloned() else { return };
        let carried = members.iter().find_map(|uid| {
            let (_, base) = self.channels.get(uid)?.local.as_ref()?;
            let pair = self.locals.get(base)?;
            Some((pair.call.clone()?, pair.queue.clone()))
        });
        let Some((call, queue)) = carried else { return };
        let Some(channel) = self.channels.get_mut(&agent) else { return };
        channel.queue = queue;
        channel.legs_made = channel.legs_made.max(1);
        let number = channel.device.clone();
        if let Some((key, party)) = self.add_leg(&agent, &call, Role::Destination, number) {
            self.see_leg(&key, LegSeen::Ring { call, party });
        }
        self.answered(&agent);
    }

    fn back_to_standing(&mut self, uid: &str) {
        let Some(channel) = self.channels.get_mut(uid).filter(|channel| channel.standing.is_some()) else { return };
        for leg in std::mem::take(&mut channel.legs) {
            self.see_leg(&leg.key, LegSeen::Hangup { cause: Cause::Normal, code: None, by_self: false, by: None });
            self.drop_call_if_unused(&leg.call);
        }
    }

    /// A party that comes back to its first call has given up the consultation.
    fn end_consultation_of(&mut self, uid: &str, bridge: &str) {
        let Some(channel) = self.channels.get(uid).filter(|channel| channel.legs.len() > 1) else { return };
        let Some(main) = channel.legs.first().map(|leg| leg.call.clone()) else { return };
        let back = self.bridges.get(bridge).is_some_and(|bridge| {
            bridge.members.iter().any(|other| other != uid && self.call_of(other).as_ref() == Some(&main))
        });
        if !back {
            return;
        }
        if let Some(leg) = self.channels.get_mut(uid).and_then(|channel| channel.legs.pop()) {
            // Whoever comes back while the other side still rings took the call back.
            let rings = |uid: &String| self.leg_of(uid).is_some_and(|other| other.call == leg.call && !other.talked);
            let by_self = self.channels_of(&leg.call).iter().any(rings);
            let (channel, at) = (uid.to_string(), self.now);
            self.later(What::ConsultOver { channel, leg, at, by_self });
        }
    }

    /// The call of the people that a channel's Local partner talks with.
    pub(crate) fn call_beside(&self, uid: &str) -> Option<String> {
        let (_, base) = self.channels.get(uid)?.local.as_ref()?;
        let halves = &self.locals.get(base)?.halves;
        halves.iter().flatten().find_map(|half| {
            let bridge = self.channels.get(half)?.bridge.as_deref()?;
            self.calls_in(bridge).0.into_iter().next()
        })
    }

    /// Everybody who talks with each other by way of a bridge: calls and the channels that stand for people.
    pub(crate) fn calls_in(&self, bridge: &str) -> (BTreeSet<String>, Vec<String>) {
        let (mut calls, mut people) = (BTreeSet::new(), Vec::new());
        let (mut seen, mut todo) = (BTreeSet::new(), vec![bridge.to_string()]);
        while let Some(id) = todo.pop() {
            let Some(bridge) = self.bridges.get(&id).filter(|bridge| bridge.talk && seen.insert(id.clone())) else {
                continue;
            };
            for uid in &bridge.members {
                let Some(channel) = self.channels.get(uid) else { continue };
                if let Some((_, base)) = &channel.local {
                    let beyond = self.locals.get(base).map(|pair| pair.halves.iter().flatten()).into_iter().flatten();
                    todo.extend(beyond.filter_map(|half| self.channels.get(half)?.bridge.clone()));
                } else if let Some(leg) = channel.legs.last() {
                    calls.insert(leg.call.clone());
                    people.push(uid.clone());
                }
            }
        }
        (calls, people)
    }

    /// Calls whose people still meet become one: legs of the younger ones move to the oldest.
    pub(crate) fn join_calls(&mut self, bridge: &str, by: Option<&str>) {
        let (calls, people) = self.calls_in(bridge);
        let age = |call: &String| self.calls.get(call).map_or(u64::MAX, |call| call.number);
        let Some(oldest) = calls.iter().min_by_key(|call| age(call)).cloned().filter(|_| calls.len() > 1) else {
            return;
        };
        let younger: Vec<String> =
            people.into_iter().filter(|uid| self.call_of(uid).as_ref() != Some(&oldest)).collect();
        for uid in younger {
            if let (Some(by), Some(channel)) = (by, self.channels.get(&uid)) {
                let to = if channel.outside && !channel.number.is_empty() {
                    channel.number.clone()
                } else {
                    channel.device.clone()
                };
                self.see_call(&oldest, CallSeen::HandOver { by: by.to_string(), to });
            }
            self.move_leg(&uid, &oldest);
        }
    }

    pub(crate) fn blind_transfer(&mut self, message: &Message) {
        if message.get("Result").is_some_and(|result| result != "Success") {
            return;
        }
        let Some(uid) = self.uid(message, "TransfererUniqueid").map(str::to_string) else { return };
        let Some(leg) = self.channels.get_mut(&uid).and_then(|channel| channel.legs.pop()) else { return };
        if let Some(channel) = self.channels.get_mut(&uid) {
            channel.handed_over.push(leg.key.clone());
        }
        let to = message.get("Extension").unwrap_or_default().to_string();
        let call = leg.call;
        self.see_call(&call, CallSeen::Transfer { kind: TransferKind::Blind, by: leg.key, to, consult: None });
        self.drop_call_if_unused(&call);
    }

    pub(crate) fn attended_transfer(&mut self, message: &Message) {
        if message.get("Result").is_some_and(|result| result != "Success") {
            return;
        }
        let first = self.uid(message, "OrigTransfererUniqueid").map(str::to_string);
        let second = self.uid(message, "SecondTransfererUniqueid").map(str::to_string);
        let (Some(first), Some(second)) = (first, second) else { return };
        let Some(leg) = self.channels.get(&first).and_then(|channel| channel.legs.first()).cloned() else { return };
        let consult = if first == second {
            self.channels.get(&first).and_then(|channel| channel.consult.clone())
        } else {
            self.call_of(&second)
        };
        let consult = consult.filter(|consult| *consult != leg.call && self.calls.contains_key(consult));
        if message.get("DestType") == Some("Threeway") {
            if let Some(consult) = consult {
                self.later
                    .retain(|later| !matches!(&later.what, What::ConsultOver { channel, .. } if *channel == first));
                self.see_call(&leg.call, CallSeen::Join { by: leg.key, consult: consult.clone() });
                if let Some(channel) = self.channels.get_mut(&first) {
                    let (joined, stay) =
                        std::mem::take(&mut channel.legs).into_iter().partition(|leg| leg.call == consult);
                    let joined: Vec<LegRecord> = joined;
                    channel.legs = stay;
                    channel.handed_over.extend(joined.into_iter().map(|leg| leg.key));
                }
                self.rename_call(&consult, &leg.call);
            }
            return;
        }
        let to = self.transfer_target(message);
        for uid in [&first, &second] {
            if let Some(channel) = self.channels.get_mut(uid) {
                let legs = std::mem::take(&mut channel.legs);
                channel.handed_over.extend(legs.into_iter().map(|leg| leg.key));
            }
        }
        let queued = consult.as_ref().and_then(|consult| self.calls.get(consult)?.queued.clone());
        if let (Some(consult), Some(queue)) = (&consult, &queued) {
            self.left_queue(consult, queue, DequeueReason::TakenOver);
        }
        let transfer = CallSeen::Transfer { kind: TransferKind::Attended, by: leg.key, to, consult: consult.clone() };
        self.see_call(&leg.call, transfer);
        if let (Some(queue), Some(record)) = (queued, self.calls.get_mut(&leg.call)) {
            // The party handed on waits where the consultation waited.
            record.queued = Some(queue.clone());
            record.queue_answered = false;
            self.see_call(&leg.call, CallSeen::Queue { queue, position: 0 });
        }
        if let Some(consult) = consult {
            self.rename_call(&consult, &leg.call);
        }
        self.drop_call_if_unused(&leg.call);
    }

    /// The number of the target where it is a telephone or line; a Local channel is seen through by the engine.
    fn transfer_target(&self, message: &Message) -> String {
        let target = self.uid(message, "TransferTargetUniqueid").and_then(|uid| self.channels.get(uid));
        target.filter(|channel| channel.local.is_none()).map(|channel| channel.number.clone()).unwrap_or_default()
    }

    pub(crate) fn parked(&mut self, message: &Message) {
        let Some(leg) = self.uid(message, "ParkeeUniqueid").and_then(|uid| self.leg_of(uid)) else { return };
        let key = leg.key.clone();
        let space = message.get("ParkingSpace").unwrap_or_default().to_string();
        let by = message.get("ParkerDialString").map(dialled_number).unwrap_or_default().to_string();
        self.see_leg(&key, LegSeen::Park { space, by });
    }

    pub(crate) fn unparked(&mut self, message: &Message) {
        let Some(leg) = self.uid(message, "ParkeeUniqueid").and_then(|uid| self.leg_of(uid)).cloned() else { return };
        let retriever = self.uid(message, "RetrieverUniqueid").map(str::to_string);
        let by = retriever.as_ref().and_then(|uid| self.channels.get(uid)).map(|channel| channel.device.clone());
        self.see_leg(&leg.key, LegSeen::Unpark { by });
        if let Some(uid) = retriever {
            self.move_leg(&uid, &leg.call);
        }
    }

    pub(crate) fn park_timed_out(&mut self, message: &Message) {
        if let Some(leg) = self.uid(message, "ParkeeUniqueid").and_then(|uid| self.leg_of(uid)) {
            let key = leg.key.clone();
            self.see_leg(&key, LegSeen::Unpark { by: None });
        }
    }

    pub(crate) fn pickup(&mut self, message: &Message) {
        let Some(call) = self.uid(message, "TargetUniqueid").and_then(|uid| self.call_of(uid)) else { return };
        if let Some(target) = self.uid(message, "TargetUniqueid").and_then(|uid| self.channels.get_mut(uid)) {
            target.dial_status = Some(super::causes::PICKED_UP.to_string());
        }
        if let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) {
            self.move_leg(&uid, &call);
        }
    }

    pub(crate) fn conference_join(&mut self, message: &Message) {
        let Some(uid) = self.uid(message, "Uniqueid").map(str::to_string) else { return };
        let Some(call) = self.call_of(&uid) else { return };
        let room = message.get("Conference").unwrap_or_default().to_string();
        self.settle_purpose(&call);
        // Who comes by way of a Local channel is whoever that channel called.
        let by_local = self.channels.get(&uid).is_some_and(|channel| channel.local.is_some());
        let up = |uid: &String| self.channels.get(uid).is_some_and(|channel| channel.up);
        let who = if by_local { self.channels_of(&call).into_iter().filter(up).collect() } else { vec![uid] };
        for uid in who {
            let Some(channel) = self.channels.get_mut(&uid) else { continue };
            channel.room = Some(room.clone());
            let Some(leg) = channel.legs.last_mut() else { continue };
            leg.talked = true;
            let key = leg.key.clone();
            self.see_leg(&key, LegSeen::Answer(With::Conference));
        }
        self.see_call(&call, CallSeen::Conference { room });
    }

    pub(crate) fn muted(&mut self, message: &Message, on: bool) {
        if let Some(leg) = self.uid(message, "Uniqueid").and_then(|uid| self.leg_of(uid)) {
            let key = leg.key.clone();
            self.see_leg(&key, LegSeen::Mute(on));
        }
    }

    /// Hold is pressed in the call that talks; what is retrieved is the oldest call, which is the one on hold.
    pub(crate) fn held(&mut self, message: &Message, on: bool) {
        let Some(channel) = self.uid(message, "Uniqueid").and_then(|uid| self.channels.get(uid)) else { return };
        let leg = if on { channel.legs.last() } else { channel.legs.first() };
        if let Some(key) = leg.map(|leg| leg.key.clone()) {
            self.see_leg(&key, if on { LegSeen::Hold } else { LegSeen::Retrieve });
        }
    }

    pub(crate) fn spy_start(&mut self, message: &Message) {
        if let Some(spy) = self.uid(message, "SpyerUniqueid").and_then(|uid| self.channels.get_mut(uid)) {
            spy.spies_on = message.get("SpyeeUniqueid").map(str::to_string);
        }
        let Some((by, call)) = self.spying(message) else { return };
        let options = self
            .uid(message, "SpyerUniqueid")
            .and_then(|uid| self.channels.get(uid))
            .and_then(|spy| spy.spy_options.clone())
            .or_else(|| self.ordered.listens(message.get("SpyerUniqueid")?));
        let mode = match options {
            Some(options) if options.contains('B') => SuperviseMode::Barge,
            Some(options) if options.contains('w') || options.contains('W') => SuperviseMode::Whisper,
            Some(_) => SuperviseMode::Listen,
            None => SuperviseMode::Unknown,
        };
        self.see_call(&call, CallSeen::Supervise { by, mode });
    }

    pub(crate) fn spy_stop(&mut self, message: &Message) {
        if let Some((by, call)) = self.spying(message) {
            self.see_call(&call, CallSeen::SuperviseEnd { by });
        }
        if let Some(spy) = self.uid(message, "SpyerUniqueid").and_then(|uid| self.channels.get_mut(uid)) {
            spy.spies_on = None;
        }
    }

    fn spying(&self, message: &Message) -> Option<(String, String)> {
        let by = ChannelName::parse(message.get("SpyerChannel")?).endpoint;
        let call = self.call_of(message.get("SpyeeUniqueid")?)?;
        Some((by, call))
    }

    pub(crate) fn recording_begins(&mut self, message: &Message) {
        let Some(channel) = self.uid(message, "Uniqueid").and_then(|uid| self.channels.get_mut(uid)) else { return };
        channel.recorded = true;
        let file = std::mem::take(&mut channel.recorded_into);
        self.recording(message, CallSeen::Record { file });
    }

    pub(crate) fn recording_stops(&mut self, message: &Message) {
        if let Some(channel) = self.uid(message, "Uniqueid").and_then(|uid| self.channels.get_mut(uid)) {
            channel.recorded = false;
        }
        self.recording(message, CallSeen::RecordStop);
    }

    pub(crate) fn recording(&mut self, message: &Message, seen: CallSeen) {
        if let Some(call) = self.uid(message, "Uniqueid").and_then(|uid| self.call_of(uid)) {
            self.see_call(&call, seen);
        }
    }
}
