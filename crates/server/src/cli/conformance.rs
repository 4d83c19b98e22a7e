//! `cordboard conformance`.

use std::fs::File;
use std::io::{self, Write};

use super::{Failure, quietly};
use crate::conformance::{Args, ConformanceError, run as play};

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let played = match &args.events {
        Some(path) => {
            let file = File::create(path)
                .map_err(|error| Failure::wrong_usage(format!("cannot write {}: {error}", path.display())))?;
            let mut out = io::BufWriter::new(file);
            play(&args.dir, &mut out).and_then(|summary| {
                out.flush().map_err(ConformanceError::Write)?;
                Ok(summary)
            })
        }
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            play(&args.dir, &mut out).and_then(|summary| {
                out.flush().map_err(ConformanceError::Write)?;
                Ok(summary)
            })
        }
    };
    let summary = match played {
        Ok(summary) => summary,
        Err(ConformanceError::Write(error)) => return quietly(error),
        Err(error @ (ConformanceError::Read { .. } | ConformanceError::NoModels { .. })) => {
            return Err(Failure::wrong_usage(error));
        }
    };
    for wrong in &summary.wrong {
        eprintln!("{wrong}");
    }
    let (models, skipped, events, refused) = (summary.models, summary.skipped, summary.events, summary.refused);
    eprintln!("{models} models played, {skipped} skipped, {events} events written, {refused} requests refused");
    match summary.wrong.len() {
        0 => Ok(()),
        1 => Err(Failure::failed("1 model could not be played as it is written")),
        many => Err(Failure::failed(format!("{many} things in the models could not be played as they are written"))),
    }
}
