//! Vendor classes, option definitions and policies for Windows Server, as `PowerShell`.

use std::fmt::Write as _;

use super::{Answer, Plan, Value, gets, hex, list};

const HOW: &[&str] = &[
    "ringup: vendor classes and policies for a Windows DHCP server (2012 or later). Run as administrator on the server;",
    "set $scope first. Running it twice complains about what is there already and does no harm.",
    "Written from the vendor's documentation and not tried on a device: start one phone of each family first.",
    "What a policy does not set comes from the scope: a phone of a class gets the scope's other options too, and reads",
    "its own. Use a scope of phones only: what is set for the scope itself goes to PCs that start from the network too.",
    "Where case does not count, only lower case is here.",
    "The first policy that fits counts, so keep their order.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("#", HOW);
    out.push_str("$scope = '10.20.0.0'\n\n");
    for (code, value) in plan.codes() {
        let kind = match value {
            Value::Addresses(_) => "IPv4Address -MultiValued",
            Value::Text(_) => "String",
            Value::Octets(_) => "BinaryData",
        };
        // Windows knows 43 and 66 by itself.
        if !matches!(code, 43 | 66) {
            let _ = writeln!(
                out,
                "Add-DhcpServerv4OptionDefinition -OptionId {code} -Name 'ringup {code}' -Type {kind}"
            );
        }
    }
    for (order, class) in plan.classes.iter().enumerate() {
        let _ = writeln!(out, "\n# {}.", class.purpose());
        let mut names = Vec::new();
        for test in &class.tests {
            let Some(text) = test.opening.text() else {
                let octets = hex(&test.opening.octets, " ");
                let _ = writeln!(
                    out,
                    "# Windows compares text: those whose option 60 begins with the octets {octets} get the scope's."
                );
                continue;
            };
            let name = format!("ringup {} {}", class.name, names.len() + 1);
            let _ = writeln!(
                out,
                "Add-DhcpServerv4Class -Name {} -Type Vendor -Data {}",
                quoted(&name),
                quoted(text)
            );
            names.push(quoted(&format!("{name}*")));
        }
        if names.is_empty() {
            continue;
        }
        let policy = quoted(&format!("ringup {}", class.name));
        let _ = writeln!(
            out,
            "Add-DhcpServerv4Policy -Name {policy} -ScopeId $scope -ProcessingOrder {} -Condition OR -VendorClass EQ,{}",
            order + 1,
            names.join(",")
        );
        out.push_str(&values(&format!("-PolicyName {policy} "), &class.answers));
    }
    let _ = writeln!(out, "\n# Whoever else asks: {}.", gets(&plan.fallback));
    out.push_str("# Never a bare host in 66, which is FTP to an old Poly.\n");
    out.push_str(&values("", &plan.fallback));
    out
}

fn values(policy: &str, answers: &[Answer]) -> String {
    let line = |answer: &Answer| {
        let value = match &answer.value {
            Value::Addresses(addresses) => format!("'{}'", list(addresses, "','")),
            Value::Text(text) => quoted(text),
            Value::Octets(octets) => {
                octets.iter().map(|octet| format!("0x{octet:02x}")).collect::<Vec<_>>().join(",")
            }
        };
        format!(
            "Set-DhcpServerv4OptionValue -ScopeId $scope {policy}-OptionId {} -Value {value}\n",
            answer.code
        )
    };
    answers.iter().map(line).collect()
}

/// A string in which `PowerShell` expands nothing.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
