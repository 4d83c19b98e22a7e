//! All groups of all owners, within their limits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kafka_protocol::ResponseError;

use super::command::{Answer, Described, Join, Leaver, NotJoined, Outbox, Sync, Who};
use super::group::Group;
use super::{GroupLimits, State, Step, Text, Ticket};

/// The coordinator of groups.
///
/// Every call takes the moment it is made, in milliseconds of a clock that never goes back. After each, answers and
/// notices that came of it wait to be taken; when [`Coordinator::next_due`] has come, [`Coordinator::handle_time`] is to
/// be called.
#[derive(Debug)]
pub struct Coordinator {
    limits: GroupLimits,
    /// Every generation ever begun is at most this, or of a group that is there.
    generation_floor: i32,
    owners: BTreeMap<Text, Owner>,
    groups: usize,
    bytes: usize,
    members: usize,
    due: BTreeSet<(u64, Text, Text)>,
    answers: Outbox,
    notices: VecDeque<Notice>,
    divided: u64,
}

#[derive(Debug, Default)]
struct Owner {
    groups: BTreeMap<Text, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    group: Group,
    due_ms: Option<u64>,
    bytes: usize,
    members: usize,
}

/// Something about a group that its offsets depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose group.
    pub owner: Text,
    /// Which.
    pub group: Text,
    /// What kind of group.
    pub protocol_type: Text,
    /// It has its first member now; otherwise it has lost the last one.
    pub is_peopled: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Groups with members, or with some about to join.
    pub groups: usize,
    /// Their members.
    pub members: usize,
    /// What these say and get. Bytes.
    pub bytes: usize,
    /// How often work was divided.
    pub rebalances: u64,
}

impl Coordinator {
    /// A coordinator whose generations are all greater than `generation_floor`: 0, or what the last one reached, so that
    /// no generation number ever means two.
    #[must_use]
    pub fn new(limits: GroupLimits, generation_floor: i32) -> Self {
        Self {
            limits,
            generation_floor: generation_floor.max(0),
            owners: BTreeMap::new(),
            groups: 0,
            bytes: 0,
            members: 0,
            due: BTreeSet::new(),
            answers: VecDeque::new(),
            notices: VecDeque::new(),
            divided: 0,
        }
    }

    /// Somebody joins; the answer comes for the ticket, at once or later.
    pub fn handle_join(&mut self, now_ms: u64, owner: &str, group: &str, ticket: Ticket, join: &Join) {
        let result = self.check_join(owner, group, join).and_then(|()| {
            // Only who has no member id yet can be the first.
            let create = join.who.member.is_empty();
            self.with(now_ms, owner, group, create, |group, limits, out| group.join(now_ms, ticket, join, limits, out))?
                .ok_or(ResponseError::UnknownMemberId)
        });
        if let Err(error) = result {
            let member = join.who.member.clone();
            self.answers.push_back((ticket, Answer::Join(Err(NotJoined { error, member }))));
        }
    }

    /// A member asks for its part; the answer comes for the ticket, at once or later.
    pub fn handle_sync(&mut self, now_ms: u64, owner: &str, group: &str, ticket: Ticket, sync: &Sync) {
        let result = self.check_sync(owner, group, sync).and_then(|()| {
            self.with(now_ms, owner, group, false, |group, _, out| group.sync(now_ms, ticket, sync, out))?
                .ok_or(ResponseError::UnknownMemberId)
        });
        if let Err(error) = result {
            self.answers.push_back((ticket, Answer::Sync(Err(error))));
        }
    }

    /// A member lives.
    ///
    /// # Errors
    /// What the member has to do instead of going on: join again, or as somebody new.
    pub fn handle_heartbeat(&mut self, now_ms: u64, owner: &str, group: &str, who: &Who) -> Result<(), ResponseError> {
        self.check_group(group)?;
        self.touch(owner, group, |group| group.heartbeat(now_ms, who)).unwrap_or(Err(ResponseError::UnknownMemberId))
    }

    /// Members leave; one result for each, in order.
    ///
    /// # Errors
    /// The group cannot be.
    pub fn handle_leave(
        &mut self,
        now_ms: u64,
        owner: &str,
        group: &str,
        leavers: &[Leaver],
    ) -> Result<Vec<Result<(), ResponseError>>, ResponseError> {
        self.check_group(group)?;
        let leave = |group: &mut Group, limits: &GroupLimits, out: &mut Outbox| {
            leavers.iter().map(|leaver| group.leave(now_ms, leaver, limits, out)).collect()
        };
        let left = self.with(now_ms, owner, group, false, leave)?;
        Ok(left.unwrap_or_else(|| leavers.iter().map(|_| Err(ResponseError::UnknownMemberId)).collect()))
    }

    /// Whether this one may commit offsets of a group now; `None` where the group has nobody.
    pub fn handle_commit(
        &mut self,
        now_ms: u64,
        owner: &str,
        group: &str,
        who: &Who,
    ) -> Option<Result<(), ResponseError>> {
        self.touch(owner, group, |group| group.commit(now_ms, who))
    }

    /// Deletes a group that has no members; `None` where there is none of that name.
    pub fn handle_delete(&mut self, now_ms: u64, owner: &str, group: &str) -> Option<Result<(), ResponseError>> {
        let delete = |group: &mut Group, _: &GroupLimits, _: &mut Outbox| match group.state.after(Step::Deleted) {
            Some(_) => {
                // Who was about to join finds the group gone, and begins anew.
                group.pending.clear();
                Ok(())
            }
            None => Err(ResponseError::NonEmptyGroup),
        };
        self.with(now_ms, owner, group, false, delete).ok().flatten()
    }

    /// Does what is due.
    pub fn handle_time(&mut self, now_ms: u64) {
        while let Some((due_ms, owner, group)) = self.due.first().cloned() {
            if due_ms > now_ms {
                return;
            }
            if !matches!(self.with(now_ms, &owner, &group, false, |_, _, _| ()), Ok(Some(()))) {
                self.due.remove(&(due_ms, owner, group));
            }
        }
    }

    /// When there is something to do, if nothing else happens.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _, _)| *due_ms)
    }

    /// An answer to a call that waited.
    pub fn poll_answer(&mut self) -> Option<(Ticket, Answer)> {
        self.answers.pop_front()
    }

    /// What happened to a group since, that its offsets depend on.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// A group as administrators see it; `None` where it has nobody.
    #[must_use]
    pub fn describe(&self, owner: &str, group: &str) -> Option<Described> {
        Some(self.group(owner, group)?.describe())
    }

    /// All groups of an owner that have somebody: name, state, what kind.
    #[must_use]
    pub fn list(&self, owner: &str) -> Vec<(Text, State, Text)> {
        let groups = self.owners.get(owner).into_iter().flat_map(|owner| &owner.groups);
        groups
            .map(|(name, Entry { group, .. })| (Text::clone(name), group.state, Text::clone(&group.protocol_type)))
            .collect()
    }

    /// Whether a group reads this topic, so that its offsets are needed; `None` where it has nobody.
    ///
    /// # Errors
    /// [`ResponseError::NonEmptyGroup`] where members do not say what they read.
    pub fn subscribes(&self, owner: &str, group: &str, topic: &str) -> Option<Result<bool, ResponseError>> {
        let group = self.group(owner, group).filter(|group| group.state != State::Empty)?;
        Some(if group.is_of_consumers() { Ok(group.subscribes(topic)) } else { Err(ResponseError::NonEmptyGroup) })
    }

    /// Whether the offsets of a stable group of consumers for this topic are no longer needed.
    #[must_use]
    pub fn has_given_up(&self, owner: &str, group: &str, topic: &str) -> bool {
        let group = self.group(owner, group);
        group.is_some_and(|it| it.state == State::Stable && it.is_of_consumers() && !it.subscribes(topic))
    }

    /// No generation is greater than this.
    #[must_use]
    pub fn generation_max(&self) -> i32 {
        self.generation_floor
    }

    /// How much there is.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals { groups: self.groups, members: self.members, bytes: self.bytes, rebalances: self.divided }
    }

    fn group(&self, owner: &str, group: &str) -> Option<&Group> {
        Some(&self.owners.get(owner)?.groups.get(group)?.group)
    }

    fn check_group(&self, group: &str) -> Result<(), ResponseError> {
        let is_name = (1..=self.limits.name_bytes_max).contains(&group.len());
        if is_name { Ok(()) } else { Err(ResponseError::InvalidGroupId) }
    }

    fn check_join(&self, owner: &str, group: &str, join: &Join) -> Result<(), ResponseError> {
        let limits = &self.limits;
        self.check_group(group)?;
        let session_ms = u64::try_from(join.session_ms).unwrap_or_default();
        if !(limits.session_ms_min..=limits.session_ms_max).contains(&session_ms) {
            return Err(ResponseError::InvalidSessionTimeout);
        }
        let instance = join.who.instance.as_deref();
        let mut names = join.protocols.iter().map(|(name, _)| name.as_str()).chain([join.protocol_type.as_str()]);
        let said: usize = join.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum();
        if instance.is_some_and(|name| !(1..=limits.name_bytes_max).contains(&name.len()))
            || names.any(|name| name.len() > limits.name_bytes_max)
            || join.protocols.len() > limits.protocols_max
            || said > limits.member_bytes_max
        {
            return Err(ResponseError::PolicyViolation);
        }
        let less = self.group(owner, group).map_or(0, |group| group.bytes_of(&join.who));
        self.check_room(owner, said, less)
    }

    fn check_sync(&self, owner: &str, group: &str, sync: &Sync) -> Result<(), ResponseError> {
        self.check_group(group)?;
        let parts = || sync.assignments.iter().map(|(_, part)| part.len());
        if parts().any(|bytes| bytes > self.limits.member_bytes_max) {
            return Err(ResponseError::PolicyViolation);
        }
        let less =
            self.group(owner, group).map_or(0, |group| group.members.values().map(|it| it.assignment.len()).sum());
        self.check_room(owner, parts().sum(), less)
    }

    /// Whether so many bytes more and so many fewer are in the limits.
    fn check_room(&self, owner: &str, more: usize, less: usize) -> Result<(), ResponseError> {
        let of_owner = self.owners.get(owner).map_or(0, |owner| owner.bytes);
        let is_too_much = |now: usize, max: usize| more > less && (now + more).saturating_sub(less) > max;
        let limits = &self.limits;
        let is_full = is_too_much(of_owner, limits.owner_bytes_max) || is_too_much(self.bytes, limits.bytes_max);
        if is_full { Err(ResponseError::PolicyViolation) } else { Ok(()) }
    }

    /// Does something that only puts off what is due: it need not be looked for again.
    fn touch<R>(&mut self, owner: &str, group: &str, act: impl FnOnce(&mut Group) -> R) -> Option<R> {
        Some(act(&mut self.owners.get_mut(owner)?.groups.get_mut(group)?.group))
    }

    /// Does something with a group, and what follows from that.
    fn with<R>(
        &mut self,
        now_ms: u64,
        owner: &str,
        group: &str,
        create: bool,
        act: impl FnOnce(&mut Group, &GroupLimits, &mut Outbox) -> R,
    ) -> Result<Option<R>, ResponseError> {
        if create {
            self.create(owner, group)?;
        }
        let Some((owner_name, _)) = self.owners.get_key_value(owner) else { return Ok(None) };
        let owner_name = Text::clone(owner_name);
        let Some(of_owner) = self.owners.get_mut(owner) else { return Ok(None) };
        let Some((name, _)) = of_owner.groups.get_key_value(group) else { return Ok(None) };
        let name = Text::clone(name);
        let Some(entry) = of_owner.groups.get_mut(group) else { return Ok(None) };
        let result = act(&mut entry.group, &self.limits, &mut self.answers);
        entry.group.settle(now_ms, &self.limits, &mut self.answers);
        self.generation_floor = self.generation_floor.max(entry.group.generation);
        self.divided += std::mem::take(&mut entry.group.divided);
        let bytes = entry.group.bytes();
        of_owner.bytes = (of_owner.bytes + bytes).saturating_sub(entry.bytes);
        self.bytes = (self.bytes + bytes).saturating_sub(entry.bytes);
        entry.bytes = bytes;
        let members = entry.group.members.len();
        let members_before = std::mem::replace(&mut entry.members, members);
        self.members = (self.members + members).saturating_sub(members_before);
        let is_peopled = members > 0;
        if is_peopled != (members_before > 0) {
            let protocol_type = Text::clone(&entry.group.protocol_type);
            let (owner, group) = (Text::clone(&owner_name), Text::clone(&name));
            self.notices.push_back(Notice { owner, group, protocol_type, is_peopled });
        }
        let due_ms = entry.group.next_due();
        let before = std::mem::replace(&mut entry.due_ms, due_ms);
        if entry.group.is_vacant() {
            of_owner.groups.remove(&name);
            self.groups -= 1;
        }
        if of_owner.groups.is_empty() {
            self.owners.remove(&owner_name);
        }
        if before != due_ms {
            if let Some(before) = before {
                self.due.remove(&(before, Text::clone(&owner_name), Text::clone(&name)));
            }
            if let Some(due_ms) = due_ms {
                self.due.insert((due_ms, owner_name, name));
            }
        }
        Ok(Some(result))
    }

    fn create(&mut self, owner: &str, group: &str) -> Result<(), ResponseError> {
        let of_owner = self.owners.get(owner);
        if of_owner.is_some_and(|it| it.groups.contains_key(group)) {
            return Ok(());
        }
        let count = of_owner.map_or(0, |it| it.groups.len());
        if self.groups >= self.limits.groups_max || count >= self.limits.owner_groups_max {
            return Err(ResponseError::PolicyViolation);
        }
        let group_of_floor = Group::new(self.generation_floor);
        let entry = Entry { group: group_of_floor, due_ms: None, bytes: 0, members: 0 };
        let owner = self.owners.entry(owner.into()).or_default();
        owner.groups.insert(group.into(), entry);
        self.groups += 1;
        Ok(())
    }
}
