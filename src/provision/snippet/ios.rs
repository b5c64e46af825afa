//! Pool options for Cisco IOS, which gives all clients of a pool the same.

use std::fmt::Write as _;

use super::{Answer, Plan, Value, gets, hex, list};

const HOW: &[&str] = &[
    "ringup: options for a pool of the DHCP server in Cisco IOS and IOS XE. Put your own pool's name in.",
    "IOS can't tell families apart: `class` in a pool chooses addresses, not options, and all clients of a pool get the",
    "same. Where the families below want different things, this is what no phone takes amiss. A family that needs more",
    "goes into a VLAN and pool of its own, or onto a DHCP server that reads option 60.",
    "Written from the vendor's documentation and not tried on a device: start one phone of each family first.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("!", HOW);
    out.push_str("!\n");
    for class in &plan.classes {
        let served = class.answers.iter().all(|answer| pool(plan).contains(answer));
        let short = if served { "" } else { " (gets the pool's instead)" };
        let _ = writeln!(out, "! {}{short}", class.purpose());
    }
    let _ = writeln!(out, "! All of this pool: {}", gets(pool(plan)));
    out.push_str("ip dhcp pool VOICE\n");
    for answer in pool(plan) {
        let value = match &answer.value {
            Value::Addresses(addresses) => format!("ip {}", list(addresses, " ")),
            Value::Text(text) if is_plain(text) => format!("ascii {text}"),
            Value::Text(_) | Value::Octets(_) => format!("hex {}", dotted(&answer.value.bytes())),
        };
        let _ = writeln!(out, " option {} {value}", answer.code);
    }
    out
}

/// What everybody gets: the one class's own if there is no other, else what is safe for all.
fn pool(plan: &Plan) -> &[Answer] {
    match &plan.classes[..] {
        [only] => &only.answers,
        _ => &plan.fallback,
    }
}

/// Text that can be typed: `?` asks for help, `!` begins a comment, blanks and quotes end it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'!' | b'"' | b'\''))
}

/// Hexadecimal as IOS groups it: four digits between dots.
fn dotted(octets: &[u8]) -> String {
    octets.chunks(2).map(|pair| hex(pair, "")).collect::<Vec<_>>().join(".")
}
