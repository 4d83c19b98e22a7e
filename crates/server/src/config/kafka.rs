//! The settings of publishing to a Kafka of yours.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::check::Problems;
use super::secret::{SecretError, SecretText, find_one};
use super::settings::{Doc, settings};

/// How brokers are talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KafkaSecurity {
    /// Open, without a name.
    Plaintext,
    /// By TLS, without a name but that of a certificate.
    Tls,
    /// Open, with user and password.
    SaslPlaintext,
    /// By TLS, with user and password.
    SaslTls,
}

impl KafkaSecurity {
    /// Whether it is by TLS.
    #[must_use]
    pub fn has_tls(self) -> bool {
        match self {
            Self::Tls | Self::SaslTls => true,
            Self::Plaintext | Self::SaslPlaintext => false,
        }
    }

    /// Whether there is a user with a password.
    #[must_use]
    pub fn has_user(self) -> bool {
        match self {
            Self::SaslPlaintext | Self::SaslTls => true,
            Self::Plaintext | Self::Tls => false,
        }
    }
}

/// How a password is shown to brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SaslMechanism {
    /// As it is.
    #[serde(rename = "PLAIN")]
    Plain,
    /// So that it is not sent.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// So that it is not sent, with the longer sum.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

/// How batches of records are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not.
    None,
    /// By LZ4.
    Lz4,
    /// By Snappy.
    Snappy,
}

settings! {
    /// Publishing to a Kafka of yours: every topic of every tenant is copied there, in order per key, nothing missing and
    /// nothing twice. Said in docs/kafka-publishing.md.
    pub struct Kafka {
        /// Where it is: `["kafka-1.example.org:9092", "kafka-2.example.org:9092"]`. None: nothing is published.
        pub brokers: Vec<String> = Vec::new(),
        /// How it is talked to: `"plaintext"`, `"tls"`, `"sasl_plaintext"` or `"sasl_tls"`.
        pub security: KafkaSecurity = KafkaSecurity::Plaintext,
        /// The certificates that are believed, as a PEM file; none: those this machine believes.
        pub ca_file: Option<PathBuf> = None,
        /// Our own certificate, as a PEM file, where brokers ask for one.
        pub certificate_file: Option<PathBuf> = None,
        /// The key of our own certificate, as a PEM file without a password.
        pub key_file: Option<PathBuf> = None,
        /// How the password is shown: `"PLAIN"`, `"SCRAM-SHA-256"` or `"SCRAM-SHA-512"`.
        pub sasl_mechanism: SaslMechanism = SaslMechanism::ScramSha512,
        /// The user, where `security` is with SASL.
        pub user: String = String::new(),
        /// The password itself; a file or the environment keeps it better.
        pub password: Option<SecretText> = None,
        /// The file whose first line is the password.
        pub password_file: Option<PathBuf> = None,
        /// The environment variable that holds the password.
        pub password_env: Option<String> = None,
        /// Whether topics that are missing are made, with `topics.partitions` partitions. Those that are there are taken
        /// as they are.
        pub create_topics: bool = true,
        /// How many brokers keep each partition of a topic that is made; -1: as the brokers think right.
        pub replication: i32 = -1,
        /// How long topics that are made keep their records, in milliseconds; -1: for ever; none: as the brokers think
        /// right.
        pub retention_ms: Option<i64> = None,
        /// How batches of records are made smaller: `"none"`, `"lz4"` or `"snappy"`. Some clients, as kafkajs and
        /// kafka-python, read neither without more being installed.
        pub compression: Compression = Compression::None,
        /// How long a record may wait for others to be sent with it, in milliseconds.
        pub linger_ms: u64 = 5,
        /// Records that are sent together at most, in bytes. The topics' `max.message.bytes` must not be less.
        pub batch_bytes_max: usize = 1_000_000,
        /// Records that are sent and not acknowledged, of one tenant. Starting again after a crash looks through as many.
        pub queue_records_max: usize = 100_000,
        /// The same in bytes.
        pub queue_bytes_max: usize = 67_108_864,
        /// What is read of a partition at once, in bytes; a tenant needs memory for as much of each of its partitions.
        pub read_bytes_max: usize = 262_144,
        /// How long a broker may take for an answer, in milliseconds; then it is asked again.
        pub request_ms_max: u64 = 30_000,
        /// Longest time between two tries to reach a broker, in milliseconds.
        pub reconnect_ms_max: u64 = 5_000,
        /// Longest time until it is tried again what a broker refused, in milliseconds.
        pub retry_ms_max: u64 = 30_000,
        /// How long nothing may be acknowledged while something is to be sent before `/readyz` says so, in milliseconds.
        pub silence_ms_max: u64 = 30_000,
        /// How often it is written down how far the brokers acknowledged, in milliseconds.
        pub checkpoint_ms: u64 = 1_000,
        /// At a start: how long the ends of the topics must stand still before it is believed that nothing of a process
        /// that was killed is still on its way, in milliseconds.
        pub still_ms: u64 = 1_000,
        /// At a start: after so long they are believed though they move, because others write there too; in milliseconds.
        pub still_ms_max: u64 = 10_000,
        /// At a start: records of one tenant that are looked through, to find those that need not be sent again.
        pub resume_records_max: usize = 10_000_000,
        /// How long a stop may wait for acknowledgements, in milliseconds. What is not acknowledged is looked for at the
        /// next start.
        pub stop_ms_max: u64 = 5_000,
    }
}

impl Kafka {
    /// Whether anything is published.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.brokers.is_empty()
    }

    /// The password, from wherever the configuration says that it is; none where there is no user.
    ///
    /// # Errors
    /// [`SecretError`] names the key and what is wrong; never the password.
    pub fn find_password(&self) -> Result<Option<SecretText>, SecretError> {
        if !self.security.has_user() {
            return Ok(None);
        }
        find_one(
            (self.password.as_ref(), self.password_file.as_deref(), self.password_env.as_deref()),
            ["password", "password_file", "password_env"],
        )
        .map(Some)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        for (index, broker) in self.brokers.iter().enumerate() {
            if !is_broker(broker) {
                let wrong = format!("{broker:?} is no address");
                problems.add(
                    format!("kafka.brokers[{index}]"),
                    wrong,
                    "host and port, as \"kafka-1.example.org:9092\"",
                );
            }
        }
        for (key, value, least) in [
            ("kafka.batch_bytes_max", self.batch_bytes_max as u64, 1_024),
            ("kafka.queue_records_max", self.queue_records_max as u64, 100),
            ("kafka.queue_bytes_max", self.queue_bytes_max as u64, 1_048_576),
            ("kafka.read_bytes_max", self.read_bytes_max as u64, 16_384),
            ("kafka.request_ms_max", self.request_ms_max, 1_000),
            ("kafka.reconnect_ms_max", self.reconnect_ms_max, 100),
            ("kafka.retry_ms_max", self.retry_ms_max, 100),
            ("kafka.silence_ms_max", self.silence_ms_max, 1_000),
            ("kafka.checkpoint_ms", self.checkpoint_ms, 10),
            ("kafka.still_ms_max", self.still_ms_max, self.still_ms),
            ("kafka.resume_records_max", self.resume_records_max as u64, self.queue_records_max as u64),
        ] {
            problems.at_least(key, value, least);
        }
        for (key, value, most) in [
            ("kafka.linger_ms", self.linger_ms, 60_000),
            ("kafka.batch_bytes_max", self.batch_bytes_max as u64, 100_000_000),
            ("kafka.queue_records_max", self.queue_records_max as u64, 10_000_000),
            // librdkafka counts in kilobytes, in 31 bits.
            ("kafka.queue_bytes_max", self.queue_bytes_max as u64, 1 << 40),
            ("kafka.request_ms_max", self.request_ms_max, 300_000),
            ("kafka.reconnect_ms_max", self.reconnect_ms_max, 3_600_000),
        ] {
            problems.at_most(key, value, most);
        }
        self.check_topics(problems);
        self.check_who(problems);
    }

    fn check_topics(&self, problems: &mut Problems) {
        if self.replication != -1 && !(1..=i32::from(i16::MAX)).contains(&self.replication) {
            let wrong = format!("it is {}", self.replication);
            problems.add("kafka.replication".to_owned(), wrong, "a number of brokers, 1 or more, or -1");
        }
        if let Some(retention) = self.retention_ms.filter(|ms| *ms < -1) {
            problems.add("kafka.retention_ms".to_owned(), format!("it is {retention}"), "milliseconds, or -1");
        }
    }

    fn check_who(&self, problems: &mut Problems) {
        let files = [
            ("kafka.ca_file", &self.ca_file),
            ("kafka.certificate_file", &self.certificate_file),
            ("kafka.key_file", &self.key_file),
        ];
        for (key, file) in files {
            let Some(file) = file else { continue };
            if !self.security.has_tls() {
                let right = "kafka.security = \"tls\" or \"sasl_tls\", or no such file";
                problems.add(key.to_owned(), "it is given, but brokers are not talked to by TLS", right);
            } else if let Err(error) = std::fs::File::open(file) {
                let wrong = format!("{file:?} cannot be read ({})", error.kind());
                problems.add(key.to_owned(), wrong, "a PEM file that the user that runs Cordboard can read");
            }
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            let wrong = "a certificate and its key are only good together";
            problems.add("kafka.certificate_file".to_owned(), wrong, "both of certificate_file and key_file, or none");
        }
        if self.security.has_user() {
            if self.user.is_empty() {
                problems.add("kafka.user".to_owned(), "it is empty", "the user that Cordboard is for the brokers");
            }
            if let Err(error) = self.find_password() {
                problems.add("kafka.password".to_owned(), error.to_string(), "the password of kafka.user");
            }
        } else if !self.user.is_empty() {
            let right = "kafka.security = \"sasl_tls\" or \"sasl_plaintext\", or no user";
            problems.add("kafka.user".to_owned(), "it is given, but kafka.security is without SASL", right);
        }
    }
}

/// Host and port. A comma would be two addresses to librdkafka.
fn is_broker(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        !host.is_empty() && host.chars().all(good) && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(kafka: &Kafka) -> Vec<String> {
        let mut problems = Problems::default();
        kafka.check(&mut problems);
        problems.into_keys()
    }

    #[test]
    fn what_does_not_fit_together_is_found() {
        let good = Kafka {
            brokers: vec!["kafka:9092".into(), "[::1]:9092".into()],
            security: KafkaSecurity::SaslPlaintext,
            user: "cordboard".into(),
            password: Some(SecretText::new("canary")),
            ..Kafka::default()
        };
        assert!(keys(&good).is_empty() && keys(&Kafka::default()).is_empty());
        let wrong = |change: fn(&mut Kafka)| {
            let mut kafka = good.clone();
            change(&mut kafka);
            keys(&kafka)
        };
        assert_eq!(wrong(|it| it.brokers = vec!["kafka".into()]), ["kafka.brokers[0]"]);
        assert_eq!(wrong(|it| it.brokers = vec!["a:1,b:2".into()]), ["kafka.brokers[0]"]);
        assert_eq!(wrong(|it| it.password = None), ["kafka.password"]);
        assert_eq!(wrong(|it| it.password_env = Some("P".into())), ["kafka.password"]);
        assert_eq!(wrong(|it| it.user = String::new()), ["kafka.user"]);
        assert_eq!(wrong(|it| it.security = KafkaSecurity::Plaintext), ["kafka.user"]);
        assert_eq!(wrong(|it| it.ca_file = Some("/ca".into())), ["kafka.ca_file"]);
        assert_eq!(wrong(|it| it.replication = 0), ["kafka.replication"]);
        assert_eq!(wrong(|it| it.retention_ms = Some(-2)), ["kafka.retention_ms"]);
        assert_eq!(wrong(|it| it.still_ms_max = 1), ["kafka.still_ms_max"]);
    }

    #[test]
    fn the_password_never_prints() {
        let kafka = Kafka { password: Some(SecretText::new("canary")), ..Kafka::default() };
        assert!(!format!("{kafka:?}").contains("canary"));
        assert!(!serde_json::to_string(&kafka).unwrap().contains("canary"));
    }
}
