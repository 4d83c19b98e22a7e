//! Whoever means ill: bytes that are no requests, lengths that lie, requests that never end.

use std::time::Duration;

use bytes::{Buf as _, BufMut as _, BytesMut};

use crate::wire::{House, all_topics, request, versions};

/// Limits that are reached soon.
fn soon(settings: &mut cordboard_server::config::KafkaListener) {
    settings.anonymous = true;
    (settings.login_ms_max, settings.request_ms_max, settings.write_ms_max) = (300, 300, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_ends_the_connection_and_nothing_else() {
    let house = House::open(|settings| settings.anonymous = true).await;
    let frame = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let mut steady = house.connect().await;
    for (what, bytes) in [
        ("another protocol", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("a negative length", b"\xff\xff\xff\xff".to_vec()),
        ("the greatest length", b"\x7f\xff\xff\xff".to_vec()),
        ("one byte more than may be", (2_097_152_u32 + 1).to_be_bytes().to_vec()),
        ("nothing in a frame", frame(b"")),
        ("half a head", frame(b"\0\x12\0\0\0\0")),
        ("a name longer than the frame", frame(b"\0\x12\0\0\0\0\0\x01\x7f\xffab")),
        ("a request that is not known", request(999, 0, 1, b"").to_vec()),
        ("a version that is not known", request(3, 99, 1, b"").to_vec()),
        ("an array of everything", request(3, 1, 1, b"\x7f\xff\xff\xff").to_vec()),
        ("a compact array of everything", request(3, 9, 1, b"\0\xff\xff\xff\xff\x0f").to_vec()),
        ("tagged fields without end", request(18, 3, 1, b"\xff\xff\xff\xff\x0f").to_vec()),
        ("no UTF-8", request(3, 1, 1, b"\0\0\0\x01\0\x01\xff").to_vec()),
    ] {
        let mut client = house.connect().await;
        client.send(&bytes).await;
        client.closed().await;
        assert_eq!(steady.versions(0, 5).await, (5, 0), "after {what}");
    }
    let closed = |reason: &str| format!("cordboard_kafka_connections_closed_total{{reason=\"{reason}\"}}");
    house.wait_metric(&closed("frame"), 5).await;
    house.wait_metric(&closed("request"), 9).await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_of_versions_that_nobody_knows_is_answered_with_the_oldest() {
    let house = House::open(|_| ()).await;
    let mut client = house.connect().await;
    for version in [5, 99] {
        client.send(&versions(version, 8)).await;
        let mut answer = client.answer().await;
        assert_eq!((answer.get_i32(), answer.get_i16()), (8, 35));
        let rows = answer.get_i32() as usize;
        assert!(rows > 20 && answer.remaining() == rows * 6, "{rows}");
    }
    assert_eq!(client.versions(3, 9).await, (9, 0));
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_answered_before_the_login() {
    let house = House::open(|_| ()).await;
    let mut client = house.connect().await;
    assert_eq!(client.versions(2, 1).await, (1, 0));
    client.send(&all_topics(2)).await;
    client.closed().await;
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"not_logged_in\"}", 1).await;
    // Not even to send much.
    let mut client = house.connect().await;
    client.send(&20_000_u32.to_be_bytes()).await;
    client.closed().await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_must_come_to_its_end() {
    let house = House::open(soon).await;
    // Half a length, half a request, and a request that comes byte by byte for ever.
    let mut first = house.connect().await;
    first.send(b"\0\0").await;
    let mut second = house.connect().await;
    second.send(&versions(0, 1)[..9]).await;
    let mut slow = house.connect().await;
    let dripping = async {
        let bytes = request(3, 1, 1, &[0; 10_000]);
        for byte in bytes.chunks(1) {
            if slow.try_send(byte).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it was heard to its end");
    };
    tokio::join!(first.closed(), second.closed(), dripping);
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"request_ms_max\"}", 3).await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_log_in_does_not_stay() {
    let house = House::open(|settings| {
        soon(settings);
        settings.anonymous = false;
    })
    .await;
    // Whatever it says meanwhile.
    let mut silent = house.connect().await;
    let mut chatty = house.connect().await;
    let chatting = async {
        loop {
            if chatty.try_send(&versions(0, 1)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(silent.closed(), chatting);
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"login_ms_max\"}", 2).await;
    house.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answers_is_dropped_and_asks_for_no_memory() {
    let house = House::open(soon).await;
    let mut client = house.connect().await;
    let mut many = BytesMut::new();
    for mark in 0..1_000 {
        many.put_slice(&versions(0, mark));
    }
    // Until nothing is taken any more, because nothing of the answers is.
    while let Ok(sent) = tokio::time::timeout(Duration::from_secs(5), client.try_send(&many)).await {
        if sent.is_err() {
            break;
        }
    }
    house.wait_metric("cordboard_kafka_connections_closed_total{reason=\"write_ms_max\"}", 1).await;
    house.wait_connections(0).await;
    assert_eq!(house.connect().await.versions(0, 1).await, (1, 0));
    house.server.stop().await.unwrap();
}
