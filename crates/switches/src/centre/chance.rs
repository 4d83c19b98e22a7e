//! Numbers by chance that are the same everywhere: a seed is a whole life, and it can be lived again.

/// A generator (splitmix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The life of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % (bound.max(1) as u64)).unwrap_or(0)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// True in so many of a thousand times.
    pub fn permille(&mut self, of_thousand: usize) -> bool {
        self.below(1_000) < of_thousand
    }

    /// A time between the two, in milliseconds.
    pub fn ms(&mut self, from: u64, to: u64) -> u64 {
        from + self.number() % to.saturating_sub(from).max(1)
    }

    /// A time until something that happens at random comes next, in milliseconds, when it comes every `mean_ms` on
    /// average: mostly short, sometimes long, at most eight times the mean.
    ///
    /// Of fair coins, so that the same seed gives the same time on every machine: the mean of a geometric distribution,
    /// spread evenly within its steps.
    pub fn wait_ms(&mut self, mean_ms: u64) -> u64 {
        let step = (mean_ms / 4).max(1);
        let mut steps = 0;
        while steps < 32 && !self.once_in(5) {
            steps += 1;
        }
        steps * step + self.ms(0, step)
    }

    /// One of these.
    pub fn pick<T: Copy, const N: usize>(&mut self, first: T, others: [T; N]) -> T {
        let place = self.below(N + 1);
        place.checked_sub(1).and_then(|place| others.get(place)).copied().unwrap_or(first)
    }

    /// One of several; none of none.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_the_mean_that_was_asked_for() {
        let mut chance = Chance::new(1);
        let all: Vec<u64> = (0..20_000).map(|_| chance.wait_ms(10_000)).collect();
        let mean = all.iter().sum::<u64>() / all.len() as u64;
        assert!((9_000..12_500).contains(&mean), "{mean}");
        assert!(all.iter().any(|ms| *ms < 1_000) && all.iter().any(|ms| *ms > 40_000));
    }
}
