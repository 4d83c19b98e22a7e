//! Record batches, version 2: how records lie in a partition's file, and how consumers get them, byte for byte.
//!
//! ```text
//!  0 base offset i64 · 8 length i32 (of what follows) · 12 leader epoch i32 · 16 magic 2 · 17 crc32c u32 of all after it
//! 21 attributes i16 · 23 last offset delta i32 · 27 first timestamp i64 · 35 max timestamp i64 · 43 producer id i64
//! 51 producer epoch i16 · 53 base sequence i32 · 57 number of records i32 · 61 records
//! ```
//!
//! Numbers are big-endian; within a record they are zigzag varints. Batches of ours are never compressed, never of a
//! transaction, and have no producer. Source: Kafka's documentation, "Message Format".

use bytes::Bytes;

/// Bytes of a batch before its records.
pub const HEAD_BYTES: usize = 61;
/// Bytes of a batch that its length does not count.
const UNCOUNTED_BYTES: usize = 12;
/// Where the bytes begin that the checksum covers.
const COVERED_AT: usize = 21;
/// The epoch of the leader of every partition: there is only ever this broker.
pub const LEADER_EPOCH: i32 = 0;
const MAGIC: u8 = 2;
/// No varint of 64 bits is longer.
const VARINT_BYTES_MAX: usize = 10;

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// Its headers.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// Collects records into a batch.
#[derive(Debug)]
pub struct BatchBuilder {
    base_offset: i64,
    bytes: Vec<u8>,
    count: i32,
    first_ms: i64,
    max_ms: i64,
    body: Vec<u8>,
}

impl BatchBuilder {
    /// A batch whose first record will have this offset.
    #[must_use]
    pub fn new(base_offset: i64) -> Self {
        Self { base_offset, bytes: vec![0; HEAD_BYTES], count: 0, first_ms: 0, max_ms: 0, body: Vec::new() }
    }

    /// Adds a record and gives its offset.
    pub fn push(&mut self, record: &NewRecord<'_>) -> i64 {
        if self.count == 0 {
            (self.first_ms, self.max_ms) = (record.timestamp_ms, record.timestamp_ms);
        }
        self.max_ms = self.max_ms.max(record.timestamp_ms);
        let body = &mut self.body;
        body.clear();
        // Attributes of a record; none are defined.
        body.push(0);
        put_varint(body, record.timestamp_ms.wrapping_sub(self.first_ms));
        put_varint(body, i64::from(self.count));
        put_bytes(body, record.key);
        put_bytes(body, record.value);
        put_varint(body, record.headers.len() as i64);
        for (name, value) in record.headers {
            put_bytes(body, name.as_bytes());
            put_bytes(body, value);
        }
        put_varint(&mut self.bytes, body.len() as i64);
        self.bytes.extend_from_slice(body);
        let offset = self.base_offset.saturating_add(i64::from(self.count));
        self.count = self.count.saturating_add(1);
        offset
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Records so far.
    #[must_use]
    pub fn count(&self) -> i32 {
        self.count
    }

    /// The offset that comes after the last record.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.count))
    }

    /// The batch, if there is a record in it; the builder goes on with the next.
    pub fn take(&mut self) -> Option<Bytes> {
        if self.count == 0 {
            return None;
        }
        let (next, count) = (self.next_offset(), self.count);
        let mut bytes = std::mem::replace(&mut self.bytes, vec![0; HEAD_BYTES]);
        // What is collected is limited to far less than the four bytes of a length can say.
        let length = (bytes.len() - UNCOUNTED_BYTES) as i32;
        put(&mut bytes, 0, &self.base_offset.to_be_bytes());
        put(&mut bytes, 8, &length.to_be_bytes());
        put(&mut bytes, 12, &LEADER_EPOCH.to_be_bytes());
        put(&mut bytes, 16, &[MAGIC]);
        put(&mut bytes, 23, &(count - 1).to_be_bytes());
        put(&mut bytes, 27, &self.first_ms.to_be_bytes());
        put(&mut bytes, 35, &self.max_ms.to_be_bytes());
        // No producer: its id, epoch and sequence are -1.
        put(&mut bytes, 43, &[0xff; 14]);
        put(&mut bytes, 57, &count.to_be_bytes());
        let crc = crc32c::crc32c(bytes.get(COVERED_AT..).unwrap_or_default());
        put(&mut bytes, 17, &crc.to_be_bytes());
        (self.base_offset, self.count) = (next, 0);
        Some(Bytes::from(bytes))
    }
}

/// What stands before the records of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHead {
    /// The offset of its first record.
    pub base_offset: i64,
    /// Bytes of the whole batch.
    pub bytes: usize,
    /// How many records it has.
    pub count: i32,
    /// The offset after its last record.
    pub next_offset: i64,
    /// The time of its first record, milliseconds since the Unix epoch.
    pub first_ms: i64,
    /// The time of its newest record.
    pub max_ms: i64,
    crc: u32,
}

impl BatchHead {
    /// Reads the head of a batch that begins here; the rest of it need not be there. The checksum is not looked at.
    ///
    /// # Errors
    /// [`BatchError::Short`] where the head is not all there, [`BatchError::Form`] where it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let head: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or(BatchError::Short)?;
        let i64_at = |at| array(head, at).map(i64::from_be_bytes).ok_or(BatchError::Short);
        let i32_at = |at| array(head, at).map(i32::from_be_bytes).ok_or(BatchError::Short);
        let (base_offset, length, last_delta, count) = (i64_at(0)?, i32_at(8)?, i32_at(23)?, i32_at(57)?);
        let length = usize::try_from(length).map_err(|_| BatchError::Form)?;
        let is_sound = head.get(16) == Some(&MAGIC)
            && length >= HEAD_BYTES - UNCOUNTED_BYTES
            && base_offset >= 0
            && count > 0
            && last_delta >= count - 1;
        if !is_sound {
            return Err(BatchError::Form);
        }
        Ok(Self {
            base_offset,
            bytes: length + UNCOUNTED_BYTES,
            count,
            next_offset: base_offset.saturating_add(i64::from(last_delta)).saturating_add(1),
            first_ms: i64_at(27)?,
            max_ms: i64_at(35)?,
            crc: array(head, 17).map(u32::from_be_bytes).ok_or(BatchError::Short)?,
        })
    }

    /// Whether these bytes, which must be exactly the batch, are as they were written.
    ///
    /// # Errors
    /// [`BatchError::Short`] where they are not all there, [`BatchError::Checksum`] where they are others.
    pub fn check(&self, batch: &[u8]) -> Result<(), BatchError> {
        let covered = batch.get(COVERED_AT..self.bytes).ok_or(BatchError::Short)?;
        if crc32c::crc32c(covered) == self.crc { Ok(()) } else { Err(BatchError::Checksum) }
    }
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Vec<(String, Bytes)>,
}

impl Record {
    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value)
    }
}

/// The records of one whole batch, which is not compressed. They share its memory.
///
/// # Errors
/// [`BatchError`] where it is not whole or not as it was written.
pub fn records(batch: &Bytes) -> Result<Records, BatchError> {
    let head = BatchHead::decode(batch)?;
    head.check(batch)?;
    if array::<2>(batch, 21).is_none_or(|attributes| attributes.last().is_none_or(|low| low & 0b111 != 0)) {
        return Err(BatchError::Compressed);
    }
    Ok(Records { left: batch.slice(HEAD_BYTES..head.bytes), head, next: 0 })
}

/// Walks the records of a batch.
#[derive(Debug)]
pub struct Records {
    left: Bytes,
    head: BatchHead,
    next: i32,
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.head.count {
            return None;
        }
        self.next += 1;
        let record = self.read();
        if record.is_none() {
            self.next = self.head.count;
        }
        Some(record.ok_or(BatchError::Form))
    }
}

impl Records {
    fn read(&mut self) -> Option<Record> {
        let length = usize::try_from(varint(&mut self.left)?).ok()?;
        let mut body = take(&mut self.left, length)?;
        // Attributes.
        take(&mut body, 1)?;
        let timestamp_ms = self.head.first_ms.wrapping_add(varint(&mut body)?);
        let offset = self.head.base_offset.checked_add(varint(&mut body)?)?;
        let (key, value) = (nullable(&mut body)?, nullable(&mut body)?);
        let mut headers = Vec::new();
        for _ in 0..varint(&mut body)? {
            let name = String::from_utf8(nullable(&mut body)??.to_vec()).ok()?;
            headers.push((name, nullable(&mut body)?.unwrap_or_default()));
        }
        Some(Record { offset, timestamp_ms, key, value, headers })
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn varint(from: &mut Bytes) -> Option<i64> {
    let mut value = 0u64;
    for at in 0..VARINT_BYTES_MAX {
        let byte = *from.get(at)?;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            take(from, at + 1)?;
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

/// Bytes behind their length; a length of -1 stands for no bytes at all.
fn nullable(from: &mut Bytes) -> Option<Option<Bytes>> {
    match varint(from)? {
        -1 => Some(None),
        length => take(from, usize::try_from(length).ok()?).map(Some),
    }
}

fn take(from: &mut Bytes, bytes: usize) -> Option<Bytes> {
    (bytes <= from.len()).then(|| from.split_to(bytes))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Why bytes are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// They end too early.
    #[error("the bytes end before the record batch does")]
    Short,
    /// They are something else.
    #[error("the bytes are no record batch of version 2")]
    Form,
    /// They are not as they were written.
    #[error("the checksum of the record batch is wrong")]
    Checksum,
    /// The records are compressed, which ours never are.
    #[error("the records of the batch are compressed; right would be uncompressed ones")]
    Compressed,
}

#[cfg(test)]
mod tests {
    use kafka_protocol::records::RecordBatchDecoder;
    use proptest::prelude::*;

    use super::*;

    type Drawn = (i64, Vec<u8>, Vec<u8>, Vec<(String, Vec<u8>)>);

    fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
        let header = ("[a-z]{0,6}", prop::collection::vec(any::<u8>(), 0..20));
        let bytes = || prop::collection::vec(any::<u8>(), 0..300);
        let record = (0i64..2_000_000_000_000, bytes(), bytes(), prop::collection::vec(header, 0..4));
        prop::collection::vec(record, 1..40)
    }

    fn build(base: i64, drawn: &[Drawn]) -> Bytes {
        let mut builder = BatchBuilder::new(base);
        for (at, (timestamp_ms, key, value, headers)) in drawn.iter().enumerate() {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let record = NewRecord { timestamp_ms: *timestamp_ms, key, value, headers: &headers };
            assert_eq!(builder.push(&record), base + at as i64);
        }
        builder.take().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_by_us_and_by_others(base in 0i64..1 << 60, drawn in drawn()) {
            let batch = build(base, &drawn);
            let head = BatchHead::decode(&batch).unwrap();
            prop_assert_eq!(head.bytes, batch.len());
            prop_assert_eq!((head.base_offset, head.count), (base, drawn.len() as i32));
            prop_assert_eq!(head.next_offset, base + drawn.len() as i64);
            prop_assert_eq!(head.max_ms, drawn.iter().map(|it| it.0).max().unwrap());
            let ours: Vec<_> = records(&batch).unwrap().map(Result::unwrap).collect();
            let theirs = RecordBatchDecoder::decode(&mut batch.clone()).unwrap().records;
            prop_assert_eq!(ours.len(), drawn.len());
            prop_assert_eq!(theirs.len(), drawn.len());
            for (at, (timestamp_ms, key, value, headers)) in drawn.iter().enumerate() {
                prop_assert_eq!(ours[at].offset, base + at as i64);
                prop_assert_eq!((ours[at].timestamp_ms, theirs[at].timestamp), (*timestamp_ms, *timestamp_ms));
                prop_assert_eq!(theirs[at].offset, base + at as i64);
                prop_assert_eq!((ours[at].key.as_deref(), theirs[at].key.as_deref()), (Some(&**key), Some(&**key)));
                prop_assert_eq!((ours[at].value.as_deref(), theirs[at].value.as_deref()), (Some(&**value), Some(&**value)));
                prop_assert_eq!(ours[at].headers.len(), headers.len());
                for ((name, value), own) in headers.iter().zip(&ours[at].headers) {
                    prop_assert_eq!((name, &**value), (&own.0, &*own.1));
                }
            }
        }

        #[test]
        fn changed_bytes_are_never_a_good_batch_and_never_a_panic(drawn in drawn(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let batch = build(7, &drawn);
            let mut changed = batch.to_vec();
            // The base offset and the leader's epoch are not covered: a broker writes them last.
            let at = 16 + at.index(changed.len() - 16);
            changed[at] ^= 1 << bit;
            let read: Result<Vec<_>, _> = records(&Bytes::from(changed)).and_then(Iterator::collect);
            prop_assert!(read.is_err());
        }
    }

    #[test]
    fn a_builder_goes_on_after_a_batch() {
        let record = NewRecord { timestamp_ms: 5, key: b"k", value: b"v", headers: &[] };
        let mut builder = BatchBuilder::new(3);
        assert!(builder.take().is_none());
        builder.push(&record);
        let first = builder.take().unwrap();
        assert_eq!(builder.push(&record), 4);
        let second = builder.take().unwrap();
        assert_eq!(BatchHead::decode(&first).unwrap().next_offset, BatchHead::decode(&second).unwrap().base_offset);
    }

    #[test]
    fn half_a_batch_is_none() {
        let batch = build(0, &[(1, vec![1; 50], vec![2; 50], Vec::new())]);
        assert_eq!(BatchHead::decode(&batch[..60]), Err(BatchError::Short));
        assert_eq!(records(&batch.slice(..batch.len() - 1)).err(), Some(BatchError::Short));
    }
}
