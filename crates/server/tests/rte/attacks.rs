//! Who means ill gets nothing, and nobody else notices.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordboard_server::config::Rte;
use cordboard_server::gateway::signalr::hub::Protocol;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::client::{ALICE, Client, PATIENCE, agree, ask, bearer, open};
use crate::echo::Site;

/// The server answers, and whoever was there before is.
async fn lives(site: &Site, witness: &mut Client) {
    assert_eq!(witness.invoke("Echo", json!(["alive"])).await["result"], "alive");
    assert_eq!(ask(site, Method::GET, "/healthz", "", "").await.status(), 200);
    site.until_known(1).await;
}

async fn site() -> (Site, Client) {
    let site = Site::start(Rte::default()).await;
    let witness = Client::socket(&site, "witness@acme").await;
    (site, witness)
}

/// What a client sends, and what it is told before it is dropped.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_forgiven_end_the_connection() {
    let (site, mut witness) = site().await;
    let deep = |open: &str, close: &str| {
        format!(
            "{{\"type\":1,\"target\":\"Echo\",\"arguments\":[{}{}]}}\u{1e}",
            open.repeat(5_000),
            close.repeat(5_000)
        )
    };
    for (bomb, error) in [
        (format!("{{\"type\":1,\"target\":\"{}\"}}\u{1e}", "x".repeat(40_000)), "maximum message size"),
        ("x".repeat(100_000), "maximum message size"),
        ("x".repeat(1_000_000), "longer than it may be"),
        (deep("[", "]"), "nested at most"),
        (deep("{\"a\":", "}"), "nested at most"),
        ("[]\u{1e}".to_owned(), ""),
        ("{\"type\":1}\u{1e}".to_owned(), "Missing"),
        ("nothing\u{1e}".to_owned(), "JSON"),
    ] {
        let mut client = Client::socket(&site, ALICE).await;
        client.send_text(&bomb).await;
        let closed = client.message().await.unwrap();
        assert_eq!((&closed["type"], &closed["allowReconnect"]), (&json!(7), &json!(false)));
        assert!(closed["error"].as_str().unwrap().contains(error), "{closed}, not {error}");
        assert_eq!(client.message().await, None);
    }
    for bomb in [
        // So many bytes, elements, members, characters are to follow.
        &b"\xff\xff\xff\xff\x07"[..],
        b"\x80\x80\x80\x80\x80\x01",
        b"\x06\x96\x01\x80\xc0\xdd\xff",
        b"\x0c\x96\x01\x80\xc0\xa4Echo\xdd\xff\xff\xff\xff",
        b"\x0c\x96\x01\x80\xc0\xdb\xff\xff\xff\xff",
        b"\x08\x96\x01\xdf\xff\xff\xff\xff\xc0",
    ] {
        let mut client = Client::connect(&site, "WebSockets", Protocol::MessagePack, ALICE).await;
        client.send(bomb.to_vec(), false).await;
        if !matches!(bomb, b"\x0c\x96\x01\x80\xc0\xdb\xff\xff\xff\xff") {
            let closed = client.message().await.unwrap();
            assert_eq!(closed["type"], 7, "{bomb:?}");
        }
    }
    lives(&site, &mut witness).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_without_an_end_are_bounded() {
    let (site, mut witness) = site().await;
    for piece in [1_000, 0] {
        let mut client = Client::socket(&site, ALICE).await;
        let stream = client.stream();
        let fragment = |opcode| Frame::Frame(RawFrame::message(vec![b' '; piece], OpCode::Data(opcode), false));
        stream.send(fragment(Data::Text)).await.unwrap();
        let mut sent = 0_usize;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
        while tokio::time::timeout_at(deadline, stream.send(fragment(Data::Continue))).await.is_ok_and(|it| it.is_ok())
        {
            sent += piece;
            assert!(sent < 20_000_000, "it is taken without an end");
        }
        if piece > 0 {
            let closed = client.message().await.unwrap();
            assert!(closed["error"].as_str().unwrap().contains("longer than it may be"), "{closed}");
        }
        drop(client);
        lives(&site, &mut witness).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_end_the_connection() {
    // Who waits for an answer is not read; that it is gone is seen when it is written to.
    let site = Site::start(Rte { ping_ms: 200, ..Rte::default() }).await;
    let mut witness = Client::socket(&site, "witness@acme").await;
    for (message, frame) in [
        ("{\"type\":6}\u{1e}", None),
        ("{\"type\":1,\"target\":\"Nothing\",\"arguments\":[]}\u{1e}", None),
        ("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Wait\",\"arguments\":[60000]}\u{1e}", None),
        ("", Some(Frame::Ping(vec![0; 100].into()))),
    ] {
        let mut client = Client::socket(&site, ALICE).await;
        let stream = client.stream();
        let flood = async {
            loop {
                let frame = frame.clone().unwrap_or_else(|| Frame::text(message.repeat(50)));
                if stream.send(frame).await.is_err() {
                    return;
                }
                while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::ZERO, stream.next()).await {}
            }
        };
        if message.contains("Wait") {
            // While an invocation runs nothing more is read than may wait.
            assert!(tokio::time::timeout(Duration::from_secs(2), flood).await.is_err() || site.known() == 1);
        } else {
            tokio::time::timeout(PATIENCE, flood).await.unwrap_or_else(|_| panic!("it is never ended: {message}"));
        }
        drop(client);
        lives(&site, &mut witness).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_shakes_hands_is_dropped() {
    let site = Site::start(Rte { handshake_ms_max: 200, close_ms_max: 100, ..Rte::default() }).await;
    for transport in crate::client::TRANSPORTS {
        let mut client = Client::open(&site, transport, Protocol::Json, ALICE).await;
        client.send_text("{\"protocol\"").await;
        assert_eq!(client.record().await.unwrap(), "{\"error\":\"Handshake was canceled.\"}", "{transport}");
        assert_eq!(client.record().await, None);
    }
    assert_eq!(site.known(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_given_up() {
    let site = Site::start(Rte { post_ms_max: 200, post_bytes_max: 2_048, ..Rte::default() }).await;
    let path = format!("/rte?id={}", agree(&site, ALICE).await);
    assert_eq!(ask(&site, Method::GET, &path, ALICE, "").await.status(), 200);
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ALICE}\r\nContent-Length: 1000\r\n\r\n{{",
        site.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(ask(&site, Method::POST, &path, ALICE, &"x".repeat(3_000)).await.status(), 413);
    // Negotiation reads no body: what never comes is not waited for.
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let head = head.replace(&path, "/rte/negotiate");
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_cannot_be_guessed() {
    let (site, mut witness) = site().await;
    let real = agree(&site, ALICE).await;
    let mut near = real.clone().into_bytes();
    near[0] = if near[0] == b'A' { b'B' } else { b'A' };
    let near = String::from_utf8(near).unwrap();
    let long = "A".repeat(10_000);
    for id in [near.as_str(), "", "0", "../..", "%00", &real[..21], &format!("{real}A"), &long] {
        let status = ask(&site, Method::GET, &format!("/rte?id={id}"), ALICE, "").await.status().as_u16();
        assert!(matches!(status, 400 | 404), "{id}: {status}");
    }
    let ids: std::collections::HashSet<_> = {
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(agree(&site, "bob@acme").await);
        }
        ids.into_iter().collect()
    };
    assert_eq!(ids.len(), 100);
    assert!(open(&site, &format!("/rte?id={real}"), &[bearer(ALICE)]).await.is_ok());
    lives(&site, &mut witness).await;
}

/// Everything that is written about, to look through.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_id_is_written_about() {
    let written = Written::default();
    let writer = written.clone();
    let lines = tracing_subscriber::fmt()
        // hyper and tungstenite write the bytes they see; nobody runs the product so.
        .with_env_filter("trace,hyper=debug,hyper_util=debug,tungstenite=debug,tokio_tungstenite=debug,reqwest=off")
        .with_writer(move || writer.clone());
    // Other tests of this program are heard, too.
    tracing::subscriber::set_global_default(lines.finish()).unwrap();
    let site = Site::start(Rte { handshake_ms_max: 100, ..Rte::default() }).await;
    let token = "canary-7f3a@acme";
    let mut ids = Vec::new();
    for transport in crate::client::TRANSPORTS {
        let mut client = Client::connect(&site, transport, Protocol::Json, token).await;
        client.invoke("Echo", json!([1])).await;
        client.invoke("GiveUp", json!([])).await;
        ids.push(agree(&site, token).await);
    }
    let stream = open(&site, &format!("/rte?id={}&access_token={token}", ids[0]), &[]).await.unwrap();
    let mut broken = Client::on_stream(stream, Protocol::Json);
    broken.send_text("{\"headers\":\"canary-7f3a@acme\"\u{1e}").await;
    while broken.record().await.is_some() {}
    for path in [format!("/rte?id={}&access_token=canary-bad", ids[1]), "/rte?access_token=canary-7f3a@acme".to_owned()]
    {
        _ = ask(&site, Method::GET, &path, "", "").await;
        _ = ask(&site, Method::POST, &path, "canary-bad", "").await;
    }
    let metrics = site.metrics();
    site.stop().await;
    let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("a connection of the hub is over"), "{written}");
    for secret in ids.iter().map(String::as_str).chain(["canary"]) {
        let line = written.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
        assert!(!metrics.contains(secret));
    }
}
