//! `[dhcp]` as a whole: the mode, the interfaces, and that subnets leave each other alone.

use std::collections::BTreeMap;

use super::{
    super::{Dhcp, DhcpMode, Site, Subnet, tables::DhcpTable},
    Check,
    subnet::subnet,
    value,
};

const MODES: [(&str, DhcpMode); 3] =
    [("serve", DhcpMode::Serve), ("observe", DhcpMode::Observe), ("off", DhcpMode::Off)];

/// The whole table. Subnets that overlap are kept, so that each is checked in itself too.
pub fn dhcp(check: &mut Check<'_>, table: &DhcpTable, sites: &BTreeMap<String, Site>) -> Dhcp {
    let mode = check.choice("mode", table.mode.as_ref(), &MODES).unwrap_or_default();
    let interfaces = check.list(table.interfaces.as_deref(), value::interface).unwrap_or_default();
    if let Some(at) = table.mode.as_ref().map(|mode| mode.span().start) {
        purposeful(check, at, mode, table);
    }
    let mut subnets: Vec<Subnet> = Vec::new();
    let mut places: Vec<usize> = Vec::new();
    for given in &table.subnet {
        // The index that it will have: names are checked against the catalog by it later.
        let Some(next) = subnet(check, given, subnets.len(), sites) else { continue };
        let at = given.get_ref().subnet.as_ref().map_or(0, |subnet| subnet.span().start);
        if let Some(place) = subnets.iter().position(|other| overlap(other, &next)) {
            let (other, spot) = (&subnets[place], check.sources.spot(places[place]));
            let text = format!(
                "{}/{} overlaps {}/{} of {spot}",
                next.network, next.prefix, other.network, other.prefix
            );
            check.error(at, text, "every address lies in one subnet at most");
        }
        subnets.push(next);
        places.push(at);
    }
    Dhcp {
        mode,
        interfaces,
        authoritative: table.authoritative.unwrap_or_default(),
        unprobed: table.probe == Some(false),
        subnets,
        relay_listen: None,
    }
}

/// That what the mode says can be done.
fn purposeful(check: &mut Check<'_>, at: usize, mode: DhcpMode, table: &DhcpTable) {
    let named = table.interfaces.as_ref().is_some_and(|interfaces| !interfaces.is_empty());
    if mode == DhcpMode::Serve && !named {
        check.missing(
            at,
            "mode `serve` needs `interfaces`",
            "name them, such as interfaces = [\"eth1\"]: ringup never serves DHCP on a network it was not told to",
        );
    }
    if mode == DhcpMode::Observe && !named {
        check.missing(
            at,
            "mode `observe` needs `interfaces`",
            "name those where phones and their DHCP server can be heard, such as interfaces = [\"eth1\"]",
        );
    }
    if mode == DhcpMode::Serve && table.subnet.is_empty() {
        check.missing(
            at,
            "mode `serve` needs a subnet to give addresses from",
            "add [[dhcp.subnet]] with subnet = \"10.20.0.0/22\" and pool = [\"10.20.0.50-10.20.3.250\"]",
        );
    }
}

/// Prefixes overlap only by one lying in the other.
fn overlap(one: &Subnet, other: &Subnet) -> bool {
    one.contains(other.network) || other.contains(one.network)
}
