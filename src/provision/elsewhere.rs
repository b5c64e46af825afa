//! Families that another server provisions (`for.FAMILY` of a subnet).

use std::net::Ipv4Addr;

use crate::{
    config::{ForFamily, Subnet},
    profile::Family,
};

use super::report::Look;

/// Where another server provisions all of these families on this subnet. Where only the vendor is known, all its
/// families have to agree: sending a phone to the wrong server is worse than keeping it.
pub(super) fn agreed<'a>(families: &[&Family], subnet: &'a Subnet) -> Option<&'a ForFamily> {
    let of = |family: &&Family| subnet.for_family.get(family.name.as_str());
    let of_most = |other: &&ForFamily| {
        2 * families.iter().filter(|family| of(family) == Some(*other)).count() > families.len()
    };
    let other = families.iter().filter_map(of).find(of_most)?;
    (!other.servers.is_empty()).then_some(other)
}

impl Look<'_> {
    /// The servers that provision this phone instead of us; empty if we do, or if it has no address yet: until then it
    /// is ours to serve.
    pub(super) fn elsewhere(&self) -> Vec<Ipv4Addr> {
        let (catalog, settings) = (self.provisioner.catalog(), self.provisioner.settings());
        let families = match (self.family, &self.identity.vendor) {
            (Some(family), _) => vec![family],
            (None, Some(vendor)) => catalog.expand(vendor),
            (None, None) => Vec::new(),
        };
        let address = self.boot.address;
        let mut subnets = settings.dhcp.subnets.iter();
        let subnet = address.and_then(|address| subnets.find(|subnet| subnet.contains(address)));
        let other = subnet.and_then(|subnet| agreed(&families, subnet));
        other.map(|other| other.servers.clone()).unwrap_or_default()
    }
}
