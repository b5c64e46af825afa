//! Findings raised, withdrawn, and not raised: each case a line.

mod firmware;
mod model;
mod network;
mod server;
mod traps;

use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Duration};

use crate::{
    config::{DhcpMode, Settings},
    domain::{Asked, Carrier, Change, Event, Finding, Granted, Mac, Outcome, Required, Role, What},
    profile::{Catalog, Seen},
    store::View,
};

use super::super::{
    Library, Provisioner,
    tests::{catalog, leased, listed, mac, now, settings, state},
};

const CISCO: &str = "001e7ac41022";
const OWN: &str = "SEP001E7AC41022.cnf.xml";
const SIGNED: &str = "SEP001E7AC41022.cnf.xml.sgn";
const TRUST: &str = "CTLSEP001E7AC41022.tlv";
const G: Seen<'static> = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0");

/// One phone, what is set, known and listed, and what happened to it.
struct Story {
    catalog: Arc<Catalog>,
    settings: Settings,
    library: Arc<Library>,
    mac: Mac,
    changes: Vec<Change>,
}

impl Story {
    fn new(phone: &str) -> Self {
        let library = Arc::default();
        Self { catalog: catalog(), settings: settings(), library, mac: mac(phone), changes: vec![] }
    }

    /// The usual one: a 7961G, listed as such, with a lease of ours that is served by us.
    fn served() -> Self {
        let mut story = Self::new(CISCO).with(listed(CISCO, "7961G", "4012")).shows(G);
        story.settings.dhcp.mode = DhcpMode::Serve;
        story.with(leased(CISCO, 51))
    }

    fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    fn shows(self, seen: Seen<'_>) -> Self {
        let ground = self.catalog.recognize(&seen, now()).unwrap_or_else(|| panic!("{seen:?}"));
        let mac = self.mac;
        self.with(Change::Showed(mac, ground))
    }

    /// What happened, each so many seconds before now.
    fn happens(mut self, happened: impl IntoIterator<Item = (u64, What)>) -> Self {
        for (ago, what) in happened {
            let at = now() - Duration::from_secs(ago);
            self.changes.push(Change::Happened(self.mac, Event { at, what }));
        }
        self
    }

    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        self
    }

    fn firmware(mut self, directory: &Path) -> Self {
        self.library = Arc::new(Library::load(Path::new("/nonexistent"), directory).0);
        self
    }

    fn provisioner(&self) -> Provisioner {
        let view = View::new(state(self.changes.clone()));
        let (catalog, library) = (Arc::clone(&self.catalog), Arc::clone(&self.library));
        Provisioner::new(Arc::new(self.settings.clone()), catalog, library, view)
    }

    fn findings(&self) -> Vec<Finding> {
        let (here, state) = (self.provisioner(), state(self.changes.clone()));
        let found = here.report(self.mac, &state.phones[&self.mac], &state, now()).findings;
        for Finding { kind, text, remedy, grounds, .. } in &found {
            let said = !text.is_empty() && !remedy.is_empty();
            let grounded = !grounds.is_empty() && grounds.iter().all(|one| !one.value.is_empty());
            assert!(said && grounded, "{kind:?}: {text}; {remedy}; {grounds:?}");
        }
        found
    }

    fn kinds(&self) -> String {
        let kinds: Vec<_> = self.findings().iter().map(|one| one.kind.as_str()).collect();
        kinds.join(", ")
    }

    /// All findings in full.
    fn told(&self) -> String {
        let full = |one: &Finding| {
            let kind = one.kind.as_str();
            let repair = one.repair.clone().map(|repair| {
                let fields = [repair.model, repair.site, repair.mac.map(|mac| mac.to_string())];
                format!(" => {}", fields.into_iter().flatten().collect::<Vec<_>>().join(" "))
            });
            format!("{kind}: {}; {}{}", one.text, one.remedy, repair.unwrap_or_default())
        };
        self.findings().iter().map(full).collect::<Vec<_>>().join("\n")
    }
}

fn asked(name: &str, role: Role) -> Asked {
    let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
    let first = name.starts_with("CTL") || name.ends_with("0004f2aabbcc.cfg");
    Asked { name: name.to_owned(), carrier: Carrier::Tftp, role, required, first }
}

fn missed(name: &str, role: Role) -> What {
    let why = format!("there is no {name}");
    What::Refused { asked: asked(name, role), why, normal: role == Role::Trust }
}

fn refused(name: &str, role: Role, why: &str) -> What {
    What::Refused { asked: asked(name, role), why: why.to_owned(), normal: false }
}

fn opened(name: &str, role: Role) -> What {
    What::Opened { asked: asked(name, role), length: 9 }
}

fn ended(name: &str, role: Role, outcome: Outcome, normal: bool) -> What {
    let (asked, etag, source) = (asked(name, role), "e".to_owned(), String::new());
    What::Ended { asked, bytes: 9, length: 9, outcome, etag, normal, source }
}

/// A file asked for and taken whole, so many seconds ago.
fn takes(ago: u64, name: &str, role: Role) -> [(u64, What); 2] {
    [(ago, opened(name, role)), (ago, ended(name, role, Outcome::Complete, false))]
}

fn discovered() -> What {
    What::discovered(None)
}

fn through(relay: u8) -> What {
    What::discovered(Some(Ipv4Addr::new(10, relay, 0, 1)))
}

fn acked() -> What {
    let address = Ipv4Addr::new(10, 20, 0, 51);
    What::Leased { address, until: jiff::Timestamp::MAX, granted: Granted::Selected }
}

/// A healthy boot of the Cisco, begun so many seconds ago.
fn healthy(ago: u64) -> Vec<(u64, What)> {
    let start = [(ago, discovered()), (ago - 1, acked()), (ago - 2, missed(TRUST, Role::Trust))];
    let lists = [(ago - 2, missed("ITLFile.tlv", Role::Trust))];
    start.into_iter().chain(lists).chain(takes(ago - 3, OWN, Role::Own)).collect()
}

#[test]
fn a_healthy_phone_has_none() {
    let check = |happened: Vec<(u64, What)>, why: &str| {
        assert_eq!(Story::served().happens(happened).told(), "", "{why}");
    };
    check(vec![], "never seen");
    check(healthy(100), "a boot");
    check([healthy(300), healthy(90)].concat(), "two boots");
    check([healthy(500), healthy(300), healthy(90)].concat(), "a test at a desk");
    let signed = [vec![(90, discovered()), (89, acked())], takes(80, SIGNED, Role::Own).into()];
    check(signed.concat(), "a phone that holds a trust list and takes the file");
    let load =
        [takes(85, "SIP41.9-4-2.loads", Role::Firmware), takes(80, "jar41.sbn", Role::Firmware)];
    check([healthy(100), load.concat(), healthy(40)].concat(), "an upgrade and the boot behind it");
    let vlan = [(99, through(1)), (97, through(2)), (96, acked())];
    let again = [(59, through(1)), (57, through(2)), (56, acked())];
    let hops = [vlan.to_vec(), takes(95, OWN, Role::Own).into(), again.to_vec()];
    check([hops.concat(), takes(55, OWN, Role::Own).into()].concat(), "a voice VLAN at each boot");
    check(vec![(100, discovered()), (99, acked())], "patience");
}

#[test]
fn a_healthy_poly_has_none() {
    let poly = "0004f2aabbcc";
    let class = Seen::Option60(b"Polycom-SPIP670");
    let story = Story::new(poly).with(listed(poly, "SoundPoint IP 670", "4012")).shows(class);
    let aborted = || Outcome::Aborted { text: "connection refused".to_owned() };
    let round = |ago: u64, whole: bool| {
        let own = |name| {
            let outcome = if whole { Outcome::Complete } else { aborted() };
            [(ago, opened(name, Role::Own)), (ago, ended(name, Role::Own, outcome, !whole))]
        };
        let load = "2345-12670-001.sip.ld";
        let load = [
            (ago, opened(load, Role::Firmware)),
            (ago, ended(load, Role::Firmware, aborted(), true)),
        ];
        let normal = |name: &str| {
            let why = format!("there is no {name}");
            (ago, What::Refused { asked: asked(name, Role::Extra), why, normal: true })
        };
        let misses = ["0004f2aabbcc-phone.cfg", "0004f2aabbcc-web.cfg"].map(normal);
        let files = [own("0004f2aabbcc.cfg"), load, own("0004f2aabbcc-line.cfg")].concat();
        [files, misses.into()].concat()
    };
    // Updater and application read all of it, then it starts again and breaks off what it has already.
    let boots = [round(300, true), round(290, true), round(90, false), round(80, false)];
    assert_eq!(story.happens(boots.concat()).told(), "");
}

#[test]
fn listed_for_another_site() {
    let at = |site: &str| {
        let Change::Listed(mac, mut entry) = listed(CISCO, "7961G", "4012") else { panic!() };
        entry.site = Some(site.to_owned());
        Story::new(CISCO).with(Change::Listed(mac, entry)).shows(G)
    };
    // Its address lies in a subnet of Paris.
    assert_eq!(
        at("rome").happens(healthy(90)).told(),
        "wrong-site: listed for rome, started at paris with 10.20.0.51; bring it to rome, or list it for paris => paris"
    );
    assert_eq!(at("paris").happens(healthy(90)).told(), "");
    assert_eq!(at("oslo").happens(healthy(90)).told(), "", "a site that is not set any more");
    assert_eq!(at("rome").told(), "", "never seen");
}

#[test]
fn each_repair_is_accepted() {
    let check = |story: &Story, kind: &str, expected: &str| {
        let (here, mut state) = (story.provisioner(), state(story.changes.clone()));
        let accepted = here.accept(&state, story.mac, Some(kind), now()).unwrap();
        let changes = accepted.batch.changes;
        state.apply(&crate::domain::Commit { number: 2, changes });
        let phone = &state.phones[&accepted.phone];
        let entry = phone.entry.as_deref().unwrap();
        let site = entry.site.clone().unwrap_or_default();
        assert_eq!(format!("{} {site} {}", entry.model, entry.number()), expected);
        let left = here.report(accepted.phone, phone, &state, now()).findings;
        assert!(left.iter().all(|finding| finding.kind.as_str() != kind), "{left:?}");
        assert!(accepted.batch.undoable);
    };
    let wrong = |model| Story::new(CISCO).with(listed(CISCO, model, "4012"));
    check(&wrong("7961G-GE").shows(G), "wrong-model", "7961  4012");
    check(&wrong("VVX 401").shows(G), "wrong-family", "7961  4012");
    let Change::Listed(mac, mut entry) = listed(CISCO, "7961G", "4012") else { panic!() };
    entry.site = Some("rome".to_owned());
    let elsewhere = Story::new(CISCO).with(Change::Listed(mac, entry)).shows(G);
    check(&elsewhere.happens(healthy(90)), "wrong-site", "7961G paris 4012");
}
