//! What was said long ago, said again from the log. Works on the disk: not for the feed's thread.

use cordboard_core::World;
use cordboard_dialects::Settings;
use cordboard_dialects::enreach::{self, Said};

use super::words::Target;
use crate::checkpoints::Checkpoints;
use crate::history::place;
use crate::log::{Log, Position, ReadError, Reader};
use crate::state::{StateError, fold_next};

/// A batch is handed out when this many events were read for it, however little they said.
const BATCH_EVENTS: usize = 8_192;

/// A place in the past of one tenant's stream.
pub(super) struct Past {
    world: World,
    reader: Reader,
}

/// What consecutive events said to somebody.
#[derive(Debug)]
pub(super) struct Batch {
    /// Each with the event's position, and which of its sayings it is.
    pub(super) said: Vec<(Position, usize, Said)>,
    /// Everything up to here was read.
    pub(super) until: Position,
}

impl Past {
    /// Goes to the place right after `after`.
    pub(super) fn open(log: &Log, checkpoints: &Checkpoints, after: Position) -> Result<Self, StateError> {
        // Says in so many words what is wrong with a position that cannot be served.
        log.reader(after)?;
        let Some((at, mut world)) = checkpoints.before(log, after.sequence)? else {
            return Err(ReadError::Gone { asked: after, oldest: log.oldest() }.into());
        };
        let mut reader = log.reader(Position { epoch: after.epoch, sequence: at })?;
        while reader.position() < after && fold_next(&mut reader, &mut world)?.is_some() {}
        Ok(Self { world, reader })
    }

    /// Where it is.
    pub(super) fn position(&self) -> Position {
        self.reader.position()
    }

    /// What comes next and is about one of these, as far as the log is durable.
    pub(super) fn next(
        &mut self,
        settings: &Settings,
        targets: &[Target],
        messages_max: usize,
    ) -> Result<Batch, StateError> {
        let (mut batch, mut said) = (Vec::new(), Vec::new());
        for _ in 0..BATCH_EVENTS {
            if batch.len() >= messages_max {
                break;
            }
            let Some(event) = fold_next(&mut self.reader, &mut self.world)? else { break };
            let position = self.reader.position();
            enreach::say(settings, &self.world, place(position), &event, &mut said);
            let heard = said.drain(..).enumerate().filter(|(_, said)| is_heard(said, targets));
            batch.extend(heard.map(|(index, said)| (position, index, said)));
        }
        Ok(Batch { said: batch, until: self.reader.position() })
    }
}

/// Whether one of these is told of it.
fn is_heard(said: &Said, targets: &[Target]) -> bool {
    targets.iter().any(|target| target.event == said.event && target.entity.is_none_or(|entity| entity == said.entity))
}
