//! Which load a phone is told: the one that its site wants, once it has a place in the wave, else its own.
//!
//! Places are facts, so a restart changes nothing: whoever was told to take a load is told so again. A phone that does not
//! come back keeps its place, so that a bad load takes down no more phones than a wave has.

use std::cmp::Ordering;

use crate::{
    domain::{
        Batch, Change, Claim, FamilyName, Mac, Role, Timestamp, conclude,
        wave::{self, Kept, Offer, Place, Standing, Wish},
    },
    profile::{Age, Family, Releases, Spelling},
    store::{Phone, State},
};

use super::{
    Provisioner, Why, identify,
    layers::{self, Kind},
    loads::Layout,
    name,
    open::{Asker, Case},
};

mod crowd;
#[cfg(test)]
mod tests;

pub use crowd::{Crowd, Member};

/// What becomes of the load that a site wants, for one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Offered {
    /// What is told instead of it; empty: no load at all, so that the phone keeps its own. `None`: the site's.
    pub instead: Option<String>,
    /// Why the phone keeps its own.
    pub kept: Option<Kept>,
    /// The place that it needs first.
    pub seat: Option<Seat>,
    /// Its place, now that it is seen to run the load.
    pub there: Option<Box<Place>>,
}

/// A place in a wave that is to become fact before the file leaves that names the load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seat {
    phone: Mac,
    load: String,
    round: u32,
    wave: Option<usize>,
    canary: Option<usize>,
    /// Others who are there though it was not noted yet.
    there: Vec<Mac>,
    /// What the phone is told without it.
    pub(super) own: String,
}

impl Seat {
    /// Adds what this takes to a batch.
    pub(super) fn claim(&self, now: Timestamp, batch: &mut Batch) {
        let Self { phone, load, round, wave, canary, there, .. } = self.clone();
        let place = Place { load: load.clone(), since: now, round, done: None };
        batch.claims.push(Claim::Room { phone, load, wave, canary, there });
        batch.changes.push(Change::Placed(phone, Some(Box::new(place))));
    }
}

/// A phone and the load that its site wants.
#[derive(Clone, Copy, Debug)]
struct Ask<'a> {
    phone: Option<Mac>,
    releases: &'a Releases,
    wanted: &'a str,
    running: Option<&'a str>,
}

impl Provisioner {
    /// What becomes of the load that the site wants for whoever asks.
    pub(super) fn offered(&self, case: &Case<'_>, state: &State) -> Offered {
        let found = case.target.found;
        let shared = found.is_some_and(|it| it.family.releases.shared.contains(&it.file.name));
        let counts = match case.target.role {
            Role::Firmware => shared,
            Role::Trust => false,
            Role::Own | Role::Common | Role::Fallback | Role::Extra => true,
        };
        if !counts {
            return Offered::default();
        }
        let scene = self.scene(case, case.subject.entry.as_deref(), &[]);
        let site = identify::site(self.settings(), &case.site, case.subject.is_staged());
        let model = scene.model_name();
        let wanted = site.and_then(|site| layers::wanted(&scene, site, &model));
        let Some((wanted, ..)) = wanted else { return Offered::default() };
        let subject = &case.subject;
        let shown = subject.shown.firmware.as_deref().or(subject.learned.firmware.as_deref());
        let none = Releases::default();
        let releases = found.map_or(&none, |found| &found.family.releases);
        let ask = Ask { phone: subject.mac, releases, wanted, running: shown };
        self.decide(&ask, state, case.now)
    }

    fn decide(&self, ask: &Ask<'_>, state: &State, now: Timestamp) -> Offered {
        let rules = self.settings().firmware;
        let spelling = ask.releases.spelling;
        let place = ask.phone.and_then(|phone| state.places.get(&phone));
        let own = self.own(ask, place);
        let keep = |why: Kept| Offered {
            instead: Some(own.clone()),
            kept: Some(why),
            ..Offered::default()
        };
        let load = match self.step(ask) {
            Ok(None) => ask.wanted.to_owned(),
            Ok(Some(step)) => step,
            Err(why) => return keep(why),
        };
        let age = ask.running.map_or(Age::Unknown, |running| spelling.compare(&load, running));
        let boot = ask.phone.and_then(|phone| state.phones.get(&phone)).map(|phone| &phone.boot);
        let mine = place.filter(|place| place.load.eq_ignore_ascii_case(&load));
        let there = mine.zip(boot).filter(|(place, boot)| {
            place.done.is_none() && wave::standing(place, boot, runs(age), now) == Standing::Done
        });
        let there = there.map(|(place, _)| Box::new(Place { done: Some(now), ..place.clone() }));
        let limited = rules.wave.is_some() || rules.canary.is_some();
        let needs = limited && mine.is_none() && age != Age::Same;
        let (open, placed, others) =
            if needs { self.room(ask, &load, state, now) } else { Default::default() };
        let wish = Wish {
            load: &load,
            whole: self.is_whole(&load),
            runs: age == Age::Same,
            older: age == Age::Older,
            downgrade: rules.allow_downgrade,
            place,
            wave: rules.wave,
            canary: rules.canary.filter(|_| !state.brake.passed.contains(&load.to_lowercase())),
            brake: &state.brake,
            open,
            placed,
        };
        let instead = (load != ask.wanted).then(|| load.clone());
        match (wave::offer(&wish), ask.phone) {
            (Offer::Keep(why), _) => keep(why),
            (Offer::Load, _) => Offered { instead, there, ..Offered::default() },
            // Whoever has no name can have no place.
            (Offer::Place, None) => keep(Kept::Stranger),
            (Offer::Place, Some(phone)) => {
                let round = boot.map_or(1, |boot| boot.rounds.max(1));
                let (wave, canary) = (wish.wave, wish.canary);
                let seat = Seat { phone, load, round, wave, canary, there: others, own };
                Offered { instead, seat: Some(seat), ..Offered::default() }
            }
        }
    }

    /// What it takes to serve a file whose name all releases share: the phone's place, if it needs one.
    pub(super) fn seat(case: &Case<'_>) -> Result<Option<Seat>, Why> {
        let offered = &case.offered;
        if let (Role::Firmware, Some(kept)) = (case.target.role, offered.kept) {
            let why = kept.as_str().to_owned();
            return Err(Why::Waits { name: case.target.name.clone(), why });
        }
        let asks = matches!(case.asker, Asker::Peer);
        Ok(offered.seat.clone().filter(|_| asks))
    }

    /// True if nothing is wrong with a load that is here. One that is not may be elsewhere.
    fn is_whole(&self, load: &str) -> bool {
        let library = self.library();
        library.lacking(load).is_empty() && library.lacking(&format!("{load}.loads")).is_empty()
    }

    /// The name of the load that a phone runs, where that is certain; else empty.
    fn own(&self, ask: &Ask<'_>, place: Option<&Place>) -> String {
        let spelling = ask.releases.spelling;
        let agrees = |load: &str| {
            ask.running.is_none_or(|running| {
                matches!(spelling.compare(load, running), Age::Same | Age::Unknown)
            })
        };
        if let Some(place) = place.filter(|place| place.done.is_some() && agrees(&place.load)) {
            return place.load.clone();
        }
        let Some(running) = ask.running else { return String::new() };
        let same = |(name, _): &(String, Layout)| spelling.compare(name, running) == Age::Same;
        self.kin(ask).find(same).map_or_else(String::new, |(name, _)| name)
    }

    /// Whole loads that are here for the same phones as the wanted one, by the names that a site calls them.
    fn kin<'a>(&'a self, ask: &Ask<'a>) -> impl Iterator<Item = (String, Layout)> + 'a {
        let spelling = ask.releases.spelling;
        let wanted = spelling.read(ask.wanted);
        let loads = self.library().loads().iter().filter(|load| load.is_whole());
        loads.filter_map(move |load| {
            // Of a single file with nothing but a version, nobody knows whose it is.
            let certain = spelling != Spelling::Plain
                || matches!(load.layout, Layout::Split | Layout::Combined);
            let name = match load.layout {
                Layout::List => name::base(load.name.strip_suffix(".loads").unwrap_or(&load.name)),
                _ => &load.name,
            };
            let version = spelling.read(name)?;
            let kin = certain && wanted.as_ref().is_some_and(|wanted| wanted.of == version.of);
            kin.then(|| (name.to_owned(), load.layout))
        })
    }

    /// The load in between that the phone needs first: the newest that is here.
    fn step(&self, ask: &Ask<'_>) -> Result<Option<String>, Kept> {
        let Some(running) = ask.running else { return Ok(None) };
        let spelling = ask.releases.spelling;
        let is = |one: &str, age: Age, other: &str| spelling.compare(one, other) == age;
        let needed = ask.releases.steps.iter().find(|step| {
            is(running, Age::Older, &step.below) && !is(ask.wanted, Age::Older, &step.before)
        });
        let Some(step) = needed else { return Ok(None) };
        let between = self.kin(ask).map(|(name, _)| name).filter(|name| {
            !is(name, Age::Older, &step.below) && is(name, Age::Older, &step.before)
        });
        let newest = between.max_by(|one, other| match spelling.compare(one, other) {
            Age::Older => Ordering::Less,
            Age::Newer => Ordering::Greater,
            Age::Same | Age::Unknown => Ordering::Equal,
        });
        newest.map(Some).ok_or(Kept::Step)
    }

    /// How many others are under way, how many have or had a place for this load, and who is there unnoted.
    fn room(
        &self,
        ask: &Ask<'_>,
        load: &str,
        state: &State,
        now: Timestamp,
    ) -> (usize, usize, Vec<Mac>) {
        let others = state.places.iter().filter(|(mac, _)| ask.phone != Some(**mac));
        let (mut open, mut placed, mut there) = (0, 0, Vec::new());
        for (mac, place) in others {
            placed += usize::from(place.load.eq_ignore_ascii_case(load));
            if place.done.is_some() {
                continue;
            }
            let phone = state.phones.get(mac);
            let standing = phone.map(|phone| self.stands(place, phone, now));
            if standing == Some(Standing::Done) {
                there.push(*mac);
            } else {
                open += 1;
            }
        }
        (open, placed, there)
    }

    /// How a phone stands to the load of its place.
    fn stands(&self, place: &Place, phone: &Phone, now: Timestamp) -> Standing {
        let identity = conclude(&phone.grounds);
        let listed = phone.entry.as_ref().and_then(|entry| self.catalog().model(&entry.model));
        let family = self.family(identity.family.as_ref()).or(listed.map(|(family, _)| family));
        let spelling = family.map_or(Spelling::default(), |family| family.releases.spelling);
        let running = identity.firmware.as_deref();
        let age = running.map_or(Age::Unknown, |running| spelling.compare(&place.load, running));
        wave::standing(place, &phone.boot, runs(age), now)
    }

    fn family(&self, name: Option<&FamilyName>) -> Option<&Family> {
        name.and_then(|name| self.catalog().family(name.as_str()))
    }

    /// The load that the site of a listed phone wants for it, and what its family says of releases.
    fn wanted_of(
        &self,
        mac: Mac,
        phone: &Phone,
        state: &State,
    ) -> Option<(String, Option<&Family>)> {
        let entry = phone.entry.as_deref()?;
        let identity = conclude(&phone.grounds);
        let listed = self.catalog().model(&entry.model).map(|(family, _)| family);
        let family = self.family(identity.family.as_ref()).or(listed);
        let address = phone.boot.address.unwrap_or(std::net::Ipv4Addr::LOCALHOST);
        let name = self.site_of(Some(entry), address.into());
        let staged = matches!(identify::staging(state, Some(mac)), Some((_, false)));
        let site = identify::site(self.settings(), &name, staged)?;
        let model = if entry.model.is_empty() { identity.model.as_deref()? } else { &entry.model };
        let kind = Kind { catalog: self.catalog(), family };
        let (load, ..) = kind.load(&site.firmware, model)?;
        Some((load.to_owned(), family))
    }
}

/// Whether a phone runs a load, by how the load stands to what it shows; `None` where that tells nothing.
const fn runs(age: Age) -> Option<bool> {
    match age {
        Age::Same => Some(true),
        Age::Older | Age::Newer => Some(false),
        Age::Unknown => None,
    }
}
