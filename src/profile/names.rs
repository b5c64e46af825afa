//! Which file of which family a wire name is.

use crate::domain::Mac;

use super::{
    Family, FileMatch, FileRule, Model,
    pattern::{Captured, Pattern},
};

/// Longer names are nobody's: TFTP requests end at 512 octets, and no phone comes near this.
const MAX_NAME: usize = 255;

/// All rules of all families.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// Places in the catalog's list of families and in that family's files.
    family: usize,
    file: usize,
    pattern: Pattern,
    /// True if the operator wrote this family's profile.
    operators: bool,
}

/// A rule that a name fits, with what the name says beyond it.
pub(super) struct Found<'a> {
    pub(super) place: usize,
    pub(super) file: FileMatch<'a>,
    /// True if the name holds a model or part number that the family does not know.
    pub(super) stranger: bool,
}

impl Names {
    /// Adds the files of the family at `place`, with their patterns in the same order.
    pub(super) fn add(&mut self, place: usize, patterns: Vec<Pattern>, operators: bool) {
        let rules = patterns.into_iter().enumerate();
        self.0.extend(rules.map(|(file, pattern)| Rule {
            family: place,
            file,
            pattern,
            operators,
        }));
    }

    /// Every rule that `name` fits, best first: the operator's, then the one that fixes more of the name, then the
    /// family whose prefixes hold the MAC.
    ///
    /// Rules with a folder are held against the whole name, the others against what follows the last slash, because
    /// operators and phones put folders of their own in front.
    pub(super) fn find<'a>(&self, families: &'a [Family], name: &str) -> Vec<Found<'a>> {
        if name.len() > MAX_NAME {
            return Vec::new();
        }
        let last = name.rsplit('/').next().unwrap_or(name);
        let (lower, lower_last) = (name.to_ascii_lowercase(), last.to_ascii_lowercase());
        let mut found = Vec::new();
        for rule in &self.0 {
            let (name, lower) =
                if rule.pattern.has_folder { (name, &lower) } else { (last, &lower_last) };
            let Some(captured) = rule.pattern.fits(name, lower) else { continue };
            let family = &families[rule.family];
            let own_prefix =
                captured.mac.is_some_and(|mac| family.prefixes.contains(&mac.prefix()));
            let rank = (
                !rule.operators,
                usize::MAX - rule.pattern.fixed,
                !own_prefix,
                rule.family,
                rule.file,
            );
            found.push((rank, matched(rule, family, &captured)));
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, found)| found).collect()
    }
}

fn matched<'a>(rule: &Rule, family: &'a Family, captured: &Captured<'_>) -> Found<'a> {
    let file = &family.files[rule.file];
    let (model, stranger) = match (&file.model, captured) {
        (Some(model), _) => (family.models.get(model), false),
        (None, Captured { part: Some(part), .. }) => by_part(family, part),
        (None, Captured { model: Some(model), .. }) => {
            // What stands in front may be part of the name: `spa504G.cfg` is an SPA504G's.
            let whole = [rule.pattern.front(), model].concat();
            let named = |known: &&Model| is_called(known, model) || is_called(known, &whole);
            let model = family.models.values().find(named);
            (model, model.is_none())
        }
        (None, Captured { load: Some(load), .. }) => (by_load(family, load), false),
        (None, _) => (None, false),
    };
    Found { place: rule.family, file: file_match(family, file, captured.mac, model), stranger }
}

const fn file_match<'a>(
    family: &'a Family,
    file: &'a FileRule,
    mac: Option<Mac>,
    model: Option<&'a Model>,
) -> FileMatch<'a> {
    FileMatch { family, file, mac, model }
}

fn is_called(model: &Model, name: &str) -> bool {
    let mut names = model.aliases.iter().chain([&model.name]);
    names.any(|known| known.eq_ignore_ascii_case(name))
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
