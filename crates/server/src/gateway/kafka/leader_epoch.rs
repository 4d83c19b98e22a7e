//! Leaders' epochs: there is only ever this one server, and so one epoch. `OffsetForLeaderEpoch` says where it ends.

use cordboard_kafka::batch::LEADER_EPOCH;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::names::{SeenPartition, View};

/// What stands for no epoch, in requests and in answers.
const NO_EPOCH: i32 = -1;
/// What stands for no offset.
const NO_OFFSET: i64 = -1;

/// Where the epochs end that are asked about.
#[must_use]
pub fn answer(view: &View, request: &OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let answer = EpochEndOffset::default().with_partition(wanted.partition);
            let seen = view.partition(&topic.topic, wanted.partition);
            let (error, epoch, end) = match (seen, check(wanted.current_leader_epoch)) {
                (None, _) => (Some(ResponseError::UnknownTopicOrPartition), NO_EPOCH, NO_OFFSET),
                (Some(_), Err(error)) => (Some(error), NO_EPOCH, NO_OFFSET),
                // Where it ends cannot be said while its tenant is not served; whoever asks keeps its offset and asks again.
                (Some(SeenPartition::Asleep), Ok(())) => (Some(ResponseError::LeaderNotAvailable), NO_EPOCH, NO_OFFSET),
                (Some(partition), Ok(())) if wanted.leader_epoch == LEADER_EPOCH => {
                    (None, LEADER_EPOCH, partition.bounds().1)
                }
                (Some(SeenPartition::Kept { .. }), Ok(())) => (None, NO_EPOCH, NO_OFFSET),
            };
            answer.with_error_code(error.map_or(0, |error| error.code())).with_leader_epoch(epoch).with_end_offset(end)
        });
        OffsetForLeaderTopicResult::default().with_topic(topic.topic.clone()).with_partitions(partitions.collect())
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

/// Whether whoever asks thinks of the leader that there is; who says nothing of it does.
///
/// # Errors
/// What to answer where not.
pub fn check(epoch: i32) -> Result<(), ResponseError> {
    match epoch {
        NO_EPOCH | LEADER_EPOCH => Ok(()),
        ..NO_EPOCH => Err(ResponseError::FencedLeaderEpoch),
        _ => Err(ResponseError::UnknownLeaderEpoch),
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
    use kafka_protocol::protocol::StrBytes;

    use super::super::shelf::{Shelf, THREAD};
    use super::*;
    use crate::config::TopicNames;

    #[test]
    fn the_only_epoch_ends_where_the_partition_does() {
        let data = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::open(data.path(), &["acme", "beta"], 1);
        shelf.say("acme", THREAD, &[(1, "k", "a"), (2, "k", "b")]);
        drop(shelf.names(TopicNames::Shared));
        let view = shelf.names_of(&["acme"], TopicNames::Shared).of_operator();
        let unknown = ResponseError::UnknownTopicOrPartition;
        for (partition, current, wanted, expected) in [
            (0, -1, 0, (None, 0, 2)),
            (0, 0, 0, (None, 0, 2)),
            (0, -1, 1, (None, -1, -1)),
            (0, -1, -1, (None, -1, -1)),
            (0, 1, 0, (Some(ResponseError::UnknownLeaderEpoch), -1, -1)),
            (0, -2, 0, (Some(ResponseError::FencedLeaderEpoch), -1, -1)),
            (1, -1, 0, (Some(ResponseError::LeaderNotAvailable), -1, -1)),
            (2, -1, 0, (Some(unknown), -1, -1)),
            (-1, -1, 0, (Some(unknown), -1, -1)),
        ] {
            let asked = OffsetForLeaderPartition::default()
                .with_partition(partition)
                .with_current_leader_epoch(current)
                .with_leader_epoch(wanted);
            let topic = TopicName(StrBytes::from_static_str(THREAD));
            let topic = OffsetForLeaderTopic::default().with_topic(topic).with_partitions(vec![asked]);
            let answer = answer(&view, &OffsetForLeaderEpochRequest::default().with_topics(vec![topic]));
            let told = &answer.topics[0].partitions[0];
            let (error, epoch, end) = expected;
            let found = (told.partition, told.error_code, told.leader_epoch, told.end_offset);
            assert_eq!(found, (partition, error.map_or(0, |it| it.code()), epoch, end), "{current} {wanted}");
        }
    }
}
