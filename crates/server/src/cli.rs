//! The command line.

mod bench;
mod catalogue;
mod conformance;
mod key;
mod scenario;
mod serve;
mod settings;
mod tail;
mod token;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// It did what it should.
const WELL: u8 = 0;
/// It could not do what it should.
const FAILED: u8 = 1;
/// It was called or configured wrongly.
const WRONG_USAGE: u8 = 2;

/// The real-time event engine for contact centres: it listens to phone systems, keeps the state of every call, agent,
/// device and queue, and tells every change in the vocabularies that applications already speak.
#[derive(Debug, Parser)]
#[command(name = "cordboard", version, max_term_width = 110, after_help = AFTER_HELP)]
struct Cordboard {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Without a phone system:
  cordboard serve --demo                          a lively contact centre; prints addresses and accounts

First steps with yours:
  cordboard default-config > cordboard.toml      then fill in a tenant and its Asterisk, at the end of the file
  cordboard check-config --config cordboard.toml
  cordboard serve --config cordboard.toml
  cordboard token create --tenant acme --name me > token
  cordboard tail --token-file token

Exit codes: 0 well, 1 failed, 2 wrong usage or configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen to the phone systems of a configuration and serve their events
    Serve(serve::Args),
    /// Show events as they happen: coloured lines on a terminal, one JSON value a line in a pipe
    Tail(tail::Args),
    /// Play a recorded session of a phone system through everything, offline
    Replay(crate::replay::Args),
    /// Play stories of a contact centre on the built-in switch, and see what is told of them
    #[command(subcommand)]
    Scenario(scenario::Command),
    /// Play executable call models on the built-in switch; writes every event as a line of JSON
    Conformance(crate::conformance::Args),
    /// Make, list and revoke the tokens that open the interface
    Token(token::Args),
    /// List, rotate and retire the keys that sign JWTs for the hub
    Key(key::Args),
    /// Show what can be told: vocabularies, their messages, the fields and JSON Schema of one
    Catalogue(catalogue::Args),
    /// Look for mistakes in a configuration
    CheckConfig(settings::CheckArgs),
    /// Print a configuration with all settings, their defaults and what they mean
    DefaultConfig,
    /// Look into the log of a tenant
    #[command(subcommand)]
    Log(verify::Command),
    /// Measure this machine; prints lines of JSON
    #[command(subcommand)]
    Bench(bench::Command),
}

/// Does what the arguments say.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cordboard::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Replay(args) => replay(&args),
        Command::Scenario(command) => scenario::run(&command),
        Command::Conformance(args) => conformance::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Catalogue(args) => catalogue::run(&args),
        Command::CheckConfig(args) => settings::check(&args),
        Command::DefaultConfig => print(&crate::config::default_config()),
        Command::Log(command) => verify::run(&command),
        Command::Bench(command) => bench::run(&command),
    };
    match done {
        Ok(()) => ExitCode::from(WELL),
        Err(failure) => {
            // The last thing that could be told is told nowhere if standard error is gone, too.
            _ = writeln!(io::stderr(), "cordboard: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn replay(args: &crate::replay::Args) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match crate::replay::run(args, &mut out) {
        Ok(()) => out.flush().or_else(quietly),
        Err(error) => {
            if let crate::replay::ReplayError::Write(error) = &error
                && error.kind() == io::ErrorKind::BrokenPipe
            {
                return Ok(());
            }
            Err(Failure::failed(error))
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).or_else(quietly)
}

/// Whoever reads our output may stop reading, as `head` does.
fn quietly(error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(Failure::failed(error)) }
}

/// Why a command ends with another code than 0.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self { code: FAILED, message: error.to_string() }
    }

    fn wrong_usage(error: impl std::fmt::Display) -> Self {
        Self { code: WRONG_USAGE, message: error.to_string() }
    }
}

/// A runtime for what waits for sockets.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(Failure::failed)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cordboard::command().debug_assert();
    }
}
