//! `ringup render`: the bytes that a phone would get, or where their values come from.

use std::{net::IpAddr, path::Path};

use serde_json::Value;

use crate::domain::Mac;

use super::{
    client::{Client, Query, part},
    exit::{Done, Exit},
    output::{self, list, text},
    phones::mac,
    settings,
};

/// Options of `ringup render`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup render 001E7AC41022 SEP001E7AC41022.cnf.xml\n  \
    ringup render 001565aabbcc 001565aabbcc.cfg > before.cfg\n  \
    ringup render 001565aabbcc 001565aabbcc.cfg --explain\n\n\
    Passwords are shown as the phone gets them; that somebody looked is recorded. With --explain they are masked.")]
pub struct Render {
    /// The phone, in any spelling.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// The name as the phone asks for it.
    name: String,
    /// Show where each value comes from instead: entry, model, site, default site or profile.
    #[arg(long)]
    explain: bool,
    /// With --explain: one JSON document.
    #[arg(long, requires = "explain")]
    json: bool,
    /// The appliance's address to write, where the phone has none yet that would tell.
    #[arg(long, value_name = "ADDRESS")]
    server: Option<IpAddr>,
}

impl Render {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let client = Client::connect(settings::sound(config)?.loaded.settings)?;
        let name = self.name.trim_start_matches('/');
        let path = format!("/api/v1/phones/{}/files/{}", part(&self.mac.to_string()), part(name));
        let server = self.server.map(|server| server.to_string());
        let query = Query::default().maybe("server", server.as_deref());
        let explained = client.json(&query.clone().flag("explain", true).on(&path));
        if !self.explain {
            output::bytes(&client.get(&query.flag("reveal", true).on(&path))?)?;
        }
        // What has no values of its own, such as a digest, names no server either.
        if !self.json && explained.as_ref().is_ok_and(names_nobody) {
            output::note(&format!(
                "{NOBODY} stands where {} will be told this appliance's address: it has no address yet, and the settings \
                don't tell which subnet it will be in; name it with --server",
                self.mac
            ));
        }
        if !self.explain {
            return Ok(Exit::Ok);
        }
        let explained = explained?;
        if self.json {
            output::json(&explained)?;
        } else {
            explain(&explained)?;
        }
        Ok(Exit::Ok)
    }
}

/// What stands for our address where nothing tells it.
const NOBODY: &str = "0.0.0.0";

/// True if the file holds our address, and nothing told which that is.
fn names_nobody(explained: &Value) -> bool {
    list(explained, "/values").iter().any(|value| {
        let is_ours = matches!(text(value, "/name").as_str(), "tftp_server" | "http_base");
        is_ours && text(value, "/value").contains(NOBODY)
    })
}

/// A line for each value, in the order in which they stand in the file.
fn explain(explained: &Value) -> std::io::Result<()> {
    output::line(&format!("from {}", output::clean(&text(explained, "/source"))))?;
    let mut table = output::table(["NAME", "VALUE", "LEVEL", "WHERE"]);
    for value in list(explained, "/values") {
        let part = |pointer: &str| text(value, pointer);
        let places = [part("/at"), part("/note")];
        let place = places.into_iter().filter(|place| !place.is_empty()).collect::<Vec<_>>();
        let level = match (part("/level").as_str(), part("/site")) {
            ("default-site", _) => "site default".to_owned(),
            ("model", site) if !site.is_empty() => format!("model, site {site}"),
            ("site", site) => format!("site {site}"),
            (level, _) => level.to_owned(),
        };
        output::row(&mut table, [part("/name"), part("/value"), level, place.join(", ")]);
    }
    output::print(table, "it is served as it is: no values go into it")
}
