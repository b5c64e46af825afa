//! The phones' ports: what is sent, and what the record says of it.

use super::*;

#[test]
fn a_file_whole_in_part_and_unchanged() {
    let (bench, bytes) = with_own_file();
    let whole = bench.get(OWN, "");
    assert_eq!((whole.status, whole.body == bytes), (200, true));
    assert_eq!(whole.header("content-type"), Some("text/plain"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(bench.ends(mac(POLY), 1), [(200_000, Outcome::Complete)]);

    let tag = whole.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    let unchanged = bench.get(OWN, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some(&*tag));

    let part = bench.get(OWN, "Range: bytes=10-19\r\n");
    assert_eq!((part.status, &part.body[..]), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), Some("bytes 10-19/200000"));
    let rest = bench.get(OWN, &format!("Range: bytes=150000-\r\nIf-Range: {tag}\r\n"));
    assert_eq!((rest.status, &rest.body[..]), (206, &bytes[150_000..]));
    let beyond = bench.get(OWN, "Range: bytes=200000-\r\n");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */200000")));
    let several = bench.get(OWN, "Range: bytes=0-1,5-6\r\n");
    assert_eq!((several.status, several.body.len()), (200, 200_000));

    let ends = bench.ends(mac(POLY), 5);
    let names: Vec<_> = ends.iter().map(|(bytes, outcome)| (*bytes, outcome.as_str())).collect();
    let expected = [
        (200_000, "complete"),
        (20, "aborted"),
        (200_000, "complete"),
        (0, "aborted"),
        (200_000, "complete"),
    ];
    assert_eq!(names, expected, "a part that stops short of the end is no delivery");
    let events = bench.service.journal.timeline(mac(POLY), 100).unwrap();
    assert!(events.iter().any(|(_, event)| matches!(event.what, What::Unchanged { .. })));
    bench.end();
}

#[test]
fn looking_is_not_taking() {
    let (bench, _) = with_own_file();
    let head = ask(bench.phones, &format!("HEAD {OWN} HTTP/1.0\r\n\r\n"));
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some("200000"), 0)
    );
    bench.runtime.block_on(bench.service.recorder.drain());
    assert_eq!(bench.service.journal.timeline(mac(POLY), 10).unwrap(), []);
    bench.end();
}

#[test]
fn a_phone_that_hangs_up_has_not_got_its_file() {
    let bytes = vec![b'x'; 32 << 20];
    let bench = Bench::new(&[("0004f2aabb01.cfg", &bytes)]);
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "")))]);
    let mut stream = TcpStream::connect(bench.phones).unwrap();
    stream.write_all(format!("GET {OWN} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    stream.read_exact(&mut vec![0; 100_000]).unwrap();
    drop(stream);
    let [(sent, outcome)] = &bench.ends(mac(POLY), 1)[..] else { panic!("one end") };
    assert_eq!(*outcome, Outcome::Aborted { text: String::new() });
    assert!((65_536..32 << 20).contains(sent), "{sent} octets are what the kernel took");
    bench.end();
}

#[test]
fn one_connection_carries_several_requests() {
    let (bench, bytes) = with_own_file();
    let mut stream = TcpStream::connect(bench.phones).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = |last: &str| format!("GET {OWN} HTTP/1.1\r\nHost: x\r\n{last}\r\n");
    stream
        .write_all(format!("{}{}{}", ask(""), ask(""), ask("Connection: close\r\n")).as_bytes())
        .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let bodies = all.windows(bytes.len()).filter(|window| *window == bytes).count();
    assert_eq!(bodies, 3);
    assert_eq!(bench.ends(mac(POLY), 3), vec![(200_000, Outcome::Complete); 3]);
    bench.end();
}

#[test]
fn what_phones_do_not_get() {
    let (bench, _) = with_own_file();
    let check = |request: &str, status: u16| {
        let answer = ask(bench.phones, request);
        assert_eq!(answer.status, status, "{request}: {}", String::from_utf8_lossy(&answer.body));
    };
    check("GET /no/such/thing HTTP/1.0\r\n\r\n", 404);
    check("GET / HTTP/1.0\r\n\r\n", 404);
    check("GET /../../etc/passwd HTTP/1.0\r\n\r\n", 404);
    check("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 404);
    check("GET /0004f2aabb02.cfg HTTP/1.0\r\n\r\n", 404);
    check(
        "PUT /0004f2aabb01-app.log HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
        403,
    );
    check("DELETE /0004f2aabb01.cfg HTTP/1.0\r\n\r\n", 405);
    check(&format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(9000)), 431);
    check("GET /%30004f2aabb01.cfg HTTP/1.0\r\n\r\n", 200);
    bench.end();
}

#[test]
fn one_peer_does_not_take_all_connections() {
    let (bench, _) = with_own_file();
    let held: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(bench.phones).unwrap();
            // Half a request: the connection is in use, and its seat taken once the next one is turned away.
            stream.write_all(b"GET /").unwrap();
            stream
        })
        .collect();
    let mut refused = TcpStream::connect(bench.phones).unwrap();
    refused.set_read_timeout(Some(PATIENCE)).unwrap();
    let ended = refused.read(&mut [0; 1]);
    assert!(
        matches!(ended, Ok(0))
            || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
    );
    drop(held);
    bench.end();
}

#[test]
fn what_there_is_not_is_named() {
    let bench = Bench::new(&[]);
    let mut away = entry("VVX 410", "4012", "Front desk");
    away.site = Some("paris".to_owned());
    bench.commit(vec![Change::Listed(mac("00:04:f2:aa:bb:02"), Box::new(away))]);
    let check = |query: &str, status: u16, said: &str| {
        for (method, path) in [("GET", "/api/v1/phones"), ("POST", "/api/v1/phones/resync")] {
            let answer = bench.api(method, &format!("{path}?{query}"), "");
            let fits = answer.status == status || (status == 200 && answer.status == 202);
            assert!(fits, "{method} {path}?{query}: {} {}", answer.status, answer.text());
            assert!(answer.text().contains(said), "{query}: {}", answer.text());
        }
    };
    check("finding=bad-lable", 400, "there is no such finding; did you mean `bad-label`?");
    check("finding=zzzzzzzzzzzz", 400, "known are ");
    check("site=pariss", 400, "there is no such site; did you mean `paris`?");
    check("site=paris", 200, "");
    check("site=default", 200, "");
    check("finding=bad-label", 200, "");
    bench.end();
}
