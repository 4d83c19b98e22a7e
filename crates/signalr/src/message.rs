//! The messages of the hub protocol, as both sides write them.

use std::borrow::Cow;

/// One message. What an application put in stays as it was encoded and is read only where it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Type 1: call a method that answers once, or not at all.
    Invocation(Call<'a>),
    /// Type 2: a part of a stream.
    StreamItem {
        /// The invocation or stream it belongs to.
        id: Cow<'a, str>,
        /// The encoded item.
        item: Cow<'a, [u8]>,
    },
    /// Type 3: an invocation or stream is over.
    Completion {
        /// The invocation or stream.
        id: Cow<'a, str>,
        /// How it went.
        ended: Ended<'a>,
    },
    /// Type 4: call a method that answers with a stream.
    StreamInvocation(Call<'a>),
    /// Type 5: a stream is no longer wanted.
    CancelInvocation {
        /// The invocation.
        id: Cow<'a, str>,
    },
    /// Type 6: a sign of life.
    Ping,
    /// Type 7: the connection is over.
    Close {
        /// Why, where that was an error.
        error: Option<Cow<'a, str>>,
        /// Whether the client may come back by itself.
        allow_reconnect: bool,
    },
    /// Type 8: everything up to here has arrived.
    Ack {
        /// The number of the newest message that arrived.
        sequence: u64,
    },
    /// Type 9: the first message after a reconnect.
    Sequence {
        /// The number of the message that follows.
        sequence: u64,
    },
}

/// A call of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// What the answer will name; absent where none is wanted.
    pub id: Option<Cow<'a, str>>,
    /// The method.
    pub target: Cow<'a, str>,
    /// The arguments: one encoded array.
    pub arguments: Cow<'a, [u8]>,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended<'a> {
    /// It went wrong.
    Error(Cow<'a, str>),
    /// It went well and has nothing to say.
    Void,
    /// It went well; the encoded result.
    Result(Cow<'a, [u8]>),
}
