//! The Kafka protocol as a broker speaks it to consumers: what a partition's bytes are, which partition a key belongs to,
//! what requests say and how groups of consumers share the work.
//!
//! No sockets and no clocks: bytes and times come in as arguments. The shapes of requests and answers are those of the
//! crate `kafka-protocol`; what is ours is what a broker does with them. Bytes come in by `frame`, are looked at by `shape`,
//! become what `api` has in its table by `request`, and go out by `answer`.

pub mod answer;
pub mod api;
pub mod batch;
pub mod frame;
pub mod groups;
pub mod partitioner;
pub mod request;
pub mod shape;
