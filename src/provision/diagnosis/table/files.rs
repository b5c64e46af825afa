//! Causes about trust lists and configuration files.

use super::{super::files, Cause, ENTRY_CHANGED, Next};

/// What was listed anew behind the phone's back.
pub(super) const CHANGED: &[Cause] = &[Cause {
    name: ENTRY_CHANGED,
    row: 16,
    certain: true,
    fits: files::entry_changed,
    text: "its entry was changed since it took its configuration: it still goes by the old one",
    remedy: "{remedy}",
    next: Next::Says("its configuration once more"),
}];

/// What we refused.
pub(super) const CERTAIN: &[Cause] = &[
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
        text: "it is not listed and auto-registration {was} off, so it finds neither its own file nor a default",
        remedy: "compare the MAC {mac} with its label and list it, or {or}",
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
];

/// How a transfer ended, and what only another load would ask for.
pub(super) const TRANSFERS: &[Cause] = &[
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
        name: "loads-the-other-protocol",
        row: 20,
        certain: false,
        fits: files::other_protocol,
        text: "it asks for {file}, which only its {other} load reads; its site speaks {ours}",
        remedy: "name a load for {ours} in [site.{site}.firmware], or set protocol = \"{other}\"",
        next: Next::File,
    },
];

/// What it asks for, and what it leaves out.
pub(super) const GUESSES: &[Cause] = &[
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
];

/// What is left to say of a phone that asks for something.
pub(super) const LAST: &[Cause] = &[Cause {
    name: "asks-but-never-for-its-configuration",
    row: 8,
    certain: false,
    fits: files::never_its_own,
    text: "it asks for files, but not for its configuration",
    remedy: "see what it asks for in its timeline; an old security setting or another server's path may be left on it",
    next: Next::File,
}];
