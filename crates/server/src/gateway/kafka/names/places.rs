//! Where the partitions of each tenant stand among the operator's: a list that only grows.
//!
//! Shared topics have the partitions of all tenants one after the other for the operator. A consumer keeps offsets by a
//! partition's number, so what a number means must never change: not when tenants come, go or are put in another order,
//! and not when topics get more partitions. So every tenant's partitions are given places once, in the order in which they are
//! first seen, and what comes later is put at the end:
//!
//! ```text
//! 4 partitions: acme 0-3 at 0-3, beta 0-3 at 4-7     then 6 of them: acme 4-5 at 8-9, beta 4-5 at 10-11
//! ```

use serde::{Deserialize, Serialize};

/// So many partitions a topic of the operator has at most.
const PLACES_MAX: u32 = 1_000_000;

/// The places of all tenants that ever were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Places(Vec<Range>);

/// Partitions of one tenant that stand together, right after those of the range before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    tenant: String,
    /// The number that the first of them has with the tenant.
    first: u32,
    partitions: u32,
}

impl Places {
    /// Gives places to those partitions of these tenants that have none: each tenant has so many. Whether there were any.
    ///
    /// # Errors
    /// [`TooMany`] where there would be too many; nothing is given then.
    pub(super) fn grow<'a>(&mut self, tenants: impl IntoIterator<Item = (&'a str, u32)>) -> Result<bool, TooMany> {
        let before = self.0.len();
        for (tenant, partitions) in tenants {
            let first = self.partitions_of(tenant);
            if partitions > first {
                self.0.push(Range { tenant: tenant.to_owned(), first, partitions: partitions - first });
            }
        }
        if self.all().is_none_or(|all| all > PLACES_MAX) {
            self.0.truncate(before);
            return Err(TooMany);
        }
        Ok(self.0.len() > before)
    }

    /// Whose partition stands at each place, and which of the tenant's it is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().flat_map(|range| {
            let first = range.first as usize;
            (0..range.partitions as usize).map(move |at| (range.tenant.as_str(), first.saturating_add(at)))
        })
    }

    /// Whether it is as we write it: the partitions of each tenant are numbered without a hole, and are not too many.
    pub(super) fn is_sound(&self) -> bool {
        let mut read = Self::default();
        for range in &self.0 {
            if range.partitions == 0 || range.first != read.partitions_of(&range.tenant) {
                return false;
            }
            read.0.push(range.clone());
        }
        self.all().is_some_and(|all| all <= PLACES_MAX)
    }

    /// How many partitions of the tenant have places.
    fn partitions_of(&self, tenant: &str) -> u32 {
        self.0.iter().filter(|range| range.tenant == tenant).fold(0, |sum, range| sum.saturating_add(range.partitions))
    }

    fn all(&self) -> Option<u32> {
        self.0.iter().try_fold(0u32, |sum, range| sum.checked_add(range.partitions))
    }
}

/// There would be too many partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "all tenants together would have more than {PLACES_MAX} partitions of a topic; topics.partitions must be smaller"
)]
pub struct TooMany;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// What a server starts with: which tenants, in which order, with how many partitions.
    fn starts() -> impl Strategy<Value = Vec<(Vec<String>, u32)>> {
        let names =
            prop::sample::subsequence(vec!["acme", "acme.voice", "beta", "b", "umbrella"], 0..=5).prop_shuffle();
        let names = names.prop_map(|names| names.into_iter().map(str::to_owned).collect());
        prop::collection::vec((names, 1u32..9), 1..12)
    }

    proptest! {
        #[test]
        fn what_a_number_means_never_changes(starts in starts()) {
            let mut places = Places::default();
            let mut meant: Vec<(String, usize)> = Vec::new();
            let mut most: BTreeMap<String, u32> = BTreeMap::new();
            for (tenants, partitions) in starts {
                let grew = places.grow(tenants.iter().map(|name| (&**name, partitions))).unwrap();
                for name in tenants {
                    let most = most.entry(name).or_default();
                    *most = partitions.max(*most);
                }
                // As it is kept and read again.
                places = serde_json::from_str(&serde_json::to_string(&places).unwrap()).unwrap();
                prop_assert!(places.is_sound());
                let means: Vec<_> = places.iter().map(|(tenant, partition)| (tenant.to_owned(), partition)).collect();
                prop_assert_eq!(&means[..meant.len()], &meant[..]);
                prop_assert_eq!(grew, means.len() > meant.len());
                // Everything that ever was has one place, and nothing has two.
                let all: BTreeSet<_> = most.iter().flat_map(|(name, most)| (0..*most as usize).map(|it| (name.clone(), it))).collect();
                prop_assert_eq!(means.len(), all.len());
                prop_assert_eq!(means.iter().cloned().collect::<BTreeSet<_>>(), all);
                meant = means;
            }
        }
    }

    #[test]
    fn growth_is_put_at_the_end() {
        let mut places = Places::default();
        assert_eq!(places.grow([("acme", 2), ("beta", 2)]), Ok(true));
        assert_eq!(places.grow([("beta", 3), ("acme", 2)]), Ok(true));
        assert_eq!(places.grow([("beta", 1)]), Ok(false));
        let all: Vec<_> = places.iter().collect();
        assert_eq!(all, [("acme", 0), ("acme", 1), ("beta", 0), ("beta", 1), ("beta", 2)]);
    }

    #[test]
    fn too_many_are_refused_and_nothing_is_given() {
        let mut places = Places::default();
        assert_eq!(places.grow([("acme", PLACES_MAX)]), Ok(true));
        assert_eq!(places.grow([("beta", 1)]), Err(TooMany));
        assert_eq!(places.grow([("beta", u32::MAX), ("acme", PLACES_MAX)]), Err(TooMany));
        assert_eq!(places.grow([("acme", PLACES_MAX)]), Ok(false));
    }

    #[test]
    fn what_is_not_ours_is_seen() {
        for wrong in [
            r#"[{"tenant":"a","first":1,"partitions":4}]"#,
            r#"[{"tenant":"a","first":0,"partitions":0}]"#,
            r#"[{"tenant":"a","first":0,"partitions":4},{"tenant":"a","first":3,"partitions":1}]"#,
            r#"[{"tenant":"a","first":0,"partitions":4294967295},{"tenant":"b","first":0,"partitions":1}]"#,
        ] {
            assert!(!serde_json::from_str::<Places>(wrong).unwrap().is_sound(), "{wrong}");
        }
    }
}
