//! `cordboard-sim [FIRST [COUNT]]`: plays every recording under these seeds, mistreated, and says which seed fails.

use std::process::ExitCode;

use cordboard_sim::chance::Chance;
use cordboard_sim::faults::{Connection, repeat, swap};
use cordboard_sim::invariants::{End, check};
use cordboard_sim::life::{play, recordings, recordings_folder};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (first, count) = (numbers.next().unwrap_or(Ok(0)), numbers.next().unwrap_or(Ok(20)));
    let (Ok(first), Ok(count)) = (first, count) else {
        eprintln!("usage: cordboard-sim [FIRST_SEED [HOW_MANY]], both whole numbers");
        return ExitCode::from(2);
    };
    match run(first, count) {
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

fn run(first: u64, count: u64) -> Result<u64, String> {
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
