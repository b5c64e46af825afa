//! Settings texts, and the problems exactly as an operator reads them.

use std::{fs, path::Path};

use super::*;

mod dhcp;
mod site;
mod written;

/// Loads `text` as `ringup.toml` of a folder of its own, at a fixed time, with `files` beside it.
fn load_text(text: &str, files: &[(&str, &str)]) -> Result<Loaded, Vec<Problem>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringup.toml");
    fs::write(&path, text).unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let strip = |mut problem: Problem| {
        let prefix = format!("{}/", folder.path().display());
        problem.file = problem.file.replace(&prefix, "");
        problem.text = problem.text.replace(&prefix, "");
        problem.help = problem.help.replace(&prefix, "");
        problem
    };
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let mut loaded = load_at(&path, now)
        .map_err(|problems| problems.into_iter().map(strip).collect::<Vec<_>>())?;
    loaded.warnings = loaded.warnings.into_iter().map(strip).collect();
    Ok(loaded)
}

fn printed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// All problems of `text`, warnings included, as printed.
#[track_caller]
fn check(text: &str, expected: &str) {
    check_files(text, &[], expected);
}

#[track_caller]
fn check_files(text: &str, files: &[(&str, &str)], expected: &str) {
    let found = match load_text(text, files) {
        Ok(loaded) => printed(&loaded.warnings),
        Err(problems) => printed(&problems),
    };
    assert_eq!(found, expected, "\n{text}");
}

/// One subnet with these lines in it, the first of them line 3.
#[track_caller]
fn check_subnet(lines: &str, expected: &str) {
    check(&format!("[[dhcp.subnet]]\nsubnet = \"10.20.0.0/22\"\n{lines}"), expected);
}

#[test]
fn the_page_in_the_documentation() {
    check(
        "[[dhcp.subnet]]\nsubnet = \"10.20.0.0/22\"\n\n\nlast-adress = 1\nrouters = []\n\n\npool = [\"10.20.9.50-10.20.9.250\"]",
        "ringup.toml:5: unknown key `last-adress` in [[dhcp.subnet]]\n  \
           help: known here: subnet, site, pool, exclude, router, dns, ntp, domain, search, routes, lease-time, \
           servers, voice-vlan, option-82, admit, options, for\n\
         ringup.toml:6: unknown key `routers` in [[dhcp.subnet]]\n  help: did you mean `router`?\n\
         ringup.toml:9: the pool 10.20.9.50-10.20.9.250 lies outside its subnet 10.20.0.0/22\n  \
           help: a pool between 10.20.0.1 and 10.20.3.254",
    );
}

#[test]
fn unknown_keys() {
    check(
        "[dchp]\n",
        "ringup.toml:1: unknown key `dchp` outside any table\n  help: did you mean `dhcp`?",
    );
    check(
        "[dhcp]\nsubnets = 1\nlease_time = \"1h\"",
        "ringup.toml:2: unknown key `subnets` in [dhcp]\n  help: did you mean `subnet`?\n\
         ringup.toml:3: unknown key `lease_time` in [dhcp]\n  help: known here: mode, interfaces, authoritative, probe, \
           subnet",
    );
    check_subnet(
        "lease_time = \"1h\"\ninterfaces = [\"eth0\"]",
        "ringup.toml:3: unknown key `lease_time` in [[dhcp.subnet]]\n  help: did you mean `lease-time`?\n\
         ringup.toml:4: unknown key `interfaces` in [[dhcp.subnet]]\n  help: `interfaces` belongs in [dhcp]",
    );
    check(
        "[site.paris.failover]\nre-register = true",
        "ringup.toml:2: unknown key `re-register` in [site.paris.failover]\n  help: did you mean `re-register-on`?",
    );
}

#[test]
fn every_table_denies_unknown_keys() {
    let source = include_str!("../tables.rs");
    let structs = source.matches("pub struct ").count();
    assert_eq!(source.matches("deny_unknown_fields").count(), structs);
    // RegistrarTable stands at two paths, and a site's tables stand in its staging once more.
    assert_eq!(keys::TABLES.len(), structs + 1 + 4);
    for (path, keys) in keys::TABLES {
        assert!(!keys().is_empty(), "{path}");
        let registrars = path.ends_with(".server") || path.ends_with(".outbound-proxy");
        let listed = path == "dhcp.subnet" || registrars;
        let (open, close) = if listed { ("[[", "]]") } else { ("[", "]") };
        let header = path.replace('*', "x");
        let text = match path {
            "" => "zzzzzzzz = 1\n".to_owned(),
            "dhcp.subnet.options" => "[[dhcp.subnet]]\noptions = [{ zzzzzzzz = 1 }]\n".to_owned(),
            "dhcp.subnet.for.*" => "[[dhcp.subnet]]\nfor.x = { zzzzzzzz = 1 }\n".to_owned(),
            _ => format!("{open}{header}{close}\nzzzzzzzz = 1\n"),
        };
        let problems = printed(&load_text(&text, &[]).unwrap_err());
        assert!(problems.contains("unknown key `zzzzzzzz`"), "{path}: {problems}");
        let error = toml::from_str::<tables::FileTable>(&text).unwrap_err();
        assert!(error.message().contains("unknown field `zzzzzzzz`"), "{path}: {error}");
    }
}

#[test]
fn kinds_and_syntax() {
    check(
        "[tftp]\nlisten = 69\n[http]\nphones = [80]\n[secrets]\npeer = \"leased\"",
        "ringup.toml:2: `tftp.listen` takes a list, and this is integer `69`\n  help: listen = [\"69\"]\n\
         ringup.toml:4: `http.phones` takes text, and this is integer `80`\n  help: \"80\"\n\
         ringup.toml:6: `peer` can't be `leased`\n  help: did you mean `lease`? It is one of: auto, lease, any",
    );
    check(
        "[dhcp]\ninterfaces = \"eth1\"\nauthoritative = \"yes\"\n[site.default]\nsrtp = true\n\
         [[site.default.server]]\naddress = \"10.0.0.1\"\nport = \"5060\"",
        "ringup.toml:2: `dhcp.interfaces` takes a list, and this is string \"eth1\"\n  \
         help: interfaces = [\"eth1\"]\n\
         ringup.toml:3: `dhcp.authoritative` takes true or false, and this is string \"yes\"\n  \
         help: authoritative = true\n\
         ringup.toml:5: `site.default.srtp` takes text, and this is boolean `true`\n  help: srtp = \"…\"\n\
         ringup.toml:8: `site.default.server.port` takes a number, and this is string \"5060\"\n  \
         help: port = 1, without quotes",
    );
    let problems = load_text("[tftp]\nlisten = [\n[http\n", &[]).unwrap_err();
    assert!(problems.len() >= 2, "{problems:?}");
    assert!(problems.iter().all(|p| p.line.is_some()), "{problems:?}");
}

#[test]
fn includes() {
    let subnet = "[[dhcp.subnet]]\nsubnet = \"10.2.0.0/24\"\n";
    let first = "include = [\"conf.d/*.toml\"]\n[dhcp]\nauthoritative = true\n[[dhcp.subnet]]\nsubnet = \"10.1.0.0/24\"\n";
    let files = [
        ("conf.d/20.toml", subnet),
        ("conf.d/10.toml", "[site.lyon]\nsrtp = \"off\"\n"),
        ("conf.d/no.txt", "x"),
    ];
    let loaded = load_text(first, &files).unwrap();
    let networks: Vec<String> =
        loaded.settings.dhcp.subnets.iter().map(|s| s.network.to_string()).collect();
    assert_eq!(networks, ["10.1.0.0", "10.2.0.0"]);
    assert!(loaded.settings.sites.contains_key("lyon"));

    check_files(
        first,
        &[
            ("conf.d/a.toml", "\n[dhcp]\nauthoritative = false\n"),
            ("conf.d/b.toml", "include = []\n"),
        ],
        "conf.d/a.toml:3: `dhcp.authoritative` is set a second time\n  help: it is set at ringup.toml:3 too; keep one\n\
         conf.d/b.toml:1: an included file includes no others\n  help: put this `include` into the first file",
    );
    check_files(
        first,
        &[("conf.d/a.toml", "[[dhcp.subnet]]\nsubnet = \"10.1.0.128/25\"\nmode = 1\n")],
        "conf.d/a.toml:2: 10.1.0.128/25 overlaps 10.1.0.0/24 of ringup.toml:5\n  help: every address lies in one subnet at most\n\
         conf.d/a.toml:3: unknown key `mode` in [[dhcp.subnet]]\n  help: `mode` belongs in [dhcp]",
    );
    check("include = [\"x.toml\"]", "ringup.toml:1: can't include x.toml: there is no such file");
    check("include = [\"none.d/*.toml\"]", "");
}

#[test]
fn ports_and_passwords() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA";
    let open = "[http]\noperators = [\"0.0.0.0:8080\"]\n";
    check(
        open,
        "ringup.toml:2: operators at 0.0.0.0:8080 can be reached from other machines, and there is no password\n  \
           help: put the output of `ringup password` into [http] as password-hash, or set a token; else listen on 127.0.0.1",
    );
    check(&format!("{open}password-hash = \"{hash}\""), "");
    check(&format!("{open}token = \"t\""), "");
    check(
        &format!("{open}password-hash = \"hunter2\""),
        "ringup.toml:3: `password-hash` is no argon2id hash\n  help: `ringup password` makes one",
    );
    check(
        &format!("{open}token = \"\""),
        "ringup.toml:3: `token` is empty\n  help: leave the key out if there is none",
    );
    check(
        "[http]\noperators = [\"[::1]:8080\", \"localhost\", \"10.0.0.1\"]",
        "ringup.toml:2: `localhost` is no address to listen on\n  help: address and port, such as \"0.0.0.0:80\"\nringup.toml:2: `10.0.0.1` is no address to listen on\n  help: with a port: \"10.0.0.1:8080\"",
    );
    check(
        "[http]\nphones = [\"0.0.0.0:8080\"]",
        "ringup.toml:2: 0.0.0.0:8080 is where 127.0.0.1:8080 listens already\n  help: phones and operators need a port each: operators can do more than phones",
    );
    check(
        "[tftp]\nlisten = [\"0.0.0.0:0\"]",
        "ringup.toml:2: 0.0.0.0:0 has no port to listen on\n  help: a port from 1 to 65535",
    );
}

#[test]
fn secrets_in_files() {
    let text = "[http]\ntoken-file = \"token\"\n";
    check(
        text,
        "ringup.toml:2: can't read token: there is no such file\n  help: it holds one secret and must be readable for ringup",
    );
    check_files(
        text,
        &[("token", "s3cret\n")],
        "ringup.toml:2: warning: token can be read by others than its owner\n  help: chmod 600 token",
    );
    let loaded = load_text(text, &[("token", "s3cret\n")]).unwrap();
    assert_eq!(loaded.settings.http.token.unwrap().reveal(), "s3cret");
    check_files(
        "[site.default]\nadmin-password = \"a\"\nadmin-password-file = \"token\"\n",
        &[("token", "s")],
        "ringup.toml:3: both `admin-password` and `admin-password-file` are set\n  help: `admin-password` is at ringup.toml:2; keep one",
    );
}

#[test]
fn auto_registration() {
    let table =
        |lines: &str, expected: &str| check(&format!("[auto-registration]\n{lines}"), expected);
    table("enabled = true\nnumbers = \"4000-4199\"\nuntil = \"2026-12-01T18:00:00Z\"", "");
    table("enabled = true\nnumbers = \"4000-4199\"\nuntil = 2026-12-01T18:00:00+01:00", "");
    table(
        "enabled = true",
        "ringup.toml:2: auto-registration is enabled and has no numbers to give\n  help: add a range, such as numbers = \"4000-4199\"",
    );
    table("enabled = true\n[site.default]\nnumbers = \"1-2\"", "");
    table(
        "until = \"tomorrow\"",
        "ringup.toml:2: `until` can't be tomorrow\n  help: date, time and offset of RFC 3339, such as \"2026-12-01T18:00:00Z\"",
    );
    table(
        "enabled = true\nnumbers = \"1-2\"\nuntil = \"2026-11-20T08:59:59Z\"",
        "ringup.toml:4: warning: 2026-11-20T08:59:59Z has passed, so auto-registration stays closed\n  help: set a later time, or enabled = false",
    );
    table(
        "numbers = \"4000-40000\"",
        "ringup.toml:2: the numbers 4000-40000 have 4 and 5 digits\n  help: leading zeros count: write both with as many digits as the phones have",
    );
    table(
        "numbers = \"4199-4000\"",
        "ringup.toml:2: the numbers 4199-4000 run backwards\n  help: the smaller number first",
    );
}

#[test]
fn no_file_and_no_text() {
    let problems = load(Some(Path::new("/nonexistent/ringup.toml"))).unwrap_err();
    assert_eq!(printed(&problems), "/nonexistent/ringup.toml: there is no such file");
    let settings = load_text("", &[]).unwrap().settings;
    assert_eq!(settings, Settings::default());
    assert_eq!((settings.dhcp.mode, settings.sites.contains_key("default")), (DhcpMode::Off, true));
    assert_eq!(load_text("\u{feff}[tftp]\nlisten = []\n", &[]).unwrap().settings.tftp.listen, []);
}
