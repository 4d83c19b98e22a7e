//! JSON to MessagePack in one pass, without building a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::messagepack::{Header, push_f64, push_int, push_str, push_unsigned};

/// Writes what `from` holds to the end of `out`.
pub(crate) fn transcode<'de, D: Deserializer<'de>>(from: D, out: &mut Vec<u8>) -> Result<(), D::Error> {
    Transcoder(out).deserialize(from)
}

struct Transcoder<'o>(&'o mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Transcoder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Transcoder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(rmp::Marker::Null.to_u8());
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push(if value { rmp::Marker::True } else { rmp::Marker::False }.to_u8());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        push_unsigned(self.0, value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        push_int(self.0, value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        push_f64(self.0, value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        push_str(self.0, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let at = self.0.len();
        self.0.push(0);
        let mut length = 0;
        while seq.next_element_seed(Transcoder(self.0))?.is_some() {
            length += 1;
        }
        put_header(self.0, at, Header::ARRAY, length);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let at = self.0.len();
        self.0.push(0);
        let mut length = 0;
        while map.next_key_seed(Transcoder(self.0))?.is_some() {
            map.next_value_seed(Transcoder(self.0))?;
            length += 1;
        }
        put_header(self.0, at, Header::MAP, length);
        Ok(())
    }
}

/// Puts the length where one byte was kept free for it; more than fifteen items are moved to make room.
fn put_header(out: &mut Vec<u8>, at: usize, header: Header, length: usize) {
    let (bytes, used) = header.bytes(length);
    out.splice(at..=at, bytes.into_iter().take(used));
}
