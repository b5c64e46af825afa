//! Values that several tables may set, and which of them wins: entry over staging over model over family over vendor.

use std::collections::BTreeMap;

use crate::{
    config::Site,
    domain::{Entry, SiteName},
    profile::{Catalog, Family},
};

use super::values::Scene;

/// The site that all others inherit from.
pub(super) const DEFAULT: &str = "default";

/// What a table of values (`extra.NAME`, `firmware.NAME`) is for: the narrower, the stronger.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rank {
    Vendor,
    Group,
    Family,
    Model,
}

/// A value that is merged last, and who set it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Laid<'a> {
    pub value: &'a str,
    /// The table in the settings; `None` for the entry's own.
    pub table: Option<(Rank, &'a str)>,
}

impl Laid<'_> {
    /// The key that the site's settings know this value by.
    pub fn key(&self, name: &str) -> Option<String> {
        self.table.map(|(_, table)| format!("extra.{table}.{name}"))
    }
}

/// Values merged last: the vendor's, over these those for its groups, the family and the model, over all the entry's.
///
/// A site inherits first: what `default` says of a family beats what the site itself says of the vendor. Only where both
/// speak of the same, in two spellings (`poly` and `Poly`, `7961` and `7961G`), the site's own goes first.
pub(super) fn set<'a>(
    scene: &Scene<'_>,
    site: &'a Site,
    model: &str,
    entry: &'a Entry,
) -> BTreeMap<&'a str, Laid<'a>> {
    let mut laid: BTreeMap<&str, Laid<'_>> = BTreeMap::new();
    let is_own = |table: &str, key: &str| {
        let by = site.set_by.get(&format!("extra.{table}.{key}"));
        by.is_some_and(|by| by != DEFAULT)
    };
    let is_staged = |table: &str, key: &str| site.staged.contains(&format!("extra.{table}.{key}"));
    for (table, values) in &site.extra {
        let Some(rank) = scene.kind().rank(model, table) else { continue };
        for (key, value) in values {
            let stronger =
                laid.get(key.as_str()).and_then(|laid| laid.table).is_none_or(|(other, there)| {
                    (is_staged(table, key), rank, is_own(table, key))
                        > (is_staged(there, key), other, is_own(there, key))
                });
            if stronger {
                laid.insert(key, Laid { value, table: Some((rank, table)) });
            }
        }
    }
    laid.extend(entry.set.iter().map(|(key, value)| (key.as_str(), Laid { value, table: None })));
    laid
}

/// What phones are of, as far as tables of a site go by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind<'a> {
    pub catalog: &'a Catalog,
    pub family: Option<&'a Family>,
}

impl Scene<'_> {
    /// True where no load is offered: the phone says that it is another model than the listed one, and a load for
    /// another product may leave it unable to register.
    pub fn holds_back(&self) -> bool {
        self.contradicts && self.phone.is_some()
    }

    fn kind(&self) -> Kind<'_> {
        Kind { catalog: self.catalog, family: self.family }
    }
}

/// The wanted load, its table's rank and the table; nothing where none is offered.
pub(super) fn load<'a>(
    scene: &Scene<'a>,
    site: &'a Site,
    model: &str,
) -> Option<(&'a str, Rank, &'a str)> {
    let (load, rank, key) = wanted(scene, site, model)?;
    match scene.instead {
        Some("") => None,
        Some(other) => Some((other, rank, key)),
        None => Some((load, rank, key)),
    }
}

/// The load that the site wants for a phone, whatever the phone runs.
pub(super) fn wanted<'a>(
    scene: &Scene<'_>,
    site: &'a Site,
    model: &str,
) -> Option<(&'a str, Rank, &'a str)> {
    if scene.holds_back() {
        return None;
    }
    let staged = |key: &str| site.staged.contains(&format!("firmware.{key}"));
    let kind = scene.kind();
    let first = kind.load_of(&site.firmware, model, &staged);
    first.or_else(|| kind.load(&site.firmware, model))
}

impl Kind<'_> {
    /// What a table of loads (`firmware`, `firmware-floor`) says, the key's rank and the key: of the model, else of the
    /// loads that this model shares, else of the family.
    pub fn load<'t>(
        self,
        table: &'t BTreeMap<String, String>,
        model: &str,
    ) -> Option<(&'t str, Rank, &'t str)> {
        self.load_of(table, model, &|_| true)
    }

    /// The same of those keys only that `counts` lets through.
    fn load_of<'t>(
        self,
        table: &'t BTreeMap<String, String>,
        model: &str,
        counts: &dyn Fn(&str) -> bool,
    ) -> Option<(&'t str, Rank, &'t str)> {
        let member = self.family.and_then(|family| self.catalog.member(family, model));
        let loads = member.and_then(|model| model.load.as_deref());
        let wanted = |rank: Rank, fits: &dyn Fn(&str) -> bool| {
            let found = table.iter().find(|(key, _)| fits(key) && counts(key));
            found.map(|(key, load)| (load.as_str(), rank, key.as_str()))
        };
        let shares = |key: &str| loads.is_some_and(|load| is(key, load));
        wanted(Rank::Model, &|key| self.is_model(key, model))
            .or_else(|| wanted(Rank::Model, &shares))
            .or_else(|| wanted(Rank::Family, &|key| self.rank("", key) == Some(Rank::Family)))
    }

    /// What a table of floors says: as for loads, else of the vendor, because one release may be a whole vendor's.
    pub fn floor<'t>(self, table: &'t BTreeMap<String, String>, model: &str) -> Option<&'t str> {
        let wide = |(key, _): &(&String, &String)| {
            matches!(self.rank("", key), Some(Rank::Group | Rank::Vendor))
        };
        let floor = self.load(table, model).map(|(floor, ..)| floor);
        floor.or_else(|| table.iter().find(wide).map(|(_, floor)| floor.as_str()))
    }

    /// What a table is to this phone; `None` for another's.
    fn rank(self, model: &str, table: &str) -> Option<Rank> {
        let of_family = self.family.and_then(|family| match table {
            name if is(name, family.name.as_str()) => Some(Rank::Family),
            name if family.also.iter().any(|also| is(name, also)) => Some(Rank::Group),
            name if is(name, &family.vendor) => Some(Rank::Vendor),
            _ => None,
        });
        of_family.or_else(|| self.is_model(table, model).then_some(Rank::Model))
    }

    fn is_model(self, key: &str, model: &str) -> bool {
        !model.is_empty() && self.catalog.same_product(key, model)
    }
}

fn is(key: &str, name: &str) -> bool {
    key.eq_ignore_ascii_case(name)
}

/// What a name says of a secret wherever it stands in it.
const TELLING: [&str; 7] = ["passw", "passphrase", "pswd", "pwd", "secret", "psk", "aes_key"];

/// True for a name that says of its value that it is a secret, in any family's spelling: these values have no type of
/// their own. A P-value's name (`P34`) says nothing, so all of them count.
pub(super) fn is_secret(name: &str) -> bool {
    let own = name.strip_prefix("set.").unwrap_or(name);
    let number = own.strip_prefix('P').unwrap_or_default();
    let opaque = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    let lower = own.to_ascii_lowercase();
    opaque
        || TELLING.iter().any(|word| lower.contains(word))
        || lower.ends_with("pass")
        || says_pass(own)
}

/// True if one of the words of a name is `pass` or `pin`: `SIP_PASS_1`, `user_pass[1]`, `SystemPin`, but no `shipping`.
/// What passes through is none.
fn says_pass(name: &str) -> bool {
    let begins = |at: usize, c: char| {
        c.is_ascii_uppercase() && name[..at].ends_with(|c: char| c.is_ascii_lowercase())
    };
    let starts = name.char_indices().filter(|(at, c)| begins(*at, *c)).map(|(at, _)| at);
    let ends = starts.chain([name.len()]);
    let runs = ends.scan(0, |from, to| Some(&name[std::mem::replace(from, to)..to]));
    let words: Vec<String> = runs
        .flat_map(|run| run.split(|c: char| !c.is_ascii_alphabetic()))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let through = |at: usize| words.get(at + 1).is_some_and(|next| next.starts_with("thr"));
    let mut all = words.iter().enumerate();
    all.any(|(at, word)| (word == "pass" && !through(at)) || word == "pin")
}

/// Who set a key of a site; `None` where nobody did.
pub(super) fn setter<'a>(site: &'a Site, key: &str) -> Option<&'a SiteName> {
    site.set_by.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        let check = |names: &[&str], secret: bool| {
            for name in names {
                assert_eq!(is_secret(name), secret, "{name}");
            }
        };
        check(&["lines[0].password", "admin_password", "phonePassword", "Password_1_"], true);
        check(&["Admin_Passwd", "Register_Pswd", "sip.u1.pwd", "PROCPSWD", "set.P34", "P2"], true);
        check(
            &["SIP_PASS_1", "user_pass[1]", "http_pass", "AuthPassword", "aucS_SIP_PASSWORD_1"],
            true,
        );
        check(&["wifi.1.wpa_psk", "WlanPassphrase", "SystemPin", "base pin", "SharedSecret"], true);
        check(&["static.auto_provision.aes_key.16.com"], true);
        check(&["lines[0].display", "linekey.1.value", "softkey1 label", "Phone", "P"], false);
        check(&["VPN_PASS_THROUGH", "shipping", "ping_interval", "Port", "P1a"], false);
    }
}
