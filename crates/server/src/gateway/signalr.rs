//! SignalR on our HTTP server.

pub mod hub;
pub mod outbox;

pub use outbox::Outbox;
