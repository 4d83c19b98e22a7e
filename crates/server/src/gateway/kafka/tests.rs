//! Every request in every version has an answer, and one that this version can say.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use cordboard_kafka::api::{Api, Use};
use cordboard_kafka::request::{self, Head};
use cordboard_kafka::shape::{Kind, Shape, ShapeLimits};

use super::connection::End;
use super::dispatch::{self, Reply};
use super::{Broker, Client};
use crate::clock::Clock;
use crate::config::Config;
use crate::identity::Identities;

/// A request with one element in each array, and every number made of this byte.
struct Plain {
    version: i16,
    is_flexible: bool,
    byte: u8,
    out: BytesMut,
}

impl Plain {
    fn of(api: Api, version: i16, byte: u8) -> Bytes {
        let mut plain = Self { version, is_flexible: api.is_flexible(version), byte, out: BytesMut::new() };
        plain.shape(api.row().shape);
        plain.out.freeze()
    }

    fn shape(&mut self, shape: Shape) {
        let version = self.version;
        for field in shape.iter().filter(|field| (field.from..=field.to).contains(&version)) {
            self.kind(&field.kind);
        }
        if self.is_flexible {
            self.out.put_u8(0);
        }
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Fixed(bytes) => self.out.put_bytes(self.byte, *bytes),
            Kind::Text if self.is_flexible => self.out.put_slice(b"\x02x"),
            Kind::Text => self.out.put_slice(b"\0\x01x"),
            Kind::Data if self.is_flexible => self.out.put_slice(b"\x02x"),
            Kind::Data => self.out.put_slice(b"\0\0\0\x01x"),
            Kind::Struct(shape) => self.shape(shape),
            Kind::Array(element) => {
                if self.is_flexible {
                    self.out.put_u8(2)
                } else {
                    self.out.put_i32(1)
                }
                self.kind(element);
            }
            Kind::Tagged(..) => {}
        }
    }
}

struct Fixture {
    broker: Broker,
    client: Client,
    _dir: tempfile::TempDir,
}

fn fixture(anonymous: bool) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config { data: dir.path().to_owned(), ..Config::default() };
    config.kafka_listener.anonymous = anonymous;
    let identities = Arc::new(Identities::new(Vec::new(), Clock::default(), &config).unwrap());
    let broker = Broker::open(&config, Clock::default(), &identities, &[], Default::default()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 9));
    let client = Client { id: Default::default(), address, host: "localhost".to_owned().into(), port: 9092 };
    Fixture { broker, client, _dir: dir }
}

async fn ask(fixture: &Fixture, api: Api, version: i16, byte: u8) -> Result<Reply, End> {
    let head = Head { api, version, correlation_id: 3, client_id: None, is_known_version: true };
    let limits = ShapeLimits { items_max: 100 };
    let request = request::body(&head, Plain::of(api, version, byte), limits).unwrap();
    let mut login = fixture.broker.door.knock(fixture.client.address.ip());
    dispatch::answer(&fixture.broker, &mut login, &fixture.client, &head, request).await
}

#[tokio::test]
async fn every_request_in_every_version_has_an_answer() {
    let fixture = fixture(true);
    for api in Api::ALL {
        let row = api.row();
        for (version, byte) in (row.min..=row.max).flat_map(|version| [(version, 0), (version, 0xff)]) {
            match ask(&fixture, *api, version, byte).await {
                Ok(reply) => {
                    let bytes = reply.parts.concat();
                    assert_eq!(bytes[..4], (bytes.len() as u32 - 4).to_be_bytes(), "{api:?} {version}");
                    assert_eq!(bytes[4..8], 3_i32.to_be_bytes(), "{api:?} {version}");
                }
                // No answer is wanted, and none is given.
                Err(End::Unacknowledged) => assert_eq!((*api, byte), (Api::Produce, 0)),
                Err(end) => panic!("{api:?} {version}: {end}"),
            }
        }
    }
    fixture.broker.stop().await;
}

#[tokio::test]
async fn whoever_has_not_logged_in_is_told_nothing() {
    let fixture = fixture(false);
    for api in Api::ALL {
        let asked = ask(&fixture, *api, api.row().max, 0xff).await;
        match api.row().used {
            Use::Open => assert!(asked.is_ok(), "{api:?}"),
            Use::Answered | Use::Refused => {
                assert!(matches!(asked, Err(End::NotLoggedIn(_))), "{api:?}");
            }
        }
    }
    fixture.broker.stop().await;
}
