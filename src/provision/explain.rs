//! Where each value of a phone's file comes from: entry over staging over model over site over default site over profile.

use std::net::IpAddr;

use crate::{
    config::{Registrar, Site, Subnet},
    domain::{Entry, Mac, Role, SiteName, Timestamp},
    profile::{ExtraForm, Family, Read, Reads, Speaks},
};

use super::{
    Provisioner, Refusal,
    body::Source,
    identify,
    layers::{self, DEFAULT, Rank, is_secret, setter},
    open::Asker,
    resolve::spoken,
    values::{MASK, Scene},
};

/// Which of the six levels set a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// What is listed for the phone.
    Entry,
    /// The staging table of a site, while the phone's batch is open.
    Staging,
    /// A site's table for the model.
    Model,
    /// The phone's site, or the subnet that it stands in.
    Site,
    /// The site `default`, from which the phone's site inherits.
    DefaultSite,
    /// Nobody: the family's profile, ringup itself, or the phone.
    Profile,
}

/// Who set a value, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// On which level.
    pub level: Level,
    /// In whose table, where it was a site's.
    pub site: Option<SiteName>,
    /// `file:line` of the settings, where that is known.
    pub at: Option<String>,
    /// What else there is to know, in a few words.
    pub note: String,
}

/// One value of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// Its name as templates spell it: `lines[0].user`, `set.NAME`.
    pub name: String,
    /// It as text; a secret shows as `••••`.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

/// Where a file comes from, and all that went into it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explained {
    /// The template or the file that answers.
    pub source: String,
    /// What the template read, in the order of reading, then what was merged last. Empty for a file served as it is.
    pub values: Vec<Explanation>,
}

impl Level {
    /// The name in JSON and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Staging => "staging",
            Self::Model => "model",
            Self::Site => "site",
            Self::DefaultSite => "default-site",
            Self::Profile => "profile",
        }
    }
}

impl Provisioner {
    /// Where each value comes from that a phone would get in a file. Secrets are masked unless `reveal`.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::preview`].
    pub fn explain(
        &self,
        phone: Mac,
        name: &str,
        local: IpAddr,
        reveal: bool,
        now: Timestamp,
    ) -> Result<Explained, Refusal> {
        let request = self.imagined(phone, name, local);
        let (case, admit) = self.case(request, Asker::Operator { phone, reveal }, now)?;
        let source =
            self.source(&case).ok_or_else(|| case.missing()).map_err(|why| case.refuse(why))?;
        let admitted = admit.as_ref().map(|admit| &*admit.entry);
        let contacts = self.contacts(&case);
        let scene = self.scene(&case, admitted.or(case.subject.entry.as_deref()), &contacts);
        let reads = Reads::default();
        self.draw(&case, source, &scene, Some(&reads))
            .map_err(|flaw| case.refuse(case.flawed(flaw)))?;
        let form = case.target.found.and_then(|found| found.file.extra.as_ref());
        let form = form.filter(|_| matches!(source, Source::Template(..) | Source::Text(..)));
        let hide = !reveal || case.target.role != Role::Own;
        Ok(Explained { source: source.to_string(), values: all(&scene, &reads.list(), form, hide) })
    }
}

/// What was read, and behind it what was merged.
fn all(
    scene: &Scene<'_>,
    reads: &[Read],
    form: Option<&ExtraForm>,
    hide: bool,
) -> Vec<Explanation> {
    let unset = Site::default();
    let site = identify::site(scene.settings, scene.site, scene.staged).unwrap_or(&unset);
    let nothing = Entry::default();
    let entry = scene.entry().unwrap_or(&nothing);
    let origins = Origins { scene, site, entry, model: scene.model_name() };
    let explain = |name: &str, value: &str| {
        let secret = hide && !value.is_empty() && is_secret(name);
        let value = if secret { MASK } else { value }.to_owned();
        Explanation { name: name.to_owned(), value, origin: origins.of(name) }
    };
    let mut values: Vec<_> = reads.iter().map(|read| explain(&read.path, &read.value)).collect();
    if form.is_some() {
        for (key, laid) in layers::set(scene, site, &origins.model, entry) {
            let name = format!("set.{key}");
            if values.iter().all(|value| value.name != name) {
                values.push(explain(&name, laid.value));
            }
        }
    }
    values
}

/// What the values of one scene come from.
struct Origins<'a> {
    scene: &'a Scene<'a>,
    site: &'a Site,
    entry: &'a Entry,
    model: String,
}

impl Origins<'_> {
    /// The origin of a value by its path. A name that nothing here sets is ringup's own.
    fn of(&self, path: &str) -> Origin {
        let root = path.split(['.', '[']).next().unwrap_or(path);
        let rest = path.get(root.len() + 1..).unwrap_or_default();
        match root {
            "mac" | "MAC" | "mac_colons" => profile("the phone's own address"),
            "tftp_server" | "http_base" => profile("this appliance, as the phone reaches it"),
            "version" => profile("made from the text of this file"),
            "family" | "part" | "line_count" | "phonebook" => profile("the family's profile"),
            "model" if !self.entry.model.is_empty() => self.listed(),
            "model" => profile("as the phone shows itself"),
            "site" => self.place(),
            "location" | "number" | "name" | "lines" | "keys" | "modules" | "speeds" => {
                self.listed()
            }
            "servers" => self.registrar(path, "server", &self.site.servers),
            "outbound_proxies" => {
                self.registrar(path, "outbound-proxy", &self.site.outbound_proxies)
            }
            "protocol" => self.protocol(),
            "gmt_offset" | "zone" | "dst" | "posix_zone" => {
                let origin = self.key("time-zone");
                let made = "made from the time zone".to_owned();
                let note = Some(made).filter(|_| origin.site.is_some()).unwrap_or(origin.note);
                Origin { note, ..origin }
            }
            "ntp" => self.of_subnet_or("ntp", |subnet| !subnet.ntp.is_empty()),
            "vlan" if self.entry.var.contains_key("vlan") => self.listed(),
            "vlan" => self.of_subnet_or("var.vlan", |subnet| subnet.voice_vlan.is_some()),
            "contacts" => profile("the entries of this site"),
            "load" => self.load(),
            "failover" => self.key(&format!("failover.{}", rest.replace('_', "-"))),
            "var" if self.entry.var.contains_key(rest) => self.listed(),
            "var" => self.key(&format!("var.{rest}")),
            "set" => self.set(rest),
            other => self.key(&other.replace('_', "-")),
        }
    }

    /// A key of the site's tables.
    fn key(&self, key: &str) -> Origin {
        let Some(by) = setter(self.site, key) else { return profile("nobody set it") };
        let level = match by.as_str() {
            _ if self.site.staged.contains(key) => Level::Staging,
            DEFAULT => Level::DefaultSite,
            _ => Level::Site,
        };
        let at = self.site.places.of(key).map(str::to_owned);
        Origin { level, site: Some(by.clone()), at, note: String::new() }
    }

    fn listed(&self) -> Origin {
        let note = match (self.scene.entry(), self.entry.auto_registered) {
            (None, _) => return profile("nothing is listed for this phone here"),
            (Some(_), true) => "listed by auto-registration",
            (Some(_), false) => "",
        };
        Origin { level: Level::Entry, site: None, at: None, note: note.to_owned() }
    }

    /// Who says where the phone stands.
    fn place(&self) -> Origin {
        if self.entry.site.as_deref() == Some(self.scene.site) {
            return self.listed();
        }
        match identify::subnet_of(self.scene.settings, self.scene.ends.0) {
            Some(subnet) if subnet.site == self.scene.site => of_subnet(subnet),
            _ => profile("neither its entry nor its address says another"),
        }
    }

    fn registrar(&self, path: &str, key: &str, registrars: &[Registrar]) -> Origin {
        let mut steps = path.split(['[', ']', '.']).filter(|step| !step.is_empty()).skip(1);
        let index = steps.next().and_then(|index| index.parse::<usize>().ok());
        let registrar = index.and_then(|index| registrars.get(index));
        let is_unset =
            steps.next() == Some("port") && registrar.is_some_and(|it| it.port.is_none());
        if is_unset { profile("the usual port of what it speaks") } else { self.key(key) }
    }

    /// What a family speaks whatever the site says is its profile's word.
    fn protocol(&self) -> Origin {
        let choice = [Speaks::Sip, Speaks::Sccp];
        let either = |family: &Family| choice.iter().all(|it| spoken(family, *it) == *it);
        if self.scene.family.is_none_or(either) {
            self.key("protocol")
        } else {
            profile("all that the family speaks")
        }
    }

    /// The site's own word, else that of the subnet that the phone stands in, where it says anything.
    fn of_subnet_or(&self, key: &str, says: impl Fn(&Subnet) -> bool) -> Origin {
        if setter(self.site, key).is_some() {
            return self.key(key);
        }
        let subnet = identify::subnet_of(self.scene.settings, self.scene.ends.0);
        subnet.filter(|it| says(it)).map_or_else(|| profile("nobody set it"), of_subnet)
    }

    fn load(&self) -> Origin {
        if self.scene.holds_back() {
            return profile(
                "held back: the phone says that it is another model than the listed one",
            );
        }
        let Some((_, rank, table)) = layers::load(self.scene, self.site, &self.model) else {
            return profile("nobody set it");
        };
        self.table(rank, table, &format!("firmware.{table}"))
    }

    fn set(&self, name: &str) -> Origin {
        let laid = layers::set(self.scene, self.site, &self.model, self.entry);
        match laid.get(name).map(|laid| (laid.table, laid.key(name))) {
            Some((Some((rank, table)), Some(key))) => self.table(rank, table, &key),
            Some(_) => self.listed(),
            None => profile("nobody set it"),
        }
    }

    /// A key in a table for a model, a family or a vendor.
    fn table(&self, rank: Rank, table: &str, key: &str) -> Origin {
        let origin = self.key(key);
        let level = match (origin.level, rank) {
            (Level::Staging, _) => Level::Staging,
            (_, Rank::Model) => Level::Model,
            (level, _) => level,
        };
        Origin { level, note: format!("for {table}"), ..origin }
    }
}

/// What the subnet says that a phone stands in.
fn of_subnet(subnet: &Subnet) -> Origin {
    let level = if subnet.site == DEFAULT { Level::DefaultSite } else { Level::Site };
    let note = format!("the subnet {}/{}", subnet.network, subnet.prefix);
    Origin { level, site: Some(subnet.site.clone()), at: None, note }
}

fn profile(note: &str) -> Origin {
    Origin { level: Level::Profile, site: None, at: None, note: note.to_owned() }
}
