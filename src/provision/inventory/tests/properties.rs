//! Whatever operators type: written out and read in again it is the same, and no bytes do harm.

use std::{collections::BTreeMap, net::Ipv4Addr};

use proptest::{collection::btree_map, option, prelude::*};

use super::*;
use crate::domain::{Key, KeyTarget, Line, Secret};

/// Text as operators type it: quotes, separators, formulas, markup, any script.
fn text() -> impl Strategy<Value = String> {
    let tricky = "[ -~é€日'=+@;\",\\-]{0,12}";
    prop_oneof![tricky, "[\\PC&&[^\u{fffe}\u{ffff}]]{0,8}"].prop_map(|text| text.trim().to_owned())
}

fn word() -> impl Strategy<Value = String> {
    "[0-9A-Za-z*#+=@'-]{1,8}"
}

fn any_key() -> impl Strategy<Value = Key> {
    let label = text();
    (0..3_u8, 1..=48_u8, "[0-9*#+]{1,6}", label).prop_map(|(kind, line, number, label)| {
        let target = match kind {
            0 => KeyTarget::Line(line),
            1 => KeyTarget::Blf(number),
            _ => KeyTarget::Speed(number),
        };
        Key { target, label }
    })
}

fn any_line() -> impl Strategy<Value = Line> {
    // Not what an earlier export would have put there for a password.
    let password = "[ -~]{0,10}";
    (word(), text(), prop_oneof![Just(String::new()), word()], password).prop_map(
        |(number, name, sip_user, password)| Line {
            number,
            name,
            sip_user,
            sip_password: Secret::new(password),
        },
    )
}

fn named(name: &'static str) -> impl Strategy<Value = BTreeMap<String, String>> {
    let filled = text().prop_filter("an empty value is none", |value| !value.is_empty());
    btree_map(name, filled, 0..3)
}

prop_compose! {
    fn any_entry()(
        // As an entry has it: an import takes the `CP-` off that Cisco prints before its models.
        model in word().prop_filter("has no `CP-`", |model| !model.to_lowercase().starts_with("cp-")),
        site in option::of(Just("paris".to_owned())),
        location in text(),
        note in text(),
        lines in prop::collection::vec(any_line(), 0..4),
        keys in btree_map(1..200_u16, any_key(), 0..3),
        module_keys in btree_map((1..=255_u8, 1..99_u16), any_key(), 0..3),
        set in named("[A-Za-z][A-Za-z0-9._:-]{0,8}"),
        var in named("[A-Za-z_][A-Za-z0-9_]{0,6}"),
    ) -> Entry {
        Entry { model, site, location, note, lines, keys, module_keys, set, var, address: None, auto_registered: false }
    }
}

fn any_list() -> impl Strategy<Value = State> {
    btree_map(1..500_u16, any_entry(), 0..5).prop_map(|entries| {
        let mut state = State::default();
        let changes = entries.into_iter().map(|(n, mut entry)| {
            let [a, b] = n.to_be_bytes();
            entry.address = (n % 2 == 0).then(|| Ipv4Addr::new(10, 20, a, b));
            Change::Listed(Mac::new([2, 0, 0, 0, a, b]).unwrap(), Box::new(entry))
        });
        state.apply(&Commit { number: 1, changes: changes.collect() });
        state
    })
}

proptest! {
    /// What was written out and read into another list is the list that it was, whatever that one had.
    #[test]
    fn export_and_import_are_the_identity(list in any_list(), other in any_list()) {
        let file = export_csv(&list, &|_, _| true, true);
        let same = read(file.as_bytes(), &list, &settings(), &ImportOptions::default());
        prop_assert!(same.rows.iter().all(|row| row.verdict == Verdict::Same), "{:?}", told(&same));
        let mut fresh = State::default();
        let import = read(file.as_bytes(), &fresh, &settings(), &ImportOptions::default());
        prop_assert!(!import.has_refusals(), "{:?} {}", told(&import), file);
        apply(&mut fresh, import);
        prop_assert_eq!(&fresh.phones, &list.phones);

        // Over another list, fields that the file has no column for stay, and a second import changes nothing.
        let mut other = other;
        let import = read(file.as_bytes(), &other, &settings(), &ImportOptions { partial: true, ..ImportOptions::default() });
        apply(&mut other, import);
        let again = read(file.as_bytes(), &other, &settings(), &ImportOptions::default());
        prop_assert_eq!(again.count("added") + again.count("changed"), 0);
    }

    /// Whatever is in a file: no panic, and every phone in the batch is one that the file has.
    #[test]
    fn any_bytes_at_all(bytes in prop::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        let bytes = if header { [b"mac,line,number,key.1\n", &bytes[..]].concat() } else { bytes };
        let import = read(&bytes, &State::default(), &settings(), &ImportOptions { partial: true, ..ImportOptions::default() });
        let changes = import.batch.map_or(0, |batch| batch.changes.len());
        prop_assert!(changes <= import.rows.len());
    }

    #[test]
    fn no_formula_leaves(value in text()) {
        let cell = cell::neutral(&value);
        prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        prop_assert_eq!(cell::clean(&column::Column::Note, &cell).unwrap(), value);
    }
}
