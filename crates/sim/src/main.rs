//! `cordboard-sim [FIRST [COUNT]]`: plays every recording under these seeds, mistreated, and says which seed fails.
//! `cordboard-sim stories [FIRST [COUNT]]`: plays the stories of these seeds; one that fails is shortened and printed, so
//! that it can be saved as `scenarios/NAME/story.txt`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use cordboard_sim::chance::Chance;
use cordboard_sim::faults::{Connection, repeat, swap};
use cordboard_sim::invariants::{End, check};
use cordboard_sim::life::{play, recordings, recordings_folder};
use cordboard_sim::{author, stories};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let by_chance = arguments.next_if(|argument| argument == "stories").is_some();
    let mut numbers = arguments.map(|argument| argument.parse::<u64>());
    let usual = if by_chance { 1_000 } else { 20 };
    let (first, count) = (numbers.next().unwrap_or(Ok(0)), numbers.next().unwrap_or(Ok(usual)));
    let (Ok(first), Ok(count)) = (first, count) else {
        eprintln!("usage: cordboard-sim [stories] [FIRST_SEED [HOW_MANY]], both whole numbers");
        return ExitCode::from(2);
    };
    let run = if by_chance { play_stories(first, count) } else { play_recordings(first, count) };
    match run {
        Ok(lives) => {
            println!("{lives} lives under seeds {first} to {}: every invariant holds", first + count.saturating_sub(1));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Says each manner of failing once, with its first seed.
fn play_stories(first: u64, count: u64) -> Result<u64, String> {
    let mut failed: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for seed in first..first.saturating_add(count) {
        if let Err(why) = stories::check(&author::write(seed)) {
            failed.entry(stories::manner(&why)).or_insert((seed, 0)).1 += 1;
        }
    }
    if failed.is_empty() {
        return Ok(count);
    }
    let mut text = String::new();
    for (seed, times) in failed.into_values() {
        let short = stories::shorten(&author::write(seed));
        let why = stories::check(&short).err().unwrap_or_default();
        text.push_str(&format!("{times} of {count} fail so, the first is seed {seed}: {why}\n\n{short}\n"));
    }
    Err(text)
}

fn play_recordings(first: u64, count: u64) -> Result<u64, String> {
    let recordings = recordings(&recordings_folder())?;
    let mut lives = 0;
    for (name, recording) in &recordings {
        let parts: Vec<Connection> = recording.parts.iter().map(|part| part.tagged()).collect();
        let plain = play(&parts);
        check(&plain).map_err(|why| format!("{name}: {why}"))?;
        for seed in first..first.saturating_add(count) {
            let mut chance = Chance::new(seed);
            let mistreated: Vec<Connection> =
                parts.iter().map(|part| swap(&repeat(part, &mut chance), &mut chance)).collect();
            let life = play(&mistreated);
            check(&life).map_err(|why| format!("{name}, seed {seed}: {why}"))?;
            if End::of(&plain) != End::of(&life) {
                return Err(format!(
                    "{name}, seed {seed}: ends differently:\n{:#?}\n{:#?}",
                    End::of(&plain),
                    End::of(&life)
                ));
            }
            lives += 1;
        }
    }
    Ok(lives)
}
