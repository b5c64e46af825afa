//! Names of families, vendors and models in the settings: checked against the catalog, which is read after them.

use crate::domain::{Problem, SiteName};

use super::{ForFamily, Loaded, keys::nearest};

/// What the settings need to know of the catalog. A floor above joins the two.
pub trait Names {
    /// The families that a family's or vendor's name stands for; none if it is neither.
    fn families(&self, name: &str) -> Vec<String>;
    /// True if some family has a model of that name.
    fn is_model(&self, name: &str) -> bool;
    /// All families and vendors, to find the nearest.
    fn all(&self) -> Vec<String>;
}

/// One name in the settings.
#[derive(Debug)]
pub struct Use {
    pub name: String,
    pub place: Place,
    pub file: String,
    pub line: usize,
}

/// Where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// `for.NAME` of the subnet of that index.
    For(usize),
    /// `[site.NAME.extra.…]`.
    Extra(SiteName),
    /// `[site.NAME.firmware]`.
    Firmware(SiteName),
    /// `[site.NAME.firmware-floor]`.
    Floor(SiteName),
}

impl Loaded {
    /// Checks every name of a family, vendor or model, and puts in `for.VENDOR` the vendor's families.
    ///
    /// A family's own `for` wins over its vendor's. An unknown name is an error, because what was meant by it would
    /// silently not happen.
    pub fn expand(&mut self, catalog: &dyn Names) -> Vec<Problem> {
        let mut problems = Vec::new();
        for used in &self.names {
            let families = catalog.families(&used.name);
            match &used.place {
                Place::For(_) if families.is_empty() => problems.push(unknown(used, catalog)),
                Place::For(subnet) => {
                    if let Some(subnet) = self.settings.dhcp.subnets.get_mut(*subnet) {
                        spread(&mut subnet.for_family, &used.name, families);
                    }
                }
                Place::Extra(_) | Place::Firmware(_) | Place::Floor(_) => {
                    if families.is_empty() && !catalog.is_model(&used.name) {
                        problems.push(unknown(used, catalog));
                    }
                }
            }
        }
        problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        problems
    }
}

fn spread(
    map: &mut std::collections::BTreeMap<String, ForFamily>,
    name: &str,
    families: Vec<String>,
) {
    if families.iter().any(|family| family == name) {
        return;
    }
    let Some(value) = map.remove(name) else { return };
    for family in families {
        map.entry(family).or_insert_with(|| value.clone());
    }
}

fn unknown(used: &Use, catalog: &dyn Names) -> Problem {
    let (what, table) = match &used.place {
        Place::For(_) => ("family or vendor", "for".to_owned()),
        Place::Extra(site) => ("family, vendor or model", format!("[site.{site}.extra]")),
        Place::Firmware(site) => ("family, vendor or model", format!("[site.{site}.firmware]")),
        Place::Floor(site) => ("family, vendor or model", format!("[site.{site}.firmware-floor]")),
    };
    let text = format!("no {what} is called `{}` (in {table})", used.name);
    let all = catalog.all();
    let help = match nearest(&used.name, all.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`ringup profiles list` shows what there is".to_owned(),
    };
    Problem::error(used.file.clone(), Some(used.line), text).help(help)
}
