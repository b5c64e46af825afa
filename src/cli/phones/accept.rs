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
        let said = |word: &str, pointer: &str| {
            let value = text(&phone, pointer);
            if value.is_empty() { value } else { format!(" {word} {value}") }
        };
        let (model, site) = (said("as", "/entry/model"), said("at", "/entry/site"));
        output::line(&format!("{} is listed{model}{site}", text(&phone, "/mac")))?;
        Ok(Exit::Ok)
    }
}
