//! Pages of which origins may connect: a browser lets any page ask, and says which one did.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::config::Rte;

/// Headers that clients in browsers send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, x-requested-with, x-signalr-user-agent, cache-control, x-json-serializer",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
/// For how long a browser need not ask again, in seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// Which origins may connect.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct Origins {
    allowed: Vec<String>,
    any: bool,
    loopback: bool,
}

/// What the origin of a request is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) enum Verdict {
    /// No page asked.
    NoPage,
    /// A page that may.
    Welcome(HeaderValue),
    /// A page that may not.
    Foreign,
}

impl Origins {
    pub(in crate::gateway) fn new(settings: &Rte) -> Self {
        let allowed: Vec<String> = settings.origins.iter().map(|it| it.to_ascii_lowercase()).collect();
        Self { any: allowed.iter().any(|it| it == "*"), allowed, loopback: settings.origins_loopback }
    }

    /// Whether whoever sends these headers may connect.
    pub(in crate::gateway) fn judge(&self, headers: &HeaderMap) -> Verdict {
        let mut origins = headers.get_all(header::ORIGIN).into_iter();
        let Some(origin) = origins.next() else { return Verdict::NoPage };
        let Ok(text) = origin.to_str() else { return Verdict::Foreign };
        let text = text.to_ascii_lowercase();
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
        let place = text.split_once("://").map(|(_, place)| place);
        let own = place.is_some() && place == host.as_deref();
        let listed = self.any || self.allowed.contains(&text);
        let near = self.loopback && place.is_some_and(is_loopback);
        if origins.next().is_none() && (own || listed || near) {
            Verdict::Welcome(origin.clone())
        } else {
            Verdict::Foreign
        }
    }
}

impl Verdict {
    /// Adds to an answer what lets the page read it.
    pub(in crate::gateway) fn admit(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        if let Self::Welcome(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// The answer to a browser that asks what a page may send.
pub(in crate::gateway) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    headers.insert(header::ALLOW, METHODS);
    response
}

/// Whether host and port are of this machine.
fn is_loopback(place: &str) -> bool {
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => place.split(':').next(),
    };
    let host = host.unwrap_or_default();
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_welcome(settings: &Rte, host: &str, origins: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for origin in origins {
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
        }
        match Origins::new(settings).judge(&headers) {
            Verdict::NoPage | Verdict::Welcome(_) => true,
            Verdict::Foreign => false,
        }
    }

    #[test]
    fn only_pages_of_the_hub_itself_may_unless_told_otherwise() {
        let strict = Rte::default();
        let host = "hub.example:8080";
        for good in [&[][..], &["http://hub.example:8080"], &["https://HUB.example:8080"]] {
            assert!(is_welcome(&strict, host, good), "{good:?}");
        }
        for foreign in [
            &["http://hub.example"][..],
            &["http://hub.example:8081"],
            &["http://evil.example"],
            &["http://hub.example:8080.evil.example"],
            &["http://evil.example/hub.example:8080"],
            &["http://localhost:8080"],
            &["null"],
            &[""],
            &["hub.example:8080"],
            &["http://hub.example:8080", "http://evil.example"],
        ] {
            assert!(!is_welcome(&strict, host, foreign), "{foreign:?}");
        }
    }

    #[test]
    fn settings_let_others_in() {
        let listed = Rte { origins: vec!["https://Desk.example".into(), "null".into()], ..Rte::default() };
        assert!(is_welcome(&listed, "h", &["https://desk.example"]) && is_welcome(&listed, "h", &["null"]));
        assert!(!is_welcome(&listed, "h", &["http://desk.example"]));
        let any = Rte { origins: vec!["*".into()], ..Rte::default() };
        assert!(is_welcome(&any, "h", &["https://evil.example"]));
        let near = Rte { origins_loopback: true, ..Rte::default() };
        for good in ["http://localhost:3000", "http://127.0.0.1", "https://127.9.9.9:1", "http://[::1]:5"] {
            assert!(is_welcome(&near, "h", &[good]), "{good}");
        }
        for foreign in ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://10.0.0.1"] {
            assert!(!is_welcome(&near, "h", &[foreign]), "{foreign}");
        }
    }
}
