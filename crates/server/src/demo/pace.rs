//! A switch whose clock goes faster or slower than ours.

use cordboard_core::{Order, Time};
use cordboard_switches::boxed::Happening;
use cordboard_switches::centre::Centre;
use cordboard_switches::{Counts, Output, Switch};

use crate::boxed_link::BuiltIn;

/// A centre that lives so many milliseconds a second, from the moment on when it is first looked at. What it tells bears
/// the times of its own clock.
#[derive(Debug)]
pub(super) struct Paced {
    centre: Centre,
    permille: u64,
    begun: Option<Time>,
}

impl Paced {
    pub(super) fn new(centre: Centre, permille: u64) -> Self {
        Self { centre, permille: permille.max(1), begun: None }
    }

    /// Its time when it is `now` with us.
    fn theirs(&mut self, now: Time) -> Time {
        let begun = *self.begun.get_or_insert(now);
        let passed = u128::from(now.micros_since(begun)) * u128::from(self.permille) / 1_000;
        Time(begun.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// Our time when it is `due` with it; rounded up, so that it is due then.
    fn ours(&self, due: Time) -> Time {
        let Some(begun) = self.begun else { return due };
        let wait = (u128::from(due.micros_since(begun)) * 1_000).div_ceil(u128::from(self.permille));
        Time(begun.0.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX)))
    }
}

impl BuiltIn for Paced {
    fn happen(&mut self, now: Time, happening: &Happening) -> Result<Option<String>, String> {
        let now = self.theirs(now);
        self.centre.happen(now, happening)
    }
}

impl Switch for Paced {
    fn handle_connected(&mut self, now: Time) {
        let now = self.theirs(now);
        self.centre.handle_connected(now);
    }

    fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        let now = self.theirs(now);
        self.centre.handle_bytes(now, bytes);
    }

    fn handle_closed(&mut self, now: Time, reason: &str) {
        let now = self.theirs(now);
        self.centre.handle_closed(now, reason);
    }

    fn handle_order(&mut self, now: Time, order: &Order) {
        let now = self.theirs(now);
        self.centre.handle_order(now, order);
    }

    fn handle_timeout(&mut self, now: Time) {
        let now = self.theirs(now);
        self.centre.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.centre.poll_output()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.centre.poll_timeout().map(|due| self.ours(due))
    }

    fn counts(&self) -> Counts {
        self.centre.counts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back_at_any_pace() {
        for permille in [1, 500, 1_000, 1_001, 60_000] {
            let mut paced = Paced::new(Centre::new("house", 1, 1), permille);
            let begun = Time(1_000_000_000);
            assert_eq!(paced.theirs(begun), begun);
            for due in [1, 999, 1_000, 12_345_678_901].map(|us| Time(begun.0 + us)) {
                let ours = paced.ours(due);
                assert!(paced.theirs(ours) >= due, "{permille} {due:?}: due when it is");
                assert!(ours == begun || paced.theirs(Time(ours.0 - 1)) < due, "{permille} {due:?}: and not before");
            }
        }
    }
}
