//! What many idle connections of the hub cost: memory each, and time to connect.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use super::crowd::{Crowd, Orders, Question, Wanted};
use super::house::{House, Person};
use super::process;
use crate::cli::Failure;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder for the log; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Connections
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// What they speak: json or messagepack
    #[arg(long, default_value = "json", value_parser = ["json", "messagepack"])]
    protocol: String,
    /// Whether each subscribes to something
    #[arg(long)]
    subscribed: bool,
    /// How long they are idle
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let length = super::length(args.seconds)?;
    crate::cli::runtime()?.block_on(measure(args, length))
}

async fn measure(args: &Args, length: Duration) -> Result<(), Failure> {
    let connections = usize::try_from(args.connections).map_err(Failure::failed)?;
    let house = House::start(&args.dir, connections).await?;
    let memory = process::resident_bytes("self")?;
    let cpu = process::cpu_s("self")?;
    let orders = Orders {
        address: house.address,
        token: house.token.clone(),
        connections,
        protocol: args.protocol.clone(),
        everybody: args.subscribed.then(|| Wanted::settings_of(Person::Desk)),
        one_more: None,
    };
    let (mut crowd, connected) = Crowd::start(&orders)?;
    let connecting_cpu = process::cpu_s("self")? - cpu;
    let (idle, begun) = (process::cpu_s("self")?, Instant::now());
    tokio::time::sleep(length).await;
    let idle_cpu = (process::cpu_s("self")? - idle) / begun.elapsed().as_secs_f64();
    let used = process::resident_bytes("self")?.saturating_sub(memory);
    let told = crowd.ask(Question::Count)?;
    if told.lost > 0 {
        return Err(Failure::failed(format!("{} connections ended by themselves", told.lost)));
    }
    super::line(&json!({
        "bench": "connections",
        "connections": connections,
        "protocol": args.protocol,
        "subscribed": args.subscribed,
        "server_bytes_per_connection": used / connections as u64,
        "connected_per_s": (connections as f64 * 1_000.0 / connected.connect_ms.max(1) as f64).round(),
        "connecting_cpu_us_per_connection": (connecting_cpu * 1e6 / connections as f64).round(),
        "idle_cpu_percent": (idle_cpu * 1_000.0).round() / 10.0,
    }))?;
    drop(crowd);
    house.stop().await
}
