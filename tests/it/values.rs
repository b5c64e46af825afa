//! Values and files of the operator's own, from the settings and the folders to the phone and its record.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use serde_json::Value;

use crate::run::{BINARY, Home, PATIENCE, Serving, until};

const SETTINGS: &str = r#"
[site.default]
time-zone = "Europe/Paris"
admin-password = "4dm1n"
[site.paris]
server = [{ address = "10.20.0.5" }]
[site.paris.extra.poly]
"voice.volume.persist.handset" = 1
[site.paris.extra.VVX401]
"reg.1.label" = "by model"
"#;

/// Runs a command in a home; exit code and standard output.
fn run(home: &Home, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(BINARY);
    let output = command.args(args).current_dir(home.0.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text + &String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn expect(home: &Home, args: &[&str], code: i32) -> String {
    let (found, out) = run(home, args);
    assert_eq!(found, code, "{args:?}\n{out}");
    out
}

/// Algo's endpoints take a file only with the digest of its very octets, and that in lower case.
#[test]
fn a_digest_is_of_what_the_phone_gets() {
    let home = Home::new(SETTINGS);
    let set = [
        "phones",
        "set",
        "0022ee0a0b0c",
        "model=8180",
        "number=4012",
        "sip-password=hunter2",
        "site=paris",
    ];
    expect(&home, &set, 0);
    let md5 = |text: &str| {
        use md5::Digest;
        md5::Md5::digest(text).iter().fold(String::new(), |all, octet| format!("{all}{octet:02x}"))
            + "\n"
    };
    let check = || {
        for name in ["algom0022EE0A0B0C.conf", "algop8180.conf"] {
            let text = expect(&home, &["render", "0022ee0a0b0c", name, "--server", "10.20.0.2"], 0);
            for twin in [format!("{name}.md5"), name.replace(".conf", ".md5")] {
                assert_eq!(
                    expect(&home, &["render", "0022ee0a0b0c", &twin, "--server", "10.20.0.2"], 0),
                    md5(&text),
                    "{twin}"
                );
            }
        }
    };
    check();
    // The operator's own file has a digest of its own too.
    fs::create_dir_all(home.path("files")).unwrap();
    fs::write(home.path("files/algom0022EE0A0B0C.conf"), "sip.u1 = 4099\n").unwrap();
    check();
}

#[test]
fn render_explains_itself() {
    let home = Home::new(SETTINGS);
    let set = [
        "phones",
        "set",
        "0004f2aabbcc",
        "model=VVX401",
        "number=4012",
        "sip-password=hunter2",
        "site=paris",
        "set.up.backlight.timeout=30",
    ];
    expect(&home, &set, 0);
    let file = "0004f2aabbcc-line.cfg";
    let text = expect(&home, &["render", "0004f2aabbcc", file], 0);
    assert!(text.contains("voice.volume.persist.handset=\"1\""), "{text}");
    assert_eq!(text.matches("reg.1.label=").count(), 1, "{text}");
    assert!(text.contains("reg.1.label=\"by model\"") && text.contains("hunter2"), "{text}");

    let out = expect(&home, &["render", "0004f2aabbcc", file, "--explain"], 0);
    assert!(out.starts_with("from template poly-vvx/line.cfg.j2\n"), "{out}");
    let row = |name: &str| {
        let line = out.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let line = |key: &str| {
        let text = fs::read_to_string(home.path("ringup.toml")).unwrap();
        1 + text.lines().position(|line| line.contains(key)).unwrap()
    };
    assert_eq!(row("lines[0].password"), "lines[0].password •••• entry");
    assert_eq!(
        row("servers[0].address"),
        format!("servers[0].address 10.20.0.5 site paris ringup.toml:{}", line("server ="))
    );
    assert_eq!(
        row("admin_password"),
        format!("admin_password •••• site default ringup.toml:{}", line("admin-password"))
    );
    assert_eq!(
        row("set.reg.1.label"),
        format!(
            "set.reg.1.label by model model, site paris ringup.toml:{}, for VVX401",
            line("reg.1")
        )
    );
    assert_eq!(row("set.up.backlight.timeout"), "set.up.backlight.timeout 30 entry");
    assert!(row("srtp").starts_with("srtp off profile"), "{out}");
    assert!(!out.contains("hunter2") && !out.contains("4dm1n"), "{out}");

    let out = expect(&home, &["render", "0004f2aabbcc", file, "--explain", "--json"], 0);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["source"], "template poly-vvx/line.cfg.j2");
    let values = json["values"].as_array().unwrap();
    let found = values.iter().find(|value| value["name"] == "set.voice.volume.persist.handset");
    assert_eq!(
        (&found.unwrap()["level"], &found.unwrap()["site"]),
        (&"site".into(), &"paris".into())
    );
    expect(&home, &["render", "0004f2aabbcc", file, "--json"], 64);
    expect(&home, &["render", "0004f2aabbcc", "nonsense.cfg", "--explain"], 66);
}

/// What a phone gets for a name by HTTP.
fn get(port: u16, name: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{name} HTTP/1.1\r\nHost: ringup\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{name}: {head}");
    body.to_owned()
}

/// The source of a phone's last transfer, once it ended.
fn source(serving: &Serving<'_>, mac: &str) -> String {
    until("end of the transfer", || {
        let phone = serving.phone(mac);
        let last = phone["transfers"].as_array()?.last()?.clone();
        (last["outcome"] == "complete").then(|| last["source"].as_str().unwrap().to_owned())
    })
}

#[test]
fn the_record_says_which_file_answered() {
    let home = Home::new(
        "[tftp]\nlisten = [\"127.0.0.1:16991\"]\n[http]\nphones = [\"127.0.0.1:18991\"]\noperators = [\"127.0.0.1:18992\"]\n\
         [site.paris]\n[site.rome]\n",
    );
    let write = |name: &str, text: &str| {
        let path = home.path(&format!("files/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    // Raw by MAC, for one site; a template by MAC; raw defaults under the family's own pattern, for a file that has a
    // template and for one that has none.
    write("001565000001.cfg", "for = everybody\n");
    write("paris/001565000001.cfg", "for = paris\n");
    write("001565000002.cfg.j2", "user = {{ number }}\n");
    write("{mac}.cfg", "for = nobody\n");
    write("SEP{MAC}.cnf", "old binary\n");
    let serving = home.serve(&[]);
    serving.import(
        "mac,model,number,site,set.a.b\n001565000001,T46S,4001,paris,1\n001565000002,T46S,4002,paris,1\n\
         001565000003,T46S,4003,rome,1\n003094000004,7910,4004,rome,\n001565000005,T46S,4005,rome,1\n",
    );
    let check = |mac: &str, name: &str, begins: &str, from: &str| {
        let text = get(18991, name);
        assert!(text.starts_with(begins), "{text}");
        assert_eq!(source(&serving, mac), from);
        let events = serving.json(&format!("/api/v1/phones/{mac}/events"));
        let ended =
            events["items"].as_array().unwrap().iter().rfind(|event| event["kind"] == "ended");
        assert_eq!(ended.unwrap()["data"]["source"], from);
        let shown = expect(&home, &["phones", "show", mac], 0);
        assert!(shown.contains(&format!(", from {from}\n")), "{shown}");
    };
    let names = ["001565000001", "001565000002", "001565000003", "003094000004"];
    let macs = names.map(|mac| {
        let pairs: Vec<_> = mac.as_bytes().chunks(2).map(|p| String::from_utf8_lossy(p)).collect();
        pairs.join(":")
    });
    check(&macs[0], "001565000001.cfg", "for = paris\n", "file paris/001565000001.cfg");
    check(&macs[1], "001565000002.cfg", "user = 4002\na.b = 1\n", "template 001565000002.cfg.j2");
    check(&macs[2], "001565000003.cfg", "#!version", "template yealink-desk/phone.cfg.j2");
    check(&macs[3], "SEP003094000004.cnf", "old binary", "file SEP{MAC}.cnf");
    assert_eq!(serving.stop(), Some(0));
    // The record is the same after a restart.
    let json = expect(&home, &["phones", "show", &macs[0], "--json"], 0);
    let phone: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(phone["transfers"][0]["source"], "file paris/001565000001.cfg");
}

#[test]
fn overrides_survive_upgrades() {
    let home = Home::new("");
    let file = "yealink-desk/phone.cfg.j2";
    assert!(expect(&home, &["profiles", "diff"], 0).contains("no shipped file was copied"));
    expect(&home, &["profiles", "export", "yealink-desk", "phone.cfg.j2"], 0);
    let standing = || {
        let (code, out) = run(&home, &["profiles", "diff", "--json"]);
        let json: Value = serde_json::from_str(&out).unwrap();
        (code, json["items"][0]["original"].as_str().unwrap().to_owned())
    };
    assert_eq!(standing(), (0, "identical".to_owned()));
    let path = home.path(&format!("profiles/{file}"));
    let shipped = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{shipped}# of our own\n")).unwrap();
    assert_eq!(standing(), (0, "same".to_owned()));
    // As after an upgrade: what was copied is not what is shipped now.
    let marker = home.path("profiles/yealink-desk/.phone.cfg.j2.shipped");
    let before = shipped.replacen("#!version:1.0.0.1\n", "#!version:1.0.0.0\n", 1);
    fs::write(&marker, before).unwrap();
    let out = expect(&home, &["profiles", "diff"], 1);
    assert!(out.contains("\n-#!version:1.0.0.0\n+#!version:1.0.0.1\n"), "{out}");
    assert!(!out.contains("of our own"), "{out}");
    // The markers are nobody's templates.
    expect(&home, &["check"], 0);
    expect(&home, &["profiles", "diff", "--seen", file], 0);
    assert_eq!(standing(), (0, "same".to_owned()));
    fs::remove_file(&marker).unwrap();
    assert_eq!(standing(), (0, "unmarked".to_owned()));
    expect(&home, &["profiles", "diff", "--seen", "yealink-desk/none"], 66);
    expect(&home, &["profiles", "diff", "--seen", "none"], 64);
}
