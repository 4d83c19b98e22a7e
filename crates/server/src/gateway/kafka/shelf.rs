//! For tests: stores of tenants in a temporary folder, and what is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cordboard_kafka::batch::{self, BatchHead, NewRecord, Record};

use super::names::{Names, SeenPartition};
use crate::config::TopicNames;
use crate::log::Position;
use crate::log::disk::RealDisk;
use crate::topics::{self, Topic, TopicLimits, TopicStore, TopicWriter};

pub(super) const THREAD: &str = "voice-callthread";
pub(super) const STATE: &str = "voice-agentstate";

/// The stores of some tenants, open.
pub(super) struct Shelf {
    data: PathBuf,
    writers: BTreeMap<String, TopicWriter>,
    pub(super) stores: Vec<(String, TopicStore)>,
}

impl Shelf {
    /// Opens or makes the stores of these tenants, with so many partitions of each of two topics.
    pub(super) fn open(data: &Path, tenants: &[&str], partitions: u32) -> Self {
        let (mut writers, mut stores) = (BTreeMap::new(), Vec::new());
        for tenant in tenants {
            let dir = data.join("tenants").join(tenant).join("topics");
            let wanted = [STATE, THREAD].map(|name| Topic { name: name.to_owned(), partitions });
            let limits = TopicLimits::default();
            let (writer, store) = topics::open(Arc::new(RealDisk), &dir, &wanted, limits, 1).unwrap();
            writers.insert((*tenant).to_owned(), writer);
            stores.push(((*tenant).to_owned(), store));
        }
        Self { data: data.to_owned(), writers, stores }
    }

    pub(super) fn names(&self, names: TopicNames) -> Names {
        Names::open(&self.data, names, &self.stores).unwrap()
    }

    /// As if only these tenants were served.
    pub(super) fn names_of(&self, tenants: &[&str], names: TopicNames) -> Names {
        let served = |(name, _): &&(String, _)| tenants.contains(&&**name);
        let stores: Vec<_> = self.stores.iter().filter(served).cloned().collect();
        Names::open(&self.data, names, &stores).unwrap()
    }

    /// Tells this tenant's records, each of a time, a key and a value, in one commit.
    pub(super) fn say(&mut self, tenant: &str, topic: &str, records: &[(i64, &str, &str)]) {
        let (_, store) = self.stores.iter().find(|(name, _)| name == tenant).unwrap();
        let topic = store.topics().iter().position(|it| it.name == topic).unwrap();
        let writer = self.writers.get_mut(tenant).unwrap();
        for (timestamp_ms, key, value) in records {
            let (timestamp_ms, key, value) = (*timestamp_ms, key.as_bytes(), value.as_bytes());
            writer.append(topic.try_into().unwrap(), &NewRecord { timestamp_ms, key, value, headers: &[] });
        }
        let upto = writer.upto();
        writer.commit(Position { epoch: 1, sequence: upto.sequence + 1 }).unwrap();
    }
}

/// All that can be read of a partition.
pub(super) fn everything(partition: &SeenPartition) -> Vec<Record> {
    let (mut next, end) = partition.bounds();
    let SeenPartition::Kept { store, id, .. } = partition else { return Vec::new() };
    let mut all = Vec::new();
    while next < end {
        let read = store.read(*id, next, 1_000).unwrap();
        all.extend(records(&read.bytes));
        next = read.next;
    }
    all
}

/// The records of batches one after the other.
pub(super) fn records(bytes: &Bytes) -> Vec<Record> {
    let (mut left, mut all) = (bytes.clone(), Vec::new());
    while !left.is_empty() {
        let batch = left.split_to(BatchHead::decode(&left).unwrap().bytes);
        all.extend(batch::records(&batch).unwrap().map(Result::unwrap));
    }
    all
}
