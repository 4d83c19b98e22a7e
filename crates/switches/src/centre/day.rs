//! The day of the centre: how much is called, and who works when.

use cordboard_core::Time;

/// The demonstration begins at this hour of its day, so that much is going on at once.
const BEGINS_AT_MIN: u64 = 9 * 60 + 30;
const DAY_MIN: u64 = 24 * 60;
/// Calls of an hour at the busiest time, whatever arrives: about what the agents of the day can serve.
const CALLS_PER_HOUR_MAX: u64 = 520;

/// How much is called over the day: minute of the day, and percent of the most; straight lines between.
const LOAD: &[(u64, u64)] = &[
    (0, 2),
    (6 * 60, 3),
    (8 * 60, 45),
    (9 * 60 + 30, 90),
    (11 * 60, 100),
    (12 * 60 + 30, 75),
    (14 * 60, 95),
    (16 * 60, 85),
    (18 * 60, 40),
    (20 * 60, 12),
    (DAY_MIN, 2),
];

/// Minute of the day.
#[must_use]
pub(crate) fn minute(begun: Time, now: Time) -> u64 {
    (BEGINS_AT_MIN + now.micros_since(begun) / 60_000_000) % DAY_MIN
}

/// Milliseconds from one call to the next, on average.
#[must_use]
pub(crate) fn between_calls_ms(minute: u64) -> u64 {
    let calls_per_hour = (CALLS_PER_HOUR_MAX * percent(minute) / 100).max(1);
    3_600_000 / calls_per_hour
}

fn percent(minute: u64) -> u64 {
    LOAD.iter()
        .zip(LOAD.iter().skip(1))
        .find(|((from, _), (to, _))| (*from..*to).contains(&minute))
        .map_or(1, |((from, low), (to, high))| (low * (to - minute) + high * (minute - from)) / (to - from))
}

/// Whether the agent with this number works at this minute: in three shifts by day, and a few by night.
#[must_use]
pub(crate) fn works(agent: usize, minute: u64) -> bool {
    let (from, to) = match agent % 10 {
        0 => return !(8 * 60..19 * 60 + 30).contains(&minute),
        1..=4 => (7 * 60, 15 * 60 + 30),
        5..=7 => (9 * 60, 17 * 60 + 30),
        _ => (11 * 60 + 30, 20 * 60),
    };
    (from..to).contains(&minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minute_has_a_load_and_somebody_who_works() {
        for minute in 0..DAY_MIN {
            assert!((1..=100).contains(&percent(minute)), "{minute}");
            let at_work = (0..40).filter(|agent| works(*agent, minute)).count();
            assert!(at_work >= 4, "{minute}: {at_work}");
        }
        assert!(between_calls_ms(11 * 60) < between_calls_ms(3 * 60));
        assert_eq!(minute(Time(0), Time(0)), BEGINS_AT_MIN);
    }
}
