//! The JSON form: one object a message, ended by 0x1E.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::codec::Cut;
use crate::error::ProtocolError;
use crate::message::{Call, Ended, Message};

const END: u8 = 0x1e;

/// Cuts the first record off.
pub(crate) fn cut(bytes: &[u8], message_bytes_max: usize) -> Result<Cut<'_>, ProtocolError> {
    let end = memchr::memchr(END, bytes);
    if end.unwrap_or(bytes.len()) > message_bytes_max {
        return Err(ProtocolError::TooLong { max: message_bytes_max });
    }
    let whole = end.and_then(|end| Some(Cut::Whole { body: bytes.get(..end)?, used: end + 1 }));
    Ok(whole.unwrap_or(Cut::Partial))
}

/// Reads a record. Members come in any order, unknown ones are skipped, of doubled ones the last counts.
pub(crate) fn read(body: &[u8], depth_max: usize) -> Result<Option<Message<'_>>, ProtocolError> {
    if depth(body) > depth_max {
        return Err(ProtocolError::TooDeep { max: depth_max });
    }
    let text = std::str::from_utf8(body).map_err(|error| ProtocolError::Json(error.to_string()))?;
    let members: Members<'_> = serde_json::from_str(text).map_err(|error| ProtocolError::Json(error.to_string()))?;
    members.into_message()
}

/// Writes a record. The order of members is what all clients were tried with; nothing absent is written as null.
pub(crate) fn write(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    match message {
        Message::Invocation(call) => write_call(&mut out, 1, call),
        Message::StreamItem { id, item } => {
            begin(&mut out, 2, Some(id));
            out.extend_from_slice(b",\"item\":");
            out.extend_from_slice(item);
        }
        Message::Completion { id, ended } => {
            begin(&mut out, 3, Some(id));
            match ended {
                Ended::Error(error) => push_member(&mut out, "error", error),
                Ended::Void => {}
                Ended::Result(result) => {
                    out.extend_from_slice(b",\"result\":");
                    out.extend_from_slice(result);
                }
            }
        }
        Message::StreamInvocation(call) => write_call(&mut out, 4, call),
        Message::CancelInvocation { id } => begin(&mut out, 5, Some(id)),
        Message::Ping => begin(&mut out, 6, None),
        Message::Close { error, allow_reconnect } => {
            begin(&mut out, 7, None);
            if let Some(error) = error {
                push_member(&mut out, "error", error);
            }
            if *allow_reconnect {
                out.extend_from_slice(b",\"allowReconnect\":true");
            }
        }
        Message::Ack { sequence } => write_sequence(&mut out, 8, *sequence),
        Message::Sequence { sequence } => write_sequence(&mut out, 9, *sequence),
    }
    out.extend_from_slice(&[b'}', END]);
    out
}

fn write_call(out: &mut Vec<u8>, kind: u8, call: &Call<'_>) {
    out.reserve(call.target.len() + call.arguments.len());
    begin(out, kind, call.id.as_deref());
    push_member(out, "target", &call.target);
    out.extend_from_slice(b",\"arguments\":");
    out.extend_from_slice(&call.arguments);
}

fn write_sequence(out: &mut Vec<u8>, kind: u8, sequence: u64) {
    begin(out, kind, None);
    out.extend_from_slice(format!(",\"sequenceId\":{sequence}").as_bytes());
}

fn begin(out: &mut Vec<u8>, kind: u8, id: Option<&str>) {
    out.extend_from_slice(b"{\"type\":");
    out.push(b'0' + kind);
    if let Some(id) = id {
        push_member(out, "invocationId", id);
    }
}

fn push_member(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    // Whatever would end the string or the record is escaped; the rest stays as it is.
    let mut quoted = String::with_capacity(text.len() + 2);
    let written = write!(quoted, "{}", Value::from(text));
    debug_assert!(written.is_ok(), "writing into a string");
    out.extend_from_slice(quoted.as_bytes());
}

/// How deep objects and arrays lie in each other, before anything is built from them.
fn depth(body: &[u8]) -> usize {
    let (mut deepest, mut depth) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The members of a record as they were written; what they must be depends on the type, which may come last.
#[derive(Default)]
struct Members<'a> {
    kind: Option<&'a RawValue>,
    invocation_id: Option<&'a RawValue>,
    target: Option<&'a RawValue>,
    arguments: Option<&'a RawValue>,
    item: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    allow_reconnect: Option<&'a RawValue>,
    sequence_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    Type,
    InvocationId,
    Target,
    Arguments,
    Item,
    Result,
    Error,
    AllowReconnect,
    SequenceId,
    #[serde(other)]
    Unknown,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(member) = map.next_key()? {
            let place = match member {
                Member::Type => &mut members.kind,
                Member::InvocationId => &mut members.invocation_id,
                Member::Target => &mut members.target,
                Member::Arguments => &mut members.arguments,
                Member::Item => &mut members.item,
                Member::Result => &mut members.result,
                Member::Error => &mut members.error,
                Member::AllowReconnect => &mut members.allow_reconnect,
                Member::SequenceId => &mut members.sequence_id,
                Member::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(members)
    }
}

impl<'a> Members<'a> {
    fn into_message(self) -> Result<Option<Message<'a>>, ProtocolError> {
        let kind = self.kind.ok_or(ProtocolError::Missing("type"))?;
        let kind: i64 = number(kind, "type")?;
        Ok(Some(match kind {
            1 => Message::Invocation(self.call(false)?),
            2 => Message::StreamItem { id: self.id()?, item: encoded(self.item, "item")? },
            3 => Message::Completion { id: self.id()?, ended: self.ended()? },
            4 => Message::StreamInvocation(self.call(true)?),
            5 => Message::CancelInvocation { id: self.id()? },
            6 => Message::Ping,
            7 => Message::Close {
                error: optional_text(self.error, "error")?,
                allow_reconnect: self.allow_reconnect.is_some_and(|raw| raw.get() == "true"),
            },
            8 => Message::Ack { sequence: self.sequence()? },
            9 => Message::Sequence { sequence: self.sequence()? },
            _ => return Ok(None),
        }))
    }

    fn call(&self, with_id: bool) -> Result<Call<'a>, ProtocolError> {
        let id = optional_text(self.invocation_id, "invocationId")?;
        if with_id && id.is_none() {
            return Err(ProtocolError::Missing("invocationId"));
        }
        let target = optional_text(self.target, "target")?.ok_or(ProtocolError::Missing("target"))?;
        let arguments = self.arguments.ok_or(ProtocolError::Missing("arguments"))?.get();
        if !arguments.starts_with('[') {
            return Err(ProtocolError::WrongType { member: "arguments", expected: "Array" });
        }
        Ok(Call { id, target, arguments: Cow::Borrowed(arguments.as_bytes()) })
    }

    fn ended(&self) -> Result<Ended<'a>, ProtocolError> {
        match (optional_text(self.error, "error")?, self.result) {
            (Some(_), Some(_)) => Err(ProtocolError::ErrorAndResult),
            (Some(error), None) => Ok(Ended::Error(error)),
            (None, Some(result)) => Ok(Ended::Result(Cow::Borrowed(result.get().as_bytes()))),
            (None, None) => Ok(Ended::Void),
        }
    }

    fn id(&self) -> Result<Cow<'a, str>, ProtocolError> {
        optional_text(self.invocation_id, "invocationId")?.ok_or(ProtocolError::Missing("invocationId"))
    }

    fn sequence(&self) -> Result<u64, ProtocolError> {
        number(self.sequence_id.ok_or(ProtocolError::Missing("sequenceId"))?, "sequenceId")
    }
}

fn encoded<'a>(raw: Option<&'a RawValue>, member: &'static str) -> Result<Cow<'a, [u8]>, ProtocolError> {
    raw.map(|raw| Cow::Borrowed(raw.get().as_bytes())).ok_or(ProtocolError::Missing(member))
}

/// A text, or none for null: some clients write null for what they do not have.
fn optional_text<'a>(raw: Option<&'a RawValue>, member: &'static str) -> Result<Option<Cow<'a, str>>, ProtocolError> {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else { return Ok(None) };
    let wrong = || ProtocolError::WrongType { member, expected: "String" };
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).ok_or_else(wrong)?;
    if inner.contains('\\') {
        return serde_json::from_str(raw).map(|text: String| Some(Cow::Owned(text))).map_err(|_| wrong());
    }
    Ok(Some(Cow::Borrowed(inner)))
}

fn number<T: std::str::FromStr>(raw: &RawValue, member: &'static str) -> Result<T, ProtocolError> {
    raw.get().parse().map_err(|_| ProtocolError::WrongType { member, expected: "Number" })
}
