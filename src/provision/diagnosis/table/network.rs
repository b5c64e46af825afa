//! Causes from the plug to the first file.

use super::{super::network, Cause, Next};

/// What DHCP itself tells.
pub(super) const CERTAIN: &[Cause] = &[
    Cause {
        name: "no-address",
        row: 3,
        certain: true,
        fits: network::no_address,
        text: "it asks for an address and gets none: {why}",
        remedy: "{remedy}",
        next: Next::File,
    },
    Cause {
        name: "took-another-servers-offer",
        row: 4,
        certain: true,
        fits: network::took_another,
        text: "it was offered an address by us and took one that {server} offered",
        remedy: "find {server}{hardware} and turn it off, or turn on DHCP snooping on the switch; if it is to give the \
                 addresses here, set `mode = \"observe\"` under [dhcp]",
        next: Next::Says("a DHCP REQUEST that takes our offer"),
    },
    Cause {
        name: "never-seen",
        row: 1,
        certain: true,
        fits: network::never_seen,
        text: "nothing was ever seen of it",
        remedy: "{remedy}see that its port is on and gives it power, and try another one; compare {mac} with its label; \
                 a display that stays dark or never changes is a broken phone",
        next: Next::Says("a DHCP DISCOVER of {mac}"),
    },
];

/// An address that two have: whatever comes behind it may come of it.
pub(super) const IN_USE: &[Cause] = &[Cause {
    name: "address-in-use",
    row: 5,
    certain: false,
    fits: network::address_in_use,
    text: "it declined {address}: somebody else uses that address",
    remedy: "find who has it by hand, or take it out of the pool with `exclude`",
    next: Next::File,
}];

/// The wrong VLAN: it explains why little is asked for.
pub(super) const MISPLACED: &[Cause] = &[Cause {
    name: "still-on-the-data-network",
    row: 2,
    certain: false,
    fits: network::on_data_network,
    text: "it has {address} in {subnet}, which phones are to leave, and never came to VLAN {vlan}",
    remedy: "set voice VLAN {vlan} on its switch port (CDP or LLDP) and on every switch in between; {how}",
    next: Next::Says("a DHCP DISCOVER on VLAN {vlan}"),
}];

/// An address, or none, and nothing behind it.
pub(super) const GUESSES: &[Cause] = &[
    Cause {
        name: "leased-and-starts-over",
        row: 5,
        certain: false,
        fits: network::starts_over,
        text: "it started over {times} times and never asked for a file",
        remedy: "see that UDP 69 is open both ways, and that it gets the option that its model reads ({options})",
        next: Next::File,
    },
    Cause {
        name: "server-option-of-the-wrong-kind",
        row: 6,
        certain: false,
        fits: network::wrong_kind,
        text: "{by} tells it {told} in option {option}, and its family reads {wanted} there",
        remedy: "give its family its own class on that DHCP server: `ringup dhcp-snippet` writes it",
        next: Next::File,
    },
    Cause {
        name: "leased-without-a-server",
        row: 6,
        certain: false,
        fits: network::without_server,
        text: "it has an address, and {by} names no server for its files{others}",
        remedy: "add the option that its family reads ({options}) to that DHCP server, with our address",
        next: Next::File,
    },
    Cause {
        name: "sent-to-another-server",
        row: 6,
        certain: false,
        fits: network::sent_away,
        text: "{by} sends it to {told} (option {option}), and not to us",
        remedy: "put {ours} into option {option} on that DHCP server, if ringup is to provision this phone",
        next: Next::File,
    },
    Cause {
        name: "leased-but-never-asked-for-a-file",
        row: 6,
        certain: false,
        fits: network::never_asked,
        text: "it has an address and never asked for a file",
        remedy: "{advice}; or it reads another option than it got ({options})",
        next: Next::File,
    },
    Cause {
        name: "offer-without-its-options",
        row: 3,
        certain: false,
        fits: network::lacks_options,
        text: "it was offered an address and turned it down: its family takes no offer without option {options}",
        remedy: "give its family these options: `ringup dhcp-snippet` writes them for other DHCP servers",
        next: Next::Says("a DHCP REQUEST"),
    },
    Cause {
        name: "offer-not-taken",
        row: 4,
        certain: false,
        fits: network::offer_not_taken,
        text: "it was offered an address and did not take it",
        remedy: "look for another DHCP server on this network, and at the relay",
        next: Next::Says("a DHCP REQUEST"),
    },
    Cause {
        name: "address-denied",
        row: 3,
        certain: false,
        fits: network::denied,
        text: "it {last}, and has not asked for another",
        remedy: "restart it, so that it forgets the address of another network",
        next: Next::Says("a DHCP DISCOVER of {mac}"),
    },
    Cause {
        name: "nobody-offers-an-address",
        row: 3,
        certain: false,
        fits: network::no_offer,
        text: "it looks for a DHCP server and nobody offers it an address",
        remedy: "see that the DHCP server of its network runs and has free addresses, and that the relay (helper) passes \
                 its answers on",
        next: Next::Says("a DHCP REQUEST"),
    },
];
