//! What precedes a connection: `POST {hub}/negotiate`.

use serde_json::{Map, Value, json};

use crate::protocol::Transport;

/// The highest version of negotiation we know.
pub const VERSION_MAX: i32 = 1;

/// What a client asks for in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The version both know. In version 0 the connection's id is also its token.
    pub version: i32,
    /// Whether it wants to take up a broken connection where it was.
    pub stateful_reconnect: bool,
}

/// Why there is no connection; goes out by [`refusal`], with status 200.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiateError {
    /// `negotiateVersion` is not a number.
    #[error("The client requested a non-integer protocol version.")]
    NotANumber,
    /// `negotiateVersion` is below anything we know.
    #[error("The client requested version '{0}', but the server does not support this version.")]
    TooLow(i32),
}

/// What a query (without its `?`) asks for. Keys are read in any case, unknown ones ignored.
pub fn asked(query: &str) -> Result<Asked, NegotiateError> {
    let mut asked = Asked { version: 0, stateful_reconnect: false };
    let mut versions = 0;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = percent_decoded(key);
        if key.eq_ignore_ascii_case("negotiateVersion") {
            versions += 1;
            let version: i32 = percent_decoded(value).trim().parse().map_err(|_| NegotiateError::NotANumber)?;
            asked.version = version.min(VERSION_MAX);
        } else if key.eq_ignore_ascii_case("useStatefulReconnect") {
            asked.stateful_reconnect = percent_decoded(value).trim().eq_ignore_ascii_case("true");
        }
    }
    match asked.version {
        _ if versions > 1 => Err(NegotiateError::NotANumber),
        version if version < 0 => Err(NegotiateError::TooLow(version)),
        _ => Ok(asked),
    }
}

/// A connection that was made for a client.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The version from [`Asked`].
    pub version: i32,
    /// The public id. In version 0 it is what `id=` must carry.
    pub connection_id: &'a str,
    /// The secret that `id=` must carry from version 1 on.
    pub connection_token: &'a str,
    /// What there is, in the order of preference.
    pub transports: &'a [Transport],
    /// Whether a broken connection can be taken up; only where the client asked for it.
    pub stateful_reconnect: bool,
}

impl Offer<'_> {
    /// The body of the answer.
    pub fn to_json(&self) -> String {
        let mut answer = Map::new();
        answer.insert("negotiateVersion".into(), self.version.into());
        answer.insert("connectionId".into(), self.connection_id.into());
        if self.version > 0 {
            answer.insert("connectionToken".into(), self.connection_token.into());
        }
        // Clients that did not ask refuse it, and take its absence for false.
        if self.stateful_reconnect {
            answer.insert("useStatefulReconnect".into(), true.into());
        }
        let transports = self.transports.iter().map(|transport| {
            let kinds: Vec<&str> = transport.frame_kinds().iter().map(|kind| kind.name()).collect();
            json!({ "transport": transport.name(), "transferFormats": kinds })
        });
        answer.insert("availableTransports".into(), transports.collect());
        Value::Object(answer).to_string()
    }
}

/// The body of an answer that says why not; its status is 200 all the same.
pub fn refusal(why: &NegotiateError) -> String {
    json!({ "error": why.to_string() }).to_string()
}

/// A key or value of a query as it was meant; what is not UTF-8 becomes a replacement character.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = hex.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = after;
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None if first == b'+' => bytes.push(b' '),
            None => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_read_as_the_original_reads_it() {
        let ok = |version, stateful_reconnect| Ok(Asked { version, stateful_reconnect });
        let table = [
            ("", ok(0, false)),
            ("negotiateVersion=0", ok(0, false)),
            ("negotiateVersion=1", ok(1, false)),
            ("NEGOTIATEVERSION=1", ok(1, false)),
            ("negotiateversion=7", ok(1, false)),
            ("hub=x&negotiateVersion=+1+", ok(1, false)),
            ("negotiate%56ersion=%31", ok(1, false)),
            ("negotiateVersion=1&useStatefulReconnect=true", ok(1, true)),
            ("USESTATEFULRECONNECT=True&negotiateVersion=1", ok(1, true)),
            ("negotiateVersion=1&useStatefulReconnect=false", ok(1, false)),
            ("negotiateVersion=1&useStatefulReconnect=1", ok(1, false)),
            ("negotiateVersion=1&useStatefulReconnect", ok(1, false)),
            ("access_token=a=b&negotiateVersion=1", ok(1, false)),
            ("negotiateVersion=", Err(NegotiateError::NotANumber)),
            ("negotiateVersion", Err(NegotiateError::NotANumber)),
            ("negotiateVersion=one", Err(NegotiateError::NotANumber)),
            ("negotiateVersion=1.0", Err(NegotiateError::NotANumber)),
            ("negotiateVersion=99999999999", Err(NegotiateError::NotANumber)),
            ("negotiateVersion=1&negotiateVersion=1", Err(NegotiateError::NotANumber)),
            ("negotiateVersion=-1", Err(NegotiateError::TooLow(-1))),
        ];
        for (query, expected) in table {
            assert_eq!(asked(query), expected, "{query}");
        }
    }

    #[test]
    fn errors_say_what_the_original_says() {
        let table = [
            (NegotiateError::NotANumber, r#"{"error":"The client requested a non-integer protocol version."}"#),
            (
                NegotiateError::TooLow(-1),
                r#"{"error":"The client requested version '-1', but the server does not support this version."}"#,
            ),
        ];
        for (error, expected) in table {
            assert_eq!(refusal(&error), expected);
        }
    }

    #[test]
    fn the_answer_has_what_the_version_has_and_no_null() {
        let mut offer = Offer {
            version: 0,
            connection_id: "public",
            connection_token: "secret",
            transports: &Transport::ALL,
            stateful_reconnect: false,
        };
        let transports = r#""availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]},{"transport":"ServerSentEvents","transferFormats":["Text"]},{"transport":"LongPolling","transferFormats":["Text","Binary"]}]"#;
        assert_eq!(offer.to_json(), format!(r#"{{"negotiateVersion":0,"connectionId":"public",{transports}}}"#));
        offer.version = 1;
        let token = r#""connectionId":"public","connectionToken":"secret""#;
        assert_eq!(offer.to_json(), format!(r#"{{"negotiateVersion":1,{token},{transports}}}"#));
        offer.stateful_reconnect = true;
        offer.transports = &[Transport::WebSockets];
        assert_eq!(
            offer.to_json(),
            format!(
                r#"{{"negotiateVersion":1,{token},"useStatefulReconnect":true,"availableTransports":[{{"transport":"WebSockets","transferFormats":["Text","Binary"]}}]}}"#
            )
        );
    }
}
