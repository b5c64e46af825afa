//! Staging values: in force while the batch is open, and which of them wins.

use super::{explain::settings_of, *};
use crate::domain::{
    Asked, Carrier, Event, Purpose, Required, Role, StagingChange, StagingId, Step, What,
};

const PHONE: &str = "00:15:65:aa:bb:cc";
const FILE: &str = "001565aabbcc.cfg";

const SETTINGS: &str = r#"[site.default]
time-zone = "Europe/Paris"
sip-transport = "udp"
firmware.T46S = "production.rom"
var.room = "none"
extra.T46S = { "a.model" = "production", "a.entry" = "production" }

[site.default.staging]
time-zone = "UTC"
server = [{ address = "10.98.0.1" }]
var.room = "bench"

[site.paris]
sip-transport = "tcp"
server = [{ address = "10.20.0.5" }]

[site.paris.staging]
server = [{ address = "10.99.0.1" }]
firmware.yealink-desk = "staging.rom"
extra.yealink = { "a.model" = "staging", "a.entry" = "staging", "a.new" = "staging" }
"#;

fn of_batch(id: StagingId, change: StagingChange) -> Change {
    Change::Staging(id, Box::new(change))
}

fn entry() -> Change {
    let Change::Listed(phone, mut entry) = listed(PHONE, "T46S", "4012") else { unreachable!() };
    entry.site = Some("paris".to_owned());
    entry.set.insert("a.entry".to_owned(), "entry".to_owned());
    Change::Listed(phone, entry)
}

/// A phone in a batch that was opened, and what became of that batch.
fn staged(more: Vec<StagingChange>) -> Vec<Change> {
    let (purpose, by) = (Purpose::default(), String::new());
    let opened = StagingChange::Opened { purpose, ports: [].into(), at: now() };
    let scanned = StagingChange::Scanned { phone: mac(PHONE), by, at: now(), slot: None };
    let batch = [opened, scanned].into_iter().chain(more).map(|change| of_batch(1, change));
    [entry()].into_iter().chain(batch).collect()
}

/// Where some values come from: `NAME=VALUE LEVEL SITE`.
fn explained(changes: Vec<Change>) -> Vec<String> {
    let provisioner = provisioner(settings_of(SETTINGS), changes);
    let local = [10, 20, 0, 2].into();
    let explained = provisioner.explain(mac(PHONE), FILE, local, false, now()).unwrap();
    let wanted = ["servers[0].address", "sip_transport", "load", "set.a.model", "set.a.entry"];
    let mut lines: Vec<String> = explained
        .values
        .iter()
        .filter(|value| wanted.contains(&value.name.as_str()) || value.name == "set.a.new")
        .map(|value| {
            let site = value.origin.site.as_deref().unwrap_or("-");
            format!("{}={} {} {site}", value.name, value.value, value.origin.level.as_str())
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

#[test]
fn staging_stands_between_the_entry_and_the_site_while_the_batch_is_open() {
    let production = explained(vec![entry()]);
    assert_eq!(
        production,
        [
            "load=production.rom model default",
            "servers[0].address=10.20.0.5 site paris",
            "set.a.entry=entry entry -",
            "set.a.model=production model default",
            "sip_transport=tcp site paris",
        ]
    );
    assert_eq!(
        explained(staged(vec![])),
        [
            "load=staging.rom staging paris",
            "servers[0].address=10.99.0.1 staging paris",
            "set.a.entry=entry entry -",
            "set.a.model=staging staging paris",
            "set.a.new=staging staging paris",
            "sip_transport=tcp site paris",
        ]
    );
    assert_eq!(explained(staged(vec![StagingChange::HandedOver(now())])), production);
    let back = vec![StagingChange::HandedOver(now()), StagingChange::TakenBack];
    assert_eq!(explained(staged(back)), explained(staged(vec![])));
    let closed = StagingChange::Closed { at: now(), kept: vec![] };
    assert_eq!(explained(staged(vec![closed])), production);
    assert_eq!(explained(staged(vec![StagingChange::Removed(mac(PHONE))])), production);
}

#[test]
fn a_site_inherits_the_staging_of_default() {
    let settings = settings_of(SETTINGS);
    let paris = settings.sites["paris"].staging.as_deref().unwrap();
    assert_eq!(paris.time_zone.as_deref(), Some("UTC"));
    assert_eq!((paris.var["room"].as_str(), paris.servers.len()), ("bench", 1));
    assert_eq!(settings.sites["paris"].var["room"], "none");
    assert_eq!(settings.sites["default"].staging.as_ref().unwrap().servers[0].address, "10.98.0.1");
    let place = |key: &str| paris.places.of(key).unwrap().rsplit(':').next().unwrap().to_owned();
    assert_eq!(
        (place("server"), place("time-zone"), place("sip-transport")),
        ("18".into(), "9".into(), "14".into())
    );
    let none = settings_of("[site.paris]\n");
    assert!(none.sites.values().all(|site| site.staging.is_none()));
}

#[test]
fn only_what_was_made_for_production_may_seal() {
    let seals = |changes, name: &str| {
        let provisioner = provisioner(settings_of(SETTINGS), changes);
        open(&provisioner, &format!("10.20.0.9 {name}")).unwrap().seals
    };
    assert_eq!(seals(vec![entry()], FILE), None);
    assert_eq!(seals(staged(vec![]), FILE), None);
    let handed_over = || staged(vec![StagingChange::HandedOver(now())]);
    assert_eq!(seals(handed_over(), FILE), Some(1));
    assert_eq!(seals(handed_over(), "y000000000066.cfg"), None, "no file of its own");
}

#[test]
fn a_hand_over_is_rehearsed_with_production_values() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path();
    let broken = "{% if servers[0].address == '10.20.0.5' %}{{ nothing }}{% endif %}";
    std::fs::write(files.join(format!("{FILE}.j2")), broken).unwrap();
    let rehearsed = |files: &Path| {
        let nowhere = Path::new("/nonexistent");
        let provisioner = with_files(settings_of(SETTINGS), staged(vec![]), files, nowhere);
        assert!(open(&provisioner, &format!("10.20.0.9 {FILE}")).is_ok(), "staging values do");
        provisioner.rehearse_hand_over(1, now())
    };
    let found = rehearsed(files);
    assert!(found.len() == 1 && found[0].1.contains(FILE), "{found:?}");
    assert_eq!(rehearsed(Path::new("/nonexistent")), []);
}

/// How long it took is told by what its site waits for, and stays told once the batch is closed.
#[test]
fn ready_is_what_the_site_says_it_is() {
    let later = |seconds: i64| now() + jiff::SignedDuration::from_secs(seconds);
    let happens =
        |seconds: i64, what: What| Change::Happened(mac(PHONE), Event { at: later(seconds), what });
    let asked = Asked {
        name: FILE.to_owned(),
        carrier: Carrier::Http,
        role: Role::Own,
        required: Some(Required { slot: 0, of: 1 }),
        first: false,
    };
    let has = happens(10, What::Unchanged { asked, etag: "e".to_owned() });
    let accepted = What::Registration { by: "pbx".to_owned(), step: Step::Accepted };
    let registers = happens(30, accepted);
    let check = |when: &str, what: &[&Change], expected: Option<i64>| {
        let settings = settings_of(&format!("[site.paris]\nready-when = \"{when}\"\n"));
        let changes = staged(vec![]).into_iter().chain(what.iter().map(|one| (*one).clone()));
        let provisioner = provisioner(settings, changes.collect());
        let state = provisioner.view().read();
        let staging = &state.stagings[&1];
        let one = &staging.phones[&mac(PHONE)];
        let expected = expected.map(later);
        assert_eq!(provisioner.ready_at(&state, mac(PHONE), one), expected, "{when} {what:?}");
        // As the report of a closed batch keeps it, whatever becomes of the phone and its site.
        let kept = Some(provisioner.kept(&state, mac(PHONE), later(60)));
        let closed = crate::domain::Staged { kept, ready: None, registered: None, ..one.clone() };
        assert_eq!(provisioner.ready_at(&state, mac(PHONE), &closed), expected, "{when} {what:?}");
    };
    check("configured", &[], None);
    check("configured", &[&has], Some(10));
    check("configured", &[&has, &registers], Some(10));
    check("registered", &[&has], None);
    check("registered", &[&has, &registers], Some(30));
}
