//! Who may hear what: a bearer token opens one tenant; errors are JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::http::App;
use crate::tenant::Tenant;
use crate::tokens::Token;

/// What a good token gives.
pub struct Access {
    /// The tenant it opens.
    pub tenant: Arc<Tenant>,
    /// The token: its id, to see later whether it is still good, and its role.
    pub token: Token,
}

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let access = app.access(&parts.headers);
        if matches!(access, Err(Refusal { status: StatusCode::UNAUTHORIZED, .. })) {
            app.metrics().unauthorised.inc();
        }
        access
    }
}

impl App {
    fn access(&self, headers: &axum::http::HeaderMap) -> Result<Access, Refusal> {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Err(Refusal::unauthorised("there is no token; send the header \"Authorization: Bearer TOKEN\""));
        };
        let text = given.to_str().ok().and_then(|given| given.split_once(' '));
        let Some((_, text)) = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Err(Refusal::unauthorised("the header must be \"Authorization: Bearer TOKEN\""));
        };
        let found = self.tokens().check(text.trim(), self.clock().now()).map_err(|error| {
            tracing::error!(%error, "tokens cannot be checked");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "tokens_unreadable", "tokens cannot be checked at the moment")
        })?;
        let Some(token) = found else {
            return Err(Refusal::unauthorised(
                "the token is not known, revoked or expired; `cordboard token create` makes one",
            ));
        };
        match self.tenants().iter().find(|tenant| tenant.name() == token.tenant) {
            Some(tenant) => Ok(Access { tenant: Arc::clone(tenant), token }),
            None => Err(Refusal::new(StatusCode::FORBIDDEN, "no_tenant", "the token's tenant is not served here")),
        }
    }
}

/// Why a request is refused: `{"error":{"code","message"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// A refusal with a word for programs and words for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    fn unauthorised(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", message)
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
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
