//! Servers beside ours, registrars that refuse, phones with each other's MAC or files: raised, and gone again.

use crate::{
    config::Protocol,
    domain::{Rejection, Step},
};

use super::*;

fn rival(beside: Option<u8>, hardware: Option<Mac>) -> What {
    let address = |last: u8| Ipv4Addr::new(10, 20, 0, last);
    What::Rivalled { server: address(9), hardware, beside: beside.map(address) }
}

#[test]
fn another_dhcp_server() {
    let took =
        Story::served().happens([(60, discovered()), (59, rival(None, Some(mac("0200000000fe"))))]);
    assert_eq!(
        took.told(),
        "foreign-dhcp-server: it took the offer of 10.20.0.9 (02:00:00:00:00:fe), another DHCP server on its network; \
         find 10.20.0.9 and turn it off, or turn on DHCP snooping: the switch's table of addresses tells its port; if it \
         is right there, let ringup only `observe`"
    );
    let grounds = took.findings()[0].grounds.clone();
    assert_eq!(
        (&*grounds[0].value, grounds[0].mac),
        ("option 54 10.20.0.9", Some(mac("0200000000fe")))
    );
    let ours = took.happens([(20, discovered()), (19, acked())]);
    assert_eq!(ours.kinds(), "", "it takes ours at its next start");
    let both = [(60, discovered()), (59, rival(Some(3), None)), (58, acked())];
    let observed = Story::served().happens(both);
    assert!(
        observed.told().contains("10.20.0.3 and 10.20.0.9 both answer it"),
        "{}",
        observed.told()
    );
    let late =
        Story::served().happens([(60, discovered()), (59, rival(None, None)), (50, acked())]);
    assert_eq!(late.kinds(), "", "it came back to ours");
}

fn at(by: &str, step: Step) -> What {
    What::Registration { by: by.to_owned(), step }
}

fn rejected(by: &str, why: Rejection) -> What {
    at(by, Step::Rejected { why, text: "403 Forbidden".to_owned() })
}

#[test]
fn credentials_that_are_refused() {
    let story =
        |happened: Vec<(u64, What)>| Story::served().happens(healthy(100)).happens(happened);
    let check = |happened: Vec<(u64, What)>, expected: &str, why: &str| {
        assert_eq!(story(happened).kinds(), expected, "{why}");
    };
    let (forbidden, challenged) = (Rejection::Forbidden, Rejection::Challenged);
    check(vec![(50, rejected("a", forbidden))], "bad-credentials", "403");
    check(
        vec![(50, rejected("a", challenged)), (40, at("a", Step::Asked))],
        "bad-credentials",
        "it asks on",
    );
    check(vec![(50, rejected("a", challenged)), (40, at("a", Step::Accepted))], "", "mended");
    check(
        vec![(50, rejected("a", challenged)), (40, at("b", Step::Accepted))],
        "bad-credentials",
        "of another server",
    );
    check(vec![(50, rejected("a", Rejection::Unknown))], "", "of another kind");
    let again = [vec![(90, rejected("a", forbidden))], healthy(30)].concat();
    check(again, "", "a new start: nobody has refused it yet");
    let told = story(vec![(50, rejected("pbx", forbidden))]).told();
    assert!(
        told.starts_with("bad-credentials: pbx forbids it to register (user 4012); compare"),
        "{told}"
    );
}

#[test]
fn files_of_another_phone() {
    let mistaken = |of: &str| What::Mistaken { name: "SEP.cnf.xml".to_owned(), of: mac(of) };
    let start = [(90, discovered()), (89, acked())];
    let story = |of: &str| Story::served().happens(start.clone()).happens([(80, mistaken(of))]);
    let told = story("001e7ac41099").told();
    assert!(
        told.starts_with(
            "mac-mismatch: it asked for SEP.cnf.xml, the file of 00:1e:7a:c4:10:99, from an address"
        ),
        "{told}"
    );
    assert_eq!(
        story("001e7ac41099").happens(healthy(50)).kinds(),
        "",
        "its next start asks for its own"
    );
    assert_eq!(story("1e7ac4102201").kinds(), "", "the second port of one adapter");
}

fn seen(port: &str, shows: &str) -> What {
    What::Discovered { relay: None, port: port.to_owned(), shows: shows.to_owned() }
}

#[test]
fn one_mac_on_two_devices() {
    let kinds = |visits: &[(u64, &str, &str)]| {
        let visits = visits.iter().map(|(ago, port, shows)| (*ago, seen(port, shows)));
        let kinds = Story::served().happens(visits).kinds();
        kinds.split(", ").filter(|kind| *kind != "looping").collect::<Vec<_>>().join(", ")
    };
    let (a, b) = ("Gi1/0/1", "Gi1/0/2");
    assert_eq!(
        kinds(&[(40, a, ""), (36, b, ""), (31, a, ""), (25, b, "")]),
        "duplicate-mac",
        "switch ports"
    );
    let (g, ge) = ("IP Phone CP-7961G", "IP Phone CP-7961G-GE");
    assert_eq!(
        kinds(&[(40, a, g), (36, a, ge), (31, a, g), (25, a, ge)]),
        "duplicate-mac",
        "models"
    );
    assert_eq!(
        kinds(&[(140, a, g), (96, a, ge), (51, a, g), (5, a, ge)]),
        "",
        "loader and load, boot after boot"
    );
    assert_eq!(
        kinds(&[(40, a, g), (36, "", ""), (31, a, g), (25, "", "")]),
        "",
        "who says nothing says nothing else"
    );
    let twins = [(40, a, g), (36, a, ge), (31, a, g), (25, a, ge)];
    let told =
        Story::served().happens(twins.map(|(ago, port, shows)| (ago, seen(port, shows)))).told();
    assert!(told.contains("as IP Phone CP-7961G and as IP Phone CP-7961G-GE in turns"), "{told}");
}

#[test]
fn a_load_of_the_other_protocol() {
    let asks = |name: &str| {
        Story::served().happens(healthy(90)).happens([(50, missed(name, Role::Extra))])
    };
    let told = asks("English/mk-sccp.jar").told();
    assert!(
        told.starts_with("wrong-family: its site speaks sip, and it asks for English/mk-sccp.jar, which goes with a load for sccp"),
        "{told}"
    );
    assert_eq!(asks("English/mk-sip.jar").kinds(), "");
    let named = asks("English/mk-sccp.jar").set(|settings| {
        let paris = settings.sites.get_mut("paris").unwrap();
        paris.firmware.insert("7961".to_owned(), "SIP41.9-4-2SR3-1S".to_owned());
    });
    assert_eq!(named.kinds(), "", "on its way to the load that its site names");
    let skinny = asks("English/mk-sccp.jar").set(|settings| {
        settings.sites.get_mut("paris").unwrap().protocol = Protocol::Sccp;
    });
    assert_eq!(skinny.kinds(), "");
    let reverse = asks("English/mk-sip.jar").set(|settings| {
        settings.sites.get_mut("paris").unwrap().protocol = Protocol::Sccp;
    });
    assert_eq!(reverse.kinds(), "wrong-family");
}
