//! A way for bytes to and from a client, whatever it is made of.

use std::task::{Context, Poll};

use bytes::Bytes;
use cordboard_signalr::FrameKind;

/// A way to a client. All of it is polled by one task.
pub(super) trait Pipe: Send {
    /// Whether there is anybody at its end.
    const LEADS_SOMEWHERE: bool = true;

    /// What came. After an end nothing more comes.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received>;

    /// Ready when everything that was sent is written.
    ///
    /// # Errors
    /// [`Lost`]: nothing can be written any more.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Lost>>;

    /// Sends whole messages together; only when what was sent before is written.
    fn send(&mut self, messages: Bytes, kind: FrameKind);
}

/// What came of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Messages, whole or in parts.
    Messages(Bytes),
    /// A sign of life of the transport's own.
    Alive,
    /// Something the transport cannot take; the client is told, and it is over.
    Wrong(&'static str),
    /// The client, or what was between us, is gone.
    Gone,
}

/// Nothing can be written any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost;

/// No way at all, where a client may still come back.
pub(super) struct Nowhere;

impl Pipe for Nowhere {
    const LEADS_SOMEWHERE: bool = false;

    fn poll_receive(&mut self, _context: &mut Context<'_>) -> Poll<Received> {
        Poll::Pending
    }

    fn poll_written(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Pending
    }

    fn send(&mut self, _messages: Bytes, _kind: FrameKind) {}
}
