//! `ringup render`: the bytes that a phone would get.

use std::path::Path;

use crate::domain::Mac;

use super::{
    client::{Client, Query, part},
    exit::{Done, Exit},
    output,
    phones::mac,
    settings,
};

/// Options of `ringup render`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup render 001E7AC41022 SEP001E7AC41022.cnf.xml\n  \
    ringup render 001565aabbcc 001565aabbcc.cfg > before.cfg\n\n\
    Passwords are shown as the phone gets them; that somebody looked is recorded.")]
pub struct Render {
    /// The phone, in any spelling.
    #[arg(value_parser = mac)]
    mac: Mac,
    /// The name as the phone asks for it.
    name: String,
}

impl Render {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let client = Client::connect(settings::sound(config)?.loaded.settings)?;
        let name = self.name.trim_start_matches('/');
        let path = format!("/api/v1/phones/{}/files/{}", part(&self.mac.to_string()), part(name));
        output::bytes(&client.get(&Query::default().flag("reveal", true).on(&path))?)?;
        Ok(Exit::Ok)
    }
}
