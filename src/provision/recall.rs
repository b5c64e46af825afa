//! Many phones told to come again, so many a second: which is next, and what became of the others.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::domain::{Mac, Reply};

use super::{Called, Service};

/// The slowest and the fastest rate: one phone an hour, 50 a second.
const BOUNDS: (f64, f64) = (1.0 / 3600.0, 50.0);

/// How many phones a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

/// A rate that is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no rate between 1/h and 50/s: say 2/s, 30/min or 100/h")]
pub struct BadRate(String);

impl Default for Rate {
    /// Two a second: a building of 1,000 phones in eight minutes, which a file server hardly notices.
    fn default() -> Self {
        Self(2.0)
    }
}

impl Rate {
    /// The time from one phone to the next.
    #[must_use]
    pub fn gap(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    /// `2`, `2/s`, `30/min`, `100/h`.
    fn from_str(text: &str) -> Result<Self, BadRate> {
        let bad = || BadRate(crate::domain::clip(text, 40));
        let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" => 1.0,
            "min" | "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        let rate = count.trim().parse::<f64>().map_err(|_| bad())? / seconds;
        // Not a number is in no range.
        (BOUNDS.0..=BOUNDS.1).contains(&rate).then_some(Self(rate)).ok_or_else(bad)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            rate if rate >= 1.0 => (rate, "s"),
            rate if rate * 60.0 >= 1.0 => (rate * 60.0, "min"),
            rate => (rate * 3600.0, "h"),
        };
        write!(f, "{}/{unit}", (value * 100.0).round() / 100.0)
    }
}

/// What became of the phones of a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    /// Not told yet.
    pub waiting: usize,
    /// Told, and without an answer so far.
    pub asked: usize,
    /// Will come.
    pub accepted: usize,
    /// Will not.
    pub refused: usize,
    /// Did not answer, or could not be sent anything.
    pub silent: usize,
    /// Somebody has to restart them.
    pub restart: usize,
}

/// A run as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// True while somebody waits to be told or to answer.
    pub runs: bool,
    /// True if it was stopped before its end.
    pub stopped: bool,
    /// How fast.
    pub rate: Rate,
    /// How many became what.
    pub count: Count,
    /// Who has to be restarted, by MAC.
    pub restart: Vec<Mac>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Tell this phone.
    Phone(Mac),
    /// Ask again then.
    At(Instant),
    /// Nothing, until [`Recalls::begun`].
    Nothing,
}

/// The last run: one at a time, so that nobody restarts a fleet twice over. It holds as many phones as the list.
#[derive(Debug, Default)]
pub struct Recalls {
    run: Mutex<Option<Run>>,
    begun: Arc<Notify>,
}

#[derive(Debug)]
struct Run {
    rate: Rate,
    waiting: VecDeque<Mac>,
    /// Told, and not heard from.
    asked: BTreeSet<Mac>,
    restart: Vec<Mac>,
    count: Count,
    next: Instant,
    stopped: bool,
}

impl Run {
    fn is_under_way(&self) -> bool {
        let some = !self.waiting.is_empty() || !self.asked.is_empty();
        some && !self.stopped
    }

    fn standing(&self) -> Running {
        let (waiting, asked) = (self.waiting.len(), self.asked.len());
        let count = Count { waiting, asked, restart: self.restart.len(), ..self.count };
        let runs = waiting + asked > 0;
        let (rate, stopped, restart) = (self.rate, self.stopped, self.restart.clone());
        Running { runs, stopped, rate, count, restart }
    }
}

impl Recalls {
    fn lock(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run; false if another one still tells phones or waits to hear from them. One that was stopped is no
    /// reason to wait: what it still hears goes on record all the same.
    fn begin(&self, rate: Rate, phones: VecDeque<Mac>, restart: Vec<Mac>, now: Instant) -> bool {
        let mut run = self.lock();
        if run.as_ref().is_some_and(Run::is_under_way) {
            return false;
        }
        let (asked, count) = (BTreeSet::new(), Count::default());
        *run =
            Some(Run { rate, waiting: phones, asked, restart, count, next: now, stopped: false });
        drop(run);
        self.begun.notify_one();
        true
    }

    /// Leaves alone who was not told yet, and waits for no answer; false if no run is under way.
    pub fn stop(&self) -> bool {
        let mut run = self.lock();
        let Some(run) = run.as_mut().filter(|run| run.is_under_way()) else { return false };
        run.waiting.clear();
        run.stopped = true;
        true
    }

    /// The last run; `None` if there was none since the start.
    #[must_use]
    pub fn standing(&self) -> Option<Running> {
        self.lock().as_ref().map(Run::standing)
    }

    /// Waits until a run begins.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + use<> {
        let begun = Arc::clone(&self.begun);
        async move { begun.notified().await }
    }

    /// Whose turn it is. A phone that is handed out counts as told; [`Recalls::turned`] says otherwise.
    pub fn next(&self, now: Instant) -> Next {
        let mut run = self.lock();
        let Some(run) = run.as_mut().filter(|run| !run.waiting.is_empty()) else {
            return Next::Nothing;
        };
        if now < run.next {
            return Next::At(run.next);
        }
        // From now and not from when it was due: what was late is not made up for in a burst.
        run.next = now + run.rate.gap();
        match run.waiting.pop_front() {
            Some(phone) => {
                run.asked.insert(phone);
                Next::Phone(phone)
            }
            None => Next::Nothing,
        }
    }

    /// What came of telling the phone that was handed out.
    pub fn turned(&self, phone: Mac, called: &Called) {
        let mut run = self.lock();
        let Some(run) = run.as_mut() else { return };
        match called {
            Called::Asked { .. } => {}
            Called::Later => {
                run.asked.remove(&phone);
                if !run.stopped {
                    run.waiting.push_front(phone);
                }
            }
            Called::Restart(_) => {
                if run.asked.remove(&phone) {
                    run.restart.push(phone);
                }
            }
        }
    }

    /// Counts an answer, if it is to this run.
    pub(super) fn answered(&self, phone: Mac, reply: &Reply) {
        let mut run = self.lock();
        let Some(run) = run.as_mut() else { return };
        if !run.asked.remove(&phone) {
            return;
        }
        match reply {
            Reply::Accepted { .. } => run.count.accepted += 1,
            Reply::Refused { .. } => run.count.refused += 1,
            Reply::Silent | Reply::Unsent { .. } => run.count.silent += 1,
        }
    }
}

impl Service {
    /// Tells all these phones to come again, so many a second, and returns at once; `None` if another run is under way.
    /// Who can't be told is in it from the start.
    pub fn recall(&self, phones: Vec<Mac>, rate: Rate) -> Option<Running> {
        let (reached, restart): (Vec<_>, Vec<_>) =
            phones.into_iter().partition(|phone| self.order(*phone).is_ok());
        let begun = self.recalls.begin(rate, reached.into(), restart, Instant::now());
        begun.then(|| self.recalls.standing()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn rates() {
        let check = |text: &str, expected: Option<(&str, u64)>| {
            let rate = text.parse::<Rate>().ok();
            let shown = rate.map(|rate| (rate.to_string(), rate.gap().as_millis()));
            let expected = expected.map(|(text, millis)| (text.to_owned(), u128::from(millis)));
            assert_eq!(shown, expected, "{text}");
        };
        check("2", Some(("2/s", 500)));
        check(" 2 / s", Some(("2/s", 500)));
        check("0.5/s", Some(("30/min", 2000)));
        check("30/min", Some(("30/min", 2000)));
        check("10/h", Some(("10/h", 360_000)));
        check("50/s", Some(("50/s", 20)));
        for bad in ["", "x", "0", "-1", "51/s", "NaN", "inf", "2/day", "0.5/h", "1/0"] {
            check(bad, None);
        }
        assert_eq!(Rate::default().to_string(), "2/s");
    }

    fn mac(n: u8) -> Mac {
        Mac::new([0, 0x15, 0x65, 0, 0, n]).unwrap()
    }

    fn count(recalls: &Recalls) -> (usize, usize, usize, usize, usize, usize) {
        let Count { waiting, asked, accepted, refused, silent, restart } =
            recalls.standing().unwrap().count;
        (waiting, asked, accepted, refused, silent, restart)
    }

    #[test]
    fn one_phone_after_the_other() {
        let (recalls, start) = (Recalls::default(), Instant::now());
        let begin = |macs: &[u8]| {
            recalls.begin(Rate(2.0), macs.iter().map(|n| mac(*n)).collect(), vec![mac(9)], start)
        };
        assert_eq!(recalls.next(start), Next::Nothing);
        assert!(begin(&[1, 2, 3, 4]));
        assert!(!begin(&[5]), "one run at a time");
        let half = Duration::from_millis(500);
        assert_eq!(recalls.next(start), Next::Phone(mac(1)));
        assert_eq!(recalls.next(start), Next::At(start + half));
        // Late by ten seconds: still one at a time.
        let late = start + Duration::from_secs(10);
        assert_eq!(recalls.next(late), Next::Phone(mac(2)));
        assert_eq!(recalls.next(late), Next::At(late + half));
        assert_eq!(count(&recalls), (2, 2, 0, 0, 0, 1));
        recalls.answered(mac(1), &Reply::Accepted { code: 200 });
        recalls.answered(mac(1), &Reply::Accepted { code: 200 });
        recalls.answered(mac(7), &Reply::Silent);
        recalls.answered(mac(2), &Reply::Silent);
        assert_eq!(count(&recalls), (2, 0, 1, 0, 1, 1));
        // No room just now: it comes again; one that can't be told any more is somebody's to restart.
        assert_eq!(recalls.next(late + half), Next::Phone(mac(3)));
        recalls.turned(mac(3), &Called::Later);
        assert_eq!(recalls.next(late + half * 2), Next::Phone(mac(3)));
        recalls.turned(mac(3), &Called::Restart(super::super::Unreachable::NoAddress));
        assert_eq!(count(&recalls), (1, 0, 1, 0, 1, 2));
        assert!(recalls.stop() && !recalls.stop());
        assert_eq!(recalls.next(late + half * 9), Next::Nothing);
        let standing = recalls.standing().unwrap();
        assert!(standing.stopped && !standing.runs);
        assert_eq!(standing.restart, [mac(9), mac(3)]);
        assert!(begin(&[5]), "after the end another one may begin");
        let asked = Called::Asked { address: Ipv4Addr::LOCALHOST, event: "check-sync".to_owned() };
        recalls.turned(mac(5), &asked);
        assert_eq!(count(&recalls), (1, 0, 0, 0, 0, 1));
        // All are told, and one has not answered yet.
        assert_eq!(recalls.next(start), Next::Phone(mac(5)));
        assert!(!begin(&[5]), "an answer is still waited for");
        assert!(recalls.stop() && begin(&[5]), "unless the run was stopped");
        assert_eq!(recalls.next(start), Next::Phone(mac(5)));
        recalls.answered(mac(5), &Reply::Silent);
        assert!(begin(&[6]), "all have answered");
    }
}
