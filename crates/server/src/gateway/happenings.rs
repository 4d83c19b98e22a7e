//! `POST /api/v1/switches/NAME/happenings`: what people and the network do around a built-in switch. For programs only.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_core::ConnId;
use cordboard_core::event::{CallResult, Cause};
use cordboard_switches::boxed::{At, Happening};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::access::{Access, Refusal};
use super::body;
use super::door::client;
use super::http::App;
use crate::boxed_link::HappenError;
use crate::engine::work::{CallName, Find, FoundCall, Work};
use crate::identity::Identity;
use crate::log::Position;
use crate::tenant::Tenant;

/// A happening as JSON. A call is named by the switch's key or by its ConnID.
#[derive(Deserialize)]
#[serde(tag = "happening", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Inbound { from: String, to: String, ani: Option<String>, dnis: Option<String> },
    Dial { device: String, to: String },
    NetworkReached { number: String, call: String },
    Answer { number: String, call: String, by: Option<CallResult> },
    Hangup { number: String, call: String },
    Fail { number: String, call: String, cause: Cause },
    TreatmentEnd { number: String, call: String, digits: Option<String> },
    OutOfService { device: String },
    BackInService { device: String },
}

/// Lets it happen.
pub(super) async fn happen(
    State(app): State<Arc<App>>,
    access: Access,
    Path(switch): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let Access(Identity { tenant, token, permit, .. }) = access;
    if !permit.is_for_happenings() {
        let message = "only administrators, services, and services granted telephony let things happen";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message));
    }
    let too_many = |why| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", why);
    let _pass = app.throttle().enter(&token, &client(&token, ".happenings")).map_err(too_many)?;
    let Some(hand) = tenant.hand(&switch) else {
        let message = "the tenant has no built-in switch of this name";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no_switch", message));
    };
    let written: Written = body::json(body, app.requests())
        .await
        .map_err(|error| Refusal::new(error.status(), "bad_request", error.to_string()))?;
    let (happening, known) = read(&tenant, &switch, written).await;
    let key = hand.happen(happening).await.map_err(|error| match error {
        HappenError::Cannot(_) => Refusal::new(StatusCode::CONFLICT, "cannot_happen", error.to_string()),
        HappenError::Gone => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "switch_gone", error.to_string()),
    })?;
    // The loop was sent everything that the switch said of it, so what it answers now is after all that.
    let gone = || {
        let message = "it happened, and the log cannot be written";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_writable", message)
    };
    let begun = key.is_some();
    let name = CallName::Key(key.unwrap_or_default());
    let (found, position) = find(&tenant, &switch, name).await.ok_or_else(gone)?;
    if !tenant.durable(position).await {
        return Err(gone());
    }
    let found = if begun { found } else { known };
    let key = found.as_ref().map(|found| &found.key);
    let conn = found.as_ref().map(|found| format!("{}@{switch}", found.conn));
    Ok(Json(json!({"call": key, "ConnID": conn, "position": position.to_string()})).into_response())
}

/// What the switch is told, and the call that it names.
async fn read(tenant: &Tenant, switch: &str, written: Written) -> (Happening, Option<FoundCall>) {
    let at = async |number: String, call: String| {
        let found = named(tenant, switch, &call).await;
        let key = found.as_ref().map_or(call, |found| found.key.clone());
        (At { number, call: key }, found)
    };
    match written {
        Written::Inbound { from, to, ani, dnis } => {
            let (ani, dnis) = (ani.unwrap_or_else(|| from.clone()), dnis.unwrap_or_else(|| to.clone()));
            (Happening::Inbound { from, to, ani, dnis }, None)
        }
        Written::Dial { device, to } => (Happening::Dial { device, to }, None),
        Written::NetworkReached { number, call } => {
            let (at, found) = at(number, call).await;
            (Happening::Reach(at), found)
        }
        Written::Answer { number, call, by } => {
            let (at, found) = at(number, call).await;
            (Happening::Answer { at, by: by.unwrap_or(CallResult::Person) }, found)
        }
        Written::Hangup { number, call } => {
            let (at, found) = at(number, call).await;
            (Happening::HangUp(at), found)
        }
        Written::Fail { number, call, cause } => {
            let (at, found) = at(number, call).await;
            (Happening::Fail { at, cause }, found)
        }
        Written::TreatmentEnd { number, call, digits } => {
            let (at, found) = at(number, call).await;
            (Happening::TreatmentEnd { at, digits }, found)
        }
        Written::OutOfService { device } => (Happening::OutOfService { device }, None),
        Written::BackInService { device } => (Happening::BackInService { device }, None),
    }
}

async fn named(tenant: &Tenant, switch: &str, call: &str) -> Option<FoundCall> {
    let (by_key, _) = find(tenant, switch, CallName::Key(call.to_owned())).await?;
    let digits = call.split_once('@').map_or(call, |(digits, _)| digits);
    match (by_key, u64::from_str_radix(digits, 16)) {
        (None, Ok(conn)) => find(tenant, switch, CallName::Conn(ConnId(conn))).await?.0,
        (found, _) => found,
    }
}

/// Asks the loop, which has taken everything by then that came before; none where it has ended.
async fn find(tenant: &Tenant, switch: &str, name: CallName) -> Option<(Option<FoundCall>, Position)> {
    let (reply, found) = oneshot::channel();
    let find = Find { switch: switch.to_owned(), name, reply };
    tenant.work()?.send(Work::Find(find)).await.ok()?;
    found.await.ok()
}
