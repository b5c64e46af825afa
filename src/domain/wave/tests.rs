//! Who gets the load, and who is there: cases as lines.

use super::{
    super::{Asked, Carrier, Event, Outcome, Required, What},
    *,
};

#[test]
fn offers() {
    use Kept::{Canary, Full, Incomplete, Newer, Paused};
    use Offer::{Keep, Load, Place as Takes};
    // (whole runs older downgrade | place | wave canary paused passed | open placed)
    let check =
        |flags: &str, place: &str, (wave, canary): (usize, usize), (open, placed), expected| {
            let is = |word: &str| flags.split(' ').any(|flag| flag == word);
            let place = (!place.is_empty()).then(|| Place {
                load: place.to_owned(),
                since: at(0),
                round: 1,
                done: None,
            });
            let passed =
                if is("passed") { BTreeSet::from(["new".to_owned()]) } else { BTreeSet::new() };
            let brake = Brake { paused: is("paused"), passed };
            let some = |count: usize| (count > 0).then_some(count);
            let wish = Wish {
                load: "New",
                whole: !is("half"),
                runs: is("runs"),
                older: is("older"),
                downgrade: is("downgrade"),
                place: place.as_ref(),
                wave: some(wave),
                canary: some(canary),
                brake: &brake,
                open,
                placed,
            };
            assert_eq!(offer(&wish), expected, "{flags} {place:?} {wave} {canary} {open} {placed}");
        };
    check("", "", (0, 0), (9, 9), Load);
    check("half", "", (0, 0), (0, 0), Keep(Incomplete));
    check("half runs", "", (0, 0), (0, 0), Keep(Incomplete));
    check("older", "", (0, 0), (0, 0), Keep(Newer));
    check("older downgrade", "", (0, 0), (0, 0), Load);
    check("older downgrade", "", (2, 0), (0, 0), Takes);
    check("", "", (2, 0), (0, 0), Takes);
    check("", "", (2, 0), (1, 7), Takes);
    check("", "", (2, 0), (2, 2), Keep(Full));
    check("runs", "", (2, 0), (2, 2), Load);
    check("", "NEW", (2, 0), (2, 2), Load);
    check("", "old", (2, 0), (2, 2), Keep(Full));
    check("paused", "", (2, 0), (0, 0), Keep(Paused));
    check("paused", "new", (2, 0), (1, 1), Load);
    check("", "", (9, 1), (0, 0), Takes);
    check("", "", (9, 1), (0, 1), Keep(Canary));
    check("passed", "", (9, 1), (0, 1), Takes);
    check("passed", "", (1, 1), (1, 1), Keep(Full));
    check("", "", (0, 3), (0, 3), Keep(Canary));
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn asked(name: &str, role: Role) -> Asked {
    let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
    Asked { name: name.into(), role, carrier: Carrier::Tftp, required, first: false }
}

/// A boot of what happened at each second: `boots`, `config`, `load`, `no-load`, `opens`.
fn boot(events: &[(i64, &str)]) -> Boot {
    let mut boot = Boot::default();
    for (second, what) in events {
        let opened = |asked| What::Opened { asked, length: 9 };
        let ended = |asked| What::Ended {
            asked,
            bytes: 9,
            length: 9,
            outcome: Outcome::Complete,
            etag: "e".into(),
            normal: false,
            source: "firmware x".into(),
        };
        let (own, load) = (asked("a.cfg", Role::Own), asked("New.loads", Role::Firmware));
        let all = match *what {
            "boots" => vec![What::discovered(None)],
            "config" => vec![opened(own.clone()), ended(own)],
            "opens" => vec![opened(load)],
            "load" => vec![opened(load.clone()), ended(load)],
            "no-load" => vec![What::Refused { asked: load, why: "no".into(), normal: false }],
            other => panic!("{other}"),
        };
        for what in all {
            boot.fold(&Event { at: at(*second), what });
        }
    }
    boot
}

#[test]
fn standings() {
    use Standing::{Done, Failed, UnderWay};
    let check = |events: &[(i64, &str)], runs: Option<bool>, now, expected| {
        let place = Place { load: "New".into(), since: at(10), round: 1, done: None };
        assert_eq!(standing(&place, &boot(events), runs, at(now)), expected, "{events:?} {runs:?}");
        let done = Place { done: Some(at(11)), ..place };
        assert_eq!(standing(&done, &boot(events), runs, at(now)), Standing::Done);
    };
    let told = [(0, "boots"), (10, "config")];
    check(&told, None, 20, UnderWay);
    check(&told, None, 310, Done);
    check(&told, Some(false), 310, UnderWay);
    check(&told, Some(false), 3700, Failed);
    check(&told, Some(true), 20, Done);
    let fetching = [(0, "boots"), (10, "config"), (20, "opens")];
    check(&fetching, None, 400, UnderWay);
    check(&fetching, None, 3700, Failed);
    let took = [(0, "boots"), (10, "config"), (20, "load")];
    check(&took, None, 60, UnderWay);
    check(&took, None, 3700, Failed);
    let back = [(0, "boots"), (10, "config"), (20, "load"), (90, "boots"), (95, "config")];
    check(&back, None, 96, Done);
    check(&back, Some(false), 96, UnderWay);
    let again = [back.as_slice(), &[(96, "load")]].concat();
    check(&again, None, 97, Failed);
    check(&[(0, "boots"), (10, "config"), (20, "no-load")], None, 21, Failed);
}
