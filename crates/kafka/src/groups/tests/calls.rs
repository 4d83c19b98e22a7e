//! Calls and their answers, as text. Lines with `>` are calls; what follows is what came of them. Written against what
//! Kafka's documentation and brokers say; `UPDATE=1` writes the file anew, and the difference is to be judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::house::{Client, GROUP, House, OWNER};
use crate::groups::{Answer, GroupLimits, Ticket};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/groups/tests/calls.txt");

#[test]
fn calls_are_answered_as_written() {
    let written = std::fs::read_to_string(FILE).unwrap();
    let told: String = written.split_inclusive("\n\n").map(play).collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &told).unwrap();
        return;
    }
    for (number, (written, told)) in written.lines().zip(told.lines()).enumerate() {
        assert_eq!(written, told, "calls.txt:{}", number + 1);
    }
    assert_eq!(written, told);
}

/// One story: its comments and calls, with the answers that came.
fn play(story: &str) -> String {
    let mut stage =
        Stage { house: House::new(GroupLimits::default()), clients: BTreeMap::new(), calls: BTreeMap::new() };
    let mut out = String::new();
    for line in story.lines() {
        match line.strip_prefix("> ") {
            Some(call) => {
                _ = writeln!(out, "{line}");
                stage.play(call, &mut out);
            }
            None if line.is_empty() || line.starts_with('#') => _ = writeln!(out, "{line}"),
            None => {}
        }
    }
    out
}

struct Stage {
    house: House,
    clients: BTreeMap<String, Client>,
    calls: BTreeMap<Ticket, String>,
}

impl Stage {
    fn play(&mut self, call: &str, out: &mut String) {
        let words: Vec<&str> = call.split(' ').collect();
        let (verb, name) = (words[0], words.get(1).copied().unwrap_or_default());
        let mut client = self.clients.get(name).cloned().unwrap_or_else(|| Client::new(name));
        let mut parts = Vec::new();
        for (key, value) in words.iter().skip(2).filter_map(|word| word.split_once('=')) {
            match key {
                "instance" => client.who.instance = Some(value.to_owned()),
                "member" => client.who.member = self.id_of(value),
                "generation" => client.who.generation = value.parse().unwrap(),
                "version" => client.version = value.parse().unwrap(),
                "session" => client.session_ms = value.parse().unwrap(),
                "rebalance" => client.rebalance_ms = value.parse().unwrap(),
                "topic" => client.topic = value.to_owned(),
                "protocols" => client.protocols = value.split(',').map(str::to_owned).collect(),
                "parts" => {
                    let part =
                        |part: &str| part.split_once(':').map(|(name, part)| (self.id_of(name), part.to_owned()));
                    parts = value.split(',').filter_map(part).collect();
                }
                other => panic!("no such word: {other}"),
            }
        }
        self.clients.insert(name.to_owned(), client.clone());
        match verb {
            "join" => {
                let ticket = self.house.join(&client);
                self.calls.insert(ticket, name.to_owned());
            }
            "sync" => {
                let ticket = self.house.sync(&client, &parts);
                self.calls.insert(ticket, name.to_owned());
            }
            "beat" => say(out, name, self.house.beat(&client)),
            "leave" => say(out, name, self.house.leave(&client)),
            "commit" => match self.house.commit(&client) {
                Some(result) => say(out, name, result),
                None => _ = writeln!(out, "{name}: nobody is in this group"),
            },
            "delete" => match self.house.coordinator.handle_delete(self.house.now_ms, OWNER, GROUP) {
                Some(result) => say(out, "group", result),
                None => _ = writeln!(out, "group: nobody is in this group"),
            },
            "pass" => self.house.pass(name.parse().unwrap()),
            "describe" => self.describe(out),
            other => panic!("no such call: {other}"),
        }
        self.tell(out);
    }

    fn tell(&mut self, out: &mut String) {
        for (ticket, answer) in std::mem::take(&mut self.house.answers) {
            let name = self.calls.remove(&ticket).unwrap();
            let Some(client) = self.clients.get_mut(&name) else { continue };
            match answer {
                Answer::Join(Ok(it)) => {
                    client.who.generation = it.generation;
                    client.who.member = it.member.to_string();
                    let members: Vec<_> = it.members.iter().map(|it| it.member.to_string()).collect();
                    let skip = if it.skip_assignment { ", divides nothing" } else { "" };
                    let leads = if members.is_empty() { String::new() } else { format!(" of {}", members.join(" ")) };
                    let (member, generation, protocol, leader) = (it.member, it.generation, it.protocol, it.leader);
                    _ = writeln!(out, "{name}: {member} in {generation} by {protocol}, led by {leader}{leads}{skip}");
                }
                Answer::Join(Err(it)) => {
                    client.who.member.clone_from(&it.member);
                    _ = writeln!(out, "{name}: not joined, {:?}, {:?}", it.error, it.member);
                }
                Answer::Sync(Ok(it)) => {
                    let part = String::from_utf8_lossy(&it.assignment).into_owned();
                    _ = writeln!(out, "{name}: part {part:?}");
                }
                Answer::Sync(Err(error)) => _ = writeln!(out, "{name}: no part, {error:?}"),
            }
        }
    }

    fn describe(&self, out: &mut String) {
        match self.house.coordinator.describe(OWNER, GROUP) {
            None => _ = writeln!(out, "nobody"),
            Some(it) => {
                let member = |it: &crate::groups::DescribedMember| {
                    format!("{}={}", it.member, String::from_utf8_lossy(&it.assignment))
                };
                let members: Vec<_> = it.members.iter().map(member).collect();
                _ = writeln!(out, "{} {} {}", it.state.name(), it.protocol, members.join(" "));
            }
        }
    }

    fn id_of(&self, name: &str) -> String {
        self.clients.get(name).map_or_else(|| name.to_owned(), |client| client.who.member.clone())
    }
}

fn say(out: &mut String, name: &str, result: Result<(), kafka_protocol::ResponseError>) {
    _ = match result {
        Ok(()) => writeln!(out, "{name}: well"),
        Err(error) => writeln!(out, "{name}: {error:?}"),
    };
}
