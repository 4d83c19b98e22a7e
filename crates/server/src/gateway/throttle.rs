//! How much may be asked at once: by a connection, and by all connections of a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::config::Requests;

/// Idle entries are looked for when there are so many more than after the last time.
const SWEEP_EVERY: usize = 1_024;

/// What is allowed.
#[derive(Debug, Clone, Copy)]
struct Limit {
    per_second: u32,
    in_flight: u32,
}

/// Counts who asks.
#[derive(Debug)]
pub(super) struct Throttle {
    connection: Limit,
    token: Limit,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<String, Bucket>,
    swept: usize,
}

/// How much somebody may ask now.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
    in_flight: u32,
}

/// Leave for one request, until it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    throttle: Arc<Throttle>,
    who: [String; 2],
}

impl Throttle {
    pub(super) fn new(settings: &Requests) -> Arc<Self> {
        let connection = Limit { per_second: settings.per_second_max, in_flight: settings.in_flight_max };
        let token = Limit { per_second: settings.token_per_second_max, in_flight: settings.token_in_flight_max };
        Arc::new(Self { connection, token, state: Mutex::default() })
    }

    /// Leave for a request of a connection of a token, or which limit is reached.
    pub(super) fn enter(self: &Arc<Self>, token: &str, client: &str) -> Result<Pass, String> {
        let now = Instant::now();
        let who = [format!("token {token}"), format!("connection {client}")];
        let mut state = self.state();
        state.sweep(now, [self.token, self.connection]);
        for (name, limit) in who.iter().zip([self.token, self.connection]) {
            let whose = name.split(' ').next().unwrap_or_default();
            let bucket = state.buckets.entry(name.clone()).or_insert_with(|| Bucket::full(now, limit));
            bucket.fill(now, limit);
            if bucket.in_flight >= limit.in_flight {
                let most = limit.in_flight;
                return Err(format!(
                    "this {whose} has {most} requests under way, which is as many as it may have; wait for answers"
                ));
            }
            if bucket.left < 1.0 {
                let most = limit.per_second;
                return Err(format!("this {whose} asks more than {most} times a second; ask more slowly"));
            }
        }
        for name in &who {
            if let Some(bucket) = state.buckets.get_mut(name) {
                bucket.left -= 1.0;
                bucket.in_flight += 1;
            }
        }
        drop(state);
        Ok(Pass { throttle: Arc::clone(self), who })
    }

    /// The lock is held for moments.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sweep(&mut self, now: Instant, limits: [Limit; 2]) {
        if self.buckets.len() >= self.swept + SWEEP_EVERY {
            self.forget_idle(now, limits);
        }
    }

    /// Who asks nothing and may ask everything need not be remembered.
    fn forget_idle(&mut self, now: Instant, [token, connection]: [Limit; 2]) {
        self.buckets.retain(|name, bucket| {
            let limit = if name.starts_with("token ") { token } else { connection };
            bucket.fill(now, limit);
            bucket.in_flight > 0 || bucket.left < f64::from(limit.per_second)
        });
        self.swept = self.buckets.len();
    }
}

impl Bucket {
    fn full(now: Instant, limit: Limit) -> Self {
        Self { left: f64::from(limit.per_second), at: now, in_flight: 0 }
    }

    fn fill(&mut self, now: Instant, limit: Limit) {
        let most = f64::from(limit.per_second);
        self.left = (self.left + now.saturating_duration_since(self.at).as_secs_f64() * most).min(most);
        self.at = now;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.throttle.state();
        for name in &self.who {
            if let Some(bucket) = state.buckets.get_mut(name) {
                bucket.in_flight = bucket.in_flight.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> Arc<Throttle> {
        Throttle::new(&Requests {
            per_second_max: 3,
            in_flight_max: 2,
            token_per_second_max: 4,
            token_in_flight_max: 3,
            ..Requests::default()
        })
    }

    #[test]
    fn so_many_are_under_way_at_once() {
        let throttle = throttle();
        let (first, _second) = (throttle.enter("t", "t/a").unwrap(), throttle.enter("t", "t/a").unwrap());
        assert!(throttle.enter("t", "t/a").unwrap_err().contains("this connection has 2"));
        let third = throttle.enter("t", "t/b").unwrap();
        assert!(throttle.enter("t", "t/c").unwrap_err().contains("this token has 3"));
        assert!(throttle.enter("u", "u/a").is_ok());
        drop((first, third));
        assert!(throttle.enter("t", "t/a").is_ok());
    }

    #[test]
    fn so_many_come_in_a_second() {
        let throttle = throttle();
        for _ in 0..3 {
            drop(throttle.enter("t", "t/a").unwrap());
        }
        assert!(throttle.enter("t", "t/a").unwrap_err().contains("3 times a second"));
        drop(throttle.enter("t", "t/b").unwrap());
        assert!(throttle.enter("t", "t/b").unwrap_err().contains("this token asks more than 4"));
    }

    #[test]
    fn the_idle_are_forgotten() {
        let throttle = throttle();
        let _busy = throttle.enter("busy", "busy/a").unwrap();
        for n in 0..SWEEP_EVERY {
            drop(throttle.enter(&n.to_string(), "x/y"));
        }
        let later = Instant::now() + std::time::Duration::from_secs(5);
        let mut state = throttle.state();
        state.forget_idle(later, [throttle.token, throttle.connection]);
        assert_eq!(state.buckets.len(), 2);
    }
}
