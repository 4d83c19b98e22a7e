//! Small files of the data directory that commands change while a server reads them: private, replaced whole, read again
//! whenever they were replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What stands in such a file.
pub(crate) trait Content: Serialize + DeserializeOwned + Default {
    /// The name of the file.
    const FILE: &'static str;
    /// The versions that this program reads; it writes the last.
    const VERSIONS: RangeInclusive<u32>;
    /// What helps when it is damaged.
    const REMEDY: &'static str;

    /// The version that was read, or is to be written.
    fn version(&mut self) -> &mut u32;
}

/// The file. Clones share what was read.
#[derive(Debug)]
pub(crate) struct KeptFile<T> {
    file: PathBuf,
    read: Arc<Mutex<Option<Read<T>>>>,
    content: PhantomData<T>,
}

#[derive(Debug)]
struct Read<T> {
    stamp: Stamp,
    content: Arc<T>,
}

/// What changes when the file is replaced.
type Stamp = Option<(u64, u64, i64, i64)>;

impl<T> Clone for KeptFile<T> {
    fn clone(&self) -> Self {
        Self { file: self.file.clone(), read: Arc::clone(&self.read), content: PhantomData }
    }
}

impl<T: Content> KeptFile<T> {
    /// The file in this data directory; nothing is read yet.
    pub(crate) fn new(data: &Path) -> Self {
        Self { file: data.join(T::FILE), read: Arc::default(), content: PhantomData }
    }

    /// What stands there now; the default where there is no file.
    pub(crate) fn read(&self) -> Result<Arc<T>, KeptError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = self.stamp()?;
        if let Some(read) = read.as_ref().filter(|read| read.stamp == stamp) {
            return Ok(Arc::clone(&read.content));
        }
        let content = Arc::new(self.read_file()?);
        *read = Some(Read { stamp, content: Arc::clone(&content) });
        Ok(content)
    }

    /// Changes what stands there. Nothing is written where the change is refused.
    pub(crate) fn change<R, E: From<KeptError>>(&self, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        let io = |error| KeptError::Io { file: self.file.clone(), error };
        let dir = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(io)?;
        let private = |path: &Path| OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        // Two commands at once must not lose one another's change.
        let lock = private(&self.file.with_extension("lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        let mut content = self.read_file()?;
        let changed = change(&mut content)?;
        *content.version() = *T::VERSIONS.end();
        let text = serde_json::to_vec_pretty(&content).map_err(|error| io(error.into()))?;
        let temporary = self.file.with_extension("json.tmp");
        let mut file = private(&temporary).map_err(io)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&temporary, &self.file).and_then(|()| File::open(dir)?.sync_all()).map_err(io)?;
        Ok(changed)
    }

    fn read_file(&self) -> Result<T, KeptError> {
        let file = || self.file.clone();
        let text = match fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
            Err(error) => return Err(KeptError::Io { file: file(), error }),
        };
        let mut content: T = serde_json::from_slice(&text).map_err(|error| KeptError::Form {
            file: file(),
            line: error.line(),
            remedy: T::REMEDY,
        })?;
        let (version, newest) = (*content.version(), *T::VERSIONS.end());
        if T::VERSIONS.contains(&version) {
            Ok(content)
        } else {
            Err(KeptError::Version { file: file(), version, newest })
        }
    }

    fn stamp(&self) -> Result<Stamp, KeptError> {
        match fs::metadata(&self.file) {
            Ok(meta) => Ok(Some((meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeptError::Io { file: self.file.clone(), error }),
        }
    }
}

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read or written.
    #[error("{file:?}: {error}; the data directory must be readable and writable for this user")]
    Io {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not as we write it.
    #[error("{file:?} is damaged at line {line}; {remedy}")]
    Form {
        /// Which file.
        file: PathBuf,
        /// Which line.
        line: usize,
        /// What helps.
        remedy: &'static str,
    },
    /// It is of another version.
    #[error("{file:?} has version {version}; this program reads versions up to {newest}")]
    Version {
        /// Which file.
        file: PathBuf,
        /// Its version.
        version: u32,
        /// The newest that is read.
        newest: u32,
    },
}

/// Random bytes, for secrets.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoChance> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| NoChance(error.to_string()))?;
    Ok(bytes)
}

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoChance(String);

/// Bytes as hexadecimal digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
