//! Which file of which family a wire name is.

use std::collections::HashMap;

use crate::domain::{Mac, Role};

use super::{
    Block, Family, FileMatch, FileRule, Model,
    index::Index,
    pattern::{Captured, Pattern},
    spelling,
};

/// Longer names are nobody's: TFTP requests end at 512 octets, and no phone comes near this.
const MAX_NAME: usize = 255;

/// All rules of all families.
#[derive(Debug, Default)]
pub(super) struct Names {
    rules: Vec<Rule>,
    index: Index,
    /// Of the family at each place.
    spelt: Vec<Spelt>,
}

#[derive(Debug)]
struct Rule {
    /// Places in the catalog's list of families and in that family's files.
    family: usize,
    file: usize,
    /// True if the operator wrote this family's profile.
    operators: bool,
}

/// A family's models as names spell them, folded once: each name with a model in it is compared with all of them.
#[derive(Debug, Default)]
struct Spelt {
    /// The first model of each name and alias.
    models: HashMap<String, String>,
    /// The models' names.
    names: Vec<String>,
}

/// A rule that a name fits, with what the name says and how the rule's family spells its models.
struct Fit<'a> {
    rule: &'a Rule,
    pattern: &'a Pattern,
    spelt: &'a Spelt,
    captured: &'a Captured<'a>,
}

/// What decides which of two rules is the better one, the lesser first; no two rules have the same.
type Rank = (bool, usize, u64, usize, usize);

/// A rule that a name fits, with what the name says beyond it.
pub(super) struct Found<'a> {
    pub(super) place: usize,
    pub(super) file: FileMatch<'a>,
    /// True if the name holds a model or part number that the family does not know.
    pub(super) stranger: bool,
    /// The models that ask for this very name, where it is one that tells models apart.
    pub(super) askers: Vec<&'a Model>,
    /// Such a model, where the rest of the name or the MAC in it makes the name this family's.
    pub(super) called: Option<String>,
    /// How many folders and characters the rule fixes.
    pub(super) folders: usize,
    pub(super) fixed: usize,
}

impl Names {
    /// Adds the files of the next family, with their patterns in the same order.
    pub(super) fn add(&mut self, family: &Family, patterns: Vec<Pattern>, operators: bool) {
        let place = self.spelt.len();
        for (file, pattern) in patterns.into_iter().enumerate() {
            self.index.add(pattern, self.rules.len());
            self.rules.push(Rule { family: place, file, operators });
        }
        self.spelt.push(Spelt::new(family));
    }

    /// Every rule that `name` fits, best first: the operator's, then the one that fixes more of the name, then the
    /// family whose prefixes hold the MAC.
    pub(super) fn find<'a>(&self, families: &'a [Family], name: &str) -> Vec<Found<'a>> {
        if name.len() > MAX_NAME {
            return Vec::new();
        }
        let lower = name.to_ascii_lowercase();
        let mut found = Vec::new();
        for (shape, captured) in self.index.fitting(name, &lower) {
            for rule in shape.rules.iter().map(|place| &self.rules[*place]) {
                found.push(self.ranked(families, rule, (&shape.pattern, &captured)));
            }
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, found)| found).collect()
    }

    fn ranked<'a>(
        &self,
        families: &'a [Family],
        rule: &Rule,
        (pattern, captured): (&Pattern, &Captured<'_>),
    ) -> (Rank, Found<'a>) {
        let (family, spelt) = (&families[rule.family], &self.spelt[rule.family]);
        let block = captured.mac.and_then(|mac| family.block(mac));
        let rank = (
            !rule.operators,
            usize::MAX - pattern.fixed,
            block.map_or(u64::MAX, Block::size),
            rule.family,
            rule.file,
        );
        let fit = Fit { rule, pattern, spelt, captured };
        (rank, matched(&fit, family, block.is_some()))
    }
}

/// What a rule says of a name that fits it; `family` is the rule's.
fn matched<'a>(fit: &Fit<'_>, family: &'a Family, own_block: bool) -> Found<'a> {
    let (file, pattern, captured) = (&family.files[fit.rule.file], fit.pattern, fit.captured);
    let (model, stranger) = match (&file.model, captured) {
        (Some(model), _) => (family.models.get(model), false),
        (None, Captured { part: Some(part), .. }) => by_part(family, part),
        (None, Captured { model: Some(model), .. }) => {
            let model = by_name(fit, family, model);
            (model, model.is_none())
        }
        (None, Captured { load: Some(load), .. }) => (by_load(family, load), false),
        (None, _) => (None, false),
    };
    // A model that nobody knows, in a name that says nothing else of this family, is anything.
    let own_word = own_block || !pattern.head.is_empty();
    Found {
        place: fit.rule.family,
        file: file_match(family, file, captured.mac, model),
        stranger,
        askers: askers(family, file, captured, model),
        called: captured
            .model
            .filter(|_| stranger && own_word)
            .and_then(|model| called(fit, family, model)),
        folders: pattern.folders,
        fixed: pattern.fixed,
    }
}

/// The models that ask for a name. None where it tells nothing about the model: a load's name is what the phone was told
/// to ask for, and an extra's may be written out in an address.
fn askers<'a>(
    family: &'a Family,
    file: &FileRule,
    captured: &Captured<'_>,
    model: Option<&'a Model>,
) -> Vec<&'a Model> {
    if file.role == Role::Extra || captured.load.is_some() {
        return Vec::new();
    }
    if let Some(model) = model {
        return vec![model];
    }
    if captured.part.is_none() && file.series.is_none() {
        return Vec::new();
    }
    let fits = |model: &&Model| match (captured.part, &file.series) {
        (Some(part), _) => model.part.as_deref() == Some(part),
        (None, Some(series)) => {
            let mut names = model.aliases.iter().chain([&model.name]);
            names.any(|name| name.starts_with(series.as_str()))
        }
        (None, None) => false,
    };
    family.models.values().filter(fits).collect()
}

const fn file_match<'a>(
    family: &'a Family,
    file: &'a FileRule,
    mac: Option<Mac>,
    model: Option<&'a Model>,
) -> FileMatch<'a> {
    FileMatch { family, file, mac, model }
}

/// A model as a name spells it: what stands in front of a bare number is part of its name (`spa942.cfg`), unless it is
/// the vendor's own name (`snom320.htm`) or Cisco's `CP-`.
fn whole_name(pattern: &Pattern, family: &Family, model: &str) -> String {
    let head = pattern.head.rsplit('/').next().unwrap_or_default();
    let word = spelling::folded(head);
    let mut names = family.also.iter().chain([&family.vendor]);
    let decorates = word == "CP" || names.any(|name| spelling::folded(name) == word);
    let is_number = model.starts_with(|first: char| first.is_ascii_digit());
    if is_number && !decorates { format!("{head}{model}") } else { model.to_owned() }
}

/// What a model that nobody knows is called. A number is one only where the family has such: `algop8999.conf` names an
/// 8999 and `spa999.cfg` an SPA999, but `cfg0004f2.xml` names no phone of a maker whose models begin with letters.
fn called(fit: &Fit<'_>, family: &Family, model: &str) -> Option<String> {
    let whole = whole_name(fit.pattern, family, model);
    let head = spelling::folded(whole.strip_suffix(model).unwrap_or_default());
    let names = &fit.spelt.names;
    let number = |name: &String| name.starts_with(|first: char| first.is_ascii_digit());
    if head.is_empty() || names.iter().any(|name| name.starts_with(&head)) {
        return Some(whole);
    }
    names.iter().any(number).then(|| model.to_owned())
}

impl Spelt {
    fn new(family: &Family) -> Self {
        let mut spelt = Self::default();
        for (key, model) in &family.models {
            for name in model.aliases.iter().chain([&model.name]) {
                spelt.models.entry(spelling::folded(name)).or_insert_with(|| key.clone());
            }
            spelt.names.push(spelling::folded(&model.name));
        }
        spelt
    }
}

/// The first model that is called so, or so with what stands in front of it in the name.
fn by_name<'a>(fit: &Fit<'_>, family: &'a Family, model: &str) -> Option<&'a Model> {
    let known = |name: &str| fit.spelt.models.get(&spelling::folded(name));
    let whole = known(&whole_name(fit.pattern, family, model));
    family.models.get(known(model).into_iter().chain(whole).min()?)
}

/// The model of a part number; none where several share it (Yealink's T53 and T53W), which is no reason to doubt the
/// family.
fn by_part<'a>(family: &'a Family, part: &str) -> (Option<&'a Model>, bool) {
    let mut models = family.models.values().filter(|model| model.part.as_deref() == Some(part));
    match (models.next(), models.next()) {
        (None, _) => (None, true),
        (Some(model), None) => (Some(model), false),
        (Some(_), Some(_)) => (None, false),
    }
}

/// The model of a load's family; none where several share it, as 7941 and 7961 do.
fn by_load<'a>(family: &'a Family, load: &str) -> Option<&'a Model> {
    let group = load.split('.').next()?;
    let mut models = family.models.values().filter(|model| model.load.as_deref() == Some(group));
    models.next().filter(|_| models.next().is_none())
}

#[cfg(test)]
mod tests;
