//! The closed list of causes, with their words.
//!
//! Rows are those of the boot table that engineers work through from power (1) to the registration (25); Cisco's boot
//! and registration guide, 8x8's notes on registration and on SRTP, and the vendors' guides behind the profiles are its
//! sources.

use super::{super::report::Look, Facts, files, firmware, network, registration};

/// One cause.
pub(super) struct Cause {
    /// Stable kebab-case name, for scripts.
    pub name: &'static str,
    /// The row of the boot table that it covers.
    pub row: u8,
    /// True if it is certain as soon as it is seen; the others need the stage's patience to be over.
    pub certain: bool,
    /// Says what is so, if it is so: what fills the braces below.
    pub fits: fn(&Look<'_>) -> Option<Facts>,
    /// The cause in plain words.
    pub text: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What the phone should do next.
    pub next: Next,
}

/// What the phone should do next.
pub(super) enum Next {
    /// Ask for the next file of its family.
    File,
    /// Something else, in plain words.
    Says(&'static str),
}

/// Rows about registrations that were there: all that is left to say about a phone that is away.
pub(super) const REGISTRATION: [u8; 7] = [15, 18, 19, 20, 21, 22, 24];

/// Rows that no cause of a phone's own covers, and where they are told.
#[cfg(test)]
pub(super) const ELSEWHERE: [(u8, &str); 1] = [(
    23,
    "calls without sound, SRTP on one side only: the settings show it, `ringup check` tells",
)];

const REGISTER: Next = Next::Says("a REGISTER that {by} accepts");

/// Causes, the certain ones before the guesses, and in each group the later step of a boot first.
pub(super) const TABLE: &[Cause] = &[
    Cause {
        name: "registration-forbidden",
        row: 19,
        certain: true,
        fits: registration::forbidden,
        text: "{by} forbids it to register{words}",
        remedy: "compare SIP user and password with those of the PBX, correct its entry with \
                 `ringup phones set {mac} sip-password=NEW` and restart it",
        next: REGISTER,
    },
    Cause {
        name: "credentials-refused",
        row: 18,
        certain: true,
        fits: registration::challenged,
        text: "it shows {by} its credentials and is challenged again{words}",
        remedy: "compare user, password and realm with those of the PBX; see that the clocks of both agree",
        next: REGISTER,
    },
    Cause {
        name: "load-newer-than-its-call-manager",
        row: 15,
        certain: true,
        fits: registration::version,
        text: "{by} refuses it for its version{words}: its load is newer than the call manager",
        remedy: "name a load that this call manager knows in [site.{site}.firmware] and reset the phone: it never goes \
                 back by itself",
        next: Next::Says("an older load"),
    },
    Cause {
        name: "registration-rejected-as-insecure",
        row: 8,
        certain: true,
        fits: registration::insecure,
        text: "{by} refuses it for its security settings{words}: it has a trust list of another cluster, or none",
        remedy: "{trust}",
        next: REGISTER,
    },
    Cause {
        name: "registration-rejected",
        row: 20,
        certain: true,
        fits: registration::unknown,
        text: "{by} does not know it, or has no number left for it{words}",
        remedy: "add it there as {model}, with the protocol that it speaks, or widen the range of numbers there",
        next: REGISTER,
    },
    Cause {
        name: "registration-toggles",
        row: 24,
        certain: true,
        fits: registration::toggles,
        text: "it registers at {one}, then at {other}, and so on: {times} times in {minutes} min",
        remedy: "look for a network that comes and goes and at the site's `failover`; both servers must know the phone",
        next: Next::Says("a registration that stays at {one}"),
    },
    Cause {
        name: "registration-lapses-under-srtp",
        row: 22,
        certain: true,
        fits: registration::lapses_under_srtp,
        text: "it lost its registration at {by} {times} times within an hour, with SRTP on{words}",
        remedy: "set TCP time-out and TCP close-wait of the firewall to 660 s; give the phones' VLAN, not the data \
                 network, the provider's resolvers (8x8: 8.28.0.9, 192.84.18.11) and no public ones; Poly: firmware \
                 5.9.4.3247 or later; if nothing helps, srtp = \"off\" for all phones",
        next: REGISTER,
    },
    Cause {
        name: "registration-lapses",
        row: 21,
        certain: true,
        fits: registration::lapses,
        text: "it lost its registration at {by} {times} times within an hour{words}",
        remedy: "see that the server's OPTIONS (every 30 s) reach it and are answered; set TCP time-out and TCP \
                 close-wait of the firewall to 660 s",
        next: REGISTER,
    },
    Cause {
        name: "firmware-again-after-each-boot",
        row: 14,
        certain: true,
        fits: firmware::again,
        text: "it took {file} whole in {times} boots in a row and still does not run it",
        remedy: "{remedy}",
        next: Next::Says("a boot without {file}"),
    },
    Cause {
        name: "firmware-missing",
        row: 13,
        certain: true,
        fits: firmware::missing,
        text: "it wants {file}, which is not here",
        remedy: "{remedy}",
        next: Next::File,
    },
    Cause {
        name: "config-withheld",
        row: 9,
        certain: true,
        fits: files::withheld,
        text: "{why}",
        remedy: "let it take its address by DHCP, or set `secrets.peer = \"any\"`",
        next: Next::File,
    },
    Cause {
        name: "no-numbers-left",
        row: 20,
        certain: true,
        fits: files::no_numbers_left,
        text: "{why}",
        remedy: "widen `numbers` in [auto-registration] or of its site, or list the phone",
        next: Next::File,
    },
    Cause {
        name: "not-listed-and-auto-registration-off",
        row: 10,
        certain: true,
        fits: files::not_listed,
        text: "it is not listed and auto-registration is off, so it finds neither its own file nor a default",
        remedy: "compare the MAC {mac} with its label and list it, or open auto-registration",
        next: Next::File,
    },
    Cause {
        name: "config-broken",
        row: 11,
        certain: true,
        fits: files::broken,
        text: "its configuration can't be made: {why}",
        remedy: "mend what the text names; `ringup render` tells when it is right",
        next: Next::File,
    },
    Cause {
        name: "config-missing",
        row: 9,
        certain: true,
        fits: files::missing,
        text: "{why}",
        remedy: "its family has no template for this file: put your own into {files} under this name",
        next: Next::File,
    },
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
        name: "never-seen",
        row: 1,
        certain: true,
        fits: network::never_seen,
        text: "nothing was ever seen of it",
        remedy: "{remedy}see that its port is on and gives it power, and try another one; compare {mac} with its label; \
                 a display that stays dark or never changes is a broken phone",
        next: Next::Says("a DHCP DISCOVER of {mac}"),
    },
    Cause {
        name: "address-in-use",
        row: 5,
        certain: false,
        fits: network::address_in_use,
        text: "it declined {address}: somebody else uses that address",
        remedy: "find who has it by hand, or take it out of the pool with `exclude`",
        next: Next::File,
    },
    Cause {
        name: "transfer-times-out",
        row: 7,
        certain: false,
        fits: files::times_out,
        text: "{file} stops after {bytes} of {length} bytes: no answer comes back",
        remedy: "{remedy}",
        next: Next::File,
    },
    Cause {
        name: "transfer-failed",
        row: 7,
        certain: false,
        fits: files::failed,
        text: "{file} broke off on our side after {bytes} of {length} bytes: {why}",
        remedy: "see that its source can be read ({source}), and look into ringup's log",
        next: Next::File,
    },
    Cause {
        name: "config-refused",
        row: 11,
        certain: false,
        fits: files::refused,
        text: "it stopped taking {file} after {bytes} bytes: {why}",
        remedy: "look at that file with `ringup render`; the phone's screen or log tells what it dislikes",
        next: Next::File,
    },
    Cause {
        name: "config-partly-read",
        row: 12,
        certain: false,
        fits: files::partly_read,
        text: "it stopped taking {file} after {bytes} of {length} bytes without a word, and never had it whole",
        remedy: "look for loss between phone and server, above all for a switch port whose duplex is set by hand",
        next: Next::File,
    },
    Cause {
        name: "config-too-long",
        row: 11,
        certain: false,
        fits: files::too_long,
        text: "it took {file} whole and does not go on: {length} bytes may be more than it can read",
        remedy: "keep it below {longest} bytes: leave out keys, comments and `extra` values (not confirmed for all loads)",
        next: Next::File,
    },
    Cause {
        name: "config-asked-again-and-again",
        row: 11,
        certain: false,
        fits: files::asked_again,
        text: "it took {file} whole {times} times and asks again: it can't use what is in it",
        remedy: "{remedy}",
        next: Next::File,
    },
    Cause {
        name: "upgrade-stalled",
        row: 13,
        certain: false,
        fits: firmware::stalled,
        text: "{file} stands at {bytes} of {length} bytes",
        remedy: "leave it its power; if nothing moves, restart it and look for loss between phone and server",
        next: Next::Says("more of {file}"),
    },
    Cause {
        name: "no-restart-after-its-load",
        row: 16,
        certain: false,
        fits: firmware::no_restart,
        text: "it has {file} whole since {minutes} min and has not restarted",
        remedy: "wait until its display says that nothing is written any more, then restart it: a reset by its call \
                 manager or NOTIFY may have been refused",
        next: Next::Says("a restart"),
    },
    Cause {
        name: "keeps-another-load",
        row: 14,
        certain: false,
        fits: firmware::keeps_another,
        text: "it runs {running}, its site wants {wanted}, and it does not fetch it",
        remedy: "see that {wanted} is for this very model, and restart it; {advice}",
        next: Next::Says("a request for {wanted}"),
    },
    Cause {
        name: "registers-without-an-answer",
        row: 17,
        certain: false,
        fits: registration::unanswered,
        text: "it asked {by} {times} times to register and keeps no answer",
        remedy: "the answer (401 or 407) does not reach it: open the firewall for answers to the port that it asked \
                 from, and turn off SIP helpers (ALG)",
        next: REGISTER,
    },
    Cause {
        name: "registers-at-another-server",
        row: 25,
        certain: false,
        fits: registration::elsewhere,
        text: "it tries to register at {by}, which is not among the servers of its site",
        remedy: "correct `server` of [site.{site}], the live one first, and restart it; or clear what was set by hand",
        next: Next::Says("a REGISTER to {server}"),
    },
    Cause {
        name: "configured-but-never-registers",
        row: 17,
        certain: false,
        fits: registration::never,
        text: "it has its configuration and was never seen to register",
        remedy: "check the site's servers and ports, and that the phone reaches them; if the PBX has it, let it tell \
                 ringup (POST /api/v1/phones/{mac}/registered)",
        next: Next::Says("a REGISTER to {server}"),
    },
    Cause {
        name: "default-file-only",
        row: 10,
        certain: false,
        fits: files::default_only,
        text: "it took the default file and never came back for its own",
        remedy: "restart it; if it asks under another MAC, compare its label with the list",
        next: Next::File,
    },
    Cause {
        name: "config-incomplete",
        row: 11,
        certain: false,
        fits: files::incomplete,
        text: "it has {file} and does not ask for {missing}",
        remedy: "see that {file} names {missing}: an own file in {files} may stand in its place",
        next: Next::File,
    },
    Cause {
        name: "loads-the-other-protocol",
        row: 20,
        certain: false,
        fits: files::other_protocol,
        text: "it asks for {file}, which only its {other} load reads; its site speaks {ours}",
        remedy: "name a load for {ours} in [site.{site}.firmware], or set protocol = \"{other}\"",
        next: Next::File,
    },
    Cause {
        name: "starts-over-without-a-trust-list",
        row: 5,
        certain: false,
        fits: files::trust_restarts,
        text: "it asks for {file}, does not get it, and starts over with DHCP: {times} times now",
        remedy: "put an empty file of that name into {files}: some loads of 7960 and 7961 go on only with one",
        next: Next::File,
    },
    Cause {
        name: "trust-list-asked-again-and-again",
        row: 8,
        certain: false,
        fits: files::trust_loop,
        text: "it asks for its trust list over and over and never for its configuration",
        remedy: "{trust}",
        next: Next::File,
    },
    Cause {
        name: "still-on-the-data-network",
        row: 2,
        certain: false,
        fits: network::on_data_network,
        text: "it has {address} in {subnet}, which phones are to leave, and never came to VLAN {vlan}",
        remedy: "set voice VLAN {vlan} on its switch port (CDP or LLDP) and on every switch in between; {how}",
        next: Next::Says("a DHCP DISCOVER on VLAN {vlan}"),
    },
    Cause {
        name: "asks-but-never-for-its-configuration",
        row: 8,
        certain: false,
        fits: files::never_its_own,
        text: "it asks for files, but not for its configuration",
        remedy: "see what it asks for in its timeline; an old security setting or another server's path may be left on it",
        next: Next::File,
    },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_one_of_a_kind() {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        for (index, cause) in TABLE.iter().enumerate() {
            let name = cause.name;
            assert!(name.chars().all(kebab) && (1..=25).contains(&cause.row), "{name}");
            assert!(TABLE[..index].iter().all(|other| other.name != name), "{name}");
        }
        assert!(TABLE.is_sorted_by_key(|cause| !cause.certain), "the certain ones first");
    }

    #[test]
    fn every_row_is_told_somewhere() {
        for row in 1..=25 {
            let here = TABLE.iter().any(|cause| cause.row == row);
            let there = ELSEWHERE.iter().any(|(other, _)| *other == row);
            assert!(here != there, "row {row}");
        }
    }
}
