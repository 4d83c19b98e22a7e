//! The hub itself: two organisations whose directories change by chance while people of all roles subscribe to whatever
//! they like, of their own organisation, of the other, and of none.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use cordboard_core::change::{Change, Membership, QueueProfile};
use cordboard_core::event::{Availability, ListProfile, Profile, Reach};
use cordboard_core::listed::Listed as _;
use cordboard_core::request::{Ask, Asker, AskerRole};
use cordboard_core::{Guid, Request, Time};
use cordboard_dialects::enreach::ids::{self, Entity};
use cordboard_dialects::enreach::{EntityKind, EventName};
use cordboard_server::clock::Clock;
use cordboard_server::config::{Config, Rte, Team, Tenant};
use cordboard_server::engine::work::{Question, Work};
use cordboard_server::gateway::rte::{RteClient, RteHub};
use cordboard_server::gateway::signalr::Outbox;
use cordboard_server::gateway::signalr::hub::{Hub as _, HubClient as _, Protocol};
use cordboard_server::identity::Identities;
use cordboard_server::metrics::ServerMetrics;
use cordboard_server::mirror::own_dialect;
use cordboard_server::permit::Permit;
use cordboard_server::tenant::Running;
use cordboard_server::tokens::{Grant, NewToken, Role, Tokens};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::{LISTS, PEOPLE, Person, QUEUES, Site, Who, alert, callback, id, is_of, list, queue, user};

const TENANTS: [&str; 2] = ["ours", "theirs"];
/// The team of the supervisors.
const AGENTS: [usize; 2] = [1, 2];
const TEAM_QUEUE: usize = 3;
/// What happens again and again here.
const OFTEN: [EventName; 4] =
    [EventName::UserStatus, EventName::UserAvailability, EventName::QueueStatus, EventName::CallbackChanged];

/// One thing that happens, or that somebody tries.
#[derive(Debug, Clone)]
enum Step {
    Describe {
        tenant: usize,
        user: usize,
    },
    Remove {
        tenant: usize,
        user: usize,
    },
    Assign {
        tenant: usize,
        queue: usize,
        user: usize,
        on: bool,
    },
    List {
        tenant: usize,
        list: usize,
        queue: Option<usize>,
    },
    Callback {
        tenant: usize,
        list: usize,
    },
    Available {
        tenant: usize,
        user: usize,
    },
    Alert {
        tenant: usize,
        user: usize,
        queue: usize,
    },
    Subscribe {
        reader: usize,
        event: usize,
        of: usize,
        kind: usize,
        at: usize,
    },
    /// To all that there is, by id: what may be seen later, or no longer, is among it.
    SubscribeMuch {
        reader: usize,
    },
    SubscribeAll {
        reader: usize,
        event: usize,
    },
    Unsubscribe {
        reader: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tenant = || 0..TENANTS.len();
    let step = prop_oneof![
        2 => (tenant(), 0..PEOPLE).prop_map(|(tenant, user)| Step::Describe { tenant, user }),
        1 => (tenant(), 0..PEOPLE).prop_map(|(tenant, user)| Step::Remove { tenant, user }),
        6 => (tenant(), 0..QUEUES, 0..PEOPLE, any::<bool>())
            .prop_map(|(tenant, queue, user, on)| Step::Assign { tenant, queue, user, on }),
        3 => (tenant(), 0..LISTS, proptest::option::of(0..QUEUES))
            .prop_map(|(tenant, list, queue)| Step::List { tenant, list, queue }),
        4 => (tenant(), 0..LISTS).prop_map(|(tenant, list)| Step::Callback { tenant, list }),
        4 => (tenant(), 0..PEOPLE).prop_map(|(tenant, user)| Step::Available { tenant, user }),
        2 => (tenant(), 0..PEOPLE, 0..QUEUES).prop_map(|(tenant, user, queue)| Step::Alert { tenant, user, queue }),
        12 => (0..READERS.len(), 0..EventName::ALL.len(), 0..3_usize, 0..3_usize, 0..PEOPLE)
            .prop_map(|(reader, event, of, kind, at)| Step::Subscribe { reader, event, of, kind, at }),
        8 => (0..READERS.len()).prop_map(|reader| Step::SubscribeMuch { reader }),
        2 => (0..READERS.len(), 0..EventName::ALL.len()).prop_map(|(reader, event)| Step::SubscribeAll { reader, event }),
        1 => (0..READERS.len()).prop_map(|reader| Step::Unsubscribe { reader }),
    ];
    proptest::collection::vec(step, 60..160)
}

/// Who looks, of which organisation.
const READERS: [(usize, &str); 7] = [
    (0, "administrator"),
    (0, "agent"),
    (0, "agent beside"),
    (0, "supervisor"),
    (0, "queues"),
    (1, "agent"),
    (1, "supervisor"),
];

fn who(name: &str) -> (Who, Role, String) {
    let agent = |at: usize| (Who::Agent(at), Role::Agent { agent: user(at) }, user(at));
    match name {
        "administrator" => (Who::Administrator, Role::Administrator, "root".into()),
        "agent" => agent(0),
        "agent beside" => agent(1),
        "supervisor" => {
            let (agents, queues) = (AGENTS.into(), [TEAM_QUEUE].into());
            let who = Who::Supervisor { own: 4, agents, devices: [].into(), queues };
            (who, Role::Supervisor { team: "team".into() }, user(4))
        }
        _ => {
            let grants = [Grant::SeeQueues];
            (Who::Granted(grants.into()), Role::Granted { grants: grants.into() }, "wallboard".into())
        }
    }
}

struct Reader {
    tenant: usize,
    who: Who,
    client: RteClient,
    outbox: Arc<Outbox>,
}

/// Two organisations as they run, and what is true of them.
struct World {
    _dir: tempfile::TempDir,
    running: Vec<Running>,
    sites: Vec<Site>,
    readers: Vec<Reader>,
    asked: u64,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let team = Team {
            name: "team".into(),
            agents: AGENTS.into_iter().map(user).collect(),
            devices: Vec::new(),
            queues: vec![queue(TEAM_QUEUE)],
        };
        let tenant = |name: &&str| Tenant { name: (*name).into(), team: vec![team.clone()], ..Tenant::default() };
        let rte = Rte { extensions: true, status_interval_ms: 0, ..Rte::default() };
        let tenant = TENANTS.iter().map(tenant).collect();
        let config = Config { data: dir.path().to_owned(), rte, tenant, ..Config::default() };
        let metrics = ServerMetrics::default();
        let start = |tenant| Running::start(&config, tenant, &metrics).unwrap();
        let running: Vec<Running> = config.tenant.iter().map(start).collect();
        let tenants: Vec<_> = running.iter().map(|running| Arc::clone(&running.tenant)).collect();
        let identities = Arc::new(Identities::new(tenants, Clock::default(), &config).unwrap());
        let hub = RteHub::new(Arc::clone(&identities), &config.rte, Default::default());
        let (tokens, now, from) = (Tokens::new(&config.data), Clock::default().now(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut readers = Vec::new();
        for (tenant, name) in READERS {
            let (who, role, user) = who(name);
            let wanted = NewToken { role: &role, tenant: TENANTS[tenant], name, user: Some(&user), expires_at: None };
            let secret = tokens.create_for(&wanted, now).unwrap();
            let header = format!("Bearer {secret}").parse().unwrap();
            let headers = [(axum::http::header::AUTHORIZATION, header)].into_iter().collect();
            let identity = identities.authenticate_header(&headers, from).await.unwrap();
            let jwt = identities.issue(&identity).unwrap();
            let known = hub.authenticate(Some(&jwt), from).await.unwrap();
            let outbox = Arc::new(Outbox::new(Arc::clone(hub.outboxes())));
            let client = hub.connect(known, Arc::clone(&outbox), Protocol::Json);
            readers.push(Reader { tenant, who, client, outbox });
        }
        let nobody = Person {
            described: false,
            agent: false,
            at_work: false,
            owns: None,
            serves: [false; QUEUES],
            assigned: [false; QUEUES],
        };
        let site = Site {
            people: vec![nobody; PEOPLE],
            lists: vec![None; LISTS],
            callbacks: Vec::new(),
            alerts: Vec::new(),
            telephones: false,
        };
        let mut world = Self { _dir: dir, running, sites: vec![site; TENANTS.len()], readers, asked: 0 };
        for tenant in 0..TENANTS.len() {
            for at in 0..QUEUES {
                let profile = QueueProfile::default();
                assert!(world.change(tenant, Change::DescribeQueue { queue: queue(at), profile }).await);
            }
            for at in 0..LISTS {
                let profile = ListProfile { title: list(at), ..ListProfile::default() };
                assert!(world.change(tenant, Change::DescribeList { list: list(at), profile }).await);
            }
        }
        world
    }

    /// Whether it was done. Everything that follows from it was told when it is answered.
    async fn change(&mut self, tenant: usize, change: Change) -> bool {
        self.asked += 1;
        let request = Request {
            client: "test/test".into(),
            by: Asker { name: "test".into(), role: AskerRole::Administrator },
            reference: Some(self.asked),
            device: String::new(),
            ask: Ask::Change(Box::new(change)),
            refused: None,
            deadline_ms: 10_000,
        };
        let (question, answer) = Question::new(request, Permit::Administrator, own_dialect());
        let running = &self.running[tenant];
        assert!(running.work.send(Work::Asked(Box::new(question))).await.is_ok());
        let answer = answer.await.unwrap().unwrap();
        assert!(running.tenant.durable(answer.position).await);
        while running.tenant.feed().behind() > 0 {
            tokio::task::yield_now().await;
        }
        // The feed answers when it has told the states that the event changed.
        for reader in &mut self.readers {
            drop(reader.client.invoke("ActiveSubscriptions", Vec::new()).await.unwrap());
        }
        answer.refused.is_none()
    }

    async fn step(&mut self, step: &Step, number: usize) {
        match step {
            Step::Describe { tenant, user: at } => {
                let profile = Profile { name: format!("Person {number}"), ..Profile::default() };
                let done = self.change(*tenant, Change::DescribeUser { user: user(*at), profile }).await;
                self.sites[*tenant].people[*at].described |= done;
            }
            Step::Remove { tenant, user: at } => {
                if self.change(*tenant, Change::RemoveUser { user: user(*at) }).await {
                    self.reread(*tenant).await;
                }
            }
            Step::Assign { tenant, queue: to, user: at, on } => {
                let (queue, user, membership) = (queue(*to), user(*at), Membership { active: true, priority: 0 });
                let change = if *on {
                    Change::AssignMember { queue, user, membership }
                } else {
                    Change::RemoveMember { queue, user }
                };
                if self.change(*tenant, change).await {
                    self.sites[*tenant].people[*at].assigned[*to] = *on;
                    self.reread(*tenant).await;
                }
            }
            Step::List { tenant, list: at, queue: of } => {
                let profile = ListProfile { title: list(*at), guid: None, queue: of.map(queue) };
                if self.change(*tenant, Change::DescribeList { list: list(*at), profile }).await {
                    self.sites[*tenant].lists[*at] = *of;
                }
            }
            Step::Callback { tenant, list: on } => {
                let callback = Box::new(callback(&list(*on), None));
                _ = self.change(*tenant, Change::CreateCallback { id: id(2, number), callback }).await;
            }
            Step::Available { tenant, user: at } => {
                let availability = Availability {
                    id: id(1, number),
                    reach: Reach::Busy,
                    from: Time(0),
                    until: None,
                    note: String::new(),
                    source: String::new(),
                    transfer_to: String::new(),
                };
                _ = self.change(*tenant, Change::SetAvailability { user: user(*at), availability }).await;
                self.reread(*tenant).await;
            }
            Step::Alert { tenant, user: at, queue: on } => {
                let rule = Box::new(alert(&user(*at), &queue(*on)));
                _ = self.change(*tenant, Change::DefineAlert { id: id(3, number), rule }).await;
                self.reread(*tenant).await;
            }
            Step::Subscribe { reader, event, of, kind, at } => self.subscribe(*reader, *event, (*of, *kind, *at)).await,
            Step::SubscribeMuch { reader } => {
                let of = self.readers[*reader].tenant;
                for (event, name) in EventName::ALL.iter().enumerate().filter(|(_, name)| OFTEN.contains(name)) {
                    for (kind, at) in (0..3).flat_map(|kind| (0..PEOPLE).map(move |at| (kind, at))) {
                        if is_of(*name, &entity(kind, at)) {
                            self.subscribe(*reader, event, (of, kind, at)).await;
                        }
                    }
                }
            }
            Step::SubscribeAll { reader, event } => {
                let event = EventName::ALL[*event];
                let result = self.ask(*reader, "Subscribe", event, "*").await;
                let many = match &self.readers[*reader].who {
                    Who::Service | Who::Administrator | Who::Supervisor { .. } => true,
                    Who::Agent(_) => false,
                    Who::Granted(_) => event.kind() == EntityKind::Queue,
                };
                assert_eq!(result["subscribed"], many, "{result}");
            }
            Step::Unsubscribe { reader } => {
                drop(self.readers[*reader].client.invoke("UnsubscribeAll", Vec::new()).await.unwrap());
            }
        }
    }

    /// Who is in the directory is for others to test; who sees it is for us.
    async fn reread(&mut self, tenant: usize) {
        let look = |world: &cordboard_server::mirror::View<'_>| {
            (0..PEOPLE).map(|at| world.is_user(&user(at))).collect::<Vec<bool>>()
        };
        let known = self.running[tenant].tenant.mirror().look(look).await.unwrap();
        let assigned = |at: usize| {
            let look = move |world: &cordboard_server::mirror::View<'_>| {
                let of = |on| world.queues.get(&queue(on)).is_some_and(|queue| queue.assigned.contains_key(&user(at)));
                std::array::from_fn::<bool, QUEUES, _>(of)
            };
            self.running[tenant].tenant.mirror().look(look)
        };
        let mut assignments = Vec::new();
        for at in 0..PEOPLE {
            assignments.push(assigned(at).await.unwrap());
        }
        for (at, (known, assigned)) in known.into_iter().zip(assignments).enumerate() {
            let person = &mut self.sites[tenant].people[at];
            (person.described, person.assigned) = (known, assigned);
        }
    }

    async fn ask(&mut self, reader: usize, method: &str, event: EventName, entity: &str) -> Value {
        let items = json!([{"EntityId": entity, "EventName": event.wire()}]);
        let result = self.readers[reader].client.invoke(method, vec![items]).await.unwrap().unwrap();
        result[0].clone()
    }

    async fn subscribe(&mut self, reader: usize, event: usize, (of, kind, at): (usize, usize, usize)) {
        let (event, entity) = (EventName::ALL[event], entity(kind, at));
        // Of an organisation that is none, the ids are as good as any.
        let guid = guid(TENANTS.get(of).copied().unwrap_or("none"), &entity);
        let result = self.ask(reader, "Subscribe", event, &guid.to_string()).await;
        let Reader { tenant, who, .. } = &self.readers[reader];
        let right = *tenant == of && self.sites[of].visible(who).contains(&entity) && is_of(event, &entity);
        let message = if right { Value::Null } else { json!("Unauthorized") };
        let (guid, event) = (guid.to_string(), event.wire().to_lowercase());
        let expected = json!({"subscribed": right, "message": message, "entityId": guid, "eventName": event});
        assert_eq!(result, expected, "{who:?} {entity:?}");
    }

    /// Everything that was told is about what its reader may see, and names nothing of the other organisation. Gives how
    /// much that was.
    fn judge(&self) -> usize {
        let ids: Vec<BTreeMap<String, Entity>> = TENANTS
            .iter()
            .map(|tenant| everything().map(|entity| (guid(tenant, &entity).to_string(), entity)).collect())
            .collect();
        let mut told = 0;
        for Reader { tenant, who, outbox, .. } in &self.readers {
            let mut bytes = Vec::new();
            _ = outbox.drain(Protocol::Json, Instant::now(), usize::MAX, &mut bytes);
            // Who was just taken out of the directory is told of one last time to those who may see such a person.
            let mut site = self.sites[*tenant].clone();
            site.people.iter_mut().for_each(|person| person.described = true);
            let visible = site.visible(who);
            for text in bytes.iter().map(|bytes| std::str::from_utf8(bytes).unwrap().trim_end_matches('\u{1e}')) {
                let message: Value = serde_json::from_str(text).unwrap();
                let told_of = message["arguments"][0]["data"]["entityId"].as_str().unwrap();
                let entity = ids[*tenant].get(told_of);
                assert!(entity.is_some_and(|entity| visible.contains(entity)), "{who:?} was told {text}");
                assert!(!ids[1 - *tenant].keys().any(|id| text.contains(id.as_str())), "{who:?} was told {text}");
                told += 1;
            }
        }
        told
    }
}

fn entity(kind: usize, at: usize) -> Entity {
    match kind {
        0 => Entity::User(user(at)),
        1 => Entity::Queue(queue(at % QUEUES)),
        _ => Entity::List(list(at % LISTS)),
    }
}

fn everything() -> impl Iterator<Item = Entity> {
    (0..3).flat_map(|kind| (0..PEOPLE).map(move |at| entity(kind, at)))
}

fn guid(tenant: &str, entity: &Entity) -> Guid {
    let organisation = ids::organisation(tenant);
    match entity {
        Entity::User(name) => ids::named(organisation, &["user:", name]),
        Entity::Queue(name) => ids::named(organisation, &["queue:", name]),
        Entity::List(name) => ids::named(organisation, &["list:", name]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_by_the_hub_what_may_not_be_seen(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for (number, step) in steps.iter().enumerate() {
                world.step(step, number).await;
                _ = world.judge();
            }
            for running in world.running.drain(..) {
                running.stop().await.unwrap();
            }
        });
    }
}

/// The judge judges something: subscribers are told of what happens to what they see.
#[tokio::test(flavor = "multi_thread")]
async fn the_hub_tells_what_may_be_seen() {
    let mut world = World::new().await;
    let described = Step::Describe { tenant: 0, user: 0 };
    world.step(&described, 0).await;
    for reader in 0..READERS.len() {
        for event in 0..EventName::ALL.len() {
            for kind in 0..3 {
                world.step(&Step::Subscribe { reader, event, of: 0, kind, at: 0 }, 0).await;
            }
        }
    }
    _ = world.judge();
    world.step(&Step::Available { tenant: 0, user: 0 }, 1).await;
    // The administrator and the agent: that the availability is another one, and the state. Nobody else.
    assert_eq!(world.judge(), 4);
    for running in world.running.drain(..) {
        running.stop().await.unwrap();
    }
}
