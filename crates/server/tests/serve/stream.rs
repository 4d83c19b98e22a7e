//! Readers: live, resumed, from a snapshot, from the past; none misses or doubles anything.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ami::Ami;
use crate::client::{self, bearer, sequence};
use crate::process::Cordboard;

/// Messages without what differs between ways to get them.
fn messages(values: &[Value]) -> Vec<(u64, String)> {
    values
        .iter()
        .filter(|value| value.get("value").is_some())
        .map(|value| (sequence(value), value.to_string()))
        .collect()
}

#[test]
fn a_snapshot_is_followed_by_exactly_what_comes_after_it() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    let talker = {
        let ami = ami.clone();
        std::thread::spawn(move || {
            for _ in 0..200 {
                ami.whole_call();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        })
    };
    // Snapshots taken in the middle of things, one after the other.
    let mut ends = Vec::new();
    for _ in 0..10 {
        let mut answer = cordboard.get("/api/v1/events?snapshot=true", &token);
        let first = answer.json().unwrap().unwrap();
        let mut expected = sequence(&first);
        assert_eq!(first["snapshot"]["tenant"], "acme");
        for _ in 0..20 {
            let event = answer.json().unwrap().unwrap();
            expected += 1;
            assert_eq!(sequence(&event), expected);
            assert_eq!(event["value"]["sequence"], expected);
        }
        ends.push(expected);
    }
    talker.join().unwrap();
    // What was told after snapshots is what the log says.
    let all = messages(&cordboard.get("/api/v1/events?from=start", &token).all());
    assert!(all.iter().zip(1..).all(|((position, _), expected)| *position == expected));
    assert!(all.last().unwrap().0 >= *ends.last().unwrap());
}

#[test]
fn a_snapshot_is_the_fold_of_the_events_before_it() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    ami.begin_call();
    let mut live = cordboard.get("/api/v1/events?from=start&follow=true", &token);
    while !live.json().unwrap().unwrap().to_string().contains("\"ringing\"") {}
    let snapshot: Value = serde_json::from_str(&cordboard.get("/api/v1/snapshot", &token).text()).unwrap();
    let mut world = cordboard_core::World::default();
    for event in cordboard.get("/api/v1/events?from=start", &token).all() {
        if sequence(&event) <= sequence(&snapshot) {
            cordboard_core::evolve(&mut world, &serde_json::from_value(event["value"].clone()).unwrap());
        }
    }
    assert_eq!(serde_json::to_value(&world).unwrap(), snapshot["snapshot"]);
    assert_eq!(snapshot["snapshot"]["calls"].as_object().unwrap().len(), 1);
}

#[test]
fn a_reader_that_comes_back_gets_everything_since_also_after_a_new_start() {
    let ami = Ami::start();
    let mut cordboard = Cordboard::new(&[("acme", &ami)], "[log]\nsnapshot_events = 100").started();
    let token = cordboard.token("acme");
    for _ in 0..60 {
        ami.whole_call();
    }
    let mut live = cordboard.get("/api/v1/events?dialect=genesys&from=start&follow=true", &token);
    let first: Vec<Value> = (0..200).map(|_| live.json().unwrap().unwrap()).collect();
    drop(live);
    assert_eq!(cordboard.stop(), Some(0));
    cordboard.start();
    cordboard.wait_ready(true);
    ami.whole_call();
    // Everything once more, from disk and from memory, must be what was told live.
    let all = cordboard.get("/api/v1/events?dialect=genesys&from=start", &token).all();
    assert_eq!(messages(&all)[..200], messages(&first)[..]);
    // From any complete event on, the rest is the same.
    let mut starts: BTreeMap<u64, usize> = BTreeMap::new();
    for (at, value) in all.iter().enumerate().filter(|(_, value)| value.get("more").is_none()) {
        starts.insert(sequence(value), at + 1);
    }
    for (position, rest) in starts.iter().step_by(23) {
        let epoch = all[0]["position"].as_str().unwrap().split('-').next().unwrap();
        let path = format!("/api/v1/events?dialect=genesys&from={epoch}-{position}");
        let again = cordboard.get(&path, &token).all();
        let known = all.len() - rest;
        assert_eq!(messages(&again)[..known], messages(&all)[*rest..], "from {position}");
    }
}

#[test]
fn a_position_that_cannot_be_served_gives_a_resync_with_a_snapshot() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    let snapshot: Value = serde_json::from_str(&cordboard.get("/api/v1/snapshot", &token).text()).unwrap();
    let epoch = snapshot["position"].as_str().unwrap().split('-').next().unwrap().to_owned();
    for (from, reason) in [("17-5".to_owned(), "other_epoch"), (format!("{epoch}-999999"), "beyond_end")] {
        let mut answer = cordboard.get(&format!("/api/v1/events?follow=true&from={from}"), &token);
        let first = answer.json().unwrap().unwrap();
        assert_eq!(first["resync"]["reason"], reason);
        assert_eq!(first["snapshot"]["tenant"], "acme");
        let at = sequence(&first);
        ami.whole_call();
        assert_eq!(sequence(&answer.json().unwrap().unwrap()), at + 1);
    }
}

#[test]
fn what_retention_dropped_gives_a_resync_and_what_is_kept_can_be_read() {
    let ami = Ami::start();
    let limits = "[log]\nsegment_bytes_max = 20000\nlog_bytes_max = 60000\nsnapshot_events = 100\nretain_s = 1\n\
                  tail_bytes_max = 10000\n[http]\ntail_bytes_max = 65536\n";
    let cordboard = Cordboard::new(&[("acme", &ami)], limits).started();
    let token = cordboard.token("acme");
    let mut live = cordboard.get("/api/v1/events?from=start&follow=true", &token);
    let first = live.json().unwrap().unwrap();
    let mut told = vec![first.clone()];
    let begun = std::time::Instant::now();
    loop {
        for _ in 0..20 {
            ami.whole_call();
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
        let path = format!("/api/v1/events?from={}", first["position"].as_str().unwrap());
        let again = cordboard.get(&path, &token).json().unwrap().unwrap();
        if again["resync"]["reason"] == "gone" {
            break;
        }
        assert!(begun.elapsed() < client::PATIENCE, "nothing was dropped");
    }
    // From the oldest place on, everything is told as it was told live.
    let kept = cordboard.get("/api/v1/events?from=start", &token).all();
    let last = sequence(kept.last().unwrap());
    while sequence(told.last().unwrap()) < last {
        told.push(live.json().unwrap().unwrap());
    }
    let begin = usize::try_from(sequence(&kept[0]) - sequence(&told[0])).unwrap();
    assert!(begin > 0 && kept.len() > 50, "{begin} {}", kept.len());
    assert_eq!(messages(&told[begin..][..kept.len()]), messages(&kept));
}

#[test]
fn server_sent_events_resume_by_their_id() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "[http]\nstream_heartbeat_ms = 2500").started();
    let token = cordboard.token("acme");
    ami.whole_call();
    let mut headers = vec![bearer(&token), "Accept: text/event-stream".to_owned()];
    let mut answer = client::get(cordboard.address, "/api/v1/events?from=start", &headers).unwrap();
    assert!(answer.headers.contains("content-type: text/event-stream"));
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.starts_with(": alive")) {
        lines.push(answer.line().unwrap().unwrap());
    }
    let ids: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("id: ")).collect();
    let data = lines.iter().filter(|line| line.starts_with("data: {\"position\"")).count();
    assert_eq!(ids.len(), data);
    headers.push(format!("Last-Event-ID: {}", ids[2]));
    let mut again = client::get(cordboard.address, "/api/v1/events?snapshot=true", &headers).unwrap();
    assert_eq!(again.line().unwrap().unwrap(), format!("id: {}", ids[3]));
}

#[test]
fn readiness_tells_the_truth_about_the_source() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    ami.freeze(true);
    cordboard.wait_ready(false);
    let mut answer = client::get(cordboard.address, "/readyz", &[]).unwrap();
    let value: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!((answer.status, &value["sources"][0]["live"]), (503, &Value::Bool(false)));
    assert_eq!(value["logs"][0]["writable"], true);
    ami.freeze(false);
    cordboard.wait_ready(true);
    ami.drop_clients();
    let connects = "cordboard_source_connects_total{tenant=\"acme\",switch=\"pbx\"} 3";
    while !client::get(cordboard.address, "/metrics", &[]).unwrap().text().contains(connects) {}
    cordboard.wait_ready(true);
    let metrics = client::get(cordboard.address, "/metrics", &[]).unwrap().text();
    assert!(metrics.contains("cordboard_source_up{tenant=\"acme\",switch=\"pbx\"} 1"), "{metrics}");
    assert!(metrics.contains("cordboard_source_resyncs_total{tenant=\"acme\",switch=\"pbx\"}"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
    assert_eq!(client::get(cordboard.address, "/healthz", &[]).unwrap().status, 200);
}

#[test]
fn a_reader_that_takes_nothing_is_dropped_and_nobody_else_waits() {
    let ami = Ami::start();
    let more = "[http]\nstream_write_ms_max = 500\ntail_bytes_max = 65536";
    let cordboard = Cordboard::new(&[("acme", &ami)], more).started();
    let token = cordboard.token("acme");
    let dead = client::get(cordboard.address, "/api/v1/events?snapshot=true&follow=true", &[bearer(&token)]).unwrap();
    let mut live = cordboard.get("/api/v1/events", &token);
    let begun = std::time::Instant::now();
    let mut expected = None;
    loop {
        // More than all buffers between here and there hold.
        for _ in 0..200 {
            ami.whole_call();
        }
        for _ in 0..1_000 {
            let event = live.json().unwrap().unwrap();
            assert!(expected.is_none_or(|expected| sequence(&event) == expected));
            expected = Some(sequence(&event) + 1);
        }
        let metrics = client::get(cordboard.address, "/metrics", &[]).unwrap().text();
        if metrics.contains("cordboard_readers_slow_total{tenant=\"acme\"} 1") {
            break;
        }
        assert!(begun.elapsed() < client::PATIENCE * 2, "{metrics}");
    }
    drop(dead);
}

#[test]
fn a_reader_that_wants_the_latest_is_not_led_through_the_past() {
    let ami = Ami::start();
    let cordboard = Cordboard::new(&[("acme", &ami)], "[http]\ntail_bytes_max = 65536").started();
    let token = cordboard.token("acme");
    let first = cordboard.get("/api/v1/events?from=start", &token).json().unwrap().unwrap();
    let mut live = cordboard.get("/api/v1/events", &token);
    for _ in 0..100 {
        ami.whole_call();
    }
    while sequence(&live.json().unwrap().unwrap()) < 500 {}
    let from = first["position"].as_str().unwrap();
    let path = |delivery: &str| format!("/api/v1/events?follow=true&from={from}&delivery={delivery}");
    let told = cordboard.get(&path("latest"), &token).json().unwrap().unwrap();
    assert_eq!(told["resync"]["reason"], "behind");
    assert!(sequence(&told) >= 500 && told["snapshot"]["tenant"] == "acme");
    let told = cordboard.get(&path("every"), &token).json().unwrap().unwrap();
    assert_eq!(sequence(&told), sequence(&first) + 1);
}

#[test]
fn when_the_server_stops_readers_get_all_that_became_true() {
    let ami = Ami::start();
    let mut cordboard = Cordboard::new(&[("acme", &ami)], "").started();
    let token = cordboard.token("acme");
    let mut live = cordboard.get("/api/v1/events?from=start&follow=true", &token);
    for _ in 0..50 {
        ami.whole_call();
    }
    assert_eq!(cordboard.stop(), Some(0));
    let told = live.all();
    assert!(told.last().unwrap().to_string().contains("\"disconnected\""), "{:?}", told.last());
    assert!(told.iter().zip(1..).all(|(event, expected)| sequence(event) == expected));
    cordboard.start();
    let stored = cordboard.get("/api/v1/events?from=start", &token).all();
    assert_eq!(messages(&stored)[..told.len()], messages(&told));
}
