//! The REST side: the paths of Enreach's interface as far as they are known, and ours in the same style.
//!
//! `table` lists every path with all there is to say of it; the router here and the document in `openapi` are made from
//! it. `call` is what a handler is given and gives back; `names` finds what paths and bodies name, as far as the caller
//! may see it. Reading is done on the mirror's thread; whatever changes something is a request like any other, judged and
//! written down by the loop, and answered when it is durable.

mod alerts;
mod availability;
mod call;
mod callbacks;
mod directory;
mod lists;
mod names;
mod openapi;
mod page;
mod queues;
mod read;
mod route;
mod shapes;
mod supervision;
mod table;
mod tokens;
mod users;
mod work;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, options, post, put};
use serde_json::Value;

use super::access::{self, Refusal};
use super::body::{self, Strict};
use super::door;
use super::http::App;
use super::signalr::origin::{Verdict, preflight};
use crate::permit::Permit;
use call::{CONNECTION, Call, Given};
use route::{Handle, Outcome, Route, Verb, Who};
use table::ROUTES;

const FOREIGN: &str = "pages of this origin may not ask; rte.origins names those that may";
/// What paths of ours begin with.
const OURS: &str = "/api/v1/";
const BASIC: &str = "Basic realm=\"Cordboard\", charset=\"UTF-8\"";

/// Every path of the table.
pub(super) fn router() -> Router<Arc<App>> {
    let mut asked = BTreeSet::new();
    ROUTES.iter().fold(Router::new(), |router, route| match route.handle {
        Handle::Own(make) => router.route(route.path, make()),
        Handle::Known(_) | Handle::Open(_) => {
            // Clients of the original write some paths with a slash at the end, and some without.
            let closed = format!("{}/", route.path);
            let router = if asked.insert(route.path) {
                router.route(route.path, options(ask)).route(&closed, options(ask))
            } else {
                router
            };
            router.route(route.path, method(route)).route(&closed, method(route))
        }
    })
}

/// The path of the stream of events.
pub(super) fn stream_path() -> &'static str {
    table::EVENTS_PATH
}

/// What may stand in the query of that path, and what it means.
pub(super) fn stream_query() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::EVENTS_QUERY.iter().map(|parameter| (parameter.name, parameter.summary))
}

fn method(route: &'static Route) -> MethodRouter<Arc<App>> {
    let answer = async move |State(app): State<Arc<App>>, request: Request| answer(route, app, request).await;
    match route.verb {
        Verb::Get => get(answer),
        Verb::Post => post(answer),
        Verb::Put => put(answer),
        Verb::Delete => delete(answer),
    }
}

/// A browser asks whether a page may ask.
async fn ask(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut response = preflight();
    app.origins().judge(&headers).admit(&mut response);
    response
}

async fn answer(route: &'static Route, app: Arc<App>, request: Request) -> Response {
    let page = app.origins().judge(request.headers());
    let taken = match page {
        // A browser may know somebody's credentials; a page that may not ask must not use them.
        Verdict::Foreign => Err(Refusal::new(StatusCode::FORBIDDEN, "foreign_origin", FOREIGN)),
        Verdict::NoPage | Verdict::Welcome(_) => take(route, app, request).await,
    };
    let mut response = match taken {
        Ok(reply) => reply.into_response(),
        Err(refusal) => refusal.into_response(),
    };
    // Clients of the original that wait to be asked wait for this.
    if response.status() == StatusCode::UNAUTHORIZED && !route.path.starts_with(OURS) {
        response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
    }
    page.admit(&mut response);
    response
}

/// First who asks, then whether that may be, then what was sent.
async fn take(route: &'static Route, app: Arc<App>, request: Request) -> Outcome {
    let (mut parts, body) = request.into_parts();
    let from = access::address(&parts);
    let caller = match route.who {
        Who::Everybody => None,
        Who::Anybody | Who::Person | Who::Supervisors | Who::Administrators | Who::Services => {
            let caller = app.identities().authenticate_header(&parts.headers, from).await;
            Some(caller.map_err(|denied| app.denied(denied))?)
        }
    };
    let mut pass = None;
    if let Some(caller) = &caller {
        check(route.who, &caller.permit)?;
        let client = door::client(&caller.token, CONNECTION);
        let entered = app.throttle().enter(&caller.token, &client);
        pass = Some(entered.map_err(|why| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", why))?);
    }
    let path = RawPathParams::from_request_parts(&mut parts, &app)
        .await
        .map_err(|error| Refusal::wrong(format!("the path: {}", error.body_text())))?;
    let path: HashMap<String, String> = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query = read::query(&parts.uri, route.query)?;
    let body = if route.body.is_some() {
        let read = body::json::<Strict>(body, app.requests()).await;
        let Strict(value) = read.map_err(|error| Refusal::new(error.status(), "bad_request", error.to_string()))?;
        value
    } else {
        Value::Null
    };
    let given = Given { app, headers: parts.headers, from, path, query, body };
    let outcome = match (route.handle, caller) {
        (Handle::Known(handle), Some(caller)) => handle(Call { given, caller: Arc::new(caller) }).await,
        (Handle::Open(handle), _) => handle(given).await,
        (Handle::Known(_) | Handle::Own(_), _) => Err(call::nothing("path")),
    };
    drop(pass);
    outcome
}

/// Whether somebody of this role asks this at all. What it is about is judged later, by the world.
fn check(who: Who, permit: &Permit) -> Result<(), Refusal> {
    let may = match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(_) => who != Who::Services,
        Permit::Supervisor { .. } => match who {
            Who::Everybody | Who::Anybody | Who::Person | Who::Supervisors => true,
            Who::Administrators | Who::Services => false,
        },
        Permit::Agent { .. } => match who {
            Who::Everybody | Who::Anybody | Who::Person => true,
            Who::Supervisors | Who::Administrators | Who::Services => false,
        },
    };
    let right = match who {
        Who::Everybody | Who::Anybody | Who::Person => "whoever has a token",
        Who::Supervisors => "supervisors, administrators and programs",
        Who::Administrators => "administrators and programs",
        Who::Services => "programs",
    };
    let why = || format!("this is not for you to ask; right would be a token of {right}");
    if may { Ok(()) } else { Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", why())) }
}

#[cfg(test)]
mod tests;
