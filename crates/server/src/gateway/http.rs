//! The HTTP interface: `/api/v1/events`, `/api/v1/snapshot`, `/healthz`, `/readyz`, `/metrics`. These and all other paths
//! are listed in `rest`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::access::{Access, Refusal};
use super::asyncapi::Document;
use super::connection::Seat;
use super::line::{self, Form};
use super::signalr::origin::Origins;
use super::throttle::Throttle;
use super::{Begin, Delivery, EventReader, Wish, door, rest};
use crate::clock::Clock;
use crate::config::{Config, Http, Requests, Rest, is_name};
use crate::identity::{Identities, Identity, ProviderError};
use crate::log::{Health, Position};
use crate::metrics::{self, ServerMetrics};
use crate::mirror::own_dialect;
use crate::tail::Listener;
use crate::tenant::Tenant;

const METHOD_WRONG: &str = "this path does not answer this method; the header Allow names those it answers";

/// How often an open stream looks whether its token is still good.
const TOKEN_CHECK_EVERY: Duration = Duration::from_secs(2);

/// What all requests share.
pub struct App {
    tenants: Vec<Arc<Tenant>>,
    identities: Arc<Identities>,
    clock: Clock,
    settings: Http,
    requests: Requests,
    rest: Rest,
    asyncapi: Document,
    origins: Origins,
    request_ms_max: u64,
    throttle: Arc<Throttle>,
    metrics: ServerMetrics,
    stop: watch::Receiver<bool>,
}

impl App {
    /// The interface to these tenants, until `stop` is true.
    ///
    /// # Errors
    /// [`ProviderError`] where an identity provider cannot be asked.
    pub fn new(
        tenants: Vec<Arc<Tenant>>,
        clock: Clock,
        config: &Config,
        metrics: ServerMetrics,
        stop: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, ProviderError> {
        let (settings, requests, rest) = (config.http.clone(), config.requests.clone(), config.rest.clone());
        let (throttle, request_ms_max) = (Throttle::new(&requests), config.engine.request_ms_max);
        let identities = Arc::new(Identities::new(tenants.clone(), clock.clone(), config)?);
        let origins = Origins::new(&config.rte);
        Ok(Arc::new(Self {
            tenants,
            identities,
            clock,
            settings,
            requests,
            rest,
            asyncapi: Document::new(config),
            origins,
            request_ms_max,
            throttle,
            metrics,
            stop,
        }))
    }

    /// Tells who somebody is.
    #[must_use]
    pub fn identities(&self) -> &Arc<Identities> {
        &self.identities
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.requests
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.origins
    }

    pub(super) fn rest(&self) -> &Rest {
        &self.rest
    }

    pub(super) fn asyncapi(&self) -> &Document {
        &self.asyncapi
    }

    pub(super) fn tenants(&self) -> &[Arc<Tenant>] {
        &self.tenants
    }

    pub(super) fn request_ms_max(&self) -> u64 {
        self.request_ms_max
    }

    pub(super) fn throttle(&self) -> &Arc<Throttle> {
        &self.throttle
    }

    pub(super) fn metrics(&self) -> &ServerMetrics {
        &self.metrics
    }

    /// All paths.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .merge(rest::router())
            .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path"))
            .method_not_allowed_fallback(async || {
                Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", METHOD_WRONG)
            })
            .with_state(Arc::clone(self))
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Set when it took nothing for too long.
    pub slow: Arc<AtomicBool>,
    /// Its place among the connections.
    pub seat: Seat,
}

/// Whether the process can work at all: if not, only a new start helps.
pub(super) async fn healthz(State(app): State<Arc<App>>) -> Response {
    let dead = |tenant: &Arc<Tenant>| match tenant.health() {
        Health::Poisoned | Health::Closed => true,
        Health::Healthy | Health::DiskFull => !tenant.is_running(),
    };
    let healthy = *app.stop.borrow() || !app.tenants.iter().any(dead);
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"healthy": healthy}))).into_response()
}

/// Whether what is told is what is true now: every source live, every log written, every subscriber told.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let now = app.clock.now();
    let (mut sources, mut logs, mut feeds, mut topics) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut sinks, mut ready) = (Vec::new(), !*app.stop.borrow());
    for tenant in &app.tenants {
        ready &= tenant.is_writable();
        logs.push(json!({
            "tenant": tenant.name(),
            "writable": tenant.is_writable(),
            "state": match tenant.health() {
                Health::Healthy => "healthy",
                Health::DiskFull => "disk_full",
                Health::Poisoned => "poisoned",
                Health::Closed => "closed",
            },
        }));
        let feed = tenant.feed();
        ready &= feed.is_current();
        feeds.push(json!({"tenant": tenant.name(), "running": feed.is_running(), "events_behind": feed.behind()}));
        if let Some(scribe) = tenant.scribe() {
            ready &= scribe.is_current();
            let behind = scribe.behind();
            topics.push(json!({"tenant": tenant.name(), "running": scribe.is_running(), "events_behind": behind}));
        }
        if let Some(publisher) = tenant.publisher() {
            let sink = publisher.report();
            ready &= sink.is_ready;
            sinks.push(json!({
                "tenant": tenant.name(),
                "sink": "kafka",
                "state": sink.state,
                "why": sink.why.map(|why| format!("kafka: {why}")),
                "records_behind": sink.records_behind,
                "behind_s": sink.behind_s,
                "records_lost": sink.records_lost,
            }));
        }
        for (name, source) in tenant.sources().all() {
            ready &= source.live;
            let seconds_since = |at: cordboard_core::Time| now.micros_since(at) as f64 / 1e6;
            sources.push(json!({
                "tenant": tenant.name(),
                "source": name,
                "live": source.live,
                "stale_s": if source.live { None } else { source.since.map(seconds_since) },
                "heard_s_ago": source.heard.map(seconds_since),
            }));
        }
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let all = json!({
        "ready": ready,
        "sources": sources,
        "logs": logs,
        "feeds": feeds,
        "topics": topics,
        "sinks": sinks,
    });
    (status, Json(all)).into_response()
}

pub(super) async fn show_metrics(State(app): State<Arc<App>>, Extension(peer): Extension<Peer>) -> Response {
    if !app.settings.metrics_remote && !peer.address.ip().to_canonical().is_loopback() {
        let message = "metrics are shown to this machine only; http.metrics_remote = true shows them to others";
        return Refusal::new(StatusCode::FORBIDDEN, "metrics_local", message).into_response();
    }
    let content_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], metrics::render(&app.metrics, &app.tenants)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotQuery {
    dialect: Option<String>,
}

pub(super) async fn snapshot(
    Access(access): Access,
    query: Result<Query<SnapshotQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::wrong(error.body_text()))?;
    if !access.permit.is_for_events() {
        return Err(not_the_whole("the snapshot of the tenant", "GET /users, /queues and the hub /rte show it"));
    }
    let (dialect, _) = dialect(&access.tenant, query.dialect.as_deref())?;
    let picture = access
        .tenant
        .mirror()
        .picture(dialect)
        .await
        .map_err(|error| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_snapshot", error.to_string()))?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, line::snapshot(None, &picture)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    dialect: Option<String>,
    from: Option<String>,
    follow: Option<String>,
    snapshot: Option<String>,
    format: Option<String>,
    delivery: Option<String>,
    connection: Option<String>,
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    Access(access): Access,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::wrong(error.body_text()))?;
    let form = form(query.format.as_deref(), &headers)?;
    let wish = wish(&query, form, &headers)?;
    let spoken = dialect(&access.tenant, query.dialect.as_deref())?;
    let is_whole = access.permit.is_for_events();
    if !is_whole && (query.connection.is_none() || wish.begin == Begin::Snapshot) {
        return Err(not_the_whole(
            "the stream of the tenant",
            "with connection=NAME comes what is told to that connection",
        ));
    }
    let client = match query.connection.as_deref() {
        None => None,
        Some(name) if is_name(name) => Some(door::client(&access.token, name)),
        Some(_) => return Err(Refusal::wrong("connection: right would be the name of a connection of this token")),
    };
    let entry = access.tenant.readers().enter(spoken.0.name, app.settings.readers_max).ok_or_else(|| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_readers",
            "this tenant has as many readers as it may have",
        )
    })?;
    let heartbeat = Duration::from_millis(app.settings.stream_heartbeat_ms);
    let reader = EventReader::new(Arc::clone(&access.tenant), spoken, wish, heartbeat, entry, app.stop.clone());
    let stream = EventStream {
        app,
        reader,
        form,
        client,
        is_whole,
        identity: access,
        identity_checked: Instant::now(),
        peer,
        over: false,
    };
    let body = stream::unfold(stream, |mut stream| async {
        let bytes = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, form.content_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The body of an answer that may never end.
struct EventStream {
    app: Arc<App>,
    reader: EventReader,
    form: Form,
    /// Whose messages are told besides those for everybody.
    client: Option<String>,
    /// Whether everything is told, or only what is for the client alone.
    is_whole: bool,
    identity: Identity,
    identity_checked: Instant,
    peer: Peer,
    over: bool,
}

impl EventStream {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            if self.identity_checked.elapsed() >= TOKEN_CHECK_EVERY {
                self.identity_checked = Instant::now();
                if !self.app.identities.is_good(&self.identity) {
                    self.over = true;
                    return Some(self.form.failed("unauthorised", "the token was revoked or has expired"));
                }
            }
            let listener = match (self.client.as_deref(), self.is_whole) {
                (Some(client), true) => Listener::Client(client),
                (Some(client), false) => Listener::ClientOnly(client),
                (None, _) => Listener::Everybody,
            };
            let bytes = self.form.write(&self.reader.next().await?, listener);
            // Events that say nothing in this vocabulary give no bytes, nor does silence; an empty chunk would end the answer.
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
        None
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        if self.peer.slow.load(Ordering::Relaxed) {
            self.reader.tenant().metrics().slow_reader();
        }
    }
}

/// Agents, supervisors and programs that were not granted it do not read everything.
fn not_the_whole(what: &str, right: &str) -> Refusal {
    let message = format!("{what} is for administrators, services, and services granted events; {right}");
    Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message)
}

fn dialect(
    tenant: &Tenant,
    name: Option<&str>,
) -> Result<(&'static cordboard_dialects::Dialect, Arc<crate::tail::Tail>), Refusal> {
    tenant.tail(name.unwrap_or(own_dialect().name)).ok_or_else(|| {
        let spoken: Vec<&str> = tenant.tails().iter().map(|(dialect, _)| dialect.name).collect();
        Refusal::wrong(format!("there is no such dialect; spoken here: {}", spoken.join(", ")))
    })
}

fn form(format: Option<&str>, headers: &HeaderMap) -> Result<Form, Refusal> {
    match format {
        Some("ndjson") => Ok(Form::Ndjson),
        Some("sse") => Ok(Form::ServerSent),
        Some(_) => Err(Refusal::wrong("format: right would be ndjson or sse")),
        None => {
            let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
            Ok(if accept.contains("text/event-stream") { Form::ServerSent } else { Form::Ndjson })
        }
    }
}

fn wish(query: &EventsQuery, form: Form, headers: &HeaderMap) -> Result<Wish, Refusal> {
    let position =
        |text: &str| text.parse::<Position>().map(Begin::After).map_err(|error| Refusal::wrong(error.to_string()));
    let wants_snapshot = flag("snapshot", query.snapshot.as_deref())?.unwrap_or(false);
    let last_event = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let begin = match (last_event, query.from.as_deref(), wants_snapshot) {
        // An event source that comes back repeats its first request; what it knows is newer.
        (Some(id), _, _) => position(id)?,
        (None, None | Some("now"), true) => Begin::Snapshot,
        (None, None | Some("now"), false) => Begin::Now,
        (None, Some(_), true) => return Err(Refusal::wrong("snapshot=true begins now: leave `from` out")),
        (None, Some("start"), false) => Begin::Start,
        (None, Some(from), false) => position(from)?,
    };
    let lives = form == Form::ServerSent || matches!(begin, Begin::Now | Begin::Snapshot);
    let follow = flag("follow", query.follow.as_deref())?.unwrap_or(lives);
    let delivery = match query.delivery.as_deref() {
        None | Some("every") => Delivery::Every,
        Some("latest") => Delivery::Latest,
        Some(_) => return Err(Refusal::wrong("delivery: right would be every or latest")),
    };
    Ok(Wish { begin, follow, delivery })
}

fn flag(name: &str, value: Option<&str>) -> Result<Option<bool>, Refusal> {
    match value {
        None => Ok(None),
        Some("true" | "1" | "") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Refusal::wrong(format!("{name}: right would be true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish_of(query: &str, headers: &[(&'static str, &str)]) -> Result<Wish, Refusal> {
        let uri: axum::http::Uri = format!("/?{query}").parse().unwrap();
        let Query(query) = Query::<EventsQuery>::try_from_uri(&uri).unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let form = form(query.format.as_deref(), &headers)?;
        wish(&query, form, &headers)
    }

    fn begin(query: &str, headers: &[(&'static str, &str)]) -> Begin {
        wish_of(query, headers).unwrap().begin
    }

    #[test]
    fn a_reader_begins_where_it_says() {
        let after = Begin::After(Position { epoch: 1, sequence: 2 });
        assert_eq!(begin("", &[]), Begin::Now);
        assert_eq!(begin("from=now", &[]), Begin::Now);
        assert_eq!(begin("from=start", &[]), Begin::Start);
        assert_eq!(begin("from=1-2", &[]), after);
        assert_eq!(begin("snapshot=true", &[]), Begin::Snapshot);
        assert_eq!(begin("snapshot=true", &[("last-event-id", "1-2")]), after);
        assert_eq!(begin("from=start", &[("last-event-id", "1-2")]), after);
        for wrong in ["from=then", "from=start&snapshot=true", "follow=perhaps", "format=xml", "delivery=some"] {
            assert!(wish_of(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_live_goes_on_and_what_is_past_ends_unless_told_otherwise() {
        let follow = |query, headers: &[(&'static str, &str)]| wish_of(query, headers).unwrap().follow;
        assert!(follow("", &[]) && follow("snapshot=1", &[]) && follow("from=1-2&follow=true", &[]));
        assert!(!follow("from=start", &[]) && !follow("from=1-2", &[]) && !follow("follow=false", &[]));
        assert!(follow("from=start", &[("accept", "text/event-stream")]));
        assert!(!follow("from=start&format=ndjson", &[("accept", "text/event-stream")]));
    }
}
