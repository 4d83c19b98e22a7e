//! Opening a store: every partition is cut to the checkpoint, and what the journal has after it is applied again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cordboard_kafka::batch::{BatchError, BatchHead, HEAD_BYTES};
use tokio::sync::watch;

use super::append::Appender;
use super::checkpoint::{Checkpoint, CheckpointError, PartitionKept, SegmentKept, TopicKept, UnderWay};
use super::index::Index;
use super::journal::{self, Commit, JournalError, Parts, Touched};
use super::partition::{Cache, Extent, Files, OpenFile, Partition, Segment, Slot};
use super::{Shared, Topic, TopicLimits, TopicStore, TopicWriter, segment_base, segment_path};
use crate::log::disk::{self, Disk, OpenMode};
use crate::log::{self, Log, Opened, Position, TornTail};

/// Name of the folder of the journal; no topic may have it.
pub(crate) const JOURNAL: &str = "journal";

/// What was found when a store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenTopicsReport {
    /// There was none, and a new one was founded.
    pub founded: bool,
    /// Commits that were applied again.
    pub commits_replayed: u64,
    /// Bytes of their batches.
    pub bytes_replayed: u64,
    /// An incomplete last commit that was cut off the journal; nobody was told of it.
    pub torn_tail: Option<TornTail>,
    /// Partitions ("topic/number") whose oldest files are gone since the last checkpoint: retention was at work when
    /// the process before ended.
    pub dropped: Vec<String>,
    /// Checkpoints that cannot be used; an older one was.
    pub damaged_checkpoints: Vec<String>,
}

/// Opens the store in `dir`, or founds one there. `epoch` is that of the tenant's log, where the first position is.
///
/// # Errors
/// [`OpenTopicsError`].
pub fn open(
    disk: Arc<dyn Disk>,
    dir: &Path,
    topics: &[Topic],
    limits: TopicLimits,
    epoch: u32,
) -> Result<(TopicWriter, TopicStore), OpenTopicsError> {
    check_topics(topics)?;
    let journal_dir = dir.join(JOURNAL);
    let opened = log::open(Arc::clone(&disk), &journal_dir, journal::limits(limits.journal_bytes_max), epoch)?;
    let Opened { writer: journal, log, report } = opened;
    let latest = log.latest_snapshot();
    let damaged = report.damaged_snapshots.into_iter().chain(latest.damaged);
    let mut report = OpenTopicsReport {
        founded: report.founded,
        torn_tail: report.torn_tail,
        damaged_checkpoints: damaged.map(|it| format!("{}: {}", it.file, it.why)).collect(),
        ..OpenTopicsReport::default()
    };
    let nowhere = Position { epoch: log.durable().epoch, sequence: 0 };
    let (after, checkpoint) = match latest.snapshot {
        Some(snapshot) => {
            let checkpoint = Checkpoint::decode(&snapshot.bytes)
                .map_err(|why| OpenTopicsError::Checkpoint { dir: journal_dir.clone(), why })?;
            (snapshot.position, checkpoint)
        }
        None if log.oldest().sequence > 0 => {
            let why = format!("there is none, though the journal needs one {}", report.damaged_checkpoints.join("; "));
            return Err(OpenTopicsError::Checkpoint { dir: journal_dir, why });
        }
        None => (nowhere, Checkpoint::new(Position { epoch, sequence: 0 }, Vec::new())),
    };
    if report.founded
        && let Some(file) = any_batches(disk.as_ref(), dir)?
    {
        return Err(OpenTopicsError::NoJournal { dir: dir.to_owned(), file });
    }
    let files =
        Files { disk, cache: Cache::new(limits.segment_bytes_max), segment_bytes_max: limits.segment_bytes_max };
    let mut recovery = Recovery { files, dir, limits, partitions: BTreeMap::new(), upto: checkpoint.upto() };
    for topic in &checkpoint.topics {
        for (number, kept) in (0..).zip(&topic.partitions) {
            recovery.add(&topic.name, number, kept)?;
        }
    }
    recovery.replay(&log, after, &mut report)?;
    recovery.settle(&mut report)?;
    tell(&report);
    let had: Vec<_> = checkpoint.topics.iter().map(|topic| (topic.name.as_str(), topic.partitions.len())).collect();
    let is_as_it_was = topics.iter().all(|topic| had.contains(&(topic.name.as_str(), topic.partitions as usize)));
    let is_noted = is_as_it_was && report.commits_replayed == 0 && report.damaged_checkpoints.is_empty();
    let (mut writer, store) = recovery.finish(topics, journal, log, report)?;
    if !is_noted {
        match writer.due().take() {
            Ok(()) => {}
            // What was applied again will be applied once more.
            Err(CheckpointError::Store(error)) if disk::is_full(&error) => {}
            Err(CheckpointError::Store(error) | CheckpointError::Sync(error)) => return Err(error.into()),
        }
    }
    Ok((writer, store))
}

/// Tells the operator what is not as after an end in peace.
fn tell(report: &OpenTopicsReport) {
    for why in &report.damaged_checkpoints {
        tracing::warn!(%why, "a checkpoint of the topics cannot be used; the one before was");
    }
    if !report.dropped.is_empty() {
        let partitions = report.dropped.join(", ");
        tracing::warn!(%partitions, "topics begin later than at their last checkpoint: right if retention was at work when the process before ended");
    }
}

fn check_topics(topics: &[Topic]) -> Result<(), OpenTopicsError> {
    let mut names = BTreeSet::new();
    for topic in topics {
        let name = topic.name.as_str();
        if !Topic::is_name(name) || name == JOURNAL || !names.insert(name) || topic.partitions == 0 {
            return Err(OpenTopicsError::Topic { name: name.chars().take(Topic::NAME_BYTES_MAX).collect() });
        }
    }
    Ok(())
}

/// A file of a partition, if there is any.
fn any_batches(disk: &dyn Disk, dir: &Path) -> io::Result<Option<PathBuf>> {
    for (_, _, dir) in partitions_in(disk, dir)? {
        if let Some(base) = bases(disk, &dir)?.first() {
            return Ok(Some(segment_path(&dir, *base)));
        }
    }
    Ok(None)
}

/// The partitions that have a folder: topic, number, folder.
pub(super) fn partitions_in(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<(String, u32, PathBuf)>> {
    let mut partitions = Vec::new();
    for topic in disk.folders(dir)? {
        for number in disk.folders(&dir.join(&topic))? {
            let dir = dir.join(&topic).join(&number);
            partitions.extend(number.parse().ok().map(|number| (topic.clone(), number, dir)));
        }
    }
    Ok(partitions)
}

/// The offsets with which the files of a partition begin, smallest first.
pub(super) fn bases(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<i64>> {
    match disk.list(dir) {
        Ok(names) => Ok(names.iter().filter_map(|name| segment_base(name)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A store that is being opened.
struct Recovery<'a> {
    files: Files,
    dir: &'a Path,
    limits: TopicLimits,
    partitions: BTreeMap<(String, u32), Recovered>,
    upto: Position,
}

/// A partition that is being opened.
struct Recovered {
    appender: Appender,
    /// Where the oldest file begins, if that is behind everything of the checkpoint: what the journal has before was
    /// dropped.
    from: Option<i64>,
    /// Files of the checkpoint are gone.
    is_shorter: bool,
    /// The oldest file is to be made anew.
    remake: bool,
}

impl Recovery<'_> {
    fn add(&mut self, topic: &str, number: u32, kept: &PartitionKept) -> Result<&mut Recovered, OpenTopicsError> {
        let dir = self.dir.join(topic).join(number.to_string());
        let found = Found::look(&self.files, &dir, kept)?;
        let mut active = None;
        let mut segments =
            found.segments.into_iter().map(|is| Segment { is, slot: Arc::default() }).collect::<Vec<_>>();
        if let Some(last) = segments.last_mut() {
            let file = self.files.disk.open(&segment_path(&dir, last.is.base), OpenMode::Write)?;
            if file.length()? != last.is.bytes {
                file.set_len(last.is.bytes)?;
            }
            let open = OpenFile::new(file, Index::new(last.is.bytes));
            last.slot = Slot::active(Arc::clone(&open));
            active = Some((last.clone(), open));
        }
        let extent = Extent { end: kept.end, segments: segments.into() };
        let partition = Arc::new(Partition::new(dir, extent));
        let appender = Appender::new(partition, self.limits.batch_bytes_max, active);
        let Found { from, is_shorter, remake, .. } = found;
        let recovered = Recovered { appender, from, is_shorter, remake };
        Ok(self.partitions.entry((topic.to_owned(), number)).insert_entry(recovered).into_mut())
    }

    fn replay(&mut self, log: &Log, after: Position, report: &mut OpenTopicsReport) -> Result<(), OpenTopicsError> {
        let mut reader = log.reader(after)?;
        let mut parts = Parts::default();
        while let Some(record) = reader.next()? {
            let commit = parts.take(&record.payload);
            let commit = commit.map_err(|why| OpenTopicsError::Journal { position: record.position, why })?;
            if let Some(Commit { upto, touched }) = commit {
                for touched in &touched {
                    self.apply(touched, record.position)?;
                    report.bytes_replayed += touched.batches.len() as u64;
                }
                self.upto = upto;
                report.commits_replayed += 1;
            }
        }
        Ok(())
    }

    fn apply(&mut self, touched: &Touched, position: Position) -> Result<(), OpenTopicsError> {
        let key = (touched.topic.clone(), touched.partition);
        if !self.partitions.contains_key(&key) {
            self.add(&touched.topic, touched.partition, &PartitionKept::default())?;
        }
        let Some(recovered) = self.partitions.get_mut(&key) else { return Ok(()) };
        let mut left: Bytes = touched.batches.clone();
        while !left.is_empty() {
            let damaged = |why| OpenTopicsError::Batch { position, partition: name(&key.0, key.1), why };
            let head = BatchHead::decode(&left).map_err(damaged)?;
            if head.bytes > left.len() {
                return Err(damaged(BatchError::Short));
            }
            let batch = left.split_to(head.bytes);
            let (end, from) = (recovered.appender.end(), recovered.from.unwrap_or(0));
            if head.base_offset != end || (head.base_offset < from && head.next_offset > from) {
                let partition = name(&key.0, key.1);
                return Err(OpenTopicsError::Hole { position, partition, end, found: head.base_offset });
            }
            if head.base_offset < from {
                recovered.appender.pass(&head);
            } else {
                recovered.appender.write(&self.files, &batch, &head)?;
                recovered.remake = false;
            }
        }
        Ok(())
    }

    /// Looks whether everything that files tell of was in the journal, and shows it.
    fn settle(&mut self, report: &mut OpenTopicsReport) -> Result<(), OpenTopicsError> {
        for ((topic, number), recovered) in &mut self.partitions {
            let appender = &mut recovered.appender;
            if let Some(from) = recovered.from
                && appender.end() < from
            {
                let (file, end) = (appender.partition.path(from), appender.end());
                return Err(OpenTopicsError::Missing { file, from: end, to: from });
            }
            if recovered.is_shorter {
                report.dropped.push(name(topic, *number));
            }
            if recovered.remake && recovered.from.is_none() {
                // Files are made after the journal has what goes into them, and it has nothing.
                return Err(OpenTopicsError::Foreign { file: appender.partition.path(appender.end()) });
            }
            if recovered.remake {
                appender.roll(&self.files)?;
            }
            appender.publish();
            appender.restart();
        }
        Ok(())
    }

    fn finish(
        mut self,
        topics: &[Topic],
        journal: log::Writer,
        log: Log,
        report: OpenTopicsReport,
    ) -> Result<(TopicWriter, TopicStore), OpenTopicsError> {
        let mut appenders = Vec::new();
        for topic in topics {
            let is_of_topic = |(name, _): &&(String, u32)| *name == topic.name;
            let kept = self.partitions.keys().filter(is_of_topic).map(|(_, number)| number + 1).max().unwrap_or(0);
            if kept > topic.partitions {
                let (topic, wanted) = (topic.name.clone(), topic.partitions);
                return Err(OpenTopicsError::Fewer { topic, kept, wanted });
            }
            let mut of_topic = Vec::new();
            for number in 0..topic.partitions {
                let key = (topic.name.clone(), number);
                if !self.partitions.contains_key(&key) {
                    let dir = self.dir.join(&topic.name).join(number.to_string());
                    if let Some(base) = bases(self.files.disk.as_ref(), &dir)?.first() {
                        return Err(OpenTopicsError::Foreign { file: segment_path(&dir, *base) });
                    }
                    self.add(&topic.name, number, &PartitionKept::default())?;
                }
                of_topic.extend(self.partitions.remove(&key).map(|recovered| recovered.appender));
            }
            appenders.push(of_topic);
        }
        let mut dormant: Vec<TopicKept> = Vec::new();
        for ((topic, number), mut recovered) in self.partitions {
            for file in recovered.appender.unsynced() {
                file.sync_data()?;
            }
            if dormant.last().is_none_or(|last| last.name != topic) {
                dormant.push(TopicKept { name: topic, partitions: Vec::new() });
            }
            if let Some(last) = dormant.last_mut() {
                last.partitions.resize_with(number as usize, PartitionKept::default);
                last.partitions.push(recovered.appender.partition.kept());
            }
        }
        let partitions = appenders
            .iter()
            .map(|of_topic: &Vec<Appender>| of_topic.iter().map(|it| Arc::clone(&it.partition)).collect())
            .collect();
        let bell = watch::Sender::new(0);
        let shared = Arc::new(Shared { files: Arc::new(self.files), topics: topics.to_vec(), partitions, bell });
        let writer = TopicWriter {
            under_way: UnderWay::default(),
            in_background: false,
            shared: Arc::clone(&shared),
            limits: self.limits,
            journal,
            log,
            appenders,
            dormant,
            upto: self.upto,
            handed: None,
            grown_bytes: 0,
            poison: None,
            report,
        };
        Ok((writer, TopicStore { shared }))
    }
}

/// What of a partition is on disk as its checkpoint says. Files behind that are removed: the journal has what was in
/// them.
struct Found {
    segments: Vec<SegmentKept>,
    from: Option<i64>,
    is_shorter: bool,
    remake: bool,
}

impl Found {
    fn look(files: &Files, dir: &Path, kept: &PartitionKept) -> Result<Self, OpenTopicsError> {
        let disk = files.disk.as_ref();
        let there = bases(disk, dir)?;
        let oldest = there.first().copied();
        let mut segments = kept.segments.clone();
        if let (Some(first), None) = (segments.first(), oldest) {
            return Err(OpenTopicsError::Missing {
                file: segment_path(dir, first.base),
                from: first.base,
                to: kept.end,
            });
        }
        let foreign = |base| OpenTopicsError::Foreign { file: segment_path(dir, base) };
        let start = segments.first().map_or(kept.end, |first| first.base);
        if let Some(oldest) = oldest.filter(|oldest| *oldest < start) {
            return Err(foreign(oldest));
        }
        // Retention removes the oldest first, and may have gone on after the checkpoint.
        segments.retain(|segment| oldest.is_none_or(|oldest| segment.base >= oldest));
        let mut from = None;
        match (segments.first(), oldest) {
            (Some(first), Some(oldest)) if first.base != oldest => return Err(foreign(oldest)),
            (None, Some(oldest)) if oldest < kept.end => return Err(foreign(oldest)),
            (None, Some(oldest)) if oldest > start => from = Some(oldest),
            (Some(_) | None, Some(_) | None) => {}
        }
        for (place, segment) in segments.iter().enumerate() {
            let next = segments.get(place + 1).map(|next| next.base);
            check_segment(disk, dir, segment, next, kept.end)?;
        }
        // The oldest one stays whatever happens: its name says what was dropped.
        let last = segments.last().map(|last| last.base).or(oldest);
        let surplus: Vec<i64> = there.into_iter().filter(|base| last.is_some_and(|last| *base > last)).collect();
        for base in &surplus {
            disk.remove(&segment_path(dir, *base))?;
        }
        // The process before may have been killed between the removal of an old file and its sync.
        if !surplus.is_empty() || oldest.is_some_and(|oldest| oldest > start) {
            disk.sync_dir(dir)?;
        }
        let is_shorter = from.is_some() || segments.len() < kept.segments.len();
        Ok(Self { remake: segments.is_empty() && oldest.is_some(), segments, from, is_shorter })
    }
}

/// Whether a file has the length that its checkpoint says, and begins and ends with the batches that belong there.
fn check_segment(
    disk: &dyn Disk,
    dir: &Path,
    segment: &SegmentKept,
    next: Option<i64>,
    end: i64,
) -> Result<(), OpenTopicsError> {
    let path = segment_path(dir, segment.base);
    let file = match disk.open(&path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let to = next.unwrap_or(end);
            return Err(OpenTopicsError::Missing { file: path, from: segment.base, to });
        }
        Err(error) => return Err(OpenTopicsError::Io(error)),
    };
    let found = file.length()?;
    // Only the last one was written to after the checkpoint.
    if found < segment.bytes || (next.is_some() && found > segment.bytes) {
        return Err(OpenTopicsError::Length { file: path, found, right: segment.bytes });
    }
    if segment.bytes == 0 {
        return Ok(());
    }
    for (at, is_last) in [(0, false), (segment.last_at, true)] {
        let damaged = |what: String| OpenTopicsError::Damaged { file: path.clone(), at, what };
        let bytes = disk::read_up_to(file.as_ref(), at, HEAD_BYTES)?;
        let head = BatchHead::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
        let (begins, ends) = (head.base_offset == segment.base, head.next_offset == next.unwrap_or(end));
        if if is_last { !ends || at + head.bytes as u64 != segment.bytes } else { !begins } {
            let (from, to) = (head.base_offset, head.next_offset);
            let what = format!("the batch there has the offsets {from} to {to} and {} bytes", head.bytes);
            return Err(damaged(what));
        }
    }
    Ok(())
}

fn name(topic: &str, number: u32) -> String {
    format!("{topic}/{number}")
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenTopicsError {
    /// A topic that cannot be.
    #[error(
        "{name:?} is not possible as a topic; right would be a name of its own, of 1 to 249 letters, digits, `.`, `_` \
         or `-`, other than `journal`, and one partition or more"
    )]
    Topic {
        /// Its name.
        name: String,
    },
    /// Fewer partitions than there are.
    #[error(
        "the topic {topic} has {kept} partitions and cannot have {wanted}: their records would be out of reach; right \
         would be topics.partitions = {kept} or more"
    )]
    Fewer {
        /// The topic.
        topic: String,
        /// How many there are.
        kept: u32,
        /// How many were wanted.
        wanted: u32,
    },
    /// The journal is no sound log.
    #[error("the journal of the topics: {0}")]
    Log(#[from] log::OpenError),
    /// The journal cannot be read.
    #[error("the journal of the topics: {0}")]
    Read(#[from] log::ReadError),
    /// A record of the journal says nothing to us.
    #[error("record {position} of the journal of the topics: {why}. {}", WHAT_TO_DO)]
    Journal {
        /// The record.
        position: Position,
        /// What is wrong.
        #[source]
        why: JournalError,
    },
    /// A batch in the journal is none.
    #[error("record {position} of the journal has a batch for {partition} that is none: {why}. {}", WHAT_TO_DO)]
    Batch {
        /// The record.
        position: Position,
        /// The partition.
        partition: String,
        /// What is wrong.
        #[source]
        why: BatchError,
    },
    /// A batch in the journal does not follow what is there.
    #[error(
        "record {position} of the journal has a batch with offset {found} for {partition}, where right would be {end}. \
         {}",
        WHAT_TO_DO
    )]
    Hole {
        /// The record.
        position: Position,
        /// The partition.
        partition: String,
        /// The offset that should follow.
        end: i64,
        /// The offset that does.
        found: i64,
    },
    /// There is no usable checkpoint.
    #[error("the checkpoint in {} cannot be used: {why}. {}", dir.display(), WHAT_TO_DO)]
    Checkpoint {
        /// The journal's directory.
        dir: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There are records and no journal.
    #[error("{} has records ({}) and no journal: it is gone. {}", dir.display(), file.display(), WHAT_TO_DO)]
    NoJournal {
        /// The store's directory.
        dir: PathBuf,
        /// A file with records.
        file: PathBuf,
    },
    /// Records were there and their file is gone.
    #[error("{} is missing, with the offsets {from} to {to}. {}", file.display(), WHAT_TO_DO)]
    Missing {
        /// The file.
        file: PathBuf,
        /// The first offset missing.
        from: i64,
        /// The offset after the last one missing.
        to: i64,
    },
    /// A file is not of this store.
    #[error("{} is not a file of these topics: its offset fits none of them. {}", file.display(), WHAT_TO_DO)]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// A file is not as long as it was.
    #[error("{} has {found} bytes, right would be {right}. {}", file.display(), WHAT_TO_DO)]
    Length {
        /// The file.
        file: PathBuf,
        /// Its bytes.
        found: u64,
        /// The bytes that were on disk at the checkpoint.
        right: u64,
    },
    /// A file is not as it was written.
    #[error("{} is damaged at byte {at}: {what}. {}", file.display(), WHAT_TO_DO)]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes.
        at: u64,
        /// What stands there.
        what: String,
    },
    /// The system refused.
    #[error("cannot open the topics: {0}")]
    Io(#[from] io::Error),
}

/// What is right to do about damage.
const WHAT_TO_DO: &str = "See what is lost with `cordboard log verify`, then restore the folder of the topics from a \
                          copy, or move it away: they are then told anew from what the log still has, at new offsets";
