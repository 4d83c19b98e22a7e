//! Whoever comes in numbers, and whoever asks for much at once.

use bytes::{Buf as _, BufMut as _, BytesMut};
use futures_util::future::join_all;

use crate::wire::{House, all_topics, request, versions};

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_sent_at_once_are_answered_in_their_order() {
    let house = House::open(|settings| {
        settings.anonymous = true;
        settings.ahead_bytes_max = 4_096;
    })
    .await;
    let mut client = house.connect().await;
    let mut all = BytesMut::new();
    for mark in 0..500 {
        all.put_slice(&if mark % 3 == 0 { all_topics(mark) } else { versions((mark % 5) as i16, mark) });
    }
    client.send(&all).await;
    for mark in 0..500 {
        assert_eq!(client.answer().await.get_i32(), mark);
    }
    assert!(house.metric("cordboard_kafka_requests_total{api=\"Metadata\"}").await == 167);
    assert!(house.metric("cordboard_kafka_bytes_out_total").await > 500 * 20);
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_are_served_at_once() {
    let house = House::open(|settings| settings.anonymous = true).await;
    let mut clients = join_all((0..400).map(|_| house.connect())).await;
    for round in 0..3 {
        let asked = join_all(clients.iter_mut().map(|client| client.versions(round, round.into()))).await;
        assert!(asked.iter().all(|answer| *answer == (round.into(), 0)));
    }
    house.wait_connections(400).await;
    drop(clients);
    house.wait_connections(0).await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_closed_and_the_others_are_not() {
    for (reason, all_max, address_max) in [("connections_max", 20, 1_000), ("address_connections_max", 1_000, 20)] {
        let house = House::open(|settings| {
            (settings.connections_max, settings.address_connections_max) = (all_max, address_max);
        })
        .await;
        let mut seated = join_all((0..20).map(|_| house.connect())).await;
        for client in &mut seated {
            assert_eq!(client.versions(0, 1).await, (1, 0));
        }
        for _ in 0..50 {
            house.connect().await.closed().await;
        }
        let closed = format!("cordboard_kafka_connections_closed_total{{reason=\"{reason}\"}}");
        assert_eq!(house.metric(&closed).await, 50);
        for client in &mut seated {
            assert_eq!(client.versions(0, 2).await, (2, 0));
        }
        // A seat that is free is given to the next.
        drop(seated);
        house.wait_connections(0).await;
        assert_eq!(house.connect().await.versions(0, 3).await, (3, 0));
        house.server.stop().await.unwrap();
    }
}

/// As much as all long requests together may be; they take turns.
#[tokio::test(flavor = "multi_thread")]
async fn long_requests_take_turns() {
    let house = House::open(|settings| {
        settings.anonymous = true;
        (settings.request_bytes_max, settings.requests_bytes_max) = (400_000, 400_000);
    })
    .await;
    // A name of nothing but letters is as long as it may be; there are as many as fit.
    let name = [&32_000_i16.to_be_bytes()[..], &[b'x'; 32_000]].concat();
    let body = [&9_i32.to_be_bytes()[..], &name.repeat(9)].concat();
    let ask = async |mark| {
        let mut client = house.connect().await;
        client.send(&request(3, 1, mark, &body)).await;
        client.answer().await.get_i32()
    };
    assert_eq!(join_all((0..20).map(ask)).await, (0..20).collect::<Vec<_>>());
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_for_long_is_closed() {
    let house = House::open(|settings| {
        settings.anonymous = true;
        settings.idle_ms_max = 200;
    })
    .await;
    house.connect().await.closed().await;
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"idle_ms_max\"}", 1).await;
    house.server.stop().await.unwrap();
}

/// A group waits for its members, and a server that stops does not wait for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_waits_for_nobody() {
    let house = House::open(|settings| settings.anonymous = true).await;
    let mut client = house.connect().await;
    let text = |text: &str| [&(text.len() as i16).to_be_bytes()[..], text.as_bytes()].concat();
    let member = |id: &str| {
        let protocols = [&1_i32.to_be_bytes()[..], &text("range"), &0_i32.to_be_bytes()].concat();
        let times = [30_000_i32.to_be_bytes(), 1_000_000_i32.to_be_bytes()].concat();
        request(11, 1, 1, &[text("g"), times, text(id), text("consumer"), protocols].concat())
    };
    client.send(&member("")).await;
    client.answer().await;
    // It joined; another one makes everybody join again, and waits for the first.
    let mut other = house.connect().await;
    other.send(&member("")).await;
    house.wait_metric("cordboard_kafka_requests_total{api=\"JoinGroup\"}", 2).await;
    house.server.stop().await.unwrap();
    other.closed().await;
}
