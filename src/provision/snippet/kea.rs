//! Client classes for Kea.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::profile::Opening;

use super::{Answer, Class, Plan, Test, Value, gets, hex, list};

const HOW: &[&str] = &[
    "ringup: client classes for Kea 2.x (dhcp4). Save as ringup.json and put <?include \"ringup.json\"?>, with a comma",
    "behind it if more follows, into \"Dhcp4\"; merge by hand where option-def or client-classes exist already.",
    "What a subnet sets wins over classes: take 66, 150 and 160 out of the subnets.",
    "A Kea that knows an option of option-def by itself says so: take that definition out then.",
    "The voice VLAN's number is not here: only the network that phones are to leave may send it.",
];

pub(super) fn write(plan: &Plan) -> String {
    let mut out = plan.head("//", HOW);
    out.push_str("\"option-def\": [\n");
    let defined: Vec<String> =
        plan.codes().into_iter().filter_map(|(code, value)| definition(code, value)).collect();
    out.push_str(&indented(&defined));
    out.push_str("],\n\"client-classes\": [\n");
    let mut classes: Vec<String> = plan.classes.iter().map(class).collect();
    let mut left: Vec<String> = plan.classes.iter().map(member).collect();
    if !plan.others.is_empty() {
        let tests: Vec<String> = plan.others.iter().map(begins).collect();
        let class = json!({ "name": "ringup-not-a-phone", "test": tests.join(" or ") });
        classes.push(format!("// Known not to be phones: they get nothing from here.\n{class}"));
        left.push("not member('ringup-not-a-phone')".to_owned());
    }
    let mut fallback = json!({ "name": "ringup-unknown", "option-data": data(&plan.fallback) });
    // Kea takes a class without a test for one that something else assigns.
    let test = if left.is_empty() { "'a' == 'a'".to_owned() } else { left.join(" and ") };
    fallback["test"] = Json::String(test);
    classes.push(format!(
        "// Whoever else asks: {}. Never a bare host in 66, which is FTP to an old Poly.\n{fallback}",
        gets(&plan.fallback)
    ));
    out.push_str(&indented(&classes));
    out.push_str("]\n");
    out
}

fn member(class: &Class) -> String {
    format!("not member('ringup-{}')", class.name)
}

fn class(class: &Class) -> String {
    let tests: Vec<String> = class.tests.iter().map(test).collect();
    let name = format!("ringup-{}", class.name);
    let json =
        json!({ "name": name, "test": tests.join(" or "), "option-data": data(&class.answers) });
    format!("// {}.\n{json}", class.purpose())
}

fn test(test: &Test) -> String {
    let except: Vec<String> =
        test.except.iter().map(|other| format!(" and not ({})", begins(other))).collect();
    if except.is_empty() {
        begins(&test.opening)
    } else {
        format!("({}{})", begins(&test.opening), except.concat())
    }
}

/// Kea 2.2 compares octets only, so what may come in any case is asked for in the usual three.
fn begins(opening: &Opening) -> String {
    let compare = |octets: &[u8]| {
        let octets = match std::str::from_utf8(octets) {
            Ok(text) if opening.text().is_some() && !text.contains('\'') => format!("'{text}'"),
            _ => format!("0x{}", hex(octets, "")),
        };
        format!("substring(option[60].hex,0,{}) == {octets}", opening.octets.len())
    };
    let forms: Vec<String> = super::spellings(opening).iter().map(|form| compare(form)).collect();
    if forms.len() > 1 { format!("({})", forms.join(" or ")) } else { forms.concat() }
}

/// Options that Kea does not know by itself and that are written as more than octets.
fn definition(code: u8, value: &Value) -> Option<String> {
    let (kind, array) = match value {
        _ if code == 66 => return None,
        Value::Addresses(_) => ("ipv4-address", true),
        Value::Text(_) if code == 160 => ("string", false),
        // Kea knows many codes by names and types of its own: octets need neither.
        Value::Text(_) | Value::Octets(_) => return None,
    };
    let json =
        json!({ "name": format!("ringup-{code}"), "code": code, "type": kind, "array": array });
    Some(json.to_string())
}

/// Sent whether asked for or not: some phones ask for less than they use.
fn data(answers: &[Answer]) -> Vec<Json> {
    let option = |answer: &Answer| match &answer.value {
        Value::Addresses(addresses) => {
            json!({ "code": answer.code, "data": list(addresses, ", "), "always-send": true })
        }
        Value::Text(text) if matches!(answer.code, 66 | 160) && is_plain(text) => {
            json!({ "code": answer.code, "data": text, "always-send": true })
        }
        Value::Text(_) | Value::Octets(_) => {
            let octets = hex(&answer.value.bytes(), "");
            json!({ "code": answer.code, "csv-format": false, "data": octets, "always-send": true })
        }
    };
    answers.iter().map(option).collect()
}

/// Text in which Kea sees no list, no blank to trim and no escape.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'\\' | b'\''))
}

fn indented(items: &[String]) -> String {
    let mut out = String::new();
    for (nth, item) in items.iter().enumerate() {
        let comma = if nth + 1 < items.len() { "," } else { "" };
        for line in format!("{item}{comma}").lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
