//! Matching: what stands out is suggested, what does not is not.

use proptest::prelude::*;

use super::{
    super::tests::{listed, mac, now, provisioner, settings, showed, state},
    *,
};
use crate::domain::{Change, Event, What};

fn discovered(phone: &str) -> Change {
    let event = Event { at: now(), what: What::discovered(None) };
    Change::Happened(mac(phone), event)
}

/// Labels of which only the MAC is known.
fn labels(macs: &[&str]) -> Vec<Label> {
    macs.iter().map(|text| Label::new(mac(text))).collect()
}

/// Pairs as `listed=seen`; MACs without the usual prefix.
fn pairs(listed: &[&str], seen: &[&str]) -> String {
    let whole = |end: &&str| format!("{:0>12}", format!("4f2{end}"));
    let [listed, seen] = [listed, seen].map(|ends| {
        let whole: Vec<String> = ends.iter().map(whole).collect();
        labels(&whole.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let found = Lists { listed: &listed, seen: &seen }.pairs();
    let pairs =
        found.iter().map(|(one, other)| format!("{}={}", &one.lower()[6..], &other.lower()[6..]));
    pairs.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_stands_out() {
    let check = |listed: &[&str], seen: &[&str], expected: &str| {
        assert_eq!(pairs(listed, seen), expected, "{listed:?} {seen:?}");
    };
    check(&["aabbcb"], &["aabbc8"], "aabbcb=aabbc8");
    check(&["aabbcc"], &["112233"], "");
    // Two mistakes are the most, and then nothing else may be near.
    check(&["aab111"], &["aab199"], "aab111=aab199");
    check(&["aab111"], &["aab199", "aab211"], "aab111=aab211");
    check(&["aab111"], &["aab999"], "");
    check(&["aab111"], &["aab199", "aab991"], "");
    // Two phones, or two entries, that would do equally well.
    check(&["aab111"], &["aab211", "aab311"], "");
    check(&["aab211", "aab311"], &["aab111"], "");
    // Half a mistake less is not clear enough.
    check(&["aab18b"], &["aab188", "aab28b"], "");
    check(&["aab18b"], &["aab188"], "aab18b=aab188");
    // Each has its own.
    check(&["aab111", "ccd555"], &["ccd556", "aab112"], "aab111=aab112 ccd555=ccd556");
    // The one that is nearer takes it, and the other one stays without.
    check(&["aab111", "aab199"], &["aab112"], "aab111=aab112");
    // All in all it could also be the other way round, at the same price.
    check(&["aab111", "aab133"], &["aab112", "aab155", "aab177"], "");
}

#[test]
fn a_chain_that_fits_as_well_the_other_way_round_gives_none() {
    // By itself the first pair stands out on both sides; but both could also have made two mistakes.
    assert_eq!(pairs(&["aab111", "a99112"], &["aab112"]), "aab111=aab112");
    assert_eq!(pairs(&["aab111", "a99112"], &["aab112", "aab881"]), "");
}

#[test]
fn what_speaks_against_a_pair() {
    let one = || Label::new(mac("0004f2aab111"));
    let other = || Label::new(mac("0004f2aab112"));
    let some = |text: &str| Some(text.to_owned());
    let check = |one: Label, other: Label, expected: Option<u32>| {
        assert_eq!(one.cost(&other), expected);
        assert_eq!(other.cost(&one), expected);
    };
    check(one(), other(), Some(100));
    check(one().at(Some(1)), other().at(Some(1)), Some(80));
    check(one().at(Some(1)), other().at(Some(2)), Some(100));
    check(one().made_by(some("Poly")), other().made_by(some("Cisco")), None);
    check(one().made_by(some("Poly")), other(), Some(100));
    check(one().of_model(some("VVX 401")), other().of_model(some("VVX 411")), Some(200));
    check(
        one().of_model(some("VVX 401")).at(Some(1)),
        other().of_model(some("VVX 411")).at(Some(1)),
        Some(160),
    );
}

const SAID: &str = "Cisco Systems, Inc. IP Phone CP-7961G\0";

/// What the report of an entry says about its label.
fn said(entry: &str, changes: Vec<Change>) -> String {
    let state = state(changes.clone());
    let here = provisioner(settings(), changes);
    let report = here.report(mac(entry), &state.phones[&mac(entry)], &state, now());
    let labels = report.findings.into_iter().filter(|one| one.kind == FindingKind::BadLabel);
    let told = labels.map(|one| {
        let repair = one.repair.and_then(|repair| repair.mac);
        format!("{}{}", one.text, repair.map(|mac| format!(" -> {mac}")).unwrap_or_default())
    });
    told.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_label_by_itself() {
    let check = |phone: &str, model: &str, expected: &str| {
        assert_eq!(said(phone, vec![listed(phone, model, "4012")]), expected, "{phone} {model}");
    };
    check("0004f2aabbcc", "VVX 401", "");
    check("0004f2000000", "VVX 401", "00:04:f2:00:00:00 is a placeholder and no phone's address");
    check(
        "0204f2aabbcc",
        "VVX 401",
        "02:04:f2:aa:bb:cc is locally administered: no maker prints such an address on a phone",
    );
    check(
        "001565aabbcc",
        "VVX 401",
        "by its prefix 00:15:65:aa:bb:cc is made by Yealink, listed is a Polycom VVX 401: model or label wrong",
    );
    // Blocks that are one vendor's under the name of another that it took over.
    check("00085daabbcc", "6731i", "");
    check("000e08aabbcc", "SPA942", "");
    // A prefix that nobody knows, and a model that nobody knows.
    check("a0b1c2aabbcc", "VVX 401", "");
    check("001565aabbcc", "Toaster", "");
    check("001565aabbcc", "", "");
}

#[test]
fn a_phone_that_was_seen_was_read_rightly() {
    let phone = "001565aabbcc";
    assert_eq!(said(phone, vec![listed(phone, "VVX 401", "4012"), discovered(phone)]), "");
}

#[test]
fn the_phone_that_was_meant() {
    let (entry, here) = ("001e7ac4102b", "001e7ac41028");
    let seen =
        |phone: &str| vec![discovered(phone), showed(phone, Seen::Option60(SAID.as_bytes()))];
    let with = |more: Vec<Change>| [vec![listed(entry, "7961", "4012")], more].concat();
    let found = "never seen; 001e7ac41028 is here, not listed, and differs in one digit: 8 for B -> 00:1e:7a:c4:10:28";
    assert_eq!(said(entry, with(seen(here))), found);
    // The last digit alone would fit as well.
    assert_eq!(said(entry, with([seen(here), seen("001e7ac4102a")].concat())), "");
    // Once it is listed, or once the entry's own phone is here, there is nothing to suggest.
    assert_eq!(said(entry, with([seen(here), vec![listed(here, "7961", "4013")]].concat())), "");
    assert_eq!(said(entry, with([seen(here), seen(entry)].concat())), "");
}

#[test]
fn what_is_no_phone_is_not_suggested() {
    let (entry, here) = ("a0b1c2c4102b", "a0b1c2c41028");
    let class = crate::domain::Ground {
        from: Origin::Option60,
        value: "MSFT 5.0".to_owned(),
        vendor: None,
        family: None,
        model: None,
        firmware: None,
        mac: None,
        at: now(),
    };
    let changes = |class| {
        vec![listed(entry, "7961", "4012"), discovered(here), Change::Showed(mac(here), class)]
    };
    assert_eq!(said(entry, changes(class.clone())), "");
    let phone = crate::domain::Ground {
        value: "some phone".to_owned(),
        vendor: Some("Cisco".to_owned()),
        ..class
    };
    assert!(said(entry, changes(phone)).starts_with("never seen; a0b1c2c41028"));
}

/// A carton of sixteen: the first `seen` are up, the entry at `wrong` is listed under another MAC. Which suggestions
/// there are.
fn carton(seen: usize, wrong: Option<(usize, &str)>, spare: Option<&str>) -> Vec<String> {
    let real = |at: usize| format!("001e7ac410{:02x}", 0x20 + at);
    let label = |at: usize| match wrong {
        Some((place, typed)) if place == at => typed.to_owned(),
        _ => real(at),
    };
    let mut changes: Vec<Change> =
        (0..16).map(|at| listed(&label(at), "7961", &format!("40{at:02}"))).collect();
    let up = (0..seen).map(real).chain(spare.map(str::to_owned));
    changes.extend(
        up.flat_map(|phone| [discovered(&phone), showed(&phone, Seen::Option60(SAID.as_bytes()))]),
    );
    let (state, here) = (state(changes.clone()), provisioner(settings(), changes));
    let found = state.silent().filter_map(|entry| {
        let seen = here.meant_by(&state, entry)?;
        assert_eq!(here.listed_for(&state, seen), Some(entry), "the same from the other side");
        Some(format!("{}={}", entry.lower(), seen.lower()))
    });
    found.collect()
}

#[test]
fn a_carton_of_consecutive_labels() {
    let none: [&str; 0] = [];
    for seen in 0..=16 {
        assert_eq!(carton(seen, None, None), none, "{seen} are up, all labels are right");
        // The seventeenth of the carton was never listed.
        for spare in ["001e7ac41030", "001e7ac4101f", "001e7ac41031", "001e7ac41032"] {
            assert_eq!(carton(seen, None, Some(spare)), none, "{seen} are up, and {spare}");
        }
    }
    assert_eq!(carton(16, Some((7, "001e7ac410d7")), None), ["001e7ac410d7=001e7ac41027"]);
    assert_eq!(carton(16, Some((7, "001e7ac41072")), None), ["001e7ac41072=001e7ac41027"]);
    assert_eq!(carton(16, Some((15, "001e7ac4103f")), None), ["001e7ac4103f=001e7ac4102f"]);
    // Half of them are still in their boxes: the one that is wrong, or nothing.
    for seen in 8..16 {
        let found = carton(seen, Some((7, "001e7ac41087")), None);
        assert!(found.is_empty() || found == ["001e7ac41087=001e7ac41027"], "{seen}: {found:?}");
    }
}

/// MACs of few blocks, so that many lie near each other.
fn crowd() -> impl Strategy<Value = Vec<Mac>> {
    let one = (0..2_u8, 0..3_u8, any::<u8>()).prop_map(|(block, room, last)| {
        Mac::new([0, 4, 0xf2, block * 0x11, room * 0x44, last]).unwrap()
    });
    prop::collection::btree_set(one, 0..14).prop_map(|set| set.into_iter().collect())
}

fn labelled(macs: &[Mac]) -> Vec<Label> {
    macs.iter().map(|mac| Label::new(*mac)).collect()
}

/// The cost of every pair, by the definition: nothing is left out and nothing is looked up.
fn costs(listed: &[Label], seen: &[Label]) -> Vec<Vec<Option<u32>>> {
    listed.iter().map(|one| seen.iter().map(|other| one.cost(other)).collect()).collect()
}

/// The most that any one-to-one assignment saves, tried out one by one: the first row has each column that is free, or
/// none.
fn most_saved(costs: &[Vec<Option<u32>>], taken: u32, without: Option<(usize, usize)>) -> u32 {
    let Some((first, rest)) = costs.split_first() else { return 0 };
    let row = costs.len();
    let saves = |(column, cost): (usize, &Option<u32>)| {
        let cost = cost.filter(|cost| *cost <= LIMIT && without != Some((row, column)))?;
        let free = taken & 1 << column == 0;
        free.then(|| HORIZON - cost + most_saved(rest, taken | 1 << column, without))
    };
    first
        .iter()
        .enumerate()
        .filter_map(saves)
        .chain([most_saved(rest, taken, without)])
        .max()
        .unwrap()
}

/// All pairs that stand out, by what that means.
fn by_definition(listed: &[Label], seen: &[Label]) -> Vec<(Mac, Mac)> {
    let costs = costs(listed, seen);
    let is_listed = |value: u64| listed.iter().any(|one| one.mac().value() == value);
    let in_row = |mac: u64, own: u64| {
        [mac - 2, mac - 1, mac + 1, mac + 2]
            .into_iter()
            .filter(|near| *near != own && is_listed(*near))
            .count()
    };
    let mut found = Vec::new();
    for (row, one) in listed.iter().enumerate() {
        for (column, other) in seen.iter().enumerate() {
            let Some(cost) = costs[row][column].filter(|cost| *cost <= LIMIT) else { continue };
            let together = one.cost(other) != Label::new(one.mac()).cost(&Label::new(other.mac()));
            let next = cost + if together { MISTAKE * 4 / 5 } else { MISTAKE };
            let rivals = |cost: &Option<u32>| cost.is_some_and(|cost| cost < next);
            let in_line =
                costs[row].iter().enumerate().any(|(at, cost)| at != column && rivals(cost));
            let in_file =
                costs.iter().enumerate().any(|(at, line)| at != row && rivals(&line[column]));
            let own = in_row(one.mac().value(), one.mac().value());
            let vouched = own > 0 && own >= in_row(other.mac().value(), one.mac().value());
            let saved = |without| most_saved(&costs, 0, without);
            // Rows count from the end while they are tried out.
            let without = Some((listed.len() - row, column));
            let assigned = || saved(None) - saved(without) >= next - cost;
            if !in_line && !in_file && !vouched && assigned() {
                found.push((one.mac(), other.mac()));
            }
        }
    }
    found
}

/// MACs of a crowd, each with whether it stands on the one subnet.
fn small_crowd() -> impl Strategy<Value = Vec<Label>> {
    (crowd(), any::<u32>()).prop_map(|(macs, places)| {
        let labels = labelled(&macs).into_iter().enumerate();
        labels.map(|(at, label)| label.at((places >> at & 3 != 0).then_some(1))).take(6).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Index, early ends and components give what the definition gives.
    #[test]
    fn small_lists_as_the_definition_has_it(listed in small_crowd(), seen in small_crowd()) {
        let is_listed = |label: &Label| listed.iter().any(|one| one.mac() == label.mac());
        let seen: Vec<Label> = seen.into_iter().filter(|label| !is_listed(label)).collect();
        let found = Lists { listed: &listed, seen: &seen }.pairs();
        prop_assert_eq!(found, by_definition(&listed, &seen));
    }
}

proptest! {
    #[test]
    fn suggestions_stand_out(listed in crowd(), seen in crowd(), turn in 0..14_usize) {
        let seen: Vec<Mac> = seen.into_iter().filter(|mac| !listed.contains(mac)).collect();
        let (entries, phones) = (labelled(&listed), labelled(&seen));
        let lists = Lists { listed: &entries, seen: &phones };
        let mut found = lists.pairs();
        for (one, other) in &found {
            let (one, other) = (Label::new(*one), Label::new(*other));
            let cost = one.cost(&other).unwrap();
            prop_assert!(cost <= LIMIT);
            // Nothing ties, and nothing comes within a mistake, on either side.
            for rival in phones.iter().filter(|rival| rival.mac() != other.mac()) {
                prop_assert!(one.cost(rival).is_none_or(|rivals| rivals >= cost + MISTAKE));
            }
            for rival in entries.iter().filter(|rival| rival.mac() != one.mac()) {
                prop_assert!(other.cost(rival).is_none_or(|rivals| rivals >= cost + MISTAKE));
            }
            // The same from the other side.
            let back = partner(&lists.indexed(), Side::Seen, &other).map(|label| label.mac());
            prop_assert_eq!(back, Some(one.mac()));
        }
        // The order of the lists is no reason for anything.
        let (mut entries, mut phones) = (entries, phones);
        entries.reverse();
        let turn = turn.min(phones.len());
        phones.rotate_left(turn);
        let mut again = Lists { listed: &entries, seen: &phones }.pairs();
        found.sort_unstable();
        again.sort_unstable();
        prop_assert_eq!(found, again);
    }

    /// One label of a carton is misread in one digit; that one is suggested, or none is.
    #[test]
    fn one_mistake_in_a_carton(place in 0..16_usize, at in 0..12_usize, digit in 0..16_u32, seen in 0..=16_usize) {
        let real = format!("001e7ac410{:02x}", 0x20 + place);
        let digit = char::from_digit(digit, 16).unwrap().to_string();
        let mut typed = real.clone();
        typed.replace_range(at..=at, &digit);
        let in_carton = (0x20..0x30).any(|last| typed == format!("001e7ac410{last:02x}"));
        prop_assume!(!in_carton && typed.parse::<Mac>().is_ok());
        let found = carton(seen, Some((place, &typed)), None);
        let right = format!("{typed}={real}");
        prop_assert!(found.is_empty() || found == [right], "{:?}", found);
    }
}
