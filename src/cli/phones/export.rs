//! `ringup phones export`.

use clap::ValueEnum;

use crate::cli::output;

use super::super::{
    client::{Client, Query},
    exit::{Done, Exit},
};

/// Options of `ringup phones export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  ringup phones export --secrets > phones.csv     can be imported again as it is"
)]
pub struct Export {
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// With passwords; that somebody took them is recorded. Without, they are masked, and an import
    /// of the file keeps those that are there.
    #[arg(long)]
    secrets: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Csv,
    Json,
}

impl Export {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let form = match self.format {
            Form::Csv => "csv",
            Form::Json => "json",
        };
        let query = Query::default().with("format", form).flag("secrets", self.secrets);
        output::bytes(&client.get(&query.on("/api/v1/phones/export"))?)?;
        Ok(Exit::Ok)
    }
}
