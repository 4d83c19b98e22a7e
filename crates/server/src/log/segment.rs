//! The bytes of a segment file: a header, then frames. All numbers are little-endian.
//!
//! ```text
//! header   0 magic "CORDLOG\n" · 8 version u32 · 12 epoch u32 · 16 first sequence u64 · 24 zero u32
//!         28 crc32c of 0..28
//! frame    0 crc32c of the epoch and of 4..end · 4 payload length u32 · 8 sequence u64
//!         16 time u64 (us since 1970) · 24 group_back u32 · 28 kind u32 · 32 payload
//! ```
//!
//! `group_back` says how many records of the same group (one write, one fdatasync) come before this one. A group is
//! written only after the sync of the one before it succeeded, so every frame *proves that everything before its group
//! was durable*. That is how recovery tells a torn last write (may be cut) from damage to acknowledged records (must be
//! refused), also when the disk kept later sectors of the last write and lost earlier ones.
//!
//! Frames of kind `mark` and `seal` have no payload and take no sequence: they carry the sequence that comes next. A
//! mark ends a log that was closed in peace; a seal ends a segment that has a successor, so a lost last segment is
//! noticed.

use std::path::{Path, PathBuf};

use super::Position;

/// First eight bytes of a segment file.
pub(crate) const MAGIC: [u8; 8] = *b"CORDLOG\n";
/// The version this program writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the file header.
pub(crate) const HEADER_BYTES: usize = 32;
/// Bytes of a frame before its payload.
pub(crate) const FRAME_BYTES: usize = 32;
/// No payload of this format is longer. The configured `record_bytes_max` may be lower, and may change between runs.
pub(crate) const RECORD_BYTES_LIMIT: u32 = 16 * 1024 * 1024;
/// How file names of segments end.
pub(crate) const SEGMENT_SUFFIX: &str = ".segment";
/// How names of files under construction end; such files are removed when a log is opened.
pub(crate) const TEMPORARY_SUFFIX: &str = ".tmp";

/// What a segment file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) epoch: u32,
    pub(crate) first: u64,
}

impl Header {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&0u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Header, HeaderError> {
        let header = bytes.get(..HEADER_BYTES).ok_or(HeaderError::Short)?;
        if !header.starts_with(&MAGIC) {
            return Err(HeaderError::Magic);
        }
        let (covered, crc) = header.split_at(HEADER_BYTES - 4);
        let version = u32_at(header, 8).unwrap_or_default();
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        if u32_at(crc, 0) != Some(crc32c::crc32c(covered)) {
            return Err(HeaderError::Checksum);
        }
        match (u32_at(header, 12), u64_at(header, 16)) {
            (Some(epoch), Some(first)) if first > 0 => Ok(Header { epoch, first }),
            _ => Err(HeaderError::Checksum),
        }
    }
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record of the caller.
    Record,
    /// The log was closed in peace here.
    Mark,
    /// The segment ends here and another follows.
    Seal,
}

impl Kind {
    fn code(self) -> u32 {
        match self {
            Kind::Record => 0,
            Kind::Mark => 1,
            Kind::Seal => 2,
        }
    }

    fn from_code(code: u32) -> Option<Kind> {
        [Kind::Record, Kind::Mark, Kind::Seal].into_iter().find(|kind| kind.code() == code)
    }
}

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) crc: u32,
    pub(crate) length: u32,
    pub(crate) sequence: u64,
    pub(crate) at_us: u64,
    pub(crate) group_back: u32,
    pub(crate) kind: Kind,
}

impl FrameHead {
    /// Reads the fixed part; `None` when the bytes cannot be one (too short, impossible length or kind).
    pub(crate) fn decode(bytes: &[u8]) -> Option<FrameHead> {
        let head = FrameHead {
            crc: u32_at(bytes, 0)?,
            length: u32_at(bytes, 4)?,
            sequence: u64_at(bytes, 8)?,
            at_us: u64_at(bytes, 16)?,
            group_back: u32_at(bytes, 24)?,
            kind: Kind::from_code(u32_at(bytes, 28)?)?,
        };
        let length_fits = match head.kind {
            Kind::Record => head.length <= RECORD_BYTES_LIMIT,
            Kind::Mark | Kind::Seal => head.length == 0 && head.group_back == 0,
        };
        (length_fits && head.sequence > u64::from(head.group_back)).then_some(head)
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        FRAME_BYTES + self.length as usize
    }

    /// The first sequence of the group: all records before it were durable when this frame was written.
    pub(crate) fn group_first(&self) -> u64 {
        self.sequence - u64::from(self.group_back)
    }

    /// Whether `frame`, which must be exactly the frame, has the checksum its head claims.
    pub(crate) fn checks(&self, salt: u32, frame: &[u8]) -> bool {
        frame.len() == self.frame_bytes()
            && frame.get(4..).is_some_and(|covered| crc32c::crc32c_append(salt, covered) == self.crc)
    }
}

/// What goes into a frame besides its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameFields {
    pub(crate) sequence: u64,
    pub(crate) at_us: u64,
    pub(crate) group_back: u32,
    pub(crate) kind: Kind,
}

/// Appends a frame to `out`. The caller has checked the payload's length.
pub(crate) fn encode_frame(out: &mut Vec<u8>, salt: u32, fields: FrameFields, payload: &[u8]) {
    let start = out.len();
    out.reserve(FRAME_BYTES + payload.len());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&fields.sequence.to_le_bytes());
    out.extend_from_slice(&fields.at_us.to_le_bytes());
    out.extend_from_slice(&fields.group_back.to_le_bytes());
    out.extend_from_slice(&fields.kind.code().to_le_bytes());
    out.extend_from_slice(payload);
    let crc = crc32c::crc32c_append(salt, out.get(start + 4..).unwrap_or_default());
    if let Some(place) = out.get_mut(start..).and_then(|frame| frame.first_chunk_mut()) {
        *place = crc.to_le_bytes();
    }
}

/// The checksum's start value: frames of another epoch never pass.
pub(crate) fn salt(epoch: u32) -> u32 {
    crc32c::crc32c(&epoch.to_le_bytes())
}

/// The file of the segment that begins with `first`.
pub(crate) fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}{SEGMENT_SUFFIX}"))
}

/// The first sequence a segment's file name claims.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The file of a snapshot taken at `position`.
pub(crate) fn snapshot_path(dir: &Path, position: Position) -> PathBuf {
    dir.join(format!("{:020}.{}.snapshot", position.sequence, position.epoch))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Why a segment's header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The file ends inside the header.
    #[error("the file is shorter than a segment header (32 bytes)")]
    Short,
    /// The file does not begin as a segment does.
    #[error("the file does not begin with \"CORDLOG\"")]
    Magic,
    /// Written by another version of the format.
    #[error("the format version is {0}; this program reads version 1")]
    Version(u32),
    /// The header's bytes were changed.
    #[error("the header's checksum is wrong")]
    Checksum,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let header = Header { epoch: 7, first: 42 };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(Header::decode(&bytes), Ok(header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {bit}");
        }
        assert_eq!(Header::decode(&bytes[..31]), Err(HeaderError::Short));
    }

    #[test]
    fn a_frame_reads_back_and_every_flipped_bit_is_noticed() {
        let mut bytes = Vec::new();
        let fields = FrameFields { sequence: 9, at_us: 1_700_000_000_000_000, group_back: 3, kind: Kind::Record };
        encode_frame(&mut bytes, salt(5), fields, b"payload");
        let head = FrameHead::decode(&bytes).unwrap();
        assert_eq!((head.sequence, head.at_us, head.group_first(), head.kind), (9, fields.at_us, 6, Kind::Record));
        assert!(head.checks(salt(5), &bytes));
        assert!(!head.checks(salt(6), &bytes), "a frame of another epoch");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let passes = FrameHead::decode(&flipped).is_some_and(|head| head.checks(salt(5), &flipped));
            assert!(!passes, "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_no_frame() {
        assert_eq!(FrameHead::decode(&[0; 64]), None);
    }

    #[test]
    fn segment_names_sort_like_their_sequences() {
        let dir = Path::new("d");
        let name = |first| segment_path(dir, first).file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name(9) < name(10));
        assert_eq!(segment_first(&name(u64::MAX)), Some(u64::MAX));
        assert_eq!(segment_first("0001.segment"), None);
        assert_eq!(segment_first("x.snapshot"), None);
    }
}
