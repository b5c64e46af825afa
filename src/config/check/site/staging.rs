//! `[site.NAME.staging]`: the site as it is for phones whose batch is open.

use std::collections::BTreeMap;

use super::{Check, Own, OwnFailover, Site, SiteTable, complete};

/// Stands for the staging table where a key is noted as set by it. No site has an empty name.
const STAGING: &str = "";

/// Checks the staging table of a site.
pub(super) fn own(check: &mut Check<'_>, name: &str, table: &SiteTable) -> Option<Box<Own>> {
    let staging = table.staging.as_deref()?;
    if let Some(nested) = &staging.get_ref().staging {
        let text = format!("[site.{name}.staging] has a `staging` of its own");
        check.error(nested.span().start, text, "leave it out");
        return None;
    }
    Some(Box::new(Own::new(check, &format!("{name}.staging"), staging.get_ref())))
}

/// A complete site, with what differs while batches are open.
///
/// The order is: the site's staging, the staging of `default`, the site, `default`.
pub(super) fn with(name: &str, mut own: Own, base: &Own) -> Site {
    let staging = own.staging.take();
    let staging = match (staging, base.staging.as_deref()) {
        (Some(staging), Some(base)) => Some(staging.over(base)),
        (Some(staging), None) => Some(*staging),
        (None, base) => base.cloned(),
    };
    let site = complete(name, own.clone(), base);
    let Some(staging) = staging else { return site };
    let mut below = own.over(base);
    below.places = site.places.clone();
    let mut staged = complete(STAGING, staging, &below);
    let set = std::mem::take(&mut staged.set_by);
    for (key, by) in set {
        if by == STAGING {
            staged.staged.insert(key.clone());
            staged.set_by.insert(key, name.to_owned());
        } else if let Some(by) = site.set_by.get(&key) {
            staged.set_by.insert(key, by.clone());
        }
    }
    Site { staging: Some(Box::new(staged)), ..site }
}

impl Own {
    /// What this table says, and where it says nothing what `base` says.
    fn over(self, base: &Self) -> Self {
        let base = base.clone();
        let extra = self.extra.into_iter().fold(base.extra, |mut all, (family, values)| {
            let merged = merged(all.remove(&family).unwrap_or_default(), values);
            all.insert(family, merged);
            all
        });
        Self {
            sip_transport: self.sip_transport.or(base.sip_transport),
            srtp: self.srtp.or(base.srtp),
            protocol: self.protocol.or(base.protocol),
            time_zone: self.time_zone.or(base.time_zone),
            ntp: self.ntp.or(base.ntp),
            admin_password: self.admin_password.or(base.admin_password),
            ready_when: self.ready_when.or(base.ready_when),
            numbers: self.numbers.or(base.numbers),
            servers: self.servers.or(base.servers),
            outbound_proxies: self.outbound_proxies.or(base.outbound_proxies),
            failover: match (self.failover, base.failover) {
                (Some(own), Some(base)) => Some(own.over(&base)),
                (own, base) => own.or(base),
            },
            firmware: merged(base.firmware, self.firmware),
            firmware_floor: merged(base.firmware_floor, self.firmware_floor),
            extra,
            var: merged(base.var, self.var),
            places: self.places.over(&base.places),
            staging: None,
        }
    }
}

impl OwnFailover {
    fn over(self, base: &Self) -> Self {
        Self {
            re_register_on: self.re_register_on.or(base.re_register_on),
            fail_registration_on: self.fail_registration_on.or(base.fail_registration_on),
            only_signal_with_registered: self
                .only_signal_with_registered
                .or(base.only_signal_with_registered),
            fail_back_mode: self.fail_back_mode.or(base.fail_back_mode),
            fail_back_timeout: self.fail_back_timeout.or(base.fail_back_timeout),
        }
    }
}

fn merged(
    mut base: BTreeMap<String, String>,
    own: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    base.extend(own);
    base
}
