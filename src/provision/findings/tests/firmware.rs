//! Loads that are not here, not whole, or too old.

use std::fs;

use super::*;
use crate::config::Srtp;

#[test]
fn a_load_that_is_not_whole() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    put("SIP41.9-4-2.loads", "jar41sip.sbn\ncnu41.sbn\n");
    put("cnu41.sbn", "x");
    let wants = |story: Story| {
        story.set(|settings| {
            let site = settings.sites.get_mut("paris").unwrap();
            site.firmware.insert("7961".to_owned(), "SIP41.9-4-2".to_owned());
        })
    };
    let story = || wants(Story::served().firmware(directory.path())).happens(healthy(90));
    let told = story().told();
    assert!(
        told.starts_with("firmware-incomplete: SIP41.9-4-2.loads names jar41sip.sbn, which is not here, empty or not what the SHA-256 says; put"),
        "{told}"
    );
    let asked = Story::served().firmware(directory.path());
    let asked = asked.happens(healthy(90)).happens(takes(50, "SIP41.9-4-2.loads", Role::Firmware));
    assert_eq!(asked.kinds(), "firmware-incomplete", "asked for by name");
    let other = Story::served().firmware(directory.path()).happens(healthy(90));
    assert_eq!(other.kinds(), "", "a load that nobody wants is the firmware command's business");
    put("JAR41SIP.sbn", "x");
    assert_eq!(story().told(), "", "all is here");
}

#[test]
fn a_load_that_is_not_here() {
    let story =
        |happened: Vec<(u64, What)>| Story::served().happens(healthy(90)).happens(happened).kinds();
    let asks = |ago| (ago, missed("SIP41.9-4-2.loads", Role::Firmware));
    assert_eq!(story(vec![asks(50)]), "firmware-missing");
    assert_eq!(
        story([vec![asks(50)], takes(40, "SIP41.9-4-2.loads", Role::Firmware).into()].concat()),
        ""
    );
    assert_eq!(story([vec![asks(80)], healthy(50)].concat()), "", "the next boot does not ask");
}

#[test]
fn firmware_that_is_too_old() {
    let poly = "0004f2aabbcc";
    let story = |srtp: Srtp, agent: &str| {
        let story = Story::new(poly).with(listed(poly, "VVX 401", "4012"));
        let story = story.shows(Seen::UserAgent(agent)).happens([(9, discovered()), (8, acked())]);
        story.set(|settings| settings.sites.get_mut("paris").unwrap().srtp = srtp)
    };
    let runs =
        |version: &str| format!("FileTransport PolycomVVX-VVX_401-UA/{version} Type/Application");
    let check = |srtp, version: &str, expected: &str| {
        assert_eq!(story(srtp, &runs(version)).kinds(), expected, "{srtp:?} {version}");
    };
    check(Srtp::Off, "5.8.0.1234", "");
    check(Srtp::Offered, "5.9.4.3246", "firmware-below-floor");
    check(Srtp::Required, "5.8.0.1234", "firmware-below-floor");
    check(Srtp::Required, "5.9.4.3247", "");
    check(Srtp::Required, "6.3.1.8427", "");
    // The updater's version is another one.
    let updater = "FileTransport PolycomVVX-VVX_401-UA/5.8.0.1234 Type/Updater";
    assert_eq!(story(Srtp::Required, updater).kinds(), "");
    let told = story(Srtp::Required, &runs("5.8.0.1234")).told();
    assert!(
        told.starts_with(
            "firmware-below-floor: runs 5.8.0.1234, which is older than 5.9.4.3247: with SRTP"
        ),
        "{told}"
    );
    // The site's own floor, by family, vendor or model.
    for (key, floor, expected) in [
        ("poly-vvx", "6.0", "firmware-below-floor"),
        ("Poly", "6.0", "firmware-below-floor"),
        ("VVX 401", "5.9.4.3247", ""),
        ("VVX 400", "6.0", ""),
        ("yealink-desk", "6.0", ""),
    ] {
        let story = story(Srtp::Off, &runs("5.9.4.3247")).set(|settings| {
            let site = settings.sites.get_mut("paris").unwrap();
            site.firmware_floor.insert(key.to_owned(), floor.to_owned());
        });
        assert_eq!(story.kinds(), expected, "{key} {floor}");
    }
}
