//! Which topics a consumer's description of itself names.

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";

/// Topics in the subscription of a consumer, as every version of it begins: version (2 bytes), then an array of names.
///
/// `None` where the bytes are no subscription; nothing is taken for granted of them, as they are a client's.
#[must_use]
pub fn topics_of(metadata: &[u8]) -> Option<Vec<&str>> {
    let (_version, rest) = metadata.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut topics = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (name, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        topics.push(std::str::from_utf8(name).ok()?);
        rest = after;
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::messages::ConsumerProtocolSubscription;
    use kafka_protocol::protocol::{Encodable, StrBytes};

    #[test]
    fn topics_of_every_version_are_read() {
        for version in 0..=3 {
            let topics = ["b", "a"].map(StrBytes::from_static_str).to_vec();
            let subscription = ConsumerProtocolSubscription::default().with_topics(topics);
            let mut bytes = BytesMut::from(&[0, u8::try_from(version).unwrap()][..]);
            subscription.encode(&mut bytes, version).unwrap();
            assert_eq!(topics_of(&bytes).unwrap(), ["b", "a"], "version {version}");
        }
    }

    #[test]
    fn other_bytes_are_no_subscription() {
        for bytes in
            [&b""[..], b"\0\0", b"\0\0\xff\xff\xff\xff", b"\0\0\0\0\0\x01\0\x05ab", b"\0\0\0\0\0\x01\0\x01\xff"]
        {
            assert_eq!(topics_of(bytes), None, "{bytes:?}");
        }
        assert_eq!(topics_of(b"\0\0\0\0\0\0"), Some(Vec::new()));
    }
}
