//! What a phone learns before its first file: who asks for an address, and which options answer that family.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use crate::{
    config::{ForFamily, Settings, Subnet},
    domain::{FamilyName, Ground, Mac, Origin, Timestamp, clip, printable, vendor_and_family},
    profile::{Catalog, DhcpRule, Family, Form, Seen, ServerOption},
    store::State,
    wire::dhcp::{Message, code, routes, search_list},
};

use super::{Provisioner, elsewhere::agreed, plug, values::http_base};

/// Codes that this file writes itself (RFC 2132; 150: RFC 5859).
const MASK: u8 = 1;
const ROUTER: u8 = 3;
const DNS: u8 = 6;
const DOMAIN: u8 = 15;
const BROADCAST: u8 = 28;
const NTP: u8 = 42;
const VENDOR: u8 = 43;
const TFTP_NAME: u8 = 66;
const TFTP_ADDRESSES: u8 = 150;
/// The voice VLAN in decimal digits: what most vendors read.
const VLAN: u8 = 132;
/// Poly's and others' boot server, by convention.
const BOOT_SERVER: u8 = 160;

/// What a client is, as far as admission goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientKind {
    /// Listed, or something about it points to a vendor of phones.
    Phone,
    /// Known not to be a phone; the name of what it is. It never gets server options.
    NotPhone(String),
    /// Nothing tells.
    Unknown,
}

/// A client that asks for an address, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its hardware address.
    pub mac: Mac,
    /// What it is.
    pub kind: ClientKind,
    /// Vendor, if anything points to one.
    pub vendor: Option<String>,
    /// Family: by what it shows now, else by what it showed earlier, else by the model in its entry.
    pub family: Option<FamilyName>,
    /// True if the operator listed it.
    pub listed: bool,
    /// True if the record knows it, listed or seen.
    pub known: bool,
    /// The address that its entry reserves.
    pub reserved: Option<Ipv4Addr>,
    /// What is new about it and to be recorded: empty for what is known not to be a phone.
    pub grounds: Vec<Ground>,
}

/// What a client showed about itself.
#[derive(Clone, Debug)]
pub struct Looked {
    mac: Mac,
    /// One ground an origin.
    shown: Vec<Ground>,
    wish: Option<Ground>,
    prefix: Option<Ground>,
    /// What it is, if it is known not to be a phone.
    stranger: Option<String>,
}

/// What a message shows about its sender.
#[must_use]
pub fn shown<'a>(message: &'a Message<'_>) -> Vec<Seen<'a>> {
    let option = |code| message.option(code);
    let shown = [
        option(code::CLASS).map(Seen::Option60),
        option(code::VENDOR_CLASS).map(Seen::Option125),
        option(code::VENDOR_INFO).map(Seen::Option125),
        option(code::HOST_NAME).map(Seen::Option12),
        option(code::CLIENT_ID).map(Seen::Option61),
        option(code::ASKED).map(Seen::Option55),
    ];
    shown.into_iter().flatten().collect()
}

/// The most characters of what a client says that it is.
const MAX_TOLD: usize = 64;

/// The hardware type of Ethernet in a client identifier (RFC 2132 §9.14).
const ETHERNET: u8 = 1;

/// The switch port that a DISCOVER came through, as option 82 tells it, and what its sender says that it is: two devices
/// with one MAC differ in one of them.
#[must_use]
pub fn whereabouts(message: &Message<'_>) -> (String, String) {
    let port = plug::seen(message).map(|plug| plug.to_string()).unwrap_or_default();
    let class = message.option(code::CLASS).map(|class| clip(&printable(class), MAX_TOLD));
    // Most put their own MAC there, which says nothing more.
    let own = [&[ETHERNET], &message.mac().octets()[..]].concat();
    let id = message.client_id().filter(|id| *id != own).map(legible);
    let shows: Vec<String> = class.into_iter().chain(id).collect();
    (port, clip(&shows.join(" "), 2 * MAX_TOLD))
}

/// Octets as text where they are text, else as digits.
fn legible(octets: &[u8]) -> String {
    let text = octets.iter().all(|octet| (b' '..=b'~').contains(octet));
    if text { clip(&printable(octets), MAX_TOLD) } else { plug::digits(octets) }
}

impl Provisioner {
    /// Finds out who asks for an address. Reads the state; hold no guard of it meanwhile.
    #[must_use]
    pub fn client(&self, mac: Mac, seen: &[Seen<'_>], now: Timestamp) -> Client {
        let looked = self.look(mac, seen, now);
        self.client_in(&self.view().read(), looked)
    }

    /// What a client shows about itself, before the record is asked about it.
    #[must_use]
    pub fn look(&self, mac: Mac, seen: &[Seen<'_>], now: Timestamp) -> Looked {
        let mut shown: Vec<Ground> = Vec::new();
        let mut stranger = None;
        for seen in seen {
            let found = self.kept.recognized(self.catalog(), seen, now);
            stranger = stranger.or_else(|| found.stranger.clone());
            if let Some(ground) = &found.ground
                && shown.iter().all(|one| one.from != ground.from)
            {
                shown.push(Ground { at: now, ..ground.clone() });
            }
        }
        let wish = wish(seen, &shown, now);
        let prefix = self.catalog().recognize(&Seen::Prefix(mac), now);
        Looked { mac, shown, wish, prefix, stranger }
    }

    /// Who asks for an address, by what it showed and by what is on record.
    #[must_use]
    pub fn client_in(&self, state: &State, looked: Looked) -> Client {
        let Looked { mac, mut shown, wish, prefix, stranger } = looked;
        let phone = state.phones.get(&mac);
        let learned = phone.map_or(&[][..], |phone| &phone.grounds);
        let entry = phone.and_then(|phone| phone.entry.as_deref());
        let model = entry.and_then(|entry| self.catalog().model(&entry.model));
        let votes = [
            Vote::of(&shown),
            Vote::of(learned),
            model.map(|(family, _)| Vote::family(family)).unwrap_or_default(),
            Vote::of(prefix.as_slice()),
        ];
        let Vote { vendor, family } = Vote::elect(votes);
        let (vendor, family) = (vendor.map(str::to_owned), family.cloned());
        let kind = match stranger {
            _ if entry.is_some() || vendor.is_some() => ClientKind::Phone,
            Some(what) => ClientKind::NotPhone(what),
            None => ClientKind::Unknown,
        };
        shown.extend(wish.into_iter().chain(prefix).filter(|_| kind == ClientKind::Phone));
        shown.retain(|ground| {
            kind == ClientKind::Phone && !learned.iter().any(|one| says_the_same(one, ground))
        });
        Client {
            mac,
            kind,
            vendor,
            family,
            listed: entry.is_some(),
            known: phone.is_some(),
            reserved: entry.and_then(|entry| entry.address),
            grounds: shown,
        }
    }

    /// The options that a client of this subnet gets, lease times aside, the most important first.
    ///
    /// `own` is our address as the client sees it; `asked` its option 55, empty if it sent none. Mask, routers, name
    /// servers and domain go to everybody, and so does what the subnet's `options` say. Server and VLAN options go to
    /// the family that reads them, asked for or not: some phones ask for less than they use. Everything else goes to
    /// clients that ask for it or don't say.
    #[must_use]
    pub fn options(
        &self,
        client: &Client,
        subnet: &Subnet,
        own: Ipv4Addr,
        asked: &[u8],
    ) -> Vec<(u8, Vec<u8>)> {
        let wanted = |code: u8| asked.is_empty() || asked.contains(&code);
        let mut options = vec![(MASK, subnet.mask().octets().to_vec())];
        let mut add = |code: u8, content: Vec<u8>| {
            if !content.is_empty() && options.iter().all(|(present, _)| *present != code) {
                options.push((code, content));
            }
        };
        add(ROUTER, octets(&subnet.router));
        // The operator's own word goes before what the family would get.
        subnet.options.iter().for_each(|option| add(option.code, option.bytes.clone()));
        for (code, content) in self.server_options(client, subnet, own) {
            if self.rule(client).is_some() || wanted(code) {
                add(code, content);
            }
        }
        add(DNS, octets(&subnet.dns));
        add(DOMAIN, subnet.domain.clone().unwrap_or_default().into_bytes());
        if wanted(code::SEARCH) {
            add(code::SEARCH, search_list(&subnet.search));
        }
        if wanted(code::ROUTES) && !subnet.routes.is_empty() {
            add(code::ROUTES, routes(&subnet.routes, subnet.router.first().copied()));
        }
        for (code, content) in self.vlan_options(client, subnet) {
            add(code, content);
        }
        if wanted(NTP) {
            add(NTP, octets(&subnet.ntp));
        }
        if wanted(BROADCAST) {
            let last = u32::from(subnet.network) | !u32::from(subnet.mask());
            add(BROADCAST, last.to_be_bytes().to_vec());
        }
        options
    }

    /// The servers that a client is sent to, best first; none for what is known not to be a phone.
    #[must_use]
    pub fn servers(&self, client: &Client, subnet: &Subnet, own: Ipv4Addr) -> Vec<Ipv4Addr> {
        match (&client.kind, self.elsewhere(client, subnet)) {
            (ClientKind::NotPhone(_), _) => Vec::new(),
            (_, Some(other)) => other.servers.clone(),
            (_, None) if subnet.servers.is_empty() => vec![own],
            (_, None) => subnet.servers.clone(),
        }
    }

    /// Where another server provisions this family.
    fn elsewhere<'a>(&self, client: &Client, subnet: &'a Subnet) -> Option<&'a ForFamily> {
        agreed(&self.candidates(client), subnet)
    }

    fn server_options(
        &self,
        client: &Client,
        subnet: &Subnet,
        own: Ipv4Addr,
    ) -> Vec<(u8, Vec<u8>)> {
        let servers = self.servers(client, subnet, own);
        let Some(first) = servers.first() else { return Vec::new() };
        // Another server's ports are its own business.
        let http = if self.elsewhere(client, subnet).is_some() {
            format!("http://{first}")
        } else {
            http_base(self.settings(), IpAddr::V4(*first))
        };
        let vlan = subnet.voice_vlan.filter(|_| client.kind == ClientKind::Phone);
        let told = Told {
            servers: &servers,
            http: &http,
            registrars: registrars(self.settings(), &subnet.site),
            vlan: vlan.map(|vlan| vlan.to_string()).unwrap_or_default(),
        };
        server_content(self.rule(client), &told)
    }

    fn vlan_options(&self, client: &Client, subnet: &Subnet) -> Vec<(u8, Vec<u8>)> {
        let voice_vlan = subnet.voice_vlan.filter(|_| client.kind == ClientKind::Phone);
        let Some(vlan) = voice_vlan.map(|vlan| vlan.to_string()) else { return Vec::new() };
        let text = |text: &str| text.replace("{vlan}", &vlan).into_bytes();
        match self.rule(client) {
            Some(rule) => rule.vlan.iter().map(|(code, form)| (*code, text(form))).collect(),
            // A phone of a family that has no form of its own here.
            None => vec![(VLAN, vlan.into_bytes())],
        }
    }

    /// What the client's family wants from DHCP; where only the vendor is known, what most of its families agree on.
    pub(super) fn rule(&self, client: &Client) -> Option<&DhcpRule> {
        agreed_rule(&self.candidates(client))
    }

    /// The families that a client may be of: the one that it is known to be, else what is [`likely`] of its vendor.
    fn candidates(&self, client: &Client) -> Vec<&Family> {
        match (&client.family, &client.vendor) {
            (Some(family), _) => self.catalog().family(family.as_str()).into_iter().collect(),
            (None, Some(vendor)) => likely(self.catalog(), vendor),
            (None, None) => Vec::new(),
        }
    }
}

/// The families that a client may be of that shows no more than its vendor: all of the vendor's, of which only the greater
/// part counts where that wants the same of DHCP. Such a client is of an old family, and these are many and alike.
pub(super) fn likely<'c>(catalog: &'c Catalog, vendor: &str) -> Vec<&'c Family> {
    let mut all = catalog.expand(vendor);
    let alike = |one: &&Family| all.iter().filter(|it| it.dhcp.servers == one.dhcp.servers).count();
    let most = all.iter().find(|one| 2 * alike(one) > all.len());
    if let Some(servers) = most.map(|one| one.dhcp.servers.clone()) {
        all.retain(|one| one.dhcp.servers == servers);
    }
    all
}

/// What all of these families want from DHCP; `None` if they differ, or want nothing.
pub(super) fn agreed_rule<'c>(families: &[&'c Family]) -> Option<&'c DhcpRule> {
    let rule = &families.first()?.dhcp;
    let agreed = families.iter().all(|family| family.dhcp.servers == rule.servers);
    (agreed && !rule.servers.is_empty()).then_some(rule)
}

/// What one source of evidence says a client is.
#[derive(Clone, Copy, Debug, Default)]
struct Vote<'a> {
    vendor: Option<&'a str>,
    family: Option<&'a FamilyName>,
}

impl<'a> Vote<'a> {
    fn of(grounds: &'a [Ground]) -> Self {
        let (vendor, family) = vendor_and_family(grounds);
        Self { vendor, family }
    }

    fn family(family: &'a Family) -> Self {
        Self { vendor: Some(&family.vendor), family: Some(&family.name) }
    }

    /// The first vendor named wins; a family counts only where it is of that vendor.
    fn elect(votes: [Self; 4]) -> Self {
        let vendor = votes.iter().find_map(|vote| vote.vendor);
        let family = votes.iter().filter(|vote| vote.vendor == vendor).find_map(|vote| vote.family);
        Self { vendor, family }
    }
}

/// What the texts of a rule may name.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// Where the client's files are, best first.
    pub(super) servers: &'a [Ipv4Addr],
    /// The base of the URLs of the first of them.
    pub(super) http: &'a str,
    /// The call servers of the site, commas between them; empty if none is set.
    pub(super) registrars: String,
    /// The VLAN that phones are to go to; empty if they stay.
    pub(super) vlan: String,
}

impl Told<'_> {
    /// A rule's text with its values. A part between separators that names what is not set is left out, because phones
    /// take `vlan=` without a number for a fault.
    fn fill(&self, text: &str) -> Vec<u8> {
        let server = self.servers.first().map(ToString::to_string).unwrap_or_default();
        let values = [
            ("{http}", self.http),
            ("{server}", &server),
            ("{registrars}", &self.registrars),
            ("{vlan}", &self.vlan),
        ];
        let unset = |part: &&str| {
            values.iter().any(|(name, value)| value.is_empty() && part.contains(name))
        };
        let mut filled: String =
            text.split_inclusive([';', ',']).filter(|part| !unset(part)).collect();
        if !text.ends_with([';', ',']) {
            filled.truncate(filled.trim_end_matches([';', ',']).len());
        }
        for (name, value) in values {
            filled = filled.replace(name, value);
        }
        filled.into_bytes()
    }
}

/// The addresses of a site's call servers, as texts of options list them.
pub(super) fn registrars(settings: &Settings, site: &str) -> String {
    let servers = settings.sites.get(site).map(|site| &site.servers[..]).unwrap_or_default();
    servers.iter().map(|one| one.address.as_str()).collect::<Vec<_>>().join(",")
}

/// What names the servers to a family with this rule; without one, what no phone takes amiss.
pub(super) fn server_content(rule: Option<&DhcpRule>, told: &Told<'_>) -> Vec<(u8, Vec<u8>)> {
    let servers = told.servers;
    let Some(first) = servers.first() else { return Vec::new() };
    let text = |text: &str| told.fill(text);
    let content = |option: &ServerOption| match option.form {
        Form::Addresses => octets(servers),
        Form::Bare => first.to_string().into_bytes(),
        Form::Text => text(&option.text),
    };
    match rule {
        Some(rule) => encapsulate(rule.servers.iter().map(|one| (one, content(one)))),
        // Never a bare host in 66: to an old Poly that means FTP.
        None => vec![
            (TFTP_ADDRESSES, octets(servers)),
            (TFTP_NAME, text("{http}/")),
            (BOOT_SERVER, text("{http}/")),
        ],
    }
}

/// Options as they travel: what has a sub-option code goes into one option 43 (RFC 2132 §8.4), or into the block of its
/// enterprise in option 125 (RFC 3925 §4).
fn encapsulate<'r>(
    options: impl Iterator<Item = (&'r ServerOption, Vec<u8>)>,
) -> Vec<(u8, Vec<u8>)> {
    let mut plain = Vec::new();
    let mut inner: BTreeMap<Option<u32>, Vec<u8>> = BTreeMap::new();
    for (option, content) in options {
        match (option.sub, u8::try_from(content.len())) {
            (None, _) => plain.push((option.code, content)),
            (Some(sub), Ok(length)) => {
                let block = inner.entry(option.enterprise).or_default();
                block.extend([sub, length]);
                block.extend(content);
            }
            // No sub-option holds more than 255 octets; a text of that length can't come from a sound profile.
            (Some(_), Err(_)) => {}
        }
    }
    // Of several enterprises one option holds the blocks, one behind the other.
    let mut blocks = Vec::new();
    for (enterprise, block) in inner {
        match (enterprise, u8::try_from(block.len())) {
            (None, _) => plain.push((VENDOR, block)),
            (Some(number), Ok(length)) => {
                blocks.extend(number.to_be_bytes().into_iter().chain([length]).chain(block));
            }
            (Some(_), Err(_)) => {}
        }
    }
    plain.extend((!blocks.is_empty()).then_some((code::VENDOR_INFO, blocks)));
    plain
}

fn octets(addresses: &[Ipv4Addr]) -> Vec<u8> {
    addresses.iter().flat_map(Ipv4Addr::octets).collect()
}

/// What a phone asked for in option 55, where that list alone tells nothing about it: it is what it is, and explains which
/// option reached it.
fn wish(seen: &[Seen<'_>], shown: &[Ground], at: Timestamp) -> Option<Ground> {
    let codes = seen.iter().find_map(|seen| match seen {
        Seen::Option55(codes) => Some(codes),
        _ => None,
    })?;
    if shown.iter().any(|ground| ground.from == Origin::Option55) {
        return None;
    }
    let text = codes.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let (vendor, family, model, firmware, mac) = (None, None, None, None, None);
    let value = printable(text.as_bytes());
    Some(Ground { from: Origin::Option55, value, vendor, family, model, firmware, mac, at })
}

/// True if recording `new` beside `old` would change nothing but the time.
fn says_the_same(old: &Ground, new: &Ground) -> bool {
    let said = |ground: &Ground| (ground.from, ground.mac);
    said(old) == said(new)
        && old.value == new.value
        && (&old.vendor, &old.family) == (&new.vendor, &new.family)
        && (&old.model, &old.firmware) == (&new.model, &new.firmware)
}

#[cfg(test)]
mod tests;
