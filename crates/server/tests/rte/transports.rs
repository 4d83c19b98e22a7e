//! What is said over each transport.

use std::time::Duration;

use cordboard_server::config::Rte;
use cordboard_server::gateway::signalr::hub::Protocol;
use cordboard_signalr::Message;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::client::{ALICE, Client, TRANSPORTS, agree, ask, bearer, open};
use crate::echo::Site;

/// Every transport with every protocol it can carry.
fn ways() -> impl Iterator<Item = (&'static str, Protocol)> {
    let all = TRANSPORTS.into_iter().flat_map(|transport| Protocol::ALL.map(|protocol| (transport, protocol)));
    all.filter(|(transport, protocol)| !(*transport == "ServerSentEvents" && *protocol == Protocol::MessagePack))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_echoes() {
    let site = Site::start(Rte::default()).await;
    for (transport, protocol) in ways() {
        let mut client = Client::connect(&site, transport, protocol, ALICE).await;
        let what = json!({"text": "Grüße\n\u{1F600}", "list": [1, -2, 1.5, null, true], "nested": {"a": {}}});
        let told = client.invoke("Echo", json!([what, "surplus"])).await;
        assert_eq!(told["result"], what, "{transport} {protocol:?}");
        assert_eq!(client.invoke("eCHO", json!([null])).await["result"], json!(null));
        assert_eq!(client.invoke("whoami", json!([])).await["result"], "alice");
        let id = client.begin("Void", json!([])).await;
        assert_eq!(client.message().await.unwrap(), json!({"type": 3, "invocationId": id}));
        for (target, error) in [
            ("Fail", "it failed"),
            ("Nothing", "Unknown hub method 'Nothing'"),
            ("Echo", "Failed to invoke 'Echo' due to an error on the server."),
            ("Forbidden", "Failed to invoke 'Forbidden' because user is unauthorized"),
        ] {
            assert_eq!(client.invoke(target, json!([])).await["error"], error, "{transport}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_comes_whole_in_order_and_after_the_answer() {
    let site = Site::start(Rte::default()).await;
    for (transport, protocol) in ways() {
        let mut client = Client::connect(&site, transport, protocol, ALICE).await;
        let id = client.begin("Tell", json!([500])).await;
        assert_eq!(client.message().await.unwrap()["invocationId"], id, "{transport}");
        for number in 0..500 {
            let told = client.message().await.unwrap();
            assert_eq!(told, json!({"type": 1, "target": "MessageReceived", "arguments": [number]}));
        }
        site.tell("\"to all\"");
        assert_eq!(client.message().await.unwrap()["arguments"], json!(["to all"]));
    }
    let metrics = site.metrics();
    let told = metrics.lines().find_map(|line| line.strip_prefix("hub_messages_out_total ")).unwrap();
    assert!(told.parse::<u64>().unwrap() >= 2_500, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invocations_are_carried_out_one_after_the_other() {
    let site = Site::start(Rte::default()).await;
    let mut client = Client::socket(&site, ALICE).await;
    let slow = client.begin("Wait", json!([200])).await;
    let quick = client.begin("Wait", json!([0])).await;
    let first = client.message().await.unwrap();
    assert_eq!((&first["invocationId"], &first["result"]), (&json!(slow), &json!(200)));
    assert_eq!(client.message().await.unwrap()["invocationId"], quick);
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_of_every_version_are_taken_and_wrong_ones_told() {
    let site = Site::start(Rte::default()).await;
    for version in 0..=2 {
        let mut client = Client::open(&site, "WebSockets", Protocol::Json, ALICE).await;
        client.shake_hands(version).await;
        assert_eq!(client.invoke("Echo", json!([version])).await["result"], version);
    }
    for (transport, handshake, error) in [
        ("WebSockets", json!({"protocol": "xml", "version": 1}), "The protocol 'xml' is not supported."),
        (
            "WebSockets",
            json!({"protocol": "json", "version": 3}),
            "The server does not support version 3 of the 'json' protocol.",
        ),
        (
            "ServerSentEvents",
            json!({"protocol": "messagepack", "version": 1}),
            "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' \
             transfer format.",
        ),
        ("LongPolling", json!({"protocol": "xml", "version": 1}), "The protocol 'xml' is not supported."),
    ] {
        let mut client = Client::open(&site, transport, Protocol::Json, ALICE).await;
        client.send_text(&format!("{handshake}\u{1e}")).await;
        assert_eq!(client.record().await.unwrap(), json!({"error": error}).to_string(), "{transport}");
        assert_eq!(client.record().await, None, "{transport}");
    }
    assert_eq!(site.known(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_may_come_in_parts_and_together_with_the_handshake() {
    let site = Site::start(Rte::default()).await;
    let mut client = Client::open(&site, "WebSockets", Protocol::Json, ALICE).await;
    let all = "{\"protocol\":\"json\",\"version\":1}\u{1e}{\"type\":1,\"invocationId\":\"a\",\"target\":\"Echo\",\
               \"arguments\":[\"ä\"],\"headers\":{\"Authorization\":\"Bearer canary\"}}\u{1e}{\"type\":6}\u{1e}";
    let (first, rest) = all.as_bytes().split_at(all.find('ä').unwrap() + 1);
    client.send(first[..40].to_vec(), true).await;
    client.send(Vec::new(), true).await;
    client.send(first[40..].to_vec(), false).await;
    client.send(rest.to_vec(), false).await;
    assert_eq!(client.record().await.unwrap(), "{}");
    assert_eq!(client.message().await.unwrap(), json!({"type": 3, "invocationId": "a", "result": "ä"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_needs_no_negotiation() {
    let site = Site::start(Rte::default()).await;
    for protocol in Protocol::ALL {
        let stream = open(&site, "/rte", &[bearer(ALICE)]).await.unwrap();
        let mut client = Client::on_stream(stream, protocol);
        client.shake_hands(1).await;
        assert_eq!(client.invoke("Echo", json!([1])).await["result"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_broken_by_pings_but_on_long_polling() {
    let site = Site::start(Rte { ping_ms: 100, poll_ms_max: 150, ..Rte::default() }).await;
    for transport in ["WebSockets", "ServerSentEvents"] {
        let mut client = Client::connect(&site, transport, Protocol::Json, ALICE).await;
        for _ in 0..3 {
            assert_eq!(client.record().await.unwrap(), "{\"type\":6}", "{transport}");
        }
    }
    let path = format!("/rte?id={}", agree(&site, ALICE).await);
    let poll = || ask(&site, Method::GET, &path, ALICE, "");
    assert_eq!(poll().await.content_length(), Some(0));
    ask(&site, Method::POST, &path, ALICE, "{\"protocol\":\"json\",\"version\":1}\u{1e}").await;
    assert_eq!(poll().await.text().await.unwrap(), "{}\u{1e}");
    for _ in 0..3 {
        let polled = poll().await;
        assert_eq!((polled.status().as_u16(), polled.content_length()), (200, Some(0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pings_must_go_on_to() {
    let site = Site::start(Rte { ping_ms: 50, silence_ms_max: 300, ..Rte::default() }).await;
    let (mut silent, mut pings) = (Client::socket(&site, ALICE).await, Client::socket(&site, ALICE).await);
    pings.write(&Message::Ping).await;
    let closed = pings.message().await.unwrap();
    assert_eq!((&closed["type"], &closed["allowReconnect"]), (&json!(7), &json!(true)));
    assert!(closed["error"].as_str().unwrap().contains("sent nothing"), "{closed}");
    assert_eq!(pings.message().await, None);
    // Who never did need not.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(silent.invoke("Echo", json!([1])).await["result"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ends_by_close_or_by_the_transport() {
    let site = Site::start(Rte::default()).await;
    for (transport, protocol) in ways() {
        let mut client = Client::connect(&site, transport, protocol, ALICE).await;
        client.write(&Message::Close { error: None, allow_reconnect: false }).await;
        assert_eq!(client.message().await, None, "{transport}");
        site.until_known(0).await;
    }
    let mut client = Client::socket(&site, ALICE).await;
    client.stream().close(None).await.unwrap();
    assert!(matches!(client.stream().next().await, Some(Ok(Frame::Close(_)))));
    assert!(client.stream().next().await.is_none());
    site.until_known(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_may_give_a_connection_up() {
    let site = Site::start(Rte::default()).await;
    for (transport, protocol) in ways() {
        let mut client = Client::connect(&site, transport, protocol, ALICE).await;
        _ = client.begin("GiveUp", json!([])).await;
        let closed = loop {
            let message = client.message().await.unwrap();
            if message["type"] == 7 {
                break message;
            }
        };
        assert_eq!(closed["allowReconnect"], true, "{transport}");
        assert!(closed["error"].as_str().unwrap().contains("connect and subscribe again"), "{closed}");
        assert_eq!(client.message().await, None, "{transport}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_server_stops_everybody_may_come_again() {
    let site = Site::start(Rte::default()).await;
    let mut clients = Vec::new();
    for (transport, protocol) in ways() {
        clients.push(Client::connect(&site, transport, protocol, ALICE).await);
    }
    let told = tokio::spawn(async move {
        for mut client in clients {
            let closed = client.message().await.unwrap();
            assert_eq!(closed, json!({"type": 7, "error": null, "allowReconnect": true}));
            assert_eq!(client.message().await, None);
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    site.stop().await;
    told.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_poll_ends_the_first_and_an_end_is_told_once() {
    let site = Site::start(Rte { detached_ms_max: 300, ..Rte::default() }).await;
    let path = format!("/rte?id={}", agree(&site, ALICE).await);
    let poll = || ask(&site, Method::GET, &path, ALICE, "");
    assert_eq!(poll().await.status(), 200);
    ask(&site, Method::POST, &path, ALICE, "{\"protocol\":\"json\",\"version\":1}\u{1e}").await;
    assert_eq!(poll().await.text().await.unwrap(), "{}\u{1e}");
    let (first, second, ()) = tokio::join!(
        poll(),
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            poll().await
        },
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            site.tell("1");
        }
    );
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (204, 200));
    assert!(second.text().await.unwrap().contains("MessageReceived"));
    let (held, ended) = tokio::join!(poll(), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        ask(&site, Method::DELETE, &path, ALICE, "").await
    });
    assert_eq!((held.status().as_u16(), ended.status().as_u16()), (204, 202));
    assert_eq!(poll().await.status(), 404);
    site.until_known(0).await;
    // Who polls no more is gone.
    let gone = Client::connect(&site, "LongPolling", Protocol::Json, ALICE).await;
    assert_eq!(site.known(), 1);
    site.until_known(0).await;
    drop(gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_of_the_socket_are_answered() {
    let site = Site::start(Rte::default()).await;
    let mut client = Client::socket(&site, ALICE).await;
    client.stream().send(Frame::Ping(vec![1, 2, 3].into())).await.unwrap();
    assert_eq!(client.stream().next().await.unwrap().unwrap(), Frame::Pong(vec![1, 2, 3].into()));
    assert_eq!(client.invoke("Echo", json!([1])).await["result"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlives_the_token_that_opened_it() {
    let site = Site::start(Rte::default()).await;
    let mut clients = Vec::new();
    for (transport, protocol) in ways() {
        clients.push((transport, Client::connect(&site, transport, protocol, ALICE).await));
    }
    let (polled, agreed) = (agree(&site, ALICE).await, agree(&site, ALICE).await);
    let (polled, agreed) = (format!("/rte?id={polled}"), format!("/rte?id={agreed}"));
    assert_eq!(ask(&site, Method::GET, &polled, ALICE, "").await.status(), 200);
    site.hub.expire();
    for (transport, client) in &mut clients {
        assert_eq!(client.invoke("Echo", json!([1])).await["result"], 1, "{transport}");
    }
    let handshake = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
    for wrong in ["", "bob@acme", "alice@other"] {
        assert_eq!(ask(&site, Method::POST, &polled, wrong, handshake).await.status(), 401, "{wrong:?}");
    }
    assert_eq!(ask(&site, Method::POST, &polled, ALICE, handshake).await.status(), 200);
    // What is not open yet is opened by a good token only, and so is what is agreed on.
    assert_eq!(ask(&site, Method::GET, &agreed, ALICE, "").await.status(), 401);
    assert_eq!(ask(&site, Method::POST, &format!("/rte/negotiate{}", &polled[4..]), ALICE, "").await.status(), 401);
}
