//! `ringup identify`: what a phone is, by what it showed.

use std::{
    io::{self, BufRead},
    path::Path,
};

use crate::{
    domain::{Mac, Timestamp},
    http::api::IdentifiedView,
    profile::{Catalog, Seen},
    provision::{Concluded, Evidence},
};

use super::{
    exit::{Done, Exit, Failure},
    output,
    phones::mac,
    settings,
};

/// Options of `ringup identify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup identify --option-60 'Cisco Systems, Inc. IP Phone CP-7961G'\n  \
    ringup identify --user-agent 'Yealink SIP-T46U 108.86.0.20 00:15:65:aa:bb:cc' --json\n  \
    ringup identify --batch < cases.jsonl\n\n\
    A line of a batch is a JSON object with any of option_60, option_12, file_name, http_path, user_agent and mac, as \
    received; every line is answered by one line.")]
#[group(required = true, multiple = true)]
pub struct Identify {
    /// DHCP option 60, the vendor class: its text, or Poly's binary form in hexadecimal digits (0000363d…).
    #[arg(long, value_name = "TEXT")]
    option_60: Option<String>,
    /// DHCP option 12, the host name.
    #[arg(long, value_name = "TEXT")]
    option_12: Option<String>,
    /// The name of a file that it asked for by TFTP.
    #[arg(long, value_name = "NAME")]
    file_name: Option<String>,
    /// The path that it asked for by HTTP.
    #[arg(long, value_name = "PATH")]
    http_path: Option<String>,
    /// HTTP or SIP User-Agent.
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Its MAC, in any spelling: the prefix is one weak vote for a vendor.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    mac: Option<Mac>,
    /// Read cases from standard input, one JSON object a line; answers are JSON lines.
    #[arg(long, conflicts_with_all = ["option_60", "option_12", "file_name", "http_path", "user_agent", "mac"])]
    batch: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

impl Identify {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let catalog = settings::sound(config)?.catalog;
        if self.batch {
            return batch(&catalog);
        }
        let evidence = Evidence {
            option_60: self.option_60,
            option_12: self.option_12,
            file_name: self.file_name,
            http_path: self.http_path,
            user_agent: self.user_agent,
            mac: self.mac.map(|mac| mac.to_string()),
        };
        let found = evidence.identify(&catalog, Timestamp::now());
        if self.json {
            output::line(&json(&IdentifiedView::new(&catalog, &found)))?;
        } else {
            output::line(&told(&evidence, &catalog, &found))?;
        }
        Ok(Exit::Ok)
    }
}

/// Answers every line, in order; a line that is no case is answered with nulls, so that lines keep their partners.
fn batch(catalog: &Catalog) -> Done {
    let now = Timestamp::now();
    let mut exit = Exit::Ok;
    for (number, line) in (1_usize..).zip(io::stdin().lock().lines()) {
        let line =
            line.map_err(|error| Failure::new(Exit::Data, format!("line {number}: {error}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str::<Evidence>(&line) {
            Ok(evidence) => IdentifiedView::new(catalog, &evidence.identify(catalog, now)),
            Err(error) => {
                output::note(&format!("line {number}: {error}"));
                exit = Exit::Data;
                IdentifiedView::default()
            }
        };
        output::line(&json(&answer))?;
    }
    Ok(exit)
}

fn json(answer: &IdentifiedView) -> String {
    // Texts and lists of them always have a JSON form.
    serde_json::to_string(answer).unwrap_or_default()
}

/// For a reader: what it is and why we think so.
fn told(evidence: &Evidence, catalog: &Catalog, found: &Concluded) -> String {
    let Concluded { identity, mac } = found;
    let client = evidence.option_60.as_ref();
    if let Some(what) =
        client.and_then(|text| catalog.not_a_phone(&Seen::Option60(text.as_bytes())))
    {
        return format!("not a phone: {what}");
    }
    if identity.grounds.is_empty() {
        return "no family recognizes this; `ringup profiles list` shows what there is".to_owned();
    }
    let unknown = || "not known".to_owned();
    let or = |part: &Option<String>| part.clone().unwrap_or_else(unknown);
    let mut lines = vec![
        format!("vendor    {}", or(&identity.vendor)),
        format!("model     {}", or(&catalog.worded(identity))),
        format!("firmware  {}", or(&identity.firmware)),
        format!("family    {}", identity.family.as_ref().map_or_else(unknown, ToString::to_string)),
        format!("MAC       {}", or(mac)),
    ];
    for ground in &identity.grounds {
        let points = [&ground.vendor, &ground.model, &ground.firmware];
        let points: Vec<&str> = points.into_iter().flatten().map(String::as_str).collect();
        let (from, value) = (ground.from.as_str(), output::clean(&ground.value));
        lines.push(format!("  {from} `{value}`: {}", points.join(" ")));
    }
    if let (Some(model), Some(firmware)) = (&identity.model, &identity.firmware)
        && catalog.runs(model, firmware) == Some(false)
    {
        lines.push(format!("{firmware} is firmware of other models than the {model}"));
    }
    lines.join("\n")
}
