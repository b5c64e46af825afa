//! A bench from nothing, with phones played by programs that nobody here wrote, and nothing left of it afterwards.

use std::{fs, path::Path, process::Command, time::Instant};

use crate::{
    boot::{CLIENTS, dhclient, fetch, lease, stage_is},
    cable::{Cable, SERVER, Switch},
    observe::Other,
    reload::reload,
    run::{Home, Serving, until},
};

/// Where a bench is if nobody says otherwise.
const BENCH: &str = "10.99.0.1";

/// A directory with nothing in it.
fn nothing() -> Home {
    Home(tempfile::tempdir().unwrap())
}

/// A switch whose appliance's end is down and has no address, as a spare network card has.
fn spare() -> Switch {
    let switch = Switch::new();
    switch.cable.at_server(&["addr", "flush", "dev", "eth1"]);
    switch.cable.at_server(&["link", "set", "eth1", "down"]);
    switch
}

/// The interface as it is.
fn interface(cable: &Cable) -> String {
    let show = |what: &str| cable.shown_at_server(&[what, "show", "dev", "eth1"]);
    show("link") + &show("addr")
}

/// Fetches a file from the bench with one of the clients.
fn get(cable: &Cable, home: &Home, client: usize, name: &str) -> String {
    let words: Vec<String> =
        CLIENTS[client].iter().map(|word| word.replace(SERVER, BENCH)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    String::from_utf8_lossy(&fetch(cable, home, &words, name)).into_owned()
}

/// Asks for a file that there is not.
fn misses(cable: &Cable, name: &str) {
    let url = format!("tftp://{BENCH}/{name}");
    let output = cable.phone(&["curl", "-sS", "-m", "20", &url]).output().unwrap();
    // 68: file not found.
    assert_eq!(output.status.code(), Some(68), "{name}: {output:?}");
}

/// What a program says on the phones' end.
fn says(cable: &Cable, words: &[&str]) -> String {
    String::from_utf8_lossy(&cable.run(words).stdout).into_owned()
}

fn a_cisco_boots(cable: &Cable, home: &Home, serving: &Serving<'_>) {
    let mac = "00:1e:7a:c4:10:22";
    cable.plug(mac);
    let options = lease(cable, home, "Cisco Systems, Inc. IP Phone CP-7961G");
    assert!(options.contains("66=10.99.0.1\n"), "{options}");
    assert!(options.to_lowercase().contains("150=0a630001"), "{options}");
    // Once through what it asks in its order: nobody has listed it, so that what is there for everybody lists it.
    for name in [
        "CTLSEP001E7AC41022.tlv",
        "ITLSEP001E7AC41022.tlv",
        "ITLFile.tlv",
        "SEP001E7AC41022.cnf.xml",
    ] {
        misses(cable, name);
    }
    let fallback = get(cable, home, 0, "XMLDefault.cnf.xml");
    assert!(fallback.contains("<Default>"), "{fallback}");
    stage_is(serving, mac, "defaulted");
    let own = get(cable, home, 0, "SEP001E7AC41022.cnf.xml");
    assert!(own.contains("4000") && own.contains("<name>10.99.0.1</name>"), "{own}");
    stage_is(serving, mac, "configured");
}

/// A lease from dhclient, and its address taken; what it was told.
fn takes(cable: &Cable, home: &Home, option_60: &str) -> String {
    let told = dhclient(cable, home, option_60);
    let (_, address) = told.split_once("fixed-address ").unwrap();
    cable.address(&format!("{}/24", address.split(';').next().unwrap()));
    told
}

fn a_yealink_boots(cable: &Cable, home: &Home, serving: &Serving<'_>) {
    let mac = "80:5e:c0:aa:bb:cc";
    cable.plug(mac);
    let told = takes(cable, home, "yealink");
    assert!(told.contains("option tftp-server-name \"http://10.99.0.1/\";"), "{told}");
    misses(cable, "805ec0aabbcc.boot");
    misses(cable, "y000000000000.boot");
    get(cable, home, 2, "y000000000066.cfg");
    let own = get(cable, home, 7, "805ec0aabbcc.cfg");
    assert!(own.contains("4001"), "{own}");
    stage_is(serving, mac, "configured");
}

fn a_poly_boots(cable: &Cable, home: &Home, serving: &Serving<'_>) {
    let mac = "64:16:7f:00:00:05";
    cable.plug(mac);
    let told = takes(cable, home, "Polycom-VVX411");
    assert!(told.contains("option provisioning \"http://10.99.0.1/\";"), "{told}");
    let master = get(cable, home, 7, "64167f000005.cfg");
    assert!(master.contains("64167f000005-line.cfg"), "{master}");
    misses(cable, "3111-48450-001.sip.ld");
    let lines = get(cable, home, 7, "64167f000005-line.cfg");
    assert!(lines.contains("4002"), "{lines}");
    stage_is(serving, mac, "configured");
}

/// What phones want to know besides, asked with what people use to ask it.
fn time_and_names(cable: &Cable) {
    // rdate prints the time of the server, by SNTP.
    let time = says(cable, &["env", "TZ=UTC", "LC_ALL=C", "rdate", "-n", "-p", BENCH]);
    let year = says(cable, &["date", "-u", "+%Y"]);
    assert!(time.contains(year.trim()), "{time}");
    let name = "ringup.bench.internal";
    let looked_up = says(cable, &["busybox", "nslookup", name, BENCH]);
    assert!(looked_up.contains(&format!("Name:\t{name}\nAddress: {BENCH}")), "{looked_up}");
    let at = format!("@{BENCH}");
    let dig = |words: &[&str]| says(cable, &[&["dig", &at, "+tries=1", "+time=5"], words].concat());
    assert_eq!(dig(&["+tcp", "+short", name]), "10.99.0.1\n");
    assert_eq!(dig(&["+short", "CiscoCM1"]), "10.99.0.1\n");
    let known = dig(&[name, "AAAA"]);
    assert!(known.contains("status: NOERROR") && known.contains("ANSWER: 0"), "{known}");
    let began = Instant::now();
    let unknown = dig(&["rps.vendor.example"]);
    assert!(unknown.contains("status: NXDOMAIN") && unknown.contains("SOA"), "{unknown}");
    assert!(began.elapsed().as_secs() < 4, "an answer at once: {:?}", began.elapsed());
}

#[test]
fn a_bench_from_nothing() {
    let switch = spare();
    let (cable, home) = (&switch.cable, nothing());
    let before = interface(cable);
    let serving = home.bench(&cable.server(), &["eth1", "--name", "CiscoCM1"]);
    assert!(interface(cable).contains("inet 10.99.0.1/24 brd 10.99.0.255"), "{}", interface(cable));
    a_cisco_boots(cable, &home, &serving);
    a_yealink_boots(cable, &home, &serving);
    a_poly_boots(cable, &home, &serving);
    time_and_names(cable);
    let path = home.path("ringup.toml");
    let more = "\n[[site.default.server]]\naddress = \"pbx.example\"\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + more).unwrap();
    let (code, said, error) = reload(&home, &[]);
    assert_eq!(code, 0, "{said}{error}");
    let own = get(cable, &home, 7, "64167f000005-line.cfg");
    assert!(own.contains("pbx.example"), "{own}");
    for word in ["eth1 has 10.99.0.1/24 now and is up", "http://127.0.0.1:8080/", "time and names"]
    {
        assert!(home.log().contains(word), "{word}: {}", home.log());
    }
    for line in ["00:1e:7a:c4:10:22  configured", "Cisco 7961G", "80:5e:c0:aa:bb:cc  configured"] {
        until(&format!("`{line}` on the screen"), || home.log().contains(line).then_some(()));
    }
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
    assert_eq!(interface(cable), before);
    // The same directory again: who was listed is known, and a page that is taken moves.
    let server = cable.server();
    let words = ["busybox", "nc", "-l", "-p", "8080"];
    let mut page = Command::new("ip").args(&server[1..]).args(words).spawn().unwrap();
    let listens = ["ss", "-ltnH", "sport = :8080"];
    until("page that is taken", || {
        let output = Command::new("ip").args(&server[1..]).args(listens).output().unwrap();
        (!output.stdout.is_empty()).then_some(())
    });
    let serving = home.bench(&cable.server(), &["eth1"]);
    assert_eq!(serving.phone("64:16:7f:00:00:05")["entry"]["number"], "4002");
    assert!(home.log().contains("http://127.0.0.1:8081/"), "{}", home.log());
    page.kill().unwrap();
    page.wait().unwrap();
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn what_a_killed_bench_left_behind_is_undone() {
    let switch = spare();
    let (cable, home) = (&switch.cable, nothing());
    let before = interface(cable);
    home.bench(&cable.server(), &["eth1", "--net", "192.168.50.0/28"]).kill();
    assert!(interface(cable).contains("inet 192.168.50.1/28"), "nothing was left behind");
    let serving = home.bench(&cable.server(), &["eth1"]);
    let log = home.log();
    assert!(log.contains("left 192.168.50.1/28 on eth1: undone"), "{log}");
    let now = interface(cable);
    assert!(now.contains("inet 10.99.0.1/24") && !now.contains("192.168.50.1"), "{now}");
    // A second one in the same directory has to wait, and disturbs nothing.
    let second = home.spawn_bench(&cable.server(), &["eth1"]).wait().unwrap();
    assert_eq!((second.code(), interface(cable)), (Some(69), now));
    assert!(home.log().contains("another bench runs"), "{}", home.log());
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
    assert_eq!(interface(cable), before);
}

fn refuses_beside(start: fn(&Switch, &Path) -> Other) {
    let switch = spare();
    let (cable, home, other) = (&switch.cable, nothing(), tempfile::tempdir().unwrap());
    let before = interface(cable);
    let _other = start(&switch, other.path());
    // One that stands after all ends by itself, and fails the test by its code.
    let ended = home.spawn_bench(&cable.server(), &["eth1", "--for", "5s"]).wait().unwrap();
    let log = home.log();
    assert_eq!(ended.code(), Some(69), "{log}");
    assert!(log.contains("another DHCP server answers on eth1: 10.20.0.3"), "{log}");
    assert!(log.contains("help: ") && !log.contains("page"), "{log}");
    assert_eq!(interface(cable), before);
}

#[test]
fn it_refuses_beside_dnsmasq() {
    refuses_beside(Other::dnsmasq);
}

#[test]
fn it_refuses_beside_kea() {
    refuses_beside(Other::kea);
}

#[test]
fn it_ends_when_its_cable_moves_to_a_network_with_a_server() {
    let switch = spare();
    let (cable, home, other) = (&switch.cable, nothing(), tempfile::tempdir().unwrap());
    let before = interface(cable);
    let serving = home.bench(&cable.server(), &["eth1"]);
    let said = |what: &str| until(what, || home.log().contains(what).then_some(()));
    switch.plug_of_the_appliance(false);
    said("eth1 has lost its link");
    let _other = Other::dnsmasq(&switch, other.path());
    switch.plug_of_the_appliance(true);
    assert_eq!(serving.ended(), Some(69), "{}", home.log());
    said("another DHCP server answers on eth1: 10.20.0.3");
    assert_eq!(interface(cable), before);
}

#[test]
fn an_address_that_was_there_is_kept() {
    let switch = Switch::new();
    let (cable, home) = (&switch.cable, nothing());
    // What IPv6 gives itself comes and goes on its own.
    let own = || cable.shown_at_server(&["-4", "addr", "show", "dev", "eth1"]);
    let before = own();
    let serving = home.bench(&cable.server(), &["eth1"]);
    assert_eq!(own(), before);
    let mac = "00:1e:7a:c4:10:22";
    cable.plug(mac);
    let options = lease(cable, &home, "Cisco Systems, Inc. IP Phone CP-7961G");
    assert!(options.contains("ip=10.20.") && options.contains("66=10.20.0.1\n"), "{options}");
    fetch(cable, &home, CLIENTS[0], "XMLDefault.cnf.xml");
    stage_is(&serving, mac, "defaulted");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
    assert_eq!(own(), before);
}

#[test]
fn what_keeps_a_bench_from_standing_is_said() {
    let switch = spare();
    let cable = &switch.cable;
    let before = interface(cable);
    let check = |prefix: &[&str], words: &[&str], code: i32, said: &str| {
        let home = nothing();
        let prefix = [&cable.server()[..], prefix].concat();
        let ended = home.spawn_bench(&prefix, words).wait().unwrap();
        let log = home.log();
        assert_eq!(ended.code(), Some(code), "{words:?}: {log}");
        assert!(log.contains(said), "{words:?}: {log}");
        let left: Vec<_> =
            fs::read_dir(home.0.path()).unwrap().flatten().map(|one| one.file_name()).collect();
        assert!(!left.iter().any(|name| name == "interface.json"), "{left:?}");
    };
    check(&[], &["eth7"], 78, "there is no interface eth7; there are: ");
    check(&[], &["lo"], 78, "no Ethernet");
    check(&[], &["eth1", "--net", "10.0.0.0/8"], 64, "a network with /16 to /30");
    check(&[], &["eth1", "--name", "a..b"], 64, "is no host name");
    cable.cable("eth2");
    for words in
        [&["link", "add", "br7", "type", "bridge"][..], &["link", "set", "eth2", "master", "br7"]]
    {
        cable.at_server(words);
    }
    check(&[], &["eth2"], 78, "eth2 is a part of br7");
    let without = ["setpriv", "--bounding-set=-net_admin"];
    check(&without, &["eth1"], 77, "CAP_NET_ADMIN missing");
    assert_eq!(interface(cable), before);
    // Nothing is on the other end: it waits for a link, and gives all back when it is told to stop.
    switch.plug_of_the_appliance(false);
    let home = nothing();
    let mut waits = home.spawn_bench(&cable.server(), &["eth1"]);
    until("word of the missing link", || home.log().contains("eth1 has no link").then_some(()));
    crate::run::signal(waits.id(), "HUP");
    let code = until("end", || waits.try_wait().unwrap()).code();
    assert_eq!(code, Some(0), "{}", home.log());
    switch.plug_of_the_appliance(true);
    assert_eq!(interface(cable), before);
}
