//! Many clients of the hub, in a process of their own: this program, started once more.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::house::Person;
use super::process;
use crate::cli::Failure;

/// What the process is told first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    /// Where the server is.
    pub(super) address: std::net::SocketAddr,
    /// The JWT; it comes by a pipe, where no list of processes shows it.
    pub(super) token: String,
    /// How many connections.
    pub(super) connections: usize,
    /// What they speak.
    pub(super) protocol: String,
    /// What each subscribes to; none for nothing.
    pub(super) everybody: Option<Wanted>,
    /// What one more connection subscribes to, which can be stalled; none for no such connection.
    pub(super) one_more: Option<Wanted>,
}

/// A subscription.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// Whose.
    pub(super) entity: String,
    /// Which event.
    pub(super) event: String,
}

impl Wanted {
    /// The settings of somebody.
    pub(super) fn settings_of(person: Person) -> Wanted {
        Wanted { entity: person.guid().to_string(), event: "UserSetting".to_owned() }
    }
}

/// What the process is asked for afterwards, one JSON text a line; every one is answered by a [`Told`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// Only how much came.
    Count,
    /// That, and how late, since this was asked last.
    Times,
    /// The one more stops reading.
    Stall,
}

/// How it is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// Messages that came in all, those for the one more not counted.
    pub(super) delivered: u64,
    /// Connections that ended, of those that should not.
    pub(super) lost: u64,
    /// How long connecting took, in milliseconds.
    pub(super) connect_ms: u64,
    /// How late half of the messages came, in microseconds, from before the change was asked for.
    pub(super) p50_us: u64,
    /// How late 99 of 100 came at the most.
    pub(super) p99_us: u64,
    /// How late the last came.
    pub(super) max_us: u64,
}

/// That process. It ends with this.
pub(super) struct Crowd {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Crowd {
    /// Starts it; returns once all are connected and subscribed.
    pub(super) fn start(orders: &Orders) -> Result<(Crowd, Told), Failure> {
        let program = std::env::current_exe().map_err(Failure::failed)?;
        let mut command = Command::new(program);
        let command = command.args(["bench", "crowd"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Failure::failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| Failure::failed("the crowd has no pipes"))?;
        let mut crowd = Crowd { child, orders: Some(stdin), answers: BufReader::new(stdout).lines() };
        let told = crowd.exchange(orders)?;
        Ok((crowd, told))
    }

    /// Asks it something.
    pub(super) fn ask(&mut self, question: Question) -> Result<Told, Failure> {
        self.exchange(&question)
    }

    /// How long it has computed.
    pub(super) fn cpu_s(&self) -> Result<f64, Failure> {
        process::cpu_s(&self.child.id().to_string())
    }

    /// The server works on meanwhile, on the other threads of the runtime.
    fn exchange(&mut self, what: &impl Serialize) -> Result<Told, Failure> {
        tokio::task::block_in_place(|| {
            let mut line = serde_json::to_string(what).map_err(Failure::failed)?;
            line.push('\n');
            if let Some(orders) = &mut self.orders {
                orders.write_all(line.as_bytes()).and_then(|()| orders.flush()).map_err(Failure::failed)?;
            }
            let answer = self.answers.next().transpose().map_err(Failure::failed)?;
            // What went wrong it has written to standard error itself.
            let answer = answer.ok_or_else(|| Failure::failed("the crowd has ended"))?;
            serde_json::from_str(&answer).map_err(Failure::failed)
        })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // At the end of its orders it ends by itself.
        self.orders = None;
        _ = self.child.wait();
    }
}
