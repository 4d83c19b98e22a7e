//! Invocations that wait for the one before them. They wait as they came: reading them could take far more room.

use std::collections::VecDeque;

use crate::error::ProtocolError;
use crate::limits::Limits;
use crate::message::Call;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

/// An invocation that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: Option<Box<str>>,
    pub(super) target: Box<str>,
    pub(super) arguments: Box<[u8]>,
    pub(super) streaming: bool,
}

impl Queue {
    /// Whether at least half of what may wait is free.
    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        self.waiting.len() * 2 <= limits.invocations_queued_max && self.bytes * 2 <= limits.queued_bytes_max
    }

    pub(super) fn put(&mut self, call: Call<'_>, streaming: bool, limits: &Limits) -> Result<(), ProtocolError> {
        if call.id.as_ref().is_some_and(|id| id.len() > limits.invocation_id_bytes_max) {
            return Err(ProtocolError::IdTooLong { max: limits.invocation_id_bytes_max });
        }
        if call.target.len() > limits.target_bytes_max {
            return Err(ProtocolError::TargetTooLong { max: limits.target_bytes_max });
        }
        if self.waiting.len() >= limits.invocations_queued_max.max(1) {
            return Err(ProtocolError::TooManyQueued { max: limits.invocations_queued_max });
        }
        let bytes = self.bytes + call.arguments.len();
        if bytes > limits.queued_bytes_max && !self.waiting.is_empty() {
            return Err(ProtocolError::TooMuchQueued { max: limits.queued_bytes_max });
        }
        self.bytes = bytes;
        self.waiting.push_back(Waiting {
            id: call.id.map(|id| id.into()),
            target: call.target.into(),
            arguments: call.arguments.into(),
            streaming,
        });
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<Waiting> {
        let Some(first) = self.waiting.pop_front() else {
            *self = Queue::default();
            return None;
        };
        self.bytes = self.bytes.saturating_sub(first.arguments.len());
        Some(first)
    }
}
