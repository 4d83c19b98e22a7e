//! What belongs to somebody is nobody else's.

use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, LeaveGroupRequest, ListGroupsRequest, OffsetDeleteRequest,
    OffsetFetchRequest, TopicName,
};

use super::super::{Groups, wire::text};
use super::house::{Owner, TOPIC, beat, commit, committed, config, fetched, join, open, sync};
use crate::log::faulty_disk::FaultyDisk;

const ME: Owner = Owner("acme");
const OTHERS: [Owner; 3] = [Owner("globex"), Owner("*"), Owner("")];

async fn listed(groups: &Groups, owner: &Owner) -> Vec<String> {
    let answer = groups.list_groups(owner, 5, ListGroupsRequest::default()).await;
    answer.groups.iter().map(|it| format!("{} {} {}", &*it.group_id, &*it.group_state, &*it.group_type)).collect()
}

async fn state(groups: &Groups, owner: &Owner, group: &str) -> (String, usize) {
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
    let answer = groups.describe_groups(owner, 5, request).await;
    (answer.groups[0].group_state.to_string(), answer.groups[0].members.len())
}

async fn all_offsets(groups: &Groups, owner: &Owner, group: &str) -> usize {
    let group = OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    groups.offset_fetch(owner, 8, request).await.groups[0].topics.iter().map(|it| it.partitions.len()).sum()
}

fn forgetting(group: &str) -> OffsetDeleteRequest {
    let partitions = vec![OffsetDeleteRequestPartition::default().with_partition_index(0)];
    let topic = OffsetDeleteRequestTopic::default().with_name(TopicName(text(TOPIC))).with_partitions(partitions);
    OffsetDeleteRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic])
}

async fn deleted(groups: &Groups, owner: &Owner, group: &str) -> i16 {
    let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
    groups.delete_groups(owner, request).await.results[0].error_code
}

#[tokio::test]
async fn nobody_sees_or_changes_groups_of_another() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    assert_eq!(committed(&groups, &ME, commit("simple", 0, 5)).await, 0);
    let joined = join(&groups, &ME, "g").await;
    assert_eq!(sync(&groups, &ME, "g", &joined).await.error_code, 0);
    for other in &OTHERS {
        assert!(listed(&groups, other).await.is_empty());
        for group in ["simple", "g"] {
            assert_eq!(state(&groups, other, group).await, ("Dead".to_owned(), 0));
            assert_eq!(all_offsets(&groups, other, group).await, 0);
            assert_eq!(fetched(&groups, other, group, 0).await, -1);
            assert_eq!(deleted(&groups, other, group).await, 69, "GROUP_ID_NOT_FOUND");
            assert_eq!(groups.offset_delete(other, forgetting(group)).await.error_code, 69);
        }
        assert_eq!(beat(&groups, other, "g", &joined).await, 25);
        assert_eq!(sync(&groups, other, "g", &joined).await.error_code, 25);
        let member = MemberIdentity::default().with_member_id(joined.member_id.clone());
        let leaving = LeaveGroupRequest::default().with_group_id(GroupId(text("g"))).with_members(vec![member]);
        assert_eq!(groups.leave_group(other, 5, leaving).await.members[0].error_code, 25);
        let stolen = commit("g", 0, 1)
            .with_generation_id_or_member_epoch(joined.generation_id)
            .with_member_id(joined.member_id.clone());
        assert_eq!(committed(&groups, other, stolen).await, 22);
        // A group of the same name is another group.
        assert_eq!(committed(&groups, other, commit("simple", 0, 6)).await, 0);
        assert_eq!(listed(&groups, other).await, ["simple Empty classic"]);
        assert_eq!(deleted(&groups, other, "simple").await, 0);
    }
    assert_eq!(listed(&groups, &ME).await, ["g Stable classic", "simple Empty classic"]);
    assert_eq!(state(&groups, &ME, "g").await, ("Stable".to_owned(), 1));
    assert_eq!(fetched(&groups, &ME, "simple", 0).await, 5);
    assert_eq!(beat(&groups, &ME, "g", &joined).await, 0);
}

#[tokio::test]
async fn groups_are_listed_by_state_and_deleted_when_nobody_is_in_them() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    let joined = join(&groups, &ME, "g").await;
    sync(&groups, &ME, "g", &joined).await;
    assert_eq!(committed(&groups, &ME, commit("simple", 0, 5)).await, 0);
    let by = |states: &'static [&'static str], kinds: &'static [&'static str]| {
        let texts = |words: &[&'static str]| words.iter().map(|word| text(word)).collect();
        ListGroupsRequest::default().with_states_filter(texts(states)).with_types_filter(texts(kinds))
    };
    for (request, right) in [
        (by(&[], &[]), 2),
        (by(&["stable"], &[]), 1),
        (by(&["Empty", "Dead"], &["Classic"]), 1),
        (by(&["CompletingRebalance"], &[]), 0),
        (by(&[], &["consumer"]), 0),
    ] {
        assert_eq!(groups.list_groups(&ME, 5, request.clone()).await.groups.len(), right, "{request:?}");
    }
    // While members read a topic, its offsets are needed.
    let mine = commit("g", 0, 7)
        .with_generation_id_or_member_epoch(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    assert_eq!(committed(&groups, &ME, mine).await, 0);
    let told = groups.offset_delete(&ME, forgetting("g")).await;
    assert_eq!((told.error_code, told.topics[0].partitions[0].error_code), (0, 86), "GROUP_SUBSCRIBED_TO_TOPIC");
    assert_eq!(deleted(&groups, &ME, "g").await, 68, "NON_EMPTY_GROUP");
    let member = MemberIdentity::default().with_member_id(joined.member_id.clone());
    let leaving = LeaveGroupRequest::default().with_group_id(GroupId(text("g"))).with_members(vec![member]);
    assert_eq!(groups.leave_group(&ME, 5, leaving).await.members[0].error_code, 0);
    assert_eq!(state(&groups, &ME, "g").await, ("Empty".to_owned(), 0));
    let told = groups.offset_delete(&ME, forgetting("g")).await;
    assert_eq!((told.error_code, told.topics[0].partitions[0].error_code), (0, 0));
    assert_eq!(fetched(&groups, &ME, "g", 0).await, -1);
    assert_eq!(deleted(&groups, &ME, "simple").await, 0);
    assert!(listed(&groups, &ME).await.is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_not_committed() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    let mut request = commit("g", 0, 5);
    let known = request.topics[0].clone();
    let mut unknown = known.clone();
    unknown.name = TopicName(text("other"));
    let mut beyond = known.clone();
    beyond.partitions[0].partition_index = 4;
    let mut wordy = known.clone();
    wordy.partitions[0].partition_index = 1;
    wordy.partitions[0].committed_metadata = Some(text(&"x".repeat(4_097)));
    request.topics = vec![unknown, known, beyond, wordy];
    let answer = groups.offset_commit(&ME, 8, request).await;
    let codes: Vec<_> = answer.topics.iter().map(|it| it.partitions[0].error_code).collect();
    assert_eq!(codes, [3, 0, 3, 12], "UNKNOWN_TOPIC_OR_PARTITION, well, the same, OFFSET_METADATA_TOO_LARGE");
    assert_eq!(all_offsets(&groups, &ME, "g").await, 1);
    let long = groups.offset_commit(&ME, 8, commit(&"g".repeat(256), 0, 1)).await;
    assert_eq!(long.topics[0].partitions[0].error_code, 24, "INVALID_GROUP_ID");
}
