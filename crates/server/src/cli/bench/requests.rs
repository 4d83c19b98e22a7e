//! From a request to its answer: the loop, a real log and a built-in switch, without HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordboard_core::request::{Ask, Asker, AskerRole};
use cordboard_core::{ConnId, Request};
use cordboard_dialects::genesys;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::config::{Boxed, BoxedExtension, Config};
use crate::engine::work::{Answer, Question};
use crate::gateway::door::hand_in;
use crate::permit::Permit;
use crate::server::Server;
use crate::tenant::Tenant;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder on the disk to measure; a folder is made in it and removed
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Desktops that ask at once in the second half, each as soon as it is answered
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=400))]
    desktops: u32,
    /// How long
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

const TENANT: &str = "bench";
const SWITCH: &str = "box";
/// How long the switch may take to come up.
const READY_MAX: Duration = Duration::from_secs(10);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let length = super::length(args.seconds)? / 2;
    let dir = args.dir.join("bench-requests");
    let measured = crate::cli::runtime()?.block_on(measure(&dir, args.desktops, length));
    std::fs::remove_dir_all(&dir).map_err(Failure::failed)?;
    let (alone, took, together, together_took) = measured?;
    let [first, answers, all] = [alone.first, alone.answers, together].map(Times::new);
    super::line(&json!({
        "bench": "requests",
        "requests": answers.0.len(),
        "per_s": (answers.0.len() as f64 / took.as_secs_f64()).round(),
        "first_event_durable_p50_us": first.at(50),
        "first_event_durable_p99_us": first.at(99),
        "answered_p50_us": answers.at(50),
        "answered_p99_us": answers.at(99),
        "desktops": args.desktops,
        "together_per_s": (all.0.len() as f64 / together_took.as_secs_f64()).round(),
        "together_answered_p50_us": all.at(50),
        "together_answered_p99_us": all.at(99),
    }))
}

/// Times, rising.
struct Times(Vec<Duration>);

impl Times {
    fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, percent: usize) -> u128 {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).map_or(0, Duration::as_micros)
    }
}

/// What one desktop met.
#[derive(Default)]
struct Met {
    /// Until the first event of a request was durable.
    first: Vec<Duration>,
    /// Until a request was answered.
    answers: Vec<Duration>,
}

type Measured = (Met, Duration, Vec<Duration>, Duration);

async fn measure(dir: &std::path::Path, desktops: u32, length: Duration) -> Result<Measured, Failure> {
    let telephones = BoxedExtension { number: "1001-1999".to_owned(), ..BoxedExtension::default() };
    let boxed = Boxed { name: SWITCH.to_owned(), extension: vec![telephones], ..Boxed::default() };
    let tenant = crate::config::Tenant { name: TENANT.to_owned(), boxed: vec![boxed], ..Default::default() };
    let mut config = Config { data: dir.to_owned(), tenant: vec![tenant], ..Config::default() };
    config.http.listen.set_port(0);
    config.kafka_listener.enabled = false;
    config.requests.connections_max = usize::MAX;
    let server = Server::start(&config).await.map_err(Failure::failed)?;
    let tenant = server.tenant(TENANT).map(Arc::clone).ok_or_else(|| Failure::failed("the tenant is not served"))?;
    let begun = Instant::now();
    while !tenant.sources().all().values().all(|source| source.live) {
        if begun.elapsed() > READY_MAX {
            return Err(Failure::failed("the built-in switch did not come up"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let begun = Instant::now();
    let alone = Desktop::new(&tenant, 0).work(begun + length).await?;
    let (took, begun) = (begun.elapsed(), Instant::now());
    let working: Vec<_> = (0..desktops)
        .map(|number| {
            let mut desktop = Desktop::new(&tenant, number);
            tokio::spawn(async move { desktop.work(begun + length).await })
        })
        .collect();
    let mut together = Vec::new();
    for desktop in working {
        together.extend(desktop.await.map_err(Failure::failed)??.answers);
    }
    let together_took = begun.elapsed();
    server.stop().await.map_err(Failure::failed)?;
    Ok((alone, took, together, together_took))
}

/// Calls its neighbour, hangs up, and so on.
struct Desktop {
    tenant: Arc<Tenant>,
    client: String,
    device: String,
    neighbour: String,
}

impl Desktop {
    fn new(tenant: &Arc<Tenant>, number: u32) -> Self {
        let (device, neighbour) = ((1_001 + 2 * number).to_string(), (1_002 + 2 * number).to_string());
        Self { tenant: Arc::clone(tenant), client: format!("bench/{number}"), device, neighbour }
    }

    async fn work(&mut self, until: Instant) -> Result<Met, Failure> {
        let mut met = Met::default();
        while Instant::now() < until {
            let (to, user_data) = (self.neighbour.clone(), Default::default());
            let made = self.ask(Ask::MakeCall { to, user_data }, &mut met).await?;
            let call = call(&made).ok_or_else(|| Failure::failed("the answer names no call"))?;
            self.ask(Ask::Release { call }, &mut met).await?;
        }
        Ok(met)
    }

    async fn ask(&self, ask: Ask, met: &mut Met) -> Result<Arc<Answer>, Failure> {
        let request = Request {
            client: self.client.clone(),
            by: Asker { name: "bench".to_owned(), role: AskerRole::Service },
            reference: None,
            device: self.device.clone(),
            ask,
            refused: None,
            deadline_ms: 10_000,
        };
        let mut status = self.tenant.log().status();
        let before = status.borrow_and_update().durable;
        let begun = Instant::now();
        let first = async {
            // While nobody else asks, the next durable event is this request's first.
            drop(status.wait_for(|status| status.durable > before).await);
            begun.elapsed()
        };
        let answered = async {
            let answer = hand_in(&self.tenant, Question::new(request, Permit::Service, &genesys::DIALECT)).await;
            (answer, begun.elapsed())
        };
        let (first, (answer, answered)) = tokio::join!(first, answered);
        met.first.push(first);
        met.answers.push(answered);
        match answer {
            Ok(answer) if answer.refused.is_none() => Ok(answer),
            Ok(answer) => Err(Failure::failed(format!("refused: {:?}", answer.refused))),
            Err(_) => Err(Failure::failed("not answered")),
        }
    }
}

fn call(answer: &Answer) -> Option<ConnId> {
    let ids = answer.said.iter().filter_map(|message| {
        let value: Value = serde_json::from_str(&message.value).ok()?;
        let id = value.get("ConnID")?.as_str()?.split('@').next()?.to_owned();
        u64::from_str_radix(&id, 16).ok()
    });
    ids.map(ConnId).next()
}
