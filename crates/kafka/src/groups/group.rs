//! One group: who is in it, what each does, and what time does to them. Joining is in `joining`.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::command::{Answer, Described, DescribedMember, Leaver, Outbox, Sync, Synced, Who};
use super::joining::Joining;
use super::member::Member;
use super::subscription::{CONSUMER, topics_of};
use super::{GroupLimits, State, Step, Text, Ticket};

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) state: State,
    pub(super) generation: i32,
    pub(super) protocol_type: Text,
    pub(super) protocol: Text,
    pub(super) leader: Option<Text>,
    pub(super) members: BTreeMap<Text, Member>,
    /// Member ids by the names of their instances.
    pub(super) statics: BTreeMap<Text, Text>,
    /// Member ids given out, whose owners have not come back with them, and until when they may.
    pub(super) pending: BTreeMap<Text, u64>,
    /// While it prepares.
    pub(super) joining: Option<Joining>,
    /// Who has not asked for its part by then is left out. Milliseconds.
    pub(super) sync_until_ms: Option<u64>,
    /// How often the work was divided.
    pub(super) divided: u64,
}

impl Group {
    /// A group without members, whose generations are greater than the one given.
    pub(super) fn new(generation: i32) -> Self {
        let nothing = Text::from("");
        Self {
            state: State::Empty,
            generation,
            protocol_type: Text::clone(&nothing),
            protocol: nothing,
            leader: None,
            members: BTreeMap::new(),
            statics: BTreeMap::new(),
            pending: BTreeMap::new(),
            joining: None,
            sync_until_ms: None,
            divided: 0,
        }
    }

    /// Whether nobody is in it or about to be.
    pub(super) fn is_vacant(&self) -> bool {
        self.state == State::Empty && self.members.is_empty() && self.pending.is_empty()
    }

    /// Memory of what members say and get. Bytes.
    pub(super) fn bytes(&self) -> usize {
        self.members.values().map(Member::bytes).sum()
    }

    /// Memory of the member that this one is, or takes the place of. Bytes.
    pub(super) fn bytes_of(&self, who: &Who) -> usize {
        let of_instance = || self.statics.get(who.instance.as_deref()?);
        let id = if who.member.is_empty() { of_instance().map_or("", |id| &**id) } else { &who.member };
        self.members.get(id).map_or(0, Member::bytes)
    }

    /// A member gives its parts (the leader) and asks for its own.
    pub(super) fn sync(&mut self, now_ms: u64, ticket: Ticket, sync: &Sync, out: &mut Outbox) {
        if let Err(error) = self.check_sync(sync) {
            out.push_back((ticket, Answer::Sync(Err(error))));
            return;
        }
        let Some(member) = self.members.get_mut(&*sync.who.member) else { return };
        member.has_synced = true;
        match self.state {
            State::Stable => {
                member.heard(now_ms);
                let assignment = member.assignment.clone();
                let (protocol_type, protocol) = (Text::clone(&self.protocol_type), Text::clone(&self.protocol));
                out.push_back((ticket, Answer::Sync(Ok(Synced { protocol_type, protocol, assignment }))));
            }
            State::CompletingRebalance => {
                member.wait_to_sync(ticket, out);
                if self.leader.as_deref() == Some(&sync.who.member) {
                    self.assign(now_ms, sync, out);
                }
            }
            State::PreparingRebalance => out.push_back((ticket, Answer::Sync(Err(ResponseError::RebalanceInProgress)))),
            State::Empty | State::Dead => out.push_back((ticket, Answer::Sync(Err(ResponseError::UnknownMemberId)))),
        }
    }

    /// A member lives.
    pub(super) fn heartbeat(&mut self, now_ms: u64, who: &Who) -> Result<(), ResponseError> {
        self.check_member(who)?;
        self.check_generation(who)?;
        let member = self.members.get_mut(&*who.member).ok_or(ResponseError::UnknownMemberId)?;
        match self.state {
            State::Stable | State::CompletingRebalance => {
                member.heard(now_ms);
                Ok(())
            }
            State::PreparingRebalance => {
                member.heard(now_ms);
                Err(ResponseError::RebalanceInProgress)
            }
            State::Empty | State::Dead => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Somebody leaves.
    pub(super) fn leave(
        &mut self,
        now_ms: u64,
        leaver: &Leaver,
        limits: &GroupLimits,
        out: &mut Outbox,
    ) -> Result<(), ResponseError> {
        let id = if leaver.member.is_empty() {
            let instance = leaver.instance.as_deref().ok_or(ResponseError::UnknownMemberId)?;
            Text::clone(self.statics.get(instance).ok_or(ResponseError::UnknownMemberId)?)
        } else {
            Text::from(leaver.member.as_str())
        };
        if self.pending.remove(&id).is_some() {
            return Ok(());
        }
        let who = Who { member: (*id).to_owned(), instance: leaver.instance.clone(), generation: -1 };
        self.check_member(&who)?;
        self.take_out(now_ms, &id, limits, out);
        Ok(())
    }

    /// Whether this one may commit offsets now; a member that does lives.
    pub(super) fn commit(&mut self, now_ms: u64, who: &Who) -> Result<(), ResponseError> {
        let is_somebody = who.generation >= 0 || !who.member.is_empty() || who.instance.is_some();
        match self.state {
            // Nobody is in it: a program that divides the work by itself, or an administrator.
            State::Empty if who.generation < 0 => return Ok(()),
            State::Empty | State::PreparingRebalance | State::CompletingRebalance | State::Stable | State::Dead => {}
        }
        if !is_somebody {
            return Err(ResponseError::UnknownMemberId);
        }
        self.check_member(who)?;
        self.check_generation(who)?;
        let member = self.members.get_mut(&*who.member).ok_or(ResponseError::UnknownMemberId)?;
        match self.state {
            // While others join, members may still say how far they came; they learn of it by their heartbeats.
            State::Stable | State::PreparingRebalance => {
                member.heard(now_ms);
                Ok(())
            }
            State::CompletingRebalance => Err(ResponseError::RebalanceInProgress),
            State::Empty | State::Dead => Err(ResponseError::UnknownMemberId),
        }
    }

    /// Does what is due, and what has become possible.
    pub(super) fn settle(&mut self, now_ms: u64, limits: &GroupLimits, out: &mut Outbox) {
        self.pending.retain(|_, until_ms| *until_ms > now_ms);
        let silent = self.members.iter().filter(|(_, member)| member.due().is_some_and(|due| due <= now_ms));
        for id in silent.map(|(id, _)| Text::clone(id)).collect::<Vec<_>>() {
            self.take_out(now_ms, &id, limits, out);
        }
        if self.sync_until_ms.is_some_and(|until| until <= now_ms) {
            self.sync_until_ms = None;
            self.take_out_unsynced(now_ms, limits, out);
        }
        self.settle_joining(now_ms, limits, out);
    }

    /// When [`Group::settle`] has something to do, if nothing else happens.
    pub(super) fn next_due(&self) -> Option<u64> {
        let members = self.members.values().filter_map(Member::due);
        let others = [self.joining.map(Joining::until_ms), self.sync_until_ms.filter(|_| !self.all_synced())];
        members.chain(self.pending.values().copied()).chain(others.into_iter().flatten()).min()
    }

    /// Whether a member is a consumer of this topic; also where members are consumers and do not say of what.
    pub(super) fn subscribes(&self, topic: &str) -> bool {
        let topics = |member: &Member| match topics_of(&member.metadata(&self.protocol)) {
            Some(topics) => topics.contains(&topic),
            None => true,
        };
        self.members.values().any(topics)
    }

    pub(super) fn is_of_consumers(&self) -> bool {
        *self.protocol_type == *CONSUMER
    }

    /// As administrators see it. Halfway through, nobody has a part.
    pub(super) fn describe(&self) -> Described {
        let is_stable = self.state == State::Stable;
        let described = |(id, member): (&Text, &Member)| DescribedMember {
            member: Text::clone(id),
            instance: member.instance.clone(),
            client_id: Text::clone(&member.client_id),
            client_host: Text::clone(&member.client_host),
            metadata: if is_stable { member.metadata(&self.protocol) } else { Default::default() },
            assignment: if is_stable { member.assignment.clone() } else { Default::default() },
        };
        Described {
            state: self.state,
            protocol_type: Text::clone(&self.protocol_type),
            protocol: if is_stable { Text::clone(&self.protocol) } else { Text::from("") },
            members: self.members.iter().map(described).collect(),
        }
    }

    /// Whether it is a member, and the one that stands for its instance now.
    pub(super) fn check_member(&self, who: &Who) -> Result<(), ResponseError> {
        if let Some(instance) = who.instance.as_deref() {
            let current = self.statics.get(instance).ok_or(ResponseError::UnknownMemberId)?;
            if **current != *who.member {
                return Err(ResponseError::FencedInstanceId);
            }
        }
        if self.members.contains_key(&*who.member) { Ok(()) } else { Err(ResponseError::UnknownMemberId) }
    }

    pub(super) fn step(&mut self, step: Step) {
        let next = self.state.after(step);
        debug_assert!(next.is_some(), "{:?} in {:?}", step, self.state);
        self.state = next.unwrap_or(self.state);
    }

    /// Somebody is no longer a member; the others divide the work anew.
    pub(super) fn take_out(&mut self, now_ms: u64, id: &Text, limits: &GroupLimits, out: &mut Outbox) {
        self.remove(id, out);
        match self.state {
            State::Stable | State::CompletingRebalance => self.rebalance(now_ms, limits, out),
            State::PreparingRebalance | State::Empty | State::Dead => {}
        }
    }

    pub(super) fn remove(&mut self, id: &Text, out: &mut Outbox) {
        let Some(mut member) = self.members.remove(id) else { return };
        // It may ask again, as somebody new.
        member.refuse_join(ResponseError::UnknownMemberId, "", out);
        member.refuse_sync(ResponseError::UnknownMemberId, out);
        if let Some(instance) = &member.instance {
            self.statics.remove(instance);
        }
        if self.leader.as_ref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    fn check_generation(&self, who: &Who) -> Result<(), ResponseError> {
        if who.generation == self.generation { Ok(()) } else { Err(ResponseError::IllegalGeneration) }
    }

    fn check_sync(&self, sync: &Sync) -> Result<(), ResponseError> {
        self.check_member(&sync.who)?;
        self.check_generation(&sync.who)?;
        let is_other = |said: &Option<String>, is: &Text| said.as_deref().is_some_and(|said| *said != **is);
        if is_other(&sync.protocol_type, &self.protocol_type) || is_other(&sync.protocol, &self.protocol) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// The leader has divided the work: everybody who waits gets its part. Who is not named gets nothing.
    fn assign(&mut self, now_ms: u64, sync: &Sync, out: &mut Outbox) {
        self.step(Step::Assigned);
        self.divided += 1;
        let parts: BTreeMap<&str, _> = sync.assignments.iter().map(|(id, part)| (id.as_str(), part)).collect();
        for (id, member) in &mut self.members {
            let part = parts.get(&**id);
            member.assignment = part.map(|part| bytes::Bytes::copy_from_slice(part)).unwrap_or_default();
            member.answer_sync(now_ms, &self.protocol_type, &self.protocol, out);
        }
    }

    fn all_synced(&self) -> bool {
        self.members.values().all(|member| member.has_synced)
    }

    /// Time is over for members that have joined and never asked for their part.
    fn take_out_unsynced(&mut self, now_ms: u64, limits: &GroupLimits, out: &mut Outbox) {
        let unsynced = self.members.iter().filter(|(_, member)| !member.has_synced).map(|(id, _)| Text::clone(id));
        for id in unsynced.collect::<Vec<_>>() {
            self.take_out(now_ms, &id, limits, out);
        }
    }
}
