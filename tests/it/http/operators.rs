//! The operators' port and the control socket, call by call.

use super::*;

#[test]
fn a_phone_in_json() {
    let (bench, _) = with_own_file();
    let phone = bench.api("GET", "/api/v1/phones/0004F2-AABB01", "").json();
    assert_eq!(phone["mac"], POLY);
    assert_eq!((&phone["stage"], &phone["since"]), (&Value::from("silent"), &Value::Null));
    assert_eq!(phone["entry"]["number"], "4012");
    assert_eq!(phone["entry"]["sip-password"], "••••");
    assert_eq!(
        bench.api("GET", &format!("/api/v1/phones/{POLY}?reveal"), "").json()["entry"]["sip-password"],
        "pw-4012"
    );
    bench.get(OWN, "");
    bench.ends(mac(POLY), 1);
    let phone = bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").json();
    assert_eq!(phone["transfers"][0]["outcome"], "complete", "{phone}");
    assert_eq!(phone["transfers"][0]["carrier"], "http");
    let grounds = phone["identity"]["grounds"].as_array().unwrap();
    assert!(grounds.iter().any(|ground| ground["from"] == "user-agent"), "{phone}");
    let events = bench.api("GET", &format!("/api/v1/phones/{POLY}/events"), "").json();
    let kinds: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    // It has an address that nobody here gave it: its first request tells.
    assert_eq!(kinds, ["appeared", "opened", "ended"]);
    let unknown = bench.api("GET", "/api/v1/phones/00:04:f2:00:00:99", "");
    assert_eq!(
        (unknown.status, unknown.header("content-type")),
        (404, Some("application/problem+json"))
    );
    assert_eq!(unknown.json()["status"], 404);
    bench.end();
}

#[test]
fn phones_a_page_at_a_time() {
    let bench = Bench::new(&[]);
    let numbered = |n: u8| Mac::new([0, 4, 0xf2, 0, 0, n + 1]).unwrap();
    let listed =
        |n| Change::Listed(numbered(n), Box::new(entry("VVX 410", &format!("40{n:02}"), "Desk")));
    bench.commit((0..25).map(listed).collect());
    bench.commit(vec![happened(
        numbered(7),
        What::Informed { address: Ipv4Addr::new(10, 0, 0, 7) },
    )]);
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = bench.api("GET", &format!("/api/v1/phones?limit=10&after={after}"), "").json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|phone| phone["entry"]["number"].clone()),
        );
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<_> = (0..25).map(|n| Value::from(format!("40{n:02}"))).collect();
    assert_eq!((seen, pages), (expected, 3));
    let count = |query: &str| {
        bench.api("GET", &format!("/api/v1/phones?{query}"), "").json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("stage=discovered"), 1);
    assert_eq!(count("stage=silent&limit=1000"), 24);
    assert_eq!(count("q=4007"), 1);
    assert_eq!(count("q=10.0.0.7"), 1);
    assert_eq!(count("q=DESK&limit=5"), 5);
    assert_eq!(count("q=nobody"), 0);
    assert_eq!(bench.api("GET", "/api/v1/phones?stage=booting", "").status, 400);
    bench.end();
}

#[test]
fn an_entry_put_and_forgotten() {
    let bench = Bench::new(&[]);
    let path = format!("/api/v1/phones/{POLY}");
    let put =
        bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4012","sip-password":"geheim"}"#);
    assert_eq!(put.status, 201, "{}", String::from_utf8_lossy(&put.body));
    let again =
        bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4013","sip-password":"••••"}"#);
    assert_eq!((again.status, &again.json()["entry"]["number"]), (200, &Value::from("4013")));
    let kept = bench.api("GET", &format!("{path}?reveal=true"), "").json();
    assert_eq!(kept["entry"]["sip-password"], "geheim");
    let lines = r#"{"lines":[{"number":"1"},{"number":"2"}],"keys":{"1":"blf:4013:Anna"}}"#;
    assert_eq!(bench.api("PUT", &path, lines).json()["entry"]["lines"][1]["number"], "2");
    let plain = bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4013"}"#).json();
    assert_eq!(
        plain["entry"],
        serde_json::json!({"model":"VVX 410","number":"4013"}),
        "the rest goes"
    );
    assert_eq!(bench.api("PUT", &path, r#"{"name":"a\u0001b"}"#).status, 422);
    assert_eq!(bench.api("PUT", &path, "{").status, 400);
    assert_eq!(bench.api("DELETE", &path, "").status, 204);
    assert_eq!(bench.api("GET", &path, "").status, 404);
    assert_eq!(bench.api("DELETE", &path, "").status, 404);
    bench.end();
}

#[test]
fn the_window_opens_and_closes() {
    let bench = Bench::new(&[]);
    assert_eq!(bench.api("GET", "/api/v1/auto-registration", "").json()["enabled"], false);
    let open = r#"{"enabled":true,"until":"2099-01-01T00:00:00Z"}"#;
    let opened = bench.api("PUT", "/api/v1/auto-registration", open).json();
    assert_eq!(
        (&opened["enabled"], &opened["until"]),
        (&Value::from(true), &Value::from("2099-01-01T00:00:00.000Z"))
    );
    let bench = bench.again();
    assert_eq!(
        bench.api("GET", "/api/v1/auto-registration", "").json()["enabled"],
        true,
        "after a restart too"
    );
    let past = r#"{"enabled":true,"until":"2020-01-01T00:00:00Z"}"#;
    assert_eq!(bench.api("PUT", "/api/v1/auto-registration", past).status, 400);
    let mut back = bench.api("GET", "/api/v1/auto-registration", "").json();
    back["enabled"] = false.into();
    let closed = bench.api("PUT", "/api/v1/auto-registration", &back.to_string());
    assert_eq!((closed.status, &closed.json()["enabled"]), (200, &Value::from(false)), "{back}");
    back["numbers"] = "1-2".into();
    assert_eq!(bench.api("PUT", "/api/v1/auto-registration", &back.to_string()).status, 400);
    bench.end();
}

#[test]
fn every_other_list_answers() {
    let (bench, _) = with_own_file();
    for path in ["findings", "leases", "profiles", "firmware", "openapi.json"] {
        let answer = bench.api("GET", &format!("/api/v1/{path}"), "");
        assert_eq!(answer.status, 200, "{path}");
        answer.json();
    }
    let description = bench.api("GET", "/api/v1/openapi.json", "").json();
    assert!(description["paths"]["/api/v1/phones/{mac}"]["put"].is_object(), "{description}");
    let metrics = String::from_utf8(bench.api("GET", "/metrics", "").body).unwrap();
    assert!(
        metrics.contains("ringup_phones{stage=\"silent\"} 1\n") && metrics.ends_with("# EOF\n"),
        "{metrics}"
    );
    assert_eq!(bench.api("GET", "/healthz", "").json()["status"], "ok");
    let lost = bench.api("GET", "/api/v2", "");
    assert_eq!((lost.status, lost.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(bench.api("POST", "/api/v1/leases", "").status, 405);
    let shown = bench.api("GET", &format!("/api/v1/phones/{POLY}/files/0004f2aabb01.cfg"), "");
    assert_eq!((shown.status, shown.body.len()), (200, 200_000));
    assert!(shown.header("content-security-policy").is_some());
    bench.end();
}

#[test]
fn a_backup_can_be_restored() {
    let (bench, _) = with_own_file();
    let backup = bench.api("GET", "/api/v1/backup", "");
    assert_eq!(backup.status, 200);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ringup.backup");
    fs::write(&file, &backup.body).unwrap();
    ringup::store::restore(&file, &directory.path().join("state")).unwrap();
    let store = Store::open(&directory.path().join("state")).unwrap();
    assert_eq!(store.view.read().phones[&mac(POLY)].entry.as_ref().unwrap().number(), "4012");
    store.journal.close();
    bench.end();
}

#[test]
fn the_control_socket_trusts_whoever_may_open_it() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&[]);
    let path = bench.directory.path().join("api.sock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(read(stream).status, 200);
    let bench = bench.again();
    assert!(UnixStream::connect(&path).is_ok(), "a stale file is replaced");
    let foreign = "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(bench.operators, foreign).status, 421, "the network port looks closer");
    let directory = bench.end();
    assert!(!directory.path().join("api.sock").exists());
}

/// An event stream, read line by line.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(bench: &Bench, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(bench.operators).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let host = bench.operators;
        // HTTP/1.0: no chunks between the lines.
        stream
            .write_all(
                format!("GET /api/v1/events HTTP/1.0\r\nHost: {host}\r\n{last}\r\n").as_bytes(),
            )
            .unwrap();
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        Self(lines)
    }

    /// The next event: its name, number and data.
    fn next(&mut self) -> (String, u64, Value) {
        let (mut name, mut id, mut data) = (String::new(), 0, Value::Null);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut name),
                Some(("id", value)) => id = value.parse().unwrap(),
                Some(("data", value)) => data = serde_json::from_str(value).unwrap(),
                _ if line == "\n" && !name.is_empty() => return (name, id, data),
                _ => {}
            }
        }
    }

    /// The next event about a phone.
    fn phone(&mut self) -> (u64, Value) {
        loop {
            let (name, id, data) = self.next();
            if name == "phone" {
                return (id, data);
            }
        }
    }
}

#[test]
fn events_live_and_resumed() {
    let bench = Bench::new(&[]);
    let listed = |n: u8| {
        let mac = Mac::new([0, 4, 0xf2, 0, 0, n]).unwrap();
        Change::Listed(mac, Box::new(entry("VVX 410", &format!("40{n:02}"), "")))
    };
    let first = bench.commit(vec![listed(1)]);
    let mut live = Stream::open(&bench, Some(0));
    let (id, data) = live.phone();
    assert_eq!(
        (id, &data["entry"]["number"]),
        (first, &Value::from("4001")),
        "what was before comes first"
    );
    let second = bench.commit(vec![listed(2)]);
    let (id, data) = live.phone();
    assert_eq!((id, &data["entry"]["number"]), (second, &Value::from("4002")), "then what happens");
    assert_eq!(data["entry"]["sip-password"], "••••");
    drop(live);

    // Three more while nobody listens, and a restart between.
    bench.commit(vec![listed(3)]);
    let bench = bench.again();
    let last = bench.commit(vec![listed(4), listed(5)]);
    let mut resumed = Stream::open(&bench, Some(second));
    let numbers: Vec<_> = (0..3).map(|_| resumed.phone().1["entry"]["number"].clone()).collect();
    assert_eq!(numbers, ["4003", "4004", "4005"]);
    // Cut within a commit of several things: all of that commit comes again, rather than one being lost.
    let mut cut = Stream::open(&bench, Some(last));
    let again: Vec<_> = (0..2).map(|_| cut.phone().1["entry"]["number"].clone()).collect();
    assert_eq!(again, ["4004", "4005"]);
    let gone = Mac::new([0, 4, 0xf2, 0, 0, 1]).unwrap();
    bench.commit(vec![Change::Forgotten(gone)]);
    assert_eq!(cut.phone().1["forgotten"], true);
    bench.end();
}

#[test]
fn a_list_imported_and_taken_back() {
    let bench = Bench::new(&[]);
    let import =
        |query: &str, csv: &str| bench.api("POST", &format!("/api/v1/phones/import{query}"), csv);
    let good = "mac,model,number,sip-password\n0004f2aabb01,VVX 410,4012,geheim\n";
    let bad = "mac,model,number\n0004f2aabb01,VVX 410,4013\n1.57E+11,VVX 410,4014\n";

    let dry = import("?dry-run", good).json();
    assert_eq!((&dry["added"], &dry["applied"]), (&Value::from(1), &Value::from(false)));
    assert_eq!(bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").status, 404);
    let done = import("", good).json();
    assert_eq!((&done["added"], &done["applied"]), (&Value::from(1), &Value::from(true)), "{done}");

    let refused = import("", bad);
    let rows = refused.json();
    assert_eq!((refused.status, &rows["applied"]), (422, &Value::from(false)), "{rows}");
    let row = &rows["rows"][1];
    assert_eq!(
        (&row["verdict"], &row["line"], &row["column"]),
        (&"refused".into(), &3.into(), &"mac".into())
    );
    let number = || {
        let phone = bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").json();
        phone["entry"]["number"].as_str().map(str::to_owned)
    };
    assert_eq!(number().as_deref(), Some("4012"), "all or nothing");
    let part = import("?partial=true", bad).json();
    assert_eq!(
        (&part["changed"], &part["rows"][0]["fields"]),
        (&1.into(), &serde_json::json!(["number"]))
    );
    assert_eq!(number().as_deref(), Some("4013"));

    let masked = String::from_utf8(bench.api("GET", "/api/v1/phones/export", "").body).unwrap();
    assert!(masked.contains("4013") && !masked.contains("geheim"), "{masked}");
    assert_eq!(import("", &masked).json()["same"], 1, "what was exported changes nothing");
    let open = bench.api("GET", "/api/v1/phones/export?format=json&secrets=true", "").json();
    assert_eq!(open[0]["sip-password"], "geheim");

    assert_eq!(bench.api("POST", "/api/v1/undo", "").json()["changes"], 1);
    assert_eq!(number().as_deref(), Some("4012"), "the last import is taken back");
    let mapped =
        import("?map=MAC+Address%3Dmac&ignore-unknown", "MAC Address,Colour\n0004f2aabb02,red\n");
    assert_eq!(mapped.json()["added"], 1);
    assert_eq!(import("?prune", good).status, 400);
    assert_eq!(import("", &"x".repeat(17 << 20)).status, 413);
    bench.end();
}

#[test]
fn a_store_that_failed_is_no_secret() {
    let bench = Bench::new(&[]);
    let healthy = "ringup_store_failed 0";
    assert!(bench.api("GET", "/metrics", "").text().contains(healthy));
    // A value too long for a segment goes to a directory of its own, which is not there any more.
    std::fs::remove_dir_all(bench.directory.path().join("state/store/blobs")).unwrap();
    let note = "x".repeat(4 << 20);
    let entry = Entry { note, ..entry("VVX 410", "4012", "Desk") };
    let change = Change::Listed(mac(POLY), Box::new(entry));
    bench.service.journal.commit_blocking(Batch::from(change)).unwrap();
    bench.service.journal.compact().unwrap_err();
    let health = bench.api("GET", "/healthz", "");
    assert_eq!((health.status, &health.json()["status"]), (503, &Value::from("failed")));
    assert!(health.json()["fault"].as_str().is_some_and(|fault| fault.contains("store")));
    assert!(bench.api("GET", "/", "").text().contains("Nothing can be stored any more"));
    assert!(bench.api("GET", "/metrics", "").text().contains("ringup_store_failed 1"));
    bench.end();
}
