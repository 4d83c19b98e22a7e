//! The publisher without a broker lives through what brokers and processes do to it: a pretended store, a pretended
//! broker, and lives by chance. However it goes, in the end each key is in the broker as it is in the store.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use cordboard_kafka::batch::{BatchBuilder, NewRecord};
use cordboard_kafka::partitioner::partition;
use proptest::prelude::*;

use super::account::Lane;
use super::kept::KeptTopic;
use super::resume::{Anew, Course, Ends, Found, Plan, begin_anew, plan};
use super::walk::{MessageId, Source, SourceError, Walk};
use crate::log::Position;

const KEYS: u8 = 5;

/// What happens.
#[derive(Clone, Debug)]
enum Happening {
    /// The store gets so many records; each is of a key.
    Tell(Vec<u8>),
    /// The publisher sends so many.
    Send(u8),
    /// A partition of the broker writes so many of those that were sent to it.
    Write { lane: u8, records: u8 },
    /// It acknowledges so many of those that it wrote, and says where they are, or not.
    Acknowledge { lane: u8, records: u8, says_where: bool },
    /// Somebody else writes into it.
    Foreign { lane: u8 },
    /// How far it is, is written down.
    Keep,
    /// The process is killed; of what was sent to each partition so many are still written. Then it starts again.
    Crash { still_written: u8 },
    /// The same, and the store has another partition from then on.
    MoreSlots,
    /// The same, and the topic has another partition from then on.
    MoreLanes,
    /// The topic is deleted and made anew while the process is down.
    Deleted,
    /// The file with what was kept is gone, and the process starts again.
    Forgotten,
    /// The store drops the oldest records of what was acknowledged long ago.
    Retained { slot: u8 },
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        6 => prop::collection::vec(0..KEYS, 1..8).prop_map(Happening::Tell),
        8 => (1u8..12).prop_map(Happening::Send),
        8 => (0u8..8, 1u8..8).prop_map(|(lane, records)| Happening::Write { lane, records }),
        8 => (0u8..8, 1u8..8, prop::bool::weighted(0.9))
            .prop_map(|(lane, records, says_where)| Happening::Acknowledge { lane, records, says_where }),
        2 => (0u8..8).prop_map(|lane| Happening::Foreign { lane }),
        3 => Just(Happening::Keep),
        3 => (0u8..8).prop_map(|still_written| Happening::Crash { still_written }),
        1 => Just(Happening::MoreSlots),
        1 => Just(Happening::MoreLanes),
        1 => Just(Happening::Deleted),
        1 => Just(Happening::Forgotten),
        1 => (0u8..8).prop_map(|slot| Happening::Retained { slot }),
    ];
    prop::collection::vec(one, 1..120)
}

#[derive(Clone, Debug)]
struct Told {
    sequence: u64,
    key: u8,
}

#[derive(Debug, Default)]
struct Slot {
    start: usize,
    records: Vec<Told>,
}

/// A store; partitions can be added, and the oldest records dropped.
#[derive(Clone, Debug, Default)]
struct Store(Rc<RefCell<Vec<Slot>>>);

impl Source for Store {
    fn start(&self, slot: usize) -> i64 {
        self.0.borrow()[slot].start as i64
    }

    fn end(&self, slot: usize) -> i64 {
        self.0.borrow()[slot].records.len() as i64
    }

    fn read(&self, slot: usize, from: i64) -> Result<Bytes, SourceError> {
        let slots = self.0.borrow();
        let slot = &slots[slot];
        if from < slot.start as i64 {
            return Err(SourceError::Gone { start: slot.start as i64 });
        }
        // Batches of three, the first of which may begin before the record that is asked for.
        let mut bytes = Vec::new();
        for base in (0..slot.records.len()).step_by(3).filter(|base| base + 3 > from as usize).take(2) {
            let mut builder = BatchBuilder::new(base as i64);
            for told in slot.records[base..].iter().take(3) {
                let (id, position) = (id(told.sequence), format!("1-{}", told.sequence));
                let id = uuid::Uuid::from_u128(id.0).to_string();
                let headers = [("position", position.as_bytes()), ("event-id", id.as_bytes())];
                builder.push(&NewRecord { timestamp_ms: 1, key: &[told.key], value: b"", headers: &headers });
            }
            bytes.extend_from_slice(&builder.take().unwrap());
        }
        Ok(Bytes::from(bytes))
    }
}

fn id(sequence: u64) -> MessageId {
    MessageId(u128::from(sequence) << 64 | 7)
}

/// A partition of the broker: what is on its way, what is written, and how many of these are acknowledged.
#[derive(Debug, Default)]
struct BrokerLane {
    coming: VecDeque<(u64, Told)>,
    /// The number when it was written, and whose it is; none is somebody else's.
    log: Vec<(u64, Option<Told>)>,
    to_acknowledge: VecDeque<(u64, i64)>,
}

struct Life {
    store: Store,
    lanes: Vec<BrokerLane>,
    kept: Option<KeptTopic>,
    course: Option<Course<Store>>,
    told: u64,
    written: u64,
    /// Of each key: what must be in the broker.
    wanted: BTreeMap<u8, Vec<u64>>,
}

impl Life {
    fn new() -> Self {
        let store = Store::default();
        store.0.borrow_mut().extend([Slot::default(), Slot::default()]);
        let lanes = (0..3).map(|_| BrokerLane::default()).collect();
        let mut life = Self { store, lanes, kept: None, course: None, told: 0, written: 0, wanted: BTreeMap::new() };
        life.start();
        life
    }

    fn happens(&mut self, happening: &Happening) {
        let lanes = self.lanes.len();
        match happening {
            Happening::Tell(keys) => keys.iter().for_each(|key| self.tell(*key)),
            Happening::Send(records) => {
                self.course.as_mut().unwrap().refill().unwrap();
                (0..*records).for_each(|_| _ = self.send());
            }
            Happening::Write { lane, records } => self.write(usize::from(*lane) % lanes, *records),
            Happening::Acknowledge { lane, records, says_where } => {
                self.acknowledge(usize::from(*lane) % lanes, *records, *says_where);
            }
            Happening::Foreign { lane } => {
                self.written += 1;
                self.lanes[usize::from(*lane) % lanes].log.push((self.written, None));
            }
            Happening::Keep => self.keep(),
            Happening::Crash { still_written } => self.crash(*still_written),
            Happening::MoreSlots => {
                self.store.0.borrow_mut().push(Slot::default());
                self.crash(1);
            }
            Happening::MoreLanes => {
                self.die(2);
                self.lanes.push(BrokerLane::default());
                self.start();
            }
            Happening::Deleted => self.delete(),
            Happening::Forgotten => {
                self.kept = None;
                self.crash(3);
            }
            Happening::Retained { slot } => self.retain(usize::from(*slot)),
        }
    }

    fn tell(&mut self, key: u8) {
        self.told += 1;
        let mut slots = self.store.0.borrow_mut();
        let slot = partition(&[key], slots.len() as u32) as usize;
        slots[slot].records.push(Told { sequence: self.told, key });
        self.wanted.entry(key).or_default().push(self.told);
    }

    fn send(&mut self) -> bool {
        let lanes = self.lanes.len() as u32;
        let course = self.course.as_mut().unwrap();
        let Some(next) = course.next(|_, key| partition(key, lanes) as usize).unwrap() else { return false };
        let position: Position = std::str::from_utf8(next.record.header("position").unwrap()).unwrap().parse().unwrap();
        let told = Told { sequence: position.sequence, key: next.record.key.as_ref().unwrap()[0] };
        self.lanes[next.lane].coming.push_back((next.number, told));
        course.taken().unwrap();
        true
    }

    fn write(&mut self, lane: usize, records: u8) {
        let lane = &mut self.lanes[lane];
        for _ in 0..records {
            let Some((number, told)) = lane.coming.pop_front() else { return };
            self.written += 1;
            lane.to_acknowledge.push_back((number, lane.log.len() as i64));
            lane.log.push((self.written, Some(told)));
        }
    }

    fn acknowledge(&mut self, lane: usize, records: u8, says_where: bool) {
        for _ in 0..records {
            let Some((number, there)) = self.lanes[lane].to_acknowledge.pop_front() else { return };
            self.course.as_mut().unwrap().acknowledged(number, says_where.then_some(there)).unwrap();
        }
    }

    fn keep(&mut self) {
        let account = self.course.as_ref().unwrap().account();
        let (floors, witnesses) = account.floors().into_iter().unzip();
        self.kept = Some(KeptTopic { acked: account.acked().to_vec(), floors, witnesses });
    }

    fn crash(&mut self, still_written: u8) {
        self.die(still_written);
        self.start();
    }

    fn die(&mut self, still_written: u8) {
        self.course = None;
        for lane in 0..self.lanes.len() {
            self.write(lane, still_written);
            self.lanes[lane].coming.clear();
            self.lanes[lane].to_acknowledge.clear();
        }
    }

    /// What is in the store from then on must be in the new topic.
    fn delete(&mut self) {
        self.die(1);
        // A topic that looks as it did when that was kept cannot be told apart.
        if self.kept.as_ref().is_some_and(|kept| kept.floors.iter().all(|floor| *floor == 0)) {
            self.kept = None;
        }
        self.lanes.iter_mut().for_each(|lane| lane.log.clear());
        self.wanted.clear();
        let mut all: Vec<Told> =
            self.store.0.borrow().iter().flat_map(|slot| slot.records[slot.start..].to_vec()).collect();
        all.sort_by_key(|told| told.sequence);
        all.into_iter().for_each(|told| self.wanted.entry(told.key).or_default().push(told.sequence));
        self.start();
    }

    /// Only what is acknowledged in what was kept, so that nothing is lost.
    fn retain(&mut self, slot: usize) {
        let Some(kept) = &self.kept else { return };
        let mut slots = self.store.0.borrow_mut();
        let slot = slot % slots.len();
        if let Some(acked) = kept.acked.get(slot) {
            slots[slot].start = slots[slot].start.max(*acked as usize);
        }
    }

    fn start(&mut self) {
        let slots = self.store.0.borrow().len();
        let store: Vec<Ends> =
            (0..slots).map(|slot| Ends { start: self.store.start(slot), end: self.store.end(slot) }).collect();
        let broker: Vec<Ends> = self.lanes.iter().map(|lane| Ends { start: 0, end: lane.log.len() as i64 }).collect();
        let mut plan = plan(self.kept.as_ref(), true, &store, &broker);
        if !self.is_the_same(&plan) {
            plan = begin_anew(Anew::Topic, &store, &broker);
        }
        let found = self.look_through(&plan);
        let walk = Walk::new(self.store.clone(), &plan.acked).unwrap();
        let lanes = plan.floors.iter().zip(&plan.witnesses).zip(&broker);
        let lanes = lanes.map(|((floor, witness), ends)| Lane::new(*floor, ends.end, *witness)).collect();
        self.course = Some(Course::new(walk, plan.acked, lanes, found));
        self.keep();
    }

    fn is_the_same(&self, plan: &Plan) -> bool {
        let id_at = |lane: usize, offset: i64| {
            let (_, told) = &self.lanes[lane].log[offset as usize];
            told.as_ref().map_or(MessageId(1), |told| id(told.sequence))
        };
        let witnesses = plan.witnesses.iter().enumerate().filter_map(|(lane, witness)| Some((lane, (*witness)?)));
        witnesses.into_iter().all(|(lane, it)| !it.is_contradicted(it.offset, id_at(lane, it.offset)))
    }

    fn look_through(&self, plan: &Plan) -> Found {
        let mut found = Found::before(&Walk::new(self.store.clone(), &plan.acked).unwrap());
        for (lane, broker) in self.lanes.iter().enumerate() {
            let floor = plan.floors[lane] as usize;
            for (offset, (_, told)) in broker.log.iter().enumerate().skip(floor) {
                if let Some(told) = told {
                    let position = Position { epoch: 1, sequence: told.sequence };
                    found.add(id(told.sequence), position, lane, offset as i64);
                }
            }
        }
        found
    }

    /// Everything is sent, written and acknowledged.
    fn ends_well(&mut self) {
        self.course.as_mut().unwrap().refill().unwrap();
        while self.send() {}
        for lane in 0..self.lanes.len() {
            self.write(lane, u8::MAX);
            self.acknowledge(lane, u8::MAX, true);
        }
    }

    /// What is in the broker, of each key in the order in which it was written.
    fn written(&self) -> BTreeMap<u8, Vec<u64>> {
        let mut all: Vec<_> = self.lanes.iter().flat_map(|lane| &lane.log).collect();
        all.sort_by_key(|(written, _)| *written);
        let mut keys: BTreeMap<u8, Vec<u64>> = BTreeMap::new();
        for told in all.into_iter().filter_map(|(_, told)| told.as_ref()) {
            keys.entry(told.key).or_default().push(told.sequence);
        }
        keys
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_each_key_is_in_the_broker_as_it_is_in_the_store(happenings in happenings()) {
        let mut life = Life::new();
        for happening in &happenings {
            life.happens(happening);
        }
        life.ends_well();
        prop_assert_eq!(life.written(), life.wanted.clone());
        let account = life.course.as_ref().unwrap().account();
        prop_assert_eq!(account.under_way(), 0);
        let ends: Vec<i64> = (0..account.acked().len()).map(|slot| life.store.end(slot)).collect();
        prop_assert_eq!(account.acked(), &*ends);
        // And a start after that finds nothing to do.
        life.keep();
        life.crash(0);
        prop_assert!(!life.send());
    }
}
