//! What the index finds is what a search through all rules finds.

use std::{fs, sync::LazyLock};

use proptest::{prelude::*, sample};

use crate::profile::Catalog;

use super::*;

/// An operator's family that has names of others, and some that no shipped one has the like of.
const ACME: &str = r#"
vendor = "Acme"
title = "Acme"
format = "text"
sources = ["none"]
[[file]]
role = "extra"
name = "Digium/{MAC}.CFG"
[[file]]
role = "extra"
name = "{any}.cfg"
[[file]]
role = "extra"
name = "a/b/{mac}.xml"
[[file]]
role = "extra"
name = "a/b/Ringlist.xml"
[[file]]
role = "extra"
name = "Ringlist.xml"
[[file]]
role = "extra"
name = "a/b/c.{any}"
"#;

static ALL: LazyLock<Catalog> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("acme")).unwrap();
    fs::write(directory.path().join("acme/profile.toml"), ACME).unwrap();
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(catalog.family("acme").is_some(), "{problems:?}");
    catalog
});

/// Every rule's pattern, read anew.
static PATTERNS: LazyLock<Vec<(usize, usize, Pattern)>> = LazyLock::new(|| {
    let families = ALL.families.iter().enumerate();
    let files = families.flat_map(|(place, family)| {
        let files = family.files.iter().enumerate();
        files.map(move |(file, rule)| (place, file, Pattern::new(&rule.name).unwrap()))
    });
    files.collect()
});

/// What stands for placeholders, and what nearly does.
const FILLED: [&str; 23] = [
    "0004f2aabbcc",
    "001E7AC41022",
    "001565aabbcc",
    "000413800001",
    "000000000000",
    "0004f2aabbc",
    "21A0B1C2D301",
    "00_13_CB_01_02_03",
    "00-13-CB-01-02",
    "3111-48400-001",
    "2345-12670-001",
    "000000000108",
    "000000000095",
    "T46S",
    "7961G-GE",
    "spa504g",
    "942",
    "D40",
    "9.4.2SR3-1",
    "1234-5678-90ab-cdef",
    "é",
    "",
    "a.b",
];

/// What phones and operators put in front.
const FOLDERS: [&str; 7] = ["", "", "a/", "A/b/", "Digium/", "/", "x.y/a/b/"];

/// What a slip of the hand puts somewhere.
const SLIPS: [&str; 9] = ["", "", "", ".", "/", "x", "0", "-", "É"];

/// Names as phones may write them: a rule's, its placeholders filled in more or less rightly, and slips.
fn near() -> impl Strategy<Value = String> {
    let names = ALL.families.iter().flat_map(|family| &family.files).map(|file| file.name.clone());
    let filled = proptest::collection::vec(sample::select(&FILLED[..]), 3);
    let slip = (any::<sample::Index>(), sample::select(&SLIPS[..]), any::<bool>());
    let parts = (sample::select(names.collect::<Vec<_>>()), filled, slip);
    (sample::select(&FOLDERS[..]), parts, 0..3_u8).prop_map(|(folder, parts, case)| {
        let (mut name, filled, (at, slip, cut)) = parts;
        for text in filled {
            let Some((before, rest)) = name.split_once('{') else { break };
            let (_, after) = rest.split_once('}').unwrap_or_default();
            name = format!("{before}{text}{after}");
        }
        let places: Vec<usize> = name.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        if cut && !slip.is_empty() {
            name.remove(at);
        }
        name.insert_str(at, slip);
        let name = folder.to_owned() + &name;
        [name.to_ascii_lowercase(), name.to_ascii_uppercase(), name.clone()][usize::from(case)]
            .clone()
    })
}

/// Where the last components of a name begin that a rule with so many folders is held against.
fn beginning(name: &str, folders: usize) -> usize {
    name.rmatch_indices('/').nth(folders).map_or(0, |(at, _)| at + 1)
}

/// The first of a family's models that is called so, as each of its names is compared.
fn search<'a>(family: &'a Family, pattern: &Pattern, model: &str) -> Option<&'a Model> {
    let whole = whole_name(pattern, family, model);
    let is = |known: &str, name: &str| spelling::folded(known) == spelling::folded(name);
    family.models.values().find(|known| {
        let mut names = known.aliases.iter().chain([&known.name]);
        names.any(|known| is(known, model) || is(known, &whole))
    })
}

/// Every rule held against a name, one after the other, best first: family, file, MAC and model.
fn linear(name: &str) -> Vec<String> {
    let (lower, mut found) = (name.to_ascii_lowercase(), Vec::new());
    for (place, file, pattern) in PATTERNS.iter() {
        let from = beginning(name, pattern.folders);
        let Some(captured) = pattern.fits(&name[from..], &lower[from..]) else { continue };
        let (family, rule) = (&ALL.families[*place], &ALL.families[*place].files[*file]);
        let block = captured.mac.and_then(|mac| family.block(mac)).map_or(u64::MAX, Block::size);
        let shipped = family.name.as_str() != "acme";
        let rank = (shipped, usize::MAX - pattern.fixed, block, *place, *file);
        let model = match (&rule.model, captured.part, captured.model, captured.load) {
            (Some(model), ..) => family.models.get(model),
            (None, Some(part), ..) => by_part(family, part).0,
            (None, None, Some(model), _) => search(family, pattern, model),
            (None, None, None, load) => load.and_then(|load| by_load(family, load)),
        };
        found.push((rank, told(family, rule, captured.mac, model)));
    }
    found.sort();
    found.into_iter().map(|(_, found)| found).collect()
}

fn told(family: &Family, rule: &FileRule, mac: Option<Mac>, model: Option<&Model>) -> String {
    format!("{} {} {mac:?} {:?}", family.name, rule.name, model.map(|model| &model.name))
}

fn indexed(name: &str) -> Vec<String> {
    let found = ALL.resolve(name).into_iter();
    found.map(|one| told(one.family, one.file, one.mac, one.model)).collect()
}

#[test]
fn every_rule_is_found_by_its_own_name() {
    for (place, file, pattern) in PATTERNS.iter().filter(|(.., pattern)| pattern.is_plain()) {
        let family = &ALL.families[*place];
        for name in [pattern.text.to_ascii_uppercase(), format!("some/{}", pattern.text)] {
            let own = |one: &FileMatch<'_>| {
                one.family.name == family.name && one.file.name == family.files[*file].name
            };
            assert!(ALL.resolve(&name).iter().any(own), "{name}");
        }
    }
}

#[test]
fn the_same_for_names_that_many_have() {
    let check = |name: &str, least: usize| {
        assert_eq!(indexed(name), linear(name), "{name}");
        assert!(indexed(name).len() >= least, "{name}: {:?}", indexed(name));
    };
    check("0004f2aabbcc.cfg", 12);
    check("a/B/ringlist.XML", 5);
    check("digium/001565AABBCC.cfg", 13);
    check("a/b/001565aabbcc.xml", 4);
    check("x/a/b/c.d", 1);
    check("cfg0004f2.xml", 1);
    check("nobody-knows.it", 0);
    check("{mac}.cfg", 1);
    check("", 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_same_for_names_like_those_of_phones(name in near()) {
        prop_assert_eq!(indexed(&name), linear(&name));
    }

    #[test]
    fn the_same_for_any_name(name in "[a-zA-Z0-9/._é-]{0,24}(\\.(cfg|xml|bin|loads|txt|htm))?") {
        prop_assert_eq!(indexed(&name), linear(&name));
    }
}
