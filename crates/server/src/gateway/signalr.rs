//! SignalR on our HTTP server: negotiation, three transports, who is connected. What is said is the hub's business.
//!
//! A connection is one task (`drive`) that owns the session of the protocol crate and a way to the client (`pipe`): a
//! WebSocket (`socket`), or requests that bring and fetch (`letters`). Requests find it by its id in the `registry`.

mod drive;
mod endpoint;
pub mod hub;
mod letters;
pub mod metrics;
pub(super) mod origin;
pub mod outbox;
mod pipe;
mod rate;
mod refused;
mod registry;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use cordboard_signalr::Limits;
use tokio::time::Duration;

use self::endpoint::Door;
use self::hub::Hub;
use self::metrics::HubMetrics;
use self::origin::Origins;
use self::registry::Registry;
use crate::config::Rte;

pub use outbox::Outbox;

/// The span over which the protocol crate counts messages, in milliseconds.
const WINDOW_MS: u64 = 10_000;

/// A hub on HTTP.
pub struct SignalR<H: Hub> {
    hub: Arc<H>,
    registry: Arc<Registry<H>>,
    origins: Origins,
    settings: Rte,
    limits: Arc<Limits>,
    metrics: HubMetrics,
}

impl<H: Hub> SignalR<H> {
    /// A hub with these settings, which must be made where tasks can be spawned.
    #[must_use]
    pub fn new(hub: Arc<H>, settings: &Rte, metrics: HubMetrics) -> Arc<Self> {
        let registry = Registry::new(settings.clone());
        tokio::spawn(Registry::sweep(Arc::downgrade(&registry)));
        let (origins, limits) = (Origins::new(settings), Arc::new(limits(settings)));
        Arc::new(Self { hub, registry, origins, settings: settings.clone(), limits, metrics })
    }

    /// The paths of the hub, of which `path` is the first.
    pub fn router(self: &Arc<Self>, path: &str) -> Router {
        let path = path.trim_end_matches('/');
        let answer = |door: Door| {
            let signalr = Arc::clone(self);
            any(move |request: Request| async move { signalr.answer(door, request).await })
        };
        Router::new()
            .route(path, answer(Door::Hub))
            .route(&format!("{path}/"), answer(Door::Hub))
            .route(&format!("{path}/negotiate"), answer(Door::Negotiate))
            .route(&format!("{path}/negotiate/"), answer(Door::Negotiate))
    }

    /// Tells everybody that the server ends and may be connected to again, and waits until all have gone, but not longer
    /// than `wait_max`.
    pub async fn stop(&self, wait_max: Duration) {
        self.registry.stop();
        if tokio::time::timeout(wait_max, self.registry.emptied()).await.is_err() {
            tracing::info!("some connections of the hub did not end in time");
        }
    }

    fn hub(&self) -> &H {
        &self.hub
    }

    fn registry(&self) -> &Arc<Registry<H>> {
        &self.registry
    }

    fn settings(&self) -> &Rte {
        &self.settings
    }

    fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    fn metrics(&self) -> &HubMetrics {
        &self.metrics
    }
}

/// The limits of a session.
fn limits(settings: &Rte) -> Limits {
    let window_s = u32::try_from(WINDOW_MS / 1_000).unwrap_or(1);
    Limits {
        message_bytes_max: settings.message_bytes_max,
        invocations_queued_max: settings.invocations_max,
        queued_bytes_max: settings.post_bytes_max.max(settings.message_bytes_max),
        window_ms: WINDOW_MS,
        invocations_per_window_max: settings.invocations_per_second_max.saturating_mul(window_s),
        control_messages_per_window_max: settings.pings_per_second_max.saturating_mul(window_s),
        buffer_bytes_max: settings.replay_bytes_max,
        handshake_ms: settings.handshake_ms_max,
        ping_ms: settings.ping_ms,
        client_timeout_ms: settings.silence_ms_max,
        detached_ms: settings.detached_ms_max,
        ..Limits::default()
    }
}
