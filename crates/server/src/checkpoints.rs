//! Stored worlds at some positions of a log, so that readers of old positions need not begin at the first event.
//!
//! The log's own two snapshots serve its opening; these serve readers. They may be lost without loss of events.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cordboard_core::World;

use crate::log::{Log, Position};
use crate::state::{StateError, decode_world};

const SUFFIX: &str = ".checkpoint";
const TEMPORARY: &str = "new.tmp";
/// crc32c of the rest, little endian.
const HEAD_BYTES: usize = 4;

/// The checkpoints of one log.
#[derive(Debug)]
pub struct Checkpoints {
    dir: PathBuf,
    kept_max: usize,
    /// Sequences of the files, rising.
    kept: Mutex<Vec<u64>>,
    epoch: u32,
}

impl Checkpoints {
    /// Opens the folder; what is of another log is removed.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn open(dir: &Path, epoch: u32, kept_max: usize) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut kept = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let position = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|name| name.parse().ok());
            match position {
                Some(Position { epoch: of, sequence }) if of == epoch => kept.push(sequence),
                _ => fs::remove_file(entry.path())?,
            }
        }
        kept.sort_unstable();
        Ok(Self { dir: dir.to_owned(), kept_max, kept: Mutex::new(kept), epoch })
    }

    /// Keeps a world as [`crate::state::encode_world`] wrote it, and drops others where there are too many: first those
    /// before `oldest`, then those that leave the smallest gap.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn store(&self, at: u64, world: &[u8], oldest: u64) -> io::Result<()> {
        let temporary = self.dir.join(TEMPORARY);
        let mut file = File::create(&temporary)?;
        file.write_all(&crc32c::crc32c(world).to_le_bytes())?;
        file.write_all(world)?;
        file.sync_data()?;
        fs::rename(&temporary, self.path(at))?;
        let surplus = {
            let mut kept = self.kept();
            if let Err(place) = kept.binary_search(&at) {
                kept.insert(place, at);
            }
            surplus(&mut kept, self.kept_max, oldest)
        };
        surplus.into_iter().try_for_each(|sequence| match fs::remove_file(self.path(sequence)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// The newest kept world at or before `at` that the log can be read on from, with its position.
    ///
    /// # Errors
    /// [`StateError`] where a file cannot be read; none where the log does not reach back to one.
    pub fn before(&self, log: &Log, at: u64) -> Result<Option<(u64, World)>, StateError> {
        let oldest = log.oldest().sequence;
        let candidates: Vec<u64> = self.kept().iter().copied().filter(|kept| (oldest..=at).contains(kept)).collect();
        for sequence in candidates.into_iter().rev() {
            match self.read(sequence) {
                Ok(world) => return Ok(Some((sequence, world))),
                Err(error) => {
                    tracing::warn!(%error, sequence, "a checkpoint cannot be used; an older one is taken");
                    self.kept().retain(|kept| *kept != sequence);
                }
            }
        }
        Ok((oldest == 0).then(|| (0, World::default())))
    }

    /// The oldest position that old messages can be said again from; none where no kept world is in reach.
    #[must_use]
    pub fn oldest(&self, log: &Log) -> Option<u64> {
        let oldest = log.oldest().sequence;
        if oldest == 0 { Some(0) } else { self.kept().iter().copied().find(|kept| *kept >= oldest) }
    }

    fn read(&self, sequence: u64) -> Result<World, StateError> {
        let bytes = fs::read(self.path(sequence))?;
        let (head, world) = bytes.split_at_checked(HEAD_BYTES).unwrap_or_default();
        if head != crc32c::crc32c(world).to_le_bytes() {
            return Err(StateError::World("the checksum is wrong".to_owned()));
        }
        decode_world(world)
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.dir.join(format!("{}{SUFFIX}", Position { epoch: self.epoch, sequence }))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u64>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out what need not be kept.
fn surplus(kept: &mut Vec<u64>, kept_max: usize, oldest: u64) -> Vec<u64> {
    let reachable = kept.partition_point(|sequence| *sequence < oldest);
    let mut surplus: Vec<u64> = kept.drain(..reachable).collect();
    while kept.len() > kept_max.max(2) {
        // The newest stays; of the others the one whose neighbours are closest to each other.
        let gap = |at: &usize| {
            let before = at.checked_sub(1).and_then(|at| kept.get(at)).copied().unwrap_or(oldest);
            kept.get(at + 1).map_or(u64::MAX, |after| after - before)
        };
        let Some(at) = (0..kept.len() - 1).min_by_key(gap) else { break };
        surplus.push(kept.remove(at));
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unreachable_goes_first_then_what_leaves_the_smallest_gap() {
        let mut kept = vec![10, 20, 30, 35, 40, 90];
        assert_eq!(surplus(&mut kept, 4, 15), [10, 35]);
        assert_eq!(kept, [20, 30, 40, 90]);
        assert!(surplus(&mut kept, 4, 15).is_empty());
    }

    #[test]
    fn files_of_another_log_and_half_written_ones_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["1-5.checkpoint", "2-7.checkpoint", "2-6.checkpoint", "new.tmp"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let checkpoints = Checkpoints::open(dir.path(), 2, 4).unwrap();
        assert_eq!(*checkpoints.kept(), [6, 7]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
