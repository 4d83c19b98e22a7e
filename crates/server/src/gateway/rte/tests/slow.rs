//! Readers that read slowly, or not at all.

use std::time::{Duration, Instant};

use super::house::{ANNA, House, limits, picks};
use crate::config::Rte;
use crate::permit::Permit;

#[tokio::test]
async fn a_stalled_reader_gets_the_newest_state_and_nobody_else_waits() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.settle().await;
    let anna = house.user(ANNA);
    let (mut stalled, mut quick) = (house.connect(Permit::Service), house.connect(Permit::Service));
    assert!(stalled.subscribe(&anna, "UserStatus").await && quick.subscribe(&anna, "UserStatus").await);
    let mut seen = 0;
    for round in 0..40 {
        house.tell(picks(ANNA, round % 2 == 0));
        house.settle().await;
        seen += quick.take().unwrap().len();
    }
    assert_eq!(seen, 40);
    let told = stalled.take().unwrap();
    assert_eq!((told.len(), &told[0]["data"]["fetchMode"]), (1, &serde_json::json!(false)));
    assert!(house.outboxes.counters.conflated.get() >= 39);
    house.stop();
}

#[tokio::test]
async fn a_state_too_old_to_be_written_is_said_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", limits());
    house.settle().await;
    let anna = house.user(ANNA);
    let mut guest = house.connect(Permit::Service);
    assert!(guest.subscribe(&anna, "UserStatus").await);
    house.tell(picks(ANNA, true));
    house.settle().await;
    assert!(guest.take_at(Instant::now() + Duration::from_secs(61)).unwrap().is_empty());
    assert_eq!(house.outboxes.counters.expired.get(), 1);
    // The feed finds out by itself.
    guest.outbox.wait().await;
    assert_eq!(guest.take().unwrap()[0]["data"]["fetchMode"], serde_json::json!(true));
    house.stop();
}

#[tokio::test]
async fn too_much_that_waits_ends_that_connection_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::furnished(dir.path(), "acme", Rte { outbox_messages_max: 16, ..limits() });
    house.settle().await;
    let anna = house.user(ANNA);
    let (mut stalled, mut quick) = (house.connect(Permit::Service), house.connect(Permit::Service));
    assert!(stalled.subscribe(&anna, "UserSetting").await && quick.subscribe(&anna, "UserSetting").await);
    let mut seen = 0;
    for round in 0..40 {
        house.set(ANNA, &round.to_string());
        house.settle().await;
        seen += quick.take().unwrap().len();
    }
    assert_eq!((seen, stalled.take()), (40, None));
    assert_eq!(house.outboxes.counters.overflowed.get(), 1);
    house.stop();
}
