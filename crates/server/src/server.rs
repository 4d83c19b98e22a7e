//! The whole server: every tenant, every link, the HTTP interface; started, waited for, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::boxed_link::{BoxedLink, BuiltIn};
use crate::clock::Clock;
use crate::config::{self, Boxed, Config, SecretError, Tenant};
use crate::connectors;
use crate::gateway::connection;
use crate::gateway::http::App;
use crate::gateway::kafka::{Broker, BrokerError, KafkaListener};
use crate::gateway::rte::RteHub;
use crate::gateway::signalr::SignalR;
use crate::identity::ProviderError;
use crate::metrics::ServerMetrics;
use crate::switch_link::SwitchLink;
use crate::tenant::{Running, TenantError};
use crate::tokens::{TokenError, Tokens};

/// Where the hub is.
pub const HUB_PATH: &str = "/rte";
/// How long connections to the hub may take to end when the server does.
const HUB_STOP_MAX: Duration = Duration::from_secs(5);

/// A server that runs.
pub struct Server {
    address: SocketAddr,
    tenants: Vec<Running>,
    links: Vec<JoinHandle<()>>,
    hub: Arc<SignalR<RteHub>>,
    kafka_address: Option<SocketAddr>,
    broker: Option<Arc<Broker>>,
    /// HTTP and the Kafka listener.
    gateways: Vec<JoinHandle<()>>,
    stop_links: watch::Sender<bool>,
    stop_gateways: watch::Sender<bool>,
}

impl Server {
    /// Starts everything that is configured.
    ///
    /// # Errors
    /// [`ServeError`]; nothing is left running then.
    pub async fn start(config: &Config) -> Result<Self, ServeError> {
        Self::start_with(config, &|_, _, _| None).await
    }

    /// Starts everything that is configured, where `built_in` may give another switch for a built-in one of that name.
    ///
    /// # Errors
    /// [`ServeError`]; nothing is left running then.
    pub async fn start_with(config: &Config, built_in: &BuiltInFor<'_>) -> Result<Self, ServeError> {
        let listener = TcpListener::bind(config.http.listen)
            .await
            .map_err(|error| ServeError::Listen { address: config.http.listen, error })?;
        let address =
            listener.local_addr().map_err(|error| ServeError::Listen { address: config.http.listen, error })?;
        let kafka = kafka_listener(&config.kafka_listener).await?;
        // Whatever is written of where we are names the ports that the system chose, where it was to choose them.
        let mut config = config.clone();
        config.http.listen = address;
        if let Some(kafka) = &kafka {
            config.kafka_listener.listen = kafka.address();
        }
        let config = &config;
        let known = Tokens::new(&config.data).list()?.len();
        let metrics = ServerMetrics::default();
        let (stop_gateways, gateways_stop) = watch::channel(false);
        let (stop_links, links_stop) = watch::channel(false);
        let (mut tenants, mut links) = (Vec::new(), Vec::new());
        for tenant in &config.tenant {
            let name = tenant.name.clone();
            let mut running =
                Running::start(config, tenant, &metrics).map_err(|error| ServeError::Tenant { tenant: name, error })?;
            let started = Links { config: tenant, running: &mut running, stop: &links_stop }.start(built_in)?;
            links.extend(started);
            tenants.push(running);
        }
        let served = tenants.iter().map(|running| Arc::clone(&running.tenant)).collect();
        let app = App::new(served, Clock::default(), config, metrics.clone(), gateways_stop.clone())?;
        let hub = RteHub::new(Arc::clone(app.identities()), &config.rte, metrics.outboxes.clone());
        let hub = SignalR::new(Arc::new(hub), &config.rte, metrics.hub.clone());
        let router = app.router().merge(hub.router(HUB_PATH));
        let kafka_address = kafka.as_ref().map(KafkaListener::address);
        let (mut gateways, mut broker) = (Vec::new(), None);
        if let Some(kafka) = kafka {
            let store = |running: &Running| Some((running.tenant.name().to_owned(), running.tenant.topics()?.clone()));
            let stores: Vec<_> = tenants.iter().filter_map(store).collect();
            let opened = Broker::open(config, Clock::default(), app.identities(), &stores, metrics.kafka.clone())?;
            let opened = broker.insert(Arc::new(opened));
            gateways.push(tokio::spawn(kafka.serve(Arc::clone(opened), gateways_stop.clone())));
        }
        gateways.push(tokio::spawn(connection::serve(listener, router, config.http.clone(), metrics, gateways_stop)));
        tracing::info!(%address, tenants = tenants.len(), sources = links.len(), tokens = known, "serving");
        Ok(Self { address, tenants, links, hub, kafka_address, broker, gateways, stop_links, stop_gateways })
    }

    /// A tenant that is served.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&Arc<crate::tenant::Tenant>> {
        self.tenants.iter().map(|running| &running.tenant).find(|tenant| tenant.name() == name)
    }

    /// Where HTTP is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Kafka clients connect to, if they may.
    #[must_use]
    pub fn kafka_address(&self) -> Option<SocketAddr> {
        self.kafka_address
    }

    /// Stops in the order that loses nothing: links, loops, logs; readers get what became durable.
    ///
    /// # Errors
    /// [`ServeError::Tenant`] for the first tenant whose log did not take everything.
    pub async fn stop(self) -> Result<(), ServeError> {
        // Nobody is left who would not want it.
        _ = self.stop_links.send(true);
        for link in self.links {
            _ = link.await;
        }
        let mut result = Ok(());
        for running in self.tenants {
            let tenant = running.tenant.name().to_owned();
            match running.stop().await {
                Ok(position) => tracing::info!(tenant, %position, "log closed"),
                Err(error) => {
                    tracing::error!(tenant, %error, "log not closed well");
                    result = result.and(Err(ServeError::Tenant { tenant, error }));
                }
            }
        }
        // Connections are told that they may come back; what became durable is in their hands by then.
        self.hub.stop(HUB_STOP_MAX).await;
        _ = self.stop_gateways.send(true);
        for gateway in self.gateways {
            _ = gateway.await;
        }
        if let Some(broker) = self.broker {
            broker.stop().await;
        }
        result
    }
}

/// The Kafka listener, if there is to be one.
async fn kafka_listener(settings: &config::KafkaListener) -> Result<Option<KafkaListener>, ServeError> {
    if !settings.enabled {
        return Ok(None);
    }
    let bound = KafkaListener::bind(settings).await;
    bound.map(Some).map_err(|error| ServeError::KafkaListen { address: settings.listen, error })
}

/// Gives another switch for a built-in one of this tenant, or none. The number is a random one.
pub type BuiltInFor<'a> = dyn Fn(&Tenant, &Boxed, u64) -> Option<Box<dyn BuiltIn>> + Sync + 'a;

/// The links of a tenant.
struct Links<'a> {
    config: &'a Tenant,
    running: &'a mut Running,
    stop: &'a watch::Receiver<bool>,
}

impl Links<'_> {
    fn start(self, built_in: &BuiltInFor<'_>) -> Result<Vec<JoinHandle<()>>, ServeError> {
        let Self { config, running, stop } = self;
        let mut links = Vec::new();
        for asterisk in &config.asterisk {
            let secret = asterisk.find_secret()?;
            let Some(orders) = running.inboxes.remove(&asterisk.name) else { continue };
            let link = SwitchLink {
                name: asterisk.name.clone(),
                address: asterisk.address.clone(),
                connector: connectors::asterisk(asterisk, &secret, chance()?),
                work: running.work.clone(),
                orders,
                sources: Arc::clone(running.tenant.sources()),
                clock: running.clock(),
            };
            links.push(tokio::spawn(link.run(stop.clone())));
        }
        for boxed in &config.boxed {
            let (orders, happenings) = (running.inboxes.remove(&boxed.name), running.happenings.remove(&boxed.name));
            let Some((orders, happenings)) = orders.zip(happenings) else { continue };
            let chance = chance()?;
            let plain = || Box::new(cordboard_switches::boxed::Boxed::new(connectors::site(boxed), chance)) as _;
            let link = BoxedLink {
                name: boxed.name.clone(),
                switch: built_in(config, boxed, chance).unwrap_or_else(plain),
                work: running.work.clone(),
                orders,
                happenings,
                sources: Arc::clone(running.tenant.sources()),
                clock: running.clock(),
            };
            links.push(tokio::spawn(link.run(stop.clone())));
        }
        Ok(links)
    }
}

fn chance() -> Result<u64, ServeError> {
    getrandom::u64().map_err(|error| ServeError::Random(error.to_string()))
}

/// Why the server does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be used.
    #[error("cannot listen on {address}: {error}; http.listen must be a free address of this machine")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The address for Kafka clients cannot be used.
    #[error(
        "cannot listen on {address}: {error}; kafka_listener.listen must be a free address of this machine, \
         or kafka_listener.enabled false"
    )]
    KafkaListen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// What the Kafka listener keeps.
    #[error(transparent)]
    Kafka(#[from] BrokerError),
    /// A tenant.
    #[error("tenant {tenant}: {error}")]
    Tenant {
        /// Which.
        tenant: String,
        /// What.
        error: TenantError,
    },
    /// Tokens.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// An identity provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}
