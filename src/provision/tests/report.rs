//! Findings, diagnoses and flags.

use crate::config::{ForFamily, Subnet};
use crate::domain::{Asked, Event, Granted, Outcome, Quarantine, Required, Role, Unserved, What};

use super::*;

const CISCO: &str = "001e7ac41022";
const OWN: &str = "SEP001E7AC41022.cnf.xml";

/// What happened to the phone, each so many seconds before now, and what the report says about it.
fn told_of(settings: Settings, mut changes: Vec<Change>, happened: Vec<(u64, What)>) -> String {
    for (ago, what) in happened {
        let at = now() - Duration::from_secs(ago);
        changes.push(Change::Happened(mac(CISCO), Event { at, what }));
    }
    let state = state(changes.clone());
    let here = provisioner(settings, changes);
    let report = here.report(mac(CISCO), &state.phones[&mac(CISCO)], &state, now());
    let flags = [
        ("ready", report.ready),
        ("stuck", report.stuck),
        ("looping", report.looping),
        ("away", report.away),
    ];
    let mut words: Vec<String> =
        flags.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect();
    words.extend(report.findings.iter().map(|finding| finding.kind.as_str().to_owned()));
    words.extend(
        report.diagnosis.map(|it| format!("{} -> {}", it.cause, it.expected.unwrap_or_default())),
    );
    words.join(", ")
}

fn asked(name: &str, role: Role) -> Asked {
    let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
    Asked { name: name.to_owned(), carrier: Carrier::Tftp, role, required, first: false }
}

fn refused(name: &str, role: Role, why: &str) -> What {
    What::Refused { asked: asked(name, role), why: why.to_owned(), normal: false }
}

fn ended(name: &str, role: Role, outcome: Outcome) -> What {
    What::Ended {
        asked: asked(name, role),
        bytes: 5,
        length: 9,
        outcome,
        etag: "e".to_owned(),
        normal: false,
        source: String::new(),
    }
}

fn discovered() -> What {
    What::discovered(None)
}

fn acked() -> What {
    let address = Ipv4Addr::new(10, 20, 0, 51);
    What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected }
}

fn known() -> Vec<Change> {
    let class = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0");
    vec![listed(CISCO, "7961G", "4012"), showed(CISCO, class)]
}

#[test]
fn a_finding_says_why_a_stranger_got_no_file() {
    let findings = |settings: Settings, why: &str| {
        let happened = [(2, discovered()), (1, refused(OWN, Role::Own, why))];
        let event = |(ago, what)| {
            let at = now() - Duration::from_secs(ago);
            Change::Happened(mac(CISCO), Event { at, what })
        };
        let state = state(happened.into_iter().map(event).collect());
        let here = provisioner(settings, vec![]);
        here.report(mac(CISCO), &state.phones[&mac(CISCO)], &state, now()).findings
    };
    let report = |why: &str| {
        let texts = findings(settings(), why).into_iter().map(|finding| finding.text);
        texts.collect::<Vec<_>>().join("; ")
    };
    let listed = "00:1e:7a:c4:10:22 is here and not listed";
    assert_eq!(
        report("00:1e:7a:c4:10:22 is not listed, and auto-registration is closed"),
        format!("{listed}: it got no file, because auto-registration is closed")
    );
    assert_eq!(report("there is no SEP001E7AC41022.cnf.xml"), listed);
    // Nobody is told to open what is open.
    let remedy = |settings: Settings, why: &str| {
        let finding = findings(settings, why).remove(0);
        finding
            .remedy
            .trim_start_matches("list it (`ringup phones set 00:1e:7a:c4:10:22 number=…`)")
            .to_owned()
    };
    let closed = "00:1e:7a:c4:10:22 is not listed, and auto-registration is closed";
    let full = "00:1e:7a:c4:10:22 is not listed, and no number is left for it in 1-2";
    let open = || registering(settings(), 1, 2);
    assert_eq!(remedy(settings(), closed), " or open auto-registration");
    assert_eq!(
        remedy(open(), closed),
        ", or restart it: auto-registration is open now and lists it"
    );
    assert_eq!(remedy(open(), full), ", or widen `numbers`: none is left");
    assert!(remedy(open(), "there is no x").starts_with(": auto-registration is open"));
}

#[test]
fn a_healthy_boot_has_nothing_to_say() {
    let told = |ago| {
        let complete = ended(OWN, Role::Own, Outcome::Complete);
        told_of(
            settings(),
            known(),
            vec![(ago + 5, discovered()), (ago + 4, acked()), (ago, complete)],
        )
    };
    assert_eq!(told(2), "", "under way");
    assert_eq!(told(56), "ready", "a minute without a reboot");
    let silent = "never-seen -> a DHCP DISCOVER of 00:1e:7a:c4:10:22";
    assert_eq!(told_of(settings(), known(), vec![]), silent, "neither stuck nor anything else");
    assert_eq!(
        told_of(settings(), known(), vec![(20, discovered()), (10, acked())]),
        "",
        "patience"
    );
}

#[test]
fn where_boots_get_stuck() {
    let check = |happened: Vec<(u64, What)>, expected: &str| {
        let happened = [vec![(200, discovered()), (199, acked())], happened].concat();
        assert_eq!(told_of(settings(), known(), happened), expected);
    };
    check(vec![], "stuck, leased-but-never-asked-for-a-file -> CTLSEP001E7AC41022.tlv");
    let gone = || ended(OWN, Role::Own, Outcome::TimedOut);
    check(
        vec![(190, What::Opened { asked: asked(OWN, Role::Own), length: 9 }), (180, gone())],
        &format!("stuck, transfer-times-out -> {OWN}"),
    );
    check(
        vec![(190, refused(OWN, Role::Own, "cisco/a.j2:3: undefined value"))],
        &format!("stuck, config-broken -> {OWN}"),
    );
    check(
        vec![(190, ended("XMLDefault.cnf.xml", Role::Fallback, Outcome::Complete))],
        &format!("stuck, default-file-only -> {OWN}"),
    );
    check(
        vec![(190, refused("Ringlist.xml", Role::Extra, "there is no Ringlist.xml"))],
        &format!("stuck, asks-but-never-for-its-configuration -> {OWN}"),
    );
    check(
        vec![(9, refused("SIP41.loads", Role::Firmware, "there is no SIP41.loads"))],
        &format!("firmware-missing, firmware-missing -> {OWN}"),
    );
}

#[test]
fn a_refusal_is_diagnosed_at_once() {
    let check = |settings: Settings, why: &str, expected: &str| {
        let strange =
            vec![showed(CISCO, Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0"))];
        let happened = vec![(5, discovered()), (4, acked()), (1, refused(OWN, Role::Own, why))];
        assert_eq!(told_of(settings, strange, happened), format!("{expected} -> {OWN}"));
    };
    check(
        settings(),
        "00:1e:7a:c4:10:22 is not listed, and auto-registration is closed",
        "not-listed, not-listed-and-auto-registration-off",
    );
    check(
        registering(settings(), 1, 2),
        "00:1e:7a:c4:10:22 is not listed, and no number is left for it in 1-2",
        "not-listed, no-numbers-left, no-numbers-left",
    );
    check(
        settings(),
        "00:1e:7a:c4:10:22 has another address than 10.0.0.1, so its file is withheld",
        "not-listed, secret-withheld, config-withheld",
    );
}

#[test]
fn contradictions() {
    let check = |model: &str, seen: Seen<'_>, expected: &str| {
        let changes = vec![listed(CISCO, model, "4012"), showed(CISCO, seen)];
        let state = state(changes.clone());
        let report = provisioner(settings(), changes).report(
            mac(CISCO),
            &state.phones[&mac(CISCO)],
            &state,
            now(),
        );
        let told: Vec<_> = report
            .findings
            .iter()
            .map(|it| format!("{}: {}; {}", it.kind.as_str(), it.text, it.remedy))
            .collect();
        assert_eq!(told.join("\n"), expected);
    };
    let class = |text: &'static str| Seen::Option60(text.as_bytes());
    let (g, ge) =
        ("Cisco Systems, Inc. IP Phone CP-7961G\0", "Cisco Systems, Inc. IP Phone CP-7961G-GE");
    check(
        "7961G-GE",
        class(g),
        "wrong-model: listed as 7961G-GE, says it is a 7961G; list it as 7961",
    );
    check("7961", class(g), "");
    check("CP-7961G", class(g), "");
    check("", class(g), "");
    check(
        "7961",
        class(ge),
        "wrong-model: listed as 7961, says it is a 7961G-GE; list it as 7961G-GE",
    );
    let agent = "Yealink SIP-T46S 66.86.0.160 001e7ac41022";
    check(
        "7961",
        Seen::UserAgent(agent),
        "wrong-family: listed as 7961, says it is a T46S; compare its label with the list; if it is the right phone, \
         list it as T46S",
    );
}

#[test]
fn addresses() {
    let exhausted = What::Unserved(Unserved::PoolExhausted);
    let told = told_of(settings(), known(), vec![(5, discovered()), (5, exhausted)]);
    assert_eq!(told, "pool-exhausted, no-address -> CTLSEP001E7AC41022.tlv");
    let address = Ipv4Addr::new(10, 20, 0, 51);
    let until = now() + Duration::from_secs(9);
    let mut changes = known();
    changes.push(Change::Quarantined(Quarantine { address, until, times: 1, by: mac(CISCO) }));
    let told =
        told_of(settings(), changes, vec![(90, discovered()), (90, What::Declined { address })]);
    assert_eq!(told, "stuck, address-conflict, address-in-use -> CTLSEP001E7AC41022.tlv");
}

#[test]
fn rfc_2131_section_4_3_3_conflicts_of_many_phones_are_one_finding() {
    let until = now() + Duration::from_secs(9);
    let remedy = |others: u8, until| {
        let aside = |(last, by)| {
            Change::Quarantined(Quarantine {
                address: [10, 20, 0, last].into(),
                until,
                times: 1,
                by,
            })
        };
        let others = (1..=others).map(|last| (last, Mac::new([2, 0, 0, 0, 0, last]).unwrap()));
        let all = others.chain([(51, mac(CISCO))]).map(aside);
        let changes: Vec<Change> = known().into_iter().chain(all).collect();
        let state = state(changes.clone());
        let here = provisioner(settings(), changes);
        let report = here.report(mac(CISCO), &state.phones[&mac(CISCO)], &state, now());
        let conflict =
            report.findings.into_iter().find(|it| it.kind.as_str() == "address-conflict");
        conflict.map(|finding| finding.remedy).unwrap_or_default()
    };
    assert!(remedy(3, until).contains("`exclude`"), "four stations, one by one");
    let many = remedy(4, until);
    assert!(many.contains("proxy ARP") && many.contains("device tracking"), "{many}");
    assert_eq!(remedy(4, now()), "", "it is over");
}

#[test]
fn again_and_again() {
    let boots = (1..=7).flat_map(|boot| {
        let ago = 200 - boot * 20;
        [(ago, discovered()), (ago - 1, acked())]
    });
    let told = told_of(settings(), known(), boots.collect());
    assert_eq!(told, "stuck, looping, looping, leased-and-starts-over -> CTLSEP001E7AC41022.tlv");
    let restarts = |boots: u64| {
        let one = move |boot| {
            let ago = 20 * (boots - boot) + 10;
            let opened = What::Opened { asked: asked(OWN, Role::Own), length: 9 };
            [
                (ago, discovered()),
                (ago, opened),
                (ago - 1, ended(OWN, Role::Own, Outcome::Complete)),
            ]
        };
        told_of(settings(), known(), (1..=boots).flat_map(one).collect())
    };
    assert_eq!(restarts(7), "", "an hour of tests at a desk");
    assert_eq!(restarts(12), "stuck, looping, looping, config-asked-again-and-again -> ");
}

#[test]
fn away_when_the_lease_is_over() {
    let mut changes = known();
    changes.push(leased(CISCO, 51));
    let boot = vec![
        (7200, discovered()),
        (7199, acked()),
        (7190, ended(OWN, Role::Own, Outcome::Complete)),
    ];
    assert_eq!(told_of(settings(), changes.clone(), boot.clone()), "ready");
    changes.push(Change::Released { address: Ipv4Addr::new(10, 20, 0, 51), at: now() });
    assert_eq!(told_of(settings(), changes, boot), "away");
}

/// One subnet, in which another server provisions Cisco's later phones.
fn elsewhere() -> Settings {
    let mut settings = Settings::default();
    let other = ForFamily { servers: vec![[10, 1, 1, 5].into()] };
    settings.dhcp.subnets = vec![Subnet {
        network: [10, 20, 0, 0].into(),
        prefix: 24,
        site: "default".to_owned(),
        pool: Vec::new(),
        router: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: Duration::from_hours(1),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: crate::config::Option82::default(),
        admit: crate::config::Admit::default(),
        options: Vec::new(),
        for_family: [("cisco-79xx-enterprise".to_owned(), other)].into(),
    }];
    settings
}

#[test]
fn another_servers_phone_is_never_in_trouble_here() {
    let showed = || {
        let (catalog, _) = crate::profile::Catalog::load(None);
        let class = crate::profile::Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0");
        vec![Change::Showed(mac(CISCO), catalog.recognize(&class, now()).unwrap())]
    };
    let check = |settings: Settings, happened: Vec<(u64, What)>, expected: &str| {
        assert_eq!(told_of(settings, showed(), happened), expected);
    };
    let leased = || vec![(600, discovered()), (599, acked())];
    let ours = "stuck, not-listed, leased-but-never-asked-for-a-file -> CTLSEP001E7AC41022.tlv";
    check(Settings::default(), leased(), ours);
    check(elsewhere(), leased(), "");
    // It starts over again and again, and asks us once although it should not.
    let again = (0..20).flat_map(|n| [(600 - n, discovered()), (600 - n, acked())]).collect();
    check(elsewhere(), again, "");
    let why = format!("{} is not listed, and auto-registration is closed", mac(CISCO));
    let asks = [leased(), vec![(500, refused(OWN, Role::Own, &why))]].concat();
    check(elsewhere(), asks, "");
    // Its address is ours to give: as long as it has none, we say what we know.
    let unserved = vec![(600, discovered()), (600, What::Unserved(Unserved::PoolExhausted))];
    check(
        elsewhere(),
        unserved,
        "stuck, not-listed, pool-exhausted, no-address -> CTLSEP001E7AC41022.tlv",
    );
}

/// A phone whose address was typed in and whose file is withheld for that shows where it asked from.
#[test]
fn where_a_withheld_phone_asked_from() {
    let asked = |why: &str| {
        let what = refused(OWN, Role::Own, why);
        let state = state(vec![Change::Happened(mac(CISCO), Event { at: now(), what })]);
        crate::provision::asked_from(&state.phones[&mac(CISCO)].boot).map(|one| one.to_string())
    };
    let why = crate::provision::Why::NoLease { peer: [10, 20, 0, 99].into() };
    assert_eq!(asked(&why.to_string()).as_deref(), Some("10.20.0.99"));
    assert_eq!(asked("there is no SEP001E7AC41022.cnf.xml"), None);
    let other = "00:1e:7a:c4:10:22 has another address than 10.20.0.98, so its file is withheld";
    assert_eq!(asked(other), None, "another phone's address");
}
