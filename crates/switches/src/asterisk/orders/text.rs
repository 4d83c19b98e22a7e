//! What clients typed, before it becomes a part of an action: what Asterisk would read as something else is refused.

use cordboard_core::event::{Datum, Pairs, WorkMode};
use cordboard_core::request::Refusal;

use super::Refused;

/// The longest number, as Asterisk keeps it, in bytes (`AST_MAX_EXTENSION` less its end).
pub(crate) const NUMBER_BYTES_MAX: usize = 79;

/// The longest name of a variable, queue, agent or file, in bytes; also the longest reason (`reason_paused`).
pub(crate) const NAME_BYTES_MAX: usize = 79;

/// The longest value of a variable, in bytes: it fits into a line of AMI even if every byte must be escaped.
pub(crate) const VALUE_BYTES_MAX: usize = 440;

/// A number that can be dialled: nothing in it can name another channel, context or header.
pub(crate) fn number(text: &str) -> Result<&str, Refused> {
    if is_number(text) {
        return Ok(text);
    }
    let why = format!(
        "{} cannot be dialled; right would be 1 to {NUMBER_BYTES_MAX} of digits, letters and + * # . _ -",
        shown(text)
    );
    Err((Refusal::InvalidNumber, why))
}

/// The name of a telephone or line, as it stands in the name of a channel.
pub(crate) fn endpoint(text: &str) -> Result<&str, Refused> {
    if is_number(text) { Ok(text) } else { Err(wrong(format!("{} is no telephone of this Asterisk", shown(text)))) }
}

fn is_number(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+*#._-".contains(&byte);
    !text.is_empty() && text.len() <= NUMBER_BYTES_MAX && text.bytes().all(allowed)
}

/// The name of a queue, without what separates arguments of an application.
pub(crate) fn queue(text: &str) -> Result<&str, Refused> {
    if !text.contains([',', '|', '&']) {
        return line("a queue", text);
    }
    Err(wrong(format!("{} cannot be a queue; right would be a name without , | and &", shown(text))))
}

/// A line of text that stands for itself: an agent's name, a reason.
pub(crate) fn line<'t>(what: &str, text: &'t str) -> Result<&'t str, Refused> {
    if !text.is_empty() && text.len() <= NAME_BYTES_MAX && !text.contains(char::is_control) {
        return Ok(text);
    }
    Err(wrong(format!(
        "{} cannot be {what}; right would be 1 to {NAME_BYTES_MAX} bytes without control characters",
        shown(text)
    )))
}

/// The name of a channel variable. Functions of the dial plan, some of which run programs, are no variables.
pub(crate) fn variable(text: &str) -> Result<&str, Refused> {
    if is_variable(text) {
        return Ok(text);
    }
    Err(wrong(format!(
        "{} cannot be a variable; right would be 1 to {NAME_BYTES_MAX} of letters, digits and _, no digit first",
        shown(text)
    )))
}

pub(crate) fn is_variable(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty()
        && text.len() <= NAME_BYTES_MAX
        && text.bytes().all(allowed)
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// The value of a variable.
pub(crate) fn value<'t>(of: &str, text: &'t str) -> Result<&'t str, Refused> {
    if text.len() <= VALUE_BYTES_MAX && !text.contains(char::is_control) {
        return Ok(text);
    }
    Err(wrong(format!(
        "the value of {} cannot be sent; right would be at most {VALUE_BYTES_MAX} bytes without control characters",
        shown(of)
    )))
}

/// The name of a recording's file, in the folder of recordings.
pub(crate) fn file(text: &str) -> Result<&str, Refused> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(allowed) && !text.starts_with('.') {
        return Ok(text);
    }
    Err(wrong(format!(
        "{} cannot name a recording; right would be 1 to {NAME_BYTES_MAX} of letters, digits and . _ -, no dot first",
        shown(text)
    )))
}

/// Tones, each as a digit of its own.
pub(crate) fn tones(text: &str, tones_max: usize) -> Result<Vec<char>, Refused> {
    let tones: Vec<char> = text.chars().collect();
    let allowed = |tone: &char| tone.is_ascii_digit() || matches!(tone, '*' | '#' | 'A'..='D' | 'a'..='d');
    if !tones.is_empty() && tones.len() <= tones_max && tones.iter().all(allowed) {
        return Ok(tones);
    }
    Err(wrong(format!("{} are no tones; right would be 1 to {tones_max} of 0 to 9, *, # and A to D", shown(text))))
}

/// Data of a call, as text.
pub(crate) fn data(pairs: &Pairs) -> Result<Vec<(String, String)>, Refused> {
    pairs
        .iter()
        .map(|(key, datum)| {
            let text = match datum {
                Datum::Integer(number) => number.to_string(),
                Datum::Text(text) => text.clone(),
                Datum::Pairs(_) => {
                    let why =
                        format!("{} holds pairs, but a call of Asterisk carries texts and numbers only", shown(key));
                    return Err(wrong(why));
                }
            };
            if key.is_empty() || key.len() > NAME_BYTES_MAX || key.contains(char::is_control) {
                return Err(wrong(format!("{} cannot name data: 1 to {NAME_BYTES_MAX} bytes of text can", shown(key))));
            }
            value(key, &text)?;
            Ok((key.clone(), text))
        })
        .collect()
}

/// `NAME=value` for a `Variable` header, which Asterisk would split at commas.
pub(crate) fn assignment(name: &str, value: &str) -> String {
    let mut text = format!("{name}=");
    for c in value.chars() {
        if matches!(c, '\\' | '"' | ',' | '(' | ')' | '[' | ']') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Why somebody is not ready, in one word or some: the only value of the pairs, or all of them, or else the mode.
pub(crate) fn reason(reasons: &Pairs, mode: WorkMode) -> Result<Option<String>, Refused> {
    let pairs = data(reasons)?;
    let text = match pairs.as_slice() {
        [] => of_mode(mode).map(str::to_string),
        [(_, value)] => Some(value.clone()),
        several => Some(several.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("; ")),
    };
    match text.filter(|text| !text.is_empty()) {
        Some(text) => line("a reason", &text).map(|text| Some(text.to_string())),
        None => Ok(None),
    }
}

const fn of_mode(mode: WorkMode) -> Option<&'static str> {
    match mode {
        WorkMode::Unknown | WorkMode::ManualIn | WorkMode::AutoIn | WorkMode::ReturnBack => None,
        WorkMode::LegalGuard => Some("legal-guard"),
        WorkMode::AfterCallWork => Some("after-call-work"),
        WorkMode::AuxWork => Some("aux-work"),
        WorkMode::NoCallDisconnect => Some("no-call-disconnect"),
        WorkMode::WalkAway => Some("walk-away"),
    }
}

/// A text for an error: whatever it is, in one line and not too long.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let cut: String = text.chars().take(CHARS_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

fn wrong(why: String) -> Refused {
    (Refusal::WrongAttribute, why)
}
