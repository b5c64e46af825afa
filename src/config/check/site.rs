//! `[site.NAME]`: values for templates, and what each site inherits from `default`.

mod staging;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Secret, SiteName};

use super::{
    super::{
        Failover, NumberRange, Places, Protocol, ReadyWhen, Registrar, Site, Srtp, Transport,
        names::Place,
        tables::{At, FailoverTable, RegistrarTable, SiteTable},
    },
    Check, value,
};

const TRANSPORTS: [(&str, Transport); 3] =
    [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
const SRTP: [(&str, Srtp); 3] =
    [("off", Srtp::Off), ("offered", Srtp::Offered), ("required", Srtp::Required)];
const PROTOCOLS: [(&str, Protocol); 2] = [("sip", Protocol::Sip), ("sccp", Protocol::Sccp)];
const READY: [(&str, ReadyWhen); 2] =
    [("configured", ReadyWhen::Configured), ("registered", ReadyWhen::Registered)];
const FAIL_BACK: [(&str, &str); 4] = [
    ("newRequests", "newRequests"),
    ("DNSTTL", "DNSTTL"),
    ("registration", "registration"),
    ("duration", "duration"),
];

/// The site that all others inherit from.
const DEFAULT: &str = "default";

/// All sites, each complete; `default` is always there.
pub fn sites(
    check: &mut Check<'_>,
    tables: &BTreeMap<At<String>, SiteTable>,
) -> BTreeMap<SiteName, Site> {
    let mut own: BTreeMap<SiteName, Own> = BTreeMap::new();
    for (name, table) in tables {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.get_ref().is_empty() || !name.get_ref().chars().all(fits) {
            // It becomes a folder name under `files`, and a column of the inventory.
            let text = format!("`{}` can't be a site's name", name.get_ref().escape_debug());
            check.error(name.span().start, text, "letters, digits, `-`, `_` and `.`");
        }
        own.insert(name.get_ref().clone(), Own::new(check, name.get_ref(), table));
    }
    let base = own.remove(DEFAULT).unwrap_or_default();
    let mut sites: BTreeMap<SiteName, Site> = own
        .into_iter()
        .map(|(name, own)| {
            let site = staging::with(&name, own, &base);
            (name, site)
        })
        .collect();
    sites.insert(DEFAULT.to_owned(), staging::with(DEFAULT, base, &Own::default()));
    sites
}

/// What one table says itself: `None` is what inherits. Kept apart from [`Site`] so that each table is checked once,
/// however many sites inherit from it.
#[derive(Clone, Debug, Default)]
struct Own {
    sip_transport: Option<Transport>,
    srtp: Option<Srtp>,
    protocol: Option<Protocol>,
    time_zone: Option<String>,
    ntp: Option<Vec<String>>,
    admin_password: Option<Secret>,
    ready_when: Option<ReadyWhen>,
    numbers: Option<NumberRange>,
    servers: Option<Vec<Registrar>>,
    outbound_proxies: Option<Vec<Registrar>>,
    failover: Option<OwnFailover>,
    firmware: BTreeMap<String, String>,
    firmware_floor: BTreeMap<String, String>,
    extra: BTreeMap<String, BTreeMap<String, String>>,
    var: BTreeMap<String, String>,
    places: Places,
    staging: Option<Box<Own>>,
}

/// `[site.NAME.failover]`, inherited key by key.
#[derive(Clone, Debug, Default)]
struct OwnFailover {
    re_register_on: Option<bool>,
    fail_registration_on: Option<bool>,
    only_signal_with_registered: Option<bool>,
    fail_back_mode: Option<&'static str>,
    fail_back_timeout: Option<u16>,
}

impl Own {
    /// Checks one table.
    fn new(check: &mut Check<'_>, name: &str, table: &SiteTable) -> Self {
        let password = check.secret(
            "admin-password",
            table.admin_password.as_ref(),
            table.admin_password_file.as_ref(),
        );
        Self {
            sip_transport: check.choice("sip-transport", table.sip_transport.as_ref(), &TRANSPORTS),
            srtp: check.choice("srtp", table.srtp.as_ref(), &SRTP),
            protocol: check.choice("protocol", table.protocol.as_ref(), &PROTOCOLS),
            time_zone: check.value(table.time_zone.as_ref(), value::time_zone),
            ntp: check.list(table.ntp.as_deref(), value::host),
            admin_password: password,
            ready_when: check.choice("ready-when", table.ready_when.as_ref(), &READY),
            numbers: check.value(table.numbers.as_ref(), value::numbers),
            servers: registrars(check, &format!("[[site.{name}.server]]"), table.server.as_deref()),
            outbound_proxies: registrars(
                check,
                &format!("[[site.{name}.outbound-proxy]]"),
                table.outbound_proxy.as_deref(),
            ),
            failover: table.failover.as_ref().map(|table| failover(check, table)),
            firmware: firmware(check, &table.firmware, &Place::Firmware(name.to_owned())),
            firmware_floor: firmware(check, &table.firmware_floor, &Place::Floor(name.to_owned())),
            extra: extra(check, name, table),
            var: texts(check, &table.var),
            places: places(check, table),
            staging: staging::own(check, name, table),
        }
    }
}

/// Where each key stands, spelt as in `set_by`.
fn places(check: &Check<'_>, table: &SiteTable) -> Places {
    let mut places = Places::default();
    let mut note = |key: &str, at: Option<usize>| {
        if let Some(at) = at {
            places.note(key.to_owned(), check.sources.spot(at));
        }
    };
    let at = |text: &Option<At<String>>| text.as_ref().map(|text| text.span().start);
    let first = |list: &Option<Vec<At<RegistrarTable>>>| Some(list.as_ref()?.first()?.span().start);
    note("sip-transport", at(&table.sip_transport));
    note("srtp", at(&table.srtp));
    note("protocol", at(&table.protocol));
    note("time-zone", at(&table.time_zone));
    let ntp = table.ntp.as_ref().and_then(|list| list.first());
    note("ntp", ntp.map(|server| server.span().start));
    note("admin-password", at(&table.admin_password).or(at(&table.admin_password_file)));
    note("ready-when", at(&table.ready_when));
    note("numbers", at(&table.numbers));
    note("server", first(&table.server));
    note("outbound-proxy", first(&table.outbound_proxy));
    for (name, load) in &table.firmware {
        note(&format!("firmware.{}", name.get_ref()), Some(load.span().start));
    }
    for (name, floor) in &table.firmware_floor {
        note(&format!("firmware-floor.{}", name.get_ref()), Some(floor.span().start));
    }
    for (name, value) in &table.var {
        note(&format!("var.{}", name.get_ref()), Some(value.span().start));
    }
    for (family, values) in &table.extra {
        for (name, value) in values {
            let key = format!("extra.{}.{}", family.get_ref(), name.get_ref());
            note(&key, Some(value.span().start));
        }
    }
    if let Some(failover) = &table.failover {
        note("failover.fail-back-mode", at(&failover.fail_back_mode));
        let timeout = failover.fail_back_timeout.as_ref();
        note("failover.fail-back-timeout", timeout.map(|timeout| timeout.span().start));
    }
    places
}

/// Registrars or proxies in order. A list is inherited whole: half of one site's servers and half of another's
/// would be nobody's.
fn registrars(
    check: &mut Check<'_>,
    label: &str,
    given: Option<&[At<RegistrarTable>]>,
) -> Option<Vec<Registrar>> {
    let mut registrars = Vec::new();
    for registrar in given? {
        let table = registrar.get_ref();
        if table.address.is_none() {
            let text = format!("this {label} has no `address`");
            check.missing(registrar.span().start, text, "address = \"10.20.0.5\"");
        }
        let port = check.number("port", table.port.as_ref(), 1, 65_535);
        let Some(address) = check.value(table.address.as_ref(), value::host) else { continue };
        registrars
            .push(Registrar { address, port: port.and_then(|port| u16::try_from(port).ok()) });
    }
    Some(registrars)
}

/// The rules of Poly's Engineering Advisory 66546: a timeout of 1 to 59 s acts as 60, and counts with `duration` only.
fn failover(check: &mut Check<'_>, table: &FailoverTable) -> OwnFailover {
    let mode = check.choice("fail-back-mode", table.fail_back_mode.as_ref(), &FAIL_BACK);
    let mut timeout = None;
    if let Some(given) = &table.fail_back_timeout {
        let at = given.span().start;
        match *given.get_ref() {
            seconds @ 1..=59 => {
                let text = format!("phones take a `fail-back-timeout` of {seconds} for 60");
                check.warning(at, text, "0, or 60 to 65535 seconds");
                timeout = Some(60);
            }
            seconds if (0..=65_535).contains(&seconds) => timeout = u16::try_from(seconds).ok(),
            seconds => {
                let text = format!("`fail-back-timeout` can't be {seconds}");
                check.error(at, text, "0, or 60 to 65535 seconds");
            }
        }
        // A mode that was refused is told already.
        if mode != Some("duration") && (mode.is_some() || table.fail_back_mode.is_none()) {
            let text = "`fail-back-timeout` has no effect unless `fail-back-mode` is `duration`";
            check.warning(at, text, "fail-back-mode = \"duration\", or leave the timeout out");
        }
    }
    OwnFailover {
        re_register_on: table.re_register_on,
        fail_registration_on: table.fail_registration_on,
        only_signal_with_registered: table.only_signal_with_registered,
        fail_back_mode: mode,
        fail_back_timeout: timeout,
    }
}

/// Wanted loads, or the oldest that will do. Whether a load is there is the library's knowledge, not the settings'.
fn firmware(
    check: &mut Check<'_>,
    table: &BTreeMap<At<String>, At<String>>,
    place: &Place,
) -> BTreeMap<String, String> {
    let mut loads = BTreeMap::new();
    for (name, load) in table {
        check.name(name, place.clone());
        if let Some(load) = check.value(Some(load), value::text) {
            loads.insert(name.get_ref().clone(), load);
        }
    }
    loads
}

/// Values merged last, by family, vendor or model.
fn extra(
    check: &mut Check<'_>,
    site: &str,
    table: &SiteTable,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut families = BTreeMap::new();
    for (name, values) in &table.extra {
        check.name(name, Place::Extra(site.to_owned()));
        families.insert(name.get_ref().clone(), texts(check, values));
    }
    families
}

/// Values as phones get them: text as it is, numbers and truth values as written.
fn texts(
    check: &mut Check<'_>,
    values: &BTreeMap<At<String>, At<toml::Value>>,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (key, given) in values {
        let text = match given.get_ref() {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(_) | toml::Value::Table(_) => {
                let text = format!("`{}` is no single value", key.get_ref());
                // The usual cause: a.b = 1 makes a table named a.
                check.error(given.span().start, text, "quote a key with dots: \"a.b\" = \"1\"");
                continue;
            }
            other => other.to_string(),
        };
        let text = toml::Spanned::new(given.span(), text);
        if let Some(text) = check.value(Some(&text), value::text) {
            texts.insert(key.get_ref().clone(), text);
        }
    }
    texts
}

/// Fills in from `base` what `own` does not say, and notes which table set what.
fn complete(name: &str, own: Own, base: &Own) -> Site {
    let mut by = SetBy { name, set: BTreeMap::new() };
    Site {
        sip_transport: by
            .pick("sip-transport", own.sip_transport, base.sip_transport.as_ref())
            .unwrap_or_default(),
        srtp: by.pick("srtp", own.srtp, base.srtp.as_ref()).unwrap_or_default(),
        protocol: by.pick("protocol", own.protocol, base.protocol.as_ref()).unwrap_or_default(),
        time_zone: by.pick("time-zone", own.time_zone, base.time_zone.as_ref()),
        ntp: by.pick("ntp", own.ntp, base.ntp.as_ref()).unwrap_or_default(),
        admin_password: by.pick("admin-password", own.admin_password, base.admin_password.as_ref()),
        ready_when: by
            .pick("ready-when", own.ready_when, base.ready_when.as_ref())
            .unwrap_or_default(),
        numbers: by.pick("numbers", own.numbers, base.numbers.as_ref()),
        servers: by.pick("server", own.servers, base.servers.as_ref()).unwrap_or_default(),
        outbound_proxies: by
            .pick("outbound-proxy", own.outbound_proxies, base.outbound_proxies.as_ref())
            .unwrap_or_default(),
        failover: by.failover(own.failover, base.failover.as_ref()),
        firmware: by.merge("firmware", own.firmware, &base.firmware),
        firmware_floor: by.merge("firmware-floor", own.firmware_floor, &base.firmware_floor),
        extra: by.extra(own.extra, &base.extra),
        var: by.merge("var", own.var, &base.var),
        places: own.places.inherited(&base.places, name, &by.set),
        set_by: by.set,
        staging: None,
        staged: BTreeSet::new(),
    }
}

/// Notes for each key which site's table set it.
struct SetBy<'a> {
    name: &'a str,
    set: BTreeMap<String, SiteName>,
}

impl SetBy<'_> {
    /// Remembers who set a key that has a value.
    fn note(&mut self, key: &str, own: bool) {
        let site = if own { self.name } else { DEFAULT };
        self.set.insert(key.to_owned(), site.to_owned());
    }

    /// The site's own value, else the one of `default`.
    fn pick<T: Clone>(&mut self, key: &str, own: Option<T>, base: Option<&T>) -> Option<T> {
        let is_own = own.is_some();
        let value = own.or_else(|| base.cloned())?;
        self.note(key, is_own);
        Some(value)
    }

    /// Maps are inherited key by key.
    fn merge(
        &mut self,
        key: &str,
        own: BTreeMap<String, String>,
        base: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut merged = base.clone();
        for name in base.keys() {
            self.note(&format!("{key}.{name}"), false);
        }
        for name in own.keys() {
            self.note(&format!("{key}.{name}"), true);
        }
        merged.extend(own);
        merged
    }

    /// Maps of maps: a family's values are inherited key by key too.
    fn extra(
        &mut self,
        mut own: BTreeMap<String, BTreeMap<String, String>>,
        base: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> BTreeMap<String, BTreeMap<String, String>> {
        let families: BTreeSet<String> = base.keys().chain(own.keys()).cloned().collect();
        let mut merged = BTreeMap::new();
        for family in families {
            let (own, base) = (own.remove(&family).unwrap_or_default(), base.get(&family));
            let key = format!("extra.{family}");
            let values = self.merge(&key, own, base.unwrap_or(&BTreeMap::new()));
            merged.insert(family, values);
        }
        merged
    }

    fn failover(
        &mut self,
        own: Option<OwnFailover>,
        base: Option<&OwnFailover>,
    ) -> Option<Failover> {
        if own.is_none() && base.is_none() {
            return None;
        }
        self.note("failover", own.is_some());
        let own = own.unwrap_or_default();
        let base = base.cloned().unwrap_or_default();
        let default = Failover::default();
        let mut pick = |key, own: Option<bool>, base: Option<bool>, default| {
            self.pick(&format!("failover.{key}"), own, base.as_ref()).unwrap_or(default)
        };
        Some(Failover {
            re_register_on: pick(
                "re-register-on",
                own.re_register_on,
                base.re_register_on,
                default.re_register_on,
            ),
            fail_registration_on: pick(
                "fail-registration-on",
                own.fail_registration_on,
                base.fail_registration_on,
                default.fail_registration_on,
            ),
            only_signal_with_registered: pick(
                "only-signal-with-registered",
                own.only_signal_with_registered,
                base.only_signal_with_registered,
                default.only_signal_with_registered,
            ),
            fail_back_mode: self
                .pick("failover.fail-back-mode", own.fail_back_mode, base.fail_back_mode.as_ref())
                .map_or(default.fail_back_mode, str::to_owned),
            fail_back_timeout: self
                .pick(
                    "failover.fail-back-timeout",
                    own.fail_back_timeout,
                    base.fail_back_timeout.as_ref(),
                )
                .unwrap_or(default.fail_back_timeout),
        })
    }
}
