//! A whole server for the figures of the hub: one tenant with two people, and somebody who keeps changing their settings.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use cordboard_core::change::Change;
use cordboard_core::event::{Setting, SettingLevel};
use cordboard_core::request::{Ask, Asker, AskerRole};
use cordboard_core::{Guid, Request, Time};
use cordboard_dialects::genesys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::Failure;
use crate::clock::Clock;
use crate::config::{Agent, Config};
use crate::engine::work::Question;
use crate::gateway::door::hand_in;
use crate::identity::Identities;
use crate::permit::Permit;
use crate::server::Server;
use crate::tenant::Tenant;
use crate::tokens::Tokens;

const TENANT: &str = "bench";
/// How long the server may take until what is configured is in the directory.
const READY_MAX: Duration = Duration::from_secs(10);

/// Somebody whose settings are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// Whom everybody listens to.
    Desk,
    /// Whom one listens to.
    Aside,
}

impl Person {
    fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Aside => "aside",
        }
    }

    pub(super) fn guid(self) -> Guid {
        match self {
            Self::Desk => Guid(1),
            Self::Aside => Guid(2),
        }
    }
}

/// As old as it is, so that the answer is one piece and ends with the connection.
const ASK_METRICS: &[u8] = b"GET /metrics HTTP/1.0\r\n\r\n";
/// The figure of those who were given up.
const GIVEN_UP: &str = "cordboard_hub_overflowed_total ";

/// What comes before the moment a message was caused, in it.
pub(super) const MARK: &str = "sent:";
/// How many digits that moment has.
pub(super) const MARK_DIGITS: usize = 16;

/// A server at work.
pub(super) struct House {
    server: Server,
    tenant: Arc<Tenant>,
    clock: Clock,
    changes: AtomicU64,
    dir: PathBuf,
    pub(super) address: SocketAddr,
    /// A JWT for the hub.
    pub(super) token: String,
}

impl House {
    /// Starts a server with room for so many connections, in a folder that is made and removed.
    pub(super) async fn start(dir: &Path, connections: usize) -> Result<House, Failure> {
        let dir = dir.join("bench-hub");
        let needed = connections as u64 + 200;
        let allowed = super::process::open_files_max()?;
        if allowed < needed {
            return Err(Failure::wrong_usage(format!(
                "only {allowed} files and sockets may be open; `ulimit -n {needed}` before, or fewer --connections"
            )));
        }
        let config = config(&dir, connections);
        let text = Tokens::new(&dir).create(TENANT, "bench", Time(0), None).map_err(Failure::failed)?;
        let server = Server::start(&config).await.map_err(Failure::failed)?;
        let tenant =
            server.tenant(TENANT).map(Arc::clone).ok_or_else(|| Failure::failed("the tenant is not served"))?;
        let (address, clock) = (server.address(), Clock::default());
        let token = jwt(&tenant, &clock, &config, &text).await?;
        let house = House { server, tenant, clock, changes: AtomicU64::new(0), dir, address, token };
        // Its answer comes after that of what was configured.
        tokio::time::timeout(READY_MAX, house.change(Person::Desk, 0)).await.map_err(Failure::failed)??;
        Ok(house)
    }

    /// Changes a setting to a value of so many more bytes, which says when; returns once that is durable.
    pub(super) async fn change(&self, person: Person, more_bytes: usize) -> Result<(), Failure> {
        // Two within a microsecond would be the same value, and no change.
        let number = self.changes.fetch_add(1, Ordering::Relaxed);
        let value = format!("{MARK}{:0MARK_DIGITS$} {number}{}", self.clock.now().0, "x".repeat(more_bytes));
        let keyword = "theme".to_owned();
        let setting = Setting { keyword, value, values: None, allowed: None, level: SettingLevel::User };
        let request = Request {
            client: "bench/hub".to_owned(),
            by: Asker { name: "bench".to_owned(), role: AskerRole::Service },
            reference: None,
            device: String::new(),
            ask: Ask::Change(Box::new(Change::ChangeSetting { user: person.name().to_owned(), setting })),
            refused: None,
            deadline_ms: 10_000,
        };
        match hand_in(&self.tenant, Question::new(request, Permit::Service, &genesys::DIALECT)).await {
            Ok(answer) if answer.refused.is_none() => Ok(()),
            Ok(answer) => Err(Failure::failed(format!("refused: {:?}", answer.refused))),
            Err(_) => Err(Failure::failed("not answered")),
        }
    }

    /// How many connections were given up because too much waited for them, as everybody can read it.
    pub(super) async fn given_up(&self) -> Result<u64, Failure> {
        let mut stream = TcpStream::connect(self.address).await.map_err(Failure::failed)?;
        stream.write_all(ASK_METRICS).await.map_err(Failure::failed)?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.map_err(Failure::failed)?;
        let figure = text.lines().find_map(|line| line.strip_prefix(GIVEN_UP)?.trim().parse().ok());
        figure.ok_or_else(|| Failure::failed("the server does not tell whom it gave up"))
    }

    /// Stops the server and removes its folder.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        drop(self.tenant);
        self.server.stop().await.map_err(Failure::failed)?;
        std::fs::remove_dir_all(&self.dir).map_err(Failure::failed)
    }
}

fn config(dir: &Path, connections: usize) -> Config {
    let agent = [Person::Desk, Person::Aside].map(|person| Agent {
        id: person.name().to_owned(),
        guid: Some(person.guid()),
        ..Agent::default()
    });
    let tenant = crate::config::Tenant { name: TENANT.to_owned(), agent: agent.into(), ..Default::default() };
    let mut config = Config { data: dir.to_owned(), tenant: vec![tenant], ..Config::default() };
    config.http.listen.set_port(0);
    config.kafka_listener.enabled = false;
    config.requests.connections_max = usize::MAX;
    let hub = &mut config.rte;
    // All come at once, and as one user.
    for max in [&mut hub.connections_max, &mut hub.tenant_connections_max, &mut hub.user_connections_max] {
        *max = connections + 1;
    }
    hub.user_subscriptions_max = connections + 1;
    hub.tenant_subscriptions_max = connections + 1;
    (hub.user_invocations_per_second_max, hub.tenant_invocations_per_second_max) = (u32::MAX, u32::MAX);
    config
}

async fn jwt(tenant: &Arc<Tenant>, clock: &Clock, config: &Config, text: &str) -> Result<String, Failure> {
    let identities = Identities::new(vec![Arc::clone(tenant)], clock.clone(), config).map_err(Failure::failed)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("Bearer {text}").parse().map_err(Failure::failed)?);
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let identity = identities.authenticate_header(&headers, from).await.map_err(Failure::failed)?;
    identities.issue(&identity).map_err(Failure::failed)
}
