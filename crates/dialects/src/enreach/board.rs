//! What was said of each person and queue last, so that a status is said again only when it is another one.

use alloc::collections::BTreeMap;

use cordboard_core::{Event, Guid, World};

use super::names::EventName;
use super::touched::{Touched, touched};
use super::{Said, queue_status, user_status};
use crate::Position;

/// The newest statuses.
#[derive(Clone, Debug, Default)]
pub struct Board {
    last: BTreeMap<(EventName, Guid), String>,
    touched: Touched,
}

impl Board {
    /// Whether a status says something else than the one before; it is remembered.
    pub fn is_news(&mut self, said: &Said) -> bool {
        let content = said.content();
        match self.last.get_mut(&(said.event, said.entity)) {
            Some(last) if last == content => false,
            Some(last) => {
                content.clone_into(last);
                true
            }
            None => {
                self.last.insert((said.event, said.entity), content.to_owned());
                true
            }
        }
    }

    /// Says the statuses that an event changed, in the world right after it.
    pub fn say(&mut self, world: &World, at: Position, event: &Event, out: &mut Vec<Said>) {
        let mut seen = core::mem::take(&mut self.touched);
        seen.clear();
        touched(world, event, &mut seen);
        for user in &seen.users {
            self.keep(user_status(world, user, at, event.at), out);
        }
        for queue in &seen.queues {
            self.keep(queue_status(world, queue, at, event.at), out);
        }
        self.touched = seen;
    }

    fn keep(&mut self, said: Said, out: &mut Vec<Said>) {
        if self.is_news(&said) {
            out.push(said);
        }
    }
}
