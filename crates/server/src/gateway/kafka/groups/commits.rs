//! How far groups have read: committing, asking, deleting.

use std::collections::BTreeMap;

use cordboard_kafka::groups::wire::{self, code, text};
use cordboard_kafka::groups::{Change, Committed, Place};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use kafka_protocol::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, TopicName,
};

use super::{Caller, Groups, Inner};
use crate::log::Position;

/// What is written in one record of the log at most, before it is made into text. Bytes.
const RECORD_BYTES: usize = 512 << 10;
/// What an offset needs there besides its names. Bytes.
const OFFSET_BYTES: usize = 96;
/// From this version on, one request asks for several groups.
const SEVERAL_GROUPS_FROM: i16 = 8;
/// From this version on, an answer about offsets has an error of its own.
const GROUP_ERROR_FROM: i16 = 2;
/// From this version on, a commit to a group that is not there is told so.
const NO_GROUP_FROM: i16 = 9;

/// One offset that somebody wants to commit, and what becomes of it.
struct Wanted {
    topic: usize,
    place: Place,
    offset: i64,
    leader_epoch: i32,
    metadata: String,
    result: Result<(), ResponseError>,
}

impl Groups {
    /// Keeps how far a group has read. It is answered when that is on disk.
    pub async fn offset_commit(
        &self,
        caller: &impl Caller,
        version: i16,
        request: OffsetCommitRequest,
    ) -> OffsetCommitResponse {
        let mut wanted = wanted(caller, &request);
        let written = self.act(|inner| inner.commit(self, caller.owner(), version, &request, &mut wanted));
        let durable = match written {
            Ok(Some(position)) => self.durable(position).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        for it in wanted.iter_mut().filter(|it| it.result.is_ok()) {
            it.result = durable;
        }
        let kept = wanted.iter().filter(|it| it.result.is_ok()).count();
        self.metrics().commits.inc_by(kept as u64);
        wanted.iter().filter(|it| it.result.is_err()).for_each(|it| self.metrics().refused(code(&it.result)));
        let mut partitions: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for it in &wanted {
            let told = OffsetCommitResponsePartition::default()
                .with_partition_index(it.place.partition)
                .with_error_code(code(&it.result));
            partitions.entry(it.topic).or_default().push(told);
        }
        let topics = request.topics.into_iter().enumerate().map(|(index, topic)| {
            let partitions = partitions.remove(&index).unwrap_or_default();
            OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions)
        });
        OffsetCommitResponse::default().with_topics(topics.collect())
    }

    /// Says how far groups have read.
    pub async fn offset_fetch(
        &self,
        caller: &impl Caller,
        version: i16,
        request: OffsetFetchRequest,
    ) -> OffsetFetchResponse {
        if version >= SEVERAL_GROUPS_FROM {
            let mut groups = Vec::with_capacity(request.groups.len());
            for group in request.groups {
                let topics = group
                    .topics
                    .map(|topics| topics.into_iter().map(|it| (it.name, it.partition_indexes)).collect::<Vec<_>>());
                let (topics, result) = self.committed(caller, &group.group_id, topics).await;
                let topics = topics.into_iter().map(|(name, partitions)| {
                    let partitions = partitions.into_iter().map(of_several).collect();
                    OffsetFetchResponseTopics::default().with_name(name).with_partitions(partitions)
                });
                let told = OffsetFetchResponseGroup::default().with_group_id(group.group_id);
                groups.push(told.with_topics(topics.collect()).with_error_code(code(&result)));
            }
            return OffsetFetchResponse::default().with_groups(groups);
        }
        let topics = request
            .topics
            .map(|topics| topics.into_iter().map(|it| (it.name, it.partition_indexes)).collect::<Vec<_>>());
        let (topics, result) = self.committed(caller, &request.group_id, topics).await;
        // The oldest version has no other place for what went wrong.
        let of_partition = if version < GROUP_ERROR_FROM { code(&result) } else { 0 };
        let topics = topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|it| of_one(it, of_partition)).collect();
            OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions)
        });
        let told = OffsetFetchResponse::default().with_topics(topics.collect());
        if version < GROUP_ERROR_FROM { told } else { told.with_error_code(code(&result)) }
    }

    /// Forgets how far a group has read, where it no longer reads.
    pub async fn offset_delete(&self, caller: &impl Caller, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
        let (owner, group) = (caller.owner(), request.group_id.as_str());
        let checked = self.act(|inner| inner.forget(self, owner, group, &request));
        let (result, topics) = match checked {
            Ok((position, topics)) => (self.durable(position).await, topics),
            Err(error) => (Err(error), Vec::new()),
        };
        let topics = if result.is_ok() { topics } else { Vec::new() };
        OffsetDeleteResponse::default().with_error_code(code(&result)).with_topics(topics)
    }

    /// What a group has committed: for these partitions, or for all there are.
    async fn committed(
        &self,
        caller: &impl Caller,
        group: &str,
        topics: Option<Vec<(TopicName, Vec<i32>)>>,
    ) -> (Vec<(TopicName, Vec<(i32, Option<Committed>)>)>, Result<(), ResponseError>) {
        let owner = caller.owner();
        let (found, position) = self.act(|inner| {
            let offsets = inner.store.offsets();
            let found: Vec<_> = match topics {
                Some(topics) => topics
                    .into_iter()
                    .map(|(name, partitions)| {
                        let get = |index| offsets.get(owner, group, &Place::new(&name, index)).cloned();
                        let partitions = partitions.into_iter().map(|index| (index, get(index))).collect();
                        (name, partitions)
                    })
                    .collect(),
                None => {
                    let mut found: BTreeMap<&str, Vec<_>> = BTreeMap::new();
                    // What is no longer there cannot be read, and tools would ask for it in vain.
                    let there = offsets.of_group(owner, group).filter(|(topic, index, _)| caller.has(topic, *index));
                    for (topic, index, it) in there {
                        found.entry(topic).or_default().push((index, Some(it.clone())));
                    }
                    found.into_iter().map(|(name, partitions)| (TopicName(text(name)), partitions)).collect()
                }
            };
            (found, inner.store.appended())
        });
        // What is told must be true after a crash as well.
        match self.durable(position).await {
            Ok(()) => (found, Ok(())),
            Err(error) => {
                let nothing = |(name, partitions): (TopicName, Vec<(i32, Option<Committed>)>)| {
                    (name, partitions.into_iter().map(|(index, _)| (index, None)).collect())
                };
                (found.into_iter().map(nothing).collect(), Err(error))
            }
        }
    }
}

impl Inner {
    /// Writes down what may be committed of what is wanted; `None` where that is nothing.
    fn commit(
        &mut self,
        groups: &Groups,
        owner: &str,
        version: i16,
        request: &OffsetCommitRequest,
        wanted: &mut [Wanted],
    ) -> Result<Option<Position>, ResponseError> {
        let group = request.group_id.as_str();
        groups.check_group(group)?;
        let who = wire::who_commits(request);
        match self.coordinator.handle_commit(groups.now_ms(), owner, group, &who) {
            Some(checked) => checked?,
            None if who.generation < 0 => {}
            None if self.store.offsets().kind(owner, group).is_some() => Err(ResponseError::UnknownMemberId)?,
            None if version >= NO_GROUP_FROM => Err(ResponseError::GroupIdNotFound)?,
            None => Err(ResponseError::IllegalGeneration)?,
        }
        let mut asked: Vec<&mut Wanted> = wanted.iter_mut().filter(|it| it.result.is_ok()).collect();
        let places: Vec<_> = asked.iter().map(|it| (it.place.clone(), it.metadata.as_str())).collect();
        let admitted = self.store.offsets().admit(&groups.shared.limits, owner, group, &places);
        for (it, result) in asked.iter_mut().zip(admitted) {
            it.result = result;
        }
        let at_ms = groups.wall_ms();
        let mut position = None;
        let (mut offsets, mut bytes) = (Vec::new(), 0);
        let mut admitted = asked.into_iter().filter(|it| it.result.is_ok()).peekable();
        while let Some(it) = admitted.next() {
            bytes += OFFSET_BYTES + it.place.topic.len() + it.metadata.len();
            let metadata = std::mem::take(&mut it.metadata);
            offsets.push((it.place.clone(), it.offset, it.leader_epoch, metadata, at_ms));
            if bytes >= RECORD_BYTES || admitted.peek().is_none() {
                bytes = 0;
                let (owner, group) = (owner.to_owned(), group.to_owned());
                let change = Change::Committed { owner, group, offsets: std::mem::take(&mut offsets) };
                position = Some(self.write(groups, vec![change])?);
            }
        }
        Ok(position)
    }

    /// Forgets what may be forgotten, and says of each place what became of it.
    fn forget(
        &mut self,
        groups: &Groups,
        owner: &str,
        group: &str,
        request: &OffsetDeleteRequest,
    ) -> Result<(Position, Vec<OffsetDeleteResponseTopic>), ResponseError> {
        groups.check_group(group)?;
        if self.coordinator.describe(owner, group).is_none() && self.store.offsets().kind(owner, group).is_none() {
            return Err(ResponseError::GroupIdNotFound);
        }
        let (mut topics, mut places) = (Vec::new(), Vec::new());
        for topic in &request.topics {
            let reads = self.coordinator.subscribes(owner, group, &topic.name).unwrap_or(Ok(false))?;
            let result = if reads { Err(ResponseError::GroupSubscribedToTopic) } else { Ok(()) };
            let indices = || topic.partitions.iter().map(|it| it.partition_index);
            let told = indices().map(|index| {
                OffsetDeleteResponsePartition::default().with_partition_index(index).with_error_code(code(&result))
            });
            let told =
                OffsetDeleteResponseTopic::default().with_name(topic.name.clone()).with_partitions(told.collect());
            topics.push(told);
            let known = indices().map(|index| Place::new(&topic.name, index));
            let known = known.filter(|it| !reads && self.store.offsets().get(owner, group, it).is_some());
            places.extend(known);
        }
        let mut position = self.store.appended();
        for places in places.chunks(super::FORGOTTEN_MAX) {
            let (owner, group) = (owner.to_owned(), group.to_owned());
            position = self.write(groups, vec![Change::Forgotten { owner, group, places: places.to_vec() }])?;
        }
        Ok((position, topics))
    }
}

/// Everything that is asked to be kept; what is not there for this caller is refused already.
fn wanted(caller: &impl Caller, request: &OffsetCommitRequest) -> Vec<Wanted> {
    let partitions = request.topics.iter().enumerate().flat_map(|(index, topic)| {
        topic.partitions.iter().map(move |partition| (index, topic.name.as_str(), partition))
    });
    partitions
        .map(|(topic, name, it)| Wanted {
            topic,
            place: Place::new(name, it.partition_index),
            offset: it.committed_offset,
            leader_epoch: it.committed_leader_epoch,
            metadata: it.committed_metadata.as_ref().map_or_else(String::new, |it| it.as_str().to_owned()),
            result: match caller.has(name, it.partition_index) {
                true => Ok(()),
                false => Err(ResponseError::UnknownTopicOrPartition),
            },
        })
        .collect()
}

/// The offset that says that there is none.
const NOTHING: i64 = -1;

fn of_one((index, committed): (i32, Option<Committed>), error: i16) -> OffsetFetchResponsePartition {
    let told = OffsetFetchResponsePartition::default().with_partition_index(index).with_error_code(error);
    match committed {
        Some(it) => told
            .with_committed_offset(it.offset)
            .with_committed_leader_epoch(it.leader_epoch)
            .with_metadata(Some(text(&it.metadata))),
        None => told.with_committed_offset(NOTHING).with_metadata(Some(text(""))),
    }
}

fn of_several((index, committed): (i32, Option<Committed>)) -> OffsetFetchResponsePartitions {
    let told = OffsetFetchResponsePartitions::default().with_partition_index(index);
    match committed {
        Some(it) => told
            .with_committed_offset(it.offset)
            .with_committed_leader_epoch(it.leader_epoch)
            .with_metadata(Some(text(&it.metadata))),
        None => told.with_committed_offset(NOTHING).with_metadata(Some(text(""))),
    }
}
