//! What is legal and makes phones lose their registration or their sound: 8x8's notes on SRTP and registration.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::domain::{Problem, SiteName};

use super::{
    super::{Site, Srtp, Subnet, Transport, tables::SubnetTable},
    Check,
};

/// Resolvers that anybody may ask, with who runs them. They answer by where the resolver is, not by where the phone is, so
/// that a provider who routes by name sends phones to the wrong data centre, now here, now there.
const PUBLIC: [(&str, &[[u8; 4]]); 6] = [
    ("Google", &[[8, 8, 8, 8], [8, 8, 4, 4]]),
    ("Cloudflare", &[[1, 1, 1, 1], [1, 0, 0, 1]]),
    ("Quad9", &[[9, 9, 9, 9], [149, 112, 112, 112]]),
    ("OpenDNS", &[[208, 67, 222, 222], [208, 67, 220, 220]]),
    ("Level 3", &[[4, 2, 2, 1], [4, 2, 2, 2]]),
    ("AdGuard", &[[94, 140, 14, 14], [94, 140, 15, 15]]),
];

/// Resolvers that providers run for their phones: for the voice network, and for nothing else.
const PROVIDERS: [(&str, &[[u8; 4]]); 1] = [("8x8", &[[8, 28, 0, 9], [192, 84, 18, 11]])];

fn owner<'a>(of: &[(&'a str, &[[u8; 4]])], address: Ipv4Addr) -> Option<&'a str> {
    let owned = of.iter().find(|(_, addresses)| addresses.contains(&address.octets()));
    owned.map(|(name, _)| *name)
}

/// Resolvers of a subnet that do phones no good there.
pub(super) fn dns(check: &mut Check<'_>, table: &SubnetTable, subnet: &Subnet) {
    for given in table.dns.as_deref().unwrap_or_default() {
        let Ok(address) = given.get_ref().parse::<Ipv4Addr>() else { continue };
        let at = given.span().start;
        let data = subnet.voice_vlan.is_some();
        if let Some(owner) = owner(&PUBLIC, address).filter(|_| !data) {
            let text = format!("{address} is {owner}'s public resolver: phones should not use it");
            let help = "a resolver of your own, or your provider's: a public one sends phones now to one data centre, \
                        now to another, and they lose their registration";
            check.warning(at, text, help);
        }
        if let Some(owner) = owner(&PROVIDERS, address).filter(|_| data) {
            let text = format!(
                "{address} is {owner}'s resolver for phones, and {}/{} is a network that phones are to leave",
                subnet.network, subnet.prefix
            );
            let help = "set it on the subnet of the voice VLAN only, not on the data network";
            check.warning(at, text, help);
        }
    }
}

/// Sites whose settings leave calls without encryption that they ask for, or without sound.
pub(super) fn srtp(check: &mut Check<'_>, sites: &BTreeMap<SiteName, Site>) {
    let mut told: Vec<String> = Vec::new();
    for (name, site) in sites.iter().filter(|(_, site)| site.srtp == Srtp::Required) {
        let Some(spot) = site.places.of("srtp") else { continue };
        if site.sip_transport != Transport::Tls && !told.iter().any(|it| it == spot) {
            told.push(spot.to_owned());
            let text =
                "srtp is required and the keys travel in clear: `sip-transport` is not `tls`";
            warn(check, spot, text, "sip-transport = \"tls\"");
        }
        let Some((other, server)) = one_sided(sites, site) else { continue };
        let text = format!(
            "[site.{name}] requires SRTP, [site.{other}] has it off, and both register at {server}: calls between \
             them fail or have no sound"
        );
        warn(check, spot, text, "the same `srtp` on both sides: required, or offered on both");
    }
}

/// A site without SRTP that shares a registrar with this one, and that registrar.
fn one_sided<'a>(
    sites: &'a BTreeMap<SiteName, Site>,
    secured: &Site,
) -> Option<(&'a str, &'a str)> {
    let off = sites.iter().filter(|(_, other)| other.srtp == Srtp::Off);
    let mut shared = off.flat_map(|(name, other)| other.servers.iter().map(move |it| (name, it)));
    let found = shared
        .find(|(_, server)| secured.servers.iter().any(|own| own.address == server.address))?;
    Some((found.0, &found.1.address))
}

/// A warning at a place that was noted as `file:line`.
fn warn(check: &mut Check<'_>, spot: &str, text: impl Into<String>, help: &str) {
    let (file, line) = spot.rsplit_once(':').unwrap_or((spot, ""));
    check.problems.push(Problem::warning(file, line.parse().ok(), text).help(help));
}
