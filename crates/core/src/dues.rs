//! What falls due in the directory, and when: one time for each thing. Whatever falls due is told, and what is told moves
//! or removes the time: so no time is passed twice.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::guid::Guid;
use crate::ids::Time;

/// What falls due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum Due {
    /// An availability of this person begins or ends.
    Reach(String),
    /// This agent is reserved no longer.
    Reservation(String),
    /// After-call work that was wished for this person begins.
    WrapUp(String),
    /// This callback expires.
    Callback(Guid),
    /// The condition of this alert comes about, or holds no longer.
    Alert(Guid),
}

/// See the module. Stored as the pairs in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dues {
    by_time: BTreeSet<(Time, Due)>,
    time_of: BTreeMap<Due, Time>,
}

impl Dues {
    /// It falls due then, or not at all, whatever was said of it before.
    pub(crate) fn set(&mut self, due: Due, at: Option<Time>) {
        if self.time_of.get(&due).copied() == at {
            return;
        }
        if let Some((due, was)) = self.time_of.remove_entry(&due) {
            self.by_time.remove(&(was, due));
        }
        if let Some(at) = at {
            self.time_of.insert(due.clone(), at);
            self.by_time.insert((at, due));
        }
    }

    /// When the first thing falls due.
    pub(crate) fn next(&self) -> Option<Time> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// What has fallen due by now, the first first.
    pub(crate) fn by(&self, now: Time) -> impl Iterator<Item = &(Time, Due)> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now)
    }
}

impl Serialize for Dues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.by_time.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by_time = BTreeSet::<(Time, Due)>::deserialize(deserializer)?;
        let time_of = by_time.iter().map(|(at, due)| (due.clone(), *at)).collect();
        Ok(Self { by_time, time_of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_time() {
        let mut dues = Dues::default();
        let (one, other) = (Due::Callback(Guid(1)), Due::Reach("anna".into()));
        dues.set(one.clone(), Some(Time(5)));
        dues.set(other.clone(), Some(Time(7)));
        dues.set(one.clone(), Some(Time(9)));
        assert_eq!((dues.next(), dues.by(Time(8)).count()), (Some(Time(7)), 1));
        let read: Dues = serde_json::from_str(&serde_json::to_string(&dues).unwrap()).unwrap();
        assert_eq!(read, dues);
        dues.set(other, None);
        dues.set(one, None);
        assert_eq!(dues, Dues::default());
    }
}
