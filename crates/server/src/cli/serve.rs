//! `cordboard serve`.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::{self, Config};
use crate::server::Server;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration; without it only defaults and the environment count
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG")]
    config: Option<PathBuf>,
    /// Where logs and tokens are kept, instead of what the configuration says
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to serve HTTP, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// What to write about: error, warn, info, debug, trace, or a filter like `cordboard_server=debug`
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "CORDBOARD_LOG_LEVEL")]
    log_level: String,
    /// Write what happens as lines of JSON
    #[arg(long)]
    log_json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = configuration(args)?;
    start_logging(args)?;
    super::runtime()?.block_on(serve(&config))
}

fn configuration(args: &Args) -> Result<Config, Failure> {
    let mut config = config::load(args.config.as_deref()).map_err(Failure::wrong_usage)?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    if let Some(http) = args.http {
        config.http.listen = http;
    }
    if config.tenant.is_empty() {
        let message = "tenant: there is none; right would be one [[tenant]] at least, as at the end of what \
                       `cordboard default-config` prints";
        return Err(Failure::wrong_usage(message));
    }
    Ok(config)
}

fn start_logging(args: &Args) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log_level)
        .map_err(|error| Failure::wrong_usage(format!("--log-level: {error}; right would be info")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if args.log_json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
    Ok(())
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let server = Server::start(config).await.map_err(Failure::failed)?;
    let url = format!("http://{}", server.address());
    // Whoever started us without reading this does not need it.
    _ = writeln!(
        std::io::stdout(),
        "events    {url}/api/v1/events\nsnapshot  {url}/api/v1/snapshot\nready     {url}/readyz\nmetrics   {url}/metrics"
    );
    let signal = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    tracing::info!(signal, "stopping");
    server.stop().await.map_err(Failure::failed)
}
