//! Looks at the brokers before anything is sent: which topics there are, where they end, and what of ours is in them.

use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::Runtime;

use super::client::{Ear, consuming};
use super::fault::Fault;
use super::resume::{Ends, Found, Plan};
use super::walk::MessageId;
use crate::config::Kafka;
use crate::log::Position;
use crate::topics::headers;

/// One question and its answer; shorter than a broker may take, so that a stop is noticed. It is asked again.
const ANSWER_MAX: Duration = Duration::from_millis(2_000);
/// Lines of log and errors of a client that are listened to at once.
const EVENTS_MAX: usize = 64;
/// How long a poll for records may take.
const POLL: Duration = Duration::from_millis(100);
/// How long a topic that was just made may take to be known everywhere.
const TOPIC_MADE_MAX: Duration = Duration::from_secs(10);

/// Asks brokers for one tenant.
pub(super) struct Scout<'a> {
    tenant: &'a str,
    kafka: &'a Kafka,
    shared: &'a ClientConfig,
    runtime: &'a Runtime,
    ear: Ear,
    consumer: BaseConsumer<Ear>,
}

/// How a topic that is made shall be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) topic: &'a str,
    pub(super) partitions: u32,
}

impl<'a> Scout<'a> {
    /// A client; nobody is asked yet.
    pub(super) fn new(
        tenant: &'a str,
        kafka: &'a Kafka,
        shared: &'a ClientConfig,
        runtime: &'a Runtime,
        ear: Ear,
    ) -> Result<Self, Fault> {
        let consumer = BaseConsumer::from_config_and_context(&consuming(kafka, shared), ear.clone())
            .map_err(|error| Fault::setting(&error))?;
        Ok(Self { tenant, kafka, shared, runtime, ear, consumer })
    }

    /// The id of the cluster.
    pub(super) fn cluster(&self) -> Result<String, Fault> {
        let nobody = KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure);
        self.answered(self.consumer.client().fetch_cluster_id(ANSWER_MAX).ok_or(nobody), "")
    }

    /// How many partitions the topic has. It is made where it is missing and may be made.
    pub(super) fn partitions(&self, wanted: Wanted<'_>) -> Result<usize, Fault> {
        match self.known_partitions(wanted.topic) {
            Err(Fault::TopicMissing { .. }) if self.kafka.create_topics => {}
            known => return known,
        }
        self.make(wanted)?;
        let made = Instant::now();
        loop {
            match self.known_partitions(wanted.topic) {
                Err(Fault::TopicMissing { .. } | Fault::Unreachable(_)) if made.elapsed() < TOPIC_MADE_MAX => {
                    std::thread::sleep(POLL);
                }
                known => return known,
            }
        }
    }

    /// The oldest offset and the end of each partition.
    pub(super) fn ends(&self, topic: &str, partitions: usize) -> Result<Vec<Ends>, Fault> {
        let ends = |partition: usize| {
            let partition = i32::try_from(partition).unwrap_or(i32::MAX);
            let answer = self.consumer.fetch_watermarks(topic, partition, ANSWER_MAX);
            self.answered(answer, topic).map(|(start, end)| Ends { start, end })
        };
        (0..partitions).map(ends).collect()
    }

    /// False where a record that we wrote there is not there any more, but another: this is not the topic that it was.
    pub(super) fn is_the_same(&self, topic: &str, plan: &Plan, ends: &[Ends]) -> Result<bool, Fault> {
        let places = plan.witnesses.iter().zip(ends);
        let places = places.map(|(witness, ends)| witness.map_or(ends.end..ends.end, |it| it.offset..it.offset + 1));
        let mut is_the_same = true;
        self.read(topic, &places.collect::<Vec<_>>(), |partition, message| {
            let witness = plan.witnesses.get(partition).copied().flatten();
            is_the_same &= witness.is_none_or(|witness| !witness.is_contradicted(message.offset(), headers(message).1));
            Ok(())
        })?;
        Ok(is_the_same)
    }

    /// Adds to `found` what of this tenant is in the topic behind the floors of the plan. `lane` is the number of the
    /// topic's first partition.
    pub(super) fn look_through(
        &self,
        topic: &str,
        plan: &Plan,
        ends: &[Ends],
        lane: usize,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let places: Vec<Range<i64>> = plan.floors.iter().zip(ends).map(|(floor, ends)| *floor..ends.end).collect();
        self.read(topic, &places, |partition, message| {
            let (whose, id, position) = headers(message);
            if whose == Some(self.tenant.as_bytes()) {
                found.add(id, position, lane + partition, message.offset());
            }
            if found.len() > self.kafka.resume_records_max {
                return Err(Fault::TooMuch(self.kafka.resume_records_max));
            }
            Ok(())
        })
    }

    /// Reads these places of a topic's partitions.
    fn read(
        &self,
        topic: &str,
        places: &[Range<i64>],
        mut each: impl FnMut(usize, &BorrowedMessage<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut reading = TopicPartitionList::new();
        let mut left: Vec<bool> = places.iter().map(|place| !place.is_empty()).collect();
        for (partition, place) in (0..).zip(places).filter(|(_, place)| !place.is_empty()) {
            reading
                .add_partition_offset(topic, partition, Offset::Offset(place.start))
                .map_err(|error| self.fault(&error, topic))?;
        }
        if !left.contains(&true) {
            return Ok(());
        }
        self.consumer.assign(&reading).map_err(|error| self.fault(&error, topic))?;
        let mut heard = Instant::now();
        while left.contains(&true) {
            if heard.elapsed() > Duration::from_millis(self.kafka.request_ms_max) {
                return Err(self.ear.explain(Fault::Unreachable("records do not come".to_owned())));
            }
            let message = match self.consumer.poll(POLL) {
                None => continue,
                Some(Ok(message)) => message,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    done(&mut left, partition);
                    continue;
                }
                Some(Err(error)) => {
                    let fault = self.fault(&error, topic);
                    // It comes back by itself, or the time is over. And the group is never used: who may not is no
                    // worse off.
                    if matches!(fault, Fault::Unreachable(_))
                        || error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed)
                    {
                        continue;
                    }
                    return Err(fault);
                }
            };
            heard = Instant::now();
            let partition = usize::try_from(message.partition()).unwrap_or(usize::MAX);
            let Some(place) = places.get(partition).filter(|_| message.topic() == topic) else { continue };
            if place.contains(&message.offset()) {
                each(partition, &message)?;
            }
            if message.offset() + 1 >= place.end {
                done(&mut left, message.partition());
            }
        }
        // What still comes of these is of no interest.
        self.consumer.assign(&TopicPartitionList::new()).map_err(|error| self.fault(&error, topic))
    }

    fn known_partitions(&self, topic: &str) -> Result<usize, Fault> {
        let metadata = self.answered(self.consumer.fetch_metadata(Some(topic), ANSWER_MAX), topic)?;
        let missing = || Fault::TopicMissing { topic: topic.to_owned() };
        let known = metadata.topics().iter().find(|known| known.name() == topic).ok_or_else(missing)?;
        if let Some(error) = known.error() {
            return Err(self.fault(&KafkaError::MetadataFetch(error.into()), topic));
        }
        if known.partitions().is_empty() {
            return Err(missing());
        }
        Ok(known.partitions().len())
    }

    fn make(&self, wanted: Wanted<'_>) -> Result<(), Fault> {
        let Wanted { topic, partitions } = wanted;
        let admin: AdminClient<Ear> = AdminClient::from_config_and_context(self.shared, self.ear.clone())
            .map_err(|error| Fault::setting(&error))?;
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(self.kafka.replication));
        let retention = self.kafka.retention_ms.map(|ms| ms.to_string());
        if let Some(retention) = &retention {
            new = new.set("retention.ms", retention);
        }
        let timeout = Duration::from_millis(self.kafka.request_ms_max);
        let options = AdminOptions::new().request_timeout(Some(timeout)).operation_timeout(Some(timeout));
        let topics = [new];
        let made = self.answered(self.runtime.block_on(admin.create_topics(&topics, &options)), topic)?;
        for result in made {
            match result {
                // Somebody else was quicker.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {
                    tracing::info!(tenant = self.tenant, topic, partitions, "made a topic in Kafka");
                }
                Err((_, code)) => {
                    let fault = self.fault(&KafkaError::AdminOp(code), topic);
                    let topic = topic.to_owned();
                    let is_refused = matches!(fault, Fault::Refused { .. });
                    return Err(if is_refused { Fault::TopicRefused { topic, why: code.to_string() } } else { fault });
                }
            }
        }
        Ok(())
    }

    /// Lets the client tell what it has to tell. Not while records are read: it would be given some.
    fn serve(&self) {
        for _ in 0..EVENTS_MAX {
            _ = self.consumer.poll(Duration::ZERO);
        }
    }

    /// What came of a question, with what the client says of it.
    fn answered<T>(&self, answer: Result<T, KafkaError>, topic: &str) -> Result<T, Fault> {
        answer.map_err(|error| {
            self.serve();
            self.fault(&error, topic)
        })
    }

    fn fault(&self, error: &KafkaError, topic: &str) -> Fault {
        self.ear.explain(Fault::of(error, topic))
    }
}

fn done(left: &mut [bool], partition: i32) {
    if let Some(left) = usize::try_from(partition).ok().and_then(|partition| left.get_mut(partition)) {
        *left = false;
    }
}

/// Of whom a record of anybody's tells, which message it is, and when it was told.
fn headers<'m>(message: &'m BorrowedMessage<'_>) -> (Option<&'m [u8]>, MessageId, Position) {
    let (mut whose, mut id, mut position) = (None, MessageId::default(), Position { epoch: 0, sequence: 0 });
    for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
        let Some(value) = header.value else { continue };
        match header.key {
            headers::TENANT => whose = Some(value),
            headers::EVENT_ID => id = MessageId::read(value),
            headers::POSITION => {
                position = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).unwrap_or(position);
            }
            _ => {}
        }
    }
    (whose, id, position)
}
