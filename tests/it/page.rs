//! The operators' page in a real Chromium: live without a reload, and deaf to what phones try to run in it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use ringup::domain::{Batch, Change, Granted, Mac, Origin, Timestamp, What};
use serde_json::{Value, json};

use super::http::{Bench, entry, happened, mac, showed};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

const DESK: &str = "00:04:f2:aa:bb:01";

/// A browser of its own, with a profile of its own, gone when this is dropped.
struct Browser {
    driver: Child,
    port: u16,
    client: Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says where it listens");
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1280,900",
            &data,
        ];
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a session");
        Self { driver, port, client, _profile: profile }
    }

    /// Waits until a script's value is `true`.
    async fn until(&self, script: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            let all = format!(
                "const done = arguments[0]; const check = () => {{ {script} }};
                const look = () => check() ? done(true) : setTimeout(look, 20); look();"
            );
            self.client.execute_async(&all, vec![]).await
        });
        match waited.await {
            Ok(Ok(_)) => {}
            failed => panic!("{script}: {failed:?}\n{}", self.text().await),
        }
    }

    async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    async fn value(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// What the console says so far: refused scripts and styles among it.
    async fn console(&self) -> Vec<String> {
        let session = self.client.session_id().await.unwrap().unwrap();
        let body = r#"{"type":"browser"}"#;
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "POST /session/{session}/se/log HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
        );
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        // The driver keeps the connection, so the answer ends where its length says.
        let (mut lines, mut length) = (BufReader::new(stream), 0);
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            match line.to_lowercase().split_once("content-length:") {
                Some((_, value)) => length = value.trim().parse().unwrap(),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut answer = vec![0; length];
        lines.read_exact(&mut answer).unwrap();
        let json: Value = serde_json::from_slice(&answer).unwrap();
        let entries = json["value"].as_array().expect("a log").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    async fn end(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    /// Ends the driver and the browser below it, also where a test failed: they share a process group.
    fn drop(&mut self) {
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.driver.wait();
    }
}

fn leased(address: Ipv4Addr) -> What {
    What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected }
}

#[test]
fn a_row_appears_and_changes_without_a_reload() {
    let bench = Bench::new(&[]);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        browser.until("return document.getElementById('live').textContent === 'live'").await;
        browser.until("return !document.getElementById('empty').hidden").await;
        browser.value("window.sameDocument = true").await;

        let commit = |changes: Batch| bench.service.journal.commit(changes);
        let list = Change::Listed(mac(DESK), Box::new(entry("VVX 410", "4012", "Front desk")));
        commit(list.into()).await.unwrap();
        let stage = |stage: &str| {
            format!(
                "const row = document.querySelector('tr[data-mac=\"{DESK}\"]');
                 return row && row.querySelector('.stage').textContent === '{stage}'"
            )
        };
        browser.until(&stage("silent")).await;
        commit(happened(mac(DESK), What::Discovered { relay: None }).into()).await.unwrap();
        browser.until(&stage("discovered")).await;
        commit(happened(mac(DESK), leased(Ipv4Addr::new(10, 20, 0, 51))).into()).await.unwrap();
        browser.until(&stage("leased")).await;
        let text = browser.text().await;
        for shown in ["4012 Front desk", DESK, "10.20.0.51", "leased 10.20.0.51", "1 phone"] {
            assert!(text.contains(shown), "{shown} is not in:\n{text}");
        }
        assert_eq!(
            browser.value("return window.sameDocument").await,
            true,
            "nothing was loaded again"
        );
        assert_eq!(
            browser
                .value("return document.querySelector('[data-stage=leased] .count').textContent")
                .await,
            "1"
        );

        commit(Change::Forgotten(mac(DESK)).into()).await.unwrap();
        browser.until("return document.querySelectorAll('#phones tbody tr').length === 0").await;
        assert_eq!(browser.console().await, [""; 0]);
        browser.end().await;
    });
}

#[test]
fn the_filter_and_the_stages_narrow_the_table() {
    let bench = Bench::new(&[]);
    for n in 0..30 {
        let mac = Mac::new([0, 4, 0xf2, 0, 1, n]).unwrap();
        let mut changes =
            vec![Change::Listed(mac, Box::new(entry("VVX 410", &format!("41{n:02}"), "Desk")))];
        if n % 3 == 0 {
            changes.push(happened(mac, leased(Ipv4Addr::new(10, 20, 0, n))));
        }
        bench.commit(changes);
    }
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        let rows = |count: usize| {
            format!("return document.querySelectorAll('#phones tbody tr').length === {count}")
        };
        browser.until(&rows(30)).await;
        let filter = browser.client.find(Locator::Id("filter")).await.unwrap();
        filter.send_keys("4107").await.unwrap();
        browser.until(&rows(1)).await;
        filter.clear().await.unwrap();
        browser.until(&rows(30)).await;
        let chip = Locator::Css("button[data-stage=leased]");
        browser.client.find(chip).await.unwrap().click().await.unwrap();
        browser.until(&rows(10)).await;
        browser.end().await;
    });
}

#[test]
fn what_phones_say_is_text_and_runs_nowhere() {
    let bench = Bench::new(&[]);
    let script = "<script>window.pwned = 1</script>";
    let image = "<img src=x onerror='window.pwned = 2'>";
    let named = "<svg onload='window.pwned = 3'>";
    let evil = mac(DESK);
    bench.commit(vec![
        showed(evil, Origin::Option60, script, Some(image)),
        showed(evil, Origin::Option12, image, None),
        showed(evil, Origin::UserAgent, script, None),
        happened(evil, What::Nak { address: Ipv4Addr::new(10, 0, 0, 1), why: named.to_owned() }),
    ]);
    let mut listed = entry("VVX 410", "4012", script);
    listed.note = image.to_owned();
    bench.commit(vec![Change::Listed(mac("00:04:f2:aa:bb:02"), Box::new(listed))]);
    bench.runtime.block_on(async {
        let browser = Browser::start().await;
        browser.client.goto(&format!("http://{}/", bench.operators)).await.unwrap();
        browser.until("return document.querySelectorAll('#phones tbody tr').length === 2").await;
        let text = browser.text().await;
        for shown in [image, named, script] {
            assert!(text.contains(shown), "{shown} is not in:\n{text}");
        }
        for phone in [DESK, "00:04:f2:aa:bb:02"] {
            browser
                .client
                .goto(&format!("http://{}/phones/{phone}", bench.operators))
                .await
                .unwrap();
            browser.until("return document.getElementById('live').textContent === 'live'").await;
            let text = browser.text().await;
            assert!(text.contains(script), "{text}");
            // The page renews itself when its phone changes; what it brings in is as harmless.
            let again =
                happened(mac(phone), What::Informed { address: Ipv4Addr::new(10, 0, 0, 9) });
            bench.service.journal.commit(again.into()).await.unwrap();
            browser
                .until("return document.querySelector('main').textContent.includes('10.0.0.9')")
                .await;
            let foreign =
                "return document.querySelectorAll('main script, main img, main svg').length";
            assert_eq!(browser.value(foreign).await, 0);
            assert_eq!(browser.value("return window.pwned ?? null").await, Value::Null);
        }
        assert_eq!(browser.console().await, [""; 0], "no violation of the policy, no error");
        browser.end().await;
    });
}

#[test]
fn a_lost_connection_is_shown_and_mended() {
    let bench = Bench::new(&[]);
    let address = bench.operators;
    // The browser's session lives on a runtime of its own, so that it sees its appliance go and come back.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let browser = runtime.block_on(Browser::start());
    let is = |what: &str| format!("return document.getElementById('live').dataset.is === '{what}'");
    runtime.block_on(browser.client.goto(&format!("http://{address}/"))).unwrap();
    runtime.block_on(browser.until(&is("live")));
    let bench = bench.again_at(address, || {
        runtime.block_on(browser.until(&is("lost")));
        let said = runtime.block_on(browser.text());
        assert!(said.contains("connection lost, trying again"), "{said}");
    });
    bench.commit(vec![Change::Listed(mac(DESK), Box::new(entry("VVX 410", "4012", "Front desk")))]);
    runtime.block_on(async {
        browser.until(&is("live")).await;
        browser.until("return document.querySelectorAll('#phones tbody tr').length === 1").await;
        browser.end().await;
    });
}
