//! Nothing that is told, answered or shown names what its reader may not see: worlds, people and wishes by chance, judged by
//! a naive model of docs/authorisation.md that knows nothing of the code.

#![expect(clippy::indexing_slicing, reason = "the numbers of people, queues and lists are the constants below")]

use std::collections::BTreeSet;
use std::sync::Arc;

use cordboard_core::change::{Change, Membership};
use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{
    AgentFact, AlertFact, AlertRule, Attempt, Availability, Callback, CallbackDetails, CallbackFact, CallbackKind,
    DeviceFact, DeviceKind, ListFact, ListProfile, Profile, QueueFact, Reach, UserFact,
};
use cordboard_core::listed::Listed as _;
use cordboard_core::{Event, Fact, Guid, Origin, Time, World, evolve};
use cordboard_dialects::enreach::ids::{self, Entity};
use cordboard_dialects::enreach::{self, Board, EntityKind, EventName, Said};
use cordboard_dialects::{Position, Settings};
use cordboard_server::permit::{ChangeKind, Permit, Team, Whose, may_change};
use cordboard_server::rights::{Subject, SubjectKind, may_see, may_subscribe};
use cordboard_server::tokens::Grant;
use proptest::prelude::*;

const PEOPLE: usize = 5;
const QUEUES: usize = 4;
const LISTS: usize = 3;

/// What there is in one tenant, in the plainest form.
#[derive(Debug, Clone)]
struct Site {
    people: Vec<Person>,
    /// The queue of each list.
    lists: Vec<Option<usize>>,
    /// Callbacks, by list.
    callbacks: Vec<usize>,
    /// Alerts: of whom, on what.
    alerts: Vec<(usize, usize)>,
}

#[derive(Debug, Clone)]
struct Person {
    described: bool,
    agent: bool,
    /// Works at the telephone of the same number.
    at_work: bool,
    /// The telephone that is the own, by number.
    owns: Option<usize>,
    serves: [bool; QUEUES],
    assigned: [bool; QUEUES],
}

#[derive(Debug, Clone)]
enum Who {
    Service,
    Administrator,
    Granted(BTreeSet<Grant>),
    Agent(usize),
    Supervisor { own: usize, agents: BTreeSet<usize>, devices: BTreeSet<usize>, queues: BTreeSet<usize> },
}

fn user(at: usize) -> String {
    format!("u{at}")
}

fn device(at: usize) -> String {
    format!("d{at}")
}

fn queue(at: usize) -> String {
    format!("q{at}")
}

fn list(at: usize) -> String {
    format!("l{at}")
}

fn id(kind: u128, at: usize) -> Guid {
    Guid(kind << 32 | at as u128)
}

fn sites() -> impl Strategy<Value = Site> {
    let queues = || proptest::array::uniform4(any::<bool>());
    let person = (any::<bool>(), any::<bool>(), any::<bool>(), proptest::option::of(0..PEOPLE), queues(), queues());
    let person = person.prop_map(|(described, agent, at_work, owns, serves, assigned)| Person {
        described,
        agent,
        at_work: agent && at_work,
        owns: owns.filter(|_| described),
        serves: serves.map(|serves| serves && agent && at_work),
        assigned,
    });
    let lists = proptest::collection::vec(proptest::option::of(0..QUEUES), LISTS);
    let callbacks = proptest::collection::vec(0..LISTS, 0..4);
    let alerts = proptest::collection::vec((0..PEOPLE, 0..QUEUES), 0..4);
    (proptest::collection::vec(person, PEOPLE), lists, callbacks, alerts)
        .prop_map(|(people, lists, callbacks, alerts)| Site { people, lists, callbacks, alerts })
}

fn readers() -> impl Strategy<Value = Who> {
    let some = |most| proptest::collection::btree_set(0..most, 0..=most);
    let granted = proptest::sample::subsequence(Grant::ALL.to_vec(), 0..Grant::ALL.len());
    let supervisor = (0..PEOPLE, some(PEOPLE), some(PEOPLE), some(QUEUES));
    prop_oneof![
        1 => Just(Who::Service),
        1 => Just(Who::Administrator),
        2 => granted.prop_map(|grants| Who::Granted(grants.into_iter().collect())),
        4 => (0..PEOPLE).prop_map(Who::Agent),
        4 => supervisor.prop_map(|(own, agents, devices, queues)| Who::Supervisor { own, agents, devices, queues }),
    ]
}

impl Site {
    /// Everything that happened here.
    fn story(&self) -> Vec<Fact> {
        let mut story = Vec::new();
        for at in 0..PEOPLE {
            let fact = DeviceFact::Found { kind: DeviceKind::Extension, switch: "box".into() };
            story.push(Fact::Device { device: device(at), fact });
        }
        for at in 0..QUEUES {
            story.push(Fact::Queue { queue: queue(at), fact: QueueFact::Found { switch: "box".into() } });
        }
        for (at, of) in self.lists.iter().enumerate() {
            let profile = ListProfile { title: list(at), guid: None, queue: of.map(queue) };
            story.push(Fact::List { list: list(at), fact: ListFact::Described(profile) });
        }
        for (at, person) in self.people.iter().enumerate() {
            let (name, said) = (user(at), |fact| Fact::Agent { agent: user(at), fact });
            if person.described {
                let devices = person.owns.map(device).into_iter().collect();
                let profile = Profile { name: format!("Person {at}"), devices, ..Profile::default() };
                story.push(Fact::User { user: name.clone(), fact: UserFact::Described(profile) });
                let availability = Availability {
                    id: id(1, at),
                    reach: Reach::Busy,
                    from: Time(1),
                    until: None,
                    note: String::new(),
                    source: String::new(),
                    transfer_to: String::new(),
                };
                story.push(Fact::User { user: name, fact: UserFact::AvailabilitySet(availability) });
            }
            if person.agent {
                story.push(said(AgentFact::Found { name: String::new() }));
            }
            if person.at_work {
                story.push(said(AgentFact::LoggedIn { device: device(at), queue: None }));
                let served = (0..QUEUES).filter(|queue| person.serves[*queue]);
                story.extend(
                    served.map(|at_| said(AgentFact::LoggedIn { device: device(at), queue: Some(queue(at_)) })),
                );
                story.push(said(AgentFact::Ready));
            }
            let membership = Membership { active: true, priority: 0 };
            let assigned = (0..QUEUES).filter(|queue| person.assigned[*queue]);
            story.extend(assigned.map(|to| {
                let fact = QueueFact::MemberAssigned { user: user(at), membership };
                Fact::Queue { queue: queue(to), fact }
            }));
        }
        for (at, on) in self.callbacks.iter().enumerate() {
            let fact = CallbackFact::Created(Box::new(callback(&list(*on), None)));
            story.push(Fact::Callback { callback: id(2, at), fact });
        }
        for (at, (of, on)) in self.alerts.iter().enumerate() {
            let fact = AlertFact::Defined(Box::new(alert(&user(*of), &queue(*on))));
            story.push(Fact::Alert { alert: id(3, at), fact });
        }
        story
    }

    /// Who and what there is: the names of people, also of telephones that are nobody's, of queues and lists.
    fn everything(&self) -> BTreeSet<Entity> {
        // Whoever the directory says anything of is in it.
        let alerted = |at: usize| self.alerts.iter().any(|(of, _)| *of == at);
        let known = |person: &Person| person.described || person.agent || person.assigned.contains(&true);
        let people = (0..PEOPLE).filter(|at| known(&self.people[*at]) || alerted(*at)).map(user);
        let free = (0..PEOPLE).filter(|at| self.is_free(*at)).map(device);
        let people = people.chain(free).map(Entity::User);
        people.chain((0..QUEUES).map(queue).map(Entity::Queue)).chain((0..LISTS).map(list).map(Entity::List)).collect()
    }

    /// Whether a telephone is nobody's: nobody works there, and nobody calls it the own.
    fn is_free(&self, telephone: usize) -> bool {
        let owned = self.people.iter().any(|person| person.owns == Some(telephone));
        !owned && !self.people[telephone].at_work
    }

    /// The written rules, word by word.
    fn visible(&self, who: &Who) -> BTreeSet<Entity> {
        let own_queues = |own: usize| {
            let person = &self.people[own];
            (0..QUEUES).filter(|at| person.serves[*at] || person.assigned[*at]).collect::<BTreeSet<_>>()
        };
        let (users, queues): (BTreeSet<String>, BTreeSet<usize>) = match who {
            Who::Service | Who::Administrator => return self.everything(),
            Who::Granted(grants) => {
                let any = |some: &[Grant]| some.iter().any(|grant| grants.contains(grant));
                let sees = |entity: &Entity| match entity {
                    Entity::User(_) => any(&[Grant::Events, Grant::SeeUsers, Grant::ChangeUsers]),
                    Entity::Queue(_) => any(&[Grant::Events, Grant::SeeQueues, Grant::ChangeQueues]),
                    Entity::List(_) => any(&[Grant::Events, Grant::SeeLists, Grant::ChangeLists]),
                };
                return self.everything().into_iter().filter(sees).collect();
            }
            Who::Agent(own) => (BTreeSet::from([user(*own)]), own_queues(*own)),
            Who::Supervisor { own, agents, devices, queues } => {
                let mut users: BTreeSet<String> = agents.iter().copied().map(user).collect();
                users.insert(user(*own));
                for (at, person) in self.people.iter().enumerate() {
                    let works_there = person.at_work && devices.contains(&at);
                    if works_there || person.owns.is_some_and(|owns| devices.contains(&owns)) {
                        users.insert(user(at));
                    }
                }
                users.extend(devices.iter().copied().map(device));
                (users, queues.union(&own_queues(*own)).copied().collect())
            }
        };
        let lists = (0..LISTS).filter(|at| self.lists[*at].is_some_and(|of| queues.contains(&of)));
        let seen = users.into_iter().map(Entity::User);
        let seen = seen.chain(queues.iter().copied().map(queue).map(Entity::Queue));
        let seen: BTreeSet<Entity> = seen.chain(lists.map(list).map(Entity::List)).collect();
        seen.intersection(&self.everything()).cloned().collect()
    }
}

fn callback(list: &str, by: Option<&str>) -> Callback {
    Callback {
        list: list.into(),
        kind: CallbackKind::Manual,
        call: None,
        queue: None,
        target_number: String::new(),
        personal: None,
        by: by.map(str::to_owned),
        details: CallbackDetails { contact_number: "1".into(), ..CallbackDetails::default() },
    }
}

fn alert(user: &str, queue: &str) -> AlertRule {
    let condition = Condition::Compare { counter: QueueCounter::Agents, comparison: Comparison::AtLeast, value: 0 };
    let word = String::new;
    AlertRule { user: user.into(), queue: queue.into(), name: word(), text: word(), threshold: word(), condition }
}

fn permit(who: &Who) -> Permit {
    match who {
        Who::Service => Permit::Service,
        Who::Administrator => Permit::Administrator,
        Who::Granted(grants) => Permit::Granted(Arc::new(grants.clone())),
        Who::Agent(own) => Permit::Agent { agent: user(*own), devices: Arc::default() },
        Who::Supervisor { own, agents, devices, queues } => {
            let queues: BTreeSet<String> = queues.iter().copied().map(queue).collect();
            // As the configuration gives it: numbers of all kinds in one place.
            let devices = devices.iter().copied().map(device).chain(queues.iter().cloned()).collect();
            let agents = agents.iter().copied().map(user).collect();
            let team = Team { name: "team".into(), agents, devices, queues };
            Permit::Supervisor { user: user(*own), team: Arc::new(team) }
        }
    }
}

/// Every world of the story, and what is told of each step.
fn told(tenant: &str, site: &Site) -> (World, Vec<Said>) {
    let mut world = World::default();
    world.tenant = tenant.into();
    let (mut board, mut all) = (Board::default(), Vec::new());
    for (at, fact) in site.story().into_iter().enumerate() {
        let event = Event { at: Time(at as u64 + 1), since: None, origin: Origin::Live, request: None, fact };
        evolve(&mut world, &event);
        let position = Position { epoch: 1, sequence: at as u64 };
        enreach::say(&Settings::default(), &world, position, &event, &mut all);
        board.say(&world, position, &event, &mut all);
    }
    (world, all)
}

fn subject(entity: &Entity) -> Subject<'_> {
    match entity {
        Entity::User(name) => Subject::User(name),
        Entity::Queue(name) => Subject::Queue(name),
        Entity::List(name) => Subject::List(name),
    }
}

fn kind(event: EventName) -> SubjectKind {
    match event.kind() {
        EntityKind::User => SubjectKind::User,
        EntityKind::Queue => SubjectKind::Queue,
        EntityKind::CallList => SubjectKind::List,
    }
}

fn is_of(event: EventName, entity: &Entity) -> bool {
    matches!(
        (event.kind(), entity),
        (EntityKind::User, Entity::User(_))
            | (EntityKind::Queue, Entity::Queue(_))
            | (EntityKind::CallList, Entity::List(_))
    )
}

/// Every change that names these, under this name.
fn changes((user, other): (&str, &str), queue: &str, list: &str, of: (Guid, Guid), own: &str) -> Vec<Change> {
    let (user, by, (called, alerted)) = (user.to_owned(), Some(own.to_owned()), of);
    let (queue, list) = (queue.to_owned(), list.to_owned());
    let attempt = Attempt {
        id: id(9, 1),
        by: by.clone(),
        at: Time(1),
        result: None,
        note: String::new(),
        call: None,
        recording: None,
    };
    let membership = Membership { active: true, priority: 1 };
    vec![
        Change::RemoveUser { user: user.clone() },
        Change::EndAvailability { user: user.clone(), id: id(1, 0) },
        Change::RemoveSetting { user: user.clone(), keyword: "k".into() },
        Change::Watch { user: user.clone(), agent: other.into(), on: true },
        Change::ServeCallbacks { user: user.clone(), on: true },
        Change::EndWrapUp { user: user.clone(), wrapup: None, reason: String::new() },
        Change::AssignMember { queue: queue.clone(), user: user.clone(), membership },
        Change::RemoveMember { queue: queue.clone(), user: user.clone() },
        Change::RemoveList { list: list.clone() },
        Change::CreateCallback { id: id(9, 2), callback: Box::new(callback(&list, Some(own))) },
        Change::AssignCallback { id: called, to: Some(user.clone()), by: by.clone() },
        Change::AttemptCallback { id: called, attempt },
        Change::CloseCallback { id: called, by },
        Change::DefineAlert { id: id(9, 3), rule: Box::new(alert(&user, &queue)) },
        Change::RemoveAlert { id: alerted },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_the_written_rules_allow_is_told((ours, theirs, who) in (sites(), sites(), readers())) {
        let permit = permit(&who);
        let (world, said) = told("ours", &ours);
        let (their_world, their_said) = told("theirs", &theirs);
        let visible = ours.visible(&who);
        let shown: BTreeSet<Entity> =
            ids::entities(&world).map(|it| it.1).filter(|it| may_see(&world, &permit, subject(it))).collect();
        prop_assert_eq!(&shown, &visible);

        // Every event of everything here, everything there, and of nothing.
        let nothing = [Guid(0), Guid(7), ids::organisation("ours"), ids::organisation("theirs")];
        let all = ids::entities(&world).chain(ids::entities(&their_world)).map(|(guid, _)| guid);
        let mut heard = BTreeSet::new();
        for guid in all.chain(nothing) {
            let found = ids::find(&world, guid);
            for event in EventName::ALL.iter().copied() {
                let may = may_subscribe(&world, &permit, kind(event), found.as_ref().map(subject));
                let right = found.as_ref().is_some_and(|entity| visible.contains(entity) && is_of(event, entity));
                prop_assert_eq!(may, right, "{:?} {:?}", event, found);
                if may {
                    heard.insert((event, guid));
                }
            }
        }
        // What is told is about what may be seen, and no id of others is in any of it.
        let their_ids: BTreeSet<String> = ids::entities(&their_world).map(|(guid, _)| guid.to_string()).collect();
        for message in said.iter().chain(&their_said).filter(|it| heard.contains(&(it.event, it.entity))) {
            let entity = ids::find(&world, message.entity);
            prop_assert!(entity.as_ref().is_some_and(|entity| visible.contains(entity)));
            prop_assert!(!their_ids.iter().any(|guid| message.body.contains(guid.as_str())), "{}", message.body);
        }
    }

    #[test]
    fn who_is_refused_learns_nothing((site, who, at) in (sites(), readers(), proptest::array::uniform6(0..PEOPLE))) {
        let permit = permit(&who);
        let (world, _) = told("ours", &site);
        let visible = site.visible(&who);
        let own = match &who {
            Who::Agent(own) | Who::Supervisor { own, .. } => user(*own),
            Who::Service | Who::Administrator | Who::Granted(_) => String::new(),
        };
        let [a, b, c, d, e, f] = at;
        let (c, d) = (c % QUEUES, d % LISTS);
        let named = ((user(a), user(b)), queue(c), list(d), (id(2, e), id(3, f)));
        let nothing = ("nobody", "nowhere", id(9, 9));
        let sees = |entity: Entity| visible.contains(&entity);
        let sees_callback = site.callbacks.get(e).is_some_and(|on| sees(Entity::List(list(*on))));
        // Whom the own team names is known, there or not.
        let knows = |name: &str| match &who {
            Who::Supervisor { agents, .. } => name == own || agents.iter().any(|at| user(*at) == name),
            Who::Service | Who::Administrator | Who::Granted(_) | Who::Agent(_) => name == own,
        };
        let sees_user = |name: &str| knows(name) || sees(Entity::User(name.to_owned()));
        let sees_alert = site.alerts.get(f).is_some_and(|(of, _)| sees_user(&user(*of)));
        // The same with everything that may not be seen replaced by what does not exist.
        let or = |seen: bool, name: &str, none: &str| if seen { name.to_owned() } else { none.to_owned() };
        let people = |name: &str| or(sees_user(name), name, nothing.0);
        let ((user, other), queue, list, (called, alerted)) = &named;
        let given = changes((user, other), queue, list, (*called, *alerted), &own);
        let masked = changes(
            (&people(user), &people(other)),
            &or(sees(Entity::Queue(queue.clone())), queue, nothing.1),
            &or(sees(Entity::List(list.clone())), list, nothing.1),
            (if sees_callback { *called } else { nothing.2 }, if sees_alert { *alerted } else { nothing.2 }),
            &own,
        );
        for (given, masked) in given.iter().zip(&masked) {
            let answer = may_change(&world, &permit, given);
            if matches!(who, Who::Agent(_) | Who::Supervisor { .. }) {
                prop_assert_eq!(&answer, &may_change(&world, &permit, masked), "{:?}", given);
                prop_assert!(answer.is_err() || given == masked, "{:?}", given);
            }
            let text = answer.err().unwrap_or_default();
            prop_assert!([user, other, queue, list].iter().all(|name| !text.contains(name.as_str())), "{}", text);
        }
    }
}

/// The table that runs is the table that customers read. `UPDATE=1` writes it.
#[test]
fn the_table_of_changes_is_written_down() {
    let word = |whose: Whose| match whose {
        Whose::Nobodys => "–",
        Whose::Own => "the own",
        Whose::Teams => "the own and the team's",
        Whose::All => "everybody's",
    };
    let mut text =
        "# Who changes what of the directory\n\nWhose things a role changes; `–`: none. Administrators, and \
                    services without grants, change everybody's. Printed by\n`crates/server/tests/rights.rs` from the \
                    table that runs; [authorisation.md](authorisation.md) says what is whose.\n\n\
                    | change | an agent | a supervisor | a service that is granted |\n|---|---|---|---|\n"
            .to_owned();
    for kind in ChangeKind::ALL {
        let (agent, supervisor, grant) = kind.row();
        text += &format!("| {} | {} | {} | `{}` |\n", kind.name(), word(agent), word(supervisor), grant.word());
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/change-table.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/change-table.md is not what runs; run the test once with UPDATE=1 and read the diff"
    );
}
