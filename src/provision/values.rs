//! The values that templates may use: entry over staging over model over site over default site over profile.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Serialize;

use crate::{
    config::{Failover, Protocol, Registrar, Settings, Site, Srtp, Transport},
    domain::{Entry, Key, KeyTarget, Line, Mac, Secret},
    profile::{Catalog, Family, Speaks},
};

use super::{
    identify::{self, speaks},
    layers::{self, is_secret},
    phonebook::Contact,
    resolve::spoken,
    zone::{Summer, Zone},
};

/// What stands for a secret.
pub(super) const MASK: &str = "••••";

/// What happens to secrets on the way into a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Secrets {
    /// They go in: this is the phone's own file on its way to it, or an operator asked for them.
    Plain,
    /// They show as `••••`: an operator looks.
    Masked,
    /// They stay out: the file may go to anybody.
    Left,
}

impl Secrets {
    fn show(self, secret: &Secret) -> &str {
        match self {
            Self::Plain => secret.reveal(),
            Self::Masked if !secret.is_empty() => MASK,
            Self::Masked | Self::Left => "",
        }
    }
}

/// All that a file's values come from. Equal scenes give equal values: no clock and
/// nothing random, or entity tags would change with each rendering.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub settings: &'a Settings,
    pub catalog: &'a Catalog,
    /// The family; `None` for an operator's template that no family asks for.
    pub family: Option<&'a Family>,
    /// The model that the name or the evidence gives away; an entry's own model goes first.
    pub model: &'a str,
    /// The site by name.
    pub site: &'a str,
    /// True if the site's staging values are in force: the phone's batch is open.
    pub staged: bool,
    /// The phone whose file it is; `None` for files that all phones of a family share.
    pub phone: Option<(Mac, Option<&'a Entry>)>,
    /// Who asks, and which of our addresses.
    pub ends: (IpAddr, IpAddr),
    pub secrets: Secrets,
    /// The phone contradicts the model in its entry.
    pub contradicts: bool,
    /// The load that is offered instead of the one that the site wants: the phone's own, or one in between. Empty: none.
    pub instead: Option<&'a str>,
    /// Who is in the site's phonebook; empty for files that are none.
    pub contacts: &'a [Contact],
}

impl Scene<'_> {
    /// What is listed for the phone whose file it is.
    pub fn entry(&self) -> Option<&Entry> {
        self.phone.and_then(|(_, entry)| entry)
    }

    /// The model as the catalog names it: the entry's, else the one that was seen.
    pub fn model_name(&self) -> String {
        let listed = self.entry().map(|entry| entry.model.as_str());
        let model = listed.filter(|model| !model.is_empty()).unwrap_or(self.model);
        identify::model_name(self.catalog, model)
    }
}

#[derive(Debug, Serialize)]
struct Context<'a> {
    mac: String,
    #[serde(rename = "MAC")]
    upper: String,
    mac_colons: String,
    model: String,
    family: String,
    site: String,
    location: String,
    number: String,
    name: String,
    lines: Vec<LineValue>,
    servers: Vec<ServerValue>,
    outbound_proxies: Vec<ServerValue>,
    sip_transport: &'static str,
    srtp: &'static str,
    protocol: &'static str,
    time_zone: String,
    gmt_offset: i32,
    dst: Option<Summer>,
    posix_zone: String,
    ntp: Vec<String>,
    vlan: u16,
    admin_password: String,
    tftp_server: String,
    http_base: String,
    load: String,
    keys: Vec<KeyValue>,
    modules: Vec<ModuleValue>,
    speeds: Vec<KeyValue>,
    contacts: &'a [Contact],
    phonebook: String,
    failover: Option<FailoverValue>,
    var: BTreeMap<String, String>,
    set: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct LineValue {
    index: usize,
    number: String,
    user: String,
    auth: String,
    password: String,
    display: String,
    label: String,
}

#[derive(Debug, Serialize)]
struct ServerValue {
    index: usize,
    address: String,
    port: u16,
}

#[derive(Debug, Serialize)]
struct KeyValue {
    index: u16,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    line: u8,
    label: String,
}

#[derive(Debug, Serialize)]
struct ModuleValue {
    index: u8,
    keys: Vec<KeyValue>,
}

#[derive(Debug, Serialize)]
struct FailoverValue {
    re_register_on: u8,
    fail_registration_on: u8,
    only_signal_with_registered: u8,
    fail_back_mode: String,
    fail_back_timeout: u16,
}

/// The values of a scene, all but `version`.
pub(super) fn values(scene: &Scene<'_>) -> BTreeMap<String, minijinja::Value> {
    match serde_json::to_value(context(scene)) {
        Ok(serde_json::Value::Object(map)) => {
            map.into_iter().map(|(key, value)| (key, from_json(value))).collect()
        }
        // No value of ours has no form in JSON.
        Ok(_) | Err(_) => BTreeMap::new(),
    }
}

/// Values with `version`, the stamp of what is rendered from them.
pub(super) fn stamped(
    values: &BTreeMap<String, minijinja::Value>,
    version: &str,
) -> minijinja::Value {
    let version = ("version".to_owned(), minijinja::Value::from(version));
    let values = values.iter().map(|(key, value)| (key.clone(), value.clone()));
    values.chain([version]).collect::<BTreeMap<_, _>>().into()
}

fn context<'a>(scene: &Scene<'a>) -> Context<'a> {
    let unset = Site::default();
    let site = identify::site(scene.settings, scene.site, scene.staged).unwrap_or(&unset);
    let mac = scene.phone.map(|(mac, _)| mac);
    let nothing = Entry::default();
    let entry = scene.entry().unwrap_or(&nothing);
    let model = scene.model_name();
    let protocol = protocol(scene.family, site);
    let ports = |registrars: &[Registrar]| servers(registrars, protocol, site.sip_transport);
    let admin = site.admin_password.as_ref();
    let zone = site.time_zone.as_deref().and_then(Zone::of).unwrap_or_default();
    let mut var: BTreeMap<_, _> = site.var.iter().chain(&entry.var).map(owned).collect();
    if scene.secrets == Secrets::Masked {
        let secrets = var.iter_mut().filter(|(name, _)| is_secret(name));
        secrets.for_each(|(_, value)| MASK.clone_into(value));
    }
    Context {
        mac: mac.map(Mac::lower).unwrap_or_default(),
        upper: mac.map(Mac::upper).unwrap_or_default(),
        mac_colons: mac.map(|mac| mac.to_string()).unwrap_or_default(),
        family: scene.family.map(|family| family.name.to_string()).unwrap_or_default(),
        site: scene.site.to_owned(),
        location: entry.location.clone(),
        number: entry.number().to_owned(),
        name: entry.name().to_owned(),
        lines: (1..)
            .zip(&entry.lines)
            .map(|(index, one)| line(index, one, scene.secrets))
            .collect(),
        servers: ports(&site.servers),
        outbound_proxies: ports(&site.outbound_proxies),
        sip_transport: match site.sip_transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        },
        srtp: match site.srtp {
            Srtp::Off => "off",
            Srtp::Offered => "offered",
            Srtp::Required => "required",
        },
        protocol: match protocol {
            Protocol::Sip => "sip",
            Protocol::Sccp => "sccp",
        },
        time_zone: site.time_zone.clone().unwrap_or_default(),
        gmt_offset: zone.offset,
        dst: zone.summer,
        posix_zone: zone.posix,
        ntp: ntp(scene, site),
        vlan: vlan(scene, &var),
        admin_password: admin.map_or("", |secret| scene.secrets.show(secret)).to_owned(),
        tftp_server: scene.ends.1.to_canonical().to_string(),
        http_base: http_base(scene.settings, scene.ends.1.to_canonical()),
        load: layers::load(scene, site, &model).map_or("", |(load, ..)| load).to_owned(),
        keys: entry.keys.iter().map(|(index, one)| key(*index, one)).collect(),
        modules: modules(entry),
        speeds: speeds(entry),
        contacts: scene.contacts,
        phonebook: scene.family.and_then(Family::phonebook).unwrap_or_default().to_owned(),
        failover: site.failover.as_ref().map(failover),
        var,
        set: set(scene, site, &model, entry),
        model,
    }
}

/// What the phones of this file speak here.
fn protocol(family: Option<&Family>, site: &Site) -> Protocol {
    match family.map(|family| spoken(family, speaks(site.protocol))) {
        None => site.protocol,
        Some(Speaks::Sip) => Protocol::Sip,
        Some(Speaks::Sccp) => Protocol::Sccp,
    }
}

fn line(index: usize, line: &Line, secrets: Secrets) -> LineValue {
    let or =
        |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
    LineValue {
        index,
        number: line.number.clone(),
        user: line.user().to_owned(),
        auth: line.user().to_owned(),
        password: secrets.show(&line.sip_password).to_owned(),
        display: or(&line.name, &line.number),
        label: or(&line.number, line.user()),
    }
}

/// Registrars with the port of what they speak: SIP 5060 and over TLS 5061 (RFC 3261 §19.1.2), Skinny 2000.
fn servers(registrars: &[Registrar], protocol: Protocol, transport: Transport) -> Vec<ServerValue> {
    let usual = match (protocol, transport) {
        (Protocol::Sccp, _) => 2000,
        (Protocol::Sip, Transport::Tls) => 5061,
        (Protocol::Sip, Transport::Udp | Transport::Tcp) => 5060,
    };
    let number = |(index, one): (usize, &Registrar)| ServerValue {
        index,
        address: one.address.clone(),
        port: one.port.unwrap_or(usual),
    };
    (1..).zip(registrars).map(number).collect()
}

fn key(index: u16, key: &Key) -> KeyValue {
    let (kind, value, line) = match &key.target {
        KeyTarget::Line(line) => ("line", "", *line),
        KeyTarget::Blf(number) => ("blf", number.as_str(), 1),
        KeyTarget::Speed(number) => ("speed", number.as_str(), 1),
    };
    KeyValue { index, kind, value: value.to_owned(), line, label: key.label.clone() }
}

fn failover(failover: &Failover) -> FailoverValue {
    FailoverValue {
        re_register_on: failover.re_register_on.into(),
        fail_registration_on: failover.fail_registration_on.into(),
        only_signal_with_registered: failover.only_signal_with_registered.into(),
        fail_back_mode: failover.fail_back_mode.clone(),
        fail_back_timeout: failover.fail_back_timeout,
    }
}

/// The keys of each side car.
fn modules(entry: &Entry) -> Vec<ModuleValue> {
    let mut modules: BTreeMap<u8, Vec<KeyValue>> = BTreeMap::new();
    for ((module, index), one) in &entry.module_keys {
        modules.entry(*module).or_default().push(key(*index, one));
    }
    modules.into_iter().map(|(index, keys)| ModuleValue { index, keys }).collect()
}

/// The keys that dial and do nothing else, those of side cars behind the phone's own: some families keep them in a file of
/// their own, which a phone without any must not get.
fn speeds(entry: &Entry) -> Vec<KeyValue> {
    let own = entry.keys.iter().map(|(index, one)| (*index, one));
    let cars = entry.module_keys.iter().map(|((_, index), one)| (*index, one));
    let all = own.chain(cars).map(|(index, one)| key(index, one));
    all.filter(|key| key.kind == "speed").collect()
}

/// The VLAN that its voice belongs to; 0 to leave the phone where it is. The operator's own `var.vlan` goes first, else
/// it is that of the subnet that phones are to leave, if it asks from one.
fn vlan(scene: &Scene<'_>, var: &BTreeMap<String, String>) -> u16 {
    let own = var.get("vlan").and_then(|vlan| vlan.trim().parse().ok());
    let subnet = || identify::subnet_of(scene.settings, scene.ends.0);
    own.filter(|vlan| *vlan < 4095).or_else(|| subnet()?.voice_vlan).unwrap_or(0)
}

fn ntp(scene: &Scene<'_>, site: &Site) -> Vec<String> {
    if !site.ntp.is_empty() {
        return site.ntp.clone();
    }
    let subnet = identify::subnet_of(scene.settings, scene.ends.0);
    subnet.map_or_else(Vec::new, |subnet| subnet.ntp.iter().map(ToString::to_string).collect())
}

/// Where phones reach our HTTP: port 80 where it is served, else the first port that is.
pub(super) fn http_base(settings: &Settings, local: IpAddr) -> String {
    let mut ports = settings.http.phones.iter().map(std::net::SocketAddr::port);
    let port = if ports.clone().any(|port| port == 80) { Some(80) } else { ports.next() };
    let host = match local {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    match port {
        None | Some(80) => format!("http://{host}"),
        Some(port) => format!("http://{host}:{port}"),
    }
}

/// Values merged last. What is a secret by its name is masked where an operator looks, and stays out of what goes to
/// anybody.
fn set(scene: &Scene<'_>, site: &Site, model: &str, entry: &Entry) -> BTreeMap<String, String> {
    let laid = layers::set(scene, site, model, entry).into_iter();
    let shown = |(key, laid): (&str, layers::Laid<'_>)| match scene.secrets {
        Secrets::Left if is_secret(key) => None,
        Secrets::Masked if is_secret(key) => Some((key.to_owned(), MASK.to_owned())),
        _ => Some((key.to_owned(), laid.value.to_owned())),
    };
    laid.filter_map(shown).collect()
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn from_json(json: serde_json::Value) -> minijinja::Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => minijinja::Value::from(()),
        Json::Bool(value) => value.into(),
        Json::Number(number) => number.as_i64().unwrap_or_default().into(),
        Json::String(text) => text.into(),
        Json::Array(items) => items.into_iter().map(from_json).collect::<Vec<_>>().into(),
        Json::Object(map) => {
            let values = map.into_iter().map(|(key, value)| (key, from_json(value)));
            values.collect::<BTreeMap<String, minijinja::Value>>().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_our_http_as_phones_need_it() {
        let check = |ports: &[u16], local: &str, base: &str| {
            let mut settings = Settings::default();
            settings.http.phones = ports.iter().map(|port| ([0, 0, 0, 0], *port).into()).collect();
            assert_eq!(http_base(&settings, local.parse().unwrap()), base);
        };
        check(&[80, 6970], "10.0.0.1", "http://10.0.0.1");
        check(&[6970, 80], "10.0.0.1", "http://10.0.0.1");
        check(&[8081, 6970], "127.0.0.1", "http://127.0.0.1:8081");
        check(&[80], "fd00::1", "http://[fd00::1]");
        check(&[], "10.0.0.1", "http://10.0.0.1");
    }

    #[test]
    fn registrars_get_the_port_of_what_they_speak() {
        let check = |protocol, transport, port| {
            let registrar = |port| Registrar { address: "pbx".to_owned(), port };
            let made = servers(&[registrar(None), registrar(Some(7))], protocol, transport);
            assert_eq!(
                made.iter().map(|one| (one.index, one.port)).collect::<Vec<_>>(),
                [(1, port), (2, 7)]
            );
        };
        check(Protocol::Sip, Transport::Udp, 5060);
        check(Protocol::Sip, Transport::Tls, 5061);
        check(Protocol::Sccp, Transport::Tls, 2000);
    }
}
