//! The promises of the log, on the simulated and on the real disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy allows these in test functions; the helpers here are called by nothing else"
)]

mod crash;
mod damage;
mod kill;
mod limits;
mod readers;
mod retention;
mod support;
