//! Every story of `scenarios/`: read, played, and compared with what is committed. `UPDATE=1` writes what is committed;
//! the diff is what a change means to customers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail like the test itself")]

mod committed;
mod folder;
mod invariants;
mod language;
