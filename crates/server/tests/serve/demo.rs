//! `serve --demo`, as somebody who has just cloned the project starts it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::{self, bearer};
use crate::process::program;

struct Demo {
    child: Child,
    address: SocketAddr,
    accounts: Vec<Value>,
}

impl Demo {
    fn start(seed: &str) -> Self {
        let mut child = program()
            .args(["serve", "--demo", "--seed", seed, "--speed", "60", "--http", "127.0.0.1:0", "--log-level", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut accounts, mut address) = (Vec::new(), None);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(url) = line.split("http://").nth(1) {
                address = url.split('/').next().and_then(|host| host.parse().ok());
            } else if line.starts_with('{') {
                accounts.push(serde_json::from_str::<Value>(&line).unwrap());
                if accounts.last().unwrap()["role"] == "administrator" {
                    break;
                }
            }
        }
        Self { child, address: address.unwrap(), accounts }
    }

    /// The first events of the demonstration, in our own vocabulary and without what differs from life to life: its
    /// moment, and the keys of its calls.
    fn story(&self, events: usize) -> Vec<String> {
        let token = self.accounts.last().unwrap()["secret"].as_str().unwrap();
        let mut stream = client::get(self.address, "/api/v1/events?from=start&follow=true", &[bearer(token)]).unwrap();
        let mut begun = None;
        let mut told = Vec::new();
        while told.len() < events {
            let mut line = stream.json().unwrap().unwrap();
            let event = &mut line["value"];
            let at = event["at"].as_u64().unwrap_or_else(|| panic!("no event: {event}"));
            if event["fact"].get("founded").is_some() {
                continue;
            }
            let mut fact = event["fact"].take();
            // What there is at the beginning may be told some microseconds late, when the log was founded after the
            // switch had begun to live; what happens in it may not.
            if fact.get("call").is_some() {
                begun.get_or_insert(at);
            }
            forget_keys(&mut fact);
            told.push(format!("{:?} {fact}", begun.map(|begun| at - begun)));
        }
        told
    }
}

fn forget_keys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members
                .retain(|name, _| !matches!(name.as_str(), "key" | "conn" | "thread" | "until" | "with" | "deadline"));
            members.values_mut().for_each(forget_keys);
        }
        Value::Array(all) => all.iter_mut().for_each(forget_keys),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A demonstration that is asked to stop leaves nothing behind; one that is killed leaves its data.
        _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        _ = self.child.wait();
    }
}

#[test]
fn the_demonstration_needs_nothing_and_a_seed_is_a_life() {
    let demo = Demo::start("5");
    let roles: Vec<&str> = demo.accounts.iter().filter_map(|account| account["role"].as_str()).collect();
    assert_eq!(roles, ["agent", "supervisor", "administrator"]);
    assert!(demo.accounts.iter().all(|account| account["tenant"] == "demo" && account["user"].is_string()));
    let story = demo.story(600);
    assert_eq!(story, Demo::start("5").story(600));
    assert_ne!(story, Demo::start("6").story(600));
    assert!(story.iter().any(|event| event.contains("\"answered\"")));
}

#[test]
fn a_wrong_pace_says_what_would_be_right() {
    for speed in ["0", "-1", "1001", "NaN"] {
        let output = program().args(["serve", "--demo", &format!("--speed={speed}")]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{speed}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("0.01 to 1000"), "{speed}");
    }
    assert_eq!(program().args(["serve", "--seed", "1"]).output().unwrap().status.code(), Some(2));
}
