//! Sites, what they inherit, and names that only the catalog knows.

use super::*;

#[test]
fn sites_and_failover() {
    let site = |lines: &str, expected: &str| check(&format!("[site.paris]\n{lines}"), expected);
    site(
        "time-zone = \"Europe/Pariss\"",
        "ringup.toml:2: no time zone is called `Europe/Pariss`\n  help: a name of the IANA database, such as \"Europe/Paris\" or \"America/New_York\"",
    );
    site(
        "sip-transport = \"sctp\"",
        "ringup.toml:2: `sip-transport` can't be `sctp`\n  help: `sip-transport` is one of: udp, tcp, tls",
    );
    site(
        "server = [{ port = 5060 }]",
        "ringup.toml:2: this [[site.paris.server]] has no `address`\n  help: address = \"10.20.0.5\"",
    );
    site(
        "server = [{ address = \"10.20.0.5:5060\" }]",
        "ringup.toml:2: `10.20.0.5:5060` is more than a host\n  help: address = \"10.20.0.5\", port = 5060",
    );
    site(
        "server = [{ address = \"pbx\", port = 70000 }]",
        "ringup.toml:2: `port` can't be 70000\n  help: a number from 1 to 65535",
    );
    site(
        "var.room = \"a\\u0001\"",
        "ringup.toml:2: `a\\u{1}` has the character U+0001 in it\n  help: phones' files can't carry it; remove it",
    );
    site(
        "extra.poly.voice.volume = \"1\"",
        "ringup.toml:2: `voice` is no single value\n  help: quote a key with dots: \"a.b\" = \"1\"",
    );
    site("staging = { srtp = \"off\" }", "");
    site(
        "staging = { srtp = \"on\" }",
        "ringup.toml:2: `srtp` can't be `on`\n  help: `srtp` is one of: off, offered, required",
    );
    site(
        "staging = { staging = {} }",
        "ringup.toml:2: [site.paris.staging] has a `staging` of its own\n  help: leave it out",
    );
    site(
        "staging = { srpt = \"off\" }",
        "ringup.toml:2: unknown key `srpt` in [site.paris.staging]\n  help: did you mean `srtp`?",
    );
    check(
        "[site.\"a/b\"]",
        "ringup.toml:1: `a/b` can't be a site's name\n  help: letters, digits, `-`, `_` and `.`",
    );

    let failover =
        |lines: &str, expected: &str| check(&format!("[site.paris.failover]\n{lines}"), expected);
    failover("fail-back-mode = \"duration\"\nfail-back-timeout = 0", "");
    failover("fail-back-mode = \"duration\"\nfail-back-timeout = 65535", "");
    failover(
        "fail-back-mode = \"duration\"\nfail-back-timeout = 1",
        "ringup.toml:3: warning: phones take a `fail-back-timeout` of 1 for 60\n  help: 0, or 60 to 65535 seconds",
    );
    failover(
        "fail-back-mode = \"duration\"\nfail-back-timeout = 65536",
        "ringup.toml:3: `fail-back-timeout` can't be 65536\n  help: 0, or 60 to 65535 seconds",
    );
    failover(
        "fail-back-mode = \"duration\"\nfail-back-timeout = -1",
        "ringup.toml:3: `fail-back-timeout` can't be -1\n  help: 0, or 60 to 65535 seconds",
    );
    failover(
        "fail-back-mode = \"DNSTTL\"\nfail-back-timeout = 90",
        "ringup.toml:3: warning: `fail-back-timeout` has no effect unless `fail-back-mode` is `duration`\n  help: fail-back-mode = \"duration\", or leave the timeout out",
    );
    failover(
        "fail-back-mode = \"dnsttl\"",
        "ringup.toml:2: `fail-back-mode` can't be `dnsttl`\n  help: did you mean `DNSTTL`? It is one of: newRequests, DNSTTL, registration, duration",
    );
}

#[test]
fn inheritance() {
    let loaded = load_text(
        "[site.default]\nsip-transport = \"tls\"\ntime-zone = \"Europe/Paris\"\nvar = { a = 1, b = true }\n\
         [[site.default.server]]\naddress = \"10.0.0.1\"\n[site.default.failover]\nre-register-on = true\n\
         [site.default.extra.poly]\n\"x.y\" = \"1\"\n\
         [site.paris]\nsip-transport = \"tcp\"\nvar.b = \"no\"\nextra.poly = { \"x.z\" = 2 }\n\
         [site.paris.failover]\nfail-back-mode = \"DNSTTL\"\n",
        &[],
    )
    .unwrap();
    let paris = &loaded.settings.sites["paris"];
    assert_eq!(paris.sip_transport, Transport::Tcp);
    assert_eq!(paris.time_zone.as_deref(), Some("Europe/Paris"));
    assert_eq!((paris.var["a"].as_str(), paris.var["b"].as_str()), ("1", "no"));
    assert_eq!(paris.servers[0].address, "10.0.0.1");
    assert_eq!(paris.extra["poly"].len(), 2);
    let failover = paris.failover.as_ref().unwrap();
    assert!(failover.re_register_on && failover.only_signal_with_registered);
    assert_eq!((failover.fail_back_mode.as_str(), failover.fail_back_timeout), ("DNSTTL", 3600));
    let by: Vec<String> = paris.set_by.iter().map(|(key, site)| format!("{key} {site}")).collect();
    assert_eq!(
        by,
        [
            "extra.poly.x.y default",
            "extra.poly.x.z paris",
            "failover paris",
            "failover.fail-back-mode paris",
            "failover.re-register-on default",
            "server default",
            "sip-transport paris",
            "time-zone default",
            "var.a default",
            "var.b paris",
        ]
    );
}

struct Two;

impl Names for Two {
    fn families(&self, name: &str) -> Vec<String> {
        match name.to_lowercase().as_str() {
            "poly" => vec!["poly-soundpoint".to_owned(), "poly-vvx".to_owned()],
            "poly-soundpoint" | "poly-vvx" => vec![name.to_owned()],
            _ => Vec::new(),
        }
    }

    fn is_model(&self, name: &str) -> bool {
        name == "VVX 401"
    }

    fn all(&self) -> Vec<String> {
        ["poly", "poly-soundpoint", "poly-vvx"].map(str::to_owned).to_vec()
    }
}

#[test]
fn names_meet_the_catalog() {
    let text = "[[dhcp.subnet]]\nsubnet = \"10.0.0.0/24\"\nfor.poly = { servers = [\"10.9.0.1\"] }\n\
                for.poly-vvx = { servers = [\"10.9.0.2\"] }\nfor.polly = { servers = [\"10.9.0.3\"] }\n\
                [site.default.firmware]\n\"VVX 401\" = \"5.9\"\n\"VVX 4O1\" = \"5.9\"\n";
    let mut loaded = load_text(text, &[]).unwrap();
    let problems = loaded.expand(&Two);
    let printed: Vec<String> =
        problems.iter().map(|p| format!("{}: {} | {}", p.line.unwrap(), p.text, p.help)).collect();
    assert_eq!(
        printed,
        [
            "5: no family or vendor is called `polly` (in for) | did you mean `poly`?",
            "8: no family, vendor or model is called `VVX 4O1` (in [site.default.firmware]) | `ringup profiles list` shows what there is",
        ]
    );
    let map = &loaded.settings.dhcp.subnets[0].for_family;
    let servers = |name: &str| map[name].servers[0].to_string();
    assert_eq!(
        (servers("poly-soundpoint"), servers("poly-vvx")),
        ("10.9.0.1".into(), "10.9.0.2".into())
    );
    assert!(!map.contains_key("poly"));
}

#[test]
fn encryption_on_one_side_only() {
    let clear = "srtp is required and the keys travel in clear: `sip-transport` is not `tls`\n  help: sip-transport = \"tls\"";
    check("[site.paris]\nsrtp = \"required\"", &format!("ringup.toml:2: warning: {clear}"));
    check("[site.paris]\nsrtp = \"required\"\nsip-transport = \"tls\"", "");
    check("[site.paris]\nsrtp = \"offered\"", "");
    // Inherited by two sites and told once, where it stands.
    check(
        "[site.default]\nsrtp = \"required\"\n[site.paris]\n[site.rome]\n",
        &format!("ringup.toml:2: warning: {clear}"),
    );
    let two = |srtp: &str, server: &str| {
        format!(
            "[site.paris]\nsrtp = \"required\"\nsip-transport = \"tls\"\nserver = [{{ address = \"10.20.0.5\" }}]\n\
             [site.rome]\nsrtp = \"{srtp}\"\nserver = [{{ address = \"{server}\" }}]"
        )
    };
    let silent = "ringup.toml:2: warning: [site.paris] requires SRTP, [site.rome] has it off, and both register at \
        10.20.0.5: calls between them fail or have no sound\n  help: the same `srtp` on both sides: required, or offered on both";
    check(&two("off", "10.20.0.5"), silent);
    check(&two("off", "10.20.0.9"), "");
    check(&two("offered", "10.20.0.5"), "");
}
