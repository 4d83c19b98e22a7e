//! Groups on a disk in memory, and somebody who asks.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, OffsetCommitRequest, OffsetFetchRequest,
    SyncGroupRequest, SyncGroupResponse, TopicName,
};

use super::super::{Caller, ClientInfo, GroupMetrics, Groups, OpenGroupsError, wire::text};
use crate::clock::Clock;
use crate::config::KafkaGroups;
use crate::log::faulty_disk::FaultyDisk;

pub(super) const CLIENT: ClientInfo<'_> = ClientInfo { id: "test", host: "127.0.0.1" };
pub(super) const TOPIC: &str = "voice-callthread";
/// Newest version of joining.
pub(super) const JOIN: i16 = 9;
/// A version of asking how far a group has read, which asks for one group.
pub(super) const FETCH_ONE: i16 = 7;
/// A version of committing.
pub(super) const COMMIT: i16 = 8;

/// An owner that sees `TOPIC` with four partitions.
pub(super) struct Owner(pub(super) &'static str);

impl Caller for Owner {
    fn owner(&self) -> &str {
        self.0
    }

    fn has(&self, topic: &str, partition: i32) -> bool {
        topic == TOPIC && (0..4).contains(&partition)
    }
}

/// Groups as tests want them: they wait for nobody, and the log is so small that sums are stored often.
pub(super) fn config() -> KafkaGroups {
    KafkaGroups {
        initial_delay_ms: 1,
        session_ms_min: 100,
        log_bytes_max: 16_384,
        commit_ms_max: 60_000,
        ..KafkaGroups::default()
    }
}

pub(super) fn open(disk: &FaultyDisk, config: &KafkaGroups) -> Result<Groups, OpenGroupsError> {
    let disk = Arc::new(disk.clone());
    Groups::open_on(disk, config, Path::new("/groups"), Clock::default(), GroupMetrics::default())
}

/// A commit of one offset by somebody who is in no group.
pub(super) fn commit(group: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("m")));
    let topic = OffsetCommitRequestTopic::default().with_name(TopicName(text(TOPIC))).with_partitions(vec![partition]);
    OffsetCommitRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic])
}

/// Commits an offset and says with which code that was answered.
pub(super) async fn committed(groups: &Groups, owner: &Owner, request: OffsetCommitRequest) -> i16 {
    let answer = groups.offset_commit(owner, COMMIT, request).await;
    answer.topics[0].partitions[0].error_code
}

/// What a group has committed for a partition; -1: nothing.
pub(super) async fn fetched(groups: &Groups, owner: &Owner, group: &str, partition: i32) -> i64 {
    let topic =
        OffsetFetchRequestTopic::default().with_name(TopicName(text(TOPIC))).with_partition_indexes(vec![partition]);
    let request = OffsetFetchRequest::default().with_group_id(GroupId(text(group))).with_topics(Some(vec![topic]));
    let answer = groups.offset_fetch(owner, FETCH_ONE, request).await;
    assert_eq!(answer.error_code, 0);
    answer.topics[0].partitions[0].committed_offset
}

pub(super) fn joining(group: &str, member: &str) -> JoinGroupRequest {
    let subscription = Bytes::from_static(b"\0\0\0\0\0\x01\0\x10voice-callthread\xff\xff\xff\xff");
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(subscription);
    JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_member_id(text(member))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins, with a member id if that is asked for.
pub(super) async fn join(groups: &Groups, owner: &Owner, group: &str) -> JoinGroupResponse {
    let first = groups.join_group(owner, CLIENT, JOIN, joining(group, "")).await;
    assert_eq!(first.error_code, 79, "a new member is sent away for its id");
    let joined = groups.join_group(owner, CLIENT, JOIN, joining(group, &first.member_id)).await;
    assert_eq!(joined.error_code, 0);
    joined
}

/// Asks for its part; the leader gives each member its own id as its part.
pub(super) async fn sync(groups: &Groups, owner: &Owner, group: &str, joined: &JoinGroupResponse) -> SyncGroupResponse {
    let part = |id: &kafka_protocol::protocol::StrBytes| {
        let part = Bytes::copy_from_slice(id.as_bytes());
        SyncGroupRequestAssignment::default().with_member_id(id.clone()).with_assignment(part)
    };
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(joined.members.iter().map(|it| part(&it.member_id)).collect());
    groups.sync_group(owner, request).await
}

pub(super) async fn beat(groups: &Groups, owner: &Owner, group: &str, joined: &JoinGroupResponse) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    groups.heartbeat(owner, request).await.error_code
}
