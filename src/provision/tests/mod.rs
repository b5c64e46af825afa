//! Tests of the resolver and the reports: real families, a state made of commits, cases as lines.

mod admission;
mod cached;
mod evidence;
mod explain;
mod forms;
mod open;
mod report;
mod service;
mod staging;
mod told;
mod twins;

use std::{
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    config::{AutoRegistration, DhcpMode, NumberRange, Registrar, Settings, Site, Subnet},
    domain::{Carrier, Change, ClientKey, Commit, Entry, Lease, Line, Mac, Secret, Timestamp},
    profile::{Catalog, Seen},
    store::{State, View},
};

use super::{Body, Library, Opened, Provisioner, Refusal, Request};

/// 2026-11-20T09:00:00Z, when all of these tests happen.
pub(super) fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub(super) fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

pub(super) fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let load = || {
        let (catalog, problems) = Catalog::load(None);
        assert!(problems.is_empty(), "{problems:?}");
        Arc::new(catalog)
    };
    Arc::clone(CATALOG.get_or_init(load))
}

/// Two sites beside the default; DHCP off unless a test turns it on.
pub(super) fn settings() -> Settings {
    let registrar = |address: &str| Registrar { address: address.to_owned(), port: None };
    let site = Site {
        servers: vec![registrar("10.20.0.5"), registrar("10.20.0.6")],
        time_zone: Some("Europe/Paris".to_owned()),
        admin_password: Some(Secret::new("4dm1n".to_owned())),
        ..Site::default()
    };
    let mut settings = Settings::default();
    settings.sites.insert("default".to_owned(), site.clone());
    for name in ["paris", "rome"] {
        settings.sites.insert(name.to_owned(), site.clone());
    }
    settings.dhcp.subnets = vec![Subnet {
        network: Ipv4Addr::new(10, 20, 0, 0),
        prefix: 22,
        site: "paris".to_owned(),
        pool: Vec::new(),
        router: Vec::new(),
        dns: Vec::new(),
        ntp: vec![Ipv4Addr::new(10, 20, 0, 1)],
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: Duration::from_hours(24),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: crate::config::Option82::Relay,
        admit: crate::config::Admit::All,
        options: Vec::new(),
        for_family: std::collections::BTreeMap::new(),
    }];
    settings
}

/// The same with DHCP served, so that own files go to leased addresses only.
pub(super) fn serving() -> Settings {
    let mut settings = settings();
    settings.dhcp.mode = DhcpMode::Serve;
    settings
}

/// The same with the auto-registration window open for `first` to `last`.
pub(super) fn registering(mut settings: Settings, first: u64, last: u64) -> Settings {
    let numbers = Some(NumberRange { first, last, width: 4 });
    settings.auto_registration = AutoRegistration { enabled: true, until: None, numbers };
    settings
}

pub(super) fn listed(phone: &str, model: &str, number: &str) -> Change {
    let line = Line {
        number: number.to_owned(),
        sip_password: Secret::new(format!("pw-{number}")),
        ..Line::default()
    };
    let entry = Entry { model: model.to_owned(), lines: vec![line], ..Entry::default() };
    Change::Listed(mac(phone), Box::new(entry))
}

pub(super) fn leased(phone: &str, last: u8) -> Change {
    let mac = mac(phone);
    Change::Leased(Lease {
        address: Ipv4Addr::new(10, 20, 0, last),
        client: ClientKey::hardware(mac),
        mac,
        since: now(),
        until: now() + Duration::from_hours(1),
    })
}

/// What a phone showed earlier.
pub(super) fn showed(phone: &str, seen: Seen<'_>) -> Change {
    Change::Showed(mac(phone), catalog().recognize(&seen, now()).unwrap())
}

pub(super) fn state(changes: Vec<Change>) -> State {
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes });
    state
}

pub(super) fn provisioner(settings: Settings, changes: Vec<Change>) -> Provisioner {
    with_files(settings, changes, Path::new("/nonexistent"), Path::new("/nonexistent"))
}

pub(super) fn with_files(
    settings: Settings,
    changes: Vec<Change>,
    files: &Path,
    firmware: &Path,
) -> Provisioner {
    let (library, problems) = Library::load(files, firmware);
    assert!(problems.is_empty(), "{problems:?}");
    let view = View::new(state(changes));
    Provisioner::new(Arc::new(settings), catalog(), Arc::new(library), view)
}

/// Opens what a line asks for: `PEER NAME`, or `PEER NAME | USER-AGENT`.
pub(super) fn open(provisioner: &Provisioner, line: &str) -> Result<Opened, Refusal> {
    let (request, agent) = line.split_once(" | ").unwrap_or((line, ""));
    let (peer, name) = request.split_once(' ').unwrap();
    let seen = [Seen::UserAgent(agent)];
    let seen = if agent.is_empty() { &[] } else { &seen[..] };
    let (peer, local) = (peer.parse().unwrap(), [10, 20, 0, 2].into());
    provisioner.open(&Request { name, peer, local, carrier: Carrier::Tftp, seen }, now())
}

/// The outcome of a line in a few words.
pub(super) fn told(outcome: &Result<Opened, Refusal>) -> String {
    match outcome {
        Ok(opened) => {
            let of = opened.phone.map_or("nobody".to_owned(), |phone| phone.to_string());
            let admits =
                opened.admit.as_ref().map(|admit| format!(", admits it as {}", admit.number));
            let admits = admits.unwrap_or_default();
            format!("{} of {of} from {}{admits}", opened.asked.role.as_str(), opened.source)
        }
        Err(refusal) if refusal.normal => format!("{} (normal)", refusal.why),
        Err(refusal) => refusal.why.to_string(),
    }
}

/// Checks that a line has this outcome.
pub(super) fn check(provisioner: &Provisioner, line: &str, expected: &str) {
    assert_eq!(told(&open(provisioner, line)), expected, "{line}");
}

pub(super) fn text(opened: &Opened) -> String {
    let mut bytes = vec![0; usize::try_from(opened.length).unwrap()];
    let read = opened.body.read_at(0, &mut bytes).unwrap();
    assert_eq!(read, bytes.len());
    assert!(matches!(opened.body, Body::Bytes(_) | Body::File(_)));
    String::from_utf8(bytes).unwrap()
}
