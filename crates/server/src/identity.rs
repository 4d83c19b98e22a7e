//! Who somebody is: tokens of ours, HTTP Basic with one of them as the secret, JWTs that we sign for the hub.
//!
//! Every way ends in an [`Identity`]: an organisation, a person, and what that person may see and ask for. No secret is
//! in any error, log line or debug output.

mod failures;
#[cfg(test)]
mod forge;
mod jwks;
pub mod jwt;
pub mod keys;
mod providers;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cordboard_core::{Time, World};
use cordboard_dialects::enreach::ids::{self, Entity};

use crate::clock::Clock;
use crate::config::Config;
use crate::kept::{hex, random};
use crate::mirror::View;
use crate::permit::Permit;
use crate::tenant::Tenant;
use crate::tokens::{Role, TOKEN_PREFIX, Token, Tokens};
use failures::Failures;
use jwt::{Claims, JwtError, Limits};
use keys::{KeyError, Keys};
pub use providers::ProviderError;
use providers::{Providers, Vouched};

const JTI_BYTES: usize = 16;

/// Somebody whose secret was good.
#[derive(Clone)]
pub struct Identity {
    /// The organisation, which is all that is ever shown.
    pub tenant: Arc<Tenant>,
    /// The name in the directory; for an agent the agent's id. Whoever is in no directory goes by the name of the token.
    pub user: String,
    /// What the token is called, for the log and for people.
    pub name: String,
    /// As what.
    pub role: Role,
    /// What may be seen ([`crate::rights`]) and asked for.
    pub permit: Permit,
    /// The token it comes from, by id, or what the provider's person is called; no secret. It stays the same from request to request.
    pub token: String,
    /// The identity provider that says so; none for a token of ours.
    pub provider: Option<String>,
    /// When it ends; none for a token without an end.
    pub expires: Option<Time>,
}

impl Identity {
    fn of(tenant: Arc<Tenant>, token: &Token) -> Self {
        let user = token.user().to_owned();
        let permit = tenant.people().permit(&token.role, &user);
        let (name, role) = (token.name.clone(), token.role.clone());
        Self { tenant, user, name, role, permit, token: token.id.clone(), provider: None, expires: token.expires_at }
    }

    fn by(tenant: Arc<Tenant>, vouched: Vouched) -> Self {
        let Vouched { tenant: _, provider, user, role, id, expires } = vouched;
        let (permit, name) = (tenant.people().permit(&role, &user), user.clone());
        Self { tenant, user, name, role, permit, token: id, provider: Some(provider), expires: Some(expires) }
    }
}

/// Whom a token opens the topics for.
#[derive(Debug, Clone)]
pub enum Reader {
    /// Somebody of a tenant.
    Of(Identity),
    /// Who runs this server, and is of no tenant.
    Operator {
        /// What the token is called.
        name: String,
        /// The token, by id; no secret.
        token: String,
        /// When it ends; none for a token without an end.
        expires: Option<Time>,
    },
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (tenant, user) = (self.tenant.name(), &self.user);
        f.debug_struct("Identity").field("tenant", &tenant).field("user", user).finish_non_exhaustive()
    }
}

/// Why somebody is not let in. Nothing of what was sent is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was sent.
    #[error("there is no token; send the header \"Authorization: Bearer TOKEN\"")]
    Missing,
    /// What was sent is of no form that is known.
    #[error(
        "the header must be \"Authorization: Bearer TOKEN\", or \"Basic\" with a user's name and a token as the password"
    )]
    Form,
    /// What was sent is not good.
    #[error("the token is not known, revoked or expired; `cordboard token create` makes one")]
    Wrong,
    /// It was not good, and that too often.
    #[error("too many wrong tokens came from this address; try again in {retry_s} s")]
    TooMany {
        /// When to try again, in seconds.
        retry_s: u64,
    },
    /// It is good, but its organisation is not served here.
    #[error("the token's tenant is not served here")]
    NoTenant,
    /// It is good, and opens the listener for Kafka's protocol only.
    #[error("an operator's token opens topics by Kafka's protocol and nothing else; use a token of a tenant")]
    Operator,
    /// It cannot be told at the moment.
    #[error("tokens cannot be checked at the moment")]
    Unavailable,
}

/// Tells who somebody is.
pub struct Identities {
    tenants: Vec<Arc<Tenant>>,
    tokens: Tokens,
    keys: Keys,
    clock: Clock,
    limits: Limits,
    token_s: u64,
    failures: Failures,
    providers: Providers,
}

impl Identities {
    /// For these tenants, with the tokens and keys of the configuration's data directory.
    ///
    /// # Errors
    /// [`ProviderError`] where an identity provider cannot be asked.
    pub fn new(tenants: Vec<Arc<Tenant>>, clock: Clock, config: &Config) -> Result<Self, ProviderError> {
        let settings = &config.identity;
        Ok(Self {
            tenants,
            tokens: Tokens::new(&config.data),
            keys: Keys::new(&config.data),
            clock,
            limits: Limits { bytes_max: settings.jwt_bytes_max, leeway_s: settings.jwt_leeway_s },
            token_s: config.rte.token_s,
            failures: Failures::new(settings.failures_per_minute_max, settings.failure_addresses_max),
            providers: Providers::new(config)?,
        })
    }

    /// Whoever sends these headers: a bearer token of ours or of an identity provider, or Basic with a user's name and a
    /// token. A JWT that we made opens the hub only.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn authenticate_header(&self, headers: &HeaderMap, from: IpAddr) -> Result<Identity, Denied> {
        let found = match credentials(headers) {
            Ok(Credentials::Bearer(text)) if text.contains('.') => self.vouched(text).await,
            Ok(Credentials::Bearer(text)) => self.token(text).map(|(identity, _)| identity),
            Ok(Credentials::Basic { user, secret }) => self.basic(user, &secret).await,
            Err(denied) => Err(denied.into()),
        };
        self.counted(found, from)
    }

    /// Whoever connects to the hub with this JWT: one that [`Self::issue`] made, or one of an identity provider.
    ///
    /// # Errors
    /// [`Denied`]
    pub async fn authenticate_token(&self, text: Option<&str>, from: IpAddr) -> Result<Identity, Denied> {
        let found = match text {
            Some(text) if jwt::issuer(text, self.limits.bytes_max).is_ok_and(|issuer| issuer == jwt::ISSUER) => {
                self.verify(text)
            }
            Some(text) => self.vouched(text).await,
            None => Err(Denied::Missing.into()),
        };
        self.counted(found, from)
    }

    /// Whoever comes with this token as a password, as clients of Kafka do; none where what came was of no form that is known.
    ///
    /// # Errors
    /// [`Denied`]
    pub fn authenticate_plain(&self, secret: Option<&str>, from: IpAddr) -> Result<Reader, Denied> {
        let found = secret.ok_or(Denied::Form).and_then(|secret| self.reader(secret));
        self.counted(found.map_err(Why::from), from)
    }

    /// A JWT for the hub, good for as long as `rte.token_s` says and no longer than what it is made from.
    ///
    /// # Errors
    /// [`IssueError`] where no key signs.
    pub fn issue(&self, identity: &Identity) -> Result<String, IssueError> {
        let now = self.clock.now();
        let ring = self.keys.ring_to_sign(now)?;
        let iat = now.0 / 1_000_000;
        let ends = identity.expires.map_or(u64::MAX, |at| at.0 / 1_000_000);
        let claims = Claims {
            iss: jwt::ISSUER.to_owned(),
            aud: jwt::AUDIENCE.to_owned(),
            sub: identity.user.clone(),
            tenant: identity.tenant.name().to_owned(),
            role: identity.role.clone(),
            tid: identity.token.clone(),
            idp: identity.provider.clone(),
            iat,
            exp: iat.saturating_add(self.token_s).min(ends),
            jti: hex(&random::<JTI_BYTES>().map_err(KeyError::from)?),
        };
        Ok(jwt::sign(&ring, &claims)?)
    }

    /// Somebody as the newest good token of that person says; none where there is no token.
    ///
    /// # Errors
    /// [`Denied::Unavailable`] where tokens cannot be read.
    pub fn of_user(&self, tenant: &Arc<Tenant>, user: &str) -> Result<Option<Identity>, Denied> {
        let (all, now) = (self.tokens.list().map_err(unreadable)?, self.clock.now());
        let theirs = |token: &&Token| {
            let is_of_tenant = token.tenant == tenant.name() && token.role != Role::Operator;
            is_of_tenant && token.user() == user && !token.is_expired(now)
        };
        Ok(all.iter().rev().find(theirs).map(|token| Identity::of(Arc::clone(tenant), token)))
    }

    /// Somebody is about to send what can be guessed, a password: it counts as wrong until [`Self::guessed`] says that it was
    /// right. Who was wrong too often is not heard, be the next one right or wrong.
    ///
    /// # Errors
    /// [`Denied::TooMany`]
    pub fn guess(&self, from: IpAddr) -> Result<(), Denied> {
        let retry_s = self.failures.failed(from, Instant::now());
        retry_s.map_or(Ok(()), |retry_s| Err(Denied::TooMany { retry_s }))
    }

    /// It was right.
    pub fn guessed(&self, from: IpAddr) {
        self.failures.forgive(from);
    }

    /// The tokens, to make some and take some back.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether what somebody came with is still good.
    #[must_use]
    pub fn is_good(&self, identity: &Identity) -> bool {
        let now = self.clock.now();
        match &identity.provider {
            None => self.is_token_good(&identity.token),
            Some(_) => identity.expires.is_none_or(|at| at > now),
        }
    }

    /// Whether the token of this id is still there and good.
    #[must_use]
    pub fn is_token_good(&self, id: &str) -> bool {
        self.tokens.is_good(id, self.clock.now())
    }

    /// Milliseconds from now until then.
    #[must_use]
    pub fn ms_until(&self, then: Time) -> u64 {
        then.0.saturating_sub(self.clock.now().0) / 1_000
    }

    /// Counts what failed.
    fn counted<T>(&self, found: Result<T, Why>, from: IpAddr) -> Result<T, Denied> {
        let (denied, jwt) = match found {
            Ok(found) => return Ok(found),
            Err(Why::Denied(denied @ (Denied::Form | Denied::Wrong))) => (denied, None),
            Err(Why::Denied(
                denied @ (Denied::Missing
                | Denied::TooMany { .. }
                | Denied::NoTenant
                | Denied::Operator
                | Denied::Unavailable),
            )) => return Err(denied),
            Err(Why::Jwt(why)) => (Denied::Wrong, Some(why)),
        };
        if let Some(retry_s) = self.failures.failed(from, Instant::now()) {
            return Err(Denied::TooMany { retry_s });
        }
        if let Some(why) = jwt {
            tracing::info!(%from, %why, "a JWT is refused");
        }
        Err(denied)
    }

    fn token(&self, text: &str) -> Result<(Identity, Token), Why> {
        let token = self.known(text)?;
        if token.role == Role::Operator {
            return Err(Denied::Operator.into());
        }
        let tenant = self.tenant(&token.tenant).ok_or(Denied::NoTenant)?;
        Ok((Identity::of(tenant, &token), token))
    }

    fn reader(&self, text: &str) -> Result<Reader, Denied> {
        let token = self.known(text)?;
        if token.role == Role::Operator {
            return Ok(Reader::Operator { name: token.name, token: token.id, expires: token.expires_at });
        }
        let tenant = self.tenant(&token.tenant).ok_or(Denied::NoTenant)?;
        Ok(Reader::Of(Identity::of(tenant, &token)))
    }

    fn known(&self, text: &str) -> Result<Token, Denied> {
        self.tokens.check(text, self.clock.now()).map_err(unreadable)?.ok_or(Denied::Wrong)
    }

    async fn basic(&self, user: String, secret: &str) -> Result<Identity, Why> {
        let (identity, token) = self.token(secret)?;
        if user == identity.user || user == token.name {
            return Ok(identity);
        }
        let own = identity.user.clone();
        let look = move |world: &View<'_>| is_called(world, &own, &user);
        let is_own = identity.tenant.mirror().look(look).await.map_err(|_| Denied::Unavailable)?;
        if is_own { Ok(identity) } else { Err(Denied::Wrong.into()) }
    }

    fn verify(&self, text: &str) -> Result<Identity, Why> {
        let now = self.clock.now();
        let ring = self.keys.ring().map_err(unreadable)?;
        let claims = jwt::verify(&ring, text, now, self.limits)?;
        if let Some(provider) = claims.idp {
            let tenant = self.tenant(&claims.tenant).ok_or(Denied::NoTenant)?;
            if !self.providers.knows(tenant.name(), &provider) {
                return Err(JwtError::Revoked.into());
            }
            let expires = Time(claims.exp.saturating_mul(1_000_000));
            let Claims { sub, role, tid, tenant: name, .. } = claims;
            return Ok(Identity::by(tenant, Vouched { tenant: name, provider, user: sub, role, id: tid, expires }));
        }
        let token = self.tokens.find(&claims.tid, now).map_err(unreadable)?;
        // What the token is now counts, and it must be what the JWT was made from.
        let same =
            |token: &Token| token.tenant == claims.tenant && token.user() == claims.sub && token.role == claims.role;
        let token = token.filter(same).ok_or(JwtError::Revoked)?;
        let tenant = self.tenant(&token.tenant).ok_or(Denied::NoTenant)?;
        Ok(Identity::of(tenant, &token))
    }

    async fn vouched(&self, text: &str) -> Result<Identity, Why> {
        let now = (self.clock.now(), self.limits);
        let vouched = self.providers.verify(text, now, &self.tenants).await?;
        let tenant = self.tenant(&vouched.tenant).ok_or(Denied::NoTenant)?;
        Ok(Identity::by(tenant, vouched))
    }

    fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.tenants.iter().find(|tenant| tenant.name() == name).map(Arc::clone)
    }
}

/// Whether a person of the directory is called so: by name, login or id.
fn is_called(world: &World, name: &str, given: &str) -> bool {
    let profile = world.directory.users.get(name).and_then(|user| user.profile.as_ref());
    let is_login = profile.is_some_and(|profile| !given.is_empty() && profile.login.eq_ignore_ascii_case(given));
    given == name || is_login || given.parse() == Ok(ids::user(world, name))
}

/// The person of this name, login or id; none where nobody is meant, or more than one could be.
#[must_use]
pub fn person(world: &View<'_>, given: &str) -> Option<String> {
    let users = &world.directory.users;
    if users.contains_key(given) || world.agents.contains_key(given) {
        return Some(given.to_owned());
    }
    if let Ok(guid) = given.parse() {
        return match world.find(guid) {
            Some(Entity::User(name)) => Some(name.clone()),
            Some(Entity::Queue(_) | Entity::List(_)) | None => None,
        };
    }
    let mut found = users.keys().filter(|name| is_called(world, name, given));
    match (found.next(), found.next()) {
        (Some(name), None) => Some(name.clone()),
        (None | Some(_), _) => None,
    }
}

/// Why somebody is not let in, for us. Whoever sent a JWT learns only that it is wrong; why is for the log.
enum Why {
    Denied(Denied),
    Jwt(JwtError),
}

impl From<Denied> for Why {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<JwtError> for Why {
    fn from(error: JwtError) -> Self {
        Self::Jwt(error)
    }
}

fn unreadable(error: impl std::fmt::Display) -> Denied {
    tracing::error!(%error, "tokens cannot be checked");
    Denied::Unavailable
}

enum Credentials<'a> {
    Bearer(&'a str),
    Basic { user: String, secret: String },
}

fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Denied> {
    let given = headers.get(header::AUTHORIZATION).ok_or(Denied::Missing)?;
    let (scheme, text) = given.to_str().ok().and_then(|given| given.split_once(' ')).ok_or(Denied::Form)?;
    let text = text.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credentials::Bearer(text));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Denied::Form);
    }
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(Denied::Form)?;
    // A user's name has no colon; a token has none either, so the last one divides them whatever the name is.
    let (user, secret) = decoded.rsplit_once(':').ok_or(Denied::Form)?;
    if !secret.starts_with(TOKEN_PREFIX) {
        return Err(Denied::Wrong);
    }
    Ok(Credentials::Basic { user: user.to_owned(), secret: secret.to_owned() })
}

/// Why there is no JWT.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The ring of keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It cannot be signed.
    #[error("no JWT can be signed: {0}")]
    Sign(#[from] JwtError),
}
