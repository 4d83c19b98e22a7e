//! `cordboard log`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print};
use crate::log::disk::RealDisk;
use crate::log::{Damage, VerifyProgress, VerifyReport, verify};
use crate::topics::{self, VerifyTopicsReport};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read every byte of a log and of topics and say whether it is as it was written; changes nothing, the server may
    /// run
    Verify {
        /// The folder of a tenant (`DATA/tenants/NAME`), of its log or of its topics
        dir: PathBuf,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Verify { dir } = command;
    if dir.join(topics::JOURNAL).is_dir() {
        return of_topics(dir);
    }
    let below = dir.join("log");
    let log = of_log(if below.is_dir() { &below } else { dir });
    let below = dir.join("topics");
    // Both are told of, whatever is wrong with one.
    let topics = if below.join(topics::JOURNAL).is_dir() { of_topics(&below) } else { Ok(()) };
    log.and(topics)
}

fn of_log(dir: &Path) -> Result<(), Failure> {
    let (report, seconds) = walk(dir, |progress| verify(&RealDisk, dir, progress))?;
    if report.segments == 0 && report.snapshots.is_empty() && report.damage.is_empty() {
        let message = format!("{} holds no log; right would be DATA/tenants/NAME", dir.display());
        return Err(Failure::wrong_usage(message));
    }
    print(&summary(dir, &report, seconds))?;
    if report.is_sound() { Ok(()) } else { Err(Failure::failed(format!("{} is damaged", dir.display()))) }
}

fn of_topics(dir: &Path) -> Result<(), Failure> {
    let (report, seconds) = walk(dir, |progress| topics::verify(&RealDisk, dir, progress))?;
    print(&summary_of_topics(dir, &report, seconds))?;
    if report.is_sound() { Ok(()) } else { Err(Failure::failed(format!("{} is damaged", dir.display()))) }
}

/// Shows how far the work is, and tells how many seconds it took.
fn walk<T>(
    dir: &Path,
    work: impl FnOnce(&mut dyn FnMut(VerifyProgress)) -> io::Result<T>,
) -> Result<(T, f64), Failure> {
    let bar = bar();
    let begun = Instant::now();
    let done = work(&mut |progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_done);
    });
    bar.finish_and_clear();
    let done = done.map_err(|error| Failure::failed(format!("{}: {error}", dir.display())))?;
    Ok((done, begun.elapsed().as_secs_f64()))
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let form = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    // A bar without a form of its own is a bar all the same.
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

fn summary(dir: &Path, report: &VerifyReport, seconds: f64) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let position =
        |position: Option<crate::log::Position>| position.map_or_else(|| "-".to_owned(), |it| it.to_string());
    _ = writeln!(text, "log        {}", dir.display());
    _ = writeln!(text, "events     {}, from {} to {}", report.records, position(report.first), position(report.last));
    _ = writeln!(text, "files      {}, {} bytes, read in {seconds:.2} s", report.segments, report.bytes);
    let snapshots: Vec<String> = report.snapshots.iter().map(ToString::to_string).collect();
    _ = writeln!(text, "snapshots  {}", if snapshots.is_empty() { "none".to_owned() } else { snapshots.join(", ") });
    if report.torn_tail_bytes > 0 {
        let bytes = report.torn_tail_bytes;
        _ = writeln!(text, "torn tail  {bytes} bytes of a write under way or cut short; nobody was told of them");
    }
    end(&mut text, ["offset", "event"], &report.damage, report.is_sound());
    text
}

fn summary_of_topics(dir: &Path, report: &VerifyTopicsReport, seconds: f64) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    _ = writeln!(text, "topics     {}", dir.display());
    _ = writeln!(text, "records    {} in {} partitions", report.records, report.partitions);
    _ = writeln!(text, "files      {}, {} bytes, read in {seconds:.2} s", report.files, report.bytes);
    _ = writeln!(text, "journal    {} records, {} bytes", report.journal.records, report.journal.bytes);
    if report.torn_bytes > 0 {
        let bytes = report.torn_bytes;
        _ = writeln!(text, "torn tail  {bytes} bytes of writes under way or cut short; the journal has what they were");
    }
    let journal = report.journal.damage.iter();
    end(&mut text, ["byte", "offset"], &journal.chain(&report.damage).cloned().collect::<Vec<_>>(), report.is_sound());
    text
}

fn end(text: &mut String, [at, counted]: [&str; 2], damage: &[Damage], is_sound: bool) {
    use std::fmt::Write as _;
    for damage in damage {
        let (file, offset, sequence, what) = (&damage.file, damage.offset, damage.sequence, &damage.what);
        _ = writeln!(text, "DAMAGE     {file}, {at} {offset}, {counted} {sequence}: {what}");
    }
    _ = writeln!(text, "result     {}", if is_sound { "sound" } else { "DAMAGED" });
}
