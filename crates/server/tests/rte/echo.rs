//! A hub that echoes, served like the real one.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cordboard_core::Guid;
use cordboard_server::config::{Http, Rte};
use cordboard_server::gateway::connection;
use cordboard_server::gateway::signalr::SignalR;
use cordboard_server::gateway::signalr::hub::{Hub, HubClient, HubError, HubUser, Protocol, Refusal};
use cordboard_server::gateway::signalr::outbox::{Closing, Frame, Outbox, OutboxLimits, Outboxes};
use cordboard_server::metrics::ServerMetrics;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Somebody: `name@tenant` is the token.
pub(crate) struct User {
    tenant: String,
    name: String,
}

impl HubUser for User {
    fn tenant(&self) -> &str {
        &self.tenant
    }

    fn identity(&self) -> &str {
        &self.name
    }
}

pub(crate) struct Echo {
    outboxes: Arc<Outboxes>,
    /// What everybody is told by.
    connected: Mutex<Vec<Arc<Outbox>>>,
    /// How many clients the hub knows.
    known: Arc<AtomicUsize>,
    /// Whether no token is good any more.
    expired: AtomicBool,
}

impl Echo {
    /// From now on no token is good.
    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::SeqCst);
    }

    /// How many connections were given up.
    pub(crate) fn outboxes_overflowed(&self) -> u64 {
        self.outboxes.counters.overflowed.get()
    }

    /// How many clients it knows.
    pub(crate) fn known(&self) -> usize {
        self.known.load(Ordering::SeqCst)
    }
}

impl Hub for Echo {
    type User = User;
    type Client = EchoClient;

    async fn authenticate(&self, token: Option<&str>, from: IpAddr) -> Result<Arc<User>, Refusal> {
        assert!(from.is_loopback());
        match token {
            Some(_) if self.expired.load(Ordering::SeqCst) => Err(Refusal::Unauthorised),
            Some("forbidden") => Err(Refusal::Forbidden),
            Some("again") => Err(Refusal::TooMany),
            Some("later") => Err(Refusal::Unavailable),
            Some(token) => {
                let (name, tenant) = token.split_once('@').ok_or(Refusal::Unauthorised)?;
                Ok(Arc::new(User { tenant: tenant.to_owned(), name: name.to_owned() }))
            }
            None => Err(Refusal::Unauthorised),
        }
    }

    fn outboxes(&self) -> &Arc<Outboxes> {
        &self.outboxes
    }

    fn connect(&self, user: Arc<User>, outbox: Arc<Outbox>, _protocol: Protocol) -> EchoClient {
        self.known.fetch_add(1, Ordering::SeqCst);
        self.connected.lock().unwrap().push(Arc::clone(&outbox));
        EchoClient { user, outbox, known: Arc::clone(&self.known) }
    }
}

pub(crate) struct EchoClient {
    user: Arc<User>,
    outbox: Arc<Outbox>,
    known: Arc<AtomicUsize>,
}

impl HubClient for EchoClient {
    async fn invoke(&mut self, target: &str, arguments: Vec<Value>) -> Result<Option<Value>, HubError> {
        let first = || arguments.first().cloned().ok_or(HubError::Arguments);
        match target.to_lowercase().as_str() {
            "echo" => Ok(Some(first()?)),
            "void" => Ok(None),
            "fail" => Err(HubError::Failed("it failed".into())),
            "forbidden" => Err(HubError::Unauthorised),
            "whoami" => Ok(Some(self.user.name.clone().into())),
            "wait" => {
                tokio::time::sleep(Duration::from_millis(first()?.as_u64().unwrap_or_default())).await;
                Ok(Some(first()?))
            }
            // The answer must come before what is told because of it.
            "tell" => {
                self.outbox.hold();
                for number in 0..first()?.as_u64().unwrap_or_default() {
                    self.outbox.push(&frame(&number.to_string()));
                }
                Ok(Some(first()?))
            }
            "giveup" => {
                self.outbox.close(Closing::FeedEnded);
                Ok(None)
            }
            _ => Err(HubError::UnknownMethod),
        }
    }
}

impl Drop for EchoClient {
    fn drop(&mut self) {
        self.known.fetch_sub(1, Ordering::SeqCst);
    }
}

fn frame(argument: &str) -> Arc<Frame> {
    Arc::new(Frame::new("MessageReceived", Guid(1), argument, None))
}

/// A server with this hub.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Echo>,
    pub(crate) signalr: Arc<SignalR<Echo>>,
    metrics: ServerMetrics,
    stop: watch::Sender<bool>,
    http: tokio::task::JoinHandle<()>,
}

impl Site {
    pub(crate) async fn start(rte: Rte) -> Self {
        Self::start_with(rte, Http { stream_write_ms_max: 2_000, ..Http::default() }).await
    }

    pub(crate) async fn start_with(rte: Rte, http: Http) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = ServerMetrics::default();
        let limits = OutboxLimits { messages_max: 1_000, bytes_max: 1_000_000 };
        let outboxes = Arc::new(Outboxes::new(limits));
        let hub = Arc::new(Echo {
            outboxes,
            connected: Mutex::default(),
            known: Arc::default(),
            expired: AtomicBool::default(),
        });
        let signalr = SignalR::new(Arc::clone(&hub), &rte, metrics.hub.clone());
        let router = Router::new().route("/healthz", get(async || "well")).merge(signalr.router("/rte"));
        let (stop, stops) = watch::channel(false);
        let serving = connection::serve(listener, router, http, metrics.clone(), stops);
        Self { address, hub, signalr, metrics, stop, http: tokio::spawn(serving) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Tells everybody who is connected.
    pub(crate) fn tell(&self, argument: &str) {
        let frame = frame(argument);
        self.hub.connected.lock().unwrap().iter().for_each(|outbox| _ = outbox.push(&frame));
    }

    /// How many clients the hub knows.
    pub(crate) fn known(&self) -> usize {
        self.hub.known()
    }

    /// Waits until the hub knows so many clients.
    pub(crate) async fn until_known(&self, many: usize) {
        until("so many clients", || self.known() == many).await;
    }

    /// What the metrics say.
    pub(crate) fn metrics(&self) -> String {
        let mut registry = Registry::default();
        self.metrics.hub.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }

    /// Stops as the server does.
    pub(crate) async fn stop(self) {
        self.signalr.stop(Duration::from_secs(3)).await;
        _ = self.stop.send(true);
        self.http.await.unwrap();
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
