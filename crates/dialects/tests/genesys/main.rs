//! The vocabulary `genesys`: what is said of hand-made lists of events, and what is never said.
//!
//! Every message of every story is judged by the rules of the stream and by its JSON Schema.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is not as expected fails the test")]

mod agents;
mod calls;
mod causes;
mod clients;
mod messages;
mod parties;
mod queues;
mod requests;
mod routing;
mod rules;
mod snapshot;
mod story;
mod transfers;
