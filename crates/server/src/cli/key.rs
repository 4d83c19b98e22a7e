//! `cordboard key`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;

use super::tail::date_time;
use super::{Failure, print};
use crate::clock::Clock;
use crate::config;
use crate::identity::keys::Keys;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The configuration that says where the data directory is
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// The data directory, instead of what the configuration says
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all keys, without what is secret
    List,
    /// Make a new key that signs from now on; the one before verifies what it signed until that has expired. A running
    /// server takes it at once, and no connection ends
    Rotate,
    /// Take a key out at once: what it signed opens no connection any more
    Retire {
        /// Its name, as `list` shows it
        kid: String,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = config::load(args.config.as_deref()).map_err(Failure::wrong_usage)?;
    let keys = Keys::new(args.data.as_ref().unwrap_or(&config.data));
    let now = Clock::default().now();
    match &args.command {
        Command::List => {
            let ring = keys.ring().map_err(Failure::failed)?;
            let mut lines = format!("{:<12}  {:<9}  {:<20}  {}\n", "KEY", "ALGORITHM", "CREATED", "STATE");
            for key in ring.good(now) {
                let (kid, created) = (&key.kid, date_time(key.created_at));
                let state = match key.verifies_until() {
                    None => "signs".to_owned(),
                    Some(until) => format!("verifies until {}", date_time(until)),
                };
                _ = writeln!(lines, "{kid:<12}  {:<9}  {created:<20}  {state}", key.algorithm.word());
            }
            print(&lines)
        }
        Command::Rotate => {
            let kid = keys.rotate(now).map_err(Failure::failed)?;
            print(&format!("{kid} signs from now on\n"))
        }
        Command::Retire { kid } => {
            keys.retire(kid, now).map_err(Failure::failed)?;
            print(&format!("retired {kid}\n"))
        }
    }
}
