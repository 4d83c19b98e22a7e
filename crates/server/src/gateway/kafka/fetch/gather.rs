//! One fetch: what it asks for, what was read of it so far, and whether that is enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::select_all;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{FetchRequest, FetchResponse, TopicName};
use tokio::sync::watch;

use super::super::leader_epoch;
use super::super::names::{SeenPartition, View};
use super::{Fetched, Held, Room, failed, no_records};
use crate::topics::{PartitionId, ReadError, TopicStore};

/// What is read for one fetch.
pub(super) struct Gathering {
    topics: Vec<(TopicName, Vec<Wanted>)>,
    /// Records of the answer, in bytes.
    bytes_max: usize,
    bytes_min: usize,
    bytes: usize,
    held: Option<Room>,
    /// Whether it is over, whatever there is to read.
    is_stopped: bool,
}

/// A partition that is asked for.
struct Wanted {
    index: i32,
    seen: Seen,
    bytes_max: usize,
    bytes: usize,
    parts: Vec<Bytes>,
}

enum Seen {
    Kept {
        tenant: Arc<str>,
        store: TopicStore,
        id: PartitionId,
        /// The offset to go on with.
        next: i64,
    },
    /// There is nothing, whatever the offset.
    Asleep {
        at: i64,
    },
    Failed(ResponseError),
}

impl Gathering {
    pub(super) fn new(view: &View, request: &FetchRequest, answer_bytes_max: usize) -> Self {
        let bytes_max = limit(request.max_bytes).min(answer_bytes_max);
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|wanted| Wanted::new(view, &topic.topic, wanted));
            (topic.topic.clone(), partitions.collect())
        });
        let bytes_min = limit(request.min_bytes).min(bytes_max);
        Self { topics: topics.collect(), bytes_max, bytes_min, bytes: 0, held: None, is_stopped: false }
    }

    /// Whether something can be read that was not.
    pub(super) fn has_news(&self) -> bool {
        self.bytes < self.bytes_max.max(1) && self.wanted().any(Wanted::has_news)
    }

    /// Whether nothing was read yet.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How much the next read may give, in bytes.
    pub(super) fn bytes_wanted(&self) -> usize {
        let news = self.wanted().filter(|wanted| wanted.has_news());
        news.fold(0usize, |sum, wanted| sum.saturating_add(wanted.left()))
            .min(self.bytes_max - self.bytes.min(self.bytes_max))
    }

    /// Whether to answer now.
    pub(super) fn is_enough(&self) -> bool {
        let failed = |wanted: &Wanted| matches!(wanted.seen, Seen::Failed(_));
        self.is_stopped || self.bytes >= self.bytes_min || self.topics.is_empty() || self.wanted().any(failed)
    }

    /// The same, with nothing more to be read.
    pub(super) fn stopped(self) -> Self {
        Self { is_stopped: true, ..self }
    }

    /// Reads what there is, in the order in which it is asked for, as far as there is `room`; the rest of that is given back.
    pub(super) fn read(&mut self, room: Room) {
        let before = self.bytes;
        let bytes_max = self.bytes_max.min(before.saturating_add(room.bytes()));
        // No partition keeps another from its turn, however much there is of it.
        let share = bytes_max / self.wanted().filter(|wanted| wanted.has_news()).count().max(1);
        let Self { topics, bytes, is_stopped, .. } = self;
        for wanted in topics.iter_mut().flat_map(|(_, partitions)| partitions) {
            let left = bytes_max.saturating_sub(*bytes);
            if left > 0 || *bytes == 0 {
                match wanted.read((left, share), *bytes == 0) {
                    Some(read) => *bytes += read,
                    None => *is_stopped = true,
                }
            }
        }
        self.hold(room, self.bytes - before);
    }

    fn hold(&mut self, mut room: Room, bytes: usize) {
        let Some(kept) = room.split(bytes) else { return };
        match &mut self.held {
            Some(held) => held.merge(kept),
            None => self.held = Some(kept),
        }
    }

    /// The answer, with the memory that it holds.
    pub(super) fn answer(self) -> Fetched {
        let topics = self.topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(Wanted::answer).collect();
            FetchableTopicResponse::default().with_topic(name).with_partitions(partitions)
        });
        Fetched { answer: FetchResponse::default().with_responses(topics.collect()), held: Held { _room: self.held } }
    }

    fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        self.topics.iter().flat_map(|(_, partitions)| partitions)
    }
}

impl Wanted {
    fn new(view: &View, topic: &TopicName, wanted: &FetchPartition) -> Self {
        let at = wanted.fetch_offset;
        let seen = match (view.partition(topic, wanted.partition), leader_epoch::check(wanted.current_leader_epoch)) {
            (None, _) => Seen::Failed(ResponseError::UnknownTopicOrPartition),
            (Some(_), Err(error)) => Seen::Failed(error),
            (Some(SeenPartition::Asleep), Ok(())) => Seen::Asleep { at: at.max(0) },
            (Some(partition @ SeenPartition::Kept { tenant, store, id }), Ok(())) => {
                let (start, end) = partition.bounds();
                if (start..=end).contains(&at) {
                    Seen::Kept { tenant: Arc::clone(tenant), store: store.clone(), id: *id, next: at }
                } else {
                    Seen::Failed(ResponseError::OffsetOutOfRange)
                }
            }
        };
        Self {
            index: wanted.partition,
            seen,
            bytes_max: limit(wanted.partition_max_bytes),
            bytes: 0,
            parts: Vec::new(),
        }
    }

    fn has_news(&self) -> bool {
        match &self.seen {
            Seen::Kept { store, id, next, .. } => self.left() > 0 && store.end(*id).is_some_and(|end| end > *next),
            Seen::Asleep { .. } | Seen::Failed(_) => false,
        }
    }

    /// How much of it may be read, in bytes: the first batch, however little is asked for.
    fn left(&self) -> usize {
        self.bytes_max.max(1).saturating_sub(self.bytes)
    }

    /// Reads on, and gives how many bytes that were. None: what comes next does not fit, and is for another answer.
    fn read(&mut self, (left, share): (usize, usize), is_first: bool) -> Option<usize> {
        if !self.has_news() {
            return Some(0);
        }
        let most = self.left().min(left);
        let Seen::Kept { tenant, store, id, next } = &mut self.seen else { return Some(0) };
        match store.read(*id, *next, most.min(share).max(1)) {
            Ok(batches) if !batches.bytes.is_empty() && (batches.bytes.len() <= most || is_first) => {
                let bytes = batches.bytes.len();
                *next = batches.next;
                self.bytes += bytes;
                self.parts.push(batches.bytes);
                Some(bytes)
            }
            Ok(_) => None,
            // Dropped since it was looked for. What was read before it is told first.
            Err(ReadError::OutOfRange { .. }) if self.bytes > 0 => None,
            Err(error) => {
                self.seen = Seen::Failed(failed(tenant, *id, &error));
                Some(0)
            }
        }
    }

    fn answer(self) -> PartitionData {
        let answer = no_records(self.index);
        let at = |answer: PartitionData, (start, end)| {
            answer.with_high_watermark(end).with_last_stable_offset(end).with_log_start_offset(start)
        };
        match self.seen {
            Seen::Failed(error) => answer.with_error_code(error.code()),
            Seen::Asleep { at: offset } => at(answer, (0, offset)),
            Seen::Kept { tenant, store, id, .. } => {
                let bounds = SeenPartition::Kept { tenant, store, id }.bounds();
                at(answer, bounds).with_records(Some(joined(self.parts)))
            }
        }
    }
}

/// The bells of all stores that are asked.
pub(super) struct Bells(Vec<watch::Receiver<u64>>);

impl Bells {
    pub(super) fn new(gathering: &Gathering) -> Self {
        let mut stores = BTreeMap::new();
        for wanted in gathering.wanted() {
            if let Seen::Kept { tenant, store, .. } = &wanted.seen {
                stores.entry(tenant).or_insert(store);
            }
        }
        let bell = |store: &TopicStore| {
            let mut bell = store.bell();
            bell.mark_unchanged();
            bell
        };
        Self(stores.into_values().map(bell).collect())
    }

    /// Waits until one of them is rung.
    pub(super) async fn rung(&mut self) {
        while !self.0.is_empty() {
            let (rung, at, _) = select_all(self.0.iter_mut().map(|bell| Box::pin(bell.changed()))).await;
            if rung.is_ok() {
                return;
            }
            // That store is closed: nothing will come.
            drop(self.0.swap_remove(at));
        }
        std::future::pending().await
    }
}

fn joined(mut parts: Vec<Bytes>) -> Bytes {
    if parts.len() < 2 {
        return parts.pop().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in parts {
        all.extend_from_slice(&part);
    }
    all.freeze()
}

/// A number of bytes as clients say it; less than none is none.
fn limit(bytes: i32) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}
