//! `ringup leases import`: another server's leases, so that each phone keeps its address through a cut-over.

use std::path::PathBuf;

use hyper::Method;
use serde_json::Value;

use crate::cli::{
    client::{Client, Query},
    exit::{Done, Exit, Failure},
    input,
    output::{self, list, text},
};

/// Options of `ringup leases import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup leases import /var/lib/dhcp/dhcpd.leases --dry-run\n  \
    cat kea-leases4.csv.2 kea-leases4.csv | ringup leases import -\n  \
    ringup leases import /var/lib/misc/dnsmasq.leases\n\n\
    The file is recognized by what is in it. Stop the old server first, so that it gives nothing away behind the file. \
    Kea keeps older leases in kea-leases4.csv.2 (or .completed): it goes first. Exit code 65 if a lease was refused: \
    somebody else has its address, or it can't be read; the others are imported all the same.")]
pub struct Import {
    /// The lease file; `-` reads standard input.
    file: PathBuf,
    /// Say what would happen; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON document, with every lease.
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let path = Query::default().flag("dry-run", self.dry_run).on("/api/v1/leases/import");
        let answer =
            client.send(Method::POST, &path, "text/plain", input::read(&self.file)?.into())?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| {
            Failure::new(Exit::Unavailable, format!("an answer that is no JSON: {error}"))
        })?;
        if self.json {
            output::json(&answer)?;
        } else {
            self.tell(&answer)?;
        }
        Ok(if count(&answer, "refused") > 0 { Exit::Data } else { Exit::Ok })
    }

    fn tell(&self, answer: &Value) -> Result<(), Failure> {
        let mut table = output::table(["LINE", "ADDRESS", "MAC", "VERDICT", "WHY"]);
        for row in list(answer, "/rows") {
            let cells = ["/line", "/address", "/mac", "/verdict", "/reason"];
            output::row(&mut table, cells.map(|cell| text(row, cell)));
        }
        if !table.is_empty() {
            output::print(table, "")?;
        }
        output::line(&summary(answer, self.dry_run))?;
        Ok(())
    }
}

fn count(answer: &Value, key: &str) -> u64 {
    answer.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn summary(answer: &Value, dry: bool) -> String {
    let parts = ["imported", "same", "skipped", "refused"].map(|key| {
        format!("{} {}", count(answer, key), if key == "same" { "the same" } else { key })
    });
    let end = if dry { "; nothing was changed: this is a dry run" } else { "" };
    format!("{}: {}{end}", text(answer, "/format"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn summaries() {
        let answer = json!({"format": "Kea", "imported": 3, "same": 1, "skipped": 2, "refused": 0});
        assert_eq!(summary(&answer, false), "Kea: 3 imported, 1 the same, 2 skipped, 0 refused");
        assert!(summary(&answer, true).ends_with("this is a dry run"));
    }
}
