//! What the members of events are made of: texts, moments, enumerations, and the envelope that all of them have.
#![expect(non_snake_case, reason = "members are spelled as on the wire")]

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use cordboard_core::listed;
use cordboard_core::{Guid, Time};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::names::{EntityKind, EventName};

/// A text: borrowed from the world when it is written, owned when it was read. Empty where there is none.
pub type Text<'a> = Cow<'a, str>;

/// Texts by name, in alphabetical order.
pub type Values<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// A moment without a zone; it is meant in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(Time),
    /// None was ever set: the first moment there is.
    Unset,
    /// Never: the last moment there is.
    Never,
}

/// The first moment of the vocabulary.
const FIRST: &str = "0001-01-01T00:00:00";
/// The last moment of the vocabulary.
const LAST: &str = "9999-12-31T23:59:59.9999999";

impl Moment {
    /// This moment, or never.
    #[must_use]
    pub fn or_never(time: Option<Time>) -> Self {
        time.map_or(Self::Never, Self::At)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(time) => match civil(*time) {
                Some(civil) => serializer.collect_str(&civil),
                None => serializer.serialize_str(LAST),
            },
            Self::Unset => serializer.serialize_str(FIRST),
            Self::Never => serializer.serialize_str(LAST),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        match &*text {
            FIRST => Ok(Self::Unset),
            LAST => Ok(Self::Never),
            other => micros(other).map(Self::At).ok_or_else(|| no_moment(other)),
        }
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?$" })
    }
}

/// When an event happened: UTC, and marked so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub Time);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match civil(self.0) {
            Some(civil) => serializer.collect_str(&format_args!("{civil}Z")),
            None => serializer.collect_str(&format_args!("{LAST}Z")),
        }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.strip_suffix('Z').and_then(micros).map(Self).ok_or_else(|| no_moment(&text))
    }
}

impl JsonSchema for Stamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// None after the year 9999.
fn civil(time: Time) -> Option<DateTime> {
    let stamp = Timestamp::from_microsecond(i64::try_from(time.0).ok()?).ok()?;
    Some(TimeZone::UTC.to_datetime(stamp))
}

fn micros(text: &str) -> Option<Time> {
    let civil: DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(zoned.timestamp().as_microsecond()).ok().map(Time)
}

fn no_moment<E: Error>(text: &str) -> E {
    E::custom(format_args!("{text:?} is no moment of this vocabulary; right would be like 2023-10-19T14:21:19.7009158"))
}

/// Declares an enumeration that is written by name.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        listed! {
            $(#[$meta])*
            #[derive(Hash, Serialize, Deserialize, JsonSchema)]
            pub enum $name { $($(#[$vmeta])* $variant),+ }
        }
    };
}

words! {
    /// What the tenancy root of an event is.
    pub enum RootEntityType {
        /// An organisation: a tenant.
        Organization,
    }
}

words! {
    /// How far somebody can be reached.
    pub enum AvailabilityStatusesAVA {
        /// Can be.
        Available,
        /// Is busy with something else.
        Busy,
        /// Does not want to be disturbed.
        DoNotDisturb,
        /// Is off work.
        OffWork,
        /// Is back in a moment.
        BRB,
        /// Is away.
        Away,
    }
}

words! {
    /// Who may change a setting. The documentation shows `Undefined` only.
    pub enum UserSettingLevelEnum {
        /// Nobody said.
        Undefined,
        /// The person.
        User,
        /// An administrator of the organisation.
        Administrator,
    }
}

words! {
    /// What a terminal is. The documentation shows `User` only.
    pub enum TerminalTypeId {
        /// A telephone of a person.
        User,
    }
}

words! {
    /// Whether a terminal can be reached. The documentation shows `Offline` only.
    pub enum TerminalStatus {
        /// It cannot.
        Offline,
        /// It can.
        Online,
    }
}

words! {
    /// What somebody in after-call work can be asked. The documentation shows `Unavailable` only.
    pub enum WrapUpType {
        /// Is offered no calls meanwhile.
        Unavailable,
    }
}

/// Declares an enumeration that is written as a number.
macro_rules! numbers {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $number:literal),+ $(,)? }) => {
        listed! {
            $(#[$meta])*
            #[derive(Hash)]
            pub enum $name { $($(#[$vmeta])* $variant),+ }
        }

        impl $name {
            /// Its number on the wire.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number),+ }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(self.number())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match u8::deserialize(deserializer)? {
                    $($number => Ok(Self::$variant),)+
                    other => Err(D::Error::custom(format_args!(
                        concat!("{} is no ", stringify!($name), "; right would be one of: ", $(stringify!($number), " "),+),
                        other
                    ))),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "enum": [$($number),+] })
            }
        }
    };
}

numbers! {
    /// Who may see a person's direct calls. The documentation shows 0 only.
    pub enum CallEventPublicityCategory {
        /// Nothing was said about it.
        Default = 0,
    }
}

numbers! {
    /// How a supervisor takes part in a call. The documentation shows 0 only; the other numbers are ours, in the order in
    /// which a supervisor can go on.
    pub enum SupervisionState {
        /// Not, or no longer.
        None = 0,
        /// Hears.
        Listening = 1,
        /// Hears, and speaks to the agent.
        Whispering = 2,
        /// Hears and speaks to all.
        Barging = 3,
    }
}

/// Where every event begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// What the tenancy root is: always an organisation.
    pub rootEntityType: RootEntityType,
    /// The organisation.
    pub rootEntityId: Guid,
    /// Which event.
    pub eventType: EventName,
    /// What the event is about.
    pub entityType: EntityKind,
    /// Whom or what it is about.
    pub entityId: Guid,
}

/// Which event it is, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The id of this event; the same whenever the log is read again.
    pub id: Guid,
    /// When it happened.
    pub timestamp: Stamp,
}

/// Where most events end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tail {
    /// The id of this event; the same whenever the log is read again.
    pub id: Guid,
    /// When it happened.
    pub timestamp: Stamp,
    /// How long it is worth delivering, in seconds; -1 for ever.
    pub messageTTLSeconds: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dotnet_writes_them() {
        let written = |moment| serde_json::to_string(&moment).unwrap();
        let at = |micros| Moment::At(Time(micros));
        assert_eq!(written(at(1_697_725_279_700_915)), "\"2023-10-19T14:21:19.700915\"");
        assert_eq!(written(at(1_697_725_279_700_000)), "\"2023-10-19T14:21:19.7\"");
        assert_eq!(written(at(1_697_725_279_000_000)), "\"2023-10-19T14:21:19\"");
        assert_eq!(written(at(u64::MAX)), format!("\"{LAST}\""));
        assert_eq!(written(Moment::Unset), format!("\"{FIRST}\""));
        assert_eq!(serde_json::to_string(&Stamp(Time(1_577_880_000_000_000))).unwrap(), "\"2020-01-01T12:00:00Z\"");
        for moment in [at(1_697_725_279_700_000), Moment::Unset, Moment::Never] {
            assert_eq!(serde_json::from_str::<Moment>(&written(moment)).unwrap(), moment);
        }
        assert!(serde_json::from_str::<Moment>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<Stamp>("\"2020-01-01T12:00:00\"").is_err());
    }
}
