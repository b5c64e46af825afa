//! All phones with a load to take: who waits, who is on the way, who is there, and when the last one will be.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    domain::{
        Mac, Timestamp, conclude,
        wave::{Place, Standing},
    },
    profile::{Age, Spelling},
    store::{Phone, State},
};

use super::super::Provisioner;

/// Phones that are named for one standing; the rest is a number.
const NAMED: usize = 20;

/// The phones that are to run one load.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Crowd {
    /// How many there are, and who: 20 each at most.
    pub by: BTreeMap<Standing, Member>,
    /// How long those that are there took, as far as it was noted.
    took: Vec<Duration>,
}

/// Phones that stand alike.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Member {
    /// How many.
    pub count: usize,
    /// Some of them.
    pub phones: Vec<Mac>,
}

impl Crowd {
    /// How many stand so.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.by.get(&standing).map_or(0, |member| member.count)
    }

    fn add(&mut self, mac: Mac, standing: Standing, place: Option<&Place>) {
        let member = self.by.entry(standing).or_default();
        member.count += 1;
        if member.phones.len() < NAMED {
            member.phones.push(mac);
        }
        let done = place.and_then(|place| Some((place.since, place.done?)));
        let took =
            done.and_then(|(since, done)| Duration::try_from(done.duration_since(since)).ok());
        self.took.extend(took);
    }

    /// When the last phone will be there, if all take as long as the median of those that are, `wave` at a time. `None`
    /// before the first is, and where nobody is left.
    #[must_use]
    pub fn forecast(&self, wave: Option<usize>, now: Timestamp) -> Option<Timestamp> {
        let (waiting, under_way) = (self.count(Standing::Waiting), self.count(Standing::UnderWay));
        let mut took = self.took.clone();
        took.sort_unstable();
        let median = *took.get(took.len().saturating_sub(1) / 2)?;
        if waiting + under_way == 0 {
            return None;
        }
        let wave = wave.unwrap_or(waiting).max(1);
        let rounds = waiting.div_ceil(wave) + usize::from(under_way > 0);
        let wait = median.checked_mul(u32::try_from(rounds).ok()?)?;
        now.checked_add(jiff::SignedDuration::try_from(wait).ok()?).ok()
    }
}

impl Provisioner {
    /// Adds a phone to the crowd of the load that its site wants; nothing for a phone whose site wants none.
    pub fn gather(
        &self,
        crowds: &mut BTreeMap<String, Crowd>,
        (mac, phone): (Mac, &Phone),
        state: &State,
        now: Timestamp,
    ) {
        let Some((load, family)) = self.wanted_of(mac, phone, state) else { return };
        let spelling = family.map_or(Spelling::default(), |family| family.releases.spelling);
        // On a step in between it is on its way all the same.
        let place = state.places.get(&mac);
        let mine =
            place.filter(|place| place.load.eq_ignore_ascii_case(&load) || place.done.is_none());
        let running = conclude(&phone.grounds).firmware;
        let there = running.is_some_and(|running| spelling.compare(&load, &running) == Age::Same);
        let standing = match mine {
            _ if there => Standing::Done,
            Some(place) => match self.stands(place, phone, now) {
                Standing::Done if !place.load.eq_ignore_ascii_case(&load) => Standing::Waiting,
                standing => standing,
            },
            None => Standing::Waiting,
        };
        crowds.entry(load).or_default().add(mac, standing, mine);
    }

    /// Phones that were told to take this load and don't get there.
    #[must_use]
    pub fn failed(&self, load: &str, state: &State, now: Timestamp) -> Vec<Mac> {
        let is_its = |place: &Place| place.load.eq_ignore_ascii_case(load) && place.done.is_none();
        let places = state.places.iter().filter(|(_, place)| is_its(place));
        let failed = places.filter(|(mac, place)| {
            let phone = state.phones.get(mac);
            phone.is_none_or(|phone| self.stands(place, phone, now) == Standing::Failed)
        });
        failed.map(|(mac, _)| *mac).collect()
    }
}
