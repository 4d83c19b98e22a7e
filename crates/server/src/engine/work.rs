//! What the loop takes in, and what it gives back to whoever waits for an answer.

use std::sync::Arc;

use cordboard_core::request::Refusal;
use cordboard_core::{ConnId, Input, Observation, Request, RequestId};
use cordboard_dialects::{Dialect, Message};
use tokio::sync::oneshot;

use crate::log::Position;
use crate::permit::Permit;

/// One thing for the loop to do. They are taken in the order they come in, whoever sends them.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are observations; a box each would cost more")]
pub enum Work {
    /// Something happened that nobody waits for an answer to.
    Input(Input),
    /// A client asks for something.
    Asked(Box<Question>),
    /// A client ends its connection.
    Left(Leave),
    /// Somebody wants to know what a call is called.
    Find(Find),
}

impl From<Input> for Work {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

impl From<Observation> for Work {
    fn from(observation: Observation) -> Self {
        Self::Input(Input::Observed(observation))
    }
}

/// A request, and who waits for what comes of it.
pub struct Question {
    /// What is asked.
    pub request: Request,
    /// What whoever asks may ask for.
    pub permit: Permit,
    /// The vocabulary of the answer; it need not be one that events are told in here.
    pub dialect: &'static Dialect,
    /// Where the answer goes. What it says may be told once its position is durable.
    pub reply: oneshot::Sender<Result<Arc<Answer>, NotTaken>>,
}

impl Question {
    /// A question, and where its answer will come.
    #[must_use]
    pub fn new(
        request: Request,
        permit: Permit,
        dialect: &'static Dialect,
    ) -> (Self, oneshot::Receiver<Result<Arc<Answer>, NotTaken>>) {
        let (reply, answer) = oneshot::channel();
        (Self { request, permit, dialect, reply }, answer)
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its number.
    pub request: RequestId,
    /// What the client calls it, or was given to call it.
    pub reference: u64,
    /// The last event of the answer; the answer must not be told before this is durable.
    pub position: Position,
    /// What the events say that it caused, as far as the client may hear it.
    pub said: Vec<Message>,
    /// Messages beyond [`super::DeskLimits::answer_bytes_max`] were left out.
    pub cut: bool,
    /// Why it was not done; none where it was.
    pub refused: Option<Refused>,
    /// It was carried out before, and what was answered then is not known any more.
    pub repeated: bool,
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As a word for programs.
    pub refusal: Refusal,
    /// In words for people.
    pub why: String,
    /// Whether it is about who asks, and not about what is asked.
    pub forbidden: bool,
    /// What the vocabulary says of it.
    pub said: Vec<Message>,
}

/// Why a request was not even taken: nothing of it is in the log, and it may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The tenant has as many requests under way as it may have.
    #[error("as many requests are under way as may be ({open_max}); ask again when some are answered")]
    Busy {
        /// How many.
        open_max: usize,
    },
    /// The token has as many connections as it may have.
    #[error(
        "this token has as many connections as it may have ({connections_max}); use one of them, or end one with DELETE /api/v1/connections/NAME"
    )]
    Connections {
        /// How many.
        connections_max: usize,
    },
    /// The client asked for something else by the same reference.
    #[error(
        "the reference {reference} belongs to another request of this connection; right would be one of its own, or none"
    )]
    Reused {
        /// Which.
        reference: u64,
    },
    /// The log takes no event of this size.
    #[error("the request is too large to be written down; attach less data")]
    TooLarge,
    /// The loop ends.
    #[error("the server stops; ask again when it is back")]
    Stopping,
}

/// A client that ends its connection.
pub struct Leave {
    /// Its name.
    pub client: String,
    /// Whether it was known, and the position from which on it is not.
    pub reply: oneshot::Sender<(bool, Position)>,
}

/// A question for the other name of a call.
pub struct Find {
    /// The switch that the call is on.
    pub switch: String,
    /// What is known.
    pub name: CallName,
    /// Where the answer goes: none where there is no such call. It must not be told before the position is durable.
    pub reply: oneshot::Sender<(Option<FoundCall>, Position)>,
}

/// One of the two names of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallName {
    /// The switch's.
    Key(String),
    /// Ours towards applications.
    Conn(ConnId),
}

/// Both names of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCall {
    /// The switch's.
    pub key: String,
    /// Ours.
    pub conn: ConnId,
}
