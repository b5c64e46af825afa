//! `[[dhcp.subnet]]`: pools inside it, a router inside it, options that can be sent.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use super::{
    super::{
        Admit, ForFamily, Option82, RawOption, Site, Subnet,
        names::Place,
        tables::{At, OneOrMany, OptionTable, SubnetTable},
    },
    Check, value,
};

const OPTION_82: [(&str, Option82); 2] = [("relay", Option82::Relay), ("l2", Option82::L2)];
const ADMIT: [(&str, Admit); 3] =
    [("all", Admit::All), ("phones", Admit::Phones), ("listed", Admit::Listed)];

/// The shortest lease: below it a phone would do little else than renew.
const MIN_LEASE: Duration = Duration::from_mins(1);

/// The lease where nobody says how long.
const LEASE: Duration = Duration::from_hours(24);

/// `None` if even the network is not known.
pub fn subnet(
    check: &mut Check<'_>,
    given: &At<SubnetTable>,
    index: usize,
    sites: &BTreeMap<String, Site>,
) -> Option<Subnet> {
    let table = given.get_ref();
    if table.subnet.is_none() {
        let help = "add subnet = \"10.20.0.0/22\"";
        check.missing(given.span().start, "this [[dhcp.subnet]] has no `subnet`", help);
    }
    let (network, prefix) = check.value(table.subnet.as_ref(), value::network)?;
    let mut subnet = Subnet {
        network,
        prefix,
        site: site(check, table, sites),
        pool: Vec::new(),
        router: addresses(check, table.router.as_deref()),
        dns: addresses(check, table.dns.as_deref()),
        ntp: addresses(check, table.ntp.as_deref()),
        domain: check.value(table.domain.as_ref(), value::domain),
        search: check.list(table.search.as_deref(), value::domain).unwrap_or_default(),
        routes: check.list(table.routes.as_deref(), value::route).unwrap_or_default(),
        lease_time: check
            .duration("lease-time", table.lease_time.as_ref(), MIN_LEASE)
            .unwrap_or(LEASE),
        servers: addresses(check, table.servers.as_deref()),
        voice_vlan: check
            .number("voice-vlan", table.voice_vlan.as_ref(), 1, 4094)
            .and_then(|vlan| u16::try_from(vlan).ok()),
        option_82: check
            .choice("option-82", table.option_82.as_ref(), &OPTION_82)
            .unwrap_or_default(),
        admit: check.choice("admit", table.admit.as_ref(), &ADMIT).unwrap_or_default(),
        options: options(check, &table.options),
        for_family: BTreeMap::new(),
    };
    routers(check, table, &subnet);
    super::advice::dns(check, table, &subnet);
    subnet.pool = pool(check, table, &subnet);
    for (name, family) in &table.for_family {
        check.name(name, Place::For(index));
        let servers = addresses(check, family.servers.as_deref());
        if servers.is_empty() && family.servers.as_ref().is_none_or(Vec::is_empty) {
            let text = format!("`for.{}` names no servers", name.get_ref());
            check.missing(name.span().start, text, "servers = [\"10.1.1.5\"]");
        }
        subnet.for_family.insert(name.get_ref().clone(), ForFamily { servers });
    }
    Some(subnet)
}

/// Addresses in order: phones try them in the order given.
fn addresses(check: &mut Check<'_>, list: Option<&[At<String>]>) -> Vec<Ipv4Addr> {
    check.list(list, value::address).unwrap_or_default()
}

/// The site that is named; else the only one.
fn site(check: &mut Check<'_>, table: &SubnetTable, sites: &BTreeMap<String, Site>) -> String {
    let own: Vec<&String> = sites.keys().filter(|name| *name != "default").collect();
    let names = || sites.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match (&table.site, own.as_slice()) {
        (Some(site), _) => {
            let name = site.get_ref();
            if !sites.contains_key(name) {
                let near = super::nearest(name, sites.keys().map(String::as_str));
                let help = near.map_or_else(
                    || format!("add a table [site.{name}]; there are: {}", names()),
                    |near| format!("did you mean `{near}`?"),
                );
                check.error(site.span().start, format!("no site is called `{name}`"), help);
            }
            name.clone()
        }
        (None, []) => "default".to_owned(),
        (None, [only]) => (*only).clone(),
        (None, [first, ..]) => {
            let at = table.subnet.as_ref().map_or(0, |subnet| subnet.span().start);
            let text = "this subnet has no `site`, and there are several";
            check.missing(at, text, format!("site = \"{first}\", or another of: {}", names()));
            "default".to_owned()
        }
    }
}

/// A router outside the subnet can't be reached without a router: phones would get an address and no way out.
fn routers(check: &mut Check<'_>, table: &SubnetTable, subnet: &Subnet) {
    for given in table.router.as_deref().unwrap_or_default() {
        let Ok(router) = given.get_ref().parse::<Ipv4Addr>() else { continue };
        if !subnet.contains(router) {
            let (first, last) = hosts(subnet);
            let text = format!(
                "the router {router} lies outside its subnet {}/{}",
                subnet.network, subnet.prefix
            );
            let help = format!("a router between {first} and {last}: phones can't reach another");
            check.error(given.span().start, text, help);
        }
    }
}

/// The first and the last address that a host may have.
fn hosts(subnet: &Subnet) -> (Ipv4Addr, Ipv4Addr) {
    let (network, mask) = (u32::from(subnet.network), u32::from(subnet.mask()));
    (Ipv4Addr::from(network + 1), Ipv4Addr::from((network | !mask) - 1))
}

/// The ranges, checked, sorted, and without what is excluded or has a holder already.
fn pool(check: &mut Check<'_>, table: &SubnetTable, subnet: &Subnet) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let (low, high) = hosts(subnet);
    let mut ranges: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::new();
    for given in table.pool.as_deref().unwrap_or_default() {
        let Some((first, last)) = check.value(Some(given), value::range) else { continue };
        let text = given.get_ref();
        let at = given.span().start;
        if first < low || last > high {
            let out = format!(
                "the pool {text} lies outside its subnet {}/{}",
                subnet.network, subnet.prefix
            );
            check.error(at, out, format!("a pool between {low} and {high}"));
        } else if let Some((a, b)) = ranges.iter().find(|(a, b)| *a <= last && first <= *b) {
            check.error(at, format!("the pool {text} overlaps {a}-{b}"), "name every address once");
        } else {
            ranges.push((first, last));
        }
    }
    ranges.sort_unstable();
    for given in table.exclude.as_deref().unwrap_or_default() {
        let Some(gap) = check.value(Some(given), value::range) else { continue };
        if !ranges.iter().any(|range| range.0 <= gap.1 && gap.0 <= range.1) {
            let text = format!("`exclude` {} takes nothing out of the pool", given.get_ref());
            check.warning(given.span().start, text, "only what a pool holds can be taken out");
        }
        ranges = without(&ranges, gap);
    }
    fixed(check, table, ranges)
}

/// Takes out what these settings give to somebody else, with a warning: leasing it would break that host.
fn fixed(
    check: &mut Check<'_>,
    table: &SubnetTable,
    mut ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let lists = [
        ("router", &table.router),
        ("dns", &table.dns),
        ("ntp", &table.ntp),
        ("servers", &table.servers),
    ];
    for (key, list) in lists {
        for given in list.as_deref().unwrap_or_default() {
            let Ok(address) = given.get_ref().parse::<Ipv4Addr>() else { continue };
            if ranges.iter().any(|(first, last)| (*first..=*last).contains(&address)) {
                let text =
                    format!("the pool holds {address}, which `{key}` names; it is never leased");
                check.warning(given.span().start, text, format!("exclude = [\"{address}\"]"));
                ranges = without(&ranges, (address, address));
            }
        }
    }
    ranges
}

/// `ranges` without what lies in `gap`, ends included.
fn without(
    ranges: &[(Ipv4Addr, Ipv4Addr)],
    gap: (Ipv4Addr, Ipv4Addr),
) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let mut left = Vec::new();
    for &(first, last) in ranges {
        if last < gap.0 || gap.1 < first {
            left.push((first, last));
            continue;
        }
        if first < gap.0 {
            left.push((first, Ipv4Addr::from(u32::from(gap.0) - 1)));
        }
        if gap.1 < last {
            left.push((Ipv4Addr::from(u32::from(gap.1) + 1), last));
        }
    }
    left
}

/// What a subnet has keys for, or the server must say itself, by option code.
const TAKEN: [(i64, &str); 14] = [
    (1, "ringup sends the mask of the subnet itself"),
    (3, "router = [\"10.20.0.1\"]"),
    (6, "dns = [\"10.20.0.1\"]"),
    (15, "domain = \"voice.example\""),
    (42, "ntp = [\"10.20.0.1\"]"),
    (50, "only clients send it"),
    (51, "lease-time = \"24h\""),
    (52, "ringup sets it where a message needs it"),
    (53, "ringup sets it itself"),
    (54, "ringup sets it itself"),
    (55, "only clients send it"),
    (58, "it follows from lease-time"),
    (59, "it follows from lease-time"),
    (82, "it is the relay's"),
];

/// Extra options, one a code.
fn options(check: &mut Check<'_>, given: &[At<OptionTable>]) -> Vec<RawOption> {
    let mut options: Vec<RawOption> = Vec::new();
    for option in given {
        let Some(made) = option_of(check, option) else { continue };
        if options.iter().any(|other| other.code == made.code) {
            let text = format!("option {} is given twice", made.code);
            check.error(option.span().start, text, "keep one");
        }
        options.push(made);
    }
    options
}

/// One extra option, encoded; `None` if it has a problem.
fn option_of(check: &mut Check<'_>, given: &At<OptionTable>) -> Option<RawOption> {
    let (at, table) = (given.span().start, given.get_ref());
    if table.code.is_none() {
        check.missing(at, "this option has no `code`", "such as { code = 176, text = \"…\" }");
    }
    let code = check.number("code", table.code.as_ref(), 1, 254)?;
    if let Some((_, help)) = TAKEN.iter().find(|(taken, _)| *taken == code) {
        check.error(at, format!("option {code} can't be given here"), *help);
        return None;
    }
    // A union in the text: serde would say which variant failed last, not that there are two.
    let kinds = [
        table.text.is_some(),
        table.ip.is_some(),
        table.hex.is_some(),
        table.u8.is_some(),
        table.u16.is_some(),
        table.u32.is_some(),
    ];
    let one = "exactly one of: text, ip, hex, u8, u16, u32";
    match kinds.iter().filter(|kind| **kind).count() {
        0 => {
            check.missing(at, format!("option {code} has no value"), one);
            return None;
        }
        1 => {}
        _ => {
            check.error(at, format!("option {code} has several values"), one);
            return None;
        }
    }
    let bytes = content(check, table)?;
    if bytes.is_empty() || bytes.len() > 255 {
        let text = format!("option {code} has {} octets", bytes.len());
        check.error(at, text, "an option has 1 to 255 octets");
        return None;
    }
    Some(RawOption { code: u8::try_from(code).ok()?, bytes })
}

/// The octets of the one value that is there.
fn content(check: &mut Check<'_>, table: &OptionTable) -> Option<Vec<u8>> {
    if let Some(text) = &table.text {
        return check.value(Some(text), value::text).map(String::into_bytes);
    }
    if let Some(hex) = &table.hex {
        let octets = octets(hex.get_ref());
        if octets.is_none() {
            let text = format!("`{}` is no hexadecimal text", hex.get_ref().escape_debug());
            check.error(hex.span().start, text, "two digits an octet, such as \"0a14ff\"");
        }
        return octets;
    }
    if let Some(ip) = &table.ip {
        let list = match ip.get_ref() {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        };
        let mut octets = Vec::new();
        for text in list {
            let text = toml::Spanned::new(ip.span(), text.clone());
            octets.extend(check.value(Some(&text), value::address)?.octets());
        }
        return Some(octets);
    }
    if let Some(number) = &table.u8 {
        let number = check.number("u8", Some(number), 0, i64::from(u8::MAX))?;
        return Some(vec![u8::try_from(number).ok()?]);
    }
    if let Some(number) = &table.u16 {
        let number = check.number("u16", Some(number), 0, i64::from(u16::MAX))?;
        return Some(u16::try_from(number).ok()?.to_be_bytes().to_vec());
    }
    let number = check.number("u32", table.u32.as_ref(), 0, i64::from(u32::MAX))?;
    Some(u32::try_from(number).ok()?.to_be_bytes().to_vec())
}

/// Octets from digits with or without `:` and blanks between them.
fn octets(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> =
        text.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect()
}
