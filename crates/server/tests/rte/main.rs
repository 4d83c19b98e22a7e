//! SignalR over real sockets, with a hub that echoes: every status, every transport, and who means ill.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail like the test itself"
)]

mod attacks;
mod client;
mod echo;
mod endpoint;
mod limits;
mod resume;
mod transports;
