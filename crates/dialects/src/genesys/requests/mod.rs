//! Requests of the vocabulary: what a client may ask for, read into the words of the core.
//!
//! A request is one JSON object: its name under `request`, its parameters beside it, each named like the attribute of an
//! event that says the same (`{"request": "TMakeCall", "ThisDN": "1001", "OtherDN": "1002"}`). [`REQUESTS`] lists them
//! all. What is not understood is refused, never passed over: a parameter that does nothing would be a promise broken.

mod asks;
mod error;
mod read;
mod schema;
mod table;
pub mod terr;
pub(super) mod words;

use core::fmt;

use cordboard_core::request::{Ask, Refusal};
use serde_json::{Map, Value};

use crate::near::close;

pub use error::{Failure, error};
pub use schema::{entry, schema};
pub use table::{About, Kind, Parameter, REQUESTS, RequestSpec};
pub use words::REQUEST_ENUMERATIONS;

use read::{Fault, Members};

/// A request, understood.
#[derive(Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The directory number it is about; empty where it is about none.
    pub device: String,
    /// What the client calls it; none to be given one.
    pub reference: Option<u64>,
    /// What is asked.
    pub ask: Ask,
    /// The agent's password, to be compared and forgotten: it is in no event and no log.
    pub password: Option<String>,
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "(not shown)");
        f.debug_struct("Parsed")
            .field("device", &self.device)
            .field("reference", &self.reference)
            .field("ask", &self.ask)
            .field("password", &password)
            .finish()
    }
}

/// A request that is not understood, or asks for what nobody can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What the client calls it, where that could be read.
    pub reference: Option<u64>,
    /// The directory number it is about, where that could be read; else empty.
    pub device: String,
    /// Which member is wrong, what is wrong with it, and what would be right.
    pub message: String,
    /// The same as a word for programs.
    pub refusal: Refusal,
}

/// Reads a request.
pub fn parse(request: &Value) -> Result<Parsed, Wrong> {
    let Some(members) = request.as_object() else {
        let message =
            r#"a request is a JSON object, for example {"request": "TMakeCall", "ThisDN": "1001", "OtherDN": "1002"}"#;
        let (message, device) = (message.to_owned(), String::new());
        return Err(Wrong { reference: None, device, message, refusal: Refusal::WrongAttribute });
    };
    let reference = members.get("ReferenceID").and_then(Value::as_u64).filter(|number| *number > 0);
    let device = device(members);
    understand(members, reference, device.clone()).map_err(|Fault { message, refusal }| Wrong {
        reference,
        device,
        message,
        refusal,
    })
}

fn understand(members: &Map<String, Value>, reference: Option<u64>, device: String) -> Result<Parsed, Fault> {
    let spec = spec(members)?;
    for (name, value) in members {
        read::member(spec, name, value)?;
    }
    for parameter in spec.parameters.iter().filter(|parameter| parameter.mandatory) {
        if !members.contains_key(parameter.name) {
            let (request, name, summary) = (spec.name, parameter.name, parameter.summary);
            return Err(Fault::new(format!("{request} needs the member {name}: {summary}")));
        }
    }
    if spec.about != About::Client && device.is_empty() {
        return Err(Fault::new(format!("{} needs the member ThisDN: the number it is about", spec.name)));
    }
    if members.contains_key("ThisDN") && members.contains_key("dn") {
        return Err(Fault::new("ThisDN and dn say the same; leave one of them out".to_owned()));
    }
    let ask = (spec.ask)(&Members(members))?;
    let device = if spec.about == About::Client { String::new() } else { device };
    let password = members.get("Password").and_then(Value::as_str).map(str::to_owned);
    Ok(Parsed { device, reference, ask, password })
}

/// The number a request is about. A query of a queue may name it as such.
fn device(members: &Map<String, Value>) -> String {
    let of = |name| members.get(name).and_then(Value::as_str);
    let query = of("request") == Some("TQueryAddress");
    let named = of("ThisDN").or_else(|| of("dn")).or_else(|| of("ThisQueue").filter(|_| query));
    named.unwrap_or_default().to_owned()
}

/// What is known of the request of this name.
fn spec(members: &Map<String, Value>) -> Result<&'static RequestSpec, Fault> {
    let names = REQUESTS.iter().map(|spec| spec.name);
    let Some(name) = members.get("request").and_then(Value::as_str) else {
        return Err(Fault::new(
            r#"the member request is missing: the name of a request, for example "TMakeCall""#.to_owned(),
        ));
    };
    REQUESTS.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let right = match close(name, names).as_slice() {
            [] => "`cordboard catalogue genesys` lists them all".to_owned(),
            near => format!("right could be {}", near.join(", ")),
        };
        let message = format!("there is no request {}; {right}", read::shown(name));
        Fault { message, refusal: Refusal::Unsupported }
    })
}
