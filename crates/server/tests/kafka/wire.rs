//! A server in this process, and a client that says exactly what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use cordboard_server::config::{Config, KafkaListener, Tenant};
use cordboard_server::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const API_VERSIONS: i16 = 18;
pub(crate) const METADATA: i16 = 3;

/// A server whose listener is configured so, on ports of its own.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) kafka: SocketAddr,
    _dir: tempfile::TempDir,
}

impl House {
    /// One that serves nobody.
    pub(crate) async fn open(change: impl FnOnce(&mut KafkaListener)) -> Self {
        Self::of(Vec::new(), change).await
    }

    /// One that serves these tenants.
    pub(crate) async fn of(tenant: Vec<Tenant>, change: impl FnOnce(&mut KafkaListener)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config { data: dir.path().to_owned(), tenant, ..Config::default() };
        config.http.listen.set_port(0);
        config.kafka_listener.listen.set_port(0);
        change(&mut config.kafka_listener);
        let server = Server::start(&config).await.unwrap();
        let kafka = server.kafka_address().unwrap();
        Self { server, kafka, _dir: dir }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.kafka).await.unwrap() }
    }

    /// The value of the metric that begins so; 0 where there is none.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// Waits until a metric is at least so great.
    pub(crate) async fn wait_metric(&self, name: &str, least: u64) {
        let waiting = async {
            while self.metric(name).await < least {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{name} is not {least}"));
    }

    /// Waits until so many connections are open, and no more.
    pub(crate) async fn wait_connections(&self, open: u64) {
        let waiting = async {
            while self.metric("cordboard_kafka_connections ").await != open {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{open} connections are not reached"));
    }
}

pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends what may not be taken any more.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next answer, from its mark on.
    pub(crate) async fn answer(&mut self) -> Bytes {
        let reading = async {
            let length = self.stream.read_u32().await.unwrap();
            let mut bytes = vec![0; length as usize];
            self.stream.read_exact(&mut bytes).await.unwrap();
            Bytes::from(bytes)
        };
        timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("there is no answer"))
    }

    /// Waits until the server closes the connection, which it does without another word.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let closing = self.stream.read_to_end(&mut rest);
        // A connection with bytes that nobody read is reset.
        let _ = timeout(PATIENCE, closing).await.unwrap_or_else(|_| panic!("the connection stays open"));
        assert!(rest.is_empty(), "{rest:?}");
    }

    /// Asks for versions, and gives the mark and the error of the answer.
    pub(crate) async fn versions(&mut self, version: i16, mark: i32) -> (i32, i16) {
        self.send(&versions(version, mark)).await;
        let mut answer = self.answer().await;
        (answer.get_i32(), answer.get_i16())
    }
}

/// A request with its length and its head in front, of a version that is not flexible.
pub(crate) fn request(api: i16, version: i16, mark: i32, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i32(2 + 2 + 4 + 2 + 4 + body.len() as i32);
    out.put_i16(api);
    out.put_i16(version);
    out.put_i32(mark);
    out.put_i16(4);
    out.put_slice(b"test");
    out.put_slice(body);
    out.freeze()
}

/// Asks which requests are answered.
pub(crate) fn versions(version: i16, mark: i32) -> Bytes {
    match version {
        0..=2 => request(API_VERSIONS, version, mark, b""),
        // No tagged field, two names, no tagged field.
        _ => request(API_VERSIONS, version, mark, b"\0\x05test\x020\0"),
    }
}

/// Asks for all topics.
pub(crate) fn all_topics(mark: i32) -> Bytes {
    request(METADATA, 1, mark, &(-1_i32).to_be_bytes())
}
