//! Forms: what is written reads back, and the written form of this schema stays as it is.

use std::{net::Ipv4Addr, sync::Arc};

use super::*;
use crate::{
    domain::{
        Asked, Carrier, ClientKey, Entry, Event, Granted, Ground, Kept, Key, KeyTarget, Lease,
        Line, Origin, Outcome, Purpose, Quarantine, Rejection, Reply, Required, Role, Secret,
        Staged, Staging, Step, Timestamp, Transfer, Unserved, What, Window,
    },
    store::Phone,
};

fn mac() -> Mac {
    Mac::new([0, 0x15, 0x65, 0xaa, 0xbb, 0xcc]).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Writes, compares with the form that this schema has for ever, and reads back.
fn check<T: Form + PartialEq + std::fmt::Debug>(value: &T, expected: &str) {
    let octets = write(&As(value)).unwrap();
    assert_eq!(octets[0], SCHEMA);
    assert_eq!(String::from_utf8_lossy(&octets[1..]), expected);
    assert_eq!(&read::<As<T>>(&octets).unwrap().0, value);
}

fn asked() -> Asked {
    let required = Some(Required { slot: 0, of: 2 });
    Asked {
        name: "a.cfg".to_owned(),
        carrier: Carrier::Tftp,
        role: Role::Own,
        required,
        first: true,
    }
}

fn registration(step: Step) -> What {
    What::Registration { by: "10.0.0.5".to_owned(), step }
}

fn recalled(reply: Reply) -> What {
    What::Recalled { event: "check-sync".to_owned(), reply }
}

pub(super) fn happened() -> Vec<What> {
    let address = Ipv4Addr::new(10, 0, 0, 9);
    let text = || "why".to_owned();
    let ended = |outcome| What::Ended {
        asked: asked(),
        bytes: 1,
        length: 2,
        outcome,
        etag: "e".to_owned(),
        normal: true,
        source: "file a.cfg".to_owned(),
    };
    vec![
        What::discovered(Some(address)),
        What::Discovered { relay: None, port: text(), shows: text() },
        What::Rivalled { server: address, hardware: Some(mac()), beside: None },
        What::Mistaken { name: text(), of: mac() },
        What::Offered { address },
        What::Requested { address, server: Some(address) },
        What::Told { by: address, servers: vec![(66, "10.20.0.1".to_owned())] },
        What::Leased { address, until: at(9), granted: Granted::Rebooted },
        What::Nak { address, why: text() },
        What::Unserved(Unserved::PoolExhausted),
        What::Declined { address },
        What::Released { address },
        What::Informed { address },
        What::Appeared { address },
        What::Opened { asked: asked(), length: 7 },
        What::Progress { name: text(), bytes: 1, length: u64::MAX },
        ended(Outcome::Complete),
        ended(Outcome::Aborted { text: text() }),
        ended(Outcome::TimedOut),
        ended(Outcome::Failed { text: text() }),
        What::Unchanged { asked: Asked { required: None, ..asked() }, etag: text() },
        What::Refused { asked: asked(), why: text(), normal: false },
        What::Admitted { number: "4100".to_owned() },
        registration(Step::Asked),
        registration(Step::Accepted),
        registration(Step::Ended { text: text() }),
        registration(Step::Rejected { why: Rejection::Forbidden, text: text() }),
        recalled(Reply::Accepted { code: 200 }),
        recalled(Reply::Refused { code: 401, text: text(), signed: true }),
        recalled(Reply::Silent),
        recalled(Reply::Unsent { text: text() }),
    ]
}

#[test]
fn every_event_reads_back() {
    for what in happened() {
        let event = Event { at: Timestamp::new(5, 123_456_789).unwrap(), what };
        assert_eq!(read::<As<Event>>(&write(&As(&event)).unwrap()).unwrap().0, event);
    }
}

#[test]
fn events_as_written() {
    let lease = What::Leased {
        address: Ipv4Addr::new(10, 0, 0, 9),
        until: at(9),
        granted: Granted::Selected,
    };
    check(
        &Event { at: at(5), what: lease },
        r#"{"at":"1970-01-01T00:00:05Z","what":{"leased":{"address":"10.0.0.9","until":"1970-01-01T00:00:09Z","granted":"selected"}}}"#,
    );
    check(
        &Event { at: at(5), what: What::Appeared { address: Ipv4Addr::new(10, 0, 0, 9) } },
        r#"{"at":"1970-01-01T00:00:05Z","what":{"appeared":{"address":"10.0.0.9"}}}"#,
    );
    check(
        &Event {
            at: at(5),
            what: recalled(Reply::Refused { code: 401, text: "No".to_owned(), signed: true }),
        },
        r#"{"at":"1970-01-01T00:00:05Z","what":{"recalled":{"event":"check-sync","reply":{"refused":{"code":401,"text":"No","signed":true}}}}}"#,
    );
    check(
        &Event { at: at(5), what: What::Opened { asked: asked(), length: 7 } },
        r#"{"at":"1970-01-01T00:00:05Z","what":{"opened":{"asked":{"name":"a.cfg","carrier":"tftp","role":"own","required":{"slot":0,"of":2},"first":true},"length":7}}}"#,
    );
}

/// An end of a transfer as it was written before it said where the bytes came from, and as it is written since.
#[test]
fn ends_of_before_and_since_the_source_was_noted() {
    const BEFORE: &str = r#"{"at":"1970-01-01T00:00:05Z","what":{"ended":{"asked":{"name":"a.cfg","carrier":"tftp","role":"own","required":{"slot":0,"of":2},"first":true},"bytes":2,"length":2,"outcome":"complete","etag":"e","normal":false}}}"#;
    const TRANSFER: &str = r#"{"name":"a.cfg","carrier":"tftp","role":"own","bytes":2,"length":2,"outcome":"complete","normal":false,"at":"1970-01-01T00:00:05Z"}"#;
    let ended = |source: &str| {
        let (etag, source) = ("e".to_owned(), source.to_owned());
        let (asked, outcome) = (asked(), Outcome::Complete);
        let what = What::Ended { asked, bytes: 2, length: 2, outcome, etag, normal: false, source };
        Event { at: at(5), what }
    };
    check(&ended(""), BEFORE);
    let since = BEFORE.replace("\"normal\":false", "\"normal\":false,\"source\":\"file a.cfg\"");
    check(&ended("file a.cfg"), &since);

    let transfer = |source: &str| Transfer {
        name: "a.cfg".to_owned(),
        carrier: Carrier::Tftp,
        role: Role::Own,
        bytes: 2,
        length: 2,
        outcome: Some(Outcome::Complete),
        refused: None,
        normal: false,
        source: source.to_owned(),
        at: at(5),
    };
    check(&transfer(""), TRANSFER);
    let since = TRANSFER.replace("false,", "false,\"source\":\"template x/y.j2\",");
    check(&transfer("template x/y.j2"), &since);
}

#[test]
fn entries_as_written() {
    let key = |target| Key { target, label: "Anna".to_owned() };
    let entry = Entry {
        model: "7961G".to_owned(),
        site: Some("paris".to_owned()),
        address: Some(Ipv4Addr::new(10, 0, 0, 9)),
        lines: vec![Line {
            number: "4012".to_owned(),
            sip_password: Secret::new("s3".to_owned()),
            ..Line::default()
        }],
        keys: [(1, key(KeyTarget::Line(2)))].into(),
        module_keys: [((1, 20), key(KeyTarget::Blf("4013".to_owned())))].into(),
        set: [("a.b".to_owned(), "1".to_owned())].into(),
        ..Entry::default()
    };
    check(
        &entry,
        r#"{"model":"7961G","site":"paris","location":"","address":"10.0.0.9","note":"","lines":[{"number":"4012","name":"","sip_user":"","sip_password":"s3"}],"keys":{"1":{"target":{"line":2},"label":"Anna"}},"module_keys":[[1,20,{"target":{"blf":"4013"},"label":"Anna"}]],"set":{"a.b":"1"},"var":{},"auto_registered":false}"#,
    );
    let listed = Listed { changed: 7, entry: Arc::new(entry.clone()) };
    let back: Listed = read(&write(&listed).unwrap()).unwrap();
    assert_eq!((back.changed, &*back.entry), (7, &entry));
}

#[test]
fn the_rest_as_written() {
    let client = ClientKey::identifier(b"\x01x");
    check(
        &Lease {
            address: Ipv4Addr::new(10, 0, 0, 9),
            client,
            mac: mac(),
            since: at(1),
            until: at(2),
        },
        r#"{"address":"10.0.0.9","client":"010178","mac":"00:15:65:aa:bb:cc","since":"1970-01-01T00:00:01Z","until":"1970-01-01T00:00:02Z"}"#,
    );
    check(
        &Quarantine { address: Ipv4Addr::new(10, 0, 0, 9), until: at(2), times: 3, by: mac() },
        r#"{"address":"10.0.0.9","until":"1970-01-01T00:00:02Z","times":3,"by":"00:15:65:aa:bb:cc"}"#,
    );
    check(&Window { enabled: true, until: None }, r#"{"enabled":true,"until":null}"#);
}

#[test]
fn batches_as_written() {
    let text = |text: &str| text.to_owned();
    let purpose = Purpose {
        name: text("Monday"),
        operator: text("Anna"),
        site: Some(text("paris")),
        planned: 10,
        by_plugging: true,
    };
    let bare = Staged { by: text("Anna"), at: at(1), ..Staged::default() };
    let full = Staged {
        slot: Some(7),
        booted: Some(at(2)),
        ready: Some(at(3)),
        registered: Some(at(3)),
        settled: Some(at(4)),
        produced: vec![(text("a.cfg"), text("e"))],
        delivered: 1,
        sealed: Some(at(4)),
        failed: Some(text("scratched")),
        solved: vec![text("bad label")],
        port: text("sw-3 | 7"),
        kept: Some(Kept {
            model: text("VVX 401"),
            listed: text("VVX 411"),
            open: vec![text("wrong-model: listed as VVX 411")],
            firmware: text("5.9"),
            number: text("4012"),
            name: text("Front desk"),
            ready: Some(at(3)),
        }),
        ..bare.clone()
    };
    let other = Mac::new([0, 0x15, 0x65, 0xaa, 0xbb, 0xcd]).unwrap();
    check(
        &Staging {
            purpose,
            start: at(1),
            handed_over: Some(at(2)),
            end: Some(at(3)),
            phones: [(mac(), bare), (other, full)].into(),
            ports: [(text("sw-3 | 7"), 7)].into(),
            changed: 9,
        },
        r#"{"purpose":{"name":"Monday","operator":"Anna","site":"paris","planned":10,"by_plugging":true},"start":"1970-01-01T00:00:01Z","handed_over":"1970-01-01T00:00:02Z","end":"1970-01-01T00:00:03Z","phones":{"00:15:65:aa:bb:cc":{"by":"Anna","at":"1970-01-01T00:00:01Z"},"00:15:65:aa:bb:cd":{"slot":7,"by":"Anna","at":"1970-01-01T00:00:01Z","booted":"1970-01-01T00:00:02Z","ready":"1970-01-01T00:00:03Z","registered":"1970-01-01T00:00:03Z","settled":"1970-01-01T00:00:04Z","produced":[["a.cfg","e"]],"delivered":1,"sealed":"1970-01-01T00:00:04Z","failed":"scratched","solved":["bad label"],"port":"sw-3 | 7","kept":{"model":"VVX 401","listed":"VVX 411","open":["wrong-model: listed as VVX 411"],"firmware":"5.9","number":"4012","name":"Front desk","ready":"1970-01-01T00:00:03Z"}}},"ports":{"sw-3 | 7":7},"changed":9}"#,
    );
}

#[test]
fn phones_as_written() {
    let mut phone = Phone { changed: 4, given: u64::MAX, ..Phone::default() };
    for what in happened() {
        phone.boot.fold(&Event { at: at(5), what });
    }
    let (name, moved) = ("l".to_owned(), at(7));
    phone.boot.upgrade = Some(crate::domain::Upgrade { name, bytes: 1, length: 2, moved });
    let load = Asked { role: Role::Firmware, ..asked() };
    let ended = What::Ended {
        asked: load,
        bytes: 2,
        length: 2,
        outcome: Outcome::Complete,
        etag: String::new(),
        normal: false,
        source: "firmware l".to_owned(),
    };
    phone.boot.fold(&Event { at: at(6), what: ended });
    let told = What::Told { by: Ipv4Addr::new(10, 0, 0, 1), servers: Vec::new() };
    phone.boot.fold(&Event { at: at(6), what: told });
    phone.boot.arrivals.push(crate::domain::Arrival { round: at(5), at: at(6) });
    let boot = &phone.boot;
    assert_eq!((boot.loads.len(), boot.registrations.len(), boot.arrivals.len()), (1, 4, 1));
    let family = Some(crate::domain::FamilyName::new("cisco-79xx-enterprise"));
    for from in [Origin::FileName, Origin::Option60, Origin::Option125, Origin::Option82] {
        let (value, mac, at) = ("v".to_owned(), Some(mac()), at(1));
        let (vendor, model, firmware) = (Some("Cisco".to_owned()), None, None);
        phone.grounds.push(Ground {
            from,
            value,
            vendor,
            family: family.clone(),
            model,
            firmware,
            mac,
            at,
        });
    }
    let back: As<Phone> = read(&write(&As(&phone)).unwrap()).unwrap();
    assert_eq!(back.0, phone);
    check(
        &Phone { changed: 4, ..Phone::default() },
        r#"{"boot":{"risen":"silent","since":"1970-01-01T00:00:00Z","round":"1970-01-01T00:00:00Z","rounds":0,"address":null,"delivered":0,"first":[],"held":[],"transfers":[],"last":"","last_at":"1970-01-01T00:00:00Z"},"grounds":[],"changed":4}"#,
    );
}

#[test]
fn values_of_other_versions_are_errors() {
    let check = |octets: &[u8], expected| assert_eq!(read::<u8>(octets), Err(expected));
    check(&[SCHEMA + 1, b'1'], BadValue::Newer(SCHEMA + 1));
    check(&[0, b'1'], BadValue::broken("a value has no version"));
    assert_eq!(read::<u8>(&[OLDEST, b'1']), Ok(1), "what an older ringup wrote");
    check(&[], BadValue::broken("a value has no version"));
    assert!(matches!(read::<u8>(&[SCHEMA, b'x']), Err(BadValue::Broken(_))));
}

#[test]
fn keys_sort_as_things_do() {
    let key = |commit, index| event_key(mac(), commit, index);
    assert!(key(1, 300) < key(2, 0) && key(255, 0) < key(256, 0) && key(1, 255) < key(1, 256));
    assert_eq!(read_event_key(&key(256, 3)), Ok((mac(), 256)));
    assert!(read_event_key(&key(256, 3)[1..]).is_err());
    assert_eq!(unhex(&hex(&[0, 1, 0xfe])).unwrap(), [0, 1, 0xfe]);
    assert!(unhex("0").is_err() && unhex("0g").is_err());
}
