//! `cordboard log verify`: walks everything, changes nothing, stops at nothing.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Position;
use super::disk::{self, Disk, DiskFile, OpenMode};
use super::recover::describe;
use super::segment::{HEADER_BYTES, Header, salt, segment_first, segment_path};
use super::snapshot;
use super::walk::{Ending, Evidence, next_good, scan};

/// What a walk through a directory found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Segment files.
    pub segments: u64,
    /// Good records.
    pub records: u64,
    /// Bytes of the segment files.
    pub bytes: u64,
    /// The first good record.
    pub first: Option<Position>,
    /// The last good record.
    pub last: Option<Position>,
    /// Valid snapshots, oldest first.
    pub snapshots: Vec<Position>,
    /// Bytes at the end that are no whole record: a write that is going on, or was cut short. Opening the log cuts them
    /// off.
    pub torn_tail_bytes: u64,
    /// Everything that is not as it was written.
    pub damage: Vec<Damage>,
}

impl VerifyReport {
    /// Whether the log is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

/// A place that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// Which record should stand there; 0 when it cannot be told.
    pub sequence: u64,
    /// What stands there instead, and what is lost.
    pub what: String,
}

/// How far [`verify`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Bytes walked.
    pub bytes_done: u64,
    /// Bytes of all segments.
    pub bytes_total: u64,
}

/// Walks the log in `dir` and reports everything; a log that is being written may be verified too.
///
/// # Errors
/// When the directory or a file cannot be read at all.
pub fn verify(disk: &dyn Disk, dir: &Path, progress: &mut dyn FnMut(VerifyProgress)) -> io::Result<VerifyReport> {
    let names = disk.list(dir)?;
    let firsts: Vec<u64> = names.iter().filter_map(|name| segment_first(name)).collect();
    let mut files = Vec::new();
    let mut told = VerifyProgress { bytes_done: 0, bytes_total: 0 };
    for first in firsts {
        match disk.open(&segment_path(dir, first), OpenMode::Read) {
            Ok(file) => {
                told.bytes_total += file.length()?;
                files.push((first, file));
            }
            // Dropped by the retention of a running log since the listing. Were it lost, the records would be missed
            // below.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let mut walk = Walk { dir, epoch: None, expected: None, sealed: false, report: VerifyReport::default() };
    let last = files.len().saturating_sub(1);
    for (index, (first, file)) in files.iter().enumerate() {
        walk.segment(*first, file, index == last, &mut |bytes| {
            told.bytes_done += bytes;
            progress(told);
        })?;
    }
    walk.finish(disk, &names);
    Ok(walk.report)
}

struct Walk<'a> {
    dir: &'a Path,
    epoch: Option<u32>,
    expected: Option<u64>,
    sealed: bool,
    report: VerifyReport,
}

impl Walk<'_> {
    fn segment(
        &mut self,
        first: u64,
        file: &Arc<dyn DiskFile>,
        is_last: bool,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        self.report.segments += 1;
        self.report.bytes += file.length()?;
        let header = match Header::decode(&disk::read_up_to(file.as_ref(), 0, HEADER_BYTES)?) {
            Ok(header) => header,
            Err(why) => {
                self.damage(first, 0, first, format!("{why}; the whole segment cannot be read"));
                self.expected = None;
                self.sealed = false;
                return Ok(());
            }
        };
        let epoch = *self.epoch.get_or_insert(header.epoch);
        if header.epoch != epoch || header.first != first {
            let what = format!("the header says record {} of epoch {}", header.first, header.epoch);
            self.damage(first, 0, first, format!("{what}; files of two logs are mixed"));
            return Ok(());
        }
        if let Some(expected) = self.expected.filter(|expected| *expected != first) {
            self.damage(first, 0, expected, format!("records {expected} to {} are missing", first.saturating_sub(1)));
        }
        let scan = scan(file, salt(epoch), first, progress)?;
        self.report.records += scan.records;
        if scan.records > 0 {
            self.report.first.get_or_insert(Position { epoch, sequence: first });
            self.report.last = Some(Position { epoch, sequence: scan.next - 1 });
        }
        self.expected = Some(scan.next);
        self.sealed = scan.ending == Ending::Sealed;
        let trailing = scan.file_bytes.saturating_sub(scan.end);
        match &scan.ending {
            Ending::Sealed => {}
            Ending::Open if is_last => {}
            Ending::Open => self.damage(first, scan.end, scan.next, "the seal of the segment is missing".to_owned()),
            Ending::Broken(Evidence::NothingAfter | Evidence::LostSectors { .. }) if is_last => {
                self.report.torn_tail_bytes = trailing;
            }
            Ending::Broken(evidence) => {
                let what = describe(evidence);
                self.after_damage(first, file, (scan.end, scan.next), &what)?;
            }
        }
        Ok(())
    }

    /// Tells the damage and how much is lost by it, and counts the good records behind it.
    fn after_damage(&mut self, first: u64, file: &Arc<dyn DiskFile>, broken: (u64, u64), what: &str) -> io::Result<()> {
        let (mut offset, mut sequence) = broken;
        let mut what = what.to_owned();
        let epoch = self.epoch.unwrap_or_default();
        // Each turn ends behind the next good record, so this ends with the file.
        while let Some((good, found)) = next_good(file.as_ref(), salt(epoch), offset, sequence.saturating_sub(1))? {
            if found > sequence {
                self.damage(first, offset, sequence, format!("{what}; records {sequence} to {} are lost", found - 1));
            } else {
                self.damage(first, offset, sequence, what.clone());
            }
            let (records, end, next, clean) = good_run(file, salt(epoch), good, found)?;
            self.report.records += records;
            if records > 0 {
                self.report.last = Some(Position { epoch, sequence: next - 1 });
            }
            self.expected = Some(next);
            if clean {
                return Ok(());
            }
            (offset, sequence) = (end, next);
            "no good record stands here".clone_into(&mut what);
        }
        self.damage(first, offset, sequence, format!("{what}; everything from here to the end of the file is lost"));
        Ok(())
    }

    fn finish(&mut self, disk: &dyn Disk, names: &[String]) {
        let epoch = self.epoch.unwrap_or_default();
        let (valid, damaged) = snapshot::check_all(disk, self.dir, names, epoch);
        self.report.snapshots = valid.iter().map(|sequence| Position { epoch, sequence: *sequence }).collect();
        for snapshot in damaged {
            self.report.damage.push(Damage { file: snapshot.file, offset: 0, sequence: 0, what: snapshot.why });
        }
        let dir = self.dir.display().to_string();
        if let (true, Some(next)) = (self.sealed, self.expected)
            // A running log may have gone on in a new segment since the listing.
            && disk.open(&segment_path(self.dir, next), OpenMode::Read).is_err()
        {
            let what = format!("the segment that begins with record {next} is missing");
            self.report.damage.push(Damage { file: dir.clone(), offset: 0, sequence: next, what });
        }
        let newest = valid.last().copied().unwrap_or(0);
        if let Some(first) = self.report.first.map(|first| first.sequence).filter(|first| newest + 1 < *first) {
            let what = format!("records {} to {} are missing and no snapshot covers them", newest + 1, first - 1);
            self.report.damage.push(Damage { file: dir.clone(), offset: 0, sequence: newest + 1, what });
        }
        if let Some(next) = self.expected.filter(|next| newest >= *next) {
            let what = format!("a snapshot was taken at {newest}, and the log ends at {}", next - 1);
            self.report.damage.push(Damage { file: dir, offset: 0, sequence: next, what });
        }
    }

    fn damage(&mut self, first: u64, offset: u64, sequence: u64, what: String) {
        let file = segment_path(self.dir, first).display().to_string();
        self.report.damage.push(Damage { file, offset, sequence, what });
    }
}

/// Walks good frames with rising sequences from `offset` on: records, end, next sequence, and whether the file ends
/// there.
fn good_run(file: &Arc<dyn DiskFile>, salt: u32, offset: u64, sequence: u64) -> io::Result<(u64, u64, u64, bool)> {
    use super::segment::Kind;
    use super::walk::{FrameWalker, Step};
    let mut walker = FrameWalker::new(Arc::clone(file), salt, offset);
    let (mut records, mut next, mut end) = (0, sequence, offset);
    loop {
        match walker.step()? {
            Step::Frame(frame) if frame.head.sequence == next => {
                if frame.head.kind == Kind::Record {
                    records += 1;
                    next += 1;
                }
                end = walker.offset();
            }
            Step::Frame(_) | Step::Broken => return Ok((records, end, next, false)),
            Step::End => return Ok((records, end, next, true)),
        }
    }
}
