//! The built-in switch, seen through the core: what is asked and happens, and what is true then.

#![cfg(test)]

mod agents;
mod calls;
mod house;
mod joining;
mod properties;
mod queues;
mod routes;
mod supervisors;
mod wishes;
