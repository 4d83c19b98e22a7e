//! `cordboard serve`.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::clock::Clock;
use crate::config::{self, Boxed, Config, Tenant};
use crate::demo::Demo;
use crate::open_files;
use crate::server::{HUB_PATH, Server};
use crate::tokens::Tokens;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration; without it only defaults and the environment count
    #[arg(long, value_name = "FILE", env = "CORDBOARD_CONFIG")]
    config: Option<PathBuf>,
    /// Where logs and tokens are kept, instead of what the configuration says
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Needs no phone system: the built-in switch plays a lively contact centre, for a tenant of its own
    #[arg(long)]
    demo: bool,
    /// Which life the demonstration lives; the same number is the same life
    #[arg(long, value_name = "N", default_value_t = 1, requires = "demo")]
    seed: u64,
    /// How fast the demonstration's clock goes, from 0.01 to 1000 seconds a second
    #[arg(long, value_name = "X", default_value_t = 1.0, requires = "demo")]
    speed: f64,
    /// Where to serve HTTP, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Where to serve Kafka's protocol, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    kafka: Option<SocketAddr>,
    /// What to write about: error, warn, info, debug, trace, or a filter like `cordboard_server=debug`
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "CORDBOARD_LOG_LEVEL")]
    log_level: String,
    /// Write what happens as lines of JSON
    #[arg(long)]
    log_json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut config = configuration(args)?;
    start_logging(args)?;
    let demo = demo(args)?;
    if demo.is_some() && args.kafka.is_none() {
        yield_to_another_kafka(&mut config);
    }
    // What a demonstration tells is not kept, unless somebody says where.
    let passing = (demo.is_some() && args.data.is_none()).then(tempfile::tempdir).transpose();
    let passing = passing.map_err(|error| Failure::failed(format!("no folder for the demonstration: {error}")))?;
    if let Some(passing) = &passing {
        config.data = passing.path().to_owned();
    }
    super::runtime()?.block_on(serve(&config, demo))
}

/// Where a Kafka runs already, or another demonstration, this one goes on without; who names an address means it.
fn yield_to_another_kafka(config: &mut Config) {
    let listener = &mut config.kafka_listener;
    if let Err(error) = std::net::TcpListener::bind(listener.listen) {
        tracing::warn!(address = %listener.listen, %error, "Kafka's protocol is not served; --kafka names another address");
        listener.enabled = false;
    }
}

fn demo(args: &Args) -> Result<Option<Demo>, Failure> {
    if !args.demo {
        return Ok(None);
    }
    if !(0.01..=1_000.0).contains(&args.speed) {
        return Err(Failure::wrong_usage(format!("--speed: {}; right would be from 0.01 to 1000", args.speed)));
    }
    // Within its bounds it fits.
    let speed_permille = (args.speed * 1_000.0).round() as u64;
    Ok(Some(Demo { seed: args.seed, speed_permille }))
}

fn configuration(args: &Args) -> Result<Config, Failure> {
    let mut config = config::load(args.config.as_deref()).map_err(Failure::wrong_usage)?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    if let Some(http) = args.http {
        config.http.listen = http;
    }
    if let Some(kafka) = args.kafka {
        (config.kafka_listener.enabled, config.kafka_listener.listen) = (true, kafka);
    }
    if args.demo {
        Demo::configure(&mut config).map_err(Failure::wrong_usage)?;
    }
    if config.tenant.is_empty() {
        let message = "tenant: there is none; right would be one [[tenant]] at least, as at the end of what \
                       `cordboard default-config` prints, or --demo";
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

async fn serve(config: &Config, demo: Option<Demo>) -> Result<(), Failure> {
    let kafka = if config.kafka_listener.enabled { config.kafka_listener.connections_max } else { 0 };
    let wanted = config.rte.connections_max.saturating_add(config.http.connections_max).saturating_add(kafka);
    if let Some(open) = open_files::raise().filter(|open| *open < wanted as u64) {
        tracing::warn!(
            open,
            wanted,
            "fewer connections can be open than rte.connections_max, http.connections_max and \
             kafka_listener.connections_max say"
        );
    }
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let built_in = |tenant: &Tenant, boxed: &Boxed, chance: u64| demo?.built_in(tenant, boxed, chance);
    let server = Server::start_with(config, &built_in).await.map_err(Failure::failed)?;
    let accounts = match demo {
        Some(_) => Demo::accounts(&Tokens::new(&config.data), Clock::default().now()).map_err(Failure::failed)?,
        None => Vec::new(),
    };
    let url = format!("http://{}", server.address());
    // Whoever started us without reading this does not need it.
    _ = writeln!(
        std::io::stdout(),
        "hub       {url}{HUB_PATH}\nevents    {url}/api/v1/events\nsnapshot  {url}/api/v1/snapshot\nrequests  {url}/api/v1/requests\n\
         ready     {url}/readyz\nmetrics   {url}/metrics"
    );
    if let Some(address) = server.kafka_address() {
        _ = writeln!(std::io::stdout(), "kafka     {address}");
    }
    for account in accounts {
        _ = writeln!(std::io::stdout(), "{account}");
    }
    let signal = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    };
    tracing::info!(signal, "stopping");
    server.stop().await.map_err(Failure::failed)
}
