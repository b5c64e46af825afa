//! `ringup check`: everything that is read at the start, and every problem in it.

mod sites;
mod zones;

use std::{
    net::Ipv4Addr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    appliance::advice,
    config::{DhcpMode, Loaded, Settings},
    domain::{Problem, Severity},
    net::Interface,
    profile::Catalog,
    provision::{Library, inventory::unknown_model},
};

use super::{
    client::{Client, Query},
    exit::{Done, Exit, Failure},
    output::{self, text},
    phones,
    settings::{self, Ready},
};

/// How long the files of listed phones are tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `ringup check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing to say, 1 warnings only, 78 errors, 66 no such file.\n\n\
    Example:\n  ringup check --config ringup.toml && systemctl reload-or-restart ringup"
)]
pub struct Check {
    /// One JSON document: {"items":[{"file","line","severity","text","help"}]}.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let (problems, from) = match gather(config) {
            Ok((problems, from)) => (problems, from),
            Err(Found::Problems(problems)) => (problems, String::new()),
            Err(Found::Failure(failure)) => return Err(failure),
        };
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        if self.json {
            let items: Vec<Value> = problems.iter().map(view).collect();
            output::json(&json!({ "items": items }))?;
        } else {
            for problem in &problems {
                output::line(&output_of(problem))?;
            }
            output::line(&summary(&from, errors, problems.len() - errors))?;
        }
        Ok(match (errors, problems.len()) {
            (0, 0) => Exit::Ok,
            (0, _) => Exit::Found,
            _ => Exit::Config,
        })
    }
}

/// Why there is nothing to look at beyond the settings.
enum Found {
    Problems(Vec<Problem>),
    Failure(Failure),
}

/// All problems, and where the settings come from.
fn gather(config: Option<&Path>) -> Result<(Vec<Problem>, String), Found> {
    let Ready { loaded, catalog, mut problems, profiles } =
        settings::gather(config).map_err(|found| match found {
            settings::Unread::Missing(failure) => Found::Failure(failure),
            settings::Unread::Problems(problems) => Found::Problems(problems),
        })?;
    let from = loaded.path.as_ref().map_or_else(
        || "no settings file, so the defaults hold".to_owned(),
        |path| path.display().to_string(),
    );
    let directories = &loaded.settings.appliance;
    problems.extend(profiles);
    let (_, more) = Library::load(&directories.files, &directories.firmware);
    problems.extend(more);
    problems.extend(interfaces(&loaded));
    let catalog = Arc::new(catalog);
    problems.extend(sites::extras(&loaded.settings, &catalog));
    problems.extend(inventory(loaded, &catalog));
    Ok((problems, from))
}

/// Interfaces that this machine lacks: `serve` would not start here. A warning, because settings are often checked on
/// another machine than the one that they are for.
fn interfaces(loaded: &Loaded) -> Vec<Problem> {
    let dhcp = &loaded.settings.dhcp;
    let Ok(there) = Interface::all() else { return Vec::new() };
    if dhcp.mode == DhcpMode::Off {
        return Vec::new();
    }
    let file = loaded.path.as_ref().map_or(String::new(), |path| path.display().to_string());
    let names: Vec<&str> = there.iter().map(|interface| interface.name.as_str()).collect();
    let missing = dhcp.interfaces.iter().filter(|name| !names.contains(&name.as_str()));
    missing
        .map(|name| {
            let text = format!("this machine has no interface {name}, so `serve` would not start");
            Problem::warning(&*file, None, text).help(format!("there are: {}", names.join(", ")))
        })
        .collect()
}

/// What entries say that the settings and the catalog do not know. Only where there is a state already: a check makes
/// no directory.
fn inventory(loaded: Loaded, catalog: &Catalog) -> Vec<Problem> {
    let settings = loaded.settings;
    if !settings.appliance.state.is_dir() {
        return Vec::new();
    }
    let found = Client::connect(settings.clone()).and_then(|client| {
        let phones = client.items("/api/v1/phones", &Query::default())?;
        let odd = oddities(&client, &phones)?;
        Ok((phones, odd))
    });
    match found {
        Ok((phones, odd)) => {
            let each = phones.iter().flat_map(|phone| entry(phone, &settings, catalog));
            let sites = sites::inventory(&phones, &settings, catalog);
            let zones = zones::zones(&phones, &settings, catalog);
            let listed = phones.iter().filter(|phone| !phone["entry"].is_null()).count();
            each.chain(odd).chain(sites).chain(zones).chain(machine(listed)).collect()
        }
        Err(failure) => {
            let text = failure.text.lines().next().unwrap_or_default().to_owned();
            vec![Problem::warning("inventory", None, format!("can't be read: {text}"))]
        }
    }
}

/// What this machine allows too little of for so many phones.
fn machine(listed: usize) -> impl Iterator<Item = Problem> {
    let told = advice(listed).into_iter();
    told.map(|it| Problem::warning("this machine", None, it.text).help(it.cure))
}

/// What entries ask for and the files of their phones can't say. Of a long list only as many are tried as take no longer
/// than somebody waits; that the rest is not is a line of its own.
fn oddities(client: &Client, phones: &[Value]) -> Result<Vec<Problem>, Failure> {
    let (mut problems, begun) = (Vec::new(), Instant::now());
    let listed: Vec<&Value> = phones.iter().filter(|phone| !phone["entry"].is_null()).collect();
    for (tried, phone) in listed.iter().enumerate() {
        if begun.elapsed() > PATIENCE {
            let text = format!("the files of {} phones were not tried", listed.len() - tried);
            let help = "`ringup phones set MAC` tells it of each phone";
            problems.push(Problem::warning("inventory", None, text).help(help));
            break;
        }
        let mac = text(phone, "/mac");
        for odd in phones::oddities(client, &mac)? {
            let help = format!("`ringup phones set {mac} FIELD=VALUE` changes it");
            let problem = Problem::warning("inventory", None, format!("{mac}: {odd}"));
            problems.push(problem.help(help));
        }
    }
    Ok(problems)
}

/// What one entry says.
fn entry(phone: &Value, settings: &Settings, catalog: &Catalog) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mac = text(phone, "/mac");
    let mut warn = |what: String, help: &str| {
        problems.push(Problem::warning("inventory", None, format!("{mac}: {what}")).help(help));
    };
    let (site, model) = (text(phone, "/entry/site"), text(phone, "/entry/model"));
    if !site.is_empty() && !settings.sites.contains_key(&site) {
        let help = format!("add [site.{site}], or `ringup phones set {mac} site=…`");
        warn(format!("its site `{site}` is not in the settings"), &help);
    }
    if !model.is_empty() && catalog.model(&model).is_none() {
        warn(format!("no family has a model `{model}`"), &unknown_model(catalog, &model));
    }
    let address = text(phone, "/entry/address").parse::<Ipv4Addr>().ok();
    let subnets = &settings.dhcp.subnets;
    if let Some(address) = address.filter(|address| !subnets.iter().any(|s| s.contains(*address)))
        && !subnets.is_empty()
    {
        warn(
            format!("{address} is reserved for it and lies in no subnet"),
            "it will get another one",
        );
    }
    problems
}

/// A problem as printed: its text may quote a file that somebody else wrote.
fn output_of(problem: &Problem) -> String {
    let lines: Vec<String> = problem.to_string().lines().map(output::clean).collect();
    lines.join("\n")
}

/// The last line: what was read if there is nothing to mend, else how much there is.
fn summary(from: &str, errors: usize, warnings: usize) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => format!("{from}: nothing to mend"),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

/// A problem in JSON.
fn view(problem: &Problem) -> Value {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "file": problem.file, "line": problem.line, "severity": severity, "text": problem.text, "help": problem.help,
    })
}
