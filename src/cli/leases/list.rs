//! `ringup leases list`.

use serde_json::{Value, json};

use crate::cli::{
    client::{Client, Query},
    exit::{Done, Exit},
    output::{self, text},
};

/// Options of `ringup leases list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ringup leases list --active")]
pub struct List {
    /// Leave out those that ended.
    #[arg(long)]
    active: bool,
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let mut leases = client.items("/api/v1/leases", &Query::default())?;
        leases.retain(|lease| !self.active || is_active(lease));
        if self.json {
            output::json(&json!({ "items": leases }))?;
            return Ok(Exit::Ok);
        }
        let mut table = output::table(["ADDRESS", "MAC", "STATE", "UNTIL", "SINCE", "CLIENT"]);
        for lease in &leases {
            output::row(&mut table, row(lease));
        }
        output::print(table, "no leases")?;
        Ok(Exit::Ok)
    }
}

fn is_active(lease: &Value) -> bool {
    lease.get("active") == Some(&Value::Bool(true))
}

fn row(lease: &Value) -> [String; 6] {
    [
        text(lease, "/address"),
        text(lease, "/mac"),
        if is_active(lease) { "active" } else { "ended" }.to_owned(),
        text(lease, "/until"),
        text(lease, "/since"),
        client(&text(lease, "/client")),
    ]
}

/// The key that the client is known by: what it calls itself, or nothing where that is its MAC.
fn client(key: &str) -> String {
    match key.split_at_checked(2) {
        Some(("01", identifier)) => identifier.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let lease = json!({"address": "10.20.0.51", "mac": "00:1e:7a:c4:10:22", "client": "0101001e7ac41022",
            "since": "2026-11-20T08:00:00.000Z", "until": "2026-11-21T08:00:00.000Z", "active": true});
        assert_eq!(
            row(&lease).join("|"),
            "10.20.0.51|00:1e:7a:c4:10:22|active|2026-11-21T08:00:00.000Z|2026-11-20T08:00:00.000Z|01001e7ac41022"
        );
        assert_eq!(client("00001e7ac41022"), "");
    }
}
