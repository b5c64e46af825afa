//! `ringup phones show`: one phone, as an engineer reads it with the phone in hand.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    cli::output,
    domain::{Mac, Timestamp},
};

use super::{
    super::{
        client::{Client, Query},
        exit::{Done, Exit},
        output::{ago, clean, list, size, text},
    },
    flags, mac, place,
};

/// Options of `ringup phones show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ringup phones show 001E7AC41022")]
pub struct Show {
    /// The phone, in any spelling.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// How many events of its timeline, from the end.
    #[arg(long, value_name = "N", default_value_t = 20)]
    events: u32,
    /// Show its passwords; that somebody looked is recorded.
    #[arg(long)]
    secrets: bool,
    /// One JSON document: the phone, and its timeline as `events`.
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let query = Query::default().flag("reveal", self.secrets);
        let mut phone = client.json(&query.on(&place(self.mac)))?;
        let query = Query::default().with("limit", &self.events.to_string());
        let mut events = client.json(&query.on(&format!("{}/events", place(self.mac))))?;
        let events = events.get_mut("items").map_or(json!([]), Value::take);
        if self.json {
            phone["events"] = events;
            output::json(&phone)?;
        } else {
            output::line(record(&phone, &events, Timestamp::now()).trim_end())?;
        }
        Ok(Exit::Ok)
    }
}

/// The whole record. Writing to a string can't fail.
fn record(phone: &Value, events: &Value, now: Timestamp) -> String {
    let mut out = String::new();
    let address = text(phone, "/address");
    let at = if address.is_empty() { String::new() } else { format!(" at {address}") };
    let _ = writeln!(out, "{}{at}", text(phone, "/mac"));
    let since = ago(&text(phone, "/since"), now);
    let stage = text(phone, "/stage");
    let since = if stage == "silent" { String::new() } else { format!(" for {since}") };
    let _ = writeln!(out, "  stage     {stage}{since} {}", flags(phone));
    entry(&mut out, phone);
    identity(&mut out, phone);
    findings(&mut out, phone);
    transfers(&mut out, phone);
    let events = events.as_array().map_or(&[][..], Vec::as_slice);
    if !events.is_empty() {
        out.push_str("\ntimeline\n");
    }
    for event in events {
        let at = text(event, "/at");
        let time = at.parse::<Timestamp>().map_or(at.clone(), local);
        let _ = writeln!(out, "  {time}  {}", clean(&text(event, "/text")));
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A moment as the operator's clock on the wall shows it.
fn local(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What is listed, by the columns of a list, so that it can be typed into `phones set`.
fn entry(out: &mut String, phone: &Value) {
    let Some(Value::Object(entry)) = phone.get("entry") else {
        let _ = writeln!(out, "  entry     none: it is not listed");
        return;
    };
    out.push_str("\nentry\n");
    let mut row = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {key:<12} {}", clean(value));
        }
    };
    for key in FIELDS {
        row(key, &text(phone, &format!("/entry/{key}")));
    }
    for (index, line) in (1_usize..).zip(list(phone, "/entry/lines")).skip(1) {
        for key in ["number", "name", "sip-user", "sip-password"] {
            row(&format!("line.{index}.{key}"), &text(line, &format!("/{key}")));
        }
    }
    for (map, prefix) in
        [("keys", "key."), ("module-keys", "module."), ("set", "set."), ("var", "var.")]
    {
        for (key, value) in entry.get(map).and_then(Value::as_object).into_iter().flatten() {
            // A side car's key is spelt module.M.key.N in a list.
            let key = if map == "module-keys" { key.replace('.', ".key.") } else { key.clone() };
            row(&format!("{prefix}{key}"), &text(value, ""));
        }
    }
    if entry.get("auto-registered") == Some(&Value::Bool(true)) {
        row("listed by", "auto-registration");
    }
}

/// The plain columns of an import, in the order in which they are shown.
const FIELDS: [&str; 9] =
    ["model", "number", "name", "sip-user", "sip-password", "site", "location", "address", "note"];

/// What it is, and every ground for it, strongest first.
fn identity(out: &mut String, phone: &Value) {
    let part = |key: &str| text(phone, &format!("/identity/{key}"));
    let parts: Vec<String> =
        ["vendor", "model"].map(part).into_iter().filter(|p| !p.is_empty()).collect();
    let what = if parts.is_empty() { "not known yet".to_owned() } else { parts.join(" ") };
    let _ = writeln!(out, "\nidentity    {}", clean(&what));
    for (label, key) in [("family", "family"), ("firmware", "firmware")] {
        let value = part(key);
        if !value.is_empty() {
            let _ = writeln!(out, "  {label:<12} {}", clean(&value));
        }
    }
    for ground in list(phone, "/identity/grounds") {
        let (from, value) = (text(ground, "/from"), clean(&text(ground, "/value")));
        let _ = writeln!(out, "  {from:<12} {value}");
    }
}

/// What is wrong, and why it goes no further: each with its remedy.
fn findings(out: &mut String, phone: &Value) {
    for finding in list(phone, "/findings") {
        let (kind, what) = (text(finding, "/kind"), clean(&text(finding, "/text")));
        let _ = writeln!(out, "\n{kind}: {what}");
        remedy(out, finding);
    }
    let progress = text(phone, "/progress");
    if !progress.is_empty() {
        let _ = writeln!(out, "\nupgrade: {}", clean(&progress));
    }
    let Some(diagnosis) = phone.get("diagnosis").filter(|diagnosis| !diagnosis.is_null()) else {
        return;
    };
    let _ = writeln!(out, "\nwhy it is here: {}", clean(&text(diagnosis, "/text")));
    remedy(out, diagnosis);
    let expected = text(diagnosis, "/expected");
    if !expected.is_empty() {
        let _ = writeln!(out, "  next: {}", clean(&expected));
    }
}

fn remedy(out: &mut String, of: &Value) {
    let remedy = text(of, "/remedy");
    if !remedy.is_empty() {
        let _ = writeln!(out, "  help: {}", clean(&remedy));
    }
}

/// Its last files. A miss that the family's profile calls normal says so: it is no fault to look for.
fn transfers(out: &mut String, phone: &Value) {
    let transfers = list(phone, "/transfers");
    if !transfers.is_empty() {
        out.push_str("\nfiles\n");
    }
    for transfer in transfers {
        let number = |key: &str| transfer.get(key).and_then(Value::as_u64).unwrap_or_default();
        let (bytes, length) = (number("bytes"), number("length"));
        let why = text(transfer, "/text");
        let why = if why.is_empty() { why } else { format!(": {why}") };
        let how = match text(transfer, "/outcome").as_str() {
            "" => format!("{} of {}", size(bytes), size(length)),
            "complete" => format!("complete, {}", size(length)),
            "refused" => format!("refused{why}"),
            outcome => format!("{outcome} after {} of {}{why}", size(bytes), size(length)),
        };
        let normal = transfer.get("normal") == Some(&Value::Bool(true));
        let normal = if normal { " (normal)" } else { "" };
        let (name, carrier) = (clean(&text(transfer, "/name")), text(transfer, "/carrier"));
        let source = clean(&text(transfer, "/source"));
        let from = if source.is_empty() { source } else { format!(", from {source}") };
        let _ = writeln!(out, "  {name} by {carrier}: {}{normal}{from}", clean(&how));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record() {
        let phone: Value = serde_json::from_str(
            r#"{"mac":"00:1e:7a:c4:10:22","stage":"defaulted","since":"2026-11-20T08:57:00Z","ready":false,"stuck":true,
                "address":"10.20.0.51","entry":{"model":"7961G-GE","number":"4012","lines":[{"number":"4012"},{"number":"4013"}],
                  "module-keys":{"1.3":"line:2"}},
                "identity":{"vendor":"Cisco","model":"7961G","family":"cisco-79xx-enterprise","firmware":null,
                  "grounds":[{"from":"option-60","value":"Cisco Systems, Inc. IP Phone CP-7961G"}]},
                "findings":[{"kind":"wrong-model","text":"listed as 7961G-GE, says it is a 7961G","remedy":"list it as 7961"}],
                "diagnosis":{"cause":"x","text":"it has no file of its own","remedy":"list it","expected":"SEP….cnf.xml"},
                "transfers":[{"name":"a","carrier":"tftp","bytes":4096,"length":4096,"outcome":"complete","source":"template cisco/a.j2"},
                  {"name":"CTL","carrier":"tftp","bytes":0,"length":0,"outcome":"refused","text":"there is no CTL","normal":true}]}"#,
        )
        .unwrap();
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        insta::assert_snapshot!(record(&phone, &json!([]), now));
    }
}
