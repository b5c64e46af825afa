//! Models that are taken for one another, on the families as they are shipped: each must be told from its twin, and
//! none from itself.

use super::{model::model_of, *};

/// What a phone of that model shows.
fn check(listed: &str, seen: Seen<'_>, expected: &str) {
    let story = Story::new(CISCO);
    let known = story.catalog.recognize(&seen, now()).is_some();
    assert!(known, "nobody knows {seen:?}");
    assert_eq!(model_of(story, listed, &[seen]), expected, "{listed} against {seen:?}");
}

fn class(text: &'static str) -> Seen<'static> {
    Seen::Option60(text.as_bytes())
}

/// Twins, what each of them shows, and whether one may be listed for the other.
fn twins(one: (&str, Seen<'_>), other: (&str, Seen<'_>)) {
    check(one.0, one.1, "");
    check(other.0, other.1, "");
    check(one.0, other.1, &format!("wrong-model {}", other.0));
    check(other.0, one.1, &format!("wrong-model {}", one.0));
}

#[test]
fn enterprise_and_multiplatform() {
    let enterprise = class("Cisco Systems, Inc. IP Phone CP-8841\0");
    let mpp = class("Cisco Systems, Inc. IP Phone CP-8841-3PCC\0");
    twins(("8841", enterprise), ("8841-3PCC", mpp));
    check("CP-8841-K9", enterprise, "");
    check("CP-8841-3PCC-K9", mpp, "");
    check("CP-8841-K9", mpp, "wrong-model 8841-3PCC");
    check("CP-8841-3PCC-K9", enterprise, "wrong-model 8841");
    let agent = Seen::UserAgent("Cisco-CP-7841-3PCC/11.0.1 (001e7ac41022)");
    twins(
        ("7841", class("Cisco Systems, Inc. IP Phone CP-7841")),
        ("7841-3PCC", class("CP-7841-3PCC")),
    );
    check("7841", agent, "wrong-model 7841-3PCC");
    check("7841-3PCC", Seen::FileName("7841-3PCC.xml"), "");
    check("7841", Seen::FileName("7841-3PCC.xml"), "wrong-model 7841-3PCC");
    check("7841-3PCC", Seen::UserAgent("Cisco-CP7841/10.1.1"), "wrong-model 7841");
    twins(("ATA191", class("CISCO ATA191")), ("ATA191-MPP", class("CISCO ATA191-MPP")));
    // Sold with multiplatform firmware alone.
    check("ATA192", class("CISCO ATA192-MPP"), "");
    check("ATA191-MPP", class("CISCO ATA192-MPP"), "wrong-model ATA192");
    let agent = Seen::UserAgent("Cisco/ATA191-MPP-11-1-0-MSR4 (FCH2443D9R4)");
    check("ATA191", agent, "wrong-model ATA191-MPP");
    check("ATA191-MPP", agent, "");
    twins(("SPA504G", class("Cisco SPA504G")), ("SPA508G", Seen::FileName("spa508G.cfg")));
    check("SPA504G", class("Cisco Systems, Inc. IP Phone SPA504G"), "");
    check("SPA525G2", class("Cisco SPA525G2"), "");
}

#[test]
fn poly_by_part_number() {
    let part = Seen::FileName;
    twins(("VVX400", part("3111-46157-002.sip.ld")), ("VVX401", part("3111-48400-001.sip.ld")));
    twins(("VVX310", part("3111-46161-001.sip.ld")), ("VVX401", part("3111-48400-001.sip.ld")));
    twins(("VVX500", part("3111-44500-001.sip.ld")), ("VVX501", part("3111-48500-001.sip.ld")));
    twins(("VVX150", part("3111-48810-001.sip.ld")), ("VVX250", part("3111-48820-001.sip.ld")));
    twins(("VVX350", part("3111-48830-001.sip.ld")), ("VVX450", part("3111-48840-001.sip.ld")));
    twins(("VVX101", part("3111-40250-001.sip.ld")), ("VVX201", part("3111-40450-001.sip.ld")));
    twins(("SPIP330", part("2345-12200-001.sip.ld")), ("SPIP331", part("2345-12365-001.sip.ld")));
    let agent = Seen::UserAgent;
    twins(
        ("VVX400", agent("FileTransport PolycomVVX-VVX_400-UA/5.9.7.47435 Type/Updater")),
        ("VVX401", agent("FileTransport PolycomVVX-VVX_401-UA/5.9.7.47435 Type/Updater")),
    );
    check("VVX1500", part("2345-17960-001.sip.ld"), "");
}

#[test]
fn yealink_by_code_and_firmware() {
    let codes = [
        ("T46G", "28"),
        ("T46S", "66"),
        ("T46U", "108"),
        ("T48G", "35"),
        ("T48S", "65"),
        ("T48U", "109"),
        ("T42G", "29"),
        ("T42S", "67"),
        ("T42U", "116"),
        ("T54S", "70"),
        ("T54W", "96"),
        ("T57W", "97"),
    ];
    for (is, code) in codes {
        let name = format!("y{code:0>12}.cfg");
        for (listed, _) in codes {
            let wrong = format!("wrong-model {is}");
            check(listed, Seen::FileName(&name), if is == listed { "" } else { &wrong });
            check(
                &format!("SIP-{listed}"),
                Seen::FileName(&name),
                if is == listed { "" } else { &wrong },
            );
        }
    }
    let boot = Seen::FileName("y000000000000.boot");
    check("T46S", boot, "");
}

#[test]
fn adapters_and_phones_with_a_second_version() {
    let agent = Seen::UserAgent;
    twins(
        ("HT801", agent("Grandstream Model HW HT801 V1.1A SW 1.0.29.8 DevId 001e7ac41022")),
        ("HT801V2", agent("Grandstream Model HW HT801V2 V1.0A SW 1.0.5.3 DevId 001e7ac41022")),
    );
    twins(
        ("X4", agent("Fanvil X4 2.4.0.6000 001e7ac41022")),
        ("X4U", agent("Fanvil X4U 2.4.0.6000 001e7ac41022")),
    );
    check("X4", Seen::FileName("f0X4hw1.100.cfg"), "");
    check("X4U", Seen::FileName("f0X4hw1.100.cfg"), "wrong-model X4");
    // Whether the D is said differs by firmware, so it tells nothing.
    for said in ["snom710", "snomD710"] {
        check("710", Seen::Option60(said.as_bytes()), "");
        check("D710", Seen::Option60(said.as_bytes()), "");
    }
    check("715", class("snom720"), "wrong-model 720");
}
