//! Networks over a cable: interfaces that come late, subnets that share a wire, reloads under load.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use crate::{
    cable::{Cable, SERVER},
    reload::{reload, write},
    run::{Home, PATIENCE, Serving, until},
};

const DHCP: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.4.250"]
lease-time = "2h"
"#;

#[test]
fn under_load_nothing_is_lost() {
    let cable = Cable::new();
    let home = Home::new(DHCP);
    let big = vec![b'x'; 1_000_000];
    fs::write(home.path("files/big.bin"), &big).unwrap();
    let serving = home.serve(&cable.server());
    cable.plug("02:15:65:00:00:03");
    cable.address("10.20.0.9/16");
    let limit = PATIENCE.as_secs().to_string();
    let words = [
        "timeout", "60", "perfdhcp", "-4", "-l", "eth1", "-r", "100", "-R", "500", "-n", "500",
        "-W", "3000000", SERVER,
    ];
    let clients = cable.phone(&words).stdout(Stdio::piped()).spawn().unwrap();
    let fetch = |url: &str, name: &str| {
        let path = home.path(name).display().to_string();
        let words = ["curl", "-sS", "-m", &limit, "--limit-rate", "300k", "-o", &path, url];
        cable.phone(&words).spawn().unwrap()
    };
    let mut transfers = [
        fetch(&format!("tftp://{SERVER}/big.bin"), "by-tftp"),
        fetch(&format!("http://{SERVER}/big.bin"), "by-http"),
    ];
    let mut times = 0;
    let ended = |child: &mut Child| child.try_wait().unwrap();
    let mut clients = clients;
    while ended(&mut clients).is_none() || transfers.iter_mut().any(|one| ended(one).is_none()) {
        times += 1;
        write(&home, &DHCP.replace("2h", &format!("{}h", 2 + times % 2)));
        let (code, told, error) = reload(&home, &[]);
        assert!(code == 0 && told.contains("lease-time"), "{code} {told} {error}");
    }
    assert!(times > 5, "{times} reloads are no load");
    let output = clients.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("\ndrops: 0\n").count(), 2, "{text}\n{}", home.log());
    for (transfer, name) in transfers.iter_mut().zip(["by-tftp", "by-http"]) {
        assert!(transfer.wait().unwrap().success(), "{name}");
        assert_eq!(fs::read(home.path(name)).unwrap().len(), big.len(), "{name}");
    }
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Waits for a lease on an interface at the phones' end.
fn leases(cable: &Cable, interface: &str, network: &str) {
    let words =
        ["timeout", "30", "udhcpc", "-i", interface, "-n", "-q", "-f", "-t", "20", "-T", "1"];
    let words = [&words[..], &["-s", "/bin/true"]].concat();
    let output = cable.phone(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("lease of {network}")), "{said}");
}

pub fn notice(serving: &Serving<'_>, words: &str, there: bool) {
    until(&format!("{words}: {there}"), || {
        let (_, page) = serving.try_call("GET", "/", "", "")?;
        (page.contains(words) == there).then_some(())
    });
}

#[test]
fn an_interface_that_is_late_is_waited_for() {
    let cable = Cable::new();
    let settings = format!(
        "{}[[dhcp.subnet]]\nsubnet = \"10.30.0.0/24\"\npool = [\"10.30.0.50-10.30.0.99\"]\n",
        DHCP.replace("[\"eth1\"]", "[\"eth1\", \"eth2\"]")
    );
    let home = Home::new(&settings);
    // Typed by hand, a name that does not exist ends the start.
    let ended = home.spawn(&cable.server()).wait().unwrap();
    assert_eq!(ended.code(), Some(78), "{}", home.log());
    // As systemd starts it, it is waited for.
    let server = cable.server();
    let prefix = [&server[..], &["env", "NOTIFY_SOCKET=@ringup-nobody"]].concat();
    let serving = home.serve(&prefix);
    assert!(home.log().contains("DHCP waits for eth2"), "{}", home.log());
    notice(&serving, "DHCP waits for eth2: there is no interface eth2", true);
    leases(&cable, "eth1", "10.20.");
    cable.cable("eth2");
    notice(&serving, "DHCP waits for eth2: eth2 has no IPv4 address", true);
    cable.at_server(&["addr", "add", "10.30.0.1/24", "dev", "eth2"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    // Down and up again; then gone and made anew, with another number.
    cable.at_server(&["link", "set", "eth2", "down"]);
    notice(&serving, "eth2 is down", true);
    cable.at_server(&["link", "set", "eth2", "up"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    cable.at_server(&["link", "del", "eth2"]);
    notice(&serving, "DHCP waits for eth2", true);
    cable.cable("eth2");
    cable.at_server(&["addr", "add", "10.30.0.2/24", "dev", "eth2"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    // Left by a reload, and taken on again.
    write(&home, DHCP);
    assert_eq!(reload(&home, &[]).0, 0);
    let words = ["timeout", "30", "udhcpc", "-i", "eth2", "-n", "-q", "-f", "-t", "2", "-T", "1"];
    let words = [&words[..], &["-s", "/bin/true"]].concat();
    assert!(!cable.phone(&words).output().unwrap().status.success());
    // A name that is new and nowhere is waited for here too, and whoever asked is told.
    write(&home, &settings.replace("\"eth2\"", "\"eth2\", \"eth7\""));
    let (code, told, _) = reload(&home, &[]);
    assert!(code == 0 && told.contains("no interface eth7"), "{code} {told}");
    leases(&cable, "eth2", "10.30.0.");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn two_subnets_on_one_wire() {
    let cable = Cable::new();
    cable.at_server(&["addr", "add", "10.30.0.1/24", "dev", "eth1"]);
    // Phones belong into the second subnet, whatever else into the first; a relay names either.
    let home = Home::new(
        "[dhcp]\nmode = \"serve\"\ninterfaces = [\"eth1\"]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/16\"\n\
         admit = \"listed\"\npool = [\"10.20.1.1-10.20.4.250\"]\n[[dhcp.subnet]]\nsubnet = \"10.30.0.0/24\"\n\
         pool = [\"10.30.0.50-10.30.0.99\"]\n",
    );
    let serving = home.serve(&cable.server());
    serving.import("mac,model,number\n021565000001,T46S,4012\n");
    cable.plug("02:15:65:00:00:01");
    leases(&cable, "eth1", "10.20.");
    cable.plug("02:15:65:00:00:02");
    leases(&cable, "eth1", "10.30.0.");
    // A relay in the second subnet.
    cable.address("10.30.0.9/24");
    let words = [
        "timeout",
        "60",
        "perfdhcp",
        "-4",
        "-l",
        "eth1",
        "-r",
        "20",
        "-R",
        "20",
        "-n",
        "20",
        "-W",
        "2000000",
        "10.30.0.1",
    ];
    let output = cable.phone(&words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("\ndrops: 0\n").count(), 2, "{text}\n{}", home.log());
    let leases = serving.json("/api/v1/leases?limit=1000");
    let second = leases["items"].as_array().unwrap().iter();
    let second = second.filter(|lease| lease["address"].as_str().unwrap().starts_with("10.30.0."));
    assert_eq!(second.count(), 21, "{leases}");
}

#[test]
fn phones_of_another_server_are_shown_so() {
    let cable = Cable::new();
    let home =
        Home::new(&format!("{DHCP}for.poly = {{ servers = [\"10.1.1.5\"] }}\nvoice-vlan = 20\n"));
    let serving = home.serve(&cable.server());
    cable.plug("02:16:7f:00:00:05");
    let words = ["timeout", "30", "udhcpc", "-i", "eth1", "-n", "-q", "-f", "-V", "Polycom-VVX411"];
    let script = home.path("script");
    let text = "#!/bin/sh\n[ \"$1\" = bound ] && env > \"${0}.env\"\nexit 0\n";
    fs::write(&script, text).unwrap();
    let words = [&words[..], &["-O", "160", "-O", "132", "-O", "128", "-s"]].concat();
    let made = Command::new("chmod").arg("755").arg(&script).status().unwrap();
    assert!(made.success());
    let script = script.display().to_string();
    cable.run(&[&words[..], &[&script]].concat());
    let got = fs::read_to_string(home.path("script.env")).unwrap();
    let hex =
        |text: &str| text.bytes().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"));
    for option in [("opt160", "http://10.1.1.5/"), ("opt128", "VLAN-A=20;")] {
        assert!(got.contains(&format!("{}={}", option.0, hex(option.1))), "{option:?}: {got}");
    }
    let phone = until("lease", || {
        let phone = serving.phone("02167f000005");
        (phone["stage"] == "leased").then_some(phone)
    });
    assert_eq!(phone["elsewhere"], serde_json::json!(["10.1.1.5"]), "{phone}");
    assert!(phone["findings"].as_array().unwrap().is_empty() && phone["diagnosis"].is_null());
}
