//! What is kept of a queue with alerts, so that a condition on its counters costs little where it has many agents: how
//! each of them stands to it, and their sums. Who moved is looked at again, nobody else.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::condition::QueueCounter;
use crate::counts::{QueueCounts, Standing};
use crate::directory::Alert;
use crate::guid::Guid;
use crate::ids::Time;
use crate::world::World;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Tally {
    /// The alerts.
    pub(crate) alerts: BTreeSet<Guid>,
    /// How its agents stand to it.
    standings: BTreeMap<String, Standing>,
    /// The sums.
    sums: QueueCounts,
}

impl Tally {
    /// Somebody stands to the queue like this from now on; none: has nothing to do with it any more.
    pub(crate) fn note(&mut self, user: &str, standing: Option<Standing>) {
        let was = match standing {
            Some(standing) => {
                standing.count(&mut self.sums, 1);
                self.standings.insert(String::from(user), standing)
            }
            None => self.standings.remove(user),
        };
        if let Some(was) = was {
            was.count(&mut self.sums, u64::MAX);
        }
    }
}

impl World {
    /// The counters of a queue with alerts; the same as [`World::queue_counts`] gives.
    pub(crate) fn tallied(&self, queue: &str, now: Time) -> QueueCounts {
        let mut counts = self.directory.tallies.get(queue).map_or_else(QueueCounts::default, |tally| tally.sums);
        if let Some(queue) = self.queues.get(queue) {
            self.count_calls(queue, now, &mut counts);
        }
        counts
    }
}

/// When a condition comes about on a queue with these counters now, or holds no longer, if nothing happens but that time
/// passes; at once where it is so already. Time alone changes the longest wait only, and a comparison with it only where it
/// reaches the number, or passes it. `oldest`: since when the call waits that waits longest.
pub(crate) fn next_change(alert: &Alert, counts: &QueueCounts, oldest: Option<Time>, now: Time) -> Option<Time> {
    let Alert { rule, fired } = alert;
    if rule.condition.holds(counts) != *fired {
        return Some(now);
    }
    let oldest = oldest?;
    let mut moments = BTreeSet::new();
    rule.condition.each(&mut |counter, value| {
        if let (QueueCounter::LongestWaitS, Ok(value)) = (counter, u64::try_from(value)) {
            for seconds in [value, value.saturating_add(1)] {
                moments.insert((oldest.plus_ms(seconds.saturating_mul(1_000)), seconds));
            }
        }
    });
    let changes = |(_, seconds): &&(Time, u64)| {
        rule.condition.holds(&QueueCounts { longest_wait_s: *seconds, ..*counts }) != *fired
    };
    moments.iter().filter(|(at, _)| *at > now).find(changes).map(|(at, _)| *at)
}
