//! Conditions on the counters of a queue, for alerts.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

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
