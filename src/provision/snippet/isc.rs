//! Classes for ISC dhcpd.

use std::fmt::Write as _;

use crate::profile::Opening;

use super::{Answer, Plan, Test, Value, gets, hex, list};

const HOW: &[&str] = &[
    "ringup: classes for ISC dhcpd 4.x. Save as ringup.conf beside dhcpd.conf and put include \"…/ringup.conf\"; at the",
    "top level, before the subnets. What a class does not set comes from the subnet: take 66, 150 and 160 out there.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("#", HOW);
    for (code, value) in plan.codes() {
        let kind = match value {
            Value::Addresses(_) => "array of ip-address",
            Value::Text(_) => "text",
            Value::Octets(_) => "string",
        };
        if own_name(code).is_none() {
            let _ = writeln!(out, "option ringup-{code} code {code} = {kind};");
        }
    }
    let mut known: Vec<String> = Vec::new();
    for class in &plan.classes {
        let tests: Vec<String> = class.tests.iter().map(test).collect();
        let tests = tests.join("\n    or ");
        let _ = writeln!(out, "\n# {}.", class.purpose());
        let _ = writeln!(out, "class \"ringup-{}\" {{\n  match if {tests};", class.name);
        out.push_str(&options(&class.answers));
        known.push(tests);
    }
    known.extend(plan.others.iter().map(begins));
    let _ = writeln!(
        out,
        "\n# Whoever else asks, but for what is known not to be a phone: {}.",
        gets(&plan.fallback)
    );
    out.push_str(
        "# Never a bare host in 66, which is FTP to an old Poly.\nclass \"ringup-unknown\" {\n",
    );
    let known = if known.is_empty() {
        "known or not known".to_owned()
    } else {
        format!("not ({})", known.join("\n    or "))
    };
    let _ = writeln!(out, "  match if {known};");
    out.push_str(&options(&plan.fallback));
    out
}

/// The options of a class, and its end.
fn options(answers: &[Answer]) -> String {
    let mut out = String::new();
    for answer in answers {
        let name =
            own_name(answer.code).map_or_else(|| format!("ringup-{}", answer.code), str::to_owned);
        let value = match &answer.value {
            Value::Addresses(addresses) => list(addresses, ", "),
            Value::Text(text) => quoted(text),
            Value::Octets(octets) => hex(octets, ":"),
        };
        let _ = writeln!(out, "  option {name} {value};");
    }
    let codes: Vec<String> = answers.iter().map(|answer| format!("{:02x}", answer.code)).collect();
    // dhcpd sends what the client asks for; some phones ask for less than they use.
    let _ = writeln!(
        out,
        "  # Sent whether asked for or not.\n  \
         option dhcp-parameter-request-list = concat(option dhcp-parameter-request-list, {});\n}}",
        codes.join(":")
    );
    out
}

/// dhcpd's own name of an option, where its form is the one that is needed.
const fn own_name(code: u8) -> Option<&'static str> {
    match code {
        43 => Some("vendor-encapsulated-options"),
        66 => Some("tftp-server-name"),
        _ => None,
    }
}

fn test(test: &Test) -> String {
    let except: Vec<String> =
        test.except.iter().map(|other| format!(" and not ({})", begins(other))).collect();
    format!("({}{})", begins(&test.opening), except.concat())
}

fn begins(opening: &Opening) -> String {
    let value = match opening.text() {
        Some(text) => quoted(text),
        None => hex(&opening.octets, ":"),
    };
    let start = format!("substring(option vendor-class-identifier, 0, {})", opening.octets.len());
    if opening.any_case {
        format!("lcase({start}) = {value}")
    } else {
        format!("{start} = {value}")
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
