//! `ringup phones list`.

use serde_json::{Value, json};

use crate::{cli::output, domain::Timestamp};

use super::{
    super::{
        client::{Client, Query},
        exit::{Done, Exit},
        output::{ago, list, text},
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
    /// Only phones with this finding, such as wrong-model or not-listed.
    #[arg(long, value_name = "KIND")]
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

fn stage(text: &str) -> Result<String, String> {
    let names = crate::domain::Stage::ALL.map(crate::domain::Stage::as_str);
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
        let mut table = output::table([
            "MAC", "STAGE", "SINCE", "FLAGS", "MODEL", "NUMBER", "NAME", "SITE", "ADDRESS",
            "FINDINGS", "LAST",
        ]);
        let now = Timestamp::now();
        for phone in &phones {
            output::row(&mut table, row(phone, now));
        }
        output::print(table, "no phones: `ringup phones import FILE.csv` lists some")?;
        Ok(Exit::Ok)
    }
}

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
