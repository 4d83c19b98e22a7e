//! The first message each way: always JSON text ended by 0x1E, whatever is spoken afterwards.

use serde_json::{Value, json};

use crate::protocol::{Protocol, Transport};
use crate::texts;

/// The highest version of the hub protocol we know; the first with stateful reconnect.
pub const VERSION_MAX: i64 = 2;

/// What a client wants to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake {
    /// The protocol of all that follows.
    pub protocol: Protocol,
    /// The version of it.
    pub version: i64,
}

/// Reads a client's handshake, without the 0x1E. The error is the text the client is told.
pub fn read(record: &[u8], transport: Transport) -> Result<Handshake, String> {
    let failed = |why: &str| format!("{} {why}", texts::HANDSHAKE_FAILED);
    let request: Value =
        serde_json::from_slice(record).map_err(|error| failed(&format!("Not valid JSON: {error}.")))?;
    let Value::Object(members) = request else {
        return Err(failed(r#"Expected an object like {"protocol":"json","version":1}."#));
    };
    let Some(name) = members.get("protocol").and_then(Value::as_str) else {
        return Err(failed("Missing required property 'protocol'."));
    };
    let Some(version) = members.get("version").and_then(Value::as_i64) else {
        return Err(failed("Missing required property 'version'."));
    };
    let Some(protocol) = Protocol::parse(name) else {
        return Err(format!("The protocol '{name}' is not supported."));
    };
    if !(0..=VERSION_MAX).contains(&version) {
        return Err(format!("The server does not support version {version} of the '{name}' protocol."));
    }
    if !transport.carries(protocol) {
        return Err(format!(
            "Cannot use the '{name}' protocol on the current transport. The transport does not support '{}' transfer format.",
            protocol.frame_kind().name()
        ));
    }
    Ok(Handshake { protocol, version })
}

/// The answer to a handshake that is welcome.
pub const WELCOME: &[u8] = b"{}\x1e";

/// The answer to a handshake that is not.
pub fn refusal(why: &str) -> Vec<u8> {
    format!("{}\x1e", json!({ "error": why })).into_bytes()
}

/// What a client sends.
pub fn request(protocol: Protocol, version: i64) -> Vec<u8> {
    format!("{}\x1e", json!({ "protocol": protocol.name(), "version": version })).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_client_is_welcome_and_others_are_told_why_not() {
        let ws = Transport::WebSockets;
        let sse = Transport::ServerSentEvents;
        let ok = |protocol, version| Ok(Handshake { protocol, version });
        let said = |text: &str| Err(text.to_owned());
        let table = [
            (ws, r#"{"protocol":"json","version":1}"#, ok(Protocol::Json, 1)),
            (ws, r#"{"version":2,"protocol":"json"}"#, ok(Protocol::Json, 2)),
            (ws, r#"{"protocol":"json","version":0}"#, ok(Protocol::Json, 0)),
            (ws, r#"{"protocol":"messagepack","version":1,"more":null}"#, ok(Protocol::MessagePack, 1)),
            (Transport::LongPolling, r#"{"protocol":"messagepack","version":1}"#, ok(Protocol::MessagePack, 1)),
            (sse, r#"{"protocol":"json","version":1}"#, ok(Protocol::Json, 1)),
            (
                sse,
                r#"{"protocol":"messagepack","version":1}"#,
                said(
                    "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.",
                ),
            ),
            (ws, r#"{"protocol":"xml","version":1}"#, said("The protocol 'xml' is not supported.")),
            (
                ws,
                r#"{"protocol":"json","version":3}"#,
                said("The server does not support version 3 of the 'json' protocol."),
            ),
            (
                ws,
                r#"{"protocol":"json","version":-1}"#,
                said("The server does not support version -1 of the 'json' protocol."),
            ),
            (
                ws,
                r#"{"version":1}"#,
                said("An unexpected error occurred during connection handshake. Missing required property 'protocol'."),
            ),
            (
                ws,
                r#"{"protocol":"json"}"#,
                said("An unexpected error occurred during connection handshake. Missing required property 'version'."),
            ),
        ];
        for (transport, text, expected) in table {
            assert_eq!(read(text.as_bytes(), transport), expected, "{text}");
        }
        for broken in ["", "[]", "{", "nonsense"] {
            let why = read(broken.as_bytes(), ws).expect_err(broken);
            assert!(why.starts_with(texts::HANDSHAKE_FAILED), "{why}");
        }
    }

    #[test]
    fn a_refusal_is_one_record() {
        assert_eq!(refusal("no"), b"{\"error\":\"no\"}\x1e");
    }
}
