//! The MessagePack form: one array a message, after its length.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use self::reader::{Item, Reader};
use self::writer::{push_bool, push_map, push_nil};
use crate::codec::{Cut, Unreadable};
use crate::error::ProtocolError;
use crate::message::{Call, Ended, Message};
use crate::transcode::transcode;

pub(crate) use self::writer::{Header, push_array, push_f64, push_int, push_str, push_unsigned};

mod reader;
mod writer;

/// The longest length prefix, in bytes: 31 bits in groups of seven.
const PREFIX_BYTES_MAX: usize = 5;
/// How deep values are read that somebody hands over without having gone through [`read`].
const VALUE_DEPTH_MAX: usize = 128;

const KIND_ERROR: u64 = 1;
const KIND_VOID: u64 = 2;
const KIND_RESULT: u64 = 3;

/// Cuts the first message off. A length beyond the limit is refused before any of it has come.
pub(crate) fn cut(bytes: &[u8], message_bytes_max: usize) -> Result<Cut<'_>, ProtocolError> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().take(PREFIX_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 != 0 {
            continue;
        }
        if length > message_bytes_max {
            return Err(ProtocolError::TooLong { max: message_bytes_max });
        }
        let used = index + 1 + length;
        let whole = bytes.get(index + 1..used).map(|body| Cut::Whole { body, used });
        return Ok(whole.unwrap_or(Cut::Partial));
    }
    if bytes.len() < PREFIX_BYTES_MAX {
        return Ok(Cut::Partial);
    }
    Err(ProtocolError::MessagePack("a length has at most five bytes"))
}

/// Reads a message. Surplus elements at its end are skipped.
pub(crate) fn read(body: &[u8], depth_max: usize) -> Result<Option<Message<'_>>, ProtocolError> {
    let mut fields = Fields { reader: Reader::new(body), left: 0, depth_max };
    fields.left = match fields.reader.next()? {
        Item::Array(length) => length,
        Item::Nil
        | Item::Bool(_)
        | Item::Unsigned(_)
        | Item::Signed(_)
        | Item::Float(_)
        | Item::Text(_)
        | Item::Binary(_)
        | Item::Map(_)
        | Item::Extension => return Err(ProtocolError::MessagePack("a message is an array")),
    };
    let message = match fields.unsigned("type")? {
        1 => Message::Invocation(fields.call(false)?),
        2 => {
            fields.skip("headers")?;
            Message::StreamItem { id: fields.text("invocationId")?, item: fields.encoded("item")? }
        }
        3 => {
            fields.skip("headers")?;
            Message::Completion { id: fields.text("invocationId")?, ended: fields.ended()? }
        }
        4 => Message::StreamInvocation(fields.call(true)?),
        5 => {
            fields.skip("headers")?;
            Message::CancelInvocation { id: fields.text("invocationId")? }
        }
        6 => Message::Ping,
        7 => Message::Close {
            error: fields.optional_text("error")?,
            allow_reconnect: fields.left > 0 && fields.bool("allowReconnect")?,
        },
        8 => Message::Ack { sequence: fields.unsigned("sequenceId")? },
        9 => Message::Sequence { sequence: fields.unsigned("sequenceId")? },
        _ => return Ok(None),
    };
    Ok(Some(message))
}

/// Writes a message after its length.
pub(crate) fn write(message: &Message<'_>) -> Vec<u8> {
    let mut body = Vec::with_capacity(64);
    match message {
        Message::Invocation(call) => write_call(&mut body, 1, call),
        Message::StreamItem { id, item } => {
            begin(&mut body, 4, 2, Some(id));
            body.extend_from_slice(item);
        }
        Message::Completion { id, ended } => {
            begin(&mut body, if *ended == Ended::Void { 4 } else { 5 }, 3, Some(id));
            match ended {
                Ended::Error(error) => {
                    push_unsigned(&mut body, KIND_ERROR);
                    push_str(&mut body, error);
                }
                Ended::Void => push_unsigned(&mut body, KIND_VOID),
                Ended::Result(result) => {
                    push_unsigned(&mut body, KIND_RESULT);
                    body.extend_from_slice(result);
                }
            }
        }
        Message::StreamInvocation(call) => write_call(&mut body, 4, call),
        Message::CancelInvocation { id } => begin(&mut body, 3, 5, Some(id)),
        Message::Ping => begin(&mut body, 1, 6, None),
        Message::Close { error, allow_reconnect } => {
            begin(&mut body, 3, 7, None);
            match error {
                Some(error) => push_str(&mut body, error),
                None => push_nil(&mut body),
            }
            push_bool(&mut body, *allow_reconnect);
        }
        Message::Ack { sequence } => {
            begin(&mut body, 2, 8, None);
            push_unsigned(&mut body, *sequence);
        }
        Message::Sequence { sequence } => {
            begin(&mut body, 2, 9, None);
            push_unsigned(&mut body, *sequence);
        }
    }
    framed(&body)
}

/// Encodes a value.
pub(crate) fn encode_value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let written = transcode(value, &mut out);
    debug_assert!(written.is_ok(), "a value is well-formed");
    out
}

/// Reads an encoded value.
pub(crate) fn read_value(encoded: &[u8]) -> Result<Value, Unreadable> {
    let mut reader = Reader::new(encoded);
    let value = value(&mut reader, VALUE_DEPTH_MAX)?;
    if !reader.is_empty() {
        return Err(Unreadable("there is more than one value".into()));
    }
    Ok(value)
}

fn value(reader: &mut Reader<'_>, depth_left: usize) -> Result<Value, Unreadable> {
    let Some(depth_left) = depth_left.checked_sub(1) else { return Err(Unreadable("nested too deep".into())) };
    Ok(match reader.next()? {
        Item::Nil => Value::Null,
        Item::Bool(value) => value.into(),
        Item::Unsigned(value) => value.into(),
        Item::Signed(value) => value.into(),
        Item::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Item::Text(bytes) => text(bytes)?.into(),
        Item::Binary(bytes) => STANDARD.encode(bytes).into(),
        Item::Array(length) => {
            // Grows with what is really there: the length is only what somebody claims.
            let mut values = Vec::new();
            for _ in 0..length {
                values.push(value(reader, depth_left)?);
            }
            Value::Array(values)
        }
        Item::Map(length) => {
            let mut members = Map::new();
            for _ in 0..length {
                let Value::String(key) = value(reader, depth_left)? else {
                    return Err(Unreadable("keys are text".into()));
                };
                members.insert(key, value(reader, depth_left)?);
            }
            Value::Object(members)
        }
        Item::Extension => return Err(Unreadable("extension types have no meaning here".into())),
    })
}

fn text(bytes: &[u8]) -> Result<&str, ProtocolError> {
    std::str::from_utf8(bytes).map_err(|_| ProtocolError::MessagePack("text is not UTF-8"))
}

impl From<ProtocolError> for Unreadable {
    fn from(error: ProtocolError) -> Self {
        Unreadable(error.to_string())
    }
}

fn write_call(body: &mut Vec<u8>, kind: u64, call: &Call<'_>) {
    body.reserve(call.target.len() + call.arguments.len());
    push_array(body, 6);
    push_unsigned(body, kind);
    push_map(body, 0);
    match &call.id {
        Some(id) => push_str(body, id),
        None => push_nil(body),
    }
    push_str(body, &call.target);
    body.extend_from_slice(&call.arguments);
    push_array(body, 0);
}

/// Begins a message with `fields` elements; those with an id have headers too, which are always empty.
fn begin(body: &mut Vec<u8>, fields: usize, kind: u64, id: Option<&str>) {
    push_array(body, fields);
    push_unsigned(body, kind);
    if let Some(id) = id {
        push_map(body, 0);
        push_str(body, id);
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + PREFIX_BYTES_MAX);
    let mut left = body.len();
    loop {
        let group = u8::try_from(left & 0x7f).unwrap_or_default();
        left >>= 7;
        out.push(if left > 0 { group | 0x80 } else { group });
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

/// The elements of a message, one after the other.
struct Fields<'a> {
    reader: Reader<'a>,
    left: u32,
    depth_max: usize,
}

impl<'a> Fields<'a> {
    fn call(&mut self, with_id: bool) -> Result<Call<'a>, ProtocolError> {
        self.skip("headers")?;
        let id = self.optional_text("invocationId")?;
        if with_id && id.is_none() {
            return Err(ProtocolError::Missing("invocationId"));
        }
        let target = self.text("target")?;
        let arguments = self.encoded("arguments")?;
        match Reader::new(&arguments).next()? {
            Item::Array(_) => Ok(Call { id, target, arguments }),
            Item::Nil
            | Item::Bool(_)
            | Item::Unsigned(_)
            | Item::Signed(_)
            | Item::Float(_)
            | Item::Text(_)
            | Item::Binary(_)
            | Item::Map(_)
            | Item::Extension => Err(ProtocolError::WrongType { member: "arguments", expected: "Array" }),
        }
    }

    fn ended(&mut self) -> Result<Ended<'a>, ProtocolError> {
        match self.unsigned("resultKind")? {
            KIND_ERROR => Ok(Ended::Error(self.text("error")?)),
            KIND_VOID => Ok(Ended::Void),
            KIND_RESULT => Ok(Ended::Result(self.encoded("result")?)),
            _ => Err(ProtocolError::MessagePack("a completion is of kind 1, 2 or 3")),
        }
    }

    fn text(&mut self, member: &'static str) -> Result<Cow<'a, str>, ProtocolError> {
        self.optional_text(member)?.ok_or(ProtocolError::WrongType { member, expected: "String" })
    }

    fn optional_text(&mut self, member: &'static str) -> Result<Option<Cow<'a, str>>, ProtocolError> {
        match self.take(member)? {
            Item::Nil => Ok(None),
            Item::Text(bytes) => Ok(Some(Cow::Borrowed(text(bytes)?))),
            Item::Bool(_)
            | Item::Unsigned(_)
            | Item::Signed(_)
            | Item::Float(_)
            | Item::Binary(_)
            | Item::Array(_)
            | Item::Map(_)
            | Item::Extension => Err(ProtocolError::WrongType { member, expected: "String" }),
        }
    }

    fn unsigned(&mut self, member: &'static str) -> Result<u64, ProtocolError> {
        match self.take(member)? {
            Item::Unsigned(value) => Ok(value),
            Item::Nil
            | Item::Bool(_)
            | Item::Signed(_)
            | Item::Float(_)
            | Item::Text(_)
            | Item::Binary(_)
            | Item::Array(_)
            | Item::Map(_)
            | Item::Extension => Err(ProtocolError::WrongType { member, expected: "Number" }),
        }
    }

    fn bool(&mut self, member: &'static str) -> Result<bool, ProtocolError> {
        match self.take(member)? {
            Item::Bool(value) => Ok(value),
            Item::Nil
            | Item::Unsigned(_)
            | Item::Signed(_)
            | Item::Float(_)
            | Item::Text(_)
            | Item::Binary(_)
            | Item::Array(_)
            | Item::Map(_)
            | Item::Extension => Err(ProtocolError::WrongType { member, expected: "Boolean" }),
        }
    }

    fn encoded(&mut self, member: &'static str) -> Result<Cow<'a, [u8]>, ProtocolError> {
        self.count(member)?;
        Ok(Cow::Borrowed(self.reader.skip(self.depth_max)?))
    }

    fn skip(&mut self, member: &'static str) -> Result<(), ProtocolError> {
        self.encoded(member).map(|_| ())
    }

    fn take(&mut self, member: &'static str) -> Result<Item<'a>, ProtocolError> {
        self.count(member)?;
        self.reader.next()
    }

    fn count(&mut self, member: &'static str) -> Result<(), ProtocolError> {
        self.left = self.left.checked_sub(1).ok_or(ProtocolError::Missing(member))?;
        Ok(())
    }
}
