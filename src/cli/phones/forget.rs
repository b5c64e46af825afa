//! `ringup phones forget`.

use axum::body::Bytes;
use hyper::Method;

use crate::{cli::output, domain::Mac};

use super::{
    super::{
        client::Client,
        exit::{Done, Exit},
    },
    mac, place,
};

/// Options of `ringup phones forget`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ringup phones forget 001E7AC41022 001565aabbcc")]
pub struct Forget {
    /// The phones, in any spelling.
    #[arg(required = true, value_name = "MAC", value_parser = mac)]
    macs: Vec<Mac>,
}

impl Forget {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        for mac in &self.macs {
            client.send(Method::DELETE, &place(*mac), "", Bytes::new())?;
            output::line(&format!("{mac} is forgotten"))?;
        }
        Ok(Exit::Ok)
    }
}
