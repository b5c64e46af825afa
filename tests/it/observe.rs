//! Beside a real Kea and a real dnsmasq: phones get their address from these, and their files from here.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    boot::{CLIENTS, dhclient, fetch, lease, stage_is},
    cable::{Cable, SERVER, Switch},
    networks::notice,
    reload::{reload, write},
    run::{Home, happened, timeline, until},
};

const SETTINGS: &str = r#"
[dhcp]
mode = "observe"
interfaces = ["eth1"]
[[site.default.server]]
address = "10.20.0.5"
"#;

const KEA: &str = r#"{ "Dhcp4": {
    "interfaces-config": { "interfaces": ["eth1"] },
    "lease-database": { "type": "memfile", "persist": false },
    "valid-lifetime": 3600,
    "option-def": [
        { "name": "boot-servers", "code": 150, "type": "ipv4-address", "array": true }
    ],
    "subnet4": [ {
        "id": 1,
        "subnet": "10.20.0.0/16",
        "pools": [ { "pool": "10.20.1.1 - 10.20.1.250" } ],
        "option-data": [
            { "name": "tftp-server-name", "data": "10.20.0.1" },
            { "name": "boot-servers", "data": "10.20.0.1" }
        ]
    } ]
} }"#;

const LIST: &str = "mac,model,number,name\n\
                    001E7AC41022,7961G,4012,Front desk\n\
                    001565AABBCC,T46S,4013,Anna\n";

const CISCO: &str = "00:1e:7a:c4:10:22";
const YEALINK: &str = "00:15:65:aa:bb:cc";

/// A DHCP server that nobody here wrote. Dropping it kills it.
pub struct Other(Child);

impl Other {
    pub fn kea(switch: &Switch, directory: &Path) -> Self {
        let conf = directory.join("kea.json");
        fs::write(&conf, KEA).unwrap();
        let own = |name: &str| format!("{name}={}", directory.display());
        let words = [
            "env",
            &own("KEA_PIDFILE_DIR"),
            &own("KEA_LOCKFILE_DIR"),
            &own("KEA_DHCP_DATA_DIR"),
            "kea-dhcp4",
            "-c",
            &conf.display().to_string(),
        ];
        Self::start(switch, &words, directory)
    }

    pub fn dnsmasq(switch: &Switch, directory: &Path) -> Self {
        let leases = format!("--dhcp-leasefile={}", directory.join("leases").display());
        let words = [
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--interface=eth1",
            "--user=root",
            "--no-ping",
            "--pid-file=",
            &leases,
            "--log-facility=-",
            "--dhcp-range=10.20.1.1,10.20.1.250,255.255.0.0,1h",
            "--dhcp-option=66,10.20.0.1",
            "--dhcp-option=150,10.20.0.1",
        ];
        Self::start(switch, &words, directory)
    }

    /// Starts one and waits until it listens.
    fn start(switch: &Switch, words: &[&str], directory: &Path) -> Self {
        let log = directory.join("other.log");
        let mut command = switch.others(words);
        command.stdout(fs::File::create(&log).unwrap()).stderr(fs::File::create(&log).unwrap());
        let mut other = Self(command.spawn().unwrap());
        until("other DHCP server", || {
            let log = || fs::read_to_string(&log).unwrap_or_default();
            let ended = other.0.try_wait().unwrap();
            assert!(ended.is_none(), "{words:?} ended: {}", log());
            let output = switch.others(&["ss", "-lunH", "sport = :67"]).output().unwrap();
            (!output.stdout.is_empty()).then_some(())
        });
        other
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fetches a file with a client that has to be refused.
fn is_withheld(cable: &Cable, name: &str) {
    let url = format!("tftp://{SERVER}/{name}");
    let output = cable.phone(&["curl", "-sS", "-m", "20", &url]).output().unwrap();
    // 69: the server said no.
    assert_eq!(output.status.code(), Some(69), "{name}: {output:?}");
}

/// Boots two phones of two families with an address from `start`.
fn boots_beside(start: fn(&Switch, &Path) -> Other, hidden: bool) {
    let switch = Switch::new();
    if hidden {
        switch.hide_from_the_appliance();
    }
    let cable = &switch.cable;
    let home = Home::new(SETTINGS);
    let _other = start(&switch, home.0.path());
    let serving = home.serve(&cable.server());
    serving.import(LIST);
    let check = |mac: &str, vendor: &str, name: &str, address: &str| {
        let told = "10.20.0.3 names its server: option 66 10.20.0.1 option 150 10.20.0.1";
        if hidden {
            // Its question is all that came by, until it uses its address.
            happened(&serving, mac, &format!("takes {address}, which 10.20.0.3 offered"));
            assert_eq!(serving.phone(mac)["stage"], "discovered");
            assert!(switch.hidden() > 0, "nothing was hidden");
        } else {
            happened(&serving, mac, &format!("leased {address}"));
            happened(&serving, mac, told);
            assert_eq!(serving.phone(mac)["stage"], "leased");
        }
        let phone = serving.phone(mac);
        assert_eq!(phone["identity"]["vendor"], vendor, "{phone}");
        // From an address that was typed in, nobody gets the file of this phone.
        cable.plug(mac);
        cable.address("10.20.0.77/16");
        is_withheld(cable, name);
        happened(&serving, mac, "10.20.0.77 holds no lease");
        cable.plug(mac);
        cable.address(&format!("{address}/16"));
        fetch(cable, &home, CLIENTS[0], name);
        stage_is(&serving, mac, "configured");
        // dhclient asks once more for what it has when it is told to end: then that is what its ARP confirms.
        let bound = [format!("leased {address}"), format!("restarted and keeps {address}")];
        let events = timeline(&serving, mac);
        assert!(events.iter().any(|text| bound.contains(text)), "{events:?}");
        let leases = serving.json("/api/v1/leases").to_string();
        assert!(leases.contains(&format!("\"{address}\"")), "{leases}");
    };
    cable.plug(CISCO);
    let script = lease(cable, &home, "Cisco Systems, Inc. IP Phone CP-7961G");
    let (_, rest) = script.split_once("ip=").unwrap();
    let address = rest.split('\n').next().unwrap();
    check(CISCO, "Cisco", "SEP001E7AC41022.cnf.xml", address);
    cable.plug(YEALINK);
    let leases = dhclient(cable, &home, "yealink");
    let (_, rest) = leases.split_once("fixed-address ").unwrap();
    let address = rest.split(';').next().unwrap();
    check(YEALINK, "Yealink", "001565aabbcc.cfg", address);
    let asked = Command::new("ip")
        .args(&cable.server()[1..])
        .args(["ss", "-lunH", "sport = :67"])
        .output()
        .unwrap();
    assert!(asked.stdout.is_empty(), "port 67 is bound: {asked:?}");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn phones_boot_beside_kea_on_a_hub() {
    boots_beside(Other::kea, false);
}

#[test]
fn phones_boot_beside_kea_on_an_access_port() {
    boots_beside(Other::kea, true);
}

#[test]
fn phones_boot_beside_dnsmasq_on_a_hub() {
    boots_beside(Other::dnsmasq, false);
}

#[test]
fn phones_boot_beside_dnsmasq_on_an_access_port() {
    boots_beside(Other::dnsmasq, true);
}

#[test]
fn a_relay_is_heard_and_never_answered() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    cable.plug("02:15:65:00:00:03");
    cable.address("10.20.0.9/16");
    // perfdhcp plays a relay at 10.20.0.9 that has us as a target.
    let words = [
        "timeout", "30", "perfdhcp", "-4", "-l", "eth1", "-r", "10", "-R", "5", "-p", "2", "-i",
        "-W", "500000", SERVER,
    ];
    let output = cable.phone(&words).stderr(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("received packets: 0"), "{text}");
    let seen = until("five phones", || {
        let phones = serving.json("/api/v1/phones");
        let phones = phones["items"].as_array().unwrap().clone();
        (phones.len() == 5).then_some(phones)
    });
    let mac = seen[0]["mac"].as_str().unwrap();
    happened(&serving, mac, "looks for a DHCP server through relay 10.20.0.9");
}

#[test]
fn an_interface_comes_late_and_settings_change() {
    let cable = Cable::new();
    let observe = SETTINGS.replace("[\"eth1\"]", "[\"eth1\", \"eth2\"]");
    let home = Home::new(&observe);
    // As systemd starts it, what is not there is waited for.
    let server = cable.server();
    let prefix = [&server[..], &["env", "NOTIFY_SOCKET=@ringup-nobody"]].concat();
    let serving = home.serve(&prefix);
    notice(&serving, "DHCP on eth2 can't be observed: there is no such interface", true);
    let asks = |interface: &str, mac: &str| {
        let change = ["ip", "link", "set", interface, "address", mac];
        cable.run(&change);
        let words = ["timeout", "20", "udhcpc", "-i", interface, "-n", "-q", "-f", "-t", "2"];
        let class = ["-T", "1", "-V", "yealink", "-s", "/bin/true"];
        assert!(!cable.phone(&[&words[..], &class].concat()).output().unwrap().status.success());
    };
    cable.cable("eth2");
    notice(&serving, "eth2", false);
    asks("eth2", "02:15:65:00:00:01");
    happened(&serving, "02:15:65:00:00:01", "looks for a DHCP server");
    cable.at_server(&["link", "set", "eth2", "down"]);
    notice(&serving, "eth2 is down", true);
    cable.at_server(&["link", "del", "eth2"]);
    notice(&serving, "there is no such interface", true);
    cable.cable("eth2");
    notice(&serving, "eth2", false);
    asks("eth2", "02:15:65:00:00:02");
    happened(&serving, "02:15:65:00:00:02", "looks for a DHCP server");
    // Off, and nobody listens; on again.
    write(&home, &observe.replace("\"observe\"", "\"off\""));
    let (code, said, error) = reload(&home, &[]);
    assert!(code == 0, "{said}{error}");
    let promiscuous = || {
        let words = ["-d", "link", "show", "dev", "eth1"];
        let output = Command::new("ip").args(&server[1..]).arg("ip").args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("promiscuity 1")
    };
    until("an interface that is left", || (!promiscuous()).then_some(()));
    asks("eth1", "02:15:65:00:00:03");
    write(&home, &observe);
    let (code, said, error) = reload(&home, &[]);
    assert!(code == 0, "{said}{error}");
    until("an interface that is listened to", || promiscuous().then_some(()));
    asks("eth1", "02:15:65:00:00:04");
    happened(&serving, "02:15:65:00:00:04", "looks for a DHCP server");
    assert!(serving.phone("02:15:65:00:00:03").is_null(), "heard while it was off");
}

#[test]
fn what_cannot_be_observed_is_said_in_one_line() {
    let cable = Cable::new();
    let check = |interface: &str, words: &[&str], code: i32, said: &[&str]| {
        let home = Home::new(&SETTINGS.replace("eth1", interface));
        let prefix = [&cable.server()[..], words].concat();
        let ended = home.spawn(&prefix).wait().unwrap();
        let log = home.log();
        assert_eq!(ended.code(), Some(code), "{log}");
        assert!(said.iter().all(|word| log.contains(word)), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
    };
    check("eth7", &[], 78, &["no interface eth7", "there are: ", "eth1"]);
    let without = ["setpriv", "--bounding-set=-net_raw"];
    check("eth1", &without, 77, &["no permission", "eth1", "setcap", "cap_net_raw"]);
}
