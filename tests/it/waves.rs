//! Waves of firmware with the real binary: phones fetch by HTTP and TFTP, operators brake, and it is killed in between.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    cli::expect,
    reload::{self, Places},
    run::{Home, Serving, until},
};

const WANTED: &str = "SIP41.9-4-2SR3-1S";

const WAVES: &str = "[firmware]\nwave = 2\n[site.default.firmware]\n\"7961\" = \"SIP41.9-4-2SR3-1S\"\n\
                     poly-vvx = \"5.9.4.3247\"\n[[site.default.server]]\naddress = \"10.20.0.5\"\n";

fn mac(n: u8) -> String {
    format!("001E7AC410{n:02X}")
}

/// What a phone is told in its configuration, by HTTP.
fn told(phones: SocketAddr, n: u8) -> String {
    let (status, text) = reload::fetch(phones, &format!("SEP{}.cnf.xml", mac(n))).unwrap();
    assert_eq!(status, 200, "{text}");
    let (_, rest) = text.split_once("<loadInformation>").unwrap_or(("", "</"));
    rest.split_once("</").unwrap().0.to_owned()
}

fn wave(serving: &Serving<'_>, load: &str) -> Value {
    let waves = serving.json("/api/v1/firmware/waves");
    let items = waves["items"].as_array().unwrap();
    let mut item = items.iter().find(|item| item["load"] == load).unwrap().clone();
    item["paused"] = waves["paused"].clone();
    item
}

/// How many wait, are under way, are there, and failed.
fn counts(serving: &Serving<'_>, load: &str) -> [u64; 4] {
    let wave = wave(serving, load);
    ["waiting", "under_way", "done", "failed"].map(|of| wave[of]["phones"].as_u64().unwrap())
}

fn put(serving: &Serving<'_>, body: &Value) -> u16 {
    let path = "/api/v1/firmware/waves";
    serving.try_call("PUT", path, "application/json", &body.to_string()).unwrap().0
}

/// An appliance that is told of five phones, with a whole load.
fn home(places: &Places) -> Home {
    let home = Home::new(&places.settings(WAVES));
    let list = home.path("firmware").join(format!("{WANTED}.loads"));
    fs::write(list, "jar41sip.9-4-2.sbn").unwrap();
    fs::write(home.path("firmware/jar41sip.9-4-2.sbn"), "x").unwrap();
    fs::write(home.path("firmware/3111-48400-001.sip.ld"), "application").unwrap();
    home
}

fn list() -> String {
    let rows: Vec<String> = (1..=5).map(|n| format!("{},7961G,401{n}\n", mac(n))).collect();
    format!(
        "mac,model,number\n{}64167F00000A,VVX 401,4020\n64167F00000B,VVX 401,4021\n",
        rows.concat()
    )
}

#[test]
fn killed_in_the_middle_of_a_wave() {
    let places = Places::new();
    let home = home(&places);
    let serving = home.serve(&[]);
    serving.import(&list());
    assert_eq!(counts(&serving, WANTED), [5, 0, 0, 0]);
    let first: Vec<String> = (1..=5).map(|n| told(places.phones, n)).collect();
    assert_eq!(first, [WANTED, WANTED, "", "", ""]);
    serving.kill();

    // Whoever was told is told so still, and nobody else: the places were fact before the first byte left.
    let serving = home.serve(&[]);
    let again: Vec<String> = (1..=5).rev().map(|n| told(places.phones, n)).collect();
    assert_eq!(again, ["", "", "", WANTED, WANTED]);
    assert_eq!(counts(&serving, WANTED), [3, 2, 0, 0]);

    // One takes its load and comes back: the next one may.
    for name in [format!("{WANTED}.loads"), "jar41sip.9-4-2.sbn".to_owned()] {
        fetch_as(&places, 1, &name);
    }
    assert_eq!(put(&serving, &json!({ "paused": true })), 200);
    serving.kill();
    let serving = home.serve(&[]);
    assert_eq!(wave(&serving, WANTED)["paused"], true, "a pause outlives a kill");
    assert_eq!(told(places.phones, 3), "");
    assert_eq!(put(&serving, &json!({ "paused": false })), 200);
    assert_eq!(put(&serving, &json!({ "next": "nonsense" })), 400);
}

/// Fetches a name as the phone with this number: from its own address, with its file first, so that it is known.
fn fetch_as(places: &Places, n: u8, name: &str) -> Option<Vec<u8>> {
    let curl = |url: String| {
        let words = ["-sS", "-f", "--interface", &format!("127.0.0.{}", 100 + n), &url];
        let output = Command::new("curl").args(words).stderr(Stdio::null()).output().unwrap();
        output.status.success().then_some(output.stdout)
    };
    let http = curl(format!("http://{}/{name}", places.phones));
    let tftp = curl(format!("tftp://{}/{name}", places.tftp));
    assert_eq!(http, tftp, "{name}: both carriers answer alike");
    http
}

#[test]
fn names_that_all_releases_share_are_gated_on_both_carriers() {
    let places = Places::new();
    let home = home(&places);
    reload::write(&home, &places.settings(&WAVES.replace("wave = 2", "wave = 1")));
    let serving = home.serve(&[]);
    serving.import(&list());
    let name = "3111-48400-001.sip.ld";
    assert_eq!(fetch_as(&places, 9, name), None, "nobody knows who that is");
    for (n, mac, expected) in [(1, "64167f00000a", true), (2, "64167f00000b", false)] {
        assert!(fetch_as(&places, n, &format!("{mac}.cfg")).is_some());
        let found = fetch_as(&places, n, name);
        assert_eq!(found.is_some_and(|found| found == b"application"), expected, "{mac}");
        assert_eq!(fetch_as(&places, n, name).is_some(), expected, "{mac}: asked once more");
    }
    assert_eq!(counts(&serving, "5.9.4.3247"), [1, 1, 0, 0]);
    let page = serving.try_call("GET", "/firmware", "", "").unwrap().1;
    assert!(
        page.contains("data-brake=\"pause\"") && page.contains("One phone at a time"),
        "{page}"
    );
}

#[test]
fn a_canary_and_its_word() {
    let places = Places::new();
    let home = home(&places);
    reload::write(&home, &places.settings(&WAVES.replace("wave = 2", "wave = 9\ncanary = 1")));
    let serving = home.serve(&[]);
    serving.import(&list());
    assert_eq!(
        (told(places.phones, 1), told(places.phones, 2)),
        (WANTED.to_owned(), String::new())
    );
    assert_eq!(wave(&serving, WANTED)["canary_out"], true);
    let page = serving.try_call("GET", "/firmware", "", "").unwrap().1;
    assert!(page.contains(&format!("data-next=\"{WANTED}\"")), "{page}");
    assert_eq!(put(&serving, &json!({ "next": WANTED })), 200);
    assert_eq!(wave(&serving, WANTED)["canary_out"], false);
    assert_eq!(told(places.phones, 2), WANTED);
}

#[test]
fn added_verified_listed_and_served() {
    let places = Places::new();
    let home = Home::new(&places.settings(""));
    let config = home.path("ringup.toml").display().to_string();
    let run = |words: &[&str], code| {
        expect(&home, &[&["--config", &config, "firmware"], words].concat(), "", code)
    };
    let put = |name: &str, text: &str| fs::write(home.path(name), text).unwrap();
    put("SIP41.9-4-2.loads", "jar41sip.9-4-2.sbn\n");
    put("jar41sip.9-4-2.sbn", "content");
    let tar = |words: &[&str]| {
        let done = Command::new("tar").current_dir(home.0.path()).args(words).status().unwrap();
        assert!(done.success());
    };
    tar(&["czf", "half.cop.sgn", "SIP41.9-4-2.loads"]);
    tar(&["czf", "cmterm-7941.9-4-2.cop.sgn", "SIP41.9-4-2.loads", "jar41sip.9-4-2.sbn"]);
    let file = |name: &str| home.path(name).display().to_string();
    run(&["add", &file("half.cop.sgn")], 65);
    run(&["add", &file("absent.zip")], 66);
    assert_eq!(fs::read_dir(home.path("firmware")).unwrap().count(), 0, "nothing half added");

    let serving = home.serve(&[]);
    let told = run(&["add", &file("cmterm-7941.9-4-2.cop.sgn")], 0);
    assert!(told.contains("SIP41.9-4-2.loads (list, 2 parts"), "{told}");
    assert!(run(&["verify"], 0).contains("whole"));
    let (code, _, says) = reload::reload(&home, &[]);
    assert_eq!(code, 0, "{says}");
    until("load by HTTP", || {
        let found = reload::fetch(places.phones, "jar41sip.9-4-2.sbn")?;
        (found == (200, "content".to_owned())).then_some(())
    });
    assert!(run(&["list"], 0).contains("SIP41.9-4-2.loads"));
    drop(serving);

    fs::write(home.path("firmware/cmterm-7941.9-4-2/jar41sip.9-4-2.sbn"), "").unwrap();
    assert!(run(&["verify"], 1).contains("jar41sip.9-4-2.sbn: empty"));
    let items: Value = serde_json::from_str(&run(&["verify", "--json"], 1)).unwrap();
    assert_eq!(items["items"][0]["whole"], false);
}
