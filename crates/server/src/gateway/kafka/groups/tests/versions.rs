//! Every answer can be said in every version that it may be asked for in.

use bytes::BytesMut;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId, LeaveGroupRequest, ListGroupsRequest,
    OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::Encodable;

use super::super::{Node, find_coordinator, wire::text};
use super::house::{CLIENT, Owner, TOPIC, commit, config, join, joining, open, sync};
use crate::log::faulty_disk::FaultyDisk;

const ME: Owner = Owner("acme");

#[track_caller]
fn said<T: Encodable>(answer: &T, version: i16) {
    answer.encode(&mut BytesMut::new(), version).unwrap_or_else(|error| panic!("version {version}: {error}"));
}

#[tokio::test]
async fn every_version_is_answered() {
    let disk = FaultyDisk::new(1);
    let groups = open(&disk, &config()).unwrap();
    for version in 0..=9 {
        said(&groups.join_group(&ME, CLIENT, version, joining(&format!("v{version}"), "")).await, version);
        said(&groups.join_group(&ME, CLIENT, version, joining("nobody", "x")).await, version);
    }
    let joined = join(&groups, &ME, "g").await;
    for version in 0..=5 {
        said(&sync(&groups, &ME, "g", &joined).await, version);
        said(
            &groups.leave_group(&ME, version, LeaveGroupRequest::default().with_group_id(GroupId(text("g")))).await,
            version,
        );
        let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("g")), GroupId(text("x"))]);
        said(&groups.describe_groups(&ME, version, request).await, version);
        said(&groups.list_groups(&ME, version, ListGroupsRequest::default()).await, version);
    }
    for version in 2..=9 {
        said(&groups.offset_commit(&ME, version, commit("simple", 0, 5)).await, version);
    }
    for version in 1..=9 {
        let topics =
            OffsetFetchRequestTopics::default().with_name(TopicName(text(TOPIC))).with_partition_indexes(vec![0, 1]);
        let several = OffsetFetchRequestGroup::default().with_group_id(GroupId(text("simple")));
        let several = vec![several.clone().with_topics(Some(vec![topics])), several.with_topics(None)];
        let one = OffsetFetchRequest::default().with_group_id(GroupId(text("simple"))).with_topics(None);
        let answer = groups.offset_fetch(&ME, version, one.with_groups(several)).await;
        said(&answer, version);
        let found = match version {
            ..8 => answer.topics.iter().map(|it| it.partitions[0].committed_offset).collect::<Vec<_>>(),
            8.. => answer.groups.iter().map(|it| it.topics[0].partitions[0].committed_offset).collect(),
        };
        assert!(!found.is_empty() && found.iter().all(|offset| *offset == 5), "version {version}: {found:?}");
    }
    for version in 0..=2 {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text("simple"))]);
        said(&groups.delete_groups(&ME, request).await, version);
    }
}

#[test]
fn groups_are_coordinated_here_and_transactions_nowhere() {
    let broker = Node { id: 1, host: "kafka.example.org", port: 9_092 };
    for (kind, right) in [(0, 0), (1, 53), (2, 42), (-1, 42)] {
        for version in 0..=4 {
            let request = FindCoordinatorRequest::default()
                .with_key(text("g"))
                .with_key_type(kind)
                .with_coordinator_keys(vec![text("g"), text("h")]);
            let answer = find_coordinator(version, request, broker);
            said(&answer, version);
            let (error, node, port) = match version {
                ..4 => (answer.error_code, answer.node_id.0, answer.port),
                4.. => {
                    (answer.coordinators[1].error_code, answer.coordinators[1].node_id.0, answer.coordinators[1].port)
                }
            };
            let address = if right == 0 { (1, 9_092) } else { (-1, -1) };
            assert_eq!((error, (node, port)), (right, address), "version {version}, kind {kind}");
        }
    }
}
