//! `ringup reload`: other settings for the running appliance, without a socket closed or a transfer broken.

use std::path::Path;

use axum::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::{
    client::{self, Client, Query},
    exit::{Done, Exit, Failure},
    output::{self, clean, list, text},
    settings,
};

/// Options of `ringup reload`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Takes anew: settings, sites, subnets, pools, interfaces, listening addresses, profiles, files and \
    firmware. Another state directory needs a restart.\n\n\
    Exit codes: 0 in force, 1 in force but for what needs a restart, 69 no ringup runs, 78 errors: nothing has changed.\n\n\
    The same: systemctl reload ringup; kill -HUP does it without telling you the outcome."
)]
pub struct Reload {
    /// Only tell what would change.
    #[arg(long)]
    dry_run: bool,
    /// One JSON document: {"changes":[{"key","old","new"}],"restart":[…],"warnings":[…]}.
    #[arg(long)]
    json: bool,
}

impl Reload {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        // Checked here too: a file with errors may not even tell where the appliance is.
        let fresh = settings::fresh(config)
            .map_err(|problems| refused(&Failure::problems(&problems).text))?;
        let appliance = Client::running(&fresh.loaded.settings)?;
        let path = Query::default().flag("dry-run", self.dry_run).on("/api/v1/reload");
        let (status, body) = appliance.ask(Method::POST, &path, "", Bytes::new())?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status == StatusCode::UNPROCESSABLE_ENTITY {
            let problems: Vec<String> = list(&answer, "/problems").iter().map(problem).collect();
            return Err(refused(&problems.join("\n")));
        }
        if !status.is_success() {
            return Err(client::problem(status, &body));
        }
        if self.json {
            output::json(&answer)?;
        } else {
            self.tell(&answer)?;
        }
        Ok(if list(&answer, "/restart").is_empty() { Exit::Ok } else { Exit::Found })
    }

    fn tell(&self, answer: &Value) -> Result<(), Failure> {
        for warning in list(answer, "/warnings") {
            output::line(&problem(warning))?;
        }
        let changes = list(answer, "/changes");
        for change in changes {
            output::line(&difference(change))?;
        }
        let restart = list(answer, "/restart");
        for one in restart {
            output::line(&format!("needs a restart: {}", clean(one.as_str().unwrap_or_default())))?;
        }
        let count = match changes.len() {
            0 => "nothing has changed".to_owned(),
            1 => "1 change".to_owned(),
            several => format!("{several} changes"),
        };
        let end = match (self.dry_run, changes.is_empty()) {
            (true, _) => ", nothing done",
            (false, true) => "",
            (false, false) => ", in force",
        };
        Ok(output::line(&format!("{count}{end}"))?)
    }
}

/// Errors, and that nothing has changed.
fn refused(problems: &str) -> Failure {
    Failure::new(Exit::Config, format!("{problems}\nnothing has changed"))
}

/// A problem as `ringup check` prints it.
fn problem(value: &Value) -> String {
    let part = |pointer: &str| clean(&text(value, pointer));
    let (file, line, help) = (part("/file"), part("/line"), part("/help"));
    let place = match (file.as_str(), line.as_str()) {
        ("", _) => String::new(),
        (file, "") => format!("{file}: "),
        (file, line) => format!("{file}:{line}: "),
    };
    let warning = if part("/severity") == "warning" { "warning: " } else { "" };
    let help = if help.is_empty() { String::new() } else { format!("\n  help: {help}") };
    format!("{place}{warning}{}{help}", part("/text"))
}

/// `key: old → new`, and what is there on one side only.
fn difference(change: &Value) -> String {
    let part = |pointer: &str| clean(&text(change, pointer));
    let is = |pointer: &str| change.pointer(pointer).is_some_and(|value| !value.is_null());
    let (key, old, new) = (part("/key"), part("/old"), part("/new"));
    match (is("/old"), is("/new")) {
        (false, _) => format!("+ {key}: {new}"),
        (true, false) => format!("- {key}: {old}"),
        (true, true) => format!("~ {key}: {old} → {new}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_in_one_line() {
        let check = |old: Value, new: Value, line: &str| {
            assert_eq!(difference(&json!({ "key": "a.b", "old": old, "new": new })), line);
        };
        check(json!("1"), json!("2"), "~ a.b: 1 → 2");
        check(Value::Null, json!("2"), "+ a.b: 2");
        check(json!("1"), Value::Null, "- a.b: 1");
    }

    #[test]
    fn problems_as_check_prints_them() {
        let check = |value: Value, line: &str| assert_eq!(problem(&value), line);
        let whole =
            json!({ "file": "a", "line": 3, "severity": "warning", "text": "b", "help": "c" });
        check(whole, "a:3: warning: b\n  help: c");
        check(
            json!({ "file": "", "line": null, "severity": "error", "text": "b", "help": "" }),
            "b",
        );
    }
}
