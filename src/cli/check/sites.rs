//! Sites against the families and the inventory: what only shows once settings, profiles and entries are together.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use serde_json::Value;

use crate::{
    config::{Settings, Site, Srtp},
    domain::{Change, Commit, Entry, Line, Mac, Problem, Secret, Timestamp},
    profile::{Catalog, Family, Speaks},
    provision::{Library, Provisioner, Why},
    store::{State, View},
};

use super::super::output::{list, text};

/// A phone that nobody has: these addresses are for documentation (RFC 7042 §2.1.2).
const NOBODYS: [u8; 6] = [0x00, 0x00, 0x5e, 0x00, 0x53, 0x01];

/// What sites say to families: values that undo the site's SRTP, and values that a family's file can't take.
pub(super) fn extras(settings: &Settings, catalog: &Arc<Catalog>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, site) in &settings.sites {
        for (table, values) in &site.extra {
            // What a site inherits is told where it stands.
            let own = |key: &String| {
                let by = site.set_by.get(&format!("extra.{table}.{key}"));
                by.is_none_or(|by| by == name)
            };
            for (key, value) in values.iter().filter(|(key, _)| own(key)) {
                let spot = site.places.of(&format!("extra.{table}.{key}")).unwrap_or_default();
                if let Some(help) = undoes(site, &families(catalog, table), key, value) {
                    let text = format!(
                        "`{key}` = \"{value}\" turns SRTP off again, which [site.{name}] has on"
                    );
                    problems.push(at(spot, text).help(help));
                } else if let Some(why) = refused(settings, catalog, name, table, (key, value)) {
                    let help = "`ringup profiles show FAMILY` tells how its files are written";
                    problems.push(at(spot, format!("`{key}` can't be merged: {why}")).help(help));
                }
            }
        }
    }
    problems
}

/// The families of a table: those of a family's or vendor's name, else the one of a model.
fn families<'a>(catalog: &'a Catalog, table: &str) -> Vec<&'a Family> {
    let families = catalog.expand(table);
    let model = || catalog.model(table).map(|(family, _)| family);
    if families.is_empty() { model().into_iter().collect() } else { families }
}

fn undoes(site: &Site, families: &[&Family], key: &str, value: &str) -> Option<&'static str> {
    let off = families.iter().any(|family| family.turns_srtp_off(key, value));
    (off && site.srtp != Srtp::Off)
        .then_some("leave it out, or set srtp = \"off\" for the site: one side alone has no sound")
}

/// Why a family's file does not take this value: it is tried, in the file of a phone that nobody has.
fn refused(
    settings: &Settings,
    catalog: &Arc<Catalog>,
    site: &str,
    table: &str,
    (key, value): (&str, &str),
) -> Option<String> {
    families(catalog, table).into_iter().find_map(|family| {
        let model = family.models.keys().next()?;
        let without = tried(settings, catalog, site, family, Entry::default());
        // A template that fails all the same is not this value's fault.
        without.is_none().then_some(())?;
        let set = [(key.to_owned(), value.to_owned())].into();
        tried(
            settings,
            catalog,
            site,
            family,
            Entry { model: model.clone(), set, ..Entry::default() },
        )
    })
}

/// Renders a family's own files for a phone of this site; why the first of them fails, if one does.
fn tried(
    settings: &Settings,
    catalog: &Arc<Catalog>,
    site: &str,
    family: &Family,
    entry: Entry,
) -> Option<String> {
    let sip_password = Secret::new("check".to_owned());
    let line = Line { number: "100".to_owned(), sip_password, ..Line::default() };
    let model = family.models.keys().next().cloned().unwrap_or_default();
    let entry = Entry { model, site: Some(site.to_owned()), lines: vec![line], ..entry };
    let mut state = State::default();
    let phone = Mac::new(NOBODYS).ok()?;
    let changes = vec![Change::Listed(phone, Box::new(entry))];
    state.apply(&Commit { number: 1, changes });
    // Only the values of the entry: those of the site are tried one by one.
    let mut settings = settings.clone();
    settings.sites.values_mut().for_each(|site| site.extra.clear());
    let here = Provisioner::new(
        Arc::new(settings),
        Arc::clone(catalog),
        Arc::new(Library::default()),
        View::new(state),
    );
    let local = IpAddr::from([192, 0, 2, 1]);
    let rules = family.files.iter().filter(|rule| rule.extra.is_some());
    rules.filter(|rule| rule.speaks != Some(Speaks::Sccp)).find_map(|rule| {
        let name = rule.expand(phone, None)?;
        let refusal = here.preview(phone, &name, local, false, Timestamp::now()).err()?;
        match refusal.why {
            Why::Unrenderable { text } => Some(text),
            _ => None,
        }
    })
}

/// What entries say together: sites without a registrar, numbers that two phones have, SRTP that one phone undoes.
pub(super) fn inventory(phones: &[Value], settings: &Settings, catalog: &Catalog) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut warn = |what: String, help: &str| {
        problems.push(Problem::warning("inventory", None, what).help(help));
    };
    let listed = phones.iter().filter(|phone| !phone["entry"].is_null());
    let mut at_site: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbers: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for phone in listed {
        let (mac, site) = (text(phone, "/mac"), site_of(phone, settings));
        *at_site.entry(site.clone()).or_default() += 1;
        // The first line stands beside the model, and again among the lines where there are several.
        let lines = list(phone, "/entry/lines").iter().map(|line| text(line, "/number"));
        let own: BTreeSet<String> =
            [text(phone, "/entry/number")].into_iter().chain(lines).collect();
        for number in own.into_iter().filter(|number| !number.is_empty()) {
            numbers.entry((site.clone(), number)).or_default().push(mac.clone());
        }
        let has_it_on = settings.sites.get(&site).is_some_and(|site| site.srtp != Srtp::Off);
        let family = catalog.model(&text(phone, "/entry/model")).map(|(family, _)| family);
        let set = phone.pointer("/entry/set").and_then(Value::as_object);
        for (key, value) in set.into_iter().flatten() {
            let value = text(value, "");
            if has_it_on && family.is_some_and(|family| family.turns_srtp_off(key, &value)) {
                let help =
                    format!("`ringup phones set {mac} set.{key}=`: one side alone has no sound");
                warn(
                    format!("{mac}: set.{key} = {value} turns SRTP off, which its site has on"),
                    &help,
                );
            }
        }
    }
    for (site, count) in at_site {
        if settings.sites.get(&site).is_some_and(|site| site.servers.is_empty()) {
            let phones = if count == 1 { "phone" } else { "phones" };
            let help = format!("add [[site.{site}.server]] with address = \"…\"");
            warn(format!("site `{site}` has {count} {phones} and no registrar for them"), &help);
        }
    }
    for ((site, number), macs) in numbers {
        if macs.len() > 1 {
            let help = "give one of them another number, unless they are to share a line";
            warn(format!("site `{site}`: {} all have the number {number}", macs.join(", ")), help);
        }
    }
    problems
}

/// The site of a phone: its entry's, else that of the subnet of its address, else the default.
fn site_of(phone: &Value, settings: &Settings) -> String {
    let own = text(phone, "/entry/site");
    if !own.is_empty() {
        return own;
    }
    let address = ["/entry/address", "/address"].map(|key| text(phone, key).parse().ok());
    let address = address.into_iter().flatten().next();
    let mut subnets = settings.dhcp.subnets.iter();
    let subnet = address.and_then(|address| subnets.find(|subnet| subnet.contains(address)));
    subnet.map_or_else(|| "default".to_owned(), |subnet| subnet.site.clone())
}

/// A warning at a place that was noted as `file:line`.
fn at(spot: &str, text: String) -> Problem {
    let (file, line) = spot.rsplit_once(':').unwrap_or((spot, ""));
    Problem::warning(file, line.parse().ok(), text)
}
