//! Other people's DHCP servers with our snippet inside, and a cut-over from each of them: Kea, ISC dhcpd, dnsmasq.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    cable::Cable,
    dhcp::{address, lease},
    run::{BINARY, Home, Serving, signal, until},
};

/// One address more than the clients below need, so that a new one has to take that or somebody else's.
const FIRST: &str = "10.20.1.1";
const LAST: &str = "10.20.1.10";

const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.1.10"]
servers = ["10.20.0.2", "10.20.0.3"]
"#;

/// A client that says nothing of itself.
const UNKNOWN: &str = "02:00:00:00:00:07";

const URL: Option<&str> = Some("\"http://10.20.0.2/\"");
const BOTH: Option<&str> = Some("10.20.0.2,10.20.0.3");

/// A family of the operator's, with every character that a language could trip over, and sub-options.
const ACME: &str = r#"
vendor = "Acme"
title = "Acme desk phones"
format = "ini"
[recognize]
option-60 = ['^acme "O.Brien\\" \$x']
[dhcp]
servers = [
  { option = 43, sub = 2, form = "text", text = "{http}" },
  { option = 160, form = "text", text = '''{http}/a'b"c\$mac,d?''' },
  { option = 66, form = "text", text = '''tftp://{server}/it's "$x", \x''' },
]
"#;

/// MAC, what dhclient sends, and what has to come back in 150, 66, 160 and 43. How a client calls itself varies.
const CLIENTS: [(&str, &str, [Option<&str>; 4]); 9] = [
    (
        "02:30:94:00:00:01",
        r#"send vendor-class-identifier "Cisco Systems, Inc. IP Phone 7905";"#,
        [BOTH, Some("\"10.20.0.2\""), None, None],
    ),
    (
        "02:21:a0:00:00:02",
        "send vendor-class-identifier \"Cisco Systems, Inc. IP Phone CP-7961G\\000\"; send dhcp-client-identifier = hardware;",
        [BOTH, Some("\"10.20.0.2\""), None, None],
    ),
    (
        "02:04:f2:00:00:03",
        r#"send vendor-class-identifier "Polycom-SPIP670"; send dhcp-client-identifier "\000desk \"7\"\\";"#,
        [None, URL, URL, None],
    ),
    (
        // The binary form: enterprise number, length, part number.
        "02:04:f2:00:00:04",
        "send vendor-class-identifier 00:00:36:3d:11:03:0e:32:33:34:35:2d:31:31:36:30:35:2d:30:30:31:ff;",
        [None, URL, URL, None],
    ),
    (
        "02:15:65:00:00:05",
        r#"send vendor-class-identifier "yealink"; send dhcp-client-identifier 01:02:15:65:00:00:05;"#,
        [None, URL, None, None],
    ),
    ("02:15:65:00:00:06", r#"send vendor-class-identifier "Yealink";"#, [None, URL, None, None]),
    (
        // dhclient puts a backslash before whatever a shell would take for its own.
        "02:00:00:00:00:09",
        r#"send vendor-class-identifier "acme \"O'Brien\\\" $x 1";"#,
        [
            None,
            Some(r#""tftp://10.20.0.2/it\'s \"\$x\", \\x""#),
            Some(r#""http://10.20.0.2/a\'b\"c\\\$mac,d?""#),
            Some("2:10:68:74:74:70:3a:2f:2f:31:30:2e:32:30:2e:30:2e:32"),
        ],
    ),
    (UNKNOWN, "", [BOTH, URL, URL, None]),
    ("02:00:00:00:00:08", r#"send vendor-class-identifier "MSFT 5.0";"#, [None, None, None, None]),
];

/// All is on the wire that the server was told to send, asked for or not: dhclient writes down what comes.
const DHCLIENT: &str = "option option-150 code 150 = array of ip-address;\noption option-160 code 160 = text;\n\
    request subnet-mask;\ntimeout 20;\ninitial-interval 1;\n";

/// A server that nobody here wrote, in its namespace. Dropping it kills it.
struct Other(Child);

impl Other {
    /// Starts it and waits until its log says that it serves.
    fn start(cable: &Cable, home: &Home, words: &[&str], ready: &str) -> Self {
        let log = fs::File::create(home.path("other.log")).unwrap();
        let words = [&cable.server()[..], words].concat();
        let mut child = Command::new(words[0]);
        child.args(&words[1..]).stdin(Stdio::null());
        child.stdout(log.try_clone().unwrap()).stderr(log);
        for name in ["KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR"] {
            child.env(name, home.0.path());
        }
        let mut other = Self(child.spawn().unwrap());
        until(ready, || {
            let log = fs::read_to_string(home.path("other.log")).unwrap_or_default();
            let ended = other.0.try_wait().unwrap();
            assert!(ended.is_none(), "{words:?} ended with {ended:?}: {log}");
            log.contains(ready).then_some(())
        });
        other
    }

    /// Asks it to stop, so that what it remembers is in its file.
    fn stop(mut self) {
        signal(self.0.id(), "TERM");
        until("end of the other server", || self.0.try_wait().unwrap());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn home() -> Home {
    let home = Home::new(SETTINGS);
    fs::create_dir(home.path("profiles/acme")).unwrap();
    fs::write(home.path("profiles/acme/profile.toml"), ACME).unwrap();
    home
}

/// Runs a command of ringup on a home; its output, and whether it ended well.
fn ringup(home: &Home, words: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    let output =
        command.arg("--config").arg(home.path("ringup.toml")).args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}{text}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Runs dhclient as one of the clients, with the lease file that it had before, if any.
fn client(cable: &Cable, home: &Home, nth: usize) -> String {
    let (mac, sends, _) = CLIENTS[nth];
    cable.plug(mac);
    let (own, used) = (home.path(&format!("leases.{nth}")), home.path("leases"));
    if fs::copy(&own, &used).is_err() {
        let _ = fs::remove_file(&used);
    }
    let lease = lease(cable, home, &format!("{DHCLIENT}{sends}\n"));
    fs::copy(&used, &own).unwrap();
    lease
}

/// Options 150, 66, 160 and 43 of a lease as dhclient writes them.
fn options(lease: &str) -> [Option<String>; 4] {
    ["option-150", "tftp-server-name", "option-160", "vendor-encapsulated-options"].map(|name| {
        let (_, rest) = lease.split_once(&format!("option {name} "))?;
        Some(rest.split(";\n").next()?.to_owned())
    })
}

/// Gets an address for every client from another server, and checks what came with it.
fn served(cable: &Cable, home: &Home) -> Vec<String> {
    let log = || fs::read_to_string(home.path("other.log")).unwrap_or_default();
    let check = |nth: usize| {
        let (mac, sends, expected) = CLIENTS[nth];
        let lease = client(cable, home, nth);
        let found = options(&lease);
        let found = found.each_ref().map(Option::as_deref);
        assert_eq!(found, expected, "{mac} {sends}\n{lease}\n{}", log());
        address(&lease)
    };
    let held: Vec<String> = (0..CLIENTS.len()).map(check).collect();
    assert_eq!(held.iter().collect::<BTreeSet<_>>().len(), CLIENTS.len(), "{held:?}");
    held
}

/// udhcpc as a 7960: option 150 as octets, 66 as text, as its script sees them.
fn udhcpc(cable: &Cable, home: &Home) {
    let script = home.path("udhcpc.sh");
    let text =
        "#!/bin/sh\n[ \"$1\" = bound ] && echo \"$opt150 $tftp $opt160\" > \"$GOT\"\nexit 0\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display().to_string();
    cable.plug(CLIENTS[0].0);
    let words = [
        "udhcpc",
        "-i",
        "eth1",
        "-f",
        "-n",
        "-q",
        "-t",
        "5",
        "-T",
        "2",
        "-C",
        "-B",
        "-s",
        &script,
        "-O",
        "150",
        "-O",
        "66",
        "-O",
        "160",
        "-V",
        "Cisco Systems, Inc. IP Phone CP-7960G",
    ];
    let got = home.path("got");
    let output = cable.phone(&words).env("GOT", &got).output().unwrap();
    let text = fs::read_to_string(&got).unwrap_or_default();
    assert_eq!(text.trim(), "0a1400020a140003 10.20.0.2", "{output:?}");
}

/// Takes the leases of `file` over and lets every client come back.
fn cut_over(cable: &Cable, home: &Home, file: &str, held: &[String]) {
    let serving = home.serve(&cable.server());
    let file = home.path(file).display().to_string();
    let verdicts = |words: &[&str]| -> Value {
        serde_json::from_str(&ringup(
            home,
            &[&["leases", "import", &file, "--json"], words].concat(),
        ))
        .unwrap()
    };
    let dry = verdicts(&["--dry-run"]);
    assert_eq!(
        (&dry["imported"], &dry["applied"]),
        (&Value::from(CLIENTS.len()), &Value::from(false)),
        "{dry}"
    );
    let done = verdicts(&[]);
    assert_eq!(
        (&done["imported"], &done["refused"]),
        (&Value::from(CLIENTS.len()), &Value::from(0)),
        "{done}"
    );
    assert_eq!(verdicts(&[])["same"], CLIENTS.len(), "a second time changes nothing");
    let listed: Value = serde_json::from_str(&ringup(home, &["leases", "list", "--json"])).unwrap();
    let listed: BTreeSet<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["address"].as_str())
        .collect();
    assert_eq!(listed, held.iter().map(String::as_str).collect());
    newcomer(cable, home, held);
    for (nth, held) in held.iter().enumerate() {
        let lease = client(cable, home, nth);
        assert_eq!(address(&lease), *held, "{}", CLIENTS[nth].0);
        assert!(lease.contains("option dhcp-server-identifier 10.20.0.1;"), "{lease}");
        // To a phone of a known family ringup sends what the snippet made the other server send.
        if CLIENTS[nth].0 != UNKNOWN {
            assert_eq!(options(&lease).each_ref().map(Option::as_deref), CLIENTS[nth].2, "{lease}");
        }
        kept(&serving, CLIENTS[nth].0, CLIENTS[nth].1.contains("MSFT"));
    }
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// A phone that nobody saw before gets the one address that is free.
fn newcomer(cable: &Cable, home: &Home, held: &[String]) {
    cable.plug("02:15:65:00:00:99");
    let _ = fs::remove_file(home.path("leases"));
    let new = address(&lease(cable, home, DHCLIENT));
    assert!(!held.contains(&new), "{new} is held already");
}

/// It asked for the address of before at once, and has it: a round without a DISCOVER.
fn kept(serving: &Serving<'_>, mac: &str, no_phone: bool) {
    if no_phone {
        return;
    }
    until(&format!("restart of {mac}"), || {
        let events = serving.json(&format!("/api/v1/phones/{mac}/events"));
        let texts = events["items"].to_string();
        assert!(!texts.contains("looks for a DHCP server"), "{mac} started over: {texts}");
        texts.contains("restarted and keeps").then_some(())
    });
}

#[test]
fn kea() {
    let (cable, home) = (Cable::new(), home());
    fs::write(home.path("ringup.json"), ringup(&home, &["dhcp-snippet", "kea"])).unwrap();
    let path = home.0.path().display();
    let conf = format!(
        "{{\"Dhcp4\": {{\n\"interfaces-config\": {{ \"interfaces\": [\"eth1\"] }},\n\
         \"lease-database\": {{ \"type\": \"memfile\", \"name\": \"{path}/kea-leases4.csv\", \"lfc-interval\": 0 }},\n\
         \"valid-lifetime\": 7200,\n\
         \"subnet4\": [{{ \"id\": 1, \"subnet\": \"10.20.0.0/16\", \"pools\": [{{ \"pool\": \"{FIRST} - {LAST}\" }}] }}],\n\
         \"loggers\": [{{ \"name\": \"kea-dhcp4\", \"severity\": \"INFO\", \"output_options\": [{{ \"output\": \"stdout\" }}] }}],\n\
         <?include \"{path}/ringup.json\"?>\n}}}}\n"
    );
    let file = home.path("kea.conf");
    fs::write(&file, conf).unwrap();
    let words = ["kea-dhcp4", "-c", file.to_str().unwrap()];
    let other = Other::start(&cable, &home, &words, "DHCP4_STARTED");
    udhcpc(&cable, &home);
    let held = served(&cable, &home);
    other.stop();
    cut_over(&cable, &home, "kea-leases4.csv", &held);
}

#[test]
fn isc() {
    let (cable, home) = (Cable::new(), home());
    fs::write(home.path("ringup.conf"), ringup(&home, &["dhcp-snippet", "isc"])).unwrap();
    let path = |name: &str| home.path(name).display().to_string();
    let conf = format!(
        "default-lease-time 7200;\nmax-lease-time 7200;\nping-check false;\nauthoritative;\n\
         include \"{}\";\nsubnet 10.20.0.0 netmask 255.255.0.0 {{ range {FIRST} {LAST}; }}\n",
        path("ringup.conf")
    );
    fs::write(home.path("dhcpd.conf"), conf).unwrap();
    fs::write(home.path("dhcpd.leases"), "").unwrap();
    let (conf, leases) = (path("dhcpd.conf"), path("dhcpd.leases"));
    let words = ["dhcpd", "-4", "-f", "-d", "-cf", &conf, "-lf", &leases, "--no-pid", "eth1"];
    let other = Other::start(&cable, &home, &words, "Sending on   Socket/fallback");
    udhcpc(&cable, &home);
    let held = served(&cable, &home);
    other.stop();
    cut_over(&cable, &home, "dhcpd.leases", &held);
}

#[test]
fn dnsmasq() {
    let (cable, home) = (Cable::new(), home());
    fs::write(home.path("ringup.conf"), ringup(&home, &["dhcp-snippet", "dnsmasq"])).unwrap();
    let path = |name: &str| home.path(name).display().to_string();
    let conf = format!(
        "port=0\ninterface=eth1\ndhcp-authoritative\nno-ping\nuser=root\nlog-dhcp\n\
         dhcp-range={FIRST},{LAST},255.255.0.0,2h\ndhcp-leasefile={}\nconf-file={}\n",
        path("dnsmasq.leases"),
        path("ringup.conf")
    );
    fs::write(home.path("dnsmasq.conf"), conf).unwrap();
    let (conf, pid) =
        (format!("--conf-file={}", path("dnsmasq.conf")), format!("--pid-file={}", path("pid")));
    let words = ["dnsmasq", "--keep-in-foreground", "--log-facility=-", &conf, &pid];
    let other = Other::start(&cable, &home, &words, "DHCP, IP range");
    udhcpc(&cable, &home);
    let held = served(&cable, &home);
    other.stop();
    cut_over(&cable, &home, "dnsmasq.leases", &held);
}
