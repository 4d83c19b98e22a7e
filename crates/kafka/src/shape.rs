//! What requests look like, and whether bytes can be one.
//!
//! The crate that decodes requests believes every length it reads: an array that says it has two thousand million elements
//! makes it ask the system for that much memory. So bytes are walked by the shapes here first. A shape is a table of a
//! request in all its versions; the walk allocates nothing and agrees only to lengths that the bytes fill.

mod table;

pub use table::*;

/// A request, or a structure in it: its fields one after the other. In flexible versions tagged fields follow.
pub type Shape = &'static [Field];

/// A field.
#[derive(Debug)]
pub struct Field {
    /// The first version that has it.
    pub from: i16,
    /// The last version that has it.
    pub to: i16,
    /// What it is.
    pub kind: Kind,
}

impl Field {
    fn is_in(&self, version: i16) -> bool {
        (self.from..=self.to).contains(&version)
    }
}

/// What a field is. Lengths are of four or two bytes, or varints in flexible versions; any of them may say that there is
/// nothing.
#[derive(Debug)]
pub enum Kind {
    /// So many bytes: numbers, truth values, UUIDs.
    Fixed(usize),
    /// A text.
    Text,
    /// Bytes.
    Data,
    /// A structure.
    Struct(Shape),
    /// Elements.
    Array(&'static Kind),
    /// The tagged field with this number, which comes among those at the end or not at all.
    Tagged(u32, &'static Kind),
}

/// How much of everything one request may have.
#[derive(Clone, Copy, Debug)]
pub struct ShapeLimits {
    /// Elements of all arrays, and tagged fields, together.
    pub items_max: usize,
}

/// Whether these bytes begin with one request of this shape. What comes after it is passed over, as a Kafka does: librdkafka 2
/// asks for the metadata of all topics with three bytes too many.
///
/// # Errors
/// [`ShapeError`]: what is wrong with them.
pub fn check(
    shape: Shape,
    version: i16,
    is_flexible: bool,
    bytes: &[u8],
    limits: ShapeLimits,
) -> Result<(), ShapeError> {
    let mut walk = Walk { version, is_flexible, rest: bytes, items_left: limits.items_max };
    walk.shape(shape)
}

/// Walks over the tagged fields in front of `bytes`, of which none is known, and gives what follows them.
///
/// # Errors
/// [`ShapeError`]: what is wrong with them.
pub fn after_tags(bytes: &[u8], limits: ShapeLimits) -> Result<&[u8], ShapeError> {
    let mut walk = Walk { version: 0, is_flexible: true, rest: bytes, items_left: limits.items_max };
    walk.tags(&[])?;
    Ok(walk.rest)
}

struct Walk<'b> {
    version: i16,
    is_flexible: bool,
    rest: &'b [u8],
    items_left: usize,
}

impl<'b> Walk<'b> {
    /// Shapes are as deep as the table makes them, never as the bytes do.
    fn shape(&mut self, shape: Shape) -> Result<(), ShapeError> {
        let version = self.version;
        for field in shape.iter().filter(|field| field.is_in(version)) {
            self.kind(&field.kind)?;
        }
        if self.is_flexible { self.tags(shape) } else { Ok(()) }
    }

    fn kind(&mut self, kind: &Kind) -> Result<(), ShapeError> {
        match kind {
            Kind::Fixed(bytes) => self.skip(*bytes),
            Kind::Text => {
                let bytes = if self.is_flexible { self.compact()? } else { self.i16()?.map(usize::from) };
                self.skip(bytes.unwrap_or(0))
            }
            Kind::Data => {
                let bytes = if self.is_flexible { self.compact()? } else { self.i32()? };
                self.skip(bytes.unwrap_or(0))
            }
            Kind::Struct(shape) => self.shape(shape),
            Kind::Array(element) => {
                let count = if self.is_flexible { self.compact()? } else { self.i32()? };
                for _ in 0..self.items(count.unwrap_or(0))? {
                    self.kind(element)?;
                }
                Ok(())
            }
            Kind::Tagged(..) => Ok(()),
        }
    }

    fn tags(&mut self, fields: &[Field]) -> Result<(), ShapeError> {
        let count = self.varint()? as usize;
        for _ in 0..self.items(count)? {
            let (tag, bytes) = (self.varint()?, self.varint()? as usize);
            let (inside, after) = self.rest.split_at_checked(bytes).ok_or(ShapeError::Short)?;
            let known = fields.iter().find_map(|field| match &field.kind {
                Kind::Tagged(number, kind) if *number == tag && field.is_in(self.version) => Some(*kind),
                Kind::Fixed(_) | Kind::Text | Kind::Data | Kind::Struct(_) | Kind::Array(_) | Kind::Tagged(..) => None,
            });
            if let Some(kind) = known {
                // Its own length must be that of what is in it, because whoever decodes it looks at the latter only.
                self.rest = inside;
                self.kind(kind)?;
                if !self.rest.is_empty() {
                    return Err(ShapeError::Surplus(self.rest.len()));
                }
            }
            self.rest = after;
        }
        Ok(())
    }

    /// So many elements are agreed to: no element is shorter than a byte.
    fn items(&mut self, count: usize) -> Result<usize, ShapeError> {
        if count > self.rest.len() {
            return Err(ShapeError::Short);
        }
        self.items_left = self.items_left.checked_sub(count).ok_or(ShapeError::TooMany)?;
        Ok(count)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), ShapeError> {
        self.rest = self.rest.get(bytes..).ok_or(ShapeError::Short)?;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ShapeError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ShapeError::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A length of two bytes; none where it is -1.
    fn i16(&mut self) -> Result<Option<u16>, ShapeError> {
        match i16::from_be_bytes(self.array()?) {
            -1 => Ok(None),
            length => u16::try_from(length).map(Some).map_err(|_| ShapeError::Negative(length.into())),
        }
    }

    /// A length of four bytes; none where it is -1.
    fn i32(&mut self) -> Result<Option<usize>, ShapeError> {
        match i32::from_be_bytes(self.array()?) {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| ShapeError::Negative(length)),
        }
    }

    /// A length as a varint, which is one more than it says; none where that is 0.
    fn compact(&mut self) -> Result<Option<usize>, ShapeError> {
        Ok((self.varint()? as usize).checked_sub(1))
    }

    fn varint(&mut self) -> Result<u32, ShapeError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && byte > 0x0f {
                return Err(ShapeError::Varint);
            }
            value |= bits << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }
}

/// Why bytes are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A length says more than there is.
    #[error("it ends too early, or a length in it says more than there is")]
    Short,
    /// Something is left.
    #[error("{0} bytes are left at its end")]
    Surplus(usize),
    /// A length is negative.
    #[error("a length in it is {0}")]
    Negative(i32),
    /// A varint is too long.
    #[error("a number in it has more than 32 bits")]
    Varint,
    /// More elements than there may be.
    #[error("it has more elements than it may have")]
    TooMany,
}
