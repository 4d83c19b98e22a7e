//! Call records: what happened to a call, in plain numbers, folded from its events.
//!
//! Talk time is the time the calling outside party (within the house: the calling party) talked with people: two parties
//! of the call are connected, and none of ours has it on hold. Hold, queues and consultations do not count.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::call::LegState;
use crate::event::{
    CallFact, Cause, DequeueReason, Direction, Event, Fact, LegFact, Origin, Outcome, Party, Role, SuperviseMode,
    TransferKind, With,
};
use crate::ids::{CallId, ConnId, LegId, ThreadId, Time};
use crate::world::World;

/// What happened to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// What applications call it.
    pub conn: ConnId,
    /// The thread it was born into.
    pub thread: ThreadId,
    /// Where it went.
    pub direction: Direction,
    /// Calling number.
    pub ani: String,
    /// Called number.
    pub dnis: String,
    /// When it began.
    pub started: Time,
    /// When a person answered (within the house: or the switch), where that was heard.
    pub answered: Option<Time>,
    /// Who answered: agent, device or number, `conference:<room>`, or `system`.
    pub answered_by: Option<String>,
    /// Whether it was found answered, so that the time is not known.
    pub answer_not_heard: bool,
    /// When it ended.
    pub ended: Option<Time>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// Why it ended.
    pub cause: Option<Cause>,
    /// Who hung up, as device or number; none for the switch.
    pub hung_up_by: Option<HungUp>,
    /// Whether it was in a menu of the switch.
    pub ivr: bool,
    /// Queues it waited in.
    pub queues: Vec<QueueVisit>,
    /// Microseconds its parties talked.
    pub talk_us: u64,
    /// Times our parties held it: device, from, to.
    pub holds: Vec<(String, Time, Option<Time>)>,
    /// Hand-overs.
    pub transfers: Vec<TransferRecord>,
    /// Whether more than two took part.
    pub conference: bool,
    /// Supervisors: device, mode, from, to.
    pub supervised: Vec<(String, SuperviseMode, Time, Option<Time>)>,
    /// Recordings: file, from, to.
    pub recordings: Vec<(String, Time, Option<Time>)>,
    /// Legs, in order of appearance.
    pub legs: Vec<LegRecord>,
    on_line: BTreeMap<LegId, OnLine>,
    talking_since: Option<Time>,
    room: Option<String>,
    others_in_room: usize,
    had_outside: bool,
}

/// Who ended a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HungUp {
    /// The party that called.
    Caller,
    /// Our own party of a call to the outside.
    Agent,
    /// A called party, by device or number.
    Called(String),
}

/// One wait in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueVisit {
    /// The queue.
    pub queue: String,
    /// When it was entered.
    pub entered: Time,
    /// When it was left.
    pub left: Option<Time>,
    /// Why.
    pub reason: Option<DequeueReason>,
}

/// One hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRecord {
    /// How.
    pub kind: TransferKind,
    /// By which device.
    pub by: String,
    /// To which number.
    pub to: String,
    /// When.
    pub at: Time,
    /// Whether the target talked with the party handed on.
    pub completed: bool,
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegRecord {
    /// Which.
    pub id: LegId,
    /// Device or outside number.
    pub number: String,
    /// Part it played.
    pub role: Role,
    /// When it was alerted or began to call.
    pub began: Time,
    /// When it was answered.
    pub answered: Option<Time>,
    /// When it ended or moved to another call.
    pub ended: Option<Time>,
    /// Why.
    pub cause: Option<Cause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OnLine {
    state: LegState,
    outside: bool,
}

/// Folds events into call records. Give it every event of a tenant, each after [`crate::evolve`].
#[derive(Debug, Default)]
pub struct Recorder {
    open: BTreeMap<CallId, CallRecord>,
}

impl Recorder {
    /// Takes one event in; `world` is the one after it. Gives the record of a call that ended with it.
    pub fn note(&mut self, world: &World, event: &Event) -> Option<(CallId, CallRecord)> {
        let at = event.since.unwrap_or(event.at);
        // What a comparison with the switch finds happened at a time nobody heard.
        let found = event.origin == Origin::Synthesised;
        let (id, ended) = match &event.fact {
            Fact::Call { call, fact } => (*call, self.call(world, *call, at, found, fact)),
            Fact::Leg { call, leg, fact } => {
                self.leg(world, *call, *leg, at, found, fact);
                (*call, None)
            }
            Fact::Agent { .. }
            | Fact::Founded { .. }
            | Fact::Switch { .. }
            | Fact::Device { .. }
            | Fact::Request { .. }
            | Fact::Client { .. }
            | Fact::Queue { .. }
            | Fact::User { .. }
            | Fact::List { .. }
            | Fact::Callback { .. }
            | Fact::Alert { .. } => return None,
        };
        let record = ended.as_ref().map(|(_, record)| record).or(self.open.get(&id));
        if let Some(room) = record.and_then(|record| record.room.clone()) {
            self.settle_room(&room, at);
        }
        ended
    }

    /// Who is in a room talks with everybody there, also with parties of other calls.
    fn settle_room(&mut self, room: &str, at: Time) {
        let here = |record: &&CallRecord| record.room.as_deref() == Some(room);
        let all: usize = self.open.values().filter(here).map(CallRecord::speakers).sum();
        for record in self.open.values_mut().filter(|record| record.room.as_deref() == Some(room)) {
            record.others_in_room = all - record.speakers();
            record.settle(at);
        }
    }

    /// Records of calls still under way.
    #[must_use]
    pub fn into_open(self) -> BTreeMap<CallId, CallRecord> {
        self.open
    }

    fn call(
        &mut self,
        world: &World,
        id: CallId,
        at: Time,
        found: bool,
        fact: &CallFact,
    ) -> Option<(CallId, CallRecord)> {
        if let CallFact::Began(began) = fact {
            let record = CallRecord {
                conn: began.conn,
                thread: began.thread,
                direction: began.direction,
                ani: began.ani.clone(),
                dnis: began.dnis.clone(),
                started: at,
                answered: None,
                answered_by: None,
                answer_not_heard: false,
                ended: None,
                outcome: None,
                cause: None,
                hung_up_by: None,
                ivr: false,
                queues: Vec::new(),
                talk_us: 0,
                holds: Vec::new(),
                transfers: Vec::new(),
                conference: false,
                supervised: Vec::new(),
                recordings: Vec::new(),
                legs: Vec::new(),
                on_line: BTreeMap::new(),
                talking_since: None,
                room: None,
                others_in_room: 0,
                had_outside: false,
            };
            self.open.insert(id, record);
            return None;
        }
        let record = self.open.get_mut(&id)?;
        match fact {
            CallFact::Described { ani, dnis, direction } => {
                record.ani.clone_from(ani);
                record.dnis.clone_from(dnis);
                record.direction = *direction;
            }
            CallFact::IvrEntered { .. } => record.ivr = true,
            CallFact::Queued { queue, .. } => {
                record.queues.push(QueueVisit { queue: queue.clone(), entered: at, left: None, reason: None });
            }
            CallFact::Dequeued { queue, reason, .. } => {
                // Said of a queue that nobody heard it enter: nothing to close.
                _ = record.leave_queue(queue, at, *reason);
            }
            CallFact::Transferred(transfer) => record.transfers.push(TransferRecord {
                kind: transfer.kind,
                by: transfer.by.clone(),
                to: transfer.to.clone(),
                at,
                completed: false,
            }),
            CallFact::TransferCompleted { .. } => {
                if let Some(transfer) = record.transfers.last_mut() {
                    transfer.completed = true;
                }
                record.close_holds(at);
            }
            CallFact::Conferenced { room, .. } => {
                record.conference = true;
                record.room.clone_from(room);
                if let (Some(room), None | Some("system")) = (room, record.answered_by.as_deref()) {
                    // Who was called into the room answered; who called the room was answered by it.
                    let called =
                        record.legs.iter().find(|leg| leg.role == Role::Originator && leg.number == record.dnis);
                    record.answered_by =
                        Some(called.map_or_else(|| alloc::format!("conference:{room}"), |leg| leg.number.clone()));
                    record.answered.get_or_insert(at);
                    record.answer_not_heard |= found;
                }
            }
            CallFact::RecordingStarted { file } => record.recordings.push((file.clone(), at, None)),
            CallFact::RecordingStopped => close(record.recordings.last_mut().map(|(_, _, to)| to), at),
            CallFact::SupervisionBegan { by, mode } => record.supervised.push((by.clone(), *mode, at, None)),
            CallFact::SupervisionEnded { by } => {
                close(record.supervised.iter_mut().rev().find(|(who, ..)| who == by).map(|(_, _, _, to)| to), at);
            }
            CallFact::Ended { outcome, cause, by } => {
                record.end(world, id, at, *outcome, *cause, by.as_deref());
                return self.open.remove(&id).map(|record| (id, record));
            }
            CallFact::QueueTaken { queue, from } => {
                // A route point is no queue: nobody waited there for an agent.
                let waited =
                    self.open.get_mut(from).is_some_and(|from| from.leave_queue(queue, at, DequeueReason::TakenOver));
                if waited && let Some(record) = self.open.get_mut(&id) {
                    record.queues.push(QueueVisit { queue: queue.clone(), entered: at, left: None, reason: None });
                }
            }
            CallFact::Began(_)
            | CallFact::AlsoKnownAs { .. }
            | CallFact::UserDataChanged { .. }
            | CallFact::RouteRequested { .. }
            | CallFact::Routed { .. }
            | CallFact::TreatmentApplied { .. }
            | CallFact::TreatmentEnded { .. }
            | CallFact::TreatmentRefused { .. }
            | CallFact::TargetRefused { .. }
            | CallFact::Detected { .. }
            | CallFact::SupervisionChanged { .. }
            | CallFact::UserDataSet { .. }
            | CallFact::IvrLeft
            | CallFact::ThreadJoined { .. }
            | CallFact::RecordingPaused
            | CallFact::RecordingResumed => {}
        }
        None
    }

    fn leg(&mut self, world: &World, call: CallId, leg: LegId, at: Time, found: bool, fact: &LegFact) {
        if let LegFact::Moved { to } = fact {
            return self.moved(world, call, leg, *to, at);
        }
        let Some(record) = self.open.get_mut(&call) else { return };
        match fact {
            LegFact::Dialing(party) => record.arrive(leg, at, party, LegState::Dialing),
            LegFact::Ringing(party) => record.arrive(leg, at, party, LegState::Ringing),
            LegFact::Answered { with, party } => {
                if let Some(party) = party {
                    record.arrive(leg, at, party, LegState::Connected);
                }
                record.answer(world, leg, at, *with, found);
            }
            LegFact::Held => {
                record.set(leg, LegState::Held, at);
                let holder = record.legs.iter().find(|known| known.id == leg).map(|known| known.number.clone());
                if let (Some(holder), Some(false)) = (holder, record.on_line.get(&leg).map(|line| line.outside)) {
                    record.holds.push((holder, at, None));
                }
            }
            LegFact::Retrieved => {
                record.set(leg, LegState::Connected, at);
                record.close_hold(leg, at);
            }
            LegFact::Parked { by, .. } => {
                record.set(leg, LegState::Parked, at);
                if record.answered_by.as_deref().is_none_or(|by| by == "system") {
                    record.answered_by = Some(by.clone());
                    record.answer_not_heard = true;
                }
            }
            LegFact::Unparked { .. } => record.set(leg, LegState::Connected, at),
            LegFact::Ended { cause, .. } => record.leave(leg, at, *cause),
            LegFact::NetworkReached
            | LegFact::Bridged
            | LegFact::Muted
            | LegFact::Unmuted
            | LegFact::Deafened { .. }
            | LegFact::Undeafened { .. }
            | LegFact::Moved { .. } => {}
        }
    }

    fn moved(&mut self, world: &World, from: CallId, leg: LegId, to: CallId, at: Time) {
        let Some(record) = self.open.get_mut(&from) else { return };
        let line = record.on_line.get(&leg).copied();
        let known = record.legs.iter().find(|known| known.id == leg).cloned();
        record.leave(leg, at, Cause::Merged);
        if let (Some(record), Some(line), Some(known)) = (self.open.get_mut(&to), line, known) {
            record.legs.push(LegRecord { role: Role::Destination, ended: None, cause: None, ..known.clone() });
            record.had_outside |= line.outside;
            record.on_line.insert(leg, line);
            record.settle(at);
            if line.state == LegState::Connected && record.answered.is_none() {
                record.answered = Some(at);
                record.answered_by = Some(person(world, &known.number));
            }
        }
    }
}

impl CallRecord {
    /// Whether it waited there.
    fn leave_queue(&mut self, queue: &str, at: Time, reason: DequeueReason) -> bool {
        let visit = self.queues.iter_mut().rev().find(|visit| visit.queue == queue && visit.left.is_none());
        let waited = visit.is_some();
        if let Some(visit) = visit {
            (visit.left, visit.reason) = (Some(at), Some(reason));
        }
        waited
    }

    /// Microseconds of waiting for the first answer: since the first queue where there was one before it, else since the
    /// beginning. Without an answer: in queues, or until the end.
    #[must_use]
    pub fn wait_us(&self) -> u64 {
        let before = |visit: &&QueueVisit| self.answered.is_none_or(|answered| visit.entered <= answered);
        if !self.queues.iter().any(|visit| before(&visit)) {
            let until = self.answered.or(self.ended).unwrap_or(self.started);
            return until.micros_since(self.started);
        }
        if let (Some(answered), Some(first)) = (self.answered, self.queues.first()) {
            return answered.micros_since(first.entered);
        }
        let waited =
            |visit: &QueueVisit| visit.left.or(self.ended).unwrap_or(visit.entered).micros_since(visit.entered);
        self.queues.iter().filter(before).map(waited).sum()
    }

    fn arrive(&mut self, id: LegId, at: Time, party: &Party, state: LegState) {
        if !self.legs.iter().any(|known| known.id == id) {
            let number = if party.outside { party.number.clone() } else { party.device.clone() };
            self.legs.push(LegRecord {
                id,
                number,
                role: party.role,
                began: at,
                answered: None,
                ended: None,
                cause: None,
            });
        }
        self.had_outside |= party.outside;
        self.on_line.insert(id, OnLine { state, outside: party.outside });
        self.settle(at);
    }

    fn answer(&mut self, world: &World, id: LegId, at: Time, with: With, found: bool) {
        let Some(leg) = self.legs.iter_mut().find(|known| known.id == id) else { return };
        leg.answered.get_or_insert(at);
        let (role, number) = (leg.role, leg.number.clone());
        let by = match with {
            With::Person if role == Role::Destination => Some(person(world, &number)),
            With::System if self.direction != Direction::Inbound => Some("system".to_string()),
            With::Person | With::System | With::Conference => None,
        };
        let open = self.answered_by.as_deref().is_none_or(|by| by == "system");
        if let Some(by) = by.filter(|_| open) {
            self.answer_not_heard = found;
            self.answered = Some(at);
            self.answered_by = Some(by);
        }
        self.set(id, LegState::Connected, at);
    }

    fn set(&mut self, id: LegId, state: LegState, at: Time) {
        if let Some(line) = self.on_line.get_mut(&id) {
            line.state = state;
        }
        self.settle(at);
    }

    fn leave(&mut self, id: LegId, at: Time, cause: Cause) {
        self.on_line.remove(&id);
        self.settle(at);
        // Who is handed on before the target answered goes on waiting.
        let waits = cause == Cause::Transferred
            && self
                .transfers
                .last()
                .is_some_and(|transfer| transfer.kind == TransferKind::Attended && !transfer.completed);
        if !waits {
            self.close_hold(id, at);
        }
        if let Some(leg) = self.legs.iter_mut().find(|known| known.id == id && known.ended.is_none()) {
            leg.ended = Some(at);
            leg.cause = Some(cause);
        }
    }

    fn close_holds(&mut self, at: Time) {
        for (_, _, to) in &mut self.holds {
            to.get_or_insert(at);
        }
    }

    fn close_hold(&mut self, id: LegId, at: Time) {
        let Some(holder) = self.legs.iter().find(|known| known.id == id).map(|known| known.number.clone()) else {
            return;
        };
        close(self.holds.iter_mut().rev().find(|(who, _, to)| *who == holder && to.is_none()).map(|(_, _, to)| to), at);
    }

    fn speakers(&self) -> usize {
        self.on_line.values().filter(|line| speaks(line)).count()
    }

    fn settle(&mut self, at: Time) {
        let speakers = self.speakers();
        // Of a call with the outside, the time counts that somebody outside talks.
        let heard = !self.had_outside || self.on_line.values().any(|line| line.outside && speaks(line));
        let talking = heard && speakers > 0 && speakers + self.others_in_room > 1;
        match (talking, self.talking_since) {
            (true, None) => self.talking_since = Some(at),
            (false, Some(since)) => {
                self.talk_us = self.talk_us.saturating_add(at.micros_since(since));
                self.talking_since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn end(&mut self, world: &World, id: CallId, at: Time, outcome: Outcome, cause: Cause, by: Option<&str>) {
        self.on_line.clear();
        self.others_in_room = 0;
        self.settle(at);
        self.close_holds(at);
        self.ended = Some(at);
        self.outcome = Some(outcome);
        self.cause = Some(cause);
        for (_, _, to) in &mut self.recordings {
            to.get_or_insert(at);
        }
        for (_, _, _, to) in &mut self.supervised {
            to.get_or_insert(at);
        }
        let role = world.calls.get(&id).and_then(|call| call.hung_up_by.as_ref()).map(|(_, _, role)| *role);
        self.hung_up_by = match (by, role, self.direction) {
            (None, _, _) => None,
            (Some(_), Some(Role::Originator), Direction::Inbound | Direction::Internal) => Some(HungUp::Caller),
            (Some(by), Some(Role::Originator), Direction::Outbound) if world.devices.contains_key(by) => {
                Some(HungUp::Agent)
            }
            (Some(by), _, _) => Some(HungUp::Called(by.to_string())),
        };
    }
}

/// An outside party that presses hold itself stays in conversation as far as we can tell.
fn speaks(line: &OnLine) -> bool {
    line.state == LegState::Connected || (line.state == LegState::Held && line.outside)
}

/// The agent at a device, or the device or number itself.
fn person(world: &World, number: &str) -> String {
    world.agent_on(number).unwrap_or(number).to_string()
}

fn close(open: Option<&mut Option<Time>>, at: Time) {
    if let Some(open) = open {
        open.get_or_insert(at);
    }
}
