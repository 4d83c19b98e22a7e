//! `cordboard check-config`.

use std::path::PathBuf;

use super::{Failure, print};
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG")]
    config: PathBuf,
}

/// Says what is wrong, a line each, or what would be done.
pub(super) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let config = config::load(Some(&args.config)).map_err(Failure::wrong_usage)?;
    let sources: usize = config.tenant.iter().map(|tenant| tenant.asterisk.len()).sum();
    let boxed: usize = config.tenant.iter().map(|tenant| tenant.boxed.len()).sum();
    let boxed = if boxed > 0 { format!("{boxed} built-in switch(es), ") } else { String::new() };
    let (tenants, listen) = (config.tenant.len(), config.http.listen);
    print(&format!(
        "{} is right: {tenants} tenant(s), {sources} Asterisk(s), {boxed}HTTP on {listen}\n",
        args.config.display()
    ))
}
