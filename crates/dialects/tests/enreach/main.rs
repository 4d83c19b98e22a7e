//! The vocabulary `enreach`: its words against the published reference, and what is said of calls and of the directory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is not as expected fails the test")]

mod calls;
mod directory;
mod docs;
mod messages;
mod story;
