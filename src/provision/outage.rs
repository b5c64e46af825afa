//! Who is not back: which phones were ready before a moment and are missing now. A function of facts and the time.
//!
//! The moment is the last mass reboot unless somebody names another: many phones of one site that had their
//! configuration and started over within minutes, as after a power cut.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    time::Duration,
};

use crate::{
    config::ReadyWhen,
    domain::{Arrival, Mac, Stage, Timestamp, was_configured},
    store::{Phone, State},
};

use super::{Provisioner, plug};

/// Restarts within this time belong together.
const TOGETHER: Duration = Duration::from_mins(10);

/// A tenth of a site's phones are a mass, but never fewer than the first of these, and always the second: a switch.
const MASS: (usize, usize) = (5, 24);

/// Sites whose last mass reboot lies this close before the last of all went through the same.
const SAME: Duration = Duration::from_hours(1);

/// Who was last heard of longer than this before the moment was gone already.
const GONE: Duration = Duration::from_hours(7 * 24);

/// What became of a phone that was ready before the moment.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Return {
    /// Nothing was heard since, though its site or its switch restarted; or its lease or registration is over.
    Missing,
    /// It was heard since and is not there yet.
    Coming,
    /// Nothing was heard since, and nothing says that it is gone. Only where somebody asks about a moment of his own.
    Unheard,
    /// It was heard since and has what its site asks for.
    Back,
}

impl Return {
    /// The name in JSON and filters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Coming => "on-its-way",
            Self::Unheard => "unheard",
            Self::Back => "back",
        }
    }
}

/// What of a phone counts here. Small: it is taken of every phone at once.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Which phone.
    pub mac: Mac,
    /// Its site.
    pub site: String,
    /// The switch that it was last seen on; empty if none told.
    pub switch: String,
    /// When its last rounds began.
    pub starts: Vec<Timestamp>,
    /// Its last arrivals.
    pub arrivals: Vec<Arrival>,
    /// When it was last heard of.
    pub heard: Timestamp,
    /// It has what its site asks for.
    pub arrived: bool,
    /// Its lease or its registration is over.
    pub away: bool,
}

/// How many phones, by what became of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Ready before the moment.
    pub expected: usize,
    /// Back.
    pub back: usize,
    /// On their way.
    pub coming: usize,
    /// Missing.
    pub missing: usize,
    /// Not heard of since, and nothing says that they are gone.
    pub unheard: usize,
}

/// Who is not back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outage {
    /// Before which moment they were ready; `None` if there was no mass reboot.
    pub since: Option<Timestamp>,
    /// All together.
    pub counts: Counts,
    /// By site and switch; the switch is empty where none told.
    pub groups: BTreeMap<(String, String), Counts>,
    /// Those that are not back, by MAC.
    pub phones: BTreeMap<Mac, Return>,
}

impl Sight {
    /// What of a phone counts; `None` for one that is not listed or never had its configuration.
    #[must_use]
    pub fn of(
        provisioner: &Provisioner,
        mac: Mac,
        phone: &Phone,
        state: &State,
        now: Timestamp,
    ) -> Option<Self> {
        let (entry, boot) = (phone.entry.as_deref()?, &phone.boot);
        if boot.arrivals.is_empty() {
            return None;
        }
        let address = boot.address.map_or([0; 4].into(), std::net::IpAddr::from);
        let site = provisioner.site_of(Some(entry), address);
        let ready_when = provisioner.settings().sites.get(&site).map(|site| site.ready_when);
        let goal = match ready_when.unwrap_or(ReadyWhen::Configured) {
            ReadyWhen::Configured => Stage::Configured,
            ReadyWhen::Registered => Stage::Registered,
        };
        let lease = boot.address.and_then(|address| state.leases.get(&address));
        let over = lease.is_some_and(|lease| lease.mac == mac && !lease.is_active(now));
        Some(Self {
            mac,
            site,
            switch: plug::plug(&phone.grounds).map(|plug| plug.switch).unwrap_or_default(),
            starts: boot.starts.clone(),
            arrivals: boot.arrivals.clone(),
            heard: boot.last_at,
            arrived: boot.risen >= goal && boot.upgrade.is_none(),
            away: over || boot.lapsed().is_some(),
        })
    }

    fn restarted(&self, since: Timestamp) -> bool {
        self.starts.iter().any(|start| *start >= since)
    }

    fn was_ready(&self, moment: Timestamp) -> bool {
        was_configured(&self.arrivals, &self.starts, moment)
    }
}

impl Counts {
    fn add(&mut self, one: Return) {
        self.expected += 1;
        *match one {
            Return::Missing => &mut self.missing,
            Return::Coming => &mut self.coming,
            Return::Unheard => &mut self.unheard,
            Return::Back => &mut self.back,
        } += 1;
    }
}

/// Tells who is not back since `asked`, or since the last mass reboot.
#[must_use]
pub fn outage(sights: &[Sight], asked: Option<Timestamp>) -> Outage {
    let reboots = mass_reboots(sights);
    let latest = reboots.values().max().copied();
    let Some(since) = asked.or(latest) else { return Outage::default() };
    let near = since.checked_sub(signed(SAME)).unwrap_or(since);
    // With a moment of somebody's choice everybody counts; after a mass reboot the sites that went through it.
    let moment = |site: &str| match asked {
        Some(asked) => Some(asked),
        None => reboots.get(site).copied().filter(|at| *at >= near),
    };
    let signs = signs(sights, &moment);
    let mut outage = Outage { since: Some(since), ..Outage::default() };
    for (sight, at) in expected(sights, &moment) {
        let group = (sight.site.as_str(), sight.switch.as_str());
        let of = |group| signs.get(&group).copied().unwrap_or_default();
        let (site, switch) = (of((group.0, "")), of(group));
        let dark = (site.lost_power() || switch.lost_power()) && !switch.kept_power();
        let restarted = sight.restarted(at);
        let one = match sight.heard >= at {
            _ if sight.away => Return::Missing,
            // Whoever did not restart went through nothing, unless somebody asks about everybody.
            true if asked.is_none() && !restarted => continue,
            true if sight.arrived => Return::Back,
            true => Return::Coming,
            false if dark => Return::Missing,
            false if asked.is_none() => continue,
            false => Return::Unheard,
        };
        outage.counts.add(one);
        outage.groups.entry((sight.site.clone(), sight.switch.clone())).or_default().add(one);
        if one != Return::Back {
            outage.phones.insert(sight.mac, one);
        }
    }
    outage
}

/// Phones that were ready before the moment of their site, with that moment.
fn expected<'a>(
    sights: &'a [Sight],
    moment: &'a dyn Fn(&str) -> Option<Timestamp>,
) -> impl Iterator<Item = (&'a Sight, Timestamp)> {
    sights.iter().filter_map(|sight| {
        let at = moment(&sight.site)?;
        let gone = at.checked_sub(signed(GONE)).unwrap_or(Timestamp::MIN);
        (sight.heard >= gone && sight.was_ready(at)).then_some((sight, at))
    })
}

/// What the phones of a site or of a switch show together.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    expected: usize,
    restarted: usize,
    /// Heard since, without a restart.
    stood: usize,
    /// True for a switch, false for a site or for phones of which no switch told.
    switch: bool,
}

impl Signs {
    /// Half of them restarted: so those that are silent did not come up.
    const fn lost_power(self) -> bool {
        self.restarted > 0 && self.restarted * 2 >= self.expected
    }

    /// Somebody on this switch was heard without a restart, and nobody restarted: its silent phones may just be silent.
    const fn kept_power(self) -> bool {
        self.switch && self.restarted == 0 && self.stood > 0
    }
}

/// Signs by site (with an empty switch) and by switch.
fn signs<'a>(
    sights: &'a [Sight],
    moment: &'a dyn Fn(&str) -> Option<Timestamp>,
) -> HashMap<(&'a str, &'a str), Signs> {
    let mut signs = HashMap::<_, Signs>::new();
    for (sight, at) in expected(sights, moment) {
        let restarted = sight.restarted(at);
        let switch = Some(sight.switch.as_str()).filter(|switch| !switch.is_empty());
        for name in [Some(""), switch].into_iter().flatten() {
            let group = signs.entry((sight.site.as_str(), name)).or_default();
            group.switch = !name.is_empty();
            group.expected += 1;
            group.restarted += usize::from(restarted);
            group.stood += usize::from(!restarted && sight.heard >= at);
        }
    }
    signs
}

/// When which phone started over.
type Restart = (Timestamp, Mac);

/// When each site last had a mass reboot.
fn mass_reboots(sights: &[Sight]) -> HashMap<&str, Timestamp> {
    let mut sites: HashMap<&str, (usize, Vec<Restart>)> = HashMap::new();
    for sight in sights {
        let (phones, restarts) = sites.entry(&sight.site).or_default();
        *phones += 1;
        let starts = sight.starts.iter().filter(|start| sight.was_ready(**start));
        restarts.extend(starts.map(|start| (*start, sight.mac)));
    }
    let last = |(site, (phones, mut restarts)): (_, (usize, Vec<_>))| {
        restarts.sort_unstable();
        Some((site, last_mass(&restarts, (phones / 10).clamp(MASS.0, MASS.1))?))
    };
    sites.into_iter().filter_map(last).collect()
}

/// The beginning of the last run of restarts that are at least `enough` phones within [`TOGETHER`].
fn last_mass(restarts: &[Restart], enough: usize) -> Option<Timestamp> {
    let (mut first, mut within) = (0, HashMap::<Mac, usize>::new());
    let (mut last, mut running) = (None, false);
    for (at, mac) in restarts {
        *within.entry(*mac).or_default() += 1;
        while at.duration_since(restarts[first].0) > signed(TOGETHER) {
            let gone = restarts[first].1;
            if let Entry::Occupied(mut times) = within.entry(gone) {
                *times.get_mut() -= 1;
                if *times.get() == 0 {
                    times.remove();
                }
            }
            first += 1;
        }
        let mass = within.len() >= enough;
        if mass && !running {
            last = Some(restarts[first].0);
        }
        running = mass;
    }
    last
}

fn signed(duration: Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}

#[cfg(test)]
mod tests;
