//! Actions, the requests of the Asterisk Manager Interface, to bytes.
//!
//! Nothing a user typed can become a header of its own: CR, LF and NUL are refused wherever they stand, and `:` in a
//! name. Asterisk reads a line into 1024 bytes (`inbuf` in `main/manager.c`) and refuses longer ones with "Failed to
//! parse message: line too long", and it keeps at most 128 lines of an action; we say so before anything is sent.

use std::fmt;

use thiserror::Error;

/// The longest line Asterisk takes, in bytes, its CR LF included.
pub const LINE_BYTES_MAX: usize = 1024;

/// The most lines Asterisk takes in one action, `Action` and `ActionID` included (`AST_MAX_MANHEADERS`).
pub const ACTION_HEADERS_MAX: usize = 128;

/// A request that is not bound to a connection yet: its name and its headers in order.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    name: String,
    headers: Vec<(String, String)>,
}

impl Action {
    /// An action by its name in Asterisk's documentation, for example `QueueStatus`.
    pub fn new(name: impl Into<String>) -> Action {
        Action { name: name.into(), headers: Vec::new() }
    }

    /// Adds a header. Names may repeat (`Variable` of `Originate`). Nothing is checked before [`Action::encode`].
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Action {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The action's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The action as bytes, ready to be written: `Action` first, then `ActionID`, then the headers, then the empty line.
    ///
    /// # Errors
    ///
    /// Refuses what Asterisk would refuse, and what would form lines of its own; see [`ActionError`].
    pub fn encode(&self, action_id: &str) -> Result<Vec<u8>, ActionError> {
        let headers_count = self.headers.len() + 2;
        if headers_count > ACTION_HEADERS_MAX {
            return Err(ActionError::TooManyHeaders { headers_count });
        }
        let text_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut out = Vec::with_capacity(text_bytes + self.name.len() + action_id.len() + 32);
        line(&mut out, "Action", &self.name)?;
        line(&mut out, "ActionID", action_id)?;
        for (name, value) in &self.headers {
            line(&mut out, name, value)?;
        }
        out.extend_from_slice(b"\r\n");
        Ok(out)
    }
}

impl fmt::Debug for Action {
    /// Prints names and values, but no value that proves who we are.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct(&self.name);
        for (name, value) in &self.headers {
            let secret = ["Secret", "Key"].iter().any(|secret| name.eq_ignore_ascii_case(secret));
            shown.field(name, if secret { &"(hidden)" } else { value });
        }
        shown.finish()
    }
}

fn line(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), ActionError> {
    let forbidden = |byte: u8| matches!(byte, b'\r' | b'\n' | 0);
    if name.is_empty() || name.bytes().any(|byte| forbidden(byte) || byte == b':') {
        return Err(ActionError::Name { name: name.escape_debug().to_string() });
    }
    if value.bytes().any(forbidden) {
        return Err(ActionError::Value { name: name.to_owned() });
    }
    let line_bytes = name.len() + value.len() + 4;
    if line_bytes > LINE_BYTES_MAX {
        return Err(ActionError::LineTooLong { name: name.to_owned(), line_bytes });
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Why an action cannot be sent. The values themselves are not repeated: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActionError {
    /// A header's name is empty or holds CR, LF, NUL or `:`.
    #[error("`{name}` cannot be the name of an AMI header: it must be some text without CR, LF, NUL and `:`")]
    Name {
        /// The name, with control characters escaped.
        name: String,
    },
    /// A value holds CR, LF or NUL.
    #[error("the value of the AMI header `{name}` holds CR, LF or NUL, which would end the line: leave them out")]
    Value {
        /// The header's name.
        name: String,
    },
    /// A line is longer than Asterisk takes.
    #[error(
        "the AMI header `{name}` makes a line of {line_bytes} bytes, but Asterisk takes {LINE_BYTES_MAX} with its line end"
    )]
    LineTooLong {
        /// The header's name.
        name: String,
        /// The line's length in bytes, with CR LF.
        line_bytes: usize,
    },
    /// There are more lines than Asterisk takes.
    #[error("the AMI action has {headers_count} lines, but Asterisk takes {ACTION_HEADERS_MAX}")]
    TooManyHeaders {
        /// The number of lines, `Action` and `ActionID` included.
        headers_count: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_name_the_id_and_the_headers_in_order() {
        let action = Action::new("QueuePause").header("Queue", "support").header("Reason", "lunch: long  ");
        let expected = "Action: QueuePause\r\nActionID: x-1\r\nQueue: support\r\nReason: lunch: long  \r\n\r\n";
        assert_eq!(action.encode("x-1").unwrap(), expected.as_bytes());
    }

    #[test]
    fn no_value_and_no_name_can_form_a_line() {
        for bad in ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "\n"] {
            let by_value = Action::new("UserEvent").header("Note", bad).encode("1");
            assert_eq!(by_value, Err(ActionError::Value { name: "Note".to_owned() }));
            assert!(matches!(
                Action::new("UserEvent").header(bad, "x").encode("1"),
                Err(ActionError::Name { name }) if !name.contains(['\n', '\r', '\0'])
            ));
            assert!(Action::new(bad).encode("1").is_err());
            assert!(Action::new("Ping").encode(bad).is_err());
        }
        assert!(Action::new("UserEvent").header("A: b", "x").encode("1").is_err());
        assert!(Action::new("UserEvent").header("", "x").encode("1").is_err());
    }

    #[test]
    fn a_line_may_fill_what_asterisk_reads_and_no_more() {
        let fits = "v".repeat(LINE_BYTES_MAX - "Value: \r\n".len());
        assert!(Action::new("Setvar").header("Value", fits.clone()).encode("1").is_ok());
        assert_eq!(
            Action::new("Setvar").header("Value", fits + "v").encode("1"),
            Err(ActionError::LineTooLong { name: "Value".to_owned(), line_bytes: LINE_BYTES_MAX + 1 })
        );
    }

    #[test]
    fn an_action_has_at_most_128_lines() {
        let many = |count| (0..count).fold(Action::new("Originate"), |action, _| action.header("Variable", "a=b"));
        assert!(many(ACTION_HEADERS_MAX - 2).encode("1").is_ok());
        assert_eq!(
            many(ACTION_HEADERS_MAX - 1).encode("1"),
            Err(ActionError::TooManyHeaders { headers_count: ACTION_HEADERS_MAX + 1 })
        );
    }

    #[test]
    fn debug_output_hides_secrets() {
        let login = Action::new("Login").header("Username", "cti").header("secret", "hunter2").header("Key", "0f3a");
        let shown = format!("{login:?}");
        assert!(shown.contains("cti") && !shown.contains("hunter2") && !shown.contains("0f3a"), "{shown}");
    }
}
