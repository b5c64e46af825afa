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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many wait, are under way and are there (each with the minutes that it took), how many go at a time, and in how
    /// many minutes the last one is there.
    #[test]
    fn when_the_last_one_will_be_there() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap();
        let check = |(waiting, under_way): (u8, u8), took: &[i64], wave, expected: Option<i64>| {
            let mut crowd = Crowd::default();
            let mac = |n: u8| Mac::new([0, 0x15, 0x65, 0, 0, n]).unwrap();
            for n in 0..waiting {
                crowd.add(mac(n), Standing::Waiting, None);
            }
            for n in 0..under_way {
                crowd.add(mac(n), Standing::UnderWay, None);
            }
            for minutes in took {
                let place = Place {
                    load: "a".to_owned(),
                    since: at(-minutes),
                    round: 1,
                    done: Some(at(0)),
                };
                crowd.add(mac(99), Standing::Done, Some(&place));
            }
            crowd.add(mac(98), Standing::Failed, None);
            let told = crowd.forecast(wave, at(0));
            assert_eq!(told, expected.map(at), "{waiting} {under_way} {took:?} {wave:?}");
        };
        check((5, 0), &[], Some(2), None);
        check((0, 0), &[10], Some(2), None);
        // Three waves of two, after those who are under way.
        check((5, 0), &[10], Some(2), Some(30));
        check((5, 2), &[10], Some(2), Some(40));
        check((0, 2), &[10], Some(2), Some(10));
        // All at once, and none at a time is one at a time.
        check((5, 0), &[10], None, Some(10));
        check((2, 0), &[10], Some(0), Some(20));
        // The median: one that took all night does not count.
        check((1, 0), &[8, 10, 600], Some(1), Some(10));
        check((1, 0), &[8, 600], Some(1), Some(8));
    }
}
