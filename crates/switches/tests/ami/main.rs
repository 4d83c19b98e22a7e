//! The Asterisk Manager Interface: codec, session and recordings, seen from outside.

#![cfg(test)]

mod codec;
mod orders;
mod orders_properties;
mod recorded;
mod recordings;
mod session;
mod session_properties;
