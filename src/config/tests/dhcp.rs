//! Modes, subnets, pools and extra options.

use super::*;

#[test]
fn modes() {
    check(
        "[dhcp]\nmode = \"serve\"",
        "ringup.toml:2: mode `serve` needs `interfaces`\n  help: name them, such as interfaces = [\"eth1\"]: \
           ringup never serves DHCP on a network it was not told to\n\
         ringup.toml:2: mode `serve` needs a subnet to give addresses from\n  help: add [[dhcp.subnet]] with \
           subnet = \"10.20.0.0/22\" and pool = [\"10.20.0.50-10.20.3.250\"]",
    );
    check(
        "[dhcp]\nmode = \"observe\"",
        "ringup.toml:2: mode `observe` needs `interfaces`\n  help: name those where phones and their DHCP server \
           can be heard, such as interfaces = [\"eth1\"]",
    );
    check("[dhcp]\nmode = \"observe\"\ninterfaces = [\"eth1\"]", "");
    check(
        "[dhcp]\nmode = \"on\"",
        "ringup.toml:2: `mode` can't be `on`\n  help: `mode` is one of: serve, observe, off",
    );
    check(
        "[dhcp]\ninterfaces = [\"eth0\", \"a b\"]",
        "ringup.toml:2: `a b` is no interface\n  help: `ip link` lists them",
    );
}

#[test]
fn subnets() {
    check_subnet("", "");
    check_subnet(
        "router = [\"10.20.4.1\"]",
        "ringup.toml:3: the router 10.20.4.1 lies outside its subnet 10.20.0.0/22\n  help: a router between 10.20.0.1 and 10.20.3.254: phones can't reach another",
    );
    check_subnet(
        "pool = [\"10.20.0.0-10.20.0.9\"]",
        "ringup.toml:3: the pool 10.20.0.0-10.20.0.9 lies outside its subnet 10.20.0.0/22\n  help: a pool between 10.20.0.1 and 10.20.3.254",
    );
    check_subnet(
        "pool = [\"10.20.0.9-10.20.0.4\"]",
        "ringup.toml:3: the range 10.20.0.9-10.20.0.4 runs backwards\n  help: 10.20.0.4-10.20.0.9",
    );
    check_subnet(
        "pool = [\"10.20.0.9-10.20.0.19\",\n\"10.20.0.19\"]",
        "ringup.toml:4: the pool 10.20.0.19 overlaps 10.20.0.9-10.20.0.19\n  help: name every address once",
    );
    check_subnet(
        "dns = [\"dns.example\"]",
        "ringup.toml:3: `dns.example` is no IPv4 address\n  help: four numbers, such as \"10.20.0.1\"; DHCP options carry no host names",
    );
    check_subnet(
        "lease-time = \"30s\"",
        "ringup.toml:3: `lease-time` can't be as short as 30s\n  help: at least 60 s",
    );
    check_subnet(
        "lease-time = \"1 day\"",
        "ringup.toml:3: `1 day` is no duration\n  help: a number with its unit, such as \"90s\", \"30m\", \"24h\" or \"90d\"",
    );
    check_subnet(
        "voice-vlan = 4095",
        "ringup.toml:3: `voice-vlan` can't be 4095\n  help: a number from 1 to 4094",
    );
    check_subnet(
        "admit = \"phone\"",
        "ringup.toml:3: `admit` can't be `phone`\n  help: did you mean `phones`? It is one of: all, phones, listed",
    );
    check_subnet(
        "domain = \"voice example\"",
        "ringup.toml:3: `voice example` is no domain name\n  help: such as \"voice.example\"",
    );
    check_subnet(
        "for.poly = {}",
        "ringup.toml:3: `for.poly` names no servers\n  help: servers = [\"10.1.1.5\"]",
    );
    check_subnet(
        "site = \"pariss\"\n[site.paris]",
        "ringup.toml:3: no site is called `pariss`\n  help: did you mean `paris`?",
    );
    check_subnet(
        "[site.paris]\n[site.lyon]",
        "ringup.toml:2: this subnet has no `site`, and there are several\n  help: site = \"lyon\", or another of: default, lyon, paris",
    );
    check_subnet(
        "router = [\"10.20.0.1\"]\npool = [\"10.20.0.1-10.20.0.9\"]\nexclude = [\"10.20.3.3\"]",
        "ringup.toml:3: warning: the pool holds 10.20.0.1, which `router` names; it is never leased\n  help: exclude = [\"10.20.0.1\"]\n\
         ringup.toml:5: warning: `exclude` 10.20.3.3 takes nothing out of the pool\n  help: only what a pool holds can be taken out",
    );
    check(
        "[[dhcp.subnet]]\nsite = \"default\"",
        "ringup.toml:1: this [[dhcp.subnet]] has no `subnet`\n  help: add subnet = \"10.20.0.0/22\"",
    );
}

#[test]
fn networks() {
    for (subnet, help) in [
        (
            "10.20.0.5/22",
            "10.20.0.5 is an address inside a subnet, not its start\n  help: \"10.20.0.0/22\"",
        ),
        (
            "10.20.0.0/31",
            "the subnet 10.20.0.0/31 can't be used\n  help: a prefix length from /1 to /30: phones, ringup and a router need addresses in it",
        ),
        (
            "10.20.0.0",
            "`10.20.0.0` is no subnet\n  help: network and prefix length, such as \"10.20.0.0/22\"",
        ),
        ("224.0.0.0/8", "224.0.0.0/8 holds no addresses for phones"),
    ] {
        check(
            &format!("[[dhcp.subnet]]\nsubnet = \"{subnet}\""),
            &format!("ringup.toml:2: {help}"),
        );
    }
}

#[test]
fn extra_options() {
    let line =
        |option: &str, expected: &str| check_subnet(&format!("options = [{option}]"), expected);
    line(
        "{ code = 176, text = \"a\" }, { code = 177, ip = [\"10.0.0.1\"] }, { code = 178, hex = \"0a:14\" }",
        "",
    );
    line(
        "{ code = 0, u8 = 1 }",
        "ringup.toml:3: `code` can't be 0\n  help: a number from 1 to 254",
    );
    line(
        "{ code = 3, ip = \"10.20.0.1\" }",
        "ringup.toml:3: option 3 can't be given here\n  help: router = [\"10.20.0.1\"]",
    );
    line(
        "{ code = 176 }",
        "ringup.toml:3: option 176 has no value\n  help: exactly one of: text, ip, hex, u8, u16, u32",
    );
    line(
        "{ code = 176, u8 = 1, u16 = 1 }",
        "ringup.toml:3: option 176 has several values\n  help: exactly one of: text, ip, hex, u8, u16, u32",
    );
    line(
        "{ code = 176, u8 = 256 }",
        "ringup.toml:3: `u8` can't be 256\n  help: a number from 0 to 255",
    );
    line(
        "{ code = 176, hex = \"0\" }",
        "ringup.toml:3: `0` is no hexadecimal text\n  help: two digits an octet, such as \"0a14ff\"",
    );
    line(
        "{ code = 176, u8 = 1 }, { code = 176, u8 = 2 }",
        "ringup.toml:3: option 176 is given twice\n  help: keep one",
    );
    line(
        "{ text = \"a\" }",
        "ringup.toml:3: this option has no `code`\n  help: such as { code = 176, text = \"…\" }",
    );
}

#[test]
fn pools_lose_what_is_taken() {
    let loaded = load_text(
        "[[dhcp.subnet]]\nsubnet = \"10.0.0.0/24\"\nrouter = [\"10.0.0.1\"]\n\
         pool = [\"10.0.0.100-10.0.0.120\", \"10.0.0.1-10.0.0.20\"]\nexclude = [\"10.0.0.10-10.0.0.12\", \"10.0.0.120\"]\n",
        &[],
    )
    .unwrap();
    let pool: Vec<String> =
        loaded.settings.dhcp.subnets[0].pool.iter().map(|(a, b)| format!("{a}-{b}")).collect();
    assert_eq!(pool, ["10.0.0.2-10.0.0.9", "10.0.0.13-10.0.0.20", "10.0.0.100-10.0.0.119"]);
}

#[test]
fn resolvers_that_do_phones_no_good() {
    let public = "a resolver of your own, or your provider's: a public one sends phones now to one data centre, now to \
        another, and they lose their registration";
    let google = format!(
        "warning: 8.8.8.8 is Google's public resolver: phones should not use it\n  help: {public}"
    );
    check_subnet("dns = [\"10.20.0.1\", \"8.8.8.8\"]", &format!("ringup.toml:3: {google}"));
    check_subnet(
        "dns = [\n\"10.20.0.1\",\n\"1.0.0.1\"]",
        &format!(
            "ringup.toml:5: warning: 1.0.0.1 is Cloudflare's public resolver: phones should not use it\n  help: {public}"
        ),
    );
    check_subnet("dns = [\"8.28.0.9\", \"192.84.18.11\"]", "");
    // On the network that phones are to leave it is the other way round.
    check_subnet("voice-vlan = 20\ndns = [\"8.8.4.4\"]", "");
    check_subnet(
        "voice-vlan = 20\ndns = [\"192.84.18.11\"]",
        "ringup.toml:4: warning: 192.84.18.11 is 8x8's resolver for phones, and 10.20.0.0/22 is a network that phones are \
           to leave\n  help: set it on the subnet of the voice VLAN only, not on the data network",
    );
}
