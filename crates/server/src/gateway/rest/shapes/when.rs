//! Points in time in bodies.

use cordboard_core::Time;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: written as `2026-11-21T14:02:03.5Z`; read as that, with another offset, or without one, which means
/// UTC, also with a space between date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct When(pub(in super::super) Time);

impl When {
    /// Reads what people and programs write.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        let given = text.parse::<Timestamp>().ok();
        let at = given.or_else(|| {
            let local: DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
            // The last hours there are, which others write for "never", are beyond what is counted here.
            let last = (local.year() == YEAR_MAX).then_some(Timestamp::MAX);
            local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()).or(last)
        })?;
        u64::try_from(at.as_microsecond()).ok().map(|micros| Self(Time(micros)))
    }

    /// The point in time, unless it is so late that it stands for none at all.
    pub(in super::super) fn unless_never(self) -> Option<Time> {
        (self.0 < NEVER).then_some(self.0)
    }
}

/// The last year that is written with four digits.
const YEAR_MAX: i16 = 9_999;
/// Its beginning: what is later stands for "never".
const NEVER: Time = Time(253_370_764_800_000_000);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = i64::try_from(self.0.0).unwrap_or(i64::MAX);
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        serializer.collect_str(&at)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format_args!(
                "{text:?} is no time since 1970; right would be like \"2026-11-21T14:02:03Z\""
            ))
        })
    }
}

impl JsonSchema for When {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them_and_written_in_one_form() {
        for (text, written) in [
            ("2026-11-21T14:02:03Z", "2026-11-21T14:02:03Z"),
            ("2026-11-21T14:02:03.5Z", "2026-11-21T14:02:03.5Z"),
            ("2026-11-21T16:02:03+02:00", "2026-11-21T14:02:03Z"),
            ("2026-11-21T14:02:03", "2026-11-21T14:02:03Z"),
            ("2026-11-21 14:02:03", "2026-11-21T14:02:03Z"),
        ] {
            let read: When = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), written, "{text}");
        }
        for never in ["9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59Z", "9999-01-01T00:00:00"] {
            assert_eq!(When::parse(never).unwrap().unless_never(), None, "{never}");
        }
        assert!(When::parse("9998-12-31T23:59:59Z").unwrap().unless_never().is_some());
        for wrong in ["", "now", "2026-11-21T25:00:00Z", "1969-12-31T23:59:59Z", "2026-13-01"] {
            let error = serde_json::from_value::<When>(wrong.into()).unwrap_err();
            assert!(error.to_string().contains("right would be"), "{wrong}: {error}");
        }
    }
}
