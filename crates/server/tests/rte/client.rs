//! A client of our own: three transports, two protocols, as real ones do it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cordboard_server::gateway::signalr::hub::Protocol;
use cordboard_signalr::codec::{self, Cut};
use cordboard_signalr::{Call, Ended, Message};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::echo::Site;

/// No two invocations have the same id, whatever connection they are on.
static INVOKED: AtomicU64 = AtomicU64::new(0);

/// How long to wait for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Somebody.
pub(crate) const ALICE: &str = "alice@acme";

pub(crate) const TRANSPORTS: [&str; 3] = ["WebSockets", "ServerSentEvents", "LongPolling"];

/// A request with a token; none where it is empty.
pub(crate) async fn ask(site: &Site, method: Method, path: &str, token: &str, body: &str) -> Response {
    ask_with(site, method, path, token, &[], body).await
}

/// The same with more header lines.
pub(crate) async fn ask_with(
    site: &Site,
    method: Method,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let mut request = reqwest::Client::new().request(method, site.url(path)).timeout(PATIENCE);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_owned()).send().await.unwrap()
}

/// Negotiates; the answer.
pub(crate) async fn negotiate(site: &Site, query: &str, token: &str) -> Value {
    let response = ask(site, Method::POST, &format!("/rte/negotiate?{query}"), token, "").await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Negotiates as the newest clients do; what goes into `id=`.
pub(crate) async fn agree(site: &Site, token: &str) -> String {
    negotiate(site, "negotiateVersion=1", token).await["connectionToken"].as_str().unwrap().to_owned()
}

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket; the status where it is refused.
pub(crate) async fn open(site: &Site, path: &str, headers: &[(&'static str, String)]) -> Result<Stream, u16> {
    let mut request = format!("ws://{}{path}", site.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((stream, _)) => Ok(stream),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// A header with a token.
pub(crate) fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

/// A client that has opened a connection.
pub(crate) struct Client {
    way: Way,
    pub(crate) protocol: Protocol,
    unread: Vec<u8>,
}

enum Way {
    Socket(Box<Stream>),
    Letters { client: reqwest::Client, url: String, token: String, events: Option<Box<Response>>, line: Vec<u8> },
}

impl Client {
    /// Opens and shakes hands.
    pub(crate) async fn connect(site: &Site, transport: &str, protocol: Protocol, token: &str) -> Self {
        let mut client = Self::open(site, transport, protocol, token).await;
        client.shake_hands(1).await;
        client
    }

    /// A WebSocket in JSON.
    pub(crate) async fn socket(site: &Site, token: &str) -> Self {
        Self::connect(site, "WebSockets", Protocol::Json, token).await
    }

    pub(crate) async fn open(site: &Site, transport: &str, protocol: Protocol, token: &str) -> Self {
        let id = agree(site, token).await;
        let way = match transport {
            "WebSockets" => {
                Way::Socket(Box::new(open(site, &format!("/rte?id={id}"), &[bearer(token)]).await.unwrap()))
            }
            _ => Way::letters(site, transport, &id, token).await,
        };
        Self::on(way, protocol)
    }

    pub(crate) fn on_stream(stream: Stream, protocol: Protocol) -> Self {
        Self::on(Way::Socket(Box::new(stream)), protocol)
    }

    fn on(way: Way, protocol: Protocol) -> Self {
        Self { way, protocol, unread: Vec::new() }
    }

    pub(crate) async fn shake_hands(&mut self, version: u8) {
        let name = self.protocol.name();
        self.send_text(&format!("{{\"protocol\":\"{name}\",\"version\":{version}}}\u{1e}")).await;
        let reply = self.record().await.unwrap();
        assert_eq!(reply, "{}");
    }

    /// The next message that is text and ends on 0x1E; none at the end.
    pub(crate) async fn record(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == 0x1e) {
                let record = self.unread.drain(..=end).collect::<Vec<u8>>();
                return Some(String::from_utf8(record[..end].to_vec()).unwrap());
            }
            if !self.receive().await {
                return None;
            }
        }
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send(text.as_bytes().to_vec(), true).await;
    }

    pub(crate) async fn send(&mut self, bytes: Vec<u8>, text: bool) {
        match &mut self.way {
            Way::Socket(stream) => {
                let frame = if text { Frame::text(String::from_utf8(bytes).unwrap()) } else { Frame::binary(bytes) };
                // A server that has seen enough has closed.
                _ = stream.send(frame).await;
            }
            Way::Letters { client, url, token, .. } => {
                let response = client.post(url.as_str()).bearer_auth(token).body(bytes).send().await.unwrap();
                assert_eq!(response.status(), 200);
            }
        }
    }

    pub(crate) async fn write(&mut self, message: &Message<'_>) {
        let bytes = codec::write(self.protocol, message);
        self.send(bytes, self.protocol == Protocol::Json).await;
    }

    /// The next message, as JSON would write it, pings left out; none at the end.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.cut() {
                if message["type"] != 6 {
                    return Some(message);
                }
            } else if !self.receive().await {
                return None;
            }
        }
    }

    /// Invokes and waits for the answer; what is told meanwhile is passed over.
    pub(crate) async fn invoke(&mut self, target: &str, arguments: Value) -> Value {
        let id = self.begin(target, arguments).await;
        loop {
            let message = self.message().await.unwrap_or_else(|| panic!("no answer to {target}"));
            if message["invocationId"] == id {
                return message;
            }
        }
    }

    /// Invokes; the id of the invocation.
    pub(crate) async fn begin(&mut self, target: &str, arguments: Value) -> String {
        let id = INVOKED.fetch_add(1, Ordering::Relaxed).to_string();
        let arguments = codec::encode_value(self.protocol, &arguments);
        let call = Call { id: Some(id.as_str().into()), target: target.into(), arguments: arguments.into() };
        self.write(&Message::Invocation(call)).await;
        id
    }

    fn cut(&mut self) -> Option<Value> {
        let Ok(Cut::Whole { body, used }) = codec::cut(self.protocol, &self.unread, usize::MAX) else { return None };
        let value = |encoded: &[u8]| codec::read_value(self.protocol, encoded).unwrap();
        let message = match codec::read(self.protocol, body, 64).unwrap().unwrap() {
            Message::Invocation(Call { id, target, arguments }) => {
                assert_eq!(id, None);
                json!({"type": 1, "target": target, "arguments": value(&arguments)})
            }
            Message::Completion { id, ended } => match ended {
                Ended::Error(error) => json!({"type": 3, "invocationId": id, "error": error}),
                Ended::Void => json!({"type": 3, "invocationId": id}),
                Ended::Result(result) => json!({"type": 3, "invocationId": id, "result": value(&result)}),
            },
            Message::Ping => json!({"type": 6}),
            Message::Close { error, allow_reconnect } => {
                json!({"type": 7, "error": error, "allowReconnect": allow_reconnect})
            }
            Message::Ack { sequence } => json!({"type": 8, "sequenceId": sequence}),
            Message::Sequence { sequence } => json!({"type": 9, "sequenceId": sequence}),
            other @ (Message::StreamItem { .. } | Message::StreamInvocation(_) | Message::CancelInvocation { .. }) => {
                panic!("{other:?}")
            }
        };
        self.unread.drain(..used);
        Some(message)
    }

    /// Takes in what comes next; false at the end.
    async fn receive(&mut self) -> bool {
        let came = tokio::time::timeout(PATIENCE, self.way.next()).await.unwrap();
        let Some((bytes, text)) = came else { return false };
        if let Some(text) = text {
            let expected = self.protocol == Protocol::Json;
            assert_eq!(text, expected, "JSON travels in text frames, MessagePack in binary ones");
        }
        // Whole messages only: some clients cannot put them together.
        if self.protocol == Protocol::Json {
            assert!(bytes.is_empty() || bytes.ends_with(b"\x1e"), "{bytes:?}");
        }
        self.unread.extend(bytes);
        true
    }

    /// The socket below.
    pub(crate) fn stream(&mut self) -> &mut Stream {
        match &mut self.way {
            Way::Socket(stream) => stream,
            Way::Letters { .. } => panic!("no socket"),
        }
    }
}

impl Way {
    async fn letters(site: &Site, transport: &str, id: &str, token: &str) -> Self {
        let client = reqwest::Client::new();
        let url = site.url(&format!("/rte?id={id}"));
        let accept = if transport == "ServerSentEvents" { "text/event-stream" } else { "*/*" };
        let opened = client.get(&url).bearer_auth(token).header("accept", accept).send().await.unwrap();
        assert_eq!(opened.status(), 200);
        let mut way = Self::Letters { client, url, token: token.to_owned(), events: None, line: Vec::new() };
        let Self::Letters { events, line, .. } = &mut way else { panic!("just made") };
        if transport == "ServerSentEvents" {
            assert_eq!(opened.headers()["content-type"], "text/event-stream");
            let opened = events.insert(Box::new(opened));
            assert_eq!(opened.chunk().await.unwrap().as_deref(), Some(&b":\r\n"[..]));
            line.clear();
        } else {
            assert_eq!(opened.content_length(), Some(0));
        }
        way
    }

    /// What comes next, and whether it is text where that can be told.
    async fn next(&mut self) -> Option<(Vec<u8>, Option<bool>)> {
        match self {
            Self::Socket(stream) => loop {
                match stream.next().await? {
                    Ok(Frame::Text(text)) => return Some((text.as_bytes().to_vec(), Some(true))),
                    Ok(Frame::Binary(bytes)) => return Some((bytes.to_vec(), Some(false))),
                    Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_)) => {}
                    Ok(Frame::Close(_)) | Err(_) => return None,
                }
            },
            Self::Letters { client, url, token, events: None, .. } => {
                let response = client.get(url.as_str()).bearer_auth(token).send().await.unwrap();
                match response.status().as_u16() {
                    200 => Some((response.bytes().await.unwrap().to_vec(), None)),
                    204 => None,
                    other => panic!("{other}"),
                }
            }
            Self::Letters { events: Some(events), line, .. } => loop {
                if let Some(end) = line.windows(4).position(|four| four == b"\r\n\r\n") {
                    let event: Vec<u8> = line.drain(..end + 4).collect();
                    let data = event[..end].split(|byte| *byte == b'\n');
                    let data = data.map(|line| line.strip_prefix(b"data: ").unwrap().trim_ascii_end());
                    return Some((data.collect::<Vec<_>>().join(&b'\n'), None));
                }
                match events.chunk().await {
                    Ok(Some(chunk)) => line.extend(chunk),
                    Ok(None) | Err(_) => return None,
                }
            },
        }
    }
}
