//! How long to wait before connecting again: twice as long each time, up to a limit, and never quite when the others do.

/// The pauses between attempts.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    chance: u64,
    pause_ms_min: u64,
    pause_ms_max: u64,
    attempts: u32,
}

impl Backoff {
    pub(crate) fn new(seed: u64, pause_ms_min: u64, pause_ms_max: u64) -> Backoff {
        // Without any pause a dead address would be asked without end.
        Backoff { chance: seed, pause_ms_min: pause_ms_min.max(1), pause_ms_max, attempts: 0 }
    }

    /// How many pauses there were since the last reset.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Starts from the smallest pause again.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The next pause in microseconds: between half of and all of what its turn gives, but at least `floor_ms`.
    pub(crate) fn next_pause_us(&mut self, floor_ms: u64) -> u64 {
        let doubled = 1_u64.checked_shl(self.attempts).unwrap_or(u64::MAX);
        let turn_ms = self.pause_ms_min.saturating_mul(doubled).min(self.pause_ms_max.max(self.pause_ms_min));
        self.attempts = self.attempts.saturating_add(1);
        // Above a floor the jitter is added, so that the floor stays one.
        let turn_us = turn_ms.max(floor_ms).saturating_mul(1_000);
        let half_us = turn_us / 2;
        let jitter_us = self.next_chance() % (half_us + 1);
        if floor_ms >= turn_ms { turn_us.saturating_add(jitter_us) } else { half_us.saturating_add(jitter_us) }
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to keep reconnects apart.
    fn next_chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_stay_within_half_and_all_of_it() {
        let mut backoff = Backoff::new(7, 500, 30_000);
        for turn_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let pause_us = backoff.next_pause_us(0);
            assert!((turn_ms * 500..=turn_ms * 1_000).contains(&pause_us), "{pause_us} us for {turn_ms} ms");
        }
        assert_eq!(backoff.attempts(), 8);
        backoff.reset();
        assert!(backoff.next_pause_us(0) <= 500_000);
    }

    #[test]
    fn there_is_always_a_pause() {
        assert!(Backoff::new(3, 0, 0).next_pause_us(0) > 0);
    }

    #[test]
    fn a_floor_is_never_undercut() {
        let mut backoff = Backoff::new(1, 500, 30_000);
        for _ in 0..100 {
            let pause_us = backoff.next_pause_us(60_000);
            assert!((60_000_000..=90_000_000).contains(&pause_us), "{pause_us}");
        }
    }

    #[test]
    fn a_thousand_attempts_overflow_nothing() {
        let mut backoff = Backoff::new(u64::MAX, u64::MAX, u64::MAX);
        for _ in 0..1_000 {
            backoff.next_pause_us(u64::MAX);
        }
    }

    #[test]
    fn two_seeds_do_not_march_in_step() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(seed, 500, 30_000);
            (0..8).map(|_| backoff.next_pause_us(0)).collect::<Vec<_>>()
        };
        assert_ne!(pauses(1), pauses(2));
        assert_eq!(pauses(1), pauses(1));
    }
}
