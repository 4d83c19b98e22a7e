//! What there is, who looks, and what the written rules let them see, in the plainest form.

use std::collections::BTreeSet;
use std::sync::Arc;

use cordboard_core::change::Membership;
use cordboard_core::condition::{Comparison, Condition, QueueCounter};
use cordboard_core::event::{
    AgentFact, AlertFact, AlertRule, Availability, Callback, CallbackDetails, CallbackFact, CallbackKind, DeviceFact,
    DeviceKind, ListFact, ListProfile, Profile, QueueFact, Reach, UserFact,
};
use cordboard_core::listed::Listed as _;
use cordboard_core::{Fact, Guid, Time};
use cordboard_dialects::enreach::ids::Entity;
use cordboard_dialects::enreach::{EntityKind, EventName};
use cordboard_server::permit::{Permit, Team};
use cordboard_server::tokens::Grant;
use proptest::prelude::*;

pub(crate) const PEOPLE: usize = 5;
pub(crate) const QUEUES: usize = 4;
pub(crate) const LISTS: usize = 3;

/// What there is in one tenant, in the plainest form.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) people: Vec<Person>,
    /// The queue of each list.
    pub(crate) lists: Vec<Option<usize>>,
    /// Callbacks, by list.
    pub(crate) callbacks: Vec<usize>,
    /// Alerts: of whom, on what.
    pub(crate) alerts: Vec<(usize, usize)>,
    /// Whether there are telephones.
    pub(crate) telephones: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) described: bool,
    pub(crate) agent: bool,
    /// Works at the telephone of the same number.
    pub(crate) at_work: bool,
    /// The telephone that is the own, by number.
    pub(crate) owns: Option<usize>,
    pub(crate) serves: [bool; QUEUES],
    pub(crate) assigned: [bool; QUEUES],
}

#[derive(Debug, Clone)]
pub(crate) enum Who {
    Service,
    Administrator,
    Granted(BTreeSet<Grant>),
    Agent(usize),
    Supervisor { own: usize, agents: BTreeSet<usize>, devices: BTreeSet<usize>, queues: BTreeSet<usize> },
}

pub(crate) fn user(at: usize) -> String {
    format!("u{at}")
}

pub(crate) fn device(at: usize) -> String {
    format!("d{at}")
}

pub(crate) fn queue(at: usize) -> String {
    format!("q{at}")
}

pub(crate) fn list(at: usize) -> String {
    format!("l{at}")
}

pub(crate) fn id(kind: u128, at: usize) -> Guid {
    Guid(kind << 32 | at as u128)
}

pub(crate) fn sites() -> impl Strategy<Value = Site> {
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
        .prop_map(|(people, lists, callbacks, alerts)| Site { people, lists, callbacks, alerts, telephones: true })
}

pub(crate) fn readers() -> impl Strategy<Value = Who> {
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
    pub(crate) fn story(&self) -> Vec<Fact> {
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
    pub(crate) fn everything(&self) -> BTreeSet<Entity> {
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
        self.telephones && !owned && !self.people[telephone].at_work
    }

    /// The written rules, word by word.
    pub(crate) fn visible(&self, who: &Who) -> BTreeSet<Entity> {
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

pub(crate) fn callback(list: &str, by: Option<&str>) -> Callback {
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

pub(crate) fn alert(user: &str, queue: &str) -> AlertRule {
    let condition = Condition::Compare { counter: QueueCounter::Agents, comparison: Comparison::AtLeast, value: 0 };
    let word = String::new;
    AlertRule { user: user.into(), queue: queue.into(), name: word(), text: word(), threshold: word(), condition }
}

pub(crate) fn permit(who: &Who) -> Permit {
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

/// Whether an event is about this kind of thing.
pub(crate) fn is_of(event: EventName, entity: &Entity) -> bool {
    matches!(
        (event.kind(), entity),
        (EntityKind::User, Entity::User(_))
            | (EntityKind::Queue, Entity::Queue(_))
            | (EntityKind::CallList, Entity::List(_))
    )
}
