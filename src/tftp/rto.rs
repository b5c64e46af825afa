//! How long to wait before sending again: measured, not fixed (RFC 1123 §4.2.3.2, in the manner of RFC 6298).

use std::time::Duration;

/// Before anything was measured. A LAN answers in under a millisecond; a phone that is busy booting takes longer.
const FIRST: Duration = Duration::from_millis(250);

/// Never less, however fast the network: phones are slow, and a needless copy costs them more than a short wait.
const LEAST: Duration = Duration::from_millis(30);

/// Never more, unless the peer negotiated a longer one.
const MOST: Duration = Duration::from_secs(1);

/// The wait before sending again.
#[derive(Clone, Debug)]
pub struct Rto {
    smoothed: Option<Duration>,
    variation: Duration,
    wait: Duration,
    most: Duration,
}

impl Rto {
    /// Nothing measured yet. A negotiated timeout (RFC 2349) replaces the upper bound of 1 s.
    pub fn new(negotiated: Option<Duration>) -> Self {
        let most = negotiated.unwrap_or(MOST);
        Self { smoothed: None, variation: Duration::ZERO, wait: FIRST.min(most), most }
    }

    /// The wait in force.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// The smoothed round-trip time, once one was measured.
    pub fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// Takes one round-trip time of a packet that was sent once (Karn's rule is the caller's to keep).
    pub fn measured(&mut self, rtt: Duration) {
        let smoothed = if let Some(smoothed) = self.smoothed {
            self.variation = (self.variation * 3 + smoothed.abs_diff(rtt)) / 4;
            (smoothed * 7 + rtt) / 8
        } else {
            self.variation = rtt / 2;
            rtt
        };
        self.smoothed = Some(smoothed);
        self.wait = (smoothed + self.variation * 4).max(LEAST).min(self.most);
    }

    /// Waits twice as long from now on, until the next measurement.
    pub fn back_off(&mut self) {
        self.wait = (self.wait * 2).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measurements in ms (`x` backs off) → the wait in ms.
    fn wait(negotiated: Option<u64>, story: &str) -> u128 {
        let mut rto = Rto::new(negotiated.map(Duration::from_secs));
        for word in story.split_whitespace() {
            match word.parse() {
                Ok(ms) => rto.measured(Duration::from_millis(ms)),
                Err(_) => rto.back_off(),
            }
        }
        rto.wait().as_millis()
    }

    #[test]
    fn waits() {
        let check = |story: &str, ms| assert_eq!(wait(None, story), ms, "{story}");
        check("", 250);
        check("x", 500);
        check("x x", 1000);
        check("x x x x", 1000);
        // RFC 6298 §2.2: the first measurement R gives R + 4 · R/2.
        check("100", 300);
        check("1", 30);
        check("1 x", 60);
        check("1 x x x x x x", 1000);
        // §5.7: a new measurement ends the backing off.
        check("1 x x x x x x 1", 30);
        check("900", 1000);
        // A steady path converges on its round trip.
        check("100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100 100", 101);
    }

    #[test]
    fn a_negotiated_timeout_is_the_upper_bound() {
        let check =
            |seconds, story: &str, ms| assert_eq!(wait(Some(seconds), story), ms, "{story}");
        check(1, "x x x x x", 1000);
        check(4, "x x x x x x", 4000);
        check(4, "", 250);
    }
}
