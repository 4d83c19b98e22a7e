//! librdkafka as the client: what there is, as it is told, and whoever would write hears at once that it may not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordboard_server::config::Tenant;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientContext, Message as _};

use crate::wire::{House, PATIENCE};

const TOPICS: [&str; 3] = ["cordboard-event", "voice-agentstate", "voice-callthread"];
const TOPIC: &str = "voice-callthread";

async fn house() -> House {
    House::of(vec![Tenant { name: "acme".into(), ..Tenant::default() }], |settings| settings.anonymous = true).await
}

fn client(house: &House, more: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", house.kafka.to_string());
    for (key, value) in more {
        config.set(*key, *value);
    }
    config
}

/// What became of each message.
#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<Vec<Result<(), KafkaError>>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, message)| {
            assert_eq!(message.topic(), TOPIC);
            error.clone()
        });
        self.0.lock().unwrap().push(result);
    }
}

/// Sends a message as this producer would, and gives what became of it.
fn produce(config: &ClientConfig) -> (BaseProducer<Deliveries>, Option<Result<(), KafkaError>>) {
    let deliveries = Deliveries::default();
    let producer: BaseProducer<Deliveries> = config.create_with_context(deliveries.clone()).unwrap();
    let record = BaseRecord::<str, str>::to(TOPIC).key("k").payload("v");
    if let Err((error, _)) = producer.send(record) {
        return (producer, Some(Err(error)));
    }
    let begun = std::time::Instant::now();
    let mut delivered = None;
    while delivered.is_none() && begun.elapsed() < PATIENCE {
        producer.poll(Duration::from_millis(50));
        delivered = deliveries.0.lock().unwrap().pop();
    }
    (producer, delivered)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_is_refused_and_not_left_waiting() {
    let house = house().await;
    let (plain, unheard) = (client(&house, &[]), client(&house, &[("acks", "0")]));
    let (_, delivered) = tokio::task::spawn_blocking(move || produce(&plain)).await.unwrap();
    assert_eq!(delivered, Some(Err(KafkaError::MessageProduction(RDKafkaErrorCode::TopicAuthorizationFailed))));
    assert_eq!(house.metric("cordboard_kafka_writes_refused_total{api=\"Produce\"}").await, 1);
    // Who wants no answer can only be shown the door.
    let (_producer, _) = tokio::task::spawn_blocking(move || produce(&unheard)).await.unwrap();
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"write_unacknowledged\"}", 1).await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_would_write_once_or_in_transactions_is_refused_before_the_first_message() {
    let house = house().await;
    let idempotent = client(&house, &[("enable.idempotence", "true")]);
    let transactional = client(&house, &[("transactional.id", "t")]);
    tokio::task::spawn_blocking(move || {
        let (producer, delivered) = produce(&idempotent);
        assert!(matches!(delivered, Some(Err(_))), "{delivered:?}");
        let (code, why) = producer.client().fatal_error().unwrap();
        assert_eq!(code, RDKafkaErrorCode::ClusterAuthorizationFailed, "{why}");
        let producer: BaseProducer = transactional.create().unwrap();
        match producer.init_transactions(PATIENCE) {
            Err(KafkaError::Transaction(error)) => {
                assert_eq!(error.code(), RDKafkaErrorCode::TransactionalIdAuthorizationFailed, "{error}");
            }
            other => panic!("{other:?}"),
        }
    })
    .await
    .unwrap();
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_one_broker_and_its_topics() {
    let house = house().await;
    let (config, address) = (client(&house, &[]), house.kafka);
    tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = config.create().unwrap();
        let all = producer.client().fetch_metadata(None, PATIENCE).unwrap();
        let [broker] = all.brokers() else { panic!("one broker") };
        assert_eq!((broker.id(), broker.host(), broker.port()), (1, "127.0.0.1", i32::from(address.port())));
        let names: Vec<_> = all.topics().iter().map(|topic| topic.name()).collect();
        assert_eq!(names, TOPICS);
        for topic in all.topics() {
            assert_eq!(topic.partitions().len(), 4);
            let is_here = |partition: &rdkafka::metadata::MetadataPartition| {
                (partition.leader(), partition.replicas(), partition.isr()) == (1, &[1][..], &[1][..])
            };
            assert!(topic.partitions().iter().all(is_here));
        }
        // What is not there is not made.
        let none = producer.client().fetch_metadata(Some("nothing"), PATIENCE).unwrap();
        let missing = none.topics()[0].error().map(RDKafkaErrorCode::from);
        assert_eq!(missing, Some(RDKafkaErrorCode::UnknownTopicOrPartition));
        assert_eq!(producer.client().fetch_cluster_id(PATIENCE).map(|id| id.len()), Some(22));
    })
    .await
    .unwrap();
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_read_settings_and_change_none() {
    let house = house().await;
    let admin: AdminClient<DefaultClientContext> = client(&house, &[]).create().unwrap();
    let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let wanted = [ResourceSpecifier::Topic(TOPIC), ResourceSpecifier::Broker(1), ResourceSpecifier::Topic("nothing")];
    let described = admin.describe_configs(&wanted, &options).await.unwrap();
    let value = |index: usize, name: &str| {
        described[index].as_ref().unwrap().get(name).unwrap().value.clone().unwrap_or_default()
    };
    assert_eq!(value(0, "cleanup.policy"), "delete");
    assert_eq!(value(0, "retention.ms"), "604800000");
    assert_eq!(value(1, "auto.create.topics.enable"), "false");
    assert_eq!(value(1, "advertised.listeners"), format!("PLAINTEXT://{}", house.kafka));
    // The error is not given out by this client; that there is nothing is.
    assert!(described[2].as_ref().unwrap().entries.is_empty());

    let refused = || Err(("voice-callthread".to_owned(), RDKafkaErrorCode::TopicAuthorizationFailed));
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1));
    assert_eq!(admin.create_topics([&topic], &options).await.unwrap(), [refused()]);
    assert_eq!(admin.delete_topics(&[TOPIC], &options).await.unwrap(), [refused()]);
    let more = NewPartitions::new(TOPIC, 9);
    assert_eq!(admin.create_partitions([&more], &options).await.unwrap(), [refused()]);
    let change = AlterConfig::new(ResourceSpecifier::Topic(TOPIC)).set("retention.ms", "1");
    // Again the error is not given out by this client; that it was refused is counted.
    admin.alter_configs([&change], &options).await.unwrap();
    assert_eq!(house.metric("cordboard_kafka_writes_refused_total{api=\"AlterConfigs\"}").await, 1);
    house.server.stop().await.unwrap();
}
