//! The way in: where the hub is and what opens it, secrets for people, and where a login is served.

use axum::http::{HeaderMap, StatusCode, header};
use cordboard_core::Time;
use cordboard_dialects::enreach::ids;

use super::super::access::Refusal;
use super::call::{Call, Given, Reply};
use super::names;
use super::route::Outcome;
use super::shapes::{Discover, Password, RteToken, Secret, Service};
use crate::identity::{Denied, Identity, person};
use crate::mirror::View;
use crate::permit::Permit;
use crate::tenant::Tenant;
use crate::tokens::{Grant, NewToken, Role, TokenError};

/// What tokens are called that a password was exchanged for.
const BY_PASSWORD: &str = "by password";
/// What tokens are called that an administrator made for somebody.
const BY_ADMINISTRATOR: &str = "by administrator";
const MICROS: u64 = 1_000_000;

/// Where the hub is, and a JWT that opens it: for oneself, and by those who may act for somebody for others.
pub(super) async fn rte(call: Call) -> Outcome {
    let text = call.part("user");
    let own = call.caller.user.clone();
    let is_me = text.eq_ignore_ascii_case("me") || text == own;
    let user = if is_me {
        own.clone()
    } else {
        call.look(move |world: &View<'_>, caller: &Identity| names::user(world, caller, &text)).await?
    };
    let identities = call.app.identities();
    let token = if user == own {
        identities.issue(&call.caller)
    } else {
        let other = identities.of_user(&call.caller.tenant, &user).map_err(Refusal::from)?;
        let other = other.filter(|other| may_act_for(&call.caller.permit, other));
        match (may_act(&call.caller.permit), other) {
            (true, Some(other)) => identities.issue(&other),
            (true, None) => {
                let why = format!(
                    "{user} has no secret that a token could be made from; POST /users/{user}/secret makes one"
                );
                return Err(Refusal::new(StatusCode::CONFLICT, "no_secret", why));
            }
            (false, _) => {
                let why = "tokens of others are for administrators, and for programs that may change people";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", why));
            }
        }
    };
    let token = token.map_err(|error| {
        tracing::error!(%error, "no token for the hub can be made");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_key", "no token can be made at the moment")
    })?;
    let wss_endpoint = match &*call.app.rest().rte_url {
        "" => format!("{}/rte", own_url(&call.headers)?),
        url => url.to_owned(),
    };
    Reply::ok(&RteToken { wss_endpoint_again: wss_endpoint.clone(), wss_endpoint, token })
}

/// Exchanges an agent's password for a secret.
pub(super) async fn exchange(mut given: Given) -> Outcome {
    let Password { user_name, password } = given.body()?;
    let login = given.part("user");
    if user_name.is_some_and(|user_name| !user_name.eq_ignore_ascii_case(&login)) {
        return Err(Refusal::wrong("UserName: it is not the one in the path; right would be the same, or none"));
    }
    // A password can be guessed: who was wrong too often is not heard.
    given.app.identities().guess(given.from).map_err(|denied| given.app.denied(denied))?;
    let mut found = None;
    for tenant in given.app.tenants() {
        let named = login.clone();
        let agent = tenant.mirror().look(move |world| person(world, &named)).await.ok().flatten();
        let agent = agent.unwrap_or_else(|| login.clone());
        if tenant.people().is_password(&agent, &password) {
            found = Some((tenant, agent));
        }
    }
    let Some((tenant, agent)) = found else { return Err(wrong_password(&given)) };
    given.app.identities().guessed(given.from);
    let settings = given.app.rest();
    let expires_at = Time(given.app.clock().now().0.saturating_add(settings.password_token_s.saturating_mul(MICROS)));
    let secret = make(&given, tenant, &agent, BY_PASSWORD, Some(expires_at))?;
    show(tenant, StatusCode::OK, agent, secret).await
}

/// A new secret for somebody.
pub(super) async fn secret(call: Call) -> Outcome {
    let text = call.part("user");
    let user = call.look(move |world: &View<'_>, caller: &Identity| names::user(world, caller, &text)).await?;
    if !may_act(&call.caller.permit) {
        let why = "secrets of others are for administrators, and for programs that may change people";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", why));
    }
    let secret = make(&call, &call.caller.tenant, &user, BY_ADMINISTRATOR, None)?;
    show(&call.caller.tenant, StatusCode::CREATED, user, secret).await
}

pub(super) async fn discover(given: Given) -> Outcome {
    let user = given.asked("user").unwrap_or_default().to_owned();
    services(&given, user)
}

pub(super) async fn discover_by_body(mut given: Given) -> Outcome {
    let Discover { user } = given.body()?;
    services(&given, user)
}

/// Everybody is served here; that somebody is known is told to nobody.
fn services(given: &Given, username: String) -> Outcome {
    let api_endpoint = match &*given.app.rest().public_url {
        "" => own_url(&given.headers)?,
        url => url.trim_end_matches('/').to_owned(),
    };
    Reply::ok(&[Service {
        silo_name: "cordboard".to_owned(),
        username,
        ui_endpoint: format!("{api_endpoint}/"),
        authority: None,
        authority_idp_hint: None,
        basic_auth_endpoint: format!("{api_endpoint}/authuser/"),
        api_endpoint,
    }])
}

/// Makes a token for an agent. Of those of the same kind the oldest go, so that they do not pile up.
fn make(given: &Given, tenant: &Tenant, agent: &str, kind: &str, expires_at: Option<Time>) -> Result<String, Refusal> {
    let (tokens, now) = (given.app.identities().tokens(), given.app.clock().now());
    let role = Role::Agent { agent: agent.to_owned() };
    let name = format!("{agent} {kind}");
    let made = || {
        let all = tokens.list()?;
        let same =
            |token: &&crate::tokens::Token| token.tenant == tenant.name() && token.role == role && token.name == name;
        let before: Vec<&str> = all.iter().filter(same).map(|token| &*token.id).collect();
        let most = given.app.rest().secrets_max.saturating_sub(1);
        for id in before.iter().take(before.len().saturating_sub(most)) {
            match tokens.revoke(id) {
                Ok(_) | Err(TokenError::Unknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        tokens.create_for(&NewToken { role: &role, tenant: tenant.name(), name: &name, user: None, expires_at }, now)
    };
    made().map_err(|error| {
        tracing::error!(%error, "no secret can be made");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "tokens_unwritable", "no secret can be made at the moment")
    })
}

async fn show(tenant: &Tenant, status: StatusCode, user: String, secret_key: String) -> Outcome {
    let look = move |world: &View<'_>| (ids::user(world, &user), names::login(world, &user));
    let (user_id, user_name) = tenant
        .mirror()
        .look(look)
        .await
        .map_err(|error| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_state", error.to_string()))?;
    Reply::json(status, &Secret { user_id, user_name, secret_key })
}

fn wrong_password(given: &Given) -> Refusal {
    _ = given.app.denied(Denied::Wrong);
    let why =
        "there is no agent of this login with this password; without one, `cordboard token create` makes a secret";
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorised", why)
}

/// Whether somebody gets tokens of others.
fn may_act(permit: &Permit) -> bool {
    match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(grants) => grants.contains(&Grant::ChangeUsers),
        Permit::Agent { .. } | Permit::Supervisor { .. } => false,
    }
}

/// A program that was granted something does not become more than an agent by it.
fn may_act_for(permit: &Permit, other: &Identity) -> bool {
    match permit {
        Permit::Service | Permit::Administrator => true,
        Permit::Granted(_) => matches!(other.permit, Permit::Agent { .. }),
        Permit::Agent { .. } | Permit::Supervisor { .. } => false,
    }
}

/// This server as whoever asks has named it.
fn own_url(headers: &HeaderMap) -> Result<String, Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| !host.is_empty() && host.chars().all(allowed));
    let host = host.ok_or_else(|| Refusal::wrong("the header Host is missing, or no name of a host"))?;
    let forwarded = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let scheme = if forwarded.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}
