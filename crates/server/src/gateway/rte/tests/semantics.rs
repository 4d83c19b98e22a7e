//! What the methods take and give, row by row.

use serde_json::{Value, json};

use super::house::{ANNA, House, LATER, SALES, agent, limits};
use crate::config::Rte;
use crate::gateway::signalr::hub::HubError;
use crate::permit::Permit;

#[tokio::test]
async fn every_item_is_judged_by_itself_in_the_documented_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.settle().await;
    let (anna, sales, later) = (house.user(ANNA), house.queue(SALES), house.list(LATER));
    let nobody = "c9eeb030-ff4b-ea11-ac9c-00155d4fdcf3".to_owned();
    let mut guest = house.connect(Permit::Administrator);
    let ok = Value::Null;
    let rows = [
        (anna.as_str(), "UserStatus", &ok),
        (&anna.to_uppercase(), "USERSETTING", &ok),
        (&anna.replace('-', ""), "UserTerminalStatusEvent", &ok),
        (&format!("{{{anna}}}"), "userAvailability", &ok),
        (&sales, "QueueStatus", &ok),
        (&later, "CallbackChanged", &ok),
        // Said twice is held once.
        (&sales, "QueueStatus", &ok),
        ("", "QueueStatus", &json!("Invalid EntityId")),
        ("sales", "NoSuchEvent", &json!("Invalid EntityId")),
        (&nobody, "NoSuchEvent", &json!("Invalid event name")),
        (&sales, "QueueCallIncoming", &json!("Invalid event name")),
        // Of another kind, and known to nobody.
        (&sales, "UserStatus", &json!("Unauthorized")),
        (&anna, "QueueStatus", &json!("Unauthorized")),
        (&nobody, "QueueStatus", &json!("Unauthorized")),
    ];
    let items: Vec<Value> = rows.iter().map(|(id, name, _)| json!({"EntityId": id, "EventName": name})).collect();
    let results = guest.invoke("Subscribe", json!([items, "surplus", 3])).await;
    for ((id, name, message), result) in rows.iter().zip(results.as_array().unwrap()) {
        let expected = json!({"subscribed": message.is_null(), "message": message, "entityId": id, "eventName": name.to_lowercase()});
        assert_eq!(result.to_string(), expected.to_string());
    }
    let held = guest.invoke("activesubscriptions", json!([])).await;
    assert_eq!((held.as_array().unwrap().len(), house.feed.subscriptions() >= 6), (6, true));
    let gone = guest.invoke("Unsubscribe", json!([items])).await;
    let done = gone.as_array().unwrap().iter().filter(|result| result["subscribed"] == true).count();
    // What is not held, of another kind or known to nobody is not held afterwards either.
    assert_eq!(done, 10);
    assert_eq!(guest.invoke("ActiveSubscriptions", json!([])).await, json!([]));
    house.stop();
}

#[tokio::test]
async fn methods_answer_in_any_case_and_tell_what_they_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", Rte { extensions: false, subscribe_items_max: 2, ..limits() });
    let mut guest = house.connect(agent(ANNA));
    let available = guest.invoke("AVAILABLESUBSCRIPTIONS", json!([["surplus"]])).await;
    assert_eq!(available.as_array().unwrap().len(), 36);
    assert!(available.as_array().unwrap().contains(&json!("UserTerminalStatus")));
    assert_eq!(guest.invoke("unsubscribeAll", json!([])).await, json!(true));
    assert_eq!(guest.invoke("Subscribe", json!([[]])).await, json!([]));
    for method in ["Subscribe", "unsubscribe"] {
        for arguments in
            [json!([]), json!([null]), json!([7]), json!([{"EntityId": "x"}]), json!([[7]]), json!([[null]])]
        {
            assert_eq!(guest.try_invoke(method, arguments.clone()).await, Err(HubError::Arguments), "{arguments}");
        }
    }
    for unknown in ["SubscribeFrom", "Publish", ""] {
        assert_eq!(guest.try_invoke(unknown, json!([[]])).await, Err(HubError::UnknownMethod));
    }
    let many = vec![json!({"EntityId": "*", "EventName": "UserStatus"}); 3];
    assert_eq!(guest.invoke("Subscribe", json!([many[..2]])).await[0]["message"], "Invalid EntityId");
    let refused = guest.try_invoke("Subscribe", json!([many])).await.unwrap_err();
    assert!(matches!(&refused, HubError::Failed(why) if why.contains("at most 2")), "{refused:?}");
    house.stop();
}

#[tokio::test]
async fn there_are_only_so_many_subscriptions() {
    let dir = tempfile::tempdir().unwrap();
    let few = Rte { subscriptions_max: 2, user_subscriptions_max: 3, tenant_subscriptions_max: 4, ..limits() };
    let mut house = House::furnished(dir.path(), "acme", few);
    house.settle().await;
    let anna = house.user(ANNA);
    let events = ["UserStatus", "UserSetting", "UserAlert"];
    let mut count = 0;
    let mut guests = Vec::new();
    for permit in [Permit::Administrator, Permit::Administrator, agent(ANNA)] {
        let mut guest = house.connect(permit);
        for event in events {
            let item = json!([[{"EntityId": anna, "EventName": event}]]);
            let result = guest.invoke("Subscribe", item).await;
            count += usize::from(result[0]["subscribed"] == true);
            assert!(result[0]["message"].is_null() || result[0]["message"] == "Too many subscriptions");
        }
        guests.push(guest);
    }
    assert_eq!(count, 4);
    // Who leaves makes room.
    guests.remove(0);
    assert!(guests[1].subscribe(&anna, "UserAlert").await);
    house.stop();
}

#[tokio::test]
async fn what_is_said_comes_with_its_subscription_and_only_to_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.settle().await;
    let (anna, sales) = (house.user(ANNA), house.queue(SALES));
    let (mut first, mut second, other) =
        (house.connect(Permit::Service), house.connect(agent(ANNA)), house.connect(Permit::Service));
    assert!(first.subscribe(&anna, "UserSetting").await && first.subscribe(&sales, "QueueStatus").await);
    assert!(second.subscribe(&anna, "UserSetting").await && !second.subscribe(&sales, "QueueStatus").await);
    house.set(ANNA, "v1");
    house.tell(super::house::assigned(SALES, "berta"));
    house.settle().await;
    let told = first.take().unwrap();
    let events: Vec<_> = told.iter().map(|it| it["data"]["eventType"].as_str().unwrap()).collect();
    assert_eq!(events, ["UserSetting", "QueueStatus"]);
    let members = told[0].as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(members, ["subscription", "data"]);
    for message in &told {
        for same in ["rootEntityId", "rootEntityType", "organizationId", "eventType", "entityType", "entityId"] {
            assert_eq!(message["subscription"][same], message["data"][same], "{same}");
        }
    }
    assert_eq!(first.invoke("ActiveSubscriptions", json!([])).await.as_array().unwrap()[0], told[0]["subscription"]);
    assert_eq!(second.take().unwrap(), told[..1]);
    assert_eq!(other.take().unwrap(), [Value::Null; 0]);
    house.stop();
}

#[tokio::test]
async fn a_status_is_told_when_it_changes_and_at_once_only_where_that_is_chosen() {
    for at_once in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut house = House::furnished(dir.path(), "acme", Rte { status_on_subscribe: at_once, ..limits() });
        house.settle().await;
        let anna = house.user(ANNA);
        let mut guest = house.connect(Permit::Service);
        assert!(guest.subscribe(&anna, "UserStatus").await);
        assert_eq!(guest.events().len(), usize::from(at_once));
        // Nothing of the status changes, then something does, and back.
        house.set(ANNA, "x");
        house.settle().await;
        assert_eq!(guest.events().len(), 0);
        house.tell(super::house::picks(ANNA, true));
        house.settle().await;
        let told = guest.take().unwrap();
        assert_eq!((told.len(), &told[0]["data"]["fetchMode"]), (1, &json!(true)));
        house.stop();
    }
}

#[tokio::test]
async fn two_organisations_know_nothing_of_each_other() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut acme = House::furnished(dirs[0].path(), "acme", limits());
    let mut bolt = House::furnished(dirs[1].path(), "bolt", limits());
    acme.settle().await;
    bolt.settle().await;
    let mut guest = acme.connect(Permit::Administrator);
    assert!(!guest.subscribe(&bolt.user(ANNA), "UserSetting").await);
    assert!(guest.subscribe("*", "UserSetting").await && guest.subscribe(&acme.user(ANNA), "UserSetting").await);
    bolt.set(ANNA, "secret of bolt");
    bolt.settle().await;
    acme.settle().await;
    assert_eq!(guest.events().len(), 0);
    acme.set(ANNA, "of acme");
    acme.settle().await;
    assert_eq!(guest.events(), ["UserSetting", "UserSetting"]);
    acme.stop();
    bolt.stop();
}
