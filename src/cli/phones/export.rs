//! `ringup phones export`.

use clap::ValueEnum;

use crate::cli::output;

use super::super::{
    client::{Client, Query},
    exit::{Done, Exit},
};

/// Options of `ringup phones export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup phones export --secrets > phones.csv     can be imported again as it is\n  \
    ringup phones export --format pjsip --secrets > /etc/asterisk/pjsip_phones.conf\n  \
    ringup phones export --format freeswitch --secrets > /etc/freeswitch/directory/default/phones.xml\n\n\
    pjsip, freeswitch and 3cx are the SIP accounts only. Asterisk needs `#include pjsip_phones.conf` in pjsip.conf, and \
    its transports there; without --secrets the auth sections are left out.")]
pub struct Export {
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// With passwords; that somebody took them is recorded. Without, they are masked, and an import
    /// of the file keeps those that are there.
    #[arg(long)]
    secrets: bool,
    /// Only of this site.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// As an import takes it.
    Csv,
    /// An array, named as the columns are.
    Json,
    /// Asterisk: endpoints, auths and aors of pjsip.conf.
    Pjsip,
    /// FreeSWITCH: users of a directory.
    Freeswitch,
    /// 3CX: extensions for its import.
    #[value(name = "3cx")]
    ThreeCx,
}

impl Export {
    /// Runs it.
    pub fn run(&self, client: &Client) -> Done {
        let form = match self.format {
            Form::Csv => "csv",
            Form::Json => "json",
            Form::Pjsip => "pjsip",
            Form::Freeswitch => "freeswitch",
            Form::ThreeCx => "3cx",
        };
        let query = Query::default()
            .with("format", form)
            .flag("secrets", self.secrets)
            .maybe("site", self.site.as_deref());
        output::bytes(&client.get(&query.on("/api/v1/phones/export"))?)?;
        Ok(Exit::Ok)
    }
}
