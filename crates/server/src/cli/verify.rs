//! `cordboard log`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print};
use crate::log::disk::RealDisk;
use crate::log::{VerifyReport, verify};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read every byte of a log and say whether it is as it was written; changes nothing, the server may run
    Verify {
        /// The folder of a tenant (`DATA/tenants/NAME`) or of its log
        dir: PathBuf,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Verify { dir } = command;
    let below = dir.join("log");
    let dir = if below.is_dir() { &below } else { dir };
    let bar = bar();
    let begun = Instant::now();
    let report = verify(&RealDisk, dir, &mut |progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_done);
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| Failure::failed(format!("{}: {error}", dir.display())))?;
    if report.segments == 0 && report.snapshots.is_empty() && report.damage.is_empty() {
        let message = format!("{} holds no log; right would be DATA/tenants/NAME", dir.display());
        return Err(Failure::wrong_usage(message));
    }
    print(&summary(dir, &report, begun.elapsed().as_secs_f64()))?;
    if report.is_sound() { Ok(()) } else { Err(Failure::failed(format!("{} is damaged", dir.display()))) }
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
    for damage in &report.damage {
        let (file, offset, sequence, what) = (&damage.file, damage.offset, damage.sequence, &damage.what);
        _ = writeln!(text, "DAMAGE     {file}, offset {offset}, event {sequence}: {what}");
    }
    _ = writeln!(text, "result     {}", if report.is_sound() { "sound" } else { "DAMAGED" });
    text
}
