//! What a client is answered whose request never came so far as to cause an event.

use cordboard_core::Time;
use cordboard_core::listed::Listed;
use cordboard_core::request::{Ask, Refusal};
use serde_json::{Value, json};

use super::terr;
use crate::genesys::{Settings, attributes};

/// A request that is refused.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// When.
    pub at: Time,
    /// What the client calls it, where it said so.
    pub reference: Option<u64>,
    /// The number it is about; empty where it is about none.
    pub device: &'a str,
    /// What was asked, where it was understood.
    pub ask: Option<&'a Ask>,
    /// Why it is refused, as a word for programs.
    pub refusal: Refusal,
    /// Why, in words for people.
    pub message: &'a str,
}

/// The event that says so.
#[must_use]
pub fn error(settings: &Settings, failure: &Failure<'_>) -> Value {
    let Failure { at, reference, device, ask, refusal, message } = failure;
    let terr = terr::of(*refusal, *ask);
    let mut error = json!({
        "id": "EventError",
        "time": attributes::Time::from_micros(at.0),
        "Server": settings.server,
        "ErrorCode": terr.code,
        "ErrorMessage": message,
        "Extensions": {"ErrorName": terr.name, "Refusal": refusal.name()},
    });
    if let Some(members) = error.as_object_mut() {
        if let Some(reference) = reference {
            members.insert("ReferenceID".to_owned(), json!(reference));
        }
        if !device.is_empty() {
            members.insert("ThisDN".to_owned(), json!(device));
        }
    }
    error
}
