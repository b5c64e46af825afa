//! Waves: who may have a new load now, who waits, and who is there. Pure.

use std::{collections::BTreeSet, time::Duration};

use super::{Boot, Role, Timestamp};

/// A phone that took no firmware for this long after its configuration named the load runs it already.
const HAD_IT: Duration = Duration::from_mins(5);

/// A phone that is not back after this long does not come by itself.
const GIVEN_UP: Duration = Duration::from_hours(1);

/// A phone's place in a wave: from the moment at which its configuration named the load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The load.
    pub load: String,
    /// Since when.
    pub since: Timestamp,
    /// The number of the round of its boot in which it was named first.
    pub round: u32,
    /// When it was seen to run it.
    pub done: Option<Timestamp>,
}

/// What operators said of the waves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Brake {
    /// Nobody else gets a place.
    pub paused: bool,
    /// Loads that go beyond their canary; [`Brake::MAX_PASSED`] at most.
    pub passed: BTreeSet<String>,
}

impl Brake {
    /// The most loads that are remembered as let go; the first ones in order of the alphabet are forgotten.
    pub const MAX_PASSED: usize = 256;
}

/// How a phone stands to the load that it is to run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// It has no place yet.
    Waiting,
    /// It was told to take it, and is not back.
    UnderWay,
    /// It runs it.
    Done,
    /// It was told to take it and does not get there.
    Failed,
}

impl Standing {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::UnderWay => "under-way",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// How a phone with a place stands. `runs`: whether it shows that it runs this load; `None` where it does not show.
///
/// A phone that does not say what it runs is there once it took the load and came back for its configuration, or once it
/// left the load alone.
#[must_use]
pub fn standing(place: &Place, boot: &Boot, runs: Option<bool>, now: Timestamp) -> Standing {
    if place.done.is_some() || runs == Some(true) {
        return Standing::Done;
    }
    let since = |then: Timestamp| Duration::try_from(now.duration_since(then)).unwrap_or_default();
    let mut fetched = boot
        .transfers
        .iter()
        .filter(|one| one.role == Role::Firmware && one.at >= place.since && !one.normal);
    let refused = fetched.clone().any(|one| one.refused.is_some());
    let took = boot.loads.iter().filter(|load| load.at >= place.since);
    if refused || took.clone().any(|load| load.times > 1) {
        return Standing::Failed;
    }
    let last = took.map(|load| load.round).max();
    let back = last.is_some_and(|round| boot.rounds > round && boot.had >= boot.round);
    if runs.is_none() && back && boot.upgrade.is_none() {
        return Standing::Done;
    }
    let told = boot.had >= place.since;
    let idle = fetched.next().is_none() && boot.upgrade.is_none();
    if runs.is_none() && told && idle && since(boot.had) >= HAD_IT {
        return Standing::Done;
    }
    let moved = boot.upgrade.as_ref().map_or(place.since, |upgrade| upgrade.moved);
    if since(place.since.max(moved)) >= GIVEN_UP { Standing::Failed } else { Standing::UnderWay }
}

/// What there is to decide about one phone and the load that its site wants.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Wish<'a> {
    /// The load.
    pub load: &'a str,
    /// True if nothing of it is missing.
    pub whole: bool,
    /// True if the phone shows that it runs it.
    pub runs: bool,
    /// True if it is older than what the phone shows that it runs.
    pub older: bool,
    /// True if older ones are allowed.
    pub downgrade: bool,
    /// The phone's place, for whichever load.
    pub place: Option<&'a Place>,
    /// How many phones at a time; `None`: all.
    pub wave: Option<usize>,
    /// How many phones before an operator is asked; `None`: nobody is asked.
    pub canary: Option<usize>,
    /// What operators said.
    pub brake: &'a Brake,
    /// How many phones have a place and are not there.
    pub open: usize,
    /// How many phones have or had a place for this load.
    pub placed: usize,
}

/// Why a phone keeps what it runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// Something of the load is missing.
    Incomplete,
    /// It runs something newer.
    Newer,
    /// A step in between is missing here.
    Step,
    /// An operator paused the waves.
    Paused,
    /// The canary is out.
    Canary,
    /// The wave is full.
    Full,
    /// Nobody knows which phone asks.
    Stranger,
}

impl Kept {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "the load is not whole",
            Self::Newer => "the phone runs a newer one",
            Self::Step => "the phone needs a load in between, which is not here",
            Self::Paused => "the waves are paused",
            Self::Canary => "the first phones are to show that it is good",
            Self::Full => "the wave is full",
            Self::Stranger => "nobody knows which phone asks",
        }
    }
}

/// What a phone is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offer {
    /// The load.
    Load,
    /// The load, once it has a place.
    Place,
    /// Its own.
    Keep(Kept),
}

/// Decides.
#[must_use]
pub fn offer(wish: &Wish<'_>) -> Offer {
    if !wish.whole {
        return Offer::Keep(Kept::Incomplete);
    }
    if wish.runs {
        return Offer::Load;
    }
    if wish.older && !wish.downgrade {
        return Offer::Keep(Kept::Newer);
    }
    // Who was told once is told again: half way is the worst place to stop at.
    let mine = wish.place.is_some_and(|place| place.load.eq_ignore_ascii_case(wish.load));
    if mine || (wish.wave.is_none() && wish.canary.is_none()) {
        return Offer::Load;
    }
    if wish.brake.paused {
        return Offer::Keep(Kept::Paused);
    }
    let out = wish.canary.is_some_and(|canary| wish.placed >= canary);
    if out && !wish.brake.passed.contains(&wish.load.to_lowercase()) {
        return Offer::Keep(Kept::Canary);
    }
    if wish.wave.is_some_and(|wave| wish.open >= wave) {
        return Offer::Keep(Kept::Full);
    }
    Offer::Place
}

#[cfg(test)]
mod tests;
