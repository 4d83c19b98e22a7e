//! Who somebody is who reads topics: SASL PLAIN with one of our tokens as the password, or, where everybody may, nothing.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;
use prometheus_client::metrics::counter::Counter;

use super::groups::Caller;
use super::names::{Names, View};
use crate::identity::{Denied, Identities, Reader};

/// The only mechanism.
const MECHANISM: &str = "PLAIN";
/// Longest message of PLAIN, in bytes: as its standard has it, three names of 255 and what stands between them.
const PLAIN_BYTES_MAX: usize = 3 * 255 + 2;
/// Whom the operator's groups belong to. No tenant can be called so.
const OPERATOR: &str = "*";

/// Somebody who may read topics. Clones share everything.
#[derive(Clone, Debug)]
pub struct Principal {
    owner: Arc<str>,
    name: Arc<str>,
    view: View,
    /// The token, by id; none for whoever needs none.
    token: Option<Arc<str>>,
}

impl Principal {
    /// Whom groups and committed offsets belong to: the tenant, by name, or `*` for the operator. A group of the same name
    /// that belongs to another owner is another group.
    #[must_use]
    pub fn owner(&self) -> &Arc<str> {
        &self.owner
    }

    /// What the token is called, for the log and for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topics to be seen.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl Caller for Principal {
    fn owner(&self) -> &str {
        &self.owner
    }

    fn has(&self, topic: &str, partition: i32) -> bool {
        self.view.partition(topic, partition).is_some()
    }
}

/// Who is let in, and as whom.
pub struct Door {
    identities: Arc<Identities>,
    names: Names,
    /// Whether everybody is the operator who does not say otherwise.
    anonymous: bool,
    refused: Counter,
}

impl Door {
    /// Lets in whom these identities know; what is refused is counted.
    #[must_use]
    pub fn new(identities: Arc<Identities>, names: Names, anonymous: bool, refused: Counter) -> Self {
        Self { identities, names, anonymous, refused }
    }

    /// A connection from this address.
    #[must_use]
    pub fn knock(self: &Arc<Self>, from: IpAddr) -> Login {
        let principal = self.anonymous.then(|| Principal {
            owner: OPERATOR.into(),
            name: "anonymous".into(),
            view: self.names.of_operator(),
            token: None,
        });
        Login { door: Arc::clone(self), from, step: Step::Open, principal }
    }

    /// Whoever comes with this message of PLAIN, and for how many milliseconds that is good: 0 without an end.
    fn judge(&self, message: &[u8], from: IpAddr) -> Result<(Principal, i64), Refused> {
        let secret = secret(message);
        // What is of the wrong form is counted like what is wrong.
        let reader = match (secret, self.identities.authenticate_plain(secret.ok(), from)) {
            (_, Ok(reader)) => reader,
            (Err(refused), Err(Denied::Form)) => return Err(refused),
            (Ok(_) | Err(_), Err(denied)) => return Err(denied.into()),
        };
        let (owner, name, view, token, expires) = match reader {
            Reader::Operator { name, token, expires } => (OPERATOR, name, self.names.of_operator(), token, expires),
            Reader::Of(identity) if !identity.permit.is_for_events() => return Err(Refused::NotForEvents),
            Reader::Of(ref identity) => {
                let view = self.names.of_tenant(identity.tenant.name());
                (identity.tenant.name(), identity.name.clone(), view, identity.token.clone(), identity.expires)
            }
        };
        let lifetime_ms =
            expires.map_or(0, |at| i64::try_from(self.identities.ms_until(at)).unwrap_or(i64::MAX).max(1));
        let (name, token) = (name.into(), Some(token.into()));
        Ok((Principal { owner: owner.into(), name, view, token }, lifetime_ms))
    }
}

/// How far somebody has come who wants to be let in.
pub struct Login {
    door: Arc<Door>,
    from: IpAddr,
    step: Step,
    principal: Option<Principal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It may be said how.
    Open,
    /// It is said how: what comes next is a `SaslAuthenticate`.
    Agreed,
    /// It is said how, in the way of before Kafka 1.0: what comes next is a message of PLAIN, in no request.
    AgreedRaw,
}

/// An answer, and whether the connection is to be closed after it.
#[derive(Debug)]
pub struct Judged<T> {
    /// What to answer.
    pub answer: T,
    /// Whether that is all.
    pub is_over: bool,
}

impl Login {
    /// Who it is, when that is known: nobody else is answered more than `ApiVersions` and how to log in.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// Whether whoever is let in still may be: the token is neither revoked nor expired. To be asked every few seconds.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let token = self.principal.as_ref().and_then(|principal| principal.token.as_ref());
        token.is_none_or(|token| self.door.identities.is_token_good(token))
    }

    /// Whether what comes next is no request, but the message for [`Self::raw`].
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.step == Step::AgreedRaw
    }

    /// Somebody says how to log in. Who is in already may do it again.
    pub fn handshake(&mut self, version: i16, request: &SaslHandshakeRequest) -> Judged<SaslHandshakeResponse> {
        let answer = SaslHandshakeResponse::default().with_mechanisms(vec![StrBytes::from_static_str(MECHANISM)]);
        let refused = |why: ResponseError| Judged { answer: answer.clone().with_error_code(why.code()), is_over: true };
        if self.step != Step::Open {
            return refused(ResponseError::IllegalSaslState);
        }
        if &*request.mechanism != MECHANISM {
            tracing::info!(from = %self.from, "a login by Kafka's protocol is refused: the mechanism must be {MECHANISM}");
            return refused(ResponseError::UnsupportedSaslMechanism);
        }
        self.step = if version == 0 { Step::AgreedRaw } else { Step::Agreed };
        Judged { answer, is_over: false }
    }

    /// Somebody logs in.
    pub fn authenticate(&mut self, request: &SaslAuthenticateRequest) -> Judged<SaslAuthenticateResponse> {
        let answer = SaslAuthenticateResponse::default();
        let refused = |code: ResponseError, why: String| {
            let answer = answer.clone().with_error_code(code.code()).with_error_message(Some(why.into()));
            Judged { answer, is_over: true }
        };
        if self.step != Step::Agreed {
            let why = "right would be a SaslHandshake of version 1 first".to_owned();
            return refused(ResponseError::IllegalSaslState, why);
        }
        match self.enter(&request.auth_bytes) {
            Ok(lifetime_ms) => Judged { answer: answer.with_session_lifetime_ms(lifetime_ms), is_over: false },
            Err(why) => refused(ResponseError::SaslAuthenticationFailed, why.to_string()),
        }
    }

    /// Somebody logs in without a request, as before Kafka 1.0: the answer has no head either. None: the connection is to be
    /// closed, which is all that can be said so.
    pub fn raw(&mut self, message: &[u8]) -> Option<Bytes> {
        if self.step != Step::AgreedRaw {
            return None;
        }
        self.enter(message).ok().map(|_| Bytes::new())
    }

    fn enter(&mut self, message: &[u8]) -> Result<i64, Refused> {
        self.step = Step::Open;
        let judged = self.door.judge(message, self.from).and_then(|(principal, lifetime_ms)| {
            let is_another = |was: &Principal| was.token.is_some() && was.owner != principal.owner;
            // What a connection holds, as its place in a group, belongs to one owner.
            if self.principal.as_ref().is_some_and(is_another) {
                return Err(Refused::Another);
            }
            Ok((principal, lifetime_ms))
        });
        match judged {
            Ok((principal, lifetime_ms)) => {
                tracing::debug!(from = %self.from, owner = %principal.owner, name = %principal.name, "a Kafka client is let in");
                self.principal = Some(principal);
                Ok(lifetime_ms)
            }
            Err(why) => {
                self.principal = None;
                self.door.refused.inc();
                // Who was wrong too often fills no log either.
                if !matches!(why, Refused::Denied(Denied::TooMany { .. })) {
                    tracing::info!(from = %self.from, %why, "a login by Kafka's protocol is refused");
                }
                Err(why)
            }
        }
    }
}

/// The password in a message of PLAIN, where it is of the right form. The user's name may be any: who it is, the token says.
fn secret(message: &[u8]) -> Result<&str, Refused> {
    let text = std::str::from_utf8(message).ok().filter(|text| text.len() <= PLAIN_BYTES_MAX).ok_or(Refused::Form)?;
    let mut parts = text.split('\0');
    let (Some(acts_for), Some(user), Some(secret), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::Form);
    };
    if user.is_empty() || secret.is_empty() {
        return Err(Refused::Form);
    }
    if !acts_for.is_empty() && acts_for != user {
        return Err(Refused::ActsForAnother);
    }
    Ok(secret)
}

/// Why somebody is not let in. Nothing of what was sent is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("right would be a user's name, which may be any, and a token as the password")]
    Form,
    #[error("nobody acts for somebody else here; right would be no authorization id")]
    ActsForAnother,
    #[error("{}", told(*.0))]
    Denied(#[from] Denied),
    #[error(
        "the token is good, but reads no topics; right would be one of an administrator, a service, or a service granted events"
    )]
    NotForEvents,
    #[error("this connection is somebody else's; right would be a new one")]
    Another,
}

/// What to say of it to a client of Kafka.
fn told(denied: Denied) -> String {
    match denied {
        Denied::Missing | Denied::Form | Denied::Wrong => {
            "the password is no token that is good; right would be one that `cordboard token create` made, that is neither \
             revoked nor expired"
                .to_owned()
        }
        Denied::TooMany { .. } | Denied::NoTenant | Denied::Operator | Denied::Unavailable => denied.to_string(),
    }
}
