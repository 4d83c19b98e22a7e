//! Answers as bytes, each with its length in front.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchResponse, FetchableTopicResponse, PartitionData};
use kafka_protocol::protocol::{Encodable, HeaderVersion};

use crate::frame::LENGTH_BYTES;

/// Bytes of the mark that an answer has of its request.
const CORRELATION_BYTES: usize = 4;
/// The first version of a fetch that is flexible.
const FETCH_FLEXIBLE: i16 = 12;

/// An answer as bytes, with its length and its head in front.
///
/// # Errors
/// [`AnswerError`] where a field is set that this version does not have, or something is too long for its length.
pub fn encode<A: Encodable + HeaderVersion>(
    correlation_id: i32,
    version: i16,
    answer: &A,
) -> Result<Bytes, AnswerError> {
    let wrong = |error: &dyn std::fmt::Display| AnswerError(error.to_string());
    let size = answer.compute_size(version).map_err(|error| wrong(&error))?;
    let tags = usize::from(A::header_version(version) > 0);
    let mut out = BytesMut::with_capacity(LENGTH_BYTES + CORRELATION_BYTES + tags + size);
    out.put_i32(length(CORRELATION_BYTES + tags + size)?);
    out.put_i32(correlation_id);
    out.put_bytes(0, tags);
    answer.encode(&mut out, version).map_err(|error| wrong(&error))?;
    Ok(out.freeze())
}

/// The answer to a fetch as parts, one after the other: the records in it are not copied.
///
/// # Errors
/// [`AnswerError`] where something is too long for its length.
pub fn encode_fetch(correlation_id: i32, version: i16, answer: &FetchResponse) -> Result<Vec<Bytes>, AnswerError> {
    let is_flexible = version >= FETCH_FLEXIBLE;
    let mut out = Parts { done: vec![Bytes::new()], now: BytesMut::new(), is_flexible };
    out.now.put_i32(correlation_id);
    out.tags();
    out.now.put_i32(answer.throttle_time_ms);
    if version >= 7 {
        out.now.put_i16(answer.error_code);
        out.now.put_i32(answer.session_id);
    }
    out.count(answer.responses.len())?;
    for topic in &answer.responses {
        out.topic(version, topic)?;
    }
    out.tags();
    out.finish()
}

struct Parts {
    done: Vec<Bytes>,
    now: BytesMut,
    is_flexible: bool,
}

impl Parts {
    fn topic(&mut self, version: i16, topic: &FetchableTopicResponse) -> Result<(), AnswerError> {
        let name = topic.topic.as_bytes();
        if self.is_flexible {
            self.compact(name.len())?;
        } else {
            self.now.put_i16(i16::try_from(name.len()).map_err(|_| too_long(name.len()))?);
        }
        self.now.put_slice(name);
        self.count(topic.partitions.len())?;
        for partition in &topic.partitions {
            self.partition(version, partition)?;
        }
        self.tags();
        Ok(())
    }

    fn partition(&mut self, version: i16, partition: &PartitionData) -> Result<(), AnswerError> {
        self.now.put_i32(partition.partition_index);
        self.now.put_i16(partition.error_code);
        self.now.put_i64(partition.high_watermark);
        self.now.put_i64(partition.last_stable_offset);
        if version >= 5 {
            self.now.put_i64(partition.log_start_offset);
        }
        // No transaction was ever given up: there are none.
        if self.is_flexible {
            self.now.put_u8(0);
        } else {
            self.now.put_i32(-1);
        }
        if version >= 11 {
            self.now.put_i32(partition.preferred_read_replica.0);
        }
        let records = partition.records.clone().unwrap_or_default();
        if self.is_flexible {
            self.compact(records.len())?;
        } else {
            self.now.put_i32(length(records.len())?);
        }
        if !records.is_empty() {
            self.done.push(self.now.split().freeze());
            self.done.push(records);
        }
        self.tags();
        Ok(())
    }

    fn count(&mut self, count: usize) -> Result<(), AnswerError> {
        if self.is_flexible {
            return self.compact(count);
        }
        self.now.put_i32(length(count)?);
        Ok(())
    }

    /// A length in the form of flexible versions: one more, as a varint.
    fn compact(&mut self, count: usize) -> Result<(), AnswerError> {
        let mut rest = length(count)?.cast_unsigned() + 1;
        while rest >= 0x80 {
            self.now.put_u8((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.now.put_u8(rest as u8);
        Ok(())
    }

    /// No tagged fields, where there could be some.
    fn tags(&mut self) {
        if self.is_flexible {
            self.now.put_u8(0);
        }
    }

    /// Puts the length in front.
    fn finish(mut self) -> Result<Vec<Bytes>, AnswerError> {
        self.done.push(self.now.freeze());
        let bytes = self.done.iter().map(Bytes::len).sum();
        if let Some(first) = self.done.first_mut() {
            *first = Bytes::copy_from_slice(&length(bytes)?.to_be_bytes());
        }
        Ok(self.done)
    }
}

fn length(bytes: usize) -> Result<i32, AnswerError> {
    i32::try_from(bytes).map_err(|_| too_long(bytes))
}

fn too_long(bytes: usize) -> AnswerError {
    AnswerError(format!("{bytes} bytes are too many for their length"))
}

/// Why an answer cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer cannot be encoded: {0}")]
pub struct AnswerError(String);
