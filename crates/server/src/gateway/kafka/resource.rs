//! What `DescribeConfigs` shows of topics and of the broker: what is true of them, by the names that Kafka has for it.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::principal::Principal;
use super::{Broker, Client, NODE};
use crate::config::Config;

/// What can have settings here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// A topic.
    Topic,
    /// The broker.
    Broker,
}

impl Resource {
    /// The one with this number; none where it is something that is not here.
    pub(super) fn of(number: i8) -> Option<Self> {
        match number {
            2 => Some(Self::Topic),
            4 => Some(Self::Broker),
            _ => None,
        }
    }
}

/// The type of a value, by its number in the protocol.
#[derive(Clone, Copy)]
enum Type {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Long = 5,
    List = 7,
}

/// Where a value is from: the file with which the broker was started.
const FROM_FILE: i8 = 4;

/// What is shown, as it is configured.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    topic: Vec<Setting>,
    broker: Vec<Setting>,
    mechanism: &'static str,
}

type Setting = (&'static str, String, i8);

impl Shown {
    pub(super) fn of(config: &Config) -> Self {
        let (listener, topics) = (&config.kafka_listener, &config.topics);
        let retention_ms = config.log.log_age_s_max.saturating_mul(1_000);
        let setting = |name, value: &dyn ToString, kind: Type| (name, value.to_string(), kind as i8);
        let topic = vec![
            setting("cleanup.policy", &"delete", Type::List),
            setting("compression.type", &"uncompressed", Type::Text),
            setting("message.timestamp.type", &"CreateTime", Type::Text),
            setting("min.insync.replicas", &1, Type::Int),
            setting("retention.ms", &retention_ms, Type::Long),
            setting("segment.bytes", &topics.segment_bytes_max, Type::Int),
        ];
        let broker = vec![
            setting("auto.create.topics.enable", &false, Type::Boolean),
            setting("connections.max.idle.ms", &listener.idle_ms_max, Type::Long),
            setting("default.replication.factor", &1, Type::Int),
            setting("delete.topic.enable", &false, Type::Boolean),
            setting("log.retention.ms", &retention_ms, Type::Long),
            setting("log.segment.bytes", &topics.segment_bytes_max, Type::Int),
            setting("max.connections", &listener.connections_max, Type::Int),
            setting("max.connections.per.ip", &listener.address_connections_max, Type::Int),
            setting("num.partitions", &topics.partitions, Type::Int),
            setting("socket.request.max.bytes", &listener.request_bytes_max, Type::Int),
        ];
        let mechanism = if listener.anonymous { "PLAINTEXT" } else { "SASL_PLAINTEXT" };
        Self { topic, broker, mechanism }
    }

    fn broker(&self, client: &Client) -> Vec<Setting> {
        let Client { host, port, .. } = client;
        let mut all = self.broker.clone();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
        all.push(("advertised.listeners", format!("{}://{host}:{port}", self.mechanism), Type::List as i8));
        all.push(("broker.id", NODE.0.to_string(), Type::Int as i8));
        all.push(("sasl.enabled.mechanisms", "PLAIN".to_owned(), Type::List as i8));
        all.sort_unstable();
        all
    }
}

/// Settings of topics and of the broker.
pub(super) fn describe(
    broker: &Broker,
    who: &Principal,
    client: &Client,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let result = |wanted: &DescribeConfigsResource| {
        let found = find(broker, who, client, wanted);
        let result = DescribeConfigsResult::default()
            .with_resource_type(wanted.resource_type)
            .with_resource_name(wanted.resource_name.clone());
        match found {
            Ok(all) => {
                let keys = wanted.configuration_keys.as_ref();
                let is_wanted = |name| keys.is_none_or(|keys| keys.iter().any(|key| &**key == name));
                result.with_configs(all.into_iter().filter(|(name, ..)| is_wanted(*name)).map(shown).collect())
            }
            Err((error, why)) => {
                result.with_error_code(error.code()).with_error_message(Some(StrBytes::from_static_str(why)))
            }
        }
    };
    DescribeConfigsResponse::default().with_results(request.resources.iter().map(result).collect())
}

fn find(
    broker: &Broker,
    who: &Principal,
    client: &Client,
    wanted: &DescribeConfigsResource,
) -> Result<Vec<Setting>, (ResponseError, &'static str)> {
    match Resource::of(wanted.resource_type) {
        Some(Resource::Topic) if who.view().topic(&wanted.resource_name).is_some() => Ok(broker.shown.topic.clone()),
        Some(Resource::Topic) => Err((ResponseError::UnknownTopicOrPartition, "there is no such topic to be seen")),
        Some(Resource::Broker) if wanted.resource_name.parse() == Ok(NODE.0) => Ok(broker.shown.broker(client)),
        // What is the same for all brokers, and could be changed: nothing.
        Some(Resource::Broker) if wanted.resource_name.is_empty() => Ok(Vec::new()),
        Some(Resource::Broker) => Err((ResponseError::InvalidRequest, "there is only the broker 1")),
        None => Err((ResponseError::InvalidRequest, "only topics and the broker have settings here")),
    }
}

fn shown((name, value, kind): Setting) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(Some(value.into()))
        .with_read_only(true)
        .with_config_source(FROM_FILE)
        .with_config_type(kind)
}
