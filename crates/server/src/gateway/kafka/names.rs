//! Which topics somebody sees.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The views of everybody.
#[derive(Debug, Default)]
pub struct Names {
    operator: View,
}

impl Names {
    /// What this tenant sees: nothing, where it has no topics.
    #[must_use]
    pub fn of_tenant(&self, _name: &str) -> View {
        View::default()
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
    partitions: i32,
}

impl View {
    /// All topics, by name.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &SeenTopic> {
        self.0.values()
    }

    /// The topic of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&SeenTopic> {
        self.0.get(name)
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
        self.partitions
    }
}
