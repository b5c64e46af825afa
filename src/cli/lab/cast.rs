//! Who takes part in the lab: healthy phones of every family, and one for each fault that can be told.

mod faults;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    net::Ipv4Addr,
};

use crate::{
    domain::Mac,
    sim::{Habit, Make, Subject},
};

use super::bench::Network;
use faults::FAULTS;

/// At most two in three phones are faulty, so that there is something healthy to compare with.
const FAULTY_SHARE: (u16, u16) = (2, 3);

/// How many seconds after the others the last phone is switched on: by then the window of auto-registration is open.
pub(super) const LATE: u64 = 12;

/// How many phones a lab has unless somebody says otherwise: every fault, and healthy ones of every family.
pub(super) const USUAL: u16 = 78;

/// What the group without anything particular is called.
pub(super) const HEALTHY_GROUP: &str = "healthy";

/// The first number in the lab's list.
const FIRST_NUMBER: u32 = 4001;

/// The digits of a phone whose names another one asks for: nobody of the lab's.
const CLONED: u32 = 0x77_00_01;

/// The first of the running digits in the lab's MAC addresses.
const FIRST_MAC: u32 = 0x1a_b0_01;

/// One phone of the lab and what the page is to say about it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What it shows.
    pub(super) group: &'static str,
    /// The phone; `None` for one that is listed and never powered on.
    pub(super) subject: Option<Subject>,
    /// Its address on the wire.
    pub(super) mac: Mac,
    /// The model in the operator's list; `None` for a phone that is not in it.
    pub(super) listed: Option<&'static str>,
    /// The site in that list; empty for that of its network.
    pub(super) site: &'static str,
    /// The address that its entry reserves.
    pub(super) reserved: Option<Ipv4Addr>,
    /// What is told of it once it is configured.
    pub(super) tells: &'static [Tell],
    /// The operator has a template for it that can't be rendered.
    pub(super) broken: bool,
    /// The operator has no file for it where there should be one.
    pub(super) bare: bool,
    /// The operator has a file for it that is too long.
    pub(super) long: bool,
    /// What the API is to say.
    pub(super) expected: Expected,
}

/// Something that somebody else tells the appliance about a phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tell {
    /// A PBX: which server, what became of the registration, and why where it was rejected.
    At(&'static str, &'static str, &'static str),
    /// The operator: its entry has another name now.
    Relisted,
}

/// What the API is to say about a phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Expected {
    /// The stage.
    pub(super) stage: &'static str,
    /// The findings, and no others.
    pub(super) findings: &'static [&'static str],
    /// The cause of its diagnosis.
    pub(super) cause: Cause,
}

/// The cause that the API is to name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// None.
    None,
    /// This one, as soon as it is as far as it comes.
    AtOnce(&'static str),
    /// This one, once the patience of its stage is over.
    Later(&'static str),
}

impl Cause {
    /// True if the API may say so by now.
    pub(super) fn fits(self, seen: Option<&str>) -> bool {
        match self {
            Self::None => seen.is_none(),
            Self::AtOnce(cause) | Self::Later(cause) => seen == Some(cause),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stage)?;
        self.findings.iter().try_for_each(|finding| write!(f, ", {finding}"))?;
        match self.cause {
            Cause::None => Ok(()),
            Cause::AtOnce(cause) => write!(f, "; {cause}"),
            Cause::Later(cause) => write!(f, "; later {cause}"),
        }
    }
}

/// Something to show.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is set by one or two of the roles, by name"
)]
struct Role {
    group: &'static str,
    model: &'static str,
    listed: Option<&'static str>,
    network: Network,
    habit: Habit,
    powered: bool,
    reserved: bool,
    /// The site in the list, where it is not that of its network.
    site: &'static str,
    /// Its label in the list has one digit of the phone before it wrong.
    label: bool,
    tells: &'static [Tell],
    broken: bool,
    bare: bool,
    long: bool,
    expected: Expected,
}

impl Role {
    const fn healthy(model: &'static str) -> Self {
        Self {
            group: HEALTHY_GROUP,
            model,
            listed: Some(model),
            network: Network::Main,
            habit: Habit::Healthy,
            powered: true,
            reserved: false,
            site: "",
            label: false,
            tells: &[],
            broken: false,
            bare: false,
            long: false,
            expected: expected("configured", &[]),
        }
    }

    const fn faulty(
        group: &'static str,
        model: &'static str,
        stage: &'static str,
        findings: &'static [&'static str],
    ) -> Self {
        Self { group, expected: expected(stage, findings), ..Self::healthy(model) }
    }

    /// A phone that stops somewhere without a contradiction to flag.
    const fn stops(group: &'static str, model: &'static str, stage: &'static str) -> Self {
        Self { group, expected: expected(stage, &[]), ..Self::healthy(model) }
    }

    const fn finds(self, findings: &'static [&'static str]) -> Self {
        Self { expected: Expected { findings, ..self.expected }, ..self }
    }

    const fn because(self, cause: Cause) -> Self {
        Self { expected: Expected { cause, ..self.expected }, ..self }
    }
}

const fn expected(stage: &'static str, findings: &'static [&'static str]) -> Expected {
    Expected { stage, findings, cause: Cause::None }
}

/// The healthy ones, in turn until enough take part.
const HEALTHY: [Role; 10] = [
    Role::healthy("7935"),
    Role::healthy("7960G"),
    Role::healthy("7961G"),
    Role::healthy("SoundPoint IP 670"),
    Role::healthy("VVX 411"),
    Role::healthy("T46S"),
    Role { network: Network::Skinny, ..Role::healthy("7940G") },
    Role { group: "upgrades its firmware", network: Network::Upgrade, ..Role::healthy("7965G") },
    Role::healthy("SoundPoint IP 550"),
    Role::healthy("T54W"),
];

/// The parts of a lab of so many phones, in a fixed order: equal numbers give equal labs.
pub(super) fn cast(phones: u16) -> Vec<Part> {
    let faulty = usize::from(phones * FAULTY_SHARE.0 / FAULTY_SHARE.1).min(FAULTS.len());
    let healthy = usize::from(phones) - faulty;
    let roles = FAULTS.iter().take(faulty).chain(HEALTHY.iter().cycle().take(healthy));
    let mut relays = BTreeMap::<Network, u32>::new();
    let mut parts: Vec<Part> = Vec::new();
    for (number, role) in (FIRST_MAC..).zip(roles) {
        let relay = relays.entry(role.network).or_default();
        *relay += 1;
        let part = part(role, number, *relay);
        let label = parts.last().filter(|_| role.label).and_then(|before| mistyped(before.mac));
        parts.extend(part.map(|part| Part { mac: label.unwrap_or(part.mac), ..part }));
    }
    parts
}

/// The same address with a digit read wrong: the 0 in it looked like a D.
fn mistyped(mac: Mac) -> Option<Mac> {
    let mut octets = mac.octets();
    octets[4] |= 0x0d;
    Mac::new(octets).ok()
}

fn part(role: &Role, number: u32, relay: u32) -> Option<Part> {
    let make = Make::of(role.model)?;
    let mac = make.mac(number)?;
    let relay = role.network.relay(relay);
    let subject = Subject { mac, make, habit: role.habit, relay };
    Some(Part {
        group: role.group,
        subject: Some(subject).filter(|_| role.powered),
        mac,
        listed: role.listed,
        site: role.site,
        reserved: Some(role.network.only_address()).filter(|_| role.reserved),
        tells: role.tells,
        broken: role.broken,
        bare: role.bare,
        long: role.long,
        expected: role.expected,
    })
}

/// The operator's list, as a spreadsheet would hold it; `who` names its phones.
pub(super) fn list(parts: &[Part], who: &str) -> String {
    let mut csv = "mac,model,number,name,sip-password,address,site,location\n".to_owned();
    let listed = parts.iter().filter_map(|part| part.listed.map(|model| (part, model)));
    for (number, (Part { mac, group, reserved, site, .. }, model)) in (FIRST_NUMBER..).zip(listed) {
        let address = reserved.map(|address| address.to_string()).unwrap_or_default();
        // Writing to a string can't fail. The password is the lab's own: nobody registers with it.
        let _ = writeln!(
            csv,
            "{mac},{model},{number},{who} {number},lab-{number},{address},{site},{group}"
        );
    }
    csv
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_and_every_fault_in_the_usual_lab() {
        let parts = cast(USUAL);
        let families: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.make.family)).collect();
        assert_eq!((parts.len(), families.len()), (usize::from(USUAL), 6));
        let groups: BTreeSet<_> = parts.iter().map(|part| part.group).collect();
        assert_eq!(groups.len(), FAULTS.len() + 2);
        let macs: BTreeSet<_> = parts.iter().map(|part| part.mac).collect();
        let relays: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.relay)).collect();
        assert_eq!(macs.len(), usize::from(USUAL));
        let powered = parts.iter().filter(|part| part.subject.is_some()).count();
        assert_eq!(relays.len(), powered);
    }

    #[test]
    fn any_number_of_phones() {
        for phones in [0, 1, 2, 5, USUAL, 500] {
            assert_eq!(cast(phones).len(), usize::from(phones));
        }
        // The header, and all but the two that nobody listed.
        assert_eq!(list(&cast(USUAL), "Lab").lines().count(), usize::from(USUAL) - 1);
    }
}
