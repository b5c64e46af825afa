//! Boots that break, one for each cause, and the words that an operator reads.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use crate::{
    config::{ReadyWhen, Settings, Site, Srtp},
    domain::{Change, Entry, Quarantine, Secret, Timestamp, What},
    profile::{Catalog, Seen},
    provision::tests::{catalog, listed, settings},
};

use super::{
    super::table::{ENTRY_CHANGED, causes},
    Told,
};

/// One boot and its cause.
struct Case {
    cause: &'static str,
    family: &'static str,
    mac: &'static str,
    /// The model in the list; empty for a phone that is not in it.
    model: &'static str,
    settings: fn(&mut Settings),
    /// A line an event, the last one is when it is looked at.
    boot: &'static str,
}

const CISCO: Case = Case {
    cause: "",
    family: "cisco-79xx-enterprise",
    mac: "001e7ac41022",
    model: "7961G",
    settings: |_| {},
    boot: "",
};
const OLD: Case =
    Case { family: "cisco-legacy-sccp", mac: "0030941a0001", model: "7910G", ..CISCO };
const SIP_7960: Case =
    Case { family: "cisco-7940-7960", mac: "0006531a0001", model: "7960G", ..CISCO };
const POLY: Case = Case { family: "poly-vvx", mac: "64167f1a0001", model: "VVX 411", ..CISCO };
const YEALINK: Case = Case { family: "yealink-desk", mac: "805ec01a0001", model: "T46S", ..CISCO };

/// Registered phones of a site that waits for it.
const REGISTERED: Case = Case { settings: registered, ..CISCO };

fn paris(settings: &mut Settings, change: impl FnOnce(&mut Site)) {
    change(settings.sites.get_mut("paris").unwrap());
}

fn registered(settings: &mut Settings) {
    paris(settings, |site| site.ready_when = ReadyWhen::Registered);
}

const BOOT: &str = "0 discover\n1 lease 10.20.0.51\n";
const CONFIGURED: &str = "2 has SEP001E7AC41022.cnf.xml\n";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Rows 1 to 6: power to the first file.
    Case { cause: "never-seen", ..CISCO },
    Case { cause: "never-seen", ..OLD },
    Case { cause: "still-on-the-data-network", boot: "BOOT 200", settings: |it| it.dhcp.subnets[0].voice_vlan = Some(20), ..POLY },
    Case { cause: "still-on-the-data-network", boot: "BOOT 200", settings: |it| it.dhcp.subnets[0].voice_vlan = Some(20), ..CISCO },
    Case { cause: "no-address", boot: "0 discover\n0 unserved pool\n1", ..CISCO },
    Case { cause: "no-address", boot: "0 discover\n0 unserved admit\n1", ..CISCO },
    Case { cause: "no-address", boot: "0 discover\n0 unserved subnet\n1", ..CISCO },
    Case { cause: "address-denied", boot: "0 discover\n2 nak 10.9.0.7 it is on another network\n90", ..CISCO },
    Case { cause: "nobody-offers-an-address", boot: "0 discover\n40 discover\n120", ..CISCO },
    Case { cause: "offer-not-taken", boot: "0 discover\n0 offer 10.20.0.51\n90", ..CISCO },
    Case { cause: "address-in-use", boot: "0 discover\n1 decline 10.20.0.52\n90", ..CISCO },
    Case { cause: "leased-and-starts-over", boot: "BOOT 20 discover\n21 lease 10.20.0.51\n40 discover\n41 lease 10.20.0.51\n\
        60 discover\n61 lease 10.20.0.51\n80 discover\n81 lease 10.20.0.51\n100 discover\n101 lease 10.20.0.51\n110", ..CISCO },
    Case { cause: "starts-over-without-a-trust-list", boot: "0 miss CTLSEP001E7AC41022.tlv\n20 discover\n21 miss CTLSEP001E7AC41022.tlv\n\
        40 discover\n41 miss CTLSEP001E7AC41022.tlv\n60 discover\n61 miss CTLSEP001E7AC41022.tlv\n80 discover\n\
        81 miss CTLSEP001E7AC41022.tlv\n145", ..CISCO },
    Case { cause: "server-option-of-the-wrong-kind", boot: "BOOT 1 told 10.20.0.9 66=http://10.20.0.2/\n90", ..CISCO },
    Case { cause: "server-option-of-the-wrong-kind", boot: "BOOT 1 told 10.20.0.9 66=10.20.0.2\n90", ..POLY },
    Case { cause: "leased-without-a-server", boot: "BOOT 1 told 10.20.0.9\n90", ..CISCO },
    Case { cause: "leased-without-a-server", boot: "BOOT 1 told 10.20.0.9 150=10.20.0.2\n90", ..YEALINK },
    Case { cause: "sent-to-another-server", boot: "BOOT 1 told 10.20.0.9 150=10.20.0.12\n90",
        settings: |it| it.dhcp.subnets[0].servers = vec![[10, 20, 0, 1].into()], ..CISCO },
    Case { cause: "leased-but-never-asked-for-a-file", boot: "BOOT 90", ..CISCO },
    Case { cause: "leased-but-never-asked-for-a-file", boot: "BOOT 90", ..POLY },
    Case { cause: "took-another-servers-offer", boot: "0 discover\n0 offer 10.20.0.51\n1 rival 10.20.0.9\n2", ..CISCO },
    // Rows 7 to 12: trust lists and configuration.
    Case { cause: "transfer-times-out", boot: "BOOT 2 late SEP001E7AC41022.cnf.xml 0/4096\n90", ..CISCO },
    Case { cause: "transfer-times-out", boot: "BOOT 2 late SEP001E7AC41022.cnf.xml 2048/4096\n90", ..CISCO },
    Case { cause: "transfer-failed", boot: "BOOT 2 fails SEP001E7AC41022.cnf.xml 512/4096 Input/output error\n90", ..CISCO },
    Case { cause: "trust-list-asked-again-and-again", boot: "BOOT 2 miss CTLSEP001E7AC41022.tlv\n4 miss ITLFile.tlv\n\
        6 miss ITLSEP001E7AC41022.tlv\n8 miss ITLFile.tlv\n90", ..CISCO },
    Case { cause: "asks-but-never-for-its-configuration", boot: "BOOT 2 miss Ringlist.xml\n90", ..CISCO },
    Case { cause: "config-withheld", boot: "BOOT 2 refuse SEP001E7AC41022.cnf.xml 00:1e:7a:c4:10:22 has another address than \
        10.0.0.1, so its file is withheld\n3", ..CISCO },
    Case { cause: "config-missing", boot: "0 refuse SEP0030941A0001.cnf there is no SEP0030941A0001.cnf\n3", ..OLD },
    Case { cause: "not-listed-and-auto-registration-off", model: "", boot: "BOOT 2 refuse SEP001E7AC41022.cnf.xml \
        00:1e:7a:c4:10:22 is not listed, and auto-registration is closed\n3", ..CISCO },
    Case { cause: "not-listed-and-auto-registration-off", model: "", boot: "BOOT 2 refuse SEP001E7AC41022.cnf.xml \
        00:1e:7a:c4:10:22 is not listed, and auto-registration is closed\n3", settings: |it| it.auto_registration.enabled = true, ..CISCO },
    // The oldest phones ask for two files and start over, for ever.
    Case { cause: "not-listed-and-auto-registration-off", model: "", boot: "0 refuse SEP0030941A0001.cnf 00:30:94:1a:00:01 is not listed, \
        and auto-registration is closed\n1 refuse SEPDEFAULT.cnf 00:30:94:1a:00:01 is not listed, and auto-registration is closed\n\
        20 refuse SEP0030941A0001.cnf 00:30:94:1a:00:01 is not listed, and auto-registration is closed\n\
        21 refuse SEPDEFAULT.cnf 00:30:94:1a:00:01 is not listed, and auto-registration is closed\n25", ..OLD },
    Case { cause: "default-file-only", boot: "0 has SEPDEFAULT.cnf\n200", ..OLD },
    Case { cause: "no-numbers-left", model: "", boot: "BOOT 2 refuse SEP001E7AC41022.cnf.xml 00:1e:7a:c4:10:22 is not listed, \
        and no number is left for it in 1-2\n3", ..CISCO },
    Case { cause: "default-file-only", boot: "BOOT 2 has XMLDefault.cnf.xml\n200", ..CISCO },
    Case { cause: "config-broken", boot: "BOOT 2 refuse SEP001E7AC41022.cnf.xml f/a.j2:3: undefined value\n3", ..CISCO },
    Case { cause: "config-refused", boot: "BOOT 2 stops SEP001E7AC41022.cnf.xml 512/4096 Disk full\n90", ..CISCO },
    Case { cause: "config-partly-read", boot: "BOOT 2 stops 64167f1a0001.cfg 512/4096\n90", ..POLY },
    Case { cause: "config-too-long", boot: "0 has SIP0006531A0001.cnf 9000\n20 has SIP0006531A0001.cnf 9000\n\
        40 has SIP0006531A0001.cnf 9000\n60 discover\n61 has SIP0006531A0001.cnf 9000\n400", settings: registered, ..SIP_7960 },
    Case { cause: "config-asked-again-and-again", boot: "BOOT 2 has SEP001E7AC41022.cnf.xml\n20 has SEP001E7AC41022.cnf.xml\n\
        40 has SEP001E7AC41022.cnf.xml\n60 has SEP001E7AC41022.cnf.xml\n300", settings: registered, ..CISCO },
    Case { cause: "config-incomplete", boot: "0 has 64167f1a0001.cfg\n90", ..POLY },
    // Rows 13 to 16: loads.
    Case { cause: "firmware-missing", boot: "BOOT CONFIGURED 3 miss SIP41.9-4-2.loads\n4", ..CISCO },
    Case { cause: "firmware-missing", boot: "0 refuse 3111-48450-001.3111-48450-001.sip.ld there is no file\n4", ..POLY },
    Case { cause: "upgrade-stalled", boot: "BOOT CONFIGURED 3 begin SIP41.9-4-2.loads 0/9000\n9 progress SIP41.9-4-2.loads 600/9000\n400", ..CISCO },
    Case { cause: "firmware-again-after-each-boot", boot: "BOOT CONFIGURED 3 has SIP41.9-4-2.loads\n100 discover\n\
        101 has SEP001E7AC41022.cnf.xml\n102 has SIP41.9-4-2.loads\n200 discover\n201 has SEP001E7AC41022.cnf.xml\n\
        202 has SIP41.9-4-2.loads\n210", ..CISCO },
    Case { cause: "firmware-again-after-each-boot", model: "7961G-GE", boot: "BOOT CONFIGURED 3 has SIP41.9-4-2.loads\n100 discover\n\
        101 has SEP001E7AC41022.cnf.xml\n102 has SIP41.9-4-2.loads\n200 discover\n201 has SEP001E7AC41022.cnf.xml\n\
        202 has SIP41.9-4-2.loads\n210", ..CISCO },
    Case { cause: "keeps-another-load", boot: "0 has 805ec01a0001.cfg\n400", settings: |it| paris(it, |site| {
        site.firmware.insert("T46S".to_owned(), "T46S-66.86.0.15.rom".to_owned());
    }), ..YEALINK },
    Case { cause: "no-restart-after-its-load", boot: "BOOT CONFIGURED 3 has SIP41.9-4-2.loads\n1200", ..CISCO },
    Case { cause: "entry-changed-since-its-configuration", boot: "BOOT CONFIGURED 100", ..CISCO },
    Case { cause: "entry-changed-since-its-configuration", boot: "BOOT 2 has 64167f1a0001.cfg\n3 has 64167f1a0001-line.cfg\n100", ..POLY },
    // Rows 15 and 17 to 25: registration.
    Case { cause: "configured-but-never-registers", boot: "BOOT CONFIGURED 300", ..REGISTERED },
    Case { cause: "registers-without-an-answer", boot: "BOOT CONFIGURED 9 asks 10.20.0.5\n19 asks 10.20.0.5\n39 asks 10.20.0.5\n120", ..REGISTERED },
    Case { cause: "registers-at-another-server", boot: "BOOT CONFIGURED 9 asks 192.0.2.7\n120", ..REGISTERED },
    Case { cause: "credentials-refused", boot: "BOOT CONFIGURED 9 rejected 10.20.0.5 challenged\n10", ..REGISTERED },
    Case { cause: "registration-forbidden", boot: "BOOT CONFIGURED 9 rejected 10.20.0.5 forbidden 403 Forbidden\n11 asks 10.20.0.5\n12", ..REGISTERED },
    Case { cause: "registration-rejected", boot: "BOOT CONFIGURED 9 rejected 10.20.0.5 unknown\n10", ..REGISTERED },
    Case { cause: "registration-rejected-as-insecure", boot: "BOOT CONFIGURED 9 rejected 10.20.0.6 security registration rejected : security error\n10", ..REGISTERED },
    Case { cause: "load-newer-than-its-call-manager", boot: "BOOT CONFIGURED 9 rejected 10.20.0.5 version\n10", ..REGISTERED },
    Case { cause: "loads-the-other-protocol", boot: "0 miss OS79XX.TXT\n1 miss CTLSEP0006531A0001.tlv\n2 miss SEP0006531A0001.cnf.xml\n90", ..SIP_7960 },
    Case { cause: "loads-the-other-protocol", boot: "BOOT CONFIGURED 3 miss English/mk-sccp.jar\n300", ..REGISTERED },
    Case { cause: "registration-lapses", boot: "BOOT CONFIGURED 9 registers 10.20.0.5\n300 ends 10.20.0.5 expired\n310 registers 10.20.0.5\n\
        600 ends 10.20.0.5 expired\n700", ..REGISTERED },
    Case { cause: "registration-lapses-under-srtp", boot: "BOOT CONFIGURED 9 registers 10.20.0.5\n300 ends 10.20.0.5 reset\n310 registers 10.20.0.5\n\
        600 ends 10.20.0.5 reset\n700", settings: |it| paris(it, |site| site.srtp = Srtp::Required), ..REGISTERED },
    Case { cause: "registration-toggles", boot: "BOOT CONFIGURED 9 registers 10.20.0.5\n60 registers 10.20.0.6\n90 registers 10.20.0.5\n\
        120 registers 10.20.0.6\n150 registers 10.20.0.5\n160", ..REGISTERED },
];

fn told<'a>(catalog: &'a Arc<Catalog>, case: &Case) -> (Told<'a>, i64) {
    let mut settings = settings();
    (case.settings)(&mut settings);
    let mut told = Told::new(catalog, settings, case.family, case.mac);
    if !case.model.is_empty() {
        let Change::Listed(mac, mut entry) = listed(case.mac, case.model, "4012") else {
            return (told, 0);
        };
        entry.site = Some("paris".to_owned());
        told.beside.push(Change::Listed(mac, entry));
    }
    let boot = case.boot.replace("BOOT ", BOOT).replace("CONFIGURED ", CONFIGURED);
    let (lines, at) = boot.rsplit_once('\n').unwrap_or(("", &boot));
    if !boot.is_empty() {
        told.shows(&match case.family {
            "poly-vvx" => {
                Seen::UserAgent("FileTransport PolycomVVX-VVX_411-UA/5.9.7.47435 Type/Application")
            }
            "yealink-desk" => Seen::UserAgent("Yealink SIP-T46S 66.85.0.5 805ec01a0001"),
            "cisco-7940-7960" => Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7960G\0"),
            "cisco-legacy-sccp" => Seen::Option60(b"Cisco Systems, Inc. IP Phone 7905"),
            _ => Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0"),
        });
    }
    lines.lines().for_each(|line| told.line(line));
    if case.cause == "address-in-use" {
        let (address, until) = ([10, 20, 0, 52].into(), Timestamp::MAX);
        told.beside.push(Change::Quarantined(Quarantine {
            address,
            until,
            times: 1,
            by: told.mac,
        }));
    }
    if case.cause == ENTRY_CHANGED {
        let Change::Listed(mac, mut entry) = told.beside[0].clone() else { return (told, 0) };
        entry.lines[0].number = "4013".to_owned();
        told.behind.push(Change::Listed(mac, entry));
    }
    (told, at.parse().unwrap_or_default())
}

#[test]
fn each_broken_boot_has_its_cause() {
    let catalog = catalog();
    let mut golden = String::new();
    let mut wrong = Vec::new();
    for (number, case) in (1..).zip(CASES) {
        let (told, at) = told(&catalog, case);
        let report = told.report(at);
        let cause = report.diagnosis.as_ref().map_or("none", |it| it.cause);
        if cause != case.cause || report.ready != (cause == ENTRY_CHANGED) {
            wrong.push(format!("{number}: {cause} instead of {} ({report:?})", case.cause));
        }
        let Some(it) = report.diagnosis else { continue };
        let expected = it.expected.as_deref().unwrap_or("nothing");
        let (text, remedy) = (&it.text, &it.remedy);
        let _ = writeln!(golden, "{cause}\n  {text}\n  => {remedy}\n  then {expected}\n");
        assert!(!format!("{text}{remedy}{expected}").contains('…'), "{cause}: {text} {remedy}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("causes", golden);
}

#[test]
fn every_cause_has_a_boot() {
    // Families of that kind are tried in a test of their own.
    let apart = "offer-without-its-options";
    let tried: BTreeSet<_> = CASES.iter().map(|case| case.cause).chain([apart]).collect();
    let known: BTreeSet<_> = causes().map(|cause| cause.name).collect();
    assert_eq!(tried, known);
}

/// Phones that reject an offer without their vendor's option.
#[test]
fn an_offer_without_its_options() {
    let catalog = catalog();
    let mut told = Told::new(&catalog, settings(), "mitel-minet", "08000f1a0001");
    told.shows(&Seen::Option60(b"ipphone.mitel.com"));
    for line in ["0 discover", "0 offer 10.20.0.51"] {
        told.line(line);
    }
    let told = told.report(90).diagnosis.unwrap();
    assert_eq!(told.cause, "offer-without-its-options");
    assert_eq!(
        told.text,
        "it was offered an address and turned it down: its family takes no offer without option 125, 43"
    );
}

#[test]
fn an_upgrade_that_advances_is_progress() {
    let catalog = catalog();
    let mut told =
        told(&catalog, &Case { boot: "BOOT CONFIGURED 3 has SIP41.8-5-2.loads\n4", ..CISCO }).0;
    let flags = |told: &Told<'_>, at| {
        let report = told.report(at);
        let flags = [("ready", report.ready), ("stuck", report.stuck), ("looping", report.looping)];
        let on = flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
        let cause = report.diagnosis.map(|it| it.cause);
        on.chain(cause).map(str::to_owned).chain(report.progress).collect::<Vec<_>>().join(", ")
    };
    let has = "has SIP41.8-5-2.loads whole: ";
    assert_eq!(flags(&told, 200), format!("{has}0 of 1 reboots"), "it writes its flash");
    for line in ["300 discover", "301 lease 10.20.0.51"] {
        told.line(line);
    }
    assert_eq!(flags(&told, 310), format!("{has}1 of 1 reboots"));
    told.line("311 has SEP001E7AC41022.cnf.xml");
    assert_eq!(flags(&told, 320), format!("{has}1 of 1 reboots"), "not settled");
    assert_eq!(flags(&told, 400), "ready");
    // A ladder of ten loads in nine minutes.
    for step in 0..10 {
        let at = 400 + step * 54;
        told.line(&format!("{at} discover"));
        told.line(&format!("{} miss CTLSEP001E7AC41022.tlv", at + 1));
        assert!(!told.report(at + 2).looping, "step {step}");
        told.line(&format!("{} has SEP001E7AC41022.cnf.xml", at + 3));
        told.line(&format!("{} has SIP41.9-{step}-1.loads", at + 4));
        let report = told.report(at + 5);
        assert!(!report.looping && !report.stuck && !report.ready, "step {step}: {report:?}");
    }
}

#[test]
fn a_registration_that_ended() {
    let catalog = catalog();
    let boot = "BOOT CONFIGURED 9 registers 10.20.0.5\n300 ends 10.20.0.5 expired\n301";
    let (mut told, _) = told(&catalog, &Case { boot, ..REGISTERED });
    let report = told.report(250);
    assert!(report.away && report.diagnosis.is_none(), "once is no pattern: {report:?}");
    told.line("310 asks 10.20.0.5");
    assert!(told.report(311).away, "it tries");
    told.line("311 registers 10.20.0.5");
    let report = told.report(312);
    assert!(report.ready && !report.away, "{report:?}");
}

/// Row 16: what was listed anew is told until the phone has read it, or until it is as it was.
#[test]
fn an_entry_that_changed() {
    let catalog = catalog();
    let cause = |told: &Told<'_>| told.report(100).diagnosis.map_or("none", |it| it.cause);
    let (mut told, _) = told(&catalog, &Case { boot: "BOOT CONFIGURED 100", ..CISCO });
    assert_eq!(cause(&told), "none");
    let Change::Listed(mac, entry) = told.beside[0].clone() else { panic!() };
    let relist = |change: fn(&mut Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        Change::Listed(mac, entry)
    };
    let check = |told: &mut Told<'_>, change: Change, expected: &str| {
        told.behind.push(change);
        assert_eq!(cause(told), expected, "{:?}", told.behind.last());
    };
    check(&mut told, relist(|entry| entry.note = "by the door".to_owned()), "none");
    check(
        &mut told,
        relist(|entry| entry.lines[0].sip_password = Secret::new("x".to_owned())),
        ENTRY_CHANGED,
    );
    check(&mut told, relist(|_| {}), "none");
    check(
        &mut told,
        relist(|entry| drop(entry.set.insert("a".to_owned(), "b".to_owned()))),
        ENTRY_CHANGED,
    );
    let report = told.report(100);
    assert!(
        report.ready && report.diagnosis.is_some_and(|it| it.remedy.contains("service-control"))
    );
    // It comes again and reads what is listed now; the order of facts decides.
    let again = std::mem::take(&mut told.events);
    told.beside.append(&mut told.behind);
    told.events = again;
    assert_eq!(cause(&told), "none");
    // A file of the operator's own does not follow the entry.
    for event in &mut told.events {
        if let What::Ended { source, .. } = &mut event.what {
            "file paris/own".clone_into(source);
        }
    }
    check(&mut told, relist(|entry| entry.model.clear()), "none");
}
