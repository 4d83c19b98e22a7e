//! How much of something may come in a second.

use tokio::time::{Duration, Instant};

/// So much a second; as much at once after a silence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    per_second: u32,
    left: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, left: f64::from(per_second), at: now }
    }

    /// Takes so much where there is as much.
    pub(super) fn take(&mut self, much: u32, now: Instant) -> bool {
        self.fill(now);
        let much = f64::from(much);
        let enough = self.left >= much;
        if enough {
            self.left -= much;
        }
        enough
    }

    /// Takes so much, on credit where there is less.
    pub(super) fn spend(&mut self, much: usize, now: Instant) {
        self.fill(now);
        self.left -= much as f64;
    }

    /// When there is something again; none where there is now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        self.fill(now);
        // A wait is worth its timer only when a tenth of a second's worth has come.
        (self.left <= 0.0).then(|| now + Duration::from_secs_f64(0.1 - self.left / f64::from(self.per_second.max(1))))
    }

    fn fill(&mut self, now: Instant) {
        let most = f64::from(self.per_second);
        self.left = (self.left + now.saturating_duration_since(self.at).as_secs_f64() * most).min(most);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_with_time() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        assert!(rate.take(10, start) && !rate.take(1, start));
        assert!(!rate.take(6, start + Duration::from_millis(500)));
        assert!(rate.take(5, start + Duration::from_millis(501)));
        rate.spend(30, start + Duration::from_millis(501));
        let due = rate.due(start + Duration::from_millis(501)).unwrap();
        assert!(due > start + Duration::from_secs(3) && due < start + Duration::from_secs(4), "{:?}", due - start);
        assert_eq!(rate.due(due), None);
        assert!(!rate.take(11, start + Duration::from_secs(100)));
    }
}
