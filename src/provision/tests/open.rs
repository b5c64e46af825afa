//! What each name gives to whom.

use std::fs;

use proptest::prelude::*;

use crate::domain::{Event, Granted, Role, What};

use super::*;

const CISCO: &str = "001e7ac41022";
const POLY: &str = "0004f2aabbcc";
const YEALINK: &str = "001565aabbcc";

fn everybody() -> Vec<Change> {
    let class = b"Cisco Systems, Inc. IP Phone CP-7961G\0";
    vec![
        listed(CISCO, "7961G", "4012"),
        showed(CISCO, Seen::Option60(class)),
        listed(POLY, "VVX 401", "4013"),
        listed(YEALINK, "SIP-T46S", "4014"),
        leased(CISCO, 51),
        leased(POLY, 52),
        leased(YEALINK, 53),
    ]
}

#[test]
fn names_of_all_families() {
    let here = provisioner(settings(), everybody());
    let check = |line, expected| check(&here, line, expected);
    let cisco = "own of 00:1e:7a:c4:10:22 from template cisco-79xx-enterprise/phone.cnf.xml.j2";
    check("10.20.0.51 SEP001E7AC41022.cnf.xml", cisco);
    check("10.20.0.51 /sep001e7ac41022.CNF.XML", cisco);
    check("10.20.0.51 \\SEP001E7AC41022.cnf.xml", cisco);
    check("10.20.0.51 CTLSEP001E7AC41022.tlv", "there is no CTLSEP001E7AC41022.tlv (normal)");
    check(
        "10.20.0.51 XMLDefault.cnf.xml",
        "fallback of 00:1e:7a:c4:10:22 from template cisco-79xx-enterprise/default.cnf.xml.j2",
    );
    check(
        "10.20.0.52 0004F2AABBCC.cfg",
        "own of 00:04:f2:aa:bb:cc from template poly-vvx/master.cfg.j2",
    );
    check(
        "10.20.0.52 000000000000.cfg",
        "common of 00:04:f2:aa:bb:cc from template poly-vvx/common-master.cfg.j2",
    );
    check("10.20.0.52 0004f2aabbcc-web.cfg", "there is no 0004f2aabbcc-web.cfg (normal)");
    check("10.20.0.53 001565aabbcc.boot", "there is no 001565aabbcc.boot (normal)");
    check(
        "10.20.0.53 y000000000066.cfg",
        "common of 00:15:65:aa:bb:cc from template yealink-desk/common.cfg.j2",
    );
    check(
        "10.20.0.53 001565aabbcc.cfg",
        "own of 00:15:65:aa:bb:cc from template yealink-desk/phone.cfg.j2",
    );
    check("10.20.0.51 ffffffffffff.cfg", "no family has a file named ffffffffffff.cfg");
    check("10.20.0.51 ../../etc/passwd", "no family has a file named ../../etc/passwd");
    check("10.20.0.51 nothing.bin", "no family has a file named nothing.bin");
}

#[test]
fn several_families_ask_for_one_name() {
    let stranger = "0c383e000001";
    let here = provisioner(
        settings(),
        vec![
            listed(stranger, "", "1"),
            listed("0c383e000002", "T46S", "2"),
            listed("0c383e000003", "", "3"),
            showed("0c383e000003", Seen::UserAgent("Yealink SIP-T46S 66.86.0.160 0c383e000003")),
        ],
    );
    let family = |line: &str| {
        let opened = open(&here, line).unwrap();
        opened.source.split('/').next().unwrap().to_owned()
    };
    let agent = "FileTransport PolycomVVX-VVX_401-UA/5.9.7.47435 Type/Application";
    assert_eq!(family(&format!("10.0.0.1 0c383e000001.cfg | {agent}")), "template poly-vvx");
    assert_eq!(
        family("10.0.0.1 0c383e000002.cfg"),
        "template yealink-desk",
        "by the entry's model"
    );
    assert_eq!(family("10.0.0.1 0c383e000003.cfg"), "template yealink-desk", "by what was learned");
    let poly = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application";
    assert_eq!(
        family(&format!("10.0.0.1 0c383e000003.cfg | {poly}")),
        "template poly-soundpoint",
        "now beats then"
    );
}

#[test]
fn own_files_go_to_the_leased_address() {
    let mut changes = everybody();
    changes.push(listed("00156500000a", "T46S", "4020"));
    let here = provisioner(serving(), changes);
    let check = |line, expected| check(&here, line, expected);
    check(
        "10.20.0.53 001565aabbcc.cfg",
        "own of 00:15:65:aa:bb:cc from template yealink-desk/phone.cfg.j2",
    );
    check(
        "::ffff:10.20.0.53 001565aabbcc.cfg",
        "own of 00:15:65:aa:bb:cc from template yealink-desk/phone.cfg.j2",
    );
    check(
        "10.20.0.52 001565aabbcc.cfg",
        "00:15:65:aa:bb:cc has another address than 10.20.0.52, so its file is withheld",
    );
    check("10.20.0.99 001565aabbcc.cfg", "10.20.0.99 holds no lease, so its phone is unknown");
    check("10.20.0.99 00156500000a.cfg", "10.20.0.99 holds no lease, so its phone is unknown");
    check(
        "10.20.0.99 y000000000066.cfg",
        "common of nobody from template yealink-desk/common.cfg.j2",
    );
    check(
        "10.20.0.99 y000000000066.cfg | Yealink SIP-T46S 66.86.0.160 00:15:65:aa:bb:cc",
        "common of nobody from template yealink-desk/common.cfg.j2",
    );
    let withheld =
        open(&here, "10.20.0.52 001565aabbcc.cfg | Yealink SIP-T46S 66.86.0.160").unwrap_err();
    assert!(
        withheld.grounds.is_empty() && !withheld.asked.first,
        "a stranger's word is no evidence"
    );
}

#[test]
fn common_files_hold_no_secrets_and_the_sites_values() {
    let here = provisioner(settings(), everybody());
    for line in [
        "10.20.0.53 y000000000066.cfg",
        "10.20.0.52 000000000000.cfg",
        "10.20.0.51 XMLDefault.cnf.xml",
    ] {
        let text = text(&open(&here, line).unwrap());
        assert!(!text.contains("4dm1n") && !text.contains("pw-40"), "{line}: {text}");
    }
    let own = text(&open(&here, "10.20.0.53 001565aabbcc.cfg").unwrap());
    assert!(own.contains("pw-4014") && own.contains("10.20.0.5"), "{own}");
}

#[test]
fn operators_look_with_masks_on() {
    let mut changes = everybody();
    let address = Ipv4Addr::new(10, 20, 0, 53);
    let what = What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected };
    changes.push(Change::Happened(mac(YEALINK), Event { at: now(), what }));
    let here = provisioner(serving(), changes);
    let look =
        |name: &str, reveal| here.preview(mac(YEALINK), name, [10, 20, 0, 2].into(), reveal, now());
    let masked = text(&look("001565aabbcc.cfg", false).unwrap());
    assert!(masked.contains("••••") && !masked.contains("pw-4014"), "{masked}");
    let plain = text(&look("001565aabbcc.cfg", true).unwrap());
    assert!(plain.contains("pw-4014"));
    assert_eq!(
        plain,
        text(&open(&here, "10.20.0.53 001565aabbcc.cfg").unwrap()),
        "exactly what it gets"
    );
    assert!(look("0004f2aabbcc.cfg", true).is_err(), "another phone's file");
}

#[test]
fn equal_content_has_equal_tags() {
    let here = provisioner(settings(), everybody());
    let tag = |line: &str| open(&here, line).unwrap().etag;
    assert_eq!(tag("10.20.0.53 001565aabbcc.cfg"), tag("10.20.0.53 /001565AABBCC.cfg"));
    assert_eq!(tag("10.20.0.53 001565aabbcc.cfg").len(), 16);
    let mut changes = everybody();
    changes.push(listed(YEALINK, "SIP-T46S", "4015"));
    let there = provisioner(settings(), changes);
    assert_ne!(
        tag("10.20.0.53 001565aabbcc.cfg"),
        open(&there, "10.20.0.53 001565aabbcc.cfg").unwrap().etag
    );
}

#[test]
fn required_files_are_numbered() {
    let slot = |settings: Settings, line: &str| {
        let required = open(&provisioner(settings, everybody()), line).unwrap().asked.required;
        required.map(|required| (required.slot, required.of))
    };
    assert_eq!(slot(settings(), "10.0.0.1 0004f2aabbcc.cfg"), Some((0, 2)));
    assert_eq!(slot(settings(), "10.0.0.1 0004f2aabbcc-line.cfg"), Some((1, 2)));
    assert_eq!(slot(settings(), "10.0.0.1 y000000000066.cfg"), None);
    assert_eq!(slot(settings(), "10.0.0.1 SEP001E7AC41022.cnf.xml"), Some((0, 1)));
}

#[test]
fn the_operators_own_files() {
    let directory = tempfile::tempdir().unwrap();
    let (files, firmware) = (directory.path().join("files"), directory.path().join("firmware"));
    fs::create_dir_all(files.join("paris")).unwrap();
    fs::create_dir_all(firmware.join("cisco")).unwrap();
    for name in [
        "SEP001E7AC41022.cnf.xml",
        "CTLSEP001E7AC41022.tlv",
        "paris/ring.wav",
        "SEP{MAC}.cnf",
        "secret-003094000009.bin",
    ] {
        fs::write(files.join(name), name).unwrap();
    }
    fs::write(files.join("motd.xml.j2"), "<m>{{ site }} {{ servers[0].address }}</m>").unwrap();
    fs::write(firmware.join("cisco/SIP41.9-4-2SR3-1S.loads"), "load").unwrap();
    let mut changes = everybody();
    changes.push(listed("003094000001", "7910", "4030"));
    let here = with_files(serving(), changes, &files, &firmware);
    let check = |line, expected| check(&here, line, expected);
    check(
        "10.20.0.51 SEP001E7AC41022.cnf.xml",
        "own of 00:1e:7a:c4:10:22 from file SEP001E7AC41022.cnf.xml",
    );
    check(
        "10.20.0.51 CTLSEP001E7AC41022.tlv",
        "trust of 00:1e:7a:c4:10:22 from file CTLSEP001E7AC41022.tlv",
    );
    check("10.20.0.52 /RING.wav", "extra of 00:04:f2:aa:bb:cc from file paris/ring.wav");
    check("10.9.0.1 ring.wav", "there is no ring.wav (normal)");
    check(
        "10.20.0.51 sip41.9-4-2sr3-1s.loads",
        "firmware of 00:1e:7a:c4:10:22 from firmware cisco/SIP41.9-4-2SR3-1S.loads",
    );
    check("10.20.0.51 SIP41.8-0-0S.loads", "there is no SIP41.8-0-0S.loads");
    check(
        "10.20.0.99 secret-003094000009.bin",
        "10.20.0.99 holds no lease, so its phone is unknown",
    );
    check("10.20.0.51 motd.xml", "extra of 00:1e:7a:c4:10:22 from template motd.xml.j2");
    assert_eq!(text(&open(&here, "10.20.0.51 motd.xml").unwrap()), "<m>paris 10.20.0.5</m>");
    let any =
        with_files(settings(), vec![listed("003094000001", "7910", "4030")], &files, &firmware);
    super::check(
        &any,
        "10.0.0.1 SEP003094000001.cnf",
        "own of 00:30:94:00:00:01 from file SEP{MAC}.cnf",
    );
}

/// The stamp and the entity tag are those of the bytes: what is learned of a phone without changing its file makes it
/// no new file, or every phone would read its configuration twice.
#[test]
fn a_stamp_follows_the_bytes() {
    let file = |number: &str, model: Option<Seen<'_>>| {
        let listed = listed("001565aabbcc", "", number);
        let shown = model.map(|seen| showed("001565aabbcc", seen));
        let here = provisioner(settings(), shown.into_iter().chain([listed]).collect());
        let opened = open(&here, "10.20.0.9 001565aabbcc.cfg").unwrap();
        (opened.etag.clone(), text(&opened))
    };
    let unknown = file("4000", None);
    let agent = Seen::UserAgent("Yealink SIP-T46U 108.86.0.20 00:15:65:aa:bb:cc");
    assert_eq!(unknown, file("4000", Some(agent)));
    let other = file("4001", None);
    let stamp = |file: &(String, String)| file.1.lines().nth(1).unwrap().to_owned();
    assert!(unknown.0 != other.0 && stamp(&unknown) != stamp(&other) && stamp(&other).len() == 18);
}

#[test]
fn a_phone_is_known_by_its_address_where_nothing_leases() {
    let here = provisioner(settings(), vec![listed(POLY, "VVX 401", "4013")]);
    check(
        &here,
        "10.9.0.7 000000000000.cfg",
        "common of nobody from template poly-ccx/common-master.cfg.j2",
    );
    here.peers.remember([10, 9, 0, 7].into(), mac(POLY), false);
    check(
        &here,
        "10.9.0.7 000000000000.cfg",
        "common of 00:04:f2:aa:bb:cc from template poly-vvx/common-master.cfg.j2",
    );
}

proptest! {
    /// Whatever it asks for, a peer without a lease gets no phone's own file, and nothing panics.
    #[test]
    fn strangers_get_nothing_of_a_phones_own(
        name in r"[./\\]{0,3}(SEP|sip|CTLSEP|y|)(001E7AC41022|0004f2aabbcc|001565AABBCC|000000000000|\PC{0,9})(\.cfg|\.cnf\.xml|-line\.cfg|)"
    ) {
        let here = provisioner(serving(), everybody());
        let (peer, local) = ([10, 20, 0, 99].into(), [10, 20, 0, 2].into());
        let request = Request { name: &name, peer, local, carrier: Carrier::Http, seen: &[] };
        if let Ok(opened) = here.open(&request, now()) {
            prop_assert!(opened.asked.role != Role::Own && opened.phone.is_none(), "{opened:?}");
            prop_assert!(!text(&opened).contains("pw-"));
        }
    }
}
