//! DHCP over a cable, with clients that nobody here wrote: dhclient, udhcpc, perfdhcp.

mod ahead;
mod crowd;
mod wire;

use std::{fs, path::Path, process::Stdio};

use crate::{
    cable::{Cable, SERVER},
    run::{Home, PATIENCE, happened, signal, timeline, until},
};

/// Durations stand out in a lease file of dhclient, so that this one is ours: 7,200 s.
const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.4.250"]
router = ["10.20.0.1"]
domain = "voice.example"
lease-time = "2h"
[[site.default.server]]
address = "10.20.0.5"
"#;

/// What dhclient asks for, and what it says it is.
const DHCLIENT: &str = r#"
option option-150 code 150 = array of ip-address;
option option-160 code 160 = text;
send vendor-class-identifier "{class}";
request subnet-mask, routers, domain-name, tftp-server-name, option-150, option-160;
timeout 20;
"#;

/// Runs dhclient until it has a lease; what its lease file says last.
fn dhclient(cable: &Cable, home: &Home, class: &str) -> String {
    lease(cable, home, &DHCLIENT.replace("{class}", class))
}

/// The same with any settings of dhclient. The lease file, `leases`, stays for the next run.
pub fn lease(cable: &Cable, home: &Home, conf: &str) -> String {
    let path = |name: &str| home.path(name).display().to_string();
    fs::write(home.path("dhclient.conf"), conf).unwrap();
    let (conf, leases, pid) = (path("dhclient.conf"), path("leases"), path("dhclient.pid"));
    let files = ["-cf", &conf, "-lf", &leases, "-pf", &pid, "-sf", "/bin/true"];
    let limit = PATIENCE.as_secs().to_string();
    // It forks into the background once it has its lease, with our pipes in hand: nothing is read from them.
    let words =
        [&["timeout", &limit, "dhclient", "-4", "-1", "-q"][..], &files, &["eth1"]].concat();
    let status = cable.phone(&words).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let text = fs::read_to_string(&leases).unwrap_or_default();
    // Stops it without giving the address back.
    let words = [&["dhclient", "-x", "-q"][..], &files, &["eth1"]].concat();
    let _ = cable.phone(&words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.success(), "dhclient with {conf}: {status}\n{text}\n{}", home.log());
    text.rsplit("lease {").next().unwrap_or_default().to_owned()
}

/// The address of a lease.
pub fn address(lease: &str) -> String {
    let (_, rest) = lease.split_once("fixed-address ").unwrap();
    rest.split(';').next().unwrap().to_owned()
}

#[test]
fn a_vendors_other_servers_reach_all_its_families() {
    let cable = Cable::new();
    let other = "for.cisco-enterprise = { servers = [\"10.20.9.5\", \"10.20.9.6\"] }\n[[site";
    let home = Home::new(&SETTINGS.replace("[[site", other));
    let _serving = home.serve(&cable.server());
    let check = |mac: &str, class: &str, expected: &str| {
        cable.plug(mac);
        let _ = fs::remove_file(home.path("leases"));
        let lease = dhclient(&cable, &home, class);
        assert!(lease.contains(expected), "{class}: {lease}");
    };
    let elsewhere = "option option-150 10.20.9.5,10.20.9.6;";
    check("02:30:94:00:00:11", "Cisco Systems, Inc. IP Phone 7905", elsewhere);
    check("02:06:53:00:00:12", "Cisco Systems, Inc. IP Phone CP-7960G\\000", elsewhere);
    check("02:21:a0:00:00:13", "Cisco Systems, Inc. IP Phone CP-7961G\\000", elsewhere);
    check("02:21:a0:00:00:14", "Cisco Systems, Inc.", elsewhere);
    check("02:04:f2:00:00:15", "Polycom-SPIP670", "option tftp-server-name \"http://10.20.0.1/\";");
}

#[test]
fn dhclient_gets_what_each_family_reads() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    let check = |mac: &str, class: &str, options: [Option<&str>; 3]| {
        cable.plug(mac);
        let _ = fs::remove_file(home.path("leases"));
        let lease = dhclient(&cable, &home, class);
        let names = ["option-150 ", "tftp-server-name ", "option-160 "];
        for (name, expected) in names.into_iter().zip(options) {
            let found = lease
                .split_once(&format!("option {name}"))
                .map(|(_, rest)| rest.split(';').next().unwrap());
            assert_eq!(found, expected, "{class}: {name}in {lease}");
        }
        assert!(lease.contains("option dhcp-lease-time 7200;"), "{lease}");
        assert!(lease.contains("option domain-name \"voice.example\";"), "{lease}");
        assert!(lease.contains(&format!("option dhcp-server-identifier {SERVER};")), "{lease}");
        until(&format!("{mac} leased"), || (serving.phone(mac)["stage"] == "leased").then_some(()));
    };
    let cisco = [Some(SERVER), Some("\"10.20.0.1\""), None];
    let url = Some("\"http://10.20.0.1/\"");
    check("02:30:94:00:00:01", "Cisco Systems, Inc. IP Phone 7905", cisco);
    check("02:06:53:00:00:02", "Cisco Systems, Inc. IP Phone CP-7960G\\000", cisco);
    check("02:21:a0:00:00:03", "Cisco Systems, Inc. IP Phone CP-7961G\\000", cisco);
    check("02:04:f2:00:00:04", "Polycom-SPIP670", [None, url, url]);
    check("02:16:7f:00:00:05", "Polycom-VVX411", [None, url, url]);
    check("02:5e:c0:00:00:06", "yealink", [None, url, None]);
    let families = [
        "cisco-legacy-sccp",
        "cisco-7940-7960",
        "cisco-79xx-enterprise",
        "poly-soundpoint",
        "poly-vvx",
    ];
    let macs = ["023094000001", "020653000002", "0221a0000003", "0204f2000004", "02167f000005"];
    for (mac, family) in macs.iter().zip(families) {
        assert_eq!(serving.phone(mac)["identity"]["family"], family, "{mac}");
    }
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn what_is_no_phone_gets_an_address_and_no_server() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    cable.plug("02:00:00:00:00:77");
    let lease = dhclient(&cable, &home, "MSFT 5.0");
    for absent in ["option-150", "tftp-server-name", "option-160"] {
        assert!(!lease.contains(absent), "{lease}");
    }
    let held = address(&lease);
    assert!(serving.json("/api/v1/leases").to_string().contains(&held), "{held} is a lease");
    assert!(serving.phone("020000000077").is_null(), "and no phone");
}

#[test]
fn a_lease_survives_a_killed_server_and_a_restarted_phone() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let mac = "02:15:65:00:00:01";
    cable.plug(mac);
    let serving = home.serve(&cable.server());
    let first = address(&dhclient(&cable, &home, "yealink"));
    serving.kill();
    let serving = home.serve(&cable.server());
    // With its lease file at hand dhclient asks for the address of before (INIT-REBOOT).
    assert_eq!(address(&dhclient(&cable, &home, "yealink")), first);
    happened(&serving, mac, "restarted and keeps");
    // A phone that comes from another network is told so and starts over.
    let text = fs::read_to_string(home.path("leases")).unwrap().replace(&first, "192.168.7.7");
    fs::write(home.path("leases"), text).unwrap();
    assert_eq!(address(&dhclient(&cable, &home, "yealink")), first);
    happened(&serving, mac, "it is on another network");
}

#[test]
fn udhcpc_releases_and_gets_its_address_again() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    let mac = "02:15:65:00:00:02";
    cable.plug(mac);
    let (script, got) = (script(&home.path("udhcpc.sh")), home.path("got"));
    // Replies by broadcast (-B) take the other way back than dhclient's.
    let words =
        ["udhcpc", "-i", "eth1", "-f", "-n", "-t", "5", "-T", "2", "-C", "-B", "-s", &script];
    let mut leases = Vec::new();
    for times in 1..=2 {
        let mut client = cable.phone(&words);
        let mut client = client.env("GOT", &got).stderr(Stdio::null()).spawn().unwrap();
        leases.push(until("lease", || {
            fs::read_to_string(&got).ok().filter(|got| got.ends_with('\n'))
        }));
        fs::remove_file(&got).unwrap();
        // It gives its address back when told to, and then waits for another word.
        signal(client.id(), "USR2");
        until("release", || {
            let released =
                timeline(&serving, mac).iter().filter(|text| text.contains("released")).count();
            (released == times).then_some(())
        });
        signal(client.id(), "TERM");
        client.wait().unwrap();
    }
    assert!(leases[0].starts_with("10.20."), "{leases:?}");
    assert_eq!(leases[0], leases[1]);
}

/// A script for udhcpc that takes the address, so that a RELEASE can leave, and tells it in a file.
fn script(path: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let text = "#!/bin/sh\n[ \"$1\" = renew ] && echo \"$ip\" > \"$GOT.renewed\"\n[ \"$1\" = bound ] || exit 0\nip addr add \"$ip/$mask\" dev \"$interface\"\necho \"$ip\" > \"$GOT\"\n";
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn a_relay_brings_hundreds_of_clients() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    cable.plug("02:15:65:00:00:03");
    cable.address("10.20.0.9/16");
    // perfdhcp plays a relay at 10.20.0.9 with a new client for each exchange.
    let words = [
        "timeout", "60", "perfdhcp", "-4", "-l", "eth1", "-r", "100", "-R", "400", "-n", "400",
        "-W", "2000000", SERVER,
    ];
    let output = cable.phone(&words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Each of both exchanges, DISCOVER and REQUEST, has its own block of statistics.
    assert_eq!(text.matches("\ndrops: 0\n").count(), 2, "{text}\n{}", home.log());
    let leases = serving.json("/api/v1/leases?limit=1000");
    assert!(leases["items"].as_array().unwrap().len() >= 400, "{text}");
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let cable = Cable::new();
    let check = |interface: &str, code: i32, words: &[&str]| {
        let home = Home::new(&SETTINGS.replace("eth1", interface));
        let ended = home.spawn(&cable.server()).wait().unwrap();
        let log = home.log();
        assert_eq!(ended.code(), Some(code), "{log}");
        assert!(words.iter().all(|word| log.contains(word)), "{log}");
    };
    check("eth7", 78, &["no interface eth7", "there are: ", "eth1"]);
    let home = Home::new(SETTINGS);
    let _serving = home.serve(&cable.server());
    check("eth1", 69, &["another program serves DHCP on eth1"]);
}
