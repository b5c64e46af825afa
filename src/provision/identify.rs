//! Who asks: the MAC in the name, else in the request, else the holder of the address it comes from.

use std::{net::IpAddr, sync::Arc};

use crate::{
    config::{DhcpMode, PeerRule, Protocol, Settings, Site},
    domain::{
        Entry, FamilyName, Ground, Identity, Mac, Origin, SiteName, StagingId, Timestamp, conclude,
    },
    profile::{Catalog, Family, FileMatch, Seen, Speaks},
    store::{Phone, State},
};

use super::{Provisioner, Request, findings::contradiction, resolve::Clues};

/// The sender of a request, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Subject {
    /// The phone.
    pub mac: Option<Mac>,
    /// What the operator listed for it.
    pub entry: Option<Arc<Entry>>,
    /// What this request showed.
    pub grounds: Vec<Ground>,
    /// What this request alone says about it.
    pub shown: Identity,
    /// What earlier packets said.
    pub learned: Identity,
    /// The family of the model in its entry.
    pub listed: Option<FamilyName>,
    /// Where it stands.
    pub site: SiteName,
    /// The batch that has it and is not closed, and whether that one is handed over.
    pub staging: Option<(StagingId, bool)>,
    /// True if what it shows contradicts the model in its entry: no firmware of that model is offered to it then.
    pub contradicts: bool,
}

impl Subject {
    /// What speaks for one family or another.
    ///
    /// A phone that says that it is by another maker than the listed model gets no file in the form of that model. Makers
    /// that we only recognize sell others' phones under their own names: there the list is right.
    pub fn clues(&self, catalog: &Catalog) -> Clues<'_> {
        let identities = vec![&self.shown, &self.learned];
        let shown = identities.iter().find_map(|identity| maker(identity));
        let listed = self.listed.as_ref().and_then(|name| catalog.family(name.as_str()));
        let is_other = |family: &&Family| {
            let known = |vendor: &str| catalog.expand(vendor).iter().any(|one| one.provisions);
            shown.is_some_and(|vendor| !family.is_by(vendor) && known(vendor))
        };
        let listed = listed.filter(|family| !is_other(family));
        let worded = || catalog.maker_of(&self.entry.as_ref()?.model);
        let by_list = listed.map(|family| family.vendor.as_str());
        Clues {
            listed: listed.map(|family| family.name.clone()),
            vendor: by_list.or(shown).or_else(worded).map(str::to_owned),
            identities,
            mac: self.mac,
        }
    }

    /// True if its site's staging values are in force for it: its batch is open.
    pub fn is_staged(&self) -> bool {
        matches!(self.staging, Some((_, false)))
    }

    /// The model: as this request showed it, else as learned.
    pub fn model(&self) -> Option<&str> {
        self.shown.model.as_deref().or(self.learned.model.as_deref())
    }
}

/// The maker that a phone shows itself to be of. Neither a prefix nor the list of options that it asks for is its own word.
fn maker(identity: &Identity) -> Option<&str> {
    let ground = identity.grounds.iter().find(|ground| ground.vendor.is_some())?;
    let weak = matches!(ground.from, Origin::Prefix | Origin::Option55);
    ground.vendor.as_deref().filter(|_| !weak)
}

/// Who gets a phone's own file: the rule in force. `auto` needs leases to go by.
pub(super) fn rule(settings: &Settings) -> PeerRule {
    match (settings.secrets.peer, settings.dhcp.mode) {
        (PeerRule::Auto, DhcpMode::Off) => PeerRule::Any,
        (PeerRule::Auto, DhcpMode::Serve | DhcpMode::Observe) => PeerRule::Lease,
        (rule, _) => rule,
    }
}

impl Provisioner {
    /// Finds out who asks.
    ///
    /// A MAC in the name says whose file it is. Where own files go to leased addresses only, nothing else that the
    /// sender says about itself is believed: the lease is. Where any peer is served, its User-Agent or query counts
    /// next, and last what it said earlier from the same address.
    pub(super) fn identify(
        &self,
        (name, found, told): (&str, &[FileMatch<'_>], Option<Ground>),
        request: &Request<'_>,
        state: &State,
        now: Timestamp,
    ) -> Subject {
        let mut grounds = self.grounds(told, request, now);
        let named = found
            .iter()
            .find_map(|one| one.mac)
            .or_else(|| found.is_empty().then(|| super::name::mac_in(name)).flatten());
        let sender = || self.sender(request, &grounds, state, now);
        // An ATA asks for the file of its second port under an address that is nobody's.
        let second =
            named.and_then(|named| sender().filter(|first| named.is_second_port_of(*first)));
        let mac = second.or(named).or_else(sender);
        if let Some(prefix) = mac.and_then(|mac| self.catalog().recognize(&Seen::Prefix(mac), now))
        {
            grounds.push(prefix);
        }
        let phone = mac.and_then(|mac| state.phones.get(&mac));
        Subject { staging: staging(state, mac), ..self.subject(mac, phone, grounds, request.peer) }
    }

    /// What the request shows, one ground an origin, and `told` by its name; a `mac` in a query is a claim and no prefix.
    fn grounds(&self, told: Option<Ground>, request: &Request<'_>, now: Timestamp) -> Vec<Ground> {
        let seen = request.seen.iter().filter(|seen| !matches!(seen, Seen::Prefix(_)));
        let seen = seen.filter_map(|seen| self.kept.ground(self.catalog(), seen, now));
        let mut grounds: Vec<Ground> = Vec::new();
        for ground in seen.chain(told) {
            if grounds.iter().all(|one| one.from != ground.from) {
                grounds.push(ground);
            }
        }
        grounds
    }

    fn sender(
        &self,
        request: &Request<'_>,
        grounds: &[Ground],
        state: &State,
        now: Timestamp,
    ) -> Option<Mac> {
        let holder = holder(state, request.peer, now);
        if rule(self.settings()) == PeerRule::Lease {
            return holder;
        }
        let claimed = request.seen.iter().find_map(|seen| match seen {
            Seen::Prefix(mac) => Some(*mac),
            _ => None,
        });
        let shown = || grounds.iter().find(|ground| ground.from == Origin::UserAgent)?.mac;
        claimed.or_else(shown).or(holder).or_else(|| self.peers.phone(request.peer.to_canonical()))
    }

    /// The phone that an operator looks at; a MAC in the name goes first, so that a name of another phone's is refused.
    pub(super) fn look_at(
        &self,
        phone: Mac,
        found: &[FileMatch<'_>],
        state: &State,
        peer: IpAddr,
    ) -> Subject {
        let named = found.iter().find_map(|one| one.mac);
        let mac = named.filter(|named| !named.is_second_port_of(phone)).unwrap_or(phone);
        let subject = self.subject(Some(mac), state.phones.get(&mac), Vec::new(), peer);
        Subject { staging: staging(state, Some(mac)), ..subject }
    }

    fn subject(
        &self,
        mac: Option<Mac>,
        phone: Option<&Phone>,
        grounds: Vec<Ground>,
        peer: IpAddr,
    ) -> Subject {
        let entry = phone.and_then(|phone| phone.entry.clone());
        let listed = entry.as_ref().and_then(|entry| self.catalog().model(&entry.model));
        // The prefix is the weakest vote: it must not speak before what was learned earlier.
        let (weak, strong): (Vec<&Ground>, Vec<&Ground>) =
            grounds.iter().partition(|ground| ground.from == Origin::Prefix);
        let learned = phone.map_or(&[][..], |phone| &phone.grounds);
        let transfers = phone.map_or(&[][..], |phone| &phone.boot.transfers);
        let contradicts = entry.as_ref().is_some_and(|entry| {
            // This request before the record: of one origin the first that tells a model counts.
            let all: Vec<&Ground> = grounds.iter().chain(learned).collect();
            contradiction(self.catalog(), &entry.model, &all, transfers).is_some()
        });
        Subject {
            contradicts,
            mac,
            listed: listed.map(|(family, _)| family.name.clone()),
            shown: conclude(strong),
            learned: conclude(learned.iter().chain(weak)),
            site: self.site_of(entry.as_deref(), peer),
            entry,
            grounds,
            staging: None,
        }
    }

    /// The site of a phone: its entry's, else that of the subnet of its address, else `default`.
    #[must_use]
    pub fn site_of(&self, entry: Option<&Entry>, address: IpAddr) -> SiteName {
        let settings = self.settings();
        let listed = entry.and_then(|entry| entry.site.as_ref());
        let known = listed.filter(|site| settings.sites.contains_key(*site));
        let subnet = || subnet_of(settings, address).map(|subnet| &subnet.site);
        known.or_else(subnet).cloned().unwrap_or_else(|| default_site(settings))
    }

    /// The site of a common file: the place it is asked from, else that of the phone that asks.
    pub(super) fn common_site(&self, subject: &Subject, peer: IpAddr) -> SiteName {
        let subnet = subnet_of(self.settings(), peer).map(|subnet| subnet.site.clone());
        subnet.unwrap_or_else(|| subject.site.clone())
    }

    /// The protocol whose files count at a site.
    pub(super) fn speaks(&self, site: &str, staged: bool) -> Speaks {
        let known = self.settings().sites.get(site).map(|site| in_force(site, staged));
        known.map_or(Speaks::Sip, |site| speaks(site.protocol))
    }
}

/// A site's protocol as families know it.
pub(super) const fn speaks(protocol: Protocol) -> Speaks {
    match protocol {
        Protocol::Sip => Speaks::Sip,
        Protocol::Sccp => Speaks::Sccp,
    }
}

/// The phone that holds the lease of an address. IPv4 in IPv6 clothes counts as IPv4.
pub(super) fn holder(state: &State, peer: IpAddr, now: Timestamp) -> Option<Mac> {
    match peer.to_canonical() {
        IpAddr::V4(address) => state.holder(address, now).map(|lease| lease.mac),
        IpAddr::V6(_) => None,
    }
}

/// True if a request for a phone's file can't be the phone's: its address is leased to another one, or the phone has a
/// lease of another address. Where no leases are gone by, nothing tells.
pub(super) fn is_forged(
    settings: &Settings,
    state: &State,
    (peer, phone): (IpAddr, Mac),
    now: Timestamp,
) -> bool {
    let held = |address: IpAddr| holder(state, address, now);
    let own = || state.phones.get(&phone)?.boot.address.map(IpAddr::from);
    let is_elsewhere = || own().is_some_and(|own| held(own) == Some(phone));
    rule(settings) == PeerRule::Lease
        && held(peer).map_or_else(is_elsewhere, |holder| holder != phone)
}

/// The subnet that an address lies in.
pub(super) fn subnet_of(settings: &Settings, address: IpAddr) -> Option<&crate::config::Subnet> {
    match address.to_canonical() {
        IpAddr::V4(address) => settings.dhcp.subnets.iter().find(|subnet| subnet.contains(address)),
        IpAddr::V6(_) => None,
    }
}

/// `default`, unless exactly one other site is set: then everything stands there.
fn default_site(settings: &Settings) -> SiteName {
    let mut others = settings.sites.keys().filter(|name| *name != "default");
    match (others.next(), others.next()) {
        (Some(only), None) => only.clone(),
        _ => "default".to_owned(),
    }
}

/// The batch that has a phone and is not closed, and whether it is handed over.
pub(super) fn staging(state: &State, phone: Option<Mac>) -> Option<(StagingId, bool)> {
    let (id, staging) = state.staging_of(phone?)?;
    Some((id, staging.handed_over.is_some()))
}

/// The settings of a site, with its staging values if the phone is `staged`; those of `default` where it is not known
/// any more.
pub(super) fn site<'a>(settings: &'a Settings, name: &str, staged: bool) -> Option<&'a Site> {
    let site = settings.sites.get(name).or_else(|| settings.sites.get("default"))?;
    Some(in_force(site, staged))
}

fn in_force(site: &Site, staged: bool) -> &Site {
    site.staging.as_deref().filter(|_| staged).unwrap_or(site)
}

/// The catalog's spelling of a model, or the operator's where the catalog has none.
pub(super) fn model_name(catalog: &Catalog, spelling: &str) -> String {
    catalog.model(spelling).map_or_else(|| spelling.to_owned(), |(_, model)| model.name.clone())
}
