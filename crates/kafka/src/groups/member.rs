//! A member of a group.

use std::collections::BTreeSet;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::command::{Answer, Join, Joined, NotJoined, Outbox, Synced};
use super::{GroupLimits, Text, Ticket};

/// Memory of a member besides what is counted.
const MEMBER_BYTES: usize = 512;
/// Who gives the others no time to join again gives them this much. Milliseconds.
const REBALANCE_MS_MIN: u64 = 1_000;
/// Longest name of a program or host that is kept.
const NAME_CHARS_MAX: usize = 128;

/// Somebody in a group.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) instance: Option<Text>,
    pub(super) client_id: Text,
    pub(super) client_host: Text,
    pub(super) session_ms: u64,
    pub(super) rebalance_ms: u64,
    pub(super) protocols: Vec<(Text, Bytes)>,
    pub(super) assignment: Bytes,
    /// When it is left out, unless it is heard of.
    pub(super) deadline_ms: u64,
    /// It has not been told its member id by a join that was answered.
    pub(super) is_new: bool,
    /// It has asked for its part in this generation.
    pub(super) has_synced: bool,
    joins: Option<Ticket>,
    syncs: Option<Ticket>,
}

impl Member {
    /// A new one; nobody has heard of it before.
    pub(super) fn new(now_ms: u64, join: &Join, limits: &GroupLimits) -> Self {
        let mut member = Self {
            instance: join.who.instance.as_deref().map(Text::from),
            client_id: clipped(&join.client_id),
            client_host: clipped(&join.client_host),
            session_ms: 0,
            rebalance_ms: 0,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            deadline_ms: now_ms.saturating_add(limits.new_member_ms_max),
            is_new: true,
            has_synced: false,
            joins: None,
            syncs: None,
        };
        member.update(join, limits);
        member
    }

    /// Takes what it says of itself now.
    pub(super) fn update(&mut self, join: &Join, limits: &GroupLimits) {
        self.session_ms = u64::try_from(join.session_ms).unwrap_or_default();
        self.rebalance_ms = u64::try_from(join.rebalance_ms).unwrap_or_default();
        self.rebalance_ms = self.rebalance_ms.clamp(REBALANCE_MS_MIN, limits.rebalance_ms_max.max(REBALANCE_MS_MIN));
        // Copied: what came in is a part of a whole request, which would be kept otherwise.
        let copied = |(name, metadata): &(String, Bytes)| (Text::from(name.as_str()), Bytes::copy_from_slice(metadata));
        self.protocols = join.protocols.iter().map(copied).collect();
    }

    /// Whether it says the same of itself as before.
    pub(super) fn says_the_same(&self, join: &Join) -> bool {
        self.protocols.len() == join.protocols.len()
            && self.protocols.iter().zip(&join.protocols).all(|(old, new)| *old.0 == *new.0 && old.1 == new.1)
    }

    /// Whether it can divide the work in this way.
    pub(super) fn speaks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| **name == *protocol)
    }

    /// What it says of itself for this way of dividing the work.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let mut all = self.protocols.iter();
        all.find(|(name, _)| **name == *protocol).map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    /// The one it likes best among those that everybody can.
    pub(super) fn vote(&self, candidates: &BTreeSet<Text>) -> Option<Text> {
        self.protocols.iter().map(|(name, _)| name).find(|name| candidates.contains(*name)).cloned()
    }

    /// Memory it takes. Bytes.
    pub(super) fn bytes(&self) -> usize {
        MEMBER_BYTES + self.protocols.iter().map(|it| it.0.len() + it.1.len()).sum::<usize>() + self.assignment.len()
    }

    /// It was heard of.
    pub(super) fn heard(&mut self, now_ms: u64) {
        self.deadline_ms = now_ms.saturating_add(self.session_ms);
    }

    /// When it is left out; never while it waits for us, unless it is new and perhaps gone.
    pub(super) fn due(&self) -> Option<u64> {
        (self.is_new || !(self.waits_to_join() || self.syncs.is_some())).then_some(self.deadline_ms)
    }

    pub(super) fn waits_to_join(&self) -> bool {
        self.joins.is_some()
    }

    /// It waits for the others. If it has asked before, that call ends: its connection is gone, or it is impatient.
    pub(super) fn wait_to_join(&mut self, ticket: Ticket, id: &str, out: &mut Outbox) {
        self.refuse_join(ResponseError::RebalanceInProgress, id, out);
        self.joins = Some(ticket);
    }

    pub(super) fn wait_to_sync(&mut self, ticket: Ticket, out: &mut Outbox) {
        self.refuse_sync(ResponseError::RebalanceInProgress, out);
        self.syncs = Some(ticket);
    }

    pub(super) fn answer_join(&mut self, joined: Joined, out: &mut Outbox) {
        if let Some(ticket) = self.joins.take() {
            out.push_back((ticket, Answer::Join(Ok(joined))));
        }
    }

    pub(super) fn refuse_join(&mut self, error: ResponseError, id: &str, out: &mut Outbox) {
        if let Some(ticket) = self.joins.take() {
            out.push_back((ticket, Answer::Join(Err(NotJoined { error, member: id.to_owned() }))));
        }
    }

    /// Gives it its part, if it waits for that.
    pub(super) fn answer_sync(&mut self, now_ms: u64, protocol_type: &Text, protocol: &Text, out: &mut Outbox) {
        if let Some(ticket) = self.syncs.take() {
            let (protocol_type, protocol) = (Text::clone(protocol_type), Text::clone(protocol));
            let assignment = self.assignment.clone();
            out.push_back((ticket, Answer::Sync(Ok(Synced { protocol_type, protocol, assignment }))));
            self.heard(now_ms);
        }
    }

    pub(super) fn refuse_sync(&mut self, error: ResponseError, out: &mut Outbox) {
        if let Some(ticket) = self.syncs.take() {
            out.push_back((ticket, Answer::Sync(Err(error))));
        }
    }

    /// Ends whatever it waits for.
    pub(super) fn refuse_all(&mut self, error: ResponseError, id: &str, out: &mut Outbox) {
        self.refuse_join(error, id, out);
        self.refuse_sync(error, out);
    }
}

fn clipped(name: &str) -> Text {
    name.chars().take(NAME_CHARS_MAX).collect::<String>().into()
}
