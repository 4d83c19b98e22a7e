//! Who may hear what: whoever is somebody hears of one tenant; errors are JSON.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::http::{App, Peer};
use crate::identity::{Denied, Identity};

/// Somebody whose token was good.
pub struct Access(pub Identity);

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let from = address(parts);
        let found = app.identities().authenticate_header(&parts.headers, from).await;
        found.map(Self).map_err(|denied| app.denied(denied))
    }
}

/// Where a request comes from.
#[must_use]
pub fn address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip())
}

impl App {
    /// Counts that somebody was not let in, and says why.
    pub(super) fn denied(&self, denied: Denied) -> Refusal {
        match denied {
            Denied::Missing | Denied::Form | Denied::Wrong | Denied::TooMany { .. } => {
                self.metrics().unauthorised.inc();
            }
            Denied::NoTenant | Denied::Operator | Denied::Unavailable => {}
        }
        denied.into()
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let (status, code) = match denied {
            Denied::Missing | Denied::Form | Denied::Wrong => (StatusCode::UNAUTHORIZED, "unauthorised"),
            Denied::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_failures"),
            Denied::NoTenant => (StatusCode::FORBIDDEN, "no_tenant"),
            Denied::Operator => (StatusCode::FORBIDDEN, "operator"),
            Denied::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "tokens_unreadable"),
        };
        let refusal = Self::new(status, code, denied.to_string());
        match denied {
            Denied::TooMany { retry_s } => Self { retry_s, ..refusal },
            Denied::Missing
            | Denied::Form
            | Denied::Wrong
            | Denied::NoTenant
            | Denied::Operator
            | Denied::Unavailable => refusal,
        }
    }
}

/// Why a request is refused: `{"error":{"code","message"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// When to try again, where it is about how often.
    retry_s: u64,
}

impl Refusal {
    /// A refusal with a word for programs and words for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_s: 1 }
    }

    /// The same, with what is to be known besides.
    #[must_use]
    pub fn with(self, besides: &str) -> Self {
        Self { message: format!("{}; {besides}", self.message), ..self }
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": {"code": self.code, "message": self.message}}));
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.retry_s));
        }
        response
    }
}
