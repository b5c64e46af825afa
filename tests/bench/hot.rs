//! What a boot is made of, in a small fleet and in a large one: DHCP messages, files, events. Pure parts only.
//!
//! The ratio is the one to look at: what a message costs must not grow with the number of phones. Takes about 60 s and
//! 1 GB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that can't go on says so"
)]

use std::{
    collections::HashSet,
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use ringup::{
    config,
    dhcp::Rehearsal,
    domain::{
        Boot, Carrier, Change, ClientKey, Commit, Entry, Event, Granted, Lease, Line, Mac, Secret,
        Timestamp, What,
    },
    profile::{Catalog, Seen},
    provision::{Library, Provisioner, Request as Asked},
    store::{State, View},
    wire::dhcp::{Kind, Message, Request},
};
use table::Table;

#[path = "table.rs"]
mod table;

const SETTINGS: &str = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"lo\"]\n[[dhcp.subnet]]\nsubnet = \"10.0.0.0/8\"\n\
    pool = [\"10.1.0.0-10.9.255.255\"]\nlease-time = \"1h\"\n[auto-registration]\nenabled = true\n\
    numbers = \"100000-999999\"\n[[site.default.server]]\naddress = \"10.0.0.5\"\n";

const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([0, 0x1e, 0x7a, a, b, c]).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 1, 0, 0)) + number)
}

/// A fleet with so many phones, all listed, leased and recognized.
fn fleet(here: &Arc<Catalog>, phones: u32) -> State {
    let mut state = State::default();
    let class = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0");
    let ground = here.recognize(&class, now()).unwrap();
    for number in 0..phones {
        let (phone, address) = (mac(number), address(number));
        let text = (100_000 + number).to_string();
        let line = Line {
            number: text.clone(),
            name: format!("Desk {number}"),
            sip_password: Secret::new("s3cret".to_owned()),
            ..Line::default()
        };
        let entry = Entry { model: "7961".to_owned(), lines: vec![line], ..Entry::default() };
        let (since, until) = (now(), Timestamp::MAX);
        let lease = Lease { address, client: ClientKey::hardware(phone), mac: phone, since, until };
        let what = What::Leased { address, until, granted: Granted::Selected };
        let changes = vec![
            Change::Listed(phone, Box::new(entry)),
            Change::Numbered(phone, text),
            Change::Showed(phone, ground.clone()),
            Change::Leased(lease),
            Change::Happened(phone, Event { at: now(), what }),
        ];
        state.apply(&Commit { number: u64::from(number) + 1, changes });
    }
    state
}

/// A phone that nobody listed.
const STRANGER: u32 = 500_000;

/// The same resolver where the stranger has a lease.
fn with_stranger(state: &mut State, here: &Provisioner) -> Provisioner {
    let (address, mac, since) = (address(STRANGER), mac(STRANGER), now());
    let client = ClientKey::hardware(mac);
    let lease = Lease { address, client, mac, since, until: Timestamp::MAX };
    let number = state.commit + 1;
    state.apply(&Commit { number, changes: vec![Change::Leased(lease)] });
    let (settings, catalog) = (Arc::clone(here.settings()), Arc::clone(here.catalog()));
    Provisioner::new(settings, catalog, Arc::default(), View::new(state.clone()))
}

/// A request over TFTP that shows nothing but a name.
const fn asked(name: &str, peer: IpAddr) -> Asked<'_> {
    Asked { name, peer, local: IpAddr::V4(OWN), carrier: Carrier::Tftp, seen: &[] }
}

/// What is asked of one fleet, by name; the medians in order.
fn measured(table: &mut Table, phones: u32, small: &[f64]) -> Vec<f64> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ringup.toml");
    fs::write(&path, SETTINGS).unwrap();
    let settings = Arc::new(config::load(Some(&path)).expect("good settings").settings);
    let catalog = Arc::new(Catalog::load(None).0);
    let mut state = fleet(&catalog, phones);
    let view = View::new(state.clone());
    let here = Provisioner::new(settings, catalog, Arc::<Library>::default(), view);
    let mut medians = Vec::new();
    let mut measure = |name: &str, run: &mut dyn FnMut() -> bool| {
        assert!(run(), "{name}");
        let title = format!("{name}, {phones} phones");
        let peer = small.get(medians.len()).map(|small| ("the small fleet", *small));
        let median = match peer {
            Some(peer) => table.against(&title, peer, run),
            None => table.measure(&title, run),
        };
        medians.push(median);
    };
    let phone = mac(phones / 2);
    let class = b"Cisco Systems, Inc. IP Phone CP-7961G\0".to_vec();
    let discover = Request::discover(phone, 1).option(60, class.clone()).encode();
    let mut server = Rehearsal::on((OWN, 8));
    measure("DISCOVER of a known phone, its offer", &mut || {
        server.decide(&here, &state, &discover, now()).reply.is_some()
    });
    let mut fresh = phones;
    measure("DISCOVER of a new phone, its offer", &mut || {
        fresh += 1;
        let message = Request::discover(mac(fresh), 1).option(60, class.clone()).encode();
        server.decide(&here, &state, &message, now()).reply.is_some()
    });
    let select = Request::select(phone, 1, address(phones / 2), OWN).option(60, class).encode();
    measure("REQUEST, its batch and its ACK", &mut || {
        let due = server.decide(&here, &state, &select, now());
        let ack =
            due.reply.is_some_and(|reply| Message::reply(&reply).unwrap().kind() == Kind::Ack);
        ack && !due.batch.changes.is_empty()
    });
    let peer = address(phones / 2).into();
    let open = |name: &str| here.open(&asked(name, peer), now()).is_ok_and(|it| it.length > 0);
    let own = format!("SEP{}.cnf.xml", phone.upper());
    measure("its own file, opened and rendered", &mut || open(&own));
    measure("a file that is not there", &mut || !open("CTLFile.tlv"));
    measure("a name that nobody knows", &mut || !open("nobody-knows.it"));
    let agent = [Seen::UserAgent("Yealink SIP-T46S 66.86.0.15 00:15:65:aa:bb:cc")];
    measure("its own file, with a User-Agent", &mut || {
        let asked = Asked { seen: &agent, ..asked(&own, peer) };
        here.open(&asked, now()).is_ok()
    });
    let preview = |name: &str| here.preview(phone, name, OWN.into(), false, now()).is_ok();
    measure("its phonebook of the whole site", &mut || preview("cisco-79xx-directory.xml"));
    let there = with_stranger(&mut state, &here);
    let stranger = asked("XMLDefault.cnf.xml", address(STRANGER).into());
    measure("a stranger is admitted: the next free number", &mut || {
        there.open(&stranger, now()).is_ok_and(|opened| opened.admit.is_some())
    });
    let mut number = state.commit;
    measure("an event becomes fact in memory", &mut || {
        number += 1;
        let event = Event { at: now(), what: What::discovered(None) };
        state.apply(&Commit { number, changes: vec![Change::Happened(phone, event)] });
        true
    });
    medians
}

/// A pool in which one address is left, and nothing for the numbers in front.
const TIGHT: &str = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"lo\"]\n[[dhcp.subnet]]\nsubnet = \"10.0.0.0/8\"\n\
    pool = [\"10.1.0.0-LAST\"]\nlease-time = \"1h\"\n";

/// What a stranger costs as time passes: who waits and what is taken is counted, the last address and number found.
/// Each beside a walk that finds the same.
fn strangers(table: &mut Table, phones: u32, small: &[f64]) -> Vec<f64> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ringup.toml");
    fs::write(&path, TIGHT.replace("LAST", &address(phones).to_string())).unwrap();
    let settings = Arc::new(config::load(Some(&path)).expect("good settings").settings);
    let catalog = Arc::new(Catalog::load(None).0);
    let mut state = fleet(&catalog, phones);
    // A listed phone waits, so that strangers have a share.
    let number = state.commit + 1;
    state.apply(&Commit { number, changes: vec![Change::Listed(mac(900_000), Box::default())] });
    let view = View::new(state.clone());
    let here = Provisioner::new(settings, catalog, Arc::<Library>::default(), view);
    let mut server = Rehearsal::on((OWN, 8));
    let mut medians = Vec::new();
    let mut fresh = phones;
    let title = format!("DISCOVER of a stranger, a minute after the last, {phones} phones");
    let mut later = || {
        fresh += 1;
        let message = Request::discover(mac(fresh), 1).encode();
        let now = now() + Duration::from_secs(61 * u64::from(fresh - phones));
        server.decide(&here, &state, &message, now).reply
    };
    // The last address is kept for the phone that waits.
    assert!(later().is_none());
    medians.push(beside(table, &title, small.first(), &mut || later().is_none()));
    let walk = || {
        let active = state.leases.values().filter(|lease| lease.is_active(now()));
        let holders: HashSet<Mac> = active.map(|lease| lease.mac).collect();
        state
            .phones
            .iter()
            .filter(|(mac, phone)| phone.entry.is_some() && !holders.contains(mac))
            .count()
    };
    let title = format!("the walk that counted who waits, {phones} phones");
    medians.push(beside(table, &title, small.get(1), &mut || walk() == 1));
    let title = format!("the last address of a pool, {phones} phones");
    let last = address(phones);
    let found = || state.unheld(address(0), last).next();
    medians.push(beside(table, &title, small.get(2), &mut || found() == Some(last)));
    let title = format!("the next free number, {phones} phones");
    let expected = Some((100_000 + phones).to_string());
    let next = || state.free_number(100_000, 999_999, 6);
    medians.push(beside(table, &title, small.get(3), &mut || next() == expected));
    let title = format!("the walk that found it, {phones} phones");
    let walk = || {
        let mut all = (100_000..=999_999).map(|number: u32| format!("{number:06}"));
        all.find(|number| state.number_of(number).is_none())
    };
    medians.push(beside(table, &title, small.get(4), &mut || walk() == expected));
    medians
}

/// Measures, beside the small fleet where that was measured.
fn beside(
    table: &mut Table,
    title: &str,
    small: Option<&f64>,
    run: &mut dyn FnMut() -> bool,
) -> f64 {
    assert!(run(), "{title}");
    match small {
        Some(small) => table.against(title, ("the small fleet", *small), run),
        None => table.measure(title, run),
    }
}

fn main() {
    let mut table = Table::new("hot path");
    let small = measured(&mut table, 100, &[]);
    measured(&mut table, 100_000, &small);
    let few = strangers(&mut table, 10_000, &[]);
    strangers(&mut table, 100_000, &few);
    table.measure("an event folded into a boot", || {
        let mut boot = Boot::default();
        boot.fold(&Event { at: now(), what: What::discovered(None) });
        boot
    });
}
