//! MACs that do not agree, and traces of other servers.

use super::*;
use crate::{
    domain::{ClientKey, Lease, Step},
    provision::tests::listed,
};

#[test]
fn macs_that_do_not_agree() {
    let check = |seen: Seen<'_>, expected: &str| {
        let story = Story::new(CISCO).with(listed(CISCO, "7961G", "4012")).shows(G).shows(seen);
        let told = story.told();
        let told = told.strip_prefix("mac-mismatch: ").unwrap_or(&told);
        assert_eq!(told.split("; ").next().unwrap_or_default(), expected, "{seen:?}");
    };
    let from = "its packets come from 00:1e:7a:c4:10:22";
    check(Seen::Option12(b"SEP001E7AC41022"), "");
    check(
        Seen::Option12(b"SEP001E7AC41023"),
        &format!("its host name (option 12) carries 00:1e:7a:c4:10:23, {from}"),
    );
    check(Seen::Option61(&[1, 0, 0x1e, 0x7a, 0xc4, 0x10, 0x22]), "");
    check(
        Seen::Option61(&[1, 0, 0x1e, 0x7a, 0xc4, 0x10, 0x2f]),
        &format!("its client identifier (option 61) carries 00:1e:7a:c4:10:2f, {from}"),
    );
    // The second port of an ATA: shifted left by an octet, 01 behind.
    check(Seen::Option61(&[1, 0x1e, 0x7a, 0xc4, 0x10, 0x22, 1]), "");
    let agent = "Panasonic_KX-UT113/01.133 (0080f0c8c381)";
    let knows =
        catalog().recognize(&Seen::UserAgent(agent), now()).is_some_and(|it| it.mac.is_some());
    let agent = if knows { agent } else { "Yealink SIP-T46S 66.86.0.160 00:80:f0:c8:c3:81" };
    let story = Story::new(CISCO).shows(Seen::UserAgent(agent)).happens([(5, discovered())]);
    assert_eq!(story.kinds(), "not-listed", "a router with phones behind it shows nothing itself");
    let phone = story.shows(Seen::Option12(b"SEP001E7AC41022"));
    assert!(phone.kinds().contains("mac-mismatch"), "{}", phone.told());
}

#[test]
fn a_file_asked_for_by_another_phone() {
    let other = "001e7ac41099";
    let lease = |last: u8| {
        let (address, mac) = (Ipv4Addr::new(10, 20, 0, last), mac(other));
        let (since, until) = (now(), now() + Duration::from_hours(1));
        Change::Leased(Lease { address, client: ClientKey::hardware(mac), mac, since, until })
    };
    let why = |peer: &str| {
        format!("{} has another address than {peer}, so its file is withheld", mac(CISCO))
    };
    let story = |lease_of_other: u8, peer: &str| {
        let story = Story::served().with(lease(lease_of_other));
        story.happens([(9, discovered()), (8, acked()), (5, refused(OWN, Role::Own, &why(peer)))])
    };
    assert_eq!(story(60, "10.20.0.60").kinds(), "mac-mismatch, secret-withheld");
    assert_eq!(
        story(60, "10.20.0.60").findings()[0].text,
        "00:1e:7a:c4:10:22's file was asked for from 10.20.0.60, which is leased to 00:1e:7a:c4:10:99"
    );
    // Nobody's address: a router that translates, or an address by hand.
    assert_eq!(story(60, "192.0.2.7").kinds(), "secret-withheld");
    let gone = story(60, "10.20.0.60").happens(takes(2, OWN, Role::Own));
    assert_eq!(gone.kinds(), "", "it got its file");
}

#[test]
fn one_mac_in_two_places() {
    let told = |happened: &[(u64, u8)]| {
        let visits = happened.iter().map(|(ago, relay)| (*ago, through(*relay)));
        let kinds = Story::served().happens(visits).kinds();
        kinds.split(", ").filter(|kind| *kind != "looping").collect::<Vec<_>>().join(", ")
    };
    assert_eq!(told(&[(40, 1), (36, 2), (31, 1), (25, 2)]), "duplicate-mac");
    assert_eq!(told(&[(640, 1), (636, 2), (631, 1), (625, 2)]), "", "that is over");
    assert_eq!(told(&[(40, 1), (36, 2)]), "", "it moved");
    assert_eq!(told(&[(40, 1), (36, 2), (31, 1)]), "", "it moved and came back");
    assert_eq!(told(&[(100, 1), (98, 2), (60, 1), (58, 2), (20, 1), (18, 2)]), "", "voice VLAN");
    assert_eq!(told(&[(40, 1), (36, 1), (31, 1), (25, 1)]), "", "one place");
}

#[test]
fn trust_lists_of_another_cluster() {
    let boot =
        |ago: u64| [(ago, discovered()), (ago - 1, acked()), (ago - 2, missed(TRUST, Role::Trust))];
    let lists = |boots: u64| (1..=boots).rev().flat_map(move |n| boot(20 * n + 10));
    assert_eq!(
        Story::served().happens(lists(3)).kinds(),
        "",
        "three times a boot is what some loads do"
    );
    let story = Story::served().happens(lists(4));
    assert_eq!(
        story.told(),
        "trust-list: it asked 4 times for its trust list, and never for its plain configuration; erase the trust list \
         (CTL, ITL) on the phone: hold # while it gets power until its buttons flash in turns, then 123456789*0# \
         (3491672850*# also erases its load: without term files here it has none then)"
    );
    assert_eq!(story.happens(takes(5, OWN, Role::Own)).kinds(), "", "it asks for its own at last");
    let signed = |times: u64| (1..=times).rev().map(|n| (20 * n, missed(SIGNED, Role::Own)));
    let story = |times| Story::served().happens(boot(200)).happens(signed(times));
    assert_eq!(story(3).kinds(), "");
    assert_eq!(story(4).kinds(), "used-phone, trust-list");
    let ours = story(4).happens(takes(5, "ITLFile.tlv", Role::Trust));
    assert_eq!(ours.kinds(), "trust-list", "a list that we serve is no trace of another server");
    let closed = "00:1e:7a:c4:10:22 is not listed, and auto-registration is closed";
    let strange = (1..=5).rev().map(|n| (20 * n, refused(SIGNED, Role::Own, closed)));
    let stranger = Story::new(CISCO).shows(G).happens(boot(200)).happens(strange);
    assert!(!stranger.kinds().contains("trust"), "{}", stranger.kinds());
}

#[test]
fn used_phones() {
    let leased = |ago: u64| vec![(ago, discovered()), (ago - 1, acked())];
    let told = |story: Story, happened: Vec<(u64, What)>| story.happens(happened).told();
    assert_eq!(told(Story::served(), leased(100)), "", "patience");
    let silent = told(Story::served(), leased(200));
    assert!(
        silent.starts_with("used-phone: it has its address and our server's from us"),
        "{silent}"
    );
    assert!(silent.contains("123456789*0#"), "the keys of its own family: {silent}");
    let asked = [leased(200), takes(190, OWN, Role::Own).into()].concat();
    assert_eq!(told(Story::served(), asked), "");
    let observed = Story::served().set(|settings| settings.dhcp.mode = DhcpMode::Observe);
    assert_eq!(
        told(observed, leased(200)),
        "",
        "what the other server told it is not ours to know"
    );
    // A path that is none of ours, on the way to nothing.
    let poly = "0004f2aabbcc";
    let story = || {
        let story = Story::new(poly).with(leased_to(poly)).shows(Seen::Option60(b"Polycom-VVX401"));
        story.set(|settings| settings.dhcp.mode = DhcpMode::Serve)
    };
    let closed = "00:04:f2:aa:bb:cc is not listed, and auto-registration is closed";
    let asks = |name: &str| [leased(100), vec![(90, refused(name, Role::Own, closed))]].concat();
    let told = |name: &str| story().happens(asks(name)).kinds();
    assert_eq!(told("0004f2aabbcc.cfg"), "not-listed");
    assert_eq!(told("acme/prov/0004f2aabbcc.cfg"), "not-listed, used-phone");
    let given = story().set(|settings| {
        let bytes = b"http://10.20.0.2/acme/prov/".to_vec();
        settings.dhcp.subnets[0].options.push(crate::config::RawOption { code: 160, bytes });
    });
    assert_eq!(
        given.happens(asks("acme/prov/0004f2aabbcc.cfg")).kinds(),
        "not-listed",
        "our own path"
    );
}

fn leased_to(phone: &str) -> Change {
    super::leased(phone, 51)
}

#[test]
fn placeholders_that_nobody_filled() {
    let told = |story: Story, name: &str| {
        story.happens([(9, discovered()), (5, missed(name, Role::Extra))]).told()
    };
    let cisco = told(Story::served(), "prov/{mac}.cfg");
    assert!(
        cisco.starts_with("unexpanded-macro: it asks for prov/{mac}.cfg as it stands: `{mac}` was not filled in; let the address"),
        "{cisco}"
    );
    assert_eq!(told(Story::served(), "Ringlist.xml"), "");
    let later =
        Story::served().happens([(200, discovered()), (190, missed("$MA.cfg", Role::Extra))]);
    assert_eq!(later.kinds(), "unexpanded-macro");
    assert_eq!(later.happens(healthy(90)).kinds(), "", "the next boot asks for the right name");
    // A family that says how it writes it.
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("test-spa")).unwrap();
    let profile = "vendor = \"Spacey\"\ntitle = \"Spacey\"\nformat = \"xml\"\nmac-macro = \"$MA\"\n[recognize]\noption-60 = ['^Spacey$']\n";
    std::fs::write(directory.path().join("test-spa/profile.toml"), profile).unwrap();
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(problems.is_empty(), "{problems:?}");
    let spacey = || Story {
        catalog: Arc::new(Catalog::load(Some(directory.path())).0),
        ..Story::new(CISCO)
    };
    drop(catalog);
    let told = |name| told(spacey().shows(Seen::Option60(b"Spacey")), name);
    assert!(told("{mac}.cfg").contains("Spacey writes its MAC as `$MA`"), "{}", told("{mac}.cfg"));
    assert!(told("$MA.cfg").contains("`$MA` is right for Spacey, but not where it stands"));
}

#[test]
fn again_and_again() {
    // Requests that came from another address are not the phone's: they say nothing about what it does.
    let withheld =
        format!("{} has another address than 10.0.0.9, so its file is withheld", mac(CISCO));
    let asks = (1..=12).map(|n| (40 * n, refused(OWN, Role::Own, &withheld)));
    assert_eq!(Story::served().happens(asks).kinds(), "secret-withheld");
    let boots = |n: u64| {
        (1..=n).rev().flat_map(|boot| [(boot * 20, discovered()), (boot * 20 - 1, acked())])
    };
    let quiet = Story::new(CISCO).with(listed(CISCO, "7961G", "4012")).shows(G);
    assert_eq!(
        quiet.happens(boots(7)).told(),
        "looping: it started over 7 times and never got its configuration; its diagnosis and its timeline tell where \
         each start ends; a restart alone changes nothing"
    );
    let load = |boot: u64| takes(boot * 60 + 1, "SIP41.9-4-2SR3-1S.loads", Role::Firmware);
    let boot = |boot: u64| [(boot * 60 + 9, discovered()), (boot * 60 + 8, acked())];
    let upgrades = (1..=4).rev().flat_map(|n| {
        [boot(n).to_vec(), takes(n * 60 + 5, OWN, Role::Own).to_vec(), load(n).to_vec()].concat()
    });
    let told = Story::served().happens(upgrades).told();
    let expected =
        "looping: it took SIP41.9-4-2SR3-1S.loads whole in 4 boots in a row; its diagnosis";
    assert!(told.starts_with(expected), "it has its configuration: {told}");
    let register = |ago: u64, last: u8| {
        let by = format!("10.20.0.{last}");
        (ago, What::Registration { by, step: Step::Accepted })
    };
    let toggles = (0..5).map(|n| register(150 - 30 * u64::from(n), 5 + n % 2));
    let told = Story::served().happens(toggles).told();
    let expected =
        "looping: its registration moved 4 times between 10.20.0.5 and 10.20.0.6; its diagnosis";
    assert!(told.starts_with(expected), "{told}");
    let whole = |n: u64| (1..=n).rev().flat_map(|boot| takes(boot * 20, OWN, Role::Own));
    let told =
        |n| Story::served().happens([(600, discovered()), (599, acked())]).happens(whole(n)).told();
    assert_eq!(told(7), "");
    let load = |n: u64| {
        let ago = |boot: u64| boot * 100 + 50;
        let boot = move |boot| {
            let load = takes(ago(boot) - 10, "SIP41.9-4-2.loads", Role::Firmware);
            [healthy(ago(boot)), load.into()].concat()
        };
        (1..=n).rev().flat_map(boot)
    };
    let loads = Story::served().happens(load(4)).told();
    let again = "looping: it took SIP41.9-4-2.loads whole in 4 boots in a row";
    assert!(loads.starts_with(again), "it has its configuration: {loads}");
    assert!(
        told(12).starts_with(&format!("looping: it asked 12 times for {OWN} within ten minutes"))
    );
}

#[test]
fn placeholders_as_each_family_writes_them() {
    let check = |agent: &str, expected: &str| {
        let story = Story::new(CISCO).shows(Seen::UserAgent(agent));
        let asked = story.happens([(9, discovered()), (5, missed("{mac}.cfg", Role::Extra))]);
        assert!(asked.told().contains(expected), "{agent}: {}", asked.told());
    };
    check("Cisco/SPA504G-7.4.8a (001E7AC41022)(CBT141400UK)", "writes its MAC as `$MA`:");
    check("Cisco-CP-8841-3PCC/11.0.1 (001e7ac41022)", "writes its MAC as `$MA`:");
    check("Cisco/ATA191-MPP-11-1-0-MSR4 (FCH2443D9R4)", "writes its MAC as `$MA`:");
    check("OBIHAI/OBi202-3.2.2.5921", "writes its MAC as `$MAC`:");
    check(
        "Mozilla/4.0 (compatible; MSIE 6.0) AVAYA/J179-4.1.3.0.6 (MAC:001e7ac41022)",
        "writes its MAC as `$MACADDR`:",
    );
    // Right in itself, so the address is wrong elsewhere.
    check("Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16)", "`{mac}` is right for");
    check("Panasonic_KX-UT113/01.133 (001e7ac41022)", "`{mac}` is right for");
    check("Fanvil X6U Pro 0.0.10 001e7ac41022", "writes its MAC as `$mac`:");
    check("Cisco-CP8841/12.6.1", "end in a slash");
}

#[test]
fn the_reset_keys_of_that_very_model() {
    let check = |class: &str, expected: &str| {
        let story =
            Story::new(CISCO).shows(Seen::Option60(class.as_bytes())).with(leased(CISCO, 51));
        let story = story.set(|settings| settings.dhcp.mode = DhcpMode::Serve);
        let told = story.happens([(400, discovered()), (399, acked())]).told();
        assert!(told.contains("used-phone") && told.contains(expected), "{class}: {told}");
    };
    let enterprise = |model: &str| format!("Cisco Systems, Inc. IP Phone CP-{model}");
    check(&enterprise("7961G"), "123456789*0#");
    check(&enterprise("8841"), "123456789*0#");
    check(&enterprise("8961"), "123456789*0#");
    check(&enterprise("6901"), "its guide tells the keys");
    check(&enterprise("8841-3PCC"), "123456789*0#");
    check("Cisco SPA504G", "Factory Reset");
    check("Polycom-SPIP670", "4, 6, 8 and *");
    check("Polycom-VVX401", "1, 3 and 5");
}

/// An Obihai waits up to 90 s before it asks for anything, a Panasonic half an hour before it asks again.
#[test]
fn patience_with_a_slow_starter() {
    let stuck = |agent: &str, ago: u64| {
        let story = Story::new(CISCO).with(listed(CISCO, "", "4012")).shows(Seen::UserAgent(agent));
        let story =
            story.with(leased(CISCO, 51)).happens([(ago, discovered()), (ago - 1, acked())]);
        let (here, state) = (story.provisioner(), state(story.changes.clone()));
        here.report(story.mac, &state.phones[&story.mac], &state, now()).stuck
    };
    assert!(!stuck("OBIHAI/OBi202-3.2.2.5921", 120), "it may still be waiting");
    assert!(stuck("OBIHAI/OBi202-3.2.2.5921", 200));
    // It asks again half an hour after a miss, and is not stuck until then.
    let waits = |agent: &str| {
        let story = Story::new(CISCO).with(listed(CISCO, "", "4012")).shows(Seen::UserAgent(agent));
        let story = story.with(leased(CISCO, 51));
        let story = story.happens([
            (1500, discovered()),
            (1499, acked()),
            (1490, missed("a.cfg", Role::Extra)),
        ]);
        let (here, state) = (story.provisioner(), state(story.changes.clone()));
        !here.report(story.mac, &state.phones[&story.mac], &state, now()).stuck
    };
    assert!(waits("Panasonic_KX-UT113/01.133 (001e7ac41022)"));
    assert!(!waits("Cisco-CP8841/12.6.1"));
    assert!(stuck("Cisco-CP8841/12.6.1", 120));
}
