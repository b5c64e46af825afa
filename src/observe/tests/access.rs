//! On an access port, and behind a relay: others' answers are not heard.

use super::*;

#[test]
fn arp_confirms_what_was_asked_for() {
    let mut wire = Wire::new();
    wire.says(&discover(phone(), 1), "looks for a DHCP server");
    let select = Request::select(phone(), 1, ip("10.20.1.7"), SERVER);
    wire.says(&select, "10.20.1.7 for 600 s; takes 10.20.1.7, which 10.20.0.3 offered");
    wire.says(&select, "repeated");
    assert_eq!((wire.stage(phone()), wire.holder("10.20.1.7")), ("discovered", Some(phone())));
    wire.uses(mac(5), "10.20.1.7", "nothing-new");
    wire.uses(phone(), "10.20.1.8", "nothing-new");
    wire.uses(phone(), "0.0.0.0", "arp");
    wire.uses(phone(), "10.20.1.7", "10.20.1.7 for 86400 s; leased 10.20.1.7");
    wire.uses(phone(), "10.20.1.7", "nothing-new");
    assert_eq!(wire.stage(phone()), "leased");
}

#[test]
fn arp_tells_that_a_lease_goes_on() {
    let mut wire = Wire::new();
    let select = Request::select(phone(), 1, ip("10.20.1.7"), SERVER);
    wire.says(&discover(phone(), 1), "looks for a DHCP server");
    wire.says(&select, "10.20.1.7 for 600 s; takes 10.20.1.7, which 10.20.0.3 offered");
    let text = "10.20.1.7 for 3600 s; leased 10.20.1.7; 10.20.0.3 names no server for its files";
    wire.acknowledges(&select, "10.20.1.7", text);
    let check = |wire: &mut Wire, second, expected: &str| {
        wire.now = second;
        wire.uses(phone(), "10.20.1.7", expected);
    };
    check(&mut wire, 1700, "nothing-new");
    check(&mut wire, 1801, "10.20.1.7 for 3600 s; renewed 10.20.1.7");
    check(&mut wire, 1802, "nothing-new");
    // We were off for a week; the phone was not.
    check(&mut wire, 600_000, "10.20.1.7 for 5401 s; renewed 10.20.1.7");
    wire.now = 700_000;
    assert_eq!(wire.holder("10.20.1.7"), None, "it is gone");
}

#[test]
fn nobody_loses_an_address_to_a_question() {
    let mut wire = Wire::new();
    let select = Request::select(phone(), 1, ip("10.20.1.7"), SERVER);
    wire.says(&select, "10.20.1.7 for 600 s; takes 10.20.1.7, which 10.20.0.3 offered");
    wire.uses(phone(), "10.20.1.7", "10.20.1.7 for 86400 s; leased 10.20.1.7");
    let other = Request::select(mac(5), 1, ip("10.20.1.7"), SERVER);
    wire.says(&other, "takes 10.20.1.7, which 10.20.0.3 offered");
    assert_eq!(wire.holder("10.20.1.7"), Some(phone()));
    // Its server gave it to the other one, who shows up with it.
    wire.uses(mac(5), "10.20.1.7", "10.20.1.7 for 86400 s; leased 10.20.1.7");
    assert_eq!(wire.holder("10.20.1.7"), Some(mac(5)));
    wire.uses(phone(), "10.20.1.7", "nothing-new");
}

#[test]
fn what_waits_too_long_is_forgotten() {
    let mut wire = Wire::new();
    let reboot = Request::reboot(phone(), 1, ip("10.20.1.7"));
    wire.says(&reboot, "10.20.1.7 for 600 s; asks to keep 10.20.1.7");
    wire.now = 601;
    assert_eq!(wire.holder("10.20.1.7"), None);
    wire.says(&Request::reboot(phone(), 2, ip("127.0.0.1")), "incomplete");
    wire.says(&Request::new(Kind::Request, phone(), 3), "incomplete");
}

#[test]
fn one_more_target_of_a_relay() {
    let mut wire = Wire::new();
    let relayed = |request: Request| Request { giaddr: RELAY, ..request };
    let first = relayed(discover(phone(), 1));
    wire.says_to(SERVER, &first, "looks for a DHCP server through relay 10.30.0.1");
    // The copy for us tells no more than the one for the server.
    wire.says_to(OWN, &first, "looks for a DHCP server through relay 10.30.0.1");
    let select = relayed(Request::select(phone(), 1, ip("10.30.1.7"), SERVER));
    let year = "10.30.1.7 for 31536000 s; leased 10.30.1.7";
    wire.says_to(OWN, &select, year);
    wire.says_to(OWN, &select, "repeated");
    assert_eq!((wire.stage(phone()), wire.holder("10.30.1.7")), ("leased", Some(phone())));
    // Where the answer passes by after all, it tells the length and nothing else.
    wire.acknowledges(&select, "10.30.1.7", "10.30.1.7 for 3600 s");
    // Another phone has it now.
    let other = relayed(Request::select(mac(5), 1, ip("10.30.1.7"), SERVER));
    wire.says_to(OWN, &other, year);
    assert_eq!(wire.holder("10.30.1.7"), Some(mac(5)));
}

#[test]
fn the_copy_for_the_server_may_come_first() {
    let mut wire = Wire::new();
    let select = Request {
        giaddr: RELAY,
        ..Request::select(phone(), 1, ip("10.30.1.7"), OTHER).option(code::CLASS, *b"yealink")
    };
    wire.says_to(OTHER, &select, "10.30.1.7 for 600 s; takes 10.30.1.7, which 10.20.0.4 offered");
    wire.says_to(OWN, &select, "10.30.1.7 for 31536000 s; leased 10.30.1.7");
}

#[test]
fn a_tagged_frame_is_read() {
    let mut wire = Wire::new();
    let request = discover(phone(), 1);
    let plain = frame(phone().octets(), Ipv4Addr::UNSPECIFIED, EVERYBODY, &request.encode());
    let tagged = [&plain[..12], &[0x81, 0, 0x60, 20], &plain[12..]].concat();
    assert_eq!(wire.told(&tagged), "looks for a DHCP server");
}
