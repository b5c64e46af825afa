//! Tags and options for dnsmasq.

use std::fmt::Write as _;

use crate::profile::Opening;

use super::{Answer, Plan, Value, gets, hex, list, spellings};

const HOW: &[&str] = &[
    "ringup: tags and options for dnsmasq 2.8x. Save as /etc/dnsmasq.d/ringup.conf.",
    "dnsmasq finds a vendor class anywhere in option 60, not at its beginning only, and minds case.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("#", HOW);
    let mut known = Vec::new();
    for class in &plan.classes {
        let tag = format!("ringup-{}", class.name);
        let _ = writeln!(out, "\n# {}.", class.purpose());
        for (nth, test) in class.tests.iter().enumerate() {
            if test.except.is_empty() {
                out.push_str(&sets(&tag, &test.opening));
                continue;
            }
            // Tags can't be unset, so what belongs to somebody else gets a tag that rules it out.
            let (inner, outer) = (format!("{tag}-not-{nth}"), format!("{tag}-{nth}"));
            test.except.iter().for_each(|other| out.push_str(&sets(&inner, other)));
            out.push_str(&sets(&outer, &test.opening));
            let _ = writeln!(out, "tag-if=set:{tag},tag:{outer},tag:!{inner}");
        }
        out.push_str(&options(&format!("tag:{tag}"), &class.answers));
        known.push(format!("tag:!{tag}"));
    }
    if !plan.others.is_empty() {
        out.push_str("\n# Known not to be phones: they get nothing from here.\n");
        plan.others.iter().for_each(|other| out.push_str(&sets("ringup-not-a-phone", other)));
        known.push("tag:!ringup-not-a-phone".to_owned());
    }
    let _ = writeln!(out, "\n# Whoever else asks: {}.", gets(&plan.fallback));
    out.push_str("# Never a bare host in 66, which is FTP to an old Poly.\n");
    out.push_str(&options(&known.join(","), &plan.fallback));
    out
}

/// Lines that set a tag for a beginning of option 60.
fn sets(tag: &str, opening: &Opening) -> String {
    let line = |form: &Vec<u8>| match opening.text() {
        Some(_) => {
            format!("dhcp-vendorclass=set:{tag},{}\n", quoted(&String::from_utf8_lossy(form)))
        }
        None => format!("dhcp-match=set:{tag},60,{}\n", hex(form, ":")),
    };
    spellings(opening).iter().map(line).collect()
}

/// Forced, because some phones ask for less than they use.
fn options(tags: &str, answers: &[Answer]) -> String {
    let line = |answer: &Answer| {
        let (value, note) = match &answer.value {
            Value::Addresses(addresses) => (list(addresses, ","), String::new()),
            // dnsmasq knows that 66 and 67 are texts: in hexadecimal they would leave as the digits themselves.
            Value::Text(text) if matches!(answer.code, 66 | 67) || is_plain(text) => {
                (quoted(text), String::new())
            }
            // Of any other option, a text that looks like an address would leave as four octets.
            Value::Text(text) => {
                (hex(text.as_bytes(), ":"), format!("# {}: {text}\n", answer.code))
            }
            Value::Octets(octets) => (hex(octets, ":"), String::new()),
        };
        let tags = if tags.is_empty() { String::new() } else { format!("{tags},") };
        format!("{note}dhcp-option-force={tags}{},{value}\n", answer.code)
    };
    answers.iter().map(line).collect()
}

/// Text that dnsmasq takes for text: no digits and dots alone, no hexadecimal, no list.
fn is_plain(text: &str) -> bool {
    let letters = text.bytes().any(|byte| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit());
    letters && !text.contains(',')
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
