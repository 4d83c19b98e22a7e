//! ListOffsets: where a partition begins and ends, and where a time is in it.

use std::sync::Arc;

use cordboard_kafka::batch::LEADER_EPOCH;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use super::fetch::{Reading, failed};
use super::leader_epoch;
use super::names::{SeenPartition, View};
use crate::topics::{PartitionId, Place, ReadError, TopicStore};

/// Times that are none: the end of the partition, its beginning, its newest record, and the beginning of what is on a
/// broker's own disk, which here is all.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
/// What stands for no offset and no time in answers.
const NONE: i64 = -1;
/// What stands for no epoch.
const NO_EPOCH: i32 = -1;
/// The first version of the answer that has the leader's epoch.
const FIRST_WITH_EPOCH: i16 = 4;

/// The offsets that are asked for. What has to be looked up on disk is looked up on a thread for it.
pub async fn answer(reading: &Reading, view: &View, version: i16, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let epoch = if version < FIRST_WITH_EPOCH { NO_EPOCH } else { LEADER_EPOCH };
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            let answer = ListOffsetsPartitionResponse::default().with_partition_index(wanted.partition_index);
            let seen = view.partition(&topic.name, wanted.partition_index);
            partitions.push(match find(reading, seen, wanted).await {
                Ok(Place { offset, at_ms }) => {
                    answer.with_offset(offset).with_timestamp(at_ms).with_leader_epoch(epoch)
                }
                Err(error) => answer.with_error_code(error.code()).with_offset(NONE).with_timestamp(NONE),
            });
        }
        topics.push(ListOffsetsTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions));
    }
    ListOffsetsResponse::default().with_topics(topics)
}

async fn find(
    reading: &Reading,
    seen: Option<&SeenPartition>,
    wanted: &ListOffsetsPartition,
) -> Result<Place, ResponseError> {
    let partition = seen.ok_or(ResponseError::UnknownTopicOrPartition)?;
    leader_epoch::check(wanted.current_leader_epoch)?;
    let (start, end) = partition.bounds();
    let without_time = |offset| Place { offset, at_ms: NONE };
    let by = match wanted.timestamp {
        LATEST => return Ok(without_time(end)),
        EARLIEST | EARLIEST_LOCAL => return Ok(without_time(start)),
        MAX_TIMESTAMP => By::Newest,
        0.. => By::Time(wanted.timestamp),
        _ => return Err(ResponseError::InvalidRequest),
    };
    let SeenPartition::Kept { tenant, store, id } = partition else { return Ok(without_time(NONE)) };
    let (store, id, tenant) = (store.clone(), *id, Arc::clone(tenant));
    let look = move || by.look(&store, id).map_err(|error| failed(&tenant, id, &error));
    let found = reading.on_thread(look).await.map_err(|_| ResponseError::UnknownServerError)??;
    Ok(found.unwrap_or(without_time(NONE)))
}

/// What is looked for on disk.
#[derive(Clone, Copy)]
enum By {
    /// The first record that is not older than this, in milliseconds since the Unix epoch.
    Time(i64),
    /// The record with the greatest time.
    Newest,
}

impl By {
    fn look(self, store: &TopicStore, id: PartitionId) -> Result<Option<Place>, ReadError> {
        match self {
            Self::Time(ms) => store.at_time(id, ms),
            Self::Newest => store.newest(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::list_offsets_request::ListOffsetsTopic;
    use kafka_protocol::protocol::StrBytes;

    use super::super::fetch::FetchLimits;
    use super::super::shelf::{STATE, Shelf, THREAD};
    use super::*;
    use crate::config::{Config, TopicNames};

    #[tokio::test]
    async fn offsets_are_found_by_what_is_asked() {
        let data = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(data.path(), &["acme", "beta"], 1);
        shelf.say("acme", THREAD, &[(1_000, "k", "a"), (1_000, "k", "b"), (2_000, "k", "c")]);
        shelf.say("acme", THREAD, &[(3_000, "k", "d")]);
        drop(shelf.names(TopicNames::Shared));
        let view = shelf.names_of(&["acme"], TopicNames::Shared).of_operator();
        let limits = FetchLimits { reads_max: 1, ..FetchLimits::of(&Config::default()) };
        let reading = Reading::new(limits);
        let none = (None, -1, -1);
        let error = |error: ResponseError| (Some(error), -1, -1);
        for (topic, partition, epoch, timestamp, expected) in [
            (THREAD, 0, -1, LATEST, (None, 4, -1)),
            (THREAD, 0, 0, EARLIEST, (None, 0, -1)),
            (THREAD, 0, -1, EARLIEST_LOCAL, (None, 0, -1)),
            (THREAD, 0, -1, MAX_TIMESTAMP, (None, 3, 3_000)),
            (THREAD, 0, -1, 0, (None, 0, 1_000)),
            (THREAD, 0, -1, 1_001, (None, 2, 2_000)),
            (THREAD, 0, -1, 3_000, (None, 3, 3_000)),
            (THREAD, 0, -1, 3_001, none),
            (THREAD, 0, -1, i64::MAX, none),
            (STATE, 0, -1, LATEST, (None, 0, -1)),
            (STATE, 0, -1, MAX_TIMESTAMP, none),
            (STATE, 0, -1, 5, none),
            // Of a tenant that is not served.
            (THREAD, 1, -1, LATEST, (None, 0, -1)),
            (THREAD, 1, -1, 5, none),
            (THREAD, 0, -1, i64::MIN, error(ResponseError::InvalidRequest)),
            (THREAD, 0, 1, LATEST, error(ResponseError::UnknownLeaderEpoch)),
            (THREAD, 0, -7, LATEST, error(ResponseError::FencedLeaderEpoch)),
            (THREAD, 2, -1, LATEST, error(ResponseError::UnknownTopicOrPartition)),
            ("acme.voice-callthread", 0, -1, LATEST, error(ResponseError::UnknownTopicOrPartition)),
        ] {
            let asked = ListOffsetsPartition::default()
                .with_partition_index(partition)
                .with_current_leader_epoch(epoch)
                .with_timestamp(timestamp);
            let name = TopicName(StrBytes::from_static_str(topic));
            let wanted = ListOffsetsTopic::default().with_name(name).with_partitions(vec![asked]);
            let request = ListOffsetsRequest::default().with_topics(vec![wanted]);
            for version in 1..=10 {
                let answer = answer(&reading, &view, version, &request).await;
                cordboard_kafka::answer::encode(1, version, &answer).unwrap();
            }
            let answer = answer(&reading, &view, 10, &request).await;
            let told = &answer.topics[0].partitions[0];
            let (error, offset, at_ms) = expected;
            let found = (told.partition_index, told.error_code, told.offset, told.timestamp);
            assert_eq!(found, (partition, error.map_or(0, |it| it.code()), offset, at_ms), "{topic} {timestamp}");
        }
    }
}
