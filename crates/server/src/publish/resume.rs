//! Where to go on: what was kept, what the store has and what the broker has, and what follows from them. All of it pure.

use std::collections::HashMap;

use cordboard_kafka::batch::Record;

use super::account::{Account, Backwards, Entry, Lane, Witness};
use super::kept::KeptTopic;
use super::walk::{MessageId, Source, SourceError, Walk};
use crate::log::Position;

/// Offsets of a partition: the oldest that is kept, and the one that the next record will get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// What is to be looked through in the broker before anything is sent to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// For each partition of the store: from here on it is looked for, and sent where it is missing.
    pub(super) acked: Vec<i64>,
    /// For each partition of the broker: from here on it is looked through.
    pub(super) floors: Vec<i64>,
    /// For each partition of the broker: what must be found where, if anything is there.
    pub(super) witnesses: Vec<Option<Witness>>,
    /// Why it is begun at the beginning of what the store keeps, where it is.
    pub(super) anew: Option<Anew>,
}

/// Why a topic is published from the beginning of what the store keeps. What is there already is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anew {
    /// Nothing was kept: it is the first time.
    First,
    /// It was kept of another cluster.
    Cluster,
    /// The topic is not the one that was written to: it is shorter, or holds something else.
    Topic,
    /// The store is not the one that was read.
    Store,
}

/// How to begin with a topic.
pub(super) fn plan(kept: Option<&KeptTopic>, is_cluster: bool, store: &[Ends], broker: &[Ends]) -> Plan {
    let Some(kept) = kept else { return begin_anew(Anew::First, store, broker) };
    if !is_cluster {
        return begin_anew(Anew::Cluster, store, broker);
    }
    let is_shorter =
        broker.len() < kept.floors.len() || kept.floors.iter().zip(broker).any(|(floor, broker)| *floor > broker.end);
    if is_shorter {
        return begin_anew(Anew::Topic, store, broker);
    }
    if store.len() < kept.acked.len() || kept.acked.iter().zip(store).any(|(acked, store)| *acked > store.end) {
        return begin_anew(Anew::Store, store, broker);
    }
    // A partition that is new since then has everything of ours from its beginning.
    let acked = store.iter().enumerate().map(|(at, store)| kept.acked.get(at).copied().unwrap_or(store.start));
    let floors =
        broker.iter().enumerate().map(|(at, ends)| kept.floors.get(at).map_or(ends.start, |it| *it.max(&ends.start)));
    let witness = |(at, ends): (usize, &Ends)| {
        let witness = kept.witnesses.get(at).copied().flatten();
        witness.filter(|witness| (ends.start..ends.end).contains(&witness.offset))
    };
    Plan {
        acked: acked.collect(),
        floors: floors.collect(),
        witnesses: broker.iter().enumerate().map(witness).collect(),
        anew: None,
    }
}

/// Everything that the store keeps is to be there, and everything that is there is looked through.
pub(super) fn begin_anew(why: Anew, store: &[Ends], broker: &[Ends]) -> Plan {
    Plan {
        acked: store.iter().map(|ends| ends.start).collect(),
        floors: broker.iter().map(|ends| ends.start).collect(),
        witnesses: vec![None; broker.len()],
        anew: Some(why),
    }
}

/// The messages of a tenant that are in the broker and may not be acknowledged in the account.
#[derive(Debug, Default)]
pub(super) struct Found {
    messages: HashMap<MessageId, Place>,
    /// What was told before is not asked for.
    oldest: Option<Position>,
    /// When the last of them was told: behind it none of them is met any more.
    newest: Option<Position>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    lane: usize,
    offset: i64,
}

impl Found {
    /// Nothing yet, and what was told before the first record of this walk is not asked for.
    pub(super) fn before<S: Source>(walk: &Walk<S>) -> Self {
        Self { oldest: walk.head().map(|head| head.position), ..Self::default() }
    }

    /// One more.
    pub(super) fn add(&mut self, id: MessageId, position: Position, lane: usize, offset: i64) {
        if !id.is_none() && self.oldest.is_some_and(|oldest| oldest <= position) {
            self.messages.entry(id).or_insert(Place { lane, offset });
            self.newest = self.newest.max(Some(position));
        }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }
}

/// A record that is to be sent.
#[derive(Debug)]
pub(super) struct Next<'a> {
    /// Its number in the account.
    pub(super) number: u64,
    /// The partition of the broker.
    pub(super) lane: usize,
    /// The record.
    pub(super) record: &'a Record,
}

/// The publisher without its broker: what is next, what is there already, and the account of it.
#[derive(Debug)]
pub(super) struct Course<S> {
    walk: Walk<S>,
    found: Option<Found>,
    account: Account,
}

impl<S: Source> Course<S> {
    /// Goes on from `acked`, where the walk begins; what was found is not sent again.
    pub(super) fn new(walk: Walk<S>, acked: Vec<i64>, lanes: Vec<Lane>, found: Found) -> Self {
        Self { walk, found: Some(found), account: Account::new(acked, lanes) }
    }

    /// The next record that is not in the broker, as `lane` says where it goes; none at the end of the store.
    pub(super) fn next(&mut self, lane: impl Fn(usize, &[u8]) -> usize) -> Result<Option<Next<'_>>, SourceError> {
        loop {
            let Some(head) = self.walk.head() else {
                self.release();
                return Ok(None);
            };
            let (slot, id, position) = (head.slot, head.id, head.position);
            let entry = Entry {
                slot,
                offset: head.record.offset,
                lane: lane(slot, head.record.key.as_deref().unwrap_or_default()),
                id,
                at_ms: head.record.timestamp_ms,
            };
            // Everything that was found was told before.
            if self.found.as_ref().is_some_and(|found| found.newest.is_none_or(|newest| newest < position)) {
                self.release();
            }
            let place = self.found.as_mut().and_then(|found| found.messages.remove(&id));
            if let Some(Place { lane, offset }) = place {
                self.account.found(Entry { lane, ..entry }, offset);
                self.walk.advance()?;
                continue;
            }
            let number = self.account.sent(entry);
            let lane = entry.lane;
            return Ok(self.walk.head().map(|head| Next { number, lane, record: &head.record }));
        }
    }

    /// The record of [`Self::next`] is given to the producer.
    pub(super) fn taken(&mut self) -> Result<(), SourceError> {
        self.walk.advance()
    }

    /// The producer did not take the record of [`Self::next`].
    pub(super) fn not_taken(&mut self) {
        self.account.take_back();
    }

    /// Looks for what came into the store since it was at its end.
    pub(super) fn refill(&mut self) -> Result<(), SourceError> {
        self.walk.refill()
    }

    /// The broker acknowledged this.
    pub(super) fn acknowledged(&mut self, number: u64, there: Option<i64>) -> Result<(), Backwards> {
        self.account.acknowledged(number, there)
    }

    /// How far everything is.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The time of the oldest record that is not acknowledged.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        self.account.oldest_ms().or_else(|| self.walk.head().map(|head| head.record.timestamp_ms))
    }

    /// Records that the store dropped before they were sent, since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        self.walk.take_lost()
    }

    /// Nothing is under way, and these are the ends of the broker's partitions.
    pub(super) fn raise(&mut self, ends: &[i64]) -> bool {
        self.account.raise(ends)
    }

    fn release(&mut self) {
        if self.found.take().is_some() {
            self.account.release();
        }
    }
}
