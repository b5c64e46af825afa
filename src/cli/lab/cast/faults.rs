//! The faults of the lab: each finding and each diagnosis that simulated phones can bring about.

use std::net::Ipv4Addr;

use crate::sim::{Act, Habit};

use super::{
    super::bench::{MISSING_LOAD_LIST, Network, SERVER},
    CLONED, Cause, Role, Tell,
};

/// A DHCP server that is not there.
const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// The registrar of the lab's sites; nobody answers there.
const PBX: &str = "192.0.2.10";

const OWN: &str = "SEP{MAC}.cnf.xml";

const fn told(step: &'static str, why: &'static str) -> Tell {
    Tell::At(PBX, step, why)
}

const fn acts(group: &'static str, acts: &'static [Act], stage: &'static str) -> Role {
    Role { habit: Habit::Acts(acts), ..Role::stops(group, "7961G", stage) }
}

/// A phone of a site that waits for registrations, and what its PBX tells.
const fn calls(group: &'static str, tells: &'static [Tell], stage: &'static str) -> Role {
    Role { network: Network::Calls, tells, ..Role::stops(group, "7961G", stage) }
}

/// One each, in this order, as far as the number of phones goes.
pub(super) const FAULTS: &[Role] = &[
    Role {
        listed: None,
        habit: Habit::Acts(&[Act::Boots]),
        ..Role::faulty("not listed", "7961G", "asking", &["not-listed"])
    }
    .because(Cause::AtOnce("not-listed-and-auto-registration-off")),
    Role {
        label: true,
        powered: false,
        ..Role::faulty("its label has a typing error", "7961G", "silent", &["bad-label"])
    }
    .because(Cause::AtOnce("never-seen")),
    Role {
        listed: Some("7961G-GE"),
        ..Role::faulty("listed as another model", "7961G", "configured", &["wrong-model"])
    },
    Role {
        habit: Habit::Fixed { address: Ipv4Addr::new(127, 20, 60, 20), server: SERVER },
        ..Role::faulty("address typed in", "7942G", "asking", &["secret-withheld"])
    }
    .because(Cause::AtOnce("config-withheld")),
    Role {
        network: Network::Stale,
        ..Role::faulty("its load is not there", "7942G", "configured", &["firmware-missing"])
    },
    Role {
        network: Network::Full,
        ..Role::faulty("no address left", "7961G", "discovered", &["pool-exhausted"])
    }
    .because(Cause::AtOnce("no-address")),
    Role { habit: Habit::NeverAsks, ..Role::stops("TFTP server set by hand", "7961G", "leased") }
        .because(Cause::Later("leased-but-never-asked-for-a-file")),
    Role {
        network: Network::Upgrade,
        habit: Habit::NeverRunsItsLoad,
        ..Role::faulty("load for other hardware", "7965G", "configured", &["looping"])
    }
    .because(Cause::AtOnce("firmware-again-after-each-boot")),
    Role {
        habit: Habit::TrustsNobody,
        ..Role::faulty("trust list of another cluster", "7961G", "asking", &["trust-list"])
    }
    .because(Cause::AtOnce("trust-list-asked-again-and-again")),
    Role { habit: Habit::NeverAcknowledges, ..Role::stops("behind a firewall", "7961G", "asking") }
        .because(Cause::Later("transfer-times-out")),
    Role {
        site: "upgrade",
        ..Role::faulty("listed for another site", "T46S", "configured", &["wrong-site"])
    },
    Role {
        habit: Habit::Literal { name: "{mac}.cfg" },
        ..Role::faulty("another vendor's macro", "T46S", "asking", &["unexpanded-macro"])
    }
    .because(Cause::Later("asks-but-never-for-its-configuration")),
    Role {
        habit: Habit::Cloned { of: CLONED },
        ..Role::faulty("file names of another phone", "T46S", "asking", &["mac-mismatch"])
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
    Role {
        listed: Some("T46S"),
        ..Role::faulty("listed as another maker's", "7961G", "configured", &["wrong-family"])
    },
    Role {
        model: "SoundPoint IP 670",
        listed: Some("SoundPoint IP 670"),
        ..acts("somebody's before", &[Act::Leases, Act::Asks("oldpbx/{mac}.cfg")], "asking")
    }
    .finds(&["used-phone"])
    .because(Cause::Later("config-incomplete")),
    acts(
        "two devices with one MAC",
        &[
            Act::Discovers,
            Act::DiscoversElsewhere,
            Act::Discovers,
            Act::DiscoversElsewhere,
            Act::Boots,
        ],
        "configured",
    )
    .finds(&["duplicate-mac"]),
    acts("its address is somebody's", &[Act::Leases, Act::Declines], "leased")
        .finds(&["address-conflict"])
        .because(Cause::Later("address-in-use")),
    acts("a second DHCP server", &[Act::TakesAnother(STRANGER)], "discovered")
        .finds(&["foreign-dhcp-server"])
        .because(Cause::AtOnce("took-another-servers-offer")),
    Role {
        network: Network::Stale,
        ..Role::faulty("its load is not whole", "7961G", "configured", &["firmware-incomplete"])
    },
    Role {
        network: Network::Stale,
        ..Role::faulty("its load is too old", "T54W", "configured", &["firmware-below-floor"])
    },
    Role { network: Network::Stale, ..Role::stops("does not take its load", "T46S", "configured") }
        .because(Cause::Later("keeps-another-load")),
    Role {
        network: Network::Stale,
        model: "7942G",
        listed: Some("7942G"),
        ..acts(
            "waits for its load",
            &[Act::Leases, Act::Asks(OWN), Act::Asks(MISSING_LOAD_LIST)],
            "configured",
        )
    }
    .finds(&["firmware-missing"])
    .because(Cause::AtOnce("firmware-missing")),
    Role {
        network: Network::Upgrade,
        model: "7965G",
        listed: Some("7965G"),
        ..acts(
            "does not restart",
            &[Act::Leases, Act::Asks(OWN), Act::Asks(LOAD_LIST)],
            "configured",
        )
    }
    .because(Cause::Later("no-restart-after-its-load")),
    Role {
        listed: None,
        ..acts("no number left", &[Act::Waits(super::LATE), Act::Boots], "asking")
    }
    .finds(&["not-listed", "no-numbers-left"])
    .because(Cause::AtOnce("no-numbers-left")),
    acts("load for SCCP on a SIP site", &[Act::Leases, Act::Asks("mk-sccp.jar")], "asking")
        .finds(&["wrong-family"])
        .because(Cause::Later("loads-the-other-protocol")),
    Role {
        broken: true,
        ..acts("its own template is broken", &[Act::Leases, Act::Asks(OWN)], "asking")
    }
    .because(Cause::AtOnce("config-broken")),
    Role { bare: true, ..Role::stops("no file for the oldest", "7935", "asking") }
        .because(Cause::AtOnce("config-missing")),
    acts("dislikes its file", &[Act::Leases, Act::Refuses(OWN)], "asking")
        .because(Cause::Later("config-refused")),
    acts("stops after a block", &[Act::Leases, Act::Stops(OWN)], "asking")
        .because(Cause::Later("config-partly-read")),
    Role {
        network: Network::Calls,
        ..acts(
            "can't use its file",
            &[Act::Leases, Act::Asks(OWN), Act::Asks(OWN), Act::Asks(OWN), Act::Asks(OWN)],
            "configured",
        )
    }
    .because(Cause::Later("config-asked-again-and-again")),
    Role {
        network: Network::Calls,
        model: "7960G",
        listed: Some("7960G"),
        long: true,
        ..acts(
            "its file is too long",
            &[Act::Leases, Act::Asks("SIP{MAC}.cnf"), Act::Asks("SIP{MAC}.cnf")],
            "configured",
        )
    }
    .because(Cause::Later("config-too-long")),
    acts("the default is enough", &[Act::Leases, Act::Asks("XMLDefault.cnf.xml")], "defaulted")
        .because(Cause::Later("default-file-only")),
    Role {
        model: "VVX 411",
        listed: Some("VVX 411"),
        ..acts("reads half of its files", &[Act::Leases, Act::Asks("{mac}.cfg")], "asking")
    }
    .because(Cause::Later("config-incomplete")),
    acts(
        "wants a trust list",
        &[
            Act::Leases,
            Act::Asks("CTLSEP{MAC}.tlv"),
            Act::Leases,
            Act::Asks("CTLSEP{MAC}.tlv"),
            Act::Leases,
            Act::Asks("CTLSEP{MAC}.tlv"),
            Act::Leases,
            Act::Asks("CTLSEP{MAC}.tlv"),
        ],
        "asking",
    )
    .finds(&["trust-list"])
    .because(Cause::Later("starts-over-without-a-trust-list")),
    acts(
        "starts over and over",
        &[
            Act::Leases,
            Act::Leases,
            Act::Leases,
            Act::Leases,
            Act::Leases,
            Act::Leases,
            Act::Leases,
        ],
        "leased",
    )
    .finds(&["looping"])
    .because(Cause::AtOnce("leased-and-starts-over")),
    acts("does not take its address", &[Act::Discovers], "discovered")
        .because(Cause::Later("offer-not-taken")),
    acts("address of another network", &[Act::Keeps(Ipv4Addr::new(192, 0, 2, 77))], "discovered")
        .because(Cause::Later("address-denied")),
    Role { network: Network::Data, ..acts("stays in the data VLAN", &[Act::Leases], "leased") }
        .because(Cause::Later("still-on-the-data-network")),
    Role {
        tells: &[Tell::Relisted],
        ..Role::stops("listed anew while it runs", "7961G", "configured")
    }
    .because(Cause::AtOnce("entry-changed-since-its-configuration")),
    calls("wrong password", &[told("rejected", "challenged")], "registering")
        .finds(&["bad-credentials"])
        .because(Cause::AtOnce("credentials-refused")),
    calls("forbidden", &[told("rejected", "forbidden")], "registering")
        .finds(&["bad-credentials"])
        .because(Cause::AtOnce("registration-forbidden")),
    calls("unknown to its PBX", &[told("rejected", "unknown")], "registering")
        .because(Cause::AtOnce("registration-rejected")),
    calls("newer than its call manager", &[told("rejected", "version")], "registering")
        .because(Cause::AtOnce("load-newer-than-its-call-manager")),
    calls("refused as insecure", &[told("rejected", "security")], "registering")
        .because(Cause::AtOnce("registration-rejected-as-insecure")),
    calls(
        "moves to and fro",
        &[
            Tell::At("a", "accepted", ""),
            Tell::At("b", "accepted", ""),
            Tell::At("a", "accepted", ""),
            Tell::At("b", "accepted", ""),
            Tell::At("a", "accepted", ""),
        ],
        "registered",
    )
    .finds(&["looping"])
    .because(Cause::AtOnce("registration-toggles")),
    calls(
        "loses its registration",
        &[told("accepted", ""), told("ended", ""), told("accepted", ""), told("ended", "")],
        "registered",
    )
    .because(Cause::AtOnce("registration-lapses")),
    Role {
        network: Network::Data,
        ..calls(
            "loses it under SRTP",
            &[told("accepted", ""), told("ended", ""), told("accepted", ""), told("ended", "")],
            "registered",
        )
    }
    .because(Cause::AtOnce("registration-lapses-under-srtp")),
    calls(
        "no answer comes back",
        &[told("asked", ""), told("asked", ""), told("asked", "")],
        "registering",
    )
    .because(Cause::Later("registers-without-an-answer")),
    calls("another server", &[Tell::At("198.51.100.7", "asked", "")], "registering")
        .because(Cause::Later("registers-at-another-server")),
    calls("never registers", &[], "configured")
        .because(Cause::Later("configured-but-never-registers")),
];

/// What a 7965G asks for to get the load of its site.
const LOAD_LIST: &str = "SIP45.9-4-2SR3-1S.loads";

/// What the lab can't show, and why. Everything else in the closed lists it does.
#[cfg(test)]
pub(super) const NOT_SHOWN: &[(&str, &str)] = &[
    ("upgrade-stalled", "loopback takes a whole load in one gulp, so nothing stands still"),
    ("transfer-failed", "a disk would have to fail while it is read"),
    (
        "server-option-of-the-wrong-kind",
        "only where another server is observed, and the lab serves",
    ),
    ("leased-without-a-server", "only where another server is observed, and the lab serves"),
    ("sent-to-another-server", "only where another server is observed, and the lab serves"),
    ("nobody-offers-an-address", "the lab's server answers everybody or says why not"),
    ("offer-without-its-options", "MiNet phones, which alone do this, are not simulated"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{domain::FindingKind, provision::causes};

    use super::{super::super::bench::LOAD, *};

    /// What is new in the closed lists is shown here or says why not.
    #[test]
    fn all_that_can_be_told_is_shown() {
        let shown = |role: &Role| match role.expected.cause {
            Cause::None => None,
            Cause::AtOnce(cause) | Cause::Later(cause) => Some(cause),
        };
        let kinds = FAULTS.iter().flat_map(|role| role.expected.findings.iter().copied());
        let shown: BTreeSet<&str> = kinds.chain(FAULTS.iter().filter_map(shown)).collect();
        let hidden: BTreeSet<&str> = NOT_SHOWN.iter().map(|(name, _)| *name).collect();
        let all: BTreeSet<&str> =
            FindingKind::ALL.map(FindingKind::as_str).into_iter().chain(causes()).collect();
        assert_eq!(shown.intersection(&hidden).count(), 0, "shown after all");
        let told: BTreeSet<&str> = shown.union(&hidden).copied().collect();
        assert_eq!(told, all);
        assert!(LOAD_LIST.starts_with(LOAD));
    }
}
