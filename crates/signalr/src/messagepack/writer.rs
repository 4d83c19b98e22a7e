//! Items into bytes, each in its shortest form.

use rmp::Marker;

/// The three forms of a length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    short: fn(u8) -> Marker,
    medium: Marker,
    long: Marker,
}

impl Header {
    pub(crate) const ARRAY: Header = Header { short: Marker::FixArray, medium: Marker::Array16, long: Marker::Array32 };
    pub(crate) const MAP: Header = Header { short: Marker::FixMap, medium: Marker::Map16, long: Marker::Map32 };

    /// The bytes that say `length`: one, three or five.
    pub(crate) fn bytes(self, length: usize) -> ([u8; 5], usize) {
        let long = u32::try_from(length).unwrap_or(u32::MAX);
        let [a, b, c, d] = long.to_be_bytes();
        match length {
            0..=15 => ([(self.short)(d).to_u8(), 0, 0, 0, 0], 1),
            16..=0xffff => ([self.medium.to_u8(), c, d, 0, 0], 3),
            _ => ([self.long.to_u8(), a, b, c, d], 5),
        }
    }
}

pub(crate) fn push_header(out: &mut Vec<u8>, header: Header, length: usize) {
    let (bytes, used) = header.bytes(length);
    out.extend(bytes.into_iter().take(used));
}

pub(crate) fn push_array(out: &mut Vec<u8>, length: usize) {
    push_header(out, Header::ARRAY, length);
}

pub(crate) fn push_map(out: &mut Vec<u8>, length: usize) {
    push_header(out, Header::MAP, length);
}

pub(crate) fn push_nil(out: &mut Vec<u8>) {
    out.push(Marker::Null.to_u8());
}

pub(crate) fn push_bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { Marker::True } else { Marker::False }.to_u8());
}

pub(crate) fn push_unsigned(out: &mut Vec<u8>, value: u64) {
    if let Ok(value) = u8::try_from(value) {
        if value > 0x7f {
            out.push(Marker::U8.to_u8());
        }
        out.push(value);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(Marker::U16.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(Marker::U32.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(Marker::U64.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(crate) fn push_int(out: &mut Vec<u8>, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        push_unsigned(out, value);
    } else if let Ok(value) = i8::try_from(value) {
        out.push(if value >= -32 { Marker::FixNeg(value) } else { Marker::I8 }.to_u8());
        if value < -32 {
            out.extend_from_slice(&value.to_be_bytes());
        }
    } else if let Ok(value) = i16::try_from(value) {
        out.push(Marker::I16.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(Marker::I32.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(Marker::I64.to_u8());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(crate) fn push_f64(out: &mut Vec<u8>, value: f64) {
    out.push(Marker::F64.to_u8());
    out.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn push_str(out: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let [_, _, c, d] = length.to_be_bytes();
    match length {
        0..=31 => out.push(Marker::FixStr(d).to_u8()),
        32..=0xff => out.extend_from_slice(&[Marker::Str8.to_u8(), d]),
        0x100..=0xffff => out.extend_from_slice(&[Marker::Str16.to_u8(), c, d]),
        _ => {
            out.push(Marker::Str32.to_u8());
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}
