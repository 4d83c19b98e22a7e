//! `cordboard log verify` of topics: walks everything, changes nothing, stops at nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, PartitionKept, SegmentKept};
use super::index::{WALK_BYTES, Walk, WalkError};
use super::recover::{JOURNAL, bases, partitions_in};
use super::segment_path;
use crate::log::disk::{Disk, OpenMode};
use crate::log::{self, Damage, VerifyProgress, VerifyReport};

/// What a walk through the topics of a tenant found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyTopicsReport {
    /// What was found in the journal.
    pub journal: VerifyReport,
    /// Partitions.
    pub partitions: u64,
    /// Files of partitions.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Good records.
    pub records: u64,
    /// Bytes behind the checkpoint that are no whole batch: a write that is going on, or was cut short. Opening the
    /// topics writes them once more from the journal.
    pub torn_bytes: u64,
    /// Everything in the partitions that is not as it was written. What stands for a sequence is an offset.
    pub damage: Vec<Damage>,
}

impl VerifyTopicsReport {
    /// Whether the topics are as they were written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.journal.is_sound()
    }
}

/// Walks the topics in `dir` and reports everything; topics that are being written may be verified too.
///
/// # Errors
/// When the directory or a file cannot be read at all.
pub fn verify(disk: &dyn Disk, dir: &Path, progress: &mut dyn FnMut(VerifyProgress)) -> io::Result<VerifyTopicsReport> {
    let journal = dir.join(JOURNAL);
    let mut report = VerifyTopicsReport { journal: log::verify(disk, &journal, &mut |_| {})?, ..Default::default() };
    let mut kept = BTreeMap::new();
    match log::newest_in(disk, &journal)?.map(|snapshot| Checkpoint::decode(&snapshot.bytes)) {
        Some(Ok(checkpoint)) => {
            for topic in checkpoint.topics {
                for (number, partition) in (0..).zip(topic.partitions) {
                    kept.insert(dir.join(&topic.name).join(u32::to_string(&number)), partition);
                }
            }
        }
        Some(Err(what)) => {
            report.damage.push(Damage { file: journal.display().to_string(), offset: 0, sequence: 0, what })
        }
        None => {}
    }
    for (_, _, dir) in partitions_in(disk, dir)? {
        kept.entry(dir).or_default();
    }
    let mut files = Vec::new();
    for (dir, kept) in &kept {
        files.push((dir, kept, bases(disk, dir)?));
    }
    let mut told = VerifyProgress { bytes_done: 0, bytes_total: 0 };
    for (dir, _, bases) in &files {
        for base in bases {
            told.bytes_total +=
                disk.open(&segment_path(dir, *base), OpenMode::Read).and_then(|it| it.length()).unwrap_or(0);
        }
    }
    for (dir, kept, bases) in files {
        report.partitions += 1;
        let mut partition = Verifying { disk, dir, kept, next: None, max_ms: i64::MIN, report: &mut report };
        partition.walk(&bases, &mut |bytes| {
            told.bytes_done += bytes;
            progress(told);
        })?;
    }
    Ok(report)
}

/// A partition that is being walked.
struct Verifying<'a> {
    disk: &'a dyn Disk,
    dir: &'a PathBuf,
    kept: &'a PartitionKept,
    /// The offset that must follow.
    next: Option<i64>,
    max_ms: i64,
    report: &'a mut VerifyTopicsReport,
}

impl Verifying<'_> {
    fn walk(&mut self, bases: &[i64], progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        let oldest = bases.first().copied();
        // Retention drops the oldest files, and never all.
        let missing = |segment: &&SegmentKept| {
            oldest.is_none_or(|oldest| segment.base > oldest) && !bases.contains(&segment.base)
        };
        for segment in self.kept.segments.iter().filter(missing) {
            self.damage(segment.base, 0, segment.base, "the file is missing".to_owned());
        }
        let last = self.kept.segments.last().map_or(self.kept.end, |last| last.base);
        for base in bases {
            let kept = self.kept.segments.iter().find(|segment| segment.base == *base);
            // What is not of the checkpoint is written once more from the journal.
            let sure_bytes = kept.map_or(0, |kept| kept.bytes);
            if kept.is_none() && *base < last {
                self.damage(*base, 0, *base, "no such file was written".to_owned());
            }
            self.file(*base, sure_bytes, *base >= last, progress)?;
        }
        Ok(())
    }

    fn file(&mut self, base: i64, sure_bytes: u64, may_be_torn: bool, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        let file = match self.disk.open(&segment_path(self.dir, base), OpenMode::Read) {
            Ok(file) => file,
            // Dropped by the retention of a running server since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = file.length()?;
        self.report.files += 1;
        self.report.bytes += length;
        if let Some(next) = self.next.filter(|next| *next != base) {
            let what = format!("the file before ends with offset {next}");
            self.damage(base, 0, next, what);
        }
        if length < sure_bytes {
            self.damage(
                base,
                length,
                base,
                format!("the file has {length} bytes, right would be {sure_bytes} or more"),
            );
        }
        let mut walk = Walk::new(file.as_ref(), (0, base), length, WALK_BYTES);
        let broken = loop {
            let from = walk.at();
            match self.batch(&mut walk) {
                Ok(true) => progress(walk.at() - from),
                Ok(false) => break None,
                Err(WalkError::Damaged { at, what }) => break Some((at, what)),
                Err(WalkError::Io(error)) => return Err(error),
            }
        };
        self.next = Some(walk.offset());
        if let Some((at, what)) = broken {
            progress(length.saturating_sub(at));
            if at >= sure_bytes && may_be_torn {
                self.report.torn_bytes += length.saturating_sub(at);
            } else {
                self.damage(base, at, walk.offset(), format!("{what}; what follows in this file cannot be read"));
            }
            self.next = None;
        }
        Ok(())
    }

    /// Looks at the next batch, if there is one.
    fn batch(&mut self, walk: &mut Walk<'_>) -> Result<bool, WalkError> {
        let Some(head) = walk.head()? else { return Ok(false) };
        let at = walk.at();
        walk.hold(&head)?;
        let damaged = |what| WalkError::Damaged { at, what };
        head.check(walk.held(&head)).map_err(|error| damaged(error.to_string()))?;
        if head.first_ms < self.max_ms || head.max_ms < head.first_ms {
            return Err(damaged(format!("times run backwards: {} after {}", head.first_ms, self.max_ms)));
        }
        self.max_ms = head.max_ms;
        self.report.records += u64::from(head.count.unsigned_abs());
        walk.pass(&head);
        Ok(true)
    }

    fn damage(&mut self, base: i64, at: u64, offset: i64, what: String) {
        let file = segment_path(self.dir, base).display().to_string();
        self.report.damage.push(Damage { file, offset: at, sequence: offset.unsigned_abs(), what });
    }
}
