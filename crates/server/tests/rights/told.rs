//! The functions alone: what may be seen and subscribed to, what is told of everything, what refusals say.

use std::collections::BTreeSet;

use cordboard_core::change::{Change, Membership};
use cordboard_core::event::Attempt;
use cordboard_core::listed::Listed as _;
use cordboard_core::{Event, Guid, Origin, Time, World, evolve};
use cordboard_dialects::enreach::ids::{self, Entity};
use cordboard_dialects::enreach::{self, Board, EntityKind, EventName, Said};
use cordboard_dialects::{Position, Settings};
use cordboard_server::permit::may_change;
use cordboard_server::rights::{Subject, SubjectKind, may_see, may_subscribe};
use proptest::prelude::*;

use crate::model::{
    LISTS, PEOPLE, QUEUES, Site, Who, alert, callback, id, is_of, list, permit, queue, readers, sites, user,
};

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
