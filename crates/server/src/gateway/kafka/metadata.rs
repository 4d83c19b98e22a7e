//! What there is: one broker, and the topics that whoever asks may see.

use cordboard_kafka::api;
use cordboard_kafka::batch::LEADER_EPOCH;
use cordboard_kafka::request::Head;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiVersionsResponse, DescribeClusterRequest, DescribeClusterResponse, ListPartitionReassignmentsResponse,
    MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::names::SeenTopic;
use super::principal::Principal;
use super::{Broker, Client, NODE};
use crate::topics::Topic;

/// What may be done with a topic, as bits: read, describe, describe its settings.
const TOPIC_OPERATIONS: i32 = 1 << 3 | 1 << 8 | 1 << 10;
/// What may be done with the cluster: describe it and its settings.
const CLUSTER_OPERATIONS: i32 = 1 << 8 | 1 << 10;
/// The only kind of endpoints here: brokers.
const BROKERS: i8 = 1;

/// Which requests are answered, in which versions.
pub(super) fn versions(head: &Head) -> ApiVersionsResponse {
    let code = if head.is_known_version { 0 } else { ResponseError::UnsupportedVersion.code() };
    ApiVersionsResponse::default().with_error_code(code).with_api_keys(api::told())
}

/// The broker and topics.
pub(super) fn metadata(
    broker: &Broker,
    who: &Principal,
    client: &Client,
    version: i16,
    request: &MetadataRequest,
) -> MetadataResponse {
    let asks_operations = request.include_topic_authorized_operations;
    let seen = |topic: &SeenTopic| {
        let found = topic_found(topic).with_topic_id(broker.cluster.topic_id(who.owner(), topic.name()));
        if asks_operations { found.with_topic_authorized_operations(TOPIC_OPERATIONS) } else { found }
    };
    let topics = match &request.topics {
        None => who.view().topics().map(seen).collect(),
        // In the oldest version, none are all.
        Some(none) if none.is_empty() && version == 0 => who.view().topics().map(seen).collect(),
        Some(wanted) => {
            let one = |wanted: &MetadataRequestTopic| {
                let is_it = |topic: &&SeenTopic| broker.cluster.topic_id(who.owner(), topic.name()) == wanted.topic_id;
                let found = match &wanted.name {
                    Some(name) => who.view().topic(name),
                    None => who.view().topics().find(is_it),
                };
                found.map_or_else(|| topic_missing(wanted), seen)
            };
            wanted.iter().map(one).collect()
        }
    };
    let this = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(client.host.clone())
        .with_port(client.port.into());
    let answer = MetadataResponse::default()
        .with_brokers(vec![this])
        .with_cluster_id(Some(broker.cluster.id.clone()))
        .with_controller_id(NODE)
        .with_topics(topics);
    if request.include_cluster_authorized_operations {
        answer.with_cluster_authorized_operations(CLUSTER_OPERATIONS)
    } else {
        answer
    }
}

fn topic_found(topic: &SeenTopic) -> MetadataResponseTopic {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(topic.name().to_owned().into())))
        .with_partitions((0..topic.partitions()).map(partition).collect())
}

/// A topic that is not there is never made, whatever the client asks for.
fn topic_missing(wanted: &MetadataRequestTopic) -> MetadataResponseTopic {
    let error = match &wanted.name {
        None => ResponseError::UnknownTopicId,
        Some(name) if Topic::is_name(name) => ResponseError::UnknownTopicOrPartition,
        Some(_) => ResponseError::InvalidTopicException,
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(wanted.name.clone().unwrap_or_default()))
        .with_topic_id(wanted.topic_id)
}

/// The broker, as tools ask for it.
pub(super) fn describe_cluster(
    broker: &Broker,
    client: &Client,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let answer = DescribeClusterResponse::default().with_endpoint_type(request.endpoint_type);
    if request.endpoint_type != BROKERS {
        return answer
            .with_error_code(ResponseError::MismatchedEndpointType.code())
            .with_error_message(Some(StrBytes::from_static_str("this is a broker; right would be endpoint type 1")));
    }
    let this = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(client.host.clone())
        .with_port(client.port.into());
    let answer = answer.with_cluster_id(broker.cluster.id.clone()).with_controller_id(NODE).with_brokers(vec![this]);
    if request.include_cluster_authorized_operations {
        answer.with_cluster_authorized_operations(CLUSTER_OPERATIONS)
    } else {
        answer
    }
}

/// No partition moves: there is nowhere to go.
pub(super) fn reassignments() -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
