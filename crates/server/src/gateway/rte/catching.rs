//! Catching up: what came after a place is told before what happens now, without a hole and without a double.
//!
//! Only the feed gives messages to a connection. Whoever catches up asks it step by step, waits for room between two
//! steps, and brings what must be read from disk; as soon as the newest event is reached, the feed itself goes on.

use std::sync::Arc;
use std::time::Duration;

use cordboard_core::Guid;
use cordboard_dialects::enreach::Said;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::feed::{Command, Feed, Teller};
use super::past::{Batch, Past};
use super::recent::Recent;
use super::subscribers::ClientId;
use super::words::{self, Cursor, TARGET, Target};
use crate::entities::subject;
use crate::gateway::signalr::outbox::{Frame, Outbox};
use crate::log::Position;
use crate::rights::may_see;
use crate::state::StateError;

/// Messages of one step.
const STEP_MESSAGES: usize = 256;
/// Events that are looked at in one step, however little they say.
const STEP_EVENTS: usize = 4_096;
/// How long to wait for the feed where the place is one it has not reached itself.
const FEED_WAIT: Duration = Duration::from_millis(5);

/// One past that is being told.
#[derive(Debug)]
pub(super) struct CatchUp {
    /// Everything up to here was told.
    pub(super) at: Cursor,
    pub(super) targets: Vec<Target>,
}

/// The next step of one.
pub(super) struct Step {
    pub(super) client: ClientId,
    pub(super) number: u32,
    /// What was read from disk since.
    pub(super) read: Option<Batch>,
}

/// What is to be done before the next step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stepped {
    /// Nothing: it is over.
    Over,
    /// Wait for room.
    More,
    /// Wait for the feed.
    Early,
    /// Read what came after this place about these.
    Read(Position, Vec<Target>),
}

/// Drives one past to its end.
pub(super) async fn catch_up(feed: Feed, client: ClientId, number: u32, outbox: Arc<Outbox>) {
    let (mut past, mut read) = (None, None);
    while outbox.room().await {
        let (answer, stepped) = oneshot::channel();
        if !feed.send(Command::Step(Step { client, number, read: read.take() }, answer)) {
            return;
        }
        match stepped.await {
            Err(_) | Ok(Stepped::Over) => return,
            Ok(Stepped::More) => {}
            Ok(Stepped::Early) => tokio::time::sleep(FEED_WAIT).await,
            Ok(Stepped::Read(after, targets)) => match read_on(&feed, past.take(), after, targets).await {
                Ok((batch, open)) => (read, past) = (Some(batch), Some(open)),
                Err(error) => {
                    tracing::error!(error, "old events cannot be told to a connection that asked for them");
                    _ = feed.send(Command::Failed(client));
                    return;
                }
            },
        }
    }
}

type Open = (Past, OwnedSemaphorePermit);

/// Reads a batch, away from the threads that serve others.
async fn read_on(
    feed: &Feed,
    past: Option<Open>,
    after: Position,
    targets: Vec<Target>,
) -> Result<(Batch, Open), String> {
    let shared = Arc::clone(feed.shared());
    let past = past.filter(|(past, _)| past.position() == after);
    let (past, permit) = match past {
        Some((past, permit)) => (Some(past), permit),
        None => (None, Arc::clone(&shared.history).acquire_owned().await.map_err(|error| error.to_string())?),
    };
    let messages_max = shared.step_messages();
    let read = tokio::task::spawn_blocking(move || {
        let mut past = match past {
            Some(past) => past,
            None => Past::open(&shared.log, &shared.checkpoints, after)?,
        };
        let batch = past.next(&shared.settings, &targets, messages_max)?;
        Ok::<_, StateError>((batch, past))
    });
    match read.await {
        Ok(Ok((batch, past))) => Ok((batch, (past, permit))),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

impl super::feed::Shared {
    /// So many messages of the past at once find room where half of what may wait does.
    fn step_messages(&self) -> usize {
        (self.limits.outbox_messages_max / 8).clamp(1, STEP_MESSAGES)
    }
}

impl Teller {
    pub(super) fn step(&mut self, step: Step) -> Stepped {
        let Step { client, number, read } = step;
        let Some(mut catch_up) = self.catch_ups.remove(&(client, number)) else { return Stepped::Over };
        catch_up.targets.retain(|target| self.joins(client, number, *target));
        if catch_up.targets.is_empty() {
            return Stepped::Over;
        }
        if let Some(batch) = read {
            for (position, index, said) in &batch.said {
                self.give(client, &catch_up, (*position, *index), said);
            }
            catch_up.at = catch_up.at.max(Cursor::after(batch.until));
        }
        let stepped = self.step_on(client, &mut catch_up);
        if stepped == Stepped::Over {
            for target in catch_up.targets {
                self.join(client, target);
            }
        } else {
            self.catch_ups.insert((client, number), catch_up);
        }
        stepped
    }

    /// From memory, as far as it reaches.
    fn step_on(&mut self, client: ClientId, catch_up: &mut CatchUp) -> Stepped {
        if catch_up.at.position > self.position() {
            return Stepped::Early;
        }
        let Some(recent) = self.recent.take_if(|recent| recent.reaches(catch_up.at)) else {
            return Stepped::Read(catch_up.at.whole(), catch_up.targets.clone());
        };
        let done = self.step_through(client, catch_up, &recent);
        self.recent = Some(recent);
        if done { Stepped::Over } else { Stepped::More }
    }

    /// Tells what came after the place. True when the newest event was reached.
    fn step_through(&self, client: ClientId, catch_up: &mut CatchUp, recent: &Recent) -> bool {
        let Position { epoch, .. } = self.position();
        let (mut messages, messages_max) = (0, self.shared.step_messages());
        for (events, (sequence, all)) in recent.after(catch_up.at).enumerate() {
            if messages >= messages_max || events >= STEP_EVENTS {
                return false;
            }
            let position = Position { epoch, sequence };
            for (index, said) in all.iter().enumerate() {
                messages += self.give(client, catch_up, (position, index), said);
            }
            catch_up.at = Cursor::after(position);
        }
        catch_up.at = Cursor::after(self.position());
        true
    }

    /// Gives one thing that was said to the connection, if it subscribed to it, may know it and was not given it before.
    fn give(&self, client: ClientId, catch_up: &CatchUp, (position, index): (Position, usize), said: &Said) -> usize {
        let mut given = 0;
        for entity in [Some(said.entity), None] {
            let target = Target { event: said.event, entity };
            let place = Cursor::within(position, index, entity.is_none());
            if place <= catch_up.at || !catch_up.targets.contains(&target) {
                continue;
            }
            let Some((topic, subscriber)) = self.subscribers.look(client, target) else { continue };
            let seen = [said.entity].into_iter().filter(|_| entity.is_none()).chain(said.also);
            if subscriber.muted || !seen.into_iter().all(|it| self.may_know(client, it)) {
                continue;
            }
            let text = words::message(&topic.shown, &said.body, Some(place));
            _ = subscriber.outbox.push(&Arc::new(Frame::new(TARGET, topic.id, text, None)));
            given += 1;
        }
        given
    }

    fn may_know(&self, client: ClientId, entity: Guid) -> bool {
        let entity = self.entities.find(&self.world, entity);
        let permit = self.subscribers.permit(client);
        entity.zip(permit).is_some_and(|(entity, permit)| may_see(&self.world, permit, subject(entity)))
    }

    fn joins(&self, client: ClientId, number: u32, target: Target) -> bool {
        self.subscribers.look(client, target).is_some_and(|(_, subscriber)| subscriber.joining == Some(number))
    }

    /// From here on it is told what happens now; of states, what is now.
    fn join(&mut self, client: ClientId, target: Target) {
        if let Some((topic, at)) = self.subscribers.subscriber(client, target)
            && let Some(subscriber) = topic.subscribers.get_mut(at)
        {
            subscriber.joining = None;
        }
        self.show_states(client, target);
    }
}
