//! Batches on the bench, call by call.

use ringup::provision::StagingWatch;
use serde_json::json;

use super::*;

const OTHER: &str = "00:04:f2:aa:bb:02";

pub fn call(bench: &Bench, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    bench.api(method, &format!("/api/v1/batches{path}"), &body)
}

fn refused(answer: &Answer, status: u16, part: &str) {
    let text = answer.text();
    assert!(answer.status == status && text.contains(part), "{} {text}", answer.status);
}

#[test]
fn a_batch_from_its_opening_to_its_end() {
    let bench = Bench::new(&[]);
    let list = call(&bench, "GET", "", &Value::Null).json();
    assert_eq!(list, json!({ "items": [], "next": null }));
    let given = json!({ "name": " Monday ", "operator": "Anna", "planned": 10 });
    let opened = call(&bench, "POST", "", &given);
    assert_eq!(opened.status, 201);
    let opened = opened.json();
    assert_eq!((&opened["id"], &opened["name"]), (&1.into(), &"Monday".into()));
    assert_eq!((&opened["standing"], &opened["next-slot"]), (&"open".into(), &1.into()));
    refused(&call(&bench, "POST", "", &json!({ "name": "" })), 400, "needs a `name`");
    let nowhere = json!({ "name": "x", "site": "oslo" });
    refused(&call(&bench, "POST", "", &nowhere), 400, "the sites are default");
    refused(&call(&bench, "POST", "", &json!({ "nome": "x" })), 400, "unknown field");
    refused(&call(&bench, "GET", "/7", &Value::Null), 404, "no batch 7");
    assert_eq!(call(&bench, "POST", "", &json!({ "name": "Tuesday" })).json()["id"], 2);

    // A phone in any spelling, once, in one open batch.
    let scan = |id: u32, body: Value| call(&bench, "POST", &format!("/{id}/phones"), &body);
    let first = scan(1, json!({ "mac": "MAC: 0004F2AABB01" })).json();
    assert_eq!((&first["slot"], &first["by"]), (&1.into(), &"Anna".into()));
    assert_eq!((&first["light"], &first["phone"]), (&"amber".into(), &Value::Null), "{first}");
    assert!(first["says"].as_str().unwrap().ends_with("label ok, not listed"), "{first}");
    assert_eq!(scan(1, json!({ "mac": POLY })).json()["slot"], 1);
    refused(&scan(2, json!({ "mac": POLY })), 409, "is in batch 1 (Monday)");
    refused(&scan(1, json!({ "mac": "x" })), 400, "not a hexadecimal digit");

    // Listed as it is scanned: that solves something for a phone that is here.
    let listed = scan(1, json!({ "mac": POLY, "number": "4012", "model": "VVX 401" })).json();
    assert_eq!(listed["says"], "expected VVX 401, label ok, not seen yet");
    assert_eq!(listed["phone"]["entry"]["number"], "4012");
    assert_eq!(listed["solved"], json!([]), "never seen, it had no finding");
    let third = "00:04:f2:aa:bb:03";
    bench.commit(vec![happened(mac(third), What::discovered(None))]);
    let listed = scan(1, json!({ "mac": third, "number": "4013", "model": "VVX 401" })).json();
    assert_eq!(listed["solved"], json!(["was not listed: listed on the bench"]));
    assert_eq!(call(&bench, "DELETE", &format!("/1/phones/{third}"), &Value::Null).status, 204);
    refused(&scan(1, json!({ "mac": POLY, "number": "4\u{1}2" })), 422, "number");
    let boots = vec![happened(mac(POLY), What::discovered(None))];
    bench.commit(boots);
    assert_eq!(
        scan(1, json!({ "mac": POLY })).json()["says"],
        "expected VVX 401, label ok, discovered"
    );

    // Moved, put aside and back, removed.
    scan(1, json!({ "mac": OTHER, "list": true }));
    let edit =
        |phone: &str, body: Value| call(&bench, "PATCH", &format!("/1/phones/{phone}"), &body);
    assert_eq!(edit(OTHER, json!({ "slot": 1 })).json()["slot"], 1);
    assert_eq!(call(&bench, "GET", "/1", &Value::Null).json()["phones"][1]["slot"], Value::Null);
    let aside = edit(OTHER, json!({ "failed": "no display" })).json();
    assert_eq!((&aside["light"], &aside["failed"]), (&"red".into(), &"no display".into()));
    assert_eq!(edit(OTHER, json!({ "failed": "" })).json()["failed"], Value::Null);
    refused(&edit("00:04:f2:aa:bb:09", json!({ "slot": 1 })), 404, "is not in batch 1");
    assert_eq!(call(&bench, "DELETE", &format!("/1/phones/{OTHER}"), &Value::Null).status, 204);
    let renamed = call(&bench, "PATCH", "/1", &json!({ "name": "Monday, paris" })).json();
    assert_eq!((&renamed["name"], &renamed["planned"]), (&"Monday, paris".into(), &10.into()));

    // Handed over it takes no more phones; closed it stays as it is, after a restart too.
    assert_eq!(
        call(&bench, "POST", "/1/hand-over", &Value::Null).json()["standing"],
        "handed-over"
    );
    refused(&scan(1, json!({ "mac": OTHER })), 409, "is handed over");
    refused(&call(&bench, "POST", "/1/hand-over", &Value::Null), 409, "is handed over");
    refused(&call(&bench, "POST", "/1/close", &Value::Null), 409, "1 phone is not sealed yet");
    let closed = call(&bench, "POST", "/1/close?confirm", &Value::Null).json();
    assert_eq!((&closed["standing"], &closed["sealed"]), (&"closed".into(), &0.into()));
    refused(&scan(1, json!({ "mac": OTHER })), 409, "is closed");
    assert!(scan(2, json!({ "mac": POLY })).status == 200, "free for another batch");
    let before = call(&bench, "GET", "", &Value::Null).json();
    let bench = bench.again();
    assert_eq!(call(&bench, "GET", "", &Value::Null).json(), before);
    assert_eq!(bench.service.view.read().staging_of(mac(POLY)).unwrap().0, 2);
}

#[test]
fn a_batch_is_news() {
    let bench = Bench::new(&[]);
    let host = bench.operators;
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: 0\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut seen = String::new();
    let mut until = |part: &str| {
        let mut some = [0; 4096];
        while !seen.contains(part) {
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&some[..read]));
        }
    };
    until("event: batch");
    until("\"scanned\":0");
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY, "number": "4012" }));
    until("\"scanned\":1");
    // What a phone does changes its batch too.
    let own = ringup::domain::Asked {
        name: "a.cfg".to_owned(),
        carrier: ringup::domain::Carrier::Http,
        role: ringup::domain::Role::Own,
        required: Some(ringup::domain::Required { slot: 0, of: 1 }),
        first: false,
    };
    bench.commit(vec![happened(mac(POLY), What::Unchanged { asked: own, etag: "e".to_owned() })]);
    until("\"ready\":1");
}

/// What an edit mended is in the report, whether it came by a scan or by the phone's own page.
#[test]
fn findings_that_go_away_are_remembered() {
    let bench = Bench::new(&[]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    for phone in [POLY, OTHER] {
        bench.commit(vec![
            Change::Listed(mac(phone), Box::new(entry("VVX 410", "", ""))),
            ground(phone, "Polycom-VVX401", "VVX401"),
        ]);
        let row = call(&bench, "POST", "/1/phones", &json!({ "mac": phone })).json();
        assert_eq!((&row["light"], &row["solved"]), (&"red".into(), &json!([])), "{row}");
    }
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY, "model": "VVX 401" }));
    let put = bench.api("PUT", &format!("/api/v1/phones/{OTHER}"), "{\"model\":\"VVX 401\"}");
    assert_eq!(put.status, 200, "{}", put.text());
    let batch = call(&bench, "GET", "/1", &Value::Null).json();
    for row in batch["phones"].as_array().unwrap() {
        let solved = row["solved"][0].as_str().unwrap();
        assert!(solved.starts_with("wrong-model: listed as VVX 410"), "{row}");
        assert_eq!(row["solved"].as_array().unwrap().len(), 1);
    }
    let csv = call(&bench, "GET", "/1/report?format=csv", &Value::Null).text();
    assert_eq!(csv.matches("wrong-model: listed as VVX 410").count(), 2, "{csv}");
}

/// A corrected list mends phones on the bench as well as a scan does; a rehearsal mends nothing.
#[test]
fn findings_that_a_list_mends_are_remembered() {
    let bench = Bench::new(&[]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    for phone in [POLY, OTHER] {
        bench.commit(vec![
            Change::Listed(mac(phone), Box::new(entry("VVX 410", "", ""))),
            ground(phone, "Polycom-VVX401", "VVX401"),
        ]);
        call(&bench, "POST", "/1/phones", &json!({ "mac": phone }));
    }
    let solved = || {
        let batch = call(&bench, "GET", "/1", &Value::Null).json();
        let rows = batch["phones"].as_array().unwrap();
        rows.iter().map(|row| row["solved"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    let list = format!("mac,model\n{POLY},VVX 401\n");
    let import = |query: &str| bench.api("POST", &format!("/api/v1/phones/import{query}"), &list);
    assert_eq!(import("?dry-run").status, 200);
    assert_eq!(solved(), [0, 0]);
    let imported = import("");
    assert_eq!(imported.status, 200, "{}", imported.text());
    assert_eq!(solved(), [1, 0]);
    let csv = call(&bench, "GET", "/1/report?format=csv", &Value::Null).text();
    assert!(csv.contains("wrong-model: listed as VVX 410"), "{csv}");
}

/// What the phone itself mends is in the report too: nobody has to press anything for it.
#[test]
fn findings_that_go_away_by_themselves_are_remembered() {
    let bench = Bench::new(&[]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    bench.commit(vec![
        Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", ""))),
        ground(POLY, "Polycom-VVX401", "VVX401"),
    ]);
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY }));
    let mut watch = StagingWatch::default();
    let mut look = || {
        let news = bench.runtime.block_on(watch.look(&bench.service));
        if !news.is_empty() {
            bench.commit(news);
        }
        let batch = call(&bench, "GET", "/1", &Value::Null).json();
        batch["phones"][0]["solved"].clone()
    };
    assert_eq!(look(), json!([]));
    // It restarts, and says another model than before.
    bench.commit(vec![ground(POLY, "Polycom-VVX410", "VVX410")]);
    assert_eq!(look(), json!([]), "once is not yet");
    let solved = look();
    assert!(solved[0].as_str().unwrap().starts_with("wrong-model: listed as VVX 410"), "{solved}");
    assert_eq!(look(), solved, "said once");
    let csv = call(&bench, "GET", "/1/report?format=csv", &Value::Null).text();
    assert!(csv.contains("wrong-model: listed as VVX 410"), "{csv}");
}

/// A label that was misread is doubted from either side, and a scan proves none.
#[test]
fn a_misread_label_is_not_ok() {
    let bench = Bench::new(&[]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    bench.commit(vec![
        Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", ""))),
        ground(OTHER, "Polycom-VVX401", "VVX401"),
        happened(mac(OTHER), What::discovered(None)),
    ]);
    let scan = |body: Value| call(&bench, "POST", "/1/phones", &body).json();
    for phone in [POLY, OTHER] {
        let row = scan(json!({ "mac": phone }));
        let says = row["says"].as_str().unwrap();
        assert!(says.contains("label doubtful: ") && !says.contains("label ok"), "{row}");
        assert_eq!(row["repair"], POLY, "{row}");
    }
    let open = "bad-label: never seen; 0004f2aabb02 is here";
    let csv = || call(&bench, "GET", "/1/report?format=csv", &Value::Null).text();
    assert!(csv().contains(open), "{}", csv());
    // The other phone gets an entry of its own: nobody has seen the first one, so its label is not proven.
    let mut watch = StagingWatch::default();
    let mut look = || {
        let news = bench.runtime.block_on(watch.look(&bench.service));
        if !news.is_empty() {
            bench.commit(news);
        }
    };
    look();
    let listed = scan(json!({ "mac": OTHER, "number": "4013", "model": "VVX 410" }));
    assert_eq!(listed["repair"], Value::Null, "{listed}");
    look();
    look();
    let row = scan(json!({ "mac": POLY, "number": "4014" }));
    assert_eq!((&row["solved"], &row["repair"]), (&json!([]), &Value::Null), "{row}");
    let csv = csv();
    assert!(!csv.contains("bad-label"), "{csv}");
    assert!(
        csv.contains("wrong-model: listed as VVX 410")
            && csv.lines().any(|line| line.ends_with(",\"VVX 410\"")),
        "{csv}"
    );
}

/// A phone says by option 60 which model it is.
fn ground(phone: &str, said: &str, model: &str) -> Change {
    let mut ground = showed(mac(phone), Origin::Option60, said, Some(model));
    if let Change::Showed(_, ground) = &mut ground {
        ground.vendor = Some("Polycom".to_owned());
        ground.family = Some(ringup::domain::FamilyName::new("poly-vvx"));
    }
    ground
}

/// What DHCP records of option 82 puts a phone into the slot that an earlier phone taught.
#[test]
fn slots_are_learnt_from_the_switch() {
    let bench = Bench::new(&[]);
    let plugged = |phone: &str, port: &str| {
        bench.commit(vec![showed(mac(phone), Origin::Option82, &format!("sw-3 | {port}"), None)]);
    };
    let place = |batch: u32, phone: &str| {
        let batch = call(&bench, "GET", &format!("/{batch}"), &Value::Null).json();
        let rows = batch["phones"].as_array().unwrap();
        let row = rows.iter().find(|row| row["mac"] == phone).unwrap().clone();
        (row["slot"].clone(), row["port"].clone())
    };
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY, "slot": 3 }));
    plugged(POLY, "7");
    assert_eq!(place(1, POLY), (3.into(), "sw-3 7".into()));
    call(&bench, "POST", "/1/close?confirm", &Value::Null);
    let csv = call(&bench, "GET", "/1/report?format=csv", &Value::Null).text();
    assert!(csv.contains("\"sw-3 7\""), "{csv}");

    // The next batch knows the bench, whether a phone is scanned first or plugged in first.
    call(&bench, "POST", "", &json!({ "name": "Tuesday", "by-plugging": true }));
    call(&bench, "POST", "/2/phones", &json!({ "mac": OTHER }));
    assert_eq!(place(2, OTHER), (Value::Null, "".into()));
    plugged(OTHER, "7");
    assert_eq!(place(2, OTHER), (3.into(), "sw-3 7".into()));
    call(&bench, "DELETE", &format!("/2/phones/{OTHER}"), &Value::Null);
    call(&bench, "POST", "/2/phones", &json!({ "mac": OTHER }));
    assert_eq!(place(2, OTHER), (3.into(), "sw-3 7".into()));
    // By plugging in order: the lowest that is free.
    let third = "00:04:f2:aa:bb:03";
    call(&bench, "POST", "/2/phones", &json!({ "mac": third }));
    bench.commit(vec![happened(mac(third), What::discovered(None))]);
    assert_eq!(place(2, third).0, 1);
}

/// A phone fetches its file with staging values, is handed over, and is sealed by the last byte of its production file.
#[test]
fn the_last_byte_of_the_production_file_seals() {
    let bench = Bench::new(&[]);
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "Front desk")))]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY }));
    let sealed = || {
        bench.runtime.block_on(bench.service.recorder.drain());
        call(&bench, "GET", "/1", &Value::Null).json()["sealed"].as_u64().unwrap()
    };
    // Whatever its family requires, in the names that it asks for.
    let names = ["/0004f2aabb01.cfg", "/0004f2aabb01-line.cfg"];
    let fetch = || -> String {
        let got = names.iter().map(|name| bench.get(name, ""));
        got.filter(|answer| answer.status == 200).map(|answer| answer.text()).collect()
    };
    assert!(fetch().contains("10.99.0.1"), "staging values");
    let handed = call(&bench, "POST", "/1/hand-over", &Value::Null).json();
    assert_eq!((&handed["restart"], &handed["standing"]), (&1.into(), &"handed-over".into()));
    let row = call(&bench, "GET", "/1", &Value::Null).json()["phones"][0].clone();
    assert!(row["says"].as_str().unwrap().ends_with("restart it to seal it"), "{row}");
    assert_eq!(sealed(), 0, "what it has is the staging file");
    assert!(!fetch().contains("10.99.0.1"), "production values");
    assert_eq!(sealed(), 1);
    let row = call(&bench, "GET", "/1", &Value::Null).json()["phones"][0].clone();
    assert_eq!((&row["light"], row["took"].is_i64()), (&"green".into(), true), "{row}");

    // Another entry is another file: it has to be fetched again.
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4013", "Front desk")))]);
    assert_eq!(sealed(), 0);
    fetch();
    assert_eq!(sealed(), 1);
    assert_eq!(call(&bench, "POST", "/1/close", &Value::Null).json()["standing"], "closed");
}

/// The report and the labels of a batch, in each of their forms.
#[test]
fn a_batch_is_reported_and_labelled() {
    let bench = Bench::new(&[]);
    bench.commit(vec![
        Change::Listed(mac(POLY), Box::new(entry("VVX 401", "4012", "=1+1"))),
        Change::Listed(mac(OTHER), Box::new(entry("VVX 401", "4013", "Lobby ^XA"))),
        showed(mac(POLY), Origin::Option60, "Polycom-VVX401", Some("VVX401")),
    ]);
    call(&bench, "POST", "", &json!({ "name": "Monday" }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": POLY }));
    call(&bench, "POST", "/1/phones", &json!({ "mac": OTHER }));
    let get = |path: &str| call(&bench, "GET", &format!("/1/{path}"), &Value::Null);
    let csv = get("report?format=csv").text();
    let mut lines = csv.lines();
    let heads = "\"Slot\",\"MAC\",\"Model\",\"Firmware\",\"Number\",\"Name\",\"Switch port\",\"Time to ready\",\"Sealed\"";
    assert!(lines.next().unwrap().starts_with(heads), "{csv}");
    let first = "\"1\",\"00:04:f2:aa:bb:01\",\"Polycom VVX401\",\"\",\"4012\",\"'=1+1\",\"\",\"\",\"no\",\"\",\"\",\"\",\"\"";
    assert_eq!(lines.next(), Some(first), "a formula is none");
    let zpl = get("labels?format=zpl").text();
    assert_eq!(zpl.matches("^XA").count(), 2, "{zpl}");
    assert!(zpl.contains("^FD4013^FS") && zpl.contains("Lobby _5EXA"), "{zpl}");
    assert!(get("report").text().contains("Hand-over: Monday"));
    assert_eq!(get("labels").text().matches("<svg").count(), 2);
    refused(&get("labels?format=pdf"), 400, "html or zpl");
    // Closed, the report stays as it was, whatever becomes of the phone.
    call(&bench, "POST", "/1/close?confirm", &Value::Null);
    bench.commit(vec![Change::Forgotten(mac(POLY))]);
    assert!(get("report?format=csv").text().contains(first));
}
