//! Answering: what connections ask of the feed, carried out between two events, so that every answer has its place among
//! them.

use cordboard_core::Guid;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::catching::CatchUp;
use super::feed::{Answer, Command, Teller};
use super::subscribers::{ClientId, TooMany, TopicKey};
use super::words::{self, Cursor, Fault, Item, Target};
use crate::gateway::reason;
use crate::gateway::signalr::hub::HubError;
use crate::gateway::signalr::outbox::Closing;
use crate::log::ReadError;

/// Pasts that are told to one connection at a time; more are refused.
const CATCH_UPS_MAX: usize = 8;

/// What a connection invokes.
pub(super) enum Call {
    Subscribe(Vec<Item>),
    Unsubscribe(Vec<Item>),
    UnsubscribeAll,
    ActiveSubscriptions,
    SubscribeFrom { items: Vec<Item>, after: Option<Cursor> },
}

impl Teller {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Connect { client, user, permit, outbox } => self.subscribers.connect(client, outbox, permit, user),
            Command::Left(client) => {
                self.subscribers.disconnect(client);
                self.catch_ups.retain(|(of, _), _| *of != client);
            }
            Command::Call { client, call, answer } => self.answer(client, call, answer),
            // Who went away meanwhile needs no answer, here and below.
            Command::Step(step, stepped) => _ = stepped.send(self.step(step)),
            Command::Failed(client) => {
                if let Some(outbox) = self.subscribers.outbox(client) {
                    outbox.close(Closing::FeedEnded);
                }
            }
            Command::Stop => {}
        }
    }

    fn answer(&mut self, client: ClientId, call: Call, answer: oneshot::Sender<Result<Answer, HubError>>) {
        let plain = |result| Ok(Answer { result, catch_up: None });
        let answered = match call {
            Call::Subscribe(items) => plain(items.iter().map(|item| self.subscribe(client, item)).collect()),
            Call::Unsubscribe(items) => plain(items.iter().map(|item| self.unsubscribe(client, item)).collect()),
            Call::UnsubscribeAll => {
                self.subscribers.unsubscribe_all(client);
                plain(Value::Bool(true))
            }
            Call::ActiveSubscriptions => {
                // They are JSON that we wrote.
                plain(
                    self.subscribers
                        .shown(client)
                        .filter_map(|shown| serde_json::from_str::<Value>(shown).ok())
                        .collect(),
                )
            }
            Call::SubscribeFrom { items, after } => self.subscribe_from(client, &items, after),
        };
        self.show_numbers();
        _ = answer.send(answered);
    }

    fn subscribe(&mut self, client: ClientId, item: &Item) -> Value {
        let entered = item.target.and_then(|target| Ok((target, self.enter(client, target, false)?)));
        if let Ok((target, true)) = entered
            && self.shared.limits.status_on_subscribe
        {
            self.show_states(client, target);
        }
        item.result(entered.map(|_| ()))
    }

    /// Whatever is not held is not held afterwards, which is all that was asked for.
    fn unsubscribe(&mut self, client: ClientId, item: &Item) -> Value {
        let done = item.target.map(|target| _ = self.subscribers.unsubscribe(client, target));
        item.result(done)
    }

    /// Enters a subscription, if it may be. True where it is new.
    fn enter(&mut self, client: ClientId, target: Target, placed: bool) -> Result<bool, Fault> {
        if !self.subscribers.permit(client).is_some_and(|permit| self.may(permit, target)) {
            return Err(Fault::Unauthorised);
        }
        let is_new = self.subscribers.subscribe(client, TopicKey { target, placed });
        let is_new = is_new.map_err(|TooMany| Fault::TooMany)?;
        if let Some(id) = target.entity.filter(|_| target.event.is_state()) {
            self.watch(id);
        }
        Ok(is_new)
    }

    /// Subscriptions that go on from a place: what came after it is told first, or that it cannot be, and what is now.
    fn subscribe_from(&mut self, client: ClientId, items: &[Item], after: Option<Cursor>) -> Result<Answer, HubError> {
        let running = self.catch_ups.range((client, 0)..=(client, u32::MAX)).count();
        if running >= CATCH_UPS_MAX {
            let why = format!("at most {CATCH_UPS_MAX} pasts are told to a connection at a time; wait for one to end");
            return Err(words::failed("SubscribeFrom", why));
        }
        let lost = after.and_then(|after| self.unserved(after).err());
        let from = after.filter(|_| lost.is_none());
        let (mut results, mut fresh) = (Vec::new(), Vec::new());
        for item in items {
            let entered = item.target.and_then(|target| Ok((target, self.enter(client, target, true)?)));
            fresh.extend(entered.ok().filter(|(_, is_new)| *is_new).map(|(target, _)| target));
            results.push(item.result(entered.map(|_| ())));
        }
        let here = Cursor::after(self.position());
        let place = from.unwrap_or(here);
        let snapshot = if from.is_some() { Ok(Vec::new()) } else { self.snapshot(client, &fresh) };
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(why) => {
                fresh.iter().for_each(|target| _ = self.subscribers.unsubscribe(client, *target));
                return Err(words::failed("SubscribeFrom", why));
            }
        };
        let mut result = json!({"position": place.to_string(), "results": results, "snapshot": snapshot});
        if let (Some(error), Some(members)) = (lost, result.as_object_mut()) {
            members.insert("resync".to_owned(), json!({"reason": reason(&error), "message": error.to_string()}));
        }
        let catch_up = from.filter(|_| !fresh.is_empty()).map(|from| (self.begin_catch_up(client, fresh, from), from));
        Ok(Answer { result, catch_up })
    }

    fn begin_catch_up(&mut self, client: ClientId, targets: Vec<Target>, at: Cursor) -> u32 {
        let number = self.catch_up_next;
        self.catch_up_next = self.catch_up_next.wrapping_add(1);
        for target in &targets {
            if let Some((topic, at)) = self.subscribers.subscriber(client, *target)
                && let Some(subscriber) = topic.subscribers.get_mut(at)
            {
                subscriber.joining = Some(number);
            }
        }
        self.catch_ups.insert((client, number), CatchUp { at, targets });
        number
    }

    /// Whether everything after this place can be told.
    fn unserved(&self, after: Cursor) -> Result<(), ReadError> {
        let whole = after.whole();
        let log = &self.shared.log;
        log.reader(after.position)?;
        if self.recent.as_ref().is_some_and(|recent| after.position.epoch == whole.epoch && recent.reaches(after)) {
            return Ok(());
        }
        log.reader(whole)?;
        match self.shared.checkpoints.oldest(log) {
            Some(oldest) if oldest <= whole.sequence => Ok(()),
            Some(_) | None => Err(ReadError::Gone { asked: after.position, oldest: log.oldest() }),
        }
    }

    /// The states of these as they are now, as messages.
    fn snapshot(&self, client: ClientId, targets: &[Target]) -> Result<Vec<Value>, String> {
        let (mut messages, mut bytes) = (Vec::new(), 0_usize);
        for target in targets {
            let shown = words::subscription(self.organisation(), *target);
            for said in self.states_of(client, *target) {
                let text = words::message(&shown, &said.body, None);
                bytes = bytes.saturating_add(text.len());
                let bytes_max = self.shared.limits.snapshot_bytes_max;
                if bytes > bytes_max {
                    return Err(format!(
                        "the states of all this are more than {bytes_max} bytes; subscribe to less at once"
                    ));
                }
                // It is JSON that we wrote.
                messages.extend(serde_json::from_str::<Value>(&text).ok());
            }
        }
        Ok(messages)
    }

    fn organisation(&self) -> Guid {
        self.shared.organisation
    }
}
