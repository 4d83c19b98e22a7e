//! The Kafka listener over real sockets: who means ill, who is slow, who comes in numbers, and clients that mean well.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail like the test itself"
)]

mod clients;
mod groups;
mod hostile;
mod limits;
mod wire;
