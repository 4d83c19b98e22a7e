//! Answers as bytes, compared with what clients read out of them.

use bytes::{Buf as _, Bytes};
use cordboard_kafka::answer::{encode, encode_fetch};
use cordboard_kafka::api::{self, Api, Row, Use};
use kafka_protocol::messages::fetch_response::{FetchResponse, FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{ApiVersionsResponse, MetadataResponse, TopicName};
use kafka_protocol::protocol::Decodable as _;
use proptest::prelude::*;

fn fetched() -> impl Strategy<Value = FetchResponse> {
    let records = prop_oneof![Just(Bytes::new()), proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from)];
    let partition =
        (any::<i32>(), any::<i16>(), any::<[i64; 3]>(), records).prop_map(|(index, error, offsets, records)| {
            PartitionData::default()
                .with_partition_index(index)
                .with_error_code(error)
                .with_high_watermark(offsets[0])
                .with_last_stable_offset(offsets[1])
                .with_log_start_offset(offsets[2])
                .with_aborted_transactions(None)
                .with_records(Some(records))
        });
    let topic = ("[a-z.]{0,140}", proptest::collection::vec(partition, 0..4)).prop_map(|(name, partitions)| {
        FetchableTopicResponse::default().with_topic(TopicName(name.into())).with_partitions(partitions)
    });
    (any::<i32>(), any::<i16>(), proptest::collection::vec(topic, 0..4)).prop_map(|(throttle, error, topics)| {
        FetchResponse::default().with_throttle_time_ms(throttle).with_error_code(error).with_responses(topics)
    })
}

proptest! {
    /// Byte for byte what the crate would make of it with copies of the records.
    #[test]
    fn a_fetch_in_parts_is_the_fetch_as_a_whole(answer in fetched()) {
        let row = Api::Fetch.row();
        for version in row.min..=row.max {
            let parts = encode_fetch(9, version, &answer).unwrap();
            let answer = if version < 5 {
                // A field that older versions do not have is left out by us, and refused by the crate.
                let mut answer = answer.clone();
                for partition in answer.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
                    partition.log_start_offset = -1;
                }
                answer
            } else {
                answer.clone()
            };
            prop_assert_eq!(parts.concat(), encode(9, version, &answer).unwrap().to_vec(), "{}", version);
        }
    }
}

#[test]
fn records_are_not_copied() {
    let records = Bytes::from(vec![1; 1_000]);
    let partition = PartitionData::default().with_records(Some(records.clone()));
    let topic = FetchableTopicResponse::default().with_partitions(vec![partition]);
    let parts = encode_fetch(1, 12, &FetchResponse::default().with_responses(vec![topic])).unwrap();
    assert!(parts.iter().any(|part| std::ptr::eq(part.as_ptr(), records.as_ptr())));
}

#[test]
fn an_answer_has_its_length_its_mark_and_tagged_fields_where_there_can_be_some() {
    for version in 0..=12 {
        let mut bytes = encode(77, version, &MetadataResponse::default()).unwrap();
        assert_eq!(bytes.get_i32() as usize, bytes.len());
        assert_eq!(bytes.get_i32(), 77);
        if version >= 9 {
            assert_eq!(bytes.get_u8(), 0);
        }
        MetadataResponse::decode(&mut bytes, version).unwrap();
        assert!(bytes.is_empty(), "{version}");
    }
    // The one whose head has none in any version, because clients read it before they know versions.
    for version in 0..=4 {
        let mut bytes = encode(77, version, &ApiVersionsResponse::default().with_api_keys(api::told())).unwrap();
        bytes.advance(8);
        let told = ApiVersionsResponse::decode(&mut bytes, version).unwrap().api_keys;
        assert_eq!(told, api::told());
        assert!(bytes.is_empty(), "{version}");
    }
}

#[test]
fn what_a_version_cannot_say_is_an_error_and_no_panic() {
    let answer = MetadataResponse::default().with_cluster_authorized_operations(1);
    assert!(encode(1, 1, &answer).unwrap_err().to_string().contains("cannot be encoded"));
}

/// Clients look for these before they do anything; see the table for why.
#[test]
fn what_librdkafka_looks_for_is_told() {
    let told = api::told();
    let has = |key: i16, min: i16, max: i16| {
        told.iter().any(|row| row.api_key == key && row.min_version <= max && row.max_version >= min)
    };
    for (what, key, min, max) in [
        ("records of version 1", 0, 2, 2),
        ("records of version 2, written", 0, 3, 3),
        ("records of version 2, read", 1, 4, 4),
        ("offsets by time", 2, 1, 1),
        ("groups: coordinator", 10, 0, 0),
        ("groups: commit", 8, 1, 2),
        ("groups: committed", 9, 1, 1),
        ("groups: join", 11, 0, 0),
        ("groups: heartbeat", 12, 0, 0),
        ("groups: leave", 13, 0, 0),
        ("groups: sync", 14, 0, 0),
        ("login: handshake", 17, 1, 1),
        ("login: authenticate", 36, 0, 0),
        ("versions", 18, 0, 0),
    ] {
        assert!(has(key, min, max), "{what}");
    }
}

#[test]
fn rows_are_in_order_and_found_by_their_numbers() {
    assert!(Api::ALL.is_sorted_by_key(|api| api.row().key));
    for api in Api::ALL {
        assert_eq!(Api::of(api.row().key), Some(*api));
        let row = api.row();
        assert!(row.told_min <= row.min && row.min <= row.max, "{row:?}");
    }
    assert_eq!(Api::of(7), None);
}

#[test]
fn the_table_of_requests_is_printed() {
    let mut table = String::from("| request | number | versions | answered |\n|---|---|---|---|\n");
    for api in Api::ALL {
        let Row { name, key, min, max, used, .. } = api.row();
        let answered = match used {
            Use::Open => "to everybody",
            Use::Answered => "after the login",
            Use::Refused => "refused: it would write",
        };
        table.push_str(&format!("| `{name}` | {key} | {min} to {max} | {answered} |\n"));
    }
    let page = include_str!("../../../docs/kafka.md");
    assert!(page.contains(&table), "docs/kafka.md should hold\n{table}");
}
