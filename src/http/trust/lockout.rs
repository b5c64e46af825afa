//! Who has guessed wrong too often.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::time::Instant;

/// Wrong guesses within [`WINDOW`] after which an address is not listened to.
const MAX_FAILURES: u32 = 5;

/// How long guesses count, from the first of them on.
const WINDOW: Duration = Duration::from_mins(1);

/// Addresses remembered. When one more comes, those whose minute is over are forgotten, else the oldest.
const MAX_ADDRESSES: usize = 4096;

/// Wrong guesses by address: an IPv6 guesser owns at least its whole /64.
#[derive(Debug, Default)]
pub struct Lockout(HashMap<IpAddr, Failures>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Lockout {
    /// True while an address is not listened to.
    #[must_use]
    pub fn is_locked(&self, peer: IpAddr, now: Instant) -> bool {
        self.0
            .get(&network(peer))
            .is_some_and(|failures| failures.count >= MAX_FAILURES && now < failures.since + WINDOW)
    }

    /// Notes a wrong guess.
    pub fn fail(&mut self, peer: IpAddr, now: Instant) {
        let peer = network(peer);
        if !self.0.contains_key(&peer) && self.0.len() >= MAX_ADDRESSES {
            self.make_room(now);
        }
        let failures = self.0.entry(peer).or_insert(Failures { since: now, count: 0 });
        if now >= failures.since + WINDOW {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count += 1;
    }

    /// Forgets what an address guessed wrong, because it has guessed right.
    pub fn forgive(&mut self, peer: IpAddr) {
        self.0.remove(&network(peer));
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, failures| now < failures.since + WINDOW);
        if self.0.len() >= MAX_ADDRESSES {
            let oldest =
                self.0.iter().min_by_key(|(_, failures)| failures.since).map(|(peer, _)| *peer);
            oldest.and_then(|peer| self.0.remove(&peer));
        }
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_guesses_and_a_minute() {
        let (mut lockout, start) = (Lockout::default(), Instant::now());
        let peer = IpAddr::from([192, 0, 2, 7]);
        for second in 0..5 {
            assert!(!lockout.is_locked(peer, start), "after {second}");
            lockout.fail(peer, start + Duration::from_secs(second));
        }
        assert!(lockout.is_locked(peer, start + Duration::from_secs(59)));
        assert!(!lockout.is_locked(peer, start + WINDOW));
        assert!(!lockout.is_locked(IpAddr::from([192, 0, 2, 8]), start));
        lockout.fail(peer, start + WINDOW);
        assert!(!lockout.is_locked(peer, start + WINDOW), "a new minute, a new count");
    }

    #[test]
    fn one_ipv6_network_is_one_guesser() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        for host in 0..5 {
            lockout.fail(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into(), now);
        }
        assert!(lockout.is_locked(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9).into(), now));
        assert!(!lockout.is_locked(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 0).into(), now));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut lockout, now) = (Lockout::default(), Instant::now());
        for address in 0..10_000_u32 {
            lockout.fail(
                std::net::Ipv4Addr::from(address).into(),
                now + Duration::from_millis(address.into()),
            );
        }
        assert!(lockout.0.len() <= MAX_ADDRESSES);
    }
}
