//! Opening a log: founding a new one, or finding out what the disk really holds.
//!
//! Only the end of the last segment may be incomplete, and only where nothing proves that it was acknowledged; that is
//! cut off and reported. Everything else that is not as it was written is refused with the place and what to do.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{self, Disk, DiskFile, LockError, LockGuard, OpenMode};
use super::segment::{
    FRAME_BYTES, FrameFields, HEADER_BYTES, Header, HeaderError, Kind, TEMPORARY_SUFFIX, encode_frame, salt,
    segment_first, segment_path,
};
use super::shared::{Segment, Shared, State};
use super::snapshot::{self, DamagedSnapshot, SNAPSHOT_SUFFIX};
use super::walk::{Ending, Evidence, Scan, scan};
use super::writer::{Active, Committer, Encoder, Writer, create_segment};
use super::{ConfigError, Health, Log, LogConfig, Position};

/// Name of the file that is locked.
const LOCK_NAME: &str = "lock";

/// An opened log.
pub struct Opened {
    /// The one writer.
    pub writer: Writer,
    /// Readers, snapshots, retention.
    pub log: Log,
    /// What was found.
    pub report: OpenReport,
}

/// What was found when a log was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// The directory was empty and a new log was founded.
    pub founded: bool,
    /// The oldest cursor that can be served.
    pub oldest: Position,
    /// The last record.
    pub newest: Position,
    /// Records kept.
    pub records: u64,
    /// Segment files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was cut off the end, if anything.
    pub torn_tail: Option<TornTail>,
    /// A segment's seal was written anew after a crash in the moment between making a segment and sealing the one
    /// before.
    pub seal_repaired: bool,
    /// Snapshots that cannot be used.
    pub damaged_snapshots: Vec<DamagedSnapshot>,
    /// Files under construction that were removed.
    pub temporaries_removed: u64,
}

/// An incomplete last write, which nobody was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment file.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// Bytes cut off.
    pub bytes_dropped: u64,
}

/// Opens the log in `dir`, or founds one there with the epoch `founding_epoch`.
///
/// # Errors
/// [`OpenError`]; nothing on disk was changed then, but for temporary files.
pub fn open(disk: Arc<dyn Disk>, dir: &Path, config: LogConfig, founding_epoch: u32) -> Result<Opened, OpenError> {
    config.validate()?;
    disk.create_dir_all(dir)?;
    let lock = disk.lock(&dir.join(LOCK_NAME)).map_err(|error| match error {
        LockError::Held { holder } => OpenError::Locked { dir: dir.to_owned(), holder },
        LockError::Io(error) => OpenError::Io(error),
    })?;
    let mut names = disk.list(dir)?;
    let temporaries_removed = remove_temporaries(disk.as_ref(), dir, &mut names)?;
    let mut found = if names.iter().any(|name| segment_first(name).is_some()) {
        Found::inspect(disk.as_ref(), dir, &names)?
    } else if let Some(name) = names.iter().find(|name| name.ends_with(SNAPSHOT_SUFFIX)) {
        return Err(OpenError::NoSegments { dir: dir.to_owned(), snapshot: name.clone() });
    } else {
        return found_new(disk, dir, config, founding_epoch, lock, temporaries_removed);
    };
    found.report.temporaries_removed = temporaries_removed;
    // The process before may have been killed between a rename and its sync. Before the repair: a seal must not become
    // durable before the segment that follows it.
    disk.sync_dir(dir)?;
    found.repair()?;
    let Found { epoch, report, segments, snapshots, active, .. } = found;
    let state = State {
        segments,
        tail: VecDeque::new(),
        tail_bytes: 0,
        durable: report.newest.sequence,
        health: Health::Healthy,
        cause: String::new(),
        snapshots,
    };
    let shared = Arc::new(Shared::new(disk, dir.to_owned(), config, epoch, state));
    Ok(finish(shared, active, lock, report))
}

fn found_new(
    disk: Arc<dyn Disk>,
    dir: &Path,
    config: LogConfig,
    epoch: u32,
    lock: Box<dyn LockGuard>,
    temporaries_removed: u64,
) -> Result<Opened, OpenError> {
    let segment = Segment { first: 1, bytes: HEADER_BYTES as u64, newest_us: 0, index: Vec::new() };
    let state = State {
        segments: VecDeque::from([segment]),
        tail: VecDeque::new(),
        tail_bytes: 0,
        durable: 0,
        health: Health::Healthy,
        cause: String::new(),
        snapshots: Vec::new(),
    };
    let shared = Arc::new(Shared::new(disk, dir.to_owned(), config, epoch, state));
    let active = create_segment(&shared, 1)?;
    let report = OpenReport { founded: true, temporaries_removed, ..empty_report(epoch) };
    Ok(finish(shared, active, lock, OpenReport { segments: 1, bytes: HEADER_BYTES as u64, ..report }))
}

fn finish(shared: Arc<Shared>, active: Active, lock: Box<dyn LockGuard>, report: OpenReport) -> Opened {
    let encoder = Encoder::new(&shared, report.newest.sequence + 1);
    let log = Log { shared: Arc::clone(&shared) };
    Opened { writer: Writer::new(encoder, Committer::new(shared, active, lock)), log, report }
}

fn empty_report(epoch: u32) -> OpenReport {
    OpenReport {
        founded: false,
        oldest: Position { epoch, sequence: 0 },
        newest: Position { epoch, sequence: 0 },
        records: 0,
        segments: 0,
        bytes: 0,
        torn_tail: None,
        seal_repaired: false,
        damaged_snapshots: Vec::new(),
        temporaries_removed: 0,
    }
}

fn remove_temporaries(disk: &dyn Disk, dir: &Path, names: &mut Vec<String>) -> io::Result<u64> {
    let mut removed = 0;
    for name in names.iter().filter(|name| name.ends_with(TEMPORARY_SUFFIX)) {
        disk.remove(&dir.join(name))?;
        removed += 1;
    }
    names.retain(|name| !name.ends_with(TEMPORARY_SUFFIX));
    Ok(removed)
}

/// A segment file after its walk.
struct Inspected {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    first: u64,
    scan: Scan,
}

/// What is on disk, judged but not yet changed.
struct Found {
    epoch: u32,
    report: OpenReport,
    segments: VecDeque<Segment>,
    snapshots: Vec<u64>,
    active: Active,
    last_group_offset: u64,
    reseal: Option<(Arc<dyn DiskFile>, u64, u64)>,
}

impl Found {
    fn inspect(disk: &dyn Disk, dir: &Path, names: &[String]) -> Result<Found, OpenError> {
        let (epoch, mut inspected) = walk_all(disk, dir, names)?;
        let (snapshots, damaged_snapshots) = snapshot::check_all(disk, dir, names, epoch);
        let reseal = check_chain(&inspected)?;
        let Some(last) = inspected.pop() else { return Err(OpenError::Io(io::ErrorKind::NotFound.into())) };
        let torn_tail = check_last(&last)?;
        let newest = Position { epoch, sequence: last.scan.next - 1 };
        let first = inspected.first().map_or(last.first, |oldest| oldest.first);
        check_snapshots(dir, epoch, first, newest, &snapshots)?;
        inspected.push(last);
        let mut report = OpenReport { damaged_snapshots, torn_tail, newest, ..empty_report(epoch) };
        report.oldest.sequence = first - 1;
        report.seal_repaired = reseal.is_some()
            && inspected.iter().rev().nth(1).is_some_and(|before| before.scan.ending != Ending::Sealed);
        let mut segments = VecDeque::new();
        for segment in &inspected {
            report.records += segment.scan.records;
            report.bytes += segment.scan.end;
            report.segments += 1;
            segments.push_back(Segment {
                first: segment.first,
                bytes: segment.scan.end,
                newest_us: segment.scan.newest_us,
                index: segment.scan.index.clone(),
            });
        }
        let Some(last) = inspected.pop() else { return Err(OpenError::Io(io::ErrorKind::NotFound.into())) };
        let active =
            Active { file: last.file, first: last.first, bytes: last.scan.end, oldest_us: last.scan.oldest_us };
        let last_group_offset = last.scan.last_group_offset;
        Ok(Found { epoch, report, segments, snapshots, active, last_group_offset, reseal })
    }

    /// Cuts the torn tail, writes a missing seal, and writes the last group once more: after a failed fsync and a
    /// restart of the process alone, the page cache gives back bytes the disk never got. All before the last group is
    /// proven durable by its existence.
    fn repair(&mut self) -> io::Result<()> {
        if let Some((file, end, sequence)) = self.reseal.take() {
            let mut seal = Vec::new();
            let fields = FrameFields { sequence, at_us: 0, group_back: 0, kind: Kind::Seal };
            encode_frame(&mut seal, salt(self.epoch), fields, &[]);
            file.set_len(end)?;
            disk::write_all_at(file.as_ref(), &seal, end)?;
            file.sync_data()?;
            if let Some(segment) = self.segments.iter_mut().rev().nth(1) {
                segment.bytes = end + seal.len() as u64;
            }
        }
        let file = self.active.file.as_ref();
        if self.report.torn_tail.is_some() {
            file.set_len(self.active.bytes)?;
        }
        let last_group_bytes = (self.active.bytes - self.last_group_offset) as usize;
        let last_group = disk::read_up_to(file, self.last_group_offset, last_group_bytes)?;
        disk::write_all_at(file, &last_group, self.last_group_offset)?;
        file.sync_data()
    }
}

/// Walks every segment; their headers must agree with their names and with each other.
fn walk_all(disk: &dyn Disk, dir: &Path, names: &[String]) -> Result<(u32, Vec<Inspected>), OpenError> {
    let mut epoch = None;
    let mut inspected = Vec::new();
    for first in names.iter().filter_map(|name| segment_first(name)) {
        let path = segment_path(dir, first);
        let file = disk.open(&path, OpenMode::Write)?;
        let header = Header::decode(&disk::read_up_to(file.as_ref(), 0, HEADER_BYTES)?)
            .map_err(|why| OpenError::Header { file: path.clone(), why, dir: dir.to_owned() })?;
        let log_epoch = *epoch.get_or_insert(header.epoch);
        if header.epoch != log_epoch || header.first != first {
            return Err(OpenError::Foreign {
                file: path,
                header_first: header.first,
                header_epoch: header.epoch,
                epoch: log_epoch,
            });
        }
        let scan = scan(&file, salt(log_epoch), first, &mut |_| {})?;
        inspected.push(Inspected { file, path, first, scan });
    }
    Ok((epoch.unwrap_or_default(), inspected))
}

/// All segments but the last must be whole, sealed, and lead to the next. Returns the one place where a seal may be
/// missing: before a last segment without records, as the seal is written before the first record there.
#[expect(clippy::type_complexity, reason = "file, offset, sequence of a seal, used once")]
fn check_chain(inspected: &[Inspected]) -> Result<Option<(Arc<dyn DiskFile>, u64, u64)>, OpenError> {
    let mut reseal = None;
    for (index, pair) in inspected.windows(2).enumerate() {
        let [segment, next] = pair else { continue };
        let before_empty_last = index + 2 == inspected.len() && next.scan.records == 0;
        let rest = segment.scan.file_bytes.saturating_sub(segment.scan.end);
        match &segment.scan.ending {
            Ending::Sealed | Ending::Open if segment.scan.next != next.first => {
                return Err(OpenError::Missing {
                    dir: segment.path.parent().unwrap_or(Path::new("")).to_owned(),
                    from: segment.scan.next,
                    to: next.first.saturating_sub(1),
                });
            }
            // The seal may be in the page cache only, when the process was killed in this moment: it is written again.
            Ending::Sealed if before_empty_last => {
                reseal = Some((Arc::clone(&segment.file), segment.scan.end - FRAME_BYTES as u64, segment.scan.next));
            }
            Ending::Sealed => {}
            Ending::Open | Ending::Broken(Evidence::NothingAfter)
                if before_empty_last && rest <= FRAME_BYTES as u64 && segment.scan.next == next.first =>
            {
                reseal = Some((Arc::clone(&segment.file), segment.scan.end, segment.scan.next));
            }
            Ending::Open => return Err(damage(segment, &Evidence::NothingAfter)),
            Ending::Broken(evidence) => return Err(damage(segment, evidence)),
        }
    }
    Ok(reseal)
}

/// The last segment may end in an incomplete write.
fn check_last(last: &Inspected) -> Result<Option<TornTail>, OpenError> {
    match &last.scan.ending {
        Ending::Open => Ok(None),
        Ending::Sealed => Err(OpenError::Missing {
            dir: last.path.parent().unwrap_or(Path::new("")).to_owned(),
            from: last.scan.next,
            to: last.scan.next,
        }),
        Ending::Broken(Evidence::NothingAfter | Evidence::LostSectors { .. }) => Ok(Some(TornTail {
            file: last.path.display().to_string(),
            offset: last.scan.end,
            bytes_dropped: last.scan.file_bytes - last.scan.end,
        })),
        Ending::Broken(
            evidence @ (Evidence::SameGroup { .. }
            | Evidence::Acknowledged { .. }
            | Evidence::WrongSequence { .. }
            | Evidence::AfterSeal),
        ) => Err(damage(last, evidence)),
    }
}

/// Snapshots are taken of durable records only, and segments dropped under a snapshot only: both leave proof.
fn check_snapshots(dir: &Path, epoch: u32, first: u64, newest: Position, snapshots: &[u64]) -> Result<(), OpenError> {
    if let Some(sequence) = snapshots.last().filter(|sequence| **sequence > newest.sequence) {
        let snapshot = Position { epoch, sequence: *sequence };
        return Err(OpenError::BehindSnapshot { dir: dir.to_owned(), newest, snapshot });
    }
    if first > 1 && snapshots.last().is_none_or(|sequence| *sequence < first - 1) {
        return Err(OpenError::Missing { dir: dir.to_owned(), from: 1, to: first - 1 });
    }
    Ok(())
}

fn damage(segment: &Inspected, evidence: &Evidence) -> OpenError {
    OpenError::Damaged {
        file: segment.path.clone(),
        offset: segment.scan.end,
        sequence: segment.scan.next,
        what: describe(evidence),
        dir: segment.path.parent().unwrap_or(Path::new("")).to_owned(),
    }
}

/// What a place without a good frame looks like, for people.
pub(crate) fn describe(evidence: &Evidence) -> String {
    match evidence {
        Evidence::NothingAfter => "nothing good follows, though another segment does".to_owned(),
        Evidence::LostSectors { next_good } => format!("sectors are zero; the next good record is at {next_good}"),
        Evidence::SameGroup { next_good } => {
            format!("a good record of the same write follows at {next_good}, so this is no write cut short")
        }
        Evidence::Acknowledged { next_good } => {
            format!("a good record at {next_good} proves that what stood here was acknowledged")
        }
        Evidence::WrongSequence { found } => format!("a good record with sequence {found} stands here"),
        Evidence::AfterSeal => "bytes follow the end of the segment".to_owned(),
    }
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A limit is impossible.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another writer has the directory.
    #[error("{} is written by {holder}; one writer at a time: stop it, or give another directory", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// What the holder wrote about itself.
        holder: String,
    },
    /// A record that was written is not there any more as it was.
    #[error(
        "{} is damaged at offset {offset}, where record {sequence} should stand: {what}. Nothing was changed. See what \
         is lost with `cordboard log verify {}`, then restore the directory from a copy, or move it away to found a \
         new log",
        file.display(), dir.display()
    )]
    Damaged {
        /// The segment file.
        file: PathBuf,
        /// Where in the file.
        offset: u64,
        /// Which record should stand there.
        sequence: u64,
        /// What stands there instead.
        what: String,
        /// The log's directory.
        dir: PathBuf,
    },
    /// A segment's header is not readable.
    #[error("{}: {why}. Nothing was changed; see `cordboard log verify {}`", file.display(), dir.display())]
    Header {
        /// The segment file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        why: HeaderError,
        /// The log's directory.
        dir: PathBuf,
    },
    /// A file is not of this log.
    #[error(
        "{} says it begins with record {header_first} of epoch {header_epoch}, which is neither what its name says nor \
         epoch {epoch}: files of two logs are mixed; take the foreign ones out",
        file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// First sequence in its header.
        header_first: u64,
        /// Epoch in its header.
        header_epoch: u32,
        /// Epoch of the log.
        epoch: u32,
    },
    /// Records were there and their file is gone.
    #[error(
        "records {from} to {to} are missing in {}: a segment file is gone or was cut. Nothing was changed. Put the \
         file back, or see `cordboard log verify {}`",
        dir.display(), dir.display()
    )]
    Missing {
        /// The log's directory.
        dir: PathBuf,
        /// First sequence missing.
        from: u64,
        /// Last sequence known to be missing.
        to: u64,
    },
    /// There are snapshots and no segments.
    #[error(
        "{} has the snapshot {snapshot} and no segment: its segments are gone. Put them back, or move the directory \
         away to found a new log",
        dir.display()
    )]
    NoSegments {
        /// The log's directory.
        dir: PathBuf,
        /// One of the snapshots.
        snapshot: String,
    },
    /// The log ends before a snapshot that was taken of it.
    #[error(
        "the log in {} ends at {newest}, before the snapshot at {snapshot}: acknowledged records are lost. Restore the \
         directory from a copy, or move it away to found a new log",
        dir.display()
    )]
    BehindSnapshot {
        /// The log's directory.
        dir: PathBuf,
        /// The last record.
        newest: Position,
        /// The newest snapshot.
        snapshot: Position,
    },
    /// The system refused.
    #[error("cannot open the log: {0}")]
    Io(#[from] io::Error),
}
