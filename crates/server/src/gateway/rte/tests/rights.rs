//! Who may no longer know something is told nothing of it from then on; who may again is told again.

use serde_json::json;

use super::house::{
    ANNA, House, LATER, SALES, agent, alert, assigned, callback, fired, found, limits, picks, removed, setting,
    supervisor,
};
use crate::permit::Permit;

#[tokio::test]
async fn nothing_of_a_queue_reaches_who_left_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.tell(assigned(SALES, ANNA));
    house.settle().await;
    let (sales, later) = (house.queue(SALES), house.list(LATER));
    let mut anna = house.connect(agent(ANNA));
    assert!(anna.subscribe(&sales, "QueueStatus").await && anna.subscribe(&later, "CallbackChanged").await);
    house.tell(callback(1, LATER));
    house.tell(assigned(SALES, "berta"));
    house.settle().await;
    assert_eq!(anna.events(), ["CallbackChanged", "QueueStatus"]);
    // What waits of the status when the right goes is not written either.
    house.tell(assigned(SALES, "cleo"));
    house.settle().await;
    house.tell(removed(SALES, ANNA));
    house.tell(callback(2, LATER));
    house.tell(assigned(SALES, "dora"));
    house.settle().await;
    assert_eq!(anna.events(), [""; 0]);
    assert!(!anna.subscribe(&sales, "QueueStatus").await);
    // Back again, with what is true now.
    house.tell(assigned(SALES, ANNA));
    house.tell(callback(3, LATER));
    house.settle().await;
    let told = anna.take().unwrap();
    let last_status = told.iter().rfind(|it| it["data"]["eventType"] == "QueueStatus").unwrap();
    assert_eq!(last_status["data"]["nbrOfProviders"], json!(4));
    assert!(told.iter().any(|it| it["data"]["eventType"] == "CallbackChanged"));
    house.stop();
}

#[tokio::test]
async fn an_alert_is_for_who_sees_the_queue_it_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.tell(assigned(SALES, ANNA));
    house.tell(alert(1, ANNA, SALES));
    house.settle().await;
    let me = house.user(ANNA);
    let (mut anna, mut all) = (house.connect(agent(ANNA)), house.connect(Permit::Administrator));
    assert!(anna.subscribe(&me, "UserAlert").await && all.subscribe(&me, "UserAlert").await);
    house.tell(fired(1, 5));
    house.settle().await;
    assert_eq!((anna.events(), all.events()), (vec!["UserAlert".into()], vec!["UserAlert".into()]));
    house.tell(removed(SALES, ANNA));
    house.tell(fired(1, 6));
    house.settle().await;
    assert_eq!((anna.events(), all.events()), (vec![], vec!["UserAlert".into()]));
    house.stop();
}

#[tokio::test]
async fn everything_of_a_kind_is_everything_one_may_see() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.tell(found("berta"));
    house.settle().await;
    let (anna_id, berta_id) = (house.user(ANNA), house.user("berta"));
    let (mut lead, mut all, mut anna) =
        (house.connect(supervisor(&[ANNA], &[])), house.connect(Permit::Administrator), house.connect(agent(ANNA)));
    for guest in [&mut lead, &mut all] {
        assert!(guest.subscribe("*", "UserSetting").await && guest.subscribe("*", "UserStatus").await);
        assert_eq!(guest.invoke("ActiveSubscriptions", json!([])).await[0]["allEntities"], json!(true));
    }
    assert!(!anna.subscribe("*", "UserSetting").await);
    for name in [ANNA, "berta"] {
        house.tell(setting(name, "v"));
        house.tell(picks(name, true));
    }
    house.settle().await;
    let told = |guest: &super::house::Guest| {
        let mut told: Vec<_> = guest
            .take()
            .unwrap()
            .iter()
            .map(|it| {
                (
                    it["data"]["eventType"].as_str().unwrap().to_owned(),
                    it["data"]["entityId"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        told.sort();
        told.dedup();
        told
    };
    let of = |event: &str, id: &String| (event.to_owned(), id.clone());
    let lead_told = told(&lead);
    assert_eq!(lead_told, [of("UserSetting", &anna_id), of("UserStatus", &anna_id)]);
    let mut both: Vec<_> =
        [&anna_id, &berta_id].iter().flat_map(|id| [of("UserSetting", id), of("UserStatus", id)]).collect();
    both.sort();
    assert_eq!(told(&all), both);
    house.stop();
}
