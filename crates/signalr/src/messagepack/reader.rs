//! Items out of bytes; no length is believed before its bytes are there.

use rmp::Marker;

use crate::error::ProtocolError;

/// One item; of arrays and maps only how many items follow, which is a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Item<'a> {
    Nil,
    Bool(bool),
    /// Not negative, however it was written.
    Unsigned(u64),
    /// Negative.
    Signed(i64),
    Float(f64),
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Array(u32),
    Map(u32),
    Extension,
}

/// Reads one item after the other.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next item.
    pub(crate) fn next(&mut self) -> Result<Item<'a>, ProtocolError> {
        let [first] = self.array()?;
        Ok(match Marker::from_u8(first) {
            Marker::Null => Item::Nil,
            Marker::True => Item::Bool(true),
            Marker::False => Item::Bool(false),
            Marker::FixPos(value) => Item::Unsigned(value.into()),
            Marker::FixNeg(value) => Item::Signed(value.into()),
            Marker::U8 => Item::Unsigned(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Item::Unsigned(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Item::Unsigned(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Item::Unsigned(u64::from_be_bytes(self.array()?)),
            Marker::I8 => signed(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => signed(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => signed(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => signed(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Item::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Item::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(length) => Item::Text(self.bytes(length.into())?),
            Marker::Str8 => Item::Text(self.counted_8()?),
            Marker::Str16 => Item::Text(self.counted_16()?),
            Marker::Str32 => Item::Text(self.counted_32()?),
            Marker::Bin8 => Item::Binary(self.counted_8()?),
            Marker::Bin16 => Item::Binary(self.counted_16()?),
            Marker::Bin32 => Item::Binary(self.counted_32()?),
            Marker::FixArray(length) => Item::Array(length.into()),
            Marker::Array16 => Item::Array(u16::from_be_bytes(self.array()?).into()),
            Marker::Array32 => Item::Array(u32::from_be_bytes(self.array()?)),
            Marker::FixMap(length) => Item::Map(length.into()),
            Marker::Map16 => Item::Map(u16::from_be_bytes(self.array()?).into()),
            Marker::Map32 => Item::Map(u32::from_be_bytes(self.array()?)),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => {
                let length = u8::from_be_bytes(self.array()?);
                self.extension(length.into())?
            }
            Marker::Ext16 => {
                let length = u16::from_be_bytes(self.array()?);
                self.extension(length.into())?
            }
            Marker::Ext32 => {
                let length = u32::from_be_bytes(self.array()?);
                self.extension(length)?
            }
            Marker::Reserved => return Err(ProtocolError::MessagePack("0xc1 is never used")),
        })
    }

    /// Steps over an item with all that lies in it, which is inside the message's own array, and returns its bytes.
    pub(crate) fn skip(&mut self, depth_max: usize) -> Result<&'a [u8], ProtocolError> {
        let before = self.rest;
        // How many items are still to come on each level that is open.
        let mut open: Vec<u64> = Vec::new();
        loop {
            let inside = match self.next()? {
                Item::Array(length) => u64::from(length),
                Item::Map(length) => 2 * u64::from(length),
                Item::Nil
                | Item::Bool(_)
                | Item::Unsigned(_)
                | Item::Signed(_)
                | Item::Float(_)
                | Item::Text(_)
                | Item::Binary(_)
                | Item::Extension => 0,
            };
            if inside > 0 {
                // One for the message, one for this.
                if open.len() + 2 > depth_max {
                    return Err(ProtocolError::TooDeep { max: depth_max });
                }
                open.push(inside);
                continue;
            }
            while let Some(left) = open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                open.pop();
            }
            if open.is_empty() {
                let used = before.len() - self.rest.len();
                return Ok(before.get(..used).unwrap_or_default());
            }
        }
    }

    fn extension(&mut self, length: u32) -> Result<Item<'a>, ProtocolError> {
        let [_kind] = self.array()?;
        self.bytes(length)?;
        Ok(Item::Extension)
    }

    fn counted_8(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = u8::from_be_bytes(self.array()?);
        self.bytes(length.into())
    }

    fn counted_16(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(length.into())
    }

    fn counted_32(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = u32::from_be_bytes(self.array()?);
        self.bytes(length)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(ENDS_EARLY)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], ProtocolError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(ENDS_EARLY)?;
        self.rest = rest;
        Ok(taken)
    }
}

const ENDS_EARLY: ProtocolError = ProtocolError::MessagePack("it ends before its last item");

fn signed(value: i64) -> Item<'static> {
    u64::try_from(value).map_or(Item::Signed(value), Item::Unsigned)
}
