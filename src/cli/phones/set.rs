//! `ringup phones set`.

use hyper::Method;
use serde_json::{Map, Value};

use crate::{cli::output, domain::Mac};

use super::{
    super::{
        client::Client,
        exit::{Done, Exit},
    },
    mac, place,
};

/// Options of `ringup phones set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup phones set 001E7AC41022 model=7961G number=4012 name='Front desk'\n  \
    ringup phones set 001E7AC41022 site=paris key.1=blf:4013:Anna\n  \
    ringup phones set 001E7AC41022 note=      clears a field\n\n\
    Fields are the columns of an import: model, number, name, sip-user, sip-password, site, location, address, note, \
    key.N, module.M.key.N, line.N.number …, set.KEY, var.NAME.")]
pub struct Set {
    /// The phone, in any spelling. One that is not listed yet is listed.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// Fields to set; the others stay as they are.
    #[arg(required = true, value_name = "FIELD=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
}

fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a field and its value, such as number=4012".to_owned()),
    }
}

impl Set {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let fields: Map<String, Value> = self
            .fields
            .iter()
            .map(|(key, value)| (key.clone(), Value::String(value.clone())))
            .collect();
        client.exchange(Method::PUT, &place(self.mac), &Value::Object(fields))?;
        output::line(&format!("{} is set", self.mac))?;
        Ok(Exit::Ok)
    }
}
