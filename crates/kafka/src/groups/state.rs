//! The states of a group, and what leads from one to another.

/// How a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It has no members; it may have committed offsets.
    Empty,
    /// Members are to join anew; those that did wait for the others.
    PreparingRebalance,
    /// All have joined; they wait for what the leader divides.
    CompletingRebalance,
    /// Every member has its part.
    Stable,
    /// It is gone.
    Dead,
}

/// What moves a group on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The work has to be divided anew.
    Rebalance,
    /// Everybody who is still there has joined.
    Joined,
    /// Nobody is left.
    Emptied,
    /// The leader has divided the work.
    Assigned,
    /// It was deleted.
    Deleted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Empty, Self::PreparingRebalance, Self::CompletingRebalance, Self::Stable, Self::Dead];

    /// As Kafka's tools call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }

    /// The state after a step; `None` where there is no such way.
    #[must_use]
    pub const fn after(self, step: Step) -> Option<Self> {
        match self {
            Self::Empty => match step {
                Step::Rebalance => Some(Self::PreparingRebalance),
                Step::Deleted => Some(Self::Dead),
                Step::Joined | Step::Emptied | Step::Assigned => None,
            },
            Self::PreparingRebalance => match step {
                Step::Joined => Some(Self::CompletingRebalance),
                Step::Emptied => Some(Self::Empty),
                Step::Rebalance | Step::Assigned | Step::Deleted => None,
            },
            Self::CompletingRebalance => match step {
                Step::Rebalance => Some(Self::PreparingRebalance),
                Step::Assigned => Some(Self::Stable),
                Step::Joined | Step::Emptied | Step::Deleted => None,
            },
            Self::Stable => match step {
                Step::Rebalance => Some(Self::PreparingRebalance),
                Step::Joined | Step::Emptied | Step::Assigned | Step::Deleted => None,
            },
            Self::Dead => match step {
                Step::Rebalance | Step::Joined | Step::Emptied | Step::Assigned | Step::Deleted => None,
            },
        }
    }
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rebalance, Self::Joined, Self::Emptied, Self::Assigned, Self::Deleted];
}
