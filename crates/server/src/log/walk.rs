//! Walking a segment file frame by frame, and judging what stands where a frame should.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::disk::{self, DiskFile};
use super::segment::{FRAME_BYTES, FrameHead, HEADER_BYTES, Kind};

/// How many bytes are read from disk at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// One entry of a segment's sparse index for this many bytes.
const INDEX_STEP_BYTES: u64 = 64 * 1024;
/// The unit in which a disk keeps or loses what was not synced.
const SECTOR_BYTES: usize = 512;

/// A whole frame with a right checksum.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) head: FrameHead,
    pub(crate) payload: Bytes,
}

/// What stands at the walker's place.
#[derive(Debug)]
pub(crate) enum Step {
    /// A frame; the walker is behind it now.
    Frame(Frame),
    /// The end of the file.
    End,
    /// Something that is no whole frame with a right checksum; the walker stays in front of it.
    Broken,
}

/// Reads frames one after the other, in chunks; payloads share the chunk's memory.
pub(crate) struct FrameWalker {
    file: Arc<dyn DiskFile>,
    salt: u32,
    chunk_offset: u64,
    chunk: Bytes,
    at: usize,
}

impl FrameWalker {
    /// A walker at `offset`, which must be where a frame begins.
    pub(crate) fn new(file: Arc<dyn DiskFile>, salt: u32, offset: u64) -> FrameWalker {
        FrameWalker { file, salt, chunk_offset: offset, chunk: Bytes::new(), at: 0 }
    }

    /// Where the walker stands in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.chunk_offset + self.at as u64
    }

    /// Reads what stands here.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let available = self.fill(FRAME_BYTES)?;
        if available == 0 {
            return Ok(Step::End);
        }
        let Some(head) = self.chunk.get(self.at..).and_then(FrameHead::decode) else { return Ok(Step::Broken) };
        let frame_bytes = head.frame_bytes();
        if self.fill(frame_bytes)? < frame_bytes {
            return Ok(Step::Broken);
        }
        let frame = self.chunk.slice(self.at..self.at + frame_bytes);
        if !head.checks(self.salt, &frame) {
            return Ok(Step::Broken);
        }
        self.at += frame_bytes;
        Ok(Step::Frame(Frame { head, payload: frame.slice(FRAME_BYTES..) }))
    }

    /// Makes `wanted` bytes available at the walker's place, as far as the file has them; returns how many there are.
    fn fill(&mut self, wanted: usize) -> io::Result<usize> {
        if self.chunk.len() - self.at < wanted {
            let offset = self.offset();
            let bytes = disk::read_up_to(self.file.as_ref(), offset, wanted.max(CHUNK_BYTES))?;
            self.chunk = Bytes::from(bytes);
            self.chunk_offset = offset;
            self.at = 0;
        }
        Ok(self.chunk.len() - self.at)
    }
}

/// What a walk through a whole segment found.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The sequence after the last good record.
    pub(crate) next: u64,
    /// Good records.
    pub(crate) records: u64,
    /// Offset behind the last good frame.
    pub(crate) end: u64,
    /// Bytes of the file.
    pub(crate) file_bytes: u64,
    /// Where the last group begins: what is before it was proven durable.
    pub(crate) last_group_offset: u64,
    /// The oldest time of a record, if there is one.
    pub(crate) oldest_us: Option<u64>,
    /// The newest time of a record, 0 without records.
    pub(crate) newest_us: u64,
    /// Sequence and offset of a record every 64 KiB.
    pub(crate) index: Vec<(u64, u64)>,
    /// How it ends.
    pub(crate) ending: Ending,
}

/// How a segment ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With the last frame, no seal.
    Open,
    /// With a seal.
    Sealed,
    /// With something else.
    Broken(Evidence),
}

/// What is known about a place that holds no good frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// No good frame follows: as after a write that was cut short.
    NothingAfter,
    /// Frames of the same group follow, and a sector of zeros lies between: as after a write of which the disk kept the
    /// later part only.
    LostSectors { next_good: u64 },
    /// Frames of the same group follow, and no sector is missing between.
    SameGroup { next_good: u64 },
    /// A frame of a later group follows: what stood here was acknowledged.
    Acknowledged { next_good: u64 },
    /// A good frame with a sequence that does not belong here.
    WrongSequence { found: u64 },
    /// Bytes after a seal.
    AfterSeal,
}

/// Grows a sparse index by a record.
pub(crate) fn index_record(index: &mut Vec<(u64, u64)>, sequence: u64, offset: u64) {
    if index.last().is_none_or(|(_, last)| offset - last >= INDEX_STEP_BYTES) {
        index.push((sequence, offset));
    }
}

/// Walks a segment from its header to its end, or to the first place that is not good. `progress` is told the bytes
/// walked since it was last told.
pub(crate) fn scan(file: &Arc<dyn DiskFile>, salt: u32, first: u64, progress: &mut dyn FnMut(u64)) -> io::Result<Scan> {
    let mut scan = Scan {
        next: first,
        records: 0,
        end: HEADER_BYTES as u64,
        file_bytes: file.length()?,
        last_group_offset: HEADER_BYTES as u64,
        oldest_us: None,
        newest_us: 0,
        index: Vec::new(),
        ending: Ending::Open,
    };
    let mut walker = FrameWalker::new(Arc::clone(file), salt, scan.end);
    let mut told = 0;
    loop {
        let offset = walker.offset();
        match walker.step()? {
            Step::End => break,
            Step::Broken if scan.ending == Ending::Sealed => {
                scan.ending = Ending::Broken(Evidence::AfterSeal);
                break;
            }
            Step::Broken => {
                let rest =
                    disk::read_up_to(file.as_ref(), offset, (scan.file_bytes - offset.min(scan.file_bytes)) as usize)?;
                scan.ending = Ending::Broken(judge(&rest, salt, offset, scan.next));
                break;
            }
            Step::Frame(_) if scan.ending == Ending::Sealed => {
                scan.ending = Ending::Broken(Evidence::AfterSeal);
                break;
            }
            Step::Frame(frame) if frame.head.sequence != scan.next => {
                scan.ending = Ending::Broken(Evidence::WrongSequence { found: frame.head.sequence });
                break;
            }
            Step::Frame(frame) => {
                scan.take(&frame.head, offset);
                scan.end = walker.offset();
            }
        }
        if scan.end - told >= CHUNK_BYTES as u64 {
            progress(scan.end - told);
            told = scan.end;
        }
    }
    progress(scan.file_bytes - told.min(scan.file_bytes));
    Ok(scan)
}

impl Scan {
    fn take(&mut self, head: &FrameHead, offset: u64) {
        if head.group_back == 0 {
            self.last_group_offset = offset;
        }
        match head.kind {
            Kind::Record => {
                index_record(&mut self.index, head.sequence, offset);
                self.next += 1;
                self.records += 1;
                self.oldest_us = Some(self.oldest_us.map_or(head.at_us, |oldest| oldest.min(head.at_us)));
                self.newest_us = self.newest_us.max(head.at_us);
            }
            Kind::Mark => {}
            Kind::Seal => self.ending = Ending::Sealed,
        }
    }
}

/// Looks for good frames behind a broken place. `rest` is the file from the broken place on, `offset` where it begins,
/// `sequence` what should stand there.
///
/// A payload could hold the bytes of a frame. JSON cannot, for a frame has zero bytes in it; and if one did, the log
/// would be refused, never misread.
fn judge(rest: &[u8], salt: u32, offset: u64, sequence: u64) -> Evidence {
    let mut first_good = None;
    let mut at = 1;
    while let Some(window) = rest.get(at..).filter(|window| window.len() >= FRAME_BYTES) {
        match good_frame(window, salt, sequence) {
            Some(head) if head.group_first() > sequence => {
                return Evidence::Acknowledged { next_good: offset + at as u64 };
            }
            Some(head) => {
                first_good.get_or_insert((at, head));
                at += head.frame_bytes();
            }
            None => at += 1,
        }
    }
    let Some((at, head)) = first_good else { return Evidence::NothingAfter };
    let next_good = offset + at as u64;
    let begins_group = head.group_first() == sequence;
    if lost_sector(rest.get(..at).unwrap_or_default(), offset, begins_group) {
        Evidence::LostSectors { next_good }
    } else {
        Evidence::SameGroup { next_good }
    }
}

/// A good frame at the start of `window` whose sequence can follow the broken `sequence`.
fn good_frame(window: &[u8], salt: u32, sequence: u64) -> Option<FrameHead> {
    let head = FrameHead::decode(window)?;
    let reachable = sequence.saturating_add((window.len() / FRAME_BYTES) as u64 + u64::from(u32::MAX));
    if head.sequence <= sequence || head.sequence > reachable {
        return None;
    }
    head.checks(salt, window.get(..head.frame_bytes())?).then_some(head)
}

/// The next place behind `offset` where a good frame with a sequence above `sequence` stands; for reports on damage.
pub(crate) fn next_good(file: &dyn DiskFile, salt: u32, offset: u64, sequence: u64) -> io::Result<Option<(u64, u64)>> {
    let file_bytes = file.length()?;
    let rest = disk::read_up_to(file, offset, file_bytes.saturating_sub(offset) as usize)?;
    for at in 1..rest.len() {
        if let Some(head) = rest.get(at..).and_then(|window| good_frame(window, salt, sequence)) {
            return Ok(Some((offset + at as u64, head.sequence)));
        }
    }
    Ok(None)
}

/// Whether in `region`, which begins at `offset` of the file, a sector is missing: it reads as zeros.
///
/// A frame that ends inside a lost sector is broken itself, so a lost sector never begins before the region; but where
/// a group begins, the sector was partly written by the group before, and only the rest of it is zeros.
fn lost_sector(region: &[u8], offset: u64, begins_group: bool) -> bool {
    let to_boundary = (SECTOR_BYTES as u64 - offset % SECTOR_BYTES as u64) % SECTOR_BYTES as u64;
    let (shared, sectors) = region.split_at(region.len().min(to_boundary as usize));
    let zeros = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    (begins_group && !shared.is_empty() && zeros(shared)) || sectors.chunks_exact(SECTOR_BYTES).any(zeros)
}

#[cfg(test)]
mod tests {
    use super::super::segment::{FrameFields, encode_frame, salt};
    use super::*;

    fn frames(groups: &[&[u64]]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for group in groups {
            for (back, sequence) in group.iter().enumerate() {
                let mut bytes = Vec::new();
                let fields = FrameFields { sequence: *sequence, at_us: 1, group_back: back as u32, kind: Kind::Record };
                encode_frame(&mut bytes, salt(1), fields, &[b'x'; 700]);
                all.push(bytes);
            }
        }
        all
    }

    #[test]
    fn what_follows_decides_between_a_torn_write_and_damage() {
        let mut all = frames(&[&[1, 2, 3], &[4]]);
        all[0][40] ^= 1;
        assert_eq!(judge(&all[0], salt(1), 0, 1), Evidence::NothingAfter);
        assert_eq!(judge(&all[..3].concat(), salt(1), 0, 1), Evidence::SameGroup { next_good: 732 });
        assert_eq!(judge(&all.concat(), salt(1), 0, 1), Evidence::Acknowledged { next_good: 732 * 3 });
    }

    #[test]
    fn a_sector_of_zeros_inside_the_last_group_is_a_torn_write() {
        let mut bytes = frames(&[&[1, 2, 3]]).concat();
        bytes[512..1024].fill(0);
        assert_eq!(judge(&bytes, salt(1), 0, 1), Evidence::LostSectors { next_good: 1464 });
    }
}
