//! The door for requests: `POST /api/v1/requests`, and `DELETE /api/v1/connections/NAME`.
//!
//! The status says whether the request could be taken; what came of it stands in the answer. Nothing is answered before
//! what is answered is durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_core::Request;
use cordboard_core::request::{Ask, Asker, Refusal};
use cordboard_dialects::genesys::requests::{self, Failure};
use cordboard_dialects::{Message, genesys, is_private};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::access::{self, Access};
use super::body::{self, BodyError, Strict};
use super::http::App;
use crate::config::is_name;
use crate::engine::work::{Answer, Leave, NotTaken, Question, Work};
use crate::identity::Identity;
use crate::metrics::Outcome;
use crate::tenant::Tenant;

/// The connection of a client that names none.
const DEFAULT_CONNECTION: &str = "default";
const CONNECTION_HEADER: &str = "cordboard-connection";
/// How much longer than a request may take its answer may, until it is durable.
const ANSWER_MS_MORE: u64 = 5_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorQuery {
    connection: Option<String>,
}

/// What is answered, whatever came of it.
#[derive(Serialize)]
struct Envelope<'a> {
    request: Option<u64>,
    #[serde(rename = "ReferenceID")]
    reference: Option<u64>,
    position: Option<String>,
    events: Vec<&'a RawValue>,
    error: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// A request that was not taken, or of which it is not known what became.
struct Wrong {
    status: StatusCode,
    reference: Option<u64>,
    device: String,
    refusal: Refusal,
    message: String,
}

/// Takes a request, and answers with what came of it.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    access: Access,
    headers: HeaderMap,
    query: Result<Query<DoorQuery>, QueryRejection>,
    body: Body,
) -> Response {
    let begun = Instant::now();
    let tenant = Arc::clone(&access.0.tenant);
    match take(&app, access, &headers, query, body).await {
        Ok((answer, device, ask)) => {
            tenant.metrics().request_took(begun);
            answered(&app, &tenant, &answer, (&device, &ask))
        }
        Err(wrong) => {
            tenant.metrics().request(Outcome::NotTaken);
            refused(&app, &tenant, &wrong)
        }
    }
}

async fn take(
    app: &App,
    access: Access,
    headers: &HeaderMap,
    query: Result<Query<DoorQuery>, QueryRejection>,
    body: Body,
) -> Result<(Arc<Answer>, String, Ask), Wrong> {
    let named = match query {
        Ok(Query(query)) => connection(headers, query.connection),
        Err(error) => Err(error.body_text()),
    };
    let name = named.map_err(|why| Wrong::new(StatusCode::BAD_REQUEST, Refusal::WrongAttribute, why))?;
    let Access(Identity { tenant, token, name: asker, permit, .. }) = access;
    let client = client(&token, &name);
    let too_many = |why| Wrong::new(StatusCode::TOO_MANY_REQUESTS, Refusal::Busy, why);
    let _pass = app.throttle().enter(&token, &client).map_err(too_many)?;
    let Strict(value) = body::json(body, app.requests()).await.map_err(Wrong::body)?;
    let parsed = requests::parse(&value).map_err(|wrong| {
        let requests::Wrong { reference, device, message, refusal } = wrong;
        Wrong { status: StatusCode::BAD_REQUEST, reference, device, refusal, message }
    })?;
    drop(value);
    let (device, ask, reference) = (parsed.device, parsed.ask, parsed.reference);
    let wrong = |status, refusal, message| Wrong { status, reference, device: device.clone(), refusal, message };
    let request = Request {
        client,
        by: Asker { name: asker, role: permit.role() },
        reference,
        device: device.clone(),
        refused: tenant.people().refuse_login(&ask, parsed.password.as_deref()),
        ask: ask.clone(),
        deadline_ms: app.request_ms_max(),
    };
    let patience = Duration::from_millis(app.request_ms_max().saturating_add(ANSWER_MS_MORE));
    match tokio::time::timeout(patience, hand_in(&tenant, Question::new(request, permit, &genesys::DIALECT))).await {
        Ok(Ok(answer)) => Ok((answer, device, ask)),
        Ok(Err(NotAnswered::Untaken(why))) => Err(wrong(status(why), refusal(why), why.to_string())),
        Ok(Err(NotAnswered::Unwritable)) => {
            let why = "the log cannot be written at the moment, so nothing can be asked; try again later";
            Err(wrong(StatusCode::SERVICE_UNAVAILABLE, Refusal::Busy, why.to_owned()))
        }
        Ok(Err(NotAnswered::Unknown)) | Err(_) => {
            let why =
                "what became of the request is not known: ask again with the same reference, or look at the state";
            Err(wrong(StatusCode::SERVICE_UNAVAILABLE, Refusal::TimedOut, why.to_owned()))
        }
    }
}

/// Why there is no answer.
pub(crate) enum NotAnswered {
    /// It was not taken.
    Untaken(NotTaken),
    /// The tenant's log takes nothing.
    Unwritable,
    /// Nobody knows.
    Unknown,
}

/// Gives a request to the loop and waits until its answer may be told.
pub(crate) async fn hand_in(
    tenant: &Tenant,
    (question, reply): (Question, oneshot::Receiver<Result<Arc<Answer>, NotTaken>>),
) -> Result<Arc<Answer>, NotAnswered> {
    if !tenant.is_writable() {
        return Err(NotAnswered::Unwritable);
    }
    let work = tenant.work().ok_or(NotAnswered::Untaken(NotTaken::Stopping))?;
    work.send(Work::Asked(Box::new(question))).await.map_err(|_| NotAnswered::Untaken(NotTaken::Stopping))?;
    drop(work);
    let answer = reply.await.map_err(|_| NotAnswered::Unknown)?.map_err(NotAnswered::Untaken)?;
    if tenant.durable(answer.position).await { Ok(answer) } else { Err(NotAnswered::Unknown) }
}

/// Ends a connection: what it was registered for, and the memory of its references.
pub(super) async fn leave(Access(access): Access, Path(name): Path<String>) -> Result<StatusCode, access::Refusal> {
    let refusal = access::Refusal::new;
    if !is_name(&name) {
        return Err(access::Refusal::wrong(format!("the connection: {CONNECTION_FORM}")));
    }
    let (reply, left) = oneshot::channel();
    let gone = || refusal(StatusCode::SERVICE_UNAVAILABLE, "not_writable", "the tenant's log takes nothing now");
    let work = access.tenant.work().filter(|_| access.tenant.is_writable()).ok_or_else(gone)?;
    let leave = Leave { client: client(&access.token, &name), reply };
    work.send(Work::Left(leave)).await.map_err(|_| gone())?;
    drop(work);
    let (known, position) = left.await.map_err(|_| gone())?;
    if !known {
        return Err(refusal(StatusCode::NOT_FOUND, "no_connection", "this token has no connection of this name"));
    }
    if access.tenant.durable(position).await { Ok(StatusCode::NO_CONTENT) } else { Err(gone()) }
}

/// What the core calls a client: the token, and the connection that it names.
pub(super) fn client(token: &str, connection: &str) -> String {
    format!("{token}/{connection}")
}

const CONNECTION_FORM: &str = "right would be 1 to 64 of a-z A-Z 0-9 . _ - without a dot first";

fn connection(headers: &HeaderMap, query: Option<String>) -> Result<String, String> {
    let header = headers.get(CONNECTION_HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
    let name = match (header, query) {
        (Some(header), Some(query)) if header != query => {
            return Err("the connection is named twice, and differently; name it once".to_owned());
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => DEFAULT_CONNECTION.to_owned(),
    };
    if is_name(&name) { Ok(name) } else { Err(format!("the connection: {CONNECTION_FORM}")) }
}

/// The status for what was not taken.
fn status(why: NotTaken) -> StatusCode {
    match why {
        NotTaken::Busy { .. } | NotTaken::Connections { .. } => StatusCode::TOO_MANY_REQUESTS,
        NotTaken::Reused { .. } => StatusCode::CONFLICT,
        NotTaken::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        NotTaken::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refusal(why: NotTaken) -> Refusal {
    match why {
        NotTaken::Busy { .. } | NotTaken::Connections { .. } => Refusal::Busy,
        NotTaken::Reused { .. } | NotTaken::TooLarge => Refusal::WrongAttribute,
        NotTaken::Stopping => Refusal::SwitchGone,
    }
}

impl Wrong {
    fn new(status: StatusCode, refusal: Refusal, message: String) -> Self {
        Self { status, reference: None, device: String::new(), refusal, message }
    }

    fn body(error: BodyError) -> Self {
        Self::new(error.status(), Refusal::WrongAttribute, error.to_string())
    }
}

fn answered(app: &App, tenant: &Tenant, answer: &Answer, (device, ask): (&str, &Ask)) -> Response {
    let error = answer.refused.as_ref().map(|refused| {
        let said = refused.said.iter().rev().find(|message| is_private(message.channel));
        let (refusal, message) = (refused.refusal, &*refused.why);
        let reference = Some(answer.reference);
        let failure = Failure { at: app.clock().now(), reference, device, ask: Some(ask), refusal, message };
        said.map_or_else(
            || requests::error(&tenant.settings().genesys, &failure).to_string(),
            |said| said.value.clone(),
        )
    });
    let forbidden = answer.refused.as_ref().is_some_and(|refused| refused.forbidden);
    let status = if forbidden { StatusCode::FORBIDDEN } else { StatusCode::OK };
    // What the loop told besides the error when it refused was told all the same.
    let beside = answer.refused.iter().flat_map(|refused| &refused.said).filter(|it| !is_private(it.channel));
    let events: Vec<&Message> = answer.said.iter().chain(beside).collect();
    let raw = |text: &str| serde_json::from_str::<&RawValue>(text).ok().map(RawValue::to_owned);
    let error = error.as_deref().and_then(raw);
    let events: Vec<Box<RawValue>> = events.into_iter().filter_map(|message| raw(&message.value)).collect();
    let envelope = Envelope {
        request: Some(answer.request.0),
        reference: Some(answer.reference),
        position: Some(answer.position.to_string()),
        events: events.iter().map(AsRef::as_ref).collect(),
        error: error.as_deref(),
        repeated: answer.repeated,
        truncated: answer.cut,
    };
    respond(status, &envelope)
}

fn refused(app: &App, tenant: &Tenant, wrong: &Wrong) -> Response {
    let Wrong { status, reference, device, refusal, message } = wrong;
    let failure =
        Failure { at: app.clock().now(), reference: *reference, device, ask: None, refusal: *refusal, message };
    let error = requests::error(&tenant.settings().genesys, &failure).to_string();
    let error = serde_json::from_str::<&RawValue>(&error).ok();
    let envelope = Envelope {
        request: None,
        reference: *reference,
        position: None,
        events: Vec::new(),
        error,
        repeated: false,
        truncated: false,
    };
    respond(*status, &envelope)
}

fn respond(status: StatusCode, envelope: &Envelope<'_>) -> Response {
    let body = serde_json::to_vec(envelope).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
