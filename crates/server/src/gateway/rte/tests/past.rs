//! Going on from a place: the whole stream equals the one that was never cut.

use serde_json::{Value, json};

use super::house::{ANNA, Guest, House, LATER, callback, limits, picks, setting};
use crate::config::Rte;
use crate::permit::Permit;

fn items(house: &House) -> Value {
    json!([
        {"EntityId": house.user(ANNA), "EventName": "UserSetting"},
        {"EntityId": house.user(ANNA), "EventName": "UserStatus"},
        {"EntityId": house.list(LATER), "EventName": "CallbackChanged"},
        {"EntityId": "*", "EventName": "UserSetting"},
    ])
}

/// What tells what happened, in the order it came, and the newest place.
#[derive(Default)]
struct Story {
    told: Vec<String>,
    place: Value,
    picks: Value,
}

impl Story {
    fn hear(&mut self, messages: Vec<Value>) {
        for message in messages {
            if message["data"]["eventType"] == "UserStatus" {
                self.picks = message["data"]["fetchMode"].clone();
                continue;
            }
            assert!(message["position"].is_string(), "{message}");
            self.told.push(format!(
                "{} {} {}",
                message["position"], message["subscription"]["allEntities"], message["data"]["id"]
            ));
            self.place = message["position"].clone();
        }
    }
}

/// Waits for everything that is on its way.
async fn hear_all(house: &mut House, guest: &mut Guest, story: &mut Story) {
    house.settle().await;
    // The past is told step by step: the connection is up to date when it is told of something new.
    let marker = house.tell(setting(ANNA, "marker"));
    loop {
        tokio::time::timeout(std::time::Duration::from_secs(60), guest.outbox.wait()).await.expect("more is told");
        story.hear(guest.take().unwrap());
        let last = format!("{marker}.1");
        if story.place == Value::String(last) {
            return;
        }
    }
}

fn happen(house: &mut House, count: u32) {
    for number in 0..count {
        match number % 3 {
            0 => house.set(ANNA, &number.to_string()),
            1 => _ = house.tell(picks(ANNA, number % 2 == 0)),
            _ => _ = house.tell(callback(u128::from(number) + 1_000 * u128::from(house.log.durable().sequence), LATER)),
        }
    }
}

#[tokio::test]
async fn a_stream_cut_anywhere_goes_on_without_a_hole_or_a_double() {
    let dir = tempfile::tempdir().unwrap();
    // Little is kept in memory, so that some of it is read from the log.
    let small = Rte { recent_bytes_max: 4_096, outbox_messages_max: 200, ..limits() };
    let mut house = House::furnished(dir.path(), "acme", small.clone());
    house.settle().await;
    let mut whole = Story::default();
    let mut witness = house.connect(Permit::Administrator);
    let begun = witness.invoke("SubscribeFrom", json!([items(&house), null])).await;
    assert_eq!(begun["snapshot"].as_array().unwrap().len(), 1);
    let (mut story, mut place) = (Story::default(), begun["position"].clone());
    for round in 0_usize..6 {
        let mut guest = house.connect(Permit::Administrator);
        let answer = guest.invoke("SubscribeFrom", json!([items(&house), place])).await;
        assert_eq!((&answer["position"], answer.get("resync")), (&place, None), "{answer}");
        happen(&mut house, 40);
        hear_all(&mut house, &mut guest, &mut story).await;
        whole.hear(witness.take().unwrap());
        // It reads a part of what comes then, and is cut.
        happen(&mut house, 7);
        house.settle().await;
        let mut rest = guest.take().unwrap();
        rest.truncate(round * 2);
        story.hear(rest);
        place = story.place.clone();
        drop(guest);
        happen(&mut house, if round % 2 == 0 { 5 } else { 90 });
        house.settle().await;
        whole.hear(witness.take().unwrap());
        if round == 3 {
            house.stop();
            house = House::open(dir.path(), "acme", small.clone());
            witness = house.connect(Permit::Administrator);
            let here = house.log.durable().to_string();
            witness.invoke("SubscribeFrom", json!([items(&house), here])).await;
        }
    }
    let mut guest = house.connect(Permit::Administrator);
    guest.invoke("SubscribeFrom", json!([items(&house), place])).await;
    hear_all(&mut house, &mut guest, &mut story).await;
    whole.hear(witness.take().unwrap());
    assert!(whole.told.len() > 300, "{}", whole.told.len());
    assert_eq!(story.told, whole.told);
    assert_eq!(story.picks, whole.picks);
    house.stop();
}

#[tokio::test]
async fn a_place_that_is_none_of_this_log_is_told_to_be_lost_with_what_is_true() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.settle().await;
    let here = house.log.durable();
    for (place, reason) in [
        (format!("{}-1", here.epoch + 1), "other_epoch"),
        (format!("{}-{}", here.epoch, here.sequence + 1_000), "beyond_end"),
    ] {
        let mut guest = house.connect(Permit::Service);
        let answer = guest.invoke("SubscribeFrom", json!([items(&house), place])).await;
        assert_eq!(answer["resync"]["reason"], reason);
        let now = json!(house.log.durable().to_string());
        assert_eq!((&answer["position"], answer["snapshot"].as_array().unwrap().len()), (&now, 1));
        house.set(ANNA, "later");
        house.settle().await;
        assert_eq!(guest.events(), ["UserSetting", "UserSetting"]);
    }
    let mut guest = house.connect(Permit::Service);
    for wrong in [json!("x"), json!("1-2.x")] {
        assert!(guest.try_invoke("SubscribeFrom", json!([[], wrong])).await.is_err());
    }
    assert!(guest.try_invoke("SubscribeFrom", json!([[], 7])).await.is_err());
    house.stop();
}

#[tokio::test]
async fn states_too_large_for_one_answer_are_refused_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", Rte { snapshot_bytes_max: 200, ..limits() });
    house.settle().await;
    let mut guest = house.connect(Permit::Service);
    assert!(guest.try_invoke("SubscribeFrom", json!([items(&house), null])).await.is_err());
    assert_eq!(guest.invoke("ActiveSubscriptions", json!([])).await, json!([]));
    house.stop();
}
