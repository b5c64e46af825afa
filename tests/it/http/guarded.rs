//! Who has not shown a password gets nothing, on whichever route: the description names them all, so a new one is asked too.

use assert_cmd::Command;

use super::*;
use crate::run::{BINARY, Home};

const HOST: &str = "127.0.0.1:18982";

/// Pages, what they are made of, and what is printed: no description names them.
const PAGES: &[&str] = &[
    "/",
    "/phones/00:04:f2:aa:bb:01",
    "/bench",
    "/bench/1",
    "/bench/commands",
    "/bench.js",
    "/import",
    "/auto-registration",
    "/leases",
    "/firmware",
    "/families",
    "/families/poly-vvx",
    "/events",
    "/about",
    "/help",
    "/metrics",
    "/healthz",
    "/nothing/here",
    "/api/v1/batches/1/report?format=csv",
    "/api/v1/batches/1/labels?format=zpl",
    "//api/v1/phones",
    "/login/../api/v1/phones",
    "/page.css/../api/v1/backup",
    "/%6cogin/..%2fapi/v1/backup",
];

/// Each method and path of the description, with something in the place of its parameters.
fn described() -> Vec<(String, String)> {
    let bench = Bench::new(&[]);
    let description = bench.api("GET", "/api/v1/openapi.json", "").json();
    let paths = description["paths"].as_object().unwrap();
    let every = paths.iter().flat_map(|(path, methods)| {
        let path = path.replace("{mac}", POLY).replace("{id}", "1").replace("{name}", "a.cfg");
        assert!(!path.contains('{'), "{path}");
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    every.collect()
}

fn send(method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {HOST}\r\n") };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    ask(HOST.parse().unwrap(), &request)
}

#[test]
fn every_route_asks_for_the_password() {
    let word =
        Command::new(BINARY).arg("password").write_stdin("correct horse\n").output().unwrap();
    let hash = String::from_utf8(word.stdout).unwrap();
    let home = Home::new(&format!(
        "[tftp]\nlisten = [\"127.0.0.1:16982\"]\n[http]\nphones = [\"127.0.0.1:18983\"]\n\
         operators = [\"{HOST}\"]\npassword-hash = '{}'\n",
        hash.trim()
    ));
    let serving = home.serve(&[]);
    let mut every = described();
    assert!(every.iter().filter(|(_, path)| path.contains("/batches")).count() >= 12, "{every:?}");
    every.extend(PAGES.iter().map(|path| ("GET".to_owned(), (*path).to_owned())));
    every.push(("POST".to_owned(), "/logout".to_owned()));
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let entered = send("POST", "/login", form, "password=correct+horse");
    assert_eq!(entered.status, 303, "{}", entered.text());
    let session = entered.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(session.starts_with("ringup-session="), "{session}");
    let cookie = format!("Cookie: {session}\r\n");
    for (method, path) in &every {
        let is = |headers: &str, expected: u16| {
            let answer = send(method, path, headers, "");
            let text = answer.text();
            assert_eq!(answer.status, expected, "{method} {path} {headers}: {text}");
        };
        is("", 401);
        is("Cookie: ringup-session=guessed; ringup-token=guessed\r\n", 401);
        is("Host: evil.example\r\n", 421);
        is("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n", 403);
        if method != "GET" {
            is(&format!("Origin: http://evil.example\r\n{cookie}"), 403);
            is(&format!("Origin: null\r\n{cookie}"), 403);
            // A logged-in browser that was tricked has no token to show.
            is(&cookie, 403);
            is(&format!("X-Ringup-Token: guessed\r\n{cookie}"), 403);
        }
    }
    // A browser on its way to a page or to a sheet to print is led to the form, and from there on to where it wanted.
    for path in ["/bench/1", "/api/v1/batches/1/report?format=html"] {
        let headers =
            "Accept: text/html\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n";
        let led = send("GET", path, headers, "");
        assert_eq!(led.status, 303, "{path}");
        assert!(led.header("location").unwrap().starts_with("/login?next="), "{path}");
    }
    // The session itself is good: what refused was what was missing.
    assert_eq!(send("GET", "/api/v1/batches", &cookie, "").status, 200);
    assert_eq!(serving.stop(), Some(0));
}
