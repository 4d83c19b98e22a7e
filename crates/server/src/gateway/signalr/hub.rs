//! What the transports need of whoever answers: who somebody is, and what comes of an invocation. They know nothing else.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use cordboard_signalr::texts;
use serde_json::Value;

use super::outbox::{Outbox, Outboxes};

/// How the messages of a connection are written: the two hub protocols that there are.
pub use cordboard_signalr::Protocol;

/// Somebody whose token was good.
pub trait HubUser: Send + Sync + 'static {
    /// The organisation; limits are counted for it.
    fn tenant(&self) -> &str;

    /// What tells this user from others of the organisation and stays the same from token to token: a connection belongs
    /// to who negotiated it. Never shown, never logged.
    fn identity(&self) -> &str;
}

/// A hub: decides who may connect, and answers what they invoke.
pub trait Hub: Send + Sync + 'static {
    /// Who connects.
    type User: HubUser;
    /// One connection as the hub knows it. It is dropped when the connection has ended for good; a connection that broke
    /// and may still come back (stateful reconnect) keeps it.
    type Client: HubClient;

    /// Whose token this is, which came from that address. None came where `token` is none.
    ///
    /// # Errors
    /// [`Refusal`]: it becomes the status of the answer.
    fn authenticate(
        &self,
        token: Option<&str>,
        from: IpAddr,
    ) -> impl Future<Output = Result<Arc<Self::User>, Refusal>> + Send;

    /// How much may wait for each connection.
    fn outboxes(&self) -> &Arc<Outboxes>;

    /// A connection has shaken hands: from now on what is put into `outbox` is written to it.
    fn connect(&self, user: Arc<Self::User>, outbox: Arc<Outbox>, protocol: Protocol) -> Self::Client;
}

/// One connection, as the hub knows it.
pub trait HubClient: Send + 'static {
    /// Carries out what the client invokes; the transports see to it that there is one at a time, in the order they came.
    /// What the outbox holds back meanwhile is let through when the answer is on its way.
    /// `target` comes as the client wrote it (any case). None as a result is that of a method without one.
    ///
    /// # Errors
    /// [`HubError`]: the client gets its text as the completion's error.
    fn invoke(
        &mut self,
        target: &str,
        arguments: Vec<Value>,
    ) -> impl Future<Output = Result<Option<Value>, HubError>> + Send;
}

/// Why somebody may not connect. What is said to the client never holds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token, or none that is good: 401.
    Unauthorised,
    /// A good token, but not for this hub: 403.
    Forbidden,
    /// Too much was tried: 429.
    TooMany,
    /// It cannot be told at the moment: 503.
    Unavailable,
}

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubError {
    /// There is no such method.
    UnknownMethod,
    /// The arguments are not what the method takes.
    Arguments,
    /// This user may not invoke it.
    Unauthorised,
    /// It failed; the client is told these words.
    Failed(String),
}

impl HubError {
    /// What the client is told, in the words clients know from other servers.
    #[must_use]
    pub fn text(&self, target: &str) -> String {
        match self {
            Self::UnknownMethod => texts::unknown_method(target),
            Self::Arguments => texts::arguments_do_not_fit(target),
            Self::Unauthorised => texts::unauthorized(target),
            Self::Failed(text) => text.clone(),
        }
    }
}
