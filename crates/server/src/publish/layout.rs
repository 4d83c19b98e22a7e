//! Which partition of the store belongs to which topic of the broker.

use std::ops::Range;

use crate::config::TopicNames;
use crate::topics::{PartitionId, TopicStore};

/// All partitions of the store by numbers from 0 (slots), topic after topic.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    topics: Vec<LaidTopic>,
    slots: Vec<PartitionId>,
}

/// A topic.
#[derive(Clone, Debug)]
pub(super) struct LaidTopic {
    /// Its name in the broker.
    pub(super) name: String,
    /// Its slots.
    pub(super) slots: Range<usize>,
}

impl Layout {
    /// Of this tenant's store.
    pub(super) fn new(tenant: &str, names: TopicNames, store: &TopicStore) -> Self {
        let (mut topics, mut slots) = (Vec::new(), Vec::new());
        for (topic, known) in (0..).zip(store.topics()) {
            let first = slots.len();
            slots.extend((0..known.partitions).map(|partition| PartitionId { topic, partition }));
            topics.push(LaidTopic { name: names.of(tenant, &known.name), slots: first..slots.len() });
        }
        Self { topics, slots }
    }

    /// The topics.
    pub(super) fn topics(&self) -> &[LaidTopic] {
        &self.topics
    }

    /// The slots.
    pub(super) fn slots(&self) -> &[PartitionId] {
        &self.slots
    }
}

/// The partitions of the broker by numbers from 0 (lanes), topic after topic in the order of the layout.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    /// Of each slot: the first lane of its topic, and how many there are.
    of_slots: Vec<(usize, u32)>,
    /// Of each lane: its topic, and the number of the partition.
    lanes: Vec<(usize, i32)>,
}

impl Lanes {
    /// The lanes of the next topic, which has these slots.
    pub(super) fn add(&mut self, slots: usize, partitions: usize) -> Range<usize> {
        let (first, topic) = (self.lanes.len(), self.lanes.last().map_or(0, |(topic, _)| topic + 1));
        let count = u32::try_from(partitions).unwrap_or(u32::MAX);
        self.of_slots.extend(std::iter::repeat_n((first, count), slots));
        self.lanes.extend((0..partitions).map(|partition| (topic, i32::try_from(partition).unwrap_or(i32::MAX))));
        first..self.lanes.len()
    }

    /// Where a record goes: as Kafka's own producers choose it.
    pub(super) fn lane(&self, slot: usize, key: &[u8]) -> usize {
        let (first, count) = self.of_slots.get(slot).copied().unwrap_or_default();
        first + cordboard_kafka::partitioner::partition(key, count) as usize
    }

    /// Topic and partition of a lane.
    pub(super) fn place(&self, lane: usize) -> Option<(usize, i32)> {
        self.lanes.get(lane).copied()
    }

    /// All of them.
    pub(super) fn all(&self) -> &[(usize, i32)] {
        &self.lanes
    }
}
