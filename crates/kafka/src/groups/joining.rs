//! Joining a group: who becomes a member, for whom the others wait, and when the next generation begins.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;

use super::command::{Answer, Join, Joined, JoinedMember, NotJoined, Outbox};
use super::group::Group;
use super::member::Member;
use super::{GroupLimits, State, Step, Text, Ticket};

/// Until when a group that prepares waits for its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// It had nobody: as members start at about the same time, it waits a little for more, and again after each, so
    /// that the work is not divided over and over.
    Initial {
        /// Until when.
        until_ms: u64,
        /// How much longer it may then wait.
        left_ms: u64,
        /// Somebody came since.
        more: bool,
    },
    /// It waits for all its members to join again.
    Again {
        /// Until when.
        until_ms: u64,
    },
}

impl Joining {
    pub(super) fn until_ms(self) -> u64 {
        match self {
            Self::Initial { until_ms, .. } | Self::Again { until_ms } => until_ms,
        }
    }
}

impl Group {
    /// Somebody joins.
    pub(super) fn join(&mut self, now_ms: u64, ticket: Ticket, join: &Join, limits: &GroupLimits, out: &mut Outbox) {
        let result = if !self.supports(join) {
            Err(ResponseError::InconsistentGroupProtocol)
        } else if join.who.member.is_empty() {
            self.join_new(now_ms, ticket, join, limits, out)
        } else {
            self.join_known(now_ms, ticket, join, limits, out)
        };
        if let Err(error) = result {
            let member = match error == ResponseError::MemberIdRequired {
                true => join.new_member.clone(),
                false => join.who.member.clone(),
            };
            out.push_back((ticket, Answer::Join(Err(NotJoined { error, member }))));
        }
    }

    /// The work has to be divided anew, so all are to join again.
    pub(super) fn rebalance(&mut self, now_ms: u64, limits: &GroupLimits, out: &mut Outbox) {
        let timeout = self.rebalance_ms();
        let again = Joining::Again { until_ms: now_ms.saturating_add(timeout) };
        let joining = match self.state {
            State::Empty => {
                let delay = limits.initial_delay_ms;
                let (until_ms, left_ms) = (now_ms.saturating_add(delay), timeout.saturating_sub(delay));
                Joining::Initial { until_ms, left_ms, more: false }
            }
            State::CompletingRebalance => {
                for member in self.members.values_mut() {
                    member.assignment = Default::default();
                    member.refuse_sync(ResponseError::RebalanceInProgress, out);
                }
                again
            }
            State::Stable => again,
            State::PreparingRebalance | State::Dead => return,
        };
        self.step(Step::Rebalance);
        (self.joining, self.sync_until_ms) = (Some(joining), None);
    }

    /// Begins the next generation, if all are there or time is over.
    pub(super) fn settle_joining(&mut self, now_ms: u64, limits: &GroupLimits, out: &mut Outbox) {
        match self.joining {
            Some(Joining::Initial { until_ms, left_ms, more }) if until_ms <= now_ms => {
                if more && left_ms > 0 {
                    let delay = limits.initial_delay_ms.min(left_ms);
                    let (until_ms, left_ms) = (now_ms.saturating_add(delay), left_ms.saturating_sub(delay));
                    self.joining = Some(Joining::Initial { until_ms, left_ms, more: false });
                } else {
                    self.complete_join(now_ms, out);
                }
            }
            Some(Joining::Again { until_ms }) if until_ms <= now_ms || self.all_joined() => {
                self.complete_join(now_ms, out);
            }
            Some(Joining::Initial { .. } | Joining::Again { .. }) | None => {}
        }
    }

    /// Whether this one can divide the work in a way that everybody can.
    fn supports(&self, join: &Join) -> bool {
        let all_speak = |protocol: &str| self.members.values().all(|member| member.speaks(protocol));
        match self.state {
            State::Empty => !join.protocol_type.is_empty() && !join.protocols.is_empty(),
            State::PreparingRebalance | State::CompletingRebalance | State::Stable | State::Dead => {
                *self.protocol_type == *join.protocol_type && join.protocols.iter().any(|(name, _)| all_speak(name))
            }
        }
    }

    fn join_new(
        &mut self,
        now_ms: u64,
        ticket: Ticket,
        join: &Join,
        limits: &GroupLimits,
        out: &mut Outbox,
    ) -> Result<(), ResponseError> {
        let replaces = join.who.instance.as_deref().and_then(|instance| self.statics.get(instance)).cloned();
        if let Some(old) = replaces {
            self.replace(now_ms, ticket, join, &old, limits, out);
            return Ok(());
        }
        if join.member_id_required && join.who.instance.is_none() {
            if self.pending.len() >= limits.members_max {
                return Err(ResponseError::GroupMaxSizeReached);
            }
            let session_ms = u64::try_from(join.session_ms).unwrap_or_default();
            self.pending.insert(join.new_member.as_str().into(), now_ms.saturating_add(session_ms));
            return Err(ResponseError::MemberIdRequired);
        }
        self.add(now_ms, ticket, join.new_member.as_str().into(), join, limits, out)
    }

    fn join_known(
        &mut self,
        now_ms: u64,
        ticket: Ticket,
        join: &Join,
        limits: &GroupLimits,
        out: &mut Outbox,
    ) -> Result<(), ResponseError> {
        let id = Text::from(join.who.member.as_str());
        // Only members without an instance are sent away for a member id.
        if join.who.instance.is_none() && self.pending.contains_key(&id) {
            return self.add(now_ms, ticket, id, join, limits, out);
        }
        self.check_member(&join.who)?;
        let is_leader = self.leader.as_ref() == Some(&id);
        let member = self.members.get_mut(&id).ok_or(ResponseError::UnknownMemberId)?;
        let is_settled = match self.state {
            State::PreparingRebalance => false,
            // The answer may have been lost on the way.
            State::CompletingRebalance => member.says_the_same(join),
            // A leader joins again when it sees that there is other work to divide.
            State::Stable => !is_leader && member.says_the_same(join),
            State::Empty | State::Dead => return Err(ResponseError::UnknownMemberId),
        };
        if is_settled {
            out.push_back((ticket, Answer::Join(Ok(self.joined(&id, false)))));
            return Ok(());
        }
        member.update(join, limits);
        member.wait_to_join(ticket, &id, out);
        self.rebalance(now_ms, limits, out);
        Ok(())
    }

    fn add(
        &mut self,
        now_ms: u64,
        ticket: Ticket,
        id: Text,
        join: &Join,
        limits: &GroupLimits,
        out: &mut Outbox,
    ) -> Result<(), ResponseError> {
        if self.members.len() >= limits.members_max {
            return Err(ResponseError::GroupMaxSizeReached);
        }
        self.pending.remove(&id);
        let mut member = Member::new(now_ms, join, limits);
        member.wait_to_join(ticket, &id, out);
        if let Some(instance) = &member.instance {
            self.statics.insert(Text::clone(instance), Text::clone(&id));
        }
        if self.members.is_empty() {
            self.protocol_type = join.protocol_type.as_str().into();
        }
        self.leader.get_or_insert_with(|| Text::clone(&id));
        self.members.insert(id, member);
        if let Some(Joining::Initial { more, .. }) = &mut self.joining {
            *more = true;
        }
        self.rebalance(now_ms, limits, out);
        Ok(())
    }

    /// An instance that was there comes back without knowing who it was, after a restart say. Whoever was it is fenced
    /// off. Its part stays, unless it speaks otherwise than before.
    fn replace(
        &mut self,
        now_ms: u64,
        ticket: Ticket,
        join: &Join,
        old: &Text,
        limits: &GroupLimits,
        out: &mut Outbox,
    ) {
        let Some(mut member) = self.members.remove(old) else { return };
        member.refuse_all(ResponseError::FencedInstanceId, old, out);
        member.update(join, limits);
        member.heard(now_ms);
        let id = Text::from(join.new_member.as_str());
        if let Some(instance) = &member.instance {
            self.statics.insert(Text::clone(instance), Text::clone(&id));
        }
        let was_leader = self.leader.as_ref() == Some(old);
        if was_leader {
            self.leader = Some(Text::clone(&id));
        }
        self.members.insert(Text::clone(&id), member);
        if self.state == State::Stable && self.choose() == self.protocol {
            let mut joined = self.joined(&id, join.may_skip_assignment && was_leader);
            if was_leader && !join.may_skip_assignment {
                // It must not divide work that is divided, so it is told of its predecessor as the leader.
                (joined.leader, joined.members) = (Text::clone(old), Vec::new());
            }
            out.push_back((ticket, Answer::Join(Ok(joined))));
            return;
        }
        if let Some(member) = self.members.get_mut(&id) {
            member.wait_to_join(ticket, &id, out);
        }
        // In the middle of a generation the leader may have given the part to the old member id.
        self.rebalance(now_ms, limits, out);
    }

    /// What a member is told of the generation there is.
    fn joined(&self, id: &Text, skip_assignment: bool) -> Joined {
        let leader = self.leader.clone().unwrap_or_else(|| Text::from(""));
        let told = |(id, member): (&Text, &Member)| JoinedMember {
            member: Text::clone(id),
            instance: member.instance.clone(),
            metadata: member.metadata(&self.protocol),
        };
        Joined {
            generation: self.generation,
            protocol_type: Text::clone(&self.protocol_type),
            protocol: Text::clone(&self.protocol),
            members: if leader == *id { self.members.iter().map(told).collect() } else { Vec::new() },
            leader,
            member: Text::clone(id),
            skip_assignment,
        }
    }

    fn all_joined(&self) -> bool {
        self.pending.is_empty() && self.members.values().all(Member::waits_to_join)
    }

    fn rebalance_ms(&self) -> u64 {
        self.members.values().map(|member| member.rebalance_ms).max().unwrap_or_default()
    }

    /// The next generation begins with those who are there. Instances with a name are waited for until they have been
    /// silent for too long, so they stay.
    fn complete_join(&mut self, now_ms: u64, out: &mut Outbox) {
        let gone = self.members.iter().filter(|(_, member)| !member.waits_to_join() && member.instance.is_none());
        for id in gone.map(|(id, _)| Text::clone(id)).collect::<Vec<_>>() {
            self.remove(&id, out);
        }
        let until_ms = now_ms.saturating_add(self.rebalance_ms());
        if !self.members.is_empty() && !self.elect() {
            self.joining = Some(Joining::Again { until_ms });
            return;
        }
        self.joining = None;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if self.members.is_empty() {
            self.step(Step::Emptied);
            (self.leader, self.protocol) = (None, Text::from(""));
            return;
        }
        self.step(Step::Joined);
        self.protocol = self.choose();
        self.sync_until_ms = Some(until_ms);
        for id in self.members.keys().cloned().collect::<Vec<_>>() {
            let joined = self.joined(&id, false);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.answer_join(joined, out);
            member.heard(now_ms);
            (member.is_new, member.has_synced) = (false, false);
        }
    }

    /// The leader must be somebody who is there; says whether there is one.
    fn elect(&mut self) -> bool {
        let is_there = |id: &Text| self.members.get(id).is_some_and(Member::waits_to_join);
        if !self.leader.as_ref().is_some_and(is_there) {
            let Some((id, _)) = self.members.iter().find(|(_, member)| member.waits_to_join()) else { return false };
            self.leader = Some(Text::clone(id));
        }
        true
    }

    /// The way of dividing that most like best, of those that all can; of two that are liked alike, the first by name.
    fn choose(&self) -> Text {
        let Some(first) = self.members.values().next() else { return Text::from("") };
        let all_speak = |protocol: &&Text| self.members.values().all(|member| member.speaks(protocol));
        let candidates: BTreeSet<Text> =
            first.protocols.iter().map(|(name, _)| name).filter(all_speak).cloned().collect();
        let mut votes: BTreeMap<Text, usize> = BTreeMap::new();
        for vote in self.members.values().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(vote).or_default() += 1;
        }
        let most = votes.into_iter().max_by_key(|(name, count)| (*count, Reverse(Text::clone(name))));
        most.map_or_else(|| Text::from(""), |(name, _)| name)
    }
}
