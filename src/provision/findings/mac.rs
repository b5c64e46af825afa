//! MACs that do not agree: one packet with two of them, one file asked for from another phone's address, one MAC in two
//! places at a time.

use std::net::IpAddr;

use crate::domain::{Finding, FindingKind, Ground, Mac, Origin, Visit};

use super::{
    super::{
        diagnosis::{LOOP_TIME, Reason},
        report::Look,
    },
    finding,
    grounds::ground,
};

/// No phone starts anew from where it came within this many seconds of looking for an address elsewhere; one that
/// changes to its voice VLAN does, but never the way back.
const HOP: i64 = 10;

/// Its packets or names carry another MAC than the one that they come from.
pub(super) fn mac_mismatch(look: &Look<'_>) -> Option<Finding> {
    carried(look).or_else(|| asks_for_another(look)).or_else(|| asked_by_another(look))
}

fn carried(look: &Look<'_>) -> Option<Finding> {
    let other = |ground: &&Ground| ground.mac.is_some_and(|mac| !are_one(mac, look.mac));
    let ground = look.identity.grounds.iter().find(other)?;
    // Behind a router that translates addresses, requests of phones look like the router's: it shows nothing itself.
    let dhcp = |ground: &Ground| {
        matches!(ground.from, Origin::Option60 | Origin::Option12 | Origin::Option125)
    };
    let itself = look.entry.is_some() || look.identity.grounds.iter().any(dhcp);
    let agent = matches!(ground.from, Origin::UserAgent | Origin::Register | Origin::Updater);
    if agent && !itself {
        return None;
    }
    let (mac, shown) = (look.mac, ground.mac?);
    let what = match ground.from {
        Origin::Option12 => "its host name (option 12)",
        Origin::Option61 => "its client identifier (option 61)",
        Origin::SipPnp => "its request for a profile",
        _ if agent => "its User-Agent",
        _ => "a name that it asks for",
    };
    let text = format!("{what} carries {shown}, its packets come from {mac}");
    let remedy = "compare both with its label; a cloned configuration, a router that translates addresses, or two phones \
        behind one address do this";
    let grounds = vec![ground.clone()];
    Some(Finding { grounds, ..finding(FindingKind::MacMismatch, text, remedy) })
}

/// It asks, from its own address, for the file of another phone.
fn asks_for_another(look: &Look<'_>) -> Option<Finding> {
    let mistake = look.boot.mistake.as_ref().filter(|one| !are_one(one.of, look.mac))?;
    let text = format!(
        "it asked for {}, the file of {}, from an address that is leased to {}",
        mistake.name, mistake.of, look.mac
    );
    let remedy = format!(
        "look at its label: either this is {} and was listed wrongly, or it has that phone's configuration; reset it then",
        mistake.of
    );
    let grounds =
        vec![ground(Origin::FileName, mistake.name.clone(), Some(mistake.of), mistake.at)];
    Some(Finding { grounds, ..finding(FindingKind::MacMismatch, text, remedy) })
}

/// Its own file was asked for from an address that is leased to another phone.
fn asked_by_another(look: &Look<'_>) -> Option<Finding> {
    let (_, text) = look.refused().filter(|(reason, _)| *reason == Reason::Withheld)?;
    let mut words = text.split([' ', ',']);
    let peer = words.find_map(|word| word.parse::<IpAddr>().ok())?;
    let other = look.holder(peer).filter(|other| !are_one(*other, look.mac))?;
    let text = format!("{}'s file was asked for from {peer}, which is leased to {other}", look.mac);
    let remedy = format!(
        "compare the label of {other} with the list: it may have the configuration of another phone"
    );
    Some(finding(FindingKind::MacMismatch, text, remedy))
}

/// True if both are one device: the second port of an ATA has the MAC of the first, shifted left by an octet, with 01
/// behind it.
fn are_one(one: Mac, other: Mac) -> bool {
    let shifted = |mac: Mac| {
        let mut octets = mac.octets();
        octets.rotate_left(1);
        octets[5] = 1;
        Mac::new(octets).ok()
    };
    one == other || shifted(one) == Some(other) || shifted(other) == Some(one)
}

/// It looks for an address here and there in turns, faster than one phone can.
pub(super) fn duplicate_mac(look: &Look<'_>) -> Option<Finding> {
    let lately: Vec<&Visit> =
        look.boot.visits.iter().filter(|visit| !look.is_past(visit.until, LOOP_TIME)).collect();
    let quick =
        |from: &Visit, to: &Visit| to.from.as_second().saturating_sub(from.until.as_second()) < HOP;
    let returns = |three: &&[&Visit]| match three {
        [a, b, c] => a.is_alike(c) && quick(a, b) && quick(b, c),
        _ => false,
    };
    // There and back and there again: once may be a cable that was moved.
    let mut back = lately.windows(3).filter(returns);
    let three = back.next()?;
    back.next()?;
    let (one, other) = (three[0], three[1]);
    let text = format!(
        "{} looks for an address {} and {} in turns, faster than one phone can",
        look.mac,
        place(one, other),
        place(other, one)
    );
    let remedy = "find the second device with this MAC (a clone, a replaced board), or the link that joins both networks";
    let grounds = [one, other].map(|visit| {
        let value = [visit.port.as_str(), visit.shows.as_str()].join(" ");
        let relay = visit.relay.map(|relay| format!("relay {relay} ")).unwrap_or_default();
        ground(Origin::Dhcp, format!("{relay}{value}").trim(), None, visit.until)
    });
    Some(Finding { grounds: grounds.into(), ..finding(FindingKind::DuplicateMac, text, remedy) })
}

/// Where one of two visits was, by what differs between them.
fn place(visit: &Visit, other: &Visit) -> String {
    if visit.relay != other.relay {
        return match visit.relay {
            Some(relay) => format!("behind relay {relay}"),
            None => "on a network of ours".to_owned(),
        };
    }
    if !visit.port.is_empty() && visit.port != other.port {
        return format!("behind switch port {}", visit.port);
    }
    format!("as {}", visit.shows)
}
