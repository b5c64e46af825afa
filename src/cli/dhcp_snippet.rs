//! `ringup dhcp-snippet`: classes and options for sites that keep their own DHCP server.

use std::{collections::BTreeSet, net::Ipv4Addr, path::Path};

use clap::ValueEnum;

use crate::{
    config::Settings,
    profile::{Catalog, Family},
    provision::snippet::{Plan, Server},
};

use super::{
    client::{Client, Query},
    exit::{Done, Exit, Failure},
    output::{self, text},
    settings,
};

/// Options of `ringup dhcp-snippet`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup dhcp-snippet kea --server 10.20.0.2 > /etc/kea/ringup.json\n  \
    ringup dhcp-snippet dnsmasq --family yealink --family poly\n\n\
    Unless --family or --all is given, it is for the families of the listed phones and of `for.`; for all, if none are \
    listed. What the server can't do is said in the snippet's comments.")]
pub struct DhcpSnippet {
    /// The DHCP server's language.
    server_kind: Kind,
    /// Address at which phones reach ringup, best first; else the `servers` of the subnets.
    #[arg(long, value_name = "ADDRESS")]
    server: Vec<Ipv4Addr>,
    /// For these families, or all of a vendor.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    family: Vec<String>,
    /// For all families.
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Kea,
    Isc,
    Dnsmasq,
    Windows,
    Ios,
    Mikrotik,
}

impl From<Kind> for Server {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Kea => Self::Kea,
            Kind::Isc => Self::Isc,
            Kind::Dnsmasq => Self::Dnsmasq,
            Kind::Windows => Self::Windows,
            Kind::Ios => Self::Ios,
            Kind::Mikrotik => Self::Mikrotik,
        }
    }
}

impl DhcpSnippet {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let ready = settings::sound(config)?;
        let (settings, catalog) = (&ready.loaded.settings, &ready.catalog);
        let servers = self.servers(settings)?;
        let families = self.families(settings, catalog)?;
        let plan = Plan::new(catalog, settings, &families, &servers);
        output::bytes(plan.write(self.server_kind.into()).as_bytes())?;
        Ok(Exit::Ok)
    }

    fn servers(&self, settings: &Settings) -> Result<Vec<Ipv4Addr>, Failure> {
        if !self.server.is_empty() {
            return Ok(self.server.clone());
        }
        let named: BTreeSet<&Vec<Ipv4Addr>> = settings
            .dhcp
            .subnets
            .iter()
            .map(|subnet| &subnet.servers)
            .filter(|servers| !servers.is_empty())
            .collect();
        let mut named = named.into_iter();
        match (named.next(), named.next()) {
            (Some(servers), None) => Ok(servers.clone()),
            (None, _) => Err(Failure::new(Exit::Usage, "the settings name no address of ringup")
                .help("say at which address phones reach it: --server 10.20.0.2")),
            (Some(_), Some(_)) => {
                Err(Failure::new(Exit::Usage, "the subnets name several servers")
                    .help("make a snippet for each network: --server 10.20.0.2"))
            }
        }
    }

    fn families<'c>(
        &self,
        settings: &Settings,
        catalog: &'c Catalog,
    ) -> Result<Vec<&'c Family>, Failure> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for name in &self.family {
            let found = catalog.expand(name);
            if found.is_empty() {
                let text = format!("no family or vendor is called `{name}`");
                return Err(Failure::new(Exit::NoInput, text)
                    .help("`ringup profiles list` shows what there is"));
            }
            names.extend(found.into_iter().map(|family| family.name.as_str()));
        }
        if names.is_empty() && !self.all {
            names = in_use(settings, catalog)?;
        }
        let wanted = |family: &&Family| names.contains(family.name.as_str());
        if names.is_empty() {
            let has_options = |family: &&Family| !family.dhcp.servers.is_empty();
            return Ok(catalog.families().filter(has_options).collect());
        }
        Ok(catalog.families().filter(wanted).collect())
    }
}

/// The families of the listed phones, and with them those that `for.` speaks of; none if no phone is listed.
fn in_use<'c>(settings: &Settings, catalog: &'c Catalog) -> Result<BTreeSet<&'c str>, Failure> {
    // Looking is no reason to make a state directory.
    if !settings.appliance.state.exists() {
        return Ok(BTreeSet::new());
    }
    let client = Client::connect(settings.clone())
        .map_err(|failure| failure.help("or name the families: --family, --all"))?;
    let phones = client.items("/api/v1/phones", &Query::default())?;
    let listed = phones.iter().map(|phone| text(phone, "/entry/model"));
    let models: BTreeSet<String> = listed.filter(|model| !model.is_empty()).collect();
    let mut names: BTreeSet<&str> = models
        .iter()
        .filter_map(|model| catalog.model(model))
        .map(|(family, _)| family.name.as_str())
        .collect();
    if !names.is_empty() {
        let elsewhere = settings.dhcp.subnets.iter().flat_map(|subnet| subnet.for_family.keys());
        let families = elsewhere.filter_map(|name| catalog.family(name));
        names.extend(families.map(|family| family.name.as_str()));
    }
    Ok(names)
}
