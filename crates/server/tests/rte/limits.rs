//! Limits of a connection, a user, a tenant, and all.

use std::time::Duration;

use cordboard_server::config::Rte;
use cordboard_server::gateway::signalr::hub::Protocol;
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::json;

use crate::client::{ALICE, Client, agree, ask, bearer, open};
use crate::echo::{Site, until};

#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_of_a_user_of_a_tenant_of_all() {
    let rte = Rte { user_connections_max: 2, tenant_connections_max: 3, connections_max: 4, ..Rte::default() };
    let site = Site::start(rte).await;
    let mut held = Vec::new();
    for (token, status) in [
        (ALICE, None),
        (ALICE, None),
        (ALICE, Some(429)),
        ("bob@acme", None),
        ("carol@acme", Some(429)),
        ("alice@other", None),
        ("bob@other", Some(503)),
    ] {
        match open(&site, "/rte", &[bearer(token)]).await {
            Ok(stream) => {
                assert_eq!(status, None, "{token}");
                held.push(stream);
            }
            Err(refused) => assert_eq!(Some(refused), status, "{token}"),
        }
    }
    assert_eq!(ask(&site, Method::POST, "/rte/negotiate", ALICE, "").await.status(), 429);
    // A place is free when somebody has gone.
    held.swap_remove(0).close(None).await.unwrap();
    let mut again = open(&site, "/rte", &[bearer(ALICE)]).await;
    for _ in 0..500 {
        if again.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        again = open(&site, "/rte", &[bearer(ALICE)]).await;
    }
    assert!(again.is_ok());
    for reason in ["user_connections", "tenant_connections", "connections"] {
        let line = format!("hub_refused_total{{reason=\"{reason}\"}} ");
        assert!(site.metrics().contains(&line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_negotiations_without_a_connection_are_bounded() {
    let rte = Rte { user_negotiated_max: 50, tenant_negotiated_max: 120, negotiated_ms_max: 1_000, ..Rte::default() };
    let site = Site::start(rte).await;
    let (client, url) = (reqwest::Client::new(), site.url("/rte/negotiate"));
    let mut agreed = 0;
    for number in 0..2_000 {
        let token = format!("user{}@acme", number % 4);
        let status = client.post(&url).bearer_auth(token).send().await.unwrap().status().as_u16();
        assert!(status == 200 || status == 429, "{status}");
        agreed += usize::from(status == 200);
        if number == 500 {
            assert_eq!(agreed, 120);
        }
    }
    // Others are not kept from anything.
    assert_eq!(Client::socket(&site, "alice@other").await.invoke("Echo", json!([1])).await["result"], 1);
    let metrics = site.metrics();
    assert!(metrics.contains("reason=\"user_negotiated\"") || metrics.contains("reason=\"tenant_negotiated\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_of_all_connections_of_a_user_are_counted_together() {
    let site = Site::start(Rte { user_invocations_per_second_max: 5, ..Rte::default() }).await;
    let (mut first, mut second) = (Client::socket(&site, ALICE).await, Client::socket(&site, ALICE).await);
    let mut refused = 0;
    for _ in 0..10 {
        for client in [&mut first, &mut second] {
            let answer = client.invoke("Echo", json!([1])).await;
            match answer.get("error") {
                Some(error) => {
                    assert!(error.as_str().unwrap().contains("more slowly"));
                    refused += 1;
                }
                None => assert_eq!(answer["result"], 1),
            }
        }
    }
    assert!(refused > 0);
    assert_eq!(Client::socket(&site, "bob@acme").await.invoke("Echo", json!([1])).await["result"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_dropped_and_nobody_else_waits() {
    let site = Site::start(Rte::default()).await;
    let mut stuck = Client::socket(&site, ALICE).await;
    let mut quick = Client::connect(&site, "WebSockets", Protocol::MessagePack, "bob@acme").await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    for _ in 0..200 {
        site.tell(&large);
        assert_eq!(quick.message().await.unwrap()["arguments"][0].as_str().unwrap().len(), 100_000);
    }
    until("the stuck one is given up", || site.hub.outboxes_overflowed() == 1).await;
    site.until_known(1).await;
    until("the figure", || site.metrics().contains("hub_slow_total 1")).await;
    assert_eq!(quick.invoke("Echo", json!([1])).await["result"], 1);
    // What it still gets are whole messages.
    while stuck.message().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_the_hub_take_none_of_those_of_http() {
    let http = cordboard_server::config::Http { connections_max: 15, ..Default::default() };
    let site = Site::start_with(Rte::default(), http).await;
    let mut held = Vec::new();
    for _ in 0..50 {
        held.push(open(&site, "/rte", &[bearer(ALICE)]).await.unwrap());
    }
    // A client keeps the connection of its posts for the next.
    let mut events = Vec::new();
    let polls = reqwest::Client::new();
    for _ in 0..10 {
        events.push(Client::connect(&site, "ServerSentEvents", Protocol::Json, ALICE).await);
        let path = format!("/rte?id={}", agree(&site, ALICE).await);
        assert_eq!(ask(&site, Method::GET, &path, ALICE, "").await.status(), 200);
        tokio::spawn(polls.get(site.url(&path)).bearer_auth(ALICE).send());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ask(&site, Method::GET, "/healthz", "", "").await.status(), 200);
    _ = agree(&site, ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_soon_after_a_message_is_written_together() {
    let site = Site::start(Rte { write_pause_us: 500_000, ..Rte::default() }).await;
    let mut client = Client::socket(&site, ALICE).await;
    site.until_known(1).await;
    // The answer to the handshake was written just now.
    for argument in ["1", "2", "3"] {
        site.tell(argument);
    }
    let frame = client.stream().next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(frame.matches('\u{1e}').count(), 3, "{frame}");
}
