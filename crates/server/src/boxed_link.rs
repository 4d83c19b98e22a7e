//! What drives a built-in switch: its timers, its orders, and what people and the network do around it. No socket.

use std::sync::Arc;

use cordboard_core::Time;
use cordboard_switches::boxed::{Boxed, Happening};
use cordboard_switches::centre::Centre;
use cordboard_switches::{Output, Switch};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::engine::orders::Inbox;
use crate::engine::work::Work;
use crate::sources::Sources;
use crate::switch_link::{Gone, sleep};

/// Happenings that wait for the link; whoever brings more waits.
const HAPPENINGS_MAX: usize = 256;

/// A switch that lives in here, with people around it who do things.
pub trait BuiltIn: Switch {
    /// Something happens around it. Gives the key of the call it began.
    ///
    /// # Errors
    /// Why it cannot happen, in words for people.
    fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String>;
}

impl BuiltIn for Boxed {
    fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        Self::happen(self, now, happening)
    }
}

impl BuiltIn for Centre {
    fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        Self::happen(self, now, happening)
    }
}

/// One link, before it runs.
pub struct BoxedLink {
    /// The configured name of the switch.
    pub name: String,
    /// The switch.
    pub switch: Box<dyn BuiltIn>,
    /// Where observations go.
    pub work: mpsc::Sender<Work>,
    /// What it is to do.
    pub orders: Inbox,
    /// What happens around it.
    pub happenings: Happenings,
    /// What is known of the sources.
    pub sources: Arc<Sources>,
    /// Time.
    pub clock: Clock,
}

/// Lets things happen around a built-in switch. Clones do so at the same one.
#[derive(Clone, Debug)]
pub struct Hand {
    happenings: mpsc::Sender<Happens>,
}

/// The other end of a hand, for the link.
#[derive(Debug)]
pub struct Happenings(mpsc::Receiver<Happens>);

#[derive(Debug)]
struct Happens {
    happening: Happening,
    answer: oneshot::Sender<Result<Option<String>, String>>,
}

/// A hand, and what the link needs to see what it does.
#[must_use]
pub fn hand() -> (Hand, Happenings) {
    let (happenings, received) = mpsc::channel(HAPPENINGS_MAX);
    (Hand { happenings }, Happenings(received))
}

impl Hand {
    /// Lets it happen. When this returns, the loop has been sent everything that the switch says of it. Gives the key of
    /// the call it began.
    ///
    /// # Errors
    /// Why it cannot happen.
    pub async fn happen(&self, happening: Happening) -> Result<Option<String>, HappenError> {
        let (answer, answered) = oneshot::channel();
        self.happenings.send(Happens { happening, answer }).await.map_err(|_| HappenError::Gone)?;
        answered.await.map_err(|_| HappenError::Gone)?.map_err(HappenError::Cannot)
    }
}

/// Why something does not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HappenError {
    /// The switch says why.
    #[error("{0}")]
    Cannot(String),
    /// The switch does not run.
    #[error("the switch does not run any more")]
    Gone,
}

impl BoxedLink {
    /// Runs until `stop` is true or nobody takes observations any more.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        self.sources.connecting(&self.name);
        self.switch.handle_timeout(self.clock.now());
        let mut watched = true;
        loop {
            let now = self.clock.now();
            self.sources.set_counts(&self.name, self.switch.counts(), Some(now));
            if self.drain().await.is_err() {
                return;
            }
            let due = self.switch.poll_timeout().map(|due| self.clock.until(due));
            tokio::select! {
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return,
                (order, deadline) = self.orders.next() => {
                    let now = self.clock.now();
                    if now < deadline {
                        self.switch.handle_order(now, &order);
                    }
                }
                happens = self.happenings.0.recv(), if watched => match happens {
                    Some(Happens { happening, answer }) => {
                        let result = self.switch.happen(self.clock.now(), &happening);
                        if self.drain().await.is_err() {
                            return;
                        }
                        // Who went away meanwhile needs no answer.
                        _ = answer.send(result);
                    }
                    None => watched = false,
                },
                () = sleep(due) => {}
            }
            // Orders and happenings must not keep timers waiting.
            let now = self.clock.now();
            if self.switch.poll_timeout().is_some_and(|due| due <= now) {
                self.switch.handle_timeout(now);
            }
        }
    }

    async fn drain(&mut self) -> Result<(), Gone> {
        while let Some(wanted) = self.switch.poll_output() {
            match wanted {
                Output::Observed(observation) => self.work.send(observation.into()).await.map_err(|_| Gone)?,
                Output::Note(note) => tracing::info!(switch = self.name, "{note}"),
                // There is no socket to do this with.
                Output::Connect | Output::Send(_) | Output::Close(_) => {}
            }
        }
        Ok(())
    }
}
