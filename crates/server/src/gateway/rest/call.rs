//! What a handler is given, and what it gives back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_core::change::Change;
use cordboard_core::request::{Ask, Asker, Refusal as Word};
use cordboard_core::{Guid, Request};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::access::Refusal;
use super::super::door::{self, NotAnswered};
use super::super::http::App;
use super::read;
use super::shapes::Done;
use crate::engine::work::{NotTaken, Question};
use crate::identity::Identity;
use crate::log::Position;
use crate::mirror::{MirrorError, View, own_dialect};
use crate::permit::Permit;

/// The connection that this side of the interface is, for every token. No client can name one so.
pub(super) const CONNECTION: &str = ".rest";
/// How much longer than a request may take its answer may, until it is durable.
const ANSWER_MS_MORE: u64 = 5_000;

/// What came with a request, whoever sent it.
pub(super) struct Given {
    pub(super) app: Arc<App>,
    pub(super) headers: HeaderMap,
    /// The address it came from.
    pub(super) from: IpAddr,
    pub(super) path: HashMap<String, String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

/// A request of somebody who is known.
pub(super) struct Call {
    pub(super) given: Given,
    pub(super) caller: Arc<Identity>,
}

impl Deref for Call {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl Given {
    /// A parameter of the path; the router has seen to it that it is there.
    pub(super) fn part(&self, name: &str) -> String {
        self.path.get(name).cloned().unwrap_or_default()
    }

    /// An id in the path.
    pub(super) fn id(&self, name: &'static str) -> Result<Guid, Refusal> {
        id(name, &self.part(name))
    }

    /// A parameter of the query.
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// A parameter of the query that is true or false.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.asked(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "1" | "") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::wrong(format!("{name}: right would be true or false"))),
        }
    }

    /// The body in this form.
    pub(super) fn body<T: DeserializeOwned + JsonSchema>(&mut self) -> Result<T, Refusal> {
        read::body(self.body.take())
    }
}

impl Call {
    /// The body in this form.
    pub(super) fn body<T: DeserializeOwned + JsonSchema>(&mut self) -> Result<T, Refusal> {
        self.given.body()
    }

    /// What is true now, as `look` sees it. Everything that was answered before is in it.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>, &Identity) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let caller = Arc::clone(&self.caller);
        let seen = self.caller.tenant.mirror().look(move |world| look(world, &caller)).await;
        seen.map_err(|error| match error {
            MirrorError::Busy => Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", error.to_string()),
            MirrorError::Gone => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_state", error.to_string()),
        })?
    }

    /// Changes the directory; answers when it is durable.
    pub(super) async fn change(&self, id: Option<Guid>, change: Change) -> Result<Reply, Refusal> {
        let position = self.ask(String::new(), Ask::Change(Box::new(change))).await?;
        Reply::done(StatusCode::OK, id, position)
    }

    /// Makes something new in the directory; answers when it is durable.
    pub(super) async fn make(&self, id: Guid, change: Change) -> Result<Reply, Refusal> {
        let position = self.ask(String::new(), Ask::Change(Box::new(change))).await?;
        Reply::done(StatusCode::CREATED, Some(id), position)
    }

    /// Asks for something, and waits until what came of it is durable.
    pub(super) async fn ask(&self, device: String, ask: Ask) -> Result<Position, Refusal> {
        let (tenant, app) = (&self.caller.tenant, &self.given.app);
        let permit = self.caller.permit.clone();
        let request = Request {
            client: door::client(&self.caller.token, CONNECTION),
            by: Asker { name: self.caller.name.clone(), role: permit.role() },
            reference: None,
            device,
            // Nobody logs in here who is not logged in already, so there is no password to ask for.
            refused: None,
            ask,
            deadline_ms: app.request_ms_max(),
        };
        let patience = Duration::from_millis(app.request_ms_max().saturating_add(ANSWER_MS_MORE));
        let asked = door::hand_in(tenant, Question::new(request, permit, own_dialect()));
        let unavailable = |code, why: &str| Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code, why));
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(answer)) => match &answer.refused {
                None => Ok(answer.position),
                Some(refused) if refused.forbidden => {
                    Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", refused.why.clone()))
                }
                Some(refused) => Err(refusal(refused.refusal, &refused.why)),
            },
            Ok(Err(NotAnswered::Untaken(why))) => Err(not_taken(why)),
            Ok(Err(NotAnswered::Unwritable)) => unavailable(
                "not_writable",
                "the log cannot be written at the moment, so nothing can be changed; try again later",
            ),
            Ok(Err(NotAnswered::Unknown)) | Err(_) => unavailable(
                "not_known",
                "what became of it is not known: look at the state, and ask again where need be",
            ),
        }
    }
}

/// An id as somebody wrote it.
pub(super) fn id(name: &str, text: &str) -> Result<Guid, Refusal> {
    let form = || format!("{name}: {text:?} is no id; right would be like 12345678-90ab-cdef-1234-567890abcdef");
    text.parse().map_err(|_| Refusal::wrong(form()))
}

/// A new id.
pub(super) fn new_id() -> Result<Guid, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_chance", "the system gives no random numbers")
    })?;
    // Version 4, variant 1, as those who look into ids expect of a random one.
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    Ok(Guid(bits))
}

/// Who did something, where that is a person and no administrator or program.
pub(super) fn by(caller: &Identity) -> Option<String> {
    match &caller.permit {
        Permit::Agent { .. } | Permit::Supervisor { .. } => Some(caller.user.clone()),
        Permit::Service | Permit::Granted(_) | Permit::Administrator => None,
    }
}

/// What was not there, or may not be seen: from outside these are the same.
pub(super) fn nothing(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}, or it is not for you to see"))
}

/// What this side answers with when all went well.
pub(super) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    /// The URL of the rest of a list.
    next: Option<String>,
}

impl Reply {
    /// JSON.
    pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(value).map_err(|_| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "no_form", "the answer cannot be written as JSON")
        })?;
        Ok(Self { status, body, next: None })
    }

    /// That something was done.
    pub(super) fn done(status: StatusCode, id: Option<Guid>, position: Position) -> Result<Self, Refusal> {
        Self::json(status, &Done { id, position: position.to_string() })
    }

    /// JSON, and status 200.
    pub(super) fn ok<T: Serialize>(value: &T) -> Result<Self, Refusal> {
        Self::json(StatusCode::OK, value)
    }

    /// Where the list goes on.
    pub(super) fn next(mut self, next: Option<String>) -> Self {
        self.next = next;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(link) = self.next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok()) {
            headers.insert(header::LINK, link);
        }
        response
    }
}

fn not_taken(why: NotTaken) -> Refusal {
    let (status, code) = match why {
        NotTaken::Busy { .. } | NotTaken::Connections { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        NotTaken::Reused { .. } => (StatusCode::CONFLICT, "conflict"),
        NotTaken::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        NotTaken::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
    };
    Refusal::new(status, code, why.to_string())
}

/// A refusal of the core as a status.
pub(super) fn refusal(word: Word, why: &str) -> Refusal {
    let (status, code) = match word {
        Word::NotAllowed | Word::NotRegistered | Word::WrongPassword => (StatusCode::FORBIDDEN, "not_allowed"),
        Word::NoSuchDevice
        | Word::NoSuchCall
        | Word::NoSuchAgent
        | Word::NoSuchUser
        | Word::NoSuchQueue
        | Word::NoSuchList
        | Word::NoSuchCallback
        | Word::NoSuchAlert => (StatusCode::NOT_FOUND, "not_found"),
        Word::InvalidNumber | Word::WrongAttribute => (StatusCode::BAD_REQUEST, "bad_request"),
        Word::OutOfService
        | Word::WrongState
        | Word::NotHeld
        | Word::NotRinging
        | Word::CannotTransfer
        | Word::CannotCompleteTransfer
        | Word::CannotCompleteConference
        | Word::SameState
        | Word::AgentElsewhere
        | Word::LoggedInAlready
        | Word::NotLoggedIn
        | Word::AgentReserved
        | Word::CallbackClosed
        | Word::TooMany
        | Word::Unsupported
        | Word::SwitchRefused => (StatusCode::CONFLICT, "conflict"),
        Word::SwitchGone | Word::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "switch_gone"),
        Word::Busy => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
    };
    Refusal::new(status, code, why)
}
