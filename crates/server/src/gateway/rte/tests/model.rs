//! Any order of coming, going, subscribing and happening, against the simplest model there is.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::house::{Guest, House, limits, setting};
use crate::permit::Permit;

const PEOPLE: [&str; 3] = ["a", "b", "c"];
const EVENTS: [&str; 2] = ["UserSetting", "UserAlert"];

#[derive(Debug, Clone)]
enum Step {
    Subscribe(usize, usize, usize),
    Unsubscribe(usize, usize, usize),
    UnsubscribeAll(usize),
    Reconnect(usize),
    Happen(usize),
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (guest, person, event) = (0_usize..4, 0..PEOPLE.len() + 1, 0..EVENTS.len());
    prop_oneof![
        4 => (guest.clone(), person.clone(), event.clone()).prop_map(|(g, p, e)| Step::Subscribe(g, p, e)),
        2 => (guest.clone(), person, event).prop_map(|(g, p, e)| Step::Unsubscribe(g, p, e)),
        1 => guest.clone().prop_map(Step::UnsubscribeAll),
        1 => guest.clone().prop_map(Step::Reconnect),
        6 => (0..PEOPLE.len()).prop_map(Step::Happen),
        2 => guest.prop_map(Step::Read),
    ]
}

/// What a guest holds, and what waits: whose, and through a subscription to everything or not.
#[derive(Default)]
struct Model {
    held: BTreeSet<(usize, usize)>,
    waits: Vec<(usize, bool)>,
}

/// Stands for everything.
const ALL: usize = PEOPLE.len();

async fn play(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open(dir.path(), "acme", limits());
    for name in PEOPLE {
        house.tell(setting(name, "0"));
    }
    house.settle().await;
    let mut ids: Vec<String> = PEOPLE.iter().map(|name| house.user(name)).collect();
    ids.push("*".to_owned());
    let mut guests: Vec<(Guest, Model)> = (0..4).map(|_| (house.connect(Permit::Service), Model::default())).collect();
    for step in steps {
        match step {
            Step::Subscribe(guest, person, event) => {
                let (guest, model) = &mut guests[guest];
                assert!(guest.subscribe(&ids[person], EVENTS[event]).await);
                model.held.insert((person, event));
            }
            Step::Unsubscribe(guest, person, event) => {
                let (guest, model) = &mut guests[guest];
                guest.invoke("Unsubscribe", json!([[{"EntityId": ids[person], "EventName": EVENTS[event]}]])).await;
                if model.held.remove(&(person, event)) && event == 0 {
                    model.waits.retain(|(whose, all)| if person == ALL { !all } else { *all || *whose != person });
                }
            }
            Step::UnsubscribeAll(guest) => {
                let (guest, model) = &mut guests[guest];
                guest.invoke("UnsubscribeAll", json!([])).await;
                *model = Model::default();
            }
            Step::Reconnect(guest) => guests[guest] = (house.connect(Permit::Service), Model::default()),
            Step::Happen(person) => {
                house.set(PEOPLE[person], "v");
                house.settle().await;
                for (_, model) in &mut guests {
                    model.waits.extend(model.held.contains(&(person, 0)).then_some((person, false)));
                    model.waits.extend(model.held.contains(&(ALL, 0)).then_some((person, true)));
                }
            }
            Step::Read(guest) => read(&ids, &mut guests[guest]),
        }
        for (guest, model) in &mut guests {
            let held = guest.invoke("ActiveSubscriptions", json!([])).await;
            assert_eq!(held.as_array().unwrap().len(), model.held.len());
        }
    }
    guests.iter_mut().for_each(|guest| read(&ids, guest));
    let held: usize = guests.iter().map(|(_, model)| model.held.len()).sum();
    house.settle().await;
    assert_eq!(house.feed.subscriptions(), held as u64);
    house.stop();
}

fn read(ids: &[String], (guest, model): &mut (Guest, Model)) {
    let told: Vec<_> = guest
        .take()
        .unwrap()
        .iter()
        .map(|it| {
            let whose = ids.iter().position(|id| it["data"]["entityId"] == **id).unwrap();
            (whose, it["subscription"]["allEntities"] == true)
        })
        .collect();
    assert_eq!(told, std::mem::take(&mut model.waits));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn everybody_is_told_what_was_subscribed_to_and_nothing_else(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(play(steps));
    }
}
