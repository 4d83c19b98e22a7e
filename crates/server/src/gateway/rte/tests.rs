//! The hub, asked through its own methods and told by a log of its own.

mod house;
mod model;
mod past;
mod rights;
mod semantics;
mod slow;
