//! What happened, in plain numbers: one JSON object for a whole recording.

use std::collections::BTreeMap;

use cordboard_core::event::{CallFact, Cause, DequeueReason, DeviceKind, Fact, Origin, TransferKind};
use cordboard_core::presence::Presence;
use cordboard_core::record::{CallRecord, HungUp, Recorder};
use cordboard_core::{CallId, Event, Time, World};
use serde_json::{Map, Value, json};

use super::machine::Machine;
use super::recording::Recording;

/// Plays a recording and tells what happened. Times are seconds since its start, to the millisecond.
pub fn report(machine: Machine, recording: &Recording) -> Value {
    let mut story = Story::default();
    let machine = machine.play(recording, |world, _, event| story.note(world, event));
    let counts = json!({
        "messages": machine.messages, "ignored": machine.stage.source.ignored(), "malformed": machine.malformed,
        "resyncs": machine.snapshots.saturating_sub(1), "synthesised": story.synthesised,
    });
    story.tell(counts)
}

#[derive(Default)]
struct Story {
    recorder: Recorder,
    calls: BTreeMap<CallId, CallRecord>,
    agents: BTreeMap<String, Timeline>,
    devices: BTreeMap<String, Timeline>,
    queues: BTreeMap<String, QueueCount>,
    threads: BTreeMap<CallId, String>,
    synthesised: u64,
}

/// States with the time they began; an agent's with reason and queue.
#[derive(Default)]
struct Timeline {
    device: Option<String>,
    steps: Vec<(Time, Presence, Option<String>, Option<String>)>,
}

#[derive(Default)]
struct QueueCount {
    entered: u64,
    answered: u64,
    abandoned: u64,
    timed_out: u64,
    other: u64,
    longest_us: u64,
    since: BTreeMap<CallId, Time>,
}

impl Story {
    fn note(&mut self, world: &World, event: &Event) {
        let at = event.since.unwrap_or(event.at);
        self.synthesised += u64::from(event.origin == Origin::Synthesised);
        if let Some((id, record)) = self.recorder.note(world, event) {
            self.calls.insert(id, record);
        }
        if let Fact::Call { call, fact } = &event.fact {
            self.count(*call, at, fact);
            if let Some(known) = world.calls.get(call) {
                self.threads.insert(*call, known.story.0.to_string());
            }
        }
        self.look(world, at);
    }

    fn count(&mut self, call: CallId, at: Time, fact: &CallFact) {
        if let CallFact::Queued { queue, .. } = fact {
            let count = self.queues.entry(queue.clone()).or_default();
            count.entered += 1;
            count.since.insert(call, at);
        } else if let CallFact::Dequeued { queue, reason, .. } = fact {
            let count = self.queues.entry(queue.clone()).or_default();
            match reason {
                DequeueReason::Answered => count.answered += 1,
                DequeueReason::Abandoned => count.abandoned += 1,
                DequeueReason::TimedOut => count.timed_out += 1,
                // One wait, though by two calls.
                DequeueReason::TakenOver => count.entered = count.entered.saturating_sub(1),
                DequeueReason::Delivered
                | DequeueReason::Routed
                | DequeueReason::DeliveredElsewhere
                | DequeueReason::LeftEmpty
                | DequeueReason::Withdrawn
                | DequeueReason::Left
                | DequeueReason::Lost => count.other += 1,
            }
            let waited = count.since.remove(&call).map_or(0, |since| at.micros_since(since));
            count.longest_us = count.longest_us.max(waited);
        }
    }

    /// Writes down who is doing something else than before.
    fn look(&mut self, world: &World, at: Time) {
        for name in world.queues.keys().filter(|name| !self.queues.contains_key(*name)).collect::<Vec<_>>() {
            self.queues.insert(name.clone(), QueueCount::default());
        }
        for (id, agent) in &world.agents {
            let (presence, reason) = world.agent_presence(agent);
            let queue = agent.queues.keys().next().cloned();
            let timeline = self.agents.entry(id.clone()).or_default();
            if agent.device.is_some() {
                timeline.device.clone_from(&agent.device);
            }
            timeline.step(at, presence, reason.map(str::to_string), queue);
        }
        for (number, device) in world.devices.iter().filter(|(_, device)| device.kind == DeviceKind::Extension) {
            let timeline = self.devices.entry(number.clone()).or_default();
            timeline.device = Some(number.clone());
            timeline.step(at, world.device_presence(device), None, None);
        }
    }

    fn tell(self, source: Value) -> Value {
        let mut calls: Vec<(CallId, CallRecord)> = self.calls.into_iter().chain(self.recorder.into_open()).collect();
        calls.sort_by_key(|(id, record)| (record.started, *id));
        let calls: Vec<Value> = calls.iter().map(|(id, record)| call(record, self.threads.get(id))).collect();
        // A telephone that no agent ever logged in on stands for the person beside it.
        let seated: Vec<&String> = self.agents.values().filter_map(|timeline| timeline.device.as_ref()).collect();
        let persons =
            self.devices.iter().filter(|(number, _)| !seated.contains(number) && !self.agents.contains_key(*number));
        let agents: Vec<Value> = self.agents.iter().chain(persons).map(|(id, timeline)| timeline.agent(id)).collect();
        let devices: Vec<Value> = self.devices.iter().map(|(number, timeline)| timeline.device(number)).collect();
        let queues: Vec<Value> = self.queues.iter().map(|(name, count)| count.tell(name)).collect();
        json!({"calls": calls, "agents": agents, "queues": queues, "devices": devices, "source": source})
    }
}

impl Timeline {
    fn step(&mut self, at: Time, presence: Presence, reason: Option<String>, queue: Option<String>) {
        match self.steps.last_mut() {
            Some((_, was, because, _)) if *was == presence && *because == reason => {}
            // What lasts no time at all was never so.
            Some(last) if last.0 >= at => *last = (last.0, presence, reason, queue),
            Some(_) => self.steps.push((at, presence, reason, queue)),
            None => {
                // Nobody has heard of it before.
                self.steps.push((Time(0), Presence::Offline, None, None));
                self.step(at, presence, reason, queue);
            }
        }
    }

    fn agent(&self, id: &str) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|(at, presence, reason, queue)| json!({"at": seconds(*at), "state": presence.word(), "reason": reason, "queue": queue}))
            .collect();
        json!({"agent": id, "device": self.device, "timeline": steps})
    }

    fn device(&self, number: &str) -> Value {
        let steps: Vec<Value> =
            self.steps.iter().map(|(at, presence, ..)| json!({"at": seconds(*at), "state": presence.word()})).collect();
        json!({"device": number, "timeline": steps})
    }
}

impl QueueCount {
    fn tell(&self, name: &str) -> Value {
        json!({
            "queue": name, "entered": self.entered, "answered": self.answered, "abandoned": self.abandoned,
            "timed_out": self.timed_out, "other": self.other, "longest_wait_s": span(self.longest_us),
        })
    }
}

fn call(record: &CallRecord, thread: Option<&String>) -> Value {
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| {
        told.insert(key.to_string(), value);
    };
    put("thread", json!(thread));
    put("conn_id", json!(record.conn.to_string()));
    put("direction", json!(record.direction));
    put("ani", json!(record.ani));
    put("dnis", json!(record.dnis));
    put("started_at", json!(seconds(record.started)));
    if !record.answer_not_heard {
        put("answered_at", json!(record.answered.map(seconds)));
    }
    put("ended_at", json!(record.ended.map(seconds)));
    put("outcome", json!(record.outcome));
    put("ivr", json!(record.ivr));
    let queues: Vec<Value> = record
        .queues
        .iter()
        .map(|visit| json!({"queue": visit.queue, "entered_at": seconds(visit.entered), "left_at": visit.left.map(seconds), "reason": visit.reason}))
        .collect();
    put("queues", json!(queues));
    put("answered_by", json!(record.answered_by));
    put("wait_s", span(record.wait_us()));
    put("talk_s", span(record.talk_us));
    let holds: Vec<Value> = record
        .holds
        .iter()
        .map(|(by, from, to)| json!({"by": by, "from": seconds(*from), "to": to.map(seconds)}))
        .collect();
    put("hold", json!(holds));
    let transfers: Vec<Value> = record
        .transfers
        .iter()
        .map(|transfer| {
            let kind = match transfer.kind {
                TransferKind::Blind => "blind",
                TransferKind::Attended => "attended",
            };
            json!({"kind": kind, "by": transfer.by, "to": transfer.to, "at": seconds(transfer.at), "completed": transfer.completed})
        })
        .collect();
    put("transfers", json!(transfers));
    put("conference", json!(record.conference));
    let supervised: Vec<Value> = record
        .supervised
        .iter()
        .map(|(by, mode, from, to)| json!({"by": by, "mode": mode, "from": seconds(*from), "to": to.map(seconds)}))
        .collect();
    put("supervised_by", json!(supervised));
    let recordings: Vec<Value> = record
        .recordings
        .iter()
        .map(|(file, from, to)| json!({"file": file, "from": seconds(*from), "to": to.map(seconds)}))
        .collect();
    put("recordings", json!(recordings));
    put("hung_up_by", record.ended.map_or(Value::Null, |_| hung_up_by(record)));
    put("cause", json!(record.cause));
    let legs: Vec<Value> = record
        .legs
        .iter()
        .map(|leg| {
            json!({
                "device": leg.number, "role": leg.role, "rang_at": seconds(leg.began), "answered_at": leg.answered.map(seconds),
                "ended_at": leg.ended.map(seconds), "cause": leg.cause,
            })
        })
        .collect();
    put("legs", json!(legs));
    Value::Object(told)
}

fn hung_up_by(record: &CallRecord) -> Value {
    match &record.hung_up_by {
        // Nobody heard who it was.
        None if record.cause == Some(Cause::Lost) => Value::Null,
        None => json!("switch"),
        Some(HungUp::Caller) => json!("caller"),
        Some(HungUp::Agent) => json!("agent"),
        Some(HungUp::Called(number)) => json!(number),
    }
}

fn seconds(at: Time) -> f64 {
    // Milliseconds of a recording are far below 2^53, so the division is exact enough for three digits.
    (at.0 / 1_000) as f64 / 1_000.0
}

fn span(micros: u64) -> Value {
    json!((micros / 1_000) as f64 / 1_000.0)
}
