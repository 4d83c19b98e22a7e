//! What groups have committed, and until when it is kept.
//!
//! It changes by [`Change`]s only. Who keeps offsets writes each change down, applies it, and lets nobody know of it
//! before it is on disk; the same changes in the same order make the same offsets again.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use serde::{Deserialize, Serialize};

use super::{Notice, OffsetLimits, Text};

/// Memory of one offset besides its names and metadata.
const OFFSET_BYTES: usize = 96;
/// Memory of one group besides its names.
const GROUP_BYTES: usize = 160;
/// Places that one change forgets at most, so that it stays a record of moderate length.
const FORGOTTEN_MAX: usize = 1_000;

/// How far somebody has read a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// The leader's epoch, as the reader knew it; -1 where it did not say.
    pub leader_epoch: i32,
    /// Whatever the reader wants to be told again.
    pub metadata: Text,
    /// When. Milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// A partition of a topic, by the names its reader knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The topic.
    pub topic: String,
    /// Which partition.
    pub partition: i32,
}

/// What became of a group, as far as its offsets are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It never had members: somebody reads without help, and commits.
    Simple,
    /// It has members.
    Peopled,
    /// It has lost its last member.
    Vacated {
        /// When. Milliseconds since the Unix epoch.
        at_ms: u64,
    },
}

/// Something that happens to committed offsets; this is what is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Offsets were committed.
    Committed {
        /// Whose group.
        owner: String,
        /// Which.
        group: String,
        /// Where, how far, the leader's epoch, metadata, when.
        offsets: Vec<(Place, i64, i32, String, u64)>,
    },
    /// Offsets were deleted, or are too old.
    Forgotten {
        /// Whose group.
        owner: String,
        /// Which.
        group: String,
        /// Where.
        places: Vec<Place>,
    },
    /// A group was deleted with everything it had.
    Deleted {
        /// Whose group.
        owner: String,
        /// Which.
        group: String,
    },
    /// A group has members now.
    Peopled {
        /// Whose group.
        owner: String,
        /// Which.
        group: String,
        /// What kind of group.
        protocol_type: String,
    },
    /// A group has no members any more.
    Vacated {
        /// Whose group.
        owner: String,
        /// Which.
        group: String,
        /// What kind of group.
        protocol_type: String,
        /// When. Milliseconds since the Unix epoch.
        at_ms: u64,
    },
    /// All generations that may begin before this is written anew are at most that.
    Generations {
        /// The greatest.
        max: i32,
    },
}

/// A change, or several, as they stand on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    version: u32,
    changes: Vec<Change>,
}

impl Stored {
    /// The form that is written.
    const VERSION: u32 = 1;

    /// Bytes of these changes.
    ///
    /// # Errors
    /// None that is known; the encoder's, if there is one.
    pub fn encode(changes: Vec<Change>) -> Result<Vec<u8>, StoredError> {
        Ok(serde_json::to_vec(&Self { version: Self::VERSION, changes })?)
    }

    /// The changes in such bytes.
    ///
    /// # Errors
    /// [`StoredError`]: a later program wrote them, or they are something else.
    pub fn decode(bytes: &[u8]) -> Result<Vec<Change>, StoredError> {
        let stored: Self = serde_json::from_slice(bytes)?;
        if stored.version == Self::VERSION { Ok(stored.changes) } else { Err(StoredError::Version(stored.version)) }
    }
}

/// Everything that is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets {
    owners: BTreeMap<Text, Owner>,
    count: usize,
    bytes: usize,
    generation_max: i32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Owner {
    groups: BTreeMap<Text, Group>,
    count: usize,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    life: Life,
    protocol_type: Text,
    topics: BTreeMap<Text, BTreeMap<i32, Committed>>,
}

impl Offsets {
    /// Makes a change true.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Committed { owner, group, offsets } => {
                for (place, offset, leader_epoch, metadata, at_ms) in offsets {
                    let metadata = Text::from(metadata.as_str());
                    let committed = Committed { offset: *offset, leader_epoch: *leader_epoch, metadata, at_ms: *at_ms };
                    self.set(owner, group, place, Some(committed));
                }
            }
            Change::Forgotten { owner, group, places } => {
                places.iter().for_each(|place| self.set(owner, group, place, None));
                self.tidy(owner, group);
            }
            Change::Deleted { owner, group } => {
                let all = self.of_group(owner, group).map(|(topic, partition, _)| Place::new(topic, partition));
                for place in all.collect::<Vec<_>>() {
                    self.set(owner, group, &place, None);
                }
                self.set_life(owner, group, "", Life::Simple);
                self.tidy(owner, group);
            }
            Change::Peopled { owner, group, protocol_type } => {
                self.set_life(owner, group, protocol_type, Life::Peopled);
            }
            Change::Vacated { owner, group, protocol_type, at_ms } => {
                self.set_life(owner, group, protocol_type, Life::Vacated { at_ms: *at_ms });
                self.tidy(owner, group);
            }
            Change::Generations { max } => self.generation_max = *max,
        }
    }

    /// The changes that make all this out of nothing.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = vec![Change::Generations { max: self.generation_max }];
        for (owner_name, owner) in &self.owners {
            for (group_name, group) in &owner.groups {
                let (owner, name) = (owner_name.to_string(), group_name.to_string());
                let protocol_type = group.protocol_type.to_string();
                let offsets: Vec<_> = self.of_group(owner_name, group_name).map(stored).collect();
                if !offsets.is_empty() {
                    changes.push(Change::Committed { owner: owner.clone(), group: name.clone(), offsets });
                }
                match group.life {
                    Life::Simple => {}
                    Life::Peopled => changes.push(Change::Peopled { owner, group: name, protocol_type }),
                    Life::Vacated { at_ms } => {
                        changes.push(Change::Vacated { owner, group: name, protocol_type, at_ms });
                    }
                }
            }
        }
        changes
    }

    /// What is true after a restart: no group has members.
    #[must_use]
    pub fn restarted(&self, now_ms: u64) -> Vec<Change> {
        let all = self.owners.iter().flat_map(|(name, owner)| owner.groups.iter().map(move |it| (name, it)));
        let peopled = all.filter(|(_, (_, group))| group.life == Life::Peopled);
        peopled
            .map(|(owner, (name, group))| Change::Vacated {
                owner: owner.to_string(),
                group: name.to_string(),
                protocol_type: group.protocol_type.to_string(),
                at_ms: now_ms,
            })
            .collect()
    }

    /// What is too old: offsets of groups that have no members, and those that members no longer need.
    pub fn expired(
        &self,
        now_ms: u64,
        limits: &OffsetLimits,
        has_given_up: impl Fn(&str, &str, &str) -> bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let all = self.owners.iter().flat_map(|(name, owner)| owner.groups.iter().map(move |it| (name, it)));
        for (owner, (name, group)) in all {
            let is_old = |topic: &str, committed: &Committed| {
                let since_ms = match group.life {
                    Life::Simple => committed.at_ms,
                    Life::Vacated { at_ms } => committed.at_ms.max(at_ms),
                    Life::Peopled => committed.at_ms,
                };
                since_ms.saturating_add(limits.age_ms_max) <= now_ms
                    && (group.life != Life::Peopled || has_given_up(owner, name, topic))
            };
            let old = self.of_group(owner, name).filter(|(topic, _, committed)| is_old(topic, committed));
            let places: Vec<_> = old.map(|(topic, partition, _)| Place::new(topic, partition)).collect();
            changes.extend(places.chunks(FORGOTTEN_MAX).map(|places| Change::Forgotten {
                owner: owner.to_string(),
                group: name.to_string(),
                places: places.to_vec(),
            }));
        }
        changes
    }

    /// Which of these may be committed, in order, so that all limits are kept: `Ok` or why not.
    #[must_use]
    pub fn admit(
        &self,
        limits: &OffsetLimits,
        owner: &str,
        group: &str,
        wanted: &[(Place, &str)],
    ) -> Vec<Result<(), ResponseError>> {
        let of_owner = self.owners.get(owner);
        let mut more_bytes = 0_usize;
        if of_owner.is_none_or(|it| !it.groups.contains_key(group)) {
            if of_owner.map_or(0, |it| it.groups.len()) >= limits.owner_groups_max {
                return wanted.iter().map(|_| Err(ResponseError::PolicyViolation)).collect();
            }
            more_bytes = GROUP_BYTES + group.len();
        }
        let (owner_count, owner_bytes) = of_owner.map_or((0, 0), |it| (it.count, it.bytes));
        let mut new = BTreeSet::new();
        let mut admit = |place: &Place, metadata: &str| {
            if metadata.len() > limits.metadata_bytes_max {
                return Err(ResponseError::OffsetMetadataTooLarge);
            }
            let before = self.get(owner, group, place);
            let is_new = before.is_none() && !new.contains(place);
            let less = before.map_or(0, |it| bytes_of(&place.topic, it.metadata.len()));
            let bytes = (more_bytes + bytes_of(&place.topic, metadata.len())).saturating_sub(less);
            let count = new.len() + usize::from(is_new);
            if owner_count + count > limits.owner_offsets_max
                || self.count + count > limits.offsets_max
                || owner_bytes + bytes > limits.owner_bytes_max
                || self.bytes + bytes > limits.bytes_max
            {
                return Err(ResponseError::PolicyViolation);
            }
            more_bytes = bytes;
            if is_new {
                new.insert(place.clone());
            }
            Ok(())
        };
        wanted.iter().map(|(place, metadata)| admit(place, metadata)).collect()
    }

    /// What was committed there.
    #[must_use]
    pub fn get(&self, owner: &str, group: &str, place: &Place) -> Option<&Committed> {
        self.owners.get(owner)?.groups.get(group)?.topics.get(place.topic.as_str())?.get(&place.partition)
    }

    /// Everything that a group has committed: topic, partition, how far.
    pub fn of_group(&self, owner: &str, group: &str) -> impl Iterator<Item = (&Text, i32, &Committed)> {
        let group = self.owners.get(owner).and_then(|it| it.groups.get(group));
        let topics = group.into_iter().flat_map(|group| &group.topics);
        topics.flat_map(|(topic, partitions)| partitions.iter().map(move |(partition, it)| (topic, *partition, it)))
    }

    /// Groups of an owner, with what became of them and what kind they are.
    pub fn groups(&self, owner: &str) -> impl Iterator<Item = (&Text, Life, &Text)> {
        let groups = self.owners.get(owner).into_iter().flat_map(|owner| &owner.groups);
        groups.map(|(name, group)| (name, group.life, &group.protocol_type))
    }

    /// What kind of group it is, if it is known here; empty where nobody ever said.
    #[must_use]
    pub fn kind(&self, owner: &str, group: &str) -> Option<&Text> {
        Some(&self.owners.get(owner)?.groups.get(group)?.protocol_type)
    }

    /// No generation was greater, in this life or another.
    #[must_use]
    pub fn generation_max(&self) -> i32 {
        self.generation_max
    }

    /// Offsets of all owners.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is committed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Memory of all that, about. Bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn set(&mut self, owner: &str, group: &str, place: &Place, committed: Option<Committed>) {
        let is_set = committed.is_some();
        let new_bytes = committed.as_ref().map_or(0, |it| bytes_of(&place.topic, it.metadata.len()));
        if is_set {
            self.enter(owner, group);
        }
        let Some(of_owner) = self.owners.get_mut(owner) else { return };
        let Some(of_group) = of_owner.groups.get_mut(group) else { return };
        let old = match committed {
            Some(committed) => {
                let topic = Text::from(place.topic.as_str());
                of_group.topics.entry(topic).or_default().insert(place.partition, committed)
            }
            None => {
                let partitions = of_group.topics.get_mut(place.topic.as_str());
                let old = partitions.and_then(|it| it.remove(&place.partition));
                of_group.topics.retain(|_, partitions| !partitions.is_empty());
                old
            }
        };
        let old_bytes = old.as_ref().map_or(0, |it| bytes_of(&place.topic, it.metadata.len()));
        for (count, bytes) in [(&mut of_owner.count, &mut of_owner.bytes), (&mut self.count, &mut self.bytes)] {
            *count = (*count + usize::from(is_set)).saturating_sub(usize::from(old.is_some()));
            *bytes = (*bytes + new_bytes).saturating_sub(old_bytes);
        }
    }

    fn set_life(&mut self, owner: &str, group: &str, protocol_type: &str, life: Life) {
        self.enter(owner, group);
        if let Some(group) = self.owners.get_mut(owner).and_then(|it| it.groups.get_mut(group)) {
            (group.life, group.protocol_type) = (life, protocol_type.into());
        }
    }

    fn enter(&mut self, owner: &str, group: &str) {
        let of_owner = self.owners.entry(owner.into()).or_default();
        if !of_owner.groups.contains_key(group) {
            let new = Group { life: Life::Simple, protocol_type: "".into(), topics: BTreeMap::new() };
            of_owner.groups.insert(group.into(), new);
            of_owner.bytes += GROUP_BYTES + group.len();
            self.bytes += GROUP_BYTES + group.len();
        }
    }

    /// A group that has neither members nor offsets is no more.
    fn tidy(&mut self, owner: &str, group: &str) {
        let Some(of_owner) = self.owners.get_mut(owner) else { return };
        let is_over = of_owner.groups.get(group).is_some_and(|it| it.topics.is_empty() && it.life != Life::Peopled);
        if is_over && of_owner.groups.remove(group).is_some() {
            of_owner.bytes = of_owner.bytes.saturating_sub(GROUP_BYTES + group.len());
            self.bytes = self.bytes.saturating_sub(GROUP_BYTES + group.len());
        }
        if of_owner.groups.is_empty() {
            self.owners.remove(owner);
        }
    }
}

impl Place {
    /// A partition.
    #[must_use]
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition }
    }
}

impl Change {
    /// What a coordinator noticed, as a change.
    #[must_use]
    pub fn noticed(notice: &Notice, now_ms: u64) -> Self {
        let (owner, group) = (notice.owner.to_string(), notice.group.to_string());
        let protocol_type = notice.protocol_type.to_string();
        if notice.is_peopled {
            Self::Peopled { owner, group, protocol_type }
        } else {
            Self::Vacated { owner, group, protocol_type, at_ms: now_ms }
        }
    }
}

fn bytes_of(topic: &str, metadata_bytes: usize) -> usize {
    OFFSET_BYTES + topic.len() + metadata_bytes
}

fn stored((topic, partition, it): (&Text, i32, &Committed)) -> (Place, i64, i32, String, u64) {
    (Place::new(topic, partition), it.offset, it.leader_epoch, it.metadata.to_string(), it.at_ms)
}

/// Bytes that are no changes.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A later program wrote them.
    #[error("committed offsets are stored in form {0}, and this program reads form {form}; start the later program", form = Stored::VERSION)]
    Version(u32),
    /// They are something else.
    #[error("these are no committed offsets: {0}")]
    Json(#[from] serde_json::Error),
}
