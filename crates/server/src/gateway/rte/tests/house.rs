//! A tenant made of a log and a feed, without a loop: what happens is written into the log as it is.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{
    AgentFact, AlertFact, AlertRule, Callback, CallbackDetails, CallbackFact, CallbackKind, ListFact, ListProfile,
    Membership, Profile, QueueFact, Setting, SettingLevel, UserFact,
};
use cordboard_core::{Event, Fact, Guid, Origin, Time, World};
use cordboard_dialects::Settings;
use cordboard_dialects::enreach::ids;
use cordboard_signalr::Protocol;
use prometheus_client::metrics::histogram::Histogram;
use serde_json::{Value, json};

use super::super::feed::{Feed, FeedParts};
use super::super::{ClientId, RteClient};
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::config::Rte;
use crate::gateway::signalr::hub::{HubClient as _, HubError};
use crate::gateway::signalr::outbox::{Drained, Outbox, OutboxLimits, Outboxes};
use crate::log::disk::RealDisk;
use crate::log::{Log, LogConfig, LogWriter, Position, open};
use crate::permit::{Permit, Team};
use crate::state::fold_next;

/// The user of most tests.
pub(super) const ANNA: &str = "anna";
/// The queue of most tests.
pub(super) const SALES: &str = "sales";
/// The call list of most tests.
pub(super) const LATER: &str = "later";

pub(super) struct House {
    pub(super) feed: Feed,
    thread: Option<JoinHandle<()>>,
    writer: Option<LogWriter>,
    pub(super) log: Log,
    pub(super) limits: Rte,
    pub(super) outboxes: Arc<Outboxes>,
    world: World,
    at: u64,
    next: ClientId,
}

/// Limits that let a test see everything at once.
pub(super) fn limits() -> Rte {
    Rte { status_interval_ms: 0, extensions: true, ..Rte::default() }
}

impl House {
    /// Founds a tenant in this folder, or goes on with what is there.
    pub(super) fn open(dir: &Path, tenant: &str, limits: Rte) -> Self {
        let opened = open(Arc::new(RealDisk), &dir.join("log"), LogConfig::default(), 1).unwrap();
        let (log, mut writer) = (opened.log, opened.writer);
        if log.durable().sequence == 0 {
            let fact = Fact::Founded { tenant: tenant.to_owned() };
            writer.append(1, &serde_json::to_vec(&event(1, fact)).unwrap()).unwrap();
            writer.commit().unwrap();
        }
        let (mut world, mut reader) = (World::default(), log.reader(log.oldest()).unwrap());
        while fold_next(&mut reader, &mut world).unwrap().is_some() {}
        let checkpoints = Checkpoints::open(&dir.join("checkpoints"), log.durable().epoch, 4).unwrap();
        let at = world.now.max(Clock::default().now()).0;
        let (feed, thread) = Feed::start(FeedParts {
            tenant: tenant.to_owned(),
            log: log.clone(),
            reader,
            world: world.clone(),
            checkpoints: Arc::new(checkpoints),
            settings: Arc::new(Settings::default()),
            limits: limits.clone(),
            clock: Clock::default(),
            told_after: Histogram::new([1.0]),
        })
        .unwrap();
        let outbox = OutboxLimits { messages_max: limits.outbox_messages_max, bytes_max: limits.outbox_bytes_max };
        let (outboxes, thread, writer) =
            (Arc::new(Outboxes::new(outbox)), Some(thread), Some(writer.into_background().unwrap()));
        Self { feed, thread, writer, log, limits, outboxes, world, at, next: 0 }
    }

    /// With a person, a queue and a call list of it.
    pub(super) fn furnished(dir: &Path, tenant: &str, limits: Rte) -> Self {
        let mut house = Self::open(dir, tenant, limits);
        house.tell(user(ANNA, UserFact::Described(Profile::default())));
        house.tell(Fact::Queue { queue: SALES.into(), fact: QueueFact::Found { switch: "box".into() } });
        let profile = ListProfile { queue: Some(SALES.into()), ..ListProfile::default() };
        house.tell(Fact::List { list: LATER.into(), fact: ListFact::Described(profile) });
        house
    }

    /// Something becomes true.
    pub(super) fn tell(&mut self, fact: Fact) -> Position {
        self.at += 1;
        let event = event(self.at, fact);
        cordboard_core::evolve(&mut self.world, &event);
        let writer = self.writer.as_mut().unwrap();
        writer.append(self.at, &serde_json::to_vec(&event).unwrap()).unwrap()
    }

    /// A setting of somebody changes: one event, which says this.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.tell(setting(name, value));
    }

    pub(super) fn user(&self, name: &str) -> String {
        ids::user(&self.world, name).to_string()
    }

    pub(super) fn queue(&self, name: &str) -> String {
        ids::queue(&self.world, name).to_string()
    }

    pub(super) fn list(&self, name: &str) -> String {
        ids::list(&self.world, name).to_string()
    }

    /// Somebody connects.
    pub(super) fn connect(&mut self, permit: Permit) -> Guest {
        self.next += 1;
        let outbox = Arc::new(Outbox::new(Arc::clone(&self.outboxes)));
        let user = match &permit {
            Permit::Agent { agent, .. } => agent.clone(),
            Permit::Supervisor { user, .. } => user.clone(),
            Permit::Service | Permit::Granted(_) | Permit::Administrator => "program".to_owned(),
        };
        let limits = Arc::new(self.limits.clone());
        let client = RteClient::new(self.feed.clone(), self.next, (user.into(), permit), Arc::clone(&outbox), limits);
        Guest { client, outbox }
    }

    /// Waits until everything that happened was told.
    pub(super) async fn settle(&mut self) {
        assert!(self.writer.as_ref().unwrap().flush(Duration::from_secs(20)));
        while self.feed.behind() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // What is asked now is answered after states were told.
        let mut guest = self.connect(Permit::Service);
        guest.invoke("ActiveSubscriptions", json!([])).await;
    }

    /// As a crash would: nothing is told that was not, nothing is stored.
    pub(super) fn stop(mut self) {
        self.feed.stop();
        self.thread.take().unwrap().join().unwrap();
        self.writer.take().unwrap().close().unwrap();
    }
}

/// Somebody who is connected.
pub(super) struct Guest {
    pub(super) client: RteClient,
    pub(super) outbox: Arc<Outbox>,
}

impl Guest {
    pub(super) async fn try_invoke(&mut self, method: &str, arguments: Value) -> Result<Value, HubError> {
        let Value::Array(arguments) = arguments else { panic!("arguments are a list") };
        let answer = self.client.invoke(method, arguments).await;
        self.outbox.release();
        answer.map(Option::unwrap_or_default)
    }

    pub(super) async fn invoke(&mut self, method: &str, arguments: Value) -> Value {
        self.try_invoke(method, arguments).await.unwrap()
    }

    /// Subscribes to one thing; whether it was granted.
    pub(super) async fn subscribe(&mut self, entity: &str, event: &str) -> bool {
        let item = json!({"EntityId": entity, "EventName": event});
        self.invoke("Subscribe", json!([[item]])).await[0]["subscribed"] == true
    }

    /// Everything that waits, as the argument of each message; none where the connection was given up.
    pub(super) fn take(&self) -> Option<Vec<Value>> {
        self.take_at(Instant::now())
    }

    pub(super) fn take_at(&self, now: Instant) -> Option<Vec<Value>> {
        let mut out = Vec::new();
        match self.outbox.drain(Protocol::Json, now, usize::MAX, &mut out) {
            Drained::All | Drained::More => {}
            Drained::Close(_) => return None,
        }
        let argument = |bytes: &bytes::Bytes| {
            let message: Value = serde_json::from_slice(bytes.strip_suffix(b"\x1e").unwrap()).unwrap();
            assert_eq!((&message["type"], &message["target"]), (&json!(1), &json!("MessageReceived")));
            message["arguments"][0].clone()
        };
        Some(out.iter().map(argument).collect())
    }

    /// The names of the events that wait.
    pub(super) fn events(&self) -> Vec<String> {
        let taken = self.take().unwrap();
        taken.iter().map(|message| message["data"]["eventType"].as_str().unwrap().to_owned()).collect()
    }
}

fn event(at: u64, fact: Fact) -> Event {
    Event { at: Time(at), since: None, origin: Origin::Live, request: None, fact }
}

pub(super) fn user(name: &str, fact: UserFact) -> Fact {
    Fact::User { user: name.to_owned(), fact }
}

pub(super) fn setting(name: &str, value: &str) -> Fact {
    let (values, allowed, level) = (None, None, SettingLevel::User);
    let setting = Setting { keyword: "k".into(), value: value.to_owned(), values, allowed, level };
    user(name, UserFact::SettingChanged(setting))
}

pub(super) fn picks(name: &str, on: bool) -> Fact {
    user(name, UserFact::PicksCalls { on })
}

pub(super) fn callback(id: u128, list: &str) -> Fact {
    let callback = Callback {
        list: list.to_owned(),
        kind: CallbackKind::Manual,
        call: None,
        queue: None,
        target_number: String::new(),
        personal: None,
        by: None,
        details: CallbackDetails::default(),
    };
    Fact::Callback { callback: Guid(id), fact: CallbackFact::Created(Box::new(callback)) }
}

pub(super) fn alert(id: u128, name: &str, queue: &str) -> Fact {
    let condition =
        Condition::Compare { counter: QueueCounter::Waiting, comparison: Comparison::AtLeast, value: 1_000 };
    let (user, queue) = (name.to_owned(), queue.to_owned());
    let (text, threshold) = (String::new(), String::new());
    let rule = AlertRule { user, queue, name: "many".to_owned(), text, threshold, condition };
    Fact::Alert { alert: Guid(id), fact: AlertFact::Defined(Box::new(rule)) }
}

pub(super) fn fired(id: u128, value: i64) -> Fact {
    Fact::Alert { alert: Guid(id), fact: AlertFact::Fired { value } }
}

pub(super) fn assigned(queue: &str, name: &str) -> Fact {
    Fact::Queue {
        queue: queue.to_owned(),
        fact: QueueFact::MemberAssigned { user: name.to_owned(), membership: Membership { active: true, priority: 0 } },
    }
}

pub(super) fn removed(queue: &str, name: &str) -> Fact {
    Fact::Queue { queue: queue.to_owned(), fact: QueueFact::MemberRemoved { user: name.to_owned() } }
}

pub(super) fn found(agent: &str) -> Fact {
    Fact::Agent { agent: agent.to_owned(), fact: AgentFact::Found { name: String::new() } }
}

pub(super) fn agent(name: &str) -> Permit {
    Permit::Agent { agent: name.to_owned(), devices: Arc::default() }
}

pub(super) fn supervisor(agents: &[&str], queues: &[&str]) -> Permit {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let team = Team { name: "t".into(), agents: set(agents), devices: set(queues), queues: set(queues) };
    Permit::Supervisor { user: "lead".into(), team: Arc::new(team) }
}
