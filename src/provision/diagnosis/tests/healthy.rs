//! Healthy boots of every family, made from what its profile says a healthy boot is: nobody has anything to say.

use std::collections::BTreeSet;

use crate::{
    config::Protocol,
    domain::{Change, Outcome, Role},
    profile::{Family, FileRule, Model, Seen, Speaks},
    provision::{
        resolve::spoken,
        tests::{catalog, listed, settings},
    },
};

use super::Told;

/// Octets of a file, and what a phone reads of one that it has already.
const WHOLE: (u64, u64) = (4096, 4096);
const HEAD: (u64, u64) = (512, 4096);

/// One boot after another, with a look at each step.
struct Healthy<'a> {
    told: Told<'a>,
    model: Option<&'a Model>,
    second: i64,
    /// Rounds so far: own files are whole in the first and may be broken off later.
    rounds: u32,
}

impl Healthy<'_> {
    /// Some time passes; still nobody has anything to say.
    fn look(&mut self, seconds: i64) {
        self.second += seconds;
        let report = self.told.report(self.second);
        let quiet = report.diagnosis.is_none() && report.findings.is_empty();
        let calm = !report.stuck && !report.looping && !report.away;
        let last = self.told.events.last().map(|event| event.what.to_string());
        let (family, model) = (&self.told.family.name, self.model.map(|model| &model.name));
        assert!(quiet && calm, "{family} {model:?} at {}, {last:?}: {report:?}", self.second);
    }

    /// It looks for an address and reads its files in order, normal misses and all.
    fn round(&mut self, upgrade: bool) {
        let second = self.second;
        self.told.line(&format!("{second} discover"));
        self.look(1);
        self.told.line(&format!("{} lease 10.20.0.51", self.second));
        self.look(1);
        let (family, speaks) = (self.told.family, Some(self.told.speaks));
        let mut had: Vec<&str> = Vec::new();
        for rule in family.files.iter().filter(|rule| rule.read_by(speaks)) {
            let instead = !rule.either.is_empty() && had.contains(&rule.either.as_str());
            let name = rule.expand(self.told.mac, self.model);
            let Some(name) = name.filter(|_| self.asks(rule) && !instead) else { continue };
            if self.read(rule, &name) {
                had.push(&rule.either);
            }
        }
        self.rounds += 1;
        if upgrade {
            self.upgrade();
        }
    }

    /// True for a file that phones of this model ask for.
    fn asks(&self, rule: &FileRule) -> bool {
        let of_model = rule.model.as_ref() == self.model.map(|it| &it.name);
        let called = |series: &String| {
            let mut names = self.model.iter().flat_map(|it| it.aliases.iter().chain([&it.name]));
            names.any(|name| name.starts_with(series.as_str()))
        };
        (rule.model.is_none() || of_model) && rule.series.as_ref().is_none_or(called)
    }

    /// What a healthy phone does about one file; true if it has it.
    fn read(&mut self, rule: &FileRule, name: &str) -> bool {
        let stops = self.rounds > 0 && rule.normal.abort;
        let whole = match rule.role {
            Role::Own if rule.required => true,
            Role::Common => rule.template.is_some() && rule.needs.is_empty(),
            // Where nothing is newer: many look into their load at every boot.
            Role::Firmware if rule.normal.abort => {
                let aborted = Outcome::Aborted { text: String::new() };
                self.told.file(self.second, name, HEAD, aborted);
                self.look(1);
                return false;
            }
            Role::Own | Role::Fallback | Role::Trust | Role::Firmware | Role::Extra => false,
        };
        if whole && stops {
            let aborted = Outcome::Aborted { text: String::new() };
            self.told.file(self.second, name, HEAD, aborted);
        } else if whole {
            self.told.file(self.second, name, WHOLE, Outcome::Complete);
        } else if rule.normal.miss {
            self.told.miss(self.second, name);
        } else {
            return false;
        }
        self.look(1);
        whole
    }

    /// It takes a load that is newer, whole, and writes it.
    fn upgrade(&mut self) {
        let is_load = |rule: &&FileRule| rule.role == Role::Firmware && rule.template.is_none();
        let read = |rule: &&FileRule| rule.read_by(Some(self.told.speaks));
        let name = |rule: &FileRule| {
            let load = self.model.and_then(|model| model.load.as_deref()).unwrap_or("1");
            let name = rule.expand(self.told.mac, self.model);
            let name = name.unwrap_or_else(|| rule.name.clone());
            let name = name.replace("{load}", load).replace("{any}", "x");
            (!name.contains('{')).then_some(name)
        };
        let rules = self.told.family.files.iter().filter(is_load).filter(read);
        let names: Vec<String> =
            rules.filter(|rule| self.asks(rule)).filter_map(name).take(2).collect();
        for name in names {
            self.told.line(&format!("{} begin {name} 0/900000", self.second));
            self.look(20);
            self.told.line(&format!("{} progress {name} 500000/900000", self.second));
            self.look(20);
            self.told.file(self.second, &name, (900_000, 900_000), Outcome::Complete);
            self.look(1);
        }
        // It writes its flash for minutes.
        self.look(100);
        self.look(100);
    }
}

/// Models of which a family's profile says different things.
fn groups(family: &Family) -> Vec<Option<&Model>> {
    let mut seen = BTreeSet::new();
    let one_each = |model: &&Model| seen.insert((model.load.clone(), model.part.is_some()));
    let models: Vec<_> = family.models.values().filter(one_each).map(Some).collect();
    if models.is_empty() { vec![None] } else { models }
}

fn boots(family: &Family, model: Option<&Model>, site: Speaks) {
    let catalog = catalog();
    let mut settings = settings();
    let paris = settings.sites.get_mut("paris").unwrap();
    paris.protocol = if site == Speaks::Sccp { Protocol::Sccp } else { Protocol::Sip };
    let first = family.blocks.first().map_or(0x001e_7a00_0000, crate::profile::Block::first);
    let mac = format!("{:012x}", first | 1);
    let mut told = Told::new(&catalog, settings, family.name.as_str(), &mac);
    told.speaks = spoken(family, site);
    let Change::Listed(phone, mut entry) = listed(&mac, "", "4012") else { return };
    entry.site = Some("paris".to_owned());
    entry.model = model.map_or_else(String::new, |model| model.name.clone());
    told.beside.push(Change::Listed(phone, entry));
    let required = family.files.iter().any(|rule| rule.required && rule.read_by(Some(told.speaks)));
    let mut healthy = Healthy { told, model, second: 0, rounds: 0 };
    healthy.round(false);
    shown(&mut healthy);
    healthy.look(1);
    healthy.second += 20;
    healthy.round(true);
    healthy.second += 60;
    healthy.round(false);
    healthy.round(false);
    healthy.look(61);
    let report = healthy.told.report(healthy.second);
    assert_eq!(report.ready, required, "{} {model:?}: {report:?}", family.name);
}

/// What the names that it asked for showed.
fn shown(healthy: &mut Healthy<'_>) {
    let told = &mut healthy.told;
    let name = |change: &crate::domain::Event| match &change.what {
        crate::domain::What::Refused { asked, .. } | crate::domain::What::Opened { asked, .. } => {
            Some(asked.name.clone())
        }
        _ => None,
    };
    let names: Vec<String> = told.events.iter().filter_map(name).collect();
    let grounds = names.iter().filter_map(|name| {
        let ground = told.catalog.recognize(&Seen::FileName(name), told.events[0].at)?;
        // As the record keeps it: a name that tells less does not replace one that tells more.
        ground.model.is_some().then_some(ground)
    });
    let grounds: Vec<_> = grounds.map(|ground| Change::Showed(told.mac, ground)).collect();
    told.beside.extend(grounds);
}

#[test]
fn every_family_boots_without_a_word() {
    let catalog = catalog();
    let mut families = 0;
    for family in catalog.families().filter(|family| family.provisions) {
        families += 1;
        let protocols: BTreeSet<_> = [Speaks::Sip, Speaks::Sccp]
            .into_iter()
            .map(|site| spoken(family, site) == Speaks::Sccp)
            .collect();
        for sccp in protocols {
            let site = if sccp { Speaks::Sccp } else { Speaks::Sip };
            for model in groups(family) {
                boots(family, model, site);
            }
        }
    }
    assert!(families >= 31, "{families}");
}
