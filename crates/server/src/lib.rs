//! Everything of Cordboard that touches the world.
//!
//! In reading order: `engine` is the one loop of a tenant; `log` makes events true; `tail`, `history` and `mirror` are
//! what readers get (live, old, as a picture); `gateway` hands it out and takes requests in, which `permit` judges;
//! `identity` says who somebody is and `rights` what may be seen;
//! `switch_link` and `boxed_link` bring in what switches say, and out what they are to do; `tenant` and `server` put
//! these together. Apart from them: `stage` is the way of an event in virtual time, on which `replay` plays recordings,
//! `scenario` stories, and `conformance` call models.

pub mod boxed_link;
pub mod checkpoints;
pub mod cli;
pub mod clock;
pub mod config;
pub mod configured;
pub mod conformance;
pub mod connectors;
pub mod demo;
pub mod engine;
mod entities;
pub mod gateway;
pub mod history;
pub mod identity;
mod kept;
pub mod log;
pub mod metrics;
pub mod mirror;
pub mod open_files;
pub mod people;
pub mod permit;
pub mod publish;
pub mod replay;
pub mod rights;
pub mod scenario;
pub mod server;
pub mod sources;
pub mod stage;
pub mod state;
pub mod switch_link;
pub mod tail;
pub mod tenant;
pub mod tokens;
pub mod topics;
