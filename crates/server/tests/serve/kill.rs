//! kill -9 at random moments under load: what was told stays true, and nothing is missing or there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ami::{Ami, Recorded};
use crate::client::{self, bearer, sequence};
use crate::process::Cordboard;

const KILLS: u32 = 50;
/// How long calls that are lost may take to end.
const QUIET_MAX: Duration = Duration::from_secs(3);
/// So many lines of AMI at once.
const SAID_AT_ONCE: usize = 40;

/// A reader that comes back after every crash and goes on where it was.
#[derive(Default)]
struct Seen {
    /// Where to go on: the last event of which everything was told.
    cursor: Option<String>,
    /// Everything told, by position.
    told: BTreeMap<u64, Vec<String>>,
    wrong: Vec<String>,
}

fn read_on(cordboard: &Cordboard, token: &str, dialect: &str, seen: &Mutex<Seen>) -> io::Result<()> {
    let from = seen.lock().unwrap().cursor.clone().unwrap_or_else(|| "start".to_owned());
    let path = format!("/api/v1/events?dialect={dialect}&follow=true&from={from}");
    let mut answer = client::get(cordboard.address, &path, &[bearer(token)])?;
    let mut partial = Vec::new();
    while let Some(line) = answer.json()? {
        let mut seen = seen.lock().unwrap();
        if line.get("value").is_none() {
            seen.wrong.push(format!("from {from}: {}", line.to_string().chars().take(200).collect::<String>()));
            return Ok(());
        }
        partial.push(line.to_string());
        if line.get("more").is_none() {
            let position = sequence(&line);
            let newest = seen.told.last_key_value().map_or(0, |(newest, _)| *newest);
            // Our own vocabulary says every event, so there is no excuse for a hole.
            let right = if dialect == "cordboard" { position == newest + 1 } else { position > newest };
            if !right {
                seen.wrong.push(format!("{position} was told after {newest}"));
            }
            seen.told.insert(position, std::mem::take(&mut partial));
            seen.cursor = line["position"].as_str().map(str::to_owned);
        }
    }
    Ok(())
}

#[test]
fn nothing_told_is_lost_when_the_process_is_killed_under_load() {
    let ami = Ami::start();
    let over = Arc::new(AtomicBool::new(false));
    let load = {
        let (ami, over) = (ami.clone(), Arc::clone(&over));
        let recorded = Recorded::read("90-busy-period");
        thread::spawn(move || {
            for round in 1.. {
                for some in recorded.round(round).chunks(SAID_AT_ONCE) {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    ami.say(&some.concat());
                    thread::sleep(Duration::from_millis(2));
                }
            }
        })
    };
    let mut cordboard = Cordboard::new(&[("acme", &ami)], "[log]\nsnapshot_events = 500\nsegment_bytes_max = 200000");
    let token = cordboard.token("acme");
    let seen = [("cordboard", Mutex::new(Seen::default())), ("genesys", Mutex::new(Seen::default()))];
    // A generator of moments; the seed is told so that a failure can be had again, as far as time allows.
    let mut chance = u64::from(std::process::id()) | 1;
    let begun = Instant::now();
    for kill in 0..KILLS {
        cordboard.start();
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = Duration::from_millis(150 + (chance >> 33) % 600);
        thread::scope(|scope| {
            let running = &cordboard;
            for (dialect, seen) in &seen {
                let token = &token;
                // An error is what a reader sees of a crash.
                scope.spawn(move || _ = read_on(running, token, dialect, seen));
            }
            thread::sleep(moment);
            running.kill_now();
        });
        cordboard.kill();
        for (dialect, seen) in &seen {
            let seen = seen.lock().unwrap();
            assert!(seen.wrong.is_empty(), "{dialect} after kill {kill}: {:?}\n{}", seen.wrong, tail(&cordboard.log()));
        }
    }
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    load.join().unwrap();
    cordboard.start();
    cordboard.wait_ready(true);
    // Asterisk knows none of the calls any more, so all of them end, some a moment later.
    let quiet = Instant::now();
    loop {
        let snapshot: Value = serde_json::from_str(&cordboard.get("/api/v1/snapshot", &token).text()).unwrap();
        let calls = snapshot["snapshot"]["calls"].as_object().unwrap();
        if calls.values().all(|call| call["ended"] == true) || quiet.elapsed() > QUIET_MAX {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    for (dialect, seen) in &seen {
        let seen = seen.lock().unwrap();
        let mut stored: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for line in cordboard.get(&format!("/api/v1/events?dialect={dialect}&from=start"), &token).all() {
            stored.entry(sequence(&line)).or_default().push(line.to_string());
        }
        assert!(seen.told.len() > KILLS as usize * 5, "{dialect}: {} events are no load", seen.told.len());
        for (position, told) in &seen.told {
            assert_eq!(stored.get(position), Some(told), "{dialect}: {position}");
        }
        eprintln!("{KILLS} kills in {took:?}: {dialect}: {} events told, {} stored", seen.told.len(), stored.len());
        if *dialect == "cordboard" {
            assert!(stored.keys().copied().eq(1..=stored.len() as u64));
            ends_once(stored.values().flatten());
        }
    }
    assert_eq!(cordboard.stop(), Some(0));
    let dir = cordboard.dir.path().join("data/tenants/acme");
    let verified = cordboard.run(&["log", "verify", dir.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success() && text.contains("sound"), "{text}");
}

/// Every call that begins ends once: also those that were under way in a crash, and ended while nobody listened.
fn ends_once<'l>(lines: impl Iterator<Item = &'l String>) {
    let (mut under_way, mut begun) = (BTreeSet::new(), 0);
    let lines: Vec<&String> = lines.collect();
    for line in &lines {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(call) = event.pointer("/value/fact/call") else { continue };
        let id = call["call"].as_u64().unwrap();
        if call["fact"].get("began").is_some() {
            begun += 1;
            assert!(under_way.insert(id), "{id} begins twice");
        } else if call["fact"].get("ended").is_some() {
            assert!(under_way.remove(&id), "{id} ends without being there");
        }
    }
    assert!(begun > 20, "{begun} calls are no load");
    if let Some(id) = under_way.first() {
        let about = format!("\"call\":{id},");
        let story: Vec<_> = lines.iter().filter(|line| line.contains(&about)).map(|line| line.as_str()).collect();
        panic!("of {begun} calls these never ended: {under_way:?}; the story of the first:\n{}", story.join("\n"));
    }
}

fn tail(log: &str) -> String {
    log.lines().rev().take(20).collect::<Vec<_>>().join("\n")
}
