//! What ends a connection because of what its client sent.

/// Something a client sent that cannot be forgiven; its text is what the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A message is longer than the limit.
    #[error("The maximum message size of {max}B was exceeded.")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// Objects and arrays lie too deep in each other.
    #[error("A message may be nested at most {max} deep.")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// Not JSON.
    #[error("A message is not valid JSON: {0}.")]
    Json(String),
    /// Not MessagePack.
    #[error("A message is not valid MessagePack: {0}.")]
    MessagePack(&'static str),
    /// A member the type needs is not there.
    #[error("Missing required property '{0}'.")]
    Missing(&'static str),
    /// A member is something else than it must be.
    #[error("Expected '{member}' to be of type {expected}.")]
    WrongType {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A completion with an error and a result.
    #[error("The 'error' and 'result' properties are mutually exclusive.")]
    ErrorAndResult,
    /// An invocation id beyond the limit.
    #[error("An invocation id may have at most {max} bytes.")]
    IdTooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A method's name beyond the limit.
    #[error("The name of a method may have at most {max} bytes.")]
    TargetTooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// More invocations than may wait.
    #[error("At most {max} invocations may wait for an answer.")]
    TooManyQueued {
        /// The limit.
        max: usize,
    },
    /// More bytes of arguments than may wait.
    #[error("The arguments of waiting invocations may have at most {max} bytes together.")]
    TooMuchQueued {
        /// The limit in bytes.
        max: usize,
    },
    /// More messages than allowed in a span of time.
    #[error("At most {max} {what} may be sent in {window_ms} ms.")]
    TooOften {
        /// What there were too many of.
        what: &'static str,
        /// The limit.
        max: u32,
        /// The span.
        window_ms: u64,
    },
    /// A number of a stateful reconnect beyond what was received.
    #[error("Sequence ID greater than amount of messages we've received.")]
    SequenceAhead,
}
