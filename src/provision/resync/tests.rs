//! Who can be told to come again, and who can't, with the reason.

use super::{
    super::tests::{leased, listed, mac, now, provisioner, settings, showed, state},
    *,
};
use crate::{config::Protocol, profile::Seen};

const YEALINK: &str = "00:15:65:aa:bb:cc";
const CISCO: &str = "00:1e:7a:c4:10:22";
const OLD: &str = "00:07:0e:00:00:07";

fn at(phone: &str, address: [u8; 4]) -> Change {
    let what = What::Appeared { address: address.into() };
    Change::Happened(mac(phone), Event { at: now(), what })
}

/// What is sent to whom and where, or why nothing is.
fn told(phone: &str, changes: Vec<Change>, protocol: Protocol, subnets: bool) -> String {
    let mut settings = settings();
    for site in settings.sites.values_mut() {
        site.protocol = protocol;
    }
    if !subnets {
        settings.dhcp.subnets.clear();
    }
    let state = state(changes);
    let provisioner = provisioner(settings, Vec::new());
    let here = [(Ipv4Addr::new(192, 168, 7, 1), 24)];
    match provisioner.order(&state, mac(phone), &here, now()) {
        Ok(order) => {
            assert_eq!(order.phone, mac(phone));
            let secret = order.password.reveal();
            format!("{} to {}@{} ({secret})", order.event, order.user, order.address)
        }
        Err(why) => why.to_string(),
    }
}

#[test]
fn who_can_be_told() {
    let check = |phone, changes, expected: &str| {
        assert_eq!(told(phone, changes, Protocol::Sip, true), expected, "{phone}");
    };
    let yealink = || listed(YEALINK, "T46S", "4012");
    let here = || at(YEALINK, [10, 20, 0, 51]);
    check(YEALINK, vec![yealink(), here()], "check-sync to 4012@10.20.0.51 (pw-4012)");
    // Not listed, but it says what it is.
    let says = showed(YEALINK, Seen::UserAgent("Yealink SIP-T46S 66.84.0.10 00:15:65:aa:bb:cc"));
    check(YEALINK, vec![says, here()], "check-sync to @10.20.0.51 ()");
    check(YEALINK, vec![yealink()], "its address is not known");
    check(YEALINK, Vec::new(), "its address is not known");
    check(
        YEALINK,
        vec![here()],
        "what it is made by is not known, so neither is what it listens to",
    );
    check(
        YEALINK,
        vec![yealink(), here(), leased(CISCO, 51)],
        "10.20.0.51, where it was last, is another phone's now",
    );
    check(
        YEALINK,
        vec![yealink(), here(), leased(YEALINK, 51)],
        "check-sync to 4012@10.20.0.51 (pw-4012)",
    );
    for far in [[10, 21, 0, 51], [8, 8, 8, 8], [224, 0, 0, 1]] {
        let expected =
            format!("{}, where it was last, is in no subnet of the settings", Ipv4Addr::from(far));
        check(YEALINK, vec![yealink(), at(YEALINK, far)], &expected);
    }
    let follows = "its family follows its call manager alone (NOTIFY `service-control`)";
    check(CISCO, vec![listed(CISCO, "7961G", "1"), at(CISCO, [10, 20, 0, 52])], follows);
    let none = "its family follows no NOTIFY that is known here";
    check(OLD, vec![listed(OLD, "12SP+", "1"), at(OLD, [10, 20, 0, 53])], none);
}

#[test]
fn a_family_of_both_protocols_follows_its_site() {
    let phone = || vec![listed(OLD, "7960", "4012"), at(OLD, [10, 20, 0, 53])];
    let sip = told(OLD, phone(), Protocol::Sip, true);
    assert_eq!(sip, "check-sync to 4012@10.20.0.53 (pw-4012)");
    let sccp = told(OLD, phone(), Protocol::Sccp, true);
    assert_eq!(sccp, "with SCCP it follows its call manager alone (Reset)");
    // A family that speaks SIP alone does so at any site.
    let yealink = vec![listed(YEALINK, "T46S", "4012"), at(YEALINK, [10, 20, 0, 51])];
    assert!(told(YEALINK, yealink, Protocol::Sccp, true).starts_with("check-sync"));
}

#[test]
fn without_subnets_the_networks_of_the_machine_count() {
    let check = |address: [u8; 4], expected: &str| {
        let phone = vec![listed(YEALINK, "T46S", "4012"), at(YEALINK, address)];
        assert!(told(YEALINK, phone, Protocol::Sip, false).contains(expected), "{address:?}");
    };
    check([192, 168, 7, 9], "check-sync to 4012@192.168.7.9");
    check([192, 168, 8, 9], "is in no subnet");
    check([10, 20, 0, 51], "is in no subnet");
}

/// Every event of a shipped family travels as it is written.
#[test]
fn events_of_families_can_be_sent() {
    let catalog = super::super::tests::catalog();
    let events: Vec<_> = catalog.families().filter_map(|it| called(it, Speaks::Sip).ok()).collect();
    assert!(events.len() > 15, "{events:?}");
    for event in events {
        assert!(event.bytes().all(|octet| octet.is_ascii_graphic()), "{event}");
    }
}

/// What came of it is told until it comes, with what helps.
#[test]
fn what_helps_a_phone_that_will_not() {
    let recall = |more: Vec<What>| {
        let events =
            more.into_iter().map(|what| Change::Happened(mac(YEALINK), Event { at: now(), what }));
        let first = vec![listed(YEALINK, "T46S", "4012"), at(YEALINK, [10, 20, 0, 51])];
        let state = state(first.into_iter().chain(events).collect());
        let provisioner = provisioner(settings(), Vec::new());
        let phone = &state.phones[&mac(YEALINK)];
        let report = provisioner.report(mac(YEALINK), phone, &state, now());
        (phone.boot.last.clone(), report.recall.unwrap_or_default())
    };
    let said = |reply| What::Recalled { event: "check-sync".to_owned(), reply };
    let (last, remedy) = recall(vec![said(Reply::Silent)]);
    assert_eq!(last, "has the address 10.20.0.51", "it was not heard of");
    assert!(
        remedy.starts_with("restart it by its power; ") && remedy.contains("sip.trust_ctrl"),
        "{remedy}"
    );
    let (last, remedy) = recall(vec![said(Reply::Accepted { code: 200 })]);
    assert_eq!(last, "was asked to come again by `check-sync`: it accepted (200)");
    assert_eq!(remedy, "");
}
