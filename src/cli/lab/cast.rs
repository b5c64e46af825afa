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
    /// This one, once the patience of its stage is over: a minute or more.
    Later(&'static str),
}

impl Cause {
    /// True if the API may say so by now.
    pub(super) fn fits(self, seen: Option<&str>) -> bool {
        match self {
            Self::None => seen.is_none(),
            Self::AtOnce(cause) => seen == Some(cause),
            Self::Later(cause) => seen.is_none_or(|seen| seen == cause),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stage)?;
        self.finding.map_or(Ok(()), |finding| write!(f, ", {finding}"))?;
        match self.cause {
            Cause::None => Ok(()),
            Cause::AtOnce(cause) => write!(f, "; {cause}"),
            Cause::Later(cause) => write!(f, "; in a while {cause}"),
        }
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
    /// The site in the list, where it is not that of its network.
    site: &'static str,
    /// Its label in the list has one digit of the phone before it wrong.
    label: bool,
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

    /// A phone that stops somewhere without a contradiction to flag.
    const fn stops(group: &'static str, model: &'static str, stage: &'static str) -> Self {
        Self { group, expected: expected(stage, None), ..Self::healthy(model) }
    }

    const fn because(self, cause: Cause) -> Self {
        Self { expected: Expected { cause, ..self.expected }, ..self }
    }
}

const fn expected(stage: &'static str, finding: Option<&'static str>) -> Expected {
    Expected { stage, finding, cause: Cause::None }
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
const FAULTY: [Role; 14] = [
    Role { listed: None, ..Role::faulty("not listed", "7961G", "asking", "not-listed") }
        .because(Cause::AtOnce("not-listed-and-auto-registration-off")),
    Role {
        label: true,
        powered: false,
        ..Role::faulty("its label has a typing error", "7961G", "silent", "bad-label")
    }
    .because(Cause::AtOnce("never-seen")),
    Role {
        listed: Some("7961G-GE"),
        ..Role::faulty("listed as another model", "7961G", "configured", "wrong-model")
    },
    Role {
        habit: Habit::Fixed { address: Ipv4Addr::new(127, 20, 120, 20), server: SERVER },
        ..Role::faulty("address typed in", "7942G", "asking", "secret-withheld")
    }
    .because(Cause::AtOnce("config-withheld")),
    Role {
        network: Network::Stale,
        ..Role::faulty("its load is not there", "7942G", "configured", "firmware-missing")
    },
    Role {
        network: Network::Full,
        ..Role::faulty("no address left", "7961G", "discovered", "pool-exhausted")
    }
    .because(Cause::AtOnce("no-address")),
    Role { habit: Habit::NeverAsks, ..Role::stops("TFTP server set by hand", "7961G", "leased") }
        .because(Cause::Later("leased-but-never-asked-for-a-file")),
    Role {
        network: Network::Upgrade,
        habit: Habit::NeverRunsItsLoad,
        ..Role::faulty("load for other hardware", "7965G", "configured", "looping")
    }
    .because(Cause::AtOnce("firmware-again-after-each-boot")),
    Role {
        habit: Habit::TrustsNobody,
        ..Role::faulty("trust list of another cluster", "7961G", "asking", "trust-list")
    }
    .because(Cause::AtOnce("trust-list-asked-again-and-again")),
    Role { habit: Habit::NeverAcknowledges, ..Role::stops("behind a firewall", "7961G", "asking") }
        .because(Cause::Later("transfer-times-out")),
    Role {
        site: "upgrade",
        ..Role::faulty("listed for another site", "T46S", "configured", "wrong-site")
    },
    Role {
        habit: Habit::Literal { name: "{mac}.cfg" },
        ..Role::faulty("path with a macro of another vendor", "T46S", "asking", "unexpanded-macro")
    }
    .because(Cause::Later("asks-but-never-for-its-configuration")),
    Role {
        habit: Habit::Cloned { of: CLONED },
        ..Role::faulty("file names of another phone", "T46S", "asking", "mac-mismatch")
    }
    .because(Cause::Later("asks-but-never-for-its-configuration")),
    Role {
        network: Network::Full,
        powered: false,
        reserved: true,
        // Of another prefix than the phone with the wrong label: two that it could be for would be none that stands out.
        ..Role::stops("never powered on", "7942G", "silent")
    }
    .because(Cause::AtOnce("never-seen")),
];

/// The parts of a lab of so many phones, in a fixed order: equal numbers give equal labs.
pub(super) fn cast(phones: u16) -> Vec<Part> {
    let faulty = usize::from(phones / HEALTHY_SHARE).min(FAULTY.len());
    let healthy = usize::from(phones) - faulty;
    let roles = FAULTY.iter().take(faulty).chain(HEALTHY.iter().cycle().take(healthy));
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
        expected: role.expected,
    })
}

/// The operator's list, as a spreadsheet would hold it.
pub(super) fn list(parts: &[Part]) -> String {
    let mut csv = "mac,model,number,name,sip-password,address,site,location\n".to_owned();
    let listed = parts.iter().filter_map(|part| part.listed.map(|model| (part, model)));
    for (number, (Part { mac, group, reserved, site, .. }, model)) in (FIRST_NUMBER..).zip(listed) {
        let address = reserved.map(|address| address.to_string()).unwrap_or_default();
        // Writing to a string can't fail. The password is the lab's own: nobody registers with it.
        let _ = writeln!(
            csv,
            "{mac},{model},{number},Lab {number},lab-{number},{address},{site},{group}"
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
        let parts = cast(48);
        let families: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.make.family)).collect();
        assert_eq!((parts.len(), families.len()), (48, 6));
        let groups: BTreeSet<_> = parts.iter().map(|part| part.group).collect();
        assert_eq!(groups.len(), FAULTY.len() + 2);
        let macs: BTreeSet<_> = parts.iter().map(|part| part.mac).collect();
        let relays: BTreeSet<_> =
            parts.iter().filter_map(|part| Some(part.subject.as_ref()?.relay)).collect();
        assert_eq!((macs.len(), relays.len()), (48, 46));
    }

    #[test]
    fn any_number_of_phones() {
        for phones in [0, 1, 2, 5, 48, 500] {
            assert_eq!(cast(phones).len(), usize::from(phones));
        }
        assert_eq!(list(&cast(48)).lines().count(), 48);
    }
}
