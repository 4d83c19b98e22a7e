//! The Kafka protocol for those who read.

pub mod groups;
