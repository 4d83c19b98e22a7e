//! How often somebody may be wrong: failed attempts are counted by address, in bounded memory.
//!
//! Only failures are limited. What opens this server are 256 random bits or signatures, so there is nothing that patience
//! could guess; what is limited is the work and the noise that wrong ones make. Who comes with a good token from an
//! address that is full of bad ones, as behind a proxy, is let in. Passwords, where there are any, are counted before
//! they are looked at, and right ones are forgiven: who was wrong too often is not heard at all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked for addresses that may be forgotten, when there is no room.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const MINUTE_S: f64 = 60.0;

/// Counts failed attempts.
#[derive(Debug)]
pub(super) struct Failures {
    per_minute_max: u32,
    addresses_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<IpAddr, Bucket>,
    swept: Option<Instant>,
}

/// How often an address may be wrong now.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Failures {
    pub(super) fn new(per_minute_max: u32, addresses_max: usize) -> Self {
        Self { per_minute_max, addresses_max, state: Mutex::default() }
    }

    /// An attempt failed. Gives how many seconds to wait, where it was one too many.
    pub(super) fn failed(&self, from: IpAddr, now: Instant) -> Option<u64> {
        let most = f64::from(self.per_minute_max);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { known, swept } = &mut *state;
        let fill = |bucket: &mut Bucket| {
            let gained = now.saturating_duration_since(bucket.at).as_secs_f64() / MINUTE_S * most;
            *bucket = Bucket { left: (bucket.left + gained).min(most), at: now };
        };
        let whose = network(from);
        if known.len() >= self.addresses_max && !known.contains_key(&whose) {
            if swept.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP_EVERY) {
                *swept = Some(now);
                known.values_mut().for_each(fill);
                known.retain(|_, bucket| bucket.left < most);
            }
            // So many addresses at once are one attacker: the newcomer is told what all of them would be.
            if known.len() >= self.addresses_max {
                return Some(wait_s(0.0, most));
            }
        }
        let bucket = known.entry(whose).or_insert(Bucket { left: most, at: now });
        fill(bucket);
        if bucket.left < 1.0 {
            return Some(wait_s(bucket.left, most));
        }
        bucket.left -= 1.0;
        None
    }

    /// What was counted was no failure.
    pub(super) fn forgive(&self, from: IpAddr) {
        let most = f64::from(self.per_minute_max);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = state.known.get_mut(&network(from)) {
            bucket.left = (bucket.left + 1.0).min(most);
        }
    }
}

/// Whole seconds until there is one attempt more.
fn wait_s(left: f64, most: f64) -> u64 {
    ((1.0 - left) * MINUTE_S / most).ceil().clamp(1.0, MINUTE_S) as u64
}

/// An address, or for IPv6 the network that one customer usually has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(bits).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn an_address_is_wrong_so_often_in_a_minute() {
        let (failures, begin) = (Failures::new(3, 10), Instant::now());
        for _ in 0..3 {
            assert_eq!(failures.failed(address(1), begin), None);
        }
        assert_eq!(failures.failed(address(1), begin), Some(20));
        assert_eq!(failures.failed(address(2), begin), None);
        assert_eq!(failures.failed(address(1), begin + Duration::from_secs(20)), None);
        assert!(failures.failed(address(1), begin + Duration::from_secs(20)).is_some());
    }

    #[test]
    fn what_was_right_is_forgiven() {
        let (failures, begin) = (Failures::new(2, 10), Instant::now());
        for _ in 0..10 {
            assert_eq!(failures.failed(address(1), begin), None);
            failures.forgive(address(1));
        }
        failures.forgive(address(1));
        assert_eq!(failures.failed(address(1), begin), None);
        assert_eq!(failures.failed(address(1), begin), None);
        assert!(failures.failed(address(1), begin).is_some());
    }

    #[test]
    fn memory_is_bounded_and_who_was_quiet_is_forgotten() {
        let (failures, begin) = (Failures::new(3, 10), Instant::now());
        for n in 0..10 {
            assert_eq!(failures.failed(address(n), begin), None);
        }
        assert!(failures.failed(address(10), begin).is_some());
        let later = begin + Duration::from_secs(61);
        assert_eq!(failures.failed(address(10), later), None);
        assert_eq!(failures.state.lock().unwrap().known.len(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (failures, begin) = (Failures::new(1, 10), Instant::now());
        assert_eq!(failures.failed("2001:db8:1:2::1".parse().unwrap(), begin), None);
        assert!(failures.failed("2001:db8:1:2:ffff::9".parse().unwrap(), begin).is_some());
        assert_eq!(failures.failed("2001:db8:1:3::1".parse().unwrap(), begin), None);
        assert_eq!(failures.failed("::ffff:10.0.0.1".parse().unwrap(), begin), None);
        assert!(failures.failed("10.0.0.1".parse().unwrap(), begin).is_some());
    }
}
