//! The real program on loopback: a scripted Asterisk on one side, readers of events on the other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail like the test itself"
)]

mod access;
mod ami;
mod client;
mod command_line;
mod demo;
mod identity;
mod kafka;
mod kill;
mod process;
mod requests;
mod rest;
mod roles;
mod stream;
