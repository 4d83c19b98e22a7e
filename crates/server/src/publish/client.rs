//! Clients of librdkafka: their settings, and what they tell us.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;
use tokio::sync::Notify;

use super::fault::{Fault, is_denied};
use crate::config::{Compression, Kafka, KafkaSecurity, SaslMechanism};

/// What brokers and their logs know us by.
const CLIENT_ID: &str = "cordboard";
/// Group of the consumers that look through topics. They never join it and never commit.
const GROUP: &str = "cordboard-publisher";
/// How often a producer counts brokers and retries, in milliseconds.
const STATISTICS_MS: &str = "2000";
/// librdkafka's largest value: what is too large is said by the broker, whose topics know.
const MESSAGE_BYTES_MAX: &str = "1000000000";

/// The settings that all clients share. The password is in them: they are never printed.
pub(super) fn settings(kafka: &Kafka) -> Result<ClientConfig, Fault> {
    let mut client = ClientConfig::new();
    let security = match kafka.security {
        KafkaSecurity::Plaintext => "plaintext",
        KafkaSecurity::Tls => "ssl",
        KafkaSecurity::SaslPlaintext => "sasl_plaintext",
        KafkaSecurity::SaslTls => "sasl_ssl",
    };
    client
        .set("bootstrap.servers", kafka.brokers.join(","))
        .set("client.id", CLIENT_ID)
        .set("security.protocol", security)
        .set("message.max.bytes", MESSAGE_BYTES_MAX)
        .set("socket.timeout.ms", kafka.request_ms_max.to_string())
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", kafka.reconnect_ms_max.to_string())
        .set("reconnect.backoff.ms", kafka.reconnect_ms_max.min(100).to_string())
        // What is missing is made by us, with the right number of partitions, or by nobody.
        .set("allow.auto.create.topics", "false");
    client.set_log_level(RDKafkaLogLevel::Info);
    let files = [
        ("ssl.ca.location", &kafka.ca_file),
        ("ssl.certificate.location", &kafka.certificate_file),
        ("ssl.key.location", &kafka.key_file),
    ];
    for (key, file) in files {
        if let Some(file) = file {
            client.set(key, file.to_string_lossy());
        }
    }
    if let Some(password) = kafka.find_password().map_err(|error| Fault::Setting(error.to_string()))? {
        let mechanism = match kafka.sasl_mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        client
            .set("sasl.mechanism", mechanism)
            .set("sasl.username", &kafka.user)
            .set("sasl.password", password.reveal());
    }
    Ok(client)
}

/// The settings of a producer that repeats nothing and gives nothing up.
pub(super) fn producing(kafka: &Kafka, shared: &ClientConfig) -> ClientConfig {
    let compression = match kafka.compression {
        Compression::None => "none",
        Compression::Lz4 => "lz4",
        Compression::Snappy => "snappy",
    };
    let mut client = shared.clone();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // Never: a record that was given up would be missing, whatever came of it.
        .set("message.timeout.ms", "0")
        .set("request.timeout.ms", kafka.request_ms_max.to_string())
        .set("linger.ms", kafka.linger_ms.to_string())
        .set("compression.type", compression)
        .set("batch.size", kafka.batch_bytes_max.to_string())
        .set("batch.num.messages", kafka.queue_records_max.min(100_000).to_string())
        .set("queue.buffering.max.messages", kafka.queue_records_max.to_string())
        .set("queue.buffering.max.kbytes", (kafka.queue_bytes_max / 1_024).to_string())
        .set("statistics.interval.ms", STATISTICS_MS);
    client
}

/// The settings of a consumer that looks through partitions which it is told, and leaves nothing behind.
pub(super) fn consuming(kafka: &Kafka, shared: &ClientConfig) -> ClientConfig {
    let mut client = shared.clone();
    client
        .set("group.id", GROUP)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        // Also what belongs to a transaction that is open: what is there is there.
        .set("isolation.level", "read_uncommitted")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", (kafka.queue_bytes_max / 1_024).clamp(1_024, 1 << 20).to_string());
    client
}

/// What came of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// Its number in the account.
    pub(super) number: u64,
    /// The bytes of its key and value.
    pub(super) bytes: usize,
    /// Where it is, if the broker says so; or why it is not.
    pub(super) result: Result<Option<i64>, RDKafkaErrorCode>,
}

/// What a client told since it was asked last.
#[derive(Debug, Default)]
struct Told {
    reports: Vec<Report>,
    /// The newest trouble with brokers, and whether it is with who we are.
    trouble: Option<(RDKafkaErrorCode, String)>,
    fatal: bool,
    brokers_up: i64,
    retries: u64,
}

/// Takes down what a client tells; clones take down the same.
#[derive(Clone, Debug)]
pub(super) struct Ear {
    tenant: Arc<str>,
    told: Arc<Mutex<Told>>,
    /// Rung when there are reports or troubles.
    pub(super) bell: Arc<Notify>,
}

impl Ear {
    /// For the clients of this tenant.
    pub(super) fn new(tenant: &Arc<str>) -> Self {
        Self { tenant: Arc::clone(tenant), told: Arc::default(), bell: Arc::default() }
    }

    /// The reports that came; `into` is emptied and filled.
    pub(super) fn take_reports(&self, into: &mut Vec<Report>) {
        into.clear();
        std::mem::swap(&mut self.told().reports, into);
    }

    /// Whether the client said that it is of no use any more.
    pub(super) fn is_fatal(&self) -> bool {
        self.told().fatal
    }

    /// Brokers that are connected, and requests that were sent again, as of the newest statistics.
    pub(super) fn brokers(&self) -> (i64, u64) {
        let told = self.told();
        (told.brokers_up, told.retries)
    }

    /// What lately was wrong with the brokers, in words for people.
    pub(super) fn trouble(&self) -> Option<String> {
        self.told().trouble.as_ref().map(|(_, reason)| reason.clone())
    }

    /// A fault, told better where the client said why.
    pub(super) fn explain(&self, fault: Fault) -> Fault {
        let Fault::Unreachable(why) = fault else { return fault };
        match &self.told().trouble {
            Some((code, reason)) if is_denied(*code) => Fault::NotAuthorised(reason.clone()),
            Some((RDKafkaErrorCode::SSL, reason)) => Fault::Tls(reason.clone()),
            Some((_, reason)) => Fault::Unreachable(reason.clone()),
            None => Fault::Unreachable(why),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        let tenant = &*self.tenant;
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(tenant, fac, "librdkafka: {message}");
            }
            RDKafkaLogLevel::Warning => tracing::info!(tenant, fac, "librdkafka: {message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(tenant, fac, "librdkafka: {message}");
            }
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut told = self.told();
        told.brokers_up = statistics.brokers.values().filter(|it| it.nodeid >= 0 && it.state == "UP").count() as i64;
        told.retries = statistics.brokers.values().map(|broker| broker.txretries).sum();
        if told.brokers_up > 0 {
            told.trouble = None;
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        let mut told = self.told();
        told.fatal |= code == RDKafkaErrorCode::Fatal;
        // That all are down says less than what was wrong with each.
        if code != RDKafkaErrorCode::AllBrokersDown || told.trouble.is_none() {
            told.trouble = Some((code, reason.to_owned()));
        }
        drop(told);
        self.bell.notify_one();
    }
}

impl ConsumerContext for Ear {}

impl ProducerContext for Ear {
    type DeliveryOpaque = usize;

    fn delivery(&self, delivery: &DeliveryResult<'_>, number: usize) {
        let (message, result) = match delivery {
            Ok(message) => (message, Ok(Some(message.offset()).filter(|offset| *offset >= 0))),
            Err((error, message)) => (message, Err(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown))),
        };
        let bytes = message.payload_len() + message.key_len();
        let mut told = self.told();
        told.reports.push(Report { number: number as u64, bytes, result });
        let is_first = told.reports.len() == 1;
        drop(told);
        if is_first {
            self.bell.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use rdkafka::config::FromClientConfigAndContext as _;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::BaseProducer;

    use super::*;
    use crate::config::SecretText;

    const CANARY: &str = "canary-of-the-broker";

    /// Whatever is traced.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn with_password() -> Kafka {
        Kafka {
            // Nobody listens there.
            brokers: vec!["127.0.0.1:1".into()],
            security: KafkaSecurity::SaslPlaintext,
            sasl_mechanism: SaslMechanism::Plain,
            user: "cordboard".into(),
            password: Some(SecretText::new(CANARY)),
            ..Kafka::default()
        }
    }

    #[test]
    fn librdkafka_takes_all_settings_and_tells_nobody_the_password() {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(Mutex::new(to)).finish();
        tracing::subscriber::with_default(subscriber, || {
            let kafka = with_password();
            let mut shared = settings(&kafka).unwrap();
            shared.set("debug", "all").set_log_level(RDKafkaLogLevel::Debug);
            let ear = Ear::new(&Arc::from("acme"));
            let producer = BaseProducer::from_config_and_context(&producing(&kafka, &shared), ear.clone()).unwrap();
            let consumer = BaseConsumer::from_config_and_context(&consuming(&kafka, &shared), ear.clone()).unwrap();
            producer.poll(Duration::from_millis(300));
            _ = consumer.poll(Duration::from_millis(300));
            tracing::info!("{shared:?} {kafka:?}");
            let trouble = ear.trouble().unwrap_or_default();
            assert!(!trouble.is_empty() && !trouble.contains(CANARY), "{trouble}");
        });
        let lines = lines.0.lock().unwrap();
        let text = String::from_utf8_lossy(&lines);
        assert!(text.contains("sasl.username") || text.contains("librdkafka: "), "{text}");
        assert!(!text.contains(CANARY), "the password is in what is logged");
    }

    #[test]
    fn a_compression_is_one_that_librdkafka_has() {
        for compression in [Compression::None, Compression::Lz4, Compression::Snappy] {
            let kafka = Kafka { compression, ..with_password() };
            let client = producing(&kafka, &settings(&kafka).unwrap());
            assert!(BaseProducer::from_config_and_context(&client, Ear::new(&Arc::from("acme"))).is_ok());
        }
    }

    #[test]
    fn each_mechanism_is_one_that_librdkafka_has() {
        for sasl_mechanism in [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512] {
            for security in [KafkaSecurity::SaslPlaintext, KafkaSecurity::SaslTls, KafkaSecurity::Tls] {
                let kafka = Kafka { sasl_mechanism, security, ..with_password() };
                let client = settings(&kafka).unwrap();
                assert!(BaseProducer::from_config_and_context(&client, Ear::new(&Arc::from("acme"))).is_ok());
            }
        }
    }
}
