//! Clients by chance: some behave, some repeat themselves, come late, die or talk nonsense. Whatever they do, what a group
//! promises must hold; and when those who are left behave, it settles.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use proptest::prelude::*;

use super::house::{Client, GROUP, House, OWNER};
use crate::groups::{Answer, GroupLimits, Joined, State, Ticket};

/// Nobody waits longer for an answer. Milliseconds: the longest time to join, twice, and a session.
const WAIT_MS_MAX: u64 = 100_000;

#[derive(Clone, Debug)]
enum Deed {
    Join(usize),
    JoinAsNew(usize),
    Sync(usize),
    SyncTwice(usize),
    Beat(usize),
    Leave(usize),
    Commit(usize),
    /// It forgets who it was; if it has an instance's name, it keeps that.
    Restart(usize),
    ChangeTopic(usize),
    /// It speaks of an old generation.
    Stale(usize),
    Delete,
    Pass(u64),
}

fn deed(clients: usize) -> impl Strategy<Value = Deed> {
    let who = 0..clients;
    prop_oneof![
        6 => who.clone().prop_map(Deed::Join),
        1 => who.clone().prop_map(Deed::JoinAsNew),
        6 => who.clone().prop_map(Deed::Sync),
        1 => who.clone().prop_map(Deed::SyncTwice),
        4 => who.clone().prop_map(Deed::Beat),
        1 => who.clone().prop_map(Deed::Leave),
        2 => who.clone().prop_map(Deed::Commit),
        1 => who.clone().prop_map(Deed::Restart),
        1 => who.clone().prop_map(Deed::ChangeTopic),
        1 => who.prop_map(Deed::Stale),
        1 => Just(Deed::Delete),
        8 => prop_oneof![Just(1), Just(100), Just(500), Just(3_000), Just(9_000), Just(31_000)].prop_map(Deed::Pass),
    ]
}

/// A client, the calls it waits for, and what it believes.
struct Life {
    client: Client,
    asked: Vec<Ticket>,
    joined: Option<Joined>,
    part: Option<(i32, String)>,
}

struct Town {
    house: House,
    lives: Vec<Life>,
    asked_at: BTreeMap<Ticket, u64>,
    /// By generation: who was told which part.
    parts: BTreeMap<i32, BTreeMap<String, BTreeSet<String>>>,
    newest: i32,
}

impl Town {
    fn new(count: usize) -> Self {
        let life = |index: usize| {
            let mut client = Client::new(&format!("c{index}"));
            client.who.instance = (index % 3 == 2).then(|| format!("i{}", index / 2));
            client.version = [9, 3, 5][index % 3];
            client.rebalance_ms = [30_000, 5_000, 20_000, 1][index % 4];
            client.protocols =
                [&["range", "sticky"][..], &["sticky", "range"]][index % 2].iter().map(|it| (*it).into()).collect();
            Life { client, asked: Vec::new(), joined: None, part: None }
        };
        let limits = GroupLimits { members_max: 4, ..GroupLimits::default() };
        let lives = (0..count).map(life).collect();
        Self { house: House::new(limits), lives, asked_at: BTreeMap::new(), parts: BTreeMap::new(), newest: 0 }
    }

    fn play(&mut self, deed: &Deed) {
        match *deed {
            Deed::Join(index) => self.join(index),
            Deed::JoinAsNew(index) => {
                self.lives[index].client.who.member.clear();
                self.join(index);
            }
            Deed::Sync(index) => self.sync(index),
            Deed::SyncTwice(index) => {
                self.sync(index);
                self.sync(index);
            }
            Deed::Beat(index) => _ = self.house.beat(&self.lives[index].client),
            Deed::Leave(index) => {
                _ = self.house.leave(&self.lives[index].client);
                self.lives[index].client.who.member.clear();
            }
            Deed::Commit(index) => self.commit(index),
            Deed::Restart(index) => {
                let life = &mut self.lives[index];
                life.client.who.member.clear();
                (life.joined, life.part) = (None, None);
                life.asked.clear();
            }
            Deed::ChangeTopic(index) => self.lives[index].client.topic.push('x'),
            Deed::Stale(index) => {
                let mut client = self.lives[index].client.clone();
                client.who.generation -= 1;
                assert_ne!(self.house.beat(&client), Ok(()), "an old generation lives");
                let told = self.house.commit(&client);
                assert!(client.who.generation < 0 || told != Some(Ok(())), "an old generation commits");
            }
            Deed::Delete => {
                _ = self.house.coordinator.handle_delete(self.house.now_ms, OWNER, GROUP);
            }
            Deed::Pass(ms) => {
                // In steps, so that what has waited for too long is seen.
                for _ in 0..ms.div_ceil(1_000) {
                    self.house.pass(ms.min(1_000));
                    self.hear();
                }
            }
        }
        self.hear();
    }

    fn join(&mut self, index: usize) {
        let ticket = self.house.join(&self.lives[index].client);
        self.lives[index].asked.push(ticket);
        self.asked_at.insert(ticket, self.house.now_ms);
    }

    fn sync(&mut self, index: usize) {
        let life = &self.lives[index];
        let told = life.joined.as_ref().filter(|it| !it.skip_assignment && *it.member == *life.client.who.member);
        // The leader gives everybody a part of its own, named by the generation it divides.
        let parts: Vec<_> = told
            .iter()
            .flat_map(|it| {
                it.members
                    .iter()
                    .map(move |member| (member.member.to_string(), format!("{} of {}", member.member, it.generation)))
            })
            .collect();
        let ticket = self.house.sync(&life.client, &parts);
        self.lives[index].asked.push(ticket);
        self.asked_at.insert(ticket, self.house.now_ms);
    }

    fn commit(&mut self, index: usize) {
        let client = &self.lives[index].client;
        let is_free = client.who.generation < 0 && client.who.member.is_empty() && client.who.instance.is_none();
        let told = self.house.commit(client);
        if is_free && told == Some(Ok(())) {
            let state = self.house.coordinator.describe(OWNER, GROUP).unwrap().state;
            assert_eq!(state, State::Empty, "somebody who is in no group commits for one that has members");
        }
    }

    /// Clients take what they are told; what must hold is looked at.
    fn hear(&mut self) {
        for (ticket, answer) in std::mem::take(&mut self.house.answers) {
            self.asked_at.remove(&ticket).unwrap();
            let Some(life) = self.lives.iter_mut().find(|life| life.asked.contains(&ticket)) else { continue };
            life.asked.retain(|asked| *asked != ticket);
            match answer {
                Answer::Join(Ok(joined)) => {
                    assert!(joined.generation >= self.newest, "generations go back");
                    self.newest = joined.generation;
                    life.client.who.member = joined.member.to_string();
                    life.client.who.generation = joined.generation;
                    life.joined = Some(joined);
                    life.part = None;
                }
                Answer::Join(Err(refused)) => life.client.who.member = refused.member,
                Answer::Sync(Ok(part)) => {
                    let (generation, member) = (life.client.who.generation, life.client.who.member.clone());
                    let part = String::from_utf8(part.assignment.to_vec()).unwrap();
                    if !part.is_empty() {
                        self.parts.entry(generation).or_default().entry(part.clone()).or_default().insert(member);
                    }
                    life.part = Some((generation, part));
                }
                Answer::Sync(Err(ResponseError::UnknownMemberId)) => life.client.who.member.clear(),
                Answer::Sync(Err(_)) => {}
            }
        }
        for (ticket, at) in &self.asked_at {
            assert!(self.house.now_ms - at <= WAIT_MS_MAX, "{ticket:?} has waited since {at}");
        }
        let totals = self.house.coordinator.totals();
        assert!(totals.members <= 4, "{totals:?}");
        let is_gone = self.house.coordinator.describe(OWNER, GROUP).is_none();
        assert_eq!(is_gone, totals.groups == 0);
        assert!(!is_gone || (totals.bytes == 0 && totals.members == 0 && self.house.coordinator.next_due().is_none()));
    }

    /// A part is told to one member only. A static member that comes back is told its predecessor's.
    fn check_parts(&self) {
        for (generation, parts) in &self.parts {
            for (part, members) in parts {
                let instances: BTreeSet<&str> = members.iter().map(|it| it.split('-').next().unwrap()).collect();
                assert!(instances.len() == 1, "{part} of {generation} was told to {members:?}");
            }
        }
    }

    /// Everybody does as clients should, for as long as it takes; then all who fit are in one generation with their parts.
    fn settle(&mut self) {
        for _ in 0..200 {
            for index in 0..self.lives.len() {
                if !self.lives[index].asked.is_empty() {
                    continue;
                }
                let life = &self.lives[index];
                let is_in = life.joined.as_ref().is_some_and(|it| *it.member == *life.client.who.member);
                let has_part =
                    life.part.as_ref().is_some_and(|(generation, _)| *generation == life.client.who.generation);
                match (is_in, has_part) {
                    (false, _) => self.join(index),
                    (true, false) => self.sync(index),
                    (true, true) => match self.house.beat(&life.client) {
                        Ok(()) => {}
                        Err(ResponseError::RebalanceInProgress) => self.join(index),
                        Err(ResponseError::IllegalGeneration) => self.join(index),
                        Err(_) => {
                            self.lives[index].client.who.member.clear();
                            self.join(index);
                        }
                    },
                }
                self.hear();
            }
            self.house.pass(500);
            self.hear();
        }
        let described = self.house.coordinator.describe(OWNER, GROUP).unwrap();
        assert_eq!(described.state, State::Stable);
        assert!(described.members.iter().all(|it| !it.assignment.is_empty()), "somebody has no part");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_the_promises_hold(deeds in proptest::collection::vec(deed(5), 1..120)) {
        let mut town = Town::new(5);
        deeds.iter().for_each(|deed| town.play(deed));
        town.check_parts();
    }

    #[test]
    fn a_group_settles_when_its_members_behave(deeds in proptest::collection::vec(deed(4), 0..60)) {
        let mut town = Town::new(4);
        deeds.iter().for_each(|deed| town.play(deed));
        // Whoever waits for an answer that it no longer wants begins anew.
        town.house.pass(WAIT_MS_MAX);
        town.hear();
        town.settle();
        town.check_parts();
    }
}
