//! A disk in memory that keeps what is promised and nothing else; for tests and the simulation.
//!
//! It has a page cache: reads see what was written, a crash keeps of what was not synced any sectors it likes, and of
//! names not synced any it likes. On demand it is full, slow, short of breath (short writes), loses power at a given
//! operation, fails an fsync as Linux does (the pages stay readable, count as clean and never reach the disk), and
//! flips bits. Everything follows from one seed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::disk::{Disk, DiskFile, LockError, LockGuard, OpenMode};

/// The unit of tearing, in bytes.
pub const SECTOR_BYTES: usize = 512;

/// What a crash does to sectors that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tearing {
    /// All are lost.
    Nothing,
    /// A prefix of them, cut at any byte, is kept.
    Prefix,
    /// Any of them are kept; lost ones before kept ones read as zeros.
    Sectors,
    /// As `Sectors`, and lost ones may read as garbage.
    Garbage,
}

/// What goes wrong. The default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Bytes of all files together beyond which writes fail with `StorageFull`, after writing what fits.
    pub space_bytes_max: Option<u64>,
    /// After this many more operations that change something, the power is off: they and all later ones fail.
    pub power_off_after: Option<u64>,
    /// The n-th next sync of a file fails (0: the next).
    pub fail_sync_after: Option<u64>,
    /// Of 256 writes, how many are short.
    pub short_writes_per_256: u8,
    /// Every sync of a file takes this long.
    pub sync_takes: Duration,
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct FaultyDisk {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    random: SplitMix64,
    faults: Faults,
    power: bool,
    /// Grows with each crash; files opened before it are dead.
    boot: u64,
    operations: u64,
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    /// Changes of names that were not synced, in order.
    pending_names: Vec<(PathBuf, Option<u64>)>,
    locked: BTreeSet<PathBuf>,
}

#[derive(Clone, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

impl FaultyDisk {
    /// An empty disk without faults; all chance follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> FaultyDisk {
        FaultyDisk {
            inner: Arc::new(Mutex::new(Inner {
                random: SplitMix64::new(seed),
                faults: Faults::default(),
                power: true,
                boot: 0,
                operations: 0,
                inodes: BTreeMap::new(),
                names: BTreeMap::new(),
                durable_names: BTreeMap::new(),
                pending_names: Vec::new(),
                locked: BTreeSet::new(),
            })),
        }
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Operations so far that changed, or tried to change, something.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Power loss: what was not synced is torn, open files and locks die, faults end.
    pub fn crash(&self, tearing: Tearing) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.reboot();
        for (path, inode) in std::mem::take(&mut inner.pending_names) {
            if tearing != Tearing::Nothing && inner.random.below(2) == 0 {
                set_name(&mut inner.durable_names, path, inode);
            }
        }
        inner.names = inner.durable_names.clone();
        for inode in inner.inodes.values_mut() {
            inode.tear(&mut inner.random, tearing);
        }
        let used: BTreeSet<u64> = inner.names.values().copied().collect();
        inner.inodes.retain(|number, _| used.contains(number));
    }

    /// Death of the process alone (kill -9): the page cache survives, open files and locks do not, faults end.
    pub fn kill(&self) {
        self.lock().reboot();
    }

    /// Removes a file as if it had never been.
    pub fn lose(&self, path: &Path) {
        let mut inner = self.lock();
        inner.names.remove(path);
        inner.durable_names.remove(path);
    }

    /// Flips a bit of a file, in the cache and on the disk.
    ///
    /// # Errors
    /// When there is no such file or byte.
    pub fn flip_bit(&self, path: &Path, byte: usize, bit: u8) -> io::Result<()> {
        let mut inner = self.lock();
        let inode = inner.inode(path)?;
        for bytes in [&mut inode.cached, &mut inode.durable] {
            let place = bytes.get_mut(byte).ok_or(io::ErrorKind::UnexpectedEof)?;
            *place ^= 1 << (bit % 8);
        }
        Ok(())
    }

    /// The bytes of a file, as a reader sees them.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.lock().inode(path)?.cached.clone())
    }

    /// The bytes of a file that a crash could not take.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn durable_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.lock().inode(path)?.durable.clone())
    }

    /// Puts bytes into a file, made if absent, durable at once.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut inner = self.lock();
        let number = match inner.names.get(path) {
            Some(number) => *number,
            None => inner.inodes.keys().next_back().map_or(0, |last| last + 1),
        };
        let inode = Inode { cached: bytes.to_vec(), durable: bytes.to_vec(), dirty: BTreeSet::new() };
        inner.inodes.insert(number, inode);
        inner.names.insert(path.to_owned(), number);
        inner.durable_names.insert(path.to_owned(), number);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn reboot(&mut self) {
        self.boot += 1;
        self.power = true;
        self.faults = Faults::default();
        self.locked.clear();
    }

    /// Counts a changing operation; fails when the power is off.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match &mut self.faults.power_off_after {
            Some(0) => self.power = false,
            Some(left) => *left -= 1,
            None => {}
        }
        self.check_power()
    }

    fn check_power(&self) -> io::Result<()> {
        if self.power { Ok(()) } else { Err(io::Error::other("the power is off")) }
    }

    fn inode(&mut self, path: &Path) -> io::Result<&mut Inode> {
        let number = self.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        self.inodes.get_mut(number).ok_or(io::ErrorKind::NotFound.into())
    }

    fn rename_to(&mut self, path: &Path, inode: Option<u64>) {
        set_name(&mut self.names, path.to_owned(), inode);
        self.pending_names.push((path.to_owned(), inode));
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().filter_map(|number| self.inodes.get(number)).map(|inode| inode.cached.len() as u64).sum()
    }
}

fn set_name(names: &mut BTreeMap<PathBuf, u64>, path: PathBuf, inode: Option<u64>) {
    match inode {
        Some(number) => names.insert(path, number),
        None => names.remove(&path),
    };
}

impl Inode {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.cached.len() < end {
            self.cached.resize(end, 0);
        }
        if let Some(place) = self.cached.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        self.dirty.extend(offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
    }

    fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            self.keep(sector, usize::MAX);
        }
    }

    /// Puts a sector of the cache, up to the byte `end` of the file, on the disk.
    fn keep(&mut self, sector: usize, end: usize) {
        let from = sector * SECTOR_BYTES;
        let to = (from + SECTOR_BYTES).min(self.cached.len()).min(end);
        let Some(bytes) = self.cached.get(from..to) else { return };
        if self.durable.len() < to {
            self.durable.resize(to, 0);
        }
        if let Some(place) = self.durable.get_mut(from..to) {
            place.copy_from_slice(bytes);
        }
    }

    fn tear(&mut self, random: &mut SplitMix64, tearing: Tearing) {
        let dirty: Vec<usize> = std::mem::take(&mut self.dirty).into_iter().collect();
        // A length that was cut and not synced may be cut or not.
        if self.cached.len() < self.durable.len() && tearing != Tearing::Nothing && random.below(2) == 0 {
            self.durable.truncate(self.cached.len());
        }
        match tearing {
            Tearing::Nothing => {}
            Tearing::Prefix => {
                let kept = random.below(dirty.len() as u64 + 1) as usize;
                for sector in dirty.iter().take(kept) {
                    self.keep(*sector, usize::MAX);
                }
                if let Some(torn) = dirty.get(kept) {
                    let end = torn * SECTOR_BYTES + random.below(SECTOR_BYTES as u64) as usize;
                    // What was durable in the sector before stays: a disk writes a sector whole or not at all.
                    self.keep(*torn, end);
                }
            }
            Tearing::Sectors | Tearing::Garbage => {
                for sector in dirty {
                    if random.below(2) == 0 {
                        self.keep(sector, usize::MAX);
                    } else if tearing == Tearing::Garbage && random.below(2) == 0 {
                        self.spoil(sector, random);
                    }
                }
            }
        }
        self.cached = self.durable.clone();
    }

    /// Garbage where the sector was not durable before.
    fn spoil(&mut self, sector: usize, random: &mut SplitMix64) {
        let from = (sector * SECTOR_BYTES).max(self.durable.len());
        let to = ((sector + 1) * SECTOR_BYTES).min(self.cached.len());
        for _ in from..to {
            self.durable.push(random.next() as u8);
        }
    }
}

impl Disk for FaultyDisk {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        self.lock().check_power()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.lock();
        inner.check_power()?;
        let here = inner.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn folders(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.lock();
        inner.check_power()?;
        let below =
            inner.names.keys().filter_map(|path| path.parent()?.strip_prefix(dir).ok()?.iter().next()?.to_str());
        Ok(below.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn open(&self, path: &Path, how: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.lock();
        inner.check_power()?;
        if how == OpenMode::Create {
            inner.operate()?;
            let number = inner.inodes.keys().next_back().map_or(0, |last| last + 1);
            inner.inodes.insert(number, Inode::default());
            inner.rename_to(path, Some(number));
        }
        let number = *inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultyFile { disk: self.clone(), number, boot: inner.boot }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let number = *inner.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        inner.rename_to(to, Some(number));
        inner.rename_to(from, None);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        if !inner.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inner.rename_to(path, None);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.operate()?;
        let inner = &mut *inner;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            std::mem::take(&mut inner.pending_names).into_iter().partition(|(path, _)| path.parent() == Some(dir));
        inner.pending_names = elsewhere;
        for (path, inode) in here {
            set_name(&mut inner.durable_names, path, inode);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>, LockError> {
        let mut inner = FaultyDisk::lock(self);
        inner.check_power()?;
        if !inner.locked.insert(path.to_owned()) {
            return Err(LockError::Held { holder: "another writer of this simulation".to_owned() });
        }
        Ok(Box::new(FaultyLock { disk: self.clone(), path: path.to_owned(), boot: inner.boot }))
    }
}

struct FaultyLock {
    disk: FaultyDisk,
    path: PathBuf,
    boot: u64,
}

impl LockGuard for FaultyLock {}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        let mut inner = self.disk.lock();
        if inner.boot == self.boot {
            inner.locked.remove(&self.path);
        }
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    number: u64,
    boot: u64,
}

impl FaultyFile {
    fn with<T>(&self, work: impl FnOnce(&mut Inner, u64) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.disk.lock();
        if inner.boot != self.boot {
            return Err(io::Error::other("the file was open before the crash"));
        }
        work(&mut inner, self.number)
    }
}

fn inode_of(inner: &mut Inner, number: u64) -> io::Result<&mut Inode> {
    inner.inodes.get_mut(&number).ok_or(io::ErrorKind::NotFound.into())
}

impl DiskFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|inner, number| {
            inner.check_power()?;
            Ok(inode_of(inner, number)?.cached.len() as u64)
        })
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|inner, number| {
            inner.check_power()?;
            let offset = usize::try_from(offset).map_err(io::Error::other)?;
            let bytes = inode_of(inner, number)?.cached.get(offset..).unwrap_or_default();
            let read = bytes.len().min(into.len());
            for (place, byte) in into.iter_mut().zip(bytes) {
                *place = *byte;
            }
            Ok(read)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.with(|inner, number| {
            inner.operate()?;
            let offset = usize::try_from(offset).map_err(io::Error::other)?;
            let mut taken = bytes.len();
            if inner.random.below(256) < u64::from(inner.faults.short_writes_per_256) {
                taken = inner.random.below(taken as u64) as usize + 1;
            }
            if let Some(space) = inner.faults.space_bytes_max {
                let free = usize::try_from(space.saturating_sub(inner.used_bytes())).map_err(io::Error::other)?;
                let old = inode_of(inner, number)?.cached.len();
                let fits = (old + free).saturating_sub(offset);
                if fits == 0 && taken > 0 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                taken = taken.min(fits);
            }
            inode_of(inner, number)?.write(bytes.get(..taken).unwrap_or_default(), offset);
            Ok(taken)
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|inner, number| {
            inner.operate()?;
            let inode = inode_of(inner, number)?;
            let len = usize::try_from(len).map_err(io::Error::other)?;
            inode.cached.resize(len, 0);
            inode.dirty.retain(|sector| sector * SECTOR_BYTES < len);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let takes = self.disk.lock().faults.sync_takes;
        if !takes.is_zero() {
            std::thread::sleep(takes);
        }
        self.with(|inner, number| {
            inner.operate()?;
            let fails = match &mut inner.faults.fail_sync_after {
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            };
            if fails {
                inner.faults.fail_sync_after = None;
                inode_of(inner, number)?.dirty.clear();
                return Err(io::Error::other("simulated fsync failure"));
            }
            inode_of(inner, number)?.sync();
            Ok(())
        })
    }
}

/// A small, good random generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, 0 for a bound of 0. The bias for small bounds is beyond noticing.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: &FaultyDisk, path: &Path, bytes: &[u8]) -> Arc<dyn DiskFile> {
        let file = disk.open(path, OpenMode::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
        file
    }

    #[test]
    fn only_what_was_synced_survives_for_sure() {
        let disk = FaultyDisk::new(1);
        let (dir, path) = (Path::new("d"), Path::new("d/f"));
        let file = write(&disk, path, b"synced");
        file.sync_data().unwrap();
        disk.crash(Tearing::Nothing);
        assert!(disk.bytes(path).is_err(), "the name was not synced");
        let file = write(&disk, path, b"synced");
        file.sync_data().unwrap();
        disk.sync_dir(dir).unwrap();
        file.write_at(b"not", 6).unwrap();
        assert_eq!(disk.bytes(path).unwrap(), b"syncednot");
        disk.crash(Tearing::Nothing);
        assert_eq!(disk.bytes(path).unwrap(), b"synced");
        assert!(file.length().is_err(), "a file opened before the crash is dead");
    }

    #[test]
    fn a_failed_sync_leaves_bytes_readable_that_never_reach_the_disk() {
        let disk = FaultyDisk::new(1);
        let path = Path::new("d/f");
        let file = write(&disk, path, b"bytes");
        disk.sync_dir(Path::new("d")).unwrap();
        disk.set_faults(Faults { fail_sync_after: Some(0), ..Faults::default() });
        assert!(file.sync_data().is_err());
        assert!(file.sync_data().is_ok(), "the second sync pretends");
        assert_eq!(disk.bytes(path).unwrap(), b"bytes");
        disk.crash(Tearing::Sectors);
        assert_eq!(disk.bytes(path).unwrap(), [0; 5], "the length is there, the bytes are not");
    }
}
