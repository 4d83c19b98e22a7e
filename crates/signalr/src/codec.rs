//! Messages to bytes and back, the same for both sides of a connection.

use bytes::Bytes;
use serde_json::Value;

use crate::error::ProtocolError;
use crate::message::{Call, Message};
use crate::protocol::Protocol;
use crate::transcode::transcode;
use crate::{json, messagepack};

/// What the beginning of a stream of bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'a> {
    /// One whole message.
    Whole {
        /// The message without its framing.
        body: &'a [u8],
        /// How many bytes it took with it.
        used: usize,
    },
    /// The rest of the message has yet to come.
    Partial,
}

/// What an application said and cannot be read as values: an answer to that one message, not the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not readable as values: {0}")]
pub struct Unreadable(pub(crate) String);

/// Cuts the first message off a stream of bytes.
pub fn cut(protocol: Protocol, bytes: &[u8], message_bytes_max: usize) -> Result<Cut<'_>, ProtocolError> {
    match protocol {
        Protocol::Json => json::cut(bytes, message_bytes_max),
        Protocol::MessagePack => messagepack::cut(bytes, message_bytes_max),
    }
}

/// Reads a message from what [`cut`] returned. None: a type nobody knows, to be skipped.
pub fn read(protocol: Protocol, body: &[u8], depth_max: usize) -> Result<Option<Message<'_>>, ProtocolError> {
    match protocol {
        Protocol::Json => json::read(body, depth_max),
        Protocol::MessagePack => messagepack::read(body, depth_max),
    }
}

/// Writes a message with its framing.
pub fn write(protocol: Protocol, message: &Message<'_>) -> Vec<u8> {
    match protocol {
        Protocol::Json => json::write(message),
        Protocol::MessagePack => messagepack::write(message),
    }
}

/// Reads the arguments of a [`Call`].
pub fn read_arguments(protocol: Protocol, encoded: &[u8]) -> Result<Vec<Value>, Unreadable> {
    match read_value(protocol, encoded)? {
        Value::Array(values) => Ok(values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Err(Unreadable("arguments are an array".into()))
        }
    }
}

/// Reads one encoded value: binary becomes Base64, a number that is none becomes null.
pub fn read_value(protocol: Protocol, encoded: &[u8]) -> Result<Value, Unreadable> {
    match protocol {
        Protocol::Json => serde_json::from_slice(encoded).map_err(|error| Unreadable(error.to_string())),
        Protocol::MessagePack => messagepack::read_value(encoded),
    }
}

/// Encodes a value: an array of arguments, a result, an item.
pub fn encode_value(protocol: Protocol, value: &Value) -> Vec<u8> {
    match protocol {
        Protocol::Json => value.to_string().into_bytes(),
        Protocol::MessagePack => messagepack::encode_value(value),
    }
}

/// Encodes a call of the client's method `target` that wants no answer, once for all who speak `protocol`. Each argument
/// is JSON text; the error is about text that is not.
pub fn encode_invocation(protocol: Protocol, target: &str, arguments: &[&str]) -> Result<Bytes, serde_json::Error> {
    let length = arguments.iter().map(|argument| argument.len() + 1).sum::<usize>() + 5;
    let mut encoded = Vec::with_capacity(length);
    match protocol {
        Protocol::Json => {
            encoded.push(b'[');
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    encoded.push(b',');
                }
                encoded.extend_from_slice(argument.as_bytes());
            }
            encoded.push(b']');
        }
        Protocol::MessagePack => {
            messagepack::push_array(&mut encoded, arguments.len());
            for argument in arguments {
                let mut json = serde_json::Deserializer::from_str(argument);
                transcode(&mut json, &mut encoded)?;
                json.end()?;
            }
        }
    }
    let call = Call { id: None, target: target.into(), arguments: encoded.into() };
    Ok(write(protocol, &Message::Invocation(call)).into())
}
