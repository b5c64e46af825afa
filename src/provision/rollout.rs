//! How a rollout goes: phones by stage, how fast they come up, when the rest will be there. A function of facts.

use std::time::Duration;

use crate::{
    domain::{Arrival, Stage, Timestamp},
    store::Phone,
};

/// Arrivals of this time make the rate.
const LATELY: Duration = Duration::from_mins(10);

/// A rate is not taken from less time than this: two phones in one second are no rollout of 7,200 an hour.
const LEAST: Duration = Duration::from_mins(1);

/// How long after its last sign of life a phone still counts as on its way.
const ON_ITS_WAY: Duration = Duration::from_hours(1);

/// Arrivals of this time tell how long a boot takes.
const TODAY: Duration = Duration::from_hours(24);

/// How long boots took, from the start of the round to the whole configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Took {
    /// Half of them took no longer.
    pub p50: Duration,
    /// All but one in twenty took no longer.
    pub p95: Duration,
    /// How many there were in the last 24 hours, one a phone.
    pub count: usize,
}

/// How a rollout goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rollout {
    /// Phones, listed or seen.
    pub phones: usize,
    /// Phones that are listed.
    pub listed: usize,
    /// Phones by stage, in the order of [`Stage::ALL`].
    pub stages: [usize; Stage::ALL.len()],
    /// Listed phones that have all of their configuration.
    pub configured: usize,
    /// Listed phones that are on their way to it, were heard of in the last hour, and are not stuck.
    pub coming: usize,
    /// Listed phones that were never seen.
    pub unseen: usize,
    /// Phones that reached their configuration lately, a minute; `None` if none did in the last ten.
    pub rate: Option<f64>,
    /// When those on their way will be there at this rate.
    pub forecast: Option<Timestamp>,
    /// When those never seen will be too, if they come as fast.
    pub forecast_all: Option<Timestamp>,
    /// How long boots took.
    pub took: Option<Took>,
}

/// Counts phones, one after the other.
#[derive(Debug)]
pub struct Tally {
    now: Timestamp,
    rollout: Rollout,
    lately: usize,
    /// The first of the lately arrived.
    first: Timestamp,
    took: Vec<Duration>,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now, rollout: Rollout::default(), lately: 0, first: now, took: Vec::new() }
    }

    /// Counts a phone. `is_stuck` is asked where it matters: whoever is stuck or loops is on no way to anywhere, and a
    /// forecast that waits for it never comes true.
    pub fn add(&mut self, phone: &Phone, is_stuck: impl FnOnce() -> bool) {
        let boot = &phone.boot;
        self.rollout.phones += 1;
        // `ALL` is in the order of declaration.
        if let Some(count) = self.rollout.stages.get_mut(boot.stage() as usize) {
            *count += 1;
        }
        if let Some(last) = boot.arrivals.last() {
            self.arrived(*last);
        }
        if phone.entry.is_none() {
            return;
        }
        self.rollout.listed += 1;
        if boot.risen >= Stage::Configured {
            self.rollout.configured += 1;
        } else if !boot.is_seen() {
            self.rollout.unseen += 1;
        } else if self.since(boot.last_at) < ON_ITS_WAY && !is_stuck() {
            self.rollout.coming += 1;
        }
    }

    fn arrived(&mut self, last: Arrival) {
        if self.since(last.at) < LATELY {
            self.lately += 1;
            self.first = self.first.min(last.at);
        }
        if self.since(last.at) < TODAY {
            self.took.push(last.at.duration_since(last.round).try_into().unwrap_or_default());
        }
    }

    fn since(&self, then: Timestamp) -> Duration {
        self.now.duration_since(then).try_into().unwrap_or_default()
    }

    /// What comes of it.
    #[must_use]
    pub fn finish(mut self) -> Rollout {
        self.took.sort_unstable();
        let at = |part: usize| self.took.get((self.took.len() * part).div_ceil(100).max(1) - 1);
        let took = at(50).zip(at(95));
        let took = took.map(|(p50, p95)| Took { p50: *p50, p95: *p95, count: self.took.len() });
        let minutes = self.since(self.first).max(LEAST).as_secs_f64() / 60.0;
        let lately = u32::try_from(self.lately).unwrap_or(u32::MAX);
        let rate = (lately > 0).then(|| f64::from(lately) / minutes);
        let Rollout { coming, unseen, .. } = self.rollout;
        let forecast = |left: usize| {
            let left = u32::try_from(left).ok().filter(|left| *left > 0)?;
            let wait = Duration::try_from_secs_f64(f64::from(left) / rate? * 60.0).ok()?;
            self.now.checked_add(jiff::SignedDuration::try_from(wait).ok()?).ok()
        };
        let forecast_all = if unseen > 0 { forecast(coming + unseen) } else { None };
        Rollout { rate, forecast: forecast(coming), forecast_all, took, ..self.rollout }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Boot, Entry};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// A listed phone whose round began and, where it got that far, was configured then.
    fn phone(round: i64, configured: Option<i64>) -> Phone {
        let risen = if configured.is_some() { Stage::Configured } else { Stage::Asking };
        let arrival = |done| Arrival { round: at(round), at: at(done) };
        let arrivals = configured.map(arrival).into_iter().collect();
        let last_at = at(configured.unwrap_or(round));
        let boot = Boot { risen, arrivals, round: at(round), last_at, ..Boot::default() };
        Phone { entry: Some(Arc::new(Entry::default())), boot, ..Phone::default() }
    }

    fn rollout(now: i64, phones: impl IntoIterator<Item = Phone>) -> Rollout {
        let mut tally = Tally::new(at(now));
        phones.into_iter().for_each(|phone| tally.add(&phone, || false));
        tally.finish()
    }

    #[test]
    fn rate_and_forecast() {
        // One every six seconds over the last five minutes: ten a minute.
        let done = (0..50).map(|n| phone(0, Some(300 + 6 * n)));
        let coming = (0..20).map(|_| phone(590, None));
        let unseen = (0..30).map(|_| Phone { boot: Boot::default(), ..phone(0, None) });
        let all = rollout(600, done.chain(coming).chain(unseen));
        let Rollout { phones, listed, configured, coming, unseen, .. } = all;
        assert_eq!((phones, listed, configured, coming, unseen), (100, 100, 50, 20, 30));
        assert_eq!(all.rate, Some(10.0));
        assert_eq!((all.forecast, all.forecast_all), (Some(at(720)), Some(at(900))));
        assert_eq!(all.stages.iter().sum::<usize>(), 100);
    }

    #[test]
    fn nobody_waits_for_the_stuck() {
        let mut tally = Tally::new(at(600));
        for n in 0..30 {
            let done = (n < 10).then_some(540 + 6 * n);
            tally.add(&phone(500, done), || n >= 15);
        }
        let all = tally.finish();
        assert_eq!((all.coming, all.rate, all.forecast), (5, Some(10.0), Some(at(630))));
    }

    #[test]
    fn without_arrivals_there_is_no_forecast() {
        let old = rollout(10_000, [phone(0, Some(10)), phone(9_999, None), phone(0, None)]);
        assert_eq!((old.rate, old.forecast, old.coming), (None, None, 1));
        assert_eq!(old.took.map(|took| took.count), Some(1));
        assert_eq!(rollout(200_000, [phone(0, Some(10))]).took, None, "of another day");
        assert_eq!(rollout(0, []), Rollout::default());
    }

    #[test]
    fn how_long_boots_take() {
        let took = rollout(1000, (1..=100).map(|n| phone(0, Some(n)))).took.unwrap();
        let seconds = Duration::from_secs;
        assert_eq!((took.p50, took.p95, took.count), (seconds(50), seconds(95), 100));
        let one = rollout(1000, [phone(10, Some(13))]).took.unwrap();
        assert_eq!((one.p50, one.p95), (seconds(3), seconds(3)));
    }
}
