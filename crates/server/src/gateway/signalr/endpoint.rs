//! The requests of clients: what each asks for, which connection it is for, and what is answered.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordboard_signalr::Transport;
use cordboard_signalr::negotiate::{self, Offer};
use futures_util::stream;
use tokio::time::Duration;

use super::SignalR;
use super::drive::{Drive, drive_letters, drive_socket};
use super::hub::Hub;
use super::letters::{Fetch, Letters, event};
use super::origin::{Verdict, preflight};
use super::refused::Refused;
use super::registry::{Connection, Id, Place};
use super::socket::{Dock, Socket, accept, is_upgrade};
use crate::gateway::body::{self, BodyError};
use crate::gateway::http::Peer;

/// What opens the event of a stream, before anything is to be told.
const STREAM_OPENS: Bytes = Bytes::from_static(b":\r\n");

/// Which path was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The hub's own.
    Hub,
    /// That of the negotiation.
    Negotiate,
}

impl<H: Hub> SignalR<H> {
    pub(super) async fn answer(self: Arc<Self>, door: Door, request: Request) -> Response {
        let verdict = self.origins.judge(request.headers());
        let answered = if verdict == Verdict::Foreign {
            Err(Refused::Origin)
        } else if request.method() == Method::OPTIONS {
            Ok(preflight())
        } else {
            self.admit(door, request).await
        };
        let mut response = answered.unwrap_or_else(|refused| {
            self.metrics.refuse(refused);
            refused.into_response()
        });
        verdict.admit(&mut response);
        response
    }

    /// Who asks, then what for.
    async fn admit(self: &Arc<Self>, door: Door, request: Request) -> Result<Response, Refused> {
        let asked = Asked::of(request.uri());
        let token = bearer(request.headers()).or(asked.token.as_deref());
        let method = request.method();
        let answered = match door {
            Door::Negotiate => method == Method::POST,
            Door::Hub => [Method::GET, Method::POST, Method::DELETE].contains(method),
        };
        if !answered {
            return Err(Refused::Method);
        }
        let peer = request.extensions().get::<Peer>();
        let from = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip().to_canonical());
        let id = asked.id.as_deref().map(Id::parse);
        let opened = id.flatten().zip(token).and_then(|(id, token)| self.registry.opened_with(id, token));
        let user = match opened {
            Some(connection) if door == Door::Hub => Arc::clone(&connection.user),
            Some(_) | None => self.hub.authenticate(token, from).await.map_err(Refused::from)?,
        };
        if door == Door::Negotiate {
            return self.negotiate(request.uri().query().unwrap_or_default(), &user);
        }
        let upgrade = request.method() == Method::GET && is_upgrade(request.headers());
        let Some(id) = id else {
            return if upgrade { self.socket_without_id(request, &user) } else { Err(Refused::NoId) };
        };
        let found = id.and_then(|id| self.registry.find(id, &user));
        let connection = found.ok_or(Refused::UnknownId)?;
        match *request.method() {
            Method::POST => self.post(&connection, request.into_body()).await,
            Method::DELETE => self.end(&connection),
            _ if upgrade => self.socket(&connection, request),
            _ if wants_events(request.headers()) => self.events(&connection, token, peer),
            _ => self.poll(&connection, token, peer).await,
        }
    }

    fn negotiate(&self, query: &str, user: &Arc<H::User>) -> Result<Response, Refused> {
        let body = match negotiate::asked(query) {
            Ok(asked) => {
                let stateful = asked.stateful_reconnect && asked.version > 0 && self.settings.stateful_reconnect;
                let token = self.registry.agree(user, stateful)?.text();
                let public = if asked.version > 0 { Id::new().ok_or(Refused::NoChance)?.text() } else { token.clone() };
                Offer {
                    version: asked.version,
                    connection_id: &public,
                    connection_token: &token,
                    transports: &Transport::ALL,
                    stateful_reconnect: stateful,
                }
                .to_json()
            }
            Err(error) => negotiate::refusal(&error),
        };
        Ok(([(header::CONTENT_TYPE, "application/json"), NO_STORE], body).into_response())
    }

    fn socket_without_id(self: &Arc<Self>, request: Request, user: &Arc<H::User>) -> Result<Response, Refused> {
        let response = accept(request.headers()).ok_or(Refused::Upgrade)?;
        let seat = self.registry.open_new(user)?;
        let drive = Drive::new(Arc::clone(self), seat, Transport::WebSockets, None);
        self.upgrade(request, |socket| drive_socket(drive, socket));
        Ok(response)
    }

    fn socket(self: &Arc<Self>, connection: &Arc<Connection<H>>, request: Request) -> Result<Response, Refused> {
        let response = accept(request.headers()).ok_or(Refused::Upgrade)?;
        let mut place = connection.place();
        match &*place {
            Place::Agreed(_) => {
                let seat = self.registry.open(connection)?;
                let dock = connection.stateful.then(|| Arc::new(Dock::default()));
                *place = Place::Socket(dock.clone());
                drop(place);
                let drive = Drive::new(Arc::clone(self), seat, Transport::WebSockets, dock);
                self.upgrade(request, |socket| drive_socket(drive, socket));
                Ok(response)
            }
            Place::Socket(Some(dock)) if dock.is_open() => {
                let dock = Arc::clone(dock);
                drop(place);
                self.upgrade(request, |socket| async move { dock.put(socket) });
                Ok(response)
            }
            Place::Socket(_) => Err(Refused::InUse),
            Place::Events(_) | Place::Polls(_) => Err(Refused::Transport),
            Place::Ended => Err(Refused::UnknownId),
        }
    }

    /// Makes the connection of this request a WebSocket, once it is answered, and does this with it.
    fn upgrade<F>(self: &Arc<Self>, mut request: Request, then: impl FnOnce(Box<Socket>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let slow = request.extensions().get::<Peer>().map(|peer| Arc::clone(&peer.slow)).unwrap_or_default();
        let upgrade = hyper::upgrade::on(&mut request);
        let signalr = Arc::clone(self);
        tokio::spawn(async move {
            // Where it fails the client is gone.
            if let Ok(upgraded) = upgrade.await {
                then(Box::new(Socket::new(upgraded, signalr.settings(), slow).await)).await;
            }
        });
    }

    fn events(
        self: &Arc<Self>,
        connection: &Arc<Connection<H>>,
        token: Option<&str>,
        peer: Option<&Peer>,
    ) -> Result<Response, Refused> {
        let mut place = connection.place();
        match &*place {
            Place::Agreed(_) => {
                let seat = self.registry.open(connection)?;
                let (letters, pipe) = Letters::new(self.settings.bytes_per_second_max, None);
                let fetch = letters.fetch().only();
                *place = Place::Events(letters);
                drop(place);
                token.inspect(|token| connection.keep_key(token));
                tokio::spawn(drive_letters(
                    Drive::new(Arc::clone(self), seat, Transport::ServerSentEvents, None),
                    pipe,
                ));
                let events = stream::unfold((Some(STREAM_OPENS), fetch), |(first, mut fetch)| async {
                    let bytes = match first {
                        Some(first) => first,
                        None => event(&fetch.next().await?),
                    };
                    Some((Ok::<_, Infallible>(bytes), (None, fetch)))
                });
                // It is counted among the connections of the hub as long as it lasts, and is good for nothing else.
                peer.inspect(|peer| peer.seat.leave());
                Ok((EVENTS_HEADERS, Body::from_stream(events)).into_response())
            }
            Place::Events(_) => Err(Refused::InUse),
            Place::Socket(_) | Place::Polls(_) => Err(Refused::Transport),
            Place::Ended => Err(Refused::UnknownId),
        }
    }

    async fn poll(
        self: &Arc<Self>,
        connection: &Arc<Connection<H>>,
        token: Option<&str>,
        peer: Option<&Peer>,
    ) -> Result<Response, Refused> {
        let fetch = self.begin_poll(connection, token)?;
        // The first poll opens the connection; clients wait for its answer before they say anything.
        let Some(mut fetch) = fetch else { return Ok(polled(Bytes::new())) };
        // What is held is counted among the connections of the hub.
        peer.inspect(|peer| peer.seat.leave());
        let held = Duration::from_millis(self.settings.poll_ms_max);
        let fetched = tokio::time::timeout(held, fetch.next()).await;
        let mut response = match fetched {
            Ok(Some(messages)) => polled(messages),
            Ok(None) => (StatusCode::NO_CONTENT, [NO_STORE]).into_response(),
            Err(_) => polled(Bytes::new()),
        };
        if peer.is_some_and(|peer| !peer.seat.take()) {
            let (name, close) = CLOSE;
            response.headers_mut().insert(name, HeaderValue::from_static(close));
        }
        Ok(response)
    }

    fn begin_poll(
        self: &Arc<Self>,
        connection: &Arc<Connection<H>>,
        token: Option<&str>,
    ) -> Result<Option<Fetch>, Refused> {
        let mut place = connection.place();
        match &*place {
            Place::Agreed(_) => {
                let seat = self.registry.open(connection)?;
                let absent_max = Duration::from_millis(self.settings.detached_ms_max);
                let (letters, pipe) = Letters::new(self.settings.bytes_per_second_max, Some(absent_max));
                *place = Place::Polls(letters);
                drop(place);
                token.inspect(|token| connection.keep_key(token));
                tokio::spawn(drive_letters(Drive::new(Arc::clone(self), seat, Transport::LongPolling, None), pipe));
                Ok(None)
            }
            Place::Polls(letters) => Ok(Some(letters.fetch())),
            Place::Socket(_) | Place::Events(_) => Err(Refused::Transport),
            Place::Ended => Err(Refused::UnknownId),
        }
    }

    async fn post(&self, connection: &Connection<H>, body: Body) -> Result<Response, Refused> {
        let letters = match &*connection.place() {
            Place::Events(letters) | Place::Polls(letters) => letters.clone(),
            Place::Agreed(_) => return Err(Refused::NotOpen),
            Place::Socket(_) => return Err(Refused::PostToSocket),
            Place::Ended => return Err(Refused::UnknownId),
        };
        let read = body::read(body, self.settings.post_bytes_max, self.settings.post_ms_max).await;
        let messages = read.map_err(|error| match error {
            BodyError::TooLong { .. } => Refused::TooLong,
            BodyError::TooSlow { .. } => Refused::TooSlow,
            BodyError::Broken | BodyError::Json(_) => Refused::Broken,
        })?;
        let taken_max = Duration::from_millis(self.settings.post_ms_max);
        match tokio::time::timeout(taken_max, letters.post(messages.into())).await {
            Ok(true) => Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/plain"), NO_STORE]).into_response()),
            Ok(false) => Err(Refused::UnknownId),
            Err(_) => Err(Refused::Busy),
        }
    }

    fn end(&self, connection: &Connection<H>) -> Result<Response, Refused> {
        match &*connection.place() {
            Place::Polls(letters) => letters.end(),
            Place::Agreed(_) | Place::Socket(_) | Place::Events(_) => return Err(Refused::EndOfOther),
            Place::Ended => return Err(Refused::UnknownId),
        }
        self.registry.forget(connection);
        Ok((StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "text/plain"), NO_STORE]).into_response())
    }
}

const CLOSE: (HeaderName, &str) = (header::CONNECTION, "close");
const NO_STORE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache, no-store");

const EVENTS_HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    NO_STORE,
    // Nobody between us and the client may wait for more.
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (header::CONTENT_ENCODING, "identity"),
    CLOSE,
];

fn polled(messages: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream"), NO_STORE], messages).into_response()
}

/// What the query asks for, but for the negotiation.
#[derive(Debug, Default)]
struct Asked {
    id: Option<String>,
    token: Option<String>,
}

impl Asked {
    fn of(uri: &Uri) -> Self {
        let mut asked = Self::default();
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        for (key, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            match key.as_str() {
                "id" => asked.id = Some(value),
                "access_token" => asked.token = Some(value),
                _ => {}
            }
        }
        asked
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|accept| accept.to_str().ok());
    accepted.into_iter().any(|accept| accept.to_ascii_lowercase().contains("text/event-stream"))
}
