//! Every status and body of the paths.

use std::time::Duration;

use cordboard_server::config::Rte;
use cordboard_server::gateway::signalr::hub::Protocol;
use reqwest::Method;
use serde_json::json;

use crate::client::{ALICE, Client, agree, ask, ask_with, bearer, negotiate, open};
use crate::echo::{Site, until};

#[tokio::test(flavor = "multi_thread")]
async fn negotiation_answers_what_each_version_expects() {
    let site = Site::start(Rte::default()).await;
    let transports = json!([
        {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
        {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
        {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
    ]);
    let old = negotiate(&site, "", ALICE).await;
    let names: Vec<_> = old.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["negotiateVersion", "connectionId", "availableTransports"]);
    assert_eq!((&old["negotiateVersion"], &old["availableTransports"]), (&json!(0), &transports));
    assert_eq!(old["connectionId"].as_str().unwrap().len(), 22);
    for query in ["negotiateVersion=1", "NegotiateVersion=7", "x=y&negotiateversion=1"] {
        let new = negotiate(&site, query, ALICE).await;
        assert_eq!(new["negotiateVersion"], 1, "{query}");
        assert_ne!(new["connectionId"], new["connectionToken"]);
        assert_eq!(new["connectionToken"].as_str().unwrap().len(), 22);
        assert!(new.get("useStatefulReconnect").is_none());
        // The public id opens nothing.
        let public = format!("/rte?id={}", new["connectionId"].as_str().unwrap());
        assert_eq!(ask(&site, Method::GET, &public, ALICE, "").await.status(), 404);
    }
    let stateful = negotiate(&site, "negotiateVersion=1&useStatefulReconnect=true", ALICE).await;
    assert_eq!(stateful["useStatefulReconnect"], true);
    let wrong = negotiate(&site, "negotiateVersion=one", ALICE).await;
    assert_eq!(wrong, json!({"error": "The client requested a non-integer protocol version."}));
    let response = ask_with(
        &site,
        Method::POST,
        "/rte/negotiate",
        ALICE,
        // As signalrcore asks.
        &[("content-type", "application/json")],
        "",
    )
    .await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers()["cache-control"].to_str().unwrap().contains("no-store"));
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        assert_eq!(ask(&site, method, "/rte/negotiate", ALICE, "").await.status(), 405);
    }
    assert_eq!(ask(&site, Method::PUT, "/rte", ALICE, "").await.status(), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_token_there_is_nothing() {
    let site = Site::start(Rte::default()).await;
    let id = agree(&site, ALICE).await;
    let paths = ["/rte?id=unknown".to_owned(), format!("/rte?id={id}"), "/rte".to_owned()];
    for (token, status) in [("", 401), ("bad", 401), ("forbidden", 403), ("again", 429), ("later", 503)] {
        let negotiated = ask(&site, Method::POST, "/rte/negotiate", token, "").await;
        assert_eq!(negotiated.status(), status, "{token}");
        assert_eq!(negotiated.headers().contains_key("www-authenticate"), status == 401);
        for path in &paths {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                assert_eq!(ask(&site, method, path, token, "").await.status(), status, "{path}");
            }
            let headers = if token.is_empty() { vec![] } else { vec![bearer(token)] };
            assert_eq!(open(&site, path, &headers).await.err(), Some(status), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_in_the_header_or_in_the_query() {
    let site = Site::start(Rte::default()).await;
    let negotiated = ask(&site, Method::POST, "/rte/negotiate?access_token=alice%40acme", "", "").await;
    let id = negotiated.json::<serde_json::Value>().await.unwrap()["connectionId"].as_str().unwrap().to_owned();
    assert!(open(&site, &format!("/rte?id={id}&access_token={ALICE}"), &[]).await.is_ok());
    let events = format!("/rte?access_token={ALICE}&id={}", agree(&site, ALICE).await);
    let accept = [("accept", "text/event-stream")];
    assert_eq!(ask_with(&site, Method::GET, &events, "", &accept, "").await.status(), 200);
    // The header wins; what is no bearer token is none.
    assert_eq!(
        ask(&site, Method::POST, &format!("/rte/negotiate?access_token={ALICE}"), "bad", "").await.status(),
        401
    );
    let basic = [("authorization", "Basic YWxpY2U6c2VjcmV0")];
    assert_eq!(ask_with(&site, Method::POST, "/rte/negotiate", "", &basic, "").await.status(), 401);
    // The slash at the end, and what else is in the query, stay.
    let id = agree(&site, ALICE).await;
    assert!(open(&site, &format!("/rte/?tenant=x&id={id}"), &[bearer(ALICE)]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_is_not_there_is_told_why() {
    let site = Site::start(Rte::default()).await;
    let unknown = "/rte?id=AAAAAAAAAAAAAAAAAAAAAA";
    for method in [Method::GET, Method::POST, Method::DELETE] {
        for (path, status, text) in
            [("/rte", 400, "Connection ID required"), (unknown, 404, "No Connection with that ID")]
        {
            let answer = ask(&site, method.clone(), path, ALICE, "").await;
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (status, text), "{path}");
        }
    }
    assert_eq!(open(&site, unknown, &[bearer(ALICE)]).await.err(), Some(404));
    let events = [("accept", "text/event-stream")];
    assert_eq!(ask_with(&site, Method::GET, "/rte", ALICE, &events, "").await.status(), 400);
    // Nothing was opened: nothing fetches, nothing can be ended.
    let agreed = format!("/rte?id={}", agree(&site, ALICE).await);
    assert_eq!(ask(&site, Method::POST, &agreed, ALICE, "x").await.status(), 400);
    assert_eq!(ask(&site, Method::DELETE, &agreed, ALICE, "").await.status(), 400);
    let broken = [("upgrade", "websocket"), ("connection", "upgrade"), ("sec-websocket-version", "12")];
    assert_eq!(ask_with(&site, Method::GET, &agreed, ALICE, &broken, "").await.status(), 400);
    assert!(open(&site, &agreed, &[bearer(ALICE)]).await.is_ok());
}

/// What each request is answered on a connection of each transport.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_keeps_its_transport() {
    let site = Site::start(Rte::default()).await;
    let events = [("accept", "text/event-stream")];
    for (transport, socket, event, poll, post, delete) in [
        ("WebSockets", 409, 400, 400, 405, 400),
        ("ServerSentEvents", 400, 409, 400, 200, 400),
        ("LongPolling", 400, 400, 200, 200, 202),
    ] {
        let path = format!("/rte?id={}", agree(&site, ALICE).await);
        let mut held = Vec::new();
        let mut stream = None;
        match transport {
            "WebSockets" => stream = Some(open(&site, &path, &[bearer(ALICE)]).await.unwrap()),
            "ServerSentEvents" => held.push(ask_with(&site, Method::GET, &path, ALICE, &events, "").await),
            _ => held.push(ask(&site, Method::GET, &path, ALICE, "").await),
        }
        assert_eq!(open(&site, &path, &[bearer(ALICE)]).await.err(), Some(socket), "{transport}");
        assert_eq!(ask_with(&site, Method::GET, &path, ALICE, &events, "").await.status(), event, "{transport}");
        // Its answer is that of the handshake, which a poll waits for.
        let posted = ask(&site, Method::POST, &path, ALICE, "{\"protocol\":\"json\",\"version\":1}\u{1e}").await;
        assert_eq!(posted.status(), post, "{transport}");
        if post == 405 {
            assert_eq!(posted.text().await.unwrap(), "POST requests are not allowed for WebSocket connections.");
        }
        let polled = ask(&site, Method::GET, &path, ALICE, "").await;
        assert_eq!(polled.status(), poll, "{transport}");
        if poll == 400 {
            assert_eq!(polled.text().await.unwrap(), "Cannot change transports mid-connection");
        } else {
            assert_eq!(polled.headers()["content-type"], "application/octet-stream");
            assert_eq!(polled.headers()["content-length"], "3");
            assert_eq!(polled.text().await.unwrap(), "{}\u{1e}");
        }
        let deleted = ask(&site, Method::DELETE, &path, ALICE, "").await;
        assert_eq!(deleted.status(), delete, "{transport}");
        if delete == 400 {
            let text = deleted.text().await.unwrap();
            assert_eq!(text, "Cannot terminate this connection using the DELETE endpoint.");
        } else {
            // As the newest clients do: what is posted after the end is quietly refused.
            assert_eq!(ask(&site, Method::POST, &path, ALICE, "{\"type\":7}\u{1e}").await.status(), 404);
        }
        drop((stream, held));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_belong_to_who_negotiated_them() {
    let site = Site::start(Rte::default()).await;
    for other in ["bob@acme", "alice@other"] {
        let path = format!("/rte?id={}", agree(&site, ALICE).await);
        assert_eq!(open(&site, &path, &[bearer(other)]).await.err(), Some(404));
        for method in [Method::GET, Method::POST, Method::DELETE] {
            assert_eq!(ask(&site, method, &path, other, "").await.status(), 404, "{other}");
        }
        assert_eq!(ask(&site, Method::GET, &path, ALICE, "").await.status(), 200);
        for method in [Method::GET, Method::POST, Method::DELETE] {
            assert_eq!(ask(&site, method, &path, other, "").await.status(), 404, "{other}");
        }
        assert_eq!(ask(&site, Method::DELETE, &path, ALICE, "").await.status(), 202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_open_what_was_agreed_on_finds_it_gone() {
    let site = Site::start(Rte { negotiated_ms_max: 150, user_negotiated_max: 1, ..Rte::default() }).await;
    let path = format!("/rte?id={}", agree(&site, ALICE).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ask(&site, Method::GET, &path, ALICE, "").await.status(), 404);
    // Its place is free again.
    let mut again = 0;
    while ask(&site, Method::POST, "/rte/negotiate", ALICE, "").await.status() != 200 {
        again += 1;
        assert!(again < 500);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_foreign_origins_are_refused_everywhere() {
    let site = Site::start(Rte { origins: vec!["https://desk.example".into()], ..Rte::default() }).await;
    let path = format!("/rte?id={}", agree(&site, ALICE).await);
    let own = site.url("");
    for (origin, welcome) in
        [("https://evil.example", false), ("null", false), ("https://desk.example", true), (own.as_str(), true)]
    {
        let headers = [("origin", origin)];
        let events = [("origin", origin), ("accept", "text/event-stream")];
        let negotiated = ask_with(&site, Method::POST, "/rte/negotiate", ALICE, &headers, "").await;
        assert_eq!(negotiated.status(), if welcome { 200 } else { 403 }, "{origin}");
        let told = |name: &str| negotiated.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told("access-control-allow-origin").as_deref(), welcome.then_some(origin));
        assert_eq!(told("access-control-allow-credentials").as_deref(), welcome.then_some("true"));
        if !welcome {
            let socket = open(&site, &path, &[bearer(ALICE), ("origin", origin.to_owned())]).await;
            assert_eq!(socket.err(), Some(403));
            for (method, headers) in [
                (Method::GET, &headers[..]),
                (Method::GET, &events[..]),
                (Method::POST, &headers[..]),
                (Method::DELETE, &headers[..]),
                (Method::OPTIONS, &headers[..]),
            ] {
                assert_eq!(ask_with(&site, method, &path, ALICE, headers, "").await.status(), 403, "{origin}");
            }
        }
    }
    let preflight = [
        ("origin", "https://desk.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-requested-with,x-signalr-user-agent"),
    ];
    for path in ["/rte/negotiate?negotiateVersion=1", "/rte"] {
        let answer = ask_with(&site, Method::OPTIONS, path, "", &preflight, "").await;
        assert_eq!(answer.status(), 204);
        let told = |name: &str| answer.headers()[name].to_str().unwrap().to_lowercase();
        assert_eq!(told("access-control-allow-origin"), "https://desk.example");
        assert_eq!(told("access-control-allow-credentials"), "true");
        for name in ["authorization", "content-type", "x-requested-with", "x-signalr-user-agent"] {
            assert!(told("access-control-allow-headers").contains(name), "{name}");
        }
        for method in ["get", "post", "delete"] {
            assert!(told("access-control-allow-methods").contains(method), "{method}");
        }
    }
    // A page may read why it is refused, too.
    let refused = ask_with(&site, Method::GET, "/rte", "", &[("origin", "https://desk.example")], "").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://desk.example");
    assert!(site.metrics().contains("hub_refused_total{reason=\"origin\"} "), "{}", site.metrics());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_connected_is_counted_and_forgotten() {
    let site = Site::start(Rte::default()).await;
    let mut first = Client::connect(&site, "WebSockets", Protocol::MessagePack, ALICE).await;
    let second = Client::connect(&site, "LongPolling", Protocol::Json, ALICE).await;
    let third = Client::connect(&site, "ServerSentEvents", Protocol::Json, ALICE).await;
    assert_eq!(site.known(), 3);
    let line = |transport: &str, protocol: &str, count: u8| {
        format!("hub_connections{{transport=\"{transport}\",protocol=\"{protocol}\"}} {count}")
    };
    let metrics = site.metrics();
    for expected in
        [line("WebSockets", "messagepack", 1), line("LongPolling", "json", 1), line("ServerSentEvents", "json", 1)]
    {
        assert!(metrics.contains(&expected), "{expected} in {metrics}");
    }
    first.stream().close(None).await.unwrap();
    drop(third);
    site.until_known(1).await;
    until("the figure", || site.metrics().contains(&line("WebSockets", "messagepack", 0))).await;
    drop(second);
}
