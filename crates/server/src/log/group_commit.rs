//! The writer with a thread: the engine's loop appends and goes on, the thread writes and syncs group after group.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::shared::{Group, Shared};
use super::writer::{AppendError, CommitError, Committer, Encoder, Writer};
use super::{Log, Position};

/// How long the thread waits before it tries a full disk again.
const FULL_RETRY: Duration = Duration::from_millis(200);

/// The one writer of a log, with group commit in the background.
///
/// A group is written as soon as the sync before it ended (and `group_window_us` is over), so a lone record waits for
/// one fdatasync, and under load records share them. Dropping it commits what was appended, as [`LogWriter::close`]
/// does, but cannot tell whether that succeeded.
pub struct LogWriter {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Result<Position, CommitError>>>,
}

struct Queue {
    inner: Mutex<Inner>,
    work: Condvar,
}

struct Inner {
    encoder: Encoder,
    in_flight_bytes: usize,
    idle: bool,
    stop: bool,
    /// Why nothing more is taken.
    poison: Option<String>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Starts the thread that commits.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn into_background(self) -> std::io::Result<LogWriter> {
        let shared = Arc::clone(&self.committer.shared);
        let inner = Inner { encoder: self.encoder, in_flight_bytes: 0, idle: false, stop: false, poison: None };
        let queue = Arc::new(Queue { inner: Mutex::new(inner), work: Condvar::new() });
        let for_thread = Arc::clone(&queue);
        let committer = self.committer;
        let window = Duration::from_micros(u64::from(shared.config.group_window_us));
        let thread = std::thread::Builder::new()
            .name("log-commit".to_owned())
            .spawn(move || run(&for_thread, committer, window))?;
        Ok(LogWriter { shared, queue, thread: Some(thread) })
    }
}

impl LogWriter {
    /// Gives the record its position and returns at once; [`super::Log::status`] tells when it is durable.
    ///
    /// # Errors
    /// [`AppendError`]; then no position was used up.
    pub fn append(&mut self, at_us: u64, payload: &[u8]) -> Result<Position, AppendError> {
        let mut inner = self.queue.lock();
        if let Some(cause) = &inner.poison {
            return Err(AppendError::Poisoned { cause: cause.clone() });
        }
        let in_flight_bytes = inner.in_flight_bytes;
        let position = inner.encoder.append(at_us, payload, in_flight_bytes)?;
        let wake = std::mem::take(&mut inner.idle);
        drop(inner);
        if wake {
            self.queue.work.notify_one();
        }
        Ok(position)
    }

    /// The last position given out, durable or not.
    #[must_use]
    pub fn appended(&self) -> Position {
        self.queue.lock().encoder.last()
    }

    /// A handle for readers, snapshots and retention.
    #[must_use]
    pub fn log(&self) -> Log {
        Log { shared: Arc::clone(&self.shared) }
    }

    /// Waits until everything appended so far is durable, for at most `timeout`; tells whether it is.
    #[must_use]
    pub fn flush(&self, timeout: Duration) -> bool {
        self.shared.wait_durable(self.appended().sequence, timeout)
    }

    /// Commits what was appended, marks the log as closed in peace and lets go of the directory.
    ///
    /// # Errors
    /// [`CommitError`]: the disk failed, or is full now.
    pub fn close(mut self) -> Result<Position, CommitError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<Position, CommitError> {
        self.queue.lock().stop = true;
        self.queue.work.notify_one();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(closed)) => closed,
            Some(Err(_)) => Err(CommitError::Poisoned { cause: "the thread that commits panicked".to_owned() }),
            None => Ok(self.shared.position(self.shared.state().durable)),
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Readers and the health of the log have been told already; there is nobody left to return it to.
            let _told = self.stop();
        }
    }
}

/// The thread. It ends when told to, or when the log is poisoned.
fn run(queue: &Queue, mut committer: Committer, window: Duration) -> Result<Position, CommitError> {
    let mut last_began = None;
    while let Some(group) = next_group(queue, window, last_began) {
        last_began = Some(Instant::now());
        let group = Arc::new(group);
        loop {
            match committer.commit(&group) {
                Ok(()) => break,
                Err(error @ CommitError::DiskFull(_)) => wait_for_room(queue, error)?,
                Err(CommitError::Poisoned { cause }) => {
                    queue.lock().poison = Some(cause.clone());
                    return Err(CommitError::Poisoned { cause });
                }
            }
        }
        queue.lock().in_flight_bytes = 0;
    }
    committer.mark()?;
    Ok(committer.durable())
}

/// Waits for records, then for the window since the last group began, and takes what there is; `None` to stop.
fn next_group(queue: &Queue, window: Duration, last_began: Option<Instant>) -> Option<Group> {
    let mut inner = queue.lock();
    while inner.encoder.is_empty() {
        if inner.stop {
            return None;
        }
        inner.idle = true;
        inner = queue.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
    }
    inner.idle = false;
    let left = window.saturating_sub(last_began.map_or(window, |began: Instant| began.elapsed()));
    if !left.is_zero() {
        let (waited, _) =
            queue.work.wait_timeout_while(inner, left, |inner| !inner.stop).unwrap_or_else(PoisonError::into_inner);
        inner = waited;
    }
    let group = inner.encoder.take()?;
    inner.in_flight_bytes = group.bytes.len();
    Some(group)
}

/// A full disk is tried again and again, but not after the log was told to stop.
fn wait_for_room(queue: &Queue, error: CommitError) -> Result<(), CommitError> {
    let (inner, _) = queue
        .work
        .wait_timeout_while(queue.lock(), FULL_RETRY, |inner| !inner.stop)
        .unwrap_or_else(PoisonError::into_inner);
    if inner.stop { Err(error) } else { Ok(()) }
}
