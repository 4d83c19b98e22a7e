//! Whoever would write is told at once that it may not, with the error that a broker gives to somebody without the right.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::*;
use kafka_protocol::messages::{
    add_partitions_to_txn_response as txn_partitions, alter_configs_response as altered,
    create_partitions_response as partitioned, create_topics_response as created, delete_records_response as trimmed,
    delete_topics_response as deleted, incremental_alter_configs_response as changed, produce_response as produced,
    txn_offset_commit_response as txn_offsets,
};
use kafka_protocol::protocol::StrBytes;

use super::resource::Resource;

/// What people are told where there is room for it.
const WHY: StrBytes = StrBytes::from_static_str(
    "topics can only be read here: they are told by Cordboard itself; right would be a consumer",
);
const TOPIC: i16 = ResponseError::TopicAuthorizationFailed.code();
const CLUSTER: i16 = ResponseError::ClusterAuthorizationFailed.code();
const TRANSACTION: i16 = ResponseError::TransactionalIdAuthorizationFailed.code();
/// The first version of a refused produce that says why.
const PRODUCE_SAYS_WHY: i16 = 8;

pub(super) fn produce(version: i16, request: &ProduceRequest) -> ProduceResponse {
    let partition = |it: &produce_request::PartitionProduceData| {
        let refused = produced::PartitionProduceResponse::default()
            .with_index(it.index)
            .with_error_code(TOPIC)
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1);
        if version >= PRODUCE_SAYS_WHY { refused.with_error_message(Some(WHY)) } else { refused }
    };
    let topic = |it: &produce_request::TopicProduceData| {
        produced::TopicProduceResponse::default()
            .with_name(it.name.clone())
            .with_partition_responses(it.partition_data.iter().map(partition).collect())
    };
    ProduceResponse::default().with_responses(request.topic_data.iter().map(topic).collect())
}

pub(super) fn init_producer_id(request: &InitProducerIdRequest) -> InitProducerIdResponse {
    let code = if request.transactional_id.is_some() { TRANSACTION } else { CLUSTER };
    InitProducerIdResponse::default().with_error_code(code).with_producer_id(ProducerId(-1)).with_producer_epoch(-1)
}

pub(super) fn add_partitions_to_txn(request: &AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse {
    let partition = |index: &i32| {
        txn_partitions::AddPartitionsToTxnPartitionResult::default()
            .with_partition_index(*index)
            .with_partition_error_code(TRANSACTION)
    };
    let topic = |it: &add_partitions_to_txn_request::AddPartitionsToTxnTopic| {
        txn_partitions::AddPartitionsToTxnTopicResult::default()
            .with_name(it.name.clone())
            .with_results_by_partition(it.partitions.iter().map(partition).collect())
    };
    let topics = request.v3_and_below_topics.iter().map(topic).collect();
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics)
}

pub(super) fn add_offsets_to_txn() -> AddOffsetsToTxnResponse {
    AddOffsetsToTxnResponse::default().with_error_code(TRANSACTION)
}

pub(super) fn end_txn() -> EndTxnResponse {
    EndTxnResponse::default().with_error_code(TRANSACTION)
}

pub(super) fn txn_offset_commit(request: &TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
    let partition = |it: &txn_offset_commit_request::TxnOffsetCommitRequestPartition| {
        txn_offsets::TxnOffsetCommitResponsePartition::default()
            .with_partition_index(it.partition_index)
            .with_error_code(TRANSACTION)
    };
    let topic = |it: &txn_offset_commit_request::TxnOffsetCommitRequestTopic| {
        txn_offsets::TxnOffsetCommitResponseTopic::default()
            .with_name(it.name.clone())
            .with_partitions(it.partitions.iter().map(partition).collect())
    };
    TxnOffsetCommitResponse::default().with_topics(request.topics.iter().map(topic).collect())
}

pub(super) fn create_topics(request: &CreateTopicsRequest) -> CreateTopicsResponse {
    let topic = |it: &create_topics_request::CreatableTopic| {
        created::CreatableTopicResult::default()
            .with_name(it.name.clone())
            .with_error_code(TOPIC)
            .with_error_message(Some(WHY))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
    };
    CreateTopicsResponse::default().with_topics(request.topics.iter().map(topic).collect())
}

pub(super) fn delete_topics(version: i16, request: &DeleteTopicsRequest) -> DeleteTopicsResponse {
    let by_name = request.topic_names.iter().map(|name| (Some(name.clone()), uuid::Uuid::nil()));
    let by_state = request.topics.iter().map(|it| (it.name.clone(), it.topic_id));
    let topic = |(name, id)| {
        let refused = deleted::DeletableTopicResult::default().with_name(name).with_topic_id(id).with_error_code(TOPIC);
        // The first version that says why.
        if version >= 5 { refused.with_error_message(Some(WHY)) } else { refused }
    };
    DeleteTopicsResponse::default().with_responses(by_name.chain(by_state).map(topic).collect())
}

pub(super) fn delete_records(request: &DeleteRecordsRequest) -> DeleteRecordsResponse {
    let partition = |it: &delete_records_request::DeleteRecordsPartition| {
        trimmed::DeleteRecordsPartitionResult::default()
            .with_partition_index(it.partition_index)
            .with_low_watermark(-1)
            .with_error_code(TOPIC)
    };
    let topic = |it: &delete_records_request::DeleteRecordsTopic| {
        trimmed::DeleteRecordsTopicResult::default()
            .with_name(it.name.clone())
            .with_partitions(it.partitions.iter().map(partition).collect())
    };
    DeleteRecordsResponse::default().with_topics(request.topics.iter().map(topic).collect())
}

pub(super) fn create_partitions(request: &CreatePartitionsRequest) -> CreatePartitionsResponse {
    let topic = |it: &create_partitions_request::CreatePartitionsTopic| {
        partitioned::CreatePartitionsTopicResult::default()
            .with_name(it.name.clone())
            .with_error_code(TOPIC)
            .with_error_message(Some(WHY))
    };
    CreatePartitionsResponse::default().with_results(request.topics.iter().map(topic).collect())
}

pub(super) fn alter_configs(request: &AlterConfigsRequest) -> AlterConfigsResponse {
    let resource = |it: &alter_configs_request::AlterConfigsResource| {
        altered::AlterConfigsResourceResponse::default()
            .with_error_code(of_resource(it.resource_type))
            .with_error_message(Some(WHY))
            .with_resource_type(it.resource_type)
            .with_resource_name(it.resource_name.clone())
    };
    AlterConfigsResponse::default().with_responses(request.resources.iter().map(resource).collect())
}

pub(super) fn incremental_alter_configs(request: &IncrementalAlterConfigsRequest) -> IncrementalAlterConfigsResponse {
    let resource = |it: &incremental_alter_configs_request::AlterConfigsResource| {
        changed::AlterConfigsResourceResponse::default()
            .with_error_code(of_resource(it.resource_type))
            .with_error_message(Some(WHY))
            .with_resource_type(it.resource_type)
            .with_resource_name(it.resource_name.clone())
    };
    IncrementalAlterConfigsResponse::default().with_responses(request.resources.iter().map(resource).collect())
}

fn of_resource(kind: i8) -> i16 {
    match Resource::of(kind) {
        Some(Resource::Topic) => TOPIC,
        Some(Resource::Broker) | None => CLUSTER,
    }
}
