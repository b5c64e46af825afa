//! What each kind of evidence says, by families that are made up for it: no shipped one has all of them.

use std::fs;

use super::*;

const BLUE: &str = r#"
vendor = "Blue"
also = ["Navy"]
title = "Blue phones"
format = "ini"
sources = ["none"]
[recognize]
option-60 = [{ pattern = '^navy(?P<model>\d+)$', brand = "Navy" }, '^blue(?P<model>\d+)$']
user-agent = [
  '^Blue (?P<model>\w+) (?P<boot>[\d.]+) loader$',
  '^Blue (?P<model>B\d+)? ?(?P<fw>[\d._]+)$',
]
enterprise = 99999
firmware-tells = true
oui = [
  "aabb00",
  { block = "aabb00e5", model = "B10" },
  { block = "aabb00400000-aabb004000ff", brand = "Navy" },
]
[[model]]
name = "B10"
also = ["10"]
load = "7"
[[model]]
name = "B20"
also = ["20"]
load = "8"
[[model]]
name = "B21"
load = "8"
[[file]]
name = "{mac}.cfg"
role = "own"
[[file]]
name = "blue{model}.htm"
role = "common"
[[file]]
name = "b{model}.txt"
role = "common"
[[file]]
name = "{model}.ini"
role = "common"
[[file]]
name = "Blue/{any}/list.xml"
role = "common"
brand = "Navy"
[[file]]
name = "{any}.fw"
role = "firmware"
"#;

/// Recognized only, with a model that has its name from another maker's; before it by name.
const AMBER: &str = r#"
vendor = "Amber"
title = "Amber phones"
format = "ini"
sources = ["none"]
provisions = false
[[model]]
name = "B10"
"#;

const RED: &str = r#"
vendor = "Red"
title = "Red phones"
format = "ini"
sources = ["none"]
provisions = true
[recognize]
oui = ["aabb00e", "cc1100"]
[[file]]
name = "{mac}.cfg"
role = "own"
[[file]]
name = "{any}/list.xml"
role = "common"
"#;

fn catalog() -> Catalog {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("amber", AMBER), ("blue", BLUE), ("red", RED)] {
        fs::create_dir(directory.path().join(name)).unwrap();
        fs::write(directory.path().join(name).join("profile.toml"), text).unwrap();
    }
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(problems.is_empty(), "{problems:?}");
    catalog
}

/// `ORIGIN VENDOR FAMILY MODEL FIRMWARE MAC` of what is seen, `-` for what is not told.
fn told(catalog: &Catalog, seen: &Seen<'_>) -> String {
    let Some(ground) = catalog.recognize(seen, Timestamp::UNIX_EPOCH) else {
        return "nothing".to_owned();
    };
    let family = ground.family.map(|family| family.to_string());
    let mac = ground.mac.map(|mac| mac.to_string());
    let parts = [ground.vendor, family, ground.model, ground.firmware, mac];
    let parts = parts.map(|part| part.unwrap_or_else(|| "-".to_owned())).join(" ");
    format!("{} {parts}", ground.from.as_str())
}

#[test]
fn blocks_and_names_on_the_box() {
    let catalog = catalog();
    let prefix = |mac: &str, expected: &str| {
        assert_eq!(told(&catalog, &Seen::Prefix(mac.parse().unwrap())), expected);
    };
    prefix("aabb00000001", "prefix Blue - - - -");
    prefix("aabb00e50001", "prefix Blue blue B10 - -");
    prefix("aabb00e60001", "prefix Red - - - -");
    prefix("aabb00400001", "prefix Navy - - - -");
    prefix("aabb00400101", "prefix Blue - - - -");
    prefix("cc1100000001", "prefix Red - - - -");
    prefix("cc1200000001", "nothing");
    let class = |text: &str, expected: &str| {
        assert_eq!(told(&catalog, &Seen::Option60(text.as_bytes())), expected);
    };
    class("navy20", "option-60 Navy blue B20 - -");
    class("blue20\0", "option-60 Blue blue B20 - -");
    class("blue99", "option-60 Blue - 99 - -");
}

#[test]
fn who_speaks_and_for_which_firmware() {
    let catalog = catalog();
    let agent =
        |text: &str, expected: &str| assert_eq!(told(&catalog, &Seen::UserAgent(text)), expected);
    agent("Blue B20 8.1.2", "user-agent Blue blue B20 8.1.2 -");
    agent("Blue B20 5.0 loader", "updater Blue blue B20 - -");
    agent("Blue 7.1", "user-agent Blue blue B10 7.1 -");
    agent("Blue 8.1", "user-agent Blue blue - 8.1 -");
    agent("Blue B20 8_1_2", "user-agent Blue blue B20 8.1.2 -");
    assert_eq!(told(&catalog, &Seen::Register("Blue B20 8.1")), "register Blue blue B20 8.1 -");
    assert_eq!(catalog.runs("B20", "8.1"), Some(true));
    assert_eq!(catalog.runs("B20", "7.1"), Some(false));
    assert_eq!(catalog.runs("B20", "eight"), None);
    assert_eq!(catalog.runs("T46S", "66.86.0.15"), Some(true));
    assert_eq!(catalog.runs("7961G", "9.4.2"), None);
}

#[test]
fn what_a_phone_asks_the_whole_network() {
    let catalog = catalog();
    let check =
        |event: &str, expected: &str| assert_eq!(told(&catalog, &Seen::SipPnp(event)), expected);
    let head = "ua-profile;profile-type=\"device\"";
    check(
        &format!("{head};vendor=\"blue\";model=\"B20\";version=\"8.1\""),
        "sip-pnp Blue blue B20 8.1 -",
    );
    check(&format!("{head}; Vendor=NAVY; model=B77"), "sip-pnp Navy - B77 - -");
    check(&format!("{head};vendor=\"OEM\";model=\"OEM\";version=\"7.1.19\""), "nothing");
    check("ua-profile", "nothing");
    let yealink = format!("{head};vendor=\"Yealink\";model=\"T21D\";version=\"34.72.14.6\"");
    check(&yealink, "sip-pnp Yealink - T21D 34.72.14.6 -");
}

#[test]
fn options_with_an_enterprise_number() {
    let catalog = catalog();
    let check = |octets: &[u8], expected: &str| {
        assert_eq!(told(&catalog, &Seen::Option125(octets)), expected, "{octets:?}");
    };
    check(b"\0\x01\x86\x9f\x04test", "option-125 Blue - - - -");
    check(b"\0\x01\x86\xa0\x04test", "nothing");
    check(b"\0\0\x0d\xe9\x0d\x01\x06AABB00\x03\x0320.", "option-125 Blue blue B20 - -");
    check(b"\0\0\x0d\xe9\x08\x01\x06AABB00", "option-125 Blue - - - -");
    check(b"\0\0", "nothing");
}

#[test]
fn names_of_files() {
    let catalog = catalog();
    let check =
        |name: &str, expected: &str| assert_eq!(told(&catalog, &Seen::FileName(name)), expected);
    check("aabb00000001.cfg", "file-name - - - - aa:bb:00:00:00:01");
    check("x/y/blueB20.htm", "file-name Blue blue B20 - -");
    check("blueB-20.htm", "file-name Blue blue B20 - -");
    check("blue99.htm", "file-name Blue - 99 - -");
    check("b20.txt", "file-name Blue blue B20 - -");
    check("b99.txt", "file-name Blue - b99 - -");
    // A name that says nothing of a family but a model that it does not know is anybody's.
    check("B20.ini", "file-name Blue blue B20 - -");
    check("desktop.ini", "nothing");
    // The rule with more folders means it.
    check("a/Blue/b/list.xml", "file-name Navy blue - - -");
    check("a/b/list.xml", "file-name Red red - - -");
    check("B10-7.1.2.fw", "file-name Blue blue B10 - -");
    check("B20-8.1.2.fw", "file-name Blue - - - -");
}

#[test]
fn what_is_listed_can_be_provisioned() {
    let catalog = catalog();
    let (family, _) = catalog.model("B10").unwrap();
    assert_eq!(family.name.as_str(), "blue");
}

#[test]
fn host_names_with_a_mac() {
    let catalog = catalog();
    let check = |text: &str, expected: &str| {
        assert_eq!(told(&catalog, &Seen::Option12(text.as_bytes())), expected);
    };
    check("phone-CC1100000001", "option-12 - - - - cc:11:00:00:00:01");
    check("ipcc1100000001", "option-12 - - - - cc:11:00:00:00:01");
    check("1cc1100000001", "nothing");
    check("laptop-0a1b2c3d4e5f", "nothing");
}

/// The index of all blocks against each family's own search; at the ends of each block and behind them.
#[test]
fn whose_an_address_is() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("blue")).unwrap();
    let wide = BLUE.replace("\"aabb00\",", "\"aabb00\", \"aabb00f00000-aabb01e00000\",");
    assert_ne!(wide, BLUE);
    fs::write(directory.path().join("blue/profile.toml"), wide).unwrap();
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(problems.is_empty(), "{problems:?}");
    let blocks = || catalog.families.iter().flat_map(|family| &family.blocks);
    let ends = |block: &Block| {
        let (first, last) = (block.first(), block.first() + block.size());
        [first - 1, first, first + 1, last - 1, last, last + 1]
    };
    let mut held = 0;
    for number in blocks().flat_map(ends).chain([0x1234_5678, 0xaabb_00f0_0000]) {
        let [_, _, octets @ ..] = number.to_be_bytes();
        let Ok(mac) = Mac::new(octets) else { continue };
        let families = catalog.families.iter().enumerate();
        let own = families.filter_map(|(place, family)| Some((place, family.block(mac)?.size())));
        let mut found: Vec<_> = catalog
            .prefixes
            .holding(&catalog.families, mac)
            .map(|(place, block)| (place, block.size()))
            .collect();
        found.sort_unstable();
        found.dedup_by_key(|(place, _)| *place);
        assert_eq!(found, own.collect::<Vec<_>>(), "{mac}");
        held += found.len();
    }
    assert!(held > 2 * blocks().count(), "{held}");
}
