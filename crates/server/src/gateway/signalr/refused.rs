//! Why a request is refused, and what is answered then.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_signalr::texts;

use super::hub::Refusal;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No good token.
    Unauthorised,
    /// A token for something else.
    Forbidden,
    /// Too many tries.
    TooMany,
    /// It cannot be told who it is.
    Unavailable,
    /// A page of a foreign origin.
    Origin,
    /// A method there is not.
    Method,
    /// No id where one is needed.
    NoId,
    /// An id nobody knows.
    UnknownId,
    /// Another transport than the connection's.
    Transport,
    /// The connection is in use.
    InUse,
    /// Nothing fetches what is for the client yet.
    NotOpen,
    /// A POST to a WebSocket.
    PostToSocket,
    /// The end of what is no long polling.
    EndOfOther,
    /// A WebSocket that is none.
    Upgrade,
    /// All connections are in use.
    Connections,
    /// Those of the tenant are.
    TenantConnections,
    /// Those of the user are.
    UserConnections,
    /// Too many of the tenant are agreed on.
    TenantNegotiated,
    /// Too many of the user are agreed on.
    UserNegotiated,
    /// The body is too long.
    TooLong,
    /// The body came too slowly.
    TooSlow,
    /// The body broke off.
    Broken,
    /// What was posted before was not taken.
    Busy,
    /// The server stops.
    Stopping,
    /// The system gives no chance.
    NoChance,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorised => Self::Unauthorised,
            Refusal::Forbidden => Self::Forbidden,
            Refusal::TooMany => Self::TooMany,
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

impl Refused {
    /// The status, the word for it in figures, and the words for people.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Unauthorised => (S::UNAUTHORIZED, "unauthorised", "a token is needed that is good for this hub"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "this token is not for this hub"),
            Self::TooMany => (S::TOO_MANY_REQUESTS, "too_many", "too many tries; wait"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "tokens cannot be checked at the moment"),
            Self::Origin => (S::FORBIDDEN, "origin", "pages of this origin may not connect; rte.origins lists those"),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method", "this path does not answer this method"),
            Self::NoId => (S::BAD_REQUEST, "no_id", texts::ID_REQUIRED),
            Self::UnknownId => (S::NOT_FOUND, "unknown_id", texts::ID_UNKNOWN),
            Self::Transport => (S::BAD_REQUEST, "transport", texts::TRANSPORT_CHANGED),
            Self::InUse => (S::CONFLICT, "in_use", "this connection is in use"),
            Self::NotOpen => (S::BAD_REQUEST, "not_open", "open the connection with a GET first"),
            Self::PostToSocket => (S::METHOD_NOT_ALLOWED, "post_to_socket", texts::POST_ON_WEBSOCKETS),
            Self::EndOfOther => (S::BAD_REQUEST, "end_of_other", texts::DELETE_NOT_ALLOWED),
            Self::Upgrade => (S::BAD_REQUEST, "upgrade", "this is no request for a WebSocket of version 13"),
            Self::Connections => (S::SERVICE_UNAVAILABLE, "connections", "as many are connected as may be"),
            Self::TenantConnections => {
                (S::TOO_MANY_REQUESTS, "tenant_connections", "as many of this organisation are connected as may be")
            }
            Self::UserConnections => {
                (S::TOO_MANY_REQUESTS, "user_connections", "this user has as many connections as there may be")
            }
            Self::TenantNegotiated | Self::UserNegotiated => {
                let word = if self == Self::UserNegotiated { "user_negotiated" } else { "tenant_negotiated" };
                (S::TOO_MANY_REQUESTS, word, "as many connections wait to be opened as may; open them or wait")
            }
            Self::TooLong => (S::PAYLOAD_TOO_LARGE, "too_long", "the body is longer than rte.post_bytes_max"),
            Self::TooSlow => (S::REQUEST_TIMEOUT, "too_slow", "the body did not come within rte.post_ms_max"),
            Self::Broken => (S::BAD_REQUEST, "broken", "the body broke off"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "what was posted before is not done yet"),
            Self::Stopping => (S::SERVICE_UNAVAILABLE, "stopping", "the server stops"),
            Self::NoChance => (S::SERVICE_UNAVAILABLE, "no_chance", "no connection can be made at the moment"),
        }
    }

    /// The word for it in figures.
    pub(super) fn word(self) -> &'static str {
        self.row().1
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, _, text) = self.row();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
