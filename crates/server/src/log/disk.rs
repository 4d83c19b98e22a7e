//! What the log asks of a disk, and the real one. No other file of the log names `std::fs`.
//!
//! The trait is as small as the promises the log is built on: bytes written are on disk only after
//! [`DiskFile::sync_data`], names (created, renamed, removed) only after [`Disk::sync_dir`]. The simulated disk in
//! [`super::faulty_disk`] breaks everything that is not promised.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// A directory tree with explicit durability.
pub trait Disk: Send + Sync + 'static {
    /// Creates the directory and its parents, durably; nothing happens when it exists.
    ///
    /// # Errors
    /// Whatever the system says.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// The names of the files in a directory, sorted.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// The names of the folders in a directory, sorted.
    ///
    /// # Errors
    /// Whatever the system says.
    fn folders(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Opens a file for reading (`create` false: it must exist) or makes a new, empty one for writing (`create` true:
    /// what was there before is cut to nothing).
    ///
    /// # Errors
    /// Whatever the system says; `NotFound` when the file is absent.
    fn open(&self, path: &Path, how: OpenMode) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file over another; atomic, but durable only after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// Whatever the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; durable only after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the directory for this process alone, until the guard is dropped or the process dies.
    ///
    /// # Errors
    /// [`LockError::Held`] with what the holder wrote about itself, or what the system says.
    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>, LockError>;
}

/// How [`Disk::open`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A new file, for reading and writing; an old one of that name is emptied.
    Create,
}

/// An open file. Reads and writes carry their offset, so one file serves any number of threads.
pub trait DiskFile: Send + Sync {
    /// Length in bytes.
    ///
    /// # Errors
    /// Whatever the system says.
    fn length(&self) -> io::Result<u64>;

    /// Reads up to `into.len()` bytes at `offset`; 0 means the end of the file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes up to `bytes.len()` bytes at `offset` and says how many; fewer is allowed.
    ///
    /// # Errors
    /// Whatever the system says; `StorageFull` when the disk is full.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts or extends (with zeros) the file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes the bytes and the length durable (fdatasync). After an error nothing is known about the bytes written
    /// since the last success, and a second try may succeed without having written them.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_data(&self) -> io::Result<()>;
}

/// Holds a lock; dropping it lets go.
pub trait LockGuard: Send + Sync {}

/// Writes all of `bytes` at `offset`, going on after short writes.
pub(crate) fn write_all_at(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::WriteZero, "the disk took none of the bytes")),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads up to `bytes_max` bytes at `offset`; fewer only at the end of the file.
pub(crate) fn read_up_to(file: &dyn DiskFile, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; bytes_max];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// True for "no room", the one write error after which the same bytes may be written again.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl RealDisk {
    /// Removes a directory with everything in it.
    pub(crate) fn remove_tree(self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }
}

impl Disk for RealDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        // A directory is a name in its parent. All parents that were missing are synced, outermost first, and the
        // nearest in any case: a process before may have been killed between making and syncing.
        let missing = dir.ancestors().skip(1).take_while(|path| !path.exists()).count();
        fs::create_dir_all(dir)?;
        let parents: Vec<&Path> = dir.ancestors().skip(1).take(missing + 1).collect();
        for parent in parents.into_iter().rev() {
            self.sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        names_in(dir, fs::FileType::is_file)
    }

    fn folders(&self, dir: &Path) -> io::Result<Vec<String>> {
        names_in(dir, fs::FileType::is_dir)
    }

    fn open(&self, path: &Path, how: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match how {
            OpenMode::Read => {}
            OpenMode::Write => {
                options.write(true);
            }
            OpenMode::Create => {
                options.write(true).create(true).truncate(true);
            }
        }
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>, LockError> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may be between taking the lock and writing its name: an empty name is still an answer.
                let _unreadable = file.read_to_string(&mut holder);
                let holder = holder.trim().to_owned();
                return Err(LockError::Held { holder: if holder.is_empty() { "unknown".to_owned() } else { holder } });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        let program = std::env::args().next().unwrap_or_default();
        file.write_all(format!("process {} ({program})\n", std::process::id()).as_bytes())?;
        Ok(Box::new(RealLock { _file: file }))
    }
}

fn names_in(dir: &Path, is_wanted: fn(&fs::FileType) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_wanted(&entry.file_type()?)
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// The flock is on the open file, so it goes when the file is closed, also by a crash.
struct RealLock {
    _file: File,
}

impl LockGuard for RealLock {}

impl fmt::Debug for dyn LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockGuard")
    }
}

/// Why a directory could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else writes there.
    #[error("held by {holder}")]
    Held {
        /// What the holder wrote about itself: process id and program.
        holder: String,
    },
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}
