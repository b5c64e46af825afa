//! `ringup phones replace`.

use hyper::Method;
use serde_json::json;

use crate::{cli::output, domain::Mac};

use super::{
    super::{
        client::{Client, Query},
        exit::{Done, Exit},
        output::{list, text},
    },
    mac, place,
};

/// Options of `ringup phones replace`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ringup phones replace 001E7AC41022 001E7AC41099\n\n\
    Entry, lines, reserved address and number move to the new phone. SIP passwords are made anew, so the registrar has \
    to learn them: `ringup phones export --format pjsip --secrets`. `ringup phones undo` takes it back. Exit code 65, \
    and nothing is done, if the new phone is not like the old one and --yes is not given.")]
pub struct Replace {
    /// The phone that leaves; its record stays.
    #[arg(value_parser = mac)]
    old: Mac,
    /// The phone that takes its place. It must not be listed.
    #[arg(value_parser = mac)]
    new: Mac,
    /// Replace it even if it is another model.
    #[arg(long)]
    yes: bool,
    /// The answer as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Replace {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let path =
            Query::default().flag("confirm", self.yes).on(&format!("{}/replace", place(self.old)));
        let answer =
            client.exchange(Method::POST, &path, &json!({ "by": self.new.to_string() }))?;
        if self.json {
            output::json(&answer)?;
            return Ok(Exit::Ok);
        }
        let number = text(&answer, "/new/entry/number");
        let number = if number.is_empty() { number } else { format!(" and is {number}") };
        output::line(&format!("{} takes the place of {}{number}", self.new, self.old))?;
        for told in list(&answer, "/differences").iter().chain(list(&answer, "/notes")) {
            output::line(&format!("  {}", text(told, "")))?;
        }
        let renewed = text(&answer, "/renewed");
        if renewed != "0" {
            output::line(&format!(
                "  new SIP passwords: {renewed}; tell the registrar (`ringup phones export --format pjsip --secrets`)"
            ))?;
        }
        Ok(Exit::Ok)
    }
}
