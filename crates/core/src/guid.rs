//! Universally unique ids, as other people's interfaces want them. They are made outside: the core draws no numbers.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 128 bits, written as five groups of hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub u128);

impl Guid {
    /// An id that follows from these parts: the same from the same ones, another one from others, on every machine. It is
    /// no id that a standard derives: the mark says that it is somebody's own (version 8).
    #[must_use]
    pub fn derived(parts: &[&[u8]]) -> Self {
        /// The numbers of the hash FNV-1a with 128 bits.
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let mut bits = BASIS;
        for part in parts {
            // The length first, so that the ends of parts cannot be taken for something else.
            for byte in (part.len() as u64).to_be_bytes().iter().chain(*part) {
                bits = (bits ^ u128::from(*byte)).wrapping_mul(PRIME);
            }
        }
        let version = bits & !(0xf << 76) | 8 << 76;
        Self(version & !(0b11 << 62) | 0b10 << 62)
    }
}

/// Where the hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let (a, b, c) = (bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff);
        let (d, e) = (bits >> 48 & 0xffff, bits & 0xffff_ffff_ffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

/// The text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoGuid;

impl FromStr for Guid {
    type Err = NoGuid;

    /// Reads the forms that occur: with hyphens, without, and with hyphens in braces or parentheses; in any case.
    fn from_str(text: &str) -> Result<Self, NoGuid> {
        let bare = match (text.strip_prefix('{'), text.strip_prefix('(')) {
            (Some(rest), _) => rest.strip_suffix('}').ok_or(NoGuid)?,
            (None, Some(rest)) => rest.strip_suffix(')').ok_or(NoGuid)?,
            (None, None) => text,
        };
        let hyphenated = bare.len() == 36;
        if !hyphenated && (bare.len() != 32 || bare.len() != text.len()) {
            return Err(NoGuid);
        }
        let mut bits = 0_u128;
        for (at, byte) in bare.bytes().enumerate() {
            if hyphenated && HYPHENS.contains(&at) {
                if byte != b'-' {
                    return Err(NoGuid);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(NoGuid)?;
            bits = bits << 4 | u128::from(digit);
        }
        Ok(Self(bits))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|NoGuid| {
            D::Error::custom(format_args!(
                "{text:?} is no id; right would be like 12345678-90ab-cdef-1234-567890abcdef"
            ))
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Guid {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Guid".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "uuid"})
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_in_every_form() {
        let guid = Guid(0x1234_5678_90ab_cdef_1234_5678_90ab_cdef);
        let text = guid.to_string();
        assert_eq!(text, "12345678-90ab-cdef-1234-567890abcdef");
        for form in [&*text, &text.to_uppercase(), &text.replace('-', ""), &alloc::format!("{{{text}}}")] {
            assert_eq!(form.parse(), Ok(guid), "{form}");
        }
        assert_eq!(alloc::format!("({text})").parse(), Ok(guid));
    }

    #[test]
    fn what_is_derived_depends_on_every_part_and_where_it_ends() {
        let parts: [&[&[u8]]; 6] = [&[], &[b""], &[b"ab"], &[b"a", b"b"], &[b"b", b"a"], &[b"ab", b""]];
        let ids = parts.map(Guid::derived);
        for (at, id) in ids.iter().enumerate() {
            assert!(ids.iter().skip(at + 1).all(|other| other != id), "{at}");
            let text = id.to_string();
            assert!(text.get(14..15) == Some("8") && "89ab".contains(text.get(19..20).unwrap()), "{text}");
        }
        assert_eq!(Guid::derived(&[b"call", &[1]]), Guid::derived(&[b"call", &[1]]));
    }

    #[test]
    fn near_misses_are_none() {
        let text = "12345678-90ab-cdef-1234-567890abcdef";
        for wrong in [
            "",
            "x",
            &text[1..],
            &alloc::format!("{text}0"),
            &alloc::format!("{{{text})"),
            &text.replace('-', "_"),
            &text.replace('a', "g"),
            "+2345678-90ab-cdef-1234-567890abcdef",
        ] {
            assert_eq!(wrong.parse::<Guid>(), Err(NoGuid), "{wrong}");
        }
    }
}
