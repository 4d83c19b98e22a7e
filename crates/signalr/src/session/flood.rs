//! Counts what a client sends against floods.

use crate::Millis;
use crate::error::ProtocolError;
use crate::limits::Limits;

/// The counts of the span that runs.
#[derive(Debug, Default)]
pub(super) struct Flood {
    since: Millis,
    invocations: u32,
    others: u32,
}

impl Flood {
    /// Counts one message, whatever becomes of it.
    pub(super) fn count(&mut self, now: Millis, is_invocation: bool, limits: &Limits) -> Result<(), ProtocolError> {
        if now.saturating_sub(self.since) >= limits.window_ms {
            *self = Flood { since: now, ..Flood::default() };
        }
        let (count, what, max) = if is_invocation {
            (&mut self.invocations, "invocations", limits.invocations_per_window_max)
        } else {
            (&mut self.others, "pings and other messages", limits.control_messages_per_window_max)
        };
        *count = count.saturating_add(1);
        if *count > max {
            return Err(ProtocolError::TooOften { what, max, window_ms: limits.window_ms });
        }
        Ok(())
    }
}
