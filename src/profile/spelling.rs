//! Model names in every usual spelling.

use std::{
    collections::{HashMap, HashSet},
    slice::from_ref,
};

use super::{Family, Model};

/// More suggestions than this are a list to read.
const MAX_NEAR: usize = 3;

/// Models by what is left of a spelling once its decoration is gone.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    models: HashMap<String, Vec<(usize, String)>>,
    /// Numbers on the case of a model that are another model's name: only who knows the family may use them.
    numbers: HashMap<String, Vec<(usize, String)>>,
    vendors: Vec<String>,
}

impl Spellings {
    /// Learns all names and aliases of `families`; their places in the list are what [`Self::find`] answers with.
    pub(super) fn new(families: &[Family]) -> Self {
        let names = families.iter().flat_map(|family| family.also.iter().chain([&family.vendor]));
        let mut vendors: Vec<_> = names.map(|name| folded(name)).collect();
        // The longer name first: POLYCOM is not POLY and a rest.
        vendors.sort_by_key(|name| std::cmp::Reverse(name.len()));
        vendors.dedup();
        let mut spellings = Self { vendors, ..Self::default() };
        let models = || families.iter().flat_map(|family| family.models.values());
        let names: HashSet<String> = models().map(|model| folded(&model.name)).collect();
        // What a phone is listed as is one that can be provisioned, where makers share a name (M3), and one whose own
        // name that is (Snom's 300), not the short form of another one's (SoundPoint IP 300).
        for (provisions, aliases) in [(true, false), (true, true), (false, false), (false, true)] {
            let these = families.iter().enumerate().filter(|(_, it)| it.provisions == provisions);
            for (place, family) in these {
                for model in family.models.values() {
                    let own = if aliases { &model.aliases[..] } else { from_ref(&model.name) };
                    for name in own {
                        spellings.learn((place, family), model, name, &names);
                    }
                }
            }
        }
        spellings
    }

    /// A name by itself, and with the maker's name in front, which tells it from other makers' models of that name.
    fn learn(
        &mut self,
        (place, family): (usize, &Family),
        model: &Model,
        name: &str,
        names: &HashSet<String>,
    ) {
        let key = folded(name);
        let known = (place, model.name.clone());
        if model.number.as_deref() == Some(name) && names.contains(&key) {
            self.numbers.entry(key).or_default().push(known);
            return;
        }
        for maker in family.also.iter().chain([&family.vendor]) {
            self.models.entry(folded(maker) + &key).or_default().push(known.clone());
        }
        self.models.entry(key).or_default().push(known);
    }

    /// The families that know this spelling, each with its own name for it.
    pub(super) fn find(&self, spelling: &str) -> &[(usize, String)] {
        let whole = folded(spelling);
        let known = |key: &str| self.models.get(key).map(Vec::as_slice);
        known(&whole).or_else(|| known(self.bare(&whole))).unwrap_or_default()
    }

    /// The only maker that is named in front, or whose models' names begin with the same letters before their number.
    pub(super) fn maker<'f>(&self, families: &'f [Family], spelling: &str) -> Option<&'f str> {
        let whole = folded(spelling);
        let is_named = |family: &&Family| {
            let mut names = family.also.iter().chain([&family.vendor]);
            names.any(|name| whole.starts_with(&folded(name)))
        };
        let letters = head(self.bare(&whole));
        let has_such = |family: &&Family| {
            let mut models = family.models.values();
            letters.len() > 1 && models.any(|model| head(&folded(&model.name)) == letters)
        };
        let only = |mut of: Vec<&'f str>| {
            of.dedup();
            Some(of).filter(|of| of.len() == 1)?.pop()
        };
        let makers = |fits: &dyn Fn(&&Family) -> bool| {
            let mut makers: Vec<&str> =
                families.iter().filter(fits).map(|family| family.vendor.as_str()).collect();
            makers.sort_unstable();
            only(makers)
        };
        makers(&is_named).or_else(|| makers(&has_such))
    }

    /// The models that a misspelt name may mean, the nearest first; at most [`MAX_NEAR`].
    pub(super) fn near<'f>(&self, families: &'f [Family], spelling: &str) -> Vec<&'f str> {
        let wanted = self.key(spelling);
        // A third of the letters may be wrong: more is another word.
        let bound = (wanted.chars().count() / 3).max(1);
        let far = |name: &String| strsim::damerau_levenshtein(&wanted, &self.key(name));
        let models = families.iter().filter(|family| family.provisions);
        let models = models.flat_map(|family| family.models.values());
        let mut near: Vec<(usize, &str)> = models
            .filter_map(|model| {
                let names = model.aliases.iter().chain([&model.name]);
                Some((names.map(far).min()?, model.name.as_str()))
            })
            .filter(|(far, _)| *far <= bound)
            .collect();
        near.sort_unstable();
        near.dedup();
        near.into_iter().take(MAX_NEAR).map(|(_, name)| name).collect()
    }

    /// The name of a family's own model in this spelling, or of the one with that number on its case.
    pub(super) fn of_family(&self, place: usize, spelling: &str) -> Option<&str> {
        let numbered = self.numbers.get(self.bare(&folded(spelling)));
        let mut known = self.find(spelling).iter().chain(numbered.into_iter().flatten());
        known.find(|(other, _)| *other == place).map(|(_, name)| name.as_str())
    }

    /// The text by which unknown spellings compare.
    pub(super) fn key(&self, spelling: &str) -> String {
        self.bare(&folded(spelling)).to_owned()
    }

    /// Takes vendor names, `CP-`, `SIP-` and `-K9` off a folded spelling, but never all of it.
    fn bare<'s>(&self, mut key: &'s str) -> &'s str {
        let words = ["SYSTEMSINC", "SYSTEMS", "IPPHONE", "SIP"];
        loop {
            let vendors = self.vendors.iter().map(String::as_str);
            let decorated = vendors.chain(words).find_map(|word| key.strip_prefix(word));
            // CP-7961G is Cisco's 7961G, but CP860 is Yealink's own name.
            let is_cisco =
                |rest: &&str| rest.len() > 3 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit);
            let decorated = decorated.or_else(|| key.strip_prefix("CP").filter(is_cisco));
            match decorated.or_else(|| key.strip_suffix("K9")).filter(|rest| !rest.is_empty()) {
                Some(rest) => key = rest,
                None => return key,
            }
        }
    }
}

/// The letters in front of a model's number; empty where no number follows.
fn head(key: &str) -> &str {
    let end = key.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
    &key[..end]
}

/// Upper case, without blanks, hyphens and everything else that is not part of a name. A plus is: 7910+SW.
pub(super) fn folded(spelling: &str) -> String {
    let kept = spelling.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '+');
    kept.take(64).collect::<String>().to_ascii_uppercase()
}
