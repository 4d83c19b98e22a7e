//! The account of one tenant: how far its topics are in the broker, and where the broker is to be looked at after a crash.
//!
//! What is kept of it is small and old: written every second or so, not for each record. It is enough, because it says two
//! things that go together: for each partition of the store the offset up to which everything is acknowledged, and for
//! each partition of the broker the *floor*, below which lies nothing of what came after these offsets. A process that
//! starts again finds everything that its predecessor sent since, acknowledged or not, between the floors and the ends.
//!
//! Records are acknowledged by a broker partition in the order in which they were sent to it (the producer is idempotent),
//! so what is not acknowledged lies behind the newest offset that is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::walk::MessageId;

/// How far everything is.
#[derive(Debug)]
pub(super) struct Account {
    acked: Vec<i64>,
    lanes: Vec<Lane>,
    /// What was sent, in the order of the walk; at the front is the oldest that is not acknowledged.
    under_way: VecDeque<Sent>,
    /// The number of the one at the front.
    first: u64,
}

/// A partition of the broker.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// The newest offset that is known to be ours or before ours.
    newest: i64,
    /// While not everything is met that was found there at the start: the floor of that time.
    held: Option<i64>,
    /// The newest record that is settled.
    witness: Option<Witness>,
}

/// A record of ours in the broker, by which a topic is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Witness {
    /// Its offset there.
    pub(super) offset: i64,
    /// Which message it is.
    pub(super) id: MessageId,
}

impl Witness {
    /// Whether the message at this offset tells that the topic is another one than that which was written to.
    pub(super) fn is_contradicted(&self, offset: i64, id: MessageId) -> bool {
        self.offset == offset && self.id != id
    }
}

#[derive(Debug)]
struct Sent {
    slot: usize,
    offset: i64,
    lane: usize,
    id: MessageId,
    at_ms: i64,
    there: There,
}

/// Where a record is in the broker.
#[derive(Clone, Copy, Debug)]
enum There {
    /// It is not acknowledged.
    Perhaps,
    /// It is, but not said where: at this offset or behind it.
    Behind(i64),
    /// Here.
    At(i64),
}

impl There {
    fn offset(self) -> Option<i64> {
        match self {
            Self::Perhaps => None,
            Self::Behind(offset) | Self::At(offset) => Some(offset),
        }
    }
}

/// A record that goes into the account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The partition of the store.
    pub(super) slot: usize,
    /// Its offset in it.
    pub(super) offset: i64,
    /// The partition of the broker.
    pub(super) lane: usize,
    /// Which message it is.
    pub(super) id: MessageId,
    /// Its time, milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
}

/// An offset that does not come after those before it: this is not the topic that was written to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Backwards {
    /// The partition of the broker.
    pub(super) lane: usize,
}

impl Lane {
    /// A partition that was looked at from `floor` to `end`.
    pub(super) fn new(floor: i64, end: i64, witness: Option<Witness>) -> Self {
        Self { newest: end - 1, held: Some(floor), witness }
    }
}

impl Account {
    /// Everything is acknowledged up to these offsets of the store.
    pub(super) fn new(acked: Vec<i64>, lanes: Vec<Lane>) -> Self {
        Self { acked, lanes, under_way: VecDeque::new(), first: 0 }
    }

    /// It is given to the producer, and gets a number.
    pub(super) fn sent(&mut self, entry: Entry) -> u64 {
        self.push(entry, There::Perhaps);
        self.first + self.under_way.len() as u64 - 1
    }

    /// The newest that was sent was not taken by the producer after all.
    pub(super) fn take_back(&mut self) {
        _ = self.under_way.pop_back_if(|sent| sent.there.offset().is_none());
    }

    /// It was found in the broker.
    pub(super) fn found(&mut self, entry: Entry, there: i64) {
        self.push(entry, There::At(there));
        self.settle();
    }

    /// What was found is all met; the floors rise again.
    pub(super) fn release(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.held = None);
    }

    /// The broker acknowledged the record of this number; `there` is none where it did not say where.
    pub(super) fn acknowledged(&mut self, number: u64, there: Option<i64>) -> Result<(), Backwards> {
        let Some(at) = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok()) else { return Ok(()) };
        let Some(sent) = self.under_way.get_mut(at) else { return Ok(()) };
        let Some(lane) = self.lanes.get_mut(sent.lane) else { return Ok(()) };
        sent.there = match there {
            Some(there) if there <= lane.newest => return Err(Backwards { lane: sent.lane }),
            Some(there) => {
                lane.newest = there;
                There::At(there)
            }
            None => There::Behind(lane.newest.saturating_add(1)),
        };
        self.settle();
        Ok(())
    }

    /// Nothing of ours is under way, and these are the ends of the broker's partitions: what comes, comes behind them.
    /// Whether that changes anything.
    pub(super) fn raise(&mut self, ends: &[i64]) -> bool {
        if !self.under_way.is_empty() {
            return false;
        }
        let mut is_changed = false;
        for (lane, end) in self.lanes.iter_mut().zip(ends).filter(|(lane, end)| lane.newest < **end - 1) {
            lane.newest = end - 1;
            // It would have to be read all by itself.
            lane.witness = None;
            is_changed = true;
        }
        is_changed
    }

    /// The partition of the broker that the record of this number was sent to.
    pub(super) fn lane(&self, number: u64) -> Option<usize> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.under_way.get(at).map(|sent| sent.lane)
    }

    /// Records that are sent and not settled.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The time of the oldest of them.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        self.under_way.front().map(|sent| sent.at_ms)
    }

    /// Up to where everything is acknowledged, for each partition of the store.
    pub(super) fn acked(&self) -> &[i64] {
        &self.acked
    }

    /// The floor of each partition of the broker, and the newest record that is settled.
    pub(super) fn floors(&self) -> Vec<(i64, Option<Witness>)> {
        let mut floors: Vec<i64> =
            self.lanes.iter().map(|lane| lane.held.unwrap_or(lane.newest.saturating_add(1))).collect();
        for sent in &self.under_way {
            if let (Some(there), Some(floor)) = (sent.there.offset(), floors.get_mut(sent.lane)) {
                *floor = there.min(*floor);
            }
        }
        floors.into_iter().zip(self.lanes.iter().map(|lane| lane.witness)).collect()
    }

    fn push(&mut self, entry: Entry, there: There) {
        let Entry { slot, offset, lane, id, at_ms } = entry;
        self.under_way.push_back(Sent { slot, offset, lane, id, at_ms, there });
    }

    fn settle(&mut self) {
        while let Some(sent) = self.under_way.pop_front_if(|sent| sent.there.offset().is_some()) {
            self.first += 1;
            if let Some(acked) = self.acked.get_mut(sent.slot) {
                *acked = sent.offset.saturating_add(1);
            }
            if let (Some(lane), There::At(offset)) = (self.lanes.get_mut(sent.lane), sent.there)
                && lane.witness.is_none_or(|witness| witness.offset < offset)
            {
                lane.witness = Some(Witness { offset, id: sent.id });
            }
        }
    }
}
