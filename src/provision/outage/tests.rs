//! Power cuts as phones go through them: who is back, and who is not.

use super::*;

/// Seconds after the power came back.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

const DAY: i64 = 24 * 60 * 60;

/// A phone that was configured a day before and heard of an hour before.
fn sight(number: u32, site: &str, switch: &str) -> Sight {
    let [a, b, c, d] = number.to_be_bytes();
    Sight {
        mac: Mac::new([0, 4, a, b, c, d]).unwrap(),
        site: site.to_owned(),
        switch: switch.to_owned(),
        starts: vec![at(-DAY)],
        arrivals: vec![Arrival { round: at(-DAY), at: at(20 - DAY) }],
        heard: at(-3600),
        arrived: true,
        away: false,
    }
}

/// The same, which started over and may have come up.
fn restarted(sight: Sight, start: i64, up: Option<i64>) -> Sight {
    let Sight { mut starts, mut arrivals, .. } = sight.clone();
    starts.push(at(start));
    arrivals.extend(up.map(|up| Arrival { round: at(start), at: at(up) }));
    let heard = at(up.unwrap_or(start));
    Sight { starts, arrivals, heard, arrived: up.is_some(), ..sight }
}

/// 48 phones in Lyon, most of which came back; a site that kept its power; and one that lost it, all but one switch.
fn morning() -> Vec<Sight> {
    let lyon = (0..48).map(|n| {
        let switch = format!("sw-{}", n / 12);
        let phone = sight(n, "lyon", &switch);
        match n {
            36.. => phone,
            30..36 => restarted(phone, 40, None),
            _ => restarted(phone, i64::from(n), Some(60 + i64::from(n))),
        }
    });
    let paris = (100..140).map(|n| sight(n, "paris", "sw-9"));
    let rome = (200..240).map(|n| match n {
        // Its switch has a battery: one phone renewed its lease meanwhile, nobody started over.
        200 => Sight { heard: at(300), ..sight(n, "rome", "sw-b") },
        201..210 => sight(n, "rome", "sw-b"),
        _ => restarted(sight(n, "rome", "sw-a"), 90, Some(150)),
    });
    lyon.chain(paris).chain(rome).collect()
}

fn words(outage: &Outage) -> String {
    let tell = |counts: &Counts| {
        let Counts { expected, back, coming, missing, unheard } = counts;
        format!("{back}/{expected} back, {coming} coming, {missing} missing, {unheard} unheard")
    };
    let groups =
        outage.groups.iter().map(|((site, switch), one)| format!("{site} {switch}: {}", tell(one)));
    std::iter::once(tell(&outage.counts)).chain(groups).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_seven_oclock_view() {
    let outage = outage(&morning(), None);
    // Rome's is the last mass reboot; Lyon's, a minute before, is the same one.
    assert_eq!(outage.since, Some(at(90)));
    assert_eq!(
        words(&outage),
        "60/78 back, 6 coming, 12 missing, 0 unheard\n\
         lyon sw-0: 12/12 back, 0 coming, 0 missing, 0 unheard\n\
         lyon sw-1: 12/12 back, 0 coming, 0 missing, 0 unheard\n\
         lyon sw-2: 6/12 back, 6 coming, 0 missing, 0 unheard\n\
         lyon sw-3: 0/12 back, 0 coming, 12 missing, 0 unheard\n\
         rome sw-a: 30/30 back, 0 coming, 0 missing, 0 unheard"
    );
    let missing = outage.phones.iter().filter(|(_, one)| **one == Return::Missing);
    assert_eq!(missing.count(), 12);
}

#[test]
fn one_switch_of_many() {
    // Sixty phones on five switches; one switch restarted, and two of its phones stay dark.
    let phone = |n: u32| match n {
        0..10 => restarted(sight(n, "lyon", "sw-0"), 10, Some(70)),
        _ => sight(n, "lyon", &format!("sw-{}", n / 12)),
    };
    let mut phones: Vec<_> = (0..60).map(phone).collect();
    assert_eq!(
        words(&outage(&phones, None)).lines().next(),
        Some("10/12 back, 0 coming, 2 missing, 0 unheard")
    );
    // Where no switch tells, ten restarts in sixty phones say nothing about the other fifty.
    for phone in &mut phones {
        phone.switch.clear();
    }
    assert_eq!(
        words(&outage(&phones, None)).lines().next(),
        Some("10/10 back, 0 coming, 0 missing, 0 unheard")
    );
}

#[test]
fn a_moment_of_ones_own_choice() {
    let mut phones = morning();
    phones[40].away = true;
    // Before the power cut: everybody counts, and what did not restart is not called missing.
    let all = outage(&phones, Some(at(-60)));
    assert_eq!(all.counts.expected, 128);
    assert_eq!(all.groups[&("paris".to_owned(), "sw-9".to_owned())].unheard, 40);
    assert_eq!(all.counts.missing, 12, "Lyon's fourth switch");
    // After it, who is away is missing, whoever else kept still is not.
    let later = outage(&phones, Some(at(600)));
    let lyon = later.groups[&("lyon".to_owned(), "sw-3".to_owned())];
    assert_eq!((lyon.expected, lyon.missing, lyon.unheard), (12, 1, 11));
    assert_eq!(later.groups.get(&("lyon".to_owned(), "sw-2".to_owned())).unwrap().expected, 6);
}

#[test]
fn what_is_no_mass_reboot() {
    let one_by_one = |count: u32, apart: i64| {
        let phone = |n: u32| {
            let start = i64::from(n) * apart;
            restarted(sight(n, "lyon", ""), start, Some(start + 60))
        };
        outage(&(0..count).map(phone).collect::<Vec<_>>(), None).since
    };
    assert_eq!(one_by_one(40, 300), None, "three in ten minutes are nothing");
    assert_eq!(one_by_one(40, 60), Some(at(0)), "one a minute is a rolling restart of all");
    assert_eq!(one_by_one(4, 1), None, "four phones are no mass");
    // First boots are no reboots: a rollout is not an outage.
    let fresh = |n: u32| Sight {
        starts: vec![at(i64::from(n))],
        arrivals: vec![Arrival { round: at(i64::from(n)), at: at(i64::from(n) + 20) }],
        ..sight(n, "lyon", "")
    };
    assert_eq!(outage(&(0..48).map(fresh).collect::<Vec<_>>(), None), Outage::default());
}

#[test]
fn the_last_of_several_counts() {
    let twice = |n: u32| {
        let once = restarted(sight(n, "lyon", ""), 0, Some(60));
        restarted(once, 7200 + i64::from(n), (n < 30).then_some(7300))
    };
    let found = outage(&(0..40).map(twice).collect::<Vec<_>>(), None);
    assert_eq!(found.since, Some(at(7200)));
    assert_eq!((found.counts.back, found.counts.coming), (30, 10));
}

#[test]
fn who_was_gone_before_is_not_expected() {
    let mut phones = morning();
    phones[47].heard = at(-8 * DAY);
    // It was stuck when the power went: it was not ready, so nobody waits for it.
    phones[46].starts.push(at(-1000));
    let counts = outage(&phones, None).counts;
    assert_eq!((counts.expected, counts.missing), (76, 10));
}
