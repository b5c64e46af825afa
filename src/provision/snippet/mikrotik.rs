//! Options, option sets and matchers for `RouterOS`.

use std::fmt::Write as _;

use super::{Answer, Plan, gets, hex, spellings};

const HOW: &[&str] = &[
    "ringup: options, option sets and matchers for RouterOS 7.4 or later (before, there are no matchers: use the last",
    "set for all). Set the server, pool and network first, then paste.",
    "A matcher finds its text anywhere in option 60 and minds case. What a matcher's set lacks comes from the network's",
    "set: a phone gets that too, and reads its own. What is known not to be a phone gets the network's set as well, so",
    "use a network of phones only. Values are octets in hexadecimal, because RouterOS would send text like an address",
    "as four octets.",
    "Written from the vendor's documentation and not tried on a device: start one phone of each family first.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("#", HOW);
    // A pasted line is a scope of its own: what is local ends with it.
    out.push_str(
        ":global ringupServer \"dhcp1\"\n:global ringupPool \"voice\"\n:global ringupNetwork 10.20.0.0/22\n",
    );
    for class in &plan.classes {
        let set = format!("ringup-{}", class.name);
        let _ = writeln!(out, "\n# {}.", class.purpose());
        out.push_str(&option_set(&set, &class.answers));
        let mut nth = 0;
        for test in &class.tests {
            for form in spellings(&test.opening) {
                nth += 1;
                let value = match (test.opening.text(), std::str::from_utf8(&form)) {
                    (Some(_), Ok(text)) => quoted(text),
                    _ => format!("0x{}", hex(&form, "")),
                };
                let _ = writeln!(
                    out,
                    "/ip dhcp-server matcher add name={set}-{nth} server=$ringupServer address-pool=$ringupPool code=60 \
                     matching-type=substring value={value} option-set={set}"
                );
            }
        }
    }
    let _ = writeln!(out, "\n# Whoever else asks: {}.", gets(&plan.fallback));
    out.push_str("# Never a bare host in 66, which is FTP to an old Poly.\n");
    out.push_str(&option_set("ringup-unknown", &plan.fallback));
    out.push_str("/ip dhcp-server network set [find address=$ringupNetwork] dhcp-option-set=ringup-unknown\n");
    out
}

fn option_set(set: &str, answers: &[Answer]) -> String {
    let mut out = String::new();
    let mut names = Vec::new();
    for answer in answers {
        let (code, value) = (answer.code, hex(&answer.value.bytes(), ""));
        let name = format!("{set}-{code}");
        let _ = writeln!(
            out,
            "/ip dhcp-server option add name={name} code={code} value=0x{value} force=yes"
        );
        names.push(name);
    }
    let _ = writeln!(out, "/ip dhcp-server option sets add name={set} options={}", names.join(","));
    out
}

/// A string in which `RouterOS` expands nothing.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '?') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
