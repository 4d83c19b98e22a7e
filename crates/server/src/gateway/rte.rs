//! The hub `/rte`: subscriptions to what happens to people, queues and call lists, with the methods, words and answers of
//! Enreach's Real-Time Engine. docs/rte.md says for users what it does.
//!
//! `feed` tells: a thread a tenant that folds the durable log and hands shared bytes to connections; `answering`,
//! `telling` and `catching` are its work, `subscribers`, `states` and `recent` what it remembers. A connection
//! ([`RteClient`]) only asks it.

mod answering;
mod catching;
pub mod feed;
mod past;
mod recent;
mod states;
mod subscribers;
mod telling;
#[cfg(test)]
mod tests;
pub(in crate::gateway) mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::oneshot;

use self::answering::Call;
use self::feed::{Command, Feed};
use self::subscribers::ClientId;
use self::words::{Cursor, Method};
use super::signalr::hub::{Hub, HubClient, HubError, HubUser, Protocol, Refusal};
use super::signalr::outbox::{Closing, Outbox, OutboxCounters, OutboxLimits, Outboxes};
use crate::config::Rte;
use crate::identity::{Denied, Identities, Identity};
use crate::permit::Permit;

/// The hub.
pub struct RteHub {
    identities: Arc<Identities>,
    outboxes: Arc<Outboxes>,
    limits: Arc<Rte>,
    next: AtomicU64,
}

impl RteHub {
    /// A hub for those who are known here.
    #[must_use]
    pub fn new(identities: Arc<Identities>, limits: &Rte, counters: OutboxCounters) -> Self {
        let outbox = OutboxLimits { messages_max: limits.outbox_messages_max, bytes_max: limits.outbox_bytes_max };
        let outboxes = Arc::new(Outboxes::counted(outbox, counters));
        Self { identities, outboxes, limits: Arc::new(limits.clone()), next: AtomicU64::new(0) }
    }
}

impl Hub for RteHub {
    type User = RteUser;
    type Client = RteClient;

    async fn authenticate(&self, token: Option<&str>, from: IpAddr) -> Result<Arc<RteUser>, Refusal> {
        let identity = self.identities.authenticate_token(token, from).await.map_err(|denied| match denied {
            Denied::Missing | Denied::Form | Denied::Wrong | Denied::NoTenant | Denied::Operator => {
                Refusal::Unauthorised
            }
            Denied::TooMany { .. } => Refusal::TooMany,
            Denied::Unavailable => Refusal::Unavailable,
        })?;
        if !identity.tenant.feed().is_running() {
            return Err(Refusal::Unavailable);
        }
        Ok(Arc::new(RteUser::new(identity)))
    }

    fn outboxes(&self) -> &Arc<Outboxes> {
        &self.outboxes
    }

    fn connect(&self, user: Arc<RteUser>, outbox: Arc<Outbox>, _: Protocol) -> RteClient {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let feed = user.identity.tenant.feed().clone();
        let who = (user.identity.user.as_str().into(), user.identity.permit.clone());
        RteClient::new(feed, id, who, outbox, Arc::clone(&self.limits))
    }
}

/// Somebody whose token was good.
pub struct RteUser {
    identity: Identity,
    key: Arc<str>,
}

impl RteUser {
    fn new(identity: Identity) -> Self {
        // A program may be called like a person.
        let key = format!("{:?}:{}", identity.permit.role(), identity.user).into();
        Self { identity, key }
    }
}

impl HubUser for RteUser {
    fn tenant(&self) -> &str {
        self.identity.tenant.name()
    }

    fn identity(&self) -> &str {
        &self.key
    }
}

/// One connection.
pub struct RteClient {
    feed: Feed,
    id: ClientId,
    outbox: Arc<Outbox>,
    limits: Arc<Rte>,
}

impl RteClient {
    fn new(feed: Feed, id: ClientId, who: (Arc<str>, Permit), outbox: Arc<Outbox>, limits: Arc<Rte>) -> Self {
        let (user, permit) = who;
        if !feed.send(Command::Connect { client: id, user, permit, outbox: Arc::clone(&outbox) }) {
            outbox.close(Closing::FeedEnded);
        }
        Self { feed, id, outbox, limits }
    }

    /// The first argument as a list of things, as long as it may be.
    fn items(&self, method: &str, argument: Option<Value>) -> Result<Vec<words::Item>, HubError> {
        let items = words::items(argument, self.limits.extensions)?;
        let items_max = self.limits.subscribe_items_max;
        if items.len() > items_max {
            let why = format!("{} items are too many; at most {items_max} can be given at once", items.len());
            return Err(words::failed(method, why));
        }
        Ok(items)
    }

    async fn ask(&self, method: &str, call: Call) -> Result<Option<Value>, HubError> {
        let (answer, answered) = oneshot::channel();
        self.feed.send(Command::Call { client: self.id, call, answer });
        let answered = answered.await.map_err(|_| words::failed(method, "events are not told at the moment"))??;
        if let Some((number, _)) = answered.catch_up {
            tokio::spawn(catching::catch_up(self.feed.clone(), self.id, number, Arc::clone(&self.outbox)));
        }
        Ok(Some(answered.result))
    }
}

impl HubClient for RteClient {
    async fn invoke(&mut self, target: &str, arguments: Vec<Value>) -> Result<Option<Value>, HubError> {
        let method = Method::parse(target, self.limits.extensions).ok_or(HubError::UnknownMethod)?;
        // What is too much is passed over: the original's own samples give arguments where none are wanted.
        let mut arguments = arguments.into_iter();
        match method {
            Method::Subscribe => {
                let items = self.items(target, arguments.next())?;
                self.ask(target, Call::Subscribe(items)).await
            }
            Method::Unsubscribe => {
                let items = self.items(target, arguments.next())?;
                self.ask(target, Call::Unsubscribe(items)).await
            }
            Method::UnsubscribeAll => self.ask(target, Call::UnsubscribeAll).await,
            Method::ActiveSubscriptions => self.ask(target, Call::ActiveSubscriptions).await,
            Method::AvailableSubscriptions => Ok(Some(words::available())),
            Method::SubscribeFrom => {
                let items = self.items(target, arguments.next())?;
                let after = match arguments.next() {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => Some(text.parse::<Cursor>().map_err(|_| {
                        let right = "a position is what a message or an answer before gave as one, or null";
                        words::failed(target, right)
                    })?),
                    Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                        return Err(HubError::Arguments);
                    }
                };
                // What happens from now on comes after the answer, which says where it begins.
                self.outbox.hold();
                self.ask(target, Call::SubscribeFrom { items, after }).await
            }
        }
    }
}

impl Drop for RteClient {
    fn drop(&mut self) {
        // A feed that has ended knows nobody any more.
        _ = self.feed.send(Command::Left(self.id));
    }
}
