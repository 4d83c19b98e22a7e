//! The promises of the topic store, on the simulated and on the real disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy allows these in test functions; the helpers here are called by nothing else"
)]

mod crash;
mod damage;
mod limits;
mod measure;
mod model;
mod readers;
mod support;
