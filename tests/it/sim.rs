//! `ringup sim` against servers of all kinds: ours, dnsmasq, and dnsmasq with tftpd-hpa beside it.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

use crate::{
    browser::Browser,
    cable::Cable,
    run::{BINARY, Home, until},
};

const SERVE: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.4.250"]
[[site.default.server]]
address = "10.20.0.5"
"#;

const MIX: &str = "cisco=60,poly=30,yealink=10";

/// The phones of a storm with these words, as the list that would make them known.
fn list(words: &[&str]) -> String {
    let words = [&["sim", "--server", "10.20.0.1", "--list", "--mix", MIX], words].concat();
    let output = Command::new(BINARY).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A storm on the phones' end of the cable.
fn storm(cable: &Cable, words: &[&str]) -> Output {
    let usual = [BINARY, "sim", "--server", "10.20.0.1", "--json"];
    cable.phone(&[&usual[..], words].concat()).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Everything is in order: all phones got there, none twice, and the figures hang together.
fn all_is_well(output: &Output, phones: u64) {
    let told = json(output);
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    assert_eq!((&told["ok"], &told["phones"]), (&Value::from(true), &Value::from(phones)));
    for milestone in ["leased", "configured"] {
        let reached = &told["reached"][milestone];
        assert_eq!(reached["phones"], phones, "{milestone}: {told:#}");
        let times = ["p50", "p95", "p100"].map(|at| reached["since_start"][at].as_f64().unwrap());
        assert!(times.is_sorted() && times[2] <= told["took"].as_f64().unwrap(), "{told:#}");
    }
    assert_eq!(
        (&told["failures"], &told["duplicates"]),
        (&Value::from([0; 0]), &Value::from([0; 0]))
    );
    assert!(told["dhcp"]["sent"].as_u64() >= Some(2 * phones), "{told:#}");
    assert!(told["files"]["got"].as_u64() >= Some(phones), "{told:#}");
}

/// The kernel shows no address but those that are named.
fn addresses(cable: &Cable) -> String {
    let output = cable.run(&["ip", "-4", "-brief", "address", "show", "dev", "eth1"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_fleet_through_a_relay_and_as_stations() {
    let cable = Cable::new();
    let home = Home::new(SERVE);
    let serving = home.serve(&cable.server());
    serving.import(&list(&["--phones", "60"]));
    cable.address("10.20.0.2/16");
    let fleet = ["--phones", "60", "--mix", MIX, "--arrive", "1s"];
    let relayed = storm(&cable, &[&fleet[..], &["--take-addresses"]].concat());
    all_is_well(&relayed, 60);
    assert_eq!(json(&relayed)["way"], "through a relay at 10.20.0.2");
    assert_eq!(addresses(&cable), "10.20.0.2/16", "borrowed addresses are given back");
    // The server has seen the same; without losses, because a last ACK that is lost is a file that did not arrive.
    until("every phone configured", || {
        let phones = serving.json("/api/v1/phones?limit=500");
        let items = phones["items"].as_array().unwrap();
        items.iter().all(|phone| phone["stage"] == "configured").then_some(())
    });

    // As stations, with losses: the same phones, from an interface without an address.
    cable.run(&["ip", "addr", "flush", "dev", "eth1"]);
    let losses = ["--interface", "eth1", "--faults", "loss=2,cut=20"];
    let stations = storm(&cable, &[&fleet[..], &losses].concat());
    all_is_well(&stations, 60);
    assert_eq!(json(&stations)["way"], "as stations with their own MACs");
    assert_eq!(addresses(&cable), "");
    // The server knows them by the MACs that the list has, and no others.
    let phones = serving.json("/api/v1/phones?limit=500");
    assert_eq!(phones["items"].as_array().unwrap().len(), 60);
}

#[test]
fn a_rehearsal_names_the_rows_that_end_wrong() {
    let cable = Cable::new();
    let home = Home::new(SERVE);
    let serving = home.serve(&cable.server());
    serving.import(
        "mac,model,number\n0021A0000001,7961G,4001\n805EC0000002,T46S,4002\n0004F2000003,SoundPoint IP 670,4003\n",
    );
    let rehearsed = home.path("rehearsed.csv");
    let rows = "mac,model,number\n0021A0000001,7961G,4001\n805EC0000002,T46S,4999\n0004F2000003,SoundPoint IP 670,4003\n\
        0021A0000004,7961G,4004\n1.57E+11,7961G,4005\n000B82000006,GXP2160,4006\n";
    fs::write(&rehearsed, rows).unwrap();
    let rehearsed = rehearsed.to_str().unwrap();
    let words = ["--interface", "eth1", "--arrive", "0", "--inventory", rehearsed];
    let output = storm(&cable, &words);
    let told = json(&output);
    assert_eq!(output.status.code(), Some(1), "{told:#}");
    let wrong: Vec<(u64, &str, &str)> = told["rows"]["wrong"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap();
            (row["line"].as_u64().unwrap(), text("mac"), text("why"))
        })
        .collect();
    let expected = [
        (3, "80:5e:c0:00:00:02", "none of them holds its number 4999"),
        (5, "00:21:a0:00:00:04", "the file server has no file for this phone"),
        (6, "1.57E+11", "spreadsheet"),
    ];
    assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
    for ((line, mac, why), expected) in wrong.iter().zip(expected) {
        assert_eq!((*line, *mac), (expected.0, expected.1));
        assert!(why.contains(expected.2), "{why}");
    }
    assert_eq!(told["rows"]["not_played"], 1);
    // The same in words.
    let words = [&[BINARY, "sim", "--server", "10.20.0.1"], &words[..]].concat();
    let text = cable.phone(&words).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("line 3: 80:5e:c0:00:00:02 T46S 4999: "), "{text}");
    assert!(text.contains("3 rows would end wrong"), "{text}");
}

/// A server that nobody here wrote. Dropping it kills it.
struct Other(Child);

impl Other {
    fn start(cable: &Cable, home: &Home, words: &[&str]) -> Self {
        let log = fs::File::create(home.path("other.log")).unwrap();
        let words = [&cable.server()[..], words].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        Self(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The files of these phones, as somebody would lay them out by hand.
fn lay_out(folder: &Path, list: &str) {
    fs::create_dir_all(folder).unwrap();
    for row in list.lines().skip(1) {
        let mac = row.split(',').next().unwrap().replace(':', "");
        let upper = mac.to_uppercase();
        let names = [
            format!("SEP{upper}.cnf.xml"),
            format!("SEP{upper}.cnf"),
            format!("SIP{upper}.cnf"),
            format!("{mac}.cfg"),
        ];
        for name in names {
            fs::write(folder.join(name), format!("<x>{row}</x>").repeat(40)).unwrap();
        }
    }
}

/// dnsmasq knows no RFC 8357, no families and no MACs; it answers a relay on port 67.
#[test]
fn a_fleet_against_dnsmasq_and_tftpd_hpa() {
    let cable = Cable::new();
    let home = Home::new("");
    let list = list(&["--phones", "40"]);
    let folder = home.path("tftp");
    lay_out(&folder, &list);
    cable.address("10.20.0.2/16");
    let root = folder.to_str().unwrap();
    let (leases, pid) = (home.path("leases"), home.path("pid"));
    let (leases, pid) =
        (format!("--dhcp-leasefile={}", leases.display()), format!("--pid-file={}", pid.display()));
    let dhcp = [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=0",
        "--interface=eth1",
        "--dhcp-range=10.20.1.1,10.20.2.250,255.255.0.0",
        "--dhcp-authoritative",
        "--no-ping",
        "--dhcp-option-force=150,10.20.0.1",
        "--dhcp-option-force=66,10.20.0.1",
        "--dhcp-option-force=160,tftp://10.20.0.1",
        "--log-facility=-",
        "--user=root",
        &leases,
        &pid,
    ];
    let fleet = ["--phones", "40", "--mix", MIX, "--arrive", "1s"];
    {
        let tftp = format!("--tftp-root={root}");
        let _dnsmasq =
            Other::start(&cable, &home, &[&dhcp[..], &["--enable-tftp", &tftp]].concat());
        listens(&cable, &[":67 ", ":69 "]);
        let relayed = storm(&cable, &fleet);
        all_is_well(&relayed, 40);
        assert_eq!(json(&relayed)["way"], "through a relay at 10.20.0.2");
    }
    let _dnsmasq = Other::start(&cable, &home, &dhcp);
    let listen = ["in.tftpd", "--foreground", "--address", "10.20.0.1:69", "--secure", root];
    let _tftpd = Other::start(&cable, &home, &listen);
    listens(&cable, &[":67 ", ":69 "]);
    all_is_well(&storm(&cable, &[&fleet[..], &["--interface", "eth1"]].concat()), 40);
}

/// Waits until somebody has these UDP ports on the server's end.
fn listens(cable: &Cable, ports: &[&str]) {
    until("servers that listen", || {
        let words = [&cable.server()[1..], &["ss", "-Hlun"]].concat();
        let output = Command::new("ip").args(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        ports.iter().all(|port| text.contains(port)).then_some(())
    });
}

/// Nobody is there: what was tried is told, each phone counts as what it is, and ctrl-C is no reason to say less.
#[test]
fn what_there_is_when_it_is_cut_short() {
    let cable = Cable::new();
    cable.address("10.20.0.2/16");
    let words =
        [BINARY, "sim", "--server", "10.20.0.1", "--phones", "5", "--arrive", "0", "--json"];
    let mut command = cable.phone(&words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its first line of progress tells that it listens for signals.
    let mut progress = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut progress, &mut line).unwrap();
    assert!(line.contains("0 leased"), "{line}");
    crate::run::signal(child.id(), "INT");
    let output = child.wait_with_output().unwrap();
    let told = json(&output);
    assert_eq!((output.status.code(), &told["cut_short"]), (Some(1), &Value::from(true)));
    // Those that had begun by then: the first line of progress may come before the last phone.
    let failure = &told["failures"][0];
    let begun = &told["dhcp"]["sent"];
    assert!(begun.as_u64().is_some_and(|phones| (1..=5).contains(&phones)), "{told:#}");
    assert_eq!((&failure["cause"], &failure["phones"]), (&"no-offer".into(), begun), "{told:#}");
}

#[test]
fn what_it_refuses() {
    let check = |words: &[&str], code: i32, told: &str| {
        let output = Command::new(BINARY).arg("sim").args(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
        assert!(error.contains(told), "{words:?}: {error}");
    };
    let far = ["--server", "198.51.100.1", "--relay", "127.0.0.1"];
    check(&far, 64, "is on no network that this machine is attached to\n  help: ");
    check(&far, 64, "--i-know");
    check(&["--server", "127.0.0.1", "--interface", "no-such-one"], 78, "there is no interface");
    check(&["--server", "127.0.0.1", "--relay", "198.51.100.7"], 69, "--relay ADDRESS");
    check(&["--server", "127.0.0.1", "--mix", "avaya=1"], 64, "no simulated phone is a `avaya`");
    check(&["--server", "127.0.0.1", "--inventory", "/no/such/list"], 66, "/no/such/list");
    check(&["--server", "127.0.0.1", "--html", "/no/such/folder/x.html"], 66, "/no/such/folder");
    check(&["--server", "127.0.0.1", "--faults", "fire=1"], 64, "loss, cut, deaf");
    check(&[], 64, "--server");
}

/// One file, looked at in a browser that would say what it refuses to load or to apply.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_stands_alone() {
    let cable = Cable::new();
    let home = Home::new(SERVE);
    let serving = home.serve(&cable.server());
    serving.import(&list(&["--phones", "30"]));
    let html = home.path("storm.html");
    let words =
        ["--phones", "40", "--mix", MIX, "--arrive", "1s", "--interface", "eth1", "--for", "8s"];
    let output = storm(&cable, &[&words[..], &["--html", html.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1), "ten phones are not listed: {output:?}");
    let text = fs::read_to_string(&html).unwrap();
    for elsewhere in ["<script", "<link", "<img", "url(", "@import", "src=", " style="] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    let browser = Browser::start().await;
    for scheme in ["light", "dark"] {
        browser.dress(scheme, 1280, 900).await;
        browser.client.goto(&format!("file://{}", html.display())).await.unwrap();
        let colour = "return getComputedStyle(document.querySelector('path.configured')).color;";
        let configured = browser.value(colour).await;
        let expected = if scheme == "light" { "rgb(19, 116, 58)" } else { "rgb(111, 215, 146)" };
        assert_eq!(configured, expected, "the style is applied");
        let wide = "return document.documentElement.scrollWidth <= innerWidth;";
        assert_eq!(browser.value(wide).await, true);
    }
    let curves = "return [...document.querySelectorAll('section path.curve')].length;";
    assert!(browser.value(curves).await.as_u64() == Some(6), "{text}");
    let body = browser.text().await;
    for words in ["30 of 40", "Failures", "From power-on to configured"] {
        assert!(body.contains(words), "{words}: {body}");
    }
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.end().await;
}
