//! `ringup phones import`: a verdict on every row, and nothing done by half.

use std::path::PathBuf;

use hyper::Method;
use serde_json::Value;

use crate::cli::{input, output};

use super::super::{
    client::{Client, Query},
    exit::{Done, Exit, Failure},
    output::{list, text},
};

/// Options of `ringup phones import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup phones import phones.csv --dry-run\n  \
    ringup phones import export.csv --map 'MAC Address=mac' --map Ext=number --ignore-unknown\n  \
    ringup phones import bat-export.txt     what FreePBX, 3CX and Cisco Unified CM (BAT) export is told by its columns\n\n\
    The first row names the columns, in any order: mac, model, number, name, sip-user, sip-password, site, location, \
    address, note, line, key.N, module.M.key.N, set.KEY, var.NAME. A second row with the same MAC and line = 2 adds a \
    line. Exit code 65 if a row was refused; then nothing is imported unless --partial is given. \
    `ringup phones undo` takes an import back.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Import {
    /// The CSV file; `-` reads standard input.
    file: PathBuf,
    /// Say what would happen; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Import the good rows even if others are refused.
    #[arg(long)]
    partial: bool,
    /// Read a column under another name.
    #[arg(long, value_name = "THEIRS=OURS", value_parser = renaming)]
    map: Vec<String>,
    /// Whose export it is; told by the columns unless said or --map names some.
    #[arg(long, value_name = "WHOSE", value_parser = ["freepbx", "3cx", "cucm"])]
    from: Option<String>,
    /// Pass over columns that ringup does not know.
    #[arg(long)]
    ignore_unknown: bool,
    /// Also remove the entries of --site that the file lacks.
    #[arg(long, requires = "site")]
    prune: bool,
    /// The site whose entries --prune looks at.
    #[arg(long, value_name = "NAME", requires = "prune")]
    site: Option<String>,
    /// Show rows that change nothing too.
    #[arg(long)]
    all: bool,
    /// One JSON document, with every row.
    #[arg(long)]
    json: bool,
}

/// `THEIRS=OURS`: their name may hold an `=`, ours never does.
fn renaming(text: &str) -> Result<String, String> {
    let named =
        text.rsplit_once('=').is_some_and(|(theirs, ours)| !theirs.is_empty() && !ours.is_empty());
    let help = "their name, then ours, such as 'MAC Address=mac'";
    if named { Ok(text.to_owned()) } else { Err(help.to_owned()) }
}

impl Import {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let mut query = Query::default()
            .flag("dry-run", self.dry_run)
            .flag("partial", self.partial)
            .flag("ignore-unknown", self.ignore_unknown)
            .flag("prune", self.prune)
            .maybe("site", self.site.as_deref())
            .maybe("from", self.from.as_deref());
        for map in &self.map {
            query = query.with("map", map);
        }
        let body = input::read(&self.file)?;
        let path = query.on("/api/v1/phones/import");
        let answer = client.send(Method::POST, &path, "text/csv", body.into())?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| {
            Failure::new(Exit::Unavailable, format!("an answer that is no JSON: {error}"))
        })?;
        if self.json {
            output::json(&answer)?;
        } else {
            self.tell(&answer)?;
        }
        Ok(if is_refused(&answer) { Exit::Data } else { Exit::Ok })
    }

    /// A problem of the list as a whole, with its place and remedy.
    fn problem(&self, problem: &Value) -> String {
        let (line, help) = (text(problem, "/line"), text(problem, "/help"));
        let line = if line.is_empty() { String::new() } else { format!(":{line}") };
        let help = if help.is_empty() { String::new() } else { format!("\n  help: {help}") };
        let named = self.file.as_os_str() != "-";
        let file =
            if named { self.file.display().to_string() } else { "standard input".to_owned() };
        format!("{file}{line}: {}{help}", text(problem, "/text"))
    }

    /// Rows that change something, were refused or are odd, then how many of each.
    fn tell(&self, answer: &Value) -> Result<(), Failure> {
        let mut table = output::table(["LINE", "MAC", "VERDICT", "WHAT"]);
        for row in list(answer, "/rows") {
            let verdict = text(row, "/verdict");
            if verdict != "same" || self.all || !list(row, "/warnings").is_empty() {
                output::row(
                    &mut table,
                    [text(row, "/line"), text(row, "/mac"), verdict, what(row)],
                );
            }
        }
        if !table.is_empty() {
            output::print(table, "")?;
        }
        for problem in list(answer, "/problems") {
            output::line(&self.problem(problem))?;
        }
        output::line(&summary(answer, self.dry_run))?;
        Ok(())
    }
}

/// True if a row was refused, or the list as a whole.
fn is_refused(answer: &Value) -> bool {
    let refused = answer.get("refused").and_then(Value::as_u64).unwrap_or_default();
    let problems = list(answer, "/problems");
    refused > 0 || problems.iter().any(|problem| text(problem, "/severity") == "error")
}

/// Every fault of a row with its repair, or which fields it changes; then what is odd about it.
fn what(row: &Value) -> String {
    let faults = list(row, "/faults").iter().map(fault);
    let fields: Vec<String> = list(row, "/fields").iter().map(|field| text(field, "")).collect();
    let fields = Some(fields.join(", ")).filter(|fields| !fields.is_empty());
    let warnings = list(row, "/warnings").iter().map(|warning| text(warning, ""));
    faults.chain(fields).chain(warnings).collect::<Vec<_>>().join("; ")
}

fn fault(fault: &Value) -> String {
    let (column, reason, repair) =
        (text(fault, "/column"), text(fault, "/reason"), text(fault, "/repair"));
    let place = if column.is_empty() { String::new() } else { format!("{column}: ") };
    let repair = if repair.is_empty() { String::new() } else { format!(" — {repair}") };
    format!("{place}{reason}{repair}")
}

/// How many of each verdict, and why nothing was done if so.
fn summary(answer: &Value, dry: bool) -> String {
    let count = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or_default();
    let mut parts = vec![
        format!("{} added", count("added")),
        format!("{} changed", count("changed")),
        format!("{} the same", count("same")),
        format!("{} refused", count("refused")),
    ];
    if count("removed") > 0 {
        parts.push(format!("{} removed", count("removed")));
    }
    let applied = answer.get("applied") == Some(&Value::Bool(true));
    let end = match (applied, dry) {
        (true, _) => "",
        (false, true) => "; nothing was changed: this is a dry run",
        (false, false) if count("refused") > 0 => {
            "; nothing was imported: mend the refused rows, or take the others with --partial"
        }
        // No row is to blame: what the list as a whole lacks is told above, and --partial would not help.
        (false, false) if is_refused(answer) => return "nothing was imported".to_owned(),
        (false, false) => "; there was nothing to do",
    };
    format!("{}{end}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn summaries() {
        let check =
            |answer: Value, dry, expected: &str| assert_eq!(summary(&answer, dry), expected);
        let good = json!({"added": 2, "changed": 1, "same": 3, "refused": 0, "applied": true});
        check(good, false, "2 added, 1 changed, 3 the same, 0 refused");
        let bad = json!({"added": 2, "refused": 1, "applied": false});
        check(
            bad.clone(),
            true,
            "2 added, 0 changed, 0 the same, 1 refused; nothing was changed: this is a dry run",
        );
        check(
            bad,
            false,
            "2 added, 0 changed, 0 the same, 1 refused; nothing was imported: mend the refused rows, or take the others \
             with --partial",
        );
    }

    #[test]
    fn rows() {
        let fault = json!({"column": "mac", "reason": "`1.57E+11` is what a spreadsheet made of it", "repair": "format the column as text"});
        let refused = json!({"faults": [fault], "warnings": ["no family has it"]});
        assert_eq!(
            what(&refused),
            "mac: `1.57E+11` is what a spreadsheet made of it — format the column as text; no family has it"
        );
        assert_eq!(what(&json!({"fields": ["model", "name"]})), "model, name");
    }
}
