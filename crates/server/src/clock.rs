//! The only reader of time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cordboard_core::Time;

/// Microseconds since the Unix epoch, never less than what was handed out before. Clones share what was handed out.
///
/// Where the system's clock is set back, time goes on at its natural pace from the last moment handed out until the
/// system's clock has caught up.
#[derive(Clone, Debug)]
pub struct Clock {
    last: Arc<Mutex<Last>>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    told: Time,
    at: Instant,
}

impl Clock {
    /// A clock that hands out nothing before `not_before`: what a log holds already must not be newer than what follows.
    #[must_use]
    pub fn new(not_before: Time) -> Self {
        Self { last: Arc::new(Mutex::new(Last { told: not_before, at: Instant::now() })) }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Instant::now();
        last.told = next(last.told, at.saturating_duration_since(last.at), Time(micros(wall)));
        last.at = at;
        last.told
    }

    /// How long it is until `due`; zero when it is past.
    #[must_use]
    pub fn until(&self, due: Time) -> Duration {
        Duration::from_micros(due.micros_since(self.now()))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Time(0))
    }
}

fn next(last: Time, passed: Duration, wall: Time) -> Time {
    if wall >= last { wall } else { Time(last.0.saturating_add(micros(passed))) }
}

/// The microseconds of a duration; at most what 64 bits hold.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_told_while_it_goes_forward() {
        assert_eq!(next(Time(100), Duration::from_micros(5), Time(107)), Time(107));
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_at_its_natural_pace() {
        assert_eq!(next(Time(100), Duration::from_micros(5), Time(3)), Time(105));
    }

    #[test]
    fn nothing_is_handed_out_before_the_start_and_nothing_runs_backwards() {
        let clock = Clock::new(Time(u64::MAX / 2));
        let (first, second) = (clock.now(), clock.clone().now());
        assert!(first >= Time(u64::MAX / 2) && second >= first);
        assert!(Clock::default().now() > Time(1_700_000_000_000_000));
    }
}
