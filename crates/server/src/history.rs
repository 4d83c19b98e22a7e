//! Old messages, said again: the world is folded from the nearest checkpoint, and every event after it is said as it was
//! the first time.

use cordboard_core::World;
use cordboard_dialects::{Dialect, Settings};

use crate::checkpoints::Checkpoints;
use crate::log::{Log, Position, ReadError, Reader};
use crate::state::{StateError, fold_next};
use crate::tail::{Chunk, ChunkBuilder};

/// A chunk is handed out when it has this many bytes.
const CHUNK_BYTES: usize = 128 * 1024;
/// Or when this many events were read for it, however little they said.
const CHUNK_EVENTS: usize = 4_096;

/// A place in the past of one tenant's stream in one vocabulary. Works on the disk: not for the loop.
pub struct History {
    world: World,
    reader: Reader,
    dialect: &'static Dialect,
}

impl History {
    /// Goes to the place right after `after`.
    ///
    /// # Errors
    /// [`StateError`]; with [`ReadError`] in it where the log no longer, or never, had that place.
    pub fn open(
        log: &Log,
        checkpoints: &Checkpoints,
        dialect: &'static Dialect,
        after: Position,
    ) -> Result<Self, StateError> {
        // Says in so many words what is wrong with a position that cannot be served.
        log.reader(after)?;
        let Some((at, mut world)) = checkpoints.before(log, after.sequence)? else {
            return Err(ReadError::Gone { asked: after, oldest: log.oldest() }.into());
        };
        let mut reader = log.reader(Position { epoch: after.epoch, sequence: at })?;
        while reader.position() < after && fold_next(&mut reader, &mut world)?.is_some() {}
        Ok(Self { world, reader, dialect })
    }

    /// The next messages, up to and including those of `until`; none when there are no more.
    ///
    /// # Errors
    /// [`StateError`] where the log cannot be read on.
    pub fn next(&mut self, settings: &Settings, until: u64) -> Result<Option<Chunk>, StateError> {
        let Position { epoch, sequence } = self.reader.position();
        let mut builder = ChunkBuilder::new(Position { epoch, sequence: sequence + 1 });
        let mut messages = Vec::new();
        for _ in 0..CHUNK_EVENTS {
            if builder.bytes() >= CHUNK_BYTES || self.reader.position().sequence >= until {
                break;
            }
            let Some(event) = fold_next(&mut self.reader, &mut self.world)? else { break };
            messages.clear();
            (self.dialect.project)(settings, &self.world, place(self.reader.position()), &event, &mut messages);
            builder.push(&messages);
        }
        Ok(builder.take())
    }

    /// The world at this place.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }
}

/// A position as dialects know it.
#[must_use]
pub fn place(position: Position) -> cordboard_dialects::Position {
    cordboard_dialects::Position { epoch: u64::from(position.epoch), sequence: position.sequence }
}
