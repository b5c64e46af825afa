//! `ringup phones accept`.

use hyper::Method;
use serde_json::json;

use crate::{cli::output, domain::Mac};

use super::{
    super::{
        client::Client,
        exit::{Done, Exit},
        output::text,
    },
    mac, place,
};

/// Options of `ringup phones accept`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    ringup phones list --finding wrong-model\n  \
    ringup phones accept 001E7AC41022 wrong-model     lists it as the model that it says it is\n\n\
    `ringup phones undo` takes it back.")]
pub struct Accept {
    /// The phone, in any spelling.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// The kind of the finding whose repair is meant; else the first that proposes one.
    kind: Option<String>,
}

impl Accept {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let path = format!("{}/accept", place(self.mac));
        let phone = client.exchange(Method::POST, &path, &json!({ "kind": self.kind }))?;
        let or = |given: &str, none: &str| {
            if given.is_empty() { none.to_owned() } else { given.to_owned() }
        };
        let (mac, model) = (text(&phone, "/mac"), text(&phone, "/entry/model"));
        let site = Some(text(&phone, "/entry/site")).filter(|site| !site.is_empty());
        let site = site.map_or(String::new(), |site| format!(" at {site}"));
        output::line(&format!("{mac} is listed as {}{site}", or(&model, "a phone")))?;
        Ok(Exit::Ok)
    }
}
