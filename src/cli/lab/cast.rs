//! Who takes part in the lab: healthy phones of every family, and one for each fault that can be told.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    net::Ipv4Addr,
};

use crate::{
    domain::Mac,
    sim::{Habit, Make, Subject},
};

use super::bench::{Network, SERVER};

/// At most one in so many phones is faulty, so that a small lab is not a sick one.
const HEALTHY_SHARE: u16 = 3;

/// What the group without anything particular is called.
pub(super) const HEALTHY_GROUP: &str = "healthy";

/// The first number in the lab's list.
const FIRST_NUMBER: u32 = 4001;

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
    /// The address that its entry reserves.
    pub(super) reserved: Option<Ipv4Addr>,
    /// What the API is to say.
    pub(super) expected: Expected,
}

/// What the API is to say about a phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Expected {
    /// The stage.
    pub(super) stage: &'static str,
    /// The one finding; `None` for none at all.
    pub(super) finding: Option<&'static str>,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stage)?;
        self.finding.map_or(Ok(()), |finding| write!(f, ", {finding}"))
    }
}

/// Something to show.
struct Role {
    group: &'static str,
    model: &'static str,
    listed: Option<&'static str>,
    network: Network,
    habit: Habit,
    powered: bool,
    reserved: bool,
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
            expected: expected("configured", None),
        }
    }

    const fn faulty(
        group: &'static str,
        model: &'static str,
        stage: &'static str,
        finding: &'static str,
    ) -> Self {
        Self { group, expected: expected(stage, Some(finding)), ..Self::healthy(model) }
    }
}

const fn expected(stage: &'static str, finding: Option<&'static str>) -> Expected {
    Expected { stage, finding }
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

/// One each, in this order, as far as the number of phones goes.
const FAULTY: [Role; 7] = [
    Role { listed: None, ..Role::faulty("not listed", "7961G", "asking", "not-listed") },
    Role {
        listed: Some("7961G-GE"),
        ..Role::faulty("listed as another model", "7961G", "configured", "wrong-model")
    },
    Role {
        habit: Habit::Fixed { address: Ipv4Addr::new(127, 20, 120, 20), server: SERVER },
        ..Role::faulty("address typed in", "7942G", "asking", "secret-withheld")
    },
    Role {
        network: Network::Stale,
        ..Role::faulty("its load is not there", "7942G", "configured", "firmware-missing")
    },
    Role {
        network: Network::Full,
        ..Role::faulty("no address left", "7961G", "discovered", "pool-exhausted")
    },
    Role {
        group: "TFTP server set by hand",
        habit: Habit::NeverAsks,
        expected: expected("leased", None),
        ..Role::healthy("7961G")
    },
    Role {
        group: "never powered on",
        network: Network::Full,
        powered: false,
        reserved: true,
        expected: expected("silent", None),
        ..Role::healthy("7961G")
    },
];

/// The parts of a lab of so many phones, in a fixed order: equal numbers give equal labs.
pub(super) fn cast(phones: u16) -> Vec<Part> {
    let faulty = usize::from(phones / HEALTHY_SHARE).min(FAULTY.len());
    let healthy = usize::from(phones) - faulty;
    let roles = FAULTY.iter().take(faulty).chain(HEALTHY.iter().cycle().take(healthy));
    let mut relays = BTreeMap::<Network, u32>::new();
    (FIRST_MAC..)
        .zip(roles)
        .filter_map(|(number, role)| {
            let relay = relays.entry(role.network).or_default();
            *relay += 1;
            part(role, number, *relay)
        })
        .collect()
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
        reserved: Some(role.network.only_address()).filter(|_| role.reserved),
        expected: role.expected,
    })
}

/// The operator's list, as a spreadsheet would hold it.
pub(super) fn list(parts: &[Part]) -> String {
    let mut csv = "mac,model,number,name,sip-password,address,location\n".to_owned();
    let listed = parts.iter().filter_map(|part| part.listed.map(|model| (part, model)));
    for (number, (Part { mac, group, reserved, .. }, model)) in (FIRST_NUMBER..).zip(listed) {
        let address = reserved.map(|address| address.to_string()).unwrap_or_default();
        // Writing to a string can't fail. The password is the lab's own: nobody registers with it.
        let _ = writeln!(csv, "{mac},{model},{number},Lab {number},lab-{number},{address},{group}");
    }
    csv
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_and_every_fault_in_the_usual_lab() {
        let parts = cast(24);
        let families: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.make.family)).collect();
        assert_eq!((parts.len(), families.len()), (24, 6));
        let groups: BTreeSet<_> = parts.iter().map(|part| part.group).collect();
        assert_eq!(groups.len(), FAULTY.len() + 2);
        let macs: BTreeSet<_> = parts.iter().map(|part| part.mac).collect();
        let relays: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.relay)).collect();
        assert_eq!((macs.len(), relays.len()), (24, 23));
    }

    #[test]
    fn any_number_of_phones() {
        for phones in [0, 1, 2, 5, 24, 500] {
            assert_eq!(cast(phones).len(), usize::from(phones));
        }
        assert_eq!(list(&cast(24)).lines().count(), 24);
    }
}
