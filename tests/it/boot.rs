//! Phones boot over a cable, played by programs that nobody here wrote: udhcpc, tftp-hpa, atftp, curl, busybox.

use std::{fs, os::unix::fs::PermissionsExt};

use sha2::{Digest, Sha256};

use crate::{
    cable::{Cable, SERVER},
    run::{Home, Serving, until},
};

/// Over 65,535 blocks of 512 bytes: the block number has to roll over.
const FIRMWARE: usize = 40 << 20;

const LOAD: &str = "cnu41.9-4-2TH1-1.sbn";

/// What udhcpc calls when it has a lease: takes the address and tells the options, one a line.
const SCRIPT: &str = "#!/bin/sh
[ \"$1\" = bound ] || exit 0
ip addr add \"$ip/$mask\" dev \"$interface\"
echo \"ip=$ip\"
echo \"66=$tftp\"
echo \"150=$opt150\"
echo \"160=$opt160\"
";

const DHCP: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.1.250"]
[auto-registration]
enabled = true
numbers = "4500-4599"
[[site.default.server]]
address = "10.20.0.5"
"#;

/// Clients and the block sizes that they ask for; `{name}` and `{to}` are filled in.
pub const CLIENTS: &[&[&str]] = &[
    &["tftp", "-m", "binary", SERVER, "-c", "get", "{name}", "{to}"],
    &["atftp", "--option", "blksize 512", "-g", "-r", "{name}", "-l", "{to}", SERVER],
    &["atftp", "--option", "blksize 1428", "-g", "-r", "{name}", "-l", "{to}", SERVER],
    &["curl", "-sS", "--tftp-blksize", "1428", "-o", "{to}", "tftp://10.20.0.1/{name}"],
    &["curl", "-sS", "--tftp-blksize", "8192", "-o", "{to}", "tftp://10.20.0.1/{name}"],
    &["busybox", "tftp", "-b", "1428", "-g", "-r", "{name}", "-l", "{to}", SERVER],
    &["busybox", "tftp", "-b", "8192", "-g", "-r", "{name}", "-l", "{to}", SERVER],
    &["curl", "-sS", "-f", "-o", "{to}", "http://10.20.0.1:6970/{name}"],
];

/// An address from udhcpc with this option 60; the script's lines.
pub fn lease(cable: &Cable, home: &Home, option_60: &str) -> String {
    let script = home.path("udhcpc.sh");
    fs::write(&script, SCRIPT).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display().to_string();
    let words =
        ["udhcpc", "-i", "eth1", "-f", "-q", "-n", "-t", "5", "-T", "2", "-C", "-s", &script];
    let options = ["-O", "66", "-O", "150", "-O", "160", "-V", option_60];
    let output = cable.run(&[&words[..], &options[..]].concat());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Fetches a file with one client; its bytes.
pub fn fetch(cable: &Cable, home: &Home, client: &[&str], name: &str) -> Vec<u8> {
    let to = home.path("fetched");
    let _ = fs::remove_file(&to);
    let words: Vec<String> = client
        .iter()
        .map(|word| word.replace("{name}", name).replace("{to}", &to.display().to_string()))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cable.run(&words);
    fs::read(&to).unwrap_or_else(|error| panic!("{client:?} {name}: {error}"))
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x?}", Sha256::digest(bytes))
}

pub fn stage_is(serving: &Serving<'_>, mac: &str, stage: &str) {
    until(&format!("{mac} {stage}"), || (serving.phone(mac)["stage"] == stage).then_some(()));
}

#[test]
fn a_cisco_phone_boots_with_every_client() {
    let cable = Cable::new();
    let home = Home::new(DHCP);
    let firmware: Vec<u8> = (0..FIRMWARE).map(|at| ((at * 31) >> 5).to_le_bytes()[0]).collect();
    fs::write(home.path("firmware").join(LOAD), &firmware).unwrap();
    fs::write(home.path("files/SEPDEFAULT.cnf"), b"an operator's own fallback").unwrap();
    let serving = home.serve(&cable.server());
    serving.import("mac,model,number,name\n001E7AC41022,7961G,4012,Front desk\n");

    cable.plug("00:1e:7a:c4:10:22");
    let options = lease(&cable, &home, "Cisco Systems, Inc. IP Phone CP-7961G");
    assert!(options.contains("66=10.20.0.1\n"), "{options}");
    assert!(options.to_lowercase().contains("150=0a140001"), "{options}");
    stage_is(&serving, "001e7ac41022", "leased");

    let mut configurations: Vec<String> = Vec::new();
    for client in CLIENTS {
        let config = fetch(&cable, &home, client, "SEP001E7AC41022.cnf.xml");
        assert!(config.windows(4).any(|bytes| bytes == b"4012"), "{client:?}");
        configurations.push(digest(&config));
        let load = fetch(&cable, &home, client, LOAD);
        assert_eq!((load.len(), digest(&load)), (FIRMWARE, digest(&firmware)), "{client:?}");
    }
    configurations.dedup();
    assert_eq!(configurations.len(), 1, "each client got the same bytes");
    stage_is(&serving, "001e7ac41022", "configured");

    // Nobody listed this one, and the window is open: it becomes an entry and gets what there is for everybody.
    cable.plug("00:30:94:c2:d5:ca");
    lease(&cable, &home, "Cisco Systems, Inc.");
    for client in CLIENTS {
        let fallback = fetch(&cable, &home, client, "SEPDEFAULT.cnf");
        assert_eq!(fallback, b"an operator's own fallback", "{client:?}");
    }
    stage_is(&serving, "003094c2d5ca", "defaulted");
    assert_eq!(serving.phone("003094c2d5ca")["entry"]["number"], "4500");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// A lease from dhclient with this option 60: what it wrote into its lease file.
pub fn dhclient(cable: &Cable, home: &Home, option_60: &str) -> String {
    let [conf, leases, pid] = ["dhclient.conf", "dhclient.leases", "dhclient.pid"].map(|name| {
        let path = home.path(name);
        let _ = fs::remove_file(&path);
        path.display().to_string()
    });
    let settings = format!(
        "option tftp-addresses code 150 = array of ip-address;\noption provisioning code 160 = text;\n\
         send vendor-class-identifier \"{option_60}\";\n\
         request subnet-mask, tftp-server-name, tftp-addresses, provisioning;\n"
    );
    fs::write(&conf, settings).unwrap();
    let words = ["dhclient", "-4", "-cf", &conf, "-lf", &leases, "-pf", &pid, "-sf", "/bin/true"];
    cable.run(&[&words[..], &["-1", "eth1"]].concat());
    // It stays in the background to renew: ends it without giving the address back.
    cable.run(&[&words[..], &["-x", "eth1"]].concat());
    fs::read_to_string(&leases).unwrap()
}

#[test]
fn what_each_family_is_told() {
    let cable = Cable::new();
    let home = Home::new(DHCP);
    let serving = home.serve(&cable.server());
    let check = |mac: &str, option_60: &str, told: &[&str], never: &str| {
        cable.plug(mac);
        let lease = dhclient(&cable, &home, option_60);
        let told = told.iter().all(|option| lease.contains(&format!("option {option};")));
        assert!(told && !lease.contains(never), "{option_60}: {lease}");
        stage_is(&serving, mac, "leased");
    };
    let cisco = ["tftp-addresses 10.20.0.1", "tftp-server-name \"10.20.0.1\""];
    let poly = ["provisioning \"http://10.20.0.1/\"", "tftp-server-name \"http://10.20.0.1/\""];
    check("00:30:94:00:00:01", "Cisco Systems, Inc.", &cisco, "http");
    check("00:06:53:00:00:02", "Cisco Systems, Inc. IP Phone CP-7960G", &cisco, "http");
    check("00:21:a0:00:00:03", "Cisco Systems, Inc. IP Phone CP-7961G", &cisco, "http");
    check("00:04:f2:00:00:04", "Polycom-SPIP670", &poly, "\"10.20.0.1\"");
    check("64:16:7f:00:00:05", "Polycom-VVX411", &poly, "\"10.20.0.1\"");
    check("80:5e:c0:00:00:06", "yealink", &poly[1..], "\"10.20.0.1\"");
}

#[test]
fn a_phone_with_an_address_typed_in_boots_with_dhcp_off() {
    let cable = Cable::new();
    let home = Home::new("[[site.default.server]]\naddress = \"10.20.0.5\"\n");
    let serving = home.serve(&cable.server());
    serving.import("mac,model,number,name\n001E7AC41022,7961G,4012,Front desk\n");
    cable.plug("00:1e:7a:c4:10:22");
    cable.address("10.20.0.77/16");
    fetch(&cable, &home, CLIENTS[3], "SEP001E7AC41022.cnf.xml");
    stage_is(&serving, "001e7ac41022", "configured");
    assert_eq!(serving.phone("001e7ac41022")["address"], "10.20.0.77");
    assert!(home.log().contains("DHCP is off"), "{}", home.log());
}
