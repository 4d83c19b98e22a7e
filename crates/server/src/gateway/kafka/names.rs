//! Which topics somebody sees, and which partition of which store each of theirs is.
//!
//! Tenants are kept apart by their stores; names are views of them. A tenant sees its own store and nothing else; the operator
//! sees all. Views are made once, when the server starts: what a name means does not change while it runs, and what is
//! kept in `kafka/tenants.json` sees to it that it does not change afterwards.

mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::config::TopicNames;
use crate::kept::{Content, KeptError, KeptFile};
use crate::topics::{PartitionId, Topic, TopicStore};
use places::Places;
pub use places::TooMany;

/// The views of everybody.
#[derive(Debug)]
pub struct Names {
    tenants: BTreeMap<String, View>,
    operator: View,
}

impl Names {
    /// The views of these tenants' stores, and of all of them for the operator. Tenants that are new get their places.
    ///
    /// # Errors
    /// [`NamesError`]
    pub fn open(data: &Path, names: TopicNames, stores: &[(String, TopicStore)]) -> Result<Self, NamesError> {
        let topics_of = |stored: &(String, TopicStore)| whole(stored, |topic| names.of(&stored.0, topic));
        let mut tenants = BTreeMap::new();
        for stored in stores {
            tenants.insert(stored.0.clone(), View::new(topics_of(stored))?);
        }
        let operator = match names {
            TopicNames::Shared => one_after_the_other(&places(data, stores)?, stores),
            TopicNames::PerTenant => stores.iter().flat_map(topics_of).collect(),
        };
        Ok(Self { tenants, operator: View::new(operator)? })
    }

    /// What this tenant sees: nothing, where it has no topics.
    #[must_use]
    pub fn of_tenant(&self, name: &str) -> View {
        self.tenants.get(name).cloned().unwrap_or_default()
    }

    /// What the operator sees.
    #[must_use]
    pub fn of_operator(&self) -> View {
        self.operator.clone()
    }
}

/// The topics that somebody sees. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<BTreeMap<String, SeenTopic>>);

/// A topic as somebody sees it.
#[derive(Debug)]
pub struct SeenTopic {
    name: String,
    partitions: Vec<SeenPartition>,
}

/// What a partition is that somebody sees.
#[derive(Clone)]
pub enum SeenPartition {
    /// One of a tenant's store.
    Kept {
        /// Whose it is.
        tenant: Arc<str>,
        /// The store.
        store: TopicStore,
        /// Which one of it.
        id: PartitionId,
    },
    /// The place of one whose tenant is not served at the moment: there is nothing to read, whatever the offset is, until the
    /// tenant is served again.
    Asleep,
}

impl View {
    fn new(topics: Vec<SeenTopic>) -> Result<Self, NamesError> {
        let mut all = BTreeMap::new();
        for topic in topics {
            let name = topic.name.clone();
            if !Topic::is_name(&name) {
                return Err(NamesError::Name { name });
            }
            if all.insert(name.clone(), topic).is_some() {
                return Err(NamesError::Twice { name });
            }
        }
        Ok(Self(Arc::new(all)))
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &SeenTopic> {
        self.0.values()
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&SeenTopic> {
        self.0.get(name)
    }

    /// This partition of the topic of this name; none where one of them is not there to be seen.
    #[must_use]
    pub fn partition(&self, topic: &str, index: i32) -> Option<&SeenPartition> {
        self.topic(topic)?.partitions.get(usize::try_from(index).ok()?)
    }
}

impl SeenTopic {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many partitions it has: they are numbered from 0.
    #[must_use]
    pub fn partitions(&self) -> i32 {
        // There are at most a million.
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }
}

impl SeenPartition {
    /// The oldest offset that is kept, and the one that the next record will get. Both are 0 where nothing is served.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Kept { store, id, .. } => {
                let start = store.start(*id).unwrap_or(0);
                // Looked at second: what is dropped meanwhile is dropped from the front.
                (start, store.end(*id).unwrap_or(0).max(start))
            }
            Self::Asleep => (0, 0),
        }
    }
}

impl fmt::Debug for SeenPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept { tenant, id, .. } => write!(f, "{id:?} of {tenant}"),
            Self::Asleep => f.write_str("Asleep"),
        }
    }
}

/// All topics of a store.
fn whole((tenant, store): &(String, TopicStore), name: impl Fn(&str) -> String) -> Vec<SeenTopic> {
    let tenant: Arc<str> = tenant.as_str().into();
    let seen = |(at, topic): (u32, &Topic)| {
        let partitions = (0..topic.partitions).map(|partition| {
            let (tenant, store, id) = (Arc::clone(&tenant), store.clone(), PartitionId { topic: at, partition });
            SeenPartition::Kept { tenant, store, id }
        });
        SeenTopic { name: name(&topic.name), partitions: partitions.collect() }
    };
    (0..).zip(store.topics()).map(seen).collect()
}

/// Topics that have the partitions of all stores.
fn one_after_the_other(places: &Places, stores: &[(String, TopicStore)]) -> Vec<SeenTopic> {
    let own = |stored: &(String, _)| (stored.0.clone(), whole(stored, str::to_owned));
    let own: BTreeMap<String, Vec<SeenTopic>> = stores.iter().map(own).collect();
    let names: BTreeSet<&str> = own.values().flatten().map(|topic| &*topic.name).collect();
    let seen = |name: &str, (tenant, partition): (&str, usize)| {
        let topic = own.get(tenant)?.iter().find(|topic| topic.name == name)?;
        topic.partitions.get(partition).cloned()
    };
    let topic = |name: &str| SeenTopic {
        name: name.to_owned(),
        partitions: places.iter().map(|place| seen(name, place).unwrap_or(SeenPartition::Asleep)).collect(),
    };
    names.into_iter().map(topic).collect()
}

/// The places of all tenants, durable before anybody sees them.
fn places(data: &Path, stores: &[(String, TopicStore)]) -> Result<Places, NamesError> {
    let dir = data.join(FOLDER);
    // The folder itself must be there after a crash, too.
    fs::create_dir_all(&dir)
        .and_then(|()| File::open(data)?.sync_all())
        .map_err(|error| NamesError::Folder { dir: dir.clone(), error })?;
    let file = KeptFile::<Kept>::new(&dir);
    let partitions = |store: &TopicStore| store.topics().iter().map(|topic| topic.partitions).max().unwrap_or(0);
    let wanted = || stores.iter().map(|(name, store)| (&**name, partitions(store)));
    let mut places = file.read()?.tenants.clone();
    if !places.is_sound() {
        return Err(NamesError::Unsound { file: dir.join(Kept::FILE) });
    }
    if places.grow(wanted())? {
        file.change(|kept| {
            kept.tenants.grow(wanted())?;
            places = kept.tenants.clone();
            Ok::<_, NamesError>(())
        })?;
    }
    Ok(places)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    tenants: Places,
}

impl Content for Kept {
    const FILE: &'static str = "tenants.json";
    const VERSIONS: RangeInclusive<u32> = 1..=1;
    const REMEDY: &'static str = "restore it; without it, partitions of the operator may be numbered in another way";

    fn version(&mut self) -> &mut u32 {
        &mut self.version
    }
}

/// Why topics cannot be named.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The file with the places of tenants cannot be used.
    #[error(transparent)]
    File(#[from] KeptError),
    /// The folder cannot be made.
    #[error("{dir:?}: {error}; the data directory must be readable and writable for this user")]
    Folder {
        /// Which.
        dir: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not as we write it.
    #[error("{file:?} is damaged: partitions of a tenant are missing in it, or there twice; restore it")]
    Unsound {
        /// Which.
        file: PathBuf,
    },
    /// There would be too many partitions.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// A name that clients would refuse.
    #[error("the topic {name:?} cannot be called so; right would be a tenant with a shorter name")]
    Name {
        /// The name.
        name: String,
    },
    /// A name that would mean two topics.
    #[error("two topics would be called {name:?}; right would be a tenant with another name")]
    Twice {
        /// The name.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shelf::{STATE, Shelf, THREAD, everything};
    use super::*;

    fn names(view: &View) -> Vec<(&str, i32)> {
        view.topics().map(|topic| (topic.name(), topic.partitions())).collect()
    }

    /// Which partition of whose store it is.
    fn meant(seen: &SeenPartition) -> Option<(String, PartitionId)> {
        match seen {
            SeenPartition::Kept { tenant, id, .. } => Some((tenant.to_string(), *id)),
            SeenPartition::Asleep => None,
        }
    }

    fn all(view: &View) -> impl Iterator<Item = (String, i32, &SeenPartition)> {
        let places = |topic: &'_ SeenTopic| {
            (0..topic.partitions()).map({
                let name = topic.name().to_owned();
                move |at| (name.clone(), at)
            })
        };
        let places: Vec<_> = view.topics().flat_map(places).collect();
        places.into_iter().map(|(name, at)| {
            let seen = view.partition(&name, at).unwrap();
            (name, at, seen)
        })
    }

    /// What a server starts with: tenants in some order, partitions, and how topics are called.
    fn starts() -> impl Strategy<Value = Vec<(Vec<&'static str>, u32, bool)>> {
        let tenants = prop::sample::subsequence(vec!["acme", "beta", "acme.voice-callthread"], 1..=3).prop_shuffle();
        // Topics never get fewer partitions.
        prop::collection::vec((tenants, 0u32..3, any::<bool>()), 1..5).prop_map(|mut starts| {
            let mut most = 1;
            for (_, partitions, _) in &mut starts {
                most += *partitions;
                *partitions = most;
            }
            starts
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn a_name_means_one_partition_of_one_store_for_ever(starts in starts()) {
            let data = tempfile::tempdir().unwrap();
            let mut meanings: BTreeMap<(String, String, i32), (String, PartitionId)> = BTreeMap::new();
            for (tenants, partitions, is_shared) in starts {
                let mut shelf = Shelf::open(data.path(), &tenants, partitions);
                for tenant in &tenants {
                    let keys: Vec<String> = (0..8).map(|key| format!("{tenant}:{key}")).collect();
                    let records: Vec<_> = keys.iter().map(|key| (1, &**key, *tenant)).collect();
                    shelf.say(tenant, THREAD, &records);
                }
                let how = if is_shared { TopicNames::Shared } else { TopicNames::PerTenant };
                let views = shelf.names(how);
                let own = tenants.iter().map(|tenant| (*tenant, views.of_tenant(tenant)));
                for (owner, view) in own.chain([("*", views.of_operator())]) {
                    let mut reached = BTreeSet::new();
                    for (name, at, seen) in all(&view) {
                        let Some(meaning) = meant(seen) else { continue };
                        // No two names for one partition, and no other tenant's.
                        prop_assert!(reached.insert(meaning.clone()));
                        prop_assert!(owner == "*" || owner == meaning.0);
                        for record in everything(seen) {
                            prop_assert_eq!(record.value.as_deref(), Some(meaning.0.as_bytes()));
                        }
                        // A group of an owner keeps offsets by this.
                        let known = meanings.entry((owner.to_owned(), name, at)).or_insert_with(|| meaning.clone());
                        prop_assert_eq!(&*known, &meaning);
                    }
                    // Nothing is left out.
                    let whose = if owner == "*" { tenants.len() } else { 1 };
                    prop_assert_eq!(reached.len(), whose * 2 * partitions as usize);
                }
                prop_assert_eq!(views.of_tenant("nobody").topics().len(), 0);
            }
        }
    }

    #[test]
    fn the_operator_sees_all_and_a_tenant_its_own() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path(), &["acme", "beta"], 2);
        let shared = shelf.names(TopicNames::Shared);
        assert_eq!(names(&shared.of_tenant("beta")), [(STATE, 2), (THREAD, 2)]);
        assert_eq!(names(&shared.of_operator()), [(STATE, 4), (THREAD, 4)]);
        let operator = shared.of_operator();
        assert_eq!(meant(operator.partition(THREAD, 3).unwrap()).unwrap().0, "beta");
        for (topic, index) in [(THREAD, 4), (THREAD, -1), (THREAD, i32::MIN), ("other", 0), ("", 0)] {
            assert!(operator.partition(topic, index).is_none(), "{topic} {index}");
        }
        let named = shelf.names(TopicNames::PerTenant);
        assert_eq!(names(&named.of_tenant("acme")), [("acme.voice-agentstate", 2), ("acme.voice-callthread", 2)]);
        assert_eq!(named.of_operator().topics().len(), 4);
        assert!(named.of_tenant("acme").partition("beta.voice-callthread", 0).is_none());
    }

    #[test]
    fn a_tenant_that_is_not_served_keeps_its_place() {
        let data = tempfile::tempdir().unwrap();
        drop(Shelf::open(data.path(), &["acme", "beta"], 2).names(TopicNames::Shared));
        let shelf = Shelf::open(data.path(), &["beta"], 2);
        let view = shelf.names(TopicNames::Shared).of_operator();
        assert_eq!(names(&view), [(STATE, 4), (THREAD, 4)]);
        let seen: Vec<_> = (0..4).map(|at| meant(view.partition(THREAD, at).unwrap())).collect();
        assert_eq!(seen.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, true]);
        assert_eq!(view.partition(THREAD, 0).unwrap().bounds(), (0, 0));
    }

    #[test]
    fn a_damaged_list_lets_nothing_be_named() {
        let data = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(data.path(), &["acme", "beta"], 2);
        drop(shelf.names(TopicNames::Shared));
        let file = data.path().join(FOLDER).join(Kept::FILE);
        let good = fs::read_to_string(&file).unwrap();
        for wrong in [
            good.replace("\"first\": 0", "\"first\": 1"),
            good.replace("\"version\": 1", "\"version\": 2"),
            "{}".into(),
        ] {
            fs::write(&file, &wrong).unwrap();
            assert!(Names::open(data.path(), TopicNames::Shared, &shelf.stores).is_err(), "{wrong}");
            assert_eq!(fs::read_to_string(&file).unwrap(), wrong, "it is left as it is");
        }
    }
}
