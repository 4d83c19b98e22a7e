//! A connection that broke is taken up where it was (stateful reconnect).

use std::time::Duration;

use cordboard_server::config::Rte;
use cordboard_server::gateway::signalr::hub::Protocol;
use cordboard_signalr::Message;
use serde_json::{Value, json};

use crate::client::{ALICE, Client, bearer, negotiate, open};
use crate::echo::Site;

const STATEFUL: &str = "negotiateVersion=1&useStatefulReconnect=true";

async fn connect(site: &Site, protocol: Protocol, version: u8) -> (String, Client) {
    let id = negotiate(site, STATEFUL, ALICE).await["connectionToken"].as_str().unwrap().to_owned();
    let path = format!("/rte?id={id}");
    let mut client = Client::on_stream(open(site, &path, &[bearer(ALICE)]).await.unwrap(), protocol);
    client.shake_hands(version).await;
    client.write(&Message::Ping).await;
    (path, client)
}

async fn told(client: &mut Client) -> Value {
    loop {
        let message = client.message().await.unwrap();
        if message["type"] != 8 {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_comes_when_the_client_comes_back() {
    let site = Site::start(Rte::default()).await;
    for protocol in Protocol::ALL {
        let (path, mut client) = connect(&site, protocol, 2).await;
        site.tell("1");
        assert_eq!(told(&mut client).await["arguments"], json!([1]));
        client.write(&Message::Ack { sequence: 1 }).await;
        assert_eq!(client.invoke("Echo", json!(["a"])).await["result"], "a");
        // It goes without a word, and the hub keeps it.
        drop(client);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let known = site.known();
        site.tell("2");
        let stream = open(&site, &path, &[bearer(ALICE)]).await.unwrap();
        let mut client = Client::on_stream(stream, protocol);
        client.write(&Message::Sequence { sequence: 2 }).await;
        // The answer was not confirmed.
        assert_eq!(told(&mut client).await, json!({"type": 9, "sequenceId": 2}));
        assert_eq!(told(&mut client).await["result"], "a");
        assert_eq!(told(&mut client).await["arguments"], json!([2]));
        assert_eq!(client.invoke("WhoAmI", json!([])).await["result"], "alice");
        assert_eq!(site.known(), known);
        client.write(&Message::Close { error: None, allow_reconnect: false }).await;
        assert_eq!(client.message().await, None);
        site.until_known(0).await;
        assert_eq!(open(&site, &path, &[bearer(ALICE)]).await.err(), Some(404));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_socket_takes_over_from_one_that_hangs() {
    let site = Site::start(Rte::default()).await;
    let (path, mut first) = connect(&site, Protocol::Json, 2).await;
    assert_eq!(first.invoke("Echo", json!([1])).await["result"], 1);
    assert_eq!(open(&site, &path, &[bearer("bob@acme")]).await.err(), Some(404));
    let mut second = Client::on_stream(open(&site, &path, &[bearer(ALICE)]).await.unwrap(), Protocol::Json);
    second.write(&Message::Sequence { sequence: 2 }).await;
    assert_eq!(told(&mut second).await["type"], 9);
    assert_eq!(second.invoke("Echo", json!([2])).await["result"], 2);
    // The first is at its end.
    while first.message().await.is_some() {}
    assert_eq!(site.known(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_in_time_is_forgotten() {
    let site = Site::start(Rte { detached_ms_max: 200, ..Rte::default() }).await;
    let (path, client) = connect(&site, Protocol::Json, 2).await;
    assert_eq!(site.known(), 1);
    drop(client);
    site.until_known(0).await;
    assert_eq!(open(&site, &path, &[bearer(ALICE)]).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_agreed_to_it_may_come_back() {
    let site = Site::start(Rte::default()).await;
    // Agreed on, but not in the handshake.
    let (path, mut client) = connect(&site, Protocol::Json, 1).await;
    assert_eq!(client.invoke("Echo", json!([1])).await["result"], 1);
    assert_eq!(open(&site, &path, &[bearer(ALICE)]).await.err(), Some(409));
    drop(client);
    site.until_known(0).await;
    assert_eq!(open(&site, &path, &[bearer(ALICE)]).await.err(), Some(404));
    // Not offered.
    let site = Site::start(Rte { stateful_reconnect: false, ..Rte::default() }).await;
    assert!(negotiate(&site, STATEFUL, ALICE).await.get("useStatefulReconnect").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_those_who_are_away_too() {
    let site = Site::start(Rte::default()).await;
    let (_, client) = connect(&site, Protocol::Json, 2).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(site.known(), 1);
    let hub = std::sync::Arc::clone(&site.hub);
    site.stop().await;
    assert_eq!(hub.known(), 0);
}
