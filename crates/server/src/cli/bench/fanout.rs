//! From a change to everybody who listens: a whole server, its log on the disk, its hub, and many clients in a process of
//! their own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::crowd::{Crowd, Orders, Question, Told, Wanted};
use super::house::{House, Person};
use super::process;
use crate::cli::Failure;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder on the disk to measure; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Clients that listen
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// What they speak: json or messagepack
    #[arg(long, default_value = "json", value_parser = ["json", "messagepack"])]
    protocol: String,
    /// Changes a second in the second and third part, which measure how late they come
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    per_s: u32,
    /// How long each of the three parts takes
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// Changes under way at once in the first part.
const ASKERS: usize = 64;
/// Changes that may be durable and not everywhere yet in the first part; beyond what the server keeps for a client, it
/// would be given up.
const AHEAD_MAX: u64 = 200;
/// Changes a second of what only the one more listens to, and how large they are: enough to fill every buffer soon.
const ASIDE_PER_S: u32 = 200;
const ASIDE_BYTES: usize = 8_000;
/// After so many of them it is looked whether the one more was given up.
const LOOK_EVERY: usize = 20;
const LOOK: Duration = Duration::from_millis(1);
/// How long it may take until a client that reads nothing is given up.
const GIVE_UP_MAX: Duration = Duration::from_secs(60);
/// How long what was sent last may take to come everywhere.
const ARRIVE_MAX: Duration = Duration::from_secs(30);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let length = super::length(args.seconds)?;
    crate::cli::runtime()?.block_on(measure(args, length))
}

async fn measure(args: &Args, length: Duration) -> Result<(), Failure> {
    let connections = usize::try_from(args.connections).map_err(Failure::failed)?;
    let house = Arc::new(House::start(&args.dir, connections + 1).await?);
    let orders = Orders {
        address: house.address,
        token: house.token.clone(),
        connections,
        protocol: args.protocol.clone(),
        everybody: Some(Wanted::settings_of(Person::Desk)),
        one_more: Some(Wanted::settings_of(Person::Aside)),
    };
    let (mut crowd, _) = Crowd::start(&orders)?;
    let mut part = Part { house: &house, crowd: &mut crowd, connections: connections as u64, told: 0 };
    let about = |name: &str, figures: Value| {
        let mut line =
            json!({ "bench": "fanout", "part": name, "connections": connections, "protocol": args.protocol });
        if let (Some(line), Value::Object(figures)) = (line.as_object_mut(), figures) {
            line.extend(figures);
        }
        super::line(&line)
    };
    about("fast", part.fast(length).await?)?;
    about("paced", part.paced(length, args.per_s, false).await?)?;
    part.crowd.ask(Question::Stall)?;
    about("paced_one_stalled", part.paced(length, args.per_s, true).await?)?;
    drop(crowd);
    let house = Arc::into_inner(house).ok_or_else(|| Failure::failed("somebody still asks"))?;
    house.stop().await
}

/// A part of the measurement.
struct Part<'a> {
    house: &'a Arc<House>,
    crowd: &'a mut Crowd,
    connections: u64,
    /// Changes made in all that everybody listens to.
    told: u64,
}

impl Part<'_> {
    /// As fast as it goes without running ahead of those who listen.
    async fn fast(&mut self, length: Duration) -> Result<Value, Failure> {
        let before = Usage::now(self.crowd)?;
        let (begun, first) = (Instant::now(), self.told);
        let mut asking = JoinSet::new();
        let mut delivered = self.crowd.ask(Question::Times)?.delivered;
        while begun.elapsed() < length {
            // What is counted as durable here may have come there before.
            let ahead = self.told.saturating_sub(delivered / self.connections);
            while asking.len() < ASKERS && ahead + (asking.len() as u64) < AHEAD_MAX {
                let house = Arc::clone(self.house);
                asking.spawn(async move { house.change(Person::Desk, 0).await });
            }
            match tokio::time::timeout(LOOK, asking.join_next()).await {
                Ok(Some(changed)) => {
                    changed.map_err(Failure::failed)??;
                    self.told += 1;
                    if !self.told.is_multiple_of(ASKERS as u64) {
                        continue;
                    }
                }
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(_) => {}
            }
            delivered = self.crowd.ask(Question::Count)?.delivered;
        }
        while let Some(changed) = asking.join_next().await {
            changed.map_err(Failure::failed)??;
            self.told += 1;
        }
        let told = self.arrived().await?;
        let (took, changes) = (begun.elapsed().as_secs_f64(), self.told - first);
        let deliveries = changes * self.connections;
        Ok(json!({
            "changes_per_s": (changes as f64 / took).round(),
            "deliveries_per_s": (deliveries as f64 / took).round(),
            "server_cpu_us_per_delivery": before.server_us_per(deliveries)?,
            "clients_cpu_us_per_delivery": before.clients_us_per(self.crowd, deliveries)?,
            "p50_us": told.p50_us,
            "p99_us": told.p99_us,
            "lost_connections": told.lost,
        }))
    }

    /// At an even pace, while one more client is told much on the side; where that reads nothing, until it is given up at
    /// the least.
    async fn paced(&mut self, length: Duration, per_s: u32, stalled: bool) -> Result<Value, Failure> {
        let before = Usage::now(self.crowd)?;
        self.crowd.ask(Question::Times)?;
        let over = Arc::new(Over::default());
        let aside = tokio::spawn(tell_aside(Arc::clone(self.house), Arc::clone(&over)));
        let more = |begun: Instant| {
            let waits = stalled && !over.given_up.load(Ordering::Relaxed) && begun.elapsed() < GIVE_UP_MAX;
            waits || begun.elapsed() < length
        };
        let (begun, first) = (Instant::now(), self.told);
        let mut pace = tokio::time::interval(Duration::from_secs(1) / per_s);
        let mut asking = JoinSet::new();
        while more(begun) {
            pace.tick().await;
            let house = Arc::clone(self.house);
            asking.spawn(async move { house.change(Person::Desk, 0).await });
            self.told += 1;
        }
        while let Some(changed) = asking.join_next().await {
            changed.map_err(Failure::failed)??;
        }
        let told = self.arrived().await?;
        let took = begun.elapsed().as_secs_f64();
        over.all.store(true, Ordering::Relaxed);
        let aside = aside.await.map_err(Failure::failed)??;
        if stalled && aside.given_up_after.is_none() {
            return Err(Failure::failed("the server did not give up a client that reads nothing"));
        }
        Ok(json!({
            "changes_per_s": per_s,
            "deliveries_per_s": ((self.told - first) as f64 * self.connections as f64 / took).round(),
            "p50_us": told.p50_us,
            "p99_us": told.p99_us,
            "max_us": told.max_us,
            "server_cpu_percent": before.server_percent(took)?,
            "clients_cpu_percent": before.clients_percent(self.crowd, took)?,
            "one_more_was_told_bytes": aside.told * ASIDE_BYTES,
            "one_more_was_given_up_after_bytes": aside.given_up_after.map(|told| told * ASIDE_BYTES),
            "lost_connections": told.lost,
        }))
    }

    /// Waits until everybody has everything, and how late it was.
    async fn arrived(&mut self) -> Result<Told, Failure> {
        let begun = Instant::now();
        let wanted = self.told * self.connections;
        loop {
            let told = self.crowd.ask(Question::Count)?;
            if told.lost > 0 {
                return Err(Failure::failed(format!("{} connections ended by themselves", told.lost)));
            }
            if told.delivered == wanted {
                return self.crowd.ask(Question::Times);
            }
            if told.delivered > wanted || begun.elapsed() > ARRIVE_MAX {
                return Err(Failure::failed(format!("{} of {wanted} messages came", told.delivered)));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What is over.
#[derive(Default)]
struct Over {
    /// The part.
    all: AtomicBool,
    /// The connection of the one more, by the server.
    given_up: AtomicBool,
}

/// What was said to the one more, in messages.
#[derive(Default)]
struct Aside {
    told: usize,
    /// How many of them until the server gave it up; none while it did not.
    given_up_after: Option<usize>,
}

/// Tells the one more so much that what does not read it is full soon.
async fn tell_aside(house: Arc<House>, over: Arc<Over>) -> Result<Aside, Failure> {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / ASIDE_PER_S);
    let mut aside = Aside::default();
    while !over.all.load(Ordering::Relaxed) {
        pace.tick().await;
        house.change(Person::Aside, ASIDE_BYTES).await?;
        aside.told += 1;
        let look = aside.given_up_after.is_none() && aside.told.is_multiple_of(LOOK_EVERY);
        if look && house.given_up().await? > 0 {
            aside.given_up_after = Some(aside.told);
            over.given_up.store(true, Ordering::Relaxed);
        }
    }
    Ok(aside)
}

/// How long both processes had computed when something began.
struct Usage {
    server_s: f64,
    clients_s: f64,
}

impl Usage {
    fn now(crowd: &Crowd) -> Result<Usage, Failure> {
        Ok(Usage { server_s: process::cpu_s("self")?, clients_s: crowd.cpu_s()? })
    }

    fn server_us_per(&self, count: u64) -> Result<f64, Failure> {
        Ok(rounded((process::cpu_s("self")? - self.server_s) * 1e6 / count.max(1) as f64))
    }

    fn clients_us_per(&self, crowd: &Crowd, count: u64) -> Result<f64, Failure> {
        Ok(rounded((crowd.cpu_s()? - self.clients_s) * 1e6 / count.max(1) as f64))
    }

    fn server_percent(&self, took_s: f64) -> Result<f64, Failure> {
        Ok(((process::cpu_s("self")? - self.server_s) / took_s * 100.0).round())
    }

    fn clients_percent(&self, crowd: &Crowd, took_s: f64) -> Result<f64, Failure> {
        Ok(((crowd.cpu_s()? - self.clients_s) / took_s * 100.0).round())
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
