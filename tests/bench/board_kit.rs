//! An appliance with many phones, and storms of their boots, for the benchmark of the board.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ringup::{
    config::{Settings, Site},
    domain::{
        Asked, Batch, Carrier, Change, Entry, Event, Granted, Ground, Line, Mac, Origin, Outcome,
        Required, Role, Timestamp, What,
    },
    http::{About, Operators, OperatorsPort},
    profile::Catalog,
    provision::{Library, Provisioner, Service},
    store::Store,
    telemetry::Counters,
};
use tokio::{runtime::Runtime, sync::watch};

/// Changes that become fact together: what the recorder would batch.
const AT_A_TIME: usize = 64;

/// The operators' port over a store in a folder of its own.
#[derive(Clone)]
pub struct Appliance {
    service: Arc<Service>,
    pub address: SocketAddr,
    _stop: Arc<watch::Sender<bool>>,
    _directory: Arc<tempfile::TempDir>,
}

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([0, 4, 0xf2, a, b, c]).unwrap()
}

fn happened(mac: Mac, what: What) -> Change {
    Change::Happened(mac, Event { at: Timestamp::now(), what })
}

impl Appliance {
    pub fn start(runtime: &Runtime) -> Self {
        let _entered = runtime.enter();
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("state")).unwrap();
        let mut settings = Settings::default();
        for site in ["default", "paris", "lyon"] {
            settings.sites.insert(site.to_owned(), Site::default());
        }
        let nowhere = Path::new("/nonexistent");
        let (library, catalog) = (Library::load(nowhere, nowhere).0, Catalog::load(None).0);
        let provisioner = Provisioner::new(
            Arc::new(settings),
            Arc::new(catalog),
            Arc::new(library),
            store.view.clone(),
        );
        let counters = Counters::default();
        let service =
            Service::start(provisioner, store.journal, store.view, store.feed, counters.clone());
        let service = Arc::new(service);
        let operators = Operators::new(Arc::clone(&service), counters, About::default());
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let port = OperatorsPort::bind(&[any], operators, None, None, &[]).unwrap();
        let address = port.addresses()[0];
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(port.serve(stopped));
        Self { service, address, _stop: Arc::new(stop), _directory: Arc::new(directory) }
    }

    fn commit(&self, changes: Vec<Change>) {
        self.service.journal.commit_blocking(Batch::from(changes)).unwrap();
    }

    /// Lists so many phones at two sites, on switches of 48 ports, and boots most of them.
    pub fn list(&self, count: u32) {
        let phones: Vec<u32> = (0..count).collect();
        for numbers in phones.chunks(256) {
            let changes = numbers.iter().flat_map(|number| {
                let line = Line {
                    number: format!("{}", 1000 + number),
                    name: format!("Desk {number}"),
                    ..Line::default()
                };
                let site = if number % 2 == 0 { "paris" } else { "lyon" };
                let entry = Entry {
                    model: "VVX 410".to_owned(),
                    site: Some(site.to_owned()),
                    lines: vec![line],
                    ..Entry::default()
                };
                let ground = Ground {
                    from: Origin::Option82,
                    value: format!("sw-{} | {}", number / 48, number % 48 + 1),
                    vendor: None,
                    family: None,
                    model: None,
                    firmware: None,
                    mac: None,
                    at: Timestamp::now(),
                };
                let mut changes = vec![Change::Listed(mac(*number), Box::new(entry))];
                if number % 10 != 9 {
                    changes.push(Change::Showed(mac(*number), ground));
                    changes.extend(boot(*number));
                }
                changes
            });
            self.commit(changes.collect());
        }
    }

    /// So many boots, spread over a time.
    pub fn storm(&self, boots: u32, over: Duration) {
        let began = Instant::now();
        let all: Vec<Change> = (0..boots).flat_map(boot).collect();
        let batches = all.chunks(AT_A_TIME);
        let count = u32::try_from(batches.len()).unwrap();
        for (number, changes) in (1..).zip(batches) {
            self.commit(changes.to_vec());
            // The storm has a rate of its own: this is the load, no wait for something to happen.
            std::thread::sleep((over * number / count).saturating_sub(began.elapsed()));
        }
    }

    /// Renames a phone that is never seen and stands among the troubled, by a number that it shares with nobody.
    pub fn rename(&self, name: &str) {
        let line = Line { number: String::new(), name: name.to_owned(), ..Line::default() };
        let entry = Entry { model: "VVX 410".to_owned(), lines: vec![line], ..Entry::default() };
        // A placeholder is a bad label, so it stands at the top of the board, where it is seen.
        let placeholder = Mac::new([0, 4, 0xf2, 0, 0, 0]).unwrap();
        self.commit(vec![Change::Listed(placeholder, Box::new(entry))]);
    }
}

/// What happens when a phone boots.
fn boot(number: u32) -> [Change; 4] {
    let [_, a, b, c] = number.to_be_bytes();
    let (mac, address) = (mac(number), Ipv4Addr::new(10, a.wrapping_add(20), b, c));
    let asked = || Asked {
        name: format!("{}.cfg", mac.lower()),
        role: Role::Own,
        carrier: Carrier::Http,
        required: Some(Required { slot: 0, of: 1 }),
        first: true,
    };
    let ended = What::Ended {
        asked: asked(),
        bytes: 4096,
        length: 4096,
        outcome: Outcome::Complete,
        etag: "e".to_owned(),
        normal: false,
        source: String::new(),
    };
    [
        What::discovered(None),
        What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected },
        What::Opened { asked: asked(), length: 4096 },
        ended,
    ]
    .map(|what| happened(mac, what))
}
