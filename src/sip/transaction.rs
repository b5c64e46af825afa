//! When a request that is no INVITE is sent again over UDP, and when it is given up (RFC 3261 §17.1.2.2).

use std::time::{Duration, Instant};

/// How long an answer usually takes at most.
const T1: Duration = Duration::from_millis(500);

/// The longest time from one sending to the next.
const T2: Duration = Duration::from_secs(4);

/// Timer F: how long an answer is waited for, 64 times T1.
pub const PATIENCE: Duration = Duration::from_secs(32);

/// What is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Send the same request again (timer E).
    Again,
    /// Nobody answers (timer F).
    Over,
}

/// The timers of one request.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    again: Instant,
    pause: Duration,
    end: Instant,
    proceeding: bool,
}

impl Timers {
    /// For a request that was first sent `now`.
    pub fn new(now: Instant) -> Self {
        Self { again: now + T1, pause: T1, end: now + PATIENCE, proceeding: false }
    }

    /// When something is due next.
    pub fn next(&self) -> Instant {
        self.again.min(self.end)
    }

    /// A provisional answer came: it works on it, and is asked less often.
    pub fn proceed(&mut self) {
        self.proceeding = true;
    }

    /// What is due by now.
    pub fn due(&mut self, now: Instant) -> Due {
        if now >= self.end {
            return Due::Over;
        }
        if now < self.again {
            return Due::Nothing;
        }
        self.pause = if self.proceeding { T2 } else { (self.pause * 2).min(T2) };
        self.again = now + self.pause;
        Due::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of sending, in milliseconds, until it is given up; a provisional answer comes at `proceeds`.
    fn sendings(proceeds: Option<u64>) -> Vec<u64> {
        let start = Instant::now();
        let (mut timers, mut sent, mut now) = (Timers::new(start), vec![0], start);
        loop {
            let millis = |now: Instant| u64::try_from((now - start).as_millis()).unwrap();
            let next = timers.next();
            if proceeds.is_some_and(|at| (millis(now)..millis(next)).contains(&at)) {
                timers.proceed();
            }
            now = next;
            match timers.due(now) {
                Due::Nothing => unreachable!("it was due"),
                Due::Again => sent.push(millis(now)),
                Due::Over => {
                    sent.push(millis(now));
                    return sent;
                }
            }
        }
    }

    #[test]
    fn as_the_rfc_has_it() {
        // RFC 3261 §17.1.2.2: intervals of 500 ms, 1 s, 2 s, 4 s, 4 s …
        let expected =
            [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000];
        assert_eq!(sendings(None), expected);
        // In Proceeding timer E is reset to T2 whenever it fires.
        assert_eq!(sendings(Some(100))[..4], [0, 500, 4500, 8500]);
    }
}
