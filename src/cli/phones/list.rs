//! `ringup phones list`.

use serde_json::{Value, json};

use crate::{
    cli::output,
    domain::{FindingKind, Stage, Timestamp},
};

use super::{
    super::{
        client::{Client, Query},
        exit::{Done, Exit},
        output::{Column, ago, list, text},
    },
    flags,
};

/// Options of `ringup phones list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup phones list --stage defaulted     who got only a fallback file\n  \
    ringup phones list --finding wrong-model --json")]
pub struct List {
    /// Only phones at this stage: silent, discovered, leased, asking, defaulted, configured, upgrading, registering,
    /// registered.
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: Option<String>,
    /// Only phones with this finding: wrong-model, wrong-family, not-listed, no-numbers-left, pool-exhausted,
    /// address-conflict, secret-withheld, mac-mismatch, firmware-missing.
    #[arg(long, value_name = "KIND", value_parser = finding)]
    finding: Option<String>,
    /// Only phones of this site.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Only phones with this text in their MAC, number, name, model, address or location.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

/// The name of a stage, for clap.
pub(super) fn stage(text: &str) -> Result<String, String> {
    one_of(text, &Stage::ALL.map(Stage::as_str))
}

/// The name of a finding, for clap.
pub(super) fn finding(text: &str) -> Result<String, String> {
    one_of(text, &FindingKind::ALL.map(FindingKind::as_str))
}

fn one_of(text: &str, names: &[&str]) -> Result<String, String> {
    let known = names.contains(&text);
    if known { Ok(text.to_owned()) } else { Err(format!("one of: {}", names.join(", "))) }
}

impl List {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let query = Query::default()
            .maybe("stage", self.stage.as_deref())
            .maybe("finding", self.finding.as_deref())
            .maybe("site", self.site.as_deref())
            .maybe("q", self.query.as_deref());
        let phones = client.items("/api/v1/phones", &query)?;
        if self.json {
            output::json(&json!({ "items": phones }))?;
            return Ok(Exit::Ok);
        }
        let now = Timestamp::now();
        let rows: Vec<_> = phones.iter().map(|phone| row(phone, now)).collect();
        output::fitted(&COLUMNS, &rows, self.none())?;
        Ok(Exit::Ok)
    }

    /// What to say where there is nothing to list.
    fn none(&self) -> &'static str {
        let asked = [&self.stage, &self.finding, &self.site, &self.query];
        if asked.iter().any(|asked| asked.is_some()) {
            "no phone is like that"
        } else {
            "no phones: `ringup phones import FILE.csv` lists some"
        }
    }
}

/// What stands in a row. On 80 columns there is room for what is wrong with which phone.
const COLUMNS: [Column; 11] = [
    Column { name: "MAC", least: 17, leaves: None },
    Column { name: "STAGE", least: 11, leaves: None },
    Column { name: "SINCE", least: 6, leaves: Some(3) },
    Column { name: "FLAGS", least: 7, leaves: Some(7) },
    Column { name: "MODEL", least: 10, leaves: Some(6) },
    Column { name: "NUMBER", least: 6, leaves: Some(9) },
    Column { name: "NAME", least: 10, leaves: Some(4) },
    Column { name: "SITE", least: 8, leaves: Some(2) },
    Column { name: "ADDRESS", least: 15, leaves: Some(5) },
    Column { name: "FINDINGS", least: 17, leaves: Some(8) },
    Column { name: "LAST", least: 20, leaves: Some(1) },
];

fn row(phone: &Value, now: Timestamp) -> [String; 11] {
    let kinds: Vec<String> = list(phone, "/findings").iter().map(|f| text(f, "/kind")).collect();
    let seen = text(phone, "/stage") != "silent";
    [
        text(phone, "/mac"),
        text(phone, "/stage"),
        if seen { ago(&text(phone, "/since"), now) } else { String::new() },
        flags(phone),
        model(phone),
        text(phone, "/entry/number"),
        text(phone, "/entry/name"),
        text(phone, "/entry/site"),
        text(phone, "/address"),
        kinds.join(" "),
        last(phone, now),
    ]
}

/// The model, and both where what is listed and what it says differ.
fn model(phone: &Value) -> String {
    let (listed, seen) = (text(phone, "/entry/model"), text(phone, "/identity/model"));
    let wrong =
        list(phone, "/findings").iter().any(|finding| text(finding, "/kind") == "wrong-model");
    match (listed.as_str(), seen.as_str()) {
        (listed, "") => listed.to_owned(),
        ("", seen) => seen.to_owned(),
        (listed, seen) if wrong => format!("{listed} (is {seen})"),
        (listed, _) => listed.to_owned(),
    }
}

/// The last event and how long ago it was.
fn last(phone: &Value, now: Timestamp) -> String {
    let (what, at) = (text(phone, "/last/text"), text(phone, "/last/at"));
    if what.is_empty() || at.is_empty() { what } else { format!("{what} ({} ago)", ago(&at, now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row() {
        let phone: Value = serde_json::from_str(
            r#"{"mac":"00:1e:7a:c4:10:22","stage":"defaulted","since":"2026-11-20T08:57:00Z","ready":false,"stuck":true,
                "entry":{"model":"7961G-GE","number":"4012","name":"Front desk","site":"bench-1"},
                "identity":{"model":"7961G"},"address":"10.20.0.51","findings":[{"kind":"wrong-model"}],
                "last":{"text":"has SEPDEFAULT.cnf (12 bytes)","at":"2026-11-20T08:59:20Z"}}"#,
        )
        .unwrap();
        let row = row(&phone, "2026-11-20T09:00:00Z".parse().unwrap());
        assert_eq!(
            row.join("|"),
            "00:1e:7a:c4:10:22|defaulted|3 min|stuck|7961G-GE (is 7961G)|4012|Front desk|bench-1|10.20.0.51|\
             wrong-model|has SEPDEFAULT.cnf (12 bytes) (40 s ago)"
        );
    }
}
