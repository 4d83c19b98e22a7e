//! The connector to one Asterisk: session and picture behind the trait of all switches.

use std::collections::VecDeque;

use cordboard_core::{Order, Time};

use super::order_settings::OrderSettings;
use super::ordered::Ordered;
use super::picture::Picture;
use super::session::{CloseReason, Output as SessionOutput, Phase, Session};
use super::session_config::{SessionConfig, keep_variables};
use super::settings::PictureSettings;
use super::snapshot::Tagged;
use crate::{Counts, Output, Switch};

/// A connector to one Asterisk.
#[derive(Debug)]
pub struct Asterisk {
    session: Session,
    picture: Picture,
    out: VecDeque<Output>,
    snapshots: u64,
    connected: bool,
}

impl Asterisk {
    /// A connector that has not begun to connect: [`Switch::handle_timeout`] begins. `session` says how the connection is
    /// kept, `picture` how Asterisk is read, `orders` how requests are carried out. `chance` comes from outside: it makes our ActionIDs ours alone, and spreads
    /// reconnects of many sites.
    #[must_use]
    pub fn new(mut session: SessionConfig, picture: PictureSettings, orders: OrderSettings, chance: u64) -> Self {
        let mut wanted: Vec<&str> = vec!["QUEUESTATUS"];
        wanted.extend(picture.user_data.iter().map(String::as_str));
        // Where the filter does not fit into a line, variables that nobody wants are passed over here.
        session.filters.extend(keep_variables(&wanted));
        let prefix = format!("cb-{chance:016x}-");
        let mut picture = Picture::new(picture);
        picture.ordered = Ordered::new(orders, prefix.clone());
        Self {
            session: Session::new(session, prefix, chance),
            picture,
            out: VecDeque::new(),
            snapshots: 0,
            connected: false,
        }
    }

    fn drain(&mut self, now: Time) {
        self.send_orders(now);
        while let Some(output) = self.session.poll_output() {
            match output {
                SessionOutput::Connect => self.out.push_back(Output::Connect),
                SessionOutput::Send(bytes) => self.out.push_back(Output::Send(bytes)),
                SessionOutput::Deliver(tagged) => {
                    if tagged == Tagged::SnapshotComplete {
                        self.snapshots += 1;
                        self.connected = true;
                    }
                    self.picture.handle_tagged(now, &tagged);
                    self.picture.answer_orders(now, &tagged);
                    self.send_orders(now);
                }
                SessionOutput::Phase(phase) => self.note(phase),
                SessionOutput::Close(reason) => self.close(now, reason),
            }
        }
        self.observe();
    }

    fn send_orders(&mut self, now: Time) {
        while let Some((request, action)) = self.picture.ordered.next_action() {
            let id = self.session.send_action(now.0, &action);
            self.picture.ordered.sent(request, &action, id);
        }
        self.picture.settle_orders(now);
    }

    fn observe(&mut self) {
        while let Some(observation) = self.picture.poll() {
            self.out.push_back(Output::Observed(observation));
        }
    }

    fn note(&mut self, phase: Phase) {
        let text = match phase {
            Phase::Live => "live".to_string(),
            Phase::BackingOff { attempt, why, .. } if why.needs_a_person() => {
                format!("{why}; somebody must look at it (attempt {attempt})")
            }
            Phase::BackingOff { attempt, why, .. } => format!("{why}; trying again (attempt {attempt})"),
            Phase::Idle
            | Phase::Connecting
            | Phase::Banner
            | Phase::Challenge
            | Phase::Login
            | Phase::Booting
            | Phase::Filters
            | Phase::Snapshot
            | Phase::Closing => return,
        };
        self.out.push_back(Output::Note(text));
    }

    fn close(&mut self, now: Time, reason: CloseReason) {
        self.picture.orders_cut_off(now, &reason.to_string());
        if std::mem::take(&mut self.connected) {
            self.picture.handle_closed(now, &reason.to_string());
        }
        self.out.push_back(Output::Close(reason.to_string()));
    }
}

impl Switch for Asterisk {
    fn handle_connected(&mut self, now: Time) {
        self.session.handle_connected(now.0);
        self.drain(now);
    }

    fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.session.handle_bytes(now.0, bytes);
        self.drain(now);
    }

    fn handle_closed(&mut self, now: Time, _reason: &str) {
        // Whether it could not be opened or broke off, the session knows by its phase.
        self.session.handle_connect_failed(now.0);
        self.session.handle_closed(now.0);
        self.drain(now);
    }

    fn handle_order(&mut self, now: Time, order: &Order) {
        self.picture.order(now, order);
        self.drain(now);
    }

    fn handle_timeout(&mut self, now: Time) {
        self.session.start(now.0);
        self.session.handle_timeout(now.0);
        self.picture.handle_timeout(now);
        self.drain(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        if self.session.phase() == Phase::Idle {
            return Some(Time(0));
        }
        [self.session.poll_timeout().map(|(at, _)| Time(at)), self.picture.poll_timeout()].into_iter().flatten().min()
    }

    fn counts(&self) -> Counts {
        let stats = self.session.stats();
        Counts {
            messages: stats.messages,
            ignored: self.picture.ignored(),
            malformed: stats.malformed,
            resyncs: self.snapshots.saturating_sub(1),
            repaired: self.picture.repaired(),
            heartbeat_us: stats.round_trip_us.unwrap_or(0),
        }
    }
}
