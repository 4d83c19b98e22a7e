//! Conditions on the counters of a queue, for alerts.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::counts::QueueCounts;
use crate::listed;
use crate::stored::stored;

listed! {
    /// What can be counted of a queue. The numbers are computed by `World::queue_counts`.
    #[derive(Serialize, Deserialize, Hash)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum QueueCounter {
        /// Agents who serve it or are assigned to it.
        Agents,
        /// Agents logged in to it, away or not.
        LoggedIn,
        /// Agents who serve it now: logged in, and not away for long.
        Serving,
        /// Agents who can be offered a call right now.
        Free,
        /// Agents away for long: paused, off work, out of service.
        LongAway,
        /// Agents away for a moment: in a call, or in after-call work.
        ShortAway,
        /// Agents in after-call work.
        InWrapUp,
        /// Agents who pick their calls.
        Picking,
        /// Calls of the queue: waiting, offered and connected.
        Calls,
        /// Calls that wait, offered to nobody.
        Waiting,
        /// Calls that are being offered to an agent.
        Offered,
        /// Calls that an agent of the queue serves.
        Connected,
        /// The longest wait of those waiting now, in seconds.
        LongestWaitS,
    }
}

listed! {
    /// How a counter is compared with a number.
    #[derive(Serialize, Deserialize, Hash)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub enum Comparison {
        /// `<`
        Less,
        /// `<=`
        AtMost,
        /// `=`
        Equal,
        /// `<>`
        NotEqual,
        /// `>=`
        AtLeast,
        /// `>`
        More,
    }
}

stored! {
    /// A condition.
    pub enum Condition {
        /// A counter compared with a number.
        Compare {
            /// The counter.
            counter: QueueCounter,
            /// How.
            comparison: Comparison,
            /// The number.
            value: i64,
        },
        /// All of these.
        All(Vec<Condition>),
        /// One of these at least.
        Any(Vec<Condition>),
        /// Not this.
        Not(Box<Condition>),
    }
}

impl Comparison {
    /// Whether a number compares so with another.
    #[must_use]
    pub const fn holds(self, number: i64, with: i64) -> bool {
        match self {
            Self::Less => number < with,
            Self::AtMost => number <= with,
            Self::Equal => number == with,
            Self::NotEqual => number != with,
            Self::AtLeast => number >= with,
            Self::More => number > with,
        }
    }
}

impl Condition {
    /// How deep parts may lie in parts.
    pub const DEPTH_MAX: usize = 8;
    /// How many parts there may be in all, comparisons included.
    pub const PARTS_MAX: usize = 64;

    /// Whether it holds of these counters.
    #[must_use]
    pub fn holds(&self, counts: &QueueCounts) -> bool {
        match self {
            Self::Compare { counter, comparison, value } => comparison.holds(counts.get(*counter), *value),
            Self::All(parts) => parts.iter().all(|part| part.holds(counts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(counts)),
            Self::Not(part) => !part.holds(counts),
        }
    }

    /// The counter named first, whose value is told with an alert; none in a condition that compares nothing.
    #[must_use]
    pub fn first_counter(&self) -> Option<QueueCounter> {
        match self {
            Self::Compare { counter, .. } => Some(*counter),
            Self::All(parts) | Self::Any(parts) => parts.iter().find_map(Self::first_counter),
            Self::Not(part) => part.first_counter(),
        }
    }

    /// Whether it compares something in each of its parts, and is neither too deep nor too large.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.parts(Self::DEPTH_MAX).is_some_and(|parts| parts <= Self::PARTS_MAX)
    }

    /// Calls `told` with each counter and the number it is compared with.
    pub(crate) fn each(&self, told: &mut impl FnMut(QueueCounter, i64)) {
        match self {
            Self::Compare { counter, value, .. } => told(*counter, *value),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each(told);
                }
            }
            Self::Not(part) => part.each(told),
        }
    }

    /// How many parts it has; none where it is deeper than this, or a part of it is empty.
    fn parts(&self, depth: usize) -> Option<usize> {
        let below = depth.checked_sub(1)?;
        match self {
            Self::Compare { .. } => Some(1),
            Self::All(parts) | Self::Any(parts) if parts.is_empty() => None,
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().try_fold(1_usize, |sum, part| Some(sum.saturating_add(part.parts(below)?)))
            }
            Self::Not(part) => Some(part.parts(below)?.saturating_add(1)),
        }
    }
}
