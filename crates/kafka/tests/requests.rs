//! Requests of every kind in every version: the shapes here and the crate that decodes agree on every byte, and whatever
//! else comes is refused before anything is decoded.

use bytes::{BufMut as _, Bytes, BytesMut};
use cordboard_kafka::api::{Api, Request};
use cordboard_kafka::request::{self, Head, RequestError};
use cordboard_kafka::shape::{self, Kind, Shape, ShapeError, ShapeLimits};
use kafka_protocol::protocol::Encodable as _;
use proptest::prelude::*;

const LIMITS: ShapeLimits = ShapeLimits { items_max: 10_000 };

/// Every request in every version.
fn all() -> impl Iterator<Item = (Api, i16)> {
    Api::ALL.iter().flat_map(|api| (api.row().min..=api.row().max).map(|version| (*api, version)))
}

fn head(api: Api, version: i16) -> Head {
    Head { api, version, correlation_id: 7, client_id: None, is_known_version: true }
}

/// Writes a request by its shape, taking what is free from given numbers.
struct Writer<'n> {
    version: i16,
    is_flexible: bool,
    numbers: std::iter::Cycle<std::slice::Iter<'n, u8>>,
    out: BytesMut,
    /// Where the lengths of arrays stand.
    lengths: Vec<usize>,
}

impl<'n> Writer<'n> {
    fn write(api: Api, version: i16, numbers: &'n [u8]) -> Self {
        let is_flexible = api.is_flexible(version);
        let mut writer =
            Self { version, is_flexible, numbers: numbers.iter().cycle(), out: BytesMut::new(), lengths: Vec::new() };
        writer.shape(api.row().shape);
        writer
    }

    fn next(&mut self) -> u8 {
        self.numbers.next().copied().unwrap_or_default()
    }

    fn shape(&mut self, shape: Shape) {
        let is_in = |field: &&shape::Field| (field.from..=field.to).contains(&self.version);
        let fields: Vec<_> = shape.iter().filter(is_in).collect();
        for field in &fields {
            self.kind(&field.kind);
        }
        if self.is_flexible {
            self.tags(&fields);
        }
    }

    /// Known tagged fields, and some that nobody knows.
    fn tags(&mut self, fields: &[&shape::Field]) {
        let mut tags = Vec::new();
        for field in fields {
            if let Kind::Tagged(number, kind) = field.kind {
                let before = std::mem::take(&mut self.out);
                self.kind(kind);
                tags.push((number, std::mem::replace(&mut self.out, before)));
            }
        }
        if self.next().is_multiple_of(4) {
            let value = vec![self.next(); usize::from(self.next() % 9)];
            tags.push((100 + u32::from(self.next()), BytesMut::from(value.as_slice())));
        }
        self.varint(tags.len() as u32);
        for (number, value) in tags {
            self.varint(number);
            self.varint(value.len() as u32);
            self.out.put_slice(&value);
        }
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            // Truth values are one byte as well, and come back as 0 or 1.
            Kind::Fixed(1) => {
                let byte = self.next() % 2;
                self.out.put_u8(byte);
            }
            Kind::Fixed(bytes) => {
                for _ in 0..*bytes {
                    let byte = self.next();
                    self.out.put_u8(byte);
                }
            }
            Kind::Text | Kind::Data => {
                let bytes: Vec<u8> = (0..self.next() % 20).map(|n| b'a' + n).collect();
                if self.is_flexible {
                    self.varint(bytes.len() as u32 + 1);
                } else if matches!(kind, Kind::Text) {
                    self.out.put_i16(bytes.len() as i16);
                } else {
                    self.out.put_i32(bytes.len() as i32);
                }
                self.out.put_slice(&bytes);
            }
            Kind::Struct(shape) => self.shape(shape),
            Kind::Array(element) => {
                let count = self.next() % 4;
                self.lengths.push(self.out.len());
                if self.is_flexible {
                    self.varint(u32::from(count) + 1)
                } else {
                    self.out.put_i32(count.into())
                }
                (0..count).for_each(|_| self.kind(element));
            }
            Kind::Tagged(..) => {}
        }
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.put_u8(value as u8);
    }
}

/// A request as the crate writes it.
fn encoded(request: &Request, version: i16) -> Vec<u8> {
    macro_rules! encoded {
        ($($name:ident)+) => {
            match request { $( Request::$name(request) => {
                let mut out = Vec::new();
                request.encode(&mut out, version).unwrap();
                out
            } )+ }
        };
    }
    encoded!(
        Produce Fetch ListOffsets Metadata OffsetCommit OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup
        SyncGroup DescribeGroups ListGroups SaslHandshake ApiVersions CreateTopics DeleteTopics DeleteRecords
        InitProducerId OffsetForLeaderEpoch AddPartitionsToTxn AddOffsetsToTxn EndTxn TxnOffsetCommit DescribeConfigs
        AlterConfigs SaslAuthenticate CreatePartitions DeleteGroups IncrementalAlterConfigs
        ListPartitionReassignments OffsetDelete DescribeCluster
    )
}

fn numbers() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What is written by a shape is agreed to, decoded to the last byte, and written the same by the crate.
    #[test]
    fn shapes_and_the_crate_agree_on_every_request_in_every_version(numbers in numbers()) {
        for (api, version) in all() {
            let bytes = Writer::write(api, version, &numbers).out.freeze();
            let request = request::body(&head(api, version), bytes.clone(), LIMITS);
            let request = request.unwrap_or_else(|error| panic!("{api:?} {version}: {error}: {bytes:?}"));
            prop_assert_eq!(request.api(), api);
            prop_assert_eq!(encoded(&request, version), bytes.to_vec(), "{:?} {}", api, version);
        }
    }

    /// Damaged requests are refused or decoded; neither panics, and no length is believed.
    #[test]
    fn damage_is_refused_or_harmless(numbers in numbers(), at in any::<prop::sample::Index>(), with in any::<[u8; 4]>()) {
        for (api, version) in all() {
            let mut bytes = Writer::write(api, version, &numbers).out;
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            for (byte, with) in bytes.iter_mut().skip(at).zip(with) {
                *byte = with;
            }
            // Whether it can be decoded does not matter; that it ends does.
            drop(request::body(&head(api, version), bytes.freeze(), LIMITS));
        }
    }

    #[test]
    fn a_request_is_not_shorter_than_its_shape_and_what_comes_after_it_is_passed_over(numbers in numbers()) {
        for (api, version) in all() {
            let bytes = Writer::write(api, version, &numbers).out.freeze();
            let longer = [&bytes[..], b"\0\0\0"].concat();
            let (one, other) = [bytes.clone(), longer.into()].map(|it| request::body(&head(api, version), it, LIMITS)).into();
            prop_assert_eq!(format!("{:?}", one.unwrap()), format!("{:?}", other.unwrap()), "{:?} {}", api, version);
            if !bytes.is_empty() {
                let shorter = request::body(&head(api, version), bytes.slice(..bytes.len() - 1), LIMITS);
                prop_assert!(matches!(shorter, Err(RequestError::Shape { .. })), "{:?} {}", api, version);
            }
        }
    }

    #[test]
    fn bytes_are_never_trusted(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok((head, rest)) = request::head(Bytes::from(bytes), LIMITS) {
            drop(request::body(&head, rest, LIMITS));
        }
    }
}

/// Every length of every array of every request, made as great as it can be said.
#[test]
fn no_length_makes_anybody_ask_for_memory() {
    for (api, version) in all() {
        let written = Writer::write(api, version, &[3, 2, 1]);
        for at in &written.lengths {
            let mut bytes = written.out.to_vec();
            if written.is_flexible {
                bytes.splice(at..&(at + 1), [0xff, 0xff, 0xff, 0xff, 0x0f]);
            } else {
                bytes.splice(at..&(at + 4), 0x7fff_ffff_i32.to_be_bytes());
            }
            let refused = request::body(&head(api, version), bytes.into(), LIMITS);
            let short = RequestError::Shape { api, version, error: ShapeError::Short };
            assert_eq!(refused, Err(short), "{api:?} {version} at {at}");
        }
    }
}

#[test]
fn elements_are_counted_over_all_arrays() {
    // Metadata of version 1: names of no letters.
    let names = |count: i32| [&count.to_be_bytes()[..], &vec![0; 2 * count as usize]].concat();
    let ask =
        |count| request::body(&head(Api::Metadata, 1), names(count).into(), ShapeLimits { items_max: 100 }).map(|_| ());
    assert_eq!(ask(100), Ok(()));
    let many = RequestError::Shape { api: Api::Metadata, version: 1, error: ShapeError::TooMany };
    assert_eq!(ask(101), Err(many));
}

#[test]
fn a_head_says_what_comes() {
    let frame = |key: i16, version: i16, rest: &[u8]| {
        Bytes::from([&key.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), rest].concat())
    };
    let read = |key, version, rest: &[u8]| request::head(frame(key, version, rest), LIMITS);
    let (old, rest) = read(3, 1, b"\0\x02me\0\0\0\0").unwrap();
    assert_eq!((old.api, old.version, old.correlation_id), (Api::Metadata, 1, 7));
    assert_eq!((old.client_id.as_deref(), &rest[..]), (Some("me"), &b"\0\0\0\0"[..]));
    // A flexible one: nobody's name, a tagged field, the rest.
    let (new, rest) = read(3, 9, b"\xff\xff\x01\x05\x02ab!").unwrap();
    assert_eq!((new.client_id, &rest[..]), (None, &b"!"[..]));
    for (key, version, rest) in
        [(3, 9, &b"\xff\xff\x01\x05\x7fab"[..]), (3, 9, b"\xff\xff"), (3, 9, b"\xff\xff\xff\xff")]
    {
        let refused = read(key, version, rest);
        assert!(matches!(refused, Err(RequestError::Shape { .. })), "{refused:?}");
    }
    for rest in [&b""[..], b"\0", b"\0\x05abc", b"\xff\xfe", b"\0\x01\xff"] {
        assert_eq!(read(3, 1, rest), Err(RequestError::Head));
    }
    assert_eq!(request::head(Bytes::from_static(b"GET / "), LIMITS), Err(RequestError::Head));
    assert_eq!(read(999, 0, b""), Err(RequestError::UnknownApi { key: 999, version: 0 }));
    assert_eq!(read(3, 99, b""), Err(RequestError::UnknownVersion { api: Api::Metadata, version: 99 }));
    assert_eq!(read(0, 2, b""), Err(RequestError::UnknownVersion { api: Api::Produce, version: 2 }));
}

/// Who asks for versions in a version that is not known gets all the same the oldest answer, with the table in it.
#[test]
fn versions_are_told_to_everybody() {
    for version in [-1, 5, 99] {
        let frame = [&18_i16.to_be_bytes()[..], &i16::to_be_bytes(version), &7_i32.to_be_bytes(), b"\x7f?"].concat();
        let (head, rest) = request::head(frame.into(), LIMITS).unwrap();
        assert!(!head.is_known_version && head.answer_version() == 0);
        assert!(matches!(request::body(&head, rest, LIMITS), Ok(Request::ApiVersions(_))));
    }
}
