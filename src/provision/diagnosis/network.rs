//! From the plug to the first file: rows 1 to 6.

use std::net::Ipv4Addr;

use crate::{
    config::Subnet,
    domain::{Entry, Stage, Told, Unserved, What},
    profile::{Family, Form, ServerOption},
};

use super::{super::report::Look, Facts};

/// Sub-options and codes that only one vendor's phones look at.
const VENDORS_OWN: [u8; 10] = [43, 125, 128, 129, 130, 131, 132, 133, 134, 135];

pub(super) fn never_seen(look: &Look<'_>) -> Option<Facts> {
    let entry = look.entry.filter(|_| look.boot.stage() == Stage::Silent)?;
    let remedy = advice_of(look, entry).map_or_else(String::new, |advice| format!("{advice}; "));
    Some(vec![("remedy", remedy)])
}

/// What the profile says of this model that was never seen.
fn advice_of<'a>(look: &Look<'a>, entry: &Entry) -> Option<&'a str> {
    let (family, model) = look.provisioner.catalog().model(&entry.model)?;
    family.advice.silent.get(&model.name).map(String::as_str)
}

pub(super) fn no_address(look: &Look<'_>) -> Option<Facts> {
    let why = [Unserved::PoolExhausted, Unserved::NotAdmitted, Unserved::NoSubnet]
        .into_iter()
        .find(|why| look.boot.last == What::Unserved(*why).to_string())?;
    let remedy = match why {
        Unserved::PoolExhausted => {
            "widen `pool` of its subnet under [[dhcp.subnet]], or shorten `lease-time`: leases of phones that are gone \
             end sooner then"
        }
        Unserved::NotAdmitted => {
            "set `admit` of its subnet to \"all\" or \"phones\", or list it: `admit` leaves out who is not listed or \
             shows nothing of a phone"
        }
        Unserved::NoSubnet => {
            "add a [[dhcp.subnet]] for the network that it asks from; behind a relay that is the relay's own address"
        }
    };
    Some(vec![("why", why.to_string()), ("remedy", remedy.to_owned())])
}

/// We offered it an address, and it took another server's.
pub(super) fn took_another(look: &Look<'_>) -> Option<Facts> {
    let rival = look.boot.rival.as_ref().filter(|rival| rival.beside.is_none())?;
    // Whoever asks us for files all the same has what it needs.
    (look.boot.risen == Stage::Discovered).then(|| {
        let hardware = rival.hardware.map(|mac| format!(" ({mac})")).unwrap_or_default();
        vec![("server", rival.server.to_string()), ("hardware", hardware)]
    })
}

pub(super) fn address_in_use(look: &Look<'_>) -> Option<Facts> {
    look.conflict().map(|address| vec![("address", address.to_string())])
}

pub(super) fn on_data_network(look: &Look<'_>) -> Option<Facts> {
    let address = look.boot.address.filter(|_| look.boot.risen <= Stage::Asking)?;
    let subnet = subnet(look, address)?;
    let vlan = subnet.voice_vlan?;
    let options = look.family.map(|family| family.dhcp.vlan.as_slice()).unwrap_or_default();
    let texts: Vec<String> = options
        .iter()
        .map(|(code, text)| format!("{code} = {}", text.replace("{vlan}", &vlan.to_string())))
        .collect();
    let how = if texts.is_empty() {
        "its family does not take it from DHCP".to_owned()
    } else {
        format!("it was also told by option {}", texts.join(", "))
    };
    let network = format!("{}/{}", subnet.network, subnet.prefix);
    let address = address.to_string();
    Some(vec![("address", address), ("subnet", network), ("vlan", vlan.to_string()), ("how", how)])
}

fn subnet<'a>(look: &Look<'a>, address: Ipv4Addr) -> Option<&'a Subnet> {
    look.provisioner.settings().dhcp.subnets.iter().find(|subnet| subnet.contains(address))
}

pub(super) fn starts_over(look: &Look<'_>) -> Option<Facts> {
    (look.boot.risen <= Stage::Leased && look.is_looping() && look.boot.address.is_some())
        .then_some(())?;
    Some(vec![("times", look.restarts().to_string()), ("options", options(look.family))])
}

/// The codes that a family reads its server from, in its order.
fn options(family: Option<&Family>) -> String {
    let servers = family.map(|family| family.dhcp.servers.as_slice()).unwrap_or_default();
    let mut codes: Vec<String> = Vec::new();
    for option in servers {
        let code = option.code.to_string();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if codes.is_empty() { "66, 150 or 160".to_owned() } else { codes.join(", ") }
}

/// What another server told it, as long as it has not asked for anything.
fn told<'a>(look: &Look<'a>) -> Option<&'a Told> {
    look.boot.told.as_ref().filter(|_| look.boot.risen == Stage::Leased)
}

/// The option that it honours first among those that it was told, with its rule.
fn honoured<'a>(look: &Look<'a>, told: &'a Told) -> Option<(&'a ServerOption, &'a str)> {
    look.family?.dhcp.servers.iter().find_map(|rule| {
        let text = told.servers.iter().find(|(code, _)| *code == rule.code)?.1.as_str();
        Some((rule, text))
    })
}

pub(super) fn wrong_kind(look: &Look<'_>) -> Option<Facts> {
    let told = told(look)?;
    let (rule, text) = honoured(look, told)?;
    let is_url = text.contains("://");
    let wanted = match rule.form {
        Form::Bare if is_url => "the bare address of a TFTP server".to_owned(),
        Form::Addresses if !is_addresses(text) => "addresses, four octets each".to_owned(),
        Form::Text if !is_url && rule.text.contains("{http}") => {
            let url = rule.text.replace("{http}", "http://ADDRESS");
            format!("a URL such as {url}")
        }
        Form::Bare | Form::Addresses | Form::Text => return None,
    };
    let (by, option) = (told.by.to_string(), rule.code.to_string());
    Some(vec![("by", by), ("told", text.to_owned()), ("option", option), ("wanted", wanted)])
}

fn is_addresses(text: &str) -> bool {
    text.split(',').all(|part| part.parse::<Ipv4Addr>().is_ok())
}

/// Only seen where another server answers: it names none, or in options only that this family does not read.
pub(super) fn without_server(look: &Look<'_>) -> Option<Facts> {
    let told = told(look)?;
    if honoured(look, told).is_some() || !told.servers.is_empty() && look.family.is_none() {
        return None;
    }
    let codes: Vec<String> = told.servers.iter().map(|(code, _)| code.to_string()).collect();
    let others = match codes.as_slice() {
        [] => String::new(),
        codes => format!(" but in option {}, which its family does not read", codes.join(", ")),
    };
    let options = options(look.family);
    Some(vec![("by", told.by.to_string()), ("others", others), ("options", options)])
}

/// Another server names somebody else's address where the settings say what our own is.
pub(super) fn sent_away(look: &Look<'_>) -> Option<Facts> {
    let told = told(look)?;
    let (rule, text) = honoured(look, told)?;
    let ours = &subnet(look, look.boot.address?)?.servers;
    let named = |server: &Ipv4Addr| {
        let server = server.to_string();
        // 10.0.0.1 is not in 10.0.0.12.
        text.split(|c: char| !c.is_ascii_digit() && c != '.').any(|part| part == server)
    };
    let first = ours.first().filter(|_| !ours.iter().any(named))?;
    Some(vec![
        ("by", told.by.to_string()),
        ("told", text.to_owned()),
        ("option", rule.code.to_string()),
        ("ours", first.to_string()),
    ])
}

pub(super) fn never_asked(look: &Look<'_>) -> Option<Facts> {
    (look.boot.risen == Stage::Leased).then_some(())?;
    let own = look.family.map(|family| family.advice.server.as_str());
    let advice = match own.filter(|advice| !advice.is_empty()) {
        Some(advice) => format!("clear a server that was set by hand: {advice}"),
        None => "clear an alternate or static TFTP server on the phone, or reset it".to_owned(),
    };
    Some(vec![("advice", advice), ("options", options(look.family))])
}

/// True for a phone that was offered an address and has not taken it.
fn offered(look: &Look<'_>) -> bool {
    look.boot.risen == Stage::Discovered && look.boot.last.starts_with("was offered ")
}

/// Families whose every server option is their vendor's own reject offers without it, as `MiNet` phones do.
pub(super) fn lacks_options(look: &Look<'_>) -> Option<Facts> {
    let servers = look.family.map(|family| family.dhcp.servers.as_slice()).unwrap_or_default();
    let own = |option: &ServerOption| VENDORS_OWN.contains(&option.code);
    let strict = !servers.is_empty() && servers.iter().all(own);
    (offered(look) && strict).then(|| vec![("options", options(look.family))])
}

pub(super) fn offer_not_taken(look: &Look<'_>) -> Option<Facts> {
    offered(look).then(Vec::new)
}

pub(super) fn denied(look: &Look<'_>) -> Option<Facts> {
    let denied = look.boot.risen == Stage::Discovered && look.boot.last.starts_with("was denied ");
    denied.then(|| vec![("last", look.boot.last.clone())])
}

pub(super) fn no_offer(look: &Look<'_>) -> Option<Facts> {
    let alone = look.boot.last.starts_with("looks for a DHCP server");
    (look.boot.risen == Stage::Discovered && alone).then(Vec::new)
}
