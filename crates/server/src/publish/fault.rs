//! Why nothing is published, and what would be right.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::walk::SourceError;
use crate::kept::KeptError;

/// What stands in the way. Each is tried again after a while; nothing is ever passed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// No broker answers.
    #[error("unreachable: {0}; kafka.brokers must name brokers that can be reached from here")]
    Unreachable(String),
    /// The broker knows us and does not let us, or does not know us.
    #[error("not authorised: {0}; see what Cordboard must be allowed to do in docs/kafka-publishing.md")]
    NotAuthorised(String),
    /// TLS does not come about.
    #[error("no TLS: {0}; see kafka.security, kafka.ca_file and the certificate of the broker")]
    Tls(String),
    /// There is no such topic.
    #[error("the topic {topic} is missing; make it, or set kafka.create_topics = true")]
    TopicMissing {
        /// Which.
        topic: String,
    },
    /// The topic cannot be made.
    #[error("the topic {topic} cannot be made: {why}; make it, or see kafka.replication and kafka.retention_ms")]
    TopicRefused {
        /// Which.
        topic: String,
        /// What the broker says.
        why: String,
    },
    /// The topic was deleted or made anew under our hands.
    #[error("the topic {topic} was deleted or made anew; it is begun anew")]
    TopicReplaced {
        /// Which.
        topic: String,
    },
    /// A record or a batch is larger than the broker takes.
    #[error(
        "the topic {topic} does not take a batch with a record of {bytes} bytes; its max.message.bytes must be larger \
         than that and not less than kafka.batch_bytes_max"
    )]
    TooLarge {
        /// Which.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// A record has a time that the broker does not take.
    #[error(
        "the topic {topic} refuses a record, most likely for its time; the clocks must agree, or the topic's \
         message.timestamp.after.max.ms and message.timestamp.before.max.ms must allow more"
    )]
    Time {
        /// Which.
        topic: String,
    },
    /// The broker refuses a record for another reason.
    #[error("the topic {topic} refuses records: {code}")]
    Refused {
        /// Which.
        topic: String,
        /// What the broker says.
        code: RDKafkaErrorCode,
    },
    /// More is in the topics than may be looked through.
    #[error(
        "the topics hold more records of the tenant than can be looked through; kafka.resume_records_max must be more \
         than {0}, which takes about 80 bytes of memory each"
    )]
    TooMuch(usize),
    /// The client is of no use any more.
    #[error("the client gave up: {0}; a new one goes on")]
    Fatal(String),
    /// A setting.
    #[error("a setting is not possible: {0}")]
    Setting(String),
    /// What is kept cannot be used.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The store cannot be read.
    #[error("the topics on disk cannot be read: {0}")]
    Store(#[from] SourceError),
}

impl Fault {
    /// A word for it, of a fixed number of words.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::NotAuthorised(_) => "not_authorised",
            Self::Tls(_) => "tls",
            Self::TopicMissing { .. } => "topic_missing",
            Self::TopicRefused { .. } => "topic_refused",
            Self::TopicReplaced { .. } => "topic_replaced",
            Self::TooLarge { .. } => "too_large",
            Self::Time { .. } => "time",
            Self::Refused { .. } => "refused",
            Self::TooMuch(_) => "too_much",
            Self::Fatal(_) => "fatal",
            Self::Setting(_) => "setting",
            Self::Kept(_) => "kept",
            Self::Store(_) => "store",
        }
    }

    /// A client does not take its settings. Their values are not said: one of them is a password.
    pub(super) fn setting(error: &KafkaError) -> Self {
        if let KafkaError::ClientConfig(_, _, key, _) = error {
            return Self::Setting(format!("librdkafka does not take its {key}"));
        }
        Self::Setting(error.to_string())
    }

    /// Whether a new producer simply goes on.
    pub(super) fn is_restart(&self) -> bool {
        matches!(self, Self::Fatal(_) | Self::TopicReplaced { .. })
    }

    /// Whether it may pass by itself, so that it counts only when it lasts.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TopicReplaced { .. } | Self::Fatal(_) => true,
            Self::NotAuthorised(_)
            | Self::Tls(_)
            | Self::TopicMissing { .. }
            | Self::TopicRefused { .. }
            | Self::TooLarge { .. }
            | Self::Time { .. }
            | Self::Refused { .. }
            | Self::TooMuch(_)
            | Self::Setting(_)
            | Self::Kept(_)
            | Self::Store(_) => false,
        }
    }

    /// What an answer about a topic means, or that there was none.
    pub(super) fn of(error: &KafkaError, topic: &str) -> Self {
        let topic = topic.to_owned();
        match error.rdkafka_error_code() {
            Some(code) if is_unknown(code) => Self::TopicMissing { topic },
            Some(code) if is_denied(code) => Self::NotAuthorised(format!("{topic}: {code}")),
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Self::TooLarge { topic, bytes: 0 },
            Some(code) if is_untimely(code) => Self::Time { topic },
            Some(code) if is_silence(code) => Self::Unreachable(code.to_string()),
            Some(code) => Self::Refused { topic, code },
            None => Self::setting(error),
        }
    }

    /// The same, and so large was the record.
    pub(super) fn with_bytes(self, bytes: usize) -> Self {
        if let Self::TooLarge { topic, .. } = self { Self::TooLarge { topic, bytes } } else { self }
    }
}

/// Whether there is no such topic or partition.
fn is_unknown(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicId, UnknownTopicOrPartition};
    matches!(code, UnknownTopic | UnknownPartition | UnknownTopicOrPartition | UnknownTopicId)
}

/// Whether we may not.
pub(super) fn is_denied(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        Authentication, ClusterAuthorizationFailed, GroupAuthorizationFailed, SaslAuthenticationFailed,
        TopicAuthorizationFailed, UnsupportedSASLMechanism,
    };
    matches!(
        code,
        Authentication
            | ClusterAuthorizationFailed
            | GroupAuthorizationFailed
            | SaslAuthenticationFailed
            | TopicAuthorizationFailed
            | UnsupportedSASLMechanism
    )
}

/// Whether a record, or one that was sent with it, is not as the broker wants it; of ours that can only be its time.
fn is_untimely(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{InvalidDifferentRecord, InvalidRecord, InvalidTimestamp};
    matches!(code, InvalidRecord | InvalidTimestamp | InvalidDifferentRecord)
}

/// Whether nobody answered, or not yet.
fn is_silence(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, BrokerNotAvailable, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition,
        OperationTimedOut, RequestTimedOut, Resolve,
    };
    matches!(
        code,
        AllBrokersDown
            | BrokerNotAvailable
            | BrokerTransportFailure
            | LeaderNotAvailable
            | NotLeaderForPartition
            | OperationTimedOut
            | RequestTimedOut
            | Resolve
    )
}
