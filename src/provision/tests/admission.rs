//! Auto-registration: who is listed, when, and under which number.

use crate::{config::Protocol, domain::Window};

use super::*;

const CISCO: &str = "003094000001";
const FALLBACK: &str =
    "fallback of 00:30:94:00:00:01 from template cisco-79xx-enterprise/default.cnf.xml.j2";

fn cisco(mut changes: Vec<Change>) -> Vec<Change> {
    changes.push(showed(CISCO, Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G")));
    changes.push(leased(CISCO, 51));
    changes
}

#[test]
fn closed_means_not_found() {
    let here = provisioner(serving(), cisco(vec![]));
    let closed = "00:30:94:00:00:01 is not listed, and auto-registration is closed";
    check(&here, "10.20.0.51 SEP003094000001.cnf.xml", closed);
    check(&here, "10.20.0.51 XMLDefault.cnf.xml", closed);
    check(&here, "10.20.0.99 XMLDefault.cnf.xml", "there is no XMLDefault.cnf.xml");
}

#[test]
fn the_fallback_lists_a_phone_where_its_family_has_one() {
    let here = provisioner(registering(serving(), 4000, 4001), cisco(vec![]));
    check(
        &here,
        "10.20.0.51 SEP003094000001.cnf.xml",
        "there is no SEP003094000001.cnf.xml (normal)",
    );
    check(&here, "10.20.0.51 XMLDefault.cnf.xml", &format!("{FALLBACK}, admits it as 4000"));
    check(
        &here,
        "10.20.0.99 XMLDefault.cnf.xml",
        "10.20.0.99 holds no lease, so its phone is unknown",
    );
}

#[test]
fn its_own_file_lists_a_phone_where_its_family_has_none() {
    let here = provisioner(registering(settings(), 4000, 4001), vec![]);
    let opened = open(&here, "10.20.0.9 001565aabbcc.cfg").unwrap();
    let admission = opened.admit.clone().unwrap();
    assert_eq!((admission.number.as_str(), admission.entry.auto_registered), ("4000", true));
    assert_eq!(admission.entry.site.as_deref(), Some("paris"));
    let password = admission.entry.lines[0].sip_password.reveal();
    assert!(
        password.len() >= 16 && text(&opened).contains(password),
        "it gets the file of the entry it will have"
    );
    let anew = open(&here, "10.20.0.9 001565aabbcc.cfg").unwrap().admit.unwrap();
    assert_ne!(anew.entry.lines[0].sip_password, admission.entry.lines[0].sip_password);
}

#[test]
fn only_known_families_are_listed() {
    let here = provisioner(registering(settings(), 4000, 4001), vec![]);
    check(&here, "10.20.0.9 a4c138000001.cfg", "there is no a4c138000001.cfg (normal)");
    let poly = "10.20.0.9 a4c138000001.cfg | FileTransport PolycomVVX-VVX_401-UA/5.9.7.47435 Type/Application";
    let entry = open(&here, poly).unwrap().admit.unwrap().entry;
    assert_eq!(catalog().model(&entry.model).unwrap().1.name, "VVX401");
}

#[test]
fn numbers() {
    let number = |range: (u64, u64), changes: Vec<Change>| {
        let here = provisioner(registering(serving(), range.0, range.1), cisco(changes));
        told(&open(&here, "10.20.0.51 XMLDefault.cnf.xml")).replace(FALLBACK, "")
    };
    let had = |phone: &str, number: &str| Change::Numbered(mac(phone), number.to_owned());
    assert_eq!(number((7, 9), vec![]), ", admits it as 0007", "leading zeros count");
    assert_eq!(number((4000, 4009), vec![had("003094000002", "4000")]), ", admits it as 4001");
    assert_eq!(
        number((4000, 4009), vec![listed("003094000002", "", "4000")]),
        ", admits it as 4001"
    );
    assert_eq!(
        number((4000, 4009), vec![had(CISCO, "3999")]),
        ", admits it as 3999",
        "its own for ever"
    );
    let used_up = "00:30:94:00:00:01 is not listed, and no number is left for it in 4000-4000";
    assert_eq!(number((4000, 4000), vec![had("003094000002", "4000")]), used_up);
    assert_eq!(number((4000, 4000), vec![had(CISCO, "4000")]), ", admits it as 4000");
}

#[test]
fn the_window_closes_by_itself_and_operators_win() {
    let admits = |window: Option<Window>, until: Option<Timestamp>| {
        let mut settings = registering(serving(), 4000, 4001);
        settings.auto_registration.until = until;
        let here = provisioner(settings, cisco(vec![Change::Window(window)]));
        open(&here, "10.20.0.51 XMLDefault.cnf.xml").is_ok()
    };
    let later = now() + Duration::from_secs(1);
    let window = |enabled, until| Some(Window { enabled, until });
    assert!(admits(None, None) && admits(None, Some(later)));
    assert!(!admits(None, Some(now())));
    assert!(!admits(window(false, None), None));
    assert!(admits(window(true, Some(later)), Some(now())));
    assert!(!admits(window(true, Some(now())), None));
}

#[test]
fn a_listed_phone_is_not_admitted_again() {
    let here = provisioner(
        registering(serving(), 4000, 4001),
        cisco(vec![listed(CISCO, "7961G", "4000")]),
    );
    check(&here, "10.20.0.51 XMLDefault.cnf.xml", FALLBACK);
    let own = "own of 00:30:94:00:00:01 from template cisco-79xx-enterprise/phone.cnf.xml.j2";
    check(&here, "10.20.0.51 SEP003094000001.cnf.xml", own);
}

#[test]
fn a_7940_follows_its_sites_protocol() {
    let here = |protocol| {
        let mut settings = registering(serving(), 4000, 4001);
        settings.sites.get_mut("paris").unwrap().protocol = protocol;
        let class = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7940G\0");
        provisioner(settings, vec![showed(CISCO, class), leased(CISCO, 51)])
    };
    let (sip, sccp) = (here(Protocol::Sip), here(Protocol::Sccp));
    let missing = "there is no SEP003094000001.cnf.xml (normal)";
    check(&sip, "10.20.0.51 SEP003094000001.cnf.xml", missing);
    let own = "own of 00:30:94:00:00:01 from template cisco-7940-7960/sip-phone.cnf.j2, admits it as 4000";
    check(&sip, "10.20.0.51 SIP003094000001.cnf", own);
    check(&sccp, "10.20.0.51 SEP003094000001.cnf.xml", missing);
    let fallback = "fallback of 00:30:94:00:00:01 from template cisco-7940-7960/default.cnf.xml.j2, admits it as 4000";
    check(&sccp, "10.20.0.51 XMLDefault.cnf.xml", fallback);
}
