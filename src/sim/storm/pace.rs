//! How fast a storm may go, and how many sockets it may hold: a test must not become an attack, nor fail by itself.

use std::{
    fs,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};

/// Descriptors that are kept for everything but transfers.
const SPARE: usize = 64;

/// The most transfers at a time, however many descriptors there are: what one holds is memory too.
const MOST: usize = 16_384;

/// Lets requests through one after another.
#[derive(Debug)]
pub(super) struct Pace {
    /// What lies between two requests at least.
    gap: Duration,
    next: Mutex<Instant>,
    transfers: Semaphore,
    /// How many requests waited for longer than a client would notice.
    held: AtomicU64,
}

impl Pace {
    /// At most so many requests a second.
    pub fn new(rate: u32) -> Self {
        let transfers = open_files().saturating_sub(SPARE).clamp(1, MOST);
        Self {
            gap: Duration::from_secs(1) / rate.max(1),
            next: Mutex::new(Instant::now()),
            transfers: Semaphore::new(transfers),
            held: AtomicU64::new(0),
        }
    }

    /// Waits until one more request may leave.
    pub async fn turn(&self) {
        let now = Instant::now();
        let at = self.slot(now);
        // The timer's own step is a millisecond: less is not worth a wait, and keeps the rate all the same.
        if at > now + Duration::from_millis(1) {
            self.held.fetch_add(1, Ordering::Relaxed);
            sleep_until(at).await;
        }
    }

    /// When the next request may leave.
    fn slot(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(now);
        *next = at + self.gap;
        at
    }

    /// Waits until one more transfer may open its socket; dropping the permit gives it to the next.
    pub async fn transfer(&self) -> Option<SemaphorePermit<'_>> {
        self.transfers.acquire().await.ok()
    }

    /// How many requests had to wait so far.
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }
}

/// How many files this process may have open.
fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    // What every system grants.
    soft.unwrap_or(1024)
}

/// Numbers that look like chance and are the same for the same seed (Vigna's `SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Dice(pub u64);

impl Dice {
    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or(0)
    }

    /// A time shorter than `end`, in milliseconds.
    pub fn time(&mut self, end: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(end.as_millis()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_requests_than_allowed() {
        let pace = Pace::new(100);
        let now = Instant::now();
        let slots: Vec<Instant> = (0..200).map(|_| pace.slot(now)).collect();
        assert!(slots.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(10)));
        // After a lull there is no credit: the next two are as far apart as any.
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.slot(later), later);
        assert_eq!(pace.slot(later), later + Duration::from_millis(10));
    }

    #[test]
    fn the_same_seed_is_the_same_storm() {
        let throw = |seed: u64| {
            let mut dice = Dice(seed);
            (0..100).map(|_| dice.below(6)).collect::<Vec<_>>()
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1), throw(2));
        assert!((0..6).all(|side| throw(7).contains(&side)) && throw(7).iter().all(|n| *n < 6));
        assert_eq!(Dice(1).below(0), 0);
    }
}
